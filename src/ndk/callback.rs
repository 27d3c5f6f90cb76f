//! Calls the application's callbacks for the events of a session.
//!
//! Chooses the function: those of NWS_SetCallbacks come first, then those in the client's struct. Knows nothing of
//! other clients.

use std::ffi::c_void;
use std::mem::size_of;
use std::sync::Arc;

use super::abi::ext::{
    PREPARE_PROCEED, PREPARE_STOP, PREPARE_WAIT, RawCallbacks, RawFrame, RawPong, RawReconnected,
};
use super::abi::{CodeAndText, ErrCode, ResultCallback, WebSocket};
use super::callback_barrier::CallbackBarrier;
use super::client_ext::{ClientExt, KnownCallbacks, SendCompletion};
use super::error;
use super::events::{self, c_text, micros, with_close, with_failure, with_reconnecting, with_response};
use crate::client::{
    Closed, Direction, Failure, FrameHeader, Listener, Message, Opened, Outcome, Pong, PrepareDecision,
    Receipt, Reconnected, Reconnecting, Statistics,
};

/// The text of status 101 (RFC 9110 section 15.2.2), even if the server sent another phrase.
const SWITCHING_PROTOCOLS: &str = "Switching Protocols";

/// Reads the functions again for each event, because applications replace them.
pub struct Callbacks {
    client: ClientPointer,
    known: KnownCallbacks,
    barrier: Arc<CallbackBarrier<ClientExt>>,
}

/// The address of a client's struct.
#[derive(Clone, Copy)]
pub struct ClientPointer(pub *mut WebSocket);

// SAFETY: dereferenced only inside an open barrier, which ends before the client's struct does.
unsafe impl Send for ClientPointer {}
// SAFETY: as above.
unsafe impl Sync for ClientPointer {}

impl Callbacks {
    pub fn new(client: ClientPointer, barrier: Arc<CallbackBarrier<ClientExt>>) -> Self {
        Self { client, known: KnownCallbacks::default(), barrier }
    }

    /// Returns the callbacks given to NWS_SetCallbacks. A callback may have replaced them just now.
    fn current(&mut self) -> &RawCallbacks {
        self.known.current(&self.barrier.beside)
    }

    /// Calls a function given to NWS_SetCallbacks with the user data given there. Returns false if none is set.
    fn call_ext<T>(
        &self,
        callback: Option<unsafe extern "C" fn(*mut WebSocket, *mut c_void, *const T)>,
        user_data: *mut c_void,
        event: &T,
    ) -> bool {
        let Some(callback) = callback else { return false };
        // SAFETY: the application vouches for the function, and its arguments outlive the call.
        unsafe { callback(self.client.0, user_data, event) };
        true
    }

