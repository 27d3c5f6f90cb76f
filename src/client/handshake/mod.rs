//! The HTTP/1.1 upgrade (RFC 6455 section 4), over any byte stream.

mod error;
mod kept;
mod opened;

use ring::digest;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

pub use self::error::{RefusalHint, RefusedUpgrade, SubprotocolError, UpgradeError};
pub use self::opened::Opened;

pub(super) use self::kept::KeptAnswer;

use super::destination::Destination;
use super::headers::is_token;
use super::http::{self, Head, HeadError, HeadFault, USER_AGENT};
use super::request::Request;
use super::rfc4648::base64;
use super::stats::Timing;
use crate::protocol::{ExtensionError, Negotiated, ReadBuffer};

/// The buffer's capacity, which most requests fit.
const REQUEST_BYTES: usize = 512;
/// Random bytes of a key (RFC 6455 section 4.1).
const KEY_BYTES: usize = 16;

/// A completed upgrade.
pub(super) struct Upgraded {
    pub(super) opened: Opened,
    /// permessage-deflate, when the server took the offer.
    pub(super) deflate: Option<Negotiated>,
    /// Bytes after the answer: the first frames.
    pub(super) received: ReadBuffer,
}

/// Sends the request and reads the answer. Returns a refusal by `by`, if its head came before.
pub(super) async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    request: &Request,
    by: Instant,
) -> Result<Upgraded, UpgradeError> {
    let key = base64(&rand::random::<[u8; KEY_BYTES]>());
    stream.write_all(&format_request(request, &key)).await.map_err(UpgradeError::Io)?;
    stream.flush().await.map_err(UpgradeError::Io)?;

    let mut behind = Vec::new();
    let head = match http::read_head(stream, &mut behind).await {
        Err(HeadError::Eof) => {
            let (offered, plain) = (!request.protocols.is_empty(), !request.destination.secure);
            return Err(UpgradeError::Eof { offered, plain });
        }
        head => head?,
    };
    if let Some(mut refused) = refusal(&head) {
        // A client that follows a redirect does not wait for its body.
        if location(&refused).is_none() || request.redirects.is_none() {
            refused.body = Box::pin(http::read_body(stream, behind, &head, by)).await;
            refused.hint = hint(&refused, request);
        }
        return Err(UpgradeError::Status(refused));
    }
    let (opened, deflate) = judge(head, request, &key)?;
    let mut received = ReadBuffer::default();
    if !behind.is_empty() {
        received.extend(&behind);
    }
    Ok(Upgraded { opened, deflate, received })
}

/// An answer that refuses the upgrade, without its body.
fn refusal(head: &Head) -> Option<Box<RefusedUpgrade>> {
    let Head { status, reason, headers, minor_version: _, len: _ } = head;
    let refused = || RefusedUpgrade {
        status: *status,
        reason: reason.clone(),
        headers: headers.clone(),
        body: Vec::new(),
        hint: None,
    };
    (*status != 101).then(|| Box::new(refused()))
}

/// The target of a redirect (RFC 9110 section 15.4).
pub(super) fn location(refused: &RefusedUpgrade) -> Option<&str> {
    if !matches!(refused.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    refused.headers.iter().find(|(name, _)| *name == "location").map(|(_, value)| value.trim())
}

/// A remedy for a refusal.
fn hint(refused: &RefusedUpgrade, request: &Request) -> Option<RefusalHint> {
    let Destination { authority, .. } = &request.destination;
    let header = |wanted: &str| refused.headers.iter().find(|(name, _)| *name == wanted);
    // nginx, Apache and Go answer a request without TLS in this way.
    let wants_tls = || {
        let says = |word: &[u8]| refused.body.windows(word.len()).any(|found| found == word);
        !request.destination.secure && (says(b"HTTPS") || says(b"SSL-enabled"))
    };
    let has_own_origin = || request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("origin"));
    let lacks_port = !request.origin_port && request.destination.host_text() != authority;
    match refused.status {
        403 if lacks_port && !has_own_origin() => Some(RefusalHint::OriginPort),
        400 if wants_tls() => Some(RefusalHint::Tls),
        400..500 => {
            let name = header("sec-websocket-protocol")?.1.trim();
            let known = request.protocols.iter().any(|offered| offered == name);
            shown_subprotocol(name).filter(|_| !known).map(RefusalHint::Subprotocol)
        }
        _ => None,
    }
}

