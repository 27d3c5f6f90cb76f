//! Random numbers from a seed, the same on every machine and in every version.

use std::sync::LazyLock;
use std::time::Duration;

/// The longest filler.
const FILLER_BYTES_MAX: usize = 262_144;

/// This many letters. The number makes them distinct.
pub fn filler(number: usize, length: usize) -> &'static [u8] {
    static LETTERS: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let mut chance = Chance::new(0);
        (0..FILLER_BYTES_MAX + 251)
            .map(|_| b"abcdefghijklmnopqrstuvwxyz012345"[chance.number(0, 31)])
            .collect()
    });
    &LETTERS[number % 251..][..length]
}

/// SplitMix64.
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A separate generator, so that the draws of one part of the world do not change those of another.
    pub fn fork(&mut self) -> Self {
        Self(self.next())
    }

    /// A number from `least` to `most`.
    pub fn number(&mut self, least: usize, most: usize) -> usize {
        least + (self.next() % (most - least + 1) as u64) as usize
    }

    /// True with this probability in percent.
    pub fn percent(&mut self, times: usize) -> bool {
        self.number(0, 99) < times
    }

    pub fn millis(&mut self, least: usize, most: usize) -> Duration {
        Duration::from_millis(self.number(least, most) as u64)
    }

    pub fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.number(0, choices.len() - 1)].clone()
    }

    /// One of several values, chosen by weight.
    pub fn weigh<T: Clone>(&mut self, choices: &[(usize, T)]) -> T {
        let mut at = self.number(0, choices.iter().map(|(weight, _)| weight).sum::<usize>() - 1);
        for (weight, choice) in choices {
            match at.checked_sub(*weight) {
                Some(rest) => at = rest,
                None => return choice.clone(),
            }
        }
        unreachable!("the weights add up")
    }
}
