//! Decides whether and when to connect again.
//!
//! Owns the policy and its counters. Knows no socket. Its callers pass it the time.

use std::ops::Range;
use std::time::Duration;

use rand::RngExt;
use tokio::time::Instant;

use super::cause::{Cause, Causes};

/// When a connection that was open for this long is lost, a new series begins.
const PROVEN_AFTER: Duration = Duration::from_secs(5);

/// When a client reconnects by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconnect {
    /// The first retry of a series comes without a delay. Many clients of one server then reconnect at once. Default no.
    pub at_once: bool,
    /// The first delay is a random part of this. Each further delay is a random part of twice the previous maximum
    /// ("full jitter"). Default 1 s.
    pub delay: Duration,
    /// Upper limit of every random delay. Default 30 s.
    pub max_delay: Duration,
    /// The most attempts of a series. `None` for any number. Default `None`.
    pub max_attempts: Option<u32>,
    /// The maximum time of a series, while the process runs; `None` for ever. Default `None`.
    pub max_time: Option<Duration>,
    /// The causes that a retry follows. Default [`Causes::TRANSIENT`].
    pub causes: Causes,
    /// Accepted messages of which the kernel has no byte wait for the next connection. Otherwise they are dropped with
    /// the lost one. Default yes.
    pub keep_queue: bool,
    /// How long [`super::Client::prepare`] may take after [`super::Listener::prepare`] was called. Default 15 s.
    pub prepare_timeout: Duration,
    /// Retries wait for a network, and a connection is probed when the network changes. Default yes.
    pub watch_network: bool,
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            at_once: false,
            delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(30),
            max_attempts: None,
            max_time: None,
            causes: Causes::TRANSIENT,
            keep_queue: true,
            prepare_timeout: Duration::from_secs(15),
            watch_network: true,
        }
    }
}

/// The end of an attempt or a connection, as far as the next one needs it.
#[derive(Clone, Copy)]
pub(super) struct Setback {
    pub(super) cause: Cause,
    /// The status of a server or a proxy that refused.
    pub(super) status: Option<u16>,
    /// The delay of the refusal's `Retry-After`.
    pub(super) retry_after: Option<Duration>,
    /// The peer's certificate was refused.
    pub(super) by_certificate: bool,
}

impl From<Cause> for Setback {
    fn from(cause: Cause) -> Self {
        Self { cause, status: None, retry_after: None, by_certificate: false }
    }
}

/// The attempts that follow a failure, until a connection has lasted long enough.
pub(super) struct Series {
    policy: Reconnect,
    attempts: u32,
    /// The time of the first failure.
    since: Option<Instant>,
    /// The target of the attempts was reached once.
    was_connected: bool,
    /// The delay of the last failure's `Retry-After`.
    asked: Duration,
}

impl Series {
    pub(super) fn new(policy: Reconnect) -> Self {
        Self { policy, attempts: 0, since: None, was_connected: false, asked: Duration::ZERO }
    }

    pub(super) fn policy(&self) -> &Reconnect {
        &self.policy
    }

    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// The time by which the series must have opened a connection.
    pub(super) fn deadline(&self) -> Option<Instant> {
        Some(self.since? + self.policy.max_time?)
    }

    /// A connection was open for `time`.
    pub(super) fn was_open(&mut self, time: Duration) {
        self.was_connected = true;
        if time >= PROVEN_AFTER {
            (self.attempts, self.since) = (0, None);
        }
    }

    /// The process stood still for `time`, in which it could not connect.
    pub(super) fn stood_still(&mut self, time: Duration) {
        self.since = self.since.map(|since| since + time);
    }

    /// From now on the attempts have another target.
    pub(super) fn moved(&mut self) {
        self.was_connected = false;
    }

    /// The least time between the last failure and an attempt, even after a change of the network.
    pub(super) fn pause(&self) -> Duration {
        self.policy.delay.max(self.asked)
    }

    /// Counts the next attempt and returns the delay before it; `None` if no attempt follows.
    pub(super) fn next(&mut self, setback: impl Into<Setback>, now: Instant) -> Option<Duration> {
        let setback = setback.into();
        self.since.get_or_insert(now);
        if !self.may_follow(setback)
            || self.policy.max_attempts.is_some_and(|most| self.attempts >= most)
            || self.deadline().is_some_and(|deadline| deadline <= now)
        {
            return None;
        }
        let left = self.deadline().map_or(Duration::MAX, |deadline| deadline - now);
        self.asked = setback.retry_after.unwrap_or_default().min(left);
        // The server may have asked all its clients for the same delay.
        let delay = self.asked + random_in(Duration::ZERO..self.longest_delay());
        self.attempts += 1;
        Some(delay.min(left))
    }

