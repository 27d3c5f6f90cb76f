//! The object that `createWebSocket` returns: its class, its state and its life.

mod calls;
mod delivery;
mod known;
mod listening;
pub mod methods;
mod promises;
mod sending;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::CStr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use napi_derive_ohos::napi;
use napi_ohos::JsValue;
use napi_ohos::bindgen_prelude::This;

use self::promises::Promises;
use self::sending::Sending;
use super::abort_signal::AbortSubscription;
use super::event::{Event, EventType};
use super::js_listener::{JsListener, Wanted};
use super::js_waker::JsWaker;
use super::message_iterator::MessageIterator;
use super::napi::{Engine, EngineError, Reference, Value};
use crate::client::{Client, SEND_LIMIT_BYTES, close_code, truncate_reason};
use crate::event_queue::{EventReceiver, event_queue};

/// Sent when a signal is aborted between the server's answer and the event `open`: going away (RFC 6455 section 7.4.1).
const ABORT_CLOSE_CODE: u32 = 1001;

/// The hidden property of the JavaScript object that holds its listeners. There the garbage collector sees them: an unused
/// object without a connection is collected, whatever its listeners refer to.
const LISTENERS: &CStr = c"__listeners";

/// A WebSocket client (RFC 6455): one connection at a time, any number one after the other.
///
/// All methods and listeners run on the thread that made the object. Listeners are called one at a time, in this order
/// for each connection: `headerReceive`, `open`, any `message` (with `receivePieces`, its `piece`s) each followed by
/// `dataEnd`, at most one `error`, `close`; a connection that never opened ends with `error` alone, or with `close` alone if the
/// application closed it.
/// @since 6
#[napi]
pub struct WebSocket {
    binding: Rc<Binding>,
}

/// The state that the JavaScript object and the delivery of its events share.
struct Binding {
    client: Client,
    wanted: Arc<Wanted>,
    events: EventReceiver<Event>,
    waker: Arc<JsWaker>,
    /// The object that holds the listeners, while events can come.
    listeners: RefCell<Option<Reference>>,
    /// The URL of the last `connect`, and the URL of its connection if that differs.
    url: RefCell<String>,
    elsewhere: RefCell<Option<Box<str>>>,
    sending: Sending,
    promises: Promises,
    iterator: MessageIterator,
    /// Whether a lost connection is followed by another attempt.
    reconnects: Cell<bool>,
    /// The attempts that the application has closed before they were open, oldest first.
    closed_early: RefCell<VecDeque<ClosedEarly>>,
    /// Cancels the current attempt when its signal is aborted.
    signal: RefCell<Option<AbortSubscription>>,
    /// The number of attempts begun, and of those whose last event was delivered. The next attempt may begin between `close` and
    /// its event.
    begun: Cell<u64>,
    ended: Cell<u64>,
    /// The number of events `open` delivered. The client counts its connections in the same way, but when they are made.
    connections: Cell<u64>,
    /// The event `open` of the last attempt was delivered.
    opened: Cell<bool>,
    /// The events that have a listener, by [`EventType::bit`].
    listened: Cell<u16>,
    /// A listener was set or removed since the last delivery.
    listeners_changed: Cell<bool>,
    /// The engine has collected the JavaScript object.
    collected: Cell<bool>,
}

/// An attempt that the application has closed, and with what. It ends with the event `close`.
struct ClosedEarly {
    attempt: u64,
    code: u16,
    reason: String,
}

/// The constructor of our class, one for each environment. A thread may have several environments, also at once.
struct Classes {
    web_socket: Reference,
}

/// Prepares the class, and keeps its constructor for `create` while the environment lives.
pub fn load(env: Engine, exports: Value<'_>) -> Result<(), EngineError> {
    let constructor = exports.get(c"WebSocket")?;
    let prototype = constructor.get(c"prototype")?;
    // For `for await`. An engine without the symbol lacks that loop.
    let symbol = env.global()?.get(c"Symbol")?.get(c"asyncIterator")?;
    if !symbol.is_absent() {
        prototype.set_by_value(symbol, env.function(|call| Ok(call.this.env().adopt(call.this.raw())))?)?;
    }
    env.set_instance_data(Box::new(Classes { web_socket: Reference::new(constructor)? }))
}

