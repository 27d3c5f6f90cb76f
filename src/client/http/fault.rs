//! Describes bytes that are not the head of an answer. The description contains no values of headers.

use std::fmt;

use crate::client::headers::is_token;

/// The longest name of a header that is shown.
const NAME_BYTES_MAX: usize = 64;

/// The reason why bytes are not the head of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadFault {
    /// They belong to another protocol.
    Other,
    /// They are a record of TLS (RFC 8446 section 5.1).
    Tls,
    /// They are the beginning of HTTP/2 (RFC 9113 section 3.4).
    Http2,
    /// They have another version of HTTP than 1.0 and 1.1.
    Version,
    /// They are HTTP/1.0, which cannot upgrade (RFC 9110 section 7.8).
    Old,
    /// They are an error text with this status, without an HTTP status line. CivetWeb 1.15 answers so if a path has no
    /// handler.
    Words(u16),
    /// A line breaks the rules.
    Line {
        /// Counts the lines of the head, from 1.
        number: usize,
        /// The header's name, if it has one that can be shown.
        name: Option<String>,
        /// The fault of the line.
        fault: &'static str,
    },
}

/// The text continues "is not HTTP/1".
impl fmt::Display for HeadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other => Ok(()),
            Self::Tls => f.write_str(" but TLS"),
            Self::Http2 => f.write_str(" but HTTP/2"),
            Self::Version => f.write_str(" but another version of HTTP"),
            Self::Old => f.write_str(" but HTTP/1.0, which has no upgrade"),
            Self::Words(status) => write!(f, " but the text of an error {status}"),
            Self::Line { number, name: None, fault } => write!(f, ": line {number} {fault}"),
            Self::Line { number, name: Some(name), fault } => {
                write!(f, ": line {number} ({name}) {fault}")
            }
        }
    }
}

impl HeadFault {
    /// Finds the fault of bytes that are not a head.
    pub(super) fn of(bytes: &[u8]) -> Self {
        match bytes {
            // An alert or a handshake, of version 3.0 to 3.4.
            [0x15 | 0x16] | [0x15 | 0x16, 3] | [0x15 | 0x16, 3, 0..=4, ..] => return Self::Tls,
            // The frame SETTINGS of a server: a length, the type 4, no flags.
            [0, 0, _, 4] | [0, 0, _, 4, 0, ..] => return Self::Http2,
            _ => {}
        }
        if let Some(status) = error_in_words(bytes) {
            return Self::Words(status);
        }
        let mut lines = (1..).zip(bytes.split(|byte| *byte == b'\n').map(without_cr));
        let Some((number, status_line)) = lines.find(|(_, line)| !line.is_empty()) else {
            return Self::Other;
        };
        let at =
            |number, name: Option<&[u8]>, fault| Self::Line { number, name: name.and_then(shown), fault };
        let Some(version) = status_line.strip_prefix(b"HTTP/") else { return Self::Other };
        let Some(rest) = version.strip_prefix(b"1.0").or_else(|| version.strip_prefix(b"1.1")) else {
            return Self::Version;
        };
        match rest {
            [b' ', a, b, c] | [b' ', a, b, c, b' ', ..] if [a, b, c].iter().all(|c| c.is_ascii_digit()) => {}
            _ => return at(number, None, "has no three-digit status"),
        }
        if rest.iter().any(is_control) {
            return at(number, None, "holds a control character");
        }
        let first = number + 1;
        for (number, line) in lines.take_while(|(_, line)| !line.is_empty()) {
            let folded = line.starts_with(b" ") || line.starts_with(b"\t");
            let (name, value) = match line.iter().position(|byte| *byte == b':') {
                _ if folded && number == first => return at(number, None, "is folded and follows no header"),
                _ if folded => (None, line),
                None => return at(number, None, "has no colon after a name"),
                Some(colon) => (Some(&line[..colon]), &line[colon + 1..]),
            };
            match name {
                Some(b"") => return at(number, None, "has no name before the colon"),
                Some(name) if name.ends_with(b" ") || name.ends_with(b"\t") => {
                    return at(number, Some(name.trim_ascii_end()), "has a space before the colon");
                }
                Some(name) if !is_token(name) => {
                    return at(number, None, "has a name that is not a token (RFC 9110 5.1)");
                }
                _ => {}
            }
            if value.iter().any(is_control) {
                return at(number, name, "holds a control character");
            }
        }
        Self::Other
    }
}

