//! Happy Eyeballs version 2 (RFC 8305): uses the first address of either family that answers. Its callers pass it the
//! names and sockets, so tests can replace the clock.

use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, OptionFuture};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::time::{Instant, sleep_until};

use super::resolve::LookedUp;
use crate::client::time_limit::{sleep_awake, within};

/// The delays of RFC 8305, and the limits of the two phases.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schedule {
    /// How long an IPv4 answer waits for the IPv6 one (section 3).
    pub(super) resolution_delay: Duration,
    /// How long the next address waits for this one (section 5).
    pub(super) attempt_delay: Duration,
    /// The limit of the lookup; `None` for none.
    pub(super) lookup_limit: Option<Duration>,
    /// The limit from the first attempt to connect until the first connection. `None` for none.
    pub(super) tcp_limit: Option<Duration>,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            resolution_delay: Duration::from_millis(50),
            attempt_delay: Duration::from_millis(250),
            lookup_limit: None,
            tcp_limit: None,
        }
    }
}

/// Why no address answered.
#[derive(Debug)]
pub(super) enum ConnectFailure {
    /// No address exists. The text is the resolver's.
    Lookup(Arc<io::Error>),
    /// The error of the first address to fail.
    Tcp(io::Error),
    /// The limit of the phase has passed.
    Late(Duration),
}

/// Known addresses that were not tried yet.
#[derive(Default)]
struct Candidates {
    v6: VecDeque<SocketAddr>,
    v4: VecDeque<SocketAddr>,
    v4_is_next: bool,
}

impl Candidates {
    fn is_empty(&self) -> bool {
        self.v6.is_empty() && self.v4.is_empty()
    }

    /// The families take turns, IPv6 first (section 4).
    fn next(&mut self) -> Option<SocketAddr> {
        let (first, second) = match self.v4_is_next {
            true => (&mut self.v4, &mut self.v6),
            false => (&mut self.v6, &mut self.v4),
        };
        let next = first.pop_front().or_else(|| second.pop_front())?;
        self.v4_is_next = next.is_ipv6();
        Some(next)
    }
}

