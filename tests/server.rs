//! The server against other clients, the client of this library, and peers that write literal bytes.

mod support;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use net_websocket::internals::client::{
    Cause, ClientCertificate, Closed, Failure, Listener, Message, MessageType, Opened, PerMessageDeflate,
    ServerFile, ServerTls, SessionOptions, TlsOptions, close_code,
};
use net_websocket::internals::server::{
    Answer, Connection, ConnectionInfo, FaultyOption, RateLimit, Refusal, Remote, Server, ServerListener,
    ServerOptions, StartError, Unwelcome, UpgradeRequest,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use socket2::{Domain, Socket, Type};
use support::{DEADLINE, Recorded, Seen, quiet};
use tokio_tungstenite::tungstenite::client::{IntoClientRequest, client_with_config};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message as Theirs, WebSocket};

// ---- a server that echoes and records ----

#[derive(Debug, PartialEq)]
enum Told {
    Connected(u64, String, Option<String>),
    Failed(u64, Cause),
    Closed(u64, u16, String),
    KeptOut(Unwelcome),
    Released,
    Over,
}

type Ask = Box<dyn Fn(&UpgradeRequest, Answer) + Send + Sync>;

struct Owner {
    told: Sender<Told>,
    server: Arc<OnceLock<Weak<Server>>>,
    ask: Option<Ask>,
}

struct Echo {
    told: Sender<Told>,
    server: Arc<OnceLock<Weak<Server>>>,
    info: Arc<ConnectionInfo>,
}

impl ServerListener for Owner {
    fn requested(&self, _remote: Remote, request: &Arc<UpgradeRequest>, answer: Answer) {
        match &self.ask {
            Some(ask) => ask(request, answer),
            None => answer.accept(Vec::new()),
        }
    }

    fn connected(&self, info: &Arc<ConnectionInfo>) -> Box<dyn Listener> {
        let (told, server) = (self.told.clone(), self.server.clone());
        Box::new(Echo { told, server, info: info.clone() })
    }

    fn kept_out(&self, _remote: Remote, why: Unwelcome) {
        let _ = self.told.send(Told::KeptOut(why));
    }

    fn released(&self) {
        let _ = self.told.send(Told::Released);
    }

    fn over(&self) {
        let _ = self.told.send(Told::Over);
    }
}

impl Listener for Echo {
    fn opened(&mut self, opened: &Opened) {
        let target = self.info.target.to_string();
        let _ = self.told.send(Told::Connected(
            self.info.id,
            target,
            opened.protocol.as_deref().map(str::to_owned),
        ));
    }

    fn message(&mut self, message: Message<'_>) {
        let server = self.server.get().and_then(Weak::upgrade).expect("a server");
        let connection = server.connection(self.info.id).expect("who is told of it finds it");
        connection.send(message.kind(), message.data()).expect("room");
    }

    fn failed(&mut self, failure: &Failure) {
        let _ = self.told.send(Told::Failed(self.info.id, failure.error.cause()));
    }

    fn closed(&mut self, closed: &Closed) {
        let _ = self.told.send(Told::Closed(self.info.id, closed.code, closed.reason.clone()));
    }
}

struct Echoing {
    server: Arc<Server>,
    told: Receiver<Told>,
}

impl Echoing {
    fn start(options: ServerOptions) -> Self {
        Self::asking(options, None)
    }

    fn asking(options: ServerOptions, ask: Option<Ask>) -> Self {
        Self::try_start(options, ask).expect("a server")
    }

    fn try_start(options: ServerOptions, ask: Option<Ask>) -> Result<Self, StartError> {
        let (told, events) = channel();
        let server = Arc::new(OnceLock::new());
        let owner = Owner { told, server: server.clone(), ask };
        let started = Arc::new(Server::start(options, Box::new(owner))?);
        server.set(Arc::downgrade(&started)).expect("set once");
        Ok(Self { server: started, told: events })
    }

    fn next(&self) -> Told {
        self.told.recv_timeout(DEADLINE).expect("an event in time")
    }

    fn address(&self) -> SocketAddr {
        self.server.local().expect("an address")
    }

    fn url(&self) -> String {
        format!("ws://{}/", self.address())
    }

    fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        stream
    }

    /// A client of another library.
    fn other(&self) -> WebSocket<TcpStream> {
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        client_with_config(self.url(), self.tcp(), Some(config)).expect("an upgrade").0
    }

    /// A client of another library, once the server has reported the connection.
    fn told_of(&self) -> WebSocket<TcpStream> {
        let client = self.other();
        assert!(matches!(self.next(), Told::Connected(..)));
        client
    }

    fn connection(&self) -> Arc<Connection> {
        self.server.connections().pop().expect("a connection")
    }
}

/// Options for loopback whose timeouts no test reaches by accident.
fn options() -> ServerOptions {
    ServerOptions {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        session: SessionOptions { ping_interval: None, ..ServerOptions::default().session },
        ..ServerOptions::default()
    }
}

fn text_frame(text: &str, masked: bool) -> Vec<u8> {
    let mut frame = vec![0x81, text.len() as u8];
    if masked {
        frame[1] |= 0x80;
        frame.extend([0; 4]);
    }
    frame.extend(text.as_bytes());
    frame
}

/// The bytes of an upgrade request.
fn request(extra: &str) -> String {
    format!(
        "GET /raw HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n"
    )
}

/// Reads a head byte by byte, so that later bytes stay unread.
fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("more bytes");
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("ASCII")
}

fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    rest
}

// ---- messages ----

