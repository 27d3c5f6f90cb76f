//! permessage-deflate (RFC 7692): the compressor and the decompressor of a connection.

use std::ops::Range;

use super::compressor::{BLOCK_BYTES, BLOCK_GROWTH_BYTES, Compressor};
use super::error::ProtocolError;
use crate::platform::{InflateStatus, InflateStream, Inflated, StopAt};

/// The end of a sync flush. The sender leaves it out of a message, and the receiver appends it again (RFC 7692 section
/// 7.2).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// The smallest window with which zlib decompresses raw data.
const INFLATE_WINDOW_BITS_MIN: u8 = 9;
/// The output buffer grows by this many bytes.
const STEP_BYTES: usize = 16_384;
/// The work after which a decompressor stops, so that one message cannot hold a thread. The unit is one byte of output.
/// This much takes 0.1 ms.
const WORK_MAX: usize = 262_144;
/// The work for one byte of input. A block may hold code tables and nothing else.
const WORK_FOR_INPUT: usize = 16;
/// The most bytes of input for one call.
const INPUT_STEP_BYTES: usize = WORK_MAX / WORK_FOR_INPUT / 2;
/// The work for a new stream.
const WORK_FOR_STREAM: usize = 256;

/// The parameters both sides agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    pub(super) own_context_takeover: bool,
    pub(super) peer_context_takeover: bool,
    /// Base-2 logarithms of the windows. A message refers back by at most the window of its sender.
    pub(super) own_window_bits: u8,
    pub(super) peer_window_bits: u8,
    pub(super) threshold: usize,
}

impl Negotiated {
    /// Messages of at least this many bytes are compressed.
    pub fn threshold(&self) -> usize {
        self.threshold
    }

    /// The compressor for messages to send.
    pub fn deflater(&self) -> Deflater {
        Deflater {
            compressor: None,
            context_takeover: self.own_context_takeover,
            window_bits: self.own_window_bits,
            always: self.threshold == 0,
        }
    }

    /// The decompressor for received messages.
    pub fn inflater(&self) -> Inflater {
        Inflater {
            stream: None,
            context_takeover: self.peer_context_takeover,
            window_bits: self.peer_window_bits.max(INFLATE_WINDOW_BITS_MIN),
            inside_stream: false,
            holds_back: false,
            work: 0,
        }
    }
}

/// The most bytes by which `bytes` bytes of payload grow in the compressor.
fn growth_max(bytes: usize) -> usize {
    bytes.div_ceil(BLOCK_BYTES) * BLOCK_GROWTH_BYTES
}

/// Compresses the messages of a connection.
pub struct Deflater {
    /// Made for the first message, and dropped by [`Deflater::release`].
    compressor: Option<Box<Compressor>>,
    context_takeover: bool,
    window_bits: u8,
    /// Messages are sent compressed even if that makes them longer.
    always: bool,
}

impl Deflater {
    /// Whether a message of `length` bytes is sent compressed. Its first `taken` bytes became `compressed` bytes. They
    /// must save more than the rest can grow.
    pub fn goes_compressed(&self, length: usize, taken: usize, compressed: usize) -> bool {
        self.always || compressed + growth_max(length - taken) < taken
    }

    /// Appends `message`, compressed, to `out`, and treats it as sent.
    pub fn message(&mut self, out: &mut Vec<u8>, message: &[u8]) {
        self.part(out, message, 0..message.len());
        self.sent(message);
    }

    /// Appends the compressed form of `bytes` of `message`. They follow the bytes of the previous call. After the last
    /// bytes the caller reports with [`Deflater::sent`] or [`Deflater::not_sent`] what happened to the message.
    pub fn part(&mut self, out: &mut Vec<u8>, message: &[u8], bytes: Range<usize>) {
        let window = 1 << self.window_bits;
        let compressor = self.compressor.get_or_insert_with(|| Box::new(Compressor::new(window)));
        let last = bytes.end == message.len();
        compressor.part(out, message, bytes);
        if last {
            // This begins an empty block. Without the tail, the message then ends like an empty one (section 7.2.3.6).
            compressor.end(out);
        }
    }

    /// `message` is sent compressed. The peer knows it, so later messages may refer to it.
    pub fn sent(&mut self, message: &[u8]) {
        match &mut self.compressor {
            Some(compressor) if self.context_takeover => compressor.remember(message),
            _ => self.compressor = None,
        }
    }

    /// The last compressed message is sent uncompressed. The peer's decompressor never sees it (section 6.1), so no
    /// message refers to it.
    pub fn not_sent(&mut self) {
        if !self.context_takeover {
            self.compressor = None;
        }
    }

    /// Frees the compressor. The next message then starts without a history, which a sender may always do.
    pub fn release(&mut self) {
        self.compressor = None;
    }
}

/// Decompresses the messages of a connection, a piece at a time.
pub struct Inflater {
    stream: Option<InflateStream>,
    context_takeover: bool,
    window_bits: u8,
    /// A stream has begun in this message, and no final block has ended it.
    inside_stream: bool,
    /// The input taken so far has more output.
    holds_back: bool,
    /// The work since the last pause, in bytes of output.
    work: usize,
}

