//! Peers that keep a client busy: none may keep the clients of others waiting, nor a deadline from being kept.
//!
//! The library has two workers, so of each kind there are more peers than that.

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use net_websocket::internals::client::{
    Client, Closed, Failure, Listener, Message, MessageType, Opened, Options, Pong, Request,
    SEND_LIMIT_BYTES, SessionOptions, Statistics, TlsOptions,
};
use rcgen::generate_simple_self_signed;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use rustls::{ConnectionTrafficSecrets, ServerConfig, ServerConnection};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use support::{DEADLINE, Peer, Recorded, Seen, Wire, quiet};

/// How many peers of a kind there are.
const PEERS: usize = 3;
/// A limit that is to be kept.
const LIMIT: Duration = Duration::from_millis(500);
/// Session tickets in a record. Enough for a flood; and without optimisation one takes 0.1 ms.
const TICKETS: usize = 64;
/// What a busy machine may add to it.
const SLACK: Duration = Duration::from_secs(2);

/// A client beside others, which exchanges messages with its peer.
struct Quiet {
    recorded: Recorded,
    wire: Wire,
}

impl Quiet {
    fn open() -> Self {
        let peer = Peer::bind();
        let recorded = Recorded::connect(&peer, quiet());
        let wire = peer.open();
        assert_eq!(recorded.next(), Seen::Opened);
        Self { recorded, wire }
    }

    fn round_trips(&mut self) {
        for _ in 0..5 {
            self.recorded.client.send(MessageType::Text, b"a").expect("open");
            assert_eq!(self.wire.frame(), (0x81, b"a".to_vec()));
            self.wire.send(b"\x81\x01b");
            assert_eq!(self.recorded.next(), Seen::Text("b".to_owned()));
        }
    }

    /// That a new client is not kept waiting, nor one that is to give up.
    fn others_connect() {
        Self::open().round_trips();
        let silent = Peer::bind();
        let began = Instant::now();
        let recorded = Recorded::connect(&silent, Options { connect_timeout: LIMIT, ..quiet() });
        assert!(matches!(recorded.next(), Seen::Failed(text) if text.contains("timed out")));
        assert!(began.elapsed() < LIMIT + SLACK, "{:?}", began.elapsed());
    }
}

/// A peer that goes on until it is dropped.
struct Busy {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Busy {
    /// `send` is called again and again.
    fn start(mut send: impl FnMut() -> std::io::Result<()> + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let stop = stop.clone();
            // The client may leave first.
            move || while !stop.load(Ordering::Relaxed) && send().is_ok() {}
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A server of TLS 1.3 that makes its records itself once the handshake is done.
struct Sealed {
    tcp: TcpStream,
    key: LessSafeKey,
    iv: Vec<u8>,
    sequence: u64,
}

/// The inner types of records (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;

impl Sealed {
    /// Accepts a connection and its upgrade.
    fn accept(listener: &TcpListener, config: Arc<ServerConfig>) -> Self {
        let (mut tcp, _) = listener.accept().expect("a connection");
        tcp.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        let mut session = ServerConnection::new(config).expect("a good configuration");
        let mut stream = rustls::Stream::new(&mut session, &mut tcp);
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a request");
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).expect("an ASCII request");
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
        let accept = derive_accept_key(key.as_bytes());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).expect("the client reads");
        stream.flush().expect("the client reads");
        let (sequence, secrets) = session.dangerous_extract_secrets().expect("allowed").tx;
        let ConnectionTrafficSecrets::Aes256Gcm { key, iv } = secrets else {
            panic!("another cipher suite");
        };
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_ref()).expect("a key"));
        Self { tcp, key, iv: iv.as_ref().to_vec(), sequence }
    }

    /// One record (RFC 8446 section 5.2).
    fn write(&mut self, kind: u8, content: &[u8]) -> std::io::Result<()> {
        let mut sealed = [content, &[kind]].concat();
        let length = u16::try_from(sealed.len() + AES_256_GCM.tag_len()).expect("the length of a record");
        let header = [&[DATA, 3, 3], length.to_be_bytes().as_slice()].concat();
        let mut nonce: [u8; 12] = self.iv.as_slice().try_into().expect("twelve bytes");
        for (byte, number) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= number;
        }
        self.sequence += 1;
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(header.as_slice()),
                &mut sealed,
            )
            .expect("sealed");
        self.tcp.write_all(&[header, sealed].concat())
    }
}

