//! Two drivers run the same cases. One calls the core from Rust, the other calls the functions of the C API.

use std::ffi::{CStr, CString, c_char, c_void};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use net_websocket::internals::client::{
    Client, Closed, Error, Failure, Listener, Message, MessageType, Opened, Options, Outcome, Phase, Proxy,
    ProxyProtocol, ProxyServer, Receipt, Request, SEND_LIMIT_BYTES, SessionOptions, TlsOptions, UpgradeError,
};
use net_websocket::internals::protocol::ProtocolError;
use tokio::sync::mpsc::UnboundedSender;

use super::model::{Cause, End, MESSAGE_LIMIT};

/// Timeouts that a case can shorten.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub connect: Duration,
    pub close: Duration,
    /// Ping interval and pong timeout.
    pub silence: Option<(Duration, Duration)>,
}

/// The route to the server: direct or through a proxy.
pub type Way = Option<(ProxyProtocol, SocketAddr)>;

/// An event as a driver reports it.
#[derive(Debug)]
pub enum Seen {
    Opened,
    Message(bool, Vec<u8>),
    /// The failure, and the number of messages lost with it.
    Failed(Told, u64),
    Closed(u16, String),
    /// Whether the message with this number was sent.
    Sent(u64, bool),
}

/// A failure as a driver reports it.
#[derive(Debug)]
pub enum Told {
    Rust(End),
    /// A failure that no case expects.
    #[expect(dead_code, reason = "for those who read what a failed test prints")]
    Other(String),
    C {
        code: i32,
        phase: i32,
        status: u32,
        text: String,
    },
}

impl Told {
    /// Whether this failure reports `end`.
    pub fn is(&self, end: &End) -> bool {
        match self {
            Self::Rust(End::Upgrade(causes)) => match end {
                End::Upgrade(expected) => {
                    causes.iter().all(|cause| expected.iter().any(|e| e.covers(*cause)))
                }
                _ => false,
            },
            Self::Rust(told) => told == end,
            Self::Other(_) => false,
            Self::C { code, phase, status, text } => {
                let (expected_code, expected_phase, words): (_, _, Vec<String>) = match end {
                    End::Proxy => (1003, 5, vec!["proxy tunnel to".to_owned()]),
                    End::Tls => (1003, 3, vec!["TLS handshake with".to_owned()]),
                    End::Tcp => (1003, 2, vec!["TCP connect to".to_owned()]),
                    End::Upgrade(causes) => (1003, 4, causes.iter().map(|cause| cause.words()).collect()),
                    End::Timeout(phase) => (
                        1003,
                        number(*phase),
                        ["127.0.0.1", "127.0.0.7"].map(|host| format!("{phase} with {host}")).into(),
                    ),
                    End::Lost => (1003, 0, vec!["open connection lost".to_owned()]),
                    End::Silent => (1003, 0, vec!["after a ping".to_owned()]),
                    End::Protocol(error @ ProtocolError::MessageTooBig { .. }) => {
                        (1012, 0, vec![error.to_string()])
                    }
                    End::Protocol(error) => (1009, 0, vec![error.to_string()]),
                    End::Closed(..) | End::NoAnswer => return false,
                };
                let refused =
                    matches!(end, End::Upgrade(causes) if causes.iter().any(|cause| cause.is_status()));
                *code == expected_code
                    && *phase == expected_phase
                    && words.iter().any(|words| text.contains(words.as_str()))
                    && (*status == 0 || refused)
            }
        }
    }
}

fn number(phase: Phase) -> i32 {
    match phase {
        Phase::Tcp => 2,
        Phase::Tls => 3,
        Phase::Upgrade => 4,
        Phase::Proxy => 5,
        other => unreachable!("no case is about {other}"),
    }
}

/// A driver: one way to use the library.
pub trait Driver: Sync {
    /// A new client that sends its events to `events`.
    fn client(&self, events: UnboundedSender<Seen>) -> Box<dyn Connects>;
}

/// A client; dropping it ends it.
pub trait Connects {
    /// Queues a message. An event with its number reports whether it was sent.
    fn send(&self, text: bool, payload: &[u8], number: u64);
    fn connect(&self, url: &str, authority: &Path, limits: Limits, way: Way);
    fn close(&self);
}

/// `net_websocket::internals::client`.
pub struct Rust;

impl Driver for Rust {
    fn client(&self, events: UnboundedSender<Seen>) -> Box<dyn Connects> {
        LISTENERS.fetch_add(1, Ordering::SeqCst);
        Box::new(Client::new(Box::new(Recorder(events)), SEND_LIMIT_BYTES))
    }
}

