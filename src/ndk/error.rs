//! The errors of the C API: their codes and texts, and the code of each of the core's errors.
//!
//! Owns exhaustive matches without a `_` arm. A new error of the core does not compile until it has a code here.

use std::ffi::CStr;
use std::io;

use super::abi::ErrCode;
use crate::client::{
    AlreadyConnected, CloseError, ConnectError, Error, OptionsError, PingError, SendError, ServerFile,
};
use crate::protocol::ProtocolError;
use crate::server::{FaultyOption, StartError};

pub fn of_options(error: &OptionsError) -> ErrCode {
    match error {
        OptionsError::Url(_) => ErrCode::ParseUrl,
        OptionsError::HeaderName { .. }
        | OptionsError::HeaderValue { .. }
        | OptionsError::WindowBits
        | OptionsError::Hosts { .. }
        | OptionsError::Redirects
        | OptionsError::Proxy { .. }
        | OptionsError::Protocol { .. } => ErrCode::ConnectionError,
        OptionsError::TooManyHeaders | OptionsError::HeadersTooLong => ErrCode::HeaderExceeded,
    }
}

pub fn of_connect(error: &ConnectError) -> ErrCode {
    match error {
        ConnectError::Already(AlreadyConnected) | ConnectError::Exhausted(_) => ErrCode::ConnectionError,
    }
}

pub fn of_send(error: SendError) -> ErrCode {
    match error {
        SendError::NotConnected | SendError::Interrupted => ErrCode::NoConnection,
        SendError::QueueFull => ErrCode::QueueLengthExceeded,
        SendError::NoMemory => ErrCode::SendNoMemory,
        SendError::TooLong => ErrCode::DataLengthExceeded,
        SendError::Unfinished => ErrCode::MessageUnfinished,
        SendError::Utf8 => ErrCode::InvalidUtf8,
    }
}

pub fn of_ping(error: PingError) -> ErrCode {
    match error {
        PingError::NotConnected => ErrCode::NoConnection,
        PingError::TooLong => ErrCode::DataLengthExceeded,
        PingError::TooMany => ErrCode::QueueLengthExceeded,
    }
}

pub fn of_close(error: CloseError) -> ErrCode {
    match error {
        CloseError::NotConnected => ErrCode::NoConnection,
    }
}

pub fn of_start(error: &StartError) -> ErrCode {
    match error {
        shortage if shortage.is_shortage() => ErrCode::ConnectionError,
        StartError::Trust { .. } => ErrCode::Certificate,
        StartError::ListenAtPath { cause, .. } if cause.kind() == io::ErrorKind::InvalidInput => {
            ErrCode::InvalidArgument
        }
        StartError::Listen { .. } | StartError::ListenAtPath { .. } => ErrCode::CannotListen,
        StartError::Exhausted(_) => ErrCode::ConnectionError,
    }
}

/// The text of a failed start. It begins with the field of `NWS_ServerOptions` that must change.
pub fn text_of_start(error: &StartError) -> String {
    let field = match error.option() {
        Some(FaultyOption::File(ServerFile::Certificate)) => "certPath",
        Some(FaultyOption::File(ServerFile::Key)) => "keyPath",
        Some(FaultyOption::File(ServerFile::ClientAuthorities)) => "clientCaPath",
        Some(FaultyOption::Address) => "address",
        Some(FaultyOption::Port) => "port",
        None => return error.to_string(),
    };
    format!("{field}: {error}")
}

pub fn of_failure(error: &Error) -> ErrCode {
    match error {
        Error::Lookup { .. }
        | Error::Tcp { .. }
        | Error::Proxy { .. }
        | Error::Policy { .. }
        | Error::Trust { .. }
        | Error::Exhausted { .. }
        | Error::Tls { .. }
        | Error::Upgrade { .. }
        | Error::Timeout { .. }
        | Error::PhaseTimeout { .. }
        | Error::Abandoned { .. }
        | Error::Lost(_)
        | Error::PongTimeout(_)
        | Error::NetworkChanged(_)
        | Error::Slept(_)
        | Error::Unprepared(_)
        | Error::Internal => ErrCode::ConnectionError,
        Error::Rewrite(cause) => of_options(cause),
        Error::Url(_) => ErrCode::ParseUrl,
        Error::Protocol(cause) => match cause {
            ProtocolError::MessageTooBig { .. } | ProtocolError::NoMemory => ErrCode::DataLengthExceeded,
            ProtocolError::ReservedBits
            | ProtocolError::ReservedOpcode(_)
            | ProtocolError::MaskedFrame
            | ProtocolError::UnmaskedFrame
            | ProtocolError::FragmentedControl
            | ProtocolError::ControlTooLong
            | ProtocolError::LengthEncoding
            | ProtocolError::UnexpectedContinuation
            | ProtocolError::ExpectedContinuation
            | ProtocolError::InvalidUtf8
            | ProtocolError::Inflate
            | ProtocolError::ClosePayload
            | ProtocolError::CloseCode(_)
            | ProtocolError::CloseReason(_) => ErrCode::ProtocolError,
        },
    }
}

