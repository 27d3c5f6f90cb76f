//! The ways in which a server fails the upgrade.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::client::cause::Cause;
use crate::client::headers::Headers;
use crate::client::http::{HeadError, HeadFault, RESPONSE_HEAD_BYTES_MAX};
use crate::client::request::RedirectError;
use crate::client::retry_after::retry_after;
use crate::protocol::ExtensionError;

/// How a server failed the upgrade (RFC 6455 section 4.1).
#[derive(Debug)]
pub enum UpgradeError {
    /// It answered with a status other than 101.
    Status(Box<RefusedUpgrade>),
    /// It redirected to a place that this client does not follow.
    Redirect(RedirectError, Box<RefusedUpgrade>),
    /// Its answer is not HTTP/1.1.
    NotHttp(HeadFault),
    /// Its response head is longer than [`RESPONSE_HEAD_BYTES_MAX`] or has too many headers.
    HeadTooLong,
    /// A header is missing or has the wrong value.
    Header(&'static str),
    /// The sub-protocol it chose was not offered, or is more than one.
    Subprotocol(SubprotocolError),
    /// It chose an extension that was not offered, or its answer to an offer is invalid.
    Extension(ExtensionError),
    /// It closed the connection first.
    Eof {
        /// Sub-protocols were offered.
        offered: bool,
        /// It requires TLS, but was addressed without it.
        plain: bool,
    },
    /// Reading or writing failed.
    Io(io::Error),
}

/// The answer of a server that refused the upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedUpgrade {
    /// The HTTP status.
    pub status: u16,
    /// The reason phrase, printable ASCII only.
    pub reason: String,
    /// The headers in order, names in lower case.
    pub headers: Headers,
    /// The first [`crate::client::RESPONSE_BODY_BYTES_MAX`] bytes of the body, as far as they came in time.
    pub body: Vec<u8>,
    /// A remedy.
    pub hint: Option<RefusalHint>,
}

/// A remedy for a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusalHint {
    /// `Origin` lacks the port that `Host` has.
    OriginPort,
    /// The server wants TLS.
    Tls,
    /// The server names this sub-protocol, which was not offered.
    Subprotocol(String),
}

impl fmt::Display for RefusalHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OriginPort => f.write_str("Origin lacks the port, which supportOriginPort adds"),
            Self::Tls => f.write_str("the server requires TLS; use wss"),
            Self::Subprotocol(name) => write!(f, "it names the sub-protocol {name}, which was not requested"),
        }
    }
}

/// The error of the sub-protocol that a server chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubprotocolError {
    /// It was not offered.
    Unrequested {
        /// Its name, if an error may show it.
        name: Option<String>,
        /// One that was offered differs from it only in case.
        by_case: bool,
    },
    /// It is a list of several.
    Several,
    /// The server chose none, but the application requires one.
    Missing,
}

impl fmt::Display for SubprotocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unrequested { name, by_case } => {
                f.write_str("the server chose a sub-protocol that was not requested")?;
                if let Some(name) = name {
                    write!(f, ": {name}")?;
                }
                f.write_str(if *by_case { ", one of which differs only in case" } else { "" })?;
                f.write_str(" (RFC 6455 4.1)")
            }
            Self::Several => f.write_str(
                "the server chose several sub-protocols; it may have returned the whole list (RFC 6455 4.2.2)",
            ),
            Self::Missing => f.write_str("the server chose none of the sub-protocols that were offered"),
        }
    }
}

impl RefusedUpgrade {
    pub(in crate::client) fn retry_after(&self) -> Option<Duration> {
        retry_after(self.headers.iter())
    }
}

impl fmt::Display for UpgradeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redirect(why, refused) => {
                write!(f, "the server redirected with HTTP {}, {why}", refused.status)
            }
            Self::Status(refused) => {
                let RefusedUpgrade { status, reason, headers: _, body: _, hint } = &**refused;
                let blank = if reason.is_empty() { "" } else { " " };
                write!(f, "the server answered HTTP {status}{blank}{reason} instead of 101")?;
                hint.as_ref().map_or(Ok(()), |hint| write!(f, "; {hint}"))
            }
            Self::NotHttp(HeadFault::Tls) => {
                write!(f, "the answer is not HTTP/1.1{}: the server uses TLS there; use wss", HeadFault::Tls)
            }
            Self::NotHttp(fault) => write!(f, "the answer is not HTTP/1.1{fault}"),
            Self::HeadTooLong => {
                write!(f, "the response head is over {} bytes or 256 headers", RESPONSE_HEAD_BYTES_MAX)
            }
            Self::Header(name) => write!(f, "the header {name} is missing or wrong (RFC 6455 4.1)"),
            Self::Subprotocol(cause) => cause.fmt(f),
            Self::Extension(cause) => cause.fmt(f),
            Self::Eof { offered, plain } => {
                f.write_str("the server closed the connection before it answered")?;
                f.write_str(match (offered, plain) {
                    (true, _) => "; it may not know the sub-protocol that was requested",
                    (false, true) => "; it may require wss, or another path",
                    (false, false) => "; it may require another path",
                })
            }
            Self::Io(cause) => cause.fmt(f),
        }
    }
}

impl std::error::Error for UpgradeError {}

impl UpgradeError {
    /// The class of the server's fault.
    pub(in crate::client) fn cause(&self) -> Cause {
        match self {
            Self::Status(refused) | Self::Redirect(_, refused) => Cause::of_status(refused.status),
            Self::Eof { .. } => Cause::NoAnswer,
            Self::Io(_) => Cause::Connect,
            Self::NotHttp(_)
            | Self::HeadTooLong
            | Self::Header(_)
            | Self::Subprotocol(_)
            | Self::Extension(_) => Cause::Upgrade,
        }
    }
}

impl From<HeadError> for UpgradeError {
    fn from(error: HeadError) -> Self {
        match error {
            HeadError::NotHttp(fault) => Self::NotHttp(fault),
            HeadError::TooLong => Self::HeadTooLong,
            HeadError::Eof => Self::Eof { offered: false, plain: false },
            HeadError::Io(cause) => Self::Io(cause),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::UpgradeError;

    #[test]
    fn suggests_what_a_server_without_an_answer_may_require() {
        let ending = |offered, plain| UpgradeError::Eof { offered, plain }.to_string();
        for (offered, plain, expected) in [
            (true, true, "answered; it may not know the sub-protocol that was requested"),
            (true, false, "answered; it may not know the sub-protocol that was requested"),
            (false, true, "answered; it may require wss, or another path"),
            (false, false, "answered; it may require another path"),
        ] {
            let text = ending(offered, plain);
            assert!(text.ends_with(expected), "{text}");
        }
    }
}
