//! The byte stream of a connection: TCP, or TLS over it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::route::Endpoints;
use super::socket::Socket;
use super::tcp::LentSocket;
use super::tls::TlsStream;

/// The transport of a connection.
pub(crate) enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream>),
}

impl Stream {
    /// How many of the written bytes the kernel has not accepted. They are the last ones.
    pub(in crate::client) fn held(&self) -> usize {
        match self {
            Self::Plain(_) => 0,
            Self::Tls(stream) => stream.held(),
        }
    }

    /// Whether written bytes may need a flush to reach the kernel.
    pub(in crate::client) fn needs_flush(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// See [`Socket::poll_drained`].
    pub(in crate::client) fn poll_drained(&mut self, cx: &mut Context<'_>) -> bool {
        match self {
            Self::Plain(stream) => stream.poll_drained(cx),
            Self::Tls(_) => false,
        }
    }

    /// See [`Socket::collect`]. Of encrypted data nobody knows how much is missing.
    pub(in crate::client) fn collect(&mut self, missing: usize) -> bool {
        match self {
            Self::Plain(stream) => stream.collect(missing),
            Self::Tls(_) => false,
        }
    }

    /// Whether the kernel collects data before it reports them.
    pub(in crate::client) fn collects(&self) -> bool {
        matches!(self, Self::Plain(stream) if stream.collects())
    }

    /// Its socket, for another writer. `None` if the data must be encrypted.
    pub(in crate::client) fn lend(&self) -> Option<LentSocket> {
        match self {
            Self::Plain(stream) => stream.lend(),
            Self::Tls(_) => None,
        }
    }

    /// Whether its socket can be lent.
    pub(in crate::client) fn can_be_lent(&self) -> bool {
        matches!(self, Self::Plain(_)) && !cfg!(feature = "simulation")
    }

    /// See [`Socket::is_made`].
    pub(in crate::client) fn is_made(&mut self) {
        match self {
            Self::Plain(stream) => stream.is_made(),
            Self::Tls(stream) => stream.socket_mut().is_made(),
        }
    }

    /// The number of written bytes, with those of TLS, and how many of them the peer has acknowledged.
    pub(in crate::client) fn written_and_acknowledged(&self) -> Option<(u64, u64)> {
        match self {
            Self::Plain(stream) => stream.written_and_acknowledged(),
            Self::Tls(stream) => stream.socket().written_and_acknowledged(),
        }
    }

    /// See [`Socket::has_ended`]. False with TLS, which has an end of its own to send.
    pub(in crate::client) fn has_ended(&mut self) -> bool {
        match self {
            Self::Plain(stream) => stream.has_ended(),
            Self::Tls(_) => false,
        }
    }

    /// The socket below TLS.
    pub(crate) fn socket(&mut self) -> &mut Socket {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.socket_mut(),
        }
    }

    /// Where the connection begins and ends, through TLS.
    pub(in crate::client) fn endpoints(&self) -> io::Result<Endpoints> {
        match self {
            Self::Plain(stream) => stream.endpoints(),
            Self::Tls(stream) => stream.socket().endpoints(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => stream.poll_read_payload(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