/// The number of live listeners of the Rust driver. Each belongs to a running session or to a client.
pub static LISTENERS: AtomicUsize = AtomicUsize::new(0);

impl Connects for Client {
    fn send(&self, text: bool, payload: &[u8], number: u64) {
        let kind = if text { MessageType::Text } else { MessageType::Binary };
        self.send_with_receipt(kind, payload, number).expect("accepted");
    }

    fn connect(&self, url: &str, authority: &Path, limits: Limits, way: Way) {
        let Limits { connect, close, silence } = limits;
        let proxy = way.map_or(Proxy::None, |(protocol, address)| {
            let (host, port) = (address.ip().to_string(), address.port());
            Proxy::Server(ProxyServer { protocol, host, port, exclusions: Vec::new(), credentials: None })
        });
        let options = Options {
            tls: TlsOptions { ca_path: Some(authority.to_owned()), ..TlsOptions::default() },
            proxy,
            connect_timeout: connect,
            session: SessionOptions {
                close_timeout: close,
                ping_interval: silence.map(|(interval, _)| interval),
                pong_timeout: silence.map(|(_, timeout)| timeout),
                per_message_deflate: None,
                message_limit: MESSAGE_LIMIT,
                ..SessionOptions::default()
            },
            ..Options::default()
        };
        let request = Request::parse(url, options).expect("a good request");
        self.connect(request).expect("not connected");
    }

    fn close(&self) {
        self.close(1000, "done").expect("open");
    }
}

struct Recorder(UnboundedSender<Seen>);

impl Drop for Recorder {
    fn drop(&mut self) {
        LISTENERS.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Recorder {
    fn tell(&self, seen: Seen) {
        // A test that has failed no longer listens.
        let _ = self.0.send(seen);
    }
}

impl Listener for Recorder {
    fn opened(&mut self, _opened: &Opened) {
        self.tell(Seen::Opened);
    }

    fn message(&mut self, message: Message<'_>) {
        self.tell(Seen::Message(message.kind() == MessageType::Text, message.into_vec()));
    }

    fn sent(&mut self, receipt: Receipt, outcome: Outcome) {
        self.tell(Seen::Sent(receipt, outcome == Outcome::Sent));
    }

    fn failed(&mut self, failure: &Failure) {
        let told = match &failure.error {
            Error::Tcp { .. } => Told::Rust(End::Tcp),
            Error::Proxy { .. } => Told::Rust(End::Proxy),
            Error::Tls { .. } => Told::Rust(End::Tls),
            Error::Upgrade { cause, .. } => match cause {
                UpgradeError::Status(refused) => Told::upgrade(Cause::Status(refused.status)),
                UpgradeError::NotHttp(_) => Told::upgrade(Cause::NotHttp),
                UpgradeError::Header(name) => Told::upgrade(Cause::Header(name)),
                UpgradeError::Eof { .. } => Told::upgrade(Cause::Eof),
                UpgradeError::Io(_) => Told::upgrade(Cause::Io),
                other => Told::Other(other.to_string()),
            },
            Error::Timeout { phase, .. } => Told::Rust(End::Timeout(*phase)),
            Error::Protocol(error) => Told::Rust(End::Protocol(*error)),
            Error::Lost(_) => Told::Rust(End::Lost),
            Error::PongTimeout(_) => Told::Rust(End::Silent),
            other => Told::Other(other.to_string()),
        };
        self.tell(Seen::Failed(told, failure.unsent as u64));
    }

    fn closed(&mut self, closed: &Closed) {
        self.tell(Seen::Closed(closed.code, closed.reason.clone()));
    }
}

impl Told {
    fn upgrade(cause: Cause) -> Self {
        Self::Rust(End::Upgrade(vec![cause]))
    }
}

/// `net_websocket.h` and `net_websocket_ext.h`.
pub struct C;

/// As the headers have them.
mod abi {
    use std::ffi::{c_char, c_void};

    #[repr(C)]
    pub struct Options {
        pub size: usize,
        pub connect_timeout_ms: u32,
        pub close_timeout_ms: u32,
        pub ping_interval_ms: u32,
        pub pong_timeout_ms: u32,
        pub max_message_size: u64,
        pub send_queue_limit: u64,
        pub send_low_water: u64,
        pub protocols: *const c_char,
        pub headers: *const c_void,
        pub ca_path: *const c_char,
        pub client_cert_path: *const c_char,
        pub client_key_path: *const c_char,
        pub skip_server_cert_verification: bool,
        pub per_message_deflate: bool,
        /// Fields that no case needs; NWS_InitOptions sets them.
        pub flags: [u8; 6],
        pub deflate_threshold: u32,
        pub of_tls: [*const c_void; 4],
        pub ca_path_adds_to_system: u8,
        pub proxy_host: *const c_char,
        pub of_proxy: [*const c_char; 3],
        pub proxy_port: u16,
        pub proxy_type: u8,
        pub others: [u8; 256],
    }

    #[repr(C)]
    pub struct Callbacks {
        pub size: usize,
        pub user_data: *mut c_void,
        pub on_headers: *const c_void,
        pub on_open: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, *const c_void)>,
        pub on_message: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, *const Message)>,
        pub on_pong: *const c_void,
        pub on_drain: *const c_void,
        pub on_error: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, *const Failure)>,
        pub on_close: Option<unsafe extern "C" fn(*mut c_void, *mut c_void, *const Close)>,
        pub others: [u8; 256],
    }

    #[repr(C)]
    pub struct Message {
        pub size: usize,
        pub data: *const u8,
        pub length: usize,
        pub kind: i32,
    }

    #[repr(C)]
    pub struct Failure {
        pub size: usize,
        pub code: i32,
        pub phase: i32,
        pub http_status: u32,
        pub message: *const c_char,
        pub unsent_messages: u64,
    }

    #[repr(C)]
    pub struct Close {
        pub size: usize,
        pub code: u32,
        pub reason: *const c_char,
    }

    #[repr(C)]
    pub struct CodeAndText {
        pub code: u32,
        pub text: *const c_char,
    }

    #[repr(C)]
    pub struct RequestOptions {
        pub headers: *const c_void,
    }

    unsafe extern "C" {
        pub fn OH_WebSocketClient_Constructor(
            on_open: *const c_void,
            on_message: *const c_void,
            on_error: *const c_void,
            on_close: *const c_void,
        ) -> *mut c_void;
        pub fn OH_WebSocketClient_Connect(
            client: *mut c_void,
            url: *const c_char,
            options: RequestOptions,
        ) -> i32;
        pub fn OH_WebSocketClient_Close(client: *mut c_void, options: CodeAndText) -> i32;
        pub fn OH_WebSocketClient_Destroy(client: *mut c_void) -> i32;
        pub fn NWS_InitOptions(options: *mut Options, size: usize) -> i32;
        pub fn NWS_SetOptions(client: *mut c_void, options: *const Options) -> i32;
        pub fn NWS_InitCallbacks(callbacks: *mut Callbacks, size: usize) -> i32;
        pub fn NWS_SetCallbacks(client: *mut c_void, callbacks: *const Callbacks) -> i32;
        pub fn NWS_SendWithCallback(
            client: *mut c_void,
            kind: i32,
            data: *const u8,
            length: usize,
            on_sent: unsafe extern "C" fn(*mut c_void, *mut c_void, i32),
            context: *mut c_void,
        ) -> i32;
    }
}

