//! The session: one task that makes a connection, reads and writes its frames, and tells the listener.
//!
//! Owns the socket and the timers. Takes commands from the [`Link`], never from a caller directly.

use std::cell::Cell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, Sleep};

use super::dial::{self, Connection, Progress, Stream};
use super::error::{Error, Failure, Phase, Times};
use super::event::{Closed, Direction, Listener, Message, Outcome, Pong};
use super::keepalive::{Due, Keepalive, Ticks};
use super::link::{
    Chunk, CloseRequest, Command, Dropped, Link, Payload, Receipt, Stop, Turn, Waiting, recycle_chunk,
};
use super::network::{self, Ends, Subscription};
use super::options::Request;
use super::reconnect::{Cause, Prepare, Prepared, Reconnect, Reconnected, Reconnecting, Rewrite, Series};
use super::stats::Counters;
use crate::logging;
use crate::protocol::{
    CloseCode, Control, Decoded, Decoder, Deflater, Encoder, FrameHeader, Negotiated, ProtocolError,
    ReadBuffer, encoded_frames,
};
use crate::runtime;

/// What a session reads into. Sessions of one thread share it: only a partly received frame keeps it.
const READ_BUFFER_BYTES: usize = 131_072;
/// A remainder up to this size moves to memory of its own, and the shared buffer is free again.
const REMAINDER_BYTES_MAX: usize = 4_096;
/// Reads and writes of one session before others on its thread get their turn.
const TURNS_MAX: u32 = 64;
/// Control frames that may wait before a pong replaces the one before it.
const WAITING_CONTROL_MAX: usize = 32;
/// Pings whose pongs are waited for; older ones are forgotten.
const UNANSWERED_PINGS_MAX: usize = 32;
/// How soon after a change of the network the peer must answer a ping.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);
/// What comes within this time of a change may have been under way before.
const PROBE_STALE: Duration = Duration::from_millis(250);
/// The most slices in one write.
const WRITE_SLICES_MAX: usize = 64;
/// Compression before a write stops behind the message that reaches this many bytes.
const COMPRESS_BYTES_MAX: usize = 262_144;

