/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * net_websocket.hpp as an application uses it.
 */

#include "check.h"

#include <memory>
#include <mutex>
#include <network/netstack/net_websocket.hpp>
#include <queue>
#include <stdexcept>

namespace {

std::string ws;

/// What handlers were told, in order, for a test to take one by one.
class Events {
public:
    void put(const std::string &event)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        events_.push(event);
        flag_raise(&count_);
    }

    std::string next()
    {
        if (!flag_await(&count_, ++taken_)) {
            check_failed(__FILE__, __LINE__, "no event number %d", taken_);
            return "";
        }
        std::lock_guard<std::mutex> lock(mutex_);
        std::string event = events_.front();
        events_.pop();
        return event;
    }

private:
    std::mutex mutex_;
    std::queue<std::string> events_;
    Flag count_{};
    int taken_ = 0;
};

nws::Handlers all(const std::shared_ptr<Events> &events)
{
    nws::Handlers handlers;
    handlers.onOpen = [events](const nws::Response &response) { events->put("open " + std::to_string(response.status)); };
    handlers.onMessage = [events](const nws::Message &message) {
        events->put((message.isText() ? "text " : "binary ") + std::string(message.view()));
    };
    handlers.onPong = [events](const nws::Pong &pong) {
        CHECK(pong.roundTripUs >= 0);
        events->put("pong " + std::string(pong.data, pong.length));
    };
    handlers.onError = [events](const nws::Failure &failure) { events->put("error " + std::to_string(failure.phase)); };
    handlers.onClose = [events](const nws::Close &close) {
        events->put("close " + std::to_string(close.code) + " " + close.reason);
    };
    return handlers;
}

/// An open client, whose first event was taken.
nws::Client open(const std::shared_ptr<Events> &events, const std::string &path = "/")
{
    nws::Client client(all(events));
    CHECK(!client.connect(ws + path));
    CHECK_TEXT(events->next().c_str(), "open 101");
    return client;
}

#define CHECK_NEXT(expected) CHECK_TEXT(events->next().c_str(), expected)

void echoes_text_and_bytes()
{
    auto events = std::make_shared<Events>();
    nws::Client client = open(events);
    CHECK(client.state() == nws::State::open);
    CHECK(!client.sendText("你好"));
    CHECK_NEXT("text 你好");
    const std::vector<uint8_t> bytes{ 'a', 'b', 'c' };
    CHECK(!client.sendBinary(bytes));
    CHECK_NEXT("binary abc");
    CHECK(client.sendText("\xff") == nws::Error(NWS_INVALID_UTF8));
    CHECK_TEXT(client.sendText("\xff").name(), "NWS_INVALID_UTF8");
    CHECK(!client.close(4000, "enough"));
    CHECK_NEXT("close 4000 enough");
    CHECK(client.state() == nws::State::closed);
    CHECK(client.sendText("late").code() == WEBSOCKET_NO_CONNECTION);
}

void sends_lent_memory_without_a_copy()
{
    auto events = std::make_shared<Events>();
    nws::Client client = open(events);
    std::vector<uint8_t> bytes(300000, 'z');
    CHECK(!client.sendOwned(std::move(bytes)));
    CHECK(bytes.empty());
    CHECK_INT(events->next().size(), 7 + 300000);
    std::string text = "owned";
    CHECK(!client.sendOwned(std::move(text)));
    CHECK_NEXT("text owned");
    CHECK(!client.sendOwned(std::string()));
    CHECK_NEXT("text ");
    CHECK(!client.close());
    CHECK_NEXT("close 1000 ");
    std::string kept(100, 'k');
    CHECK(client.sendOwned(std::move(kept)).code() == WEBSOCKET_NO_CONNECTION);
    CHECK(kept == std::string(100, 'k'));
}

void reports_whether_a_message_was_sent()
{
    auto events = std::make_shared<Events>();
    {
        nws::Client client = open(events);
        CHECK(!client.send(nws::MessageType::text, "m", [events](nws::Error error) { events->put(error.name()); }));
        CHECK_NEXT("WEBSOCKET_OK");
        CHECK_NEXT("text m");
        CHECK(client.send(nws::MessageType::text, "m", nullptr).code() == NWS_INVALID_ARGUMENT);
    }
    {
        nws::Client client(all(events));
        CHECK(!client.send(nws::MessageType::text, "m", [events](nws::Error error) { events->put(error.name()); }));
    }
    CHECK_NEXT("WEBSOCKET_DESTROYED");
}

