/* Sends its input in messages of 64 KiB, with at most 1 MiB of it in memory: upload URL */
#include <network/netstack/net_websocket.h>
#include <network/netstack/net_websocket_ext.h>
#include <semaphore.h>
#include <stdio.h>

static sem_t changed; /* open, room in the queue, or no connection any more */
static void onOpen(struct WebSocket *client, WebSocket_OpenResult open)
{
    (void)client, (void)open, sem_post(&changed);
}

static void onDrain(struct WebSocket *client, void *userData)
{
    (void)client, (void)userData, sem_post(&changed);
}

static void onError(struct WebSocket *client, WebSocket_ErrorResult error)
{
    fprintf(stderr, "%s\n", error.errorMessage);
    (void)client, sem_post(&changed);
}

static void onClose(struct WebSocket *client, WebSocket_CloseResult close)
{
    printf("closed %u\n", (unsigned)close.code);
    (void)client, sem_post(&changed);
}

int main(int argc, char **argv)
{
    static char chunk[65536];
    struct WebSocket *client = OH_WebSocketClient_Constructor(onOpen, NULL, onError, onClose);
    struct NWS_Callbacks callbacks;
    struct NWS_Options options;
    size_t length, total = 0, waits = 0;
    int result = WEBSOCKET_OK;
    sem_init(&changed, 0, 0);
    NWS_InitCallbacks(&callbacks, sizeof callbacks);
    callbacks.onDrain = onDrain;
    NWS_SetCallbacks(client, &callbacks);
    NWS_InitOptions(&options, sizeof options);
    options.sendQueueLimit = 1048576;
    NWS_SetOptions(client, &options);
    if (argc != 2 || OH_WebSocketClient_Connect(client, argv[1], (WebSocket_RequestOptions){ NULL }) != WEBSOCKET_OK) {
        fprintf(stderr, "usage: upload URL\n%s\n", NWS_LastErrorMessage());
        return 2;
    }
    sem_wait(&changed);
    for (; result == WEBSOCKET_OK && (length = fread(chunk, 1, sizeof chunk, stdin)) > 0; total += result ? 0 : length) {
        while ((result = NWS_SendBinary(client, chunk, length)) == WEBSOCKET_QUEUE_LENGTH_EXCEEDED) {
            waits++, sem_wait(&changed);
        }
    }
    OH_WebSocketClient_Close(client, (WebSocket_CloseOption){ 1000, "done" });
    for (; NWS_GetState(client) != NWS_CLOSED; sem_wait(&changed)) {}
    OH_WebSocketClient_Destroy(client);
    printf("%u bytes, waited %u times\n", (unsigned)total, (unsigned)waits);
    return result;
}
