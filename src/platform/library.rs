//! Functions of the platform's library for networks.
//!
//! They are looked up when they are first needed. Devices with an older system, and other systems, do not have them.

use std::ffi::{CStr, c_void};

/// Returns the address of the function `name`, or `None` if this system does not have it.
pub(super) fn look_up(name: &CStr) -> Option<*mut c_void> {
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
