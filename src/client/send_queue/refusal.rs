//! Why the send queue refuses a message.

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
}
