//! The errors of connecting: combines the errors of all phases. Texts contain no payload, credentials, query string or
//! header value.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::app_policy::PolicyError;
use super::cause::Cause;
use super::destination::UrlError;
use super::handshake::{RefusedUpgrade, UpgradeError};
use super::proxy::ProxyError;
use super::reconnect::Setback;
use super::request::OptionsError;
use super::tls::{TlsError, TrustError};
use crate::protocol::ProtocolError;

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
    /// No address of the host accepted a TCP connection. The cause is the first address's.
    Tcp {
        /// Host and port.
        target: String,
        /// The first address's error.
        cause: io::Error,
    },
    /// The proxy did not open the tunnel.
    Proxy {
        /// Host and port of the proxy. `None` if the system's setting names none.
        proxy: Option<String>,
        /// Host and port of the tunnel's other end.
        target: String,
        /// What the proxy did instead.
        cause: ProxyError,
    },
    /// The app's `network_config.json` forbids the attempt, or cannot be read.
    Policy {
        /// Host and port.
        target: String,
        /// The rule or the failure.
        cause: PolicyError,
    },
    /// A certificate file, or the system's trust store, is unusable.
    Trust(TrustError),
    /// The system has no thread for a step of the attempt.
    Exhausted {
        /// Host and port.
        target: String,
        /// The step.
        phase: Phase,
        /// The system's error.
        cause: io::Error,
    },
    /// The TLS handshake failed. A refused certificate is one reason.
    Tls {
        /// Host and port.
        target: String,
        /// The fault.
        cause: TlsError,
    },
    /// The server did not complete the HTTP upgrade.
    Upgrade {
        /// Host and port.
        target: String,
        /// What the server did instead.
        cause: UpgradeError,
    },
    /// A phase took longer than allowed.
    Timeout {
        /// Host and port.
        target: String,
        /// The phase at that time.
        phase: Phase,
        /// The limit of the whole attempt.
        limit: Duration,
    },
    /// A phase took longer than its own limit.
    PhaseTimeout {
        /// Host and port.
        target: String,
        /// The phase at that time.
        phase: Phase,
        /// The limit of the phase.
        limit: Duration,
    },
    /// The application closed the client before the connection was open.
    Abandoned {
        /// Host and port.
        target: String,
        /// The phase at that time.
        phase: Phase,
    },
    /// The peer broke RFC 6455.
    Protocol(ProtocolError),
    /// The connection broke, or ended without a close frame.
    Lost(Option<io::Error>),
    /// No data came from the peer in time.
    PongTimeout(Duration),
    /// The network changed. Then the peer was silent for this time, or, without a time, the local address disappeared.
    NetworkChanged(Option<Duration>),
    /// The device slept, and the peer was silent for this time afterwards.
    Slept(Duration),
    /// The application said that it cannot prepare the attempt, or did not answer within this time.
    Unprepared(Option<Duration>),
    /// The URL or headers that the application prepared for the attempt are invalid.
    Rewrite(OptionsError),
    /// The URL of a client is invalid, and the client receives this as an event.
    Url(UrlError),
    /// A defect of this library. The connection is gone, but the process continues.
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
            Self::Policy { target, cause } => write!(f, "connecting to {target} is not permitted: {cause}"),
            Self::Trust(cause) => cause.fmt(f),
            Self::Exhausted { target, phase, cause } => {
                write!(f, "{phase} with {target} failed: the system has no thread left for it: {cause}")
            }
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
            Self::Protocol(cause @ ProtocolError::NoMemory) => write!(f, "open connection ended: {cause}"),
            Self::Protocol(cause) => write!(f, "open connection, peer violated the protocol: {cause}"),
            Self::Lost(Some(cause)) => write!(f, "open connection lost: {cause}"),
            Self::Lost(None) => f.write_str("open connection lost: the peer ended it without a close frame"),
            Self::PongTimeout(limit) => {
                write!(f, "open connection lost: no data arrived within {} ms after a ping", limit.as_millis())
            }
            Self::NetworkChanged(None) => {
                f.write_str("open connection lost: the network changed, and this device has lost the connection's address")
            }
            Self::NetworkChanged(Some(limit)) => write!(
                f,
                "open connection lost: no data arrived within {} ms after the network changed",
                limit.as_millis()
            ),
            Self::Slept(limit) => write!(
                f,
                "open connection lost: no data arrived within {} ms after the device had slept",
                limit.as_millis()
            ),
            Self::Unprepared(None) => write!(f, "{} failed", Phase::Prepare),
            Self::Unprepared(Some(limit)) => {
                write!(f, "{} timed out: no answer within {} ms", Phase::Prepare, limit.as_millis())
            }
            Self::Rewrite(cause) => write!(f, "{} failed: {cause}", Phase::Prepare),
            Self::Url(cause) => cause.fmt(f),
            Self::Internal => f.write_str("internal error of the library; the connection was dropped"),
        }
    }
}

