//! The layouts and values of `net_websocket_ext.h`.

use std::ffi::{c_char, c_void};
use std::mem::size_of;

use super::{Header, WebSocket};

/// `NWS_MessageType`.
pub const TEXT: i32 = 1;
pub const BINARY: i32 = 2;

/// `NWS_Decision`.
pub const PREPARE_PROCEED: i32 = 0;
pub const PREPARE_WAIT: i32 = 1;
pub const PREPARE_STOP: i32 = 2;
pub const PREPARE_FAIL: i32 = 3;

/// `NWS_ProxyType`.
pub const PROXY_SYSTEM: u8 = 0;
pub const PROXY_NONE: u8 = 1;
pub const PROXY_HTTP: u8 = 2;
pub const PROXY_SOCKS5: u8 = 3;

/// `NWS_UserAuthorities`.
pub const USER_AUTHORITIES_BY_CONFIG: u8 = 0;
pub const USER_AUTHORITIES_TRUSTED: u8 = 1;
pub const USER_AUTHORITIES_NOT_TRUSTED: u8 = 2;

/// `NWS_NetworkSecurityConfig`.
pub const SECURITY_CONFIG_PLATFORM: u8 = 0;
pub const SECURITY_CONFIG_STRICT: u8 = 1;

/// `NWS_Options`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawOptions {
    pub size: usize,
    pub connect_timeout_ms: u32,
    pub close_timeout_ms: u32,
    pub ping_interval_ms: u32,
    pub pong_timeout_ms: u32,
    pub max_message_size: u64,
    pub send_queue_limit: u64,
    pub send_low_water: u64,
    pub protocols: *const c_char,
    pub headers: *const Header,
    pub ca_path: *const c_char,
    pub client_cert_path: *const c_char,
    pub client_key_path: *const c_char,
    pub skip_server_cert_verification: u8,
    pub per_message_deflate: u8,
    pub client_no_context_takeover: u8,
    pub server_no_context_takeover: u8,
    pub client_max_window_bits: u8,
    pub server_max_window_bits: u8,
    pub receive_pieces: u8,
    pub tls13_only: u8,
    pub deflate_threshold: u32,
    pub client_key_password: *const c_char,
    pub alpn_protocols: *const c_char,
    pub tls_server_name: *const c_char,
    pub certificate_pinning: *const RawPin,
    pub ca_path_adds_to_system: u8,
    pub proxy_host: *const c_char,
    pub proxy_exclusions: *const c_char,
    pub proxy_username: *const c_char,
    pub proxy_password: *const c_char,
    pub proxy_port: u16,
    pub proxy_type: u8,
    pub statistics_interval_ms: u32,
    pub send_queue_messages: u64,
    pub trace_id: u64,
    pub max_redirects: u8,
    pub support_origin_port: u8,
    pub hosts: *const Header,
    pub username: *const c_char,
    pub password: *const c_char,
    pub lookup_timeout_ms: u32,
    pub tcp_timeout_ms: u32,
    pub proxy_timeout_ms: u32,
    pub tls_timeout_ms: u32,
    pub upgrade_timeout_ms: u32,
    pub trust_user_authorities: u8,
    pub network_security_config: u8,
    pub fragment_messages: u8,
}

/// `NWS_CertificatePinning`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawPin {
    pub public_key_hash: *const c_char,
    pub expires_ms: i64,
    pub next: *const RawPin,
}

/// `NWS_Header`.
#[repr(C)]
pub struct ResponseHeader {
    pub name: *const c_char,
    pub value: *const c_char,
}

/// `NWS_Response`.
#[repr(C)]
pub struct Response {
    pub size: usize,
    pub status: u32,
    pub header_count: u32,
    pub headers: *const ResponseHeader,
    pub protocol: *const c_char,
    pub extensions: *const c_char,
}

/// `NWS_Message`.
#[repr(C)]
pub struct RawMessage {
    pub size: usize,
    pub data: *mut c_char,
    pub length: usize,
    pub kind: i32,
    pub first: u8,
    pub last: u8,
}

