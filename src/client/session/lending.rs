//! Counts the data that the kernel has accepted. Lends the socket to callers while the session does not run.

use std::task::{Context, Poll, ready};

use super::connection::Session;
use super::notify::{notify, notify_frames};
use crate::client::event::{Direction, Outcome};
use crate::client::moment::Moment;
use crate::client::send_queue::Chunk;
use crate::client::shared::lending::{Plan, Returned};
use crate::client::shared::looking::Noted;
use crate::runtime;

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
        let plan = match leaving.deadline() {
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
        self.leaving.deadline().is_some() && !self.writer.out.front().is_some_and(Chunk::is_control)
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
