//! The functions of `net_websocket_ext.h`; each is documented there.

pub(super) mod options;

use std::ffi::{CStr, CString, c_char, c_void};

use super::abi::ext::{
    PREPARE_FAIL, PREPARE_PROCEED, PREPARE_STOP, RawCallbacks, RawOptions, RawReconnectOptions,
    RawStatistics, ReleaseCallback, SentCallback,
};
use super::abi::{ErrCode, Header, WebSocket};
use super::buffers::{OwnedBuffer, check_text, kind, payload, write_text};
use super::client_ext::SendCompletion;
use super::error::{self, CallError};
use super::guard::{guard, report, report_client};
use super::handle::{self, Handle};
use super::readable::{self, Unreadable};
use super::versioned_struct::{fill, init, read_struct};
use super::{events, last_error};
use crate::client::{
    HEADER_BYTES_MAX, LogLevel, MessageType, Opened, Options, Preparation, SEND_LIMIT_BYTES, SendLimits,
    State, set_log_level,
};

const VERSION: &CStr = {
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version holds no NUL"),
    }
};

#[unsafe(no_mangle)]
pub extern "C" fn NWS_Version() -> *const c_char {
    VERSION.as_ptr()
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_ErrorName(code: i32) -> *const c_char {
    error::describe(code).map_or(c"unknown", |(name, _)| name).as_ptr()
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_ErrorMessage(code: i32) -> *const c_char {
    error::describe(code).map_or(c"unknown error", |(_, text)| text).as_ptr()
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_LastErrorMessage() -> *const c_char {
    last_error::last_error()
}

/// # Safety
///
/// `options` must be NULL or point to `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_InitOptions(options: *mut RawOptions, size: usize) -> i32 {
    // SAFETY: the caller's promise.
    report("NWS_InitOptions", || unsafe { init("options", options, &RawOptions::defaults(), size) })
}

/// # Safety
///
/// `callbacks` must be NULL or point to `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_InitCallbacks(callbacks: *mut RawCallbacks, size: usize) -> i32 {
    // SAFETY: the caller's promise.
    report("NWS_InitCallbacks", || unsafe { init("callbacks", callbacks, &RawCallbacks::NONE, size) })
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_SetOptions(client: *mut WebSocket, options: *const RawOptions) -> i32 {
    report_client("NWS_SetOptions", client, |handle| {
        let (options, limits) = if options.is_null() {
            (Options::default(), SendLimits::of_bytes(SEND_LIMIT_BYTES))
        } else {
            read_struct(options, RawOptions::defaults())?.parse()?
        };
        handle.client.set_send_limits(limits);
        handle.ext().set_options(options);
        Ok(())
    })
}

/// # Safety
///
/// `options` must be NULL or point to `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_InitReconnectOptions(options: *mut RawReconnectOptions, size: usize) -> i32 {
    report("NWS_InitReconnectOptions", || {
        // SAFETY: the caller's promise.
        unsafe { init("options", options, &RawReconnectOptions::defaults(), size) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_SetReconnect(client: *mut WebSocket, options: *const RawReconnectOptions) -> i32 {
    report_client("NWS_SetReconnect", client, |handle| {
        let reconnect = match options.is_null() {
            true => None,
            false => Some(read_struct(options, RawReconnectOptions::defaults())?.parse()?),
        };
        handle.ext().set_reconnect(reconnect);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_RetryNow(client: *mut WebSocket) -> i32 {
    report_client("NWS_RetryNow", client, |handle| match handle.client.retry_now() {
        true => Ok(()),
        false => Err(CallError::new(ErrCode::NoConnection, "no retry is pending")),
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_PrepareAttempt(
    client: *mut WebSocket,
    attempt: u32,
    decision: i32,
    url: *const c_char,
    headers: *const Header,
) -> i32 {
    report_client("NWS_PrepareAttempt", client, |handle| {
        let prepared = match decision {
            PREPARE_PROCEED => Preparation::Proceed(options::rewrite(url, headers)?),
            PREPARE_STOP => Preparation::Stop,
            PREPARE_FAIL => Preparation::Fail,
            other => {
                return Err(CallError::new(
                    ErrCode::InvalidArgument,
                    format!("decision: {other} is not an NWS_Decision"),
                ));
            }
        };
        match handle.client.prepare(attempt, prepared) {
            true => Ok(()),
            false => Err(CallError::new(
                ErrCode::NotFound,
                format!("attempt: {attempt} does not wait for NWS_PrepareAttempt"),
            )),
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_SetCallbacks(client: *mut WebSocket, callbacks: *const RawCallbacks) -> i32 {
    report_client("NWS_SetCallbacks", client, |handle| {
        let callbacks = if callbacks.is_null() {
            RawCallbacks::NONE
        } else {
            read_struct(callbacks, RawCallbacks::NONE)?
        };
        handle.ext().set_callbacks(callbacks);
        if handle.ext().traces() {
            handle.client.frames_are_wanted();
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_SetUserData(client: *mut WebSocket, user_data: *mut c_void) -> i32 {
    report_client("NWS_SetUserData", client, |handle| {
        handle.ext().set_user_data(user_data);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_GetUserData(client: *const WebSocket) -> *mut c_void {
    guard("NWS_GetUserData", std::ptr::null_mut(), || {
        let callbacks = handle::with(client, |handle| handle.ext().callbacks()).flatten();
        callbacks.map_or(std::ptr::null_mut(), |callbacks| callbacks.user_data)
    })
}

/// # Safety
///
/// `text` must point to `length` readable bytes, or be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_SendText(client: *mut WebSocket, text: *const c_char, length: usize) -> i32 {
    report_client("NWS_SendText", client, |handle| {
        // SAFETY: the caller's promise.
        let payload = unsafe { payload(text.cast(), length) }?;
        check_text(MessageType::Text, payload)?;
        handle.client.send(MessageType::Text, payload).map_err(|error| CallError::of(error::of_send(error)))
    })
}

/// # Safety
///
/// `data` must point to `length` readable bytes, or be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_SendBinary(client: *mut WebSocket, data: *const c_void, length: usize) -> i32 {
    report_client("NWS_SendBinary", client, |handle| {
        // SAFETY: the caller's promise.
        let payload = unsafe { payload(data, length) }?;
        handle.client.send(MessageType::Binary, payload).map_err(|error| CallError::of(error::of_send(error)))
    })
}

/// # Safety
///
/// `data` must point to `length` readable bytes, or be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_SendWithCallback(
    client: *mut WebSocket,
    number: i32,
    data: *const c_void,
    length: usize,
    on_sent: Option<SentCallback>,
    context: *mut c_void,
) -> i32 {
    report_client("NWS_SendWithCallback", client, |handle| {
        let kind = kind(number)?;
        let callback = on_sent.ok_or_else(|| CallError::new(ErrCode::InvalidArgument, "onSent: NULL"))?;
        // SAFETY: the caller's promise.
        let payload = unsafe { payload(data, length) }?;
        check_text(kind, payload)?;
        // Registers first, because the session may report the message before this call returns.
        let receipt = handle.ext().register_completion(SendCompletion { callback, context });
        handle.client.send_with_receipt(kind, payload, receipt).map_err(|error| {
            handle.ext().take_completion(receipt);
            CallError::of(error::of_send(error))
        })
    })
}

/// # Safety
///
/// `data` must point to `length` writable bytes. Nobody else uses them until `release` is called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_SendOwned(
    client: *mut WebSocket,
    number: i32,
    data: *mut c_void,
    length: usize,
    release: Option<ReleaseCallback>,
    context: *mut c_void,
) -> i32 {
    report_client("NWS_SendOwned", client, |handle| {
        let kind = kind(number)?;
        let release = release.ok_or_else(|| CallError::new(ErrCode::InvalidArgument, "release: NULL"))?;
        if data.is_null() {
            return Err(CallError::new(ErrCode::SendDataNull, "data: NULL"));
        }
        // SAFETY: the caller's promise.
        check_text(kind, unsafe { payload(data, length) }?)?;
        // SAFETY: as above, and nothing is NULL.
        let buffer = Box::new(unsafe { OwnedBuffer::new(data, length, release, context) });
        handle.client.send_owned(kind, buffer, None).map_err(|(error, buffer)| {
            buffer.disown();
            CallError::of(error::of_send(error))
        })
    })
}

/// # Safety
///
/// `data` must point to `length` readable bytes, or be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_SendPiece(
    client: *mut WebSocket,
    number: i32,
    data: *const c_void,
    length: usize,
    last: i32,
) -> i32 {
    report_client("NWS_SendPiece", client, |handle| {
        let kind = kind(number)?;
        // SAFETY: the caller's promise.
        let payload = unsafe { payload(data, length) }?;
        handle
            .client
            .send_piece(kind, payload, last != 0, None)
            .map_err(|error| CallError::of(error::of_send(error)))
    })
}

/// # Safety
///
/// `data` must point to `length` readable bytes, or be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_Ping(client: *mut WebSocket, data: *const c_void, length: usize) -> i32 {
    report_client("NWS_Ping", client, |handle| {
        // SAFETY: the caller's promise.
        let payload = unsafe { payload(data, length) }?;
        handle.client.ping(payload).map_err(|error| CallError::of(error::of_ping(error)))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_GetState(client: *const WebSocket) -> i32 {
    guard("NWS_GetState", -1, || {
        handle::with(client, |handle| match handle.client.state() {
            State::Idle => 0,
            State::Connecting => 1,
            State::Open => 2,
            State::Closing => 3,
            State::Closed => 4,
        })
        .unwrap_or(-1)
    })
}

/// # Safety
///
/// `bytes` must be NULL or a place for a number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_GetBufferedAmount(client: *const WebSocket, bytes: *mut u64) -> i32 {
    report_client("NWS_GetBufferedAmount", client, |handle| {
        if bytes.is_null() {
            return Err(CallError::new(ErrCode::InvalidArgument, "bytes: NULL"));
        }
        // SAFETY: the caller's promise.
        unsafe { bytes.write(handle.client.buffered() as u64) };
        Ok(())
    })
}

/// Copies the text that `find` returns from the server's last upgrade response to the application's buffer.
///
/// # Safety
///
/// As [`write_text`].
unsafe fn give_text(
    handle: &Handle,
    buffer: *mut c_char,
    length: *mut usize,
    find: impl FnOnce(&Opened) -> Option<String>,
) -> Result<(), CallError> {
    let opened = handle.client.handshake_response();
    let found = opened.as_ref().and_then(find).ok_or_else(|| CallError::of(ErrCode::NotFound))?;
    let found = CString::new(found.replace('\0', "\u{fffd}")).unwrap_or_default();
    // SAFETY: the caller's promise.
    unsafe { write_text(&found, buffer, length) }
}

/// # Safety
///
/// `length` must be NULL or point to the number of bytes in `buffer`. `buffer` must be NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_GetProtocol(
    client: *const WebSocket,
    buffer: *mut c_char,
    length: *mut usize,
) -> i32 {
    report_client("NWS_GetProtocol", client, |handle| {
        // SAFETY: the caller's promise.
        unsafe { give_text(handle, buffer, length, |opened| opened.protocol.as_deref().map(str::to_owned)) }
    })
}

/// # Safety
///
/// `length` must be NULL or point to the number of bytes in `buffer`. `buffer` must be NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_GetExtensions(
    client: *const WebSocket,
    buffer: *mut c_char,
    length: *mut usize,
) -> i32 {
    report_client("NWS_GetExtensions", client, |handle| {
        // SAFETY: the caller's promise.
        unsafe { give_text(handle, buffer, length, |opened| opened.extensions.as_deref().map(str::to_owned)) }
    })
}

/// # Safety
///
/// `length` must be NULL or point to the number of bytes in `buffer`. `buffer` must be NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_GetResponseHeader(
    client: *const WebSocket,
    name: *const c_char,
    index: usize,
    buffer: *mut c_char,
    length: *mut usize,
) -> i32 {
    report_client("NWS_GetResponseHeader", client, |handle| {
        let name = readable::c_string(name, HEADER_BYTES_MAX).map_err(|unreadable| {
            let why = match unreadable {
                Unreadable::Address => "NULL or an invalid pointer",
                Unreadable::TooLong => "too long",
            };
            CallError::new(ErrCode::InvalidArgument, format!("name: {why}"))
        })?;
        let find = |opened: &Opened| {
            let mut named =
                opened.headers.iter().filter(|(known, _)| known.as_bytes().eq_ignore_ascii_case(&name));
            named.nth(index).map(|(_, value)| value.to_owned())
        };
        // SAFETY: the caller's promise.
        unsafe { give_text(handle, buffer, length, find) }
    })
}

/// # Safety
///
/// `statistics` must be NULL or point to as many writable bytes as its size says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_GetStatistics(client: *const WebSocket, statistics: *mut RawStatistics) -> i32 {
    report_client("NWS_GetStatistics", client, |handle| {
        // SAFETY: the caller's promise.
        unsafe { fill("statistics", statistics, &events::statistics(&handle.client.statistics())) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_SetLogLevel(level: i32) -> i32 {
    report("NWS_SetLogLevel", || {
        let level = match level {
            1 => LogLevel::Debug,
            2 => LogLevel::Info,
            3 => LogLevel::Warn,
            4 => LogLevel::Error,
            5 => LogLevel::Off,
            other => {
                return Err(CallError::new(
                    ErrCode::InvalidArgument,
                    format!("level: {other} is not an NWS_LogLevel"),
                ));
            }
        };
        set_log_level(level);
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_GetId(client: *const WebSocket) -> u64 {
    guard("NWS_GetId", 0, || handle::with(client, |handle| handle.client.id()).unwrap_or(0))
}
