//! The byte stream of a connection: TCP, or TLS over it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsStream;

use super::route::Endpoints;
use super::socket::Socket;
use super::tcp::LentSocket;
use crate::runtime;

/// The most bytes that TLS takes in one write. It continues until it has taken all.
const TLS_WRITE_BYTES_MAX: usize = 262_144;

/// The transport of a connection.
pub(crate) enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

impl Stream {
    /// Whether it holds bytes that the kernel has not accepted.
    pub(in crate::client) fn holds_output(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(stream) => stream.get_ref().1.wants_write(),
        }
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
            Self::Tls(stream) => stream.get_mut().0.is_made(),
        }
    }

    /// The number of written bytes, with those of TLS, and how many of them the peer has acknowledged.
    pub(in crate::client) fn written_and_acknowledged(&self) -> Option<(u64, u64)> {
        match self {
            Self::Plain(stream) => stream.written_and_acknowledged(),
            Self::Tls(stream) => stream.get_ref().0.written_and_acknowledged(),
        }
    }

    /// The socket below TLS.
    pub(crate) fn socket(&mut self) -> &mut Socket {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_mut().0,
        }
    }

    /// Where the connection begins and ends, through TLS.
    pub(in crate::client) fn endpoints(&self) -> io::Result<Endpoints> {
        match self {
            Self::Plain(stream) => stream.endpoints(),
            Self::Tls(stream) => stream.get_ref().0.endpoints(),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => stream.poll_read_payload(cx, buf),
            Self::Tls(stream) => {
                let before = buf.filled().len();
                let read = Pin::new(stream).poll_read(cx, buf);
                runtime::has_gained(buf.filled().len() - before);
                read
            }
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, &buf[..buf.len().min(TLS_WRITE_BYTES_MAX)]),
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
