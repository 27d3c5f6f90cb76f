//! The errors of a client's methods, except sending, and the result of a close.

use std::fmt;
use std::io;

/// Why [`crate::client::Client::connect`] refused.
#[derive(Debug)]
pub enum ConnectError {
    /// There is already a connection or an attempt.
    Already(AlreadyConnected),
    /// The system has no threads or no descriptors for this library's first connection. The next call tries again.
    Exhausted(io::Error),
}

/// There is already a connection or an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadyConnected;

/// Why [`crate::client::Client::ping`] refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PingError {
    /// The connection is not open.
    NotConnected,
    /// The payload is over 125 bytes.
    TooLong,
    /// Too many pings wait already.
    TooMany,
}

/// The result of [`crate::client::Client::close`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseStart {
    /// The closing handshake. If it had already begun, the call changed nothing.
    Handshake,
    /// Nothing. The connection was not open yet, and the attempt is cancelled.
    Cancelled,
}

/// Why [`crate::client::Client::close`] refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseError {
    /// Never connected.
    NotConnected,
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Already(already) => already.fmt(f),
            Self::Exhausted(cause) => {
                write!(f, "the system has no threads or descriptors left for the library: {cause}")
            }
        }
    }
}

impl std::error::Error for ConnectError {}

impl fmt::Display for AlreadyConnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connecting or connected already")
    }
}

impl std::error::Error for AlreadyConnected {}

impl fmt::Display for PingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected => "not connected",
            Self::TooLong => "the payload is longer than 125 bytes (RFC 6455 5.5)",
            Self::TooMany => "too many pings wait to be sent",
        })
    }
}

impl std::error::Error for PingError {}

impl fmt::Display for CloseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnected => "this WebSocket was never connected",
        })
    }
}

impl std::error::Error for CloseError {}
