//! A chunk of the send queue: complete frames, ready for the wire, or one message to compress.

use std::cell::Cell;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::refusal::SendError;
use crate::client::event::Receipt;
use crate::protocol::{Encoder, FRAME_HEADER_BYTES_MAX, MessageType, PiecePosition, encoded_frames};
use crate::sync::SparePool;

/// Small messages share chunks of this size. Each chunk is one slice of a vectored write.
pub(super) const CHUNK_BYTES: usize = 65_536;

/// The longest message that is always one frame. uWSGI 2.0, nchan 1.3, CivetWeb 1.15 and others do not join fragments,
/// and rarely get longer messages.
pub(in crate::client) const WHOLE_BYTES_MAX: usize = 1 << 20;

/// The payload of a fragment.
pub(in crate::client) const FRAGMENT_BYTES: usize = 4 * CHUNK_BYTES - FRAME_HEADER_BYTES_MAX;

/// The largest chunk.
const CHUNK_BYTES_MAX: usize = WHOLE_BYTES_MAX + FRAME_HEADER_BYTES_MAX;
/// The memory of sent chunks that is kept for new ones.
pub(super) const SPARE_BYTES_MAX: usize = 2 * CHUNK_BYTES_MAX;

static SPARE_CHUNKS: SparePool = SparePool::new(CHUNK_BYTES / 4..=CHUNK_BYTES_MAX, SPARE_BYTES_MAX);

/// Up to this size, memory stays with the thread that has sent from it.
const SMALL_BYTES_MAX: usize = 2_048;

thread_local! {
    /// For a listener that answers each message: its answer is sent on the same thread.
    static SPARE_SMALL: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A payload in another owner's memory. It is masked in place, and its drop tells the owner.
pub trait Payload: AsRef<[u8]> + AsMut<[u8]> + Send + Sync {}

impl<T: AsRef<[u8]> + AsMut<[u8]> + Send + Sync> Payload for T {}

/// A payload outside of a chunk: masked in its owner's memory, or unmasked and shared by several queues.
pub(in crate::client) enum Tail {
    Whole(Box<dyn Payload>),
    /// The payload of a fragment. The owner gets it back when the last fragment is gone.
    Part(Arc<dyn Payload>, Range<usize>),
    Shared(Arc<[u8]>),
}

impl AsRef<[u8]> for Tail {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Whole(payload) => (**payload).as_ref(),
            Self::Part(payload, range) => &(**payload).as_ref()[range.clone()],
            Self::Shared(payload) => payload,
        }
    }
}

/// The progress of the compression of a long message.
#[derive(Default)]
pub(in crate::client) struct Compressing {
    /// Bytes of the message that the compressor has taken.
    pub(in crate::client) taken: usize,
    /// Compressed bytes that no fragment contains yet.
    pub(in crate::client) compressed: Vec<u8>,
    /// The number of fragments made, and their bytes.
    pub(in crate::client) fragments: usize,
    pub(in crate::client) fragment_bytes: usize,
}

/// Complete frames, ready for the wire, or a message to compress.
#[derive(Default)]
pub(in crate::client) struct Chunk {
    pub(in crate::client) bytes: Vec<u8>,
    /// The masked payload of one message that follows `bytes` in other memory.
    pub(in crate::client) tail: Option<Tail>,
    /// Set when `bytes` are the payload of a message of this kind.
    pub(in crate::client) uncompressed: Option<MessageType>,
    /// Set when a part of that message is compressed.
    pub(in crate::client) compressing: Option<Box<Compressing>>,
    /// Set if it is a fragment of a compressed message, and not the last.
    pub(in crate::client) goes_on: bool,
    /// How many messages end in it; 0 for control frames.
    pub(in crate::client) messages: usize,
    /// The receipt of the last message in it.
    pub(in crate::client) receipt: Option<Receipt>,
    /// The uncompressed form of the message in `bytes`, if it may have to move to another connection, which could not
    /// decompress it.
    pub(in crate::client) original: Option<(MessageType, Vec<u8>)>,
}

impl Chunk {
    pub(in crate::client) fn control(bytes: Vec<u8>) -> Self {
        Self { bytes, ..Self::default() }
    }