/// The part of a sub-protocol's name that an error text may contain. Some applications send a token as the name.
fn shown_subprotocol(name: &str) -> Option<String> {
    const NAME_BYTES_MAX: usize = 24;
    (is_token(name.as_bytes()) && name.len() <= NAME_BYTES_MAX).then(|| name.to_owned())
}

/// The client has no pages as a browser has, but servers compare the header with their own name. The platform sends
/// that name (RFC 6454 section 7, RFC 6455 section 4.1).
fn origin(request: &Request) -> [&str; 2] {
    let Destination { secure, authority, .. } = &request.destination;
    let scheme = if *secure { "https://" } else { "http://" };
    [scheme, if request.origin_port { authority } else { request.destination.host_text() }]
}

fn format_request(request: &Request, key: &str) -> Vec<u8> {
    let Request { destination, headers, protocols, session, .. } = request;
    let Destination { authority, target, .. } = destination;
    let given = |wanted: &str| headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
    let mut out = Vec::with_capacity(REQUEST_BYTES);
    let mut put = |parts: &[&[u8]]| parts.iter().for_each(|part| out.extend_from_slice(part));
    put(&[b"GET ", target.as_bytes(), b" HTTP/1.1\r\n"]);
    if !given("host") {
        put(&[b"Host: ", authority.as_bytes(), b"\r\n"]);
    }
    put(&[b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ", key.as_bytes()]);
    put(&[b"\r\nSec-WebSocket-Version: 13\r\n"]);
    if !given("origin") {
        let [scheme, host] = origin(request);
        put(&[b"Origin: ", scheme.as_bytes(), host.as_bytes(), b"\r\n"]);
    }
    if !protocols.is_empty() {
        put(&[b"Sec-WebSocket-Protocol: ", protocols.join(", ").as_bytes(), b"\r\n"]);
    }
    if let Some(deflate) = &session.per_message_deflate {
        put(&[b"Sec-WebSocket-Extensions: ", deflate.offer().as_bytes(), b"\r\n"]);
    }
    if !given("user-agent") {
        put(&[b"User-Agent: ", USER_AGENT.as_bytes(), b"\r\n"]);
    }
    for (name, value) in headers {
        // An empty value means none.
        let left_out =
            value.is_empty() && ["origin", "user-agent"].iter().any(|own| name.eq_ignore_ascii_case(own));
        if !left_out {
            put(&[name.as_bytes(), b": ", value, b"\r\n"]);
        }
    }
    put(&[b"\r\n"]);
    out
}

/// Checks the answer to an upgrade request with the `Sec-WebSocket-Key` `key` (RFC 6455 section 4.1). Returns the negotiated
/// parameters and the length of the head, or `None` while the head is incomplete.
///
/// A connection calls this itself. It is public for tests of the parser.
pub fn parse_response_head(
    head: &[u8],
    request: &Request,
    key: &str,
) -> Result<Option<(Opened, usize)>, UpgradeError> {
    let Some(head) = http::parse_head(head)? else { return Ok(None) };
    if let Some(refused) = refusal(&head) {
        return Err(UpgradeError::Status(refused));
    }
    let len = head.len;
    judge(head, request, key).map(|(opened, _)| Some((opened, len)))
}

/// The server's answer to a key (RFC 6455 section 4.2.2).
pub(crate) fn accept_key(key: &str) -> String {
    const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    let mut digest = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    digest.update(key.as_bytes());
    digest.update(GUID.as_bytes());
    base64(digest.finish().as_ref())
}

/// The headers of an answer that the negotiation depends on.
#[derive(Default)]
struct Said<'a> {
    upgrades: bool,
    connection_upgrades: bool,
    /// The last `Sec-WebSocket-Accept` is the expected one.
    accepts: bool,
    accept_count: usize,
    extensions: Option<String>,
    protocol: Option<&'a str>,
    several_protocols: bool,
}

impl<'a> Said<'a> {
    fn of(head: &'a Head, accept: &str) -> Self {
        let mut said = Self::default();
        for (name, value) in head.headers.iter() {
            let value = value.trim();
            let lists = |entry| value.split(',').any(|known| known.trim().eq_ignore_ascii_case(entry));
            match name {
                "upgrade" => said.upgrades |= lists("websocket"),
                "connection" => said.connection_upgrades |= lists("upgrade"),
                "sec-websocket-accept" => {
                    said.accept_count += 1;
                    said.accepts = value == accept;
                }
                "sec-websocket-extensions" => match &mut said.extensions {
                    Some(list) => list.extend([", ", value]),
                    none => *none = Some(value.to_owned()),
                },
                // nchan 1.3.6 answers an offer with an empty value. It chose none.
                "sec-websocket-protocol" if !value.is_empty() => {
                    said.several_protocols = said.protocol.replace(value).is_some();
                }
                _ => {}
            }
        }
        said
    }
}

/// The result of the negotiation, by the head of an answer that is no refusal.
fn judge(head: Head, request: &Request, key: &str) -> Result<(Opened, Option<Negotiated>), UpgradeError> {
    if head.minor_version != 1 {
        return Err(UpgradeError::NotHttp(HeadFault::Old));
    }
    let said = Said::of(&head, &accept_key(key));
    if !said.upgrades {
        return Err(UpgradeError::Header("Upgrade"));
    }
    if !said.connection_upgrades {
        return Err(UpgradeError::Header("Connection"));
    }
    if !(said.accepts && said.accept_count == 1) {
        return Err(UpgradeError::Header("Sec-WebSocket-Accept"));
    }
    let extensions = said.extensions.unwrap_or_default();
    let deflate = match &request.session.per_message_deflate {
        Some(offered) => offered.accept(&extensions).map_err(UpgradeError::Extension)?,
        None if extensions.trim().is_empty() => None,
        None => return Err(UpgradeError::Extension(ExtensionError::Unrequested)),
    };
    let extensions = deflate.is_some().then_some(extensions);
    let protocol = said.protocol.map(str::to_owned);
    if said.several_protocols || protocol.as_ref().is_some_and(|name| name.contains(',')) {
        return Err(UpgradeError::Subprotocol(SubprotocolError::Several));
    }
    if protocol.as_ref().is_some_and(|name| !is_token(name.as_bytes())) {
        return Err(UpgradeError::Header("Sec-WebSocket-Protocol"));
    }
    if protocol.is_none() && request.protocol_required {
        return Err(UpgradeError::Subprotocol(SubprotocolError::Missing));
    }
    if let Some(name) = protocol.as_ref().filter(|name| !request.protocols.contains(name)) {
        let by_case = request.protocols.iter().any(|offered| offered.eq_ignore_ascii_case(name));
        let name = shown_subprotocol(name);
        return Err(UpgradeError::Subprotocol(SubprotocolError::Unrequested { name, by_case }));
    }
    let Head { status, reason, headers, minor_version: _, len: _ } = head;
    Ok((
        Opened {
            status,
            reason: reason.into(),
            protocol: protocol.map(Into::into),
            extensions: extensions.map(Into::into),
            headers,
            timing: Timing::default(),
            url: None,
        },
        deflate,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::request::Options;

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
                 Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\nOrigin: http://example.org\r\n\
                 Sec-WebSocket-Protocol: chat, superchat\r\n\
                 Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\nUser-Agent: net_websocket/{}\r\n\r\n",
                env!("CARGO_PKG_VERSION")
            )
        );
    }

    #[test]
    fn the_callers_headers_take_precedence_and_keep_their_order() {
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
    fn origin_follows_the_options() {
        let origin = |url: &str, origin_port: bool, own: Option<&str>| {
            let headers = own.map(|own| (b"origin".to_vec(), own.as_bytes().to_vec())).into_iter().collect();
            let options = Options { headers, origin_port, ..Options::default() };
            let request = Request::parse(url, options).expect("good");
            let text = String::from_utf8(format_request(&request, KEY)).expect("ASCII");
            let lines: Vec<_> =
                text.lines().filter(|line| line.to_lowercase().starts_with("origin:")).collect();
            lines.join("|")
        };
        assert_eq!(origin("ws://h:81/a", false, None), "Origin: http://h");
        assert_eq!(origin("ws://h:81/a", true, None), "Origin: http://h:81");
        assert_eq!(origin("wss://[::1]:443", true, None), "Origin: https://[::1]");
        assert_eq!(origin("wss://h", true, Some("https://page.example")), "origin: https://page.example");
        assert_eq!(origin("wss://h", true, Some("")), "");
    }

    #[test]
    fn accepts_the_answer_of_the_rfc_however_it_arrives() {
        let text = answer("Sec-WebSocket-Protocol: chat\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n");
        let bytes = text.as_bytes();
        for cut in 0..bytes.len() {
            let incomplete = parse_response_head(&bytes[..cut], &request("chat"), KEY);
            assert!(matches!(incomplete, Ok(None)), "cut at {cut}");
        }
        let (opened, len) =
            parse_response_head(bytes, &request("chat"), KEY).expect("valid").expect("complete");
        assert_eq!(len, bytes.len());
        assert_eq!(opened.extensions, None);
        assert_eq!(opened.protocol.as_deref(), Some("chat"));
        assert_eq!(opened.headers.iter().filter(|(name, _)| *name == "set-cookie").count(), 2);
    }

    #[test]
    fn an_empty_sub_protocol_in_the_answer_counts_as_none() {
        for extra in ["", "Sec-WebSocket-Protocol: \r\n", "Sec-WebSocket-Protocol:\r\n"] {
            let answer = answer(extra);
            let (opened, _) = parse_response_head(answer.as_bytes(), &request("chat"), KEY)
                .expect("valid")
                .expect("complete");
            assert_eq!(opened.protocol, None, "{extra:?}");
        }
    }

    #[test]
    fn a_required_sub_protocol_must_be_chosen() {
        let request = |protocols: &str| {
            let options =
                Options { protocols: protocols.to_owned(), protocol_required: true, ..Options::default() };
            Request::parse("ws://h/", options).expect("a good request")
        };
        let judged = |extra: &str, protocols: &str| {
            parse_response_head(answer(extra).as_bytes(), &request(protocols), KEY)
                .map(|opened| opened.expect("complete").0.protocol)
                .map_err(|error| error.to_string())
        };
        assert_eq!(judged("Sec-WebSocket-Protocol: chat\r\n", "chat"), Ok(Some("chat".into())));
        assert_eq!(judged("", ""), Ok(None));
        let refused = judged("", "chat").expect_err("none was chosen");
        assert!(refused.contains("chose none of the sub-protocols"), "{refused}");
    }

    #[test]
    fn refuses_every_other_answer_and_says_why() {
        let refused = |text: &str| match parse_response_head(text.as_bytes(), &request("chat"), KEY) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("accepted: {text}"),
        };
        assert!(refused("HTTP/1.1 404 Not Found\r\n\r\n").contains("404 Not Found instead of 101"));
        assert!(refused("SSH-2.0-OpenSSH_9\r\n").contains("not HTTP"));
        assert!(refused(&answer("").replace("1.1 101", "1.0 101")).contains("not HTTP/1.1"));
        assert!(refused(&answer("").replace("Upgrade: W", "X: W")).contains("Upgrade"));
        assert!(refused(&answer("").replace("keep-alive, Upgrade", "close")).contains("Connection"));
        assert!(refused(&answer("").replace("s3pP", "S3pP")).contains("Sec-WebSocket-Accept"));
        let chosen = |names: &str| refused(&answer(&format!("Sec-WebSocket-Protocol: {names}\r\n")));
        assert!(chosen("other").contains("not requested: other (RFC"), "{}", chosen("other"));
        let by_case = "not requested: CHAT, one of which differs only in case (RFC 6455 4.1)";
        assert!(chosen("CHAT").contains(by_case), "{}", chosen("CHAT"));
        // It may be a token of another kind.
        assert!(chosen(&"a".repeat(25)).contains("not requested (RFC"));
        for several in ["chat, other", "chat\r\nSec-WebSocket-Protocol: other"] {
            assert!(chosen(several).contains("several sub-protocols"), "{}", chosen(several));
        }
        assert!(chosen("a b").contains("Sec-WebSocket-Protocol is missing or wrong"));
        assert!(refused(&answer("Sec-WebSocket-Extensions: x-mine\r\n")).contains("extension"));
        let many = "X: y\r\n".repeat(256);
        assert!(refused(&answer(&many)).contains("256 headers"));
    }
}
