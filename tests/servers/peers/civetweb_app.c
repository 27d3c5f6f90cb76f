/* CivetWeb: a websocket handler that puts fragments together, with the pings and sub-protocols that have to be asked for. */
#include <civetweb.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct Client {
    char *message;
    size_t length;
    int opcode;
};

static int opened(const struct mg_connection *connection, void *unused)
{
    (void)unused;
    mg_set_user_connection_data(connection, calloc(1, sizeof(struct Client)));
    return 0;
}

static int answer(struct mg_connection *connection, const struct Client *client)
{
    if (client->length == 5 && memcmp(client->message, "close", 5) == 0) {
        mg_websocket_write(connection, MG_WEBSOCKET_OPCODE_CONNECTION_CLOSE, "\x0f\xa1" "bye", 5);
        return 1;
    }
    mg_websocket_write(connection, client->opcode, client->message, client->length);
    return 1;
}

static int received(struct mg_connection *connection, int flags, char *data, size_t length, void *unused)
{
    struct Client *client = mg_get_user_connection_data(connection);
    int opcode = flags & 0x0f;
    (void)unused;
    if (opcode == MG_WEBSOCKET_OPCODE_CONNECTION_CLOSE) {
        mg_websocket_write(connection, MG_WEBSOCKET_OPCODE_CONNECTION_CLOSE, data, length);
        return 0;
    }
    if (opcode > MG_WEBSOCKET_OPCODE_BINARY) {
        return 1;
    }
    if (opcode != MG_WEBSOCKET_OPCODE_CONTINUATION) {
        client->opcode = opcode;
        client->length = 0;
    }
    client->message = realloc(client->message, client->length + length + 1);
    memcpy(client->message + client->length, data, length);
    client->length += length;
    return (flags & 0x80) ? answer(connection, client) : 1;
}

static void closed(const struct mg_connection *connection, void *unused)
{
    struct Client *client = mg_get_user_connection_data(connection);
    (void)unused;
    free(client->message);
    free(client);
}

int main(int argc, char **argv)
{
    static const char *names[] = { "chat" };
    static struct mg_websocket_subprotocols subprotocols = { 1, names };
    char port[32];
    const char *options[] = { "listening_ports", port, "enable_websocket_ping_pong", "yes", NULL };
    struct mg_context *context;
    (void)argc;
    snprintf(port, sizeof port, "127.0.0.1:%s", argv[1]);
    mg_init_library(0);
    context = mg_start(NULL, NULL, options);
    mg_set_websocket_handler_with_subprotocols(context, "/$", &subprotocols, opened, NULL, received, closed, NULL);
    pause();
}
