//! The object that `createWebSocket` returns.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::ffi::CStr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use napi_derive_ohos::napi;
use napi_ohos::bindgen_prelude::This;
use napi_ohos::{Env, JsValue, Result};

use super::abort_signal::{Listening, Signal};
use super::doorbell::{Answer, Doorbell};
use super::error::ApiError;
use super::listener::{Cut, Event, EventType, Listeners, Postbox, statistics_value};
use super::options::{self, ConnectOptions};
use super::reader::{self, Reader};
use super::value::{Deferred, Engine, Kept, Refused, Type, Value};
use crate::client::{
    Client, CloseError, Kind, Outcome, Receipt, Request, SEND_LIMIT_BYTES, SendError, State,
};
use crate::mailbox::{Receiver, mailbox};

/// How long events are delivered before the engine's loop gets its turn: a quarter of a frame at 60 Hz.
const TURN: Duration = Duration::from_millis(4);
/// The most events between two looks at the clock.
const LOOK_EVENTS_MAX: u32 = 64;
/// The most events, and bytes of messages, in one handle scope, whose values cannot be collected before it is closed.
const SCOPE_EVENTS: usize = 64;
const SCOPE_BYTES: usize = 65_536;

/// Sent when a signal is aborted between the server's answer and the event `open`: going away (RFC 6455 section 7.4.1).
const ABORT_CLOSE_CODE: u16 = 1001;

/// The hidden property of the JavaScript object that holds its listeners: there the engine's garbage collector sees
/// them, and an object that was dropped without a connection goes, whatever its listeners refer to.
const LISTENERS: &CStr = c"__listeners";

/// A WebSocket client (RFC 6455): one connection at a time, any number one after the other.
///
/// All methods and listeners run on the thread that made the object. Listeners are called one at a time, in this order
/// for each connection: `headerReceive`, `open`, any `message` (with `receivePieces`, its `piece`s) each followed by
/// `dataEnd`, at most one `error`, `close`; a connection that never opened ends with `error` alone.
/// @since 6
#[napi]
pub struct WebSocket {
    socket: Rc<Socket>,
}

/// What the JavaScript object and the delivery of its events share.
struct Socket {
    client: Client,
    /// Whether there is a listener to prepare attempts.
    prepares: Arc<AtomicBool>,
    /// Whether messages are asked for in pieces.
    in_pieces: Arc<AtomicBool>,
    mailbox: Receiver<Event>,
    doorbell: Arc<Doorbell>,
    /// The object of listeners, while events can come.
    listeners: RefCell<Option<Kept>>,
    /// The URL of the last `connect`.
    url: RefCell<String>,
    /// A message for which the send queue has no room waits for it here, oldest first.
    sends_wait: Cell<bool>,
    backlog: RefCell<VecDeque<Unqueued>>,
    /// Promises of messages whose fate is not known yet.
    sends: RefCell<HashMap<Receipt, Deferred>>,
    next_receipt: Cell<Receipt>,
    /// Promises of pings, oldest first, with what they carry.
    pings: RefCell<VecDeque<(Vec<u8>, Deferred)>>,
    /// Promises of `ready`.
    ready: RefCell<Vec<Deferred>>,
    reader: Reader,
    /// The signal that gives up the attempt under way.
    signal: RefCell<Option<Listening>>,
    /// Attempts begun, and those whose last event was delivered. Between `close` and its event the next may begin.
    begun: Cell<u64>,
    ended: Cell<u64>,
    /// The event `open` of the last attempt was delivered.
    opened: Cell<bool>,
    /// The events that have a listener, by [`EventType::bit`].
    listened: Cell<u16>,
    /// A listener was set or removed since the deliverer last looked.
    listeners_changed: Cell<bool>,
    /// The engine has collected the JavaScript object.
    collected: Cell<bool>,
}

/// A message that waits for room in the send queue. Its promise is known by the receipt.
struct Unqueued {
    kind: Kind,
    payload: Vec<u8>,
    receipt: Receipt,
}

/// The constructor of our class, for each environment: one thread may have several, one after the other or at once.
struct Classes {
    web_socket: Kept,
}

/// Keeps what `create` needs for as long as the environment lives.
pub fn load(env: Engine, exports: Value<'_>) -> std::result::Result<(), Refused> {
    let constructor = exports.get(c"WebSocket")?;
    let prototype = constructor.get(c"prototype")?;
    // For `for await`. An engine without the symbol has no such loop.
    let symbol = env.global()?.get(c"Symbol")?.get(c"asyncIterator")?;
    if !symbol.is_absent() {
        prototype.set_by_value(symbol, env.function(|call| Ok(call.this.env().adopt(call.this.raw())))?)?;
    }
    env.set_instance_data(Box::new(Classes { web_socket: Kept::new(constructor)? }))
}

