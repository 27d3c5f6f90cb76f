//! One frame (RFC 6455 section 5.2): its header, the types of data messages, and the payload of a control frame.
//!
//! Owns every rule that needs no other frame. Knows nothing of messages.

use std::ops::Range;

use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::error::ProtocolError;
use super::mask;
use super::read_buffer::ReadBuffer;

/// The longest header of a frame to send, in bytes: two, a 64-bit length, a masking key.
pub const FRAME_HEADER_BYTES_MAX: usize = 14;

/// The longest payload of a control frame (RFC 6455 section 5.5), in bytes.
pub const CONTROL_PAYLOAD_BYTES_MAX: usize = 125;

pub(super) const FIN: u8 = 0x80;
pub(super) const RSV1: u8 = 0x40;
const RSV2_AND_3: u8 = 0x30;
pub(super) const MASK: u8 = 0x80;
/// The length of a masking key.
pub(super) const KEY_BYTES: usize = 4;

pub(super) const CONTINUATION: u8 = 0;
pub(super) const TEXT: u8 = 1;
pub(super) const BINARY: u8 = 2;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
pub(super) const PONG: u8 = 10;

/// The side of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The side that requested the connection.
    Client,
    /// The side that accepted it.
    Server,
}

impl Role {
    /// Whether this side masks its frames (RFC 6455 section 5.1).
    pub fn masks(self) -> bool {
        self == Self::Client
    }

    /// Whether an application on this side may close with `code` (RFC 6455 section 7.4 and the IANA registry). Valid
    /// are 1000 to 1003, 1007 to 1014 and 3000 to 4999. Only a client may use 1010. Codes 1012 to 1014 suit servers,
    /// but neither the RFC nor the registry restricts them, and a gateway passes them on.
    pub fn may_close_with(self, code: u16) -> bool {
        may_be_sent(code) && (code != 1010 || self == Self::Client)
    }

    /// Whether this side ends the TCP connection first, after both close frames (RFC 6455 section 7.1.1).
    pub fn ends_tcp_first(self) -> bool {
        self == Self::Server
    }
}

/// The type of a data message (RFC 6455 section 5.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageType {
    /// UTF-8 text, opcode 1.
    Text,
    /// Arbitrary bytes, opcode 2.
    Binary,
}

/// The position of a piece in its message. A piece is a received part of a message. It need not be a fragment in the
/// sense of RFC 6455 section 5.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PiecePosition {
    /// It begins the message.
    pub first: bool,
    /// It ends the message.
    pub last: bool,
}

impl PiecePosition {
    /// A message in one piece.
    pub const WHOLE: Self = Self { first: true, last: true };
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// The frame is the last of its message. True for each control frame.
    pub fin: bool,
    /// RSV1: the message is compressed (RFC 7692 section 6).
    pub compressed: bool,
    /// The opcode (RFC 6455 section 5.2).
    pub opcode: u8,
    /// The length of the payload, in bytes.
    pub length: u64,
}

/// The headers of frames that somebody wants to see.
#[derive(Debug, Default)]
pub struct FrameTrace {
    /// In the order of the frames.
    pub headers: Vec<FrameHeader>,
}

impl FrameHeader {
    /// Whether the frame is a control frame.
    pub fn is_control(self) -> bool {
        self.opcode & 0x8 != 0
    }

    /// Whether the frame continues a message.
    pub fn is_continuation(self) -> bool {
        self.opcode == CONTINUATION
    }
}

/// A control frame.
#[derive(Debug, PartialEq, Eq)]
pub enum Control {
    /// Requests a pong with the same payload.
    Ping(Range<usize>),
    /// Answers a ping, or is a heartbeat of the peer.
    Pong(Range<usize>),
    /// Closes the connection. Without a code the payload was empty.
    Close(Option<CloseCode>, String),
}

