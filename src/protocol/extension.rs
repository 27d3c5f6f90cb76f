//! The negotiation of permessage-deflate (RFC 7692 sections 5 and 7.1): offer, answer and agreement.

use std::fmt;

use super::deflate::Negotiated;

const EXTENSION: &str = "permessage-deflate";
/// The largest window. It is the default if neither side names one.
const WINDOW_BITS_MAX: u8 = 15;
/// The smallest window with which zlib compresses raw data. The library never asks for a smaller one.
const WINDOW_BITS_MIN: u8 = 9;

/// A capacity that fits most offers.
const OFFER_BYTES: usize = 64;

const SERVER_NO_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_BITS: &str = "server_max_window_bits";
const CLIENT_BITS: &str = "client_max_window_bits";

/// How one side of a connection uses permessage-deflate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PerMessageDeflate {
    /// The client compresses each of its messages alone. The compression is worse, but no compressor stays between
    /// messages. Default: false.
    pub client_no_context_takeover: bool,
    /// The server does the same with its messages. Default: false.
    pub server_no_context_takeover: bool,
    /// Base-2 logarithm of the client compressor's window, 9 to 15. The server's decompressor needs a window of that
    /// size too. Default: 15 (32 KiB).
    pub client_max_window_bits: u8,
    /// The same for the server's compressor. Default: 15.
    pub server_max_window_bits: u8,
    /// Shorter messages (in bytes) are sent uncompressed, because compression would cost more than it saves. Default:
    /// 64.
    pub threshold: usize,
}

impl Default for PerMessageDeflate {
    fn default() -> Self {
        Self {
            client_no_context_takeover: false,
            server_no_context_takeover: false,
            client_max_window_bits: WINDOW_BITS_MAX,
            server_max_window_bits: WINDOW_BITS_MAX,
            threshold: 64,
        }
    }
}

impl PerMessageDeflate {
    /// Whether both windows have a valid size for an offer.
    pub fn is_valid(&self) -> bool {
        let valid = WINDOW_BITS_MIN..=WINDOW_BITS_MAX;
        valid.contains(&self.client_max_window_bits) && valid.contains(&self.server_max_window_bits)
    }

    /// The value of `Sec-WebSocket-Extensions` in the request (RFC 7692 section 7.1).
    pub fn offer(&self) -> String {
        let Self { client_no_context_takeover, server_no_context_takeover, .. } = *self;
        let mut offer = String::with_capacity(OFFER_BYTES);
        offer.push_str(EXTENSION);
        if server_no_context_takeover {
            offer.push_str("; server_no_context_takeover");
        }
        if client_no_context_takeover {
            offer.push_str("; client_no_context_takeover");
        }
        if self.server_max_window_bits < WINDOW_BITS_MAX {
            offer.push_str(&format!("; server_max_window_bits={}", self.server_max_window_bits));
        }
        // Without a value the parameter says that this client obeys a limit.
        offer.push_str("; client_max_window_bits");
        if self.client_max_window_bits < WINDOW_BITS_MAX {
            offer.push_str(&format!("={}", self.client_max_window_bits));
        }
        offer
    }

    /// Parses the server's answer to the offer. `None` means that the server declined.
    pub fn accept(&self, answer: &str) -> Result<Option<Negotiated>, ExtensionError> {
        let mut negotiated = None;
        for extension in answer.split(',').map(str::trim).filter(|extension| !extension.is_empty()) {
            let (name, parameters) = extension.split_once(';').unwrap_or((extension, ""));
            if !name.trim().eq_ignore_ascii_case(EXTENSION) || negotiated.is_some() {
                return Err(ExtensionError::Unrequested);
            }
            negotiated = Some(self.accept_parameters(parameters)?);
        }
        Ok(negotiated)
    }

    /// Makes a server's answer to a client's offers: the value of `Sec-WebSocket-Extensions`, and the agreement. The
    /// first acceptable offer counts. `None` means that no offer is acceptable (RFC 7692 section 5.1).
    pub fn answer(&self, offers: &str) -> Option<(String, Negotiated)> {
        offers.split(',').find_map(|offer| {
            let (name, parameters) = offer.split_once(';').unwrap_or((offer, ""));
            name.trim().eq_ignore_ascii_case(EXTENSION).then(|| self.meet(parameters)).flatten()
        })
    }

    /// Accepts an offer with these parameters. `None` means that it is not acceptable.
    fn meet(&self, parameters: &str) -> Option<(String, Negotiated)> {
        let Parameters { server_no_takeover, client_no_takeover, server_bits, client_bits } =
            Parameters::parse(parameters).ok()?;
        let server_no_takeover = server_no_takeover || self.server_no_context_takeover;
        let client_no_takeover = client_no_takeover || self.client_no_context_takeover;
        let (mut own_bits, mut peer_bits) = (self.server_max_window_bits, WINDOW_BITS_MAX);
        let mut answer = EXTENSION.to_owned();
        if server_no_takeover {
            answer.push_str("; server_no_context_takeover");
        }
        if client_no_takeover {
            answer.push_str("; client_no_context_takeover");
        }
        if let Some(bits) = server_bits {
            own_bits = window_bits(bits?, WINDOW_BITS_MAX).ok()?.min(own_bits);
            answer.push_str(&format!("; server_max_window_bits={own_bits}"));
        }
        // A client that does not send this parameter may not understand a limit (section 7.1.2.2).
        if let Some(bits) = client_bits {
            let offered = bits.map_or(Ok(WINDOW_BITS_MAX), |bits| window_bits(bits, WINDOW_BITS_MAX)).ok()?;
            peer_bits = offered.min(self.client_max_window_bits);
            if peer_bits < WINDOW_BITS_MAX {
                answer.push_str(&format!("; client_max_window_bits={peer_bits}"));
            }
        }
        let negotiated = Negotiated {
            own_context_takeover: !server_no_takeover,
            peer_context_takeover: !client_no_takeover,
            own_window_bits: own_bits,
            peer_window_bits: peer_bits,
            threshold: self.threshold,
        };
        Some((answer, negotiated))
    }

