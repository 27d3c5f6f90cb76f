//! The kernel's clocks (clock_gettime(2)).

use std::time::Duration;

/// The time on a clock; `None` for one that this system does not have.
pub(super) fn time_on(clock: libc::clockid_t) -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one timespec to the address, whatever the clock is.
    let known = unsafe { libc::clock_gettime(clock, &raw mut time) } == 0;
    let seconds = u64::try_from(time.tv_sec).ok()?;
    let nanos = u32::try_from(time.tv_nsec).ok()?;
    known.then(|| Duration::new(seconds, nanos))
}
