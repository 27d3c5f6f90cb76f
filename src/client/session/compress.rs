//! Compresses the messages that are written next (RFC 7692). One step is small enough for other tasks to get their
//! turn.

use super::writer::Writer;
use crate::client::send_queue::{Chunk, Compressing, FRAGMENT_BYTES, WHOLE_BYTES_MAX, owned_chunks};
use crate::client::stats::Counters;
use crate::protocol::PiecePosition;

/// The most chunks that are compressed ahead of the socket. Their messages may have to move to another connection
/// uncompressed.
const CHUNKS_AHEAD_MAX: usize = 64;
/// The work between two writes, in bytes of messages: two whole blocks of the compressor. It takes 0.7 ms.
const WORK_MAX: usize = 131_070;
/// The work for a message in addition to its bytes. Without context takeover, each message needs a new compressor.
const WORK_FOR_MESSAGE: usize = 1_024;
/// The compression of a byte takes as long as the delivery of this many.
const WORK_FOR_BYTE: usize = 2;

impl Writer {
    /// Compresses the next messages, and counts the work. A long message takes several calls.
    pub(super) fn compress(&mut self, counters: &Counters) {
        if !self.out.may_have_uncompressed() {
            return;
        }
        let mut encoder = self.encoder();
        let (mut at, mut work) = (0, 0);
        while work < WORK_MAX && at < CHUNKS_AHEAD_MAX {
            let Some(chunk) = self.out.get(at) else {
                self.out.has_no_uncompressed();
                break;
            };
            let Some(kind) = chunk.uncompressed else {
                at += 1;
                continue;
            };
            let Some(deflater) = &mut self.deflater else {
                self.leave_uncompressed(at);
                continue;
            };
            let out = self.out.edit();
            let chunk = &mut out[at];
            let Compressing { taken, mut compressed, fragments, fragment_bytes } =
                chunk.compressing.take().map_or_else(Compressing::default, |begun| *begun);
            let to = chunk.bytes.len().min(taken + WORK_MAX);
            let last = to == chunk.bytes.len();
            deflater.part(&mut compressed, &chunk.bytes, taken..to);
            work += to - taken + WORK_FOR_MESSAGE;
            let goes_in_fragments = self.fragments && chunk.bytes.len() > WHOLE_BYTES_MAX;
            let fills_fragment = goes_in_fragments && compressed.len() >= FRAGMENT_BYTES;
            if !(last || fills_fragment) {
                let begun = Compressing { taken: to, compressed, fragments, fragment_bytes };
                chunk.compressing = Some(Box::new(begun));
                continue;
            }
            // Only the beginning of a message in fragments is known.
            if fragments == 0 && !deflater.goes_compressed(chunk.bytes.len(), to, compressed.len()) {
                deflater.not_sent();
                self.leave_uncompressed(at);
                continue;
            }
            if last {
                deflater.sent(&chunk.bytes);
            }
            let fragment_bytes = fragment_bytes + compressed.len();
            let position = PiecePosition { first: fragments == 0, last };
            let mut frame = Vec::new();
            encoder.compressed_fragment(&mut frame, kind, &compressed, position);
            if last {
                let message = std::mem::replace(&mut chunk.bytes, frame);
                chunk.uncompressed = None;
                counters.deflated(message.len(), fragment_bytes);
                if self.keep_originals {
                    chunk.original = Some((kind, message));
                }
            } else {
                compressed.clear();
                let begun = Compressing { taken: to, compressed, fragments: fragments + 1, fragment_bytes };
                chunk.compressing = Some(Box::new(begun));
                out.insert(at, Chunk { bytes: frame, goes_on: true, ..Chunk::default() });
            }
            at += 1;
        }
        self.compressed += work * WORK_FOR_BYTE;
    }

    /// Prepares a message to be sent uncompressed. This connection does not compress, or the message does not become
    /// shorter.
    fn leave_uncompressed(&mut self, at: usize) {
        let Some(Chunk { bytes, uncompressed: Some(kind), receipt, .. }) = self.out.edit().remove(at) else {
            return;
        };
        let mut chunks = owned_chunks(&mut self.encoder(), kind, Box::new(bytes), self.fragments);
        if let Some(last) = chunks.back_mut() {
            last.receipt = receipt;
        }
        for (place, chunk) in chunks.into_iter().enumerate() {
            self.out.edit().insert(at + place, chunk);
        }
    }
}
