//! From a session to the listeners of a JavaScript object: into the mailbox on the session's thread, out of it on
//! JavaScript's.

use std::ffi::CStr;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::doorbell::Doorbell;
use super::error::ErrorEvent;
use super::value::{Engine, Refused, Type, Value};
use crate::client::{Closed, Failure, Kind, Listener, Message, Opened, Outcome, Pong, Receipt};
use crate::mailbox::Mailbox;

/// An event on its way to JavaScript.
pub enum Event {
    Opened(Opened),
    Message(Kind, Vec<u8>),
    /// A ping's payload, and its round trip in milliseconds if it was ours.
    Pong(Vec<u8>, Option<f64>),
    Sent(Receipt, Outcome),
    Drained,
    Failed(ErrorEvent, Terminal),
    Closed(Closed),
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
    DataEnd,
    HeaderReceive,
    Pong,
    Drain,
    Close,
    Error,
}

impl EventType {
    /// The names as `on` takes them, for an error text.
    pub const NAMES: &str = "open, openInfo, message, dataEnd, headerReceive, pong, drain, close, error";

    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "open" => Some(Self::Open),
            "openInfo" => Some(Self::OpenInfo),
            "message" => Some(Self::Message),
            "dataEnd" => Some(Self::DataEnd),
            "headerReceive" => Some(Self::HeaderReceive),
            "pong" => Some(Self::Pong),
            "drain" => Some(Self::Drain),
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
            Self::DataEnd => c"dataEnd",
            Self::HeaderReceive => c"headerReceive",
            Self::Pong => c"pong",
            Self::Drain => c"drain",
            Self::Close => c"close",
            Self::Error => c"error",
        }
    }
}

/// The session's end of the mailbox.
pub struct Postbox {
    pub mailbox: Arc<Mailbox<Event>>,
    pub doorbell: Arc<Doorbell>,
    /// Whether the connection was open, and so ends with a close event.
    pub open: bool,
}

impl Postbox {
    fn put(&self, event: Event, bytes: usize) {
        if self.mailbox.put(event, bytes) {
            self.doorbell.ring();
        }
    }
}

impl Listener for Postbox {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.mailbox.poll_room(cx)
    }

    fn opened(&mut self, opened: &Opened) {
        self.open = true;
        self.put(Event::Opened(opened.clone()), 0);
    }

    fn message(&mut self, message: Message<'_>) {
        let kind = message.kind();
        let bytes = message.into_vec();
        let length = bytes.len();
        self.put(Event::Message(kind, bytes), length);
    }

    fn pong(&mut self, pong: Pong<'_>) {
        let Pong { payload, round_trip } = pong;
        let millis = round_trip.map(|time| time.as_secs_f64() * 1_000.0);
        self.put(Event::Pong(payload.to_vec(), millis), payload.len());
    }

    fn sent(&mut self, receipt: Receipt, outcome: Outcome) {
        self.put(Event::Sent(receipt, outcome), 0);
    }

    fn drained(&mut self) {
        self.put(Event::Drained, 0);
    }

    fn failed(&mut self, failure: &Failure) {
        let terminal = if self.open { Terminal::No } else { Terminal::Yes };
        self.put(Event::Failed(failure.into(), terminal), 0);
    }

    fn closed(&mut self, closed: &Closed) {
        self.open = false;
        self.put(Event::Closed(closed.clone()), 0);
    }
}

impl Event {
    /// Whether the attempt or connection is over with this event.
    pub fn is_last(&self) -> bool {
        match self {
            Self::Opened(_)
            | Self::Message(..)
            | Self::Pong(..)
            | Self::Sent(..)
            | Self::Drained
            | Self::Failed(_, Terminal::No) => false,
            Self::Failed(_, Terminal::Yes) | Self::Closed(_) => true,
        }
    }