struct CClient {
    client: *mut c_void,
    /// What the callbacks get as their user data.
    events: *mut UnboundedSender<Seen>,
}

/// The user data of NWS_SendWithCallback.
struct Ticket {
    events: UnboundedSender<Seen>,
    number: u64,
}

impl Driver for C {
    fn client(&self, events: UnboundedSender<Seen>) -> Box<dyn Connects> {
        let none = std::ptr::null();
        let events = Box::into_raw(Box::new(events));
        // SAFETY: as the header asks; the callbacks' user data lives until the client is destroyed.
        let client = unsafe {
            let client = abi::OH_WebSocketClient_Constructor(none, none, none, none);
            let mut callbacks: abi::Callbacks = std::mem::zeroed();
            assert_eq!(abi::NWS_InitCallbacks(&mut callbacks, size_of::<abi::Callbacks>()), 0);
            callbacks.user_data = events.cast();
            callbacks.on_open = Some(on_open);
            callbacks.on_message = Some(on_message);
            callbacks.on_error = Some(on_error);
            callbacks.on_close = Some(on_close);
            assert_eq!(abi::NWS_SetCallbacks(client, &callbacks), 0);
            client
        };
        Box::new(CClient { client, events })
    }
}

impl Connects for CClient {
    fn send(&self, text: bool, payload: &[u8], number: u64) {
        // SAFETY: nothing else frees it, and the callbacks only read it.
        let events = unsafe { (*self.events).clone() };
        let ticket = Box::into_raw(Box::new(Ticket { events, number }));
        let kind = if text { 1 } else { 2 };
        // SAFETY: as the header asks; the ticket lives until its callback, which comes once.
        let code = unsafe {
            abi::NWS_SendWithCallback(
                self.client,
                kind,
                payload.as_ptr(),
                payload.len(),
                on_sent,
                ticket.cast(),
            )
        };
        assert_eq!(code, 0, "accepted");
    }

