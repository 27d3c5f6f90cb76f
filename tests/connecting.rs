//! The way to an open connection, against peers that stall, refuse and redirect.

mod support;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use net_websocket::internals::client::{
    Client, CloseStart, Closed, Credentials, Failure, Listener, Message, Opened, Options, PhaseTimeouts,
    Proxy, ProxyProtocol, ProxyServer, REDIRECTS_MAX, RESPONSE_BODY_BYTES_MAX, RefusedUpgrade, Request,
    SEND_LIMIT_BYTES,
};
use socket2::{Domain, Socket, Type};
use support::{DEADLINE, Peer, Recorded, Seen, quiet};

/// A timeout that immediate work meets even on a busy machine.
const LIMIT: Duration = Duration::from_millis(60);

fn failure(recorded: &Recorded) -> String {
    let Seen::Failed(text) = recorded.next() else { panic!("no failure") };
    text
}

fn header(name: &str, value: &str) -> (Vec<u8>, Vec<u8>) {
    (name.into(), value.into())
}

/// Options with headers for one origin only, and one header for every origin.
fn private(max_redirects: u8) -> Options {
    let headers = vec![header("Cookie", "a=1"), header("X-Public", "yes"), header("Host", "virtual.example")];
    let credentials = Some(Credentials { username: "alice".to_owned(), password: "sesame".to_owned() });
    Options { headers, credentials, max_redirects, ..quiet() }
}

// --- redirects ---

#[test]
fn a_redirect_within_the_origin_keeps_all_headers() {
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, private(1));
    peer.accept().answer(
        "HTTP/1.1 307 Over there\r\nLocation: /next?x\r\nContent-Length: 100\r\n\r\nnever waited for",
    );
    let mut wire = peer.accept();
    let request = wire.upgrade(b"");
    assert!(request.starts_with("GET /next?x HTTP/1.1\r\n"), "{request}");
    for kept in
        ["Cookie: a=1", "X-Public: yes", "Host: virtual.example", "Authorization: Basic YWxpY2U6c2VzYW1l"]
    {
        assert!(request.contains(&format!("\r\n{kept}\r\n")), "{request}");
    }
    assert_eq!(recorded.next(), Seen::Opened);
    recorded.finish(wire);
}

#[test]
fn a_redirect_to_another_origin_drops_private_headers() {
    let (first, second) = (Peer::bind(), Peer::bind());
    let recorded = Recorded::connect(&first, private(1));
    let location = format!("http://mallory:own@{}/", second.address());
    first.accept().answer(&format!("HTTP/1.1 301 Moved\r\nLocation: {location}\r\n\r\n"));
    let mut wire = second.accept();
    let request = wire.upgrade(b"");
    assert!(request.contains(&format!("\r\nHost: {}\r\n", second.address())), "{request}");
    assert!(request.contains("\r\nX-Public: yes\r\n"), "{request}");
    for private in ["authorization", "cookie", "virtual.example"] {
        assert!(!request.to_lowercase().contains(private), "{request}");
    }
    assert_eq!(recorded.next(), Seen::Opened);
    recorded.finish(wire);
}

#[test]
fn follows_four_redirects_by_default() {
    for (redirects, opens) in [(4, true), (5, false)] {
        for status in ["301 a", "302 b", "303 c", "307 d", "308 e"] {
            let peer = Peer::bind();
            let recorded = Recorded::connect(&peer, quiet());
            for hop in 0..redirects {
                peer.accept().answer(&format!("HTTP/1.1 {status}\r\nLocation: /{hop}\r\n\r\n"));
            }
            if opens {
                let wire = peer.open();
                assert_eq!(recorded.next(), Seen::Opened);
                recorded.finish(wire);
            } else {
                assert!(failure(&recorded).contains("more often than maxRedirects allows"));
                recorded.finish(peer);
            }
        }
    }
    for status in ["300 a", "304 b", "305 c", "306 d", "309 e"] {
        let peer = Peer::bind();
        let recorded = Recorded::connect(&peer, quiet());
        peer.accept().answer(&format!("HTTP/1.1 {status}\r\nLocation: /next\r\n\r\n"));
        assert!(failure(&recorded).contains(&format!("HTTP {status} instead of 101")), "{status}");
        recorded.finish(peer);
    }
}

