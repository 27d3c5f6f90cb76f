//! Tests of permessage-deflate: offers, answers, and messages in pieces.

use super::super::extension::PerMessageDeflate;
use super::*;

fn offer() -> PerMessageDeflate {
    PerMessageDeflate::default()
}

#[test]
fn offers_what_the_options_say() {
    assert_eq!(offer().offer(), "permessage-deflate; client_max_window_bits");
    let all = PerMessageDeflate {
        client_no_context_takeover: true,
        server_no_context_takeover: true,
        client_max_window_bits: 12,
        server_max_window_bits: 9,
        threshold: 0,
    };
    assert_eq!(
        all.offer(),
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
         server_max_window_bits=9; client_max_window_bits=12"
    );
}

#[test]
fn reads_legal_answers() {
    assert_eq!(offer().accept(""), Ok(None));
    let plain = offer().accept("permessage-deflate").expect("legal").expect("accepted");
    assert!(plain.own_context_takeover && plain.peer_context_takeover);
    assert_eq!((plain.own_window_bits, plain.peer_window_bits), (15, 15));
    let answer = "permessage-deflate; client_max_window_bits=\"10\";server_max_window_bits=8 ; \
                  server_no_context_takeover;client_no_context_takeover";
    let all = offer().accept(answer).expect("legal").expect("accepted");
    assert!(!all.own_context_takeover && !all.peer_context_takeover);
    assert_eq!((all.own_window_bits, all.peer_window_bits), (10, 8));
    let tiny = offer().accept("permessage-deflate; client_max_window_bits=8").expect("legal");
    assert_eq!(tiny.expect("accepted").own_window_bits, 8);
}

#[test]
fn refuses_illegal_answers() {
    let small = PerMessageDeflate { server_max_window_bits: 10, client_max_window_bits: 10, ..offer() };
    let strict = PerMessageDeflate { server_no_context_takeover: true, ..offer() };
    const LEGAL: &str = "the server's answer to permessage-deflate: ";
    for (offer, answer, error) in [
        (offer(), "x-webkit-deflate-frame", "the server chose an extension that was not requested"),
        (
            offer(),
            "permessage-deflate, permessage-deflate",
            "the server chose an extension that was not requested",
        ),
        (offer(), "permessage-deflate; unknown", "unknown parameter"),
        (
            offer(),
            "permessage-deflate; server_no_context_takeover=1",
            "server_no_context_takeover has a wrong value",
        ),
        (
            offer(),
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "server_no_context_takeover is there twice",
        ),
        (offer(), "permessage-deflate; client_max_window_bits", "client_max_window_bits has a wrong value"),
        (
            offer(),
            "permessage-deflate; client_max_window_bits=16",
            "client_max_window_bits has a wrong value",
        ),
        (
            offer(),
            "permessage-deflate; client_max_window_bits=09",
            "client_max_window_bits has a wrong value",
        ),
        (offer(), "permessage-deflate; client_max_window_bits=7", "client_max_window_bits has a wrong value"),
        (
            offer(),
            "permessage-deflate; server_max_window_bits=9; server_max_window_bits=9",
            "server_max_window_bits is there twice",
        ),
        (
            small.clone(),
            "permessage-deflate; server_max_window_bits=11",
            "server_max_window_bits is larger than requested",
        ),
        (
            small.clone(),
            "permessage-deflate; server_max_window_bits=10; client_max_window_bits=11",
            "client_max_window_bits is larger than requested",
        ),
        // A server that does not understand an offer must decline it (RFC 7692 section 7.1.2.1).
        (small, "permessage-deflate", "server_max_window_bits is missing, though requested"),
        (strict, "permessage-deflate", "server_no_context_takeover is missing, though requested"),
    ] {
        let refused = offer.accept(answer).expect_err(answer).to_string();
        let section =
            if error.starts_with("the server chose") { " (RFC 6455 4.1)" } else { " (RFC 7692 7.1)" };
        assert_eq!(refused.trim_start_matches(LEGAL), format!("{error}{section}"), "{answer}");
    }
}

