//! Calls the application's callbacks for the events of a server and its connections.

use std::io;
use std::mem::size_of;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::calls::Caller;
use super::handle::{Asked, ServerHandle};
use crate::client::{Cause, Closed, Failure, Listener, Message, Opened};
use crate::ndk::abi::ErrCode;
use crate::ndk::abi::ext::RawFailure;
use crate::ndk::abi::server::{RawServerCallbacks, RawServerConnection, RawServerRequest};
use crate::ndk::events::{self, c_text, header_array, header_texts, with_close, with_failure};
use crate::runtime;
use crate::server::{Answer, ConnectionInfo, Remote, ServerListener, Unwelcome, UpgradeRequest};

/// Events of the server itself that wait for their callback. Further ones are dropped, so that a flood of them does not
/// fill the memory.
const WAITING_MAX: usize = 16;
/// `NWS_PHASE_TCP`.
const PHASE_TCP: i32 = 2;

/// Reports the events of a started server.
pub struct Owner {
    pub server: Arc<ServerHandle>,
    /// Calls of `on_error` that are under way.
    pub waiting: Arc<AtomicUsize>,
}

impl Owner {
    /// Reports an event without a connection in a separate task, because the acceptor must not block.
    fn tell(&self, message: String, cause: Cause) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let (waiting, server) = (self.waiting.clone(), self.server.clone());
        let caller = Caller::new(&server.calls);
        call_later(move || {
            let message = c_text(&message);
            let event = RawFailure {
                code: ErrCode::ConnectionError as i32,
                phase: PHASE_TCP,
                message: message.as_ptr(),
                cause: cause as i32,
                ..RawFailure::NONE
            };
            if let RawServerCallbacks { on_error: Some(callback), user_data, .. } = server.callbacks {
                // SAFETY: the application vouches for the function, and its arguments outlive the call.
                caller.call(|| unsafe { callback(server.pointer(), user_data, 0, &raw const event) });
            }
            waiting.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

/// Runs code of the application in a separate task.
fn call_later(run: impl FnOnce() + Send + 'static) {
    // Without a runtime there would be no server.
    let _ = runtime::spawn(async move { runtime::callback(run) });
}

impl ServerListener for Owner {
    fn requested(&self, remote: Remote, request: &Arc<UpgradeRequest>, answer: Answer) {
        let RawServerCallbacks { on_request: Some(callback), user_data, .. } = self.server.callbacks else {
            return answer.accept(Vec::new());
        };
        let number = self.server.keep(Asked { request: request.clone(), answer });
        let caller = Caller::new(&self.server.calls);
        let texts = header_texts(&request.headers);
        let headers = header_array(&texts);
        let (address, target) = (c_text(&remote.ip_text()), c_text(&request.target));
        let protocols = c_text(&request.protocols.join(", "));
        let event = RawServerRequest {
            size: size_of::<RawServerRequest>(),
            request: number,
            address: address.as_ptr(),
            target: target.as_ptr(),
            protocols: protocols.as_ptr(),
            headers: headers.as_ptr(),
            header_count: headers.len(),
            port: remote.port(),
        };
        runtime::callback(|| {
            // SAFETY: the application vouches for the function, and its arguments outlive the call.
            caller.call(|| unsafe { callback(self.server.pointer(), user_data, &raw const event) });
        });
    }

    fn connected(&self, info: &Arc<ConnectionInfo>) -> Box<dyn Listener> {
        let (server, info) = (self.server.clone(), info.clone());
        Box::new(Callbacks { caller: Caller::new(&server.calls), server, info })
    }

    fn kept_out(&self, remote: Remote, why: Unwelcome) {
        self.tell(format!("client {remote} refused: {why}"), Cause::Application);
    }

    fn cannot_accept(&self, cause: &io::Error) {
        self.tell(format!("cannot accept clients: {cause}"), Cause::Connect);
    }

    fn over(&self) {
        let server = self.server.clone();
        let caller = Caller::new(&server.calls);
        call_later(move || {
            server.forget_server();
            if let RawServerCallbacks { on_stop: Some(callback), user_data, .. } = server.callbacks {
                // SAFETY: the application vouches for the function.
                caller.call(|| unsafe { callback(server.pointer(), user_data) });
            }
        });
    }
}

/// Reports the events of one connection.
struct Callbacks {
    server: Arc<ServerHandle>,
    caller: Caller,
    info: Arc<ConnectionInfo>,
}

impl Callbacks {
    fn functions(&self) -> &RawServerCallbacks {
        &self.server.callbacks
    }
}

impl Listener for Callbacks {
    fn may_block(&self) -> bool {
        true
    }

    fn begin_batch(&mut self) -> bool {
        self.caller.enter()
    }

    fn end_batch(&mut self) {
        self.caller.leave();
    }

    fn opened(&mut self, opened: &Opened) {
        let RawServerCallbacks { on_open: Some(callback), user_data, .. } = *self.functions() else { return };
        let ConnectionInfo { id, remote, target, protocol } = &*self.info;
        let (address, target) = (c_text(&remote.ip_text()), c_text(target));
        let protocol = c_text(protocol.as_deref().unwrap_or_default());
        let extensions = c_text(opened.extensions.as_deref().unwrap_or_default());
        let event = RawServerConnection {
            size: size_of::<RawServerConnection>(),
            address: address.as_ptr(),
            target: target.as_ptr(),
            protocol: protocol.as_ptr(),
            extensions: extensions.as_ptr(),
            port: remote.port(),
        };
        // SAFETY: the application vouches for the function, and its arguments outlive the call.
        unsafe { callback(self.server.pointer(), user_data, *id, &raw const event) };
    }

    fn message(&mut self, mut message: Message<'_>) {
        let RawServerCallbacks { on_message: Some(callback), user_data, .. } = *self.functions() else {
            return;
        };
        if self.caller.is_over() {
            return;
        }
        let event = events::message(&mut message);
        // SAFETY: as above.
        unsafe { callback(self.server.pointer(), user_data, self.info.id, &raw const event) };
    }

    fn drained(&mut self) {
        if let RawServerCallbacks { on_drain: Some(callback), user_data, .. } = *self.functions() {
            // SAFETY: the application vouches for the function.
            unsafe { callback(self.server.pointer(), user_data, self.info.id) };
        }
    }

    fn failed(&mut self, failure: &Failure) {
        if let RawServerCallbacks { on_error: Some(callback), user_data, .. } = *self.functions() {
            with_failure(failure, &mut |event| {
                // SAFETY: as in `opened`.
                unsafe { callback(self.server.pointer(), user_data, self.info.id, event) };
            });
        }
    }

    fn closed(&mut self, closed: &Closed) {
        if let RawServerCallbacks { on_close: Some(callback), user_data, .. } = *self.functions() {
            with_close(closed, &mut |event| {
                // SAFETY: as in `opened`.
                unsafe { callback(self.server.pointer(), user_data, self.info.id, event) };
            });
        }
    }
}
