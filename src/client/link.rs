//! What a [`super::Client`] and its sessions share: the state, the queue of frames to send, the wish to close.
//!
//! Callers' threads write here and never touch a socket; a session reads here and never waits for a caller.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use super::error::{AlreadyConnected, CloseError, SendError};
use super::event::Listener;
use crate::protocol::{CloseCode, Encoder, FRAME_HEADER_BYTES_MAX, Kind, may_be_sent, truncate_reason};

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

/// Whole frames, ready for the wire, or a message still to be compressed.
pub(super) struct Chunk {
    pub(super) bytes: Vec<u8>,
    /// Set when `bytes` are the payload of a message of this kind.
    pub(super) uncompressed: Option<Kind>,
    /// How many messages they carry; 0 for control frames.
    pub(super) messages: usize,
}

/// A close frame to send.
pub(super) struct CloseRequest {
    pub(super) code: CloseCode,
    pub(super) reason: String,
}

/// What a session finds when it looks.
pub(super) enum Command {
    /// Nothing new; the waker is registered.
    None,
    /// Send this close frame after what is queued.
    Close(CloseRequest),
    /// The attempt is not wanted any more; the count of messages it leaves unsent.
    Abandon(usize),
}

pub(super) struct Link {
    /// For log lines.
    pub(super) id: u64,
    /// The client is gone: no event reaches its listener any more.
    detached: AtomicBool,
    /// Bytes a session has taken from the queue and not yet handed to the kernel.
    in_flight: AtomicUsize,
    send_limit: usize,
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
    close: Option<CloseRequest>,
    /// Abandoned attempts that have not noticed yet, and the messages each leaves unsent.
    abandoned: Vec<(u64, usize)>,
    waker: Option<Waker>,
}

impl Link {
    pub(super) fn new(id: u64, listener: Box<dyn Listener>, send_limit: usize) -> Self {
        Self {
            id,
            detached: AtomicBool::new(false),
            in_flight: AtomicUsize::new(0),
            send_limit,
            inner: Mutex::new(Inner {
                attempt: 0,
                state: State::Idle,
                queue: VecDeque::new(),
                queued_bytes: 0,
                encoder: Encoder::default(),
                compress_from: None,
                close: None,
                abandoned: Vec::new(),
                waker: None,
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

    /// Begins an attempt and returns its number.
    pub(super) fn begin(&self) -> Result<u64, AlreadyConnected> {
        let mut inner = self.lock();
        match inner.state {
            State::Idle | State::Closed => {
                inner.attempt += 1;
                inner.state = State::Connecting;
                inner.compress_from = None;
                inner.close = None;
                Ok(inner.attempt)
            }
            State::Connecting | State::Open | State::Closing => Err(AlreadyConnected),
        }
    }

    /// Queues one message, copied and masked.
    pub(super) fn send(&self, kind: Kind, payload: &[u8]) -> Result<(), SendError> {
        let mut inner = self.lock();
        match inner.state {
            State::Idle | State::Connecting | State::Open => {}
            State::Closing | State::Closed => return Err(SendError::NotConnected),
        }
        let frame_len = payload.len() + FRAME_HEADER_BYTES_MAX;
        let buffered = inner.queued_bytes + self.in_flight.load(Ordering::Relaxed);
        if buffered.saturating_add(frame_len) > self.send_limit {
            return Err(SendError::QueueFull);
        }
        let Inner { queue, queued_bytes, encoder, compress_from, waker, .. } = &mut *inner;
        if compress_from.is_some_and(|least| payload.len() >= least) {
            queue.push_back(Chunk { bytes: payload.to_vec(), uncompressed: Some(kind), messages: 1 });
            *queued_bytes += payload.len();
            let waker = waker.take();
            drop(inner);
            wake(waker);
            return Ok(());
        }
        let fits = queue.back().is_some_and(|chunk| {
            chunk.uncompressed.is_none() && chunk.bytes.len() + frame_len <= CHUNK_BYTES
        });
        if !fits {
            queue.push_back(Chunk { bytes: chunk_memory(frame_len), uncompressed: None, messages: 0 });
        }
        if let Some(chunk) = queue.back_mut() {
            let before = chunk.bytes.len();
            encoder.message(&mut chunk.bytes, kind, payload);
            chunk.messages += 1;
            *queued_bytes += chunk.bytes.len() - before;
        }
        let waker = waker.take();
        drop(inner);
        wake(waker);
        Ok(())
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
    pub(super) fn poll_abandoned(&self, attempt: u64, cx: &Context<'_>) -> Option<usize> {
        match self.poll_command(attempt, &mut VecDeque::new(), false, cx) {
            Command::Abandon(unsent) => Some(unsent),
            Command::Close(_) | Command::None => None,
        }
    }

    /// Moves the attempt on to open, unless it was abandoned meanwhile.
    /// From now on messages of `compress_from` bytes and more are left to the session to compress.
    pub(super) fn open(&self, attempt: u64, compress_from: Option<usize>) -> Result<(), usize> {
        let mut inner = self.lock();
        if let Some(unsent) = inner.take_abandoned(attempt) {
            return Err(unsent);
        }
        inner.state = State::Open;
        inner.compress_from = compress_from;
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

    /// Moves what is queued into `out` when `take` allows it, and tells what else is wanted.
    pub(super) fn poll_command(
        &self,
        attempt: u64,
        out: &mut VecDeque<Chunk>,
        take: bool,
        cx: &Context<'_>,
    ) -> Command {
        let mut inner = self.lock();
        if let Some(unsent) = inner.take_abandoned(attempt) {
            return Command::Abandon(unsent);
        }
        if take && !inner.queue.is_empty() {
            out.append(&mut inner.queue);
            let queued = std::mem::take(&mut inner.queued_bytes);
            self.in_flight.fetch_add(queued, Ordering::Relaxed);
        }
        if inner.queue.is_empty()
            && let Some(close) = inner.close.take()
        {
            return Command::Close(close);
        }
        match &mut inner.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Command::None
    }

    /// Of what a session has taken, `pending` bytes have not reached the kernel.
    pub(super) fn in_flight(&self, pending: usize) {
        self.in_flight.store(pending, Ordering::Relaxed);
    }

    /// The attempt is over. Drops what is queued and returns the count of messages dropped.
    pub(super) fn end(&self, attempt: u64) -> usize {
        let mut inner = self.lock();
        if let Some(unsent) = inner.take_abandoned(attempt) {
            return unsent;
        }
        // Replaced, or abandoned and told so before: the state and the queue are the client's next attempt's.
        if inner.attempt != attempt || inner.state == State::Idle {
            return 0;
        }
        self.in_flight(0);
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
    /// Afterwards the client is as if it had never connected.
    fn abandon(&mut self) {
        self.state = State::Idle;
        let unsent = self.clear_queue();
        self.abandoned.push((self.attempt, unsent));
    }

    /// Drops what is queued; the count of messages dropped.
    fn clear_queue(&mut self) -> usize {
        self.queued_bytes = 0;
        std::mem::take(&mut self.queue).iter().map(|chunk| chunk.messages).sum()
    }

    fn take_abandoned(&mut self, attempt: u64) -> Option<usize> {
        let at = self.abandoned.iter().position(|&(number, _)| number == attempt)?;
        Some(self.abandoned.swap_remove(at).1)
    }
}
