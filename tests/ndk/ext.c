/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * net_websocket_ext.h, function by function: what each gives, what each refuses, and what a careless caller meets.
 */

#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <network/netstack/net_websocket_ext.h>
#include <sys/socket.h>
#include <sys/time.h>

#define LOG_ENTRIES 64
#define LOG_TEXT 128

static const char *ws;
static const char *wss;
/* No server listens there. */
static const char refused_url[] = "ws://127.0.0.1:1";

/* --- a log of what the callbacks got --- */

struct Log {
    struct WebSocket *client;
    char entries[LOG_ENTRIES][LOG_TEXT];
    int count;
    size_t bytes;
    int pieces;
    int ordered;
    int64_t round_trip;
    struct NWS_Failure failure;
    char body[64];
    char location[64];
    char failure_text[1024];
    struct NWS_Close close;
    uint32_t delay_ms;
    /* What onPrepare returns. */
    int32_t decision;
    /* Destroys the client inside the callback with this entry. */
    const char *destroy_at;
    struct Flag destroyed;
    struct Log *previous;
};

/* Kept to the end: a late callback must find its log. */
static struct Log *logs;

static void note(struct Log *log, const char *text)
{
    int destroy;
    pthread_mutex_lock(&check.lock);
    if (log->count < LOG_ENTRIES) {
        snprintf(log->entries[log->count++], LOG_TEXT, "%s", text);
    }
    destroy = log->destroy_at != NULL && strcmp(log->destroy_at, text) == 0;
    pthread_cond_broadcast(&check.changed);
    pthread_mutex_unlock(&check.lock);
    if (destroy) {
        CHECK_INT(OH_WebSocketClient_Destroy(log->client), WEBSOCKET_OK);
        flag_raise(&log->destroyed);
    }
}

/* Entry number `nth`; an empty one if it does not come. */
static const char *entry(struct Log *log, int nth)
{
    struct timespec until = deadline();
    int there;
    pthread_mutex_lock(&check.lock);
    while (log->count <= nth && changes_before(&until)) {
    }
    there = log->count > nth;
    pthread_mutex_unlock(&check.lock);
    if (!there) {
        check_failed(__FILE__, __LINE__, "event number %d does not come", nth);
    }
    return there ? log->entries[nth] : "";
}

static void on_headers(struct WebSocket *client, void *data, const struct NWS_Response *response)
{
    struct Log *log = (struct Log *)data;
    uint32_t at;
    int ones = 0;
    CHECK(client == log->client);
    CHECK_INT(response->size, sizeof *response);
    CHECK_INT(response->status, 101);
    for (at = 0; at < response->headerCount; at++) {
        ones += strcmp(response->headers[at].name, "x-test") == 0 && strcmp(response->headers[at].value, "one") == 0;
    }
    note(log, ones == 1 ? "headers with x-test" : "headers");
}

static void on_open(struct WebSocket *client, void *data, const struct NWS_Response *response)
{
    char text[LOG_TEXT];
    (void)client;
    snprintf(text, sizeof text, "open %s", response->protocol);
    note((struct Log *)data, text);
}

static void on_message(struct WebSocket *client, void *data, const struct NWS_Message *message)
{
    char text[LOG_TEXT];
    (void)client;
    CHECK_INT(message->data[message->length], '\0');
    CHECK(message->first == 1 && message->last == 1);
    snprintf(text, sizeof text, "%s %.100s", message->type == NWS_TEXT ? "text" : "binary", message->data);
    note((struct Log *)data, text);
}

/* Checks the bytes of /large instead of keeping them. */
static void on_piece(struct WebSocket *client, void *data, const struct NWS_Message *message)
{
    struct Log *log = (struct Log *)data;
    size_t at;
    (void)client;
    CHECK_INT(message->type, NWS_BINARY);
    CHECK_INT(message->first, log->pieces == 0);
    for (at = 0; at < message->length; at++) {
        log->ordered &= (unsigned char)message->data[at] == (log->bytes + at) % 251;
    }
    log->bytes += message->length;
    log->pieces++;
    if (message->last == 1) {
        note(log, "last");
    }
}

/* Notes the beginning of a message without an end. It may come in several pieces, and what the peer sends next belongs to it. */
static void on_beginning(struct WebSocket *client, void *data, const struct NWS_Message *message)
{
    static const char BEGINNING[] = "first";
    struct Log *log = (struct Log *)data;
    size_t at, known = log->bytes;
    (void)client;
    CHECK_INT(message->first, log->pieces == 0);
    CHECK_INT(message->last, 0);
    for (at = 0; at < message->length && known + at < sizeof BEGINNING - 1; at++) {
        CHECK_INT(message->data[at], BEGINNING[known + at]);
    }
    log->bytes += message->length;
    log->pieces++;
    if (known < sizeof BEGINNING - 1 && log->bytes >= sizeof BEGINNING - 1) {
        note(log, "begins first");
    }
}

static void on_pong(struct WebSocket *client, void *data, const struct NWS_Pong *pong)
{
    struct Log *log = (struct Log *)data;
    char text[LOG_TEXT];
    (void)client;
    log->round_trip = pong->roundTripUs;
    snprintf(text, sizeof text, "pong %.*s", (int)pong->length, pong->data);
    note(log, text);
}

static void on_drain(struct WebSocket *client, void *data)
{
    (void)client;
    note((struct Log *)data, "drain");
}

static void on_error(struct WebSocket *client, void *data, const struct NWS_Failure *failure)
{
    struct Log *log = (struct Log *)data;
    (void)client;
    size_t at;
    CHECK(strlen(failure->message) > 0);
    CHECK_INT(failure->size, sizeof *failure);
    CHECK_INT(failure->body[failure->bodyLength], '\0');
    snprintf(log->body, sizeof log->body, "%s", failure->body);
    log->location[0] = '\0';
    for (at = 0; at < failure->headerCount; at++) {
        if (strcmp(failure->headers[at].name, "location") == 0) {
            snprintf(log->location, sizeof log->location, "%s", failure->headers[at].value);
        }
    }
    log->failure = *failure;
    snprintf(log->failure_text, sizeof log->failure_text, "%s", failure->message);
    note(log, "error");
}

static void on_close(struct WebSocket *client, void *data, const struct NWS_Close *close)
{
    char text[LOG_TEXT];
    (void)client;
    ((struct Log *)data)->close = *close;
    snprintf(text, sizeof text, "close %u %.60s", (unsigned)close->code, close->reason);
    note((struct Log *)data, text);
}

static void on_reconnecting(struct WebSocket *client, void *data, const struct NWS_Reconnecting *reconnecting)
{
    char text[LOG_TEXT];
    (void)client;
    CHECK_INT(reconnecting->size, sizeof *reconnecting);
    CHECK(strlen(reconnecting->message) > 0);
    snprintf(text, sizeof text, "reconnecting %u after cause %d, %u, %u", (unsigned)reconnecting->attempt,
             (int)reconnecting->cause, (unsigned)reconnecting->closeCode, (unsigned)reconnecting->httpStatus);
    ((struct Log *)data)->delay_ms = reconnecting->delayMs;
    note((struct Log *)data, text);
}

static int32_t on_prepare(struct WebSocket *client, void *data, const struct NWS_Reconnecting *reconnecting)
{
    struct Log *log = (struct Log *)data;
    char url[URL_BYTES];
    struct WebSocket_Header header = { "X-Token", "fresh", NULL };
    uint32_t attempt = reconnecting->attempt;
    if (log->decision == NWS_PREPARE_PROCEED) {
        snprintf(url, sizeof url, "%s/headers", ws);
        CHECK_INT(NWS_PrepareAttempt(client, attempt + 1, NWS_PREPARE_PROCEED, url, NULL), NWS_NOT_FOUND);
        CHECK_INT(NWS_PrepareAttempt(client, attempt, NWS_PREPARE_WAIT, url, NULL), NWS_INVALID_ARGUMENT);
        CHECK_HAS(NWS_LastErrorMessage(), "decision");
        CHECK_INT(NWS_PrepareAttempt(client, attempt, NWS_PREPARE_PROCEED, url, &header), WEBSOCKET_OK);
    }
    note(log, "prepare");
    return log->decision;
}

static void on_reconnected(struct WebSocket *client, void *data, const struct NWS_Reconnected *reconnected)
{
    char text[LOG_TEXT];
    (void)client;
    CHECK(reconnected->downtimeMs < 1000 * EVENT_DEADLINE_S);
    snprintf(text, sizeof text, "reconnected after %u", (unsigned)reconnected->attempts);
    note((struct Log *)data, text);
}

static void on_sent(struct WebSocket *client, void *context, int32_t result)
{
    char text[LOG_TEXT];
    (void)client;
    snprintf(text, sizeof text, "sent %s", NWS_ErrorName(result));
    note((struct Log *)context, text);
}

/* The constructor's callbacks, which must keep silent when others are set. */
static void on_plain_message(struct WebSocket *client, char *data, uint32_t length)
{
    char text[LOG_TEXT];
    struct Log *log = (struct Log *)NWS_GetUserData(client);
    if (log == NULL) {
        /* The other thread is in Destroy, and waits for this callback. */
        return;
    }
    snprintf(text, sizeof text, "plain %.*s", (int)length, data);
    note(log, text);
}

static void set_callbacks(struct Log *log)
{
    struct NWS_Callbacks callbacks;
    CHECK_INT(NWS_InitCallbacks(&callbacks, sizeof callbacks), WEBSOCKET_OK);
    callbacks.userData = log;
    callbacks.onHeaders = on_headers;
    callbacks.onOpen = on_open;
    callbacks.onMessage = on_message;
    callbacks.onPong = on_pong;
    callbacks.onDrain = on_drain;
    callbacks.onError = on_error;
    callbacks.onClose = on_close;
    callbacks.onReconnecting = on_reconnecting;
    callbacks.onPrepare = on_prepare;
    callbacks.onReconnected = on_reconnected;
    CHECK_INT(NWS_SetCallbacks(log->client, &callbacks), WEBSOCKET_OK);
}

