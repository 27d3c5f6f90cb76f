/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Runs the C and C++ examples of docs/c. They are linked into this program, with printf replaced by guide_printf, whose lines the
 * tests wait for. tests/ndk/run.sh compiles it for each language, and finds the functions that no test here has entered.
 */

#include "../ndk/check.h"

#include <cstdarg>
#include <functional>
#include <memory>
#include <network/netstack/net_websocket.hpp>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

namespace {

std::string ws;
const std::string nobody = "ws://127.0.0.1:1/";

/// What the examples have printed, and how much of it a test has looked at.
std::string printed;
size_t looked_at;

/// Waits until the examples print `text`, behind what was waited for before.
void expect(const std::string &text)
{
    struct timespec until = deadline();
    pthread_mutex_lock(&check.lock);
    size_t at;
    while ((at = printed.find(text, looked_at)) == std::string::npos && changes_before(&until)) {
    }
    std::string rest = printed.substr(looked_at);
    if (at != std::string::npos) {
        looked_at = at + text.size();
    }
    pthread_mutex_unlock(&check.lock);
    if (at == std::string::npos) {
        check_failed(__FILE__, __LINE__, "nothing prints \"%s\"; what came is \"%.600s\"", text.c_str(), rest.c_str());
    }
}

struct WebSocket *made()
{
    return OH_WebSocketClient_Constructor(nullptr, nullptr, nullptr, nullptr);
}

/// Connects with callbacks of one kind, and nothing else.
void connect(struct WebSocket *client, const std::string &url, void *user_data, const std::function<void(NWS_Callbacks &)> &set)
{
    NWS_Callbacks callbacks;
    NWS_InitCallbacks(&callbacks, sizeof callbacks);
    callbacks.userData = user_data;
    set(callbacks);
    CHECK_INT(NWS_SetCallbacks(client, &callbacks), WEBSOCKET_OK);
    CHECK_INT(OH_WebSocketClient_Connect(client, url.c_str(), WebSocket_RequestOptions{ nullptr }), WEBSOCKET_OK);
}

void on_open(struct WebSocket *, void *, const NWS_Response *);
void on_message(struct WebSocket *, void *, const NWS_Message *message);

/// Says when it is open, and what comes.
void connect(struct WebSocket *client, const std::string &url)
{
    connect(client, url, nullptr, [](NWS_Callbacks &callbacks) {
        callbacks.onOpen = on_open;
        callbacks.onMessage = on_message;
    });
}

void destroy(struct WebSocket *client)
{
    CHECK(OH_WebSocketClient_Destroy(client) != WEBSOCKET_CLIENT_NOT_CREATED);
}

} // namespace

extern "C" int guide_printf(const char *format, ...)
{
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&check.lock);
    printed += text;
    pthread_cond_broadcast(&check.changed);
    pthread_mutex_unlock(&check.lock);
    return length;
}

namespace {

void on_open(struct WebSocket *, void *, const NWS_Response *)
{
    guide_printf("OPEN\n");
}

void on_message(struct WebSocket *, void *, const NWS_Message *message)
{
    guide_printf("MESSAGE %.*s\n", static_cast<int>(message->length), message->data);
}

} // namespace

/* --- getting-started --- */

extern "C" {
int main_of_getting_started(int count, char **arguments);
struct WebSocket *listenTo(const char *url, char *name);
}

namespace {

/// hello.c, with a URL.
void hello(std::string url)
{
    char name[] = "hello";
    char *arguments[] = { name, url.data(), nullptr };
    CHECK_INT(main_of_getting_started(2, arguments), 0);
}

void getting_started()
{
    hello(ws + "/");
    expect("received hello\n");
    expect("closed 1000 done\n");
    hello(nobody);
    expect("error 1003: TCP connect to 127.0.0.1");
    hello("ws://");
    expect("connect: 1005\n");

    char name[] = "prices";
    struct WebSocket *client = listenTo((ws + "/").c_str(), name);
    CHECK_INT(NWS_SendText(client, "up", 2), WEBSOCKET_OK);
    expect("prices: up\n");
    destroy(client);
    destroy(listenTo("none://", name));
    expect("url");
}

} // namespace