#[test]
fn follows_at_most_max_redirects() {
    for max_redirects in [0, REDIRECTS_MAX] {
        let peer = Peer::bind();
        let unasked =
            format!("the server redirected with HTTP 302, to ws://{}, but maxRedirects is 0", peer.address());
        let recorded = Recorded::connect(&peer, Options { max_redirects, ..quiet() });
        for _ in 0..=max_redirects {
            peer.accept().answer("HTTP/1.1 302 Found\r\nLocation: /again?secret\r\n\r\n");
        }
        let text = failure(&recorded);
        let expected = match max_redirects {
            0 => unasked.as_str(),
            _ => "the server redirected with HTTP 302, more often than maxRedirects allows",
        };
        assert!(text.contains(expected) && !text.contains("secret"), "{text}");
        recorded.finish(peer);
    }
    assert!(Request::parse("ws://h/", Options { max_redirects: REDIRECTS_MAX + 1, ..quiet() }).is_err());
}

#[test]
fn names_an_invalid_redirect_url() {
    for (location, expected) in [
        ("ftp://example.org/", "to an invalid URL: url: the scheme is not ws, wss, http or https"),
        ("https://[", "to an invalid URL: url: "),
    ] {
        let peer = Peer::bind();
        let recorded = Recorded::connect(&peer, Options { max_redirects: 5, ..quiet() });
        peer.accept().answer(&format!("HTTP/1.1 308 Moved\r\nLocation: {location}\r\n\r\n"));
        let text = failure(&recorded);
        assert!(text.contains(expected), "{text}");
        recorded.finish(peer);
    }
}

// --- refusals ---

struct Refusals(std::sync::mpsc::Sender<Option<RefusedUpgrade>>);

