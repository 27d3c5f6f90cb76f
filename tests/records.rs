//! TLS whose records lie differently from the messages in them, or have another key.

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "support/hostile.rs"]
mod hostile;
mod support;

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use futures_util::FutureExt;
use net_websocket::internals::client::{
    AlpnProtocols, MessageType, Options, SessionOptions, Statistics, TlsOptions, tls_client,
};
use rcgen::generate_simple_self_signed;
use rustls::client::UnbufferedClientConnection;
use rustls::crypto::ring::{default_provider, sign::any_supported_type};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use rustls::server::StoresServerSessions;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion,
};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use hostile::{DATA, HANDSHAKE, Sealed, tickets, tls_server, upgrade};
use support::{DEADLINE, Recorded, Seen, quiet};

/// The type of an alert (RFC 8446 section 5.1).
const ALERT: u8 = 21;
const CLOSE_NOTIFY: [u8; 2] = [1, 0];

fn unverified() -> Options {
    let session = SessionOptions { per_message_deflate: None, ..quiet().session };
    let tls = TlsOptions { skip_server_verification: true, ..TlsOptions::default() };
    Options { tls, session, ..quiet() }
}

/// A client, and a server that writes its own records.
fn sealed() -> (Recorded, Sealed) {
    let (listener, url, config) = tls_server();
    let recorded = Recorded::connect_to(&url, unverified());
    let (tcp, _) = listener.accept().expect("a connection");
    tcp.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    let (server, _) = Sealed::upgrade(tcp, config).expect("a request");
    assert_eq!(recorded.next(), Seen::Opened);
    (recorded, server)
}

fn text(text: &str) -> Seen {
    Seen::Text(text.to_owned())
}

#[test]
fn writes_while_half_a_ticket_waits_for_its_other_half() {
    let (recorded, mut server) = sealed();
    let ticket = tickets(1);
    let (half, other_half) = ticket.split_at(ticket.len() / 2);
    server.write_all(&[(DATA, b"\x81\x01a"), (HANDSHAKE, half)]).expect("the client reads");
    assert_eq!(recorded.next(), text("a"));
    recorded.client.send(MessageType::Text, b"b").expect("open");
    let mut first = [0];
    server.tcp.read_exact(&mut first).expect("the message");
    assert_eq!(first, [DATA]);
    server.write_all(&[(HANDSHAKE, other_half), (DATA, b"\x81\x01c")]).expect("the client reads");
    assert_eq!(recorded.next(), text("c"));
}

#[test]
fn an_empty_record_of_the_handshake_moves_no_message() {
    let (recorded, mut server) = sealed();
    // rustls keeps such a record until the next message of a handshake.
    server
        .write_all(&[(HANDSHAKE, b""), (DATA, b"\x81\x01a"), (DATA, b"\x81\x01b")])
        .expect("the client reads");
    assert_eq!((recorded.next(), recorded.next()), (text("a"), text("b")));
    recorded.client.send(MessageType::Text, b"c").expect("open");
    let mut first = [0];
    server.tcp.read_exact(&mut first).expect("the message");
    server.write(HANDSHAKE, b"").expect("the client reads");
    server
        .write_all(&[(DATA, b"\x81\x01d"), (HANDSHAKE, &tickets(1)), (DATA, b"\x81\x01e")])
        .expect("the client reads");
    assert_eq!((recorded.next(), recorded.next()), (text("d"), text("e")));
}

#[test]
fn what_the_kernel_has_not_taken_waits() {
    const MESSAGES: u64 = 250;
    const FRAME: u64 = 60_000 + 8;
    let (recorded, mut server) = sealed();
    for _ in 0..MESSAGES {
        recorded.client.send(MessageType::Binary, &[0; 60_000]).expect("room");
    }
    let deadline = Instant::now() + DEADLINE;
    let until = |reached: &dyn Fn(&Statistics) -> bool| {
        loop {
            let now = recorded.client.statistics();
            if reached(&now) {
                return;
            }
            assert!(Instant::now() < deadline, "{now:?}");
            std::thread::yield_now();
        }
    };
    // Each message that the server has was in the kernel.
    for read in (50..=MESSAGES).step_by(50) {
        server.tcp.read_exact(&mut vec![0; 50 * 60_000]).expect("messages");
        until(&|now| now.messages_sent >= read - 1 && now.bytes_sent >= (read - 1) * FRAME);
    }
    std::thread::spawn(move || std::io::copy(&mut server.tcp, &mut std::io::sink()));
    let sent = (MESSAGES, MESSAGES * FRAME, 0, 0);
    until(&|now| sent == (now.messages_sent, now.bytes_sent, now.buffered_messages, now.buffered_bytes));
}

