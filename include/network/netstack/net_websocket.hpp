/*
 * SPDX-License-Identifier: Apache-2.0
 */

/**
 * @file net_websocket.hpp
 * @brief The WebSocket client and server for C++17: net_websocket.h and net_websocket_ext.h with owners, functions and views.
 *
 * It is header-only, needs only the two C headers and the standard library, and works without exceptions and RTTI. The
 * rules of the C functions apply: any thread, inside any callback, without waiting for the network.
 *
 * @code
 * nws::Handlers handlers;
 * handlers.onMessage = [](const nws::Message &message) { std::cout << message.view() << '\n'; };
 * handlers.onError = [](const nws::Failure &failure) { std::cerr << failure.message << '\n'; };
 * nws::Client client(std::move(handlers));
 * if (nws::Error error = client.connect("wss://example.org/chat")) {
 *     std::cerr << error.name() << '\n';
 * }
 * (void)client.sendText("hello");
 * @endcode
 */

#ifndef NET_WEBSOCKET_HPP
#define NET_WEBSOCKET_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net_websocket.h"
#include "net_websocket_ext.h"

/** @brief The WebSocket client and server for C++17. */
namespace nws {

/**
 * @brief The result of a function: true in a condition if the function failed, as std::error_code is.
 */
class [[nodiscard]] Error {
public:
    /** @brief No error. */
    constexpr Error() noexcept = default;
    /** @brief A code of WebSocket_ErrCode or NWS_ErrCode. */
    constexpr explicit Error(int32_t code) noexcept : code_(code) {}

    /** @brief Whether the function failed. */
    constexpr explicit operator bool() const noexcept { return code_ != WEBSOCKET_OK; }
    /** @brief The code. */
    constexpr int32_t code() const noexcept { return code_; }
    /** @brief The code's name, for example "WEBSOCKET_NO_CONNECTION". */
    const char *name() const noexcept { return NWS_ErrorName(code_); }
    /** @brief The code's meaning. */
    const char *message() const noexcept { return NWS_ErrorMessage(code_); }

    /** @brief Whether two results have the same code. */
    friend constexpr bool operator==(Error left, Error right) noexcept { return left.code_ == right.code_; }
    /** @brief Whether two results have different codes. */
    friend constexpr bool operator!=(Error left, Error right) noexcept { return !(left == right); }

private:
    int32_t code_ = WEBSOCKET_OK;
};

/** @brief The type of a message. */
enum class MessageType : int32_t {
    /** UTF-8 text. */
    text = NWS_TEXT,
    /** Any bytes. */
    binary = NWS_BINARY,
};

/** @brief The state of a client; see NWS_State. */
enum class State : int32_t {
    /** Never connected, or closed before it was open. */
    idle = NWS_IDLE,
    /** An attempt is under way. */
    connecting = NWS_CONNECTING,
    /** Messages can be sent and received. */
    open = NWS_OPEN,
    /** One side has started to close. */
    closing = NWS_CLOSING,
    /** The last connection or attempt has ended. */
    closed = NWS_CLOSED,
};

/** @brief The server's answer; valid during the callback. */
using Response = NWS_Response;
/** @brief A pong; valid during the callback. */
using Pong = NWS_Pong;
/** @brief Why an attempt or a connection failed; valid during the callback. */
using Failure = NWS_Failure;
/** @brief The end of a connection; valid during the callback. */
using Close = NWS_Close;
/** @brief A failure that another attempt follows; valid during the callback. */
using Reconnecting = NWS_Reconnecting;
/** @brief A connection that replaces a lost one; valid during the callback. */
using Reconnected = NWS_Reconnected;
/** @brief The header of a frame; valid during the callback. */
using Frame = NWS_Frame;
/** @brief The statistics of a client. */
using Statistics = NWS_Statistics;

/** @brief A message, or a piece of one; valid during the callback. */
class Message {
public:
    /** @brief Wraps a message of the library. */
    explicit Message(const NWS_Message &raw) noexcept : raw_(raw) {}

    /** @brief Text or binary. */
    MessageType type() const noexcept { return static_cast<MessageType>(raw_.type); }
    /** @brief Whether it is text. */
    bool isText() const noexcept { return raw_.type == NWS_TEXT; }
    /** @brief The bytes; text is UTF-8. */
    std::string_view view() const noexcept { return { raw_.data, raw_.length }; }
    /** @brief The bytes. */
    const uint8_t *data() const noexcept { return reinterpret_cast<const uint8_t *>(raw_.data); }
    /** @brief The number of bytes. */
    size_t size() const noexcept { return raw_.length; }
    /** @brief Whether it begins a message; see Options::receivePieces. */
    bool first() const noexcept { return raw_.first != 0; }
    /** @brief Whether it ends a message. */
    bool last() const noexcept { return raw_.last != 0; }

private:
    const NWS_Message &raw_;
};

/** @brief A public key to pin; see NWS_CertificatePinning. */
struct CertificatePinning {
    /** The SHA-256 digest of the key in base64. */
    std::string publicKeyHash;
    /** When the pin expires; none for never. */
    std::optional<std::chrono::system_clock::time_point> expires;
};

/** @brief Whether authorities that users of the device installed are trusted; see NWS_UserAuthorities. */
enum class UserAuthorities : uint8_t {
    /** Trusts those of the current user, unless network_config.json forbids it. */
    byConfig = NWS_USER_AUTHORITIES_BY_CONFIG,
    /** Trusts all of them. */
    trusted = NWS_USER_AUTHORITIES_TRUSTED,
    /** None. */
    notTrusted = NWS_USER_AUTHORITIES_NOT_TRUSTED,
};

/** @brief Which parts of the app's network_config.json apply; see NWS_NetworkSecurityConfig. */
enum class NetworkSecurityConfig : uint8_t {
    /** As in the platform's WebSocket. */
    platform = NWS_NETWORK_SECURITY_CONFIG_PLATFORM,
    /** As in the platform's http module. */
    strict = NWS_NETWORK_SECURITY_CONFIG_STRICT,
};

/** @brief How to reach servers; see NWS_ProxyType. */
enum class ProxyType : uint8_t {
    /** By the system's default proxy. */
    system = NWS_PROXY_SYSTEM,
    /** Directly. */
    none = NWS_PROXY_NONE,
    /** By an HTTP proxy. */
    http = NWS_PROXY_HTTP,
    /** By a SOCKS5 proxy. */
    socks5 = NWS_PROXY_SOCKS5,
};

/** @brief Options of a client's later connections, with the library's defaults; see NWS_Options for each. */
struct Options {
    /** @brief The defaults. */
    Options()
    {
        NWS_Options raw{};
        NWS_InitOptions(&raw, sizeof raw);
        connectTimeout = std::chrono::milliseconds(raw.connectTimeoutMs);
        closeTimeout = std::chrono::milliseconds(raw.closeTimeoutMs);
        pingInterval = std::chrono::milliseconds(raw.pingIntervalMs);
        pongTimeout = std::chrono::milliseconds(raw.pongTimeoutMs);
        maxMessageSize = raw.maxMessageSize;
        sendQueueLimit = raw.sendQueueLimit;
        sendLowWater = raw.sendLowWater;
        perMessageDeflate = raw.perMessageDeflate != 0;
        clientMaxWindowBits = raw.clientMaxWindowBits;
        serverMaxWindowBits = raw.serverMaxWindowBits;
        deflateThreshold = raw.deflateThreshold;
    }

