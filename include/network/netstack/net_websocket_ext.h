/*
 * SPDX-License-Identifier: Apache-2.0
 */

/**
 * @file net_websocket_ext.h
 * @brief What this library can do beyond the platform's net_websocket.h, for the same clients.
 *
 * Every client made by OH_WebSocketClient_Constructor() takes these functions. A program that includes only
 * net_websocket.h never meets them.
 *
 * What holds for every function:
 *
 * - It may be called from any thread and from inside any callback, and does not wait for the network.
 * - It copies what it needs, unless it says otherwise.
 * - A NULL client gives WEBSOCKET_CLIENT_NULL, an unknown or destroyed one WEBSOCKET_CLIENT_NOT_CREATED; the memory
 *   behind the pointer is not read. These two are not listed again below.
 * - After an error nothing has changed, and NWS_LastErrorMessage() names the argument or field and the cause.
 *
 * The functions whose names begin with NWS_Server are about servers, and hold to the same: a NULL server gives
 * WEBSOCKET_CLIENT_NULL, an unknown or destroyed one WEBSOCKET_CLIENT_NOT_CREATED.
 *
 * Structs begin with their own size, so that they can grow. NWS_InitOptions(), NWS_InitReconnectOptions(),
 * NWS_InitCallbacks(), NWS_InitServerOptions() and NWS_InitServerCallbacks() set it. A program that sets it to `sizeof`
 * the struct by hand clears the struct first, padding included. A library that is newer than the program uses its
 * defaults for the fields that the program lacks. A library that is older refuses a field that it does not know, unless
 * that field is 0.
 *
 * Their sizes in bytes, on 64 bits (arm64-v8a, x86_64) and on 32 (armeabi-v7a):
 *
 * | struct                    | 64 bits | 32 bits |
 * |---------------------------|---------|---------|
 * | NWS_Options               | 256     | 184     |
 * | NWS_ReconnectOptions      | 40      | 32      |
 * | NWS_Callbacks             | 112     | 56      |
 * | NWS_Statistics            | 184     | 184     |
 * | NWS_Response              | 40      | 24      |
 * | NWS_Message               | 32      | 20      |
 * | NWS_Pong                  | 32      | 24      |
 * | NWS_Failure               | 96      | 72      |
 * | NWS_Close                 | 56      | 40      |
 * | NWS_Reconnecting          | 48      | 40      |
 * | NWS_Reconnected           | 24      | 16      |
 * | NWS_Frame                 | 24      | 24      |
 * | NWS_CertificatePinning    | 24      | 24      |
 * | NWS_ServerOptions         | 144     | 120     |
 * | NWS_ServerCallbacks       | 72      | 36      |
 * | NWS_ServerRequest         | 64      | 40      |
 * | NWS_ServerConnection      | 48      | 24      |
 * | NWS_ServerStatistics      | 80      | 80      |
 * | WebSocket                 | 40      | 20      |
 * | WebSocket_Header          | 24      | 12      |
 * | WebSocket_RequestOptions  | 8       | 4       |
 *
 * Limits in bytes have 64 bits everywhere. On 32 bits one beyond the address space means as much as there is memory for; a
 * message that is received in pieces may be longer than that.
 *
 * A child of fork() has none of the library's threads. Once a client was made in the parent, the child's calls return
 * WEBSOCKET_CLIENT_NOT_CREATED at once, and OH_WebSocketClient_Constructor() returns NULL. After exec() all is as new.
 *
 * Strings are NUL-terminated UTF-8. Times are in milliseconds or microseconds, as the field's name says.
 *
 * @code
 * static void onMessage(struct WebSocket *client, void *userData, const struct NWS_Message *message)
 * {
 *     if (message->type == NWS_TEXT) {
 *         printf("%s: %.*s\n", (const char *)userData, (int)message->length, message->data);
 *     }
 *     NWS_SendBinary(client, "\0\1\2", 3);
 * }
 *
 * struct WebSocket *client = OH_WebSocketClient_Constructor(NULL, NULL, NULL, NULL);
 * struct NWS_Callbacks callbacks;
 * NWS_InitCallbacks(&callbacks, sizeof callbacks);
 * callbacks.userData = "prices";
 * callbacks.onMessage = onMessage;
 * NWS_SetCallbacks(client, &callbacks);
 *
 * struct NWS_Options options;
 * NWS_InitOptions(&options, sizeof options);
 * options.connectTimeoutMs = 5000;
 * options.protocols = "prices.v2, prices.v1";
 * NWS_SetOptions(client, &options);
 *
 * struct WebSocket_RequestOptions none = { NULL };
 * OH_WebSocketClient_Connect(client, "wss://example.org/prices", none);
 * @endcode
 *
 * @library libnet_websocket.so
 */

#ifndef NET_WEBSOCKET_EXT_H
#define NET_WEBSOCKET_EXT_H

#include <stddef.h>
#include <stdint.h>

#include "net_websocket_type.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @brief Error codes besides those of WebSocket_ErrCode.
 */
typedef enum NWS_ErrCode {
    /** From OH_WebSocketClient_Connect(): the app has no ohos.permission.INTERNET. The number is the platform's. */
    NWS_NO_PERMISSION = 1020,
    /** An argument is NULL or out of range, or a field of a struct is. */
    NWS_INVALID_ARGUMENT = 2001,
    /** A message that is sent piece by piece has not ended yet. */
    NWS_MESSAGE_UNFINISHED = 2002,
    /** A text that is not UTF-8. */
    NWS_INVALID_UTF8 = 2003,
    /** The buffer is too small; its length now says how many bytes are needed. */
    NWS_BUFFER_TOO_SMALL = 2004,
    /** There is no such value: no such header, no sub-protocol or extension agreed on, never connected. */
    NWS_NOT_FOUND = 2005,
    /** From NWS_ServerStart(): the system refuses to listen at that address and port. */
    NWS_CANNOT_LISTEN = 2006,
    /** From NWS_ServerStart(): a file with certificates or the key is missing or unusable, or they do not belong together. */
    NWS_CERTIFICATE_UNUSABLE = 2007
} NWS_ErrCode;

/**
 * @brief The type of a message (RFC 6455, section 5.6).
 */
typedef enum NWS_MessageType {
    /** UTF-8 text. */
    NWS_TEXT = 1,
    /** Any bytes. */
    NWS_BINARY = 2
} NWS_MessageType;

/**
 * @brief The state of a client.
 */
typedef enum NWS_State {
    /** Never connected, or closed before it was open. */
    NWS_IDLE = 0,
    /** An attempt is under way. */
    NWS_CONNECTING = 1,
    /** Messages go both ways. */
    NWS_OPEN = 2,
    /** One side has asked to close. */
    NWS_CLOSING = 3,
    /** The last connection or attempt is over. */
    NWS_CLOSED = 4
} NWS_State;

/**
 * @brief What an attempt was doing when it failed.
 */
typedef enum NWS_Phase {
    /** Not an attempt: the connection was open. */
    NWS_PHASE_OPEN = 0,
    /** Looking up the host's addresses. */
    NWS_PHASE_LOOKUP = 1,
    /** Connecting to one of them. */
    NWS_PHASE_TCP = 2,
    /** The TLS handshake, or reading the certificates for it. */
    NWS_PHASE_TLS = 3,
    /** The HTTP upgrade of RFC 6455, section 4. */
    NWS_PHASE_UPGRADE = 4,
    /** Asking a proxy for a tunnel, between NWS_PHASE_TCP and NWS_PHASE_TLS. */
    NWS_PHASE_PROXY = 5,
    /** Before a retry: NWS_Callbacks::onPrepare and NWS_PrepareAttempt(). */
    NWS_PHASE_PREPARE = 6
} NWS_Phase;

/**
 * @brief A public key that the server's certificate chain must have; an entry of NWS_Options::certificatePinning.
 */
typedef struct NWS_CertificatePinning {
    /** The SHA-256 digest of its SubjectPublicKeyInfo in base64, as in RFC 7469; curl's "sha256//" may stand before it. */
    const char *publicKeyHash;
    /** When the entry expires, in milliseconds since 1970; 0 for never. */
    int64_t expiresMs;
    /** The next entry; NULL after the last. */
    const struct NWS_CertificatePinning *next;
} NWS_CertificatePinning;

/**
 * @brief Why an attempt failed or a connection ended, in classes that call for different answers.
 */
