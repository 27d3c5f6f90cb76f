//! Parses JavaScript arguments.
//!
//! A wrong argument is an error 401 whose message begins with its name. But wrong values that the platform accepts are
//! accepted here too, with a warning, so that existing apps run. Options of this library alone are strict. No existing
//! app uses them, and ignoring one could remove a protection.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::abort_signal::Signal;
use super::error::ApiError;
use super::header::headers;
use super::lenience::{Lenience, distance, shown};
use super::napi::{Type, Value};
use crate::client::{
    AlpnProtocols, Causes, ClientCertificate, Credentials, NetworkSecurityConfig, Options, Password, Pin,
    Preparation, Proxy, ProxyProtocol, ProxyServer, REDIRECTS_MAX, Reconnect, Rewrite, SEND_LIMIT_BYTES,
    SendLimits, SessionOptions, TlsServerName, in_memory,
};

/// The longest interval or timeout in seconds: the platform's limit.
pub const SECONDS_MAX: f64 = 30_000.0;

/// The platform's default of `pingInterval` and of `pongTimeout` in seconds.
const PLATFORM_DEFAULT_SECONDS: f64 = 30.0;

const DEFAULT_CLOSE_CODE: u32 = 1000;
/// The platform's default. Servers may expect it.
const DEFAULT_CLOSE_REASON: &str = "CLOSE_NORMAL";

/// The largest whole number that a double represents exactly. It is the limit of bytes and milliseconds.
const NUMBER_MAX: f64 = 9_007_199_254_740_991.0;

/// A `match` by the name of a property. The last arm gets any other name, with the list of known names.
macro_rules! match_known {
    ($name:expr, { $($known_name:literal => $arm:expr,)+ }, $known:ident => $unknown:expr) => {
        match $name {
            $($known_name => $arm,)+
            _ => {
                let $known = [$($known_name),+];
                $unknown
            }
        }
    };
}

pub(super) use match_known;

/// The options of `connect`.
pub struct ConnectOptions<'env> {
    pub request: Options,
    /// The limits of the send queue.
    pub send_limits: SendLimits,
    /// When the send queue is full, a message waits for room instead of being refused.
    pub sends_wait: bool,
    /// Cancels the attempt when it is aborted.
    pub signal: Option<Signal<'env>>,
}

