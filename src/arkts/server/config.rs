//! Parses the configuration of `start` and the connections in arguments.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::arkts::error::ApiError;
use crate::arkts::lenience::Lenience;
use crate::arkts::napi::{Type, Value};
use crate::arkts::options::{
    SECONDS_MAX, boolean, bytes, match_known, milliseconds, no_field, properties, seconds, text, whole,
};
use crate::client::{Password, PerMessageDeflate, SendLimits, ServerTls, in_memory};
use crate::server::{RateLimit, Remote, ServerOptions};

/// The configuration of a server. Options of the platform's server are read as there, with two differences. A missing number
/// has the declared default, and no number is too large.
pub fn server_options(value: Value<'_>, lenience: Lenience) -> Result<ServerOptions, ApiError> {
    if value.type_of() != Type::Object {
        return Err(ApiError::parameter("config", "must be an object"));
    }
    let mut options = ServerOptions::default();
    let (mut ip, mut port) = (None, None);
    let (mut client_authorities, mut tls13_only) = (None, false);
    for (name, value) in properties("config", value)? {
        if value.is_absent() {
            continue;
        }
        match_known!(name.as_str(), {
            "serverIP" => {
                let host: Option<IpAddr> = text(&name, value)?.parse().ok();
                let wrong = || ApiError::server_address("serverIP: must be an IPv4 or IPv6 address");
                ip = Some(host.ok_or_else(wrong)?);
            },
            "serverPort" => {
                let number =
                    value.to_number().ok_or_else(|| ApiError::parameter(&name, "must be a number"))?;
                port = Some(port_of(number)?);
            },
            "socketPath" => options.socket_path = Some(PathBuf::from(text(&name, value)?)),
            "maxConcurrentClientsNumber" => options.addresses_max = whole(&name, value)? as usize,
            "maxConnectionsForOneClient" => {
                options.connections_per_address_max = whole(&name, value)? as usize;
            },
            "protocol" => {
                let names = text(&name, value)?;
                let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
                options.protocols = names.map(str::to_owned).collect();
            },
            "serverCert" => options.tls = server_cert(value, lenience)?,
            "clientCaPath" => client_authorities = Some(PathBuf::from(text(&name, value)?)),
            "tls13Only" => tls13_only = boolean(&name, value)?,
            "perMessageDeflate" => {
                let deflate = boolean(&name, value)?;
                options.session.per_message_deflate = deflate.then(PerMessageDeflate::default);
            },
            "maxMessageSize" => options.session.message_limit = bytes(&name, value)?,
            "sendQueueLimit" => {
                let SendLimits { messages, .. } = options.send_limits;
                options.send_limits = SendLimits { messages, ..SendLimits::of_bytes(in_memory(bytes(&name, value)?)) };
            },
            "sendQueueMessages" => options.send_limits.messages = whole(&name, value)? as usize,
            "pingInterval" => options.session.ping_interval = seconds_of(&name, value)?,
            "pongTimeout" => options.session.pong_timeout = seconds_of(&name, value)?,
            "closeTimeout" => options.session.close_timeout = milliseconds(&name, value)?,
            "handshakeTimeout" => options.handshake_timeout = milliseconds(&name, value)?,
            "maxHandshakes" => options.handshakes_max = whole(&name, value)? as usize,
            "rateLimit" => options.rate_limit = boolean(&name, value)?.then_some(RateLimit::PLATFORM),
        }, known => lenience.unknown(&name, &known));
    }
    listen_at(&mut options, ip, port)?;
    match &mut options.tls {
        Some(tls) => (tls.client_authorities, tls.tls13_only) = (client_authorities, tls13_only),
        // Without TLS the option would have no effect, and the app would not know.
        None if client_authorities.is_some() => {
            return Err(ApiError::parameter("clientCaPath", "needs serverCert"));
        }
        None if tls13_only => return Err(ApiError::parameter("tls13Only", "needs serverCert")),
        None => {}
    }
    Ok(options)
}

