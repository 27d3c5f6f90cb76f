//! permessage-deflate (RFC 7692): the compressor and the decompressor of a connection.

use std::ops::Range;

use super::compressor::{BLOCK_BYTES, BLOCK_GROWTH_BYTES, Compressor};
use super::error::ProtocolError;
use crate::platform::{InflateStatus, InflateStream, Inflated, StopAt};

/// What a sync flush ends with, which is left out of a message and added again (RFC 7692 section 7.2).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// The smallest window that zlib decompresses raw data with.
const INFLATE_WINDOW_BITS_MIN: u8 = 9;
/// Room for output is made in steps of this.
const STEP_BYTES: usize = 16_384;
/// The work after which a decompressor stops, so that one message cannot keep a thread: so many bytes that come out. It takes
/// a tenth of a millisecond.
const WORK_MAX: usize = 262_144;
/// A byte that goes in may cost as much as so many that come out: blocks may hold tables of codes and nothing else.
const WORK_FOR_INPUT: usize = 16;
/// The most bytes that go in at once.
const INPUT_STEP_BYTES: usize = WORK_MAX / WORK_FOR_INPUT / 2;
/// A new stream costs as much as so many bytes that come out.
const WORK_FOR_STREAM: usize = 256;

/// The parameters both sides agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    pub(super) own_context_takeover: bool,
    pub(super) peer_context_takeover: bool,
    /// Base-2 logarithms of the windows: how far back the messages of a side refer at most.
    pub(super) own_window_bits: u8,
    pub(super) peer_window_bits: u8,
    pub(super) threshold: usize,
}

impl Negotiated {
    /// Messages of at least this many bytes are to be compressed.
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

/// By how much so many bytes may grow when they are compressed.
fn growth_max(bytes: usize) -> usize {
    bytes.div_ceil(BLOCK_BYTES) * BLOCK_GROWTH_BYTES
}

/// Compresses the messages of a connection.
pub struct Deflater {
    /// Made for the first message, and dropped by [`Deflater::release`].
    compressor: Option<Box<Compressor>>,
    context_takeover: bool,
    window_bits: u8,
    /// A message goes out compressed also when that makes it longer.
    always: bool,
}

impl Deflater {
    /// Whether a message of `length` bytes goes out compressed, the first `taken` of which yielded `compressed` bytes. What
    /// these save has to be more than what the rest may grow by.
    pub fn goes_compressed(&self, length: usize, taken: usize, compressed: usize) -> bool {
        self.always || compressed + growth_max(length - taken) < taken
    }

    /// Appends `message`, compressed, to `out`. It counts as sent.
    pub fn message(&mut self, out: &mut Vec<u8>, message: &[u8]) {
        self.part(out, message, 0..message.len());
        self.sent(message);
    }

    /// Appends what these bytes of `message` yield, which are those behind the ones of the call before. With the last ones it
    /// is to be told by [`Deflater::sent`], or else by [`Deflater::not_sent`], what became of the message.
    pub fn part(&mut self, out: &mut Vec<u8>, message: &[u8], bytes: Range<usize>) {
        let window = 1 << self.window_bits;
        let compressor = self.compressor.get_or_insert_with(|| Box::new(Compressor::new(window)));
        let last = bytes.end == message.len();
        compressor.part(out, message, bytes);
        if last {
            // It begins an empty block, and without the tail it ends like an empty message (section 7.2.3.6).
            compressor.end(out);
        }
    }

    /// `message` goes out as it was compressed, so the peer has it for the next ones to refer to.
    pub fn sent(&mut self, message: &[u8]) {
        match &mut self.compressor {
            Some(compressor) if self.context_takeover => compressor.remember(message),
            _ => self.compressor = None,
        }
    }

    /// The message that was compressed last goes out as it is. The peer's decompressor never sees it (section 6.1), and no
    /// message refers to it.
    pub fn not_sent(&mut self) {
        if !self.context_takeover {
            self.compressor = None;
        }
    }

    /// Gives back the compressor's memory. The next message starts without a history, as a sender always may.
    pub fn release(&mut self) {
        self.compressor = None;
    }
}

/// Decompresses the messages of a connection, a piece at a time.
pub struct Inflater {
    stream: Option<InflateStream>,
    context_takeover: bool,
    window_bits: u8,
    /// The message has begun a stream that no final block has ended.
    inside_stream: bool,
    /// What was taken in has more to yield.
    holds_back: bool,
    /// The work since others had their turn, in bytes that come out.
    work: usize,
}

/// How far [`Inflater::piece`] has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// How many bytes of the piece were taken.
    pub taken: usize,
    /// Whether that is all of them, and all they yield is there. Otherwise others are to have their turn, and the next call goes
    /// on with the rest of the piece.
    pub complete: bool,
}

impl Inflater {
    /// Appends what `piece` of a message yields to `out`, which must not grow over `limit` bytes.
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
                // A final block may be anywhere (section 7.2.3.4); what follows it is a stream of its own.
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

    /// Ends a message. It must be whole: behind the appended tail stands the border of a block (section 7.2.2).
    pub fn finish(&mut self, out: &mut Vec<u8>, limit: usize) -> Result<(), ProtocolError> {
        // Behind a final block the next stream has not begun, so there is nothing to end. An empty payload is not as section
        // 7.2.3.6 has it, but others take it for an empty message, and it harms nobody.
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
        // The byte behind it is left alone by a stream that stands at a border, and by no other.
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

    /// One call of the stream, with room for what it yields.
    fn step(
        &mut self,
        out: &mut Vec<u8>,
        input: &[u8],
        limit: usize,
        stop: StopAt,
    ) -> Result<Step, ProtocolError> {
        // One byte over the limit is room enough to see that it is passed; a NUL finds room behind.
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

/// What one call of the stream has done.
struct Step {
    taken: usize,
    written: usize,
    status: InflateStatus,
    /// It had no room for more.
    filled: bool,
}

#[cfg(test)]
mod tests;
