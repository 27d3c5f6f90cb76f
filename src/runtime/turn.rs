//! The turn of the task that runs on this thread.
//!
//! Owns the state of one thread, and no rule.

use std::cell::Cell;

/// See the module. All in one thread-local, because each look at one calls a function on OpenHarmony.
pub(super) struct Turn {
    /// Bytes that it may still read for nothing. The last read may take more.
    pub(super) idle_bytes_left: Cell<isize>,
    /// The task has more to do than its turn holds.
    pub(super) has_more: Cell<bool>,
    /// It was a long turn.
    pub(super) was_long: Cell<bool>,
    /// tokio's LIFO slot of this worker may have a task.
    pub(super) may_fill_slot: Cell<bool>,
    /// Jobs may wait for the end of the turn.
    pub(super) has_jobs: Cell<bool>,
    /// Turns on this thread since one of the line was called.
    pub(super) count: Cell<u32>,
    /// A signal may wait for the end of the turn.
    pub(super) holds_signals: Cell<bool>,
    /// When the first of the signals that are held back was raised, in nanoseconds; 0 without one.
    pub(super) signals_since: Cell<u64>,
}

thread_local! {
    pub(super) static TURN: Turn = const {
        Turn {
            idle_bytes_left: Cell::new(isize::MAX),
            has_more: Cell::new(false),
            was_long: Cell::new(false),
            may_fill_slot: Cell::new(false),
            has_jobs: Cell::new(false),
            count: Cell::new(0),
            holds_signals: Cell::new(false),
            signals_since: Cell::new(0),
        }
    };
}

/// The task that runs here may have waked or spawned another one.
pub(super) fn may_have_waked() {
    TURN.with(|turn| turn.may_fill_slot.set(true));
}
