//! What the kernel knows of a TCP connection.

use std::os::fd::{AsRawFd, BorrowedFd};

/// Returns how many bytes written to a TCP socket the peer has not acknowledged.
pub(crate) fn unacknowledged(socket: BorrowedFd<'_>) -> Option<u64> {
    let mut count: libc::c_int = 0;
    // SAFETY: the descriptor is open during the call, which writes one c_int to the address (`tcp(7)`, SIOCOUTQ, whose
    // number is that of TIOCOUTQ).
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) };
    u64::try_from(count).ok().filter(|_| status == 0)
}
