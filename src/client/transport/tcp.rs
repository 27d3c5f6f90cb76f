//! The kernel's TCP, without SIGPIPE.
//!
//! An application in C has the signal's default, which ends the process. `std` asks the kernel not to raise it for a
//! write of one slice, but cannot ask for several slices. rustls and the session write several.

use std::io::{self, IoSlice, Read};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{Interest, ReadBuf};
use tokio::net::TcpStream;

use crate::platform;

/// A connected socket whose writes fail with `BrokenPipe`, without the signal SIGPIPE.
pub(crate) struct Tcp(Arc<TcpStream>);

/// The same socket, for a caller that writes to it while its owner does not.
pub(in crate::client) struct LentSocket(Arc<TcpStream>);

impl LentSocket {
    /// Writes as much as the kernel takes now.
    pub(in crate::client) fn write_now(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        write_now(&self.0, slices)
    }
}

impl Tcp {
    /// Connects to an address.
    pub(in crate::client) async fn connect(to: SocketAddr) -> io::Result<Self> {
        TcpStream::connect(to).await.map(Self::accepted)
    }

    /// Makes a socket from an accepted connection.
    pub(crate) fn accepted(stream: TcpStream) -> Self {
        Self(stream.into())
    }

    /// The same socket, for another writer.
    pub(super) fn lend(&self) -> Option<LentSocket> {
        Some(LentSocket(self.0.clone()))
    }

    /// Sends small messages without waiting for the acknowledgement of earlier ones.
    pub(crate) fn set_nodelay(&self) -> io::Result<()> {
        self.0.set_nodelay(true)
    }

    /// Where the connection begins and ends.
    pub(super) fn ends(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.0.local_addr()?, self.0.peer_addr()?))
    }

    /// How many of the written bytes the peer has not acknowledged.
    pub(super) fn unacknowledged(&self) -> Option<u64> {
        platform::unacknowledged(self.0.as_fd())
    }

    /// Reads as soon as the runtime knows of data.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut received = false;
            let receive = || {
                let room = buf.remaining();
                let count = platform::receive(self.0.as_fd(), buf)?;
                received = true;
                // A short read means that the kernel has no more data. The runtime learns this without another call.
                if 0 < count && count < room { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            };
            match self.0.try_io(Interest::READABLE, receive) {
                _ if received => return Poll::Ready(Ok(())),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.0.poll_read_ready(cx))?
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    /// Reads what the kernel has, even if the runtime does not know of it. `None` if there is nothing yet.
    pub(super) fn read_now(&mut self, buf: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
        let socket = SockRef::from(&*self.0);
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
        loop {
            match write_now(&self.0, slices) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.0.poll_write_ready(cx))?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    /// Ends this side of the stream.
    pub(super) fn poll_shutdown(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(SockRef::from(&*self.0).shutdown(Shutdown::Write))
    }
}

fn write_now(socket: &TcpStream, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    let sender = SockRef::from(socket);
    // The system call for one slice costs less. One slice is the rule with TLS, and with few messages.
    socket.try_io(Interest::WRITABLE, || match slices {
        [slice] => sender.send_with_flags(slice, libc::MSG_NOSIGNAL),
        slices => sender.send_vectored_with_flags(slices, libc::MSG_NOSIGNAL),
    })
}
