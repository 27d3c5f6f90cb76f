//! Makes an open WebSocket from a [`Request`]: name lookup, TCP, TLS and upgrade, within one deadline.

mod race;
mod resolve;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::Either;
use tokio::time::Instant;
use url::Host;

use self::race::{ConnectFailure, Schedule, race};
use self::resolve::Family;
use super::app_policy;
use super::destination::Destination;
use super::error::{Error, Phase};
use super::handshake::{self, Opened, UpgradeError, Upgraded};
use super::proxy::{self, ProxyProtocol, ProxySelection, ResolvedProxy};
use super::request::{Request, without_root};
use super::stats::Timing;
use super::time_limit::{Standstill, within, within_telling};
use super::tls::{self, DeclaredTrust, NetworkSecurityConfig, TlsError};
use super::transport::{LastActivity, Socket, Stream, Tcp};
use crate::protocol::{Negotiated, ReadBuffer};
use crate::shortage::run_blocking;

/// An upgraded connection, and the bytes that followed the upgrade.
pub(super) struct Established {
    pub(super) stream: Stream,
    pub(super) opened: Opened,
    pub(super) deflate: Option<Negotiated>,
    pub(super) received: ReadBuffer,
}

/// The phase of an attempt, for callers that cancel it, and the time of its last answer.
pub(super) struct AttemptProgress {
    phase: AtomicU8,
    activity: Arc<LastActivity>,
    still: Standstill,
}

impl AttemptProgress {
    pub(super) fn new() -> Self {
        Self {
            phase: AtomicU8::new(Phase::Lookup as u8),
            activity: Arc::new(LastActivity::nothing()),
            still: Standstill::default(),
        }
    }

    fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    pub(super) fn phase(&self) -> Phase {
        const PHASES: [Phase; 5] = [Phase::Lookup, Phase::Tcp, Phase::Proxy, Phase::Tls, Phase::Upgrade];
        PHASES[usize::from(self.phase.load(Ordering::Relaxed))]
    }

    /// The time since the last bytes from the server or a proxy.
    pub(super) fn last_activity(&self) -> Option<Duration> {
        self.activity.last()
    }

    /// How long the process stood still during the attempt.
    pub(super) fn stood_still(&self) -> Duration {
        self.still.total()
    }
}

/// Makes the connection. An error names the phase and the cause.
pub(super) fn establish(
    request: &Request,
    progress: &AttemptProgress,
) -> impl Future<Output = Result<Established, Error>> {
    let limit = request.connect_timeout;
    let deadline = Instant::now() + limit;
    let late = move || Err(Error::Timeout { target: request.endpoint(), phase: progress.phase(), limit });
    within_telling(limit, deadline, Some(&progress.still), follow_redirects(request, progress, deadline))
        .map(move |done| done.unwrap_or_else(late))
}

async fn follow_redirects(
    request: &Request,
    progress: &AttemptProgress,
    deadline: Instant,
) -> Result<Established, Error> {
    let mut timing = Timing::default();
    let mut redirected: Option<Box<Request>> = None;
    loop {
        let request = redirected.as_deref().unwrap_or(request);
        let dial = Dial { request, progress, timing: &mut timing, deadline };
        let (target, refused) = match dial.establish().await {
            Err(Error::Upgrade { target, cause: UpgradeError::Status(refused) }) => (target, refused),
            outcome => return outcome,
        };
        match handshake::location(&refused).map(|location| request.redirected(location)) {
            None => return Err(Error::Upgrade { target, cause: UpgradeError::Status(refused) }),
            Some(Err(why)) => {
                return Err(Error::Upgrade { target, cause: UpgradeError::Redirect(why, refused) });
            }
            Some(Ok(next)) => redirected = Some(Box::new(next)),
        }
    }
}

/// Dials the server that the request names, without redirects.
struct Dial<'a> {
    request: &'a Request,
    progress: &'a AttemptProgress,
    timing: &'a mut Timing,
    /// The end of the whole attempt.
    deadline: Instant,
}

/// The target of a TCP connection: the server or the proxy.
#[derive(Clone, Copy)]
struct Target<'a> {
    host: &'a Host<String>,
    zone: Option<&'a str>,
    port: u16,
    proxy: Option<&'a ResolvedProxy>,
}

