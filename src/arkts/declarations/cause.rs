//! Why a connection ended.

use napi_derive_ohos::napi;

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
    /// An open connection broke, or nothing came from the peer in time. Also a close frame with 1000 or without a code that
    /// ends an absence: the process or the device stood still for 10 s or more, and the server has answered no ping since.
    /// @since 0.1.0 of this library
    LOST = 9,
    /// The peer broke RFC 6455. A flawed close frame has the cause of its code instead, if that has one.
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
    /// What the attempt was prepared with is not valid, or the system's setting of a proxy is not; or `networkSecurityConfig` is
    /// 'strict', and the app's `network_config.json` forbids the attempt or cannot be known.
    /// @since 0.1.0 of this library
    OPTIONS = 15,
    /// A defect of this library.
    /// @since 0.1.0 of this library
    INTERNAL = 16,
    /// The server ended the connection in order, and gave no answer to the upgrade.
    /// @since 0.1.0 of this library
    NO_ANSWER = 17,
}
