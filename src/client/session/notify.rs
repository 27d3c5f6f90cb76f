//! Calls the listener in batches. Calls that may block run separately from the sockets. A dropped client gets no calls.

use crate::client::event::{Direction, Listener};
use crate::client::shared::Shared;
use crate::protocol::FrameHeader;
use crate::runtime;

/// Calls the listener, unless its client is gone.
pub(super) fn notify(shared: &Shared, listener: &mut dyn Listener, event: impl FnOnce(&mut dyn Listener)) {
    if shared.is_detached() {
        return;
    }
    let mut event = Some(event);
    notify_once(listener, &mut |listener| {
        if let Some(event) = event.take() {
            event(listener);
        }
    });
}

/// Compiled once, not for each event.
#[inline(never)]
fn notify_once(listener: &mut dyn Listener, event: &mut dyn FnMut(&mut dyn Listener)) {
    in_callback(listener, |listener| {
        if let Some(batch) = Batch::begin(listener) {
            event(&mut *batch.0);
        }
    });
}

/// A batch of events. Its drop ends it.
pub(super) struct Batch<'a>(pub(super) &'a mut dyn Listener);

impl<'a> Batch<'a> {
    /// `None` when no events follow.
    pub(super) fn begin(listener: &'a mut dyn Listener) -> Option<Self> {
        listener.begin_batch().then_some(Self(listener))
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.0.end_batch();
    }
}

pub(super) fn in_callback<R>(listener: &mut dyn Listener, run: impl FnOnce(&mut dyn Listener) -> R) -> R {
    if listener.may_block() { runtime::callback(|| run(listener)) } else { run(listener) }
}

pub(super) fn notify_frames(
    shared: &Shared,
    listener: &mut dyn Listener,
    direction: Direction,
    headers: Vec<FrameHeader>,
) {
    if !headers.is_empty() {
        notify(shared, listener, |listener| {
            headers.into_iter().for_each(|header| listener.frame(direction, header));
        });
    }
}
