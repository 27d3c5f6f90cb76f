//! Reconnecting, against a peer that writes literal bytes.

mod support;

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use net_websocket::internals::client::{
    Cause, Causes, Client, CloseStart, Closed, Failure, Listener, Message, MessageType, Opened, Options,
    Outcome, Preparation, PrepareDecision, Proxy, ProxyProtocol, ProxyServer, Reconnect, Reconnecting,
    Request, Rewrite, SendError, State,
};
use support::{DEADLINE, Peer, Recorded, Recorder, Seen, quiet};

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;

/// Retries come within milliseconds.
fn quick() -> Reconnect {
    Reconnect {
        delay: Duration::from_millis(1),
        max_delay: Duration::from_millis(1),
        watch_network: false,
        ..Reconnect::default()
    }
}

/// Retries that never start by themselves.
fn never() -> Reconnect {
    Reconnect { delay: 1_000_000 * DEADLINE, max_delay: 1_000_000 * DEADLINE, ..quick() }
}

fn with(reconnect: Reconnect) -> Options {
    Options { reconnect: Some(reconnect), ..quiet() }
}

#[test]
fn reconnects_after_a_loss_and_reports_the_events_in_order() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, with(quick()));
    drop(peer.open());
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Reconnecting(1, Cause::Lost, 0));
    let mut wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Reconnected(1));
    wire.send(b"\x81\x05again");
    assert_eq!(recorded.next(), Seen::Text("again".to_owned()));
    assert_eq!(recorded.client.state(), State::Open);
    recorded.client.close(1000, "").expect("open");
    assert_eq!(wire.frame().0, CLOSE);
    wire.send(b"\x88\x02\x03\xe8");
    wire.expect_end();
    assert_eq!(recorded.next(), Seen::Closed(1000, String::new()));
    let counted = recorded.client.statistics();
    assert_eq!((counted.attempts, counted.connections), (2, 2));
    recorded.finish(wire);
}

#[test]
fn retries_after_close_codes_of_a_restart_and_not_after_1000() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, with(quick()));
    for code in [1001_u16, 1011, 1012, 1013] {
        let mut wire = peer.open();
        assert_eq!(recorded.next(), Seen::Opened);
        if code > 1001 {
            assert!(matches!(recorded.next(), Seen::Reconnected(_)));
        }
        let [high, low] = code.to_be_bytes();
        wire.send(&[CLOSE, 2, high, low]);
        assert_eq!(wire.frame(), (CLOSE, vec![high, low]));
        assert!(matches!(recorded.next(), Seen::Reconnecting(_, Cause::Restart, 0)));
    }
    let mut wire = peer.open();
    wire.send(b"\x88\x02\x03\xe8");
    assert_eq!(recorded.next(), Seen::Opened);
    assert!(matches!(recorded.next(), Seen::Reconnected(_)));
    assert_eq!(recorded.next(), Seen::Closed(1000, String::new()));
    assert_eq!(recorded.client.state(), State::Closed);
    recorded.finish(wire);
}

