use super::*;
use crate::protocol::{Encoder, PiecePosition};

/// Queued frames as text: `1` for a text message, `(`, `-` and `)` for its beginning, middle and end, `p` for a
/// ping.
fn chunk(frames: &str) -> Chunk {
    let mut encoder = Encoder::default();
    let mut chunk = Chunk::default();
    for frame in frames.chars() {
        let out = &mut chunk.bytes;
        match frame {
            '(' => encoder.fragment(out, MessageType::Text, b"a", PiecePosition { first: true, last: false }),
            '-' => {
                encoder.fragment(out, MessageType::Text, b"b", PiecePosition { first: false, last: false })
            }
            ')' => encoder.fragment(out, MessageType::Text, b"c", PiecePosition { first: false, last: true }),
            'p' => encoder.ping(out, b"d"),
            _ => encoder.message(out, MessageType::Text, b"e"),
        }
        chunk.messages += usize::from(matches!(frame, ')' | '1'));
    }
    chunk
}

/// The reverse.
fn frames(chunks: &VecDeque<Chunk>) -> String {
    let name = |header: crate::protocol::FrameHeader| match (header.opcode, header.fin) {
        (9, _) => 'p',
        (0, true) => ')',
        (0, false) => '-',
        (_, true) => '1',
        (_, false) => '(',
    };
    chunks.iter().flat_map(|chunk| encoded_frames(&chunk.bytes)).map(|(header, ..)| name(header)).collect()
}

const FRAME_BYTES: usize = 2 + 4 + 1;

#[test]
fn a_chunk_is_split_after_the_frame_being_written() {
    for (written, whole, left, rest) in [
        (1, 0, 1, "1(-)1"),
        (FRAME_BYTES, 1, 0, "1(-)1"),
        (FRAME_BYTES + 1, 1, 1, "(-)1"),
        (3 * FRAME_BYTES - 1, 2, 0, "-)1"),
        (5 * FRAME_BYTES - 1, 2, 1, "1"),
        (5 * FRAME_BYTES, 3, 0, "1"),
        (6 * FRAME_BYTES - 1, 3, 1, ""),
    ] {
        let mut front = Chunk { receipt: Some(5), ..chunk("11(-)1") };
        let (counted, cut) = front.split_begun(written);
        assert_eq!((counted, front.messages), (whole, left), "{written}");
        let receipt_kept = cut.as_ref().map_or(front.receipt, |rest| rest.receipt);
        assert_eq!(receipt_kept, Some(5), "{written}");
        let messages = cut.as_ref().map_or(0, |rest| rest.messages);
        assert_eq!(whole + left + messages, 4, "{written}");
        assert_eq!(frames(&cut.into_iter().collect()), rest, "{written}");
    }
}

#[test]
fn drops_the_remaining_fragments_of_a_partly_sent_message() {
    for (chunks, kept, messages) in [
        (vec!["1", "(-)"], "1(-)", 0),
        (vec!["-)1", "1"], "11", 1),
        (vec!["-", "--", "-)", "(-"], "(-", 1),
        (vec![")"], "", 1),
        (vec!["-", "-"], "", 0),
        (vec![], "", 0),
    ] {
        let numbered = |(number, frames): (u64, &&str)| Chunk { receipt: Some(number), ..chunk(frames) };
        let mut queue: VecDeque<Chunk> = (0..).zip(&chunks).map(numbered).collect();
        let mut dropped = Dropped::default();
        drop_continuations(&mut queue, &mut dropped);
        // Every receipt is reported.
        let mut receipts = dropped.receipts;
        receipts.extend(queue.iter().filter_map(|chunk| chunk.receipt));
        assert!(receipts.into_iter().eq(0..chunks.len() as u64), "{chunks:?}");
        assert_eq!((frames(&queue).as_str(), dropped.messages), (kept, messages), "{chunks:?}");
        let counted: usize = queue.iter().map(|chunk| chunk.messages).sum();
        assert_eq!(counted, kept.chars().filter(|frame| matches!(frame, ')' | '1')).count(), "{chunks:?}");
    }
}

