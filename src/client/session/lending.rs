//! Counts the data that the kernel has accepted. Lends the socket to callers while the session does not run.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::connection::Session;
use super::notify::{notify, notify_frames};
use crate::client::event::{Direction, Outcome};
use crate::client::moment::Moment;
use crate::client::send_queue::{Chunk, FLOOD_BYTES};
use crate::client::shared::lending::{Plan, Returned};
use crate::client::shared::looking::Noted;
use crate::runtime;

/// How long a flooded session leaves the writing to callers before it checks whether they write.
const LEFT_TO_CALLERS: Duration = Duration::from_millis(1);
/// Checks in a row that found callers to write, after which they are trusted again.
const CHECKS_TO_TRUST: u8 = 8;

/// Whether a flooded session leaves the writing to callers.
///
/// A caller that floods goes on, and soon has so much queued that it writes. One that waits for an answer stops, and then its
/// data wait for the check. So after each check that found nobody to write, the session writes by itself for four times as many turns.
#[derive(Default)]
pub(super) struct Leaving {
    /// Until then callers do the writing.
    until: Option<Moment>,
    /// Flooded turns in which the session still writes by itself.
    own_turns: u8,
    /// Their number after the last check that found nobody to write.
    own_turns_last: u8,
    /// Checks since then that found callers to write.
    helped: u8,
}

impl Leaving {
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.until
    }

    /// A turn ends flooded. Returns whether the writing is left to callers from now on.
    fn begin(&mut self, now: impl FnOnce() -> Moment) -> bool {
        if self.own_turns > 0 {
            self.own_turns -= 1;
            return false;
        }
        self.until = Some(now() + LEFT_TO_CALLERS);
        true
    }

    /// Callers have written so many bytes, and `full` says whether the kernel takes no more.
    fn returned(&mut self, written: usize, full: bool, now: impl FnOnce() -> Moment) {
        if full {
            self.until = None;
        } else if written >= FLOOD_BYTES {
            if self.until.is_some() {
                self.helped = self.helped.saturating_add(1);
                if self.helped >= CHECKS_TO_TRUST {
                    self.own_turns_last = 0;
                }
            }
            self.begin(now);
        }
    }

    /// Ends when the deadline has passed.
    pub(super) fn check(&mut self, now: Moment) {
        if self.until.take_if(|by| *by <= now).is_some() {
            self.own_turns_last = self.own_turns_last.saturating_mul(4).saturating_add(1);
            self.own_turns = self.own_turns_last;
            self.helped = 0;
        }
    }
}

