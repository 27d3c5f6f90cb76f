//! The request of callers that a session finds.

use std::pin::Pin;

use tokio::sync::OwnedMutexGuard;

use crate::client::event::Listener;
use crate::client::send_queue::Dropped;
use crate::protocol::CloseCode;

/// A close frame to send.
pub(in crate::client) struct CloseRequest {
    /// 1005 for a frame without a code.
    pub(in crate::client) code: CloseCode,
    pub(in crate::client) reason: String,
}

/// Comes when the sessions of all earlier attempts have told their last event.
pub(in crate::client) type ListenerTurn =
    Pin<Box<dyn Future<Output = OwnedMutexGuard<Box<dyn Listener>>> + Send>>;

/// What a session finds when it looks.
pub(in crate::client) enum Command {
    /// Nothing new; the waker is registered.
    None,
    /// Send a ping with this payload.
    Ping(Vec<u8>),
    /// Send this close frame after what is queued.
    Close(CloseRequest),
    /// The network has changed: see whether the connection is still there.
    NetworkChanged,
    /// End the connection now.
    Hurry,
}

/// Why a session without an open connection must end.
pub(in crate::client) enum Stop {
    /// The application cancelled before any connection was open; what was queued.
    Abandoned(Dropped),
    /// The application closed between two connections.
    Close(CloseRequest),
}