typedef enum NWS_Cause {
    /** The host's name has no address, or its lookup failed. */
    NWS_CAUSE_LOOKUP = 1,
    /** No connection to the host: refused, unreachable, or broken off before it was open. */
    NWS_CAUSE_CONNECT = 2,
    /** The attempt took longer than NWS_Options::connectTimeoutMs, or a step of it longer than its own limit. */
    NWS_CAUSE_TIMEOUT = 3,
    /** The TLS handshake failed for another reason than a certificate. */
    NWS_CAUSE_TLS = 4,
    /** A certificate was refused by one side, or a certificate file is unusable. */
    NWS_CAUSE_CERTIFICATE = 5,
    /** The server, or a proxy, answered the upgrade with HTTP 400 to 499. */
    NWS_CAUSE_HTTP_4XX = 6,
    /** The server, or a proxy, answered it with HTTP 500 to 599. */
    NWS_CAUSE_HTTP_5XX = 7,
    /** It answered with something else that is no upgrade. */
    NWS_CAUSE_UPGRADE = 8,
    /**
     * An open connection broke, or nothing came from the peer in time. Also a close frame with 1000 or without a code that
     * ends an absence: the process or the device stood still for 10 s or more, and the server has answered no ping since.
     */
    NWS_CAUSE_LOST = 9,
    /** The peer broke RFC 6455. A flawed close frame has the cause of its code instead, if that has one. */
    NWS_CAUSE_PROTOCOL = 10,
    /** The peer closed with 1001, 1011, 1012 or 1013: it goes away, or cannot serve now. */
    NWS_CAUSE_RESTART = 11,
    /** The peer closed with another code. */
    NWS_CAUSE_CLOSED = 12,
    /** This side closed, or gave the attempt up. */
    NWS_CAUSE_APPLICATION = 13,
    /** The attempt was not prepared, or not in time. */
    NWS_CAUSE_PREPARE = 14,
    /**
     * What the attempt was prepared with is not valid, or the system's setting of a proxy is not; the URL has no scheme; or
     * NWS_Options::networkSecurityConfig is strict, and network_config.json forbids the attempt or cannot be known.
     */
    NWS_CAUSE_OPTIONS = 15,
    /** A defect of this library. */
    NWS_CAUSE_INTERNAL = 16,
    /** The server ended the connection in order, and gave no answer to the upgrade. */
    NWS_CAUSE_NO_ANSWER = 17
} NWS_Cause;

/** @brief The bit of a cause in NWS_ReconnectOptions::causes. */
#define NWS_CAUSE_BIT(cause) (UINT32_C(1) << (cause))
/** @brief The causes that may pass by themselves, after which a client connects again by default. */
#define NWS_CAUSES_TRANSIENT                                                                                         \
    (NWS_CAUSE_BIT(NWS_CAUSE_LOOKUP) | NWS_CAUSE_BIT(NWS_CAUSE_CONNECT) | NWS_CAUSE_BIT(NWS_CAUSE_TIMEOUT) |         \
     NWS_CAUSE_BIT(NWS_CAUSE_TLS) | NWS_CAUSE_BIT(NWS_CAUSE_HTTP_5XX) | NWS_CAUSE_BIT(NWS_CAUSE_LOST) |              \
     NWS_CAUSE_BIT(NWS_CAUSE_RESTART) | NWS_CAUSE_BIT(NWS_CAUSE_PREPARE))

/**
 * @brief What NWS_Callbacks::onPrepare returns and NWS_PrepareAttempt() is given.
 */
typedef enum NWS_Decision {
    /** The attempt begins. */
    NWS_PREPARE_PROCEED = 0,
    /** NWS_PrepareAttempt() will be called, on whatever thread. Only from the callback. */
    NWS_PREPARE_WAIT = 1,
    /** No more attempts: onError reports the last failure. */
    NWS_PREPARE_STOP = 2,
    /** This attempt fails; a later one may succeed. Any other number counts as this one. */
    NWS_PREPARE_FAIL = 3
} NWS_Decision;

/**
 * @brief How to reach servers.
 */
typedef enum NWS_ProxyType {
    /**
     * By the default proxy of OpenHarmony's network settings, if there is one. On other systems by the environment
     * variables ws_proxy or http_proxy for ws, wss_proxy or https_proxy for wss, all_proxy and no_proxy, by curl's rules.
     */
    NWS_PROXY_SYSTEM = 0,
    /** Directly. */
    NWS_PROXY_NONE = 1,
    /**
     * By an HTTP proxy: CONNECT, for ws and wss, with Basic or Digest authentication (RFC 7617, RFC 7616), as the proxy asks.
     * One that refuses with 401, 403 or 407, or hangs up, and names no scheme, is asked a second time with Basic.
     */
    NWS_PROXY_HTTP = 2,
    /** By a SOCKS5 proxy (RFC 1928), with a name and a password (RFC 1929) or without. */
    NWS_PROXY_SOCKS5 = 3
} NWS_ProxyType;

/**
 * @brief Whether the authorities that users of the device have installed are trusted, beside those of the system's store.
 */
typedef enum NWS_UserAuthorities {
    /**
     * Those of the current user are, unless the app's network_config.json has "trust-current-user-ca": false; those for all
     * users are not.
     */
    NWS_USER_AUTHORITIES_BY_CONFIG = 0,
    /** Those of the current user and those for all users are. */
    NWS_USER_AUTHORITIES_TRUSTED = 1,
    /** None are. */
    NWS_USER_AUTHORITIES_NOT_TRUSTED = 2
} NWS_UserAuthorities;

/**
 * @brief How far the app's network_config.json is heeded.
 */
typedef enum NWS_NetworkSecurityConfig {
    /** As by the platform's WebSocket: "trust-current-user-ca" alone. */
    NWS_NETWORK_SECURITY_CONFIG_PLATFORM = 0,
    /**
     * As by the platform's http module: pins, trust anchors and the ban of clear text as well. The system tells them by its
     * libnet_ssl.so, from API 12 on, and the ban from API 18 on. What it cannot tell fails the attempt, before anything is
     * dialled.
     */
    NWS_NETWORK_SECURITY_CONFIG_STRICT = 1
} NWS_NetworkSecurityConfig;

/**
 * @brief Options of a client's later connections. Fill it with NWS_InitOptions(), then change fields.
 */