thread_local! {
    static SPARE_BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Begins attempt `attempt` of the link's client.
pub(super) fn start(link: Arc<Link>, attempt: u64, turn: Turn, request: Request) {
    if runtime::spawn(run(link.clone(), attempt, turn, Box::new(request))).is_err() {
        // The caller may hold locks that a callback takes, so it is told from elsewhere, as always.
        let tell = move || {
            let Dropped { messages, receipts, payloads } = link.end(attempt);
            drop(payloads);
            let failure = Failure { error: Error::Internal, unsent: messages, times: Times::default() };
            let mut listener = link.listener.blocking_lock();
            tell(&link, &mut **listener, |listener| {
                receipts.iter().for_each(|receipt| listener.sent(*receipt, Outcome::Unsent));
                listener.failed(&failure);
            });
        };
        if let Err(cause) = std::thread::Builder::new().spawn(tell) {
            logging::error(format_args!("no thread to report a failure from: {cause}"));
        }
    }
}

/// Makes connections, one and perhaps others in its place, until there are to be no more.
/// The request comes boxed: the future would hold it, and more than once, as long as the connection lives.
async fn run(link: Arc<Link>, attempt: u64, turn: Turn, request: Box<Request>) {
    let mut listener = turn.await;
    let close_timeout = request.close_timeout;
    let mut series = request.reconnect.as_ref().map(|again| Series::new(again.policy.clone()));
    let mut request: Arc<Request> = request.into();
    // When the last connection that was open was lost, and which it was.
    let (mut lost_at, mut ends) = (None, None);
    let watches = series.as_ref().is_some_and(|series| series.policy().watch_network);
    let network = watches.then(|| network::subscribe(&link));
    let mut end = loop {
        // The request is kept for a later attempt only.
        let (given, kept) = match &series {
            Some(_) => (request.clone(), Some(request)),
            None => (request, None),
        };
        let regained = lost_at.zip(series.as_ref().map(Series::attempts));
        let end = connection(&link, attempt, given, &mut **listener, regained).await;
        let (Some(series), Some(kept)) = (&mut series, kept) else { break end };
        if end.was_open {
            series.was_open(end.times.elapsed);
            lost_at = Some(Instant::now());
            ends = end.ends;
        }
        let way = network.as_ref().map(|subscription| Way { subscription, ends });
        // Boxed, as connecting is.
        match Box::pin(again(&link, attempt, series, kept, &mut **listener, end, way)).await {
            Ok((next, same_place)) => {
                request = next;
                ends = ends.filter(|_| same_place);
            }
            Err(end) => break end,
        }
    };
    end.was_open |= lost_at.is_some();
    if let Some(mut writer) = tell_end(&link, attempt, &mut **listener, end) {
        // From here on the client may have its next connection.
        drop(listener);
        writer.finish_within(close_timeout, &link.counters).await;
    }
}

/// Tells how it ended, and returns what has still to be closed in good order.
fn tell_end(link: &Link, attempt: u64, listener: &mut dyn Listener, end: End) -> Option<Writer> {
    let End { error, mut dropped, unsent, mut closed, writer, was_open, ends: _, times } = end;
    dropped.add(unsent);
    dropped.merge(link.end(attempt));
    let Dropped { messages: unsent, receipts, payloads } = dropped;
    if !payloads.is_empty() {
        runtime::callback(|| drop(payloads));
    }
    if !receipts.is_empty() {
        tell(link, listener, |listener| {
            receipts.iter().for_each(|receipt| listener.sent(*receipt, Outcome::Unsent));
        });
    }
    if let Some(error) = error {
        if was_open && closed.is_none() {
            closed = Some(abnormal(&error));
        }
        let failure = Failure { error, unsent, times };
        logging::warn(format_args!("{} {failure}", link.tag()));
        tell(link, listener, |listener| listener.failed(&failure));
    } else if unsent > 0 {
        logging::warn(format_args!("{} closed with {unsent} queued messages unsent", link.tag()));
    }
    if let Some(closed) = closed {
        let closed = Closed { times, ..closed };
        logging::info(format_args!("{} closed ({})", link.tag(), closed.code));
        tell(link, listener, |listener| listener.closed(&closed));
    }
    writer
}

/// One attempt and the connection it makes. `regained` is set when that takes the place of one that was lost then, after
/// so many attempts.
async fn connection(
    link: &Arc<Link>,
    attempt: u64,
    request: Arc<Request>,
    listener: &mut dyn Listener,
    regained: Option<(Instant, u32)>,
) -> End {
    let began = Instant::now();
    let opened = AtomicBool::new(false);
    let driven = async {
        // Boxed, so that the memory of connecting is not kept for the life of the connection.
        match Box::pin(connect(link, attempt, request, listener, &opened, regained)).await {
            Ok(session) => session.run().await,
            Err(end) => *end,
        }
    };
    let driven = AssertUnwindSafe(driven).catch_unwind().await;
    let mut end = driven.unwrap_or_else(|_| {
        logging::error(format_args!("{} a session panicked; its connection is dropped", link.tag()));
        End { was_open: opened.load(Ordering::Relaxed), ..End::of_error(Error::Internal) }
    });
    if !end.was_open {
        end.times.elapsed = began.elapsed();
    }
    end
}

/// Waits for the next attempt and prepares it, unless there is to be none: then gives back how it all ended.
async fn again(
    link: &Arc<Link>,
    attempt: u64,
    series: &mut Series,
    request: Arc<Request>,
    listener: &mut dyn Listener,
    mut end: End,
    way: Option<Way<'_>>,
) -> Result<(Arc<Request>, bool), End> {
    loop {
        let (cause, now) = (end.cause(), Instant::now());
        let Some(mut delay) = series.next(cause, now) else { return Err(end) };
        if series.attempts() == 1 && matches!(end.error, Some(Error::NetworkChanged(_))) {
            // It is this device that has another network, not a server that all its clients have lost.
            delay = Duration::ZERO;
        }
        let keep = series.policy().keep_queue;
        match link.reconnect(attempt, std::mem::take(&mut end.unsent), keep) {
            Ok(dropped) => end.dropped.merge(dropped),
            Err(unsent) => return Err(End { unsent, ..end }),
        }
        let Dropped { messages: unsent, receipts, payloads } = std::mem::take(&mut end.dropped);
        if !payloads.is_empty() {
            runtime::callback(|| drop(payloads));
        }
        let code = end.closed.as_ref().filter(|_| end.error.is_none()).map(|closed| closed.code);
        let text = match (&end.error, &end.closed) {
            (Some(error), _) => error.to_string(),
            (None, Some(Closed { code, reason, .. })) if reason.is_empty() => {
                format!("closed by the peer ({code})")
            }
            (None, Some(Closed { code, reason, .. })) => format!("closed by the peer ({code}): {reason}"),
            (None, None) => String::new(),
        };
        let status = end.error.as_ref().and_then(Error::status);
        let reconnecting =
            Reconnecting { attempt: series.attempts(), delay, cause, code, status, text, unsent };
        // The reason is the peer's text, which does not belong into a log.
        logging::warn(format_args!(
            "{} attempt {} in {} ms ({cause:?})",
            link.tag(),
            reconnecting.attempt,
            delay.as_millis()
        ));
        link.await_retry(true);
        tell(link, listener, |listener| {
            receipts.iter().for_each(|receipt| listener.sent(*receipt, Outcome::Unsent));
        });
        tell(link, listener, |listener| listener.reconnecting(&reconnecting));
        if link.in_flight(Waiting::default()) {
            tell(link, listener, |listener| listener.drained());
        }
        if let Some(mut writer) = end.writer.take() {
            let (link, close_timeout) = (link.clone(), request.close_timeout);
            let finish = async move { writer.finish_within(close_timeout, &link.counters).await };
            // Without a runtime this would not run either.
            let _ = runtime::spawn(finish);
            others_first().await;
        }
        let waited = wait(link, attempt, (now, delay), series, &request, way).await;
        link.await_retry(false);
        let ready = match waited {
            Err(unready) => Err(unready),
            Ok(()) => prepare(link, attempt, listener, &reconnecting, &request, series.policy()).await,
        };
        link.counters.attempt();
        let was_open = end.was_open;
        match ready {
            Ok(next) => {
                let same_place = next.endpoint() == request.endpoint();
                return Ok((next, same_place));
            }
            Err(Unready::GiveUp) => return Err(end),
            Err(Unready::Failed(error)) => end = End { was_open, ..End::of_error(error) },
            Err(Unready::Stop(Stop::Abandoned(dropped))) => {
                let phase = end.error.as_ref().and_then(Error::phase).unwrap_or(Phase::Lookup);
                let error = Error::Abandoned { target: request.endpoint(), phase };
                return Err(End { dropped, was_open, ..End::of_error(error) });
            }
            Err(Unready::Stop(Stop::Close(close))) => return Err(End::of_close(close, end.times)),
        }
    }
}

/// Why an attempt that was announced does not begin.
enum Unready {
    Stop(Stop),
    /// The application wants no more of them.
    GiveUp,
    Failed(Error),
}

/// The way the last connection took, to see whether there still is one.
#[derive(Clone, Copy)]
struct Way<'a> {
    subscription: &'a Subscription,
    ends: Option<Ends>,
}

/// Waits for the next attempt: for a delay after the failure, and for a way to the server if there is none. The application
/// may want it at once, or none any more; and a network that has changed may be a better one.
async fn wait(
    link: &Link,
    attempt: u64,
    (failed, delay): (Instant, Duration),
    series: &Series,
    request: &Request,
    way: Option<Way<'_>>,
) -> Result<(), Unready> {
    let has_way =
        || way.is_none_or(|Way { subscription, ends }| subscription.has_way(ends, request.has_name()));
    let mut sleep = pin!(tokio::time::sleep_until(failed + delay));
    let mut deadline = pin!(series.deadline().map(tokio::time::sleep_until));
    // The time has come and there is no way.
    let mut held = false;
    poll_fn(|cx| {
        if let Some(stop) = link.poll_stop(attempt, cx) {
            return Poll::Ready(Err(Unready::Stop(stop)));
        }
        if link.take_retry_now() {
            return Poll::Ready(Ok(()));
        }
        if link.take_network_changed() && has_way() {
            // Not at each of many changes.
            let soon = (failed + series.policy().delay).max(Instant::now());
            if held || soon < sleep.deadline() {
                sleep.as_mut().reset(soon);
            }
            held = false;
        }
        if !held && sleep.as_mut().poll(cx).is_ready() {
            if has_way() {
                return Poll::Ready(Ok(()));
            }
            logging::info(format_args!("{} waits for a network", link.tag()));
            held = true;
        }
        match deadline.as_mut().as_pin_mut() {
            Some(deadline) if held => deadline.poll(cx).map(|()| Err(Unready::GiveUp)),
            _ => Poll::Pending,
        }
    })
    .await
}