/// The options of `connect`. Missing fields of `value` keep the value in `options`.
pub fn connect_options(
    mut options: Options,
    value: Value<'_>,
    lenience: Lenience,
) -> Result<ConnectOptions<'_>, ApiError> {
    let mut send_limits = SendLimits::of_bytes(SEND_LIMIT_BYTES);
    let mut sends_wait = false;
    let mut signal = None;
    let (mut username, mut password) = (None, None);
    let (mut ping_interval, mut pong_timeout) = (None, None);
    for (name, value) in properties("options", value)? {
        if value.is_absent() {
            continue;
        }
        match_known!(name.as_str(), {
            "header" => options.headers = headers(value, lenience)?,
            "caPath" => {
                let path = lenience.text(&name, value).filter(|path| !path.is_empty());
                options.tls.ca_path = path.map(PathBuf::from);
            },
            "caPathAddsToSystem" => options.tls.ca_path_adds_to_system = boolean(&name, value)?,
            "trustUserAuthorities" => options.tls.trust_user_authorities = Some(boolean(&name, value)?),
            "networkSecurityConfig" => {
                options.tls.network_security_config = match value.to_text().as_deref() {
                    Some("platform") => NetworkSecurityConfig::Platform,
                    Some("strict") => NetworkSecurityConfig::Strict,
                    _ => return Err(ApiError::parameter(&name, "must be 'platform' or 'strict'")),
                }
            },
            "clientCert" => options.tls.client_certificate = client_certificate(value, lenience)?,
            "certificatePinning" => options.tls.pins = pins(value)?,
            "alpnProtocols" => {
                let names = texts(&name, value)?;
                options.tls.alpn = AlpnProtocols::parse(names.iter().map(String::as_str))
                    .map_err(|why| ApiError::parameter(&name, why))?;
            },
            "tlsServerName" => {
                let host = TlsServerName::parse(&text(&name, value)?);
                let wrong = || ApiError::parameter(&name, "must be a host name or an IP address");
                options.tls.server_name = Some(host.ok_or_else(wrong)?);
            },
            "proxy" => options.proxy = proxy(value, lenience)?,
            "hosts" => options.hosts = hosts(value)?,
            "username" => username = Some(text(&name, value)?),
            "password" => password = Some(text(&name, value)?),
            "maxRedirects" => {
                let most = f64::from(REDIRECTS_MAX);
                let count =
                    value.to_number().filter(|count| count.fract() == 0.0 && (0.0..=most).contains(count));
                let wrong = || ApiError::parameter(&name, "must be a whole number from 0 to 5");
                options.max_redirects = count.ok_or_else(wrong)? as u8;
            },
            "protocol" => options.protocols = text("protocol", value)?,
            "skipServerCertVerification" => {
                options.tls.skip_server_verification = lenience.boolean(&name, value).unwrap_or(false);
            },
            "pingInterval" => ping_interval = Some(value),
            "pongTimeout" => pong_timeout = Some(value),
            // TLS below 1.2 is never used, so any minimum up to 1.2 is met.
            "minSupportTlsProtocol" => match value.to_number() {
                Some(0.0 | 1.0 | 2.0) => {}
                Some(3.0) => options.tls.tls13_only = true,
                _ => lenience.leave_out(&name, "a TlsProtocol, 0 to 3"),
            },
            "supportOriginPort" => {
                options.origin_port = lenience.boolean(&name, value).unwrap_or(false);
            },
            "perMessageDeflate" => {
                if !boolean(&name, value)? {
                    options.session.per_message_deflate = None;
                }
            },
            "connectTimeout" => options.connect_timeout = milliseconds(&name, value)?,
            "lookupTimeout" => options.phase_timeouts.lookup = Some(milliseconds(&name, value)?),
            "tcpTimeout" => options.phase_timeouts.tcp = Some(milliseconds(&name, value)?),
            "proxyTimeout" => options.phase_timeouts.proxy = Some(milliseconds(&name, value)?),
            "tlsTimeout" => options.phase_timeouts.tls = Some(milliseconds(&name, value)?),
            "upgradeTimeout" => options.phase_timeouts.upgrade = Some(milliseconds(&name, value)?),
            "closeTimeout" => options.session.close_timeout = milliseconds(&name, value)?,
            "maxMessageSize" => options.session.message_limit = bytes(&name, value)?,
            "receivePieces" => options.session.in_pieces = boolean(&name, value)?,
            "sendQueueLimit" => {
                let SendLimits { messages, fragments, .. } = send_limits;
                send_limits = SendLimits { messages, fragments, ..SendLimits::of_bytes(in_memory(bytes(&name, value)?)) };
            },
            "sendQueueMessages" => send_limits.messages = whole(&name, value)? as usize,
            "fragmentMessages" => send_limits.fragments = boolean(&name, value)?,
            "sendQueuePolicy" => {
                sends_wait = match value.to_text().as_deref() {
                    Some("error") => false,
                    Some("wait") => true,
                    _ => return Err(ApiError::parameter(&name, "must be 'error' or 'wait'")),
                }
            },
            "statisticsInterval" => options.session.statistics_interval = Some(milliseconds(&name, value)?),
            "traceId" => options.trace_id = trace_id(value)?,
            "signal" => signal = Some(Signal::parse(value)?),
            "reconnect" => options.reconnect = Some(reconnect(value)?),
        }, known => {
            // An ignored safeguard is worse than a refused connection. The platform has none of these options, so no app relies
            // on their being ignored.
            if let Some(meant) = SAFEGUARDS.iter().find(|safeguard| distance(&name, safeguard) <= MISSPELT_BY) {
                return Err(ApiError::parameter(&shown(&name), &format!("is unknown; did you mean {meant}?")));
            }
            lenience.unknown(&name, &known);
        });
    }
    keepalive(&mut options.session, ping_interval, pong_timeout, lenience);
    if username.is_some() || password.is_some() {
        let (username, password) = (username.unwrap_or_default(), password.unwrap_or_default());
        options.credentials = Some(Credentials { username, password });
    }
    Ok(ConnectOptions { request: options, send_limits, sends_wait, signal })
}

/// The options whose misspelling is refused, and how many characters may differ in one.
const SAFEGUARDS: [&str; 3] = ["certificatePinning", "trustUserAuthorities", "networkSecurityConfig"];
const MISSPELT_BY: usize = 4;