/// Whether a close frame may carry `code`: 1000 to 1003, 1007 to 1014, 3000 to 4999 (RFC 6455 section 7.4 and the IANA
/// registry).
pub fn may_be_sent(code: u16) -> bool {
    code == 1014 || CloseCode::from(code).is_allowed() && code != 0
}

/// Iterates over the frames in `bytes`, which an [`super::Encoder`] wrote. Yields header, start and end of each. The
/// payload of the last frame may lie elsewhere. Its end is then beyond `bytes`.
pub fn encoded_frames(bytes: &[u8]) -> impl Iterator<Item = (FrameHeader, usize, usize)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let frame = bytes.get(start..)?;
        let (&first, &second) = (frame.first()?, frame.get(1)?);
        let (length, length_end) = match second & !MASK {
            126 => (u64::from(u16::from_be_bytes(*frame.get(2..)?.first_chunk()?)), 4),
            127 => (u64::from_be_bytes(*frame.get(2..)?.first_chunk()?), 10),
            short => (u64::from(short), 2),
        };
        let from = start;
        let payload_end = usize::try_from(length).unwrap_or(usize::MAX);
        let key_bytes = if second & MASK != 0 { KEY_BYTES } else { 0 };
        start = (start + length_end + key_bytes).saturating_add(payload_end);
        let header =
            FrameHeader { fin: first & FIN != 0, compressed: first & RSV1 != 0, opcode: first & 0xf, length };
        Some((header, from, start))
    })
}

/// Parses the header at the start of `data`. Returns it with its length in bytes, masking key included. `None` asks for
/// more bytes. Applies every rule that needs no other frame (RFC 6455 sections 5.1, 5.2, 5.5). `masked` says whether
/// the peer masks its frames.
pub(super) fn parse_header(
    data: &[u8],
    masked: bool,
    may_compress: bool,
) -> Result<Option<(FrameHeader, usize)>, ProtocolError> {
    let [first, second, rest @ ..] = data else {
        return Ok(None);
    };
    let fin = first & FIN != 0;
    let compressed = first & RSV1 != 0;
    let opcode = first & 0x0f;
    let control = opcode & 0x8 != 0;
    if first & RSV2_AND_3 != 0 || compressed && (control || !may_compress) {
        return Err(ProtocolError::ReservedBits);
    }
    match opcode {
        CONTINUATION | TEXT | BINARY => {}
        CLOSE | PING | PONG if !fin => return Err(ProtocolError::FragmentedControl),
        CLOSE | PING | PONG if second & !MASK > CONTROL_PAYLOAD_BYTES_MAX as u8 => {
            return Err(ProtocolError::ControlTooLong);
        }
        CLOSE | PING | PONG => {}
        reserved => return Err(ProtocolError::ReservedOpcode(reserved)),
    }
    if (second & MASK != 0) != masked {
        return Err(if masked { ProtocolError::UnmaskedFrame } else { ProtocolError::MaskedFrame });
    }
    let (length, header_len) = match second & !MASK {
        126 => {
            let Some(bytes) = rest.first_chunk() else {
                return Ok(None);
            };
            let length = u16::from_be_bytes(*bytes);
            if length < 126 {
                return Err(ProtocolError::LengthEncoding);
            }
            (u64::from(length), 4)
        }
        127 => {
            let Some(bytes) = rest.first_chunk() else {
                return Ok(None);
            };
            let length = u64::from_be_bytes(*bytes);
            if length <= 0xffff || length > i64::MAX as u64 {
                return Err(ProtocolError::LengthEncoding);
            }
            (length, 10)
        }
        length => (u64::from(length), 2),
    };
    let header = FrameHeader { fin, compressed, opcode, length };
    if !masked {
        return Ok(Some((header, header_len)));
    }
    let header_len = header_len + KEY_BYTES;
    Ok((data.len() >= header_len).then_some((header, header_len)))
}

/// The masking key that ends a header.
pub(super) fn masking_key(header: &[u8]) -> [u8; KEY_BYTES] {
    header.last_chunk().copied().unwrap_or_default()
}

