/*
 * SPDX-License-Identifier: Apache-2.0
 *
 * Talks to an echo server: ndk_module ws://HOST:PORT/
 */

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <network/netstack/net_websocket.hpp>
#include <string>
#include <vector>

namespace {

/// The handlers run on the library's threads; the main thread waits here for what they saw.
class Progress {
public:
    void note(int echoes, bool ended)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        echoes_ += echoes;
        ended_ = ended_ || ended;
        changed_.notify_all();
    }

    bool awaitEchoes(int count)
    {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [&] { return echoes_ >= count || ended_; });
        return echoes_ >= count;
    }

    void awaitEnd()
    {
        std::unique_lock<std::mutex> lock(mutex_);
        changed_.wait(lock, [&] { return ended_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int echoes_ = 0;
    bool ended_ = false;
};

bool failed(const char *what, nws::Error error)
{
    if (error) {
        std::fprintf(stderr, "%s: %s (%s)\n", what, error.message(), error.name());
    }
    return static_cast<bool>(error);
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: ndk_module ws://HOST:PORT/\n");
        return 2;
    }
    Progress progress;
    nws::Handlers handlers;
    handlers.onOpen = [](const nws::Response &response) { std::printf("open, %u\n", static_cast<unsigned>(response.status)); };
    handlers.onMessage = [&](const nws::Message &message) {
        std::printf("%s of %zu bytes\n", message.isText() ? "text" : "binary", message.size());
        progress.note(1, false);
    };
    handlers.onError = [&](const nws::Failure &failure) {
        std::fprintf(stderr, "%s\n", failure.message);
        progress.note(0, true);
    };
    handlers.onClose = [&](const nws::Close &close) {
        std::printf("closed, %u %s\n", static_cast<unsigned>(close.code), close.reason);
        progress.note(0, true);
    };

    nws::Client client(std::move(handlers));
    nws::Options options;
    options.connectTimeout = std::chrono::seconds(5);
    // What is sent before the connection is open waits for it.
    if (failed("options", client.setOptions(options)) || failed("connect", client.connect(argv[1])) ||
        failed("text", client.sendText("hello from C++")) ||
        failed("bytes", client.sendOwned(std::vector<uint8_t>(100000, 0xff))) || !progress.awaitEchoes(2)) {
        return 1;
    }
    nws::Statistics statistics = client.statistics();
    std::printf("%llu bytes out, %llu bytes in\n", static_cast<unsigned long long>(statistics.bytesSent),
                static_cast<unsigned long long>(statistics.bytesReceived));
    if (failed("close", client.close())) {
        return 1;
    }
    progress.awaitEnd();
    return 0;
}
