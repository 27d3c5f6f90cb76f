//! From a [`Request`] to an open WebSocket: name lookup, TCP, TLS, upgrade, all within one deadline.

mod race;
mod resolve;

use std::future::ready;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;
use url::Host;

use self::race::{Delays, Limits, Lost, race};
use self::resolve::Family;
use super::error::{Error, Phase, UpgradeError};
use super::event::{Opened, Timing};
use super::handshake::{self, Upgraded};
use super::network::Ends;
use super::options::Request;
use super::proxy::{self, ProxyProtocol, Server};
use super::socket::Socket;
use super::tls::{self, TlsError};
use crate::protocol::{Negotiated, ReadBuffer};

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
        const PHASES: [Phase; 5] = [Phase::Lookup, Phase::Tcp, Phase::Proxy, Phase::Tls, Phase::Upgrade];
        PHASES[usize::from(self.0.load(Ordering::Relaxed))]
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
    let mut timing = Timing::default();
    let tcp = match choose_proxy(request).await? {
        None => reach(request, &request.host, request.port, None, progress, &mut timing).await?,
        Some(server) => tunnel(request, &server, progress, &mut timing).await?,
    };
    let mut clock = Clock(Instant::now());
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

async fn choose_proxy(request: &Request) -> Result<Option<Server>, Error> {
    let choice = request.proxy.clone();
    let (secure, host, port) = (request.tls.is_some(), request.host.clone(), request.port);
    let choose = move || choice.for_destination(secure, &host, port);
    let chosen = match request.proxy.is_immediate() {
        true => choose(),
        false => tokio::task::spawn_blocking(choose).await.map_err(|_| Error::Internal)?,
    };
    chosen.map_err(|cause| Error::Proxy { proxy: None, target: request.endpoint(), cause })
}

/// A connection to the destination through a proxy.
async fn tunnel(
    request: &Request,
    server: &Server,
    progress: &Progress,
    timing: &mut Timing,
) -> Result<Socket, Error> {
    let destination = (&request.host, request.port);
    let credentials = server.credentials.as_ref();
    let mut authorization = None;
    loop {
        let mut tcp = reach(request, &server.host, server.port, Some(server), progress, timing).await?;
        progress.enter(Phase::Proxy);
        let mut clock = Clock(Instant::now());
        let asked = match server.protocol {
            ProxyProtocol::Http => {
                proxy::connect(&mut tcp, destination, credentials, authorization.as_ref()).await
            }
            ProxyProtocol::Socks5 => proxy::socks5(&mut tcp, destination, credentials).await.map(|()| None),
        };
        timing.proxy += clock.lap();
        let failed =
            |cause| Error::Proxy { proxy: Some(server.endpoint()), target: request.endpoint(), cause };
        match asked.map_err(failed)? {
            None => return Ok(tcp),
            answer => authorization = answer,
        }
    }
}

/// A TCP connection to a host: the destination, or the proxy on the way to it.
async fn reach(
    request: &Request,
    host: &Host<String>,
    port: u16,
    proxy: Option<&Server>,
    progress: &Progress,
    timing: &mut Timing,
) -> Result<Socket, Error> {
    progress.enter(Phase::Lookup);
    let clock = Clock(Instant::now());
    let mut began = None;
    let begin = || {
        progress.enter(Phase::Tcp);
        began = Some(Instant::now());
    };
    let connect = |mut address: SocketAddr| {
        address.set_port(port);
        TcpStream::connect(address)
    };
    let limits = Limits::default();
    let own = |address: IpAddr| ready(Ok(vec![SocketAddr::new(address, port)]));
    let none = || ready(Ok(Vec::new()));
    let connected = match host {
        Host::Ipv4(address) => {
            race(none(), own((*address).into()), connect, Delays::default(), limits, begin).await
        }
        Host::Ipv6(address) => {
            race(own((*address).into()), none(), connect, Delays::default(), limits, begin).await
        }
        Host::Domain(name) => {
            let of = |family| resolve::addresses(name, family);
            race(of(Family::V6), of(Family::V4), connect, Delays::default(), limits, begin).await
        }
    };
    let done = Instant::now();
    let began = began.unwrap_or(done);
    timing.lookup += began - clock.0;
    timing.tcp += done - began;
    let tcp = connected.map_err(|lost| {
        if let (Lost::Tcp(_) | Lost::Late, Host::Domain(name)) = (&lost, host) {
            resolve::forget(name);
        }
        let target = match proxy {
            Some(server) => format!("the proxy {}", server.endpoint()),
            None => request.endpoint(),
        };
        match lost {
            Lost::Lookup(cause) => Error::Lookup { host: host.to_string(), cause },
            Lost::Tcp(cause) => Error::Tcp { target, cause },
            Lost::Late => Error::Internal,
        }
    })?;
    // Small messages must not wait for the acknowledgement of earlier ones.
    if let Err(cause) = tcp.set_nodelay(true) {
        crate::logging::debug(format_args!("TCP_NODELAY not set: {cause}"));
    }
    Ok(Socket::new(tcp))
}

/// The transport of a connection.
pub(super) enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

impl Stream {
    /// Whether it has taken bytes that the kernel has not.
    pub(super) fn holds_output(&self) -> bool {
        match self {
            Self::Plain(_) => false,
            Self::Tls(stream) => stream.get_ref().1.wants_write(),
        }
    }
}

impl Stream {
    /// Where the connection begins and ends, through TLS.
    pub(super) fn ends(&self) -> io::Result<Ends> {
        match self {
            Self::Plain(stream) => stream.ends(),
            Self::Tls(stream) => stream.get_ref().0.ends(),
        }
    }
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
