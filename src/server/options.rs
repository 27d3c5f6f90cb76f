//! What an application asks of a server.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::client::{SEND_LIMIT_BYTES, SendLimits, ServerTls, SessionOptions};

/// Addresses that may be connected at a time, and connections of one, unless other numbers are asked for.
pub const CLIENTS_DEFAULT: usize = 10;

/// How to listen, whom to let in, and what holds for each connection.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Where to listen. Port 0 stands for one that is free. Default: all addresses of IPv4, and a free port.
    pub listen: SocketAddr,
    /// How many addresses may be connected at a time. Default [`CLIENTS_DEFAULT`].
    pub addresses_max: usize,
    /// How many connections one address may have at a time, those in their handshake among them. Default [`CLIENTS_DEFAULT`].
    pub connections_per_address_max: usize,
    /// How often one address may connect. Default: as often as it likes.
    pub rate_limit: Option<RateLimit>,
    /// The sub-protocols that are spoken here. Of those that a client offers, the first that is among them is chosen. A client
    /// that offers none of them is told none. Default none.
    pub protocols: Vec<String>,
    /// Speak TLS, and how. Default no.
    pub tls: Option<ServerTls>,
    /// How long a client may take from its connection to the end of its request, its TLS handshake among it. A longer time lets
    /// more of those who say nothing keep others out. Default 10 s.
    pub handshake_timeout: Duration,
    /// How many clients may be in their handshake at a time. While there are so many no other one is accepted: they wait in the
    /// kernel. Default 128.
    pub handshakes_max: usize,
    /// How much may wait to be sent on each connection. Default 64 MiB.
    pub send_limits: SendLimits,
    /// What holds for each connection once it is open. By default as for a client, but without compression, whose memory each
    /// connection would have.
    pub session: SessionOptions,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
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

/// An address that connects more often than `connections` times within `period`, counted from its first connection, is kept out
/// for `ban`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// So often it may.
    pub connections: u32,
    /// Within this time.
    pub period: Duration,
    /// How long it is kept out.
    pub ban: Duration,
}

impl RateLimit {
    /// That of the platform's server.
    pub const PLATFORM: Self =
        Self { connections: 50, period: Duration::from_secs(60), ban: Duration::from_secs(60) };
}
