//! The errors of a start: their texts, and the option that must change.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::client::{ServerFile, TrustError};
use crate::shortage::is_shortage;

/// The reason why a server cannot be started.
#[derive(Debug)]
pub enum StartError {
    /// A certificate file or a key is unusable.
    Trust {
        /// Which of the files.
        file: ServerFile,
        /// The fault.
        cause: TrustError,
    },
    /// The system refuses to listen on this address.
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's error.
        cause: io::Error,
    },
    /// The system refuses to listen at a path.
    ListenAtPath {
        /// The path.
        path: PathBuf,
        /// The system's error, or this library's for an invalid path.
        cause: io::Error,
    },
    /// The system has no threads or no descriptors for this library.
    Exhausted(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trust { file: _, cause } => cause.fmt(f),
            Self::Listen { address, cause } => write!(f, "cannot listen on {address}: {cause}"),
            Self::ListenAtPath { path, cause } => {
                let what = match cause.kind() {
                    io::ErrorKind::AddrInUse => "a file with this name exists",
                    io::ErrorKind::NotFound => "its folder does not exist",
                    _ => "",
                };
                write!(f, "socketPath: cannot listen on {}: ", path.display())?;
                if what.is_empty() { cause.fmt(f) } else { write!(f, "{what}: {cause}") }
            }
            Self::Exhausted(cause) => {
                write!(f, "the system has no threads or descriptors left for the library: {cause}")
            }
        }
    }
}

impl std::error::Error for StartError {}

/// The option of a failed start that must change. Each API has its own name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultyOption {
    /// A file of the TLS options.
    File(ServerFile),
    /// The address to listen at.
    Address,
    /// The port to listen on.
    Port,
}

impl StartError {
    /// The option that must change. `None` if the text names it, or no option is at fault.
    pub fn option(&self) -> Option<FaultyOption> {
        match self {
            Self::Trust { file, cause: TrustError { is_shortage: false, .. } } => {
                Some(FaultyOption::File(*file))
            }
            Self::Listen { address: _, cause } => match cause.raw_os_error()? {
                libc::EADDRINUSE | libc::EACCES => Some(FaultyOption::Port),
                // An address of another device, one that needs an interface, and one of a family that this device lacks.
                libc::EADDRNOTAVAIL | libc::EINVAL | libc::EAFNOSUPPORT => Some(FaultyOption::Address),
                _ => None,
            },
            Self::Trust { .. } | Self::ListenAtPath { .. } | Self::Exhausted(_) => None,
        }
    }

    /// Whether the system lacks descriptors, memory or threads for now. Then no option is at fault.
    pub fn is_shortage(&self) -> bool {
        match self {
            Self::Trust { file: _, cause } => cause.is_shortage,
            Self::Listen { cause, .. } | Self::ListenAtPath { cause, .. } => is_shortage(cause),
            Self::Exhausted(_) => true,
        }
    }
}
