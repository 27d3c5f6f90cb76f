//! Delivers the events of a `web.WebSocketStream` to its two streams, which the engine provides, and its two promises.
//!
//! A message goes to the readable stream when it has room. Otherwise it waits here and counts against the event queue, so that
//! the session stops reading from the socket. A write ends when the send queue is short.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::CStr;
use std::rc::{Rc, Weak};

use super::exception::{self, throw, throw_type};
use super::hearing::ReadyState;
use super::realm::Constant;
use super::socket::start_close;
use super::stream_error;
use super::target::realm_of;
use crate::arkts::abort_signal::AbortSubscription;
use crate::arkts::binding::{Audience, Binding, Flow, not_data};
use crate::arkts::error::ApiError;
use crate::arkts::event::{Event, MessageData, Terminal};
use crate::arkts::napi::{Deferred, Engine, EngineError, HeldValue, NoBytes, Reference, Type, Value};
use crate::client::{
    CloseCode, Closed, MessageType, Opened, Outcome, PeerClose, PiecePosition, Receipt, SendError,
};
use crate::event_queue::EventReceiver;

/// A write ends at once while the send queue has at most this many bytes. Otherwise it ends when the kernel has its message.
const WRITE_AHEAD_BYTES: usize = 65_536;

/// The audience of the connection's events.
pub struct Streams {
    /// The data from which the streams are created.
    pub binding: RefCell<Weak<Binding<Self>>>,
    state: Cell<ReadyState>,
    /// The promises of the object, until they are settled.
    opened: RefCell<Option<Deferred>>,
    closed: RefCell<Option<Deferred>>,
    /// Listens to the signal until the connection is open.
    pub signal: RefCell<Option<AbortSubscription>>,
    /// The object, while events can come.
    object: HeldValue,
    /// The controllers of the streams, from the event `open` until the end.
    readable: RefCell<Option<Reference>>,
    writable: RefCell<Option<Reference>>,
    /// Messages that do not fit into the readable stream.
    unread: RefCell<VecDeque<(MessageType, Vec<u8>)>>,
    /// The write whose message the kernel does not have yet.
    write: RefCell<Option<(Receipt, Deferred)>>,
    /// The promise that the writable stream is closed.
    finish: RefCell<Option<Deferred>>,
    /// Why the open connection failed.
    failure: RefCell<Option<String>>,
}

/// How a connection ended.
struct End<'a> {
    clean: bool,
    code: u16,
    reason: &'a str,
    message: &'a str,
}

impl<'a> End<'a> {
    fn abnormal(message: &'a str) -> Self {
        End { clean: false, code: CloseCode::Abnormal.into(), reason: "", message }
    }

    fn of(closed: &'a Closed, failure: Option<&'a str>) -> Self {
        let (code, reason) = match &closed.peer {
            PeerClose::None => {
                return Self::abnormal(
                    failure.unwrap_or("the connection ended without a close frame from the server"),
                );
            }
            PeerClose::Reported => (closed.code, &closed.reason),
            PeerClose::Answered(code, reason) => (*code, reason),
        };
        let clean = failure.is_none() && closed.unsent == 0;
        let message = failure.unwrap_or("the connection was closed before all data was sent");
        End { clean, code, reason, message }
    }
}

impl Streams {
    /// Takes the two promises of the object.
    pub fn new(opened: Deferred, closed: Deferred) -> Self {
        Self {
            binding: RefCell::default(),
            state: Cell::new(ReadyState::Connecting),
            opened: RefCell::new(Some(opened)),
            closed: RefCell::new(Some(closed)),
            signal: RefCell::default(),
            object: HeldValue::default(),
            readable: RefCell::default(),
            writable: RefCell::default(),
            unread: RefCell::default(),
            write: RefCell::default(),
            finish: RefCell::default(),
            failure: RefCell::default(),
        }
    }

    /// The signal was aborted before the connection opened: rejects both promises with its reason.
    pub fn abort(&self, signal: Value<'_>) -> Result<(), EngineError> {
        self.state.set(ReadyState::Closing);
        let reason = match signal.get(c"reason")? {
            // The signal of `createAbortSignal` has no reason.
            reason if reason.is_undefined() => {
                exception::make(signal.env(), "AbortError", "the signal was aborted")?
            }
            reason => reason,
        };
        for promise in [&self.opened, &self.closed] {
            settle(promise.take(), Err(reason));
        }
        Ok(())
    }

    /// Starts the closing handshake, or cancels the attempt. No message is received or sent afterwards.
    pub fn close(&self, binding: &Binding<Self>, code: Option<u16>, reason: &str) {
        if self.state.get() < ReadyState::Closing {
            self.state.set(ReadyState::Closing);
            self.drop_unread(&binding.events);
            start_close(binding, code, reason);
        }
    }

