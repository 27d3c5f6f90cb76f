/*
 * SPDX-License-Identifier: Apache-2.0
 */

/**
 * @file net_websocket_type.h
 * @brief Types and error codes of the WebSocket client.
 *
 * Names, layouts and values equal those of the platform's header of the same path. So programs written for it compile
 * and link unchanged. Unlike the platform's header, this one is valid C99 and valid C++.
 *
 * Every `const char *` here is a NUL-terminated UTF-8 string. A string that the library passes to a callback is never
 * NULL. It belongs to the library and is valid until the callback returns: copy it to keep it.
 *
 * @library libnet_websocket.so
 * @since 11
 */

#ifndef NET_WEBSOCKET_TYPE_H
#define NET_WEBSOCKET_TYPE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @brief A client: one connection at a time, any number of connections one after another.
 *
 * OH_WebSocketClient_Constructor() creates it, OH_WebSocketClient_Destroy() frees it. See `struct WebSocket` below for
 * the fields.
 */
typedef struct WebSocket WebSocket;

/**
 * @brief How a connection ended, as given to WebSocket_OnCloseCallback.
 */
typedef struct WebSocket_CloseResult {
    /**
     * Close code of the side that closed first (RFC 6455, section 7.4). 1005: the peer's close frame had no code.
     * 1006: the connection was lost without a closing handshake.
     */
    uint32_t code;
    /** The reason that belongs to the code; "" for none. A reason from the peer has at most 123 bytes. */
    const char *reason;
} WebSocket_CloseResult;

/**
 * @brief The code and the reason that OH_WebSocketClient_Close() sends.
 */
typedef struct WebSocket_CloseOption {
    /**
     * Close code: 1000 to 1003, 1007 to 1014, or 3000 to 4999. 0 means 1000, a normal closure. Other codes must not be
     * sent: the library sends 1000 instead, with a warning in the log.
     */
    uint32_t code;
    /**
     * The reason in UTF-8. NULL means "". A reason longer than 123 bytes, the limit of a close frame (RFC 6455, section
     * 5.5), is cut at a character boundary.
     */
    const char *reason;
} WebSocket_CloseOption;

/**
 * @brief What went wrong, as given to WebSocket_OnErrorCallback.
 */
typedef struct WebSocket_ErrorResult {
    /** One of WebSocket_ErrCode. */
    uint32_t errorCode;
    /**
     * A sentence for a log: the phase that failed, the host, and the cause. Its wording may change between versions. It
     * never contains payloads, credentials or the URL's query.
     */
    const char *errorMessage;
} WebSocket_ErrorResult;

/**
 * @brief The server's answer to the handshake, as given to WebSocket_OnOpenCallback.
 */
typedef struct WebSocket_OpenResult {
    /** HTTP status: always 101. */
    uint32_t code;
    /** The meaning of the status: always "Switching Protocols". */
    const char *reason;
} WebSocket_OpenResult;

/**
 * @brief Called when the handshake is done; the first event of a connection.
 *
 * Callbacks run on threads of the library. Callbacks of one client run one after another. Callbacks of different
 * clients may run at the same time. A callback that blocks delays only its own client. Inside a callback, every
 * function of net_websocket.h may be called for any client, including Destroy for its own client.
 *
 * @param client The client, valid until its OH_WebSocketClient_Destroy() is called.
 * @param openResult Valid during the callback.
 */
typedef void (*WebSocket_OnOpenCallback)(struct WebSocket *client, WebSocket_OpenResult openResult);

/**
 * @brief Called for every complete message, text or binary.
 *
 * Messages come in the order in which the peer sent them. While a callback runs, the library reads at most one buffer
 * of this connection. So a slow callback slows the sender down and does not cost memory.
 *
 * @param client The client.
 * @param data The message, valid during the callback. The byte `data[length]` is NUL, so a text without NUL characters
 *     can be used as a C string. Belongs to the library; must not be freed.
 * @param length Bytes in the message, without that NUL. May be 0.
 */
typedef void (*WebSocket_OnMessageCallback)(struct WebSocket *client, char *data, uint32_t length);

/**
 * @brief Called when a connection attempt or a connection fails, at most once for each.
 *
 * For a failed attempt this is the only event. If the connection was open, WebSocket_OnCloseCallback follows.
 *
 * @param client The client. It may connect again. After a failed attempt it may do so inside this callback.
 * @param errorResult Valid during the callback.
 */
typedef void (*WebSocket_OnErrorCallback)(struct WebSocket *client, WebSocket_ErrorResult errorResult);

/**
 * @brief Called when an open connection has ended, by either side. It is the last event of the connection.
 *
 * @param client The client. It may connect again, even inside this callback.
 * @param closeResult Valid during the callback.
 */
