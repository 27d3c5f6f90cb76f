//! The layouts and values of `net_websocket_type.h`.

pub mod ext;
pub mod server;

use std::ffi::c_char;

/// `WebSocket_OpenResult`, `_CloseResult`, `_CloseOption` and `_ErrorResult`: a code and a text.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CodeAndText {
    pub code: u32,
    pub text: *const c_char,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Header {
    pub name: *const c_char,
    pub value: *const c_char,
    pub next: *mut Header,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct RequestOptions {
    pub headers: *mut Header,
}

pub type ResultCallback = unsafe extern "C" fn(*mut WebSocket, CodeAndText);
pub type MessageCallback = unsafe extern "C" fn(*mut WebSocket, *mut c_char, u32);

/// The client in the application's view. The application may read and write all of it.
#[repr(C)]
pub struct WebSocket {
    pub on_open: Option<ResultCallback>,
    pub on_message: Option<MessageCallback>,
    pub on_error: Option<ResultCallback>,
    pub on_close: Option<ResultCallback>,
    pub request_options: RequestOptions,
}

/// `WebSocket_ErrCode`; never renumbered.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrCode {
    Ok = 0,
    Base = 1000,
    ClientNull = 1001,
    ClientNotCreated = 1002,
    ConnectionError = 1003,
    ParseUrl = 1005,
    Destroyed = 1008,
    ProtocolError = 1009,
    SendNoMemory = 1010,
    SendDataNull = 1011,
    DataLengthExceeded = 1012,
    QueueLengthExceeded = 1013,
    NoHeaderContext = 1015,
    HeaderExceeded = 1016,
    NoConnection = 1017,
    NoConnectionContext = 1018,
    /// The platform's headers have no name for it.
    NoPermission = 1020,
    // The codes of net_websocket_ext.h. They are far from the platform's.
    InvalidArgument = 2001,
    MessageUnfinished = 2002,
    InvalidUtf8 = 2003,
    BufferTooSmall = 2004,
    NotFound = 2005,
    CannotListen = 2006,
    Certificate = 2007,
}

#[cfg(target_pointer_width = "64")]
const _: () = {
    use std::mem::{offset_of, size_of};

    assert!(size_of::<CodeAndText>() == 16 && offset_of!(CodeAndText, text) == 8);
    assert!(size_of::<Header>() == 24 && offset_of!(Header, value) == 8 && offset_of!(Header, next) == 16);
    assert!(size_of::<RequestOptions>() == 8);
    assert!(size_of::<WebSocket>() == 40);
    assert!(offset_of!(WebSocket, on_message) == 8 && offset_of!(WebSocket, on_error) == 16);
    assert!(offset_of!(WebSocket, on_close) == 24 && offset_of!(WebSocket, request_options) == 32);
};

#[cfg(target_pointer_width = "32")]
const _: () = {
    use std::mem::{offset_of, size_of};

    assert!(size_of::<CodeAndText>() == 8 && offset_of!(CodeAndText, text) == 4);
    assert!(size_of::<Header>() == 12 && offset_of!(Header, value) == 4 && offset_of!(Header, next) == 8);
    assert!(size_of::<RequestOptions>() == 4);
    assert!(size_of::<WebSocket>() == 20);
    assert!(offset_of!(WebSocket, on_message) == 4 && offset_of!(WebSocket, on_error) == 8);
    assert!(offset_of!(WebSocket, on_close) == 12 && offset_of!(WebSocket, request_options) == 16);
};
