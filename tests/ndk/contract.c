/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * The contract of net_websocket.h, case by case, against tests/tools/echo_server.rs. SIGPIPE keeps its default action: a
 * library must not kill its process because a peer is gone.
 */

#include "check.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>

#define MOST_BYTES (4 * 1024 * 1024)
#define QUEUE_BYTES (64 * 1024 * 1024)
#define URL_LIMIT_BYTES 8196

static const char *ws;
static const char *wss;
static const char *wss_untrusted;
static const char *wss_wrong_name;
static const char *wss_expired;

/* --- a listener that the tests read requests from --- */

struct Listener {
    int socket;
    char url[64]; /* ws://HOST:PORT */
    const char *host; /* HOST:PORT, within url */
};

/* False where the machine has no such address. */
static int listen_on(struct Listener *listener, int family)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr *address = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    socklen_t length = family == AF_INET ? sizeof v4 : sizeof v6;
    struct timeval patience = { EVENT_DEADLINE_S, 0 };
    memset(&v4, 0, sizeof v4);
    v4.sin_family = AF_INET;
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memset(&v6, 0, sizeof v6);
    v6.sin6_family = AF_INET6;
    v6.sin6_addr = in6addr_loopback;
    listener->socket = socket(family, SOCK_STREAM, 0);
    if (listener->socket < 0) {
        return 0;
    }
    if (bind(listener->socket, address, length) != 0 || listen(listener->socket, 8) != 0 ||
        getsockname(listener->socket, address, &length) != 0 ||
        setsockopt(listener->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) {
        close(listener->socket);
        return 0;
    }
    snprintf(listener->url, sizeof listener->url, family == AF_INET ? "ws://127.0.0.1:%u" : "ws://[::1]:%u",
             (unsigned)ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port));
    listener->host = listener->url + strlen("ws://");
    return 1;
}

/* Reads the head of one request, and hangs up. */
static void read_request(struct Listener *listener, char *head, size_t size)
{
    struct timeval patience = { EVENT_DEADLINE_S, 0 };
    int peer = accept(listener->socket, NULL, NULL);
    size_t length = 0;
    head[0] = '\0';
    if (peer < 0) {
        check_failed(__FILE__, __LINE__, "nobody connects: %s", strerror(errno));
        return;
    }
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    while (strstr(head, "\r\n\r\n") == NULL && length + 1 < size) {
        ssize_t got = recv(peer, head + length, size - 1 - length, 0);
        if (got <= 0) {
            check_failed(__FILE__, __LINE__, "the request ends early: %.200s", head);
            break;
        }
        length += (size_t)got;
        head[length] = '\0';
    }
    close(peer);
}

static int was_dialled(struct Listener *listener)
{
    struct pollfd waiting = { listener->socket, POLLIN, 0 };
    return poll(&waiting, 1, 0) != 0;
}

/* A port of this machine on which nothing listens. */
static void refused_url(char *url, size_t size)
{
    struct Listener listener;
    if (!listen_on(&listener, AF_INET)) {
        check_failed(__FILE__, __LINE__, "no loopback address: %s", strerror(errno));
        return;
    }
    snprintf(url, size, "%s", listener.url);
    close(listener.socket);
}

static int lines_that_start_with(const char *text, const char *start)
{
    int count = 0;
    while (text != NULL && *text != '\0') {
        count += strncmp(text, start, strlen(start)) == 0;
        text = strchr(text, '\n');
        text = text == NULL ? NULL : text + 1;
    }
    return count;
}

static struct WebSocket_Header header(const char *name, const char *value)
{
    struct WebSocket_Header header = { name, value, NULL };
    return header;
}

/* --- handles --- */

static void null_client_is_1001(void)
{
    WebSocket_RequestOptions options = { NULL };
    WebSocket_CloseOption option = { 1000, "" };
    CHECK_INT(OH_WebSocketClient_AddHeader(NULL, header("a", "1")), WEBSOCKET_CLIENT_NULL);
    CHECK_INT(OH_WebSocketClient_Connect(NULL, NULL, options), WEBSOCKET_CLIENT_NULL);
    CHECK_INT(OH_WebSocketClient_Send(NULL, NULL, 0), WEBSOCKET_CLIENT_NULL);
    CHECK_INT(OH_WebSocketClient_Close(NULL, option), WEBSOCKET_CLIENT_NULL);
    CHECK_INT(OH_WebSocketClient_Destroy(NULL), WEBSOCKET_CLIENT_NULL);
}

static void check_unknown(struct WebSocket *client)
{
    WebSocket_RequestOptions options = { NULL };
    WebSocket_CloseOption option = { 1000, "" };
    char data[] = "data";
    CHECK_INT(OH_WebSocketClient_Connect(client, ws, options), WEBSOCKET_CLIENT_NOT_CREATED);
    CHECK_INT(OH_WebSocketClient_Send(client, data, 4), WEBSOCKET_CLIENT_NOT_CREATED);
    CHECK_INT(OH_WebSocketClient_Close(client, option), WEBSOCKET_CLIENT_NOT_CREATED);
    CHECK_INT(OH_WebSocketClient_Destroy(client), WEBSOCKET_CLIENT_NOT_CREATED);
}

static void unknown_client_is_1002_and_is_not_read(void)
{
    struct Probe *probe = probe_new();
    /* A page without access: reading it crashes. */
    void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct WebSocket own;
    REQUIRE(page != MAP_FAILED);
    memset(&own, 0xa5, sizeof own);
    check_unknown(&own);
    check_unknown((struct WebSocket *)page);
    check_unknown((struct WebSocket *)(uintptr_t)8);
    check_unknown((struct WebSocket *)((char *)probe->client + 8));
    CHECK_INT(OH_WebSocketClient_AddHeader(&own, header("a", "1")), WEBSOCKET_OK);
    CHECK_INT(OH_WebSocketClient_AddHeader((struct WebSocket *)page, header("a", "1")), WEBSOCKET_OK);
    munmap(page, 4096);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_NO_CONNECTION_CONTEXT);
}

static void destroyed_client_is_1002(void)
{
    struct Probe *fresh = probe_new();
    struct Probe *used = probe_open(ws, "/");
    struct Probe *later;
    CHECK_INT(probe_destroy(fresh), WEBSOCKET_NO_CONNECTION_CONTEXT);
    CHECK_INT(probe_destroy(used), WEBSOCKET_OK);
    later = probe_new();
    CHECK(later->client != fresh->client && later->client != used->client);
    check_unknown(fresh->client);
    check_unknown(used->client);
    CHECK_INT(probe_destroy(later), WEBSOCKET_NO_CONNECTION_CONTEXT);
}

/* --- headers --- */

static void added_header_is_copied_and_sent_without_options(void)
{
    struct Probe *probe = probe_new();
    char *name = strdup("X-Added");
    char *value = strdup("kept");
    REQUIRE(name != NULL && value != NULL);
    CHECK_INT(OH_WebSocketClient_AddHeader(probe->client, header(name, value)), WEBSOCKET_OK);
    memset(name, '?', strlen(name));
    memset(value, '?', strlen(value));
    free(name);
    free(value);
    CHECK_INT(probe_connect(probe, ws, "/headers"), WEBSOCKET_OK);
    CHECK_INT(lines_that_start_with(probe_await(probe, MESSAGE, 0)->text, "x-added: kept\n"), 1);
    probe_finish(probe);
}

