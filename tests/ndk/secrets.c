/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * No error text and no log line contains a secret of an application or a peer, whatever fails. The log is that of level debug,
 * in a file.
 */

#include "check.h"

#include <network/netstack/net_websocket_ext.h>

/* Part of all that is secret here. */
#define MARK "s3cr3t"
#define LOG_BYTES 65536

static const char *ws;
static int told;

/* A text of the library's. */
static void tells(const char *text)
{
    told++;
    if (strstr(text, MARK) != NULL) {
        check_failed(__FILE__, __LINE__, "a text holds a secret: %s", text);
    }
}

/* The options that all clients have. Those with a proxy are sent by the one at `proxy`. */
static struct NWS_Options secret_options(const char *proxy)
{
    struct NWS_Options options;
    CHECK_INT(NWS_InitOptions(&options, sizeof options), WEBSOCKET_OK);
    options.username = "user-" MARK;
    options.password = "password-" MARK;
    options.perMessageDeflate = 0;
    options.maxRedirects = 1;
    options.proxyType = NWS_PROXY_NONE;
    if (proxy != NULL) {
        options.proxyType = NWS_PROXY_HTTP;
        options.proxyHost = "127.0.0.1";
        options.proxyPort = (uint16_t)atoi(strrchr(proxy, ':') + 1);
        options.proxyUsername = "proxy-" MARK;
        options.proxyPassword = "proxy-" MARK;
    }
    return options;
}

static int secret_connect(struct Probe *probe, const char *url, const char *proxy)
{
    struct WebSocket_Header cookie = { "Cookie", "session=" MARK, NULL };
    struct WebSocket_Header key = { "X-Api-Key", MARK, &cookie };
    WebSocket_RequestOptions headers = { &key };
    struct NWS_Options options = secret_options(proxy);
    CHECK_INT(NWS_SetOptions(probe->client, &options), WEBSOCKET_OK);
    return probe_connect_with(probe, url, "/room?token=" MARK, headers);
}

/* An attempt, or a connection, that ends with onError. */
static void fails(const char *url, const char *proxy)
{
    struct Probe *probe = probe_new();
    CHECK_INT(secret_connect(probe, url, proxy), WEBSOCKET_OK);
    tells(probe_await(probe, ERROR, 0)->text);
    probe_await_end(probe);
    CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
}

static void answers_of_servers(void)
{
    static const char *const answers[] = {
        "HTTP/1.1 401 No\r\nSet-Cookie: a=" MARK "\r\nContent-Length: 6\r\n\r\n" MARK,
        "HTTP/1.1 403 No\r\nSec-WebSocket-Protocol: a b " MARK "\r\n\r\n" MARK,
        "HTTP/1.1 302 Found\r\nLocation: ftp://u:" MARK "@h/?" MARK "\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: ws://u:" MARK "@127.0.0.1:1/?" MARK "\r\n\r\n",
        "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nSet-Cookie: a=" MARK "\r\n\r\n",
        "HTTP/1.1 101 Yes\r\nSet-Cookie " MARK "\r\n\r\n",
        "",
    };
    size_t at;
    for (at = 0; at < sizeof answers / sizeof *answers; at++) {
        struct Answerer server;
        answerer_start(&server, answers[at]);
        fails(server.url, NULL);
        answerer_end(&server);
    }
}

static void answers_of_proxies(void)
{
    static const char *const answers[] = {
        "HTTP/1.1 502 No\r\nX-A: " MARK "\r\n\r\n" MARK,
        "HTTP/1.1 200 " MARK "\001\r\n\r\n",
    };
    size_t at;
    for (at = 0; at < sizeof answers / sizeof *answers; at++) {
        struct Answerer proxy;
        answerer_start(&proxy, answers[at]);
        fails(ws, proxy.url);
        answerer_end(&proxy);
    }
}

/* Ahead of what the server sends, which ends the connection. */
static void sends_when_open(struct Probe *probe, const struct Event *event)
{
    if (event->kind == OPEN) {
        CHECK_INT(probe_send_text(probe, "message " MARK), WEBSOCKET_OK);
    }
}

/* The server breaks the protocol behind a message with a secret, as hexadecimal digits say. */
static void broken_connections(void)
{
    static const char *const frames[] = { "8106733363723374" "c106733363723374", "8106733363723374" "8306733363723374",
                                          "8106733363723374" "880803ed733363723374" };
    size_t at;
    for (at = 0; at < sizeof frames / sizeof *frames; at++) {
        struct Probe *probe = probe_new();
        struct NWS_Options options = secret_options(NULL);
        char path[128];
        CHECK_INT(NWS_SetOptions(probe->client, &options), WEBSOCKET_OK);
        probe->hook = sends_when_open;
        snprintf(path, sizeof path, "/wire/%s?token=%s", frames[at], MARK);
        CHECK_INT(probe_connect(probe, ws, path), WEBSOCKET_OK);
        tells(probe_await(probe, ERROR, 0)->text);
        tells(probe_await(probe, CLOSE, 0)->text);
        probe_await_end(probe);
        CHECK_INT(probe_destroy(probe), WEBSOCKET_OK);
    }
}

static void refused_calls(void)
{
    static const char *const urls[] = { "ws://u:" MARK "@h:99999", "ftp://u:" MARK "@h", "ws://u:" MARK "@" };
    struct Probe *probe = probe_new();
    struct NWS_Options options;
    size_t at;
    for (at = 0; at < sizeof urls / sizeof *urls; at++) {
        CHECK_INT(secret_connect(probe, urls[at], NULL), WEBSOCKET_CONNECTION_PARSE_URL_ERROR);
        tells(NWS_LastErrorMessage());
    }
    options = secret_options("ws://127.0.0.1:1");
    options.proxyPassword = MARK "\r\nX-A: b";
    CHECK(NWS_SetOptions(probe->client, &options) != WEBSOCKET_OK);
    tells(NWS_LastErrorMessage());
    options = secret_options("ws://127.0.0.1:1");
    options.proxyHost = "u:" MARK "@";
    CHECK(NWS_SetOptions(probe->client, &options) != WEBSOCKET_OK);
    tells(NWS_LastErrorMessage());
    CHECK_INT(probe_destroy(probe), WEBSOCKET_NO_CONNECTION_CONTEXT);
}

static FILE *log_file;

/* From now on the log goes into a file. */
static void log_to_a_file(void)
{
    log_file = tmpfile();
    REQUIRE(log_file != NULL && dup2(fileno(log_file), STDERR_FILENO) == STDERR_FILENO);
    CHECK_INT(NWS_SetLogLevel(NWS_LOG_DEBUG), WEBSOCKET_OK);
}

static void the_log(void)
{
    static char log[LOG_BYTES];
    size_t length;
    const char *found;
    fflush(stderr);
    rewind(log_file);
    length = fread(log, 1, sizeof log - 1, log_file);
    log[length] = '\0';
    CHECK(length > 0 && length < sizeof log - 1);
    CHECK_HAS(log, "connecting to 127.0.0.1:");
    found = strstr(log, MARK);
    if (found != NULL) {
        check_failed(__FILE__, __LINE__, "the log holds a secret: ...%.60s", found > log + 40 ? found - 40 : log);
    }
    CHECK(told >= 20);
}

int main(void)
{
    check_begin("secrets", 120);
    ws = required("WS_URL");
    log_to_a_file();
    RUN(answers_of_servers);
    RUN(answers_of_proxies);
    RUN(broken_connections);
    RUN(refused_calls);
    RUN(the_log);
    return check_end();
}
