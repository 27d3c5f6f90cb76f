//! The classes `Event`, `MessageEvent` and `CloseEvent`, and the events that this library creates.
//!
//! An event of ours keeps its state in an array in a hidden property. If the engine has the class, our events inherit from it.
//! Their prototype has its own getters, because those of the engine accept only its own events.

use super::exception::{illegal, throw_type};
use super::members::{Body, attribute, class, constant, method};
use super::realm::{Constant, Realm};
use crate::arkts::instance;
use crate::arkts::napi::{Call, Engine, EngineError, Value};

/// The phase of an event while its target's listeners are called (DOM section 2.2).
const AT_TARGET: f64 = 2.0;

/// The places of the state.
#[derive(Clone, Copy)]
enum Slot {
    Type,
    Target,
    Bubbles,
    Cancelable,
    Composed,
    TimeStamp,
    Trusted,
    Canceled,
    /// Propagation was stopped.
    Stopped,
    /// Which parts of the event are in the state.
    Extent,
    /// The members that the class of the event adds.
    First,
    Second,
    Third,
    Fourth,
    Fifth,
}

/// Which parts of an event are in its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// The members that its class adds to the engine's `Event`.
    Part,
    /// The whole event.
    Whole,
    /// The whole event except data and time, for every message of a socket.
    Template,
}

/// The values of a `CloseEvent`.
pub struct CloseFacts<'a> {
    pub was_clean: bool,
    pub code: u16,
    pub reason: &'a str,
}

/// Creates the classes that the engine lacks, and the prototypes of our events.
pub fn load(env: Engine, realm: &Realm) -> Result<(), EngineError> {
    if realm.class(Constant::Event).is_none() {
        let event = class(realm, env, "Event", 1, |call| construct(&call, "Event", |_, _| Ok(Vec::new())))?;
        base_members(realm, &[event.get(c"prototype")?])?;
        for (name, phase) in
            [("NONE", 0.0), ("CAPTURING_PHASE", 1.0), ("AT_TARGET", AT_TARGET), ("BUBBLING_PHASE", 3.0)]
        {
            constant(event, name, phase)?;
        }
        realm.set(Constant::Event, event)?;
    }
    let base = realm.get(Constant::Event)?;
    let has_message = realm.class(Constant::MessageEvent).is_some();
    if !has_message {
        let message =
            class(realm, env, "MessageEvent", 1, |call| construct(&call, "MessageEvent", message_init))?;
        realm.extend(message, base)?;
        message_members(realm, message.get(c"prototype")?)?;
        realm.set(Constant::MessageEvent, message)?;
    }
    let has_close = realm.class(Constant::CloseEvent).is_some();
    if !has_close {
        let close = class(realm, env, "CloseEvent", 1, |call| construct(&call, "CloseEvent", close_init))?;
        realm.extend(close, base)?;
        close_members(realm, close.get(c"prototype")?)?;
        realm.set(Constant::CloseEvent, close)?;
    }
    let ports = env.array(&[])?;
    realm.get(Constant::Freeze)?.call(ports, [ports])?;
    realm.set(Constant::NoPorts, ports)?;
    let (mut prototypes, mut engines) = (Vec::new(), Vec::new());
    let tag = env.global()?.get(c"Symbol")?.get(c"toStringTag")?;
    let classes = [
        (Constant::Event, "Event"),
        (Constant::MessageEvent, "MessageEvent"),
        (Constant::CloseEvent, "CloseEvent"),
    ];
    for (constant, name) in classes {
        let prototype = realm.get(constant)?.get(c"prototype")?;
        if realm.has_events {
            let ours = realm.create(prototype)?;
            // Node 20 has no such getters for its own MessageEvent.
            ours.set_fixed_by_value(tag, env.string(name)?)?;
            engines.push(ours);
            prototypes.push(ours);
        } else {
            prototypes.push(prototype);
        }
    }
    base_members(realm, &engines)?;
    inspection(env, &engines)?;
    if let [_, message, close] = engines.as_slice() {
        if has_message {
            message_members(realm, *message)?;
        }
        if has_close {
            close_members(realm, *close)?;
        }
    }
    for (constant, prototype) in
        [Constant::PlainEvent, Constant::Message, Constant::Close].into_iter().zip(prototypes)
    {
        realm.set(constant, prototype)?;
    }
    Ok(())
}

