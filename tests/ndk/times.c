/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Nothing ends before its time: pings, deadlines, delays, and the threads of blocked callbacks. The waits of Rust's standard
 * library end early on 32-bit OpenHarmony; see src/platform/futex.rs. Prints what it has measured.
 */

#include "check.h"

#include <dirent.h>
#include <network/netstack/net_websocket_ext.h>

#define PING_MS 1000
#define PONG_MS 1300
#define CONNECT_MS 1300
#define CLOSE_MS 1300
#define DELAY_MS 1000
/* A timer counts whole milliseconds. */
#define EARLY_MS 2
/* What a busy machine may add. */
#define SLACK_MS 8000
#define TIMES_MAX 8
#define ROUND_TRIPS 20
/* Two workers and the watchdog. */
#define THREADS 3
/* How long a thread that has taken over from a blocked callback waits for more to do. */
#define THREAD_KEEP_ALIVE_MS 1000

static const char *ws;

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1000.0 + (double)now.tv_nsec / 1000000.0;
}

/* A client, and when its events came. A callback may be late, so times count from a call before. */
struct Timed {
    struct WebSocket *client;
    double begun, ended_at, delays;
    double pings[TIMES_MAX], attempts[TIMES_MAX], attempts_due[TIMES_MAX];
    char error[512];
    struct Flag opened, pinged, received, failed, closed, prepared;
    /* Where a callback blocks, if it is to. */
    int blocks;
    struct Flag entered, release, left;
};

static void on_open(struct WebSocket *client, void *data, const struct NWS_Response *response)
{
    struct Timed *timed = (struct Timed *)data;
    (void)client, (void)response;
    flag_raise(&timed->opened);
}

static void on_message(struct WebSocket *client, void *data, const struct NWS_Message *message)
{
    struct Timed *timed = (struct Timed *)data;
    (void)client, (void)message;
    if (timed->blocks) {
        flag_raise(&timed->entered);
        CHECK(flag_await(&timed->release, flag_count(&timed->entered)));
        flag_raise(&timed->left);
    }
    flag_raise(&timed->received);
}

static void on_frame(struct WebSocket *client, void *data, const struct NWS_Frame *frame)
{
    struct Timed *timed = (struct Timed *)data;
    (void)client;
    if (frame->sent && frame->opcode == 9) {
        int count = flag_count(&timed->pinged);
        if (count < TIMES_MAX) {
            timed->pings[count] = now_ms();
        }
        flag_raise(&timed->pinged);
    }
}

static void on_error(struct WebSocket *client, void *data, const struct NWS_Failure *failure)
{
    struct Timed *timed = (struct Timed *)data;
    (void)client;
    timed->ended_at = now_ms();
    snprintf(timed->error, sizeof timed->error, "%s", failure->message);
    flag_raise(&timed->failed);
}

static void on_close(struct WebSocket *client, void *data, const struct NWS_Close *close)
{
    struct Timed *timed = (struct Timed *)data;
    (void)client, (void)close;
    if (flag_count(&timed->failed) == 0) {
        timed->ended_at = now_ms();
    }
    flag_raise(&timed->closed);
}

static void on_reconnecting(struct WebSocket *client, void *data, const struct NWS_Reconnecting *reconnecting)
{
    (void)client;
    ((struct Timed *)data)->delays += reconnecting->delayMs;
}

static int32_t on_prepare(struct WebSocket *client, void *data, const struct NWS_Reconnecting *reconnecting)
{
    struct Timed *timed = (struct Timed *)data;
    int count = flag_count(&timed->prepared);
    (void)client, (void)reconnecting;
    if (count < TIMES_MAX) {
        timed->attempts[count] = now_ms();
        timed->attempts_due[count] = timed->delays;
    }
    flag_raise(&timed->prepared);
    return NWS_PREPARE_PROCEED;
}

static struct Timed *timed_new(void)
{
    struct Timed *timed = (struct Timed *)calloc(1, sizeof *timed);
    struct NWS_Callbacks callbacks;
    if (timed == NULL) {
        abort();
    }
    timed->client = OH_WebSocketClient_Constructor(NULL, NULL, NULL, NULL);
    CHECK_INT(NWS_InitCallbacks(&callbacks, sizeof callbacks), WEBSOCKET_OK);
    callbacks.userData = timed;
    callbacks.onOpen = on_open;
    callbacks.onMessage = on_message;
    callbacks.onFrame = on_frame;
    callbacks.onError = on_error;
    callbacks.onClose = on_close;
    callbacks.onReconnecting = on_reconnecting;
    callbacks.onPrepare = on_prepare;
    CHECK_INT(NWS_SetCallbacks(timed->client, &callbacks), WEBSOCKET_OK);
    return timed;
}

