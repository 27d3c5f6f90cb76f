//! Delivers the queued events of a server to its listeners, in time slices.

use std::rc::Rc;

use super::event::{Key, ServerEvent, ServerEventType, of_key};
use super::requests::request_value;
use super::{Binding, KEY, Known, Serving};
use crate::arkts::error::SERVER_EVENT;
use crate::arkts::js_waker::OnWake;
use crate::arkts::napi::{Engine, EngineError, Reference, Type, Value};
use crate::arkts::objects::close_value;
use crate::arkts::time_slice::{Pause, SCOPE_BYTES, SCOPE_EVENTS, TimeSlice};
use crate::server::ConnectionInfo;

impl OnWake for Binding {
    /// Delivers the queued events.
    fn on_wake(self: Rc<Self>, env: Engine) {
        let mut slice = TimeSlice::begin();
        let mut pause = Pause::ScopeFull;
        while pause == Pause::ScopeFull {
            env.scoped(|| pause = self.deliver(env, &mut slice));
        }
        if pause == Pause::SliceOver {
            self.waker.wake();
        }
    }
}

impl Binding {
    /// Delivers the events of one handle scope.
    fn deliver(&self, env: Engine, slice: &mut TimeSlice) -> Pause {
        let mut bytes = 0;
        for _ in 0..SCOPE_EVENTS {
            let Some(event) = self.events.take() else { return Pause::Empty };
            if let ServerEvent::Message(_, _, data) = &event {
                bytes += data.len();
            }
            if self.tell(env, event).is_err() {
                env.report_exception();
            }
            if slice.is_over() {
                return Pause::SliceOver;
            }
            if bytes >= SCOPE_BYTES {
                break;
            }
        }
        Pause::ScopeFull
    }

    /// Calls the listener of an event; an exception that it throws stays pending.
    fn tell(&self, env: Engine, event: ServerEvent) -> Result<(), EngineError> {
        match event {
            // A listener removed in the meantime gives no answer.
            ServerEvent::Requested(asked) if self.listener(ServerEventType::Request)?.is_none() => {
                asked.answer.accept(Vec::new());
                Ok(())
            }
            ServerEvent::Requested(asked) => {
                self.call(env, ServerEventType::Request, || Ok([request_value(env, *asked)?]))
            }
            ServerEvent::Connected(key, info) => {
                let object = self.note(env, key, &info)?;
                self.call(env, ServerEventType::Connect, || Ok([object]))
            }
            ServerEvent::Message(key, kind, data) => self.call(env, ServerEventType::MessageReceive, || {
                let message = env.object()?;
                message.set(c"clientConnection", self.object(env, key)?)?;
                message.set(c"data", data.into_value(env, kind, &self.events)?)?;
                Ok([message])
            }),
            ServerEvent::Drained(key) => {
                self.call(env, ServerEventType::Drain, || Ok([self.object(env, key)?]))
            }
            ServerEvent::Failed(key, what) => self.call(env, ServerEventType::Error, || {
                let error = env.business_error(SERVER_EVENT, &what)?;
                if let Some(key) = key {
                    error.set(c"clientConnection", self.object(env, key)?)?;
                }
                Ok([error])
            }),
            ServerEvent::Closed(key, closed) => {
                let told = self.call(env, ServerEventType::Close, || {
                    let result = close_value(env, &closed)?;
                    // The platform's declarations use the one name, and its objects the other.
                    result.set(c"closeReason", env.string(&closed.reason)?)?;
                    Ok([self.object(env, key)?, result])
                });
                self.forget(key);
                told
            }
            ServerEvent::Released(generation) => {
                let mut servers = self.servers.borrow_mut();
                let stopping = servers.get_mut(generation).and_then(|serving| serving.stopping.take());
                drop(servers);
                if let Some(deferred) = stopping {
                    deferred.settle(Ok(env.boolean(true)?));
                }
                Ok(())
            }
            ServerEvent::Over(generation) => {
                let over = self.servers.borrow_mut().remove(generation);
                drop::<Option<Serving>>(over);
                self.release_if_over();
                Ok(())
            }
        }
    }

    /// Makes the object of a connection.
    fn note<'env>(&self, env: Engine, key: Key, info: &ConnectionInfo) -> Result<Value<'env>, EngineError> {
        let ConnectionInfo { remote, .. } = info;
        let object = env.object()?;
        object.set(c"clientIP", env.string(&remote.ip().to_string())?)?;
        object.set(c"clientPort", env.number(f64::from(remote.port()))?)?;
        object.set_hidden(KEY, env.number(key as f64)?)?;
        let (generation, id) = of_key(key);
        let servers = self.servers.borrow();
        let connection = servers.get(generation).and_then(|serving| serving.server.connection(id));
        let known = Known { connection, remote: *remote, object: Reference::new(object)? };
        self.known.borrow_mut().insert(key, Box::new(known));
        self.by_remote.borrow_mut().insert(*remote, key);
        Ok(object)
    }

    /// The object of a connection.
    fn object<'env>(&self, env: Engine, key: Key) -> Result<Value<'env>, EngineError> {
        match self.known.borrow().get(&key) {
            Some(known) => known.object.value(),
            None => env.undefined(),
        }
    }

    fn forget(&self, key: Key) {
        let known = self.known.borrow_mut().remove(&key);
        if let Some(Known { remote, .. }) = known.as_deref() {
            let mut by_remote = self.by_remote.borrow_mut();
            // The same client address can have another connection, to another address of the server.
            if by_remote.get(remote) == Some(&key) {
                by_remote.remove(remote);
            }
        }
    }

    fn call<'env, const N: usize>(
        &self,
        env: Engine,
        event: ServerEventType,
        arguments: impl FnOnce() -> Result<[Value<'env>; N], EngineError>,
    ) -> Result<(), EngineError> {
        if let Some(listener) = self.listener(event)? {
            listener.call(env.undefined()?, arguments()?)?;
        }
        Ok(())
    }

    fn listener<'env>(&self, event: ServerEventType) -> Result<Option<Value<'env>>, EngineError> {
        let holder = match &*self.listeners.borrow() {
            Some(holder) => holder.value()?,
            None => return Ok(None),
        };
        let listener = holder.get(event.property())?;
        Ok(Some(listener).filter(|listener| listener.type_of() == Type::Function))
    }
}