#[test]
fn an_invalid_close_frame_is_retried_by_its_code() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, with(quick()));
    // Code, reason, code of the answer, cause.
    let flawed: [(u16, &[u8], u16, Cause); 6] = [
        (1006, b"", 1002, Cause::Lost),
        (1006, b"gone", 1002, Cause::Lost),
        (1001, b"\xe4\xbd", 1007, Cause::Restart),
        (1011, b"cut \xe4", 1007, Cause::Restart),
        (1012, b"\xff", 1007, Cause::Restart),
        (1013, b"\xc0\xaf", 1007, Cause::Restart),
    ];
    for (at, (code, reason, answer, cause)) in flawed.into_iter().enumerate() {
        let mut wire = peer.open();
        assert_eq!(recorded.next(), Seen::Opened);
        if at > 0 {
            assert!(matches!(recorded.next(), Seen::Reconnected(_)));
        }
        wire.send(&close(code, reason));
        let (first, payload) = wire.frame();
        assert_eq!((first, &payload[..2]), (CLOSE, &answer.to_be_bytes()[..]), "{code}");
        let Seen::Reconnecting(_, told, 0) = recorded.next() else { panic!("no retry after {code}") };
        assert_eq!(told, cause, "{code}");
    }
    let wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    assert!(matches!(recorded.next(), Seen::Reconnected(_)));
    recorded.finish(wire);

    // These codes cause no retry, whether the frame is valid or not.
    let done: [(u16, &[u8], u16); 7] = [
        (1005, b"", 1002),
        (1000, b"\xff", 1007),
        (1003, b"\xff", 1007),
        (4000, b"\xff", 1007),
        (0, b"", 1002),
        (1004, b"", 1002),
        (1015, b"", 1002),
    ];
    for (code, reason, answer) in done {
        let recorded = Recorded::connect(&peer, with(quick()));
        let mut wire = peer.open();
        assert_eq!(recorded.next(), Seen::Opened);
        wire.send(&close(code, reason));
        let Seen::Failed(text) = recorded.next() else { panic!("no failure after {code}") };
        assert!(text.contains("close frame") && text.contains(&format!("the code {code}")), "{text}");
        let Seen::Closed(told, _) = recorded.next() else { panic!("no end after {code}") };
        assert_eq!(told, answer, "{code}");
        recorded.finish(wire);
    }
}

fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    let length = u8::try_from(2 + reason.len()).expect("short");
    [&[CLOSE, length][..], &code.to_be_bytes(), reason].concat()
}

#[test]
fn unwritten_messages_are_sent_on_the_next_connection() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, with(never()));
    let mut wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    // The first fills the kernel's buffers, for the peer does not read.
    recorded.client.send_with_receipt(MessageType::Binary, &vec![1; 50_000_000], 1).expect("open");
    recorded.client.send_with_receipt(MessageType::Text, b"two", 2).expect("open");
    recorded.client.send_piece(MessageType::Text, b"thr", false, None).expect("open");
    recorded.client.send_piece(MessageType::Text, b"ee", true, None).expect("open");
    // Its first fragment is partly written.
    wire.expect(&[BINARY & 0x7f]);
    wire.send(b"\x88\x02\x03\xe9");
    assert_eq!(recorded.next(), Seen::Sent(1, Outcome::Unsent));
    assert_eq!(recorded.next(), Seen::Reconnecting(1, Cause::Restart, 1));
    drop(wire);
    assert_eq!(recorded.client.state(), State::Connecting);
    recorded.client.send_with_receipt(MessageType::Text, b"four", 4).expect("accepted while it reconnects");
    assert!(recorded.client.retry_now());
    let mut wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Reconnected(1));
    assert_eq!(wire.frame(), (TEXT, b"two".to_vec()));
    assert_eq!(wire.frame(), (0x01, b"thr".to_vec()));
    assert_eq!(wire.frame(), (0x80, b"ee".to_vec()));
    assert_eq!(wire.frame(), (TEXT, b"four".to_vec()));
    assert_eq!(recorded.next(), Seen::Sent(2, Outcome::Sent));
    assert_eq!(recorded.next(), Seen::Sent(4, Outcome::Sent));
    recorded.finish(wire);
}

#[test]
fn queued_messages_are_dropped_and_reported_without_keep_queue() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, with(Reconnect { keep_queue: false, ..never() }));
    let mut wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    recorded.client.send_with_receipt(MessageType::Binary, &vec![1; 50_000_000], 1).expect("open");
    recorded.client.send_with_receipt(MessageType::Text, b"two", 2).expect("open");
    // Its first fragment is begun.
    wire.expect(&[BINARY & 0x7f]);
    drop(wire);
    assert_eq!(recorded.next(), Seen::Sent(1, Outcome::Unsent));
    assert_eq!(recorded.next(), Seen::Sent(2, Outcome::Unsent));
    assert_eq!(recorded.next(), Seen::Reconnecting(1, Cause::Lost, 2));
    assert_eq!(recorded.client.buffered(), 0);
    recorded.client.send(MessageType::Text, b"three").expect("accepted while it reconnects");
    assert!(recorded.client.retry_now());
    let mut wire = peer.open();
    assert_eq!(wire.frame(), (TEXT, b"three".to_vec()));
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Reconnected(1));
    recorded.finish(wire);
}

