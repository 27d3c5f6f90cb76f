//! The C API: the six functions of `network/netstack/net_websocket.h`, and in `ext` those of `net_websocket_ext.h`.
//!
//! Owns the C types, the registry of clients and the boundary that stops panics. Knows nothing of JavaScript. The order
//! of checks is: client NULL, client known, permission, connection state, arguments, limits.
//!
//! A file imports only files below it:
//!
//! ```text
//! mod, ext/mod, server/mod    the functions of the two headers
//! guard                the frame of each function
//! handle               the registry of clients
//! callback, events     the application's callbacks, and what they get
//! client_ext           what net_websocket_ext.h adds to a client
//! callback_barrier     the wait of Destroy for a callback
//! ext/options, buffers, versioned_struct, readable    the application's memory
//! error, last_error    codes and texts
//! abi/ext, abi/mod     the layouts of the headers
//! ```

mod abi;
mod buffers;
mod callback;
mod callback_barrier;
mod client_ext;
mod error;
mod events;
mod ext;
mod guard;
mod handle;
mod last_error;
mod readable;
mod server;
mod versioned_struct;

use std::ffi::{CString, c_char};
use std::fmt;

use self::abi::{CodeAndText, ErrCode, Header, MessageCallback, RequestOptions, ResultCallback, WebSocket};
use self::guard::{failure, guard, guard_client};
use self::handle::Handle;
use self::last_error::set_last_error;
use self::readable::Unreadable;
use crate::client::{
    AlreadyConnected, CloseStart, HEADER_BYTES_MAX, HEADER_COUNT_MAX, MessageType, Options, OptionsError,
    RawHeader, Request, SendError, State, URL_BYTES_MAX, UrlError,
};
use crate::sync::lock;
use crate::{logging, platform};

/// The longest message of Send, in bytes. It is the platform's limit.
const SEND_BYTES_MAX: usize = 4_194_304;
const NORMAL_CLOSURE: u32 = 1000;

/// Makes a client. See `net_websocket.h`.
#[unsafe(no_mangle)]
pub extern "C" fn OH_WebSocketClient_Constructor(
    on_open: Option<ResultCallback>,
    on_message: Option<MessageCallback>,
    on_error: Option<ResultCallback>,
    on_close: Option<ResultCallback>,
) -> *mut WebSocket {
    guard("Constructor", std::ptr::null_mut(), || {
        let request_options = RequestOptions { headers: std::ptr::null_mut() };
        handle::create(WebSocket { on_open, on_message, on_error, on_close, request_options })
    })
}

/// Adds a header to the requests of a client. See `net_websocket.h`.
#[unsafe(no_mangle)]
pub extern "C" fn OH_WebSocketClient_AddHeader(client: *mut WebSocket, header: Header) -> i32 {
    guard("AddHeader", failure(), || {
        if client.is_null() {
            return ErrCode::ClientNull;
        }
        handle::with(client, |handle| add_header(handle, header)).unwrap_or_else(|| {
            // The platform accepts structs that it did not create. Such a client can never connect.
            logging::warn(format_args!("AddHeader: not a client of this library; the header is left out"));
            ErrCode::Ok
        })
    }) as i32
}

/// Begins to connect. See `net_websocket.h`.
#[unsafe(no_mangle)]
pub extern "C" fn OH_WebSocketClient_Connect(
    client: *mut WebSocket,
    url: *const c_char,
    options: RequestOptions,
) -> i32 {
    guard_client("Connect", client, |handle| connect(handle, url, options))
}

