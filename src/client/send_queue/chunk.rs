//! A chunk of the send queue: whole frames, ready for the wire, or one message that is still to be compressed.

use std::collections::VecDeque;

use crate::client::event::Receipt;
use crate::protocol::{MessageType, encoded_frames};
use crate::sync::SparePool;

/// Small messages are gathered into chunks of this size, each one slice of a vectored write.
pub(super) const CHUNK_BYTES: usize = 65_536;

/// Memory of chunks that were sent, for the next ones.
static SPARE_CHUNKS: SparePool = SparePool::new(CHUNK_BYTES / 4..=4 * CHUNK_BYTES);

/// A payload in memory that somebody else owns and gets back by its drop. It is masked where it is.
pub trait Payload: AsRef<[u8]> + AsMut<[u8]> + Send {}

impl<T: AsRef<[u8]> + AsMut<[u8]> + Send> Payload for T {}

/// Whole frames, ready for the wire, or a message still to be compressed.
#[derive(Default)]
pub(in crate::client) struct Chunk {
    pub(in crate::client) bytes: Vec<u8>,
    /// What follows `bytes`, when it lies elsewhere: the masked payload of one message.
    pub(in crate::client) tail: Option<Box<dyn Payload>>,
    /// Set when `bytes` are the payload of a message of this kind.
    pub(in crate::client) uncompressed: Option<MessageType>,
    /// How many messages end in it; 0 for control frames.
    pub(in crate::client) messages: usize,
    /// The receipt of the last message in it.
    pub(in crate::client) receipt: Option<Receipt>,
    /// The message that is compressed in `bytes`, if it may have to go to another connection, which could not
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

    /// Whether its last frame leaves a message unfinished.
    pub(super) fn ends_unfinished(&self) -> bool {
        self.uncompressed.is_none()
            && self.tail.is_none()
            && encoded_frames(&self.bytes).last().is_some_and(|(header, ..)| !header.fin)
    }

    /// Cuts the chunk, of which `written` bytes are written, behind the frame that these end in. Returns how many messages
    /// are written whole, and what is behind the cut.
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

    /// Makes the chunk fit for another connection.
    pub(super) fn restore(&mut self) {
        if let Some((kind, message)) = self.original.take() {
            self.bytes = message;
            self.uncompressed = Some(kind);
        }
    }

    pub(in crate::client) fn len(&self) -> usize {
        self.bytes.len() + self.tail().len()
    }

    pub(in crate::client) fn tail(&self) -> &[u8] {
        self.tail.as_deref().map_or(&[], |tail| tail.as_ref())
    }
}

/// What was accepted and will not be sent, or not surely.
#[derive(Default)]
pub(in crate::client) struct Dropped {
    pub(in crate::client) messages: usize,
    pub(in crate::client) receipts: Vec<Receipt>,
    /// Their owners' drops are the application's code: not to be run under a lock.
    pub(in crate::client) payloads: Vec<Box<dyn Payload>>,
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
#[derive(Clone, Copy, Default)]
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

/// Drops the frames at the head of the queue that continue a message whose beginning is gone.
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
            Some(start) if start < chunk.bytes.len() || chunk.tail.is_some() => {
                chunk.bytes.drain(..start);
                return;
            }
            ended => {
                if let Some(chunk) = queue.pop_front() {
                    dropped.receipts.extend(chunk.receipt);
                }
                if ended.is_some() {
                    return;
                }
            }
        }
    }
}

/// Memory for a chunk of so many bytes.
pub(super) fn chunk_memory(bytes: usize) -> Vec<u8> {
    let mut memory = SPARE_CHUNKS.take();
    memory.reserve(bytes);
    memory
}

