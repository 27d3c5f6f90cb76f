/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * What the platform's own acceptance tests, and its guide, ask of the library. The tests look at return values only, and so
 * does this; the guide promises events.
 */

#include "check.h"

#define MOST_BYTES (4u * 1024 * 1024)

static const char *ws;

static void ignore_open(struct WebSocket *client, WebSocket_OpenResult result)
{
    (void)client;
    (void)result;
}

static void ignore_message(struct WebSocket *client, char *data, uint32_t length)
{
    (void)client;
    (void)data;
    (void)length;
}

static void ignore_error(struct WebSocket *client, WebSocket_ErrorResult result)
{
    (void)client;
    (void)result;
}

static int closed;

static void count_close(struct WebSocket *client, WebSocket_CloseResult result)
{
    (void)client;
    (void)result;
    closed++;
}

static void constructor_takes_any_null_callback(void)
{
    unsigned mask;
    for (mask = 0; mask < 16; mask++) {
        struct WebSocket *client = OH_WebSocketClient_Constructor(
            (mask & 1) != 0 ? ignore_open : NULL, (mask & 2) != 0 ? ignore_message : NULL,
            (mask & 4) != 0 ? ignore_error : NULL, (mask & 8) != 0 ? count_close : NULL);
        REQUIRE(client != NULL);
        CHECK((client->onOpen != NULL) == ((mask & 1) != 0));
        CHECK((client->onMessage != NULL) == ((mask & 2) != 0));
        CHECK((client->onError != NULL) == ((mask & 4) != 0));
        CHECK((client->onClose != NULL) == ((mask & 8) != 0));
        CHECK_INT(OH_WebSocketClient_Destroy(client), WEBSOCKET_NO_CONNECTION_CONTEXT);
    }
}

static void add_header_takes_an_uninitialised_struct(void)
{
    struct WebSocket *client = OH_WebSocketClient_Constructor(ignore_open, ignore_message, ignore_error, count_close);
    struct WebSocket_Header header;
    /* What a stack may hold, but the same in every run. */
    memset(&header, 0xa5, sizeof header);
    CHECK_INT(OH_WebSocketClient_AddHeader(client, header), WEBSOCKET_OK);
    OH_WebSocketClient_Destroy(client);
}

static void add_header_to_a_struct_of_the_application(void)
{
    struct WebSocket own;
    struct WebSocket_Header header = { "name", "value", NULL };
    memset(&own, 0, sizeof own);
    CHECK_INT(OH_WebSocketClient_AddHeader(&own, header), WEBSOCKET_OK);
    CHECK_INT(OH_WebSocketClient_AddHeader(NULL, header), WEBSOCKET_CLIENT_NULL);
}

static void connect_on_a_struct_of_the_application(void)
{
    struct WebSocket own;
    struct WebSocket_RequestOptions options = { NULL };
    memset(&own, 0, sizeof own);
    CHECK_INT(OH_WebSocketClient_Connect(&own, ws, options), WEBSOCKET_CLIENT_NOT_CREATED);
    CHECK_INT(OH_WebSocketClient_Connect(NULL, ws, options), WEBSOCKET_CLIENT_NULL);
}

static void connect_with_8194_headers(void)
{
    enum { HEADERS = 8194 };
    struct WebSocket_Header *headers = (struct WebSocket_Header *)calloc(HEADERS, sizeof *headers);
    struct WebSocket *client = OH_WebSocketClient_Constructor(ignore_open, ignore_message, ignore_error, count_close);
    struct WebSocket_RequestOptions options;
    int index;
    REQUIRE(headers != NULL);
    for (index = 0; index < HEADERS; index++) {
        headers[index].fieldName = "a";
        headers[index].fieldValue = "1";
        headers[index].next = index + 1 < HEADERS ? &headers[index + 1] : NULL;
    }
    options.headers = headers;
    CHECK_INT(OH_WebSocketClient_Connect(client, ws, options), WEBSOCKET_HEADER_EXCEEDED);
    CHECK_INT(OH_WebSocketClient_Destroy(client), WEBSOCKET_NO_CONNECTION_CONTEXT);
    free(headers);
}

