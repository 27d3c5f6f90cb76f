/*
 * Boost.Beast, synchronous: its best case for one connection. It writes each message by itself.
 */
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <memory>
#include <string>
#include <vector>

#include "measure.h"

namespace beast = boost::beast;
namespace asio = boost::asio;
using Stream = beast::websocket::stream<asio::ip::tcp::socket>;

static asio::io_context context;

static std::unique_ptr<Stream> connect(const arguments &arguments)
{
    std::string rest = std::string(arguments.url).substr(std::string("ws://").size());
    std::string authority = rest.substr(0, rest.find('/'));
    std::string path = rest.substr(authority.size());
    std::string port = authority.substr(authority.find(':') + 1);
    auto stream = std::make_unique<Stream>(context);
    auto address = asio::ip::make_address(authority.substr(0, authority.find(':')));
    stream->next_layer().connect({ address, static_cast<unsigned short>(std::stoul(port)) });
    stream->next_layer().set_option(asio::ip::tcp::no_delay(true));
    stream->binary(true);
    /* One frame per message, as all others send it. */
    stream->auto_fragment(false);
    stream->handshake(authority, path);
    return stream;
}

static void receive(Stream &stream, beast::flat_buffer &buffer, size_t size)
{
    stream.read(buffer);
    if (buffer.size() != size) {
        die("a message of another length");
    }
    buffer.clear();
}

static void close(Stream &stream)
{
    beast::error_code ignored;
    beast::flat_buffer buffer;
    stream.close(beast::websocket::close_code::normal, ignored);
}

int main(int argc, char **argv)
{
    arguments arguments = parse_arguments(argc, argv);
    char *payload = make_payload(arguments.size);
    asio::const_buffer message(payload, arguments.size);
    beast::flat_buffer buffer;
    if (is_mode(&arguments, "receive")) {
        auto stream = connect(arguments);
        section section = section_begin();
        stream->write(asio::buffer("go", 2));
        for (size_t i = 0; i < arguments.count; i++) {
            receive(*stream, buffer, arguments.size);
        }
        section_end(section, arguments.count);
    } else if (is_mode(&arguments, "send")) {
        auto stream = connect(arguments);
        section section = section_begin();
        for (size_t i = 0; i < arguments.count; i++) {
            stream->write(message);
        }
        receive(*stream, buffer, 4);
        section_end(section, arguments.count);
    } else if (is_mode(&arguments, "round-trip")) {
        auto stream = connect(arguments);
        std::vector<int64_t> samples(arguments.count);
        section section = section_begin();
        for (size_t i = 0; i < arguments.count + WARM_UP; i++) {
            if (i == WARM_UP) {
                section = section_begin();
            }
            int64_t start = wall_ns();
            stream->write(message);
            receive(*stream, buffer, arguments.size);
            if (i >= WARM_UP) {
                samples[i - WARM_UP] = wall_ns() - start;
            }
        }
        section_end(section, arguments.count);
        print_round_trips(samples.data(), arguments.count);
    } else if (is_mode(&arguments, "idle")) {
        size_t before = 0, threads = 0;
        resident(&before, &threads);
        std::vector<std::unique_ptr<Stream>> streams;
        for (size_t i = 0; i < arguments.count; i++) {
            streams.push_back(connect(arguments));
        }
        print_idle(before, arguments.count);
        fflush(stdout);
    } else if (is_mode(&arguments, "connect")) {
        section section = section_begin();
        for (size_t i = 0; i < arguments.count; i++) {
            close(*connect(arguments));
        }
        section_end(section, arguments.count);
    } else {
        die("unknown mode");
    }
    printf("\n");
    return 0;
}