    /** Limit of a whole attempt. */
    std::chrono::milliseconds connectTimeout{};
    /** How long to wait for the peer's close frame. */
    std::chrono::milliseconds closeTimeout{};
    /** Time between pings; 0 for none. */
    std::chrono::milliseconds pingInterval{};
    /** Time within which data must arrive after a ping; 0 for no limit. */
    std::chrono::milliseconds pongTimeout{};
    /** The largest message to receive, in bytes. */
    uint64_t maxMessageSize = 0;
    /** The most bytes that may wait to be sent. */
    uint64_t sendQueueLimit = 0;
    /** The most messages that may wait to be sent; 0 for no limit. */
    uint64_t sendQueueMessages = 0;
    /** Time between calls of Handlers::onStatistics; 0 for none. */
    std::chrono::milliseconds statisticsInterval{};
    /** A HiTrace chain's number for the log; 0 for none. */
    uint64_t traceId = 0;
    /** Handlers::onDrain is called when a longer queue has shrunk to this number of bytes. */
    uint64_t sendLowWater = 0;
    /** Sub-protocols, preferred first. */
    std::vector<std::string> protocols;
    /** Headers of the request, in order. */
    std::vector<std::pair<std::string, std::string>> headers;
    /** File of the authorities to trust, PEM or DER, or folder of such files; empty for the system's. */
    std::string caPath;
    /** Trust the system's authorities as well as those of caPath. */
    bool caPathAddsToSystem = false;
    /** Files with a client certificate and its key, PEM or DER; both empty for none. */
    std::string clientCertPath;
    /** See Options::clientCertPath. */
    std::string clientKeyPath;
    /** The key's password; empty for none. */
    std::string clientKeyPassword;
    /** Public keys, one of which the server's chain must contain; empty for none. */
    std::vector<CertificatePinning> certificatePinning;
    /** Protocols to offer by ALPN, preferred first; empty switches ALPN off. */
    std::vector<std::string> alpnProtocols{ "http/1.1" };
    /** The host name to send (SNI) and to verify; empty for the URL's. */
    std::string tlsServerName;
    /** Use TLS 1.3 only. */
    bool tls13Only = false;
    /** Accept any certificate for any host. */
    bool skipServerCertVerification = false;
    /** Offer permessage-deflate. */
    bool perMessageDeflate = true;
    /** Compress each message by itself. */
    bool clientNoContextTakeover = false;
    /** Ask the server to do so. */
    bool serverNoContextTakeover = false;
    /** The window to compress with, 9 to 15 bits. */
    uint8_t clientMaxWindowBits = 0;
    /** The server's. */
    uint8_t serverMaxWindowBits = 0;
    /** Messages shorter than this are sent uncompressed, in bytes. */
    uint32_t deflateThreshold = 0;
    /** Report long and fragmented messages in pieces. */
    bool receivePieces = false;
    /** How to reach servers. */
    ProxyType proxyType = ProxyType::system;
    /** Name or address of a proxy of the types http and socks5. */
    std::string proxyHost;
    /** Its port. */
    uint16_t proxyPort = 0;
    /** Destinations that are reached without the proxy. */
    std::vector<std::string> proxyExclusions;
    /** User name for a proxy that asks for one; empty for none. */
    std::string proxyUsername;
    /** The password. */
    std::string proxyPassword;
    /** Names and their IP addresses, comma-separated. The library does not look these names up. */
    std::vector<std::pair<std::string, std::string>> hosts;
    /** User name for Basic authentication; empty, like the password, for none. */
    std::string username;
    /** The password. */
    std::string password;
    /** How many redirects to follow, 0 to 5. */
    uint8_t maxRedirects = 4;
    /** Name the port in the header Origin. */
    bool supportOriginPort = false;
    /** Send messages of more than 1 MiB in fragments, so that pongs and the close frame can go between them. */
    bool fragmentMessages = true;
    /** Limit for the name lookup. 0 for no limit, as for the next four. */
    std::chrono::milliseconds lookupTimeout{};
    /** Until one of the addresses has answered. */
    std::chrono::milliseconds tcpTimeout{};
    /** Limit for the tunnel through a proxy. */
    std::chrono::milliseconds proxyTimeout{};
    /** Limit for the TLS handshake. */
    std::chrono::milliseconds tlsTimeout{};
    /** Limit for the upgrade. */
    std::chrono::milliseconds upgradeTimeout{};
    /** Trust what users of the device installed. */
    UserAuthorities trustUserAuthorities = UserAuthorities::byConfig;
    /** Which parts of the app's network_config.json apply. */
    NetworkSecurityConfig networkSecurityConfig = NetworkSecurityConfig::platform;
};

/** @brief When a client connects again by itself, with the library's defaults; see NWS_ReconnectOptions for each. */
struct ReconnectOptions {
    /** @brief The defaults. */
    ReconnectOptions()
    {
        NWS_ReconnectOptions raw{};
        NWS_InitReconnectOptions(&raw, sizeof raw);
        delay = std::chrono::milliseconds(raw.delayMs);
        maxDelay = std::chrono::milliseconds(raw.maxDelayMs);
        prepareTimeout = std::chrono::milliseconds(raw.prepareTimeoutMs);
        causes = raw.causes;
    }

