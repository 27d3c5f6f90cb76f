//! Delivers the queued events of a server to its listeners, in time slices.

use std::cell::RefCell;
use std::rc::Rc;

use super::event::{Key, ServerEvent, ServerEventType, of_key};
use super::requests::{request_value, set_remote};
use super::{Binding, Known, Peer, Serving};
use crate::arkts::error::SERVER_EVENT;
use crate::arkts::js_waker::OnWake;
use crate::arkts::known::give;
use crate::arkts::napi::{Engine, EngineError, Reference, Type, Value};
use crate::arkts::objects::close_value;
use crate::arkts::time_slice::{Pause, SCOPE_BYTES, SCOPE_EVENTS, TimeSlice};
use crate::server::ConnectionInfo;

/// Values for messages, valid in one handle scope.
struct Hearing<'scope> {
    undefined: Value<'scope>,
    connection_name: Value<'scope>,
    data_name: Value<'scope>,
    /// The listener of messages.
    listener: Option<Value<'scope>>,
}

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
    fn deliver(self: &Rc<Self>, env: Engine, slice: &mut TimeSlice) -> Pause {
        let (mut hearing, mut bytes) = (None, 0);
        for _ in 0..SCOPE_EVENTS {
            let Some(event) = self.events.take() else { return Pause::Empty };
            if let ServerEvent::Message(_, _, data) = &event {
                bytes += data.len();
            }
            if self.tell(env, &mut hearing, event).is_err() {
                env.report_exception();
            }
            // Without a server the waker is removed, so that nothing would resume the delivery.
            if slice.is_over() && !self.is_over() {
                return Pause::SliceOver;
            }
            if bytes >= SCOPE_BYTES {
                break;
            }
        }
        Pause::ScopeFull
    }

    /// Calls the listener of an event. An exception that it throws stays pending.
    fn tell<'scope>(
        self: &Rc<Self>,
        env: Engine,
        hearing: &mut Option<Hearing<'scope>>,
        event: ServerEvent,
    ) -> Result<(), EngineError> {
        match event {
            // A listener removed in the meantime gives no answer.
            ServerEvent::Requested(asked) if self.listener(ServerEventType::Request)?.is_none() => {
                asked.answer.accept(Vec::new());
                Ok(())
            }
            ServerEvent::Requested(asked) => {
                let (request, unanswered) = request_value(env, *asked)?;
                let told = self.call(env, ServerEventType::Request, || Ok([request]));
                // Otherwise its client would keep a place among the handshakes until the timeout.
                told.inspect_err(|_| unanswered.listener_failed())
            }
            ServerEvent::Connected(key, info) => {
                let object = self.note(env, key, &info)?;
                self.call(env, ServerEventType::Connect, || Ok([object]))
            }
            ServerEvent::Message(key, kind, data) => {
                let Hearing { undefined, connection_name, data_name, listener } =
                    *self.hearing(env, hearing)?;
                let Some(listener) = listener else { return Ok(()) };
                let message = env.object()?;
                message.set_by_value(connection_name, self.object(env, key)?)?;
                message.set_by_value(data_name, data.into_value(env, kind, &self.events)?)?;
                listener.call(undefined, [message]).map(|_| ())
            }
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
                    // The platform's declarations use one of the names, and its objects the other.
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

    /// The values for messages now.
    fn hearing<'a, 'scope>(
        &self,
        env: Engine,
        known: &'a mut Option<Hearing<'scope>>,
    ) -> Result<&'a Hearing<'scope>, EngineError> {
        if self.changed.take() {
            known.take();
        }
        match known {
            Some(hearing) => Ok(hearing),
            none => Ok(none.insert(Hearing {
                undefined: env.undefined()?,
                connection_name: env.string("clientConnection")?,
                data_name: env.string("data")?,
                listener: self.listener(ServerEventType::MessageReceive)?,
            })),
        }
    }

    /// Makes the object of a connection.
    fn note<'env>(
        self: &Rc<Self>,
        env: Engine,
        key: Key,
        info: &ConnectionInfo,
    ) -> Result<Value<'env>, EngineError> {
        let ConnectionInfo { remote, .. } = info;
        let object = env.object()?;
        set_remote(object, *remote)?;
        let (generation, id) = of_key(key);
        let servers = self.servers.borrow();
        let connection = servers.get(generation).and_then(|serving| serving.server.connection(id));
        let peer = Rc::new(Peer { owner: Rc::downgrade(self), connection: RefCell::new(connection) });
        give(object, peer.clone())?;
        let known = Known { peer, remote: *remote, object: Reference::new(object)? };
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
        if let Some(Known { peer, remote, .. }) = known.as_deref() {
            peer.connection.take();
            let mut by_remote = self.by_remote.borrow_mut();
            // The same client address can have a second connection, to another address of the server.
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