typedef struct NWS_Options {
    /** sizeof(struct NWS_Options). */
    size_t size;
    /** Limit of a whole attempt, from the name lookup to the upgrade; 1 or more. Default 15000. */
    uint32_t connectTimeoutMs;
    /** How long to wait for the peer's close frame before the connection is dropped; 1 or more. Default 5000. */
    uint32_t closeTimeoutMs;
    /**
     * Time between the library's own pings; 0 for none. From 2000 on, the pings of all clients fall on common seconds, so
     * that many idle clients wake the processor together. The first one may come earlier. Default 25000, since many
     * servers and gateways end a connection that is idle for 30 s.
     */
    uint32_t pingIntervalMs;
    /**
     * How long after a ping something must come from the peer, else the connection is lost; 0 for ever. While what was
     * sent before the ping is on its way, and arrives, the time begins anew. From 2000 on it ends on a common second, up
     * to 1000 later. Default 30000.
     */
    uint32_t pongTimeoutMs;
    /** The largest message to receive, in bytes; a larger one ends the connection with 1009. Default 67108864. */
    uint64_t maxMessageSize;
    /** The most bytes that may wait to be sent, headers of frames included. Default 67108864. */
    uint64_t sendQueueLimit;
    /**
     * NWS_Callbacks::onDrain is called when a queue that was longer is down to so many bytes. Not above sendQueueLimit.
     * Default 16777216, or a quarter of a smaller sendQueueLimit.
     */
    uint64_t sendLowWater;
    /** Sub-protocols, comma-separated, preferred first (RFC 6455, section 1.9); NULL for none. Default NULL. */
    const char *protocols;
    /** Headers after those of OH_WebSocketClient_AddHeader() and ahead of Connect's; NULL for none. Default NULL. */
    const struct WebSocket_Header *headers;
    /**
     * File of the authorities to trust instead of the system's, PEM or DER, or folder with such files; NULL for the system's.
     * Read when connecting, as the other files: an unusable one is an error of the phase NWS_PHASE_TLS, whose text holds no
     * byte of the file. Revocation is not checked, neither by OCSP nor by lists. Default NULL.
     */
    const char *caPath;
    /**
     * File with the certificate, PEM or DER, to show a server that asks for one, followed by those of its issuers; NULL for
     * none. Default NULL.
     */
    const char *clientCertPath;
    /** File with its key, PEM or DER (PKCS#8, SEC1 or PKCS#1); NULL if clientCertPath is. Default NULL. */
    const char *clientKeyPath;
    /**
     * 1 accepts any certificate for any host. Anybody on the path can then read and change everything, unless
     * certificatePinning names the server's own key. Default 0.
     */
    uint8_t skipServerCertVerification;
    /** 1 offers permessage-deflate (RFC 7692). Default 1. */
    uint8_t perMessageDeflate;
    /** 1 asks for, and keeps to, no context between messages that this side compresses. Default 0. */
    uint8_t clientNoContextTakeover;
    /** 1 asks the server to compress each message by itself. Default 0. */
    uint8_t serverNoContextTakeover;
    /** The window this side compresses with, 9 to 15 bits. Default 15. */
    uint8_t clientMaxWindowBits;
    /** The window that the server is asked to compress with, 9 to 15 bits. Default 15. */
    uint8_t serverMaxWindowBits;
    /** 1 hands on messages that are long, or come in fragments, in pieces. Default 0. See NWS_Message. */
    uint8_t receivePieces;
    /** 1 speaks TLS 1.3 only; else 1.2 as well. Default 0. */
    uint8_t tls13Only;
    /** Messages shorter than this are sent uncompressed, in bytes. Default 64. */
    uint32_t deflateThreshold;
    /** Password of clientKeyPath, for a key that has one: PBES2 with PBKDF2, or OpenSSL's older form. Default NULL. */
    const char *clientKeyPassword;
    /**
     * Protocols to offer by ALPN (RFC 7301), comma-separated, preferred first; NULL for http/1.1, "" to leave ALPN out. h2
     * and h3 are refused, since the upgrade is one of HTTP/1.1. Default NULL.
     */
    const char *alpnProtocols;
    /** The host name to ask for (SNI) and to verify, or the address, instead of the URL's; NULL for the URL's. Default NULL. */
    const char *tlsServerName;
    /**
     * Public keys of which the verified chain, from the server's certificate to the authority, must have one, besides
     * being verified; NULL for no such demand. Entries that have expired do not count; when all have, the chain is enough.
     * With skipServerCertVerification it is the server's own key that must be one of them, and an expired one is no help. Default NULL.
     */
    const struct NWS_CertificatePinning *certificatePinning;
    /** 1 trusts the authorities of caPath and those of the system. Default 0. */
    uint8_t caPathAddsToSystem;
    /**
     * Name or address of the proxy; NULL unless proxyType is HTTP or SOCKS5. The proxy looks up the names of servers. As in
     * the platform's settings, it may be "[scheme://][user[:password]@]host[:port][/]", without percent-encoding.
     * proxyUsername and proxyPassword win over the name and password in it. The port in it wins over proxyPort. Default
     * NULL.
     */
    const char *proxyHost;
    /**
     * Destinations to reach without the proxy, comma-separated: names and addresses with wildcards ("*.example.org",
     * "192.168.*"), domains with all below them (".example.org"), networks ("10.0.0.0/8", "fe80::/10"); each with ":port"
     * or for any port. NULL for none. Default NULL.
     */
    const char *proxyExclusions;
    /** Name for a proxy that asks for one; NULL for none. Sent to nobody else and never logged. Default NULL. */
    const char *proxyUsername;
    /** Its password; NULL means "". Default NULL. */
    const char *proxyPassword;
    /** Port of the proxy, 1 to 65535. Default 0, for none. */
    uint16_t proxyPort;
    /** One of NWS_ProxyType. Default NWS_PROXY_SYSTEM. */
    uint8_t proxyType;
    /** Time between calls of NWS_Callbacks::onStatistics while the connection is open; 0 for none. Default 0. */
    uint32_t statisticsIntervalMs;
    /**
     * The most messages that may wait to be sent; 0 for any number, within sendQueueLimit. A queue that held more than a
     * quarter of it has drained when it is down to that. Default 0.
     */
    uint64_t sendQueueMessages;
    /**
     * A number that stands in hexadecimal behind the client's own in log lines, as in "[c7 a92ab1d3f2e]": that of a HiTrace
     * chain, as hilog shows it. 0 for none. Default 0.
     */
    uint64_t traceId;
    /**
     * How many redirects to follow, 0 to 5. None leads from wss to ws, and the headers Authorization, Cookie and Host, the
     * client's certificate and tlsServerName are not for another origin. Default 4, as
     * in the platform's library.
     */
    uint8_t maxRedirects;
    /**
     * 1 names the port in the header Origin, if it is not the scheme's own; else Origin is the scheme and the host alone. An
     * Origin among the headers comes first, and an empty one there leaves it out. Default 0.
     */
    uint8_t supportOriginPort;
    /**
     * Names (fieldName) and their IP addresses, comma-separated (fieldValue), which are then not looked up; NULL for none.
     * Default NULL.
     */
    const struct WebSocket_Header *hosts;
    /** For Basic authentication, instead of those in the URL; a header Authorization comes before both. Default NULL. */
    const char *username;
    /** Its password; NULL means "". Default NULL. */
    const char *password;
    /** Limit of the time to find an address; 0 for none but connectTimeoutMs, as for the next four. Default 0. */
    uint32_t lookupTimeoutMs;
    /** Limit until one of the addresses has answered. Default 0. */
    uint32_t tcpTimeoutMs;
    /** Limit of the tunnel through a proxy. Default 0. */
    uint32_t proxyTimeoutMs;
    /** Limit of the TLS handshake. Default 0. */
    uint32_t tlsTimeoutMs;
    /** Limit of the upgrade. Default 0. */
    uint32_t upgradeTimeoutMs;
    /** One of NWS_UserAuthorities. Without effect where caPath takes the place of the system's store. Default 0. */
    uint8_t trustUserAuthorities;
    /** One of NWS_NetworkSecurityConfig. Default NWS_NETWORK_SECURITY_CONFIG_PLATFORM. */
    uint8_t networkSecurityConfig;
    /**
     * 1 sends a message, or a piece of one, of more than 1 MiB in fragments of 256 KiB (RFC 6455 5.4). Pongs, pings and
     * the close frame pass between them. 0 sends each in one frame, for a server that refuses fragments. It holds for
     * messages queued after NWS_SetOptions(). Default 1.
     */
    uint8_t fragmentMessages;
} NWS_Options;

/**
 * @brief When a client connects again by itself. Fill it with NWS_InitReconnectOptions(), then change fields.
 *
 * After a failure whose cause is among `causes`, and unless the application has closed the client, the next attempt begins
 * after a random part of a delay that doubles from attempt to attempt ("full jitter"), so that the clients of a server
 * that restarts come back one after another. A series of attempts ends when a connection has been open for 5 seconds.
 *
 * Some ends count as another cause. The HTTP statuses 408, 425 and 429 pass with time: they count as NWS_CAUSE_HTTP_5XX
 * too. 501 and 505 do not: they count as NWS_CAUSE_HTTP_4XX, and not as NWS_CAUSE_HTTP_5XX. Once the client was open, an
 * answer of 200 to 399 and a server's certificate that is refused may be those of a network's login page, and the want of
 * an answer may be that of a gateway before the server: they count as NWS_CAUSE_CONNECT too. Such a certificate is never
 * trusted. The cause that is told stays the one of its class.
 *
 * A header Retry-After of the answer, in seconds or as a date, is the least delay, up to an hour and within maxTimeMs; the
 * random part comes on top. A new network does not shorten it. NWS_RetryNow() does.
 *
 * The events: instead of onError and onClose there is NWS_Callbacks::onReconnecting, then onPrepare, and, when the
 * connection is open, onHeaders and onOpen as always, followed by onReconnected if the client was open before. onError
 * comes only when there will be no further attempt, and then onClose if the client was ever open. The state is
 * NWS_CONNECTING meanwhile: messages may be sent and wait for the connection. OH_WebSocketClient_Close() ends the waiting
 * at once, with onClose and its code, or, if the client was never open, as it ends a first attempt; so does
 * OH_WebSocketClient_Destroy(), without events.
 *
 * A message of which the kernel has taken any part is never sent again: its fate is unknown, and NWS_SentCallback says so.
 */
typedef struct NWS_ReconnectOptions {
    /** sizeof(struct NWS_ReconnectOptions). */
    size_t size;
    /** The first delay is a random part of this; 1 or more. Default 1000. */
    uint32_t delayMs;
    /** What a delay is a random part of at most; 1 or more. Default 30000. */
    uint32_t maxDelayMs;
    /** Attempts of a series; 0 for any number. Default 0. */
    uint32_t maxAttempts;
    /** How long a series goes on, while the process runs; 0 for ever. Default 0. */
    uint32_t maxTimeMs;
    /** After which causes, as NWS_CAUSE_BIT() of each; not NWS_CAUSE_APPLICATION. Default NWS_CAUSES_TRANSIENT. */
    uint32_t causes;
    /** How long NWS_PrepareAttempt() may take after NWS_PREPARE_WAIT; 1 or more. Default 15000. */
    uint32_t prepareTimeoutMs;
    /** 1 makes the first attempt of a series at once: all clients of a server then come back together. Default 0. */
    uint8_t atOnce;
    /** 1 drops what waits to be sent when a connection is lost; else it waits for the next one. Default 0. */
    uint8_t dropQueue;
    /**
     * 1 takes no notice of the network. Else, after a change of it, the server has 3 s to answer a ping, and without a way
     * to the server no attempt is made; to this device, localhost or a loopback address, there always is one. On
     * OpenHarmony that needs ohos.permission.GET_NETWORK_INFO. Default 0.
     */
    uint8_t ignoreNetwork;
} NWS_ReconnectOptions;

