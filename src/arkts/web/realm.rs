//! The parts of the environment that the web's classes need: the engine's classes, symbols and functions, and the
//! current events.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use crate::arkts::napi::{Engine, EngineError, Reference, Type, Value};

/// The values of a [`Realm`], by place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constant {
    /// `Object.create`, `Object.setPrototypeOf`, `Object.defineProperty`, `Object.freeze`, `Array.from` and `Reflect.construct`.
    Create,
    SetPrototypeOf,
    DefineProperty,
    Freeze,
    ArrayFrom,
    Construct,
    /// The symbol of the property that holds the state of an event.
    State,
    /// The symbol of the property that holds the listeners of a target.
    Holder,
    /// The text `data`.
    Data,
    /// The engine's classes, or those of this library if it lacks them.
    Event,
    MessageEvent,
    CloseEvent,
    EventTarget,
    DomException,
    /// The engine's classes. Undefined if it lacks them.
    Blob,
    AbortSignal,
    ReadableStream,
    WritableStream,
    Uint8Array,
    /// The prototypes of the events that this library makes.
    PlainEvent,
    Message,
    Close,
    /// The ports of a message: empty and frozen.
    NoPorts,
    /// Runs when a script that has sent something ends.
    ScriptEnd,
    WebSocket,
    /// Undefined in an engine without streams.
    WebSocketStream,
    WebSocketError,
    /// The symbol of the property that holds the code and the reason of a `WebSocketError`.
    CloseState,
    /// The function of [`FAST_MESSAGES`] in an engine that runs scripts. Otherwise undefined.
    FastMessages,
}

/// Creates a message and calls its only listener, with one call into the engine instead of three. `make` returns the function
/// for messages that inherit from `template`, and `current` the current message. It ignores a property `call` of the listener.
const FAST_MESSAGES: &str = "(() => {
  const { call } = Function.prototype;
  let current;
  return {
    make(template) {
      function Message(data) { this.data = data; }
      Message.prototype = template;
      return (listener, target, data) => {
        const outer = current;
        const message = new Message(data);
        current = message;
        try { call.call(listener, target, message); } finally { current = outer; }
      };
    },
    current: () => current,
  };
})()";

/// An event that is being dispatched.
#[derive(Clone, Copy)]
pub struct Frame {
    /// `None` for the current message of [`FAST_MESSAGES`].
    event: Option<Value<'static>>,
    pub target: Value<'static>,
    /// No further listener is called.
    pub stopped: bool,
    /// The listener is passive. It cannot cancel the event.
    pub passive: bool,
}

/// See the module.
pub struct Realm {
    /// An array. The engine keeps no reference to a text by itself.
    constants: Reference,
    /// The innermost event is the last.
    frames: RefCell<Vec<Frame>>,
    /// Events of a connection are being delivered. All listeners of one delivery count as one script.
    delivers: Cell<bool>,
    /// The sockets on which the running script has sent something.
    unsettled: RefCell<Vec<Rc<Cell<bool>>>>,
    /// The end of the script will be reported.
    awaits_script_end: Cell<bool>,
    began: Instant,
    /// The engine has `Event` and dispatches events itself.
    pub has_events: bool,
}

impl Realm {
    /// Looks up the engine's classes and functions.
    pub fn new(env: Engine) -> Result<Self, EngineError> {
        let global = env.global()?;
        let constants = env.array(&[])?;
        let set = |constant: Constant, value: Value<'_>| constants.set_element(constant as u32, value);
        let object = global.get(c"Object")?;
        set(Constant::Create, object.get(c"create")?)?;
        set(Constant::SetPrototypeOf, object.get(c"setPrototypeOf")?)?;
        set(Constant::DefineProperty, object.get(c"defineProperty")?)?;
        set(Constant::Freeze, object.get(c"freeze")?)?;
        set(Constant::ArrayFrom, global.get(c"Array")?.get(c"from")?)?;
        set(Constant::Construct, global.get(c"Reflect")?.get(c"construct")?)?;
        set(Constant::State, env.symbol("state")?)?;
        set(Constant::Holder, env.symbol("listeners")?)?;
        set(Constant::Data, env.string("data")?)?;
        let fast = env.run_script(FAST_MESSAGES).map_or_else(|| env.undefined(), Ok)?;
        set(Constant::FastMessages, fast)?;
        let mut has_events = false;
        for (constant, name) in [
            (Constant::Event, c"Event"),
            (Constant::MessageEvent, c"MessageEvent"),
            (Constant::CloseEvent, c"CloseEvent"),
            (Constant::EventTarget, c"EventTarget"),
            (Constant::DomException, c"DOMException"),
            (Constant::Blob, c"Blob"),
            (Constant::AbortSignal, c"AbortSignal"),
            (Constant::ReadableStream, c"ReadableStream"),
            (Constant::WritableStream, c"WritableStream"),
            (Constant::Uint8Array, c"Uint8Array"),
        ] {
            let class = global.get(name)?;
            let is_class = class.type_of() == Type::Function;
            has_events |= is_class && constant == Constant::Event;
            set(constant, if is_class { class } else { env.undefined()? })?;
        }
        Ok(Self {
            constants: Reference::new(constants)?,
            frames: RefCell::default(),
            delivers: Cell::default(),
            unsettled: RefCell::default(),
            awaits_script_end: Cell::default(),
            began: Instant::now(),
            has_events,
        })
    }

