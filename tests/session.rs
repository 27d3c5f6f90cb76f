//! Connections against a peer that writes literal bytes.

mod support;

use std::io::{ErrorKind, Read, Write};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use net_websocket::internals::client::{
    Client, CloseStart, Closed, Failure, Listener, Message, MessageType, Opened, Options, PerMessageDeflate,
    PingError, Request, SEND_LIMIT_BYTES, SendError, SendLimits, SessionOptions,
};
use net_websocket::internals::protocol::Inflater;
use support::{DEADLINE, Peer, Recorded, Recorder, Seen, Wire, quiet};

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

#[test]
fn delivers_frames_that_arrived_with_the_upgrade_after_opened() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, quiet());
    peer.accept().upgrade(b"\x81\x02hi\x88\x05\x03\xe8bye");
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Text("hi".to_owned()));
    assert_eq!(recorded.next(), Seen::Closed(1000, "bye".to_owned()));
    recorded.finish(());
}

#[test]
fn assembles_fragments_that_arrive_byte_by_byte_around_a_ping() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, quiet());
    let mut wire = peer.open();
    for byte in b"\x01\x02\xc3\xa9\x89\x03abc\x80\x01!\x02\x01a\x80\x01b" {
        wire.send(&[*byte]);
    }
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Text("é!".to_owned()));
    assert_eq!(recorded.next(), Seen::Binary(b"ab".to_vec()));
    assert_eq!(wire.frame(), (PONG, b"abc".to_vec()));
    recorded.finish(wire);
}

#[test]
fn answers_the_peers_close_with_its_code_and_ends_the_connection() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, quiet());
    let mut wire = peer.open();
    wire.send(b"\x88\x0a\x0f\xa0go away!");
    assert_eq!(wire.frame(), (CLOSE, b"\x0f\xa0".to_vec()));
    wire.expect_end();
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Closed(4000, "go away!".to_owned()));
    assert_eq!(recorded.client.send(MessageType::Text, b"late"), Err(SendError::NotConnected));
    assert_eq!(recorded.client.close(1000, ""), Ok(CloseStart::Handshake));
    recorded.finish(wire);
}

#[test]
fn answers_every_ping_of_a_burst_in_order() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, quiet());
    let mut wire = peer.open();
    let pings: Vec<u8> = (0..10).flat_map(|number| [PING, 1, number]).collect();
    wire.send(&pings);
    for number in 0..10 {
        assert_eq!(wire.frame(), (PONG, vec![number]));
    }
    assert_eq!(recorded.next(), Seen::Opened);
    recorded.finish(wire);
}

#[test]
fn messages_accepted_before_a_violation_are_sent_before_the_close_frame() {
    struct Echo(Arc<OnceLock<Client>>, Recorder);
    impl Listener for Echo {
        fn opened(&mut self, opened: &Opened) {
            self.1.opened(opened);
        }
        fn message(&mut self, message: Message<'_>) {
            let client = self.0.get().expect("set before it connects");
            client.send(message.kind(), message.data()).expect("open");
        }
        fn failed(&mut self, failure: &Failure) {
            self.1.failed(failure);
        }
        fn closed(&mut self, closed: &Closed) {
            self.1.closed(closed);
        }
    }
    let peer = Peer::bind();
    let (sender, events) = channel();
    let own = Arc::new(OnceLock::new());
    let listener = Echo(own.clone(), Recorder(sender));
    let client = own.get_or_init(|| Client::new(Box::new(listener), 1_000));
    client.connect(Request::parse(&peer.url(), quiet()).expect("good")).expect("idle");
    let mut wire = peer.open();
    // A valid message and one with a reserved bit, in one write.
    wire.send(b"\x81\x02hi\xa1\x02no");
    assert_eq!(wire.frame(), (TEXT, b"hi".to_vec()));
    let (first, payload) = wire.frame();
    assert_eq!((first, &payload[..2]), (CLOSE, &b"\x03\xea"[..]));
    assert_eq!(events.recv_timeout(DEADLINE), Ok(Seen::Opened));
    assert!(matches!(events.recv_timeout(DEADLINE), Ok(Seen::Failed(text)) if text.contains("reserved bit")));
    assert!(matches!(events.recv_timeout(DEADLINE), Ok(Seen::Closed(1002, _))));
}

#[test]
fn an_invalid_answer_to_our_close_frame_is_not_an_error() {
    let peer = Peer::bind();
    // gevent-websocket 0.10.1 answers a close with a reason like this. Werkzeug 3.1 answers every close like this.
    let close_frames: [&[u8]; 4] =
        [b"\x88\x05\x62\x79tea", b"\x88\x02\x03\xed", b"\x88\x01\x03", b"\x88\x03\x03\xe8\xff"];
    let others: [&[u8]; 3] = [b"HTTP/1.1 200 OK\r\n\r\n", b"\xa1\x02no", b"\x81\x02\xff\xfe"];
    for (answer, code) in
        close_frames.map(|answer| (answer, 4001)).into_iter().chain(others.map(|answer| (answer, 1006)))
    {
        let recorded = Recorded::connect(&peer, quiet());
        let mut wire = peer.open();
        assert_eq!(recorded.next(), Seen::Opened);
        assert_eq!(recorded.client.close(4001, "bye"), Ok(CloseStart::Handshake));
        assert_eq!(wire.frame(), (CLOSE, b"\x0f\xa1bye".to_vec()));
        wire.send(answer);
        match recorded.next() {
            Seen::Closed(4001, reason) if code == 4001 => assert_eq!(reason, "bye"),
            Seen::Closed(1006, reason) if code == 1006 => {
                assert!(reason.starts_with("no close frame came after ours (4001): "), "{reason}");
            }
            other => panic!("{answer:?}: {other:?}"),
        }
        recorded.finish(wire);
    }
}

