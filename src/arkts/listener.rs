//! From a session to the listeners of a JavaScript object: into the mailbox on the session's thread, out of it on
//! JavaScript's.

use std::cell::Cell;
use std::ffi::CStr;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use super::doorbell::Doorbell;
use super::error::ErrorEvent;
use super::napi::{Engine, Refused, Type, Value};
use super::objects::{
    error_value, frame_value, headers, message_value, open_result, reconnecting_value, set_circumstances,
    statistics_value,
};
use crate::client::{
    Closed, Direction, Failure, FrameHeader, Kind, Listener, Message, Opened, Outcome, Part, Pong, Prepare,
    Receipt, Reconnected, Reconnecting, Statistics,
};
use crate::mailbox::{Receiver, Sender};

/// The longest message that is copied into its batch's memory; a longer one has memory of its own.
const STORED_BYTES_MAX: usize = 16_384;

/// An event on its way to JavaScript. What is rare is boxed, so that many messages take little room.
pub enum Event {
    Opened(Box<Opened>),
    Message(Kind, Payload),
    /// Where messages are asked for in pieces.
    Piece(Kind, Part, Payload),
    /// A ping's payload, and its round trip in milliseconds if it was ours.
    Pong(Vec<u8>, Option<f64>),
    Sent(Receipt, Outcome),
    Drained,
    Frame(Direction, FrameHeader),
    Statistics(Latest),
    Reconnecting(Box<Reconnecting>),
    /// The attempt that was announced is to be prepared.
    Prepare(Box<Reconnecting>),
    Reconnected(Reconnected),
    Failed(Box<ErrorEvent>, Terminal),
    Closed(Box<Closed>),
}

/// Statistics that are not told yet: at most one event waits, and tells what was counted last.
#[derive(Clone, Default)]
pub struct Latest(Arc<Mutex<Option<Box<Statistics>>>>);

impl Latest {
    /// Whether an event is to be made for these.
    fn put(&self, statistics: &Statistics) -> bool {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        latest.replace(Box::new(*statistics)).is_none()
    }

    fn take(&self) -> Option<Box<Statistics>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The bytes of a message.
pub enum Payload {
    /// Where they lie in the batch that the message came in.
    Stored(Range<usize>),
    Own(Vec<u8>),
}

impl Payload {
    pub fn len(&self) -> usize {
        match self {
            Self::Stored(range) => range.len(),
            Self::Own(bytes) => bytes.len(),
        }
    }

    /// Of the message taken last.
    pub fn into_vec(self, mailbox: &Receiver<Event>) -> Vec<u8> {
        match self {
            Self::Stored(range) => mailbox.stored(range, <[u8]>::to_vec),
            Self::Own(bytes) => bytes,
        }
    }

    /// Of the message taken last, what JavaScript gets.
    pub fn into_value<'env>(
        self,
        env: Engine,
        kind: Kind,
        mailbox: &Receiver<Event>,
    ) -> Result<Value<'env>, Refused> {
        match self {
            Self::Stored(range) => mailbox.stored(range, |bytes| message_value(env, kind, bytes)),
            Self::Own(bytes) => message_value(env, kind, &bytes),
        }
    }
}

/// Whether a failure is the last event of its attempt, or a close follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    Yes,
    No,
}

/// The names of events, in the order of their places in the object of listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    Open,
    OpenInfo,
    Message,
    Piece,
    DataEnd,
    HeaderReceive,
    Pong,
    Drain,
    Stats,
    Frame,
    Reconnecting,
    Prepare,
    Reconnected,
    Close,
    Error,
}