/// Node's `console.log` calls a method of `Event` that accepts only the engine's own events.
fn inspection(env: Engine, prototypes: &[Value<'_>]) -> Result<(), EngineError> {
    let symbol = env.global()?.get(c"Symbol")?;
    let symbol = symbol.get(c"for")?.call(symbol, [env.string("nodejs.util.inspect.custom")?])?;
    for prototype in prototypes {
        let show = env.function(|call| {
            let (env, shown) = (call.env(), call.env().object()?);
            for name in [c"type", c"data", c"code", c"reason", c"wasClean", c"isTrusted", c"timeStamp"] {
                let value = call.this.get(name)?;
                if !value.is_undefined() {
                    shown.set(name, value)?;
                }
            }
            Ok(env.adopt(shown.raw()))
        })?;
        prototype.set_hidden_by_value(env.adopt(symbol.raw()), show)?;
    }
    Ok(())
}

/// Creates an event of a socket other than a message.
pub fn trusted<'env>(
    realm: &Realm,
    target: Value<'env>,
    kind: &str,
    close: Option<CloseFacts<'_>>,
) -> Result<Value<'env>, EngineError> {
    let env = target.env();
    let prototype = if close.is_some() { Constant::Close } else { Constant::PlainEvent };
    let event = realm.create(env.adopt(realm.get(prototype)?.raw()))?;
    let mut state = whole(env, kind, target, Extent::Whole, realm.now(env))?;
    if let Some(CloseFacts { was_clean, code, reason }) = close {
        state.extend([env.boolean(was_clean)?, env.number(f64::from(code))?, env.string(reason)?]);
    }
    event.set_hidden_by_value(realm.get(Constant::State)?, env.array(&state)?)?;
    Ok(event)
}

/// Creates the prototype of all messages of a socket.
pub fn message_template<'env>(
    realm: &Realm,
    target: Value<'env>,
    origin: &str,
) -> Result<Value<'env>, EngineError> {
    let env = target.env();
    let template = realm.create(env.adopt(realm.get(Constant::Message)?.raw()))?;
    let mut state = whole(env, "message", target, Extent::Template, 0.0)?;
    state.extend([
        env.undefined()?,
        env.string(origin)?,
        env.string("")?,
        env.null()?,
        env.adopt(realm.get(Constant::NoPorts)?.raw()),
    ]);
    template.set_hidden_by_value(realm.get(Constant::State)?, env.array(&state)?)?;
    // An assignment to `data` makes a property of the message itself.
    template.set_plain(c"data", env.undefined()?)?;
    Ok(template)
}

fn whole<'env>(
    env: Engine,
    kind: &str,
    target: Value<'env>,
    extent: Extent,
    time: f64,
) -> Result<Vec<Value<'env>>, EngineError> {
    let (no, yes) = (env.boolean(false)?, env.boolean(true)?);
    let (kind, time) = (env.string(kind)?, env.number(time)?);
    Ok(vec![kind, target, no, no, no, time, yes, no, no, env.number(f64::from(extent as u8))?])
}

