//! The shapes of the objects that pass between ArkTS and this face, for `index.d.ts` alone.
//!
//! `options.rs` and `objects.rs` read and make them field by field, so that an error can name the field.
#![expect(dead_code, reason = "only the declarations are used")]

use napi_derive_ohos::napi;

/// Options of `connect`. A field that is undefined has its default.
/// @since 6
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct WebSocketRequestOptions {
    /// Headers of the upgrade request: names and string values. `Sec-WebSocket-Protocol` among them offers sub-protocols.
    /// @since 6
    #[napi(ts_type = "Object")]
    pub header: Option<()>,
    /// PEM file of the certificate authorities to trust instead of the system's, or folder with such files. A file that
    /// cannot be used is the event `error` with 2302002. Default: the system's store.
    /// @since 11
    pub ca_path: Option<String>,
    /// Trust the authorities of `caPath` and those of the system. Default: false.
    /// @since 0.1.0 of this library
    pub ca_path_adds_to_system: Option<bool>,
    /// What to show a server that asks for a certificate. Default: nothing.
    /// @since 11
    #[napi(ts_type = "ClientCert")]
    pub client_cert: Option<()>,
    /// Public keys of which the verified chain, from the server's certificate to the authority, must have one, besides being
    /// verified. Those that have expired do not count; when all have, the chain is enough. With
    /// `skipServerCertVerification` it is the server's own key that must be one of them, and an expired one is no help.
    /// As in the platform's `http` module. Default: no such demand.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "CertificatePinning | CertificatePinning[]")]
    pub certificate_pinning: Option<()>,
    /// Protocols to offer by ALPN (RFC 7301), preferred first; an empty array leaves ALPN out. h2 and h3 are refused, since
    /// the upgrade is one of HTTP/1.1. Default: ['http/1.1'].
    /// @since 0.1.0 of this library
    pub alpn_protocols: Option<Vec<String>>,
    /// The host name to ask for (SNI) and to verify, or the address, instead of the URL's. Default: the URL's.
    /// @since 0.1.0 of this library
    pub tls_server_name: Option<String>,
    /// Sub-protocols to offer, comma-separated, preferred first. Default: none.
    /// @since 12
    pub protocol: Option<String>,
    /// Accept any certificate for any name: whoever sits on the path can then read and change everything, unless
    /// `certificatePinning` names the server's own key. Default: false.
    /// @since 20
    pub skip_server_cert_verification: Option<bool>,
    /// Seconds between pings, 0 to 30000; 0 for none. Default: 30.
    /// @since 21
    pub ping_interval: Option<f64>,
    /// Seconds after a ping within which something must come, 0 to 30000; 0 for no limit. They begin anew while what was sent
    /// before the ping is on its way, and arrives. Default: 30.
    /// @since 21
    pub pong_timeout: Option<f64>,
    /// 'system' for the proxy of the network settings, if there is one; 'no-proxy'; or a proxy. Default: 'system'.
    /// @since 12
    #[napi(ts_type = "ProxyConfiguration")]
    pub proxy: Option<()>,
    /// Names and their IP addresses, comma-separated, which are then not looked up: `{ 'example.org': '192.0.2.1, 2001:db8::1' }`.
    /// Default: none.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "Record<string, string>")]
    pub hosts: Option<()>,
    /// For Basic authentication, instead of those in the URL; a header `Authorization` comes before both. Default: none.
    /// @since 0.1.0 of this library
    pub username: Option<String>,
    /// What goes with `username`. Default: empty.
    /// @since 0.1.0 of this library
    pub password: Option<String>,
    /// How many redirects to follow, 0 to 5. None leads from wss to ws, and `Authorization`, `Cookie`, `Host`, the client's
    /// certificate and `tlsServerName` are not for another origin. Default: 0.
    /// @since 0.1.0 of this library
    pub max_redirects: Option<f64>,
    /// The lowest TLS version to speak. TLS below 1.2 is never spoken, whatever is given here. Default: TLS_V_1_2.
    /// @since 26.0.0
    #[napi(ts_type = "TlsProtocol")]
    pub min_support_tls_protocol: Option<f64>,
    /// Offer compression (RFC 7692). Default: true.
    /// @since 0.1.0 of this library
    pub per_message_deflate: Option<bool>,
    /// Milliseconds for the whole attempt, 1 to 30000000. Default: 15000.
    /// @since 0.1.0 of this library
    pub connect_timeout: Option<f64>,
    /// Milliseconds to find an address, 1 to 30000000. Default: no limit but that of the whole attempt.
    /// @since 0.1.0 of this library
    pub lookup_timeout: Option<f64>,
    /// Milliseconds until one of the addresses has answered, 1 to 30000000. Default: as for `lookupTimeout`.
    /// @since 0.1.0 of this library
    pub tcp_timeout: Option<f64>,
    /// Milliseconds for the tunnel through a proxy, 1 to 30000000. Default: as for `lookupTimeout`.
    /// @since 0.1.0 of this library
    pub proxy_timeout: Option<f64>,
    /// Milliseconds for the TLS handshake, 1 to 30000000. Default: as for `lookupTimeout`.
    /// @since 0.1.0 of this library
    pub tls_timeout: Option<f64>,
    /// Milliseconds for the upgrade, 1 to 30000000. Default: as for `lookupTimeout`.
    /// @since 0.1.0 of this library
    pub upgrade_timeout: Option<f64>,
    /// Milliseconds to wait for the peer's close frame, 1 to 30000000. Default: 5000.
    /// @since 0.1.0 of this library
    pub close_timeout: Option<f64>,
    /// The largest message to receive, in bytes; a larger one ends the connection with 1009. Default: 67108864.
    /// @since 0.1.0 of this library
    pub max_message_size: Option<f64>,
    /// Tell of messages by the event `piece`, as they come, so that one of any length (up to `maxMessageSize`) passes in little memory.
    /// Default: false.
    /// @since 0.1.0 of this library
    pub receive_pieces: Option<bool>,
    /// The most bytes that may wait to be sent. Default: 67108864.
    /// @since 0.1.0 of this library
    pub send_queue_limit: Option<f64>,
    /// The most messages that may wait to be sent; drained at a quarter. Default: any number.
    /// @since 0.1.0 of this library
    pub send_queue_messages: Option<f64>,
    /// What a `send` in promise form does that finds no room in the queue: it fails, or it waits for room, in order with those after it.
    /// What waits so is held besides the queue and counts in no figure: how much, is up to how many promises the app awaits at once.
    /// Default: 'error'.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "'error' | 'wait'")]
    pub send_queue_policy: Option<String>,
    /// Milliseconds between events `stats`, 1 to 30000000. Default: none are told.
    /// @since 0.1.0 of this library
    pub statistics_interval: Option<f64>,
    /// A number that stands in hexadecimal behind the object's own in log lines, as in `[c7 a92ab1d3f2e]`: the `chainId` of a `HiTraceId`,
    /// as hilog shows it. Up to 64 bits; 0 for none. Default: none.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "bigint | number")]
    pub trace_id: Option<()>,
    /// Gives the attempt up when it is aborted before the connection is open: the event `error` with 2302999 follows. Any object in the
    /// shape of the web's AbortSignal will do. Default: none.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "AbortSignal")]
    pub signal: Option<()>,
    /// Connect again after a failure. Default: not.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "ReconnectOptions")]
    pub reconnect: Option<()>,
    /// Name the port in the header `Origin`, if it is not the scheme's own. An `Origin` among the headers comes first; an empty
    /// one there leaves it out. Default: false, and `Origin` is the scheme and the host alone.
    /// @since 26.0.0
    pub support_origin_port: Option<bool>,
}

