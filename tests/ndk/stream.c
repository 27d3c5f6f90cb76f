/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * One message of many MiB each way, in pieces, and the memory it takes: stream [MIB], 64 by default
 */

#include "check.h"

#include <network/netstack/net_websocket_ext.h>

#define MIB 1048576
#define PIECE_BYTES 65536
#define QUEUE_BYTES 262144
/* That queue, the read buffers, and what the allocator keeps. */
#define GROWTH_KB_MAX 1024

static uint64_t length = UINT64_C(64) * MIB;
static const char *base;

/* The events of a client. */
struct Stream {
    struct WebSocket *client;
    struct Flag opened, drained, received, answered, closed;
    uint64_t bytes, pieces, longest;
    char answer[64];
};

/* Resets VmHWM. */
static void forget_the_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (file != NULL) {
        fputs("5", file);
        fclose(file);
    }
}

static void on_open(struct WebSocket *client, void *data, const struct NWS_Response *response)
{
    (void)client, (void)response;
    flag_raise(&((struct Stream *)data)->opened);
}

static void on_message(struct WebSocket *client, void *data, const struct NWS_Message *message)
{
    struct Stream *stream = (struct Stream *)data;
    size_t at;
    (void)client;
    if (message->type == NWS_TEXT) {
        snprintf(stream->answer, sizeof stream->answer, "%.*s", (int)message->length, message->data);
        flag_raise(&stream->answered);
        return;
    }
    CHECK_INT(message->first, stream->pieces == 0);
    for (at = 0; at < message->length; at++) {
        if ((unsigned char)message->data[at] != (stream->bytes + at) % 251) {
            check_failed(__FILE__, __LINE__, "another byte at %llu", (unsigned long long)(stream->bytes + at));
            break;
        }
    }
    stream->bytes += message->length;
    stream->pieces++;
    stream->longest = message->length > stream->longest ? message->length : stream->longest;
    if (message->last == 1) {
        flag_raise(&stream->received);
    }
}

static void on_drain(struct WebSocket *client, void *data)
{
    (void)client;
    flag_raise(&((struct Stream *)data)->drained);
}

static void on_error(struct WebSocket *client, void *data, const struct NWS_Failure *failure)
{
    (void)client, (void)data;
    check_failed(__FILE__, __LINE__, "%s", failure->message);
}

static void on_close(struct WebSocket *client, void *data, const struct NWS_Close *close)
{
    (void)client, (void)close;
    flag_raise(&((struct Stream *)data)->closed);
}

static void begin(struct Stream *stream, const char *path)
{
    struct NWS_Options options;
    struct NWS_Callbacks callbacks;
    WebSocket_RequestOptions none = { NULL };
    char url[URL_BYTES];
    memset(stream, 0, sizeof *stream);
    stream->client = OH_WebSocketClient_Constructor(NULL, NULL, NULL, NULL);
    CHECK_INT(NWS_InitOptions(&options, sizeof options), WEBSOCKET_OK);
    options.receivePieces = 1;
    options.maxMessageSize = length;
    options.sendQueueLimit = QUEUE_BYTES;
    options.sendLowWater = QUEUE_BYTES / 2;
    CHECK_INT(NWS_SetOptions(stream->client, &options), WEBSOCKET_OK);
    CHECK_INT(NWS_InitCallbacks(&callbacks, sizeof callbacks), WEBSOCKET_OK);
    callbacks.userData = stream;
    callbacks.onOpen = on_open;
    callbacks.onMessage = on_message;
    callbacks.onDrain = on_drain;
    callbacks.onError = on_error;
    callbacks.onClose = on_close;
    CHECK_INT(NWS_SetCallbacks(stream->client, &callbacks), WEBSOCKET_OK);
    snprintf(url, sizeof url, "%s%s", base, path);
    CHECK_INT(OH_WebSocketClient_Connect(stream->client, url, none), WEBSOCKET_OK);
    CHECK_INT(flag_await(&stream->opened, 1), 1);
}

static void end(struct Stream *stream)
{
    WebSocket_CloseOption close = { 1000, "done" };
    CHECK_INT(OH_WebSocketClient_Close(stream->client, close), WEBSOCKET_OK);
    CHECK_INT(flag_await(&stream->closed, 1), 1);
    CHECK_INT(OH_WebSocketClient_Destroy(stream->client), WEBSOCKET_OK);
}

/* Whatever does not fit into the queue waits until the queue has drained. */
static void send_in_pieces(uint64_t total)
{
    static char piece[PIECE_BYTES];
    struct Stream stream;
    char expected[64];
    uint64_t sent = 0;
    begin(&stream, "/sink");
    while (sent < total) {
        uint64_t left = total - sent;
        size_t now = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        int drains = flag_count(&stream.drained);
        int code = NWS_SendPiece(stream.client, NWS_BINARY, piece, now, now == left);
        if (code == WEBSOCKET_QUEUE_LENGTH_EXCEEDED) {
            if (!flag_await(&stream.drained, drains + 1)) {
                break;
            }
        } else if (code == WEBSOCKET_OK) {
            sent += now;
        } else {
            CHECK_INT(code, WEBSOCKET_OK);
            break;
        }
    }
    CHECK_INT(flag_await(&stream.answered, 1), 1);
    snprintf(expected, sizeof expected, "sunk %llu", (unsigned long long)total);
    CHECK_TEXT(stream.answer, expected);
    end(&stream);
}

static void receive_in_pieces(uint64_t total)
{
    struct Stream stream;
    char path[64];
    snprintf(path, sizeof path, "/large/%llu", (unsigned long long)total);
    begin(&stream, path);
    CHECK_INT(flag_await(&stream.received, 1), 1);
    CHECK_INT(stream.bytes, total);
    end(&stream);
}

static void measure(const char *what, void (*pass)(uint64_t))
{
    long before, growth;
    /* What the code, its threads and its buffers take once. */
    pass(MIB);
    forget_the_peak();
    before = status_field("VmRSS");
    pass(length);
    growth = status_field("VmHWM") - before;
    printf("  %llu MiB %s: %ld kB more at the peak, %ld kB afterwards\n", (unsigned long long)length / MIB, what, growth,
           status_field("VmRSS") - before);
    CHECK(growth <= GROWTH_KB_MAX);
}

static void ws_transfers_a_long_message_in_little_memory(void)
{
    base = required("WS_URL");
    measure("sent by ws", send_in_pieces);
    measure("received by ws", receive_in_pieces);
}

static void wss_transfers_a_long_message_in_little_memory(void)
{
    base = required("WSS_URL");
    measure("sent by wss", send_in_pieces);
    measure("received by wss", receive_in_pieces);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        length = strtoull(argv[1], NULL, 10) * MIB;
    }
    check_begin("stream", 600);
    RUN(ws_transfers_a_long_message_in_little_memory);
    RUN(wss_transfers_a_long_message_in_little_memory);
    return check_end();
}
