//! Promises that wait for an event: those of messages, pings and `ready`.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};

use crate::arkts::error::ApiError;
use crate::arkts::value::{Deferred, Engine, Refused, Value};
use crate::client::{Outcome, Receipt};

/// The promises of one object that are not settled.
#[derive(Default)]
pub struct Promises {
    /// Of messages whose fate is not known yet.
    sends: RefCell<HashMap<Receipt, Deferred>>,
    last_receipt: Cell<Receipt>,
    /// Of pings, oldest first, with what they carry.
    pings: RefCell<VecDeque<(Vec<u8>, Deferred)>>,
    ready: RefCell<Vec<Deferred>>,
}

impl Promises {
    /// Whether there is any.
    pub fn is_awaited(&self) -> bool {
        let Self { sends, last_receipt: _, pings, ready } = self;
        !sends.borrow().is_empty() || !pings.borrow().is_empty() || !ready.borrow().is_empty()
    }

    /// A number that no other message or ping of the object has.
    pub fn new_receipt(&self) -> Receipt {
        self.last_receipt.set(self.last_receipt.get() + 1);
        self.last_receipt.get()
    }

    /// What settles when the fate of that message is known.
    pub fn of_send<'env>(&self, env: Engine, receipt: Receipt) -> Result<Value<'env>, Refused> {
        let (promise, deferred) = env.promise()?;
        self.sends.borrow_mut().insert(receipt, deferred);
        Ok(promise)
    }

    /// What settles when the pong to that ping has come.
    pub fn of_ping<'env>(&self, env: Engine, payload: Vec<u8>) -> Result<Value<'env>, Refused> {
        let (promise, deferred) = env.promise()?;
        self.pings.borrow_mut().push_back((payload, deferred));
        Ok(promise)
    }

    /// What settles when the queue has drained.
    pub fn of_ready<'env>(&self, env: Engine) -> Result<Value<'env>, Refused> {
        let (promise, deferred) = env.promise()?;
        self.ready.borrow_mut().push(deferred);
        Ok(promise)
    }

    /// That message was sent, or was not.
    pub fn sent(&self, receipt: Receipt, outcome: Outcome) {
        match outcome {
            Outcome::Sent => self.take_send(receipt).map_or((), fulfil),
            Outcome::Unsent => self.fail_send(receipt, &unsent()),
        }
    }

    /// That message will not be sent.
    pub fn fail_send(&self, receipt: Receipt, error: &ApiError) {
        if let Some(deferred) = self.take_send(receipt) {
            deferred.fail(error);
        }
    }

    fn take_send(&self, receipt: Receipt) -> Option<Deferred> {
        self.sends.borrow_mut().remove(&receipt)
    }

    /// A pong came. It may answer several pings (RFC 6455 section 5.5.3).
    pub fn answered(&self, env: Engine, payload: &[u8], millis: f64) {
        let mut pings = self.pings.borrow_mut();
        if let Some(at) = pings.iter().position(|(sent, _)| sent == payload) {
            for (_, deferred) in pings.drain(..=at) {
                if let Ok(millis) = env.number(millis) {
                    deferred.settle(Ok(millis));
                }
            }
        }
    }

    /// The queue has drained.
    pub fn drained(&self) {
        self.ready.take().into_iter().for_each(fulfil);
    }

    /// No pong will come any more.
    pub fn fail_pings(&self) {
        for (_, deferred) in self.pings.take() {
            deferred.fail(&ApiError::other("ping: the connection ended before the pong"));
        }
    }

    /// The queue will not drain any more.
    pub fn fail_ready(&self) {
        for deferred in self.ready.take() {
            deferred.fail(&ApiError::other("ready: the connection ended"));
        }
    }
}

/// What is said of a message that the connection took with it.
pub fn unsent() -> ApiError {
    ApiError::other("send: the connection ended before the message was sent")
}

fn fulfil(deferred: Deferred) {
    if let Ok(value) = deferred.env().boolean(true) {
        deferred.settle(Ok(value));
    }
}