#[test]
fn compresses_every_message_of_a_burst() {
    const MESSAGES: u8 = 80;
    /// In total size and in number more than the session compresses for one write.
    const MESSAGE_BYTES: usize = 20_000;
    /// With a threshold of 0 an empty one is compressed as well, though it gets longer.
    fn sent(number: u8) -> Vec<u8> {
        vec![number; if number % 3 == 2 { 0 } else { MESSAGE_BYTES }]
    }
    struct Burst(Arc<OnceLock<Client>>);
    impl Listener for Burst {
        fn opened(&mut self, _opened: &Opened) {
            let client = self.0.get().expect("set before it connects");
            for number in 0..MESSAGES {
                client.send(MessageType::Binary, &sent(number)).expect("open");
            }
        }
        fn message(&mut self, _message: Message<'_>) {}
        fn failed(&mut self, _failure: &Failure) {}
        fn closed(&mut self, _closed: &Closed) {}
    }
    let peer = Peer::bind();
    let own = Arc::new(OnceLock::new());
    let client = own.get_or_init(|| Client::new(Box::new(Burst(own.clone())), 10_000_000));
    let deflate = PerMessageDeflate { threshold: 0, ..PerMessageDeflate::default() };
    let options = Options {
        session: SessionOptions { per_message_deflate: Some(deflate), ..quiet().session },
        ..quiet()
    };
    client.connect(Request::parse(&peer.url(), options).expect("good")).expect("idle");
    let mut wire = peer.accept();
    wire.upgrade_with("Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover\r\n", b"");
    for number in 0..MESSAGES {
        let (first, mut payload) = wire.frame();
        assert_eq!(first, BINARY | 0x40, "message {number} is compressed (RFC 7692 section 6)");
        payload.extend([0, 0, 0xff, 0xff]);
        let mut message = Vec::with_capacity(MESSAGE_BYTES + 1);
        flate2::Decompress::new(false)
            .decompress_vec(&payload, &mut message, flate2::FlushDecompress::Sync)
            .expect("deflated");
        assert_eq!(message, sent(number), "message {number}");
    }
}

#[test]
fn a_close_frame_without_a_code_is_reported_as_1005_and_answered_without_one() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, quiet());
    let mut wire = peer.open();
    wire.send(b"\x88\x00");
    assert_eq!(wire.frame(), (CLOSE, vec![]));
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Closed(1005, String::new()));
    recorded.finish(wire);
}

#[test]
fn sends_queued_messages_before_its_close_frame_and_reports_its_own_code() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, quiet());
    recorded.client.send(MessageType::Text, b"first").expect("accepted before open");
    let mut wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    recorded.client.send(MessageType::Binary, &[0; 300]).expect("accepted");
    recorded.client.close(3001, "done").expect("open");
    assert_eq!(recorded.client.send(MessageType::Text, b"late"), Err(SendError::NotConnected));
    assert_eq!(wire.frame(), (TEXT, b"first".to_vec()));
    assert_eq!(wire.frame(), (BINARY, vec![0; 300]));
    assert_eq!(wire.frame(), (CLOSE, b"\x0b\xb9done".to_vec()));
    // Data that the peer sent before it saw the close frame still arrives.
    wire.send(b"\x81\x04last\x88\x02\x03\xe8");
    assert_eq!(recorded.next(), Seen::Text("last".to_owned()));
    assert_eq!(recorded.next(), Seen::Closed(3001, "done".to_owned()));
    wire.expect_end();
    assert_eq!(recorded.client.buffered(), 0);
    recorded.finish(wire);
}

#[test]
fn ends_after_the_close_timeout_when_no_close_frame_comes() {
    let peer = Peer::bind();
    let options = Options {
        session: SessionOptions { close_timeout: Duration::from_millis(100), ..quiet().session },
        ..quiet()
    };
    let recorded = Recorded::connect(&peer, options);
    let mut wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    recorded.client.close(1000, "").expect("open");
    let Seen::Closed(1006, reason) = recorded.next() else { panic!("not closed as lost") };
    assert!(reason.contains("100 ms"), "{reason}");
    assert_eq!(wire.frame().0, CLOSE);
    wire.expect_end();
    recorded.finish(wire);
}

