//! Parses the text of a URL into the server that it names (RFC 6455 section 3, RFC 3986, RFC 6874).

use std::borrow::Cow;
use std::fmt;

use url::{Host, Position, Url};

use super::plain_url::PlainUrl;
use super::rfc4648::base64;

/// The longest URL, in bytes.
pub const URL_BYTES_MAX: usize = 8_196;
/// The longest zone; names of network interfaces are shorter.
const ZONE_BYTES_MAX: usize = 64;

/// The error of a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// Longer than [`URL_BYTES_MAX`].
    TooLong,
    /// Not an absolute URL (RFC 3986).
    Malformed(String),
    /// Without a scheme; with one it would be a URL.
    NoScheme,
    /// Neither ws, wss, http nor https.
    Scheme,
    /// Without a host.
    Host,
    /// With a fragment, which the web's WebSocket refuses.
    Fragment,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "url: longer than {} bytes", URL_BYTES_MAX),
            Self::Malformed(cause) => write!(f, "url: {cause}"),
            Self::NoScheme => f.write_str("url: ws:// or wss:// is missing before the host"),
            Self::Scheme => f.write_str("url: the scheme is not ws, wss, http or https"),
            Self::Host => f.write_str("url: the host is missing"),
            Self::Fragment => f.write_str("url: it must not have a fragment (from # on)"),
        }
    }
}

impl std::error::Error for UrlError {}

/// A URL as the web's WebSocket accepts and shows it (WHATWG WebSockets section 3.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl {
    /// The whole, with ws or wss as its scheme.
    pub href: String,
    /// Scheme, host and port. A default port is left out.
    pub origin: String,
}

/// Parses a URL by the rules of the web. They accept some URLs that [`super::Request::parse`] refuses, and refuse a
/// fragment. `base` is the page that a relative URL belongs to.
pub fn parse_web_url(text: &str, base: Option<&str>) -> Result<WebUrl, UrlError> {
    if text.len() > URL_BYTES_MAX {
        return Err(UrlError::TooLong);
    }
    let base = base.and_then(|base| Url::parse(base).ok());
    let mut url = Url::options().base_url(base.as_ref()).parse(text).map_err(|error| match error {
        url::ParseError::EmptyHost => UrlError::Host,
        url::ParseError::RelativeUrlWithoutBase => UrlError::NoScheme,
        other => UrlError::Malformed(other.to_string()),
    })?;
    let scheme = match url.scheme() {
        "ws" | "http" => "ws",
        "wss" | "https" => "wss",
        _ => return Err(UrlError::Scheme),
    };
    url.set_scheme(scheme).map_err(|()| UrlError::Scheme)?;
    if url.fragment().is_some() {
        return Err(UrlError::Fragment);
    }
    Ok(WebUrl { origin: url.origin().ascii_serialization(), href: url.into() })
}

/// The parts of a URL.
#[derive(Clone)]
pub(super) struct Destination {
    /// Whether to use TLS.
    pub(super) secure: bool,
    pub(super) host: Host<String>,
    /// The network interface of an IPv6 address. It stays on this device (RFC 6874 section 4).
    pub(super) zone: Option<String>,
    pub(super) port: u16,
    /// The Host header: the name as in the URL, and the port unless it is the scheme's default.
    pub(super) authority: String,
    /// Path and query.
    pub(super) target: String,
    /// The userinfo, as the value of `Authorization`.
    pub(super) authorization: Option<String>,
}

/// Path, query and userinfo are private.
impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Destination").field(&format_args!("{self}")).finish()
    }
}

/// Host and port, for texts and logs: never the path, the query or credentials.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.host, &self.zone) {
            (Host::Ipv6(address), Some(zone)) => write!(f, "[{address}%{zone}]:{}", self.port),
            _ => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

impl Destination {
    pub(super) fn parse(text: &str) -> Result<Self, UrlError> {
        if text.len() > URL_BYTES_MAX {
            return Err(UrlError::TooLong);
        }
        if let Some(plain) = PlainUrl::parse(text) {
            return Ok(Self::of_plain(&plain));
        }
        Self::absolute(text).map_err(|error| match starts_with_host(text) {
            true => UrlError::NoScheme,
            false => error,
        })
    }

    fn of_plain(url: &PlainUrl<'_>) -> Self {
        let PlainUrl { secure, ref host, port, authority, target } = *url;
        let (authority, target) = (authority.to_owned(), target.to_owned());
        Self { secure, host: host.to_owned(), zone: None, port, authority, target, authorization: None }
    }

    fn absolute(text: &str) -> Result<Self, UrlError> {
        let (plain, zone) = split_zone(text)?;
        let url = Url::parse(&plain).map_err(|error| match error {
            url::ParseError::EmptyHost => UrlError::Host,
            other => UrlError::Malformed(other.to_string()),
        })?;
        let destination = Self::of(&url, zone)?;
        // The parser follows browsers and finds a host in `ws:///h` and `ws:h`; RFC 3986 section 3.2 does not.
        let authority = text.trim_start().get(url.scheme().len()..).and_then(|rest| rest.strip_prefix("://"));
        if authority.is_none_or(|authority| authority.starts_with(['/', '\\'])) {
            return Err(UrlError::Host);
        }
        Ok(destination)
    }

    /// Resolves a reference of the server at `self` (RFC 3986 section 5).
    pub(super) fn resolve(&self, reference: &str) -> Result<Self, UrlError> {
        if reference.len() > URL_BYTES_MAX {
            return Err(UrlError::TooLong);
        }
        let malformed = |error: url::ParseError| UrlError::Malformed(error.to_string());
        let scheme = if self.secure { "wss" } else { "ws" };
        let base = Url::parse(&format!("{scheme}://{}{}", self.authority, self.target)).map_err(malformed)?;
        let url = base.join(reference).map_err(malformed)?;
        let other = Self::of(&url, None)?;
        let zone = self.zone.clone().filter(|_| other.host == self.host);
        Ok(Self { zone, ..other })
    }