/// How far [`Inflater::piece`] has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many bytes of the piece were taken.
    pub taken: usize,
    /// All bytes were taken, and all their output is written. Otherwise other tasks get their turn first. The next call
    /// then continues with the rest of the piece.
    pub complete: bool,
}

impl Inflater {
    /// Appends the output of `piece`, a part of a message, to `out`. `out` must not grow beyond `limit` bytes.
    pub fn piece(
        &mut self,
        out: &mut Vec<u8>,
        piece: &[u8],
        limit: usize,
    ) -> Result<Progress, ProtocolError> {
        let mut rest = piece;
        while !rest.is_empty() || self.holds_back {
            if self.work >= WORK_MAX {
                self.work = 0;
                return Ok(Progress { taken: piece.len() - rest.len(), complete: false });
            }
            self.inside_stream = true;
            let input = &rest[..rest.len().min(INPUT_STEP_BYTES)];
            let Step { taken, written, status, filled } = self.step(out, input, limit, StopAt::StreamEnd)?;
            rest = &rest[taken..];
            self.holds_back = false;
            match status {
                // A final block may be anywhere (section 7.2.3.4). A new stream follows it.
                InflateStatus::StreamEnd => {
                    self.restart();
                    self.inside_stream = false;
                }
                InflateStatus::Ok | InflateStatus::BufError if filled => self.holds_back = true,
                InflateStatus::Ok | InflateStatus::BufError if taken + written == 0 && !input.is_empty() => {
                    return Err(ProtocolError::Inflate);
                }
                InflateStatus::Ok | InflateStatus::BufError => {}
            }
        }
        Ok(Progress { taken: piece.len(), complete: true })
    }

    /// Ends a message. It is whole if a block ends at the end of the appended tail (section 7.2.2).
    pub fn finish(&mut self, out: &mut Vec<u8>, limit: usize) -> Result<(), ProtocolError> {
        // After a final block no stream has begun, so there is none to end. Section 7.2.3.6 gives an empty message one
        // octet. Other implementations accept an empty payload as well, and it is harmless.
        if std::mem::take(&mut self.inside_stream) {
            self.tail(out, limit)?;
        }
        if !self.context_takeover {
            self.stream = None;
        }
        Ok(())
    }

    /// Feeds the tail.
    fn tail(&mut self, out: &mut Vec<u8>, limit: usize) -> Result<(), ProtocolError> {
        // A stream at the end of a block leaves the fifth byte alone. Every other stream takes it.
        const TAIL_AND_ONE: [u8; 5] = [TAIL[0], TAIL[1], TAIL[2], TAIL[3], 0];
        let mut rest = &TAIL_AND_ONE[..];
        loop {
            let Step { taken, written, status, filled } = self.step(out, rest, limit, StopAt::BlockEnd)?;
            rest = &rest[taken..];
            match status {
                InflateStatus::StreamEnd => self.restart(),
                InflateStatus::Ok | InflateStatus::BufError if taken + written == 0 => {
                    return Err(ProtocolError::Inflate);
                }
                InflateStatus::Ok | InflateStatus::BufError => {}
            }
            match rest.len() {
                0 => return Err(ProtocolError::Inflate),
                1 if !filled => return Ok(()),
                _ => {}
            }
        }
    }

    /// Calls the stream once, with room for its output.
    fn step(
        &mut self,
        out: &mut Vec<u8>,
        input: &[u8],
        limit: usize,
        stop: StopAt,
    ) -> Result<Step, ProtocolError> {
        // One byte over the limit shows an excess. One more is for a NUL.
        let room = (limit + 1).saturating_sub(out.len()).min(STEP_BYTES.max(out.len())).max(1);
        if out.capacity() - out.len() < room.min(STEP_BYTES) {
            out.try_reserve(room + 1).map_err(|_| ProtocolError::NoMemory)?;
        }
        let most = WORK_MAX.saturating_sub(self.work).max(STEP_BYTES).min(out.capacity() - out.len());
        let inflated = self.stream().append(input, out, most, stop);
        let Inflated { taken, written, status } = inflated.map_err(|_| ProtocolError::Inflate)?;
        if out.len() > limit {
            return Err(ProtocolError::MessageTooBig { limit: limit as u64 });
        }
        self.work += written + taken * WORK_FOR_INPUT;
        Ok(Step { taken, written, status, filled: written == most })
    }

    fn restart(&mut self) {
        self.stream().restart();
        self.work += WORK_FOR_STREAM;
    }

    fn stream(&mut self) -> &mut InflateStream {
        let window_bits = self.window_bits;
        self.stream.get_or_insert_with(|| InflateStream::new(window_bits))
    }
}

/// The result of one call of the stream.
struct Step {
    taken: usize,
    written: usize,
    status: InflateStatus,
    /// The output filled all the room.
    filled: bool,
}

#[cfg(test)]
mod tests;