/// A client's certificate. Files that cannot be used are the event `error` with 2302002.
/// @since 11
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct ClientCert {
    /// PEM file of the certificate, followed by those of its issuers.
    /// @since 11
    pub cert_path: String,
    /// PEM file of its key: PKCS#8, SEC1 or PKCS#1.
    /// @since 11
    pub key_path: String,
    /// The password of a key that has one: PBES2 with PBKDF2, or OpenSSL's older form.
    /// @since 11
    pub key_password: Option<String>,
}

/// A public key to pin.
/// @since 0.1.0 of this library
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct CertificatePinning {
    /// The SHA-256 digest of its SubjectPublicKeyInfo in base64, as in RFC 7469.
    /// @since 0.1.0 of this library
    pub public_key_hash: String,
    /// The only one there is.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "'SHA-256'")]
    pub hash_algorithm: String,
    /// When the pin expires, in milliseconds since 1970 as `Date.getTime()` gives. Default: never.
    /// @since 0.1.0 of this library
    pub expires: Option<f64>,
}

/// A proxy, as `HttpProxy` of `@ohos.net.connection`.
/// @since 12
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct HttpProxy {
    /// Its name or address. Empty, with the port 0: no proxy.
    /// @since 12
    pub host: String,
    /// Its port, 1 to 65535.
    /// @since 12
    pub port: f64,
    /// Destinations to reach directly: names and addresses with wildcards ('*.example.org', '192.168.*'), domains with all
    /// below them ('.example.org'), networks ('10.0.0.0/8', 'fe80::/10'); each with ':port' or for any port.
    /// @since 12
    pub exclusion_list: Vec<String>,
    /// For a proxy that asks for it (Basic and Digest; RFC 1929 with SOCKS5). Default: none.
    /// @since 12
    pub username: Option<String>,
    /// What goes with `username`. Default: empty.
    /// @since 12
    pub password: Option<String>,
    /// How the proxy is spoken to: 'http' is CONNECT, for ws and wss. With either, the proxy looks the server's name up.
    /// Default: 'http'.
    /// @since 0.1.0 of this library
    #[napi(js_name = "type", ts_type = "'http' | 'socks5'")]
    pub protocol: Option<String>,
}

