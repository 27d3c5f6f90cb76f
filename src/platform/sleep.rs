//! How long the device has slept. CLOCK_MONOTONIC stands still during sleep, and CLOCK_BOOTTIME does not
//! (clock_gettime(2)).

use std::time::Duration;

use super::clock::time_on;

/// The time that the device has slept since its start. The kernel reads both clocks without a system call.
pub(crate) fn slept() -> Duration {
    // A system without one of the clocks reports no sleep.
    let awake = time_on(libc::CLOCK_MONOTONIC).unwrap_or_default();
    time_on(libc::CLOCK_BOOTTIME).unwrap_or_default().saturating_sub(awake)
}