static void connect_to_a_host_without_a_scheme(void)
{
    static const char *const hosts[] = { "www.example.com", "192.168.123.255", "127.0.0.1:8080" };
    size_t at;
    for (at = 0; at < sizeof hosts / sizeof hosts[0]; at++) {
        struct WebSocket *client =
            OH_WebSocketClient_Constructor(ignore_open, ignore_message, ignore_error, count_close);
        struct WebSocket_Header header = { "Content-Type", "application/json", NULL };
        CHECK_INT(OH_WebSocketClient_AddHeader(client, header), WEBSOCKET_OK);
        CHECK_INT(OH_WebSocketClient_Connect(client, hosts[at], client->requestOptions), WEBSOCKET_OK);
        OH_WebSocketClient_Destroy(client);
    }
}

static void send_while_nothing_is_connected(void)
{
    struct WebSocket *client = OH_WebSocketClient_Constructor(ignore_open, ignore_message, ignore_error, count_close);
    char text[] = "Hello, world!";
    CHECK_INT(OH_WebSocketClient_Send(client, text, strlen(text)), WEBSOCKET_OK);
    CHECK_INT(OH_WebSocketClient_Destroy(client), WEBSOCKET_NO_CONNECTION_CONTEXT);
}

static void send_while_connecting(void)
{
    struct Probe *probe = probe_new();
    char *large = (char *)calloc(1, MOST_BYTES + 1);
    REQUIRE(large != NULL);
    CHECK_INT(probe_connect(probe, ws, "/hang"), WEBSOCKET_OK);
    CHECK_INT(probe_send_text(probe, "hello world!"), WEBSOCKET_OK);
    CHECK_INT(probe_send(probe, "hello world!", 0), WEBSOCKET_OK);
    CHECK_INT(probe_send(probe, NULL, 0), WEBSOCKET_SEND_DATA_NULL);
    CHECK_INT(probe_send(probe, large, MOST_BYTES + 1), WEBSOCKET_DATA_LENGTH_EXCEEDED);
    free(large);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
}

static void calls_on_a_struct_of_the_application(void)
{
    struct WebSocket_CloseOption option = { 1000, " " };
    struct WebSocket own;
    memset(&own, 0, sizeof own);
    CHECK_INT(OH_WebSocketClient_Close(&own, option), WEBSOCKET_CLIENT_NOT_CREATED);
    CHECK_INT(OH_WebSocketClient_Destroy(&own), WEBSOCKET_CLIENT_NOT_CREATED);
}

static void send_of_each_length(void)
{
    struct Probe *probe = probe_open(ws, "/");
    char *large = (char *)calloc(1, MOST_BYTES + 1);
    REQUIRE(large != NULL);
    CHECK_INT(probe_send(probe, "Hello World!", 12), WEBSOCKET_OK);
    CHECK_INT(probe_send(probe, "Hello World!", 0), WEBSOCKET_OK);
    CHECK_INT(probe_send(probe, NULL, 0), WEBSOCKET_SEND_DATA_NULL);
    CHECK_INT(probe_send(probe, large, MOST_BYTES + 1), WEBSOCKET_DATA_LENGTH_EXCEEDED);
    CHECK_INT(OH_WebSocketClient_Send(NULL, large, 1), WEBSOCKET_CLIENT_NULL);
    free(large);
    probe_finish(probe);
}

static void close_in_each_state(void)
{
    struct WebSocket_CloseOption option = { 1000, "done" };
    struct Probe *probe = probe_new();
    const struct Event *event;
    CHECK_INT(probe_close(probe, 1000, "done"), WEBSOCKET_NO_CONNECTION);
    CHECK_INT(probe_close(probe, (uint32_t)-1, ""), WEBSOCKET_NO_CONNECTION);
    CHECK_INT(OH_WebSocketClient_Close(NULL, option), WEBSOCKET_CLIENT_NULL);
    CHECK_INT(probe_connect(probe, ws, "/"), WEBSOCKET_OK);
    probe_await(probe, OPEN, 0);
    /* RFC 6455 leaves 16 bits for it, and the connection is closed all the same. */
    CHECK_INT(probe_close(probe, (uint32_t)-1, "done"), WEBSOCKET_OK);
    event = probe_await(probe, CLOSE, 0);
    CHECK_INT(event->code, 1000);
    CHECK_TEXT(event->text, "done");
    probe_await_end(probe);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
}

