//! The errors of a proxy: of its options and of its answers.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::client::cause::Cause;
use crate::client::http::{HeadError, HeadFault, RESPONSE_HEAD_BYTES_MAX};

/// An invalid field of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxyOptionError {
    /// The field.
    pub field: &'static str,
    /// The fault.
    pub why: &'static str,
}

impl fmt::Display for ProxyOptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, why } = self;
        write!(f, "proxy: {field}: {why}")
    }
}

impl std::error::Error for ProxyOptionError {}

/// How a proxy failed to make a tunnel.
#[derive(Debug)]
pub enum ProxyError {
    /// The system's setting cannot be used.
    Setting(&'static str),
    /// It requires a user name and a password, but none are set.
    CredentialsMissing,
    /// It refuses the name and the password.
    CredentialsRefused,
    /// It requires an authentication other than Basic and Digest, or than a name and a password.
    AuthenticationScheme,
    /// It answered with a status other than 2xx.
    Status {
        /// The HTTP status.
        status: u16,
        /// The reason phrase, printable ASCII only.
        reason: String,
        /// How long the client shall wait, by `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// Its answer is not HTTP/1.
    NotHttp(HeadFault),
    /// Its answer is longer than [`RESPONSE_HEAD_BYTES_MAX`] or has too many headers.
    HeadTooLong,
    /// Unexpected bytes follow its answer.
    Garbage,
    /// Its answer is not SOCKS version 5 (RFC 1928).
    NotSocks5,
    /// SOCKS: the reply is not "succeeded" (RFC 1928 section 6).
    Reply(u8),
    /// SOCKS: the destination's name is longer than 255 bytes.
    TooLong,
    /// It closed the connection before it answered.
    Eof,
    /// Reading or writing failed.
    Io(io::Error),
}

impl PartialEq for ProxyError {
    /// As far as its answer says.
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(why) => write!(f, "the system's proxy setting cannot be used: {why}"),
            Self::CredentialsMissing => {
                f.write_str("the proxy asks for a user name and a password, but none are set")
            }
            Self::CredentialsRefused => f.write_str("the proxy refused the user name and the password"),
            Self::AuthenticationScheme => {
                f.write_str("the proxy asks for an authentication that is not supported")
            }
            Self::Status { status, reason, retry_after: _ } => {
                let blank = if reason.is_empty() { "" } else { " " };
                write!(f, "the proxy answered HTTP {status}{blank}{reason}")
            }
            Self::NotHttp(fault) => write!(f, "the proxy's answer is not HTTP/1{fault}"),
            Self::HeadTooLong => {
                write!(f, "the proxy's answer is over {} bytes or 256 headers", RESPONSE_HEAD_BYTES_MAX)
            }
            Self::Garbage => f.write_str("the proxy sent data after its answer"),
            Self::NotSocks5 => f.write_str("the proxy's answer is not SOCKS5 (RFC 1928)"),
            Self::Reply(code) => {
                // RFC 1928 section 6.
                let meaning = match code {
                    1 => "general failure",
                    2 => "not allowed",
                    3 => "network unreachable",
                    4 => "host unreachable",
                    5 => "connection refused",
                    6 => "TTL expired",
                    7 => "command not supported",
                    8 => "address type not supported",
                    _ => "unassigned",
                };
                write!(f, "the proxy replied {code}, {meaning} (RFC 1928 6)")
            }
            Self::TooLong => f.write_str("the host's name is over 255 bytes (RFC 1928 5)"),
            Self::Eof => f.write_str("the proxy closed the connection before it answered"),
            Self::Io(cause) => cause.fmt(f),
        }
    }
}

impl std::error::Error for ProxyError {}

impl ProxyError {
    /// The class of the proxy's fault. A SOCKS failure has the class of the corresponding HTTP status.
    pub(in crate::client) fn cause(&self) -> Cause {
        match self {
            Self::Setting(_) => Cause::Options,
            Self::CredentialsMissing | Self::CredentialsRefused | Self::AuthenticationScheme => {
                Cause::Http4xx
            }
            Self::Status { status, .. } => Cause::of_status(*status),
            Self::Reply(2) => Cause::Http4xx,
            Self::Reply(_) => Cause::Http5xx,
            Self::Eof | Self::Io(_) => Cause::Connect,
            Self::NotHttp(_) | Self::HeadTooLong | Self::Garbage | Self::NotSocks5 | Self::TooLong => {
                Cause::Upgrade
            }
        }
    }
}

impl From<HeadError> for ProxyError {
    fn from(error: HeadError) -> Self {
        match error {
            HeadError::NotHttp(fault) => Self::NotHttp(fault),
            HeadError::TooLong => Self::HeadTooLong,
            HeadError::Eof => Self::Eof,
            HeadError::Io(cause) => Self::Io(cause),
        }
    }
}
