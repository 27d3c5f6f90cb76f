//! Messages on their way into the send queue, those among them that wait for room in it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::promises::Promises;
use crate::arkts::error::ApiError;
use crate::arkts::napi::Value;
use crate::client::{Client, Kind, Outcome, Receipt, SendError, State};

/// What an object sends, before its client has it.
#[derive(Default)]
pub struct Sending {
    /// A message for which the queue has no room waits for it here, oldest first.
    waits: Cell<bool>,
    /// What waits is lost with an open connection, as the queue is, though another one is to come.
    is_dropped: Cell<bool>,
    backlog: RefCell<VecDeque<Unqueued>>,
}

/// A message that `send` was given.
struct Outgoing<'data> {
    kind: Kind,
    payload: &'data [u8],
    /// The receipt by which its promise will be known; `None` for a message without a promise.
    promised: Option<Receipt>,
}

/// A message that waits for room in the send queue. Its promise is known by the receipt.
struct Unqueued {
    kind: Kind,
    payload: Vec<u8>,
    receipt: Receipt,
}

impl Sending {
    /// Another connection begins, for which messages wait, or are refused when the queue is full. `is_dropped` is set when the
    /// ones that come in its place get nothing of either.
    pub fn begin(&self, promises: &Promises, waits: bool, is_dropped: bool) {
        // What waited for the connection before, whose last event may be on its way.
        self.drop_backlog(promises);
        self.waits.set(waits);
        self.is_dropped.set(is_dropped);
    }

    /// Queues a message; `promised` is the receipt by which its promise will be known.
    pub fn queue(
        &self,
        client: &Client,
        promises: &Promises,
        data: Value<'_>,
        promised: Option<Receipt>,
    ) -> Result<(), ApiError> {
        if client.state() == State::Idle {
            return Err(ApiError::other("send: not connected"));
        }
        if let Some(text) = data.to_text() {
            let message = Outgoing { kind: Kind::Text, payload: text.as_bytes(), promised };
            return Ok(self.queue_or_wait(client, promises, message)?);
        }
        let send = |payload: &[u8]| {
            self.queue_or_wait(client, promises, Outgoing { kind: Kind::Binary, payload, promised })
        };
        match data.with_bytes(send) {
            Some(sent) => Ok(sent?),
            None => Err(not_data()),
        }
    }

    /// Queues a piece of a message.
    pub fn queue_piece(
        &self,
        client: &Client,
        data: Value<'_>,
        last: Value<'_>,
        receipt: Receipt,
    ) -> Result<(), ApiError> {
        let last = last.to_boolean().ok_or_else(|| ApiError::parameter("last", "must be a boolean"))?;
        if client.state() == State::Idle {
            return Err(ApiError::other("sendPiece: not connected"));
        }
        // It must not overtake a message that was sent before.
        if !self.backlog.borrow().is_empty() {
            return Err(ApiError::of_send_piece(SendError::QueueFull));
        }
        let send = |kind, bytes: &[u8]| client.send_piece(kind, bytes, last, Some(receipt));
        let sent = match data.to_text() {
            Some(text) => Some(send(Kind::Text, text.as_bytes())),
            None => data.with_bytes(|bytes| send(Kind::Binary, bytes)),
        };
        sent.ok_or_else(not_data)?.map_err(ApiError::of_send_piece)
    }

    fn queue_or_wait(
        &self,
        client: &Client,
        promises: &Promises,
        message: Outgoing<'_>,
    ) -> Result<(), SendError> {
        let Self { waits, backlog, .. } = self;
        let Outgoing { kind, payload, promised } = message;
        if !waits.get() {
            return match promised {
                Some(receipt) => client.send_with_receipt(kind, payload, receipt),
                None => client.send(kind, payload),
            };
        }
        if backlog.borrow().is_empty() {
            // One without a promise has a receipt as well, whose event tells that there may be room.
            let receipt = promised.unwrap_or_else(|| promises.new_receipt());
            match client.send_with_receipt(kind, payload, receipt) {
                Err(SendError::QueueFull) => {}
                outcome => return outcome,
            }
        } else if !takes_messages(client) {
            return Err(SendError::NotConnected);
        }
        match promised {
            _ if !client.has_room_for(payload.len()) => Err(SendError::TooLong),
            Some(receipt) => {
                backlog.borrow_mut().push_back(Unqueued { kind, payload: payload.to_vec(), receipt });
                Ok(())
            }
            None => Err(SendError::QueueFull),
        }
    }

    /// What became of a message: there is its room for those that wait, unless they are lost with it.
    pub fn settled(&self, client: &Client, promises: &Promises, outcome: Outcome) {
        match outcome {
            Outcome::Unsent if self.is_dropped.get() => self.drop_backlog(promises),
            Outcome::Sent | Outcome::Unsent => self.release_backlog(client, promises),
        }
    }

    /// Queues what waits for room, as far as there is some.
    pub fn release_backlog(&self, client: &Client, promises: &Promises) {
        // An idle client takes messages for its next connection, for which these are not.
        if !takes_messages(client) {
            return self.drop_backlog(promises);
        }
        loop {
            let mut backlog = self.backlog.borrow_mut();
            let Some(Unqueued { kind, payload, receipt }) = backlog.front() else { return };
            let (receipt, outcome) = (*receipt, client.send_with_receipt(*kind, payload, *receipt));
            if matches!(outcome, Err(SendError::QueueFull)) {
                return;
            }
            backlog.pop_front();
            drop(backlog);
            if let Err(error) = outcome {
                promises.refused(receipt, &error.into());
            }
        }
    }

    /// The connection is over, or is to be: nothing will be queued any more of what waits.
    pub fn drop_backlog(&self, promises: &Promises) {
        for Unqueued { receipt, .. } in self.backlog.take() {
            promises.sent(receipt, Outcome::Unsent);
        }
    }
}

fn takes_messages(client: &Client) -> bool {
    matches!(client.state(), State::Connecting | State::Open)
}

/// What is said of data that cannot be sent.
pub fn not_data() -> ApiError {
    ApiError::parameter("data", "must be a string, an ArrayBuffer or a view into one")
}
