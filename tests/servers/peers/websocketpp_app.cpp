// WebSocket++: its echo server example with the configuration `asio`, whose validate handler refuses.
#include <websocketpp/config/asio_no_tls.hpp>
#include <websocketpp/server.hpp>

#include <cstdlib>
#include <stdexcept>

using Server = websocketpp::server<websocketpp::config::asio>;
using websocketpp::connection_hdl;
using websocketpp::lib::error_code;

int main(int, char **argv)
{
    Server server;
    server.clear_access_channels(websocketpp::log::alevel::all);
    server.clear_error_channels(websocketpp::log::elevel::all);
    server.init_asio();
    server.set_reuse_addr(true);
    server.set_validate_handler([&server](connection_hdl handle) {
        auto connection = server.get_con_from_hdl(handle);
        for (const auto &offered : connection->get_requested_subprotocols()) {
            if (offered == "chat") {
                connection->select_subprotocol(offered);
            }
        }
        const std::string path = connection->get_resource();
        if (path == "/") {
            return true;
        }
        connection->append_header("Location", "/");
        connection->set_status(static_cast<websocketpp::http::status_code::value>(std::atoi(path.c_str() + 1)));
        return false;
    });
    server.set_message_handler([&server](connection_hdl handle, Server::message_ptr message) {
        error_code ignored;
        if (message->get_payload() == "close") {
            server.close(handle, 4001, "bye", ignored);
        } else if (message->get_payload() == "raise") {
            throw std::runtime_error("as asked");
        } else {
            server.send(handle, message->get_payload(), message->get_opcode(), ignored);
        }
    });
    server.listen(websocketpp::lib::asio::ip::tcp::v4(), static_cast<uint16_t>(std::atoi(argv[1])));
    server.start_accept();
    server.run();
}
