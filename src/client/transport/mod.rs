//! The transport of bytes: sockets, TLS, routes, and changes of the network.
//!
//! Knows nothing of HTTP or WebSockets.

mod route;
mod socket;
mod stream;
#[cfg(not(feature = "simulation"))]
mod tcp;
mod tls;
mod watch;

#[cfg(feature = "simulation")]
use crate::simulation::tcp;

pub(super) use self::route::Endpoints;
pub(crate) use self::socket::Socket;
pub(crate) use self::stream::Stream;
pub(crate) use self::tcp::Tcp;
pub(crate) use self::tls::TlsStream;

pub(super) use self::socket::LastActivity;
pub(super) use self::tcp::LentSocket;
pub(super) use self::watch::{Notified, Subscription, subscribe};
