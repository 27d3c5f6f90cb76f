//! The rules of an app's `network_config.json` for a server, for clients that apply all of them.

use std::fmt;

use super::destination::Destination;
use super::request::without_root;
use super::tls::{DeclaredTrust, Pin};
use crate::platform::{self, NotTold};

/// The component name of this library in the file. With it an app can exempt the library from the ban of clear text. It
/// is the name of the platform's kit.
const COMPONENT: &std::ffi::CStr = c"Network Kit";

/// Why an attempt is not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// The app forbids connections without TLS to this host.
    ClearText,
    /// This system lacks the function. Holds the API level that introduced it.
    Missing(u32),
    /// The system's function failed with this code.
    NotTold(i32),
    /// The `pin-set` for this host is invalid.
    Pins,
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WAY_OUT: &str = "networkSecurityConfig 'platform' does not ask";
        match self {
            Self::ClearText => f.write_str(
                "the app's network_config.json forbids connections without TLS to this host, and networkSecurityConfig is \
                 'strict'; use wss",
            ),
            Self::Missing(level) => write!(
                f,
                "networkSecurityConfig is 'strict', but this system is older than API {level} and does not report \
                 network_config.json; {WAY_OUT}"
            ),
            Self::NotTold(code) => write!(
                f,
                "networkSecurityConfig is 'strict', but the system does not report network_config.json ({code}); \
                 {WAY_OUT}"
            ),
            Self::Pins => f.write_str(
                "a pin-set of network_config.json for this host is not of SHA-256 digests in base64; correct the file",
            ),
        }
    }
}

impl std::error::Error for PolicyError {}

impl From<NotTold> for PolicyError {
    fn from(not_told: NotTold) -> Self {
        match not_told {
            NotTold::Missing(level) => Self::Missing(level),
            NotTold::Refused(code) => Self::NotTold(code),
        }
    }
}

/// The declarations for a server. It calls the system, so not on an async thread.
pub(super) fn declared(destination: &Destination) -> Result<DeclaredTrust, PolicyError> {
    let host = platform::host_text(without_root(destination.host_text()));
    if !destination.secure {
        // The system may have a component that is not bound by it; one that says nothing is.
        let permitted =
            platform::clear_text_permitted(&host)? || platform::heeds_clear_text(COMPONENT) == Some(false);
        return if permitted { Ok(DeclaredTrust::default()) } else { Err(PolicyError::ClearText) };
    }
    let pins = platform::declared_pins(&host)?;
    let pins = pins.split(';').map(str::trim).filter(|pin| !pin.is_empty());
    let pins = pins.map(|pin| Pin::parse(pin, None)).collect::<Result<_, _>>();
    Ok(DeclaredTrust {
        pins: pins.map_err(|_| PolicyError::Pins)?,
        anchors: platform::declared_anchors(&host)?,
    })
}