static struct Log *log_new(void)
{
    struct Log *log = (struct Log *)calloc(1, sizeof *log);
    if (log == NULL) {
        abort();
    }
    log->ordered = 1;
    log->previous = logs;
    logs = log;
    log->client = OH_WebSocketClient_Constructor(NULL, on_plain_message, NULL, NULL);
    set_callbacks(log);
    return log;
}

static int log_connect(struct Log *log, const char *base, const char *path)
{
    char url[URL_BYTES];
    WebSocket_RequestOptions none = { NULL };
    snprintf(url, sizeof url, "%s%s", base, path);
    return OH_WebSocketClient_Connect(log->client, url, none);
}

/* A client that has reported its headers and `open`: entries 0 and 1. */
static struct Log *log_open(const char *path)
{
    struct Log *log = log_new();
    CHECK_INT(log_connect(log, ws, path), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 0), "headers");
    CHECK_HAS(entry(log, 1), "open");
    return log;
}

static void log_end(struct Log *log)
{
    CHECK_INT(OH_WebSocketClient_Destroy(log->client), WEBSOCKET_OK);
}

static struct NWS_Options default_options(void)
{
    struct NWS_Options options;
    CHECK_INT(NWS_InitOptions(&options, sizeof options), WEBSOCKET_OK);
    return options;
}

/* --- texts --- */

static void returns_its_version_and_its_codes(void)
{
    CHECK_HAS(NWS_Version(), ".");
    CHECK_TEXT(NWS_ErrorName(WEBSOCKET_OK), "WEBSOCKET_OK");
    CHECK_TEXT(NWS_ErrorName(WEBSOCKET_NO_CONNECTION_CONTEXT), "WEBSOCKET_NO_CONNECTION_CONTEXT");
    CHECK_TEXT(NWS_ErrorName(NWS_NOT_FOUND), "NWS_NOT_FOUND");
    CHECK_TEXT(NWS_ErrorName(-5), "unknown");
    CHECK_TEXT(NWS_ErrorMessage(123456), "unknown error");
    CHECK_HAS(NWS_ErrorMessage(NWS_INVALID_UTF8), "UTF-8");
    CHECK_HAS(NWS_ErrorMessage(WEBSOCKET_QUEUE_LENGTH_EXCEEDED), "queue");
}

/* --- structs that grow --- */

static void refuses_structs_of_unknown_versions(void)
{
    struct Log *log = log_new();
    struct NWS_Options options = default_options();
    struct {
        struct NWS_Options known;
        uint64_t later;
    } newer;
    CHECK_INT(options.size, sizeof options);
    CHECK_INT(options.connectTimeoutMs, 15000);
    CHECK_INT(options.sendQueueLimit, 67108864);
    CHECK_INT(options.perMessageDeflate, 1);
    CHECK_INT(NWS_InitOptions(NULL, sizeof options), NWS_INVALID_ARGUMENT);
    CHECK_INT(NWS_InitOptions(&options, 8), NWS_INVALID_ARGUMENT);
    CHECK_HAS(NWS_LastErrorMessage(), "NWS_Options");
    options.size = 0;
    CHECK_INT(NWS_SetOptions(log->client, &options), NWS_INVALID_ARGUMENT);
    CHECK_HAS(NWS_LastErrorMessage(), "size");
    options.size = (size_t)-1;
    CHECK_INT(NWS_SetOptions(log->client, &options), NWS_INVALID_ARGUMENT);
    CHECK_INT(NWS_SetOptions(log->client, (struct NWS_Options *)(uintptr_t)0x10), NWS_INVALID_ARGUMENT);
    CHECK_INT(NWS_SetCallbacks(log->client, (struct NWS_Callbacks *)(uintptr_t)0x10), NWS_INVALID_ARGUMENT);

    /* A program that is newer than the library. */
    memset(&newer, 0xff, sizeof newer);
    CHECK_INT(NWS_InitOptions(&newer.known, sizeof newer), WEBSOCKET_OK);
    CHECK_INT(newer.known.size, sizeof newer);
    CHECK_INT(newer.later, 0);
    CHECK_INT(NWS_SetOptions(log->client, &newer.known), WEBSOCKET_OK);
    newer.later = 1;
    CHECK_INT(NWS_SetOptions(log->client, &newer.known), NWS_INVALID_ARGUMENT);
    CHECK_HAS(NWS_LastErrorMessage(), "does not know");
    CHECK_INT(NWS_SetOptions(log->client, NULL), WEBSOCKET_OK);
    OH_WebSocketClient_Destroy(log->client);
}

#define REFUSES(field, value)                                                           \
    do {                                                                                \
        struct NWS_Options bad = default_options();                                     \
        bad.field = value;                                                              \
        CHECK_INT(NWS_SetOptions(log->client, &bad), NWS_INVALID_ARGUMENT);             \
        CHECK_HAS(NWS_LastErrorMessage(), #field);                                      \
    } while (0)

static void names_the_invalid_option(void)
{
    struct Log *log = log_new();
    struct WebSocket_Header header = { "a", NULL, NULL };
    struct NWS_Options options = default_options();
    REFUSES(connectTimeoutMs, 0);
    REFUSES(closeTimeoutMs, 0);
    REFUSES(maxMessageSize, 0);
    REFUSES(sendQueueLimit, 0);
    REFUSES(sendLowWater, bad.sendQueueLimit + 1);
    REFUSES(maxMessageSize, UINT64_MAX);
    REFUSES(sendQueueLimit, UINT64_C(1) << 63);
    REFUSES(protocols, "\xff");
    REFUSES(protocols, (const char *)(uintptr_t)0x10);
    REFUSES(caPath, (const char *)(uintptr_t)0x10);
    REFUSES(skipServerCertVerification, 2);
    REFUSES(perMessageDeflate, 2);
    REFUSES(clientNoContextTakeover, 255);
    REFUSES(serverNoContextTakeover, 3);
    REFUSES(clientMaxWindowBits, 8);
    REFUSES(serverMaxWindowBits, 16);
    REFUSES(receivePieces, 9);
    REFUSES(tls13Only, 2);
    REFUSES(clientCertPath, "alone.pem");
    REFUSES(clientKeyPath, "alone.key");
    REFUSES(clientKeyPassword, (const char *)(uintptr_t)0x10);
    REFUSES(alpnProtocols, "h2");
    REFUSES(alpnProtocols, "http/1.1,,mqtt");
    REFUSES(tlsServerName, "");
    REFUSES(tlsServerName, "wss://a.example");
    REFUSES(caPathAddsToSystem, 2);
    REFUSES(certificatePinning, (const struct NWS_CertificatePinning *)(uintptr_t)0x10);
    REFUSES(certificatePinning, (&(struct NWS_CertificatePinning){ NULL, 0, NULL }));
    REFUSES(certificatePinning, (&(struct NWS_CertificatePinning){ "YWJj", 0, NULL }));
    REFUSES(certificatePinning, (&(struct NWS_CertificatePinning){ required("SERVER_PIN"), -1, NULL }));
    REFUSES(proxyType, 4);
    REFUSES(proxyType, 255);
    REFUSES(proxyHost, "127.0.0.1");
    REFUSES(maxRedirects, 6);
    REFUSES(trustUserAuthorities, 3);
    REFUSES(networkSecurityConfig, 2);
    REFUSES(supportOriginPort, 2);
    REFUSES(fragmentMessages, 2);
    REFUSES(hosts, (const struct WebSocket_Header *)(uintptr_t)0x10);
    REFUSES(hosts, (&(struct WebSocket_Header){ "h", "localhost", NULL }));
    REFUSES(username, "\xff");
    REFUSES(password, (const char *)(uintptr_t)0x10);
    REFUSES(headers, (const struct WebSocket_Header *)(uintptr_t)0x10);
    options.headers = &header;
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_NO_HEADER_CONTEXT);
    CHECK_HAS(NWS_LastErrorMessage(), "entry 0");
    OH_WebSocketClient_Destroy(log->client);
}

/* --- callbacks --- */

static void callbacks_come_in_order_with_the_pointer(void)
{
    struct Log *log = log_open("/headers");
    WebSocket_CloseOption close = { 4321, "bye" };
    CHECK_TEXT(log->entries[0], "headers with x-test");
    CHECK_TEXT(log->entries[1], "open ");
    CHECK_HAS(entry(log, 2), "text ");
    CHECK(NWS_GetUserData(log->client) == log);
    CHECK_INT(NWS_SendText(log->client, "hello", 5), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 3), "text hello");
    CHECK_INT(NWS_GetState(log->client), NWS_OPEN);
    CHECK_INT(OH_WebSocketClient_Close(log->client, close), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 4), "close 4321 bye");
    log_end(log);
}

static void without_callbacks_those_of_the_constructor_are_called(void)
{
    struct Log *log = log_open("/");
    CHECK_INT(NWS_SetCallbacks(log->client, NULL), WEBSOCKET_OK);
    CHECK(NWS_GetUserData(log->client) == NULL);
    CHECK_INT(NWS_SetUserData(log->client, log), WEBSOCKET_OK);
    CHECK_INT(NWS_SendText(log->client, "again", 5), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 2), "plain again");
    log_end(log);
}

enum { FLOOD = 10000 };

static struct Switch {
    struct Flag all;
    int old_calls;
    int new_calls;
} switched;

static void on_message_after(struct WebSocket *client, void *data, const struct NWS_Message *message)
{
    (void)client;
    (void)message;
    CHECK(data == &switched.new_calls);
    switched.new_calls++;
    if (switched.new_calls == FLOOD - 1) {
        flag_raise(&switched.all);
    }
}