#[test]
fn a_server_accepts_the_first_offer_it_supports() {
    let limits = PerMessageDeflate { server_max_window_bits: 12, client_max_window_bits: 11, ..offer() };
    for (own, offers, answer) in [
        (offer(), "permessage-deflate", Some("permessage-deflate")),
        (offer(), "permessage-deflate; client_max_window_bits", Some("permessage-deflate")),
        (offer(), "x-webkit-deflate-frame, permessage-deflate", Some("permessage-deflate")),
        (offer(), "", None),
        (offer(), "x-mine", None),
        (offer(), "permessage-deflate; other", None),
        (offer(), "permessage-deflate; server_max_window_bits", None),
        (offer(), "permessage-deflate; server_max_window_bits=16", None),
        (offer(), "permessage-deflate; client_max_window_bits=07", None),
        (offer(), "permessage-deflate; server_no_context_takeover; server_no_context_takeover", None),
        (
            offer(),
            "permessage-deflate; server_no_context_takeover=1, permessage-deflate",
            Some("permessage-deflate"),
        ),
        (
            offer(),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
            Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
        ),
        (
            offer(),
            "permessage-deflate; server_max_window_bits=8; client_max_window_bits=10",
            Some("permessage-deflate; server_max_window_bits=8; client_max_window_bits=10"),
        ),
        (
            limits.clone(),
            "permessage-deflate; server_max_window_bits=\"15\"; client_max_window_bits",
            Some("permessage-deflate; server_max_window_bits=12; client_max_window_bits=11"),
        ),
        (limits, "permessage-deflate", Some("permessage-deflate")),
    ] {
        let met = own.answer(offers);
        assert_eq!(met.as_ref().map(|(answer, _)| answer.as_str()), answer, "{offers}");
        // Both sides must come to the same agreement.
        if let (Some(answer), Some((_, server))) = (answer, met) {
            let client = PerMessageDeflate {
                server_no_context_takeover: offers.contains("server_no"),
                client_no_context_takeover: offers.contains("client_no"),
                ..offer()
            };
            if !offers.contains(',') {
                let client = client.accept(answer).expect("legal").expect("accepted");
                assert_eq!(client.own_context_takeover, server.peer_context_takeover, "{offers}");
                assert_eq!(client.peer_context_takeover, server.own_context_takeover, "{offers}");
                assert!(client.own_window_bits <= server.peer_window_bits, "{offers}");
                assert!(client.peer_window_bits >= server.own_window_bits, "{offers}");
            }
        }
    }
}

/// Decompresses a piece of a message in as many calls as it needs. Returns their number.
fn feed(
    inflater: &mut Inflater,
    out: &mut Vec<u8>,
    piece: &[u8],
    limit: usize,
) -> Result<usize, ProtocolError> {
    let (mut rest, mut calls) = (piece, 1);
    loop {
        let Progress { taken, complete } = inflater.piece(out, rest, limit)?;
        rest = &rest[taken..];
        if complete {
            assert!(rest.is_empty());
            return Ok(calls);
        }
        calls += 1;
    }
}

fn round_trip(answer: &str, messages: &[Vec<u8>], step: usize) {
    let negotiated = offer().accept(answer).expect("legal").expect("accepted");
    // The client's compressor against a decompressor with the client's parameters, as a server would have it.
    let servers = Negotiated {
        peer_context_takeover: negotiated.own_context_takeover,
        peer_window_bits: negotiated.own_window_bits,
        ..negotiated.clone()
    };
    let (mut deflater, mut inflater) = (negotiated.deflater(), servers.inflater());
    for message in messages {
        let mut wire = Vec::new();
        deflater.message(&mut wire, message);
        let mut out = Vec::new();
        for piece in wire.chunks(step) {
            feed(&mut inflater, &mut out, piece, 1 << 24).expect("valid");
        }
        inflater.finish(&mut out, 1 << 24).expect("valid");
        assert_eq!(&out, message);
    }
}