/// A configuration whose keys can be had, and what it sends nothing but.
fn tls_server() -> (TcpListener, String, Arc<ServerConfig>) {
    let own = generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(own.signing_key.serialize_pem().as_bytes()).expect("a key");
    let provider = rustls::crypto::CryptoProvider {
        cipher_suites: vec![rustls::crypto::ring::cipher_suite::TLS13_AES_256_GCM_SHA384],
        ..rustls::crypto::ring::default_provider()
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .expect("a certificate and its key");
    config.enable_secret_extraction = true;
    config.send_tls13_tickets = 0;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("wss://localhost:{}/", listener.local_addr().expect("bound").port());
    (listener, url, Arc::new(config))
}

fn unverified(options: Options) -> Options {
    Options { tls: TlsOptions { skip_server_verification: true, ..TlsOptions::default() }, ..options }
}

/// The smallest session tickets (RFC 8446 section 4.6.1), as many as go into one record.
fn tickets(count: usize) -> Vec<u8> {
    const TICKET: [u8; 18] = [4, 0, 0, 14, 0, 0, 0, 9, 1, 2, 3, 4, 0, 0, 1, b't', 0, 0];
    TICKET.repeat(count)
}

/// Clients whose servers send nothing but what `next` makes, a record of that type each time.
fn flooded(next: fn() -> Vec<(u8, Vec<u8>)>) -> Vec<(Recorded, Busy)> {
    let (listener, url, config) = tls_server();
    let options = Options {
        session: SessionOptions { close_timeout: LIMIT, ..quiet().session },
        ..unverified(quiet())
    };
    (0..PEERS)
        .map(|_| {
            let recorded = Recorded::connect_to(&url, options.clone());
            let mut server = Sealed::accept(&listener, config.clone());
            assert_eq!(recorded.next(), Seen::Opened);
            server.tcp.set_write_timeout(Some(DEADLINE)).expect("a timeout");
            let records = next();
            let busy = Busy::start(move || {
                records.iter().try_for_each(|(kind, content)| server.write(*kind, content))
            });
            (recorded, busy)
        })
        .collect()
}

/// They end when they are to.
fn close_in_time(clients: Vec<(Recorded, Busy)>) {
    for (recorded, busy) in clients {
        let began = Instant::now();
        recorded.client.close(1000, "").expect("open");
        let ended = loop {
            match recorded.next() {
                Seen::Text(_) => {}
                other => break other,
            }
        };
        assert!(matches!(ended, Seen::Closed(1006, _)), "{ended:?}");
        assert!(began.elapsed() < LIMIT + SLACK, "{:?}", began.elapsed());
        drop(busy);
    }
}

#[test]
fn servers_that_send_nothing_but_session_tickets_keep_nobody_waiting() {
    let mut quiet = Quiet::open();
    let clients = flooded(|| vec![(HANDSHAKE, tickets(TICKETS))]);
    quiet.round_trips();
    Quiet::others_connect();
    quiet.round_trips();
    close_in_time(clients);
}

#[test]
fn nor_do_those_that_send_a_message_between_their_tickets() {
    let mut quiet = Quiet::open();
    let clients = flooded(|| vec![(HANDSHAKE, tickets(TICKETS)), (DATA, b"\x81\x01x".to_vec())]);
    quiet.round_trips();
    Quiet::others_connect();
    close_in_time(clients);
}

/// What a slow listener was told.
#[derive(Debug, PartialEq)]
enum Told {
    Opened,
    Message,
    Pong,
    Statistics,
    Failed(String),
    Closed(u16),
}

/// One that takes a millisecond for each message and pong.
struct Slow(Sender<Told>);

impl Slow {
    fn connect(peer: &Peer, session: SessionOptions) -> (Client, Receiver<Told>) {
        let (sender, told) = channel();
        let client = Client::new(Box::new(Self(sender)), SEND_LIMIT_BYTES);
        let request = Request::parse(&peer.url(), Options { session, ..quiet() }).expect("a good request");
        client.connect(request).expect("not connected before");
        (client, told)
    }

    fn tell(&self, event: Told) {
        let _ = self.0.send(event);
    }
}

impl Listener for Slow {
    fn may_block(&self) -> bool {
        true
    }

    fn opened(&mut self, _opened: &Opened) {
        self.tell(Told::Opened);
    }

    fn message(&mut self, _message: Message<'_>) {
        std::thread::sleep(Duration::from_millis(1));
        self.tell(Told::Message);
    }

    fn pong(&mut self, _pong: Pong<'_>) {
        std::thread::sleep(Duration::from_millis(1));
        self.tell(Told::Pong);
    }

    fn statistics(&mut self, _statistics: &Statistics) {
        self.tell(Told::Statistics);
    }

    fn failed(&mut self, failure: &Failure) {
        self.tell(Told::Failed(failure.to_string()));
    }

    fn closed(&mut self, closed: &Closed) {
        self.tell(Told::Closed(closed.code));
    }
}

/// The next event that is of none of these kinds.
fn next_but(told: &Receiver<Told>, kinds: &[Told]) -> Told {
    let until = Instant::now() + DEADLINE;
    loop {
        let event =
            told.recv_timeout(until.saturating_duration_since(Instant::now())).expect("an event in time");
        if !kinds.contains(&event) {
            return event;
        }
    }
}

/// `frame` comes faster than the listener takes it, without end.
fn deadlines_beside(frame: &[u8]) {
    let peer = Peer::bind();
    let session = SessionOptions {
        close_timeout: LIMIT,
        ping_interval: Some(LIMIT),
        statistics_interval: Some(LIMIT),
        ..quiet().session
    };
    let (client, told) = Slow::connect(&peer, session);
    let mut wire = peer.open();
    assert_eq!(next_but(&told, &[]), Told::Opened);
    let opened_at = Instant::now();
    let mut writes = Wire(wire.0.try_clone().expect("a descriptor"));
    let flood = frame.repeat(100_000);
    let busy = Busy::start(move || writes.0.write_all(&flood));
    assert_eq!(wire.frame().0, 0x89, "a ping");
    assert!(opened_at.elapsed() < LIMIT + SLACK, "{:?}", opened_at.elapsed());
    let between = [Told::Message, Told::Pong];
    assert_eq!(next_but(&told, &between), Told::Statistics);
    assert!(opened_at.elapsed() < LIMIT + SLACK, "{:?}", opened_at.elapsed());

    let closed_at = Instant::now();
    client.close(1000, "").expect("open");
    let between = [Told::Message, Told::Pong, Told::Statistics];
    assert_eq!(next_but(&told, &between), Told::Closed(1006));
    assert!(closed_at.elapsed() < LIMIT + SLACK, "{:?}", closed_at.elapsed());
    drop((client, wire, busy));
}

#[test]
fn deadlines_are_kept_while_messages_come_faster_than_they_are_taken() {
    deadlines_beside(b"\x81\x01x");
}

#[test]
fn deadlines_are_kept_while_pongs_come_faster_than_they_are_taken() {
    deadlines_beside(b"\x8a\x00");
}

#[test]
fn a_peer_is_not_silent_while_the_listener_has_yet_to_take_what_it_sent() {
    const MESSAGES: usize = 3_000;
    let peer = Peer::bind();
    let session =
        SessionOptions { ping_interval: Some(LIMIT / 20), pong_timeout: Some(LIMIT / 2), ..quiet().session };
    let (client, told) = Slow::connect(&peer, session);
    let mut wire = peer.open();
    assert_eq!(next_but(&told, &[]), Told::Opened);
    wire.send(&b"\x81\x01x".repeat(MESSAGES));
    // It answers pings, but the answers stand behind the messages.
    let answers = std::thread::spawn(move || {
        while let (0x89, payload) = wire.frame() {
            wire.send(&[&[0x8a, payload.len() as u8], payload.as_slice()].concat());
        }
    });
    for _ in 0..MESSAGES {
        assert_eq!(next_but(&told, &[Told::Pong]), Told::Message);
    }
    client.close(1000, "").expect("open");
    answers.join().expect("pings up to the close frame");
    assert_eq!(next_but(&told, &[Told::Pong]), Told::Closed(1006), "the peer hung up");
}