/// Takes back the memory of a chunk that was sent.
pub(in crate::client) fn recycle_chunk(memory: Vec<u8>) {
    SPARE_CHUNKS.put(memory);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Encoder, PiecePosition};

    /// Frames as they are queued: 1 for a text message, `(` for the beginning of one, `-` for its middle, `)` for its end,
    /// `p` for a ping.
    fn chunk(frames: &str) -> Chunk {
        let mut encoder = Encoder::default();
        let mut chunk = Chunk::default();
        for frame in frames.chars() {
            let out = &mut chunk.bytes;
            match frame {
                '(' => {
                    encoder.fragment(out, MessageType::Text, b"a", PiecePosition { first: true, last: false })
                }
                '-' => encoder.fragment(
                    out,
                    MessageType::Text,
                    b"b",
                    PiecePosition { first: false, last: false },
                ),
                ')' => {
                    encoder.fragment(out, MessageType::Text, b"c", PiecePosition { first: false, last: true })
                }
                'p' => encoder.ping(out, b"d"),
                _ => encoder.message(out, MessageType::Text, b"e"),
            }
            chunk.messages += usize::from(matches!(frame, ')' | '1'));
        }
        chunk
    }

    /// The reverse.
    fn frames(chunks: &VecDeque<Chunk>) -> String {
        let name = |header: crate::protocol::FrameHeader| match (header.opcode, header.fin) {
            (9, _) => 'p',
            (0, true) => ')',
            (0, false) => '-',
            (_, true) => '1',
            (_, false) => '(',
        };
        chunks
            .iter()
            .flat_map(|chunk| encoded_frames(&chunk.bytes))
            .map(|(header, ..)| name(header))
            .collect()
    }

    const FRAME_BYTES: usize = 2 + 4 + 1;

    #[test]
    fn a_chunk_is_cut_behind_the_frame_that_is_being_written() {
        for (written, whole, left, rest) in [
            (1, 0, 1, "1(-)1"),
            (FRAME_BYTES, 1, 0, "1(-)1"),
            (FRAME_BYTES + 1, 1, 1, "(-)1"),
            (3 * FRAME_BYTES - 1, 2, 0, "-)1"),
            (5 * FRAME_BYTES - 1, 2, 1, "1"),
            (5 * FRAME_BYTES, 3, 0, "1"),
            (6 * FRAME_BYTES - 1, 3, 1, ""),
        ] {
            let mut front = Chunk { receipt: Some(5), ..chunk("11(-)1") };
            let (counted, cut) = front.split_begun(written);
            assert_eq!((counted, front.messages), (whole, left), "{written}");
            let receipt_kept = cut.as_ref().map_or(front.receipt, |rest| rest.receipt);
            assert_eq!(receipt_kept, Some(5), "{written}");
            let messages = cut.as_ref().map_or(0, |rest| rest.messages);
            assert_eq!(whole + left + messages, 4, "{written}");
            assert_eq!(frames(&cut.into_iter().collect()), rest, "{written}");
        }
    }

    #[test]
    fn the_rest_of_a_message_that_has_begun_elsewhere_is_dropped() {
        for (chunks, kept, messages) in [
            (vec!["1", "(-)"], "1(-)", 0),
            (vec!["-)1", "1"], "11", 1),
            (vec!["-", "--", "-)", "(-"], "(-", 1),
            (vec![")"], "", 1),
            (vec!["-", "-"], "", 0),
            (vec![], "", 0),
        ] {
            let numbered = |(number, frames): (u64, &&str)| Chunk { receipt: Some(number), ..chunk(frames) };
            let mut queue: VecDeque<Chunk> = (0..).zip(&chunks).map(numbered).collect();
            let mut dropped = Dropped::default();
            drop_continuations(&mut queue, &mut dropped);
            // No receipt is lost.
            let mut receipts = dropped.receipts;
            receipts.extend(queue.iter().filter_map(|chunk| chunk.receipt));
            assert!(receipts.into_iter().eq(0..chunks.len() as u64), "{chunks:?}");
            assert_eq!((frames(&queue).as_str(), dropped.messages), (kept, messages), "{chunks:?}");
            let counted: usize = queue.iter().map(|chunk| chunk.messages).sum();
            assert_eq!(
                counted,
                kept.chars().filter(|frame| matches!(frame, ')' | '1')).count(),
                "{chunks:?}"
            );
        }
    }

    #[test]
    fn knows_control_frames_and_unfinished_messages() {
        assert!(chunk("p").is_control() && !chunk("1").is_control() && !chunk("(").is_control());
        assert!(chunk("1(-").ends_unfinished() && !chunk("(-)").ends_unfinished());
        assert!(!Chunk { uncompressed: Some(MessageType::Text), ..chunk("p(") }.is_control());
    }
}