/// Connects to an address of either lookup. Calls `began` when the first attempt to connect begins.
pub(super) async fn race<S, C: Future<Output = io::Result<S>>>(
    v6: impl Future<Output = LookedUp>,
    v4: impl Future<Output = LookedUp>,
    connect: impl Fn(SocketAddr) -> C,
    schedule: Schedule,
    mut began: impl FnMut(),
) -> Result<S, ConnectFailure> {
    enum RaceStep<S> {
        V6(LookedUp),
        V4(LookedUp),
        /// The wait for the IPv6 answer is over.
        Resolved,
        Next,
        Tried(io::Result<S>),
        Late(Duration),
        Exhausted,
    }
    let (mut v6, mut v4) = (pin!(v6), pin!(v4));
    let (mut v6_open, mut v4_open, mut resolved) = (true, true, false);
    let mut candidates = Candidates::default();
    let mut attempts = FuturesUnordered::new();
    let (mut resolution_ends, mut next_at): (Option<Instant>, Option<Instant>) = (None, None);
    let (mut no_address, mut first_error) = (None, None);
    // The future outlives a step of the loop, because its limit may have restarted.
    let begin = |limit| Box::pin(late(limit));
    let mut deadline = schedule.lookup_limit.map(begin);
    let mut is_first = true;
    loop {
        let may_begin = resolved || !v6_open || !candidates.v6.is_empty();
        if may_begin
            && next_at.is_none_or(|at| at <= Instant::now())
            && let Some(address) = candidates.next()
        {
            if std::mem::take(&mut is_first) {
                began();
                deadline = schedule.tcp_limit.map(begin);
            }
            attempts.push(connect(address));
            next_at = Some(Instant::now() + schedule.attempt_delay);
        }
        let begin_next = next_at.filter(|_| may_begin && !candidates.is_empty());
        let step = tokio::select! {
            biased;
            Some(tried) = attempts.next() => RaceStep::Tried(tried),
            answer = &mut v6, if v6_open => RaceStep::V6(answer),
            answer = &mut v4, if v4_open => RaceStep::V4(answer),
            () = until(resolution_ends), if resolution_ends.is_some() => RaceStep::Resolved,
            () = until(begin_next), if begin_next.is_some() => RaceStep::Next,
            Some(limit) = OptionFuture::from(deadline.as_mut()), if v6_open || v4_open || !attempts.is_empty() => {
                RaceStep::Late(limit)
            }
            else => RaceStep::Exhausted,
        };
        match step {
            RaceStep::Tried(Ok(stream)) => return Ok(stream),
            RaceStep::Tried(Err(error)) => {
                first_error.get_or_insert(error);
                next_at = None;
            }
            RaceStep::V6(answer) => {
                v6_open = false;
                resolution_ends = None;
                match answer {
                    Ok(addresses) => candidates.v6.extend(addresses),
                    Err(error) => no_address = no_address.or(Some(error)),
                }
            }
            RaceStep::V4(answer) => {
                v4_open = false;
                match answer {
                    Ok(addresses) => {
                        candidates.v4.extend(addresses);
                        if v6_open && !resolved {
                            resolution_ends = Some(Instant::now() + schedule.resolution_delay);
                        }
                    }
                    // Most names have IPv4 addresses, so the reason for a missing one is more helpful.
                    Err(error) => no_address = Some(error),
                }
            }
            RaceStep::Resolved => {
                resolved = true;
                resolution_ends = None;
            }
            RaceStep::Next => {}
            RaceStep::Late(limit) => return Err(ConnectFailure::Late(limit)),
            RaceStep::Exhausted => {
                return Err(match (first_error, no_address) {
                    (Some(error), _) => ConnectFailure::Tcp(error),
                    (None, Some(error)) => ConnectFailure::Lookup(error),
                    (None, None) => ConnectFailure::Tcp(io::ErrorKind::AddrNotAvailable.into()),
                });
            }
        }
    }
}

/// Connects to the only address.
pub(super) fn alone<S>(
    connect: impl Future<Output = io::Result<S>>,
    limit: Option<Duration>,
) -> impl Future<Output = Result<S, ConnectFailure>> {
    let connected = connect.map(|connected| connected.map_err(ConnectFailure::Tcp));
    let Some(limit) = limit else { return Either::Left(connected) };
    let in_time = within(limit, Instant::now() + limit, connected);
    Either::Right(in_time.map(move |connected| connected.unwrap_or(Err(ConnectFailure::Late(limit)))))
}

