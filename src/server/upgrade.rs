//! Parses a client's upgrade request and formats the answer (RFC 6455 section 4.2). Does no input or output.

use std::fmt;

use crate::client::{Headers, accept_key, from_base64, is_token};
use crate::protocol::{Negotiated, PerMessageDeflate};

/// The longest head of a request, in bytes.
pub(super) const REQUEST_HEAD_BYTES_MAX: usize = 16_384;
/// The most headers in a request.
const REQUEST_HEADERS_MAX: usize = 100;
/// Random bytes of a key (RFC 6455 section 4.1).
const KEY_BYTES: usize = 16;

/// The headers that belong to the upgrade and to the form of its answer.
const OWN_HEADERS: [&str; 7] = [
    "upgrade",
    "connection",
    "content-length",
    "transfer-encoding",
    "sec-websocket-accept",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
];

/// The reason why an answer cannot have a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderFault {
    /// The library sets this header itself.
    Own,
    /// It is not a valid header (RFC 9110 section 5.5).
    Malformed,
}

impl fmt::Display for HeaderFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own => "is set by the library",
            Self::Malformed => "must be a name and a value without line ends (RFC 9110 5.5)",
        })
    }
}

/// A header that an application adds to an answer.
pub fn answer_header(name: &[u8], value: &[u8]) -> Result<(String, String), HeaderFault> {
    let printable = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
    if !is_token(name) || !value.iter().all(printable) {
        return Err(HeaderFault::Malformed);
    }
    let (name, value) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
    if OWN_HEADERS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
        return Err(HeaderFault::Own);
    }
    Ok((name.into_owned(), value.into_owned()))
}

/// A valid upgrade request.
#[derive(Clone, Debug)]
pub struct UpgradeRequest {
    /// The path and the query, as they were sent.
    pub target: String,
    /// The headers in order, names in lower case.
    pub headers: Headers,
    /// The offered sub-protocols, preferred first.
    pub protocols: Vec<String>,
    key: String,
    extensions: String,
}

/// The answer to a refused request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status, 300 to 599.
    pub status: u16,
    /// Headers in addition to those of every answer.
    pub headers: Vec<(String, String)>,
    /// The body. It is plain text, unless a header `Content-Type` says otherwise.
    pub body: String,
}

impl Refusal {
    pub(super) fn new(status: u16, body: &str) -> Self {
        Self { status, headers: Vec::new(), body: body.to_owned() }
    }

    fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The answer in the form that is sent.
    pub(super) fn format(&self) -> Vec<u8> {
        let Self { status, headers, body } = self;
        let mut out = format!("HTTP/1.1 {status} {}\r\nConnection: close\r\n", reason_of(*status));
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            push_header(&mut out, "Content-Type", "text/plain; charset=utf-8");
        }
        push_header(&mut out, "Content-Length", &body.len().to_string());
        push_headers(&mut out, headers);
        out.push_str(body);
        out.into_bytes()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, headers: _, body } = self;
        write!(f, "HTTP {status}: {body}")
    }
}

/// The negotiated parameters.
#[derive(Debug)]
pub(super) struct Agreement {
    pub(super) protocol: Option<String>,
    pub(super) extensions: Option<String>,
    pub(super) deflate: Option<Negotiated>,
}