/// The status in `Error 404: Not Found`.
fn error_in_words(bytes: &[u8]) -> Option<u16> {
    let (status, rest) = bytes.strip_prefix(b"Error ")?.split_at_checked(3)?;
    let is_status = status.iter().all(u8::is_ascii_digit) && rest.starts_with(b":");
    is_status.then(|| status.iter().fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0')))
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn is_control(byte: &u8) -> bool {
    (*byte < b' ' && *byte != b'\t') || *byte == 0x7f
}

/// The name, if it is a header's name.
fn shown(name: &[u8]) -> Option<String> {
    let fits = is_token(name) && name.len() <= NAME_BYTES_MAX;
    fits.then(|| String::from_utf8_lossy(name).into_owned())
}

#[cfg(test)]
mod tests {
    use super::super::head::{HeadError, parse_head};

    fn fault(bytes: &[u8]) -> String {
        match parse_head(bytes) {
            Err(HeadError::NotHttp(fault)) => fault.to_string(),
            other => panic!("{:?}: {other:?}", String::from_utf8_lossy(bytes)),
        }
    }

    #[test]
    fn names_the_protocol_that_the_server_speaks() {
        assert_eq!(fault(b"SSH-2.0-OpenSSH_9\r\n"), "");
        assert_eq!(fault(b"Error 404: Not Found\nNot found"), " but the text of an error 404");
        for words in
            ["Error 404", "Error 4x4: Not Found", "Error +40: Not Found", "Error 4", "Errors 404: Not Found"]
        {
            assert_eq!(fault(words.as_bytes()), "", "{words}");
        }
        for alert in
            [&b"\x15\x03\x01\x00\x02\x02\x0a"[..], b"\x15\x03\x03\x00\x02\x02\x46", b"\x15", b"\x15\x03"]
        {
            assert_eq!(fault(alert), " but TLS", "{alert:?}");
        }
        assert_eq!(fault(b"\x15\x04\x01"), "");
        for settings in [
            &b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03"[..],
            b"\x00\x00\x04\x04",
            b"\0\0\0\x04\0\0\0\0\0",
        ] {
            assert_eq!(fault(settings), " but HTTP/2", "{settings:?}");
        }
        assert_eq!(fault(b"\x00\x00\x12\x05"), "");
        assert_eq!(fault(b"HTTP/2 200\r\n\r\n"), " but another version of HTTP");
    }

    #[test]
    fn names_the_wrong_line_and_no_value() {
        for (lines, expected) in [
            ("HTTP/1.1 2x0 OK\r\n", ": line 1 has no three-digit status"),
            ("HTTP/1.1 200 O\x01K\r\n", ": line 1 holds a control character"),
            ("HTTP/1.1 200 OK\r\nX: y\r\nsecret\r\n\r\n", ": line 3 has no colon after a name"),
            ("HTTP/1.1 200 OK\r\nX-A : secret\r\n", ": line 2 (X-A) has a space before the colon"),
            ("HTTP/1.1 200 OK\r\n: secret\r\n", ": line 2 has no name before the colon"),
            (
                "HTTP/1.1 200 OK\r\nX\x7fA: secret\r\n",
                ": line 2 has a name that is not a token (RFC 9110 5.1)",
            ),
            ("HTTP/1.1 200 OK\r\nX-A: sec\x01ret\r\n", ": line 2 (X-A) holds a control character"),
            ("HTTP/1.1 200 OK\r\nX-A: sec\rret\r\n", ": line 2 (X-A) holds a control character"),
            ("HTTP/1.1 200 OK\r\nX-A: b\r\n sec\0ret\r\n", ": line 3 holds a control character"),
            ("HTTP/1.1 200 OK\r\n X-A: secret\r\n", ": line 2 is folded and follows no header"),
        ] {
            assert_eq!(fault(lines.as_bytes()), expected);
        }
    }
}