static void destroy_in_each_state(void)
{
    struct Probe *probe = probe_new();
    CHECK_INT(probe_destroy(probe), WEBSOCKET_NO_CONNECTION_CONTEXT);
    CHECK_INT(OH_WebSocketClient_Destroy(NULL), WEBSOCKET_CLIENT_NULL);

    probe = probe_new();
    CHECK_INT(probe_close(probe, 1000, "close"), WEBSOCKET_NO_CONNECTION);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_NO_CONNECTION_CONTEXT);

    probe = probe_new();
    CHECK_INT(probe_connect(probe, ws, "/"), WEBSOCKET_OK);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);

    probe = probe_open(ws, "/");
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);

    probe = probe_open(ws, "/");
    CHECK_INT(probe_close(probe, 1000, "done"), WEBSOCKET_OK);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);

    /* To a server that never answers, so that the connection is certain not to be open. */
    probe = probe_new();
    CHECK_INT(probe_connect(probe, ws, "/hang"), WEBSOCKET_OK);
    CHECK_INT(probe_close(probe, 1000, "done"), WEBSOCKET_NO_CONNECTION);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_NO_CONNECTION_CONTEXT);
}

static void callback_assigned_and_called_by_the_application(void)
{
    struct WebSocket *client = OH_WebSocketClient_Constructor(NULL, NULL, NULL, NULL);
    WebSocket_CloseResult result = { 1000, "" };
    client->onClose = count_close;
    closed = 0;
    client->onClose(client, result);
    CHECK_INT(closed, 1);
    CHECK_INT(OH_WebSocketClient_Destroy(client), WEBSOCKET_NO_CONNECTION_CONTEXT);
}

/* The guide's program: each step when its button is pressed. */
static void the_guide_step_by_step(void)
{
    struct WebSocket_Header header = { "guide-header", "guide-value", NULL };
    struct Probe *probe = probe_new();
    const struct Event *event;
    CHECK_INT(OH_WebSocketClient_AddHeader(probe->client, header), WEBSOCKET_OK);
    CHECK_INT(probe_connect_with(probe, ws, "/headers", probe->client->requestOptions), WEBSOCKET_OK);
    event = probe_await(probe, OPEN, 0);
    CHECK_INT(event->code, 101);
    CHECK_HAS(probe_await(probe, MESSAGE, 0)->text, "guide-header: guide-value");
    probe_round_trip_text(probe, "Hello, WebSocket!");
    CHECK_INT(probe_close(probe, 0, "Actively Close"), WEBSOCKET_OK);
    event = probe_await(probe, CLOSE, 0);
    CHECK_INT(event->code, 1000);
    CHECK_TEXT(event->text, "Actively Close");
    probe_await_end(probe);
    CHECK_INT(probe_count(probe, ERROR), 0);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
}

/* The same calls one right after the other, as in the guide's listing. No event comes for a client that is gone. */
static void the_guide_at_once(void)
{
    struct Probe *probe = probe_new();
    CHECK_INT(probe_connect(probe, ws, "/hang"), WEBSOCKET_OK);
    CHECK_INT(probe_send_text(probe, "Hello, WebSocket!"), WEBSOCKET_OK);
    CHECK_INT(probe_close(probe, 0, "Actively Close"), WEBSOCKET_NO_CONNECTION);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_NO_CONNECTION_CONTEXT);
}

/* Once the connection is open, Close and Destroy right after it leave in good order. */
static void the_guide_ends_at_once(void)
{
    struct Probe *probe = probe_open(ws, "/");
    CHECK_INT(probe_send_text(probe, "Hello, WebSocket!"), WEBSOCKET_OK);
    CHECK_INT(probe_close(probe, 0, "Actively Close"), WEBSOCKET_OK);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
}

int main(void)
{
    check_begin("acceptance", 300);
    ws = required("WS_URL");
    RUN(constructor_takes_any_null_callback);
    RUN(add_header_takes_an_uninitialised_struct);
    RUN(add_header_to_a_struct_of_the_application);
    RUN(connect_on_a_struct_of_the_application);
    RUN(connect_with_8194_headers);
    RUN(connect_to_a_host_without_a_scheme);
    RUN(send_while_nothing_is_connected);
    RUN(send_while_connecting);
    RUN(calls_on_a_struct_of_the_application);
    RUN(send_of_each_length);
    RUN(close_in_each_state);
    RUN(destroy_in_each_state);
    RUN(callback_assigned_and_called_by_the_application);
    RUN(the_guide_step_by_step);
    RUN(the_guide_at_once);
    RUN(the_guide_ends_at_once);
    return check_end();
}
