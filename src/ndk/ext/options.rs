//! Converts the option structs of `net_websocket_ext.h` to the core's options.
//!
//! Owns the defaults, and the checks that name the faulty field. Knows nothing of clients.

use std::ffi::c_char;
use std::mem::size_of;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::client::{
    AlpnProtocols, Causes, ClientCertificate, Credentials, HEADER_BYTES_MAX, HEADER_COUNT_MAX,
    NetworkSecurityConfig, Options, Password, PerMessageDeflate, PhaseTimeouts, Pin, Proxy, ProxyProtocol,
    ProxyServer, REDIRECTS_MAX, RawHeader, Reconnect, Rewrite, SEND_LIMIT_BYTES, SendLimits, SessionOptions,
    TlsOptions, TlsServerName, check_hosts, in_memory,
};
use crate::ndk::abi::ext::{
    PROXY_HTTP, PROXY_NONE, PROXY_SOCKS5, PROXY_SYSTEM, RawOptions, RawPin, RawReconnectOptions,
    SECURITY_CONFIG_PLATFORM, SECURITY_CONFIG_STRICT, USER_AUTHORITIES_BY_CONFIG,
    USER_AUTHORITIES_NOT_TRUSTED, USER_AUTHORITIES_TRUSTED,
};
use crate::ndk::abi::{ErrCode, Header};
use crate::ndk::error::CallError;
use crate::ndk::readable::{self, Unreadable};

/// The longest text that is read, in bytes. A list of sub-protocols and a file name are such texts.
const TEXT_BYTES_MAX: usize = 65_536;
/// The most pins that are read. A longer list is probably circular.
const PINS_MAX: usize = 256;

impl RawOptions {
    /// Returns the core's defaults.
    pub fn defaults() -> Self {
        let Options {
            headers: _,
            protocols: _,
            protocol_required: _,
            tls,
            proxy: _,
            hosts: _,
            credentials: _,
            max_redirects,
            origin_port,
            connect_timeout,
            phase_timeouts,
            session,
            reconnect: _,
            trace_id,
        } = Options::default();
        let TlsOptions {
            ca_path: _,
            ca_path_adds_to_system,
            trust_user_authorities: _,
            network_security_config: _,
            skip_server_verification,
            pins: _,
            client_certificate: _,
            tls13_only,
            alpn: _,
            server_name: _,
        } = tls;
        let offered = session.per_message_deflate.is_some();
        let deflate = session.per_message_deflate.unwrap_or_default();
        Self {
            size: size_of::<Self>(),
            connect_timeout_ms: milliseconds(Some(connect_timeout)),
            close_timeout_ms: milliseconds(Some(session.close_timeout)),
            ping_interval_ms: milliseconds(session.ping_interval),
            pong_timeout_ms: milliseconds(session.pong_timeout),
            max_message_size: session.message_limit,
            send_queue_limit: SEND_LIMIT_BYTES as u64,
            send_low_water: SEND_LIMIT_BYTES as u64 / 4,
            protocols: std::ptr::null(),
            headers: std::ptr::null(),
            ca_path: std::ptr::null(),
            client_cert_path: std::ptr::null(),
            client_key_path: std::ptr::null(),
            skip_server_cert_verification: u8::from(skip_server_verification),
            per_message_deflate: u8::from(offered),
            client_no_context_takeover: u8::from(deflate.client_no_context_takeover),
            server_no_context_takeover: u8::from(deflate.server_no_context_takeover),
            client_max_window_bits: deflate.client_max_window_bits,
            server_max_window_bits: deflate.server_max_window_bits,
            receive_pieces: u8::from(session.in_pieces),
            tls13_only: u8::from(tls13_only),
            deflate_threshold: u32::try_from(deflate.threshold).unwrap_or(u32::MAX),
            client_key_password: std::ptr::null(),
            alpn_protocols: std::ptr::null(),
            tls_server_name: std::ptr::null(),
            certificate_pinning: std::ptr::null(),
            ca_path_adds_to_system: u8::from(ca_path_adds_to_system),
            proxy_host: std::ptr::null(),
            proxy_exclusions: std::ptr::null(),
            proxy_username: std::ptr::null(),
            proxy_password: std::ptr::null(),
            proxy_port: 0,
            proxy_type: PROXY_SYSTEM,
            statistics_interval_ms: milliseconds(session.statistics_interval),
            send_queue_messages: 0,
            trace_id: trace_id.unwrap_or(0),
            max_redirects,
            support_origin_port: u8::from(origin_port),
            hosts: std::ptr::null(),
            username: std::ptr::null(),
            password: std::ptr::null(),
            lookup_timeout_ms: milliseconds(phase_timeouts.lookup),
            tcp_timeout_ms: milliseconds(phase_timeouts.tcp),
            proxy_timeout_ms: milliseconds(phase_timeouts.proxy),
            tls_timeout_ms: milliseconds(phase_timeouts.tls),
            upgrade_timeout_ms: milliseconds(phase_timeouts.upgrade),
            trust_user_authorities: USER_AUTHORITIES_BY_CONFIG,
            network_security_config: SECURITY_CONFIG_PLATFORM,
            fragment_messages: u8::from(SendLimits::of_bytes(SEND_LIMIT_BYTES).fragments),
        }
    }