    /// Unsubscribes from the signal, which can no longer cancel the attempt.
    fn unsubscribe(&self) {
        let subscription = self.signal.take();
        if let Some(subscription) = subscription {
            subscription.cancel();
        }
    }

    fn drop_unread(&self, events: &EventReceiver<Event>) {
        let unread = self.unread.take();
        events.release(unread.iter().map(|(_, bytes)| bytes.len()).sum(), unread.len());
    }

    /// The connection is open: makes the streams.
    fn open(&self, env: Engine, opened: &Opened) -> Result<(), EngineError> {
        let Some(binding) = self.binding.borrow().upgrade() else { return Ok(()) };
        // The script may have cancelled the connection.
        if self.state.get() != ReadyState::Connecting {
            return Ok(());
        }
        self.state.set(ReadyState::Open);
        let realm = realm_of(env)?;
        let info = env.object()?;
        info.set(
            c"readable",
            realm.get(Constant::ReadableStream)?.construct_with([source(env, &binding)?])?,
        )?;
        info.set(c"writable", realm.get(Constant::WritableStream)?.construct_with([sink(env, &binding)?])?)?;
        info.set(c"extensions", env.string(opened.extensions.as_deref().unwrap_or_default())?)?;
        info.set(c"protocol", env.string(opened.protocol.as_deref().unwrap_or_default())?)?;
        settle(self.opened.take(), Ok(info));
        Ok(())
    }

    /// A message arrived.
    fn message(
        &self,
        kind: MessageType,
        data: MessageData,
        events: &EventReceiver<Event>,
    ) -> Result<(), EngineError> {
        let controller = self.readable.borrow().as_ref().map(Reference::value).transpose()?;
        let Some(controller) = controller.filter(|_| self.state.get() == ReadyState::Open) else {
            return Ok(());
        };
        let has_room = controller.get(c"desiredSize")?.to_number().is_some_and(|size| size > 0.0);
        if has_room && self.unread.borrow().is_empty() {
            return enqueue(controller, kind, data, events);
        }
        let bytes = data.into_vec(events);
        events.retain(bytes.len());
        self.unread.borrow_mut().push_back((kind, bytes));
        Ok(())
    }

    /// The readable stream has room: passes it the next waiting message, and ends it after the last one.
    fn pull(&self, controller: Value<'_>, events: &EventReceiver<Event>) -> Result<(), EngineError> {
        let next = self.unread.borrow_mut().pop_front();
        if let Some((kind, bytes)) = next {
            events.release(bytes.len(), 1);
            enqueue(controller, kind, MessageData::Own(bytes), events)?;
        }
        if self.state.get() == ReadyState::Closed && self.unread.borrow().is_empty() {
            controller.get(c"close")?.call(controller, [])?;
        }
        Ok(())
    }

    /// The connection has ended: settles the promises, and ends the streams.
    fn end(&self, env: Engine, end: &End<'_>, events: &EventReceiver<Event>) -> Result<(), EngineError> {
        let End { clean, code, reason, message } = *end;
        self.state.set(ReadyState::Closed);
        self.unsubscribe();
        let (write, finish) = (self.write.take(), self.finish.take());
        let [readable, writable] = [&self.readable, &self.writable].map(RefCell::take);
        let over = || exception::make(env, "InvalidStateError", "write: the connection has ended");
        if clean && write.is_none() {
            if self.unread.borrow().is_empty() {
                tell(env, readable, c"close", None);
            }
            match finish {
                Some(finish) => settle(Some(finish), Ok(env.undefined()?)),
                None => tell(env, writable, c"error", Some(over()?)),
            }
            let info = env.object()?;
            info.set(c"closeCode", env.number(f64::from(code))?)?;
            info.set(c"reason", env.string(reason)?)?;
            settle(self.closed.take(), Ok(info));
            return Ok(());
        }
        self.drop_unread(events);
        let error = stream_error::make(env, message, code, reason)?;
        tell(env, readable, c"error", Some(error));
        match (write, finish) {
            (Some((_, write)), _) => {
                let over = over()?;
                tell(env, writable, c"error", Some(over));
                settle(Some(write), Err(over));
            }
            (None, Some(finish)) => settle(Some(finish), Err(error)),
            (None, None) => tell(env, writable, c"error", Some(error)),
        }
        settle(self.opened.take(), Err(error));
        settle(self.closed.take(), Err(error));
        Ok(())
    }
}

