//! The methods and properties of the object, except its listeners.

use std::sync::atomic::Ordering;

use napi_derive_ohos::napi;

use super::{WebSocket, listeners_of};
use crate::arkts::binding::{Binding, not_data};
use crate::arkts::error::ApiError;
use crate::arkts::lenience::Lenience;
use crate::arkts::message_iterator;
use crate::arkts::napi::{Engine, EngineError, Type, Value};
use crate::arkts::objects::statistics_value;
use crate::arkts::options;
use crate::client::{CloseError, CloseStart, Options, State};

impl WebSocket {
    pub fn connect<'env>(
        &self,
        this: Value<'env>,
        [url, options, callback]: [Value<'env>; 3],
    ) -> Result<Value<'env>, EngineError> {
        let (options, callback) = split_callback(options, callback);
        settle_call(this.env(), callback, || self.begin(this, url, options))
    }

    pub fn send<'env>(
        &self,
        env: Engine,
        data: Value<'env>,
        callback: Value<'env>,
    ) -> Result<Value<'env>, EngineError> {
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
        promises.of_send(env, "send", receipt)
    }

    pub fn send_piece<'env>(
        &self,
        env: Engine,
        data: Value<'env>,
        last: Value<'env>,
    ) -> Result<Value<'env>, EngineError> {
        let Binding { client, sending, promises, .. } = &*self.binding;
        let receipt = promises.new_receipt();
        match sending.queue_piece(client, data, last, receipt) {
            Ok(()) => promises.of_send(env, "sendPiece", receipt),
            Err(error) => env.settled(Err(error.value(env)?)),
        }
    }

    /// Sends a ping (RFC 6455 section 5.5.2) before the queued messages.
    pub fn ping<'env>(&self, env: Engine, data: Value<'env>) -> Result<Value<'env>, EngineError> {
        let Binding { client, promises, .. } = &*self.binding;
        let payload = if data.is_absent() {
            // Distinguishes this ping from others.
            let number = promises.new_receipt();
            Ok(format!("ping {number}").into_bytes())
        } else {
            data.to_text().map_or_else(|| data.with_bytes(<[u8]>::to_vec), |text| Ok(text.into_bytes()))
        };
        let sent =
            payload.map_err(not_data).and_then(|payload| Ok(client.ping(&payload).map(|()| payload)?));
        match sent {
            Ok(payload) => promises.of_ping(env, client.statistics().connections, payload),
            Err(error) => env.settled(Err(error.value(env)?)),
        }
    }

    pub fn ready<'env>(&self, env: Engine) -> Result<Value<'env>, EngineError> {
        let Binding { client, promises, begun, .. } = &*self.binding;
        if !client.is_above_low_water() {
            return env.settled(Ok(env.boolean(true)?));
        }
        promises.of_ready(env, begun.get())
    }

    pub fn next<'env>(&self, env: Engine) -> Result<Value<'env>, EngineError> {
        let Self { binding } = self;
        if !binding.iterator.has_begun() {
            return env.settled(Err(message_iterator::not_connected().value(env)?));
        }
        if binding.wanted.pieces.load(Ordering::Relaxed) {
            return env.settled(Err(message_iterator::in_pieces().value(env)?));
        }
        binding.iterator.next(env, &binding.events)
    }

    pub fn retry_now(&self) -> bool {
        self.binding.client.retry_now()
    }

    pub fn prepare_attempt<'env>(
        &self,
        env: Engine,
        attempt: Value<'env>,
        change: Value<'env>,
    ) -> Result<Value<'env>, EngineError> {
        match options::attempt(attempt, change, self.lenience("prepareAttempt")) {
            Ok((attempt, prepared)) => env.boolean(self.binding.client.prepare(attempt, prepared)),
            Err(error) => Err(error.throw(env)),
        }
    }

    pub fn stats<'env>(&self, env: Engine) -> Result<Value<'env>, EngineError> {
        statistics_value(env, &self.binding.client.statistics())
    }

    pub fn close<'env>(
        &self,
        env: Engine,
        options: Value<'env>,
        callback: Value<'env>,
    ) -> Result<Value<'env>, EngineError> {
        let (options, callback) = split_callback(options, callback);
        settle_call(env, callback, || self.end(options))
    }
}

