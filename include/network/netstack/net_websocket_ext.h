/*
 * SPDX-License-Identifier: Apache-2.0
 */

/**
 * @file net_websocket_ext.h
 * @brief Functions that extend the clients of the platform's net_websocket.h.
 *
 * Every client of OH_WebSocketClient_Constructor() works with these functions. A program that includes only
 * net_websocket.h does not need them.
 *
 * These rules apply to every function:
 *
 * - It may be called on any thread and inside any callback, and does not wait for the network.
 * - It copies its arguments, unless it says otherwise.
 * - For a NULL client it returns WEBSOCKET_CLIENT_NULL. For an unknown or destroyed client it returns
 *   WEBSOCKET_CLIENT_NOT_CREATED, and does not read the memory behind the pointer. The descriptions below do not repeat
 *   these two codes.
 * - An error means that nothing has changed. NWS_LastErrorMessage() then names the argument or field, and the cause.
 *
 * The functions whose names begin with NWS_Server are about servers. The same rules apply to them: a NULL server gives
 * WEBSOCKET_CLIENT_NULL, and an unknown or destroyed server WEBSOCKET_CLIENT_NOT_CREATED.
 *
 * Structs begin with their own size, so that later versions can add fields. NWS_InitOptions(),
 * NWS_InitReconnectOptions(), NWS_InitCallbacks(), NWS_InitServerOptions() and NWS_InitServerCallbacks() set it. A
 * program that sets the size by hand, to `sizeof` the struct, must clear the struct first, including its padding. A newer
 * library uses its defaults for the fields that the program lacks. An older library refuses a field that it does not
 * know, unless that field is 0.
 *
 * Sizes in bytes, for 64 bits (arm64-v8a, x86_64) and 32 bits (armeabi-v7a):
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
 * | NWS_ServerOptions         | 152     | 120     |
 * | NWS_ServerCallbacks       | 72      | 36      |
 * | NWS_ServerRequest         | 64      | 40      |
 * | NWS_ServerConnection      | 48      | 24      |
 * | NWS_ServerStatistics      | 80      | 80      |
 * | WebSocket                 | 40      | 20      |
 * | WebSocket_Header          | 24      | 12      |
 * | WebSocket_RequestOptions  | 8       | 4       |
 *
 * Limits in bytes are 64-bit numbers everywhere. On 32 bits a limit above the address space means that only memory
 * limits the size. A message that is received in pieces may be longer.
 *
 * A child of fork() lacks the library's threads. If the parent has created a client or a server, the child's calls return
 * WEBSOCKET_CLIENT_NOT_CREATED at once, and OH_WebSocketClient_Constructor() and NWS_ServerCreate() return NULL. After
 * exec() the library works as in a new process.
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
 * @brief Error codes in addition to those of WebSocket_ErrCode.
 */