    pub(in crate::client) fn is_control(&self) -> bool {
        self.uncompressed.is_none()
            && encoded_frames(&self.bytes).next().is_some_and(|(header, ..)| header.is_control())
    }

    /// Whether it can be written unchanged, and nobody waits for a report.
    pub(in crate::client) fn is_ready(&self) -> bool {
        self.uncompressed.is_none()
            && self.tail.is_none()
            && self.receipt.is_none()
            && self.original.is_none()
    }

    /// Whether its last frame leaves a message unfinished.
    pub(super) fn ends_unfinished(&self) -> bool {
        self.uncompressed.is_none()
            && self.tail.is_none()
            && encoded_frames(&self.bytes).last().is_some_and(|(header, ..)| !header.fin)
    }

    /// Cuts the chunk after the frame that contains the last of the `written` bytes. Returns how many messages are
    /// completely written, and the chunk after the cut.
    pub(in crate::client) fn split_begun(&mut self, written: usize) -> (usize, Option<Self>) {
        let (mut whole, mut begun, mut cut) = (0, 0, None);
        for (header, start, end) in encoded_frames(&self.bytes) {
            if start >= written {
                cut = Some(start);
                break;
            }
            if header.fin && !header.is_control() {
                begun += 1;
                whole += usize::from(end <= written);
            }
        }
        let rest = cut.map(|at| Self {
            bytes: self.bytes.split_off(at),
            messages: self.messages - begun,
            receipt: self.receipt.take(),
            ..Self::default()
        });
        self.messages = begun - whole;
        (whole, rest)
    }

    /// Makes the chunk usable on another connection.
    pub(super) fn restore(&mut self) {
        if let Some((kind, message)) = self.original.take() {
            self.bytes = message;
            self.uncompressed = Some(kind);
        }
        self.compressing = None;
    }

    pub(in crate::client) fn len(&self) -> usize {
        self.bytes.len() + self.tail().len()
    }

    #[inline]
    pub(in crate::client) fn tail(&self) -> &[u8] {
        self.tail.as_ref().map_or(&[], Tail::as_ref)
    }
}

/// Accepted messages that will not be sent, or whose fate is unknown.
#[derive(Default)]
pub(in crate::client) struct Dropped {
    pub(in crate::client) messages: usize,
    pub(in crate::client) receipts: Vec<Receipt>,
    /// Their owners' drops are application code, so they must not run under a lock.
    pub(in crate::client) payloads: Vec<Tail>,
}

impl Dropped {
    pub(in crate::client) fn add(&mut self, chunks: impl IntoIterator<Item = Chunk>) {
        for chunk in chunks {
            self.messages += chunk.messages;
            self.receipts.extend(chunk.receipt);
            self.payloads.extend(chunk.tail);
        }
    }

    pub(in crate::client) fn merge(&mut self, other: Self) {
        self.messages += other.messages;
        self.receipts.extend(other.receipts);
        self.payloads.extend(other.payloads);
    }
}

/// Bytes and messages that wait to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::client) struct Backlog {
    pub(in crate::client) bytes: usize,
    pub(in crate::client) messages: usize,
}

impl Backlog {
    pub(in crate::client) fn of<'a>(chunks: impl IntoIterator<Item = &'a Chunk>) -> Self {
        chunks.into_iter().fold(Self::default(), |sum, chunk| Self {
            bytes: sum.bytes + chunk.len(),
            messages: sum.messages + chunk.messages,
        })
    }
}

/// Begin and end of each frame of a message of `length` bytes.
pub(super) fn frames_of(
    length: usize,
    fragments: bool,
) -> impl Iterator<Item = (Range<usize>, PiecePosition)> {
    let step = if fragments && length > WHOLE_BYTES_MAX { FRAGMENT_BYTES } else { length.max(1) };
    (0..length.max(1)).step_by(step).map(move |start| {
        let end = length.min(start + step);
        (start..end, PiecePosition { first: start == 0, last: end == length })
    })
}

