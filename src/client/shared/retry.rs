//! The next attempt, shared by callers and the session that waits for it: its begin and its preparation.

use super::{Shared, wake};
use crate::client::request::Preparation;
use crate::client::transport::Notified;

impl Shared {
    // The client's methods.

    pub(in crate::client) fn retry_now(&self) -> bool {
        let mut guarded = self.lock();
        if !guarded.retry.waits {
            return false;
        }
        guarded.retry.now = true;
        wake(guarded);
        true
    }

    pub(in crate::client) fn prepare(&self, attempt: u32, prepared: Preparation) -> bool {
        let mut guarded = self.lock();
        if guarded.retry.to_prepare.take_if(|asked| *asked == attempt).is_none() {
            return false;
        }
        guarded.retry.prepared = Some(Box::new(prepared));
        wake(guarded);
        true
    }

    // The session's methods.

    /// Returns whether the pending retry must begin now, and clears that request.
    pub(in crate::client) fn take_retry_now(&self) -> bool {
        std::mem::take(&mut self.lock().retry.now)
    }

    /// Sets whether a retry is pending.
    pub(in crate::client) fn await_retry(&self, waits: bool) {
        let mut guarded = self.lock();
        (guarded.retry.waits, guarded.retry.now) = (waits, false);
    }

    /// Call this before asking the application to prepare an attempt.
    pub(in crate::client) fn await_prepared(&self, attempt: u32) {
        let mut guarded = self.lock();
        (guarded.retry.to_prepare, guarded.retry.prepared) = (Some(attempt), None);
    }

    /// From now on answers are refused. Returns an answer that came before.
    pub(in crate::client) fn end_preparing(&self) -> Option<Preparation> {
        let mut guarded = self.lock();
        guarded.retry.to_prepare = None;
        guarded.retry.prepared.take().map(|prepared| *prepared)
    }

    /// The application's answer.
    pub(in crate::client) fn take_prepared(&self) -> Option<Preparation> {
        self.lock().retry.prepared.take().map(|prepared| *prepared)
    }
}

impl Notified for Shared {
    /// The session will find it.
    fn network_changed(&self) {
        let mut guarded = self.lock();
        guarded.network_changed = true;
        wake(guarded);
    }
}
