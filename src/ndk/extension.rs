//! What `net_websocket_ext.h` adds to a client: its types, and what is kept for each client.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::{offset_of, size_of};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::abi::{ErrCode, Header, WebSocket};
use super::probe::{self, Unreadable};
use crate::client::{
    AlpnProtocols, Causes, ClientCertificate, Credentials, HEADER_BYTES_MAX, HEADER_COUNT_MAX, Options,
    Password, PerMessageDeflate, PhaseTimeouts, Pin, Proxy, ProxyProtocol, ProxyServer, REDIRECTS_MAX,
    RawHeader, Receipt, Reconnect, Rewrite, SEND_LIMIT_BYTES, SendLimits, Statistics, TlsOptions,
    TlsServerName, check_hosts,
};

/// The longest sub-protocol list and file name looked at, in bytes.
const TEXT_BYTES_MAX: usize = 65_536;
/// The most pins looked at; more are a list that runs in a circle.
const PINS_MAX: usize = 256;

/// `NWS_ProxyType`.
const PROXY_SYSTEM: u8 = 0;
const PROXY_NONE: u8 = 1;
const PROXY_HTTP: u8 = 2;
const PROXY_SOCKS5: u8 = 3;

/// `NWS_Options`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawOptions {
    pub size: usize,
    connect_timeout_ms: u32,
    close_timeout_ms: u32,
    ping_interval_ms: u32,
    pong_timeout_ms: u32,
    max_message_size: u64,
    send_queue_limit: u64,
    send_low_water: u64,
    protocols: *const c_char,
    headers: *const Header,
    ca_path: *const c_char,
    client_cert_path: *const c_char,
    client_key_path: *const c_char,
    skip_server_cert_verification: u8,
    per_message_deflate: u8,
    client_no_context_takeover: u8,
    server_no_context_takeover: u8,
    client_max_window_bits: u8,
    server_max_window_bits: u8,
    receive_pieces: u8,
    tls13_only: u8,
    deflate_threshold: u32,
    client_key_password: *const c_char,
    alpn_protocols: *const c_char,
    tls_server_name: *const c_char,
    certificate_pinning: *const RawPin,
    ca_path_adds_to_system: u8,
    proxy_host: *const c_char,
    proxy_exclusions: *const c_char,
    proxy_username: *const c_char,
    proxy_password: *const c_char,
    proxy_port: u16,
    proxy_type: u8,
    statistics_interval_ms: u32,
    send_queue_messages: u64,
    trace_id: u64,
    max_redirects: u8,
    support_origin_port: u8,
    hosts: *const Header,
    username: *const c_char,
    password: *const c_char,
    lookup_timeout_ms: u32,
    tcp_timeout_ms: u32,
    proxy_timeout_ms: u32,
    tls_timeout_ms: u32,
    upgrade_timeout_ms: u32,
}

/// `NWS_CertificatePinning`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RawPin {
    public_key_hash: *const c_char,
    expires_ms: i64,
    next: *const RawPin,
}

// SAFETY: raw pointers and an integer.
unsafe impl probe::Plain for RawPin {}

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
    delay_ms: u32,
    max_delay_ms: u32,
    max_attempts: u32,
    max_time_ms: u32,
    causes: u32,
    prepare_timeout_ms: u32,
    at_once: u8,
    drop_queue: u8,
    ignore_network: u8,
}

type EventCallback<T> = Option<unsafe extern "C" fn(*mut WebSocket, *mut c_void, *const T)>;

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

// SAFETY: the pointer is the application's; it is handed back and never followed.
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

