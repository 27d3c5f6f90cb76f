/*
 * The library through its C API: a callback per message, and the main thread waits. In a round trip the next message
 * is sent from inside the callback; with the mode suffixed by "-thread" it is sent by the main thread, which the callback
 * wakes. With QUEUE_BYTES in the environment so much may wait to be sent, and a sender waits for onDrain at that limit.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <network/netstack/net_websocket.h>
#include <network/netstack/net_websocket_ext.h>

#include "measure.h"

static struct arguments arguments;
static sem_t opened, done, closed, drained;
static uint64_t queue_bytes;
static size_t left;
static uint32_t expected;
static char *payload;
static int64_t *samples, started;
static struct section section;
static size_t trips;

/* Of 1 KiB, as much as a session takes at once; no caller helps to write it. */
enum { CALLS_OF_BURST = 32 };

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) {
        if (errno != EINTR) {
            die("sem_wait");
        }
    }
}

static void on_open(struct WebSocket *client, WebSocket_OpenResult result)
{
    (void)client, (void)result;
    sem_post(&opened);
}

static void on_error(struct WebSocket *client, WebSocket_ErrorResult result)
{
    (void)client;
    die(result.errorMessage);
}

static void on_close(struct WebSocket *client, WebSocket_CloseResult result)
{
    (void)client, (void)result;
    sem_post(&closed);
}

static void on_message(struct WebSocket *client, char *data, uint32_t length)
{
    (void)client, (void)data;
    if (length != expected) {
        die("a message of another length");
    }
    if (--left == 0) {
        sem_post(&done);
    }
}

static void on_drain(struct WebSocket *client, void *user_data)
{
    (void)client, (void)user_data;
    sem_post(&drained);
}

static void send_this(struct WebSocket *client, char *message)
{
    int result;
    while ((result = OH_WebSocketClient_Send(client, message, arguments.size)) == WEBSOCKET_QUEUE_LENGTH_EXCEEDED) {
        if (queue_bytes > 0) {
            wait_for(&drained);
        } else {
            usleep(200);
        }
    }
    if (result != WEBSOCKET_OK) {
        die("not sent");
    }
}

static uint64_t buffered(struct WebSocket *client)
{
    uint64_t bytes = 0;
    NWS_GetBufferedAmount(client, &bytes);
    return bytes;
}

static void send_now(struct WebSocket *client)
{
    send_this(client, payload);
}

static void on_echo(struct WebSocket *client, char *data, uint32_t length)
{
    (void)data;
    int64_t now = wall_ns();
    if (length != arguments.size) {
        die("an echo of another length");
    }
    if (trips >= WARM_UP) {
        samples[trips - WARM_UP] = now - started;
    }
    trips++;
    if (trips == WARM_UP) {
        section = section_begin();
    }
    if (trips == arguments.count + WARM_UP) {
        sem_post(&done);
        return;
    }
    started = wall_ns();
    send_now(client);
}

static void on_echo_wake(struct WebSocket *client, char *data, uint32_t length)
{
    (void)client, (void)data, (void)length;
    sem_post(&done);
}

static void limit_queue(struct WebSocket *client)
{
    struct NWS_Options options;
    struct NWS_Callbacks callbacks;
    NWS_InitOptions(&options, sizeof options);
    options.sendQueueLimit = queue_bytes;
    NWS_InitCallbacks(&callbacks, sizeof callbacks);
    callbacks.onDrain = on_drain;
    if (NWS_SetOptions(client, &options) != WEBSOCKET_OK || NWS_SetCallbacks(client, &callbacks) != WEBSOCKET_OK) {
        die("not set");
    }
}

static struct WebSocket *connect_to(const char *url, WebSocket_OnMessageCallback callback)
{
    struct WebSocket *client = OH_WebSocketClient_Constructor(on_open, callback, on_error, on_close);
    WebSocket_RequestOptions options = { NULL };
    if (client == NULL) {
        die("no client");
    }
    if (queue_bytes > 0) {
        limit_queue(client);
    }
    if (OH_WebSocketClient_Connect(client, url, options) != WEBSOCKET_OK) {
        die("not connected");
    }
    wait_for(&opened);
    return client;
}