#[test]
fn refuses_the_next_piece_of_a_message_lost_with_its_connection() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, with(never()));
    let mut wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    recorded.client.send_piece(MessageType::Binary, b"gone", false, None).expect("open");
    assert_eq!(wire.frame(), (0x02, b"gone".to_vec()));
    drop(wire);
    assert_eq!(recorded.next(), Seen::Reconnecting(1, Cause::Lost, 0));
    recorded.client.send(MessageType::Text, b"whole").expect("the message in pieces is over");
    assert_eq!(
        recorded.client.send_piece(MessageType::Binary, b"rest", true, None),
        Err(SendError::Interrupted)
    );
    recorded.client.send_piece(MessageType::Binary, b"new", true, None).expect("another message");
    assert!(recorded.client.retry_now());
    let mut wire = peer.open();
    assert_eq!(wire.frame(), (TEXT, b"whole".to_vec()));
    assert_eq!(wire.frame(), (BINARY, b"new".to_vec()));
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Reconnected(1));
    recorded.finish(wire);
}

#[test]
fn reports_the_receipt_of_each_piece_of_a_lost_message() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, with(never()));
    let mut wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    // The first piece is more than the kernel buffers.
    recorded.client.send_piece(MessageType::Binary, &vec![1; 50_000_000], false, Some(1)).expect("open");
    recorded.client.send_piece(MessageType::Binary, b"two", false, Some(2)).expect("open");
    recorded.client.send_piece(MessageType::Binary, b"three", true, Some(3)).expect("open");
    recorded.client.send_with_receipt(MessageType::Text, b"four", 4).expect("open");
    // It is partly written.
    wire.expect(&[0x02]);
    drop(wire);
    for number in 1..=3 {
        assert_eq!(recorded.next(), Seen::Sent(number, Outcome::Unsent));
    }
    assert_eq!(recorded.next(), Seen::Reconnecting(1, Cause::Lost, 1));
    assert!(recorded.client.retry_now());
    let mut wire = peer.open();
    assert_eq!(wire.frame(), (TEXT, b"four".to_vec()));
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Reconnected(1));
    assert_eq!(recorded.next(), Seen::Sent(4, Outcome::Sent));
    recorded.finish(wire);
}

#[test]
fn a_message_compressed_for_a_lost_connection_is_resent_uncompressed() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, with(never()));
    let mut wire = peer.accept();
    wire.upgrade_with("Sec-WebSocket-Extensions: permessage-deflate\r\n", b"");
    assert_eq!(recorded.next(), Seen::Opened);
    let mut random = 1_u32;
    // Compression halves it, which is still more than the kernel takes.
    let halves: Vec<u8> = std::iter::repeat_with(|| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let byte = (random >> 24) as u8;
        [byte; 64]
    })
    .flatten()
    .take(30_000_000)
    .collect();
    recorded.client.send_with_receipt(MessageType::Binary, &halves, 1).expect("open");
    let texts =
        ["a text that is long enough to be compressed, as all of at least sixty-four bytes are", "short"];
    for (receipt, text) in (2..).zip(texts) {
        recorded.client.send_with_receipt(MessageType::Text, text.as_bytes(), receipt).expect("open");
    }
    // Its first fragment is begun.
    wire.expect(&[BINARY & 0x7f | 0x40]);
    drop(wire);
    assert_eq!(recorded.next(), Seen::Sent(1, Outcome::Unsent));
    assert_eq!(recorded.next(), Seen::Reconnecting(1, Cause::Lost, 1));
    assert!(recorded.client.retry_now());
    // This connection has no compression.
    let mut wire = peer.open();
    for text in texts {
        assert_eq!(wire.frame(), (TEXT, text.as_bytes().to_vec()));
    }
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Reconnected(1));
    assert_eq!(recorded.next(), Seen::Sent(2, Outcome::Sent));
    assert_eq!(recorded.next(), Seen::Sent(3, Outcome::Sent));
    recorded.finish(wire);
}