/// The failure of a C function: its code, and the text for `NWS_LastErrorMessage`.
pub struct CallError {
    pub code: ErrCode,
    pub text: String,
}

impl CallError {
    /// Compiled once, not in each function.
    #[cold]
    #[inline(never)]
    pub fn new(code: ErrCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    /// Takes the text of the code from [`describe`].
    #[cold]
    #[inline(never)]
    pub fn of(code: ErrCode) -> Self {
        let text = describe(code as i32).map_or("unknown error", |(_, text)| text.to_str().unwrap_or(""));
        Self::new(code, text)
    }
}

/// Returns name and meaning of a code; `None` for codes that do not exist.
pub fn describe(code: i32) -> Option<(&'static CStr, &'static CStr)> {
    Some(match code {
        0 => (c"WEBSOCKET_OK", c"done, or accepted and under way"),
        1001 => (c"WEBSOCKET_CLIENT_NULL", c"the client is NULL"),
        1002 => {
            (c"WEBSOCKET_CLIENT_NOT_CREATED", c"the client was not made by the constructor, or is destroyed")
        }
        1003 => (
            c"WEBSOCKET_CONNECTION_ERROR",
            c"the attempt failed or the connection was lost, or the client is already connected",
        ),
        1005 => (c"WEBSOCKET_CONNECTION_PARSE_URL_ERROR", c"the URL is not a WebSocket URL"),
        1006 => (c"WEBSOCKET_CONNECTION_NO_MEMORY", c"no memory to connect"),
        1007 => (c"WEBSOCKET_CONNECTION_CLOSED_BY_PEER", c"the peer closed the connection"),
        1008 => (c"WEBSOCKET_DESTROYED", c"the client was destroyed"),
        1009 => (c"WEBSOCKET_PROTOCOL_ERROR", c"the peer violated the protocol (RFC 6455)"),
        1010 => (c"WEBSOCKET_SEND_NO_MEMORY", c"no memory to send"),
        1011 => (c"WEBSOCKET_SEND_DATA_NULL", c"the data is NULL"),
        1012 => (c"WEBSOCKET_DATA_LENGTH_EXCEEDED", c"the data is longer than the limit"),
        1013 => {
            (c"WEBSOCKET_QUEUE_LENGTH_EXCEEDED", c"the send queue is full; try again after a drain event")
        }
        1014 => (c"WEBSOCKET_NO_CLIENT_CONTEXT", c"no client context"),
        1015 => (c"WEBSOCKET_NO_HEADER_CONTEXT", c"a header's name or value is NULL"),
        1016 => (c"WEBSOCKET_HEADER_EXCEEDED", c"too many headers, or too long ones"),
        1017 => (c"WEBSOCKET_NO_CONNECTION", c"no connection is open"),
        1018 => (c"WEBSOCKET_NO_CONNECTION_CONTEXT", c"the client had no connection"),
        1020 => (c"NWS_NO_PERMISSION", c"the app lacks ohos.permission.INTERNET"),
        2001 => (c"NWS_INVALID_ARGUMENT", c"an argument, or a field of a struct, is not valid"),
        2002 => (c"NWS_MESSAGE_UNFINISHED", c"a message that is sent in pieces has not ended"),
        2003 => (c"NWS_INVALID_UTF8", c"the text is not UTF-8"),
        2004 => (
            c"NWS_BUFFER_TOO_SMALL",
            c"the buffer is too small; its length argument has the size that is needed",
        ),
        2005 => (c"NWS_NOT_FOUND", c"there is no such value"),
        2006 => (c"NWS_CANNOT_LISTEN", c"the system refuses to listen on this address"),
        2007 => (c"NWS_CERTIFICATE_UNUSABLE", c"a certificate or a key cannot be used"),
        _ => return None,
    })
}