#[test]
fn a_peer_that_disconnects_instead_of_a_close_frame_is_1006_without_an_error() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, quiet());
    let mut wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    recorded.client.close(3001, "done").expect("open");
    assert_eq!(wire.frame(), (CLOSE, b"\x0b\xb9done".to_vec()));
    drop(wire);
    let Seen::Closed(1006, reason) = recorded.next() else { panic!("not closed as lost") };
    assert!(reason.contains("3001") && reason.contains("hung up"), "{reason}");
    recorded.finish(());
}

#[test]
fn a_connection_that_ends_without_a_close_frame_reports_an_error_and_1006() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, quiet());
    drop(peer.open());
    assert_eq!(recorded.next(), Seen::Opened);
    let Seen::Failed(text) = recorded.next() else { panic!("no failure") };
    assert!(text.starts_with("open connection lost"), "{text}");
    let Seen::Closed(1006, reason) = recorded.next() else { panic!("not closed") };
    assert_eq!(reason, text);
    recorded.finish(());
}

#[test]
fn a_message_over_the_limit_closes_with_1009() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(
        &peer,
        Options { session: SessionOptions { message_limit: 10, ..quiet().session }, ..quiet() },
    );
    let mut wire = peer.open();
    wire.send(b"\x82\x0a0123456789");
    wire.send(b"\x82\x0b");
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Binary(b"0123456789".to_vec()));
    let Seen::Failed(text) = recorded.next() else { panic!("no failure") };
    assert!(text.contains("limit of 10 bytes"), "{text}");
    assert!(matches!(recorded.next(), Seen::Closed(1009, _)));
    let (first, payload) = wire.frame();
    assert_eq!((first, &payload[..2]), (CLOSE, &b"\x03\xf1"[..]));
    recorded.finish(wire);
}

#[test]
fn pings_at_the_interval_and_ends_when_the_peer_is_silent() {
    let peer = Peer::bind();
    let interval = Duration::from_millis(20);
    let timeout = Duration::from_millis(200);
    let options = Options {
        session: SessionOptions {
            ping_interval: Some(interval),
            pong_timeout: Some(timeout),
            ..quiet().session
        },
        ..quiet()
    };
    let recorded = Recorded::connect(&peer, options);
    let mut wire = peer.open();
    for _ in 0..3 {
        assert_eq!(wire.frame(), (PING, vec![]));
        wire.send(b"\x8a\x00");
    }
    let silent_since = Instant::now();
    assert_eq!(recorded.next(), Seen::Opened);
    let Seen::Failed(text) = recorded.next() else { panic!("no failure") };
    assert!(text.contains("200 ms after a ping"), "{text}");
    assert!(silent_since.elapsed() >= timeout, "gave up after {:?}", silent_since.elapsed());
    assert!(matches!(recorded.next(), Seen::Closed(1006, _)));
    recorded.finish(wire);
}

/// A line of 20 MB a second takes several times [`SHORT`] for this.
const UPLOAD_BYTES: usize = 30_000_000;
const SHORT: Duration = Duration::from_millis(250);

/// Keepalive with a pong timeout of [`SHORT`].
fn impatient() -> Options {
    let session =
        SessionOptions { ping_interval: Some(SHORT / 5), pong_timeout: Some(SHORT), ..quiet().session };
    Options { session, ..quiet() }
}

/// Reads a message of [`UPLOAD_BYTES`] over a slow line, and measures the time.
fn read_slowly(mut wire: Wire) -> thread::JoinHandle<(Wire, Duration)> {
    // The kernel acknowledges the bytes in its buffer. A large buffer would hide that the peer reads slowly.
    socket2::SockRef::from(&wire.0).set_recv_buffer_size(262_144).expect("a buffer size");
    thread::spawn(move || {
        // Answers a ping before the message, because queueing the message can take long.
        let mut first = [0; 1];
        while wire.0.peek(&mut first).expect("the connection lives") == 1 && first[0] == PING {
            let (_, payload) = wire.frame();
            wire.send(&[&[PONG, payload.len() as u8], payload.as_slice()].concat());
        }
        // A line of at most 20 MB a second. The next ping follows the whole message.
        let began = Instant::now();
        let mut left = UPLOAD_BYTES;
        while left > 0 {
            let mut part = vec![0; 100_000.min(left)];
            wire.0.read_exact(&mut part).expect("the connection lives");
            left -= part.len();
            thread::sleep(Duration::from_millis(5));
        }
        (wire, began.elapsed())
    })
}

/// A client with a short pong timeout and an upload in one frame, and its slow reader. The next ping waits behind the frame.
fn uploads_slowly(peer: &Peer) -> (Recorded, thread::JoinHandle<(Wire, Duration)>) {
    let recorded = Recorded::connect(peer, impatient());
    let wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    let reader = read_slowly(wire);
    recorded
        .client
        .set_send_limits(SendLimits { fragments: false, ..SendLimits::of_bytes(SEND_LIMIT_BYTES) });
    recorded.client.send(MessageType::Binary, &vec![1; UPLOAD_BYTES]).expect("open");
    (recorded, reader)
}