/// Makes the JavaScript object. The engine owns it and its Rust value.
pub fn create(env: Engine) -> Result<Value<'static>, EngineError> {
    let (sender, events) = event_queue();
    let waker = Arc::new(JsWaker::default());
    let wanted = Arc::new(Wanted::default());
    let listener = JsListener::new(sender, waker.clone(), wanted.clone());
    let client = Client::new(Box::new(listener), SEND_LIMIT_BYTES);
    let binding = Rc::new(Binding {
        client,
        wanted,
        events,
        waker,
        listeners: RefCell::default(),
        url: RefCell::default(),
        elsewhere: RefCell::default(),
        sending: Sending::default(),
        promises: Promises::default(),
        iterator: MessageIterator::default(),
        reconnects: Cell::default(),
        closed_early: RefCell::default(),
        signal: RefCell::default(),
        begun: Cell::default(),
        ended: Cell::default(),
        connections: Cell::default(),
        opened: Cell::default(),
        listened: Cell::default(),
        listeners_changed: Cell::default(),
        collected: Cell::default(),
    });

    // napi-ohos would keep a reference to the object. On ArkTS that reference is strong from the start, so the object would
    // never be collected. So the instance is made and wrapped here, without a reference.
    // SAFETY: `load` gave this type, and nothing else in the library sets instance data.
    let classes = unsafe { env.instance_data::<Classes>() }?;
    napi_ohos::__private::___CALL_FROM_FACTORY.set(true);
    let object = classes.web_socket.value().and_then(Value::construct);
    napi_ohos::__private::___CALL_FROM_FACTORY.set(false);
    let object = object?;
    object.set_hidden(LISTENERS, env.object()?)?;
    let web_socket = Box::new(WebSocket { binding });
    known::note(&*web_socket);
    object.own(web_socket)?;
    Ok(object)
}

impl Drop for WebSocket {
    /// The engine has collected the object. Closes a connection without listeners and promises; any other continues until it ends.
    fn drop(&mut self) {
        known::forget(self);
        self.binding.collected.set(true);
        self.binding.release_unreachable();
    }
}

impl Binding {
    /// Cancels the attempt, since the signal was aborted.
    fn abandon(&self) {
        // The attempt may have ended meanwhile, which is no error: its last event is queued.
        let _ = self.client.close(ABORT_CLOSE_CODE, "aborted");
    }

    /// Notes that the application has closed the current attempt, with what it closed it first.
    fn close_early(&self, code: u32, reason: &str) {
        let attempt = self.begun.get();
        let mut closed_early = self.closed_early.borrow_mut();
        if self.ended.get() < attempt && closed_early.back().is_none_or(|early| early.attempt != attempt) {
            let (code, reason) = (close_code(code).into(), truncate_reason(reason).to_owned());
            closed_early.push_back(ClosedEarly { attempt, code, reason });
        }
    }

    /// Ends the subscription to the signal: it cannot cancel an open or ended connection.
    fn unsubscribe_from_signal(&self) {
        let subscription = self.signal.borrow_mut().take();
        if let Some(subscription) = subscription {
            subscription.cancel();
        }
    }

    /// Notes that `listened` are now the events with a listener, also for the session.
    fn note_listeners(&self, listened: u16) {
        self.listened.set(listened);
        let has = |event: EventType| listened & event.bit() != 0;
        self.wanted.preparation.store(has(EventType::Prepare), Ordering::Relaxed);
        self.wanted.frames.store(has(EventType::Frame), Ordering::Relaxed);
        self.listeners_changed.set(true);
    }
}

fn listeners_of<'env>(env: Engine, this: &This<'env>) -> Result<Value<'env>, EngineError> {
    env.adopt(this.object.raw()).get(LISTENERS)
}