#[test]
fn messages_survive_in_every_mode_and_at_every_cut() {
    let noise: Vec<u8> = (0..40_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let messages = [vec![], b"a".to_vec(), b"repeat ".repeat(9_000), noise, b"repeat ".repeat(10), vec![]];
    for answer in [
        "permessage-deflate",
        "permessage-deflate; client_no_context_takeover",
        "permessage-deflate; client_max_window_bits=9",
        "permessage-deflate; client_max_window_bits=8",
    ] {
        for step in [1, 7, 1_000, 1 << 20] {
            round_trip(answer, &messages, step);
        }
    }
}

fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    })
    .take(bytes)
    .collect()
}

#[test]
fn incompressible_data_grows_by_a_few_bytes_a_block_and_fills_the_window_if_sent() {
    let noise = noise(140_000);
    for answer in ["permessage-deflate", "permessage-deflate; client_max_window_bits=9"] {
        for sent in [true, false] {
            let negotiated = offer().accept(answer).expect("legal").expect("accepted");
            let (mut deflater, mut inflater) = (negotiated.deflater(), negotiated.inflater());
            for (message, is_sent) in [(&b"plain plain plain plain"[..], true), (&noise, sent)] {
                let mut wire = Vec::new();
                deflater.part(&mut wire, message, 0..message.len());
                assert!(wire.len() <= message.len() + growth_max(message.len()), "{}", wire.len());
                match is_sent {
                    true => {
                        deflater.sent(message);
                        assert!(inflate(&mut inflater, &wire, 1 << 20).as_deref() == Ok(message), "{answer}");
                    }
                    false => deflater.not_sent(),
                }
            }
            // They are short if they refer to an earlier message, as far as a window reaches.
            for (message, known) in [(&noise[139_800..], sent), (b"plain plain plain", !sent)] {
                let mut wire = Vec::new();
                deflater.message(&mut wire, message);
                let is_short = wire.len() < message.len() / 2;
                assert!(is_short || !known, "{answer}, sent: {sent}: {} bytes", wire.len());
                assert!(inflate(&mut inflater, &wire, 1 << 20).as_deref() == Ok(message), "{answer}");
            }
        }
    }
}

#[test]
fn inflates_the_examples_of_the_rfc() {
    // The examples of RFC 7692 section 7.2.3: "Hello" plain, with the window taken over, uncompressed, with a final
    // block, in two blocks.
    let negotiated = offer().accept("permessage-deflate").expect("legal").expect("accepted");
    let mut inflater = negotiated.inflater();
    for wire in [
        &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..],
        &[0xf2, 0x00, 0x11, 0x00, 0x00],
        &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
        &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
        &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
    ] {
        let mut out = Vec::new();
        feed(&mut inflater, &mut out, wire, 100).expect("valid");
        inflater.finish(&mut out, 100).expect("valid");
        assert_eq!(out, b"Hello", "{wire:02x?}");
    }
}

#[test]
fn stops_inflating_at_the_message_limit() {
    let mut bomb = Vec::new();
    let negotiated = offer().accept("permessage-deflate").expect("legal").expect("accepted");
    negotiated.deflater().message(&mut bomb, &vec![0; 100_000_000]);
    assert!(bomb.len() < 1_000_000);
    let mut out = Vec::new();
    let outcome = feed(&mut negotiated.inflater(), &mut out, &bomb, 1_000_000);
    assert_eq!(outcome, Err(ProtocolError::MessageTooBig { limit: 1_000_000 }));
    assert!(out.capacity() <= 2_100_000, "took {} bytes", out.capacity());
}

fn inflater(answer: &str) -> Inflater {
    offer().accept(answer).expect("legal").expect("accepted").inflater()
}

/// The answers that concern a decompressor.
const SERVERS: [&str; 3] = [
    "permessage-deflate",
    "permessage-deflate; server_no_context_takeover",
    "permessage-deflate; server_max_window_bits=9",
];

/// A message in pieces of `step` bytes.
fn inflate(inflater: &mut Inflater, wire: &[u8], step: usize) -> Result<Vec<u8>, ProtocolError> {
    let mut out = Vec::new();
    for piece in wire.chunks(step) {
        feed(inflater, &mut out, piece, 1 << 20)?;
    }
    // The last frame of a message may be empty.
    feed(inflater, &mut out, &[], 1 << 20)?;
    inflater.finish(&mut out, 1 << 20).map(|()| out)
}

