//! Maps and sets whose keys are addresses.

use std::hash::{BuildHasherDefault, Hasher};

/// The hasher of such a map or set.
pub(crate) type ByAddress = BuildHasherDefault<AddressHasher>;

/// Hashes an address. One multiplication is enough, because the allocator chooses the addresses, not an adversary.
#[derive(Default)]
pub(crate) struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, address: usize) {
        // 2^64 divided by the golden ratio: spreads the bits of an address to the upper ones, which the map looks at.
        const FIBONACCI: u64 = 0x9e37_79b9_7f4a_7c15;
        self.0 = (self.0 ^ address as u64).wrapping_mul(FIBONACCI).rotate_left(32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