#[test]
fn echoes_messages_of_every_length_to_another_client() {
    let server = Echoing::start(ServerOptions { protocols: vec!["chat".to_owned()], ..options() });
    let mut request = format!("{}path?q=1", server.url()).into_client_request().expect("a request");
    request.headers_mut().insert("sec-websocket-protocol", "other, chat".parse().expect("a value"));
    let (mut client, answer) = client_with_config(request, server.tcp(), None).expect("an upgrade");
    assert_eq!(answer.headers()["sec-websocket-protocol"], "chat");
    assert_eq!(server.next(), Told::Connected(1, "/path?q=1".to_owned(), Some("chat".to_owned())));
    for length in [0, 1, 125, 126, 127, 65_535, 65_536, 131_072, 300_000, 3_000_000] {
        let bytes: Vec<u8> = (0..length).map(|at: u32| (at * 7) as u8).collect();
        let text = "é".repeat(length as usize / 2);
        client.send(Theirs::binary(bytes.clone())).expect("sent");
        client.send(Theirs::text(text.clone())).expect("sent");
        assert!(client.read().expect("an echo") == Theirs::binary(bytes), "{length} bytes");
        assert!(client.read().expect("an echo") == Theirs::text(text), "{length} bytes of text");
    }
    client.send(Theirs::Ping(b"who".as_slice().into())).expect("sent");
    assert_eq!(client.read().expect("an answer"), Theirs::Pong(b"who".as_slice().into()));
    let counted = server.connection().statistics();
    assert_eq!((counted.messages_received, counted.messages_sent, counted.pings_received), (20, 20, 1));
    let frame = CloseFrame { code: CloseCode::from(4000), reason: "bye".into() };
    client.close(Some(frame.clone())).expect("sent");
    assert_eq!(
        client.read().expect("an answer"),
        Theirs::Close(Some(CloseFrame { reason: "".into(), ..frame }))
    );
    assert!(matches!(client.read(), Err(Error::ConnectionClosed)));
    assert_eq!(server.next(), Told::Closed(1, 4000, "bye".to_owned()));
}

#[test]
fn speaks_with_our_client_compressed() {
    let deflate = || Some(PerMessageDeflate::default());
    let session = SessionOptions { per_message_deflate: deflate(), ..options().session };
    let server = Echoing::start(ServerOptions { session, ..options() });
    let client = Recorded::connect_to(&server.url(), quiet());
    assert_eq!(client.next(), Seen::Opened);
    for text in ["short".to_owned(), "much of the same, ".repeat(20_000)] {
        client.client.send(MessageType::Text, text.as_bytes()).expect("room");
        assert_eq!(client.next(), Seen::Text(text));
    }
    let (sent, counted) = (client.client.statistics(), server.connection().statistics());
    assert_eq!(counted.deflate_input, 360_000);
    assert!(counted.deflate_output < 36_000 && sent.bytes_sent < 36_000, "{counted:?}");
    assert_eq!(counted.bytes_received, sent.bytes_sent);
    client.client.close(1000, "").expect("open");
    assert_eq!(client.next(), Seen::Closed(1000, String::new()));
    client.finish(server);
}

#[test]
fn closing_one_connection_leaves_the_others_open() {
    let server = Echoing::start(options());
    let (mut first, mut second) = (server.told_of(), server.told_of());
    assert_eq!(server.server.connections().len(), 2);
    let connection = server.server.connection(1).expect("there");
    // A server does not close with 1010 (RFC 6455 section 7.4.1).
    assert_eq!(u16::from(close_code(1010)), 1010);
    connection.close(1010, "no").expect("open");
    let told = Theirs::Close(Some(CloseFrame { code: CloseCode::Normal, reason: "no".into() }));
    assert_eq!(first.read().expect("a close frame"), told);
    while first.read().is_ok() {}
    second.send(Theirs::text("still there")).expect("sent");
    assert_eq!(second.read().expect("an echo"), Theirs::text("still there"));
    // A close frame without a code. It does not affect other connections either.
    second.close(None).expect("sent");
    while second.read().is_ok() {}
    let mut ends = [server.next(), server.next()];
    ends.sort_by_key(|told| format!("{told:?}"));
    assert_eq!(ends, [Told::Closed(1, 1000, "no".to_owned()), Told::Closed(2, 1005, String::new())]);
    let mut third = server.other();
    third.send(Theirs::text("on")).expect("sent");
    assert_eq!(third.read().expect("an echo"), Theirs::text("on"));
}

#[test]
fn a_protocol_violation_ends_one_connection_with_its_code() {
    let session = SessionOptions { message_limit: 1_000, ..options().session };
    let server = Echoing::start(ServerOptions { session, ..options() });
    let too_long = [&[0x82, 0xfe, 0x03, 0xe9, 0, 0, 0, 0][..], &[7; 1_001]].concat();
    for (id, (frame, code, cause)) in (1..).zip([
        (text_frame("unmasked", false), 1002, Cause::Protocol),
        (too_long, 1009, Cause::Protocol),
        ([0x81, 0x81, 0, 0, 0, 0, 0xff].to_vec(), 1007, Cause::Protocol),
        ([0xc1, 0x80, 0, 0, 0, 0].to_vec(), 1002, Cause::Protocol),
    ]) {
        let mut stream = server.tcp();
        stream.write_all(request("").as_bytes()).expect("sent");
        assert!(head(&mut stream).starts_with("HTTP/1.1 101 "));
        stream.write_all(&frame).expect("sent");
        let answer = rest(&mut stream);
        assert_eq!((answer[0], u16::from_be_bytes([answer[2], answer[3]])), (0x88, code));
        assert!(matches!(server.next(), Told::Connected(..)));
        assert_eq!(server.next(), Told::Failed(id, cause));
        assert!(matches!(server.next(), Told::Closed(_, told, _) if told == code));
    }
    assert!(server.server.connections().is_empty());
}