    /** Upper limit of the first random delay. */
    std::chrono::milliseconds delay{};
    /** Upper limit of every random delay. */
    std::chrono::milliseconds maxDelay{};
    /** The most attempts in a series; 0 for no limit. */
    uint32_t maxAttempts = 0;
    /** The longest time of a series; 0 for no limit. */
    std::chrono::milliseconds maxTime{};
    /** The causes after which the client tries again: the NWS_CAUSE_BIT() of each, combined with |. */
    uint32_t causes = 0;
    /** How long Client::prepare() may take. */
    std::chrono::milliseconds prepareTimeout{};
    /** Start the first attempt of a series without a delay. */
    bool atOnce = false;
    /** Drop the queued messages when a connection is lost. */
    bool dropQueue = false;
    /** Ignore changes of the network. */
    bool ignoreNetwork = false;
};

/**
 * @brief The functions for the events of a client. An event without a function is skipped.
 *
 * They run on the library's threads, one at a time for each client. The client's destructor waits for one that runs on
 * another thread. None starts after the destructor returns. The client may be destroyed inside one.
 */
struct Handlers {
    /** The server has answered the upgrade. */
    std::function<void(const Response &)> onHeaders;
    /** The connection is open. */
    std::function<void(const Response &)> onOpen;
    /** A message arrived, or a piece of one. */
    std::function<void(const Message &)> onMessage;
    /** A pong arrived. */
    std::function<void(const Pong &)> onPong;
    /** The send queue has room again; see NWS_Callbacks::onDrain. */
    std::function<void()> onDrain;
    /** The attempt or the connection failed. */
    std::function<void(const Failure &)> onError;
    /** The open connection has ended. */
    std::function<void(const Close &)> onClose;
    /** The attempt or the connection failed, and another attempt will follow. */
    std::function<void(const Reconnecting &)> onReconnecting;
    /** The next attempt is about to begin; see NWS_Callbacks::onPrepare and Client::prepare(). */
    std::function<NWS_Decision(const Reconnecting &)> onPrepare;
    /** The new connection replaces a lost one. */
    std::function<void(const Reconnected &)> onReconnected;
    /** Statistics, at the interval of Options::statisticsInterval. */
    std::function<void(const Statistics &)> onStatistics;
    /** For debugging: a frame was sent or received; see NWS_Callbacks::onFrame. */
    std::function<void(const Frame &)> onFrame;
    /**
     * A handler, or the onSent of Client::send, has thrown an exception. An exception cannot pass through the library.
     * Without this handler, std::terminate is called.
     */
    std::function<void(std::exception_ptr)> onException;
};

/** Not part of the interface. */
namespace detail {

/** Calls `call`, and passes its exceptions to `onException`. */
template <class Call>
void guarded(const std::function<void(std::exception_ptr)> &onException, Call &&call) noexcept
{
#ifdef __cpp_exceptions
    try {
        call();
    } catch (...) {
        if (!onException) {
            std::terminate();
        }
        onException(std::current_exception());
    }
#else
    (void)onException;
    call();
#endif
}

/** The names with commas between them. */
inline std::string joined(const std::vector<std::string> &names)
{
    std::string list;
    for (const std::string &name : names) {
        list += (list.empty() ? "" : ",") + name;
    }
    return list;
}

/** The headers as a list of C's. */
inline std::vector<WebSocket_Header> linked(const std::vector<std::pair<std::string, std::string>> &headers)
{
    std::vector<WebSocket_Header> list;
    list.reserve(headers.size());
    for (const auto &[name, value] : headers) {
        list.push_back({ name.c_str(), value.c_str(), nullptr });
    }
    for (size_t at = 1; at < list.size(); at++) {
        list[at - 1].next = &list[at];
    }
    return list;
}

/** A time as C has it. */
inline uint32_t milliseconds(std::chrono::milliseconds time) noexcept
{
    int64_t count = time.count();
    return count < 0 ? 0 : count > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(count);
}

/** A text that C copies into a buffer. */
template <class Get>
std::optional<std::string> text(Get get)
{
    // What is there may change between the two calls, with a new connection.
    std::string value;
    size_t length = 0;
    int32_t result = get(nullptr, &length);
    while (result == WEBSOCKET_OK && length > value.size()) {
        value.resize(length);
        result = get(value.data(), &length);
        if (result == NWS_BUFFER_TOO_SMALL) {
            result = WEBSOCKET_OK;
            continue;
        }
        if (result == WEBSOCKET_OK) {
            value.resize(length - 1);
            return value;
        }
    }
    return std::nullopt;
}

} // namespace detail

/**
 * @brief A client: one connection at a time, any number one after another.
 *
 * It owns the C client; its destructor is OH_WebSocketClient_Destroy(). A moved-from client is empty. Its calls return
 * WEBSOCKET_CLIENT_NULL.
 */
class Client {
public:
    /**
     * @brief Creates a client with these handlers. It does not connect yet. The client is empty if no memory is left.
     */
    explicit Client(Handlers handlers = {})
        : core_(std::make_shared<Core>(std::move(handlers))),
          client_(OH_WebSocketClient_Constructor(nullptr, nullptr, nullptr, nullptr))
    {
        NWS_Callbacks callbacks{};
        NWS_InitCallbacks(&callbacks, sizeof callbacks);
        callbacks.userData = core_.get();
        const Handlers &set = core_->handlers;
        // An event without a handler is not worth a call.
        callbacks.onHeaders = set.onHeaders ? &Core::headers : nullptr;
        callbacks.onOpen = set.onOpen ? &Core::open : nullptr;
        callbacks.onMessage = set.onMessage ? &Core::message : nullptr;
        callbacks.onPong = set.onPong ? &Core::pong : nullptr;
        callbacks.onDrain = set.onDrain ? &Core::drain : nullptr;
        callbacks.onError = set.onError ? &Core::error : nullptr;
        callbacks.onClose = set.onClose ? &Core::close : nullptr;
        callbacks.onReconnecting = set.onReconnecting ? &Core::reconnecting : nullptr;
        callbacks.onPrepare = set.onPrepare ? &Core::prepare : nullptr;
        callbacks.onReconnected = set.onReconnected ? &Core::reconnected : nullptr;
        callbacks.onStatistics = set.onStatistics ? &Core::statistics : nullptr;
        callbacks.onFrame = set.onFrame ? &Core::frame : nullptr;
        NWS_SetCallbacks(client_, &callbacks);
    }

    ~Client() { destroy(); }

    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;

    /** @brief Takes over the other's client, with its connection. */
    Client(Client &&other) noexcept
        : core_(std::move(other.core_)), client_(std::exchange(other.client_, nullptr))
    {
    }