impl UpgradeRequest {
    /// Parses the head at the start of `bytes`. Returns the request and the length of its head, or `None` while the head is
    /// incomplete.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, Refusal> {
        let mut storage = [httparse::EMPTY_HEADER; REQUEST_HEADERS_MAX];
        let mut request = httparse::Request::new(&mut storage);
        let length = match request.parse(&bytes[..bytes.len().min(REQUEST_HEAD_BYTES_MAX)]) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if bytes.len() < REQUEST_HEAD_BYTES_MAX => return Ok(None),
            Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
                return Err(Refusal::new(431, "the head of the request is over 16384 bytes or 100 headers"));
            }
            Err(_) => return Err(Refusal::new(400, "the request is not HTTP/1.1")),
        };
        let lower = |header: &httparse::Header<'_>| {
            (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).trim().to_owned())
        };
        let headers: Headers = request.headers.iter().map(lower).collect();
        let (method, version) = (request.method.unwrap_or_default(), request.version);
        let target = request.path.unwrap_or_default().to_owned();
        Self::judge(method, version == Some(1), target, headers).map(|request| Some((request, length)))
    }

    fn judge(method: &str, is_1_1: bool, target: String, headers: Headers) -> Result<Self, Refusal> {
        let values = |wanted: &'static str| {
            headers.iter().filter(move |(name, _)| *name == wanted).map(|(_, value)| value)
        };
        let lists = |wanted: &'static str, entry: &str| {
            values(wanted)
                .flat_map(|value| value.split(','))
                .any(|known| known.trim().eq_ignore_ascii_case(entry))
        };
        let wrong = |what: &str| Err(Refusal::new(400, what));
        if method != "GET" {
            return Err(
                Refusal::new(405, "the method must be GET (RFC 6455 4.1)").with_header("Allow", "GET")
            );
        }
        if !is_1_1 {
            return Err(Refusal::new(505, "the version must be HTTP/1.1 (RFC 6455 4.1)"));
        }
        if values("host").count() != 1 {
            return wrong("the request must have one Host header (RFC 9112 3.2)");
        }
        let has_body = values("content-length").any(|length| length != "0");
        if has_body || values("transfer-encoding").next().is_some() {
            return wrong("an upgrade request must not have a body");
        }
        if !lists("upgrade", "websocket") || !lists("connection", "upgrade") {
            return Err(Refusal::new(426, "the request must be a WebSocket upgrade (RFC 6455 4.2.1)")
                .with_header("Upgrade", "websocket"));
        }
        if !values("sec-websocket-version").eq(["13"]) {
            return Err(Refusal::new(426, "Sec-WebSocket-Version must be 13 (RFC 6455 4.2.2)")
                .with_header("Sec-WebSocket-Version", "13"));
        }
        let mut keys = values("sec-websocket-key");
        let key = keys.next().unwrap_or_default().to_owned();
        if keys.next().is_some() || from_base64(&key).is_none_or(|key| key.len() != KEY_BYTES) {
            return wrong("Sec-WebSocket-Key must be 16 bytes in base64 (RFC 6455 4.2.1)");
        }
        let protocols: Vec<String> = values("sec-websocket-protocol")
            .flat_map(|value| value.split(','))
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        if !protocols.iter().all(|name| is_token(name.as_bytes())) {
            return wrong("Sec-WebSocket-Protocol must be a list of names (RFC 6455 4.1)");
        }
        let extensions = values("sec-websocket-extensions").collect::<Vec<_>>().join(", ");
        drop(keys);
        Ok(Self { target, protocols, key, extensions, headers })
    }

    /// Checks a sub-protocol that an application chooses, and returns the fault. Offers are tokens, so no other text gets
    /// into an answer.
    pub fn check_offered(&self, protocol: &str) -> Result<(), &'static str> {
        match self.protocols.iter().any(|offered| offered == protocol) {
            true => Ok(()),
            false => Err("the client did not offer it"),
        }
    }

    /// The parameters that both sides support.
    pub(super) fn agree(&self, protocols: &[String], deflate: Option<&PerMessageDeflate>) -> Agreement {
        let protocol = self.protocols.iter().find(|offered| protocols.contains(offered)).cloned();
        let (extensions, deflate) = deflate.and_then(|own| own.answer(&self.extensions)).unzip();
        Agreement { protocol, extensions, deflate }
    }

    /// The answer in the form that is sent.
    pub(super) fn format_answer(&self, agreement: &Agreement, headers: &[(String, String)]) -> Vec<u8> {
        let mut out = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n",
            accept_key(&self.key)
        );
        let agreed = [
            ("Sec-WebSocket-Protocol", &agreement.protocol),
            ("Sec-WebSocket-Extensions", &agreement.extensions),
        ];
        for (name, value) in agreed {
            if let Some(value) = value {
                push_header(&mut out, name, value);
            }
        }
        push_headers(&mut out, headers);
        out.into_bytes()
    }
}

/// Headers and the end of a head.
fn push_headers(out: &mut String, headers: &[(String, String)]) {
    for (name, value) in headers {
        push_header(out, name, value);
    }
    out.push_str("\r\n");
}

fn push_header(out: &mut String, name: &str, value: &str) {
    for part in [name, ": ", value, "\r\n"] {
        out.push_str(part);
    }
}

