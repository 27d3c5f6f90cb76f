//! permessage-deflate (RFC 7692): its negotiation, the compressor and the decompressor of a connection.

use std::fmt;

use flate2::{Compress, Compression, FlushCompress};

use super::error::ProtocolError;
use crate::platform::{InflateStatus, InflateStream, Inflated, StopAt};

const EXTENSION: &str = "permessage-deflate";
/// What a sync flush ends with, which is left out of a message and added again (RFC 7692 section 7.2).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
const WINDOW_BITS_MAX: u8 = 15;
/// The smallest window that zlib compresses raw data with.
const WINDOW_BITS_MIN: u8 = 9;
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

/// What a side of a connection wants of permessage-deflate, and when to make use of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerMessageDeflate {
    /// The client compresses each of its messages on its own: worse compression, no compressor memory between messages.
    /// Default: false.
    pub client_no_context_takeover: bool,
    /// The server does the same with its messages. Default: false.
    pub server_no_context_takeover: bool,
    /// Base-2 logarithm of the window of the client's compressor, 9 to 15, and so for the memory to decompress. Default: 15
    /// (32 KiB).
    pub client_max_window_bits: u8,
    /// The same for the server's. Default: 15.
    pub server_max_window_bits: u8,
    /// Messages of fewer bytes are sent as they are, which costs less than it saves. Default: 64.
    pub threshold: usize,
}

impl Default for PerMessageDeflate {
    fn default() -> Self {
        Self {
            client_no_context_takeover: false,
            server_no_context_takeover: false,
            client_max_window_bits: WINDOW_BITS_MAX,
            server_max_window_bits: WINDOW_BITS_MAX,
            threshold: 64,
        }
    }
}

impl PerMessageDeflate {
    /// Whether both windows are of a size that can be offered.
    pub fn is_valid(&self) -> bool {
        let valid = WINDOW_BITS_MIN..=WINDOW_BITS_MAX;
        valid.contains(&self.client_max_window_bits) && valid.contains(&self.server_max_window_bits)
    }

    /// The value of `Sec-WebSocket-Extensions` in the request (RFC 7692 section 7.1).
    pub fn offer(&self) -> String {
        let Self { client_no_context_takeover, server_no_context_takeover, .. } = *self;
        let mut offer = EXTENSION.to_owned();
        if server_no_context_takeover {
            offer.push_str("; server_no_context_takeover");
        }
        if client_no_context_takeover {
            offer.push_str("; client_no_context_takeover");
        }
        if self.server_max_window_bits < WINDOW_BITS_MAX {
            offer.push_str(&format!("; server_max_window_bits={}", self.server_max_window_bits));
        }
        // Without a value it says that a limit is understood.
        offer.push_str("; client_max_window_bits");
        if self.client_max_window_bits < WINDOW_BITS_MAX {
            offer.push_str(&format!("={}", self.client_max_window_bits));
        }
        offer
    }

    /// Reads the server's answer to the offer; `None` when it declined.
    pub fn accept(&self, answer: &str) -> Result<Option<Negotiated>, ExtensionError> {
        let mut negotiated = None;
        for extension in answer.split(',').map(str::trim).filter(|extension| !extension.is_empty()) {
            let (name, parameters) = extension.split_once(';').unwrap_or((extension, ""));
            if !name.trim().eq_ignore_ascii_case(EXTENSION) || negotiated.is_some() {
                return Err(ExtensionError::Unrequested);
            }
            negotiated = Some(self.accept_parameters(parameters)?);
        }
        Ok(negotiated)
    }

    /// A server's answer to a client's offers: the value of `Sec-WebSocket-Extensions`, and what was agreed on. The first offer
    /// that can be met counts; `None` when there is none (RFC 7692 section 5.1).
    pub fn answer(&self, offers: &str) -> Option<(String, Negotiated)> {
        offers.split(',').find_map(|offer| {
            let (name, parameters) = offer.split_once(';').unwrap_or((offer, ""));
            name.trim().eq_ignore_ascii_case(EXTENSION).then(|| self.meet(parameters)).flatten()
        })
    }