    /** @brief Destroys its own client and takes over the other's. */
    Client &operator=(Client &&other) noexcept
    {
        if (this != &other) {
            destroy();
            core_ = std::move(other.core_);
            client_ = std::exchange(other.client_, nullptr);
        }
        return *this;
    }

    /** @brief Whether this object owns a C client. */
    explicit operator bool() const noexcept { return client_ != nullptr; }

    /** @brief The C client. This object still owns it. */
    struct WebSocket *handle() const noexcept { return client_; }

    /** @brief Sets the options of later connections; see NWS_SetOptions(). */
    Error setOptions(const Options &options)
    {
        NWS_Options raw{};
        NWS_InitOptions(&raw, sizeof raw);
        std::string protocols = detail::joined(options.protocols);
        std::string alpnProtocols = detail::joined(options.alpnProtocols);
        std::vector<NWS_CertificatePinning> pins;
        for (const CertificatePinning &pin : options.certificatePinning) {
            using std::chrono::milliseconds;
            int64_t expires = 0;
            if (pin.expires) {
                // Not 0, which means never.
                expires = std::chrono::duration_cast<milliseconds>(pin.expires->time_since_epoch()).count();
                expires = expires < 1 ? 1 : expires;
            }
            pins.push_back({ pin.publicKeyHash.c_str(), expires, nullptr });
        }
        for (size_t at = 1; at < pins.size(); at++) {
            pins[at - 1].next = &pins[at];
        }
        std::vector<WebSocket_Header> headers = detail::linked(options.headers);
        raw.connectTimeoutMs = detail::milliseconds(options.connectTimeout);
        raw.closeTimeoutMs = detail::milliseconds(options.closeTimeout);
        raw.pingIntervalMs = detail::milliseconds(options.pingInterval);
        raw.pongTimeoutMs = detail::milliseconds(options.pongTimeout);
        raw.maxMessageSize = options.maxMessageSize;
        raw.sendQueueLimit = options.sendQueueLimit;
        raw.sendLowWater = options.sendLowWater;
        raw.sendQueueMessages = options.sendQueueMessages;
        raw.statisticsIntervalMs = detail::milliseconds(options.statisticsInterval);
        raw.traceId = options.traceId;
        raw.protocols = protocols.c_str();
        raw.headers = headers.empty() ? nullptr : headers.data();
        raw.caPath = options.caPath.empty() ? nullptr : options.caPath.c_str();
        raw.clientCertPath = options.clientCertPath.empty() ? nullptr : options.clientCertPath.c_str();
        raw.clientKeyPath = options.clientKeyPath.empty() ? nullptr : options.clientKeyPath.c_str();
        raw.clientKeyPassword = options.clientKeyPassword.empty() ? nullptr : options.clientKeyPassword.c_str();
        raw.certificatePinning = pins.empty() ? nullptr : pins.data();
        raw.alpnProtocols = alpnProtocols.c_str();
        raw.tlsServerName = options.tlsServerName.empty() ? nullptr : options.tlsServerName.c_str();
        raw.caPathAddsToSystem = options.caPathAddsToSystem;
        raw.tls13Only = options.tls13Only;
        raw.skipServerCertVerification = options.skipServerCertVerification;
        raw.perMessageDeflate = options.perMessageDeflate;
        raw.clientNoContextTakeover = options.clientNoContextTakeover;
        raw.serverNoContextTakeover = options.serverNoContextTakeover;
        raw.clientMaxWindowBits = options.clientMaxWindowBits;
        raw.serverMaxWindowBits = options.serverMaxWindowBits;
        raw.deflateThreshold = options.deflateThreshold;
        raw.receivePieces = options.receivePieces;
        std::string exclusions;
        for (const std::string &exclusion : options.proxyExclusions) {
            exclusions += (exclusions.empty() ? "" : ",") + exclusion;
        }
        std::vector<WebSocket_Header> hosts;
        hosts.reserve(options.hosts.size());
        for (const auto &[name, addresses] : options.hosts) {
            hosts.push_back({ name.c_str(), addresses.c_str(), nullptr });
        }
        for (size_t at = 1; at < hosts.size(); at++) {
            hosts[at - 1].next = &hosts[at];
        }
        const bool hasCredentials = !options.username.empty() || !options.password.empty();
        raw.hosts = hosts.empty() ? nullptr : hosts.data();
        raw.username = hasCredentials ? options.username.c_str() : nullptr;
        raw.password = hasCredentials ? options.password.c_str() : nullptr;
        raw.maxRedirects = options.maxRedirects;
        raw.supportOriginPort = options.supportOriginPort;
        raw.lookupTimeoutMs = detail::milliseconds(options.lookupTimeout);
        raw.tcpTimeoutMs = detail::milliseconds(options.tcpTimeout);
        raw.proxyTimeoutMs = detail::milliseconds(options.proxyTimeout);
        raw.tlsTimeoutMs = detail::milliseconds(options.tlsTimeout);
        raw.upgradeTimeoutMs = detail::milliseconds(options.upgradeTimeout);
        raw.trustUserAuthorities = static_cast<uint8_t>(options.trustUserAuthorities);
        raw.networkSecurityConfig = static_cast<uint8_t>(options.networkSecurityConfig);
        raw.fragmentMessages = options.fragmentMessages;
        raw.proxyType = static_cast<uint8_t>(options.proxyType);
        raw.proxyHost = options.proxyHost.empty() ? nullptr : options.proxyHost.c_str();
        raw.proxyPort = options.proxyPort;
        raw.proxyExclusions = exclusions.c_str();
        raw.proxyUsername = options.proxyUsername.empty() ? nullptr : options.proxyUsername.c_str();
        raw.proxyPassword = options.proxyPassword.empty() ? nullptr : options.proxyPassword.c_str();
        return Error(NWS_SetOptions(client_, &raw));
    }

    /** @brief Lets the client connect again by itself; see NWS_SetReconnect(). */
    Error setReconnect(const ReconnectOptions &options)
    {
        NWS_ReconnectOptions raw{};
        NWS_InitReconnectOptions(&raw, sizeof raw);
        raw.delayMs = detail::milliseconds(options.delay);
        raw.maxDelayMs = detail::milliseconds(options.maxDelay);
        raw.maxAttempts = options.maxAttempts;
        raw.maxTimeMs = detail::milliseconds(options.maxTime);
        raw.causes = options.causes;
        raw.prepareTimeoutMs = detail::milliseconds(options.prepareTimeout);
        raw.atOnce = options.atOnce;
        raw.dropQueue = options.dropQueue;
        raw.ignoreNetwork = options.ignoreNetwork;
        return Error(NWS_SetReconnect(client_, &raw));
    }

