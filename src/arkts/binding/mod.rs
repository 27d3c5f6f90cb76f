//! A client and its state on JavaScript's thread, for any kind of JavaScript object.
//!
//! Begins attempts and delivers their events to an [`Audience`]. Knows neither the object nor its listeners.

mod delivery;
mod promises;
mod sending;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub use self::promises::Promises;
pub use self::sending::{Sending, not_data};
use super::abort_signal::{AbortSubscription, Signal};
use super::error::ApiError;
use super::event::{Event, MessageData};
use super::js_listener::{JsListener, Wanted};
use super::js_waker::JsWaker;
use super::message_iterator::MessageIterator;
use super::napi::{Engine, EngineError, Value};
use super::options::ConnectOptions;
use crate::client::{
    AlreadyConnected, Client, Error, MessageType, PiecePosition, Request, SEND_LIMIT_BYTES, State,
    close_code, truncate_reason,
};
use crate::event_queue::{EventReceiver, event_queue};
use crate::platform::may_use_network;

/// Sent if a signal is aborted between the server's answer and the event `open`: going away (RFC 6455 section 7.4.1).
const ABORT_CLOSE_CODE: u32 = 1001;

/// Receives the events of a client.
pub trait Audience: Sized + 'static {
    /// Its listeners, looked up for one handle scope.
    type Listeners<'scope>;

    /// The object that holds the listeners, if one can exist for future events.
    fn object<'scope>(&self) -> Option<Value<'scope>>;

    /// Keeps that object alive until [`Audience::release`].
    fn keep(&self, object: Value<'_>) -> Result<(), EngineError>;

    /// No event follows.
    fn release(&self);

    /// Looks up the listeners that `object` holds.
    fn listeners<'scope>(
        &'scope self,
        env: Engine,
        object: Value<'scope>,
    ) -> Result<Self::Listeners<'scope>, EngineError>;

    /// Called before the listeners get an event, also without listeners.
    fn note(&self, binding: &Binding<Self>, env: Engine, event: &Event);

    /// Calls the listeners of a message.
    fn message(
        listeners: &mut Self::Listeners<'_>,
        kind: MessageType,
        data: MessageData,
        events: &EventReceiver<Event>,
    ) -> Flow;

    /// Calls the listeners of a piece of a message.
    fn piece(
        listeners: &mut Self::Listeners<'_>,
        kind: MessageType,
        part: PiecePosition,
        data: MessageData,
        events: &EventReceiver<Event>,
    );

    /// Calls the listeners of any other event.
    fn other(listeners: &mut Self::Listeners<'_>, event: Event) -> Flow;

    /// Whether an event can still reach a listener. `open` says that the events of the opening were delivered,
    /// `reconnects` that they can come again.
    fn can_hear(&self, open: bool, reconnects: bool) -> bool;
}

/// Whether the next event may follow at once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    Continue,
    /// Pending work of the listeners, such as the rest of an async function, must run first.
    Yield,
}

/// The state that a JavaScript object and the delivery of its events share.
pub struct Binding<A> {
    pub audience: A,
    pub client: Client,
    pub wanted: Arc<Wanted>,
    pub events: EventReceiver<Event>,
    pub waker: Arc<JsWaker>,
    /// The URL of the last attempt, and the URL of its connection if that differs.
    pub url: RefCell<String>,
    pub elsewhere: RefCell<Option<Box<str>>>,
    pub sending: Sending,
    pub promises: Promises,
    pub iterator: MessageIterator,
    /// Whether another attempt follows a lost connection.
    reconnects: Cell<bool>,
    /// The attempts that the application closed before they opened, oldest first.
    closed_early: RefCell<VecDeque<ClosedEarly>>,
    /// Cancels the current attempt when its signal is aborted.
    signal: RefCell<Option<AbortSubscription>>,
    /// The number of started attempts, and of those whose last event was delivered. The next attempt can start between the call
    /// of `close` and its event.
    pub begun: Cell<u64>,
    pub ended: Cell<u64>,
    /// The number of delivered `open` events. The client counts its connections in the same way, but when they open.
    connections: Cell<u64>,
    /// The event `open` of the last attempt was delivered.
    pub opened: Cell<bool>,
    /// The engine has collected the JavaScript object.
    collected: Cell<bool>,
}

