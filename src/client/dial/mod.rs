//! From a [`Request`] to an open WebSocket: name lookup, TCP, TLS, upgrade, all within one deadline.

mod race;
mod resolve;

use std::future::ready;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;
use url::Host;

use self::race::{Delays, Limits, Lost, race};
use self::resolve::Family;
use super::destination::Destination;
use super::error::{Error, Phase};
use super::handshake::{self, Opened, UpgradeError, Upgraded};
use super::proxy::{self, Choice, ProxyProtocol, Server};
use super::request::Request;
use super::stats::Timing;
use super::tls::{self, TlsError};
use super::transport::{Heard, Socket, Stream};
use crate::protocol::{Negotiated, ReadBuffer};

/// An upgraded connection and the bytes that came behind the upgrade.
pub(super) struct Connection {
    pub(super) stream: Stream,
    pub(super) opened: Opened,
    pub(super) deflate: Option<Negotiated>,
    pub(super) received: ReadBuffer,
}

/// What an attempt is doing, for those who end it from outside, and when it was last answered.
pub(super) struct Progress {
    phase: AtomicU8,
    heard: Arc<Heard>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { phase: AtomicU8::new(Phase::Lookup as u8), heard: Arc::new(Heard::nothing()) }
    }

    fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    pub(super) fn phase(&self) -> Phase {
        const PHASES: [Phase; 5] = [Phase::Lookup, Phase::Tcp, Phase::Proxy, Phase::Tls, Phase::Upgrade];
        PHASES[usize::from(self.phase.load(Ordering::Relaxed))]
    }

    /// Since the last bytes came, from the server or a proxy.
    pub(super) fn last_activity(&self) -> Option<Duration> {
        self.heard.last()
    }
}

/// Makes the connection, or says which phase failed and why.
pub(super) async fn establish(request: &Request, progress: &Progress) -> Result<Connection, Error> {
    let limit = request.connect_timeout;
    let by = Instant::now() + limit;
    match tokio::time::timeout_at(by, attempt(request, progress, by)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Error::Timeout { target: request.endpoint(), phase: progress.phase(), limit }),
    }
}

async fn attempt(request: &Request, progress: &Progress, by: Instant) -> Result<Connection, Error> {
    let mut timing = Timing::default();
    let mut redirected: Option<Box<Request>> = None;
    loop {
        let current = redirected.as_deref().unwrap_or(request);
        let (target, refused) = match connect(current, progress, &mut timing, by).await {
            Err(Error::Upgrade { target, cause: UpgradeError::Status(refused) }) => (target, refused),
            outcome => return outcome,
        };
        match handshake::location(&refused).and_then(|location| current.redirected(location)) {
            None => return Err(Error::Upgrade { target, cause: UpgradeError::Status(refused) }),
            Some(Err(why)) => {
                return Err(Error::Upgrade { target, cause: UpgradeError::Redirect(why, refused) });
            }
            Some(Ok(next)) => redirected = Some(Box::new(next)),
        }
    }
}

/// A connection to the server that the request itself names.
async fn connect(
    request: &Request,
    progress: &Progress,
    timing: &mut Timing,
    by: Instant,
) -> Result<Connection, Error> {
    let tcp = match choose_proxy(request).await? {
        None => {
            let Destination { host, zone, port, .. } = &request.destination;
            reach(request, host, zone.as_deref(), *port, None, progress, timing).await?
        }
        Some(server) => tunnel(request, &server, progress, timing).await?,
    };
    let mut clock = Clock(Instant::now());
    let limits = &request.phase_timeouts;
    let mut stream = match &request.tls {
        None => Stream::Plain(tcp),
        Some(settings) => {
            progress.enter(Phase::Tls);
            let handshake = async {
                let read = settings.clone();
                let config = tokio::task::spawn_blocking(move || tls::config(&read))
                    .await
                    .map_err(|_| Error::Internal)??;
                tls::handshake(tcp, config, settings, &request.destination.host)
                    .await
                    .map_err(|cause| Error::Tls { target: request.endpoint(), cause })
            };
            let tls = within(limits.tls, Phase::Tls, request, handshake).await?;
            timing.tls += clock.lap();
            Stream::Tls(Box::new(tls))
        }
    };
    progress.enter(Phase::Upgrade);
    let by = limits.upgrade.map_or(by, |limit| by.min(Instant::now() + limit));
    let upgrade = async {
        match handshake::upgrade(&mut stream, request, by).await {
            Ok(upgraded) => Ok((upgraded, stream)),
            Err(cause) => Err(not_upgraded(request.endpoint(), cause, stream).await),
        }
    };
    let (upgraded, mut stream) = within(limits.upgrade, Phase::Upgrade, request, upgrade).await?;
    let Upgraded { mut opened, deflate, received } = upgraded;
    timing.upgrade += clock.lap();
    opened.timing = *timing;
    opened.url = request.url.clone();
    stream.is_made();
    Ok(Connection { stream, opened, deflate, received })
}

