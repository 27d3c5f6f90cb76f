/*
 * SPDX-License-Identifier: Apache-2.0
 */

/**
 * @file net_websocket.h
 * @brief WebSocket client (RFC 6455) for `ws://` and `wss://`.
 *
 * What holds for every function:
 *
 * - It may be called from any thread and from inside any callback, of the same client or another one.
 * - It does not wait for the network. Connecting, sending and closing go on in the background; their outcome arrives
 *   through the callbacks.
 * - It copies what it needs: arguments may be freed once it has returned.
 * - It returns WEBSOCKET_OK or another value of WebSocket_ErrCode. After an error nothing has changed, unless noted.
 *   Checks are made in this order: client NULL, client unknown, permission, state of the connection, arguments,
 *   limits.
 * - A NULL client gives WEBSOCKET_CLIENT_NULL; one the library does not know, or one already destroyed, gives
 *   WEBSOCKET_CLIENT_NOT_CREATED, and the memory behind the pointer is not read.
 * - In a child of fork() there is no client: once one was made in the parent, every call returns
 *   WEBSOCKET_CLIENT_NOT_CREATED at once, and the Constructor returns NULL.
 *
 * Events of one connection: onOpen, any number of onMessage, at most one onError, onClose. An attempt that fails gives
 * one onError and nothing else.
 *
 * On OpenHarmony the application needs the permission `ohos.permission.INTERNET`. Without it OH_WebSocketClient_Connect()
 * returns 1020, as on the platform, whose headers have no name for it (net_websocket_ext.h: NWS_NO_PERMISSION).
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

/* Not needed here, but the platform's header brings them along, and programs written for it may count on that. */
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
 * The platform has a libnet_websocket.so too, which has no NWS_Version(). Where it is linked in the place of this one, the
 * linker says so; where it is loaded in its place, the loader does. A program that is to run with either defines
 * NET_WEBSOCKET_ANY_LIBRARY before it includes this header; `dlsym` of "NWS_Version" then tells them apart.
 */
static const char *(*const NWS_thisLibrary)(void) __attribute__((used)) = NWS_Version;
#endif

/**
 * @brief Makes a client. Nothing is connected yet.
 *
 * The number of clients is limited by memory only.
 *
 * @param onOpen Called when a connection is open. Each callback may be NULL: its event is then skipped.
 * @param onMessage Called for each message received.
 * @param onError Called when a connection or an attempt fails.
 * @param onclose Called when a connection has ended.
 * @return The client, to be released with OH_WebSocketClient_Destroy(); NULL if there is no memory left.
 * @since 11
 */
struct WebSocket *OH_WebSocketClient_Constructor(WebSocket_OnOpenCallback onOpen, WebSocket_OnMessageCallback onMessage,
                                                 WebSocket_OnErrorCallback onError, WebSocket_OnCloseCallback onclose);

/**
 * @brief Adds a header to the handshake request of this client's later connections.
 *
 * Headers are sent in the order in which they were added, ahead of those in the options of Connect. Whether a header
 * may be sent at all (its name a token, no CR or LF in its value) is checked by Connect.
 *
 * @param client The client. For a struct which the application allocated itself the call does nothing and returns
 *     WEBSOCKET_OK, as the platform does.
 * @param header Name and value; `next` is not read. A header whose name or value is NULL, or leads to no readable memory,
 *     is left out with a warning in the log.
 * @return WEBSOCKET_OK; WEBSOCKET_CLIENT_NULL;
 *     WEBSOCKET_HEADER_EXCEEDED for more than 8192 headers, or one of more than 64 KiB.
 * @since 11
 */
int OH_WebSocketClient_AddHeader(struct WebSocket *client, struct WebSocket_Header header);