    /// Whether another attempt follows. Some failures count as another class than their own.
    fn may_follow(&self, Setback { cause, status, retry_after: _, by_certificate }: Setback) -> bool {
        let after = |cause| self.policy.causes.contains(cause);
        match status {
            // Time cures them (RFC 9110 section 15.5.9, RFC 8470 section 5.2, RFC 6585 section 4).
            Some(408 | 425 | 429) => after(cause) || after(Cause::Http5xx),
            // Time does not cure them (RFC 9110 sections 15.6.2 and 15.6.6), because the request is the fault.
            Some(501 | 505) => after(Cause::Http4xx),
            // A network's login page, or a gateway before the server, answers in the server's place.
            _ if self.was_connected
                && (by_certificate || cause == Cause::NoAnswer || matches!(status, Some(200..400))) =>
            {
                after(cause) || after(Cause::Connect)
            }
            _ => after(cause),
        }
    }

    /// Upper limit of the next random delay.
    fn longest_delay(&self) -> Duration {
        let Reconnect { at_once, delay, max_delay, .. } = self.policy;
        let doublings = match (at_once, self.attempts) {
            (true, 0) => return Duration::ZERO,
            (true, attempts) => attempts - 1,
            (false, attempts) => attempts,
        };
        delay.saturating_mul(1_u32.checked_shl(doublings).unwrap_or(u32::MAX)).min(max_delay)
    }
}