type PrepareCallback = unsafe extern "C" fn(*mut WebSocket, *mut c_void, *const RawReconnecting) -> i32;
impl RawStatistics {
    pub fn of(statistics: &Statistics) -> Self {
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
        Self {
            size: size_of::<Self>(),
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
}

pub fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

/// `NWS_SentCallback`.
pub type SentCallback = unsafe extern "C" fn(*mut WebSocket, *mut c_void, i32);
/// `NWS_ReleaseCallback`.
pub type ReleaseCallback = unsafe extern "C" fn(*mut c_void, *mut c_void);

#[cfg(target_pointer_width = "64")]
const _: () = {
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

/// A struct of the header that grows at its end.
///
/// # Safety
///
/// `repr(C)`, begins with its size, and any bytes make a valid value.
pub unsafe trait Growing: Copy {
    /// The size of the first version.
    const SIZE_MIN: usize;
    /// For error texts.
    const NAME: &'static str;
}

// SAFETY: integers and raw pointers.
unsafe impl Growing for RawOptions {
    const SIZE_MIN: usize = 104;
    const NAME: &'static str = "NWS_Options";
}

// SAFETY: a pointer and functions, which the application vouches for.
unsafe impl Growing for RawCallbacks {
    const SIZE_MIN: usize = 72;
    const NAME: &'static str = "NWS_Callbacks";
}

// SAFETY: integers.
unsafe impl Growing for RawReconnectOptions {
    const SIZE_MIN: usize = 40;
    const NAME: &'static str = "NWS_ReconnectOptions";
}

// SAFETY: integers.
unsafe impl Growing for RawStatistics {
    const SIZE_MIN: usize = 160;
    const NAME: &'static str = "NWS_Statistics";
}

/// No struct of a later version is larger.
const SIZE_MAX: usize = 4_096;

/// Checks the size that a program gives for a struct.
pub fn check_size<T: Growing>(size: usize) -> Result<(), Refusal> {
    if (T::SIZE_MIN..=SIZE_MAX).contains(&size) {
        Ok(())
    } else {
        Err(Refusal::new(
            ErrCode::InvalidArgument,
            format!("size: {size} is not the size of a struct {}", T::NAME),
        ))
    }
}

/// Reads a struct of any version: `value` has the fields that the program does not know.
pub fn read_struct<T: Growing>(address: *const T, mut value: T) -> Result<T, Refusal> {
    let unreadable =
        |_| Refusal::new(ErrCode::InvalidArgument, format!("{}: the pointer leads nowhere", T::NAME));
    let size = probe::bytes(address.cast(), size_of::<usize>()).map_err(unreadable)?;
    let size = size.try_into().map_or(0, usize::from_ne_bytes);
    check_size::<T>(size)?;
    let bytes = probe::bytes(address.cast(), size).map_err(unreadable)?;
    let known = size.min(size_of::<T>());
    if bytes[known..].iter().any(|byte| *byte != 0) {
        return Err(Refusal::new(
            ErrCode::InvalidArgument,
            format!("{}: a field that this version of the library does not know is set", T::NAME),
        ));
    }
    // SAFETY: `known` bytes are there on both sides, and any bytes make a valid value.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), (&raw mut value).cast::<u8>(), known) };
    Ok(value)
}

/// Writes as much of a struct as the program knows; of what it knows and this version does not, 0.
///
/// # Safety
///
/// `address` must be that of `size` bytes that may be written to.
pub unsafe fn write_struct<T: Growing>(address: *mut T, value: &T, size: usize) {
    let known = size.min(size_of::<T>());
    let address = address.cast::<u8>();
    // SAFETY: the caller's promise.
    unsafe {
        std::ptr::copy_nonoverlapping((&raw const *value).cast::<u8>(), address, known);
        address.add(known).write_bytes(0, size - known);
    }
}

/// Why a function refuses: its code, and a text for [`last_error`].
pub struct Refusal {
    pub code: ErrCode,
    pub text: String,
}

impl Refusal {
    pub fn new(code: ErrCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::default();
}

/// Keeps the text of a refusal for the thread.
pub fn remember(text: &str) {
    let text = CString::new(text.replace('\0', " ")).unwrap_or_default();
    // A thread that ends has nobody left to ask.
    let _ = LAST_ERROR.try_with(|last| *last.borrow_mut() = text);
}

/// The text of the thread's last refusal.
pub fn last_error() -> *const c_char {
    LAST_ERROR.try_with(|last| last.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}

/// What is kept for a client besides what the platform's header has.
#[derive(Default)]
pub struct Extension {
    inner: Mutex<Inner>,
    /// For looks without the lock: how often the callbacks were set, and whether they have one for frames.
    version: AtomicU64,
    traces: AtomicBool,
}

/// Boxed, since most clients do without.
struct Inner {
    options: Option<Box<Options>>,
    reconnect: Option<Box<Reconnect>>,
    callbacks: Option<Arc<RawCallbacks>>,
    /// The callbacks of messages whose fate is not known yet.
    receipts: HashMap<Receipt, Sent>,
    next_receipt: Receipt,
}

impl Default for Inner {
    fn default() -> Self {
        Self { options: None, reconnect: None, callbacks: None, receipts: HashMap::new(), next_receipt: 1 }
    }
}

/// A callback for one message.
#[derive(Clone, Copy)]
pub struct Sent {
    pub callback: SentCallback,
    pub context: *mut c_void,
}

// SAFETY: the context is the application's; it is handed back and never followed.
unsafe impl Send for Sent {}

impl Extension {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The options of the next connection.
    pub fn options(&self) -> Options {
        let inner = self.lock();
        let reconnect = inner.reconnect.as_deref().cloned();
        Options { reconnect, ..inner.options.as_deref().cloned().unwrap_or_default() }
    }

    pub fn set_reconnect(&self, reconnect: Option<Reconnect>) {
        self.lock().reconnect = reconnect.map(Box::new);
    }

    pub fn set_options(&self, options: Options) {
        self.lock().options = Some(Box::new(options));
    }

    /// None in most clients.
    pub fn callbacks(&self) -> Option<Arc<RawCallbacks>> {
        self.lock().callbacks.clone()
    }

    pub fn set_callbacks(&self, callbacks: RawCallbacks) {
        self.replace_callbacks(|_| callbacks);
    }

    fn replace_callbacks(&self, replace: impl FnOnce(RawCallbacks) -> RawCallbacks) {
        let mut inner = self.lock();
        let callbacks = replace(inner.callbacks.as_deref().copied().unwrap_or(RawCallbacks::NONE));
        self.traces.store(callbacks.on_frame.is_some(), Ordering::Relaxed);
        inner.callbacks = Some(Arc::new(callbacks));
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Changes with each change of the callbacks.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Whether there is a callback for frames.
    pub fn traces(&self) -> bool {
        self.traces.load(Ordering::Relaxed)
    }

    pub fn set_user_data(&self, user_data: *mut c_void) {
        self.replace_callbacks(|callbacks| RawCallbacks { user_data, ..callbacks });
    }

    /// A number for a message with a callback.
    pub fn expect(&self, sent: Sent) -> Receipt {
        let mut inner = self.lock();
        let receipt = inner.next_receipt;
        inner.next_receipt += 1;
        inner.receipts.insert(receipt, sent);
        receipt
    }

    /// The callback of a message, which is called once.
    pub fn settle(&self, receipt: Receipt) -> Option<Sent> {
        self.lock().receipts.remove(&receipt)
    }

    /// The callbacks of all messages that are left, in the order of their sending.
    pub fn settle_all(&self) -> Vec<Sent> {
        let mut left: Vec<_> = self.lock().receipts.drain().collect();
        left.sort_unstable_by_key(|(receipt, _)| *receipt);
        left.into_iter().map(|(_, sent)| sent).collect()
    }
}

impl RawOptions {
    /// The defaults, which are the core's.
    pub fn defaults() -> Self {
        let Options {
            headers: _,
            protocols: _,
            tls,
            proxy: _,
            hosts: _,
            credentials: _,
            max_redirects,
            origin_port,
            connect_timeout,
            phase_timeouts,
            close_timeout,
            ping_interval,
            pong_timeout,
            per_message_deflate,
            message_limit,
            in_pieces,
            reconnect: _,
            statistics_interval,
            trace_id,
        } = Options::default();
        let TlsOptions {
            ca_path: _,
            ca_path_adds_to_system,
            skip_server_verification,
            pins: _,
            client_certificate: _,
            tls13_only,
            alpn: _,
            server_name: _,
        } = tls;
        let offered = per_message_deflate.is_some();
        let deflate = per_message_deflate.unwrap_or_default();
        Self {
            size: size_of::<Self>(),
            connect_timeout_ms: milliseconds(Some(connect_timeout)),
            close_timeout_ms: milliseconds(Some(close_timeout)),
            ping_interval_ms: milliseconds(ping_interval),
            pong_timeout_ms: milliseconds(pong_timeout),
            max_message_size: message_limit as u64,
            send_queue_limit: SEND_LIMIT_BYTES as u64,
            send_low_water: SEND_LIMIT_BYTES as u64 / 4,
            protocols: std::ptr::null(),
            headers: std::ptr::null(),
            ca_path: std::ptr::null(),
            client_cert_path: std::ptr::null(),
            client_key_path: std::ptr::null(),
            skip_server_cert_verification: u8::from(skip_server_verification),
            per_message_deflate: u8::from(offered),
            client_no_context_takeover: u8::from(deflate.client_no_context_takeover),
            server_no_context_takeover: u8::from(deflate.server_no_context_takeover),
            client_max_window_bits: deflate.client_max_window_bits,
            server_max_window_bits: deflate.server_max_window_bits,
            receive_pieces: u8::from(in_pieces),
            tls13_only: u8::from(tls13_only),
            deflate_threshold: u32::try_from(deflate.threshold).unwrap_or(u32::MAX),
            client_key_password: std::ptr::null(),
            alpn_protocols: std::ptr::null(),
            tls_server_name: std::ptr::null(),
            certificate_pinning: std::ptr::null(),
            ca_path_adds_to_system: u8::from(ca_path_adds_to_system),
            proxy_host: std::ptr::null(),
            proxy_exclusions: std::ptr::null(),
            proxy_username: std::ptr::null(),
            proxy_password: std::ptr::null(),
            proxy_port: 0,
            proxy_type: PROXY_SYSTEM,
            statistics_interval_ms: milliseconds(statistics_interval),
            send_queue_messages: 0,
            trace_id: trace_id.unwrap_or(0),
            max_redirects,
            support_origin_port: u8::from(origin_port),
            hosts: std::ptr::null(),
            username: std::ptr::null(),
            password: std::ptr::null(),
            lookup_timeout_ms: milliseconds(phase_timeouts.lookup),
            tcp_timeout_ms: milliseconds(phase_timeouts.tcp),
            proxy_timeout_ms: milliseconds(phase_timeouts.proxy),
            tls_timeout_ms: milliseconds(phase_timeouts.tls),
            upgrade_timeout_ms: milliseconds(phase_timeouts.upgrade),
        }
    }

    /// The core's options, and the limits of the send queue.
    pub fn parse(&self) -> Result<(Options, SendLimits), Refusal> {
        let deflate = PerMessageDeflate {
            client_no_context_takeover: flag("clientNoContextTakeover", self.client_no_context_takeover)?,
            server_no_context_takeover: flag("serverNoContextTakeover", self.server_no_context_takeover)?,
            client_max_window_bits: window("clientMaxWindowBits", self.client_max_window_bits)?,
            server_max_window_bits: window("serverMaxWindowBits", self.server_max_window_bits)?,
            threshold: self.deflate_threshold as usize,
        };
        let options = Options {
            headers: headers(self.headers)?,
            protocols: text("protocols", self.protocols)?.unwrap_or_default(),
            tls: self.parse_tls()?,
            proxy: self.proxy()?,
            hosts: hosts(self.hosts)?,
            credentials: credentials(("username", self.username), ("password", self.password))?,
            max_redirects: match self.max_redirects {
                0..=REDIRECTS_MAX => self.max_redirects,
                other => {
                    let text = format!("maxRedirects: {other}; it must be 0 to {REDIRECTS_MAX}");
                    return Err(Refusal::new(ErrCode::InvalidArgument, text));
                }
            },
            origin_port: flag("supportOriginPort", self.support_origin_port)?,
            phase_timeouts: PhaseTimeouts {
                lookup: duration(self.lookup_timeout_ms),
                tcp: duration(self.tcp_timeout_ms),
                proxy: duration(self.proxy_timeout_ms),
                tls: duration(self.tls_timeout_ms),
                upgrade: duration(self.upgrade_timeout_ms),
            },
            connect_timeout: limit("connectTimeoutMs", self.connect_timeout_ms)?,
            close_timeout: limit("closeTimeoutMs", self.close_timeout_ms)?,
            ping_interval: duration(self.ping_interval_ms),
            pong_timeout: duration(self.pong_timeout_ms),
            per_message_deflate: flag("perMessageDeflate", self.per_message_deflate)?.then_some(deflate),
            message_limit: bytes("maxMessageSize", self.max_message_size)?,
            in_pieces: flag("receivePieces", self.receive_pieces)?,
            reconnect: None,
            statistics_interval: duration(self.statistics_interval_ms),
            trace_id: (self.trace_id > 0).then_some(self.trace_id),
        };
        let send_limit = bytes("sendQueueLimit", self.send_queue_limit)?;
        let mut low_water = usize::try_from(self.send_low_water).unwrap_or(usize::MAX);
        if low_water == SendLimits::of_bytes(SEND_LIMIT_BYTES).low_water {
            // Left as it was, it follows the limit.
            low_water = low_water.min(SendLimits::of_bytes(send_limit).low_water);
        }
        if low_water > send_limit {
            return Err(Refusal::new(ErrCode::InvalidArgument, "sendLowWater: over sendQueueLimit"));
        }
        let messages = usize::try_from(self.send_queue_messages).ok().filter(|&count| count > 0);
        Ok((options, SendLimits { bytes: send_limit, low_water, messages: messages.unwrap_or(usize::MAX) }))
    }

    fn parse_tls(&self) -> Result<TlsOptions, Refusal> {
        let refused = |text: String| Refusal::new(ErrCode::InvalidArgument, text);
        let password = text("clientKeyPassword", self.client_key_password)?.map(Password::new);
        let certificate = text("clientCertPath", self.client_cert_path)?;
        let client_certificate = match (certificate, text("clientKeyPath", self.client_key_path)?) {
            (None, None) => None,
            (Some(certificate), Some(key)) => {
                Some(ClientCertificate { certificate: certificate.into(), key: key.into(), password })
            }
            (Some(_), None) => return Err(refused("clientKeyPath: NULL beside clientCertPath".to_owned())),
            (None, Some(_)) => return Err(refused("clientCertPath: NULL beside clientKeyPath".to_owned())),
        };
        let alpn = match text("alpnProtocols", self.alpn_protocols)? {
            None => TlsOptions::default().alpn,
            Some(list) => {
                let names = list.split(',').map(str::trim).filter(|_| !list.trim().is_empty());
                AlpnProtocols::parse(names).map_err(|why| refused(format!("alpnProtocols: {why}")))?
            }
        };
        let server_name =
            match text("tlsServerName", self.tls_server_name)? {
                None => None,
                Some(name) => Some(TlsServerName::parse(&name).ok_or_else(|| {
                    refused("tlsServerName: neither a host name nor an IP address".to_owned())
                })?),
            };
        Ok(TlsOptions {
            ca_path: text("caPath", self.ca_path)?.map(PathBuf::from),
            ca_path_adds_to_system: flag("caPathAddsToSystem", self.ca_path_adds_to_system)?,
            skip_server_verification: flag("skipServerCertVerification", self.skip_server_cert_verification)?,
            pins: pins(self.certificate_pinning)?,
            client_certificate,
            tls13_only: flag("tls13Only", self.tls13_only)?,
            alpn,
            server_name,
        })
    }

    fn proxy(&self) -> Result<Proxy, Refusal> {
        let refused = |text| Refusal::new(ErrCode::InvalidArgument, text);
        let host = text("proxyHost", self.proxy_host)?;
        let protocol = match self.proxy_type {
            PROXY_SYSTEM | PROXY_NONE if host.is_some() => {
                return Err(refused("proxyType: neither HTTP nor SOCKS5 beside proxyHost".to_owned()));
            }
            PROXY_SYSTEM => return Ok(Proxy::System),
            PROXY_NONE => return Ok(Proxy::None),
            PROXY_HTTP => ProxyProtocol::Http,
            PROXY_SOCKS5 => ProxyProtocol::Socks5,
            other => return Err(refused(format!("proxyType: {other} is no type of proxy"))),
        };
        let server = ProxyServer {
            protocol,
            host: host.ok_or_else(|| refused("proxyHost: NULL".to_owned()))?,
            port: self.proxy_port,
            exclusions: text("proxyExclusions", self.proxy_exclusions)?.into_iter().collect(),
            credentials: credentials(
                ("proxyUsername", self.proxy_username),
                ("proxyPassword", self.proxy_password),
            )?,
        };
        server.check().map_err(|error| refused(error.to_string()))?;
        Ok(Proxy::Server(server))
    }
}

impl RawReconnectOptions {
    /// The defaults, which are the core's.
    pub fn defaults() -> Self {
        let Reconnect {
            at_once,
            delay,
            max_delay,
            max_attempts,
            max_time,
            causes,
            keep_queue,
            prepare_timeout,
            watch_network,
        } = Reconnect::default();
        Self {
            size: size_of::<Self>(),
            delay_ms: milliseconds(Some(delay)),
            max_delay_ms: milliseconds(Some(max_delay)),
            max_attempts: max_attempts.unwrap_or(0),
            max_time_ms: milliseconds(max_time),
            causes: causes.bits(),
            prepare_timeout_ms: milliseconds(Some(prepare_timeout)),
            at_once: at_once.into(),
            drop_queue: (!keep_queue).into(),
            ignore_network: (!watch_network).into(),
        }
    }

    pub fn parse(self) -> Result<Reconnect, Refusal> {
        let Self {
            size: _,
            delay_ms,
            max_delay_ms,
            max_attempts,
            max_time_ms,
            causes,
            prepare_timeout_ms,
            at_once,
            drop_queue,
            ignore_network,
        } = self;
        Ok(Reconnect {
            at_once: flag("atOnce", at_once)?,
            delay: limit("delayMs", delay_ms)?,
            max_delay: limit("maxDelayMs", max_delay_ms)?,
            max_attempts: (max_attempts > 0).then_some(max_attempts),
            max_time: duration(max_time_ms),
            causes: Causes::from_bits(causes).ok_or_else(|| {
                Refusal::new(ErrCode::InvalidArgument, "causes: a bit is set that is no cause for a retry")
            })?,
            keep_queue: !flag("dropQueue", drop_queue)?,
            prepare_timeout: limit("prepareTimeoutMs", prepare_timeout_ms)?,
            watch_network: !flag("ignoreNetwork", ignore_network)?,
        })
    }
}

/// What an application has prepared for an attempt.
pub fn rewrite(url: *const c_char, list: *const Header) -> Result<Rewrite, Refusal> {
    Ok(Rewrite { url: text("url", url)?, headers: headers(list)? })
}

fn milliseconds(duration: Option<Duration>) -> u32 {
    duration.map_or(0, |duration| u32::try_from(duration.as_millis()).unwrap_or(u32::MAX))
}

fn duration(milliseconds: u32) -> Option<Duration> {
    (milliseconds > 0).then(|| Duration::from_millis(milliseconds.into()))
}

fn limit(field: &str, milliseconds: u32) -> Result<Duration, Refusal> {
    duration(milliseconds)
        .ok_or_else(|| Refusal::new(ErrCode::InvalidArgument, format!("{field}: 0; it must be 1 or more")))
}

fn flag(field: &str, value: u8) -> Result<bool, Refusal> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Refusal::new(ErrCode::InvalidArgument, format!("{field}: {other}; it must be 0 or 1"))),
    }
}

fn window(field: &str, bits: u8) -> Result<u8, Refusal> {
    match bits {
        9..=15 => Ok(bits),
        other => Err(Refusal::new(ErrCode::InvalidArgument, format!("{field}: {other}; it must be 9 to 15"))),
    }
}

fn bytes(field: &str, count: u64) -> Result<usize, Refusal> {
    usize::try_from(count)
        .ok()
        .filter(|&count| count > 0 && count <= isize::MAX as usize)
        .ok_or_else(|| Refusal::new(ErrCode::InvalidArgument, format!("{field}: {count} is out of range")))
}

fn text(field: &str, text: *const c_char) -> Result<Option<String>, Refusal> {
    if text.is_null() {
        return Ok(None);
    }
    let refused = |why| Refusal::new(ErrCode::InvalidArgument, format!("{field}: {why}"));
    let bytes = probe::c_string(text, TEXT_BYTES_MAX).map_err(|unreadable| {
        refused(match unreadable {
            Unreadable::Address => "the pointer leads nowhere",
            Unreadable::TooLong => "too long",
        })
    })?;
    String::from_utf8(bytes).map(Some).map_err(|_| refused("not UTF-8"))
}

/// Two fields, of which either makes credentials.
fn credentials(
    (username_field, username): (&str, *const c_char),
    (password_field, password): (&str, *const c_char),
) -> Result<Option<Credentials>, Refusal> {
    let (username, password) = (text(username_field, username)?, text(password_field, password)?);
    let given = username.is_some() || password.is_some();
    Ok(given.then(|| Credentials {
        username: username.unwrap_or_default(),
        password: password.unwrap_or_default(),
    }))
}

/// Names and their addresses.
fn hosts(list: *const Header) -> Result<Vec<(String, String)>, Refusal> {
    let refused = |text: String| Refusal::new(ErrCode::InvalidArgument, text);
    let utf8 = |text| String::from_utf8(text).map_err(|_| refused("hosts: not UTF-8".to_owned()));
    let pairs = pairs("hosts", list)?.into_iter();
    let hosts: Vec<_> =
        pairs.map(|(name, addresses)| Ok((utf8(name)?, utf8(addresses)?))).collect::<Result<_, _>>()?;
    check_hosts(&hosts).map_err(|error| refused(error.to_string()))?;
    Ok(hosts)
}

fn headers(list: *const Header) -> Result<Vec<RawHeader>, Refusal> {
    pairs("headers", list)
}

/// A list in the shape of the platform's headers.
fn pairs(field: &str, mut next: *const Header) -> Result<Vec<RawHeader>, Refusal> {
    let mut headers = Vec::new();
    while !next.is_null() {
        let refused = |code, why| Refusal::new(code, format!("{field}: entry {}: {why}", headers.len()));
        let Ok(Header { name, value, next: following }) = probe::value(next) else {
            return Err(refused(ErrCode::InvalidArgument, "the pointer leads nowhere"));
        };
        if headers.len() >= HEADER_COUNT_MAX {
            return Err(refused(ErrCode::HeaderExceeded, "one too many"));
        }
        if name.is_null() || value.is_null() {
            return Err(refused(ErrCode::NoHeaderContext, "a name or a value is NULL"));
        }
        let read = |text| {
            probe::c_string(text, HEADER_BYTES_MAX).map_err(|unreadable| match unreadable {
                Unreadable::Address => refused(ErrCode::InvalidArgument, "a pointer leads nowhere"),
                Unreadable::TooLong => refused(ErrCode::HeaderExceeded, "too long"),
            })
        };
        let header = (read(name)?, read(value)?);
        headers.push(header);
        next = following;
    }
    Ok(headers)
}

fn pins(mut next: *const RawPin) -> Result<Vec<Pin>, Refusal> {
    let mut pins = Vec::new();
    while !next.is_null() {
        let refused = |why: &dyn std::fmt::Display| {
            Refusal::new(ErrCode::InvalidArgument, format!("certificatePinning: entry {}: {why}", pins.len()))
        };
        let Ok(RawPin { public_key_hash, expires_ms, next: following }) = probe::value(next) else {
            return Err(refused(&"the pointer leads nowhere"));
        };
        if pins.len() >= PINS_MAX {
            return Err(refused(&"one too many"));
        }
        let hash = text("publicKeyHash", public_key_hash).map_err(|Refusal { text, .. }| refused(&text))?;
        let hash = hash.ok_or_else(|| refused(&"publicKeyHash: NULL"))?;
        let expires = match u64::try_from(expires_ms) {
            Ok(0) => None,
            Ok(millis) => SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis)),
            Err(_) => return Err(refused(&"expiresMs: before 1970")),
        };
        let pin = Pin::parse(&hash, expires).map_err(|why| refused(&format_args!("publicKeyHash: {why}")))?;
        pins.push(pin);
        next = following;
    }
    Ok(pins)
}

/// Copies a string to where an application wants it.
///
/// # Safety
///
/// `length` must be NULL or point to the count of bytes behind `buffer`, which must be NULL or may be written to.
pub unsafe fn write_text(value: &CStr, buffer: *mut c_char, length: *mut usize) -> Result<(), Refusal> {
    if length.is_null() {
        return Err(Refusal::new(ErrCode::InvalidArgument, "length: NULL"));
    }
    let bytes = value.to_bytes_with_nul();
    // SAFETY: the caller's promise.
    unsafe {
        let room = length.replace(bytes.len());
        if buffer.is_null() {
            return Ok(());
        }
        if room < bytes.len() {
            let text = format!("buffer: {room} bytes, {} are needed", bytes.len());
            return Err(Refusal::new(ErrCode::BufferTooSmall, text));
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.cast::<u8>(), bytes.len());
    }
    Ok(())
}

/// Memory that an application has lent.
pub struct Lent {
    data: *mut c_void,
    length: usize,
    release: ReleaseCallback,
    context: *mut c_void,
}

// SAFETY: the application has given it away until `release` is called, and lets that be called on any thread.
unsafe impl Send for Lent {}

impl Lent {
    /// # Safety
    ///
    /// `data` must point to `length` bytes that nobody else touches until `release` is called; neither is NULL.
    pub unsafe fn new(
        data: *mut c_void,
        length: usize,
        release: ReleaseCallback,
        context: *mut c_void,
    ) -> Self {
        Self { data, length, release, context }
    }

    /// The memory is the application's again, which needs not be told.
    pub fn disown(mut self) {
        unsafe extern "C" fn keep(_data: *mut c_void, _context: *mut c_void) {}
        self.release = keep;
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the promise made to `new`.
        unsafe { std::slice::from_raw_parts(self.data.cast(), self.length) }
    }
}

impl AsMut<[u8]> for Lent {
    fn as_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.data.cast(), self.length) }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // SAFETY: the function is the application's word; this is the one call.
        unsafe { (self.release)(self.data, self.context) };
    }
}
