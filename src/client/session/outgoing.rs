//! The chunks that a session has taken from the send queue and not yet written, with their sum.
//!
//! A queue may hold thousands of chunks, and each write needs their sum. So the sum is stored, and computed again only after a
//! rare change.

use std::collections::VecDeque;
use std::ops::Deref;

use crate::client::send_queue::{Backlog, Chunk, FLOOD_BYTES};

/// The chunks, in the order of sending.
#[derive(Default)]
pub(super) struct Outgoing {
    chunks: VecDeque<Chunk>,
    sum: Backlog,
    /// False after a change, until the sum is computed again. Until then it may be any number.
    knows_sum: bool,
    /// A message among them may still need compression.
    uncompressed: bool,
    /// Much was ever found queued at once.
    was_flooded: bool,
    /// So much in several messages, since the last look.
    flooded: bool,
}

impl Outgoing {
    /// Lets `queue` append chunks.
    pub(super) fn take<T>(&mut self, queue: impl FnOnce(&mut VecDeque<Chunk>) -> T) -> T {
        let before = self.chunks.len();
        let result = queue(&mut self.chunks);
        if self.chunks.len() > before {
            let taken = Backlog::of(self.chunks.range(before..));
            self.sum.bytes = self.sum.bytes.wrapping_add(taken.bytes);
            self.sum.messages = self.sum.messages.wrapping_add(taken.messages);
            let much = taken.bytes >= FLOOD_BYTES;
            self.was_flooded |= much;
            self.flooded |= much && taken.messages > 1;
            self.uncompressed |= self.chunks.range(before..).any(|chunk| chunk.uncompressed.is_some());
        }
        result
    }

    pub(super) fn pop_front(&mut self) -> Option<Chunk> {
        let chunk = self.chunks.pop_front()?;
        self.sum.bytes = self.sum.bytes.wrapping_sub(chunk.len());
        self.sum.messages = self.sum.messages.wrapping_sub(chunk.messages);
        Some(chunk)
    }

    #[inline]
    pub(super) fn sum(&mut self) -> Backlog {
        if !self.knows_sum {
            (self.sum, self.knows_sum) = (Backlog::of(&self.chunks), true);
        }
        debug_assert_eq!(self.sum, Backlog::of(&self.chunks));
        self.sum
    }

    /// The chunks, for any change except an additional message that needs compression.
    pub(super) fn edit(&mut self) -> &mut VecDeque<Chunk> {
        self.knows_sum = false;
        &mut self.chunks
    }

    /// Whether callers were ever that much faster than the session.
    pub(super) fn was_flooded(&self) -> bool {
        self.was_flooded
    }

    /// Whether they went on after a message, since the last look.
    pub(super) fn take_flooded(&mut self) -> bool {
        std::mem::take(&mut self.flooded)
    }

    pub(super) fn may_have_uncompressed(&self) -> bool {
        self.uncompressed
    }

    pub(super) fn has_no_uncompressed(&mut self) {
        debug_assert!(self.chunks.iter().all(|chunk| chunk.uncompressed.is_none()));
        self.uncompressed = false;
    }
}

impl Deref for Outgoing {
    type Target = VecDeque<Chunk>;

    fn deref(&self) -> &Self::Target {
        &self.chunks
    }
}
