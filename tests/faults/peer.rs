//! The server behind the proxy: the same bytes on every connection, and a strict reading of what the client sends.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PKCS_ED25519};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// What the client sends in each case, before its connection is open.
pub const SENT: [(bool, &[u8]); 3] = [(true, b"one"), (false, &[7; 300]), (true, "dr\u{ef}i".as_bytes())];

/// What the server sends after its head, up to its close frame: all kinds of frames and of lengths.
pub fn frames() -> Vec<Vec<u8>> {
    let mut medium = vec![0x82, 126, 0, 130];
    medium.extend((0..130).map(|index| index as u8));
    vec![
        b"\x81\x05hello".to_vec(),
        b"\x89\x03abc".to_vec(),
        // A text in two fragments, cut inside a character, around a ping.
        b"\x01\x03fr\xc3".to_vec(),
        b"\x89\x00".to_vec(),
        b"\x80\x05\xa4gm e".to_vec(),
        medium,
        b"\x82\x00".to_vec(),
        b"\x8a\x02xx".to_vec(),
        [b"\x81\x11".as_slice(), "gr\u{fc}\u{df}e \u{20ac} \u{1f600}!".as_bytes()].concat(),
    ]
}

pub const CLOSE: &[u8] = b"\x88\x05\x03\xe8bye";

/// What it says to frames that no client sends.
pub const PROTOCOL_ERROR: &[u8] = b"\x88\x02\x03\xea";

/// The answer of the HTTP proxy.
pub const TUNNEL: &[u8] = b"HTTP/1.1 200 OK\r\n\r\n";
/// The answers of the SOCKS5 proxy: no authentication, succeeded (RFC 1928 sections 3 and 6).
pub const SOCKS5_METHOD: &[u8] = b"\x05\x00";
pub const SOCKS5_REPLY: &[u8] = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00";

/// The head of the server's answer, line by line.
pub fn head(key: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        derive_accept_key(key.as_bytes())
    )
    .into_bytes()
}

/// The answer to a request head that a fault may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 101 for this key.
    Accept(String),
    /// 400.
    Refuse,
    /// The head has not ended.
    Wait,
}

/// Any byte that is not as the client should have sent it is refused.
pub fn answer(request: &[u8]) -> Answer {
    let Some(end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Answer::Wait;
    };
    let Ok(text) = std::str::from_utf8(&request[..end]) else { return Answer::Refuse };
    let mut key = None;
    for (at, line) in text.split("\r\n").enumerate() {
        let good = match (at, line.split_once(": ")) {
            (0, None) => line.strip_prefix("GET /").is_some_and(|rest| {
                rest.strip_suffix(" HTTP/1.1").is_some_and(|path| path_number(path.as_bytes()).is_some())
            }),
            (1, Some(("Host", value))) => value.starts_with("127.0.0.1:") || value.starts_with("127.0.0.7:"),
            (2, Some(("Upgrade", value))) => value == "websocket",
            (3, Some(("Connection", value))) => value == "Upgrade",
            (4, Some(("Sec-WebSocket-Key", value))) => {
                key = Some(value.to_owned());
                true
            }
            (5, Some(("Sec-WebSocket-Version", value))) => value == "13",
            (6, Some(("Origin", value))) => matches!(
                value,
                "http://127.0.0.1" | "https://127.0.0.1" | "http://127.0.0.7" | "https://127.0.0.7"
            ),
            (7, Some(("User-Agent", value))) => value.starts_with("net_websocket/"),
            _ => false,
        };
        if !good {
            return Answer::Refuse;
        }
    }
    key.map_or(Answer::Refuse, Answer::Accept)
}

/// The number in a path. The path has it twice, so that a changed one is detected.
pub fn path_number(path: &[u8]) -> Option<u32> {
    let (first, second) = path.split_at_checked(5)?;
    (second.first() == Some(&b'-') && &second[1..] == first).then_some(())?;
    std::str::from_utf8(first).ok()?.parse().ok()
}