/// One phase, within its limit.
async fn within<T>(
    limit: Option<Duration>,
    phase: Phase,
    request: &Request,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let Some(limit) = limit else { return work.await };
    let late = |_| Err(Error::PhaseTimeout { target: request.endpoint(), phase, limit });
    tokio::time::timeout(limit, work).await.unwrap_or_else(late)
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
    let choose = |choice: &Choice, destination: &Destination| {
        choice.for_destination(destination.secure, &destination.host, destination.port)
    };
    let chosen = match request.proxy.is_immediate() {
        true => choose(&request.proxy, &request.destination),
        false => {
            let (choice, destination) = (request.proxy.clone(), request.destination.clone());
            let asked = tokio::task::spawn_blocking(move || choose(&choice, &destination));
            asked.await.map_err(|_| Error::Internal)?
        }
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
    let destination = (&request.destination.host, request.destination.port);
    let credentials = server.credentials.as_ref();
    let mut authorization = None;
    loop {
        let mut tcp = reach(request, &server.host, None, server.port, Some(server), progress, timing).await?;
        progress.enter(Phase::Proxy);
        let mut clock = Clock(Instant::now());
        let ask = async {
            let asked = match server.protocol {
                ProxyProtocol::Http => {
                    proxy::connect(&mut tcp, destination, credentials, authorization.as_ref()).await
                }
                ProxyProtocol::Socks5 => {
                    proxy::socks5(&mut tcp, destination, credentials).await.map(|()| None)
                }
            };
            let (proxy, target) = (Some(server.endpoint()), request.endpoint());
            asked.map_err(|cause| Error::Proxy { proxy, target, cause })
        };
        let answer = within(request.phase_timeouts.proxy, Phase::Proxy, request, ask).await?;
        timing.proxy += clock.lap();
        match answer {
            None => return Ok(tcp),
            answer => authorization = answer,
        }
    }
}

/// A TCP connection to a host: the destination, or the proxy on the way to it.
async fn reach(
    request: &Request,
    host: &Host<String>,
    zone: Option<&str>,
    port: u16,
    proxy: Option<&Server>,
    progress: &Progress,
    timing: &mut Timing,
) -> Result<Socket, Error> {
    progress.enter(Phase::Lookup);
    let start = Instant::now();
    let mut began = None;
    let mut begin = || {
        progress.enter(Phase::Tcp);
        began = Some(Instant::now());
    };
    let connect = |mut address: SocketAddr| {
        address.set_port(port);
        TcpStream::connect(address)
    };
    let limits = Limits { lookup: request.phase_timeouts.lookup, tcp: request.phase_timeouts.tcp };
    let fixed = match host {
        Host::Ipv4(address) => Some(vec![IpAddr::V4(*address)]),
        Host::Ipv6(address) if zone.is_none() => Some(vec![IpAddr::V6(*address)]),
        Host::Ipv6(_) => None,
        Host::Domain(name) => {
            let own = request.hosts.iter().find(|(known, _)| known == name);
            own.map(|(_, addresses)| addresses.clone())
        }
    };
    let name = || match (host, zone) {
        (Host::Domain(name), _) => name.clone(),
        // The resolver knows the network interfaces.
        (Host::Ipv6(address), Some(zone)) => format!("{address}%{zone}"),
        (host, _) => host.to_string(),
    };
    let connected = match fixed.as_deref() {
        Some(&[address]) => {
            begin();
            race::alone(connect(SocketAddr::new(address, port)), limits.tcp).await
        }
        Some(addresses) => {
            let (v6, v4): (Vec<_>, Vec<_>) = addresses
                .iter()
                .map(|address| SocketAddr::new(*address, port))
                .partition(SocketAddr::is_ipv6);
            race(ready(Ok(v6)), ready(Ok(v4)), connect, Delays::default(), limits, begin).await
        }
        None => {
            let name = name();
            let of = |family| resolve::addresses(&name, family);
            race(of(Family::V6), of(Family::V4), connect, Delays::default(), limits, begin).await
        }
    };
    let done = Instant::now();
    let tcp_from = began.unwrap_or(done);
    timing.lookup += tcp_from - start;
    timing.tcp += done - tcp_from;
    let tcp = connected.map_err(|lost| {
        let target = match proxy {
            Some(server) => format!("the proxy {}", server.endpoint()),
            None => request.endpoint(),
        };
        if began.is_some() {
            resolve::forget(&name());
        }
        match lost {
            Lost::Lookup(cause) => Error::Lookup { host: name(), cause },
            Lost::Tcp(cause) => Error::Tcp { target, cause },
            Lost::Late(limit) => Error::PhaseTimeout { target, phase: progress.phase(), limit },
        }
    })?;
    // Small messages must not wait for the acknowledgement of earlier ones.
    if let Err(cause) = tcp.set_nodelay(true) {
        crate::logging::debug(format_args!("TCP_NODELAY not set: {cause}"));
    }
    Ok(Socket::new(tcp, progress.heard.clone()))
}
