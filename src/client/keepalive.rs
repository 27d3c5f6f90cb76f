//! Decides when to ping, and when silence means that the connection is dead.

use std::time::Duration;

use super::moment::{Moment, Span};

/// From this interval on, the intervals and deadlines of all clients end at the same instants. The processor then wakes
/// once for all. A shorter interval is exact to the millisecond.
const COALESCED_FROM: Duration = Duration::from_secs(2);
const TICK: Duration = Duration::from_secs(1);

/// The instants that clients share.
#[derive(Clone, Copy)]
pub(super) struct Ticks {
    origin: Moment,
}

impl Ticks {
    /// Those of this process.
    pub(super) fn of_process() -> Self {
        Self { origin: Moment::origin() }
    }

    /// The end of the interval that contains `now`. Intervals are counted from the origin, not from a client's start, so the
    /// first one is shorter.
    pub(super) fn after(self, now: Moment, interval: Duration) -> Moment {
        if interval < COALESCED_FROM {
            return now + interval;
        }
        let passed = now.since(self.origin);
        let intervals = passed.as_nanos() / interval.as_nanos() + 1;
        let end = u64::try_from(interval.as_nanos().saturating_mul(intervals)).unwrap_or(u64::MAX);
        self.whole(self.origin + Duration::from_nanos(end))
    }

    /// `now + timeout`, rounded up.
    fn at_least(self, now: Moment, timeout: Duration) -> Moment {
        if timeout < COALESCED_FROM { now + timeout } else { self.whole(now + timeout) }
    }

    /// The tick at `at` or after it.
    fn whole(self, at: Moment) -> Moment {
        let passed = at.since(self.origin);
        match passed.subsec_nanos() {
            0 => at,
            over => at + (TICK - Duration::from_nanos(over.into())),
        }
    }
}

/// The pings of one connection (RFC 6455 section 5.5.2).
pub(super) struct Keepalive {
    ticks: Ticks,
    interval: Option<Span>,
    timeout: Option<Span>,
    next_ping: Option<Moment>,
    /// A ping sets it and any byte from the peer clears it. A busy connection is alive without a pong.
    silent_until: Option<Moment>,
}

/// The action that is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Ping,
    /// No data arrived within this time after a ping.
    Dead(Duration),
}

impl Keepalive {
    pub(super) fn new(
        ticks: Ticks,
        interval: Option<Duration>,
        timeout: Option<Duration>,
        now: Moment,
    ) -> Self {
        let next_ping = interval.map(|interval| ticks.after(now, interval));
        let (interval, timeout) = (interval.map(Span::from), timeout.map(Span::from));
        Self { ticks, interval, timeout, next_ping, silent_until: None }
    }

    /// When to call [`Keepalive::due`] next.
    pub(super) fn deadline(&self) -> Option<Moment> {
        Moment::first_of([self.next_ping, self.silent_until])
    }

    /// When silence will mean that the peer is gone.
    pub(super) fn gives_up_at(&self) -> Option<Moment> {
        self.silent_until
    }

    /// Something came from the peer.
    pub(super) fn alive(&mut self) {
        self.silent_until = None;
    }

    /// No more pings may be sent. The answer to an earlier ping is still due.
    pub(super) fn stop(&mut self) {
        (self.interval, self.next_ping) = (None, None);
    }

    /// Reading was paused on purpose until `now`: the peer's silence proves nothing.
    pub(super) fn resumed(&mut self, now: Moment) {
        if let (Some(until), Some(timeout)) = (&mut self.silent_until, self.timeout) {
            *until = self.ticks.at_least(now, timeout.into());
        }
    }