typedef void (*WebSocket_OnCloseCallback)(struct WebSocket *client, WebSocket_CloseResult closeResult);

/**
 * @brief One header line of the handshake request, and the rest of the list.
 */
typedef struct WebSocket_Header {
    /** Name: a token of RFC 9110, section 5.6.2. */
    const char *fieldName;
    /** Value: visible characters, spaces and tabs; neither CR nor LF. */
    const char *fieldValue;
    /** The next header, NULL at the end of the list. Not read by OH_WebSocketClient_AddHeader(). */
    struct WebSocket_Header *next;
} WebSocket_Header;

/**
 * @brief Options of OH_WebSocketClient_Connect().
 */
typedef struct WebSocket_RequestOptions {
    /** Headers to send, in this order; NULL for none. The list is the caller's; it is copied during the call. */
    struct WebSocket_Header *headers;
} WebSocket_RequestOptions;

/**
 * @brief The visible part of a client.
 *
 * The application may read the fields. It may also assign the callbacks. A new callback is called from the next event
 * on. NULL ignores the event. Assign them only before Connect or inside a callback of the same client. At other times
 * the assignment is a data race with the library's threads.
 */
struct WebSocket {
    /** Called when a connection is open; NULL for none. */
    WebSocket_OnOpenCallback onOpen;
    /** Called for each message; NULL for none. */
    WebSocket_OnMessageCallback onMessage;
    /** Called when an attempt or a connection fails; NULL for none. */
    WebSocket_OnErrorCallback onError;
    /** Called when a connection has ended; NULL for none. */
    WebSocket_OnCloseCallback onClose;
    /** Headers added so far. The list belongs to the library; it may be passed to Connect, which sends it once. */
    WebSocket_RequestOptions requestOptions;
};

/**
 * @brief Results of the functions, and codes in WebSocket_ErrorResult.
 *
 * The values are those of the platform. 1004 is not assigned. This library never returns a code without a note below.
 */
typedef enum WebSocket_ErrCode {
    /** Done, or accepted and under way. */
    WEBSOCKET_OK = 0,
    /** Not an error: the base of the codes that follow. */
    E_BASE = 1000,
    /** The client argument is NULL. */
    WEBSOCKET_CLIENT_NULL = E_BASE + 1,
    /** The client was not made by OH_WebSocketClient_Constructor(), or is destroyed already. */
    WEBSOCKET_CLIENT_NOT_CREATED = E_BASE + 2,
    /** The attempt failed or the connection was lost; a header is invalid; or the client is already connected. */
    WEBSOCKET_CONNECTION_ERROR = E_BASE + 3,
    /** The URL is NULL, too long, or not one of a WebSocket server. */
    WEBSOCKET_CONNECTION_PARSE_URL_ERROR = E_BASE + 5,
    /** No memory or no thread left to start a connection. */
    WEBSOCKET_CONNECTION_NO_MEMORY = E_BASE + 6,
    WEBSOCKET_CONNECTION_CLOSED_BY_PEER = E_BASE + 7,
    /** The result in NWS_SentCallback of net_websocket_ext.h if the client was destroyed. */
    WEBSOCKET_DESTROYED = E_BASE + 8,
    /** The peer violated the protocol (RFC 6455). */
    WEBSOCKET_PROTOCOL_ERROR = E_BASE + 9,
    /** No memory left to copy the data to send. */
    WEBSOCKET_SEND_NO_MEMORY = E_BASE + 10,
    /** The data argument is NULL. */
    WEBSOCKET_SEND_DATA_NULL = E_BASE + 11,
    /** A message is longer than the limit for sending (4 MiB) or for receiving (64 MiB). */
    WEBSOCKET_DATA_LENGTH_EXCEEDED = E_BASE + 12,
    /** More than 64 MiB would be waiting to be sent. */
    WEBSOCKET_QUEUE_LENGTH_EXCEEDED = E_BASE + 13,
    WEBSOCKET_NO_CLIENT_CONTEXT = E_BASE + 14,
    /** A header's name or value is NULL. */
    WEBSOCKET_NO_HEADER_CONTEXT = E_BASE + 15,
    /** More than 8192 headers, or more than 64 KiB of them. */
    WEBSOCKET_HEADER_EXCEEDED = E_BASE + 16,
    /** No connection is open, or it is closing or closed. */
    WEBSOCKET_NO_CONNECTION = E_BASE + 17,
    /** From Destroy: the client never had a connection. */
    WEBSOCKET_NO_CONNECTION_CONTEXT = E_BASE + 18
} WebSocket_ErrCode;

#ifdef __cplusplus
}
#endif

#endif /* NET_WEBSOCKET_TYPE_H */
