//! Detects that this process was forked from one that uses the library.
//!
//! A forked process has the memory of its parent, but not its threads. Connections stop there, and a lock that another thread
//! held stays locked for ever.

use std::ffi::c_int;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static FORKED: AtomicBool = AtomicBool::new(false);

unsafe extern "C" {
    /// POSIX; the `libc` crate does not declare it.
    fn pthread_atfork(
        prepare: Option<unsafe extern "C" fn()>,
        parent: Option<unsafe extern "C" fn()>,
        child: Option<unsafe extern "C" fn()>,
    ) -> c_int;
}

unsafe extern "C" fn in_child() {
    FORKED.store(true, Ordering::Relaxed);
}

/// From now on [`is_forked`] is true in processes forked from this one.
pub(crate) fn watch_forks() {
    static WATCHED: Once = Once::new();
    // SAFETY: the function only stores to an atomic, which any thread may do in a forked process.
    WATCHED.call_once(|| match unsafe { pthread_atfork(None, None, Some(in_child)) } {
        0 => {}
        code => {
            crate::logging::warn(format_args!("forks cannot be detected: pthread_atfork returned {code}"))
        }
    });
}

/// Whether this process was forked from one that had called [`watch_forks`]. Takes no lock.
pub(crate) fn is_forked() -> bool {
    FORKED.load(Ordering::Relaxed)
}
