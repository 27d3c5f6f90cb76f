//! The state of a thread of this process in the scheduler.
//!
//! Owns the reading of procfs and of another thread's clock. Does not know the purpose of the threads.

use std::io::Read;
use std::time::Duration;

use super::clock::time_on;

/// Identifies a thread. Never 0.
pub(crate) type ThreadId = u32;

/// The calling thread.
pub(crate) fn this_thread() -> ThreadId {
    // SAFETY: the call has no preconditions.
    unsafe { libc::gettid() }.cast_unsigned()
}

/// Whether a thread of this process runs, or waits only for a processor. `None` if the system does not report it.
pub(crate) fn is_runnable(thread: ThreadId) -> Option<bool> {
    let mut stat = [0; 64];
    let mut file = std::fs::File::open(format!("/proc/self/task/{thread}/stat")).ok()?;
    let length = file.read(&mut stat).ok()?;
    // The number, the name in brackets, the state.
    let end = stat[..length].iter().rposition(|byte| *byte == b')')?;
    Some(stat.get(end + 2) == Some(&b'R'))
}

/// How long a thread of this process has had a processor. `None` if the system does not report it, or the thread is
/// gone.
pub(crate) fn processor_time(thread: ThreadId) -> Option<Duration> {
    // The kernel's name of the clock. It contains the inverted number of the thread, the bit for a single thread, and
    // the kind of clock that counts like the scheduler.
    const OF_THREAD: libc::clockid_t = 4;
    const AS_SCHEDULED: libc::clockid_t = 2;
    time_on((!thread.cast_signed() << 3) | OF_THREAD | AS_SCHEDULED)
}

/// How many processors the calling thread may run on; 1 when the system does not say.
pub(crate) fn processors() -> usize {
    // SAFETY: all bytes 0 are the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is as large as the call says, and the kernel writes no more.
    let answer = unsafe { libc::sched_getaffinity(0, size_of_val(&set), &mut set) };
    // SAFETY: the call reads the set.
    let count = unsafe { libc::CPU_COUNT(&set) };
    if answer == 0 { usize::try_from(count).unwrap_or(1) } else { 1 }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn distinguishes_a_running_thread_from_a_waiting_one() {
        let (sender, numbers) = channel();
        let (release, released) = channel::<()>();
        let thread = std::thread::spawn(move || {
            sender.send(this_thread()).expect("the test waits");
            let _ = released.recv();
        });
        let waiting = numbers.recv().expect("a number");
        while is_runnable(waiting).expect("procfs is there") {
            std::thread::yield_now();
        }
        let before = processor_time(waiting).expect("a thread's clock");
        let own = processor_time(this_thread()).expect("a thread's clock");
        while processor_time(this_thread()) < Some(own + Duration::from_millis(5)) {}
        assert_eq!(is_runnable(this_thread()), Some(true));
        assert_eq!(processor_time(waiting), Some(before), "it had no processor meanwhile");
        drop(release);
        thread.join().expect("no panic");
        assert_eq!((is_runnable(waiting), processor_time(waiting)), (None, None), "it is gone");
    }
}