#[test]
fn close_during_a_retry_delay_ends_at_once_with_the_applications_code() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, with(never()));
    drop(peer.open());
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Reconnecting(1, Cause::Lost, 0));
    recorded.client.send_with_receipt(MessageType::Text, b"never", 7).expect("accepted while it reconnects");
    assert_eq!(recorded.client.close(4001, "enough"), Ok(CloseStart::Handshake));
    assert_eq!(recorded.next(), Seen::Sent(7, Outcome::Unsent));
    assert_eq!(recorded.next(), Seen::Closed(4001, "enough".to_owned()));
    assert_eq!(recorded.client.state(), State::Closed);
    assert!(!recorded.client.retry_now());
    // And the next connection works.
    recorded.dial(&peer, quiet());
    let wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    recorded.finish(wire);
}

#[test]
fn close_before_the_first_connection_cancels_the_retries() {
    let refused = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    let recorded = Recorded::new(1_000);
    let request = Request::parse(&format!("ws://{refused}/"), with(never())).expect("good");
    recorded.client.connect(request).expect("idle");
    assert_eq!(recorded.next(), Seen::Reconnecting(1, Cause::Connect, 0));
    assert_eq!(recorded.client.close(1000, ""), Ok(CloseStart::Cancelled));
    assert!(matches!(recorded.next(), Seen::Failed(text) if text.contains("abandoned")));
    assert_eq!(recorded.client.state(), State::Idle);
    recorded.finish(());
}

#[test]
fn a_client_dropped_during_a_retry_delay_reports_nothing_more() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, with(never()));
    drop(peer.open());
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Reconnecting(1, Cause::Lost, 0));
    recorded.finish(());
}

#[test]
fn retries_http_refusals_by_their_status_class() {
    let refuse = |reconnect, status: &str| {
        let peer = Peer::bind();
        let recorded = Recorded::connect(&peer, with(reconnect));
        let mut wire = peer.accept();
        wire.read_request();
        wire.send(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes());
        recorded.next()
    };
    assert_eq!(refuse(never(), "503 Busy"), Seen::Reconnecting(1, Cause::Http5xx, 0));
    assert!(matches!(refuse(never(), "401 Unauthorized"), Seen::Failed(text) if text.contains("401")));
    assert!(matches!(refuse(never(), "302 Found"), Seen::Failed(text) if text.contains("302")));
    let asked = Reconnect { causes: Causes::of(Cause::Http4xx), ..never() };
    assert_eq!(refuse(asked, "401 Unauthorized"), Seen::Reconnecting(1, Cause::Http4xx, 0));
}

#[test]
fn retries_when_a_login_page_answers_for_a_known_server() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, with(quick()));
    drop(peer.open());
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Reconnecting(1, Cause::Lost, 0));
    peer.accept().answer("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>");
    assert_eq!(recorded.next(), Seen::Reconnecting(2, Cause::Upgrade, 0));
    let login = format!("Location: http://{}/login\r\nContent-Length: 0\r\n\r\n", peer.address());
    peer.accept().answer(&format!("HTTP/1.1 302 Found\r\n{login}"));
    peer.accept().answer("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>");
    assert_eq!(recorded.next(), Seen::Reconnecting(3, Cause::Upgrade, 0));
    let wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Reconnected(3));
    // A reverse proxy can be without a server for some time.
    drop(wire);
    assert_eq!(recorded.next(), Seen::Reconnecting(4, Cause::Lost, 0));
    peer.accept().answer("");
    assert_eq!(recorded.next(), Seen::Reconnecting(5, Cause::NoAnswer, 0));
    let wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Reconnected(5));
    // Without an earlier connection, or when the server itself refuses, the failure is final.
    drop(wire);
    assert_eq!(recorded.next(), Seen::Reconnecting(6, Cause::Lost, 0));
    peer.accept().answer("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    assert!(matches!(recorded.next(), Seen::Failed(text) if text.contains("403")));
    assert!(matches!(recorded.next(), Seen::Closed(1006, _)));
    recorded.dial(&peer, with(quick()));
    peer.accept().answer("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>");
    assert!(matches!(recorded.next(), Seen::Failed(text) if text.contains("200")));
    recorded.finish(peer);
}