static void added_headers_passed_as_options_are_sent_once(void)
{
    struct Probe *probe = probe_new();
    const char *received;
    CHECK_INT(OH_WebSocketClient_AddHeader(probe->client, header("X-One", "1")), WEBSOCKET_OK);
    CHECK_INT(OH_WebSocketClient_AddHeader(probe->client, header("X-Two", "2")), WEBSOCKET_OK);
    CHECK(probe->client->requestOptions.headers != NULL);
    CHECK_INT(probe_connect_with(probe, ws, "/headers", probe->client->requestOptions), WEBSOCKET_OK);
    received = probe_await(probe, MESSAGE, 0)->text;
    CHECK_INT(lines_that_start_with(received, "x-one: "), 1);
    CHECK_INT(lines_that_start_with(received, "x-two: "), 1);
    probe_finish(probe);
}

static void headers_in_options_are_sent_in_order_after_those_added(void)
{
    struct Probe *probe = probe_new();
    struct WebSocket_Header third = { "X-Same", "third", NULL };
    struct WebSocket_Header second = { "X-Same", "second", &third };
    WebSocket_RequestOptions options = { &second };
    const char *received;
    const char *at_first;
    const char *at_second;
    const char *at_third;
    CHECK_INT(OH_WebSocketClient_AddHeader(probe->client, header("X-Same", "first")), WEBSOCKET_OK);
    CHECK_INT(probe_connect_with(probe, ws, "/headers", options), WEBSOCKET_OK);
    received = probe_await(probe, MESSAGE, 0)->text;
    at_first = strstr(received, "x-same: first\n");
    at_second = strstr(received, "x-same: second\n");
    at_third = strstr(received, "x-same: third\n");
    CHECK(at_first != NULL && at_first < at_second && at_second < at_third);
    probe_finish(probe);
}

static void add_header_ignores_null_and_connect_refuses_it(void)
{
    struct WebSocket_Header list = header("X-Null", NULL);
    WebSocket_RequestOptions options = { &list };
    struct Probe *probe = probe_new();
    const char *received;
    CHECK_INT(OH_WebSocketClient_AddHeader(probe->client, header(NULL, "1")), WEBSOCKET_OK);
    CHECK_INT(OH_WebSocketClient_AddHeader(probe->client, header("X-Null", NULL)), WEBSOCKET_OK);
    CHECK_INT(OH_WebSocketClient_AddHeader(probe->client, header(NULL, NULL)), WEBSOCKET_OK);
    CHECK_INT(OH_WebSocketClient_AddHeader(probe->client, header("X-Good", "1")), WEBSOCKET_OK);
    CHECK_INT(probe_connect_with(probe, ws, "/headers", options), WEBSOCKET_NO_HEADER_CONTEXT);
    CHECK_INT(probe_connect(probe, ws, "/headers"), WEBSOCKET_OK);
    received = probe_await(probe, MESSAGE, 0)->text;
    CHECK_INT(lines_that_start_with(received, "x-good: 1\n"), 1);
    CHECK_INT(lines_that_start_with(received, "x-null"), 0);
    probe_finish(probe);
}

static void invalid_header_is_ignored(void)
{
    struct Probe *probe = probe_new();
    struct WebSocket_Header garbage;
    const char *received;
    memset(&garbage, 0xa5, sizeof garbage);
    CHECK_INT(OH_WebSocketClient_AddHeader(probe->client, garbage), WEBSOCKET_OK);
    CHECK_INT(OH_WebSocketClient_AddHeader(probe->client, header((const char *)(uintptr_t)8, "1")), WEBSOCKET_OK);
    CHECK_INT(OH_WebSocketClient_AddHeader(probe->client, header("X-Half", (const char *)(uintptr_t)8)), WEBSOCKET_OK);
    CHECK_INT(OH_WebSocketClient_AddHeader(probe->client, header("X-Good", "1")), WEBSOCKET_OK);
    CHECK_INT(probe_connect_with(probe, ws, "/headers", probe->client->requestOptions), WEBSOCKET_OK);
    received = probe_await(probe, MESSAGE, 0)->text;
    CHECK_INT(lines_that_start_with(received, "x-good: 1\n"), 1);
    CHECK_INT(lines_that_start_with(received, "x-half"), 0);
    probe_finish(probe);
}

static void header_that_splits_the_request_is_1003_without_a_connection(void)
{
    static const char *const bad[][2] = {
        { "X-A\r\nX-B", "1" }, { "X-A", "1\r\nX-B: 2" }, { "X-A", "1\n" }, { "X-A", "1\r" },
        { "X A", "1" },        { "X-A:", "1" },          { "", "1" },      { "X-\xc3\xa9", "1" },
    };
    struct Listener listener;
    struct Probe *other;
    size_t index;
    REQUIRE(listen_on(&listener, AF_INET));
    for (index = 0; index < sizeof bad / sizeof *bad; index++) {
        struct Probe *added = probe_new();
        struct Probe *passed = probe_new();
        struct WebSocket_Header one = header(bad[index][0], bad[index][1]);
        WebSocket_RequestOptions options;
        options.headers = &one;
        CHECK_INT(OH_WebSocketClient_AddHeader(added->client, one), WEBSOCKET_OK);
        CHECK_INT(probe_connect(added, listener.url, "/"), WEBSOCKET_CONNECTION_ERROR);
        CHECK_INT(probe_connect_with(passed, listener.url, "/", options), WEBSOCKET_CONNECTION_ERROR);
        CHECK_INT(probe_destroy(added), WEBSOCKET_NO_CONNECTION_CONTEXT);
        CHECK_INT(probe_destroy(passed), WEBSOCKET_NO_CONNECTION_CONTEXT);
        CHECK_INT(added->count + passed->count, 0);
    }
    /* A whole connection elsewhere: by its end one to the listener would have arrived. */
    other = probe_open(ws, "/");
    probe_finish(other);
    CHECK(!was_dialled(&listener));
    close(listener.socket);
}

static void as_many_as_8192_headers_are_sent(void)
{
    enum { HEADERS = 8192 };
    static struct WebSocket_Header headers[HEADERS + 1];
    struct Probe *probe = probe_new();
    WebSocket_RequestOptions options = { headers };
    int index;
    for (index = 0; index <= HEADERS; index++) {
        headers[index] = header("a", "1");
        headers[index].next = index < HEADERS ? &headers[index + 1] : NULL;
    }
    CHECK_INT(probe_connect_with(probe, ws, "/headers", options), WEBSOCKET_HEADER_EXCEEDED);
    headers[HEADERS - 1].next = NULL;
    CHECK_INT(probe_connect_with(probe, ws, "/headers", options), WEBSOCKET_OK);
    CHECK_INT(lines_that_start_with(probe_await(probe, MESSAGE, 0)->text, "a: 1\n"), HEADERS);
    probe_finish(probe);
}

