//! The reasons for which the send queue refuses a message.

use std::fmt;

/// The reason for which [`crate::client::Client::send`] refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The connection is closing or closed, by either side.
    NotConnected,
    /// The unsent bytes or messages would exceed the limit. Every accepted message stays queued.
    QueueFull,
    /// With its frame header the message is longer than the whole queue may be. It would never be accepted.
    TooLong,
    /// A message in pieces has not ended, or has the other type.
    Unfinished,
    /// A piece of text that is not UTF-8.
    Utf8,
    /// The message's first pieces were sent on a connection that is lost. The message must begin again.
    Interrupted,
    /// The system has no memory for a copy.
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
