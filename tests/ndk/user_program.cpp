/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * A C++17 program as a user would write it: a small class around the C functions.
 */

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <network/netstack/net_websocket.h>
#include <queue>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>

namespace {

/// A connection that is open when the constructor returns, and gone when the destructor does.
class Connection {
public:
    explicit Connection(const std::string &url, const std::map<std::string, std::string> &headers = {})
    {
        std::unique_lock<std::mutex> lock(registry_mutex_);
        client_.reset(OH_WebSocketClient_Constructor(on_open, on_message, on_error, on_close));
        if (client_ == nullptr) {
            throw std::bad_alloc();
        }
        registry_[client_.get()] = this;
        lock.unlock();
        for (const auto &[name, value] : headers) {
            check(OH_WebSocketClient_AddHeader(client_.get(), {name.c_str(), value.c_str(), nullptr}), "AddHeader");
        }
        check(OH_WebSocketClient_Connect(client_.get(), url.c_str(), client_->requestOptions), "Connect");
        wait([this] { return open_ || !failure_.empty(); });
        if (!failure_.empty()) {
            throw std::runtime_error(failure_);
        }
    }

    ~Connection()
    {
        auto *client = client_.get();
        client_.reset();
        std::lock_guard<std::mutex> lock(registry_mutex_);
        registry_.erase(client);
    }

    Connection(const Connection &) = delete;
    Connection &operator=(const Connection &) = delete;

    void send(std::string_view data)
    {
        check(OH_WebSocketClient_Send(client_.get(), const_cast<char *>(data.data()), data.size()), "Send");
    }

    std::string receive()
    {
        wait([this] { return !messages_.empty() || closed_ != 0 || !failure_.empty(); });
        std::lock_guard<std::mutex> lock(mutex_);
        if (messages_.empty()) {
            throw std::runtime_error("closed: " + failure_);
        }
        std::string message = std::move(messages_.front());
        messages_.pop();
        return message;
    }

    std::uint32_t close(std::uint32_t code, const char *reason)
    {
        check(OH_WebSocketClient_Close(client_.get(), {code, reason}), "Close");
        wait([this] { return closed_ != 0; });
        std::lock_guard<std::mutex> lock(mutex_);
        return closed_;
    }

private:
    struct Release {
        void operator()(WebSocket *client) const { OH_WebSocketClient_Destroy(client); }
    };

    static void check(int result, const char *what)
    {
        if (result != WEBSOCKET_OK) {
            throw std::runtime_error(std::string(what) + " failed: " + std::to_string(result));
        }
    }

    template <typename Condition> void wait(Condition condition)
    {
        std::unique_lock<std::mutex> lock(mutex_);
        if (!changed_.wait_for(lock, std::chrono::seconds(60), condition)) {
            throw std::runtime_error("nothing happens");
        }
    }

    template <typename Change> static void update(WebSocket *client, Change change)
    {
        std::unique_lock<std::mutex> registry_lock(registry_mutex_);
        Connection *connection = registry_.at(client);
        registry_lock.unlock();
        std::lock_guard<std::mutex> lock(connection->mutex_);
        change(*connection);
        connection->changed_.notify_all();
    }

    static void on_open(WebSocket *client, WebSocket_OpenResult)
    {
        update(client, [](Connection &connection) { connection.open_ = true; });
    }

    static void on_message(WebSocket *client, char *data, std::uint32_t length)
    {
        update(client, [=](Connection &connection) { connection.messages_.emplace(data, length); });
    }

    static void on_error(WebSocket *client, WebSocket_ErrorResult result)
    {
        update(client, [=](Connection &connection) { connection.failure_ = result.errorMessage; });
    }

    static void on_close(WebSocket *client, WebSocket_CloseResult result)
    {
        update(client, [=](Connection &connection) { connection.closed_ = result.code; });
    }

    static inline std::mutex registry_mutex_;
    static inline std::map<WebSocket *, Connection *> registry_;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::queue<std::string> messages_;
    std::string failure_;
    std::uint32_t closed_ = 0;
    bool open_ = false;
    std::unique_ptr<WebSocket, Release> client_;
};

int passed = 0;
int failed = 0;

void expect(const char *name, bool right)
{
    std::printf("%s %s\n", right ? "ok" : "FAIL", name);
    ++(right ? passed : failed);
}

void talk(const std::string &base)
{
    Connection connection(base + "/headers", {{"X-From", "C++"}});
    expect("header_is_sent", connection.receive().find("x-from: C++\n") != std::string::npos);
    connection.send("gr\u00fc\u00df dich");
    expect("text_comes_back", connection.receive() == "gr\u00fc\u00df dich");
    const std::string binary("\0\1\2\xff", 4);
    connection.send(binary);
    expect("binary_comes_back", connection.receive() == binary);
    const std::string large(1 << 20, 'x');
    connection.send(large);
    expect("large_message_comes_back", connection.receive() == large);
    expect("closes_with_the_code_given", connection.close(4000, "done") == 4000);
}

bool refused(const std::string &url)
{
    try {
        Connection connection(url);
    } catch (const std::runtime_error &error) {
        return std::string_view(error.what()).find("404") != std::string_view::npos;
    }
    return false;
}

} // namespace

int main()
{
    alarm(300);
    const char *ws = std::getenv("WS_URL");
    const char *wss = std::getenv("WSS_URL");
    if (ws == nullptr || wss == nullptr) {
        std::puts("user_program: WS_URL or WSS_URL is not set; tests/ndk/run.sh sets them");
        return 2;
    }
    try {
        talk(ws);
        talk(wss);
        expect("failure_becomes_an_exception", refused(std::string(ws) + "/status/404"));
    } catch (const std::exception &error) {
        std::printf("  %s\n", error.what());
        expect("no_exception_gets_here", false);
    }
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