    pub fn get<'env>(&self, constant: Constant) -> Result<Value<'env>, EngineError> {
        self.constants.value()?.element(constant as u32)
    }

    /// Sets a value that was unknown when the realm was created.
    pub fn set(&self, constant: Constant, value: Value<'_>) -> Result<(), EngineError> {
        self.constants.value()?.set_element(constant as u32, value)
    }

    /// The class, if the engine has it.
    pub fn class<'env>(&self, constant: Constant) -> Option<Value<'env>> {
        self.get(constant).ok().filter(|class| class.type_of() == Type::Function)
    }

    /// Makes an object with that prototype.
    pub fn create<'env>(&self, prototype: Value<'env>) -> Result<Value<'env>, EngineError> {
        self.get(Constant::Create)?.call(prototype, [prototype])
    }

    /// Makes `derived`, a class, extend `base`.
    pub fn extend(&self, derived: Value<'_>, base: Value<'_>) -> Result<(), EngineError> {
        let set = self.get(Constant::SetPrototypeOf)?;
        set.call(derived, [derived, base])?;
        let prototype = derived.get(c"prototype")?;
        set.call(derived, [prototype, base.get(c"prototype")?])?;
        Ok(())
    }

    /// Milliseconds, as in `performance.now`. Without that function, since the library was loaded.
    pub fn now(&self, env: Engine) -> f64 {
        let told = || {
            let performance = env.global()?.get(c"performance")?;
            if !performance.is_object() {
                return Err(EngineError);
            }
            performance.get(c"now")?.call(performance, [])?.to_number().ok_or(EngineError)
        };
        told().unwrap_or_else(|EngineError| self.began.elapsed().as_secs_f64() * 1_000.0)
    }

    /// Calls `run` while `event` is being dispatched to `target`.
    pub fn dispatching(&self, event: Option<Value<'_>>, target: Value<'_>, run: impl FnOnce()) {
        let adopt = |value: Value<'_>| value.env().adopt(value.raw());
        let frame = Frame { event: event.map(adopt), target: adopt(target), stopped: false, passive: false };
        self.frames.borrow_mut().push(frame);
        run();
        self.frames.borrow_mut().pop();
    }

    /// The frame of a current event. `None` for any other event.
    pub fn frame(&self, event: Value<'_>) -> Option<Frame> {
        let at = self.position(event)?;
        self.frames.borrow().get(at).copied()
    }

    /// The place of its frame.
    fn position(&self, event: Value<'_>) -> Option<usize> {
        let event: Value<'static> = event.env().adopt(event.raw());
        let frames: Vec<Option<Value<'static>>> =
            self.frames.borrow().iter().map(|frame| frame.event).collect();
        frames.into_iter().rposition(|known| {
            known.or_else(|| self.fast_message()).is_some_and(|known| known.is_same(event))
        })
    }

    /// The current message of [`FAST_MESSAGES`].
    fn fast_message(&self) -> Option<Value<'static>> {
        let fast: Value<'static> = self.get(Constant::FastMessages).ok()?;
        fast.get(c"current").and_then(|current| current.call(fast, [])).ok()
    }

    /// The function that calls one listener with messages that inherit from `template`, if the engine runs scripts.
    pub fn fast_messages<'env>(&self, template: Value<'env>) -> Result<Value<'env>, EngineError> {
        let fast = self.get(Constant::FastMessages)?;
        if fast.is_object() { fast.get(c"make")?.call(fast, [template]) } else { Ok(fast) }
    }

    /// Whether the dispatch of the innermost event was stopped.
    pub fn is_stopped(&self) -> bool {
        self.frames.borrow().last().is_some_and(|frame| frame.stopped)
    }

    /// Stops the dispatch of this event.
    pub fn stop(&self, event: Value<'_>) {
        if let Some(at) = self.position(event)
            && let Some(frame) = self.frames.borrow_mut().get_mut(at)
        {
            frame.stopped = true;
        }
    }

    /// Sets whether the next listener of the innermost event is passive.
    pub fn set_passive(&self, passive: bool) {
        if let Some(frame) = self.frames.borrow_mut().last_mut() {
            frame.passive = passive;
        }
    }

    /// The delivery of a connection's events starts.
    pub fn begin_delivery(&self) {
        self.delivers.set(true);
    }

    /// The delivery has ended, except for asynchronous parts of listeners.
    pub fn end_delivery(&self) {
        self.delivers.set(false);
        self.settle();
    }

    /// Sets `settled` when the running script ends.
    pub fn settle_later(&self, env: Engine, settled: &Rc<Cell<bool>>) -> Result<(), EngineError> {
        settled.set(false);
        self.unsettled.borrow_mut().push(settled.clone());
        if self.delivers.get() || self.awaits_script_end.replace(true) {
            return Ok(());
        }
        let promise = env.settled(Ok(env.undefined()?))?;
        promise.get(c"then")?.call(promise, [self.get(Constant::ScriptEnd)?]).map(|_| ())
    }

    /// The running script has ended.
    pub fn script_ended(&self) {
        self.awaits_script_end.set(false);
        self.settle();
    }

    fn settle(&self) {
        for settled in self.unsettled.take() {
            settled.set(true);
        }
    }
}
