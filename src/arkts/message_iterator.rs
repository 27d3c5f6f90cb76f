//! Messages that the application reads one by one with `next` or `for await`, without a listener.
//!
//! Owns the unread messages and the promises of `next`.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::error::{ApiError, ErrorEvent};
use super::event::{Event, MessageData};
use super::napi::{Deferred, Engine, EngineError, Value};
use super::objects::error_value;
use crate::client::MessageType;
use crate::event_queue::EventReceiver;

/// The messages of one connection since the first `next`.
///
/// Unread messages count against the event queue. The session stops reading when the application does.
#[derive(Default)]
pub struct MessageIterator {
    /// A connection has begun.
    begun: Cell<bool>,
    /// `next` was called on this connection: its messages are queued here.
    reading: Cell<bool>,
    unread: RefCell<VecDeque<(MessageType, Vec<u8>)>>,
    /// Promises of `next` without a message, oldest first.
    waiting: RefCell<VecDeque<Deferred>>,
    /// The failure of the next promise.
    failure: RefCell<Option<ErrorEvent>>,
    ended: Cell<bool>,
}

impl MessageIterator {
    /// Begins another connection. Drops unread messages of the last one and rejects its promises.
    pub fn begin(&self, events: &EventReceiver<Event>) {
        for deferred in self.waiting.take() {
            ApiError::other("next: another connection was started").reject(deferred);
        }
        let unread = self.unread.take();
        events.release(unread.iter().map(|(_, bytes)| bytes.len()).sum(), unread.len());
        self.begun.set(true);
        self.reading.set(false);
        self.failure.take();
        self.ended.set(false);
    }

    /// Whether `connect` was called before.
    pub fn has_begun(&self) -> bool {
        self.begun.get()
    }

    /// Whether promises wait for a message.
    pub fn is_awaited(&self) -> bool {
        !self.waiting.borrow().is_empty()
    }

    /// Makes a promise of the next message: `{value, done: false}`, or `{done: true}` after the end. It fails with the
    /// connection.
    pub fn next<'env>(&self, env: Engine, events: &EventReceiver<Event>) -> Result<Value<'env>, EngineError> {
        self.reading.set(true);
        let unread = self.unread.borrow_mut().pop_front();
        if let Some((kind, bytes)) = unread {
            events.release(bytes.len(), 1);
            let value = MessageData::Own(bytes).into_value(env, kind, events)?;
            return env.settled(Ok(iterator_result(env, Some(value))?));
        }
        if self.ended.get() {
            return match self.failure.take() {
                Some(error) => env.settled(Err(error_value(env, &error)?)),
                None => env.settled(Ok(iterator_result(env, None)?)),
            };
        }
        let (promise, deferred) = env.promise()?;
        self.waiting.borrow_mut().push_back(deferred);
        Ok(promise)
    }

    /// Takes the event if it is a message for `next`. Otherwise returns it for the listeners.
    pub fn receive(&self, env: Engine, event: Event, events: &EventReceiver<Event>) -> Option<Event> {
        match event {
            Event::Message(kind, data) if self.reading.get() => {
                let waiting = self.waiting.borrow_mut().pop_front();
                match waiting {
                    Some(deferred) => {
                        let value = data.into_value(env, kind, events);
                        if let Ok(result) = value.and_then(|value| iterator_result(env, Some(value))) {
                            deferred.settle(Ok(result));
                        }
                    }
                    None => {
                        let bytes = data.into_vec(events);
                        events.retain(bytes.len());
                        self.unread.borrow_mut().push_back((kind, bytes));
                    }
                }
                None
            }
            other => {
                if let Event::Failed(error, _) = &other {
                    self.failure.replace(Some(ErrorEvent::clone(error)));
                }
                if other.is_last() {
                    self.end(env);
                }
                Some(other)
            }
        }
    }

    /// Settles all promises at the end of the connection. Rejects the first one if the connection failed.
    fn end(&self, env: Engine) {
        self.ended.set(true);
        for deferred in self.waiting.take() {
            let outcome = match self.failure.take() {
                Some(error) => error_value(env, &error).map(Err),
                None => iterator_result(env, None).map(Ok),
            };
            if let Ok(outcome) = outcome {
                deferred.settle(outcome);
            }
        }
    }
}

/// The error of `next` before the first `connect`.
pub fn not_connected() -> ApiError {
    ApiError::other("next: not connected")
}

/// The error of `next` with the option `receivePieces`, because `next` returns only whole messages.
pub fn in_pieces() -> ApiError {
    ApiError::other("next: messages are delivered in pieces to the listener of `piece`")
}

/// Makes the result object of the iteration protocol.
fn iterator_result<'env>(env: Engine, message: Option<Value<'env>>) -> Result<Value<'env>, EngineError> {
    let result = env.object()?;
    result.set(c"done", env.boolean(message.is_none())?)?;
    let value = match message {
        Some(value) => value,
        None => env.undefined()?,
    };
    result.set(c"value", value)?;
    Ok(result)
}
