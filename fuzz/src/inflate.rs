//! Compressed messages: any bytes as one, against miniz_oxide, and our own there and back.

use miniz_oxide::MZFlush;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use net_websocket::internals::protocol::{Negotiated, PerMessageDeflate, ProtocolError};

use super::wire::{Arrival, Random, Seen, decode};

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const CONTINUE: u8 = 0;
const BINARY: u8 = 2;

/// The first six bytes decide the parameters and how the rest arrives.
pub fn check(data: &[u8]) {
    let Some(([cuts @ .., parameters, sizes], payload)) = data.split_first_chunk::<6>() else {
        return;
    };
    let cuts = u32::from_le_bytes(*cuts);
    any_bytes(payload, cuts, *parameters, *sizes);
    there_and_back(payload, cuts, *parameters);
}

fn any_bytes(payload: &[u8], cuts: u32, parameters: u8, sizes: u8) {
    let limit = [100, 4_096, 70_000, 1_048_576][usize::from(sizes & 3)];
    // Each as a message of its own, so that the second finds the context of the first.
    let (first, second) = payload.split_at(payload.len() / 2);
    let messages = [first, second, payload];
    let mut random = Random(cuts);
    let mut wire = Vec::new();
    for message in messages {
        fragments(&mut wire, message, &mut random);
    }
    let arrival = Arrival { cuts: Some(cuts), capacity: 300 };
    let negotiated = negotiate(parameters);
    let (seen, error) = decode(&wire, &arrival, limit, Some(negotiated.inflater()));
    let in_one = decode(&wire, &Arrival::in_one(&wire), limit, Some(negotiated.inflater()));
    assert_eq!(seen, in_one.0, "cut differently");
    // Of two reasons to refuse a message, the longer read may find the other.
    assert_eq!(error.is_some(), in_one.1.is_some(), "cut differently: {error:?} {:?}", in_one.1);
    match error {
        None => assert_eq!(seen.len(), messages.len()),
        Some(ProtocolError::Inflate | ProtocolError::MessageTooBig { .. }) => {}
        Some(other) => panic!("{other}"),
    }
    // A window below 15 bits makes distances an error that it does not know of. It knows no second stream either.
    if parameters & 3 == 3
        && let Some(Seen::Binary(ours)) = seen.first()
        && let Some(theirs) = miniz(first)
    {
        assert!(*ours == theirs, "inflated to {} bytes, by miniz_oxide to {}", ours.len(), theirs.len());
    }
}

/// What a message inflates to, if it is one stream.
fn miniz(message: &[u8]) -> Option<Vec<u8>> {
    let input: Vec<u8> = message.iter().copied().chain([0, 0, 0xff, 0xff]).collect();
    let mut state = InflateState::new_boxed(miniz_oxide::DataFormat::Raw);
    let (mut rest, mut out, mut chunk) = (&input[..], Vec::new(), [0; 4_096]);
    loop {
        let result = inflate(&mut state, rest, &mut chunk, MZFlush::None);
        rest = &rest[result.bytes_consumed..];
        out.extend_from_slice(&chunk[..result.bytes_written]);
        match result.status {
            Ok(miniz_oxide::MZStatus::Ok) if result.bytes_consumed + result.bytes_written > 0 => {}
            Err(miniz_oxide::MZError::Buf) | Ok(miniz_oxide::MZStatus::Ok) if rest.is_empty() => {
                return Some(out);
            }
            _ => return None,
        }
    }
}

/// What our compressor makes of messages, our decompressor unmakes.
fn there_and_back(payload: &[u8], cuts: u32, parameters: u8) {
    let negotiated = negotiate(parameters);
    let mut deflater = negotiated.deflater();
    let mut random = Random(cuts);
    let (mut wire, mut expected) = (Vec::new(), Vec::new());
    for times in [1, 1, 3, 1, 2] {
        let message = payload.repeat(times);
        let mut compressed = Vec::new();
        let cut = random.below(message.len() as u32 + 1) as usize;
        deflater.part(&mut compressed, &message, 0..cut);
        if cut < message.len() {
            deflater.part(&mut compressed, &message, cut..message.len());
        }
        if random.below(4) == 0 {
            // It goes out as it is, so no later message may refer to it.
            deflater.not_sent();
            continue;
        }
        deflater.sent(&message);
        assert!(!compressed.is_empty(), "RFC 7692 7.2.3.6");
        fragments(&mut wire, &compressed, &mut random);
        expected.push(Seen::Binary(message));
        if random.below(4) == 0 {
            deflater.release();
        }
    }
    // The other way round, our windows are the server's.
    let server = negotiate(parameters);
    let limit = payload.len() * 3;
    let (seen, error) = decode(&wire, &Arrival::in_one(&wire), limit, Some(server.inflater()));
    assert_eq!(error, None);
    assert!(seen == expected, "differs after compression");
}

/// The same choices for client and server.
fn negotiate(parameters: u8) -> Negotiated {
    let bits = [9, 10, 12, 15][usize::from(parameters & 3)];
    let no_takeover = parameters & 4 != 0;
    let offer = PerMessageDeflate {
        client_no_context_takeover: no_takeover,
        server_no_context_takeover: no_takeover,
        client_max_window_bits: bits,
        server_max_window_bits: bits,
        threshold: 0,
    };
    let mut answer = format!("permessage-deflate; server_max_window_bits={bits}");
    if no_takeover {
        answer.push_str("; server_no_context_takeover");
    }
    offer.accept(&answer).expect("a legal answer").expect("an agreement")
}

/// Appends a message in frames from server to client.
fn fragments(wire: &mut Vec<u8>, mut message: &[u8], random: &mut Random) {
    let mut opcode = BINARY | RSV1;
    loop {
        let cut = random.below(message.len() as u32 * 2 + 1) as usize;
        let (piece, rest) = message.split_at(cut.min(message.len()));
        let fin = if rest.is_empty() { FIN } else { 0 };
        wire.push(fin | opcode);
        match piece.len() {
            len @ 0..=125 => wire.push(len as u8),
            len @ 126..=0xffff => {
                wire.push(126);
                wire.extend_from_slice(&(len as u16).to_be_bytes());
            }
            len => {
                wire.push(127);
                wire.extend_from_slice(&(len as u64).to_be_bytes());
            }
        }
        wire.extend_from_slice(piece);
        if rest.is_empty() {
            return;
        }
        (message, opcode) = (rest, CONTINUE);
    }
}
