/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Name lookups that go wrong, against tests/tools/name_server.rs: each attempt ends in the right error of the right phase, the
 * same client's next one works, and no thread or descriptor is left behind. tests/network/lookup.sh runs it where that
 * server is the resolver's; the argument says which of the servers it has:
 *
 *   all      one that answers as the names say
 *   no-tcp   the same, which takes no TCP connections
 *   second   one that never answers, and then that one
 *   none     an address that nobody listens at
 */

#include "../ndk/check.h"

#include <dirent.h>
#include <network/netstack/net_websocket_ext.h>

#define PATIENT_MS 15000
#define NONE 0
/* 64 lookups at once, and their threads may still be there when the next ones begin; the library's own, and this one. */
#define THREADS_MAX (2 * 64 + 8)

/* How an attempt may end. */
enum { OPENS = 1, NO_NAME = 2, LATE_LOOKUP = 4, NO_TCP = 8, LATE_TCP = 16 };
#define ANYTHING (OPENS | NO_NAME | NO_TCP | LATE_TCP)

struct Case {
    const char *name; /* as the server knows it */
    uint32_t connect_ms;
    uint32_t lookup_ms;
    uint32_t tcp_ms;
    int expected;
};

struct Attempt {
    struct WebSocket *client;
    struct Flag ended;
    int opened;
    int32_t code, phase, cause;
    char host[64];
    char message[512];
};

static unsigned long names; /* so that no two attempts share a name */

static void on_open(struct WebSocket *client, void *data, const struct NWS_Response *response)
{
    struct WebSocket_CloseOption option = { 1000, "" };
    (void)response;
    ((struct Attempt *)data)->opened = 1;
    CHECK_INT(OH_WebSocketClient_Close(client, option), WEBSOCKET_OK);
}

static void on_error(struct WebSocket *client, void *data, const struct NWS_Failure *failure)
{
    struct Attempt *attempt = (struct Attempt *)data;
    (void)client;
    attempt->code = failure->code;
    attempt->phase = failure->phase;
    attempt->cause = failure->cause;
    snprintf(attempt->message, sizeof attempt->message, "%s", failure->message);
    if (!attempt->opened) {
        flag_raise(&attempt->ended);
    }
}

static void on_close(struct WebSocket *client, void *data, const struct NWS_Close *close)
{
    (void)client;
    CHECK_INT(close->code, 1000);
    flag_raise(&((struct Attempt *)data)->ended);
}

static struct Attempt *attempt_new(void)
{
    struct Attempt *attempt = (struct Attempt *)calloc(1, sizeof *attempt);
    struct NWS_Callbacks callbacks;
    if (attempt == NULL) {
        abort();
    }
    attempt->client = OH_WebSocketClient_Constructor(NULL, NULL, NULL, NULL);
    CHECK_INT(NWS_InitCallbacks(&callbacks, sizeof callbacks), WEBSOCKET_OK);
    callbacks.userData = attempt;
    callbacks.onOpen = on_open;
    callbacks.onError = on_error;
    callbacks.onClose = on_close;
    CHECK_INT(NWS_SetCallbacks(attempt->client, &callbacks), WEBSOCKET_OK);
    return attempt;
}

static void attempt_begin(struct Attempt *attempt, const struct Case *with, unsigned long number)
{
    WebSocket_RequestOptions no_headers = { NULL };
    struct NWS_Options options;
    char url[128];
    attempt->opened = 0;
    attempt->code = attempt->phase = attempt->cause = -1;
    attempt->message[0] = '\0';
    CHECK_INT(NWS_InitOptions(&options, sizeof options), WEBSOCKET_OK);
    options.connectTimeoutMs = with->connect_ms;
    options.lookupTimeoutMs = with->lookup_ms;
    options.tcpTimeoutMs = with->tcp_ms;
    options.proxyType = NWS_PROXY_NONE;
    CHECK_INT(NWS_SetOptions(attempt->client, &options), WEBSOCKET_OK);
    snprintf(attempt->host, sizeof attempt->host, "%s-%lu.test", with->name, number);
    snprintf(url, sizeof url, "ws://%s:9000/?secret", attempt->host);
    CHECK_INT(OH_WebSocketClient_Connect(attempt->client, url, no_headers), WEBSOCKET_OK);
}