    /// Calls the function in field `field` of the client's struct, unless it is NULL.
    fn call_in_struct(
        &self,
        field: impl FnOnce(*mut WebSocket) -> *const Option<ResultCallback>,
        code: u32,
        text: &str,
    ) {
        let text = c_text(text);
        let ClientPointer(client) = self.client;
        // SAFETY: `begin` has entered the barrier, so Destroy has not released the struct. The read is volatile,
        // because the application may write there at any time. The application vouches for the function.
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

    fn begin_batch(&mut self) -> bool {
        self.barrier.enter()
    }

    fn end_batch(&mut self) {
        self.barrier.leave();
    }

    fn opened(&mut self, opened: &Opened) {
        let RawCallbacks { on_headers, on_open, user_data, .. } = *self.current();
        let mut handled = false;
        if on_headers.is_some() || on_open.is_some() {
            with_response(opened, |response| {
                self.call_ext(on_headers, user_data, response);
                let RawCallbacks { on_open, user_data, .. } = *self.current();
                handled = self.barrier.is_closed() || self.call_ext(on_open, user_data, response);
            });
        }
        if handled {
            return;
        }
        // SAFETY: computes an address inside the struct, nothing is read.
        let field = |client: *mut WebSocket| unsafe { &raw const (*client).on_open };
        self.call_in_struct(field, u32::from(opened.status), SWITCHING_PROTOCOLS);
    }

    fn message(&mut self, mut message: Message<'_>) {
        if self.barrier.is_closed() {
            return;
        }
        if let RawCallbacks { on_message: Some(callback), user_data, .. } = *self.current() {
            self.call_ext(Some(callback), user_data, &events::message(&mut message));
            return;
        }
        let data = message.data_with_nul_mut();
        // The platform's callback takes a 32-bit length. It gets the first 4 GiB of a longer message.
        let length = u32::try_from(data.len() - 1).unwrap_or(u32::MAX);
        let ClientPointer(client) = self.client;
        // SAFETY: as in `call_in_struct`; the data is writable and outlives the call.
        unsafe {
            if let Some(callback) = (&raw const (*client).on_message).read_volatile() {
                callback(client, data.as_mut_ptr().cast(), length);
            }
        }
    }

    fn pong(&mut self, pong: Pong<'_>) {
        let Pong { payload, round_trip } = pong;
        let event = RawPong {
            size: size_of::<RawPong>(),
            data: payload.as_ptr().cast(),
            length: payload.len(),
            round_trip_us: round_trip.map_or(-1, micros),
        };
        let RawCallbacks { on_pong, user_data, .. } = *self.current();
        self.call_ext(on_pong, user_data, &event);
    }

    fn sent(&mut self, receipt: Receipt, outcome: Outcome) {
        if self.barrier.is_closed() {
            // Destroy calls its completion.
            return;
        }
        let code = match outcome {
            Outcome::Sent => ErrCode::Ok,
            Outcome::Unsent => ErrCode::NoConnection,
        };
        if let Some(SendCompletion { callback, context }) = self.barrier.beside.take_completion(receipt) {
            // SAFETY: the application vouches for the function.
            unsafe { callback(self.client.0, context, code as i32) };
        }
    }

    fn drained(&mut self) {
        if let RawCallbacks { on_drain: Some(callback), user_data, .. } = *self.current() {
            // SAFETY: as above.
            unsafe { callback(self.client.0, user_data) };
        }
    }

    fn statistics(&mut self, statistics: &Statistics) {
        let RawCallbacks { on_statistics, user_data, .. } = *self.current();
        self.call_ext(on_statistics, user_data, &events::statistics(statistics));
    }

    fn traces_frames(&self) -> bool {
        self.barrier.beside.traces()
    }

    fn frame(&mut self, direction: Direction, header: FrameHeader) {
        if self.barrier.is_closed() {
            return;
        }
        let FrameHeader { fin, compressed, opcode, length } = header;
        let event = RawFrame {
            size: size_of::<RawFrame>(),
            length,
            sent: (direction == Direction::Sent).into(),
            opcode,
            fin: fin.into(),
            compressed: compressed.into(),
        };
        let RawCallbacks { on_frame, user_data, .. } = *self.current();
        self.call_ext(on_frame, user_data, &event);
    }

    fn reconnecting(&mut self, reconnecting: &Reconnecting) {
        let RawCallbacks { on_reconnecting, user_data, .. } = *self.current();
        if on_reconnecting.is_some() {
            with_reconnecting(reconnecting, |event| self.call_ext(on_reconnecting, user_data, event));
        }
    }

    fn prepare(&mut self, reconnecting: &Reconnecting) -> PrepareDecision {
        let RawCallbacks { on_prepare: Some(callback), user_data, .. } = *self.current() else {
            return PrepareDecision::Proceed;
        };
        // SAFETY: as in `call_ext`.
        let said =
            with_reconnecting(reconnecting, |event| unsafe { callback(self.client.0, user_data, event) });
        match said {
            PREPARE_WAIT => PrepareDecision::Wait,
            PREPARE_STOP => PrepareDecision::Stop,
            PREPARE_PROCEED => PrepareDecision::Proceed,
            _ => PrepareDecision::Fail,
        }
    }

    fn reconnected(&mut self, reconnected: &Reconnected) {
        let Reconnected { attempts, downtime } = *reconnected;
        let downtime_ms = u64::try_from(downtime.as_millis()).unwrap_or(u64::MAX);
        let event = RawReconnected { size: size_of::<RawReconnected>(), attempts, downtime_ms };
        let RawCallbacks { on_reconnected, user_data, .. } = *self.current();
        self.call_ext(on_reconnected, user_data, &event);
    }

    fn failed(&mut self, failure: &Failure) {
        let RawCallbacks { on_error, user_data, .. } = *self.current();
        if on_error.is_some() {
            return with_failure(failure, &mut |event| {
                self.call_ext(on_error, user_data, event);
            });
        }
        // SAFETY: as in `opened`.
        let field = |client: *mut WebSocket| unsafe { &raw const (*client).on_error };
        self.call_in_struct(field, error::of_failure(&failure.error) as u32, &failure.to_string());
    }

    fn closed(&mut self, closed: &Closed) {
        let RawCallbacks { on_close, user_data, .. } = *self.current();
        if on_close.is_some() {
            return with_close(closed, &mut |event| {
                self.call_ext(on_close, user_data, event);
            });
        }
        // SAFETY: as in `opened`.
        let field = |client: *mut WebSocket| unsafe { &raw const (*client).on_close };
        self.call_in_struct(field, u32::from(closed.code), &closed.reason);
    }
}
