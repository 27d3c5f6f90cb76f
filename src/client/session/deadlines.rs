//! The deadlines of an open connection, and their effects: a ping, statistics, or the end.
//!
//! They are checked before reading and writing, because those may never stop.

use std::task::Context;
use std::time::Duration;

use super::connection::{Interval, Session};
use super::end::CloseOutcome;
use super::notify::notify;
use super::pinger::{Doubt, PingDue};
use crate::client::error::Error;
use crate::client::keepalive::Ticks;
use crate::client::moment::Moment;
use crate::client::shared::CloseRequest;
use crate::client::time_limit::stood_still;
use crate::protocol::CloseCode;
use crate::{logging, platform};

/// Peers and gateways keep a connection that is silent for less than this.
const SLEPT_FOR_LONG: Duration = Duration::from_secs(10);
/// How often a freeze may restart the close timeout of one connection. Slow callbacks make all clocks late as well.
/// They must not delay the end for ever.
const CLOSE_RENEWALS_MAX: u8 = 3;

impl Session<'_> {
    /// The nearest deadline will wake the session.
    pub(super) fn set_timer(&mut self, cx: &mut Context<'_>) {
        if let Some(nearest) = self.nearest_deadline() {
            self.timer.set(nearest, cx);
        }
    }

    fn nearest_deadline(&self) -> Option<Moment> {
        let failure_by = self.write_failure.as_ref().map(|failure| failure.by);
        let statistics_at = self.statistics.as_ref().map(|statistics| statistics.next);
        Moment::first_of([
            self.pinger.deadline(),
            statistics_at,
            self.close_by,
            failure_by,
            self.leaving.deadline(),
            self.reader.deadline(),
        ])
    }

    /// Acts on the deadlines that have passed.
    pub(super) fn timer(&mut self) -> Option<CloseOutcome> {
        let now = Moment::now();
        self.leaving.check(now);
        self.reads_first |= self.reader.must_ask(now);
        self.notice_sleep(now);
        if self.nearest_deadline().is_some_and(|by| now.since(by) >= SLEPT_FOR_LONG) {
            self.pinger.was_absent(now);
        }
        if self.paused || self.undelivered {
            // The listener pauses reading.
            self.pinger.restart_deadlines(now);
            if let Some(failure) = &mut self.write_failure
                && !self.hurried
            {
                failure.by = now + self.close_timeout;
            }
        }
        if self.awaits_listener
            && !self.hurried
            && let Some(close_by) = &mut self.close_by
        {
            *close_by = now + self.close_timeout;
        }
        if self.is_not_over(now) {
            return None;
        }
        if self.write_failure.as_ref().is_some_and(|failure| failure.by <= now)
            && let Some(end) = self.rules.read_timed_out()
        {
            return Some(self.conclude(end, None));
        }
        if self.close_by.take_if(|by| *by <= now).is_some()
            && let Some(end) = self.rules.close_timed_out()
        {
            return Some(self.conclude(end, None));
        }
        if let Some(Interval { period, next }) = self.statistics.as_deref_mut()
            && *next <= now
        {
            *next = Ticks::of_process().after(now, *period);
            let statistics = self.shared.statistics();
            notify(self.shared, self.listener, |listener| listener.statistics(&statistics));
        }
        match self.pinger.due(now, &self.writer) {
            PingDue::Nothing => None,
            PingDue::Ping { idle } => {
                if idle {
                    self.writer.release_deflater();
                }
                // One unwritten ping is enough, and so is one unanswered probe. A queued pong requests no answer.
                if !self.writer.has_ping() {
                    self.keepalive_ping();
                } else if !self.pinger.is_probing() {
                    self.pinger.watch_acknowledgements(&self.writer);
                }
                None
            }
            PingDue::NoPong(limit) => Some(CloseOutcome::lost(Error::PongTimeout(limit))),
            PingDue::NoProbeAnswer(doubt, limit) => Some(CloseOutcome::lost(match doubt {
                Doubt::NetworkChanged => Error::NetworkChanged(Some(limit)),
                Doubt::Slept => Error::Slept(limit),
            })),
        }
    }

    /// While the device sleeps, its clock stands still, but the peer's clock continues. The peer drops the connection
    /// after some time, and its close frame does not arrive. So after a long sleep the device asks whether the peer
    /// still exists.
    fn notice_sleep(&mut self, now: Moment) {
        let slept = platform::slept();
        if slept.saturating_sub(self.slept.into()) < SLEPT_FOR_LONG {
            return;
        }
        self.slept = slept.into();
        self.pinger.was_absent(now);
        if self.rules.may_send() && !self.pinger.is_probing() {
            logging::info(format_args!("{} the device has slept; probing the peer", self.shared.tag()));
            self.probe(Doubt::Slept);
        }
    }

    /// Whether the peer may have given up this side. It may if this side was absent for long and nothing was answered
    /// since.
    pub(super) fn may_be_given_up(&self) -> bool {
        let slept = || platform::slept().saturating_sub(self.slept.into()) >= SLEPT_FOR_LONG;
        !self.pinger.has_met_again() || self.pinger.has_keepalive() && slept()
    }

    /// Whether a passed deadline that would end the connection must wait. First the socket is read once more. If the
    /// process stood still, the peer then gets the whole time again.
    fn is_not_over(&mut self, now: Moment) -> bool {
        let failure_by = self.write_failure.as_ref().map(|failure| failure.by);
        let deadlines = [self.pinger.gives_up_at(), self.close_by, failure_by];
        let Some(passed) = Moment::first_of(deadlines).filter(|by| *by <= now) else {
            return false;
        };
        if self.last_read_for == Some(passed) {
            return false;
        }
        self.last_read_for = Some(passed);
        self.reads_first = true;
        if stood_still(passed.instant(), now.instant()).is_some() {
            self.pinger.restart_deadlines(now);
            if self.close_renewals < CLOSE_RENEWALS_MAX && !self.hurried {
                self.close_renewals += 1;
                let by = now + self.close_timeout;
                self.close_by = self.close_by.map(|_| by);
                if let Some(failure) = &mut self.write_failure {
                    failure.by = by;
                }
            }
        }
        true
    }

    /// The close timeout counts from the last progress while an application waits for its messages. A dropped client
    /// does not wait that long.
    pub(super) fn extend_close_deadline(&mut self) {
        if let Some(close_by) = &mut self.close_by
            && !self.shared.is_detached()
            && !self.hurried
        {
            *close_by = Moment::now() + self.close_timeout;
        }
    }

    /// Ends the connection now, after one more look at the socket. The peer may have sent its close frame.
    pub(super) fn hurry(&mut self) {
        self.close(CloseRequest { code: CloseCode::Away, reason: String::new() });
        self.hurried = true;
        let now = Moment::now();
        self.close_by = self.close_by.map(|_| now);
        if let Some(failure) = &mut self.write_failure {
            failure.by = now;
        }
    }
}
