//! The object that `createWebSocket` returns.

use std::cell::RefCell;
use std::ffi::CStr;
use std::rc::Rc;
use std::sync::Arc;

use napi_derive_ohos::napi;
use napi_ohos::bindgen_prelude::This;
use napi_ohos::{Env, JsValue, Result};

use super::doorbell::{Answer, Doorbell};
use super::error::ApiError;
use super::listener::{Event, EventType, Postbox};
use super::options;
use super::value::{Engine, Kept, Refused, Type, Value};
use crate::client::{Client, CloseError, Kind, Request, SEND_LIMIT_BYTES, State};
use crate::mailbox::Mailbox;

/// The most events delivered at one ring, so that a flood leaves the engine time for other things.
const EVENTS_PER_RING: usize = 1_024;

/// The hidden property of the JavaScript object that holds its listeners: there the engine's garbage collector sees
/// them, and an object that was dropped without a connection goes, whatever its listeners refer to.
const LISTENERS: &CStr = c"__listeners";

/// A WebSocket client (RFC 6455): one connection at a time, any number one after the other.
///
/// All methods and listeners run on the thread that made the object. Listeners are called one at a time, in this order
/// for each connection: `headerReceive`, `open`, any `message` each followed by `dataEnd`, at most one `error`, `close`;
/// a connection that never opened ends with `error` alone.
#[napi]
pub struct WebSocket {
    socket: Rc<Socket>,
}

/// What the JavaScript object and the delivery of its events share.
struct Socket {
    client: Client,
    mailbox: Arc<Mailbox<Event>>,
    doorbell: Arc<Doorbell>,
    /// The object of listeners, while events can come.
    listeners: RefCell<Option<Kept>>,
}

