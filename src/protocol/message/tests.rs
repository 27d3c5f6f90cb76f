//! The decoder against literal bytes, cut in every way.

use super::*;
use crate::protocol::PerMessageDeflate;
use crate::protocol::mask;

/// A message, or the name and payload of a control frame.
type Seen = (&'static str, Vec<u8>);

/// Feeds `wire` in pieces of `step` bytes through a buffer of `capacity`. Returns the output and the end.
fn decode_in_steps(
    wire: &[u8],
    step: usize,
    capacity: usize,
    limit: u64,
) -> (Vec<Seen>, Option<ProtocolError>) {
    decode_by(Decoder::new(limit, None), wire, step, capacity)
}

fn decode_by(
    mut decoder: Decoder,
    wire: &[u8],
    step: usize,
    capacity: usize,
) -> (Vec<Seen>, Option<ProtocolError>) {
    let mut buffer = ReadBuffer::over(Vec::with_capacity(capacity));
    let mut seen = Vec::new();
    let mut rest = wire;
    loop {
        match decoder.decode(&mut buffer) {
            Err(error) => return (seen, Some(error)),
            Ok(Some(Decoded::Message(kind, range))) => {
                let bytes = buffer.with_nul(range.clone(), |bytes| bytes.to_vec());
                assert_eq!(bytes.last(), Some(&0));
                assert_eq!(&bytes[..bytes.len() - 1], buffer.slice(range));
                seen.push((name(kind), bytes[..bytes.len() - 1].to_vec()));
            }
            Ok(Some(Decoded::Assembled(kind, _))) => {
                seen.push((name(kind), decoder.assembled().clone()));
                decoder.recycle();
            }
            Ok(Some(Decoded::Control(control))) => seen.push(match control {
                Control::Ping(range) => ("ping", buffer.slice(range).to_vec()),
                Control::Pong(range) => ("pong", buffer.slice(range).to_vec()),
                Control::Close(code, reason) => {
                    ("close", format!("{} {reason}", code.map_or(0, u16::from)).into_bytes())
                }
            }),
            Ok(Some(Decoded::Unfinished)) => {}
            Ok(None) if rest.is_empty() => return (seen, None),
            Ok(None) => {
                let direct = buffer.is_empty().then(|| decoder.direct_room()).flatten();
                let read = match direct {
                    Some(mut room) => {
                        let n = step.min(rest.len()).min(room.remaining_mut());
                        room.put_slice(&rest[..n]);
                        if let Err(error) = decoder.read_directly(n) {
                            return (seen, Some(error));
                        }
                        n
                    }
                    None => {
                        let mut room = buffer.room(decoder.read_bytes_max(&buffer));
                        let n = step.min(rest.len()).min(room.remaining_mut());
                        assert!(n > 0, "no room to read into");
                        room.put_slice(&rest[..n]);
                        n
                    }
                };
                rest = &rest[read..];
            }
        }
    }
}

fn name(kind: MessageType) -> &'static str {
    match kind {
        MessageType::Text => "text",
        MessageType::Binary => "binary",
    }
}

/// A server's frame with its length in the shortest form.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![first];
    match payload.len() {
        len @ 0..=125 => out.push(len as u8),
        len @ 126..=0xffff => {
            out.push(126);
            out.extend((len as u16).to_be_bytes());
        }
        len => {
            out.push(127);
            out.extend((len as u64).to_be_bytes());
        }
    }
    out.extend(payload);
    out
}

