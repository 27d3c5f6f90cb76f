//! What can go wrong, split by phase. No text here shows payloads, credentials, query strings or header values.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::cause::Cause;
use super::headers::Headers;
use super::tls::TlsError;
use crate::protocol::{AnswerError, ProtocolError};

/// Why an input was refused before anything was dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionsError {
    /// The URL is not one a WebSocket connection can be made to.
    Url(UrlError),
    /// A header's name is not an RFC 9110 token.
    HeaderName {
        /// Position of the header among those given, from 0.
        index: usize,
    },
    /// A header's value holds CR, LF, NUL or another control character.
    HeaderValue {
        /// The header's name.
        name: String,
    },
    /// More headers than [`super::HEADER_COUNT_MAX`].
    TooManyHeaders,
    /// The headers are longer than [`super::HEADER_BYTES_MAX`] together.
    HeadersTooLong,
    /// A window of permessage-deflate is not of 9 to 15 bits.
    WindowBits,
    /// A static address is not one, or its name is not that of a host.
    Hosts {
        /// The name.
        name: String,
    },
    /// More redirects than [`super::REDIRECTS_MAX`].
    Redirects,
    /// A proxy cannot be used.
    Proxy {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A sub-protocol is not an RFC 9110 token, or is named twice.
    Protocol {
        /// Position in the comma-separated list, from 0.
        index: usize,
    },
}

/// What is wrong with a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// Longer than [`super::URL_BYTES_MAX`].
    TooLong,
    /// Not an absolute URL (RFC 3986).
    Malformed(String),
    /// Neither ws, wss, http nor https.
    Scheme,
    /// Without a host.
    Host,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "url: longer than {} bytes", super::URL_BYTES_MAX),
            Self::Malformed(cause) => write!(f, "url: {cause}"),
            Self::Scheme => f.write_str("url: the scheme is not ws, wss, http or https"),
            Self::Host => f.write_str("url: it names no host"),
        }
    }
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
            Self::TooManyHeaders => write!(f, "header: more than {} headers", super::HEADER_COUNT_MAX),
            Self::HeadersTooLong => {
                write!(f, "header: the headers are longer than {} bytes together", super::HEADER_BYTES_MAX)
            }
            Self::WindowBits => {
                f.write_str("perMessageDeflate: a window must have 9 to 15 bits (RFC 7692 7.1.2)")
            }
            Self::Hosts { name } => write!(f, "hosts: {name:?} is not a host's name with its IP addresses"),
            Self::Redirects => write!(f, "maxRedirects: more than {}", super::REDIRECTS_MAX),
            Self::Proxy { field, why } => write!(f, "proxy: {field}: {why}"),
            Self::Protocol { index } => {
                write!(f, "protocol: entry {index} is not a token, or is there twice (RFC 6455 4.1)")
            }
        }
    }
}

impl std::error::Error for OptionsError {}

/// Why a connection failed.
#[derive(Debug)]
pub enum Error {
    /// The host name has no address, or its lookup failed.
    Lookup {
        /// The name that was looked up.
        host: String,
        /// The resolver's error.
        cause: Arc<io::Error>,
    },
    /// No address of the host accepted a TCP connection; the cause is that of the first to fail.
    Tcp {
        /// Host and port.
        target: String,
        /// The first address's error.
        cause: io::Error,
    },
    /// The proxy did not make the tunnel.
    Proxy {
        /// Host and port of the proxy; `None` when the system's setting names none.
        proxy: Option<String>,
        /// Host and port that the tunnel was to lead to.
        target: String,
        /// What it did instead.
        cause: ProxyError,
    },
    /// A certificate file, or the system's trust store, is unusable.
    Trust {
        /// The file, when the option named one.
        path: Option<PathBuf>,
        /// What is wrong with it.
        cause: String,
    },
    /// The TLS handshake failed, the peer's certificate among its reasons.
    Tls {
        /// Host and port.
        target: String,
        /// What is wrong.
        cause: TlsError,
    },
    /// The server did not complete the HTTP upgrade.
    Upgrade {
        /// Host and port.
        target: String,
        /// What it did instead.
        cause: UpgradeError,
    },
    /// A phase took longer than allowed.
    Timeout {
        /// Host and port.
        target: String,
        /// What was under way.
        phase: Phase,
        /// The limit of the whole attempt.
        limit: Duration,
    },
    /// A phase took longer than its own limit.
    PhaseTimeout {
        /// Host and port.
        target: String,
        /// What was under way.
        phase: Phase,
        /// The limit of the phase.
        limit: Duration,
    },
    /// The application closed the client before the connection was open.
    Abandoned {
        /// Host and port.
        target: String,
        /// What was under way.
        phase: Phase,
    },
    /// The peer broke RFC 6455.
    Protocol(ProtocolError),
    /// The connection broke, or ended without a close frame.
    Lost(Option<io::Error>),
    /// Nothing came from the peer in time.
    PongTimeout(Duration),
    /// The network changed: nothing came from the peer in time, or, without a time, the address on this side is gone.
    NetworkChanged(Option<Duration>),
    /// The application said that it cannot prepare the attempt, or did not answer within this time.
    Unprepared(Option<Duration>),
    /// What the application prepared for the attempt is not valid.
    Rewrite(OptionsError),
    /// A defect of this library; the connection is gone, the process is well.
    Internal,
}

