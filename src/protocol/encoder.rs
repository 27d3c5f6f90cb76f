//! Frames from client to server.

use rand::Rng;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::{CloseCode, Kind, mask};

/// The longest header of a frame we send: two bytes, a 64-bit length, a masking key.
pub const FRAME_HEADER_BYTES_MAX: usize = 14;

/// The longest close reason: a control payload of 125 bytes less the code (RFC 6455 section 5.5).
pub const CLOSE_REASON_BYTES_MAX: usize = 123;

const NO_EXTENSION: u8 = 0;
const RSV1: u8 = 0x40;
const FIN: u8 = 0x80;

/// Formats frames with a fresh masking key each.
///
/// RFC 6455 section 10.3 wants keys that an attacker cannot predict: they come from a ChaCha stream of the calling thread,
/// seeded by the system, some at a time. A stream of each connection's own would take ten times the memory.
#[derive(Default)]
pub struct Encoder {
    keys: [[u8; 4]; KEYS_AT_ONCE],
    /// How many of the keys are not used yet.
    left: usize,
}

const KEYS_AT_ONCE: usize = 8;

impl Encoder {
    /// Appends one unfragmented message.
    pub fn message(&mut self, out: &mut Vec<u8>, kind: Kind, payload: &[u8]) {
        self.frame(out, OpCode::Data(data_of(kind)), NO_EXTENSION, payload);
    }

    /// Appends one unfragmented message whose payload is compressed (RFC 7692 section 6).
    pub fn compressed_message(&mut self, out: &mut Vec<u8>, kind: Kind, payload: &[u8]) {
        self.frame(out, OpCode::Data(data_of(kind)), RSV1, payload);
    }

    /// Appends one frame of a message that is sent piece by piece (RFC 6455 section 5.4).
    pub fn fragment(&mut self, out: &mut Vec<u8>, kind: Kind, payload: &[u8], first: bool, last: bool) {
        let data = if first { data_of(kind) } else { Data::Continue };
        let start = out.len();
        self.frame(out, OpCode::Data(data), NO_EXTENSION, payload);
        if !last {
            out[start] &= !FIN;
        }
    }

    /// Appends the header of one message and masks its payload where it is, to be sent behind the header.
    pub fn header_and_mask(&mut self, out: &mut Vec<u8>, kind: Kind, payload: &mut [u8]) {
        let key = self.header(out, OpCode::Data(data_of(kind)), NO_EXTENSION, payload.len());
        mask::apply(payload, key);
    }

    /// Appends a ping; `payload` is at most 125 bytes.
    pub fn ping(&mut self, out: &mut Vec<u8>, payload: &[u8]) {
        self.frame(out, OpCode::Control(Control::Ping), NO_EXTENSION, payload);
    }

    /// Appends a pong; `payload` is at most 125 bytes.
    pub fn pong(&mut self, out: &mut Vec<u8>, payload: &[u8]) {
        self.frame(out, OpCode::Control(Control::Pong), NO_EXTENSION, payload);
    }

    /// Appends a close frame; without a code its payload is empty (RFC 6455 section 5.5.1).
    pub fn close(&mut self, out: &mut Vec<u8>, code: Option<CloseCode>, reason: &str) {
        let mut payload = Vec::new();
        if let Some(code) = code {
            payload.extend_from_slice(&u16::from(code).to_be_bytes());
            payload.extend_from_slice(truncate_reason(reason).as_bytes());
        }
        self.frame(out, OpCode::Control(Control::Close), NO_EXTENSION, &payload);
    }

    fn key(&mut self) -> [u8; 4] {
        if self.left == 0 {
            rand::rng().fill_bytes(self.keys.as_flattened_mut());
            self.left = KEYS_AT_ONCE;
        }
        self.left -= 1;
        self.keys[self.left]
    }

    fn frame(&mut self, out: &mut Vec<u8>, opcode: OpCode, extension_bits: u8, payload: &[u8]) {
        out.reserve(FRAME_HEADER_BYTES_MAX + payload.len());
        let key = self.header(out, opcode, extension_bits, payload.len());
        mask::append_masked(out, payload, key);
    }

