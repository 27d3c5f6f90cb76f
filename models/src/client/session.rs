//! Replaces the library's `session`, which needs a socket and a clock. It asks the client's state what session/mod.rs,
//! session/events.rs and session/retry.rs ask it, in the same order; its peer takes each byte at once.

#[allow(dead_code)]
#[path = "../../../src/client/session/notify.rs"]
mod notify;

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use self::notify::notify;
use super::cause::Cause;
use super::error::Error;
use super::event::{Closed, Failure, Outcome, PeerClose, Receipt, Times};
use super::handshake::{KeptAnswer, Opened};
use super::send_queue::{Backlog, Chunk, Dropped};
use super::shared::lending::{Lending, Plan, Returned};
use super::shared::listening::ListenerTurn;
use super::shared::{CloseRequest, Command, Rest, Shared, Stop};
use super::transport::{LentSocket, Sink};

/// An attempt that a session has still to be made of.
pub struct Attempt {
    shared: Arc<Shared>,
    number: u64,
}

impl Attempt {
    pub(super) fn of(shared: &Arc<Shared>) -> Self {
        let number = shared.begin().expect("no attempt before");
        Self { shared: shared.clone(), number }
    }

    pub async fn teller(self) -> Teller {
        let Self { shared, number } = self;
        let listener = poll_fn(|cx| shared.poll_listener(number, cx)).await;
        Teller { listener, shared }
    }
}

/// As much of a session as tells the listener.
pub struct Teller {
    shared: Arc<Shared>,
    listener: ListenerTurn,
}

impl Teller {
    pub fn sent(&mut self, receipt: Receipt, outcome: Outcome) {
        notify(&self.shared, &mut *self.listener, |listener| listener.sent(receipt, outcome));
    }

    pub fn drained(&mut self) {
        notify(&self.shared, &mut *self.listener, |listener| listener.drained());
    }
}

/// A session with an open connection.
pub(super) struct Session {
    shared: Arc<Shared>,
    attempt: u64,
    listener: ListenerTurn,
    /// Taken and not written.
    out: VecDeque<Chunk>,
}

impl Session {
    /// Waits for its turn and connects. `None` when the application has ended the attempt, which the listener was notified of.
    pub(super) async fn open(shared: Arc<Shared>, attempt: u64) -> Option<Self> {
        let listener = poll_fn(|cx| shared.poll_listener(attempt, cx)).await;
        let mut session = Self { shared, attempt, listener, out: VecDeque::new() };
        match session.connect().await {
            Ok(()) => Some(session),
            Err(stop) => {
                session.stopped(stop);
                None
            }
        }
    }

    /// As `Attempt::connect`, with a dial that succeeds at once.
    async fn connect(&mut self) -> Result<(), Stop> {
        let Self { shared, attempt, .. } = self;
        let stop = poll_fn(|cx| Poll::Ready(shared.poll_stop(*attempt, cx))).await;
        if let Some(stop) = stop {
            return Err(stop);
        }
        shared.open(*attempt, KeptAnswer, None)?;
        notify(shared, &mut *self.listener, |listener| listener.opened(&Opened::default()));
        Ok(())
    }

    /// The dial fails at once.
    pub(super) async fn fail(shared: Arc<Shared>, attempt: u64) {
        let listener = poll_fn(|cx| shared.poll_listener(attempt, cx)).await;
        Self { shared, attempt, listener, out: VecDeque::new() }.end(None);
    }

    /// The application has ended the attempt while it was connecting.
    pub(super) async fn stopped_by(shared: Arc<Shared>, attempt: u64, stop: Stop) {
        let listener = poll_fn(|cx| shared.poll_listener(attempt, cx)).await;
        Self { shared, attempt, listener, out: VecDeque::new() }.stopped(stop);
    }

    fn stopped(self, stop: Stop) {
        match stop {
            Stop::Abandoned(dropped) => self.finish(dropped, None),
            Stop::Close(CloseRequest { code, .. }) => self.finish(Dropped::default(), Some(code.into())),
        }
    }

    /// Sleeps until there is something to do, and writes what is queued.
    pub(super) async fn next(&mut self) -> Command {
        let mut left = usize::MAX;
        let command = poll_fn(|cx| self.poll_turn(&mut left, cx)).await;
        self.write();
        command
    }

    /// One turn, as in `Session::poll_events`. Ready at a request, or when `left` more messages are written.
    fn poll_turn(&mut self, left: &mut usize, cx: &Context<'_>) -> Poll<Command> {
        let mut listens = false;
        loop {
            if !listens {
                let command = self.shared.poll_command(&mut self.out, None);
                if !matches!(command, Command::None) {
                    return Poll::Ready(command);
                }
            }
            if self.out.is_empty() && !listens {
                let command = self.shared.poll_command(&mut self.out, Some(cx));
                if !matches!(command, Command::None) {
                    return Poll::Ready(command);
                }
                listens = true;
            }
            if self.out.is_empty() {
                return Poll::Pending;
            }
            *left -= self.out.iter().map(|chunk| chunk.messages).sum::<usize>();
            let shared = self.shared.clone();
            self.write_with(|| {
                let noted = shared.note_written(Backlog::default(), cx);
                listens = noted.listens;
                noted.drained
            });
            if *left == 0 {
                return Poll::Ready(Command::None);
            }
        }
    }

