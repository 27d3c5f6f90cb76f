//! The access to a connection's socket. Its session writes, or a caller that queues faster than the session.
//!
//! A caller that floods the queue would fill much memory while the session waits for its turn. The session would then
//! write data that has left the caches. So a flooded session lends its socket and its unwritten data whenever it does
//! not run. When so much waits that [`crate::client::send_queue::SendQueue::needs_help`] says so, a caller takes it and
//! writes, without blocking and without the lock. The session runs only while no caller writes, so each has the socket
//! alone and the order of the data stays. Only the session calls the listener.

use std::collections::VecDeque;

use crate::client::send_queue::{Backlog, Chunk};
use crate::client::transport::LentSocket;

/// The things that a session lends.
#[derive(Default)]
pub(super) struct Outlet {
    pub(super) holder: Holder,
    pub(super) socket: Option<LentSocket>,
    /// The session will check by itself whether data is left.
    pub(super) watched: bool,
    /// Data to write before the queue.
    pub(super) rest: Rest,
    /// The number of bytes that callers have written since the session's last check.
    pub(super) written: usize,
}

impl Outlet {
    /// Whether the session will find waiting data by itself.
    pub(super) fn is_watched(&self) -> bool {
        self.holder == Holder::Free && self.watched
    }
}

#[derive(Default, PartialEq, Eq)]
pub(super) enum Holder {
    /// The session has the socket.
    #[default]
    Session,
    /// Nobody has the socket. A caller may take it.
    Free,
    /// Nobody has the socket. The session takes it next.
    Returned {
        /// The kernel's buffer is full for now.
        full: bool,
    },
    /// The session waits until the kernel takes more, and a caller would do the same. A message need not wake it.
    Blocked,
    /// A caller is writing.
    Caller {
        /// The session takes the socket next.
        awaited: bool,
    },
}

/// Chunks that were taken from the queue and not yet written.
#[derive(Default)]
pub(in crate::client) struct Rest {
    pub(in crate::client) chunks: VecDeque<Chunk>,
    /// The number of written bytes of the first chunk.
    pub(in crate::client) of_first: usize,
    /// The unwritten part of the chunks at the time of lending. It includes the session's control frames.
    pub(in crate::client) pending: Backlog,
}