/// Makes the JavaScript object. The engine owns it and its Rust half.
pub fn create(env: Engine) -> std::result::Result<Value<'static>, Refused> {
    let (sender, mailbox) = mailbox();
    let doorbell = Arc::new(Doorbell::default());
    let prepares = Arc::new(AtomicBool::new(false));
    let in_pieces = Arc::new(AtomicBool::new(false));
    let postbox = Postbox {
        mailbox: sender,
        doorbell: doorbell.clone(),
        open: false,
        prepares: prepares.clone(),
        in_pieces: in_pieces.clone(),
        cut: Cut::default(),
    };
    let client = Client::new(Box::new(postbox), SEND_LIMIT_BYTES);
    let socket = Rc::new(Socket {
        client,
        prepares,
        in_pieces,
        mailbox,
        doorbell,
        listeners: RefCell::default(),
        url: RefCell::default(),
        sends_wait: Cell::default(),
        backlog: RefCell::default(),
        sends: RefCell::default(),
        next_receipt: Cell::new(1),
        pings: RefCell::default(),
        ready: RefCell::default(),
        reader: Reader::default(),
        signal: RefCell::default(),
        begun: Cell::default(),
        ended: Cell::default(),
        opened: Cell::default(),
        listened: Cell::default(),
        listeners_changed: Cell::default(),
        collected: Cell::default(),
    });

    // napi-ohos would keep a reference to the object that never lets go of it on ArkTS, where such a reference is
    // strong from the start. So the instance is made and wrapped here, without one.
    // SAFETY: `load` gave this type, and nothing else in the library sets instance data.
    let classes = unsafe { env.instance_data::<Classes>() }?;
    napi_ohos::__private::___CALL_FROM_FACTORY.set(true);
    let object = classes.web_socket.value().and_then(Value::construct);
    napi_ohos::__private::___CALL_FROM_FACTORY.set(false);
    let object = object?;
    object.set_hidden(LISTENERS, env.object()?)?;
    object.own(Box::new(WebSocket { socket }))?;
    Ok(object)
}

