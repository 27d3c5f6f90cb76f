/*
 * Boost.Beast, synchronous: its best case for one connection. It writes each message by itself.
 */
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <memory>
#include <string>
#include <vector>

#include "measure.h"

namespace beast = boost::beast;
namespace asio = boost::asio;
using Tcp = asio::ip::tcp::socket;
using Plain = beast::websocket::stream<Tcp>;
using Tls = beast::websocket::stream<beast::ssl_stream<Tcp>>;

static asio::io_context context;
static asio::ssl::context tls(asio::ssl::context::tls_client);
/* Of the last connection, for the next one to resume. */
static SSL_SESSION *session;

static int keep_session(SSL *, SSL_SESSION *fresh)
{
    SSL_SESSION_free(session);
    session = fresh;
    return 1;
}

static void set_up_tls()
{
    /* SSL_CERT_FILE names the authority. */
    tls.set_default_verify_paths();
    tls.set_verify_mode(asio::ssl::verify_peer);
    SSL_CTX_set_session_cache_mode(tls.native_handle(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(tls.native_handle(), keep_session);
}

template <class Stream> static std::unique_ptr<Stream> connect(const arguments &arguments)
{
    constexpr bool secure = std::is_same_v<Stream, Tls>;
    std::string rest = std::string(arguments.url).substr(std::string(secure ? "wss://" : "ws://").size());
    std::string authority = rest.substr(0, rest.find('/'));
    std::string path = rest.substr(authority.size());
    std::string port = authority.substr(authority.find(':') + 1);
    std::unique_ptr<Stream> stream;
    if constexpr (secure) {
        stream = std::make_unique<Stream>(context, tls);
    } else {
        stream = std::make_unique<Stream>(context);
    }
    auto address = asio::ip::make_address(authority.substr(0, authority.find(':')));
    auto &tcp = beast::get_lowest_layer(*stream);
    tcp.connect({ address, static_cast<unsigned short>(std::stoul(port)) });
    tcp.set_option(asio::ip::tcp::no_delay(true));
    if constexpr (secure) {
        if (session != nullptr) {
            SSL_set_session(stream->next_layer().native_handle(), session);
        }
        stream->next_layer().handshake(asio::ssl::stream_base::client);
    }
    stream->binary(true);
    /* One frame per message, as all others send it. */
    stream->auto_fragment(false);
    if (path.find("deflate") != std::string::npos) {
        beast::websocket::permessage_deflate deflate;
        deflate.client_enable = true;
        /* Level 1, as the others of this row; Beast's default is 8. */
        deflate.compLevel = 1;
        stream->set_option(deflate);
        stream->binary(false);
    }
    stream->handshake(authority, path);
    return stream;
}

template <class Stream> static void receive(Stream &stream, beast::flat_buffer &buffer, size_t size)
{
    stream.read(buffer);
    if (buffer.size() != size) {
        die("a message of another length");
    }
    buffer.clear();
}

template <class Stream> static void close(Stream &stream)
{
    beast::error_code ignored;
    stream.close(beast::websocket::close_code::normal, ignored);
}

template <class Stream> static void run(const arguments &arguments)
{
    char *payload = make_payload(arguments.size);
    asio::const_buffer message(payload, arguments.size);
    beast::flat_buffer buffer;
    if (is_mode(&arguments, "receive")) {
        auto stream = connect<Stream>(arguments);
        section section = section_begin();
        stream->write(asio::buffer("go", 2));
        for (size_t i = 0; i < arguments.count; i++) {
            receive(*stream, buffer, arguments.size);
        }
        section_end(section, arguments.count);
    } else if (is_mode(&arguments, "send")) {
        auto stream = connect<Stream>(arguments);
        section section = section_begin();
        for (size_t i = 0; i < arguments.count; i++) {
            stream->write(message);
        }
        receive(*stream, buffer, 4);
        section_end(section, arguments.count);
    } else if (is_mode(&arguments, "send-text")) {
        char *texts = make_variety(arguments.size);
        auto stream = connect<Stream>(arguments);
        size_t before = 0, after = 0, threads = 0;
        resident(&before, &threads);
        section section = section_begin();
        for (size_t i = 0; i < arguments.count; i++) {
            stream->write(asio::buffer(texts + i % VARIETY * arguments.size, arguments.size));
        }
        receive(*stream, buffer, 4);
        section_end(section, arguments.count);
        resident(&after, &threads);
        printf("grown_bytes=%zu ", after > before ? after - before : 0);
    } else if (is_mode(&arguments, "round-trip")) {
        auto stream = connect<Stream>(arguments);
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
            streams.push_back(connect<Stream>(arguments));
        }
        print_idle(before, arguments.count);
        fflush(stdout);
    } else if (is_mode(&arguments, "connect")) {
        section section = section_begin();
        for (size_t i = 0; i < arguments.count; i++) {
            close(*connect<Stream>(arguments));
        }
        section_end(section, arguments.count);
    } else {
        die("unknown mode");
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    arguments arguments = parse_arguments(argc, argv);
    if (strncmp(arguments.url, "wss:", 4) == 0) {
        set_up_tls();
        run<Tls>(arguments);
    } else {
        run<Plain>(arguments);
    }
    return 0;
}
