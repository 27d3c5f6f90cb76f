//! The shared state of a [`crate::client::Client`] and its sessions: connection, send queue, pending requests.
//!
//! Callers' threads write here. They touch a socket only as `outlet` describes. A session reads here. It waits for a
//! caller at most for one write of the kernel.

mod command;
pub(super) mod lending;
pub(super) mod listening;
pub(super) mod looking;
mod outlet;
mod refusal;
mod retry;
mod serving;

use std::collections::VecDeque;
use std::task::{Context, Waker};

pub use self::refusal::{AlreadyConnected, CloseError, CloseStart, ConnectError, PingError};

pub(super) use self::command::{CloseRequest, Command, Stop};
pub(super) use self::outlet::Rest;

use self::command::Rare;
use self::outlet::Outlet;
use super::event::{Listener, Receipt};
use super::handshake::{KeptAnswer, Opened};
use super::send_queue::{Backlog, Chunk, Dropped, Payload, SendError, SendLimits, SendQueue};
use super::state::{State, close_code_of};
use super::stats::{Counters, Statistics};
use crate::logging::{NO_TRACE, Tag};
use crate::protocol::{CONTROL_PAYLOAD_BYTES_MAX, CloseCode, MessageType, Role, truncate_reason};
use crate::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use crate::sync::{Mutex, MutexGuard, lock};

/// The most pings that wait for a session. A session with this many control frames takes no more.
const WAITING_PINGS_MAX: usize = 16;

/// See the module.
pub(super) struct Shared {
    /// For log lines.
    pub(super) id: u64,
    pub(super) role: Role,
    /// The number of the application's HiTrace chain, for log lines.
    trace: AtomicU64,
    /// The client is gone: no event reaches its listener any more.
    detached: AtomicBool,
    pub(super) counters: Counters,
    guarded: Mutex<Guarded>,
}

struct Guarded {
    /// The number of the last attempt. A session with another number has been replaced.
    attempt: u64,
    /// The attempt whose session has the listener, or has it next.
    turn: u64,
    /// `None` while a session has it.
    listener: Option<Box<dyn Listener>>,
    state: State,
    send_queue: SendQueue,
    /// `None` until it is needed.
    rare: Option<Box<Rare>>,
    /// The application wants this connection to be the last.
    close_asked: bool,
    /// A connection was open, and a retry will replace it.
    reopening: bool,
    /// The network has changed since the session last looked.
    network_changed: bool,
    /// The connection must end now, even if messages wait.
    hurried: bool,
    /// The answer to the last upgrade.
    opened: Option<KeptAnswer>,
    /// The waker of the session, since it first slept.
    waker: Option<Waker>,
    /// The session sleeps, or will look for what came since it last looked only when it is woken.
    asleep: bool,
    /// Present after an open connection was flooded.
    outlet: Option<Box<Outlet>>,
}

