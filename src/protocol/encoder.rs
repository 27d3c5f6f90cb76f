//! Formats frames to send. A client's frames are masked, a server's are not.

use rand::Rng;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::frame::{
    BINARY, CLOSE, CONTINUATION, FIN, FRAME_HEADER_BYTES_MAX, MASK, MessageType, PING, PONG, PiecePosition,
    RSV1, Role, TEXT,
};
use super::mask;

/// The longest close reason: a control payload of 125 bytes less the code (RFC 6455 section 5.5).
pub const CLOSE_REASON_BYTES_MAX: usize = 123;

const NO_EXTENSION: u8 = 0;

/// Formats frames. By default they are a client's, each with a new masking key.
///
/// RFC 6455 section 10.3 demands keys that an attacker cannot predict. They come from the calling thread's ChaCha
/// stream, several at a time, with a seed from the system. A separate stream for each connection would take ten times
/// the memory.
#[derive(Default)]
pub struct Encoder {
    keys: [[u8; 4]; KEYS_AT_ONCE as usize],
    /// The number of keys not yet used.
    left: u8,
    /// The frames are a server's (RFC 6455 section 5.1).
    unmasked: bool,
}

const KEYS_AT_ONCE: u8 = 8;

impl Encoder {
    /// An encoder for that side of a connection.
    pub fn new(role: Role) -> Self {
        Self { unmasked: !role.masks(), ..Self::default() }
    }

    /// Appends one unfragmented message.
    pub fn message(&mut self, out: &mut Vec<u8>, kind: MessageType, payload: &[u8]) {
        self.frame(out, opcode_of(kind), NO_EXTENSION, payload);
    }

    /// Appends one frame of a message that is sent piece by piece (RFC 6455 section 5.4).
    pub fn fragment(
        &mut self,
        out: &mut Vec<u8>,
        kind: MessageType,
        payload: &[u8],
        position: PiecePosition,
    ) {
        self.part(out, kind, NO_EXTENSION, payload, position);
    }

    /// Appends one frame of a compressed message. The first frame's RSV1 bit says so (RFC 7692 section 6.1).
    pub fn compressed_fragment(
        &mut self,
        out: &mut Vec<u8>,
        kind: MessageType,
        payload: &[u8],
        position: PiecePosition,
    ) {
        let extension = if position.first { RSV1 } else { NO_EXTENSION };
        self.part(out, kind, extension, payload, position);
    }

    /// Appends the header of one frame of a message. Masks its payload in place if this side masks. The caller sends
    /// the payload after the header.
    #[inline]
    pub fn header_and_mask(
        &mut self,
        out: &mut Vec<u8>,
        kind: MessageType,
        payload: &mut [u8],
        position: PiecePosition,
    ) {
        let start = out.len();
        let key = self.header(out, opcode_at(kind, position), NO_EXTENSION, payload.len());
        end_at(&mut out[start..], position);
        if let Some(key) = key {
            mask::apply(payload, key);
        }
    }

    /// Appends a ping; `payload` is at most 125 bytes.
    pub fn ping(&mut self, out: &mut Vec<u8>, payload: &[u8]) {
        self.frame(out, PING, NO_EXTENSION, payload);
    }

    /// Appends a pong; `payload` is at most 125 bytes.
    pub fn pong(&mut self, out: &mut Vec<u8>, payload: &[u8]) {
        self.frame(out, PONG, NO_EXTENSION, payload);
    }

    /// Appends a close frame; without a code its payload is empty (RFC 6455 section 5.5.1).
    pub fn close(&mut self, out: &mut Vec<u8>, code: Option<CloseCode>, reason: &str) {
        let mut payload = Vec::new();
        if let Some(code) = code {
            payload.extend_from_slice(&u16::from(code).to_be_bytes());
            payload.extend_from_slice(truncate_reason(reason).as_bytes());
        }
        self.frame(out, CLOSE, NO_EXTENSION, &payload);
    }