/// Queues a message. See `net_websocket.h`.
///
/// # Safety
///
/// `data` must point to `length` readable bytes, or be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn OH_WebSocketClient_Send(
    client: *mut WebSocket,
    data: *mut c_char,
    length: usize,
) -> i32 {
    guard_client("Send", client, |handle| {
        let refused = match length {
            _ if data.is_null() => Some(ErrCode::SendDataNull),
            0 => Some(ErrCode::Ok),
            1..=SEND_BYTES_MAX => None,
            _ => Some(ErrCode::DataLengthExceeded),
        };
        if let Some(code) = refused {
            // The state is checked before the arguments. A valid message gets that check in `send`.
            return match handle.client.state() {
                State::Closing | State::Closed => error::of_send(SendError::NotConnected),
                State::Idle | State::Connecting | State::Open => code,
            };
        }
        // SAFETY: the caller's promise. The data is only read, and only during this call.
        let payload = unsafe { std::slice::from_raw_parts(data.cast::<u8>(), length) };
        match handle.client.send(kind_of(payload), payload) {
            Ok(()) => ErrCode::Ok,
            Err(error) => error::of_send(error),
        }
    })
}

/// Begins the closing handshake. See `net_websocket.h`.
#[unsafe(no_mangle)]
pub extern "C" fn OH_WebSocketClient_Close(client: *mut WebSocket, options: CodeAndText) -> i32 {
    guard_client("Close", client, |handle| {
        let CodeAndText { code, text } = options;
        let code = if code == 0 { NORMAL_CLOSURE } else { code };
        match handle.client.close(code, &readable::reason(text)) {
            Ok(CloseStart::Handshake) => ErrCode::Ok,
            // There was no connection to close.
            Ok(CloseStart::Cancelled) => ErrCode::NoConnection,
            Err(error) => error::of_close(error),
        }
    })
}

/// Ends a client and releases it. See `net_websocket.h`.
#[unsafe(no_mangle)]
pub extern "C" fn OH_WebSocketClient_Destroy(client: *mut WebSocket) -> i32 {
    guard("Destroy", failure(), || {
        if client.is_null() {
            return ErrCode::ClientNull;
        }
        let Some(handle) = handle::remove(client) else {
            return ErrCode::ClientNotCreated;
        };
        let outcome = match handle.client.state() {
            State::Idle => ErrCode::NoConnectionContext,
            State::Connecting | State::Open | State::Closing | State::Closed => ErrCode::Ok,
        };
        handle.destroy();
        outcome
    }) as i32
}

fn add_header(handle: &Handle, header: Header) -> ErrCode {
    let Header { name, value, next: _ } = header;
    if lock(&handle.added).as_ref().is_some_and(|added| added.len() >= HEADER_COUNT_MAX) {
        return ErrCode::HeaderExceeded;
    }
    match (read_text(name), read_text(value)) {
        (Ok(name), Ok(value)) => {
            handle.add(name, value);
            ErrCode::Ok
        }
        (Err(Unreadable::TooLong), _) | (_, Err(Unreadable::TooLong)) => ErrCode::HeaderExceeded,
        (Err(Unreadable::Address), _) | (_, Err(Unreadable::Address)) => {
            let id = handle.client.id();
            logging::warn(format_args!("[c{id}] AddHeader: invalid pointer; the header is left out"));
            ErrCode::Ok
        }
    }
}

fn read_text(text: *const c_char) -> Result<CString, Unreadable> {
    // A C string ends at its first NUL, so it contains none.
    readable::c_string(text, HEADER_BYTES_MAX).map(|bytes| CString::new(bytes).unwrap_or_default())
}

/// Logs why Connect fails, and stores it as the last error.
fn refuse(handle: &Handle, code: ErrCode, why: impl fmt::Display) -> ErrCode {
    logging::warn(format_args!("[c{}] Connect: {why}", handle.client.id()));
    set_last_error(&format!("OH_WebSocketClient_Connect: {why}"));
    code
}

