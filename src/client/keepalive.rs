//! When to ping, and when silence means that the connection is dead.

use std::time::Duration;

use tokio::time::Instant;

/// The ping schedule of one connection (RFC 6455 section 5.5.2).
pub(super) struct Keepalive {
    interval: Option<Duration>,
    timeout: Option<Duration>,
    next_ping: Option<Instant>,
    /// Set by a ping, cleared by any byte from the peer: a busy connection is alive without a pong.
    silent_until: Option<Instant>,
}

/// What the clock asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Ping,
    /// Nothing came for this long after a ping.
    Dead(Duration),
}

impl Keepalive {
    pub(super) fn new(interval: Option<Duration>, timeout: Option<Duration>, now: Instant) -> Self {
        Self { interval, timeout, next_ping: interval.map(|interval| now + interval), silent_until: None }
    }

    /// When [`Keepalive::due`] is to be asked next.
    pub(super) fn deadline(&self) -> Option<Instant> {
        [self.next_ping, self.silent_until].into_iter().flatten().min()
    }

    /// Something came from the peer.
    pub(super) fn alive(&mut self) {
        self.silent_until = None;
    }

    /// Reading was paused on purpose until `now`: the peer's silence proves nothing.
    pub(super) fn resumed(&mut self, now: Instant) {
        if let (Some(until), Some(timeout)) = (&mut self.silent_until, self.timeout) {
            *until = now + timeout;
        }
    }

    pub(super) fn due(&mut self, now: Instant) -> Due {
        if let (Some(until), Some(timeout)) = (self.silent_until, self.timeout)
            && until <= now
        {
            return Due::Dead(timeout);
        }
        match (self.next_ping, self.interval) {
            (Some(at), Some(interval)) if at <= now => {
                self.next_ping = Some(now + interval);
                if self.silent_until.is_none() {
                    self.silent_until = self.timeout.map(|timeout| now + timeout);
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
    fn pings_at_each_interval_and_gives_up_on_silence() {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(Some(10 * SECOND), Some(15 * SECOND), start);
        assert_eq!(keepalive.deadline(), Some(start + 10 * SECOND));
        assert_eq!(keepalive.due(start + 9 * SECOND), Due::Nothing);
        assert_eq!(keepalive.due(start + 10 * SECOND), Due::Ping);
        assert_eq!(keepalive.due(start + 20 * SECOND), Due::Ping);
        // The deadline counts from the first ping that nothing followed.
        assert_eq!(keepalive.deadline(), Some(start + 25 * SECOND));
        assert_eq!(keepalive.due(start + 25 * SECOND), Due::Dead(15 * SECOND));
    }

    #[test]
    fn any_byte_counts_as_life() {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(Some(10 * SECOND), Some(5 * SECOND), start);
        assert_eq!(keepalive.due(start + 10 * SECOND), Due::Ping);
        keepalive.alive();
        assert_eq!(keepalive.due(start + 16 * SECOND), Due::Nothing);
        assert_eq!(keepalive.deadline(), Some(start + 20 * SECOND));
    }

    #[test]
    fn without_an_interval_it_asks_for_nothing() {
        let mut keepalive = Keepalive::new(None, Some(SECOND), Instant::now());
        assert_eq!(keepalive.deadline(), None);
        assert_eq!(keepalive.due(Instant::now() + 1_000 * SECOND), Due::Nothing);
    }
}
