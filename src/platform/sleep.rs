//! How long the device has slept: CLOCK_MONOTONIC stands still meanwhile, and CLOCK_BOOTTIME does not (clock_gettime(2)).

use std::time::Duration;

/// The time in which the device slept since it was started. The kernel gives both clocks without a system call.
pub(crate) fn slept() -> Duration {
    let awake = clock(libc::CLOCK_MONOTONIC);
    clock(libc::CLOCK_BOOTTIME).saturating_sub(awake)
}

/// Zero for a clock that this system does not have.
fn clock(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one timespec to the address.
    let status = unsafe { libc::clock_gettime(clock, &raw mut time) };
    match (status, u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec)) {
        (0, Ok(seconds), Ok(nanos)) => Duration::new(seconds, nanos),
        _ => Duration::ZERO,
    }
}