/// Calls a method of a stream's controller. An ended stream refuses it, which is not an error.
fn tell(env: Engine, controller: Option<Reference>, method: &CStr, argument: Option<Value<'_>>) {
    let told = controller.map_or(Ok(()), |controller| {
        let (controller, argument) = (controller.value()?, argument.map_or_else(|| env.undefined(), Ok)?);
        controller.get(method)?.call(controller, [argument]).map(|_| ())
    });
    if told.is_err() {
        env.drop_exception();
    }
}

fn settle(deferred: Option<Deferred>, outcome: Result<Value<'_>, Value<'_>>) {
    if let Some(deferred) = deferred {
        deferred.settle(outcome);
    }
}

/// Passes a message to the readable stream: a string for text, a Uint8Array for binary.
fn enqueue(
    controller: Value<'_>,
    kind: MessageType,
    data: MessageData,
    events: &EventReceiver<Event>,
) -> Result<(), EngineError> {
    let env = controller.env();
    let mut chunk = data.into_value(env, kind, events)?;
    if kind == MessageType::Binary {
        chunk = realm_of(env)?.get(Constant::Uint8Array)?.construct_with([chunk])?;
    }
    controller.get(c"enqueue")?.call(controller, [chunk]).map(|_| ())
}

/// The underlying source of the readable stream.
fn source<'env>(env: Engine, binding: &Rc<Binding<Streams>>) -> Result<Value<'env>, EngineError> {
    let source = env.object()?;
    let add =
        |name, body: fn(&Rc<Binding<Streams>>, Value<'static>) -> Result<Value<'static>, EngineError>| {
            add(source, name, binding, body)
        };
    add(c"start", |it, controller| {
        it.audience.readable.replace(Some(Reference::new(controller)?));
        controller.env().undefined()
    })?;
    add(c"pull", |it, controller| {
        it.audience.pull(controller, &it.events)?;
        controller.env().undefined()
    })?;
    add(c"cancel", close_by)?;
    Ok(source)
}

/// The underlying sink of the writable stream.
fn sink<'env>(env: Engine, binding: &Rc<Binding<Streams>>) -> Result<Value<'env>, EngineError> {
    let sink = env.object()?;
    let add =
        |name, body: fn(&Rc<Binding<Streams>>, Value<'static>) -> Result<Value<'static>, EngineError>| {
            add(sink, name, binding, body)
        };
    add(c"start", |it, controller| {
        it.audience.writable.replace(Some(Reference::new(controller)?));
        let (env, weak, signal) = (controller.env(), Rc::downgrade(it), controller.get(c"signal")?);
        if signal.is_object() {
            // Without it, an abort would wait for the current write, which can wait for the server.
            let abort = env.function(move |call| {
                let write = weak.upgrade().and_then(|binding| binding.audience.write.take());
                settle(write.map(|(_, deferred)| deferred), Err(call.this.get(c"reason")?));
                call.env().undefined()
            })?;
            signal.get(c"addEventListener")?.call(signal, [env.string("abort")?, abort])?;
        }
        env.undefined()
    })?;
    add(c"write", write)?;
    add(c"close", |it, argument| {
        let env = argument.env();
        let (promise, deferred) = env.promise()?;
        it.audience.finish.replace(Some(deferred));
        it.audience.close(it, None, "");
        Ok(promise)
    })?;
    add(c"abort", close_by)?;
    Ok(sink)
}

fn add(
    object: Value<'_>,
    name: &CStr,
    binding: &Rc<Binding<Streams>>,
    body: fn(&Rc<Binding<Streams>>, Value<'static>) -> Result<Value<'static>, EngineError>,
) -> Result<(), EngineError> {
    let binding = binding.clone();
    let env = object.env();
    object.set(name, env.function(move |call| body(&binding, call.env().adopt(call.arguments[0].raw())))?)
}

/// A stream was cancelled or aborted: closes with the code and reason of a `WebSocketError`.
fn close_by(binding: &Rc<Binding<Streams>>, reason: Value<'static>) -> Result<Value<'static>, EngineError> {
    let (code, text) = stream_error::close_info_of(reason)?;
    binding.audience.close(binding, code, &text);
    reason.env().undefined()
}

/// Sends a message. Its promise resolves when the send queue is short.
fn write(binding: &Rc<Binding<Streams>>, chunk: Value<'static>) -> Result<Value<'static>, EngineError> {
    let (env, Binding { audience, client, promises, .. }) = (chunk.env(), &**binding);
    let receipt = promises.new_receipt();
    let send = |kind, bytes: &[u8]| client.send_with_receipt(kind, bytes, receipt);
    if audience.state.get() != ReadyState::Open {
        return Err(throw(env, "InvalidStateError", "write: the connection is closing"));
    }
    let sent = if chunk.type_of() == Type::String {
        chunk.with_text(|text| send(MessageType::Text, text)).ok_or(EngineError)?
    } else if is_resizable(chunk)? {
        return Err(throw_type(env, "write: the chunk must not be resizable"));
    } else {
        match chunk.with_bytes(|bytes| send(MessageType::Binary, bytes)) {
            Ok(sent) => sent,
            Err(NoBytes::OtherType) => send(MessageType::Text, chunk.coerce_text()?.as_bytes()),
            Err(why) => return Err(throw_type(env, &format!("write: {}", not_data(why).message))),
        }
    };
    match sent {
        Ok(()) if client.buffered() <= WRITE_AHEAD_BYTES => return env.undefined(),
        Ok(()) => {}
        // The server has started to close or the connection is lost. The event is queued and ends the write.
        Err(SendError::NotConnected) => {}
        Err(error) => return Err(ApiError::from(error).throw(env)),
    }
    let (promise, deferred) = env.promise()?;
    audience.write.replace(Some((receipt, deferred)));
    Ok(promise)
}

/// Whether it is a resizable ArrayBuffer, or a view into one.
fn is_resizable(chunk: Value<'_>) -> Result<bool, EngineError> {
    if !chunk.is_object() || matches!(chunk.with_bytes(|_| ()), Err(NoBytes::OtherType)) {
        return Ok(false);
    }
    let buffer = chunk.get(c"buffer")?;
    let buffer = if buffer.is_object() { buffer } else { chunk };
    Ok(buffer.get(c"resizable")?.to_boolean() == Some(true))
}

/// The environment and the streams, for one handle scope.
pub struct Listeners<'scope>(Engine, &'scope Streams);

impl Audience for Streams {
    type Listeners<'scope> = Listeners<'scope>;

    fn object<'scope>(&self) -> Option<Value<'scope>> {
        self.object.value()
    }

    fn keep(&self, object: Value<'_>) -> Result<(), EngineError> {
        self.object.hold(object)
    }

    fn release(&self) {
        self.object.release();
    }

    fn listeners<'scope>(
        &'scope self,
        env: Engine,
        _: Value<'scope>,
    ) -> Result<Listeners<'scope>, EngineError> {
        Ok(Listeners(env, self))
    }

    fn note(&self, binding: &Binding<Self>, env: Engine, event: &Event) {
        let noted = match event {
            Event::Opened(opened) => {
                self.unsubscribe();
                self.open(env, opened)
            }
            Event::Sent(receipt, Outcome::Sent) => {
                let write = self.write.borrow_mut().take_if(|(of, _)| of == receipt);
                env.undefined().map(|undefined| settle(write.map(|(_, deferred)| deferred), Ok(undefined)))
            }
            Event::Failed(error, Terminal::No) => {
                self.failure.replace(Some(error.message.clone()));
                Ok(())
            }
            Event::Failed(error, Terminal::Yes) => {
                self.end(env, &End::abnormal(&error.message), &binding.events)
            }
            // For the script there never was a connection.
            Event::Closed(_) if self.opened.borrow().is_some() => {
                let message = "the connection was closed before it opened";
                self.end(env, &End::abnormal(message), &binding.events)
            }
            Event::Closed(closed) => {
                let failure = self.failure.take();
                self.end(env, &End::of(closed, failure.as_deref()), &binding.events)
            }
            Event::Message(..)
            | Event::Piece(..)
            | Event::Pong(..)
            | Event::Sent(_, Outcome::Unsent)
            | Event::Drained
            | Event::Frame(..)
            | Event::Statistics(_)
            | Event::Reconnecting(_)
            | Event::Prepare(_)
            | Event::Reconnected(_) => Ok(()),
        };
        if noted.is_err() {
            env.report_exception();
        }
    }

    fn message(
        Listeners(env, streams): &mut Listeners<'_>,
        kind: MessageType,
        data: MessageData,
        events: &EventReceiver<Event>,
    ) -> Flow {
        if streams.message(kind, data, events).is_err() {
            env.report_exception();
        }
        Flow::Continue
    }

    fn piece(
        _: &mut Listeners<'_>,
        _: MessageType,
        _: PiecePosition,
        _: MessageData,
        _: &EventReceiver<Event>,
    ) {
    }

    /// Code that awaits the streams runs before the next event. It may write, and a queued close frame must not
    /// overtake that write.
    fn other(_: &mut Listeners<'_>, event: Event) -> Flow {
        if matches!(event, Event::Opened(_)) { Flow::Yield } else { Flow::Continue }
    }

    fn can_hear(&self, _open: bool, _reconnects: bool) -> bool {
        self.state.get() != ReadyState::Closed
    }
}