impl Session<'_> {
    pub(super) fn wrote(&mut self, count: usize, cx: &Context<'_>) {
        self.count_bytes();
        self.budget.spend(count);
        self.has_written(cx);
    }

    /// Counts the bytes that the kernel has accepted.
    pub(super) fn count_bytes(&mut self) {
        self.shared.counters.sent_bytes(std::mem::take(&mut self.writer.written.bytes));
    }

    /// The kernel has accepted data.
    fn has_written(&mut self, cx: &Context<'_>) {
        self.pinger.wrote();
        let Noted { drained, listens } = self.shared.note_written(self.writer.pending(), cx);
        self.listens = listens;
        self.notify_sent();
        if drained {
            notify(self.shared, self.listener, |listener| listener.drained());
        }
        self.extend_close_deadline();
    }

    /// Counts the messages that the kernel has accepted, and reports those with a receipt.
    pub(super) fn notify_sent(&mut self) {
        self.shared.counters.sent_messages(std::mem::take(&mut self.writer.written.messages));
        self.writer.give_back();
        if let Some(trace) = self.writer.trace.as_deref_mut().map(std::mem::take) {
            notify_frames(self.shared, self.listener, Direction::Sent, trace.headers);
        }
        let receipts = self.writer.take_receipts();
        if receipts.is_empty() {
            return;
        }
        notify(self.shared, self.listener, |listener| {
            receipts.iter().for_each(|receipt| listener.sent(*receipt, Outcome::Sent));
        });
    }

    /// Ready when no caller writes to the socket.
    pub(super) fn poll_outlet(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(Returned { rest, written, full }) = ready!(self.lending.poll_take(cx)) {
            self.writer.take_back(rest, written);
            self.leaving.returned(written, full, Moment::now);
            if written > 0 {
                self.has_written(cx);
            }
        }
        Poll::Ready(())
    }

    /// Lends the socket to callers, if they have flooded it.
    pub(super) fn lend_outlet(&mut self) {
        if !self.can_lend() {
            return;
        }
        let Self { writer, lending, listener, shared, leaving, .. } = self;
        let plan = match leaving.until {
            Some(_) => Plan::Look,
            None if writer.out.is_empty() => Plan::Sleep,
            None => Plan::Blocked,
        };
        let socket = if lending.has_lent() { None } else { writer.stream.lend() };
        let may_be_lent = || shared.is_detached() || !listener.traces_frames();
        lending.lend(socket, || writer.hand_over(), plan, may_be_lent);
    }

    /// Whether callers write the next data. They write no control frames.
    pub(super) fn leaves_writing(&self) -> bool {
        self.leaving.until.is_some() && !self.writer.out.front().is_some_and(Chunk::is_control)
    }

    /// Lets other tasks run. If a caller has queued much since the last turn, leaves the writing to it.
    pub(super) fn end_turn(&mut self, cx: &mut Context<'_>) {
        let flooded = self.writer.out.take_flooded();
        if flooded && !self.writer.out.is_empty() && self.can_lend() && self.leaving.begin(Moment::now) {
            self.set_timer(cx);
            if !self.timer.rings() && self.shared.listen(cx) {
                return;
            }
        }
        runtime::end_turn(cx);
    }

    fn can_lend(&self) -> bool {
        let Self { writer, rules, write_failure, .. } = self;
        writer.out.was_flooded() && writer.can_be_lent() && write_failure.is_none() && rules.may_send()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ends a flooded turn at `now`. Returns whether the session leaves the writing to callers.
    fn flooded_turn(leaving: &mut Leaving, now: Moment) -> bool {
        leaving.begin(|| now) && leaving.deadline().is_some()
    }

    /// The number of flooded turns in which the session writes by itself, until it leaves the writing to callers.
    fn own_turns(leaving: &mut Leaving, now: Moment) -> usize {
        (0..).take_while(|_| !flooded_turn(leaving, now)).count()
    }

    #[test]
    fn a_session_waits_less_and_less_for_callers_that_have_stopped() {
        let mut leaving = Leaving::default();
        let mut now = Moment::now();
        let mut turns = Vec::new();
        for _ in 0..6 {
            turns.push(own_turns(&mut leaving, now));
            now = now + LEFT_TO_CALLERS;
            leaving.check(now);
            assert_eq!(leaving.deadline(), None, "the session writes");
        }
        assert_eq!(turns, [0, 1, 5, 21, 85, 255]);
    }

    #[test]
    fn help_in_a_turn_of_its_own_does_not_make_a_session_wait() {
        let mut leaving = Leaving { own_turns: 2, own_turns_last: 3, ..Leaving::default() };
        let now = Moment::now();
        leaving.returned(FLOOD_BYTES, false, || now);
        leaving.returned(FLOOD_BYTES, true, || now);
        assert_eq!((leaving.deadline(), leaving.own_turns), (None, 1));
    }

    #[test]
    fn callers_that_go_on_are_trusted_again() {
        let mut leaving = Leaving { own_turns_last: 63, ..Leaving::default() };
        let mut now = Moment::now();
        assert!(flooded_turn(&mut leaving, now));
        for _ in 0..CHECKS_TO_TRUST {
            now = now + LEFT_TO_CALLERS / 2;
            leaving.returned(FLOOD_BYTES, false, || now);
            leaving.check(now);
            assert!(leaving.deadline().is_some(), "callers write");
        }
        now = now + LEFT_TO_CALLERS;
        leaving.returned(FLOOD_BYTES - 1, false, || now);
        leaving.check(now);
        assert_eq!(own_turns(&mut leaving, now), 1);
    }
}