/// An attempt that the application has closed, with the code and the reason. It ends with the event `close`.
struct ClosedEarly {
    attempt: u64,
    code: u16,
    reason: String,
}

impl<A: Audience> Binding<A> {
    pub fn new(audience: A) -> Rc<Self> {
        let (sender, events) = event_queue();
        let waker = Arc::new(JsWaker::default());
        let wanted = Arc::new(Wanted::default());
        let listener = JsListener::new(sender, waker.clone(), wanted.clone());
        let client = Client::new(Box::new(listener), SEND_LIMIT_BYTES);
        Rc::new(Self {
            audience,
            client,
            wanted,
            events,
            waker,
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
            collected: Cell::default(),
        })
    }

    /// Begins an attempt. `listeners` is kept until its last event, if it is given.
    pub fn begin(
        self: &Rc<Self>,
        env: Engine,
        url: String,
        options: ConnectOptions<'_>,
        listeners: Option<Value<'_>>,
    ) -> Result<(), ApiError> {
        let ConnectOptions { request, send_limits, sends_wait, signal } = options;
        let (in_pieces, reconnects) = (request.session.in_pieces, request.reconnect.is_some());
        let drops_queue = request.reconnect.as_ref().is_some_and(|again| !again.keep_queue);
        if !may_use_network() {
            return Err(ApiError::no_permission("connect"));
        }
        let request = Request::parse(&url, request)?;
        if !matches!(self.client.state(), State::Idle | State::Closed) {
            return Err(AlreadyConnected.into());
        }
        if let Some(missing) = request.missing_file() {
            return Err((&Error::from(missing)).into());
        }
        if signal.is_some_and(Signal::is_aborted) {
            return Err(ApiError::other("connect: the signal is already aborted"));
        }
        let broken =
            |_: EngineError| ApiError::other("connect: the engine has no memory for another connection");
        if let Some(listeners) = listeners {
            self.audience.keep(listeners).map_err(broken)?;
        }
        self.waker.install(env, self.clone()).map_err(broken)?;
        self.client.set_send_limits(send_limits);
        self.url.replace(url);
        self.elsewhere.take();
        self.wanted.pieces.store(in_pieces, Ordering::Relaxed);
        self.client.connect(request)?;
        self.begun.set(self.begun.get() + 1);
        self.opened.set(false);
        self.reconnects.set(reconnects);
        self.sending.begin(&self.promises, sends_wait, drops_queue);
        self.iterator.begin(&self.events);
        self.unsubscribe_from_signal();
        if let Some(signal) = signal {
            let weak = Rc::downgrade(self);
            let abort = move || {
                if let Some(binding) = weak.upgrade() {
                    binding.abandon();
                }
            };
            match signal.subscribe(abort) {
                Ok(subscription) => drop(self.signal.replace(Some(subscription))),
                Err(EngineError) => env.report_exception(),
            }
        }
        Ok(())
    }

    /// The engine has collected the JavaScript object. A connection without listeners and promises is closed; any other
    /// continues until it ends.
    pub fn collected(&self) {
        self.collected.set(true);
        self.release_unreachable();
    }

    /// Cancels the attempt, because the signal was aborted.
    fn abandon(&self) {
        // The attempt may have ended already, which is not an error: its last event is queued.
        let _ = self.client.close(ABORT_CLOSE_CODE, "aborted");
    }

    /// Notes that the application has closed the current attempt, with the first code and reason.
    pub fn close_early(&self, code: u32, reason: &str) {
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
}
