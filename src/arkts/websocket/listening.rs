//! The listeners of the object.

use super::{WebSocket, listeners_of};
use crate::arkts::event::EventType;
use crate::arkts::lenience::{nearest, shown};
use crate::arkts::napi::{EngineError, Type, Value};

impl WebSocket {
    /// Sets the listener of an event. A later one replaces it.
    pub fn listen(
        &self,
        this: Value<'_>,
        event: Option<EventType>,
        callback: Value<'_>,
    ) -> Result<(), EngineError> {
        let Some(event) = event else { return Ok(()) };
        if callback.type_of() != Type::Function {
            self.lenience("on").warn("callback", "must be a function; no listener is set");
            return Ok(());
        }
        listeners_of(this)?.set(event.property(), callback)?;
        self.note_listeners(self.binding.audience.listened.get() | event.bit());
        Ok(())
    }

    /// Removes the listener of an event: any listener, or only `callback`.
    pub fn unlisten<'env>(
        &self,
        this: Value<'env>,
        event: Option<EventType>,
        callback: Value<'env>,
    ) -> Result<(), EngineError> {
        let Some(event) = event else { return Ok(()) };
        if !callback.is_absent() && callback.type_of() != Type::Function {
            self.lenience("off").warn("callback", "must be a function; no listener is removed");
            return Ok(());
        }
        let listeners = listeners_of(this)?;
        if callback.is_absent() || listeners.get(event.property())?.is_same(callback) {
            listeners.set(event.property(), this.env().undefined()?)?;
            self.note_listeners(self.binding.audience.listened.get() & !event.bit());
        }
        Ok(())
    }

    /// The event with this name. Logs a warning for any other name.
    pub fn event_type(&self, method: &'static str, kind: Value<'_>) -> Option<EventType> {
        let name = kind.to_text();
        let event = name.as_deref().and_then(EventType::parse);
        if event.is_none() {
            let known: Vec<_> = EventType::NAMES.split(", ").collect();
            match name {
                Some(name) => self.lenience(method).warn(
                    "type",
                    format_args!(
                        "unknown event '{}'; the call is ignored; the nearest known name is {}",
                        shown(&name),
                        nearest(&name, &known)
                    ),
                ),
                None => self.lenience(method).warn("type", "must be a string; the call is ignored"),
            }
        }
        event
    }
}
