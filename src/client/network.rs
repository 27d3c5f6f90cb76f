//! What the network's changes mean for a connection.
//!
//! Owns the clients that want to hear of them: while there is one, the platform is listened to. Asks the kernel for a way
//! to the peer; what a change costs is the session's affair.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::link::Link;
use crate::platform::{self, NetworkNotice, NetworkWatch};

/// Those to tell. Locked for a moment only, so that a platform may tell of its network while it takes or ends the watch.
static LINKS: Mutex<Vec<Weak<Link>>> = Mutex::new(Vec::new());

/// There is one while there are links. Locked before them.
static WATCH: Mutex<Option<NetworkWatch>> = Mutex::new(None);

/// Whether the platform has a default network. One that does not tell leaves it to the routes.
static AVAILABLE: AtomicBool = AtomicBool::new(true);

fn lock<T>(mutex: &'static Mutex<T>) -> MutexGuard<'static, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A client's wish to hear of changes, until it is dropped.
pub(super) struct Subscription {
    link: Weak<Link>,
    /// Without it no change is ever heard of, so nothing may wait for one.
    watches: bool,
}

/// Has the client's session told of changes, by [`Link::network_changed`].
pub(super) fn subscribe(link: &Arc<Link>) -> Subscription {
    let mut watch = lock(&WATCH);
    let link = Arc::downgrade(link);
    lock(&LINKS).push(link.clone());
    if watch.is_none() {
        AVAILABLE.store(true, Ordering::Relaxed);
        *watch = platform::watch_network(on_notice);
    }
    Subscription { link, watches: watch.is_some() }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut watch = lock(&WATCH);
        let mut links = lock(&LINKS);
        if let Some(at) = links.iter().position(|link| link.ptr_eq(&self.link)) {
            links.swap_remove(at);
        }
        let last = links.is_empty();
        drop(links);
        if last {
            *watch = None;
        }
    }
}

fn on_notice(notice: NetworkNotice) {
    match notice {
        NetworkNotice::Lost => AVAILABLE.store(false, Ordering::Relaxed),
        NetworkNotice::Available => AVAILABLE.store(true, Ordering::Relaxed),
        NetworkNotice::Changed => {}
    }
    let links: Vec<_> = lock(&LINKS).iter().filter_map(Weak::upgrade).collect();
    links.iter().for_each(|link| link.network_changed());
}

/// The two ends of the last connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) local: SocketAddr,
    pub(super) peer: SocketAddr,
}

impl Ends {
    /// Whether there is a way to the peer.
    pub(super) fn has_route(self) -> bool {
        has_route(self.peer)
    }

    /// Whether the local end's address has left this device.
    pub(super) fn is_stranded(self) -> bool {
        let bound = UdpSocket::bind(SocketAddr::new(self.local.ip(), 0));
        bound.is_err_and(|error| error.kind() == ErrorKind::AddrNotAvailable)
    }
}

impl Subscription {
    /// Whether an attempt has a chance, as far as is known: there is a way to where the last connection led, or, when that
    /// was found by a name, to anywhere.
    pub(super) fn has_way(&self, ends: Option<Ends>, by_name: bool) -> bool {
        if !self.watches {
            return true;
        }
        AVAILABLE.load(Ordering::Relaxed)
            && (ends.is_none_or(Ends::has_route) || (by_name && ANYWHERE.into_iter().any(has_route)))
    }
}

/// Addresses that are nobody's (RFC 5737, RFC 3849): what leads there is a default route.
const ANYWHERE: [SocketAddr; 2] = [
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 9),
    SocketAddr::new(IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)), 9),
];

/// Whether the kernel knows a route. Connecting a datagram socket looks for one and sends nothing.
fn has_route(peer: SocketAddr) -> bool {
    let any = match peer {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    let looked: io::Result<()> = UdpSocket::bind((any, 0)).and_then(|socket| socket.connect(peer));
    // A blackhole route is an invalid argument. What else may fail says nothing of routes.
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
    fn finds_a_way_to_itself_and_knows_its_addresses() {
        assert!(has_route(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9)));
        let ends = |local: &str| Ends {
            local: local.parse().expect("an address"),
            peer: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9),
        };
        assert!(!ends("127.0.0.1:1").is_stranded());
        assert!(ends("192.0.2.77:1").is_stranded());
    }
}
