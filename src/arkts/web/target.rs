//! The listeners of an event target, and how they are called (DOM sections 2.7 to 2.10, HTML section 8.1.8.1).
//!
//! The functions are in an array that the target's object holds, where the garbage collector sees them. The first elements are
//! the target and its other values.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::exception::throw_type;
use super::realm::{Constant, Realm};
use crate::arkts::instance;
use crate::arkts::napi::{Engine, EngineError, HeldValue, Type, Value};

/// The elements of the array before the listeners.
pub const TARGET: u32 = 0;
pub const TEMPLATE: u32 = 1;
pub const FAST_MESSAGES: u32 = 2;
const LISTENERS_FROM: u32 = 3;

/// The listeners of a target, without their functions.
#[derive(Default)]
pub struct Target {
    lists: RefCell<Vec<List>>,
    /// Free places of the array.
    free: RefCell<Vec<u32>>,
    /// The first place that was never taken.
    next: Cell<u32>,
    /// Counts the changes of the listeners.
    pub version: Cell<u32>,
    /// The types of events that can still occur. While one of them has a listener, the object lives.
    coming: Cell<&'static [&'static str]>,
    /// Keeps the array, and with it the object, alive.
    hold: HeldValue,
}

/// The listeners of one type of events, in the order in which they are called.
struct List {
    kind: Box<str>,
    listeners: Vec<Rc<Listener>>,
}

/// A listener.
pub struct Listener {
    /// The place of its function in the array.
    slot: u32,
    capture: bool,
    once: bool,
    passive: bool,
    /// An attribute such as `onopen` sets it.
    handler: bool,
    removed: Cell<bool>,
}

/// The third argument of `addEventListener`.
#[derive(Default)]
pub struct ListenerOptions<'env> {
    capture: bool,
    once: bool,
    passive: bool,
    signal: Option<Value<'env>>,
}

impl<'env> ListenerOptions<'env> {
    pub fn parse(realm: &Realm, value: Value<'env>) -> Result<Self, EngineError> {
        if !value.is_object() {
            return Ok(Self { capture: value.coerce_boolean()?, ..Self::default() });
        }
        let flag = |name| value.get(name)?.coerce_boolean();
        let (capture, once, passive) = (flag(c"capture")?, flag(c"once")?, flag(c"passive")?);
        let signal = Some(value.get(c"signal")?).filter(|signal| !signal.is_undefined());
        if let Some(signal) = signal {
            let is_signal = match realm.class(Constant::AbortSignal) {
                Some(class) => signal.is_object() && signal.is_instance(class),
                None => signal.is_object() && signal.get(c"addEventListener")?.type_of() == Type::Function,
            };
            if !is_signal {
                return Err(throw_type(value.env(), "addEventListener: signal: must be an AbortSignal"));
            }
        }
        Ok(Self { capture, once, passive, signal })
    }

    /// The third argument of `removeEventListener`. Only its `capture` is read.
    pub fn parse_capture(value: Value<'_>) -> Result<bool, EngineError> {
        if value.is_object() { value.get(c"capture")?.coerce_boolean() } else { value.coerce_boolean() }
    }
}

/// Creates the array of `target`, and stores it in `object`.
pub fn attach(realm: &Realm, object: Value<'_>) -> Result<(), EngineError> {
    let env = object.env();
    let holder = env.array(&[object, env.undefined()?, env.undefined()?])?;
    object.set_hidden_by_value(env.adopt(realm.get(Constant::Holder)?.raw()), holder)
}

/// The array of a target.
pub fn holder<'env>(realm: &Realm, object: Value<'env>) -> Result<Value<'env>, EngineError> {
    object.get_by_value(object.env().adopt(realm.get(Constant::Holder)?.raw()))
}