static void more_than_64_kib_of_headers_is_1016(void)
{
    struct Probe *probe = probe_new();
    char *value = (char *)malloc(16 * 1024 + 1);
    struct WebSocket_Header headers[5];
    WebSocket_RequestOptions options;
    int index;
    REQUIRE(value != NULL);
    memset(value, 'v', 16 * 1024);
    value[16 * 1024] = '\0';
    for (index = 0; index < 5; index++) {
        headers[index] = header("X-Long", value);
        headers[index].next = index < 4 ? &headers[index + 1] : NULL;
    }
    options.headers = headers;
    CHECK_INT(probe_connect_with(probe, ws, "/headers", options), WEBSOCKET_HEADER_EXCEEDED);
    headers[2].next = NULL;
    CHECK_INT(probe_connect_with(probe, ws, "/headers", options), WEBSOCKET_OK);
    CHECK_INT(lines_that_start_with(probe_await(probe, MESSAGE, 0)->text, "x-long: vvv"), 3);
    probe_finish(probe);
    free(value);
}

/* --- URLs --- */

static void bad_url_is_1005(void)
{
    static const char *const bad[] = {
        "",          " ",                "/chat",            "ftp://example.com/", "ws:",        "ws://",
        "ws:///x",   "ws://h:65536/",    "ws://h:port/",     "ws://[::1/",         "//h/",       "wsx://h/",
        "ws://a b/", "ws://h\r\nX: 1/", "\xff\xfe",         "file:///etc/passwd", "ws://[zz]/",
    };
    WebSocket_RequestOptions options = { NULL };
    struct Probe *probe = probe_new();
    char url[URL_LIMIT_BYTES + 2];
    size_t index;
    CHECK_INT(OH_WebSocketClient_Connect(probe->client, NULL, options), WEBSOCKET_CONNECTION_PARSE_URL_ERROR);
    CHECK_INT(OH_WebSocketClient_Connect(probe->client, "ws:///", options), WEBSOCKET_CONNECTION_PARSE_URL_ERROR);
    for (index = 0; index < sizeof bad / sizeof *bad; index++) {
        struct Probe *other = probe_new();
        int result = probe_connect(other, bad[index], "");
        probe_destroy(other);
        if (result != WEBSOCKET_CONNECTION_PARSE_URL_ERROR) {
            check_failed(__FILE__, __LINE__, "Connect to \"%s\" is %d", bad[index], result);
        }
    }
    memset(url, 'x', sizeof url);
    memcpy(url, "ws://127.0.0.1/", strlen("ws://127.0.0.1/"));
    url[URL_LIMIT_BYTES + 1] = '\0';
    CHECK_INT(OH_WebSocketClient_Connect(probe->client, url, options), WEBSOCKET_CONNECTION_PARSE_URL_ERROR);
    CHECK_INT(probe_count(probe, ERROR), 0);
    CHECK_INT(probe_connect(probe, ws, "/"), WEBSOCKET_OK);
    probe_round_trip_text(probe, "the same client still works");
    probe_finish(probe);
}

static void url_without_a_scheme_is_one_error_1005_without_a_connection(void)
{
    static const char *const texts[] = { "www.example.com", "example.com:80/x?token=secret", "[::1]:8080", "localhost" };
    struct Listener listener;
    struct Probe *probe = probe_new();
    const struct Event *event;
    size_t index;
    REQUIRE(listen_on(&listener, AF_INET));
    for (index = 0; index < sizeof texts / sizeof *texts; index++) {
        CHECK_INT(probe_connect(probe, texts[index], ""), WEBSOCKET_OK);
        event = probe_await(probe, ERROR, (int)index);
        CHECK_INT(event->code, WEBSOCKET_CONNECTION_PARSE_URL_ERROR);
        CHECK_HAS(event->text, "ws:// or wss:// is missing");
        CHECK(!text_has(event->text, "secret"));
        probe_await_end(probe);
    }
    /* What was sent before is dropped, as with any attempt that fails. */
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
    probe = probe_new();
    CHECK_INT(probe_send_text(probe, "lost"), WEBSOCKET_OK);
    CHECK_INT(probe_connect(probe, listener.host, "/x"), WEBSOCKET_OK);
    CHECK_HAS(probe_await(probe, ERROR, 0)->text, "1 queued");
    probe_await_end(probe);
    CHECK_INT(probe_count(probe, CLOSE), 0);
    CHECK(!was_dialled(&listener));
    /* The same client takes the whole URL. */
    CHECK_INT(probe_connect(probe, ws, "/"), WEBSOCKET_OK);
    probe_await(probe, OPEN, 0);
    probe_round_trip_text(probe, "with a scheme");
    probe_finish(probe);
    /* Destroy at once: no event comes. */
    probe = probe_new();
    CHECK_INT(probe_connect(probe, listener.host, ""), WEBSOCKET_OK);
    probe_destroy(probe);
    close(listener.socket);
}

static void url_of_the_full_length_works(void)
{
    char path[URL_LIMIT_BYTES + 1];
    size_t length = URL_LIMIT_BYTES - strlen(ws);
    struct Probe *probe;
    memset(path, 'x', length);
    path[0] = '/';
    path[length] = '\0';
    probe = probe_open(ws, path);
    probe_round_trip_text(probe, "long");
    probe_finish(probe);
}

static void http_and_https_stand_for_ws_and_wss(void)
{
    char url[256];
    struct Probe *probe;
    snprintf(url, sizeof url, "http%s", ws + strlen("ws"));
    probe = probe_open(url, "/");
    probe_round_trip_text(probe, "http");
    probe_finish(probe);
    snprintf(url, sizeof url, "https%s", wss + strlen("wss"));
    probe = probe_open(url, "/");
    probe_round_trip_text(probe, "https");
    probe_finish(probe);
    snprintf(url, sizeof url, "WS%s", ws + strlen("ws"));
    probe = probe_open(url, "/");
    probe_round_trip_text(probe, "upper case");
    probe_finish(probe);
}

/* Connects to url, and gives the request that arrives at the listener, in which the connection ends. */
static void request_for(struct Listener *listener, const char *url, char *head, size_t size)
{
    struct Probe *probe = probe_new();
    CHECK_INT(probe_connect(probe, url, ""), WEBSOCKET_OK);
    read_request(listener, head, size);
    CHECK_INT(probe_await(probe, ERROR, 0)->code, WEBSOCKET_CONNECTION_ERROR);
    probe_await_end(probe);
    probe_destroy(probe);
}

static void url_becomes_request_target_and_host(void)
{
    static const char *const targets[][2] = {
        { "", "GET / HTTP/1.1\r\n" },
        { "/", "GET / HTTP/1.1\r\n" },
        { "?x=1", "GET /?x=1 HTTP/1.1\r\n" },
        { "/a/b?x=1&y=%20", "GET /a/b?x=1&y=%20 HTTP/1.1\r\n" },
    };
    struct Listener listener;
    char head[4096];
    char expected[128];
    char url[256];
    size_t index;
    REQUIRE(listen_on(&listener, AF_INET));
    for (index = 0; index < sizeof targets / sizeof *targets; index++) {
        snprintf(url, sizeof url, "%s%s", listener.url, targets[index][0]);
        request_for(&listener, url, head, sizeof head);
        CHECK(strncmp(head, targets[index][1], strlen(targets[index][1])) == 0);
        snprintf(expected, sizeof expected, "\r\nHost: %s\r\n", listener.host);
        CHECK_HAS(head, expected);
        CHECK_HAS(head, "\r\nUpgrade: websocket\r\n");
        CHECK_HAS(head, "\r\nConnection: Upgrade\r\n");
        CHECK_HAS(head, "\r\nSec-WebSocket-Version: 13\r\n");
        CHECK(!text_has(head, "\r\nAuthorization:"));
    }
    close(listener.socket);
}

