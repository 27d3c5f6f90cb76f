//! What a [`super::Client`] and its sessions share: the state, the queue of frames to send, the wish to close.
//!
//! Callers' threads write here and never touch a socket; a session reads here and never waits for a caller.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::OwnedMutexGuard;

use super::error::{AlreadyConnected, CloseError, PingError, SendError};
use super::event::{Listener, Opened};
use super::stats::Counters;
use crate::protocol::{
    CONTROL_PAYLOAD_BYTES_MAX, CloseCode, Encoder, FRAME_HEADER_BYTES_MAX, Kind, Utf8Validator, may_be_sent,
    truncate_reason,
};

/// Small messages are gathered into chunks of this size, each one slice of a vectored write.
const CHUNK_BYTES: usize = 65_536;

/// Memory of chunks that were sent, for the next ones: fresh memory would cost a page fault every 4 KiB.
static SPARE_CHUNKS: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
/// The most chunks kept for the whole process, and the most memory one of them may have.
const SPARE_CHUNKS_MAX: usize = 8;
const SPARE_CHUNK_BYTES_MAX: usize = 4 * CHUNK_BYTES;

fn chunk_memory(bytes: usize) -> Vec<u8> {
    let spare = SPARE_CHUNKS.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut memory = spare.unwrap_or_default();
    memory.reserve(bytes);
    memory
}

/// Takes back the memory of a chunk that was sent.
pub(super) fn recycle_chunk(mut memory: Vec<u8>) {
    if !(CHUNK_BYTES / 4..=SPARE_CHUNK_BYTES_MAX).contains(&memory.capacity()) {
        return;
    }
    memory.clear();
    let mut spare = SPARE_CHUNKS.lock().unwrap_or_else(PoisonError::into_inner);
    if spare.len() < SPARE_CHUNKS_MAX {
        spare.push(memory);
    }
}

/// The states of a connection, in the words of RFC 6455.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No attempt was made yet.
    Idle,
    /// An attempt is under way.
    Connecting,
    /// Messages go both ways.
    Open,
    /// This side or the other has asked to close.
    Closing,
    /// The last connection or attempt is over.
    Closed,
}

/// A payload in memory that somebody else owns and gets back by its drop. It is masked where it is.
pub trait Payload: AsRef<[u8]> + AsMut<[u8]> + Send {}

impl<T: AsRef<[u8]> + AsMut<[u8]> + Send> Payload for T {}

/// The number by which an application knows a message when it is told what became of it.
pub type Receipt = u64;

/// Pings that wait for a session.
const WAITING_PINGS_MAX: usize = 16;

/// Whole frames, ready for the wire, or a message still to be compressed.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    /// What follows `bytes`, when it lies elsewhere: the masked payload of one message.
    pub(super) tail: Option<Box<dyn Payload>>,
    /// Set when `bytes` are the payload of a message of this kind.
    pub(super) uncompressed: Option<Kind>,
    /// How many messages they carry; 0 for control frames.
    pub(super) messages: usize,
    /// Of the last message in it.
    pub(super) receipt: Option<Receipt>,
}

