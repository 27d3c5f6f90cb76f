//! Messages labelled with their sender, and pseudo-random numbers.

/// The label of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    pub client: u32,
    /// Counts the connections of the client.
    pub connection: u32,
    /// Counts the messages of the client, over all connections.
    pub number: u64,
}

/// Bytes of the label and its checksum.
pub const LABEL_BYTES: usize = 1 + 8 + 8 + 16 + 8 + 16;

/// A message of `length` bytes, at least as long as its label.
pub fn write(label: Label, text: bool, length: usize) -> Vec<u8> {
    let Label { client, connection, number } = label;
    let length = length.max(LABEL_BYTES);
    let kind = if text { 'T' } else { 'B' };
    let mut message = format!("{kind}{client:08x}{connection:08x}{number:016x}{length:08x}").into_bytes();
    let head = message.len();
    message.resize(LABEL_BYTES, b'0');
    let filler = |at: usize| {
        let byte = (number as usize).wrapping_add(at * 7) as u8;
        if text { b'a' + byte % 26 } else { byte }
    };
    message.extend((LABEL_BYTES..length).map(filler));
    let sum = format!("{:016x}", checksum(&message[..head], &message[LABEL_BYTES..]));
    message[head..LABEL_BYTES].copy_from_slice(sum.as_bytes());
    message
}

/// The label of a message that arrived unchanged.
pub fn read(message: &[u8], text: bool) -> Option<Label> {
    let label = std::str::from_utf8(message.get(..LABEL_BYTES)?).ok()?;
    let number = |from: usize, digits: usize| u64::from_str_radix(label.get(from..from + digits)?, 16).ok();
    let head = LABEL_BYTES - 16;
    let good = label.starts_with(if text { 'T' } else { 'B' })
        && number(33, 8)? == message.len() as u64
        && number(head, 16)? == checksum(&message[..head], &message[LABEL_BYTES..]);
    good.then_some(Label {
        client: u32::try_from(number(1, 8)?).ok()?,
        connection: u32::try_from(number(9, 8)?).ok()?,
        number: number(17, 16)?,
    })
}

/// FNV-1a, by words.
fn checksum(head: &[u8], filler: &[u8]) -> u64 {
    head.chunks(8).chain(filler.chunks(8)).fold(0xcbf2_9ce4_8422_2325, |sum, bytes| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        (sum ^ u64::from_le_bytes(word)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23)
    })
}

/// The same numbers for the same seed (SplitMix64).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut random = Self(seed ^ stream.wrapping_mul(0xd134_2543_de82_ef95));
        random.next();
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// True with this probability in percent.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
}
