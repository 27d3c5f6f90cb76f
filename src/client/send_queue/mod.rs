//! The send queue of a client: messages as frames, in their order, within limits.
//!
//! Owns accepted messages until a session takes them. Counts the bytes that a session has taken and the kernel has not.
//! Knows no connection state, no lock and no waker.

mod chunk;
mod refusal;

use std::collections::VecDeque;
use std::sync::Arc;

pub use self::chunk::Payload;
pub use self::refusal::SendError;

pub(super) use self::chunk::{
    Backlog, Chunk, Compressing, Dropped, FRAGMENT_BYTES, Tail, WHOLE_BYTES_MAX, owned_chunks, recycle_chunk,
    undo_fragments,
};

use self::chunk::{
    CHUNK_BYTES, SPARE_BYTES_MAX, chunk_memory, drop_continuations, frames_of, try_chunk_memory,
};
use super::event::Receipt;
use crate::protocol::{Encoder, FRAME_HEADER_BYTES_MAX, MessageType, PiecePosition, Role, Utf8Validator};

/// A session that finds this many unsent bytes lends its socket to callers.
pub(super) const FLOOD_BYTES: usize = 60_000;
/// From this many unsent bytes of all lenders on, or from half of the limit, a caller writes as many in one call. The
/// kernel takes them in some 120 µs. With each call it also has them received, on this device. So few long calls take less
/// time than many short ones: 64 KiB take 17 µs in calls of 256 KiB, 13 in calls of 512 KiB, and 10 in calls of this length.
/// Of calls of 1 MiB, the kernel often takes a part only.
pub(super) const HELPED_BYTES: usize = 786_432;
const _: () = assert!(HELPED_BYTES <= SPARE_BYTES_MAX);

/// No message has so many bytes.
const NEVER_COMPRESSED: usize = usize::MAX;

/// Limits of the queue, and the form of its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendLimits {
    /// The most bytes, with frame headers. Default [`crate::client::SEND_LIMIT_BYTES`].
    pub bytes: usize,
    /// A queue that exceeded this number of bytes has drained when it is down to it. Default a quarter.
    pub low_water: usize,
    /// The most messages. A queue with more than a quarter of them has drained when it is down to that quarter. Default
    /// any number.
    pub messages: usize,
    /// A long message is sent in fragments, so that control frames pass between them. Default yes.
    pub fragments: bool,
}

impl SendLimits {
    /// Limits the bytes alone.
    pub fn of_bytes(bytes: usize) -> Self {
        Self { bytes, low_water: bytes / 4, messages: usize::MAX, fragments: true }
    }
}

/// A long message that was prepared without a lock on the queue.
pub(super) struct Prepared(VecDeque<Chunk>);

/// How to queue a message.
#[derive(Clone, Copy)]
pub(super) struct Form {
    role: Role,
    kind: MessageType,
    length: usize,
    compressed: bool,
    fragments: bool,
}

impl Form {
    /// Whether the copy takes too long for the lock on the queue.
    pub(super) fn is_long(self) -> bool {
        self.length > CHUNK_BYTES
    }

    pub(super) fn prepare(self, payload: &[u8]) -> Result<Prepared, SendError> {
        let Self { role, kind, length, compressed, fragments } = self;
        if compressed {
            let mut bytes = Vec::new();
            bytes.try_reserve_exact(length).map_err(|_| SendError::NoMemory)?;
            bytes.extend_from_slice(payload);
            return Ok(Prepared(
                [Chunk { bytes, uncompressed: Some(kind), messages: 1, ..Chunk::default() }].into(),
            ));
        }
        let mut encoder = Encoder::new(role);
        let frames = frames_of(length, fragments).map(|(range, position)| {
            let mut bytes = try_chunk_memory(range.len() + FRAME_HEADER_BYTES_MAX)?;
            encoder.fragment(&mut bytes, kind, &payload[range], position);
            Ok(Chunk { bytes, messages: usize::from(position.last), ..Chunk::default() })
        });
        frames.collect::<Result<_, _>>().map(Prepared)
    }
}

/// A message that an application sends piece by piece and has not ended.
struct Unfinished {
    kind: MessageType,
    utf8: Utf8Validator,
    /// Its first pieces were lost with a connection.
    interrupted: bool,
}

