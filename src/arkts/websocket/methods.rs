//! The methods as scripts find them on the prototype.
//!
//! A method that is called with another `this` than an object of this class does nothing, as on the platform, and a warning
//! says so. The functions that the derive macro makes would throw: they only serve the declarations.

use napi_ohos::bindgen_prelude::{FromNapiValue, This};
use napi_ohos::{Env, Result};

use super::WebSocket;
use crate::arkts::known;
use crate::arkts::napi::{Engine, EngineError, Value};
use crate::logging;

/// A method, called with up to three arguments.
type Method = for<'env> fn(&WebSocket, Value<'env>, Env, [Value<'env>; 3]) -> Result<Value<'env>>;

/// A row for each method: its name in scripts, and how it is called.
macro_rules! methods {
    ($(($name:literal, |$web_socket:ident, $this:pat_param, $env:ident, $arguments:pat_param| $call:expr))*) => {
        const METHODS: &[(&str, Method)] = &[$(
            ($name, |$web_socket, $this, $env, $arguments| $call),
        )*];
    };
}

methods! {
    ("connect", |it, this, env, [url, options, callback]| it.connect(own(this)?, env, url, options, callback))
    ("send", |it, _, env, [data, callback, _]| it.send(env, data, callback))
    ("close", |it, _, env, [options, callback, _]| it.close(env, options, callback))
    ("sendPiece", |it, _, env, [data, last, _]| it.send_piece(env, data, last))
    ("ping", |it, _, env, [data, _, _]| it.ping(env, data))
    ("ready", |it, _, env, _| it.ready(env))
    ("next", |it, _, env, _| it.next(env))
    ("retryNow", |it, _, env, _| Ok(Engine::from(env).boolean(it.retry_now())?))
    ("prepareAttempt", |it, _, env, [attempt, change, _]| it.prepare_attempt(env, attempt, change))
    ("stats", |it, _, env, _| it.stats(env))
    ("on", |it, this, env, [kind, callback, _]| nothing(env, it.on(own(this)?, env, kind, callback)))
    ("off", |it, this, env, [kind, callback, _]| nothing(env, it.off(own(this)?, env, kind, callback)))
    ("onOpen", |it, this, env, [callback, ..]| nothing(env, it.on_open(own(this)?, env, callback)))
    ("offOpen", |it, this, env, [callback, ..]| nothing(env, it.off_open(own(this)?, env, callback)))
    ("onMessage", |it, this, env, [callback, ..]| nothing(env, it.on_message(own(this)?, env, callback)))
    ("offMessage", |it, this, env, [callback, ..]| nothing(env, it.off_message(own(this)?, env, callback)))
    ("onWebSocketClose", |it, this, env, [callback, ..]| nothing(env, it.on_web_socket_close(own(this)?, env, callback)))
    ("offWebSocketClose", |it, this, env, [callback, ..]| nothing(env, it.off_web_socket_close(own(this)?, env, callback)))
    ("onWebSocketError", |it, this, env, [callback, ..]| nothing(env, it.on_web_socket_error(own(this)?, env, callback)))
    ("offWebSocketError", |it, this, env, [callback, ..]| nothing(env, it.off_web_socket_error(own(this)?, env, callback)))
    ("onDataEnd", |it, this, env, [callback, ..]| nothing(env, it.on_data_end(own(this)?, env, callback)))
    ("offDataEnd", |it, this, env, [callback, ..]| nothing(env, it.off_data_end(own(this)?, env, callback)))
    ("onHeaderReceive", |it, this, env, [callback, ..]| nothing(env, it.on_header_receive(own(this)?, env, callback)))
    ("offHeaderReceive", |it, this, env, [callback, ..]| nothing(env, it.off_header_receive(own(this)?, env, callback)))
}

/// `this` as the derive macro's functions take it.
fn own<'env>(this: Value<'env>) -> Result<This<'env>> {
    // SAFETY: the environment and `this` are those of the call under way.
    unsafe { This::from_napi_value(this.env().raw(), this.raw()) }
}

fn nothing<'env>(env: Env, outcome: Result<()>) -> Result<Value<'env>> {
    outcome?;
    Ok(Engine::from(env).undefined()?)
}

/// Puts the methods on the prototype, in the place of those of the derive macro.
pub fn load(env: Engine, exports: Value<'_>) -> std::result::Result<(), EngineError> {
    let prototype = exports.get(c"WebSocket")?.get(c"prototype")?;
    for (name, method) in METHODS {
        let function = env.named_function(name, move |call| {
            let env = call.this.env();
            let Some(web_socket) = known::object_of::<WebSocket>(call.this) else {
                logging::warn(format_args!("{name}: `this` is no WebSocket of this thread; nothing is done"));
                return env.undefined();
            };
            let result = method(web_socket, call.this, Env::from(env.raw()), call.arguments);
            result.map(|value| env.adopt(value.raw())).map_err(|_| EngineError)
        })?;
        prototype.set_own(env.string(name)?, function)?;
    }
    Ok(())
}