/// The reason phrases of the statuses that a WebSocket server uses.
fn reason_of(status: u16) -> &'static str {
    match status {
        301 => "Moved Permanently",
        302 => "Found",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of RFC 6455 section 1.3 and its answer.
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    fn request(extra: &str) -> String {
        format!(
            "GET /chat?x=1 HTTP/1.1\r\nHost: server.example\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
             Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n"
        )
    }

    fn parsed(text: &str) -> UpgradeRequest {
        UpgradeRequest::parse(text.as_bytes()).expect("valid").expect("complete").0
    }

    #[test]
    fn answers_the_request_of_the_rfc_however_it_arrives() {
        let text = request("Sec-WebSocket-Protocol: chat, superchat\r\nOrigin: http://example.com\r\n");
        for cut in 0..text.len() {
            assert!(matches!(UpgradeRequest::parse(&text.as_bytes()[..cut]), Ok(None)), "cut at {cut}");
        }
        let behind = format!("{text}frames");
        let (request, length) = UpgradeRequest::parse(behind.as_bytes()).expect("valid").expect("complete");
        assert_eq!((length, request.target.as_str()), (text.len(), "/chat?x=1"));
        assert_eq!(request.protocols, ["chat", "superchat"]);
        assert!(request.headers.iter().any(|header| header == ("origin", "http://example.com")));
        let agreement = request.agree(&["superchat".to_owned(), "chat".to_owned()], None);
        let answer = request.format_answer(&agreement, &[("X-A".to_owned(), "b".to_owned())]);
        assert_eq!(
            String::from_utf8_lossy(&answer),
            format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {ACCEPT}\r\nSec-WebSocket-Protocol: chat\r\nX-A: b\r\n\r\n"
            )
        );
    }

    #[test]
    fn agrees_on_what_both_sides_support() {
        let own = ["chat".to_owned()];
        let request = |extra: &str| parsed(&request(extra));
        let none = request("").agree(&own, Some(&PerMessageDeflate::default()));
        assert_eq!((none.protocol, none.extensions), (None, None));
        assert_eq!(request("Sec-WebSocket-Protocol: other\r\n").agree(&own, None).protocol, None);
        let deflate = "Sec-WebSocket-Extensions: x\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";
        assert!(request(deflate).agree(&own, None).deflate.is_none());
        let agreed = request(deflate).agree(&own, Some(&PerMessageDeflate::default()));
        assert_eq!(agreed.extensions.as_deref(), Some("permessage-deflate"));
        assert!(agreed.deflate.is_some());
    }

    #[test]
    fn refuses_every_other_request_and_says_why() {
        let refused = |text: &str| match UpgradeRequest::parse(text.as_bytes()) {
            Err(Refusal { status, body, .. }) => (status, body),
            Ok(_) => panic!("accepted: {text}"),
        };
        let changed = |from: &str, to: &str| refused(&request("").replace(from, to)).0;
        assert_eq!(changed("GET", "POST"), 405);
        assert_eq!(changed("HTTP/1.1", "HTTP/1.0"), 505);
        assert_eq!(changed("Host: server.example\r\n", ""), 400);
        assert_eq!(changed("Upgrade: WebSocket", "Upgrade: h2c"), 426);
        assert_eq!(changed("keep-alive, Upgrade", "keep-alive"), 426);
        assert_eq!(changed("Version: 13", "Version: 8"), 426);
        assert_eq!(changed("dGhl", "dGh"), 400);
        assert_eq!(changed("Key: dGhlIHNhbXBsZSBub25jZQ==", "Key: dGhl"), 400);
        for extra in [
            "Host: other\r\n",
            "Content-Length: 5\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Sec-WebSocket-Version: 13\r\n",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
            "Sec-WebSocket-Protocol: a b\r\n",
        ] {
            let (status, body) = refused(&request(extra));
            assert!(matches!(status, 400 | 426), "{extra}: {status} {body}");
        }
        assert_eq!(refused("\x16\x03\x01\x02\x00\x01").0, 400);
        assert_eq!(refused("SSH-2.0-OpenSSH_9\r\n").0, 400);
        assert_eq!(refused(&request(&"X: y\r\n".repeat(100))).0, 431);
        assert_eq!(refused(&request(&format!("X: {}\r\n", "y".repeat(REQUEST_HEAD_BYTES_MAX)))).0, 431);
    }

    #[test]
    fn writes_a_refusal_as_http() {
        let refusal = Refusal::new(403, "not here").with_header("X-A", "b");
        assert_eq!(
            String::from_utf8_lossy(&refusal.format()),
            "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: 8\r\nX-A: b\r\n\r\nnot here"
        );
        let json = Refusal::new(403, "{}").with_header("content-type", "application/json");
        assert_eq!(
            String::from_utf8_lossy(&json.format()),
            "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\
             content-type: application/json\r\n\r\n{}"
        );
        assert_eq!(answer_header(b"Transfer-Encoding", b"chunked"), Err(HeaderFault::Own));
    }
}
