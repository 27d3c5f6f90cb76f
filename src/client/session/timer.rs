//! The one timer of a session, whichever of its deadlines is the nearest.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep};

/// Rings at a deadline. One that moves away leaves the timer as it is: an early ring costs less than setting it anew for
/// each message.
pub(super) struct Timer {
    sleep: Pin<Box<Sleep>>,
    /// For when it is set; it may ring early, never late.
    armed: Option<Instant>,
}

impl Timer {
    pub(super) fn new(now: Instant) -> Self {
        Self { sleep: Box::pin(tokio::time::sleep_until(now)), armed: None }
    }

    pub(super) fn poll(&mut self, nearest: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if self.armed.is_none_or(|armed| nearest < armed) {
            self.armed = Some(nearest);
            self.sleep.as_mut().reset(nearest);
            ready!(self.sleep.as_mut().poll(cx));
        } else if !self.sleep.is_elapsed() {
            return Poll::Pending;
        }
        self.armed = None;
        Poll::Ready(())
    }
}