#[test]
fn an_upload_that_advances_extends_the_pong_timeout() {
    let peer = Peer::bind();
    let (recorded, reader) = uploads_slowly(&peer);
    let (mut wire, elapsed) = reader.join().expect("no panic");
    assert!(elapsed > 3 * SHORT);
    wire.send(b"\x81\x02hi");
    assert_eq!(recorded.next(), Seen::Text("hi".to_owned()));
    recorded.finish(wire);

    // A peer that stops reading is lost.
    let session = SessionOptions { pong_timeout: Some(8 * SHORT), ..impatient().session };
    let recorded = Recorded::connect(&peer, Options { session, ..impatient() });
    let wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    recorded.client.send(MessageType::Binary, &vec![1; UPLOAD_BYTES]).expect("open");
    assert!(matches!(recorded.next(), Seen::Failed(text) if text.contains("after a ping")));
    assert!(matches!(recorded.next(), Seen::Closed(1006, _)));
    recorded.finish(wire);
}

/// No ping follows our close frame, so no pong comes.
#[test]
fn an_upload_that_advances_extends_the_close_timeout() {
    let peer = Peer::bind();
    let (recorded, reader) = uploads_slowly(&peer);
    recorded.client.send(MessageType::Text, b"last").expect("open");
    recorded.client.close(1000, "").expect("open");
    let (mut wire, elapsed) = reader.join().expect("no panic");
    assert!(elapsed > 3 * SHORT);
    // The rest is the end of the message, the last message and the close frame.
    let mut rest = Vec::new();
    let mut part = [0; 1_000];
    while !rest.windows(2).any(|bytes| bytes == [CLOSE, 0x82]) {
        let count = wire.0.read(&mut part).expect("the connection lives");
        assert!(count > 0, "no close frame came");
        rest.extend_from_slice(&part[..count]);
    }
    wire.send(b"\x88\x02\x03\xe8");
    assert_eq!(recorded.next(), Seen::Closed(1000, String::new()));
    recorded.finish(wire);
}

#[test]
fn an_attempt_ends_at_its_deadline_with_an_error_that_names_the_phase() {
    let peer = Peer::bind();
    let recorded =
        Recorded::connect(&peer, Options { connect_timeout: Duration::from_millis(50), ..quiet() });
    let mut wire = peer.accept();
    wire.read_request();
    let Seen::Failed(text) = recorded.next() else { panic!("no failure") };
    assert!(text.starts_with("WebSocket upgrade with 127.0.0.1:") && text.contains("50 ms"), "{text}");
    wire.expect_end();
    recorded.finish(wire);
}

#[test]
fn a_cancelled_attempt_reports_its_dropped_messages_and_the_next_one_works() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, quiet());
    let mut wire = peer.accept();
    wire.read_request();
    recorded.client.send(MessageType::Text, b"one").expect("accepted");
    recorded.client.send(MessageType::Text, b"two").expect("accepted");
    assert_eq!(recorded.client.close(1000, ""), Ok(CloseStart::Cancelled));
    // Connects at once, before the first attempt has ended.
    recorded.dial(&peer, quiet());
    let Seen::Failed(text) = recorded.next() else { panic!("no failure") };
    assert!(text.contains("abandoned") && text.contains("2 queued messages"), "{text}");
    wire.expect_end();
    let mut wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    recorded.client.send(MessageType::Text, b"three").expect("open");
    assert_eq!(wire.frame(), (TEXT, b"three".to_vec()));
    recorded.finish(wire);
}

#[test]
fn an_unrequested_sub_protocol_fails_the_upgrade() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, Options { protocols: "chat".to_owned(), ..quiet() });
    let request = peer.accept().upgrade_with("Sec-WebSocket-Protocol: other\r\n", b"");
    assert!(request.contains("Sec-WebSocket-Protocol: chat\r\n"), "{request}");
    let Seen::Failed(text) = recorded.next() else { panic!("no failure") };
    assert!(text.contains("sub-protocol that was not requested"), "{text}");
    recorded.finish(());
}

#[test]
fn a_dropped_client_sends_what_it_accepted_and_closes_with_1001() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, quiet());
    let mut wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    let message = vec![7; 1_000_000];
    recorded.client.send(MessageType::Binary, &message).expect("open");
    let finished = std::thread::spawn(|| recorded.finish(()));
    assert!(wire.message() == (BINARY, message));
    assert_eq!(wire.frame(), (CLOSE, b"\x03\xe9".to_vec()));
    wire.send(b"\x88\x02\x03\xe9");
    wire.expect_end();
    drop(wire);
    finished.join().expect("no event after the drop");
}

#[test]
fn a_full_queue_refuses_messages_and_loses_none() {
    let peer = Peer::bind();
    let recorded = Recorded::new(1_000);
    for number in 0..9_u8 {
        recorded.client.send(MessageType::Binary, &[number; 90]).expect("within the limit");
    }
    assert_eq!(recorded.client.send(MessageType::Binary, &[9; 200]), Err(SendError::QueueFull));
    assert_eq!(recorded.client.send(MessageType::Binary, &[9; 1_000]), Err(SendError::TooLong));
    recorded.dial(&peer, quiet());
    let mut wire = peer.open();
    for number in 0..9_u8 {
        assert_eq!(wire.frame(), (BINARY, vec![number; 90]));
    }
    assert_eq!(recorded.next(), Seen::Opened);
    recorded.finish(wire);
}