/* What has become of an attempt: one of the values above, or 0 for something else. */
static int attempt_result(const struct Attempt *attempt)
{
    if (attempt->opened) {
        return OPENS;
    }
    switch (attempt->phase) {
        case NWS_PHASE_LOOKUP:
            return attempt->cause == NWS_CAUSE_LOOKUP ? NO_NAME : attempt->cause == NWS_CAUSE_TIMEOUT ? LATE_LOOKUP : 0;
        case NWS_PHASE_TCP:
            return attempt->cause == NWS_CAUSE_CONNECT ? NO_TCP : attempt->cause == NWS_CAUSE_TIMEOUT ? LATE_TCP : 0;
        default:
            return 0;
    }
}

static void attempt_end(struct Attempt *attempt, const struct Case *with, int times)
{
    int result;
    if (!flag_await(&attempt->ended, times)) {
        check_failed(__FILE__, __LINE__, "%s: no end", attempt->host);
        return;
    }
    result = attempt_result(attempt);
    if ((result & with->expected) == 0) {
        check_failed(__FILE__, __LINE__, "%s (limits %u, %u, %u ms): result %d, phase %d, cause %d, \"%s\"", attempt->host,
                     (unsigned)with->connect_ms, (unsigned)with->lookup_ms, (unsigned)with->tcp_ms, result,
                     (int)attempt->phase, (int)attempt->cause, attempt->message);
    }
    if (result != OPENS) {
        CHECK_INT(attempt->code, WEBSOCKET_CONNECTION_ERROR);
        CHECK_HAS(attempt->message, attempt->host);
        CHECK(!text_has(attempt->message, "secret"));
        CHECK(!text_has(attempt->message, "failed to lookup"));
    }
}

/* --- what the process has --- */

struct Level {
    long threads;
    long descriptors;
};

static struct Level idle;