    fn key(&mut self) -> [u8; 4] {
        if self.left == 0 {
            rand::rng().fill_bytes(self.keys.as_flattened_mut());
            self.left = KEYS_AT_ONCE;
        }
        self.left -= 1;
        self.keys[usize::from(self.left)]
    }

    #[inline]
    fn part(
        &mut self,
        out: &mut Vec<u8>,
        kind: MessageType,
        extension_bits: u8,
        payload: &[u8],
        position: PiecePosition,
    ) {
        let start = out.len();
        self.frame(out, opcode_at(kind, position), extension_bits, payload);
        end_at(&mut out[start..], position);
    }

    #[inline]
    fn frame(&mut self, out: &mut Vec<u8>, opcode: u8, extension_bits: u8, payload: &[u8]) {
        out.reserve(FRAME_HEADER_BYTES_MAX + payload.len());
        match self.header(out, opcode, extension_bits, payload.len()) {
            Some(key) => mask::append_masked(out, payload, key),
            None => out.extend_from_slice(payload),
        }
    }

    /// The masking key, if the frame has one.
    fn header(
        &mut self,
        out: &mut Vec<u8>,
        opcode: u8,
        extension_bits: u8,
        payload_len: usize,
    ) -> Option<[u8; 4]> {
        let first = FIN | extension_bits | opcode;
        if self.unmasked {
            plain_header(out, first, payload_len);
            return None;
        }
        let key @ [a, b, c, d] = self.key();
        // An array of a fixed length is stored in one or two instructions. A slice would need a call.
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
        Some(key)
    }
}

/// The header of a server's message in one frame.
pub fn server_header(kind: MessageType, payload_len: usize) -> Vec<u8> {
    let mut header = Vec::with_capacity(FRAME_HEADER_BYTES_MAX);
    plain_header(&mut header, FIN | opcode_of(kind), payload_len);
    header
}

#[inline]
fn plain_header(out: &mut Vec<u8>, first: u8, payload_len: usize) {
    match payload_len {
        len @ 0..=125 => out.extend_from_slice(&[first, len as u8]),
        len @ 126..=0xffff => {
            let [high, low] = (len as u16).to_be_bytes();
            out.extend_from_slice(&[first, 126, high, low]);
        }
        len => {
            out.extend_from_slice(&[first, 127]);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

fn opcode_of(kind: MessageType) -> u8 {
    match kind {
        MessageType::Text => TEXT,
        MessageType::Binary => BINARY,
    }
}

fn opcode_at(kind: MessageType, position: PiecePosition) -> u8 {
    if position.first { opcode_of(kind) } else { CONTINUATION }
}

/// Marks a frame as not the last of its message, unless it is.
fn end_at(frame: &mut [u8], position: PiecePosition) {
    if !position.last {
        frame[0] &= !FIN;
    }
}

/// Shortens a close reason to the length of a control frame, at the border of a character.
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
            encoder.message(&mut out, MessageType::Binary, &vec![7; len]);
            assert_eq!(out[..header.len()], header);
            assert_eq!(out.len(), header.len() + 4 + len);
            let key: [u8; 4] = out[header.len()..header.len() + 4].try_into().expect("four bytes");
            let mut payload = out.split_off(header.len() + 4);
            mask::apply(&mut payload, key);
            assert_eq!(payload, vec![7; len]);
        }
    }

    #[test]
    fn a_server_masks_nothing() {
        let mut encoder = Encoder::new(Role::Server);
        for (len, header) in [
            (0_usize, vec![0x82, 0]),
            (125, vec![0x82, 125]),
            (126, vec![0x82, 126, 0, 126]),
            (65_535, vec![0x82, 126, 0xff, 0xff]),
            (65_536, vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let mut payload = vec![7; len];
            let mut out = Vec::new();
            encoder.message(&mut out, MessageType::Binary, &payload);
            assert_eq!(out, [&header[..], &payload].concat());
            out.clear();
            encoder.header_and_mask(&mut out, MessageType::Binary, &mut payload, PiecePosition::WHOLE);
            assert_eq!((out, payload), (header, vec![7; len]));
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