#[test]
fn a_server_that_ends_without_an_answer_has_its_own_cause() {
    let peer = Peer::bind();
    for answer in ["", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"] {
        let recorded = Recorded::connect(&peer, with(quick()));
        peer.accept().answer(answer);
        assert!(matches!(recorded.next(), Seen::Failed(text) if text.contains("before it answered")));
        recorded.finish(());
    }
    let asked = Reconnect { causes: Causes::of(Cause::NoAnswer), ..never() };
    let recorded = Recorded::connect(&peer, with(asked));
    peer.accept().answer("");
    assert_eq!(recorded.next(), Seen::Reconnecting(1, Cause::NoAnswer, 0));
    recorded.finish(peer);
}

#[test]
fn waits_as_long_as_retry_after_of_a_server_or_proxy_asks() {
    let proxied = |peer: &Peer| {
        let address = peer.address();
        Proxy::Server(ProxyServer {
            protocol: ProxyProtocol::Http,
            host: address.ip().to_string(),
            port: address.port(),
            exclusions: Vec::new(),
            credentials: None,
        })
    };
    // The client's own delay is almost zero.
    for (answer, least) in [
        ("503 Busy\r\nRetry-After: 2", 2),
        ("429 Too Many Requests\r\nRetry-After: 600", 600),
        ("503 Busy\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:50:00 GMT", 23),
        ("408 Request Timeout", 0),
        ("425 Too Early\r\nRetry-After: never", 0),
    ] {
        for by_proxy in [false, true] {
            let peer = Peer::bind();
            let proxy = if by_proxy { proxied(&peer) } else { Proxy::None };
            let (delays, told) = channel();
            let client = Client::new(Box::new(Delays(delays)), 1_000);
            let options = Options { proxy, ..with(quick()) };
            client.connect(Request::parse(&peer.url(), options).expect("good")).expect("idle");
            peer.accept().answer(&format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n"));
            let delay = told.recv_timeout(DEADLINE).expect("another attempt");
            let least = Duration::from_secs(least);
            assert!((least..=least + quick().delay).contains(&delay), "{answer}: {delay:?}");
        }
    }
}

/// Passes on how long each wait will be.
struct Delays(Sender<Duration>);

impl Listener for Delays {
    fn opened(&mut self, _opened: &Opened) {}
    fn message(&mut self, _message: Message<'_>) {}
    fn failed(&mut self, _failure: &Failure) {}
    fn closed(&mut self, _closed: &Closed) {}
    fn reconnecting(&mut self, reconnecting: &Reconnecting) {
        let _ = self.0.send(reconnecting.delay);
    }
}

#[test]
fn only_the_last_failure_of_a_series_is_reported_as_an_error() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, with(Reconnect { max_attempts: Some(2), ..quick() }));
    drop(peer.open());
    assert_eq!(recorded.next(), Seen::Opened);
    drop(peer);
    assert_eq!(recorded.next(), Seen::Reconnecting(1, Cause::Lost, 0));
    assert_eq!(recorded.next(), Seen::Reconnecting(2, Cause::Connect, 0));
    let Seen::Failed(text) = recorded.next() else { panic!("no failure") };
    assert!(text.starts_with("TCP connect"), "{text}");
    assert_eq!(recorded.next(), Seen::Closed(1006, text));
    recorded.finish(());
}

/// A listener with a fixed answer to `prepare`.
struct Preparing(PrepareDecision, Sender<Reconnecting>, Recorder);

impl Listener for Preparing {
    fn opened(&mut self, opened: &Opened) {
        self.2.opened(opened);
    }

    fn message(&mut self, message: Message<'_>) {
        self.2.message(message);
    }

    fn prepare(&mut self, reconnecting: &Reconnecting) -> PrepareDecision {
        self.1.send(reconnecting.clone()).expect("the test listens");
        self.0
    }

    fn failed(&mut self, failure: &Failure) {
        self.2.failed(failure);
    }

    fn closed(&mut self, closed: &Closed) {
        self.2.closed(closed);
    }
}