fn random_in(range: Range<Duration>) -> Duration {
    #[cfg(not(feature = "simulation"))]
    let mut chance = rand::rng();
    #[cfg(feature = "simulation")]
    let mut chance = crate::simulation::chance();
    if range.is_empty() { range.start } else { chance.random_range(range) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn series(policy: Reconnect) -> Series {
        Series::new(Reconnect { delay: SECOND, max_delay: 10 * SECOND, ..policy })
    }

    #[test]
    fn the_range_of_the_delay_doubles_up_to_its_maximum() {
        let now = Instant::now();
        let mut plain = series(Reconnect::default());
        for longest in [1, 2, 4, 8, 10, 10] {
            assert_eq!(plain.longest_delay(), longest * SECOND);
            assert!(plain.next(Cause::Lost, now).is_some_and(|delay| delay < longest * SECOND));
        }
        let mut at_once = series(Reconnect { at_once: true, ..Reconnect::default() });
        assert_eq!(at_once.next(Cause::Lost, now), Some(Duration::ZERO));
        assert_eq!(at_once.longest_delay(), SECOND);
        let mut endless = series(Reconnect::default());
        endless.attempts = u32::MAX - 1;
        assert!(endless.next(Cause::Lost, now).is_some());
    }

    #[test]
    fn delays_are_spread_over_their_range() {
        let now = Instant::now();
        let mut quarters = [0; 4];
        for _ in 0..1_000 {
            let delay = series(Reconnect::default()).next(Cause::Lost, now).expect("a retry");
            quarters[(delay.as_millis() / 250) as usize] += 1;
        }
        assert!(quarters.iter().all(|count| *count > 150), "{quarters:?}");
    }

    #[test]
    fn a_series_ends_by_count_by_time_and_by_cause() {
        let now = Instant::now();
        let mut counted = series(Reconnect { max_attempts: Some(2), ..Reconnect::default() });
        assert!(counted.next(Cause::Timeout, now).is_some());
        assert!(counted.next(Cause::Timeout, now).is_some());
        assert_eq!(counted.next(Cause::Timeout, now), None);

        let mut timed = series(Reconnect { max_time: Some(3 * SECOND), ..Reconnect::default() });
        assert!(timed.next(Cause::Http5xx, now).is_some());
        assert!(timed.next(Cause::Http5xx, now + 2 * SECOND).is_some_and(|delay| delay <= SECOND));
        assert_eq!(timed.next(Cause::Http5xx, now + 3 * SECOND), None);
        timed.stood_still(100 * SECOND);
        assert!(timed.next(Cause::Http5xx, now + 102 * SECOND).is_some_and(|delay| delay <= SECOND));
        assert_eq!(timed.next(Cause::Http5xx, now + 103 * SECOND), None);

        for cause in [Cause::Certificate, Cause::Http4xx, Cause::Upgrade, Cause::Protocol, Cause::Closed] {
            assert_eq!(series(Reconnect::default()).next(cause, now), None, "{cause:?}");
            let asked = Reconnect { causes: Causes::of(cause), ..Reconnect::default() };
            assert!(series(asked).next(cause, now).is_some(), "{cause:?}");
        }
        let all = Reconnect { causes: Causes::ALL, ..Reconnect::default() };
        assert_eq!(series(all).next(Cause::Application, now), None);
    }

    #[test]
    fn only_a_connection_that_lasted_starts_a_new_series() {
        let now = Instant::now();
        let mut series = series(Reconnect { max_attempts: Some(1), ..Reconnect::default() });
        assert!(series.next(Cause::Lost, now).is_some());
        series.was_open(SECOND);
        assert_eq!(series.next(Cause::Lost, now), None);
        series.was_open(PROVEN_AFTER);
        assert!(series.next(Cause::Lost, now).is_some());
    }

    fn refused(status: u16) -> Setback {
        Setback { status: Some(status), ..Cause::of_status(status).into() }
    }

    #[test]
    fn retries_only_http_statuses_that_are_temporary() {
        let now = Instant::now();
        let again = |status, causes| {
            series(Reconnect { causes, ..Reconnect::default() }).next(refused(status), now).is_some()
        };
        for status in [408, 425, 429, 500, 502, 503, 504, 511] {
            assert!(again(status, Causes::TRANSIENT), "{status}");
            assert!(!again(status, Causes::of(Cause::Lost)), "{status}");
        }
        for status in [200, 302, 400, 401, 403, 404, 407, 409, 424, 426, 428, 430, 501, 505] {
            assert!(!again(status, Causes::TRANSIENT), "{status}");
        }
        for status in [400, 408, 429, 501, 505] {
            assert!(again(status, Causes::of(Cause::Http4xx)), "{status}");
        }
        assert!(!again(501, Causes::of(Cause::Http5xx)));
    }

    #[test]
    fn retries_when_something_else_answers_for_a_known_server() {
        let now = Instant::now();
        let certificate = Setback { by_certificate: true, ..Cause::Certificate.into() };
        for setback in
            [certificate, Cause::NoAnswer.into(), refused(200), refused(204), refused(302), refused(399)]
        {
            let mut series = series(Reconnect::default());
            assert_eq!(series.next(setback, now), None, "{:?}", setback.status);
            series.was_open(Duration::ZERO);
            assert!(series.next(setback, now).is_some(), "{:?}", setback.status);
            assert_eq!(series.next(Cause::Certificate, now), None, "a file, or the client's own");
            assert_eq!(series.next(refused(403), now), None);
            series.moved();
            assert_eq!(series.next(setback, now), None, "{:?}", setback.status);
        }
        let mut lost = series(Reconnect { causes: Causes::of(Cause::Lost), ..Reconnect::default() });
        lost.was_open(Duration::ZERO);
        assert_eq!(lost.next(certificate, now), None, "as no connection, which was not asked for");
    }

    #[test]
    fn waits_at_least_as_long_as_retry_after_asks() {
        let now = Instant::now();
        let busy = |seconds| Setback { retry_after: Some(seconds * SECOND), ..refused(503) };
        let mut plain = series(Reconnect::default());
        let delay = plain.next(busy(60), now).expect("a retry");
        assert!((60 * SECOND..61 * SECOND).contains(&delay), "{delay:?}");
        assert_eq!(plain.pause(), 60 * SECOND);
        assert!(plain.next(Cause::Lost, now).is_some_and(|delay| delay < 2 * SECOND));
        assert_eq!(plain.pause(), SECOND);
        let mut at_once = series(Reconnect { at_once: true, ..Reconnect::default() });
        assert_eq!(at_once.next(busy(7), now), Some(7 * SECOND));
        let mut timed = series(Reconnect { max_time: Some(3 * SECOND), ..Reconnect::default() });
        assert_eq!(timed.next(busy(60), now), Some(3 * SECOND));
        assert_eq!(timed.next(busy(60), now + 3 * SECOND), None);
    }

    #[test]
    fn a_mask_of_causes_refuses_unknown_bits() {
        assert_eq!(Causes::from_bits(0b10), Some(Causes::of(Cause::Lookup)));
        assert_eq!(Causes::from_bits(1), None);
        assert_eq!(Causes::from_bits(1 << 18), None);
        assert_eq!(Causes::from_bits(1 << Cause::Application as u8), None);
        assert!((Causes::of(Cause::Closed) | Causes::TRANSIENT).contains(Cause::Closed));
    }
}