    /// Returns the core's options and the limits of the send queue.
    pub fn parse(&self) -> Result<(Options, SendLimits), CallError> {
        let deflate = deflate(
            (self.client_no_context_takeover, self.server_no_context_takeover),
            (self.client_max_window_bits, self.server_max_window_bits),
            self.deflate_threshold,
        )?;
        let options = Options {
            headers: headers(self.headers)?,
            protocols: text("protocols", self.protocols)?.unwrap_or_default(),
            protocol_required: false,
            tls: self.parse_tls()?,
            proxy: self.proxy()?,
            hosts: hosts(self.hosts)?,
            credentials: credentials(("username", self.username), ("password", self.password))?,
            max_redirects: match self.max_redirects {
                0..=REDIRECTS_MAX => self.max_redirects,
                other => {
                    let text = format!("maxRedirects: {other}; it must be 0 to {REDIRECTS_MAX}");
                    return Err(CallError::new(ErrCode::InvalidArgument, text));
                }
            },
            origin_port: flag("supportOriginPort", self.support_origin_port)?,
            phase_timeouts: PhaseTimeouts {
                lookup: duration(self.lookup_timeout_ms),
                tcp: duration(self.tcp_timeout_ms),
                proxy: duration(self.proxy_timeout_ms),
                tls: duration(self.tls_timeout_ms),
                upgrade: duration(self.upgrade_timeout_ms),
            },
            connect_timeout: limit("connectTimeoutMs", self.connect_timeout_ms)?,
            session: SessionOptions {
                close_timeout: limit("closeTimeoutMs", self.close_timeout_ms)?,
                ping_interval: duration(self.ping_interval_ms),
                pong_timeout: duration(self.pong_timeout_ms),
                per_message_deflate: flag("perMessageDeflate", self.per_message_deflate)?.then_some(deflate),
                message_limit: bytes("maxMessageSize", self.max_message_size)?,
                in_pieces: flag("receivePieces", self.receive_pieces)?,
                statistics_interval: duration(self.statistics_interval_ms),
            },
            reconnect: None,
            trace_id: (self.trace_id > 0).then_some(self.trace_id),
        };
        let limits = send_limits(
            self.send_queue_limit,
            self.send_low_water,
            self.send_queue_messages,
            self.fragment_messages,
        )?;
        Ok((options, limits))
    }

