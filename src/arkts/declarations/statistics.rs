//! What `stats` tells.

use napi_derive_ohos::napi;

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
