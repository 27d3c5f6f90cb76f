//! How long JavaScript's thread delivers events before its loop continues, and how many of them share a handle scope.

use std::time::{Duration, Instant};

/// How long one wake delivers events before the engine's loop continues: a quarter of a frame at 60 Hz.
const TIME_SLICE: Duration = Duration::from_millis(4);
/// The most events between two reads of the clock.
const CLOCK_EVENTS_MAX: u32 = 64;
/// The most events, and bytes of messages, in one handle scope. Its values cannot be collected before it is closed.
pub const SCOPE_EVENTS: usize = 64;
pub const SCOPE_BYTES: usize = 65_536;

/// The time that one wake may spend on events.
pub struct TimeSlice {
    began: Instant,
    events: u32,
    /// The number of events after which the clock is read again.
    next_clock_read: u32,
}

impl TimeSlice {
    pub fn begin() -> Self {
        Self { began: Instant::now(), events: 0, next_clock_read: 1 }
    }

    /// Counts an event; returns whether the slice is over.
    pub fn is_over(&mut self) -> bool {
        self.events += 1;
        if self.events < self.next_clock_read {
            return false;
        }
        self.next_clock_read += self.events.min(CLOCK_EVENTS_MAX);
        self.began.elapsed() >= TIME_SLICE
    }
}

/// Why delivery pauses.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    ScopeFull,
    SliceOver,
    Empty,
}
