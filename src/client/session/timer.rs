//! A session's only timer. It is set for the nearest deadline.

use std::task::{Context, Poll};

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
    pub(super) fn poll(&mut self, nearest: Moment, cx: &mut Context<'_>) -> Poll<()> {
        if self.armed.is_none_or(|armed| nearest < armed) {
            self.armed = Some(nearest);
            self.alarm.set(nearest.instant(), cx);
        }
        if !(self.is_due || self.alarm.has_rung()) {
            return Poll::Pending;
        }
        (self.armed, self.is_due) = (None, false);
        Poll::Ready(())
    }

    /// After a standstill of the process, the socket wakes the task before the alarm rings.
    pub(super) fn look_at_clock(&mut self) {
        self.is_due = self.armed.is_some_and(|armed| armed <= Moment::now());
    }
}
