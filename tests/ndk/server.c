/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Tests the server of net_websocket_ext.h: its functions and refusals, clients that violate the protocol, and a shortage of
 * descriptors.
 */

#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <network/netstack/net_websocket_ext.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>

#define ENTRIES 256
#define ENTRY_TEXT 160
#define SENDERS 8

/* --- a server whose events are recorded --- */

struct Record {
    struct NWS_Server *server;
    char entries[ENTRIES][ENTRY_TEXT];
    int count;
    /* What a request is answered with; NULL: it is left for the test. */
    void (*answer)(struct Record *record, const struct NWS_ServerRequest *request);
    uint64_t request;
    /* Runs inside the callback of a message, before it is echoed. */
    void (*hook)(struct Record *record, uint64_t connection);
    int mute;
    int destroyed;
    struct NWS_ServerStatistics seen;
    struct Flag flag;
};

static void note(struct Record *record, const char *format, ...)
{
    va_list arguments;
    char text[ENTRY_TEXT];
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&check.lock);
    if (record->count < ENTRIES) {
        memcpy(record->entries[record->count++], text, sizeof text);
    }
    pthread_cond_broadcast(&check.changed);
    pthread_mutex_unlock(&check.lock);
}

/* Whether there is, or comes, an entry that begins so. */
static int noted(struct Record *record, const char *beginning)
{
    struct timespec until = deadline();
    int at = 0, found = 0;
    pthread_mutex_lock(&check.lock);
    do {
        for (; at < record->count && !found; at++) {
            found = strncmp(record->entries[at], beginning, strlen(beginning)) == 0;
        }
    } while (!found && changes_before(&until));
    pthread_mutex_unlock(&check.lock);
    return found;
}

static int count_of(struct Record *record, const char *beginning)
{
    int at, found = 0;
    pthread_mutex_lock(&check.lock);
    for (at = 0; at < record->count; at++) {
        found += strncmp(record->entries[at], beginning, strlen(beginning)) == 0;
    }
    pthread_mutex_unlock(&check.lock);
    return found;
}

#define NOTED(record, beginning) \
    (noted(record, beginning) ? (void)0                                                                              \
                              : check_failed(__FILE__, __LINE__, "no event \"%s\", but %d, the last \"%s\"", beginning, \
                                             (record)->count, (record)->count > 0 ? (record)->entries[(record)->count - 1] : ""))

static void on_request(struct NWS_Server *server, void *data, const struct NWS_ServerRequest *request)
{
    struct Record *record = (struct Record *)data;
    CHECK(server == record->server);
    CHECK_INT(request->size, sizeof *request);
    CHECK_TEXT(request->address, "127.0.0.1");
    CHECK(request->port > 0);
    note(record, "request %s [%s]", request->target, request->protocols);
    pthread_mutex_lock(&check.lock);
    record->request = request->request;
    pthread_mutex_unlock(&check.lock);
    if (record->answer != NULL) {
        record->answer(record, request);
    }
    flag_raise(&record->flag);
}

static void on_open(struct NWS_Server *server, void *data, uint64_t connection, const struct NWS_ServerConnection *info)
{
    struct Record *record = (struct Record *)data;
    char address[64] = "";
    size_t length = sizeof address;
    uint16_t port = 0;
    CHECK_INT(info->size, sizeof *info);
    CHECK_INT(NWS_ServerGetAddress(server, connection, address, &length, &port), WEBSOCKET_OK);
    CHECK_TEXT(info->address, address);
    CHECK_INT(info->port, port);
    note(record, "open %u %s [%s]", (unsigned)connection, info->target, info->protocol);
}

static void on_message(struct NWS_Server *server, void *data, uint64_t connection, const struct NWS_Message *message)
{
    struct Record *record = (struct Record *)data;
    CHECK_INT(message->size, sizeof *message);
    CHECK_INT(message->data[message->length], '\0');
    CHECK(!record->destroyed);
    if (record->hook != NULL) {
        record->hook(record, connection);
    }
    if (record->mute) {
        return;
    }
    if (message->type == NWS_TEXT) {
        CHECK_INT(NWS_ServerSendText(server, connection, message->data, message->length), WEBSOCKET_OK);
    } else {
        CHECK_INT(NWS_ServerSendBinary(server, connection, message->data, message->length), WEBSOCKET_OK);
    }
}

static void on_drain(struct NWS_Server *server, void *data, uint64_t connection)
{
    (void)server;
    note((struct Record *)data, "drain %u", (unsigned)connection);
}

static void on_error(struct NWS_Server *server, void *data, uint64_t connection, const struct NWS_Failure *failure)
{
    (void)server;
    CHECK_INT(failure->size, sizeof *failure);
    note((struct Record *)data, "error %u %d %d %s", (unsigned)connection, (int)failure->code, (int)failure->cause,
         failure->message);
}

static void on_close(struct NWS_Server *server, void *data, uint64_t connection, const struct NWS_Close *close)
{
    (void)server;
    CHECK_INT(close->size, sizeof *close);
    note((struct Record *)data, "close %u %u %s", (unsigned)connection, (unsigned)close->code, close->reason);
}

static void on_stop(struct NWS_Server *server, void *data)
{
    struct Record *record = (struct Record *)data;
    (void)server;
    note(record, "stop");
}

static void create(struct Record *record)
{
    struct NWS_ServerCallbacks callbacks;
    memset(record, 0, sizeof *record);
    CHECK_INT(NWS_InitServerCallbacks(&callbacks, sizeof callbacks), WEBSOCKET_OK);
    callbacks.userData = record;
    callbacks.onOpen = on_open;
    callbacks.onMessage = on_message;
    callbacks.onDrain = on_drain;
    callbacks.onError = on_error;
    callbacks.onClose = on_close;
    callbacks.onStop = on_stop;
    record->server = NWS_ServerCreate(&callbacks);
    CHECK(record->server != NULL);
}

