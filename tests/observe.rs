//! What a client reports about itself: statistics, frames, times and the size of its queue.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use net_websocket::internals::client::{
    Cause, Client, Closed, Direction, Failure, FrameHeader, Listener, Message, MessageType, Opened, Options,
    PhaseTimeouts, Request, SendError, SendLimits, SessionOptions, Statistics, Times,
};
use support::{DEADLINE, Peer, quiet};

#[derive(Debug)]
enum Told {
    Opened,
    Message,
    Statistics(Box<Statistics>),
    Frame(Direction, FrameHeader),
    Drained,
    Failed(Cause, Times),
    Closed(Cause, Times),
}

struct Teller(Sender<Told>, Arc<Tracing>);

/// Whether a listener wants frames, and whether it is full.
#[derive(Default)]
struct Tracing {
    wanted: AtomicBool,
    full: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Teller {
    fn tell(&self, told: Told) {
        let _ = self.0.send(told);
    }
}

impl Listener for Teller {
    fn opened(&mut self, _opened: &Opened) {
        self.tell(Told::Opened);
    }

    fn message(&mut self, _message: Message<'_>) {
        self.tell(Told::Message);
    }

    fn statistics(&mut self, statistics: &Statistics) {
        self.tell(Told::Statistics(Box::new(*statistics)));
    }

    fn traces_frames(&self) -> bool {
        self.1.wanted.load(Ordering::Relaxed)
    }

    fn poll_caught_up(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        *self.1.waker.lock().expect("no panic") = Some(cx.waker().clone());
        if self.1.full.load(Ordering::Relaxed) { Poll::Pending } else { Poll::Ready(()) }
    }

    fn frame(&mut self, direction: Direction, header: FrameHeader) {
        self.tell(Told::Frame(direction, header));
    }

    fn drained(&mut self) {
        self.tell(Told::Drained);
    }

    fn failed(&mut self, failure: &Failure) {
        self.tell(Told::Failed(failure.error.cause(), failure.times));
    }

