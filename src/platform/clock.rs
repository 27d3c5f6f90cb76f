//! The kernel's clocks (clock_gettime(2)).

use std::mem::MaybeUninit;
use std::time::Duration;

unsafe extern "C" {
    /// On 32-bit OpenHarmony libc 0.2.191 has the seconds of `timespec` in 64 bits, and names musl's function for 32.
    #[cfg_attr(all(target_env = "ohos", target_pointer_width = "32"), link_name = "__clock_gettime64")]
    fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> libc::c_int;
}

/// The time of a clock. `None` if this system lacks it.
pub(super) fn time_on(clock: libc::clockid_t) -> Option<Duration> {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the call writes one timespec to the address, or fails. Only what it wrote is read.
    let time = unsafe { (clock_gettime(clock, time.as_mut_ptr()) == 0).then(|| time.assume_init()) }?;
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}
