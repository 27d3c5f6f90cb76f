//! Raw input of an application, parsed once into a [`Request`] that cannot be wrong.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use url::Host;

use super::destination::{Destination, basic_authorization};
use super::error::{Error, OptionsError, RedirectError};
use super::headers::{RawHeader, is_token};
use super::proxy::{Choice, Credentials, Proxy};
use super::reconnect::{Reconnect, Rewrite};
use super::tls;
use super::tls::TlsOptions;
use crate::protocol::PerMessageDeflate;

/// The most headers an application may add.
pub const HEADER_COUNT_MAX: usize = 8_192;
/// The most bytes those headers may have together, as sent.
pub const HEADER_BYTES_MAX: usize = 65_536;

/// The choices of an application for one connection, unchecked.
#[derive(Clone, Debug)]
pub struct Options {
    /// Headers for the upgrade request, in order. Those of the handshake itself (Upgrade, Connection,
    /// Sec-WebSocket-Key, -Version and -Extensions) are the library's and left out with a warning.
    pub headers: Vec<RawHeader>,
    /// Sub-protocols, comma-separated, preferred first; empty for none.
    pub protocols: String,
    /// How to speak TLS, when the URL asks for it.
    pub tls: TlsOptions,
    /// How to reach the server. Default: by the system's default proxy, if there is one.
    pub proxy: Proxy,
    /// Names and their addresses, comma-separated, which are then not looked up. Default none.
    pub hosts: Vec<(String, String)>,
    /// For Basic authentication (RFC 7617), instead of the URL's. A header `Authorization` comes before both. Default none.
    pub credentials: Option<Credentials>,
    /// How many redirects are followed, at most [`REDIRECTS_MAX`]. None leads from TLS to plain TCP, and what is meant for
    /// one origin alone is not sent to another: `Authorization`, `Cookie` and `Host`, the client's certificate, the name for
    /// TLS. Default 0.
    pub max_redirects: u8,
    /// Name the port in `Origin`, if it is not the scheme's own (RFC 6454 section 6.2). Default no, as on the platform.
    pub origin_port: bool,
    /// Limit of a whole attempt, from the name lookup to the upgrade. Default 15 s.
    pub connect_timeout: Duration,
    /// Limits of its steps. Default none.
    pub phase_timeouts: PhaseTimeouts,
    /// How long to wait for the peer's close frame before the connection is dropped. Default 5 s.
    pub close_timeout: Duration,
    /// Time between pings; `None` for none. Default 30 s.
    pub ping_interval: Option<Duration>,
    /// How long after a ping something must come; `None` for ever. While what was sent before the ping is on its way, and
    /// arrives, the time begins anew. Default 30 s.
    pub pong_timeout: Option<Duration>,
    /// The compression to offer (RFC 7692); `None` for none. Default: with both contexts taken over and full windows.
    pub per_message_deflate: Option<PerMessageDeflate>,
    /// The largest message to receive, in bytes. A larger one ends the connection with 1009. Default 64 MiB.
    pub message_limit: usize,
    /// Hand on messages that do not lie whole in the read buffer in pieces, as they come. Default no.
    pub in_pieces: bool,
    /// Connect again by itself after a failure. Default no.
    pub reconnect: Option<Reconnect>,
    /// How often [`super::Listener::statistics`] is told what was counted; `None` for never. Default never.
    pub statistics_interval: Option<Duration>,
    /// A number that stands in the client's log lines, to find them by that of a HiTrace chain. Default none.
    pub trace_id: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            headers: Vec::new(),
            protocols: String::new(),
            tls: TlsOptions::default(),
            proxy: Proxy::System,
            hosts: Vec::new(),
            credentials: None,
            max_redirects: 0,
            origin_port: false,
            connect_timeout: Duration::from_secs(15),
            phase_timeouts: PhaseTimeouts::default(),
            close_timeout: Duration::from_secs(5),
            ping_interval: Some(Duration::from_secs(30)),
            pong_timeout: Some(Duration::from_secs(30)),
            per_message_deflate: Some(PerMessageDeflate::default()),
            message_limit: 67_108_864,
            in_pieces: false,
            reconnect: None,
            statistics_interval: None,
            trace_id: None,
        }
    }
}

