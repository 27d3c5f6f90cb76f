//! TLS over a socket.
//!
//! Moves records between the socket and rustls, which has no buffers of its own here. Knows what each side has ended.

mod records;
mod session;

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use rustls::Error;
use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use self::records::{Incoming, Outgoing, Rest, give_spare, take_spare};
use self::session::{RECORD_BYTES_MAX, Session, Step, Task};
use super::socket::Socket;
use crate::runtime;

/// The most bytes that are encrypted before the kernel gets them.
const BATCH_BYTES: usize = 4 * RECORD_BYTES_MAX;
/// The most bytes that one write takes.
const WRITE_BYTES_MAX: usize = 262_144;

/// Performs the handshake of a client over any socket. The fuzzer of records calls it.
#[cfg(not(feature = "simulation"))]
pub async fn tls_client(
    socket: tokio::net::TcpStream,
    session: UnbufferedClientConnection,
) -> io::Result<impl AsyncRead + AsyncWrite + Unpin> {
    TlsStream::connect(Socket::accepted(super::tcp::Tcp::accepted(socket)), session).await
}

/// A TLS connection.
pub(crate) struct TlsStream {
    socket: Socket,
    session: Session,
    incoming: Incoming,
    rest: Rest,
    outgoing: Outgoing,
    /// How many of the written bytes are in `outgoing`.
    held: usize,
    /// The last records of the handshake wait, to go out with the first bytes.
    joins: bool,
    /// The peer has ended its side properly.
    ended: bool,
    /// This side has ended.
    shut_down: bool,
    /// What has ended the connection.
    failed: Option<Error>,
    /// Writing has failed after it had taken bytes. The next write reports it.
    write_failure: Option<io::Error>,
}

impl TlsStream {
    /// Performs the handshake as a client. Its last records go out with the first bytes, or when the client reads.
    pub(in crate::client) async fn connect(
        socket: Socket,
        session: UnbufferedClientConnection,
    ) -> io::Result<Box<Self>> {
        Self::new(socket, Session::Client(session)).handshake().await
    }

    /// Performs the handshake as a server. Its last records go out like those of a client.
    pub(in crate::client) async fn accept(
        socket: Socket,
        session: UnbufferedServerConnection,
    ) -> io::Result<Box<Self>> {
        Self::new(socket, Session::Server(session)).handshake().await
    }

    fn new(socket: Socket, session: Session) -> Box<Self> {
        let (incoming, rest, outgoing) = Default::default();
        Box::new(Self {
            socket,
            session,
            incoming,
            rest,
            outgoing,
            held: 0,
            joins: false,
            ended: false,
            shut_down: false,
            failed: None,
            write_failure: None,
        })
    }

