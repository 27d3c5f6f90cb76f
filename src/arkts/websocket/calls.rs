//! The methods and properties of the object, but for its listeners.

use std::sync::atomic::Ordering;

use napi_derive_ohos::napi;
use napi_ohos::bindgen_prelude::This;
use napi_ohos::{Env, Result};

use super::{WebSocket, listeners_of};
use crate::arkts::binding::{Binding, not_data};
use crate::arkts::error::ApiError;
use crate::arkts::lenience::Lenience;
use crate::arkts::message_iterator;
use crate::arkts::napi::{Engine, EngineError, Type, Value};
use crate::arkts::objects::statistics_value;
use crate::arkts::options;
use crate::client::{CloseError, CloseStart, Options, State};

#[napi]
impl WebSocket {
    /// Begins to connect to `url` (ws, wss, http or https). `true` means that the attempt has begun; its outcome is the
    /// event `open` or `error`.
    ///
    /// Fails with 201 (no `ohos.permission.INTERNET`), 401 (a parameter, named in the message), 2302001 (the URL), 2302002 (a certificate file that is not there), 2302003
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
        settle_call(env, callback, || self.begin(env, &this, url, options))
    }

    /// Queues a message: text for a string, binary for an ArrayBuffer or a view into one, which is copied. What is sent
    /// before the connection is open goes out when it is.
    ///
    /// The callback is given `true` when the message was accepted. The promise becomes `true` when the kernel has it, and
    /// fails with the code and the cause of the event `error` if the connection ends before, or with 2302999 if it was closed.
    ///
    /// Fails with 201 (no `ohos.permission.INTERNET`), 401 (`data` is of another type, detached, or shared memory) or 2302999 (not connected, or more would wait than `sendQueueLimit` and
    /// `sendQueueMessages` allow; see the option `sendQueuePolicy`).
    /// @since 6
    #[napi(
        catch_unwind,
        ts_args_type = "data: string | ArrayBuffer | BinaryView, callback: AsyncCallback<boolean>): void
  send(data: string | ArrayBuffer | BinaryView",
        ts_return_type = "Promise<boolean>"
    )]
    pub fn send<'env>(&self, env: Env, data: Value<'env>, callback: Value<'env>) -> Result<Value<'env>> {
        let env = Engine::from(env);
        let Binding { client, sending, promises, .. } = &*self.binding;
        let denied = |error: ApiError| error.or_no_permission("send");
        if !callback.is_absent() {
            let queue = || sending.queue(client, promises, data, None).map_err(denied);
            return settle_call(env, callback, queue);
        }
        let receipt = promises.new_receipt();
        if let Err(error) = sending.queue(client, promises, data, Some(receipt)) {
            return settle_call(env, callback, || Err(denied(error)));
        }
        Ok(promises.of_send(env, "send", receipt)?)
    }

    /// Queues a piece of a message, so that a long one need not be in memory as a whole: strings for a text, an ArrayBuffer or views for
    /// a binary message, which `last` ends. Until then no other message can be sent. Pieces go out uncompressed, and are copied.
    ///
    /// A string must not end between the two halves of a character: as in `send`, a half goes out as U+FFFD.
    ///
    /// The promise becomes `true` when the kernel has the piece, and fails as that of `send` if the connection ends before.
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
        let Binding { client, sending, promises, .. } = &*self.binding;
        let receipt = promises.new_receipt();
        match sending.queue_piece(client, data, last, receipt) {
            Ok(()) => Ok(promises.of_send(env, "sendPiece", receipt)?),
            Err(error) => Ok(env.settled(Err(error.value(env)?))?),
        }
    }

    /// Sends a ping (RFC 6455 section 5.5.2) ahead of what is queued, with up to 125 bytes. The promise becomes the
    /// milliseconds until its pong came.
    ///
    /// Fails with 401 (`data`), 2302999 (not connected), or as the promise of `send` if the connection ends before the pong.
    /// @since 0.1.0 of this library
    #[napi(
        catch_unwind,
        ts_args_type = "data?: string | ArrayBuffer | BinaryView",
        ts_return_type = "Promise<number>"
    )]
    pub fn ping<'env>(&self, env: Env, data: Value<'env>) -> Result<Value<'env>> {
        let env = Engine::from(env);
        let Binding { client, promises, .. } = &*self.binding;
        let payload = if data.is_absent() {
            // Told apart from other pings.
            let number = promises.new_receipt();
            Ok(format!("ping {number}").into_bytes())
        } else {
            data.to_text().map_or_else(|| data.with_bytes(<[u8]>::to_vec), |text| Ok(text.into_bytes()))
        };
        let sent =
            payload.map_err(not_data).and_then(|payload| Ok(client.ping(&payload).map(|()| payload)?));
        match sent {
            Ok(payload) => Ok(promises.of_ping(env, client.statistics().connections, payload)?),
            Err(error) => Ok(env.settled(Err(error.value(env)?))?),
        }
    }

    /// A promise that becomes `true` once no more than a quarter of `sendQueueLimit` and `sendQueueMessages` waits to be sent: at once,
    /// or with the event `drain`.
    ///
    /// Fails as the promise of `send` when the connection ends before.
    /// @since 0.1.0 of this library
    #[napi(catch_unwind, ts_return_type = "Promise<boolean>")]
    pub fn ready<'env>(&self, env: Env) -> Result<Value<'env>> {
        let env = Engine::from(env);
        let Binding { client, promises, begun, .. } = &*self.binding;
        if !client.is_above_low_water() {
            return Ok(env.settled(Ok(env.boolean(true)?))?);
        }
        Ok(promises.of_ready(env, begun.get())?)
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
        let Self { binding } = self;
        if !binding.iterator.has_begun() {
            return Ok(env.settled(Err(message_iterator::not_connected().value(env)?))?);
        }
        if binding.wanted.pieces.load(Ordering::Relaxed) {
            return Ok(env.settled(Err(message_iterator::in_pieces().value(env)?))?);
        }
        Ok(binding.iterator.next(env, &binding.events)?)
    }

    /// Begins the attempt that is waited for after `reconnecting` at once; `false` when none is.
    /// @since 0.1.0 of this library
    #[napi(catch_unwind)]
    pub fn retry_now(&self) -> bool {
        self.binding.client.retry_now()
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
        match options::attempt(attempt, change, self.lenience("prepareAttempt")) {
            Ok((attempt, prepared)) => Ok(env.boolean(self.binding.client.prepare(attempt, prepared))?),
            Err(error) => Err(error.throw(env).into()),
        }
    }

    /// What was counted so far.
    /// @since 0.1.0 of this library
    #[napi(catch_unwind, ts_return_type = "Statistics")]
    pub fn stats<'env>(&self, env: Env) -> Result<Value<'env>> {
        Ok(statistics_value(Engine::from(env), &self.binding.client.statistics())?)
    }

    /// The state, in the numbers of the web's WebSocket and in step with the events as there: 0 connecting until `open`, 1 open,
    /// 2 closing until `close` or the last `error`, 3 not connected.
    /// @since 0.1.0 of this library
    #[napi(getter)]
    pub fn ready_state(&self) -> f64 {
        let Binding { client, begun, ended, opened, .. } = &*self.binding;
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
        self.binding.client.buffered() as f64
    }

    /// The sub-protocol of the last connection; empty for none.
    /// @since 0.1.0 of this library
    #[napi(getter)]
    pub fn protocol(&self) -> String {
        self.binding
            .client
            .handshake_response()
            .and_then(|opened| opened.protocol.clone())
            .unwrap_or_default()
    }

    /// The extensions of the last connection; empty for none.
    /// @since 0.1.0 of this library
    #[napi(getter)]
    pub fn extensions(&self) -> String {
        self.binding
            .client
            .handshake_response()
            .and_then(|opened| opened.extensions.clone())
            .unwrap_or_default()
    }

    /// The URL of the last `connect`; empty before it. From the event `open` on it is the URL that the connection was made to, if a redirect
    /// or `prepareAttempt` has led to another one: that is without a user's name and password.
    /// @since 0.1.0 of this library
    #[napi(getter)]
    pub fn url(&self) -> String {
        let Binding { url, elsewhere, .. } = &*self.binding;
        elsewhere.borrow().as_deref().map_or_else(|| url.borrow().clone(), str::to_owned)
    }

    /// Begins the closing handshake (RFC 6455 section 7.1.2) behind what is queued, or gives the attempt up when no connection is open
    /// yet. The event `close` follows in either case. When it has begun or ended before, the call changes nothing. A code that must not be
    /// sent goes out as 1000, and what else the options have is left out, with warnings in the log.
    ///
    /// Fails with 201 (no `ohos.permission.INTERNET`), 401 (options that are no object) or 2302999 (never connected).
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
        settle_call(Engine::from(env), callback, || self.end(options))
    }
}