    fn accept_parameters(&self, parameters: &str) -> Result<Negotiated, ExtensionError> {
        let Parameters { server_no_takeover, client_no_takeover, server_bits, client_bits } =
            Parameters::parse(parameters)?;
        let bits = |name, bits: Option<Option<&str>>, offered| {
            let bits = bits.map(|bits| window_bits(bits.ok_or(Fault::Value)?, offered)).transpose();
            bits.map_err(|fault| ExtensionError::Parameter { name, fault })
        };
        let server_bits = bits(SERVER_BITS, server_bits, self.server_max_window_bits)?;
        let client_bits = bits(CLIENT_BITS, client_bits, self.client_max_window_bits)?;
        // The server must confirm each request, or decline the whole offer (sections 7.1.1.1 and 7.1.2.1).
        let missing = |name| ExtensionError::Parameter { name, fault: Fault::Missing };
        if self.server_no_context_takeover && !server_no_takeover {
            return Err(missing(SERVER_NO_TAKEOVER));
        }
        if self.server_max_window_bits < WINDOW_BITS_MAX && server_bits.is_none() {
            return Err(missing(SERVER_BITS));
        }
        Ok(Negotiated {
            own_context_takeover: !(client_no_takeover || self.client_no_context_takeover),
            peer_context_takeover: !server_no_takeover,
            own_window_bits: client_bits.unwrap_or(self.client_max_window_bits),
            peer_window_bits: server_bits.unwrap_or(WINDOW_BITS_MAX),
            threshold: self.threshold,
        })
    }
}

/// The parameters of an offer or an answer (section 7.1), each at most once. A window size may have no value.
#[derive(Default)]
struct Parameters<'a> {
    server_no_takeover: bool,
    client_no_takeover: bool,
    server_bits: Option<Option<&'a str>>,
    client_bits: Option<Option<&'a str>>,
}

impl<'a> Parameters<'a> {
    fn parse(text: &'a str) -> Result<Self, ExtensionError> {
        let mut parameters = Self::default();
        for parameter in text.split(';').map(str::trim).filter(|parameter| !parameter.is_empty()) {
            let (name, value) = match parameter.split_once('=') {
                Some((name, value)) => (name.trim_end(), Some(value.trim().trim_matches('"'))),
                None => (parameter, None),
            };
            let known = [SERVER_NO_TAKEOVER, CLIENT_NO_TAKEOVER, SERVER_BITS, CLIENT_BITS];
            let name =
                known.into_iter().find(|known| *known == name).ok_or(ExtensionError::UnknownParameter)?;
            let seen = match (name, value) {
                (SERVER_NO_TAKEOVER, None) => std::mem::replace(&mut parameters.server_no_takeover, true),
                (CLIENT_NO_TAKEOVER, None) => std::mem::replace(&mut parameters.client_no_takeover, true),
                (SERVER_BITS, bits) => parameters.server_bits.replace(bits).is_some(),
                (CLIENT_BITS, bits) => parameters.client_bits.replace(bits).is_some(),
                _ => return Err(ExtensionError::Parameter { name, fault: Fault::Value }),
            };
            if seen {
                return Err(ExtensionError::Parameter { name, fault: Fault::Twice });
            }
        }
        Ok(parameters)
    }
}

/// Parses a window size: 8 to 15, without leading zeros, and at most the offered size.
fn window_bits(text: &str, offered: u8) -> Result<u8, Fault> {
    let bits = match text {
        "8" | "9" | "10" | "11" | "12" | "13" | "14" | "15" => text.parse().map_err(|_| Fault::Value)?,
        _ => return Err(Fault::Value),
    };
    if bits > offered { Err(Fault::Above) } else { Ok(bits) }
}

/// The fault in the server's `Sec-WebSocket-Extensions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtensionError {
    /// An extension that was not offered, or an extension that came twice.
    Unrequested,
    /// The parameter is not a valid answer to the offer.
    Parameter { name: &'static str, fault: Fault },
    /// A parameter that RFC 7692 does not define.
    UnknownParameter,
}

/// The fault in a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It was requested, but the answer lacks it.
    Missing,
    /// It came more than once.
    Twice,
    /// It has an invalid value, or lacks one.
    Value,
    /// Its window is larger than requested.
    Above,
}

impl fmt::Display for ExtensionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, fault) = match self {
            Self::Unrequested => {
                return f.write_str("the server chose an extension that was not requested (RFC 6455 4.1)");
            }
            Self::UnknownParameter => {
                return f.write_str(
                    "the server's answer to permessage-deflate: unknown parameter (RFC 7692 7.1)",
                );
            }
            Self::Parameter { name, fault } => (name, fault),
        };
        let fault = match fault {
            Fault::Missing => "is missing, though requested",
            Fault::Twice => "is there twice",
            Fault::Value => "has a wrong value",
            Fault::Above => "is larger than requested",
        };
        write!(f, "the server's answer to permessage-deflate: {name} {fault} (RFC 7692 7.1)")
    }
}