/// Sets the ping interval and the pong timeout by the platform's rules. An interval out of range is ignored. The timeout is at
/// most the interval, unless it is the default.
pub fn keepalive(
    session: &mut SessionOptions,
    interval: Option<Value<'_>>,
    timeout: Option<Value<'_>>,
    lenience: Lenience,
) {
    let number = |name, value: Option<Value<'_>>| {
        let number = value?.to_number().filter(|seconds| !seconds.is_nan());
        if number.is_none() {
            lenience.leave_out(name, "a number of seconds from 0 to 30000");
        }
        number
    };
    let in_range = |seconds: &f64| (0.0..=SECONDS_MAX).contains(seconds);
    let interval = number("pingInterval", interval).filter(|seconds| {
        if !in_range(seconds) {
            lenience.leave_out("pingInterval", "from 0 to 30000");
        }
        in_range(seconds)
    });
    // Without an interval, the platform's default interval limits the timeout.
    let longest = interval.unwrap_or(PLATFORM_DEFAULT_SECONDS);
    let timeout = number("pongTimeout", timeout).map(|seconds| match seconds {
        PLATFORM_DEFAULT_SECONDS => seconds,
        0.0..=SECONDS_MAX if longest == 0.0 || seconds <= longest => seconds,
        _ => {
            // As a whole number: the code that writes fractions takes 7 kB, and nothing else needs it.
            let millis = (longest * 1_000.0) as u64;
            let what = format_args!("must be from 0 to pingInterval; {millis} ms are used");
            lenience.warn("pongTimeout", what);
            longest
        }
    });
    if let Some(interval) = interval {
        session.ping_interval = seconds(interval);
    }
    if let Some(timeout) = timeout {
        session.pong_timeout = seconds(timeout);
    }
}

/// A number of seconds. 0 disables a timer.
pub fn seconds(seconds: f64) -> Option<Duration> {
    Some(Duration::from_secs_f64(seconds)).filter(|duration| !duration.is_zero())
}

/// When to connect again.
fn reconnect(value: Value<'_>) -> Result<Reconnect, ApiError> {
    let mut chosen = Reconnect::default();
    for (name, value) in properties("reconnect", value)? {
        if value.is_absent() {
            continue;
        }
        let field = format!("reconnect.{name}");
        match_known!(name.as_str(), {
            "delay" => chosen.delay = milliseconds(&field, value)?,
            "maxDelay" => chosen.max_delay = milliseconds(&field, value)?,
            "maxAttempts" => chosen.max_attempts = Some(whole(&field, value)?),
            "maxTime" => chosen.max_time = Some(milliseconds(&field, value)?),
            "prepareTimeout" => chosen.prepare_timeout = milliseconds(&field, value)?,
            "atOnce" => chosen.at_once = boolean(&field, value)?,
            "dropQueue" => chosen.keep_queue = !boolean(&field, value)?,
            "ignoreNetwork" => chosen.watch_network = !boolean(&field, value)?,
            "causes" => {
                let wrong = || ApiError::parameter(&field, "must be an array of causes: 1 to 12 or 14 to 17");
                let numbers = value.elements().ok_or_else(wrong)?;
                let bit = |number: Value<'_>| {
                    let number =
                        number.to_number().filter(|it| it.fract() == 0.0 && (1.0..=17.0).contains(it))?;
                    Some(1_u32 << number as u32)
                };
                let mask = numbers.into_iter().map(bit).try_fold(0, |mask, bit| Some(mask | bit?));
                chosen.causes = mask.and_then(Causes::from_bits).ok_or_else(wrong)?;
            },
        }, known => return Err(no_field(&field, &known)));
    }
    Ok(chosen)
}

/// The id of a HiTrace chain: a bigint, or a whole number that a double holds exactly. 0 means none.
fn trace_id(value: Value<'_>) -> Result<Option<u64>, ApiError> {
    let whole = |number: &f64| number.fract() == 0.0 && (0.0..=NUMBER_MAX).contains(number);
    let id = value.to_uint64().or_else(|| value.to_number().filter(whole).map(|number| number as u64));
    let wrong = "must be a bigint of 64 bits, from 0n on, or a whole number from 0 to 9007199254740991";
    match id.ok_or_else(|| ApiError::parameter("traceId", wrong))? {
        0 => Ok(None),
        id => Ok(Some(id)),
    }
}

pub fn whole(name: &str, value: Value<'_>) -> Result<u32, ApiError> {
    value
        .to_number()
        .filter(|count| count.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(count))
        .map(|count| count as u32)
        .ok_or_else(|| ApiError::parameter(name, "must be a whole number, 1 or more"))
}

/// The arguments of `prepareAttempt`.
pub fn attempt(
    attempt: Value<'_>,
    change: Value<'_>,
    lenience: Lenience,
) -> Result<(u32, Preparation), ApiError> {
    let attempt = whole("attempt", attempt)?;
    if change.to_boolean() == Some(false) {
        return Ok((attempt, Preparation::Fail));
    }
    let mut rewrite = Rewrite::default();
    for (name, value) in properties("change", change)? {
        if value.is_absent() {
            continue;
        }
        match_known!(name.as_str(), {
            "url" => rewrite.url = Some(text("change.url", value)?),
            "header" => rewrite.headers = headers(value, lenience)?,
        }, known => return Err(no_field(&format!("change.{name}"), &known)));
    }
    Ok((attempt, Preparation::Proceed(rewrite)))
}