    fn parse_tls(&self) -> Result<TlsOptions, CallError> {
        let refused = |text: String| CallError::new(ErrCode::InvalidArgument, text);
        let password = text("clientKeyPassword", self.client_key_password)?.map(Password::new);
        let certificate = text("clientCertPath", self.client_cert_path)?;
        let client_certificate = match (certificate, text("clientKeyPath", self.client_key_path)?) {
            (None, None) => None,
            (Some(certificate), Some(key)) => {
                Some(ClientCertificate { certificate: certificate.into(), key: key.into(), password })
            }
            (Some(_), None) => return Err(refused("clientKeyPath: needed by clientCertPath".to_owned())),
            (None, Some(_)) => return Err(refused("clientCertPath: needed by clientKeyPath".to_owned())),
        };
        let alpn = match text("alpnProtocols", self.alpn_protocols)? {
            None => TlsOptions::default().alpn,
            Some(list) => {
                let names = list.split(',').map(str::trim).filter(|_| !list.trim().is_empty());
                AlpnProtocols::parse(names).map_err(|why| refused(format!("alpnProtocols: {why}")))?
            }
        };
        let server_name =
            match text("tlsServerName", self.tls_server_name)? {
                None => None,
                Some(name) => Some(TlsServerName::parse(&name).ok_or_else(|| {
                    refused("tlsServerName: neither a host name nor an IP address".to_owned())
                })?),
            };
        Ok(TlsOptions {
            ca_path: text("caPath", self.ca_path)?.map(PathBuf::from),
            ca_path_adds_to_system: flag("caPathAddsToSystem", self.ca_path_adds_to_system)?,
            trust_user_authorities: match self.trust_user_authorities {
                USER_AUTHORITIES_BY_CONFIG => None,
                USER_AUTHORITIES_TRUSTED => Some(true),
                USER_AUTHORITIES_NOT_TRUSTED => Some(false),
                other => {
                    return Err(refused(format!(
                        "trustUserAuthorities: {other} is not an NWS_UserAuthorities"
                    )));
                }
            },
            network_security_config: match self.network_security_config {
                SECURITY_CONFIG_PLATFORM => NetworkSecurityConfig::Platform,
                SECURITY_CONFIG_STRICT => NetworkSecurityConfig::Strict,
                other => {
                    let text = format!("networkSecurityConfig: {other} is not an NWS_NetworkSecurityConfig");
                    return Err(refused(text));
                }
            },
            skip_server_verification: flag("skipServerCertVerification", self.skip_server_cert_verification)?,
            pins: pins(self.certificate_pinning)?,
            client_certificate,
            tls13_only: flag("tls13Only", self.tls13_only)?,
            alpn,
            server_name,
        })
    }

    fn proxy(&self) -> Result<Proxy, CallError> {
        let refused = |text| CallError::new(ErrCode::InvalidArgument, text);
        let host = text("proxyHost", self.proxy_host)?;
        let protocol = match self.proxy_type {
            PROXY_SYSTEM | PROXY_NONE if host.is_some() => {
                return Err(refused("proxyType: must be HTTP or SOCKS5 if proxyHost is set".to_owned()));
            }
            PROXY_SYSTEM => return Ok(Proxy::System),
            PROXY_NONE => return Ok(Proxy::None),
            PROXY_HTTP => ProxyProtocol::Http,
            PROXY_SOCKS5 => ProxyProtocol::Socks5,
            other => return Err(refused(format!("proxyType: {other} is not an NWS_ProxyType"))),
        };
        let server = ProxyServer {
            protocol,
            host: host.ok_or_else(|| refused("proxyHost: NULL".to_owned()))?,
            port: self.proxy_port,
            exclusions: text("proxyExclusions", self.proxy_exclusions)?.into_iter().collect(),
            credentials: credentials(
                ("proxyUsername", self.proxy_username),
                ("proxyPassword", self.proxy_password),
            )?,
        };
        server.check().map_err(|error| refused(error.to_string()))?;
        Ok(Proxy::Server(server))
    }
}

impl RawReconnectOptions {
    /// Returns the core's defaults.
    pub fn defaults() -> Self {
        let Reconnect {
            at_once,
            delay,
            max_delay,
            max_attempts,
            max_time,
            causes,
            keep_queue,
            prepare_timeout,
            watch_network,
        } = Reconnect::default();
        Self {
            size: size_of::<Self>(),
            delay_ms: milliseconds(Some(delay)),
            max_delay_ms: milliseconds(Some(max_delay)),
            max_attempts: max_attempts.unwrap_or(0),
            max_time_ms: milliseconds(max_time),
            causes: causes.bits(),
            prepare_timeout_ms: milliseconds(Some(prepare_timeout)),
            at_once: at_once.into(),
            drop_queue: (!keep_queue).into(),
            ignore_network: (!watch_network).into(),
        }
    }

