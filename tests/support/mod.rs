//! A scripted peer that writes literal bytes, and a listener that records.
//!
//! The other files of this folder are for programs that inject faults. Those programs declare each file that they use,
//! because allocator.rs replaces the allocator of the whole program.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use net_websocket::internals::client::{
    Cause, Client, Closed, Failure, Listener, Message, MessageType, Opened, Options, Outcome, Proxy, Receipt,
    Reconnected, Reconnecting, Request, SessionOptions,
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// Longer than any step takes. A test that reaches it has failed.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A server that follows the script of a test.
pub struct Peer(TcpListener);

impl Peer {
    pub fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        // On Linux the timeout also applies to accept.
        socket2::SockRef::from(&listener).set_read_timeout(Some(DEADLINE)).expect("a timeout");
        Self(listener)
    }

    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("bound")
    }

    pub fn url(&self) -> String {
        format!("ws://{}/", self.address())
    }

    /// The next connection, before its upgrade.
    pub fn accept(&self) -> Wire {
        let (stream, _) = self.0.accept().expect("a connection in time");
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        stream.set_nodelay(true).expect("no delay");
        Wire(stream)
    }

    /// The next connection, upgraded.
    pub fn open(&self) -> Wire {
        let mut wire = self.accept();
        wire.upgrade(b"");
        wire
    }
}

/// The peer's end of a connection.
pub struct Wire<S = TcpStream>(pub S);

impl<S: Read + Write> Wire<S> {
    /// Reads the request and accepts it. `behind` is sent in the same write as the answer.
    pub fn upgrade(&mut self, behind: &[u8]) -> String {
        self.upgrade_with("", behind)
    }

    pub fn upgrade_with(&mut self, headers: &str, behind: &[u8]) -> String {
        let request = self.read_request();
        let key = request
            .lines()
            .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
            .expect("a key in the request");
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n{headers}\r\n",
            derive_accept_key(key.as_bytes())
        )
        .into_bytes();
        answer.extend_from_slice(behind);
        self.send(&answer);
        request
    }

    /// Reads and discards bytes until the client has ended its side.
    pub fn drain(&mut self) {
        let _ = self.0.read_to_end(&mut Vec::new());
    }

    pub fn read_request(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.read_array::<1>()[0]);
        }
        String::from_utf8(head).expect("an ASCII request")
    }

    /// Reads exactly these bytes.
    pub fn expect(&mut self, bytes: &[u8]) {
        let mut read = vec![0; bytes.len()];
        self.0.read_exact(&mut read).expect("more bytes");
        assert_eq!(read, bytes);
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the client reads");
    }

    /// The next frame of the client: its first byte and its payload, unmasked.
    pub fn frame(&mut self) -> (u8, Vec<u8>) {
        let [first, second] = self.read_array();
        assert_ne!(second & 0x80, 0, "a client's frame is masked (RFC 6455 5.1)");
        let length = match second & 0x7f {
            126 => usize::from(u16::from_be_bytes(self.read_array())),
            127 => usize::try_from(u64::from_be_bytes(self.read_array())).expect("a length"),
            length => usize::from(length),
        };
        let key: [u8; 4] = self.read_array();
        let mut payload = vec![0; length];
        self.0.read_exact(&mut payload).expect("a whole frame");
        for (byte, key) in payload.iter_mut().zip(key.iter().cycle()) {
            *byte ^= key;
        }
        (first, payload)
    }

    /// The next message of the client, from any number of frames. Returns the first byte of a message in one frame, and the
    /// payload.
    pub fn message(&mut self) -> (u8, Vec<u8>) {
        let (first, mut payload) = self.frame();
        let mut fin = first & 0x80;
        while fin == 0 {
            let (next, more) = self.frame();
            assert_eq!(next & 0x7f, 0, "a continuation");
            fin = next & 0x80;
            payload.extend(more);
        }
        (first | 0x80, payload)
    }

    /// Reads until the client has ended its side.
    pub fn expect_end(&mut self) {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
        }
        assert_eq!(rest, b"", "nothing more is sent");
    }

    fn read_array<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).expect("more bytes");
        bytes
    }
}

