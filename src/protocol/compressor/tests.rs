//! Tests of the compressor, against the decompressor of miniz_oxide.

use super::*;

fn inflated(mut wire: Vec<u8>) -> Vec<u8> {
    // The rest of the empty block, and a last block.
    wire.extend([0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff]);
    miniz_oxide::inflate::decompress_to_vec(&wire).expect("valid")
}

fn message(compressor: &mut Compressor, bytes: &[u8], step: usize) -> Vec<u8> {
    let mut wire = Vec::new();
    for start in (0..bytes.len()).step_by(step) {
        compressor.part(&mut wire, bytes, start..bytes.len().min(start + step));
    }
    compressor.end(&mut wire);
    wire
}

/// Bytes that repeat earlier bytes at all distances and in all lengths, with other bytes in between.
fn mixed(bytes: usize, alphabet: u8) -> Vec<u8> {
    let (mut state, mut all) = (88_172_645_463_325_252_u64, Vec::new());
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % below
    };
    while all.len() < bytes {
        for _ in 0..=next(20) {
            all.push(255 - next(usize::from(alphabet)) as u8);
        }
        let reach = 1 << (1 + next(16));
        let distance = 1 + next(reach);
        for _ in 0..next(600) {
            match all.len().checked_sub(distance) {
                Some(from) => all.push(all[from]),
                None => break,
            }
        }
    }
    all.truncate(bytes);
    all
}

#[test]
fn every_length_and_distance_is_read_as_it_was_written() {
    for alphabet in [3, 255] {
        let bytes = mixed(300_000, alphabet);
        for step in [1_000, 65_535, 131_070, 1 << 20] {
            let mut compressor = Compressor::new(1 << 15);
            let wire = message(&mut compressor, &bytes, step);
            assert!(wire.len() < bytes.len() / 4, "{} bytes", wire.len());
            assert!(inflated(wire) == bytes, "alphabet {alphabet}, steps of {step}");
        }
    }
}

#[test]
fn each_byte_and_each_short_message_is_read_as_it_was_written() {
    for length in 0..40 {
        for first in 0..=u8::MAX {
            let bytes: Vec<u8> = (0..length).map(|at| first.wrapping_add(37_u8.wrapping_mul(at))).collect();
            assert_eq!(inflated(message(&mut Compressor::new(1 << 15), &bytes, 1 << 20)), bytes);
        }
    }
}

#[test]
fn messages_refer_to_those_before_within_the_window_alone() {
    for window in [256, 512, 1 << 12, 1 << 15] {
        let mut compressor = Compressor::new(window);
        let (mut before, mut all) = (Vec::new(), mixed(200_000, 60));
        let (mut length, mut longest) = (1, 0);
        while !all.is_empty() {
            let rest = all.split_off(length.min(all.len()));
            let wire = message(&mut compressor, &all, 1 << 20);
            compressor.remember(&all);
            longest = longest.max(all.len());
            let widest = if longest < LONG_BYTES { WINDOW_BYTES_AT_FIRST } else { window };
            assert!(compressor.history.capacity() <= window.min(widest));
            // The decompressor gets the history as stored blocks, as far as the window reaches.
            let known: &[u8] = &before[usize::saturating_sub(before.len(), window)..];
            let mut stream = Vec::new();
            for block in known.chunks(BLOCK_BYTES) {
                let length = block.len() as u16;
                stream.push(0);
                stream.extend(length.to_le_bytes());
                stream.extend((!length).to_le_bytes());
                stream.extend(block);
            }
            stream.extend(wire);
            let read = inflated(stream);
            assert!(read[known.len()..] == all, "window {window}, a message of {}", all.len());
            before.extend(&all);
            (all, length) = (rest, length * 5 / 4 + 1);
        }
    }
}

#[test]
fn a_long_message_that_is_sent_again_is_found_again() {
    for (length, short) in [(LONG_BYTES, true), (20_000, true), (30_000, true), (33_000, false)] {
        let mut compressor = Compressor::new(1 << 15);
        // The window has to widen while its ring is full.
        for bytes in chat(200) {
            message(&mut compressor, &bytes, 1 << 20);
            compressor.remember(&bytes);
        }
        // No byte of the message repeats an earlier one.
        let mut state = 7_u32;
        let document: Vec<u8> = (0..length)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        let first = message(&mut compressor, &document, 1 << 20);
        compressor.remember(&document);
        let again = message(&mut compressor, &document, 1 << 20);
        assert!(first.len() > length && inflated(first) == document);
        assert_eq!(again.len() < length / 5, short, "{length} bytes, then {}", again.len());
    }
}

/// Messages like those of a chat, of various lengths: the same names, other values, and words.
fn chat(messages: usize) -> Vec<Vec<u8>> {
    const WORDS: &str = "the of and to in that is was for on with as it be by at from or which this are not have an but we you \
                         they can all one when what there about message server connection time people other some would";
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % below
    };
    let mut message = |number: usize| {
        let lengths = [4, 10, 20, 60, 300, 1_200];
        let text: Vec<&str> =
            (0..lengths[next(6).min(next(6))]).map(|_| words[next(40).min(next(40))]).collect();
        let (user, at) = (next(300), next(86_400_000));
        format!(
            r#"{{"type":"message","id":"{:08x}{:08x}","room":"room-{}","from":{{"id":{},"avatar":"https://cdn.example.com/a/{:08x}.png"}},"at":{},"n":{number},"body":"{}","mentions":[]}}"#,
            next(1 << 32), next(1 << 32), next(20), 10_000 + user, user * 7_919, 1_764_300_000_000 + at, text.join(" ")
        )
        .into_bytes()
    };
    (0..messages).map(&mut message).collect()
}

#[test]
fn messages_are_hardly_longer_than_those_of_zlib_with_fifteen_times_the_memory() {
    let (mut ours, mut theirs) = (0, 0);
    let mut compressor = Compressor::new(1 << 15);
    let mut zlib = flate2::Compress::new(flate2::Compression::fast(), false);
    for bytes in chat(1_500) {
        ours += message(&mut compressor, &bytes, 1 << 20).len();
        compressor.remember(&bytes);
        let mut wire = Vec::with_capacity(2 * bytes.len() + 64);
        zlib.compress_vec(&bytes, &mut wire, flate2::FlushCompress::Sync).expect("room enough");
        theirs += wire.len() - 4;
    }
    assert!(ours * 100 <= theirs * 105, "{ours} bytes, by zlib-rs {theirs}");
}