/* A server that reports its requests. */
static void create_asking(struct Record *record, void (*answer)(struct Record *, const struct NWS_ServerRequest *))
{
    struct NWS_ServerCallbacks callbacks;
    memset(record, 0, sizeof *record);
    NWS_InitServerCallbacks(&callbacks, sizeof callbacks);
    callbacks.userData = record;
    callbacks.onRequest = on_request;
    callbacks.onOpen = on_open;
    callbacks.onMessage = on_message;
    callbacks.onClose = on_close;
    callbacks.onError = on_error;
    callbacks.onStop = on_stop;
    record->answer = answer;
    record->server = NWS_ServerCreate(&callbacks);
}

static struct NWS_ServerOptions defaults(void)
{
    struct NWS_ServerOptions options;
    CHECK_INT(NWS_InitServerOptions(&options, sizeof options), WEBSOCKET_OK);
    options.address = "127.0.0.1";
    options.maxConnectionsPerAddress = 100;
    return options;
}

static uint16_t start(struct Record *record, const struct NWS_ServerOptions *options)
{
    uint16_t port = 0;
    CHECK_INT(NWS_ServerStart(record->server, options), WEBSOCKET_OK);
    CHECK_INT(NWS_ServerGetAddress(record->server, 0, NULL, NULL, &port), WEBSOCKET_OK);
    CHECK(port > 0);
    return port;
}

static const char *url_of(uint16_t port)
{
    static char url[64];
    snprintf(url, sizeof url, "ws://127.0.0.1:%u", (unsigned)port);
    return url;
}

static void destroy(struct Record *record)
{
    CHECK_INT(NWS_ServerDestroy(record->server), WEBSOCKET_OK);
    record->destroyed = 1;
}

