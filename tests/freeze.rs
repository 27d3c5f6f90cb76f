//! A process is stopped for longer than its deadlines, as an app freezer does, and continues. Data that arrived in the
//! meantime counts. A live connection continues, and a lost one is detected.
//!
//! The client, or the server, runs in its own process, which this program starts.
#![cfg(target_os = "linux")]

#[path = "support/frozen.rs"]
mod frozen;
mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use net_websocket::internals::client::{
    Closed, Failure, Listener, Message, MessageType, Opened, Options, Reconnect, SessionOptions, TlsOptions,
};
use net_websocket::internals::server::{ConnectionInfo, Server, ServerListener, ServerOptions};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use socket2::{Domain, Socket, Type};

use frozen::Frozen;
use support::{DEADLINE, Peer, Recorded, Seen, Wire, quiet};

/// Every timeout of the client.
const LIMIT: Duration = Duration::from_secs(1);
/// How long the client is stopped: slightly longer than its timeouts, and long enough to restart them.
const STOPS: [Duration; 2] = [Duration::from_millis(1_200), Duration::from_millis(2_500)];
/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(5);

/// More than the kernel buffers for a peer that does not read.
const LONG_BYTES: usize = 33_554_432;

const URL: &str = "NET_WEBSOCKET_TEST_FREEZE_URL";
/// How long the client keeps reconnecting, in milliseconds.
const AGAIN: &str = "NET_WEBSOCKET_TEST_FREEZE_AGAIN";
/// The authority to trust.
const AUTHORITY: &str = "NET_WEBSOCKET_TEST_FREEZE_AUTHORITY";
const PING: u8 = 0x89;
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;