static void timed_connect(struct Timed *timed, const char *base, const char *path, uint32_t ping_ms)
{
    WebSocket_RequestOptions none = { NULL };
    struct NWS_Options options;
    char url[URL_BYTES];
    CHECK_INT(NWS_InitOptions(&options, sizeof options), WEBSOCKET_OK);
    options.connectTimeoutMs = CONNECT_MS;
    options.closeTimeoutMs = CLOSE_MS;
    options.pingIntervalMs = ping_ms;
    options.pongTimeoutMs = PONG_MS;
    CHECK_INT(NWS_SetOptions(timed->client, &options), WEBSOCKET_OK);
    snprintf(url, sizeof url, "%s%s", base, path);
    timed->begun = now_ms();
    CHECK_INT(OH_WebSocketClient_Connect(timed->client, url, none), WEBSOCKET_OK);
}

static struct Timed *timed_open(const char *path, uint32_t ping_ms)
{
    struct Timed *timed = timed_new();
    timed_connect(timed, ws, path, ping_ms);
    return timed;
}

static void timed_destroy(struct Timed *timed)
{
    CHECK_INT(OH_WebSocketClient_Destroy(timed->client), WEBSOCKET_OK);
    free(timed);
}

/* Prints the measured time, and checks that it is not shorter than expected, nor much longer. */
static void measured(const char *what, double milliseconds, double least)
{
    printf("  %s: %.1f ms, at least %.0f\n", what, milliseconds, least);
    CHECK(milliseconds >= least - EARLY_MS);
    CHECK(milliseconds < least + SLACK_MS);
}

/* All wait at the same time. */
static struct Timed *alive, *dead, *unanswered, *closing, *refused;

static void sends_pings_at_their_interval(void)
{
    int at;
    REQUIRE(flag_await(&alive->pinged, 3));
    for (at = 0; at < 3; at++) {
        measured("from Connect to a ping", alive->pings[at] - alive->begun, (at + 1) * PING_MS);
    }
    CHECK_INT(flag_count(&alive->failed), 0);
}

static void waits_for_a_pong_as_long_as_pong_timeout(void)
{
    REQUIRE(flag_await(&dead->failed, 1));
    CHECK_HAS(dead->error, "after a ping");
    measured("from Connect to the end without a pong", dead->ended_at - dead->begun, PING_MS + PONG_MS);
}

static void waits_for_an_attempt_as_long_as_connect_timeout(void)
{
    REQUIRE(flag_await(&unanswered->failed, 1));
    CHECK_HAS(unanswered->error, "timed out");
    measured("from Connect to its time-out", unanswered->ended_at - unanswered->begun, CONNECT_MS);
}

static void waits_for_a_close_frame_as_long_as_close_timeout(void)
{
    REQUIRE(flag_await(&closing->closed, 1));
    measured("from Close to its time-out", closing->ended_at - closing->begun, CLOSE_MS);
}

static void waits_for_the_delay_before_an_attempt(void)
{
    int at;
    REQUIRE(flag_await(&refused->prepared, 3));
    CHECK_INT(OH_WebSocketClient_Destroy(refused->client), WEBSOCKET_OK);
    for (at = 0; at < 3; at++) {
        measured("from Connect to a further attempt", refused->attempts[at] - refused->begun, refused->attempts_due[at]);
    }
}

static void detects_a_blocked_callback(void)
{
    struct Timed *blocked = timed_open("/", 0), *other = timed_open("/", 0);
    double longest = 0;
    int at;
    blocked->blocks = 1;
    REQUIRE(flag_await(&blocked->opened, 1));
    REQUIRE(flag_await(&other->opened, 1));
    CHECK_INT(NWS_SendText(blocked->client, "x", 1), WEBSOCKET_OK);
    REQUIRE(flag_await(&blocked->entered, 1));
    for (at = 0; at < ROUND_TRIPS; at++) {
        double begun = now_ms(), took;
        CHECK_INT(NWS_SendText(other->client, "y", 1), WEBSOCKET_OK);
        REQUIRE(flag_await(&other->received, at + 1));
        took = now_ms() - begun;
        longest = took > longest ? took : longest;
    }
    CHECK_INT(flag_count(&blocked->left), 0);
    printf("  the longest of %d round trips beside a blocked callback: %.1f ms\n", ROUND_TRIPS, longest);
    CHECK(longest < SLACK_MS);
    flag_raise(&blocked->release);
    REQUIRE(flag_await(&blocked->left, 1));
    timed_destroy(blocked);
    timed_destroy(other);
}