/* A client without a library. */
static int raw_client(uint16_t port, const char *text)
{
    struct sockaddr_in address;
    struct timeval patience = { EVENT_DEADLINE_S, 0 };
    int peer = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    CHECK(connect(peer, (struct sockaddr *)&address, sizeof address) == 0);
    CHECK(send(peer, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
    return peer;
}

#define UPGRADE                                                                                                      \
    "GET /raw HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"     \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

/* What comes up to the end of a head. */
static void read_head(int peer, char *head, size_t room)
{
    size_t length = 0;
    while (length + 1 < room && recv(peer, head + length, 1, 0) == 1) {
        head[++length] = '\0';
        if (length >= 4 && strcmp(head + length - 4, "\r\n\r\n") == 0) {
            return;
        }
    }
    check_failed(__FILE__, __LINE__, "no whole head: \"%.200s\"", length > 0 ? head : "");
}

/* Whether the server ends the connection. */
static int ends(int peer)
{
    char discarded[4096];
    ssize_t got;
    do {
        got = recv(peer, discarded, sizeof discarded, 0);
    } while (got > 0);
    return got == 0 || errno == ECONNRESET;
}

/* --- tests --- */

static void echoes_and_counts(void)
{
    static struct Record record;
    static const char binary[] = { 0, 1, 2, (char)0xff };
    struct NWS_ServerOptions options = defaults();
    struct NWS_ServerStatistics statistics;
    struct NWS_Statistics of_one;
    struct Probe *first, *second;
    uint64_t numbers[4], bytes = 1;
    size_t count = 0;
    int32_t result;
    uint16_t port;
    create(&record);
    options.perMessageDeflate = 1;
    port = start(&record, &options);
    first = probe_open(url_of(port), "/first?a=b");
    NOTED(&record, "open 1 /first?a=b []");
    probe_round_trip_text(first, "h\xc3\xa4llo");
    probe_round_trip(first, binary, sizeof binary);
    second = probe_open(url_of(port), "/second");
    NOTED(&record, "open 2 /second []");
    CHECK_INT(NWS_ServerGetConnections(record.server, NULL, &count), WEBSOCKET_OK);
    CHECK_INT(count, 2);
    count = 1;
    CHECK_INT(NWS_ServerGetConnections(record.server, numbers, &count), NWS_BUFFER_TOO_SMALL);
    CHECK_INT(count, 2);
    CHECK_INT(NWS_ServerGetConnections(record.server, numbers, &count), WEBSOCKET_OK);
    CHECK(numbers[0] == 1 && numbers[1] == 2);
    CHECK_INT(NWS_ServerGetBufferedAmount(record.server, 1, &bytes), WEBSOCKET_OK);
    CHECK_INT(bytes, 0);
    of_one.size = sizeof of_one;
    CHECK_INT(NWS_ServerGetConnectionStatistics(record.server, 1, &of_one), WEBSOCKET_OK);
    CHECK_INT(of_one.messagesReceived, 2);
    probe_finish(first);
    NOTED(&record, "close 1 1000 done");
    /* Until its last callback returns, the connection exists and refuses sends. */
    while ((result = NWS_ServerSendText(record.server, 1, "late", 4)) == WEBSOCKET_NO_CONNECTION) {
        sched_yield();
    }
    CHECK_INT(result, NWS_NOT_FOUND);
    CHECK_HAS(NWS_LastErrorMessage(), "connection: 1 does not exist");
    CHECK_INT(NWS_ServerClose(record.server, 2, 4000, "go"), WEBSOCKET_OK);
    result = NWS_ServerClose(record.server, 2, 4001, "again");
    CHECK(result == WEBSOCKET_OK || result == NWS_NOT_FOUND);
    CHECK_INT(probe_await(second, CLOSE, 0)->code, 4000);
    NOTED(&record, "close 2 4000 go");
    statistics.size = sizeof statistics;
    CHECK_INT(NWS_ServerGetStatistics(record.server, &statistics), WEBSOCKET_OK);
    CHECK(statistics.opened == 2 && statistics.messagesReceived == 2 && statistics.messagesSent == 2);
    probe_destroy(second);
    destroy(&record);
}

static void answer_by_path(struct Record *record, const struct NWS_ServerRequest *request)
{
    struct WebSocket_Header second = { "X-Other", "two", NULL };
    struct WebSocket_Header first = { "X-Mine", "one", &second };
    struct WebSocket_Header own = { "Upgrade", "h2c", NULL };
    struct WebSocket_Header bad = { "X-Bad", "a\nb", NULL };
    struct NWS_Server *server = record->server;
    if (strcmp(request->target, "/no") == 0) {
        CHECK_INT(NWS_ServerRefuse(server, request->request, 200, NULL, NULL), NWS_INVALID_ARGUMENT);
        CHECK_INT(NWS_ServerRefuse(server, request->request, 403, &first, "not you"), WEBSOCKET_OK);
        CHECK_INT(NWS_ServerRefuse(server, request->request, 403, NULL, NULL), NWS_NOT_FOUND);
    } else {
        CHECK_INT(NWS_ServerAccept(server, request->request, "none", NULL), NWS_INVALID_ARGUMENT);
        CHECK_HAS(NWS_LastErrorMessage(), "protocol: the client did not offer it");
        CHECK_INT(NWS_ServerAccept(server, request->request, NULL, &own), NWS_INVALID_ARGUMENT);
        CHECK_HAS(NWS_LastErrorMessage(), "headers: entry 0: is set by the library");
        CHECK_INT(NWS_ServerAccept(server, request->request, NULL, &bad), NWS_INVALID_ARGUMENT);
        CHECK_INT(NWS_ServerAccept(server, request->request, "b", &first), WEBSOCKET_OK);
    }
}

static void accepts_and_refuses_requests(void)
{
    static struct Record record;
    struct NWS_ServerOptions options = defaults();
    struct NWS_Options client;
    struct Probe *probe = probe_new();
    char value[32];
    size_t length = sizeof value;
    uint16_t port;
    options.protocols = "a, b";
    create_asking(&record, answer_by_path);
    port = start(&record, &options);
    NWS_InitOptions(&client, sizeof client);
    client.protocols = "a, b, c";
    CHECK_INT(NWS_SetOptions(probe->client, &client), WEBSOCKET_OK);
    CHECK_INT(probe_connect(probe, url_of(port), "/no"), WEBSOCKET_OK);
    CHECK_HAS(probe_await(probe, ERROR, 0)->text, "403");
    NOTED(&record, "request /no [a, b, c]");
    probe_await_end(probe);
    CHECK_INT(probe_connect(probe, url_of(port), "/yes"), WEBSOCKET_OK);
    probe_await(probe, OPEN, 0);
    CHECK_INT(NWS_GetProtocol(probe->client, value, &length), WEBSOCKET_OK);
    CHECK_TEXT(value, "b");
    length = sizeof value;
    CHECK_INT(NWS_GetResponseHeader(probe->client, "x-other", 0, value, &length), WEBSOCKET_OK);
    CHECK_TEXT(value, "two");
    probe_finish(probe);
    destroy(&record);
}

static void an_answer_may_come_later_or_never(void)
{
    static struct Record record;
    struct NWS_ServerOptions options = defaults();
    struct Probe *probe = probe_new();
    uint64_t request;
    uint16_t port;
    create_asking(&record, NULL);
    port = start(&record, &options);
    CHECK_INT(probe_connect(probe, url_of(port), "/"), WEBSOCKET_OK);
    CHECK(flag_await(&record.flag, 1));
    CHECK_INT(probe_count(probe, OPEN), 0);
    request = record.request;
    CHECK_INT(NWS_ServerAccept(record.server, request, NULL, NULL), WEBSOCKET_OK);
    probe_await(probe, OPEN, 0);
    CHECK_INT(NWS_ServerAccept(record.server, request, NULL, NULL), NWS_NOT_FOUND);
    probe_finish(probe);
    destroy(&record);

    options.handshakeTimeoutMs = 100;
    create_asking(&record, NULL);
    port = start(&record, &options);
    probe = probe_new();
    CHECK_INT(probe_connect(probe, url_of(port), "/"), WEBSOCKET_OK);
    probe_await(probe, ERROR, 0);
    CHECK(flag_await(&record.flag, 1));
    CHECK_INT(NWS_ServerRefuse(record.server, record.request, 403, NULL, NULL), NWS_NOT_FOUND);
    probe_destroy(probe);
    destroy(&record);
}

static void a_broadcast_reaches_the_listed_connections_only(void)
{
    static struct Record record;
    struct NWS_ServerOptions options = defaults();
    struct Probe *probes_of[3];
    const uint64_t named[] = { 3, 1, 77 };
    size_t taken = 0, at;
    uint16_t port;
    create(&record);
    port = start(&record, &options);
    for (at = 0; at < 3; at++) {
        char opened[16];
        probes_of[at] = probe_open(url_of(port), "/");
        snprintf(opened, sizeof opened, "open %u", (unsigned)at + 1);
        NOTED(&record, opened);
    }
    CHECK_INT(NWS_ServerBroadcast(record.server, NWS_TEXT, "two", 3, named, 3, &taken), WEBSOCKET_OK);
    CHECK_INT(taken, 2);
    CHECK_INT(NWS_ServerBroadcast(record.server, NWS_BINARY, "all", 3, NULL, 0, &taken), WEBSOCKET_OK);
    CHECK_INT(taken, 3);
    CHECK_TEXT(probe_await(probes_of[0], MESSAGE, 0)->text, "two");
    CHECK_TEXT(probe_await(probes_of[0], MESSAGE, 1)->text, "all");
    CHECK_TEXT(probe_await(probes_of[1], MESSAGE, 0)->text, "all");
    CHECK_TEXT(probe_await(probes_of[2], MESSAGE, 0)->text, "two");
    CHECK_INT(NWS_ServerBroadcast(record.server, 3, "all", 3, NULL, 0, NULL), NWS_INVALID_ARGUMENT);
    CHECK_INT(NWS_ServerBroadcast(record.server, NWS_TEXT, "\xff", 1, NULL, 0, NULL), NWS_INVALID_UTF8);
    for (at = 0; at < 3; at++) {
        probe_finish(probes_of[at]);
    }
    destroy(&record);
}

static void a_full_queue_drains(void)
{
    static struct Record record;
    static char data[65536], head[2048];
    struct NWS_ServerOptions options = defaults();
    struct timespec until, now;
    uint64_t bytes = 0;
    uint16_t port;
    int peer, result, sent = 0;
    create(&record);
    options.sendQueueLimit = 200000;
    port = start(&record, &options);
    peer = raw_client(port, UPGRADE);
    read_head(peer, head, sizeof head);
    CHECK_HAS(head, "HTTP/1.1 101 ");
    NOTED(&record, "open 1 /raw");
    /* The client does not read, so the kernel's buffers and then the queue fill. */
    do {
        result = NWS_ServerSendBinary(record.server, 1, data, sizeof data);
        sent += result == WEBSOCKET_OK;
    } while (result == WEBSOCKET_OK && sent < 1000000);
    CHECK_INT(result, WEBSOCKET_QUEUE_LENGTH_EXCEEDED);
    CHECK_INT(NWS_ServerGetBufferedAmount(record.server, 1, &bytes), WEBSOCKET_OK);
    CHECK(bytes <= 200000);
    /* There may be nothing more to read when it comes. */
    until = deadline();
    do {
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (recv(peer, data, sizeof data, MSG_DONTWAIT) <= 0) {
            sched_yield();
        }
    } while (count_of(&record, "drain") == 0 && now.tv_sec <= until.tv_sec);
    NOTED(&record, "drain 1");
    close(peer);
    NOTED(&record, "close 1 1006");
    destroy(&record);
}

static void refuses_clients_over_a_limit(void)
{
    static struct Record record;
    struct NWS_ServerOptions options = defaults();
    struct NWS_ServerStatistics statistics;
    struct Probe *probe;
    uint16_t port;
    int peer;
    create(&record);
    options.maxConnectionsPerAddress = 1;
    port = start(&record, &options);
    probe = probe_open(url_of(port), "/");
    peer = raw_client(port, "");
    CHECK(ends(peer));
    close(peer);
    NOTED(&record, "error 0 1003 13 client 127.0.0.1 refused: this client has the maximum number of connections");
    statistics.size = sizeof statistics;
    CHECK_INT(NWS_ServerGetStatistics(record.server, &statistics), WEBSOCKET_OK);
    CHECK(statistics.keptOut == 1 && statistics.open == 1);
    probe_round_trip_text(probe, "still here");
    probe_finish(probe);
    destroy(&record);
}

static void protocol_violations_end_only_their_own_connection(void)
{
    static struct Record record;
    /* Unmasked text, a reserved opcode, a close of one byte, an endless length. */
    static const struct {
        const char *bytes;
        size_t length;
        const char *closed;
    } frames[] = {
        { "\x81\x02hi", 4, "close 2 1002" },
        { "\x83\x80\0\0\0\0", 6, "close 3 1002" },
        { "\x88\x81\0\0\0\0x", 7, "close 4 1002" },
        { "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14, "close 5 1009" },
    };
    struct NWS_ServerOptions options = defaults();
    struct Probe *probe;
    char head[2048];
    size_t at;
    uint16_t port;
    int peer, slow;
    create(&record);
    options.handshakeTimeoutMs = 300;
    port = start(&record, &options);
    probe = probe_open(url_of(port), "/");
    /* The next connection must have the next number. */
    NOTED(&record, "open 1");
    for (at = 0; at < sizeof frames / sizeof *frames; at++) {
        peer = raw_client(port, UPGRADE);
        read_head(peer, head, sizeof head);
        CHECK(send(peer, frames[at].bytes, frames[at].length, MSG_NOSIGNAL) == (ssize_t)frames[at].length);
        NOTED(&record, frames[at].closed);
        CHECK(ends(peer));
        close(peer);
    }
    peer = raw_client(port, "\x16\x03\x01 not HTTP\r\n\r\n");
    read_head(peer, head, sizeof head);
    CHECK_HAS(head, "HTTP/1.1 400 ");
    close(peer);
    /* One that never ends its request. */
    slow = raw_client(port, "GET / HTTP/1.1\r\n");
    CHECK(ends(slow));
    close(slow);
    probe_round_trip_text(probe, "unharmed");
    probe_finish(probe);
    destroy(&record);
}

static void the_server_starts_again_after_a_stop(void)
{
    static struct Record record;
    struct NWS_ServerOptions options = defaults();
    struct Probe *probe, *again;
    uint16_t port;
    create(&record);
    CHECK_INT(NWS_ServerStop(record.server, 0), WEBSOCKET_NO_CONNECTION);
    CHECK_HAS(NWS_LastErrorMessage(), "NWS_ServerStop: the server is not started");
    port = start(&record, &options);
    CHECK_INT(NWS_ServerStart(record.server, &options), WEBSOCKET_CONNECTION_ERROR);
    CHECK_HAS(NWS_LastErrorMessage(), "the server is already started");
    probe = probe_open(url_of(port), "/");
    NOTED(&record, "open 1");
    CHECK_INT(NWS_ServerStop(record.server, 5000), WEBSOCKET_OK);
    CHECK_INT(probe_await(probe, CLOSE, 0)->code, 1001);
    NOTED(&record, "close 1 1001 server is going away");
    NOTED(&record, "stop");
    CHECK_INT(NWS_ServerSendText(record.server, 1, "late", 4), WEBSOCKET_NO_CONNECTION);
    options.port = port;
    CHECK_INT(start(&record, &options), port);
    again = probe_open(url_of(port), "/");
    probe_round_trip_text(again, "the same port");
    probe_finish(again);
    probe_destroy(probe);
    destroy(&record);
}

static void accept_and_stop(struct Record *record, const struct NWS_ServerRequest *request)
{
    CHECK_INT(NWS_ServerAccept(record->server, request->request, NULL, NULL), WEBSOCKET_OK);
    CHECK_INT(NWS_ServerStop(record->server, 0), WEBSOCKET_OK);
}

static void a_client_accepted_before_a_stop_opens_and_is_closed(void)
{
    static struct Record record;
    struct NWS_ServerOptions options = defaults();
    struct Probe *probe;
    create_asking(&record, accept_and_stop);
    probe = probe_open(url_of(start(&record, &options)), "/");
    CHECK_INT(probe_await(probe, CLOSE, 0)->code, 1001);
    NOTED(&record, "open 1");
    NOTED(&record, "close 1 1001 server is going away");
    NOTED(&record, "stop");
    probe_destroy(probe);
    destroy(&record);
}

static void serves_tls_and_requires_client_certificates(void)
{
    static struct Record record;
    struct NWS_ServerOptions options = defaults();
    struct NWS_Options client;
    struct Probe *with = probe_new(), *without = probe_new();
    char url[64];
    uint16_t port;
    create(&record);
    options.certPath = required("CLIENT_CERT_FILE");
    options.keyPath = required("CLIENT_KEY_FILE");
    options.clientCaPath = required("CA_FILE");
    port = start(&record, &options);
    snprintf(url, sizeof url, "wss://127.0.0.1:%u", (unsigned)port);
    NWS_InitOptions(&client, sizeof client);
    /* The certificate is a client's. */
    client.skipServerCertVerification = 1;
    NWS_SetOptions(without->client, &client);
    client.clientCertPath = options.certPath;
    client.clientKeyPath = options.keyPath;
    NWS_SetOptions(with->client, &client);
    CHECK_INT(probe_connect(without, url, "/"), WEBSOCKET_OK);
    CHECK_HAS(probe_await(without, ERROR, 0)->text, "certificate");
    CHECK_INT(probe_connect(with, url, "/tls"), WEBSOCKET_OK);
    probe_await(with, OPEN, 0);
    NOTED(&record, "open 1 /tls");
    probe_round_trip_text(with, "enciphered");
    probe_finish(with);
    probe_destroy(without);
    destroy(&record);
}

#define REFUSED(change, code, text)                                             \
    do {                                                                        \
        struct NWS_ServerOptions options = defaults();                          \
        change;                                                                 \
        CHECK_INT(NWS_ServerStart(record.server, &options), code);              \
        CHECK_HAS(NWS_LastErrorMessage(), text);                                \
    } while (0)

static void refuses_invalid_arguments(void)
{
    static struct Record record;
    static struct Record other;
    struct NWS_ServerCallbacks callbacks;
    struct NWS_ServerOptions taken = defaults();
    struct NWS_Server *stale;
    create(&record);
    create(&other);
    taken.port = start(&other, &taken);
    REFUSED(options.address = "localhost", NWS_INVALID_ARGUMENT, "NWS_ServerStart: address: must be");
    REFUSED(options.certPath = "/a", NWS_INVALID_ARGUMENT, "keyPath: needed by certPath");
    REFUSED(options.keyPath = "/a", NWS_INVALID_ARGUMENT, "certPath: needed by keyPath");
    REFUSED(options.clientCaPath = "/a", NWS_INVALID_ARGUMENT, "clientCaPath: needs certPath");
    REFUSED(options.tls13Only = 1, NWS_INVALID_ARGUMENT, "tls13Only: needs certPath");
    REFUSED(options.tls13Only = 2, NWS_INVALID_ARGUMENT, "tls13Only: 2");
    REFUSED(options.clientMaxWindowBits = 8, NWS_INVALID_ARGUMENT, "clientMaxWindowBits: 8");
    REFUSED(options.handshakeTimeoutMs = 0, NWS_INVALID_ARGUMENT, "handshakeTimeoutMs: 0");
    REFUSED(options.maxHandshakes = 0, NWS_INVALID_ARGUMENT, "maxHandshakes: 0");
    REFUSED(options.maxMessageSize = 0, NWS_INVALID_ARGUMENT, "maxMessageSize: 0");
    REFUSED((options.rateConnections = 1, options.ratePeriodMs = 0), NWS_INVALID_ARGUMENT, "ratePeriodMs: 0");
    REFUSED((options.sendQueueLimit = 10, options.sendLowWater = 11), NWS_INVALID_ARGUMENT, "sendLowWater");
    REFUSED(options.size = 8, NWS_INVALID_ARGUMENT, "NWS_ServerOptions");
    REFUSED(options.port = taken.port, NWS_CANNOT_LISTEN, "port: cannot listen on 127.0.0.1");
    REFUSED(options.address = "192.0.2.1", NWS_CANNOT_LISTEN, "address: cannot listen on 192.0.2.1");
    REFUSED((options.certPath = "/nowhere.pem", options.keyPath = required("CLIENT_KEY_FILE")), NWS_CERTIFICATE_UNUSABLE,
            "certPath: certificate file /nowhere.pem");
    REFUSED((options.certPath = required("CLIENT_CERT_FILE"), options.keyPath = required("CA_FILE")),
            NWS_CERTIFICATE_UNUSABLE, "keyPath: ");
    REFUSED((options.certPath = required("CLIENT_CERT_FILE"), options.keyPath = required("CLIENT_KEY_FILE"),
             options.clientCaPath = "/nowhere.pem"),
            NWS_CERTIFICATE_UNUSABLE, "clientCaPath: certificate file /nowhere.pem");
    CHECK_TEXT(NWS_ErrorName(NWS_CANNOT_LISTEN), "NWS_CANNOT_LISTEN");
    CHECK_TEXT(NWS_ErrorName(NWS_CERTIFICATE_UNUSABLE), "NWS_CERTIFICATE_UNUSABLE");

    NWS_InitServerCallbacks(&callbacks, sizeof callbacks);
    callbacks.size = 3;
    CHECK(NWS_ServerCreate(&callbacks) == NULL);
    CHECK_HAS(NWS_LastErrorMessage(), "NWS_ServerCreate");
    CHECK_INT(NWS_InitServerOptions(NULL, sizeof(struct NWS_ServerOptions)), NWS_INVALID_ARGUMENT);
    CHECK_INT(NWS_ServerStart(NULL, NULL), WEBSOCKET_CLIENT_NULL);
    CHECK_INT(NWS_ServerDestroy(NULL), WEBSOCKET_CLIENT_NULL);
    CHECK_INT(NWS_ServerGetConnections(other.server, NULL, NULL), NWS_INVALID_ARGUMENT);
    CHECK_INT(NWS_ServerGetBufferedAmount(other.server, 9, NULL), NWS_INVALID_ARGUMENT);
    CHECK_INT(NWS_ServerGetStatistics(other.server, NULL), NWS_INVALID_ARGUMENT);
    stale = record.server;
    destroy(&record);
    destroy(&other);
    CHECK_INT(NWS_ServerDestroy(stale), WEBSOCKET_CLIENT_NOT_CREATED);
    CHECK_INT(NWS_ServerSendText(stale, 1, "late", 4), WEBSOCKET_CLIENT_NOT_CREATED);
    CHECK_INT(NWS_ServerStart((struct NWS_Server *)(uintptr_t)0xdead0, NULL), WEBSOCKET_CLIENT_NOT_CREATED);
}

static void destroy_inside(struct Record *record, uint64_t connection)
{
    (void)connection;
    record->mute = 1;
    CHECK_INT(NWS_ServerDestroy(record->server), WEBSOCKET_OK);
    flag_raise(&record->flag);
}

/* A client of a path without a library. */
static int raw_client_at(const char *path)
{
    struct sockaddr_un address;
    struct timeval patience = { EVENT_DEADLINE_S, 0 };
    int peer = socket(AF_UNIX, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    CHECK_INT(connect(peer, (struct sockaddr *)&address, sizeof address), 0);
    CHECK(send(peer, UPGRADE, strlen(UPGRADE), MSG_NOSIGNAL) == (ssize_t)strlen(UPGRADE));
    return peer;
}

static void listens_at_a_path(void)
{
    static struct Record record;
    struct NWS_ServerOptions options = defaults();
    struct stat file;
    char folder[] = "/tmp/nws-server-XXXXXX", path[64], text[96], head[2048], longer[160];
    const unsigned char frame[] = { 0x81, 0x82, 0, 0, 0, 0, 'h', 'i' };
    size_t length = sizeof text;
    uint16_t port = 1;
    int peer;
    create(&record);
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/socket", folder);
    options.socketPath = path;
    CHECK_INT(NWS_ServerStart(record.server, &options), NWS_INVALID_ARGUMENT);
    CHECK_HAS(NWS_LastErrorMessage(), "socketPath: cannot be used with an address or a port");
    options.address = NULL;
    options.port = 80;
    CHECK_INT(NWS_ServerStart(record.server, &options), NWS_INVALID_ARGUMENT);
    options.port = 0;
    CHECK_INT(NWS_ServerStart(record.server, &options), WEBSOCKET_OK);
    CHECK_INT(NWS_ServerGetAddress(record.server, 0, text, &length, &port), WEBSOCKET_OK);
    CHECK_TEXT(text, path);
    CHECK_INT(port, 0);
    CHECK_INT(stat(path, &file), 0);
    CHECK(S_ISSOCK(file.st_mode));

    peer = raw_client_at(path);
    read_head(peer, head, sizeof head);
    CHECK_HAS(head, "HTTP/1.1 101 ");
    NOTED(&record, "open 1 /raw []");
    length = sizeof text;
    CHECK_INT(NWS_ServerGetAddress(record.server, 1, text, &length, &port), WEBSOCKET_OK);
    CHECK_TEXT(text, "");
    CHECK_INT(port, 0);
    CHECK(send(peer, frame, sizeof frame, MSG_NOSIGNAL) == (ssize_t)sizeof frame);
    CHECK(recv(peer, text, 4, MSG_WAITALL) == 4 && memcmp(text, "\x81\x02hi", 4) == 0);

    CHECK_INT(NWS_ServerStop(record.server, 1), WEBSOCKET_OK);
    NOTED(&record, "stop");
    close(peer);
    CHECK(stat(path, &file) != 0 && errno == ENOENT);

    /* What is there stays. */
    CHECK_INT(mkdir(path, 0700), 0);
    CHECK_INT(NWS_ServerStart(record.server, &options), NWS_CANNOT_LISTEN);
    CHECK_HAS(NWS_LastErrorMessage(), "a file with this name exists");
    CHECK_INT(rmdir(path), 0);
    snprintf(longer, sizeof longer, "%s/%0100d", folder, 1);
    options.socketPath = longer;
    CHECK_INT(NWS_ServerStart(record.server, &options), NWS_INVALID_ARGUMENT);
    CHECK_HAS(NWS_LastErrorMessage(), "the path has 123 bytes, 107 are allowed");
    snprintf(longer, sizeof longer, "%s/missing/socket", folder);
    CHECK_INT(NWS_ServerStart(record.server, &options), NWS_CANNOT_LISTEN);
    CHECK_HAS(NWS_LastErrorMessage(), "its folder does not exist");
    destroy(&record);
    CHECK_INT(rmdir(folder), 0);
}

static void a_callback_may_destroy_its_server(void)
{
    static struct Record record;
    struct NWS_ServerOptions options = defaults();
    struct Probe *probe;
    create(&record);
    record.hook = destroy_inside;
    probe = probe_open(url_of(start(&record, &options)), "/");
    CHECK_INT(probe_send_text(probe, "end"), WEBSOCKET_OK);
    CHECK(flag_await(&record.flag, 1));
    CHECK_INT(probe_await(probe, CLOSE, 0)->code, 1001);
    CHECK_INT(count_of(&record, "close"), 0);
    probe_destroy(probe);
}

/* Sends until the server is gone: to all at first, then to a connection that is not there. */
static void *send_to_all(void *argument)
{
    static const uint64_t nobody = 0;
    struct Record *record = (struct Record *)argument;
    int32_t result;
    int sent = 0;
    do {
        result = NWS_ServerBroadcast(record->server, NWS_TEXT, "broadcast", 9, sent++ < 50 ? NULL : &nobody, 1, NULL);
        flag_raise(&record->flag);
    } while (result == WEBSOCKET_OK);
    CHECK(result == WEBSOCKET_CLIENT_NOT_CREATED || result == WEBSOCKET_NO_CONNECTION);
    return NULL;
}

static void destroy_waits_for_the_callbacks_of_all_connections(void)
{
    static struct Record record;
    struct NWS_ServerOptions options = defaults();
    struct Probe *clients[SENDERS];
    pthread_t threads[2];
    uint16_t port;
    int at, round;
    create(&record);
    port = start(&record, &options);
    for (at = 0; at < SENDERS; at++) {
        char opened[16];
        clients[at] = probe_open(url_of(port), "/");
        snprintf(opened, sizeof opened, "open %d", at + 1);
        NOTED(&record, opened);
    }
    record.mute = 1;
    for (at = 0; at < 2; at++) {
        pthread_create(&threads[at], NULL, send_to_all, &record);
    }
    for (round = 0; round < 200; round++) {
        for (at = 0; at < SENDERS; at++) {
            CHECK_INT(probe_send_text(clients[at], "to the server"), WEBSOCKET_OK);
        }
    }
    CHECK(flag_await(&record.flag, 20));
    /* on_message fails if it is called afterwards. */
    destroy(&record);
    for (at = 0; at < 2; at++) {
        pthread_join(threads[at], NULL);
    }
    for (at = 0; at < SENDERS; at++) {
        CHECK_INT(probe_await(clients[at], CLOSE, 0)->code, 1001);
        probe_destroy(clients[at]);
    }
}

/* --- a stop while many send --- */

/* An emulator is slow. */
#if defined(__aarch64__) || defined(__arm__)
#define MANY 50
#else
#define MANY 1000
#endif
#define DESCRIPTORS_EACH 2

static struct {
    struct NWS_Server *server;
    int opened, ended, received, sent, unsent, accepted, client_ended, stopping;
    struct Flag flag;
} many;

static int add(int *number, int by)
{
    return __atomic_add_fetch(number, by, __ATOMIC_SEQ_CST);
}

static void many_open(struct NWS_Server *server, void *data, uint64_t connection, const struct NWS_ServerConnection *info)
{
    (void)server, (void)data, (void)connection, (void)info;
    add(&many.opened, 1);
    flag_raise(&many.flag);
}

static void many_message(struct NWS_Server *server, void *data, uint64_t connection, const struct NWS_Message *message)
{
    (void)data;
    if (add(&many.received, 1) == 10 * MANY) {
        flag_raise(&many.flag);
    }
    if (NWS_ServerSendText(server, connection, message->data, message->length) == WEBSOCKET_OK) {
        add(&many.accepted, 1);
    }
}

static void many_close(struct NWS_Server *server, void *data, uint64_t connection, const struct NWS_Close *close)
{
    struct NWS_Statistics statistics;
    (void)data;
    statistics.size = sizeof statistics;
    CHECK_INT(NWS_ServerGetConnectionStatistics(server, connection, &statistics), WEBSOCKET_OK);
    add(&many.sent, (int)statistics.messagesSent);
    add(&many.unsent, (int)close->unsentMessages);
    add(&many.ended, 1);
}

static void many_stop(struct NWS_Server *server, void *data)
{
    (void)server, (void)data;
    flag_raise(&many.flag);
}

static void many_client_close(struct WebSocket *client, WebSocket_CloseResult result)
{
    (void)client, (void)result;
    add(&many.client_ended, 1);
    flag_raise(&many.flag);
}

static void *send_from_all(void *argument)
{
    struct WebSocket **clients = (struct WebSocket **)argument;
    char text[] = "a message";
    int at = 0;
    while (__atomic_load_n(&many.stopping, __ATOMIC_SEQ_CST) == 0) {
        OH_WebSocketClient_Send(clients[at++ % MANY], text, sizeof text - 1);
        /* Not without end: 40 messages of each may be under way. */
        while (at > __atomic_load_n(&many.received, __ATOMIC_SEQ_CST) + 40 * MANY &&
               __atomic_load_n(&many.stopping, __ATOMIC_SEQ_CST) == 0) {
            sched_yield();
        }
    }
    return NULL;
}

static int descriptors(void)
{
    int next, number, open = 0;
    next = (int)sysconf(_SC_OPEN_MAX);
    for (number = 0; number < next; number++) {
        open += fcntl(number, F_GETFD) != -1;
    }
    return open;
}

static void a_stop_while_many_send_counts_every_message(void)
{
    static struct WebSocket *clients[MANY];
    struct NWS_ServerCallbacks callbacks;
    struct NWS_ServerOptions options = defaults();
    WebSocket_RequestOptions none = { NULL };
    struct rlimit limit;
    struct timespec until;
    pthread_t senders[2];
    uint16_t port = 0;
    int at, before, after;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < DESCRIPTORS_EACH * MANY + 100) {
        printf("skip: a stop while %d send, since the process may have %ld descriptors only\n", MANY, (long)limit.rlim_max);
        return;
    }
    if (limit.rlim_cur < DESCRIPTORS_EACH * MANY + 100) {
        limit.rlim_cur = DESCRIPTORS_EACH * MANY + 100;
        CHECK_INT(setrlimit(RLIMIT_NOFILE, &limit), 0);
    }
    before = descriptors();
    NWS_InitServerCallbacks(&callbacks, sizeof callbacks);
    callbacks.onOpen = many_open;
    callbacks.onMessage = many_message;
    callbacks.onClose = many_close;
    callbacks.onStop = many_stop;
    many.server = NWS_ServerCreate(&callbacks);
    options.maxConnectionsPerAddress = MANY;
    CHECK_INT(NWS_ServerStart(many.server, &options), WEBSOCKET_OK);
    CHECK_INT(NWS_ServerGetAddress(many.server, 0, NULL, NULL, &port), WEBSOCKET_OK);
    for (at = 0; at < MANY; at++) {
        clients[at] = OH_WebSocketClient_Constructor(NULL, NULL, NULL, many_client_close);
        CHECK_INT(OH_WebSocketClient_Connect(clients[at], url_of(port), none), WEBSOCKET_OK);
    }
    CHECK(flag_await(&many.flag, MANY));
    for (at = 0; at < 2; at++) {
        pthread_create(&senders[at], NULL, send_from_all, clients);
    }
    CHECK(flag_await(&many.flag, MANY + 1));
    CHECK_INT(NWS_ServerStop(many.server, 20000), WEBSOCKET_OK);
    /* All ends, and the stop. */
    CHECK(flag_await(&many.flag, 2 * MANY + 2));
    add(&many.stopping, 1);
    for (at = 0; at < 2; at++) {
        pthread_join(senders[at], NULL);
    }
    CHECK_INT(many.opened, MANY);
    CHECK_INT(many.ended, MANY);
    CHECK_INT(many.client_ended, MANY);
    CHECK(many.accepted > 0);
    CHECK_INT(many.sent + many.unsent, many.accepted);
    CHECK_INT(NWS_ServerDestroy(many.server), WEBSOCKET_OK);
    for (at = 0; at < MANY; at++) {
        OH_WebSocketClient_Destroy(clients[at]);
    }
    /* Sockets are closed behind the last event. */
    until = deadline();
    do {
        struct timespec now;
        sched_yield();
        after = descriptors();
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec > until.tv_sec) {
            break;
        }
    } while (after > before + 8);
    /* The runtime has its own descriptors. */
    CHECK(after <= before + 8);
}

static void the_port_is_free_after_destroy(void)
{
    static struct Record record;
    struct NWS_ServerOptions options = defaults();
    int round;
    for (round = 0; round < 100; round++) {
        create(&record);
        options.port = start(&record, &options);
        destroy(&record);
    }
}

/* --- a start beside a destroy --- */

static pthread_barrier_t both;

struct Starting {
    struct NWS_Server *server;
    struct NWS_ServerOptions options;
};

static void *start_it(void *argument)
{
    struct Starting *starting = (struct Starting *)argument;
    int32_t result;
    pthread_barrier_wait(&both);
    result = NWS_ServerStart(starting->server, &starting->options);
    CHECK(result == WEBSOCKET_OK || result == WEBSOCKET_CLIENT_NOT_CREATED);
    return NULL;
}

/* Whether another program can listen there. */
static int is_free(uint16_t port)
{
    struct sockaddr_in address;
    int yes = 1, result, other = socket(AF_INET, SOCK_STREAM, 0);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    result = bind(other, (struct sockaddr *)&address, sizeof address) == 0 && listen(other, 1) == 0;
    close(other);
    return result;
}

static void a_start_beside_a_destroy_leaves_no_server(void)
{
    static struct Record record;
    static char protocols[65536];
    struct Starting starting;
    pthread_t thread;
    int round, delay, leaves_none = 1;
    starting.options = defaults();
    create(&record);
    starting.options.port = start(&record, &starting.options);
    destroy(&record);
    /* Reading it takes a while, in which the server is destroyed. */
    memset(protocols, ',', sizeof protocols - 1);
    starting.options.protocols = protocols;
    pthread_barrier_init(&both, NULL, 2);
    for (round = 0; round < 500 && leaves_none; round++) {
        starting.server = NWS_ServerCreate(NULL);
        pthread_create(&thread, NULL, start_it, &starting);
        pthread_barrier_wait(&both);
        for (delay = 0; delay < round % 50; delay++) {
            sched_yield();
        }
        CHECK_INT(NWS_ServerDestroy(starting.server), WEBSOCKET_OK);
        pthread_join(thread, NULL);
        leaves_none = is_free(starting.options.port);
        CHECK(leaves_none);
    }
    pthread_barrier_destroy(&both);
}

static void start_without_descriptors(struct Record *record, const struct NWS_ServerOptions *options)
{
    struct rlimit before, now;
    int32_t result;
    int next = dup(0);
    close(next);
    CHECK_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
    now = before;
    now.rlim_cur = (rlim_t)next;
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &now), 0);
    result = NWS_ServerStart(record->server, options);
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
    CHECK_INT(result, WEBSOCKET_CONNECTION_ERROR);
    CHECK_HAS(NWS_LastErrorMessage(), strerror(EMFILE));
}