/// Echoes messages. Closes, or sends a long message, when a message asks for it.
#[test]
#[ignore = "the client of the other tests"]
fn client() {
    let Ok(url) = std::env::var(URL) else { return };
    let again = |millis: String| Reconnect {
        delay: LIMIT / 2,
        max_delay: LIMIT / 2,
        max_time: Some(Duration::from_millis(millis.parse().expect("a number"))),
        ..Reconnect::default()
    };
    let options = Options {
        connect_timeout: LIMIT,
        reconnect: std::env::var(AGAIN).ok().map(again),
        tls: TlsOptions { ca_path: std::env::var_os(AUTHORITY).map(PathBuf::from), ..TlsOptions::default() },
        session: SessionOptions {
            ping_interval: Some(LIMIT / 10),
            pong_timeout: Some(LIMIT),
            close_timeout: LIMIT,
            ..quiet().session
        },
        ..quiet()
    };
    let recorded = Recorded::connect_to(&url, options);
    loop {
        let seen = recorded.next();
        println!("\nevent {seen:?}");
        match seen {
            Seen::Text(text) if text == "close" => recorded.client.close(1000, "").expect("open"),
            Seen::Text(text) if text == "long" => {
                recorded.client.send(MessageType::Binary, &vec![0; LONG_BYTES]).expect("room");
                continue;
            }
            Seen::Text(text) => {
                // The peer may have closed behind it.
                let _ = recorded.client.send(MessageType::Text, text.as_bytes());
                continue;
            }
            Seen::Closed(..) => break,
            _ => continue,
        };
    }
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn connect(peer: &Peer) -> Frozen {
    connect_to(&peer.url(), &[])
}

fn connect_to(url: &str, variables: &[(&str, &str)]) -> Frozen {
    Frozen::run("client", &[&[(URL, url)], variables].concat())
}

fn pong(wire: &mut Wire, payload: &[u8]) {
    wire.send(&[&[0x8a, payload.len() as u8], payload].concat());
}

/// The client's next frame other than a ping; pings are answered.
fn next_frame(wire: &mut Wire) -> (u8, Vec<u8>) {
    loop {
        match wire.frame() {
            (PING, payload) => pong(wire, &payload),
            other => return other,
        }
    }
}

/// The payload of the client's next ping, which is not answered.
fn ping(wire: &mut Wire) -> Vec<u8> {
    let (first, payload) = wire.frame();
    assert_eq!(first, PING);
    payload
}

/// A client with an open connection to `peer`, and the peer's end of it.
fn open(peer: &Peer) -> (Frozen, Wire) {
    let frozen = connect(peer);
    let wire = peer.open();
    frozen.expect("Opened");
    (frozen, wire)
}

/// The same, once the client's close frame has come.
fn closing(peer: &Peer) -> (Frozen, Wire) {
    let (frozen, mut wire) = open(peer);
    wire.send(b"\x81\x05close");
    frozen.expect("Text(\"close\")");
    assert_eq!(next_frame(&mut wire), (CLOSE, vec![3, 0xe8]));
    (frozen, wire)
}

#[test]
fn reads_a_pong_and_a_message_that_came_while_frozen() {
    for time in STOPS {
        let peer = Peer::bind();
        let (frozen, mut wire) = open(&peer);
        let payload = ping(&mut wire);
        frozen.stopped_for(time, || {
            pong(&mut wire, &payload);
            wire.send(b"\x81\x02hi");
        });
        frozen.expect("Text(\"hi\")");
        assert_eq!(next_frame(&mut wire), (TEXT, b"hi".to_vec()));
    }
}

#[test]
fn a_peer_has_the_full_pong_timeout_after_a_freeze() {
    let peer = Peer::bind();
    let (frozen, mut wire) = open(&peer);
    ping(&mut wire);
    frozen.stopped_for(STOPS[1], || {});
    // This ping shows that the client runs again.
    let payload = ping(&mut wire);
    pong(&mut wire, &payload);
    wire.send(b"\x81\x02hi");
    assert_eq!(next_frame(&mut wire), (TEXT, b"hi".to_vec()));
}

#[test]
fn a_lost_peer_is_detected_after_a_freeze() {
    let peer = Peer::bind();
    let (frozen, mut wire) = open(&peer);
    ping(&mut wire);
    frozen.stopped_for(STOPS[1], || {});
    let thawed_at = Instant::now();
    frozen.expect("1000 ms after a ping");
    frozen.expect("Closed(1006");
    assert!(thawed_at.elapsed() < LIMIT + SLACK, "{:?}", thawed_at.elapsed());
}

/// A server that misses a client for so long can close with 1000. The application did not want this end.
const ABSENT: Duration = Duration::from_millis(10_500);

#[test]
fn reconnects_when_the_peer_closed_with_1000_during_a_freeze() {
    for close in [b"\x88\x02\x03\xe8".as_slice(), b"\x88\x00"] {
        let peer = Peer::bind();
        let frozen = connect_to(&peer.url(), &[(AGAIN, "60000")]);
        let mut wire = peer.open();
        frozen.expect("Opened");
        ping(&mut wire);
        frozen.stopped_for(ABSENT, || wire.send(close));
        frozen.expect("Reconnecting(1");
        let mut wire = peer.open();
        frozen.expect("Opened");
        frozen.expect("Reconnected(1");
        // The absence has ended, so this close is final.
        let payload = ping(&mut wire);
        pong(&mut wire, &payload);
        wire.send(close);
        frozen.expect("Closed(100");
    }
}

#[test]
fn does_not_reconnect_when_the_peer_closes_after_it_answered() {
    for (code, told) in [(b"\x03\xe8", "Closed(1000"), (b"\x0f\xa1", "Closed(4001")] {
        let peer = Peer::bind();
        let frozen = connect_to(&peer.url(), &[(AGAIN, "60000")]);
        let mut wire = peer.open();
        frozen.expect("Opened");
        ping(&mut wire);
        // A code of the application's range is always final.
        let at_once = code == b"\x0f\xa1";
        let close = [b"\x88\x02", code.as_slice()].concat();
        frozen.stopped_for(ABSENT, || {
            if at_once {
                wire.send(&close);
            }
        });
        if !at_once {
            wire.send(b"\x81\x02hi");
            frozen.expect("Text(\"hi\")");
            // The server may have sent earlier frames before the client was back.
            while next_frame(&mut wire) != (TEXT, b"hi".to_vec()) {}
            // The answer to a message may come before the first ping after the stop.
            let payload = ping(&mut wire);
            pong(&mut wire, &payload);
            wire.send(&close);
        }
        frozen.expect(told);
    }
}

#[test]
fn reports_the_close_that_came_while_frozen() {
    let peer = Peer::bind();
    let (frozen, mut wire) = open(&peer);
    ping(&mut wire);
    frozen.stopped_for(STOPS[0], || wire.send(b"\x81\x02hi\x88\x05\x03\xe9bye"));
    frozen.expect("Text(\"hi\")");
    frozen.expect("Closed(1001, \"bye\")");
}

#[test]
fn opens_by_an_upgrade_answer_that_came_while_frozen() {
    for time in STOPS {
        let peer = Peer::bind();
        let frozen = connect(&peer);
        let mut wire = peer.accept();
        let mut request = [0; 1];
        assert_eq!(wire.0.peek(&mut request).expect("a request"), 1);
        frozen.stopped_for(time, || drop(wire.upgrade(b"\x81\x02hi")));
        frozen.expect("Opened");
        frozen.expect("Text(\"hi\")");
        assert_eq!(next_frame(&mut wire), (TEXT, b"hi".to_vec()));
    }
}

#[test]
fn a_close_frame_that_came_while_frozen_ends_the_closing_handshake() {
    for time in STOPS {
        let peer = Peer::bind();
        let (frozen, mut wire) = closing(&peer);
        frozen.stopped_for(time, || wire.send(b"\x88\x02\x03\xe8"));
        frozen.expect("Closed(1000");
    }
}

#[test]
fn a_peer_has_the_full_close_timeout_after_a_freeze() {
    let peer = Peer::bind();
    let (frozen, mut wire) = closing(&peer);
    frozen.stopped_for(STOPS[1], || {});
    wire.send(b"\x88\x02\x03\xe8");
    frozen.expect("Closed(1000");
}

#[test]
fn a_missing_close_frame_is_detected_after_a_freeze() {
    let peer = Peer::bind();
    let (frozen, _wire) = closing(&peer);
    frozen.stopped_for(STOPS[1], || {});
    let thawed_at = Instant::now();
    frozen.expect("no close frame came within 1000 ms");
    assert!(thawed_at.elapsed() < LIMIT + SLACK, "{:?}", thawed_at.elapsed());
}

#[test]
fn finishes_a_begun_message_and_its_close_frame_after_a_freeze() {
    let peer = Peer::bind();
    let (frozen, mut wire) = open(&peer);
    wire.send(b"\x81\x04long");
    frozen.expect("Text(\"long\")");
    let mut first = [0];
    while wire.0.peek(&mut first).is_ok() && first[0] == PING {
        let payload = ping(&mut wire);
        pong(&mut wire, &payload);
    }
    wire.send(b"\x88\x02\x03\xe8");
    frozen.expect("Closed(1000");
    frozen.stopped_for(STOPS[1], || {});
    while next_frame(&mut wire).0 != CLOSE {}
    wire.expect_end();
}

/// A listener whose accept queue is full. The kernel answers no connection until there is room.
struct Full {
    listener: Socket,
    first: TcpStream,
}

impl Full {
    fn bind() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).expect("a free port");
        listener.listen(0).expect("bound");
        let address = listener.local_addr().expect("bound").as_socket().expect("of IPv4");
        let first = TcpStream::connect(address).expect("room for one");
        Self { listener, first }
    }

    fn port(&self) -> u16 {
        self.first.peer_addr().expect("connected").port()
    }

    /// Waits until the kernel has sent a connection request, which stays unanswered.
    fn await_asked(&self) {
        // proc(5): the addresses of both ends, in hexadecimal, and 02 for SYN_SENT.
        let asked = format!("0100007F:{:04X} 02 ", self.port());
        while !fs::read_to_string("/proc/net/tcp").expect("it is there").contains(&asked) {
            std::thread::yield_now();
        }
    }

    fn accept(&self) -> Wire {
        let (stream, _) = self.listener.accept().expect("a connection");
        let stream = TcpStream::from(stream);
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        Wire(stream)
    }
}