/// Lets the application change the handshake of the next attempt.
async fn prepare(
    link: &Link,
    attempt: u64,
    listener: &mut dyn Listener,
    reconnecting: &Reconnecting,
    request: &Arc<Request>,
    policy: &Reconnect,
) -> Result<Arc<Request>, Unready> {
    link.await_prepared(Some(reconnecting.attempt));
    let mut said = Prepare::Proceed;
    tell(link, listener, |listener| said = listener.prepare(reconnecting));
    let limit = policy.prepare_timeout;
    let prepared = match said {
        Prepare::Stop => Ok(Some(Prepared::Stop)),
        Prepare::Proceed => Ok(link.take_prepared()),
        Prepare::Wait => {
            let answer = poll_fn(|cx| match (link.poll_stop(attempt, cx), link.take_prepared()) {
                (Some(stop), _) => Poll::Ready(Err(Unready::Stop(stop))),
                (None, Some(prepared)) => Poll::Ready(Ok(Some(prepared))),
                (None, None) => Poll::Pending,
            });
            tokio::time::timeout(limit, answer)
                .await
                .unwrap_or(Err(Unready::Failed(Error::Unprepared(Some(limit)))))
        }
    };
    link.await_prepared(None);
    match prepared? {
        None => Ok(request.clone()),
        Some(Prepared::Proceed(rewrite)) if rewrite == Rewrite::default() => Ok(request.clone()),
        Some(Prepared::Proceed(rewrite)) => {
            request.rewritten(rewrite).map(Arc::new).map_err(|error| Unready::Failed(Error::Rewrite(error)))
        }
        Some(Prepared::Fail) => Err(Unready::Failed(Error::Unprepared(None))),
        Some(Prepared::Stop) => Err(Unready::GiveUp),
    }
}

/// Lets other tasks of this thread run, as must be between waking one and a callback.
async fn others_first() {
    let mut told = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut told, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// How an attempt or a connection ended: the events still to be told.
struct End {
    error: Option<Error>,
    /// What it took from the queue and cannot be sent any more.
    dropped: Dropped,
    /// What it took from the queue and of which the kernel has nothing.
    unsent: VecDeque<Chunk>,
    closed: Option<Closed>,
    /// What has still to be sent and closed in good order.
    writer: Option<Writer>,
    was_open: bool,
    /// Of the connection that was open.
    ends: Option<Ends>,
    times: Times,
}

impl End {
    fn of_error(error: Error) -> Self {
        Self {
            error: Some(error),
            dropped: Dropped::default(),
            unsent: VecDeque::new(),
            closed: None,
            writer: None,
            was_open: false,
            ends: None,
            times: Times::default(),
        }
    }

    /// The application has closed the client while no connection was open.
    fn of_close(CloseRequest { code, reason }: CloseRequest, times: Times) -> Self {
        let closed = Some(closed_by(Cause::Application, code.into(), reason));
        Self { error: None, closed, was_open: true, times, ..Self::of_error(Error::Internal) }
    }

    fn cause(&self) -> Cause {
        let of_error = self.error.as_ref().map(Error::cause);
        of_error.or(self.closed.as_ref().map(|closed| closed.cause)).unwrap_or(Cause::Internal)
    }
}

/// 1006 never goes on the wire; it tells the application that no close frame came (RFC 6455 section 7.4.1).
fn abnormal(error: &Error) -> Closed {
    closed_by(error.cause(), CloseCode::Abnormal.into(), error.to_string())
}

fn closed_by(cause: Cause, code: u16, reason: String) -> Closed {
    Closed { code, reason, cause, times: Times::default() }
}

/// Calls the listener, unless its client is gone.
fn tell(link: &Link, listener: &mut dyn Listener, event: impl FnOnce(&mut dyn Listener)) {
    if link.is_detached() {
        return;
    }
    in_callback(listener, |listener| {
        if listener.begin() {
            event(listener);
            listener.end();
        }
    });
}

fn in_callback<R>(listener: &mut dyn Listener, run: impl FnOnce(&mut dyn Listener) -> R) -> R {
    if listener.may_block() { runtime::callback(|| run(listener)) } else { run(listener) }
}

fn tell_frames(link: &Link, listener: &mut dyn Listener, direction: Direction, headers: Vec<FrameHeader>) {
    if !headers.is_empty() {
        tell(link, listener, |listener| {
            headers.into_iter().for_each(|header| listener.frame(direction, header));
        });
    }
}

/// Makes the connection and tells that it is open.
async fn connect<'a>(
    link: &'a Link,
    attempt: u64,
    request: Arc<Request>,
    listener: &'a mut dyn Listener,
    was_opened: &AtomicBool,
    regained: Option<(Instant, u32)>,
) -> Result<Box<Session<'a>>, Box<End>> {
    let target = request.endpoint();
    let progress = Progress::new();
    logging::info(format_args!("{} connecting to {target}", link.tag()));
    let stopped = poll_fn(|cx| match link.poll_stop(attempt, cx) {
        Some(stop) => Poll::Ready(stop),
        None => Poll::Pending,
    });
    let outcome = tokio::select! {
        biased;
        stop = stopped => Err(stop),
        outcome = dial::establish(&request, &progress) => Ok(outcome),
    };
    let opened = match outcome {
        Ok(Ok(connection)) => {
            let compress_from = connection.deflate.as_ref().and_then(Negotiated::threshold);
            let Connection { stream, opened, deflate, received } = connection;
            let opened = Arc::new(opened);
            link.open(attempt, opened.clone(), compress_from).map(|()| (stream, opened, deflate, received))
        }
        Ok(Err(error)) => return Err(Box::new(End::of_error(error))),
        Err(stop) => Err(stop),
    };
    let (stream, opened, deflate, received) = match opened {
        Ok(connection) => connection,
        Err(Stop::Abandoned(dropped)) => {
            let error = Error::Abandoned { target, phase: progress.phase() };
            return Err(Box::new(End { dropped, ..End::of_error(error) }));
        }
        Err(Stop::Close(close)) => return Err(Box::new(End::of_close(close, Times::default()))),
    };
    link.counters.connection();
    was_opened.store(true, Ordering::Relaxed);
    logging::info(format_args!("{} open at {target}", link.tag()));
    tell(link, listener, |listener| listener.opened(&opened));
    if let Some((lost_at, attempts)) = regained {
        let reconnected = Reconnected { attempts, downtime: lost_at.elapsed() };
        tell(link, listener, |listener| listener.reconnected(&reconnected));
    }
    Ok(Box::new(Session::new(link, listener, (stream, received), deflate, &request)))
}