#[test]
fn a_client_that_answers_no_ping_is_reported_as_lost() {
    let session = SessionOptions {
        ping_interval: Some(Duration::from_millis(50)),
        pong_timeout: Some(Duration::from_millis(100)),
        ..options().session
    };
    let server = Echoing::start(ServerOptions { session, ..options() });
    let mut stream = server.tcp();
    stream.write_all(request("").as_bytes()).expect("sent");
    head(&mut stream);
    assert!(rest(&mut stream).starts_with(&[0x89, 0]), "a ping that is not masked");
    assert!(matches!(server.next(), Told::Connected(..)));
    assert_eq!(server.next(), Told::Failed(1, Cause::Lost));
    assert!(matches!(server.next(), Told::Closed(1, 1006, _)));
}

#[test]
fn reads_frames_that_arrive_with_the_request() {
    let server = Echoing::start(options());
    let mut stream = server.tcp();
    let wire = [request("").as_bytes(), &text_frame("early", true)].concat();
    stream.write_all(&wire).expect("sent");
    head(&mut stream);
    let mut echo = [0; 7];
    stream.read_exact(&mut echo).expect("an echo");
    assert_eq!(&echo, b"\x81\x05early");
}

// ---- accepted and refused clients ----

#[test]
fn refuses_clients_over_the_connection_limits() {
    let server =
        Echoing::start(ServerOptions { addresses_max: 2, connections_per_address_max: 2, ..options() });
    let from = |host: u8| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from(([127, 0, 0, host], 0)).into()).expect("ours");
        socket.connect(&server.address().into()).expect("it listens");
        socket.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        let mut stream: TcpStream = socket.into();
        let _ = stream.write_all(request("").as_bytes());
        stream
    };
    let mut kept = Vec::new();
    for host in [1, 1, 2] {
        let mut stream = from(host);
        assert!(head(&mut stream).starts_with("HTTP/1.1 101 "));
        assert!(matches!(server.next(), Told::Connected(..)));
        kept.push(stream);
    }
    for (host, why) in [(1, Unwelcome::TooManyOfAddress), (3, Unwelcome::TooManyAddresses)] {
        assert_eq!(rest(&mut from(host)), b"", "it ends without an answer");
        assert_eq!(server.next(), Told::KeptOut(why));
    }
    // The place is free once the connection has ended.
    drop(kept.pop());
    assert_eq!(server.next(), Told::Failed(3, Cause::Lost));
    assert!(matches!(server.next(), Told::Closed(3, 1006, _)));
    assert!(head(&mut from(3)).starts_with("HTTP/1.1 101 "));
}

#[test]
fn refuses_an_address_that_connects_too_often() {
    let rate_limit = Some(RateLimit { connections: 2, ..RateLimit::PLATFORM });
    let server = Echoing::start(ServerOptions { rate_limit, ..options() });
    let clients = [server.other(), server.other()];
    assert_eq!(rest(&mut server.tcp()), b"");
    let told: Vec<_> = (0..3).map(|_| server.next()).collect();
    assert!(told.contains(&Told::KeptOut(Unwelcome::TooOften)), "{told:?}");
    drop(clients);
}

#[test]
fn the_owner_accepts_or_refuses_each_request() {
    let ask = |request: &UpgradeRequest, answer: Answer| match request.target.as_str() {
        "/in" => answer.accept(vec![("X-Served-By".to_owned(), "us".to_owned())]),
        "/later" => {
            std::thread::spawn(move || answer.accept(Vec::new()));
        }
        "/lost" => drop(answer),
        _ => {
            let headers = vec![("X-Why".to_owned(), "so".to_owned())];
            answer.refuse(Refusal { status: 403, headers, body: "not you".to_owned() });
        }
    };
    let server = Echoing::asking(options(), Some(Box::new(ask)));
    let at = |target: &str| {
        let mut stream = server.tcp();
        stream.write_all(request("").replace("/raw", target).as_bytes()).expect("sent");
        stream
    };
    assert!(head(&mut at("/in")).contains("\r\nX-Served-By: us\r\n"));
    assert!(head(&mut at("/later")).starts_with("HTTP/1.1 101 "));
    assert_eq!(rest(&mut at("/lost")), b"");
    let refused = String::from_utf8(rest(&mut at("/other"))).expect("ASCII");
    assert!(
        refused.starts_with("HTTP/1.1 403 Forbidden\r\n")
            && refused.ends_with("\r\nX-Why: so\r\n\r\nnot you")
    );
    // The error text of our client.
    let client = Recorded::connect_to(&server.url(), quiet());
    assert!(matches!(client.next(), Seen::Failed(why) if why.contains("HTTP 403 Forbidden instead of 101")));
    client.finish(server);
}