#[test]
fn uses_a_tcp_connection_established_while_frozen() {
    for time in STOPS {
        let peer = Full::bind();
        let frozen = connect_to(&format!("ws://127.0.0.1:{}/", peer.port()), &[]);
        peer.await_asked();
        // The kernel repeats its request after a second.
        frozen.stopped_for(time, || drop(peer.accept()));
        peer.accept().upgrade(b"\x81\x02hi");
        frozen.expect("Opened");
        frozen.expect("Text(\"hi\")");
    }
}

#[test]
fn a_tcp_timeout_is_detected_after_a_freeze() {
    let peer = Full::bind();
    let frozen = connect_to(&format!("ws://127.0.0.1:{}/", peer.port()), &[]);
    peer.await_asked();
    frozen.stopped_for(STOPS[1], || {});
    let thawed_at = Instant::now();
    frozen.expect("TCP connect");
    assert!(thawed_at.elapsed() < LIMIT + SLACK, "{:?}", thawed_at.elapsed());
}

#[test]
fn a_tls_handshake_continues_after_a_freeze() {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let authority = std::env::temp_dir().join(format!("net_websocket-freeze-{}.pem", std::process::id()));
    fs::write(&authority, certified.cert.pem()).expect("written");
    let key = PrivateKeyDer::try_from(certified.signing_key.serialize_der()).expect("PKCS#8");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .expect("a key that fits");
    let config = Arc::new(config);
    for time in STOPS {
        let peer = Peer::bind();
        let trusted = authority.to_str().expect("UTF-8");
        let frozen = connect_to(&format!("wss://{}/", peer.address()), &[(AUTHORITY, trusted)]);
        let Wire(tcp) = peer.accept();
        assert_eq!(tcp.peek(&mut [0; 1]).expect("a ClientHello"), 1);
        let mut server = None;
        frozen.stopped_for(time, || {
            let session = ServerConnection::new(config.clone()).expect("a session");
            // Its answer is on the way while the client is stopped.
            server = Some(std::thread::spawn(move || {
                let mut wire = Wire(StreamOwned::new(session, tcp));
                wire.upgrade(b"\x81\x02hi");
                wire.drain();
            }));
        });
        frozen.expect("Opened");
        frozen.expect("Text(\"hi\")");
        drop(frozen);
        server.take().expect("begun").join().expect("no panic");
    }
    let _ = fs::remove_file(authority);
}

