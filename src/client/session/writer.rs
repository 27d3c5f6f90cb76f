//! The write side of a session: data to write, data that the kernel has accepted, and the proper end of the connection.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

use super::outgoing::Outgoing;
use super::reader::REMAINDER_BYTES_MAX;
use crate::client::event::Receipt;
use crate::client::send_queue::{Backlog, Chunk, Dropped, Tail, recycle_chunk, undo_fragments};
use crate::client::shared::Rest;
use crate::client::stats::Counters;
use crate::client::time_limit::within;
use crate::client::transport::Stream;
use crate::protocol::{CloseCode, Deflater, Encoder, FrameTrace, Role, encoded_frames};
use crate::runtime;

/// The most control frames that may wait. Above it a new pong replaces the last one.
const WAITING_CONTROL_MAX: usize = 32;
/// The most slices in one write.
const WRITE_SLICES_MAX: usize = 64;
/// The most bytes in one write. The kernel copies them, and may deliver them, before other tasks get their turn.
const WRITE_BYTES_MAX: usize = 262_144;
/// The most slices while frames are traced. One chunk has as many.
const TRACED_SLICES_MAX: usize = 2;

/// The socket, and the data on its way there.
pub(super) struct Writer {
    pub(super) stream: Stream,
    pub(super) out: Outgoing,
    /// The number of written bytes of the first chunk.
    front_written: usize,
    needs_flush: bool,
    role: Role,
    pub(super) deflater: Option<Box<Deflater>>,
    /// Keep the uncompressed form of messages until the kernel has accepted them.
    pub(super) keep_originals: bool,
    /// Long messages are sent in fragments.
    pub(super) fragments: bool,
    /// The work of compression since the last count, in bytes of the budget.
    pub(super) compressed: usize,
    /// The headers of frames that the kernel has accepted, if a listener wants them.
    pub(super) trace: Option<Box<FrameTrace>>,
    /// What the kernel has accepted since the last count.
    pub(super) written: Backlog,
    /// The bytes that TLS has accepted and the kernel has not, and the messages of which it has not all.
    in_tls: Backlog,
    /// `None` until it is needed.
    owed: Option<Box<Owed>>,
}

/// What the application is told of its messages, and what it gets back.
#[derive(Default)]
struct Owed {
    /// Receipts of messages that the kernel has accepted since the last report.
    receipts: Vec<Receipt>,
    /// Receipts of messages that TLS has accepted and the kernel has not, or not completely.
    receipts_in_tls: Vec<Receipt>,
    /// Payloads that the kernel has accepted. Their owners get them back.
    spent: Vec<Tail>,
}

impl Writer {
    pub(super) fn new(stream: Stream, deflater: Option<Deflater>, fragments: bool, role: Role) -> Self {
        Self {
            stream,
            out: Outgoing::default(),
            front_written: 0,
            needs_flush: false,
            role,
            deflater: deflater.map(Box::new),
            keep_originals: false,
            fragments,
            compressed: 0,
            trace: None,
            written: Backlog::default(),
            in_tls: Backlog::default(),
            owed: None,
        }
    }

    /// Sets whether the headers of frames are kept.
    pub(super) fn keep_headers(&mut self, wanted: bool) {
        if self.trace.is_some() != wanted {
            self.trace = wanted.then(Box::default);
        }
    }

    /// Whether a caller could write the next data.
    pub(super) fn can_be_lent(&self) -> bool {
        self.stream.can_be_lent()
            && self.trace.is_none()
            && self.deflater.is_none()
            && self.out.front().is_none_or(Chunk::is_ready)
    }

    /// Gives all data to another writer.
    pub(super) fn hand_over(&mut self) -> Rest {
        let pending = self.pending();
        let chunks = std::mem::take(self.out.edit());
        Rest { chunks, of_first: std::mem::take(&mut self.front_written), pending }
    }