/// Where to listen: at a port, or at a path.
fn listen_at(options: &mut ServerOptions, ip: Option<IpAddr>, port: Option<u16>) -> Result<(), ApiError> {
    let beside = [("serverIP", ip.is_some()), ("serverPort", port.is_some())];
    match (&options.socket_path, beside.into_iter().find(|(_, given)| *given), port) {
        (Some(_), Some((name, _)), _) => {
            Err(ApiError::parameter("socketPath", &format!("cannot be used with {name}")))
        }
        (Some(_), None, _) => Ok(()),
        (None, _, None) => Err(ApiError::parameter("serverPort", "is missing")),
        (None, _, Some(port)) => {
            options.listen.set_port(port);
            if let Some(ip) = ip {
                options.listen.set_ip(ip);
            }
            Ok(())
        }
    }
}

/// A number of seconds. 0 disables a timer.
fn seconds_of(name: &str, value: Value<'_>) -> Result<Option<Duration>, ApiError> {
    let number = value.to_number().filter(|seconds| (0.0..=SECONDS_MAX).contains(seconds));
    let wrong = || ApiError::parameter(name, "must be a number of seconds from 0 to 30000");
    number.map(seconds).ok_or_else(wrong)
}

/// How long `stop` waits for clients.
pub fn stop_limit(options: Value<'_>) -> Result<Option<Duration>, ApiError> {
    let mut limit = None;
    for (name, value) in properties("options", options)? {
        if value.is_absent() {
            continue;
        }
        match_known!(name.as_str(), {
            "timeout" => limit = Some(milliseconds(&name, value)?),
        }, known => return Err(no_field(&name, &known)));
    }
    Ok(limit)
}

/// 0 means a free port.
fn port_of(number: f64) -> Result<u16, ApiError> {
    let fits = number.fract() == 0.0 && (0.0..=f64::from(u16::MAX)).contains(&number);
    fits.then_some(number as u16)
        .ok_or_else(|| ApiError::server_port("serverPort: must be a whole number from 0 to 65535"))
}

/// `None` if it names no file, as on the platform. An app may fill in a configuration without files.
fn server_cert(value: Value<'_>, lenience: Lenience) -> Result<Option<ServerTls>, ApiError> {
    let (mut certificate, mut key, mut password) = (None, None, None);
    for (name, value) in properties("serverCert", value)? {
        if value.is_absent() {
            continue;
        }
        let field = format!("serverCert.{name}");
        match_known!(name.as_str(), {
            "certPath" => certificate = Some(text(&field, value)?),
            "keyPath" => key = Some(text(&field, value)?),
            "keyPassword" => password = Some(text(&field, value)?),
        }, known => return Err(no_field(&field, &known)));
    }
    let given = |path: Option<String>| path.filter(|path| !path.is_empty());
    let missing = |name: &str| ApiError::parameter(&format!("serverCert.{name}"), "must be a path");
    match (given(certificate), given(key)) {
        (None, None) => {
            lenience.warn("serverCert", "names no files, so that the server has ws, not wss");
            Ok(None)
        }
        (None, Some(_)) => Err(missing("certPath")),
        (Some(_), None) => Err(missing("keyPath")),
        (Some(certificate), Some(key)) => Ok(Some(ServerTls {
            certificate: certificate.into(),
            key: key.into(),
            password: password.filter(|password| !password.is_empty()).map(Password::new),
            client_authorities: None,
            tls13_only: false,
        })),
    }
}

/// The client's address in a connection object. `None` if no client can have it.
pub fn remote_of(connection: Value<'_>) -> Result<Option<Remote>, ApiError> {
    let wrong = |name: &str, wanted: &str| ApiError::parameter(&format!("connection.{name}"), wanted);
    if connection.type_of() != Type::Object {
        return Err(ApiError::parameter("connection", "must be a WebSocketConnection"));
    }
    let field = |name| connection.get(name).map_err(|_| ApiError::parameter("connection", "cannot be read"));
    let host = field(c"clientIP")?.to_text().ok_or_else(|| wrong("clientIP", "must be a string"))?;
    let port = field(c"clientPort")?.to_number().ok_or_else(|| wrong("clientPort", "must be a number"))?;
    if host.is_empty() {
        return Ok((port.fract() == 0.0 && port > 0.0).then_some(Remote::Path(port as u64)));
    }
    let host: Option<IpAddr> = host.parse().ok();
    let address = |(host, port): (IpAddr, u16)| SocketAddr::new(host.to_canonical(), port);
    Ok(host.zip(port_of(port).ok()).map(address).map(Remote::Address))
}