#[test]
fn cancelling_an_attempt_empties_a_filled_queue() {
    let peer = Peer::bind();
    let recorded = Recorded::new(1_000);
    recorded.dial(&peer, quiet());
    let mut wire = peer.accept();
    wire.read_request();
    recorded.client.send(MessageType::Binary, &[1; 900]).expect("within the limit");
    assert!(recorded.client.is_above_low_water());
    assert_eq!(recorded.client.close(1000, ""), Ok(CloseStart::Cancelled));
    assert!(!recorded.client.is_above_low_water(), "no drained event is to come");
    assert!(matches!(recorded.next(), Seen::Failed(_)));
    recorded.finish(wire);
}

#[test]
fn refuses_pings_once_too_many_are_queued() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, quiet());
    let wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    // More than the kernel buffers for a peer that does not read. One frame, because pings pass between fragments.
    recorded
        .client
        .set_send_limits(SendLimits { fragments: false, ..SendLimits::of_bytes(SEND_LIMIT_BYTES) });
    recorded.client.send(MessageType::Binary, &vec![1; 50_000_000]).expect("open");
    let pings = (0..20_000).map(|_| recorded.client.ping(b"there?"));
    let refused = pings.filter(|ping| *ping == Err(PingError::TooMany)).count();
    assert!((19_900..20_000).contains(&refused), "{refused} refused");
    drop(wire);
    assert!(matches!(recorded.next(), Seen::Failed(_)));
    assert!(matches!(recorded.next(), Seen::Closed(1006, _)));
}

#[test]
fn control_frames_overtake_queued_pieces() {
    const PIECES: usize = 600;
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, quiet());
    let mut wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    for _ in 0..PIECES {
        recorded.client.send_piece(MessageType::Binary, &[1; 100_000], false, None).expect("open");
    }
    recorded.client.ping(b"now").expect("open");
    let before = (0..).take_while(|_| wire.frame().0 != PING).count();
    // The bytes in the kernel's buffers come first.
    assert!(before < PIECES / 2, "{before} pieces came first");
    drop(recorded.client);
}

/// Reports the code of an end (0 for a failure) and the number of unsent messages.
struct Ends(Sender<(u16, usize)>);

impl Listener for Ends {
    fn opened(&mut self, _opened: &Opened) {}
    fn message(&mut self, _message: Message<'_>) {}
    fn failed(&mut self, failure: &Failure) {
        let _ = self.0.send((0, failure.unsent));
    }
    fn closed(&mut self, closed: &Closed) {
        let _ = self.0.send((closed.code, closed.unsent));
    }
}

#[test]
fn counts_the_messages_that_a_closing_connection_did_not_send() {
    let connect = |peer: &Peer| {
        let (sender, events) = channel();
        let client = Client::new(Box::new(Ends(sender)), SEND_LIMIT_BYTES);
        client.connect(Request::parse(&peer.url(), quiet()).expect("good")).expect("idle");
        // More than the kernel buffers while the peer does not read.
        client.send(MessageType::Binary, &vec![1; 50_000_000]).expect("accepted");
        for _ in 0..5 {
            client.send(MessageType::Text, b"more").expect("accepted");
        }
        (client, events)
    };
    let peer = Peer::bind();
    let (_client, events) = connect(&peer);
    let mut wire = peer.open();
    wire.expect(&[BINARY & 0x7f]);
    wire.send(b"\xff\x00");
    assert_eq!(events.recv_timeout(DEADLINE), Ok((0, 6)));
    assert_eq!(events.recv_timeout(DEADLINE), Ok((1002, 6)));

    let (client, events) = connect(&peer);
    let mut wire = peer.open();
    wire.expect(&[BINARY & 0x7f]);
    client.close(1000, "bye").expect("open");
    wire.send(b"\x88\x02\x03\xe8");
    assert_eq!(events.recv_timeout(DEADLINE), Ok((1000, 6)));
}

/// A listener that is full after [`Sated::FULL_BYTES`] until the test empties it.
struct Sated {
    store: Arc<Mutex<Store>>,
    events: Sender<bool>,
}

#[derive(Default)]
struct Store {
    bytes: usize,
    most: usize,
    messages: usize,
    waker: Option<Waker>,
}

impl Sated {
    const FULL_BYTES: usize = 524_288;
}

impl Listener for Sated {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut store = self.store.lock().expect("no panic");
        if store.bytes < Self::FULL_BYTES {
            return Poll::Ready(());
        }
        store.waker = Some(cx.waker().clone());
        let _ = self.events.send(false);
        Poll::Pending
    }

    fn opened(&mut self, _opened: &Opened) {}

    fn message(&mut self, message: Message<'_>) {
        let mut store = self.store.lock().expect("no panic");
        store.bytes += message.data().len();
        store.most = store.most.max(store.bytes);
        store.messages += 1;
    }

