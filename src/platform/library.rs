//! Functions of the platform's libraries.
//!
//! They are looked up on first use. Older systems, and systems other than OpenHarmony, lack them. That result is
//! stored. If the system had no descriptor or memory for the look-up, it is repeated.

use std::ffi::{CStr, c_void};
use std::fs::File;
use std::sync::OnceLock;

/// A library of the platform.
#[derive(Clone, Copy)]
pub(super) enum Library {
    NetConnection,
    NetSsl,
}

impl Library {
    const fn name(self) -> &'static CStr {
        match self {
            Self::NetConnection => c"libnet_connection.so",
            Self::NetSsl => c"libnet_ssl.so",
        }
    }
}

/// The system has no descriptor or memory to load the library.
#[derive(Debug)]
pub(super) struct Exhausted;

/// The symbols, after the first successful look-up.
pub(super) struct LookedUp<T>(OnceLock<Option<T>>);

impl<T> LookedUp<T> {
    pub(super) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The result of `look_up`. It is called again until it could look.
    pub(super) fn get(&self, look_up: impl FnOnce() -> Result<Option<T>, Exhausted>) -> Option<&T> {
        match self.0.get() {
            Some(found) => found.as_ref(),
            None => {
                let found = look_up().ok()?;
                self.0.get_or_init(|| found).as_ref()
            }
        }
    }
}

/// Returns the address of the function `name`, or `None` if this system does not have it.
pub(super) fn look_up(library: Library, name: &CStr) -> Result<Option<*mut c_void>, Exhausted> {
    // SAFETY: the string ends with a NUL.
    let library = unsafe { libc::dlopen(library.name().as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if library.is_null() {
        return if can_load() { Ok(None) } else { Err(Exhausted) };
    }
    // SAFETY: the string ends with a NUL. The library is the platform's and stays loaded.
    let address = unsafe { libc::dlsym(library, name.as_ptr()) };
    Ok((!address.is_null()).then_some(address))
}

/// Whether there is a descriptor to open a library, and memory for a small one. The loader reports its failures only as
/// text.
fn can_load() -> bool {
    const ROOM_BYTES: usize = 1_048_576;
    File::open("/dev/null").is_ok() && Vec::<u8>::new().try_reserve_exact(ROOM_BYTES).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_a_lookup_unless_it_failed_for_want_of_resources() {
        let function = LookedUp::new();
        assert_eq!(function.get(|| Err(Exhausted)), None);
        assert_eq!(function.get(|| Ok(Some(1))), Some(&1));
        assert_eq!(function.get(|| Err(Exhausted)), Some(&1));

        let absent = LookedUp::<u8>::new();
        assert_eq!(absent.get(|| Err(Exhausted)), None);
        assert_eq!(absent.get(|| Ok(None)), None);
        assert_eq!(absent.get(|| Ok(Some(1))), None, "it was not there");
    }
}
