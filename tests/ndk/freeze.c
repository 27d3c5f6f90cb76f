/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A process is frozen for longer than its timeouts, as by an app freezer. Events of the frozen time are reported, a live
 * connection continues, and a lost one is detected.
 */

#include "check.h"

#include <network/netstack/net_websocket_ext.h>

#define LIMIT_MS 2000
#define STANDSTILL_MS 4000
/* What the peer of /later/MS says comes within the standstill. */
#define LATER "/later/3000"
/* What a busy machine may add. */
#define SLACK_MS 8000

static const char *ws;

struct Stopped {
    struct WebSocket *client;
    struct Flag opened, pinged, received, failed, closed;
    char error[512];
    char close[256];
    uint32_t code;
};

static void on_open(struct WebSocket *client, void *data, const struct NWS_Response *response)
{
    (void)client, (void)response;
    flag_raise(&((struct Stopped *)data)->opened);
}

static void on_message(struct WebSocket *client, void *data, const struct NWS_Message *message)
{
    (void)client, (void)message;
    flag_raise(&((struct Stopped *)data)->received);
}

static void on_frame(struct WebSocket *client, void *data, const struct NWS_Frame *frame)
{
    (void)client;
    if (frame->sent && frame->opcode == 9) {
        flag_raise(&((struct Stopped *)data)->pinged);
    }
}

static void on_error(struct WebSocket *client, void *data, const struct NWS_Failure *failure)
{
    struct Stopped *stopped = (struct Stopped *)data;
    (void)client;
    snprintf(stopped->error, sizeof stopped->error, "%s", failure->message);
    flag_raise(&stopped->failed);
}

static void on_close(struct WebSocket *client, void *data, const struct NWS_Close *close)
{
    struct Stopped *stopped = (struct Stopped *)data;
    (void)client;
    stopped->code = close->code;
    snprintf(stopped->close, sizeof stopped->close, "%s", close->reason);
    flag_raise(&stopped->closed);
}

static struct Stopped *stopped_connect(const char *path, uint32_t ping_interval_ms)
{
    struct Stopped *stopped = (struct Stopped *)calloc(1, sizeof *stopped);
    WebSocket_RequestOptions none = { NULL };
    struct NWS_Callbacks callbacks;
    struct NWS_Options options;
    char url[URL_BYTES];
    if (stopped == NULL) {
        abort();
    }
    stopped->client = OH_WebSocketClient_Constructor(NULL, NULL, NULL, NULL);
    CHECK_INT(NWS_InitCallbacks(&callbacks, sizeof callbacks), WEBSOCKET_OK);
    callbacks.userData = stopped;
    callbacks.onOpen = on_open;
    callbacks.onMessage = on_message;
    callbacks.onFrame = on_frame;
    callbacks.onError = on_error;
    callbacks.onClose = on_close;
    CHECK_INT(NWS_SetCallbacks(stopped->client, &callbacks), WEBSOCKET_OK);
    CHECK_INT(NWS_InitOptions(&options, sizeof options), WEBSOCKET_OK);
    options.connectTimeoutMs = LIMIT_MS;
    options.closeTimeoutMs = LIMIT_MS;
    options.pingIntervalMs = ping_interval_ms;
    options.pongTimeoutMs = LIMIT_MS;
    CHECK_INT(NWS_SetOptions(stopped->client, &options), WEBSOCKET_OK);
    snprintf(url, sizeof url, "%s%s", ws, path);
    CHECK_INT(OH_WebSocketClient_Connect(stopped->client, url, none), WEBSOCKET_OK);
    return stopped;
}

/* A client that was stopped while a ping was out. */
static struct Stopped *stopped_within_a_ping(const char *path)
{
    struct Stopped *stopped = stopped_connect(path, 1000);
    CHECK(flag_await(&stopped->pinged, 1));
    stand_still(STANDSTILL_MS);
    return stopped;
}

static void stopped_destroy(struct Stopped *stopped)
{
    CHECK_INT(OH_WebSocketClient_Destroy(stopped->client), WEBSOCKET_OK);
    free(stopped);
}

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static void delivers_what_came_while_frozen_and_keeps_the_connection(void)
{
    struct Stopped *stopped = stopped_within_a_ping(LATER);
    CHECK(flag_await(&stopped->received, 1));
    CHECK_INT(NWS_SendText(stopped->client, "x", 1), WEBSOCKET_OK);
    CHECK(flag_await(&stopped->received, 2));
    CHECK_INT(flag_count(&stopped->failed), 0);
    CHECK_INT(flag_count(&stopped->closed), 0);
    stopped_destroy(stopped);
}

static void a_lost_peer_is_detected_within_the_pong_timeout(void)
{
    struct Stopped *stopped = stopped_within_a_ping("/silent");
    long long thawed = now_ms();
    CHECK(flag_await(&stopped->closed, 1));
    CHECK(now_ms() - thawed < LIMIT_MS + SLACK_MS);
    CHECK_HAS(stopped->error, "2000 ms after a ping");
    CHECK_INT(stopped->code, 1006);
    stopped_destroy(stopped);
}

static void an_attempt_without_an_answer_ends_within_its_timeout(void)
{
    struct Stopped *stopped = stopped_connect("/hang", 0);
    long long thawed;
    stand_still(STANDSTILL_MS);
    thawed = now_ms();
    CHECK(flag_await(&stopped->failed, 1));
    CHECK(now_ms() - thawed < LIMIT_MS + SLACK_MS);
    CHECK_HAS(stopped->error, "timed out");
    CHECK_INT(flag_count(&stopped->opened), 0);
    stopped_destroy(stopped);
}

static void an_attempt_frozen_at_its_start_completes(void)
{
    struct Stopped *stopped = stopped_connect("/", 0);
    stand_still(STANDSTILL_MS);
    CHECK(flag_await(&stopped->opened, 1));
    stopped_destroy(stopped);
}

static void a_close_without_an_answer_ends_within_the_close_timeout(void)
{
    struct Stopped *stopped = stopped_connect("/silent", 0);
    WebSocket_CloseOption option = { 1000, "" };
    long long thawed;
    CHECK(flag_await(&stopped->opened, 1));
    CHECK_INT(OH_WebSocketClient_Close(stopped->client, option), WEBSOCKET_OK);
    stand_still(STANDSTILL_MS);
    thawed = now_ms();
    CHECK(flag_await(&stopped->closed, 1));
    CHECK(now_ms() - thawed < LIMIT_MS + SLACK_MS);
    CHECK_HAS(stopped->close, "no close frame came within 2000 ms");
    CHECK_INT(stopped->code, 1006);
    stopped_destroy(stopped);
}

int main(void)
{
    check_begin("freeze", 180);
    ws = required("WS_URL");
    RUN(delivers_what_came_while_frozen_and_keeps_the_connection);
    RUN(a_lost_peer_is_detected_within_the_pong_timeout);
    RUN(an_attempt_without_an_answer_ends_within_its_timeout);
    RUN(an_attempt_frozen_at_its_start_completes);
    RUN(a_close_without_an_answer_ends_within_the_close_timeout);
    return check_end();
}
