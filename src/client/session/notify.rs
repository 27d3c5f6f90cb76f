//! Calls of the listener: none for a client that is gone, in runs, and where they may block, off the worker's role.

use crate::client::event::{Direction, Listener};
use crate::client::shared::Shared;
use crate::protocol::FrameHeader;
use crate::runtime;

/// Calls the listener, unless its client is gone.
pub(super) fn tell(shared: &Shared, listener: &mut dyn Listener, event: impl FnOnce(&mut dyn Listener)) {
    if shared.is_detached() {
        return;
    }
    in_callback(listener, |listener| {
        if let Some(run) = Run::begin(listener) {
            event(&mut *run.0);
        }
    });
}

/// A run of events, which ends however it is left.
pub(super) struct Run<'a>(pub(super) &'a mut dyn Listener);

impl<'a> Run<'a> {
    /// `None` when there are to be no events.
    pub(super) fn begin(listener: &'a mut dyn Listener) -> Option<Self> {
        listener.begin().then_some(Self(listener))
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

pub(super) fn in_callback<R>(listener: &mut dyn Listener, run: impl FnOnce(&mut dyn Listener) -> R) -> R {
    if listener.may_block() { runtime::callback(|| run(listener)) } else { run(listener) }
}

pub(super) fn tell_frames(
    shared: &Shared,
    listener: &mut dyn Listener,
    direction: Direction,
    headers: Vec<FrameHeader>,
) {
    if !headers.is_empty() {
        tell(shared, listener, |listener| {
            headers.into_iter().for_each(|header| listener.frame(direction, header));
        });
    }
}
