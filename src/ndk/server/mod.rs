//! The functions of the server in `net_websocket_ext.h`; each is documented there.

mod calls;
mod handle;
mod listener;
mod options;

use std::ffi::{CString, c_char, c_void};
use std::sync::Arc;
use std::time::Duration;

use self::handle::{ServerHandle, report_server};
use self::listener::Owner;
use super::abi::ext::RawStatistics;
use super::abi::server::{RawServer, RawServerCallbacks, RawServerOptions, RawServerStatistics};
use super::abi::{ErrCode, Header};
use super::buffers::{check_text, kind, payload, write_text};
use super::error::{self, CallError};
use super::events;
use super::ext::options::{headers, text};
use super::guard::{guard, report};
use super::last_error::set_last_error;
use super::readable;
use super::versioned_struct::{fill, init, read_struct};
use crate::client::MessageType;
use crate::server::{Refusal, Server, ServerStatistics, answer_header};
use crate::{platform, runtime};

const NORMAL_CLOSURE: u32 = 1000;

/// # Safety
///
/// `options` must be NULL or point to `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_InitServerOptions(options: *mut RawServerOptions, size: usize) -> i32 {
    report("NWS_InitServerOptions", || {
        // SAFETY: the caller's promise.
        unsafe { init("options", options, &RawServerOptions::defaults(), size) }
    })
}