/// The values that a constructor reads from its second argument.
type Init = for<'a, 'env> fn(Engine, Option<Value<'env>>) -> Result<Vec<Value<'env>>, EngineError>;

/// `new Event(type, init)`, and the same for derived classes.
fn construct(call: &Call<'_>, class: &str, init: Init) -> Result<Value<'static>, EngineError> {
    let env = call.env();
    let Some(new_target) = call.new_target() else {
        return Err(throw_type(env, &format!("{class}: must be called with new")));
    };
    if call.count == 0 {
        return Err(throw_type(env, &format!("{class}: the type is missing")));
    }
    let realm = &instance::of(env)?.realm;
    let [kind, options, _] = call.arguments;
    let options = match options {
        options if options.is_absent() => None,
        options if options.is_object() => Some(options),
        _ => return Err(throw_type(env, &format!("{class}: the second argument must be an object"))),
    };
    let kind = kind.coerce_text()?;
    let flag = |name| -> Result<Value<'_>, EngineError> {
        let set = options.map_or(Ok(false), |options| options.get(name)?.coerce_boolean())?;
        env.boolean(set)
    };
    let (bubbles, cancelable, composed) = (flag(c"bubbles")?, flag(c"cancelable")?, flag(c"composed")?);
    let no = env.boolean(false)?;
    let is_part = realm.has_events;
    let extent = if is_part { Extent::Part } else { Extent::Whole };
    let mut state = vec![
        env.string(&kind)?,
        env.null()?,
        bubbles,
        cancelable,
        composed,
        env.number(realm.now(env))?,
        no,
        no,
        no,
        env.number(f64::from(extent as u8))?,
    ];
    state.extend(init(env, options)?.into_iter().map(|value| env.adopt(value.raw())));
    let this = if is_part {
        // Only the engine can create an event that its own targets accept.
        let arguments = match options {
            Some(options) => env.array(&[state[0], env.adopt(options.raw())])?,
            None => env.array(&[state[0]])?,
        };
        let base = realm.get(Constant::Event)?;
        let new_target = env.adopt(new_target.raw());
        realm.get(Constant::Construct)?.call(base, [base, arguments, new_target])?
    } else {
        env.adopt(call.this.raw())
    };
    this.set_hidden_by_value(realm.get(Constant::State)?, env.array(&state)?)?;
    Ok(env.adopt(this.raw()))
}

fn message_init<'env>(env: Engine, options: Option<Value<'env>>) -> Result<Vec<Value<'env>>, EngineError> {
    let realm = &instance::of(env)?.realm;
    let given = |name| options.map(|options| options.get(name)).transpose();
    let given = |name| -> Result<_, EngineError> {
        Ok(given(name)?.filter(|value: &Value<'_>| !value.is_undefined()))
    };
    let text = |name| -> Result<_, EngineError> {
        env.string(&given(name)?.map_or(Ok(String::new()), Value::coerce_text)?)
    };
    let (data, source) = (given(c"data")?.map_or_else(|| env.null(), Ok)?, given(c"source")?);
    let ports = match given(c"ports")? {
        Some(ports) => {
            let ports = realm.get(Constant::ArrayFrom)?.call(ports, [ports])?;
            realm.get(Constant::Freeze)?.call(ports, [ports])?
        }
        None => realm.get(Constant::NoPorts)?,
    };
    Ok(vec![data, text(c"origin")?, text(c"lastEventId")?, source.map_or_else(|| env.null(), Ok)?, ports])
}

fn close_init<'env>(env: Engine, options: Option<Value<'env>>) -> Result<Vec<Value<'env>>, EngineError> {
    let given = |name| -> Result<_, EngineError> {
        let value = options.map(|options| options.get(name)).transpose()?;
        Ok(value.filter(|value: &Value<'_>| !value.is_undefined()))
    };
    let was_clean = given(c"wasClean")?.map_or(Ok(false), Value::coerce_boolean)?;
    let code = given(c"code")?.map_or(Ok(0.0), Value::coerce_number)?;
    let reason = given(c"reason")?.map_or(Ok(String::new()), Value::coerce_text)?;
    Ok(vec![env.boolean(was_clean)?, env.number(to_unsigned_short(code))?, env.string(&reason)?])
}

/// ConvertToInt (WebIDL section 3.2.4.9) for 16 bits without a sign.
fn to_unsigned_short(number: f64) -> f64 {
    if number.is_finite() { number.trunc().rem_euclid(65_536.0) } else { 0.0 }
}

/// The state of the event on which a member was called.
fn state<'env>(event: Value<'env>) -> Result<Value<'static>, EngineError> {
    let env = event.env();
    let symbol = instance::of(env)?.realm.get(Constant::State)?;
    let state =
        if event.is_object() { event.get_by_value(env.adopt(symbol.raw()))? } else { env.undefined()? };
    if state.is_absent() {
        return Err(illegal(env, "Event of this library"));
    }
    Ok(env.adopt(state.raw()))
}