    async fn handshake(mut self: Box<Self>) -> io::Result<Box<Self>> {
        poll_fn(|cx| self.poll_handshake(cx)).await?;
        Ok(self)
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    pub(super) fn socket_mut(&mut self) -> &mut Socket {
        &mut self.socket
    }

    /// How much memory it has for received bytes.
    #[cfg(all(test, not(feature = "simulation")))]
    pub(super) fn memory(&self) -> usize {
        self.incoming.memory()
    }

    /// How many of the written bytes the kernel has not accepted. They are the last ones.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    fn poll_handshake(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let step = self.take_record(cx, &mut ReadBuf::new(&mut []))?;
            let common = self.session.common();
            if !common.is_handshaking() && !common.wants_write() {
                self.joins = !self.outgoing.is_empty();
                return Poll::Ready(Ok(()));
            }
            match step {
                Step::Ended => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                Step::Blocked if !self.may_go_on(cx) => return Poll::Pending,
                // All answers to what is received go in one write.
                Step::Blocked if !self.incoming.has_record() => {
                    ready!(self.poll_records(cx))?;
                    if ready!(self.incoming.poll_fill(&mut self.socket, cx))? == 0 {
                        return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether this turn may take more. If not, the caller answers `Pending`.
    fn may_go_on(&self, cx: &Context<'_>) -> bool {
        let may = runtime::may_read();
        if !may {
            runtime::end_turn(cx);
        }
        may
    }

    /// Has rustls take the next received record, or many of them, with all that it has to answer.
    fn take_record(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> io::Result<Step> {
        // A server cannot read data that a client sends too early. Until the client's next message, rustls decrypts it
        // in vain at each call, and counts it each time. So there are few calls.
        let skips = matches!(self.session, Session::Server(_)) && self.session.common().is_handshaking();
        let (mut count, is_whole) = self.incoming.next(skips);
        if skips && count > 0 && count == self.incoming.known {
            return Ok(Step::Blocked);
        }
        let mut known = if is_whole { count } else { self.incoming.known };
        let step = loop {
            let task = Task::Read(buf, &mut self.rest);
            let (used, step) = self.session.advance(self.incoming.first(count), task, &mut self.outgoing);
            let step = step.map_err(|error| self.fail(error, cx))?;
            self.incoming.start += used;
            count -= used;
            known = known.saturating_sub(used);
            let brought = if let Step::Plaintext(length) = step { length } else { 0 };
            runtime::has_read(used.saturating_sub(brought));
            match step {
                Step::Answered if skips => break Step::Blocked,
                Step::More | Step::Answered => {}
                _ => break step,
            }
        };
        match step {
            Step::Ended => self.end(),
            // Data may come while rustls still needs others: it keeps an empty record of a handshake.
            _ => self.incoming.known = known,
        }
        Ok(step)
    }

    /// The peer has ended its side. What came after it does not count (RFC 8446 section 6.1).
    fn end(&mut self) {
        self.ended = true;
        self.incoming = Incoming::default();
    }

    /// The connection has failed. Tries to tell the peer.
    fn fail(&mut self, error: Error, cx: &mut Context<'_>) -> io::Error {
        self.failed = Some(error.clone());
        while self.session.common().wants_write() {
            let (_, told) = self.session.advance(&mut [], Task::Close, &mut self.outgoing);
            if !matches!(told, Ok(Step::More)) {
                break;
            }
        }
        let _ = self.poll_records(cx);
        self.incoming = Incoming::default();
        io::Error::new(io::ErrorKind::InvalidData, error)
    }

    /// An error if the connection has failed.
    fn check(&self) -> io::Result<()> {
        match &self.failed {
            None => Ok(()),
            Some(error) => Err(io::Error::new(io::ErrorKind::InvalidData, error.clone())),
        }
    }

    /// Writes the records that wait.
    fn poll_records(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.joins = false;
        if let Some(error) = self.write_failure.take() {
            return Poll::Ready(Err(error));
        }
        ready!(self.outgoing.poll_write(&mut self.socket, cx))?;
        self.held = 0;
        Poll::Ready(Ok(()))
    }

    /// Encrypts bytes, or the end of the stream.
    fn write(&mut self, bytes: Option<&[u8]>) -> io::Result<()> {
        loop {
            // rustls looks at these again, and takes no others: what is received has to wait for its reader.
            let known = self.incoming.known;
            let task = bytes.map_or(Task::Close, Task::Write);
            let (_, step) = self.session.advance(self.incoming.first(known), task, &mut self.outgoing);
            match step {
                Ok(Step::Written) => return Ok(()),
                Ok(Step::Ended) => self.end(),
                Ok(_) => {}
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            }
        }
    }

    /// Encrypts the bytes of `slices` from `skip` on, as many as a batch holds. Only the last record may be a short one.
    fn encrypt(&mut self, slices: &[IoSlice<'_>], mut skip: usize) -> io::Result<usize> {
        if let [slice] = slices {
            let now = &slice[skip..slice.len().min(skip + BATCH_BYTES)];
            self.write(Some(now))?;
            self.held = now.len();
            return Ok(self.held);
        }
        let mut joined = take_spare(|spare| &spare.joined);
        joined.clear();
        let mut room = BATCH_BYTES;
        for (at, slice) in slices.iter().enumerate() {
            let skipped = skip.min(slice.len());
            skip -= skipped;
            let mut part = &slice[skipped..];
            while !part.is_empty() && room > 0 {
                let is_last = at + 1 == slices.len() || part.len() >= room;
                let count = match joined.len() {
                    0 if is_last => part.len().min(room),
                    0 if part.len() >= RECORD_BYTES_MAX => part.len() / RECORD_BYTES_MAX * RECORD_BYTES_MAX,
                    length => part.len().min(RECORD_BYTES_MAX - length),
                };
                let (now, later) = part.split_at(count);
                (part, room) = (later, room - count);
                if joined.is_empty() && (is_last || count >= RECORD_BYTES_MAX) {
                    self.write(Some(now))?;
                    continue;
                }
                joined.extend_from_slice(now);
                if joined.len() == RECORD_BYTES_MAX {
                    self.write(Some(&joined))?;
                    joined.clear();
                }
            }
        }
        if !joined.is_empty() {
            self.write(Some(&joined))?;
        }
        give_spare(|spare| &spare.joined, joined);
        self.held = BATCH_BYTES - room;
        Ok(self.held)
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        this.rest.move_to(buf);
        loop {
            let has_some = buf.filled().len() > before;
            if buf.remaining() == 0 || (has_some && !this.incoming.has_record()) {
                return Poll::Ready(Ok(()));
            }
            if this.ended {
                return Poll::Ready(Ok(()));
            }
            match this.check().and_then(|()| this.take_record(cx, buf)) {
                Err(_) if has_some => return Poll::Ready(Ok(())),
                Err(error) => return Poll::Ready(Err(error)),
                Ok(Step::Blocked) => {}
                Ok(_) => continue,
            }
            if !this.may_go_on(cx) {
                return if has_some { Poll::Ready(Ok(())) } else { Poll::Pending };
            }
            if !this.incoming.has_record() {
                if has_some {
                    return Poll::Ready(Ok(()));
                }
                let Poll::Ready(filled) = this.incoming.poll_fill(&mut this.socket, cx) else {
                    // The peer may wait for the end of the handshake.
                    if this.joins
                        && let Poll::Ready(Err(error)) = this.poll_records(cx)
                    {
                        return Poll::Ready(Err(error));
                    }
                    return Poll::Pending;
                };
                if filled? == 0 {
                    // Without close_notify, anyone on the path may have ended it.
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
            }
        }
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.check()?;
        let length = slices.iter().map(|slice| slice.len()).sum::<usize>().min(WRITE_BYTES_MAX);
        // Bytes that the kernel has, and those of the last batch.
        let (mut accepted, mut batch) = (0, if this.joins { this.encrypt(slices, 0)? } else { 0 });
        let failure = loop {
            match this.poll_records(cx) {
                Poll::Ready(Ok(())) => accepted += std::mem::take(&mut batch),
                Poll::Ready(Err(error)) => break error,
                Poll::Pending if accepted + batch == 0 => return Poll::Pending,
                Poll::Pending => return Poll::Ready(Ok(accepted + batch)),
            }
            if accepted == length {
                return Poll::Ready(Ok(accepted));
            }
            match this.encrypt(slices, accepted) {
                Ok(count) => batch = count,
                Err(error) => break error,
            }
        };
        // The peer may have got what the kernel has, so that counts as written.
        let begun = if this.outgoing.has_begun() { batch } else { 0 };
        if begun < batch || this.held == 0 {
            (this.outgoing, this.held) = (Outgoing::default(), 0);
        }
        match accepted + begun {
            0 => Poll::Ready(Err(failure)),
            taken => {
                this.write_failure = Some(failure);
                Poll::Ready(Ok(taken))
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_records(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !std::mem::replace(&mut this.shut_down, true) {
            // The peer may take long to end its side. Nobody reads what is received until then.
            this.incoming.release();
            if this.failed.is_none() {
                this.write(None)?;
            }
        }
        ready!(this.poll_records(cx))?;
        match ready!(Pin::new(&mut this.socket).poll_shutdown(cx)) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            done => Poll::Ready(done),
        }
    }
}