/// The same frame from a client.
fn masked(frame: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let header = match frame[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    let mut out = [&frame[..header], &KEY, &frame[header..]].concat();
    out[1] |= 0x80;
    mask::apply(&mut out[header + 4..], KEY);
    out
}

#[test]
fn decodes_the_same_messages_however_the_bytes_arrive() {
    let big: Vec<u8> = (0..70_000_u32).map(|i| i as u8).collect();
    let frames = [
        frame(0x81, b"Hello"),
        frame(0x82, &big),
        frame(0x01, "Hél".as_bytes()),
        frame(0x89, b"ping inside"),
        frame(0x00, "lo ".as_bytes()),
        frame(0x80, "你好".as_bytes()),
        frame(0x82, &big[..300]),
        frame(0x81, b""),
        frame(0x8a, b""),
        frame(0x88, b"\x03\xe8bye"),
    ];
    let wire = frames.concat();
    let from_client: Vec<u8> = frames.iter().flat_map(|frame| masked(frame)).collect();
    let expected: Vec<Seen> = vec![
        ("text", b"Hello".to_vec()),
        ("binary", big.clone()),
        ("ping", b"ping inside".to_vec()),
        ("text", "Héllo 你好".as_bytes().to_vec()),
        ("binary", big[..300].to_vec()),
        ("text", vec![]),
        ("pong", vec![]),
        ("close", b"1000 bye".to_vec()),
    ];
    for step in [1, 2, 3, 7, 128, 4_096, 100_000] {
        for capacity in [160, 4_096, 131_072] {
            let (seen, error) = decode_in_steps(&wire, step, capacity, 1 << 20);
            assert_eq!(error, None);
            assert_eq!(seen, expected, "step {step}, capacity {capacity}");
            let server = Decoder::new(1 << 20, None).in_role(Role::Server);
            let (seen, error) = decode_by(server, &from_client, step, capacity);
            assert_eq!(error, None);
            assert_eq!(seen, expected, "from a client, step {step}, capacity {capacity}");
        }
    }
}

#[test]
fn the_fast_path_decodes_the_same_as_the_slow_one() {
    // A caller that wants headers gets each frame by the slow path.
    let long = |role| {
        let mut decoder = Decoder::new(300, None).in_role(role);
        decoder.keep_headers(true);
        decoder
    };
    let short = |role| Decoder::new(300, None).in_role(role);
    let mut count = 0;
    for first in 0..=u8::MAX {
        for payload in [&b""[..], b"text", &[0xff], &[b'a'; 125], &[b'a'; 126], &[b'a'; 300], &[b'a'; 301]] {
            let mut wires = vec![frame(first, payload), [vec![first, 126, 0, 125], vec![b'a'; 125]].concat()];
            wires.extend_from_within(..);
            wires[2..].iter_mut().for_each(|wire| *wire = masked(wire));
            for wire in wires {
                for role in [Role::Client, Role::Server] {
                    // The bytes before and after the frame show whether it takes exactly its own.
                    let hello = if role == Role::Server {
                        masked(&frame(0x81, b"hello"))
                    } else {
                        frame(0x81, b"hello")
                    };
                    let wire = [&hello[..], &wire, &hello].concat();
                    let seen = decode_by(short(role), &wire, wire.len(), 4_096);
                    assert_eq!(
                        seen,
                        decode_by(long(role), &wire, wire.len(), 4_096),
                        "{role:?}, {:?}",
                        &wire[..12]
                    );
                    count += seen.0.len();
                }
            }
        }
    }
    assert!(count > 14_336, "one message each at least: {count}");
}

#[test]
fn a_server_refuses_a_frame_that_is_not_masked() {
    let server = || Decoder::new(1 << 20, None).in_role(Role::Server);
    for frame in [frame(0x81, b"Hello"), frame(0x89, b""), frame(0x88, b"")] {
        let (seen, error) = decode_by(server(), &frame, 1, 160);
        assert_eq!((seen, error), (vec![], Some(ProtocolError::UnmaskedFrame)));
    }
    let (seen, error) = decode_by(server(), &masked(&frame(0x81, b"\xff")), 1, 160);
    assert_eq!((seen, error), (vec![], Some(ProtocolError::InvalidUtf8)));
}

#[test]
fn a_server_inflates_what_a_client_masks() {
    let (_, negotiated) = PerMessageDeflate::default().answer("permessage-deflate").expect("met");
    let message = b"much of the same, ".repeat(9_000);
    let mut wire = Vec::new();
    let mut compressed = Vec::new();
    negotiated.deflater().message(&mut compressed, &message);
    let (first, rest) = compressed.split_at(compressed.len() / 2);
    for part in [frame(0x42, first), frame(0x89, b"p"), frame(0x80, rest)] {
        wire.extend(masked(&part));
    }
    for step in [1, 7, 100_000] {
        for capacity in [160, 131_072] {
            let server = Decoder::new(1 << 20, Some(negotiated.inflater())).in_role(Role::Server);
            let (seen, error) = decode_by(server, &wire, step, capacity);
            assert_eq!(error, None);
            assert!(seen == [("ping", b"p".to_vec()), ("binary", message.clone())], "{step}, {capacity}");
        }
    }
}

#[test]
fn refuses_what_the_rfc_forbids() {
    use ProtocolError as E;
    let cases: Vec<(Vec<u8>, E)> = vec![
        (frame(0xc1, b"x"), E::ReservedBits),
        (frame(0xa2, b"x"), E::ReservedBits),
        (frame(0x83, b""), E::ReservedOpcode(3)),
        (frame(0x8b, b""), E::ReservedOpcode(11)),
        (vec![0x81, 0x81, 0, 0, 0, 0, 0], E::MaskedFrame),
        (frame(0x09, b""), E::FragmentedControl),
        (frame(0x89, &[0; 126]), E::ControlTooLong),
        (vec![0x82, 126, 0, 125], E::LengthEncoding),
        (vec![0x82, 127, 0, 0, 0, 0, 0, 0, 255, 255], E::LengthEncoding),
        (vec![0x82, 127, 128, 0, 0, 0, 0, 0, 0, 0], E::LengthEncoding),
        (frame(0x80, b"x"), E::UnexpectedContinuation),
        ([frame(0x01, b"a"), frame(0x81, b"b")].concat(), E::ExpectedContinuation),
        (frame(0x81, b"\xc3\x28"), E::InvalidUtf8),
        (frame(0x81, b"cut \xe4\xbd"), E::InvalidUtf8),
        ([frame(0x01, b"\xe4"), frame(0x80, b"\xbd")].concat(), E::InvalidUtf8),
        (frame(0x88, b"\x03"), E::ClosePayload),
        (frame(0x88, b"\x03\xed"), E::CloseCode(1005)),
        (frame(0x88, b"\x03\xee"), E::CloseCode(1006)),
        // The code is checked first.
        (frame(0x88, b"\x03\xed\xff"), E::CloseCode(1005)),
        (frame(0x88, b"\x03\xe8\xff"), E::CloseReason(1000)),
        (frame(0x88, b"\x03\xe9cut \xe4\xbd"), E::CloseReason(1001)),
        (frame(0x82, &[0; 1_001]), E::MessageTooBig { limit: 1_000 }),
        ([frame(0x02, &[0; 600]), frame(0x80, &[0; 401])].concat(), E::MessageTooBig { limit: 1_000 }),
    ];
    for (wire, expected) in cases {
        for step in [1, 5, 4_096] {
            let (seen, error) = decode_in_steps(&wire, step, 4_096, 1_000);
            assert_eq!(error, Some(expected), "{wire:02x?} by {step}");
            assert!(seen.is_empty(), "{seen:?}");
        }
    }
}

#[test]
fn refuses_invalid_text_before_the_frame_is_complete() {
    // The header promises 200 bytes; three show the error.
    let (_, error) = decode_in_steps(b"\x81\x7e\x00\xc8ab\xff", 1, 4_096, 1_000);
    assert_eq!(error, Some(ProtocolError::InvalidUtf8));
}

#[test]
fn allocates_no_memory_for_a_length_without_data() {
    let mut decoder = Decoder::new(1 << 30, None);
    let mut buffer = ReadBuffer::over(Vec::with_capacity(4_096));
    buffer.extend(b"\x82\x7f\x00\x00\x00\x00\x3f\xff\xff\xff");
    assert_eq!(decoder.decode(&mut buffer), Ok(None));
    assert!(decoder.direct_room().is_some());
    assert!(decoder.assembled.capacity() <= 2 * ASSEMBLY_STEP_BYTES);
}

#[test]
fn a_message_in_pieces_may_exceed_the_memory() {
    const HEAD: &[u8] = b"\x82\x7f\x40\x00\x00\x00\x00\x00\x00\x00first";
    let mut decoder = Decoder::new(1 << 62, None).in_pieces();
    let mut buffer = ReadBuffer::over(Vec::with_capacity(64));
    buffer.extend(HEAD);
    let first = PiecePosition { first: true, last: false };
    assert_eq!(decoder.decode(&mut buffer), Ok(Some(Decoded::Assembled(MessageType::Binary, first))));
    assert_eq!(decoder.assembled(), b"first");
    let limit = (1 << 62) - 1;
    let mut decoder = Decoder::new(limit, None).in_pieces();
    buffer.extend(HEAD);
    assert_eq!(decoder.decode(&mut buffer), Err(ProtocolError::MessageTooBig { limit }));
}

#[test]
fn a_large_compressed_message_is_decoded_in_many_turns() {
    const LENGTH: usize = 1 << 23;
    let negotiated = PerMessageDeflate::default().accept("permessage-deflate");
    let negotiated = negotiated.expect("legal").expect("accepted");
    let mut deflater = negotiated.deflater();
    let mut wire = Vec::new();
    for message in [vec![b'a'; LENGTH], b"short".to_vec()] {
        let mut compressed = Vec::new();
        deflater.message(&mut compressed, &message);
        wire.extend(frame(0xc1, &compressed));
    }
    for in_pieces in [false, true] {
        let mut decoder = Decoder::new(LENGTH as u64, Some(negotiated.inflater()));
        if in_pieces {
            decoder = decoder.in_pieces();
        }
        let mut buffer = ReadBuffer::over(Vec::with_capacity(wire.len() + 1));
        buffer.extend(&wire);
        let (mut lengths, mut length, mut turns) = (Vec::new(), 0, 0);
        while let Some(decoded) = decoder.decode(&mut buffer).expect("valid") {
            turns += 1;
            let Decoded::Assembled(MessageType::Text, part) = decoded else {
                assert_eq!(decoded, Decoded::Unfinished);
                continue;
            };
            length += decoder.assembled().len();
            assert!(!in_pieces || decoder.assembled().capacity() <= 1 << 20, "what a turn yields");
            decoder.recycle();
            if part.last {
                lengths.push(std::mem::take(&mut length));
            }
        }
        assert_eq!(lengths, [LENGTH, 5]);
        assert!(turns > LENGTH / 300_000, "{turns} turns");
    }
}

#[test]
fn a_read_ends_with_a_long_frame_and_the_next_header() {
    let decoder = Decoder::new(u64::MAX, None);
    let whole = FRAME_HEADER_BYTES_MAX;
    for (length, received, expected) in [
        (65_536, 0, 65_536 + whole),
        (65_536, 65_530, 6 + whole),
        (65_536, 65_536, whole),
        (16_384, 1, 16_383 + whole),
        (16_383, 1, usize::MAX),
    ] {
        let mut frame = Vec::new();
        crate::protocol::Encoder::new(Role::Server).message(
            &mut frame,
            MessageType::Binary,
            &vec![0; length],
        );
        let mut buffer = ReadBuffer::default();
        buffer.extend(&frame[..frame.len() - length + received]);
        assert_eq!(decoder.read_bytes_max(&buffer), expected, "{received} of {length} bytes");
    }
    let mut half_a_header = ReadBuffer::default();
    half_a_header.extend(&[0x82, 127, 0]);
    assert_eq!(decoder.read_bytes_max(&half_a_header), usize::MAX);
    assert_eq!(decoder.read_bytes_max(&ReadBuffer::default()), usize::MAX);
}

#[test]
fn says_how_much_of_a_long_frame_is_missing() {
    let long = frame(0x82, &vec![7; 100_000]);
    let short = frame(0x82, &[7; 16_000]);
    for (wire, capacity, missing) in [
        (&long[..0], 200_000, 0),
        (&long[..9], 200_000, 0),
        (&long[..10], 200_000, 100_000),
        (&long[..60_010], 200_000, 40_000),
        // Without room for all of it, it is assembled outside of the buffer.
        (&long[..60_010], 70_000, 40_000),
        (&short[..100], 200_000, 0),
    ] {
        let mut decoder = Decoder::new(1_000_000, None);
        let mut buffer = ReadBuffer::over(Vec::with_capacity(capacity));
        buffer.extend(wire);
        assert_eq!(decoder.decode(&mut buffer), Ok(None));
        assert_eq!(decoder.missing(&buffer), missing, "{} bytes of {capacity}", wire.len());
        let mut decoder = Decoder::new(1_000_000, None).in_pieces();
        assert_eq!(decoder.missing(&buffer), 0, "each piece is of use");
        let _ = decoder.decode(&mut buffer);
    }
}
