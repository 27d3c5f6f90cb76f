//! Records of a server of TLS, damaged and cut anywhere, against rustls with buffers of its own.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use net_websocket::internals::client::tls_client;
use rustls::{Error, InvalidMessage};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::tls_script::{Recording, Script, Seen, read_all, unbuffered_client};
use super::wire::Random;

/// A client that has not ended by then waits for nothing.
const DEADLINE: Duration = Duration::from_secs(8);
/// How often the client writes something.
const WRITES_MAX: usize = 4;

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
}

/// The first six bytes decide the connection and how the server's bytes arrive. The others are what the server does.
pub fn check(data: &[u8]) {
    let Some(([cuts @ .., kind, sizes], script)) = data.split_first_chunk::<6>() else {
        return;
    };
    let Recording { flights, seen, hello, server } = Recording::of(*kind, &mut Script(script));
    let capacity = [1, 100, 4_096, 65_536][usize::from(sizes & 3)];
    let mut peer = Peer::new(&flights, (sizes & 4 == 0).then_some(Random(u32::from_le_bytes(*cuts))));
    let (near, far) = UnixStream::pair().expect("sockets");
    let random = Random(u32::from_le_bytes(*cuts) ^ 1);
    let mut user = User { capacity, random, wrote: Vec::new(), writes: 0, refused: false };
    let ours = RUNTIME.with(|runtime| {
        let talk = async {
            let mut client = pin!(user.talk(near));
            let talk = std::future::poll_fn(|cx| {
                let polled = client.as_mut().poll(cx);
                if polled.is_pending() {
                    peer.go_on(&far);
                }
                polled
            });
            timeout(DEADLINE, talk).await.expect("the client ends when the stream does")
        };
        runtime.block_on(talk)
    });
    // When 64 KiB wait for the rest of a message, what lies behind its known part is not looked at.
    let too_many = Some(Err(Error::InvalidMessage(InvalidMessage::HandshakePayloadTooLarge)));
    if ours.end != too_many || seen.end == Some(Ok(())) {
        assert_eq!(ours.end, seen.end, "after {} bytes and {}", ours.plaintext.len(), seen.plaintext.len());
    }
    assert!(
        ours.plaintext == seen.plaintext,
        "{} bytes instead of {}",
        ours.plaintext.len(),
        seen.plaintext.len()
    );
    assert!(!user.refused || matches!(seen.end, Some(Err(_))), "a write fails only if the connection does");
    peer.listen(&far);
    if let Some(mut server) = server {
        let said = peer.said.strip_prefix(hello.as_slice()).expect("the same handshake");
        let (arrived, is_well) = read_all(&mut server, said);
        // A client that has failed sends an alert.
        assert!(is_well || matches!(seen.end, Some(Err(_))));
        assert!(arrived == user.wrote, "{} bytes of {} arrived", arrived.len(), user.wrote.len());
    }
}

/// The server's end of the socket.
struct Peer {
    segments: std::vec::IntoIter<Vec<u8>>,
    /// What did not fit into the socket.
    rest: Vec<u8>,
    said: Vec<u8>,
}

impl Peer {
    /// Without `cuts` each flight comes in one piece.
    fn new(flights: &[Vec<u8>], mut cuts: Option<Random>) -> Self {
        let mut segments = Vec::new();
        for mut rest in flights.iter().map(Vec::as_slice) {
            while !rest.is_empty() {
                let count = cuts.as_mut().map_or(rest.len(), Random::step).min(rest.len());
                let (segment, others) = rest.split_at(count);
                segments.push(segment.to_vec());
                rest = others;
            }
        }
        Self { segments: segments.into_iter(), rest: Vec::new(), said: Vec::new() }
    }

