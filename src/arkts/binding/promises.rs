//! Promises that wait for an event: those of messages, pings and `ready`.
//!
//! The next connection may begin before the event that reports the end of the last one. So each promise has the number of its
//! connection or attempt.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use crate::arkts::error::{ApiError, Termination};
use crate::arkts::napi::{Deferred, Engine, EngineError, Value};
use crate::client::{Outcome, Receipt};

/// The pending promises of one object.
#[derive(Default)]
pub struct Promises {
    /// Promises of messages that are neither sent nor dropped yet, in the order of their receipts.
    sends: RefCell<VecDeque<(Receipt, PendingSend)>>,
    /// Promises of dropped messages. They wait for the event with the cause.
    unsent: RefCell<Vec<PendingSend>>,
    last_receipt: Cell<Receipt>,
    /// Oldest first.
    pings: RefCell<VecDeque<PendingPing>>,
    /// Each has the number of its attempt.
    ready: RefCell<Vec<(u64, Deferred)>>,
}

/// The promise of a message or a piece.
struct PendingSend {
    /// The name of the method that made it, for its error.
    method: &'static str,
    deferred: Deferred,
}

struct PendingPing {
    /// The number of the connection that the ping was sent on.
    connection: u64,
    payload: Vec<u8>,
    deferred: Deferred,
}

impl Promises {
    /// Whether any promise is pending.
    pub fn is_awaited(&self) -> bool {
        let Self { sends, unsent, last_receipt: _, pings, ready } = self;
        !sends.borrow().is_empty()
            || !unsent.borrow().is_empty()
            || !pings.borrow().is_empty()
            || !ready.borrow().is_empty()
    }

    /// Returns a number that no other message or ping of the object has.
    pub fn new_receipt(&self) -> Receipt {
        self.last_receipt.set(self.last_receipt.get() + 1);
        self.last_receipt.get()
    }

    /// Makes a promise that settles when the message is sent or dropped.
    pub fn of_send<'env>(
        &self,
        env: Engine,
        method: &'static str,
        receipt: Receipt,
    ) -> Result<Value<'env>, EngineError> {
        let (promise, deferred) = env.promise()?;
        self.sends.borrow_mut().push_back((receipt, PendingSend { method, deferred }));
        Ok(promise)
    }

    /// Makes a promise that settles with the pong to a ping sent on connection number `connection`.
    pub fn of_ping<'env>(
        &self,
        env: Engine,
        connection: u64,
        payload: Vec<u8>,
    ) -> Result<Value<'env>, EngineError> {
        let (promise, deferred) = env.promise()?;
        self.pings.borrow_mut().push_back(PendingPing { connection, payload, deferred });
        Ok(promise)
    }

    /// Makes a promise that settles when the queue has drained, in attempt number `attempt` or on its connection.
    pub fn of_ready<'env>(&self, env: Engine, attempt: u64) -> Result<Value<'env>, EngineError> {
        let (promise, deferred) = env.promise()?;
        self.ready.borrow_mut().push((attempt, deferred));
        Ok(promise)
    }

    /// The message was sent or dropped.
    pub fn sent(&self, receipt: Receipt, outcome: Outcome) {
        let Some(send) = self.take_send(receipt) else { return };
        match outcome {
            Outcome::Sent => fulfil(send.deferred),
            Outcome::Unsent => self.unsent.borrow_mut().push(send),
        }
    }

    /// The message was refused.
    pub fn refused(&self, receipt: Receipt, error: &ApiError) {
        if let Some(PendingSend { deferred, .. }) = self.take_send(receipt) {
            error.reject(deferred);
        }
    }

    fn take_send(&self, receipt: Receipt) -> Option<PendingSend> {
        let mut sends = self.sends.borrow_mut();
        let place = sends.binary_search_by_key(&receipt, |(of, _)| *of).ok()?;
        sends.remove(place).map(|(_, send)| send)
    }

    /// A pong came on that connection. It may answer several pings (RFC 6455 section 5.5.3).
    pub fn answered(&self, env: Engine, connection: u64, payload: &[u8], millis: f64) {
        let mut pings = self.pings.borrow_mut();
        let answered = |ping: &PendingPing| ping.connection == connection && ping.payload == payload;
        if let Some(at) = pings.iter().position(answered) {
            for PendingPing { deferred, .. } in pings.drain(..=at) {
                if let Ok(millis) = env.number(millis) {
                    deferred.settle(Ok(millis));
                }
            }
        }
    }

    /// The queue has drained in that attempt.
    pub fn drained(&self, attempt: u64) {
        self.take_ready(attempt).for_each(fulfil);
    }

    /// A connection ended, of that number if it was ever open. Rejects its pings and the dropped messages.
    pub fn connection_ended(&self, connection: u64, termination: &Termination) {
        for PendingSend { method, deferred } in self.unsent.take() {
            termination.of(method, "the connection ended before the message was sent").reject(deferred);
        }
        let mut pings = self.pings.borrow_mut();
        let over = pings.iter().take_while(|ping| ping.connection <= connection).count();
        for PendingPing { deferred, .. } in pings.drain(..over) {
            termination.of("ping", "the connection ended before the pong").reject(deferred);
        }
    }

    /// The attempt ended, so the queue will not drain any more.
    pub fn attempt_ended(&self, attempt: u64, termination: &Termination) {
        for deferred in self.take_ready(attempt) {
            termination.of("ready", "the connection ended").reject(deferred);
        }
    }

    fn take_ready(&self, attempt: u64) -> impl Iterator<Item = Deferred> {
        let mut ready = self.ready.borrow_mut();
        let over = ready.iter().take_while(|(of, _)| *of <= attempt).count();
        ready.drain(..over).map(|(_, deferred)| deferred).collect::<Vec<_>>().into_iter()
    }
}

fn fulfil(deferred: Deferred) {
    if let Ok(value) = deferred.env().boolean(true) {
        deferred.settle(Ok(value));
    }
}
