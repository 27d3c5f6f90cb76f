//! Delivers the events of a `web.WebSocket` to the listeners of an event target. Keeps the state that the standard defines for
//! the object.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::event::{CloseFacts, message_template, trusted};
use super::realm::{Constant, Realm};
use super::target::{Callable, Dispatch, FAST_MESSAGES, TARGET, TEMPLATE, Target, callables, realm_of};
use super::unsent::Unsent;
use crate::arkts::binding::{Audience, Binding, Flow};
use crate::arkts::event::{Event, MessageData, Terminal};
use crate::arkts::napi::{Engine, EngineError, Value};
use crate::client::{CloseCode, Closed, MessageType, PeerClose, PiecePosition};
use crate::event_queue::EventReceiver;

/// The states of the object (WHATWG WebSockets section 3.1), in step with its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReadyState {
    Connecting,
    Open,
    Closing,
    Closed,
}

/// The type of a binary message for the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryType {
    Blob,
    ArrayBuffer,
}

/// An entry of the queue behind a Blob.
pub enum Outgoing {
    Message(MessageType, Vec<u8>),
    /// The Blob with this number, which is being read.
    Blob(u64),
    Close(Option<u16>, String),
}

/// The state of a `web.WebSocket` in addition to its client.
pub struct Hearing {
    pub target: Rc<Target>,
    pub state: Cell<ReadyState>,
    pub binary_type: Cell<BinaryType>,
    /// The scheme, host and port of the URL: the origin of its messages.
    origin: String,
    /// A lost connection is followed by another attempt. Its events can come again.
    reconnects: bool,
    /// A connection was open. Sub-protocol and extensions are known.
    pub was_open: Cell<bool>,
    /// The connection failed. The event `error` comes before `close`.
    pub failed: Cell<bool>,
    /// The script closed before the event `open`. For the script there never was a connection.
    pub given_up: Cell<bool>,
    /// The messages that wait behind a Blob.
    pub outbox: RefCell<VecDeque<Outgoing>>,
    pub unsent: Unsent,
    /// No running script has sent anything, so the client knows the number of unsent bytes.
    pub settled: Rc<Cell<bool>>,
    /// The version of the listeners that have finished handling a message.
    heard: Cell<u32>,
}

/// The types of events that can still come in each state.
const COMING: [&[&str]; 4] =
    [&["open", "message", "error", "close"], &["message", "error", "close"], &["error", "close"], &[]];

impl Hearing {
    pub fn new(origin: String, binary_type: BinaryType, reconnects: bool) -> Self {
        let target = Rc::new(Target::default());
        target.set_coming(COMING[0]);
        Self {
            target,
            state: Cell::new(ReadyState::Connecting),
            binary_type: Cell::new(binary_type),
            origin,
            reconnects,
            was_open: Cell::default(),
            failed: Cell::default(),
            given_up: Cell::default(),
            outbox: RefCell::default(),
            unsent: Unsent::default(),
            settled: Rc::new(Cell::new(true)),
            heard: Cell::default(),
        }
    }

    pub fn enter(&self, state: ReadyState) {
        self.state.set(state);
        let first =
            if self.reconnects && state < ReadyState::Closing { ReadyState::Connecting } else { state };
        self.target.set_coming(COMING[first as usize]);
    }

    /// Updates the unsent bytes, unless the running script has sent something. For that script none of it is sent yet.
    pub fn look(&self, binding: &Binding<Self>) {
        if self.settled.get() {
            self.unsent.look(&binding.client);
        }
    }
}

/// The listeners of a socket, valid in one handle scope.
pub struct Listeners<'scope> {
    env: Engine,
    hearing: &'scope Hearing,
    realm: &'scope Realm,
    holder: Value<'scope>,
    object: Value<'scope>,
    undefined: Value<'scope>,
    /// The data needed to deliver a message, once one has arrived.
    message: Option<ForMessages<'scope>>,
}