/// Versions of TLS, for `minSupportTlsProtocol`.
/// @since 26.0.0
#[napi]
#[expect(non_camel_case_types, reason = "the platform's names")]
pub enum TlsProtocol {
    /// Never spoken by this library.
    /// @since 26.0.0
    TLS_V_1_0,
    /// Never spoken by this library.
    /// @since 26.0.0
    TLS_V_1_1,
    /// The lowest that is spoken.
    /// @since 26.0.0
    TLS_V_1_2,
    /// The latest.
    /// @since 26.0.0
    TLS_V_1_3,
}

/// Why an attempt failed or a connection ended, in classes that call for different answers. The numbers never change.
/// @since 0.1.0 of this library
#[napi]
#[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "as in `TlsProtocol`")]
pub enum Cause {
    /// The host's name has no address, or its lookup failed.
    /// @since 0.1.0 of this library
    LOOKUP = 1,
    /// No connection to the host: refused, unreachable, or broken off before it was open.
    /// @since 0.1.0 of this library
    CONNECT = 2,
    /// The attempt took too long.
    /// @since 0.1.0 of this library
    TIMEOUT = 3,
    /// The TLS handshake failed for another reason than a certificate.
    /// @since 0.1.0 of this library
    TLS = 4,
    /// A certificate was refused by one side, or a certificate file is unusable.
    /// @since 0.1.0 of this library
    CERTIFICATE = 5,
    /// The server, or a proxy, answered the upgrade with HTTP 400 to 499.
    /// @since 0.1.0 of this library
    HTTP_4XX = 6,
    /// The server, or a proxy, answered it with HTTP 500 to 599.
    /// @since 0.1.0 of this library
    HTTP_5XX = 7,
    /// It answered with something else that is no upgrade.
    /// @since 0.1.0 of this library
    UPGRADE = 8,
    /// An open connection broke, or nothing came from the peer in time.
    /// @since 0.1.0 of this library
    LOST = 9,
    /// The peer broke RFC 6455.
    /// @since 0.1.0 of this library
    PROTOCOL = 10,
    /// The peer closed with 1001, 1011, 1012 or 1013: it goes away, or cannot serve now.
    /// @since 0.1.0 of this library
    RESTART = 11,
    /// The peer closed with another code.
    /// @since 0.1.0 of this library
    CLOSED = 12,
    /// This side closed, or gave the attempt up.
    /// @since 0.1.0 of this library
    APPLICATION = 13,
    /// The attempt was not prepared, or not in time.
    /// @since 0.1.0 of this library
    PREPARE = 14,
    /// What the attempt was prepared with is not valid, or the system's setting of a proxy is not.
    /// @since 0.1.0 of this library
    OPTIONS = 15,
    /// A defect of this library.
    /// @since 0.1.0 of this library
    INTERNAL = 16,
}

/// Options of `close`.
/// @since 6
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct WebSocketCloseOptions {
    /// 1000 to 1003, 1007 to 1011 or 3000 to 4999 (RFC 6455 section 7.4). Default: 1000.
    /// @since 6
    pub code: Option<f64>,
    /// At most 123 bytes of UTF-8; what is longer is cut at a character. Default: "CLOSE_NORMAL".
    /// @since 6
    pub reason: Option<String>,
}

/// What `open` tells.
/// @since 23
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct OpenResult {
    /// The HTTP status of the upgrade: 101.
    /// @since 23
    pub status: f64,
    /// Its reason phrase.
    /// @since 23
    pub message: String,
}

