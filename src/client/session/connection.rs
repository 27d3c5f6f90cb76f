//! An open connection: one loop that waits for whatever comes next, from the peer, the application or the clock, and acts on
//! it, until the connection is to end.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use super::ack_progress::Upload;
use super::end::{End, Ending, closed_by};
use super::notify::{tell, tell_frames};
use super::reader::{Came, Reader};
use super::writer::Writer;
use crate::client::cause::Cause;
use crate::client::error::Error;
use crate::client::event::{Direction, Listener, Outcome, Times};
use crate::client::keepalive::{Due, Keepalive, Ticks};
use crate::client::request::Request;
use crate::client::shared::{CloseRequest, Command, Shared};
use crate::client::transport::{Ends, Stream};
use crate::logging;
use crate::protocol::{CloseCode, Decoder, Negotiated, ProtocolError, ReadBuffer};

/// Reads and writes of one session before others on its thread get their turn, and the bytes that it has then read, handed on
/// and written.
const TURNS_MAX: u32 = 64;
const TURN_BYTES_MAX: usize = 524_288;
/// Pings whose pongs are waited for; older ones are forgotten.
const UNANSWERED_PINGS_MAX: usize = 32;
/// How soon after a change of the network the peer must answer a ping.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);
/// What comes within this time of a change may have been under way before.
const PROBE_STALE: Duration = Duration::from_millis(250);

/// What a session woke up for.
enum Wake {
    Ping(Vec<u8>),
    NetworkChanged,
    Close(CloseRequest),
    Wrote(usize),
    /// To go on with what was read before.
    Ready,
    Read(Came),
    WriteFailed(io::Error),
    Failed(io::Error),
    Timer,
}

/// An open connection.
pub(super) struct Session<'a> {
    pub(super) shared: &'a Shared,
    pub(super) listener: &'a mut dyn Listener,
    pub(super) writer: Writer,
    pub(super) reader: Reader,
    keepalive: Keepalive,
    statistics_interval: Option<Duration>,
    next_statistics: Option<Instant>,
    close_timeout: Duration,
    /// Nothing can be written any more. What the peer sent before that is still read: it may say why.
    broken: Option<Broken>,
    /// The close frame we sent first, until the peer's comes or time is up.
    pub(super) closing: Option<Closing>,
    sleep: Pin<Box<Sleep>>,
    /// For when the timer is set; it may ring early, never late.
    armed: Option<Instant>,
    /// The listener can take no more for now.
    paused: bool,
    /// There may be messages in what was read that are not handed on yet.
    pub(super) undelivered: bool,
    /// It has not heard of the frames that went out before.
    held: bool,
    /// Reading and writing take turns, so that neither starves the other.
    read_next: bool,
    /// Something was written since the last ping.
    wrote: bool,
    /// Pings that no pong has answered yet, oldest first, and when they were sent.
    pub(super) pings: VecDeque<(Vec<u8>, Instant)>,
    /// Numbers the keepalive's pings.
    ping_number: u32,
    /// Wakes, and bytes, since the session last let others run.
    turns: u32,
    pub(super) turn_bytes: usize,
    opened_at: Instant,
    /// When the last bytes came; at first, the server's answer.
    last_read: Instant,
    ends: Option<Box<Ends>>,
    pub(super) probe: Option<Box<Probe>>,
    /// While an answer to a ping is waited for.
    upload: Option<Box<Upload>>,
}

/// An answer is waited for that shows that the connection has survived a change of the network.
pub(super) struct Probe {
    pub(super) sent_at: Instant,
    by: Instant,
}

/// Writing failed. The socket's end is then to be read as well, behind what came before it, by a time.
struct Broken {
    error: io::Error,
    by: Instant,
}

pub(super) struct Closing {
    pub(super) code: u16,
    pub(super) reason: String,
    pub(super) by: Instant,
}