/* --- connecting --- */

extern "C" {
struct Files {
    const char *authority, *certificate, *key, *publicKeyHash;
};
struct WebSocket *subscribe(const char *url, const char *authorization);
void explainRefusal(struct WebSocket *client, void *userData, const struct NWS_Failure *failure);
int connectToFactory(struct WebSocket *client, const char *url, const struct Files *files);
int connectByProxy(struct WebSocket *client, const char *url, const char *name, const char *password);
int cancelAttempt(struct WebSocket *client);
}

namespace {

void subscribes()
{
    struct WebSocket *client = subscribe((ws + "/protocol").c_str(), "Bearer token");
    expect("open, the server chose \"v2.feed\"\n");
    destroy(client);
    client = subscribe(nobody.c_str(), "Bearer token");
    expect("TCP connect to 127.0.0.1");
    destroy(client);
    destroy(subscribe("none://", "Bearer token"));
    expect("url");

}

/// What the request holds of the page's headers, in an answer of the server.
void sends_its_own_user_agent()
{
    struct WebSocket *client = subscribe(nobody.c_str(), "Bearer token");
    expect("TCP connect");
    connect(client, ws + "/headers");
    expect("MESSAGE ");
    expect("authorization: Bearer token\n");
    expect("user-agent: prices/2.1\n");
    destroy(client);
}

void explains_a_refusal()
{
    struct WebSocket *client = made();
    connect(client, ws + "/status/503/7", nullptr, [](NWS_Callbacks &callbacks) { callbacks.onError = explainRefusal; });
    expect("status 503: status 503, as asked\n");
    expect("again in 7 s\n");
    destroy(client);
}

void connects_to_a_factory()
{
    const std::string folder = std::string(required("CA_FILE")).substr(0, std::string(required("CA_FILE")).rfind('/'));
    char pin[64] = "";
    FILE *file = fopen((folder + "/mutual.pin").c_str(), "r");
    REQUIRE(file != nullptr && fgets(pin, sizeof pin, file) != nullptr);
    fclose(file);
    struct Files files = { required("CA_FILE"), required("CLIENT_CERT_FILE"), required("CLIENT_KEY_FILE"), pin };
    struct WebSocket *client = made();
    NWS_Callbacks callbacks;
    NWS_InitCallbacks(&callbacks, sizeof callbacks);
    callbacks.onOpen = on_open;
    callbacks.onError = [](struct WebSocket *, void *, const NWS_Failure *failure) { guide_printf("%s\n", failure->message); };
    CHECK_INT(NWS_SetCallbacks(client, &callbacks), WEBSOCKET_OK);
    CHECK_INT(connectToFactory(client, required("WSS_MUTUAL_URL"), &files), WEBSOCKET_OK);
    expect("OPEN\n");
    destroy(client);

    files.publicKeyHash = required("SERVER_PIN"); /* that of another server */
    client = made();
    CHECK_INT(NWS_SetCallbacks(client, &callbacks), WEBSOCKET_OK);
    CHECK_INT(connectToFactory(client, required("WSS_MUTUAL_URL"), &files), WEBSOCKET_OK);
    expect(pin);
    destroy(client);
}

void connects_by_a_proxy()
{
    struct WebSocket *client = made();
    NWS_Callbacks callbacks;
    NWS_InitCallbacks(&callbacks, sizeof callbacks);
    callbacks.onError = [](struct WebSocket *, void *, const NWS_Failure *failure) { guide_printf("%s\n", failure->message); };
    CHECK_INT(NWS_SetCallbacks(client, &callbacks), WEBSOCKET_OK);
    CHECK_INT(connectByProxy(client, ws.c_str(), "name", "secret"), WEBSOCKET_OK);
    expect("127.0.0.1:1080");
    destroy(client);
}

void cancels_an_attempt()
{
    struct WebSocket *client = made();
    connect(client, ws + "/hang", nullptr, [](NWS_Callbacks &callbacks) {
        callbacks.onError = [](struct WebSocket *, void *, const NWS_Failure *failure) {
            guide_printf("cause %d\n", static_cast<int>(failure->cause));
        };
    });
    CHECK(cancelAttempt(client));
    expect("cause " + std::to_string(NWS_CAUSE_APPLICATION) + "\n");
    destroy(client);
}

} // namespace