impl WebSocket {
    pub(super) fn lenience(&self, method: &'static str) -> Lenience {
        Lenience { client: self.binding.client.id(), method }
    }

    fn begin(
        &self,
        env: Engine,
        this: &This<'_>,
        url: Value<'_>,
        options: Value<'_>,
    ) -> std::result::Result<(), ApiError> {
        let url = options::text("url", url)?;
        let options = options::connect_options(Options::default(), options, self.lenience("connect"))?;
        let listeners = listeners_of(env, this).map_err(|EngineError| {
            ApiError::other("connect: the engine has no room for another connection")
        })?;
        self.binding.begin(env, url, options, Some(listeners))
    }

    fn end(&self, options: Value<'_>) -> std::result::Result<(), ApiError> {
        let (code, reason) = options::close_options(options, self.lenience("close"))?;
        let Binding { client, begun, .. } = &*self.binding;
        match client.close(code, &reason) {
            // An attempt that has failed already, and of which no event has told yet, is closed early as well.
            Ok(CloseStart::Handshake) if client.state() != State::Closed => Ok(()),
            Ok(CloseStart::Handshake | CloseStart::Cancelled) => {
                self.binding.close_early(code, &reason);
                Ok(())
            }
            // What has ended is closed, however it ended.
            Err(CloseError::NotConnected) if begun.get() > 0 => Ok(()),
            Err(error) => Err(ApiError::from(error).or_no_permission("close")),
        }
    }
}

/// `f(callback)` and `f(undefined, callback)` are the same.
fn split_callback<'env>(options: Value<'env>, callback: Value<'env>) -> (Value<'env>, Value<'env>) {
    // What then stands in the callback's place was left out, as undefined or nothing.
    if options.type_of() == Type::Function { (callback, options) } else { (options, callback) }
}

fn optional_callback(callback: Value<'_>) -> std::result::Result<Option<Value<'_>>, ApiError> {
    match callback.type_of() {
        Type::Function => Ok(Some(callback)),
        Type::Undefined | Type::Null => Ok(None),
        Type::Boolean | Type::Number | Type::String | Type::Object | Type::Other => {
            Err(ApiError::parameter("callback", "must be a function"))
        }
    }
}

/// Gives the outcome of `call` to the callback, or as a promise when there is none.
fn settle_call<'env>(
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
