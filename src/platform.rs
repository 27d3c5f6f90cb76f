//! What only the platform knows: the proxy of its network settings.
//!
//! The function is looked up when it is first needed, in a library that devices with an older system, and other systems,
//! do not have. The one place outside the faces with unsafe code.

use std::ffi::{CStr, c_void};
use std::mem::transmute;
use std::ptr;
use std::sync::LazyLock;

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
    // SAFETY: both strings end with a NUL. The library is the platform's and stays loaded.
    let address = unsafe {
        let library = libc::dlopen(c"libnet_connection.so".as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL);
        if library.is_null() {
            return None;
        }
        libc::dlsym(library, c"OH_NetConn_GetDefaultHttpProxy".as_ptr())
    };
    // SAFETY: the platform's header declares the function of this name so.
    (!address.is_null()).then(|| unsafe { transmute::<*mut c_void, GetDefaultHttpProxy>(address) })
});

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
