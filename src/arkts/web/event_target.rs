//! The methods of event targets, and the class `EventTarget` for engines that have none.

use std::any::Any;
use std::rc::Rc;

use super::event;
use super::exception::{illegal, throw, throw_type};
use super::members::{class, method};
use super::realm::{Constant, Realm};
use super::target::{self, Dispatch, ListenerOptions, Target, callables, realm_of};
use crate::arkts::known::{give, object_of};
use crate::arkts::napi::{Call, Engine, EngineError, Value};

/// The native data of an object with listeners.
pub struct EventTarget {
    target: Rc<Target>,
    /// The data that its class, derived from `EventTarget`, adds.
    own: Box<dyn Any>,
}

/// Attaches listeners and the data of its class to `object`.
pub fn attach<T: 'static>(
    realm: &Realm,
    object: Value<'_>,
    target: Rc<Target>,
    own: T,
) -> Result<(), EngineError> {
    give(object, EventTarget { target, own: Box::new(own) })?;
    target::attach(realm, object)
}

/// The data that a class has added to an object. `None` for an object of another class.
pub fn own_of<'env, T: 'static>(object: Value<'env>) -> Option<&'env T> {
    object_of::<EventTarget>(object)?.own.downcast_ref()
}

/// Creates the class if the engine lacks it.
pub fn load(env: Engine, realm: &Realm) -> Result<(), EngineError> {
    if realm.class(Constant::EventTarget).is_some() {
        return Ok(());
    }
    let class = class(realm, env, "EventTarget", 0, |call| {
        let env = call.env();
        if call.new_target().is_none() {
            return Err(throw_type(env, "EventTarget: must be called with new"));
        }
        attach(realm_of(env)?, call.this, Rc::default(), ())?;
        env.undefined()
    })?;
    methods(class.get(c"prototype")?)?;
    realm.set(Constant::EventTarget, class)
}

/// Adds the methods to a prototype.
pub fn methods(prototype: Value<'_>) -> Result<(), EngineError> {
    method(prototype, "addEventListener", 2, add_event_listener)?;
    method(prototype, "removeEventListener", 2, remove_event_listener)?;
    method(prototype, "dispatchEvent", 1, dispatch_event)
}

fn target_of<'env>(call: &Call<'env>) -> Result<&'env Rc<Target>, EngineError> {
    let target = object_of::<EventTarget>(call.this).map(|object| &object.target);
    target.ok_or_else(|| illegal(call.env(), "EventTarget of this library"))
}

/// The type and the listener, the first two arguments.
fn type_and_callback<'env>(call: &Call<'env>, method: &str) -> Result<(String, Value<'env>), EngineError> {
    if call.count < 2 {
        return Err(throw_type(call.env(), &format!("{method}: needs a type and a listener")));
    }
    let [kind, callback, _] = call.arguments;
    let kind = kind.coerce_text()?;
    if !callback.is_object() && !callback.is_absent() {
        return Err(throw_type(
            call.env(),
            &format!("{method}: the listener must be a function or an object"),
        ));
    }
    Ok((kind, callback))
}

fn add_event_listener(call: Call<'_>) -> Result<Value<'static>, EngineError> {
    let (env, target) = (call.env(), target_of(&call)?);
    let realm = realm_of(env)?;
    let (kind, callback) = type_and_callback(&call, "addEventListener")?;
    let options = ListenerOptions::parse(realm, call.arguments[2])?;
    target.add(target::holder(realm, call.this)?, &kind, callback, options)?;
    env.undefined()
}

fn remove_event_listener(call: Call<'_>) -> Result<Value<'static>, EngineError> {
    let (env, target) = (call.env(), target_of(&call)?);
    let realm = realm_of(env)?;
    let (kind, callback) = type_and_callback(&call, "removeEventListener")?;
    let capture = ListenerOptions::parse_capture(call.arguments[2])?;
    target.remove(target::holder(realm, call.this)?, &kind, callback, capture)?;
    env.undefined()
}

fn dispatch_event(call: Call<'_>) -> Result<Value<'static>, EngineError> {
    let (env, target) = (call.env(), target_of(&call)?);
    let realm = realm_of(env)?;
    let [event, ..] = call.arguments;
    let class = env.adopt(realm.get(Constant::Event)?.raw());
    if !event.is_object() || !event.is_instance(class) {
        return Err(throw_type(env, "dispatchEvent: the event must be an Event"));
    }
    if realm.frame(event).is_some() {
        return Err(throw(env, "InvalidStateError", "dispatchEvent: the event is being dispatched already"));
    }
    let holder = target::holder(realm, call.this)?;
    let kind = event.get(c"type")?.coerce_text()?;
    let callables = callables(target, holder, &kind)?;
    let dispatch = Dispatch { realm, target, holder, kind: &kind, object: call.this, event };
    if event::is_ours(realm, event)? {
        event::set_target(event, call.this)?;
        dispatch.call(&callables);
        event::unset_stopped(event)?;
    } else {
        shadow(event, call.this)?;
        dispatch.call(&callables);
        unshadow(event)?;
    }
    let prevented = event.get(c"defaultPrevented")?.coerce_boolean()?;
    env.boolean(!prevented)
}

/// The properties of an event that the engine's own dispatch would set.
fn shadow<'env>(event: Value<'env>, target: Value<'env>) -> Result<(), EngineError> {
    let env = event.env();
    for name in [c"target", c"srcElement", c"currentTarget"] {
        event.set_readonly(name, target)?;
    }
    event.set_readonly(c"eventPhase", env.number(2.0)?)?;
    let path = env.function(|call| {
        let env = call.env();
        let target = realm_of(env)?.frame(call.this).map(|frame| frame.target);
        env.array(target.as_slice())
    })?;
    event.set_readonly(c"composedPath", path)?;
    let stop = env.function(|call| {
        let env = call.env();
        realm_of(env)?.stop(call.this);
        let stop_propagation = call.this.get(c"stopPropagation")?;
        stop_propagation.call(call.this, [])?;
        env.undefined()
    })?;
    event.set_readonly(c"stopImmediatePropagation", stop)
}

/// The event keeps its target, as after the engine's own dispatch.
fn unshadow(event: Value<'_>) -> Result<(), EngineError> {
    for name in [c"currentTarget", c"eventPhase", c"composedPath", c"stopImmediatePropagation"] {
        event.delete(name)?;
    }
    Ok(())
}