impl Shared {
    pub(super) fn new(id: u64, role: Role, listener: Box<dyn Listener>, send_limits: SendLimits) -> Self {
        Self {
            id,
            role,
            trace: AtomicU64::new(NO_TRACE),
            detached: AtomicBool::new(false),
            counters: Counters::default(),
            guarded: Mutex::new(Guarded {
                attempt: 0,
                turn: 1,
                listener: Some(listener),
                state: State::Idle,
                send_queue: SendQueue::new(role, send_limits),
                rare: None,
                close_asked: false,
                reopening: false,
                network_changed: false,
                hurried: false,
                opened: None,
                waker: None,
                asleep: false,
                outlet: None,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Guarded> {
        lock(&self.guarded)
    }

    /// The prefix of log lines.
    pub(super) fn tag(&self) -> Tag {
        Tag { client: self.id, trace: self.trace.load(Ordering::Relaxed) }
    }

    // The client's methods.

    pub(super) fn state(&self) -> State {
        self.lock().state
    }

    pub(super) fn buffered(&self) -> usize {
        self.lock().send_queue.backlog().bytes
    }

    pub(super) fn handshake_response(&self) -> Option<Opened> {
        let kept = self.lock().opened.clone();
        kept.map(|kept| kept.opened())
    }

    pub(super) fn statistics(&self) -> Statistics {
        let guarded = self.lock();
        let Backlog { bytes, messages } = guarded.send_queue.backlog();
        Statistics {
            buffered_bytes: bytes,
            buffered_messages: messages,
            timing: guarded.opened.as_ref().map(KeptAnswer::timing),
            ..self.counters.snapshot()
        }
    }

    pub(super) fn is_above_low_water(&self) -> bool {
        self.lock().send_queue.is_above_low_water()
    }

    /// See [`SendQueue::fits_send_limit`].
    pub(super) fn fits_send_limit(&self, length: usize) -> bool {
        self.lock().send_queue.fits_send_limit(length)
    }

    /// See [`SendLimits::fragments`].
    pub(super) fn sends_fragments(&self) -> bool {
        self.lock().send_queue.sends_fragments()
    }

    pub(super) fn set_send_limits(&self, limits: SendLimits) {
        self.lock().send_queue.set_limits(limits);
    }

    pub(super) fn set_trace_id(&self, trace: Option<u64>) {
        self.trace.store(trace.unwrap_or(NO_TRACE), Ordering::Relaxed);
    }

    /// Begins an attempt and returns its number. It is that of its turn at the listener, too.
    pub(super) fn begin(&self) -> Result<u64, AlreadyConnected> {
        let mut guarded = self.lock();
        match guarded.state {
            State::Idle | State::Closed => {
                guarded.attempt += 1;
                guarded.state = State::Connecting;
                guarded.send_queue.compress_from(None);
                guarded.forget_close();
                (guarded.close_asked, guarded.reopening) = (false, false);
                guarded.network_changed = false;
                guarded.forget_pings();
                guarded.opened = None;
                self.counters.attempt();
                Ok(guarded.attempt)
            }
            State::Connecting | State::Open | State::Closing => Err(AlreadyConnected),
        }
    }

    /// See [`SendQueue::form`] and [`SendQueue::message`].
    pub(super) fn send(
        &self,
        kind: MessageType,
        payload: &[u8],
        receipt: Option<Receipt>,
    ) -> Result<(), SendError> {
        let mut guarded = self.lock();
        guarded.may_send()?;
        let form = guarded.send_queue.form(kind, payload.len())?;
        if form.is_long() {
            // Without the lock, because the session needs it. Other clients need the session's thread.
            drop(guarded);
            let prepared = form.prepare(payload)?;
            guarded = self.lock();
            guarded.may_send()?;
            guarded.send_queue.prepared(form, prepared, receipt)?;
        } else {
            guarded.send_queue.message(form, payload, receipt)?;
        }
        self.queued(guarded);
        Ok(())
    }

    /// See [`SendQueue::owned_message`].
    pub(super) fn send_owned<P: Payload + 'static>(
        &self,
        kind: MessageType,
        payload: Box<P>,
        receipt: Option<Receipt>,
    ) -> Result<(), (SendError, Box<P>)> {
        let mut guarded = self.lock();
        if let Err(error) = guarded.may_send() {
            return Err((error, payload));
        }
        guarded.send_queue.owned_message(kind, payload, receipt)?;
        self.queued(guarded);
        Ok(())
    }

    /// See [`SendQueue::piece`].
    pub(super) fn send_piece(
        &self,
        kind: MessageType,
        payload: &[u8],
        last: bool,
        receipt: Option<Receipt>,
    ) -> Result<(), SendError> {
        let mut guarded = self.lock();
        guarded.may_send()?;
        guarded.send_queue.piece(kind, payload, last, receipt)?;
        self.queued(guarded);
        Ok(())
    }

    /// Queues a ping.
    pub(super) fn ping(&self, payload: &[u8]) -> Result<(), PingError> {
        if payload.len() > CONTROL_PAYLOAD_BYTES_MAX {
            return Err(PingError::TooLong);
        }
        let mut guarded = self.lock();
        if guarded.state != State::Open {
            return Err(PingError::NotConnected);
        }
        let pings = &mut guarded.rare().pings;
        if pings.len() >= WAITING_PINGS_MAX {
            return Err(PingError::TooMany);
        }
        pings.push_back(payload.to_vec());
        wake(guarded);
        Ok(())
    }

    pub(super) fn close(&self, asked: Option<u32>, reason: &str) -> Result<CloseStart, CloseError> {
        let mut guarded = self.lock();
        let start = match guarded.state {
            State::Idle => return Err(CloseError::NotConnected),
            State::Closing | State::Closed => {
                guarded.close_asked = true;
                return Ok(CloseStart::Handshake);
            }
            State::Connecting if !guarded.reopening => {
                guarded.abandon();
                CloseStart::Cancelled
            }
            State::Open | State::Connecting => {
                let code = asked.map_or(CloseCode::Status, |asked| close_code_of(self.role, asked));
                if let Some(asked) = asked.filter(|asked| *asked != u32::from(u16::from(code))) {
                    crate::logging::warn(format_args!(
                        "{} close code {asked} must not be sent (RFC 6455 7.4); 1000 is sent",
                        self.tag()
                    ));
                }
                guarded.state = State::Closing;
                guarded.close_asked = true;
                let reason = truncate_reason(reason).to_owned();
                guarded.rare().close = Some(CloseRequest { code, reason });
                CloseStart::Handshake
            }
        };
        wake(guarded);
        Ok(start)
    }

    /// The client is gone. An open connection still sends the accepted messages and closes properly.
    pub(super) fn detach(&self) {
        self.detached.store(true, Ordering::SeqCst);
        let mut guarded = self.lock();
        match guarded.state {
            State::Connecting => guarded.abandon(),
            State::Open => {
                guarded.state = State::Closing;
                let close = CloseRequest { code: CloseCode::Away, reason: String::new() };
                guarded.rare().close = Some(close);
            }
            State::Idle | State::Closing | State::Closed => {}
        }
        wake(guarded);
    }

    // The session's methods.

    pub(super) fn is_detached(&self) -> bool {
        self.detached.load(Ordering::SeqCst)
    }

    /// Ready when attempt `attempt` was cancelled; registers the waker.
    pub(super) fn poll_stop(&self, attempt: u64, cx: &Context<'_>) -> Option<Stop> {
        let mut guarded = self.lock();
        let stop = guarded.take_stop(attempt);
        if stop.is_none() {
            guarded.register(cx);
        }
        stop
    }

    /// Whether the network has changed since the last look.
    pub(super) fn take_network_changed(&self) -> bool {
        std::mem::take(&mut self.lock().network_changed)
    }

    /// The connection or the attempt failed, and another attempt follows. If the application has ended the client, it returns
    /// what the session had taken. These messages wait for the next connection, ahead of the queue. If a connection was open
    /// and `keep` is not set, all messages are dropped.
    pub(super) fn reconnect(
        &self,
        attempt: u64,
        unsent: VecDeque<Chunk>,
        keep: bool,
    ) -> Result<Dropped, VecDeque<Chunk>> {
        let mut guarded = self.lock();
        if self.is_detached()
            || guarded.attempt != attempt
            || guarded.close_asked
            || guarded.state == State::Idle
        {
            return Err(unsent);
        }
        let was_open = guarded.state != State::Connecting;
        guarded.state = State::Connecting;
        guarded.reopening |= was_open;
        guarded.opened = None;
        guarded.forget_pings();
        Ok(guarded.send_queue.restore(unsent, was_open && !keep))
    }

    /// Changes the attempt to open, unless it was cancelled in the meantime. From now on messages of `compress_from` bytes and
    /// more are left to the session to compress.
    pub(super) fn open(
        &self,
        attempt: u64,
        opened: KeptAnswer,
        compress_from: Option<usize>,
    ) -> Result<(), Stop> {
        let mut guarded = self.lock();
        if let Some(stop) = guarded.take_stop(attempt) {
            return Err(stop);
        }
        guarded.network_changed = false;
        guarded.state = State::Open;
        guarded.send_queue.compress_from(compress_from);
        guarded.opened = Some(opened);
        // A thread that sees the state open also sees the connection counted.
        self.counters.connection();
        Ok(())
    }

    /// The peer asked to close. Nothing more can be sent.
    pub(super) fn peer_closes(&self) {
        self.lock().state = State::Closing;
    }

    /// The peer violated the protocol. Only the queued messages are still sent, and they go into `out`.
    pub(super) fn peer_failed(&self, out: &mut VecDeque<Chunk>) {
        let mut guarded = self.lock();
        guarded.state = State::Closing;
        guarded.send_queue.take(out);
    }

    /// The attempt is over. Drops the queued messages and returns them.
    pub(super) fn end(&self, attempt: u64) -> Dropped {
        let mut guarded = self.lock();
        if let Some(dropped) = guarded.take_abandoned(attempt) {
            return dropped;
        }
        // Replaced, or its cancellation was already reported. State and queue belong to the next attempt.
        if guarded.attempt != attempt || guarded.state == State::Idle {
            return Dropped::default();
        }
        guarded.state = State::Closed;
        guarded.waker = None;
        guarded.forget_close();
        guarded.send_queue.note_in_flight(Backlog::default());
        guarded.clear_queue()
    }
}

/// Releases the lock, then wakes the session if it sleeps.
#[inline]
fn wake(mut guarded: MutexGuard<'_, Guarded>) {
    let waker = if std::mem::take(&mut guarded.asleep) { guarded.waker.take() } else { None };
    drop(guarded);
    if let Some(waker) = waker {
        crate::runtime::wake(waker);
    }
}

impl Guarded {
    /// Whether messages are accepted: from the client's creation until either side closes.
    fn may_send(&self) -> Result<(), SendError> {
        match self.state {
            State::Idle | State::Connecting | State::Open => Ok(()),
            State::Closing | State::Closed => Err(SendError::NotConnected),
        }
    }

    /// Ends the attempt. Afterwards the client is as if it had never connected.
    fn abandon(&mut self) {
        self.state = State::Idle;
        let dropped = (self.attempt, self.clear_queue());
        self.rare().abandoned.push_back(dropped);
    }

    fn register(&mut self, cx: &Context<'_>) {
        self.asleep = true;
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }

    /// Drops the queued messages.
    fn clear_queue(&mut self) -> Dropped {
        self.forget_pings();
        self.send_queue.clear()
    }

    /// The application's wish for no more connections, between two of them.
    fn take_stop(&mut self, attempt: u64) -> Option<Stop> {
        if let Some(dropped) = self.take_abandoned(attempt) {
            return Some(Stop::Abandoned(dropped));
        }
        self.rare.as_mut()?.close.take().map(Stop::Close)
    }
}