/// Parses the control frame at the start of `buffer`, after [`parse_header`] has parsed its header. `None` asks for
/// more bytes.
pub(super) fn control_frame(
    header: FrameHeader,
    header_len: usize,
    masked: bool,
    buffer: &mut ReadBuffer,
) -> Result<Option<Control>, ProtocolError> {
    let len = header.length as usize; // parse_header let at most 125 pass
    if buffer.data().len() < header_len + len {
        return Ok(None);
    }
    let start = buffer.start() + header_len;
    let payload = start..start + len;
    if masked {
        let key = masking_key(&buffer.data()[..header_len]);
        mask::apply(buffer.slice_mut(payload.clone()), key);
    }
    let control = match header.opcode {
        PING => Control::Ping(payload),
        PONG => Control::Pong(payload),
        CLOSE => {
            let (code, reason) = close_payload(buffer.slice(payload))?;
            Control::Close(code, reason)
        }
        reserved => return Err(ProtocolError::ReservedOpcode(reserved)),
    };
    buffer.consume(header_len + len);
    Ok(Some(control))
}

/// Reads the payload of a close frame: nothing, or a code and UTF-8 text (RFC 6455 section 5.5.1).
fn close_payload(payload: &[u8]) -> Result<(Option<CloseCode>, String), ProtocolError> {
    match payload {
        [] => Ok((None, String::new())),
        [_] => Err(ProtocolError::ClosePayload),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !may_be_sent(code) {
                return Err(ProtocolError::CloseCode(code));
            }
            let reason = std::str::from_utf8(reason).map_err(|_| ProtocolError::CloseReason(code))?;
            Ok((Some(CloseCode::from(code)), reason.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Encoder;
    use super::*;

    #[test]
    fn finds_the_frames_of_a_client() {
        let mut encoder = Encoder::default();
        let mut out = Vec::new();
        encoder.fragment(
            &mut out,
            MessageType::Text,
            &[b'a'; 70_000],
            PiecePosition { first: true, last: false },
        );
        encoder.ping(&mut out, b"p");
        encoder.fragment(
            &mut out,
            MessageType::Text,
            &[b'b'; 300],
            PiecePosition { first: false, last: true },
        );
        encoder.compressed_fragment(&mut out, MessageType::Binary, b"", PiecePosition::WHOLE);
        encoder.header_and_mask(&mut out, MessageType::Binary, &mut [0; 1_000], PiecePosition::WHOLE);
        let header = |fin, compressed, opcode, length| FrameHeader { fin, compressed, opcode, length };
        let starts = [0, 70_014, 70_021, 70_329, 70_335, 71_343];
        let expected = [
            header(false, false, 1, 70_000),
            header(true, false, 9, 1),
            header(true, false, 0, 300),
            header(true, true, 2, 0),
            header(true, false, 2, 1_000),
        ];
        let found: Vec<_> = encoded_frames(&out).collect();
        let pairs: Vec<_> = (0..5).map(|at| (expected[at], starts[at], starts[at + 1])).collect();
        assert_eq!(found, pairs);
        assert!(found[1].0.is_control() && found[2].0.is_continuation());
    }

    #[test]
    fn finds_the_frames_of_a_server() {
        let mut encoder = Encoder::new(Role::Server);
        let mut out = Vec::new();
        for length in [0, 125, 126, 65_536, 3] {
            encoder.message(&mut out, MessageType::Binary, &vec![0; length]);
        }
        let found: Vec<_> =
            encoded_frames(&out).map(|(header, start, end)| (header.length, start, end)).collect();
        assert_eq!(
            found,
            [(0, 0, 2), (125, 2, 129), (126, 129, 259), (65_536, 259, 65_805), (3, 65_805, 65_810)]
        );
    }

    #[test]
    fn allows_only_codes_an_endpoint_may_send() {
        for code in 0..=u16::MAX {
            let registered = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            assert_eq!(may_be_sent(code), registered, "{code}");
        }
    }
}