#[napi]
impl WebSocket {
    /// Begins to connect to `url` (ws, wss, http or https). `true` means that the attempt has begun; its outcome is the
    /// event `open` or `error`.
    ///
    /// Fails with 401 (a parameter, named in the message), 2302001 (the URL), 2302002 (a certificate file that is not there), 2302003
    /// (already connecting or connected).
    /// @since 6
    #[napi(
        catch_unwind,
        ts_args_type = "url: string, callback: AsyncCallback<boolean>): void
  connect(url: string, options: WebSocketRequestOptions, callback: AsyncCallback<boolean>): void
  connect(url: string, options?: WebSocketRequestOptions",
        ts_return_type = "Promise<boolean>"
    )]
    pub fn connect<'env>(
        &self,
        this: This<'env>,
        env: Env,
        url: Value<'env>,
        options: Value<'env>,
        callback: Value<'env>,
    ) -> Result<Value<'env>> {
        let env = Engine::from(env);
        let (options, callback) = split_callback(options, callback);
        answer(env, callback, || self.begin(env, &this, url, options))
    }

    /// Queues a message: text for a string, binary for an ArrayBuffer or a view into one, which is copied. What is sent
    /// before the connection is open goes out when it is.
    ///
    /// The callback is given `true` when the message was accepted. The promise becomes `true` when the kernel has it, and
    /// fails with 2302999 if the connection ends before.
    ///
    /// Fails with 401 (`data` is of another type) or 2302999 (not connected, or more bytes are waiting than allowed; see the option
    /// `sendQueuePolicy`).
    /// @since 6
    #[napi(
        catch_unwind,
        ts_args_type = "data: string | ArrayBuffer | BinaryView, callback: AsyncCallback<boolean>): void
  send(data: string | ArrayBuffer | BinaryView",
        ts_return_type = "Promise<boolean>"
    )]
    pub fn send<'env>(&self, env: Env, data: Value<'env>, callback: Value<'env>) -> Result<Value<'env>> {
        let env = Engine::from(env);
        if !callback.is_absent() {
            return answer(env, callback, || self.queue(data, None));
        }
        let receipt = self.new_receipt();
        if let Err(error) = self.queue(data, Some(receipt)) {
            return answer(env, callback, || Err(error));
        }
        Ok(self.promise_of(env, receipt)?)
    }

    /// Queues a piece of a message, so that a long one need not be in memory as a whole: strings for a text, an ArrayBuffer or views for
    /// a binary message, which `last` ends. Until then no other message can be sent. Pieces go out uncompressed, and are copied.
    ///
    /// A string must not end between the two halves of a character: as in `send`, a half goes out as U+FFFD.
    ///
    /// The promise becomes `true` when the kernel has the piece, and fails with 2302999 if the connection ends before.
    ///
    /// Fails with 401 (a parameter) or 2302999 (as `send`; the pieces before were of the other type; or, once, the connection that had the
    /// pieces before was lost and another one follows: the message must begin again).
    /// @since 0.1.0 of this library
    #[napi(
        catch_unwind,
        ts_args_type = "data: string | ArrayBuffer | BinaryView, last: boolean",
        ts_return_type = "Promise<boolean>"
    )]
    pub fn send_piece<'env>(&self, env: Env, data: Value<'env>, last: Value<'env>) -> Result<Value<'env>> {
        let env = Engine::from(env);
        let receipt = self.new_receipt();
        match self.queue_piece(data, last, receipt) {
            Ok(()) => Ok(self.promise_of(env, receipt)?),
            Err(error) => Ok(env.settled(Err(error.value(env)?))?),
        }
    }

    /// Sends a ping (RFC 6455 section 5.5.2) ahead of what is queued, with up to 125 bytes. The promise becomes the
    /// milliseconds until its pong came.
    ///
    /// Fails with 401 (`data`) or 2302999 (not connected, or the connection ends before the pong).
    /// @since 0.1.0 of this library
    #[napi(
        catch_unwind,
        ts_args_type = "data?: string | ArrayBuffer | BinaryView",
        ts_return_type = "Promise<number>"
    )]
    pub fn ping<'env>(&self, env: Env, data: Value<'env>) -> Result<Value<'env>> {
        let env = Engine::from(env);
        let Self { socket } = self;
        let payload = if data.is_absent() {
            // Told apart from other pings.
            let number = self.new_receipt();
            Some(format!("ping {number}").into_bytes())
        } else {
            data.to_text().map(String::into_bytes).or_else(|| data.with_bytes(<[u8]>::to_vec))
        };
        let sent = payload
            .ok_or_else(not_data)
            .and_then(|payload| Ok(socket.client.ping(&payload).map(|()| payload)?));
        match sent {
            Ok(payload) => {
                let (promise, deferred) = env.promise()?;
                socket.pings.borrow_mut().push_back((payload, deferred));
                Ok(promise)
            }
            Err(error) => Ok(env.settled(Err(error.value(env)?))?),
        }
    }

    /// A promise that becomes `true` once no more than a quarter of `sendQueueLimit` waits to be sent: at once, or with the
    /// event `drain`.
    ///
    /// Fails with 2302999 when the connection ends before.
    /// @since 0.1.0 of this library
    #[napi(catch_unwind, ts_return_type = "Promise<boolean>")]
    pub fn ready<'env>(&self, env: Env) -> Result<Value<'env>> {
        let env = Engine::from(env);
        let Self { socket } = self;
        if !socket.client.is_filled() {
            return Ok(env.settled(Ok(env.boolean(true)?))?);
        }
        let (promise, deferred) = env.promise()?;
        socket.ready.borrow_mut().push(deferred);
        Ok(promise)
    }

    /// A promise of the next message, for those who would rather ask than listen: `{ value, done: false }`, and `{ done: true }` when the
    /// connection has ended in good order.
    ///
    /// From the first call until the connection ends, messages come here and no longer to the listeners of `message` and `dataEnd`. To
    /// miss none, call it right after `connect`. Messages that nobody asks for wait, and when many do the socket is not read until they
    /// are taken. They can still be taken after the end, until the next `connect`. `for await (const message of socket)` does the same
    /// where the language has it.
    ///
    /// Fails with 2302999 when nothing was connected yet, with the option `receivePieces`, and once with the error of a connection that
    /// failed.
    /// @since 0.1.0 of this library
    #[napi(
        catch_unwind,
        ts_return_type = "Promise<IteratorResult<string | ArrayBuffer, undefined>>
  /**
   * The object itself, for `for await`.
   * @since 0.1.0 of this library
   */
  [Symbol.asyncIterator](): WebSocket"
    )]
    pub fn next<'env>(&self, env: Env) -> Result<Value<'env>> {
        let env = Engine::from(env);
        let Self { socket } = self;
        if !socket.reader.has_begun() {
            return Ok(env.settled(Err(reader::not_connected().value(env)?))?);
        }
        if socket.in_pieces.load(Ordering::Relaxed) {
            return Ok(env.settled(Err(reader::in_pieces().value(env)?))?);
        }
        Ok(socket.reader.next(env, &socket.mailbox)?)
    }

    /// Begins the attempt that is waited for after `reconnecting` at once; `false` when none is.
    /// @since 0.1.0 of this library
    #[napi(catch_unwind)]
    pub fn retry_now(&self) -> bool {
        self.socket.client.retry_now()
    }

    /// Answers the event `prepare`, at once or later: `change` may bring another URL and headers that take the place of those
    /// with the same names, for this and later attempts; `false` lets this attempt fail. The result is `false` when the
    /// attempt is no longer waited for.
    ///
    /// Fails with 401 (a parameter).
    /// @since 0.1.0 of this library
    #[napi(
        catch_unwind,
        ts_args_type = "attempt: number, change?: AttemptChange | false",
        ts_return_type = "boolean"
    )]
    pub fn prepare_attempt<'env>(
        &self,
        env: Env,
        attempt: Value<'env>,
        change: Value<'env>,
    ) -> Result<Value<'env>> {
        let env = Engine::from(env);
        match options::attempt(attempt, change) {
            Ok((attempt, prepared)) => Ok(env.boolean(self.socket.client.prepare(attempt, prepared))?),
            Err(error) => Err(error.throw(env).into()),
        }
    }

    /// What was counted so far.
    /// @since 0.1.0 of this library
    #[napi(catch_unwind, ts_return_type = "Statistics")]
    pub fn stats<'env>(&self, env: Env) -> Result<Value<'env>> {
        Ok(statistics_value(Engine::from(env), &self.socket.client.statistics())?)
    }

    /// The state, in the numbers of the web's WebSocket and in step with the events as there: 0 connecting until `open`, 1 open,
    /// 2 closing until `close` or the last `error`, 3 not connected.
    /// @since 0.1.0 of this library
    #[napi(getter)]
    pub fn ready_state(&self) -> f64 {
        let Socket { client, begun, ended, opened, .. } = &*self.socket;
        match client.state() {
            _ if begun == ended => 3.0,
            State::Connecting => 0.0,
            State::Open if opened.get() => 1.0,
            State::Open => 0.0,
            // The event that tells is on its way.
            State::Closing | State::Idle | State::Closed => 2.0,
        }
    }

    /// Bytes that were accepted and that the kernel has not taken yet.
    /// @since 0.1.0 of this library
    #[napi(getter)]
    pub fn buffered_amount(&self) -> f64 {
        self.socket.client.buffered() as f64
    }

    /// The sub-protocol of the last connection; empty for none.
    /// @since 0.1.0 of this library
    #[napi(getter)]
    pub fn protocol(&self) -> String {
        self.socket.client.opened().and_then(|opened| opened.protocol.clone()).unwrap_or_default()
    }

    /// The extensions of the last connection; empty for none.
    /// @since 0.1.0 of this library
    #[napi(getter)]
    pub fn extensions(&self) -> String {
        self.socket.client.opened().and_then(|opened| opened.extensions.clone()).unwrap_or_default()
    }

    /// The URL of the last `connect`; empty before it.
    /// @since 0.1.0 of this library
    #[napi(getter)]
    pub fn url(&self) -> String {
        self.socket.url.borrow().clone()
    }

    /// Begins the closing handshake (RFC 6455 section 7.1.2) behind what is queued. The event `close` follows.
    ///
    /// Fails with 401 (a code that must not be sent, a bad option) or 2302999 (never connected).
    /// @since 6
    #[napi(
        catch_unwind,
        ts_args_type = "callback: AsyncCallback<boolean>): void
  close(options: WebSocketCloseOptions, callback: AsyncCallback<boolean>): void
  close(options?: WebSocketCloseOptions",
        ts_return_type = "Promise<boolean>"
    )]
    pub fn close<'env>(&self, env: Env, options: Value<'env>, callback: Value<'env>) -> Result<Value<'env>> {
        let (options, callback) = split_callback(options, callback);
        answer(Engine::from(env), callback, || self.end(options))
    }

    /// Sets the listener of an event; a later one replaces it.
    ///
    /// Fails with 401 (an unknown event, a listener that is no function).
    /// @since 6
    #[napi(
        catch_unwind,
        ts_args_type = "type: 'open', callback: AsyncCallback<Object>): void
  /**
   * As `open`, with the sub-protocol.
   * @since 26.0.0
   */
  on(type: 'openInfo', callback: AsyncCallback<WebSocketOpenInfo>): void
  /**
   * A whole message: text is a string, binary an ArrayBuffer. Not with the option `receivePieces`.
   * @since 6
   */
  on(type: 'message', callback: AsyncCallback<string | ArrayBuffer>): void
  /**
   * A piece of a message, or the whole of one, with the option `receivePieces`; `message` is not told then.
   * @since 0.1.0 of this library
   */
  on(type: 'piece', callback: Callback<MessagePiece>): void
  /**
   * The end of each message.
   * @since 11
   */
  on(type: 'dataEnd', callback: Callback<void>): void
  /**
   * The headers of the upgrade, before `open`.
   * @since 12
   */
  on(type: 'headerReceive', callback: Callback<ResponseHeaders>): void
  /**
   * A pong came.
   * @since 0.1.0 of this library
   */
  on(type: 'pong', callback: Callback<PongResult>): void
  /**
   * More than a quarter of `sendQueueLimit` waited to be sent, and no longer does.
   * @since 0.1.0 of this library
   */
  on(type: 'drain', callback: Callback<void>): void
  /**
   * What was counted so far, each `statisticsInterval` while the connection is open.
   * @since 0.1.0 of this library
   */
  on(type: 'stats', callback: Callback<Statistics>): void
  /**
   * The connection or the attempt failed, and there will be another attempt.
   * @since 0.1.0 of this library
   */
  on(type: 'reconnecting', callback: Callback<ReconnectingResult>): void
  /**
   * An attempt is about to begin, and waits for `prepareAttempt`.
   * @since 0.1.0 of this library
   */
  on(type: 'prepare', callback: Callback<ReconnectingResult>): void
  /**
   * There is a connection again; after `open`.
   * @since 0.1.0 of this library
   */
  on(type: 'reconnected', callback: Callback<ReconnectedResult>): void
  /**
   * The connection that was open is over.
   * @since 6
   */
  on(type: 'close', callback: AsyncCallback<CloseResult>): void
  /**
   * The attempt failed, or the connection that was open did.
   * @since 6
   */
  on(type: 'error', callback: ErrorCallback<WebSocketError>",
        ts_return_type = "void"
    )]
    pub fn on<'env>(
        &self,
        this: This<'env>,
        env: Env,
        kind: Value<'env>,
        callback: Value<'env>,
    ) -> Result<()> {
        self.listen(Engine::from(env), &this, event_type(kind), callback)
    }

    /// Removes the listener of an event: whichever is set, or only `callback`.
    ///
    /// Fails with 401 (an unknown event).
    /// @since 6
    #[napi(
        catch_unwind,
        ts_args_type = "type: 'open', callback?: AsyncCallback<Object>): void
  /** @since 26.0.0 */
  off(type: 'openInfo', callback?: AsyncCallback<WebSocketOpenInfo>): void
  /** @since 6 */
  off(type: 'message', callback?: AsyncCallback<string | ArrayBuffer>): void
  /** @since 0.1.0 of this library */
  off(type: 'piece', callback?: Callback<MessagePiece>): void
  /** @since 11 */
  off(type: 'dataEnd', callback?: Callback<void>): void
  /** @since 12 */
  off(type: 'headerReceive', callback?: Callback<ResponseHeaders>): void
  /** @since 0.1.0 of this library */
  off(type: 'pong', callback?: Callback<PongResult>): void
  /** @since 0.1.0 of this library */
  off(type: 'drain', callback?: Callback<void>): void
  /** @since 0.1.0 of this library */
  off(type: 'stats', callback?: Callback<Statistics>): void
  /** @since 0.1.0 of this library */
  off(type: 'reconnecting', callback?: Callback<ReconnectingResult>): void
  /** @since 0.1.0 of this library */
  off(type: 'prepare', callback?: Callback<ReconnectingResult>): void
  /** @since 0.1.0 of this library */
  off(type: 'reconnected', callback?: Callback<ReconnectedResult>): void
  /** @since 6 */
  off(type: 'close', callback?: AsyncCallback<CloseResult>): void
  /** @since 6 */
  off(type: 'error', callback?: ErrorCallback<WebSocketError>",
        ts_return_type = "void"
    )]
    pub fn off<'env>(
        &self,
        this: This<'env>,
        env: Env,
        kind: Value<'env>,
        callback: Value<'env>,
    ) -> Result<()> {
        self.unlisten(Engine::from(env), &this, event_type(kind), callback)
    }

    /// As `on('open', callback)`.
    /// @since 23
    #[napi(catch_unwind, ts_args_type = "callback: AsyncCallback<Object>", ts_return_type = "void")]
    pub fn on_open<'env>(&self, this: This<'env>, env: Env, callback: Value<'env>) -> Result<()> {
        self.listen(Engine::from(env), &this, Ok(EventType::Open), callback)
    }

    /// As `off('open', callback)`.
    /// @since 23
    #[napi(catch_unwind, ts_args_type = "callback?: AsyncCallback<Object>", ts_return_type = "void")]
    pub fn off_open<'env>(&self, this: This<'env>, env: Env, callback: Value<'env>) -> Result<()> {
        self.unlisten(Engine::from(env), &this, Ok(EventType::Open), callback)
    }

    /// As `on('message', callback)`.
    /// @since 23
    #[napi(
        catch_unwind,
        ts_args_type = "callback: AsyncCallback<string | ArrayBuffer>",
        ts_return_type = "void"
    )]
    pub fn on_message<'env>(&self, this: This<'env>, env: Env, callback: Value<'env>) -> Result<()> {
        self.listen(Engine::from(env), &this, Ok(EventType::Message), callback)
    }

    /// As `off('message', callback)`.
    /// @since 23
    #[napi(
        catch_unwind,
        ts_args_type = "callback?: AsyncCallback<string | ArrayBuffer>",
        ts_return_type = "void"
    )]
    pub fn off_message<'env>(&self, this: This<'env>, env: Env, callback: Value<'env>) -> Result<()> {
        self.unlisten(Engine::from(env), &this, Ok(EventType::Message), callback)
    }

    /// As `on('close', callback)`.
    /// @since 23
    #[napi(catch_unwind, ts_args_type = "callback: AsyncCallback<CloseResult>", ts_return_type = "void")]
    pub fn on_web_socket_close<'env>(&self, this: This<'env>, env: Env, callback: Value<'env>) -> Result<()> {
        self.listen(Engine::from(env), &this, Ok(EventType::Close), callback)
    }

    /// As `off('close', callback)`.
    /// @since 23
    #[napi(catch_unwind, ts_args_type = "callback?: AsyncCallback<CloseResult>", ts_return_type = "void")]
    pub fn off_web_socket_close<'env>(
        &self,
        this: This<'env>,
        env: Env,
        callback: Value<'env>,
    ) -> Result<()> {
        self.unlisten(Engine::from(env), &this, Ok(EventType::Close), callback)
    }

    /// As `on('error', callback)`.
    /// @since 23
    #[napi(catch_unwind, ts_args_type = "callback: ErrorCallback<WebSocketError>", ts_return_type = "void")]
    pub fn on_web_socket_error<'env>(&self, this: This<'env>, env: Env, callback: Value<'env>) -> Result<()> {
        self.listen(Engine::from(env), &this, Ok(EventType::Error), callback)
    }

    /// As `off('error', callback)`.
    /// @since 23
    #[napi(catch_unwind, ts_args_type = "callback?: ErrorCallback<WebSocketError>", ts_return_type = "void")]
    pub fn off_web_socket_error<'env>(
        &self,
        this: This<'env>,
        env: Env,
        callback: Value<'env>,
    ) -> Result<()> {
        self.unlisten(Engine::from(env), &this, Ok(EventType::Error), callback)
    }

    /// As `on('dataEnd', callback)`.
    /// @since 23
    #[napi(catch_unwind, ts_args_type = "callback: Callback<void>", ts_return_type = "void")]
    pub fn on_data_end<'env>(&self, this: This<'env>, env: Env, callback: Value<'env>) -> Result<()> {
        self.listen(Engine::from(env), &this, Ok(EventType::DataEnd), callback)
    }

    /// As `off('dataEnd', callback)`.
    /// @since 23
    #[napi(catch_unwind, ts_args_type = "callback?: Callback<void>", ts_return_type = "void")]
    pub fn off_data_end<'env>(&self, this: This<'env>, env: Env, callback: Value<'env>) -> Result<()> {
        self.unlisten(Engine::from(env), &this, Ok(EventType::DataEnd), callback)
    }

    /// As `on('headerReceive', callback)`.
    /// @since 23
    #[napi(catch_unwind, ts_args_type = "callback: Callback<ResponseHeaders>", ts_return_type = "void")]
    pub fn on_header_receive<'env>(&self, this: This<'env>, env: Env, callback: Value<'env>) -> Result<()> {
        self.listen(Engine::from(env), &this, Ok(EventType::HeaderReceive), callback)
    }

    /// As `off('headerReceive', callback)`.
    /// @since 23
    #[napi(catch_unwind, ts_args_type = "callback?: Callback<ResponseHeaders>", ts_return_type = "void")]
    pub fn off_header_receive<'env>(&self, this: This<'env>, env: Env, callback: Value<'env>) -> Result<()> {
        self.unlisten(Engine::from(env), &this, Ok(EventType::HeaderReceive), callback)
    }

    /// Sets a listener.
    fn listen<'env>(
        &self,
        env: Engine,
        this: &This<'env>,
        event: std::result::Result<EventType, ApiError>,
        callback: Value<'env>,
    ) -> Result<()> {
        let event = event.and_then(|event| match callback.type_of() {
            Type::Function => Ok(event),
            _ => Err(not_a_function()),
        });
        let event = event.map_err(|error| error.throw(env))?;
        listeners_of(env, this)?.set(event.property(), callback)?;
        self.socket.note_listeners(self.socket.listened.get() | event.bit());
        Ok(())
    }

    /// Removes a listener.
    fn unlisten<'env>(
        &self,
        env: Engine,
        this: &This<'env>,
        event: std::result::Result<EventType, ApiError>,
        callback: Value<'env>,
    ) -> Result<()> {
        let event = event.and_then(|event| optional_callback(callback).map(|_| event));
        let event = event.map_err(|error| error.throw(env))?;
        let listeners = listeners_of(env, this)?;
        if callback.is_absent() || listeners.get(event.property())?.is_same(callback) {
            listeners.set(event.property(), env.undefined()?)?;
            self.socket.note_listeners(self.socket.listened.get() & !event.bit());
        }
        Ok(())
    }

    fn begin(
        &self,
        env: Engine,
        this: &This<'_>,
        url: Value<'_>,
        options: Value<'_>,
    ) -> std::result::Result<(), ApiError> {
        let url = options::text("url", url)?;
        let ConnectOptions { request, send_limits, sends_wait, signal } = options::connect_options(options)?;
        let in_pieces = request.in_pieces;
        let request = Request::parse(&url, request)?;
        let Self { socket } = self;
        if !matches!(socket.client.state(), State::Idle | State::Closed) {
            return Err(crate::client::AlreadyConnected.into());
        }
        if let Some(missing) = request.missing_file() {
            return Err((&missing).into());
        }
        if signal.is_some_and(Signal::is_aborted) {
            return Err(ApiError::other("connect: the signal was aborted before"));
        }
        let broken = |_: Refused| ApiError::other("connect: the engine has no room for another connection");
        let listeners = listeners_of(env, this).and_then(Kept::new).map_err(broken)?;
        *socket.listeners.borrow_mut() = Some(listeners);
        socket.doorbell.install(env, socket.clone()).map_err(broken)?;
        socket.client.set_send_limits(send_limits);
        socket.url.replace(url);
        socket.in_pieces.store(in_pieces, Ordering::Relaxed);
        socket.client.connect(request)?;
        socket.begun.set(socket.begun.get() + 1);
        socket.opened.set(false);
        // What waited for the connection before, whose last event may be on its way.
        socket.fail_backlog();
        socket.sends_wait.set(sends_wait);
        socket.reader.begin(&socket.mailbox);
        socket.stop_listening();
        if let Some(signal) = signal {
            let weak = Rc::downgrade(socket);
            let abort = move || {
                if let Some(socket) = weak.upgrade() {
                    socket.abandon();
                }
            };
            match signal.listen(abort) {
                Ok(listening) => drop(socket.signal.replace(Some(listening))),
                Err(Refused) => env.report_exception(),
            }
        }
        Ok(())
    }

    fn new_receipt(&self) -> Receipt {
        let Self { socket } = self;
        socket.next_receipt.replace(socket.next_receipt.get() + 1)
    }

    /// What settles when the fate of that message is known.
    fn promise_of<'env>(&self, env: Engine, receipt: Receipt) -> std::result::Result<Value<'env>, Refused> {
        let (promise, deferred) = env.promise()?;
        self.socket.sends.borrow_mut().insert(receipt, deferred);
        Ok(promise)
    }

    fn queue_piece(
        &self,
        data: Value<'_>,
        last: Value<'_>,
        receipt: Receipt,
    ) -> std::result::Result<(), ApiError> {
        let client = &self.socket.client;
        let last = last.to_boolean().ok_or_else(|| ApiError::parameter("last", "must be a boolean"))?;
        if client.state() == State::Idle {
            return Err(ApiError::other("sendPiece: not connected"));
        }
        // It must not overtake a message that was sent before.
        if !self.socket.backlog.borrow().is_empty() {
            return Err(ApiError::of_send_piece(SendError::QueueFull));
        }
        let send = |kind, bytes: &[u8]| client.send_piece(kind, bytes, last, Some(receipt));
        let sent = match data.to_text() {
            Some(text) => Some(send(Kind::Text, text.as_bytes())),
            None => data.with_bytes(|bytes| send(Kind::Binary, bytes)),
        };
        sent.ok_or_else(not_data)?.map_err(ApiError::of_send_piece)
    }

    /// Queues a message; `promised` is the receipt by which its promise will be known.
    fn queue(&self, data: Value<'_>, promised: Option<Receipt>) -> std::result::Result<(), ApiError> {
        let Self { socket } = self;
        if socket.client.state() == State::Idle {
            return Err(ApiError::other("send: not connected"));
        }
        if let Some(text) = data.to_text() {
            return Ok(self.queue_or_wait(Kind::Text, text.as_bytes(), promised)?);
        }
        match data.with_bytes(|bytes| self.queue_or_wait(Kind::Binary, bytes, promised)) {
            Some(sent) => Ok(sent?),
            None => Err(not_data()),
        }
    }

    fn queue_or_wait(
        &self,
        kind: Kind,
        payload: &[u8],
        promised: Option<Receipt>,
    ) -> std::result::Result<(), SendError> {
        let Socket { client, backlog, sends_wait, .. } = &*self.socket;
        if !sends_wait.get() {
            return queue_message(client, kind, payload, promised);
        }
        if backlog.borrow().is_empty() {
            // One without a promise has a receipt as well, whose event tells that there may be room.
            let receipt = promised.unwrap_or_else(|| self.new_receipt());
            match self.socket.try_queue(kind, payload, receipt) {
                Err(SendError::QueueFull) => {}
                outcome => return outcome,
            }
        } else if !matches!(client.state(), State::Connecting | State::Open) {
            return Err(SendError::NotConnected);
        }
        match promised {
            Some(receipt) if client.has_room_for(payload.len()) => {
                backlog.borrow_mut().push_back(Unqueued { kind, payload: payload.to_vec(), receipt });
                Ok(())
            }
            _ => Err(SendError::QueueFull),
        }
    }

    fn end(&self, options: Value<'_>) -> std::result::Result<(), ApiError> {
        let (code, reason) = options::close_options(options)?;
        match self.socket.client.close(code, &reason) {
            // The attempt ends with an error event, as asked.
            Ok(()) | Err(CloseError::Abandoned) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn queue_message(
    client: &Client,
    kind: Kind,
    payload: &[u8],
    receipt: Option<Receipt>,
) -> std::result::Result<(), SendError> {
    match receipt {
        Some(receipt) => client.send_with_receipt(kind, payload, receipt),
        None => client.send(kind, payload),
    }
}

impl Drop for WebSocket {
    /// The engine has collected the object. A connection that nobody would hear of any more is closed; any other goes on until it ends.
    fn drop(&mut self) {
        self.socket.collected.set(true);
        self.socket.release_unheard();
    }
}

impl Socket {
    /// Whether a listener or a promise could still be told something.
    fn could_be_heard(&self) -> bool {
        let Self { client, mailbox, sends, pings, ready, reader, listened, .. } = self;
        let awaited = !sends.borrow().is_empty()
            || !pings.borrow().is_empty()
            || !ready.borrow().is_empty()
            || reader.is_awaited();
        let over = EventType::Open.bit() | EventType::OpenInfo.bit() | EventType::HeaderReceive.bit();
        let open = matches!(client.state(), State::Open | State::Closing) && mailbox.is_empty();
        awaited || if open { listened.get() & !over != 0 } else { listened.get() != 0 }
    }

    /// Lets go of a connection that nobody could hear of: without its doorbell the socket is dropped, and the client with it.
    fn release_unheard(&self) {
        if self.collected.get() && !self.could_be_heard() {
            self.listeners.borrow_mut().take();
            self.signal.borrow_mut().take();
            self.doorbell.remove();
        }
    }

    /// Queues a message. When it is refused as the queue is full, an event is to come that tells of room, unless it never has any for it.
    fn try_queue(&self, kind: Kind, payload: &[u8], receipt: Receipt) -> std::result::Result<(), SendError> {
        let outcome = self.client.send_with_receipt(kind, payload, receipt);
        // What filled the queue may have gone out meanwhile, and its event have been delivered.
        if matches!(outcome, Err(SendError::QueueFull)) && self.client.buffered() == 0 {
            return self.client.send_with_receipt(kind, payload, receipt);
        }
        outcome
    }

    /// Queues what waits for room, as far as there is some.
    fn release_backlog(&self) {
        // An idle client takes messages for its next connection, for which these are not.
        if !matches!(self.client.state(), State::Connecting | State::Open) {
            return self.fail_backlog();
        }
        loop {
            let mut backlog = self.backlog.borrow_mut();
            let Some(Unqueued { kind, payload, receipt }) = backlog.front() else { return };
            let (receipt, outcome) = (*receipt, self.try_queue(*kind, payload, *receipt));
            if matches!(outcome, Err(SendError::QueueFull)) {
                return;
            }
            backlog.pop_front();
            drop(backlog);
            if let Err(error) = outcome {
                self.fail_send(receipt, &error.into());
            }
        }
    }

    /// The connection is over: nothing will be queued any more of what waits.
    fn fail_backlog(&self) {
        for Unqueued { receipt, .. } in self.backlog.take() {
            self.fail_send(receipt, &unsent());
        }
    }

    fn fail_send(&self, receipt: Receipt, error: &ApiError) {
        let deferred = self.sends.borrow_mut().remove(&receipt);
        if let Some(deferred) = deferred {
            deferred.fail(error);
        }
    }

    /// The signal was aborted.
    fn abandon(&self) {
        // That the attempt ended meanwhile is no error: its last event is on its way.
        if let Err(CloseError::Code) = self.client.close(ABORT_CLOSE_CODE, "aborted") {
            crate::logging::error(format_args!(
                "[c{}] the close code of an abort was refused",
                self.client.id()
            ));
        }
    }

    /// No signal can give up what is open or over.
    fn stop_listening(&self) {
        let listening = self.signal.borrow_mut().take();
        if let Some(listening) = listening {
            listening.stop();
        }
    }

    /// Delivers as many events as one handle scope should hold.
    fn deliver(&self, env: Engine, turn: &mut Turn) -> Progress {
        let listeners = self.listeners.borrow().as_ref().map(Kept::value);
        let listeners = listeners.and_then(std::result::Result::ok);
        let mut listeners =
            listeners.and_then(|object| Listeners::new(env, object, &self.listeners_changed).ok());
        let mut bytes = 0;
        for _ in 0..SCOPE_EVENTS {
            let Some(event) = self.mailbox.take() else { return Progress::Empty };
            let last = event.is_last();
            // Else it is what was left of an attempt before the last.
            let current = self.ended.get() + 1 == self.begun.get();
            if last {
                self.ended.set(self.ended.get() + 1);
            }
            if current && (matches!(event, Event::Opened(_)) || last) {
                self.opened.set(!last);
                self.stop_listening();
            }
            self.settle(env, &event);
            if last && current {
                self.fail_backlog();
            }
            let event = if current { self.reader.receive(env, event, &self.mailbox) } else { Some(event) };
            match (event, &mut listeners) {
                (Some(Event::Message(kind, payload)), Some(listeners)) => {
                    bytes += payload.len();
                    listeners.message(kind, payload, &self.mailbox);
                }
                (Some(Event::Piece(kind, part, payload)), Some(listeners)) => {
                    bytes += payload.len();
                    listeners.piece(kind, part, payload, &self.mailbox);
                }
                (Some(event), Some(listeners)) => listeners.tell(event),
                (None, _) | (_, None) => {}
            }
            // The listener of the last event may have begun the next connection.
            if last && self.begun == self.ended {
                self.listeners.borrow_mut().take();
                self.doorbell.remove();
            } else if turn.is_over() {
                return Progress::TurnOver;
            }
            if bytes >= SCOPE_BYTES {
                break;
            }
        }
        Progress::ScopeFull
    }

    /// A listener was set or removed: those of `listened` are left. Tells the session whether attempts are to be prepared here.
    fn note_listeners(&self, listened: u16) {
        self.listened.set(listened);
        self.prepares.store(listened & EventType::Prepare.bit() != 0, Ordering::Relaxed);
        self.listeners_changed.set(true);
    }

    /// Settles the promises that an event is about.
    fn settle(&self, env: Engine, event: &Event) {
        match event {
            Event::Sent(receipt, outcome) => {
                // Not in the condition, whose borrow would outlast it: a promise's settling runs no script, but still.
                let deferred = self.sends.borrow_mut().remove(receipt);
                if let Some(deferred) = deferred {
                    match outcome {
                        Outcome::Sent => fulfil(deferred),
                        Outcome::Unsent => deferred.fail(&unsent()),
                    }
                }
                self.release_backlog();
            }
            Event::Pong(payload, Some(millis)) => {
                let mut pings = self.pings.borrow_mut();
                if let Some(at) = pings.iter().position(|(sent, _)| sent == payload) {
                    // A pong may answer several pings (RFC 6455 section 5.5.3).
                    for (_, deferred) in pings.drain(..=at) {
                        if let Ok(millis) = env.number(*millis) {
                            deferred.settle(Ok(millis));
                        }
                    }
                }
            }
            Event::Drained => {
                self.ready.take().into_iter().for_each(fulfil);
                self.release_backlog();
            }
            Event::Reconnecting(_) => {
                for (_, deferred) in self.pings.take() {
                    deferred.fail(&ApiError::other("ping: the connection ended before the pong"));
                }
            }
            Event::Prepare(_) | Event::Reconnected(_) => {}
            Event::Closed(_) | Event::Failed(..) if event.is_last() => {
                for (_, deferred) in self.pings.take() {
                    deferred.fail(&ApiError::other("ping: the connection ended before the pong"));
                }
                for deferred in self.ready.take() {
                    deferred.fail(&ApiError::other("ready: the connection ended"));
                }
            }
            Event::Opened(_)
            | Event::Message(..)
            | Event::Piece(..)
            | Event::Pong(..)
            | Event::Statistics(_)
            | Event::Failed(..)
            | Event::Closed(_) => {}
        }
    }
}

fn unsent() -> ApiError {
    ApiError::other("send: the connection ended before the message was sent")
}

fn fulfil(deferred: Deferred) {
    if let Ok(value) = deferred.env().boolean(true) {
        deferred.settle(Ok(value));
    }
}

impl Answer for Socket {
    /// Delivers what is in the mailbox.
    fn answer(self: Rc<Self>, env: Engine) {
        let mut turn = Turn::begin();
        let mut progress = Progress::ScopeFull;
        while progress == Progress::ScopeFull {
            env.scoped(|| progress = self.deliver(env, &mut turn));
        }
        match progress {
            Progress::TurnOver => self.doorbell.ring(),
            Progress::ScopeFull | Progress::Empty => self.release_unheard(),
        }
    }
}

/// The time that is spent on events at one ring.
struct Turn {
    began: Instant,
    events: u32,
    /// The count of events at which to look at the clock again.
    look_at: u32,
}

impl Turn {
    fn begin() -> Self {
        Self { began: Instant::now(), events: 0, look_at: 1 }
    }

    /// After each event, whether it was the last of this turn.
    fn is_over(&mut self) -> bool {
        self.events += 1;
        if self.events < self.look_at {
            return false;
        }
        self.look_at += self.events.min(LOOK_EVENTS_MAX);
        self.began.elapsed() >= TURN
    }
}

/// Why delivery has paused.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    ScopeFull,
    TurnOver,
    Empty,
}

fn event_type(kind: Value<'_>) -> std::result::Result<EventType, ApiError> {
    kind.to_text()
        .and_then(|name| EventType::parse(&name))
        .ok_or_else(|| ApiError::parameter("type", &format!("must be one of {}", EventType::NAMES)))
}

fn listeners_of<'env>(env: Engine, this: &This<'env>) -> std::result::Result<Value<'env>, Refused> {
    env.adopt(this.object.raw()).get(LISTENERS)
}