fn read(call: &Call<'_>, slot: Slot) -> Result<Value<'static>, EngineError> {
    state(call.this)?.element(slot as u32)
}

fn extent(state: Value<'_>) -> Result<Extent, EngineError> {
    let extent = state.element(Slot::Extent as u32)?.to_number();
    Ok(match extent {
        Some(1.0) => Extent::Whole,
        Some(2.0) => Extent::Template,
        _ => Extent::Part,
    })
}

/// Whether the whole event is ours, so that [`set_target`] can set its target.
pub fn is_ours(realm: &Realm, event: Value<'_>) -> Result<bool, EngineError> {
    let symbol = event.env().adopt(realm.get(Constant::State)?.raw());
    let state = event.get_by_value(symbol)?;
    Ok(!state.is_absent() && extent(state)? != Extent::Part)
}

/// An event of ours is being dispatched to this target.
pub fn set_target(event: Value<'_>, target: Value<'_>) -> Result<(), EngineError> {
    let state = state(event)?;
    if extent(state)? == Extent::Template {
        return Ok(());
    }
    let no = event.env().boolean(false)?;
    state.set_element(Slot::Trusted as u32, no)?;
    state.set_element(Slot::Target as u32, target)
}

/// An event of ours was dispatched. It can be dispatched again.
pub fn unset_stopped(event: Value<'_>) -> Result<(), EngineError> {
    let state = state(event)?;
    if extent(state)? == Extent::Template {
        return Ok(());
    }
    state.set_element(Slot::Stopped as u32, event.env().boolean(false)?)
}

/// Adds the members of `Event` to each of `prototypes` (DOM section 2.2).
fn base_members(realm: &Realm, prototypes: &[Value<'_>]) -> Result<(), EngineError> {
    let getters: [(&str, Body); 11] = [
        ("type", |call| read(&call, Slot::Type)),
        ("target", |call| read(&call, Slot::Target)),
        ("srcElement", |call| read(&call, Slot::Target)),
        ("currentTarget", |call| {
            state(call.this)?;
            let env = call.env();
            instance::of(env)?.realm.frame(call.this).map_or_else(|| env.null(), |frame| Ok(frame.target))
        }),
        ("eventPhase", |call| {
            state(call.this)?;
            let env = call.env();
            let under_way = instance::of(env)?.realm.frame(call.this).is_some();
            env.number(if under_way { AT_TARGET } else { 0.0 })
        }),
        ("bubbles", |call| read(&call, Slot::Bubbles)),
        ("cancelable", |call| read(&call, Slot::Cancelable)),
        ("composed", |call| read(&call, Slot::Composed)),
        ("defaultPrevented", |call| read(&call, Slot::Canceled)),
        ("isTrusted", |call| read(&call, Slot::Trusted)),
        ("timeStamp", time_stamp),
    ];
    for (name, getter) in getters {
        attribute(realm, prototypes, name, getter, None)?;
    }
    let return_value: Body = |call| {
        let canceled = read(&call, Slot::Canceled)?.to_boolean() == Some(true);
        call.env().boolean(!canceled)
    };
    let set_return_value: Body = |call| {
        if !call.arguments[0].coerce_boolean()? {
            prevent_default(&call)?;
        }
        call.env().undefined()
    };
    attribute(realm, prototypes, "returnValue", return_value, Some(set_return_value))?;
    let set_cancel_bubble: Body = |call| {
        if call.arguments[0].coerce_boolean()? {
            stop_propagation(&call)?;
        }
        call.env().undefined()
    };
    attribute(realm, prototypes, "cancelBubble", |call| read(&call, Slot::Stopped), Some(set_cancel_bubble))?;
    for prototype in prototypes {
        base_methods(*prototype)?;
    }
    Ok(())
}

fn base_methods(prototype: Value<'_>) -> Result<(), EngineError> {
    method(prototype, "composedPath", 0, |call| {
        state(call.this)?;
        let env = call.env();
        let target = instance::of(env)?.realm.frame(call.this).map(|frame| frame.target);
        env.array(target.as_slice())
    })?;
    method(prototype, "stopPropagation", 0, |call| {
        stop_propagation(&call)?;
        call.env().undefined()
    })?;
    method(prototype, "stopImmediatePropagation", 0, |call| {
        stop_propagation(&call)?;
        instance::of(call.env())?.realm.stop(call.this);
        call.env().undefined()
    })?;
    method(prototype, "preventDefault", 0, |call| {
        prevent_default(&call)?;
        call.env().undefined()
    })?;
    method(prototype, "initEvent", 1, |call| {
        let (env, state) = (call.env(), state(call.this)?);
        let [kind, bubbles, cancelable] = call.arguments;
        if call.count == 0 {
            return Err(throw_type(env, "initEvent: the type is missing"));
        }
        let kind = kind.coerce_text()?;
        let (bubbles, cancelable) = (bubbles.coerce_boolean()?, cancelable.coerce_boolean()?);
        if instance::of(env)?.realm.frame(call.this).is_none() && extent(state)? == Extent::Whole {
            state.set_element(Slot::Type as u32, env.string(&kind)?)?;
            state.set_element(Slot::Target as u32, env.null()?)?;
            state.set_element(Slot::Bubbles as u32, env.boolean(bubbles)?)?;
            state.set_element(Slot::Cancelable as u32, env.boolean(cancelable)?)?;
            for slot in [Slot::Trusted, Slot::Canceled, Slot::Stopped] {
                state.set_element(slot as u32, env.boolean(false)?)?;
            }
        }
        env.undefined()
    })
}

/// The time of a message is read at the first access, during its delivery. A message whose time is not read costs
/// nothing.
fn time_stamp(call: Call<'_>) -> Result<Value<'static>, EngineError> {
    let (env, state) = (call.env(), state(call.this)?);
    if extent(state)? != Extent::Template {
        return state.element(Slot::TimeStamp as u32);
    }
    let time = env.number(instance::of(env)?.realm.now(env))?;
    call.this.set_readonly(c"timeStamp", time)?;
    Ok(time)
}

fn stop_propagation(call: &Call<'_>) -> Result<(), EngineError> {
    let state = state(call.this)?;
    if extent(state)? == Extent::Template {
        return Ok(());
    }
    state.set_element(Slot::Stopped as u32, call.env().boolean(true)?)
}

fn prevent_default(call: &Call<'_>) -> Result<(), EngineError> {
    let (env, state) = (call.env(), state(call.this)?);
    let passive = instance::of(env)?.realm.frame(call.this).is_some_and(|frame| frame.passive);
    if !passive && state.element(Slot::Cancelable as u32)?.to_boolean() == Some(true) {
        state.set_element(Slot::Canceled as u32, env.boolean(true)?)?;
    }
    Ok(())
}

/// The members that `MessageEvent` adds (HTML section 9.1).
fn message_members(realm: &Realm, prototype: Value<'_>) -> Result<(), EngineError> {
    let getters: [(&str, Body); 5] = [
        ("data", |call| read(&call, Slot::First)),
        ("origin", |call| read(&call, Slot::Second)),
        ("lastEventId", |call| read(&call, Slot::Third)),
        ("source", |call| read(&call, Slot::Fourth)),
        ("ports", |call| read(&call, Slot::Fifth)),
    ];
    for (name, getter) in getters {
        attribute(realm, &[prototype], name, getter, None)?;
    }
    Ok(())
}

/// The members that `CloseEvent` adds (WHATWG WebSockets section 6).
fn close_members(realm: &Realm, prototype: Value<'_>) -> Result<(), EngineError> {
    let getters: [(&str, Body); 3] = [
        ("wasClean", |call| read(&call, Slot::First)),
        ("code", |call| read(&call, Slot::Second)),
        ("reason", |call| read(&call, Slot::Third)),
    ];
    for (name, getter) in getters {
        attribute(realm, &[prototype], name, getter, None)?;
    }
    Ok(())
}
