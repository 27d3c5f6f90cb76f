//! What only the platform knows: the proxy of its network settings, when its network changes, and how much of what was
//! written to a socket has arrived.
//!
//! The functions are looked up when they are first needed, in a library that devices with an older system, and other
//! systems, do not have. The one place outside the faces with unsafe code.

use std::convert::Infallible;
use std::ffi::{CStr, c_void};
use std::mem::transmute;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::panic::catch_unwind;
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{LazyLock, OnceLock};

use tokio::sync::oneshot;

/// `NETCONN_MAX_STR_LEN` of `network/netmanager/net_connection_type.h`.
const TEXT_BYTES_MAX: usize = 256;
/// `NETCONN_MAX_EXCLUSION_SIZE`.
const EXCLUSIONS_MAX: usize = 256;

/// The default proxy. Without a host there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DefaultProxy {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) exclusions: Vec<String>,
}

/// `NetConn_HttpProxy`.
#[repr(C)]
struct HttpProxy {
    host: [u8; TEXT_BYTES_MAX],
    exclusion_list: [[u8; TEXT_BYTES_MAX]; EXCLUSIONS_MAX],
    exclusion_list_size: i32,
    port: u16,
}

const _: () = assert!(size_of::<HttpProxy>() == 65_800);

/// `OH_NetConn_GetDefaultHttpProxy`, since API 11. Returns 0, or why it failed.
type GetDefaultHttpProxy = unsafe extern "C" fn(*mut HttpProxy) -> i32;

static FUNCTION: LazyLock<Option<GetDefaultHttpProxy>> = LazyLock::new(|| {
    let address = look_up(c"OH_NetConn_GetDefaultHttpProxy")?;
    // SAFETY: the platform's header declares the function of this name so.
    Some(unsafe { transmute::<*mut c_void, GetDefaultHttpProxy>(address) })
});

/// The address of a function of the platform's library for networks.
fn look_up(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: both strings end with a NUL. The library is the platform's and stays loaded.
    let address = unsafe {
        let library = libc::dlopen(c"libnet_connection.so".as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
        if library.is_null() {
            return None;
        }
        libc::dlsym(library, name.as_ptr())
    };
    (!address.is_null()).then_some(address)
}

/// Whether this system has such a setting.
pub(crate) fn has_default_proxy() -> bool {
    FUNCTION.is_some()
}

/// The setting of this system; `None` when it has none. Asks another process: not for an async thread.
pub(crate) fn default_proxy() -> Option<DefaultProxy> {
    let function = (*FUNCTION)?;
    let mut raw = Box::<HttpProxy>::new_uninit();
    // SAFETY: zeros make a valid value, and the function has exclusive use of it for the call.
    let (status, raw) = unsafe {
        ptr::write_bytes(raw.as_mut_ptr(), 0, 1);
        let mut raw = raw.assume_init();
        (function(&raw mut *raw), raw)
    };
    let HttpProxy { host, exclusion_list, exclusion_list_size, port } = &*raw;
    if status != 0 {
        crate::logging::warn(format_args!(
            "the system does not tell its default proxy ({status}); none is used"
        ));
        return Some(DefaultProxy { host: String::new(), port: 0, exclusions: Vec::new() });
    }
    let entries = usize::try_from(*exclusion_list_size).unwrap_or(0);
    Some(DefaultProxy {
        host: text(host),
        port: *port,
        exclusions: exclusion_list.iter().take(entries).map(text).collect(),
    })
}

fn text(bytes: &[u8; TEXT_BYTES_MAX]) -> String {
    let text = CStr::from_bytes_until_nul(bytes).map_or(&bytes[..], CStr::to_bytes);
    String::from_utf8_lossy(text).trim().to_owned()
}

/// What the platform tells of its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NetworkNotice {
    /// There is no default network any more.
    Lost,
    /// There is one, perhaps another one than before.
    Available,
    /// An interface, an address or a route has changed.
    Changed,
}

/// Calls `tell` at each change of the network, on any thread, until the result is dropped; `None` where that cannot be had.
/// `tell` is the same at each call.
pub(crate) fn watch_network(tell: fn(NetworkNotice)) -> Option<NetworkWatch> {
    let _ = TELL.set(tell);
    if let Some(NetworkFunctions { register, unregister }) = *NETWORK_FUNCTIONS {
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
        // Most often for want of ohos.permission.GET_NETWORK_INFO (201).
        crate::logging::info(format_args!("the system does not tell of its network ({status})"));
    }
    netlink::watch(tell)
}