static void on_message_before(struct WebSocket *client, void *data, const struct NWS_Message *message)
{
    struct NWS_Callbacks callbacks;
    (void)message;
    CHECK(data == &switched.old_calls);
    switched.old_calls++;
    NWS_InitCallbacks(&callbacks, sizeof callbacks);
    callbacks.userData = &switched.new_calls;
    callbacks.onMessage = on_message_after;
    CHECK_INT(NWS_SetCallbacks(client, &callbacks), WEBSOCKET_OK);
}

static void callbacks_set_in_a_callback_get_the_next_event(void)
{
    struct Log *log = log_new();
    struct NWS_Callbacks callbacks;
    char path[64];
    NWS_InitCallbacks(&callbacks, sizeof callbacks);
    callbacks.userData = &switched.old_calls;
    callbacks.onMessage = on_message_before;
    CHECK_INT(NWS_SetCallbacks(log->client, &callbacks), WEBSOCKET_OK);
    /* Many come in one read. */
    snprintf(path, sizeof path, "/flood/%d/4", FLOOD);
    CHECK_INT(log_connect(log, ws, path), WEBSOCKET_OK);
    CHECK_INT(flag_await(&switched.all, 1), 1);
    CHECK_INT(switched.old_calls, 1);
    log_end(log);
}

static void a_client_destroyed_in_a_callback_gets_no_more_events(void)
{
    static const char *const places[] = { "headers", "open ", "text x", "pong x", "sent WEBSOCKET_OK" };
    size_t at;
    for (at = 0; at < sizeof places / sizeof *places; at++) {
        struct Log *log = log_new();
        int count;
        log->destroy_at = places[at];
        NWS_SendText(log->client, "x", 1);
        NWS_SendWithCallback(log->client, NWS_TEXT, "y", 1, on_sent, log);
        CHECK_INT(log_connect(log, ws, "/"), WEBSOCKET_OK);
        if (at > 1) {
            entry(log, 1);
            NWS_Ping(log->client, "x", 1);
        }
        for (count = 0; strcmp(entry(log, count), places[at]) != 0 && !check.hangs; count++) {
        }
        /* Only what Destroy itself has to settle may follow. */
        CHECK_INT(flag_await(&log->destroyed, 1), 1);
        if (at < 2) {
            CHECK_TEXT(entry(log, count + 1), "sent WEBSOCKET_DESTROYED");
            CHECK_INT(log->count, count + 2);
        }
    }
}

/* --- reconnecting --- */

/* A client that is open and connects again, after a delay that is a random part of `delay_ms`. */
static struct Log *log_again(const char *path, uint32_t delay_ms, int32_t decision)
{
    struct Log *log = log_new();
    struct NWS_ReconnectOptions again;
    CHECK_INT(NWS_InitReconnectOptions(&again, sizeof again), WEBSOCKET_OK);
    CHECK_INT(again.causes, NWS_CAUSES_TRANSIENT);
    again.delayMs = delay_ms;
    again.maxDelayMs = delay_ms;
    CHECK_INT(NWS_SetReconnect(log->client, &again), WEBSOCKET_OK);
    log->decision = decision;
    CHECK_INT(log_connect(log, ws, path), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 0), "headers");
    CHECK_TEXT(entry(log, 1), "open ");
    return log;
}

static void reconnects_with_a_prepared_handshake(void)
{
    struct Log *log = log_again("/close/1012/restart", 1, NWS_PREPARE_PROCEED);
    CHECK_TEXT(entry(log, 2), "reconnecting 1 after cause 11, 1012, 0");
    CHECK_TEXT(entry(log, 3), "prepare");
    CHECK_TEXT(entry(log, 4), "headers with x-test");
    CHECK_TEXT(entry(log, 5), "open ");
    CHECK_TEXT(entry(log, 6), "reconnected after 1");
    CHECK_HAS(entry(log, 7), "text ");
    log_end(log);
}

static void an_invalid_close_frame_is_retried_by_its_code(void)
{
    static const struct {
        const char *path;
        const char *next;
        const char *text;
    } cases[] = {
        { "/wire/880303e9e4", "reconnecting 1 after cause 11, 0, 0", NULL },
        { "/wire/880203ee", "reconnecting 1 after cause 9, 0, 0", NULL },
        { "/wire/880203ed", "error", "close frame carries the code 1005" },
        { "/wire/880303e8e4", "error", "close frame with the code 1000 is not valid UTF-8" },
    };
    size_t at;
    for (at = 0; at < sizeof cases / sizeof *cases; at++) {
        struct Log *log = log_again(cases[at].path, 2592000000u, NWS_PREPARE_STOP);
        CHECK_TEXT(entry(log, 2), cases[at].next);
        if (cases[at].text != NULL) {
            CHECK_HAS(log->failure_text, cases[at].text);
            CHECK_INT(log->failure.code, WEBSOCKET_PROTOCOL_ERROR);
            CHECK_INT(log->failure.cause, NWS_CAUSE_CLOSED);
            CHECK_HAS(entry(log, 3), "close 100");
        }
        log_end(log);
    }
}

static void an_attempt_can_be_prepared_later(void)
{
    struct Log *log = log_again("/close/1013/full", 1, NWS_PREPARE_WAIT);
    char url[URL_BYTES];
    CHECK_TEXT(entry(log, 2), "reconnecting 1 after cause 11, 1013, 0");
    CHECK_TEXT(entry(log, 3), "prepare");
    CHECK_INT(NWS_GetState(log->client), NWS_CONNECTING);
    CHECK_INT(NWS_PrepareAttempt(log->client, 1, NWS_PREPARE_FAIL, NULL, NULL), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 4), "reconnecting 2 after cause 14, 0, 0");
    CHECK_TEXT(entry(log, 5), "prepare");
    snprintf(url, sizeof url, "%s/status/404", ws);
    CHECK_INT(NWS_PrepareAttempt(log->client, 2, NWS_PREPARE_PROCEED, url, NULL), WEBSOCKET_OK);
    CHECK_INT(NWS_PrepareAttempt(log->client, 2, NWS_PREPARE_STOP, NULL, NULL), NWS_NOT_FOUND);
    CHECK_TEXT(entry(log, 6), "error");
    CHECK_INT(log->failure.httpStatus, 404);
    CHECK_INT(log->failure.cause, NWS_CAUSE_HTTP_4XX);
    CHECK_HAS(entry(log, 7), "close 1006");
    CHECK_INT(log->close.cause, NWS_CAUSE_HTTP_4XX);
    log_end(log);
}

static void an_attempt_that_cannot_be_prepared_fails(void)
{
    struct Log *log = log_again("/close/1013/full", 1, NWS_PREPARE_FAIL);
    WebSocket_CloseOption close = { 3999, "enough" };
    CHECK_TEXT(entry(log, 2), "reconnecting 1 after cause 11, 1013, 0");
    CHECK_TEXT(entry(log, 3), "prepare");
    CHECK_TEXT(entry(log, 4), "reconnecting 2 after cause 14, 0, 0");
    CHECK_INT(OH_WebSocketClient_Close(log->client, close), WEBSOCKET_OK);
    log_end(log);
}

static void retry_now_close_and_destroy_end_a_retry_delay(void)
{
    static const uint32_t month_ms = 2592000000u;
    struct Log *log = log_again("/drop", month_ms, NWS_PREPARE_STOP);
    WebSocket_CloseOption close = { 3999, "enough" };
    CHECK_INT(NWS_RetryNow(log->client), WEBSOCKET_NO_CONNECTION);
    CHECK_INT(NWS_SendText(log->client, "x", 1), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 2), "reconnecting 1 after cause 9, 0, 0");
    CHECK_INT(NWS_RetryNow(log->client), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 3), "prepare");
    CHECK_TEXT(entry(log, 4), "error");
    CHECK_INT(log->failure.phase, NWS_PHASE_OPEN);
    CHECK(log->failure.elapsedUs > 0);
    CHECK_HAS(entry(log, 5), "close 1006");
    CHECK(log->close.elapsedUs == log->failure.elapsedUs && log->close.cause == NWS_CAUSE_LOST);
    log_end(log);

    log = log_again("/drop", month_ms, NWS_PREPARE_STOP);
    CHECK_INT(NWS_SendText(log->client, "x", 1), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 2), "reconnecting 1 after cause 9, 0, 0");
    CHECK_INT(OH_WebSocketClient_Close(log->client, close), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 3), "close 3999 enough");
    CHECK_INT(log->close.cause, NWS_CAUSE_APPLICATION);
    CHECK_INT(NWS_SetReconnect(log->client, NULL), WEBSOCKET_OK);
    log_end(log);

    /* And Destroy says nothing. */
    log = log_again("/drop", month_ms, NWS_PREPARE_STOP);
    CHECK_INT(NWS_SendText(log->client, "x", 1), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 2), "reconnecting 1 after cause 9, 0, 0");
    log_end(log);
    CHECK_INT(log->count, 3);
}

static void waits_as_long_as_retry_after_asks(void)
{
    static const struct {
        const char *path;
        int cause;
        int status;
        /* Until the next attempt; 0 for none. */
        uint32_t delay_ms;
    } answers[] = {
        { "/status/429/600", NWS_CAUSE_HTTP_4XX, 429, 600000 }, { "/status/503/600", NWS_CAUSE_HTTP_5XX, 503, 600000 },
        { "/status/403", NWS_CAUSE_HTTP_4XX, 403, 0 },          { "/status/501", NWS_CAUSE_HTTP_5XX, 501, 0 },
        { "/status/505", NWS_CAUSE_HTTP_5XX, 505, 0 },          { "/no-answer", NWS_CAUSE_NO_ANSWER, 0, 0 },
    };
    size_t at;
    for (at = 0; at < sizeof answers / sizeof *answers; at++) {
        struct Log *log = log_new();
        struct NWS_ReconnectOptions again;
        CHECK_INT(NWS_InitReconnectOptions(&again, sizeof again), WEBSOCKET_OK);
        again.delayMs = 1;
        CHECK_INT(NWS_SetReconnect(log->client, &again), WEBSOCKET_OK);
        CHECK_INT(log_connect(log, ws, answers[at].path), WEBSOCKET_OK);
        if (answers[at].delay_ms > 0) {
            char expected[LOG_TEXT];
            snprintf(expected, sizeof expected, "reconnecting 1 after cause %d, 0, %d", answers[at].cause, answers[at].status);
            CHECK_TEXT(entry(log, 0), expected);
            CHECK(log->delay_ms >= answers[at].delay_ms && log->delay_ms <= answers[at].delay_ms + 1);
        } else {
            CHECK_TEXT(entry(log, 0), "error");
            CHECK_INT(log->failure.cause, answers[at].cause);
            CHECK_INT(log->failure.httpStatus, answers[at].status);
        }
        log_end(log);
    }
}

