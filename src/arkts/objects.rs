//! Creates the objects for JavaScript, field by field. `index.d.ts` declares their shapes.

use super::error::ErrorEvent;
use super::napi::{Engine, EngineError, Value};
use crate::client::{
    Cause, Closed, Direction, FrameHeader, Headers, MessageType, Opened, Reconnecting, RefusedUpgrade,
    Statistics, Times,
};

/// Makes a string for a text message, an ArrayBuffer for a binary one.
///
/// A binary message of any length is copied. An ArrayBuffer over our own memory would need two thirds of the time from
/// 128 KiB on, and more time below. But Node cannot transfer such a buffer to a worker, and V8 collects such buffers
/// late. During a flood, a slow listener then has 115 MB of them instead of 40 MB.
pub fn message_value<'env>(env: Engine, kind: MessageType, bytes: &[u8]) -> Result<Value<'env>, EngineError> {
    match kind {
        // The protocol has validated the text.
        MessageType::Text => env.text(bytes),
        MessageType::Binary => env.array_buffer(bytes),
    }
}

/// The argument of `frame`.
pub fn frame_value<'env>(
    env: Engine,
    direction: Direction,
    header: FrameHeader,
) -> Result<Value<'env>, EngineError> {
    let FrameHeader { fin, compressed, opcode, length } = header;
    let sent = direction == Direction::Sent;
    let result = env.object()?;
    result.set(c"direction", env.string(if sent { "sent" } else { "received" })?)?;
    result.set(c"fin", env.boolean(fin)?)?;
    result.set(c"rsv1", env.boolean(compressed)?)?;
    result.set(c"opcode", env.number(f64::from(opcode))?)?;
    // A client masks its frames, a server does not (RFC 6455 section 5.1). A masked frame of a server ends the
    // connection.
    result.set(c"masked", env.boolean(sent)?)?;
    result.set(c"length", env.number(length as f64)?)?;
    Ok(result)
}

/// The argument of `reconnecting` and `prepare`.
pub fn reconnecting_value<'env>(env: Engine, event: &Reconnecting) -> Result<Value<'env>, EngineError> {
    let Reconnecting { attempt, delay, cause, code, status, text, unsent } = event;
    let result = env.object()?;
    result.set(c"attempt", env.number(f64::from(*attempt))?)?;
    result.set(c"delay", env.number(delay.as_secs_f64() * 1_000.0)?)?;
    result.set(c"cause", env.number(f64::from(*cause as u8))?)?;
    if let Some(code) = code {
        result.set(c"code", env.number(f64::from(*code))?)?;
    }
    if let Some(status) = status {
        result.set(c"status", env.number(f64::from(*status))?)?;
    }
    result.set(c"message", env.string(text)?)?;
    result.set(c"unsent", env.number(*unsent as f64)?)?;
    Ok(result)
}

/// The error object of an `error` event.
pub fn error_value<'env>(env: Engine, error: &ErrorEvent) -> Result<Value<'env>, EngineError> {
    let object = env.business_error(error.code, &error.message)?;
    object.set(c"data", env.string(&error.data)?)?;
    object.set(c"phase", env.string(error.phase)?)?;
    set_circumstances(env, object, error.cause, error.unsent, error.times)?;
    if let Some(RefusedUpgrade { status, reason, headers: all, body, hint: _ }) = &error.refused {
        let response = env.object()?;
        response.set(c"status", env.number(f64::from(*status))?)?;
        response.set(c"message", env.string(reason)?)?;
        response.set(c"header", headers(env, all)?)?;
        response.set(c"body", env.string(&String::from_utf8_lossy(body))?)?;
        object.set(c"response", response)?;
    }
    Ok(object)
}

/// RFC 6455 section 7.1.5 gives a close frame without a code the first value. The platform reports the second, which apps treat
/// as a normal end.
const NO_CODE: u16 = 1005;
const NORMAL_CODE: u16 = 1000;