/// Limits of the steps of an attempt; `None` for none but that of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PhaseTimeouts {
    /// Until there is an address.
    pub lookup: Option<Duration>,
    /// Until one of the addresses has answered.
    pub tcp: Option<Duration>,
    /// For the tunnel through a proxy.
    pub proxy: Option<Duration>,
    /// For the TLS handshake.
    pub tls: Option<Duration>,
    /// For the upgrade.
    pub upgrade: Option<Duration>,
}

/// The most redirects that are followed.
pub const REDIRECTS_MAX: u8 = 5;

/// How to follow redirects.
#[derive(Clone, Debug)]
pub(super) struct Redirects {
    pub(super) left: u8,
    /// For a redirect to TLS.
    pub(super) tls: TlsOptions,
}

/// An attempt that can be dialled.
#[derive(Clone, Debug)]
pub struct Request {
    /// `None` for plain TCP.
    pub(super) tls: Option<TlsOptions>,
    pub(super) proxy: Choice,
    pub(super) hosts: Vec<(String, Vec<IpAddr>)>,
    pub(super) destination: Destination,
    /// The destination's, when it is another than the application began with.
    pub(super) url: Option<Box<str>>,
    pub(super) redirects: Option<Box<Redirects>>,
    pub(super) origin_port: bool,
    /// All headers to send besides the handshake's own.
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) protocols: Vec<String>,
    pub(super) connect_timeout: Duration,
    pub(super) phase_timeouts: PhaseTimeouts,
    pub(super) close_timeout: Duration,
    pub(super) ping_interval: Option<Duration>,
    pub(super) pong_timeout: Option<Duration>,
    pub(super) per_message_deflate: Option<PerMessageDeflate>,
    pub(super) message_limit: usize,
    pub(super) in_pieces: bool,
    pub(super) reconnect: Option<Box<Again>>,
    pub(super) statistics_interval: Option<Duration>,
    pub(super) trace_id: Option<u64>,
}

/// What a later attempt of the same client needs.
#[derive(Clone)]
pub(super) struct Again {
    pub(super) policy: Reconnect,
    url: String,
    options: Options,
}

/// A URL and headers may hold credentials.
impl fmt::Debug for Again {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Again").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Request {
    /// Checks a URL and options.
    pub fn parse(url: &str, options: Options) -> Result<Self, OptionsError> {
        let again = options
            .reconnect
            .clone()
            .map(|policy| Box::new(Again { policy, url: url.to_owned(), options: options.clone() }));
        let Options {
            headers,
            protocols,
            tls,
            proxy,
            hosts,
            credentials,
            max_redirects,
            origin_port,
            connect_timeout,
            phase_timeouts,
            close_timeout,
            ping_interval,
            pong_timeout,
            per_message_deflate,
            message_limit,
            in_pieces,
            reconnect: _,
            statistics_interval,
            trace_id,
        } = options;
        let mut destination = Destination::parse(url).map_err(OptionsError::Url)?;
        if per_message_deflate.as_ref().is_some_and(|deflate| !deflate.is_valid()) {
            return Err(OptionsError::WindowBits);
        }
        if max_redirects > REDIRECTS_MAX {
            return Err(OptionsError::Redirects);
        }
        let mut protocols = split_protocols(&protocols)?;
        let mut headers = parse_headers(headers, &mut protocols)?;
        let own = credentials.map(|Credentials { username, password }| {
            basic_authorization(username.as_bytes(), password.as_bytes())
        });
        if let Some(authorization) = own.or(destination.authorization.take())
            && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
        {
            headers.push(("Authorization".to_owned(), authorization.into_bytes()));
        }
        let redirects =
            (max_redirects > 0).then(|| Box::new(Redirects { left: max_redirects, tls: tls.clone() }));
        Ok(Self {
            tls: destination.secure.then_some(tls),
            proxy: Choice::parse(proxy)?,
            hosts: parse_hosts(hosts)?,
            destination,
            url: None,
            redirects,
            origin_port,
            headers,
            protocols,
            connect_timeout,
            phase_timeouts,
            close_timeout,
            ping_interval,
            pong_timeout,
            per_message_deflate,
            message_limit,
            in_pieces,
            reconnect: again,
            statistics_interval,
            trace_id,
        })
    }

    /// The error of the first certificate file that is not there, which the attempt would end with: for a face that is to tell at once.
    pub fn missing_file(&self) -> Option<Error> {
        self.tls.as_ref()?.files().find_map(|path| tls::changed(path).err())
    }

