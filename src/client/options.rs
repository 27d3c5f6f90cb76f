//! Raw input of an application, parsed once into a [`Request`] that cannot be wrong.

use std::fmt;
use std::time::Duration;

use data_encoding::BASE64;
use url::{Host, Url};

use super::error::{Error, OptionsError, UrlError};
use super::proxy::{Choice, Proxy};
use super::reconnect::{Reconnect, Rewrite};
use super::tls;
use super::tls::TlsOptions;
use crate::protocol::PerMessageDeflate;

/// The longest URL, in bytes.
pub const URL_BYTES_MAX: usize = 8_196;
/// The most headers an application may add.
pub const HEADER_COUNT_MAX: usize = 8_192;
/// The most bytes those headers may have together, as sent.
pub const HEADER_BYTES_MAX: usize = 65_536;

/// A header's name and value as an application gave them.
pub type RawHeader = (Vec<u8>, Vec<u8>);

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
    /// Limit of a whole attempt, from the name lookup to the upgrade. Default 15 s.
    pub connect_timeout: Duration,
    /// How long to wait for the peer's close frame before the connection is dropped. Default 5 s.
    pub close_timeout: Duration,
    /// Time between pings; `None` for none. Default 30 s.
    pub ping_interval: Option<Duration>,
    /// How long after a ping something must come; `None` for ever. Default 30 s.
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
    /// Tell [`super::Listener::frame`] of every frame. Costs time; for debugging. Default no.
    pub trace_frames: bool,
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
            connect_timeout: Duration::from_secs(15),
            close_timeout: Duration::from_secs(5),
            ping_interval: Some(Duration::from_secs(30)),
            pong_timeout: Some(Duration::from_secs(30)),
            per_message_deflate: Some(PerMessageDeflate::default()),
            message_limit: 67_108_864,
            in_pieces: false,
            reconnect: None,
            statistics_interval: None,
            trace_frames: false,
            trace_id: None,
        }
    }
}

/// An attempt that can be dialled.
#[derive(Clone, Debug)]
pub struct Request {
    /// `None` for plain TCP.
    pub(super) tls: Option<TlsOptions>,
    pub(super) proxy: Choice,
    pub(super) host: Host<String>,
    pub(super) port: u16,
    /// The Host header: the name as in the URL, with the port when it is not the scheme's own.
    pub(super) authority: String,
    /// Path and query.
    pub(super) target: String,
    /// All headers to send besides the handshake's own.
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) protocols: Vec<String>,
    pub(super) connect_timeout: Duration,
    pub(super) close_timeout: Duration,
    pub(super) ping_interval: Option<Duration>,
    pub(super) pong_timeout: Option<Duration>,
    pub(super) per_message_deflate: Option<PerMessageDeflate>,
    pub(super) message_limit: usize,
    pub(super) in_pieces: bool,
    pub(super) reconnect: Option<Box<Again>>,
    pub(super) statistics_interval: Option<Duration>,
    pub(super) trace_frames: bool,
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
            connect_timeout,
            close_timeout,
            ping_interval,
            pong_timeout,
            per_message_deflate,
            message_limit,
            in_pieces,
            reconnect: _,
            statistics_interval,
            trace_frames,
            trace_id,
        } = options;
        let url = parse_url(url).map_err(OptionsError::Url)?;
        if per_message_deflate.as_ref().is_some_and(|deflate| !deflate.is_valid()) {
            return Err(OptionsError::WindowBits);
        }
        let secure = matches!(url.scheme(), "wss" | "https");
        let host = url.host().ok_or(OptionsError::Url(UrlError::Host))?.to_owned();
        let port = url.port_or_known_default().ok_or(OptionsError::Url(UrlError::Scheme))?;
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let mut protocols = split_protocols(&protocols)?;
        let mut headers = parse_headers(headers, &mut protocols)?;
        if (!url.username().is_empty() || url.password().is_some())
            && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
        {
            headers.push(("Authorization".to_owned(), basic_credentials(&url).into_bytes()));
        }
        Ok(Self {
            tls: secure.then_some(tls),
            proxy: Choice::parse(proxy)?,
            host,
            port,
            authority,
            target,
            headers,
            protocols,
            connect_timeout,
            close_timeout,
            ping_interval,
            pong_timeout,
            per_message_deflate,
            message_limit,
            in_pieces,
            reconnect: again,
            statistics_interval,
            trace_frames,
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
        options.headers.retain(|(name, _)| !headers.iter().any(|(new, _)| new.eq_ignore_ascii_case(name)));
        options.headers.extend(headers);
        Self::parse(&other.unwrap_or(url), options)
    }

    /// Whether the host is a name, which may lead to several addresses.
    pub(super) fn has_name(&self) -> bool {
        matches!(self.host, Host::Domain(_))
    }

    /// Host and port, for texts and logs: never the path, the query or credentials.
    pub fn endpoint(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

fn parse_url(text: &str) -> Result<Url, UrlError> {
    if text.len() > URL_BYTES_MAX {
        return Err(UrlError::TooLong);
    }
    let url = Url::parse(text).map_err(|error| match error {
        url::ParseError::EmptyHost => UrlError::Host,
        other => UrlError::Malformed(other.to_string()),
    })?;
    if !matches!(url.scheme(), "ws" | "wss" | "http" | "https") {
        return Err(UrlError::Scheme);
    }
    // The parser follows browsers and finds a host in `ws:///h` and `ws:h`; RFC 3986 section 3.2 does not.
    let authority = text.trim_start().get(url.scheme().len()..).and_then(|rest| rest.strip_prefix("://"));
    if authority.is_none_or(|authority| authority.starts_with(['/', '\\'])) {
        return Err(UrlError::Host);
    }
    Ok(url)
}

/// RFC 7617, with the URL's percent-encoding undone.
fn basic_credentials(url: &Url) -> String {
    let mut credentials = percent_decode(url.username());
    credentials.push(b':');
    credentials.extend(percent_decode(url.password().unwrap_or_default()));
    format!("Basic {}", BASE64.encode(&credentials))
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

/// RFC 9110 section 5.6.2.
pub(super) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
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
            (request.authority.as_str(), request.port, request.target.as_str()),
            ("example.org", 80, "/")
        );
        assert!(request.tls.is_none());
        let request = parse("wss://example.org/a%20b?x=1&y#fragment");
        assert_eq!((request.authority.as_str(), request.port), ("example.org", 443));
        assert_eq!(request.target, "/a%20b?x=1&y");
        assert!(request.tls.is_some());
        assert_eq!(parse("ws://h?x=1").target, "/?x=1");
        assert_eq!(parse("ws://[::1]:9/").authority, "[::1]:9");
        assert_eq!(parse("http://h:8080/").authority, "h:8080");
        assert_eq!(parse("https://h:443/").authority, "h");
        assert_eq!(parse("ws://bücher.example/").authority, "xn--bcher-kva.example");
    }

    #[test]
    fn makes_basic_credentials_of_userinfo() {
        let request = parse("ws://al%40ice:p%3Ass@h/");
        assert_eq!(request.headers, [("Authorization".to_owned(), b"Basic YWxAaWNlOnA6c3M=".to_vec())]);
        assert_eq!(request.authority, "h");
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
        assert!(refuse(&format!("ws://h/{}", "x".repeat(URL_BYTES_MAX))).contains("longer than 8196 bytes"));
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
        assert_eq!(third.headers, expected);
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
}