    fn failed(&mut self, failure: &Failure) {
        panic!("{failure}");
    }

    fn closed(&mut self, closed: &Closed) {
        assert_eq!(closed.code, 1000);
        let _ = self.events.send(true);
    }
}

#[test]
fn a_full_listener_pauses_the_inflating_of_one_read() {
    const MESSAGE_BYTES: usize = 65_536;
    const MESSAGES: usize = 400;
    /// One turn of the session may exceed the listener's limit by this much.
    const MOST_BYTES: usize = Sated::FULL_BYTES + 262_144 + MESSAGE_BYTES;
    let mut payload = Vec::with_capacity(1_024);
    flate2::Compress::new(flate2::Compression::best(), false)
        .compress_vec(&[0; MESSAGE_BYTES], &mut payload, flate2::FlushCompress::Sync)
        .expect("compressible");
    payload.truncate(payload.len() - 4);
    let mut frame = vec![BINARY | 0x40, u8::try_from(payload.len()).expect("short")];
    frame.append(&mut payload);
    assert!(frame.len() * MESSAGES < 65_536, "one read brings them all");

    let peer = Peer::bind();
    let store = Arc::new(Mutex::new(Store::default()));
    let (events, told) = channel();
    let client = Client::new(Box::new(Sated { store: store.clone(), events }), 1_000);
    // The pong timeout must not mistake the pause for a dead peer.
    let options = Options {
        session: SessionOptions {
            per_message_deflate: Some(PerMessageDeflate::default()),
            ping_interval: Some(Duration::from_millis(10)),
            pong_timeout: Some(Duration::from_millis(20)),
            ..quiet().session
        },
        ..quiet()
    };
    client.connect(Request::parse(&peer.url(), options).expect("good")).expect("idle");
    let mut wire = peer.accept();
    let behind = [frame.repeat(MESSAGES), b"\x88\x02\x03\xe8".to_vec()].concat();
    wire.upgrade_with("Sec-WebSocket-Extensions: permessage-deflate\r\n", &behind);
    while !told.recv_timeout(DEADLINE).expect("full or closed") {
        let mut store = store.lock().expect("no panic");
        store.bytes = 0;
        let waker = store.waker.take();
        drop(store);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
    let store = store.lock().expect("no panic");
    assert_eq!(store.messages, MESSAGES);
    assert!(store.most <= MOST_BYTES, "{} bytes at once", store.most);
}

/// A listener that is full until the test opens its gate.
struct Reluctant {
    recorder: Recorder,
    gate: Arc<Mutex<(bool, Option<Waker>)>>,
}

impl Listener for Reluctant {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut gate = self.gate.lock().expect("no panic");
        if gate.0 {
            return Poll::Ready(());
        }
        gate.1 = Some(cx.waker().clone());
        Poll::Pending
    }

    fn opened(&mut self, opened: &Opened) {
        self.recorder.opened(opened);
    }

    fn message(&mut self, message: Message<'_>) {
        self.recorder.message(message);
    }

    fn failed(&mut self, failure: &Failure) {
        self.recorder.failed(failure);
    }

    fn closed(&mut self, closed: &Closed) {
        self.recorder.closed(closed);
    }
}

#[test]
fn a_full_listener_pauses_the_peer_and_loses_no_message() {
    const MESSAGE_BYTES: usize = 16_384;
    /// Far more than the kernel buffers on both sides.
    const BYTES_MAX: usize = 268_435_456;
    let peer = Peer::bind();
    let (sender, events) = channel();
    let gate = Arc::new(Mutex::new((false, None::<Waker>)));
    let listener = Reluctant { recorder: Recorder(sender), gate: gate.clone() };
    let client = Client::new(Box::new(listener), 1_000);
    // The pong deadline must not take the pause for a dead peer.
    let options = Options {
        session: SessionOptions {
            ping_interval: Some(Duration::from_millis(10)),
            pong_timeout: Some(Duration::from_millis(20)),
            ..quiet().session
        },
        ..quiet()
    };
    client.connect(Request::parse(&peer.url(), options).expect("good")).expect("idle");
    let mut wire = peer.open();

    let mut frame = vec![BINARY, 126];
    frame.extend((MESSAGE_BYTES as u16).to_be_bytes());
    frame.resize(4 + MESSAGE_BYTES, 0);
    wire.0.set_nonblocking(true).expect("nonblocking");
    let (mut written, mut stuck_since) = (0, None::<Instant>);
    // The peer is paused when no write succeeded for several ping intervals and a pong timeout.
    while stuck_since.is_none_or(|since| since.elapsed() < Duration::from_millis(200)) {
        match wire.0.write(&frame[written % frame.len()..]) {
            Ok(count) => {
                written += count;
                stuck_since = None;
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "the connection is alive: {error}");
                stuck_since.get_or_insert_with(Instant::now);
                std::thread::yield_now();
            }
        }
        assert!(written < BYTES_MAX, "the client goes on reading");
    }
    wire.0.set_nonblocking(false).expect("blocking");

    let waker = {
        let mut gate = gate.lock().expect("no panic");
        gate.0 = true;
        gate.1.take()
    };
    waker.expect("the session waits").wake();
    wire.send(&frame[written % frame.len()..]);
    wire.send(b"\x88\x02\x03\xe8");
    let whole = written.div_ceil(frame.len());
    assert_eq!(events.recv_timeout(DEADLINE), Ok(Seen::Opened));
    for _ in 0..whole {
        assert_eq!(events.recv_timeout(DEADLINE), Ok(Seen::Binary(vec![0; MESSAGE_BYTES])));
    }
    assert_eq!(events.recv_timeout(DEADLINE), Ok(Seen::Closed(1000, String::new())));
}

