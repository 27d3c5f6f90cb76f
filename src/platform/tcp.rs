//! The kernel's state of a TCP connection.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::ReadBuf;

/// Returns how many of the bytes written to a TCP socket the peer has not acknowledged.
pub(crate) fn unacknowledged(socket: BorrowedFd<'_>) -> Option<u64> {
    let mut count: libc::c_int = 0;
    // SAFETY: the descriptor is open during the call. The call writes one c_int to the address (`tcp(7)`, SIOCOUTQ,
    // which has the number of TIOCOUTQ).
    let status = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) };
    u64::try_from(count).ok().filter(|_| status == 0)
}

/// Has the kernel report data only when this many bytes have come, or the end of the stream (SO_RCVLOWAT in `socket(7)`).
/// Returns whether it will.
pub(crate) fn report_from(socket: BorrowedFd<'_>, bytes: usize) -> bool {
    let Ok(count) = libc::c_int::try_from(bytes) else { return false };
    // Other kernels have the option too, but nobody has tried here what they do with epoll.
    is_linux() && {
        // SAFETY: the descriptor is open during the call, which reads one c_int from the address.
        let status = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_RCVLOWAT,
                (&raw const count).cast(),
                size_of_val(&count) as libc::socklen_t,
            )
        };
        status == 0
    }
}

/// Whether the kernel calls itself Linux in `uname(2)`.
fn is_linux() -> bool {
    const UNKNOWN: u8 = 0;
    const LINUX: u8 = 1;
    const OTHER: u8 = 2;
    static KERNEL: AtomicU8 = AtomicU8::new(UNKNOWN);
    if KERNEL.load(Ordering::Relaxed) == UNKNOWN {
        // SAFETY: it has arrays of characters alone, for which zeros are valid.
        let mut names: libc::utsname = unsafe { std::mem::zeroed() };
        // SAFETY: the call writes to `names` alone.
        let status = unsafe { libc::uname(&raw mut names) };
        let same = names.sysname.iter().zip(b"Linux\0").all(|(found, wanted)| *found as u8 == *wanted);
        KERNEL.store(if status == 0 && same { LINUX } else { OTHER }, Ordering::Relaxed);
    }
    KERNEL.load(Ordering::Relaxed) == LINUX
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