/// The steps of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Looking up the host's addresses.
    Lookup,
    /// Connecting to one of them.
    Tcp,
    /// Asking a proxy for a tunnel.
    Proxy,
    /// The TLS handshake.
    Tls,
    /// The HTTP upgrade of RFC 6455 section 4.
    Upgrade,
    /// Before a retry: the application was asked to prepare it.
    Prepare,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lookup => "name lookup",
            Self::Tcp => "TCP connect",
            Self::Proxy => "proxy tunnel",
            Self::Tls => "TLS handshake",
            Self::Upgrade => "WebSocket upgrade",
            Self::Prepare => "preparation by the application",
        })
    }
}

/// How a proxy failed to make a tunnel.
#[derive(Debug)]
pub enum ProxyError {
    /// The system's setting is not one to follow.
    Setting(&'static str),
    /// It wants a name and a password, and there are none.
    CredentialsMissing,
    /// It does not take the name and the password.
    CredentialsRefused,
    /// It wants another authentication than Basic or Digest, or than a name and a password.
    AuthenticationScheme,
    /// It answered with another status than 2xx.
    Status {
        /// The HTTP status.
        status: u16,
        /// The reason phrase, printable ASCII only.
        reason: String,
    },
    /// Its answer is not HTTP/1.
    NotHttp,
    /// Its answer is longer than [`super::RESPONSE_HEAD_BYTES_MAX`] or has too many headers.
    HeadTooLong,
    /// Bytes follow its answer that nobody asked for.
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
    /// As far as what it says.
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Setting(why) => write!(f, "the system's proxy setting cannot be used: {why}"),
            Self::CredentialsMissing => {
                f.write_str("the proxy asks for a name and a password, and none are set")
            }
            Self::CredentialsRefused => f.write_str("the proxy does not take the name and the password"),
            Self::AuthenticationScheme => {
                f.write_str("the proxy asks for an authentication that is not supported")
            }
            Self::Status { status, reason } => write!(f, "the proxy answered HTTP {status} {reason}"),
            Self::NotHttp => f.write_str("the proxy's answer is not HTTP/1"),
            Self::HeadTooLong => {
                write!(
                    f,
                    "the proxy's answer is over {} bytes or 256 headers",
                    super::RESPONSE_HEAD_BYTES_MAX
                )
            }
            Self::Garbage => f.write_str("the proxy sent more than an answer"),
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

/// How a server failed the upgrade (RFC 6455 section 4.1).
#[derive(Debug)]
pub enum UpgradeError {
    /// It answered with another status than 101.
    Status(Box<RefusedUpgrade>),
    /// It redirected to where this client does not follow.
    Redirect(RedirectError, Box<RefusedUpgrade>),
    /// Its answer is not HTTP/1.1.
    NotHttp,
    /// Its response head is longer than [`super::RESPONSE_HEAD_BYTES_MAX`] or has too many headers.
    HeadTooLong,
    /// A header is missing or has the wrong value.
    Header(&'static str),
    /// It chose a sub-protocol that was not offered.
    UnrequestedProtocol,
    /// It chose an extension that was not offered, or answered the offer of one wrongly.
    Extension(AnswerError),
    /// It closed the connection first.
    Eof,
    /// Reading or writing failed.
    Io(io::Error),
}

/// Why a redirect is not followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedirectError {
    /// As many as were asked for have been followed.
    TooMany,
    /// It leads from TLS to plain TCP.
    Insecure,
    /// It leads to no server.
    Location(UrlError),
}

impl fmt::Display for RedirectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany => f.write_str("once more than maxRedirects allows"),
            Self::Insecure => f.write_str("from wss to ws"),
            Self::Location(cause) => write!(f, "to no server: {cause}"),
        }
    }
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
    /// The first [`super::RESPONSE_BODY_BYTES_MAX`] bytes of the body, as far as they came in time.
    pub body: Vec<u8>,
}