/// The options of `close`, with any code. No content of the object prevents the close.
pub fn close_options(value: Value<'_>, lenience: Lenience) -> Result<(u32, String), ApiError> {
    let (mut code, mut reason) = (DEFAULT_CLOSE_CODE, None);
    for (name, value) in properties("options", value)? {
        if value.is_absent() {
            continue;
        }
        match_known!(name.as_str(), {
            "code" => match value.to_number() {
                // A number that is not a u32 is not a valid code. The client reports it.
                Some(number) if number.fract() == 0.0 => code = number as u32,
                _ => lenience.warn(&name, "must be a whole number; 1000 is sent"),
            },
            "reason" => reason = lenience.text(&name, value),
        }, known => lenience.unknown(&name, &known));
    }
    Ok((code, reason.unwrap_or_else(|| DEFAULT_CLOSE_REASON.to_owned())))
}

pub fn no_field(name: &str, known: &[&str]) -> ApiError {
    ApiError::parameter(&shown(name), &format!("is unknown; the known fields are {}", known.join(", ")))
}

/// A string argument or property.
pub fn text(name: &str, value: Value<'_>) -> Result<String, ApiError> {
    value.to_text().ok_or_else(|| ApiError::parameter(name, "must be a string"))
}

pub fn properties<'env>(name: &str, value: Value<'env>) -> Result<Vec<(String, Value<'env>)>, ApiError> {
    match value.type_of() {
        Type::Undefined | Type::Null => Ok(Vec::new()),
        Type::Object => value.entries().map_err(|_| ApiError::parameter(name, "cannot be read")),
        Type::Boolean | Type::Number | Type::String | Type::Function | Type::Other => {
            Err(ApiError::parameter(name, "must be an object"))
        }
    }
}

pub fn boolean(name: &str, value: Value<'_>) -> Result<bool, ApiError> {
    value.to_boolean().ok_or_else(|| ApiError::parameter(name, "must be a boolean"))
}

pub fn milliseconds(name: &str, value: Value<'_>) -> Result<Duration, ApiError> {
    value
        .to_number()
        .filter(|millis| (1.0..=SECONDS_MAX * 1_000.0).contains(millis))
        .map(|millis| Duration::from_secs_f64(millis / 1_000.0))
        .ok_or_else(|| ApiError::parameter(name, "must be a number of milliseconds from 1 to 30000000"))
}

pub fn bytes(name: &str, value: Value<'_>) -> Result<u64, ApiError> {
    value
        .to_number()
        .filter(|bytes| bytes.fract() == 0.0 && (1.0..=NUMBER_MAX).contains(bytes))
        .map(|bytes| bytes as u64)
        .ok_or_else(|| ApiError::parameter(name, "must be a whole number of bytes, 1 or more"))
}

fn client_certificate(value: Value<'_>, lenience: Lenience) -> Result<Option<ClientCertificate>, ApiError> {
    if value.type_of() != Type::Object {
        lenience.leave_out("clientCert", "an object");
        return Ok(None);
    }
    let (mut certificate, mut key, mut password) = (None, None, None);
    for (name, value) in properties("clientCert", value)? {
        if value.is_absent() {
            continue;
        }
        match_known!(name.as_str(), {
            "certPath" => certificate = lenience.text("clientCert.certPath", value),
            "keyPath" => key = lenience.text("clientCert.keyPath", value),
            "keyPassword" => password = lenience.text("clientCert.keyPassword", value),
        }, known => lenience.unknown(&format!("clientCert.{name}"), &known));
    }
    // On the platform two empty paths mean no certificate.
    match (certificate.filter(|path| !path.is_empty()), key.filter(|path| !path.is_empty())) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            let password = password.filter(|password| !password.is_empty()).map(Password::new);
            Ok(Some(ClientCertificate { certificate: certificate.into(), key: key.into(), password }))
        }
        (None, Some(_)) => Err(ApiError::parameter("clientCert.certPath", "must be a path")),
        (Some(_), None) => Err(ApiError::parameter("clientCert.keyPath", "must be a path")),
    }
}

