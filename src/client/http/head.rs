//! The parsed head of an answer (RFC 9112 sections 4 and 5). Reads nothing.

use std::io;
use std::mem::MaybeUninit;

use super::fault::HeadFault;
use crate::client::headers::{Headers, HeadersBuilder};

/// The most headers in a response.
const RESPONSE_HEADERS_MAX: usize = 256;
/// The longest reported reason phrase, in characters.
const REASON_CHARS_MAX: usize = 128;

/// The head of an answer.
#[derive(Debug)]
pub(in crate::client) struct Head {
    /// The minor version of HTTP/1.
    pub(in crate::client) minor_version: u8,
    pub(in crate::client) status: u16,
    /// Printable ASCII only.
    pub(in crate::client) reason: String,
    /// In order, names in lower case.
    pub(in crate::client) headers: Headers,
    /// Bytes of the head.
    pub(in crate::client) len: usize,
}

/// The reason why there is no head.
#[derive(Debug)]
pub(in crate::client) enum HeadError {
    NotHttp(HeadFault),
    TooLong,
    Eof,
    Io(io::Error),
}

impl Head {
    /// The values of a header, by its name in lower case.
    pub(in crate::client) fn values<'a>(&'a self, wanted: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(name, _)| *name == wanted).map(|(_, value)| value.trim())
    }

    /// Whether a comma-separated header has an entry.
    pub(in crate::client) fn lists(&self, wanted: &str, entry: &str) -> bool {
        self.values(wanted)
            .flat_map(|value| value.split(','))
            .any(|known| known.trim().eq_ignore_ascii_case(entry))
    }
}

/// The complete lines of a refusal's head that the peer has truncated by ending the connection. Takes all of `received`.
///
/// QEMU 7.2's VNC server omits the empty line after the headers of a refusal.
pub(in crate::client) fn cut_refusal(received: &mut Vec<u8>) -> Option<Head> {
    let mut lines = std::mem::take(received);
    lines.truncate(lines.iter().rposition(|byte| *byte == b'\n')? + 1);
    lines.extend_from_slice(b"\r\n");
    parse_head(&lines).ok()?.filter(|head| head.status >= 300)
}

/// The head at the beginning of `bytes`, or `None` while it is incomplete.
pub(in crate::client) fn parse_head(bytes: &[u8]) -> Result<Option<Head>, HeadError> {
    let mut storage = [const { MaybeUninit::uninit() }; RESPONSE_HEADERS_MAX];
    let mut response = httparse::Response::new(&mut []);
    // RFC 9112 section 5.2: a user agent accepts folded lines.
    let mut config = httparse::ParserConfig::default();
    config.allow_obsolete_multiline_headers_in_responses(true);
    let len = match config.parse_response_with_uninit_headers(&mut response, bytes, &mut storage) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(HeadError::TooLong),
        Err(_) => return Err(HeadError::NotHttp(HeadFault::of(bytes))),
    };
    let room = response.headers.iter().map(|header| header.name.len() + header.value.len()).sum();
    let mut headers = HeadersBuilder::with_room(response.headers.len(), room);
    for header in &*response.headers {
        match str::from_utf8(header.value) {
            Ok(value) if !value.contains('\n') => headers.add(header.name, value),
            _ => headers.add(header.name, &unfolded(&String::from_utf8_lossy(header.value))),
        }
    }
    Ok(Some(Head {
        minor_version: response.version.unwrap_or_default(),
        status: response.code.unwrap_or_default(),
        reason: reason(&bytes[..len]),
        headers: headers.finish(),
        len,
    }))
}

/// Joins the lines of a value that may be folded.
fn unfolded(value: &str) -> String {
    if !value.contains('\n') {
        return value.to_owned();
    }
    let lines: Vec<&str> = value.split('\n').map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.join(" ")
}

/// The reason phrase of a head. It is the peer's text, so our texts show only its printable ASCII. httparse returns
/// none with other bytes.
fn reason(head: &[u8]) -> String {
    let head = head.trim_ascii_start();
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let phrase = line.splitn(3, |byte| *byte == b' ').nth(2).unwrap_or_default().trim_ascii();
    let phrase = String::from_utf8_lossy(phrase);
    if phrase.len() <= REASON_CHARS_MAX && phrase.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return phrase.into_owned();
    }
    let printable = |c: char| match c {
        ' '..='~' => c,
        '\t' => ' ',
        _ => '?',
    };
    phrase.chars().take(REASON_CHARS_MAX).map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &[u8]) -> Head {
        parse_head(text).expect("good").expect("complete")
    }

    #[test]
    fn a_folded_line_is_read_as_one() {
        let head = head(b"HTTP/1.1 403 No\r\nX-A: b\r\n c\r\nX-B:\r\n\t d  \n   e\r\nX-C: f\r\n \r\n\r\n");
        let values: Vec<_> = head.headers.iter().collect();
        assert_eq!(values, [("x-a", "b c"), ("x-b", "d e"), ("x-c", "f")]);
        // Without a header before it, the line is not a fold.
        assert!(parse_head(b"HTTP/1.1 403 No\r\n X-A: b\r\n\r\n").is_err());
    }

    #[test]
    fn a_reason_phrase_is_made_printable() {
        let of = |line: &[u8]| head(&[b"HTTP/1.1 ", line, b"\r\n\r\n"].concat()).reason;
        for (line, expected) in [
            (&b"403"[..], ""),
            (b"403 ", ""),
            (b"403  Not  this ", "Not  this"),
            (b"403 Acc\xe8s interdit", "Acc?s interdit"),
            ("403 Accès interdit".as_bytes(), "Acc?s interdit"),
            ("403 禁止".as_bytes(), "??"),
            (b"403 a\tb", "a b"),
        ] {
            assert_eq!(of(line), expected, "{line:?}");
        }
        assert_eq!(of(&[b"403 ", [b'x'; 1_000].as_slice()].concat()).len(), REASON_CHARS_MAX);
        assert_eq!(head(b"\r\nHTTP/1.1 403 Behind a line\r\n\r\n").reason, "Behind a line");
    }
}
