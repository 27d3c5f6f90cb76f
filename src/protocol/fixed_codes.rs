//! The fixed codes of DEFLATE (RFC 1951 section 3.2.6), and bits one behind the other.
//!
//! Owns no more than the bits that make no whole byte yet.

use std::ops::Range;

/// The shortest and the longest match that is referred to. The format knows three bytes, which cost as much as they save.
pub const LENGTH_MIN: usize = 4;
pub const LENGTH_MAX: usize = 258;
/// The shortest that the format knows, where its codes begin.
const FORMAT_LENGTH_MIN: usize = 3;

/// Literals up to this have codes of eight bits, the others of nine.
const SHORT_LITERALS: usize = 144;
/// The code of literal 0.
const SHORT_CODE: u8 = 0x30;
const LONG_CODE: u16 = 0x190;

/// By literal: its code, first bit lowest, above the number of its bits.
static LITERALS: [u16; 256] = literals();
/// What `LITERALS` shifts its codes by, and `LENGTHS`.
const LITERAL_SHIFT: u32 = 4;
const LENGTH_SHIFT: u32 = 5;
/// The same by length less three, with the extra bits.
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

/// The code of a distance, with its extra bits, and how many bits that is.
#[inline(always)]
fn distance_code(distance: usize) -> (u64, u32) {
    let distance = (distance - 1) as u32;
    // Without a logarithm of nothing.
    let extra_bits = (distance | 3).ilog2() - 1;
    let symbol = 2 * extra_bits + (distance >> extra_bits);
    let code = u64::from(DISTANCES[symbol as usize % DISTANCES.len()]);
    (code | u64::from(distance & ((1 << extra_bits) - 1)) << 5, 5 + extra_bits)
}

/// The bits behind the last whole byte: fewer than eight.
#[derive(Clone, Copy, Default)]
pub struct OpenByte {
    bits: u8,
    count: u32,
}

impl OpenByte {
    /// The three bits that a stored block begins with, and those up to the next byte.
    pub fn begin_stored(self, out: &mut Vec<u8>) {
        out.push(self.bits);
        if self.count + 3 > u8::BITS {
            out.push(0);
        }
    }
}

/// Room for a block of so many bytes. No literal takes more than nine bits, no reference more than four literals; and eight
/// bytes are written whenever some are.
pub fn room_for(bytes: usize) -> usize {
    bytes + bytes / 8 + 16
}

/// Writes one block with the fixed codes.
pub struct BitWriter<'a> {
    room: &'a mut [u8],
    /// How much of it is written.
    at: usize,
    bits: u64,
    count: u32,
}

impl<'a> BitWriter<'a> {
    /// Begins a block behind `open`.
    pub fn new(room: &'a mut [u8], open: OpenByte) -> Self {
        let mut writer = Self { room, at: 0, bits: open.bits.into(), count: open.count };
        // Not the last block (section 3.2.3), with the fixed codes.
        writer.put(0b010, 3);
        writer.flush();
        writer
    }

    /// Writes these bytes of `message` as they are.
    #[inline(always)]
    pub fn literals(&mut self, message: &[u8], bytes: Range<usize>) {
        const NOT_ASCII: u64 = 0x8080_8080_8080_8080;
        const SHORT_CODES: u64 = u64::from_le_bytes([SHORT_CODE; 8]);
        let Range { start: mut at, end } = bytes;
        while at < end {
            let eight = message.get(at..).and_then(|rest| rest.first_chunk());
            // Seven codes of eight bits go in at once; with nine bits each, six.
            let count = (end - at).min(7);
            let mask = u64::MAX >> (u64::BITS as usize - 8 * count);
            match eight.map(|eight| u64::from_le_bytes(*eight) & mask) {
                // Of ASCII the codes follow each other as the characters do, so they are made at once.
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

    /// Refers to `length` bytes that are `distance` bytes back.
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
        // The symbol for it is seven zeros.
        self.put(0, 7);
        self.flush();
        (self.at, OpenByte { bits: self.bits as u8, count: self.count })
    }

    /// At most 57 bits before the next flush.
    #[inline(always)]
    fn put(&mut self, bits: u64, count: u32) {
        self.bits |= bits << self.count;
        self.count += count;
    }

    /// Hands on the whole bytes.
    #[inline(always)]
    fn flush(&mut self) {
        self.room[self.at..self.at + 8].copy_from_slice(&self.bits.to_le_bytes());
        self.at += self.count as usize / 8;
        self.bits >>= self.count & !7;
        self.count &= 7;
    }
}