    /// Whether `other` has the same origin (RFC 6454 section 5).
    pub(super) fn is_origin_of(&self, other: &Self) -> bool {
        (self.secure, &self.host, self.port) == (other.secure, &other.host, other.port)
    }

    /// Whether it is this device, by address or by the name that always means it (RFC 6761 section 6.3).
    pub(super) fn is_local(&self) -> bool {
        match &self.host {
            Host::Ipv4(address) => address.is_loopback(),
            Host::Ipv6(address) => address.to_canonical().is_loopback(),
            Host::Domain(name) => {
                let name = name.trim_end_matches('.');
                name == "localhost" || name.ends_with(".localhost")
            }
        }
    }

    fn of(url: &Url, zone: Option<String>) -> Result<Self, UrlError> {
        let secure = match url.scheme() {
            "ws" | "http" => false,
            "wss" | "https" => true,
            _ => return Err(UrlError::Scheme),
        };
        let host = url.host().ok_or(UrlError::Host)?.to_owned();
        let authority = url[Position::BeforeHost..Position::AfterPort].to_owned();
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let has_userinfo = !url.username().is_empty() || url.password().is_some();
        let authorization = has_userinfo.then(|| {
            let (username, password) = (url.username(), url.password().unwrap_or_default());
            basic_authorization(&percent_decode(username), &percent_decode(password))
        });
        let port = url.port_or_known_default().ok_or(UrlError::Scheme)?;
        Ok(Self { secure, host, zone, port, authority, target, authorization })
    }

    /// The URL, without userinfo.
    pub(super) fn url(&self) -> String {
        let Self { secure, host, zone, port: _, authority, target, authorization: _ } = self;
        let scheme = if *secure { "wss" } else { "ws" };
        match (host, zone) {
            // RFC 6874 section 2.
            (Host::Ipv6(address), Some(zone)) => {
                let port = authority.rsplit_once(']').map_or("", |(_, port)| port);
                format!("{scheme}://[{address}%25{zone}]{port}{target}")
            }
            _ => format!("{scheme}://{authority}{target}"),
        }
    }

    /// Scheme, host and port (RFC 6454 section 6.2), for texts.
    pub(super) fn origin(&self) -> String {
        format!("{}://{self}", if self.secure { "wss" } else { "ws" })
    }

    /// The host as in the URL.
    pub(super) fn host_text(&self) -> &str {
        match self.authority.rsplit_once(':') {
            // The text after the colon is the end of an IPv6 address, not a port.
            Some((_, behind)) if behind.ends_with(']') => &self.authority,
            Some((host, _)) => host,
            None => &self.authority,
        }
    }
}

/// Whether a text that is not a URL begins with a host and an optional port, like `127.0.0.1:8080/chat`. `ws:h` has a
/// scheme, but lacks the two slashes.
fn starts_with_host(text: &str) -> bool {
    let scheme = text.split(':').next().unwrap_or_default();
    let is_scheme = ["ws", "wss", "http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let authority = text.split(['/', '?', '#']).next().unwrap_or_default();
    let has_scheme = text.contains("://") || (is_scheme && authority.contains(':'));
    !has_scheme && Destination::absolute(&format!("ws://{text}")).is_ok()
}

/// Splits a URL into the URL without a zone and the zone of its IPv6 address, which the parser does not know. RFC 6874
/// section 2 requires `%25` before the zone. A bare `%`, the form of the system's tools, is accepted too.
fn split_zone(text: &str) -> Result<(Cow<'_, str>, Option<String>), UrlError> {
    let plain = (Cow::Borrowed(text), None);
    let Some((scheme, rest)) = text.split_once("://") else { return Ok(plain) };
    let authority = &rest[..rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len())];
    let host_at = authority.rfind('@').map_or(0, |at| at + 1);
    let literal = authority[host_at..].strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let Some((address, zone)) = literal.and_then(|(literal, _)| literal.split_once('%')) else {
        return Ok(plain);
    };
    let zone = zone.strip_prefix("25").filter(|zone| !zone.is_empty()).unwrap_or(zone);
    let zone = String::from_utf8(percent_decode(zone)).unwrap_or_default();
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"%/\\[]@?#".contains(&byte);
    if zone.is_empty() || zone.len() > ZONE_BYTES_MAX || !zone.bytes().all(fits) {
        return Err(UrlError::Malformed("the zone of its IPv6 address is invalid (RFC 6874)".to_owned()));
    }
    let behind = &authority[host_at..];
    let behind = &behind[behind.find(']').unwrap_or(behind.len())..];
    let after = &rest[authority.len()..];
    let without = format!("{scheme}://{}[{address}{behind}{after}", &authority[..host_at]);
    Ok((Cow::Owned(without), Some(zone)))
}

/// RFC 7617 section 2.
pub(super) fn basic_authorization(username: &[u8], password: &[u8]) -> String {
    format!("Basic {}", base64(&[username, b":", password].concat()))
}

pub(super) fn percent_decode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte == b'%'
            && let Some(hex) = tail.first_chunk::<2>()
            && let Some(value) =
                std::str::from_utf8(hex).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok())
        {
            out.push(value);
            rest = &tail[2..];
        } else {
            out.push(*byte);
        }
    }
    out
}

#[cfg(test)]
mod tests;