#define REFUSES_AGAIN(field, value)                                                     \
    do {                                                                                \
        struct NWS_ReconnectOptions bad;                                                \
        CHECK_INT(NWS_InitReconnectOptions(&bad, sizeof bad), WEBSOCKET_OK);            \
        bad.field = value;                                                              \
        CHECK_INT(NWS_SetReconnect(log->client, &bad), NWS_INVALID_ARGUMENT);           \
        CHECK_HAS(NWS_LastErrorMessage(), #field);                                      \
    } while (0)

static void names_the_invalid_reconnect_option(void)
{
    struct Log *log = log_new();
    REFUSES_AGAIN(size, 8);
    REFUSES_AGAIN(delayMs, 0);
    REFUSES_AGAIN(maxDelayMs, 0);
    REFUSES_AGAIN(causes, 1);
    REFUSES_AGAIN(causes, NWS_CAUSE_BIT(NWS_CAUSE_APPLICATION));
    REFUSES_AGAIN(causes, NWS_CAUSE_BIT(18));
    REFUSES_AGAIN(prepareTimeoutMs, 0);
    REFUSES_AGAIN(atOnce, 2);
    REFUSES_AGAIN(dropQueue, 2);
    REFUSES_AGAIN(ignoreNetwork, 2);
    OH_WebSocketClient_Destroy(log->client);
}

/* --- sending --- */

static void sends_the_requested_message_type(void)
{
    struct Log *log = log_open("/opcode");
    char *big = (char *)calloc(1, 5000000);
    CHECK_INT(NWS_SendText(log->client, NULL, 0), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 2), "text text 0");
    CHECK_INT(NWS_SendBinary(log->client, NULL, 0), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 3), "text binary 0");
    CHECK_INT(NWS_SendText(log->client, "a\0b", 3), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 4), "text text 3");
    CHECK_INT(NWS_SendBinary(log->client, "abc", 3), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 5), "text binary 3");
    /* Beyond the platform's 4 MiB. */
    CHECK_INT(NWS_SendBinary(log->client, big, 5000000), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 6), "text binary 5000000");
    CHECK_INT(NWS_SendText(log->client, "\xc3", 1), NWS_INVALID_UTF8);
    CHECK_INT(NWS_SendText(log->client, NULL, 1), WEBSOCKET_SEND_DATA_NULL);
    CHECK_HAS(NWS_LastErrorMessage(), "data");
    CHECK_INT(NWS_SendBinary(log->client, "", (size_t)-1), WEBSOCKET_DATA_LENGTH_EXCEEDED);
    CHECK_INT(NWS_SendWithCallback(log->client, 3, "a", 1, on_sent, log), NWS_INVALID_ARGUMENT);
    CHECK_HAS(NWS_LastErrorMessage(), "type");
    CHECK_INT(NWS_SendWithCallback(log->client, NWS_TEXT, "a", 1, NULL, log), NWS_INVALID_ARGUMENT);
    free(big);
    log_end(log);
}

static void reports_once_whether_a_message_was_sent(void)
{
    struct Log *log = log_open("/");
    int at;
    for (at = 0; at < 3; at++) {
        CHECK_INT(NWS_SendWithCallback(log->client, NWS_BINARY, "m", 1, on_sent, log), WEBSOCKET_OK);
        /* The echo cannot come before the kernel had the message. */
        CHECK_TEXT(entry(log, 2 + 2 * at), "sent WEBSOCKET_OK");
        CHECK_TEXT(entry(log, 3 + 2 * at), "binary m");
    }
    log_end(log);

    log = log_new();
    CHECK_INT(NWS_SendWithCallback(log->client, NWS_TEXT, "m", 1, on_sent, log), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, refused_url, "/"), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 0), "sent WEBSOCKET_NO_CONNECTION");
    CHECK_TEXT(entry(log, 1), "error");
    CHECK_INT(log->failure.unsentMessages, 1);
    CHECK_INT(NWS_SendWithCallback(log->client, NWS_TEXT, "m", 1, on_sent, log), WEBSOCKET_NO_CONNECTION);
    log_end(log);
    CHECK_INT(log->count, 2);

    log = log_new();
    CHECK_INT(NWS_SendWithCallback(log->client, NWS_TEXT, "m", 1, on_sent, log), WEBSOCKET_OK);
    CHECK_INT(NWS_SendWithCallback(log->client, NWS_TEXT, "m", 1, on_sent, log), WEBSOCKET_OK);
    CHECK_INT(OH_WebSocketClient_Destroy(log->client), WEBSOCKET_NO_CONNECTION_CONTEXT);
    CHECK_INT(log->count, 2);
    CHECK_TEXT(log->entries[1], "sent WEBSOCKET_DESTROYED");
}

static struct Lent {
    struct Flag released;
    char bytes[100001];
} lent_memory;

static void release(void *data, void *context)
{
    struct Lent *lent = (struct Lent *)context;
    CHECK(data == lent->bytes);
    flag_raise(&lent->released);
}

static void returns_lent_memory_once(void)
{
    struct Log *log = log_open("/");
    struct Lent *lent = &lent_memory;
    size_t length = sizeof lent->bytes - 1;
    int at;
    for (at = 0; at < 20; at++) {
        memset(lent->bytes, 'a' + at, length);
        CHECK_INT(NWS_SendOwned(log->client, NWS_TEXT, lent->bytes, length, release, lent), WEBSOCKET_OK);
        CHECK_INT(flag_await(&lent->released, at + 1), 1);
        CHECK_INT(entry(log, 2 + at)[5], 'a' + at);
        CHECK_INT(entry(log, 2 + at)[100], 'a' + at);
    }
    memset(lent->bytes, 'z', length);
    CHECK_INT(NWS_SendOwned(log->client, NWS_TEXT, lent->bytes, length, NULL, lent), NWS_INVALID_ARGUMENT);
    CHECK_INT(NWS_SendOwned(log->client, 0, lent->bytes, length, release, lent), NWS_INVALID_ARGUMENT);
    CHECK_INT(NWS_SendOwned(log->client, NWS_TEXT, NULL, length, release, lent), WEBSOCKET_SEND_DATA_NULL);
    log_end(log);
    CHECK_INT(NWS_SendOwned(log->client, NWS_TEXT, lent->bytes, length, release, lent), WEBSOCKET_CLIENT_NOT_CREATED);

    /* Dropped with an attempt; refused after it, and then it is still the caller's, as it was. */
    log = log_new();
    CHECK_INT(NWS_SendOwned(log->client, NWS_BINARY, lent->bytes, length, release, lent), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, refused_url, "/"), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 0), "error");
    CHECK_INT(flag_await(&lent->released, 21), 1);
    memset(lent->bytes, 'z', length);
    CHECK_INT(NWS_SendOwned(log->client, NWS_BINARY, lent->bytes, length, release, lent), WEBSOCKET_NO_CONNECTION);
    CHECK(lent->bytes[0] == 'z' && lent->bytes[length - 1] == 'z');
    log_end(log);
    CHECK_INT(flag_count(&lent->released), 21);

    /* Dropped with the client. */
    log = log_new();
    CHECK_INT(NWS_SendOwned(log->client, NWS_BINARY, lent->bytes, length, release, lent), WEBSOCKET_OK);
    OH_WebSocketClient_Destroy(log->client);
    CHECK_INT(flag_await(&lent->released, 22), 1);
}

static void sends_a_message_in_pieces(void)
{
    struct Log *log = log_open("/");
    CHECK_INT(NWS_SendPiece(log->client, NWS_TEXT, "\xe4\xbd", 2, 0), WEBSOCKET_OK);
    CHECK_INT(NWS_SendText(log->client, "x", 1), NWS_MESSAGE_UNFINISHED);
    CHECK_INT(NWS_SendPiece(log->client, NWS_BINARY, "x", 1, 0), NWS_MESSAGE_UNFINISHED);
    CHECK_INT(NWS_SendPiece(log->client, NWS_TEXT, "x", 1, 0), NWS_INVALID_UTF8);
    CHECK_INT(NWS_SendPiece(log->client, NWS_TEXT, "\xa0 and", 5, 0), WEBSOCKET_OK);
    CHECK_INT(NWS_SendPiece(log->client, NWS_TEXT, NULL, 0, 0), WEBSOCKET_OK);
    /* Control frames may come between (RFC 6455, section 5.4). */
    CHECK_INT(NWS_Ping(log->client, "p", 1), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 2), "pong p");
    CHECK_INT(NWS_SendPiece(log->client, NWS_TEXT, " \xc3", 2, 1), NWS_INVALID_UTF8);
    CHECK_INT(NWS_SendPiece(log->client, NWS_TEXT, " more", 5, 1), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 3), "text \xe4\xbd\xa0 and more");
    CHECK_INT(NWS_SendPiece(log->client, NWS_BINARY, "alone", 5, 1), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 4), "binary alone");
    CHECK_INT(NWS_SendPiece(log->client, 7, "x", 1, 1), NWS_INVALID_ARGUMENT);
    log_end(log);
}

