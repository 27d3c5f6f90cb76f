//! How a session learns what callers ask of it, and what it tells them of its work.
//!
//! While it runs, it looks by itself. Before it sleeps, it registers its waker, and whoever has something for it wakes it.

use std::collections::VecDeque;
use std::task::Context;

use super::command::Command;
use super::{Guarded, Shared, WAITING_PINGS_MAX};
use crate::client::send_queue::{Backlog, Chunk};

/// What a session learns when it reports what the kernel has accepted.
pub(in crate::client) struct Noted {
    /// The queue has drained.
    pub(in crate::client) drained: bool,
    /// Nothing waits, and the waker is registered.
    pub(in crate::client) listens: bool,
}

impl Shared {
    /// Moves the queued messages into `out`, and returns the next request. If there is none, it registers the waker of `cx`.
    /// Without `cx` the session looks again before it sleeps.
    #[inline(never)]
    pub(in crate::client) fn poll_command(
        &self,
        out: &mut VecDeque<Chunk>,
        cx: Option<&Context<'_>>,
    ) -> Command {
        let mut guarded = self.lock();
        guarded.asleep = false;
        let command = guarded.take_command(out);
        if let (Command::None, Some(cx)) = (&command, cx) {
            guarded.register(cx);
        }
        command
    }

    /// The session runs, and polls for commands before it sleeps.
    pub(in crate::client) fn awake(&self) {
        self.lock().asleep = false;
    }

    /// Registers the waker if no command waits. Returns whether none does.
    pub(in crate::client) fn listen(&self, cx: &Context<'_>) -> bool {
        let mut guarded = self.lock();
        let listens = !guarded.has_command();
        if listens {
            guarded.register(cx);
        }
        listens
    }

    /// See [`note_in_flight`](crate::client::send_queue::SendQueue::note_in_flight). True when the queue has drained.
    pub(in crate::client) fn note_in_flight(&self, pending: Backlog) -> bool {
        let mut guarded = self.lock();
        guarded.send_queue.note_in_flight(pending);
        guarded.send_queue.take_drained()
    }

    /// The same. If neither a command nor a message waits, it registers the waker.
    #[inline]
    pub(in crate::client) fn note_written(&self, pending: Backlog, cx: &Context<'_>) -> Noted {
        let mut guarded = self.lock();
        guarded.send_queue.note_in_flight(pending);
        let drained = guarded.send_queue.take_drained();
        let listens = guarded.send_queue.is_empty() && !drained && !guarded.has_command();
        if listens {
            guarded.register(cx);
        }
        Noted { drained, listens }
    }
}

impl Guarded {
    /// Moves the queued messages into `out`, and returns the next request.
    fn take_command(&mut self, out: &mut VecDeque<Chunk>) -> Command {
        self.send_queue.take(out);
        if let Some(rare) = &mut self.rare {
            // Further pings stay queued, and `ping` refuses new ones.
            if !rare.pings.is_empty()
                && out.iter().filter(|chunk| chunk.is_control()).count() < WAITING_PINGS_MAX
                && let Some(payload) = rare.pings.pop_front()
            {
                return Command::Ping(payload);
            }
            if let Some(close) = rare.close.take() {
                return Command::Close(close);
            }
        }
        if std::mem::take(&mut self.network_changed) {
            return Command::NetworkChanged;
        }
        if std::mem::take(&mut self.hurried) {
            return Command::Hurry;
        }
        Command::None
    }

    /// Whether a request waits.
    fn has_command(&self) -> bool {
        let asked = self.rare.as_ref().is_some_and(|rare| !rare.pings.is_empty() || rare.close.is_some());
        asked || self.network_changed || self.hurried
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;
    use crate::client::event::{Closed, Failure, Listener};
    use crate::client::handshake::{KeptAnswer, Opened};
    use crate::client::headers::Headers;
    use crate::client::message::Message;
    use crate::client::send_queue::SendLimits;
    use crate::client::stats::Timing;
    use crate::protocol::{MessageType, Role};

    struct Deaf;

    impl Listener for Deaf {
        fn opened(&mut self, _opened: &Opened) {}
        fn message(&mut self, _message: Message<'_>) {}
        fn failed(&mut self, _failure: &Failure) {}
        fn closed(&mut self, _closed: &Closed) {}
    }

    #[test]
    fn a_session_that_writes_misses_no_empty_message_that_it_compresses() {
        let shared = Shared::new(1, Role::Client, Box::new(Deaf), SendLimits::of_bytes(1_000));
        let attempt = shared.begin().expect("idle");
        let (reason, headers, timing) = (Box::default(), Headers::default(), Timing::default());
        let opened =
            Opened { status: 101, reason, protocol: None, extensions: None, headers, timing, url: None };
        assert!(shared.open(attempt, KeptAnswer::of(&opened), Some(0)).is_ok());
        let (mut out, cx) = (VecDeque::new(), Context::from_waker(Waker::noop()));
        for payload in [b"x".as_slice(), b""] {
            shared.send(MessageType::Binary, b"before", None).expect("open");
            assert!(matches!(shared.poll_command(&mut out, None), Command::None));
            assert!(shared.note_written(Backlog::default(), &cx).listens);
            shared.send(MessageType::Binary, payload, None).expect("open");
            assert!(!shared.note_written(Backlog::default(), &cx).listens, "{payload:?}");
            assert!(matches!(shared.poll_command(&mut out, Some(&cx)), Command::None));
        }
        assert_eq!(out.len(), 4);
    }
}