fn connect(handle: &Handle, url: *const c_char, options: RequestOptions) -> ErrCode {
    if !platform::may_use_network() {
        return refuse(handle, ErrCode::NoPermission, "the app needs ohos.permission.INTERNET");
    }
    if matches!(handle.client.state(), State::Connecting | State::Open | State::Closing) {
        return refuse(handle, ErrCode::ConnectionError, AlreadyConnected);
    }
    let Some(url) = readable::c_string(url, URL_BYTES_MAX).ok().and_then(|url| String::from_utf8(url).ok())
    else {
        let why = format_args!("url: not a readable UTF-8 string of at most {URL_BYTES_MAX} bytes");
        return refuse(handle, ErrCode::ParseUrl, why);
    };
    let chosen = handle.ext().options();
    let headers = match request_headers(handle, &chosen.headers, options) {
        Ok(headers) => headers,
        Err(code @ ErrCode::NoHeaderContext) => {
            return refuse(handle, code, "headers: a name or value is NULL");
        }
        Err(code) => return refuse(handle, code, "headers: too many, or one is too long"),
    };
    let begun = match Request::parse(&url, Options { headers, ..chosen }) {
        Ok(request) => handle.client.connect(request),
        // As on the platform, where the attempt begins and fails.
        Err(OptionsError::Url(fault @ UrlError::NoScheme)) => handle.client.connect_in_vain(fault),
        Err(refused) => return refuse(handle, error::of_options(&refused), &refused),
    };
    match begun {
        Ok(()) => ErrCode::Ok,
        Err(error) => refuse(handle, error::of_connect(&error), error),
    }
}

/// Returns the added headers, then those `chosen` by NWS_SetOptions, then those of `options`. The list of `options`
/// ends where it reaches an added header.
fn request_headers(
    handle: &Handle,
    chosen: &[RawHeader],
    options: RequestOptions,
) -> Result<Vec<RawHeader>, ErrCode> {
    let added = lock(&handle.added);
    let id = handle.client.id();
    let (mut headers, mut own) = (Vec::new(), Vec::new());
    if let Some(added) = added.as_deref() {
        headers.extend(added.copies());
        own = added.addresses();
    }
    headers.extend_from_slice(chosen);
    let RequestOptions { headers: mut next } = options;
    while !next.is_null() && own.binary_search(&next.addr()).is_err() {
        let Ok(Header { name, value, next: following }) = readable::value(next) else {
            logging::warn(format_args!(
                "[c{id}] Connect: the list of headers has an invalid pointer; its rest is left out"
            ));
            break;
        };
        if headers.len() >= HEADER_COUNT_MAX {
            return Err(ErrCode::HeaderExceeded);
        }
        if name.is_null() || value.is_null() {
            return Err(ErrCode::NoHeaderContext);
        }
        match (readable::c_string(name, HEADER_BYTES_MAX), readable::c_string(value, HEADER_BYTES_MAX)) {
            (Ok(name), Ok(value)) => headers.push((name, value)),
            (Err(Unreadable::TooLong), _) | (_, Err(Unreadable::TooLong)) => {
                return Err(ErrCode::HeaderExceeded);
            }
            (Err(Unreadable::Address), _) | (_, Err(Unreadable::Address)) => {
                logging::warn(format_args!(
                    "[c{id}] Connect: a header has an invalid pointer; it is left out"
                ));
            }
        }
        next = following;
    }
    Ok(headers)
}

/// The platform's Send has no argument for the type. A message is text if it is UTF-8 without a NUL.
fn kind_of(payload: &[u8]) -> MessageType {
    // The first bytes identify most binary data. The later checks have no early exit, so that they are vectorized.
    const BEGINNING_BYTES: usize = 64;
    let beginning = payload.get(..BEGINNING_BYTES).map(str::from_utf8);
    if matches!(beginning, Some(Err(error)) if error.error_len().is_some()) {
        return MessageType::Binary;
    }
    let has_nul =
        || payload.chunks(256).any(|block| block.iter().fold(false, |found, byte| found | (*byte == 0)));
    if simdutf8::basic::from_utf8(payload).is_ok() && !has_nul() {
        MessageType::Text
    } else {
        MessageType::Binary
    }
}