static void reports_when_the_queue_has_drained(void)
{
    struct Log *log = log_new();
    struct NWS_Options options = default_options();
    char *block = (char *)calloc(1, 65536);
    uint64_t buffered = 0;
    options.sendQueueLimit = 200000;
    options.sendLowWater = 1000;
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    while (NWS_SendBinary(log->client, block, 65536) == WEBSOCKET_OK) {
    }
    CHECK_INT(NWS_SendBinary(log->client, block, 65536), WEBSOCKET_QUEUE_LENGTH_EXCEEDED);
    CHECK_INT(NWS_GetBufferedAmount(log->client, &buffered), WEBSOCKET_OK);
    CHECK(buffered > 3 * 65536 && buffered < 200000);
    CHECK_INT(NWS_GetBufferedAmount(log->client, NULL), NWS_INVALID_ARGUMENT);
    CHECK_INT(log_connect(log, ws, "/opcode"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 1), "open");
    CHECK_TEXT(entry(log, 2), "drain");
    CHECK_TEXT(entry(log, 5), "text binary 65536");
    CHECK_INT(NWS_GetBufferedAmount(log->client, &buffered), WEBSOCKET_OK);
    CHECK_INT(buffered, 0);
    free(block);
    log_end(log);
}

/* --- receiving --- */

/* The peer begins a message of 5 GiB, for which 32 bits have no address. */
static void accepts_limits_beyond_32_bits_of_memory(void)
{
    struct Log *log = log_new();
    struct NWS_Options options = default_options();
    struct NWS_Callbacks callbacks;
    CHECK_INT(NWS_InitCallbacks(&callbacks, sizeof callbacks), WEBSOCKET_OK);
    callbacks.userData = log;
    callbacks.onMessage = on_beginning;
    callbacks.onError = on_error;
    CHECK_INT(NWS_SetCallbacks(log->client, &callbacks), WEBSOCKET_OK);
    options.receivePieces = 1;
    options.maxMessageSize = UINT64_C(6) << 30;
    options.sendQueueLimit = UINT64_C(8) << 30;
    options.sendLowWater = UINT64_C(7) << 30;
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, ws, "/wire/827f00000001400000006669727374"), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 0), "begins first");
    CHECK_INT(NWS_SendText(log->client, "x", 1), WEBSOCKET_OK);
    log_end(log);

    /* The next one is over the limit by a byte. */
    log = log_new();
    options.maxMessageSize = (UINT64_C(5) << 30) - 1;
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, ws, "/wire/827f00000001400000006669727374"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 2), "error");
    CHECK_HAS(log->failure_text, "a message is larger than the limit of 5368709119 bytes");
    log_end(log);
}

static void receives_a_message_in_pieces(void)
{
    struct Log *log = log_new();
    struct NWS_Options options = default_options();
    struct NWS_Callbacks callbacks;
    struct NWS_Statistics statistics;
    options.receivePieces = 1;
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    NWS_InitCallbacks(&callbacks, sizeof callbacks);
    callbacks.userData = log;
    callbacks.onMessage = on_piece;
    callbacks.onClose = on_close;
    CHECK_INT(NWS_SetCallbacks(log->client, &callbacks), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, ws, "/large/30000000"), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 0), "last");
    CHECK_INT(log->bytes, 30000000);
    CHECK_INT(log->ordered, 1);
    CHECK(log->pieces > 100);
    memset(&statistics, 0, sizeof statistics);
    statistics.size = sizeof statistics;
    CHECK_INT(NWS_GetStatistics(log->client, &statistics), WEBSOCKET_OK);
    CHECK(statistics.bytesReceived > 30000000);
    CHECK_INT(statistics.messagesReceived, 1);
    log_end(log);
}

static void compressed_messages_may_end_with_a_final_block_and_must_be_complete(void)
{
    /* "a" and "b", each in a final block, a message without any block, and "c" in one that is not final. */
    static const char finished[] = "/deflated/c1034b0400c1034b0200c100c1034a0600";
    /* Parts of "a" in a block that is not final, which is 4a 04 00. */
    static const char *const cut[] = { "/deflated/c1014a", "/deflated/c1024a04" };
    struct Log *log = log_new();
    size_t at;
    CHECK_INT(log_connect(log, ws, finished), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 2), "text a");
    CHECK_TEXT(entry(log, 3), "text b");
    CHECK_TEXT(entry(log, 4), "text ");
    CHECK_TEXT(entry(log, 5), "text c");
    log_end(log);
    for (at = 0; at < sizeof cut / sizeof *cut; at++) {
        log = log_new();
        CHECK_INT(log_connect(log, ws, cut[at]), WEBSOCKET_OK);
        CHECK_TEXT(entry(log, 2), "error");
        CHECK_INT(log->failure.code, WEBSOCKET_PROTOCOL_ERROR);
        CHECK_HAS(log->failure_text, "compressed message");
        CHECK_HAS(entry(log, 3), "close 1007");
        log_end(log);
    }
}

static void enforces_the_message_limit(void)
{
    struct Log *log = log_new();
    struct NWS_Options options = default_options();
    options.maxMessageSize = 1000;
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, ws, "/large/1001"), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 2), "error");
    CHECK_INT(log->failure.code, WEBSOCKET_DATA_LENGTH_EXCEEDED);
    CHECK_INT(log->failure.phase, NWS_PHASE_OPEN);
    CHECK_HAS(entry(log, 3), "close 1009");
    log_end(log);
}

/* --- the connection --- */

static void names_the_phase_that_failed(void)
{
    struct Log *log = log_new();
    struct NWS_Options options = default_options();
    NWS_SendText(log->client, "never", 5);
    CHECK_INT(log_connect(log, refused_url, "/"), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 0), "error");
    CHECK_INT(log->failure.code, WEBSOCKET_CONNECTION_ERROR);
    CHECK_INT(log->failure.phase, NWS_PHASE_TCP);
    CHECK_INT(log->failure.httpStatus, 0);
    CHECK_INT(log->failure.unsentMessages, 1);
    CHECK_INT(log_connect(log, ws, "/status/404"), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 1), "error");
    CHECK_INT(log->failure.phase, NWS_PHASE_UPGRADE);
    CHECK_INT(log->failure.httpStatus, 404);
    options.connectTimeoutMs = 300;
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, ws, "/hang"), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 2), "error");
    CHECK_INT(log->failure.phase, NWS_PHASE_UPGRADE);
    options = default_options();
    options.caPath = "/nonexistent/ca.pem";
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, wss, "/"), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 3), "error");
    CHECK_INT(log->failure.phase, NWS_PHASE_TLS);
    log_end(log);
}

/* --- refusals, redirects, names, limits --- */

/* A socket that listens at its port of this machine. */
static int listens(unsigned *port)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    struct timeval patience = { EVENT_DEADLINE_S, 0 };
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 8) == 0);
    CHECK_INT(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    CHECK_INT(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    *port = ntohs(address.sin_port);
    return listener;
}

/* Reads so much of the next connection's first words, answers, and hangs up. */
static void answers(int listener, char *words, size_t size, const char *answer)
{
    int peer = accept(listener, NULL, NULL);
    ssize_t got = peer < 0 ? -1 : recv(peer, words, size - 1, 0);
    CHECK(got > 0);
    words[got > 0 ? got : 0] = '\0';
    CHECK(peer >= 0 && send(peer, answer, strlen(answer), MSG_NOSIGNAL) == (ssize_t)strlen(answer));
    close(peer);
}

static void reports_status_headers_and_body_of_a_refused_upgrade(void)
{
    struct Log *log = log_new();
    struct NWS_Options options = default_options();
    char words[512];
    char url[64];
    unsigned port;
    int listener = listens(&port);
    struct WebSocket_Header host = { "server.test", "127.0.0.1", NULL };
    options.hosts = &host;
    options.username = "alice";
    options.password = "sesame";
    options.supportOriginPort = 1;
    options.maxRedirects = 0;
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    snprintf(url, sizeof url, "ws://server.test:%u", port);
    CHECK_INT(log_connect(log, url, "/"), WEBSOCKET_OK);
    answers(listener, words, sizeof words, "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 5\r\n\r\nmoved");
    CHECK_HAS(words, "authorization: basic ywxpy2u6c2vzyw1l\r\n");
    snprintf(url, sizeof url, "origin: http://server.test:%u\r\n", port);
    CHECK_HAS(words, url);
    CHECK_TEXT(entry(log, 0), "error");
    CHECK_INT(log->failure.httpStatus, 302);
    CHECK_TEXT(log->location, "/there");
    CHECK_TEXT(log->body, "moved");
    log_end(log);
    close(listener);
}

static void follows_redirects(void)
{
    struct Log *log = log_new();
    char words[512];
    char url[64];
    char answer[256];
    unsigned port;
    int listener = listens(&port);
    snprintf(url, sizeof url, "ws://127.0.0.1:%u", port);
    CHECK_INT(log_connect(log, url, "/"), WEBSOCKET_OK);
    snprintf(answer, sizeof answer, "HTTP/1.1 307 There\r\nLocation: %s/\r\n\r\n", ws);
    answers(listener, words, sizeof words, answer);
    CHECK_HAS(entry(log, 1), "open");
    log_end(log);
    close(listener);
}

static void ends_each_phase_at_its_timeout(void)
{
    struct Log *log = log_new();
    struct NWS_Options options = default_options();
    options.upgradeTimeoutMs = 50;
    options.lookupTimeoutMs = options.tcpTimeoutMs = options.proxyTimeoutMs = options.tlsTimeoutMs = 30000;
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, ws, "/hang"), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 0), "error");
    CHECK_INT(log->failure.phase, NWS_PHASE_UPGRADE);
    CHECK_INT(log->failure.cause, NWS_CAUSE_TIMEOUT);
    log_end(log);
}

/* --- proxies --- */