/**
 * @brief A name and a value of the server's answer.
 */
typedef struct NWS_Header {
    /** In lower case. */
    const char *name;
    /** As the server sent it; what is not UTF-8 in it is replaced. */
    const char *value;
} NWS_Header;

/**
 * @brief The server's answer to the upgrade. Valid during the callback.
 */
typedef struct NWS_Response {
    /** Bytes of this struct that the library knows. */
    size_t size;
    /** HTTP status: 101. */
    uint32_t status;
    /** Entries of `headers`. */
    uint32_t headerCount;
    /** The headers, in order. */
    const struct NWS_Header *headers;
    /** The sub-protocol the server chose; "" for none. */
    const char *protocol;
    /** The extensions in use, as in Sec-WebSocket-Extensions; "" for none. */
    const char *extensions;
} NWS_Response;

/**
 * @brief A message, or a piece of one. Valid during the callback.
 *
 * With NWS_Options::receivePieces a message that does not lie whole in the read buffer (about 128 KiB) comes in as many
 * calls as it takes, so that a message of any length passes in little memory. A piece of text may end inside a
 * character; the text as a whole is UTF-8, and a piece that rules that out is never handed on.
 */
typedef struct NWS_Message {
    /** Bytes of this struct that the library knows. */
    size_t size;
    /** The bytes; the one behind them is NUL. They belong to the library, and may be written to. */
    char *data;
    /** How many there are, without that NUL. */
    size_t length;
    /** NWS_TEXT or NWS_BINARY. */
    int32_t type;
    /** 1 for the first piece of a message, or the only one; else 0. */
    uint8_t first;
    /** 1 for the last piece of a message, or the only one; else 0. */
    uint8_t last;
} NWS_Message;

/**
 * @brief A pong. Valid during the callback.
 */
typedef struct NWS_Pong {
    /** Bytes of this struct that the library knows. */
    size_t size;
    /** What the ping carried; the library's own pings carry a number of four bytes. */
    const char *data;
    /** Bytes in it, at most 125. */
    size_t length;
    /** Microseconds since the ping; -1 for a pong that answers none of ours. */
    int64_t roundTripUs;
} NWS_Pong;

/**
 * @brief Why an attempt or a connection failed. Valid during the callback.
 */
typedef struct NWS_Failure {
    /** Bytes of this struct that the library knows. */
    size_t size;
    /** One of WebSocket_ErrCode. */
    int32_t code;
    /** One of NWS_Phase. */
    int32_t phase;
    /** The status of a server that refused the upgrade; 0 when that is not the cause. */
    uint32_t httpStatus;
    /** A sentence for a log, as WebSocket_ErrorResult::errorMessage. */
    const char *message;
    /** Messages that were accepted and are dropped, or of which nobody will know whether the peer got them. */
    uint64_t unsentMessages;
    /** One of NWS_Cause. */
    int32_t cause;
    /** Microseconds that the connection was open, or that the attempt took. */
    int64_t elapsedUs;
    /** Microseconds since the last byte came from the peer, or from a proxy on the way to it; -1 when none ever came. */
    int64_t lastActivityUs;
    /** The headers of a server that refused the upgrade, in order; headerCount is 0 when that is not the cause. */
    const struct NWS_Header *headers;
    /** Entries of `headers`. */
    size_t headerCount;
    /** The first 4096 bytes of that answer's body, as far as they came in time; the byte behind them is NUL. */
    const char *body;
    /** How many there are, without that NUL. */
    size_t bodyLength;
} NWS_Failure;

/**
 * @brief A failure that another attempt follows. Valid during the callback.
 */
typedef struct NWS_Reconnecting {
    /** Bytes of this struct that the library knows. */
    size_t size;
    /** Counts the attempts of a series, from 1. */
    uint32_t attempt;
    /** Until it begins, unless NWS_RetryNow() or a new network calls for it before. */
    uint32_t delayMs;
    /** One of NWS_Cause. */
    int32_t cause;
    /** The code of a peer that has closed; else 0. */
    uint32_t closeCode;
    /** The status of a server that refused the upgrade; else 0. */
    uint32_t httpStatus;
    /** A sentence for a log. */
    const char *message;
    /** Messages that were accepted and are dropped: the kernel has taken part of them, or the queue is not kept. */
    uint64_t unsentMessages;
} NWS_Reconnecting;

/**
 * @brief A connection that took the place of a lost one. Valid during the callback.
 */
typedef struct NWS_Reconnected {
    /** Bytes of this struct that the library knows. */
    size_t size;
    /** The attempts it took. */
    uint32_t attempts;
    /** Milliseconds since the one before was lost. */
    uint64_t downtimeMs;
} NWS_Reconnected;

/**
 * @brief The header of a frame (RFC 6455, section 5.2). Valid during the callback.
 */
typedef struct NWS_Frame {
    /** Bytes of this struct that the library knows. */
    size_t size;
    /** Bytes of the payload, which is never shown. */
    uint64_t length;
    /** 1 if the kernel has taken it, 0 if it came from the server. */
    uint8_t sent;
    /** 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong. */
    uint8_t opcode;
    /** 1 for the last frame of a message. */
    uint8_t fin;
    /** 1 for the first frame of a compressed message (RFC 7692). */
    uint8_t compressed;
} NWS_Frame;

/**
 * @brief The end of a connection. Valid during the callback.
 */
typedef struct NWS_Close {
    /** Bytes of this struct that the library knows. */
    size_t size;
    /** As WebSocket_CloseResult::code. */
    uint32_t code;
    /** As WebSocket_CloseResult::reason. */
    const char *reason;
    /** One of NWS_Cause. */
    int32_t cause;
    /** Microseconds that the connection was open. */
    int64_t elapsedUs;
    /** Microseconds since the last byte came from the peer. */
    int64_t lastActivityUs;
    /** As NWS_Failure::unsentMessages. */
    uint64_t unsentMessages;
} NWS_Close;

/**
 * @brief What a client has counted since it was made, over all its connections, and the times of the last one.
 *
 * Bytes are those on the wire, frame headers included; those of TLS are not.
 */
typedef struct NWS_Statistics {
    /** sizeof(struct NWS_Statistics), set by the caller. */
    size_t size;
    /** Attempts begun. */
    uint64_t attempts;
    /** Connections that were open. */
    uint64_t connections;
    /** Messages the kernel has taken. */
    uint64_t messagesSent;
    /** Bytes the kernel has taken. */
    uint64_t bytesSent;
    /** Messages received whole. */
    uint64_t messagesReceived;
    /** Bytes received. */
    uint64_t bytesReceived;
    /** Bytes of the messages that were compressed. */
    uint64_t deflateInputBytes;
    /** What they were compressed to. */
    uint64_t deflateOutputBytes;
    /** Pings sent, the library's own and those of NWS_Ping(). */
    uint64_t pingsSent;
    /** Pongs that answered one of them. */
    uint64_t pongsReceived;
    /** Pings received; each was answered. */
    uint64_t pingsReceived;
    /** Bytes that wait to be sent. */
    uint64_t bufferedBytes;
    /** The last round trip of a ping; -1 before the first. */
    int64_t roundTripUs;
    /** Smoothed over the last ones (RFC 6298, section 2); -1 before the first. */
    int64_t smoothedRoundTripUs;
    /** The shortest; -1 before the first. */
    int64_t minimumRoundTripUs;
    /** Time of the name lookup for the last connection; -1 if there was none. */
    int64_t lookupUs;
    /** Time of its TCP connect; -1 likewise. */
    int64_t tcpUs;
    /** Time of its TLS handshake; 0 without TLS, -1 likewise. */
    int64_t tlsUs;
    /** Time of its upgrade; -1 likewise. */
    int64_t upgradeUs;
    /** Time of its tunnel through a proxy; 0 without one, -1 likewise. */
    int64_t proxyUs;
    /** Pings that no pong has answered, up to now; a pong answers those before its own too. */
    uint64_t pingsUnanswered;
    /** Messages that wait to be sent. */
    uint64_t bufferedMessages;
} NWS_Statistics;

/**
 * @brief Callbacks with a pointer of the application's. Fill it with NWS_InitCallbacks(), then set those wanted.
 *
 * They follow the rules of the callbacks in net_websocket_type.h: one at a time for each client, none after
 * OH_WebSocketClient_Destroy() has returned, and every function may be called inside them. One that is set here takes
 * the place of the constructor's for the same event.
 */
