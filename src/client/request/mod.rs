//! Parses an application's input once into a [`Request`], which is always valid.

mod error;
mod options;
mod parse;
mod rewrite;

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use url::Host;

pub use self::error::{OptionsError, RedirectError};
pub use self::options::{
    HEADER_BYTES_MAX, HEADER_COUNT_MAX, Options, PhaseTimeouts, REDIRECTS_MAX, SessionOptions,
};
pub use self::parse::check_hosts;
pub use self::rewrite::{Preparation, Rewrite};

pub(in crate::client) use self::parse::without_root;
use self::parse::{parse_headers, parse_hosts, split_protocols};
use super::destination::{Destination, basic_authorization};
use super::proxy::{Credentials, ProxySelection};
use super::reconnect::Reconnect;
use super::tls::{self, TlsOptions, TrustError};

/// An attempt that can be dialled.
#[derive(Clone, Debug)]
pub struct Request {
    /// For the destination, or for one that it redirects to.
    pub(in crate::client) tls: TlsOptions,
    pub(in crate::client) proxy: ProxySelection,
    pub(in crate::client) hosts: Vec<(String, Vec<IpAddr>)>,
    pub(in crate::client) destination: Destination,
    /// The URL, if it differs from the application's.
    pub(in crate::client) url: Option<Box<str>>,
    /// How many redirects are still followed; `None` when none was ever to be.
    pub(in crate::client) redirects: Option<u8>,
    pub(in crate::client) origin_port: bool,
    /// All headers to send in addition to the handshake's own.
    pub(in crate::client) headers: Vec<(String, Vec<u8>)>,
    pub(in crate::client) protocols: Vec<String>,
    pub(in crate::client) protocol_required: bool,
    pub(in crate::client) connect_timeout: Duration,
    pub(in crate::client) phase_timeouts: PhaseTimeouts,
    pub(in crate::client) session: SessionOptions,
    pub(in crate::client) reconnect: Option<Box<RetryTemplate>>,
    pub(in crate::client) trace_id: Option<u64>,
}

/// The part that a later attempt of the same client needs.
#[derive(Clone)]
pub(in crate::client) struct RetryTemplate {
    pub(in crate::client) policy: Reconnect,
    url: String,
    options: Options,
}

