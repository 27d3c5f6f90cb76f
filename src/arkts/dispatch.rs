//! JavaScript's half of delivery: calls the listeners of an object with events, on JavaScript's thread.
//!
//! Knows nothing of sessions and promises.

use std::cell::Cell;

use super::event::{Event, EventType, MessageData};
use super::napi::{Engine, EngineError, Type, Value};
use super::objects::{
    error_value, frame_value, headers, open_result, reconnecting_value, set_circumstances, statistics_value,
};
use crate::client::{MessageType, PiecePosition, Reconnected};
use crate::event_queue::EventReceiver;

/// A close frame without a code has the first (RFC 6455 section 7.1.5). The platform tells the second, and apps take that for a good end.
const NO_CODE: u16 = 1005;
const NORMAL_CODE: u16 = 1000;

/// The listeners of a JavaScript object, valid in one handle scope.
pub struct Listeners<'scope> {
    env: Engine,
    object: Value<'scope>,
    undefined: Value<'scope>,
    /// True when a listener was set or removed. The listeners below are then looked up again.
    changed: &'scope Cell<bool>,
    message: Option<Value<'scope>>,
    data_end: Option<Value<'scope>>,
}

impl<'scope> Listeners<'scope> {
    pub fn new(env: Engine, object: Value<'scope>, changed: &'scope Cell<bool>) -> Result<Self, EngineError> {
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

    /// Calls the listeners of a message. When one throws, the others are still called.
    pub fn message(&mut self, kind: MessageType, data: MessageData, events: &EventReceiver<Event>) {
        let Self { env, undefined, .. } = *self;
        let current = |listeners: &mut Self| {
            if listeners.changed.get() {
                listeners.look_up();
            }
        };
        current(self);
        // As on the platform, who does not hear messages does not hear their ends.
        let Some(listener) = self.message else { return };
        let value = data.into_value(env, kind, events);
        self.report(value.and_then(|value| listener.call(undefined, [undefined, value])));
        current(self);
        if let Some(listener) = self.data_end {
            self.report(listener.call(undefined, [undefined]));
        }
    }

    /// Calls the listeners of a piece of a message in the same way.
    pub fn piece(
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
    pub fn other(&self, event: Event) {
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
            // Messages and pieces have methods of their own; the outcome of a sent message settles a promise.
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
            Event::Closed(closed) => self.call(EventType::Close, || {
                let result = env.object()?;
                let code = if closed.code == NO_CODE { NORMAL_CODE } else { closed.code };
                result.set(c"code", env.number(f64::from(code))?)?;
                result.set(c"reason", env.string(&closed.reason)?)?;
                set_circumstances(env, result, closed.cause, closed.unsent, closed.times)?;
                Ok([undefined, result])
            }),
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
