//! The options of a server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::client::{SEND_LIMIT_BYTES, SendLimits, ServerTls, SessionOptions};

/// The default limit of connected addresses, and of connections of one address.
pub const CLIENTS_DEFAULT: usize = 10;

/// Where to listen, which clients to accept, and the options of each connection.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where to listen. Port 0 means a free port. Default: all IPv4 addresses and a free port.
    pub listen: SocketAddr,
    /// Listen at this path of the file system instead. No file may exist there. The server's end removes the file.
    /// Default none.
    pub socket_path: Option<PathBuf>,
    /// The most addresses that may be connected at a time. All clients of a path count as one. Default
    /// [`CLIENTS_DEFAULT`].
    pub addresses_max: usize,
    /// The most connections of one address, with those in their handshake. Default [`CLIENTS_DEFAULT`].
    pub connections_per_address_max: usize,
    /// How often one address may connect. Default: without a limit.
    pub rate_limit: Option<RateLimit>,
    /// The supported sub-protocols. The server chooses the first of the client's that is among them, or none. Default
    /// none.
    pub protocols: Vec<String>,
    /// The TLS options. Default: no TLS.
    pub tls: Option<ServerTls>,
    /// How long a client may take from its connection to the end of its request, including the TLS handshake. A longer time
    /// lets silent clients block others. Default 10 s.
    pub handshake_timeout: Duration,
    /// The most clients in their handshake at a time. Further clients wait in the kernel. Default 128.
    pub handshakes_max: usize,
    /// The limits of each connection's send queue. Default 64 MiB.
    pub send_limits: SendLimits,
    /// The options of each open connection. Defaults as for a client, but without compression, which costs memory per
    /// connection.
    pub session: SessionOptions,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
            socket_path: None,
            addresses_max: CLIENTS_DEFAULT,
            connections_per_address_max: CLIENTS_DEFAULT,
            rate_limit: None,
            protocols: Vec::new(),
            tls: None,
            handshake_timeout: Duration::from_secs(10),
            handshakes_max: 128,
            send_limits: SendLimits::of_bytes(SEND_LIMIT_BYTES),
            session: SessionOptions { per_message_deflate: None, ..SessionOptions::default() },
        }
    }
}

/// An address that connects more than `connections` times within `period` is refused for `ban`. The period starts with its
/// first connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The maximum number of connections.
    pub connections: u32,
    /// The period in which they are counted.
    pub period: Duration,
    /// How long the address is refused.
    pub ban: Duration,
}

impl RateLimit {
    /// The platform's server has this limit.
    pub const PLATFORM: Self =
        Self { connections: 50, period: Duration::from_secs(60), ban: Duration::from_secs(60) };
}