impl fmt::Display for UpgradeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redirect(why, refused) => {
                write!(f, "the server redirected with HTTP {}, {why}", refused.status)
            }
            Self::Status(refused) => {
                let RefusedUpgrade { status, reason, headers: _, body: _ } = &**refused;
                write!(f, "the server answered HTTP {status} {reason} instead of 101")
            }
            Self::NotHttp => f.write_str("the answer is not HTTP/1.1"),
            Self::HeadTooLong => {
                write!(f, "the response head is over {} bytes or 256 headers", super::RESPONSE_HEAD_BYTES_MAX)
            }
            Self::Header(name) => write!(f, "the header {name} is missing or wrong (RFC 6455 4.1)"),
            Self::UnrequestedProtocol => {
                f.write_str("the server chose a sub-protocol that was not requested (RFC 6455 4.1)")
            }
            Self::Extension(cause) => cause.fmt(f),
            Self::Eof => f.write_str("the server closed the connection before it answered"),
            Self::Io(cause) => cause.fmt(f),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lookup { host, cause } => write!(f, "{} of {host} failed: {cause}", Phase::Lookup),
            Self::Tcp { target, cause } => {
                write!(f, "{} to {target} failed: {cause}", Phase::Tcp)?;
                if cause.kind() == io::ErrorKind::PermissionDenied {
                    f.write_str("; an app for OpenHarmony needs ohos.permission.INTERNET")?;
                }
                Ok(())
            }
            Self::Proxy { proxy: Some(proxy), target, cause } => {
                write!(f, "{} to {target} by {proxy} failed: {cause}", Phase::Proxy)
            }
            Self::Proxy { proxy: None, target, cause } => {
                write!(f, "{} to {target} failed: {cause}", Phase::Proxy)
            }
            Self::Trust { path: Some(path), cause } => {
                write!(f, "certificate file {}: {cause}", path.display())
            }
            Self::Trust { path: None, cause } => write!(f, "certificate store of the system: {cause}"),
            Self::Tls { target, cause } => write!(f, "{} with {target} failed: {cause}", Phase::Tls),
            Self::Upgrade { target, cause } => write!(f, "{} at {target} failed: {cause}", Phase::Upgrade),
            Self::Timeout { target, phase, limit } => {
                write!(f, "{phase} with {target} timed out: no connection within {} ms", limit.as_millis())
            }
            Self::PhaseTimeout { target, phase, limit } => {
                write!(f, "{phase} with {target} timed out: not done within {} ms", limit.as_millis())
            }
            Self::Abandoned { target, phase } => {
                write!(f, "connecting to {target} abandoned during the {phase}: closed by the application")
            }
            Self::Protocol(cause) => write!(f, "open connection, peer broke the protocol: {cause}"),
            Self::Lost(Some(cause)) => write!(f, "open connection lost: {cause}"),
            Self::Lost(None) => f.write_str("open connection lost: the peer ended it without a close frame"),
            Self::PongTimeout(limit) => {
                write!(f, "open connection lost: nothing came within {} ms after a ping", limit.as_millis())
            }
            Self::NetworkChanged(None) => {
                f.write_str("open connection lost: the network changed, and the address on this side is gone")
            }
            Self::NetworkChanged(Some(limit)) => write!(
                f,
                "open connection lost: nothing came within {} ms after the network changed",
                limit.as_millis()
            ),
            Self::Unprepared(None) => write!(f, "{} failed", Phase::Prepare),
            Self::Unprepared(Some(limit)) => {
                write!(f, "{} timed out: no answer within {} ms", Phase::Prepare, limit.as_millis())
            }
            Self::Rewrite(cause) => write!(f, "{} failed: {cause}", Phase::Prepare),
            Self::Internal => f.write_str("internal error of the library; the connection was dropped"),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// The step of the attempt that failed; `None` when the connection was open.
    pub fn phase(&self) -> Option<Phase> {
        match self {
            Self::Lookup { .. } => Some(Phase::Lookup),
            Self::Tcp { .. } => Some(Phase::Tcp),
            Self::Proxy { .. } => Some(Phase::Proxy),
            Self::Trust { .. } | Self::Tls { .. } => Some(Phase::Tls),
            Self::Upgrade { .. } => Some(Phase::Upgrade),
            Self::Timeout { phase, .. }
            | Self::PhaseTimeout { phase, .. }
            | Self::Abandoned { phase, .. } => Some(*phase),
            Self::Unprepared(_) | Self::Rewrite(_) => Some(Phase::Prepare),
            Self::Protocol(_)
            | Self::Lost(_)
            | Self::PongTimeout(_)
            | Self::NetworkChanged(_)
            | Self::Internal => None,
        }
    }

    /// The class of the error, by which a client decides whether to try again.
    pub fn cause(&self) -> Cause {
        match self {
            Self::Lookup { .. } => Cause::Lookup,
            Self::Tcp { .. } => Cause::Connect,
            Self::Proxy { cause, .. } => cause_of_proxy(cause),
            Self::Trust { .. } => Cause::Certificate,
            Self::Tls { cause, .. } => cause_of_tls(cause),
            Self::Upgrade { cause, .. } => match cause {
                UpgradeError::Status(refused) | UpgradeError::Redirect(_, refused) => {
                    Cause::of_status(refused.status)
                }
                UpgradeError::Eof | UpgradeError::Io(_) => Cause::Connect,
                UpgradeError::NotHttp
                | UpgradeError::HeadTooLong
                | UpgradeError::Header(_)
                | UpgradeError::UnrequestedProtocol
                | UpgradeError::Extension(_) => Cause::Upgrade,
            },
            Self::Timeout { .. } | Self::PhaseTimeout { .. } => Cause::Timeout,
            Self::Abandoned { .. } => Cause::Application,
            Self::Protocol(_) => Cause::Protocol,
            Self::Lost(_) | Self::PongTimeout(_) | Self::NetworkChanged(_) => Cause::Lost,
            Self::Unprepared(_) => Cause::Prepare,
            Self::Rewrite(_) => Cause::Options,
            Self::Internal => Cause::Internal,
        }
    }

    /// The HTTP status of a server that refused the upgrade.
    pub fn status(&self) -> Option<u16> {
        self.refused().map(|refused| refused.status)
    }

    /// The answer of a server that refused the upgrade.
    pub fn refused(&self) -> Option<&RefusedUpgrade> {
        match self {
            Self::Upgrade {
                cause: UpgradeError::Status(refused) | UpgradeError::Redirect(_, refused),
                ..
            } => Some(refused),
            _ => None,
        }
    }
}