/// The data needed to create and deliver messages.
struct ForMessages<'scope> {
    /// The version of these listeners.
    version: u32,
    callables: Vec<Callable<'scope>>,
    template: Value<'scope>,
    create: Value<'scope>,
    data: Value<'scope>,
    /// The only listener, and the function that creates a message and calls it.
    fast: Option<(Value<'scope>, Value<'scope>)>,
}

impl<'scope> ForMessages<'scope> {
    fn new(
        hearing: &Hearing,
        realm: &Realm,
        holder: Value<'scope>,
        object: Value<'scope>,
    ) -> Result<Self, EngineError> {
        let callables = callables(&hearing.target, holder, "message")?;
        let template = template(hearing, realm, holder, object)?;
        let function = match callables.as_slice() {
            [only] => only.lasting_function(),
            _ => None,
        };
        let fast = match (function, holder.element(FAST_MESSAGES)?) {
            (Some(function), fast) if !fast.is_undefined() => Some((function, fast)),
            _ => None,
        };
        Ok(Self {
            version: hearing.target.version.get(),
            callables,
            template,
            create: realm.get(Constant::Create)?,
            data: realm.get(Constant::Data)?,
            fast,
        })
    }
}

impl Audience for Hearing {
    type Listeners<'scope> = Listeners<'scope>;

    fn object<'scope>(&self) -> Option<Value<'scope>> {
        self.target.held()
    }

    fn keep(&self, _object: Value<'_>) -> Result<(), EngineError> {
        Ok(())
    }

    fn release(&self) {
        self.target.set_coming(&[]);
    }

    fn listeners<'scope>(
        &'scope self,
        env: Engine,
        holder: Value<'scope>,
    ) -> Result<Listeners<'scope>, EngineError> {
        let realm = realm_of(env)?;
        let (object, undefined) = (holder.element(TARGET)?, env.undefined()?);
        realm.begin_delivery();
        Ok(Listeners { env, hearing: self, realm, holder, object, undefined, message: None })
    }

    fn note(&self, binding: &Binding<Self>, _env: Engine, event: &Event) {
        match event {
            Event::Message(..) | Event::Piece(..) => {}
            Event::Opened(_) if self.given_up.get() => {}
            Event::Opened(_) => {
                self.was_open.set(true);
                if self.state.get() == ReadyState::Connecting {
                    self.enter(ReadyState::Open);
                }
            }
            Event::Reconnecting(_) => {
                if self.state.get() < ReadyState::Closing {
                    self.enter(ReadyState::Connecting);
                }
            }
            Event::Failed(_, terminal) => {
                self.failed.set(true);
                if *terminal == Terminal::Yes {
                    self.enter(ReadyState::Closed);
                }
            }
            Event::Closed(closed) => {
                self.enter(ReadyState::Closed);
                if closed.unsent == 0 {
                    self.unsent.none_is_queued();
                }
            }
            Event::Pong(..)
            | Event::Sent(..)
            | Event::Drained
            | Event::Frame(..)
            | Event::Statistics(_)
            | Event::Prepare(_)
            | Event::Reconnected(_) => {}
        }
        self.look(binding);
    }

    fn message(
        listeners: &mut Listeners<'_>,
        kind: MessageType,
        data: MessageData,
        events: &EventReceiver<Event>,
    ) -> Flow {
        listeners.message(kind, data, events).unwrap_or_else(|EngineError| {
            listeners.env.report_exception();
            Flow::Continue
        })
    }

    fn piece(
        _listeners: &mut Listeners<'_>,
        _kind: MessageType,
        _part: PiecePosition,
        _data: MessageData,
        _events: &EventReceiver<Event>,
    ) {
    }

    fn other(listeners: &mut Listeners<'_>, event: Event) -> Flow {
        listeners.other(event)
    }

    fn can_hear(&self, _open: bool, _reconnects: bool) -> bool {
        self.target.is_awaited() || !self.outbox.borrow().is_empty()
    }
}