/// `NWS_Pong`.
#[repr(C)]
pub struct RawPong {
    pub size: usize,
    pub data: *const c_char,
    pub length: usize,
    pub round_trip_us: i64,
}

/// `NWS_Failure`.
#[repr(C)]
pub struct RawFailure {
    pub size: usize,
    pub code: i32,
    pub phase: i32,
    pub http_status: u32,
    pub message: *const c_char,
    pub unsent_messages: u64,
    pub cause: i32,
    pub elapsed_us: i64,
    pub last_activity_us: i64,
    pub headers: *const ResponseHeader,
    pub header_count: usize,
    pub body: *const c_char,
    pub body_length: usize,
}

impl RawFailure {
    /// Every field unset. Unknown numbers have the value for "unknown".
    pub const NONE: Self = Self {
        size: size_of::<Self>(),
        code: 0,
        phase: 0,
        http_status: 0,
        message: std::ptr::null(),
        unsent_messages: 0,
        cause: 0,
        elapsed_us: 0,
        last_activity_us: -1,
        headers: std::ptr::null(),
        header_count: 0,
        body: c"".as_ptr(),
        body_length: 0,
    };
}

/// `NWS_Close`.
#[repr(C)]
pub struct RawClose {
    pub size: usize,
    pub code: u32,
    pub reason: *const c_char,
    pub cause: i32,
    pub elapsed_us: i64,
    pub last_activity_us: i64,
    pub unsent_messages: u64,
}

/// `NWS_Reconnecting`.
#[repr(C)]
pub struct RawReconnecting {
    pub size: usize,
    pub attempt: u32,
    pub delay_ms: u32,
    pub cause: i32,
    pub close_code: u32,
    pub http_status: u32,
    pub message: *const c_char,
    pub unsent_messages: u64,
}

/// `NWS_Reconnected`.
#[repr(C)]
pub struct RawReconnected {
    pub size: usize,
    pub attempts: u32,
    pub downtime_ms: u64,
}

/// `NWS_Frame`.
#[repr(C)]
pub struct RawFrame {
    pub size: usize,
    pub length: u64,
    pub sent: u8,
    pub opcode: u8,
    pub fin: u8,
    pub compressed: u8,
}

/// `NWS_ReconnectOptions`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawReconnectOptions {
    pub size: usize,
    pub delay_ms: u32,
    pub max_delay_ms: u32,
    pub max_attempts: u32,
    pub max_time_ms: u32,
    pub causes: u32,
    pub prepare_timeout_ms: u32,
    pub at_once: u8,
    pub drop_queue: u8,
    pub ignore_network: u8,
}

/// `NWS_SentCallback`.
pub type SentCallback = unsafe extern "C" fn(*mut WebSocket, *mut c_void, i32);
/// `NWS_ReleaseCallback`.
pub type ReleaseCallback = unsafe extern "C" fn(*mut c_void, *mut c_void);

/// A callback for one kind of event.
pub type EventCallback<T> = Option<unsafe extern "C" fn(*mut WebSocket, *mut c_void, *const T)>;
pub type PrepareCallback = unsafe extern "C" fn(*mut WebSocket, *mut c_void, *const RawReconnecting) -> i32;

/// `NWS_Callbacks`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawCallbacks {
    pub size: usize,
    pub user_data: *mut c_void,
    pub on_headers: EventCallback<Response>,
    pub on_open: EventCallback<Response>,
    pub on_message: EventCallback<RawMessage>,
    pub on_pong: EventCallback<RawPong>,
    pub on_drain: Option<unsafe extern "C" fn(*mut WebSocket, *mut c_void)>,
    pub on_error: EventCallback<RawFailure>,
    pub on_close: EventCallback<RawClose>,
    pub on_reconnecting: EventCallback<RawReconnecting>,
    pub on_prepare: Option<PrepareCallback>,
    pub on_reconnected: EventCallback<RawReconnected>,
    pub on_statistics: EventCallback<RawStatistics>,
    pub on_frame: EventCallback<RawFrame>,
}