/// What only some attempts need is boxed here, so that the future of the others is small.
impl Dial<'_> {
    async fn establish(mut self) -> Result<Established, Error> {
        let request = self.request;
        let declared = match request.tls.network_security_config {
            NetworkSecurityConfig::Platform => DeclaredTrust::default(),
            NetworkSecurityConfig::Strict => Box::pin(self.declared()).await?,
        };
        let tcp = match select_proxy(request).await? {
            None => {
                let Destination { host, zone, port, .. } = &request.destination;
                self.reach(Target { host, zone: zone.as_deref(), port: *port, proxy: None }).await?
            }
            Some(server) => Box::pin(self.tunnel(&server)).await?,
        };
        let mut clock = Clock(Instant::now());
        let mut stream = match request.destination.secure {
            false => Stream::Plain(tcp),
            true => {
                let stream = Box::pin(self.secure(tcp, declared)).await?;
                self.timing.tls += clock.lap();
                stream
            }
        };
        self.progress.enter(Phase::Upgrade);
        let limit = request.phase_timeouts.upgrade;
        let by = limit.map_or(self.deadline, |limit| self.deadline.min(Instant::now() + limit));
        let upgrade = async {
            match handshake::upgrade(&mut stream, request, by).await {
                Ok(upgraded) => Ok((upgraded, stream)),
                Err(cause) => Err(Box::pin(not_upgraded(request.endpoint(), cause, stream)).await),
            }
        };
        let (upgraded, mut stream) = self.within(limit, Phase::Upgrade, upgrade).await?;
        let Upgraded { mut opened, deflate, received } = upgraded;
        self.timing.upgrade += clock.lap();
        opened.timing = *self.timing;
        opened.url = request.url.clone();
        stream.is_made();
        Ok(Established { stream, opened, deflate, received })
    }

    /// One phase, within its limit.
    fn within<T>(
        &self,
        limit: Option<Duration>,
        phase: Phase,
        work: impl Future<Output = Result<T, Error>>,
    ) -> impl Future<Output = Result<T, Error>> {
        let Some(limit) = limit else { return Either::Left(work) };
        let late = move || Err(Error::PhaseTimeout { target: self.request.endpoint(), phase, limit });
        let done = within(limit, Instant::now() + limit, work);
        Either::Right(done.map(move |done| done.unwrap_or_else(late)))
    }

    /// Reads what the app declares about the server, before any connection.
    async fn declared(&self) -> Result<DeclaredTrust, Error> {
        let destination = self.request.destination.clone();
        let declared = run_blocking(move || app_policy::declared(&destination))
            .await
            .map_err(|cause| exhausted(self.request, Phase::Lookup, cause))?;
        declared.map_err(|cause| Error::Policy { target: self.request.endpoint(), cause })
    }

    /// Adds TLS to a connection to the server.
    async fn secure(&self, tcp: Socket, declared: DeclaredTrust) -> Result<Stream, Error> {
        let request = self.request;
        self.progress.enter(Phase::Tls);
        let handshake = async {
            let config = match tls::known_config(&request.tls, &declared) {
                Some(known) => known,
                None => {
                    let read = request.tls.clone();
                    run_blocking(move || tls::config(&read, &declared))
                        .await
                        .map_err(|cause| exhausted(request, Phase::Tls, cause))??
                }
            };
            let made = tls::handshake(tcp, config, &request.tls, &request.destination.host).await;
            made.map(Stream::Tls).map_err(|cause| Error::Tls { target: request.endpoint(), cause })
        };
        self.within(request.phase_timeouts.tls, Phase::Tls, handshake).await
    }

    /// A connection to the server through a proxy.
    async fn tunnel(&mut self, server: &ResolvedProxy) -> Result<Socket, Error> {
        let request = self.request;
        let destination = (&request.destination.host, request.destination.port);
        let credentials = server.credentials.as_ref();
        let proxy = Target { host: &server.host, zone: None, port: server.port, proxy: Some(server) };
        let mut authorization = None;
        loop {
            let mut tcp = self.reach(proxy).await?;
            self.progress.enter(Phase::Proxy);
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
            let answer = self.within(request.phase_timeouts.proxy, Phase::Proxy, ask).await?;
            self.timing.proxy += clock.lap();
            match answer {
                None => return Ok(tcp),
                answer => authorization = answer,
            }
        }
    }

    /// A TCP connection.
    async fn reach(&mut self, target: Target<'_>) -> Result<Socket, Error> {
        let Self { request, progress, .. } = *self;
        let Target { port, proxy, .. } = target;
        progress.enter(Phase::Lookup);
        let start = Instant::now();
        let mut began = None;
        let mut begin = || {
            progress.enter(Phase::Tcp);
            began = Some(Instant::now());
        };
        let connect = |mut address: SocketAddr| {
            address.set_port(port);
            Tcp::connect(address)
        };
        let limits = &request.phase_timeouts;
        let schedule = Schedule { lookup_limit: limits.lookup, tcp_limit: limits.tcp, ..Schedule::default() };
        let connected = match target.fixed_addresses(request).as_deref() {
            Some(&[address]) => {
                begin();
                race::alone(connect(SocketAddr::new(address, port)), limits.tcp).await
            }
            fixed => {
                let name = &target.name();
                // One future for both, so that the race is compiled once.
                let of = |family| async move {
                    let Some(fixed) = fixed else { return resolve::addresses(name, family).await };
                    let of_family = fixed.iter().filter(|address| family.has(**address));
                    Ok(of_family.map(|address| SocketAddr::new(*address, port)).collect())
                };
                Box::pin(race(of(Family::V6), of(Family::V4), connect, schedule, begin)).await
            }
        };
        let done = Instant::now();
        let tcp_from = began.unwrap_or(done);
        self.timing.lookup += tcp_from - start;
        self.timing.tcp += done - tcp_from;
        let tcp = connected.map_err(|failure| {
            let endpoint = match proxy {
                Some(server) => format!("the proxy {}", server.endpoint()),
                None => request.endpoint(),
            };
            if began.is_some() {
                resolve::forget(&target.name());
            }
            match failure {
                ConnectFailure::Lookup(cause) => Error::Lookup { host: target.name(), cause },
                ConnectFailure::Tcp(cause) => Error::Tcp { target: endpoint, cause },
                ConnectFailure::Late(limit) => {
                    Error::PhaseTimeout { target: endpoint, phase: progress.phase(), limit }
                }
            }
        })?;
        if let Err(cause) = tcp.set_nodelay() {
            crate::logging::debug(format_args!("TCP_NODELAY not set: {cause}"));
        }
        Ok(Socket::new(tcp, progress.activity.clone()))
    }
}

