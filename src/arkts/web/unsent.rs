//! The bytes passed to `send` that the kernel does not have yet: `bufferedAmount` (WHATWG WebSockets section 3.1).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use crate::client::Client;

/// See the module.
#[derive(Default)]
pub struct Unsent {
    /// The lengths of the messages in the client's queue, oldest first. Includes those sent since the last update.
    queued: RefCell<VecDeque<usize>>,
    /// Their sum.
    queued_bytes: Cell<u64>,
    /// The number of messages that the client had sent at the last update.
    sent: Cell<u64>,
    /// The bytes of messages that wait behind a Blob.
    waiting: Cell<u64>,
    /// The bytes of messages that will not be sent.
    refused: Cell<u64>,
}

impl Unsent {
    pub fn bytes(&self) -> u64 {
        self.queued_bytes.get().saturating_add(self.waiting.get()).saturating_add(self.refused.get())
    }

    /// The client has queued a message.
    pub fn queue(&self, bytes: usize) {
        self.queued.borrow_mut().push_back(bytes);
        self.queued_bytes.set(self.queued_bytes.get() + bytes as u64);
    }

    /// A message waits.
    pub fn wait(&self, bytes: usize) {
        self.waiting.set(self.waiting.get().saturating_add(bytes as u64));
    }

    pub fn waits_no_more(&self, bytes: usize) {
        self.waiting.set(self.waiting.get().saturating_sub(bytes as u64));
    }

    /// A message is not sent.
    pub fn refuse(&self, bytes: usize) {
        self.refused.set(self.refused.get().saturating_add(bytes as u64));
    }

    /// Subtracts the messages that the kernel has by now.
    pub fn look(&self, client: &Client) {
        let mut queued = self.queued.borrow_mut();
        if queued.is_empty() {
            return;
        }
        let sent = client.messages_sent();
        for _ in self.sent.replace(sent)..sent {
            let Some(bytes) = queued.pop_front() else { break };
            self.queued_bytes.set(self.queued_bytes.get().saturating_sub(bytes as u64));
        }
    }

    /// The connection has ended, and everything was sent.
    pub fn none_is_queued(&self) {
        self.queued.take();
        self.queued_bytes.set(0);
    }
}