static void user_and_password_become_basic_authorization(void)
{
    struct Listener listener;
    char head[4096];
    char url[256];
    char expected[128];
    REQUIRE(listen_on(&listener, AF_INET));
    snprintf(url, sizeof url, "ws://user:p%%40ss@%s/", listener.host);
    request_for(&listener, url, head, sizeof head);
    /* user:p@ss */
    CHECK_HAS(head, "\r\nAuthorization: Basic dXNlcjpwQHNz\r\n");
    snprintf(expected, sizeof expected, "\r\nHost: %s\r\n", listener.host);
    CHECK_HAS(head, expected);
    close(listener.socket);
}

static void ipv6_address_in_a_url(void)
{
    struct Listener listener;
    char head[4096];
    char expected[128];
    if (!listen_on(&listener, AF_INET6)) {
        printf("skip ipv6_address_in_a_url: this machine has no ::1 (%s)\n", strerror(errno));
        return;
    }
    request_for(&listener, listener.url, head, sizeof head);
    snprintf(expected, sizeof expected, "\r\nHost: %s\r\n", listener.host);
    CHECK_HAS(head, expected);
    close(listener.socket);
}

/* --- open, messages, sending --- */

static void open_reports_101(void)
{
    const char *const bases[] = { ws, wss };
    size_t index;
    for (index = 0; index < 2; index++) {
        struct Probe *probe = probe_new();
        const struct Event *event;
        CHECK_INT(probe_connect(probe, bases[index], "/"), WEBSOCKET_OK);
        event = probe_await(probe, OPEN, 0);
        CHECK_INT(event->code, 101);
        CHECK_TEXT(event->text, "Switching Protocols");
        probe_round_trip_text(probe, "text");
        probe_round_trip(probe, "\0\1\2\xff", 4);
        probe_finish(probe);
    }
}

static void sends_before_connect_arrive_in_order(void)
{
    struct Probe *probe = probe_new();
    int index;
    char text[32];
    for (index = 0; index < 50; index++) {
        snprintf(text, sizeof text, "early %d", index);
        CHECK_INT(probe_send_text(probe, text), WEBSOCKET_OK);
    }
    CHECK_INT(probe_connect(probe, ws, "/"), WEBSOCKET_OK);
    /* Most of these before the connection is open. */
    for (; index < 100; index++) {
        snprintf(text, sizeof text, "early %d", index);
        CHECK_INT(probe_send_text(probe, text), WEBSOCKET_OK);
    }
    for (index = 0; index < 100; index++) {
        snprintf(text, sizeof text, "early %d", index);
        CHECK_TEXT(probe_await(probe, MESSAGE, index)->text, text);
    }
    probe_finish(probe);
}

static void failed_attempt_reports_how_many_messages_it_dropped(void)
{
    struct Probe *probe = probe_new();
    char url[64] = "";
    int index;
    refused_url(url, sizeof url);
    for (index = 0; index < 7; index++) {
        CHECK_INT(probe_send_text(probe, "lost"), WEBSOCKET_OK);
    }
    CHECK_INT(probe_connect(probe, url, "/"), WEBSOCKET_OK);
    CHECK_HAS(probe_await(probe, ERROR, 0)->text, "7 queued");
    probe_await_end(probe);
    /* Dropped means dropped: the next connection does not carry them. */
    CHECK_INT(probe_connect(probe, ws, "/"), WEBSOCKET_OK);
    probe_round_trip_text(probe, "first");
    CHECK_TEXT(probe_await(probe, MESSAGE, 0)->text, "first");
    probe_finish(probe);
}

static void send_limits(void)
{
    struct Probe *probe = probe_open(ws, "/");
    char *data = (char *)malloc(MOST_BYTES + 1);
    REQUIRE(data != NULL);
    memset(data, 'd', MOST_BYTES + 1);
    CHECK_INT(probe_send(probe, NULL, 0), WEBSOCKET_SEND_DATA_NULL);
    CHECK_INT(probe_send(probe, NULL, 5), WEBSOCKET_SEND_DATA_NULL);
    CHECK_INT(probe_send(probe, data, MOST_BYTES + 1), WEBSOCKET_DATA_LENGTH_EXCEEDED);
    CHECK_INT(probe_send(probe, data, SIZE_MAX), WEBSOCKET_DATA_LENGTH_EXCEEDED);
    CHECK_INT(probe_send(probe, data, 0), WEBSOCKET_OK);
    /* Had the empty message gone out, its echo would come first. */
    probe_round_trip(probe, data, MOST_BYTES);
    probe_finish(probe);
    free(data);
}

static void full_send_queue_is_1013_and_nothing_accepted_is_lost(void)
{
    struct Probe *probe = probe_new();
    char *data = (char *)malloc(MOST_BYTES);
    int result = WEBSOCKET_OK;
    int accepted = 0;
    int index;
    REQUIRE(data != NULL);
    memset(data, 0xfe, MOST_BYTES);
    while (result == WEBSOCKET_OK && accepted < 100) {
        result = probe_send(probe, data, MOST_BYTES);
        accepted += result == WEBSOCKET_OK;
    }
    CHECK_INT(result, WEBSOCKET_QUEUE_LENGTH_EXCEEDED);
    /* The frames' headers may count, so that the last one no longer fits. */
    CHECK(accepted == QUEUE_BYTES / MOST_BYTES || accepted == QUEUE_BYTES / MOST_BYTES - 1);
    CHECK_INT(probe_connect(probe, ws, "/opcode"), WEBSOCKET_OK);
    for (index = 0; index < accepted; index++) {
        CHECK_TEXT(probe_await(probe, MESSAGE, index)->text, "binary 4194304");
    }
    /* Now there is room again. */
    CHECK_INT(probe_send(probe, data, MOST_BYTES), WEBSOCKET_OK);
    CHECK_TEXT(probe_await(probe, MESSAGE, index)->text, "binary 4194304");
    probe_finish(probe);
    free(data);
}

static void peer_that_never_reads_fills_the_queue_and_blocks_no_caller(void)
{
    struct Probe *probe = probe_open(ws, "/silent");
    char *data = (char *)malloc(MOST_BYTES);
    int result = WEBSOCKET_OK;
    int accepted = 0;
    REQUIRE(data != NULL);
    memset(data, 0xfe, MOST_BYTES);
    /* Beyond the queue there are the kernel's buffers, and what the session took out to write. */
    while (result == WEBSOCKET_OK && accepted < 40) {
        result = probe_send(probe, data, MOST_BYTES);
        accepted += result == WEBSOCKET_OK;
    }
    CHECK_INT(result, WEBSOCKET_QUEUE_LENGTH_EXCEEDED);
    CHECK(accepted >= QUEUE_BYTES / MOST_BYTES - 1);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
    free(data);
}