/* The threads of the library in this process. */
static int threads(void)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    int count = 0;
    if (tasks == NULL) {
        abort();
    }
    while ((task = readdir(tasks)) != NULL) {
        char path[300], name[32] = "";
        FILE *file;
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", task->d_name);
        file = fopen(path, "r");
        if (file != NULL) {
            count += fgets(name, sizeof name, file) != NULL && strncmp(name, "net_websocket", 13) == 0;
            fclose(file);
        }
    }
    closedir(tasks);
    return count;
}

/* Waits until only the permanent threads of the library are left; 0 if that does not come. */
static int few_threads(void)
{
    double begun = now_ms();
    while (threads() > THREADS) {
        struct timespec pause = { 0, 5000000 };
        if (now_ms() - begun > EVENT_DEADLINE_S * 1000.0) {
            return 0;
        }
        nanosleep(&pause, NULL);
    }
    return 1;
}

/* A wait that ends at a whole second of the clock would last 0.6 s from here. */
static void await_middle_of_second(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += at.tv_nsec > 400000000;
    at.tv_nsec = 400000000;
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) {
    }
}

static void an_idle_thread_stays_for_its_keep_alive_time(void)
{
    struct Timed *blocked[2] = { timed_open("/", 0), timed_open("/", 0) };
    double longest = 0;
    int round, at;
    /* On a busy machine a thread may begin to wait late, and its time is counted from before. */
    for (round = 0; round < 5 && longest < THREAD_KEEP_ALIVE_MS * 0.9; round++) {
        double begun;
        for (at = 0; at < 2; at++) {
            blocked[at]->blocks = 1;
            REQUIRE(flag_await(&blocked[at]->opened, 1));
            CHECK_INT(NWS_SendText(blocked[at]->client, "x", 1), WEBSOCKET_OK);
            REQUIRE(flag_await(&blocked[at]->entered, round + 1));
        }
        CHECK(threads() > THREADS);
        await_middle_of_second();
        flag_raise(&blocked[0]->release);
        flag_raise(&blocked[1]->release);
        REQUIRE(flag_await(&blocked[0]->left, round + 1));
        REQUIRE(flag_await(&blocked[1]->left, round + 1));
        begun = now_ms();
        REQUIRE(few_threads());
        longest = now_ms() - begun > longest ? now_ms() - begun : longest;
    }
    printf("  a thread with nothing to do: %.0f ms, at least %d\n", longest, THREAD_KEEP_ALIVE_MS);
    CHECK(longest >= THREAD_KEEP_ALIVE_MS * 0.9);
    timed_destroy(blocked[0]);
    timed_destroy(blocked[1]);
}

int main(void)
{
    struct NWS_ReconnectOptions again;
    WebSocket_CloseOption option = { 1000, "" };
    check_begin("times", 120);
    ws = required("WS_URL");

    alive = timed_open("/", PING_MS);
    dead = timed_open("/silent", PING_MS);
    unanswered = timed_open("/hang", 0);
    closing = timed_open("/silent", 0);
    refused = timed_new();
    CHECK_INT(NWS_InitReconnectOptions(&again, sizeof again), WEBSOCKET_OK);
    again.delayMs = DELAY_MS;
    again.maxDelayMs = DELAY_MS;
    CHECK_INT(NWS_SetReconnect(refused->client, &again), WEBSOCKET_OK);
    timed_connect(refused, ws, "/status/503", 0);
    CHECK(flag_await(&closing->opened, 1));
    closing->begun = now_ms();
    CHECK_INT(OH_WebSocketClient_Close(closing->client, option), WEBSOCKET_OK);

    RUN(waits_for_a_pong_as_long_as_pong_timeout);
    RUN(waits_for_an_attempt_as_long_as_connect_timeout);
    RUN(waits_for_a_close_frame_as_long_as_close_timeout);
    RUN(sends_pings_at_their_interval);
    RUN(waits_for_the_delay_before_an_attempt);
    timed_destroy(alive);
    timed_destroy(dead);
    timed_destroy(unanswered);
    timed_destroy(closing);
    free(refused);
    RUN(detects_a_blocked_callback);
    RUN(an_idle_thread_stays_for_its_keep_alive_time);
    return check_end();
}
