//! The WebSocket client, and the connections that a server accepts: no unsafe, no C, no JavaScript.
//!
//! Owns connections from the URL to the last close frame. Reports to a [`Listener`], and knows nothing of its
//! implementation.

mod app_policy;
mod cause;
mod destination;
mod dial;
mod error;
mod event;
mod handshake;
mod headers;
mod http;
mod keepalive;
mod message;
mod moment;
mod plain_url;
mod proxy;
mod reconnect;
mod request;
mod retry_after;
mod rfc4648;
mod send_queue;
mod session;
mod shared;
mod state;
mod stats;
mod time_limit;
mod tls;
mod transport;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use self::app_policy::PolicyError;
pub use self::cause::{Cause, Causes};
pub use self::destination::{URL_BYTES_MAX, UrlError, WebUrl, parse_web_url};
pub use self::error::{Error, Phase};
pub use self::event::{
    Closed, Direction, Failure, Listener, Outcome, PeerClose, Pong, PrepareDecision, Receipt, Reconnected,
    Reconnecting, Times,
};
pub use self::handshake::{
    Opened, RefusalHint, RefusedUpgrade, SubprotocolError, UpgradeError, parse_response_head,
};
pub use self::headers::{Headers, RawHeader, is_token};
pub use self::http::{HeadFault, RESPONSE_BODY_BYTES_MAX, RESPONSE_HEAD_BYTES_MAX};
pub use self::message::Message;
pub use self::proxy::{Credentials, Proxy, ProxyError, ProxyOptionError, ProxyProtocol, ProxyServer};
pub use self::reconnect::Reconnect;
pub use self::request::{
    HEADER_BYTES_MAX, HEADER_COUNT_MAX, Options, OptionsError, PhaseTimeouts, Preparation, REDIRECTS_MAX,
    RedirectError, Request, Rewrite, SessionOptions, check_hosts,
};
pub use self::send_queue::{Payload, SendError, SendLimits};
pub use self::shared::{AlreadyConnected, CloseError, CloseStart, ConnectError, PingError};
pub use self::state::{State, close_code};
pub use self::stats::{Statistics, Timing};
pub use self::tls::{
    AlpnProtocols, ClientCertificate, NetworkSecurityConfig, Password, Pin, PinError, ServerFile, ServerTls,
    TlsError, TlsOptions, TlsServerName, TrustError,
};
#[cfg(not(feature = "simulation"))]
pub use self::transport::tls_client;
pub use crate::logging::{LogLevel, set_log_level};
pub use crate::protocol::{
    CLOSE_REASON_BYTES_MAX, CloseCode, FrameHeader, MessageType, PerMessageDeflate, PiecePosition, in_memory,
    truncate_reason,
};

pub(crate) use self::handshake::accept_key;
pub(crate) use self::rfc4648::from_base64;
pub(crate) use self::session::Accepted;
pub(crate) use self::time_limit::{sleep_awake, within};
pub(crate) use self::tls::{accept_tls, server_config};
pub(crate) use self::transport::{Socket, Stream, Tcp};

use self::handshake::KeptAnswer;
use self::session::start_accepted;
use self::shared::Shared;
use crate::protocol::{Negotiated, Role};
use crate::runtime;

/// The default limit of a client's unsent bytes: 64 MiB.
pub const SEND_LIMIT_BYTES: usize = 67_108_864;

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// A WebSocket client. It has one connection at a time, and any number of them in sequence.
///
/// Every method may be called from any thread, also inside a [`Listener`]'s method. None waits for the network.
/// Dropping the client ends its events at once. An open connection still sends the accepted messages, and closes with
/// code 1001 within the close timeout.
pub struct Client {
    shared: Arc<Shared>,
}

impl Client {
    /// Makes a client that reports to `listener` and accepts up to `send_limit` unsent bytes.
    pub fn new(listener: Box<dyn Listener>, send_limit: usize) -> Self {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let limits = SendLimits::of_bytes(send_limit);
        Self { shared: Arc::new(Shared::new(id, Role::Client, listener, limits)) }
    }

    /// Makes this side of a connection that a server has accepted. It is open.
    pub(crate) fn accepted(
        listener: Box<dyn Listener>,
        limits: SendLimits,
        accepted: Accepted,
    ) -> Result<Self, ConnectError> {
        let process = runtime::start().map_err(ConnectError::Exhausted)?;
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::new(Shared::new(id, Role::Server, listener, limits));
        let attempt = shared.begin().map_err(ConnectError::Already)?;
        let compress_from = accepted.deflate.as_ref().map(Negotiated::threshold);
        // No other code has it yet, so it cannot be stopped.
        let _ = shared.open(attempt, KeptAnswer::of(&accepted.opened), compress_from);
        start_accepted(process, shared.clone(), attempt, accepted);
        Ok(Self { shared })
    }

    /// The number of this client in log lines.
    pub fn id(&self) -> u64 {
        self.shared.id
    }

    /// The state of the connection at this moment.
    pub fn state(&self) -> State {
        self.shared.state()
    }

    /// Bytes accepted by [`Client::send`], headers included, that have not reached the kernel.
    pub fn buffered(&self) -> usize {
        self.shared.buffered()
    }

    /// Messages handed to the kernel, as [`Statistics::messages_sent`].
    pub fn messages_sent(&self) -> u64 {
        self.shared.counters.messages_sent()
    }

