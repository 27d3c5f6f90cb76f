//! What carries bytes: sockets, TLS over them, the routes below them, and news of the network.
//!
//! Knows nothing of HTTP and of WebSockets.

mod route;
mod socket;
mod stream;
mod watch;

pub(super) use self::route::Endpoints;
pub(super) use self::socket::{LastActivity, Socket};
pub(super) use self::stream::Stream;
pub(super) use self::watch::{Notified, Subscription, subscribe};
