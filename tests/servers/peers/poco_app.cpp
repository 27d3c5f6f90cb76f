// POCO: the request handler of its WebSocketServer sample.
#include <Poco/Buffer.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/WebSocket.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <unistd.h>

using namespace Poco::Net;

static const int OPCODE = WebSocket::FRAME_OP_BITMASK;

struct Handler : HTTPRequestHandler {
    void handleRequest(HTTPServerRequest &request, HTTPServerResponse &response) override
    {
        if (request.getURI() == "/500") {
            throw std::runtime_error("as asked");
        }
        if (request.getURI() != "/") {
            response.setStatusAndReason(static_cast<HTTPResponse::HTTPStatus>(std::atoi(request.getURI().c_str() + 1)));
            response.set("Location", "/");
            response.setContentLength(0);
            response.send();
            return;
        }
        if (request.get("Sec-WebSocket-Protocol", "").find("chat") != std::string::npos) {
            response.set("Sec-WebSocket-Protocol", "chat");
        }
        WebSocket client(request, response);
        try {
            echo(client);
        } catch (const NetException &) {
            // The client has left, or broken the rules of the protocol.
        }
    }

    static void echo(WebSocket &client)
    {
        for (;;) {
            Poco::Buffer<char> frame(0);
            int flags = 0;
            const int length = client.receiveFrame(frame, flags);
            const std::string text(frame.begin(), frame.size());
            if (flags == 0 && length == 0) {
                return;
            }
            switch (flags & OPCODE) {
            case WebSocket::FRAME_OP_PING:
                client.sendFrame(frame.begin(), length, WebSocket::FRAME_FLAG_FIN | WebSocket::FRAME_OP_PONG);
                break;
            case WebSocket::FRAME_OP_PONG:
                break;
            case WebSocket::FRAME_OP_CLOSE:
                client.shutdown();
                return;
            default:
                if (text == "raise") {
                    throw std::runtime_error("as asked");
                }
                if (text == "close") {
                    client.shutdown(4001, "bye");
                } else {
                    client.sendFrame(frame.begin(), length, flags);
                }
            }
        }
    }
};

struct Factory : HTTPRequestHandlerFactory {
    HTTPRequestHandler *createRequestHandler(const HTTPServerRequest &) override { return new Handler; }
};

int main(int, char **argv)
{
    HTTPServer server(new Factory, ServerSocket(SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(std::atoi(argv[1])))), new HTTPServerParams);
    server.start();
    pause();
}