/* --- messages --- */

extern "C" {
struct Kept {
    char *data;
    size_t length;
};
struct Upload {
    pthread_mutex_t lock;
    const char *data;
    size_t length, sent;
    int waits;
};
int32_t say(struct WebSocket *client, const char *text);
void keepLast(struct WebSocket *client, void *userData, const struct NWS_Message *message);
int32_t order(struct WebSocket *client, const char *text, int *number);
int upload(struct WebSocket *client, const char *url, struct Upload *upload);
int32_t sendFrame(struct WebSocket *client, void *picture, size_t length);
int32_t sendParts(struct WebSocket *client, const char *const *parts, int count);
int download(struct WebSocket *client, const char *url, size_t *received);
}

namespace {

void sends_and_keeps()
{
    struct Kept kept = { nullptr, 0 };
    struct WebSocket *client = made();
    connect(client, ws + "/", &kept, [](NWS_Callbacks &callbacks) { callbacks.onMessage = keepLast; });
    CHECK_INT(say(client, "one"), WEBSOCKET_OK);
    expect("kept a text of 3 bytes\n");
    CHECK_INT(NWS_SendBinary(client, "three", 5), WEBSOCKET_OK);
    expect("kept bytes of 5 bytes\n");
    CHECK_INT(say(client, "\xff"), NWS_INVALID_UTF8);
    expect("NWS_INVALID_UTF8: ");
    destroy(client);
    CHECK_TEXT(kept.data, "three");
    free(kept.data);
}

void gives_receipts()
{
    int numbers[] = { 1, 2, 3 };
    struct WebSocket *client = made();
    connect(client, ws + "/");
    CHECK_INT(order(client, "a", &numbers[0]), WEBSOCKET_OK);
    expect("order 1: the kernel has it\n");
    destroy(client);
    client = made();
    CHECK_INT(order(client, "b", &numbers[1]), WEBSOCKET_OK);
    connect(client, nobody);
    expect("order 2: the connection ended");
    destroy(client);
    client = made();
    CHECK_INT(order(client, "c", &numbers[2]), WEBSOCKET_OK);
    destroy(client);
    expect("order 3: the client was destroyed\n");
}

void waits_for_room()
{
    const std::vector<char> data(8 * 1048576, 'x');
    struct Upload state = {};
    pthread_mutex_init(&state.lock, nullptr);
    state.data = data.data();
    state.length = data.size();
    struct WebSocket *client = made();
    CHECK_INT(upload(client, (ws + "/sink").c_str(), &state), WEBSOCKET_OK);
    expect("all accepted, after waiting for room\n");
    CHECK(state.waits > 0);
    destroy(client);
}

void lends_memory()
{
    struct WebSocket *client = made();
    connect(client, ws + "/opcode");
    CHECK_INT(sendFrame(client, malloc(1000), 1000), WEBSOCKET_OK);
    expect("the picture is free again\n");
    expect("MESSAGE binary 1000\n");
    CHECK_INT(OH_WebSocketClient_Close(client, WebSocket_CloseOption{ 1000, nullptr }), WEBSOCKET_OK);
    CHECK_INT(sendFrame(client, malloc(1000), 1000), WEBSOCKET_NO_CONNECTION);
    destroy(client);
}

void goes_in_pieces()
{
    char path[] = "/tmp/guide-part-XXXXXX";
    int part = mkstemp(path);
    const std::vector<char> data(10000, 'p');
    CHECK(part >= 0 && write(part, data.data(), data.size()) == 10000);
    close(part);
    const char *const files[] = { path, "/nowhere", path };
    struct WebSocket *client = made();
    connect(client, ws + "/opcode");
    CHECK_INT(sendParts(client, files, 3), WEBSOCKET_OK);
    expect("MESSAGE binary 20000\n");
    destroy(client);
    unlink(path);

    size_t received = 0;
    client = made();
    CHECK_INT(download(client, (ws + "/large/1000000").c_str(), &received), WEBSOCKET_OK);
    expect("downloaded 1000000 bytes\n");
    destroy(client);
}

} // namespace