    fn closed(&mut self, closed: &Closed) {
        self.tell(Told::Closed(closed.cause, closed.times));
    }
}

fn connect(peer: &Peer, options: Options) -> (Arc<Client>, Receiver<Told>) {
    connect_traced(peer, options, &Arc::default())
}

fn connect_traced(peer: &Peer, options: Options, tracing: &Arc<Tracing>) -> (Arc<Client>, Receiver<Told>) {
    let (sender, events) = channel();
    let client = Arc::new(Client::new(Box::new(Teller(sender, tracing.clone())), 1_000_000));
    client.connect(Request::parse(&peer.url(), options).expect("good")).expect("idle");
    (client, events)
}

fn next(events: &Receiver<Told>) -> Told {
    events.recv_timeout(DEADLINE).expect("an event in time")
}

#[test]
fn reports_each_frame_before_the_message_it_ends() {
    let peer = Peer::bind();
    let tracing = Arc::new(Tracing { wanted: true.into(), ..Tracing::default() });
    let (client, events) = connect_traced(&peer, quiet(), &tracing);
    let mut wire = peer.open();
    assert!(matches!(next(&events), Told::Opened));
    wire.send(b"\x01\x02ab\x89\x01p\x80\x01c");
    let header = |fin, opcode, length| FrameHeader { fin, compressed: false, opcode, length };
    let mut traced = Vec::new();
    loop {
        match next(&events) {
            Told::Frame(direction, header) => traced.push((direction, header)),
            Told::Message => break,
            other => panic!("{other:?}"),
        }
    }
    let of = |wanted| traced.iter().filter(move |(direction, _)| *direction == wanted).map(|(_, it)| *it);
    let received: Vec<_> = of(Direction::Received).collect();
    assert_eq!(received, [header(false, 1, 2), header(true, 9, 1), header(true, 0, 1)]);
    // On a busy machine the pong goes out before the message is whole.
    let mut sent: Vec<_> = of(Direction::Sent).collect();
    assert_eq!(wire.frame().0, 0x8a);
    client.send(MessageType::Binary, &[7; 300]).expect("open");
    client.send_piece(MessageType::Text, b"x", false, None).expect("open");
    assert_eq!(wire.frame().1.len(), 300);
    assert_eq!(wire.frame().0, 0x01);
    while sent.len() < 3 {
        match next(&events) {
            Told::Frame(Direction::Sent, header) => sent.push(header),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(sent, [header(true, 10, 1), header(true, 2, 300), header(false, 1, 1)]);
}

#[test]
fn reports_no_frames_by_default() {
    let peer = Peer::bind();
    let (client, events) = connect(&peer, quiet());
    let mut wire = peer.open();
    wire.send(b"\x81\x01a");
    client.send(MessageType::Text, b"b").expect("accepted");
    assert!(matches!(next(&events), Told::Opened));
    assert!(matches!(next(&events), Told::Message));
    assert_eq!(wire.frame().1, b"b");
}

#[test]
fn reports_frames_only_while_a_listener_wants_them() {
    let peer = Peer::bind();
    let tracing = Arc::new(Tracing::default());
    let (client, events) = connect_traced(&peer, quiet(), &tracing);
    let mut wire = peer.open();
    wire.send(b"\x81\x01a");
    assert!(matches!(next(&events), Told::Opened));
    assert!(matches!(next(&events), Told::Message));
    for length in [2, 3] {
        tracing.wanted.store(length == 2, Ordering::Relaxed);
        wire.send(b"\x81\x01b");
        if length == 2 {
            assert!(matches!(next(&events), Told::Frame(Direction::Received, header) if header.length == 1));
        }
        assert!(matches!(next(&events), Told::Message));
        client.send(MessageType::Text, &[b'c'; 3][..length]).expect("open");
        assert_eq!(wire.frame().1.len(), length);
        if length == 2 {
            assert!(matches!(next(&events), Told::Frame(Direction::Sent, header) if header.length == 2));
        }
    }
}

#[test]
fn a_full_frame_listener_pauses_writing_and_not_reading() {
    let peer = Peer::bind();
    let tracing = Arc::new(Tracing { wanted: true.into(), full: true.into(), ..Tracing::default() });
    // The close frame and its timeout wait too.
    let (client, events) = connect_traced(
        &peer,
        Options {
            session: SessionOptions { close_timeout: Duration::from_millis(1), ..quiet().session },
            ..quiet()
        },
        &tracing,
    );
    let mut wire = peer.open();
    assert!(matches!(next(&events), Told::Opened));
    client.send(MessageType::Text, b"held").expect("open");
    client.close(1000, "").expect("open");
    for _ in 0..3 {
        wire.send(b"\x81\x01a");
        assert!(matches!(next(&events), Told::Frame(Direction::Received, _)));
        assert!(matches!(next(&events), Told::Message));
        assert!(client.buffered() > 0);
    }
    tracing.full.store(false, Ordering::Relaxed);
    let waker = tracing.waker.lock().expect("no panic").take();
    waker.expect("the session waits").wake();
    assert_eq!(wire.frame().1, b"held");
}

#[test]
fn statistics_arrive_at_their_interval_and_count_unanswered_pings() {
    let peer = Peer::bind();
    let options = Options {
        session: SessionOptions { statistics_interval: Some(Duration::from_millis(5)), ..quiet().session },
        ..quiet()
    };
    let (client, events) = connect(&peer, options);
    let mut wire = peer.open();
    assert!(matches!(next(&events), Told::Opened));
    let next = || match next(&events) {
        Told::Statistics(statistics) => statistics,
        other => panic!("{other:?}"),
    };
    for ping in [b"one", b"two", b"six"] {
        client.ping(ping).expect("open");
        assert_eq!(wire.frame().1, ping);
    }
    let mut counted = next();
    while counted.pings_sent < 3 {
        counted = next();
    }
    assert_eq!((counted.pings_unanswered, counted.pongs_received), (3, 0));
    assert!(counted.timing.is_some());
    // This pong also answers the ping before.
    wire.send(b"\x8a\x03two");
    while counted.pongs_received == 0 {
        counted = next();
    }
    assert_eq!((counted.pings_unanswered, counted.pongs_received), (1, 1));
    assert!(counted.round_trip.is_some() && counted.round_trip_minimum == counted.round_trip);
}

#[test]
fn the_queue_is_limited_by_messages_and_reports_drained_at_a_quarter() {
    let peer = Peer::bind();
    let (client, events) = connect(&peer, quiet());
    client.set_send_limits(SendLimits { messages: 8, ..SendLimits::of_bytes(1_000_000) });
    for _ in 0..8 {
        client.send(MessageType::Text, b"short").expect("within the limit");
    }
    assert_eq!(client.send(MessageType::Text, b"short"), Err(SendError::QueueFull));
    assert_eq!(client.statistics().buffered_messages, 8);
    let mut wire = peer.open();
    assert!(matches!(next(&events), Told::Opened));
    assert!(matches!(next(&events), Told::Drained));
    for _ in 0..8 {
        assert_eq!(wire.frame().1, b"short");
    }
    client.send(MessageType::Text, b"more").expect("drained");
    assert_eq!(wire.frame().1, b"more");
}

#[test]
fn the_end_reports_the_elapsed_time_and_the_last_activity() {
    let peer = Peer::bind();
    let (_client, events) = connect(&peer, quiet());
    let mut wire = peer.open();
    assert!(matches!(next(&events), Told::Opened));
    wire.send(b"\x81\x01a");
    assert!(matches!(next(&events), Told::Message));
    drop(wire);
    let Told::Failed(Cause::Lost, failed) = next(&events) else { panic!("not lost") };
    let Told::Closed(Cause::Lost, closed) = next(&events) else { panic!("not closed") };
    assert_eq!(failed, closed);
    assert!(closed.last_activity.is_some_and(|last| last < closed.elapsed), "{closed:?}");

    let (client, events) = connect(&peer, quiet());
    let mut wire = peer.accept();
    wire.read_request();
    let _ = client.close(1000, "");
    let Told::Failed(Cause::Application, times) = next(&events) else { panic!("not abandoned") };
    assert!(times.elapsed > Duration::ZERO && times.last_activity.is_none(), "{times:?}");
    wire.expect_end();

    // A server that starts its answer and does not continue.
    let limits = PhaseTimeouts { upgrade: Some(Duration::from_millis(200)), ..PhaseTimeouts::default() };
    let (_client, events) = connect(&peer, Options { phase_timeouts: limits, ..quiet() });
    let mut wire = peer.accept();
    wire.read_request();
    wire.send(b"HTTP/1.1 1");
    let Told::Failed(Cause::Timeout, times) = next(&events) else { panic!("not timed out") };
    assert!(times.last_activity.is_some_and(|last| last < times.elapsed), "{times:?}");
}