/// `f(callback)` and `f(undefined, callback)` are the same.
fn split_callback<'env>(options: Value<'env>, callback: Value<'env>) -> (Value<'env>, Value<'env>) {
    // What then stands in the callback's place was left out, as undefined or nothing.
    if options.type_of() == Type::Function { (callback, options) } else { (options, callback) }
}

fn not_data() -> ApiError {
    ApiError::parameter("data", "must be a string, an ArrayBuffer or a view into one")
}

fn not_a_function() -> ApiError {
    ApiError::parameter("callback", "must be a function")
}

fn optional_callback(callback: Value<'_>) -> std::result::Result<Option<Value<'_>>, ApiError> {
    match callback.type_of() {
        Type::Function => Ok(Some(callback)),
        Type::Undefined | Type::Null => Ok(None),
        Type::Boolean | Type::Number | Type::String | Type::Object | Type::Other => Err(not_a_function()),
    }
}

/// Gives the outcome of `call` to the callback, or as a promise when there is none.
fn answer<'env>(
    env: Engine,
    callback: Value<'env>,
    call: impl FnOnce() -> std::result::Result<(), ApiError>,
) -> Result<Value<'env>> {
    let (callback, outcome) = match optional_callback(callback) {
        Ok(callback) => (callback, call()),
        Err(error) => (None, Err(error)),
    };
    let outcome = match outcome {
        Ok(()) => Ok(env.boolean(true)?),
        Err(error) => Err(error.value(env)?),
    };
    let Some(callback) = callback else { return Ok(env.settled(outcome)?) };
    let undefined = env.undefined()?;
    match outcome {
        Ok(value) => callback.call_later([undefined, value])?,
        Err(error) => callback.call_later([error, undefined])?,
    }
    Ok(undefined)
}
