//! The fixed codes of DEFLATE (RFC 1951 section 3.2.6), and a writer of bits.
//!
//! Owns only the bits that fill no byte yet.

use std::ops::Range;

/// The lengths of the shortest and the longest match, in bytes. The format also has matches of three bytes, but these
/// save nothing.
pub const LENGTH_MIN: usize = 4;
pub const LENGTH_MAX: usize = 258;
/// The shortest match in the format. Its codes of lengths begin there.
const FORMAT_LENGTH_MIN: usize = 3;

/// Literals below this have codes of eight bits, the others of nine.
const SHORT_LITERALS: usize = 144;
/// The code of literal 0.
const SHORT_CODE: u8 = 0x30;
const LONG_CODE: u16 = 0x190;

/// The code of each literal, first bit lowest. The number of its bits is in the low bits.
static LITERALS: [u16; 256] = literals();
/// The number of low bits in an entry of `LITERALS` and of `LENGTHS`.
const LITERAL_SHIFT: u32 = 4;
const LENGTH_SHIFT: u32 = 5;
/// The same for each length, with the extra bits. The index is the length less three.
static LENGTHS: [u32; 256] = lengths();
/// Codes of five bits, first bit lowest.
static DISTANCES: [u8; 32] = distances();

const fn reversed(code: u32, bits: u32) -> u32 {
    code.reverse_bits() >> (u32::BITS - bits)
}

const fn literals() -> [u16; 256] {
    let mut table = [0; 256];
    let mut literal = 0;
    while literal < table.len() {
        let (code, bits) = if literal < SHORT_LITERALS {
            (SHORT_CODE as u16 + literal as u16, 8)
        } else {
            (LONG_CODE + (literal - SHORT_LITERALS) as u16, 9)
        };
        table[literal] = (reversed(code as u32, bits) as u16) << LITERAL_SHIFT | bits as u16;
        literal += 1;
    }
    table
}

const fn lengths() -> [u32; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < table.len() {
        let (symbol, extra, extra_bits) = match at {
            255 => (285, 0, 0),
            0..8 => (257 + at as u32, 0, 0),
            _ => {
                let bits = at.ilog2() - 2;
                (257 + 4 * bits + (at >> bits) as u32, at as u32 & ((1 << bits) - 1), bits)
            }
        };
        let (code, bits) =
            if symbol < 280 { (reversed(symbol - 256, 7), 7) } else { (reversed(0xc0 + symbol - 280, 8), 8) };
        table[at] = (code | extra << bits) << LENGTH_SHIFT | (bits + extra_bits);
        at += 1;
    }
    table
}

const fn distances() -> [u8; 32] {
    let mut table = [0; 32];
    let mut symbol = 0;
    while symbol < table.len() {
        table[symbol] = reversed(symbol as u32, 5) as u8;
        symbol += 1;
    }
    table
}

/// The code of a distance with its extra bits, and the number of bits.
#[inline(always)]
fn distance_code(distance: usize) -> (u64, u32) {
    let distance = (distance - 1) as u32;
    // `| 3` avoids the logarithm of zero.
    let extra_bits = (distance | 3).ilog2() - 1;
    let symbol = 2 * extra_bits + (distance >> extra_bits);
    let code = u64::from(DISTANCES[symbol as usize % DISTANCES.len()]);
    (code | u64::from(distance & ((1 << extra_bits) - 1)) << 5, 5 + extra_bits)
}

/// The bits after the last whole byte, fewer than eight.
#[derive(Clone, Copy, Default)]
pub struct OpenByte {
    bits: u8,
    count: u32,
}

impl OpenByte {
    /// Appends the three bits that begin a stored block, and fills the last byte.
    pub fn begin_stored(self, out: &mut Vec<u8>) {
        out.push(self.bits);
        if self.count + 3 > u8::BITS {
            out.push(0);
        }
    }
}

/// The room for a block of this many bytes. A literal takes at most nine bits. A reference takes no more than the four
/// literals or more that it replaces. Each write stores eight bytes.
pub fn room_for(bytes: usize) -> usize {
    bytes + bytes / 8 + 16
}

/// Writes one block with the fixed codes.
pub struct BitWriter<'a> {
    room: &'a mut [u8],
    /// The number of bytes written.
    at: usize,
    bits: u64,
    count: u32,
}

impl<'a> BitWriter<'a> {
    /// Begins a block after the bits of `open`.
    pub fn new(room: &'a mut [u8], open: OpenByte) -> Self {
        let mut writer = Self { room, at: 0, bits: open.bits.into(), count: open.count };
        // Not the last block (section 3.2.3), with the fixed codes.
        writer.put(0b010, 3);
        writer.flush();
        writer
    }

    /// Writes `bytes` of `message` as literals.
    #[inline(always)]
    pub fn literals(&mut self, message: &[u8], bytes: Range<usize>) {
        const NOT_ASCII: u64 = 0x8080_8080_8080_8080;
        const SHORT_CODES: u64 = u64::from_le_bytes([SHORT_CODE; 8]);
        let Range { start: mut at, end } = bytes;
        while at < end {
            let eight = message.get(at..).and_then(|rest| rest.first_chunk());
            // One write takes seven codes of eight bits, or six of nine.
            let count = (end - at).min(7);
            let mask = u64::MAX >> (u64::BITS as usize - 8 * count);
            match eight.map(|eight| u64::from_le_bytes(*eight) & mask) {
                // The codes of ASCII have the order of the characters, so one addition makes seven.
                Some(ascii) if ascii & NOT_ASCII == 0 => {
                    let codes = (ascii + (SHORT_CODES & mask)).reverse_bits().swap_bytes();
                    self.put(codes, 8 * count as u32);
                    at += count;
                }
                _ => {
                    let some = &message[at..end.min(at + 6)];
                    for byte in some {
                        let entry = LITERALS[usize::from(*byte)];
                        self.put(
                            u64::from(entry >> LITERAL_SHIFT),
                            u32::from(entry & ((1 << LITERAL_SHIFT) - 1)),
                        );
                    }
                    at += some.len();
                }
            }
            self.flush();
        }
    }

    /// Writes a reference to `length` bytes, `distance` bytes back.
    #[inline(always)]
    pub fn reference(&mut self, length: usize, distance: usize) {
        let entry = LENGTHS[(length - FORMAT_LENGTH_MIN) % LENGTHS.len()];
        let bits = entry & ((1 << LENGTH_SHIFT) - 1);
        let (distance, distance_bits) = distance_code(distance);
        self.put(u64::from(entry >> LENGTH_SHIFT) | distance << bits, bits + distance_bits);
        self.flush();
    }

    /// Ends the block. Returns the number of its whole bytes.
    pub fn end(mut self) -> (usize, OpenByte) {
        // The code of the end is seven zeros.
        self.put(0, 7);
        self.flush();
        (self.at, OpenByte { bits: self.bits as u8, count: self.count })
    }

    /// Takes at most 57 bits before the next flush.
    #[inline(always)]
    fn put(&mut self, bits: u64, count: u32) {
        self.bits |= bits << self.count;
        self.count += count;
    }

    /// Writes the whole bytes out.
    #[inline(always)]
    fn flush(&mut self) {
        self.room[self.at..self.at + 8].copy_from_slice(&self.bits.to_le_bytes());
        self.at += self.count as usize / 8;
        self.bits >>= self.count & !7;
        self.count &= 7;
    }
}
