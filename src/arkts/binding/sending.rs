//! Puts messages into the send queue of the client, and keeps those that wait for room in it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::promises::Promises;
use crate::arkts::error::ApiError;
use crate::arkts::napi::{NoBytes, Type, Value};
use crate::client::{Client, MessageType, Outcome, Receipt, SendError, State};

/// The messages of one object that its client has not accepted yet.
#[derive(Default)]
pub struct Sending {
    /// If the send queue is full, a message waits in the backlog instead of being refused.
    waits: Cell<bool>,
    /// The backlog is dropped with a lost connection, like the send queue, even if another attempt follows.
    is_dropped: Cell<bool>,
    backlog: RefCell<VecDeque<Unqueued>>,
}

/// A message passed to `send`.
struct Outgoing<'data> {
    kind: MessageType,
    payload: &'data [u8],
    /// The receipt of its promise. `None` for a message without a promise.
    promised: Option<Receipt>,
}

/// A message that waits for room in the send queue. The receipt identifies its promise.
struct Unqueued {
    kind: MessageType,
    payload: Vec<u8>,
    receipt: Receipt,
}

impl Sending {
    /// Begins another connection. `waits` says that messages wait if the queue is full. `is_dropped` says that a retry
    /// gets neither queue nor backlog.
    pub fn begin(&self, promises: &Promises, waits: bool, is_dropped: bool) {
        // The backlog of the last connection, whose last event may still be queued.
        self.drop_backlog(promises);
        self.waits.set(waits);
        self.is_dropped.set(is_dropped);
    }

    /// Queues a message. `promised` is the receipt of its promise.
    pub fn queue(
        &self,
        client: &Client,
        promises: &Promises,
        data: Value<'_>,
        promised: Option<Receipt>,
    ) -> Result<(), ApiError> {
        if client.state() == State::Idle {
            // A wrong argument is reported first, as on the platform.
            if data.type_of() != Type::String {
                data.with_bytes(|_| ()).map_err(not_data)?;
            }
            return Err(ApiError::other("send: not connected"));
        }
        if let Some(text) = data.to_text() {
            let message = Outgoing { kind: MessageType::Text, payload: text.as_bytes(), promised };
            return Ok(self.queue_or_wait(client, promises, message)?);
        }
        let send = |payload: &[u8]| {
            self.queue_or_wait(client, promises, Outgoing { kind: MessageType::Binary, payload, promised })
        };
        Ok(data.with_bytes(send).map_err(not_data)??)
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
        // A piece must not overtake a message that waits.
        if !self.backlog.borrow().is_empty() {
            return Err(ApiError::of_send_piece(SendError::QueueFull));
        }
        let send = |kind, bytes: &[u8]| client.send_piece(kind, bytes, last, Some(receipt));
        let sent = match data.to_text() {
            Some(text) => send(MessageType::Text, text.as_bytes()),
            None => data.with_bytes(|bytes| send(MessageType::Binary, bytes)).map_err(not_data)?,
        };
        sent.map_err(ApiError::of_send_piece)
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
            // A message without a promise has a receipt too, because its event shows that there may be room.
            let receipt = promised.unwrap_or_else(|| promises.new_receipt());
            match client.send_with_receipt(kind, payload, receipt) {
                Err(SendError::QueueFull) => {}
                outcome => return outcome,
            }
        } else if !takes_messages(client) {
            return Err(SendError::NotConnected);
        }
        match promised {
            _ if !client.fits_send_limit(payload.len()) => Err(SendError::TooLong),
            Some(receipt) => {
                backlog.borrow_mut().push_back(Unqueued { kind, payload: payload.to_vec(), receipt });
                Ok(())
            }
            None => Err(SendError::QueueFull),
        }
    }

    /// A message was sent or dropped. Moves the backlog into the room, or drops it as well.
    pub fn settled(&self, client: &Client, promises: &Promises, outcome: Outcome) {
        match outcome {
            Outcome::Unsent if self.is_dropped.get() => self.drop_backlog(promises),
            Outcome::Sent | Outcome::Unsent => self.release_backlog(client, promises),
        }
    }

    /// Queues as much of the backlog as fits.
    pub fn release_backlog(&self, client: &Client, promises: &Promises) {
        // An idle client would queue these messages for its next connection, where they do not belong.
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

    /// Drops the backlog. The connection has ended or is closing.
    pub fn drop_backlog(&self, promises: &Promises) {
        for Unqueued { receipt, .. } in self.backlog.take() {
            promises.sent(receipt, Outcome::Unsent);
        }
    }
}

fn takes_messages(client: &Client) -> bool {
    matches!(client.state(), State::Connecting | State::Open)
}

/// The error of data that cannot be sent.
pub fn not_data(why: NoBytes) -> ApiError {
    let wanted = match why {
        NoBytes::OtherType => "must be a string, an ArrayBuffer or a view into one",
        NoBytes::Detached => "must not be detached: its bytes were transferred to another buffer",
        NoBytes::Shared => "must not be a view into a SharedArrayBuffer, which may change while it is sent",
    };
    ApiError::parameter("data", wanted)
}
