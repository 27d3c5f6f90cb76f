//! The two ends of a connection, and whether the kernel still has a route between them.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// The two ends of the last connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) struct Endpoints {
    pub(in crate::client) local: SocketAddr,
    pub(in crate::client) peer: SocketAddr,
}

impl Endpoints {
    /// Whether there is a route to the peer.
    pub(in crate::client) fn has_route(self) -> bool {
        has_route(self.peer)
    }

    /// Whether this device has lost the local end's address.
    pub(in crate::client) fn is_stranded(self) -> bool {
        let bound = UdpSocket::bind(SocketAddr::new(self.local.ip(), 0));
        bound.is_err_and(|error| error.kind() == ErrorKind::AddrNotAvailable)
    }
}

/// Addresses without a host (RFC 5737, RFC 3849). A route to them is a default route.
pub(super) const ANYWHERE: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)), 9),
];

/// Whether the kernel has a route. The connect of a datagram socket looks for one and sends nothing.
pub(super) fn has_route(peer: SocketAddr) -> bool {
    let any = match peer {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let looked: io::Result<()> = UdpSocket::bind((any, 0)).and_then(|socket| socket.connect(peer));
    // A blackhole route makes the argument invalid. Other failures say nothing about routes.
    !looked.is_err_and(|error| {
        matches!(
            error.kind(),
            ErrorKind::NetworkUnreachable
                | ErrorKind::HostUnreachable
                | ErrorKind::NetworkDown
                | ErrorKind::AddrNotAvailable
                | ErrorKind::InvalidInput
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_route_to_loopback_and_recognizes_own_addresses() {
        assert!(has_route(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9)));
        let endpoints = |local: &str| Endpoints {
            local: local.parse().expect("an address"),
            peer: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9),
        };
        assert!(!endpoints("127.0.0.1:1").is_stranded());
        assert!(endpoints("192.0.2.77:1").is_stranded());
    }
}