static struct WebSocket *connect_to_server(WebSocket_OnMessageCallback callback)
{
    return connect_to(arguments.url, callback);
}

/*
 * How long a call of Send takes its thread. The thread sends so many messages, waits for all echoes, and so on. Of a burst of one, each
 * call finds nothing waiting; of a longer one those calls count that find something.
 */
static void time_calls(size_t burst)
{
    size_t taken = 0;
    expected = (uint32_t)arguments.size;
    samples = (int64_t *)calloc(arguments.count + burst, sizeof *samples);
    struct WebSocket *client = connect_to_server(on_message);
    for (size_t bursts = 0; taken < arguments.count; bursts++) {
        if (bursts == WARM_UP) {
            section = section_begin();
        }
        left = burst;
        for (size_t i = 0; i < burst; i++) {
            bool counts = burst == 1 || buffered(client) > 0;
            started = wall_ns();
            send_now(client);
            int64_t took = wall_ns() - started;
            if (counts && bursts >= WARM_UP) {
                samples[taken++] = took;
            }
        }
        wait_for(&done);
    }
    section_end(section, taken);
    print_round_trips(samples, taken);
}

/* Connects to another path of the server of this URL. */
static struct WebSocket *connect_at(const char *server, const char *path, WebSocket_OnMessageCallback callback)
{
    char url[128];
    const char *port = strrchr(server, ':');
    const char *base_end = port != NULL ? strchr(port, '/') : NULL;
    if (base_end == NULL ||
        snprintf(url, sizeof url, "%.*s%s", (int)(base_end - server), server, path) >= (int)sizeof url) {
        die("a URL that is too long");
    }
    return connect_to(url, callback);
}

/* Clients that flood: so many receive, and as many send, messages of so many bytes without an end. */
enum { FLOODS = 100, FLOOD_BYTES = 1024, FLOOD_QUEUE_BYTES = 65536 };

static struct WebSocket *flooding[FLOODS];

static void on_flood(struct WebSocket *client, char *data, uint32_t length)
{
    (void)client, (void)data, (void)length;
}

static void *flood(void *unused)
{
    (void)unused;
    char *message = make_payload(FLOOD_BYTES);
    for (;;) {
        size_t sent = 0;
        for (size_t i = 0; i < FLOODS; i++) {
            if (buffered(flooding[i]) < FLOOD_QUEUE_BYTES) {
                sent += OH_WebSocketClient_Send(flooding[i], message, FLOOD_BYTES) == WEBSOCKET_OK;
            }
        }
        if (sent == 0) {
            usleep(100);
        }
    }
    return NULL;
}

static void begin_floods(void)
{
    char go[] = "go";
    pthread_t thread;
    /* A server of their own, so that the quiet client's is not busy too. */
    const char *server = getenv("FLOOD_URL");
    if (server == NULL) {
        die("no FLOOD_URL");
    }
    for (size_t i = 0; i < FLOODS; i++) {
        flooding[i] = connect_at(server, "/flood/1000000000/1024", on_flood);
        OH_WebSocketClient_Send(flooding[i], go, 2);
    }
    for (size_t i = 0; i < FLOODS; i++) {
        flooding[i] = connect_at(server, "/sink/1000000000", on_flood);
    }
    if (pthread_create(&thread, NULL, flood, NULL) != 0) {
        die("no thread");
    }
}

/* Connections that are open while others are made. */
enum { OPEN_BESIDE = 5000 };

/* Many clients: a message holds the number of its client, and when it was sent. */
enum { PACED_SECONDS = 5, PER_SECOND = 10, UNDER_WAY = 8, MANY_MESSAGES = 40000 };

struct marked {
    uint32_t client;
    int64_t sent;
    char rest[16];
};

static struct WebSocket **many;
static atomic_size_t arrived, begun;

static void open_many(WebSocket_OnMessageCallback callback)
{
    many = (struct WebSocket **)calloc(arguments.count, sizeof *many);
    for (size_t i = 0; i < arguments.count; i++) {
        many[i] = connect_to_server(callback);
    }
}