/// Ends the telling when it is dropped.
pub(crate) enum NetworkWatch {
    Platform {
        id: u32,
        unregister: UnregisterNetConnCallback,
    },
    #[cfg_attr(
        target_env = "ohos",
        expect(dead_code, reason = "applications may not listen to the kernel there")
    )]
    Kernel(#[expect(dead_code, reason = "its drop is what ends the listening")] oneshot::Sender<Infallible>),
}

impl Drop for NetworkWatch {
    fn drop(&mut self) {
        if let Self::Platform { id, unregister } = *self {
            // SAFETY: declared so by the platform's header.
            let status = unsafe { unregister(id) };
            if status != 0 {
                crate::logging::warn(format_args!("the system goes on telling of its network ({status})"));
            }
        }
    }
}

static TELL: OnceLock<fn(NetworkNotice)> = OnceLock::new();

fn tell(notice: NetworkNotice) {
    if let Some(tell) = TELL.get()
        && catch_unwind(|| tell(notice)).is_err()
    {
        crate::logging::error(format_args!("a change of the network: internal error"));
    }
}

/// `NetConn_NetConnCallback`, of which all must be set.
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

/// The network that came last, if the platform has told of one.
static DEFAULT_NETWORK: AtomicI32 = AtomicI32::new(NO_NETWORK);
/// No network's number: `OH_NetConn_GetAddrInfo` takes it for the default one.
const NO_NETWORK: i32 = 0;

/// # Safety
///
/// `network` is null or valid for the call.
unsafe fn id_of(network: *const NetHandle) -> i32 {
    // SAFETY: as above.
    unsafe { network.as_ref() }.map_or(NO_NETWORK, |network| network.id)
}

unsafe extern "C" fn on_available(network: *const NetHandle) {
    // SAFETY: the platform's is valid for the call.
    DEFAULT_NETWORK.store(unsafe { id_of(network) }, Ordering::Relaxed);
    tell(NetworkNotice::Available);
}

/// Told whenever signal or speed change as well: no reason to do anything.
extern "C" fn on_capabilities(_network: *const NetHandle, _capabilities: *const c_void) {}

extern "C" fn on_properties(_network: *const NetHandle, _properties: *const c_void) {
    tell(NetworkNotice::Changed);
}

unsafe extern "C" fn on_lost(network: *const NetHandle) {
    // SAFETY: the platform's is valid for the call.
    let lost = unsafe { id_of(network) };
    // Another one may have taken its place before it went.
    let default = DEFAULT_NETWORK.load(Ordering::Relaxed);
    let another = lost != NO_NETWORK && default != NO_NETWORK && lost != default;
    tell(if another { NetworkNotice::Changed } else { NetworkNotice::Lost });
}

extern "C" fn on_unavailable() {
    tell(NetworkNotice::Lost);
}

extern "C" fn on_blocked(_network: *const NetHandle, blocked: bool) {
    tell(if blocked { NetworkNotice::Lost } else { NetworkNotice::Available });
}

/// `OH_NetConn_RegisterDefaultNetConnCallback` and `OH_NetConn_UnregisterNetConnCallback`, since API 12. They return 0, or
/// why they failed.
type RegisterNetConnCallback = unsafe extern "C" fn(*mut NetConnCallbacks, *mut u32) -> i32;
type UnregisterNetConnCallback = unsafe extern "C" fn(u32) -> i32;

struct NetworkFunctions {
    register: RegisterNetConnCallback,
    unregister: UnregisterNetConnCallback,
}

static NETWORK_FUNCTIONS: LazyLock<Option<NetworkFunctions>> = LazyLock::new(|| {
    let register = look_up(c"OH_NetConn_RegisterDefaultNetConnCallback")?;
    let unregister = look_up(c"OH_NetConn_UnregisterNetConnCallback")?;
    // SAFETY: the platform's header declares the functions of these names so.
    Some(unsafe {
        NetworkFunctions {
            register: transmute::<*mut c_void, RegisterNetConnCallback>(register),
            unregister: transmute::<*mut c_void, UnregisterNetConnCallback>(unregister),
        }
    })
});

