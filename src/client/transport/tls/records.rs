//! The bytes of a TLS connection that wait, and the memory for them.
//!
//! Most of the time none wait. Then the memory stays with the thread, for its next connection.

use std::cell::Cell;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::BufMut;
use rustls::{Error, InvalidMessage};
use tokio::io::{AsyncReadExt, AsyncWrite, ReadBuf};

use crate::client::transport::socket::{Direct, Socket};

/// The most received bytes that wait to be decrypted. A message of a handshake must fit, with its records.
const INCOMING_BYTES_MAX: usize = 65_536;
/// As many bytes of records are enough for rustls at once, when it takes more than one record.
const MANY_BYTES: usize = 16_384;
/// The first bytes of a record: its type, a version, and the length of the rest (RFC 8446 section 5.1).
pub(super) const HEADER_BYTES: usize = 5;

/// Memory of the thread, without contents.
pub(super) struct Spare {
    incoming: Cell<Vec<u8>>,
    outgoing: Cell<Vec<u8>>,
    pub(super) joined: Cell<Vec<u8>>,
}

thread_local! {
    static SPARE: Spare = const {
        Spare { incoming: Cell::new(Vec::new()), outgoing: Cell::new(Vec::new()), joined: Cell::new(Vec::new()) }
    };
}

/// A thread that ends has no memory for others, and needs none.
pub(super) fn take_spare(which: fn(&Spare) -> &Cell<Vec<u8>>) -> Vec<u8> {
    SPARE.try_with(|spare| which(spare).take()).unwrap_or_default()
}

/// The thread keeps the larger of two.
pub(super) fn give_spare(which: fn(&Spare) -> &Cell<Vec<u8>>, memory: Vec<u8>) {
    let _ = SPARE.try_with(|spare| {
        let spare = which(spare);
        let known = spare.take();
        spare.set(if known.capacity() > memory.capacity() { known } else { memory });
    });
}

/// Received bytes, from `start` on. rustls decrypts records where they lie.
#[derive(Default)]
pub(super) struct Incoming {
    bytes: Vec<u8>,
    pub(super) start: usize,
    /// The first bytes that rustls knows and still needs: whole records with a part of a message.
    pub(super) known: usize,
}

impl Incoming {
    fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// The end of the record that begins there, if it is whole.
    fn record_end(&self, begin: usize) -> Option<usize> {
        let [_, _, _, high, low, ..] = self.bytes[self.start + begin..] else { return None };
        let end = begin + HEADER_BYTES + usize::from(u16::from_be_bytes([high, low]));
        (end <= self.len()).then_some(end)
    }

    /// Whether there is a whole record that rustls does not know.
    pub(super) fn has_record(&self) -> bool {
        self.record_end(self.known).is_some()
    }

    /// The bytes up to the end of the first record that rustls does not know, and whether the record is whole. If it takes
    /// many, up to the end of the last whole one.
    pub(super) fn next(&self, takes_many: bool) -> (usize, bool) {
        let mut end = self.known;
        while let Some(next) = self.record_end(end) {
            end = next;
            if !takes_many || end >= self.known + MANY_BYTES {
                break;
            }
        }
        match end > self.known {
            true => (end, true),
            false => (self.len(), false),
        }
    }

    pub(super) fn first(&mut self, count: usize) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + count]
    }

    /// Reads from the socket. `Ok(0)` at its end.
    pub(super) fn poll_fill(&mut self, socket: &mut Socket, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.len() >= INCOMING_BYTES_MAX {
            let error = Error::InvalidMessage(InvalidMessage::HandshakePayloadTooLarge);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, error)));
        }
        if self.bytes.capacity() < INCOMING_BYTES_MAX {
            let mut memory = take_spare(|spare| &spare.incoming);
            memory.clear();
            memory.reserve(INCOMING_BYTES_MAX);
            self.move_to(memory);
        } else if self.len() == 0 || self.bytes.len() > INCOMING_BYTES_MAX / 2 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        let room = INCOMING_BYTES_MAX - self.bytes.len();
        let read = pin!(Direct(socket).read_buf(&mut (&mut self.bytes).limit(room))).poll(cx);
        if read.is_pending() {
            self.release();
        }
        read
    }

    #[cfg(all(test, not(feature = "simulation")))]
    pub(super) fn memory(&self) -> usize {
        self.bytes.capacity()
    }

    /// Gives the memory to the thread. What waits moves to its own.
    pub(super) fn release(&mut self) {
        let memory = Vec::with_capacity(self.len());
        let memory = self.move_to(memory);
        give_spare(|spare| &spare.incoming, memory);
    }

    fn move_to(&mut self, mut memory: Vec<u8>) -> Vec<u8> {
        memory.extend_from_slice(&self.bytes[self.start..]);
        self.start = 0;
        std::mem::replace(&mut self.bytes, memory)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if self.bytes.capacity() >= INCOMING_BYTES_MAX {
            give_spare(|spare| &spare.incoming, std::mem::take(&mut self.bytes));
        }
    }
}

/// There is nothing that could be added.
pub(super) struct Exhausted;

/// Records to write, from `start` to `end`.
#[derive(Default)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

impl Outgoing {
    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Whether the kernel may have a part of them.
    pub(super) fn has_begun(&self) -> bool {
        self.start > 0
    }

    /// Adds what `write` puts into the room of `count` bytes. It returns how much that is, or how much room it needs. No
    /// more than it has means that it can write nothing.
    pub(super) fn add(
        &mut self,
        mut count: usize,
        mut write: impl FnMut(&mut [u8]) -> Result<usize, usize>,
    ) -> Result<(), Exhausted> {
        if self.bytes.is_empty() {
            self.bytes = take_spare(|spare| &spare.outgoing);
        }
        loop {
            if self.bytes.len() < self.end + count {
                self.bytes.resize(self.end + count, 0);
            }
            match write(&mut self.bytes[self.end..]) {
                Ok(written) => {
                    self.end += written;
                    return Ok(());
                }
                Err(needed) if needed > self.bytes.len() - self.end => count = needed,
                Err(_) => return Err(Exhausted),
            }
        }
    }

    pub(super) fn poll_write(&mut self, socket: &mut Socket, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.is_empty() {
            match Pin::new(&mut *socket).poll_write(cx, &self.bytes[self.start..self.end]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => self.start += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    // The connection may wait long. It keeps no more than it needs.
                    if (self.end - self.start) < self.bytes.len() / 2 {
                        let rest = self.bytes[self.start..self.end].to_vec();
                        (self.start, self.end) = (0, rest.len());
                        self.release(rest);
                    }
                    return Poll::Pending;
                }
            }
        }
        (self.start, self.end) = (0, 0);
        if !self.bytes.is_empty() {
            self.release(Vec::new());
        }
        Poll::Ready(Ok(()))
    }

    fn release(&mut self, instead: Vec<u8>) {
        give_spare(|spare| &spare.outgoing, std::mem::replace(&mut self.bytes, instead));
    }
}

/// Plaintext that did not fit into the reader's buffer, from `start` on.
#[derive(Default)]
pub(super) struct Rest {
    pub(super) bytes: Vec<u8>,
    start: usize,
}

impl Rest {
    pub(super) fn move_to(&mut self, buf: &mut ReadBuf<'_>) {
        let rest = &self.bytes[self.start..];
        let count = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..count]);
        self.start += count;
        if self.start == self.bytes.len() {
            *self = Self::default();
        }
    }
}
