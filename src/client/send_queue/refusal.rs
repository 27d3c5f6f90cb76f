//! Why the send queue refuses a message.

use std::fmt;

/// Why [`crate::client::Client::send`] refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// Closing or closed, by either side.
    NotConnected,
    /// The unsent bytes or messages would exceed the limit; nothing that was accepted is lost.
    QueueFull,
    /// With the headers of its frame it is longer than all that may wait: it would never be accepted.
    TooLong,
    /// A message that is sent piece by piece has not ended, or is of the other kind.
    Unfinished,
    /// A piece of text that is not UTF-8.
    Utf8,
    /// The message's first pieces went out on a connection that is lost: it must begin again.
    Interrupted,
    /// The system has no memory for a copy of it.
    NoMemory,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected => "the connection is closing or closed",
            Self::QueueFull => "too much is waiting to be sent",
            Self::TooLong => "the message is longer than sendQueueLimit",
            Self::NoMemory => "the system has no memory for the message",
            Self::Unfinished => "a message in pieces has not ended",
            Self::Utf8 => "the text is not UTF-8",
            Self::Interrupted => {
                "the connection with the earlier pieces was lost; send the message again from its beginning"
            }
        })
    }
}

impl std::error::Error for SendError {}