#[test]
fn answers_other_requests_by_http() {
    let server = Echoing::start(options());
    let mut stream = server.tcp();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
    let answer = String::from_utf8(rest(&mut stream)).expect("ASCII");
    assert!(answer.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{answer}");
    assert!(answer.contains("\r\nUpgrade: websocket\r\n"), "{answer}");
    for garbage in [&b"\x16\x03\x01\x00\xf4\x01\x00\x00"[..], b"SSH-2.0-OpenSSH_9\r\n"] {
        let mut stream = server.tcp();
        stream.write_all(garbage).expect("sent");
        assert!(rest(&mut stream).starts_with(b"HTTP/1.1 400 Bad Request\r\n"));
    }
}

#[test]
fn reads_a_request_byte_by_byte_within_the_handshake_timeout() {
    let server = Echoing::start(options());
    let mut stream = server.tcp();
    stream.set_nodelay(true).expect("no delay");
    for byte in request("X: y\r\n").bytes() {
        stream.write_all(&[byte]).expect("sent");
    }
    assert!(head(&mut stream).starts_with("HTTP/1.1 101 "));

    let handshake_timeout = Duration::from_millis(300);
    let server = Echoing::start(ServerOptions { handshake_timeout, handshakes_max: 1, ..options() });
    let began = Instant::now();
    let mut silent = server.tcp();
    silent.write_all(b"GET / HTTP/1.1\r\nX-Slow: ").expect("sent");
    // The connection waits in the kernel until the other one has timed out.
    let mut next = server.other();
    assert!(began.elapsed() >= handshake_timeout, "{:?}", began.elapsed());
    assert_eq!(rest(&mut silent), b"");
    next.send(Theirs::text("on")).expect("sent");
    assert_eq!(next.read().expect("an echo"), Theirs::text("on"));
}

// ---- start and stop ----

#[test]
fn stop_closes_all_connections_and_frees_the_port() {
    let server = Echoing::start(options());
    let mut clients = [server.other(), server.other()];
    let mut unready = server.tcp();
    for _ in 0..2 {
        assert!(matches!(server.next(), Told::Connected(..)));
    }
    assert!(server.server.stop(None));
    let away = CloseFrame { code: CloseCode::Away, reason: "server is going away".into() };
    for client in &mut clients {
        assert_eq!(client.read().expect("a close frame"), Theirs::Close(Some(away.clone())));
        while client.read().is_ok() {}
    }
    assert_eq!(rest(&mut unready), b"");
    let mut told: Vec<_> = (0..3).map(|_| server.next()).collect();
    told.sort_by_key(|told| format!("{told:?}"));
    let closed = |id| Told::Closed(id, 1001, "server is going away".to_owned());
    assert_eq!(told, [closed(1), closed(2), Told::Released]);
    assert_eq!(server.next(), Told::Over);
    assert!(!server.server.stop(None), "it was stopped before");
    assert!(server.server.connections().is_empty());
    let again = Echoing::start(ServerOptions { listen: server.address(), ..options() });
    let _ = again.other();
}

#[test]
fn the_port_is_free_when_stop_returns() {
    let mut listen = options().listen;
    for _ in 0..100 {
        let server = Echoing::start(ServerOptions { listen, ..options() });
        listen = server.address();
        let _connected = server.told_of();
        assert!(server.server.stop(None));
    }
}

/// A listener that is asked for room before each client.
struct Full {
    told: Sender<&'static str>,
    waker: Mutex<Option<Waker>>,
    has_room: AtomicBool,
}

struct OfFull(Arc<Full>);

impl ServerListener for OfFull {
    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let Self(full) = self;
        if full.has_room.load(Ordering::SeqCst) {
            return Poll::Ready(());
        }
        *full.waker.lock().expect("no panic") = Some(cx.waker().clone());
        let _ = full.told.send("full");
        Poll::Pending
    }

    fn requested(&self, _remote: Remote, _request: &Arc<UpgradeRequest>, answer: Answer) {
        let Self(full) = self;
        let has_room = full.has_room.load(Ordering::SeqCst);
        let _ = full.told.send(if has_room { "requested" } else { "requested without room" });
        drop(answer);
    }

    fn connected(&self, _info: &Arc<ConnectionInfo>) -> Box<dyn Listener> {
        panic!("each request is dropped");
    }
}

#[test]
fn clients_wait_until_their_owner_has_room() {
    let (told, events) = channel();
    let full = Arc::new(Full { told, waker: Mutex::default(), has_room: AtomicBool::new(false) });
    let server = Server::start(options(), Box::new(OfFull(full.clone()))).expect("a server");
    let mut stream = TcpStream::connect(server.local().expect("an address")).expect("it listens");
    stream.write_all(request("").as_bytes()).expect("sent");
    let next = || events.recv_timeout(DEADLINE).expect("an event in time");
    assert_eq!(next(), "full");
    full.has_room.store(true, Ordering::SeqCst);
    full.waker.lock().expect("no panic").take().expect("a waker").wake();
    let asked = std::iter::from_fn(|| Some(next())).find(|told| *told != "full");
    assert_eq!(asked, Some("requested"));
    assert_eq!(rest(&mut stream), b"");
}

