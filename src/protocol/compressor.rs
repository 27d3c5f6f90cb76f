//! DEFLATE (RFC 1951) for messages. It is quick, uses the fixed codes, and holds little memory between messages.
//!
//! Owns the history of sent messages. Knows nothing of frames, nor when compression pays.

use std::ops::Range;

use super::fixed_codes::{BitWriter, LENGTH_MAX, LENGTH_MIN, OpenByte, room_for};

/// The longest payload of a block, in bytes. Each block may have to be stored, and a stored block holds no more
/// (section 3.2.4).
pub const BLOCK_BYTES: usize = 65_535;
/// The most bytes by which a block outgrows its payload: the head of a stored block, the bits before it, and the end of
/// the message.
pub const BLOCK_GROWTH_BYTES: usize = 8;
/// The head of a stored block that begins at a byte, in bytes.
const STORED_HEAD_BYTES: usize = 5;
/// The window until a long message comes, in bytes. Twice as many would make chat 2 % shorter.
const WINDOW_BYTES_AT_FIRST: usize = 16_384;
/// The first message of this many bytes widens the window to its maximum. A long message that comes again with a few
/// changes is then found.
const LONG_BYTES: usize = 8_192;
/// The number of places in the table, as a power of two. Twice as many would make text 2 % shorter.
const PLACES_BITS: u32 = 12;
const PLACES: usize = 1 << PLACES_BITS;
/// After 64 bytes without a match the search looks at every second place, after 128 at every third, at last at every
/// sixteenth. Pictures and similar data repeat nothing, unless the same data is sent again.
const PATIENCE_BITS: u32 = 6;
const STRIDE_MAX: usize = 15;
/// The bytes under which a place is filed.
type Key = [u8; LENGTH_MIN];

/// Compresses one message after the other. It holds up to 24 KiB, or 40 KiB after a long message.
pub struct Compressor {
    /// The last bytes of earlier messages. It becomes a ring when it is as long as the window.
    history: Vec<u8>,
    /// The index of the oldest byte in the ring, which the next byte overwrites.
    oldest: usize,
    window: usize,
    /// The window after the first long message.
    window_max: usize,
    /// The last place of four bytes, by their hash. A place is the low 16 bits of the number of bytes before it. The
    /// search compares the bytes, so a place may be outdated or belong to a message that was not sent.
    places: Box<[u16; PLACES]>,
    /// The place of the current message's first byte.
    origin: u16,
    /// The bits of the last block that fill no byte yet.
    open: OpenByte,
}

/// Bytes of a message that repeat earlier bytes.
struct Match {
    at: usize,
    length: usize,
    distance: usize,
}

impl Compressor {
    /// A compressor that refers back by at most `window` bytes.
    pub fn new(window: usize) -> Self {
        Self {
            history: Vec::new(),
            oldest: 0,
            window: window.min(WINDOW_BYTES_AT_FIRST),
            window_max: window,
            // A vector first, because an array would be built on the stack.
            places: vec![0; PLACES].into_boxed_slice().try_into().expect("of that length"),
            origin: 0,
            open: OpenByte::default(),
        }
    }

    /// Appends the compressed form of `bytes` of `message`. They follow the bytes of the previous call.
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

    /// Ends the message with the first bits of a sync flush (RFC 7692 section 7.2.1).
    pub fn end(&mut self, out: &mut Vec<u8>) {
        std::mem::take(&mut self.open).begin_stored(out);
    }

    /// Adds a message that the peer received as well. Later messages may refer to it.
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

    /// Appends `message` from `start` on as one block, with the fixed codes, or stored if that is shorter.
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

    /// Finds the next bytes of `message` that repeat earlier bytes. Those before `written` are already written.
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
                    // The second byte is filed too, because text that came twice often comes again from there.
                    if let Some(next) = key_at(message, at + 1) {
                        places[hash(*next)] = place.wrapping_add(1);
                    }
                    let ahead = &message[at..message.len().min(at + LENGTH_MAX)];
                    let length = LENGTH_MIN + common(&earlier[from + LENGTH_MIN..], &ahead[LENGTH_MIN..]);
                    // The match is extended backwards over bytes that the search skipped.
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

/// The bytes `distance` before byte `at` of `message`, and their index. They are in the message or in one half of the
/// ring.
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

/// The length of the common beginning, in bytes.
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
