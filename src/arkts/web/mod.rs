//! The classes of the web for scripts written for it: `WebSocket` by the WHATWG standard, and the classes it needs.
//!
//! The client, its events and their delivery are those of the rest of the ArkTS API. Owns the classes, their listeners and the
//! state that the standard gives a socket.

mod event;
mod event_target;
mod exception;
mod hearing;
mod members;
pub mod realm;
mod socket;
mod stream;
mod stream_error;
mod streams;
mod target;
mod unsent;

use self::realm::Constant;
use super::instance;
use super::napi::{Engine, EngineError, Type, Value};

/// The members of `web`, and their places in the realm.
const CLASSES: [(&std::ffi::CStr, Constant); 8] = [
    (c"WebSocket", Constant::WebSocket),
    (c"WebSocketStream", Constant::WebSocketStream),
    (c"WebSocketError", Constant::WebSocketError),
    (c"Event", Constant::Event),
    (c"MessageEvent", Constant::MessageEvent),
    (c"CloseEvent", Constant::CloseEvent),
    (c"EventTarget", Constant::EventTarget),
    (c"DOMException", Constant::DomException),
];

/// Exports `web`.
pub fn load(env: Engine, exports: Value<'_>) -> Result<(), EngineError> {
    let realm = &instance::of(env)?.realm;
    let script_end = env.function(|call| {
        instance::of(call.env())?.realm.script_ended();
        call.env().undefined()
    })?;
    realm.set(Constant::ScriptEnd, script_end)?;
    exception::load(env, realm)?;
    event::load(env, realm)?;
    event_target::load(env, realm)?;
    socket::load(env, realm)?;
    if realm.class(Constant::ReadableStream).is_some() && realm.class(Constant::WritableStream).is_some() {
        stream_error::load(env, realm)?;
        if realm.class(Constant::WebSocketError).is_some() {
            stream::load(env, realm)?;
        }
    }
    let web = env.object()?;
    for (name, constant) in CLASSES {
        if let Some(class) = realm.class(constant) {
            web.set(name, env.adopt(class.raw()))?;
        }
    }
    members::method(web, "install", 0, |call| {
        let env = call.env();
        let [target, ..] = call.arguments;
        let target = if target.is_undefined() { env.global()? } else { env.adopt(target.raw()) };
        if !target.is_object() {
            return Err(exception::throw_type(env, "install: target: must be an object, such as globalThis"));
        }
        let realm = &instance::of(env)?.realm;
        for (name, constant) in CLASSES {
            if target.get(name)?.type_of() != Type::Function
                && let Some(class) = realm.class(constant)
            {
                target.set_unlisted(name, class)?;
            }
        }
        env.undefined()
    })?;
    exports.set(c"web", web)
}
