//! A proxy, in the application's form and in the form to dial.

use std::fmt;

use url::Host;

use super::error::ProxyError;
use super::exclusions::Exclusions;

/// RFC 1929 section 2: lengths are one byte.
pub(super) const SOCKS5_CREDENTIAL_BYTES_MAX: usize = 255;

/// How to reach servers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proxy {
    /// By the system's default proxy. On OpenHarmony it is that of the network settings. Elsewhere it is that of
    /// `http_proxy` (ws), `https_proxy` (wss) or `all_proxy`, with `no_proxy`.
    #[default]
    System,
    /// Directly.
    None,
    /// By this proxy.
    Server(ProxyServer),
}

/// A proxy, not validated.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyServer {
    /// Its protocol.
    pub protocol: ProxyProtocol,
    /// Its name or address, or `[scheme://][user[:password]@]host[:port][/]`, as on the platform. Nothing in it is
    /// percent-encoded.
    pub host: String,
    /// Its port. 0 if the host has one.
    pub port: u16,
    /// Destinations to reach directly. Names and addresses may have wildcards (`*.example.org`, `192.168.*`).
    /// `.example.org` is a domain with its subdomains. `10.0.0.0/8` and `fe80::/10` are networks. Each may have a port
    /// after a colon. An entry may hold several, separated by commas.
    pub exclusions: Vec<String>,
    /// The credentials, for a proxy that requires them.
    pub credentials: Option<Credentials>,
}

/// The protocol of a proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProxyProtocol {
    /// CONNECT (RFC 9110 section 9.3.6), with Basic or Digest authentication.
    #[default]
    Http,
    /// SOCKS version 5 (RFC 1928). The proxy resolves names.
    Socks5,
}

/// The host may hold a password.
impl fmt::Debug for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, port, .. } = self;
        f.debug_struct("ProxyServer").field("protocol", protocol).field("port", port).finish_non_exhaustive()
    }
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

/// Warns of invalid entries. The rest of the setting applies.
pub(super) fn warn_of(meaningless: &[&str]) {
    if !meaningless.is_empty() {
        crate::logging::warn(format_args!(
            "{} invalid entries of a list of proxy exclusions are ignored",
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

/// The parts of a proxy's host option.
#[derive(PartialEq, Eq)]
pub(super) struct WrittenHost {
    /// The protocol of the scheme, if there is one.
    pub(super) protocol: Option<ProxyProtocol>,
    pub(super) credentials: Option<Credentials>,
    pub(super) host: Host<String>,
    pub(super) port: Option<u16>,
}

/// `[scheme://][user[:password]@]host[:port][/]`. Percent-encoding is not decoded, as on the platform.
pub(super) fn parse_written(text: &str) -> Result<WrittenHost, ProxyError> {
    let (protocol, rest) = match text.trim().split_once("://") {
        Some((scheme, rest)) => (Some(protocol_of(scheme)?), rest),
        None => (None, text.trim()),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (credentials, rest) = match rest.rsplit_once('@') {
        Some((userinfo, rest)) => {
            let (username, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
            (Some(Credentials { username: username.to_owned(), password: password.to_owned() }), rest)
        }
        None => (None, rest),
    };
    let credentials = credentials.filter(|credentials| !credentials.username.is_empty());
    let (host, port) = match rest.rsplit_once(':') {
        // An IPv6 address without brackets has no port.
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            (host, Some(port.parse().map_err(|_| ProxyError::Setting("its port is not a port number"))?))
        }
        _ => (rest, None),
    };
    let host = parse_host(host).ok_or(ProxyError::Setting("its host is not a name or an address"))?;
    Ok(WrittenHost { protocol, credentials, host, port })
}

/// A name or an address, with or without brackets.
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
