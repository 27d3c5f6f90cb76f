//! An open connection: one loop waits for the next event of the peer, the application or the clock, and handles it. It ends with
//! the connection.
//!
//! The rules of [`Connection`] decide what may be sent and how a connection ends. This loop drives them. It has the
//! socket, the queue and the clock.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use super::budget::Budget;
use super::end::{CloseOutcome, SessionEnd, closed, says_nothing};
use super::leaving::Leaving;
use super::pinger::{Doubt, Pinger};
use super::reader::{ReadOutcome, Reader};
use super::timer::Timer;
use super::writer::Writer;
use crate::client::cause::Cause;
use crate::client::error::Error;
use crate::client::event::{Closed, Listener, PeerClose, Times};
use crate::client::keepalive::{Keepalive, Ticks};
use crate::client::moment::{Moment, Span};
use crate::client::request::SessionOptions;
use crate::client::shared::lending::Lending;
use crate::client::shared::{CloseRequest, Shared};
use crate::client::transport::{Endpoints, Stream};
use crate::logging;
use crate::platform;
use crate::protocol::{
    CloseCode, Connection, ConnectionEnd, Decoder, Negotiated, ProtocolError, Queued, ReadBuffer,
};

/// The reason why a session woke.
pub(super) enum Wake {
    Ping(Vec<u8>),
    NetworkChanged,
    Hurry,
    Close(CloseRequest),
    Wrote(usize),
    /// To continue with data read before.
    Ready,
    Read(ReadOutcome),
    WriteFailed(io::Error),
    ReadFailed(io::Error),
    Timer,
}

/// The differences between a client's and a server's connections.
pub(super) struct Terms<'a> {
    pub(super) options: &'a SessionOptions,
    /// Unsent messages may belong to the next connection.
    pub(super) keeps_queue: bool,
    /// It receives changes of the network.
    pub(super) watches_network: bool,
}

/// An open connection.
pub(super) struct Session<'a> {
    pub(super) shared: &'a Shared,
    pub(super) listener: &'a mut dyn Listener,
    pub(super) writer: Writer,
    pub(super) reader: Reader,
    pub(super) rules: Connection,
    pub(super) pinger: Pinger,
    /// The limit of the wait for the peer's close frame. The same limit applies to reading after a write failure.
    pub(super) close_timeout: Span,
    /// The end of the wait for the peer's close frame, once ours is queued.
    pub(super) close_by: Option<Moment>,
    /// How often it restarted because the process was frozen.
    pub(super) close_renewals: u8,
    /// Nothing moves the deadlines of the end any more.
    pub(super) hurried: bool,
    /// Writing has failed. The session still reads what the peer sent before, because it may contain the reason.
    pub(super) write_failure: Option<Box<WriteFailure>>,
    pub(super) statistics: Option<Box<Interval>>,
    pub(super) timer: Timer,
    /// A deadline has passed, so the session reads next.
    pub(super) reads_first: bool,
    /// The last deadline for which the session read first.
    pub(super) last_read_for: Option<Moment>,
    /// How long the device had slept since its start, at the last look.
    pub(super) slept: Span,
    /// The listener is full for now.
    pub(super) paused: bool,
    /// The read data may contain messages that are not delivered yet.
    pub(super) undelivered: bool,
    /// Writing is paused until the listener has processed earlier frame events.
    pub(super) awaits_listener: bool,
    /// Reading and writing take turns, so that neither starves the other.
    pub(super) read_next: bool,
    /// Whoever has something for it wakes it.
    pub(super) listens: bool,
    /// It looks once more for what callers want, and then listens.
    pub(super) listens_next: bool,
    pub(super) budget: Budget,
    pub(super) lending: Lending<'a>,
    pub(super) leaving: Leaving,
    opened_at: Moment,
    /// The time of the last received bytes. At first, that of the server's answer.
    last_read: Moment,
    endpoints: Option<Box<Endpoints>>,
}