/// What `openInfo` tells.
/// @since 26.0.0
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct WebSocketOpenInfo {
    /// The HTTP status of the upgrade: 101.
    /// @since 26.0.0
    pub status: f64,
    /// Its reason phrase.
    /// @since 26.0.0
    pub message: String,
    /// The sub-protocol the server chose; undefined for none.
    /// @since 26.0.0
    pub protocol: Option<String>,
}

/// When to connect again: after a random part of a delay that doubles from attempt to attempt. Until then `readyState` is 0,
/// messages may be sent and wait, and neither `error` nor `close` is told; they come when there will be no other attempt.
/// What the system had any part of is never sent again: its promise fails. Times are in milliseconds, 1 to 30000000.
/// @since 0.1.0 of this library
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct ReconnectOptions {
    /// The first delay is a random part of this. Default: 1000.
    /// @since 0.1.0 of this library
    pub delay: Option<f64>,
    /// What a delay is a random part of at most. Default: 30000.
    /// @since 0.1.0 of this library
    pub max_delay: Option<f64>,
    /// Attempts until a connection has been open for 5 seconds, 1 or more. Default: any number.
    /// @since 0.1.0 of this library
    pub max_attempts: Option<f64>,
    /// How long to go on. Default: for ever.
    /// @since 0.1.0 of this library
    pub max_time: Option<f64>,
    /// How long `prepareAttempt` may take after the event `prepare`. Default: 15000.
    /// @since 0.1.0 of this library
    pub prepare_timeout: Option<f64>,
    /// Make the first attempt at once. Default: false.
    /// @since 0.1.0 of this library
    pub at_once: Option<bool>,
    /// Drop what waits to be sent, or for room, when a connection is lost. Default: false.
    /// @since 0.1.0 of this library
    pub drop_queue: Option<bool>,
    /// Take no notice of the network's changes. Default: false, which needs ohos.permission.GET_NETWORK_INFO.
    /// @since 0.1.0 of this library
    pub ignore_network: Option<bool>,
    /// After which causes. Default: LOOKUP, CONNECT, TIMEOUT, TLS, HTTP_5XX, LOST, RESTART and PREPARE.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "Array<Cause>")]
    pub causes: Option<()>,
}

/// What `reconnecting` and `prepare` tell.
/// @since 0.1.0 of this library
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct ReconnectingResult {
    /// Counts the attempts, from 1.
    /// @since 0.1.0 of this library
    pub attempt: f64,
    /// Milliseconds until it begins.
    /// @since 0.1.0 of this library
    pub delay: f64,
    /// Why the connection or the attempt failed.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "Cause")]
    pub cause: f64,
    /// The code of a peer that closed.
    /// @since 0.1.0 of this library
    pub code: Option<f64>,
    /// The HTTP status of a server that refused.
    /// @since 0.1.0 of this library
    pub status: Option<f64>,
    /// A sentence for a log.
    /// @since 0.1.0 of this library
    pub message: String,
    /// Messages that were accepted and are dropped.
    /// @since 0.1.0 of this library
    pub unsent: f64,
}

/// What `reconnected` tells.
/// @since 0.1.0 of this library
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct ReconnectedResult {
    /// The attempts it took.
    /// @since 0.1.0 of this library
    pub attempts: f64,
    /// Milliseconds since the connection before was lost.
    /// @since 0.1.0 of this library
    pub downtime: f64,
}

/// What `prepareAttempt` may change.
/// @since 0.1.0 of this library
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct AttemptChange {
    /// Another URL. One of another origin gets none of the headers `Authorization`, `Cookie` and `Host` and no credentials
    /// that were given before: give them in `header`.
    /// @since 0.1.0 of this library
    pub url: Option<String>,
    /// Headers in place of those with the same names.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "Object")]
    pub header: Option<()>,
}

/// What `piece` tells. A message of up to about 128 KiB comes in one piece, first and last, unless the server sent it in fragments
/// or compressed.
/// @since 0.1.0 of this library
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct MessagePiece {
    /// A string of a text, an ArrayBuffer of a binary message. No piece of a text ends inside a character. May be empty at the end.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "string | ArrayBuffer")]
    pub data: (),
    /// Whether it begins a message. One before it that has had no last piece was lost with its connection.
    /// @since 0.1.0 of this library
    pub first: bool,
    /// Whether it ends the message.
    /// @since 0.1.0 of this library
    pub last: bool,
}

/// What `pong` tells.
/// @since 0.1.0 of this library
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct PongResult {
    /// What the ping carried.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "ArrayBuffer")]
    pub data: (),
    /// Milliseconds since the ping; undefined for a pong that answers none of ours.
    /// @since 0.1.0 of this library
    pub round_trip: Option<f64>,
}