/* --- reconnecting --- */

extern "C" {
typedef const char *(*TokenSource)(void);
struct Login {
    struct WebSocket *client;
    uint32_t attempt;
    void (*ask)(struct Login *login);
};
struct WebSocket *stayConnected(const char *url, TokenSource *token);
int32_t waitForToken(struct WebSocket *client, void *userData, const struct NWS_Reconnecting *reconnecting);
int32_t answerLogin(const struct Login *login, const char *authorization);
int userIsBack(struct WebSocket *client);
}

namespace {

void stays_connected()
{
    static int asked = 0;
    TokenSource token = [] {
        guide_printf("token %d\n", ++asked);
        return "Bearer fresh";
    };
    struct WebSocket *client = stayConnected((ws + "/close/1012/restart").c_str(), &token);
    /* The first is the app's own, before Connect; onPrepare brings the others. */
    expect("token 1\n");
    expect("attempt 1 in ");
    expect("token 2\n");
    expect("back after 1 attempts\n");
    OH_WebSocketClient_Close(client, WebSocket_CloseOption{ 1000, nullptr });
    expect("over: ");
    destroy(client);
}

/// A client that waits for a month before each attempt.
struct WebSocket *patient(struct Login *login)
{
    struct WebSocket *client = made();
    NWS_ReconnectOptions reconnect;
    NWS_InitReconnectOptions(&reconnect, sizeof reconnect);
    reconnect.delayMs = reconnect.maxDelayMs = 2592000000u;
    CHECK_INT(NWS_SetReconnect(client, &reconnect), WEBSOCKET_OK);
    connect(client, ws + "/close/1012/restart", login, [](NWS_Callbacks &callbacks) {
        callbacks.onPrepare = waitForToken;
        callbacks.onReconnecting = [](struct WebSocket *, void *, const NWS_Reconnecting *reconnecting) {
            guide_printf("RECONNECTING %u, %d\n", static_cast<unsigned>(reconnecting->attempt), static_cast<int>(reconnecting->cause));
        };
        callbacks.onOpen = on_open;
    });
    return client;
}

void waits_for_a_token()
{
    struct Login login = {};
    login.ask = [](struct Login *) { guide_printf("ASKED\n"); };
    struct WebSocket *client = patient(&login);
    expect("OPEN\n");
    expect("RECONNECTING 1, 11\n");
    CHECK(userIsBack(client));
    expect("ASKED\n");
    CHECK_INT(answerLogin(&login, nullptr), WEBSOCKET_OK);
    expect("RECONNECTING 2, 14\n");
    CHECK(userIsBack(client));
    expect("ASKED\n");
    CHECK_INT(answerLogin(&login, "Bearer fresh"), WEBSOCKET_OK);
    expect("OPEN\n");
    CHECK_INT(answerLogin(&login, "Bearer late"), NWS_NOT_FOUND);
    destroy(client);
    client = made();
    CHECK(!userIsBack(client));
    destroy(client);
}

} // namespace

/* --- lifecycle-and-threads --- */

extern "C" {
struct MainThread {
    void (*post)(struct MainThread *thread, char *data);
};
void handOver(struct WebSocket *client, void *userData, const struct NWS_Message *message);
int startJob(const char *url, int runs);
int finish(struct WebSocket *client);
}

