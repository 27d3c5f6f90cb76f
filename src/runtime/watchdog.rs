//! The watchdog over the callback that runs inline.
//!
//! Owns the thread's sleep and its looks. Knows nothing of what a look leads to.

use std::time::Duration;

use super::reserve::Reserve;
use super::slot;
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::thread::{self, Thread};

/// How long a callback may delay the sockets of other clients before another worker polls them.
pub(super) const WATCHDOG_INTERVAL: Duration = Duration::from_millis(1);

/// A thread beside the workers. It sleeps while no callback runs. While callbacks run, it looks at the inline callback every
/// [`WATCHDOG_INTERVAL`].
pub(super) struct Watchdog {
    awake: AtomicBool,
}

impl Watchdog {
    pub(super) fn new() -> Self {
        Self { awake: AtomicBool::new(false) }
    }

    /// Has the watchdog, which is `thread`, look at the callback that runs inline.
    pub(super) fn rouse(&self, thread: &Thread) {
        if !self.awake.load(Ordering::SeqCst) && !self.awake.swap(true, Ordering::SeqCst) {
            thread.unpark();
        }
    }

    /// Looks once and then sleeps until the next look. `seen` is what the look before has seen. `take_over` has another worker
    /// do what the one in the callback cannot.
    pub(super) fn look(&self, seen: &mut u64, reserve: &Reserve, take_over: impl FnOnce()) {
        let current = slot::current();
        let (taken, unchanged) = (slot::is_taken(current), current == *seen);
        *seen = current;
        if !unchanged {
            thread::park_timeout(WATCHDOG_INTERVAL);
            return;
        }
        if taken {
            reserve.release();
            // Once is enough: that worker cannot block inline itself while the slot is taken.
            take_over();
        }
        self.awake.store(false, Ordering::SeqCst);
        // A callback that began in the meantime has either read `awake` as unset, or is found here. So has a worker that went
        // into reserve.
        if slot::current() == *seen && !(taken && reserve.is_full()) {
            thread::park();
        }
        self.awake.store(true, Ordering::SeqCst);
    }
}
