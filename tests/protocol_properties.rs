//! Properties of all messages, cuts and parameters. proptest generates the input and shrinks a failing one.
//!
//! Frames are checked against tungstenite's, which shares no code with ours.

use std::io::{self, Cursor, Read, Write};

use net_websocket::internals::protocol::{
    Control, Decoded, Decoder, Encoder, MessageType, PerMessageDeflate, ProtocolError, ReadBuffer,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket};
use tokio_tungstenite::tungstenite::{Message, protocol::frame::Frame, protocol::frame::coding};

const LIMIT: u64 = 1 << 20;

/// Bytes to read, then nothing more for now; what is written is kept.
#[derive(Default)]
struct Wire {
    incoming: Cursor<Vec<u8>>,
    outgoing: Vec<u8>,
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.incoming.read(buffer)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outgoing.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn server(incoming: Vec<u8>) -> WebSocket<Wire> {
    let wire = Wire { incoming: Cursor::new(incoming), outgoing: Vec::new() };
    WebSocket::from_raw_socket(wire, Role::Server, None)
}

/// Sizes around those at which the form of a frame changes, and any between.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => vec(any::<u8>(), 0..300),
        1 => (0_usize..8, any::<u8>()).prop_map(|(more, byte)| vec![byte; 65_532 + more]),
        1 => (0_usize..4, any::<u8>()).prop_map(|(more, byte)| vec![byte; 124 + more]),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    prop_oneof![
        payload().prop_map(|bytes| Message::Binary(bytes.into())),
        any::<String>().prop_map(|text| Message::Text(text.into())),
    ]
}

/// A message, or a control frame between two.
fn event() -> impl Strategy<Value = Message> {
    let control = || vec(any::<u8>(), 0..=125);
    prop_oneof![
        3 => message(),
        1 => control().prop_map(|bytes| Message::Ping(bytes.into())),
        1 => control().prop_map(|bytes| Message::Pong(bytes.into())),
    ]
}

/// What comes out of `wire` when it arrives in pieces that end at `cuts`. Pieces are assembled to messages.
fn decode(wire: &[u8], cuts: &[Index], mut decoder: Decoder) -> Result<Vec<Message>, ProtocolError> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).collect();
    ends.push(wire.len());
    ends.sort_unstable();
    let mut buffer = ReadBuffer::over(Vec::with_capacity(wire.len() + 256));
    let (mut seen, mut pending, mut start) = (Vec::new(), Vec::new(), 0);
    for end in ends {
        buffer.extend(&wire[start..end]);
        start = end;
        while let Some(decoded) = decoder.decode(&mut buffer)? {
            let of_kind = |kind, bytes: Vec<u8>| match kind {
                MessageType::Text => Message::Text(String::from_utf8(bytes).expect("checked").into()),
                MessageType::Binary => Message::Binary(bytes.into()),
            };
            seen.push(match decoded {
                Decoded::Message(kind, range) => of_kind(kind, buffer.slice(range).to_vec()),
                Decoded::Assembled(kind, part) => {
                    assert_eq!(part.first, pending.is_empty());
                    // An empty last piece counts, an empty piece between others does not.
                    assert!(part.last || !decoder.assembled().is_empty());
                    pending.append(decoder.assembled());
                    decoder.recycle();
                    if !part.last {
                        continue;
                    }
                    of_kind(kind, std::mem::take(&mut pending))
                }
                Decoded::Control(Control::Ping(range)) => Message::Ping(buffer.slice(range).to_vec().into()),
                Decoded::Control(Control::Pong(range)) => Message::Pong(buffer.slice(range).to_vec().into()),
                Decoded::Control(Control::Close(..)) => Message::Close(None),
                Decoded::Unfinished => continue,
            });
        }
    }
    Ok(seen)
}