static void a_start_without_descriptors_blames_no_option(void)
{
    static struct Record record;
    struct NWS_ServerOptions options = defaults();
    create(&record);
    start_without_descriptors(&record, &options);
    options.certPath = required("CLIENT_CERT_FILE");
    options.keyPath = required("CLIENT_KEY_FILE");
    start_without_descriptors(&record, &options);
    CHECK_INT(NWS_ServerStart(record.server, &options), WEBSOCKET_OK);
    destroy(&record);
}

static void reports_a_shortage_of_descriptors_once(void)
{
    static struct Record record;
    struct NWS_ServerOptions options = defaults();
    struct rlimit before, now;
    struct Probe *probe, *later;
    char head[2048];
    uint16_t port;
    int peer, next;
    create(&record);
    port = start(&record, &options);
    probe = probe_open(url_of(port), "/");
    NOTED(&record, "open 1");
    CHECK_INT(getrlimit(RLIMIT_NOFILE, &before), 0);
    next = dup(0);
    close(next);
    /* One descriptor is left for the client's socket, and none for the server's. */
    now = before;
    now.rlim_cur = (rlim_t)next + 1;
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &now), 0);
    peer = raw_client(port, UPGRADE);
    NOTED(&record, "error 0 1003 2 cannot accept clients: ");
    probe_round_trip_text(probe, "meanwhile");
    probe_round_trip_text(probe, "meanwhile");
    CHECK_INT(count_of(&record, "error 0"), 1);
    CHECK_INT(setrlimit(RLIMIT_NOFILE, &before), 0);
    read_head(peer, head, sizeof head);
    CHECK_HAS(head, "HTTP/1.1 101 ");
    close(peer);
    later = probe_open(url_of(port), "/");
    probe_round_trip_text(later, "again");
    CHECK_INT(count_of(&record, "error 0"), 1);
    probe_finish(later);
    probe_finish(probe);
    destroy(&record);
}

int main(void)
{
    check_begin("server", 240);
    RUN(echoes_and_counts);
    RUN(accepts_and_refuses_requests);
    RUN(an_answer_may_come_later_or_never);
    RUN(a_broadcast_reaches_the_listed_connections_only);
    RUN(a_full_queue_drains);
    RUN(refuses_clients_over_a_limit);
    RUN(protocol_violations_end_only_their_own_connection);
    RUN(the_server_starts_again_after_a_stop);
    RUN(a_client_accepted_before_a_stop_opens_and_is_closed);
    RUN(serves_tls_and_requires_client_certificates);
    RUN(refuses_invalid_arguments);
    RUN(listens_at_a_path);
    RUN(a_callback_may_destroy_its_server);
    RUN(destroy_waits_for_the_callbacks_of_all_connections);
    RUN(the_port_is_free_after_destroy);
    RUN(a_start_beside_a_destroy_leaves_no_server);
    RUN(a_start_without_descriptors_blames_no_option);
    RUN(reports_a_shortage_of_descriptors_once);
    RUN(a_stop_while_many_send_counts_every_message);
    return check_end();
}