    /** @brief Starts the pending attempt at once; see NWS_RetryNow(). */
    Error retryNow() { return Error(NWS_RetryNow(client_)); }

    /** @brief Answers Handlers::onPrepare; see NWS_PrepareAttempt(). An empty `url` keeps the URL. */
    Error prepare(uint32_t attempt, NWS_Decision decision, const std::string &url = {},
                  const std::vector<std::pair<std::string, std::string>> &headers = {})
    {
        std::vector<WebSocket_Header> list = detail::linked(headers);
        return Error(NWS_PrepareAttempt(client_, attempt, decision, url.empty() ? nullptr : url.c_str(),
                                        list.empty() ? nullptr : list.data()));
    }

    /** @brief Begins to connect; Handlers::onOpen or Handlers::onError follows. See OH_WebSocketClient_Connect(). */
    Error connect(const std::string &url)
    {
        return Error(OH_WebSocketClient_Connect(client_, url.c_str(), WebSocket_RequestOptions{ nullptr }));
    }

    /** @brief Queues a text message; see NWS_SendText(). */
    Error sendText(std::string_view text) { return Error(NWS_SendText(client_, text.data(), text.size())); }

    /** @brief Queues a binary message; see NWS_SendBinary(). */
    Error sendBinary(const void *data, size_t size) { return Error(NWS_SendBinary(client_, data, size)); }

    /** @brief As above. */
    Error sendBinary(const std::vector<uint8_t> &data) { return sendBinary(data.data(), data.size()); }

    /** @brief Queues a binary message without copying it. If it succeeds, `data` is empty afterwards. */
    Error sendOwned(std::vector<uint8_t> &&data) { return sendOwned(MessageType::binary, std::move(data)); }

    /** @brief Queues a text message without copying it. If it succeeds, `text` is empty afterwards. */
    Error sendOwned(std::string &&text) { return sendOwned(MessageType::text, std::move(text)); }

    /**
     * @brief Queues a message and reports later whether it was sent; see NWS_SentCallback.
     * @param type Text or binary.
     * @param data The message.
     * @param onSent Called once if this function succeeds; not called if it fails.
     * @return As NWS_SendWithCallback().
     */
    Error send(MessageType type, std::string_view data, std::function<void(Error)> onSent)
    {
        if (!onSent) {
            return Error(NWS_INVALID_ARGUMENT);
        }
        auto completion = std::make_unique<Completion>(Completion{ core_, std::move(onSent) });
        Error error(NWS_SendWithCallback(client_, static_cast<int32_t>(type), data.data(), data.size(),
                                         &Completion::sent, completion.get()));
        if (!error) {
            completion.release();
        }
        return error;
    }

    /** @brief Queues a piece of a message; see NWS_SendPiece(). */
    Error sendPiece(MessageType type, std::string_view piece, bool last)
    {
        return Error(NWS_SendPiece(client_, static_cast<int32_t>(type), piece.data(), piece.size(), last));
    }

    /** @brief Sends a ping; Handlers::onPong follows. See NWS_Ping(). */
    Error ping(std::string_view data = {}) { return Error(NWS_Ping(client_, data.data(), data.size())); }

    /** @brief Begins the closing handshake; Handlers::onClose follows. See OH_WebSocketClient_Close(). */
    Error close(uint32_t code = 1000, const std::string &reason = {})
    {
        return Error(OH_WebSocketClient_Close(client_, WebSocket_CloseOption{ code, reason.c_str() }));
    }

    /** @brief The state at this moment. */
    State state() const noexcept
    {
        int32_t state = NWS_GetState(client_);
        return state < 0 ? State::closed : static_cast<State>(state);
    }

    /** @brief Bytes that wait to be sent. */
    uint64_t bufferedAmount() const noexcept
    {
        uint64_t bytes = 0;
        NWS_GetBufferedAmount(client_, &bytes);
        return bytes;
    }

    /** @brief The sub-protocol of the last connection. */
    std::optional<std::string> protocol() const
    {
        return detail::text([this](char *buffer, size_t *length) { return NWS_GetProtocol(client_, buffer, length); });
    }

    /** @brief The extensions of the last connection. */
    std::optional<std::string> extensions() const
    {
        return detail::text([this](char *buffer, size_t *length) { return NWS_GetExtensions(client_, buffer, length); });
    }

    /** @brief A header of the server's answer; `index` selects one of several with the same name. */
    std::optional<std::string> responseHeader(const std::string &name, size_t index = 0) const
    {
        return detail::text([&](char *buffer, size_t *length) {
            return NWS_GetResponseHeader(client_, name.c_str(), index, buffer, length);
        });
    }

    /** @brief The client's statistics so far. */
    Statistics statistics() const noexcept
    {
        Statistics statistics{};
        statistics.size = sizeof statistics;
        NWS_GetStatistics(client_, &statistics);
        return statistics;
    }

    /** @brief The client's number in the library's log. */
    uint64_t id() const noexcept { return NWS_GetId(client_); }

private:
    /**
     * The state that callbacks use. A running callback shares ownership of it, so that the callback may destroy the
     * client.
     */
    struct Core : std::enable_shared_from_this<Core> {
        explicit Core(Handlers given) : handlers(std::move(given)) {}

        const Handlers handlers;

        template <class Call>
        static void guarded(const Core &core, Call &&call) noexcept
        {
            detail::guarded(core.handlers.onException, std::forward<Call>(call));
        }

        template <class... Arguments>
        static void invoke(void *userData, std::function<void(Arguments...)> Handlers::*handler,
                           std::decay_t<Arguments> const &...arguments) noexcept
        {
            std::shared_ptr<Core> core = static_cast<Core *>(userData)->shared_from_this();
            guarded(*core, [&] { (core->handlers.*handler)(arguments...); });
        }

