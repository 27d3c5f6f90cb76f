//! The decoder: assembles the peer's frames into messages (RFC 6455 sections 5.4 and 5.6).
//!
//! Owns the rules between frames, the message limit and the memory of a message. Leaves control frames to others.

use std::ops::Range;

use bytes::BufMut;
use bytes::buf::Limit;

use super::deflate::{Inflater, Progress};
use super::error::ProtocolError;
use super::frame::{
    BINARY, CONTINUATION, Control, FRAME_HEADER_BYTES_MAX, FrameHeader, FrameTrace, MessageType,
    PiecePosition, Role, TEXT, control_frame, masking_key, parse_header,
};
use super::mask::Unmasker;
use super::read_buffer::ReadBuffer;
use super::utf8::Utf8Validator;
use super::whole_frame::WholeFrame;
use crate::sync::SparePool;

/// The assembly grows by at least this many bytes, so that many small fragments cause few moves.
const ASSEMBLY_STEP_BYTES: usize = 65_536;
/// The most bytes of a message in one read.
const DIRECT_READ_BYTES_MAX: usize = 262_144;
/// The least payload of a frame in the read buffer with which a read ends.
const LONG_FRAME_BYTES: usize = 16_384;
/// The least memory of an assembly that is kept for the next ones, in bytes. Allocators ask the system for each piece of so
/// much, and it comes page by page.
const SPARE_BYTES_MIN: usize = 131_072;
/// The most memory that is kept so, in bytes.
const SPARE_BYTES_MAX: usize = 4_194_304;

static SPARE_ASSEMBLIES: SparePool = SparePool::new(SPARE_BYTES_MIN..=SPARE_BYTES_MAX, SPARE_BYTES_MAX);

/// Takes back the memory of a message that was assembled.
pub(crate) fn recycle_message(memory: Vec<u8>) {
    SPARE_ASSEMBLIES.put(memory);
}

/// One message or control frame of the peer.
#[derive(Debug, PartialEq, Eq)]
pub enum Decoded {
    /// A whole message in the read buffer.
    Message(MessageType, Range<usize>),
    /// A message, or a part of one, in [`Decoder::assembled`]. [`Decoder::recycle`] empties it for the next.
    Assembled(MessageType, PiecePosition),
    /// A control frame.
    Control(Control),
    /// Nothing yet. Decompressing the received data takes long. Other tasks get their turn, and the next call continues.
    Unfinished,
}

/// A data frame whose payload goes into the assembly.
struct OpenFrame {
    fin: bool,
    remaining: u64,
}

/// The receiving half of RFC 6455 sections 5 to 8.
pub struct Decoder {
    message_limit: u64,
    /// Present at a server, because its peers mask their frames.
    unmasker: Option<Unmasker>,
    /// The type of the message that is being assembled.
    fragmented: Option<MessageType>,
    /// The frame whose payload is not complete in the assembly.
    frame: Option<OpenFrame>,
    assembled: Vec<u8>,
    /// The number of validated payload bytes of the text frame at the start of the read buffer.
    validated: usize,
    utf8: Utf8Validator,
    /// Present with permessage-deflate.
    inflater: Option<Box<Inflater>>,
    /// Whether the message in the assembly is compressed.
    inflating: bool,
    /// Deliver the received part of a message without waiting for the rest.
    in_pieces: bool,
    /// Whether a piece of the message was delivered, and how many bytes.
    begun: bool,
    passed: u64,
    /// The headers of the frames since [`Decoder::take_headers`]. `None` while nobody asks for them.
    headers: Option<Box<FrameTrace>>,
}

impl Decoder {
    /// A decoder for one connection of a client. It refuses messages over `message_limit` bytes, compressed or not.
    pub fn new(message_limit: u64, inflater: Option<Inflater>) -> Self {
        Self {
            unmasker: None,
            inflater: inflater.map(Box::new),
            inflating: false,
            in_pieces: false,
            begun: false,
            passed: 0,
            headers: None,
            message_limit,
            fragmented: None,
            frame: None,
            assembled: Vec::new(),
            validated: 0,
            utf8: Utf8Validator::default(),
        }
    }