static struct Level level_now(void)
{
    struct Level level = { status_field("Threads"), 0 };
    DIR *folder = opendir("/proc/self/fd");
    while (folder != NULL && readdir(folder) != NULL) {
        level.descriptors++;
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return level;
}

/* A lookup ends at the resolver's timeout. */
static void nothing_is_left_behind(void)
{
    struct timespec until = deadline(), now, pause = { 0, 10000000 };
    struct Level level;
    for (;;) {
        level = level_now();
        if (level.threads <= idle.threads && level.descriptors <= idle.descriptors) {
            return;
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec > until.tv_sec) {
            check_failed(__FILE__, __LINE__, "left behind: %ld threads and %ld descriptors became %ld and %ld", idle.threads,
                         idle.descriptors, level.threads, level.descriptors);
            return;
        }
        nanosleep(&pause, NULL);
    }
}

/* --- cases --- */

static const struct Case good = { "good", PATIENT_MS, NONE, NONE, OPENS };

#define CASES_MAX 128

/* All of these at once, each `times` times; then all clients connect as they should. */
static void run(const struct Case *cases, size_t count, size_t times)
{
    struct Attempt *attempts[CASES_MAX];
    size_t index;
    REQUIRE(count * times <= CASES_MAX);
    for (index = 0; index < count * times; index++) {
        attempts[index] = attempt_new();
        attempt_begin(attempts[index], &cases[index / times], names++);
    }
    for (index = 0; index < count * times; index++) {
        attempt_end(attempts[index], &cases[index / times], 1);
        attempt_begin(attempts[index], &good, names++);
    }
    for (index = 0; index < count * times; index++) {
        attempt_end(attempts[index], &good, 2);
        OH_WebSocketClient_Destroy(attempts[index]->client);
        free(attempts[index]);
    }
}

#define CASES(times, ...)                                                 \
    do {                                                                  \
        static const struct Case cases[] = { __VA_ARGS__ };               \
        run(cases, sizeof cases / sizeof *cases, times);                  \
    } while (0)

static void no_answer(void)
{
    CASES(4, { "hole", 300, NONE, NONE, LATE_LOOKUP }, { "hole", PATIENT_MS, 300, NONE, LATE_LOOKUP },
          { "hole", PATIENT_MS, NONE, NONE, NO_NAME });
}

static void an_answer_after_a_while(void)
{
    CASES(2, { "late", PATIENT_MS, NONE, NONE, OPENS }, { "late", 200, NONE, NONE, LATE_LOOKUP },
          { "late", PATIENT_MS, 200, NONE, LATE_LOOKUP });
}

/* The next attempt uses the result of the abandoned lookup. */
static void the_same_name_again_while_its_lookup_is_under_way(void)
{
    static const struct Case hurried = { "late", 100, NONE, NONE, LATE_LOOKUP };
    static const struct Case patient = { "late", PATIENT_MS, NONE, NONE, OPENS };
    struct Attempt *attempt = attempt_new();
    unsigned long number = names++;
    attempt_begin(attempt, &hurried, number);
    attempt_end(attempt, &hurried, 1);
    attempt_begin(attempt, &patient, number);
    attempt_end(attempt, &patient, 2);
    OH_WebSocketClient_Destroy(attempt->client);
    free(attempt);
}

static void refusals(void)
{
    CASES(2, { "servfail", PATIENT_MS, NONE, NONE, NO_NAME }, { "nxdomain", PATIENT_MS, NONE, NONE, NO_NAME },
          { "refused", PATIENT_MS, NONE, NONE, NO_NAME }, { "empty", PATIENT_MS, NONE, NONE, NO_NAME },
          { "alias", PATIENT_MS, NONE, NONE, NO_NAME }, { "loop", PATIENT_MS, NONE, NONE, NO_NAME });
}

static void one_family_answers(void)
{
    CASES(2, { "four", PATIENT_MS, NONE, NONE, OPENS }, { "six", PATIENT_MS, NONE, NONE, OPENS },
          { "fourfails", PATIENT_MS, NONE, NONE, OPENS }, { "sixfails", PATIENT_MS, NONE, NONE, OPENS },
          { "fourisnone", PATIENT_MS, NONE, NONE, OPENS }, { "sixisnone", PATIENT_MS, NONE, NONE, OPENS },
          /* Until the other family's lookup ends, an address can still come. */
          { "deadfour", PATIENT_MS, NONE, NONE, NO_TCP }, { "deadfour", 400, NONE, NONE, LATE_TCP });
}

static void answers_too_long_for_udp(void)
{
    CASES(2, { "long", PATIENT_MS, NONE, NONE, OPENS }, { "hungup", PATIENT_MS, NONE, NONE, NO_NAME },
          { "torn", PATIENT_MS, NONE, NONE, NO_NAME }, { "stuck", PATIENT_MS, NONE, NONE, NO_NAME },
          { "stuck", 300, NONE, NONE, LATE_LOOKUP });
}

static void addresses_of_which_some_are_dead(void)
{
    CASES(2, { "many", PATIENT_MS, NONE, NONE, OPENS }, { "alldead", PATIENT_MS, NONE, NONE, NO_TCP },
          { "swallowed", PATIENT_MS, NONE, NONE, OPENS }, { "allswallowed", 700, NONE, NONE, LATE_TCP },
          { "allswallowed", PATIENT_MS, NONE, 500, LATE_TCP });
}

static void nonsense(void)
{
    CASES(6, { "noise", PATIENT_MS, NONE, NONE, NO_NAME }, { "foreign", PATIENT_MS, NONE, NONE, NO_NAME },
          { "short", PATIENT_MS, NONE, NONE, NO_NAME }, { "lengths", PATIENT_MS, NONE, NONE, NO_NAME },
          { "crossed", PATIENT_MS, NONE, NONE, NO_NAME },
          /* Resolvers differ in what they look at. */
          { "counts", PATIENT_MS, NONE, NONE, OPENS | NO_NAME }, { "pointers", PATIENT_MS, NONE, NONE, OPENS | NO_NAME });
    CASES(96, { "changed", 5000, NONE, NONE, ANYTHING });
}

/* The resolver's answer comes while the process stands still, or the question goes out afterwards. */
static void a_process_that_stands_still(void)
{
    static const struct Case cases[] = {
        { "late", 2000, NONE, NONE, OPENS },
        { "late", PATIENT_MS, 2000, NONE, OPENS },
        { "hole", 2000, NONE, NONE, LATE_LOOKUP | NO_NAME },
        { "hole", PATIENT_MS, 2000, NONE, LATE_LOOKUP | NO_NAME },
    };
    struct Freezer freezer = freezer_new(4000);
    struct Attempt *attempts[4];
    size_t index;
    for (index = 0; index < 4; index++) {
        attempts[index] = attempt_new();
        attempt_begin(attempts[index], &cases[index], names++);
    }
    freezer_use(freezer);
    for (index = 0; index < 4; index++) {
        attempt_end(attempts[index], &cases[index], 1);
        OH_WebSocketClient_Destroy(attempts[index]->client);
        free(attempts[index]);
    }
}

static void more_lookups_than_there_may_be(void)
{
    static const struct Case hurried = { "hole", 300, NONE, NONE, LATE_LOOKUP };
    struct Attempt *attempts[CASES_MAX], *last;
    size_t index;
    nothing_is_left_behind();
    for (index = 0; index < CASES_MAX; index++) {
        attempts[index] = attempt_new();
        attempt_begin(attempts[index], &hurried, names++);
    }
    last = attempt_new();
    attempt_begin(last, &good, names++);
    for (index = 0; index < CASES_MAX; index++) {
        attempt_end(attempts[index], &hurried, 1);
        CHECK(level_now().threads <= THREADS_MAX);
        OH_WebSocketClient_Destroy(attempts[index]->client);
        free(attempts[index]);
    }
    /* Its turn comes when the resolver gives others up. */
    attempt_end(last, &good, 1);
    OH_WebSocketClient_Destroy(last->client);
    free(last);
}

static void clients_that_are_destroyed_meanwhile(void)
{
    static const struct Case patient = { "hole", PATIENT_MS, NONE, NONE, 0 };
    struct timespec pause = { 0, 1000000 };
    struct Attempt *attempts[8];
    size_t index;
    nothing_is_left_behind();
    for (index = 0; index < 8; index++) {
        attempts[index] = attempt_new();
        attempt_begin(attempts[index], &patient, names++);
    }
    /* Each has two lookups under way. */
    while (level_now().threads < idle.threads + 8) {
        nanosleep(&pause, NULL);
    }
    for (index = 0; index < 8; index++) {
        OH_WebSocketClient_Destroy(attempts[index]->client);
        CHECK_INT(flag_count(&attempts[index]->ended), 0);
        free(attempts[index]);
    }
}

static void a_server_that_takes_no_tcp(void)
{
    CASES(2, { "good", PATIENT_MS, NONE, NONE, OPENS }, { "long", PATIENT_MS, NONE, NONE, NO_NAME });
}

static void a_server_that_never_answers_before_one_that_does(void)
{
    CASES(4, { "good", PATIENT_MS, NONE, NONE, OPENS }, { "nxdomain", PATIENT_MS, NONE, NONE, NO_NAME },
          { "hole", PATIENT_MS, NONE, NONE, NO_NAME });
}

static void no_server_at_all(void)
{
    static const struct Case nobody = { "good", PATIENT_MS, NONE, NONE, NO_NAME };
    struct Attempt *attempt = attempt_new();
    attempt_begin(attempt, &nobody, names++);
    attempt_end(attempt, &nobody, 1);
    OH_WebSocketClient_Destroy(attempt->client);
    free(attempt);
}

int main(int count, char **arguments)
{
    static const struct Case first_of_all = { "hole", 100, NONE, NONE, LATE_LOOKUP | NO_NAME };
    const char *servers = count > 1 ? arguments[1] : "";
    struct Attempt *first;
    check_begin("lookup", 120);
    /* What the process has once, it has after this. */
    first = attempt_new();
    attempt_begin(first, &first_of_all, names++);
    attempt_end(first, &first_of_all, 1);
    OH_WebSocketClient_Destroy(first->client);
    free(first);
    idle.threads = 5; /* two workers, the one that watches callbacks, this one, and one to spare */
    idle.descriptors = level_now().descriptors;
    if (strcmp(servers, "all") == 0) {
        RUN(no_answer);
        RUN(an_answer_after_a_while);
        RUN(the_same_name_again_while_its_lookup_is_under_way);
        RUN(refusals);
        RUN(one_family_answers);
        RUN(answers_too_long_for_udp);
        RUN(addresses_of_which_some_are_dead);
        RUN(nonsense);
        RUN(a_process_that_stands_still);
        RUN(more_lookups_than_there_may_be);
        RUN(clients_that_are_destroyed_meanwhile);
    } else if (strcmp(servers, "no-tcp") == 0) {
        RUN(a_server_that_takes_no_tcp);
    } else if (strcmp(servers, "second") == 0) {
        RUN(a_server_that_never_answers_before_one_that_does);
    } else if (strcmp(servers, "none") == 0) {
        RUN(no_server_at_all);
    } else {
        fprintf(stderr, "usage: lookup all|no-tcp|second|none\n");
        return 2;
    }
    RUN(nothing_is_left_behind);
    return check_end();
}