#[test]
fn a_final_block_does_not_affect_the_next_message() {
    let long = b"repeat ".repeat(9_000);
    let finished = |message: &[u8]| miniz_oxide::deflate::compress_to_vec(message, 6);
    assert_eq!(finished(b"a"), [0x4b, 0x04, 0x00]);
    let wires: [(Vec<u8>, &[u8]); 10] = [
        // The payload lacks even the octet of an empty message.
        (Vec::new(), b""),
        (finished(b"a"), b"a"),
        (finished(b"b"), b"b"),
        (finished(b""), b""),
        (finished(&long), &long),
        // With the octet that RFC 7692 section 7.2.3.4 appends.
        ([finished(b"c"), vec![0]].concat(), b"c"),
        // Two streams in one message.
        ([finished(b"d"), finished(b"e")].concat(), b"de"),
        // A final block without content: first without its last four bytes, which senders may leave out, then with
        // them.
        (vec![0x01], b""),
        (vec![0x01, 0x00, 0x00, 0xff, 0xff], b""),
        // The form in which servers send that flush.
        (vec![0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], b"Hello"),
    ];
    for answer in SERVERS {
        for step in [1, 2, 1_000_000] {
            let mut inflater = inflater(answer);
            for (wire, message) in wires.iter().chain(&wires) {
                let what = format!("{answer}, {wire:02x?} by {step}");
                assert_eq!(inflate(&mut inflater, wire, step).as_deref(), Ok(*message), "{what}");
            }
        }
    }
}

#[test]
fn refuses_a_truncated_message_at_every_length() {
    let text = "first first first second third 1234567890 ".repeat(3);
    // Its block has its own code tables of some 50 bytes.
    let mixed: Vec<u8> = (0..700_u32).map(|i| (i.wrapping_mul(i) >> 7) as u8 % 61).collect();
    for answer in SERVERS {
        let negotiated = offer().accept(answer).expect("legal").expect("accepted");
        for message in [b"a".as_slice(), text.as_bytes(), &mixed] {
            let mut wire = Vec::new();
            Deflater { window_bits: 9, ..negotiated.deflater() }.message(&mut wire, message);
            for (cut, step) in (1..wire.len()).flat_map(|cut| [(cut, 1), (cut, 1_000_000)]) {
                let mut inflater = inflater(answer);
                let before = inflate(&mut inflater, &[0x4a, 0x04, 0x00], step);
                assert_eq!(before.as_deref(), Ok(b"a".as_slice()));
                let cut_short = inflate(&mut inflater, &wire[..cut], step);
                assert_eq!(cut_short, Err(ProtocolError::Inflate), "{answer}, {cut} of {}", wire.len());
            }
        }
    }
}

#[test]
fn the_window_is_kept_between_messages() {
    // Two messages. The second refers to the first, as in the second example of RFC 7692 section 7.2.3.2.
    let mut inflater = inflater("permessage-deflate");
    for wire in [&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..], &[0xf2, 0x00, 0x11, 0x00, 0x00]] {
        assert_eq!(inflate(&mut inflater, wire, 1).as_deref(), Ok(b"Hello".as_slice()));
    }
}

#[test]
fn refuses_data_that_is_not_deflate() {
    let negotiated = offer().accept("permessage-deflate").expect("legal").expect("accepted");
    let mut out = Vec::new();
    assert_eq!(negotiated.inflater().piece(&mut out, &[0xff; 20], 100), Err(ProtocolError::Inflate));
}

/// The same block, of a given number of bits, many times.
fn blocks(bits: &[u8], count: usize) -> Vec<u8> {
    let all: Vec<u8> = bits.iter().copied().cycle().take(bits.len() * count).collect();
    let bytes = all.chunks(8).map(|byte| byte.iter().rev().fold(0, |value, bit| value << 1 | bit));
    // The block that ends the flush begins after them.
    bytes.chain([0]).collect()
}