static void uses_the_proxy_of_the_options(void)
{
    struct Log *log = log_new();
    struct NWS_Options options = default_options();
    char words[512];
    unsigned port;
    int listener = listens(&port);
    options.proxyType = NWS_PROXY_HTTP;
    options.proxyHost = "127.0.0.1";
    options.proxyPort = (uint16_t)port;
    options.proxyUsername = "alice";
    options.proxyPassword = "open sesame";
    options.proxyExclusions = "*.example.org, 127.0.0.1";
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, "ws://server.invalid", "/"), WEBSOCKET_OK);
    answers(listener, words, sizeof words, "HTTP/1.1 403 Filtered\r\n\r\n");
    CHECK_HAS(words, "CONNECT server.invalid:80 HTTP/1.1\r\n");
    CHECK_TEXT(entry(log, 0), "error");
    CHECK_INT(log->failure.phase, NWS_PHASE_PROXY);
    CHECK_INT(log->failure.code, WEBSOCKET_CONNECTION_ERROR);
    CHECK_INT(log->failure.httpStatus, 0);
    CHECK_INT(log_connect(log, ws, "/"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 2), "open");
    log_end(log);
    close(listener);
}

/* The stub of the platform's library reads these variables. */
static void uses_the_proxy_of_the_system(void)
{
    struct Log *log = log_new();
    char words[512];
    unsigned port;
    int listener = listens(&port);
    snprintf(words, sizeof words, "%u", port);
    setenv("NWS_PROXY_HOST", "127.0.0.1", 1);
    setenv("NWS_PROXY_PORT", words, 1);
    setenv("NWS_PROXY_EXCLUSIONS", "*.example.org,127.0.0.0/8", 1);
    CHECK_INT(log_connect(log, "wss://server.invalid:8443", "/"), WEBSOCKET_OK);
    answers(listener, words, sizeof words, "HTTP/1.1 407 Who?\r\n\r\n");
    CHECK_HAS(words, "CONNECT server.invalid:8443 HTTP/1.1\r\n");
    CHECK_TEXT(entry(log, 0), "error");
    CHECK_INT(log->failure.phase, NWS_PHASE_PROXY);
    CHECK_INT(log_connect(log, ws, "/"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 2), "open");
    log_end(log);
    /* A system that does not tell has none. */
    unsetenv("NWS_PROXY_EXCLUSIONS");
    setenv("NWS_PROXY_STATUS", "2100002", 1);
    log = log_new();
    CHECK_INT(log_connect(log, ws, "/"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 1), "open");
    log_end(log);
    unsetenv("NWS_PROXY_HOST");
    unsetenv("NWS_PROXY_PORT");
    unsetenv("NWS_PROXY_STATUS");
    close(listener);
}

static void trusts_certificates_as_the_options_say(void)
{
    struct Log *log = log_new();
    struct NWS_Options options = default_options();
    const char *untrusted = required("WSS_UNTRUSTED_URL");
    options.caPath = required("CA_FILE");
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, wss, "/"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 1), "open");
    log_end(log);

    log = log_new();
    CHECK_INT(log_connect(log, untrusted, "/"), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 0), "error");
    options = default_options();
    options.skipServerCertVerification = 1;
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, untrusted, "/"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 2), "open");
    log_end(log);
}

static void accepts_a_certificate_of_version_1_when_verification_is_skipped(void)
{
    struct Log *log = log_new();
    struct NWS_Options options = default_options();
    const char *version_1 = required("WSS_V1_URL");
    CHECK_INT(log_connect(log, version_1, "/"), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 0), "error");
    CHECK_INT(log->failure.cause, NWS_CAUSE_CERTIFICATE);
    options.skipServerCertVerification = 1;
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, version_1, "/"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 2), "open");
    log_end(log);
}

static void presents_a_client_certificate(void)
{
    const char *url = required("WSS_MUTUAL_URL");
    struct NWS_Options options = default_options();
    struct Log *log = log_new();
    int at;
    options.caPath = required("CA_FILE");
    options.clientCertPath = required("CLIENT_CERT_FILE");
    options.clientKeyPath = required("CLIENT_KEY_FILE");
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, url, "/"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 1), "open");
    log_end(log);
    /* None, one of another authority, a key of another certificate, no key at all, no file. */
    for (at = 0; at < 5; at++) {
        log = log_new();
        options.clientCertPath = at == 0 ? NULL : at == 1 ? required("OTHER_CERT_FILE") : required("CLIENT_CERT_FILE");
        options.clientKeyPath = at == 0   ? NULL
                                : at <= 2 ? required("OTHER_KEY_FILE")
                                : at == 3 ? required("CA_FILE")
                                          : "/nonexistent/client.key";
        CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
        CHECK_INT(log_connect(log, url, "/"), WEBSOCKET_OK);
        CHECK_TEXT(entry(log, 0), "error");
        CHECK_INT(log->failure.phase, NWS_PHASE_TLS);
        log_end(log);
    }
}

/* What stands between the first line of a PEM file and the last. */
static char key_body[4096];

static void write_key(const char *path, const char *line_end)
{
    char line[128];
    FILE *from = fopen(required("CLIENT_KEY_FILE"), "r");
    FILE *to = fopen(path, "w");
    CHECK(from != NULL && to != NULL);
    key_body[0] = '\0';
    while (fgets(line, sizeof line, from)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '-')
            strcat(key_body, line);
        fprintf(to, "%s%s", line, line_end);
    }
    fclose(from);
    fclose(to);
}

static void no_text_contains_a_byte_of_a_key(void)
{
    char path[] = "/tmp/net_websocket-key-XXXXXX";
    char contents[4200];
    const char *url = required("WSS_MUTUAL_URL");
    struct NWS_Options options = default_options();
    struct Log *log = log_new();
    int at;
    close(mkstemp(path));
    options.caPath = required("CA_FILE");
    options.clientCertPath = required("CLIENT_CERT_FILE");
    options.clientKeyPath = path;
    /* A key that has lost its line ends is as good as any. */
    write_key(path, "");
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, url, "/"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 1), "open");
    log_end(log);
    /* Line ends as two characters, and the file's contents in the place of its path. */
    write_key(path, "\\n");
    snprintf(contents, sizeof contents, "-----BEGIN PRIVATE KEY-----%s", key_body);
    for (at = 0; at < 3; at++) {
        log = log_new();
        options.clientKeyPath = at == 0 ? path : at == 1 ? contents : key_body;
        CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
        CHECK_INT(log_connect(log, url, "/"), WEBSOCKET_OK);
        CHECK_TEXT(entry(log, 0), "error");
        CHECK_INT(log->failure.phase, NWS_PHASE_TLS);
        CHECK_HAS(log->failure_text, at == 0 ? path : "not shown");
        CHECK_HAS(log->failure_text, at == 0 ? "a backslash and a letter" : "is not a path");
        key_body[16] = '\0';
        CHECK(strstr(log->failure_text, key_body) == NULL);
        CHECK(strstr(log->failure_text, "77, 73, 71") == NULL);
        log_end(log);
        write_key(path, "\\n");
    }
    unlink(path);
}

static void opens_a_client_key_by_its_password(void)
{
    static const char *const passwords[] = { NULL, "battery staple", "correct horse" };
    const char *url = required("WSS_MUTUAL_URL");
    struct NWS_Options options = default_options();
    struct Log *log = log_new();
    int at;
    options.clientCertPath = required("LOCKED_CERT_FILE");
    options.clientKeyPath = required("LOCKED_KEY_FILE");
    for (at = 0; at < 2; at++) {
        options.clientKeyPassword = passwords[at];
        CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
        CHECK_INT(log_connect(log, url, "/"), WEBSOCKET_OK);
        CHECK_TEXT(entry(log, at), "error");
        CHECK_INT(log->failure.code, WEBSOCKET_CONNECTION_ERROR);
        CHECK_HAS(log->failure_text, options.clientKeyPath);
        CHECK_HAS(log->failure_text, at == 0 ? "no password is set" : "is wrong");
        CHECK(strstr(log->failure_text, "staple") == NULL);
    }
    options.clientKeyPassword = passwords[2];
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, url, "/"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 3), "open");
    log_end(log);
}

static void requires_a_pinned_key(void)
{
    struct NWS_CertificatePinning right = { required("SERVER_PIN"), 0, NULL };
    struct NWS_CertificatePinning wrong = { "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 0, NULL };
    struct NWS_Options options = default_options();
    struct Log *log = log_new();
    options.certificatePinning = &wrong;
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, wss, "/"), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 0), "error");
    CHECK_INT(log->failure.phase, NWS_PHASE_TLS);
    CHECK_HAS(log->failure_text, right.publicKeyHash);
    wrong.next = &right;
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, wss, "/"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 2), "open");
    log_end(log);
    /* Expired pins do not count, and when no other is left the chain is enough. */
    log = log_new();
    wrong.next = NULL;
    wrong.expiresMs = 1;
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, wss, "/"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 1), "open");
    log_end(log);
    /* A list without an end. */
    log = log_new();
    right.next = &right;
    options.certificatePinning = &right;
    CHECK_INT(NWS_SetOptions(log->client, &options), NWS_INVALID_ARGUMENT);
    CHECK_HAS(NWS_LastErrorMessage(), "one too many");
    OH_WebSocketClient_Destroy(log->client);
}

static void verifies_the_name_of_tls_server_name(void)
{
    struct NWS_Options options = default_options();
    struct Log *log = log_new();
    options.tlsServerName = "example.invalid";
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, required("WSS_WRONG_NAME_URL"), "/"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 1), "open");
    log_end(log);
    log = log_new();
    options.alpnProtocols = "x-test, http/1.1";
    options.caPath = required("OTHER_CERT_FILE");
    options.caPathAddsToSystem = 1;
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, wss, "/"), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 0), "error");
    CHECK_HAS(log->failure_text, "not for example.invalid");
    options.tlsServerName = NULL;
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, wss, "/"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 2), "open");
    log_end(log);
}

