//! The effects of network changes on a connection.
//!
//! Owns the list of subscribers. While it is not empty, the library receives network changes from the platform. Asks
//! the kernel for a route to the peer. The session decides what a change means.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use super::route::{ANYWHERE, Endpoints, has_route};
use crate::platform::{self, NetworkNotice, NetworkWatch};
use crate::sync::lock;

/// The subscribers. Locked only briefly, because a platform may report a change while the library registers or
/// unregisters.
static SUBSCRIBERS: Mutex<Vec<Weak<dyn Notified>>> = Mutex::new(Vec::new());

/// Present while there are subscribers. Locked before them.
static WATCH: Mutex<Option<NetworkWatch>> = Mutex::new(None);

/// Whether the platform has a default network. If the platform does not report it, only the routes count.
static AVAILABLE: AtomicBool = AtomicBool::new(true);

/// A receiver of network changes.
pub(in crate::client) trait Notified: Send + Sync {
    /// The network has changed. Called on any thread, and must not block.
    fn network_changed(&self);
}

/// A client's subscription to network changes. Its drop ends it.
pub(in crate::client) struct Subscription {
    subscriber: Weak<dyn Notified>,
    /// Without the registration no change arrives, so nothing may wait for one.
    watches: bool,
}

/// Reports changes to `subscriber` until the subscription is dropped.
pub(in crate::client) fn subscribe(subscriber: Arc<dyn Notified>) -> Subscription {
    let mut watch = lock(&WATCH);
    let subscriber = Arc::downgrade(&subscriber);
    lock(&SUBSCRIBERS).push(subscriber.clone());
    if watch.is_none() {
        AVAILABLE.store(true, Ordering::Relaxed);
        *watch = platform::watch_network(on_notice);
    }
    Subscription { subscriber, watches: watch.is_some() }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut watch = lock(&WATCH);
        let mut subscribers = lock(&SUBSCRIBERS);
        if let Some(at) = subscribers.iter().position(|known| known.ptr_eq(&self.subscriber)) {
            subscribers.swap_remove(at);
        }
        let last = subscribers.is_empty();
        drop(subscribers);
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
    let subscribers: Vec<_> = lock(&SUBSCRIBERS).iter().filter_map(Weak::upgrade).collect();
    subscribers.iter().for_each(|subscriber| subscriber.network_changed());
}

impl Subscription {
    /// Whether an attempt may succeed, as far as is known. There must be a route to the last connection's address. If
    /// the host is a name, any route suffices.
    pub(in crate::client) fn has_route(&self, endpoints: Option<Endpoints>, by_name: bool) -> bool {
        if !self.watches {
            return true;
        }
        AVAILABLE.load(Ordering::Relaxed)
            && (endpoints.is_none_or(Endpoints::has_route)
                || (by_name && ANYWHERE.into_iter().any(has_route)))
    }
}
