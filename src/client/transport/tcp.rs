//! The kernel's TCP, without SIGPIPE.
//!
//! An application in C has the signal's default, which ends the process. `std` asks the kernel not to raise it for a
//! write of one slice, but cannot ask for several slices. rustls and the session write several.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use socket2::{Domain, Protocol, SockRef, Socket, Type};
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
        let socket = Socket::new(Domain::for_address(to), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
        if let Err(error) = socket.connect(&to.into())
            && error.raw_os_error() != Some(libc::EINPROGRESS)
        {
            return Err(error);
        }
        // The kernel knows at once whether a peer on this device answers. The runtime would have to ask it.
        let is_connected = socket.peer_addr().is_ok();
        let stream = TcpStream::from_std(socket.into())?;
        if !is_connected {
            poll_fn(|cx| stream.poll_write_ready(cx)).await?;
            if let Some(error) = stream.take_error()? {
                return Err(error);
            }
        }
        Ok(Self::accepted(stream))
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

    /// Has the runtime know of data only when this many bytes have come, or the end of the stream. Returns whether it will.
    pub(super) fn report_from(&self, bytes: usize) -> bool {
        platform::report_from(self.0.as_fd(), bytes)
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

    /// Whether the runtime knows of no data. Then the task is woken when there is some.
    pub(super) fn poll_empty(&self, cx: &mut Context<'_>) -> bool {
        self.0.poll_read_ready(cx).is_pending()
    }

    /// Reads what the kernel has, even if the runtime does not know of it. `None` if there is nothing yet.
    pub(super) fn read_now(&mut self, buf: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
        match platform::receive(self.0.as_fd(), buf) {
            Ok(_) => Some(Ok(())),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {
                None
            }
            Err(error) => Some(Err(error)),
        }
    }

    /// Writes as much as the kernel takes. The `first` write does not wait until the runtime knows that the kernel takes any.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        first: bool,
    ) -> Poll<io::Result<usize>> {
        let mut asks_kernel = first;
        loop {
            let written = match std::mem::take(&mut asks_kernel) {
                true => send(&SockRef::from(&*self.0), slices),
                false => write_now(&self.0, slices),
            };
            match written {
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
    socket.try_io(Interest::WRITABLE, || send(&sender, slices))
}

/// Compiled once, not for each caller.
#[inline(never)]
fn send(sender: &Socket, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    // The system call for one slice costs less. One slice is the rule with TLS, and with few messages.
    match slices {
        [slice] => sender.send_with_flags(slice, libc::MSG_NOSIGNAL),
        slices => sender.send_vectored_with_flags(slices, libc::MSG_NOSIGNAL),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use futures_util::FutureExt;

    use std::io::Read;

    use super::*;

    const AT_ONCE: &str = "at once";

    fn listener(backlog: i32) -> (TcpListener, SocketAddr) {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).expect("a socket");
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a free port");
        socket.listen(backlog).expect("it listens");
        let listener = TcpListener::from(socket);
        let address = listener.local_addr().expect("bound");
        (listener, address)
    }

    fn received(listener: &TcpListener, count: usize) -> Vec<u8> {
        let (mut peer, _) = listener.accept().expect("a connection");
        let mut bytes = vec![0; count];
        peer.read_exact(&mut bytes).expect("sent");
        bytes
    }

    #[tokio::test]
    async fn a_peer_on_this_device_gets_the_first_bytes_at_once() {
        let (listener, address) = listener(1);
        let mut tcp = Tcp::connect(address).now_or_never().expect(AT_ONCE).expect("a connection");
        let mut cx = Context::from_waker(std::task::Waker::noop());
        let slices = [IoSlice::new(b"first")];
        assert!(tcp.poll_write(&mut cx, &slices, false).is_pending(), "the runtime knows of nothing yet");
        assert!(matches!(tcp.poll_write(&mut cx, &slices, true), Poll::Ready(Ok(5))));
        assert_eq!(received(&listener, 5), b"first");
    }

    #[tokio::test]
    async fn a_peer_that_answers_later_is_waited_for() {
        // The kernel drops a second connection until the first one is accepted.
        let (listener, address) = listener(0);
        let _first = Tcp::connect(address).now_or_never().expect(AT_ONCE).expect("a connection");
        let mut second = Box::pin(Tcp::connect(address));
        assert!((&mut second).now_or_never().is_none(), "it has no answer");
        drop(listener.accept().expect("the first connection"));
        let mut tcp = second.await.expect("a connection");
        let slices = [IoSlice::new(b"second")];
        assert_eq!(poll_fn(|cx| tcp.poll_write(cx, &slices, true)).await.expect("written"), 6);
        assert_eq!(received(&listener, 6), b"second");
    }

    #[tokio::test]
    async fn a_port_without_a_listener_refuses() {
        let (listener, address) = listener(1);
        drop(listener);
        let refused = Tcp::connect(address).await.err().map(|error| error.kind());
        assert_eq!(refused, Some(io::ErrorKind::ConnectionRefused));
    }
}