/// See the module.
pub(super) struct SendQueue {
    chunks: VecDeque<Chunk>,
    /// The sum of `chunks`.
    queued: Backlog,
    /// Bytes and messages that a session has taken and the kernel has not accepted.
    in_flight: Backlog,
    limits: SendLimits,
    /// More than the low-water marks was unsent since the last drained event.
    above_low_water: bool,
    role: Role,
    encoder: Encoder,
    /// The session compresses messages of at least this size, in their order.
    compress_from: usize,
    /// The message that is sent piece by piece and has not ended.
    unfinished: Option<Unfinished>,
}

impl SendQueue {
    pub(super) fn new(role: Role, limits: SendLimits) -> Self {
        Self {
            chunks: VecDeque::new(),
            queued: Backlog::default(),
            in_flight: Backlog::default(),
            limits,
            above_low_water: false,
            role,
            encoder: Encoder::new(role),
            compress_from: NEVER_COMPRESSED,
            unfinished: None,
        }
    }

    pub(super) fn set_limits(&mut self, limits: SendLimits) {
        self.limits = limits;
    }

    /// See [`SendLimits::fragments`].
    pub(super) fn sends_fragments(&self) -> bool {
        self.limits.fragments
    }

    /// From now on the session compresses messages of at least `least` bytes; with `None` it compresses none.
    pub(super) fn compress_from(&mut self, least: Option<usize>) {
        self.compress_from = least.unwrap_or(NEVER_COMPRESSED);
    }

    /// Accepted messages, and their bytes, that have not reached the kernel.
    pub(super) fn backlog(&self) -> Backlog {
        Backlog {
            bytes: self.queued.bytes + self.in_flight.bytes,
            messages: self.queued.messages + self.in_flight.messages,
        }
    }

