//! What a [`super::Client`] and its sessions share: the state, the queue of frames to send, the wish to close.
//!
//! Callers' threads write here and never touch a socket; a session reads here and never waits for a caller.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::OwnedMutexGuard;

use super::error::{AlreadyConnected, CloseError, PingError, SendError};
use super::event::{Listener, Receipt};
use super::handshake::Opened;
use super::request::Prepared;
use super::state::{State, may_close_with};
use super::stats::{Counters, Statistics};
use super::transport::Notified;
use crate::protocol::{
    CONTROL_PAYLOAD_BYTES_MAX, CloseCode, Encoder, FRAME_HEADER_BYTES_MAX, Kind, Utf8Validator,
    encoded_frames, truncate_reason,
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

/// A payload in memory that somebody else owns and gets back by its drop. It is masked where it is.
pub trait Payload: AsRef<[u8]> + AsMut<[u8]> + Send {}

impl<T: AsRef<[u8]> + AsMut<[u8]> + Send> Payload for T {}

/// Pings that wait for a session, and control frames that wait in one, before it takes more of them.
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
    /// The message that is compressed in `bytes`, if it may have to go to another connection, which could not
    /// decompress it.
    pub(super) original: Option<(Kind, Vec<u8>)>,
}

impl Chunk {
    pub(super) fn control(bytes: Vec<u8>) -> Self {
        Self { bytes, ..Self::default() }
    }

    pub(super) fn is_control(&self) -> bool {
        self.uncompressed.is_none()
            && encoded_frames(&self.bytes).next().is_some_and(|(header, ..)| header.is_control())
    }

    /// Whether its last frame leaves a message unfinished.
    fn ends_unfinished(&self) -> bool {
        self.uncompressed.is_none()
            && self.tail.is_none()
            && encoded_frames(&self.bytes).last().is_some_and(|(header, ..)| !header.fin)
    }

    /// Cuts the chunk, of which `written` bytes are written, behind the frame that these end in. Returns how many messages
    /// are written whole, and what is behind the cut.
    pub(super) fn split_begun(&mut self, written: usize) -> (usize, Option<Self>) {
        let (mut whole, mut begun, mut cut) = (0, 0, None);
        for (header, start, end) in encoded_frames(&self.bytes) {
            if start >= written {
                cut = Some(start);
                break;
            }
            if header.fin && !header.is_control() {
                begun += 1;
                whole += usize::from(end <= written);
            }
        }
        let rest = cut.map(|at| Self {
            bytes: self.bytes.split_off(at),
            messages: self.messages - begun,
            receipt: self.receipt.take(),
            ..Self::default()
        });
        self.messages = begun - whole;
        (whole, rest)
    }

    /// Makes the chunk fit for another connection.
    fn restore(&mut self) {
        if let Some((kind, message)) = self.original.take() {
            self.bytes = message;
            self.uncompressed = Some(kind);
        }
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
    /// Its first pieces are gone with a lost connection.
    interrupted: bool,
}

/// Drops the frames at the head of the queue that continue a message whose beginning is gone.
fn drop_continuations(queue: &mut VecDeque<Chunk>, dropped: &mut Dropped) {
    while let Some(chunk) = queue.front_mut()
        && chunk.uncompressed.is_none()
    {
        let mut keep_from = None;
        for (header, start, end) in encoded_frames(&chunk.bytes) {
            if !header.is_continuation() {
                keep_from = Some(start);
                break;
            }
            if header.fin {
                dropped.messages += 1;
                chunk.messages -= 1;
                keep_from = Some(end);
                break;
            }
        }
        match keep_from {
            Some(start) if start < chunk.bytes.len() || chunk.tail.is_some() => {
                chunk.bytes.drain(..start);
                return;
            }
            ended => {
                if let Some(chunk) = queue.pop_front() {
                    dropped.receipts.extend(chunk.receipt);
                }
                if ended.is_some() {
                    return;
                }
            }
        }
    }
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
    /// The network has changed: see whether the connection is still there.
    NetworkChanged,
}

/// Why a session that has no open connection is to end.
pub(super) enum Stop {
    /// The application gave up before any connection was open; what was queued.
    Abandoned(Dropped),
    /// The application closed between two connections.
    Close(CloseRequest),
}

/// How much may wait to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendLimits {
    /// Bytes, headers of frames included. Default [`super::SEND_LIMIT_BYTES`].
    pub bytes: usize,
    /// Bytes at which a queue that held more counts as drained. Default a quarter.
    pub low_water: usize,
    /// Messages; a queue that held more than a quarter of them has drained at that. Default any number.
    pub messages: usize,
}