/// What `frame` tells: the header of a frame (RFC 6455 section 5.2), never its payload.
/// @since 0.1.0 of this library
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct FrameHeader {
    /// To the server, or from it.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "'sent' | 'received'")]
    pub direction: String,
    /// Whether it is the last frame of its message, as every control frame is.
    /// @since 0.1.0 of this library
    pub fin: bool,
    /// Whether it is the first frame of a compressed message (RFC 7692).
    /// @since 0.1.0 of this library
    pub rsv1: bool,
    /// 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    /// @since 0.1.0 of this library
    pub opcode: f64,
    /// Whether its payload is masked on the wire, as that of all sent ones is and of no received one.
    /// @since 0.1.0 of this library
    pub masked: bool,
    /// Bytes of the payload on the wire.
    /// @since 0.1.0 of this library
    pub length: f64,
}

/// What `stats()` gives and the event `stats` tells: counted since the object was made, over all its connections. Bytes are those on the wire,
/// without TLS; times are in milliseconds.
/// @since 0.1.0 of this library
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct Statistics {
    /// Attempts begun.
    /// @since 0.1.0 of this library
    pub attempts: f64,
    /// Connections that were open.
    /// @since 0.1.0 of this library
    pub connections: f64,
    /// Messages the kernel has taken.
    /// @since 0.1.0 of this library
    pub messages_sent: f64,
    /// Bytes the kernel has taken.
    /// @since 0.1.0 of this library
    pub bytes_sent: f64,
    /// Messages received.
    /// @since 0.1.0 of this library
    pub messages_received: f64,
    /// Bytes received.
    /// @since 0.1.0 of this library
    pub bytes_received: f64,
    /// Bytes of the messages that were compressed.
    /// @since 0.1.0 of this library
    pub deflate_input_bytes: f64,
    /// What they were compressed to.
    /// @since 0.1.0 of this library
    pub deflate_output_bytes: f64,
    /// Pings sent, the library's own among them.
    /// @since 0.1.0 of this library
    pub pings_sent: f64,
    /// Pongs that answered one of them.
    /// @since 0.1.0 of this library
    pub pongs_received: f64,
    /// Pings that no pong has answered, up to now.
    /// @since 0.1.0 of this library
    pub pings_unanswered: f64,
    /// Pings received.
    /// @since 0.1.0 of this library
    pub pings_received: f64,
    /// Bytes that wait to be sent.
    /// @since 0.1.0 of this library
    pub buffered_bytes: f64,
    /// Messages that wait to be sent.
    /// @since 0.1.0 of this library
    pub buffered_messages: f64,
    /// The last round trip of a ping; undefined before the first.
    /// @since 0.1.0 of this library
    pub round_trip: Option<f64>,
    /// Smoothed over the last ones (RFC 6298 section 2).
    /// @since 0.1.0 of this library
    pub smoothed_round_trip: Option<f64>,
    /// The shortest.
    /// @since 0.1.0 of this library
    pub minimum_round_trip: Option<f64>,
    /// Name lookup of the last connection; undefined before it was open.
    /// @since 0.1.0 of this library
    pub lookup_time: Option<f64>,
    /// Its TCP connect.
    /// @since 0.1.0 of this library
    pub tcp_time: Option<f64>,
    /// Its tunnel through a proxy; 0 without one.
    /// @since 0.1.0 of this library
    pub proxy_time: Option<f64>,
    /// Its TLS handshake; 0 without TLS.
    /// @since 0.1.0 of this library
    pub tls_time: Option<f64>,
    /// Its upgrade.
    /// @since 0.1.0 of this library
    pub upgrade_time: Option<f64>,
}

/// What `close` tells.
/// @since 10
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct CloseResult {
    /// The code of the side that closed first; 1005 without one, 1006 when it ended without a close frame of the server.
    /// @since 10
    pub code: f64,
    /// The reason of that side, or the cause of the loss.
    /// @since 10
    pub reason: String,
    /// Why the connection ended.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "Cause")]
    pub cause: f64,
    /// Milliseconds that the connection was open.
    /// @since 0.1.0 of this library
    pub elapsed_time: f64,
    /// Milliseconds since the last byte came from the peer.
    /// @since 0.1.0 of this library
    pub idle_time: f64,
    /// Messages that were accepted and are dropped, or of which nobody will know whether the peer got them.
    /// @since 0.1.0 of this library
    pub unsent: f64,
}