impl Target {
    /// Adds a listener, unless it is already set.
    pub fn add<'env>(
        self: &Rc<Self>,
        holder: Value<'env>,
        kind: &str,
        callback: Value<'env>,
        options: ListenerOptions<'env>,
    ) -> Result<(), EngineError> {
        let ListenerOptions { capture, once, passive, signal } = options;
        if let Some(signal) = signal
            && signal.get(c"aborted")?.coerce_boolean()?
        {
            return Ok(());
        }
        if callback.is_absent() || self.find(holder, kind, callback, capture)?.is_some() {
            return Ok(());
        }
        let listener = self.insert(holder, kind, callback, |slot| Listener {
            slot,
            capture,
            once,
            passive,
            handler: false,
            removed: Cell::new(false),
        })?;
        let Some(signal) = signal else { return Ok(()) };
        let (target, kind) = (self.clone(), kind.to_owned());
        let env = holder.env();
        let abort = env.function(move |call| {
            target.remove_listener(call.this, &kind, &listener)?;
            call.env().undefined()
        })?;
        // The function gets the array as `this`.
        let abort = abort.get(c"bind")?.call(abort, [holder])?;
        let once = env.object()?;
        once.set(c"once", env.boolean(true)?)?;
        signal.get(c"addEventListener")?.call(signal, [env.string("abort")?, abort, once]).map(|_| ())
    }

    /// Removes a listener, if it is set.
    pub fn remove(
        &self,
        holder: Value<'_>,
        kind: &str,
        callback: Value<'_>,
        capture: bool,
    ) -> Result<(), EngineError> {
        match self.find(holder, kind, callback, capture)? {
            Some(listener) => self.remove_listener(holder, kind, &listener),
            None => Ok(()),
        }
    }

    /// The value of an attribute such as `onopen`.
    pub fn handler<'env>(&self, holder: Value<'env>, kind: &str) -> Result<Value<'env>, EngineError> {
        match self.find_handler(kind) {
            Some(listener) => holder.element(listener.slot),
            None => holder.env().null(),
        }
    }

    /// Sets such an attribute. A new value keeps the position of the earlier one in the order of calls.
    pub fn set_handler(&self, holder: Value<'_>, kind: &str, value: Value<'_>) -> Result<(), EngineError> {
        let value = Some(value).filter(|value| value.is_object());
        match (self.find_handler(kind), value) {
            (Some(listener), Some(value)) => {
                holder.set_element(listener.slot, value)?;
                self.changed(holder)
            }
            (Some(listener), None) => self.remove_listener(holder, kind, &listener),
            (None, Some(value)) => {
                let handler = |slot| Listener {
                    slot,
                    capture: false,
                    once: false,
                    passive: false,
                    handler: true,
                    removed: Cell::new(false),
                };
                self.insert(holder, kind, value, handler).map(|_| ())
            }
            (None, None) => Ok(()),
        }
    }

    /// The listeners of events of that type.
    pub fn listeners(&self, kind: &str) -> Vec<Rc<Listener>> {
        let lists = self.lists.borrow();
        lists.iter().find(|list| &*list.kind == kind).map_or_else(Vec::new, |list| list.listeners.clone())
    }

    pub fn has(&self, kind: &str) -> bool {
        self.lists.borrow().iter().any(|list| &*list.kind == kind)
    }

    /// From now on only events of these types can occur.
    pub fn set_coming(&self, kinds: &'static [&'static str]) {
        self.coming.set(kinds);
        if !self.is_awaited() {
            self.hold.release();
        }
    }

    /// Whether a listener waits for an event that can occur.
    pub fn is_awaited(&self) -> bool {
        self.coming.get().iter().any(|kind| self.has(kind))
    }

    /// The array, while a listener waits for an event that can occur.
    pub fn held<'env>(&self) -> Option<Value<'env>> {
        self.hold.value()
    }

    fn find_handler(&self, kind: &str) -> Option<Rc<Listener>> {
        let lists = self.lists.borrow();
        let list = lists.iter().find(|list| &*list.kind == kind)?;
        list.listeners.iter().find(|listener| listener.handler).cloned()
    }

    fn find(
        &self,
        holder: Value<'_>,
        kind: &str,
        callback: Value<'_>,
        capture: bool,
    ) -> Result<Option<Rc<Listener>>, EngineError> {
        let callback = holder.env().adopt(callback.raw());
        for listener in self.listeners(kind) {
            if !listener.handler
                && listener.capture == capture
                && holder.element(listener.slot)?.is_same(callback)
            {
                return Ok(Some(listener));
            }
        }
        Ok(None)
    }

    fn insert(
        &self,
        holder: Value<'_>,
        kind: &str,
        callback: Value<'_>,
        listener: impl FnOnce(u32) -> Listener,
    ) -> Result<Rc<Listener>, EngineError> {
        let free = self.free.borrow_mut().pop();
        let slot = free.unwrap_or_else(|| {
            let slot = self.next.get().max(LISTENERS_FROM);
            self.next.set(slot + 1);
            slot
        });
        holder.set_element(slot, callback)?;
        let listener = Rc::new(listener(slot));
        let mut lists = self.lists.borrow_mut();
        match lists.iter_mut().find(|list| &*list.kind == kind) {
            Some(list) => list.listeners.push(listener.clone()),
            None => lists.push(List { kind: kind.into(), listeners: vec![listener.clone()] }),
        }
        drop(lists);
        self.changed(holder)?;
        Ok(listener)
    }

    fn remove_listener(
        &self,
        holder: Value<'_>,
        kind: &str,
        listener: &Rc<Listener>,
    ) -> Result<(), EngineError> {
        if listener.removed.replace(true) {
            return Ok(());
        }
        let mut lists = self.lists.borrow_mut();
        if let Some(at) = lists.iter().position(|list| &*list.kind == kind) {
            lists[at].listeners.retain(|known| !Rc::ptr_eq(known, listener));
            if lists[at].listeners.is_empty() {
                lists.remove(at);
            }
        }
        drop(lists);
        holder.set_element(listener.slot, holder.env().undefined()?)?;
        self.free.borrow_mut().push(listener.slot);
        self.changed(holder)
    }

    /// Keeps the object alive while a listener waits for an event that can occur.
    fn changed(&self, holder: Value<'_>) -> Result<(), EngineError> {
        self.version.set(self.version.get().wrapping_add(1));
        match (self.is_awaited(), self.hold.is_held()) {
            (true, false) => self.hold.hold(holder)?,
            (false, true) => self.hold.release(),
            (true, true) | (false, false) => {}
        }
        Ok(())
    }
}