/**
 * @brief Starts connecting to a server.
 *
 * onOpen follows when the handshake is done, or onError when name lookup, TCP, TLS or handshake failed. What was sent
 * before goes out, in order, right after the handshake; if the attempt fails it is dropped, and the text given to
 * onError says how many messages that were. Once the connection has ended, and from inside onClose, the same client may
 * be connected again.
 *
 * With `wss` the server's certificate must lead to an authority the system trusts, be valid today, and name the host
 * (RFC 9525). There is no switch here to turn that off.
 *
 * @param client The client.
 * @param url Up to 8196 bytes: `ws://`, `wss://`, or `http://` and `https://` in the same meaning (RFC 6455,
 *     section 3). User name and password in it become a Basic authorization header (RFC 7617). With a host and no scheme,
 *     as in `www.example.com`, nothing is dialled, and onError(WEBSOCKET_CONNECTION_PARSE_URL_ERROR) says what is missing.
 * @param options Further headers. Those added with OH_WebSocketClient_AddHeader() are sent in any case, and only once
 *     if `client->requestOptions` is passed.
 * @return WEBSOCKET_OK if the attempt is under way;
 *     WEBSOCKET_CLIENT_NULL; WEBSOCKET_CLIENT_NOT_CREATED;
 *     1020 without `ohos.permission.INTERNET`;
 *     WEBSOCKET_CONNECTION_ERROR if the client is connecting, open or closing already (that connection is untouched),
 *     if a header holds a character that may not be sent,
 *     or if the system has no threads or descriptors left for the first connection (a later call tries again);
 *     WEBSOCKET_CONNECTION_PARSE_URL_ERROR if the URL is NULL, too long, or no WebSocket URL;
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
 * Messages leave in the order of the calls, each exactly once while the connection lives. Before the first Connect, and
 * while connecting, they are kept for the connection to come. Data that is valid UTF-8 without a NUL byte goes out as a
 * text message, all other data as a binary one (RFC 6455, section 5.6).
 *
 * @param client The client.
 * @param data The message; need not end with NUL. Not modified, and copied during the call.
 * @param length Bytes in it, up to 4 MiB (4,194,304). With 0 nothing is sent, and the call succeeds.
 * @return WEBSOCKET_OK if the message is queued;
 *     WEBSOCKET_CLIENT_NULL; WEBSOCKET_CLIENT_NOT_CREATED;
 *     WEBSOCKET_NO_CONNECTION if the connection is closing or has ended, or the attempt failed;
 *     WEBSOCKET_SEND_DATA_NULL if data is NULL, whatever the length;
 *     WEBSOCKET_DATA_LENGTH_EXCEEDED if length is over the limit;
 *     WEBSOCKET_QUEUE_LENGTH_EXCEEDED if more than 64 MiB would be waiting; what was accepted before stays queued, and
 *     the call may be tried again later;
 *     WEBSOCKET_SEND_NO_MEMORY.
 * @permission ohos.permission.INTERNET
 * @since 11
 */
int OH_WebSocketClient_Send(struct WebSocket *client, char *data, size_t length);

/**
 * @brief Starts the closing handshake (RFC 6455, section 7.1.2).
 *
 * What was queued before is sent first. onClose follows when the peer has answered, or when it took too long to. While
 * the client is still connecting, the attempt is given up instead: the call returns WEBSOCKET_NO_CONNECTION, and one
 * onError(WEBSOCKET_CONNECTION_ERROR) follows.
 *
 * @param client The client.
 * @param options Code and reason for the peer; `{ 0, NULL }` means 1000 and "".
 * @return WEBSOCKET_OK if the connection is closing, or had ended before;
 *     WEBSOCKET_CLIENT_NULL; WEBSOCKET_CLIENT_NOT_CREATED;
 *     WEBSOCKET_NO_CONNECTION if the client never connected or is still connecting.
 * @permission ohos.permission.INTERNET
 * @since 11
 */
int OH_WebSocketClient_Close(struct WebSocket *client, struct WebSocket_CloseOption options);

/**
 * @brief Releases the client, and ends its connection if there is one.
 *
 * An open connection sends what was accepted and closes with code 1001 (going away), in the background and within the
 * close timeout. To know that all was sent, call OH_WebSocketClient_Close() first, and Destroy in onClose.
 *
 * Once it has returned no callback of this client begins. If one is running on another thread, the call waits for that
 * callback to return, so do not call it while holding a lock that a callback takes. It does not wait where that could
 * never end: called from a callback of the client itself, which is then the last one, or from callbacks of two clients
 * that destroy each other.
 *
 * @param client The client. The pointer is invalid afterwards; using it again is answered with
 *     WEBSOCKET_CLIENT_NOT_CREATED until a new client gets the same address.
 * @return WEBSOCKET_OK;
 *     WEBSOCKET_CLIENT_NULL; WEBSOCKET_CLIENT_NOT_CREATED;
 *     WEBSOCKET_NO_CONNECTION_CONTEXT if the client never connected, or was closed before it was open. It is released
 *     all the same.
 * @permission ohos.permission.INTERNET
 * @since 11
 */
int OH_WebSocketClient_Destroy(struct WebSocket *client);

#ifdef __cplusplus
}
#endif

#endif /* NET_WEBSOCKET_H */