        static void headers(struct WebSocket *, void *userData, const NWS_Response *response)
        {
            invoke(userData, &Handlers::onHeaders, *response);
        }
        static void open(struct WebSocket *, void *userData, const NWS_Response *response)
        {
            invoke(userData, &Handlers::onOpen, *response);
        }
        static void message(struct WebSocket *, void *userData, const NWS_Message *message)
        {
            invoke(userData, &Handlers::onMessage, Message(*message));
        }
        static void pong(struct WebSocket *, void *userData, const NWS_Pong *pong)
        {
            invoke(userData, &Handlers::onPong, *pong);
        }
        static void drain(struct WebSocket *, void *userData) { invoke(userData, &Handlers::onDrain); }
        static void error(struct WebSocket *, void *userData, const NWS_Failure *failure)
        {
            invoke(userData, &Handlers::onError, *failure);
        }
        static void close(struct WebSocket *, void *userData, const NWS_Close *close)
        {
            invoke(userData, &Handlers::onClose, *close);
        }
        static void reconnecting(struct WebSocket *, void *userData, const NWS_Reconnecting *reconnecting)
        {
            invoke(userData, &Handlers::onReconnecting, *reconnecting);
        }
        static int32_t prepare(struct WebSocket *, void *userData, const NWS_Reconnecting *reconnecting)
        {
            std::shared_ptr<Core> core = static_cast<Core *>(userData)->shared_from_this();
            NWS_Decision decision = NWS_PREPARE_STOP;
            guarded(*core, [&] { decision = core->handlers.onPrepare(*reconnecting); });
            return decision;
        }
        static void reconnected(struct WebSocket *, void *userData, const NWS_Reconnected *reconnected)
        {
            invoke(userData, &Handlers::onReconnected, *reconnected);
        }
        static void statistics(struct WebSocket *, void *userData, const NWS_Statistics *statistics)
        {
            invoke(userData, &Handlers::onStatistics, *statistics);
        }
        static void frame(struct WebSocket *, void *userData, const NWS_Frame *frame)
        {
            invoke(userData, &Handlers::onFrame, *frame);
        }
    };

    struct Completion {
        std::shared_ptr<Core> core;
        std::function<void(Error)> onSent;

        static void sent(struct WebSocket *, void *context, int32_t result)
        {
            std::unique_ptr<Completion> completion(static_cast<Completion *>(context));
            Core::guarded(*completion->core, [&] { completion->onSent(Error(result)); });
        }
    };

    template <class Container>
    Error sendOwned(MessageType type, Container &&data)
    {
        auto owned = std::make_unique<Container>(std::move(data));
        auto release = [](void *, void *context) { delete static_cast<Container *>(context); };
        // The library wants memory, if only to give it back; an empty vector has none.
        if (owned->empty()) {
            return type == MessageType::text ? sendText({}) : sendBinary(nullptr, 0);
        }
        Error error(NWS_SendOwned(client_, static_cast<int32_t>(type), owned->data(), owned->size(), release, owned.get()));
        if (error) {
            data = std::move(*owned);
        } else {
            owned.release();
        }
        return error;
    }

    void destroy() noexcept
    {
        if (client_ != nullptr) {
            OH_WebSocketClient_Destroy(std::exchange(client_, nullptr));
        }
    }

    std::shared_ptr<Core> core_;
    struct WebSocket *client_;
};

/** @brief A client's request for a connection; valid during the callback, its number longer. */
using ServerRequest = NWS_ServerRequest;
/** @brief A connection of a server that has just opened; valid during the callback. */
using ServerConnection = NWS_ServerConnection;
/** @brief What a server has counted. */
using ServerStatistics = NWS_ServerStatistics;

/** @brief Where a server listens and whom it lets in, with the library's defaults; see NWS_ServerOptions for each. */
struct ServerOptions {
    /** @brief The defaults. */
    ServerOptions()
    {
        NWS_ServerOptions raw{};
        NWS_InitServerOptions(&raw, sizeof raw);
        maxMessageSize = raw.maxMessageSize;
        sendQueueLimit = raw.sendQueueLimit;
        sendLowWater = raw.sendLowWater;
        maxAddresses = raw.maxAddresses;
        maxConnectionsPerAddress = raw.maxConnectionsPerAddress;
        maxHandshakes = raw.maxHandshakes;
        handshakeTimeout = std::chrono::milliseconds(raw.handshakeTimeoutMs);
        closeTimeout = std::chrono::milliseconds(raw.closeTimeoutMs);
        pingInterval = std::chrono::milliseconds(raw.pingIntervalMs);
        pongTimeout = std::chrono::milliseconds(raw.pongTimeoutMs);
        ratePeriod = std::chrono::milliseconds(raw.ratePeriodMs);
        rateBan = std::chrono::milliseconds(raw.rateBanMs);
        deflateThreshold = raw.deflateThreshold;
        clientMaxWindowBits = raw.clientMaxWindowBits;
        serverMaxWindowBits = raw.serverMaxWindowBits;
    }