#[napi]
impl WebSocket {
    /// It has the numbers of the web's WebSocket. As there, it changes together with the events.
    #[napi(getter)]
    pub fn ready_state(&self) -> f64 {
        let Binding { client, begun, ended, opened, .. } = &*self.binding;
        match client.state() {
            _ if begun == ended => 3.0,
            State::Connecting => 0.0,
            State::Open if opened.get() => 1.0,
            State::Open => 0.0,
            // The event that reports it is queued.
            State::Closing | State::Idle | State::Closed => 2.0,
        }
    }

    #[napi(getter)]
    pub fn buffered_amount(&self) -> f64 {
        self.binding.client.buffered() as f64
    }

    #[napi(getter)]
    pub fn protocol(&self) -> String {
        self.binding
            .client
            .handshake_response()
            .and_then(|opened| opened.protocol.as_deref().map(str::to_owned))
            .unwrap_or_default()
    }

    #[napi(getter)]
    pub fn extensions(&self) -> String {
        self.binding
            .client
            .handshake_response()
            .and_then(|opened| opened.extensions.as_deref().map(str::to_owned))
            .unwrap_or_default()
    }

    /// From the event `open` on, the connection's URL.
    #[napi(getter)]
    pub fn url(&self) -> String {
        let Binding { url, elsewhere, .. } = &*self.binding;
        elsewhere.borrow().as_deref().map_or_else(|| url.borrow().clone(), str::to_owned)
    }
}

impl WebSocket {
    pub(super) fn lenience(&self, method: &'static str) -> Lenience {
        Lenience { client: self.binding.client.id(), method }
    }

    fn begin(&self, this: Value<'_>, url: Value<'_>, options: Value<'_>) -> Result<(), ApiError> {
        let url = options::text("url", url)?;
        let options = options::connect_options(Options::default(), options, self.lenience("connect"))?;
        let listeners = listeners_of(this).map_err(|EngineError| {
            ApiError::other("connect: the engine has no memory for another connection")
        })?;
        self.binding.begin(this.env(), url, options, Some(listeners))
    }

    fn end(&self, options: Value<'_>) -> Result<(), ApiError> {
        let (code, reason) = options::close_options(options, self.lenience("close"))?;
        let Binding { client, begun, .. } = &*self.binding;
        match client.close(code, &reason) {
            // An attempt counts as closed early even if it has failed, while that event is not delivered.
            Ok(CloseStart::Handshake) if client.state() != State::Closed => Ok(()),
            Ok(CloseStart::Handshake | CloseStart::Cancelled) => {
                self.binding.close_early(code, &reason);
                Ok(())
            }
            // An ended connection counts as closed.
            Err(CloseError::NotConnected) if begun.get() > 0 => Ok(()),
            Err(error) => Err(ApiError::from(error).or_no_permission("close")),
        }
    }
}

/// `f(callback)` and `f(undefined, callback)` are the same.
fn split_callback<'env>(options: Value<'env>, callback: Value<'env>) -> (Value<'env>, Value<'env>) {
    // The value in the callback's place is then undefined or missing.
    if options.type_of() == Type::Function { (callback, options) } else { (options, callback) }
}

fn optional_callback(callback: Value<'_>) -> Result<Option<Value<'_>>, ApiError> {
    match callback.type_of() {
        Type::Function => Ok(Some(callback)),
        Type::Undefined | Type::Null => Ok(None),
        Type::Boolean | Type::Number | Type::String | Type::Object | Type::Other => {
            Err(ApiError::parameter("callback", "must be a function"))
        }
    }
}

/// Passes the outcome of `call` to the callback, or returns it as a promise without one.
fn settle_call<'env>(
    env: Engine,
    callback: Value<'env>,
    call: impl FnOnce() -> Result<(), ApiError>,
) -> Result<Value<'env>, EngineError> {
    let (callback, outcome) = match optional_callback(callback) {
        Ok(callback) => (callback, call()),
        Err(error) => (None, Err(error)),
    };
    let outcome = match outcome {
        Ok(()) => Ok(env.boolean(true)?),
        Err(error) => Err(error.value(env)?),
    };
    let Some(callback) = callback else { return env.settled(outcome) };
    let undefined = env.undefined()?;
    match outcome {
        Ok(value) => callback.call_later([undefined, value])?,
        Err(error) => callback.call_later([error, undefined])?,
    }
    Ok(undefined)
}