/// The object of `CloseResult`.
pub fn close_value<'env>(env: Engine, closed: &Closed) -> Result<Value<'env>, EngineError> {
    let Closed { code, reason, cause, unsent, times, peer: _ } = closed;
    let result = env.object()?;
    let code = if *code == NO_CODE { NORMAL_CODE } else { *code };
    result.set(c"code", env.number(f64::from(code))?)?;
    result.set(c"reason", env.string(reason)?)?;
    set_circumstances(env, result, *cause, *unsent, *times)?;
    Ok(result)
}

/// Sets the fields that `error` and `close` share.
fn set_circumstances(
    env: Engine,
    object: Value<'_>,
    cause: Cause,
    unsent: usize,
    times: Times,
) -> Result<(), EngineError> {
    let Times { elapsed, last_activity } = times;
    object.set(c"unsent", env.number(unsent as f64)?)?;
    object.set(c"cause", env.number(f64::from(cause as u8))?)?;
    object.set(c"elapsedTime", env.number(elapsed.as_secs_f64() * 1_000.0)?)?;
    if let Some(time) = last_activity {
        object.set(c"idleTime", env.number(time.as_secs_f64() * 1_000.0)?)?;
    }
    Ok(())
}

/// The object of `Statistics`.
pub fn statistics_value<'env>(env: Engine, counted: &Statistics) -> Result<Value<'env>, EngineError> {
    let timing = counted.timing;
    let object = env.object()?;
    for (name, count) in [
        (c"attempts", counted.attempts),
        (c"connections", counted.connections),
        (c"messagesSent", counted.messages_sent),
        (c"bytesSent", counted.bytes_sent),
        (c"messagesReceived", counted.messages_received),
        (c"bytesReceived", counted.bytes_received),
        (c"deflateInputBytes", counted.deflate_input),
        (c"deflateOutputBytes", counted.deflate_output),
        (c"pingsSent", counted.pings_sent),
        (c"pongsReceived", counted.pongs_received),
        (c"pingsUnanswered", counted.pings_unanswered),
        (c"pingsReceived", counted.pings_received),
        (c"bufferedBytes", counted.buffered_bytes as u64),
        (c"bufferedMessages", counted.buffered_messages as u64),
    ] {
        object.set(name, env.number(count as f64)?)?;
    }
    for (name, time) in [
        (c"roundTrip", counted.round_trip),
        (c"smoothedRoundTrip", counted.round_trip_smoothed),
        (c"minimumRoundTrip", counted.round_trip_minimum),
        (c"lookupTime", timing.map(|timing| timing.lookup)),
        (c"tcpTime", timing.map(|timing| timing.tcp)),
        (c"proxyTime", timing.map(|timing| timing.proxy)),
        (c"tlsTime", timing.map(|timing| timing.tls)),
        (c"upgradeTime", timing.map(|timing| timing.upgrade)),
    ] {
        if let Some(time) = time {
            object.set(name, env.number(time.as_secs_f64() * 1_000.0)?)?;
        }
    }
    Ok(object)
}

/// The argument of `open`. `openInfo` adds the sub-protocol.
pub fn open_result(env: Engine, opened: &Opened) -> Result<Value<'static>, EngineError> {
    let result = env.object()?;
    result.set(c"status", env.number(f64::from(opened.status))?)?;
    result.set(c"message", env.string(&opened.reason)?)?;
    Ok(result)
}

/// One property for each name. A repeated name has an array of its values.
pub fn headers(env: Engine, headers: &Headers) -> Result<Value<'static>, EngineError> {
    let object = env.object()?;
    let all: Vec<_> = headers.iter().collect();
    for (index, (name, _)) in all.iter().enumerate() {
        let same = |other: &&(&str, &str)| other.0 == *name;
        if all[..index].iter().any(|other| same(&other)) {
            continue;
        }
        let values: Vec<_> =
            all.iter().filter(same).map(|(_, value)| env.string(value)).collect::<Result<_, _>>()?;
        let value = match values.as_slice() {
            [value] => *value,
            several => env.array(several)?,
        };
        object.set_own(env.string(name)?, value)?;
    }
    Ok(object)
}
