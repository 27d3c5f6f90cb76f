//! The registry of the C API's clients: calls, Constructor and Destroy of several threads.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::future::block_on;
use loom::thread;

use super::abi::ext::RawCallbacks;
use super::abi::{RequestOptions, WebSocket};
use super::client_ext::SendCompletion;
use super::handle::{self, Handle};
use crate::Model;
use crate::client::Outcome;

pub const MODELS: &[Model] = &[
    Model { name: "registry::no_call_runs_once_its_client_is_removed", switches: None, run: call_and_remove },
    Model { name: "registry::one_of_two_destroys_gets_the_client", switches: None, run: two_destroys },
    Model { name: "registry::a_call_finds_its_own_client_or_none", switches: Some(3), run: place_of_another },
    Model { name: "registry::a_destroyed_address_stays_unknown", switches: None, run: stale_address },
    Model {
        name: "registry::a_completion_is_called_once_and_not_after_destroy",
        switches: None,
        run: completion,
    },
    Model {
        name: "registry::the_last_callbacks_that_were_set_are_called",
        switches: None,
        run: callbacks_set,
    },
];

/// The address of a client's struct, for any thread.
#[derive(Clone, Copy)]
struct Address(*mut WebSocket);

// SAFETY: looked up, never followed.
unsafe impl Send for Address {}

impl Address {
    fn of_new_client() -> Self {
        let request_options = RequestOptions { headers: ptr::null_mut() };
        Self(handle::create(WebSocket {
            on_open: None,
            on_message: None,
            on_error: None,
            on_close: None,
            request_options,
        }))
    }

    fn call<R>(self, use_it: impl FnOnce(&Handle) -> R) -> Option<R> {
        handle::with(self.0, use_it)
    }

    /// The number of the client that is found there.
    fn id(self) -> Option<u64> {
        self.call(|handle| handle.client.id())
    }

    /// Whether there was one.
    fn destroy(self) -> bool {
        handle::remove(self.0).map(Handle::destroy).is_some()
    }
}

/// Memory that is released when a client is: loom fails an order in which somebody could still use it.
#[derive(Default)]
struct Memory(UnsafeCell<usize>);

// SAFETY: loom watches who is there.
unsafe impl Sync for Memory {}
// SAFETY: as above.
unsafe impl Send for Memory {}

impl Memory {
    /// What a callback finds behind the pointer that it is handed.
    unsafe fn behind<'a>(pointer: *mut c_void) -> &'a Self {
        // SAFETY: the models hold what they hand out.
        unsafe { &*pointer.cast::<Self>() }
    }

    fn pointer(self: &Arc<Self>) -> *mut c_void {
        Arc::as_ptr(self).cast_mut().cast()
    }

    fn read(&self) -> usize {
        // SAFETY: loom fails the order if another thread writes.
        self.0.with(|calls| unsafe { *calls })
    }

    fn count(&self) {
        // SAFETY: loom fails the order if another thread is there.
        self.0.with_mut(|calls| unsafe { *calls += 1 });
    }

    /// Returns what was counted.
    fn release(&self) -> usize {
        // SAFETY: as above.
        self.0.with_mut(|calls| unsafe { *calls })
    }
}

fn call_and_remove() {
    let client = Address::of_new_client();
    let memory = Arc::new(Memory::default());
    let caller = thread::spawn({
        let memory = memory.clone();
        move || {
            // The second call finds the place by what the thread remembers.
            for _ in 0..2 {
                client.call(|_| memory.read());
            }
        }
    });
    let removed = handle::remove(client.0);
    memory.release();
    removed.expect("nobody else removes it").destroy();
    assert_eq!(client.id(), None);
    caller.join().expect("no panic");
}

fn two_destroys() {
    let client = Address::of_new_client();
    let other = thread::spawn(move || client.destroy());
    let own = client.destroy();
    assert!(own != other.join().expect("no panic"));
    assert_eq!(client.id(), None);
    // Its place is free once.
    let clients = [Address::of_new_client(), Address::of_new_client()];
    for client in clients {
        assert!(client.destroy());
    }
}

/// The place of a destroyed client is another's.
fn place_of_another() {
    let first = Address::of_new_client();
    let first_id = first.id().expect("just made");
    let caller = thread::spawn(move || {
        for _ in 0..2 {
            let found = first.id();
            assert!(found.is_none_or(|id| id == first_id), "{found:?}");
        }
    });
    let maker = thread::spawn(move || {
        let second = Address::of_new_client();
        let id = second.id().expect("it is not destroyed yet");
        assert!(id != first_id);
        assert!(second.destroy());
    });
    assert!(first.destroy());
    let third = Address::of_new_client();
    assert!(third.id().is_some_and(|id| id != first_id), "it is not destroyed yet");
    assert!(third.destroy());
    caller.join().expect("no panic");
    maker.join().expect("no panic");
}

fn stale_address() {
    let first = Address::of_new_client();
    assert!(first.destroy());
    let second = Address::of_new_client();
    assert_eq!(first.id(), None);
    assert!(!first.destroy());
    assert!(second.destroy());
}

/// A message is sent while its client is destroyed.
fn completion() {
    unsafe extern "C" fn sent(_client: *mut WebSocket, context: *mut c_void, _code: i32) {
        // SAFETY: a pointer of the model.
        unsafe { Memory::behind(context) }.count();
    }
    let client = Address::of_new_client();
    let memory = Arc::new(Memory::default());
    let session = client.call(|handle| {
        let context = memory.pointer();
        let receipt = handle.ext().register_completion(SendCompletion { callback: sent, context });
        handle.client.send(receipt);
        let attempt = handle.client.begin();
        thread::spawn(move || {
            let mut session = block_on(attempt.teller());
            session.sent(receipt, Outcome::Sent);
            session.sent(receipt, Outcome::Unsent);
        })
    });
    assert!(client.destroy());
    // From here on the application may have released it.
    assert_eq!(memory.release(), 1);
    session.expect("just made").join().expect("no panic");
}

/// One thread sets callbacks while a session calls them; a callback after that has the last that were set.
fn callbacks_set() {
    unsafe extern "C" fn on_drain(_client: *mut WebSocket, user_data: *mut c_void) {
        // SAFETY: a pointer of the model.
        unsafe { Memory::behind(user_data) }.count();
    }
    let client = Address::of_new_client();
    let memory = [Arc::new(Memory::default()), Arc::new(Memory::default())];
    let set = |memory: &Arc<Memory>| {
        let user_data = memory.pointer();
        let callbacks = RawCallbacks { user_data, on_drain: Some(on_drain), ..RawCallbacks::NONE };
        client.call(|handle| handle.ext().set_callbacks(callbacks)).expect("not destroyed");
    };
    set(&memory[0]);
    let attempt = client.call(|handle| handle.client.begin()).expect("not destroyed");
    let session = thread::spawn(move || {
        let mut session = block_on(attempt.teller());
        session.drained();
        session
    });
    set(&memory[1]);
    let mut session = session.join().expect("no panic");
    session.drained();
    let calls = memory.map(|memory| memory.release());
    assert_eq!(calls[0] + calls[1], 2);
    assert!(calls[1] >= 1, "the last that were set are the ones that are called");
    drop(session);
    assert!(client.destroy());
}