    pub(super) fn due(&mut self, now: Moment) -> Due {
        if let (Some(until), Some(timeout)) = (self.silent_until, self.timeout)
            && until <= now
        {
            return Due::Dead(timeout.into());
        }
        match (self.next_ping, self.interval) {
            (Some(at), Some(interval)) if at <= now => {
                self.next_ping = Some(self.ticks.after(now, interval.into()));
                if self.silent_until.is_none() {
                    self.silent_until = self.timeout.map(|timeout| self.ticks.at_least(now, timeout.into()));
                }
                Due::Ping
            }
            _ => Due::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pings_at_each_interval_and_ends_after_the_pong_timeout() {
        let start = Moment::now();
        let mut keepalive =
            Keepalive::new(Ticks { origin: start }, Some(10 * SECOND), Some(15 * SECOND), start);
        assert_eq!(keepalive.deadline(), Some(start + 10 * SECOND));
        assert_eq!(keepalive.due(start + 9 * SECOND), Due::Nothing);
        assert_eq!(keepalive.due(start + 10 * SECOND), Due::Ping);
        assert_eq!(keepalive.due(start + 20 * SECOND), Due::Ping);
        // The deadline counts from the first ping that nothing followed.
        assert_eq!(keepalive.deadline(), Some(start + 25 * SECOND));
        assert_eq!(keepalive.due(start + 25 * SECOND), Due::Dead(15 * SECOND));
    }

    #[test]
    fn any_received_byte_counts_as_an_answer() {
        let start = Moment::now();
        let mut keepalive =
            Keepalive::new(Ticks { origin: start }, Some(10 * SECOND), Some(5 * SECOND), start);
        assert_eq!(keepalive.due(start + 10 * SECOND), Due::Ping);
        keepalive.alive();
        assert_eq!(keepalive.due(start + 16 * SECOND), Due::Nothing);
        assert_eq!(keepalive.deadline(), Some(start + 20 * SECOND));
    }

    #[test]
    fn without_an_interval_no_ping_is_due() {
        let mut keepalive = Keepalive::new(Ticks::of_process(), None, Some(SECOND), Moment::now());
        assert_eq!(keepalive.deadline(), None);
        assert_eq!(keepalive.due(Moment::now() + 1_000 * SECOND), Due::Nothing);
    }

    #[test]
    fn timers_of_many_clients_fire_at_most_once_a_second() {
        const MILLISECOND: Duration = Duration::from_millis(1);
        let origin = Moment::now();
        let mut rings = std::collections::BTreeSet::new();
        for client in 0..1_000_u32 {
            // Opened at any time, with intervals of 2 to 45 s that need not be whole seconds.
            let opened = origin + client * 97 * MILLISECOND;
            let interval = 2 * SECOND + (client % 10) * 4_777 * MILLISECOND;
            let mut keepalive = Keepalive::new(Ticks { origin }, Some(interval), Some(interval / 2), opened);
            let mut last = opened;
            while let Some(at) = keepalive.deadline().filter(|at| *at < origin + 300 * SECOND) {
                rings.insert(at);
                // The timer wheel fires within a millisecond.
                let now = at + MILLISECOND;
                if keepalive.due(now) == Due::Ping {
                    assert!(at - last <= interval + 2 * SECOND, "{:?} after {interval:?}", at - last);
                    last = at;
                    keepalive.alive();
                }
            }
            assert!(last > origin + 240 * SECOND, "it pings on");
        }
        assert!(rings.len() <= 300, "{} rings in 300 s", rings.len());
        // Clients with equal intervals fire together.
        let alike = |opened| {
            Keepalive::new(Ticks { origin }, Some(30 * SECOND), Some(30 * SECOND), origin + opened).deadline()
        };
        assert_eq!(alike(Duration::ZERO), Some(origin + 30 * SECOND));
        assert_eq!(alike(29 * SECOND), Some(origin + 30 * SECOND));
        assert_eq!(alike(30 * SECOND), Some(origin + 60 * SECOND));
    }

    #[test]
    fn short_intervals_are_exact_to_the_millisecond() {
        let start = Moment::now();
        let ticks = Ticks { origin: start };
        let now = start + SECOND / 3;
        let keepalive = Keepalive::new(ticks, Some(SECOND / 10), Some(SECOND / 10), now);
        assert_eq!(keepalive.deadline(), Some(now + SECOND / 10));
    }
}