proptest! {
    #[test]
    fn a_server_reads_what_the_encoder_writes(events in vec(event(), 0..20)) {
        let (mut encoder, mut wire) = (Encoder::default(), Vec::new());
        for event in &events {
            match event {
                Message::Text(text) => encoder.message(&mut wire, MessageType::Text, text.as_bytes()),
                Message::Binary(bytes) => encoder.message(&mut wire, MessageType::Binary, bytes),
                Message::Ping(bytes) => encoder.ping(&mut wire, bytes),
                Message::Pong(bytes) => encoder.pong(&mut wire, bytes),
                _ => unreachable!("not among the events"),
            }
        }
        let mut server = server(wire);
        for event in events {
            prop_assert_eq!(server.read().expect("a message"), event);
        }
        prop_assert!(server.read().is_err());
    }

    #[test]
    fn the_decoder_reads_what_a_server_writes(events in vec(event(), 0..20), cuts in vec(any::<Index>(), 0..30)) {
        let mut server = server(Vec::new());
        for event in &events {
            server.send(event.clone()).expect("a sink");
        }
        let seen = decode(&server.get_ref().outgoing, &cuts, Decoder::new(LIMIT, None));
        prop_assert_eq!(seen, Ok(events));
    }

    #[test]
    fn fragments_form_the_message(
        message in message(),
        borders in vec(any::<Index>(), 0..6),
        ping in any::<bool>(),
        in_pieces in any::<bool>(),
        cuts in vec(any::<Index>(), 0..30),
    ) {
        let text = message.is_text();
        let bytes = message.clone().into_data();
        let mut borders: Vec<usize> = borders.iter().map(|border| border.index(bytes.len() + 1)).collect();
        borders.extend([0, bytes.len()]);
        borders.sort_unstable();
        let (mut wire, mut expected) = (Vec::new(), Vec::new());
        for (at, pair) in borders.windows(2).enumerate() {
            let opcode = match (at, text) {
                (0, true) => coding::Data::Text,
                (0, false) => coding::Data::Binary,
                _ => coding::Data::Continue,
            };
            let fin = at + 2 == borders.len();
            let piece = bytes.slice(pair[0]..pair[1]);
            Frame::message(piece, coding::OpCode::Data(opcode), fin).format(&mut wire).expect("memory");
            if ping && !fin {
                Frame::ping("between").format(&mut wire).expect("memory");
                expected.push(Message::Ping("between".into()));
            }
        }
        expected.push(message);
        let decoder = Decoder::new(LIMIT, None);
        let decoder = if in_pieces { decoder.in_pieces() } else { decoder };
        prop_assert_eq!(decode(&wire, &cuts, decoder), Ok(expected));
    }

    #[test]
    fn accepts_text_if_and_only_if_it_is_utf_8(
        bytes in prop_oneof![
            vec(any::<u8>(), 0..12),
            // Almost valid: one byte of a text is changed.
            (any::<String>(), any::<Index>(), any::<u8>()).prop_map(|(text, at, byte)| {
                let mut bytes = text.into_bytes();
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                }
                bytes
            }),
        ],
        cuts in vec(any::<Index>(), 0..12),
    ) {
        let mut wire = Vec::new();
        Frame::message(bytes.clone(), coding::OpCode::Data(coding::Data::Text), true).format(&mut wire).expect("memory");
        let expected = match String::from_utf8(bytes) {
            Ok(text) => Ok(vec![Message::Text(text.into())]),
            Err(_) => Err(ProtocolError::InvalidUtf8),
        };
        prop_assert_eq!(decode(&wire, &cuts, Decoder::new(LIMIT, None)), expected);
    }

    #[test]
    fn the_inflater_undoes_the_deflater(
        payloads in vec(payload(), 1..8),
        client_bits in 9_u8..=15,
        no_takeover in any::<bool>(),
        released in any::<Index>(),
        in_pieces in any::<bool>(),
        cuts in vec(any::<Index>(), 0..30),
    ) {
        let offer = PerMessageDeflate {
            client_no_context_takeover: no_takeover,
            server_no_context_takeover: no_takeover,
            client_max_window_bits: client_bits,
            server_max_window_bits: client_bits,
            threshold: 0,
        };
        let takeover = if no_takeover { "; server_no_context_takeover; client_no_context_takeover" } else { "" };
        let answer = format!("permessage-deflate; server_max_window_bits={client_bits}{takeover}");
        let negotiated = offer.accept(&answer).expect("a legal answer").expect("an agreement");
        let mut deflater = negotiated.deflater();
        let mut wire = Vec::new();
        let released = released.index(payloads.len());
        for (at, payload) in payloads.iter().enumerate() {
            let mut compressed = Vec::new();
            deflater.message(&mut compressed, payload);
            if at == released {
                deflater.release();
            }
            let mut frame = Frame::message(compressed, coding::OpCode::Data(coding::Data::Binary), true);
            frame.header_mut().rsv1 = true;
            frame.format(&mut wire).expect("memory");
        }
        let expected: Vec<_> = payloads.into_iter().map(|payload| Message::Binary(payload.into())).collect();
        let decoder = Decoder::new(LIMIT, Some(negotiated.inflater()));
        let decoder = if in_pieces { decoder.in_pieces() } else { decoder };
        prop_assert_eq!(decode(&wire, &cuts, decoder), Ok(expected));
    }
}
