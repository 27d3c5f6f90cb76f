//! Whether the system lets this process use the network.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether this process may create sockets. An OpenHarmony app without `ohos.permission.INTERNET` may not. Its C
/// library then refuses each socket with EPERM.
///
/// Makes a system call until the first success. Later calls cost nothing, because an app gets the permission at its installation.
/// A lack of descriptors is not a refusal.
pub(crate) fn may_use_network() -> bool {
    static MAY: AtomicBool = AtomicBool::new(false);
    if MAY.load(Ordering::Relaxed) {
        return true;
    }
    // SAFETY: the call takes no pointer.
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return io::Error::last_os_error().kind() != io::ErrorKind::PermissionDenied;
    }
    // SAFETY: the descriptor is new, and nobody else has it. The drop closes it.
    drop(unsafe { OwnedFd::from_raw_fd(socket) });
    MAY.store(true, Ordering::Relaxed);
    true
}