// SAFETY: the pointer is the application's. It is passed back and never followed.
unsafe impl Send for RawCallbacks {}
// SAFETY: as above.
unsafe impl Sync for RawCallbacks {}

impl RawCallbacks {
    pub const NONE: Self = Self {
        size: size_of::<Self>(),
        user_data: std::ptr::null_mut(),
        on_headers: None,
        on_open: None,
        on_message: None,
        on_pong: None,
        on_drain: None,
        on_error: None,
        on_close: None,
        on_reconnecting: None,
        on_prepare: None,
        on_reconnected: None,
        on_statistics: None,
        on_frame: None,
    };
}

/// `NWS_Statistics`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawStatistics {
    pub size: usize,
    pub attempts: u64,
    pub connections: u64,
    pub messages_sent: u64,
    pub bytes_sent: u64,
    pub messages_received: u64,
    pub bytes_received: u64,
    pub deflate_input_bytes: u64,
    pub deflate_output_bytes: u64,
    pub pings_sent: u64,
    pub pongs_received: u64,
    pub pings_received: u64,
    pub buffered_bytes: u64,
    pub round_trip_us: i64,
    pub smoothed_round_trip_us: i64,
    pub minimum_round_trip_us: i64,
    pub lookup_us: i64,
    pub tcp_us: i64,
    pub tls_us: i64,
    pub upgrade_us: i64,
    pub proxy_us: i64,
    pub pings_unanswered: u64,
    pub buffered_messages: u64,
}

#[cfg(target_pointer_width = "64")]
const _: () = {
    use std::mem::offset_of;

    assert!(size_of::<RawOptions>() == 256 && offset_of!(RawOptions, deflate_threshold) == 96);
    assert!(offset_of!(RawOptions, client_key_password) == 104 && size_of::<RawPin>() == 24);
    assert!(offset_of!(RawOptions, protocols) == 48 && offset_of!(RawOptions, per_message_deflate) == 89);
    assert!(size_of::<Response>() == 40 && offset_of!(Response, headers) == 16);
    assert!(size_of::<RawMessage>() == 32 && offset_of!(RawMessage, last) == 29);
    assert!(size_of::<RawPong>() == 32);
    assert!(size_of::<RawFailure>() == 96 && offset_of!(RawFailure, message) == 24);
    assert!(size_of::<RawClose>() == 56);
    assert!(size_of::<RawReconnecting>() == 48 && offset_of!(RawReconnecting, message) == 32);
    assert!(size_of::<RawReconnected>() == 24);
    assert!(size_of::<RawReconnectOptions>() == 40 && offset_of!(RawReconnectOptions, at_once) == 32);
    assert!(size_of::<RawCallbacks>() == 112 && size_of::<RawFrame>() == 24);
    assert!(size_of::<RawStatistics>() == 184);
};

#[cfg(target_pointer_width = "32")]
const _: () = {
    use std::mem::offset_of;

    assert!(size_of::<RawOptions>() == 184 && offset_of!(RawOptions, deflate_threshold) == 76);
    assert!(offset_of!(RawOptions, client_key_password) == 80 && size_of::<RawPin>() == 24);
    assert!(offset_of!(RawOptions, protocols) == 48 && offset_of!(RawOptions, per_message_deflate) == 69);
    assert!(size_of::<Response>() == 24 && offset_of!(Response, headers) == 12);
    assert!(size_of::<RawMessage>() == 20 && offset_of!(RawMessage, last) == 17);
    assert!(size_of::<RawPong>() == 24);
    assert!(size_of::<RawFailure>() == 72 && offset_of!(RawFailure, message) == 16);
    assert!(size_of::<RawClose>() == 40);
    assert!(size_of::<RawReconnecting>() == 40 && offset_of!(RawReconnecting, message) == 24);
    assert!(size_of::<RawReconnected>() == 16);
    assert!(size_of::<RawReconnectOptions>() == 32 && offset_of!(RawReconnectOptions, at_once) == 28);
    assert!(size_of::<RawCallbacks>() == 56 && size_of::<RawFrame>() == 24);
    assert!(size_of::<RawStatistics>() == 184);
};