    /// Makes it decode the frames of the peer of `role`. A client's frames are masked, a server's are not.
    pub fn in_role(mut self, role: Role) -> Self {
        self.unmasker = (role == Role::Server).then(Unmasker::default);
        self
    }

    /// From now on, a message that is not whole in the read buffer is delivered in pieces, as they arrive.
    pub fn in_pieces(mut self) -> Self {
        self.in_pieces = true;
        self
    }

    /// Sets whether headers are kept for [`Decoder::take_headers`].
    pub fn keep_headers(&mut self, wanted: bool) {
        if self.headers.is_some() != wanted {
            self.headers = wanted.then(Box::default);
        }
    }

    /// Returns the headers of the frames decoded since the last call.
    pub fn take_headers(&mut self) -> Vec<FrameHeader> {
        self.headers.as_mut().map(|trace| std::mem::take(&mut trace.headers)).unwrap_or_default()
    }

    /// Whether [`Decoder::take_headers`] returns any.
    pub fn has_headers(&self) -> bool {
        self.headers.as_ref().is_some_and(|trace| !trace.headers.is_empty())
    }

    /// Decodes the next message or control frame in `buffer`. `None` asks for more bytes.
    #[inline]
    pub fn decode(&mut self, buffer: &mut ReadBuffer) -> Result<Option<Decoded>, ProtocolError> {
        match self.whole_message(buffer)? {
            Some((kind, payload)) => Ok(Some(Decoded::Message(kind, payload))),
            None => self.decode_any(buffer),
        }
    }

