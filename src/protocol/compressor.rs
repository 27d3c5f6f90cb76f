//! DEFLATE (RFC 1951) for messages: quick, with the fixed codes, and with little memory between messages.
//!
//! Owns what it remembers of the messages before. Knows nothing of frames, and nothing of when a message is worth it.

use std::ops::Range;

use super::fixed_codes::{BitWriter, LENGTH_MAX, LENGTH_MIN, OpenByte, room_for};

/// The most that a stored block holds, and so any block here, which may have to be one (section 3.2.4).
pub const BLOCK_BYTES: usize = 65_535;
/// A block is longer than what is in it by at most so much: what begins a stored block, the bits before it, and the end of the
/// message.
pub const BLOCK_GROWTH_BYTES: usize = 8;
/// What begins a stored block, when it begins at a byte.
const STORED_HEAD_BYTES: usize = 5;
/// How far back it looks at first. A window of twice that makes chat a fiftieth shorter.
const WINDOW_BYTES_AT_FIRST: usize = 16_384;
/// From the first message of so many bytes on it looks back as far as it may: a long one that is sent again, with a few
/// changes, is to be found.
const LONG_BYTES: usize = 8_192;
/// Places that are known. Twice as many make text a fiftieth shorter.
const PLACES_BITS: u32 = 12;
const PLACES: usize = 1 << PLACES_BITS;
/// After so many bytes without a match, every second place is looked at, then every third, down to a sixteenth: in pictures
/// and the like nothing repeats, unless they are sent again.
const PATIENCE_BITS: u32 = 6;
const STRIDE_MAX: usize = 15;
/// The bytes that a place is known by.
type Key = [u8; LENGTH_MIN];

/// Compresses messages one behind the other. Some 24 KiB when it has seen as much, or 40 KiB with long ones.
pub struct Compressor {
    /// The last bytes of the messages before: a ring once it is as long as the window.
    history: Vec<u8>,
    /// Where the next byte goes in the ring, and so where its oldest is.
    oldest: usize,
    window: usize,
    /// What the window may become.
    window_max: usize,
    /// By a hash of four bytes: where they were last, as the low bits of the count of all bytes before. What is there is
    /// compared, so a place may be long gone, or of a message that was given up.
    places: Box<[u16; PLACES]>,
    /// The same of the message's first byte.
    origin: u16,
    /// What the last block of the message has left.
    open: OpenByte,
}

/// Bytes of a message that were there before.
struct Match {
    at: usize,
    length: usize,
    distance: usize,
}

impl Compressor {
    /// One that refers no further back than `window` bytes.
    pub fn new(window: usize) -> Self {
        Self {
            history: Vec::new(),
            oldest: 0,
            window: window.min(WINDOW_BYTES_AT_FIRST),
            window_max: window,
            // Not by way of the stack.
            places: vec![0; PLACES].into_boxed_slice().try_into().expect("of that length"),
            origin: 0,
            open: OpenByte::default(),
        }
    }

    /// Appends what these bytes of `message` yield, which are those behind the ones of the call before.
    pub fn part(&mut self, out: &mut Vec<u8>, message: &[u8], bytes: Range<usize>) {
        if bytes.start == 0 {
            self.open = OpenByte::default();
            if message.len() >= LONG_BYTES && self.window < self.window_max {
                self.history.rotate_left(self.oldest);
                (self.oldest, self.window) = (0, self.window_max);
            }
        }
        for start in bytes.clone().step_by(BLOCK_BYTES) {
            self.block(out, &message[..bytes.end.min(start + BLOCK_BYTES)], start);
        }
    }

    /// Ends the message with what a sync flush begins with (RFC 7692 section 7.2.1).
    pub fn end(&mut self, out: &mut Vec<u8>) {
        std::mem::take(&mut self.open).begin_stored(out);
    }

    /// The peer has the message as well, so later ones may refer to it.
    pub fn remember(&mut self, message: &[u8]) {
        self.origin = self.origin.wrapping_add(message.len() as u16);
        let kept = &message[message.len().saturating_sub(self.window)..];
        let (filling, kept) = kept.split_at(kept.len().min(self.window - self.history.len()));
        let wanted = self.history.len() + filling.len();
        if wanted > self.history.capacity() {
            let capacity = wanted.next_power_of_two().min(self.window);
            self.history.reserve_exact(capacity - self.history.len());
        }
        self.history.extend_from_slice(filling);
        let (behind, before) = kept.split_at(kept.len().min(self.window - self.oldest));
        self.history[self.oldest..self.oldest + behind.len()].copy_from_slice(behind);
        self.history[..before.len()].copy_from_slice(before);
        self.oldest = (self.oldest + kept.len()) % self.window;
    }