/// A listener together with its function or object, valid in one handle scope.
pub struct Callable<'scope> {
    listener: Rc<Listener>,
    callback: Value<'scope>,
    is_function: bool,
}

/// The listeners of events of that type, ready to be called.
pub fn callables<'scope>(
    target: &Target,
    holder: Value<'scope>,
    kind: &str,
) -> Result<Vec<Callable<'scope>>, EngineError> {
    let callable = |listener: Rc<Listener>| {
        let callback = holder.element(listener.slot)?;
        let is_function = callback.type_of() == Type::Function;
        Ok(Callable { listener, callback, is_function })
    };
    target.listeners(kind).into_iter().map(callable).collect()
}

impl<'scope> Callable<'scope> {
    /// The function of a listener that is not limited to one event.
    pub fn lasting_function(&self) -> Option<Value<'scope>> {
        Some(self.callback).filter(|_| self.is_function && !self.listener.once)
    }
}

/// An event and the target whose listeners get it.
pub struct Dispatch<'a, 'scope> {
    pub realm: &'a Realm,
    pub target: &'a Target,
    pub holder: Value<'scope>,
    pub kind: &'a str,
    /// The target's object.
    pub object: Value<'scope>,
    pub event: Value<'scope>,
}

impl<'scope> Dispatch<'_, 'scope> {
    /// Calls the listeners in turn. If one throws, the others are still called.
    pub fn call(&self, callables: &[Callable<'scope>]) {
        let Self { realm, object, event, .. } = *self;
        realm.dispatching(Some(event), object, || {
            for callable in callables {
                if callable.listener.removed.get() {
                    continue;
                }
                if self.invoke(callable, callables.len() == 1).is_err() {
                    object.env().report_exception();
                }
                if realm.is_stopped() {
                    break;
                }
            }
        });
    }

    fn invoke(&self, callable: &Callable<'scope>, is_alone: bool) -> Result<(), EngineError> {
        let Self { realm, target, holder, kind, object, event } = *self;
        let Callable { listener, callback, is_function } = callable;
        if listener.once {
            target.remove_listener(holder, kind, listener)?;
        }
        if listener.passive {
            realm.set_passive(true);
        }
        let outcome = if listener.handler && !is_alone {
            // An earlier listener may have changed the attribute.
            let callback = holder.element(listener.slot)?;
            if callback.type_of() != Type::Function {
                return Ok(());
            }
            callback.call(object, [event])
        } else if *is_function {
            callback.call(object, [event])
        } else if listener.handler {
            return Ok(());
        } else {
            Self::call_object(*callback, event)
        };
        if listener.passive {
            realm.set_passive(false);
        }
        let outcome = outcome?;
        if listener.handler && outcome.to_boolean() == Some(false) {
            event.get(c"preventDefault")?.call(event, [])?;
        }
        Ok(())
    }

    /// Calls `handleEvent` of an object, which is looked up each time.
    fn call_object(listener: Value<'scope>, event: Value<'scope>) -> Result<Value<'scope>, EngineError> {
        let method = listener.get(c"handleEvent")?;
        if method.type_of() != Type::Function {
            return Err(throw_type(listener.env(), "handleEvent of a listener is not a function"));
        }
        method.call(listener, [event])
    }
}

/// The realm of an environment.
pub fn realm_of<'env>(env: Engine) -> Result<&'env Realm, EngineError> {
    Ok(&instance::of(env)?.realm)
}
