//! The state that `net_websocket_ext.h` adds to a client: options, callbacks, and the receipts of its messages.
//!
//! Owns these values between the calls that set them and the session's events. Does not know how they are parsed or
//! called.

use std::collections::VecDeque;
use std::ffi::c_void;
use std::sync::Arc;

use super::abi::ext::{RawCallbacks, SentCallback};
use crate::client::{Options, Receipt, Reconnect};
use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use crate::sync::{Mutex, MutexGuard, lock};

/// The values that `net_websocket_ext.h` sets for one client. Any thread may use it.
#[derive(Default)]
pub struct ClientExt {
    state: Mutex<ExtState>,
    /// How often the callbacks were set. Read without the lock.
    version: AtomicU32,
    /// Whether a callback for frames is set. Read without the lock.
    traces: AtomicBool,
}

/// What most clients have not is boxed.
#[derive(Default)]
struct ExtState {
    options: Option<Box<Options>>,
    reconnect: Option<Box<Reconnect>>,
    callbacks: Option<Arc<RawCallbacks>>,
    receipts: Option<Box<Receipts>>,
}

/// The messages whose outcome is awaited.
#[derive(Default)]
struct Receipts {
    /// Receipts of messages that are neither sent nor dropped, in their order.
    completions: VecDeque<(Receipt, SendCompletion)>,
    last: Receipt,
}

/// The callback for one message, which reports whether it was sent.
#[derive(Clone, Copy)]
pub struct SendCompletion {
    pub callback: SentCallback,
    pub context: *mut c_void,
}

// SAFETY: the context is the application's. It is passed back and never followed.
unsafe impl Send for SendCompletion {}

impl ClientExt {
    fn lock(&self) -> MutexGuard<'_, ExtState> {
        lock(&self.state)
    }

    /// Returns the options of the next connection.
    pub fn options(&self) -> Options {
        let state = self.lock();
        let reconnect = state.reconnect.as_deref().cloned();
        Options { reconnect, ..state.options.as_deref().cloned().unwrap_or_default() }
    }

    pub fn set_reconnect(&self, reconnect: Option<Reconnect>) {
        self.lock().reconnect = reconnect.map(Box::new);
    }

    pub fn set_options(&self, options: Options) {
        self.lock().options = Some(Box::new(options));
    }

    /// Returns the callbacks. Most clients have none.
    #[inline]
    pub fn callbacks(&self) -> Option<Arc<RawCallbacks>> {
        self.lock().callbacks.clone()
    }

    pub fn set_callbacks(&self, callbacks: RawCallbacks) {
        self.replace_callbacks(|_| callbacks);
    }

    fn replace_callbacks(&self, replace: impl FnOnce(RawCallbacks) -> RawCallbacks) {
        let mut state = self.lock();
        let callbacks = replace(state.callbacks.as_deref().copied().unwrap_or(RawCallbacks::NONE));
        self.traces.store(callbacks.on_frame.is_some(), Ordering::Relaxed);
        state.callbacks = Some(Arc::new(callbacks));
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Returns a number that grows with each change of the callbacks.
    fn version(&self) -> u32 {
        self.version.load(Ordering::Acquire)
    }

    /// Whether a callback for frames is set.
    pub fn traces(&self) -> bool {
        self.traces.load(Ordering::Relaxed)
    }

    pub fn set_user_data(&self, user_data: *mut c_void) {
        self.replace_callbacks(|callbacks| RawCallbacks { user_data, ..callbacks });
    }

    /// Stores the completion of a message that is about to be queued, and returns the number of the message.
    pub fn register_completion(&self, completion: SendCompletion) -> Receipt {
        let mut state = self.lock();
        let receipts = state.receipts.get_or_insert_default();
        receipts.last += 1;
        receipts.completions.push_back((receipts.last, completion));
        receipts.last
    }

    /// Returns the completion of a message, once.
    pub fn take_completion(&self, receipt: Receipt) -> Option<SendCompletion> {
        let mut state = self.lock();
        let completions = &mut state.receipts.as_mut()?.completions;
        let place = completions.binary_search_by_key(&receipt, |(of, _)| *of).ok()?;
        completions.remove(place).map(|(_, completion)| completion)
    }

    /// Returns all remaining completions, in the order of registration.
    pub fn take_all_completions(&self) -> VecDeque<(Receipt, SendCompletion)> {
        let receipts = self.lock().receipts.take();
        receipts.map(|receipts| receipts.completions).unwrap_or_default()
    }
}

/// A session's copy of its client's callbacks.
#[derive(Default)]
pub struct KnownCallbacks {
    callbacks: Option<Arc<RawCallbacks>>,
    /// The version of the copy.
    version: u32,
}

impl KnownCallbacks {
    /// Returns the callbacks of NWS_SetCallbacks, even if they were set a moment ago.
    pub fn current(&mut self, ext: &ClientExt) -> &RawCallbacks {
        let version = ext.version();
        if version != self.version {
            self.reload(ext, version);
        }
        self.callbacks.as_deref().unwrap_or(&RawCallbacks::NONE)
    }

    /// A separate function, so that a message costs only the comparison of versions.
    #[cold]
    fn reload(&mut self, ext: &ClientExt, version: u32) {
        self.callbacks = ext.callbacks();
        self.version = version;
    }
}