namespace {

void hands_messages_over()
{
    struct MainThread thread = { [](struct MainThread *, char *data) {
        guide_printf("POSTED %s\n", data);
        free(data);
    } };
    struct WebSocket *client = made();
    connect(client, ws + "/", &thread, [](NWS_Callbacks &callbacks) { callbacks.onMessage = handOver; });
    CHECK_INT(NWS_SendText(client, "news", 4), WEBSOCKET_OK);
    expect("POSTED news\n");
    destroy(client);
}

void lives_in_its_callbacks()
{
    const std::string url = ws + "/close/1001/bye";
    CHECK_INT(startJob(url.c_str(), 2), WEBSOCKET_OK);
    expect("run ended with 1001, 1 left\n");
    expect("run ended with 1001, 0 left\n");
    CHECK_INT(startJob(nobody.c_str(), 2), WEBSOCKET_OK);
    expect("TCP connect");

    /* Inside a callback, where the field may be changed. */
    struct WebSocket *client = made();
    connect(client, ws + "/", nullptr, [](NWS_Callbacks &callbacks) {
        callbacks.onOpen = [](struct WebSocket *opened, void *, const NWS_Response *) { CHECK_INT(finish(opened), WEBSOCKET_OK); };
    });
    expect("all sent, closed with 1000\n");
}

} // namespace

/* --- server --- */

extern "C" {
struct Papers {
    const char *certificate, *key, *authorities;
};
struct NWS_Server *serve(uint16_t port);
int32_t serveFactory(struct NWS_Server *server, const struct Papers *papers);
void guard(struct NWS_Server *server, void *userData, const struct NWS_ServerRequest *request);
size_t sayToOthers(struct NWS_Server *server, uint64_t except, const char *text, size_t length);
void dropSlow(struct NWS_Server *server, uint64_t connection, uint64_t limit);
void describeServer(const struct NWS_Server *server);
void afterStop(struct NWS_Server *server, void *userData);
int32_t endGently(struct NWS_Server *server);
}
std::unique_ptr<nws::Server> openRoom(std::function<void(std::string)> log);

