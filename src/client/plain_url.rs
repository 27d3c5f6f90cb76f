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
        let (authority, target) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (name, port) = match authority.split_once(':') {
            // The default port is left out.
            Some((name, digits)) => (name, parse_port(digits).filter(|port| *port != default_port)?),
            None => (authority, default_port),
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

/// 1 to 65535, as it would be written.
fn parse_port(digits: &str) -> Option<u16> {
    let plain = !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// An IPv4 address as it would be written, or a name in lower case and without anything for IDNA (RFC 5891) to do.
fn parse_host(name: &str) -> Option<Host<&str>> {
    let last = name.rsplit('.').next().unwrap_or_default();
    // Whatever ends with a number is an address, however it is written.
    if last.starts_with(|first: char| first.is_ascii_digit()) {
        return name.parse().ok().map(Host::Ipv4);
    }
    let is_plain = |label: &str| {
        !label.is_empty()
            && !label.starts_with("xn--")
            && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    };
    name.split('.').all(is_plain).then_some(Host::Domain(name))
}

/// Whether nothing in a path and a query is encoded, and no segment is `.` or `..`, however that is written.
fn is_plain_target(target: &str) -> bool {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&()*+,;=:@/".contains(&byte);
    path.bytes().all(is_plain)
        && !path.contains("/.")
        && query.bytes().all(|byte| is_plain(byte) || matches!(byte, b'%' | b'?'))
}