static void send_marked(size_t number)
{
    struct marked message = { .client = (uint32_t)number, .sent = wall_ns() };
    if (OH_WebSocketClient_Send(many[number], (char *)&message, sizeof message) != WEBSOCKET_OK) {
        die("not sent");
    }
}

static void on_paced(struct WebSocket *client, char *data, uint32_t length)
{
    (void)client;
    struct marked message;
    int64_t now = wall_ns();
    if (length != sizeof message) {
        die("an echo of another length");
    }
    memcpy(&message, data, sizeof message);
    samples[atomic_fetch_add(&arrived, 1)] = now - message.sent;
}

/* Each client sends so often in a second, all of them evenly in turn. */
static void paced(void)
{
    size_t total = arguments.count * PER_SECOND * PACED_SECONDS;
    samples = (int64_t *)calloc(total, sizeof *samples);
    open_many(on_paced);
    section = section_begin();
    int64_t start = wall_ns();
    for (size_t i = 0; i < total; i++) {
        int64_t at = start + (int64_t)i * 1000000000 / (int64_t)(arguments.count * PER_SECOND);
        struct timespec until = { at / 1000000000, at % 1000000000 };
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        send_marked(i % arguments.count);
    }
    while (atomic_load(&arrived) < total) {
        usleep(1000);
    }
    section_end(section, total);
    print_round_trips(samples, total);
}

static void on_many(struct WebSocket *client, char *data, uint32_t length)
{
    (void)client, (void)data;
    if (length != sizeof(struct marked)) {
        die("an echo of another length");
    }
    size_t next = atomic_fetch_add(&begun, 1);
    if (next < MANY_MESSAGES) {
        send_marked(next % arguments.count);
    }
    if (atomic_fetch_add(&arrived, 1) + 1 == MANY_MESSAGES) {
        sem_post(&done);
    }
}

/* The clients send in turn; a few messages are under way at any time. */
static void echo_many(void)
{
    open_many(on_many);
    atomic_store(&begun, UNDER_WAY);
    section = section_begin();
    for (size_t i = 0; i < UNDER_WAY; i++) {
        send_marked(i % arguments.count);
    }
    wait_for(&done);
    section_end(section, MANY_MESSAGES);
}

static void connect_and_close(void)
{
    section = section_begin();
    for (size_t i = 0; i < arguments.count; i++) {
        WebSocket_CloseOption option = { 1000, "" };
        struct WebSocket *client = connect_to_server(on_message);
        OH_WebSocketClient_Close(client, option);
        wait_for(&closed);
        OH_WebSocketClient_Destroy(client);
    }
    section_end(section, arguments.count);
}

