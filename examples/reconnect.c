/* Stays connected, each time with a fresh token, until its input ends: reconnect URL */
#include <network/netstack/net_websocket.h>
#include <network/netstack/net_websocket_ext.h>
#include <stdio.h>

static void freshToken(char *buffer, size_t size) /* in place of a login server */
{
    static int count;
    snprintf(buffer, size, "Bearer token-%d", ++count), printf("login: %s\n", buffer);
}

static void onReconnecting(struct WebSocket *client, void *userData, const struct NWS_Reconnecting *reconnecting)
{
    (void)client, (void)userData;
    printf("attempt %u in %u ms: %s\n", (unsigned)reconnecting->attempt, (unsigned)reconnecting->delayMs, reconnecting->message);
}

static int32_t onPrepare(struct WebSocket *client, void *userData, const struct NWS_Reconnecting *reconnecting)
{
    char token[64];
    struct WebSocket_Header header = { "Authorization", token, NULL };
    (void)userData, freshToken(token, sizeof token); /* before each attempt but the first, which is made by Connect */
    NWS_PrepareAttempt(client, reconnecting->attempt, NWS_PREPARE_PROCEED, NULL, &header);
    return NWS_PREPARE_PROCEED;
}

static void onReconnected(struct WebSocket *client, void *userData, const struct NWS_Reconnected *reconnected)
{
    (void)client, (void)userData, printf("back after %u ms\n", (unsigned)reconnected->downtimeMs);
}

static void onError(struct WebSocket *client, WebSocket_ErrorResult error)
{
    (void)client, printf("gives up: %s\n", error.errorMessage);
}

int main(int argc, char **argv)
{
    char token[64];
    struct WebSocket_Header header = { "Authorization", token, NULL };
    WebSocket_RequestOptions options = { &header };
    struct WebSocket *client = OH_WebSocketClient_Constructor(NULL, NULL, onError, NULL);
    struct NWS_Callbacks callbacks;
    struct NWS_ReconnectOptions reconnect;
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    NWS_InitCallbacks(&callbacks, sizeof callbacks);
    callbacks.onReconnecting = onReconnecting;
    callbacks.onPrepare = onPrepare;
    callbacks.onReconnected = onReconnected;
    NWS_SetCallbacks(client, &callbacks);
    NWS_InitReconnectOptions(&reconnect, sizeof reconnect);
    NWS_SetReconnect(client, &reconnect);
    freshToken(token, sizeof token);
    if (argc != 2 || OH_WebSocketClient_Connect(client, argv[1], options) != WEBSOCKET_OK) {
        fprintf(stderr, "usage: reconnect URL\n%s\n", NWS_LastErrorMessage());
        return 2;
    }
    while (getchar() != EOF) continue;
    return OH_WebSocketClient_Destroy(client);
}
