//! The destinations that are reached without a proxy.

use std::net::IpAddr;

use url::Host;

/// A parsed exclusion list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::client) struct Exclusions(Vec<Exclusion>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Exclusion {
    pattern: Pattern,
    /// `None` for any port.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// The host as text. `*` stands for any characters.
    Text(String),
    /// A domain with its subdomains.
    Domain(String),
    Network(IpAddr, u8),
}

/// The meaning of a name without a wildcard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client) enum NameMatch {
    /// The name alone, as in the platform's lists.
    Exact,
    /// The name with its subdomains, as in `no_proxy`.
    WithSubdomains,
}

impl Exclusions {
    /// Parses a list. An entry may hold several, separated by commas. Also returns the entries that are invalid.
    pub(in crate::client) fn parse<'a>(
        list: impl IntoIterator<Item = &'a str>,
        names: NameMatch,
    ) -> (Self, Vec<&'a str>) {
        let (mut entries, mut refused) = (Vec::new(), Vec::new());
        let texts = list.into_iter().flat_map(|texts| texts.split([',', ' ', '\t', ';', '|']));
        for text in texts.filter(|text| !text.is_empty()) {
            match Exclusion::parse(text, names) {
                Some(entry) => entries.push(entry),
                None => refused.push(text),
            }
        }
        (Self(entries), refused)
    }

    /// Whether the destination is reached directly. Names are compared as text, without a lookup.
    pub(in crate::client) fn cover(&self, host: &Host<String>, port: u16) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let (text, address) = match host {
            Host::Domain(name) => (name.trim_end_matches('.').to_ascii_lowercase(), None),
            Host::Ipv4(address) => (address.to_string(), Some(IpAddr::from(*address))),
            Host::Ipv6(address) => (address.to_string(), Some(IpAddr::from(*address))),
        };
        self.0.iter().filter(|entry| entry.port.is_none_or(|wanted| wanted == port)).any(|entry| match &entry
            .pattern
        {
            Pattern::Text(pattern) => fits(pattern.as_bytes(), text.as_bytes()),
            Pattern::Domain(domain) => text
                .strip_suffix(domain.as_str())
                .is_some_and(|above| above.is_empty() || above.ends_with('.')),
            Pattern::Network(network, prefix) => {
                address.is_some_and(|address| contains(*network, *prefix, address))
            }
        })
    }
}

impl Exclusion {
    fn parse(text: &str, names: NameMatch) -> Option<Self> {
        let (host, port) = split_port(text)?;
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let pattern = if let Some((network, prefix)) = host.split_once('/') {
            let network: IpAddr = network.parse().ok()?;
            let bits = if network.is_ipv4() { 32 } else { 128 };
            Pattern::Network(network, prefix.parse().ok().filter(|prefix| *prefix <= bits)?)
        } else if let Ok(address) = host.parse::<IpAddr>() {
            Pattern::Network(address, if address.is_ipv4() { 32 } else { 128 })
        } else if let Some(domain) = host.strip_prefix('.') {
            Pattern::Domain(domain.to_owned())
        } else if host.contains('*') || names == NameMatch::Exact {
            Pattern::Text(host)
        } else {
            Pattern::Domain(host)
        };
        let empty = matches!(&pattern, Pattern::Text(text) | Pattern::Domain(text) if text.is_empty());
        (!empty).then_some(Self { pattern, port })
    }
}

/// Splits a host from its port, if it has one. An IPv6 address has a port only after a bracket.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        return match rest {
            "" => Some((address, None)),
            rest => Some((address, Some(rest.strip_prefix(':')?.parse().ok()?))),
        };
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => Some((host, Some(port.parse().ok()?))),
        _ => Some((text, None)),
    }
}

/// Whether a pattern with wildcards matches all of a text.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let Some(star) = pattern.iter().position(|byte| *byte == b'*') else { return pattern == text };
    let (head, rest) = (&pattern[..star], &pattern[star + 1..]);
    let Some(mut text) = text.strip_prefix(head) else { return false };
    // The first place of a part between wildcards is as good as any later one.
    let mut parts = rest.split(|byte| *byte == b'*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return text.ends_with(part);
        }
        if !part.is_empty() {
            match text.windows(part.len()).position(|window| window == part) {
                Some(at) => text = &text[at + part.len()..],
                None => return false,
            }
        }
    }
    true
}

fn contains(network: IpAddr, prefix: u8, address: IpAddr) -> bool {
    let (network, address, bits) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (network.to_bits().into(), address.to_bits().into(), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
    };
    let differing: u128 = network ^ address;
    differing.checked_shr(bits - u32::from(prefix)).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(list: &str, names: NameMatch, destination: &str) -> bool {
        let (exclusions, refused) = Exclusions::parse([list], names);
        assert_eq!(refused, [""; 0], "{list}");
        let (host, port) = destination.rsplit_once(':').expect("host and port");
        exclusions.cover(&Host::parse(host).expect("a host"), port.parse().expect("a port"))
    }

    #[test]
    fn covers_names_wildcards_networks_and_ports() {
        for (list, destination) in [
            ("*", "anything.example:1"),
            ("a.example, b.example", "b.example:80"),
            ("*.example.org", "a.b.example.org:443"),
            (".example.org", "example.org:443"),
            (".example.org", "a.example.org:443"),
            ("*ample.o*", "example.org:1"),
            ("Example.ORG.", "example.org:1"),
            ("192.168.*", "192.168.7.9:80"),
            ("10.0.0.0/8", "10.255.0.1:80"),
            ("0.0.0.0/0", "8.8.8.8:80"),
            ("fe80::/10", "[fe80::1]:80"),
            ("::/0", "[2001:db8::1]:80"),
            ("[::1]:8080", "[::1]:8080"),
            ("::1", "[::1]:8080"),
            ("127.0.0.1:81", "127.0.0.1:81"),
            ("*:81", "x:81"),
        ] {
            assert!(covers(list, NameMatch::Exact, destination), "{list} covers {destination}");
        }
        for (list, destination) in [
            ("", "a.example:80"),
            ("a.example", "b.a.example:80"),
            ("*.example.org", "example.org:443"),
            (".example.org", "badexample.org:443"),
            ("192.168.1.0/24", "192.168.2.1:80"),
            ("192.168.1.0/24", "[::1]:80"),
            ("127.0.0.1:81", "127.0.0.1:82"),
            ("a*b*c", "acb:1"),
        ] {
            assert!(!covers(list, NameMatch::Exact, destination), "{list} does not cover {destination}");
        }
        assert!(covers("a.example b.example", NameMatch::WithSubdomains, "x.b.example:80"));
        assert!(!covers("a.example", NameMatch::WithSubdomains, "xa.example:80"));
    }

    #[test]
    fn names_invalid_exclusions() {
        let list = ["10.0.0.0/33", "ok, x:port", "[::1", "fe80::/129", ".", "10.0.0/8"];
        let (exclusions, refused) = Exclusions::parse(list, NameMatch::Exact);
        assert_eq!(refused, ["10.0.0.0/33", "x:port", "[::1", "fe80::/129", ".", "10.0.0/8"]);
        assert!(exclusions.cover(&Host::Domain("ok".to_owned()), 1));
    }
}
