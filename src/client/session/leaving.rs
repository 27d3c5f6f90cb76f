//! Whether a flooded session leaves the writing to callers for a while.
//!
//! Owns the deadline and the trust in callers. Knows no socket.
//!
//! A caller that floods goes on, and soon has so much queued that it writes. One that waits for an answer has stopped, and
//! its data wait for the check. So after each check that finds nobody to write, the session writes by itself for four times
//! as many turns as after the one before.

use std::time::Duration;

use crate::client::moment::Moment;
use crate::client::send_queue::FLOOD_BYTES;

/// How long a flooded session leaves the writing to callers before it checks whether they write.
const LEFT_TO_CALLERS: Duration = Duration::from_millis(1);
/// Checks in a row that found callers to write, after which they are trusted again.
const CHECKS_TO_TRUST: u8 = 8;

/// See the module.
#[derive(Default)]
pub(super) struct Leaving {
    /// Until then callers do the writing.
    until: Option<Moment>,
    /// Flooded turns in which the session still writes by itself.
    own_turns: u8,
    /// Their number after the last check that found nobody to write.
    own_turns_last: u8,
    /// Checks since then that found callers to write.
    helped: u8,
}

impl Leaving {
    /// When it checks whether callers write. Until then it does not.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.until
    }

    /// A turn ends flooded. Returns whether the writing is left to callers from now on.
    pub(super) fn begin(&mut self, now: impl FnOnce() -> Moment) -> bool {
        if self.own_turns > 0 {
            self.own_turns -= 1;
            return false;
        }
        self.until = Some(now() + LEFT_TO_CALLERS);
        true
    }

    /// Callers have written so many bytes, and `full` says whether the kernel takes no more.
    pub(super) fn returned(&mut self, written: usize, full: bool, now: impl FnOnce() -> Moment) {
        if full {
            self.until = None;
        } else if written >= FLOOD_BYTES {
            if self.until.is_some() {
                self.helped = self.helped.saturating_add(1);
                if self.helped >= CHECKS_TO_TRUST {
                    self.own_turns_last = 0;
                }
            }
            self.begin(now);
        }
    }

    /// Looks at the clock. Without help until the deadline, callers have stopped.
    pub(super) fn check(&mut self, now: Moment) {
        if self.until.take_if(|by| *by <= now).is_some() {
            self.own_turns_last = self.own_turns_last.saturating_mul(4).saturating_add(1);
            self.own_turns = self.own_turns_last;
            self.helped = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ends a flooded turn at `now`. Returns whether the session leaves the writing to callers.
    fn flooded_turn(leaving: &mut Leaving, now: Moment) -> bool {
        leaving.begin(|| now) && leaving.deadline().is_some()
    }

    /// The number of flooded turns in which the session writes by itself, until it leaves the writing to callers.
    fn own_turns(leaving: &mut Leaving, now: Moment) -> usize {
        (0..).take_while(|_| !flooded_turn(leaving, now)).count()
    }

    #[test]
    fn a_session_waits_less_and_less_for_callers_that_have_stopped() {
        let mut leaving = Leaving::default();
        let mut now = Moment::now();
        let mut turns = Vec::new();
        for _ in 0..6 {
            turns.push(own_turns(&mut leaving, now));
            now = now + LEFT_TO_CALLERS;
            leaving.check(now);
            assert_eq!(leaving.deadline(), None, "the session writes");
        }
        assert_eq!(turns, [0, 1, 5, 21, 85, 255]);
    }

    #[test]
    fn help_in_a_turn_of_its_own_does_not_make_a_session_wait() {
        let mut leaving = Leaving { own_turns: 2, own_turns_last: 3, ..Leaving::default() };
        let now = Moment::now();
        leaving.returned(FLOOD_BYTES, false, || now);
        leaving.returned(FLOOD_BYTES, true, || now);
        assert_eq!((leaving.deadline(), leaving.own_turns), (None, 1));
    }

    #[test]
    fn callers_that_go_on_are_trusted_again() {
        let mut leaving = Leaving { own_turns_last: 63, ..Leaving::default() };
        let mut now = Moment::now();
        assert!(flooded_turn(&mut leaving, now));
        for _ in 0..CHECKS_TO_TRUST {
            now = now + LEFT_TO_CALLERS / 2;
            leaving.returned(FLOOD_BYTES, false, || now);
            leaving.check(now);
            assert!(leaving.deadline().is_some(), "callers write");
        }
        now = now + LEFT_TO_CALLERS;
        leaving.returned(FLOOD_BYTES - 1, false, || now);
        leaving.check(now);
        assert_eq!(own_turns(&mut leaving, now), 1);
    }
}