    fn header(
        &mut self,
        out: &mut Vec<u8>,
        opcode: OpCode,
        extension_bits: u8,
        payload_len: usize,
    ) -> [u8; 4] {
        const MASK: u8 = 0x80;
        let first = FIN | extension_bits | u8::from(opcode);
        let key @ [a, b, c, d] = self.key();
        // Arrays of one length each are stored in an instruction or two; a slice would be copied by a call.
        match payload_len {
            len @ 0..=125 => out.extend_from_slice(&[first, MASK | len as u8, a, b, c, d]),
            len @ 126..=0xffff => {
                let [high, low] = (len as u16).to_be_bytes();
                out.extend_from_slice(&[first, MASK | 126, high, low, a, b, c, d]);
            }
            len => {
                out.extend_from_slice(&[first, MASK | 127]);
                out.extend_from_slice(&(len as u64).to_be_bytes());
                out.extend_from_slice(&key);
            }
        }
        key
    }
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// The last frame of its message, as every control frame is.
    pub fin: bool,
    /// RSV1: the message is compressed (RFC 7692 section 6).
    pub compressed: bool,
    /// RFC 6455 section 5.2.
    pub opcode: u8,
    /// Bytes of the payload.
    pub length: u64,
}

impl FrameHeader {
    /// Whether it is a control frame.
    pub fn is_control(self) -> bool {
        self.opcode & 0x8 != 0
    }

    /// Whether it continues a message that another frame has begun.
    pub fn is_continuation(self) -> bool {
        self.opcode == u8::from(OpCode::Data(Data::Continue))
    }
}

/// The frames of an [`Encoder`] in `bytes`, and where each begins and ends. The last one's payload may lie elsewhere, so
/// that it ends beyond `bytes`.
pub fn encoded_frames(bytes: &[u8]) -> impl Iterator<Item = (FrameHeader, usize, usize)> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let frame = bytes.get(start..)?;
        let (&first, &second) = (frame.first()?, frame.get(1)?);
        let (length, length_end) = match second & 0x7f {
            126 => (u64::from(u16::from_be_bytes(*frame.get(2..)?.first_chunk()?)), 4),
            127 => (u64::from_be_bytes(*frame.get(2..)?.first_chunk()?), 10),
            short => (u64::from(short), 2),
        };
        let from = start;
        let payload_end = usize::try_from(length).unwrap_or(usize::MAX);
        start = (start + length_end + 4).saturating_add(payload_end);
        let header =
            FrameHeader { fin: first & FIN != 0, compressed: first & RSV1 != 0, opcode: first & 0xf, length };
        Some((header, from, start))
    })
}

fn data_of(kind: Kind) -> Data {
    match kind {
        Kind::Text => Data::Text,
        Kind::Binary => Data::Binary,
    }
}

/// Whether an endpoint may put `code` into a close frame (RFC 6455 section 7.4 and the IANA registry: 1000 to
/// 1003, 1007 to 1014, 3000 to 4999).
pub fn may_be_sent(code: u16) -> bool {
    code == 1014 || CloseCode::from(code).is_allowed() && code != 0
}

/// Cuts a close reason to what a control frame holds, never inside a character.
pub fn truncate_reason(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(CLOSE_REASON_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_each_length_in_its_shortest_form() {
        let mut encoder = Encoder::default();
        for (len, header) in [
            (0_usize, vec![0x82, 0x80]),
            (125, vec![0x82, 0x80 | 125]),
            (126, vec![0x82, 0xfe, 0, 126]),
            (65_535, vec![0x82, 0xfe, 0xff, 0xff]),
            (65_536, vec![0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut out = Vec::new();
            encoder.message(&mut out, Kind::Binary, &vec![7; len]);
            assert_eq!(out[..header.len()], header);
            assert_eq!(out.len(), header.len() + 4 + len);
            let key: [u8; 4] = out[header.len()..header.len() + 4].try_into().expect("four bytes");
            let mut payload = out.split_off(header.len() + 4);
            mask::apply(&mut payload, key);
            assert_eq!(payload, vec![7; len]);
        }
    }

    #[test]
    fn finds_the_frames_it_has_written() {
        let mut encoder = Encoder::default();
        let mut out = Vec::new();
        encoder.fragment(&mut out, Kind::Text, &[b'a'; 70_000], true, false);
        encoder.ping(&mut out, b"p");
        encoder.fragment(&mut out, Kind::Text, &[b'b'; 300], false, true);
        encoder.compressed_message(&mut out, Kind::Binary, b"");
        encoder.header_and_mask(&mut out, Kind::Binary, &mut [0; 1_000]);
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
    fn allows_only_codes_an_endpoint_may_send() {
        for code in 0..=u16::MAX {
            let registered = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            assert_eq!(may_be_sent(code), registered, "{code}");
        }
    }

    #[test]
    fn cuts_a_reason_between_characters() {
        assert_eq!(truncate_reason("short"), "short");
        assert_eq!(truncate_reason(&"x".repeat(200)).len(), 123);
        assert_eq!(truncate_reason(&"你".repeat(60)), "你".repeat(41));
        assert_eq!(truncate_reason(&format!("x{}", "é".repeat(100))).len(), 123);
    }
}