    /// The end of `message` from `start` on as one block: with the fixed codes, or stored if that is shorter.
    fn block(&mut self, out: &mut Vec<u8>, message: &[u8], start: usize) {
        let out_start = out.len();
        let payload = &message[start..];
        out.resize(out_start + room_for(payload.len()), 0);
        let mut writer = BitWriter::new(&mut out[out_start..], self.open);
        let mut written = start;
        while let Some(Match { at, length, distance }) = self.next_match(message, written) {
            writer.literals(message, written..at);
            writer.reference(length, distance);
            written = at + length;
        }
        writer.literals(message, written..message.len());
        let (bytes, open) = writer.end();
        if bytes < payload.len() + STORED_HEAD_BYTES {
            out.truncate(out_start + bytes);
            self.open = open;
            return;
        }
        out.truncate(out_start);
        std::mem::take(&mut self.open).begin_stored(out);
        let length = u16::try_from(payload.len()).expect("a block of at most u16::MAX bytes");
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(payload);
    }

    /// The next bytes of `message`, of which those up to `written` are done with, that were there before.
    #[inline(always)]
    fn next_match(&mut self, message: &[u8], written: usize) -> Option<Match> {
        let Self { history, places, oldest, window, origin, open: _, window_max: _ } = self;
        let (places, oldest, window, origin) = (&mut **places, *oldest, *window, *origin);
        let mut at = written;
        while let Some(key) = key_at(message, at) {
            let place = origin.wrapping_add(at as u16);
            let known = &mut places[hash(*key)];
            let distance = usize::from(place.wrapping_sub(*known));
            *known = place;
            if distance.wrapping_sub(1) < window {
                let (earlier, from) = before(history, oldest, message, at, distance);
                if key_at(earlier, from).is_some_and(|found| found == key) {
                    // Text that is there again is found again from its second byte on as well.
                    if let Some(next) = key_at(message, at + 1) {
                        places[hash(*next)] = place.wrapping_add(1);
                    }
                    let ahead = &message[at..message.len().min(at + LENGTH_MAX)];
                    let length = LENGTH_MIN + common(&earlier[from + LENGTH_MIN..], &ahead[LENGTH_MIN..]);
                    // What the search has passed by belongs to it too.
                    let most = (at - written).min(from).min(LENGTH_MAX - length);
                    let mut passed = 0;
                    while passed < most && message[at - passed - 1] == earlier[from - passed - 1] {
                        passed += 1;
                    }
                    return Some(Match { at: at - passed, length: length + passed, distance });
                }
            }
            at += 1 + ((at - written) >> PATIENCE_BITS).min(STRIDE_MAX);
        }
        None
    }
}

/// What lies `distance` bytes before the byte `at` of `message`, and where in it: the message, or a half of the ring.
#[inline(always)]
fn before<'a>(
    history: &'a [u8],
    oldest: usize,
    message: &'a [u8],
    at: usize,
    distance: usize,
) -> (&'a [u8], usize) {
    if let Some(from) = at.checked_sub(distance) {
        return (message, from);
    }
    let back = distance - at;
    let (newer, older) = history.split_at(oldest);
    if let Some(from) = newer.len().checked_sub(back) {
        return (newer, from);
    }
    match history.len().checked_sub(back) {
        Some(from) => (older, from),
        None => (&[], 0),
    }
}

#[inline(always)]
fn key_at(bytes: &[u8], at: usize) -> Option<&Key> {
    bytes.get(at..)?.first_chunk()
}

#[inline(always)]
fn eight_at(bytes: &[u8], at: usize) -> Option<&[u8; 8]> {
    bytes.get(at..)?.first_chunk()
}

#[inline(always)]
fn hash(key: Key) -> usize {
    // Knuth's multiplier, the golden ratio of 2^32.
    (u32::from_le_bytes(key).wrapping_mul(0x9e37_79b1) >> (u32::BITS - PLACES_BITS)) as usize
}

/// How many bytes both begin with.
#[inline(always)]
fn common(one: &[u8], other: &[u8]) -> usize {
    let mut at = 0;
    while let (Some(one), Some(other)) = (eight_at(one, at), eight_at(other, at)) {
        let differing = u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
        if differing != 0 {
            return at + differing.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + one[at..].iter().zip(&other[at..]).take_while(|(one, other)| one == other).count()
}

#[cfg(test)]
mod tests;