/// Linux without the platform's library: the kernel's own notices (rtnetlink(7)).
#[cfg(all(target_os = "linux", not(target_env = "ohos")))]
mod netlink {
    use std::io;
    use std::time::Duration;

    use socket2::{Domain, Protocol, SockAddr, Socket, Type};
    use tokio::io::unix::AsyncFd;
    use tokio::sync::oneshot;

    use super::{NetworkNotice, NetworkWatch};

    /// One change of the network is many notices: they are told of together.
    const SETTLE: Duration = Duration::from_millis(50);

    pub(super) fn watch(tell: fn(NetworkNotice)) -> Option<NetworkWatch> {
        let socket = open()
            .inspect_err(|cause| {
                crate::logging::info(format_args!("the kernel does not tell of its network: {cause}"));
            })
            .ok()?;
        let (end, ended) = oneshot::channel();
        crate::runtime::spawn(async move {
            tokio::select! {
                outcome = listen(socket, tell) => if let Err(cause) = outcome {
                    crate::logging::warn(format_args!("the kernel has ceased to tell of its network: {cause}"));
                },
                _ = ended => {}
            }
        })
        .ok()?;
        Some(NetworkWatch::Kernel(end))
    }

    fn open() -> io::Result<Socket> {
        let kind = Type::RAW.nonblocking().cloexec();
        let socket =
            Socket::new(Domain::from(libc::AF_NETLINK), kind, Some(Protocol::from(libc::NETLINK_ROUTE)))?;
        let groups = libc::RTMGRP_LINK
            | libc::RTMGRP_IPV4_IFADDR
            | libc::RTMGRP_IPV6_IFADDR
            | libc::RTMGRP_IPV4_ROUTE
            | libc::RTMGRP_IPV6_ROUTE;
        // SAFETY: the storage is large enough for every kind of address and zeroed, which is right for the other fields.
        let ((), address) = unsafe {
            SockAddr::try_init(|storage, length| {
                let address = storage.cast::<libc::sockaddr_nl>();
                (*address).nl_family = libc::AF_NETLINK as libc::sa_family_t;
                (*address).nl_groups = groups.unsigned_abs();
                *length = size_of::<libc::sockaddr_nl>() as libc::socklen_t;
                Ok(())
            })
        }?;
        socket.bind(&address)?;
        Ok(socket)
    }

    async fn listen(socket: Socket, tell: fn(NetworkNotice)) -> io::Result<()> {
        // SAFETY: the socket owns its descriptor, which is the same until it is dropped.
        let socket = unsafe { AsyncFd::register(socket) }?;
        loop {
            drop(socket.readable().await?);
            tokio::time::sleep(SETTLE).await;
            discard(&socket).await?;
            tell(NetworkNotice::Changed);
        }
    }

    /// That something has changed is enough to know; what it is, the sessions see for themselves.
    async fn discard(socket: &AsyncFd<Socket>) -> io::Result<()> {
        let mut guard = socket.readable().await?;
        let mut notice = [std::mem::MaybeUninit::uninit(); 4_096];
        loop {
            match guard.try_io(|socket| socket.get_ref().recv(&mut notice)) {
                Err(_would_block) => return Ok(()),
                // More notices than the kernel kept.
                Ok(Err(error)) if error.raw_os_error() == Some(libc::ENOBUFS) => {}
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(outcome) => drop(outcome?),
            }
        }
    }
}

/// Bytes written to a TCP socket that its peer has not acknowledged.
pub(crate) fn unacknowledged(socket: BorrowedFd<'_>) -> Option<u64> {
    let mut count: libc::c_int = 0;
    // SAFETY: the descriptor is open for the time of the call, which writes one c_int to the address (`tcp(7)`, SIOCOUTQ,
    // whose number is that of TIOCOUTQ).
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) };
    u64::try_from(count).ok().filter(|_| status == 0)
}

#[cfg(not(all(target_os = "linux", not(target_env = "ohos"))))]
mod netlink {
    use super::{NetworkNotice, NetworkWatch};

    pub(super) fn watch(_tell: fn(NetworkNotice)) -> Option<NetworkWatch> {
        None
    }
}
