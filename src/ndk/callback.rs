//! From events to the application's callbacks.

use std::ffi::CString;
use std::sync::Arc;

use super::abi::{CodeAndText, ResultCallback, WebSocket};
use super::error;
use super::gate::Gate;
use crate::client::{Closed, Failure, Listener, Message, Opened};

/// The text of status 101 (RFC 9110 section 15.2.2), whatever phrase the server put there.
const SWITCHING_PROTOCOLS: &str = "Switching Protocols";

/// Calls whatever functions are in the client's struct at that moment: applications replace them.
pub struct Callbacks {
    client: ClientPointer,
    gate: Arc<Gate>,
}

/// The address of a client's struct.
#[derive(Clone, Copy)]
pub struct ClientPointer(pub *mut WebSocket);

// SAFETY: dereferenced only inside a gate that is open, which its client's struct outlives.
unsafe impl Send for ClientPointer {}
// SAFETY: as above.
unsafe impl Sync for ClientPointer {}

impl Callbacks {
    pub fn new(client: ClientPointer, gate: Arc<Gate>) -> Self {
        Self { client, gate }
    }

    /// Calls the callback in field `field` of the struct, unless it is NULL.
    fn result(
        &self,
        field: impl FnOnce(*mut WebSocket) -> *const Option<ResultCallback>,
        code: u32,
        text: &str,
    ) {
        let text = c_text(text);
        let ClientPointer(client) = self.client;
        // SAFETY: `begin` has entered the gate, so Destroy has not released the struct. Volatile: the application
        // writes there when it likes. The function is the application's word.
        unsafe {
            if let Some(callback) = field(client).read_volatile() {
                callback(client, CodeAndText { code, text: text.as_ptr() });
            }
        }
    }
}

impl Listener for Callbacks {
    fn may_block(&self) -> bool {
        true
    }

    fn begin(&mut self) -> bool {
        self.gate.enter()
    }

    fn end(&mut self) {
        self.gate.leave();
    }

    fn opened(&mut self, opened: &Opened) {
        // SAFETY: computes an address inside the struct, nothing is read.
        let field = |client: *mut WebSocket| unsafe { &raw const (*client).on_open };
        self.result(field, u32::from(opened.status), SWITCHING_PROTOCOLS);
    }

    fn message(&mut self, mut message: Message<'_>) {
        if self.gate.is_closed() {
            return;
        }
        let data = message.data_with_nul_mut();
        // The limit for received messages is below 4 GiB.
        let length = u32::try_from(data.len() - 1).unwrap_or(u32::MAX);
        let ClientPointer(client) = self.client;
        // SAFETY: as in `result`; the data is writable and outlives the call.
        unsafe {
            if let Some(callback) = (&raw const (*client).on_message).read_volatile() {
                callback(client, data.as_mut_ptr().cast(), length);
            }
        }
    }

    fn failed(&mut self, failure: &Failure) {
        // SAFETY: as in `opened`.
        let field = |client: *mut WebSocket| unsafe { &raw const (*client).on_error };
        self.result(field, error::of_failure(&failure.error) as u32, &failure.to_string());
    }

    fn closed(&mut self, closed: &Closed) {
        // SAFETY: as in `opened`.
        let field = |client: *mut WebSocket| unsafe { &raw const (*client).on_close };
        self.result(field, u32::from(closed.code), &closed.reason);
    }
}

/// A C string of `text`; a NUL inside, which a close reason may hold, would cut it short.
fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}