/// The socket and what is on its way into it.
struct Writer {
    stream: Stream,
    out: VecDeque<Chunk>,
    /// Bytes of the first chunk that are written.
    front_written: usize,
    needs_flush: bool,
    encoder: Encoder,
    deflater: Option<Deflater>,
    /// Keep compressed messages as they were, until the kernel has them.
    keep_originals: bool,
    /// The headers of frames that the kernel has, when they are asked for.
    headers: Option<Vec<FrameHeader>>,
    /// Of messages that the kernel has since the listener was last told.
    receipts: Vec<Receipt>,
    /// How many messages the kernel has got since they were last counted.
    written: usize,
    /// Messages that TLS has taken and the kernel has not yet, at least not all of it: their count and receipts.
    held: usize,
    held_receipts: Vec<Receipt>,
    /// Payloads that the kernel has, for their owners.
    spent: Vec<Box<dyn Payload>>,
}

impl Writer {
    /// What is not handed to the kernel.
    fn pending(&self) -> Waiting {
        let mut waiting = Waiting::of(&self.out);
        waiting.bytes -= self.front_written;
        waiting
    }

    /// Writes what it can: ready with the count of bytes after a write, with 0 when nothing is left to do.
    fn poll_write(&mut self, cx: &mut Context<'_>, counters: &Counters) -> Poll<io::Result<usize>> {
        self.compress(counters);
        if self.out.is_empty() {
            if self.needs_flush {
                ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
                self.needs_flush = false;
                self.let_go();
            }
            return Poll::Ready(Ok(0));
        }
        let count = match self.out.front() {
            // One message, as is the rule: not worth room for many slices.
            Some(chunk) if self.out.len() == 1 && chunk.tail.is_none() && chunk.uncompressed.is_none() => {
                ready!(Pin::new(&mut self.stream).poll_write(cx, &chunk.bytes[self.front_written..]))?
            }
            _ => {
                let mut slices = [IoSlice::new(&[]); WRITE_SLICES_MAX];
                let mut used = 0;
                let mut skip = self.front_written;
                // Behind what is encoded there may be messages that are not, which must not go out as they are.
                let encoded = self.out.iter().take_while(|chunk| chunk.uncompressed.is_none());
                let parts = encoded.flat_map(|chunk| [chunk.bytes.as_slice(), chunk.tail()]);
                for part in parts {
                    let skipped = skip.min(part.len());
                    skip -= skipped;
                    if skipped < part.len() {
                        slices[used] = IoSlice::new(&part[skipped..]);
                        used += 1;
                        if used == WRITE_SLICES_MAX {
                            break;
                        }
                    }
                }
                ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..used]))?
            }
        };
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.needs_flush = true;
        self.front_written += count;
        // An empty message that is still to be compressed is not written, though nothing of it is missing.
        while let Some(chunk) = self.out.front()
            && self.front_written >= chunk.len()
            && chunk.uncompressed.is_none()
        {
            self.front_written -= chunk.len();
            if let Some(chunk) = self.out.pop_front() {
                self.held += chunk.messages;
                self.held_receipts.extend(chunk.receipt);
                if let Some(headers) = &mut self.headers {
                    headers.extend(encoded_frames(&chunk.bytes).map(|(header, ..)| header));
                }
                self.spent.extend(chunk.tail);
                recycle_chunk(chunk.bytes);
            }
        }
        if !self.stream.holds_output() {
            self.let_go();
        }
        Poll::Ready(Ok(count))
    }

    /// The kernel has all that was written.
    fn let_go(&mut self) {
        self.written += std::mem::take(&mut self.held);
        self.receipts.append(&mut self.held_receipts);
    }

    /// Drops what was written and what is begun, as far as the kernel may not have it all.
    fn drop_begun(&mut self) -> Dropped {
        let receipts = std::mem::take(&mut self.held_receipts);
        let mut dropped =
            Dropped { messages: std::mem::take(&mut self.held), receipts, ..Dropped::default() };
        dropped.add(self.out.drain(..));
        dropped
    }

    /// The receipts of what will be sent when nobody is left to say so.
    fn take_receipts(&mut self) -> Vec<Receipt> {
        let mut receipts = std::mem::take(&mut self.held_receipts);
        receipts.extend(self.out.iter_mut().filter_map(|chunk| chunk.receipt.take()));
        receipts
    }

    /// Compresses the messages that are next. Not all that wait, which would take long, and the latest of them may have to
    /// go to another connection as they are.
    fn compress(&mut self, counters: &Counters) {
        let mut done = 0;
        for chunk in self.out.iter_mut().take(WRITE_SLICES_MAX) {
            if done >= COMPRESS_BYTES_MAX {
                break;
            }
            let Some(kind) = chunk.uncompressed.take() else { continue };
            let message = std::mem::take(&mut chunk.bytes);
            done += message.len();
            let Some(deflater) = &mut self.deflater else {
                // It was meant for a connection that compresses.
                self.encoder.message(&mut chunk.bytes, kind, &message);
                continue;
            };
            let mut compressed = Vec::new();
            deflater.message(&mut compressed, &message);
            counters.deflated(message.len(), compressed.len());
            self.encoder.compressed_message(&mut chunk.bytes, kind, &compressed);
            if self.keep_originals {
                chunk.original = Some((kind, message));
            }
        }
    }

    /// Lets the owners of payloads that were sent have them back.
    fn give_back(&mut self) {
        if !self.spent.is_empty() {
            let spent = std::mem::take(&mut self.spent);
            runtime::callback(|| drop(spent));
        }
    }

    /// Puts a control frame before all messages that are not yet begun.
    fn push_control(&mut self, write: impl FnOnce(&mut Encoder, &mut Vec<u8>)) {
        let mut bytes = Vec::new();
        write(&mut self.encoder, &mut bytes);
        let begun = usize::from(self.front_written > 0);
        let chunk = Chunk::control(bytes);
        let waiting = self.out.iter().skip(begun).take_while(|chunk| chunk.messages == 0).count();
        match self.out.get_mut((begun + waiting).saturating_sub(1)) {
            // A peer that pings faster than it reads gets the latest pongs only (RFC 6455 section 5.5.3).
            Some(last) if waiting >= WAITING_CONTROL_MAX && is_pong(last) && is_pong(&chunk) => *last = chunk,
            _ => self.out.insert(begun + waiting, chunk),
        }
    }

    /// Puts a close frame behind everything.
    fn push_close(&mut self, code: Option<CloseCode>, reason: &str) {
        let mut bytes = Vec::new();
        self.encoder.close(&mut bytes, code, reason);
        self.out.push_back(Chunk::control(bytes));
    }

    /// Takes out what is not yet begun; the frame that is stays.
    fn take_unbegun(&mut self) -> VecDeque<Chunk> {
        let mut unbegun = self.out.split_off(usize::from(self.front_written > 0));
        if let Some(front) = self.out.front_mut() {
            let (whole, rest) = front.split_begun(self.front_written);
            self.held += whole;
            let ended = front.len() <= self.front_written;
            if let Some(rest) = rest {
                unbegun.push_front(rest);
            }
            if ended {
                self.out.clear();
                self.front_written = 0;
            }
            if !self.stream.holds_output() {
                self.let_go();
            }
        }
        unbegun
    }

    /// Closes in good order, if that takes no longer than `limit`.
    async fn finish_within(&mut self, limit: Duration, counters: &Counters) {
        let _ = Box::pin(tokio::time::timeout(limit, self.finish(counters))).await;
        self.spent.extend(self.out.drain(..).filter_map(|chunk| chunk.tail));
        self.give_back();
    }

    /// After the close frames: sends what is left, ends our side, and waits for the server to end its own, as
    /// RFC 6455 section 7.1.1 asks of a client.
    async fn finish(&mut self, counters: &Counters) {
        while let Ok(1..) = poll_fn(|cx| self.poll_write(cx, counters)).await {
            self.give_back();
        }
        if self.stream.shutdown().await.is_err() {
            return;
        }
        let mut discarded = Vec::with_capacity(REMAINDER_BYTES_MAX);
        while self.stream.read_buf(&mut discarded).await.is_ok_and(|count| count > 0) {
            discarded.clear();
        }
    }
}

