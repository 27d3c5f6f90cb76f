//! Why the methods of a client refuse, but for those that send messages.

/// Why [`crate::client::Client::connect`] refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadyConnected;

/// Why [`crate::client::Client::ping`] refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PingError {
    /// Not open.
    NotConnected,
    /// Over 125 bytes.
    TooLong,
    /// Many pings wait to be sent already.
    TooMany,
}

/// Why [`crate::client::Client::close`] did not begin a closing handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseError {
    /// Never connected.
    NotConnected,
    /// The connection was still being made: the attempt is abandoned.
    Abandoned,
    /// A code that must not go on the wire (RFC 6455 section 7.4).
    Code,
}