    /// Takes the rest back. `written` bytes of the data are written.
    pub(super) fn take_back(&mut self, rest: Rest, written: usize) {
        self.stream.socket().note_written(written);
        self.front_written = rest.of_first;
        *self.out.edit() = rest.chunks;
    }

    /// Whether a ping waits, or is only partly written.
    pub(super) fn has_ping(&self) -> bool {
        let begun = usize::from(self.front_written > 0);
        let waiting = self.out.iter().skip(begun).take_while(|chunk| chunk.is_control());
        self.out.iter().take(begun).chain(waiting).any(is_ping)
    }

    /// What the kernel has not accepted.
    pub(super) fn pending(&mut self) -> Backlog {
        let Backlog { bytes, messages } = self.out.sum();
        Backlog {
            bytes: bytes - self.front_written + self.in_tls.bytes,
            messages: messages + self.in_tls.messages,
        }
    }

    /// Whether it has nothing to write, and nothing to report.
    pub(super) fn is_done(&self) -> bool {
        self.out.is_empty() && !self.needs_flush && !self.has_reports()
    }

    /// Writes as much as possible. Ready with the number of written bytes, or with 0 if nothing is left.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        counters: &Counters,
    ) -> Poll<io::Result<usize>> {
        self.compress(counters);
        if self.out.is_empty() {
            if self.needs_flush {
                ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
                self.needs_flush = false;
                self.has_accepted(0);
                self.let_go();
            }
            return Poll::Ready(Ok(0));
        }
        if self.out.front().is_some_and(|chunk| chunk.uncompressed.is_some()) {
            // The message is long. The rest of its compression comes later.
            runtime::end_turn(cx);
            return Poll::Pending;
        }
        let count = match self.out.front() {
            // The usual case is one message. It is not worth the room for many slices.
            Some(chunk) if self.out.len() == 1 && chunk.tail.is_none() => {
                let end = chunk.bytes.len().min(self.front_written + WRITE_BYTES_MAX);
                ready!(Pin::new(&mut self.stream).poll_write(cx, &chunk.bytes[self.front_written..end]))?
            }
            _ => {
                let mut slices = [IoSlice::new(&[]); WRITE_SLICES_MAX];
                // A listener of frames gets its events before more frames are sent.
                let most = if self.trace.is_some() { TRACED_SLICES_MAX } else { WRITE_SLICES_MAX };
                let (mut used, mut room) = (0, WRITE_BYTES_MAX);
                let mut skip = self.front_written;
                // Messages that still need compression may follow the encoded data. They must not be sent in this form.
                let encoded = self.out.iter().take_while(|chunk| chunk.uncompressed.is_none());
                let parts = encoded.flat_map(|chunk| [chunk.bytes.as_slice(), chunk.tail()]);
                for part in parts {
                    let skipped = skip.min(part.len());
                    skip -= skipped;
                    if skipped < part.len() {
                        let end = part.len().min(skipped + room);
                        slices[used] = IoSlice::new(&part[skipped..end]);
                        room -= end - skipped;
                        used += 1;
                        if used == most || room == 0 {
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
        self.needs_flush = self.stream.needs_flush();
        // The kernel has what was in TLS before.
        self.let_go();
        self.has_accepted(count);
        self.front_written += count;
        // An empty message that still needs compression has not been written.
        while let Some(chunk) = self.out.front()
            && self.front_written >= chunk.len()
            && chunk.uncompressed.is_none()
        {
            self.front_written -= chunk.len();
            if let Some(chunk) = self.out.pop_front() {
                self.in_tls.messages += chunk.messages;
                if let Some(receipt) = chunk.receipt {
                    self.owed().receipts_in_tls.push(receipt);
                }
                if let Some(trace) = &mut self.trace {
                    trace.headers.extend(encoded_frames(&chunk.bytes).map(|(header, ..)| header));
                }
                // A payload shared by several queues has no receipt.
                if let Some(tail @ (Tail::Whole(_) | Tail::Part(..))) = chunk.tail {
                    self.owed().spent.push(tail);
                }
                recycle_chunk(chunk.bytes);
            }
            if self.front_written >= self.in_tls.bytes {
                self.let_go();
            }
        }
        Poll::Ready(Ok(count))
    }

    #[inline(never)]
    fn owed(&mut self) -> &mut Owed {
        self.owed.get_or_insert_default()
    }

    /// Whether the kernel has accepted data that nobody has counted or reported.
    pub(super) fn has_reports(&self) -> bool {
        self.written != Backlog::default() || self.owed.as_ref().is_some_and(|owed| !owed.receipts.is_empty())
    }

    pub(super) fn take_receipts(&mut self) -> Vec<Receipt> {
        self.owed.as_mut().map(|owed| std::mem::take(&mut owed.receipts)).unwrap_or_default()
    }

    fn take_receipts_in_tls(&mut self) -> Vec<Receipt> {
        self.owed.as_mut().map(|owed| std::mem::take(&mut owed.receipts_in_tls)).unwrap_or_default()
    }

    /// For frames of which there are few.
    pub(super) fn encoder(&self) -> Encoder {
        Encoder::new(self.role)
    }

    /// `count` bytes were written, or those that TLS held. The kernel has all but those that TLS holds now.
    #[inline]
    fn has_accepted(&mut self, count: usize) {
        let held = self.stream.held();
        self.written.bytes += self.in_tls.bytes + count - held;
        self.in_tls.bytes = held;
    }

    /// The kernel has the messages that were in TLS.
    #[inline]
    fn let_go(&mut self) {
        self.written.messages += std::mem::take(&mut self.in_tls.messages);
        if let Some(owed) = &mut self.owed {
            owed.receipts.append(&mut owed.receipts_in_tls);
        }
    }

    /// Drops messages that the kernel may not have accepted completely.
    pub(super) fn drop_begun(&mut self) -> Dropped {
        let receipts = self.take_receipts_in_tls();
        let mut dropped =
            Dropped { messages: std::mem::take(&mut self.in_tls.messages), receipts, ..Dropped::default() };
        dropped.add(self.out.edit().drain(..));
        dropped
    }

    /// Messages that are sent after the client is gone, if possible.
    pub(super) fn unconfirmed(&mut self) -> Dropped {
        let mut receipts = self.take_receipts_in_tls();
        receipts.extend(self.out.edit().iter_mut().filter_map(|chunk| chunk.receipt.take()));
        let messages = self.in_tls.messages + self.out.sum().messages;
        Dropped { messages, receipts, ..Dropped::default() }
    }

    /// Gives sent payloads back to their owners.
    pub(super) fn give_back(&mut self) {
        if let Some(owed) = &mut self.owed
            && !owed.spent.is_empty()
        {
            let spent = std::mem::take(&mut owed.spent);
            runtime::callback(|| drop(spent));
        }
    }

    /// Puts a control frame before all messages that have not begun.
    pub(super) fn push_control(&mut self, write: impl FnOnce(&mut Encoder, &mut Vec<u8>)) {
        let mut bytes = Vec::new();
        write(&mut self.encoder(), &mut bytes);
        let begun = usize::from(self.front_written > 0);
        let chunk = Chunk::control(bytes);
        let waiting = self.out.iter().skip(begun).take_while(|chunk| chunk.is_control()).count();
        let out = self.out.edit();
        match out.get_mut((begun + waiting).saturating_sub(1)) {
            // A peer that pings faster than it reads gets only the latest pongs (RFC 6455 section 5.5.3).
            Some(last) if waiting >= WAITING_CONTROL_MAX && is_pong(last) && is_pong(&chunk) => *last = chunk,
            _ => out.insert(begun + waiting, chunk),
        }
    }

    /// Puts a close frame at the end.
    pub(super) fn push_close(&mut self, code: Option<CloseCode>, reason: &str) {
        let mut bytes = Vec::new();
        self.encoder().close(&mut bytes, code, reason);
        self.out.edit().push_back(Chunk::control(bytes));
    }

    /// Takes out what has not begun. The frame that has begun stays.
    pub(super) fn take_unbegun(&mut self) -> VecDeque<Chunk> {
        let out = self.out.edit();
        let mut unbegun = out.split_off(usize::from(self.front_written > 0));
        if let Some(front) = out.front_mut() {
            let (whole, rest) = front.split_begun(self.front_written);
            self.in_tls.messages += whole;
            let ended = front.len() <= self.front_written;
            if let Some(rest) = rest {
                unbegun.push_front(rest);
            }
            if ended {
                out.clear();
                self.front_written = 0;
            }
            if self.in_tls.bytes == 0 {
                self.let_go();
            }
        }
        undo_fragments(&mut unbegun, &mut self.encoder());
        unbegun
    }

    /// Frees the compressor, unless it is in the middle of a message.
    pub(super) fn release_deflater(&mut self) {
        if let Some(deflater) = &mut self.deflater
            && self.out.iter().all(|chunk| chunk.compressing.is_none())
        {
            deflater.release();
        }
    }

    /// Closes cleanly, within `limit`.
    pub(super) async fn finish_within(mut self: Box<Self>, limit: Duration, counters: &Counters) {
        // If the peer has ended its side, the drop of the socket ends ours.
        if !(self.out.is_empty() && self.stream.has_ended()) {
            let _ = Box::pin(within(limit, Instant::now() + limit, self.finish(counters))).await;
        }
        while let Some(chunk) = self.out.pop_front() {
            if let Some(tail) = chunk.tail {
                self.owed().spent.push(tail);
            }
        }
        self.give_back();
    }

    /// Completes the close. Sends the remaining data, ends our side, and waits until the peer ends its own (RFC 6455
    /// section 7.1.1). A server ends first, and waits as well. Otherwise unread data would make the kernel discard data
    /// in transit.
    async fn finish(&mut self, counters: &Counters) {
        while let Ok(1..) = poll_fn(|cx| self.poll_write(cx, counters)).await {
            self.give_back();
        }
        if self.stream.shutdown().await.is_err() {
            return;
        }
        // This data is not needed, so TLS does not decrypt it and reports no error after its close_notify.
        let socket = self.stream.socket();
        // There is seldom any.
        let mut discarded = Vec::with_capacity(1);
        while socket.read_buf(&mut discarded).await.is_ok_and(|count| count > 0) {
            discarded.clear();
            discarded.reserve(REMAINDER_BYTES_MAX);
        }
    }
}

fn is_ping(chunk: &Chunk) -> bool {
    const FIN_PING: u8 = 0x89;
    is_control_of(chunk, FIN_PING)
}

fn is_pong(chunk: &Chunk) -> bool {
    const FIN_PONG: u8 = 0x8a;
    is_control_of(chunk, FIN_PONG)
}

/// Whether the chunk is the control frame that begins with this byte. An uncompressed message may begin with any byte.
fn is_control_of(chunk: &Chunk, first: u8) -> bool {
    chunk.messages == 0 && chunk.uncompressed.is_none() && chunk.bytes.first() == Some(&first)
}

#[cfg(all(test, not(feature = "simulation")))]
mod tests {
    use std::future::poll_fn;
    use std::io::ErrorKind;

    use tokio::io::AsyncReadExt;

    use crate::client::send_queue::{Backlog, Chunk};
    use crate::client::session::writer::Writer;
    use crate::client::stats::Counters;
    use crate::client::transport::Stream;
    use crate::client::transport::tests::tls_pair;
    use crate::protocol::{MessageType, Role};

    #[tokio::test]
    async fn what_tls_holds_is_waiting_and_what_the_kernel_has_is_sent() {
        const SHORT: usize = 30_000;
        let (client, mut server) = tls_pair(4_096).await;
        let mut writer = Writer::new(Stream::Tls(client), None, false, Role::Client);
        let message = |length| Chunk { bytes: vec![0; length], messages: 1, ..Chunk::default() };
        let (counters, mut buffer) = (Counters::default(), [0; 65_536]);
        // Some are longer than what TLS takes at once.
        for length in [300_000, SHORT, 900] {
            let count = 1_000_000 / length;
            writer.out.edit().extend((0..count).map(|_| message(length)));
            let mut has_held = false;
            loop {
                let written = tokio::select! {
                    biased;
                    written = poll_fn(|cx| writer.poll_write(cx, &counters)) => written.expect("open"),
                    read = server.read(&mut buffer) => {
                        assert!(read.expect("open") > 0);
                        continue;
                    }
                };
                let (sent, waiting) = (writer.written, writer.pending());
                assert_eq!(sent.bytes + waiting.bytes, length * count);
                assert_eq!(sent.messages + waiting.messages, count);
                assert_eq!(sent.messages, sent.bytes / length);
                has_held |= writer.in_tls.bytes > 0;
                if written == 0 {
                    break;
                }
            }
            assert!(has_held, "the kernel took all at once");
            assert_eq!(writer.pending(), Backlog::default());
            writer.written = Backlog::default();
        }

        // The kernel takes less and less. At last TLS holds all that waits.
        let mut count = 0;
        while writer.in_tls.messages == 0 {
            writer.out.edit().push_back(message(SHORT));
            count += 1;
            let written = poll_fn(|cx| writer.poll_write(cx, &counters)).await.expect("open");
            assert_eq!(written, SHORT);
        }
        assert!(writer.out.is_empty());
        assert_eq!(writer.pending(), Backlog { bytes: SHORT, messages: 1 });
        assert_eq!(writer.written, Backlog { bytes: SHORT * (count - 1), messages: count - 1 });
        let reading =
            tokio::spawn(async move { server.read_exact(&mut vec![0; SHORT * count]).await.is_ok() });
        assert_eq!(poll_fn(|cx| writer.poll_write(cx, &counters)).await.expect("open"), 0);
        assert_eq!(writer.written, Backlog { bytes: SHORT * count, messages: count });
        assert!(writer.has_reports());
        assert!(reading.await.expect("no panic"));
    }

    #[tokio::test]
    async fn what_the_kernel_had_before_a_failure_is_not_sent_again() {
        const COUNT: usize = 10;
        const LENGTH: usize = 30_000;
        const HEADER: usize = 8;
        // What the kernel takes at once without a failure.
        const TAKEN: usize = 65_536;
        let (client, server) = tls_pair(1_048_576).await;
        let mut writer = Writer::new(Stream::Tls(client), None, false, Role::Client);
        let mut bytes = Vec::new();
        writer.encoder().message(&mut bytes, MessageType::Binary, &[0; LENGTH - HEADER]);
        assert_eq!(bytes.len(), LENGTH);
        let message = || Chunk { bytes: bytes.clone(), messages: 1, ..Chunk::default() };
        writer.out.edit().extend((0..COUNT).map(|_| message()));
        let counters = Counters::default();
        // The first records make the kernel of the peer reset the connection.
        drop(server);
        let written = poll_fn(|cx| writer.poll_write(cx, &counters)).await;
        assert_eq!(written.expect("some"), TAKEN);
        assert_eq!(writer.written, Backlog { bytes: TAKEN, messages: TAKEN / LENGTH });
        let failure = poll_fn(|cx| writer.poll_write(cx, &counters)).await.expect_err("a reset");
        assert!(matches!(failure.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{failure}");
        let unbegun = writer.take_unbegun();
        assert_eq!(unbegun.len(), COUNT - TAKEN.div_ceil(LENGTH));
        assert_eq!(writer.drop_begun().messages, 1);
        assert_eq!(writer.written, Backlog { bytes: TAKEN, messages: TAKEN / LENGTH });
    }
}
