//! Events that a session's thread queues for JavaScript's thread, and their names.
//!
//! Knows neither the session nor the listeners.

use std::ffi::CStr;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use super::error::ErrorEvent;
use super::napi::{Engine, EngineError, Value};
use super::objects::message_value;
use crate::client::{
    Closed, Direction, FrameHeader, MessageType, Opened, Outcome, PiecePosition, Receipt, Reconnected,
    Reconnecting, Statistics,
};
use crate::event_queue::EventReceiver;
use crate::protocol::recycle_message;
use crate::sync::lock;

/// An event for JavaScript. Rare events are boxed, so that many messages take little memory.
pub enum Event {
    Opened(Box<Opened>),
    Message(MessageType, MessageData),
    /// A piece of a message, with the option `receivePieces`.
    Piece(MessageType, PiecePosition, MessageData),
    /// The payload of a pong, and the round trip in milliseconds if it answers one of our pings.
    Pong(Vec<u8>, Option<f64>),
    Sent(Receipt, Outcome),
    Drained,
    Frame(Direction, FrameHeader),
    Statistics(LatestStatistics),
    Reconnecting(Box<Reconnecting>),
    /// The announced attempt waits for `prepareAttempt`.
    Prepare(Box<Reconnecting>),
    Reconnected(Reconnected),
    Failed(Box<ErrorEvent>, Terminal),
    Closed(Box<Closed>),
}

impl Event {
    /// Whether this is the last event of an attempt or a connection.
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

/// Whether a failure is the last event of its attempt. Otherwise a close event follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    Yes,
    No,
}

/// The bytes of a message or of a piece.
pub enum MessageData {
    /// Their place in the memory of the batch that the message came in.
    Stored(Range<usize>),
    Own(Vec<u8>),
}

impl MessageData {
    pub fn len(&self) -> usize {
        match self {
            Self::Stored(range) => range.len(),
            Self::Own(bytes) => bytes.len(),
        }
    }

    /// Returns the bytes. Only for the message taken last.
    pub fn into_vec(self, events: &EventReceiver<Event>) -> Vec<u8> {
        match self {
            Self::Stored(range) => events.stored(range, <[u8]>::to_vec),
            Self::Own(bytes) => bytes,
        }
    }

    /// Makes the value that JavaScript gets. Only for the message taken last.
    pub fn into_value<'env, E>(
        self,
        env: Engine,
        kind: MessageType,
        events: &EventReceiver<E>,
    ) -> Result<Value<'env>, EngineError> {
        match self {
            Self::Stored(range) => events.stored(range, |bytes| message_value(env, kind, bytes)),
            Self::Own(bytes) => {
                let value = message_value(env, kind, &bytes);
                recycle_message(bytes);
                value
            }
        }
    }
}

/// The latest statistics that were not delivered yet. At most one event waits for them.
#[derive(Clone, Default)]
pub struct LatestStatistics(Arc<Mutex<Option<Box<Statistics>>>>);

impl LatestStatistics {
    /// Replaces the statistics. Returns true if no event waits for them yet.
    pub fn put(&self, statistics: &Statistics) -> bool {
        let mut latest = lock(&self.0);
        latest.replace(Box::new(*statistics)).is_none()
    }

    pub fn take(&self) -> Option<Box<Statistics>> {
        lock(&self.0).take()
    }
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
    /// The names that `on` takes, for the log.
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

    /// The bit of this event in a set.
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