static void text_or_binary_is_decided_by_the_data(void)
{
    struct Probe *probe = probe_open(ws, "/opcode");
    static const struct {
        const char *data;
        size_t length;
        const char *opcode;
    } cases[] = {
        { "plain", 5, "text 5" },
        { "gr\xc3\xbc\xc3\x9f \xe4\xb8\xad \xf0\x9f\x98\x80", 15, "text 15" },
        { "a\0b", 3, "binary 3" },
        { "end\0", 4, "binary 4" },
        { "\0", 1, "binary 1" },
        { "\xff\xfe", 2, "binary 2" },
        { "\xc3", 1, "binary 1" },
        { "\xed\xa0\x80", 3, "binary 3" }, /* a surrogate */
        { "\xc0\xaf", 2, "binary 2" },     /* an overlong form */
    };
    int index;
    for (index = 0; index < (int)(sizeof cases / sizeof *cases); index++) {
        CHECK_INT(probe_send(probe, cases[index].data, cases[index].length), WEBSOCKET_OK);
        CHECK_TEXT(probe_await(probe, MESSAGE, index)->text, cases[index].opcode);
    }
    probe_finish(probe);
}

static void send_reads_nothing_past_the_length(void)
{
    struct Probe *probe = probe_open(ws, "/");
    long page = sysconf(_SC_PAGESIZE);
    char *pages = (char *)mmap(NULL, (size_t)page * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(pages != MAP_FAILED);
    memset(pages, 't', (size_t)page);
    REQUIRE(mprotect(pages + page, (size_t)page, PROT_NONE) == 0);
    probe_round_trip(probe, pages + page - 100, 100);
    probe_round_trip(probe, pages + page - 1, 1);
    munmap(pages, (size_t)page * 2);
    probe_finish(probe);
}

static void messages_of_all_sizes_arrive_whole(void)
{
    /* Around the steps of the length field (RFC 6455, section 5.2) and of usual buffers. */
    static const size_t sizes[] = { 1, 125, 126, 127, 4095, 4096, 4097, 65535, 65536, 65537, 1048576 };
    const char *const bases[] = { ws, wss };
    size_t base;
    size_t index;
    unsigned char *data = (unsigned char *)malloc(1048576);
    REQUIRE(data != NULL);
    for (index = 0; index < 1048576; index++) {
        data[index] = (unsigned char)(index * 7 % 253);
    }
    for (base = 0; base < 2; base++) {
        struct Probe *probe = probe_open(bases[base], "/");
        for (index = 0; index < sizeof sizes / sizeof *sizes; index++) {
            probe_round_trip(probe, data, sizes[index]);
        }
        probe_finish(probe);
    }
    free(data);
}

static void empty_messages_are_delivered(void)
{
    struct Probe *probe = probe_open(ws, "/flood/3/0");
    int index;
    for (index = 0; index < 3; index++) {
        CHECK_INT(probe_await(probe, MESSAGE, index)->length, 0);
    }
    probe_finish(probe);
}

static void flood_arrives_whole_and_in_order(void)
{
    enum { MESSAGES = 10000 };
    struct Probe *probe = probe_open(ws, "/flood/10000/16");
    unsigned index;
    int misplaced = 0;
    probe_await(probe, MESSAGE, MESSAGES - 1);
    probe_finish(probe);
    CHECK_INT(probe->counts[MESSAGE], MESSAGES);
    REQUIRE(probe->count == MESSAGES + 2);
    for (index = 0; index < MESSAGES; index++) {
        const struct Event *event = probe->events[index + 1];
        const unsigned char *data = (const unsigned char *)event->text;
        unsigned number = data[0] | (unsigned)data[1] << 8 | (unsigned)data[2] << 16 | (unsigned)data[3] << 24;
        misplaced += event->kind != MESSAGE || event->length != 16 || number != index;
    }
    CHECK_INT(misplaced, 0);
}

static void message_at_the_limit_is_received(void)
{
    enum { LENGTH = 64 * 1024 * 1024 };
    struct Probe *probe = probe_open(ws, "/large/67108864");
    const struct Event *event = probe_await(probe, MESSAGE, 0);
    size_t index;
    size_t wrong = 0;
    CHECK_INT(event->length, LENGTH);
    for (index = 0; index < event->length; index++) {
        wrong += (unsigned char)event->text[index] != index % 251;
    }
    CHECK_INT(wrong, 0);
    probe_finish(probe);
}

static void message_over_the_limit_is_1012_and_closes_1009(void)
{
    struct rusage before;
    struct rusage after;
    struct Probe *probe;
    const struct Event *event;
    getrusage(RUSAGE_SELF, &before);
    probe = probe_open(ws, "/large/67108865");
    event = probe_await(probe, ERROR, 0);
    CHECK_INT(event->code, WEBSOCKET_DATA_LENGTH_EXCEEDED);
    CHECK(event->length > 0);
    CHECK_INT(probe_await(probe, CLOSE, 0)->code, 1009);
    CHECK_INT(probe_count(probe, MESSAGE), 0);
    getrusage(RUSAGE_SELF, &after);
    /* In KiB: the message must not have been gathered before it was refused. */
    CHECK(after.ru_maxrss - before.ru_maxrss < 32 * 1024);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
}

/* --- closing --- */

static void close_without_code_or_reason_means_1000(void)
{
    struct Probe *probe = probe_open(ws, "/");
    const struct Event *event;
    CHECK_INT(probe_close(probe, 0, NULL), WEBSOCKET_OK);
    event = probe_await(probe, CLOSE, 0);
    CHECK_INT(event->code, 1000);
    CHECK_TEXT(event->text, "");
    CHECK_INT(probe_count(probe, ERROR), 0);
    probe_await_end(probe);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
}

static void close_sends_a_code_without_a_reason_and_a_reason_without_a_code(void)
{
    static const struct {
        uint32_t code;
        const char *reason;
        uint32_t sent;
        const char *text;
    } closes[] = { { 0, "text", 1000, "text" }, { 4001, NULL, 4001, "" }, { 0, "", 1000, "" } };
    size_t at;
    for (at = 0; at < sizeof closes / sizeof *closes; at++) {
        struct Probe *probe = probe_open(ws, "/");
        const struct Event *event;
        CHECK_INT(probe_close(probe, closes[at].code, closes[at].reason), WEBSOCKET_OK);
        event = probe_await(probe, CLOSE, 0);
        CHECK_INT(event->code, closes[at].sent);
        CHECK_TEXT(event->text, closes[at].text);
        probe_await_end(probe);
        CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
    }
}

static void close_codes_of_applications_are_sent(void)
{
    static const uint32_t codes[] = { 1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999 };
    size_t index;
    for (index = 0; index < sizeof codes / sizeof *codes; index++) {
        struct Probe *probe = probe_open(ws, "/");
        const struct Event *event;
        CHECK_INT(probe_close(probe, codes[index], "gr\xc3\xbc\xc3\x9f"), WEBSOCKET_OK);
        event = probe_await(probe, CLOSE, 0);
        CHECK_INT(event->code, codes[index]);
        CHECK_TEXT(event->text, "gr\xc3\xbc\xc3\x9f");
        probe_await_end(probe);
        CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
    }
}

static void close_code_that_may_not_be_sent_goes_out_as_1000(void)
{
    static const uint32_t codes[] = { 1, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535, 66536, 0xffffffff };
    size_t index;
    for (index = 0; index < sizeof codes / sizeof *codes; index++) {
        struct Probe *probe = probe_open(ws, "/");
        int result = probe_close(probe, codes[index], "");
        if (result != WEBSOCKET_OK) {
            check_failed(__FILE__, __LINE__, "Close with %u is %d", (unsigned)codes[index], result);
        }
        CHECK_INT(probe_await(probe, CLOSE, 0)->code, 1000);
        CHECK_INT(probe_count(probe, ERROR), 0);
        probe_await_end(probe);
        CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
    }
}

static void long_reason_is_cut_between_characters(void)
{
    struct Probe *probe = probe_open(ws, "/");
    char reason[256];
    const struct Event *event;
    memset(reason, 'r', sizeof reason);
    /* The character would take bytes 122 and 123. */
    memcpy(reason + 122, "\xc3\xa9 and more", sizeof "\xc3\xa9 and more");
    CHECK_INT(probe_close(probe, 1000, reason), WEBSOCKET_OK);
    event = probe_await(probe, CLOSE, 0);
    reason[122] = '\0';
    CHECK_INT(event->code, 1000);
    CHECK_TEXT(event->text, reason);
    CHECK_INT(probe_count(probe, ERROR), 0);
    probe_await_end(probe);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
}

static void close_by_the_peer_is_reported(void)
{
    static const struct {
        const char *path;
        uint32_t code;
        const char *reason;
    } cases[] = {
        { "/close/4321/so%20long", 4321, "so long" },
        { "/close/1001/", 1001, "" },
        { "/close/0", 1005, "" },
    };
    size_t index;
    for (index = 0; index < sizeof cases / sizeof *cases; index++) {
        struct Probe *probe = probe_open(ws, cases[index].path);
        const struct Event *event = probe_await(probe, CLOSE, 0);
        CHECK_INT(event->code, cases[index].code);
        CHECK_TEXT(event->text, cases[index].reason);
        CHECK_INT(probe_count(probe, ERROR), 0);
        probe_await_end(probe);
        CHECK_INT(probe_send_text(probe, "late"), WEBSOCKET_NO_CONNECTION);
        CHECK_INT(probe_close(probe, 1000, ""), WEBSOCKET_OK);
        CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
    }
}

static void after_close_nothing_is_sent(void)
{
    struct Probe *probe = probe_open(ws, "/");
    CHECK_INT(probe_close(probe, 1000, "first"), WEBSOCKET_OK);
    CHECK_INT(probe_send_text(probe, "late"), WEBSOCKET_NO_CONNECTION);
    /* The state is looked at before the arguments. */
    CHECK_INT(probe_send(probe, NULL, 0), WEBSOCKET_NO_CONNECTION);
    CHECK_INT(probe_close(probe, 4000, "second"), WEBSOCKET_OK);
    CHECK_TEXT(probe_await(probe, CLOSE, 0)->text, "first");
    probe_await_end(probe);
    CHECK_INT(probe_count(probe, CLOSE), 1);
    CHECK_INT(probe_count(probe, MESSAGE), 0);
    CHECK_INT(probe_close(probe, 4000, "third"), WEBSOCKET_OK);
    CHECK_INT(probe_send_text(probe, "late"), WEBSOCKET_NO_CONNECTION);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
}

static void close_while_connecting_cancels_the_attempt(void)
{
    struct Probe *probe = probe_new();
    CHECK_INT(probe_connect(probe, ws, "/hang"), WEBSOCKET_OK);
    CHECK_INT(probe_close(probe, 1000, ""), WEBSOCKET_NO_CONNECTION);
    CHECK_INT(probe_await(probe, ERROR, 0)->code, WEBSOCKET_CONNECTION_ERROR);
    probe_await_end(probe);
    CHECK_INT(probe->count, 1);
    /* And the client is good for another one. */
    CHECK_INT(probe_connect(probe, ws, "/"), WEBSOCKET_OK);
    probe_await(probe, OPEN, 0);
    probe_round_trip_text(probe, "again");
    probe_finish(probe);
    CHECK_INT(probe->counts[ERROR], 1);
}

/* --- connecting --- */

static void connect_while_connecting_or_open_is_1003(void)
{
    WebSocket_RequestOptions options = { NULL };
    struct Probe *probe = probe_new();
    CHECK_INT(probe_connect(probe, ws, "/hang"), WEBSOCKET_OK);
    CHECK_INT(OH_WebSocketClient_Connect(probe->client, ws, options), WEBSOCKET_CONNECTION_ERROR);
    /* The state is looked at before the arguments. */
    CHECK_INT(OH_WebSocketClient_Connect(probe->client, NULL, options), WEBSOCKET_CONNECTION_ERROR);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);

    probe = probe_open(ws, "/");
    CHECK_INT(OH_WebSocketClient_Connect(probe->client, ws, options), WEBSOCKET_CONNECTION_ERROR);
    probe_round_trip_text(probe, "untouched");
    probe_finish(probe);
    CHECK_INT(probe->counts[OPEN], 1);
    CHECK_INT(probe->counts[ERROR], 0);
}