/// The chunks of a compressed message: two fragments and the rest, without the first `gone` of them. With `done`
/// the rest is compressed too. A text message follows.
fn compressed(gone: usize, done: bool) -> VecDeque<Chunk> {
    let mut encoder = Encoder::default();
    let mut frame = |first, last| {
        let mut bytes = Vec::new();
        let position = PiecePosition { first, last };
        encoder.compressed_fragment(&mut bytes, MessageType::Text, b"part", position);
        bytes
    };
    let mut chunks = VecDeque::new();
    for first in [true, false] {
        chunks.push_back(Chunk { bytes: frame(first, false), goes_on: true, ..Chunk::default() });
    }
    let rest = Chunk { messages: 1, receipt: Some(9), ..Chunk::default() };
    let (kind, message) = (MessageType::Text, b"message".to_vec());
    chunks.push_back(if done {
        Chunk { bytes: frame(false, true), original: Some((kind, message)), ..rest }
    } else {
        let compressing = Compressing { fragments: 2, taken: 4, ..Compressing::default() };
        Chunk { bytes: message, uncompressed: Some(kind), compressing: Some(compressing.into()), ..rest }
    });
    chunks.drain(..gone);
    chunks.push_back(chunk("1"));
    chunks
}

#[test]
fn restores_a_fragmented_compressed_message_whole_or_not_at_all() {
    for done in [false, true] {
        for gone in 0..=2 {
            let mut queue = compressed(gone, done);
            undo_fragments(&mut queue, &mut Encoder::default());
            queue.iter_mut().for_each(Chunk::restore);
            let mut dropped = Dropped::default();
            drop_continuations(&mut queue, &mut dropped);
            let what = format!("{gone} gone, done: {done}");
            let messages: usize = queue.iter().map(|chunk| chunk.messages).sum();
            assert_eq!(messages + dropped.messages, 2, "{what}");
            assert_eq!(dropped.receipts, if gone > 0 { vec![9] } else { vec![] }, "{what}");
            let first = queue.pop_front().expect("a chunk");
            if gone == 0 {
                assert_eq!(
                    (first.bytes.as_slice(), first.uncompressed),
                    (&b"message"[..], Some(MessageType::Text))
                );
                assert!(first.compressing.is_none() && first.receipt == Some(9), "{what}");
            } else {
                assert_eq!(frames(&[first].into()), "1", "{what}");
            }
        }
    }
}

#[test]
fn an_owned_message_is_one_frame_or_fragments_of_it() {
    for (length, fragments, count) in [
        (0, true, 1),
        (FRAGMENT_BYTES + 1, true, 1),
        (WHOLE_BYTES_MAX, true, 1),
        (WHOLE_BYTES_MAX + 1, true, 5),
        (6 * FRAGMENT_BYTES, true, 6),
        (6 * FRAGMENT_BYTES, false, 1),
    ] {
        let payload = Box::new(vec![0; length]);
        let mut chunks = owned_chunks(&mut Encoder::default(), MessageType::Binary, payload, fragments);
        assert_eq!(Backlog::of(&chunks).messages, 1);
        assert_eq!(chunks.len(), count, "{length}");
        let lengths: usize = chunks.iter().map(|chunk| chunk.tail().len()).sum();
        assert_eq!(lengths, length);
        let shape = frames(&chunks);
        let expected = if count == 1 { "1".to_owned() } else { format!("({})", "-".repeat(count - 2)) };
        assert_eq!(shape, expected, "{length}");
        // Without its beginning the rest is dropped, and the owner gets all of the payload back.
        if count > 1 {
            drop(chunks.pop_front());
            let mut dropped = Dropped::default();
            drop_continuations(&mut chunks, &mut dropped);
            assert_eq!((chunks.len(), dropped.messages, dropped.payloads.len()), (0, 1, count - 1));
        }
    }
}

#[test]
fn recognizes_control_frames_and_unfinished_messages() {
    assert!(chunk("p").is_control() && !chunk("1").is_control() && !chunk("(").is_control());
    assert!(chunk("1(-").ends_unfinished() && !chunk("(-)").ends_unfinished());
    assert!(!Chunk { uncompressed: Some(MessageType::Text), ..chunk("p(") }.is_control());
}
