//! Replaces the library's `callback.rs`, which has every event. It has the two parts that depend on the order of threads: the
//! functions to call, and the caller of a message's completion.

use std::sync::Arc;

use super::abi::{ErrCode, WebSocket};
use super::callback_barrier::CallbackBarrier;
use super::client_ext::{ClientExt, KnownCallbacks, SendCompletion};
use crate::client::{Closed, Failure, Listener, Message, Opened, Outcome, Receipt};

/// The address of a client's struct.
#[derive(Clone, Copy)]
pub struct ClientPointer(pub *mut WebSocket);

// SAFETY: as in the library.
unsafe impl Send for ClientPointer {}
// SAFETY: as in the library.
unsafe impl Sync for ClientPointer {}

pub struct Callbacks {
    client: ClientPointer,
    known: KnownCallbacks,
    barrier: Arc<CallbackBarrier<ClientExt>>,
}

impl Callbacks {
    pub fn new(client: ClientPointer, barrier: Arc<CallbackBarrier<ClientExt>>) -> Self {
        Self { client, known: KnownCallbacks::default(), barrier }
    }
}

impl Listener for Callbacks {
    fn may_block(&self) -> bool {
        true
    }

    fn begin_batch(&mut self) -> bool {
        self.barrier.enter()
    }

    fn end_batch(&mut self) {
        self.barrier.leave();
    }

    fn opened(&mut self, _opened: &Opened) {}
    fn message(&mut self, _message: Message<'_>) {}

    fn sent(&mut self, receipt: Receipt, outcome: Outcome) {
        if self.barrier.is_closed() {
            return;
        }
        let code = match outcome {
            Outcome::Sent => ErrCode::Ok,
            Outcome::Unsent => ErrCode::NoConnection,
        };
        if let Some(SendCompletion { callback, context }) = self.barrier.beside.take_completion(receipt) {
            // SAFETY: the model's function.
            unsafe { callback(self.client.0, context, code as i32) };
        }
    }

    fn drained(&mut self) {
        let callbacks = self.known.current(&self.barrier.beside);
        if let Some(callback) = callbacks.on_drain {
            // SAFETY: the model's function.
            unsafe { callback(self.client.0, callbacks.user_data) };
        }
    }

    fn failed(&mut self, _failure: &Failure) {}

    fn closed(&mut self, _closed: &Closed) {}
}