static void refuses_tls_1_2_when_1_3_is_the_minimum(void)
{
    const char *url = required("WSS_TLS12_URL");
    struct NWS_Options options = default_options();
    struct Log *log = log_new();
    CHECK_INT(log_connect(log, url, "/"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 1), "open");
    log_end(log);
    log = log_new();
    options.tls13Only = 1;
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, url, "/"), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 0), "error");
    CHECK_INT(log->failure.phase, NWS_PHASE_TLS);
    CHECK_INT(log_connect(log, wss, "/"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 2), "open");
    log_end(log);
}

static void merges_the_headers_in_order(void)
{
    struct Probe *probe = probe_new();
    struct WebSocket_Header added = { "x-added", "1", NULL };
    struct WebSocket_Header second = { "x-options-b", "3", NULL };
    struct WebSocket_Header first = { "x-options-a", "2", &second };
    struct WebSocket_Header last = { "x-connect", "4", NULL };
    WebSocket_RequestOptions request = { &last };
    struct NWS_Options options = default_options();
    const char *text, *a, *b, *c, *d;
    options.headers = &first;
    CHECK_INT(NWS_SetOptions(probe->client, &options), WEBSOCKET_OK);
    /* Copied: what becomes of the list does not matter. */
    memset(&first, 0, sizeof first);
    memset(&second, 0, sizeof second);
    CHECK_INT(OH_WebSocketClient_AddHeader(probe->client, added), WEBSOCKET_OK);
    CHECK_INT(probe_connect_with(probe, ws, "/headers", request), WEBSOCKET_OK);
    text = probe_await(probe, MESSAGE, 0)->text;
    a = strstr(text, "x-added: 1");
    b = strstr(text, "x-options-a: 2");
    c = strstr(text, "x-options-b: 3");
    d = strstr(text, "x-connect: 4");
    CHECK(a != NULL && b > a && c > b && d > c);
    probe_finish(probe);
}

static void returns_sub_protocol_and_headers_of_the_answer(void)
{
    struct Log *log = log_new();
    struct NWS_Options options = default_options();
    char text[32];
    size_t length = sizeof text;
    CHECK_INT(NWS_GetProtocol(log->client, text, &length), NWS_NOT_FOUND);
    options.protocols = "chat, superchat";
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, ws, "/protocol"), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 1), "open chat");
    length = 0;
    CHECK_INT(NWS_GetProtocol(log->client, NULL, &length), WEBSOCKET_OK);
    CHECK_INT(length, 5);
    length = 4;
    CHECK_INT(NWS_GetProtocol(log->client, text, &length), NWS_BUFFER_TOO_SMALL);
    CHECK_INT(length, 5);
    CHECK_INT(NWS_GetProtocol(log->client, text, &length), WEBSOCKET_OK);
    CHECK_TEXT(text, "chat");
    CHECK_INT(NWS_GetProtocol(log->client, text, NULL), NWS_INVALID_ARGUMENT);
    CHECK_INT(NWS_GetExtensions(log->client, text, &length), NWS_NOT_FOUND);
    log_end(log);

    log = log_open("/headers");
    length = sizeof text;
    CHECK_INT(NWS_GetResponseHeader(log->client, "X-Test", 0, text, &length), WEBSOCKET_OK);
    CHECK_TEXT(text, "one");
    length = sizeof text;
    CHECK_INT(NWS_GetResponseHeader(log->client, "set-cookie", 1, text, &length), WEBSOCKET_OK);
    CHECK_TEXT(text, "b=2");
    CHECK_INT(NWS_GetResponseHeader(log->client, "set-cookie", 2, text, &length), NWS_NOT_FOUND);
    CHECK_INT(NWS_GetResponseHeader(log->client, NULL, 0, text, &length), NWS_INVALID_ARGUMENT);
    log_end(log);
}

static void pings_and_counts(void)
{
    struct {
        struct NWS_Statistics known;
        uint64_t more;
    } later;
    struct Log *log = log_new();
    struct NWS_Statistics statistics;
    char long_data[126] = { 0 };
    CHECK_INT(NWS_Ping(log->client, "x", 1), WEBSOCKET_NO_CONNECTION);
    memset(&statistics, 0, sizeof statistics);
    CHECK_INT(NWS_GetStatistics(log->client, &statistics), NWS_INVALID_ARGUMENT);
    statistics.size = sizeof statistics;
    CHECK_INT(NWS_GetStatistics(log->client, &statistics), WEBSOCKET_OK);
    CHECK_INT(statistics.connections, 0);
    CHECK_INT(statistics.roundTripUs, -1);
    CHECK_INT(statistics.upgradeUs, -1);
    CHECK_INT(NWS_GetStatistics(log->client, NULL), NWS_INVALID_ARGUMENT);
    CHECK_INT(log_connect(log, ws, "/"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 1), "open");
    CHECK_INT(log_connect(log, ws, "/"), WEBSOCKET_CONNECTION_ERROR);
    CHECK_HAS(NWS_LastErrorMessage(), "connected already");
    CHECK_INT(NWS_Ping(log->client, "one", 3), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 2), "pong one");
    CHECK(log->round_trip >= 0 && log->round_trip < 30000000);
    CHECK_INT(NWS_Ping(log->client, NULL, 0), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 3), "pong ");
    CHECK_INT(NWS_Ping(log->client, NULL, 1), WEBSOCKET_SEND_DATA_NULL);
    CHECK_INT(NWS_Ping(log->client, long_data, 126), WEBSOCKET_DATA_LENGTH_EXCEEDED);
    CHECK_INT(NWS_SendText(log->client, "count me", 8), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 4), "text count me");
    CHECK_INT(NWS_GetStatistics(log->client, &statistics), WEBSOCKET_OK);
    CHECK_INT(statistics.attempts, 1);
    CHECK_INT(statistics.connections, 1);
    CHECK_INT(statistics.pingsSent, 2);
    CHECK_INT(statistics.pongsReceived, 2);
    CHECK_INT(statistics.messagesSent, 1);
    /* Two pings of 9 and 6 bytes, a message of 14. */
    CHECK_INT(statistics.bytesSent, 29);
    CHECK_INT(statistics.bytesReceived, 5 + 2 + 10);
    CHECK(statistics.roundTripUs > 0 && statistics.smoothedRoundTripUs > 0 && statistics.minimumRoundTripUs > 0);
    CHECK(statistics.minimumRoundTripUs <= statistics.roundTripUs);
    CHECK(statistics.tcpUs >= 0 && statistics.upgradeUs > 0);
    CHECK_INT(statistics.tlsUs, 0);
    CHECK_INT(statistics.bufferedBytes, 0);
    /* A later version of the struct. */
    memset(&later, 0xab, sizeof later);
    later.known.size = sizeof later;
    CHECK_INT(NWS_GetStatistics(log->client, &later.known), WEBSOCKET_OK);
    CHECK_INT(later.known.messagesSent, 1);
    CHECK(later.more == 0);
    log_end(log);
}

static void on_frame(struct WebSocket *client, void *data, const struct NWS_Frame *frame)
{
    char text[LOG_TEXT];
    (void)client;
    snprintf(text, sizeof text, "frame %s %u of %u", frame->sent ? "sent" : "received", (unsigned)frame->opcode,
             (unsigned)frame->length);
    CHECK(frame->size == sizeof *frame && frame->fin == 1 && frame->compressed == 0);
    note((struct Log *)data, text);
}

static void on_statistics(struct WebSocket *client, void *data, const struct NWS_Statistics *statistics)
{
    (void)client;
    CHECK_INT(statistics->size, sizeof *statistics);
    if (statistics->pingsSent == 1 && statistics->pingsUnanswered == 0) {
        note((struct Log *)data, "answered");
    }
}

static void reports_frames_and_statistics_on_request(void)
{
    struct Log *log = log_new();
    struct NWS_Callbacks callbacks;
    struct NWS_Options options = default_options();
    NWS_InitCallbacks(&callbacks, sizeof callbacks);
    callbacks.userData = log;
    callbacks.onFrame = on_frame;
    CHECK_INT(NWS_SetCallbacks(log->client, &callbacks), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, ws, "/"), WEBSOCKET_OK);
    CHECK_INT(NWS_SendText(log->client, "x", 1), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 0), "frame sent 1 of 1");
    CHECK_TEXT(entry(log, 1), "frame received 1 of 1");
    log_end(log);

    /* One that comes when the connection is open already. */
    log = log_open("/");
    callbacks.userData = log;
    CHECK_INT(NWS_SetCallbacks(log->client, &callbacks), WEBSOCKET_OK);
    CHECK_INT(NWS_SendText(log->client, "x", 1), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 2), "frame sent 1 of 1");
    CHECK_TEXT(entry(log, 3), "frame received 1 of 1");
    log_end(log);

    log = log_new();
    callbacks.userData = log;
    callbacks.onFrame = NULL;
    callbacks.onStatistics = on_statistics;
    callbacks.onPong = on_pong;
    options.statisticsIntervalMs = 1;
    options.traceId = UINT64_C(0xa92ab1d3f2e);
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(NWS_SetCallbacks(log->client, &callbacks), WEBSOCKET_OK);
    CHECK_INT(NWS_SetLogLevel(NWS_LOG_INFO), WEBSOCKET_OK);
    CHECK_INT(log_connect(log, ws, "/"), WEBSOCKET_OK);
    while (NWS_GetState(log->client) == NWS_CONNECTING) {
    }
    CHECK_INT(NWS_Ping(log->client, "x", 1), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 0), "pong x");
    CHECK_TEXT(entry(log, 1), "answered");
    CHECK_INT(NWS_SetLogLevel(NWS_LOG_OFF), WEBSOCKET_OK);
    CHECK_INT(NWS_SetLogLevel(0), NWS_INVALID_ARGUMENT);
    CHECK_HAS(NWS_LastErrorMessage(), "level");
    log_end(log);
}

