//! URLs that stand for themselves: no part of them is encoded, normalized or left out, so reading them copies nothing.
//!
//! Most URLs of WebSockets are like that, and the parser for all others takes many times as long. What is read here must be
//! what that parser would read; whatever may not be is left to it.

use url::Host;

/// The parts of such a URL.
pub(super) struct PlainUrl<'a> {
    pub(super) secure: bool,
    pub(super) host: Host<&'a str>,
    pub(super) port: u16,
    /// The host and the port, if it names one.
    pub(super) authority: &'a str,
    /// Path and query.
    pub(super) target: &'a str,
}

impl<'a> PlainUrl<'a> {
    /// The parts, or `None` for the other parser to say what they are, or what is wrong.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (rest, secure, default_port) = match text.strip_prefix("ws://") {
            Some(rest) => (rest, false, 80),
            None => (text.strip_prefix("wss://")?, true, 443),
        };
        let (authority, target) = split_at(rest, b'/');
        let (name, port) = match split_at(authority, b':') {
            (name, "") => (name, default_port),
            // The default port is left out.
            (name, port) => (name, parse_port(&port[1..]).filter(|port| *port != default_port)?),
        };
        let host = parse_host(name)?;
        let target = match target {
            "" => "/",
            target if is_plain_target(target) => target,
            _ => return None,
        };
        Some(Self { secure, host, port, authority, target })
    }
}

/// What is before a character, and the rest.
fn split_at(text: &str, at: u8) -> (&str, &str) {
    text.split_at(text.bytes().position(|byte| byte == at).unwrap_or(text.len()))
}

/// 1 to 65535, as it would be written.
fn parse_port(digits: &str) -> Option<u16> {
    let plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// An IPv4 address as it would be written, or a name in lower case and without anything for IDNA (RFC 5891) to do.
fn parse_host(name: &str) -> Option<Host<&str>> {
    let mut labels = name.as_bytes().split(|byte| *byte == b'.');
    // Whatever ends with a number is an address, however it is written.
    if labels.clone().next_back()?.first()?.is_ascii_digit() {
        return name.parse().ok().map(Host::Ipv4);
    }
    let is_plain = |label: &[u8]| {
        !label.is_empty()
            && !label.starts_with(b"xn--")
            && label.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    labels.all(is_plain).then_some(Host::Domain(name))
}

/// Whether nothing in a path and a query is encoded, and no segment is `.` or `..`, however that is written.
fn is_plain_target(target: &str) -> bool {
    let (path, query) = split_at(target, b'?');
    let is_plain = |byte: u8| {
        matches!(
            byte,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&' | b'(' | b')' | b'*' | b'+'
                | b',' | b';' | b'=' | b':' | b'@' | b'/'
        )
    };
    path.bytes().all(is_plain)
        && !path.as_bytes().windows(2).any(|pair| pair == b"/.")
        && query.bytes().all(|byte| is_plain(byte) || matches!(byte, b'%' | b'?'))
}
