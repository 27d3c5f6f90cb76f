//! A session's only timer. It is set for the nearest deadline.

use std::task::Context;

use crate::client::moment::Moment;
use crate::runtime::Alarm;

/// Rings at a deadline. A later deadline does not change the timer, because an early alarm costs less than setting it for each
/// message.
#[derive(Default)]
pub(super) struct Timer {
    alarm: Alarm,
    /// The time that it is set for. It may ring early, but never late.
    armed: Option<Moment>,
    is_due: bool,
}

impl Timer {
    /// Sets it for the nearest deadline.
    pub(super) fn set(&mut self, nearest: Moment, cx: &mut Context<'_>) {
        if self.armed.is_none_or(|armed| nearest < armed) {
            self.armed = Some(nearest);
            self.alarm.set(nearest.instant(), cx);
        }
    }

    /// Whether it rings. Look again after it was set: no alarm wakes a task for a time that has passed.
    pub(super) fn rings(&self) -> bool {
        self.armed.is_some() && (self.is_due || self.alarm.has_rung())
    }

    /// The same. If it rings, it must be set again.
    pub(super) fn take_ring(&mut self) -> bool {
        let rings = self.rings();
        if rings {
            (self.armed, self.is_due) = (None, false);
        }
        rings
    }

    /// After a standstill of the process, the socket wakes the task before the alarm rings. Returns the time if it had to look.
    pub(super) fn look_at_clock(&mut self) -> Option<Moment> {
        let now = self.armed.map(|_| Moment::now());
        self.is_due = self.armed.is_some_and(|armed| now.is_some_and(|now| armed <= now));
        now
    }
}