#[test]
fn reads_tickets_and_messages_of_one_record_or_many() {
    let (recorded, mut server) = sealed();
    let long = [b"\x81\x7e\xc3\x50".as_slice(), &[b'x'; 50_000]].concat();
    let mut records = vec![(HANDSHAKE, tickets(3))];
    records.extend(b"\x81\x01a".iter().map(|byte| (DATA, vec![*byte])));
    records.extend(tickets(1).chunks(5).map(|part| (HANDSHAKE, part.to_vec())));
    records.push((DATA, b"\x81\x01b\x81\x01c".to_vec()));
    records.extend(long.chunks(16_000).map(|part| (DATA, part.to_vec())));
    records.push((DATA, b"\x81\x01d".to_vec()));
    let records: Vec<_> = records.iter().map(|(kind, content)| (*kind, content.as_slice())).collect();
    // All at once, and then one after the other.
    server.write_all(&records).expect("the client reads");
    records.iter().try_for_each(|(kind, content)| server.write(*kind, content)).expect("the client reads");
    for _ in 0..2 {
        for expected in ["a", "b", "c", &"x".repeat(50_000), "d"] {
            assert_eq!(recorded.next(), text(expected));
        }
    }
}

#[test]
fn nothing_counts_after_the_end_of_the_peer() {
    let (recorded, mut server) = sealed();
    server
        .write_all(&[(DATA, b"\x81\x01a"), (ALERT, &CLOSE_NOTIFY), (DATA, b"\x81\x01b")])
        .expect("the client reads");
    assert_eq!(recorded.next(), text("a"));
    assert!(matches!(recorded.next(), Seen::Failed(_)));
}

#[test]
fn a_changed_record_ends_the_connection_after_the_messages_before_it() {
    let (recorded, mut server) = sealed();
    let mut records = server.seal(DATA, b"\x81\x01a");
    let mut changed = server.seal(DATA, b"\x81\x01b");
    *changed.last_mut().expect("a tag") ^= 1;
    records.append(&mut changed);
    server.tcp.write_all(&records).expect("the client reads");
    assert_eq!(recorded.next(), text("a"));
    let Seen::Failed(cause) = recorded.next() else { panic!("another event") };
    assert!(cause.contains("decrypt"), "{cause}");
}

/// The configuration of a server with many certificates.
fn server_config(versions: &[&'static SupportedProtocolVersion], certificates: usize) -> ServerConfig {
    server_and_certificate(versions, certificates).0
}

fn server_and_certificate(
    versions: &[&'static SupportedProtocolVersion],
    certificates: usize,
) -> (ServerConfig, CertificateDer<'static>) {
    let own = generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::from_pem_slice(own.signing_key.serialize_pem().as_bytes()).expect("a key");
    let key = any_supported_type(&key).expect("a key");
    let chain: Vec<CertificateDer<'static>> = vec![own.cert.der().clone(); certificates];
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, key))));
    (config, own.cert.into())
}

