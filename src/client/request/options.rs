//! The choices of an application for one connection, unchecked, with their defaults and limits.

use std::time::Duration;

use crate::client::headers::RawHeader;
use crate::client::proxy::{Credentials, Proxy};
use crate::client::reconnect::Reconnect;
use crate::client::tls::TlsOptions;
use crate::protocol::PerMessageDeflate;

/// The most headers an application may add.
pub const HEADER_COUNT_MAX: usize = 8_192;
/// The most bytes of those headers together, as sent.
pub const HEADER_BYTES_MAX: usize = 65_536;

/// The choices of an application for one connection, unchecked.
#[derive(Clone, Debug)]
pub struct Options {
    /// Headers for the upgrade request, in order. The library sets those of the handshake itself: Upgrade, Connection,
    /// Sec-WebSocket-Key, -Version and -Extensions. Such a header is left out with a warning.
    pub headers: Vec<RawHeader>,
    /// Sub-protocols, comma-separated, preferred first; empty for none.
    pub protocols: String,
    /// Fail if the server chooses none of those sub-protocols. Default no, as on the platform.
    pub protocol_required: bool,
    /// The TLS options, for URLs with TLS.
    pub tls: TlsOptions,
    /// How to reach the server. Default: by the system's default proxy, if there is one.
    pub proxy: Proxy,
    /// Names with their addresses, comma-separated. These names are not looked up. Default none.
    pub hosts: Vec<(String, String)>,
    /// For Basic authentication (RFC 7617), instead of the URL's. A header `Authorization` comes before both. Default none.
    pub credentials: Option<Credentials>,
    /// How many redirects are followed, at most [`REDIRECTS_MAX`]. A redirect from TLS to plain TCP is not followed.
    /// Another origin does not get what belongs to one: `Authorization`, `Cookie` and `Host`, the client's certificate,
    /// the name for TLS. Default 4, as on the platform.
    pub max_redirects: u8,
    /// Add the port to `Origin`, unless it is the scheme's default (RFC 6454 section 6.2). Default no, as on the
    /// platform.
    pub origin_port: bool,
    /// Limit of a whole attempt, from the name lookup to the upgrade. Default 15 s.
    pub connect_timeout: Duration,
    /// Limits of its steps. Default none.
    pub phase_timeouts: PhaseTimeouts,
    /// The options of an open connection.
    pub session: SessionOptions,
    /// Reconnect after a failure. Default no.
    pub reconnect: Option<Reconnect>,
    /// The id of a HiTrace chain, which the client's log lines show. Default none.
    pub trace_id: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            headers: Vec::new(),
            protocols: String::new(),
            protocol_required: false,
            tls: TlsOptions::default(),
            proxy: Proxy::System,
            hosts: Vec::new(),
            credentials: None,
            max_redirects: REDIRECTS_DEFAULT,
            origin_port: false,
            connect_timeout: Duration::from_secs(15),
            phase_timeouts: PhaseTimeouts::default(),
            session: SessionOptions::default(),
            reconnect: None,
            trace_id: None,
        }
    }
}

/// The options of an open connection. They pass as one value from the application to the session.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// How long to wait for the peer's close frame before the connection is dropped. Default 5 s.
    pub close_timeout: Duration,
    /// Time between pings; `None` for none. Default 25 s: many servers and gateways end a connection after 30 s without
    /// traffic.
    pub ping_interval: Option<Duration>,
    /// How long after a ping the peer may be silent. `None` for ever. The time restarts while the peer still
    /// acknowledges data sent before the ping. Default 30 s.
    pub pong_timeout: Option<Duration>,
    /// The compression to offer (RFC 7692); `None` for none. Default: with both contexts taken over and full windows.
    pub per_message_deflate: Option<PerMessageDeflate>,
    /// The largest message to receive, in bytes. A larger one ends the connection with 1009. Default 64 MiB.
    pub message_limit: u64,
    /// Deliver a message in pieces, as they arrive, if it is not whole in the read buffer. Default no.
    pub in_pieces: bool,
    /// How often [`crate::client::Listener::statistics`] is called; `None` for never. Default never.
    pub statistics_interval: Option<Duration>,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            close_timeout: Duration::from_secs(5),
            ping_interval: Some(Duration::from_secs(25)),
            pong_timeout: Some(Duration::from_secs(30)),
            per_message_deflate: Some(PerMessageDeflate::default()),
            message_limit: 67_108_864,
            in_pieces: false,
            statistics_interval: None,
        }
    }
}

/// Limits of the steps of an attempt. `None` leaves only the limit of the whole attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseTimeouts {
    /// The lookup, until there is an address.
    pub lookup: Option<Duration>,
    /// TCP, until one of the addresses has answered.
    pub tcp: Option<Duration>,
    /// The tunnel through a proxy.
    pub proxy: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// The upgrade.
    pub upgrade: Option<Duration>,
}

/// The default maximum number of redirects.
pub const REDIRECTS_DEFAULT: u8 = 4;
/// The largest maximum number of redirects.
pub const REDIRECTS_MAX: u8 = 5;
