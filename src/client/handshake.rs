//! The HTTP/1.1 upgrade (RFC 6455 section 4).

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};

use super::dial::Stream;
use super::error::UpgradeError;
use super::event::{Opened, Timing};
use super::options::{Request, is_token};
use crate::protocol::{AnswerError, Negotiated, ReadBuffer};

/// The longest response head, in bytes.
pub const RESPONSE_HEAD_BYTES_MAX: usize = 65_536;
/// The most headers in a response.
const RESPONSE_HEADERS_MAX: usize = 256;
const READ_STEP_BYTES: usize = 4_096;
/// The longest reason phrase handed on, in bytes.
const REASON_BYTES_MAX: usize = 128;

/// A completed upgrade.
pub(super) struct Upgraded {
    pub(super) opened: Opened,
    /// permessage-deflate, when the server took the offer.
    pub(super) deflate: Option<Negotiated>,
    /// What came behind the answer: the first of the frames.
    pub(super) received: ReadBuffer,
}

/// Sends the request and reads the answer.
pub(super) async fn upgrade(stream: &mut Stream, request: &Request) -> Result<Upgraded, UpgradeError> {
    let key = generate_key();
    stream.write_all(&format_request(request, &key)).await.map_err(UpgradeError::Io)?;
    stream.flush().await.map_err(UpgradeError::Io)?;

    let mut head = Vec::with_capacity(READ_STEP_BYTES);
    loop {
        head.reserve(READ_STEP_BYTES);
        if stream.read_buf(&mut head).await.map_err(UpgradeError::Io)? == 0 {
            return Err(UpgradeError::Eof);
        }
        if let Some((opened, deflate, head_len)) = parse_response(&head, request, &key)? {
            let mut received = ReadBuffer::default();
            received.extend(&head[head_len..]);
            return Ok(Upgraded { opened, deflate, received });
        }
        if head.len() > RESPONSE_HEAD_BYTES_MAX {
            return Err(UpgradeError::HeadTooLong);
        }
    }
}

fn format_request(request: &Request, key: &str) -> Vec<u8> {
    let Request { authority, target, headers, protocols, per_message_deflate, .. } = request;
    let given = |wanted: &str| headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    let mut out = Vec::with_capacity(512);
    let mut line = |name: &str, value: &[u8]| {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    };
    if !given("host") {
        line("Host", authority.as_bytes());
    }
    line("Upgrade", b"websocket");
    line("Connection", b"Upgrade");
    line("Sec-WebSocket-Key", key.as_bytes());
    line("Sec-WebSocket-Version", b"13");
    if !protocols.is_empty() {
        line("Sec-WebSocket-Protocol", protocols.join(", ").as_bytes());
    }
    if let Some(deflate) = per_message_deflate {
        line("Sec-WebSocket-Extensions", deflate.offer().as_bytes());
    }
    if !given("user-agent") {
        line("User-Agent", concat!("net_websocket/", env!("CARGO_PKG_VERSION")).as_bytes());
    }
    for (name, value) in headers {
        line(name, value);
    }
    let mut head = format!("GET {target} HTTP/1.1\r\n").into_bytes();
    head.append(&mut out);
    head.extend_from_slice(b"\r\n");
    head
}

/// A complete response head, what it says of compression, and its length.
type Head = (Opened, Option<Negotiated>, usize);

/// Checks the answer to an upgrade request that was sent with `key` as its `Sec-WebSocket-Key` (RFC 6455 section 4.1): what
/// was agreed on and the length of the head, or `None` while it is incomplete.
///
/// A connection does this by itself; this is for those who test the parser.
pub fn parse_response_head(
    head: &[u8],
    request: &Request,
    key: &str,
) -> Result<Option<(Opened, usize)>, UpgradeError> {
    Ok(parse_response(head, request, key)?.map(|(opened, _, head_len)| (opened, head_len)))
}

/// The parsed head, or `None` while it is incomplete.
fn parse_response(head: &[u8], request: &Request, key: &str) -> Result<Option<Head>, UpgradeError> {
    let mut storage = [httparse::EMPTY_HEADER; RESPONSE_HEADERS_MAX];
    let mut response = httparse::Response::new(&mut storage);
    let head_len = match response.parse(head) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(UpgradeError::HeadTooLong),
        Err(_) => return Err(UpgradeError::NotHttp),
    };
    let status = response.code.unwrap_or_default();
    let reason = printable(response.reason.unwrap_or_default());
    if status != 101 {
        return Err(UpgradeError::Status { status, reason });
    }
    if response.version != Some(1) {
        return Err(UpgradeError::NotHttp);
    }
    let headers: Vec<(String, String)> = response
        .headers
        .iter()
        .map(|header| (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned()))
        .collect();
    let values = |wanted: &'static str| {
        headers.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value.as_str())
    };
    let lists = |wanted: &'static str, token: &str| {
        values(wanted)
            .flat_map(|value| value.split(','))
            .any(|entry| entry.trim().eq_ignore_ascii_case(token))
    };
    if !lists("upgrade", "websocket") {
        return Err(UpgradeError::Header("Upgrade"));
    }
    if !lists("connection", "upgrade") {
        return Err(UpgradeError::Header("Connection"));
    }
    let mut accepts = values("sec-websocket-accept");
    let accept = derive_accept_key(key.as_bytes());
    if accepts.next().map(str::trim) != Some(accept.as_str()) || accepts.next().is_some() {
        return Err(UpgradeError::Header("Sec-WebSocket-Accept"));
    }
    let extensions = values("sec-websocket-extensions").collect::<Vec<_>>().join(", ");
    let deflate = match &request.per_message_deflate {
        Some(offered) => offered.accept(&extensions).map_err(UpgradeError::Extension)?,
        None if extensions.trim().is_empty() => None,
        None => return Err(UpgradeError::Extension(AnswerError::Unrequested)),
    };
    let extensions = deflate.is_some().then_some(extensions);
    let mut chosen = values("sec-websocket-protocol").map(str::trim);
    let protocol = chosen.next().map(str::to_owned);
    if chosen.next().is_some() || protocol.as_ref().is_some_and(|name| !is_token(name.as_bytes())) {
        return Err(UpgradeError::Header("Sec-WebSocket-Protocol"));
    }
    if protocol.as_ref().is_some_and(|name| !request.protocols.contains(name)) {
        return Err(UpgradeError::UnrequestedProtocol);
    }
    Ok(Some((
        Opened {
            status,
            reason,
            protocol,
            extensions,
            headers: headers.iter().map(|(name, value)| (name, value)).collect(),
            timing: Timing::default(),
        },
        deflate,
        head_len,
    )))
}