/// A block with code tables and nothing else (RFC 1951 section 3.2.7), bit by bit.
fn tables() -> Vec<u8> {
    let mut bits = Vec::new();
    let mut put = |value: u32, count: u32| bits.extend((0..count).map(|at| (value >> at & 1) as u8));
    // Not the last block, of type 2; 257 literals, one distance, 18 lengths of codes.
    [(0, 1), (2, 2), (0, 5), (0, 5), (14, 4)].iter().for_each(|&(value, count)| put(value, count));
    // Only two of them are used: 18 (third) and 1 (last).
    (0..18).for_each(|at| put(u32::from(at == 2 || at == 17), 3));
    // 138 zeros, 118 zeros, and a 1 each for the end of the block and for the distance. Then comes the code that ends
    // the block.
    let lengths = [(1, 1), (127, 7), (1, 1), (107, 7), (0, 1), (0, 1), (0, 1)];
    lengths.iter().for_each(|&(value, count)| put(value, count));
    bits
}

#[test]
fn each_call_does_a_bounded_amount_of_work() {
    const LIMIT: usize = 1 << 26;
    let negotiated = offer().accept("permessage-deflate").expect("legal").expect("accepted");
    let mut bomb = Vec::new();
    negotiated.deflater().message(&mut bomb, &vec![0; LIMIT]);
    let final_blocks = [3, 0].repeat(500_000);
    let wires: [(&[u8], usize); 4] = [
        (&bomb, LIMIT),
        (&final_blocks, 0),
        // Empty blocks with the fixed codes, of ten bits each.
        (&blocks(&[0, 1, 0, 0, 0, 0, 0, 0, 0, 0], 400_000), 0),
        (&blocks(&tables(), 8 * 1_000), 0),
    ];
    for answer in SERVERS {
        for (wire, length) in wires {
            let mut inflater = inflater(answer);
            let (mut out, mut rest) = (Vec::new(), wire);
            loop {
                let before = out.len();
                let Progress { taken, complete } = inflater.piece(&mut out, rest, LIMIT).expect("valid");
                assert!(out.len() - before <= WORK_MAX + STEP_BYTES, "{} at once", out.len() - before);
                assert!(taken <= WORK_MAX / WORK_FOR_INPUT + INPUT_STEP_BYTES, "{taken} at once");
                rest = &rest[taken..];
                if complete {
                    break;
                }
            }
            inflater.finish(&mut out, LIMIT).expect("a whole message");
            assert_eq!((rest.len(), out.len()), (0, length));
        }
    }
}

#[test]
fn continues_where_it_stopped() {
    // The output ends before, at and after the place where a call stops.
    for length in
        (WORK_MAX - STEP_BYTES..=WORK_MAX + STEP_BYTES).step_by(997).chain(WORK_MAX - 3..WORK_MAX + 3)
    {
        let mut wire = Vec::new();
        let message: Vec<u8> = (0..length).map(|at| (at / 1_000) as u8).collect();
        deflate_to(&mut wire, &message);
        let mut inflater = inflater("permessage-deflate");
        let mut out = Vec::new();
        feed(&mut inflater, &mut out, &wire, length).expect("valid");
        inflater.finish(&mut out, length).expect("valid");
        assert!(out == message, "{length}");
    }
}

/// The output of a new compressor for `message`.
fn deflate_to(wire: &mut Vec<u8>, message: &[u8]) {
    let negotiated = offer().accept("permessage-deflate").expect("legal").expect("accepted");
    negotiated.deflater().message(wire, message);
}

#[test]
fn a_message_compressed_in_parts_inflates_to_the_same_message() {
    let long = b"some text that repeats, and ".repeat(30_000);
    for answer in ["permessage-deflate", "permessage-deflate; client_no_context_takeover"] {
        let negotiated = offer().accept(answer).expect("legal").expect("accepted");
        let (mut deflater, mut inflater) = (negotiated.deflater(), inflater(answer));
        for message in [&long[..], b"", b"a", &long[..70_000]] {
            for step in [1_000, 65_536, 1 << 20] {
                let mut wire = Vec::new();
                for start in (0..message.len().max(1)).step_by(step) {
                    deflater.part(&mut wire, message, start..message.len().min(start + step));
                }
                deflater.sent(message);
                let inflated = inflate(&mut inflater, &wire, usize::MAX);
                assert!(inflated.as_deref() == Ok(message), "{} by {step}", message.len());
            }
        }
    }
}