typedef struct NWS_Callbacks {
    /** sizeof(struct NWS_Callbacks). */
    size_t size;
    /** Given to each callback; also what NWS_GetUserData() returns. Default NULL. */
    void *userData;
    /** The server has answered the upgrade; onOpen follows. */
    void (*onHeaders)(struct WebSocket *client, void *userData, const struct NWS_Response *response);
    /** The connection is open. */
    void (*onOpen)(struct WebSocket *client, void *userData, const struct NWS_Response *response);
    /** A message came, or a piece of one. */
    void (*onMessage)(struct WebSocket *client, void *userData, const struct NWS_Message *message);
    /** A pong came. */
    void (*onPong)(struct WebSocket *client, void *userData, const struct NWS_Pong *pong);
    /**
     * The send queue, longer than NWS_Options::sendLowWater or a quarter of sendQueueMessages before, is down to both; or
     * it is so after a message was refused for want of room.
     */
    void (*onDrain)(struct WebSocket *client, void *userData);
    /** The attempt or the connection failed. */
    void (*onError)(struct WebSocket *client, void *userData, const struct NWS_Failure *failure);
    /** The connection, once open, has ended. */
    void (*onClose)(struct WebSocket *client, void *userData, const struct NWS_Close *close);
    /** The attempt or the connection failed, and another attempt will follow; see NWS_ReconnectOptions. */
    void (*onReconnecting)(struct WebSocket *client, void *userData, const struct NWS_Reconnecting *reconnecting);
    /**
     * That attempt is about to begin. Returns one of NWS_Decision; call NWS_PrepareAttempt() before returning
     * NWS_PREPARE_PROCEED, or after NWS_PREPARE_WAIT, to change the handshake, for example to send a fresh token.
     */
    int32_t (*onPrepare)(struct WebSocket *client, void *userData, const struct NWS_Reconnecting *reconnecting);
    /** The connection that was just opened takes the place of a lost one. */
    void (*onReconnected)(struct WebSocket *client, void *userData, const struct NWS_Reconnected *reconnected);
    /** What was counted so far, at each NWS_Options::statisticsIntervalMs. */
    void (*onStatistics)(struct WebSocket *client, void *userData, const struct NWS_Statistics *statistics);
    /**
     * For debugging: a frame has gone out or come in. Every frame is reported while this is set, which takes time. A frame
     * is reported before the message that it ends.
     */
    void (*onFrame)(struct WebSocket *client, void *userData, const struct NWS_Frame *frame);
} NWS_Callbacks;

/**
 * @brief Reports what became of a message. Called exactly once for each message that was accepted with it.
 *
 * It runs like any other callback of the client, after those of the messages before it. For messages that still wait
 * when the client is destroyed, OH_WebSocketClient_Destroy() itself calls it, on the caller's thread.
 *
 * @param client The client; in the last case it may not be used any more.
 * @param context What was given to NWS_SendWithCallback().
 * @param result WEBSOCKET_OK: the kernel has taken all of it. WEBSOCKET_NO_CONNECTION: the connection ended before that
 *     was known; the peer may or may not have got it. WEBSOCKET_DESTROYED: the same, of the client.
 */
typedef void (*NWS_SentCallback)(struct WebSocket *client, void *context, int32_t result);

/**
 * @brief Returns memory that was lent to NWS_SendOwned(). Called exactly once for each call that succeeded.
 *
 * It runs on any thread. It may run inside a function of this library, or after the client was destroyed, so it should
 * only free the memory.
 *
 * @param data The memory. Its contents have changed.
 * @param context What was given to NWS_SendOwned().
 */
typedef void (*NWS_ReleaseCallback)(void *data, void *context);

/**
 * @brief The version of the library. The platform's library of the same name does not have this function; net_websocket.h
 * refers to it, so that a program built with that header is not given the other one unnoticed.
 * @return For example "0.1.0". Never freed.
 */
const char *NWS_Version(void);

/**
 * @brief The name of an error code.
 * @param code A code of WebSocket_ErrCode or NWS_ErrCode.
 * @return For example "WEBSOCKET_NO_CONNECTION"; "unknown" for any other code. Never freed.
 */
const char *NWS_ErrorName(int32_t code);

/**
 * @brief The meaning of an error code.
 * @param code A code of WebSocket_ErrCode or NWS_ErrCode.
 * @return A sentence in English; "unknown error" for any other code. Never freed.
 */
const char *NWS_ErrorMessage(int32_t code);

/**
 * @brief Why the last function of this header, or OH_WebSocketClient_Connect(), that failed on the calling thread did so.
 * @return A sentence that names the argument or field; "" if none has failed. Valid until the next failure on this
 *     thread.
 */
const char *NWS_LastErrorMessage(void);

/**
 * @brief Fills a struct with the default options.
 * @param options The struct.
 * @param size sizeof(struct NWS_Options) as the program knows it.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT if options is NULL or the size is that of no version.
 */
int32_t NWS_InitOptions(struct NWS_Options *options, size_t size);

/**
 * @brief Fills a struct with no callbacks.
 * @param callbacks The struct.
 * @param size sizeof(struct NWS_Callbacks) as the program knows it.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT if callbacks is NULL or the size is that of no version.
 */
int32_t NWS_InitCallbacks(struct NWS_Callbacks *callbacks, size_t size);

/**
 * @brief Sets the options of the client's later connections. The limits of the send queue hold at once.
 * @param client The client.
 * @param options Copied with all it points to. NULL for the defaults.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT for a field out of range; WEBSOCKET_HEADER_EXCEEDED for more than 8192
 *     headers; WEBSOCKET_NO_HEADER_CONTEXT for a header whose name or value is NULL.
 */
int32_t NWS_SetOptions(struct WebSocket *client, const struct NWS_Options *options);

/**
 * @brief Fills a struct with the defaults of reconnecting.
 * @param options The struct.
 * @param size sizeof(struct NWS_ReconnectOptions) as the program knows it.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT if options is NULL or the size is that of no version.
 */
int32_t NWS_InitReconnectOptions(struct NWS_ReconnectOptions *options, size_t size);

/**
 * @brief Has the client connect again by itself, from its next OH_WebSocketClient_Connect() on.
 * @param client The client.
 * @param options Copied. NULL for not connecting again, as it is without this function.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT for a field out of range.
 */
int32_t NWS_SetReconnect(struct WebSocket *client, const struct NWS_ReconnectOptions *options);

/**
 * @brief Begins the pending attempt at once, as after NWS_Callbacks::onReconnecting.
 * @param client The client.
 * @return WEBSOCKET_OK; WEBSOCKET_NO_CONNECTION if no attempt is pending.
 */
int32_t NWS_RetryNow(struct WebSocket *client);

/**
 * @brief Answers NWS_Callbacks::onPrepare, inside it or later.
 * @param client The client.
 * @param attempt NWS_Reconnecting::attempt.
 * @param decision NWS_PREPARE_PROCEED, NWS_PREPARE_STOP or NWS_PREPARE_FAIL.
 * @param url The URL of this and later attempts; NULL for the same as before. Read for NWS_PREPARE_PROCEED only. One of
 *     another origin gets none of the headers Authorization, Cookie and Host and no credentials that were given before.
 * @param headers Headers of this and later attempts in place of those with the same names; NULL for none. Likewise.
 * @return WEBSOCKET_OK; NWS_NOT_FOUND if this attempt is not, or no longer, waiting; NWS_INVALID_ARGUMENT;
 *     WEBSOCKET_HEADER_EXCEEDED and WEBSOCKET_NO_HEADER_CONTEXT as NWS_SetOptions(). A URL or header that Connect would
 *     refuse is reported by onError.
 */
int32_t NWS_PrepareAttempt(struct WebSocket *client, uint32_t attempt, int32_t decision, const char *url,
                           const struct WebSocket_Header *headers);

/**
 * @brief Sets the client's callbacks, from the next event on; call it before Connect to miss none.
 *
 * A callback that runs on another thread meanwhile may still be one from before, with the user data from before; inside a
 * callback of the client none does.
 *
 * @param client The client.
 * @param callbacks Copied. NULL for none, and those of the constructor are called again.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT if the size is that of no version.
 */
int32_t NWS_SetCallbacks(struct WebSocket *client, const struct NWS_Callbacks *callbacks);

/**
 * @brief Sets the pointer that callbacks are given from the next event on, which is NWS_Callbacks::userData as well. See
 *     NWS_SetCallbacks() for a callback that runs meanwhile.
 * @param client The client.
 * @param userData Any pointer; the library does not follow it.
 * @return WEBSOCKET_OK.
 */
int32_t NWS_SetUserData(struct WebSocket *client, void *userData);

/**
 * @brief The pointer that callbacks are given, for those of the constructor, which get none.
 * @param client The client.
 * @return The pointer; NULL if none was set, or for an unknown client, as one is to its own callback once another thread is
 *     in OH_WebSocketClient_Destroy() and waits for that callback to return.
 */
void *NWS_GetUserData(const struct WebSocket *client);