impl Target<'_> {
    /// Addresses that need no lookup.
    fn fixed_addresses(self, request: &Request) -> Option<Vec<IpAddr>> {
        match self.host {
            Host::Ipv4(address) => Some(vec![IpAddr::V4(*address)]),
            Host::Ipv6(address) if self.zone.is_none() => Some(vec![IpAddr::V6(*address)]),
            Host::Ipv6(_) => None,
            Host::Domain(name) => {
                let own = request.hosts.iter().find(|(known, _)| known == without_root(name));
                own.map(|(_, addresses)| addresses.clone())
            }
        }
    }

    /// The query for the resolver.
    fn name(self) -> String {
        match (self.host, self.zone) {
            (Host::Domain(name), _) => name.clone(),
            // The resolver knows the network interfaces.
            (Host::Ipv6(address), Some(zone)) => format!("{address}%{zone}"),
            (host, _) => host.to_string(),
        }
    }
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

/// Measures the steps of an attempt.
struct Clock(Instant);

impl Clock {
    /// The time since the last call.
    fn lap(&mut self) -> Duration {
        let before = std::mem::replace(&mut self.0, Instant::now());
        self.0 - before
    }
}

fn exhausted(request: &Request, phase: Phase, cause: io::Error) -> Error {
    Error::Exhausted { target: request.endpoint(), phase, cause }
}

async fn select_proxy(request: &Request) -> Result<Option<ResolvedProxy>, Error> {
    let select = |selection: &ProxySelection, destination: &Destination| {
        selection.for_destination(destination.secure, &destination.host, destination.port)
    };
    let selected = match request.proxy.is_immediate() {
        true => select(&request.proxy, &request.destination),
        false => {
            let (selection, destination) = (request.proxy.clone(), request.destination.clone());
            Box::pin(run_blocking(move || select(&selection, &destination)))
                .await
                .map_err(|cause| exhausted(request, Phase::Proxy, cause))?
        }
    };
    selected.map_err(|cause| Error::Proxy { proxy: None, target: request.endpoint(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::request::Options;

    #[test]
    fn an_attempt_takes_little_memory() {
        let request = Request::parse("wss://h/", Options::default()).expect("a good request");
        let progress = AttemptProgress::new();
        let size = size_of_val(&establish(&request, &progress));
        assert!(size <= 2_048, "{size} bytes, which are copied, and kept for each attempt under way");
    }
}
