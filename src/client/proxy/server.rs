//! A proxy: as an application names it, and as it can be dialled.

use std::fmt;

use url::Host;

use super::error::ProxyError;
use super::exclusions::Exclusions;

/// RFC 1929 section 2: lengths are one byte.
pub(super) const SOCKS5_CREDENTIAL_BYTES_MAX: usize = 255;

/// How to reach servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proxy {
    /// By the system's default proxy: that of OpenHarmony's network settings; elsewhere that of the environment variables
    /// `http_proxy` for ws, `https_proxy` for wss, `all_proxy` and `no_proxy`.
    #[default]
    System,
    /// Directly.
    None,
    /// By this one.
    Server(ProxyServer),
}

/// A proxy, unchecked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyServer {
    /// How it is spoken to.
    pub protocol: ProxyProtocol,
    /// Its name or address.
    pub host: String,
    /// Its port, not 0.
    pub port: u16,
    /// Destinations to reach directly: names and addresses with wildcards (`*.example.org`, `192.168.*`), domains with all
    /// below them (`.example.org`), networks (`10.0.0.0/8`, `fe80::/10`), each with a port behind a colon or without.
    /// An entry may hold several, separated by commas.
    pub exclusions: Vec<String>,
    /// For a proxy that asks for them.
    pub credentials: Option<Credentials>,
}

/// The protocol of a proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyProtocol {
    /// CONNECT (RFC 9110 section 9.3.6), with Basic or Digest authentication.
    #[default]
    Http,
    /// SOCKS version 5 (RFC 1928). The proxy looks names up.
    Socks5,
}

/// A name and a password. Its `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user's name.
    pub username: String,
    /// The password; may be empty.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

/// A proxy that can be dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::client) struct ResolvedProxy {
    pub(in crate::client) protocol: ProxyProtocol,
    pub(in crate::client) host: Host<String>,
    pub(in crate::client) port: u16,
    pub(in crate::client) credentials: Option<Credentials>,
    pub(super) exclusions: Exclusions,
}

impl ResolvedProxy {
    /// Host and port, for texts.
    pub(in crate::client) fn endpoint(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// What the user of the machine has set is followed as far as it goes.
pub(super) fn warn_of(meaningless: &[&str]) {
    if !meaningless.is_empty() {
        crate::logging::warn(format_args!(
            "{} entries of the system's list of proxy exclusions mean nothing and are left out",
            meaningless.len()
        ));
    }
}

pub(super) fn protocol_of(scheme: &str) -> Result<ProxyProtocol, ProxyError> {
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Ok(ProxyProtocol::Http),
        "socks5" | "socks5h" => Ok(ProxyProtocol::Socks5),
        _ => Err(ProxyError::Setting("its scheme is not http or socks5")),
    }
}

/// A name or an address, which may stand in brackets.
pub(super) fn parse_host(text: &str) -> Option<Host<String>> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    match bare.parse() {
        Ok(std::net::IpAddr::V4(address)) => Some(Host::Ipv4(address)),
        Ok(std::net::IpAddr::V6(address)) => Some(Host::Ipv6(address)),
        Err(_) => Host::parse(text).ok(),
    }
}

/// The authority form of a destination (RFC 9112 section 3.2.3).
pub(super) fn authority(host: &Host<String>, port: u16) -> String {
    format!("{host}:{port}")
}