/**
 * @brief Queues a text message.
 * @param client The client. Before it is connected, and while it connects, messages wait for the connection.
 * @param text UTF-8; may hold NUL characters, and need not end with one. May be NULL if length is 0.
 * @param length Bytes in it, up to the limit of the send queue; 0 sends an empty message.
 * @return WEBSOCKET_OK if the message is queued;
 *     WEBSOCKET_NO_CONNECTION if the connection is closing or has ended;
 *     WEBSOCKET_QUEUE_LENGTH_EXCEEDED if NWS_Options::sendQueueLimit or sendQueueMessages would be passed
 *     (NWS_Callbacks::onDrain tells when to try again);
 *     WEBSOCKET_DATA_LENGTH_EXCEEDED if it alone is over that limit, with the 14 bytes of its frame's header;
 *     WEBSOCKET_SEND_DATA_NULL; NWS_INVALID_UTF8; NWS_MESSAGE_UNFINISHED between the pieces of NWS_SendPiece().
 */
int32_t NWS_SendText(struct WebSocket *client, const char *text, size_t length);

/**
 * @brief Queues a binary message.
 * @param client The client.
 * @param data The bytes. May be NULL if length is 0.
 * @param length Bytes in it.
 * @return As NWS_SendText(), but NWS_INVALID_UTF8.
 */
int32_t NWS_SendBinary(struct WebSocket *client, const void *data, size_t length);

/**
 * @brief Queues a message and reports later what became of it.
 * @param client The client.
 * @param type NWS_TEXT or NWS_BINARY.
 * @param data The message.
 * @param length Bytes in it.
 * @param onSent Called once if, and only if, this function succeeds.
 * @param context Given to it.
 * @return As NWS_SendText(); NWS_INVALID_ARGUMENT if onSent is NULL or the type is none.
 */
int32_t NWS_SendWithCallback(struct WebSocket *client, int32_t type, const void *data, size_t length,
                             NWS_SentCallback onSent, void *context);

/**
 * @brief Queues a message without copying it.
 *
 * On success the memory is the library's until it calls `release`. It masks the message where it lies (RFC 6455,
 * section 5.3), so the contents change. The message goes out uncompressed.
 *
 * @param client The client.
 * @param type NWS_TEXT or NWS_BINARY.
 * @param data The message, in memory that may be written to.
 * @param length Bytes in it.
 * @param release Called once if, and only if, this function succeeds. Otherwise the memory is the caller's, unchanged.
 * @param context Given to it.
 * @return As NWS_SendText(); NWS_INVALID_ARGUMENT if release is NULL or the type is none.
 */
int32_t NWS_SendOwned(struct WebSocket *client, int32_t type, void *data, size_t length, NWS_ReleaseCallback release,
                      void *context);

/**
 * @brief Queues a piece of a message, so that a long one need not be in memory as a whole (RFC 6455, section 5.4).
 *
 * Until the last piece no other message can be sent. Pieces go out uncompressed.
 *
 * @param client The client.
 * @param type NWS_TEXT or NWS_BINARY, the same for all pieces.
 * @param data The piece. May end inside a character.
 * @param length Bytes in it.
 * @param last 1 for the last piece, else 0.
 * @return As NWS_SendText(); NWS_INVALID_ARGUMENT if the type is none; NWS_INVALID_UTF8 if the text up to this piece
 *     cannot be UTF-8 any more, or ends inside a character (the piece is not sent; another one may be);
 *     NWS_MESSAGE_UNFINISHED if the type is not that of the pieces before; WEBSOCKET_NO_CONNECTION, once, if the
 *     connection with the pieces before was lost and the client connects again: the message must begin again.
 */
int32_t NWS_SendPiece(struct WebSocket *client, int32_t type, const void *data, size_t length, int32_t last);

/**
 * @brief Sends a ping ahead of the queued messages. NWS_Callbacks::onPong reports the answer and how long it took.
 * @param client The client.
 * @param data The payload, which the pong brings back. May be NULL if length is 0.
 * @param length Bytes in it, up to 125.
 * @return WEBSOCKET_OK; WEBSOCKET_NO_CONNECTION unless the connection is open; WEBSOCKET_DATA_LENGTH_EXCEEDED;
 *     WEBSOCKET_SEND_DATA_NULL; WEBSOCKET_QUEUE_LENGTH_EXCEEDED if 16 pings wait to be sent.
 */
int32_t NWS_Ping(struct WebSocket *client, const void *data, size_t length);

/**
 * @brief The state of the client at this moment.
 * @param client The client.
 * @return One of NWS_State; -1 for NULL or an unknown client.
 */
int32_t NWS_GetState(const struct WebSocket *client);

/**
 * @brief Bytes that were accepted and that the kernel has not taken yet, frame headers included.
 * @param client The client.
 * @param bytes Where to put the number.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT if bytes is NULL.
 */
int32_t NWS_GetBufferedAmount(const struct WebSocket *client, uint64_t *bytes);

/**
 * @brief The sub-protocol the server chose for the last connection.
 * @param client The client.
 * @param buffer Where to put the string. NULL only asks for its length.
 * @param length Bytes in the buffer; then the bytes of the string with its NUL.
 * @return WEBSOCKET_OK; NWS_NOT_FOUND if there is none; NWS_BUFFER_TOO_SMALL; NWS_INVALID_ARGUMENT if length is NULL.
 */
int32_t NWS_GetProtocol(const struct WebSocket *client, char *buffer, size_t *length);

/**
 * @brief The extensions in use on the last connection, as the server put them.
 * @param client The client.
 * @param buffer As for NWS_GetProtocol().
 * @param length As for NWS_GetProtocol().
 * @return As NWS_GetProtocol().
 */
int32_t NWS_GetExtensions(const struct WebSocket *client, char *buffer, size_t *length);

/**
 * @brief A header of the server's answer to the last upgrade.
 * @param client The client.
 * @param name The header's name, in any case.
 * @param index Which of several with this name, from 0.
 * @param buffer As for NWS_GetProtocol().
 * @param length As for NWS_GetProtocol().
 * @return As NWS_GetProtocol(); NWS_INVALID_ARGUMENT if name is NULL.
 */
int32_t NWS_GetResponseHeader(const struct WebSocket *client, const char *name, size_t index, char *buffer,
                              size_t *length);

/**
 * @brief What the client has counted so far.
 * @param client The client.
 * @param statistics Its size must be set; as much as fits is filled in.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT if statistics is NULL or the size is that of no version.
 */
int32_t NWS_GetStatistics(const struct WebSocket *client, struct NWS_Statistics *statistics);

/**
 * @brief How severe a line must be to be written to the log.
 */
typedef enum NWS_LogLevel {
    /** Everything. */
    NWS_LOG_DEBUG = 1,
    /** What connections go through as well. */
    NWS_LOG_INFO = 2,
    /** Dropped connections as well: the default on OpenHarmony. */
    NWS_LOG_WARN = 3,
    /** Defects of this library only. */
    NWS_LOG_ERROR = 4,
    /** Nothing: the default elsewhere. */
    NWS_LOG_OFF = 5
} NWS_LogLevel;

/**
 * @brief Sets what is written to the log from now on, for the whole process.
 * @param level One of NWS_LogLevel.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT for another number.
 */
int32_t NWS_SetLogLevel(int32_t level);

/**
 * @brief The number by which the library's log knows the client, as in "[c7]".
 * @param client The client.
 * @return 1 or more; 0 for NULL or an unknown client.
 */
uint64_t NWS_GetId(const struct WebSocket *client);

/* --- servers --- */

/**
 * @brief A server. The pointer is a name only: there is nothing behind it, and no other server ever gets the same one.
 *
 * A connection of it has a number, from 1 on, by which functions and callbacks know it; it is never used again until the
 * server is started anew. Destroying a server takes its connections along.
 *
 * @code
 * static void onMessage(struct NWS_Server *server, void *userData, uint64_t connection, const struct NWS_Message *message)
 * {
 *     (void)userData;
 *     NWS_ServerSendText(server, connection, message->data, message->length);
 * }
 *
 * struct NWS_ServerCallbacks callbacks;
 * NWS_InitServerCallbacks(&callbacks, sizeof callbacks);
 * callbacks.onMessage = onMessage;
 * struct NWS_Server *server = NWS_ServerCreate(&callbacks);
 *
 * uint16_t port;
 * if (NWS_ServerStart(server, NULL) == WEBSOCKET_OK) {
 *     NWS_ServerGetAddress(server, 0, NULL, NULL, &port);
 *     printf("port %u\n", port);
 * }
 * @endcode
 */
typedef struct NWS_Server NWS_Server;

/**
 * @brief Where a server listens, whom it lets in, and what holds for its connections. Fill it with NWS_InitServerOptions(),
 *     then change what is to be different.
 */