namespace {

std::string url_of(const struct NWS_Server *server, const char *scheme = "ws")
{
    uint16_t port = 0;
    CHECK_INT(NWS_ServerGetAddress(server, 0, nullptr, nullptr, &port), WEBSOCKET_OK);
    return std::string(scheme) + "://127.0.0.1:" + std::to_string(port) + "/";
}

/// Says when it is open, why it cannot be, and how it ends.
void connect_and_tell(struct WebSocket *client, const std::string &url)
{
    connect(client, url, nullptr, [](NWS_Callbacks &callbacks) {
        callbacks.onOpen = on_open;
        callbacks.onMessage = on_message;
        callbacks.onError = [](struct WebSocket *, void *, const NWS_Failure *failure) { guide_printf("%s\n", failure->message); };
        callbacks.onClose = [](struct WebSocket *, void *, const NWS_Close *close) {
            guide_printf("CLOSE %u %s\n", static_cast<unsigned>(close->code), close->reason);
        };
    });
}

void serves()
{
    struct NWS_Server *server = serve(0);
    REQUIRE(server != nullptr);
    uint16_t port = 0;
    CHECK_INT(NWS_ServerGetAddress(server, 0, nullptr, nullptr, &port), WEBSOCKET_OK);
    CHECK(serve(port) == nullptr);
    expect("cannot listen on 127.0.0.1");
    struct WebSocket *client = made(), *other = made();
    connect(client, url_of(server));
    expect("OPEN\n");
    CHECK_INT(NWS_SendText(client, "hello", 5), WEBSOCKET_OK);
    expect("MESSAGE hello\n");
    CHECK_INT(NWS_SendBinary(client, "bytes", 5), WEBSOCKET_OK);
    expect("MESSAGE bytes\n");
    connect(other, url_of(server));
    expect("OPEN\n");
    CHECK_INT(NWS_SendText(other, "here", 4), WEBSOCKET_OK); /* once it is back, the server has opened as well */
    expect("MESSAGE here\n");
    describeServer(server);
    expect("2 open, 2 were, 0 kept out, 3 messages in\n");
    expect("client 1 at 127.0.0.1 has sent 2 messages\n");
    CHECK_INT(sayToOthers(server, 1, "news", 4), 1);
    expect("MESSAGE news\n");
    CHECK_INT(OH_WebSocketClient_Close(client, WebSocket_CloseOption{ 1000, nullptr }), WEBSOCKET_OK);
    expect("client 1 is gone: 1000\n");
    CHECK_INT(NWS_ServerDestroy(server), WEBSOCKET_OK);
    CHECK_INT(sayToOthers(server, 1, "late", 4), 0);
    destroy(client);
    destroy(other);
}

void drops_who_does_not_read()
{
    static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    const std::string data(1048576, 'x');
    struct NWS_Server *server = serve(0);
    REQUIRE(server != nullptr);
    struct WebSocket *client = made();
    pthread_mutex_lock(&gate);
    connect(client, url_of(server), nullptr, [](NWS_Callbacks &callbacks) {
        callbacks.onOpen = on_open;
        callbacks.onMessage = [](struct WebSocket *, void *, const NWS_Message *) {
            guide_printf("READ\n");
            pthread_mutex_lock(&gate);
            pthread_mutex_unlock(&gate);
        };
        callbacks.onClose = [](struct WebSocket *, void *, const NWS_Close *close) {
            guide_printf("CLOSE %u %s\n", static_cast<unsigned>(close->code), close->reason);
        };
    });
    expect("OPEN\n");
    CHECK_INT(NWS_SendText(client, "ready", 5), WEBSOCKET_OK);
    expect("READ\n");
    for (int sent = 0; sent < 40; sent++) {
        CHECK_INT(NWS_ServerSendBinary(server, 1, data.data(), data.size()), WEBSOCKET_OK);
    }
    dropSlow(server, 1, 64 * data.size());
    CHECK_INT(NWS_ServerSendText(server, 1, "more", 4), WEBSOCKET_OK);
    dropSlow(server, 1, data.size());
    CHECK_INT(NWS_ServerSendText(server, 1, "late", 4), WEBSOCKET_NO_CONNECTION);
    pthread_mutex_unlock(&gate);
    expect("CLOSE 1008 too slow\n");
    destroy(client);
    CHECK_INT(NWS_ServerDestroy(server), WEBSOCKET_OK);
}

void guards_and_ends()
{
    char page[] = "https://app.example";
    NWS_ServerCallbacks callbacks;
    NWS_InitServerCallbacks(&callbacks, sizeof callbacks);
    callbacks.userData = page;
    callbacks.onRequest = guard;
    callbacks.onStop = afterStop;
    struct NWS_Server *server = NWS_ServerCreate(&callbacks);
    CHECK_INT(NWS_ServerStart(server, nullptr), WEBSOCKET_OK);
    struct WebSocket *client = made();
    connect_and_tell(client, url_of(server));
    expect("403");
    CHECK_INT(OH_WebSocketClient_AddHeader(client, WebSocket_Header{ "Origin", page, nullptr }), WEBSOCKET_OK);
    connect_and_tell(client, url_of(server));
    expect("OPEN\n");
    char value[32];
    size_t length = sizeof value;
    CHECK_INT(NWS_GetResponseHeader(client, "x-served-by", 0, value, &length), WEBSOCKET_OK);
    CHECK_TEXT(value, "this device");
    CHECK_INT(endGently(server), WEBSOCKET_OK);
    /* The client can learn of it before or after, and a slow one is dropped. */
    expect("all clients are gone\n");
    destroy(client);
}

void serves_a_factory()
{
    struct Papers papers = { "/nowhere.pem", required("CLIENT_KEY_FILE"), required("CA_FILE") };
    struct NWS_Server *server = NWS_ServerCreate(nullptr);
    CHECK_INT(serveFactory(server, &papers), NWS_CERTIFICATE_UNUSABLE);
    expect("mend the files: ");
    papers.certificate = required("CLIENT_CERT_FILE");
    CHECK_INT(serveFactory(server, &papers), WEBSOCKET_OK);
    expect("wss at port ");
    struct WebSocket *client = made();
    NWS_Options options;
    NWS_InitOptions(&options, sizeof options);
    options.skipServerCertVerification = 1; /* the certificate is a client's */
    CHECK_INT(NWS_SetOptions(client, &options), WEBSOCKET_OK);
    connect_and_tell(client, url_of(server, "wss"));
    expect("certificate");
    options.clientCertPath = papers.certificate;
    options.clientKeyPath = papers.key;
    CHECK_INT(NWS_SetOptions(client, &options), WEBSOCKET_OK);
    connect_and_tell(client, url_of(server, "wss"));
    expect("OPEN\n");
    destroy(client);
    CHECK_INT(NWS_ServerDestroy(server), WEBSOCKET_OK);
}

void opens_a_room()
{
    auto log = [](std::string text) { guide_printf("ROOM %s\n", text.c_str()); };
    std::unique_ptr<nws::Server> room = openRoom(log);
    REQUIRE(room != nullptr);
    struct WebSocket *client = made();
    connect_and_tell(client, url_of(room->handle()));
    expect("400");
    NWS_Options options;
    NWS_InitOptions(&options, sizeof options);
    options.protocols = "room";
    CHECK_INT(NWS_SetOptions(client, &options), WEBSOCKET_OK);
    connect_and_tell(client, url_of(room->handle()));
    expect("ROOM 1 came from 127.0.0.1\n");
    CHECK_INT(NWS_SendText(client, "hello", 5), WEBSOCKET_OK);
    expect("MESSAGE hello\n");
    CHECK(!room->stop());
    expect("ROOM closed\n");
    destroy(client);
}

} // namespace

