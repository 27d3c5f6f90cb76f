//! Events of a server and its connections, queued for JavaScript's thread, and their names.

use std::ffi::CStr;
use std::sync::Arc;

use super::requests::Asked;
use crate::arkts::event::MessageData;
use crate::client::{Closed, MessageType};
use crate::server::ConnectionInfo;

/// The number of a connection among all connections of one object's servers.
pub type Key = u64;

/// An event for JavaScript. Rare events are boxed, so that many messages take little memory.
pub enum ServerEvent {
    /// A client requests a connection.
    Requested(Box<Asked>),
    Connected(Key, Arc<ConnectionInfo>),
    Message(Key, MessageType, MessageData),
    /// The send queue of a connection has drained to the low-water mark.
    Drained(Key),
    /// A failure, with its connection if it has one.
    Failed(Option<Key>, Box<str>),
    Closed(Key, Box<Closed>),
    /// A stopped server has freed its port.
    Released(Generation),
    /// Its last connection has ended too.
    Over(Generation),
}

/// The number of a server among those of one object.
pub type Generation = u32;

/// The number of a connection in the object, from its number in its server.
pub fn key_of(generation: Generation, id: u64) -> Key {
    u64::from(generation) << 32 | id
}

/// The reverse.
pub fn of_key(key: Key) -> (Generation, u64) {
    ((key >> 32) as Generation, key & u64::from(u32::MAX))
}

/// The names of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerEventType {
    Request,
    Connect,
    MessageReceive,
    Drain,
    Close,
    Error,
}

impl ServerEventType {
    pub const ALL: [Self; 6] =
        [Self::Request, Self::Connect, Self::MessageReceive, Self::Drain, Self::Close, Self::Error];

    /// The property that holds its listener, and the name that `on` takes.
    pub fn property(self) -> &'static CStr {
        match self {
            Self::Request => c"request",
            Self::Connect => c"connect",
            Self::MessageReceive => c"messageReceive",
            Self::Drain => c"drain",
            Self::Close => c"close",
            Self::Error => c"error",
        }
    }

    pub fn name(self) -> &'static str {
        self.property().to_str().unwrap_or_default()
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }
}