    fn connect(&self, url: &str, authority: &Path, limits: Limits, way: Way) {
        let Limits { connect, close, silence } = limits;
        let milliseconds = |time: Duration| u32::try_from(time.as_millis()).expect("less than a month");
        let url = CString::new(url).expect("no NUL");
        let authority = CString::new(authority.to_str().expect("ASCII")).expect("no NUL");
        // SAFETY: as the header asks; the texts outlive the calls.
        unsafe {
            let mut options: abi::Options = std::mem::zeroed();
            assert_eq!(abi::NWS_InitOptions(&mut options, size_of::<abi::Options>()), 0);
            options.connect_timeout_ms = milliseconds(connect);
            options.close_timeout_ms = milliseconds(close);
            options.ping_interval_ms = silence.map_or(0, |(interval, _)| milliseconds(interval));
            options.pong_timeout_ms = silence.map_or(0, |(_, timeout)| milliseconds(timeout));
            options.max_message_size = MESSAGE_LIMIT;
            options.ca_path = authority.as_ptr();
            options.per_message_deflate = false;
            options.proxy_type = 1;
            let host = way.map(|(_, proxy)| CString::new(proxy.ip().to_string()).expect("no NUL"));
            if let (Some((protocol, proxy)), Some(host)) = (way, &host) {
                options.proxy_type = if protocol == ProxyProtocol::Http { 2 } else { 3 };
                (options.proxy_host, options.proxy_port) = (host.as_ptr(), proxy.port());
            }
            assert_eq!(abi::NWS_SetOptions(self.client, &options), 0);
            let none = abi::RequestOptions { headers: std::ptr::null() };
            assert_eq!(abi::OH_WebSocketClient_Connect(self.client, url.as_ptr(), none), 0);
        }
    }

    fn close(&self) {
        let option = abi::CodeAndText { code: 1000, text: c"done".as_ptr() };
        // SAFETY: as the header asks.
        assert_eq!(unsafe { abi::OH_WebSocketClient_Close(self.client, option) }, 0);
    }
}

impl Drop for CClient {
    fn drop(&mut self) {
        // SAFETY: once per client; afterwards no callback runs, so no other code has the sender.
        unsafe {
            let code = abi::OH_WebSocketClient_Destroy(self.client);
            assert!(matches!(code, 0 | 1018), "Destroy: {code}");
            drop(Box::from_raw(self.events));
        }
    }
}

/// # Safety
///
/// `user_data` must be the sender that the client was made with.
unsafe fn tell(user_data: *mut c_void, seen: Seen) {
    // SAFETY: the caller's promise. A test that has failed no longer listens.
    let _ = unsafe { &*user_data.cast::<UnboundedSender<Seen>>() }.send(seen);
}

unsafe extern "C" fn on_open(_client: *mut c_void, user_data: *mut c_void, _response: *const c_void) {
    // SAFETY: as it was given to the client.
    unsafe { tell(user_data, Seen::Opened) };
}

unsafe extern "C" fn on_message(_client: *mut c_void, user_data: *mut c_void, message: *const abi::Message) {
    // SAFETY: valid during the callback, as the header promises, with a NUL behind the data.
    unsafe {
        let abi::Message { data, length, kind, .. } = *message;
        let with_nul = std::slice::from_raw_parts(data, length + 1);
        assert_eq!(with_nul[length], 0, "a NUL follows the message");
        tell(user_data, Seen::Message(kind == 1, with_nul[..length].to_vec()));
    }
}

unsafe extern "C" fn on_error(_client: *mut c_void, user_data: *mut c_void, failure: *const abi::Failure) {
    // SAFETY: valid during the callback, as the header promises.
    unsafe {
        let abi::Failure { code, phase, http_status, message, unsent_messages, .. } = *failure;
        let told = Told::C { code, phase, status: http_status, text: text(message) };
        tell(user_data, Seen::Failed(told, unsent_messages));
    }
}

unsafe extern "C" fn on_close(_client: *mut c_void, user_data: *mut c_void, close: *const abi::Close) {
    // SAFETY: valid during the callback, as the header promises.
    unsafe {
        let abi::Close { code, reason, .. } = *close;
        let code = u16::try_from(code).expect("a close code");
        tell(user_data, Seen::Closed(code, text(reason)));
    }
}

unsafe extern "C" fn on_sent(_client: *mut c_void, context: *mut c_void, result: i32) {
    // SAFETY: the ticket of this message, once.
    let Ticket { events, number } = *unsafe { Box::from_raw(context.cast::<Ticket>()) };
    let _ = events.send(Seen::Sent(number, result == 0));
}

/// # Safety
///
/// `text` must be a C string.
unsafe fn text(text: *const c_char) -> String {
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_str().expect("UTF-8").to_owned()
}