    pub fn parse(self) -> Result<Reconnect, CallError> {
        let Self {
            size: _,
            delay_ms,
            max_delay_ms,
            max_attempts,
            max_time_ms,
            causes,
            prepare_timeout_ms,
            at_once,
            drop_queue,
            ignore_network,
        } = self;
        Ok(Reconnect {
            at_once: flag("atOnce", at_once)?,
            delay: limit("delayMs", delay_ms)?,
            max_delay: limit("maxDelayMs", max_delay_ms)?,
            max_attempts: (max_attempts > 0).then_some(max_attempts),
            max_time: duration(max_time_ms),
            causes: Causes::from_bits(causes).ok_or_else(|| {
                CallError::new(ErrCode::InvalidArgument, "causes: a bit is not a cause for a retry")
            })?,
            keep_queue: !flag("dropQueue", drop_queue)?,
            prepare_timeout: limit("prepareTimeoutMs", prepare_timeout_ms)?,
            watch_network: !flag("ignoreNetwork", ignore_network)?,
        })
    }
}

/// Returns the changes that an application has prepared for an attempt.
pub fn rewrite(url: *const c_char, list: *const Header) -> Result<Rewrite, CallError> {
    Ok(Rewrite { url: text("url", url)?, headers: headers(list)? })
}

/// Returns the parameters of permessage-deflate: the client's, then the server's.
#[inline(never)]
pub(in crate::ndk) fn deflate(
    no_context_takeover: (u8, u8),
    window_bits: (u8, u8),
    threshold: u32,
) -> Result<PerMessageDeflate, CallError> {
    Ok(PerMessageDeflate {
        client_no_context_takeover: flag("clientNoContextTakeover", no_context_takeover.0)?,
        server_no_context_takeover: flag("serverNoContextTakeover", no_context_takeover.1)?,
        client_max_window_bits: window("clientMaxWindowBits", window_bits.0)?,
        server_max_window_bits: window("serverMaxWindowBits", window_bits.1)?,
        threshold: threshold as usize,
    })
}

/// Returns the limits of a send queue.
#[inline(never)]
pub(in crate::ndk) fn send_limits(
    limit: u64,
    low_water: u64,
    messages: u64,
    fragments: u8,
) -> Result<SendLimits, CallError> {
    let limit = bytes("sendQueueLimit", limit)?;
    let mut low = in_memory(low_water);
    if low == SendLimits::of_bytes(SEND_LIMIT_BYTES).low_water {
        // An unchanged default follows the limit.
        low = low.min(SendLimits::of_bytes(in_memory(limit)).low_water);
    } else if low_water > limit {
        return Err(CallError::new(ErrCode::InvalidArgument, "sendLowWater: over sendQueueLimit"));
    }
    Ok(SendLimits {
        bytes: in_memory(limit),
        low_water: low,
        messages: usize::try_from(messages).ok().filter(|&count| count > 0).unwrap_or(usize::MAX),
        fragments: flag("fragmentMessages", fragments)?,
    })
}

pub(in crate::ndk) fn milliseconds(duration: Option<Duration>) -> u32 {
    duration.map_or(0, |duration| u32::try_from(duration.as_millis()).unwrap_or(u32::MAX))
}

pub(in crate::ndk) fn duration(milliseconds: u32) -> Option<Duration> {
    (milliseconds > 0).then(|| Duration::from_millis(milliseconds.into()))
}

#[inline(never)]
pub(in crate::ndk) fn limit(field: &str, milliseconds: u32) -> Result<Duration, CallError> {
    duration(milliseconds)
        .ok_or_else(|| CallError::new(ErrCode::InvalidArgument, format!("{field}: 0; it must be 1 or more")))
}

#[inline(never)]
pub(in crate::ndk) fn flag(field: &str, value: u8) -> Result<bool, CallError> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        other => {
            Err(CallError::new(ErrCode::InvalidArgument, format!("{field}: {other}; it must be 0 or 1")))
        }
    }
}

fn window(field: &str, bits: u8) -> Result<u8, CallError> {
    match bits {
        9..=15 => Ok(bits),
        other => {
            Err(CallError::new(ErrCode::InvalidArgument, format!("{field}: {other}; it must be 9 to 15")))
        }
    }
}

/// A number of bytes. Its type has the same size on 32 and on 64 bits.
#[inline(never)]
pub(in crate::ndk) fn bytes(field: &str, count: u64) -> Result<u64, CallError> {
    if (1..=i64::MAX.cast_unsigned()).contains(&count) {
        return Ok(count);
    }
    Err(CallError::new(ErrCode::InvalidArgument, format!("{field}: {count} is out of range")))
}