/// A server of rustls with many certificates. It calls `serve` with the connection, after the upgrade.
fn with_server(
    versions: &[&'static SupportedProtocolVersion],
    certificates: usize,
    serve: impl FnOnce(StreamOwned<ServerConnection, std::net::TcpStream>) + Send + 'static,
) -> String {
    let config = server_config(versions, certificates);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("wss://localhost:{}/", listener.local_addr().expect("bound").port());
    std::thread::spawn(move || {
        let (tcp, _) = listener.accept().expect("a connection");
        tcp.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        let session = ServerConnection::new(Arc::new(config)).expect("a good configuration");
        let mut stream = StreamOwned::new(session, tcp);
        upgrade(&mut stream).expect("a request");
        serve(stream);
    });
    url
}

/// A client that has ended its handshake, and the server before it has read that.
async fn handshake() -> (impl AsyncRead + AsyncWrite + Unpin, ServerConnection, std::net::TcpStream) {
    let (config, certificate) = server_and_certificate(&[&TLS13], 1);
    let config = Arc::new(config);
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("an authority");
    let client = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let client = UnbufferedClientConnection::new(Arc::new(client), name).expect("a good configuration");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let server = std::thread::spawn(move || {
        let (mut tcp, _) = listener.accept().expect("a connection");
        tcp.set_read_timeout(Some(DEADLINE)).expect("a timeout");
        let mut server = ServerConnection::new(config).expect("a good configuration");
        while !server.wants_write() {
            server.read_tls(&mut tcp).expect("the client's first message");
            server.process_new_packets().expect("a message");
        }
        while server.wants_write() {
            server.write_tls(&mut tcp).expect("the client reads");
        }
        (server, tcp)
    });
    let socket = tokio::net::TcpStream::connect(address).await.expect("it listens");
    let stream = tls_client(socket, client).await.expect("a handshake");
    let (server, tcp) = server.join().expect("served");
    (stream, server, tcp)
}

/// Reads once, and returns the plaintext.
fn read_once(server: &mut ServerConnection, tcp: &mut std::net::TcpStream) -> Vec<u8> {
    server.read_tls(tcp).expect("the client's message");
    server.process_new_packets().expect("a record");
    assert!(!server.is_handshaking());
    let mut plaintext = Vec::new();
    let _ = server.reader().read_to_end(&mut plaintext);
    plaintext
}

#[tokio::test]
async fn the_first_bytes_go_out_with_the_end_of_the_handshake() {
    let (mut stream, mut server, mut tcp) = handshake().await;
    tcp.set_nonblocking(true).expect("a socket");
    let nothing = tcp.peek(&mut [0]).map_err(|error| error.kind());
    assert_eq!(nothing, Err(ErrorKind::WouldBlock));
    tcp.set_nonblocking(false).expect("a socket");
    stream.write_all(b"first").await.expect("the server reads");
    // One read takes whole what one write has brought.
    assert_eq!(read_once(&mut server, &mut tcp), b"first");
    stream.write_all(b"second").await.expect("the server reads");
    assert_eq!(read_once(&mut server, &mut tcp), b"second");
}

#[tokio::test]
async fn a_reader_has_the_end_of_the_handshake_sent() {
    let (mut stream, mut server, mut tcp) = handshake().await;
    assert!(stream.read_u8().now_or_never().is_none());
    assert_eq!(read_once(&mut server, &mut tcp), b"");
    server.writer().write_all(b"a").expect("room");
    while server.wants_write() {
        server.write_tls(&mut tcp).expect("the client reads");
    }
    assert_eq!(stream.read_u8().await.expect("a byte"), b'a');
}

#[test]
fn reads_a_handshake_of_many_records() {
    for version in [&TLS12, &TLS13] {
        let url = with_server(&[version], 100, |mut stream| {
            assert!(stream.conn.peer_certificates().is_none());
            stream.write_all(b"\x81\x01a").and_then(|()| stream.flush()).expect("the client reads");
        });
        let recorded = Recorded::connect_to(&url, unverified());
        assert_eq!((recorded.next(), recorded.next()), (Seen::Opened, text("a")), "{version:?}");
    }
}

#[test]
fn follows_changes_of_keys() {
    let url = with_server(&[&TLS13], 1, |mut stream| {
        for _ in 0..3 {
            stream.conn.refresh_traffic_keys().expect("TLS 1.3");
            stream.write_all(b"\x81\x01a").and_then(|()| stream.flush()).expect("the client reads");
            // A masked frame of one byte. The client's keys are new as well.
            let mut frame = [0; 7];
            stream.read_exact(&mut frame).expect("the client's message");
            assert_eq!(frame[..2], [0x81, 0x81]);
        }
    });
    let recorded = Recorded::connect_to(&url, unverified());
    assert_eq!(recorded.next(), Seen::Opened);
    for _ in 0..3 {
        assert_eq!(recorded.next(), text("a"));
        recorded.client.send(MessageType::Text, b"b").expect("open");
    }
}

/// The sessions of a server that confuses them: once it is `confused`, each is taken for the first one.
#[derive(Debug, Default)]
struct Confused {
    first: OnceLock<Vec<u8>>,
    confused: AtomicBool,
    all: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
}

impl StoresServerSessions for Confused {
    fn put(&self, name: Vec<u8>, session: Vec<u8>) -> bool {
        self.first.get_or_init(|| session.clone());
        self.all.lock().expect("no panic").insert(name, session);
        true
    }

    fn get(&self, name: &[u8]) -> Option<Vec<u8>> {
        let own = self.all.lock().expect("no panic").get(name)?.clone();
        if self.confused.load(Ordering::SeqCst) { self.first.get().cloned() } else { Some(own) }
    }

    fn take(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.get(name)
    }

    fn can_cache(&self) -> bool {
        true
    }
}

#[test]
fn forgets_a_session_for_which_the_server_has_another_key() {
    let sessions = Arc::new(Confused::default());
    let mut config = server_config(&[&TLS12], 1);
    config.session_storage = sessions.clone();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("wss://localhost:{}/", listener.local_addr().expect("bound").port());
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            tcp.set_read_timeout(Some(DEADLINE)).expect("a timeout");
            let session = ServerConnection::new(config.clone()).expect("a good configuration");
            let mut stream = StreamOwned::new(session, tcp);
            if upgrade(&mut stream).is_ok() {
                // Until the client leaves.
                let _ = stream.read(&mut [0]);
            }
        }
    });
    // Clients with other options have other sessions.
    let connect = |alpn: &str| {
        let alpn = AlpnProtocols::parse([alpn]).expect("a name");
        Recorded::connect_to(&url, Options { tls: TlsOptions { alpn, ..unverified().tls }, ..unverified() })
            .next()
    };
    assert_eq!(connect("first"), Seen::Opened);
    assert_eq!(connect("second"), Seen::Opened);
    sessions.confused.store(true, Ordering::SeqCst);
    let Seen::Failed(why) = connect("second") else { panic!("another event") };
    assert!(why.contains("encrypted incorrectly"), "{why}");
    assert_eq!(connect("second"), Seen::Opened);
}