/// A listener that panics.
struct Panics(Recorder);

impl Listener for Panics {
    fn opened(&mut self, opened: &Opened) {
        self.0.opened(opened);
    }

    fn message(&mut self, message: Message<'_>) {
        assert_ne!(message.data(), b"panic", "as the test wants");
        self.0.message(message);
    }

    fn failed(&mut self, failure: &Failure) {
        self.0.failed(failure);
    }

    fn closed(&mut self, closed: &Closed) {
        self.0.closed(closed);
    }
}

#[test]
fn a_panic_in_a_listener_ends_only_its_own_connection() {
    let peer = Peer::bind();
    let bystander = Recorded::connect(&peer, quiet());
    let mut bystanders_wire = peer.open();
    assert_eq!(bystander.next(), Seen::Opened);

    let (sender, events) = channel();
    let client = Client::new(Box::new(Panics(Recorder(sender))), 1_000);
    let dial = || client.connect(Request::parse(&peer.url(), quiet()).expect("good")).expect("not connected");
    dial();
    let mut wire = peer.open();
    wire.send(b"\x81\x05panic\x81\x05after");
    assert_eq!(events.recv_timeout(DEADLINE), Ok(Seen::Opened));
    let failed = events.recv_timeout(DEADLINE).expect("an event");
    assert!(matches!(&failed, Seen::Failed(text) if text.contains("internal error")), "{failed:?}");
    assert!(matches!(events.recv_timeout(DEADLINE), Ok(Seen::Closed(1006, _))));
    wire.expect_end();

    dial();
    peer.open().send(b"\x81\x05works");
    assert_eq!(events.recv_timeout(DEADLINE), Ok(Seen::Opened));
    assert_eq!(events.recv_timeout(DEADLINE), Ok(Seen::Text("works".to_owned())));
    bystanders_wire.send(b"\x81\x05still");
    assert_eq!(bystander.next(), Seen::Text("still".to_owned()));
    bystander.finish(bystanders_wire);
}

/// The ways to send a long message.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Copied,
    Owned,
    Piece,
    Compressed,
}

/// Even compressed, more than the kernel buffers for a peer that does not read.
const LONG_BYTES: usize = 12_000_000;

/// Bytes that do not compress.
fn noise(bytes: usize) -> Vec<u8> {
    let mut random = 1_u32;
    let next = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 24) as u8
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

/// What a message is that came in these bytes, the ones before having been given as well.
fn inflate(inflater: &mut Inflater, mut payload: &[u8]) -> Vec<u8> {
    let mut message = Vec::new();
    loop {
        let progress = inflater.piece(&mut message, payload, LONG_BYTES).expect("compressed");
        payload = &payload[progress.taken..];
        if progress.complete {
            break;
        }
    }
    inflater.finish(&mut message, LONG_BYTES).expect("a whole message");
    message
}

#[test]
fn a_message_that_does_not_get_shorter_is_sent_uncompressed() {
    const LONG_NOISE_BYTES: usize = 3_000_000;
    let peer = Peer::bind();
    let session =
        SessionOptions { per_message_deflate: Some(PerMessageDeflate::default()), ..quiet().session };
    let recorded = Recorded::new(SEND_LIMIT_BYTES);
    recorded.dial(&peer, Options { session, ..quiet() });
    let mut wire = peer.accept();
    wire.upgrade_with("Sec-WebSocket-Extensions: permessage-deflate\r\n", b"");
    assert_eq!(recorded.next(), Seen::Opened);
    let noise = noise(LONG_NOISE_BYTES);
    let half = [vec![b'x'; 1_500_000], noise[..1_500_000].to_vec()].concat();
    let text = br#"{"type":"message","text":"Text that compresses, and comes again"}"#.repeat(3);
    let deflate = PerMessageDeflate::default().accept("permessage-deflate").expect("legal");
    let mut inflater = deflate.expect("accepted").inflater();
    let messages: [(&[u8], bool); 10] = [
        (&text, true),
        (&noise[..100_000], false),
        (&text, true),
        // In fragments.
        (&noise, false),
        (&text, true),
        // Of noise that was sent before and is not known to the peer's decompressor.
        (&noise[LONG_NOISE_BYTES - 5_000..], false),
        (&half, true),
        // And of noise that is.
        (&half[half.len() - 5_000..], true),
        // Its beginning does not get shorter, so nobody looks at the rest.
        (&[&noise[..600_000], &half[..1_400_000]].concat(), false),
        (&text, true),
    ];
    for (number, (message, compressed)) in messages.into_iter().enumerate() {
        recorded.client.send(MessageType::Binary, message).expect("open");
        let (mut payload, mut first) = (Vec::new(), None);
        loop {
            let (head, part) = wire.frame();
            first.get_or_insert(head);
            payload.extend(part);
            if head & 0x80 != 0 {
                break;
            }
        }
        let rsv1 = first.is_some_and(|head| head & 0x40 != 0);
        assert_eq!(rsv1, compressed, "message {number} of {}, in {} bytes", message.len(), payload.len());
        if rsv1 {
            assert!(payload.len() < message.len(), "message {number}: {} bytes", payload.len());
            payload = inflate(&mut inflater, &payload);
        }
        assert!(payload == message, "message {number}");
    }
    recorded.finish(wire);
}