    /** An address of this device; empty for all addresses of IPv4. */
    std::string address;
    /** The port; 0 for one that is free. */
    uint16_t port = 0;
    /** A path to listen at instead of an address and a port; empty for none. */
    std::string socketPath;
    /** Files with the certificate and its key, PEM or DER; both empty for no TLS. */
    std::string certPath;
    /** See ServerOptions::certPath. */
    std::string keyPath;
    /** The key's password; empty for none. */
    std::string keyPassword;
    /** File with the authorities of clients' certificates; empty to ask for none. */
    std::string clientCaPath;
    /** Speak TLS 1.3 only. */
    bool tls13Only = false;
    /** The sub-protocols that are spoken. */
    std::vector<std::string> protocols;
    /** The largest message to receive, in bytes. */
    uint64_t maxMessageSize = 0;
    /** The maximum number of bytes in the send queue of a connection. */
    uint64_t sendQueueLimit = 0;
    /** A longer queue must shrink to this many bytes for ServerHandlers::onDrain. */
    uint64_t sendLowWater = 0;
    /** The maximum number of messages; 0 for any number. */
    uint64_t sendQueueMessages = 0;
    /** How many client addresses may be connected at a time. */
    uint32_t maxAddresses = 0;
    /** How many connections one address may have. */
    uint32_t maxConnectionsPerAddress = 0;
    /** How many clients may be in their handshake. */
    uint32_t maxHandshakes = 0;
    /** How long a client may take for its handshake. */
    std::chrono::milliseconds handshakeTimeout{};
    /** How long to wait for a client's close frame. */
    std::chrono::milliseconds closeTimeout{};
    /** Time between pings; 0 for none. */
    std::chrono::milliseconds pingInterval{};
    /** How soon after a ping data must arrive; 0 for no limit. */
    std::chrono::milliseconds pongTimeout{};
    /** How often one address may connect within ratePeriod; 0 for any number. */
    uint32_t rateConnections = 0;
    /** See ServerOptions::rateConnections. */
    std::chrono::milliseconds ratePeriod{};
    /** How long an address that connects more often is refused. */
    std::chrono::milliseconds rateBan{};
    /** Use permessage-deflate with clients that offer it. */
    bool perMessageDeflate = false;
    /** Require clients to compress each message by itself. */
    bool clientNoContextTakeover = false;
    /** Compress each message by itself. */
    bool serverNoContextTakeover = false;
    /** The largest window of clients, 9 to 15 bits. */
    uint8_t clientMaxWindowBits = 0;
    /** The window to compress with. */
    uint8_t serverMaxWindowBits = 0;
    /** Messages shorter than this are sent uncompressed, in bytes. */
    uint32_t deflateThreshold = 0;
    /** Deliver long and fragmented messages in pieces. */
    bool receivePieces = false;
    /** Send messages of more than 1 MiB in fragments. */
    bool fragmentMessages = true;
};

/**
 * @brief The handlers of a server's events; NWS_ServerCallbacks explains each. A handler that is not set is not called.
 *
 * Handlers of one connection are called one at a time, those of different connections at the same time on several
 * threads. No handler is called after the server's destructor has returned. The destructor waits for handlers that run
 * on other threads. A handler may destroy the server.
 */
struct ServerHandlers {
    /**
     * A client has sent a request; answer with Server::accept() or Server::refuse(). Without this handler all requests are
     * accepted.
     */
    std::function<void(const ServerRequest &)> onRequest;
    /** A connection is open. */
    std::function<void(uint64_t, const ServerConnection &)> onOpen;
    /** A message or a piece of one was received. */
    std::function<void(uint64_t, const Message &)> onMessage;
    /** The send queue of a connection has drained. */
    std::function<void(uint64_t)> onDrain;
    /** A connection failed. With connection 0, the server could not accept a client. */
    std::function<void(uint64_t, const Failure &)> onError;
    /** A connection has ended. */
    std::function<void(uint64_t, const Close &)> onClose;
    /** The server has stopped after Server::stop(). */
    std::function<void()> onStop;
    /** A handler has thrown an exception. Without this handler, std::terminate is called. */
    std::function<void(std::exception_ptr)> onException;
};

/**
 * @brief A server and its connections, each known by a number.
 *
 * Owns the C server. Its destructor is NWS_ServerDestroy(). A server that was moved from is empty and answers
 * WEBSOCKET_CLIENT_NULL.
 */
class Server {
public:
    /** @brief Creates a server with these handlers, which does not listen yet. */
    explicit Server(ServerHandlers handlers = {}) : core_(std::make_shared<Core>(std::move(handlers)))
    {
        NWS_ServerCallbacks callbacks{};
        NWS_InitServerCallbacks(&callbacks, sizeof callbacks);
        callbacks.userData = core_.get();
        const ServerHandlers &set = core_->handlers;
        callbacks.onRequest = set.onRequest ? &Core::request : nullptr;
        callbacks.onOpen = set.onOpen ? &Core::open : nullptr;
        callbacks.onMessage = set.onMessage ? &Core::message : nullptr;
        callbacks.onDrain = set.onDrain ? &Core::drain : nullptr;
        callbacks.onError = set.onError ? &Core::error : nullptr;
        callbacks.onClose = set.onClose ? &Core::close : nullptr;
        callbacks.onStop = set.onStop ? &Core::stop : nullptr;
        server_ = NWS_ServerCreate(&callbacks);
    }

    ~Server() { destroy(); }

    Server(const Server &) = delete;
    Server &operator=(const Server &) = delete;

    /** @brief Takes over the other's server with its connections. */
    Server(Server &&other) noexcept
        : core_(std::move(other.core_)), server_(std::exchange(other.server_, nullptr))
    {
    }

    /** @brief Destroys its own server and takes over the other's. */
    Server &operator=(Server &&other) noexcept
    {
        if (this != &other) {
            destroy();
            core_ = std::move(other.core_);
            server_ = std::exchange(other.server_, nullptr);
        }
        return *this;
    }

    /** @brief Whether it has a server. */
    explicit operator bool() const noexcept { return server_ != nullptr; }

    /** @brief The C server. */
    struct NWS_Server *handle() const noexcept { return server_; }

    /** @brief NWS_ServerStart(). */
    Error start(const ServerOptions &options = {})
    {
        NWS_ServerOptions raw{};
        NWS_InitServerOptions(&raw, sizeof raw);
        auto given = [](const std::string &text) { return text.empty() ? nullptr : text.c_str(); };
        std::string protocols = detail::joined(options.protocols);
        raw.address = given(options.address);
        raw.certPath = given(options.certPath);
        raw.keyPath = given(options.keyPath);
        raw.keyPassword = given(options.keyPassword);
        raw.clientCaPath = given(options.clientCaPath);
        raw.socketPath = given(options.socketPath);
        raw.protocols = given(protocols);
        raw.maxMessageSize = options.maxMessageSize;
        raw.sendQueueLimit = options.sendQueueLimit;
        raw.sendLowWater = options.sendLowWater;
        raw.sendQueueMessages = options.sendQueueMessages;
        raw.maxAddresses = options.maxAddresses;
        raw.maxConnectionsPerAddress = options.maxConnectionsPerAddress;
        raw.maxHandshakes = options.maxHandshakes;
        raw.handshakeTimeoutMs = detail::milliseconds(options.handshakeTimeout);
        raw.closeTimeoutMs = detail::milliseconds(options.closeTimeout);
        raw.pingIntervalMs = detail::milliseconds(options.pingInterval);
        raw.pongTimeoutMs = detail::milliseconds(options.pongTimeout);
        raw.rateConnections = options.rateConnections;
        raw.ratePeriodMs = detail::milliseconds(options.ratePeriod);
        raw.rateBanMs = detail::milliseconds(options.rateBan);
        raw.deflateThreshold = options.deflateThreshold;
        raw.port = options.port;
        raw.tls13Only = options.tls13Only;
        raw.perMessageDeflate = options.perMessageDeflate;
        raw.clientNoContextTakeover = options.clientNoContextTakeover;
        raw.serverNoContextTakeover = options.serverNoContextTakeover;
        raw.clientMaxWindowBits = options.clientMaxWindowBits;
        raw.serverMaxWindowBits = options.serverMaxWindowBits;
        raw.receivePieces = options.receivePieces;
        raw.fragmentMessages = options.fragmentMessages;
        return Error(NWS_ServerStart(server_, &raw));
    }