impl SendLimits {
    /// A limit of bytes alone.
    pub fn of_bytes(bytes: usize) -> Self {
        Self { bytes, low_water: bytes / 4, messages: usize::MAX }
    }
}

/// Bytes and messages that wait.
#[derive(Clone, Copy, Default)]
pub(super) struct Waiting {
    pub(super) bytes: usize,
    pub(super) messages: usize,
}

impl Waiting {
    pub(super) fn of<'a>(chunks: impl IntoIterator<Item = &'a Chunk>) -> Self {
        chunks.into_iter().fold(Self::default(), |sum, chunk| Self {
            bytes: sum.bytes + chunk.len(),
            messages: sum.messages + chunk.messages,
        })
    }
}

/// What a client's log lines begin with: its number, and that of the application's HiTrace chain in hilog's own form.
pub(super) struct Tag {
    id: u64,
    trace: u64,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self { id, trace: NO_TRACE } => write!(f, "[c{id}]"),
            Self { id, trace } => write!(f, "[c{id} {trace:x}]"),
        }
    }
}

const NO_TRACE: u64 = 0;

pub(super) struct Link {
    /// For log lines.
    pub(super) id: u64,
    trace: AtomicU64,
    /// The client is gone: no event reaches its listener any more.
    detached: AtomicBool,
    /// Bytes and messages a session has taken from the queue and not yet handed to the kernel.
    in_flight: AtomicUsize,
    messages_in_flight: AtomicUsize,
    /// See [`SendLimits`].
    send_limit: AtomicUsize,
    low_water: AtomicUsize,
    message_limit: AtomicUsize,
    /// More than the low-water marks was unsent since the last drained event.
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
    queued: Waiting,
    encoder: Encoder,
    /// Messages from this size on are to be compressed, which the session does in their order.
    compress_from: Option<usize>,
    unfinished: Option<Unfinished>,
    pings: VecDeque<Vec<u8>>,
    close: Option<CloseRequest>,
    /// The application wants this connection to be the last.
    close_asked: bool,
    /// A connection was open, and another is to take its place.
    reopening: bool,
    /// A retry is waited for, and whether it is to begin at once.
    retry_waits: bool,
    retry_now: bool,
    /// The attempt that the application was asked to prepare, and its answer.
    to_prepare: Option<u32>,
    prepared: Option<Prepared>,
    /// The network has changed since the session last looked.
    network_changed: bool,
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
            trace: AtomicU64::new(NO_TRACE),
            detached: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            messages_in_flight: AtomicUsize::new(0),
            message_limit: AtomicUsize::new(usize::MAX),
            send_limit: AtomicUsize::new(send_limit),
            low_water: AtomicUsize::new(send_limit / 4),
            filled: AtomicBool::new(false),
            counters: Counters::default(),
            inner: Mutex::new(Inner {
                attempt: 0,
                state: State::Idle,
                queue: VecDeque::new(),
                queued: Waiting::default(),
                encoder: Encoder::default(),
                compress_from: None,
                unfinished: None,
                pings: VecDeque::new(),
                close: None,
                close_asked: false,
                reopening: false,
                retry_waits: false,
                retry_now: false,
                to_prepare: None,
                prepared: None,
                network_changed: false,
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

    /// What log lines begin with.
    pub(super) fn tag(&self) -> Tag {
        Tag { id: self.id, trace: self.trace.load(Ordering::Relaxed) }
    }

    // The client's side.

    pub(super) fn state(&self) -> State {
        self.lock().state
    }

    pub(super) fn buffered(&self) -> usize {
        self.waiting(&self.lock()).bytes
    }

    fn waiting(&self, inner: &Inner) -> Waiting {
        Waiting {
            bytes: inner.queued.bytes + self.in_flight.load(Ordering::Relaxed),
            messages: inner.queued.messages + self.messages_in_flight.load(Ordering::Relaxed),
        }
    }

    /// Whether `waiting` is above the low-water marks.
    fn is_above_low_water(&self, waiting: Waiting) -> bool {
        waiting.bytes > self.low_water.load(Ordering::Relaxed)
            || waiting.messages > self.message_limit.load(Ordering::Relaxed) / 4
    }

    pub(super) fn opened(&self) -> Option<Arc<Opened>> {
        self.lock().opened.clone()
    }

    pub(super) fn statistics(&self) -> Statistics {
        let inner = self.lock();
        let Waiting { bytes, messages } = self.waiting(&inner);
        Statistics {
            buffered_bytes: bytes,
            buffered_messages: messages,
            timing: inner.opened.as_ref().map(|opened| opened.timing),
            ..self.counters.snapshot()
        }
    }

    pub(super) fn is_filled(&self) -> bool {
        self.filled.load(Ordering::Relaxed)
    }

    /// Whether a message of that length may be queued when nothing else is: with the longest header of a frame it is within the
    /// limit of bytes.
    pub(super) fn has_room_for(&self, length: usize) -> bool {
        length.saturating_add(FRAME_HEADER_BYTES_MAX) <= self.send_limit.load(Ordering::Relaxed)
    }

    pub(super) fn set_send_limits(&self, limits: SendLimits) {
        let SendLimits { bytes, low_water, messages } = limits;
        self.send_limit.store(bytes, Ordering::Relaxed);
        self.low_water.store(low_water, Ordering::Relaxed);
        self.message_limit.store(messages, Ordering::Relaxed);
    }

    pub(super) fn set_trace_id(&self, trace: Option<u64>) {
        self.trace.store(trace.unwrap_or(NO_TRACE), Ordering::Relaxed);
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
                (inner.close_asked, inner.reopening) = (false, false);
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
        self.check(&inner, payload.len())?;
        if inner.is_mid_message() {
            return Err(SendError::Unfinished);
        }
        if inner.compress_from.is_some_and(|least| payload.len() >= least) {
            let uncompressed = Some(kind);
            let chunk =
                Chunk { bytes: payload.to_vec(), uncompressed, messages: 1, receipt, ..Chunk::default() };
            inner.push(chunk);
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
        let accepted = match inner.is_mid_message() {
            true => Err(SendError::Unfinished),
            false => self.check(&inner, (*payload).as_ref().len()),
        };
        if let Err(error) = accepted {
            return Err((error, payload));
        }
        let mut bytes = Vec::with_capacity(FRAME_HEADER_BYTES_MAX);
        inner.encoder.header_and_mask(&mut bytes, kind, (*payload).as_mut());
        let chunk = Chunk { bytes, tail: Some(payload), messages: 1, receipt, ..Chunk::default() };
        inner.push(chunk);
        self.queued(inner);
        Ok(())
    }

    /// Queues a piece of a message; `last` ends it.
    pub(super) fn send_piece(
        &self,
        kind: Kind,
        payload: &[u8],
        last: bool,
        receipt: Option<Receipt>,
    ) -> Result<(), SendError> {
        let mut inner = self.lock();
        let frame_len = payload.len() + FRAME_HEADER_BYTES_MAX;
        self.check(&inner, payload.len())?;
        let first = inner.unfinished.is_none();
        let mut unfinished = match inner.unfinished.take() {
            None => Unfinished { kind, utf8: Utf8Validator::default(), interrupted: false },
            Some(unfinished) if unfinished.interrupted => return Err(SendError::Interrupted),
            Some(unfinished) if unfinished.kind == kind => unfinished,
            Some(unfinished) => {
                inner.unfinished = Some(unfinished);
                return Err(SendError::Unfinished);
            }
        };
        let before = unfinished.utf8.clone();
        if kind == Kind::Text && !(unfinished.utf8.feed(payload) && (!last || unfinished.utf8.finish())) {
            // The piece is refused as a whole; a good one may follow.
            inner.unfinished = (!first).then_some(Unfinished { utf8: before, ..unfinished });
            return Err(SendError::Utf8);
        }
        inner.append(frame_len, usize::from(last), receipt, |encoder, out| {
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

    /// Whether a message of that length, or a piece of one, may be queued now.
    fn check(&self, inner: &Inner, length: usize) -> Result<(), SendError> {
        match inner.state {
            State::Idle | State::Connecting | State::Open => {}
            State::Closing | State::Closed => return Err(SendError::NotConnected),
        }
        if !self.has_room_for(length) {
            return Err(SendError::TooLong);
        }
        let Waiting { bytes, messages } = self.waiting(inner);
        if !self.has_room_for(bytes.saturating_add(length))
            || messages >= self.message_limit.load(Ordering::Relaxed)
        {
            // Something waits, so there will be a drained event.
            self.filled.store(true, Ordering::Relaxed);
            return Err(SendError::QueueFull);
        }
        Ok(())
    }

    /// Something was queued: the session is to look.
    fn queued(&self, mut inner: MutexGuard<'_, Inner>) {
        if self.is_above_low_water(self.waiting(&inner)) {
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
            State::Closing | State::Closed => {
                inner.close_asked = true;
                return Ok(());
            }
            State::Connecting if !inner.reopening => {
                self.abandon(&mut inner);
                Err(CloseError::Abandoned)
            }
            State::Open | State::Connecting if !may_close_with(code) => return Err(CloseError::Code),
            State::Open | State::Connecting => {
                inner.state = State::Closing;
                inner.close_asked = true;
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

    /// Afterwards the client is as if it had never connected.
    fn abandon(&self, inner: &mut Inner) {
        inner.state = State::Idle;
        let dropped = inner.clear_queue();
        inner.abandoned.push((inner.attempt, dropped));
        self.filled.store(false, Ordering::Relaxed);
    }

    /// The client is gone. An open connection still sends what was accepted and closes in good order.
    pub(super) fn detach(&self) {
        self.detached.store(true, Ordering::SeqCst);
        let mut inner = self.lock();
        match inner.state {
            State::Connecting => self.abandon(&mut inner),
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

    pub(super) fn retry_now(&self) -> bool {
        let mut inner = self.lock();
        if !inner.retry_waits {
            return false;
        }
        inner.retry_now = true;
        let waker = inner.waker.take();
        drop(inner);
        wake(waker);
        true
    }

    pub(super) fn prepare(&self, attempt: u32, prepared: Prepared) -> bool {
        let mut inner = self.lock();
        if inner.to_prepare.take_if(|asked| *asked == attempt).is_none() {
            return false;
        }
        inner.prepared = Some(prepared);
        let waker = inner.waker.take();
        drop(inner);
        wake(waker);
        true
    }

    // A session's side.

    pub(super) fn is_detached(&self) -> bool {
        self.detached.load(Ordering::SeqCst)
    }

    /// Whether attempt `attempt` is no longer wanted; registers the waker for the answer to change.
    pub(super) fn poll_stop(&self, attempt: u64, cx: &Context<'_>) -> Option<Stop> {
        let mut inner = self.lock();
        let stop = inner.take_stop(attempt);
        if stop.is_none() {
            inner.register(cx);
        }
        stop
    }

    /// Whether the retry that is waited for is to begin now.
    pub(super) fn take_retry_now(&self) -> bool {
        std::mem::take(&mut self.lock().retry_now)
    }

    /// Whether the network has changed since the last look.
    pub(super) fn take_network_changed(&self) -> bool {
        std::mem::take(&mut self.lock().network_changed)
    }

    /// Says whether a retry is waited for.
    pub(super) fn await_retry(&self, waits: bool) {
        let mut inner = self.lock();
        (inner.retry_waits, inner.retry_now) = (waits, false);
    }

    /// Before the application is asked to prepare an attempt.
    pub(super) fn await_prepared(&self, attempt: u32) {
        let mut inner = self.lock();
        (inner.to_prepare, inner.prepared) = (Some(attempt), None);
    }

    /// From now on an answer is refused. Returns one that was taken before.
    pub(super) fn end_preparing(&self) -> Option<Prepared> {
        let mut inner = self.lock();
        inner.to_prepare = None;
        inner.prepared.take()
    }

    /// The application's answer.
    pub(super) fn take_prepared(&self) -> Option<Prepared> {
        self.lock().prepared.take()
    }

    /// The connection, or the attempt, failed, and another attempt is to follow: unless the application has ended it all,
    /// which returns what the session had taken. That goes ahead of what is queued, to wait for the next connection; or
    /// all is dropped when a connection was open and `keep` is not set.
    pub(super) fn reconnect(
        &self,
        attempt: u64,
        unsent: VecDeque<Chunk>,
        keep: bool,
    ) -> Result<Dropped, VecDeque<Chunk>> {
        let mut inner = self.lock();
        if self.is_detached() || inner.attempt != attempt || inner.close_asked || inner.state == State::Idle {
            return Err(unsent);
        }
        let was_open = inner.state != State::Connecting;
        inner.state = State::Connecting;
        inner.reopening |= was_open;
        inner.compress_from = None;
        inner.opened = None;
        inner.pings.clear();
        let mut dropped = Dropped::default();
        let mut queue = unsent;
        queue.append(&mut inner.queue);
        if was_open && !keep {
            dropped.add(queue.drain(..));
        }
        queue.retain(|chunk| !chunk.is_control());
        queue.iter_mut().for_each(Chunk::restore);
        drop_continuations(&mut queue, &mut dropped);
        if let Some(unfinished) = &mut inner.unfinished {
            unfinished.interrupted |= !queue.back().is_some_and(Chunk::ends_unfinished);
        }
        inner.queued = Waiting::of(&queue);
        inner.queue = queue;
        self.in_flight.store(0, Ordering::Relaxed);
        self.messages_in_flight.store(0, Ordering::Relaxed);
        Ok(dropped)
    }

    /// Moves the attempt on to open, unless it was abandoned meanwhile.
    /// From now on messages of `compress_from` bytes and more are left to the session to compress.
    pub(super) fn open(
        &self,
        attempt: u64,
        opened: Arc<Opened>,
        compress_from: Option<usize>,
    ) -> Result<(), Stop> {
        let mut inner = self.lock();
        if let Some(stop) = inner.take_stop(attempt) {
            return Err(stop);
        }
        inner.network_changed = false;
        inner.state = State::Open;
        inner.compress_from = compress_from;
        inner.opened = Some(opened);
        // Whoever finds the state open finds it counted.
        self.counters.connection();
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
        inner.queued = Waiting::default();
    }

    /// Moves what is queued into `out`, and tells what else is wanted.
    pub(super) fn poll_command(&self, out: &mut VecDeque<Chunk>, cx: &Context<'_>) -> Command {
        let mut inner = self.lock();
        if !inner.queue.is_empty() {
            out.append(&mut inner.queue);
            let Waiting { bytes, messages } = std::mem::take(&mut inner.queued);
            self.in_flight.fetch_add(bytes, Ordering::Relaxed);
            self.messages_in_flight.fetch_add(messages, Ordering::Relaxed);
        }
        // Further ones are left to `ping`, which refuses them.
        if !inner.pings.is_empty()
            && out.iter().filter(|chunk| chunk.is_control()).count() < WAITING_PINGS_MAX
            && let Some(payload) = inner.pings.pop_front()
        {
            return Command::Ping(payload);
        }
        if let Some(close) = inner.close.take() {
            return Command::Close(close);
        }
        if std::mem::take(&mut inner.network_changed) {
            return Command::NetworkChanged;
        }
        inner.register(cx);
        Command::None
    }

    /// Of what a session has taken, `pending` has not reached the kernel. True when the queue has drained.
    pub(super) fn in_flight(&self, pending: Waiting) -> bool {
        // Under the lock: a caller that finds the queue full has either seen these counts or said so before they are looked at.
        let inner = self.lock();
        self.in_flight.store(pending.bytes, Ordering::Relaxed);
        self.messages_in_flight.store(pending.messages, Ordering::Relaxed);
        self.filled.load(Ordering::Relaxed)
            && !self.is_above_low_water(self.waiting(&inner))
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
        self.messages_in_flight.store(0, Ordering::Relaxed);
        self.filled.store(false, Ordering::Relaxed);
        inner.state = State::Closed;
        inner.waker = None;
        inner.close = None;
        inner.clear_queue()
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        crate::runtime::wake(waker);
    }
}

impl Notified for Link {
    /// The session will look.
    fn network_changed(&self) {
        let mut inner = self.lock();
        inner.network_changed = true;
        let waker = inner.waker.take();
        drop(inner);
        wake(waker);
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
        let Self { queue, queued, encoder, .. } = self;
        let joins = queue
            .back()
            .filter(|chunk| chunk.uncompressed.is_none() && chunk.tail.is_none() && chunk.receipt.is_none());
        let memory = match joins {
            Some(chunk) if chunk.bytes.len() + bytes_max <= CHUNK_BYTES => None,
            // Where one chunk is full the next one will be: it need not grow by and by, and be copied each time.
            Some(_) => Some(bytes_max.max(CHUNK_BYTES)),
            None => Some(bytes_max),
        };
        if let Some(bytes) = memory {
            queue.push_back(Chunk { bytes: chunk_memory(bytes), ..Chunk::default() });
        }
        if let Some(chunk) = queue.back_mut() {
            let before = chunk.bytes.len();
            encode(encoder, &mut chunk.bytes);
            chunk.messages += messages;
            chunk.receipt = receipt;
            queued.bytes += chunk.bytes.len() - before;
            queued.messages += messages;
        }
    }

    fn push(&mut self, chunk: Chunk) {
        self.queued.bytes += chunk.len();
        self.queued.messages += chunk.messages;
        self.queue.push_back(chunk);
    }

    /// Whether a message that is sent piece by piece has to end before another may be sent.
    fn is_mid_message(&self) -> bool {
        self.unfinished.as_ref().is_some_and(|unfinished| !unfinished.interrupted)
    }

    fn register(&mut self, cx: &Context<'_>) {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }

    /// Drops what is queued.
    fn clear_queue(&mut self) -> Dropped {
        self.queued = Waiting::default();
        self.unfinished = None;
        self.pings.clear();
        let mut dropped = Dropped::default();
        dropped.add(std::mem::take(&mut self.queue));
        dropped
    }

    /// Between connections, the wish to have no more of them.
    fn take_stop(&mut self, attempt: u64) -> Option<Stop> {
        if let Some(dropped) = self.take_abandoned(attempt) {
            return Some(Stop::Abandoned(dropped));
        }
        self.close.take().map(Stop::Close)
    }

    fn take_abandoned(&mut self, attempt: u64) -> Option<Dropped> {
        let at = self.abandoned.iter().position(|(number, _)| *number == attempt)?;
        Some(self.abandoned.swap_remove(at).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames as they are queued: 1 for a text message, `(` for the beginning of one, `-` for its middle, `)` for its end,
    /// `p` for a ping.
    fn chunk(frames: &str) -> Chunk {
        let mut encoder = Encoder::default();
        let mut chunk = Chunk::default();
        for frame in frames.chars() {
            let out = &mut chunk.bytes;
            match frame {
                '(' => encoder.fragment(out, Kind::Text, b"a", true, false),
                '-' => encoder.fragment(out, Kind::Text, b"b", false, false),
                ')' => encoder.fragment(out, Kind::Text, b"c", false, true),
                'p' => encoder.ping(out, b"d"),
                _ => encoder.message(out, Kind::Text, b"e"),
            }
            chunk.messages += usize::from(matches!(frame, ')' | '1'));
        }
        chunk
    }

    /// The reverse.
    fn frames(chunks: &VecDeque<Chunk>) -> String {
        let name = |header: crate::protocol::FrameHeader| match (header.opcode, header.fin) {
            (9, _) => 'p',
            (0, true) => ')',
            (0, false) => '-',
            (_, true) => '1',
            (_, false) => '(',
        };
        chunks
            .iter()
            .flat_map(|chunk| encoded_frames(&chunk.bytes))
            .map(|(header, ..)| name(header))
            .collect()
    }

    const FRAME_BYTES: usize = 2 + 4 + 1;

    #[test]
    fn a_chunk_is_cut_behind_the_frame_that_is_being_written() {
        for (written, whole, left, rest) in [
            (1, 0, 1, "1(-)1"),
            (FRAME_BYTES, 1, 0, "1(-)1"),
            (FRAME_BYTES + 1, 1, 1, "(-)1"),
            (3 * FRAME_BYTES - 1, 2, 0, "-)1"),
            (5 * FRAME_BYTES - 1, 2, 1, "1"),
            (5 * FRAME_BYTES, 3, 0, "1"),
            (6 * FRAME_BYTES - 1, 3, 1, ""),
        ] {
            let mut front = Chunk { receipt: Some(5), ..chunk("11(-)1") };
            let (counted, cut) = front.split_begun(written);
            assert_eq!((counted, front.messages), (whole, left), "{written}");
            let receipt_kept = cut.as_ref().map_or(front.receipt, |rest| rest.receipt);
            assert_eq!(receipt_kept, Some(5), "{written}");
            let messages = cut.as_ref().map_or(0, |rest| rest.messages);
            assert_eq!(whole + left + messages, 4, "{written}");
            assert_eq!(frames(&cut.into_iter().collect()), rest, "{written}");
        }
    }

    #[test]
    fn the_rest_of_a_message_that_has_begun_elsewhere_is_dropped() {
        for (chunks, kept, messages) in [
            (vec!["1", "(-)"], "1(-)", 0),
            (vec!["-)1", "1"], "11", 1),
            (vec!["-", "--", "-)", "(-"], "(-", 1),
            (vec![")"], "", 1),
            (vec!["-", "-"], "", 0),
            (vec![], "", 0),
        ] {
            let numbered = |(number, frames): (u64, &&str)| Chunk { receipt: Some(number), ..chunk(frames) };
            let mut queue: VecDeque<Chunk> = (0..).zip(&chunks).map(numbered).collect();
            let mut dropped = Dropped::default();
            drop_continuations(&mut queue, &mut dropped);
            // No receipt is lost.
            let mut receipts = dropped.receipts;
            receipts.extend(queue.iter().filter_map(|chunk| chunk.receipt));
            assert!(receipts.into_iter().eq(0..chunks.len() as u64), "{chunks:?}");
            assert_eq!((frames(&queue).as_str(), dropped.messages), (kept, messages), "{chunks:?}");
            let counted: usize = queue.iter().map(|chunk| chunk.messages).sum();
            assert_eq!(
                counted,
                kept.chars().filter(|frame| matches!(frame, ')' | '1')).count(),
                "{chunks:?}"
            );
        }
    }

    #[test]
    fn knows_control_frames_and_unfinished_messages() {
        assert!(chunk("p").is_control() && !chunk("1").is_control() && !chunk("(").is_control());
        assert!(chunk("1(-").ends_unfinished() && !chunk("(-)").ends_unfinished());
        assert!(!Chunk { uncompressed: Some(Kind::Text), ..chunk("p(") }.is_control());
    }
}