    /// Begins to connect. An event reports the outcome.
    pub fn connect(&self, request: Request) -> Result<(), ConnectError> {
        let process = runtime::start().map_err(ConnectError::Exhausted)?;
        let attempt = self.shared.begin().map_err(ConnectError::Already)?;
        self.shared.set_trace_id(request.trace_id);
        session::start(process, self.shared.clone(), attempt, request);
        Ok(())
    }

    /// Begins an attempt that fails with `fault`, without a connection. An API uses it to report an invalid URL by an
    /// event.
    pub fn connect_in_vain(&self, fault: UrlError) -> Result<(), ConnectError> {
        let process = runtime::start().map_err(ConnectError::Exhausted)?;
        let attempt = self.shared.begin().map_err(ConnectError::Already)?;
        session::start_in_vain(process, self.shared.clone(), attempt, fault);
        Ok(())
    }

    /// Queues a copy of a message. It is sent when the connection opens, if it is not open yet.
    ///
    /// A message of [`MessageType::Text`] must be UTF-8.
    pub fn send(&self, kind: MessageType, payload: &[u8]) -> Result<(), SendError> {
        self.shared.send(kind, payload, None)
    }

    /// As [`Client::send`]. [`Listener::sent`] reports the message's outcome with `receipt`.
    pub fn send_with_receipt(
        &self,
        kind: MessageType,
        payload: &[u8],
        receipt: Receipt,
    ) -> Result<(), SendError> {
        self.shared.send(kind, payload, Some(receipt))
    }

    /// Queues a message without a copy. Its bytes are masked in place, and dropped after they were sent. They are not
    /// compressed. A refused payload is returned unchanged.
    pub fn send_owned<P: Payload + 'static>(
        &self,
        kind: MessageType,
        payload: Box<P>,
        receipt: Option<Receipt>,
    ) -> Result<(), (SendError, Box<P>)> {
        self.shared.send_owned(kind, payload, receipt)
    }

    /// Queues a piece of a message, which `last` ends. Until then no other message is accepted. Pieces are not
    /// compressed. [`Listener::sent`] reports the piece's outcome with `receipt`.
    pub fn send_piece(
        &self,
        kind: MessageType,
        payload: &[u8],
        last: bool,
        receipt: Option<Receipt>,
    ) -> Result<(), SendError> {
        self.shared.send_piece(kind, payload, last, receipt)
    }

    /// Queues a server's message. Its frame header and payload are shared with other connections.
    pub(crate) fn send_shared(&self, header: &[u8], payload: &Arc<[u8]>) -> Result<(), SendError> {
        self.shared.send_shared(header, payload)
    }

    /// Ends the connection without waiting for the peer.
    pub(crate) fn hurry(&self) {
        self.shared.hurry();
    }

    /// Sends a ping of up to 125 bytes ahead of the queue. [`Listener::pong`] reports the answer.
    pub fn ping(&self, payload: &[u8]) -> Result<(), PingError> {
        self.shared.ping(payload)
    }

    /// Sets the limits of unsent messages.
    pub fn set_send_limits(&self, limits: SendLimits) {
        self.shared.set_send_limits(limits);
    }

    /// Call this when [`Listener::traces_frames`] has become true. From then on every frame is reported.
    pub fn frames_are_wanted(&self) {
        self.shared.frames_are_wanted();
    }

    /// Whether the queue is above the low-water mark, so that [`Listener::drained`] follows.
    pub fn is_above_low_water(&self) -> bool {
        self.shared.is_above_low_water()
    }

    /// Whether the queue's limit allows a message of that length at all.
    pub fn fits_send_limit(&self, length: usize) -> bool {
        self.shared.fits_send_limit(length)
    }

    /// The server's answer to the last upgrade; `None` before it and during the next attempt.
    pub fn handshake_response(&self) -> Option<Opened> {
        self.shared.handshake_response()
    }

    /// Begins the pending retry; false if none is pending.
    pub fn retry_now(&self) -> bool {
        self.shared.retry_now()
    }

    /// Answers [`Listener::prepare`] about attempt `attempt`; false if that attempt no longer waits.
    pub fn prepare(&self, attempt: u32, prepared: Preparation) -> bool {
        self.shared.prepare(attempt, prepared)
    }

    /// Makes the session act as after a network change.
    #[cfg(feature = "simulation")]
    pub fn change_network(&self) {
        use self::transport::Notified;
        self.shared.network_changed();
    }

    /// The statistics so far.
    pub fn statistics(&self) -> Statistics {
        self.shared.statistics()
    }

    /// Begins the closing handshake after the queued messages. Cancels the attempt instead if no connection was open
    /// yet. If the handshake has already begun, this changes nothing and is not an error.
    ///
    /// A code that must not be sent is replaced by 1000, with a warning, see [`close_code`]. The reason is cut to
    /// [`CLOSE_REASON_BYTES_MAX`] bytes at a character boundary.
    pub fn close(&self, code: u32, reason: &str) -> Result<CloseStart, CloseError> {
        self.shared.close(Some(code), reason)
    }

    /// As [`Client::close`]. The close frame has neither code nor reason.
    pub fn close_without_code(&self) -> Result<CloseStart, CloseError> {
        self.shared.close(None, "")
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shared.detach();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("id", &self.id()).field("state", &self.state()).finish_non_exhaustive()
    }
}
