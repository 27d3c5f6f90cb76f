//! The proxy of the system's network settings.

use std::ffi::{CStr, c_void};
use std::mem::transmute;
use std::ptr;

use super::library::{Library, LookedUp, look_up};
use crate::logging;

/// `NETCONN_MAX_STR_LEN` of `network/netmanager/net_connection_type.h`.
const TEXT_BYTES_MAX: usize = 256;
/// `NETCONN_MAX_EXCLUSION_SIZE`.
const EXCLUSIONS_MAX: usize = 256;

/// The default proxy. An empty host means that no proxy is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DefaultProxy {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) exclusions: Vec<String>,
}

/// Whether this system has such a setting.
pub(crate) fn has_default_proxy() -> bool {
    function().is_some()
}

/// Returns the setting of this system, or `None` if it has no such setting. The call asks another process: do not call
/// it on an async thread.
pub(crate) fn default_proxy() -> Option<DefaultProxy> {
    let function = function()?;
    let mut raw = Box::<HttpProxy>::new_uninit();
    // SAFETY: zeros make a valid value, and the function has exclusive use of it for the call.
    let (status, raw) = unsafe {
        ptr::write_bytes(raw.as_mut_ptr(), 0, 1);
        let mut raw = raw.assume_init();
        (function(&raw mut *raw), raw)
    };
    let HttpProxy { host, exclusion_list, exclusion_list_size, port } = &*raw;
    if status != 0 {
        logging::warn(format_args!("the system does not report its default proxy ({status}); none is used"));
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

/// `NetConn_HttpProxy`.
#[repr(C)]
struct HttpProxy {
    host: [u8; TEXT_BYTES_MAX],
    exclusion_list: [[u8; TEXT_BYTES_MAX]; EXCLUSIONS_MAX],
    exclusion_list_size: i32,
    port: u16,
}

const _: () = assert!(size_of::<HttpProxy>() == 65_800);

/// `OH_NetConn_GetDefaultHttpProxy`, since API 11. Returns 0, or an error code.
type GetDefaultHttpProxy = unsafe extern "C" fn(*mut HttpProxy) -> i32;

fn function() -> Option<GetDefaultHttpProxy> {
    static FUNCTION: LookedUp<GetDefaultHttpProxy> = LookedUp::new();
    let found = FUNCTION.get(|| {
        let address = look_up(Library::NetConnection, c"OH_NetConn_GetDefaultHttpProxy")?;
        // SAFETY: the platform's header declares the function of this name so.
        Ok(address.map(|address| unsafe { transmute::<*mut c_void, GetDefaultHttpProxy>(address) }))
    });
    found.copied()
}
