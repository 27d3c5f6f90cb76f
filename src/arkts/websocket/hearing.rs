//! Delivers the events of the object that `createWebSocket` returns: one listener for each event.
//!
//! Knows nothing of sessions and promises.

use std::cell::Cell;

use crate::arkts::binding::{Audience, Binding, Flow};
use crate::arkts::event::{Event, EventType, MessageData};
use crate::arkts::napi::{Engine, EngineError, HeldValue, Type, Value};
use crate::arkts::objects::{
    close_value, error_value, frame_value, headers, open_result, reconnecting_value, statistics_value,
};
use crate::client::{MessageType, PiecePosition, Reconnected};
use crate::event_queue::EventReceiver;

/// Which events of an object have a listener.
#[derive(Default)]
pub struct Hearing {
    /// The object that holds the listeners, while events can come.
    object: HeldValue,
    /// By [`EventType::bit`].
    pub listened: Cell<u16>,
    /// A listener was set or removed since the last delivery.
    pub changed: Cell<bool>,
}

impl Audience for Hearing {
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
        object: Value<'scope>,
    ) -> Result<Listeners<'scope>, EngineError> {
        Listeners::new(env, object, &self.changed)
    }

    fn note(&self, _binding: &Binding<Self>, _env: Engine, _event: &Event) {}

    fn message(
        listeners: &mut Listeners<'_>,
        kind: MessageType,
        data: MessageData,
        events: &EventReceiver<Event>,
    ) -> Flow {
        listeners.message(kind, data, events);
        Flow::Continue
    }

    fn piece(
        listeners: &mut Listeners<'_>,
        kind: MessageType,
        part: PiecePosition,
        data: MessageData,
        events: &EventReceiver<Event>,
    ) {
        listeners.piece(kind, part, data, events);
    }

    fn other(listeners: &mut Listeners<'_>, event: Event) -> Flow {
        listeners.other(event);
        Flow::Continue
    }

    fn can_hear(&self, open: bool, reconnects: bool) -> bool {
        // Events that come once for each connection, and events of reconnecting.
        let once = [EventType::Open, EventType::OpenInfo, EventType::HeaderReceive];
        let returning = [EventType::Reconnecting, EventType::Prepare, EventType::Reconnected];
        let bits = |events: [EventType; 3]| events.into_iter().fold(0, |bits, event| bits | event.bit());
        let silent = match (reconnects, open) {
            (true, _) => 0,
            (false, true) => bits(once) | bits(returning),
            (false, false) => bits(returning),
        };
        self.listened.get() & !silent != 0
    }
}

/// The listeners of a JavaScript object, valid in one handle scope.
pub struct Listeners<'scope> {
    env: Engine,
    object: Value<'scope>,
    undefined: Value<'scope>,
    /// True if a listener was set or removed. The listeners below are then looked up again.
    changed: &'scope Cell<bool>,
    message: Option<Value<'scope>>,
    data_end: Option<Value<'scope>>,
}

impl<'scope> Listeners<'scope> {
    fn new(env: Engine, object: Value<'scope>, changed: &'scope Cell<bool>) -> Result<Self, EngineError> {
        let undefined = env.undefined()?;
        let mut listeners = Self { env, object, undefined, changed, message: None, data_end: None };
        listeners.look_up();
        Ok(listeners)
    }

    fn look_up(&mut self) {
        self.changed.set(false);
        self.message = self.find(EventType::Message);
        self.data_end = self.find(EventType::DataEnd);
    }

