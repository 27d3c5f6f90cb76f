//! A TCP connection that records when bytes arrived, counts sent bytes, and limits the bytes read in one turn.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::route::Endpoints;
use super::tcp::{LentSocket, Tcp};
use crate::runtime;

/// Fewer missing bytes are not collected: the kernel's next report brings them, or the one after it.
const COLLECTED_BYTES_MIN: usize = 16_384;
/// The most bytes that the kernel collects. It gives a socket twice the memory for it.
const COLLECTED_BYTES_MAX: usize = 131_072;

/// A connected TCP socket.
pub(crate) struct Socket {
    stream: Tcp,
    /// The number of bytes that the kernel has accepted.
    written: u64,
    /// While the connection is being made.
    activity: Option<Arc<LastActivity>>,
    /// The next read calls the kernel, even if the runtime assumes that no data is available.
    asks_kernel: bool,
    /// The last read has left room, so the kernel had no more.
    drained: bool,
    /// So many bytes the kernel collects before it reports them. 0: it does not collect.
    collected: u32,
}

/// The time of the last received bytes, of all connections during an attempt.
pub(in crate::client) struct LastActivity {
    began: Instant,
    /// Microseconds from `began` to the last bytes. 0 means that no bytes came.
    micros: AtomicU64,
}

impl LastActivity {
    pub(in crate::client) fn nothing() -> Self {
        Self { began: Instant::now(), micros: AtomicU64::new(0) }
    }

    fn note(&self) {
        let micros = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.micros.store(micros.max(1), Ordering::Relaxed);
    }

    /// The time since the last bytes.
    pub(in crate::client) fn last(&self) -> Option<Duration> {
        match self.micros.load(Ordering::Relaxed) {
            0 => None,
            micros => Some(self.began.elapsed().saturating_sub(Duration::from_micros(micros))),
        }
    }
}

impl Socket {
    /// `activity` is notified of received data until [`Socket::is_made`].
    pub(in crate::client) fn new(stream: Tcp, activity: Arc<LastActivity>) -> Self {
        Self { activity: Some(activity), ..Self::accepted(stream) }
    }

    /// Makes a socket from an accepted connection.
    pub(crate) fn accepted(stream: Tcp) -> Self {
        Self { stream, written: 0, activity: None, asks_kernel: false, drained: false, collected: 1 }
    }

    /// The connection is established. From now on its reader notes the times itself.
    pub(in crate::client) fn is_made(&mut self) {
        self.activity = None;
    }

    /// Makes the next read call the kernel. After a freeze, the runtime learns only later of received data.
    pub(in crate::client) fn ask_kernel(&mut self) {
        self.asks_kernel = true;
    }

    /// Whether the kernel knows of the peer's end of the stream. Data before the end may be lost.
    pub(super) fn has_ended(&mut self) -> bool {
        let mut byte = [0];
        let mut buf = ReadBuf::new(&mut byte);
        matches!(self.stream.read_now(&mut buf), Some(Ok(()))) && buf.filled().is_empty()
    }

    /// Whether the last read took all that the kernel had, and nothing came since. Then the task is woken when there is more.
    pub(super) fn poll_drained(&mut self, cx: &mut Context<'_>) -> bool {
        std::mem::take(&mut self.drained) && !self.asks_kernel && self.stream.poll_empty(cx)
    }

    /// Has the kernel collect data before it reports them, because the next `missing` bytes are of no use without the last one of
    /// them. Returns whether the kernel may already have what is missing.
    pub(super) fn collect(&mut self, missing: usize) -> bool {
        let bytes = if missing < COLLECTED_BYTES_MIN { 1 } else { missing.min(COLLECTED_BYTES_MAX) as u32 };
        let before = self.collected;
        if before == 0 || before == bytes || (bytes / 2..bytes).contains(&before) {
            return false;
        }
        let collects = self.stream.report_from(bytes as usize);
        if collects {
            self.collected = bytes;
        } else if before == 1 {
            self.collected = 0;
        }
        // Fewer bytes than before may have come, and no kernel has to report them when the number changes.
        self.asks_kernel |= collects && bytes < before;
        collects && bytes < before
    }

    /// Whether the kernel collects data.
    pub(super) fn collects(&self) -> bool {
        self.collected > 1
    }

    /// Lends the socket for writing. Bytes written there are counted by [`Socket::note_written`].
    pub(super) fn lend(&self) -> Option<LentSocket> {
        self.stream.lend()
    }

    /// Another writer has written this many bytes.
    pub(in crate::client) fn note_written(&mut self, count: usize) {
        self.written += count as u64;
    }

    /// Reads directly. The reader counts the bytes itself.
    pub(super) fn poll_read_payload(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let asked = if std::mem::take(&mut self.asks_kernel) { self.stream.read_now(buf) } else { None };
        let read = match asked {
            Some(read) => Poll::Ready(read),
            None => self.stream.poll_read(cx, buf),
        };
        self.drained = buf.filled().len() > before && buf.remaining() > 0;
        if buf.filled().len() > before
            && let Some(activity) = &self.activity
        {
            activity.note();
        }
        read
    }

    /// Bytes that were written, and how many of them the peer has acknowledged.
    pub(in crate::client) fn written_and_acknowledged(&self) -> Option<(u64, u64)> {
        let unacknowledged = self.stream.unacknowledged()?;
        Some((self.written, self.written.saturating_sub(unacknowledged)))
    }

    /// Where the connection begins and ends.
    pub(in crate::client) fn endpoints(&self) -> io::Result<Endpoints> {
        let (local, peer) = self.stream.ends()?;
        Ok(Endpoints { local, peer })
    }
}

/// For readers that may get no output from their input.
impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !runtime::may_read() {
            runtime::end_turn(cx);
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let read = self.poll_read_payload(cx, buf);
        runtime::has_read(buf.filled().len() - before);
        read
    }
}

/// A socket whose reader counts the bytes itself.
pub(super) struct Direct<'a>(pub(super) &'a mut Socket);

impl AsyncRead for Direct<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.poll_read_payload(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = self.written == 0;
        let outcome = self.stream.poll_write(cx, slices, first);
        if let Poll::Ready(Ok(count)) = outcome {
            self.written += count as u64;
        }
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_shutdown(cx)
    }
}
