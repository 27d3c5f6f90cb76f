//! The clients that exist, by the address of their struct.
//!
//! Every call looks up an address here before it touches the memory there. A stale or foreign address is not found, so
//! it does no harm. A call delays only the Destroy of its own client.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::ffi::CString;
use std::sync::{Arc, PoisonError};

use super::abi::{ErrCode, Header, RequestOptions, WebSocket};
use super::callback::{Callbacks, ClientPointer};
use super::callback_barrier::{AnyBarrier, CallbackBarrier};
use super::client_ext::{ClientExt, SendCompletion};
use crate::by_address::ByAddress;
use crate::client::{Client, RawHeader, SEND_LIMIT_BYTES};
use crate::platform;
use crate::sync::{LazyLock, Mutex, PLACES_AT_ONCE, RECENT_PLACES, RwLock, RwLockReadGuard, lock};

/// How many structs of destroyed clients keep their memory, 40 bytes each. A stale pointer then stays unknown for long,
/// and a callback that destroyed its own client can still read the struct.
const QUARANTINE_MAX: usize = 1_024;

/// Locked to find, add or remove a client. Never locked during a call.
static CLIENTS: LazyLock<RwLock<HashMap<usize, &'static Slot, ByAddress>>> = LazyLock::new(RwLock::default);

/// A place for a client. It is empty before the client is created and after Destroy has taken it. Each call locks it
/// for reading. Places are never released, so that a thread may remember one. They are 56 bytes long.
type Slot = RwLock<Option<Handle>>;

/// The empty places.
static FREE_SLOTS: LazyLock<Mutex<Vec<&'static Slot>>> = LazyLock::new(Mutex::default);

thread_local! {
    /// The places that this thread called last, by a part of the address. A place may have another client by now.
    static RECENT: [Cell<Option<&'static Slot>>; RECENT_PLACES] =
        const { [const { Cell::new(None) }; RECENT_PLACES] };
}

struct Quarantined(#[expect(dead_code, reason = "owned so that its memory is not reused")] Box<WebSocket>);

// SAFETY: nobody reads the structs any more.
unsafe impl Send for Quarantined {}

static QUARANTINE: LazyLock<Mutex<VecDeque<Quarantined>>> = LazyLock::new(Mutex::default);

/// The client behind a struct.
pub struct Handle {
    pub client: Client,
    /// `None` until a header is added.
    pub added: Mutex<Option<Box<AddedHeaders>>>,
    pointer: ClientPointer,
    barrier: Arc<CallbackBarrier<ClientExt>>,
}

/// An added header, and its node in the list that the application sees in `requestOptions`.
struct AddedHeader {
    /// From `Box::into_raw`. Its texts are the two fields below.
    header: *mut Header,
    name: CString,
    value: CString,
}

// SAFETY: this value owns the node. The application only reads it.
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

    /// Returns the addresses of the list nodes that the application sees, in their order.
    pub fn addresses(&self) -> Vec<usize> {
        let mut addresses: Vec<_> = self.headers.iter().map(|added| added.header.addr()).collect();
        addresses.sort_unstable();
        addresses
    }
}

/// Creates a client with `fields` as its struct, and returns the struct's address.
pub fn create(fields: WebSocket) -> *mut WebSocket {
    platform::watch_forks();
    let pointer = ClientPointer(Box::into_raw(Box::new(fields)));
    let barrier = Arc::new(CallbackBarrier::<ClientExt>::default());
    let callbacks = Callbacks::new(pointer, barrier.clone());
    let client = Client::new(Box::new(callbacks), SEND_LIMIT_BYTES);
    let handle = Handle { client, added: Mutex::default(), pointer, barrier };
    let slot = empty_slot();
    *slot.write().unwrap_or_else(PoisonError::into_inner) = Some(handle);
    CLIENTS.write().unwrap_or_else(PoisonError::into_inner).insert(pointer.0.addr(), slot);
    pointer.0
}

/// Returns an empty place. New places come many at once, because each piece of memory has a head of its own.
fn empty_slot() -> &'static Slot {
    let mut free = lock(&FREE_SLOTS);
    if let Some(slot) = free.pop() {
        return slot;
    }
    let mut slots = Vec::with_capacity(PLACES_AT_ONCE);
    slots.resize_with(PLACES_AT_ONCE, Slot::default);
    let slots = slots.leak();
    free.extend(slots.iter().skip(1));
    &slots[0]
}

