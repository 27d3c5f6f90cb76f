//! The read side of a session: data read from the socket that is not delivered yet.

use std::cell::Cell;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::AsyncReadExt;

use crate::client::moment::Moment;
use crate::client::transport::Stream;
use crate::protocol::{Decoded, Decoder, ProtocolError, ReadBuffer};

/// The read buffer of a session. Sessions of one thread share it: only a partly received frame keeps it.
const READ_BUFFER_BYTES: usize = 131_072;
/// A remainder up to this size moves to its own memory, so that the shared buffer is free again.
pub(super) const REMAINDER_BYTES_MAX: usize = 4_096;

/// How long the kernel may collect the rest of a frame. Mostly it takes far less time. But a kernel out of memory might not report
/// what it has.
const COLLECTED_FOR: Duration = Duration::from_secs(1);

thread_local! {
    static SPARE_BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Gives a buffer to the next session of this thread that reads. Smaller memory does not take its place.
fn spare(storage: Vec<u8>) {
    if storage.capacity() >= READ_BUFFER_BYTES {
        // A thread that ends has no next session.
        let _ = SPARE_BUFFER.try_with(|spare| spare.set(storage));
    }
}

/// How many bytes arrived, and where.
pub(super) enum ReadOutcome {
    /// Into the buffer, for decoding.
    Buffered(usize),
    /// Into the message that the decoder assembles.
    Directly(usize),
}

pub(super) struct Reader {
    pub(super) buffer: ReadBuffer,
    pub(super) decoder: Decoder,
    /// When it asks the kernel for what that has collected.
    asks_by: Option<Moment>,
    /// Bytes come so slowly that the kernel no longer collects them.
    is_slow: bool,
}

impl Drop for Reader {
    fn drop(&mut self) {
        spare(std::mem::take(&mut self.buffer).into_storage());
    }
}

impl Reader {
    /// `received` arrived with the server's answer.
    pub(super) fn new(received: ReadBuffer, decoder: Decoder) -> Self {
        let mut reader = Self { buffer: received, decoder, asks_by: None, is_slow: false };
        reader.lease();
        reader
    }

    /// Reads what has come. While a long frame is incomplete, it is woken when the kernel has collected the rest or much of it.
    pub(super) fn poll_read(
        &mut self,
        stream: &mut Stream,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<ReadOutcome>> {
        loop {
            let read = self.poll_read_once(stream, cx);
            if read.is_ready() {
                self.asks_by = None;
                return read;
            }
            let missing = if self.is_slow { 0 } else { self.decoder.missing(&self.buffer) };
            if !stream.collect(missing) {
                // Whatever else wakes the session puts it off no further.
                let asks_by = || self.asks_by.unwrap_or_else(|| Moment::now() + COLLECTED_FOR);
                self.asks_by = stream.collects().then(asks_by);
                return Poll::Pending;
            }
        }
    }

    /// When it asks the kernel for what that has collected.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.asks_by
    }

    /// Whether that time has passed. Then it is to read, and the kernel collects no more.
    pub(super) fn must_ask(&mut self, now: Moment) -> bool {
        let asks = self.asks_by.take_if(|by| *by <= now).is_some();
        self.is_slow |= asks;
        asks
    }

    fn poll_read_once(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<ReadOutcome>> {
        if stream.poll_drained(cx) {
            self.release();
            return Poll::Pending;
        }
        if self.buffer.is_empty()
            && let Some(mut room) = self.decoder.direct_room()
        {
            let read = ready!(pin!(stream.read_buf(&mut room)).poll(cx));
            return Poll::Ready(read.map(ReadOutcome::Directly));
        }
        self.lease();
        let most = self.decoder.read_bytes_max(&self.buffer);
        let read = pin!(stream.read_buf(&mut self.buffer.room(most))).poll(cx);
        if read.is_pending() {
            self.release();
        }
        read.map(|read| read.map(ReadOutcome::Buffered))
    }

    /// The next item in the buffer.
    pub(super) fn decode(&mut self) -> Result<Option<Decoded>, ProtocolError> {
        self.decoder.decode(&mut self.buffer)
    }

    /// Makes sure that there is a buffer to read into. It begins with the rest of the last read.
    fn lease(&mut self) {
        if self.buffer.capacity() >= READ_BUFFER_BYTES {
            return;
        }
        let mut storage = SPARE_BUFFER.take();
        storage.clear();
        storage.reserve(READ_BUFFER_BYTES);
        self.move_buffer(storage);
    }

    /// Passes the buffer to the next session of this thread, unless much of a frame is in it.
    fn release(&mut self) {
        if self.buffer.data().len() <= REMAINDER_BYTES_MAX {
            let remainder = Vec::with_capacity(self.buffer.data().len());
            spare(self.move_buffer(remainder));
            self.decoder.release_idle();
        }
    }

    /// Moves the undecoded bytes to `storage`, and returns their former memory.
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
    #[cfg(not(feature = "simulation"))]
    use std::task::Waker;

    use super::*;
    #[cfg(not(feature = "simulation"))]
    use crate::client::transport::{Socket, Tcp};

    #[test]
    fn a_session_without_the_buffer_takes_none_from_the_thread() {
        let mut reader = Reader::new(ReadBuffer::default(), Decoder::new(1_000, None));
        // A session that reads into a message returns the buffer before each sleep.
        reader.release();
        reader.release();
        drop(reader);
        assert!(SPARE_BUFFER.take().capacity() >= READ_BUFFER_BYTES);
    }

    #[cfg(not(feature = "simulation"))]
    #[tokio::test]
    async fn nothing_but_data_puts_off_the_look_at_what_the_kernel_has() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let near = tokio::net::TcpStream::connect(address).await.expect("it listens");
        let _far = listener.accept().await.expect("a connection");
        let mut stream = Stream::Plain(Socket::accepted(Tcp::accepted(near)));
        let mut received = ReadBuffer::default();
        // The header of a frame of 65,536 bytes.
        received.extend(&[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
        let mut reader = Reader::new(received, Decoder::new(100_000, None));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(reader.poll_read(&mut stream, &mut cx).is_pending());
        let deadline = reader.deadline();
        assert!(deadline.is_some());
        assert!(reader.poll_read(&mut stream, &mut cx).is_pending());
        assert_eq!(reader.deadline(), deadline);
        assert!(deadline.is_some_and(|by| reader.must_ask(by)));
        assert!(reader.poll_read(&mut stream, &mut cx).is_pending());
        assert_eq!(reader.deadline(), None);
        assert!(!stream.collects());
    }
}
