//! Whether the system lets this process use the network.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether this process may make sockets. An app for OpenHarmony without `ohos.permission.INTERNET` may not: its C library
/// refuses each of them with EPERM.
///
/// Makes a system call until the first success. Later calls cost nothing, because an app gets the permission at its installation.
/// A lack of descriptors is not a refusal.
pub(crate) fn may_use_network() -> bool {
    static MAY: AtomicBool = AtomicBool::new(false);
    if MAY.load(Ordering::Relaxed) {
        return true;
    }
    // SAFETY: takes no pointer.
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return io::Error::last_os_error().kind() != io::ErrorKind::PermissionDenied;
    }
    // SAFETY: it was made just now, and nobody else has it. The drop closes it.
    drop(unsafe { OwnedFd::from_raw_fd(socket) });
    MAY.store(true, Ordering::Relaxed);
    true
}
