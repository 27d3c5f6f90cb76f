//! The writer of a connection's socket: its session, or a caller that queues faster than the session writes.
//!
//! A caller that floods the queue would fill much memory while the session waits for its turn. The session would then write data
//! that have left the caches. So a flooded session lends its socket and its unwritten data whenever it does not run. From
//! [`crate::client::send_queue::FLOOD_BYTES`] waiting on, a caller takes them and writes, without blocking and without the lock.
//! The session runs only while no caller writes: each has the socket by itself, and what is begun stays first. Only the session
//! calls the listener.

use std::collections::VecDeque;

use crate::client::send_queue::{Backlog, Chunk};
use crate::client::transport::LentSocket;

/// What a session lends.
#[derive(Default)]
pub(super) struct Outlet {
    pub(super) holder: Holder,
    pub(super) socket: Option<LentSocket>,
    /// The session will look by itself whether there is something left.
    pub(super) watched: bool,
    /// Data to write before the queue.
    pub(super) rest: Rest,
    /// Bytes that callers have written since the session has looked.
    pub(super) written: usize,
}

impl Outlet {
    /// Whether the session will find by itself what waits.
    pub(super) fn is_watched(&self) -> bool {
        self.holder == Holder::Free && self.watched
    }
}

#[derive(Default, PartialEq, Eq)]
pub(super) enum Holder {
    /// The session.
    #[default]
    Session,
    /// No one: a caller may take it.
    Free,
    /// No one has the socket, and the session takes it next.
    Returned {
        /// The kernel's buffer is full for now.
        full: bool,
    },
    /// The session waits until the kernel takes more, and so would a caller. A message need not wake it.
    Blocked,
    /// A caller is writing.
    Caller {
        /// The session takes the socket next.
        awaited: bool,
    },
}

/// Chunks that were taken from the queue and are not written.
#[derive(Default)]
pub(in crate::client) struct Rest {
    pub(in crate::client) chunks: VecDeque<Chunk>,
    /// Bytes of the first of them that are written.
    pub(in crate::client) of_first: usize,
    /// What is in them, as far as it is not written, when a session lends them: control frames of its own are among it.
    pub(in crate::client) pending: Backlog,
}