static void client_connects_again_after_close(void)
{
    struct Probe *probe = probe_new();
    int round;
    for (round = 0; round < 3; round++) {
        CHECK_INT(probe_connect(probe, round == 1 ? wss : ws, "/"), WEBSOCKET_OK);
        probe_await(probe, OPEN, round);
        probe_round_trip_text(probe, "round");
        CHECK_INT(probe_close(probe, 1000, ""), WEBSOCKET_OK);
        probe_await_end(probe);
        CHECK_INT(probe_count(probe, CLOSE), round + 1);
    }
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
}

static void connect_again(struct Probe *probe, const struct Event *event)
{
    if (event->kind == CLOSE || (event->kind == ERROR && probe->counts[OPEN] == 0)) {
        probe->hook = NULL;
        CHECK_INT(probe_connect(probe, ws, "/"), WEBSOCKET_OK);
    }
}

static void client_connects_again_from_its_last_callback(void)
{
    static const char *const paths[] = { "/close/1001/restart", "/drop", "/status/503" };
    size_t index;
    for (index = 0; index < sizeof paths / sizeof *paths; index++) {
        struct Probe *probe = probe_new();
        int opened = strcmp(paths[index], "/status/503") != 0;
        probe->hook = connect_again;
        CHECK_INT(probe_send_text(probe, "to be dropped"), WEBSOCKET_OK);
        CHECK_INT(probe_connect(probe, ws, paths[index]), WEBSOCKET_OK);
        probe_await(probe, OPEN, opened);
        probe_round_trip_text(probe, "again");
        probe_finish(probe);
    }
}

/* --- failures --- */

