//! JavaScript arguments, parsed once; what is wrong with one is a 401 that begins with its name.

use std::path::PathBuf;
use std::time::Duration;

use super::abort_signal::Signal;
use super::error::ApiError;
use super::value::{Type, Value};
use crate::client::{ClientCertificate, CloseError, Options, RawHeader, SEND_LIMIT_BYTES, may_close_with};

/// The most seconds of an interval or a timeout: the platform's limit.
const SECONDS_MAX: f64 = 30_000.0;

const DEFAULT_CLOSE_CODE: u16 = 1000;
/// The platform's default, which servers may know.
const DEFAULT_CLOSE_REASON: &str = "CLOSE_NORMAL";

const KNOWN: &str = "header, caPath, clientCert, proxy, protocol, skipServerCertVerification, pingInterval, pongTimeout, \
                     minSupportTlsProtocol, supportOriginPort, perMessageDeflate, connectTimeout, closeTimeout, \
                     maxMessageSize, sendQueueLimit, signal";

/// The most bytes of a limit: what a double holds exactly.
const BYTES_MAX: f64 = 9_007_199_254_740_991.0;

/// The options of `connect`.
pub struct ConnectOptions<'env> {
    pub request: Options,
    /// The most bytes that may wait to be sent.
    pub send_limit: usize,
    /// Gives the attempt up.
    pub signal: Option<Signal<'env>>,
}

pub fn connect_options(value: Value<'_>) -> Result<ConnectOptions<'_>, ApiError> {
    let mut options = Options::default();
    let mut send_limit = SEND_LIMIT_BYTES;
    let mut signal = None;
    for (name, value) in properties("options", value)? {
        if value.is_absent() {
            continue;
        }
        match name.as_str() {
            "header" => options.headers = headers(value)?,
            "caPath" => {
                options.ca_path =
                    Some(text("caPath", value)?).filter(|path| !path.is_empty()).map(PathBuf::from)
            }
            "protocol" => options.protocols = text("protocol", value)?,
            "skipServerCertVerification" => options.skip_server_verification = boolean(&name, value)?,
            "pingInterval" => options.ping_interval = seconds(&name, value)?,
            "pongTimeout" => options.pong_timeout = seconds(&name, value)?,
            "proxy" => match value.to_text().as_deref() {
                Some("system" | "no-proxy") => {}
                Some(_) => {
                    return Err(ApiError::parameter("proxy", "must be 'system', 'no-proxy' or an HttpProxy"));
                }
                None => {
                    return Err(ApiError::parameter(
                        "proxy",
                        "an HttpProxy is not supported by this version",
                    ));
                }
            },
            "clientCert" => options.client_certificate = client_certificate(value)?,
            // TLS below 1.2 is never spoken, so a minimum up to that is always kept.
            "minSupportTlsProtocol" => match value.to_number() {
                Some(0.0 | 1.0 | 2.0) => {}
                Some(3.0) => options.tls13_only = true,
                _ => return Err(ApiError::parameter(&name, "must be a TlsProtocol")),
            },
            "perMessageDeflate" => {
                if !boolean(&name, value)? {
                    options.per_message_deflate = None;
                }
            }
            "connectTimeout" => options.connect_timeout = milliseconds(&name, value)?,
            "closeTimeout" => options.close_timeout = milliseconds(&name, value)?,
            "maxMessageSize" => options.message_limit = bytes(&name, value)?,
            "signal" => signal = Some(Signal::parse(value)?),
            "sendQueueLimit" => send_limit = bytes(&name, value)?,
            "supportOriginPort" => {
                boolean(&name, value)?;
            }
            _ => return Err(ApiError::parameter(&name, &format!("is not an option; known are {KNOWN}"))),
        }
    }
    Ok(ConnectOptions { request: options, send_limit, signal })
}

/// The options of `close`.
pub fn close_options(value: Value<'_>) -> Result<(u16, String), ApiError> {
    let (mut code, mut reason) = (DEFAULT_CLOSE_CODE, DEFAULT_CLOSE_REASON.to_owned());
    for (name, value) in properties("options", value)? {
        if value.is_absent() {
            continue;
        }
        match name.as_str() {
            "code" => {
                code = value
                    .to_number()
                    .filter(|code| code.fract() == 0.0 && (0.0..=65_535.0).contains(code))
                    .map(|code| code as u16)
                    .filter(|code| may_close_with(*code))
                    .ok_or(CloseError::Code)?;
            }
            "reason" => reason = text("reason", value)?,
            _ => return Err(ApiError::parameter(&name, "is not an option; known are code, reason")),
        }
    }
    Ok((code, reason))
}

/// A string argument or property.
pub fn text(name: &str, value: Value<'_>) -> Result<String, ApiError> {
    value.to_text().ok_or_else(|| ApiError::parameter(name, "must be a string"))
}

fn properties<'env>(name: &str, value: Value<'env>) -> Result<Vec<(String, Value<'env>)>, ApiError> {
    match value.type_of() {
        Type::Undefined | Type::Null => Ok(Vec::new()),
        Type::Object => value.entries().map_err(|_| ApiError::parameter(name, "cannot be read")),
        Type::Boolean | Type::Number | Type::String | Type::Function | Type::Other => {
            Err(ApiError::parameter(name, "must be an object"))
        }
    }
}

