//! Converts the core's events to the structs of `net_websocket_ext.h`.
//!
//! Owns the conversions that several functions need. Knows nothing of clients and callbacks.

use std::ffi::CString;
use std::mem::size_of;
use std::time::Duration;

use super::abi::ext::{
    BINARY, RawClose, RawFailure, RawMessage, RawReconnecting, RawStatistics, Response, ResponseHeader, TEXT,
};
use super::error;
use crate::client::{
    Closed, Failure, Headers, Message, MessageType, Opened, Phase, Reconnecting, Statistics, Times,
};

pub fn statistics(statistics: &Statistics) -> RawStatistics {
    let Statistics {
        attempts,
        connections,
        messages_sent,
        bytes_sent,
        messages_received,
        bytes_received,
        deflate_input,
        deflate_output,
        pings_sent,
        pongs_received,
        pings_unanswered,
        pings_received,
        round_trip,
        round_trip_smoothed,
        round_trip_minimum,
        buffered_bytes,
        buffered_messages,
        timing,
    } = *statistics;
    RawStatistics {
        size: size_of::<RawStatistics>(),
        attempts,
        connections,
        messages_sent,
        bytes_sent,
        messages_received,
        bytes_received,
        deflate_input_bytes: deflate_input,
        deflate_output_bytes: deflate_output,
        pings_sent,
        pongs_received,
        pings_received,
        buffered_bytes: buffered_bytes as u64,
        round_trip_us: round_trip.map_or(-1, micros),
        smoothed_round_trip_us: round_trip_smoothed.map_or(-1, micros),
        minimum_round_trip_us: round_trip_minimum.map_or(-1, micros),
        lookup_us: timing.map_or(-1, |timing| micros(timing.lookup)),
        tcp_us: timing.map_or(-1, |timing| micros(timing.tcp)),
        tls_us: timing.map_or(-1, |timing| micros(timing.tls)),
        upgrade_us: timing.map_or(-1, |timing| micros(timing.upgrade)),
        proxy_us: timing.map_or(-1, |timing| micros(timing.proxy)),
        pings_unanswered,
        buffered_messages: buffered_messages as u64,
    }
}

pub fn header_texts(headers: &Headers) -> Vec<(CString, CString)> {
    headers.iter().map(|(name, value)| (c_text(name), c_text(value))).collect()
}

/// The result is valid as long as the texts are.
pub fn header_array(texts: &[(CString, CString)]) -> Vec<ResponseHeader> {
    texts.iter().map(|(name, value)| ResponseHeader { name: name.as_ptr(), value: value.as_ptr() }).collect()
}

/// Lends the server's answer in its C form.
pub fn with_response(opened: &Opened, lend: impl FnOnce(&Response)) {
    let texts = header_texts(&opened.headers);
    let headers = header_array(&texts);
    let protocol = c_text(opened.protocol.as_deref().unwrap_or_default());
    let extensions = c_text(opened.extensions.as_deref().unwrap_or_default());
    lend(&Response {
        size: size_of::<Response>(),
        status: u32::from(opened.status),
        // There are at most 256.
        header_count: u32::try_from(headers.len()).unwrap_or(u32::MAX),
        headers: headers.as_ptr(),
        protocol: protocol.as_ptr(),
        extensions: extensions.as_ptr(),
    });
}

/// Lends an announced retry in its C form.
pub fn with_reconnecting<R>(reconnecting: &Reconnecting, lend: impl FnOnce(&RawReconnecting) -> R) -> R {
    let Reconnecting { attempt, delay, cause, code, status, text, unsent } = reconnecting;
    let message = c_text(text);
    lend(&RawReconnecting {
        size: size_of::<RawReconnecting>(),
        attempt: *attempt,
        delay_ms: u32::try_from(delay.as_millis()).unwrap_or(u32::MAX),
        cause: *cause as i32,
        close_code: code.map_or(0, u32::from),
        http_status: status.map_or(0, u32::from),
        message: message.as_ptr(),
        unsent_messages: *unsent as u64,
    })
}

/// A message in its C form. It is valid as long as the message.
pub fn message(message: &mut Message<'_>) -> RawMessage {
    let (kind, part) = (message.kind(), message.part());
    let data = message.data_with_nul_mut();
    RawMessage {
        size: size_of::<RawMessage>(),
        data: data.as_mut_ptr().cast(),
        length: data.len() - 1,
        kind: match kind {
            MessageType::Text => TEXT,
            MessageType::Binary => BINARY,
        },
        first: u8::from(part.first),
        last: u8::from(part.last),
    }
}

/// Lends a failure in its C form.
pub fn with_failure(failure: &Failure, lend: &mut dyn FnMut(&RawFailure)) {
    let message = c_text(&failure.to_string());
    let refused = failure.error.refused();
    let texts = refused.map(|refused| header_texts(&refused.headers)).unwrap_or_default();
    let headers = header_array(&texts);
    // The NUL lets C programs print the body.
    let body: Vec<u8> = refused.iter().flat_map(|refused| refused.body.iter().copied()).chain([0]).collect();
    lend(&RawFailure {
        size: size_of::<RawFailure>(),
        code: error::of_failure(&failure.error) as i32,
        phase: match failure.error.phase() {
            None => 0,
            Some(Phase::Lookup) => 1,
            Some(Phase::Tcp) => 2,
            Some(Phase::Tls) => 3,
            Some(Phase::Upgrade) => 4,
            Some(Phase::Proxy) => 5,
            Some(Phase::Prepare) => 6,
        },
        http_status: failure.error.status().map_or(0, u32::from),
        message: message.as_ptr(),
        unsent_messages: failure.unsent as u64,
        cause: failure.error.cause() as i32,
        elapsed_us: micros(failure.times.elapsed),
        last_activity_us: failure.times.last_activity.map_or(-1, micros),
        headers: headers.as_ptr(),
        header_count: headers.len(),
        body: body.as_ptr().cast(),
        body_length: body.len() - 1,
    });
}

/// Lends the end of a connection in its C form.
pub fn with_close(closed: &Closed, lend: &mut dyn FnMut(&RawClose)) {
    let reason = c_text(&closed.reason);
    let Times { elapsed, last_activity } = closed.times;
    lend(&RawClose {
        size: size_of::<RawClose>(),
        code: u32::from(closed.code),
        reason: reason.as_ptr(),
        cause: closed.cause as i32,
        elapsed_us: micros(elapsed),
        last_activity_us: last_activity.map_or(-1, micros),
        unsent_messages: closed.unsent as u64,
    });
}

/// A C string of `text`. It ends at a NUL, which a close reason may contain.
pub fn c_text(text: &str) -> CString {
    let whole = CString::new(text);
    whole.or_else(|_| CString::new(text.replace('\0', "\u{fffd}"))).unwrap_or_default()
}

/// Microseconds, at most `i64::MAX`.
pub fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