/// A reason phrase is the server's text: only printable ASCII of it reaches ours.
fn printable(reason: &str) -> String {
    reason.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(REASON_BYTES_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::options::Options;

    /// The key of RFC 6455 section 1.3 and its answer.
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    fn request(protocols: &str) -> Request {
        let options = Options { protocols: protocols.to_owned(), ..Options::default() };
        Request::parse("ws://example.org:8080/chat?x=1", options).expect("a good request")
    }

    fn answer(extra: &str) -> String {
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
             Sec-WebSocket-Accept: {ACCEPT}\r\n{extra}\r\n"
        )
    }

    #[test]
    fn writes_the_request_of_the_rfc() {
        let text = String::from_utf8(format_request(&request("chat, superchat"), KEY)).expect("ASCII");
        assert_eq!(
            text,
            format!(
                "GET /chat?x=1 HTTP/1.1\r\nHost: example.org:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\
                 Sec-WebSocket-Protocol: chat, superchat\r\n\
                 Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nUser-Agent: net_websocket/{}\r\n\r\n",
                env!("CARGO_PKG_VERSION")
            )
        );
    }

    #[test]
    fn the_callers_headers_win_and_keep_their_order() {
        let headers = [("user-agent", "mine"), ("X-A", "1"), ("X-A", "2"), ("Host", "other")]
            .map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()))
            .to_vec();
        let request = Request::parse("ws://h/", Options { headers, ..Options::default() }).expect("good");
        let text = String::from_utf8(format_request(&request, KEY)).expect("ASCII");
        assert!(text.ends_with("user-agent: mine\r\nX-A: 1\r\nX-A: 2\r\nHost: other\r\n\r\n"), "{text}");
        assert_eq!(text.to_lowercase().matches("user-agent:").count(), 1);
        assert_eq!(text.to_lowercase().matches("host:").count(), 1);
    }

    #[test]
    fn accepts_the_answer_of_the_rfc_however_it_arrives() {
        let text = answer("Sec-WebSocket-Protocol: chat\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n");
        let bytes = text.as_bytes();
        for cut in 0..bytes.len() {
            assert!(matches!(parse_response(&bytes[..cut], &request("chat"), KEY), Ok(None)), "cut at {cut}");
        }
        let (opened, deflate, len) =
            parse_response(bytes, &request("chat"), KEY).expect("valid").expect("complete");
        assert_eq!(len, bytes.len());
        assert_eq!((deflate, &opened.extensions), (None, &None));
        assert_eq!(opened.protocol.as_deref(), Some("chat"));
        assert_eq!(opened.headers.iter().filter(|(name, _)| *name == "set-cookie").count(), 2);
    }

    #[test]
    fn refuses_every_other_answer_and_says_why() {
        let refused = |text: &str| match parse_response(text.as_bytes(), &request("chat"), KEY) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("accepted: {text}"),
        };
        assert!(refused("HTTP/1.1 404 Not Found\r\n\r\n").contains("404 Not Found instead of 101"));
        assert!(refused("SSH-2.0-OpenSSH_9\r\n").contains("not HTTP"));
        assert!(refused(&answer("").replace("1.1 101", "1.0 101")).contains("not HTTP/1.1"));
        assert!(refused(&answer("").replace("Upgrade: W", "X: W")).contains("Upgrade"));
        assert!(refused(&answer("").replace("keep-alive, Upgrade", "close")).contains("Connection"));
        assert!(refused(&answer("").replace("s3pP", "S3pP")).contains("Sec-WebSocket-Accept"));
        assert!(refused(&answer("Sec-WebSocket-Protocol: other\r\n")).contains("not requested"));
        assert!(refused(&answer("Sec-WebSocket-Extensions: x-mine\r\n")).contains("extension"));
        let many = "X: y\r\n".repeat(RESPONSE_HEADERS_MAX);
        assert!(refused(&answer(&many)).contains("256 headers"));
    }
}