/// What the server saw of one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visit {
    /// Whole messages, unmasked: text or not, and the payload.
    pub messages: Vec<(bool, Vec<u8>)>,
    /// The client's close frame came.
    pub closed: bool,
}

pub struct Peer {
    pub ws: SocketAddr,
    pub wss: SocketAddr,
    /// Proxies that lead to `ws`, by HTTP CONNECT and by SOCKS5.
    pub http_proxy: SocketAddr,
    pub socks5_proxy: SocketAddr,
    /// The authority of the server's certificate.
    pub authority: PathBuf,
    /// What came on the latest connection of each path.
    visits: Arc<Mutex<HashMap<u32, Visit>>>,
}

impl Peer {
    pub async fn start() -> Self {
        let visits: Arc<Mutex<HashMap<u32, Visit>>> = Arc::default();
        let (acceptor, authority) = tls();
        let ws = accept(None, visits.clone()).await;
        let wss = accept(Some(acceptor), visits.clone()).await;
        let http_proxy = tunnels(move |stream| http_tunnel(stream, ws)).await;
        let socks5_proxy = tunnels(move |stream| socks5_tunnel(stream, ws)).await;
        Self { ws, wss, http_proxy, socks5_proxy, authority, visits }
    }

    /// What came on the latest connection of `path`, once it is over.
    pub fn visit(&self, path: u32) -> Visit {
        self.visits.lock().expect("no panic").remove(&path).unwrap_or_default()
    }

    /// Discards the records of ended visits and of paths that a fault changed.
    pub fn forget(&self) {
        *self.visits.lock().expect("no panic") = HashMap::new();
    }
}

/// Ed25519, whose signatures all have one length; without tickets, so that every handshake is alike. The authority has its
/// own file.
pub fn tls() -> (TlsAcceptor, PathBuf) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
    let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned(), "127.0.0.7".to_owned()])
        .and_then(|params| params.signed_by(&key, &issuer))
        .expect("a certificate");
    let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let authority = std::env::temp_dir().join(format!("net_websocket-faults-{process}-{number}.pem"));
    std::fs::write(&authority, issuer.pem()).expect("a temporary file");
    let private = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("a key in PEM");
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(certificate.der().to_vec())], private)
        .expect("a certificate with its key");
    config.send_tls13_tickets = 0;
    (TlsAcceptor::from(Arc::new(config)), authority)
}

async fn accept(tls: Option<TlsAcceptor>, visits: Arc<Mutex<HashMap<u32, Visit>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let (tls, visits) = (tls.clone(), visits.clone());
            tokio::spawn(async move {
                // A fault can cause any kind of end.
                let _ = match tls {
                    None => play(stream, &visits).await,
                    Some(tls) => match tls.accept(stream).await {
                        Ok(stream) => play(stream, &visits).await,
                        Err(error) => Err(error),
                    },
                };
            });
        }
    });
    address
}

/// A proxy.
async fn tunnels<F>(serve: impl Fn(TcpStream) -> F + 'static + Send) -> SocketAddr
where
    F: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

/// RFC 9110 section 9.3.6.
async fn http_tunnel(mut client: TcpStream, server: SocketAddr) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if client.read_buf(&mut head).await? == 0 {
            return finish(client).await;
        }
    }
    if head != http_request(server) {
        client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await?;
        return finish(client).await;
    }
    client.write_all(TUNNEL).await?;
    relay(client, server).await
}

/// What asks the HTTP proxy for the server.
pub fn http_request(server: SocketAddr) -> Vec<u8> {
    let agent = concat!("net_websocket/", env!("CARGO_PKG_VERSION"));
    format!("CONNECT {server} HTTP/1.1\r\nHost: {server}\r\nUser-Agent: {agent}\r\n\r\n").into_bytes()
}

/// What offers SOCKS5 no authentication, and what asks it for the server (RFC 1928 sections 3 and 4).
pub const SOCKS5_METHODS: &[u8] = b"\x05\x01\x00";
pub fn socks5_request(server: SocketAddr) -> Vec<u8> {
    [b"\x05\x01\x00\x01\x7f\x00\x00\x01".as_slice(), &server.port().to_be_bytes()].concat()
}

