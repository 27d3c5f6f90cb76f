/*
 * The library's server by its C API, on a free port of loopback, which it prints. See peers/src/echo.rs.
 */
#include <network/netstack/net_websocket_ext.h>
#include <stdio.h>
#include <unistd.h>

static void on_message(struct NWS_Server *server, void *user_data, uint64_t connection, const struct NWS_Message *message)
{
    (void)user_data;
    if (NWS_ServerSendBinary(server, connection, message->data, message->length) != WEBSOCKET_OK) {
        fprintf(stderr, "error: %s\n", NWS_LastErrorMessage());
        _exit(1);
    }
}

int main(void)
{
    struct NWS_ServerCallbacks callbacks;
    struct NWS_ServerOptions options;
    struct NWS_Server *server;
    uint16_t port = 0;
    NWS_InitServerCallbacks(&callbacks, sizeof callbacks);
    NWS_InitServerOptions(&options, sizeof options);
    callbacks.onMessage = on_message;
    options.address = "127.0.0.1";
    options.maxConnectionsPerAddress = 10000;
    server = NWS_ServerCreate(&callbacks);
    if (NWS_ServerStart(server, &options) != WEBSOCKET_OK ||
        NWS_ServerGetAddress(server, 0, NULL, NULL, &port) != WEBSOCKET_OK) {
        fprintf(stderr, "error: %s\n", NWS_LastErrorMessage());
        return 1;
    }
    printf("%u\n", (unsigned)port);
    fflush(stdout);
    for (;;) {
        pause();
    }
}
