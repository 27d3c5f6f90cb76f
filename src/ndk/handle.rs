//! The clients that exist, by the address of their struct.
//!
//! Every call looks an address up here before it touches the memory there: a stale or foreign address is not found, and
//! does no harm.

use std::collections::{HashMap, HashSet, VecDeque};
use std::ffi::CString;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, RwLock};

use super::abi::{ErrCode, Header, RequestOptions, WebSocket};
use super::callback::{Callbacks, ClientPointer};
use super::callback_barrier::CallbackBarrier;
use super::client_ext::{ClientExt, SendCompletion};
use crate::client::{Client, RawHeader, SEND_LIMIT_BYTES};
use crate::platform;
use crate::sync::lock;

/// How many structs of destroyed clients keep their memory, 40 bytes each. A stale pointer then stays unknown for long,
/// and a callback that destroyed its own client can still read the struct.
const QUARANTINE_MAX: usize = 1_024;

static CLIENTS: LazyLock<RwLock<HashMap<usize, Handle, BuildHasherDefault<AddressHasher>>>> =
    LazyLock::new(RwLock::default);

/// Hashes the address of a struct. One multiplication is enough: our allocator chooses the addresses, no adversary.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, address: usize) {
        // 2^64 divided by the golden ratio: spreads the bits of an address to the upper ones, which the map looks at.
        const FIBONACCI: u64 = 0x9e37_79b9_7f4a_7c15;
        self.0 = (self.0 ^ address as u64).wrapping_mul(FIBONACCI).rotate_left(32);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

struct Quarantined(#[expect(dead_code, reason = "owned so that its memory is not reused")] Box<WebSocket>);

// SAFETY: nobody looks inside any more.
unsafe impl Send for Quarantined {}

static QUARANTINE: Mutex<VecDeque<Quarantined>> = Mutex::new(VecDeque::new());

/// The client behind a struct.
pub struct Handle {
    pub client: Client,
    pub added: Mutex<AddedHeaders>,
    pub ext: Arc<ClientExt>,
    pointer: ClientPointer,
    barrier: Arc<CallbackBarrier>,
}

/// A header that was added, and its node in the list that the application sees in `requestOptions`.
struct AddedHeader {
    /// From `Box::into_raw`; its texts are the two below.
    header: *mut Header,
    name: CString,
    value: CString,
}

// SAFETY: the node is this value's own; the application only reads it.
unsafe impl Send for AddedHeader {}

impl Drop for AddedHeader {
    fn drop(&mut self) {
        // SAFETY: made by `Box::into_raw` in `Handle::add`, dropped once.
        drop(unsafe { Box::from_raw(self.header) });
    }
}

/// The headers added to a client.
#[derive(Default)]
pub struct AddedHeaders {
    headers: Vec<AddedHeader>,
}

impl AddedHeaders {
    /// Returns the added headers, in order.
    pub fn copies(&self) -> impl Iterator<Item = RawHeader> + '_ {
        self.headers.iter().map(|added| (added.name.as_bytes().to_vec(), added.value.as_bytes().to_vec()))
    }

    pub fn len(&self) -> usize {
        self.headers.len()
    }

    /// Returns the addresses of the list nodes that the application sees.
    pub fn addresses(&self) -> HashSet<usize> {
        self.headers.iter().map(|added| added.header.addr()).collect()
    }
}

/// Creates a client with `fields` as its struct, and returns the struct's address.
pub fn create(fields: WebSocket) -> *mut WebSocket {
    platform::watch_forks();
    let pointer = ClientPointer(Box::into_raw(Box::new(fields)));
    let barrier = Arc::new(CallbackBarrier::default());
    let ext = Arc::new(ClientExt::default());
    let callbacks = Callbacks::new(pointer, ext.clone(), barrier.clone());
    let client = Client::new(Box::new(callbacks), SEND_LIMIT_BYTES);
    let handle = Handle { client, added: Mutex::default(), ext, pointer, barrier };
    CLIENTS.write().unwrap_or_else(PoisonError::into_inner).insert(pointer.0.addr(), handle);
    pointer.0
}

/// Calls `use_it` with the client at `address`, if there is one.
pub fn with<R>(address: *const WebSocket, use_it: impl FnOnce(&Handle) -> R) -> Option<R> {
    CLIENTS.read().unwrap_or_else(PoisonError::into_inner).get(&address.addr()).map(use_it)
}

/// Removes the client at `address`. No later call finds it.
pub fn remove(address: *const WebSocket) -> Option<Handle> {
    CLIENTS.write().unwrap_or_else(PoisonError::into_inner).remove(&address.addr())
}

impl Handle {
    /// Adds a header. Appends it to the list in the struct too, unless the application has put a list of its own there.
    pub fn add(&self, name: CString, value: CString) {
        let mut added = lock(&self.added);
        let header = Header { name: name.as_ptr(), value: value.as_ptr(), next: std::ptr::null_mut() };
        let fresh = Box::into_raw(Box::new(header));
        // SAFETY: the struct is alive while its handle is in the registry; the last node is ours and not yet dropped.
        unsafe {
            let shown = &raw mut (*self.pointer.0).request_options;
            let RequestOptions { headers } = shown.read_volatile();
            match added.headers.last() {
                None if headers.is_null() => shown.write_volatile(RequestOptions { headers: fresh }),
                None => {}
                Some(last) => (&raw mut (*last.header).next).write_volatile(fresh),
            }
        }
        added.headers.push(AddedHeader { header: fresh, name, value });
    }

    /// Ends the client. No callback runs after this returns, except one that this is called from.
    pub fn destroy(self) {
        let Self { client, added, ext, pointer, barrier } = self;
        // Before the wait: a running batch of callbacks ends with the message it is at.
        drop(client);
        barrier.close_and_wait();
        for SendCompletion { callback, context } in ext.take_all_completions() {
            // SAFETY: the function is the application's word. The struct is still there, if no client any more.
            unsafe { callback(pointer.0, context, ErrCode::Destroyed as i32) };
        }
        // SAFETY: made by `Box::into_raw` in `create`, and only the one caller that removed the handle comes here.
        let fields = unsafe { Box::from_raw(pointer.0) };
        let mut quarantine = lock(&QUARANTINE);
        if quarantine.len() >= QUARANTINE_MAX {
            quarantine.pop_front();
        }
        quarantine.push_back(Quarantined(fields));
        drop(added);
    }
}