void sends_pieces_and_pings()
{
    auto events = std::make_shared<Events>();
    nws::Client client = open(events);
    CHECK(!client.sendPiece(nws::MessageType::text, "one, ", false));
    CHECK(client.sendText("no").code() == NWS_MESSAGE_UNFINISHED);
    CHECK(!client.sendPiece(nws::MessageType::text, "two", true));
    CHECK_NEXT("text one, two");
    CHECK(!client.ping("p"));
    CHECK_NEXT("pong p");
    nws::Statistics statistics = client.statistics();
    CHECK_INT(statistics.pingsSent, 1);
    CHECK_INT(statistics.messagesReceived, 1);
    CHECK(statistics.roundTripUs >= 0);
    CHECK(client.id() > 0);
    CHECK_INT(client.bufferedAmount(), 0);
}

void a_moved_client_keeps_its_connection()
{
    auto events = std::make_shared<Events>();
    nws::Client first = open(events);
    nws::Client second = std::move(first);
    CHECK(!first && second);
    CHECK(first.sendText("x").code() == WEBSOCKET_CLIENT_NULL);
    CHECK(!second.sendText("moved"));
    CHECK_NEXT("text moved");
    auto others = std::make_shared<Events>();
    nws::Client third = open(others);
    third = std::move(second);
    CHECK(!third.sendText("again"));
    CHECK_NEXT("text again");
    struct WebSocket *handle = third.handle();
    third = nws::Client();
    CHECK_INT(NWS_GetState(handle), -1);
}

void can_be_destroyed_in_its_own_handler()
{
    auto events = std::make_shared<Events>();
    auto client = std::make_shared<std::unique_ptr<nws::Client>>();
    nws::Handlers handlers = all(events);
    auto capture = std::make_shared<std::string>("still here");
    handlers.onMessage = [events, client, capture](const nws::Message &) {
        client->reset();
        // What the handler captured lives as long as the handler runs.
        events->put(*capture);
    };
    *client = std::make_unique<nws::Client>(std::move(handlers));
    CHECK(!(*client)->sendText("go"));
    CHECK(!(*client)->connect(ws + "/"));
    CHECK_NEXT("open 101");
    CHECK_NEXT("still here");
}

void passes_exceptions_to_their_handler()
{
    auto events = std::make_shared<Events>();
    nws::Handlers handlers = all(events);
    handlers.onMessage = [](const nws::Message &) { throw std::runtime_error("thrown"); };
    handlers.onException = [events](std::exception_ptr exception) {
        try {
            std::rethrow_exception(exception);
        } catch (const std::runtime_error &error) {
            events->put(error.what());
        }
    };
    nws::Client client(std::move(handlers));
    CHECK(!client.sendText("one"));
    CHECK(!client.sendText("two"));
    CHECK(!client.connect(ws + "/"));
    CHECK_NEXT("open 101");
    CHECK_NEXT("thrown");
    CHECK_NEXT("thrown");
}

void accepts_options()
{
    auto events = std::make_shared<Events>();
    nws::Client client(all(events));
    nws::Options options;
    CHECK_INT(options.connectTimeout.count(), 15000);
    options.clientMaxWindowBits = 8;
    CHECK(client.setOptions(options).code() == NWS_INVALID_ARGUMENT);
    CHECK_HAS(NWS_LastErrorMessage(), "clientMaxWindowBits");
    options = nws::Options();
    options.protocols = { "one", "two" };
    CHECK(!client.setOptions(options));
    CHECK(!client.connect(ws + "/protocol"));
    CHECK_NEXT("open 101");
    CHECK(client.protocol() == "one");
    CHECK(client.extensions() == std::nullopt);
    CHECK(!client.close());
    CHECK_NEXT("close 1000 ");
    options = nws::Options();
    options.headers = { { "x-first", "1" }, { "x-second", "2" } };
    CHECK(!client.setOptions(options));
    CHECK(!client.connect(ws + "/headers"));
    CHECK_NEXT("open 101");
    CHECK(client.responseHeader("X-Test") == "one");
    CHECK(client.responseHeader("set-cookie", 1) == "b=2");
    CHECK(client.responseHeader("absent") == std::nullopt);
    std::string request = events->next();
    CHECK_HAS(request.c_str(), "x-first: 1");
    CHECK_HAS(request.c_str(), "x-second: 2");
}

void accepts_tls_options()
{
    auto events = std::make_shared<Events>();
    nws::Client client(all(events));
    nws::Options options;
    options.caPath = required("CA_FILE");
    options.caPathAddsToSystem = true;
    options.clientCertPath = required("LOCKED_CERT_FILE");
    options.clientKeyPath = required("LOCKED_KEY_FILE");
    options.clientKeyPassword = "correct horse";
    options.tlsServerName = "127.0.0.1";
    options.alpnProtocols.push_back("x-test");
    CHECK(!client.setOptions(options));
    CHECK(!client.connect(std::string(required("WSS_MUTUAL_URL")) + "/"));
    CHECK_NEXT("open 101");
    CHECK(!client.close());
    CHECK_NEXT("close 1000 ");
    using clock = std::chrono::system_clock;
    nws::CertificatePinning right{ required("SERVER_PIN"), clock::now() + std::chrono::hours(1) };
    nws::CertificatePinning wrong{ std::string(43, 'A') + "=", std::nullopt };
    options.certificatePinning = { wrong };
    CHECK(!client.setOptions(options));
    CHECK(!client.connect(std::string(required("WSS_URL")) + "/"));
    CHECK_NEXT("error 3"); // NWS_PHASE_TLS
    options.certificatePinning = { wrong, right };
    CHECK(!client.setOptions(options));
    CHECK(!client.connect(std::string(required("WSS_URL")) + "/"));
    CHECK_NEXT("open 101");
    CHECK(!client.close());
    CHECK_NEXT("close 1000 ");
}