impl std::error::Error for Error {}

impl From<TrustError> for Error {
    fn from(error: TrustError) -> Self {
        Self::Trust(error)
    }
}

impl Error {
    /// The step of the attempt that failed. `None` if the connection was open.
    pub fn phase(&self) -> Option<Phase> {
        match self {
            Self::Lookup { .. } | Self::Url(_) | Self::Policy { .. } => Some(Phase::Lookup),
            Self::Tcp { .. } => Some(Phase::Tcp),
            Self::Proxy { .. } => Some(Phase::Proxy),
            Self::Trust(_) | Self::Tls { .. } => Some(Phase::Tls),
            Self::Upgrade { .. } => Some(Phase::Upgrade),
            Self::Timeout { phase, .. }
            | Self::Exhausted { phase, .. }
            | Self::PhaseTimeout { phase, .. }
            | Self::Abandoned { phase, .. } => Some(*phase),
            Self::Unprepared(_) | Self::Rewrite(_) => Some(Phase::Prepare),
            Self::Protocol(_)
            | Self::Lost(_)
            | Self::PongTimeout(_)
            | Self::NetworkChanged(_)
            | Self::Slept(_)
            | Self::Internal => None,
        }
    }

    /// The class of the error. It decides whether the client retries.
    pub fn cause(&self) -> Cause {
        match self {
            Self::Lookup { .. } => Cause::Lookup,
            Self::Tcp { .. } => Cause::Connect,
            Self::Proxy { cause, .. } => cause.cause(),
            Self::Exhausted { .. } => Cause::Connect,
            Self::Trust(cause) if cause.is_shortage => Cause::Connect,
            Self::Trust(_) => Cause::Certificate,
            Self::Tls { cause, .. } => cause.cause(),
            Self::Upgrade { cause, .. } => cause.cause(),
            Self::Timeout { .. } | Self::PhaseTimeout { .. } => Cause::Timeout,
            Self::Abandoned { .. } => Cause::Application,
            Self::Protocol(ProtocolError::NoMemory) => Cause::Lost,
            Self::Protocol(cause) => cause.flawed_close().map_or(Cause::Protocol, Cause::of_flawed_close),
            Self::Lost(_) | Self::PongTimeout(_) | Self::NetworkChanged(_) | Self::Slept(_) => Cause::Lost,
            Self::Unprepared(_) => Cause::Prepare,
            Self::Rewrite(_) | Self::Url(_) | Self::Policy { .. } => Cause::Options,
            Self::Internal => Cause::Internal,
        }
    }

    /// The part of the error that the next attempt needs.
    pub(super) fn setback(&self) -> Setback {
        let (status, retry_after) = match self {
            Self::Proxy { cause: ProxyError::Status { status, retry_after, .. }, .. } => {
                (Some(*status), *retry_after)
            }
            _ => (self.status(), self.refused().and_then(RefusedUpgrade::retry_after)),
        };
        let by_certificate = matches!(self, Self::Tls { cause, .. } if cause.is_of_server_certificate());
        Setback { cause: self.cause(), status, retry_after, by_certificate }
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
