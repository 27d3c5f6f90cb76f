//! The listener of a client. One session has it at a time, in the order of the attempts.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::task::{Context, Poll};

use super::Shared;
use crate::client::event::Listener;

/// A session's turn at the listener. Its drop ends it, and the next session's begins.
pub(in crate::client) struct ListenerTurn {
    shared: Arc<Shared>,
    /// `None` only while it is dropped.
    listener: Option<Box<dyn Listener>>,
}

impl Shared {
    /// Ready when the sessions of all earlier attempts have reported their last event. Each attempt takes its turn, or the next
    /// ones wait for ever.
    pub(in crate::client) fn poll_listener(
        self: &Arc<Self>,
        attempt: u64,
        cx: &Context<'_>,
    ) -> Poll<ListenerTurn> {
        let mut guarded = self.lock();
        if guarded.turn == attempt
            && let Some(listener) = guarded.listener.take()
        {
            return Poll::Ready(ListenerTurn { shared: self.clone(), listener: Some(listener) });
        }
        let turns = &mut guarded.rare().turns;
        turns.retain(|(other, _)| *other != attempt);
        turns.push((attempt, cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for ListenerTurn {
    fn drop(&mut self) {
        let mut guarded = self.shared.lock();
        guarded.listener = self.listener.take();
        guarded.turn += 1;
        let next = guarded.turn;
        let waker = guarded.rare.as_mut().and_then(|rare| {
            let place = rare.turns.iter().position(|(attempt, _)| *attempt == next)?;
            Some(rare.turns.swap_remove(place).1)
        });
        drop(guarded);
        if let Some(waker) = waker {
            crate::runtime::wake(waker);
        }
    }
}

impl Deref for ListenerTurn {
    type Target = dyn Listener;

    fn deref(&self) -> &Self::Target {
        match &self.listener {
            Some(listener) => &**listener,
            None => unreachable!("it is being dropped"),
        }
    }
}

impl DerefMut for ListenerTurn {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match &mut self.listener {
            Some(listener) => &mut **listener,
            None => unreachable!("it is being dropped"),
        }
    }
}
