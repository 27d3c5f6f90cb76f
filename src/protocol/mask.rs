//! Masking (RFC 6455 section 5.3): applies masks and removes them.

/// The bytes that are copied and then masked before the next ones. The second pass finds them in the L1 cache.
const BLOCK_BYTES: usize = 8_192;

/// Appends `payload`, masked with `key`, to `out`.
pub(super) fn append_masked(out: &mut Vec<u8>, payload: &[u8], key: [u8; 4]) {
    // The block size is a multiple of four, so each block begins at the key's first byte.
    for block in payload.chunks(BLOCK_BYTES) {
        let start = out.len();
        out.extend_from_slice(block);
        apply(&mut out[start..], key);
    }
}

/// Removes the masks from a peer's payloads as the bytes arrive.
#[derive(Default)]
pub(super) struct Unmasker {
    /// The key, rotated to the next byte that still has its mask.
    key: [u8; 4],
    /// The number of unmasked bytes at the start of the payload that the decoder has not taken.
    ahead: usize,
}

impl Unmasker {
    /// Begins a frame. Does nothing if the frame has already begun and unmasked bytes of it wait.
    pub(super) fn begin(&mut self, key: [u8; 4]) {
        if self.ahead == 0 {
            self.key = key;
        }
    }

    /// Unmasks `payload`: all received bytes of the frame that the decoder has not taken.
    pub(super) fn remove(&mut self, payload: &mut [u8]) {
        let masked = &mut payload[self.ahead..];
        apply(masked, self.key);
        self.key.rotate_left(masked.len() % 4);
        self.ahead = payload.len();
    }

    /// Whether unmasked bytes wait for the decoder.
    pub(super) fn is_ahead(&self) -> bool {
        self.ahead > 0
    }

    /// The decoder has taken the next `count` bytes.
    pub(super) fn taken(&mut self, count: usize) {
        self.ahead -= count;
    }
}

/// XORs `bytes` with the repeating `key`: first in blocks, each a few vector instructions, then in words. A loop over
/// words alone becomes vectors too, but its extra code makes short messages slower.
pub(super) fn apply(mut bytes: &mut [u8], key: [u8; 4]) {
    let key = u64::from(u32::from_ne_bytes(key));
    let twice = key << 32 | key;
    let xor = |words: &mut [u8]| {
        for word in words.as_chunks_mut().0 {
            *word = (u64::from_ne_bytes(*word) ^ twice).to_ne_bytes();
        }
    };
    while let Some(block) = bytes.split_off_mut(..64) {
        xor(block);
    }
    while let Some(word) = bytes.split_off_mut(..8) {
        xor(word);
    }
    for (byte, key) in bytes.iter_mut().zip(twice.to_ne_bytes()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_each_byte_with_its_key_byte() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        for len in (0..70).chain([BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 5, 3 * BLOCK_BYTES + 1]) {
            let payload: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let mut out = vec![9];
            append_masked(&mut out, &payload, key);
            let expected: Vec<u8> = payload.iter().enumerate().map(|(i, b)| b ^ key[i % 4]).collect();
            assert_eq!(out[0], 9);
            assert_eq!(&out[1..], expected, "length {len}");
        }
    }

    #[test]
    fn masks_the_example_of_the_rfc() {
        // RFC 6455 section 5.7: a single-frame masked text message "Hello".
        let mut out = Vec::new();
        append_masked(&mut out, b"Hello", [0x37, 0xfa, 0x21, 0x3d]);
        assert_eq!(out, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    }
}