    fn find(&self, event: EventType) -> Option<Value<'scope>> {
        let listener = self.object.get(event.property());
        if listener.is_err() {
            self.env.report_exception();
        }
        listener.ok().filter(|listener| listener.type_of() == Type::Function)
    }

    /// Calls the listeners of a message. If one throws, the others are still called.
    fn message(&mut self, kind: MessageType, data: MessageData, events: &EventReceiver<Event>) {
        let Self { env, undefined, .. } = *self;
        let current = |listeners: &mut Self| {
            if listeners.changed.get() {
                listeners.look_up();
            }
        };
        current(self);
        // As on the platform, a message without a listener has no event for its end.
        let Some(listener) = self.message else { return };
        let value = data.into_value(env, kind, events);
        self.report(value.and_then(|value| listener.call(undefined, [undefined, value])));
        current(self);
        if let Some(listener) = self.data_end {
            self.report(listener.call(undefined, [undefined]));
        }
    }

    /// Calls the listeners of a piece of a message in the same way.
    fn piece(
        &self,
        kind: MessageType,
        part: PiecePosition,
        data: MessageData,
        events: &EventReceiver<Event>,
    ) {
        let Self { env, undefined, .. } = *self;
        let heard = self.find(EventType::Piece).is_some();
        self.call(EventType::Piece, || {
            let result = env.object()?;
            result.set(c"data", data.into_value(env, kind, events)?)?;
            result.set(c"first", env.boolean(part.first)?)?;
            result.set(c"last", env.boolean(part.last)?)?;
            Ok([result])
        });
        if part.last && heard {
            self.call(EventType::DataEnd, || Ok([undefined]));
        }
    }

    /// Calls the listeners of any other event in the same way.
    fn other(&self, event: Event) {
        let Self { env, undefined, .. } = *self;
        match event {
            Event::Opened(opened) => {
                self.call(EventType::HeaderReceive, || Ok([headers(env, &opened.headers)?]));
                self.call(EventType::Open, || Ok([undefined, open_result(env, &opened)?]));
                self.call(EventType::OpenInfo, || {
                    let result = open_result(env, &opened)?;
                    if let Some(protocol) = &opened.protocol {
                        result.set(c"protocol", env.string(protocol)?)?;
                    }
                    Ok([undefined, result])
                });
            }
            Event::Pong(payload, round_trip) => self.call(EventType::Pong, || {
                let result = env.object()?;
                result.set(c"data", env.array_buffer(&payload)?)?;
                if let Some(millis) = round_trip {
                    result.set(c"roundTrip", env.number(millis)?)?;
                }
                Ok([result])
            }),
            // Messages and pieces have their own methods. The outcome of a sent message settles a promise.
            Event::Message(..) | Event::Piece(..) | Event::Sent(..) => {}
            Event::Drained => self.call(EventType::Drain, || Ok([undefined])),
            Event::Frame(direction, header) => {
                self.call(EventType::Frame, || Ok([frame_value(env, direction, header)?]));
            }
            Event::Statistics(latest) => {
                if let Some(counted) = latest.take() {
                    self.call(EventType::Stats, || Ok([statistics_value(env, &counted)?]));
                }
            }
            Event::Reconnecting(event) => {
                self.call(EventType::Reconnecting, || Ok([reconnecting_value(env, &event)?]));
            }
            Event::Prepare(event) => {
                self.call(EventType::Prepare, || Ok([reconnecting_value(env, &event)?]));
            }
            Event::Reconnected(Reconnected { attempts, downtime }) => {
                self.call(EventType::Reconnected, || {
                    let result = env.object()?;
                    result.set(c"attempts", env.number(f64::from(attempts))?)?;
                    result.set(c"downtime", env.number(downtime.as_secs_f64() * 1_000.0)?)?;
                    Ok([result])
                });
            }
            Event::Failed(error, _) => self.call(EventType::Error, || Ok([error_value(env, &error)?])),
            Event::Closed(closed) => {
                self.call(EventType::Close, || Ok([undefined, close_value(env, &closed)?]));
            }
        }
    }

    fn call<const N: usize>(
        &self,
        event: EventType,
        arguments: impl FnOnce() -> Result<[Value<'scope>; N], EngineError>,
    ) {
        if let Some(listener) = self.find(event) {
            self.report(arguments().and_then(|arguments| listener.call(self.undefined, arguments)));
        }
    }

    fn report(&self, outcome: Result<Value<'_>, EngineError>) {
        if outcome.is_err() {
            self.env.report_exception();
        }
    }
}