    /// Meets an offer with these parameters, if it can be met.
    fn meet(&self, parameters: &str) -> Option<(String, Negotiated)> {
        let Parameters { server_no_takeover, client_no_takeover, server_bits, client_bits } =
            Parameters::parse(parameters)?;
        let server_no_takeover = server_no_takeover || self.server_no_context_takeover;
        let client_no_takeover = client_no_takeover || self.client_no_context_takeover;
        let (mut own_bits, mut peer_bits) = (self.server_max_window_bits, WINDOW_BITS_MAX);
        let mut answer = EXTENSION.to_owned();
        if server_no_takeover {
            answer.push_str("; server_no_context_takeover");
        }
        if client_no_takeover {
            answer.push_str("; client_no_context_takeover");
        }
        if let Some(bits) = server_bits {
            own_bits = window_bits(bits?, WINDOW_BITS_MAX).ok()?.min(own_bits);
            answer.push_str(&format!("; server_max_window_bits={own_bits}"));
        }
        // A client that says nothing of it may not understand a limit (section 7.1.2.2).
        if let Some(bits) = client_bits {
            let offered = bits.map_or(Ok(WINDOW_BITS_MAX), |bits| window_bits(bits, WINDOW_BITS_MAX)).ok()?;
            peer_bits = offered.min(self.client_max_window_bits);
            if peer_bits < WINDOW_BITS_MAX {
                answer.push_str(&format!("; client_max_window_bits={peer_bits}"));
            }
        }
        let negotiated = Negotiated {
            own_context_takeover: !server_no_takeover,
            peer_context_takeover: !client_no_takeover,
            own_window_bits: own_bits,
            peer_window_bits: peer_bits,
            threshold: self.threshold,
        };
        Some((answer, negotiated))
    }

    fn accept_parameters(&self, parameters: &str) -> Result<Negotiated, ExtensionError> {
        let Parameters { server_no_takeover, client_no_takeover, server_bits, client_bits } =
            Parameters::parse(parameters).ok_or(ExtensionError::Parameter)?;
        let bits = |bits: Option<Option<&str>>, offered| match bits {
            Some(Some(bits)) => window_bits(bits, offered).map(Some),
            Some(None) => Err(ExtensionError::Parameter),
            None => Ok(None),
        };
        let server_bits = bits(server_bits, self.server_max_window_bits)?;
        let client_bits = bits(client_bits, self.client_max_window_bits)?;
        // What was asked of the server it must confirm (sections 7.1.1.1 and 7.1.2.1).
        let confirmed = (server_no_takeover || !self.server_no_context_takeover)
            && (server_bits.is_some() || self.server_max_window_bits == WINDOW_BITS_MAX);
        if !confirmed {
            return Err(ExtensionError::Parameter);
        }
        Ok(Negotiated {
            own_context_takeover: !(client_no_takeover || self.client_no_context_takeover),
            peer_context_takeover: !server_no_takeover,
            own_window_bits: client_bits.unwrap_or(self.client_max_window_bits),
            peer_window_bits: server_bits.unwrap_or(WINDOW_BITS_MAX),
            threshold: self.threshold,
        })
    }
}

/// The parameters of an offer or an answer (section 7.1): each at most once. A size may lack its value.
#[derive(Default)]
struct Parameters<'a> {
    server_no_takeover: bool,
    client_no_takeover: bool,
    server_bits: Option<Option<&'a str>>,
    client_bits: Option<Option<&'a str>>,
}

impl<'a> Parameters<'a> {
    /// `None` when one is unknown, malformed or there twice.
    fn parse(text: &'a str) -> Option<Self> {
        let mut parameters = Self::default();
        for parameter in text.split(';').map(str::trim).filter(|parameter| !parameter.is_empty()) {
            let (name, value) = match parameter.split_once('=') {
                Some((name, value)) => (name.trim_end(), Some(value.trim().trim_matches('"'))),
                None => (parameter, None),
            };
            let seen = match (name, value) {
                ("server_no_context_takeover", None) => {
                    std::mem::replace(&mut parameters.server_no_takeover, true)
                }
                ("client_no_context_takeover", None) => {
                    std::mem::replace(&mut parameters.client_no_takeover, true)
                }
                ("server_max_window_bits", bits) => parameters.server_bits.replace(bits).is_some(),
                ("client_max_window_bits", bits) => parameters.client_bits.replace(bits).is_some(),
                _ => true,
            };
            if seen {
                return None;
            }
        }
        Some(parameters)
    }
}

/// A window size in an answer: 8 to 15 without leading zeros, and no more than was offered.
fn window_bits(text: &str, offered: u8) -> Result<u8, ExtensionError> {
    match text {
        "8" | "9" | "10" | "11" | "12" | "13" | "14" | "15" => {
            text.parse().ok().filter(|bits| *bits <= offered).ok_or(ExtensionError::Parameter)
        }
        _ => Err(ExtensionError::Parameter),
    }
}