static void check_attempt_fails(const char *base, const char *path, const char *host, const char *cause)
{
    struct Probe *probe = probe_new();
    const struct Event *event;
    CHECK_INT(probe_connect(probe, base, path), WEBSOCKET_OK);
    event = probe_await(probe, ERROR, 0);
    CHECK_INT(event->code, WEBSOCKET_CONNECTION_ERROR);
    CHECK_HAS(event->text, host);
    CHECK_HAS(event->text, cause);
    probe_await_end(probe);
    CHECK_INT(probe_count(probe, OPEN), 0);
    CHECK_INT(probe_count(probe, CLOSE), 0);
    CHECK_INT(probe_send_text(probe, "late"), WEBSOCKET_NO_CONNECTION);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
    CHECK_INT(probe->counts[ERROR], 1);
}

static void refused_connection_is_one_error(void)
{
    char url[64] = "";
    refused_url(url, sizeof url);
    check_attempt_fails(url, "/?token=secret", url + strlen("ws://"), "refused");
}

static void unknown_host_is_one_error(void)
{
    check_attempt_fails("ws://no-such-host.invalid", "/", "no-such-host.invalid", "look");
}

static void bad_certificates_are_one_error(void)
{
    check_attempt_fails(wss_untrusted, "/", "localhost", "issuer");
    check_attempt_fails(wss_wrong_name, "/", "localhost", "is for example.invalid");
    check_attempt_fails(wss_expired, "/", "localhost", "expired");
}

static void tls_with_a_server_without_tls_is_one_error(void)
{
    char url[256];
    snprintf(url, sizeof url, "wss%s", ws + strlen("ws"));
    check_attempt_fails(url, "/", "127.0.0.1", "TLS");
}

static void refused_upgrade_is_one_error(void)
{
    check_attempt_fails(ws, "/status/404", "127.0.0.1", "404");
    check_attempt_fails(ws, "/status/200", "127.0.0.1", "200");
    check_attempt_fails(ws, "/status/302", "127.0.0.1", "302");
    check_attempt_fails(ws, "/bad-accept", "127.0.0.1", "Sec-WebSocket-Accept");
    check_attempt_fails(wss, "/status/503", "localhost", "503");
}

static void error_texts_contain_no_secrets(void)
{
    struct Probe *probe = probe_new();
    char url[64] = "";
    char secret[128];
    const struct Event *event;
    refused_url(url, sizeof url);
    snprintf(secret, sizeof secret, "ws://user:hush@%s/?token=hush", url + strlen("ws://"));
    CHECK_INT(probe_send_text(probe, "hush"), WEBSOCKET_OK);
    CHECK_INT(probe_connect(probe, secret, ""), WEBSOCKET_OK);
    event = probe_await(probe, ERROR, 0);
    CHECK(event->length > 0);
    CHECK(!text_has(event->text, "hush"));
    probe_await_end(probe);
    probe_destroy(probe);
}

static void lost_connection_is_1003_and_then_1006(void)
{
    const char *const bases[] = { ws, wss };
    size_t index;
    for (index = 0; index < 2; index++) {
        struct Probe *probe = probe_open(bases[index], "/drop");
        const struct Event *event;
        CHECK_INT(probe_send_text(probe, "cut here"), WEBSOCKET_OK);
        event = probe_await(probe, ERROR, 0);
        CHECK_INT(event->code, WEBSOCKET_CONNECTION_ERROR);
        CHECK(event->length > 0);
        event = probe_await(probe, CLOSE, 0);
        CHECK_INT(event->code, 1006);
        CHECK(event->length > 0);
        probe_await_end(probe);
        CHECK_INT(probe_count(probe, ERROR), 1);
        CHECK_INT(probe_send_text(probe, "late"), WEBSOCKET_NO_CONNECTION);
        CHECK_INT(probe_close(probe, 1000, ""), WEBSOCKET_OK);
        CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
    }
}

static void writing_to_a_lost_connection_raises_no_signal(void)
{
    char data[4096];
    int round;
    memset(data, 'd', sizeof data);
    /* Whether the library notices first by reading or by writing is up to chance. */
    for (round = 0; round < 30; round++) {
        struct Probe *probe = probe_open(ws, "/drop");
        int result;
        do {
            result = probe_send(probe, data, sizeof data);
        } while (result == WEBSOCKET_OK || result == WEBSOCKET_QUEUE_LENGTH_EXCEEDED);
        CHECK_INT(result, WEBSOCKET_NO_CONNECTION);
        CHECK_INT(probe_await(probe, CLOSE, 0)->code, 1006);
        probe_await_end(probe);
        CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
    }
}

static void peer_that_breaks_the_protocol_is_closed(void)
{
    static const struct {
        const char *path;
        uint32_t close_code;
    } cases[] = { { "/bad-frame", 1002 }, { "/bad-utf8", 1007 } };
    size_t index;
    for (index = 0; index < sizeof cases / sizeof *cases; index++) {
        struct Probe *probe = probe_open(ws, cases[index].path);
        CHECK_INT(probe_await(probe, ERROR, 0)->code, WEBSOCKET_PROTOCOL_ERROR);
        CHECK_INT(probe_await(probe, CLOSE, 0)->code, cases[index].close_code);
        CHECK_INT(probe_count(probe, MESSAGE), 0);
        probe_await_end(probe);
        CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
    }
}

/* --- callbacks --- */

static void destroy_now(struct Probe *probe, const struct Event *event)
{
    if (event->kind == *(enum EventKind *)probe->context) {
        CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
    }
}

static void client_is_destroyed_in_each_callback(void)
{
    static const char *const paths[] = { "/", "/flood/1000/16", "/status/404", "/close/1000/bye" };
    enum EventKind kind;
    struct Probe *other;
    struct Probe *destroyed[EVENT_KINDS];
    enum EventKind kinds[EVENT_KINDS];
    for (kind = OPEN; kind < EVENT_KINDS; kind = (enum EventKind)(kind + 1)) {
        struct Probe *probe = probe_new();
        kinds[kind] = kind;
        probe->hook = destroy_now;
        probe->context = &kinds[kind];
        CHECK_INT(probe_connect(probe, ws, paths[kind]), WEBSOCKET_OK);
        probe_await(probe, kind, 0);
        probe_await_return(probe);
        destroyed[kind] = probe;
    }
    /* A stretch of work in which a stray callback would come. */
    other = probe_open(ws, "/flood/2000/16");
    probe_await(other, MESSAGE, 1999);
    probe_finish(other);
    for (kind = OPEN; kind < EVENT_KINDS; kind = (enum EventKind)(kind + 1)) {
        CHECK_INT(probe_count(destroyed[kind], kind), 1);
        CHECK_INT(destroyed[kind]->destroyed, 1);
        CHECK(kind == CLOSE || probe_count(destroyed[kind], CLOSE) == 0);
        check_unknown(destroyed[kind]->client);
    }
}

static void no_callback_after_destroy_returned(void)
{
    int round;
    struct Probe *other = probe_open(ws, "/");
    for (round = 0; round < 20; round++) {
        struct Probe *probe = probe_open(ws, "/flood/100000/16");
        int index;
        size_t events;
        int running;
        probe_await(probe, MESSAGE, round);
        CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
        pthread_mutex_lock(&check.lock);
        events = probe->count;
        running = probe->running;
        pthread_mutex_unlock(&check.lock);
        CHECK_INT(running, 0);
        for (index = 0; index < 5; index++) {
            probe_round_trip_text(other, "meanwhile");
        }
        CHECK_INT(probe->count, events);
    }
    probe_finish(other);
}

