//! Parses an application's texts into values that are always valid: headers, sub-protocols, static addresses.

use std::net::IpAddr;

use url::Host;

use super::error::OptionsError;
use super::options::{HEADER_BYTES_MAX, HEADER_COUNT_MAX};
use crate::client::headers::{RawHeader, is_token};

/// Whether [`super::Options::hosts`] is valid.
pub fn check_hosts(hosts: &[(String, String)]) -> Result<(), OptionsError> {
    parse_hosts(hosts.to_vec()).map(|_| ())
}

/// The static addresses of names.
pub(super) fn parse_hosts(hosts: Vec<(String, String)>) -> Result<Vec<(String, Vec<IpAddr>)>, OptionsError> {
    let parse = |(name, addresses): (String, String)| {
        let parsed: Option<Vec<IpAddr>> =
            addresses.split(',').map(|address| address.trim().parse().ok()).collect();
        match (Host::parse(&name), parsed) {
            (Ok(Host::Domain(known)), Some(addresses)) => Ok((without_root(&known).to_owned(), addresses)),
            _ => Err(OptionsError::Hosts { name }),
        }
    };
    hosts.into_iter().map(parse).collect()
}

/// A host name without the dot of the root. It means the same host.
pub(in crate::client) fn without_root(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

pub(super) fn split_protocols(list: &str) -> Result<Vec<String>, OptionsError> {
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

/// Headers that can be sent. `Sec-WebSocket-Protocol` adds to the sub-protocols, because the platform's C API has no
/// other way to request one.
pub(super) fn parse_headers(
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
