//! The kernel's clocks (clock_gettime(2)).

use std::mem::MaybeUninit;
use std::time::Duration;

/// The time on a clock; `None` for one that this system does not have.
pub(super) fn time_on(clock: libc::clockid_t) -> Option<Duration> {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the call writes one timespec to the address, or fails; only what it wrote is read.
    let time = unsafe { (libc::clock_gettime(clock, time.as_mut_ptr()) == 0).then(|| time.assume_init()) }?;
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}