impl EventType {
    /// The names as `on` takes them, for an error text.
    pub const NAMES: &str = "open, openInfo, message, piece, dataEnd, headerReceive, pong, drain, stats, \
                              frame, reconnecting, prepare, reconnected, close, error";

    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "open" => Some(Self::Open),
            "openInfo" => Some(Self::OpenInfo),
            "message" => Some(Self::Message),
            "piece" => Some(Self::Piece),
            "dataEnd" => Some(Self::DataEnd),
            "headerReceive" => Some(Self::HeaderReceive),
            "pong" => Some(Self::Pong),
            "drain" => Some(Self::Drain),
            "stats" => Some(Self::Stats),
            "frame" => Some(Self::Frame),
            "reconnecting" => Some(Self::Reconnecting),
            "prepare" => Some(Self::Prepare),
            "reconnected" => Some(Self::Reconnected),
            "close" => Some(Self::Close),
            "error" => Some(Self::Error),
            _ => None,
        }
    }

    /// A bit of its own.
    pub fn bit(self) -> u16 {
        1 << self as u16
    }

    /// The property that holds its listener.
    pub fn property(self) -> &'static CStr {
        match self {
            Self::Open => c"open",
            Self::OpenInfo => c"openInfo",
            Self::Message => c"message",
            Self::Piece => c"piece",
            Self::DataEnd => c"dataEnd",
            Self::HeaderReceive => c"headerReceive",
            Self::Pong => c"pong",
            Self::Drain => c"drain",
            Self::Stats => c"stats",
            Self::Frame => c"frame",
            Self::Reconnecting => c"reconnecting",
            Self::Prepare => c"prepare",
            Self::Reconnected => c"reconnected",
            Self::Close => c"close",
            Self::Error => c"error",
        }
    }
}

/// The session's end of the mailbox.
pub struct Postbox {
    pub mailbox: Sender<Event>,
    pub doorbell: Arc<Doorbell>,
    /// Whether the connection was open, and so ends with a close event.
    pub open: bool,
    /// Whether there is a listener to prepare attempts.
    pub prepares: Arc<AtomicBool>,
    /// Whether there is a listener of frames.
    pub traces: Arc<AtomicBool>,
    /// Whether messages are asked for in pieces.
    pub in_pieces: Arc<AtomicBool>,
    pub cut: Cut,
    pub latest: Latest,
}

/// What of a text is kept back until its next piece, so that no piece ends inside a character.
#[derive(Default)]
pub struct Cut {
    /// The beginning of a character.
    character: Vec<u8>,
    /// That piece was the message's first, and nothing of the message was handed on.
    first: bool,
}

impl Cut {
    /// What to hand on of a text when this piece has come; nothing when that was no whole character.
    fn join(&mut self, part: Part, bytes: &[u8]) -> Option<(Part, Vec<u8>)> {
        // What is left of a message whose connection was lost is no part of the next one.
        let Self { mut character, first } = std::mem::take(self);
        if part.first {
            character.clear();
        }
        let first = part.first || first;
        let mut text = character;
        text.extend_from_slice(bytes);
        if !part.last {
            // The protocol has validated it: all that can be wrong is its end.
            let whole = std::str::from_utf8(&text).map_or_else(|error| error.valid_up_to(), str::len);
            self.character = text.split_off(whole);
            if text.is_empty() {
                self.first = first;
                return None;
            }
        }
        Some((Part { first, last: part.last }, text))
    }
}

impl Postbox {
    fn put(&mut self, event: Event) {
        self.mailbox.push(event, 0);
    }
}