fn boolean(name: &str, value: Value<'_>) -> Result<bool, ApiError> {
    value.to_boolean().ok_or_else(|| ApiError::parameter(name, "must be a boolean"))
}

fn milliseconds(name: &str, value: Value<'_>) -> Result<Duration, ApiError> {
    value
        .to_number()
        .filter(|millis| (1.0..=SECONDS_MAX * 1_000.0).contains(millis))
        .map(|millis| Duration::from_secs_f64(millis / 1_000.0))
        .ok_or_else(|| ApiError::parameter(name, "must be a number of milliseconds from 1 to 30000000"))
}

fn bytes(name: &str, value: Value<'_>) -> Result<usize, ApiError> {
    value
        .to_number()
        .filter(|bytes| bytes.fract() == 0.0 && (1.0..=BYTES_MAX).contains(bytes))
        .and_then(|bytes| usize::try_from(bytes as u64).ok())
        .ok_or_else(|| ApiError::parameter(name, "must be a whole number of bytes, 1 or more"))
}

fn client_certificate(value: Value<'_>) -> Result<Option<ClientCertificate>, ApiError> {
    let (mut certificate, mut key) = (None, None);
    for (name, value) in properties("clientCert", value)? {
        match name.as_str() {
            _ if value.is_absent() => {}
            "certPath" => certificate = Some(text("clientCert.certPath", value)?),
            "keyPath" => key = Some(text("clientCert.keyPath", value)?),
            "keyPassword" => {
                if !text("clientCert.keyPassword", value)?.is_empty() {
                    let why = "a key with a password is not supported by this version";
                    return Err(ApiError::parameter("clientCert.keyPassword", why));
                }
            }
            _ => {
                let why = "is not a field; known are certPath, keyPath, keyPassword";
                return Err(ApiError::parameter(&format!("clientCert.{name}"), why));
            }
        }
    }
    // The platform takes two empty paths for no certificate.
    match (certificate.filter(|path| !path.is_empty()), key.filter(|path| !path.is_empty())) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => {
            Ok(Some(ClientCertificate { certificate: certificate.into(), key: key.into() }))
        }
        (None, Some(_)) => Err(ApiError::parameter("clientCert.certPath", "must be a path")),
        (Some(_), None) => Err(ApiError::parameter("clientCert.keyPath", "must be a path")),
    }
}

fn headers(value: Value<'_>) -> Result<Vec<RawHeader>, ApiError> {
    properties("header", value)?
        .into_iter()
        .map(|(name, value)| match value.to_text() {
            Some(text) => Ok((name.into_bytes(), text.into_bytes())),
            None => Err(ApiError::parameter("header", &format!("the value of {name} must be a string"))),
        })
        .collect()
}

/// 0 switches a timer off.
fn seconds(name: &str, value: Value<'_>) -> Result<Option<Duration>, ApiError> {
    let seconds = value
        .to_number()
        .filter(|seconds| (0.0..=SECONDS_MAX).contains(seconds))
        .ok_or_else(|| ApiError::parameter(name, "must be a number of seconds from 0 to 30000"))?;
    Ok(Some(Duration::from_secs_f64(seconds)).filter(|duration| !duration.is_zero()))
}