impl Listener for Refusals {
    fn opened(&mut self, _opened: &Opened) {}
    fn message(&mut self, _message: Message<'_>) {}
    fn failed(&mut self, failure: &Failure) {
        let _ = self.0.send(failure.error.refused().cloned());
    }
    fn closed(&mut self, _closed: &Closed) {}
}

fn refusals(peer: &Peer, options: Options) -> (Client, Receiver<Option<RefusedUpgrade>>) {
    let (sender, refusals) = channel();
    let client = Client::new(Box::new(Refusals(sender)), SEND_LIMIT_BYTES);
    client.connect(Request::parse(&peer.url(), options).expect("a good request")).expect("idle");
    (client, refusals)
}

#[test]
fn reports_status_headers_and_body_of_a_refused_upgrade() {
    let long = format!("HTTP/1.1 500 Oops\r\n\r\n{}", "x".repeat(3 * RESPONSE_BODY_BYTES_MAX));
    let cut = "x".repeat(RESPONSE_BODY_BYTES_MAX);
    for (answer, status, body) in [
        ("HTTP/1.1 401 Who?\r\nX-A: 1\r\nX-a: 2\r\nContent-Length: 4\r\n\r\nwho?", 401, "who?"),
        (
            "HTTP/1.1 103 Hints\r\nX: y\r\n\r\nHTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
            403,
            "no",
        ),
        ("HTTP/1.0 200 OK\r\n\r\n<html>", 200, "<html>"),
        ("HTTP/1.1 204 None\r\nContent-Length: 9\r\n\r\n", 204, ""),
        (&long, 500, &cut),
    ] {
        let peer = Peer::bind();
        let (_client, refusals) = refusals(&peer, quiet());
        peer.accept().answer(answer);
        let refused = refusals.recv_timeout(DEADLINE).expect("in time").expect("a refusal");
        assert_eq!((refused.status, String::from_utf8_lossy(&refused.body).as_ref()), (status, body));
        if status == 401 {
            let values: Vec<_> = refused.headers.iter().filter(|(name, _)| *name == "x-a").collect();
            assert_eq!(values, [("x-a", "1"), ("x-a", "2")]);
        }
    }
}

#[test]
fn names_the_fault_of_an_answer_and_none_of_its_values() {
    let too_long = format!("HTTP/1.1 101 Yes\r\nX: {}\r\n\r\n", "x".repeat(66_000));
    for (answer, expected) in [
        ("HTTP/1.1 403 No\r\nX-A: b\r\n folded\r\n\r\n", "HTTP 403 No instead of 101"),
        ("HTTP/1.1 200 OK\r\nX-A: b\r\nsecret\r\n\r\n", "is not HTTP/1.1: line 3 has no colon after a name"),
        (
            "HTTP/1.1 200 OK\r\nX-A: sec\x01ret\r\n\r\n",
            "is not HTTP/1.1: line 2 (X-A) holds a control character",
        ),
        ("HTTP/1.0 101 Yes\r\n\r\n", "is not HTTP/1.1 but HTTP/1.0, which has no upgrade"),
        ("\x15\x03\x01\0\x02\x02\x0a", "is not HTTP/1.1 but TLS: the server uses TLS there; use wss"),
        ("\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64", "is not HTTP/1.1 but HTTP/2"),
        ("Error 404: Not Found\nsecret", "is not HTTP/1.1 but the text of an error 404"),
        (&too_long, "is over 65536 bytes or 256 headers"),
    ] {
        let peer = Peer::bind();
        let recorded = Recorded::connect(&peer, quiet());
        peer.accept().answer(answer);
        let text = failure(&recorded);
        assert!(text.contains(expected) && !text.contains("sec"), "{text}");
        recorded.finish(peer);
    }
}

#[test]
fn the_text_of_a_refusal_suggests_what_may_help() {
    let sip = || Options { protocols: "xmpp".to_owned(), ..quiet() };
    let own = || Options { headers: vec![header("Origin", "http://h")], ..quiet() };
    let with_port = || Options { origin_port: true, ..quiet() };
    let origin = "403 Forbidden instead of 101; Origin lacks the port, which supportOriginPort adds";
    let nginx = "HTTP/1.1 400 Bad Request\r\n\r\nThe plain HTTP request was sent to HTTPS port";
    let go = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.";
    let kamailio = "HTTP/1.1 400 Bad\r\nSec-WebSocket-Protocol: sip\r\nContent-Length: 0\r\n\r\n";
    for (answer, options, expected) in [
        ("HTTP/1.1 403 Forbidden\r\n\r\n", quiet(), origin),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", own(), "403 Forbidden instead of 101"),
        ("HTTP/1.1 403 Forbidden\r\n\r\n", with_port(), "403 Forbidden instead of 101"),
        ("HTTP/1.1 401\r\n\r\n", quiet(), "answered HTTP 401 instead of 101"),
        ("HTTP/1.1 401 Refusé\r\n\r\n", quiet(), "answered HTTP 401 Refus? instead of 101"),
        (nginx, quiet(), "400 Bad Request instead of 101; the server requires TLS; use wss"),
        (go, quiet(), "400 Bad Request instead of 101; the server requires TLS; use wss"),
        (kamailio, sip(), "; it names the sub-protocol sip, which was not requested"),
        ("", sip(), "before it answered; it may not know the sub-protocol that was requested"),
        ("", quiet(), "before it answered; it may require wss, or another path"),
    ] {
        let peer = Peer::bind();
        let recorded = Recorded::connect(&peer, options);
        peer.accept().answer(answer);
        let text = failure(&recorded);
        assert!(text.ends_with(expected), "{text}");
        recorded.finish(peer);
    }
}

#[test]
fn waits_only_briefly_for_the_body_of_a_refusal() {
    let peer = Peer::bind();
    let (_client, refusals) = refusals(&peer, quiet());
    let mut wire = peer.accept();
    wire.read_request();
    wire.send(b"HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nhalf");
    let refused = refusals.recv_timeout(DEADLINE).expect("in time").expect("a refusal");
    assert_eq!((refused.status, refused.body.as_slice()), (503, &b"half"[..]));
    wire.expect_end();
}

// --- names and addresses ---

#[test]
fn tries_each_address_of_the_option_hosts() {
    let peer = Peer::bind();
    // The first addresses refuse connections.
    let hosts = vec![("server.test".to_owned(), "::1, 127.0.0.9,127.0.0.1".to_owned())];
    let rooted = vec![("Server.test.".to_owned(), "127.0.0.1".to_owned())];
    for (host, hosts) in [
        ("Server.TEST", hosts.clone()),
        ("Server.TEST.", hosts),
        ("Server.TEST", rooted.clone()),
        ("Server.TEST.", rooted),
    ] {
        let port = peer.address().port();
        let recorded = Recorded::connect_to(&format!("ws://{host}:{port}/"), Options { hosts, ..quiet() });
        let mut wire = peer.accept();
        let request = wire.upgrade(b"");
        assert!(request.contains(&format!("\r\nHost: {}:{port}\r\n", host.to_lowercase())), "{request}");
        assert_eq!(recorded.next(), Seen::Opened);
        recorded.finish(wire);
    }
    for (name, addresses) in
        [("h", "localhost"), ("h", ""), ("h", "::1,"), ("127.0.0.1", "::1"), ("a b", "::1")]
    {
        let hosts = vec![(name.to_owned(), addresses.to_owned())];
        let error = Request::parse("ws://h/", Options { hosts, ..quiet() }).expect_err("no host");
        assert!(error.to_string().starts_with("hosts: "), "{error}");
    }
}

#[test]
fn connects_by_the_zone_of_an_address_and_keeps_it_out_of_the_request() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        let _ = writeln!(std::io::stderr(), "skip: this machine has no IPv6");
        return;
    };
    let port = listener.local_addr().expect("bound").port();
    let recorded = Recorded::connect_to(&format!("ws://[::1%251]:{port}/"), quiet());
    let (stream, _) = listener.accept().expect("a connection");
    let mut wire = support::Wire(stream);
    let request = wire.upgrade(b"");
    assert!(request.contains(&format!("\r\nHost: [::1]:{port}\r\nUpgrade")), "{request}");
    assert_eq!(recorded.next(), Seen::Opened);
    recorded.finish(wire);
    let recorded = Recorded::connect_to("ws://[fe80::1%25nowhere0]/", quiet());
    let text = failure(&recorded);
    assert!(text.starts_with("name lookup of fe80::1%nowhere0 failed: "), "{text}");
    recorded.finish(());
}