impl Wire {
    /// Answers the request with this text, and closes.
    pub fn answer(mut self, answer: &str) {
        self.read_request();
        // The client may close before all bytes are written.
        let _ = self.0.write_all(answer.as_bytes());
        let _ = self.0.shutdown(Shutdown::Write);
        self.drain();
    }
}

/// An event as recorded.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    Opened,
    Text(String),
    Binary(Vec<u8>),
    Failed(String),
    Closed(u16, String),
    /// The attempt, the cause, and how many messages were dropped.
    Reconnecting(u32, Cause, usize),
    Reconnected(u32),
    Sent(Receipt, Outcome),
}

/// A client whose events go into a channel.
pub struct Recorded {
    pub client: Client,
    events: Receiver<Seen>,
}

pub struct Recorder(pub Sender<Seen>);

impl Listener for Recorder {
    fn opened(&mut self, _opened: &Opened) {
        let _ = self.0.send(Seen::Opened);
    }

    fn message(&mut self, message: Message<'_>) {
        let seen = match message.kind() {
            MessageType::Text => Seen::Text(String::from_utf8(message.into_vec()).expect("UTF-8")),
            MessageType::Binary => Seen::Binary(message.into_vec()),
        };
        let _ = self.0.send(seen);
    }

    fn sent(&mut self, receipt: Receipt, outcome: Outcome) {
        let _ = self.0.send(Seen::Sent(receipt, outcome));
    }

    fn reconnecting(&mut self, reconnecting: &Reconnecting) {
        let Reconnecting { attempt, cause, unsent, .. } = *reconnecting;
        let _ = self.0.send(Seen::Reconnecting(attempt, cause, unsent));
    }

    fn reconnected(&mut self, reconnected: &Reconnected) {
        let _ = self.0.send(Seen::Reconnected(reconnected.attempts));
    }

    fn failed(&mut self, failure: &Failure) {
        let _ = self.0.send(Seen::Failed(failure.to_string()));
    }

    fn closed(&mut self, closed: &Closed) {
        let _ = self.0.send(Seen::Closed(closed.code, closed.reason.clone()));
    }
}

/// Options whose timeouts no test reaches by accident.
pub fn quiet() -> Options {
    // The environment of the test run can name a proxy.
    let proxy = Proxy::None;
    Options {
        proxy,
        connect_timeout: DEADLINE,
        session: SessionOptions { ping_interval: None, close_timeout: DEADLINE, ..SessionOptions::default() },
        ..Options::default()
    }
}

impl Recorded {
    pub fn new(send_limit: usize) -> Self {
        let (sender, events) = channel();
        Self { client: Client::new(Box::new(Recorder(sender)), send_limit), events }
    }

    /// A client that is connecting to `peer`.
    pub fn connect(peer: &Peer, options: Options) -> Self {
        Self::connect_to(&peer.url(), options)
    }

    pub fn connect_to(url: &str, options: Options) -> Self {
        let recorded = Self::new(net_websocket::internals::client::SEND_LIMIT_BYTES);
        recorded.dial_to(url, options);
        recorded
    }

    pub fn dial(&self, peer: &Peer, options: Options) {
        self.dial_to(&peer.url(), options);
    }

    fn dial_to(&self, url: &str, options: Options) {
        let request = Request::parse(url, options).expect("a good request");
        self.client.connect(request).expect("not connected before");
    }

    /// The next event.
    pub fn next(&self) -> Seen {
        self.events.recv_timeout(DEADLINE).expect("an event in time")
    }

    /// Drops the client and then the peer's end, if any. Asserts that no event is left and none follows.
    pub fn finish<T>(self, wire: T) {
        drop(self.client);
        drop(wire);
        let rest: Vec<Seen> = self.events.iter().collect();
        assert_eq!(rest, [], "no event is left over");
    }
}