/// Writing failed. The session then reads to the socket's end, or until `by`.
pub(super) struct WriteFailure {
    error: io::Error,
    pub(super) by: Moment,
}

/// An event that recurs.
pub(super) struct Interval {
    pub(super) period: Duration,
    pub(super) next: Moment,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        listener: &'a mut dyn Listener,
        (stream, received): (Stream, ReadBuffer),
        deflate: Option<Negotiated>,
        terms: &Terms<'_>,
    ) -> Self {
        let Terms { options, keeps_queue, watches_network } = *terms;
        let role = shared.role;
        let (now, ticks) = (Moment::now(), Ticks::of_process());
        // Only a session that watches the network needs it.
        let endpoints = watches_network.then(|| stream.endpoints().ok().map(Box::new)).flatten();
        // Frames that came along with the peer's part of the upgrade.
        shared.counters.received_bytes(received.data().len());
        let inflater = deflate.as_ref().map(Negotiated::inflater);
        let mut decoder = Decoder::new(options.message_limit, inflater).in_role(role);
        if options.in_pieces {
            decoder = decoder.in_pieces();
        }
        let keepalive = Keepalive::new(ticks, options.ping_interval, options.pong_timeout, now);
        let statistics = |period| Box::new(Interval { period, next: ticks.after(now, period) });
        let deflater = deflate.as_ref().map(Negotiated::deflater);
        let mut writer = Writer::new(stream, deflater, shared.sends_fragments(), role);
        writer.keep_originals = keeps_queue;
        Self {
            shared,
            listener,
            writer,
            reader: Reader::new(received, decoder),
            rules: Connection::new(role),
            pinger: Pinger::new(keepalive),
            close_timeout: options.close_timeout.into(),
            close_by: None,
            close_renewals: 0,
            hurried: false,
            write_failure: None,
            statistics: options.statistics_interval.map(statistics),
            timer: Timer::default(),
            reads_first: false,
            last_read_for: None,
            slept: platform::slept().into(),
            paused: false,
            // The peer's first frames may have arrived with its part of the upgrade.
            undelivered: true,
            awaits_listener: false,
            read_next: false,
            listens: false,
            listens_next: false,
            budget: Budget::default(),
            lending: Lending::new(shared),
            leaving: Leaving::default(),
            opened_at: now,
            last_read: now,
            endpoints,
        }
    }

    /// Runs until the connection ends. The future is small, because it exists as long as the connection.
    pub(super) async fn run(mut self: Box<Self>) -> Box<SessionEnd> {
        let outcome = poll_fn(|cx| self.poll_end(cx)).await;
        self.end(outcome)
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<CloseOutcome> {
        (self.listens, self.listens_next) = (false, false);
        ready!(self.poll_outlet(cx));
        let mut now = self.timer.look_at_clock();
        loop {
            let Poll::Ready(wake) = self.poll_wake(cx) else {
                self.lend_outlet();
                return Poll::Pending;
            };
            // The first call of the listener may take long, so the time is good for the first wake alone.
            if let Some(outcome) = self.act(wake, now.take(), cx) {
                return Poll::Ready(outcome);
            }
        }
    }

    /// `now` is the time, if it is known.
    fn act(&mut self, wake: Wake, now: Option<Moment>, cx: &Context<'_>) -> Option<CloseOutcome> {
        match wake {
            Wake::Ping(payload) => {
                self.ping(payload);
                None
            }
            Wake::Close(request) => {
                self.close(request);
                None
            }
            Wake::NetworkChanged => self.network_changed(),
            Wake::Hurry => {
                self.hurry();
                None
            }
            Wake::Wrote(count) => {
                self.wrote(count, cx);
                None
            }
            Wake::Ready => self.deliver(now.unwrap_or_else(Moment::now)),
            Wake::Read(ReadOutcome::Buffered(0) | ReadOutcome::Directly(0)) => self.read_ended(None),
            Wake::Read(ReadOutcome::Buffered(count)) => {
                self.received(count, now);
                self.deliver(self.last_read)
            }
            Wake::Read(ReadOutcome::Directly(count)) => {
                self.received(count, now);
                match self.reader.decoder.read_directly(count) {
                    Ok(()) => self.deliver(self.last_read),
                    Err(error) => self.violated(error),
                }
            }
            Wake::WriteFailed(error) => {
                self.rules.write_failed();
                let by = Moment::now() + self.close_timeout;
                self.write_failure = Some(Box::new(WriteFailure { error, by }));
                None
            }
            Wake::ReadFailed(error) => self.read_ended(Some(error)),
            Wake::Timer => self.timer(),
        }
    }

    fn end(mut self: Box<Self>, outcome: CloseOutcome) -> Box<SessionEnd> {
        let CloseOutcome { error, closed, graceful, mut unsent } = outcome;
        let dropped = if graceful {
            // Tries once to send a close frame, before the application gets the end and possibly exits. Received data
            // no longer matters.
            let mut cx = Context::from_waker(Waker::noop());
            while let Poll::Ready(Ok(1..)) = self.writer.poll_write(&mut cx, &self.shared.counters) {}
            self.writer.unconfirmed()
        } else {
            unsent.append(&mut self.writer.take_unbegun());
            self.writer.drop_begun()
        };
        self.count_bytes();
        self.notify_sent();
        // The listener gets no events of the frames that are still sent.
        self.writer.keep_headers(false);
        let ended_at = Moment::now();
        let times =
            Times { elapsed: ended_at - self.opened_at, last_activity: Some(ended_at - self.last_read) };
        let Self { writer, endpoints, .. } = *self;
        let writer = graceful.then(|| Box::new(writer));
        let closed = Some(closed);
        Box::new(SessionEnd {
            error,
            dropped,
            unsent,
            closed,
            writer,
            was_open: true,
            endpoints,
            times,
            stood_still: Duration::ZERO,
        })
    }

    fn received(&mut self, count: usize, now: Option<Moment>) {
        self.shared.counters.received_bytes(count);
        self.budget.spend(count);
        self.last_read = now.unwrap_or_else(Moment::now);
        self.pinger.received(self.last_read);
    }

    /// A connection whose local address is gone is lost. Any other connection is probed with a ping.
    fn network_changed(&mut self) -> Option<CloseOutcome> {
        let endpoints = self.endpoints.as_deref().copied();
        if !self.rules.may_send()
            || self.pinger.is_probing()
            || endpoints.is_some_and(|endpoints| !endpoints.has_route())
        {
            return None;
        }
        if endpoints.is_some_and(Endpoints::is_stranded) {
            return Some(CloseOutcome::lost(Error::NetworkChanged(None)));
        }
        logging::info(format_args!("{} network changed; probing the peer", self.shared.tag()));
        self.probe(Doubt::NetworkChanged);
        None
    }

    /// Probes the peer.
    pub(super) fn probe(&mut self, doubt: Doubt) {
        self.pinger.begin_probe(doubt, Moment::now());
        self.pinger.watch_acknowledgements(&self.writer);
        let payload = self.pinger.next_payload();
        self.ping(payload.to_vec());
    }

    /// Its payload is empty, because uWSGI 2.0 and GTK's broadwayd do not return one. Their pong would then answer no
    /// ping.
    pub(super) fn keepalive_ping(&mut self) {
        self.pinger.watch_acknowledgements(&self.writer);
        self.ping(Vec::new());
    }

    fn ping(&mut self, payload: Vec<u8>) {
        if self.rules.may_send() {
            self.shared.counters.ping_sent();
            self.writer.push_control(|encoder, out| encoder.ping(out, &payload));
            self.pinger.sent(payload, Moment::now());
        }
    }

    /// The application closes the connection.
    pub(super) fn close(&mut self, CloseRequest { code, reason }: CloseRequest) {
        if let Some(frame) = self.rules.close(code, reason) {
            logging::info(format_args!("{} closing ({})", self.shared.tag(), u16::from(code)));
            self.writer.push_close(frame.code, &frame.reason);
            self.pinger.stop();
            self.close_by = Some(Moment::now() + self.close_timeout);
        }
    }

    /// The peer has ended the stream, or reading failed.
    fn read_ended(&mut self, error: Option<io::Error>) -> Option<CloseOutcome> {
        let end = self.rules.read_ended(self.writer.out.is_empty())?;
        Some(self.conclude(end, error))
    }

    /// The peer violated the protocol.
    pub(super) fn violated(&mut self, error: ProtocolError) -> Option<CloseOutcome> {
        let end = self.rules.violated(error)?;
        Some(self.conclude(end, None))
    }

    /// Performs the end that the rules require. Returns how to report it. `read_error` is the error of reading.
    pub(super) fn conclude(&mut self, end: ConnectionEnd, read_error: Option<io::Error>) -> CloseOutcome {
        let (code, graceful) = (u16::from(end.code()), end.is_graceful());
        let mut unsent = VecDeque::new();
        if let Some(frame) = end.close_frame() {
            match frame.queued {
                Queued::SentFirst => self.writer.out.take(|out| self.shared.peer_failed(out)),
                Queued::TakenBack => unsent = self.writer.take_unbegun(),
            }
            self.writer.push_close(frame.code, &frame.reason);
        }
        let mut error = None;
        let closed = match end {
            ConnectionEnd::ClosedByPeer { reason, .. } => {
                logging::info(format_args!("{} closed by the peer", self.shared.tag()));
                self.shared.peer_closes();
                let cause = match Cause::of_close(code) {
                    // tornado and others end a connection in this way if its client does not answer their pings.
                    Cause::Closed if says_nothing(code) && self.may_be_given_up() => Cause::Lost,
                    cause => cause,
                };
                Closed { peer: PeerClose::Reported, ..closed(cause, code, reason) }
            }
            ConnectionEnd::ClosedByUs { reason, answer, .. } => {
                let answered = |(code, reason): (Option<CloseCode>, _)| {
                    PeerClose::Answered(code.unwrap_or(CloseCode::Status).into(), reason)
                };
                let peer = answer.map_or(PeerClose::None, answered);
                Closed { peer, ..closed(Cause::Application, code, reason) }
            }
            ConnectionEnd::Violated { error: violation } => {
                let violated = Error::Protocol(violation);
                let closed = closed(violated.cause(), code, violation.to_string());
                error = Some(violated);
                closed
            }
            ConnectionEnd::HungUp { code: ours } => {
                closed(Cause::Application, code, unanswered(ours, format_args!("the peer hung up")))
            }
            ConnectionEnd::Garbled { code: ours, error: violation } => {
                let reason = unanswered(ours, format_args!("{violation}"));
                logging::warn(format_args!("{} {reason}", self.shared.tag()));
                closed(Cause::Application, code, reason)
            }
            ConnectionEnd::TimedOut { code: ours } => {
                let limit = Duration::from(self.close_timeout).as_millis();
                logging::warn(format_args!("{} no close frame within {limit} ms", self.shared.tag()));
                let why = if self.paused { "; the listener took no more" } else { "" };
                let reason =
                    format!("no close frame came within {limit} ms of ours ({}){why}", u16::from(ours));
                closed(Cause::Application, code, reason)
            }
            ConnectionEnd::Lost => {
                // TLS reports an end without close_notify as an error with its own text. Here such an end is ordinary.
                let read_error = read_error.filter(|error| error.kind() != io::ErrorKind::UnexpectedEof);
                let write_error = self.write_failure.take().map(|failure| failure.error);
                return CloseOutcome::lost(Error::Lost(read_error.or(write_error)));
            }
        };
        CloseOutcome { error, closed, graceful, unsent }
    }
}

fn unanswered(ours: CloseCode, why: fmt::Arguments<'_>) -> String {
    format!("no close frame came after ours ({}): {why}", u16::from(ours))
}