/// Makes the JavaScript object. The engine owns it and its Rust half.
pub fn create(env: Engine) -> std::result::Result<Value<'static>, Refused> {
    let mailbox = Arc::new(Mailbox::new());
    let doorbell = Arc::new(Doorbell::default());
    let postbox = Postbox { mailbox: mailbox.clone(), doorbell: doorbell.clone(), open: false };
    let client = Client::new(Box::new(postbox), SEND_LIMIT_BYTES);
    let socket = Rc::new(Socket { client, mailbox, doorbell, listeners: RefCell::new(None) });

    // napi-ohos would keep a reference to the object that never lets go of it on ArkTS, where such a reference is
    // strong from the start. So the instance is made and wrapped here, without one.
    let constructor = napi_ohos::__private::get_class_constructor("WebSocket\0").ok_or(Refused)?;
    napi_ohos::__private::___CALL_FROM_FACTORY.set(true);
    let object = env.referenced(constructor).and_then(Value::construct);
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
    /// Fails with 401 (a parameter, named in the message), 2302001 (the URL), 2302003 (already connecting or connected).
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

    /// Queues a message: text for a string, binary for an ArrayBuffer or a view into one, which is copied. `true` means
    /// that it was accepted; what is sent before the connection is open goes out when it is.
    ///
    /// Fails with 401 (`data` is of another type) or 2302999 (not connected, or over 64 MiB are waiting).
    #[napi(
        catch_unwind,
        ts_args_type = "data: string | ArrayBuffer, callback: AsyncCallback<boolean>): void
  send(data: string | ArrayBuffer",
        ts_return_type = "Promise<boolean>"
    )]
    pub fn send<'env>(&self, env: Env, data: Value<'env>, callback: Value<'env>) -> Result<Value<'env>> {
        answer(Engine::from(env), callback, || self.queue(data))
    }

    /// Begins the closing handshake (RFC 6455 section 7.1.2) behind what is queued. The event `close` follows.
    ///
    /// Fails with 401 (a code that must not be sent, a bad option) or 2302999 (never connected).
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
    #[napi(
        catch_unwind,
        ts_args_type = "type: 'open', callback: AsyncCallback<Object>): void
  on(type: 'openInfo', callback: AsyncCallback<OpenResult>): void
  on(type: 'message', callback: AsyncCallback<string | ArrayBuffer>): void
  on(type: 'dataEnd', callback: Callback<void>): void
  on(type: 'headerReceive', callback: Callback<ResponseHeaders>): void
  on(type: 'close', callback: AsyncCallback<CloseResult>): void
  on(type: 'error', callback: ErrorCallback",
        ts_return_type = "void"
    )]
    pub fn on<'env>(
        &self,
        this: This<'env>,
        env: Env,
        kind: Value<'env>,
        callback: Value<'env>,
    ) -> Result<()> {
        let env = Engine::from(env);
        let set = event_type(kind).and_then(|event| match callback.type_of() {
            Type::Function => Ok(event),
            _ => Err(not_a_function()),
        });
        match set {
            Ok(event) => Ok(listeners_of(env, &this)?.set(event.property(), callback)?),
            Err(error) => Err(throw(env, &error)?.into()),
        }
    }

    /// Removes the listener of an event: whichever is set, or only `callback`.
    ///
    /// Fails with 401 (an unknown event).
    #[napi(
        catch_unwind,
        ts_args_type = "type: 'open', callback?: AsyncCallback<Object>): void
  off(type: 'openInfo', callback?: AsyncCallback<OpenResult>): void
  off(type: 'message', callback?: AsyncCallback<string | ArrayBuffer>): void
  off(type: 'dataEnd', callback?: Callback<void>): void
  off(type: 'headerReceive', callback?: Callback<ResponseHeaders>): void
  off(type: 'close', callback?: AsyncCallback<CloseResult>): void
  off(type: 'error', callback?: ErrorCallback",
        ts_return_type = "void"
    )]
    pub fn off<'env>(
        &self,
        this: This<'env>,
        env: Env,
        kind: Value<'env>,
        callback: Value<'env>,
    ) -> Result<()> {
        let env = Engine::from(env);
        let event = match event_type(kind).and_then(|event| Ok((event, optional_callback(callback)?))) {
            Ok((event, _)) => event,
            Err(error) => return Err(throw(env, &error)?.into()),
        };
        let listeners = listeners_of(env, &this)?;
        if callback.is_absent() || listeners.get(event.property())?.is_same(callback) {
            listeners.set(event.property(), env.undefined()?)?;
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
        let request = Request::parse(&url, options::request_options(options)?)?;
        let Self { socket } = self;
        if !matches!(socket.client.state(), State::Idle | State::Closed) {
            return Err(crate::client::AlreadyConnected.into());
        }
        let broken = |_: Refused| ApiError::other("connect: the engine has no room for another connection");
        let listeners = listeners_of(env, this).and_then(Kept::new).map_err(broken)?;
        *socket.listeners.borrow_mut() = Some(listeners);
        socket.doorbell.install(env, socket.clone()).map_err(broken)?;
        Ok(socket.client.connect(request)?)
    }

    fn queue(&self, data: Value<'_>) -> std::result::Result<(), ApiError> {
        let client = &self.socket.client;
        if client.state() == State::Idle {
            return Err(ApiError::other("send: not connected"));
        }
        if let Some(text) = data.to_text() {
            return Ok(client.send(Kind::Text, text.as_bytes())?);
        }
        match data.with_bytes(|bytes| client.send(Kind::Binary, bytes)) {
            Some(sent) => Ok(sent?),
            None => Err(ApiError::parameter("data", "must be a string, an ArrayBuffer or a view into one")),
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

impl Answer for Socket {
    /// Delivers what is in the mailbox.
    fn answer(self: Rc<Self>, env: Engine) {
        for _ in 0..EVENTS_PER_RING {
            let Some(event) = self.mailbox.take() else { break };
            let last = event.is_last();
            env.scoped(|| {
                let listeners = self.listeners.borrow().as_ref().map(Kept::value);
                if let Some(Ok(listeners)) = listeners {
                    event.deliver(env, listeners);
                }
            });
            // The listener of the last event may have begun the next connection.
            if last && self.mailbox.is_empty() && matches!(self.client.state(), State::Idle | State::Closed) {
                self.listeners.borrow_mut().take();
                self.doorbell.remove();
            }
        }
        if !self.mailbox.is_empty() {
            self.doorbell.ring();
        }
    }
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

fn throw(env: Engine, error: &ApiError) -> std::result::Result<Refused, Refused> {
    Ok(env.throw(env.business_error(error.code, &error.message)?))
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
        Err(ApiError { code, message }) => Err(env.business_error(code, &message)?),
    };
    let Some(callback) = callback else { return Ok(env.settled(outcome)?) };
    let undefined = env.undefined()?;
    match outcome {
        Ok(value) => callback.call_later(&[undefined, value])?,
        Err(error) => callback.call_later(&[error, undefined])?,
    }
    Ok(undefined)
}