typedef enum NWS_ErrCode {
    /** From OH_WebSocketClient_Connect(): the app lacks ohos.permission.INTERNET. The number is the platform's. */
    NWS_NO_PERMISSION = 1020,
    /** An argument, or a field of a struct, is NULL or out of range. */
    NWS_INVALID_ARGUMENT = 2001,
    /** A message that is sent in pieces has not ended yet. */
    NWS_MESSAGE_UNFINISHED = 2002,
    /** The text is not UTF-8. */
    NWS_INVALID_UTF8 = 2003,
    /** The buffer is too small; its length argument now has the number of bytes that are needed. */
    NWS_BUFFER_TOO_SMALL = 2004,
    /** The value does not exist: the server sent no such header or chose none, or the client never connected. */
    NWS_NOT_FOUND = 2005,
    /** From NWS_ServerStart(): the system refuses to listen at that address and port, or at that path. */
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
    /** Messages can be sent and received. */
    NWS_OPEN = 2,
    /** One side has started to close. */
    NWS_CLOSING = 3,
    /** The last connection or attempt has ended. */
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
 * @brief A public key that the server's certificate chain must contain; an entry of NWS_Options::certificatePinning.
 */
typedef struct NWS_CertificatePinning {
    /**
     * The SHA-256 digest of its SubjectPublicKeyInfo in base64, as in RFC 7469. It may begin with curl's "sha256//".
     */
    const char *publicKeyHash;
    /** When the entry expires, in milliseconds since 1970; 0 for never. */
    int64_t expiresMs;
    /** The next entry; NULL after the last. */
    const struct NWS_CertificatePinning *next;
} NWS_CertificatePinning;

/**
 * @brief Why an attempt failed or a connection ended.
 */
typedef enum NWS_Cause {
    /** The host's name has no address, or its lookup failed. */
    NWS_CAUSE_LOOKUP = 1,
    /** No connection to the host: refused, unreachable, or broken off before it was open. */
    NWS_CAUSE_CONNECT = 2,
    /** The attempt took longer than NWS_Options::connectTimeoutMs, or one phase took longer than its own limit. */
    NWS_CAUSE_TIMEOUT = 3,
    /** The TLS handshake failed for a reason other than a certificate. */
    NWS_CAUSE_TLS = 4,
    /** One side refused a certificate, or a certificate file cannot be used. */
    NWS_CAUSE_CERTIFICATE = 5,
    /** The server, or a proxy, answered the upgrade with HTTP 400 to 499. */
    NWS_CAUSE_HTTP_4XX = 6,
    /** The server, or a proxy, answered the upgrade with HTTP 500 to 599. */
    NWS_CAUSE_HTTP_5XX = 7,
    /** The server, or a proxy, answered with neither an upgrade nor one of the statuses above. */
    NWS_CAUSE_UPGRADE = 8,
    /**
     * An open connection broke, or no data came from the peer in time. A close with 1000, or without a code, also has
     * this cause after an absence: the process or the device stood still for 10 s or more, and the server has answered
     * no ping since.
     */
    NWS_CAUSE_LOST = 9,
    /** The peer violated RFC 6455. An invalid close frame has the cause of its code instead, if the code has one. */
    NWS_CAUSE_PROTOCOL = 10,
    /** The peer closed with 1001, 1011, 1012 or 1013: it is shutting down or overloaded. */
    NWS_CAUSE_RESTART = 11,
    /** The peer closed with another code. */
    NWS_CAUSE_CLOSED = 12,
    /** The application closed the connection or cancelled the attempt. */
    NWS_CAUSE_APPLICATION = 13,
    /** The application did not prepare the attempt, or not in time. */
    NWS_CAUSE_PREPARE = 14,
    /**
     * The URL or headers from onPrepare, or the system's proxy setting, are invalid; the URL has no scheme; or
     * NWS_Options::networkSecurityConfig is strict, and network_config.json forbids the attempt or cannot be read.
     */
    NWS_CAUSE_OPTIONS = 15,
    /** A defect of this library. */
    NWS_CAUSE_INTERNAL = 16,
    /** The server ended the connection properly, without an answer to the upgrade. */
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
 * @brief The return value of NWS_Callbacks::onPrepare, and an argument of NWS_PrepareAttempt().
 */
typedef enum NWS_Decision {
    /** The attempt begins. */
    NWS_PREPARE_PROCEED = 0,
    /** The attempt waits until NWS_PrepareAttempt() is called, on any thread. Only the callback may return this. */
    NWS_PREPARE_WAIT = 1,
    /** The client stops trying; onError reports the last failure. */
    NWS_PREPARE_STOP = 2,
    /** This attempt fails; a later one may succeed. Any other number counts as this one. */
    NWS_PREPARE_FAIL = 3
} NWS_Decision;

/**
 * @brief How to reach servers.
 */
typedef enum NWS_ProxyType {
    /**
     * By the default proxy of OpenHarmony's network settings, if one is set. Other systems use environment variables by
     * curl's rules: ws_proxy or http_proxy for ws, wss_proxy or https_proxy for wss, all_proxy and no_proxy.
     */
    NWS_PROXY_SYSTEM = 0,
    /** Directly. */
    NWS_PROXY_NONE = 1,
    /**
     * By an HTTP proxy. CONNECT makes the tunnel for both ws and wss. The proxy may ask for Basic or Digest
     * authentication (RFC 7617, RFC 7616). If it refuses with 401, 403 or 407, or hangs up, and names no scheme, the
     * library asks again with Basic.
     */
    NWS_PROXY_HTTP = 2,
    /** By a SOCKS5 proxy (RFC 1928), with or without a user name and password (RFC 1929). */
    NWS_PROXY_SOCKS5 = 3
} NWS_ProxyType;

/**
 * @brief Which authorities are trusted that users of the device have installed. Those of the system's store stay
 * trusted.
 */
typedef enum NWS_UserAuthorities {
    /**
     * Trusts those of the current user, unless the app's network_config.json has "trust-current-user-ca": false. Does
     * not trust those for all users.
     */
    NWS_USER_AUTHORITIES_BY_CONFIG = 0,
    /** Trusts those of the current user and those for all users. */
    NWS_USER_AUTHORITIES_TRUSTED = 1,
    /** Trusts neither. */
    NWS_USER_AUTHORITIES_NOT_TRUSTED = 2
} NWS_UserAuthorities;

/**
 * @brief Which parts of the app's network_config.json apply.
 */
typedef enum NWS_NetworkSecurityConfig {
    /** Only "trust-current-user-ca", as in the platform's WebSocket. */
    NWS_NETWORK_SECURITY_CONFIG_PLATFORM = 0,
    /**
     * Also pins, trust anchors and the ban on cleartext, as in the platform's http module. The library asks the
     * system's libnet_ssl.so: from API 12 on, for the ban from API 18 on. If the system cannot answer, the attempt
     * fails before it connects.
     */
    NWS_NETWORK_SECURITY_CONFIG_STRICT = 1
} NWS_NetworkSecurityConfig;

/**
 * @brief Options of a client's later connections. Fill it with NWS_InitOptions(), then change fields.
 */
typedef struct NWS_Options {
    /** sizeof(struct NWS_Options). */
    size_t size;
    /** Limit for the whole attempt, from the name lookup to the upgrade; 1 or more. Default 15000. */
    uint32_t connectTimeoutMs;
    /** How long to wait for the peer's close frame before the connection is dropped; 1 or more. Default 5000. */
    uint32_t closeTimeoutMs;
    /**
     * Time between the library's own pings; 0 sends none. If it is 2000 or more, all clients ping in the same second,
     * so that many idle clients wake the processor together. The first ping may come earlier. Default 25000, because
     * many servers and gateways end a connection after 30 idle seconds.
     */
    uint32_t pingIntervalMs;
    /**
     * The connection is lost if no data arrives within this time after a ping; 0 for no limit. While data that was sent
     * before the ping still makes progress, the time starts again. If it is 2000 or more, it may end up to 1000 later,
     * on a common second. Default 30000.
     */
    uint32_t pongTimeoutMs;
    /** The largest message to receive, in bytes. A larger one ends the connection with 1009. Default 67108864. */
    uint64_t maxMessageSize;
    /** The most bytes that may wait to be sent, frame headers included. Default 67108864. */
    uint64_t sendQueueLimit;
    /**
     * The library calls NWS_Callbacks::onDrain when a longer queue has shrunk to this number of bytes. Not above
     * sendQueueLimit. Default 16777216, or a quarter of a smaller sendQueueLimit.
     */
    uint64_t sendLowWater;
    /** Sub-protocols, comma-separated, preferred first (RFC 6455, section 1.9); NULL for none. Default NULL. */
    const char *protocols;
    /**
     * Headers, after those of OH_WebSocketClient_AddHeader() and before those of Connect; NULL for none. Default NULL.
     */
    const struct WebSocket_Header *headers;
    /**
     * The authorities to trust instead of the system's: a PEM or DER file, or a folder of such files. NULL for the
     * system's. The client reads this file and the other files when it connects. An unusable file causes an error with
     * the phase NWS_PHASE_TLS, whose text contains no data of the file. Revocation is not checked, neither by OCSP nor
     * by lists. Default NULL.
     */
    const char *caPath;
    /**
     * File with the client's certificate, PEM or DER, for servers that ask for one. The certificates of its issuers may
     * follow. NULL for none. Default NULL.
     */
    const char *clientCertPath;
    /** File with its key, PEM or DER (PKCS#8, SEC1 or PKCS#1); NULL if clientCertPath is. Default NULL. */
    const char *clientKeyPath;
    /**
     * 1 accepts any certificate for any host. Anyone on the network path can then read and change everything, unless
     * certificatePinning has the server's own key. Default 0.
     */
    uint8_t skipServerCertVerification;
    /** 1 offers permessage-deflate (RFC 7692). Default 1. */
    uint8_t perMessageDeflate;
    /** 1 compresses each sent message by itself. Default 0. */
    uint8_t clientNoContextTakeover;
    /** 1 asks the server to compress each message by itself. Default 0. */
    uint8_t serverNoContextTakeover;
    /** The window for compressing sent messages, 9 to 15 bits. Default 15. */
    uint8_t clientMaxWindowBits;
    /** The largest window that the server may compress with, 9 to 15 bits. Default 15. */
    uint8_t serverMaxWindowBits;
    /** 1 reports long and fragmented messages in pieces. Default 0. See NWS_Message. */
    uint8_t receivePieces;
    /** 1 uses TLS 1.3 only, 0 uses 1.2 and 1.3. Default 0. */
    uint8_t tls13Only;
    /**
     * Messages shorter than this are sent uncompressed, in bytes. Default 64. A message that compression does not make
     * shorter is sent uncompressed too. 0 compresses every message.
     */
    uint32_t deflateThreshold;
    /** Password of an encrypted key (PBES2 with PBKDF2, or OpenSSL's older form) in clientKeyPath. Default NULL. */
    const char *clientKeyPassword;
    /**
     * Protocols to offer by ALPN (RFC 7301), comma-separated, preferred first. NULL for http/1.1; "" switches ALPN off.
     * h2 and h3 are errors, because the upgrade needs HTTP/1.1. Default NULL.
     */
    const char *alpnProtocols;
    /** The host name or address to send (SNI) and to verify; NULL for the URL's host. Default NULL. */
    const char *tlsServerName;
    /**
     * Public keys. The verified chain, from the server's certificate to the authority, must contain one of them. NULL
     * for none. Expired entries do not count; if all have expired, the verified chain is enough. With
     * skipServerCertVerification, the server's own key must be one of the entries that have not expired. Default NULL.
     */
    const struct NWS_CertificatePinning *certificatePinning;
    /** 1 trusts the authorities of caPath and those of the system. Default 0. */
    uint8_t caPathAddsToSystem;
    /**
     * Name or address of the proxy; NULL unless proxyType is HTTP or SOCKS5. The proxy looks up the names of servers.
     * As in the platform's settings, it may be "[scheme://][user[:password]@]host[:port][/]", without percent-encoding.
     * proxyUsername and proxyPassword override the user name and password in it. Its port overrides proxyPort. Default
     * NULL.
     */
    const char *proxyHost;
    /**
     * Destinations that are reached without the proxy, comma-separated: names and addresses with wildcards
     * ("*.example.org", "192.168.*"), domains with their subdomains (".example.org"), networks ("10.0.0.0/8",
     * "fe80::/10"). Each may end with ":port". NULL for none. Default NULL.
     */
    const char *proxyExclusions;
    /**
     * User name for the proxy; NULL for none. Sent only to the proxy, if it asks for it. Never logged. Default NULL.
     */
    const char *proxyUsername;
    /** Password for the proxy; NULL means "". Default NULL. */
    const char *proxyPassword;
    /** Port of the proxy, 1 to 65535. Default 0, which means none. */
    uint16_t proxyPort;
    /** One of NWS_ProxyType. Default NWS_PROXY_SYSTEM. */
    uint8_t proxyType;
    /** Time between calls of NWS_Callbacks::onStatistics while the connection is open; 0 for none. Default 0. */
    uint32_t statisticsIntervalMs;
    /**
     * The most messages that may wait to be sent; 0 for no limit other than sendQueueLimit. onDrain also waits until
     * the queue has shrunk to a quarter of this number. Default 0.
     */
    uint64_t sendQueueMessages;
    /**
     * The number of a HiTrace chain, or 0 for none. Log lines show it in hexadecimal after the client's number, as in
     * "[c7 a92ab1d3f2e]". hilog shows it in the same form. Default 0.
     */
    uint64_t traceId;
    /**
     * How many redirects to follow, 0 to 5. A redirect from wss to ws is not followed. The headers Authorization,
     * Cookie and Host, the client's certificate and tlsServerName are not used for another origin. Default 4, as in the
     * platform's library.
     */
    uint8_t maxRedirects;
    /**
     * The header Origin has the scheme and the host. 1 adds the port, if it is not the default port of the scheme. An
     * Origin in headers replaces it, and an empty one removes it. Default 0.
     */
    uint8_t supportOriginPort;
    /**
     * Names (fieldName) with their IP addresses, comma-separated (fieldValue). The library does not look these names
     * up. NULL for none. Default NULL.
     */
    const struct WebSocket_Header *hosts;
    /**
     * For Basic authentication, instead of the URL's user name. A header Authorization overrides both. Default NULL.
     */
    const char *username;
    /** Password for username; NULL means "". Default NULL. */
    const char *password;
    /** Limit for the name lookup. For this limit and the next four, 0 means only connectTimeoutMs. Default 0. */
    uint32_t lookupTimeoutMs;
    /** Limit until one of the addresses has answered. Default 0. */
    uint32_t tcpTimeoutMs;
    /** Limit for the tunnel through a proxy. Default 0. */
    uint32_t proxyTimeoutMs;
    /** Limit for the TLS handshake. Default 0. */
    uint32_t tlsTimeoutMs;
    /** Limit for the upgrade. Default 0. */
    uint32_t upgradeTimeoutMs;
    /** One of NWS_UserAuthorities. No effect if caPath replaces the system's store. Default 0. */
    uint8_t trustUserAuthorities;
    /** One of NWS_NetworkSecurityConfig. Default NWS_NETWORK_SECURITY_CONFIG_PLATFORM. */
    uint8_t networkSecurityConfig;
    /**
     * 1 sends a message, or a piece of one, of more than 1 MiB in fragments of 256 KiB (RFC 6455 5.4). Pongs, pings and
     * the close frame can go between them. 0 sends one frame, for servers that refuse fragments. It applies to messages
     * that are queued after NWS_SetOptions(). Default 1.
     */
    uint8_t fragmentMessages;
} NWS_Options;

/**
 * @brief When a client connects again by itself. Fill it with NWS_InitReconnectOptions(), then change fields.
 *
 * The client tries again after a failure whose cause is in `causes`, unless the application has closed the client. The
 * wait before an attempt is a random part of a delay ("full jitter"). The delay doubles after each attempt. So the
 * clients of a restarted server do not all connect at the same time. A series of attempts ends when a connection has
 * been open for 5 seconds.
 *
 * Some failures count as another cause. The reported cause does not change.
 *
 * - The HTTP statuses 408, 425 and 429 are temporary: they also count as NWS_CAUSE_HTTP_5XX.
 * - 501 and 505 are permanent: they count as NWS_CAUSE_HTTP_4XX, and not as NWS_CAUSE_HTTP_5XX.
 * - After the client was open once, an answer of 200 to 399, or a refused server certificate, may come from a network's
 *   login page. A missing answer may come from a gateway before the server. These count as NWS_CAUSE_CONNECT too. The
 *   client never trusts such a certificate.
 *
 * A Retry-After header, in seconds or as a date, sets the minimum delay, up to one hour and within maxTimeMs. The
 * random delay is added to it. A change of the network does not shorten that minimum. NWS_RetryNow() does.
 *
 * While the client tries again, it calls NWS_Callbacks::onReconnecting and onPrepare instead of onError and onClose.
 * When the connection is open, it calls onHeaders and onOpen, then onReconnected if the client was open before. When it
 * stops trying, it calls onError, then onClose if it was ever open.
 *
 * During retries the state is NWS_CONNECTING, and messages may be sent; they wait for the connection.
 * OH_WebSocketClient_Close() stops the retries at once. If the client was ever open, onClose follows with the code of
 * that call. If not, the client ends like a cancelled first attempt. OH_WebSocketClient_Destroy() stops them without
 * events.
 *
 * If the kernel has accepted a part of a message, the library never resends that message, because the server may have
 * it. NWS_SentCallback then reports WEBSOCKET_NO_CONNECTION.
 */
typedef struct NWS_ReconnectOptions {
    /** sizeof(struct NWS_ReconnectOptions). */
    size_t size;
    /** Upper limit of the first random delay; 1 or more. Default 1000. */
    uint32_t delayMs;
    /** Upper limit of every random delay; 1 or more. Default 30000. */
    uint32_t maxDelayMs;
    /** The most attempts in a series; 0 for no limit. Default 0. */
    uint32_t maxAttempts;
    /** The longest time of a series, without the time while the process is stopped; 0 for no limit. Default 0. */
    uint32_t maxTimeMs;
    /**
     * The causes after which the client tries again: the NWS_CAUSE_BIT() of each, combined with |. Not
     * NWS_CAUSE_APPLICATION. Default NWS_CAUSES_TRANSIENT.
     */
    uint32_t causes;
    /** How long NWS_PrepareAttempt() may take after NWS_PREPARE_WAIT; 1 or more. Default 15000. */
    uint32_t prepareTimeoutMs;
    /**
     * 1 starts the first attempt of a series without a delay. All clients of a server then connect together. Default 0.
     */
    uint8_t atOnce;
    /** 1 drops the queued messages when a connection is lost; 0 keeps them for the next connection. Default 0. */
    uint8_t dropQueue;
    /**
     * 1 ignores changes of the network. With 0, the server must answer a ping within 3 s after a change. The client
     * makes no attempt while no route to the server exists. A server on this device (localhost or a loopback address)
     * is always reachable. On OpenHarmony this needs ohos.permission.GET_NETWORK_INFO. Default 0.
     */
    uint8_t ignoreNetwork;
} NWS_ReconnectOptions;

/**
 * @brief A name and a value of the server's answer.
 */
typedef struct NWS_Header {
    /** In lower case. */
    const char *name;
    /** As the server sent it; bytes that are not UTF-8 are replaced. */
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
 * With NWS_Options::receivePieces, a message that does not fit the read buffer (about 128 KiB) comes in several calls.
 * So a message of any length needs little memory. A piece of text may end inside a character. The complete text is
 * UTF-8; the library never reports a piece that cannot be part of valid UTF-8.
 */
typedef struct NWS_Message {
    /** Bytes of this struct that the library knows. */
    size_t size;
    /** The bytes, followed by a NUL. They belong to the library. The callback may change them. */
    char *data;
    /** Number of bytes, without that NUL. */
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
    /** The payload of the ping. It is empty for the pings of NWS_Options::pingIntervalMs. */
    const char *data;
    /** Bytes in it, at most 125. */
    size_t length;
    /** Microseconds since the ping; -1 for a pong that does not answer a ping of this client. */
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
    /** The HTTP status if the server refused the upgrade; else 0. */
    uint32_t httpStatus;
    /** A sentence for a log, as WebSocket_ErrorResult::errorMessage. */
    const char *message;
    /** Number of accepted messages that were dropped, or that may not have reached the server. */
    uint64_t unsentMessages;
    /** One of NWS_Cause. */
    int32_t cause;
    /** Microseconds that the connection was open, or that the attempt took. */
    int64_t elapsedUs;
    /** Microseconds since the last byte from the server or from a proxy before it; -1 if none came. */
    int64_t lastActivityUs;
    /** The headers, in order, if the server refused the upgrade; else headerCount is 0. */
    const struct NWS_Header *headers;
    /** Entries of `headers`. */
    size_t headerCount;
    /** The first 4096 bytes of the answer's body, as far as they came in time, followed by a NUL. */
    const char *body;
    /** Number of bytes, without that NUL. */
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
    /** Time until the attempt begins. NWS_RetryNow() or a change of the network may start it earlier. */
    uint32_t delayMs;
    /** One of NWS_Cause. */
    int32_t cause;
    /** The close code if the peer closed; else 0. */
    uint32_t closeCode;
    /** The HTTP status if the server refused the upgrade; else 0. */
    uint32_t httpStatus;
    /** A sentence for a log. */
    const char *message;
    /** Number of accepted messages that were dropped: the kernel had a part of them, or dropQueue is set. */
    uint64_t unsentMessages;
} NWS_Reconnecting;

/**
 * @brief A connection that replaces a lost one. Valid during the callback.
 */
typedef struct NWS_Reconnected {
    /** Bytes of this struct that the library knows. */
    size_t size;
    /** Number of attempts. */
    uint32_t attempts;
    /** Milliseconds since the previous connection was lost. */
    uint64_t downtimeMs;
} NWS_Reconnected;

/**
 * @brief The header of a frame (RFC 6455, section 5.2). Valid during the callback.
 */
typedef struct NWS_Frame {
    /** Bytes of this struct that the library knows. */
    size_t size;
    /** Bytes of the payload. The payload itself is not reported. */
    uint64_t length;
    /** 1 if the client has sent the frame, 0 if the server has. */
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
 * @brief Counters of a client over all its connections, and the times of the last connection.
 *
 * Bytes count whole frames on the wire, without TLS.
 */
typedef struct NWS_Statistics {
    /** sizeof(struct NWS_Statistics), set by the caller. */
    size_t size;
    /** Attempts begun. */
    uint64_t attempts;
    /** Connections that were open. */
    uint64_t connections;
    /** Messages that the kernel has accepted. */
    uint64_t messagesSent;
    /** Bytes that the kernel has accepted. */
    uint64_t bytesSent;
    /** Complete messages received. */
    uint64_t messagesReceived;
    /** Bytes received. */
    uint64_t bytesReceived;
    /** Bytes of compressed messages before compression. */
    uint64_t deflateInputBytes;
    /** Bytes of compressed messages after compression. */
    uint64_t deflateOutputBytes;
    /** Pings sent, the library's own and those of NWS_Ping(). */
    uint64_t pingsSent;
    /** Pongs that answered one of these pings. */
    uint64_t pongsReceived;
    /** Pings received. The library answers each. */
    uint64_t pingsReceived;
    /** Bytes that wait to be sent. */
    uint64_t bufferedBytes;
    /** The last round trip of a ping; -1 before the first. */
    int64_t roundTripUs;
    /** The smoothed round trip (RFC 6298, section 2); -1 before the first. */
    int64_t smoothedRoundTripUs;
    /** The shortest round trip; -1 before the first. */
    int64_t minimumRoundTripUs;
    /** Time of the last connection's name lookup; -1 without a connection. */
    int64_t lookupUs;
    /** Time of the last connection's TCP connect; -1 without a connection. */
    int64_t tcpUs;
    /** Time of the last connection's TLS handshake; 0 without TLS, -1 without a connection. */
    int64_t tlsUs;
    /** Time of the last connection's upgrade; -1 without a connection. */
    int64_t upgradeUs;
    /** Time of the last connection's tunnel through a proxy; 0 without a proxy, -1 without a connection. */
    int64_t proxyUs;
    /** Pings without an answer so far. A pong also answers all pings before its own. */
    uint64_t pingsUnanswered;
    /** Messages that wait to be sent. */
    uint64_t bufferedMessages;
} NWS_Statistics;

/**
 * @brief Callbacks with a pointer of the application. Fill it with NWS_InitCallbacks(), then set the ones you need.
 *
 * The rules of the callbacks in net_websocket_type.h apply. Callbacks of one client run one at a time. None starts
 * after OH_WebSocketClient_Destroy() returns. Every function may be called inside them. A callback that is set here
 * replaces the constructor's callback for the same event.
 */
typedef struct NWS_Callbacks {
    /** sizeof(struct NWS_Callbacks). */
    size_t size;
    /** Passed to each callback. NWS_GetUserData() returns it too. Default NULL. */
    void *userData;
    /** The server has answered the upgrade; onOpen follows. */
    void (*onHeaders)(struct WebSocket *client, void *userData, const struct NWS_Response *response);
    /** The connection is open. */
    void (*onOpen)(struct WebSocket *client, void *userData, const struct NWS_Response *response);
    /** A message arrived, or a piece of one. */
    void (*onMessage)(struct WebSocket *client, void *userData, const struct NWS_Message *message);
    /** A pong arrived. */
    void (*onPong)(struct WebSocket *client, void *userData, const struct NWS_Pong *pong);
    /**
     * The send queue has room again. It was longer than NWS_Options::sendLowWater or a quarter of sendQueueMessages, or
     * it had refused a message. Now it has shrunk to both limits.
     */
    void (*onDrain)(struct WebSocket *client, void *userData);
    /** The attempt or the connection failed. */
    void (*onError)(struct WebSocket *client, void *userData, const struct NWS_Failure *failure);
    /** The open connection has ended. */
    void (*onClose)(struct WebSocket *client, void *userData, const struct NWS_Close *close);
    /** The attempt or the connection failed, and another attempt will follow; see NWS_ReconnectOptions. */
    void (*onReconnecting)(struct WebSocket *client, void *userData, const struct NWS_Reconnecting *reconnecting);
    /**
     * The next attempt is about to begin. Returns one of NWS_Decision. To change the handshake, for example to send a
     * fresh token, call NWS_PrepareAttempt() before returning NWS_PREPARE_PROCEED, or after returning NWS_PREPARE_WAIT.
     */
    int32_t (*onPrepare)(struct WebSocket *client, void *userData, const struct NWS_Reconnecting *reconnecting);
    /** The new connection replaces a lost one. */
    void (*onReconnected)(struct WebSocket *client, void *userData, const struct NWS_Reconnected *reconnected);
    /** Statistics, at the interval of NWS_Options::statisticsIntervalMs. */
    void (*onStatistics)(struct WebSocket *client, void *userData, const struct NWS_Statistics *statistics);
    /**
     * For debugging: a frame was sent or received. While this is set, every frame is reported, which takes time. The
     * last frame of a message is reported before the message.
     */
    void (*onFrame)(struct WebSocket *client, void *userData, const struct NWS_Frame *frame);
} NWS_Callbacks;

/**
 * @brief Reports whether a message was sent. Called exactly once for each accepted message.
 *
 * It runs like any other callback of the client, after those of earlier messages. If the client is destroyed,
 * OH_WebSocketClient_Destroy() calls it for the messages that still wait, on the caller's thread.
 *
 * @param client The client. After WEBSOCKET_DESTROYED it must not be used.
 * @param context The argument of NWS_SendWithCallback().
 * @param result WEBSOCKET_OK: the kernel has the whole message. WEBSOCKET_NO_CONNECTION: the connection ended before;
 *     the server may or may not have the message. WEBSOCKET_DESTROYED: the client was destroyed before; likewise.
 */
typedef void (*NWS_SentCallback)(struct WebSocket *client, void *context, int32_t result);

/**
 * @brief Returns the memory of NWS_SendOwned(). Called exactly once for each successful call.
 *
 * It runs on any thread. It may run inside a function of this library, or after the client was destroyed. So it should
 * only free the memory.
 *
 * @param data The memory. Its contents have changed.
 * @param context The argument of NWS_SendOwned().
 */
typedef void (*NWS_ReleaseCallback)(void *data, void *context);

/**
 * @brief The version of the library. The platform's library of the same name lacks this function. net_websocket.h
 * refers to it, so a program that was built with that header fails to load with the platform's library.
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
 * @brief The cause of the last failure on the calling thread, of a function of this header or
 * OH_WebSocketClient_Connect().
 * @return A sentence that names the argument or field; "" without a failure. Valid until the next failure on this
 *     thread.
 */
const char *NWS_LastErrorMessage(void);

/**
 * @brief Fills a struct with the default options.
 * @param options The struct.
 * @param size sizeof(struct NWS_Options).
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT if options is NULL or no version has this size.
 */
int32_t NWS_InitOptions(struct NWS_Options *options, size_t size);

/**
 * @brief Fills a struct with NULL callbacks.
 * @param callbacks The struct.
 * @param size sizeof(struct NWS_Callbacks).
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT if callbacks is NULL or no version has this size.
 */
int32_t NWS_InitCallbacks(struct NWS_Callbacks *callbacks, size_t size);

/**
 * @brief Sets the options of the client's later connections. The limits of the send queue apply at once.
 * @param client The client.
 * @param options The options. The function copies them and everything they point to. NULL for the defaults.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT for a field out of range; WEBSOCKET_HEADER_EXCEEDED for more than 8192
 *     headers; WEBSOCKET_NO_HEADER_CONTEXT for a header whose name or value is NULL.
 */
int32_t NWS_SetOptions(struct WebSocket *client, const struct NWS_Options *options);

/**
 * @brief Fills a struct with the default options of reconnecting.
 * @param options The struct.
 * @param size sizeof(struct NWS_ReconnectOptions).
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT if options is NULL or no version has this size.
 */
int32_t NWS_InitReconnectOptions(struct NWS_ReconnectOptions *options, size_t size);

/**
 * @brief Lets the client connect again by itself, from its next OH_WebSocketClient_Connect() on.
 * @param client The client.
 * @param options The options, which the function copies. NULL switches reconnecting off, which is the default.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT for a field out of range.
 */
int32_t NWS_SetReconnect(struct WebSocket *client, const struct NWS_ReconnectOptions *options);

/**
 * @brief Starts the pending attempt, which NWS_Callbacks::onReconnecting has reported, at once.
 * @param client The client.
 * @return WEBSOCKET_OK; WEBSOCKET_NO_CONNECTION if no attempt is pending.
 */
int32_t NWS_RetryNow(struct WebSocket *client);

/**
 * @brief Answers NWS_Callbacks::onPrepare, inside it or later.
 * @param client The client.
 * @param attempt NWS_Reconnecting::attempt.
 * @param decision NWS_PREPARE_PROCEED, NWS_PREPARE_STOP or NWS_PREPARE_FAIL.
 * @param url The URL of this and later attempts; NULL keeps the URL. Used only for NWS_PREPARE_PROCEED. If its origin
 *     is new, earlier headers Authorization, Cookie and Host and earlier credentials are not sent.
 * @param headers Headers of this and later attempts. They replace headers with the same names. NULL for none. Used only
 *     for NWS_PREPARE_PROCEED.
 * @return WEBSOCKET_OK; NWS_NOT_FOUND if this attempt does not wait, or no longer waits; NWS_INVALID_ARGUMENT;
 *     WEBSOCKET_HEADER_EXCEEDED and WEBSOCKET_NO_HEADER_CONTEXT as NWS_SetOptions(). onError reports a URL or header
 *     that Connect would refuse.
 */
int32_t NWS_PrepareAttempt(struct WebSocket *client, uint32_t attempt, int32_t decision, const char *url,
                           const struct WebSocket_Header *headers);

/**
 * @brief Sets the client's callbacks from the next event on. Call it before Connect to receive every event.
 *
 * An old callback may still be running on another thread, with the old user data. This cannot happen if
 * NWS_SetCallbacks() is called inside a callback of the client.
 *
 * @param client The client.
 * @param callbacks The callbacks, which the function copies. NULL restores those of the constructor.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT if no version has this size.
 */
int32_t NWS_SetCallbacks(struct WebSocket *client, const struct NWS_Callbacks *callbacks);

/**
 * @brief Sets the pointer that callbacks receive from the next event on. It replaces NWS_Callbacks::userData. As with
 *     NWS_SetCallbacks(), a callback that is already running may have the old pointer.
 * @param client The client.
 * @param userData Any pointer. The library does not dereference it.
 * @return WEBSOCKET_OK.
 */
int32_t NWS_SetUserData(struct WebSocket *client, void *userData);

/**
 * @brief The pointer that was set. Use it in callbacks of the constructor, which do not receive it.
 * @param client The client.
 * @return The pointer; NULL if none was set, or for an unknown client. While another thread waits in
 *     OH_WebSocketClient_Destroy() for a callback of this client, that callback gets NULL too.
 */
void *NWS_GetUserData(const struct WebSocket *client);

/**
 * @brief Queues a text message.
 * @param client The client. Before the connection is open, messages wait.
 * @param text UTF-8; may contain NUL characters, and need not end with one. May be NULL if length is 0.
 * @param length Bytes in it, up to the limit of the send queue; 0 sends an empty message.
 * @return WEBSOCKET_OK if the message is queued;
 *     WEBSOCKET_NO_CONNECTION if the connection is closing or has ended;
 *     WEBSOCKET_QUEUE_LENGTH_EXCEEDED if NWS_Options::sendQueueLimit or sendQueueMessages would be exceeded (try again
 *     after NWS_Callbacks::onDrain);
 *     WEBSOCKET_DATA_LENGTH_EXCEEDED if the message alone, with the 14 bytes of a frame header, is over sendQueueLimit;
 *     WEBSOCKET_SEND_DATA_NULL; NWS_INVALID_UTF8; NWS_MESSAGE_UNFINISHED between the pieces of NWS_SendPiece().
 */
int32_t NWS_SendText(struct WebSocket *client, const char *text, size_t length);

/**
 * @brief Queues a binary message.
 * @param client The client.
 * @param data The bytes. May be NULL if length is 0.
 * @param length Bytes in it.
 * @return As NWS_SendText(), except NWS_INVALID_UTF8.
 */
int32_t NWS_SendBinary(struct WebSocket *client, const void *data, size_t length);

/**
 * @brief Queues a message and reports later whether it was sent.
 * @param client The client.
 * @param type NWS_TEXT or NWS_BINARY.
 * @param data The message.
 * @param length Bytes in it.
 * @param onSent Called once if this function succeeds; not called if it fails.
 * @param context Passed to onSent.
 * @return As NWS_SendText(); NWS_INVALID_ARGUMENT if onSent is NULL or the type is invalid.
 */
int32_t NWS_SendWithCallback(struct WebSocket *client, int32_t type, const void *data, size_t length,
                             NWS_SentCallback onSent, void *context);

/**
 * @brief Queues a message without copying it.
 *
 * If the call succeeds, the memory belongs to the library until it calls `release`. The library masks the message in
 * place (RFC 6455, section 5.3), so the contents change. The message is sent uncompressed.
 *
 * @param client The client.
 * @param type NWS_TEXT or NWS_BINARY.
 * @param data The message, in writable memory.
 * @param length Bytes in it.
 * @param release Called once if this function succeeds. If it fails, the caller keeps the memory, which is unchanged.
 * @param context Passed to release.
 * @return As NWS_SendText(); NWS_INVALID_ARGUMENT if release is NULL or the type is invalid.
 */
int32_t NWS_SendOwned(struct WebSocket *client, int32_t type, void *data, size_t length, NWS_ReleaseCallback release,
                      void *context);

/**
 * @brief Queues a piece of a message, so that a long message need not be in memory as a whole (RFC 6455, section 5.4).
 *
 * Before the last piece, another message cannot be sent. Pieces are sent uncompressed.
 *
 * @param client The client.
 * @param type NWS_TEXT or NWS_BINARY, the same for all pieces.
 * @param data The piece. May end inside a character.
 * @param length Bytes in it.
 * @param last 1 for the last piece, else 0.
 * @return As NWS_SendText(); NWS_INVALID_ARGUMENT if the type is invalid;
 *     NWS_INVALID_UTF8 if the text up to this piece cannot be valid UTF-8, or if the last piece ends inside a character
 *     (the piece is not sent; send a correct one);
 *     NWS_MESSAGE_UNFINISHED if the type differs from that of the earlier pieces;
 *     WEBSOCKET_NO_CONNECTION, once, if the connection with the earlier pieces was lost and the client connects again:
 *     send the message again from its beginning.
 */
int32_t NWS_SendPiece(struct WebSocket *client, int32_t type, const void *data, size_t length, int32_t last);

/**
 * @brief Sends a ping ahead of the queued messages. NWS_Callbacks::onPong reports the answer and the round trip.
 * @param client The client.
 * @param data The payload, which the pong repeats. May be NULL if length is 0.
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
 * @brief Number of bytes that wait to be sent, frame headers included.
 * @param client The client.
 * @param bytes Receives the number.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT if bytes is NULL.
 */
int32_t NWS_GetBufferedAmount(const struct WebSocket *client, uint64_t *bytes);

/**
 * @brief The sub-protocol the server chose for the last connection.
 * @param client The client.
 * @param buffer Receives the string. With NULL, the function only sets the length.
 * @param length Size of the buffer in bytes. The function sets it to the size of the string with its NUL.
 * @return WEBSOCKET_OK; NWS_NOT_FOUND without a sub-protocol; NWS_BUFFER_TOO_SMALL; NWS_INVALID_ARGUMENT if length is
 *     NULL.
 */
int32_t NWS_GetProtocol(const struct WebSocket *client, char *buffer, size_t *length);

/**
 * @brief The extensions of the last connection, as in the server's answer.
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
 * @param index Selects one of several headers with this name, from 0.
 * @param buffer As for NWS_GetProtocol().
 * @param length As for NWS_GetProtocol().
 * @return As NWS_GetProtocol(); NWS_INVALID_ARGUMENT if name is NULL.
 */
int32_t NWS_GetResponseHeader(const struct WebSocket *client, const char *name, size_t index, char *buffer,
                              size_t *length);

/**
 * @brief The client's statistics so far.
 * @param client The client.
 * @param statistics Receives the fields that its size covers. Set its size first.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT if statistics is NULL or no version has this size.
 */
int32_t NWS_GetStatistics(const struct WebSocket *client, struct NWS_Statistics *statistics);

/**
 * @brief The lowest severity that is written to the log.
 */
typedef enum NWS_LogLevel {
    /** Everything. */
    NWS_LOG_DEBUG = 1,
    /** Also the state changes of connections. */
    NWS_LOG_INFO = 2,
    /** Also failed and lost connections: the default on OpenHarmony. */
    NWS_LOG_WARN = 3,
    /** Defects of this library only. */
    NWS_LOG_ERROR = 4,
    /** Nothing: the default elsewhere. */
    NWS_LOG_OFF = 5
} NWS_LogLevel;

/**
 * @brief Sets the log level of the whole process.
 * @param level One of NWS_LogLevel.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT for another number.
 */
int32_t NWS_SetLogLevel(int32_t level);

/**
 * @brief The client's number in the library's log, as in "[c7]".
 * @param client The client.
 * @return 1 or more; 0 for NULL or an unknown client.
 */
uint64_t NWS_GetId(const struct WebSocket *client);

/* --- servers --- */

/**
 * @brief A server. The pointer is a name only: there is nothing behind it, and no other server ever gets the same one.
 *
 * Each of its connections has a number, from 1 on. Functions and callbacks use this number. It is not used again until
 * the server is started again. Destroying a server ends its connections.
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
 * @brief The options of a server and its connections. Fill it with NWS_InitServerOptions(), then change fields.
 */
typedef struct NWS_ServerOptions {
    /** sizeof(struct NWS_ServerOptions). */
    size_t size;
    /**
     * An IPv4 or IPv6 address of this device; NULL for all IPv4 addresses, "::" for all IPv4 and IPv6 addresses. Default
     * NULL: every host in the same network can connect. With "127.0.0.1" only this device can connect.
     */
    const char *address;
    /**
     * File with the server's certificate, PEM or DER, followed by those of its issuers; NULL for no TLS. NWS_ServerStart()
     * reads it and the other files. Default NULL.
     */
    const char *certPath;
    /** File with its key, PEM or DER (PKCS#8, SEC1 or PKCS#1); NULL if certPath is. Default NULL. */
    const char *keyPath;
    /** The key's password; NULL for none. Default NULL. */
    const char *keyPassword;
    /**
     * File with the authorities of client certificates, PEM or DER. The server then requires a client certificate. NULL to
     * require none. Default NULL.
     */
    const char *clientCaPath;
    /**
     * The supported sub-protocols, comma-separated; NULL for none. The server chooses the client's first offer that is among
     * them. A client that offers none of them is accepted without a sub-protocol. Default NULL.
     */
    const char *protocols;
    /**
     * A path to listen at instead of an address and a port (unix(7)); NULL for none. It has 107 bytes at most. Its
     * folder must exist and be writable, so use one of the app's sandbox. No file may exist at the path.
     * NWS_ServerStop() removes the socket's file. A killed process leaves it. Its clients have no address: their
     * NWS_ServerConnection::address is "", their port 0, and maxConnectionsPerAddress and rateConnections count them
     * together. Default NULL.
     */
    const char *socketPath;
    /** The largest message to receive, in bytes; a larger one ends the connection with 1009. Default 67108864. */
    uint64_t maxMessageSize;
    /** The maximum number of bytes in the send queue of a connection, frame headers included. Default 67108864. */
    uint64_t sendQueueLimit;
    /** As NWS_Options::sendLowWater, for NWS_ServerCallbacks::onDrain. Default 16777216. */
    uint64_t sendLowWater;
    /** The maximum number of messages in the send queue of a connection; 0 for any number. Default 0. */
    uint64_t sendQueueMessages;
    /** How many client addresses may be connected at a time; 0 refuses every client. Default 10. */
    uint32_t maxAddresses;
    /** How many connections one address may have at a time, including those in their handshake. Default 10. */
    uint32_t maxConnectionsPerAddress;
    /**
     * How many clients may be in their handshake at a time; 1 or more. Further clients wait in the kernel. Default 128.
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
     * How often one address may connect within ratePeriodMs, counted from its first connection; 0 for any number. An address
     * that connects more often is refused for rateBanMs. For IPv6, the first 64 bits count as the address. Default 0.
     */
    uint32_t rateConnections;
    /** See rateConnections; must be 1 or more with it. Default 60000. */
    uint32_t ratePeriodMs;
    /** See rateConnections. Default 60000. */
    uint32_t rateBanMs;
    /** Messages shorter than this are sent uncompressed, in bytes. Default as NWS_Options::deflateThreshold. */
    uint32_t deflateThreshold;
    /** The port; 0 for a free port, which NWS_ServerGetAddress() returns. Default 0. */
    uint16_t port;
    /** 1: TLS 1.3 only; needs certPath. Default 0: TLS 1.2 and 1.3. */
    uint8_t tls13Only;
    /**
     * 1: permessage-deflate (RFC 7692) with clients that offer it. Default 0, because it costs memory for each connection.
     */
    uint8_t perMessageDeflate;
    /** 1: clients must compress each message by itself, which saves the memory for decompression. Default 0. */
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
    /** The client's IP address; "" for a client of NWS_ServerOptions::socketPath. */
    const char *address;
    /** The path and the query, as sent by the client. */
    const char *target;
    /** The offered sub-protocols, separated by ", "; "" for none. */
    const char *protocols;
    /** The headers, in order, names in lower case. The client controls their content. */
    const struct NWS_Header *headers;
    /** Entries of `headers`. */
    size_t headerCount;
    /** The client's port; 0 for a client of NWS_ServerOptions::socketPath. */
    uint16_t port;
} NWS_ServerRequest;

/**
 * @brief A connection that has just opened. Valid during the callback.
 */
typedef struct NWS_ServerConnection {
    /** Bytes of this struct that the library knows. */
    size_t size;
    /** The client's IP address; "" for a client of NWS_ServerOptions::socketPath. */
    const char *address;
    /** The path and the query, as sent by the client. */
    const char *target;
    /** The negotiated sub-protocol; "" for none. */
    const char *protocol;
    /** The extensions in use, as in Sec-WebSocket-Extensions; "" for none. */
    const char *extensions;
    /** The client's port; 0 for a client of NWS_ServerOptions::socketPath. */
    uint16_t port;
} NWS_ServerConnection;

/**
 * @brief The callbacks for a server's events; NULL ignores the event.
 *
 * Callbacks run on the library's threads. Those of one connection come one at a time. Their order is onOpen, any
 * onMessage and onDrain, at most one onError, then onClose. Those of different connections, onRequest, and onError for
 * the server itself may run at the same time on several threads. A callback may block: only its own connection waits.
 */
typedef struct NWS_ServerCallbacks {
    /** sizeof(struct NWS_ServerCallbacks). */
    size_t size;
    /** Given to each callback; the library does not follow it. */
    void *userData;
    /**
     * A client has sent a valid upgrade request. Answer it with NWS_ServerAccept() or NWS_ServerRefuse(), inside the callback
     * or later, on any thread. Without an answer it ends after NWS_ServerOptions::handshakeTimeoutMs. Check the header
     * "origin" here, to refuse foreign web pages. NULL: all requests are accepted.
     */
    void (*onRequest)(struct NWS_Server *server, void *userData, const struct NWS_ServerRequest *request);
    /** A connection is open. */
    void (*onOpen)(struct NWS_Server *server, void *userData, uint64_t connection,
                   const struct NWS_ServerConnection *info);
    /** A message or a piece of one was received. */
    void (*onMessage)(struct NWS_Server *server, void *userData, uint64_t connection, const struct NWS_Message *message);
    /** As NWS_Callbacks::onDrain, for the connection. */
    void (*onDrain)(struct NWS_Server *server, void *userData, uint64_t connection);
    /**
     * A connection failed; onClose follows. With connection 0: a limit refused a client (NWS_CAUSE_APPLICATION), or the
     * system cannot accept clients (NWS_CAUSE_CONNECT), for example without descriptors. The second is reported once for each
     * such period. While 16 calls with connection 0 are pending, further ones are only counted.
     */
    void (*onError)(struct NWS_Server *server, void *userData, uint64_t connection, const struct NWS_Failure *failure);
    /** A connection has ended. After this returns, its number is unknown to the functions of the server. */
    void (*onClose)(struct NWS_Server *server, void *userData, uint64_t connection, const struct NWS_Close *close);
    /**
     * After NWS_ServerStop(): the last connection has reported its end. The server may be started again.
     */
    void (*onStop)(struct NWS_Server *server, void *userData);
} NWS_ServerCallbacks;

/**
 * @brief The counts of a server since its start, including ended connections.
 */
typedef struct NWS_ServerStatistics {
    /** sizeof(struct NWS_ServerStatistics). */
    size_t size;
    /** Connections that are open now. */
    uint64_t open;
    /** Accepted connections. */
    uint64_t opened;
    /** Clients refused by a limit. */
    uint64_t keptOut;
    /** Clients whose handshake failed, or was refused. */
    uint64_t notOpened;
    /** Messages passed to the kernel. */
    uint64_t messagesSent;
    /** Bytes of all frames passed to the kernel; before TLS. */
    uint64_t bytesSent;
    /** Messages received whole. */
    uint64_t messagesReceived;
    /** Bytes of all frames received; after TLS. */
    uint64_t bytesReceived;
    /** Bytes queued now. */
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
 * @brief Creates a server, which does not listen yet.
 * @param callbacks Copied. NULL for none.
 * @return The server, which the caller frees with NWS_ServerDestroy(); NULL if the size of the struct is unknown.
 */
struct NWS_Server *NWS_ServerCreate(const struct NWS_ServerCallbacks *callbacks);

/**
 * @brief Listens, and accepts clients from now on. Reads the files of certificates and keys.
 * @param server The server.
 * @param options Copied with all it points to. NULL for the defaults.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT for a field out of range; NWS_CANNOT_LISTEN for a port that is in use or not
 *     allowed for this app, or an address of another device; NWS_CERTIFICATE_UNUSABLE; NWS_NO_PERMISSION;
 *     WEBSOCKET_CONNECTION_ERROR if the server is already started, or the system has no threads or descriptors left.
 */
int32_t NWS_ServerStart(struct NWS_Server *server, const struct NWS_ServerOptions *options);

/**
 * @brief Accepts no more clients, and closes all connections with 1001 after their queued messages. Then it calls
 *     NWS_ServerCallbacks::onStop. The port is free when this returns.
 * @param server The server.
 * @param timeoutMs After this time the remaining connections are dropped; 0 for only NWS_ServerOptions::closeTimeoutMs.
 * @return WEBSOCKET_OK; WEBSOCKET_NO_CONNECTION if the server is not started or already stopped.
 */
int32_t NWS_ServerStop(struct NWS_Server *server, uint32_t timeoutMs);

/**
 * @brief Stops the server and frees it. Its connections are closed with 1001 after their queued messages, without further
 *     events. The port is free when this returns.
 *
 * It waits for callbacks that run on other threads, but not for one from which it is called. No callback begins after it
 * returns.
 *
 * @param server The server.
 * @return WEBSOCKET_OK.
 */
int32_t NWS_ServerDestroy(struct NWS_Server *server);

/**
 * @brief Accepts a client, inside NWS_ServerCallbacks::onRequest or later.
 * @param server The server.
 * @param request NWS_ServerRequest::request.
 * @param protocol One of the client's offered sub-protocols; NULL to let NWS_ServerOptions::protocols choose.
 * @param headers Headers of the answer, in addition to those of the upgrade; NULL for none.
 * @return WEBSOCKET_OK; NWS_NOT_FOUND if this request is not waiting for an answer; NWS_INVALID_ARGUMENT for a protocol that
 *     was not offered, or an invalid header or one that the upgrade sets itself; WEBSOCKET_HEADER_EXCEEDED;
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
 * @param body Its body; NULL for none. It is plain text, unless a header Content-Type says otherwise.
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
 * @return As NWS_SendText(); NWS_NOT_FOUND if the connection does not exist or has ended; WEBSOCKET_NO_CONNECTION if it is
 *     closing, or the server is not started.
 */
int32_t NWS_ServerSendText(struct NWS_Server *server, uint64_t connection, const char *text, size_t length);

/**
 * @brief Queues a binary message for one client.
 * @param server The server.
 * @param connection The connection.
 * @param data The bytes. May be NULL if length is 0.
 * @param length Bytes in it.
 * @return As NWS_ServerSendText(), except NWS_INVALID_UTF8.
 */
int32_t NWS_ServerSendBinary(struct NWS_Server *server, uint64_t connection, const void *data, size_t length);

/**
 * @brief Queues a message for many clients, framed and copied once. It is sent uncompressed.
 * @param server The server.
 * @param type NWS_TEXT or NWS_BINARY.
 * @param data The message. May be NULL if length is 0.
 * @param length Bytes in it.
 * @param connections The receivers; unknown numbers are ignored. NULL for all.
 * @param count Entries of `connections`.
 * @param taken Receives the number of connections that accepted it; a connection that is closing or has a full queue does
 *     not. May be NULL.
 * @return WEBSOCKET_OK; WEBSOCKET_NO_CONNECTION if the server is not started; NWS_INVALID_ARGUMENT for an invalid type;
 *     WEBSOCKET_SEND_DATA_NULL; NWS_INVALID_UTF8.
 */
int32_t NWS_ServerBroadcast(struct NWS_Server *server, int32_t type, const void *data, size_t length,
                            const uint64_t *connections, size_t count, size_t *taken);

/**
 * @brief Starts the closing handshake with one client, after its queued messages. NWS_ServerCallbacks::onClose reports the
 *     end. If the connection is already closing, this changes nothing.
 * @param server The server.
 * @param connection The connection.
 * @param code As WebSocket_CloseOption::code; 0 for 1000.
 * @param reason UTF-8; at most 123 bytes are sent. NULL for none.
 * @return WEBSOCKET_OK; NWS_NOT_FOUND if the connection does not exist or has ended; WEBSOCKET_NO_CONNECTION if the server is
 *     not started.
 */
int32_t NWS_ServerClose(struct NWS_Server *server, uint64_t connection, uint32_t code, const char *reason);

/**
 * @brief The address of a client, or the address on which the server listens.
 * @param server The server.
 * @param connection The connection; 0 for the server itself.
 * @param buffer Receives the IP address, as for NWS_GetProtocol(). For a server on a path this is the path, for its clients "".
 * @param length As for NWS_GetProtocol(). May be NULL together with `buffer`, to get only the port.
 * @param port Receives the port; may be NULL.
 * @return As NWS_GetProtocol(); NWS_NOT_FOUND if the connection does not exist or has ended; WEBSOCKET_NO_CONNECTION if the
 *     server is not started.
 */
int32_t NWS_ServerGetAddress(const struct NWS_Server *server, uint64_t connection, char *buffer, size_t *length,
                             uint16_t *port);

/**
 * @brief The current connections, oldest first.
 * @param server The server.
 * @param connections Receives their numbers. NULL to get only their count.
 * @param count The size of `connections`; receives the number of connections.
 * @return WEBSOCKET_OK; NWS_BUFFER_TOO_SMALL; NWS_INVALID_ARGUMENT if count is NULL; WEBSOCKET_NO_CONNECTION if the server is
 *     not started.
 */
int32_t NWS_ServerGetConnections(const struct NWS_Server *server, uint64_t *connections, size_t *count);

/**
 * @brief The bytes in the send queue of a connection, frame headers included.
 * @param server The server.
 * @param connection The connection.
 * @param bytes Receives the number.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT if bytes is NULL; NWS_NOT_FOUND and WEBSOCKET_NO_CONNECTION as
 *     NWS_ServerGetAddress().
 */
int32_t NWS_ServerGetBufferedAmount(const struct NWS_Server *server, uint64_t connection, uint64_t *bytes);

/**
 * @brief The counts of the server since its start.
 * @param server The server.
 * @param statistics Its size must be set; as much as fits is filled in.
 * @return WEBSOCKET_OK; NWS_INVALID_ARGUMENT if statistics is NULL or the size is that of no version; WEBSOCKET_NO_CONNECTION if
 *     the server is not started.
 */
int32_t NWS_ServerGetStatistics(const struct NWS_Server *server, struct NWS_ServerStatistics *statistics);

/**
 * @brief The counts of one connection.
 * @param server The server.
 * @param connection The connection.
 * @param statistics As for NWS_GetStatistics(). Values that only a client has, such as the time of a lookup, are -1.
 * @return As NWS_GetStatistics(); NWS_NOT_FOUND and WEBSOCKET_NO_CONNECTION as NWS_ServerGetAddress().
 */
int32_t NWS_ServerGetConnectionStatistics(const struct NWS_Server *server, uint64_t connection,
                                          struct NWS_Statistics *statistics);

#ifdef __cplusplus
}
#endif

#endif /* NET_WEBSOCKET_EXT_H */