/// The class of what a proxy did. What SOCKS has no status for is taken for the one that HTTP has.
fn cause_of_proxy(error: &ProxyError) -> Cause {
    match error {
        ProxyError::Setting(_) => Cause::Options,
        ProxyError::CredentialsMissing
        | ProxyError::CredentialsRefused
        | ProxyError::AuthenticationScheme => Cause::Http4xx,
        ProxyError::Status { status, .. } => Cause::of_status(*status),
        ProxyError::Reply(2) => Cause::Http4xx,
        ProxyError::Reply(_) => Cause::Http5xx,
        ProxyError::Eof | ProxyError::Io(_) => Cause::Connect,
        ProxyError::NotHttp
        | ProxyError::HeadTooLong
        | ProxyError::Garbage
        | ProxyError::NotSocks5
        | ProxyError::TooLong => Cause::Upgrade,
    }
}

/// The class of what a TLS handshake ended with: an error of TLS, or one of the connection below it.
fn cause_of_tls(error: &TlsError) -> Cause {
    use rustls::AlertDescription as Alert;
    match error {
        TlsError::Eof | TlsError::Io(_) => Cause::Connect,
        TlsError::Handshake(
            rustls::Error::InvalidCertificate(_)
            | rustls::Error::NoCertificatesPresented
            | rustls::Error::InconsistentKeys(_)
            | rustls::Error::AlertReceived(
                Alert::BadCertificate
                | Alert::UnsupportedCertificate
                | Alert::CertificateRevoked
                | Alert::CertificateExpired
                | Alert::CertificateUnknown
                | Alert::CertificateRequired
                | Alert::UnknownCA
                | Alert::AccessDenied,
            ),
        ) => Cause::Certificate,
        TlsError::Handshake(_) => Cause::Tls,
    }
}

/// Why [`super::Client::connect`] refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlreadyConnected;

/// Why [`super::Client::send`] refused.
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

/// Why [`super::Client::ping`] refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PingError {
    /// Not open.
    NotConnected,
    /// Over 125 bytes.
    TooLong,
    /// Many pings wait to be sent already.
    TooMany,
}

/// Why [`super::Client::close`] did not begin a closing handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseError {
    /// Never connected.
    NotConnected,
    /// The connection was still being made: the attempt is abandoned.
    Abandoned,
    /// A code that must not go on the wire (RFC 6455 section 7.4).
    Code,
}