typedef struct NWS_ServerOptions {
    /** sizeof(struct NWS_ServerOptions). */
    size_t size;
    /**
     * An IPv4 or IPv6 address of this device; NULL for all addresses of IPv4, "::" for all of both. Default NULL: whoever is
     * in the same network can connect. "127.0.0.1" is for this device alone.
     */
    const char *address;
    /**
     * File with the server's certificate, PEM or DER, followed by those of its issuers; NULL for no TLS. Read by
     * NWS_ServerStart(), as the other files. Default NULL.
     */
    const char *certPath;
    /** File with its key, PEM or DER (PKCS#8, SEC1 or PKCS#1); NULL if certPath is. Default NULL. */
    const char *keyPath;
    /** The key's password; NULL for none. Default NULL. */
    const char *keyPassword;
    /**
     * File with the authorities of clients' certificates, PEM or DER: nobody is let in without one. NULL to ask for none.
     * Default NULL.
     */
    const char *clientCaPath;
    /**
     * The sub-protocols that are spoken here, comma-separated; NULL for none. The first that a client offers and that is among
     * them is agreed on. A client that offers none of them is let in without. Default NULL.
     */
    const char *protocols;
    /** The largest message to receive, in bytes; a larger one ends the connection with 1009. Default 67108864. */
    uint64_t maxMessageSize;
    /** The most bytes that may wait to be sent on a connection, headers of frames included. Default 67108864. */
    uint64_t sendQueueLimit;
    /** As NWS_Options::sendLowWater, for NWS_ServerCallbacks::onDrain. Default 16777216. */
    uint64_t sendLowWater;
    /** The most messages that may wait to be sent on a connection; 0 for any number. Default 0. */
    uint64_t sendQueueMessages;
    /** How many addresses may be connected at a time; 0 admits nobody. Default 10. */
    uint32_t maxAddresses;
    /** How many connections one address may have at a time, those in their handshake among them. Default 10. */
    uint32_t maxConnectionsPerAddress;
    /**
     * How many clients may be in their handshake at a time; 1 or more. While there are so many, others wait in the kernel.
     * Default 128.
     */
    uint32_t maxHandshakes;
    /** How long a client may take from its connection to the answer to its request; 1 or more. Default 10000. */
    uint32_t handshakeTimeoutMs;
    /** How long to wait for the client's close frame before the connection is dropped; 1 or more. Default 5000. */
    uint32_t closeTimeoutMs;
    /** As NWS_Options::pingIntervalMs. Default 25000. */
    uint32_t pingIntervalMs;
    /** As NWS_Options::pongTimeoutMs. Default 30000. */
    uint32_t pongTimeoutMs;
    /**
     * How often one address may connect within ratePeriodMs, counted from its first connection; 0 for as often as it likes.
     * One that connects more often is kept out for rateBanMs. Of IPv6 the first 64 bits are an address here. Default 0.
     */
    uint32_t rateConnections;
    /** See rateConnections; 1 or more beside it. Default 60000. */
    uint32_t ratePeriodMs;
    /** See rateConnections. Default 60000. */
    uint32_t rateBanMs;
    /** Messages shorter than this are sent uncompressed, in bytes. Default as NWS_Options::deflateThreshold. */
    uint32_t deflateThreshold;
    /** The port; 0 for one that is free, which NWS_ServerGetAddress() tells. Default 0. */
    uint16_t port;
    /** 1: TLS 1.3 only; needs certPath. Default 0: 1.2 as well. */
    uint8_t tls13Only;
    /** 1: permessage-deflate (RFC 7692) with clients that offer it. Default 0, since each connection has its own memory for it. */
    uint8_t perMessageDeflate;
    /** 1: clients are to compress each message by itself, which saves the memory to decompress with. Default 0. */
    uint8_t clientNoContextTakeover;
    /** 1: each message is compressed by itself. Default 0. */
    uint8_t serverNoContextTakeover;
    /** The largest window of clients, 9 to 15 bits. Default 15. */
    uint8_t clientMaxWindowBits;
    /** The window to compress with, 9 to 15 bits. Default 15. */
    uint8_t serverMaxWindowBits;
    /** As NWS_Options::receivePieces. Default 0. */
    uint8_t receivePieces;
    /** As NWS_Options::fragmentMessages. Default 1. */
    uint8_t fragmentMessages;
} NWS_ServerOptions;

/**
 * @brief A client's request for a connection. Valid during the callback; the number of the request is valid longer.
 */
typedef struct NWS_ServerRequest {
    /** Bytes of this struct that the library knows. */
    size_t size;
    /** For NWS_ServerAccept() and NWS_ServerRefuse(). */
    uint64_t request;
    /** The client's IP address. */
    const char *address;
    /** The path and the query, as the client has sent them. */
    const char *target;
    /** The sub-protocols that it offers, separated by ", "; "" for none. */
    const char *protocols;
    /** The headers, in order, names in lower case. The client may have written anything into them. */
    const struct NWS_Header *headers;
    /** Entries of `headers`. */
    size_t headerCount;
    /** The client's port. */
    uint16_t port;
} NWS_ServerRequest;

/**
 * @brief A connection that has just opened. Valid during the callback.
 */
typedef struct NWS_ServerConnection {
    /** Bytes of this struct that the library knows. */
    size_t size;
    /** The client's IP address. */
    const char *address;
    /** The path and the query, as the client has sent them. */
    const char *target;
    /** The sub-protocol that was agreed on; "" for none. */
    const char *protocol;
    /** The extensions in use, as in Sec-WebSocket-Extensions; "" for none. */
    const char *extensions;
    /** The client's port. */
    uint16_t port;
} NWS_ServerConnection;

/**
 * @brief What to call at each event of a server; NULL for nothing.
 *
 * Callbacks run on the library's threads. Those of one connection come one at a time, in the order onOpen, then onMessage
 * and onDrain, at most one onError, and onClose as the last. Those of different connections, onRequest, and onError for the
 * server itself may run at the same time on several threads. A callback may block: only its own connection waits.
 */
typedef struct NWS_ServerCallbacks {
    /** sizeof(struct NWS_ServerCallbacks). */
    size_t size;
    /** Given to each callback; the library does not follow it. */
    void *userData;
    /**
     * A client asks for a connection, whose request is a valid one. Answer it by NWS_ServerAccept() or NWS_ServerRefuse(),
     * inside or later, on any thread. One without an answer ends with NWS_ServerOptions::handshakeTimeoutMs. Look at the
     * header "origin" here, if pages of others are not to connect. NULL: all are accepted.
     */
    void (*onRequest)(struct NWS_Server *server, void *userData, const struct NWS_ServerRequest *request);
    /** A connection is open. */
    void (*onOpen)(struct NWS_Server *server, void *userData, uint64_t connection,
                   const struct NWS_ServerConnection *info);
    /** A message came, or a piece of one. */
    void (*onMessage)(struct NWS_Server *server, void *userData, uint64_t connection, const struct NWS_Message *message);
    /** As NWS_Callbacks::onDrain, for the connection. */
    void (*onDrain)(struct NWS_Server *server, void *userData, uint64_t connection);
    /**
     * A connection failed; onClose follows. Or, with connection 0: a client was kept out by a limit
     * (NWS_CAUSE_APPLICATION), or nobody can be accepted for now (NWS_CAUSE_CONNECT), for example for want of descriptors,
     * told once for each time of it. While 16 calls with connection 0 wait, more are only counted.
     */
    void (*onError)(struct NWS_Server *server, void *userData, uint64_t connection, const struct NWS_Failure *failure);
    /** A connection has ended. Once this has returned, its number is unknown to the functions of the server. */
    void (*onClose)(struct NWS_Server *server, void *userData, uint64_t connection, const struct NWS_Close *close);
    /** After NWS_ServerStop(): the port is free, and the last connection has told its end. The server may be started again. */
    void (*onStop)(struct NWS_Server *server, void *userData);
} NWS_ServerCallbacks;

/**
 * @brief What a server has counted since it was started, those of its connections that are over among it.
 */
typedef struct NWS_ServerStatistics {
    /** sizeof(struct NWS_ServerStatistics). */
    size_t size;
    /** Connections that are open now. */
    uint64_t open;
    /** Connections that were let in. */
    uint64_t opened;
    /** Clients that were kept out by a limit. */
    uint64_t keptOut;
    /** Clients whose handshake failed, or was refused. */
    uint64_t notOpened;
    /** Messages that the kernel has taken. */
    uint64_t messagesSent;
    /** Bytes of all frames that it has taken; before TLS. */
    uint64_t bytesSent;
    /** Messages received whole. */
    uint64_t messagesReceived;
    /** Bytes of all frames received; after TLS. */
    uint64_t bytesReceived;
    /** Bytes that wait to be sent now. */
    uint64_t bufferedBytes;
} NWS_ServerStatistics;

/**
 * @brief Fills a struct with the default options of a server.
 * @param options The struct.
 * @param size sizeof(struct NWS_ServerOptions) as the program knows it.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT if options is NULL or the size is that of no version.
 */
