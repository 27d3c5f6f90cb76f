//! Points and spans of time in eight bytes. A connection keeps a dozen of them, and an `Instant` or a `Duration` takes twice as
//! much.

use std::num::NonZeroU64;
use std::ops::{Add, Sub};
use std::time::Duration;

use tokio::time::Instant;

use crate::runtime;

/// The point that the others are counted from. Half of them are before it: tests have clocks of their own.
const ORIGIN: u64 = 1 << 63;

/// A point in time, to the nanosecond. 292 years from the origin it stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(NonZeroU64);

impl Moment {
    pub(super) fn now() -> Self {
        Instant::now().into()
    }

    /// The origin of the process.
    pub(super) fn origin() -> Self {
        Self::of_number(ORIGIN)
    }

    fn of_number(number: u64) -> Self {
        Self(NonZeroU64::new(number).unwrap_or(NonZeroU64::MIN))
    }

    #[inline(never)]
    pub(super) fn instant(self) -> Instant {
        let origin = runtime::origin();
        match self.0.get().checked_sub(ORIGIN) {
            Some(after) => origin + Duration::from_nanos(after),
            None => origin - Duration::from_nanos(ORIGIN - self.0.get()),
        }
    }

    /// The first of several times. It is looked for in every turn of a session, so it has no branches.
    pub(super) fn first_of<const N: usize>(times: [Option<Self>; N]) -> Option<Self> {
        // No time is after all others.
        let number = |time: Option<Self>| time.map_or(0, |Self(number)| number.get()).wrapping_sub(1);
        let first = times.into_iter().map(number).fold(u64::MAX, u64::min);
        NonZeroU64::new(first.wrapping_add(1)).map(Self)
    }

    /// The time since `earlier`; zero if that is later.
    pub(super) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.get().saturating_sub(earlier.0.get()))
    }

    pub(super) fn elapsed(self) -> Duration {
        Self::now().since(self)
    }
}

impl From<Instant> for Moment {
    fn from(at: Instant) -> Self {
        let origin = runtime::origin();
        Self::of_number(match at.checked_duration_since(origin) {
            Some(after) => ORIGIN.saturating_add(nanoseconds(after)),
            None => ORIGIN.saturating_sub(nanoseconds(origin - at)),
        })
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, time: Duration) -> Self {
        Self(self.0.saturating_add(nanoseconds(time)))
    }
}

impl Add<Span> for Moment {
    type Output = Self;

    fn add(self, Span(nanoseconds): Span) -> Self {
        Self(self.0.saturating_add(nanoseconds.get()))
    }
}

impl Sub for Moment {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

/// A span of time, to the nanosecond. It is one at least, and 584 years at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span(NonZeroU64);

impl From<Duration> for Span {
    fn from(time: Duration) -> Self {
        Self(NonZeroU64::new(nanoseconds(time)).unwrap_or(NonZeroU64::MIN))
    }
}

impl From<Span> for Duration {
    fn from(Span(nanoseconds): Span) -> Self {
        Self::from_nanos(nanoseconds.get())
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_an_instant() {
        let origin = runtime::origin();
        let time = Duration::new(3_600, 1);
        for at in [origin, origin + time, origin - time] {
            let moment = Moment::from(at);
            assert_eq!(moment.instant(), at);
            assert_eq!((moment + time).instant(), at + time);
            assert_eq!((moment + time) - moment, time);
            assert_eq!(moment - (moment + time), Duration::ZERO);
            assert!(moment < moment + Duration::from_nanos(1));
        }
        assert_eq!(Moment::from(origin), Moment::origin());
        assert_eq!(size_of::<Option<Moment>>(), 8);
    }

    #[test]
    fn the_first_of_several_times_may_be_missing() {
        let (early, late) = (Moment::origin(), Moment::origin() + Duration::MAX);
        assert_eq!(Moment::first_of([None, Some(late), Some(early), None]), Some(early));
        assert_eq!(Moment::first_of([None, Some(late)]), Some(late));
        assert_eq!(Moment::first_of([None, None]), None);
        assert_eq!(Moment::first_of([]), None);
    }

    #[test]
    fn times_beyond_all_limits_end_at_them() {
        let last = Moment::origin() + Duration::MAX;
        assert_eq!(last + Duration::MAX, last);
        assert_eq!(Duration::from(Span::from(Duration::MAX)), Duration::from_nanos(u64::MAX));
        assert_eq!(Duration::from(Span::from(Duration::ZERO)), Duration::from_nanos(1));
        assert_eq!(Duration::from(Span::from(Duration::from_millis(7))), Duration::from_millis(7));
    }
}
