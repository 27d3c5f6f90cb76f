/* Sends the lines of its input, and prints what comes: chat URL. Ends with its input. The platform's six functions are all it needs. */
#include <network/netstack/net_websocket.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

static sem_t changed;

static void onOpen(struct WebSocket *client, WebSocket_OpenResult open)
{
    (void)client, (void)open;
    sem_post(&changed);
}

static void onMessage(struct WebSocket *client, char *data, uint32_t length)
{
    (void)client;
    printf("< %.*s\n", (int)length, data);
    fflush(stdout);
}

static void onError(struct WebSocket *client, WebSocket_ErrorResult error)
{
    (void)client;
    fprintf(stderr, "error %u: %s\n", (unsigned)error.errorCode, error.errorMessage);
    sem_post(&changed), sem_post(&changed); /* for onOpen and onClose, which an attempt that fails does not have */
}

static void onClose(struct WebSocket *client, WebSocket_CloseResult close)
{
    (void)client;
    printf("closed %u %s\n", (unsigned)close.code, close.reason);
    sem_post(&changed);
}

int main(int argc, char **argv)
{
    WebSocket_RequestOptions none = { NULL };
    WebSocket_CloseOption farewell = { 1000, "bye" };
    struct WebSocket *client;
    char line[4096];
    int result;
    if (argc != 2) {
        fprintf(stderr, "usage: chat URL\n");
        return 2;
    }
    sem_init(&changed, 0, 0);
    client = OH_WebSocketClient_Constructor(onOpen, onMessage, onError, onClose);
    result = OH_WebSocketClient_Connect(client, argv[1], none);
    if (result == WEBSOCKET_OK) {
        sem_wait(&changed); /* Close would cancel a running attempt, and drop its queued messages */
        while (fgets(line, sizeof line, stdin) != NULL &&
               (result = OH_WebSocketClient_Send(client, line, strcspn(line, "\n"))) == WEBSOCKET_OK) {
        }
        OH_WebSocketClient_Close(client, farewell);
        sem_wait(&changed);
    }
    OH_WebSocketClient_Destroy(client);
    return result;
}
