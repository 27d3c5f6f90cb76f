//! The object that `createWebSocket` returns: its class, its state and its life.

mod calls;
mod hearing;
mod listening;
pub mod methods;

use std::ffi::CStr;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use napi_derive_ohos::napi;

use self::hearing::Hearing;
use super::binding::Binding;
use super::event::EventType;
use super::instance;
use super::known;
use super::napi::{Engine, EngineError, Reference, Value};

/// The hidden property of the JavaScript object that holds its listeners. There the garbage collector sees them. So an
/// unused object without a connection is collected, whatever its listeners refer to.
const LISTENERS: &CStr = c"__listeners";

/// A client: one connection at a time.
#[napi]
pub struct WebSocket {
    binding: Rc<Binding<Hearing>>,
}

/// Prepares the class, and returns its constructor for `create`.
pub fn load(env: Engine, exports: Value<'_>) -> Result<Reference, EngineError> {
    let constructor = exports.get(c"WebSocket")?;
    let prototype = constructor.get(c"prototype")?;
    // For `for await`. An engine without the symbol lacks that loop.
    let symbol = env.global()?.get(c"Symbol")?.get(c"asyncIterator")?;
    if !symbol.is_absent() {
        prototype.set_by_value(symbol, env.function(|call| Ok(call.this.env().adopt(call.this.raw())))?)?;
    }
    Reference::new(constructor)
}

/// Makes the JavaScript object. The engine owns it and its Rust value.
pub fn create(env: Engine) -> Result<Value<'static>, EngineError> {
    let binding = Binding::new(Hearing::default());
    // napi-ohos would keep a reference to the object. On ArkTS that reference is strong from the start, so the object would
    // never be collected. So the instance is made and wrapped here, without a reference.
    let instance = instance::of(env)?;
    napi_ohos::__private::___CALL_FROM_FACTORY.set(true);
    let object = instance.web_socket.value().and_then(Value::construct);
    napi_ohos::__private::___CALL_FROM_FACTORY.set(false);
    let object = object?;
    object.set_hidden(LISTENERS, env.object()?)?;
    known::give(object, WebSocket { binding })?;
    Ok(object)
}

impl Drop for WebSocket {
    /// The engine has collected the object. Closes a connection without listeners and promises. Any other continues
    /// until it ends.
    fn drop(&mut self) {
        self.binding.collected();
    }
}

impl WebSocket {
    /// Notes that the events `listened` now have a listener, also for the session.
    fn note_listeners(&self, listened: u16) {
        let Binding { audience, wanted, client, .. } = &*self.binding;
        audience.listened.set(listened);
        let has = |event: EventType| listened & event.bit() != 0;
        wanted.preparation.store(has(EventType::Prepare), Ordering::Relaxed);
        let frames = has(EventType::Frame);
        if !wanted.frames.swap(frames, Ordering::Relaxed) && frames {
            client.frames_are_wanted();
        }
        audience.changed.set(true);
    }
}

fn listeners_of(this: Value<'_>) -> Result<Value<'_>, EngineError> {
    this.get(LISTENERS)
}