    /// Takes what the client has said, and sends the next segment or the end.
    fn go_on(&mut self, mut far: &UnixStream) {
        self.listen(far);
        if self.rest.is_empty() {
            self.rest = self.segments.next().unwrap_or_default();
        }
        if self.rest.is_empty() {
            // Again it changes nothing.
            let _ = far.shutdown(Shutdown::Write);
            return;
        }
        match far.write(&self.rest) {
            Ok(count) => drop(self.rest.drain(..count)),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }

    fn listen(&mut self, mut far: &UnixStream) {
        far.set_nonblocking(true).expect("a socket");
        let mut room = [0; 16_384];
        while let Ok(count @ 1..) = far.read(&mut room) {
            self.said.extend_from_slice(&room[..count]);
        }
    }
}

/// Reads and writes as a session does.
struct User {
    capacity: usize,
    random: Random,
    wrote: Vec<u8>,
    writes: usize,
    /// A write has failed.
    refused: bool,
}

impl User {
    async fn talk(&mut self, near: UnixStream) -> Seen {
        near.set_nonblocking(true).expect("a socket");
        let socket = TcpStream::from_std(OwnedFd::from(near).into()).expect("a runtime");
        let mut seen = Seen::default();
        let mut stream = match tls_client(socket, unbuffered_client()).await {
            Ok(stream) => stream,
            Err(error) => {
                seen.end = end_of(&error);
                return seen;
            }
        };
        seen.end = self.read_all(&mut stream, &mut seen.plaintext).await;
        let length = seen.plaintext.len();
        assert_eq!(self.read_all(&mut stream, &mut seen.plaintext).await, seen.end, "at the end again");
        assert_eq!(length, seen.plaintext.len(), "nothing counts after the end");
        let shut_down = std::future::poll_fn(|cx| Pin::new(&mut stream).poll_shutdown(cx)).await;
        assert!(shut_down.is_ok() || !matches!(seen.end, Some(Ok(()))), "{shut_down:?}");
        seen
    }

    /// Reads to the end. Returns as [`Seen::end`] how that came.
    async fn read_all(
        &mut self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        plaintext: &mut Vec<u8>,
    ) -> Option<Result<(), Error>> {
        let mut room = vec![0; self.capacity];
        loop {
            let read = std::future::poll_fn(|cx| {
                let mut buf = ReadBuf::new(&mut room);
                match Pin::new(&mut *stream).poll_read(cx, &mut buf) {
                    Poll::Ready(read) => Poll::Ready(read.map(|()| buf.filled().len())),
                    Poll::Pending => {
                        self.write(stream, cx);
                        Poll::Pending
                    }
                }
            });
            match read.await {
                Ok(0) => return Some(Ok(())),
                Ok(count) => {
                    plaintext.extend_from_slice(&room[..count]);
                    let write = |cx: &mut Context<'_>| {
                        self.write(stream, cx);
                        Poll::Ready(())
                    };
                    std::future::poll_fn(write).await;
                }
                Err(error) => return end_of(&error),
            }
        }
    }

    /// Writes at times.
    fn write(&mut self, stream: &mut (impl AsyncWrite + Unpin), cx: &mut Context<'_>) {
        if self.writes == WRITES_MAX || self.random.below(4) > 0 {
            return;
        }
        self.writes += 1;
        let scale = [4, 300, 20_000, 90_000][self.random.below(4) as usize];
        let parts: [Vec<u8>; 2] = [1, 2].map(|byte| vec![byte; self.random.below(scale) as usize]);
        let slices = [IoSlice::new(&parts[0]), IoSlice::new(&parts[1])];
        let mut stream = Pin::new(stream);
        match stream.as_mut().poll_write_vectored(cx, &slices) {
            Poll::Ready(Ok(count)) => self.wrote.extend_from_slice(&parts.concat()[..count]),
            Poll::Ready(Err(_)) => self.refused = true,
            Poll::Pending => {}
        }
        let _ = stream.poll_flush(cx);
    }
}

fn end_of(error: &io::Error) -> Option<Result<(), Error>> {
    match error.kind() {
        ErrorKind::UnexpectedEof => None,
        ErrorKind::InvalidData => {
            let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<Error>());
            Some(Err(cause.expect("an error of TLS").clone()))
        }
        other => panic!("{other}: {error}"),
    }
}
