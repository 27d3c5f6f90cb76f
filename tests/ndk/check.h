/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A test harness, and a recorder of a client's events. Owns the waiting: tests wait for events, never for time.
 * Include it first; the programs are C99 (or C++17) with POSIX threads and nothing else.
 */

#ifndef NET_WEBSOCKET_CHECK_H
#define NET_WEBSOCKET_CHECK_H

#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1 /* POSIX, and MAP_ANONYMOUS, under -std=c99 */
#endif

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <network/netstack/net_websocket.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Far above what an emulator needs, so that reaching it means that the event does not come. */
#define EVENT_DEADLINE_S 30
#define URL_BYTES 9000

/* --- checks --- */

static struct {
    pthread_mutex_t lock; /* guards all that follows, and every probe */
    pthread_cond_t changed;
    const char *program;
    const char *test;
    int failures;
    int hangs; /* something did not come in this test, so nothing else is waited for */
    int passed;
    int failed;
} check;

#define CHECK(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, "%s", #condition))
#define CHECK_INT(actual, expected) check_int(__FILE__, __LINE__, #actual, (long long)(actual), (long long)(expected))
#define CHECK_TEXT(actual, expected) check_text(__FILE__, __LINE__, #actual, actual, expected)
/* Without regard to case. */
#define CHECK_HAS(text, part) check_has(__FILE__, __LINE__, #text, text, part)
#define REQUIRE(condition)                                          \
    do {                                                            \
        if (!(condition)) {                                         \
            check_failed(__FILE__, __LINE__, "%s", #condition);     \
            return;                                                 \
        }                                                           \
    } while (0)
#define RUN(test) check_run(#test, test)

#define check_failed(file, line, ...)                               \
    do_check_failed(file, line, (snprintf(check_message, sizeof check_message, __VA_ARGS__), check_message))

static __thread char check_message[1024];

static inline void do_check_failed(const char *file, int line, const char *message)
{
    pthread_mutex_lock(&check.lock);
    check.failures++;
    printf("  %s:%d: in %s: %s\n", file, line, check.test == NULL ? check.program : check.test, message);
    fflush(stdout);
    pthread_mutex_unlock(&check.lock);
}

static inline void check_int(const char *file, int line, const char *what, long long actual, long long expected)
{
    if (actual != expected) {
        check_failed(file, line, "%s is %lld, not %lld", what, actual, expected);
    }
}

static inline void check_text(const char *file, int line, const char *what, const char *actual, const char *expected)
{
    if (actual == NULL || strcmp(actual, expected) != 0) {
        check_failed(file, line, "%s is \"%.400s\", not \"%.400s\"", what, actual == NULL ? "(null)" : actual, expected);
    }
}

static inline int text_has(const char *text, const char *part)
{
    size_t length = strlen(part);
    for (; *text != '\0'; text++) {
        size_t same = 0;
        while (same < length && tolower((unsigned char)text[same]) == tolower((unsigned char)part[same])) {
            same++;
        }
        if (same == length) {
            return 1;
        }
    }
    return 0;
}

static inline void check_has(const char *file, int line, const char *what, const char *text, const char *part)
{
    if (text == NULL || !text_has(text, part)) {
        check_failed(file, line, "%s is \"%.600s\", without \"%.200s\"", what, text == NULL ? "(null)" : text, part);
    }
}

/* A field of /proc/self/status; memory is in kB. */
static inline long status_field(const char *name)
{
    char line[256];
    long value = -1;
    FILE *file = fopen("/proc/self/status", "r");
    if (file == NULL) {
        return -1;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, name, strlen(name)) == 0) {
            value = strtol(line + strlen(name) + 1, NULL, 10);
        }
    }
    fclose(file);
    return value;
}

static inline void check_watchdog(int number)
{
    static const char message[] = "FAIL: the watchdog ended a program that hangs, in ";
    ssize_t written = write(STDOUT_FILENO, message, sizeof message - 1);
    const char *test = check.test == NULL ? "(no test)" : check.test;
    written += write(STDOUT_FILENO, test, strlen(test));
    written += write(STDOUT_FILENO, "\n", 1);
    _exit(number + (written < 0));
}

