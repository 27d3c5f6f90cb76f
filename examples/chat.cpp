// Sends the lines of its input, and prints what comes: chat URL. Ends with its input.
#include <future>
#include <iostream>
#include <network/netstack/net_websocket.hpp>
#include <string>
#include <utility>

int main(int argc, char **argv)
{
    if (argc != 2) {
        std::cerr << "usage: chat URL" << std::endl;
        return 2;
    }
    std::promise<bool> opened, ended;
    nws::Handlers handlers;
    handlers.onOpen = [&opened](const nws::Response &) { opened.set_value(true); };
    handlers.onMessage = [](const nws::Message &message) {
        if (message.isText()) {
            std::cout << "< " << message.view() << std::endl;
        } else {
            std::cout << "< " << message.size() << " bytes" << std::endl;
        }
    };
    handlers.onError = [&opened](const nws::Failure &failure) {
        std::cerr << failure.message << std::endl;
        if (failure.phase != NWS_PHASE_OPEN) { // else onClose follows
            opened.set_value(false);
        }
    };
    handlers.onClose = [&ended](const nws::Close &close) {
        std::cout << "closed " << close.code << " " << close.reason << std::endl;
        ended.set_value(close.code == 1000);
    };

    nws::Client client(std::move(handlers));
    nws::Options options;
    options.connectTimeout = std::chrono::seconds(10);
    options.headers = { { "User-Agent", "chat/1.0" } };
    nws::Error error = client.setOptions(options);
    if (!error) {
        error = client.connect(argv[1]);
    }
    if (error) {
        std::cerr << error.name() << ": " << NWS_LastErrorMessage() << std::endl;
        return 2;
    }
    // To close before it is open would give the attempt up, and drop what waits for it.
    if (!opened.get_future().get()) {
        return 1;
    }
    // A send that fails means that the connection has ended.
    for (std::string line; std::getline(std::cin, line) && !client.sendText(line);) {
    }
    (void)client.close(1000, "bye");
    return ended.get_future().get() ? 0 : 1;
}
