//! The layouts of the server in `net_websocket_ext.h`.

use std::ffi::{c_char, c_void};
use std::mem::size_of;

use super::ext::{RawClose, RawFailure, RawMessage, ResponseHeader};

/// `NWS_Server`: an address without memory.
#[repr(C)]
pub struct RawServer {
    opaque: [u8; 0],
}

/// `NWS_ServerOptions`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawServerOptions {
    pub size: usize,
    pub address: *const c_char,
    pub cert_path: *const c_char,
    pub key_path: *const c_char,
    pub key_password: *const c_char,
    pub client_ca_path: *const c_char,
    pub protocols: *const c_char,
    pub socket_path: *const c_char,
    pub max_message_size: u64,
    pub send_queue_limit: u64,
    pub send_low_water: u64,
    pub send_queue_messages: u64,
    pub max_addresses: u32,
    pub max_connections_per_address: u32,
    pub max_handshakes: u32,
    pub handshake_timeout_ms: u32,
    pub close_timeout_ms: u32,
    pub ping_interval_ms: u32,
    pub pong_timeout_ms: u32,
    pub rate_connections: u32,
    pub rate_period_ms: u32,
    pub rate_ban_ms: u32,
    pub deflate_threshold: u32,
    pub port: u16,
    pub tls13_only: u8,
    pub per_message_deflate: u8,
    pub client_no_context_takeover: u8,
    pub server_no_context_takeover: u8,
    pub client_max_window_bits: u8,
    pub server_max_window_bits: u8,
    pub receive_pieces: u8,
    pub fragment_messages: u8,
}

/// `NWS_ServerRequest`.
#[repr(C)]
pub struct RawServerRequest {
    pub size: usize,
    pub request: u64,
    pub address: *const c_char,
    pub target: *const c_char,
    pub protocols: *const c_char,
    pub headers: *const ResponseHeader,
    pub header_count: usize,
    pub port: u16,
}

/// `NWS_ServerConnection`.
#[repr(C)]
pub struct RawServerConnection {
    pub size: usize,
    pub address: *const c_char,
    pub target: *const c_char,
    pub protocol: *const c_char,
    pub extensions: *const c_char,
    pub port: u16,
}

/// A callback for one kind of event of a connection.
pub type ConnectionCallback<T> = Option<unsafe extern "C" fn(*mut RawServer, *mut c_void, u64, *const T)>;

/// `NWS_ServerCallbacks`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawServerCallbacks {
    pub size: usize,
    pub user_data: *mut c_void,
    pub on_request: Option<unsafe extern "C" fn(*mut RawServer, *mut c_void, *const RawServerRequest)>,
    pub on_open: ConnectionCallback<RawServerConnection>,
    pub on_message: ConnectionCallback<RawMessage>,
    pub on_drain: Option<unsafe extern "C" fn(*mut RawServer, *mut c_void, u64)>,
    pub on_error: ConnectionCallback<RawFailure>,
    pub on_close: ConnectionCallback<RawClose>,
    pub on_stop: Option<unsafe extern "C" fn(*mut RawServer, *mut c_void)>,
}

// SAFETY: the pointer is the application's. It is passed back and never followed.
unsafe impl Send for RawServerCallbacks {}
// SAFETY: as above.
unsafe impl Sync for RawServerCallbacks {}

impl RawServerCallbacks {
    pub const NONE: Self = Self {
        size: size_of::<Self>(),
        user_data: std::ptr::null_mut(),
        on_request: None,
        on_open: None,
        on_message: None,
        on_drain: None,
        on_error: None,
        on_close: None,
        on_stop: None,
    };
}

/// `NWS_ServerStatistics`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawServerStatistics {
    pub size: usize,
    pub open: u64,
    pub opened: u64,
    pub kept_out: u64,
    pub not_opened: u64,
    pub messages_sent: u64,
    pub bytes_sent: u64,
    pub messages_received: u64,
    pub bytes_received: u64,
    pub buffered_bytes: u64,
}

#[cfg(target_pointer_width = "64")]
const _: () = {
    use std::mem::offset_of;

    assert!(size_of::<RawServerOptions>() == 152 && offset_of!(RawServerOptions, max_addresses) == 96);
    assert!(offset_of!(RawServerOptions, port) == 140);
    assert!(size_of::<RawServerRequest>() == 64 && offset_of!(RawServerRequest, port) == 56);
    assert!(size_of::<RawServerConnection>() == 48);
    assert!(size_of::<RawServerCallbacks>() == 72 && size_of::<RawServerStatistics>() == 80);
};

#[cfg(target_pointer_width = "32")]
const _: () = {
    use std::mem::offset_of;

    assert!(size_of::<RawServerOptions>() == 120 && offset_of!(RawServerOptions, max_addresses) == 64);
    assert!(offset_of!(RawServerOptions, port) == 108);
    assert!(size_of::<RawServerRequest>() == 40 && offset_of!(RawServerRequest, port) == 36);
    assert!(size_of::<RawServerConnection>() == 24);
    assert!(size_of::<RawServerCallbacks>() == 36 && size_of::<RawServerStatistics>() == 80);
};
