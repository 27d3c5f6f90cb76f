//! The kernel's TCP, without SIGPIPE.
//!
//! An application in C has the signal's default, which ends the process. `std` asks the kernel not to raise it when it
//! writes one slice, and cannot ask when it writes several; rustls and the session write several.

use std::io::{self, IoSlice, Read};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

use crate::platform;

/// A connected socket whose writes fail with `BrokenPipe` and nothing else.
pub(crate) struct Tcp(TcpStream);

impl Tcp {
    /// Connects to an address.
    pub(in crate::client) async fn connect(to: SocketAddr) -> io::Result<Self> {
        TcpStream::connect(to).await.map(Self)
    }

    /// One that was accepted.
    pub(crate) fn accepted(stream: TcpStream) -> Self {
        Self(stream)
    }

    /// Has small messages not wait for the acknowledgement of earlier ones.
    pub(crate) fn set_nodelay(&self) -> io::Result<()> {
        self.0.set_nodelay(true)
    }

    /// Where the connection begins and ends.
    pub(super) fn ends(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.0.local_addr()?, self.0.peer_addr()?))
    }

    /// How many of the bytes that were written the peer has not acknowledged.
    pub(super) fn unacknowledged(&self) -> Option<u64> {
        platform::unacknowledged(self.0.as_fd())
    }

    /// Reads as soon as the runtime knows that there is something.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }

    /// What the kernel has, whatever the runtime knows of it; `None` when that is nothing yet.
    pub(super) fn read_now(&mut self, buf: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
        let socket = SockRef::from(&self.0);
        match (&*socket).read(buf.initialize_unfilled()) {
            Ok(count) => {
                buf.advance(count);
                Some(Ok(()))
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                None
            }
            Err(error) => Some(Err(error)),
        }
    }

    /// Writes as much as the kernel takes.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let socket = SockRef::from(&self.0);
        // One slice goes out in a system call that costs less; it is the rule with TLS, and with few messages.
        let send = || match slices {
            [slice] => socket.send_with_flags(slice, libc::MSG_NOSIGNAL),
            slices => socket.send_vectored_with_flags(slices, libc::MSG_NOSIGNAL),
        };
        loop {
            match self.0.try_io(Interest::WRITABLE, send) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.0.poll_write_ready(cx))?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    /// Ends this side's stream.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
