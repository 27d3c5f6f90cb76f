//! A signal that cancels an attempt to connect. It has the shape of the web's AbortSignal, which ArkTS lacks.
//!
//! `connect` takes any object of that shape. The JavaScript object holds its listeners, so that the garbage collector sees
//! them.

use std::ffi::CStr;

use super::error::ApiError;
use super::napi::{Engine, EngineError, Reference, Type, Value};

/// The hidden object that holds the array of listeners.
const HOLDER: &CStr = c"__listeners";
const LIST: &CStr = c"list";
const EVENT: &str = "abort";

/// Makes an object with `aborted`, `addEventListener`, `removeEventListener` and, unlike the web's, `abort`.
pub fn create(env: Engine) -> Result<Value<'static>, EngineError> {
    let signal = env.object()?;
    signal.set_readonly(c"aborted", env.boolean(false)?)?;
    signal.set_hidden(HOLDER, env.object()?)?;
    set_listeners(signal, &[])?;
    let add = env.function(|call| {
        let [event, listener, _] = call.arguments;
        let env = call.this.env();
        if !is_abort(event) || listener.type_of() != Type::Function {
            let error = ApiError::parameter("listener", "must be a function, for the event 'abort'");
            return Err(error.throw(env));
        }
        let mut listeners = listeners(call.this)?;
        if !listeners.iter().any(|known| known.is_same(listener)) {
            listeners.push(listener);
            set_listeners(call.this, &listeners)?;
        }
        env.undefined()
    })?;
    let remove = env.function(|call| {
        let [event, listener, _] = call.arguments;
        if is_abort(event) {
            let mut listeners = listeners(call.this)?;
            listeners.retain(|known| !known.is_same(listener));
            set_listeners(call.this, &listeners)?;
        }
        call.this.env().undefined()
    })?;
    let abort = env.function(|call| {
        let (signal, env) = (call.this, call.this.env());
        if signal.get(c"aborted")?.to_boolean() == Some(false) {
            signal.set_readonly(c"aborted", env.boolean(true)?)?;
            let event = env.object()?;
            event.set(c"type", env.string(EVENT)?)?;
            event.set(c"target", signal)?;
            for listener in listeners(signal)? {
                if listener.call(signal, [event]).is_err() {
                    env.report_exception();
                }
            }
        }
        env.undefined()
    })?;
    signal.set_hidden(c"addEventListener", add)?;
    signal.set_hidden(c"removeEventListener", remove)?;
    signal.set_hidden(c"abort", abort)?;
    Ok(signal)
}

fn is_abort(event: Value<'_>) -> bool {
    event.to_text().as_deref() == Some(EVENT)
}

fn listeners<'env>(signal: Value<'env>) -> Result<Vec<Value<'env>>, EngineError> {
    let listeners = signal.get(HOLDER)?.get(LIST)?.entries()?;
    Ok(listeners.into_iter().map(|(_, listener)| listener).collect())
}

fn set_listeners(signal: Value<'_>, listeners: &[Value<'_>]) -> Result<(), EngineError> {
    signal.get(HOLDER)?.set(LIST, signal.env().array(listeners)?)
}

/// An object of that shape, from the option of `connect`.
#[derive(Clone, Copy)]
pub struct Signal<'env>(Value<'env>);

impl<'env> Signal<'env> {
    pub fn parse(value: Value<'env>) -> Result<Self, ApiError> {
        let is = |name, wanted| value.get(name).is_ok_and(|member| member.type_of() == wanted);
        let shaped = value.type_of() == Type::Object
            && is(c"aborted", Type::Boolean)
            && is(c"addEventListener", Type::Function)
            && is(c"removeEventListener", Type::Function);
        if shaped { Ok(Self(value)) } else { Err(ApiError::parameter("signal", "must be an AbortSignal")) }
    }

    pub fn is_aborted(self) -> bool {
        self.0.get(c"aborted").is_ok_and(|aborted| aborted.to_boolean() == Some(true))
    }

    /// Calls `abort` if the signal is aborted, until the subscription is cancelled.
    pub fn subscribe(self, abort: impl Fn() + 'static) -> Result<AbortSubscription, EngineError> {
        let env = self.0.env();
        let listener = env.function(move |call| {
            abort();
            call.this.env().undefined()
        })?;
        self.0.get(c"addEventListener")?.call(self.0, [env.string(EVENT)?, listener])?;
        Ok(AbortSubscription { signal: Reference::new(self.0)?, listener: Reference::new(listener)? })
    }
}

/// A listener on a signal.
pub struct AbortSubscription {
    signal: Reference,
    listener: Reference,
}

impl AbortSubscription {
    /// Removes the listener from the signal.
    pub fn cancel(self) {
        let removed = self.signal.value().and_then(|signal| {
            let arguments = [signal.env().string(EVENT)?, self.listener.value()?];
            signal.get(c"removeEventListener")?.call(signal, arguments).map(|_| signal)
        });
        if removed.is_err()
            && let Ok(signal) = self.signal.value()
        {
            signal.env().report_exception();
        }
    }
}