/// A message that is sent from its owner's memory, masked in place: one chunk, or one for each fragment.
pub(in crate::client) fn owned_chunks<P: Payload + 'static>(
    encoder: &mut Encoder,
    kind: MessageType,
    mut payload: Box<P>,
    fragments: bool,
) -> VecDeque<Chunk> {
    let length = (*payload).as_ref().len();
    let mut chunks: VecDeque<Chunk> = frames_of(length, fragments)
        .map(|(range, position)| {
            let mut bytes = Vec::with_capacity(FRAME_HEADER_BYTES_MAX);
            let part = &mut (*payload).as_mut()[range];
            encoder.header_and_mask(&mut bytes, kind, part, position);
            Chunk { bytes, ..Chunk::default() }
        })
        .collect();
    if let [chunk] = chunks.make_contiguous() {
        chunk.tail = Some(Tail::Whole(payload));
    } else {
        let payload: Arc<P> = payload.into();
        for (chunk, (range, _)) in chunks.iter_mut().zip(frames_of(length, fragments)) {
            chunk.tail = Some(Tail::Part(payload.clone(), range));
        }
    }
    if let Some(last) = chunks.back_mut() {
        last.messages = 1;
    }
    chunks
}

/// Makes partly compressed messages usable on another connection. A message whose fragments are all here is restored.
/// If a fragment is gone, only the end of the message remains, because it began elsewhere.
pub(in crate::client) fn undo_fragments(chunks: &mut VecDeque<Chunk>, encoder: &mut Encoder) {
    let is_first = |chunk: &Chunk| !encoded_frames(&chunk.bytes).any(|(header, ..)| header.is_continuation());
    let mut complete = false;
    chunks.retain_mut(|chunk| {
        if chunk.goes_on {
            complete |= is_first(chunk);
            return false;
        }
        let begun = chunk.compressing.as_ref().is_some_and(|compressing| compressing.fragments > 0)
            || chunk.original.is_some() && !is_first(chunk);
        if begun && !complete {
            let kind = chunk.uncompressed.take().unwrap_or(MessageType::Binary);
            chunk.bytes.clear();
            encoder.compressed_fragment(
                &mut chunk.bytes,
                kind,
                b"",
                PiecePosition { first: false, last: true },
            );
            (chunk.original, chunk.compressing) = (None, None);
        }
        complete = false;
        true
    });
}

/// Drops the frames at the head of the queue that continue a message whose first frame is lost.
pub(super) fn drop_continuations(queue: &mut VecDeque<Chunk>, dropped: &mut Dropped) {
    while let Some(chunk) = queue.front_mut()
        && chunk.uncompressed.is_none()
    {
        let mut keep_from = None;
        for (header, start, end) in encoded_frames(&chunk.bytes) {
            if !header.is_continuation() {
                keep_from = Some(start);
                break;
            }
            if header.fin {
                dropped.messages += 1;
                chunk.messages -= 1;
                keep_from = Some(end);
                break;
            }
        }
        match keep_from {
            Some(start) if start < chunk.bytes.len() => {
                chunk.bytes.drain(..start);
                return;
            }
            ended => {
                if let Some(chunk) = queue.pop_front() {
                    dropped.receipts.extend(chunk.receipt);
                    dropped.payloads.extend(chunk.tail);
                }
                if ended.is_some() {
                    return;
                }
            }
        }
    }
}

/// Memory for a chunk of this many bytes.
pub(super) fn chunk_memory(bytes: usize) -> Vec<u8> {
    let mut memory = Vec::new();
    if bytes <= SMALL_BYTES_MAX {
        // A thread that ends has none.
        memory = SPARE_SMALL.try_with(Cell::take).unwrap_or_default();
    }
    if memory.capacity() == 0 {
        memory = SPARE_CHUNKS.take();
    }
    memory.reserve(bytes);
    memory
}

/// The same for a chunk of a long message. The memory may be missing.
pub(super) fn try_chunk_memory(bytes: usize) -> Result<Vec<u8>, SendError> {
    let mut memory = SPARE_CHUNKS.take();
    memory.try_reserve(bytes).map_err(|_| SendError::NoMemory)?;
    Ok(memory)
}

/// Takes back the memory of a chunk that was sent.
pub(in crate::client) fn recycle_chunk(mut memory: Vec<u8>) {
    if memory.capacity() > SMALL_BYTES_MAX {
        return SPARE_CHUNKS.put(memory);
    }
    memory.clear();
    let _ = SPARE_SMALL.try_with(|spare| spare.set(memory));
}

#[cfg(test)]
mod tests;