void serves_clients()
{
    auto events = std::make_shared<Events>();
    auto served = std::make_shared<Events>();
    std::unique_ptr<nws::Server> server;
    nws::ServerHandlers handlers;
    handlers.onRequest = [&](const nws::ServerRequest &request) {
        if (std::string(request.target) == "/no") {
            CHECK(!server->refuse(request.request, 403, "not you", { { "X-Why", "path" } }));
        } else {
            CHECK(!server->accept(request.request, "", { { "X-Served", "yes" } }));
        }
    };
    handlers.onOpen = [&](uint64_t connection, const nws::ServerConnection &info) {
        CHECK(server->address(connection) == std::string("127.0.0.1"));
        served->put("open " + std::to_string(connection) + " " + info.target + " " + info.protocol);
    };
    handlers.onMessage = [&](uint64_t connection, const nws::Message &message) {
        if (message.view() == "throw") {
            throw std::runtime_error("thrown");
        }
        CHECK(!(message.isText() ? server->sendText(connection, message.view())
                                 : server->sendBinary(connection, message.data(), message.size())));
    };
    handlers.onClose = [&](uint64_t connection, const nws::Close &close) {
        served->put("close " + std::to_string(connection) + " " + std::to_string(close.code));
    };
    handlers.onStop = [&] { served->put("stop"); };
    handlers.onException = [&](std::exception_ptr) { served->put("exception"); };
    server = std::make_unique<nws::Server>(std::move(handlers));
    CHECK(server->connections().empty() && server->port() == 0);
    nws::ServerOptions options;
    options.address = "127.0.0.1";
    options.protocols = { "a", "b" };
    CHECK(!server->start(options));
    CHECK(server->start(options).code() == WEBSOCKET_CONNECTION_ERROR);
    std::string url = "ws://127.0.0.1:" + std::to_string(server->port());

    nws::Client client(all(events));
    CHECK(!client.connect(url + "/no"));
    CHECK_NEXT("error 4"); // NWS_PHASE_UPGRADE
    nws::Options offer;
    offer.protocols = { "c", "b" };
    CHECK(!client.setOptions(offer));
    CHECK(!client.connect(url + "/yes"));
    CHECK_NEXT("open 101");
    CHECK(served->next() == "open 1 /yes b");
    CHECK(client.responseHeader("x-served") == std::string("yes"));
    CHECK(!client.sendText("text"));
    CHECK_NEXT("text text");
    CHECK(!client.sendBinary(std::vector<uint8_t>{ 'a', 'b' }));
    CHECK_NEXT("binary ab");
    CHECK(!client.sendText("throw"));
    CHECK(served->next() == "exception");
    CHECK(server->connections() == std::vector<uint64_t>{ 1 });
    CHECK(server->broadcast(nws::MessageType::text, "all") == 1);
    CHECK_NEXT("text all");
    CHECK(server->broadcast(nws::MessageType::text, "none", std::vector<uint64_t>{}) == 0);
    CHECK(server->broadcast(nws::MessageType::text, "one", { 1, 2 }) == 1);
    CHECK_NEXT("text one");
    CHECK(server->sendText(2, "nobody").code() == NWS_NOT_FOUND);
    CHECK(server->statistics().messagesReceived == 3 && server->bufferedAmount(2) == 0);
    CHECK(!server->close(1, 4000, "go"));
    CHECK_NEXT("close 4000 go");
    CHECK(served->next() == "close 1 4000");
    CHECK(!server->stop());
    CHECK(served->next() == "stop");
    nws::Server moved = std::move(*server);
    CHECK(moved && !*server);
    CHECK(server->start().code() == WEBSOCKET_CLIENT_NULL);
}

} // namespace

int main()
{
    check_begin("hpp", 120);
    ws = required("WS_URL");
    RUN(echoes_text_and_bytes);
    RUN(sends_lent_memory_without_a_copy);
    RUN(reports_whether_a_message_was_sent);
    RUN(sends_pieces_and_pings);
    RUN(a_moved_client_keeps_its_connection);
    RUN(can_be_destroyed_in_its_own_handler);
    RUN(passes_exceptions_to_their_handler);
    RUN(accepts_options);
    RUN(accepts_tls_options);
    RUN(serves_clients);
    return check_end();
}
