//! The kernel's state of a TCP connection.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use tokio::io::ReadBuf;

/// Returns how many of the bytes written to a TCP socket the peer has not acknowledged.
pub(crate) fn unacknowledged(socket: BorrowedFd<'_>) -> Option<u64> {
    let mut count: libc::c_int = 0;
    // SAFETY: the descriptor is open during the call. The call writes one c_int to the address (`tcp(7)`, SIOCOUTQ,
    // which has the number of TIOCOUTQ).
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) };
    u64::try_from(count).ok().filter(|_| status == 0)
}

/// Receives into the spare memory of `buf`, which may be uninitialized. Returns the number of bytes.
pub(crate) fn receive(socket: BorrowedFd<'_>, buf: &mut ReadBuf<'_>) -> io::Result<usize> {
    // SAFETY: nothing reads the spare memory, and only received bytes are written there.
    let room = unsafe { buf.unfilled_mut() };
    // SAFETY: the descriptor is open during the call, which writes at most `room.len()` bytes to `room`.
    let count = unsafe { libc::recv(socket.as_raw_fd(), room.as_mut_ptr().cast(), room.len(), 0) };
    let Ok(count) = usize::try_from(count) else { return Err(io::Error::last_os_error()) };
    // SAFETY: the kernel has written that many bytes to the beginning of the spare memory.
    unsafe { buf.assume_init(count) };
    buf.advance(count);
    Ok(count)
}
