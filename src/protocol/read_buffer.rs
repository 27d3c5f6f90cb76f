//! The buffer between the socket and the decoder.
//!
//! Owns the memory and the read position. Knows nothing of frames.

use std::ops::Range;

use bytes::BufMut;
use bytes::buf::Limit;

/// Bytes read from the socket and not yet decoded.
///
/// Ranges in [`super::Decoded`] point into it and stay valid until the next call of [`ReadBuffer::room`].
#[derive(Default)]
pub struct ReadBuffer {
    bytes: Vec<u8>,
    start: usize,
}

impl ReadBuffer {
    /// Makes an empty buffer from the memory of `storage`.
    pub fn over(mut storage: Vec<u8>) -> Self {
        storage.clear();
        Self { bytes: storage, start: 0 }
    }

    /// Returns the memory, for another buffer to use.
    pub fn into_storage(self) -> Vec<u8> {
        self.bytes
    }

    /// The bytes not yet decoded.
    pub fn data(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// The same bytes, to unmask them.
    pub(super) fn data_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..]
    }

    /// Whether all bytes are decoded.
    pub fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    /// The memory it holds, in bytes.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Returns the room for a read of at most `most` bytes. One byte always stays free for [`ReadBuffer::with_nul`].
    pub fn room(&mut self, most: usize) -> Limit<&mut Vec<u8>> {
        if self.is_empty() {
            self.bytes.clear();
            self.start = 0;
        } else if self.start > 0 && self.bytes.capacity() - self.bytes.len() < self.bytes.capacity() / 2 {
            self.bytes.copy_within(self.start.., 0);
            self.bytes.truncate(self.bytes.len() - self.start);
            self.start = 0;
        }
        let room = self.bytes.capacity() - self.bytes.len();
        (&mut self.bytes).limit(room.saturating_sub(1).min(most))
    }

    /// Appends bytes that were not read into [`ReadBuffer::room`].
    #[inline]
    pub fn extend(&mut self, bytes: &[u8]) {
        self.bytes.reserve(bytes.len() + 1);
        self.bytes.extend_from_slice(bytes);
    }

    /// Lends the bytes of `range` with one NUL after them. The NUL is there only for the call.
    #[inline]
    pub fn with_nul<R>(&mut self, range: Range<usize>, lend: impl FnOnce(&mut [u8]) -> R) -> R {
        let Range { start, end } = range;
        let is_last = end == self.bytes.len();
        if is_last {
            self.bytes.push(0);
        }
        let kept = std::mem::replace(&mut self.bytes[end], 0);
        let result = lend(&mut self.bytes[start..=end]);
        self.bytes[end] = kept;
        if is_last {
            self.bytes.truncate(end);
        }
        result
    }

    /// The bytes of a range in [`super::Decoded`].
    pub fn slice(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range]
    }

    /// The same bytes, to unmask them.
    pub(super) fn slice_mut(&mut self, range: Range<usize>) -> &mut [u8] {
        &mut self.bytes[range]
    }

    /// The index of the first byte not yet decoded.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Marks the next `count` bytes as decoded.
    pub(super) fn consume(&mut self, count: usize) {
        self.start += count;
    }
}
