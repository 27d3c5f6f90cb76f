//! Errors of an application's input, and the reasons not to follow a redirect.

use std::fmt;

use super::options::{HEADER_BYTES_MAX, HEADER_COUNT_MAX, REDIRECTS_MAX};
use crate::client::destination::UrlError;
use crate::client::proxy::ProxyOptionError;

/// An error of an application's input, found before anything is dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionsError {
    /// The URL cannot be used for a WebSocket connection.
    Url(UrlError),
    /// A header's name is not an RFC 9110 token.
    HeaderName {
        /// Its position in the list, from 0.
        index: usize,
    },
    /// A header's value holds CR, LF, NUL or another control character.
    HeaderValue {
        /// The header's name.
        name: String,
    },
    /// More headers than [`HEADER_COUNT_MAX`].
    TooManyHeaders,
    /// The headers together are longer than [`HEADER_BYTES_MAX`].
    HeadersTooLong,
    /// A window of permessage-deflate is not between 9 and 15 bits.
    WindowBits,
    /// A static address is invalid, or its name is not a host name.
    Hosts {
        /// The name.
        name: String,
    },
    /// More redirects than [`REDIRECTS_MAX`].
    Redirects,
    /// A proxy cannot be used.
    Proxy(ProxyOptionError),
    /// A sub-protocol is not an RFC 9110 token, or is named twice.
    Protocol {
        /// Its position in the comma-separated list, from 0.
        index: usize,
    },
}

impl fmt::Display for OptionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(error) => error.fmt(f),
            Self::HeaderName { index } => {
                write!(f, "header: the name of header {index} is not a token (RFC 9110 5.6.2)")
            }
            Self::HeaderValue { name } => {
                write!(f, "header: the value of {name} holds a control character (RFC 9110 5.5)")
            }
            Self::TooManyHeaders => write!(f, "header: more than {} headers", HEADER_COUNT_MAX),
            Self::HeadersTooLong => {
                write!(f, "header: the headers are longer than {} bytes together", HEADER_BYTES_MAX)
            }
            Self::WindowBits => {
                f.write_str("perMessageDeflate: a window must have 9 to 15 bits (RFC 7692 7.1.2)")
            }
            Self::Hosts { name } => {
                write!(f, "hosts: {name:?} must be a host name with its IP addresses, separated by commas")
            }
            Self::Redirects => write!(f, "maxRedirects: more than {}", REDIRECTS_MAX),
            Self::Proxy(error) => error.fmt(f),
            Self::Protocol { index } => {
                write!(f, "protocol: entry {index} is not a token, or occurs twice (RFC 6455 4.1)")
            }
        }
    }
}

impl std::error::Error for OptionsError {}

impl From<ProxyOptionError> for OptionsError {
    fn from(error: ProxyOptionError) -> Self {
        Self::Proxy(error)
    }
}

/// The reason not to follow a redirect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectError {
    /// Redirects are disabled. Holds the target: scheme, host and port.
    Unasked(String),
    /// The maximum number of redirects was reached.
    TooMany,
    /// It leads from TLS to plain TCP.
    Insecure,
    /// It leads to no server.
    Location(UrlError),
}

impl fmt::Display for RedirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unasked(origin) => write!(f, "to {origin}, but maxRedirects is 0"),
            Self::TooMany => f.write_str("more often than maxRedirects allows"),
            Self::Insecure => f.write_str("from wss to ws"),
            Self::Location(cause) => write!(f, "to an invalid URL: {cause}"),
        }
    }
}

impl std::error::Error for RedirectError {}