impl<'scope> Listeners<'scope> {
    fn message(
        &mut self,
        kind: MessageType,
        data: MessageData,
        events: &EventReceiver<Event>,
    ) -> Result<Flow, EngineError> {
        let Self { env, hearing, realm, holder, object, undefined, .. } = *self;
        let version = hearing.target.version.get();
        // After its own `close` a script gets no messages.
        if hearing.state.get() != ReadyState::Open {
            return Ok(Flow::Continue);
        }
        let message = match &mut self.message {
            Some(message) if message.version == version => message,
            outdated => outdated.insert(ForMessages::new(hearing, realm, holder, object)?),
        };
        if message.callables.is_empty() {
            return Ok(Flow::Continue);
        }
        let mut value = data.into_value(env, kind, events)?;
        if kind == MessageType::Binary
            && hearing.binary_type.get() == BinaryType::Blob
            && let Some(blob) = realm.class(Constant::Blob)
        {
            value = blob.construct_with([env.array(&[value])?])?;
        }
        let target = &*hearing.target;
        if let Some((listener, fast)) = message.fast {
            realm.dispatching(None, object, || {
                if fast.call(undefined, [listener, object, value]).is_err() {
                    env.report_exception();
                }
            });
        } else {
            let event = message.create.call(undefined, [message.template])?;
            event.set_by_value(message.data, value)?;
            Dispatch { realm, target, holder, kind: "message", object, event }.call(&message.callables);
        }
        // A script that awaits one message can set the next listener after the script of this one has ended.
        let version = target.version.get();
        Ok(if hearing.heard.replace(version) == version { Flow::Continue } else { Flow::Yield })
    }

    fn other(&self, event: Event) -> Flow {
        let failure = || CloseFacts { was_clean: false, code: CloseCode::Abnormal.into(), reason: "" };
        match event {
            Event::Opened(_) if self.hearing.given_up.get() => {}
            Event::Opened(_) => self.fire("open", None),
            Event::Failed(_, Terminal::Yes) => {
                self.fire("error", None);
                self.fire("close", Some(failure()));
            }
            Event::Closed(closed) => {
                let given_up = self.hearing.given_up.get();
                if self.hearing.failed.get() || given_up {
                    self.fire("error", None);
                }
                let Closed { code, reason, peer, .. } = &*closed;
                let facts = match peer {
                    _ if given_up => failure(),
                    PeerClose::None => failure(),
                    PeerClose::Reported => CloseFacts { was_clean: true, code: *code, reason },
                    PeerClose::Answered(code, reason) => CloseFacts { was_clean: true, code: *code, reason },
                };
                self.fire("close", Some(facts));
            }
            Event::Failed(_, Terminal::No)
            | Event::Message(..)
            | Event::Piece(..)
            | Event::Pong(..)
            | Event::Sent(..)
            | Event::Drained
            | Event::Frame(..)
            | Event::Statistics(_)
            | Event::Reconnecting(_)
            | Event::Prepare(_)
            | Event::Reconnected(_) => return Flow::Continue,
        }
        Flow::Yield
    }

    /// Creates an event and calls its listeners, if any.
    fn fire(&self, kind: &str, close: Option<CloseFacts<'_>>) {
        let Self { env, hearing, realm, holder, object, .. } = *self;
        let target = &*hearing.target;
        if !target.has(kind) {
            return;
        }
        let made = trusted(realm, object, kind, close).and_then(|event| {
            let callables = callables(target, holder, kind)?;
            Dispatch { realm, target, holder, kind, object, event }.call(&callables);
            Ok(())
        });
        if made.is_err() {
            env.report_exception();
        }
    }
}

impl Drop for Listeners<'_> {
    fn drop(&mut self) {
        self.realm.end_delivery();
    }
}

/// The prototype of a socket's messages, created for the first one.
fn template<'scope>(
    hearing: &Hearing,
    realm: &Realm,
    holder: Value<'scope>,
    object: Value<'scope>,
) -> Result<Value<'scope>, EngineError> {
    let known = holder.element(TEMPLATE)?;
    if !known.is_undefined() {
        return Ok(known);
    }
    let template = message_template(realm, object, &hearing.origin)?;
    holder.set_element(TEMPLATE, template)?;
    holder.set_element(FAST_MESSAGES, realm.fast_messages(template)?)?;
    Ok(template)
}