int32_t NWS_InitServerOptions(struct NWS_ServerOptions *options, size_t size);

/**
 * @brief Fills a struct with no callbacks.
 * @param callbacks The struct.
 * @param size sizeof(struct NWS_ServerCallbacks) as the program knows it.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT if callbacks is NULL or the size is that of no version.
 */
int32_t NWS_InitServerCallbacks(struct NWS_ServerCallbacks *callbacks, size_t size);

/**
 * @brief Makes a server, which does not listen yet.
 * @param callbacks Copied. NULL for none.
 * @return The server, to be given to NWS_ServerDestroy(); NULL if the size of the struct is that of no version.
 */
struct NWS_Server *NWS_ServerCreate(const struct NWS_ServerCallbacks *callbacks);

/**
 * @brief Listens, and lets clients in from now on. Reads the files of certificates and keys.
 * @param server The server.
 * @param options Copied with all it points to. NULL for the defaults.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT for a field out of range; NWS_CANNOT_LISTEN for a port that is taken or not for
 *     this app, or an address that is not this device's; NWS_CERTIFICATE_UNUSABLE; NWS_NO_PERMISSION;
 *     WEBSOCKET_CONNECTION_ERROR if it is started already, or the system has no threads or descriptors left.
 */
int32_t NWS_ServerStart(struct NWS_Server *server, const struct NWS_ServerOptions *options);

/**
 * @brief Lets nobody in any more, and closes all connections with 1001 behind what is queued.
 *     NWS_ServerCallbacks::onStop tells when all is done.
 * @param server The server.
 * @param timeoutMs After this time connections that are not over are dropped; 0 for NWS_ServerOptions::closeTimeoutMs alone.
 * @return WEBSOCKET_OK; WEBSOCKET_NO_CONNECTION if it is not started, or stopped before.
 */
int32_t NWS_ServerStop(struct NWS_Server *server, uint32_t timeoutMs);

/**
 * @brief Stops the server and releases it. Its connections are closed with 1001, behind what is queued, and tell nothing more.
 *
 * No callback runs after this returns; it waits for those that run on other threads. One that this is called from goes on.
 *
 * @param server The server.
 * @return WEBSOCKET_OK.
 */
int32_t NWS_ServerDestroy(struct NWS_Server *server);

/**
 * @brief Lets a client in, inside NWS_ServerCallbacks::onRequest or later.
 * @param server The server.
 * @param request NWS_ServerRequest::request.
 * @param protocol The sub-protocol, one of those that the client offers; NULL for the choice by NWS_ServerOptions::protocols.
 * @param headers Headers of the answer, besides those of the upgrade; NULL for none.
 * @return WEBSOCKET_OK; NWS_NOT_FOUND if this request is not waited for, or no more; NWS_INVALID_ARGUMENT for a protocol that
 *     was not offered, or a header that is none or is the upgrade's own; WEBSOCKET_HEADER_EXCEEDED;
 *     WEBSOCKET_NO_HEADER_CONTEXT.
 */
int32_t NWS_ServerAccept(struct NWS_Server *server, uint64_t request, const char *protocol,
                         const struct WebSocket_Header *headers);

/**
 * @brief Refuses a client, inside NWS_ServerCallbacks::onRequest or later.
 * @param server The server.
 * @param request NWS_ServerRequest::request.
 * @param status The HTTP status, 300 to 599.
 * @param headers Headers of the answer; NULL for none.
 * @param body Its body, plain text; NULL for none.
 * @return As NWS_ServerAccept(); NWS_INVALID_ARGUMENT for another status.
 */
int32_t NWS_ServerRefuse(struct NWS_Server *server, uint64_t request, uint32_t status,
                         const struct WebSocket_Header *headers, const char *body);

/**
 * @brief Queues a text message for one client.
 * @param server The server.
 * @param connection The connection.
 * @param text UTF-8, as for NWS_SendText().
 * @param length Bytes in it.
 * @return As NWS_SendText(); NWS_NOT_FOUND if there is no such connection, or none any more; WEBSOCKET_NO_CONNECTION if it is
 *     closing, or the server is not started.
 */
int32_t NWS_ServerSendText(struct NWS_Server *server, uint64_t connection, const char *text, size_t length);

/**
 * @brief Queues a binary message for one client.
 * @param server The server.
 * @param connection The connection.
 * @param data The bytes. May be NULL if length is 0.
 * @param length Bytes in it.
 * @return As NWS_ServerSendText(), but NWS_INVALID_UTF8.
 */
int32_t NWS_ServerSendBinary(struct NWS_Server *server, uint64_t connection, const void *data, size_t length);

/**
 * @brief Queues a message for many clients, framed and copied once. It goes out uncompressed.
 * @param server The server.
 * @param type NWS_TEXT or NWS_BINARY.
 * @param data The message. May be NULL if length is 0.
 * @param length Bytes in it.
 * @param connections Those that are to have it; unknown ones are left out. NULL for all.
 * @param count Entries of `connections`.
 * @param taken Where to put how many connections have taken it: one that is closing, or whose queue has no room, has not. NULL
 *     if nobody wants to know.
 * @return WEBSOCKET_OK; WEBSOCKET_NO_CONNECTION if the server is not started; NWS_INVALID_ARGUMENT if the type is none;
 *     WEBSOCKET_SEND_DATA_NULL; NWS_INVALID_UTF8.
 */
int32_t NWS_ServerBroadcast(struct NWS_Server *server, int32_t type, const void *data, size_t length,
                            const uint64_t *connections, size_t count, size_t *taken);

/**
 * @brief Begins the closing handshake with one client, behind what is queued. NWS_ServerCallbacks::onClose tells of its end.
 * @param server The server.
 * @param connection The connection.
 * @param code As WebSocket_CloseOption::code; 0 for 1000.
 * @param reason UTF-8, of which at most 123 bytes are sent; NULL for none.
 * @return WEBSOCKET_OK; NWS_NOT_FOUND if there is no such connection, or none any more; WEBSOCKET_NO_CONNECTION if it is
 *     closing already, or the server is not started.
 */
int32_t NWS_ServerClose(struct NWS_Server *server, uint64_t connection, uint32_t code, const char *reason);

/**
 * @brief Where a client is, or where the server itself listens.
 * @param server The server.
 * @param connection The connection; 0 for the server itself.
 * @param buffer Where to put the IP address, as for NWS_GetProtocol().
 * @param length As for NWS_GetProtocol(). May be NULL, beside a NULL buffer, when the port alone is wanted.
 * @param port Where to put the port; NULL if nobody wants to know.
 * @return As NWS_GetProtocol(); NWS_NOT_FOUND if there is no such connection, or none any more; WEBSOCKET_NO_CONNECTION if
 *     the server is not started.
 */
int32_t NWS_ServerGetAddress(const struct NWS_Server *server, uint64_t connection, char *buffer, size_t *length,
                             uint16_t *port);

/**
 * @brief The connections that are not over, oldest first.
 * @param server The server.
 * @param connections Where to put their numbers. NULL only asks how many there are.
 * @param count Numbers that there is room for; then how many connections there are.
 * @return WEBSOCKET_OK; NWS_BUFFER_TOO_SMALL; NWS_INVALID_ARGUMENT if count is NULL; WEBSOCKET_NO_CONNECTION if the server is
 *     not started.
 */
int32_t NWS_ServerGetConnections(const struct NWS_Server *server, uint64_t *connections, size_t *count);

/**
 * @brief Bytes of one connection that were accepted and that the kernel has not taken yet, frame headers included.
 * @param server The server.
 * @param connection The connection.
 * @param bytes Where to put the number.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT if bytes is NULL; NWS_NOT_FOUND and WEBSOCKET_NO_CONNECTION as
 *     NWS_ServerGetAddress().
 */
int32_t NWS_ServerGetBufferedAmount(const struct NWS_Server *server, uint64_t connection, uint64_t *bytes);

/**
 * @brief What the server has counted since it was started.
 * @param server The server.
 * @param statistics Its size must be set; as much as fits is filled in.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT if statistics is NULL or the size is that of no version; WEBSOCKET_NO_CONNECTION if
 *     the server is not started.
 */
int32_t NWS_ServerGetStatistics(const struct NWS_Server *server, struct NWS_ServerStatistics *statistics);

/**
 * @brief What one connection has counted so far.
 * @param server The server.
 * @param connection The connection.
 * @param statistics As for NWS_GetStatistics(). What is a client's alone, such as the time of a lookup, is -1.
 * @return As NWS_GetStatistics(); NWS_NOT_FOUND and WEBSOCKET_NO_CONNECTION as NWS_ServerGetAddress().
 */
int32_t NWS_ServerGetConnectionStatistics(const struct NWS_Server *server, uint64_t connection,
                                          struct NWS_Statistics *statistics);

#ifdef __cplusplus
}
#endif

#endif /* NET_WEBSOCKET_EXT_H */
