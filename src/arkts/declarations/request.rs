//! What `connect` takes.

use napi_derive_ohos::napi;

/// Options of `connect`. A field that is undefined has its default. So has a field of the platform's that has a wrong type, as there, with
/// a warning in the log. A field that no option has is left out, with a warning that names the nearest. A wrong field of this library
/// is 401.
/// @since 6
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct WebSocketRequestOptions {
    /// Headers of the upgrade request: names and values, which are strings, numbers or booleans. A value that is undefined, null or empty
    /// is left out; any other is 401. Of names that differ in case alone the last counts. `Sec-WebSocket-Protocol` among them offers
    /// sub-protocols.
    /// @since 6
    #[napi(ts_type = "Object")]
    pub header: Option<()>,
    /// PEM or DER file of the certificate authorities to trust instead of the system's, or folder with such files. A file that
    /// cannot be used is the event `error` with 2302002. Default: the system's store.
    /// @since 11
    pub ca_path: Option<String>,
    /// Trust the authorities of `caPath` and those of the system. Default: false.
    /// @since 0.1.0 of this library
    pub ca_path_adds_to_system: Option<bool>,
    /// Trust, beside those of the system's store, the authorities that users of the device have installed: those of the current
    /// user and those for all users. Default: those of the current user, unless the app's `network_config.json` has
    /// `trust-current-user-ca: false`; none of those for all users.
    /// @since 0.1.0 of this library
    pub trust_user_authorities: Option<bool>,
    /// How far the app's `network_config.json` is heeded. 'platform' heeds what the platform's WebSocket does, `trust-current-user-ca`.
    /// 'strict' also heeds pins, trust anchors and the ban of clear text, as the platform's `http` module does. What the system cannot
    /// tell is then the event `error`; that needs API 12, and API 18 for ws. Default: 'platform'.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "'platform' | 'strict'")]
    pub network_security_config: Option<String>,
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
    /// Seconds between pings, 0 to 30000; 0 for none. A number out of range counts as the default. Default: 25, which is less
    /// than the 30 s after which many servers end an idle connection.
    /// @since 21
    pub ping_interval: Option<f64>,
    /// Seconds after a ping within which something must come, 0 to `pingInterval`; 0 for no limit. A number out of range counts as
    /// `pingInterval`, unless it is the default. They begin anew while what was sent before the ping is on its way, and arrives.
    /// Default: 30.
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
    /// certificate and `tlsServerName` are not for another origin. Default: 4, as on the
    /// platform.
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
    /// Send a message of more than 1 MiB in fragments of 256 KiB (RFC 6455 5.4), so that pongs, pings and the close frame pass between
    /// them. Switch it off for a server that refuses fragments. Default: true.
    /// @since 0.1.0 of this library
    pub fragment_messages: Option<bool>,
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
    /// PEM or DER file of the certificate, followed by those of its issuers.
    /// @since 11
    pub cert_path: String,
    /// PEM or DER file of its key: PKCS#8, SEC1 or PKCS#1.
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
    /// Its name or address; empty for no proxy. As on the platform, `[http://][user[:password]@]host[:port][/]` will do as well, in which
    /// nothing is percent-encoded; `username` and `password` come first, and the port in it before `port`.
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
