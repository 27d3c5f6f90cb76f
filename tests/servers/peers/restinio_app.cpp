// RESTinio: its websocket sample, with a handler of its own for requests that are refused.
#include <restinio/all.hpp>
#include <restinio/websocket/websocket.hpp>

#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>

namespace rws = restinio::websocket::basic;

struct Traits : restinio::default_traits_t {
    using logger_t = restinio::null_logger_t;
};

static std::map<uint64_t, rws::ws_handle_t> clients;

static void receive(rws::ws_handle_t client, rws::message_handle_t message)
{
    switch (message->opcode()) {
    case rws::opcode_t::ping_frame: {
        auto pong = *message;
        pong.set_opcode(rws::opcode_t::pong_frame);
        client->send_message(pong);
        break;
    }
    case rws::opcode_t::connection_close_frame:
        clients.erase(client->connection_id());
        break;
    case rws::opcode_t::pong_frame:
        break;
    default:
        if (message->payload() == "raise") {
            throw std::runtime_error("as asked");
        }
        if (message->payload() == "close") {
            client->send_message(rws::final_frame, rws::opcode_t::connection_close_frame,
                restinio::writable_item_t{rws::status_code_to_bin(static_cast<rws::status_code_t>(4001)) + "bye"});
        } else {
            client->send_message(*message);
        }
    }
}

int main(int, char **argv)
{
    auto handler = [](const restinio::request_handle_t &request) {
        const std::string path(request->header().path());
        if (path == "/500") {
            throw std::runtime_error("as asked");
        }
        if (path != "/") {
            request->create_response(restinio::http_status_line_t{restinio::http_status_code_t{static_cast<uint16_t>(std::atoi(path.c_str() + 1))}, "Refused"})
                .append_header("Location", "/")
                .set_body("not here")
                .done();
            return restinio::request_accepted();
        }
        rws::ws_handle_t client = rws::upgrade<Traits>(*request, rws::activation_t::immediate, receive);
        clients.emplace(client->connection_id(), client);
        return restinio::request_accepted();
    };
    restinio::run(restinio::on_this_thread<Traits>()
                      .address("127.0.0.1")
                      .port(static_cast<uint16_t>(std::atoi(argv[1])))
                      .request_handler(handler)
                      .cleanup_func([] { clients.clear(); }));
}
