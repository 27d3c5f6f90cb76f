// Boost.Beast: its synchronous echo server example, with the timeouts that it suggests for servers where it has them.
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using tcp = boost::asio::ip::tcp;

static void refuse(tcp::socket &socket, const http::request<http::string_body> &request)
{
    http::response<http::string_body> response{static_cast<http::status>(std::stoi(std::string(request.target().substr(1)))), 11};
    response.set(http::field::location, "/");
    response.body() = "not here";
    response.prepare_payload();
    http::write(socket, response);
}

static void serve(tcp::socket socket)
{
    beast::flat_buffer buffer;
    http::request<http::string_body> request;
    http::read(socket, buffer, request);
    if (request.target() != "/" && request.target() != "/compressed") {
        refuse(socket, request);
        return;
    }
    websocket::stream<tcp::socket> client{std::move(socket)};
    if (request.target() == "/compressed") {
        websocket::permessage_deflate deflate;
        deflate.server_enable = true;
        client.set_option(deflate);
    }
    if (request[http::field::sec_websocket_protocol].find("chat") != beast::string_view::npos) {
        client.set_option(websocket::stream_base::decorator(
            [](websocket::response_type &response) { response.set(http::field::sec_websocket_protocol, "chat"); }));
    }
    client.accept(request);
    for (;;) {
        beast::flat_buffer message;
        client.read(message);
        const std::string text = client.got_text() ? beast::buffers_to_string(message.data()) : "";
        if (text == "close") {
            client.close({static_cast<websocket::close_code>(4001), "bye"});
            return;
        }
        if (text == "raise") {
            throw std::runtime_error("as asked");
        }
        client.text(client.got_text());
        client.write(message.data());
    }
}

int main(int, char **argv)
{
    boost::asio::io_context context{1};
    tcp::acceptor acceptor{context, {boost::asio::ip::make_address("127.0.0.1"), static_cast<unsigned short>(std::atoi(argv[1]))}};
    for (;;) {
        tcp::socket socket{context};
        acceptor.accept(socket);
        std::thread([socket = std::move(socket)]() mutable {
            try {
                serve(std::move(socket));
            } catch (const beast::system_error &) {
                // The client has left, or said what is no WebSocket.
            } catch (const std::exception &) {
                // As the example: the thread ends, and its socket with it.
            }
        }).detach();
    }
}
