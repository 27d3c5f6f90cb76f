//! Jobs: wakes and spawns from inside the callback that runs inline, which its thread cannot do itself.
//!
//! Owns the list of them, and the choice of who does them. Knows nothing of turns and of threads.
//!
//! While the other worker is in reserve, nobody would run what a job wakes before the callback returns. So the job waits for the
//! end of the turn, and the watchdog's thread is not woken for it. If the callback blocks, the watchdog does it.

use std::task::Waker;

use super::reserve::Reserve;
use crate::sync::{LazyLock, Mutex, lock};

pub(super) enum Job {
    Wake(Waker),
    Call(Box<dyn FnOnce() + Send>),
}

static JOBS: LazyLock<Mutex<Vec<Job>>> = LazyLock::new(|| Mutex::new(Vec::new()));

impl Job {
    pub(super) fn run(self) {
        match self {
            Self::Wake(waker) => waker.wake(),
            Self::Call(call) => call(),
        }
    }
}

/// Adds a job. Returns whether it can wait for the end of the turn; otherwise the watchdog must be woken for it.
pub(super) fn add(job: Job, reserve: &Reserve) -> bool {
    // Whoever empties the reserve looks for jobs afterwards.
    lock(&JOBS).push(job);
    reserve.is_full()
}

/// Does all jobs.
#[inline(never)]
pub(super) fn run() {
    let jobs = std::mem::take(&mut *lock(&JOBS));
    jobs.into_iter().for_each(Job::run);
}