impl Listener for Postbox {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.mailbox.poll_room(cx)
    }

    fn end(&mut self) {
        if self.mailbox.flush() {
            self.doorbell.ring();
        }
    }

    fn opened(&mut self, opened: &Opened) {
        self.open = true;
        self.put(Event::Opened(Box::new(opened.clone())));
    }

    fn message(&mut self, message: Message<'_>) {
        let kind = message.kind();
        if self.in_pieces.load(Ordering::Relaxed) {
            let part = message.part();
            let piece = match (kind, part) {
                (Kind::Text, part) if part != Part::WHOLE => self.cut.join(part, message.data()),
                _ => Some((part, message.into_vec())),
            };
            if let Some((part, bytes)) = piece {
                let held = bytes.capacity();
                self.mailbox.push(Event::Piece(kind, part, Payload::Own(bytes)), held);
            }
            return;
        }
        let bytes = message.data();
        if bytes.len() <= STORED_BYTES_MAX {
            let payload = Payload::Stored(self.mailbox.store(bytes));
            return self.put(Event::Message(kind, payload));
        }
        let bytes = message.into_vec();
        let held = bytes.capacity();
        self.mailbox.push(Event::Message(kind, Payload::Own(bytes)), held);
    }

    fn pong(&mut self, pong: Pong<'_>) {
        let Pong { payload, round_trip } = pong;
        let millis = round_trip.map(|time| time.as_secs_f64() * 1_000.0);
        self.mailbox.push(Event::Pong(payload.to_vec(), millis), payload.len());
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

    fn wants_frames(&self) -> bool {
        self.traces.load(Ordering::Relaxed)
    }

    fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.mailbox.poll_delivery(cx)
    }

    fn frame(&mut self, direction: Direction, header: FrameHeader) {
        self.put(Event::Frame(direction, header));
    }

    fn reconnecting(&mut self, reconnecting: &Reconnecting) {
        self.put(Event::Reconnecting(Box::new(reconnecting.clone())));
    }

    fn prepare(&mut self, reconnecting: &Reconnecting) -> Prepare {
        if !self.prepares.load(Ordering::Relaxed) {
            return Prepare::Proceed;
        }
        self.put(Event::Prepare(Box::new(reconnecting.clone())));
        Prepare::Wait
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

impl Event {
    /// Whether the attempt or connection is over with this event.
    pub fn is_last(&self) -> bool {
        match self {
            Self::Opened(_)
            | Self::Message(..)
            | Self::Piece(..)
            | Self::Pong(..)
            | Self::Sent(..)
            | Self::Drained
            | Self::Frame(..)
            | Self::Statistics(_)
            | Self::Reconnecting(_)
            | Self::Prepare(_)
            | Self::Reconnected(_)
            | Self::Failed(_, Terminal::No) => false,
            Self::Failed(_, Terminal::Yes) | Self::Closed(_) => true,
        }
    }
}

/// The listeners of a JavaScript object, for as long as a handle scope.
pub struct Listeners<'scope> {
    env: Engine,
    object: Value<'scope>,
    undefined: Value<'scope>,
    /// Set when a listener was set or removed: what is kept here is then looked up anew.
    changed: &'scope Cell<bool>,
    message: Option<Value<'scope>>,
    data_end: Option<Value<'scope>>,
}

impl<'scope> Listeners<'scope> {
    pub fn new(env: Engine, object: Value<'scope>, changed: &'scope Cell<bool>) -> Result<Self, Refused> {
        let undefined = env.undefined()?;
        let mut listeners = Self { env, object, undefined, changed, message: None, data_end: None };
        listeners.look_up();
        Ok(listeners)
    }

    fn look_up(&mut self) {
        self.changed.set(false);
        self.message = self.find(EventType::Message);
        self.data_end = self.find(EventType::DataEnd);
    }

