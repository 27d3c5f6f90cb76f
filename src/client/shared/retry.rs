//! The next attempt, shared by callers and the session that waits for it: its begin and its preparation. And the other requests
//! that few connections have.

use super::command::Rare;
use super::{Guarded, Shared, wake};
use crate::client::request::Preparation;
use crate::client::send_queue::Dropped;
use crate::client::transport::Notified;

impl Shared {
    // The client's methods.

    pub(in crate::client) fn retry_now(&self) -> bool {
        let mut guarded = self.lock();
        let Some(rare) = guarded.rare.as_mut().filter(|rare| rare.retry.waits) else { return false };
        rare.retry.now = true;
        wake(guarded);
        true
    }

    pub(in crate::client) fn prepare(&self, attempt: u32, prepared: Preparation) -> bool {
        let mut guarded = self.lock();
        if guarded.rare().retry.to_prepare.take_if(|asked| *asked == attempt).is_none() {
            return false;
        }
        guarded.rare().retry.prepared = Some(Box::new(prepared));
        wake(guarded);
        true
    }

    // The session's methods.

    /// Returns whether the pending retry must begin now, and clears that request.
    pub(in crate::client) fn take_retry_now(&self) -> bool {
        std::mem::take(&mut self.lock().rare().retry.now)
    }

    /// Sets whether a retry is pending.
    pub(in crate::client) fn await_retry(&self, waits: bool) {
        let mut guarded = self.lock();
        let retry = &mut guarded.rare().retry;
        (retry.waits, retry.now) = (waits, false);
    }

    /// Call this before asking the application to prepare an attempt.
    pub(in crate::client) fn await_prepared(&self, attempt: u32) {
        let mut guarded = self.lock();
        let retry = &mut guarded.rare().retry;
        (retry.to_prepare, retry.prepared) = (Some(attempt), None);
    }

    /// From now on answers are refused. Returns an answer that came before.
    pub(in crate::client) fn end_preparing(&self) -> Option<Preparation> {
        let mut guarded = self.lock();
        let retry = &mut guarded.rare().retry;
        retry.to_prepare = None;
        retry.prepared.take().map(|prepared| *prepared)
    }

    /// The application's answer.
    pub(in crate::client) fn take_prepared(&self) -> Option<Preparation> {
        self.lock().rare().retry.prepared.take().map(|prepared| *prepared)
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

impl Guarded {
    #[inline(never)]
    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    pub(super) fn forget_close(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.close = None;
        }
    }

    pub(super) fn forget_pings(&mut self) {
        if let Some(rare) = &mut self.rare {
            rare.pings.clear();
        }
    }

    pub(super) fn take_abandoned(&mut self, attempt: u64) -> Option<Dropped> {
        let abandoned = &mut self.rare.as_mut()?.abandoned;
        let place = abandoned.binary_search_by_key(&attempt, |(number, _)| *number).ok()?;
        abandoned.remove(place).map(|(_, dropped)| dropped)
    }
}