    /// Lends the next messages in `buffer` that need nothing but the fast path, each with one NUL after it, as long as
    /// `lend` returns true. It also gets the number of bytes in `buffer` after the message. Returns whether `lend` has
    /// ended it. A loop of its own, because what [`Decoder::decode`] returns is large.
    #[inline]
    pub fn whole_messages(
        &mut self,
        buffer: &mut ReadBuffer,
        mut lend: impl FnMut(MessageType, &mut [u8], usize) -> bool,
    ) -> Result<bool, ProtocolError> {
        let Some(masked) = self.expects_whole() else { return Ok(false) };
        while let Some(frame) = WholeFrame::parse(buffer.data(), masked, self.message_limit) {
            let payload = frame.take(buffer, masked)?;
            let left = buffer.data().len();
            if !buffer.with_nul(payload, |bytes| lend(frame.kind, bytes, left)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes one frame by the fast path. `None` leaves it to [`Decoder::decode_any`].
    #[inline]
    fn whole_message(
        &mut self,
        buffer: &mut ReadBuffer,
    ) -> Result<Option<(MessageType, Range<usize>)>, ProtocolError> {
        let Some(masked) = self.expects_whole() else { return Ok(None) };
        let Some(frame) = WholeFrame::parse(buffer.data(), masked, self.message_limit) else {
            return Ok(None);
        };
        Ok(Some((frame.kind, frame.take(buffer, masked)?)))
    }

    /// Whether frames are masked, if the next one may be a whole message. No whole message changes that.
    #[inline]
    fn expects_whole(&self) -> Option<bool> {
        if self.fragmented.is_some() || self.validated > 0 || self.headers.is_some() {
            return None;
        }
        match &self.unmasker {
            None => Some(false),
            Some(unmasker) => (!unmasker.is_ahead()).then_some(true),
        }
    }

    #[inline(never)]
    fn decode_any(&mut self, buffer: &mut ReadBuffer) -> Result<Option<Decoded>, ProtocolError> {
        loop {
            if let Some(kind) = self.fragmented
                && let Some(OpenFrame { fin, remaining }) = self.frame
            {
                let available = in_memory(remaining).min(buffer.data().len());
                if let Some(unmasker) = &mut self.unmasker {
                    unmasker.remove(&mut buffer.data_mut()[..available]);
                }
                let Progress { taken, complete } = self.append(&buffer.data()[..available], kind)?;
                self.taken(taken);
                buffer.consume(taken);
                let remaining = remaining - taken as u64;
                if remaining > 0 || !complete {
                    self.frame = Some(OpenFrame { fin, remaining });
                } else {
                    self.frame = None;
                    if fin {
                        self.finish(kind)?;
                        let first = !std::mem::take(&mut self.begun);
                        self.passed = 0;
                        return Ok(Some(Decoded::Assembled(kind, PiecePosition { first, last: true })));
                    }
                }
                if self.in_pieces && !self.assembled.is_empty() {
                    let first = !std::mem::replace(&mut self.begun, true);
                    self.passed += self.assembled.len() as u64;
                    return Ok(Some(Decoded::Assembled(kind, PiecePosition { first, last: false })));
                }
                if !complete {
                    return Ok(Some(Decoded::Unfinished));
                }
                if remaining > 0 && buffer.is_empty() {
                    return Ok(None);
                }
                continue;
            }
            let (masked, may_compress) = (self.unmasker.is_some(), self.inflater.is_some());
            let Some((header, header_len)) = parse_header(buffer.data(), masked, may_compress)? else {
                return Ok(None);
            };
            if header.is_control() {
                let Some(control) = control_frame(header, header_len, masked, buffer)? else {
                    return Ok(None);
                };
                self.keep(header);
                return Ok(Some(Decoded::Control(control)));
            }
            match self.data_frame(header, header_len, buffer)? {
                Step::Message(message) => {
                    self.keep(header);
                    return Ok(Some(message));
                }
                Step::More => return Ok(None),
                Step::Assemble => self.keep(header),
            }
        }
    }

    /// The most bytes that the next read into `buffer` should take. Such a read ends with the long frame that is partly
    /// in the buffer, and the header of the next frame. A longer read would leave the beginning of the next long frame
    /// in the buffer, and that would have to move before the rest fits.
    pub fn read_bytes_max(&self, buffer: &ReadBuffer) -> usize {
        match self.frame {
            None => self
                .rest_of_long_frame(buffer)
                .map_or(usize::MAX, |rest| rest.saturating_add(FRAME_HEADER_BYTES_MAX)),
            Some(_) => usize::MAX,
        }
    }

    /// The number of bytes that are missing of the long frame that is partly here. Without the last of them nothing more can be
    /// delivered.
    pub fn missing(&self, buffer: &ReadBuffer) -> usize {
        match &self.frame {
            _ if self.in_pieces => 0,
            Some(frame) => in_memory(frame.remaining).saturating_sub(buffer.data().len()),
            None => self.rest_of_long_frame(buffer).unwrap_or(0),
        }
    }

    /// The number of bytes that are missing of the long frame that begins in the buffer.
    fn rest_of_long_frame(&self, buffer: &ReadBuffer) -> Option<usize> {
        if buffer.is_empty() {
            return None;
        }
        let (masked, may_compress) = (self.unmasker.is_some(), self.inflater.is_some());
        let (header, header_len) = parse_header(buffer.data(), masked, may_compress).ok()??;
        let length = in_memory(header.length);
        (length >= LONG_FRAME_BYTES).then(|| length.saturating_sub(buffer.data().len() - header_len))
    }

    /// Returns room to read payload into directly, if a frame in the assembly is incomplete. The read buffer is empty
    /// then.
    pub fn direct_room(&mut self) -> Option<Limit<&mut Vec<u8>>> {
        let remaining = in_memory(self.frame.as_ref()?.remaining);
        if remaining == 0 || self.inflating || self.in_pieces {
            return None;
        }
        let step = remaining.min(self.assembled.len().max(ASSEMBLY_STEP_BYTES));
        if self.assembled.capacity() - self.assembled.len() <= step.min(ASSEMBLY_STEP_BYTES) {
            // Without memory the payload goes to the read buffer first. The error is then reported when it is appended.
            self.assembled.try_reserve(step + 1).ok()?;
        }
        let room = self.assembled.capacity() - self.assembled.len() - 1;
        Some((&mut self.assembled).limit(room.min(remaining).min(DIRECT_READ_BYTES_MAX)))
    }

    /// Accounts for `count` bytes read into [`Decoder::direct_room`].
    pub fn read_directly(&mut self, count: usize) -> Result<(), ProtocolError> {
        let fresh = self.assembled.len() - count;
        if let Some(frame) = &mut self.frame {
            frame.remaining -= count as u64;
        }
        if let Some(unmasker) = &mut self.unmasker {
            unmasker.remove(&mut self.assembled[fresh..]);
        }
        self.taken(count);
        if self.fragmented == Some(MessageType::Text) && !self.utf8.feed(&self.assembled[fresh..]) {
            return Err(ProtocolError::InvalidUtf8);
        }
        Ok(())
    }

    /// The message of [`Decoded::Assembled`].
    pub fn assembled(&mut self) -> &mut Vec<u8> {
        &mut self.assembled
    }

    /// Empties the assembly. Memory beyond what is kept for others is freed.
    pub fn recycle(&mut self) {
        self.assembled.clear();
        self.assembled.shrink_to(SPARE_BYTES_MAX);
    }

    /// Gives up all memory that no message needs now.
    pub fn release_idle(&mut self) {
        if self.fragmented.is_none() {
            recycle_message(std::mem::take(&mut self.assembled));
        }
    }

    /// Accounts for `count` bytes of payload that left the read buffer or were never in it.
    fn taken(&mut self, count: usize) {
        if let Some(unmasker) = &mut self.unmasker {
            unmasker.taken(count);
        }
    }

    fn append(&mut self, payload: &[u8], kind: MessageType) -> Result<Progress, ProtocolError> {
        let fresh = self.assembled.len();
        let limit = self.message_limit;
        let progress = match &mut self.inflater {
            Some(inflater) if self.inflating => inflater
                .piece(&mut self.assembled, payload, in_memory(limit - self.passed))
                .map_err(|error| of_whole_message(error, limit))?,
            _ => {
                // One more byte is for the NUL after the message, for C.
                self.assembled.try_reserve(payload.len() + 1).map_err(|_| ProtocolError::NoMemory)?;
                self.assembled.extend_from_slice(payload);
                Progress { taken: payload.len(), complete: true }
            }
        };
        self.validate(kind, fresh)?;
        Ok(progress)
    }

    /// Ends the message in the assembly.
    fn finish(&mut self, kind: MessageType) -> Result<(), ProtocolError> {
        if std::mem::take(&mut self.inflating)
            && let Some(inflater) = &mut self.inflater
        {
            let fresh = self.assembled.len();
            let limit = self.message_limit;
            inflater
                .finish(&mut self.assembled, in_memory(limit - self.passed))
                .map_err(|error| of_whole_message(error, limit))?;
            self.validate(kind, fresh)?;
        }
        self.fragmented = None;
        if kind == MessageType::Text && !self.utf8.finish() {
            return Err(ProtocolError::InvalidUtf8);
        }
        Ok(())
    }

    /// Validates the text in the assembly from `fresh` on.
    fn validate(&mut self, kind: MessageType, fresh: usize) -> Result<(), ProtocolError> {
        if kind == MessageType::Text && !self.utf8.feed(&self.assembled[fresh..]) {
            return Err(ProtocolError::InvalidUtf8);
        }
        Ok(())
    }

    /// Keeps the header of a decoded frame for [`Decoder::take_headers`], if somebody asks for headers.
    fn keep(&mut self, header: FrameHeader) {
        if let Some(trace) = &mut self.headers {
            trace.headers.push(header);
        }
    }

    fn data_frame(
        &mut self,
        header: FrameHeader,
        header_len: usize,
        buffer: &mut ReadBuffer,
    ) -> Result<Step, ProtocolError> {
        let FrameHeader { fin, compressed, opcode, length } = header;
        let kind = match (opcode, self.fragmented) {
            (TEXT, None) => MessageType::Text,
            (BINARY, None) => MessageType::Binary,
            (CONTINUATION, Some(kind)) => kind,
            (CONTINUATION, None) => return Err(ProtocolError::UnexpectedContinuation),
            (TEXT | BINARY, Some(_)) => return Err(ProtocolError::ExpectedContinuation),
            (reserved, _) => return Err(ProtocolError::ReservedOpcode(reserved)),
        };
        if compressed {
            if self.fragmented.is_some() {
                return Err(ProtocolError::ReservedBits);
            }
            self.inflating = true;
        }
        let limit = self.message_limit;
        // Only its output shows the size of a compressed message.
        if !self.inflating && length > limit.saturating_sub(self.assembled.len() as u64 + self.passed) {
            return Err(ProtocolError::MessageTooBig { limit });
        }

        let len = in_memory(length);
        if let Some(unmasker) = &mut self.unmasker {
            let (header, payload) = buffer.data_mut().split_at_mut(header_len);
            unmasker.begin(masking_key(header));
            let come = len.min(payload.len());
            unmasker.remove(&mut payload[..come]);
        }
        if fin && !self.inflating && self.fragmented.is_none() && header_len + len < buffer.capacity() {
            let available = buffer.data().len() - header_len;
            let start = buffer.start() + header_len;
            if available >= len {
                let payload = buffer.slice(start..start + len);
                let valid = match (kind, self.validated) {
                    (MessageType::Binary, _) => true,
                    (MessageType::Text, 0) => simdutf8::basic::from_utf8(payload).is_ok(),
                    (MessageType::Text, done) => self.utf8.feed(&payload[done..]) && self.utf8.finish(),
                };
                if !valid {
                    return Err(ProtocolError::InvalidUtf8);
                }
                self.validated = 0;
                self.taken(len);
                buffer.consume(header_len + len);
                return Ok(Step::Message(Decoded::Message(kind, start..start + len)));
            }
            if kind == MessageType::Text {
                // Section 8.1 allows a failure at the first bad byte, before the rest of the frame arrives.
                if !self.utf8.feed(&buffer.data()[header_len + self.validated..]) {
                    return Err(ProtocolError::InvalidUtf8);
                }
                self.validated = available;
            }
            return Ok(Step::More);
        }
        if self.assembled.capacity() == 0 {
            self.assembled = SPARE_ASSEMBLIES.take();
        }
        // The read buffer may have shrunk since the frame's first bytes were validated in it.
        let validated = std::mem::take(&mut self.validated);
        buffer.consume(header_len);
        self.assembled.extend_from_slice(&buffer.data()[..validated]);
        self.taken(validated);
        buffer.consume(validated);
        self.fragmented = Some(kind);
        self.frame = Some(OpenFrame { fin, remaining: length - validated as u64 });
        Ok(Step::Assemble)
    }
}

/// Limits `bytes` to what fits in memory. On 32 bits, a message that is delivered in pieces may be longer.
pub fn in_memory(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX).min(isize::MAX.cast_unsigned())
}

/// Reports the whole limit. The inflater knows only the part that is left.
fn of_whole_message(error: ProtocolError, limit: u64) -> ProtocolError {
    match error {
        ProtocolError::MessageTooBig { .. } => ProtocolError::MessageTooBig { limit },
        other => other,
    }
}

enum Step {
    Message(Decoded),
    More,
    Assemble,
}

#[cfg(test)]
mod tests;
