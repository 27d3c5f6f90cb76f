//! What an open connection does next: it looks for requests and messages, at the clock and at its socket.
//!
//! A turn of the session is mostly short: it reads one message, its listener answers, and the answer is written. So the
//! session locks what it shares with callers as seldom as it can, and only when nothing is left it says that it sleeps.

use std::task::{Context, Poll, ready};

use super::connection::{Session, Wake};
use crate::client::moment::Moment;
use crate::client::shared::Command;
use crate::runtime;

impl Session<'_> {
    /// The next event. While it is pending, the session sleeps, or other tasks have their turns.
    pub(super) fn poll_wake(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        if self.budget.is_spent() {
            self.set_timer(cx);
            self.end_turn(cx);
            return Poll::Pending;
        }
        let wake = self.poll_events(cx);
        if wake.is_pending() && self.budget.renew() {
            runtime::long_turn();
        }
        wake
    }

    fn poll_events(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        if std::mem::take(&mut self.reads_first) {
            self.writer.stream.socket().ask_kernel();
            if let Poll::Ready(wake) = self.poll_read(cx) {
                return Poll::Ready(wake);
            }
        }
        loop {
            // Commands come first, because they are few. A caller may hold the lock for long. That wait must not come
            // between a ping and its write.
            if !self.listens
                && let Some(wake) = self.command(cx)
            {
                return Poll::Ready(wake);
            }
            if self.timer.take_ring() {
                return Poll::Ready(Wake::Timer);
            }
            if let Poll::Ready(wake) = self.poll_socket(cx) {
                return Poll::Ready(wake);
            }
            let waiting = self.writer.out.len();
            self.listens_next = true;
            if !self.listens
                && let Some(wake) = self.command(cx)
            {
                return Poll::Ready(wake);
            }
            self.set_timer(cx);
            if self.timer.take_ring() {
                return Poll::Ready(Wake::Timer);
            }
            if self.writer.out.len() == waiting {
                // Mostly data to read wakes it.
                self.read_next = false;
                return Poll::Pending;
            }
        }
    }

    /// What callers want. It takes their messages.
    fn command(&mut self, cx: &Context<'_>) -> Option<Wake> {
        let listens = std::mem::take(&mut self.listens_next);
        let Self { shared, writer, .. } = self;
        let command = writer.out.take(|out| shared.poll_command(out, listens.then_some(cx)));
        match command {
            Command::Ping(payload) => Some(Wake::Ping(payload)),
            Command::Close(request) => Some(Wake::Close(request)),
            Command::NetworkChanged => Some(Wake::NetworkChanged),
            Command::Hurry => Some(Wake::Hurry),
            Command::None => {
                self.listens = listens;
                None
            }
        }
    }

    fn poll_socket(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        if self.write_failure.is_some() {
            return self.poll_read(cx);
        }
        self.read_next = !self.read_next;
        if self.read_next {
            if let Poll::Ready(wake) = self.poll_read(cx) {
                return Poll::Ready(wake);
            }
            self.poll_write(cx)
        } else {
            if let Poll::Ready(wake) = self.poll_write(cx) {
                return Poll::Ready(wake);
            }
            self.poll_read(cx)
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        if self.writer.is_done() && !self.awaits_listener {
            return Poll::Pending;
        }
        let traced = self.listener.traces_frames() && !self.shared.is_detached();
        self.writer.keep_headers(traced);
        self.awaits_listener = traced && self.listener.poll_caught_up(cx).is_pending();
        if self.awaits_listener {
            return Poll::Pending;
        }
        if self.leaves_writing() {
            return Poll::Pending;
        }
        let written = self.writer.poll_write(cx, &self.shared.counters);
        self.budget.spend(std::mem::take(&mut self.writer.compressed));
        match ready!(written) {
            Ok(0) if !self.writer.has_reports() => Poll::Pending,
            Ok(count) => Poll::Ready(Wake::Wrote(count)),
            Err(error) => Poll::Ready(Wake::WriteFailed(error)),
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        if !self.shared.is_detached() && self.listener.poll_ready(cx).is_pending() {
            self.paused = true;
            return Poll::Pending;
        }
        if std::mem::take(&mut self.paused) {
            self.pinger.resumed(Moment::now());
        }
        if std::mem::take(&mut self.undelivered) {
            return Poll::Ready(Wake::Ready);
        }
        let read = self.reader.poll_read(&mut self.writer.stream, cx);
        read.map(|read| read.map_or_else(Wake::ReadFailed, Wake::Read))
    }
}