#[test]
fn a_name_without_an_address_fails_in_the_name_lookup() {
    let recorded = Recorded::connect_to("ws://no-such-host.invalid/", quiet());
    let text = failure(&recorded);
    assert!(text.starts_with("name lookup of no-such-host.invalid failed: "), "{text}");
    recorded.finish(());
}

// --- deadlines and cancelled attempts ---

/// An address whose accept queue is full: the kernel answers no further connection.
struct Full {
    address: SocketAddr,
    _listener: Socket,
    _waiting: Vec<Socket>,
}

impl Full {
    fn new() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).expect("a free port");
        listener.listen(0).expect("bound");
        let address = listener.local_addr().expect("bound");
        let connect = || {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            socket.set_nonblocking(true).expect("a socket");
            let _ = socket.connect(&address);
            socket
        };
        let waiting = (0..4).map(|_| connect()).collect();
        Self { address: address.as_socket().expect("IPv4"), _listener: listener, _waiting: waiting }
    }
}

fn by(proxy: SocketAddr, options: Options) -> Options {
    let server = ProxyServer {
        protocol: ProxyProtocol::Http,
        host: proxy.ip().to_string(),
        port: proxy.port(),
        exclusions: Vec::new(),
        credentials: None,
    };
    Options { proxy: Proxy::Server(server), ..options }
}

#[test]
fn a_refusal_without_its_body_is_not_reported_as_a_timeout() {
    let peer = Peer::bind();
    let refuse = |options: Options| {
        let (_client, refusals) = refusals(&peer, options);
        let mut wire = peer.accept();
        wire.read_request();
        wire.send(b"HTTP/1.1 401 Who?\r\nContent-Length: 4\r\n\r\n");
        let refused = refusals.recv_timeout(DEADLINE).expect("an event").expect("a refusal");
        assert_eq!((refused.status, refused.body.as_slice()), (401, &b""[..]));
    };
    // Shorter than the time the client waits for a body.
    let limit = Duration::from_millis(300);
    refuse(Options { connect_timeout: limit, ..quiet() });
    let upgrade = PhaseTimeouts { upgrade: Some(limit), ..PhaseTimeouts::default() };
    refuse(Options { phase_timeouts: upgrade, ..quiet() });
}