    /// The request of a later attempt, changed as the application wants it.
    pub(super) fn rewritten(&self, rewrite: Rewrite) -> Result<Self, OptionsError> {
        let Some(again) = &self.reconnect else { return Ok(self.clone()) };
        let Again { policy: _, url, mut options } = Again::clone(again);
        let Rewrite { url: other, headers } = rewrite;
        let leaves = |other| Destination::parse(other).is_ok_and(|to| !self.destination.is_origin_of(&to));
        if other.as_deref().is_some_and(leaves) {
            options.headers.retain(|(name, _)| !belongs_to_origin(name));
            options.credentials = None;
        }
        options.headers.retain(|(name, _)| !headers.iter().any(|(new, _)| new.eq_ignore_ascii_case(name)));
        options.headers.extend(headers);
        let elsewhere = other.is_some();
        let mut request = Self::parse(&other.unwrap_or(url), options)?;
        request.url = if elsewhere { Some(request.destination.url().into()) } else { self.url.clone() };
        Ok(request)
    }

    /// Whether its client wants to hear of changes of the network.
    pub(super) fn watches_network(&self) -> bool {
        self.reconnect.as_ref().is_some_and(|again| again.policy.watch_network)
    }

    /// Whether the host is a name, which may lead to several addresses.
    pub(super) fn has_name(&self) -> bool {
        matches!(self.destination.host, Host::Domain(_))
    }

    /// Host and port, for texts and logs: never the path, the query or credentials.
    pub fn endpoint(&self) -> String {
        self.destination.to_string()
    }

    /// The request that a redirect asks for, or `None` when it is not to be followed.
    pub(super) fn redirected(&self, location: &str) -> Option<Result<Self, RedirectError>> {
        let redirects = self.redirects.as_deref()?;
        let Some(left) = redirects.left.checked_sub(1) else { return Some(Err(RedirectError::TooMany)) };
        let destination = match self.destination.resolve(location) {
            Ok(destination) => destination,
            Err(cause) => return Some(Err(RedirectError::Location(cause))),
        };
        if self.destination.secure && !destination.secure {
            return Some(Err(RedirectError::Insecure));
        }
        let mut request = self.clone();
        let mut tls = redirects.tls.clone();
        if !self.destination.is_origin_of(&destination) {
            request.headers.retain(|(name, _)| !belongs_to_origin(name.as_bytes()));
            tls.client_certificate = None;
            tls.server_name = None;
        }
        request.redirects = Some(Box::new(Redirects { left, tls: tls.clone() }));
        request.tls = destination.secure.then_some(tls);
        request.url = Some(destination.url().into());
        request.destination = destination;
        Some(Ok(request))
    }
}

/// Whether a header of this name was meant for one origin (RFC 6454) and no other.
fn belongs_to_origin(name: &[u8]) -> bool {
    ["authorization", "cookie", "host"].iter().any(|own| name.eq_ignore_ascii_case(own.as_bytes()))
}

/// Whether [`Options::hosts`] are good.
pub fn check_hosts(hosts: &[(String, String)]) -> Result<(), OptionsError> {
    parse_hosts(hosts.to_vec()).map(|_| ())
}

/// The static addresses of names.
fn parse_hosts(hosts: Vec<(String, String)>) -> Result<Vec<(String, Vec<IpAddr>)>, OptionsError> {
    let parse = |(name, addresses): (String, String)| {
        let parsed: Option<Vec<IpAddr>> =
            addresses.split(',').map(|address| address.trim().parse().ok()).collect();
        match (Host::parse(&name), parsed) {
            (Ok(Host::Domain(name)), Some(addresses)) => Ok((name, addresses)),
            _ => Err(OptionsError::Hosts { name }),
        }
    };
    hosts.into_iter().map(parse).collect()
}

fn split_protocols(list: &str) -> Result<Vec<String>, OptionsError> {
    let mut protocols: Vec<String> = Vec::new();
    if list.trim().is_empty() {
        return Ok(protocols);
    }
    for (index, name) in list.split(',').map(str::trim).enumerate() {
        if !is_token(name.as_bytes()) || protocols.iter().any(|known| known == name) {
            return Err(OptionsError::Protocol { index });
        }
        protocols.push(name.to_owned());
    }
    Ok(protocols)
}

