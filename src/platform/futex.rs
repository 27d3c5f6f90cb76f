//! Timed waits on 32-bit OpenHarmony, where those of Rust's standard library end up to a second early.
//!
//! Its locks wait by the system call futex (futex(2)). Of the two calls of 32-bit ARM it takes the older one, whose time is two
//! words: seconds and nanoseconds. But it hands over musl's `timespec`, whose seconds are 64 bits: the kernel takes their upper
//! half, which is 0, for the nanoseconds. So `Condvar::wait_timeout` and `thread::park_timeout` end at the last whole second of
//! the clock before their time, and say that the time has passed. These callers wait so:
//!
//! - the runtime's watchdog between two looks at a callback;
//! - a worker in reserve, until the other one has answered it;
//! - tokio's threads for blocking work, before they end;
//! - the start of the runtime, for its workers: it would look again and again.
//!
//! tokio's timers, and so all deadlines of connections, wait by epoll_wait(2), which counts milliseconds, and `thread::sleep` by
//! a function of musl: these are right.
//!
//! So `build.rs` has the linker send every call of `syscall` in this library here (`--wrap`), and the time is handed over as the
//! kernel reads it. A standard library that does so itself, or takes the newer call, is left alone.

/// Seconds and nanoseconds, as the older call reads them; `None` when the words are such already. `words` are the beginning of
/// a time as musl lays it out: seconds, their upper half, nanoseconds.
fn as_two_words([seconds, upper, nanoseconds]: [i32; 3]) -> Option<[i32; 2]> {
    // Two words of which the second is 0 look like three, but for what happens to follow them: rarely a number of nanoseconds.
    (upper == 0 && (0..1_000_000_000).contains(&nanoseconds))
        .then_some([if seconds < 0 { i32::MAX } else { seconds }, nanoseconds])
}

#[cfg(all(target_env = "ohos", target_pointer_width = "32"))]
mod wrap {
    use std::ffi::c_long;
    use std::ptr::with_exposed_provenance;

    use crate::platform::futex::as_two_words;

    unsafe extern "C" {
        /// musl's own `syscall`, by the name that the linker gives it. It takes six words, whatever the call makes of them.
        fn __real_syscall(
            number: c_long,
            a: c_long,
            b: c_long,
            c: c_long,
            d: c_long,
            e: c_long,
            f: c_long,
        ) -> c_long;
    }

    /// # Safety
    ///
    /// As for the system call.
    unsafe extern "C" fn syscall(
        number: c_long,
        word: c_long,
        operation: c_long,
        expected: c_long,
        mut time: c_long,
        other: c_long,
        bits: c_long,
    ) -> c_long {
        let as_read;
        let command = operation & !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME);
        let waits = matches!(command, libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET);
        if number == libc::SYS_futex && waits && time != 0 {
            let words = with_exposed_provenance::<[i32; 3]>(time.cast_unsigned() as usize);
            // SAFETY: a wait's fourth word is 0 or the address of a time, and a time of musl has more words than these.
            if let Some(two) = as_two_words(unsafe { words.read() }) {
                as_read = two;
                time = (&raw const as_read).expose_provenance().cast_signed() as c_long;
            }
        }
        // SAFETY: the caller's promise; the time is as before, and lives until the call returns.
        unsafe { __real_syscall(number, word, operation, expected, time, other, bits) }
    }

    // Not a function of Rust with that name, which the library would export.
    std::arch::global_asm!(
        ".hidden __wrap_syscall",
        ".globl __wrap_syscall",
        ".type __wrap_syscall, %function",
        "__wrap_syscall:",
        "b {syscall}",
        syscall = sym syscall,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn converts_timeouts_of_three_words_to_two() {
        assert_eq!(as_two_words([7, 0, 300_000_000]), Some([7, 300_000_000]));
        assert_eq!(as_two_words([7, 0, 0]), Some([7, 0]));
        assert_eq!(as_two_words([-1, 0, 5]), Some([i32::MAX, 5]), "beyond 68 years");
        assert_eq!(as_two_words([7, 300_000_000, 1]), None, "two words already");
        assert_eq!(as_two_words([7, 0, -1]), None, "two words and what follows them");
    }
}