async fn late(limit: Duration) -> Duration {
    sleep_awake(limit).await;
    limit
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The time and the content of an answer.
    type Script<'a> = (u64, &'a [&'a str]);
    const NEVER: u64 = 1_000_000;

    async fn lookup((after, addresses): Script<'_>) -> LookedUp {
        tokio::time::sleep(Duration::from_millis(after)).await;
        match addresses {
            [] => Err(Arc::new(io::Error::other("no address"))),
            some => Ok(some.iter().map(|text| text.parse().expect("an address")).collect()),
        }
    }

    /// Returns the winning address, and the time in milliseconds. Port 1 answers at once, 2 refuses at once, 3 never
    /// answers.
    async fn outcome(v6: Script<'_>, v4: Script<'_>) -> (Result<SocketAddr, ConnectFailure>, u128) {
        let start = Instant::now();
        let connect = |address: SocketAddr| async move {
            match address.port() {
                1 => Ok(address),
                2 => Err(io::ErrorKind::ConnectionRefused.into()),
                _ => pending().await,
            }
        };
        let schedule = Schedule { tcp_limit: Some(Duration::from_secs(10)), ..Schedule::default() };
        let won = race(lookup(v6), lookup(v4), connect, schedule, || {}).await;
        (won, start.elapsed().as_millis())
    }

    async fn winner(v6: Script<'_>, v4: Script<'_>) -> (String, u128) {
        let (won, after) = outcome(v6, v4).await;
        (won.expect("an address answers").to_string(), after)
    }

    #[tokio::test(start_paused = true)]
    async fn a_broken_ipv6_route_costs_no_more_than_the_attempt_delay() {
        assert_eq!(winner((0, &["[::1]:3"]), (0, &["1.1.1.1:1"])).await, ("1.1.1.1:1".to_owned(), 250));
        assert_eq!(winner((0, &["[::1]:2"]), (0, &["1.1.1.1:1"])).await, ("1.1.1.1:1".to_owned(), 0));
        let (won, after) = winner((49, &["[::1]:3", "[::2]:3", "[::3]:3"]), (0, &["1.1.1.1:1"])).await;
        assert_eq!((won.as_str(), after), ("1.1.1.1:1", 299));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_ipv6_lookup_delays_ipv4_by_the_resolution_delay() {
        assert_eq!(winner((NEVER, &[]), (10, &["1.1.1.1:1"])).await, ("1.1.1.1:1".to_owned(), 60));
        assert_eq!(winner((20, &[]), (10, &["1.1.1.1:1"])).await, ("1.1.1.1:1".to_owned(), 20));
        assert_eq!(winner((30, &["[::1]:1"]), (10, &["1.1.1.1:1"])).await, ("[::1]:1".to_owned(), 30));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_ipv4_lookup_does_not_delay_ipv6() {
        assert_eq!(winner((10, &["[::1]:1"]), (NEVER, &[])).await, ("[::1]:1".to_owned(), 10));
        // A late answer joins the race. Its turn has already come.
        assert_eq!(winner((0, &["[::1]:3"]), (400, &["1.1.1.1:1"])).await, ("1.1.1.1:1".to_owned(), 400));
        // An address that refuses does not end the race while the other lookup is under way.
        assert_eq!(winner((0, &["[::1]:2"]), (90, &["1.1.1.1:1"])).await, ("1.1.1.1:1".to_owned(), 90));
    }

    #[tokio::test(start_paused = true)]
    async fn tries_every_address_and_alternates_the_families() {
        let (won, after) =
            winner((0, &["[::1]:3", "[::2]:3", "[::3]:1"]), (0, &["1.1.1.1:3", "2.2.2.2:3"])).await;
        assert_eq!((won.as_str(), after), ("[::3]:1", 1_000));
        let (won, after) = winner((0, &["[::1]:2", "[::2]:2"]), (0, &["1.1.1.1:2", "2.2.2.2:1"])).await;
        assert_eq!((won.as_str(), after), ("2.2.2.2:1", 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_lookup_timeout_ends_with_the_first_connection() {
        let schedule = Schedule { lookup_limit: Some(Duration::from_millis(100)), ..Schedule::default() };
        let of = async |v6: Script<'_>, v4: Script<'_>| {
            let connect = |address| async move {
                tokio::time::sleep(Duration::from_millis(500)).await;
                Ok::<SocketAddr, _>(address)
            };
            race(lookup(v6), lookup(v4), connect, schedule, || {}).await
        };
        assert!(
            matches!(of((NEVER, &[]), (101, &["1.1.1.1:1"])).await, Err(ConnectFailure::Late(limit)) if limit.as_millis() == 100)
        );
        assert!(of((NEVER, &[]), (49, &["1.1.1.1:1"])).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn says_whether_the_lookup_or_the_connections_failed() {
        assert!(matches!(outcome((0, &[]), (5, &[])).await, (Err(ConnectFailure::Lookup(_)), 5)));
        let (lost, _) = outcome((0, &["[::1]:2"]), (5, &[])).await;
        assert!(
            matches!(lost, Err(ConnectFailure::Tcp(error)) if error.kind() == io::ErrorKind::ConnectionRefused)
        );
        assert!(matches!(
            outcome((7, &["[::1]:3"]), (0, &["1.1.1.1:3"])).await,
            (Err(ConnectFailure::Late(_)), 10_007)
        ));
    }
}