#[test]
fn the_limit_of_a_stop_keeps_nothing_after_the_end() {
    let server = Echoing::start(options());
    let mut client = server.told_of();
    let Echoing { server, told } = server;
    assert!(server.stop(Some(Duration::from_secs(3_600))));
    drop(server);
    while client.read().is_ok() {}
    while told.recv_timeout(DEADLINE).expect("an event in time") != Told::Over {}
    // The owner has one of the senders.
    assert_eq!(told.recv_timeout(DEADLINE), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn reports_an_address_that_cannot_be_listened_on() {
    let server = Echoing::start(options());
    let refused = |listen: SocketAddr| match Echoing::try_start(ServerOptions { listen, ..options() }, None) {
        Err(StartError::Listen { address, cause }) => (address == listen, cause.kind()),
        other => panic!("{:?}", other.err()),
    };
    assert_eq!(refused(server.address()), (true, std::io::ErrorKind::AddrInUse));
    let foreign = SocketAddr::from(([192, 0, 2, 1], 0));
    assert_eq!(refused(foreign), (true, std::io::ErrorKind::AddrNotAvailable));
    // A group needs an interface, and without IPv6 there is none.
    let group = SocketAddr::from(([0xff02, 0, 0, 0, 0, 0, 0, 1], 0));
    let refused = Echoing::try_start(ServerOptions { listen: group, ..options() }, None).err();
    assert_eq!(refused.and_then(|error| error.option()), Some(FaultyOption::Address));
}

/// A folder of a test, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nws-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn at(&self, name: &str) -> ServerOptions {
        ServerOptions { socket_path: Some(self.0.join(name)), ..options() }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn listens_at_a_path_and_removes_its_file() {
    let folder = Folder::new("path");
    let path = folder.0.join("socket");
    let connect = || {
        let stream = UnixStream::connect(&path).expect("it listens");
        stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        stream
    };
    let server = Echoing::start(ServerOptions { connections_per_address_max: 2, ..folder.at("socket") });
    assert_eq!((server.server.local(), server.server.socket_path()), (None, Some(&*path)));
    let mut clients: Vec<_> = (0..2)
        .map(|_| client_with_config("ws://x/by-path", connect(), None).expect("an upgrade").0)
        .collect();
    for number in 1..=2 {
        assert_eq!(server.next(), Told::Connected(number, "/by-path".to_owned(), None));
    }
    let remotes: Vec<_> =
        server.server.connections().iter().map(|connection| connection.info().remote).collect();
    assert_eq!(remotes, [Remote::Path(1), Remote::Path(2)]);
    // All clients of the path count as one address.
    assert!(client_with_config("ws://x/", connect(), None).is_err());
    assert_eq!(server.next(), Told::KeptOut(Unwelcome::TooManyOfAddress));
    for client in &mut clients {
        for length in [0, 1, 125, 126, 65_536, 1_000_000] {
            let sent = Theirs::binary(vec![7; length]);
            client.send(sent.clone()).expect("sent");
            assert_eq!(client.read().expect("an echo"), sent);
        }
    }
    server.server.stop(None);
    for client in &mut clients {
        assert!(matches!(client.read(), Ok(Theirs::Close(Some(CloseFrame { code: CloseCode::Away, .. })))));
        while client.read().is_ok() {}
    }
    let mut told: Vec<_> = (0..3).map(|_| server.next()).collect();
    told.retain(|told| !matches!(told, Told::Closed(..)));
    assert_eq!((told, server.next()), (vec![Told::Released], Told::Over));
    assert!(!path.exists(), "the file is gone");
    let again = Echoing::start(folder.at("socket"));
    let (mut client, _) = client_with_config("ws://x/", connect(), None).expect("an upgrade");
    client.send(Theirs::text("again")).expect("sent");
    assert_eq!(client.read().expect("an echo"), Theirs::text("again"));
    drop(again);
}

#[test]
fn keeps_a_file_that_replaced_its_socket() {
    let folder = Folder::new("other");
    let path = folder.0.join("socket");
    let server = Echoing::start(folder.at("socket"));
    fs::rename(&path, folder.0.join("moved")).expect("moved");
    fs::write(&path, "of somebody else").expect("written");
    server.server.stop(None);
    assert_eq!((server.next(), server.next()), (Told::Released, Told::Over));
    assert_eq!(fs::read_to_string(&path).expect("it is there"), "of somebody else");
}

#[test]
fn names_the_cause_when_it_cannot_listen_at_a_path() {
    let folder = Folder::new("refused");
    let _first = Echoing::start(folder.at("taken"));
    let refused = |path: PathBuf| {
        let started = Echoing::try_start(ServerOptions { socket_path: Some(path), ..options() }, None);
        started.err().expect("refused").to_string()
    };
    let name = |name: &str| folder.0.join(name);
    let shown = |path: &PathBuf| format!("socketPath: cannot listen on {}: ", path.display());
    let taken = name("taken");
    let text = refused(taken.clone());
    assert!(text.starts_with(&(shown(&taken) + "a file with this name exists: ")), "{text}");
    assert!(taken.exists());
    fs::write(name("file"), "").expect("written");
    assert!(refused(name("file")).contains("a file with this name exists"));
    let missing = name("missing/socket");
    assert!(refused(missing.clone()).starts_with(&(shown(&missing) + "its folder does not exist: ")));
    assert!(refused(name("file/socket")).contains("Not a directory"));
    let long = name(&"x".repeat(107));
    let bytes = long.as_os_str().len();
    let why = format!("the path has {bytes} bytes, 107 are allowed");
    assert_eq!(refused(long.clone()), shown(&long) + &why);
    assert!(refused(PathBuf::new()).ends_with("the path is empty"));
    assert!(refused("a\0b".into()).ends_with("the path contains a NUL byte"));
    // The longest that is one.
    let fits = "x".repeat(107 - 1 - folder.0.as_os_str().len());
    drop(Echoing::start(folder.at(&fits)));
}

#[test]
fn listens_on_an_ipv4_address_in_the_form_of_ipv6() {
    let listen = "[::ffff:127.0.0.1]:0".parse().expect("an address");
    let server = Echoing::start(ServerOptions { listen, ..options() });
    let mut client = server.told_of();
    client.send(Theirs::text("mapped")).expect("sent");
    assert_eq!(client.read().expect("an echo"), Theirs::text("mapped"));
}

#[test]
fn listens_on_ipv4_and_ipv6() {
    let server = Echoing::start(ServerOptions { listen: "[::]:0".parse().expect("an address"), ..options() });
    for host in ["127.0.0.1", "::1"] {
        let address = SocketAddr::new(host.parse().expect("an address"), server.address().port());
        let stream = TcpStream::connect(address).expect("it listens");
        let (mut client, _) = client_with_config("ws://x/", stream, None).expect("an upgrade");
        client.send(Theirs::text(host)).expect("sent");
        assert_eq!(client.read().expect("an echo"), Theirs::text(host));
        assert_eq!(server.connection().info().remote.ip(), Some(address.ip()));
    }
}

#[test]
fn stop_with_a_limit_does_not_wait_for_close_frames() {
    let session = SessionOptions { close_timeout: DEADLINE, ..options().session };
    let server = Echoing::start(ServerOptions { session, ..options() });
    // It answers no close frame.
    let _silent = server.other();
    assert!(matches!(server.next(), Told::Connected(..)));
    let began = Instant::now();
    assert!(server.server.stop(Some(Duration::from_millis(100))));
    assert_eq!(server.next(), Told::Released);
    assert!(matches!(server.next(), Told::Closed(1, 1006, _)));
    assert_eq!(server.next(), Told::Over);
    assert!(began.elapsed() < DEADLINE / 2, "{:?}", began.elapsed());
}

#[test]
fn stop_with_a_limit_does_not_wait_until_the_queue_is_sent() {
    let per_message_deflate = Some(PerMessageDeflate::default());
    let session = SessionOptions { close_timeout: DEADLINE, per_message_deflate, ..options().session };
    let server = Echoing::start(ServerOptions { session, ..options() });
    let mut stream = server.tcp();
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    stream.write_all(request(offer).as_bytes()).expect("sent");
    head(&mut stream);
    assert!(matches!(server.next(), Told::Connected(..)));
    // The client reads at once what the server compresses slowly, so the server can write all the time.
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 26) as u8
    };
    let connection = server.connection();
    for _ in 0..40 {
        let data: Vec<u8> = (0..1_000_000).map(|_| noise()).collect();
        connection.send(MessageType::Binary, &data).expect("room");
    }
    let reader = std::thread::spawn(move || rest(&mut stream));
    let began = Instant::now();
    assert!(server.server.stop(Some(Duration::from_millis(50))));
    assert_eq!(server.next(), Told::Released);
    assert!(matches!(server.next(), Told::Closed(1, 1006, _)));
    assert_eq!(server.next(), Told::Over);
    assert!(began.elapsed() < DEADLINE / 2, "{:?}", began.elapsed());
    reader.join().expect("no panic");
}

