//! The reserve: a place where one worker waits while the other one keeps up with all tasks.
//!
//! Owns the wait and its end. Knows nothing of tasks and of when one worker is enough.

use std::sync::PoisonError;
use std::time::Duration;

use super::slot;
use crate::sync::atomic::{AtomicU8, Ordering};
use crate::sync::{Condvar, Mutex, lock};

/// Both workers run tasks.
const EMPTY: u8 = 0;
/// A worker is to come.
const CALLED: u8 = 1;
/// A worker waits.
const FULL: u8 = 2;
/// How long the other worker may take to answer before it is asked again. Each further pause is twice as long.
const ANSWERS_WITHIN: Duration = Duration::from_millis(1);

pub(super) struct Reserve {
    state: AtomicU8,
    /// Held by whoever makes the reserve empty, and by the worker inside while it looks for that.
    lock: Mutex<()>,
    released: Condvar,
}

impl Reserve {
    pub(super) fn new() -> Self {
        Self { state: AtomicU8::new(EMPTY), lock: Mutex::new(()), released: Condvar::new() }
    }

    fn change(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Whether both workers run tasks, and none is on its way here.
    pub(super) fn is_empty(&self) -> bool {
        self.state.load(Ordering::SeqCst) == EMPTY
    }

    /// Whether a worker waits here.
    pub(super) fn is_full(&self) -> bool {
        self.state.load(Ordering::SeqCst) == FULL
    }

    /// Asks for a worker. False if there is one, or one is on its way. A callback that blocks one worker needs the other one.
    pub(super) fn call(&self) -> bool {
        self.is_empty() && !slot::is_taken(slot::current()) && self.change(EMPTY, CALLED)
    }

    /// Has the calling worker wait, if one is still asked for. `watch` has the watchdog look at the callback that runs
    /// inline. `ask` runs twice before the wait, and again and again until the other worker has answered.
    pub(super) fn wait(&self, watch: impl FnOnce(), ask: impl Fn(), has_answered: impl Fn() -> bool) {
        if self.state.load(Ordering::SeqCst) != CALLED {
            return;
        }
        ask();
        ask();
        if !self.change(CALLED, FULL) {
            return;
        }
        // The watchdog may have found this callback to block while the reserve was still empty.
        if slot::is_taken(slot::current()) {
            watch();
        }
        let mut pause = ANSWERS_WITHIN;
        let mut held = lock(&self.lock);
        while self.is_full() {
            if has_answered() {
                held = self.released.wait(held).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let waited = self.released.wait_timeout(held, pause).unwrap_or_else(PoisonError::into_inner);
            held = waited.0;
            if waited.1.timed_out() {
                ask();
                pause *= 2;
            }
        }
    }

    /// Ends the wait of the worker here. One that is on its way does not wait.
    pub(super) fn release(&self) {
        if self.is_empty() {
            return;
        }
        let held = lock(&self.lock);
        self.state.store(EMPTY, Ordering::SeqCst);
        drop(held);
        self.released.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    /// Longer than anything here takes; a test that reaches it has failed.
    const DEADLINE: Duration = Duration::from_secs(20);

    #[test]
    fn a_worker_in_reserve_asks_until_the_other_one_answers() {
        let reserve = Reserve { state: AtomicU8::new(CALLED), ..Reserve::new() };
        let (asked, asks) = channel();
        std::thread::scope(|scope| {
            let ask = move || _ = asked.send(());
            scope.spawn(|| reserve.wait(|| {}, ask, || false));
            let asked_twice = (0..2).all(|_| asks.recv_timeout(DEADLINE).is_ok());
            reserve.release();
            assert!(asked_twice);
        });
    }
}