/* --- errors --- */

extern "C" int32_t connectWithin(struct WebSocket *client, const char *url, uint32_t milliseconds);

namespace {

void explains_errors()
{
    struct WebSocket *client = made();
    CHECK_INT(NWS_SendText(client, "x", 1), WEBSOCKET_OK);
    CHECK_INT(connectWithin(client, (ws + "/hang").c_str(), 20), WEBSOCKET_OK);
    expect("WEBSOCKET_CONNECTION_ERROR, phase 4, cause 3, after ");
    expect("1 messages are lost\n");
    CHECK_INT(connectWithin(client, nobody.c_str(), 0), NWS_INVALID_ARGUMENT);
    expect("NWS_INVALID_ARGUMENT (");
    expect("connectTimeoutMs");
    destroy(client);
}

} // namespace

/* --- statistics-and-logs --- */

extern "C" {
void describe(const struct WebSocket *client);
void showPong(struct WebSocket *client, void *userData, const struct NWS_Pong *pong);
int32_t measure(struct WebSocket *client);
int32_t watchTraffic(struct WebSocket *client, const char *url, uint32_t milliseconds);
int32_t traceFrames(struct WebSocket *client);
void showAgreement(const struct WebSocket *client);
void chatter(int on);
int32_t traceAs(struct WebSocket *client, uint64_t chain);
}

