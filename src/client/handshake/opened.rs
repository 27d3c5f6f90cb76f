//! The server's answer to a successful upgrade.

use crate::client::headers::Headers;
use crate::client::stats::Timing;

/// The server's answer to the upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Always 101.
    pub status: u16,
    /// The reason phrase.
    pub reason: Box<str>,
    /// The sub-protocol the server chose.
    pub protocol: Option<Box<str>>,
    /// The extensions in use, as in `Sec-WebSocket-Extensions`.
    pub extensions: Option<Box<str>>,
    /// The response headers in order, names in lower case.
    pub headers: Headers,
    /// How long each step took.
    pub timing: Timing,
    /// The URL of the connection without userinfo, if it is not the application's. A redirect or
    /// [`crate::client::Listener::prepare`] may change it.
    pub url: Option<Box<str>>,
}