#[test]
fn waits_for_the_application_to_prepare_the_next_handshake() {
    let (peer, other) = (Peer::bind(), Peer::bind());
    let (sender, events) = channel();
    let (asks, asked) = channel();
    let listener = Preparing(PrepareDecision::Wait, asks, Recorder(sender));
    let client = Arc::new(Client::new(Box::new(listener), 1_000));
    let token = |value: &str| (b"X-Token".to_vec(), value.as_bytes().to_vec());
    let cookie = (b"Cookie".to_vec(), b"old=1".to_vec());
    let options = Options { headers: vec![token("old"), cookie], ..with(quick()) };
    client.connect(Request::parse(&peer.url(), options).expect("good")).expect("idle");
    let mut wire = peer.accept();
    let request = wire.upgrade(b"");
    assert!(request.contains("X-Token: old\r\n") && request.contains("Cookie: old=1\r\n"), "{request}");
    assert_eq!(events.recv_timeout(DEADLINE), Ok(Seen::Opened));
    drop(wire);
    let first = asked.recv_timeout(DEADLINE).expect("asked");
    assert_eq!((first.attempt, first.cause), (1, Cause::Lost));
    assert!(!client.prepare(2, Preparation::Stop), "another attempt's answer is not taken");
    assert!(client.prepare(1, Preparation::Fail));
    let second = asked.recv_timeout(DEADLINE).expect("asked again");
    assert_eq!((second.attempt, second.cause), (2, Cause::Prepare));
    let rewrite = Rewrite { url: Some(other.url()), headers: vec![token("new")] };
    assert!(client.prepare(2, Preparation::Proceed(rewrite)));
    let mut wire = other.accept();
    let request = wire.upgrade(b"");
    // Another port is another origin, to which the cookie does not belong.
    assert!(request.contains("X-Token: new\r\n") && !request.contains("old"), "{request}");
    assert_eq!(events.recv_timeout(DEADLINE), Ok(Seen::Opened));
    drop(wire);
    asked.recv_timeout(DEADLINE).expect("asked");
    assert!(client.prepare(3, Preparation::Stop));
    assert!(
        matches!(events.recv_timeout(DEADLINE), Ok(Seen::Failed(text)) if text.contains("connection lost"))
    );
    assert!(matches!(events.recv_timeout(DEADLINE), Ok(Seen::Closed(1006, _))));
}

#[test]
fn an_invalid_rewrite_ends_the_series() {
    let peer = Peer::bind();
    let (sender, events) = channel();
    let (asks, asked) = channel();
    let client = Client::new(Box::new(Preparing(PrepareDecision::Wait, asks, Recorder(sender))), 1_000);
    client.connect(Request::parse(&peer.url(), with(quick())).expect("good")).expect("idle");
    drop(peer.open());
    asked.recv_timeout(DEADLINE).expect("asked");
    let rewrite = Rewrite { url: Some("ftp://h/?secret".to_owned()), headers: Vec::new() };
    assert!(client.prepare(1, Preparation::Proceed(rewrite)));
    assert_eq!(events.recv_timeout(DEADLINE), Ok(Seen::Opened));
    let failed = events.recv_timeout(DEADLINE).expect("an event");
    assert!(
        matches!(&failed, Seen::Failed(text) if text.contains("scheme") && !text.contains("secret")),
        "{failed:?}"
    );
    assert!(matches!(events.recv_timeout(DEADLINE), Ok(Seen::Closed(1006, _))));
}

#[test]
fn a_listener_can_stop_the_series() {
    let peer = Peer::bind();
    let (sender, events) = channel();
    let (asks, _asked) = channel();
    let client = Client::new(Box::new(Preparing(PrepareDecision::Stop, asks, Recorder(sender))), 1_000);
    client.connect(Request::parse(&peer.url(), with(quick())).expect("good")).expect("idle");
    drop(peer.open());
    assert_eq!(events.recv_timeout(DEADLINE), Ok(Seen::Opened));
    assert!(matches!(events.recv_timeout(DEADLINE), Ok(Seen::Failed(_))));
    assert!(matches!(events.recv_timeout(DEADLINE), Ok(Seen::Closed(1006, _))));
    drop(client);
}
