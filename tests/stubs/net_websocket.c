/*
 * Stub of the platform's libnet_websocket.so: its six functions, of which none does anything. A program that gets it instead of
 * this library must fail.
 */
#include <stddef.h>

struct WebSocket;

typedef struct {
    unsigned code;
    const char *reason;
} CloseOption;

typedef struct {
    const char *fieldName;
    const char *fieldValue;
    void *next;
} Header;

typedef struct {
    void *headers;
} RequestOptions;

enum { CLIENT_NULL = 1001 };

struct WebSocket *OH_WebSocketClient_Constructor(void *onOpen, void *onMessage, void *onError, void *onClose)
{
    (void)onOpen, (void)onMessage, (void)onError, (void)onClose;
    return NULL;
}

int OH_WebSocketClient_AddHeader(struct WebSocket *client, Header header)
{
    (void)client, (void)header;
    return CLIENT_NULL;
}

int OH_WebSocketClient_Connect(struct WebSocket *client, const char *url, RequestOptions options)
{
    (void)client, (void)url, (void)options;
    return CLIENT_NULL;
}

int OH_WebSocketClient_Send(struct WebSocket *client, char *data, size_t length)
{
    (void)client, (void)data, (void)length;
    return CLIENT_NULL;
}

int OH_WebSocketClient_Close(struct WebSocket *client, CloseOption option)
{
    (void)client, (void)option;
    return CLIENT_NULL;
}

int OH_WebSocketClient_Destroy(struct WebSocket *client)
{
    (void)client;
    return CLIENT_NULL;
}