fn is_pong(chunk: &Chunk) -> bool {
    const FIN_PONG: u8 = 0x8a;
    chunk.messages == 0 && chunk.bytes.first() == Some(&FIN_PONG)
}

/// What a session woke up for.
enum Wake {
    Ping(Vec<u8>),
    NetworkChanged,
    Close(CloseRequest),
    Wrote(usize),
    Read(usize),
    ReadDirectly(usize),
    WriteFailed(io::Error),
    Failed(io::Error),
    Timer,
}

/// An open connection.
struct Session<'a> {
    link: &'a Link,
    listener: &'a mut dyn Listener,
    writer: Writer,
    buffer: ReadBuffer,
    decoder: Decoder,
    keepalive: Keepalive,
    statistics_interval: Option<Duration>,
    next_statistics: Option<Instant>,
    close_timeout: Duration,
    /// Nothing can be written any more. What the peer sent before that is still read: it may say why.
    broken: Option<Broken>,
    /// The close frame we sent first, until the peer's comes or time is up.
    closing: Option<Closing>,
    sleep: Pin<Box<Sleep>>,
    /// For when the timer is set; it may ring early, never late.
    armed: Option<Instant>,
    /// The listener can take no more for now.
    paused: bool,
    /// Reading and writing take turns, so that neither starves the other.
    read_next: bool,
    /// Something was written since the last ping.
    wrote: bool,
    /// Pings that no pong has answered yet, oldest first, and when they were sent.
    pings: VecDeque<(Vec<u8>, Instant)>,
    /// Numbers the keepalive's pings.
    ping_number: u32,
    /// Wakes since the session last let others run.
    turns: u32,
    opened_at: Instant,
    /// When the last bytes came; at first, the server's answer.
    last_read: Instant,
    ends: Option<Ends>,
    /// Since when an answer is waited for that shows that the connection has survived a change of the network.
    probed_at: Option<Instant>,
}

/// Writing failed. The socket's end is then to be read as well, behind what came before it, by a time.
struct Broken {
    error: io::Error,
    by: Instant,
}

struct Closing {
    code: u16,
    reason: String,
    by: Instant,
}

/// Why a session stops.
struct Ending {
    error: Option<Error>,
    closed: Closed,
    /// The peer is there and gets what is left to send, our close frame at least.
    graceful: bool,
    /// What was taken from the queue and is not to be sent here.
    unsent: VecDeque<Chunk>,
}

impl Ending {
    fn lost(error: Error) -> Self {
        let closed = abnormal(&error);
        Self { error: Some(error), closed, graceful: false, unsent: VecDeque::new() }
    }

    fn closed(closed: Closed, graceful: bool) -> Self {
        Self { error: None, closed, graceful, unsent: VecDeque::new() }
    }
}

impl<'a> Session<'a> {
    fn new(
        link: &'a Link,
        listener: &'a mut dyn Listener,
        (stream, received): (Stream, ReadBuffer),
        deflate: Option<Negotiated>,
        request: &Request,
    ) -> Self {
        let (now, ticks) = (Instant::now(), Ticks::of_process());
        let ends = stream.ends().ok();
        // Frames that came along with the server's answer.
        link.counters.received_bytes(received.data().len());
        let mut decoder = Decoder::new(request.message_limit, deflate.as_ref().map(Negotiated::inflater));
        if request.in_pieces {
            decoder = decoder.in_pieces();
        }
        if request.trace_frames {
            decoder = decoder.with_headers();
        }
        Self {
            link,
            listener,
            writer: Writer {
                stream,
                out: VecDeque::new(),
                front_written: 0,
                needs_flush: false,
                encoder: Encoder::default(),
                deflater: deflate.as_ref().map(Negotiated::deflater),
                keep_originals: request.reconnect.as_ref().is_some_and(|again| again.policy.keep_queue),
                headers: request.trace_frames.then(Vec::new),
                receipts: Vec::new(),
                written: 0,
                held: 0,
                held_receipts: Vec::new(),
                spent: Vec::new(),
            },
            buffer: received,
            decoder,
            keepalive: Keepalive::new(ticks, request.ping_interval, request.pong_timeout, now),
            statistics_interval: request.statistics_interval,
            next_statistics: request.statistics_interval.map(|interval| ticks.after(now, interval)),
            close_timeout: request.close_timeout,
            broken: None,
            closing: None,
            sleep: Box::pin(tokio::time::sleep_until(now)),
            armed: None,
            paused: false,
            read_next: false,
            wrote: false,
            pings: VecDeque::new(),
            ping_number: 0,
            turns: 0,
            opened_at: now,
            last_read: now,
            ends,
            probed_at: None,
        }
    }