/// A server that accepts every client with these headers, and stops at the same time if asked to.
fn letting_in(options: ServerOptions, headers: &[(String, String)], stops: bool) -> Echoing {
    let (stopping, headers) = (Arc::new(OnceLock::<Weak<Server>>::new()), headers.to_vec());
    let in_ask = stopping.clone();
    let ask: Ask = Box::new(move |_, answer| {
        answer.accept(headers.clone());
        if stops {
            assert!(in_ask.get().and_then(Weak::upgrade).expect("a server").stop(None));
        }
    });
    let server = Echoing::asking(options, Some(ask));
    stopping.set(Arc::downgrade(&server.server)).expect("set once");
    server
}

/// A header longer than the kernel buffers for a client that does not read.
fn header_that_fills_the_way() -> (String, String) {
    ("X-Long".to_owned(), "long".repeat(4 << 20))
}

/// Asserts what an accepted client of a stopping server receives: the rest of the answer's head, and a close frame.
fn assert_opened_and_sent_away(stream: &TcpStream, last_header: &str) {
    let mut stream = BufReader::new(stream);
    let mut lines = Vec::new();
    while !lines.ends_with(b"\r\n\r\n") {
        assert!(stream.read_until(b'\n', &mut lines).expect("more bytes") > 0, "the head comes whole");
    }
    assert!(lines.ends_with(format!("\r\n{last_header}\r\n\r\n").as_bytes()));
    let mut close = [0; 24];
    stream.read_exact(&mut close).expect("a close frame");
    assert_eq!(&close, b"\x88\x16\x03\xe9server is going away");
    // The same code, masked by zeros.
    stream.get_mut().write_all(b"\x88\x82\0\0\0\0\x03\xe9").expect("sent");
    assert_eq!(stream.read(&mut close).expect("an end"), 0);
}

#[test]
fn stop_right_after_an_accept_opens_and_closes_the_connection() {
    let server = letting_in(options(), &[("X-Last".to_owned(), "1".to_owned())], true);
    let mut stream = server.tcp();
    stream.write_all(request("").as_bytes()).expect("sent");
    assert_opened_and_sent_away(&stream, "X-Last: 1");
    let mut told: Vec<_> = (0..3).map(|_| server.next()).collect();
    told.sort_by_key(|told| format!("{told:?}"));
    let closed = Told::Closed(1, 1001, "server is going away".to_owned());
    assert_eq!(told, [closed, Told::Connected(1, "/raw".to_owned(), None), Told::Released]);
    assert_eq!(server.next(), Told::Over);
    let counted = server.server.statistics();
    assert_eq!((counted.opened, counted.not_opened, counted.open), (1, 0, 0));
}

#[test]
fn stop_waits_for_a_promised_answer() {
    let (asked, answers) = channel();
    let ask: Ask = Box::new(move |_, answer| {
        answer.promise();
        asked.send(answer).expect("somebody answers");
    });
    let server = Echoing::asking(options(), Some(ask));
    let mut stream = server.tcp();
    stream.write_all(request("").as_bytes()).expect("sent");
    let answer = answers.recv_timeout(DEADLINE).expect("a request");
    assert!(server.server.stop(None));
    assert_eq!(server.next(), Told::Released);
    assert!(answer.is_waited_for());
    answer.accept(vec![("X-Last".to_owned(), "1".to_owned())]);
    assert_opened_and_sent_away(&stream, "X-Last: 1");
    assert_eq!(server.next(), Told::Connected(1, "/raw".to_owned(), None));
    assert_eq!(server.next(), Told::Closed(1, 1001, "server is going away".to_owned()));
    assert_eq!(server.next(), Told::Over);
}

