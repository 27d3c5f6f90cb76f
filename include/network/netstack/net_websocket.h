/*
 * SPDX-License-Identifier: Apache-2.0
 */

/**
 * @file net_websocket.h
 * @brief WebSocket client (RFC 6455) for `ws://` and `wss://`.
 *
 * These rules apply to every function:
 *
 * - It may be called on any thread and inside any callback, of the same client or another one.
 * - It does not wait for the network. Connecting, sending and closing continue in the background. The callbacks report
 *   the results.
 * - It copies its arguments, so the caller may free them after the call.
 * - It returns WEBSOCKET_OK or another value of WebSocket_ErrCode. An error means that nothing has changed, unless
 *   noted.
 * - It checks in this order: client NULL, client unknown, permission, state of the connection, arguments, limits.
 * - For a NULL client it returns WEBSOCKET_CLIENT_NULL. For an unknown or destroyed client it returns
 *   WEBSOCKET_CLIENT_NOT_CREATED, and it does not read the memory behind the pointer.
 * - If the parent process has created a client, every call in a child of fork() returns WEBSOCKET_CLIENT_NOT_CREATED at
 *   once. The Constructor returns NULL there.
 *
 * Events of one connection: onOpen, any number of onMessage, at most one onError, onClose. A failed attempt causes only
 * one onError.
 *
 * On OpenHarmony the application needs the permission `ohos.permission.INTERNET`. Without it
 * OH_WebSocketClient_Connect() returns 1020, as on the platform. The platform's headers have no name for this code;
 * net_websocket_ext.h has NWS_NO_PERMISSION.
 *
 * @code
 * static void onMessage(struct WebSocket *client, char *data, uint32_t length)
 * {
 *     printf("%.*s\n", (int)length, data);
 *     OH_WebSocketClient_Close(client, (WebSocket_CloseOption){ 1000, "done" });
 * }
 *
 * struct WebSocket *client = OH_WebSocketClient_Constructor(NULL, onMessage, NULL, NULL);
 * OH_WebSocketClient_Send(client, "hello", 5);
 * OH_WebSocketClient_Connect(client, "wss://example.org/echo", client->requestOptions);
 * @endcode
 *
 * @library libnet_websocket.so
 * @syscap SystemCapability.Communication.NetStack
 * @since 11
 */

#ifndef NET_WEBSOCKET_H
#define NET_WEBSOCKET_H

#include <stddef.h>
#include <stdint.h>

/* This header does not need them. The platform's header includes them, and programs written for it may rely on that. */
#include <signal.h>
#include <string.h>

#include "net_websocket_type.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef NET_WEBSOCKET_ANY_LIBRARY
/**
 * @brief The version of the library. See net_websocket_ext.h.
 * @return For example "0.1.0". Never freed.
 */
const char *NWS_Version(void);

/**
 * @brief Keeps a program that is built with this header from using another library of the same name.
 *
 * The platform also has a libnet_websocket.so, which lacks NWS_Version(). If a program links or loads that library
 * instead of this one, the linker or the loader reports the missing symbol. A program that must run with both libraries
 * defines NET_WEBSOCKET_ANY_LIBRARY before it includes this header. It can then distinguish them by `dlsym` of
 * "NWS_Version".
 */
static const char *(*const NWS_thisLibrary)(void) __attribute__((used)) = NWS_Version;
#endif

/**
 * @brief Creates a client. It does not connect yet.
 *
 * Only memory limits the number of clients.
 *
 * @param onOpen Called when a connection is open. Each callback may be NULL; the library then skips its event.
 * @param onMessage Called for each message received.
 * @param onError Called when a connection or an attempt fails.
 * @param onclose Called when a connection has ended.
 * @return The client, which the caller frees with OH_WebSocketClient_Destroy(); NULL if no memory is left.
 * @since 11
 */
struct WebSocket *OH_WebSocketClient_Constructor(WebSocket_OnOpenCallback onOpen, WebSocket_OnMessageCallback onMessage,
                                                 WebSocket_OnErrorCallback onError, WebSocket_OnCloseCallback onclose);

/**
 * @brief Adds a header to the handshake request of this client's later connections.
 *
 * Headers are sent in the order of the calls, before those in the options of Connect. Connect checks each header. The
 * name must be a token, and the value must not contain CR or LF.
 *
 * @param client The client. For a struct that the application allocated itself, the call does nothing and returns
 *     WEBSOCKET_OK, as on the platform.
 * @param header Name and value; `next` is not read. If the name or value is NULL or does not point to readable memory,
 *     the header is left out, with a warning in the log.
 * @return WEBSOCKET_OK; WEBSOCKET_CLIENT_NULL;
 *     WEBSOCKET_HEADER_EXCEEDED for more than 8192 headers, or one of more than 64 KiB.
 * @since 11
 */
int OH_WebSocketClient_AddHeader(struct WebSocket *client, struct WebSocket_Header header);

