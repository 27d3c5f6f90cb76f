//! From a [`Request`] to an open WebSocket: name lookup, TCP, TLS, upgrade, all within one deadline.

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;
use url::Host;

use super::error::{Error, Phase, UpgradeError};
use super::event::{Opened, Timing};
use super::handshake::{self, Upgraded};
use super::options::Request;
use super::socket::Socket;
use super::tls::{self, TlsError};
use crate::protocol::{Negotiated, ReadBuffer};

/// How long one address may keep the next waiting (RFC 8305 section 5: 250 ms).
const CONNECTION_ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// An upgraded connection and the bytes that came behind the upgrade.
pub(super) struct Connection {
    pub(super) stream: Stream,
    pub(super) opened: Opened,
    pub(super) deflate: Option<Negotiated>,
    pub(super) received: ReadBuffer,
}

/// What an attempt is doing, for the texts of those who end it from outside.
pub(super) struct Progress(AtomicU8);

impl Progress {
    pub(super) fn new() -> Self {
        Self(AtomicU8::new(Phase::Lookup as u8))
    }

    fn enter(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }

    pub(super) fn phase(&self) -> Phase {
        [Phase::Lookup, Phase::Tcp, Phase::Tls, Phase::Upgrade][usize::from(self.0.load(Ordering::Relaxed))]
    }
}

/// Makes the connection, or says which phase failed and why.
pub(super) async fn establish(request: &Request, progress: &Progress) -> Result<Connection, Error> {
    let limit = request.connect_timeout;
    match tokio::time::timeout(limit, attempt(request, progress)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::Timeout { target: request.endpoint(), phase: progress.phase(), limit }),
    }
}

async fn attempt(request: &Request, progress: &Progress) -> Result<Connection, Error> {
    let mut clock = Clock(Instant::now());
    let mut timing = Timing::default();
    let addresses = lookup(&request.host, request.port).await?;
    timing.lookup = clock.lap();
    progress.enter(Phase::Tcp);
    let tcp =
        connect_any(addresses).await.map_err(|cause| Error::Tcp { target: request.endpoint(), cause })?;
    // Small messages must not wait for the acknowledgement of earlier ones.
    if let Err(cause) = tcp.set_nodelay(true) {
        crate::logging::debug(format_args!("TCP_NODELAY not set: {cause}"));
    }
    let tcp = Socket::new(tcp);
    timing.tcp = clock.lap();
    let mut stream = match &request.tls {
        None => Stream::Plain(tcp),
        Some(settings) => {
            progress.enter(Phase::Tls);
            let read = settings.clone();
            let config = tokio::task::spawn_blocking(move || tls::config(&read))
                .await
                .map_err(|_| Error::Internal)??;
            let tls = tls::handshake(tcp, config, settings, &request.host)
                .await
                .map_err(|cause| Error::Tls { target: request.endpoint(), cause })?;
            Stream::Tls(Box::new(tls))
        }
    };
    if request.tls.is_some() {
        timing.tls = clock.lap();
    }
    progress.enter(Phase::Upgrade);
    let Upgraded { mut opened, deflate, received } = match handshake::upgrade(&mut stream, request).await {
        Ok(upgraded) => upgraded,
        Err(cause) => return Err(not_upgraded(request.endpoint(), cause, stream).await),
    };
    timing.upgrade = clock.lap();
    opened.timing = timing;
    Ok(Connection { stream, opened, deflate, received })
}

/// A failure of the upgrade, or the server's late verdict on the TLS handshake.
async fn not_upgraded(target: String, cause: UpgradeError, stream: Stream) -> Error {
    match (cause, stream) {
        (UpgradeError::Io(cause), Stream::Tls(stream)) => match cause.downcast() {
            Ok(alert) => Error::Tls { target, cause: TlsError::Handshake(alert) },
            Err(cause) => match tls::late_alert(stream).await {
                Some(alert) => Error::Tls { target, cause: alert },
                None => Error::Upgrade { target, cause: UpgradeError::Io(cause) },
            },
        },
        (cause, _) => Error::Upgrade { target, cause },
    }
}

/// Times one step after the other.
struct Clock(Instant);

impl Clock {
    /// Since the last call.
    fn lap(&mut self) -> Duration {
        let before = std::mem::replace(&mut self.0, Instant::now());
        self.0 - before
    }
}

async fn lookup(host: &Host<String>, port: u16) -> Result<Vec<SocketAddr>, Error> {
    let name = match host {
        Host::Ipv4(address) => return Ok(vec![SocketAddr::new(IpAddr::V4(*address), port)]),
        Host::Ipv6(address) => return Ok(vec![SocketAddr::new(IpAddr::V6(*address), port)]),
        Host::Domain(name) => name,
    };
    let failed = |cause| Error::Lookup { host: name.clone(), cause };
    let found: Vec<SocketAddr> =
        tokio::net::lookup_host((name.as_str(), port)).await.map_err(failed)?.collect();
    if found.is_empty() {
        return Err(failed(io::Error::new(io::ErrorKind::NotFound, "the name has no address")));
    }
    Ok(interleave(found))
}

/// Families in turn, beginning with that of the first address, which the resolver prefers (RFC 8305 section 4).
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut ordered = Vec::new();
    loop {
        let pair = (first.next(), second.next());
        if pair == (None, None) {
            return ordered;
        }
        ordered.extend(pair.0);
        ordered.extend(pair.1);
    }
}

/// The first of `addresses` to answer, each given a head start over the next (RFC 8305 section 5).
async fn connect_any(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    enum Step {
        Next,
        Done(io::Result<TcpStream>),
    }
    let mut waiting = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut first_error = None;
    loop {
        if let Some(address) = waiting.next() {
            attempts.push(TcpStream::connect(address));
        }
        let step = tokio::select! {
            Some(outcome) = attempts.next() => Step::Done(outcome),
            () = tokio::time::sleep(CONNECTION_ATTEMPT_DELAY), if waiting.len() > 0 => Step::Next,
            else => return Err(first_error.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into())),
        };
        match step {
            Step::Next => {}
            Step::Done(Ok(stream)) => return Ok(stream),
            Step::Done(Err(error)) => {
                first_error.get_or_insert(error);
            }
        }
    }
}

/// The transport of a connection.
pub(super) enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interleaves_the_families() {
        let parse = |list: &[&str]| -> Vec<SocketAddr> {
            list.iter().map(|text| text.parse().expect("an address")).collect()
        };
        let found = parse(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"]);
        let expected = parse(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"]);
        assert_eq!(interleave(found), expected);
    }
}