static void on_sent_frame(struct WebSocket *client, void *data, const struct NWS_Frame *frame)
{
    char text[LOG_TEXT];
    (void)client;
    if (frame->sent) {
        snprintf(text, sizeof text, "%u%s of %u", (unsigned)frame->opcode, frame->fin ? " at the end" : "",
                 (unsigned)frame->length);
        note((struct Log *)data, text);
    }
}

static void sends_a_long_message_in_fragments_by_default(void)
{
    enum { LENGTH = 1300000, WHOLE_MAX = 1048576 };
    static char message[LENGTH];
    static const char *const in_fragments[] = { "2 of 262130", "0 of 262130", "0 of 262130", "0 of 262130",
                                                "0 at the end of 251480", NULL };
    static const char *const in_one[] = { "2 at the end of 1300000", NULL };
    static const char *const longest_in_one[] = { "2 at the end of 1048576", NULL };
    static const struct {
        size_t length;
        uint8_t fragment_messages;
        const char *const *frames;
    } cases[] = { { LENGTH, 1, in_fragments }, { LENGTH, 0, in_one }, { WHOLE_MAX, 1, longest_in_one } };
    struct NWS_Callbacks callbacks;
    struct NWS_Options options = default_options();
    size_t number;
    CHECK_INT(options.fragmentMessages, 1);
    options.perMessageDeflate = 0;
    NWS_InitCallbacks(&callbacks, sizeof callbacks);
    callbacks.onFrame = on_sent_frame;
    for (number = 0; number < sizeof cases / sizeof *cases; number++) {
        struct Log *log = log_new();
        int frame;
        callbacks.userData = log;
        options.fragmentMessages = cases[number].fragment_messages;
        CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
        CHECK_INT(NWS_SetCallbacks(log->client, &callbacks), WEBSOCKET_OK);
        CHECK_INT(log_connect(log, ws, "/"), WEBSOCKET_OK);
        CHECK_INT(NWS_SendBinary(log->client, message, cases[number].length), WEBSOCKET_OK);
        for (frame = 0; cases[number].frames[frame] != NULL; frame++) {
            CHECK_TEXT(entry(log, frame), cases[number].frames[frame]);
        }
        log_end(log);
    }
}

static void limits_the_queue_by_messages(void)
{
    struct Log *log = log_new();
    struct NWS_Options options = default_options();
    struct NWS_Statistics statistics;
    options.sendQueueMessages = 2;
    CHECK_INT(NWS_SetOptions(log->client, &options), WEBSOCKET_OK);
    CHECK_INT(NWS_SendText(log->client, "a", 1), WEBSOCKET_OK);
    CHECK_INT(NWS_SendText(log->client, "b", 1), WEBSOCKET_OK);
    CHECK_INT(NWS_SendText(log->client, "c", 1), WEBSOCKET_QUEUE_LENGTH_EXCEEDED);
    statistics.size = sizeof statistics;
    CHECK_INT(NWS_GetStatistics(log->client, &statistics), WEBSOCKET_OK);
    CHECK_INT(statistics.bufferedMessages, 2);
    CHECK_INT(log_connect(log, ws, "/"), WEBSOCKET_OK);
    CHECK_TEXT(entry(log, 2), "drain");
    CHECK_TEXT(entry(log, 3), "text a");
    CHECK_TEXT(entry(log, 4), "text b");
    log_end(log);
}

static void reports_each_state(void)
{
    struct Log *log = log_new();
    WebSocket_CloseOption close = { 0, NULL };
    CHECK_INT(NWS_GetState(log->client), NWS_IDLE);
    CHECK(NWS_GetId(log->client) > 0);
    CHECK_INT(log_connect(log, ws, "/hang"), WEBSOCKET_OK);
    CHECK_INT(NWS_GetState(log->client), NWS_CONNECTING);
    CHECK_INT(OH_WebSocketClient_Close(log->client, close), WEBSOCKET_NO_CONNECTION);
    CHECK_TEXT(entry(log, 0), "error");
    CHECK_INT(NWS_GetState(log->client), NWS_IDLE);
    CHECK_INT(log_connect(log, ws, "/"), WEBSOCKET_OK);
    CHECK_HAS(entry(log, 2), "open");
    CHECK_INT(NWS_GetState(log->client), NWS_OPEN);
    CHECK_INT(OH_WebSocketClient_Close(log->client, close), WEBSOCKET_OK);
    CHECK_INT(NWS_GetState(log->client), NWS_CLOSING + (log->count > 3));
    CHECK_TEXT(entry(log, 3), "close 1000 ");
    CHECK_INT(NWS_GetState(log->client), NWS_CLOSED);
    log_end(log);
}

/* --- careless callers --- */

static void reports_an_error_for_an_unknown_client(void)
{
    struct WebSocket *gone = OH_WebSocketClient_Constructor(NULL, NULL, NULL, NULL);
    struct WebSocket *const none[] = { NULL, gone, (struct WebSocket *)(uintptr_t)0xdead0001 };
    const int expected[] = { WEBSOCKET_CLIENT_NULL, WEBSOCKET_CLIENT_NOT_CREATED, WEBSOCKET_CLIENT_NOT_CREATED };
    struct NWS_Statistics statistics;
    char text[8];
    size_t length = sizeof text;
    uint64_t bytes;
    int at;
    OH_WebSocketClient_Destroy(gone);
    memset(&statistics, 0, sizeof statistics);
    statistics.size = sizeof statistics;
    for (at = 0; at < 3; at++) {
        CHECK_INT(NWS_SetOptions(none[at], NULL), expected[at]);
        CHECK_HAS(NWS_LastErrorMessage(), "client");
        CHECK_INT(NWS_SetCallbacks(none[at], NULL), expected[at]);
        CHECK_INT(NWS_SetUserData(none[at], text), expected[at]);
        CHECK(NWS_GetUserData(none[at]) == NULL);
        CHECK_INT(NWS_SendText(none[at], "x", 1), expected[at]);
        CHECK_INT(NWS_SendBinary(none[at], "x", 1), expected[at]);
        CHECK_INT(NWS_SendWithCallback(none[at], NWS_TEXT, "x", 1, on_sent, NULL), expected[at]);
        CHECK_INT(NWS_SendOwned(none[at], NWS_TEXT, text, 1, release, NULL), expected[at]);
        CHECK_INT(NWS_SendPiece(none[at], NWS_TEXT, "x", 1, 1), expected[at]);
        CHECK_INT(NWS_Ping(none[at], "x", 1), expected[at]);
        CHECK_INT(NWS_GetState(none[at]), -1);
        CHECK_INT(NWS_GetBufferedAmount(none[at], &bytes), expected[at]);
        CHECK_INT(NWS_GetProtocol(none[at], text, &length), expected[at]);
        CHECK_INT(NWS_GetExtensions(none[at], text, &length), expected[at]);
        CHECK_INT(NWS_GetResponseHeader(none[at], "x", 0, text, &length), expected[at]);
        CHECK_INT(NWS_GetStatistics(none[at], &statistics), expected[at]);
        CHECK_INT(NWS_GetId(none[at]), 0);
    }
}

int main(void)
{
    check_begin("ext", 180);
    ws = required("WS_URL");
    wss = required("WSS_URL");
    RUN(returns_its_version_and_its_codes);
    RUN(refuses_structs_of_unknown_versions);
    RUN(names_the_invalid_option);
    RUN(callbacks_come_in_order_with_the_pointer);
    RUN(without_callbacks_those_of_the_constructor_are_called);
    RUN(callbacks_set_in_a_callback_get_the_next_event);
    RUN(a_client_destroyed_in_a_callback_gets_no_more_events);
    RUN(reconnects_with_a_prepared_handshake);
    RUN(an_invalid_close_frame_is_retried_by_its_code);
    RUN(an_attempt_can_be_prepared_later);
    RUN(an_attempt_that_cannot_be_prepared_fails);
    RUN(retry_now_close_and_destroy_end_a_retry_delay);
    RUN(waits_as_long_as_retry_after_asks);
    RUN(names_the_invalid_reconnect_option);
    RUN(sends_the_requested_message_type);
    RUN(reports_once_whether_a_message_was_sent);
    RUN(returns_lent_memory_once);
    RUN(sends_a_message_in_pieces);
    RUN(reports_when_the_queue_has_drained);
    RUN(receives_a_message_in_pieces);
    RUN(accepts_limits_beyond_32_bits_of_memory);
    RUN(compressed_messages_may_end_with_a_final_block_and_must_be_complete);
    RUN(enforces_the_message_limit);
    RUN(names_the_phase_that_failed);
    RUN(reports_status_headers_and_body_of_a_refused_upgrade);
    RUN(follows_redirects);
    RUN(ends_each_phase_at_its_timeout);
    RUN(uses_the_proxy_of_the_options);
    RUN(uses_the_proxy_of_the_system);
    RUN(trusts_certificates_as_the_options_say);
    RUN(accepts_a_certificate_of_version_1_when_verification_is_skipped);
    RUN(presents_a_client_certificate);
    RUN(no_text_contains_a_byte_of_a_key);
    RUN(opens_a_client_key_by_its_password);
    RUN(requires_a_pinned_key);
    RUN(verifies_the_name_of_tls_server_name);
    RUN(refuses_tls_1_2_when_1_3_is_the_minimum);
    RUN(merges_the_headers_in_order);
    RUN(returns_sub_protocol_and_headers_of_the_answer);
    RUN(pings_and_counts);
    RUN(reports_frames_and_statistics_on_request);
    RUN(sends_a_long_message_in_fragments_by_default);
    RUN(limits_the_queue_by_messages);
    RUN(reports_each_state);
    RUN(reports_an_error_for_an_unknown_client);
    return check_end();
}