#[test]
fn reconnecting_continues_after_a_freeze_that_does_not_count() {
    let busy = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
    let series = Duration::from_secs(8);
    let stop = Duration::from_secs(9);
    let peer = Peer::bind();
    let millis = series.as_millis().to_string();
    let frozen = connect_to(&peer.url(), &[(AGAIN, &millis)]);
    let mut wire = peer.open();
    frozen.expect("Opened");
    wire.send(b"\x88\x02\x03\xe9");
    // Stopped during the delay before an attempt.
    frozen.expect("Reconnecting(1, Restart");
    frozen.stopped_for(stop, || {});
    peer.accept().answer(busy);
    frozen.expect("Reconnecting(2, Http5xx");
    // Stopped during an attempt.
    let wire = peer.accept();
    assert_eq!(wire.0.peek(&mut [0; 1]).expect("a request"), 1);
    frozen.stopped_for(stop, || {});
    wire.answer(busy);
    frozen.expect("Reconnecting(3, Http5xx");
    let _wire = peer.open();
    frozen.expect("Opened");
    frozen.expect("Reconnected(3)");
}

struct Owner;

impl ServerListener for Owner {
    fn connected(&self, _info: &Arc<ConnectionInfo>) -> Box<dyn Listener> {
        Box::new(Self)
    }
}

impl Listener for Owner {
    fn opened(&mut self, _opened: &Opened) {
        println!("\nevent Opened");
    }

    fn message(&mut self, _message: Message<'_>) {}
    fn failed(&mut self, _failure: &Failure) {}

    fn closed(&mut self, closed: &Closed) {
        println!("\nevent Closed({})", closed.code);
    }
}

/// Stops when a connection is open.
#[test]
#[ignore = "the server of another test"]
fn server() {
    let Ok(_) = std::env::var(URL) else { return };
    let session = SessionOptions { close_timeout: DEADLINE, ..quiet().session };
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let options = ServerOptions { listen, session, ..ServerOptions::default() };
    let server = Server::start(options, Box::new(Owner)).expect("a free port");
    println!("\nevent {}", server.local().expect("of TCP"));
    let _ = std::io::stdin().read_exact(&mut [0]);
    assert!(server.stop(Some(LIMIT)));
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

#[test]
fn clients_have_the_full_time_of_a_stop_after_a_freeze() {
    let mut frozen = Frozen::run("server", &[(URL, "")]);
    let address: SocketAddr = frozen.next().parse().expect("an address");
    let mut client = Wire(TcpStream::connect(address).expect("it listens"));
    client.0.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    client.send(
        b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    client.read_request();
    frozen.expect("Opened");
    frozen.child.stdin.as_mut().expect("piped").write_all(b"x").expect("it reads");
    client.expect(&[CLOSE]);
    frozen.stopped_for(STOPS[1], || {});
    let thawed_at = Instant::now();
    frozen.expect("Closed");
    assert!(thawed_at.elapsed() > LIMIT / 2, "{:?}", thawed_at.elapsed());
}