int main(int argc, char **argv)
{
    arguments = parse_arguments(argc, argv);
    sem_init(&opened, 0, 0);
    sem_init(&done, 0, 0);
    sem_init(&closed, 0, 0);
    sem_init(&drained, 0, 0);
    const char *limit = getenv("QUEUE_BYTES");
    queue_bytes = limit == NULL ? 0 : strtoull(limit, NULL, 10);
    payload = make_payload(arguments.size);
    if (is_mode(&arguments, "receive")) {
        char go[] = "go";
        left = arguments.count;
        expected = (uint32_t)arguments.size;
        struct WebSocket *client = connect_to_server(on_message);
        section = section_begin();
        OH_WebSocketClient_Send(client, go, 2);
        wait_for(&done);
        section_end(section, arguments.count);
    } else if (is_mode(&arguments, "send") || is_mode(&arguments, "send-batch")) {
        /* There is no flush to choose: what is queued when the session looks goes out at once. */
        left = 1;
        expected = 4;
        struct WebSocket *client = connect_to_server(on_message);
        section = section_begin();
        for (size_t i = 0; i < arguments.count; i++) {
            send_now(client);
        }
        wait_for(&done);
        section_end(section, arguments.count);
    } else if (is_mode(&arguments, "send-text")) {
        char *texts = make_variety(arguments.size);
        left = 1;
        expected = 4;
        struct WebSocket *client = connect_to_server(on_message);
        size_t before, threads, after;
        resident(&before, &threads);
        section = section_begin();
        for (size_t i = 0; i < arguments.count; i++) {
            send_this(client, texts + i % VARIETY * arguments.size);
            /* Not to measure the queue's memory. */
            while (i % 64 == 0 && buffered(client) > 262144) {
                usleep(50);
            }
        }
        wait_for(&done);
        section_end(section, arguments.count);
        resident(&after, &threads);
        printf("grown_bytes=%zu ", after > before ? after - before : 0);
    } else if (is_mode(&arguments, "round-trip") || is_mode(&arguments, "round-trip-beside-floods") || is_mode(&arguments, "echo")) {
        if (is_mode(&arguments, "round-trip-beside-floods")) {
            begin_floods();
        }
        samples = (int64_t *)calloc(arguments.count, sizeof *samples);
        struct WebSocket *client = connect_to_server(on_echo);
        started = wall_ns();
        send_now(client);
        wait_for(&done);
        section_end(section, arguments.count);
        /* To sort the samples takes as many instructions for each as a quarter of the library's. So "echo", for counting, does not. */
        if (!is_mode(&arguments, "echo")) {
            print_round_trips(samples, arguments.count);
        }
    } else if (is_mode(&arguments, "floods")) {
        /* For another process to measure beside it. It ends when its stdin does. */
        begin_floods();
        printf("READY\n");
        fflush(stdout);
        while (getchar() != EOF) {
        }
    } else if (is_mode(&arguments, "round-trip-thread")) {
        samples = (int64_t *)calloc(arguments.count, sizeof *samples);
        struct WebSocket *client = connect_to_server(on_echo_wake);
        for (size_t i = 0; i < arguments.count + WARM_UP; i++) {
            if (i == WARM_UP) {
                section = section_begin();
            }
            started = wall_ns();
            send_now(client);
            wait_for(&done);
            if (i >= WARM_UP) {
                samples[i - WARM_UP] = wall_ns() - started;
            }
        }
        section_end(section, arguments.count);
        print_round_trips(samples, arguments.count);
    } else if (is_mode(&arguments, "send-call")) {
        time_calls(1);
    } else if (is_mode(&arguments, "send-call-beside")) {
        time_calls(CALLS_OF_BURST);
    } else if (is_mode(&arguments, "idle")) {
        size_t before, threads;
        resident(&before, &threads);
        for (size_t i = 0; i < arguments.count; i++) {
            connect_to_server(on_message);
        }
        print_idle(before, arguments.count);
    } else if (is_mode(&arguments, "first")) {
        /* Reading it once before, so that what stdio takes is there already. */
        private_dirty();
        size_t before = private_dirty();
        for (size_t i = 0; i < arguments.count; i++) {
            connect_to_server(on_message);
        }
        print_private(before, arguments.count);
    } else if (is_mode(&arguments, "exchange")) {
        char *texts = make_variety(arguments.size);
        size_t before, threads;
        expected = (uint32_t)arguments.size;
        resident(&before, &threads);
        for (size_t i = 0; i < arguments.count; i++) {
            struct WebSocket *client = connect_to_server(on_message);
            for (size_t sent = 0; sent < VARIETY; sent++) {
                left = 1;
                send_this(client, texts + sent * arguments.size);
                wait_for(&done);
            }
        }
        print_idle(before, arguments.count);
    } else if (is_mode(&arguments, "paced")) {
        paced();
    } else if (is_mode(&arguments, "echo-many")) {
        echo_many();
    } else if (is_mode(&arguments, "connect")) {
        connect_and_close();
    } else if (is_mode(&arguments, "connect-beside-open")) {
        for (size_t i = 0; i < OPEN_BESIDE; i++) {
            connect_at(arguments.url, "/idle", on_message);
        }
        connect_and_close();
    } else {
        die("unknown mode");
    }
    printf("\n");
    fflush(stdout);
    /* Without the closing handshakes of what is still open. */
    _exit(0);
}
