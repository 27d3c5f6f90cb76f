//! The session's part of delivery: queues a session's events, on the session's thread.
//!
//! Knows nothing of JavaScript values.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use super::event::{Event, LatestStatistics, MessageData, Terminal};
use super::js_waker::JsWaker;
use crate::client::{
    Closed, Direction, Failure, FrameHeader, Listener, Message, MessageType, Opened, Outcome, PiecePosition,
    Pong, PrepareDecision, Receipt, Reconnected, Reconnecting, Statistics,
};
use crate::event_queue::EventSender;
use crate::runtime;

/// The longest message that is copied into its batch's memory. A longer one keeps its own memory.
const STORED_BYTES_MAX: usize = 16_384;

/// Queues a session's events for JavaScript's thread and wakes it.
pub struct JsListener {
    queue: EventSender<Event>,
    waker: Arc<JsWaker>,
    /// Whether the connection is open. Then a failure is followed by a close event.
    open: bool,
    wanted: Arc<Wanted>,
    splitter: Utf8Splitter,
    latest: LatestStatistics,
}

/// JavaScript's requests to a session. JavaScript's thread sets them, the session's thread reads them.
#[derive(Default)]
pub struct Wanted {
    /// `prepare` has a listener. The session waits for its answer before each retry.
    pub preparation: AtomicBool,
    /// `frame` has a listener.
    pub frames: AtomicBool,
    /// Messages are delivered in pieces (option `receivePieces`).
    pub pieces: AtomicBool,
}

impl JsListener {
    pub fn new(queue: EventSender<Event>, waker: Arc<JsWaker>, wanted: Arc<Wanted>) -> Self {
        Self {
            queue,
            waker,
            open: false,
            wanted,
            splitter: Utf8Splitter::default(),
            latest: LatestStatistics::default(),
        }
    }

    fn put(&mut self, event: Event) {
        self.queue.push(event, 0);
    }
}

impl Listener for JsListener {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.queue.poll_room(cx)
    }

    fn end_batch(&mut self) {
        if self.queue.flush() {
            runtime::signal(self.waker.clone());
        }
    }

    fn opened(&mut self, opened: &Opened) {
        self.open = true;
        self.put(Event::Opened(Box::new(opened.clone())));
    }

    fn message(&mut self, message: Message<'_>) {
        let kind = message.kind();
        if self.wanted.pieces.load(Ordering::Relaxed) {
            let part = message.part();
            let piece = match (kind, part) {
                (MessageType::Text, part) if part != PiecePosition::WHOLE => {
                    self.splitter.push(part, message.data())
                }
                _ => Some((part, message.into_vec())),
            };
            if let Some((part, bytes)) = piece {
                let capacity = bytes.capacity();
                self.queue.push(Event::Piece(kind, part, MessageData::Own(bytes)), capacity);
            }
            return;
        }
        let bytes = message.data();
        if bytes.len() <= STORED_BYTES_MAX {
            let data = MessageData::Stored(self.queue.store(bytes));
            return self.put(Event::Message(kind, data));
        }
        let bytes = message.into_vec();
        let capacity = bytes.capacity();
        self.queue.push(Event::Message(kind, MessageData::Own(bytes)), capacity);
    }

    fn pong(&mut self, pong: Pong<'_>) {
        let Pong { payload, round_trip } = pong;
        let millis = round_trip.map(|time| time.as_secs_f64() * 1_000.0);
        self.queue.push(Event::Pong(payload.to_vec(), millis), payload.len());
    }

    fn sent(&mut self, receipt: Receipt, outcome: Outcome) {
        self.put(Event::Sent(receipt, outcome));
    }

    fn drained(&mut self) {
        self.put(Event::Drained);
    }

    fn statistics(&mut self, statistics: &Statistics) {
        if self.latest.put(statistics) {
            self.put(Event::Statistics(self.latest.clone()));
        }
    }

    fn traces_frames(&self) -> bool {
        self.wanted.frames.load(Ordering::Relaxed)
    }

    fn poll_caught_up(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.queue.poll_delivery(cx)
    }

    fn frame(&mut self, direction: Direction, header: FrameHeader) {
        self.put(Event::Frame(direction, header));
    }

    fn reconnecting(&mut self, reconnecting: &Reconnecting) {
        self.put(Event::Reconnecting(Box::new(reconnecting.clone())));
    }

    fn prepare(&mut self, reconnecting: &Reconnecting) -> PrepareDecision {
        if !self.wanted.preparation.load(Ordering::Relaxed) {
            return PrepareDecision::Proceed;
        }
        self.put(Event::Prepare(Box::new(reconnecting.clone())));
        PrepareDecision::Wait
    }

    fn reconnected(&mut self, reconnected: &Reconnected) {
        self.put(Event::Reconnected(*reconnected));
    }

    fn failed(&mut self, failure: &Failure) {
        let terminal = if self.open { Terminal::No } else { Terminal::Yes };
        self.put(Event::Failed(Box::new(failure.into()), terminal));
    }

    fn closed(&mut self, closed: &Closed) {
        self.open = false;
        self.put(Event::Closed(Box::new(closed.clone())));
    }
}

/// Splits a text into pieces at characters. Keeps the bytes of an incomplete character for the next piece.
#[derive(Default)]
struct Utf8Splitter {
    /// The first bytes of an incomplete character.
    character: Vec<u8>,
    /// The message began with this piece, and nothing of it is queued yet.
    first: bool,
}

impl Utf8Splitter {
    /// Takes a piece. Returns the data to queue, or nothing if no character is complete.
    fn push(&mut self, part: PiecePosition, bytes: &[u8]) -> Option<(PiecePosition, Vec<u8>)> {
        // Bytes of a message whose connection was lost do not belong to the next message.
        let Self { mut character, first } = std::mem::take(self);
        if part.first {
            character.clear();
        }
        let first = part.first || first;
        let mut text = character;
        text.extend_from_slice(bytes);
        if !part.last {
            // The protocol has validated the text. Only a character at its end may be incomplete.
            let whole = std::str::from_utf8(&text).map_or_else(|error| error.valid_up_to(), str::len);
            self.character = text.split_off(whole);
            if text.is_empty() {
                self.first = first;
                return None;
            }
        }
        Some((PiecePosition { first, last: part.last }, text))
    }
}