    /// Calls the listeners of this event; one that throws does not keep the others from being called.
    pub fn deliver(self, env: Engine, listeners: Value<'_>) {
        let call = |event: EventType, arguments: &dyn Fn() -> Result<Vec<Value<'static>>, Refused>| {
            let called = listeners.get(event.property()).and_then(|listener| {
                if listener.type_of() != Type::Function {
                    return Ok(());
                }
                let undefined = env.undefined()?;
                listener.call(undefined, &arguments()?).map(|_| ())
            });
            if called.is_err() {
                env.report_exception();
            }
        };
        match self {
            Self::Opened(opened) => {
                call(EventType::HeaderReceive, &|| Ok(vec![headers(env, &opened)?]));
                call(EventType::Open, &|| Ok(vec![env.undefined()?, open_result(env, &opened)?]));
                call(EventType::OpenInfo, &|| {
                    let result = open_result(env, &opened)?;
                    if let Some(protocol) = &opened.protocol {
                        result.set(c"protocol", env.string(protocol)?)?;
                    }
                    Ok(vec![env.undefined()?, result])
                });
            }
            Self::Message(kind, bytes) => {
                call(EventType::Message, &|| Ok(vec![env.undefined()?, message_value(env, kind, &bytes)?]));
                call(EventType::DataEnd, &|| Ok(vec![env.undefined()?]));
            }
            Self::Pong(payload, round_trip) => call(EventType::Pong, &|| {
                let result = env.object()?;
                result.set(c"data", env.array_buffer(&payload)?)?;
                if let Some(millis) = round_trip {
                    result.set(c"roundTrip", env.number(millis)?)?;
                }
                Ok(vec![result])
            }),
            // It settles a promise, which is not the listeners'.
            Self::Sent(..) => {}
            Self::Drained => call(EventType::Drain, &|| Ok(vec![env.undefined()?])),
            Self::Failed(error, _) => call(EventType::Error, &|| Ok(vec![error_value(env, &error)?])),
            Self::Closed(closed) => call(EventType::Close, &|| {
                let result = env.object()?;
                result.set(c"code", env.number(f64::from(closed.code))?)?;
                result.set(c"reason", env.string(&closed.reason)?)?;
                Ok(vec![env.undefined()?, result])
            }),
        }
    }
}

/// A string for a text, an ArrayBuffer for a binary message.
pub fn message_value<'env>(env: Engine, kind: Kind, bytes: &[u8]) -> Result<Value<'env>, Refused> {
    match kind {
        // The protocol has validated it; should that ever fail, no byte is lost without a mark.
        Kind::Text => env.string(&String::from_utf8_lossy(bytes)),
        Kind::Binary => env.array_buffer(bytes),
    }
}

/// The error object of an `error` event.
pub fn error_value<'env>(env: Engine, error: &ErrorEvent) -> Result<Value<'env>, Refused> {
    let object = env.business_error(error.code, &error.message)?;
    object.set(c"data", env.string(&error.data)?)?;
    Ok(object)
}

fn open_result(env: Engine, opened: &Opened) -> Result<Value<'static>, Refused> {
    let result = env.object()?;
    result.set(c"status", env.number(f64::from(opened.status))?)?;
    result.set(c"message", env.string(&opened.reason)?)?;
    Ok(result)
}

/// One property a name; a name that came more than once has an array of its values.
fn headers(env: Engine, opened: &Opened) -> Result<Value<'static>, Refused> {
    let object = env.object()?;
    let all: Vec<_> = opened.headers.iter().collect();
    for (index, (name, _)) in all.iter().enumerate() {
        let same = |other: &&(&str, &str)| other.0 == *name;
        if all[..index].iter().any(|other| same(&other)) {
            continue;
        }
        let values: Vec<_> =
            all.iter().filter(same).map(|(_, value)| env.string(value)).collect::<Result<_, _>>()?;
        let value = match values.as_slice() {
            [value] => *value,
            several => env.array(several)?,
        };
        object.set_by_value(env.string(name)?, value)?;
    }
    Ok(object)
}