static struct Flag replaced;

static void replacement(struct WebSocket *client, char *data, uint32_t length)
{
    CHECK_INT(length, 3);
    CHECK_TEXT(data, "two");
    (void)client;
    flag_raise(&replaced);
}

static void callbacks_are_read_from_the_struct_at_each_call(void)
{
    struct Probe *probe = probe_open(ws, "/");
    probe_round_trip_text(probe, "one");
    probe->client->onMessage = replacement;
    CHECK_INT(probe_send_text(probe, "two"), WEBSOCKET_OK);
    CHECK(flag_await(&replaced, 1));
    probe->client->onMessage = probe_on_message;
    probe_round_trip_text(probe, "three");
    CHECK_INT(probe_count(probe, MESSAGE), 2);
    probe_finish(probe);
}

static void null_callbacks_are_skipped(void)
{
    struct Probe *probe = probe_new();
    WebSocket_RequestOptions options = { NULL };
    char url[256];
    probe->client->onOpen = NULL;
    probe->client->onMessage = NULL;
    probe->client->onError = NULL;
    probe->phase = OPENED; /* what onOpen would have recorded */
    /* onOpen, onError and onClose are due, of which one is heard. */
    CHECK_INT(probe_send_text(probe, "cut here"), WEBSOCKET_OK);
    snprintf(url, sizeof url, "%s/drop", ws);
    CHECK_INT(OH_WebSocketClient_Connect(probe->client, url, options), WEBSOCKET_OK);
    CHECK_INT(probe_await(probe, CLOSE, 0)->code, 1006);
    probe_await_end(probe);
    CHECK_INT(probe->count, 1);

    /* Then all but onMessage, on the same client. */
    probe->client->onMessage = probe_on_message;
    probe->client->onClose = NULL;
    probe->phase = OPENED;
    CHECK_INT(probe_send_text(probe, "heard"), WEBSOCKET_NO_CONNECTION);
    CHECK_INT(OH_WebSocketClient_Connect(probe->client, ws, options), WEBSOCKET_OK);
    probe_round_trip_text(probe, "heard");
    CHECK_INT(probe_close(probe, 1000, ""), WEBSOCKET_OK);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
    CHECK_INT(probe->count, 2);
}

/* --- many --- */

static void many_clients_live_at_once(void)
{
    enum { CLIENTS = 150 };
    static struct Probe *clients[CLIENTS];
    char text[32];
    int index;
    for (index = 0; index < CLIENTS; index++) {
        clients[index] = probe_new();
        REQUIRE(clients[index]->client != NULL);
        CHECK_INT(probe_connect(clients[index], index % 3 == 0 ? wss : ws, "/"), WEBSOCKET_OK);
        snprintf(text, sizeof text, "client %d", index);
        CHECK_INT(probe_send_text(clients[index], text), WEBSOCKET_OK);
    }
    for (index = 0; index < CLIENTS; index++) {
        snprintf(text, sizeof text, "client %d", index);
        CHECK_TEXT(probe_await(clients[index], MESSAGE, 0)->text, text);
    }
    for (index = 0; index < CLIENTS; index++) {
        CHECK_INT(probe_close(clients[index], 1000, ""), WEBSOCKET_OK);
    }
    for (index = 0; index < CLIENTS; index++) {
        CHECK_INT(probe_await(clients[index], CLOSE, 0)->code, 1000);
        probe_await_end(clients[index]);
        CHECK_INT(probe_destroy(clients[index]), WEBSOCKET_OK);
    }
}

int main(void)
{
    check_begin("contract", 900);
    ws = required("WS_URL");
    wss = required("WSS_URL");
    wss_untrusted = required("WSS_UNTRUSTED_URL");
    wss_wrong_name = required("WSS_WRONG_NAME_URL");
    wss_expired = required("WSS_EXPIRED_URL");

    /* First, while the process is small: it looks at how much the process grows. */
    RUN(message_over_the_limit_is_1012_and_closes_1009);

    RUN(null_client_is_1001);
    RUN(unknown_client_is_1002_and_is_not_read);
    RUN(destroyed_client_is_1002);

    RUN(added_header_is_copied_and_sent_without_options);
    RUN(added_headers_passed_as_options_are_sent_once);
    RUN(headers_in_options_are_sent_in_order_after_those_added);
    RUN(add_header_ignores_null_and_connect_refuses_it);
    RUN(invalid_header_is_ignored);
    RUN(header_that_splits_the_request_is_1003_without_a_connection);
    RUN(as_many_as_8192_headers_are_sent);
    RUN(more_than_64_kib_of_headers_is_1016);

    RUN(bad_url_is_1005);
    RUN(url_without_a_scheme_is_one_error_1005_without_a_connection);
    RUN(url_of_the_full_length_works);
    RUN(http_and_https_stand_for_ws_and_wss);
    RUN(url_becomes_request_target_and_host);
    RUN(user_and_password_become_basic_authorization);
    RUN(ipv6_address_in_a_url);

    RUN(open_reports_101);
    RUN(sends_before_connect_arrive_in_order);
    RUN(failed_attempt_reports_how_many_messages_it_dropped);
    RUN(send_limits);
    RUN(full_send_queue_is_1013_and_nothing_accepted_is_lost);
    RUN(peer_that_never_reads_fills_the_queue_and_blocks_no_caller);
    RUN(text_or_binary_is_decided_by_the_data);
    RUN(send_reads_nothing_past_the_length);
    RUN(messages_of_all_sizes_arrive_whole);
    RUN(empty_messages_are_delivered);
    RUN(flood_arrives_whole_and_in_order);
    RUN(message_at_the_limit_is_received);

    RUN(close_without_code_or_reason_means_1000);
    RUN(close_sends_a_code_without_a_reason_and_a_reason_without_a_code);
    RUN(close_codes_of_applications_are_sent);
    RUN(close_code_that_may_not_be_sent_goes_out_as_1000);
    RUN(long_reason_is_cut_between_characters);
    RUN(close_by_the_peer_is_reported);
    RUN(after_close_nothing_is_sent);
    RUN(close_while_connecting_cancels_the_attempt);

    RUN(connect_while_connecting_or_open_is_1003);
    RUN(client_connects_again_after_close);
    RUN(client_connects_again_from_its_last_callback);

    RUN(refused_connection_is_one_error);
    RUN(unknown_host_is_one_error);
    RUN(bad_certificates_are_one_error);
    RUN(tls_with_a_server_without_tls_is_one_error);
    RUN(refused_upgrade_is_one_error);
    RUN(error_texts_contain_no_secrets);
    RUN(lost_connection_is_1003_and_then_1006);
    RUN(writing_to_a_lost_connection_raises_no_signal);
    RUN(peer_that_breaks_the_protocol_is_closed);

    RUN(client_is_destroyed_in_each_callback);
    RUN(no_callback_after_destroy_returned);
    RUN(callbacks_are_read_from_the_struct_at_each_call);
    RUN(null_callbacks_are_skipped);

    RUN(many_clients_live_at_once);
    return check_end();
}
