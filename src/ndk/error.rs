//! From the core's errors to the codes of the platform, one by one: a new error must choose its code here.

use super::abi::ErrCode;
use crate::client::{AlreadyConnected, CloseError, Error, OptionsError, SendError};
use crate::protocol::ProtocolError;

pub fn of_options(error: &OptionsError) -> ErrCode {
    match error {
        OptionsError::Url(_) => ErrCode::ParseUrl,
        OptionsError::HeaderName { .. }
        | OptionsError::HeaderValue { .. }
        | OptionsError::WindowBits
        | OptionsError::Protocol { .. } => ErrCode::ConnectionError,
        OptionsError::TooManyHeaders | OptionsError::HeadersTooLong => ErrCode::HeaderExceeded,
    }
}

pub fn of_connect(AlreadyConnected: AlreadyConnected) -> ErrCode {
    ErrCode::ConnectionError
}

pub fn of_send(error: SendError) -> ErrCode {
    match error {
        SendError::NotConnected => ErrCode::NoConnection,
        SendError::QueueFull => ErrCode::QueueLengthExceeded,
    }
}

pub fn of_close(error: CloseError) -> ErrCode {
    match error {
        CloseError::NotConnected | CloseError::Abandoned => ErrCode::NoConnection,
        CloseError::Code => ErrCode::ProtocolError,
    }
}

pub fn of_failure(error: &Error) -> ErrCode {
    match error {
        Error::Lookup { .. }
        | Error::Tcp { .. }
        | Error::Trust { .. }
        | Error::Tls { .. }
        | Error::Upgrade { .. }
        | Error::Timeout { .. }
        | Error::Abandoned { .. }
        | Error::Lost(_)
        | Error::PongTimeout(_)
        | Error::Internal => ErrCode::ConnectionError,
        Error::Protocol(cause) => match cause {
            ProtocolError::MessageTooBig { .. } => ErrCode::DataLengthExceeded,
            ProtocolError::ReservedBits
            | ProtocolError::ReservedOpcode(_)
            | ProtocolError::MaskedFrame
            | ProtocolError::FragmentedControl
            | ProtocolError::ControlTooLong
            | ProtocolError::LengthEncoding
            | ProtocolError::UnexpectedContinuation
            | ProtocolError::ExpectedContinuation
            | ProtocolError::InvalidUtf8
            | ProtocolError::Inflate
            | ProtocolError::ClosePayload
            | ProtocolError::CloseCode(_) => ErrCode::ProtocolError,
        },
    }
}