#[test]
fn stop_waits_until_an_answer_is_written() {
    let header = header_that_fills_the_way();
    let server = letting_in(options(), std::slice::from_ref(&header), false);
    let mut stream = server.tcp();
    stream.write_all(request("").as_bytes()).expect("sent");
    let mut status = [0; 12];
    stream.read_exact(&mut status).expect("the answer has begun");
    assert_eq!(&status, b"HTTP/1.1 101");
    assert!(server.server.stop(None));
    assert_eq!(server.next(), Told::Released);
    assert_opened_and_sent_away(&stream, &format!("{}: {}", header.0, header.1));
    assert_eq!(server.next(), Told::Connected(1, "/raw".to_owned(), None));
    assert_eq!(server.next(), Told::Closed(1, 1001, "server is going away".to_owned()));
    assert_eq!(server.next(), Told::Over);
}

#[test]
fn stop_with_a_limit_does_not_wait_until_an_answer_is_written() {
    let options = ServerOptions { handshake_timeout: DEADLINE, ..options() };
    let server = letting_in(options, &[header_that_fills_the_way()], false);
    let mut stream = server.tcp();
    stream.write_all(request("").as_bytes()).expect("sent");
    stream.read_exact(&mut [0; 12]).expect("the answer has begun");
    let began = Instant::now();
    assert!(server.server.stop(Some(Duration::from_millis(100))));
    assert_eq!(server.next(), Told::Released);
    assert_eq!(server.next(), Told::Over);
    assert!(began.elapsed() < DEADLINE / 2, "{:?}", began.elapsed());
    let counted = server.server.statistics();
    assert_eq!((counted.opened, counted.not_opened), (0, 1));
}

#[test]
fn a_broadcast_reaches_the_listed_connections_only() {
    let server = Echoing::start(options());
    let mut clients = [server.told_of(), server.told_of(), server.told_of()];
    for length in [0, 125, 126, 65_536, 3_000_000] {
        let payload = vec![7; length];
        let taken = server.server.broadcast(MessageType::Binary, &payload, Some(&[3, 1, 3, 99]));
        assert_eq!(taken, 2);
        clients[1].send(Theirs::text("mine")).expect("sent");
        assert_eq!(clients[1].read().expect("an echo"), Theirs::text("mine"), "nothing came before it");
        for at in [0, 2] {
            assert!(clients[at].read().expect("a message") == Theirs::binary(payload.clone()), "{length}");
        }
    }
    let counted = server.server.statistics();
    assert_eq!(
        (counted.open, counted.opened, counted.messages_sent, counted.messages_received),
        (3, 3, 15, 5)
    );
    drop(clients);
    for _ in 0..6 {
        let _ = server.next();
    }
    let after = server.server.statistics();
    assert_eq!((after.opened, after.messages_sent, after.buffered_bytes), (3, 15, 0));
    let mut garbage = server.tcp();
    garbage.write_all(b"SSH-2.0\r\n").expect("sent");
    let _ = rest(&mut garbage);
    drop(garbage);
    let by = Instant::now() + DEADLINE;
    while server.server.statistics().not_opened == 0 {
        assert!(Instant::now() < by, "it is counted");
        std::thread::yield_now();
    }
}

// ---- TLS ----

struct Keys {
    folder: PathBuf,
    authority: CertifiedIssuer<'static, KeyPair>,
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().expect("a key")).expect("an authority")
}

fn certificate_parameters() -> CertificateParams {
    CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name")
}

impl Keys {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// An authority, and two certificates of it with their keys.
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("net_websocket-server-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let keys = Self { folder, authority: authority("a test authority") };
        fs::write(keys.path("ca.pem"), keys.authority.pem()).expect("written");
        for name in ["one", "two"] {
            keys.add(name, &certificate_parameters(), &keys.authority);
        }
        keys
    }

    fn add(&self, name: &str, parameters: &CertificateParams, authority: &CertifiedIssuer<'_, KeyPair>) {
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, authority).expect("signed");
        fs::write(self.path(&format!("{name}.pem")), certificate.pem()).expect("written");
        fs::write(self.path(&format!("{name}.key")), key.serialize_pem()).expect("written");
    }

    fn client_certificate(&self, name: &str) -> Option<ClientCertificate> {
        let (certificate, key) = (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")));
        Some(ClientCertificate { certificate, key, password: None })
    }

    fn server(&self) -> ServerTls {
        ServerTls {
            certificate: self.path("one.pem"),
            key: self.path("one.key"),
            password: None,
            client_authorities: None,
            tls13_only: false,
        }
    }

    fn connect(&self, server: &Echoing, tls: TlsOptions) -> Recorded {
        let url = format!("wss://{}/", server.address());
        let tls = TlsOptions { ca_path: Some(self.path("ca.pem")), ..tls };
        Recorded::connect_to(&url, net_websocket::internals::client::Options { tls, ..quiet() })
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn serves_by_tls() {
    let keys = Keys::new("tls");
    for tls13_only in [false, true] {
        let tls = Some(ServerTls { tls13_only, ..keys.server() });
        let server = Echoing::start(ServerOptions { tls, ..options() });
        let client = keys.connect(&server, TlsOptions::default());
        assert_eq!(client.next(), Seen::Opened);
        let data = vec![7; 1_000_000];
        client.client.send(MessageType::Binary, &data).expect("room");
        assert!(client.next() == Seen::Binary(data));
        assert!(matches!(server.next(), Told::Connected(..)));
        assert!(server.server.stop(None));
        assert_eq!(client.next(), Seen::Closed(1001, "server is going away".to_owned()));
        client.finish(server);
    }
    // A client without TLS receives no bytes.
    let server = Echoing::start(ServerOptions { tls: Some(keys.server()), ..options() });
    let mut stream = server.tcp();
    stream.write_all(request("").as_bytes()).expect("sent");
    assert!(!rest(&mut stream).starts_with(b"HTTP"));
}

fn loopback() -> ServerName<'static> {
    ServerName::from(IpAddr::from([127, 0, 0, 1]))
}

/// A client that sends data before the end of the handshake. Another server has allowed that to it.
fn hasty_client(keys: &Keys) -> Arc<rustls::ClientConfig> {
    let der = |name| CertificateDer::from_pem_file(keys.path(name)).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(keys.path("one.key")).expect("a key");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(der("ca.pem")).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider.clone());
    let mut client = client
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.enable_early_data = true;
    let other = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut other = other
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![der("one.pem")], key)
        .expect("a certificate and its key");
    other.max_early_data_size = 16_384;
    let client = Arc::new(client);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let tcp = TcpStream::connect(listener.local_addr().expect("bound")).expect("it listens");
    let other = std::thread::spawn(move || {
        let (tcp, _) = listener.accept().expect("a connection");
        let session = rustls::ServerConnection::new(Arc::new(other)).expect("a server");
        rustls::StreamOwned::new(session, tcp).write_all(b"x").expect("sent");
    });
    let session = rustls::ClientConnection::new(client.clone(), loopback()).expect("a client");
    rustls::StreamOwned::new(session, tcp).read_exact(&mut [0]).expect("a handshake");
    other.join().expect("served");
    client
}