/// What is wrong with the server's `Sec-WebSocket-Extensions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtensionError {
    /// An extension that was not offered, or one twice.
    Unrequested,
    /// A parameter that is unknown, malformed, there twice, missing, or not a legal answer to the offer.
    Parameter,
}

impl fmt::Display for ExtensionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unrequested => "the server chose an extension that was not requested (RFC 6455 4.1)",
            Self::Parameter => {
                "the server's parameters for permessage-deflate do not fit the offer (RFC 7692 7.1)"
            }
        })
    }
}

/// The parameters both sides agreed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Negotiated {
    own_context_takeover: bool,
    peer_context_takeover: bool,
    own_window_bits: u8,
    peer_window_bits: u8,
    threshold: usize,
}

impl Negotiated {
    /// Messages of at least this many bytes are to be compressed; `None` when none can be.
    pub fn threshold(&self) -> Option<usize> {
        // zlib has no compressor for a window of 256 bytes; a sender need not compress.
        (self.own_window_bits >= WINDOW_BITS_MIN).then_some(self.threshold)
    }

    /// The compressor for messages to send.
    pub fn deflater(&self) -> Deflater {
        Deflater {
            compress: None,
            context_takeover: self.own_context_takeover,
            window_bits: self.own_window_bits,
        }
    }

    /// The decompressor for received messages.
    pub fn inflater(&self) -> Inflater {
        Inflater {
            stream: None,
            context_takeover: self.peer_context_takeover,
            window_bits: self.peer_window_bits.max(WINDOW_BITS_MIN),
            inside_stream: false,
            holds_back: false,
            work: 0,
        }
    }
}

/// Puts `message`, of which `compressed` is what the compressor made, into blocks that are stored (RFC 1951 section 3.2.4) if that
/// is shorter. The compressor's fast codes make what is compressed already, such as pictures, a twentieth longer. The peer's history
/// is the same either way.
pub fn store_if_shorter(compressed: &mut Vec<u8>, message: &[u8]) {
    const HEAD_BYTES: usize = 5;
    let blocks = message.chunks(usize::from(u16::MAX));
    // And the head of the empty block that the message ends with (RFC 7692 section 7.2.1).
    let stored_bytes = message.len() + blocks.len() * HEAD_BYTES + 1;
    if stored_bytes >= compressed.len() {
        return;
    }
    compressed.clear();
    compressed.reserve_exact(stored_bytes);
    for block in blocks {
        let length = u16::try_from(block.len()).expect("a chunk of at most u16::MAX bytes");
        compressed.push(0);
        compressed.extend_from_slice(&length.to_le_bytes());
        compressed.extend_from_slice(&(!length).to_le_bytes());
        compressed.extend_from_slice(block);
    }
    compressed.push(0);
}

/// Compresses the messages of a connection.
pub struct Deflater {
    /// About 256 KiB, so made for the first message and dropped by [`Deflater::release`].
    compress: Option<Compress>,
    context_takeover: bool,
    window_bits: u8,
}

impl Deflater {
    /// Appends `payload`, compressed, to `out`.
    pub fn message(&mut self, out: &mut Vec<u8>, payload: &[u8]) {
        self.part(out, payload, true);
    }

    /// Appends what the next part of a message yields, which may be nothing before the last one.
    pub fn part(&mut self, out: &mut Vec<u8>, payload: &[u8], last: bool) {
        let window_bits = self.window_bits.clamp(WINDOW_BITS_MIN, WINDOW_BITS_MAX);
        let compress = self
            .compress
            .get_or_insert_with(|| Compress::new_with_window_bits(Compression::fast(), false, window_bits));
        let (start, base) = (out.len(), compress.total_in());
        let flush = if last { FlushCompress::Sync } else { FlushCompress::None };
        loop {
            out.reserve(STEP_BYTES.min(payload.len() + TAIL.len() + 16));
            let taken = (compress.total_in() - base) as usize;
            // It cannot fail: there is room for output, and the state is used for nothing else.
            let status = compress.compress_vec(&payload[taken..], out, flush);
            let done = (compress.total_in() - base) as usize == payload.len() && out.len() < out.capacity();
            if done || status.is_err() {
                break;
            }
        }
        if !last {
            return;
        }
        if out[start..].ends_with(&TAIL) {
            out.truncate(out.len() - TAIL.len());
        }
        if out.len() == start {
            // An empty block instead of nothing at all (section 7.2.3.6).
            out.push(0);
        }
        if !self.context_takeover {
            compress.reset();
        }
    }

    /// Gives back the compressor's memory. The next message starts without a history, as a sender always may.
    pub fn release(&mut self) {
        self.compress = None;
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