    /** @brief NWS_ServerStop(). */
    Error stop(std::chrono::milliseconds timeout = {})
    {
        return Error(NWS_ServerStop(server_, detail::milliseconds(timeout)));
    }

    /** @brief NWS_ServerAccept(). With an empty protocol, ServerOptions::protocols choose. */
    Error accept(uint64_t request, const std::string &protocol = {},
                 const std::vector<std::pair<std::string, std::string>> &headers = {})
    {
        std::vector<WebSocket_Header> list = detail::linked(headers);
        return Error(NWS_ServerAccept(server_, request, protocol.empty() ? nullptr : protocol.c_str(),
                                      list.empty() ? nullptr : list.data()));
    }

    /** @brief NWS_ServerRefuse(). */
    Error refuse(uint64_t request, uint32_t status, const std::string &body = {},
                 const std::vector<std::pair<std::string, std::string>> &headers = {})
    {
        std::vector<WebSocket_Header> list = detail::linked(headers);
        return Error(NWS_ServerRefuse(server_, request, status, list.empty() ? nullptr : list.data(), body.c_str()));
    }

    /** @brief NWS_ServerSendText(). */
    Error sendText(uint64_t connection, std::string_view text)
    {
        return Error(NWS_ServerSendText(server_, connection, text.data(), text.size()));
    }

    /** @brief NWS_ServerSendBinary(). */
    Error sendBinary(uint64_t connection, const void *data, size_t size)
    {
        return Error(NWS_ServerSendBinary(server_, connection, data, size));
    }

    /** @brief NWS_ServerBroadcast() to all. Returns the number of connections that accepted it. */
    size_t broadcast(MessageType type, std::string_view data)
    {
        return broadcastTo(type, data, nullptr, 0);
    }

    /** @brief NWS_ServerBroadcast() to these. Returns the number that accepted it. */
    size_t broadcast(MessageType type, std::string_view data, const std::vector<uint64_t> &connections)
    {
        // NULL stands for all.
        return connections.empty() ? 0 : broadcastTo(type, data, connections.data(), connections.size());
    }

    /** @brief NWS_ServerClose(). */
    Error close(uint64_t connection, uint32_t code = 1000, const std::string &reason = {})
    {
        return Error(NWS_ServerClose(server_, connection, code, reason.c_str()));
    }

    /** @brief The port on which it listens; 0 if it is not started. */
    uint16_t port() const noexcept
    {
        uint16_t port = 0;
        NWS_ServerGetAddress(server_, 0, nullptr, nullptr, &port);
        return port;
    }

    /** @brief The IP address of a client; none if the connection does not exist. */
    std::optional<std::string> address(uint64_t connection) const
    {
        return detail::text(
            [&](char *buffer, size_t *length) { return NWS_ServerGetAddress(server_, connection, buffer, length, nullptr); });
    }

    /** @brief The current connections, oldest first. */
    std::vector<uint64_t> connections() const
    {
        std::vector<uint64_t> numbers;
        size_t count = 0;
        int32_t result = NWS_ServerGetConnections(server_, nullptr, &count);
        while (result == WEBSOCKET_OK || result == NWS_BUFFER_TOO_SMALL) {
            // Others may connect between the two calls.
            numbers.resize(count + 1);
            count = numbers.size();
            result = NWS_ServerGetConnections(server_, numbers.data(), &count);
            if (result == WEBSOCKET_OK) {
                numbers.resize(count);
                return numbers;
            }
        }
        return {};
    }

    /** @brief The bytes in the send queue of a connection; 0 if the connection does not exist. */
    uint64_t bufferedAmount(uint64_t connection) const noexcept
    {
        uint64_t bytes = 0;
        NWS_ServerGetBufferedAmount(server_, connection, &bytes);
        return bytes;
    }

    /** @brief The counts of the server; all 0 if it is not started. */
    ServerStatistics statistics() const noexcept
    {
        ServerStatistics statistics{};
        statistics.size = sizeof statistics;
        NWS_ServerGetStatistics(server_, &statistics);
        return statistics;
    }

private:
    /** The state that callbacks use, as in Client. */
    struct Core : std::enable_shared_from_this<Core> {
        explicit Core(ServerHandlers given) : handlers(std::move(given)) {}

        const ServerHandlers handlers;

        template <class Call>
        static void with(void *userData, Call &&call) noexcept
        {
            std::shared_ptr<Core> core = static_cast<Core *>(userData)->shared_from_this();
            detail::guarded(core->handlers.onException, [&] { call(core->handlers); });
        }

        static void request(struct NWS_Server *, void *userData, const NWS_ServerRequest *request)
        {
            with(userData, [&](const ServerHandlers &handlers) { handlers.onRequest(*request); });
        }
        static void open(struct NWS_Server *, void *userData, uint64_t connection, const NWS_ServerConnection *info)
        {
            with(userData, [&](const ServerHandlers &handlers) { handlers.onOpen(connection, *info); });
        }
        static void message(struct NWS_Server *, void *userData, uint64_t connection, const NWS_Message *message)
        {
            with(userData, [&](const ServerHandlers &handlers) { handlers.onMessage(connection, Message(*message)); });
        }
        static void drain(struct NWS_Server *, void *userData, uint64_t connection)
        {
            with(userData, [&](const ServerHandlers &handlers) { handlers.onDrain(connection); });
        }
        static void error(struct NWS_Server *, void *userData, uint64_t connection, const NWS_Failure *failure)
        {
            with(userData, [&](const ServerHandlers &handlers) { handlers.onError(connection, *failure); });
        }
        static void close(struct NWS_Server *, void *userData, uint64_t connection, const NWS_Close *close)
        {
            with(userData, [&](const ServerHandlers &handlers) { handlers.onClose(connection, *close); });
        }
        static void stop(struct NWS_Server *, void *userData)
        {
            with(userData, [&](const ServerHandlers &handlers) { handlers.onStop(); });
        }
    };

    size_t broadcastTo(MessageType type, std::string_view data, const uint64_t *connections, size_t count)
    {
        size_t taken = 0;
        NWS_ServerBroadcast(server_, static_cast<int32_t>(type), data.data(), data.size(), connections, count, &taken);
        return taken;
    }

    void destroy() noexcept
    {
        if (server_ != nullptr) {
            NWS_ServerDestroy(std::exchange(server_, nullptr));
        }
    }

    std::shared_ptr<Core> core_;
    struct NWS_Server *server_ = nullptr;
};

} // namespace nws

#endif /* NET_WEBSOCKET_HPP */