    /// Writes what is queued until the application closes, and lends its socket to callers whenever it sleeps.
    pub(super) async fn lends(&mut self, sink: &Arc<Sink>) {
        let shared = self.shared.clone();
        let mut lending = Lending::new(&shared);
        let Self { out, listener, .. } = self;
        let mut written = 0;
        poll_fn(|cx| {
            if let Some(Returned { rest, .. }) = ready!(lending.poll_take(cx)) {
                *out = rest.chunks;
                written = rest.of_first;
            }
            loop {
                let command = shared.poll_command(out, Some(cx));
                for chunk in out.drain(..) {
                    sink.write(&chunk.bytes[std::mem::take(&mut written)..]);
                }
                if shared.note_in_flight(Backlog::default()) {
                    notify(&shared, &mut **listener, |listener| listener.drained());
                }
                match command {
                    Command::Close(_) => return Poll::Ready(()),
                    Command::None => break,
                    _ => {}
                }
            }
            lending.lend(Some(LentSocket(sink.clone())), Rest::default, Plan::Sleep, || true);
            Poll::Pending
        })
        .await;
    }

    /// Sleeps until this many messages are queued, and writes them.
    pub(super) async fn writes(&mut self, count: usize) {
        let mut left = count;
        poll_fn(|cx| self.poll_turn(&mut left, cx)).await;
    }

    /// Sleeps until something is queued, and writes it.
    pub(super) async fn written(&mut self) {
        let Self { shared, out, .. } = self;
        poll_fn(|cx| match shared.poll_command(out, Some(cx)) {
            Command::None if out.is_empty() => Poll::Pending,
            _ => Poll::Ready(()),
        })
        .await;
        self.write();
    }

    /// The kernel takes all.
    pub(super) fn write(&mut self) {
        let shared = self.shared.clone();
        self.write_with(|| shared.note_in_flight(Backlog::default()));
    }

    /// The same, as in `Session::wrote`. `note` reports it, and returns whether the queue has drained.
    fn write_with(&mut self, note: impl FnOnce() -> bool) {
        let Self { shared, listener, out, .. } = self;
        let receipts: Vec<_> = out.drain(..).filter_map(|chunk| chunk.receipt).collect();
        let drained = note();
        if !receipts.is_empty() {
            notify(shared, &mut **listener, |listener| {
                receipts.iter().for_each(|receipt| listener.sent(*receipt, Outcome::Sent));
            });
        }
        if drained {
            notify(shared, &mut **listener, |listener| listener.drained());
        }
    }

    /// Takes what is queued, and writes none of it.
    pub(super) async fn take(&mut self) {
        let Self { shared, out, .. } = self;
        poll_fn(|cx| Poll::Ready(shared.poll_command(out, Some(cx)))).await;
    }

    /// The connection has ended: closed by this side's code, or lost.
    pub(super) fn end(self, closed: Option<u16>) {
        self.finish(Dropped::default(), closed);
    }

    /// The peer has closed.
    pub(super) fn closed_by_peer(self) {
        self.shared.peer_closes();
        self.finish(Dropped::default(), Some(1000));
    }

    /// As `notify_end`.
    fn finish(mut self, mut dropped: Dropped, closed: Option<u16>) {
        let Self { shared, attempt, listener, out } = &mut self;
        dropped.add(out.drain(..));
        dropped.merge(shared.end(*attempt));
        let Dropped { messages: unsent, receipts, .. } = dropped;
        notify(shared, &mut **listener, |listener| {
            receipts.iter().for_each(|receipt| listener.sent(*receipt, Outcome::Unsent));
        });
        let times = Times::default();
        match closed {
            Some(code) => {
                let (cause, peer) = (Cause::Application, PeerClose::None);
                let closed = Closed { code, reason: String::new(), cause, unsent, times, peer };
                notify(shared, &mut **listener, |listener| listener.closed(&closed));
            }
            None => {
                let failure = Failure { error: Error, unsent, times };
                notify(shared, &mut **listener, |listener| listener.failed(&failure));
            }
        }
    }

    /// The connection is lost and another takes its place, as in `Retry::next` with a delay that is over when the application
    /// asks for it, if it does not close before. `None` when no attempt follows, which the listener was notified of.
    pub(super) async fn reconnect(mut self, keep: bool) -> Option<Self> {
        let unsent = std::mem::take(&mut self.out);
        let dropped = match self.shared.reconnect(self.attempt, unsent, keep) {
            Ok(dropped) => dropped,
            Err(unsent) => {
                self.out = unsent;
                self.end(None);
                return None;
            }
        };
        let Self { shared, attempt, listener, .. } = &mut self;
        shared.await_retry(true);
        notify(shared, &mut **listener, |listener| {
            dropped.receipts.iter().for_each(|receipt| listener.sent(*receipt, Outcome::Unsent));
        });
        let waited = poll_fn(|cx| match shared.poll_stop(*attempt, cx) {
            Some(stop) => Poll::Ready(Err(stop)),
            None if shared.take_retry_now() => Poll::Ready(Ok(())),
            None => Poll::Pending,
        })
        .await;
        shared.await_retry(false);
        let connected = match waited {
            Ok(()) => self.connect().await,
            Err(stop) => Err(stop),
        };
        match connected {
            Ok(()) => Some(self),
            Err(stop) => {
                self.stopped(stop);
                None
            }
        }
    }
}