async fn socks5_tunnel(mut client: TcpStream, server: SocketAddr) -> io::Result<()> {
    for (expected, answer) in
        [(SOCKS5_METHODS.to_vec(), SOCKS5_METHOD), (socks5_request(server), SOCKS5_REPLY)]
    {
        let mut asked = vec![0; expected.len()];
        if client.read_exact(&mut asked).await.is_err() || asked != expected {
            return finish(client).await;
        }
        client.write_all(answer).await?;
    }
    relay(client, server).await
}

async fn relay(mut client: TcpStream, server: SocketAddr) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    for socket in [&client, &server] {
        socket.set_nodelay(true)?;
    }
    tokio::io::copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}

/// One connection, from the request to the end of the client's side.
async fn play<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    visits: &Mutex<HashMap<u32, Visit>>,
) -> io::Result<()> {
    let mut received = Vec::new();
    let key = loop {
        match answer(&received) {
            Answer::Accept(key) => break key,
            Answer::Refuse => {
                stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await?;
                return finish(stream).await;
            }
            Answer::Wait if stream.read_buf(&mut received).await? == 0 => return finish(stream).await,
            Answer::Wait => {}
        }
    };
    let path = received.get(5..16).and_then(path_number).expect("answer() has seen it");
    visits.lock().expect("no panic").insert(path, Visit::default());
    let end = received.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap_or(0) + 4;
    let mut received = received.split_off(end);
    stream.write_all(&head(&key)).await?;
    stream.flush().await?;
    for frame in frames() {
        stream.write_all(&frame).await?;
        stream.flush().await?;
    }
    let mut closing = false;
    loop {
        while let Some(frame) = next_frame(&mut received).transpose() {
            let good = frame.is_ok_and(|(first, payload)| {
                let mut visits = visits.lock().expect("no panic");
                let visit = visits.entry(path).or_default();
                match first & 0x0f {
                    8 => visit.closed = true,
                    9 | 10 => {}
                    opcode => visit.messages.push((opcode == 1, payload)),
                }
                // The server has no reason to close first.
                !visit.closed || closing
            });
            if !good {
                stream.write_all(PROTOCOL_ERROR).await?;
                return finish(stream).await;
            }
        }
        let count = visits.lock().expect("no panic").get(&path).map_or(0, |visit| visit.messages.len());
        if count >= SENT.len() && !closing {
            closing = true;
            stream.write_all(CLOSE).await?;
            // The server ends at once, so that a client whose close frame was lost detects the end.
            stream.shutdown().await?;
        }
        if stream.read_buf(&mut received).await? == 0 {
            return stream.shutdown().await;
        }
    }
}

async fn finish<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> io::Result<()> {
    stream.shutdown().await?;
    let mut ignored = [0; 1_024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

/// A frame that the client of these tests does not send.
struct Foreign;

/// Takes a whole frame of a client: its first byte and its payload, unmasked.
fn next_frame(received: &mut Vec<u8>) -> Result<Option<(u8, Vec<u8>)>, Foreign> {
    let [first, second, ref rest @ ..] = received[..] else { return Ok(None) };
    if !matches!(first, 0x81 | 0x82 | 0x88 | 0x89 | 0x8a) || second & 0x80 == 0 {
        return Err(Foreign);
    }
    let (length, start) = match second & 0x7f {
        126 => match rest.first_chunk() {
            None => return Ok(None),
            Some(bytes) => (usize::from(u16::from_be_bytes(*bytes)), 4),
        },
        // Longer than any here.
        127 => return Err(Foreign),
        length => (usize::from(length), 2),
    };
    let Some(masked) = received.get(start..start + 4 + length) else { return Ok(None) };
    let (key, payload) = masked.split_at(4);
    let payload: Vec<u8> = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    if first == 0x81 && std::str::from_utf8(&payload).is_err() {
        return Err(Foreign);
    }
    received.drain(..start + 4 + length);
    Ok(Some((first, payload)))
}