/// Calls `use_it` with the client at `address`, if there is one.
pub fn with<R>(address: *const WebSocket, use_it: impl FnOnce(&Handle) -> R) -> Option<R> {
    let address = address.addr();
    let recent = RECENT.with(|recent| recent[place_of(address)].get());
    // It does not wait. The place may have another client, whose Destroy waits for a call.
    let guard = match recent.map(Slot::try_read) {
        Some(Ok(guard)) if is_at(&guard, address) => guard,
        _ => find(address)?,
    };
    guard.as_ref().map(use_it)
}

/// Removes the client at `address`, after the calls of other threads that found it have ended. No later call finds it.
pub fn remove(address: *const WebSocket) -> Option<Handle> {
    let slot = CLIENTS.write().unwrap_or_else(PoisonError::into_inner).remove(&address.addr())?;
    let handle = slot.write().unwrap_or_else(PoisonError::into_inner).take();
    lock(&FREE_SLOTS).push(slot);
    handle
}

/// Finds a client that this thread has not called lately.
#[cold]
fn find(address: usize) -> Option<RwLockReadGuard<'static, Option<Handle>>> {
    let slot = *CLIENTS.read().unwrap_or_else(PoisonError::into_inner).get(&address)?;
    let guard = slot.read().unwrap_or_else(PoisonError::into_inner);
    // Destroy may have run between the two locks.
    if !is_at(&guard, address) {
        return None;
    }
    RECENT.with(|recent| recent[place_of(address)].set(Some(slot)));
    Some(guard)
}

/// Whether the client in a place is the one at `address`.
fn is_at(slot: &Option<Handle>, address: usize) -> bool {
    slot.as_ref().is_some_and(|handle| handle.pointer.0.addr() == address)
}

/// The index of a client among the recent ones.
fn place_of(address: usize) -> usize {
    // Structs are at least 16 bytes apart.
    (address >> 4) % RECENT_PLACES
}

impl Handle {
    /// What `net_websocket_ext.h` adds to the client.
    pub fn ext(&self) -> &ClientExt {
        &self.barrier.beside
    }

    /// Adds a header. Also appends it to the list in the struct, unless the application has set its own list.
    pub fn add(&self, name: CString, value: CString) {
        let mut added = lock(&self.added);
        let added = added.get_or_insert_default();
        let header = Header { name: name.as_ptr(), value: value.as_ptr(), next: std::ptr::null_mut() };
        let fresh = Box::into_raw(Box::new(header));
        // SAFETY: the struct is alive while its handle is in its place; the last node is ours and not yet dropped.
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

    /// Ends the client. No callback runs after this returns, except one that calls this.
    pub fn destroy(self) {
        let Self { client, added, pointer, barrier } = self;
        // Dropped before the wait, so that a running batch of callbacks ends with its current message.
        drop(client);
        let any: Arc<AnyBarrier> = barrier.clone();
        any.close_and_wait();
        for (_, SendCompletion { callback, context }) in barrier.beside.take_all_completions() {
            // SAFETY: the application vouches for the function. The struct still exists, but the client does not.
            unsafe { callback(pointer.0, context, ErrCode::Destroyed as i32) };
        }
        // SAFETY: made by `Box::into_raw` in `create`. Only the caller that removed the handle comes here.
        let fields = unsafe { Box::from_raw(pointer.0) };
        let mut quarantine = lock(&QUARANTINE);
        if quarantine.len() >= QUARANTINE_MAX {
            quarantine.pop_front();
        }
        quarantine.push_back(Quarantined(fields));
        drop(added);
    }
}