#[inline(never)]
pub(in crate::ndk) fn text(field: &str, text: *const c_char) -> Result<Option<String>, CallError> {
    if text.is_null() {
        return Ok(None);
    }
    let refused = |why| CallError::new(ErrCode::InvalidArgument, format!("{field}: {why}"));
    let bytes = readable::c_string(text, TEXT_BYTES_MAX).map_err(|unreadable| {
        refused(match unreadable {
            Unreadable::Address => "invalid pointer",
            Unreadable::TooLong => "too long",
        })
    })?;
    String::from_utf8(bytes).map(Some).map_err(|_| refused("not UTF-8"))
}

/// Returns credentials if at least one of the two fields is set.
fn credentials(
    (username_field, username): (&str, *const c_char),
    (password_field, password): (&str, *const c_char),
) -> Result<Option<Credentials>, CallError> {
    let (username, password) = (text(username_field, username)?, text(password_field, password)?);
    let given = username.is_some() || password.is_some();
    Ok(given.then(|| Credentials {
        username: username.unwrap_or_default(),
        password: password.unwrap_or_default(),
    }))
}

/// Reads a list of host names and their addresses.
fn hosts(list: *const Header) -> Result<Vec<(String, String)>, CallError> {
    let refused = |text: String| CallError::new(ErrCode::InvalidArgument, text);
    let utf8 = |text| String::from_utf8(text).map_err(|_| refused("hosts: not UTF-8".to_owned()));
    let pairs = pairs("hosts", list)?.into_iter();
    let hosts: Vec<_> =
        pairs.map(|(name, addresses)| Ok((utf8(name)?, utf8(addresses)?))).collect::<Result<_, _>>()?;
    check_hosts(&hosts).map_err(|error| refused(error.to_string()))?;
    Ok(hosts)
}

pub(in crate::ndk) fn headers(list: *const Header) -> Result<Vec<RawHeader>, CallError> {
    pairs("headers", list)
}

/// Reads a list of the type in the platform's headers.
#[inline(never)]
fn pairs(field: &str, mut next: *const Header) -> Result<Vec<RawHeader>, CallError> {
    let mut headers = Vec::new();
    while !next.is_null() {
        let refused = |code, why| CallError::new(code, format!("{field}: entry {}: {why}", headers.len()));
        let Ok(Header { name, value, next: following }) = readable::value(next) else {
            return Err(refused(ErrCode::InvalidArgument, "invalid pointer"));
        };
        if headers.len() >= HEADER_COUNT_MAX {
            return Err(refused(ErrCode::HeaderExceeded, "one too many"));
        }
        if name.is_null() || value.is_null() {
            return Err(refused(ErrCode::NoHeaderContext, "a name or a value is NULL"));
        }
        let read = |text| {
            readable::c_string(text, HEADER_BYTES_MAX).map_err(|unreadable| match unreadable {
                Unreadable::Address => refused(ErrCode::InvalidArgument, "invalid pointer"),
                Unreadable::TooLong => refused(ErrCode::HeaderExceeded, "too long"),
            })
        };
        let header = (read(name)?, read(value)?);
        headers.push(header);
        next = following;
    }
    Ok(headers)
}

fn pins(mut next: *const RawPin) -> Result<Vec<Pin>, CallError> {
    let mut pins = Vec::new();
    while !next.is_null() {
        let refused = |why: &dyn std::fmt::Display| {
            CallError::new(
                ErrCode::InvalidArgument,
                format!("certificatePinning: entry {}: {why}", pins.len()),
            )
        };
        let Ok(RawPin { public_key_hash, expires_ms, next: following }) = readable::value(next) else {
            return Err(refused(&"invalid pointer"));
        };
        if pins.len() >= PINS_MAX {
            return Err(refused(&"one too many"));
        }
        let hash = text("publicKeyHash", public_key_hash).map_err(|CallError { text, .. }| refused(&text))?;
        let hash = hash.ok_or_else(|| refused(&"publicKeyHash: NULL"))?;
        let expires = match u64::try_from(expires_ms) {
            Ok(0) => None,
            Ok(millis) => SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis)),
            Err(_) => return Err(refused(&"expiresMs: before 1970")),
        };
        let pin = Pin::parse(&hash, expires).map_err(|why| refused(&format_args!("publicKeyHash: {why}")))?;
        pins.push(pin);
        next = following;
    }
    Ok(pins)
}