/**
 * @brief Starts connecting to a server.
 *
 * onOpen follows after the handshake. onError follows if name lookup, TCP, TLS or the handshake fails. Messages that
 * were sent before are sent in order right after the handshake. If the attempt fails they are dropped, and the text of
 * onError has their number. The same client may connect again after its connection has ended, and inside onClose.
 *
 * With `wss` the system must trust the server's certificate. The certificate must be valid today and name the host
 * (RFC 9525). This function cannot switch that off.
 *
 * @param client The client.
 * @param url Up to 8196 bytes: `ws://`, `wss://`, or `http://` and `https://` in the same meaning (RFC 6455, section
 *     3). A user name and password in it become a Basic authorization header (RFC 7617). A host without a scheme, as in
 *     `www.example.com`, causes onError(WEBSOCKET_CONNECTION_PARSE_URL_ERROR), whose text names the missing scheme.
 * @param options More headers. Headers from OH_WebSocketClient_AddHeader() are always sent. They are sent only once,
 *     even if `client->requestOptions` is passed.
 * @return WEBSOCKET_OK if the attempt is under way;
 *     WEBSOCKET_CLIENT_NULL; WEBSOCKET_CLIENT_NOT_CREATED;
 *     1020 without `ohos.permission.INTERNET`;
 *     WEBSOCKET_CONNECTION_ERROR if the client is already connecting, open or closing (that connection is untouched),
 *     if a header contains an invalid character,
 *     or if the system has no threads or descriptors left for the first connection (a later call tries again);
 *     WEBSOCKET_CONNECTION_PARSE_URL_ERROR if the URL is NULL, too long, or not a WebSocket URL;
 *     WEBSOCKET_NO_HEADER_CONTEXT if the name or value of a header in `options` is NULL;
 *     WEBSOCKET_HEADER_EXCEEDED for more than 8192 headers, or more than 64 KiB of them;
 *     WEBSOCKET_CONNECTION_NO_MEMORY.
 * @permission ohos.permission.INTERNET
 * @since 11
 */
int OH_WebSocketClient_Connect(struct WebSocket *client, const char *url, struct WebSocket_RequestOptions options);

/**
 * @brief Queues one message.
 *
 * Messages are sent in the order of the calls, and each exactly once while the connection lasts. Before the first
 * Connect, and while connecting, they wait for the connection. Valid UTF-8 without a NUL byte is sent as a text
 * message, other data as a binary message (RFC 6455, section 5.6).
 *
 * @param client The client.
 * @param data The message; need not end with NUL. Not modified, and copied during the call.
 * @param length Bytes in it, up to 4 MiB (4,194,304). With 0 the call sends nothing and succeeds.
 * @return WEBSOCKET_OK if the message is queued;
 *     WEBSOCKET_CLIENT_NULL; WEBSOCKET_CLIENT_NOT_CREATED;
 *     WEBSOCKET_NO_CONNECTION if the connection is closing or has ended, or the attempt failed;
 *     WEBSOCKET_SEND_DATA_NULL if data is NULL, whatever the length;
 *     WEBSOCKET_DATA_LENGTH_EXCEEDED if length is over the limit;
 *     WEBSOCKET_QUEUE_LENGTH_EXCEEDED if more than 64 MiB would be waiting (accepted messages stay queued; try again
 *     later);
 *     WEBSOCKET_SEND_NO_MEMORY.
 * @permission ohos.permission.INTERNET
 * @since 11
 */
int OH_WebSocketClient_Send(struct WebSocket *client, char *data, size_t length);

/**
 * @brief Starts the closing handshake (RFC 6455, section 7.1.2).
 *
 * Queued messages are sent first. onClose follows when the server has answered, or after the close timeout. If the
 * client is still connecting, the call cancels the attempt: it returns WEBSOCKET_NO_CONNECTION, and one
 * onError(WEBSOCKET_CONNECTION_ERROR) follows.
 *
 * @param client The client.
 * @param options Code and reason for the peer; `{ 0, NULL }` means 1000 and "".
 * @return WEBSOCKET_OK if the connection is closing, or has already ended;
 *     WEBSOCKET_CLIENT_NULL; WEBSOCKET_CLIENT_NOT_CREATED;
 *     WEBSOCKET_NO_CONNECTION if the client never connected or is still connecting.
 * @permission ohos.permission.INTERNET
 * @since 11
 */
int OH_WebSocketClient_Close(struct WebSocket *client, struct WebSocket_CloseOption options);

/**
 * @brief Frees the client, and ends its connection if there is one.
 *
 * An open connection sends the accepted messages and closes with code 1001 (going away). This happens in the background
 * and within the close timeout. To know that all messages were sent, call OH_WebSocketClient_Close() first, and Destroy
 * in onClose.
 *
 * No callback of this client starts after Destroy returns. If a callback is running on another thread, Destroy waits
 * for it. So do not call Destroy while you hold a lock that a callback takes. Destroy does not wait where that would be
 * a deadlock. One such place is a callback of the same client, which is then the last one. The other is two clients
 * whose callbacks destroy each other.
 *
 * @param client The client. The pointer is invalid afterwards. Calls with it return WEBSOCKET_CLIENT_NOT_CREATED until
 *     a new client gets the same address.
 * @return WEBSOCKET_OK;
 *     WEBSOCKET_CLIENT_NULL; WEBSOCKET_CLIENT_NOT_CREATED;
 *     WEBSOCKET_NO_CONNECTION_CONTEXT if the client never connected, or was closed before it was open. It is freed
 *     nevertheless.
 * @permission ohos.permission.INTERNET
 * @since 11
 */
int OH_WebSocketClient_Destroy(struct WebSocket *client);

#ifdef __cplusplus
}
#endif

#endif /* NET_WEBSOCKET_H */