namespace {

void counts_and_measures()
{
    struct WebSocket *client = made();
    connect(client, ws + "/protocol", nullptr, [](NWS_Callbacks &callbacks) {
        callbacks.onOpen = on_open;
        callbacks.onMessage = on_message;
        callbacks.onPong = showPong;
    });
    expect("OPEN\n");
    CHECK_INT(NWS_SendText(client, "hello", 5), WEBSOCKET_OK);
    expect("MESSAGE hello\n");
    CHECK_INT(measure(client), WEBSOCKET_OK);
    expect("probe came back after ");
    describe(client);
    expect("1 messages in ");
    expect("0 bytes wait\n");
    showAgreement(client);
    expect("no extension\n");
    expect("Upgrade: websocket\n");
    destroy(client);

    client = made();
    NWS_Options options;
    NWS_InitOptions(&options, sizeof options);
    options.protocols = "feed";
    CHECK_INT(NWS_SetOptions(client, &options), WEBSOCKET_OK);
    connect(client, ws + "/protocol");
    expect("OPEN\n");
    showAgreement(client);
    expect("sub-protocol feed\n");
    destroy(client);
}

void watches()
{
    struct WebSocket *client = made();
    CHECK_INT(watchTraffic(client, (ws + "/").c_str(), 5), WEBSOCKET_OK);
    expect("bytes received so far\n");
    expect("bytes received so far\n");
    CHECK_INT(traceFrames(client), WEBSOCKET_OK);
    CHECK_INT(NWS_SendText(client, "hello", 5), WEBSOCKET_OK);
    expect("sent opcode 1 FIN, 5 bytes\n");
    expect("received opcode 1 FIN, 5 bytes\n");
    destroy(client);

    client = made();
    CHECK_INT(traceAs(client, 0xa92), WEBSOCKET_OK);
    expect("look for [c" + std::to_string(NWS_GetId(client)) + " a92\n");
    destroy(client);
    chatter(1);
    chatter(0);
    CHECK_INT(NWS_SetLogLevel(NWS_LOG_OFF), WEBSOCKET_OK);
}

} // namespace

/* --- cpp --- */

nws::Client chat(const std::string &url, std::ostream &out);
void fetchOne(const std::string &url, std::function<void(std::string)> done);
nws::Error report(nws::Client &client, const std::string &text, std::function<void(bool)> sent);
nws::Error sendPicture(nws::Client &client, std::vector<uint8_t> &picture);
nws::Client strict(std::function<void(std::string)> complain);

namespace {

/// A stream whose lines go where those of printf do.
class Printed : public std::stringbuf {
    int sync() override
    {
        guide_printf("%s", str().c_str());
        str("");
        return 0;
    }
};

void print(std::string text)
{
    guide_printf("GOT %s\n", text.c_str());
}

void in_cpp()
{
    Printed buffer;
    std::ostream out(&buffer);
    {
        nws::Client client = chat(ws + "/protocol", out);
        CHECK(!client.sendText("hello"));
        expect("hello\n");
        CHECK_TEXT(client.protocol().value_or("none").c_str(), "chat.v2");
        CHECK(!report(client, "a report", [](bool sent) { guide_printf("SENT %d\n", sent); }));
        expect("SENT 1\n");
        std::vector<uint8_t> picture(100, 'z');
        CHECK(!sendPicture(client, picture));
        CHECK(picture.empty());
        expect("zzz");
        CHECK(!client.close());
        expect("closed 1000\n");
    }
    {
        nws::Client client = chat(nobody, out);
        expect("TCP connect");
    }
    fetchOne(ws + "/later/1", print);
    expect("GOT later\n");
    fetchOne(ws + "/close/1000/done", print);
    expect("GOT closed: done\n");
    fetchOne(nobody, print);
    expect("GOT TCP connect");
    {
        nws::Client client = strict(print);
        CHECK(!client.connect(ws + "/later/1"));
        expect("GOT not expected: later\n");
    }
}

} // namespace

int main()
{
    check_begin("guide", 300);
    ws = required("WS_URL");
    RUN(getting_started);
    RUN(subscribes);
    RUN(sends_its_own_user_agent);
    RUN(explains_a_refusal);
    RUN(connects_to_a_factory);
    RUN(connects_by_a_proxy);
    RUN(cancels_an_attempt);
    RUN(sends_and_keeps);
    RUN(gives_receipts);
    RUN(waits_for_room);
    RUN(lends_memory);
    RUN(goes_in_pieces);
    RUN(stays_connected);
    RUN(waits_for_a_token);
    RUN(hands_messages_over);
    RUN(lives_in_its_callbacks);
    RUN(serves);
    RUN(drops_who_does_not_read);
    RUN(guards_and_ends);
    RUN(serves_a_factory);
    RUN(opens_a_room);
    RUN(explains_errors);
    RUN(counts_and_measures);
    RUN(watches);
    RUN(in_cpp);
    return check_end();
}
