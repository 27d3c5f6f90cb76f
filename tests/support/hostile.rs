//! Servers that keep a client busy: each sends one kind of data without end.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use net_websocket::internals::client::{Closed, Failure, Listener, Message, Opened, PerMessageDeflate};
use rcgen::generate_simple_self_signed;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use rustls::{ConnectionTrafficSecrets, ServerConfig, ServerConnection};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// The inflated size of a decompression bomb.
const BOMB_BYTES: usize = 63 << 20;

/// The data that a server sends, by the requested path. The first two use wss.
pub const KINDS: [&str; 7] = ["/tickets", "/empty-records", "/pings", "/tiny", "/bombs", "/blocks", "/flood"];

/// The events of a client of such a server.
#[derive(Debug, PartialEq, Eq)]
pub enum Told {
    Opened,
    Failed(String),
    Closed(u16),
}

/// Accepts all data of such a server, and takes a millisecond for each message of a flood.
pub struct Taker {
    told: Sender<Told>,
    slow: bool,
}

impl Taker {
    /// A listener for a server of this kind, and its events.
    pub fn of(kind: &str) -> (Self, Receiver<Told>) {
        let (told, events) = channel();
        (Self { told, slow: kind == "/flood" }, events)
    }
}

impl Listener for Taker {
    fn may_block(&self) -> bool {
        true
    }

    fn opened(&mut self, _opened: &Opened) {
        let _ = self.told.send(Told::Opened);
    }

    fn message(&mut self, _message: Message<'_>) {
        if self.slow {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn failed(&mut self, failure: &Failure) {
        let _ = self.told.send(Told::Failed(failure.to_string()));
    }

    fn closed(&mut self, closed: &Closed) {
        let _ = self.told.send(Told::Closed(closed.code));
    }
}

/// Whether the data at `path` needs TLS.
pub fn needs_tls(path: &str) -> bool {
    matches!(path, "/tickets" | "/empty-records")
}

/// Starts the servers: the URLs without a path, of ws and of wss.
pub fn start() -> [String; 2] {
    let plain = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let ws = format!("ws://{}", plain.local_addr().expect("bound"));
    let (sealed, wss, config) = tls_server();
    each(plain, |mut tcp| {
        let path = upgrade(&mut tcp)?;
        let (first, rest) = frames(&path);
        tcp.write_all(&first)?;
        loop {
            tcp.write_all(&rest)?;
        }
    });
    each(sealed, move |tcp| {
        let (mut server, path) = Sealed::upgrade(tcp, config.clone())?;
        loop {
            if path == "/tickets" {
                server.write(HANDSHAKE, &tickets(910))?;
                continue;
            }
            // TLS ends a connection after more of them in a row.
            for _ in 0..20 {
                server.write(DATA, b"")?;
            }
            server.write(DATA, b"\x82\x00")?;
        }
    });
    [ws, wss.trim_end_matches('/').to_owned()]
}

/// Serves each connection on its own thread, until a write fails because the client has left.
fn each(listener: TcpListener, serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) {
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for tcp in listener.incoming().flatten() {
            let serve = serve.clone();
            std::thread::spawn(move || serve(tcp));
        }
    });
}

/// The data sent once over ws, and the data repeated after it.
fn frames(path: &str) -> (Vec<u8>, Vec<u8>) {
    let rest = match path {
        "/pings" => b"\x89\x00".repeat(50_000),
        "/tiny" => b"\x82\x00".repeat(50_000),
        "/bombs" => {
            let deflate = PerMessageDeflate::default().accept("permessage-deflate").expect("legal");
            let mut bomb = Vec::new();
            deflate.expect("accepted").deflater().message(&mut bomb, &vec![0; BOMB_BYTES]);
            let length = (bomb.len() as u64).to_be_bytes();
            [b"\xc2\x7f".as_slice(), &length, &bomb].concat()
        }
        // Final blocks without content, in fragments of one message that never ends.
        "/blocks" => {
            let blocks = b"\x03\x00".repeat(30_000);
            let length = (blocks.len() as u16).to_be_bytes();
            return (b"\x42\x00".to_vec(), [b"\x00\x7e".as_slice(), &length, &blocks].concat());
        }
        _ => [b"\x82\x7e\x04\x00".as_slice(), &[b'x'; 1_024]].concat().repeat(100),
    };
    (Vec::new(), rest)
}

/// Reads the request, accepts it and returns its path.
pub fn upgrade(stream: &mut (impl Read + Write)) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("an ASCII request");
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
    let accept = derive_accept_key(key.as_bytes());
    let extension = match head.contains("permessage-deflate") {
        true => "Sec-WebSocket-Extensions: permessage-deflate\r\n",
        false => "",
    };
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{extension}\r\n"
    );
    stream.write_all(answer.as_bytes())?;
    stream.flush()?;
    Ok(head.split(' ').nth(1).unwrap_or_default().to_owned())
}

/// A server of TLS 1.3 that writes its own records after the handshake.
pub struct Sealed {
    pub tcp: TcpStream,
    key: LessSafeKey,
    iv: Vec<u8>,
    sequence: u64,
}

/// The inner types of records (RFC 8446 section 5.1).
pub const HANDSHAKE: u8 = 22;
pub const DATA: u8 = 23;

impl Sealed {
    /// Accepts the handshake and the upgrade. Returns the server and the requested path.
    pub fn upgrade(mut tcp: TcpStream, config: Arc<ServerConfig>) -> io::Result<(Self, String)> {
        let mut session = ServerConnection::new(config).expect("a good configuration");
        let mut stream = rustls::Stream::new(&mut session, &mut tcp);
        let path = upgrade(&mut stream)?;
        let (sequence, secrets) = session.dangerous_extract_secrets().expect("allowed").tx;
        let ConnectionTrafficSecrets::Aes256Gcm { key, iv } = secrets else {
            panic!("another cipher suite");
        };
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_ref()).expect("a key"));
        Ok((Self { tcp, key, iv: iv.as_ref().to_vec(), sequence }, path))
    }

    /// Writes a record.
    pub fn write(&mut self, kind: u8, content: &[u8]) -> io::Result<()> {
        self.write_all(&[(kind, content)])
    }

    /// Writes records at once.
    pub fn write_all(&mut self, records: &[(u8, &[u8])]) -> io::Result<()> {
        let sealed: Vec<u8> = records.iter().flat_map(|(kind, content)| self.seal(*kind, content)).collect();
        self.tcp.write_all(&sealed)
    }

    /// One record (RFC 8446 section 5.2).
    pub fn seal(&mut self, kind: u8, content: &[u8]) -> Vec<u8> {
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
        [header, sealed].concat()
    }
}

/// A configuration whose keys can be read, with the only data that it sends.
pub fn tls_server() -> (TcpListener, String, Arc<ServerConfig>) {
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

/// The smallest session tickets (RFC 8446 section 4.6.1), as many as go into one record.
pub fn tickets(count: usize) -> Vec<u8> {
    const TICKET: [u8; 18] = [4, 0, 0, 14, 0, 0, 0, 9, 1, 2, 3, 4, 0, 0, 1, b't', 0, 0];
    TICKET.repeat(count)
}