#[test]
fn skips_data_that_came_before_the_end_of_the_handshake() {
    let keys = Keys::new("hasty");
    let client = hasty_client(&keys);
    let server = Echoing::start(ServerOptions { tls: Some(keys.server()), ..options() });
    let mut session = rustls::ClientConnection::new(client, loopback()).expect("a client");
    // rustls skips up to 16,384 bytes of them, and counts a record each time that it looks at it.
    for length in [[100; 20].as_slice(), &[2_000]].concat() {
        let data = vec![b'x'; length];
        session.early_data().expect("a session to resume").write_all(&data).expect("room");
    }
    let mut stream = rustls::StreamOwned::new(session, server.tcp());
    stream.write_all(request("").as_bytes()).expect("sent");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 101");
    assert!(!stream.conn.is_early_data_accepted());
}

#[test]
fn sends_tickets_to_a_client_that_asks_for_nothing_yet() {
    let keys = Keys::new("tickets");
    let server = Echoing::start(ServerOptions { tls: Some(keys.server()), ..options() });
    let mut session = rustls::ClientConnection::new(hasty_client(&keys), loopback()).expect("a client");
    let mut tcp = server.tcp();
    tcp.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    while session.tls13_tickets_received() == 0 {
        session.complete_io(&mut tcp).expect("a record");
    }
}

#[test]
fn requires_client_certificates() {
    let keys = Keys::new("clients");
    let tls = Some(ServerTls { client_authorities: Some(keys.path("ca.pem")), ..keys.server() });
    let server = Echoing::start(ServerOptions { tls, ..options() });
    let without = keys.connect(&server, TlsOptions::default());
    assert!(matches!(without.next(), Seen::Failed(why) if why.contains("requires a client certificate")));
    let with = |name| {
        let client_certificate = keys.client_certificate(name);
        keys.connect(&server, TlsOptions { client_certificate, ..TlsOptions::default() })
    };
    assert_eq!(with("two").next(), Seen::Opened);

    let (stranger, forger) = (authority("another authority"), authority("a test authority"));
    let mut expired = certificate_parameters();
    expired.not_after = date_time_ymd(2020, 1, 1);
    let mut early = certificate_parameters();
    early.not_before = date_time_ymd(2200, 1, 1);
    let mut of_servers = certificate_parameters();
    of_servers.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    for (name, parameters, authority, alert) in [
        ("strange", &certificate_parameters(), &stranger, "UnknownCA"),
        ("forged", &certificate_parameters(), &forger, "DecryptError"),
        ("expired", &expired, &keys.authority, "CertificateExpired"),
        ("early", &early, &keys.authority, "CertificateExpired"),
        ("of_servers", &of_servers, &keys.authority, "UnsupportedCertificate"),
    ] {
        keys.add(name, parameters, authority);
        let text = format!("the server refused the client certificate (alert {alert})");
        match with(name).next() {
            Seen::Failed(why) => assert!(why.contains(&text), "{name}: {why}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn names_a_certificate_that_cannot_be_used() {
    let keys = Keys::new("unusable");
    let refused =
        |tls: ServerTls| match Echoing::try_start(ServerOptions { tls: Some(tls), ..options() }, None) {
            Err(StartError::Trust { file, cause }) => (file, cause.to_string()),
            other => panic!("{:?}", other.err()),
        };
    let assert_refused = |tls: ServerTls, at_fault: ServerFile, text: &str| {
        let (file, why) = refused(tls);
        assert!(file == at_fault && why.contains(text), "{file:?}: {why}");
    };
    let (certificate, key) = (keys.path("missing"), keys.path("two.key"));
    let foreign = "two.key: it does not belong to the certificate";
    assert_refused(ServerTls { key, ..keys.server() }, ServerFile::Key, foreign);
    let missing = "missing: No such file";
    assert_refused(ServerTls { certificate, ..keys.server() }, ServerFile::Certificate, missing);
    let key = keys.path("one.pem");
    let no_key = "one.pem: it contains a certificate, but no private key";
    assert_refused(ServerTls { key, ..keys.server() }, ServerFile::Key, no_key);
    let client_authorities = Some(keys.path("one.key"));
    let a_key = "one.key: it contains a private key";
    assert_refused(ServerTls { client_authorities, ..keys.server() }, ServerFile::ClientAuthorities, a_key);
}