impl<'a> Session<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        listener: &'a mut dyn Listener,
        (stream, received): (Stream, ReadBuffer),
        deflate: Option<Negotiated>,
        request: &Request,
    ) -> Self {
        let (now, ticks) = (Instant::now(), Ticks::of_process());
        // Who does not hear of changes of the network need not know.
        let ends = request.watches_network().then(|| stream.ends().ok().map(Box::new)).flatten();
        // Frames that came along with the server's answer.
        shared.counters.received_bytes(received.data().len());
        let mut decoder = Decoder::new(request.message_limit, deflate.as_ref().map(Negotiated::inflater));
        if request.in_pieces {
            decoder = decoder.in_pieces();
        }
        Self {
            shared,
            listener,
            writer: Writer::new(stream, deflate.as_ref().map(Negotiated::deflater), request),
            reader: Reader::new(received, decoder),
            keepalive: Keepalive::new(ticks, request.ping_interval, request.pong_timeout, now),
            statistics_interval: request.statistics_interval,
            next_statistics: request.statistics_interval.map(|interval| ticks.after(now, interval)),
            close_timeout: request.close_timeout,
            broken: None,
            closing: None,
            sleep: Box::pin(tokio::time::sleep_until(now)),
            armed: None,
            paused: false,
            // The server's first frames may have come with its answer to the upgrade.
            undelivered: true,
            held: false,
            read_next: false,
            wrote: false,
            pings: VecDeque::new(),
            ping_number: 0,
            turns: 0,
            turn_bytes: 0,
            opened_at: now,
            last_read: now,
            ends,
            probe: None,
            upload: None,
        }
    }

    /// Runs until the connection is to end. The future is small: it stays as long as the connection does.
    pub(super) async fn run(mut self: Box<Self>) -> Box<End> {
        let ending = poll_fn(|cx| self.poll_end(cx)).await;
        self.end(ending)
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Ending> {
        loop {
            let wake = ready!(self.poll_wake(cx));
            if let Some(ending) = self.act(wake) {
                return Poll::Ready(ending);
            }
        }
    }

    fn act(&mut self, wake: Wake) -> Option<Ending> {
        match wake {
            Wake::Ping(payload) => {
                self.ping(payload);
                None
            }
            Wake::Close(request) => {
                self.begin_closing(request);
                None
            }
            Wake::NetworkChanged => self.network_changed(),
            Wake::Wrote(count) => {
                self.wrote(count);
                None
            }
            Wake::Ready => self.deliver(),
            Wake::Read(Came::Buffered(0) | Came::Directly(0)) => Some(self.ended_without_close(None)),
            Wake::Read(Came::Buffered(count)) => {
                self.received(count);
                self.deliver()
            }
            Wake::Read(Came::Directly(count)) => {
                self.received(count);
                match self.reader.decoder.read_directly(count) {
                    Ok(()) => self.deliver(),
                    Err(error) => Some(self.broke_protocol(error)),
                }
            }
            Wake::WriteFailed(error) => {
                let by = Instant::now() + self.close_timeout;
                self.broken = Some(Broken { error, by });
                None
            }
            Wake::Failed(error) => Some(self.ended_without_close(Some(error))),
            Wake::Timer => self.timer(),
        }
    }

    fn end(mut self: Box<Self>, ending: Ending) -> Box<End> {
        let Ending { error, closed, graceful, mut unsent } = ending;
        let dropped = if graceful {
            // One try to get a close frame out before the application hears of the end and perhaps exits. Nobody waits for
            // more here.
            let mut cx = Context::from_waker(Waker::noop());
            while let Poll::Ready(Ok(count @ 1..)) = self.writer.poll_write(&mut cx, &self.shared.counters) {
                self.shared.counters.sent_bytes(count);
            }
            self.writer.unconfirmed()
        } else {
            unsent.append(&mut self.writer.take_unbegun());
            self.writer.drop_begun()
        };
        self.tell_sent();
        // Nobody is told of what still goes out.
        self.writer.keep_headers(false);
        let ended_at = Instant::now();
        let times =
            Times { elapsed: ended_at - self.opened_at, last_activity: Some(ended_at - self.last_read) };
        let Self { writer, ends, .. } = *self;
        let writer = graceful.then(|| Box::new(writer));
        Box::new(End { error, dropped, unsent, closed: Some(closed), writer, was_open: true, ends, times })
    }

    fn received(&mut self, count: usize) {
        self.shared.counters.received_bytes(count);
        self.turn_bytes += count;
        self.keepalive.alive();
        let now = Instant::now();
        self.last_read = now;
        // What came by the old way may have waited in the kernel.
        self.probe.take_if(|probe| now > probe.sent_at + PROBE_STALE);
        self.upload = None;
    }

    /// A connection whose address is gone is lost; any other has to show soon that it is there.
    fn network_changed(&mut self) -> Option<Ending> {
        if self.closing.is_some()
            || self.probe.is_some()
            || self.ends.as_deref().is_some_and(|ends| !ends.has_route())
        {
            return None;
        }
        if self.ends.as_deref().copied().is_some_and(Ends::is_stranded) {
            return Some(Ending::lost(Error::NetworkChanged(None)));
        }
        logging::info(format_args!("{} the network has changed: is the peer there?", self.shared.tag()));
        let now = Instant::now();
        self.probe = Some(Box::new(Probe { sent_at: now, by: now + PROBE_TIMEOUT }));
        self.numbered_ping();
        None
    }

    /// A ping with a payload of its own, which tells its pong from others.
    fn numbered_ping(&mut self) {
        if self.upload.is_none() {
            self.upload = Upload::ahead(&self.writer).map(Box::new);
        }
        self.ping_number = self.ping_number.wrapping_add(1);
        self.ping(self.ping_number.to_be_bytes().to_vec());
    }

    fn wrote(&mut self, count: usize) {
        self.wrote = true;
        self.shared.counters.sent_bytes(count);
        self.turn_bytes += count;
        let drained = self.shared.note_in_flight(self.writer.pending());
        self.tell_sent();
        if drained {
            tell(self.shared, self.listener, |listener| listener.drained());
        }
        self.extend_closing();
    }

    /// Counts the messages that the kernel has got, and tells of those with a receipt.
    fn tell_sent(&mut self) {
        self.shared.counters.sent_messages(std::mem::take(&mut self.writer.written));
        self.writer.give_back();
        if let Some(headers) = self.writer.headers.as_mut().map(std::mem::take) {
            tell_frames(self.shared, self.listener, Direction::Sent, headers);
        }
        if self.writer.receipts.is_empty() {
            return;
        }
        let receipts = std::mem::take(&mut self.writer.receipts);
        tell(self.shared, self.listener, |listener| {
            receipts.iter().for_each(|receipt| listener.sent(*receipt, Outcome::Sent));
        });
    }

    /// Sends a ping and remembers when.
    fn ping(&mut self, payload: Vec<u8>) {
        // Nothing may follow a close frame.
        if self.closing.is_some() {
            return;
        }
        self.shared.counters.ping_sent();
        self.writer.push_control(|encoder, out| encoder.ping(out, &payload));
        if self.pings.len() >= UNANSWERED_PINGS_MAX {
            self.pings.pop_front();
        }
        self.pings.push_back((payload, Instant::now()));
    }

    fn poll_wake(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        self.turns += 1;
        if self.turns > TURNS_MAX || self.turn_bytes > TURN_BYTES_MAX {
            (self.turns, self.turn_bytes) = (0, 0);
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let wake = self.poll_events(cx);
        if wake.is_pending() {
            (self.turns, self.turn_bytes) = (0, 0);
        }
        wake
    }

    fn poll_events(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        match self.shared.poll_command(&mut self.writer.out, cx) {
            Command::Ping(payload) => return Poll::Ready(Wake::Ping(payload)),
            Command::Close(request) => return Poll::Ready(Wake::Close(request)),
            Command::NetworkChanged => return Poll::Ready(Wake::NetworkChanged),
            Command::None => {}
        }
        if self.broken.is_some() {
            return match self.poll_read(cx) {
                Poll::Ready(wake) => Poll::Ready(wake),
                Poll::Pending => self.poll_timer(cx),
            };
        }
        self.read_next = !self.read_next;
        if self.read_next {
            if let Poll::Ready(wake) = self.poll_read(cx) {
                return Poll::Ready(wake);
            }
            if let Poll::Ready(wake) = self.poll_write(cx) {
                return Poll::Ready(wake);
            }
        } else {
            if let Poll::Ready(wake) = self.poll_write(cx) {
                return Poll::Ready(wake);
            }
            if let Poll::Ready(wake) = self.poll_read(cx) {
                return Poll::Ready(wake);
            }
        }
        self.poll_timer(cx)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        let traced = self.listener.wants_frames() && !self.shared.is_detached();
        self.writer.keep_headers(traced);
        self.held = traced && self.listener.poll_heard(cx).is_pending();
        if self.held {
            return Poll::Pending;
        }
        match ready!(self.writer.poll_write(cx, &self.shared.counters)) {
            Ok(0) if self.writer.receipts.is_empty() => Poll::Pending,
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
            self.keepalive.resumed(Instant::now());
        }
        if std::mem::take(&mut self.undelivered) {
            return Poll::Ready(Wake::Ready);
        }
        let read = self.reader.poll_read(&mut self.writer.stream, cx);
        read.map(|read| read.map_or_else(Wake::Failed, Wake::Read))
    }

    /// Rings at the nearest deadline. A deadline that moved away leaves the timer as it is: an early ring costs less
    /// than setting it anew for each message.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        let close_by = self.closing.as_ref().map(|closing| closing.by);
        let end_by = self.broken.as_ref().map(|broken| broken.by);
        let probe_by = self.probe.as_ref().map(|probe| probe.by);
        let deadlines = [self.keepalive.deadline(), self.next_statistics, close_by, end_by, probe_by];
        let Some(nearest) = deadlines.into_iter().flatten().min() else {
            return Poll::Pending;
        };
        if self.armed.is_none_or(|armed| nearest < armed) {
            self.armed = Some(nearest);
            self.sleep.as_mut().reset(nearest);
            ready!(self.sleep.as_mut().poll(cx));
        } else if !self.sleep.is_elapsed() {
            return Poll::Pending;
        }
        self.armed = None;
        Poll::Ready(Wake::Timer)
    }

    fn timer(&mut self) -> Option<Ending> {
        let now = Instant::now();
        if self.paused
            && let Some(broken) = &mut self.broken
        {
            // Its listener holds up the reading.
            broken.by = now + self.close_timeout;
        }
        if self.held
            && let Some(closing) = &mut self.closing
        {
            closing.by = now + self.close_timeout;
        }
        if let Some(broken) = self.broken.take_if(|broken| broken.by <= now) {
            return Some(Ending::lost(Error::Lost(Some(broken.error))));
        }
        if let Some(closing) = self.closing.take_if(|closing| closing.by <= now) {
            let limit = self.close_timeout.as_millis();
            logging::warn(format_args!("{} no close frame within {limit} ms", self.shared.tag()));
            let why = if self.paused { "; the listener took no more" } else { "" };
            let reason = format!("no close frame came within {limit} ms of ours ({}){why}", closing.code);
            let closed = closed_by(Cause::Application, CloseCode::Abnormal.into(), reason);
            return Some(Ending::closed(closed, false));
        }
        if let (Some(at), Some(interval)) = (self.next_statistics, self.statistics_interval)
            && at <= now
        {
            self.next_statistics = Some(Ticks::of_process().after(now, interval));
            let statistics = self.shared.statistics();
            tell(self.shared, self.listener, |listener| listener.statistics(&statistics));
        }
        if self.paused {
            self.keepalive.resumed(now);
            if let Some(probe) = &mut self.probe {
                probe.by = now + PROBE_TIMEOUT;
            }
        }
        if let Some(probe) = &mut self.probe
            && probe.by <= now
        {
            if !self.upload.as_mut().is_some_and(|upload| upload.goes_on(&self.writer)) {
                return Some(Ending::lost(Error::NetworkChanged(Some(PROBE_TIMEOUT))));
            }
            probe.by = now + PROBE_TIMEOUT;
        }
        match self.keepalive.due(now) {
            Due::Nothing => None,
            Due::Ping => {
                if let Some(deflater) = &mut self.writer.deflater
                    && !std::mem::take(&mut self.wrote)
                {
                    deflater.release();
                }
                // One that cannot be written is enough.
                if !self.writer.has_control() {
                    self.numbered_ping();
                }
                None
            }
            Due::Dead(_) if self.upload.as_mut().is_some_and(|upload| upload.goes_on(&self.writer)) => {
                self.keepalive.resumed(now);
                None
            }
            Due::Dead(limit) => Some(Ending::lost(Error::PongTimeout(limit))),
        }
    }

    /// Sends our close frame behind everything queued before it.
    fn begin_closing(&mut self, request: CloseRequest) {
        let CloseRequest { code, reason } = request;
        logging::info(format_args!("{} closing ({})", self.shared.tag(), u16::from(code)));
        self.writer.push_close(Some(code), &reason);
        self.closing =
            Some(Closing { code: u16::from(code), reason, by: Instant::now() + self.close_timeout });
    }

    /// The close timeout counts from the last progress while an application waits for what it sent; a client that is
    /// gone has no such patience.
    fn extend_closing(&mut self) {
        if let Some(closing) = &mut self.closing
            && !self.shared.is_detached()
        {
            closing.by = Instant::now() + self.close_timeout;
        }
    }

    fn ended_without_close(&mut self, error: Option<io::Error>) -> Ending {
        match self.closing.take() {
            // The peer took our close frame as a reason to hang up, which was asked for and is no failure. Without a close
            // frame of its own nothing shows that it has read what came before ours (RFC 6455 section 7.1.5).
            Some(Closing { code, .. }) if self.writer.out.is_empty() => {
                let reason = format!("no close frame came after ours ({code}): the peer hung up");
                Ending::closed(closed_by(Cause::Application, CloseCode::Abnormal.into(), reason), false)
            }
            _ => {
                // To TLS, an end without close_notify is an error with a text of its own; here it is one end of many.
                let read = error.filter(|error| error.kind() != io::ErrorKind::UnexpectedEof);
                Ending::lost(Error::Lost(read.or(self.broken.take().map(|broken| broken.error))))
            }
        }
    }

    pub(super) fn broke_protocol(&mut self, error: ProtocolError) -> Ending {
        let code = error.close_code();
        let text = error.to_string();
        if self.closing.take().is_none() {
            // What was accepted before the peer's mistake still goes out.
            self.shared.peer_failed(&mut self.writer.out);
            self.writer.push_close(Some(code), &text);
        }
        let closed = closed_by(Cause::Protocol, code.into(), text);
        Ending { error: Some(Error::Protocol(error)), ..Ending::closed(closed, true) }
    }
}
