//! The network of the world, with the interface of the kernel's TCP.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::task::{Context, Poll};

use tokio::io::ReadBuf;

use super::world::{Wire, here};

/// The client's end of a connection.
pub(crate) struct Tcp(Box<dyn Wire>);

/// There is none, because only sessions write to a wire.
pub(crate) enum LentSocket {}

impl LentSocket {
    pub(crate) fn write_now(&self, _slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match *self {}
    }
}

impl Tcp {
    pub(crate) fn lend(&self) -> Option<LentSocket> {
        None
    }

    pub(crate) async fn connect(to: SocketAddr) -> io::Result<Self> {
        let connected = here().connect(to);
        connected.await.map(Self)
    }

    pub(crate) fn set_nodelay(&self) -> io::Result<()> {
        Ok(())
    }

    /// It has no addresses. Otherwise the kernel would be asked for a route between them.
    pub(crate) fn ends(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn unacknowledged(&self) -> Option<u64> {
        Some(self.0.unacknowledged())
    }

    /// It always reports all data.
    pub(crate) fn report_from(&self, _bytes: usize) -> bool {
        false
    }

    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0.poll_read(cx, buf)
    }

    /// Nobody knows it but the model, which a read asks.
    pub(crate) fn poll_empty(&self, _cx: &mut Context<'_>) -> bool {
        false
    }

    pub(crate) fn read_now(&mut self, buf: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
        self.0.read_now(buf)
    }

    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
        _first: bool,
    ) -> Poll<io::Result<usize>> {
        self.0.poll_write(cx, slices)
    }

    pub(crate) fn poll_shutdown(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.shut_down())
    }
}
