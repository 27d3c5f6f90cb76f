//! Changes of the device's network, from the platform's library, or from the kernel if that is missing.

use std::ffi::c_void;
use std::mem::transmute;
use std::panic::catch_unwind;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};

use super::library::{Library, LookedUp, look_up};
#[cfg(all(target_os = "linux", not(target_env = "ohos")))]
use super::netlink::{self, KernelWatch};
use crate::logging;

/// A change of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NetworkNotice {
    /// The default network is gone.
    Lost,
    /// A default network is available. It may differ from the earlier one.
    Available,
    /// An interface, an address or a route has changed.
    Changed,
}

/// Calls `notify` at each change of the network, on any thread, until the result is dropped. Returns `None` if no source
/// of changes is available. Every call must pass the same `notify`.
pub(crate) fn watch_network(notify: fn(NetworkNotice)) -> Option<NetworkWatch> {
    let _ = NOTIFY.set(notify);
    if let Some(NetworkFunctions { register, unregister }) = functions() {
        let mut callbacks = NetConnCallbacks {
            available: on_available,
            capabilities: on_capabilities,
            properties: on_properties,
            lost: on_lost,
            unavailable: on_unavailable,
            blocked: on_blocked,
        };
        let mut id = 0;
        DEFAULT_NETWORK.store(NO_NETWORK, Ordering::Relaxed);
        // SAFETY: declared so by the platform's header, which copies the callbacks; both places outlive the call.
        let status = unsafe { register(&raw mut callbacks, &raw mut id) };
        if status == 0 {
            return Some(NetworkWatch::Platform { id, unregister });
        }
        // The usual reason is a missing ohos.permission.GET_NETWORK_INFO (201).
        logging::info(format_args!("the system does not report changes of the network ({status})"));
    }
    watch_kernel(notify)
}

#[cfg(all(target_os = "linux", not(target_env = "ohos")))]
fn watch_kernel(notify: fn(NetworkNotice)) -> Option<NetworkWatch> {
    netlink::watch(move || notify(NetworkNotice::Changed)).map(NetworkWatch::Kernel)
}

#[cfg(not(all(target_os = "linux", not(target_env = "ohos"))))]
fn watch_kernel(_notify: fn(NetworkNotice)) -> Option<NetworkWatch> {
    None
}

/// Its drop ends the watch.
pub(crate) enum NetworkWatch {
    Platform {
        id: u32,
        unregister: UnregisterNetConnCallback,
    },
    #[cfg(all(target_os = "linux", not(target_env = "ohos")))]
    Kernel(#[expect(dead_code, reason = "its drop ends the watch")] KernelWatch),
}

impl Drop for NetworkWatch {
    fn drop(&mut self) {
        match *self {
            Self::Platform { id, unregister } => {
                // SAFETY: declared so by the platform's header.
                let status = unsafe { unregister(id) };
                if status != 0 {
                    logging::warn(format_args!(
                        "the system does not stop reporting changes of the network ({status})"
                    ));
                }
            }
            #[cfg(all(target_os = "linux", not(target_env = "ohos")))]
            Self::Kernel(_) => {}
        }
    }
}

/// Set once, at the first watch: the platform's callbacks have no argument for it.
static NOTIFY: OnceLock<fn(NetworkNotice)> = OnceLock::new();

/// Passes a notice of the platform on. A panic must not reach the platform.
fn notify(notice: NetworkNotice) {
    if let Some(notify) = NOTIFY.get()
        && catch_unwind(|| notify(notice)).is_err()
    {
        logging::error(format_args!("a change of the network: internal error"));
    }
}

/// `NetConn_NetConnCallback`. All of them must be set.
#[repr(C)]
struct NetConnCallbacks {
    available: unsafe extern "C" fn(*const NetHandle),
    capabilities: extern "C" fn(*const NetHandle, *const c_void),
    properties: extern "C" fn(*const NetHandle, *const c_void),
    lost: unsafe extern "C" fn(*const NetHandle),
    unavailable: extern "C" fn(),
    blocked: extern "C" fn(*const NetHandle, bool),
}

/// `NetConn_NetHandle`, the number of a network.
#[repr(C)]
struct NetHandle {
    id: i32,
}

/// The network that the platform reported last, or [`NO_NETWORK`].
static DEFAULT_NETWORK: AtomicI32 = AtomicI32::new(NO_NETWORK);
/// Not a network's number. `OH_NetConn_GetAddrInfo` treats it as the default network.
const NO_NETWORK: i32 = 0;

/// # Safety
///
/// `network` is null or valid for the call.
unsafe fn id_of(network: *const NetHandle) -> i32 {
    // SAFETY: as above.
    unsafe { network.as_ref() }.map_or(NO_NETWORK, |network| network.id)
}

unsafe extern "C" fn on_available(network: *const NetHandle) {
    // SAFETY: the platform's pointer is valid for the call.
    DEFAULT_NETWORK.store(unsafe { id_of(network) }, Ordering::Relaxed);
    notify(NetworkNotice::Available);
}

/// Does nothing: the platform calls it for every change of signal or speed.
extern "C" fn on_capabilities(_network: *const NetHandle, _capabilities: *const c_void) {}

extern "C" fn on_properties(_network: *const NetHandle, _properties: *const c_void) {
    notify(NetworkNotice::Changed);
}

unsafe extern "C" fn on_lost(network: *const NetHandle) {
    // SAFETY: the platform's pointer is valid for the call.
    let lost = unsafe { id_of(network) };
    // Another network may have become the default before this one went.
    let default = DEFAULT_NETWORK.load(Ordering::Relaxed);
    let another = lost != NO_NETWORK && default != NO_NETWORK && lost != default;
    notify(if another { NetworkNotice::Changed } else { NetworkNotice::Lost });
}

extern "C" fn on_unavailable() {
    notify(NetworkNotice::Lost);
}

extern "C" fn on_blocked(_network: *const NetHandle, blocked: bool) {
    notify(if blocked { NetworkNotice::Lost } else { NetworkNotice::Available });
}

/// `OH_NetConn_RegisterDefaultNetConnCallback` and `OH_NetConn_UnregisterNetConnCallback`, since API 12. They return 0,
/// or an error code.
type RegisterNetConnCallback = unsafe extern "C" fn(*mut NetConnCallbacks, *mut u32) -> i32;
type UnregisterNetConnCallback = unsafe extern "C" fn(u32) -> i32;

#[derive(Clone, Copy)]
struct NetworkFunctions {
    register: RegisterNetConnCallback,
    unregister: UnregisterNetConnCallback,
}

fn functions() -> Option<NetworkFunctions> {
    static FUNCTIONS: LookedUp<NetworkFunctions> = LookedUp::new();
    let found = FUNCTIONS.get(|| {
        let register = look_up(Library::NetConnection, c"OH_NetConn_RegisterDefaultNetConnCallback")?;
        let unregister = look_up(Library::NetConnection, c"OH_NetConn_UnregisterNetConnCallback")?;
        // SAFETY: the platform's header declares the functions of these names so.
        Ok(register.zip(unregister).map(|(register, unregister)| unsafe {
            NetworkFunctions {
                register: transmute::<*mut c_void, RegisterNetConnCallback>(register),
                unregister: transmute::<*mut c_void, UnregisterNetConnCallback>(unregister),
            }
        }))
    });
    found.copied()
}
