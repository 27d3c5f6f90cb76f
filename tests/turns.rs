//! Peers that keep a client busy must not delay other clients or any deadline.
//!
//! The library has two workers, so there are more peers of each kind than workers.

#[path = "support/hostile.rs"]
mod hostile;
mod support;

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use net_websocket::internals::client::{
    Client, Closed, Failure, Listener, Message, MessageType, Opened, Options, Pong, Request,
    SEND_LIMIT_BYTES, SessionOptions, Statistics, TlsOptions,
};

use hostile::{DATA, HANDSHAKE, Sealed, Taker, tickets, tls_server};
use rustls::ServerConfig;
use support::{DEADLINE, Peer, Recorded, Seen, Wire, quiet};

/// The number of peers of each kind.
const PEERS: usize = 3;
/// A timeout that must expire in time.
const LIMIT: Duration = Duration::from_millis(500);
/// The number of session tickets in a record. It is enough for a flood. An unoptimized build takes 0.1 ms for one.
const TICKETS: usize = 64;
/// The tolerance for a busy machine.
const SLACK: Duration = Duration::from_secs(2);

/// Another client, which exchanges messages with its peer.
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
        (0..5).for_each(|_| self.round_trip());
    }

    fn round_trip(&mut self) {
        self.recorded.client.send(MessageType::Text, b"a").expect("open");
        assert_eq!(self.wire.frame(), (0x81, b"a".to_vec()));
        self.wire.send(b"\x81\x01b");
        assert_eq!(self.recorded.next(), Seen::Text("b".to_owned()));
    }

    /// Asserts that a new client connects at once, and that another one times out in time.
    fn others_connect() {
        Self::open().round_trips();
        let silent = Peer::bind();
        let began = Instant::now();
        let recorded = Recorded::connect(&silent, Options { connect_timeout: LIMIT, ..quiet() });
        assert!(matches!(recorded.next(), Seen::Failed(text) if text.contains("timed out")));
        assert!(began.elapsed() < LIMIT + SLACK, "{:?}", began.elapsed());
    }
}

/// A peer that sends until it is dropped.
struct Busy {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Busy {
    /// Calls `send` repeatedly.
    fn start(mut send: impl FnMut() -> std::io::Result<()> + Send + 'static) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let stop = stop.clone();
            // The client may disconnect first.
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

/// Accepts a connection and its upgrade.
fn accept(listener: &TcpListener, config: Arc<ServerConfig>) -> Sealed {
    let (tcp, _) = listener.accept().expect("a connection");
    tcp.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    Sealed::upgrade(tcp, config).expect("a request").0
}

fn unverified(options: Options) -> Options {
    Options { tls: TlsOptions { skip_server_verification: true, ..TlsOptions::default() }, ..options }
}

/// Clients whose servers send only the records of `next`, repeatedly.
fn flooded(next: fn() -> Vec<(u8, Vec<u8>)>) -> Vec<(Recorded, Busy)> {
    let (listener, url, config) = tls_server();
    let options = Options {
        session: SessionOptions { close_timeout: LIMIT, ..quiet().session },
        ..unverified(quiet())
    };
    (0..PEERS)
        .map(|_| {
            let recorded = Recorded::connect_to(&url, options.clone());
            let mut server = accept(&listener, config.clone());
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

/// Asserts that the clients end in time.
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
fn floods_of_session_tickets_delay_no_other_client() {
    let mut quiet = Quiet::open();
    let clients = flooded(|| vec![(HANDSHAKE, tickets(TICKETS))]);
    quiet.round_trips();
    Quiet::others_connect();
    quiet.round_trips();
    close_in_time(clients);
}

#[test]
fn floods_of_session_tickets_and_messages_delay_no_other_client() {
    let mut quiet = Quiet::open();
    let clients = flooded(|| vec![(HANDSHAKE, tickets(TICKETS)), (DATA, b"\x81\x01x".to_vec())]);
    quiet.round_trips();
    Quiet::others_connect();
    close_in_time(clients);
}

/// The events of a slow listener.
#[derive(Debug, PartialEq)]
enum Told {
    Opened,
    Message,
    Pong,
    Statistics,
    Failed(String),
    Closed(u16),
}

/// A listener that takes a millisecond for each message and pong.
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

/// The next event of another kind.
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

/// `frame` arrives without end, faster than the listener takes it.
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
fn a_flood_of_messages_delays_no_deadline() {
    deadlines_beside(b"\x81\x01x");
}

#[test]
fn a_flood_of_pongs_delays_no_deadline() {
    deadlines_beside(b"\x8a\x00");
}

#[test]
fn undelivered_messages_do_not_count_as_silence_of_the_peer() {
    const MESSAGES: usize = 3_000;
    let peer = Peer::bind();
    let session =
        SessionOptions { ping_interval: Some(LIMIT / 20), pong_timeout: Some(LIMIT / 2), ..quiet().session };
    let (client, told) = Slow::connect(&peer, session);
    let mut wire = peer.open();
    assert_eq!(next_but(&told, &[]), Told::Opened);
    wire.send(&b"\x81\x01x".repeat(MESSAGES));
    // The peer answers pings, but the answers follow the messages.
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

/// The short form of `scripts/soak-faults.sh hostile`, which measures the same with tighter limits.
#[test]
fn hostile_servers_of_all_kinds_delay_neither_round_trips_nor_deadlines() {
    const ROUND_TRIPS: usize = 40;
    /// The limit of the median round trip. Nine of ten must take less than four times as long.
    const MEDIAN_MAX: Duration = Duration::from_millis(150);
    let mut quiet_one = Quiet::open();
    let urls = hostile::start();
    let clients: Vec<_> = hostile::KINDS
        .iter()
        .flat_map(|kind| [kind; PEERS])
        .map(|kind| {
            let (taker, events) = Taker::of(kind);
            let client = Client::new(Box::new(taker), SEND_LIMIT_BYTES);
            let session = SessionOptions { close_timeout: LIMIT, ..Options::default().session };
            let options = unverified(Options { session, ..quiet() });
            let url = format!("{}{kind}", urls[usize::from(hostile::needs_tls(kind))]);
            client.connect(Request::parse(&url, options).expect("a good request")).expect("idle");
            assert_eq!(events.recv_timeout(DEADLINE), Ok(hostile::Told::Opened), "{kind}");
            (kind, client, events)
        })
        .collect();
    let mut trips: Vec<Duration> = (0..ROUND_TRIPS)
        .map(|_| {
            let began = Instant::now();
            quiet_one.round_trip();
            began.elapsed()
        })
        .collect();
    trips.sort_unstable();
    assert!(trips[ROUND_TRIPS / 2] < MEDIAN_MAX, "{trips:?}");
    assert!(trips[ROUND_TRIPS * 9 / 10] < 4 * MEDIAN_MAX, "{trips:?}");
    let closed_at = Instant::now();
    for (kind, client, _) in &clients {
        client.close(1000, "").unwrap_or_else(|error| panic!("{kind}: {error:?}"));
    }
    for (kind, _, events) in &clients {
        assert_eq!(events.recv_timeout(DEADLINE), Ok(hostile::Told::Closed(1006)), "{kind}");
        assert!(closed_at.elapsed() < LIMIT + SLACK, "{kind}: {:?}", closed_at.elapsed());
    }
}