/// One pin or an array of them, as in the platform's `http` module; `expires` is ours.
fn pins(value: Value<'_>) -> Result<Vec<Pin>, ApiError> {
    let refused = |field: &str, why: &str| ApiError::parameter(&format!("certificatePinning.{field}"), why);
    let pins = value.elements().unwrap_or_else(|| vec![value]);
    pins.into_iter()
        .map(|value| {
            let (mut hash, mut algorithm, mut expires) = (None, None, None);
            for (name, value) in properties("certificatePinning", value)? {
                if value.is_absent() {
                    continue;
                }
                match_known!(name.as_str(), {
                    "publicKeyHash" => hash = Some(text("certificatePinning.publicKeyHash", value)?),
                    "hashAlgorithm" => algorithm = Some(text("certificatePinning.hashAlgorithm", value)?),
                    "expires" => {
                        let millis = value.to_number().filter(|millis| (0.0..=NUMBER_MAX).contains(millis));
                        let millis =
                            millis.ok_or_else(|| refused(&name, "must be milliseconds since 1970"))?;
                        expires = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis as u64));
                    },
                }, known => return Err(no_field(&format!("certificatePinning.{name}"), &known)));
            }
            if algorithm.as_deref() != Some("SHA-256") {
                return Err(refused("hashAlgorithm", "must be 'SHA-256'"));
            }
            Pin::parse(&hash.unwrap_or_default(), expires)
                .map_err(|why| refused("publicKeyHash", &format!("is {why}")))
        })
        .collect()
}

/// The fields that name the proxy are strict, because ignoring a proxy would connect without it. The other fields are lenient,
/// because the platform does not read them.
fn proxy(value: Value<'_>, lenience: Lenience) -> Result<Proxy, ApiError> {
    match value.to_text().as_deref() {
        Some("system") => return Ok(Proxy::System),
        Some("no-proxy") => return Ok(Proxy::None),
        None if value.type_of() == Type::Object => {}
        _ => return Err(ApiError::parameter("proxy", "must be 'system', 'no-proxy' or an HttpProxy")),
    }
    let mut server = ProxyServer {
        protocol: ProxyProtocol::Http,
        host: String::new(),
        port: 0,
        exclusions: Vec::new(),
        credentials: None,
    };
    let (mut username, mut password) = (None, None);
    for (name, value) in properties("proxy", value)? {
        if value.is_absent() {
            continue;
        }
        let field = format!("proxy.{name}");
        match_known!(name.as_str(), {
            "host" => server.host = text(&field, value)?,
            "port" => {
                let port =
                    value.to_number().filter(|port| port.fract() == 0.0 && (0.0..=65_535.0).contains(port));
                server.port = port.ok_or_else(|| ApiError::parameter(&field, "must be 1 to 65535"))? as u16;
            },
            "exclusionList" => match value.elements() {
                Some(entries) => {
                    server.exclusions =
                        entries.into_iter().filter_map(|entry| lenience.text(&field, entry)).collect();
                }
                None => lenience.leave_out(&field, "an array of strings"),
            },
            "username" => username = lenience.text(&field, value),
            "password" => password = lenience.text(&field, value),
            "type" => {
                server.protocol = match text(&field, value)?.as_str() {
                    "http" => ProxyProtocol::Http,
                    "socks5" => ProxyProtocol::Socks5,
                    _ => return Err(ApiError::parameter(&field, "must be 'http' or 'socks5'")),
                }
            },
        }, known => lenience.unknown(&field, &known));
    }
    // The platform's settings contain this when no proxy is set.
    if server.host.is_empty() {
        if server.port != 0 {
            lenience.warn("proxy.host", "is empty; no proxy is used");
        }
        return Ok(Proxy::None);
    }
    let (username, password) = (username.unwrap_or_default(), password.unwrap_or_default());
    if username.is_empty() && !password.is_empty() {
        lenience.warn("proxy.password", "needs a username; it is ignored");
    } else if !username.is_empty() {
        server.credentials = Some(Credentials { username, password });
    }
    Ok(Proxy::Server(server))
}

/// Host names and their addresses.
fn hosts(value: Value<'_>) -> Result<Vec<(String, String)>, ApiError> {
    let wrong = |name: &str| ApiError::parameter("hosts", &format!("the value of {name} must be a string"));
    properties("hosts", value)?
        .into_iter()
        .map(|(name, value)| value.to_text().ok_or_else(|| wrong(&name)).map(|addresses| (name, addresses)))
        .collect()
}

/// An array of strings.
fn texts(name: &str, value: Value<'_>) -> Result<Vec<String>, ApiError> {
    value
        .elements()
        .and_then(|texts| texts.into_iter().map(Value::to_text).collect())
        .ok_or_else(|| ApiError::parameter(name, "must be an array of strings"))
}