impl Chunk {
    pub(super) fn control(bytes: Vec<u8>) -> Self {
        Self { bytes, ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len() + self.tail().len()
    }

    pub(super) fn tail(&self) -> &[u8] {
        self.tail.as_deref().map_or(&[], |tail| tail.as_ref())
    }
}

/// What was accepted and will not be sent, or not surely.
#[derive(Default)]
pub(super) struct Dropped {
    pub(super) messages: usize,
    pub(super) receipts: Vec<Receipt>,
    /// Their owners' drops are the application's code: not to be run under a lock.
    pub(super) payloads: Vec<Box<dyn Payload>>,
}

impl Dropped {
    pub(super) fn add(&mut self, chunks: impl IntoIterator<Item = Chunk>) {
        for chunk in chunks {
            self.messages += chunk.messages;
            self.receipts.extend(chunk.receipt);
            self.payloads.extend(chunk.tail);
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.messages += other.messages;
        self.receipts.extend(other.receipts);
        self.payloads.extend(other.payloads);
    }
}

/// Part of a message that an application sends piece by piece.
struct Unfinished {
    kind: Kind,
    utf8: Utf8Validator,
}

/// A close frame to send.
pub(super) struct CloseRequest {
    pub(super) code: CloseCode,
    pub(super) reason: String,
}

/// Comes when the sessions of all earlier attempts have told their last event.
pub(super) type Turn = Pin<Box<dyn Future<Output = OwnedMutexGuard<Box<dyn Listener>>> + Send>>;

/// What a session finds when it looks.
pub(super) enum Command {
    /// Nothing new; the waker is registered.
    None,
    /// Send a ping with this payload.
    Ping(Vec<u8>),
    /// Send this close frame after what is queued.
    Close(CloseRequest),
}

pub(super) struct Link {
    /// For log lines.
    pub(super) id: u64,
    /// The client is gone: no event reaches its listener any more.
    detached: AtomicBool,
    /// Bytes a session has taken from the queue and not yet handed to the kernel.
    in_flight: AtomicUsize,
    /// Unsent bytes that are accepted.
    send_limit: AtomicUsize,
    /// Unsent bytes at which a queue that held more counts as drained.
    low_water: AtomicUsize,
    /// More than `low_water` was unsent since the last drained event.
    filled: AtomicBool,
    pub(super) counters: Counters,
    inner: Mutex<Inner>,
    /// Held by a session for its life, so that a client has one at a time.
    pub(super) listener: Arc<tokio::sync::Mutex<Box<dyn Listener>>>,
}

struct Inner {
    /// Counts the attempts; a session that finds another number here has been replaced.
    attempt: u64,
    state: State,
    queue: VecDeque<Chunk>,
    queued_bytes: usize,
    encoder: Encoder,
    /// Messages from this size on are to be compressed, which the session does in their order.
    compress_from: Option<usize>,
    unfinished: Option<Unfinished>,
    pings: VecDeque<Vec<u8>>,
    close: Option<CloseRequest>,
    /// Abandoned attempts that have not noticed yet, and what each leaves unsent.
    abandoned: Vec<(u64, Dropped)>,
    waker: Option<Waker>,
    /// The answer to the last upgrade.
    opened: Option<Arc<Opened>>,
}

impl Link {
    pub(super) fn new(id: u64, listener: Box<dyn Listener>, send_limit: usize) -> Self {
        Self {
            id,
            detached: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            send_limit: AtomicUsize::new(send_limit),
            low_water: AtomicUsize::new(send_limit / 4),
            filled: AtomicBool::new(false),
            counters: Counters::default(),
            inner: Mutex::new(Inner {
                attempt: 0,
                state: State::Idle,
                queue: VecDeque::new(),
                queued_bytes: 0,
                encoder: Encoder::default(),
                compress_from: None,
                unfinished: None,
                pings: VecDeque::new(),
                close: None,
                abandoned: Vec::new(),
                waker: None,
                opened: None,
            }),
            listener: Arc::new(tokio::sync::Mutex::new(listener)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // The client's side.

    pub(super) fn state(&self) -> State {
        self.lock().state
    }

    pub(super) fn buffered(&self) -> usize {
        self.lock().queued_bytes + self.in_flight.load(Ordering::Relaxed)
    }

    pub(super) fn opened(&self) -> Option<Arc<Opened>> {
        self.lock().opened.clone()
    }

    pub(super) fn is_filled(&self) -> bool {
        self.filled.load(Ordering::Relaxed)
    }

    pub(super) fn set_send_limits(&self, limit: usize, low_water: usize) {
        self.send_limit.store(limit, Ordering::Relaxed);
        self.low_water.store(low_water, Ordering::Relaxed);
    }

    /// Begins an attempt and returns its number, and its turn at the listener.
    pub(super) fn begin(&self) -> Result<(u64, Turn), AlreadyConnected> {
        let mut inner = self.lock();
        match inner.state {
            State::Idle | State::Closed => {
                // Polled, it is in the queue. Its task may run after that of the next attempt, which must not overtake it.
                let mut turn: Turn = Box::pin(self.listener.clone().lock_owned());
                if let Poll::Ready(free) = turn.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                    turn = Box::pin(std::future::ready(free));
                }
                inner.attempt += 1;
                inner.state = State::Connecting;
                inner.compress_from = None;
                inner.close = None;
                inner.pings.clear();
                inner.opened = None;
                self.counters.attempt();
                Ok((inner.attempt, turn))
            }
            State::Connecting | State::Open | State::Closing => Err(AlreadyConnected),
        }
    }

    /// Queues one message, copied and masked.
    pub(super) fn send(&self, kind: Kind, payload: &[u8], receipt: Option<Receipt>) -> Result<(), SendError> {
        let mut inner = self.lock();
        let frame_len = payload.len() + FRAME_HEADER_BYTES_MAX;
        self.check(&inner, frame_len)?;
        if inner.unfinished.is_some() {
            return Err(SendError::Unfinished);
        }
        if inner.compress_from.is_some_and(|least| payload.len() >= least) {
            let uncompressed = Some(kind);
            let chunk =
                Chunk { bytes: payload.to_vec(), uncompressed, messages: 1, receipt, ..Chunk::default() };
            inner.queue.push_back(chunk);
            inner.queued_bytes += payload.len();
        } else {
            inner.append(frame_len, 1, receipt, |encoder, out| encoder.message(out, kind, payload));
        }
        self.queued(inner);
        Ok(())
    }

    /// Queues one message without copying it.
    pub(super) fn send_owned<P: Payload + 'static>(
        &self,
        kind: Kind,
        mut payload: Box<P>,
        receipt: Option<Receipt>,
    ) -> Result<(), (SendError, Box<P>)> {
        let mut inner = self.lock();
        let frame_len = (*payload).as_ref().len() + FRAME_HEADER_BYTES_MAX;
        let accepted = match inner.unfinished {
            Some(_) => Err(SendError::Unfinished),
            None => self.check(&inner, frame_len),
        };
        if let Err(error) = accepted {
            return Err((error, payload));
        }
        let mut bytes = Vec::with_capacity(FRAME_HEADER_BYTES_MAX);
        inner.encoder.header_and_mask(&mut bytes, kind, (*payload).as_mut());
        let chunk = Chunk { bytes, tail: Some(payload), messages: 1, receipt, ..Chunk::default() };
        inner.queued_bytes += chunk.len();
        inner.queue.push_back(chunk);
        self.queued(inner);
        Ok(())
    }

    /// Queues a piece of a message; `last` ends it.
    pub(super) fn send_piece(&self, kind: Kind, payload: &[u8], last: bool) -> Result<(), SendError> {
        let mut inner = self.lock();
        let frame_len = payload.len() + FRAME_HEADER_BYTES_MAX;
        self.check(&inner, frame_len)?;
        let first = inner.unfinished.is_none();
        let mut unfinished = match inner.unfinished.take() {
            None => Unfinished { kind, utf8: Utf8Validator::default() },
            Some(unfinished) if unfinished.kind == kind => unfinished,
            Some(unfinished) => {
                inner.unfinished = Some(unfinished);
                return Err(SendError::Unfinished);
            }
        };
        let before = unfinished.utf8.clone();
        if kind == Kind::Text && !(unfinished.utf8.feed(payload) && (!last || unfinished.utf8.finish())) {
            // The piece is refused as a whole; a good one may follow.
            inner.unfinished = (!first).then_some(Unfinished { kind, utf8: before });
            return Err(SendError::Utf8);
        }
        inner.append(frame_len, usize::from(last), None, |encoder, out| {
            encoder.fragment(out, kind, payload, first, last);
        });
        inner.unfinished = (!last).then_some(unfinished);
        self.queued(inner);
        Ok(())
    }

    /// Queues a ping.
    pub(super) fn ping(&self, payload: &[u8]) -> Result<(), PingError> {
        if payload.len() > CONTROL_PAYLOAD_BYTES_MAX {
            return Err(PingError::TooLong);
        }
        let mut inner = self.lock();
        if inner.state != State::Open {
            return Err(PingError::NotConnected);
        }
        if inner.pings.len() >= WAITING_PINGS_MAX {
            return Err(PingError::TooMany);
        }
        inner.pings.push_back(payload.to_vec());
        let waker = inner.waker.take();
        drop(inner);
        wake(waker);
        Ok(())
    }

    /// Whether `frame_len` more bytes may be queued.
    fn check(&self, inner: &Inner, frame_len: usize) -> Result<(), SendError> {
        match inner.state {
            State::Idle | State::Connecting | State::Open => {}
            State::Closing | State::Closed => return Err(SendError::NotConnected),
        }
        let buffered = inner.queued_bytes + self.in_flight.load(Ordering::Relaxed);
        if buffered.saturating_add(frame_len) > self.send_limit.load(Ordering::Relaxed) {
            self.filled.store(true, Ordering::Relaxed);
            return Err(SendError::QueueFull);
        }
        Ok(())
    }

    /// Something was queued: the session is to look.
    fn queued(&self, mut inner: MutexGuard<'_, Inner>) {
        let buffered = inner.queued_bytes + self.in_flight.load(Ordering::Relaxed);
        if buffered > self.low_water.load(Ordering::Relaxed) {
            self.filled.store(true, Ordering::Relaxed);
        }
        let waker = inner.waker.take();
        drop(inner);
        wake(waker);
    }

    pub(super) fn close(&self, code: u16, reason: &str) -> Result<(), CloseError> {
        let mut inner = self.lock();
        let outcome = match inner.state {
            State::Idle => return Err(CloseError::NotConnected),
            State::Closing | State::Closed => return Ok(()),
            State::Connecting => {
                inner.abandon();
                Err(CloseError::Abandoned)
            }
            State::Open if !may_close_with(code) => return Err(CloseError::Code),
            State::Open => {
                inner.state = State::Closing;
                let reason = truncate_reason(reason).to_owned();
                inner.close = Some(CloseRequest { code: CloseCode::from(code), reason });
                Ok(())
            }
        };
        let waker = inner.waker.take();
        drop(inner);
        wake(waker);
        outcome
    }

    /// The client is gone. An open connection still sends what was accepted and closes in good order.
    pub(super) fn detach(&self) {
        self.detached.store(true, Ordering::SeqCst);
        let mut inner = self.lock();
        match inner.state {
            State::Connecting => inner.abandon(),
            State::Open => {
                inner.state = State::Closing;
                inner.close = Some(CloseRequest { code: CloseCode::Away, reason: String::new() });
            }
            State::Idle | State::Closing | State::Closed => {}
        }
        let waker = inner.waker.take();
        drop(inner);
        wake(waker);
    }

    // A session's side.

    pub(super) fn is_detached(&self) -> bool {
        self.detached.load(Ordering::SeqCst)
    }

    /// Whether attempt `attempt` is still wanted; registers the waker for the answer to change.
    pub(super) fn poll_abandoned(&self, attempt: u64, cx: &Context<'_>) -> Option<Dropped> {
        let mut inner = self.lock();
        let abandoned = inner.take_abandoned(attempt);
        if abandoned.is_none() {
            inner.register(cx);
        }
        abandoned
    }

    /// Moves the attempt on to open, unless it was abandoned meanwhile.
    /// From now on messages of `compress_from` bytes and more are left to the session to compress.
    pub(super) fn open(
        &self,
        attempt: u64,
        opened: Arc<Opened>,
        compress_from: Option<usize>,
    ) -> Result<(), Dropped> {
        let mut inner = self.lock();
        if let Some(dropped) = inner.take_abandoned(attempt) {
            return Err(dropped);
        }
        inner.state = State::Open;
        inner.compress_from = compress_from;
        inner.opened = Some(opened);
        Ok(())
    }

    /// The session is about to run and looks for commands afterwards: until then nobody needs to wake it.
    pub(super) fn awake(&self) {
        self.lock().waker = None;
    }

    /// The peer has asked to close: nothing more can be sent.
    pub(super) fn peer_closes(&self) {
        self.lock().state = State::Closing;
    }

    /// The peer broke the protocol: nothing more can be sent but what is queued, which goes into `out`.
    pub(super) fn peer_failed(&self, out: &mut VecDeque<Chunk>) {
        let mut inner = self.lock();
        inner.state = State::Closing;
        out.append(&mut inner.queue);
        inner.queued_bytes = 0;
    }

    /// Moves what is queued into `out`, and tells what else is wanted.
    pub(super) fn poll_command(&self, out: &mut VecDeque<Chunk>, cx: &Context<'_>) -> Command {
        let mut inner = self.lock();
        if !inner.queue.is_empty() {
            out.append(&mut inner.queue);
            let queued = std::mem::take(&mut inner.queued_bytes);
            self.in_flight.fetch_add(queued, Ordering::Relaxed);
        }
        if let Some(payload) = inner.pings.pop_front() {
            return Command::Ping(payload);
        }
        if let Some(close) = inner.close.take() {
            return Command::Close(close);
        }
        inner.register(cx);
        Command::None
    }

    /// Of what a session has taken, `pending` bytes have not reached the kernel. True when the queue has drained.
    pub(super) fn in_flight(&self, pending: usize) -> bool {
        self.in_flight.store(pending, Ordering::Relaxed);
        self.filled.load(Ordering::Relaxed)
            && self.buffered() <= self.low_water.load(Ordering::Relaxed)
            && self.filled.swap(false, Ordering::Relaxed)
    }

    /// The attempt is over. Drops what is queued and returns it.
    pub(super) fn end(&self, attempt: u64) -> Dropped {
        let mut inner = self.lock();
        if let Some(dropped) = inner.take_abandoned(attempt) {
            return dropped;
        }
        // Replaced, or abandoned and told so before: the state and the queue are the client's next attempt's.
        if inner.attempt != attempt || inner.state == State::Idle {
            return Dropped::default();
        }
        self.in_flight.store(0, Ordering::Relaxed);
        self.filled.store(false, Ordering::Relaxed);
        inner.state = State::Closed;
        inner.waker = None;
        inner.close = None;
        inner.clear_queue()
    }
}

/// Whether a client may close with `code` (RFC 6455 section 7.4): 1000 to 1003, 1007 to 1011 or 3000 to 4999. 1012 to 1014
/// are a server's or a gateway's to send.
pub fn may_close_with(code: u16) -> bool {
    may_be_sent(code) && !matches!(code, 1012..=1014)
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        crate::runtime::wake(waker);
    }
}

impl Inner {
    /// Encodes frames into the last chunk, or into a new one.
    fn append(
        &mut self,
        bytes_max: usize,
        messages: usize,
        receipt: Option<Receipt>,
        encode: impl FnOnce(&mut Encoder, &mut Vec<u8>),
    ) {
        let Self { queue, queued_bytes, encoder, .. } = self;
        let fits = queue.back().is_some_and(|chunk| {
            chunk.uncompressed.is_none()
                && chunk.tail.is_none()
                && chunk.receipt.is_none()
                && chunk.bytes.len() + bytes_max <= CHUNK_BYTES
        });
        if !fits {
            queue.push_back(Chunk { bytes: chunk_memory(bytes_max), ..Chunk::default() });
        }
        if let Some(chunk) = queue.back_mut() {
            let before = chunk.bytes.len();
            encode(encoder, &mut chunk.bytes);
            chunk.messages += messages;
            chunk.receipt = receipt;
            *queued_bytes += chunk.bytes.len() - before;
        }
    }

    fn register(&mut self, cx: &Context<'_>) {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }

    /// Afterwards the client is as if it had never connected.
    fn abandon(&mut self) {
        self.state = State::Idle;
        let dropped = self.clear_queue();
        self.abandoned.push((self.attempt, dropped));
    }

    /// Drops what is queued.
    fn clear_queue(&mut self) -> Dropped {
        self.queued_bytes = 0;
        self.unfinished = None;
        self.pings.clear();
        let mut dropped = Dropped::default();
        dropped.add(std::mem::take(&mut self.queue));
        dropped
    }

    fn take_abandoned(&mut self, attempt: u64) -> Option<Dropped> {
        let at = self.abandoned.iter().position(|(number, _)| *number == attempt)?;
        Some(self.abandoned.swap_remove(at).1)
    }
}