    /// Whether nothing waits. A message without bytes waits too, if it is to be compressed.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.backlog() == Backlog::default()
    }

    /// Whether so much waits that callers help to write. What all lenders have then is still in the caches.
    pub(super) fn needs_help(&self, lenders: u32) -> bool {
        let each = HELPED_BYTES / lenders.max(1) as usize;
        self.backlog().bytes >= each.min(self.limits.bytes / 2).max(FLOOD_BYTES)
    }

    /// Whether the queue was above its low-water marks, and has not drained since.
    pub(super) fn is_above_low_water(&self) -> bool {
        self.above_low_water
    }

    /// Whether an empty queue accepts a message of `length` bytes. With the longest frame header it must be within the
    /// limit of bytes.
    pub(super) fn fits_send_limit(&self, length: usize) -> bool {
        length.saturating_add(FRAME_HEADER_BYTES_MAX) <= self.limits.bytes
    }

    /// The form in which a message of `length` bytes is queued now.
    pub(super) fn form(&mut self, kind: MessageType, length: usize) -> Result<Form, SendError> {
        self.check(length)?;
        self.may_begin()?;
        let compressed = length >= self.compress_from;
        Ok(Form { role: self.role, kind, length, compressed, fragments: self.limits.fragments })
    }

    /// Queues a copy of one message in that form. A client masks it.
    pub(super) fn message(
        &mut self,
        form: Form,
        payload: &[u8],
        receipt: Option<Receipt>,
    ) -> Result<(), SendError> {
        if form.compressed {
            self.push(form.prepare(payload)?.0, receipt);
        } else {
            let frame_len = payload.len() + FRAME_HEADER_BYTES_MAX;
            self.append(frame_len, 1, receipt, |encoder, out| encoder.message(out, form.kind, payload));
        }
        self.note_low_water();
        Ok(())
    }

    /// Queues the result of [`Form::prepare`], if there is still room.
    pub(super) fn prepared(
        &mut self,
        form: Form,
        Prepared(chunks): Prepared,
        receipt: Option<Receipt>,
    ) -> Result<(), SendError> {
        self.form(form.kind, form.length)?;
        self.push(chunks, receipt);
        self.note_low_water();
        Ok(())
    }

    /// Queues one message without a copy. A refused payload is returned unchanged.
    pub(super) fn owned_message<P: Payload + 'static>(
        &mut self,
        kind: MessageType,
        payload: Box<P>,
        receipt: Option<Receipt>,
    ) -> Result<(), (SendError, Box<P>)> {
        let accepted = self.check((*payload).as_ref().len()).and_then(|()| self.may_begin());
        if let Err(error) = accepted {
            return Err((error, payload));
        }
        let chunks = owned_chunks(&mut self.encoder, kind, payload, self.limits.fragments);
        self.push(chunks, receipt);
        self.note_low_water();
        Ok(())
    }

    /// Queues one message of a server. Other queues share its payload. It is one frame, not compressed.
    pub(super) fn shared_message(&mut self, header: &[u8], payload: &Arc<[u8]>) -> Result<(), SendError> {
        self.check(payload.len())?;
        self.may_begin()?;
        let tail = Some(Tail::Shared(payload.clone()));
        self.push([Chunk { bytes: header.to_vec(), tail, messages: 1, ..Chunk::default() }].into(), None);
        self.note_low_water();
        Ok(())
    }

    /// Queues a piece of a message; `last` ends it.
    pub(super) fn piece(
        &mut self,
        kind: MessageType,
        payload: &[u8],
        last: bool,
        receipt: Option<Receipt>,
    ) -> Result<(), SendError> {
        self.check(payload.len())?;
        let first = self.unfinished.is_none();
        let mut unfinished = match self.unfinished.take() {
            None => Unfinished { kind, utf8: Utf8Validator::default(), interrupted: false },
            Some(unfinished) if unfinished.interrupted => return Err(SendError::Interrupted),
            Some(unfinished) if unfinished.kind == kind => unfinished,
            Some(unfinished) => {
                self.unfinished = Some(unfinished);
                return Err(SendError::Unfinished);
            }
        };
        let before = unfinished.utf8.clone();
        if kind == MessageType::Text
            && !(unfinished.utf8.feed(payload) && (!last || unfinished.utf8.finish()))
        {
            // The piece is refused as a whole. A valid one may follow.
            self.unfinished = (!first).then_some(Unfinished { utf8: before, ..unfinished });
            return Err(SendError::Utf8);
        }
        for (range, part) in frames_of(payload.len(), self.limits.fragments) {
            let position = PiecePosition { first: first && part.first, last: last && part.last };
            let receipt = receipt.filter(|_| part.last);
            let frame_len = range.len() + FRAME_HEADER_BYTES_MAX;
            self.append(frame_len, usize::from(position.last), receipt, |encoder, out| {
                encoder.fragment(out, kind, &payload[range], position);
            });
        }
        self.unfinished = (!last).then_some(unfinished);
        self.note_low_water();
        Ok(())
    }

    /// Moves the queued chunks into `out`. From now on they are in flight.
    pub(super) fn take(&mut self, out: &mut VecDeque<Chunk>) {
        if self.chunks.is_empty() {
            return;
        }
        if out.is_empty() {
            // Nothing moves.
            std::mem::swap(out, &mut self.chunks);
        } else {
            out.append(&mut self.chunks);
        }
        let Backlog { bytes, messages } = std::mem::take(&mut self.queued);
        self.in_flight.bytes += bytes;
        self.in_flight.messages += messages;
    }

    /// Moves chunks from the head of the queue into `out`, about `most` bytes. It stops at a message that needs
    /// compression, lies in other memory, or has a receipt. From now on the chunks are in flight.
    pub(super) fn take_ready(&mut self, most: usize, out: &mut VecDeque<Chunk>) {
        let mut room = most;
        while room > 0
            && self.chunks.front().is_some_and(Chunk::is_ready)
            && let Some(chunk) = self.chunks.pop_front()
        {
            room = room.saturating_sub(chunk.len());
            self.queued.bytes -= chunk.len();
            self.queued.messages -= chunk.messages;
            self.in_flight.bytes += chunk.len();
            self.in_flight.messages += chunk.messages;
            out.push_back(chunk);
        }
    }

    /// The kernel has accepted this part of the taken data.
    pub(super) fn note_written(&mut self, written: Backlog) {
        self.in_flight.bytes -= written.bytes;
        self.in_flight.messages -= written.messages;
    }

    /// The kernel has not accepted `pending` of the data that a session has taken.
    #[inline]
    pub(super) fn note_in_flight(&mut self, pending: Backlog) {
        self.in_flight = pending;
    }

    /// Whether the queue has drained, and nobody has reported it.
    pub(super) fn has_drained(&self) -> bool {
        self.above_low_water && !self.exceeds_low_water()
    }

    /// The same. The caller reports it.
    pub(super) fn take_drained(&mut self) -> bool {
        self.has_drained() && std::mem::take(&mut self.above_low_water)
    }

    /// Prepares the queue for another connection. `unsent` are the chunks of a session that the kernel has not begun.
    /// They go ahead of the rest. With `drop_all` everything is dropped. Returns the dropped messages.
    pub(super) fn restore(&mut self, unsent: VecDeque<Chunk>, drop_all: bool) -> Dropped {
        self.compress_from = NEVER_COMPRESSED;
        let mut dropped = Dropped::default();
        let mut chunks = unsent;
        chunks.append(&mut self.chunks);
        if drop_all {
            dropped.add(chunks.drain(..));
        }
        chunks.retain(|chunk| !chunk.is_control());
        chunks.iter_mut().for_each(Chunk::restore);
        drop_continuations(&mut chunks, &mut dropped);
        if let Some(unfinished) = &mut self.unfinished {
            unfinished.interrupted |= !chunks.back().is_some_and(Chunk::ends_unfinished);
        }
        self.queued = Backlog::of(&chunks);
        self.chunks = chunks;
        self.in_flight = Backlog::default();
        dropped
    }

    /// Drops the queued messages. The session handles what it has taken.
    pub(super) fn clear(&mut self) -> Dropped {
        self.queued = Backlog::default();
        self.above_low_water = false;
        self.unfinished = None;
        let mut dropped = Dropped::default();
        dropped.add(std::mem::take(&mut self.chunks));
        dropped
    }

    /// Whether a message of `length` bytes, or such a piece, may be queued now.
    fn check(&mut self, length: usize) -> Result<(), SendError> {
        if !self.fits_send_limit(length) {
            return Err(SendError::TooLong);
        }
        let Backlog { bytes, messages } = self.backlog();
        if !self.fits_send_limit(bytes.saturating_add(length)) || messages >= self.limits.messages {
            // Something waits, so there will be a drained event.
            self.above_low_water = true;
            return Err(SendError::QueueFull);
        }
        Ok(())
    }

    /// Something was queued.
    fn note_low_water(&mut self) {
        self.above_low_water |= self.exceeds_low_water();
    }

    fn exceeds_low_water(&self) -> bool {
        let Backlog { bytes, messages } = self.backlog();
        bytes > self.limits.low_water || messages > self.limits.messages / 4
    }

    /// Whether a message may begin. One that is sent in pieces must end first.
    fn may_begin(&self) -> Result<(), SendError> {
        match &self.unfinished {
            Some(unfinished) if !unfinished.interrupted => Err(SendError::Unfinished),
            _ => Ok(()),
        }
    }

    /// Encodes frames into the last chunk, or into a new one.
    fn append(
        &mut self,
        bytes_max: usize,
        messages: usize,
        receipt: Option<Receipt>,
        encode: impl FnOnce(&mut Encoder, &mut Vec<u8>),
    ) {
        let Self { chunks, queued, encoder, .. } = self;
        let joins = chunks
            .back()
            .filter(|chunk| chunk.uncompressed.is_none() && chunk.tail.is_none() && chunk.receipt.is_none());
        let memory = match joins {
            Some(chunk) if chunk.bytes.len() + bytes_max <= CHUNK_BYTES => None,
            // If one chunk is full, the next will be too. With its final size it is never copied to grow.
            Some(_) => Some(bytes_max.max(CHUNK_BYTES)),
            None => Some(bytes_max),
        };
        if let Some(bytes) = memory {
            chunks.push_back(Chunk { bytes: chunk_memory(bytes), ..Chunk::default() });
        }
        if let Some(chunk) = chunks.back_mut() {
            let before = chunk.bytes.len();
            encode(encoder, &mut chunk.bytes);
            chunk.messages += messages;
            chunk.receipt = receipt;
            queued.bytes += chunk.bytes.len() - before;
            queued.messages += messages;
        }
    }

    /// Queues the chunks of one message.
    fn push(&mut self, mut chunks: VecDeque<Chunk>, receipt: Option<Receipt>) {
        if let Some(last) = chunks.back_mut() {
            last.receipt = receipt;
        }
        let Backlog { bytes, messages } = Backlog::of(&chunks);
        self.queued.bytes += bytes;
        self.queued.messages += messages;
        self.chunks.append(&mut chunks);
    }
}