/// A URL and headers may hold credentials.
impl fmt::Debug for RetryTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryTemplate").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl Request {
    /// Checks a URL and options.
    pub fn parse(url: &str, options: Options) -> Result<Self, OptionsError> {
        let template = options
            .reconnect
            .clone()
            .map(|policy| Box::new(RetryTemplate { policy, url: url.to_owned(), options: options.clone() }));
        let Options {
            headers,
            protocols,
            protocol_required,
            tls,
            proxy,
            hosts,
            credentials,
            max_redirects,
            origin_port,
            connect_timeout,
            phase_timeouts,
            session,
            reconnect: _,
            trace_id,
        } = options;
        let mut destination = Destination::parse(url).map_err(OptionsError::Url)?;
        if session.per_message_deflate.as_ref().is_some_and(|deflate| !deflate.is_valid()) {
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
        Ok(Self {
            tls,
            proxy: ProxySelection::parse(proxy)?,
            hosts: parse_hosts(hosts)?,
            destination,
            url: None,
            redirects: Some(max_redirects).filter(|max| *max > 0),
            origin_port,
            headers,
            protocol_required: protocol_required && !protocols.is_empty(),
            protocols,
            connect_timeout,
            phase_timeouts,
            session,
            reconnect: template,
            trace_id,
        })
    }

    /// The error of the first missing certificate file, for an API that reports it at once. The attempt would end with the same
    /// error.
    pub fn missing_file(&self) -> Option<TrustError> {
        let mut files = self.destination.secure.then(|| self.tls.files()).into_iter().flatten();
        files.find_map(|path| tls::file_stamp(path).err().filter(|error| !error.is_shortage))
    }

    /// The request of a later attempt, with the application's changes.
    pub(in crate::client) fn rewritten(&self, rewrite: Rewrite) -> Result<Self, OptionsError> {
        let Some(template) = &self.reconnect else { return Ok(self.clone()) };
        let RetryTemplate { policy: _, url, mut options } = RetryTemplate::clone(template);
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

    /// Whether its client watches the network.
    pub(in crate::client) fn watches_network(&self) -> bool {
        self.reconnect.as_ref().is_some_and(|template| template.policy.watch_network)
    }

    /// Whether the host is a name, which may lead to several addresses.
    pub(in crate::client) fn has_name(&self) -> bool {
        matches!(self.destination.host, Host::Domain(_))
    }

    /// Host and port, for texts and logs: never the path, the query or credentials.
    pub fn endpoint(&self) -> String {
        self.destination.to_string()
    }

    /// The request after a redirect.
    pub(in crate::client) fn redirected(&self, location: &str) -> Result<Self, RedirectError> {
        let resolve = || self.destination.resolve(location).map_err(RedirectError::Location);
        let Some(left) = self.redirects else {
            return Err(RedirectError::Unasked(resolve()?.origin()));
        };
        let left = left.checked_sub(1).ok_or(RedirectError::TooMany)?;
        let destination = resolve()?;
        if self.destination.secure && !destination.secure {
            return Err(RedirectError::Insecure);
        }
        let mut request = self.clone();
        if !self.destination.is_origin_of(&destination) {
            request.headers.retain(|(name, _)| !belongs_to_origin(name.as_bytes()));
            request.tls.client_certificate = None;
            request.tls.server_name = None;
        }
        request.redirects = Some(left);
        request.url = Some(destination.url().into());
        request.destination = destination;
        Ok(request)
    }
}

/// Whether a header of this name belongs to one origin (RFC 6454) alone.
fn belongs_to_origin(name: &[u8]) -> bool {
    ["authorization", "cookie", "host"].iter().any(|own| name.eq_ignore_ascii_case(own.as_bytes()))
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
        assert!(!request.destination.secure);
        let request = parse("wss://example.org/a%20b?x=1&y#fragment");
        assert_eq!((request.destination.authority.as_str(), request.destination.port), ("example.org", 443));
        assert_eq!(request.destination.target, "/a%20b?x=1&y");
        assert!(request.destination.secure);
        assert_eq!(parse("ws://h?x=1").destination.target, "/?x=1");
        assert_eq!(parse("ws://[::1]:9/").destination.authority, "[::1]:9");
        assert_eq!(parse("http://h:8080/").destination.authority, "h:8080");
        assert_eq!(parse("https://h:443/").destination.authority, "h");
        assert_eq!(parse("ws://bücher.example/").destination.authority, "xn--bcher-kva.example");
    }

    #[test]
    fn reads_credentials_from_the_header_then_the_options_then_the_url() {
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
    fn refuses_urls_it_cannot_connect_to() {
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
    fn a_rewrite_replaces_headers_by_name_and_later_attempts_keep_it() {
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
        assert_eq!((third.endpoint().as_str(), third.destination.secure), ("other:444", true));
        // A URL of another origin loses it, unless it is given again.
        assert_eq!(third.headers, expected[..1]);
        let given = Rewrite { url: Some("wss://h/".to_owned()), headers: vec![header("Cookie", "a=b")] };
        let fourth = third.rewritten(given).expect("good");
        assert_eq!(fourth.headers, [expected[0].clone(), ("Cookie".to_owned(), b"a=b".to_vec())]);
        let same = Rewrite { url: Some("wss://h:443/c".to_owned()), headers: Vec::new() };
        assert_eq!(fourth.rewritten(same).expect("good").headers, fourth.headers);
        assert!(third.rewritten(Rewrite { url: Some("ftp://h".to_owned()), headers: Vec::new() }).is_err());
    }

    #[test]
    fn reads_sub_protocols_from_the_option_and_the_header() {
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
    fn follows_redirects_from_ws_to_wss_and_never_back() {
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
        let secure = plain.redirected("https://h/x").expect("good");
        assert!(secure.destination.secure);
        assert!(secure.tls.client_certificate.is_none(), "another origin");
        assert_eq!(secure.redirected("ws://h/").err(), Some(RedirectError::Insecure));
        let same = Request::parse("wss://h/", options).expect("good").redirected("/y");
        let same = same.expect("good");
        assert!(same.tls.client_certificate.is_some(), "the same origin");
        let none = Options { max_redirects: 0, ..Options::default() };
        let unasked = Request::parse("ws://h/", none).expect("good");
        let unasked = unasked.redirected("//u:p@other:81/path?query").expect_err("not asked for");
        assert_eq!(unasked, RedirectError::Unasked("ws://other:81".to_owned()));
    }
}