/// # Safety
///
/// `callbacks` must be NULL or point to `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_InitServerCallbacks(callbacks: *mut RawServerCallbacks, size: usize) -> i32 {
    report("NWS_InitServerCallbacks", || {
        // SAFETY: the caller's promise.
        unsafe { init("callbacks", callbacks, &RawServerCallbacks::NONE, size) }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_ServerCreate(callbacks: *const RawServerCallbacks) -> *mut RawServer {
    guard("NWS_ServerCreate", std::ptr::null_mut(), || {
        let callbacks = match callbacks.is_null() {
            true => Ok(RawServerCallbacks::NONE),
            false => read_struct(callbacks, RawServerCallbacks::NONE),
        };
        match callbacks {
            Ok(callbacks) => handle::create(callbacks),
            Err(CallError { text, .. }) => {
                set_last_error(&format!("NWS_ServerCreate: {text}"));
                std::ptr::null_mut()
            }
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_ServerStart(server: *mut RawServer, options: *const RawServerOptions) -> i32 {
    report_server("NWS_ServerStart", server, |handle| {
        if !platform::may_use_network() {
            return Err(CallError::of(ErrCode::NoPermission));
        }
        let options = match options.is_null() {
            true => RawServerOptions::defaults(),
            false => read_struct(options, RawServerOptions::defaults())?,
        };
        let options = options.parse()?;
        handle.start(|| {
            let owner = Owner { server: handle.clone(), waiting: Arc::default() };
            Server::start(options, Box::new(owner))
                .map_err(|cause| CallError::new(error::of_start(&cause), error::text_of_start(&cause)))
        })
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_ServerStop(server: *mut RawServer, timeout_ms: u32) -> i32 {
    report_server("NWS_ServerStop", server, |handle| {
        let limit = (timeout_ms > 0).then(|| Duration::from_millis(timeout_ms.into()));
        match handle.server()?.stop(limit) {
            true => Ok(()),
            false => Err(CallError::new(ErrCode::NoConnection, "the server has already been stopped")),
        }
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_ServerDestroy(server: *mut RawServer) -> i32 {
    report("NWS_ServerDestroy", || {
        handle::remove(server)?.destroy();
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_ServerAccept(
    server: *mut RawServer,
    request: u64,
    protocol: *const c_char,
    list: *const Header,
) -> i32 {
    report_server("NWS_ServerAccept", server, |handle| {
        let (protocol, headers) = (text("protocol", protocol)?, answer_headers(list)?);
        let answer = handle.take_request(request, |request| {
            let checked = protocol.as_deref().map_or(Ok(()), |name| request.check_offered(name));
            checked.map_err(|fault| CallError::new(ErrCode::InvalidArgument, format!("protocol: {fault}")))
        })?;
        answer.promise();
        answer_later(move || answer.accept_with(headers, protocol))
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_ServerRefuse(
    server: *mut RawServer,
    request: u64,
    status: u32,
    list: *const Header,
    body: *const c_char,
) -> i32 {
    report_server("NWS_ServerRefuse", server, |handle| {
        let status = u16::try_from(status).ok().filter(|status| (300..600).contains(status));
        let status = status
            .ok_or_else(|| CallError::new(ErrCode::InvalidArgument, "status: it must be 300 to 599"))?;
        let refusal =
            Refusal { status, headers: answer_headers(list)?, body: text("body", body)?.unwrap_or_default() };
        let answer = handle.take_request(request, |_| Ok(()))?;
        answer.promise();
        answer_later(move || answer.refuse(refusal))
    })
}

/// Answers in a separate task. Otherwise the handshake, woken inside a callback, would wait for the end of that
/// callback.
fn answer_later(answer: impl FnOnce() + Send + 'static) -> Result<(), CallError> {
    runtime::spawn(async move { answer() })
        .map_err(|cause| CallError::new(ErrCode::ConnectionError, cause.to_string()))
}

fn answer_headers(list: *const Header) -> Result<Vec<(String, String)>, CallError> {
    let checked = headers(list)?.into_iter().enumerate().map(|(at, (name, value))| {
        answer_header(&name, &value).map_err(|fault| {
            CallError::new(ErrCode::InvalidArgument, format!("headers: entry {at}: {fault}"))
        })
    });
    checked.collect()
}

/// # Safety
///
/// `text` must point to `length` readable bytes, or be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_ServerSendText(
    server: *mut RawServer,
    connection: u64,
    text: *const c_char,
    length: usize,
) -> i32 {
    report_server("NWS_ServerSendText", server, |handle| {
        // SAFETY: the caller's promise.
        send(handle, connection, MessageType::Text, unsafe { payload(text.cast(), length) }?)
    })
}

/// # Safety
///
/// `data` must point to `length` readable bytes, or be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_ServerSendBinary(
    server: *mut RawServer,
    connection: u64,
    data: *const c_void,
    length: usize,
) -> i32 {
    report_server("NWS_ServerSendBinary", server, |handle| {
        // SAFETY: the caller's promise.
        send(handle, connection, MessageType::Binary, unsafe { payload(data, length) }?)
    })
}

fn send(handle: &ServerHandle, connection: u64, kind: MessageType, payload: &[u8]) -> Result<(), CallError> {
    check_text(kind, payload)?;
    let connection = handle.connection(connection)?;
    connection.send(kind, payload).map_err(|error| CallError::of(error::of_send(error)))
}

/// # Safety
///
/// `data` must point to `length` readable bytes, or be NULL. `connections` must point to `count` numbers, or be NULL.
/// `taken` must be NULL or a place for a number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_ServerBroadcast(
    server: *mut RawServer,
    number: i32,
    data: *const c_void,
    length: usize,
    connections: *const u64,
    count: usize,
    taken: *mut usize,
) -> i32 {
    report_server("NWS_ServerBroadcast", server, |handle| {
        let kind = kind(number)?;
        // SAFETY: the caller's promise.
        let payload = unsafe { payload(data, length) }?;
        check_text(kind, payload)?;
        let wanted = match connections.is_null() {
            true => None,
            // SAFETY: the caller's promise.
            false => Some(unsafe { std::slice::from_raw_parts(connections, count) }),
        };
        let sent = handle.server()?.broadcast(kind, payload, wanted);
        if !taken.is_null() {
            // SAFETY: the caller's promise.
            unsafe { taken.write(sent) };
        }
        Ok(())
    })
}

#[unsafe(no_mangle)]
pub extern "C" fn NWS_ServerClose(
    server: *mut RawServer,
    connection: u64,
    code: u32,
    reason: *const c_char,
) -> i32 {
    report_server("NWS_ServerClose", server, |handle| {
        let code = if code == 0 { NORMAL_CLOSURE } else { code };
        let connection = handle.connection(connection)?;
        let closed = connection.close(code, &readable::reason(reason));
        closed.map(|_| ()).map_err(|error| CallError::of(error::of_close(error)))
    })
}

/// # Safety
///
/// `length` must be NULL or point to the number of bytes in `buffer`. `buffer` must be NULL or writable. `port` must be
/// NULL or a place for a number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_ServerGetAddress(
    server: *const RawServer,
    connection: u64,
    buffer: *mut c_char,
    length: *mut usize,
    port: *mut u16,
) -> i32 {
    report_server("NWS_ServerGetAddress", server, |handle| {
        let (address, number) = handle.address_of(connection)?;
        if !port.is_null() {
            // SAFETY: the caller's promise.
            unsafe { port.write(number) };
            if buffer.is_null() && length.is_null() {
                return Ok(());
            }
        }
        let text = CString::new(address).unwrap_or_default();
        // SAFETY: the caller's promise.
        unsafe { write_text(&text, buffer, length) }
    })
}

/// # Safety
///
/// `count` must be NULL or point to the number of elements of `connections`. `connections` must be NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_ServerGetConnections(
    server: *const RawServer,
    connections: *mut u64,
    count: *mut usize,
) -> i32 {
    report_server("NWS_ServerGetConnections", server, |handle| {
        if count.is_null() {
            return Err(CallError::new(ErrCode::InvalidArgument, "count: NULL"));
        }
        let known = handle.server()?.connections();
        // SAFETY: the caller's promise.
        let room = unsafe { count.replace(known.len()) };
        if connections.is_null() {
            return Ok(());
        }
        if room < known.len() {
            let text = format!("connections: the array has {room} entries, {} are needed", known.len());
            return Err(CallError::new(ErrCode::BufferTooSmall, text));
        }
        for (at, connection) in known.iter().enumerate() {
            // SAFETY: as above.
            unsafe { connections.add(at).write(connection.info().id) };
        }
        Ok(())
    })
}

/// # Safety
///
/// `bytes` must be NULL or a place for a number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_ServerGetBufferedAmount(
    server: *const RawServer,
    connection: u64,
    bytes: *mut u64,
) -> i32 {
    report_server("NWS_ServerGetBufferedAmount", server, |handle| {
        if bytes.is_null() {
            return Err(CallError::new(ErrCode::InvalidArgument, "bytes: NULL"));
        }
        // SAFETY: the caller's promise.
        unsafe { bytes.write(handle.connection(connection)?.buffered() as u64) };
        Ok(())
    })
}

/// # Safety
///
/// `statistics` must be NULL or point to as many writable bytes as its size says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_ServerGetStatistics(
    server: *const RawServer,
    statistics: *mut RawServerStatistics,
) -> i32 {
    report_server("NWS_ServerGetStatistics", server, |handle| {
        let ServerStatistics {
            open,
            opened,
            kept_out,
            not_opened,
            messages_sent,
            bytes_sent,
            messages_received,
            bytes_received,
            buffered_bytes,
        } = handle.server()?.statistics();
        let counted = RawServerStatistics {
            size: size_of::<RawServerStatistics>(),
            open,
            opened,
            kept_out,
            not_opened,
            messages_sent,
            bytes_sent,
            messages_received,
            bytes_received,
            buffered_bytes,
        };
        // SAFETY: the caller's promise.
        unsafe { fill("statistics", statistics, &counted) }
    })
}

/// # Safety
///
/// As [`NWS_ServerGetStatistics`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NWS_ServerGetConnectionStatistics(
    server: *const RawServer,
    connection: u64,
    statistics: *mut RawStatistics,
) -> i32 {
    report_server("NWS_ServerGetConnectionStatistics", server, |handle| {
        let counted = events::statistics(&handle.connection(connection)?.statistics());
        // SAFETY: the caller's promise.
        unsafe { fill("statistics", statistics, &counted) }
    })
}