    fn find(&self, event: EventType) -> Option<Value<'scope>> {
        let listener = self.object.get(event.property());
        if listener.is_err() {
            self.env.report_exception();
        }
        listener.ok().filter(|listener| listener.type_of() == Type::Function)
    }

    /// Calls the listeners of a message; one that throws does not keep the others from being called.
    pub fn message(&mut self, kind: Kind, payload: Payload, mailbox: &Receiver<Event>) {
        let Self { env, undefined, .. } = *self;
        let current = |listeners: &mut Self| {
            if listeners.changed.get() {
                listeners.look_up();
            }
        };
        current(self);
        if let Some(listener) = self.message {
            let data = payload.into_value(env, kind, mailbox);
            self.told(data.and_then(|data| listener.call(undefined, [undefined, data])));
            current(self);
        }
        if let Some(listener) = self.data_end {
            self.told(listener.call(undefined, [undefined]));
        }
    }

    /// Calls the listeners of a piece of a message, as above.
    pub fn piece(&self, kind: Kind, part: Part, payload: Payload, mailbox: &Receiver<Event>) {
        let Self { env, undefined, .. } = *self;
        self.call(EventType::Piece, || {
            let result = env.object()?;
            result.set(c"data", payload.into_value(env, kind, mailbox)?)?;
            result.set(c"first", env.boolean(part.first)?)?;
            result.set(c"last", env.boolean(part.last)?)?;
            Ok([result])
        });
        if part.last {
            self.call(EventType::DataEnd, || Ok([undefined]));
        }
    }

    /// Calls the listeners of any other event, as above.
    pub fn tell(&self, event: Event) {
        let Self { env, undefined, .. } = *self;
        match event {
            Event::Opened(opened) => {
                self.call(EventType::HeaderReceive, || Ok([headers(env, &opened.headers)?]));
                self.call(EventType::Open, || Ok([undefined, open_result(env, &opened)?]));
                self.call(EventType::OpenInfo, || {
                    let result = open_result(env, &opened)?;
                    if let Some(protocol) = &opened.protocol {
                        result.set(c"protocol", env.string(protocol)?)?;
                    }
                    Ok([undefined, result])
                });
            }
            Event::Pong(payload, round_trip) => self.call(EventType::Pong, || {
                let result = env.object()?;
                result.set(c"data", env.array_buffer(&payload)?)?;
                if let Some(millis) = round_trip {
                    result.set(c"roundTrip", env.number(millis)?)?;
                }
                Ok([result])
            }),
            // Messages go by another way, and the fate of one that was sent is for a promise.
            Event::Message(..) | Event::Piece(..) | Event::Sent(..) => {}
            Event::Drained => self.call(EventType::Drain, || Ok([undefined])),
            Event::Frame(direction, header) => {
                self.call(EventType::Frame, || Ok([frame_value(env, direction, header)?]));
            }
            Event::Statistics(latest) => {
                if let Some(counted) = latest.take() {
                    self.call(EventType::Stats, || Ok([statistics_value(env, &counted)?]));
                }
            }
            Event::Reconnecting(event) => {
                self.call(EventType::Reconnecting, || Ok([reconnecting_value(env, &event)?]));
            }
            Event::Prepare(event) => {
                self.call(EventType::Prepare, || Ok([reconnecting_value(env, &event)?]));
            }
            Event::Reconnected(Reconnected { attempts, downtime }) => {
                self.call(EventType::Reconnected, || {
                    let result = env.object()?;
                    result.set(c"attempts", env.number(f64::from(attempts))?)?;
                    result.set(c"downtime", env.number(downtime.as_secs_f64() * 1_000.0)?)?;
                    Ok([result])
                });
            }
            Event::Failed(error, _) => self.call(EventType::Error, || Ok([error_value(env, &error)?])),
            Event::Closed(closed) => self.call(EventType::Close, || {
                let result = env.object()?;
                result.set(c"code", env.number(f64::from(closed.code))?)?;
                result.set(c"reason", env.string(&closed.reason)?)?;
                set_circumstances(env, result, closed.cause, closed.unsent, closed.times)?;
                Ok([undefined, result])
            }),
        }
    }

    fn call<const N: usize>(
        &self,
        event: EventType,
        arguments: impl FnOnce() -> Result<[Value<'scope>; N], Refused>,
    ) {
        if let Some(listener) = self.find(event) {
            self.told(arguments().and_then(|arguments| listener.call(self.undefined, arguments)));
        }
    }

    fn told(&self, outcome: Result<Value<'_>, Refused>) {
        if outcome.is_err() {
            self.env.report_exception();
        }
    }
}