    async fn run(mut self: Box<Self>) -> End {
        // The server's first frames may have come with its answer to the upgrade.
        self.lease();
        let mut ending = self.deliver();
        let ending = loop {
            if let Some(ending) = ending {
                break ending;
            }
            ending = match poll_fn(|cx| self.poll_wake(cx)).await {
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
                Wake::Read(0) => Some(self.ended_without_close(None)),
                Wake::Read(count) => {
                    self.received(count);
                    self.deliver()
                }
                Wake::ReadDirectly(0) => Some(self.ended_without_close(None)),
                Wake::ReadDirectly(count) => {
                    self.received(count);
                    match self.decoder.read_directly(count) {
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
            };
        };
        let Ending { error, closed, graceful, mut unsent } = ending;
        let mut dropped = Dropped::default();
        if graceful {
            // One try to get a close frame out before the application hears of the end and perhaps exits.
            let counters = &self.link.counters;
            poll_fn(|cx| {
                while let Poll::Ready(Ok(count @ 1..)) = self.writer.poll_write(cx, counters) {
                    counters.sent_bytes(count);
                }
                Poll::Ready(())
            })
            .await;
            dropped.receipts = self.writer.take_receipts();
        } else {
            unsent.append(&mut self.writer.take_unbegun());
            dropped = self.writer.drop_begun();
        }
        self.tell_sent();
        let ended_at = Instant::now();
        let times =
            Times { elapsed: ended_at - self.opened_at, last_activity: Some(ended_at - self.last_read) };
        let writer = graceful.then_some(self.writer);
        End { error, dropped, unsent, closed: Some(closed), writer, was_open: true, ends: self.ends, times }
    }

    fn received(&mut self, count: usize) {
        self.link.counters.received_bytes(count);
        self.keepalive.alive();
        let now = Instant::now();
        self.last_read = now;
        // What came by the old way may have waited in the kernel.
        self.probed_at.take_if(|probed_at| now > *probed_at + PROBE_STALE);
    }

    /// A connection whose address is gone is lost; any other has to show soon that it is there.
    fn network_changed(&mut self) -> Option<Ending> {
        if self.closing.is_some()
            || self.probed_at.is_some()
            || self.ends.is_some_and(|ends| !ends.has_route())
        {
            return None;
        }
        if self.ends.is_some_and(Ends::is_stranded) {
            return Some(Ending::lost(Error::NetworkChanged(None)));
        }
        logging::info(format_args!("{} the network has changed: is the peer there?", self.link.tag()));
        self.probed_at = Some(Instant::now());
        self.numbered_ping();
        None
    }

    /// A ping with a payload of its own, which tells its pong from others.
    fn numbered_ping(&mut self) {
        self.ping_number = self.ping_number.wrapping_add(1);
        self.ping(self.ping_number.to_be_bytes().to_vec());
    }

    fn wrote(&mut self, count: usize) {
        self.wrote = true;
        self.link.counters.sent_bytes(count);
        let drained = self.link.in_flight(self.writer.pending());
        self.tell_sent();
        if drained {
            tell(self.link, self.listener, |listener| listener.drained());
        }
        self.extend_closing();
    }

    /// Counts the messages that the kernel has got, and tells of those with a receipt.
    fn tell_sent(&mut self) {
        self.link.counters.sent_messages(std::mem::take(&mut self.writer.written));
        self.writer.give_back();
        if let Some(headers) = self.writer.headers.as_mut().map(std::mem::take) {
            tell_frames(self.link, self.listener, Direction::Sent, headers);
        }
        if self.writer.receipts.is_empty() {
            return;
        }
        let receipts = std::mem::take(&mut self.writer.receipts);
        tell(self.link, self.listener, |listener| {
            receipts.iter().for_each(|receipt| listener.sent(*receipt, Outcome::Sent));
        });
    }

    /// Sends a ping and remembers when.
    fn ping(&mut self, payload: Vec<u8>) {
        // Nothing may follow a close frame.
        if self.closing.is_some() {
            return;
        }
        self.link.counters.ping_sent();
        self.writer.push_control(|encoder, out| encoder.ping(out, &payload));
        if self.pings.len() >= UNANSWERED_PINGS_MAX {
            self.pings.pop_front();
        }
        self.pings.push_back((payload, Instant::now()));
    }

    /// A pong answers the latest ping with its payload, and the pings before that (RFC 6455 section 5.5.3).
    fn pong(&mut self, payload: Range<usize>) {
        let Self { link, listener, pings, buffer, probed_at, .. } = self;
        let payload = buffer.slice(payload);
        let answered = pings.iter().rposition(|(sent, _)| sent == payload);
        let last = answered.and_then(|at| pings.drain(..=at).next_back()).map(|(_, sent_at)| sent_at);
        let round_trip = last.map(|sent_at| sent_at.elapsed());
        if let (Some(at), Some(time)) = (answered, round_trip) {
            link.counters.answered(at + 1, time);
            probed_at.take_if(|probed_at| last >= Some(*probed_at));
        }
        tell(link, &mut **listener, |listener| listener.pong(Pong { payload, round_trip }));
    }

    fn poll_wake(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        self.turns += 1;
        if self.turns > TURNS_MAX {
            self.turns = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let wake = self.poll_events(cx);
        if wake.is_pending() {
            self.turns = 0;
        }
        wake
    }

    fn poll_events(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        match self.link.poll_command(&mut self.writer.out, cx) {
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
        match ready!(self.writer.poll_write(cx, &self.link.counters)) {
            Ok(0) if self.writer.receipts.is_empty() => Poll::Pending,
            Ok(count) => Poll::Ready(Wake::Wrote(count)),
            Err(error) => Poll::Ready(Wake::WriteFailed(error)),
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        if !self.link.is_detached() && self.listener.poll_ready(cx).is_pending() {
            self.paused = true;
            return Poll::Pending;
        }
        if std::mem::take(&mut self.paused) {
            self.keepalive.resumed(Instant::now());
        }
        if self.buffer.is_empty()
            && let Some(mut room) = self.decoder.direct_room()
        {
            let read = ready!(pin!(self.writer.stream.read_buf(&mut room)).poll(cx));
            return Poll::Ready(read.map_or_else(Wake::Failed, Wake::ReadDirectly));
        }
        self.lease();
        let read = pin!(self.writer.stream.read_buf(&mut self.buffer.room())).poll(cx);
        if read.is_pending() {
            self.release();
        }
        read.map(|read| read.map_or_else(Wake::Failed, Wake::Read))
    }

    /// Rings at the nearest deadline. A deadline that moved away leaves the timer as it is: an early ring costs less
    /// than setting it anew for each message.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<Wake> {
        let close_by = self.closing.as_ref().map(|closing| closing.by);
        let end_by = self.broken.as_ref().map(|broken| broken.by);
        let probe_by = self.probed_at.map(|probed_at| probed_at + PROBE_TIMEOUT);
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
        if let Some(broken) = self.broken.take_if(|broken| broken.by <= now) {
            return Some(Ending::lost(Error::Lost(Some(broken.error))));
        }
        if let Some(closing) = self.closing.take_if(|closing| closing.by <= now) {
            let limit = self.close_timeout.as_millis();
            logging::warn(format_args!("{} no close frame within {limit} ms", self.link.tag()));
            let reason = format!("no close frame came within {limit} ms of ours ({})", closing.code);
            let closed = closed_by(Cause::Application, CloseCode::Abnormal.into(), reason);
            return Some(Ending::closed(closed, false));
        }
        if let (Some(at), Some(interval)) = (self.next_statistics, self.statistics_interval)
            && at <= now
        {
            self.next_statistics = Some(Ticks::of_process().after(now, interval));
            let statistics = self.link.statistics();
            tell(self.link, self.listener, |listener| listener.statistics(&statistics));
        }
        if self.paused {
            self.keepalive.resumed(now);
            self.probed_at = self.probed_at.map(|_| now);
        }
        if self.probed_at.is_some_and(|probed_at| probed_at + PROBE_TIMEOUT <= now) {
            return Some(Ending::lost(Error::NetworkChanged(Some(PROBE_TIMEOUT))));
        }
        match self.keepalive.due(now) {
            Due::Nothing => None,
            Due::Ping => {
                if let Some(deflater) = &mut self.writer.deflater
                    && !std::mem::take(&mut self.wrote)
                {
                    deflater.release();
                }
                self.numbered_ping();
                None
            }
            Due::Dead(limit) => Some(Ending::lost(Error::PongTimeout(limit))),
        }
    }

    /// Sends our close frame behind everything queued before it.
    fn begin_closing(&mut self, request: CloseRequest) {
        let CloseRequest { code, reason } = request;
        logging::info(format_args!("{} closing ({})", self.link.tag(), u16::from(code)));
        self.writer.push_close(Some(code), &reason);
        self.closing =
            Some(Closing { code: u16::from(code), reason, by: Instant::now() + self.close_timeout });
    }

    /// The close timeout counts from the last progress while an application waits for what it sent; a client that is
    /// gone has no such patience.
    fn extend_closing(&mut self) {
        if let Some(closing) = &mut self.closing
            && !self.link.is_detached()
        {
            closing.by = Instant::now() + self.close_timeout;
        }
    }

    fn ended_without_close(&mut self, error: Option<io::Error>) -> Ending {
        match self.closing.take() {
            // The peer took our close frame as a reason to hang up. It is closed, if not in good form.
            Some(Closing { code, reason, by: _ }) if self.writer.out.is_empty() => {
                Ending::closed(closed_by(Cause::Application, code, reason), false)
            }
            _ => {
                // To TLS, an end without close_notify is an error with a text of its own; here it is one end of many.
                let read = error.filter(|error| error.kind() != io::ErrorKind::UnexpectedEof);
                Ending::lost(Error::Lost(read.or(self.broken.take().map(|broken| broken.error))))
            }
        }
    }

    fn broke_protocol(&mut self, error: ProtocolError) -> Ending {
        let code = error.close_code();
        let text = error.to_string();
        if self.closing.take().is_none() {
            // What was accepted before the peer's mistake still goes out.
            self.link.peer_failed(&mut self.writer.out);
            self.writer.push_close(Some(code), &text);
        }
        let closed = closed_by(Cause::Protocol, code.into(), text);
        Ending { error: Some(Error::Protocol(error)), ..Ending::closed(closed, true) }
    }

    /// Hands on everything that is decoded by now.
    fn deliver(&mut self) -> Option<Ending> {
        let mut decoded = self.decoder.decode(&mut self.buffer);
        loop {
            tell_frames(self.link, self.listener, Direction::Received, self.decoder.take_headers());
            decoded = match decoded {
                Ok(None) => return None,
                Ok(Some(Decoded::Control(control))) => {
                    if let Some(end) = self.control(control) {
                        return Some(end);
                    }
                    self.decoder.decode(&mut self.buffer)
                }
                Ok(Some(message @ (Decoded::Message(..) | Decoded::Assembled(..)))) => self.messages(message),
                Err(error) => return Some(self.broke_protocol(error)),
            };
        }
    }

    /// Delivers `first` and the messages that follow it directly; returns what came after them.
    fn messages(&mut self, first: Decoded) -> Result<Option<Decoded>, ProtocolError> {
        let Self { link, listener, decoder, buffer, .. } = self;
        link.awake();
        in_callback(&mut **listener, |listener| {
            let begun = !link.is_detached() && listener.begin();
            let mut decoded = Ok(Some(first));
            loop {
                let wanted = begun && !link.is_detached();
                match decoded {
                    Ok(Some(Decoded::Message(kind, range))) => {
                        // Before the listener is told, which may look.
                        link.counters.received_message();
                        if wanted {
                            buffer.with_nul(range, |bytes| listener.message(Message::buffered(kind, bytes)));
                        }
                    }
                    Ok(Some(Decoded::Assembled(kind, part))) => {
                        if part.last {
                            link.counters.received_message();
                        }
                        if wanted {
                            listener.message(Message::assembled(kind, part, decoder.assembled()));
                        }
                        decoder.recycle();
                    }
                    Ok(Some(Decoded::Control(_)) | None) | Err(_) => break,
                }
                decoded = decoder.decode(buffer);
                for header in decoder.take_headers() {
                    if wanted {
                        listener.frame(Direction::Received, header);
                    }
                }
            }
            if begun {
                listener.end();
            }
            decoded
        })
    }

    fn control(&mut self, control: Control) -> Option<Ending> {
        match control {
            Control::Ping(payload) => {
                self.link.counters.ping_received();
                if self.closing.is_none() {
                    let payload = self.buffer.slice(payload);
                    self.writer.push_control(|encoder, out| encoder.pong(out, payload));
                }
                None
            }
            Control::Pong(payload) => {
                self.pong(payload);
                None
            }
            Control::Close(code, reason) => {
                if let Some(Closing { code, reason, by: _ }) = self.closing.take() {
                    return Some(Ending::closed(closed_by(Cause::Application, code, reason), true));
                }
                logging::info(format_args!("{} closed by the peer", self.link.tag()));
                self.link.peer_closes();
                let unsent = self.writer.take_unbegun();
                // The answer carries the code received (RFC 6455 section 5.5.1).
                self.writer.push_close(code, "");
                let code = code.map_or(u16::from(CloseCode::Status), u16::from);
                let closed = closed_by(Cause::of_close(code), code, reason);
                Some(Ending { unsent, ..Ending::closed(closed, true) })
            }
        }
    }

    /// Makes sure that there is a buffer to read into, with what is left of the last read in it.
    fn lease(&mut self) {
        if self.buffer.capacity() >= READ_BUFFER_BYTES {
            return;
        }
        let mut storage = SPARE_BUFFER.take();
        storage.clear();
        storage.reserve(READ_BUFFER_BYTES);
        self.move_buffer(storage);
    }

    /// Gives the buffer to the next session of this thread, unless much of a frame is in it.
    fn release(&mut self) {
        if self.buffer.data().len() <= REMAINDER_BYTES_MAX {
            let remainder = Vec::with_capacity(self.buffer.data().len());
            SPARE_BUFFER.set(self.move_buffer(remainder));
            self.decoder.release_idle();
        }
    }

    /// Moves what is not decoded to `storage` and returns the memory it was in.
    fn move_buffer(&mut self, storage: Vec<u8>) -> Vec<u8> {
        let mut moved = ReadBuffer::over(storage);
        if !self.buffer.is_empty() {
            moved.extend(self.buffer.data());
        }
        std::mem::replace(&mut self.buffer, moved).into_storage()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::event::{Message, Opened};
    use crate::client::options::Options;

    const SECOND: Duration = Duration::from_secs(1);

    /// What a listener was told, and when.
    #[derive(Default)]
    struct Log {
        delays: Vec<(Duration, Cause)>,
        ends: Vec<String>,
    }

    struct Recorder(Arc<std::sync::Mutex<Log>>, Prepare);

    impl Recorder {
        fn log(&self) -> std::sync::MutexGuard<'_, Log> {
            self.0.lock().expect("no panic")
        }
    }

    impl Listener for Recorder {
        fn opened(&mut self, _opened: &Opened) {}
        fn message(&mut self, _message: Message<'_>) {}

        fn reconnecting(&mut self, reconnecting: &Reconnecting) {
            self.log().delays.push((reconnecting.delay, reconnecting.cause));
        }

        fn prepare(&mut self, _reconnecting: &Reconnecting) -> Prepare {
            self.1
        }

        fn failed(&mut self, failure: &Failure) {
            self.log().ends.push(failure.to_string());
        }

        fn closed(&mut self, closed: &Closed) {
            self.log().ends.push(format!("closed {}", closed.code));
        }
    }

    /// Runs a client against a port where nobody listens, to its end by a clock that stands still while anything happens.
    async fn refused(reconnect: Reconnect, prepare: Prepare) -> (Log, Duration) {
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
        let log = Arc::default();
        let link = Arc::new(Link::new(1, Box::new(Recorder(Arc::clone(&log), prepare)), 1_000));
        let options = Options { reconnect: Some(reconnect), ..Options::default() };
        let request = Request::parse(&format!("ws://{port}/"), options).expect("good");
        let (attempt, turn) = link.begin().expect("idle");
        let began = Instant::now();
        run(link, attempt, turn, Box::new(request)).await;
        let log = std::mem::take(&mut *log.lock().expect("no panic"));
        (log, began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn retries_back_off_until_their_time_is_up() {
        let reconnect = Reconnect {
            delay: SECOND,
            max_delay: 8 * SECOND,
            max_time: Some(600 * SECOND),
            ..Reconnect::default()
        };
        let (log, time) = refused(reconnect, Prepare::Proceed).await;
        assert!((600 * SECOND..601 * SECOND).contains(&time), "{time:?}");
        for (index, (delay, cause)) in log.delays.iter().enumerate() {
            let longest = SECOND * (1 << index.min(3));
            assert!(*delay <= longest && *cause == Cause::Connect, "{index}: {delay:?} {cause:?}");
        }
        // 4 s each on average.
        assert!((100..250).contains(&log.delays.len()), "{}", log.delays.len());
        assert!(
            matches!(log.ends.as_slice(), [failed] if failed.starts_with("TCP connect")),
            "{:?}",
            log.ends
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_retry_may_come_at_once_and_their_number_is_bounded() {
        let reconnect =
            Reconnect { at_once: true, delay: SECOND, max_attempts: Some(3), ..Reconnect::default() };
        let (log, time) = refused(reconnect, Prepare::Proceed).await;
        assert_eq!(log.delays.len(), 3);
        assert_eq!(log.delays[0].0, Duration::ZERO);
        assert!(time < 4 * SECOND, "{time:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_application_that_does_not_prepare_in_time_costs_an_attempt() {
        let reconnect = Reconnect {
            at_once: true,
            delay: Duration::from_nanos(1),
            max_attempts: Some(2),
            prepare_timeout: 7 * SECOND,
            ..Reconnect::default()
        };
        let (log, time) = refused(reconnect, Prepare::Wait).await;
        assert_eq!(
            log.delays.iter().map(|(_, cause)| *cause).collect::<Vec<_>>(),
            [Cause::Connect, Cause::Prepare]
        );
        assert!((14 * SECOND..15 * SECOND).contains(&time), "{time:?}");
        assert!(matches!(log.ends.as_slice(), [failed] if failed.contains("7000 ms")), "{:?}", log.ends);
    }
}