#[test]
fn the_timeout_of_a_phase_ends_that_phase_only() {
    let full = Full::new();
    let expect = |url: &str, options: Options, text: &str| {
        let recorded = Recorded::connect_to(url, options);
        let found = failure(&recorded);
        assert!(found.starts_with(text) && found.ends_with("timed out: not done within 60 ms"), "{found}");
        recorded.finish(());
    };
    let only = |timeouts: PhaseTimeouts| Options { phase_timeouts: timeouts, ..quiet() };
    let tcp = only(PhaseTimeouts { tcp: Some(LIMIT), ..PhaseTimeouts::default() });
    expect(&format!("ws://{}/", full.address), tcp.clone(), "TCP connect with 127.0.0.1:");
    expect("ws://server.invalid/", by(full.address, tcp), "TCP connect with the proxy 127.0.0.1:");

    let peer = Peer::bind();
    let proxy = only(PhaseTimeouts { proxy: Some(LIMIT), ..PhaseTimeouts::default() });
    expect("ws://server.invalid/", by(peer.address(), proxy), "proxy tunnel with server.invalid:80 ");
    let tls = only(PhaseTimeouts { tls: Some(LIMIT), ..PhaseTimeouts::default() });
    expect(&peer.url().replace("ws://", "wss://"), tls, "TLS handshake with 127.0.0.1:");
    let upgrade = only(PhaseTimeouts { upgrade: Some(LIMIT), ..PhaseTimeouts::default() });
    expect(&peer.url(), upgrade, "WebSocket upgrade with 127.0.0.1:");
}

#[test]
fn connect_timeout_covers_all_redirects_of_an_attempt() {
    let peer = Peer::bind();
    let timeout = Duration::from_millis(300);
    let recorded =
        Recorded::connect(&peer, Options { connect_timeout: timeout, max_redirects: 5, ..quiet() });
    peer.accept().answer("HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n");
    let mut wire = peer.accept();
    wire.read_request();
    assert!(failure(&recorded).contains("no connection within 300 ms"));
    wire.expect_end();
    recorded.finish(wire);
}

#[test]
fn a_cancelled_attempt_ends_at_once_in_every_phase() {
    let give_up = |recorded: &Recorded, phase: &str| {
        assert_eq!(recorded.client.close(1_000, ""), Ok(CloseStart::Cancelled));
        let text = failure(recorded);
        assert!(text.contains(&format!("abandoned during the {phase}")), "{text}");
    };
    let full = Full::new();
    let recorded = Recorded::connect_to(&format!("ws://{}/", full.address), quiet());
    // The attempt is in this phase from its first poll on.
    while !connecting(full.address) {
        std::thread::yield_now();
    }
    give_up(&recorded, "TCP connect");
    while connecting(full.address) {
        std::thread::yield_now();
    }
    recorded.finish(());

    let peer = Peer::bind();
    let recorded = Recorded::connect_to("ws://server.invalid/", by(peer.address(), quiet()));
    let mut wire = peer.accept();
    wire.read_request();
    give_up(&recorded, "proxy tunnel");
    wire.expect_end();
    recorded.finish(());

    let recorded = Recorded::connect_to(&peer.url().replace("ws://", "wss://"), quiet());
    let mut wire = peer.accept();
    // The handshake has begun.
    wire.expect(b"\x16\x03");
    give_up(&recorded, "TLS handshake");
    wire.drain();
    recorded.finish(());

    let recorded = Recorded::connect(&peer, quiet());
    let mut wire = peer.accept();
    wire.read_request();
    wire.send(b"HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nhalf");
    give_up(&recorded, "WebSocket upgrade");
    wire.expect_end();
    recorded.finish(());
}

/// Whether this process has a connection to `address` in state SYN_SENT, other than those of [`Full`].
fn connecting(address: SocketAddr) -> bool {
    let SocketAddr::V4(address) = address else { return false };
    let wanted = format!("{:08X}:{:04X}", u32::from_ne_bytes(address.ip().octets()), address.port());
    let table = std::fs::read_to_string("/proc/net/tcp").expect("a table of sockets");
    let waiting = |line: &&str| {
        let mut fields = line.split_whitespace().skip(2);
        fields.next() == Some(wanted.as_str()) && fields.next() == Some("02")
    };
    let full = 4 - established(&table, &wanted);
    table.lines().filter(waiting).count() > full
}

fn established(table: &str, wanted: &str) -> usize {
    let open = |line: &&str| {
        let mut fields = line.split_whitespace().skip(2);
        fields.next() == Some(wanted) && fields.next() == Some("01")
    };
    table.lines().filter(open).count().min(4)
}