/// A client that has a long message to send, of which the first byte is on its way.
fn sends_a_long_message(way: Way, fragments: bool) -> (Recorded, support::Wire, Vec<u8>) {
    let peer = Peer::bind();
    let deflate = (way == Way::Compressed).then(PerMessageDeflate::default);
    let session = SessionOptions { per_message_deflate: deflate, ..quiet().session };
    let recorded = Recorded::new(SEND_LIMIT_BYTES);
    recorded.client.set_send_limits(SendLimits { fragments, ..SendLimits::of_bytes(SEND_LIMIT_BYTES) });
    recorded.dial(&peer, Options { session, ..quiet() });
    let mut wire = peer.accept();
    let extension = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    wire.upgrade_with(if way == Way::Compressed { extension } else { "" }, b"");
    assert_eq!(recorded.next(), Seen::Opened);
    // A quarter of it is what came just before, so that it gets shorter.
    let mut message = noise(LONG_BYTES);
    for some in message.chunks_exact_mut(64) {
        some.copy_within(..16, 48);
    }
    let sent = match way {
        Way::Copied | Way::Compressed => recorded.client.send(MessageType::Binary, &message),
        Way::Owned => recorded
            .client
            .send_owned(MessageType::Binary, Box::new(message.clone()), None)
            .map_err(|(error, _)| error),
        Way::Piece => recorded.client.send_piece(MessageType::Binary, &message, true, None),
    };
    sent.expect("open");
    assert!(matches!(wire.0.peek(&mut [0]), Ok(1)), "the first byte");
    (recorded, wire, message)
}

#[test]
fn sends_control_frames_between_the_fragments_of_a_long_message() {
    for way in [Way::Copied, Way::Owned, Way::Piece, Way::Compressed] {
        for fragments in [true, false] {
            let (recorded, mut wire, message) = sends_a_long_message(way, fragments);
            wire.send(b"\x89\x02hi");
            // Once the following message has arrived, the client has answered.
            wire.send(b"\x81\x01a");
            assert_eq!(recorded.next(), Seen::Text("a".to_owned()));
            let (mut payload, mut frames, mut ahead_of_pong) = (Vec::new(), 0, None);
            loop {
                let (first, part) = wire.frame();
                if first == PONG {
                    assert_eq!(part, b"hi");
                    ahead_of_pong = Some(payload.len());
                    continue;
                }
                let opcode = if frames == 0 { BINARY & 0x7f } else { 0 };
                let compressed = if frames == 0 && way == Way::Compressed { 0x40 } else { 0 };
                assert_eq!(first & 0x7f, opcode | compressed, "{way:?}");
                frames += 1;
                payload.extend(part);
                if first & 0x80 != 0 {
                    break;
                }
            }
            assert_eq!(frames > 1, fragments, "{way:?}: {frames} frames");
            if fragments {
                let ahead = ahead_of_pong.expect("a pong between the fragments");
                assert!(ahead < LONG_BYTES - 1_000_000, "{way:?}: a pong behind {ahead} bytes");
            } else {
                assert_eq!(wire.frame(), (PONG, b"hi".to_vec()), "behind the one frame");
            }
            if way == Way::Compressed {
                let deflate = PerMessageDeflate::default().accept("permessage-deflate").expect("legal");
                payload = inflate(&mut deflate.expect("accepted").inflater(), &payload);
            }
            assert!(payload == message, "{way:?}");
            recorded.finish(wire);
        }
    }
}

#[test]
fn answers_a_close_frame_between_the_fragments_of_a_long_message() {
    for way in [Way::Copied, Way::Owned, Way::Piece, Way::Compressed] {
        let (recorded, mut wire, _) = sends_a_long_message(way, true);
        wire.send(b"\x88\x02\x03\xe9");
        assert_eq!(recorded.next(), Seen::Closed(1001, String::new()));
        let mut length = 0;
        loop {
            let (first, part) = wire.frame();
            if first == CLOSE {
                break;
            }
            assert_eq!(first & 0x80, 0, "{way:?}: no fragment is the last");
            length += part.len();
        }
        assert!(length < LONG_BYTES - 1_000_000, "{way:?}: {length} bytes were ahead");
        wire.expect_end();
        drop(recorded);
    }
}