/// Headers fit to send. `Sec-WebSocket-Protocol` among them adds to the sub-protocols, since the platform's C
/// interface has no other way to ask for one.
fn parse_headers(
    raw: Vec<RawHeader>,
    protocols: &mut Vec<String>,
) -> Result<Vec<(String, Vec<u8>)>, OptionsError> {
    if raw.len() > HEADER_COUNT_MAX {
        return Err(OptionsError::TooManyHeaders);
    }
    let bytes: usize = raw.iter().map(|(name, value)| name.len() + value.len() + ": \r\n".len()).sum();
    if bytes > HEADER_BYTES_MAX {
        return Err(OptionsError::HeadersTooLong);
    }
    let mut headers = Vec::with_capacity(raw.len());
    for (index, (name, value)) in raw.into_iter().enumerate() {
        let name = String::from_utf8(name)
            .ok()
            .filter(|name| is_token(name.as_bytes()))
            .ok_or(OptionsError::HeaderName { index })?;
        if value.iter().any(|&byte| (byte < 0x20 && byte != b'\t') || byte == 0x7f) {
            return Err(OptionsError::HeaderValue { name });
        }
        match name.to_ascii_lowercase().as_str() {
            "upgrade"
            | "connection"
            | "sec-websocket-key"
            | "sec-websocket-version"
            | "sec-websocket-extensions" => {
                crate::logging::warn(format_args!(
                    "header {name} is set by the library; the given one is left out"
                ));
            }
            "sec-websocket-protocol" => {
                let list = String::from_utf8_lossy(&value).into_owned();
                for protocol in split_protocols(&list)? {
                    if !protocols.contains(&protocol) {
                        protocols.push(protocol);
                    }
                }
            }
            _ => headers.push((name, value)),
        }
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Request {
        Request::parse(url, Options::default()).expect("a good URL")
    }

    fn refuse(url: &str) -> String {
        Request::parse(url, Options::default()).expect_err("a bad URL").to_string()
    }

    #[test]
    fn reads_the_parts_of_a_url() {
        let request = parse("ws://example.org");
        assert_eq!(
            (
                request.destination.authority.as_str(),
                request.destination.port,
                request.destination.target.as_str()
            ),
            ("example.org", 80, "/")
        );
        assert!(request.tls.is_none());
        let request = parse("wss://example.org/a%20b?x=1&y#fragment");
        assert_eq!((request.destination.authority.as_str(), request.destination.port), ("example.org", 443));
        assert_eq!(request.destination.target, "/a%20b?x=1&y");
        assert!(request.tls.is_some());
        assert_eq!(parse("ws://h?x=1").destination.target, "/?x=1");
        assert_eq!(parse("ws://[::1]:9/").destination.authority, "[::1]:9");
        assert_eq!(parse("http://h:8080/").destination.authority, "h:8080");
        assert_eq!(parse("https://h:443/").destination.authority, "h");
        assert_eq!(parse("ws://bücher.example/").destination.authority, "xn--bcher-kva.example");
    }

    #[test]
    fn takes_credentials_from_the_header_then_the_options_then_the_url() {
        let credentials = Some(Credentials { username: "o".to_owned(), password: String::new() });
        let own = (b"authorization".to_vec(), b"Bearer t".to_vec());
        let options = Options { credentials, ..Options::default() };
        let request = Request::parse("ws://u:p@h/", options.clone()).expect("good");
        assert_eq!(request.headers, [("Authorization".to_owned(), b"Basic bzo=".to_vec())]);
        let options = Options { headers: vec![own], ..options };
        let request = Request::parse("ws://u:p@h/", options).expect("good");
        assert_eq!(request.headers, [("authorization".to_owned(), b"Bearer t".to_vec())]);
    }

    #[test]
    fn makes_basic_credentials_of_userinfo() {
        let request = parse("ws://al%40ice:p%3Ass@h/");
        assert_eq!(request.headers, [("Authorization".to_owned(), b"Basic YWxAaWNlOnA6c3M=".to_vec())]);
        assert_eq!(request.destination.authority, "h");
        assert_eq!(request.endpoint(), "h:80");
    }

    #[test]
    fn refuses_urls_it_cannot_dial() {
        for url in [
            "",
            "www.example.com",
            "ftp://h/",
            "mailto:a@b",
            "ws://",
            "ws:///h",
            "ws:h",
            "ws:// h/",
            "ws://h:99999/",
        ] {
            assert!(refuse(url).starts_with("url: "), "{url}");
        }
        assert!(
            refuse(&format!("ws://h/{}", "x".repeat(crate::client::URL_BYTES_MAX)))
                .contains("longer than 8196 bytes")
        );
    }

    #[test]
    fn refuses_headers_that_could_split_the_request() {
        let refused = |name: &[u8], value: &[u8]| {
            let options = Options { headers: vec![(name.to_vec(), value.to_vec())], ..Options::default() };
            Request::parse("ws://h/", options).expect_err("a bad header").to_string()
        };
        assert!(refused(b"X\r\nY", b"v").contains("header 0"));
        assert!(refused(b"", b"v").contains("not a token"));
        let text = refused(b"X-Token", b"secret\r\nEvil: 1");
        assert!(text.contains("X-Token") && !text.contains("secret"), "{text}");
        assert!(refused(b"X", b"a\0b").contains("control character"));
    }

    #[test]
    fn a_rewrite_replaces_headers_of_the_same_name_and_holds_for_later_ones() {
        let header = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
        let options = Options {
            headers: vec![header("X-Kept", "1"), header("Authorization", "old")],
            reconnect: Some(Reconnect::default()),
            ..Options::default()
        };
        let first = Request::parse("ws://h/", options).expect("good");
        let rewrite = Rewrite { url: None, headers: vec![header("authorization", "new")] };
        let second = first.rewritten(rewrite).expect("good");
        let expected = [("X-Kept".to_owned(), b"1".to_vec()), ("authorization".to_owned(), b"new".to_vec())];
        assert_eq!(second.headers, expected);
        let rewrite = Rewrite { url: Some("wss://other:444/b".to_owned()), headers: Vec::new() };
        let third = second.rewritten(rewrite).expect("good");
        assert_eq!((third.endpoint().as_str(), third.tls.is_some()), ("other:444", true));
        // Of another origin, unless it is given anew.
        assert_eq!(third.headers, expected[..1]);
        let given = Rewrite { url: Some("wss://h/".to_owned()), headers: vec![header("Cookie", "a=b")] };
        let fourth = third.rewritten(given).expect("good");
        assert_eq!(fourth.headers, [expected[0].clone(), ("Cookie".to_owned(), b"a=b".to_vec())]);
        let same = Rewrite { url: Some("wss://h:443/c".to_owned()), headers: Vec::new() };
        assert_eq!(fourth.rewritten(same).expect("good").headers, fourth.headers);
        assert!(third.rewritten(Rewrite { url: Some("ftp://h".to_owned()), headers: Vec::new() }).is_err());
    }

    #[test]
    fn takes_sub_protocols_from_the_option_and_the_header() {
        let options = Options {
            protocols: "chat, superchat".to_owned(),
            headers: vec![(b"Sec-WebSocket-Protocol".to_vec(), b"chat,mqtt".to_vec())],
            ..Options::default()
        };
        let request = Request::parse("ws://h/", options).expect("good options");
        assert_eq!(request.protocols, ["chat", "superchat", "mqtt"]);
        assert!(request.headers.is_empty());
        for list in ["a,,b", "a,a", "sp ace", ","] {
            let options = Options { protocols: list.to_owned(), ..Options::default() };
            assert!(
                matches!(Request::parse("ws://h/", options), Err(OptionsError::Protocol { .. })),
                "{list}"
            );
        }
    }

    #[test]
    fn follows_redirects_to_tls_and_never_from_it() {
        let tls = TlsOptions {
            client_certificate: Some(crate::client::ClientCertificate {
                certificate: "c.pem".into(),
                key: "k.pem".into(),
                password: None,
            }),
            ..TlsOptions::default()
        };
        let options = Options { tls, max_redirects: 2, ..Options::default() };
        let plain = Request::parse("ws://h/", options.clone()).expect("good");
        let secure = plain.redirected("https://h/x").expect("asked for").expect("good");
        let own = secure.tls.as_ref().expect("TLS");
        assert!(own.client_certificate.is_none(), "another origin");
        assert_eq!(secure.redirected("ws://h/").expect("asked for").err(), Some(RedirectError::Insecure));
        let same = Request::parse("wss://h/", options).expect("good").redirected("/y");
        let same = same.expect("asked for").expect("good");
        assert!(same.tls.is_some_and(|tls| tls.client_certificate.is_some()), "the same origin");
        assert!(parse("ws://h/").redirected("/").is_none(), "nobody asked for it");
    }
}
