//! Limits how long a session runs before other tasks of its thread run, and before it checks the clock.

use std::time::Duration;

use crate::client::moment::Moment;

/// The work of a session in one turn.
#[derive(Default)]
pub(super) struct Budget {
    wakes: u32,
    /// Bytes that were read, delivered and written.
    bytes: u32,
}

impl Budget {
    const WAKES_MAX: u32 = 64;
    const BYTES_MAX: u32 = 262_144;
    const LONG_BYTES: u32 = 65_536;
    /// The cost of a message or control frame in addition to its bytes. It may be empty.
    const ITEM_BYTES: usize = 64;

    pub(super) fn spend(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
    }

    /// This many messages or control frames arrived.
    pub(super) fn spend_items(&mut self, count: usize) {
        self.spend(count * Self::ITEM_BYTES);
    }

    /// Other tasks must run first.
    pub(super) fn end(&mut self) {
        self.wakes = Self::WAKES_MAX;
    }

    /// Whether the turn's bytes are spent.
    pub(super) fn has_no_bytes(&self) -> bool {
        self.bytes > Self::BYTES_MAX
    }

    /// Ends the turn early, and restarts the budget. Returns whether it was a long turn.
    pub(super) fn renew(&mut self) -> bool {
        std::mem::take(self).bytes >= Self::LONG_BYTES
    }

    /// Counts a wake. Above the limit the budget restarts.
    pub(super) fn is_spent(&mut self) -> bool {
        self.wakes += 1;
        let spent = self.wakes > Self::WAKES_MAX || self.has_no_bytes();
        if spent {
            *self = Self::default();
        }
        spent
    }
}

/// How long received data is delivered before the deadlines are checked. A callback may take long for each message, and
/// one read may contain thousands of messages.
pub(super) struct Pace {
    began: Moment,
    items: u32,
    /// The number of items between two readings of the clock. It is large for fast items.
    next_look: u32,
}

impl Pace {
    const TIME_MAX: Duration = Duration::from_millis(1);
    const ITEMS_BETWEEN_LOOKS: u128 = 64;

    pub(super) fn since(began: Moment) -> Self {
        Self { began, items: 0, next_look: 1 }
    }

    /// Counts an item. Returns whether the time is over.
    #[inline]
    pub(super) fn is_over(&mut self) -> bool {
        self.items += 1;
        if self.items < self.next_look {
            return false;
        }
        let elapsed = self.began.elapsed();
        let Some(left) = Self::TIME_MAX.checked_sub(elapsed) else { return true };
        // At the current speed, half of the remaining time.
        let more = u128::from(self.items) * left.as_nanos() / elapsed.as_nanos().max(1) / 2;
        self.next_look = self.items.saturating_add(more.clamp(1, Self::ITEMS_BETWEEN_LOOKS) as u32);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn reads_the_clock_often_for_slow_items_and_seldom_for_fast_ones() {
        for item in
            [Duration::from_micros(1), Duration::from_micros(100), Duration::from_millis(1), Pace::TIME_MAX]
        {
            let began = Moment::now();
            let mut pace = Pace::since(began);
            loop {
                tokio::time::advance(item).await;
                if pace.is_over() {
                    break;
                }
            }
            let most = Pace::TIME_MAX + 2 * item + item * 64;
            assert!(
                (Pace::TIME_MAX..=most.min(2 * Pace::TIME_MAX)).contains(&began.elapsed()),
                "{item:?}: {:?}",
                began.elapsed()
            );
        }
        let mut pace = Pace::since(Moment::now());
        assert!((0..1_000_000).all(|_| !pace.is_over()), "no time has passed");
        assert!(pace.next_look > 1_000_000 - 1);
    }
}