/* First call of main. After `watchdog_s` seconds the program ends itself. */
static inline void check_begin(const char *program, unsigned watchdog_s)
{
    pthread_condattr_t attributes;
    check.program = program;
    pthread_mutex_init(&check.lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&check.changed, &attributes);
    pthread_condattr_destroy(&attributes);
    signal(SIGALRM, check_watchdog);
    /* Whoever starts the program may ignore it; then a library that raises it would go unnoticed. */
    signal(SIGPIPE, SIG_DFL);
    alarm(watchdog_s);
}

static inline void check_run(const char *name, void (*test)(void))
{
    int failures;
    check.test = name;
    check.failures = 0;
    check.hangs = 0;
    test();
    pthread_mutex_lock(&check.lock);
    failures = check.failures;
    pthread_mutex_unlock(&check.lock);
    if (failures == 0) {
        check.passed++;
        printf("ok %s\n", name);
    } else {
        check.failed++;
        printf("FAIL %s\n", name);
    }
    fflush(stdout);
}

/* Last call of main: prints the counts and gives the exit status. */
static inline int check_end(void)
{
    printf("%d passed, %d failed\n", check.passed, check.failed);
    return check.failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The value of an environment variable that the program cannot do without. */
static inline const char *required(const char *variable)
{
    const char *value = getenv(variable);
    if (value == NULL) {
        printf("%s: %s is not set; tests/ndk/run.sh sets it\n", check.program, variable);
        exit(2);
    }
    return value;
}

static inline struct timespec deadline(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += check.hangs ? 0 : EVENT_DEADLINE_S;
    return time;
}

/* Waits for a change, under the lock; false once the deadline has passed. */
static inline int changes_before(const struct timespec *until)
{
    if (pthread_cond_timedwait(&check.changed, &check.lock, until) == 0) {
        return 1;
    }
    check.hangs = 1;
    return 0;
}

/* --- a flag that one thread sets and another waits for --- */

struct Flag {
    int raised;
};

static inline void flag_raise(struct Flag *flag)
{
    pthread_mutex_lock(&check.lock);
    flag->raised++;
    pthread_cond_broadcast(&check.changed);
    pthread_mutex_unlock(&check.lock);
}

static inline int flag_count(struct Flag *flag)
{
    int raised;
    pthread_mutex_lock(&check.lock);
    raised = flag->raised;
    pthread_mutex_unlock(&check.lock);
    return raised;
}

/* Waits until the flag was raised `times` times; false once the deadline has passed. */
static inline int flag_await(struct Flag *flag, int times)
{
    struct timespec until = deadline();
    int reached;
    pthread_mutex_lock(&check.lock);
    while (flag->raised < times && changes_before(&until)) {
    }
    reached = flag->raised >= times;
    pthread_mutex_unlock(&check.lock);
    return reached;
}

/* --- a process that stands still --- */

/* A process that stops this one, as an app freezer does. */
struct Freezer {
    pid_t process;
    int start;
};

/* One that is to stop this process for so long. While a name is looked up, fork() may wait for that. */
static inline struct Freezer freezer_new(long milliseconds)
{
    struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
    struct Freezer freezer;
    pid_t self = getpid();
    int ends[2];
    if (pipe(ends) != 0) {
        abort();
    }
    freezer.process = fork();
    if (freezer.process == 0) {
        char byte;
        close(ends[1]);
        if (read(ends[0], &byte, 1) == 1) {
            kill(self, SIGSTOP);
            nanosleep(&time, NULL);
            kill(self, SIGCONT);
        }
        _exit(0);
    }
    close(ends[0]);
    freezer.start = ends[1];
    return freezer;
}

/* Has it stop this process now; returns when that goes on. */
static inline void freezer_use(struct Freezer freezer)
{
    CHECK(write(freezer.start, "x", 1) == 1);
    CHECK(waitpid(freezer.process, NULL, 0) == freezer.process);
    close(freezer.start);
}

static inline void stand_still(long milliseconds)
{
    freezer_use(freezer_new(milliseconds));
}

/* --- probes: clients whose events are recorded --- */

enum EventKind { OPEN, MESSAGE, ERROR, CLOSE, EVENT_KINDS };

static const char *const event_names[] = { "onOpen", "onMessage", "onError", "onClose" };

struct Event {
    enum EventKind kind;
    uint32_t code; /* 0 for messages */
    size_t length;
    char text[1]; /* reason, error message or data; `length` bytes and a NUL */
};

enum ProbePhase { IDLE, CONNECTING, OPENED, FAILED };

struct Probe {
    struct WebSocket *client;
    /* Runs inside the callback, after the event was recorded. */
    void (*hook)(struct Probe *probe, const struct Event *event);
    void *context;
    struct Event **events;
    size_t count;
    size_t capacity;
    int counts[EVENT_KINDS];
    enum ProbePhase phase;
    int running;
    int destroyed;
    struct Probe *previous;
};

/* Newest first, and never shortened: an event for a destroyed client must find its probe. */
static struct Probe *probes;

static inline struct Probe *probe_of(struct WebSocket *client)
{
    struct Probe *probe;
    pthread_mutex_lock(&check.lock);
    probe = probes;
    while (probe != NULL && probe->client != client) {
        probe = probe->previous;
    }
    pthread_mutex_unlock(&check.lock);
    return probe;
}

static const char *probe_step(struct Probe *probe, enum EventKind kind)
{
    if (probe->destroyed) {
        return "after Destroy returned";
    }
    if (probe->running != 0) {
        return "while another callback of the client runs";
    }
    switch (kind) {
        case OPEN:
            if (probe->phase != CONNECTING) {
                return "on a client that is not connecting";
            }
            probe->phase = OPENED;
            return NULL;
        case MESSAGE:
            return probe->phase == OPENED ? NULL : "on a client that is not open";
        case ERROR:
            if (probe->phase != CONNECTING && probe->phase != OPENED) {
                return "on a client that is idle or had an error already";
            }
            probe->phase = probe->phase == OPENED ? FAILED : IDLE;
            return NULL;
        default:
            if (probe->phase != OPENED && probe->phase != FAILED) {
                return "on a client that is not open";
            }
            probe->phase = IDLE;
            return NULL;
    }
}

static void probe_record(struct WebSocket *client, enum EventKind kind, uint32_t code, const char *data, size_t length)
{
    struct Probe *probe = probe_of(client);
    struct Event *event = (struct Event *)malloc(sizeof *event + length);
    const char *wrong;
    if (probe == NULL || event == NULL) {
        check_failed(__FILE__, __LINE__, "%s for a client that nobody made", event_names[kind]);
        free(event);
        return;
    }
    event->kind = kind;
    event->code = code;
    event->length = length;
    memcpy(event->text, data, length);
    event->text[length] = '\0';

    pthread_mutex_lock(&check.lock);
    wrong = probe_step(probe, kind);
    probe->running++;
    if (probe->count == probe->capacity) {
        probe->capacity = probe->capacity * 2 + 8;
        probe->events = (struct Event **)realloc(probe->events, probe->capacity * sizeof *probe->events);
    }
    probe->events[probe->count++] = event;
    probe->counts[kind]++;
    pthread_cond_broadcast(&check.changed);
    pthread_mutex_unlock(&check.lock);

    if (wrong != NULL) {
        check_failed(__FILE__, __LINE__, "%s(%u) %s", event_names[kind], (unsigned)code, wrong);
    }
    if (probe->hook != NULL) {
        probe->hook(probe, event);
    }
    pthread_mutex_lock(&check.lock);
    probe->running--;
    pthread_cond_broadcast(&check.changed);
    pthread_mutex_unlock(&check.lock);
}

static void probe_on_text(struct WebSocket *client, enum EventKind kind, uint32_t code, const char *text)
{
    if (text == NULL) {
        check_failed(__FILE__, __LINE__, "%s without a text", event_names[kind]);
        text = "";
    }
    probe_record(client, kind, code, text, strlen(text));
}

static void probe_on_open(struct WebSocket *client, WebSocket_OpenResult result)
{
    probe_on_text(client, OPEN, result.code, result.reason);
}

static void probe_on_message(struct WebSocket *client, char *data, uint32_t length)
{
    if (data == NULL || data[length] != '\0') {
        check_failed(__FILE__, __LINE__, "the byte after a message of %u bytes is not NUL", (unsigned)length);
        return;
    }
    probe_record(client, MESSAGE, 0, data, length);
}

static void probe_on_error(struct WebSocket *client, WebSocket_ErrorResult result)
{
    probe_on_text(client, ERROR, result.errorCode, result.errorMessage);
}

static void probe_on_close(struct WebSocket *client, WebSocket_CloseResult result)
{
    probe_on_text(client, CLOSE, result.code, result.reason);
}

static inline struct Probe *probe_new(void)
{
    struct Probe *probe = (struct Probe *)calloc(1, sizeof *probe);
    if (probe == NULL) {
        abort();
    }
    probe->client = OH_WebSocketClient_Constructor(probe_on_open, probe_on_message, probe_on_error, probe_on_close);
    if (probe->client == NULL) {
        check_failed(__FILE__, __LINE__, "the constructor returned NULL");
    }
    pthread_mutex_lock(&check.lock);
    probe->previous = probes;
    probes = probe;
    pthread_mutex_unlock(&check.lock);
    return probe;
}

/* Connects to `base` with `path` appended. */
static inline int probe_connect_with(struct Probe *probe, const char *base, const char *path,
                                     WebSocket_RequestOptions options)
{
    char url[URL_BYTES];
    int result;
    snprintf(url, sizeof url, "%s%s", base, path);
    pthread_mutex_lock(&check.lock);
    probe->phase = CONNECTING;
    pthread_mutex_unlock(&check.lock);
    result = OH_WebSocketClient_Connect(probe->client, url, options);
    if (result != WEBSOCKET_OK) {
        pthread_mutex_lock(&check.lock);
        probe->phase = IDLE;
        pthread_mutex_unlock(&check.lock);
    }
    return result;
}

static inline int probe_connect(struct Probe *probe, const char *base, const char *path)
{
    WebSocket_RequestOptions none = { NULL };
    return probe_connect_with(probe, base, path, none);
}

static inline int probe_count(struct Probe *probe, enum EventKind kind)
{
    int count;
    pthread_mutex_lock(&check.lock);
    count = probe->counts[kind];
    pthread_mutex_unlock(&check.lock);
    return count;
}

static inline const struct Event *probe_find(struct Probe *probe, enum EventKind kind, int nth)
{
    size_t index;
    for (index = 0; index < probe->count; index++) {
        if (probe->events[index]->kind == kind && nth-- == 0) {
            return probe->events[index];
        }
    }
    return NULL;
}

/* Waits for the client's event number `nth` of that kind, from 0; if it does not come, fails and gives an empty one. */
static inline const struct Event *probe_await(struct Probe *probe, enum EventKind kind, int nth)
{
    static const struct Event missing = { EVENT_KINDS, 0, 0, "" };
    struct timespec until = deadline();
    const struct Event *event = NULL;
    pthread_mutex_lock(&check.lock);
    while (probe->counts[kind] <= nth && changes_before(&until)) {
    }
    event = probe_find(probe, kind, nth);
    pthread_mutex_unlock(&check.lock);
    if (event == NULL) {
        check_failed(__FILE__, __LINE__, "%s number %d does not come", event_names[kind], nth);
        return &missing;
    }
    return event;
}

/* Waits until no callback of the client runs. */
static inline void probe_await_return(struct Probe *probe)
{
    struct timespec until = deadline();
    int running;
    pthread_mutex_lock(&check.lock);
    while (probe->running != 0 && changes_before(&until)) {
    }
    running = probe->running;
    pthread_mutex_unlock(&check.lock);
    if (running != 0) {
        check_failed(__FILE__, __LINE__, "a callback does not return");
    }
}

/* Waits for the end of the attempt or connection: onClose, or onError if it never opened. */
static inline void probe_await_end(struct Probe *probe)
{
    struct timespec until = deadline();
    int ended;
    pthread_mutex_lock(&check.lock);
    while ((probe->phase != IDLE || probe->running != 0) && changes_before(&until)) {
    }
    ended = probe->phase == IDLE;
    pthread_mutex_unlock(&check.lock);
    if (!ended) {
        check_failed(__FILE__, __LINE__, "the connection does not end");
    }
}

static inline int probe_send(struct Probe *probe, const void *data, size_t length)
{
    return OH_WebSocketClient_Send(probe->client, (char *)data, length);
}

static inline int probe_send_text(struct Probe *probe, const char *text)
{
    return probe_send(probe, text, strlen(text));
}

static inline int probe_close(struct Probe *probe, uint32_t code, const char *reason)
{
    WebSocket_CloseOption option;
    option.code = code;
    option.reason = reason;
    return OH_WebSocketClient_Close(probe->client, option);
}

static inline int probe_destroy(struct Probe *probe)
{
    int result = OH_WebSocketClient_Destroy(probe->client);
    pthread_mutex_lock(&check.lock);
    probe->destroyed = 1;
    pthread_mutex_unlock(&check.lock);
    return result;
}

/* Sends a message to a server that echoes, and checks the next message received. */
static inline void probe_round_trip(struct Probe *probe, const void *data, size_t length)
{
    int before = probe_count(probe, MESSAGE);
    const struct Event *echo;
    CHECK_INT(probe_send(probe, data, length), WEBSOCKET_OK);
    echo = probe_await(probe, MESSAGE, before);
    CHECK_INT(echo->length, length);
    CHECK(echo->length != length || memcmp(echo->text, data, length) == 0);
}

static inline void probe_round_trip_text(struct Probe *probe, const char *text)
{
    probe_round_trip(probe, text, strlen(text));
}

/* A client whose connection is open. */
static inline struct Probe *probe_open(const char *base, const char *path)
{
    struct Probe *probe = probe_new();
    CHECK_INT(probe_connect(probe, base, path), WEBSOCKET_OK);
    probe_await(probe, OPEN, 0);
    return probe;
}

/* Ends an open connection in the orderly way, and destroys the client. */
static inline void probe_finish(struct Probe *probe)
{
    CHECK_INT(probe_close(probe, 1000, "done"), WEBSOCKET_OK);
    probe_await_end(probe);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
}

/* --- a server of one answer --- */

/* Answers the one that connects to it, and hangs up. */
struct Answerer {
    char url[64]; /* of it, on 127.0.0.1 */
    char answer[512];
    int listener;
    pthread_t thread;
};

static inline void *answerer_run(void *argument)
{
    struct Answerer *answerer = (struct Answerer *)argument;
    struct timeval patience = { EVENT_DEADLINE_S, 0 };
    char head[4096] = "";
    const char *answer = answerer->answer;
    size_t length = 0;
    int peer = accept(answerer->listener, NULL, NULL);
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    while (strstr(head, "\r\n\r\n") == NULL && length + 1 < sizeof head) {
        ssize_t got = recv(peer, head + length, sizeof head - 1 - length, 0);
        if (got <= 0) {
            break;
        }
        length += (size_t)got;
        head[length] = '\0';
    }
    if (send(peer, answer, strlen(answer), MSG_NOSIGNAL) != (ssize_t)strlen(answer)) {
        check_failed(__FILE__, __LINE__, "nobody is there to answer: %s", strerror(errno));
    }
    close(peer);
    return NULL;
}

static inline void answerer_start(struct Answerer *answerer, const char *answer)
{
    struct timeval patience = { EVENT_DEADLINE_S, 0 };
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    snprintf(answerer->answer, sizeof answerer->answer, "%s", answer);
    answerer->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(answerer->listener, (struct sockaddr *)&address, length) != 0 || listen(answerer->listener, 1) != 0 ||
        getsockname(answerer->listener, (struct sockaddr *)&address, &length) != 0 ||
        setsockopt(answerer->listener, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) {
        check_failed(__FILE__, __LINE__, "no listener: %s", strerror(errno));
    }
    snprintf(answerer->url, sizeof answerer->url, "ws://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    pthread_create(&answerer->thread, NULL, answerer_run, answerer);
}

/* The same with a redirect. */
static inline void redirector_start(struct Answerer *answerer, const char *target)
{
    char answer[sizeof answerer->answer];
    snprintf(answer, sizeof answer, "HTTP/1.1 307 Elsewhere\r\nLocation: %s/\r\nContent-Length: 0\r\n\r\n", target);
    answerer_start(answerer, answer);
}

static inline void answerer_end(struct Answerer *answerer)
{
    pthread_join(answerer->thread, NULL);
    close(answerer->listener);
}

#endif /* NET_WEBSOCKET_CHECK_H */
