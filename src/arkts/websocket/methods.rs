//! The methods on the prototype.
//!
//! A method called with a `this` of another class only logs a warning, as on the platform.

use super::WebSocket;
use crate::arkts::event::EventType;
use crate::arkts::known;
use crate::arkts::napi::{EngineError, Value};
use crate::logging;

/// A method, called with up to three arguments.
type Method = for<'env> fn(&WebSocket, Value<'env>, [Value<'env>; 3]) -> Result<Value<'env>, EngineError>;

const METHODS: [(&str, Method); 12] = [
    ("connect", |it, this, arguments| it.connect(this, arguments)),
    ("send", |it, this, [data, callback, _]| it.send(this.env(), data, callback)),
    ("close", |it, this, [options, callback, _]| it.close(this.env(), options, callback)),
    ("sendPiece", |it, this, [data, last, _]| it.send_piece(this.env(), data, last)),
    ("ping", |it, this, [data, ..]| it.ping(this.env(), data)),
    ("ready", |it, this, _| it.ready(this.env())),
    ("next", |it, this, _| it.next(this.env())),
    ("retryNow", |it, this, _| this.env().boolean(it.retry_now())),
    ("prepareAttempt", |it, this, [attempt, change, _]| it.prepare_attempt(this.env(), attempt, change)),
    ("stats", |it, this, _| it.stats(this.env())),
    ("on", |it, this, [kind, callback, _]| {
        it.listen(this, it.event_type("on", kind), callback)?;
        this.env().undefined()
    }),
    ("off", |it, this, [kind, callback, _]| {
        it.unlisten(this, it.event_type("off", kind), callback)?;
        this.env().undefined()
    }),
];

/// The additional names of `on` and `off` that the platform has in static ArkTS.
const LISTENING: [(&str, &str, EventType); 6] = [
    ("onOpen", "offOpen", EventType::Open),
    ("onMessage", "offMessage", EventType::Message),
    ("onWebSocketClose", "offWebSocketClose", EventType::Close),
    ("onWebSocketError", "offWebSocketError", EventType::Error),
    ("onDataEnd", "offDataEnd", EventType::DataEnd),
    ("onHeaderReceive", "offHeaderReceive", EventType::HeaderReceive),
];

/// Puts the methods on the prototype.
pub fn load(exports: Value<'_>) -> Result<(), EngineError> {
    let prototype = exports.get(c"WebSocket")?.get(c"prototype")?;
    for (name, method) in METHODS {
        add(prototype, name, method)?;
    }
    for (on, off, event) in LISTENING {
        add(prototype, on, move |it, this, [callback, ..]| {
            it.listen(this, Some(event), callback)?;
            this.env().undefined()
        })?;
        add(prototype, off, move |it, this, [callback, ..]| {
            it.unlisten(this, Some(event), callback)?;
            this.env().undefined()
        })?;
    }
    Ok(())
}

fn add<F>(prototype: Value<'_>, name: &'static str, method: F) -> Result<(), EngineError>
where
    F: for<'env> Fn(&WebSocket, Value<'env>, [Value<'env>; 3]) -> Result<Value<'env>, EngineError> + 'static,
{
    let env = prototype.env();
    let function = env.named_function(name, move |call| {
        let env = call.this.env();
        let Some(web_socket) = known::object_of::<WebSocket>(call.this) else {
            logging::warn(format_args!(
                "{name}: `this` is not a WebSocket of this thread; the call is ignored"
            ));
            return env.undefined();
        };
        method(web_socket, call.this, call.arguments).map(|value| env.adopt(value.raw()))
    })?;
    prototype.set_own(env.string(name)?, function)
}
