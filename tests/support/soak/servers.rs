//! The server, which records the messages that arrive, and the proxy before it.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::message::{self, Label, Random};
use crate::support::fault_proxy::{self, Fault, Plan};

/// Longer than a connection lives after its client has left.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(30);
const BACKLOG: u32 = 8_192;

/// The messages that have arrived from one client.
#[derive(Default)]
struct ServerAccount {
    /// One bit for each message number.
    arrived: Vec<u64>,
    duplicates: u64,
}

struct ServerLedger {
    accounts: Vec<Mutex<ServerAccount>>,
    /// Messages that arrived after a later one of their connection.
    reordered: AtomicU64,
    /// Messages changed by a fault.
    damaged: AtomicU64,
    /// Current connections.
    alive: AtomicUsize,
}

/// The addresses of the servers for clients.
pub struct Addresses {
    /// The URLs through the proxy: over TCP, and over TLS.
    pub faulty: [String; 2],
    /// The URLs without the proxy: over TCP, and over TLS.
    pub direct: [String; 2],
    /// A file with the certificate of the servers' authority.
    pub authority: PathBuf,
}

/// The servers and the proxies, on their own threads.
pub struct Servers {
    authority: PathBuf,
    ledger: Arc<ServerLedger>,
    end: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Servers {
    pub fn start(clients: usize, seed: u64) -> (Addresses, Self) {
        // One thread serves connections in the order of their bytes, so that it favours none.
        let mut runtime = match clients {
            0 => tokio::runtime::Builder::new_current_thread(),
            _ => tokio::runtime::Builder::new_multi_thread(),
        };
        let runtime = runtime.worker_threads(2).enable_all().build().expect("a runtime");
        let ledger = Arc::new(ServerLedger {
            accounts: (0..clients).map(|_| Mutex::default()).collect(),
            reordered: AtomicU64::new(0),
            damaged: AtomicU64::new(0),
            alive: AtomicUsize::new(0),
        });
        let (tls, authority) = tls();
        let (started, start) = channel();
        let (end, ended) = oneshot::channel();
        let thread = std::thread::spawn({
            let ledger = ledger.clone();
            move || {
                runtime.block_on(async {
                    let ws = serve(None, ledger.clone()).await;
                    let wss = serve(Some(tls), ledger.clone()).await;
                    let faulty_ws = disturb(ws, seed, ledger.clone()).await;
                    let faulty_wss = disturb(wss, seed + 1, ledger.clone()).await;
                    let urls = |ws, wss| [format!("ws://{ws}/"), format!("wss://{wss}/")];
                    let _ = started.send((urls(faulty_ws, faulty_wss), urls(ws, wss)));
                    let _ = ended.await;
                    let since = Instant::now();
                    while ledger.alive.load(Ordering::SeqCst) > 0 && since.elapsed() < DRAIN_TIMEOUT {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                });
            }
        });
        let (faulty, direct) = start.recv().expect("servers");
        let addresses = Addresses { faulty, direct, authority: authority.clone() };
        (addresses, Self { authority, ledger, end, thread })
    }

    /// Waits until the connections end. Returns counts, and then for each client one bit for each message that arrived.
    pub fn end(self) -> Vec<String> {
        let Self { authority, ledger, end, thread } = self;
        let _ = end.send(());
        thread.join().expect("no panic");
        let _ = std::fs::remove_file(authority);
        let accounts: Vec<_> =
            ledger.accounts.iter().map(|account| account.lock().expect("no panic")).collect();
        let duplicates: u64 = accounts.iter().map(|account| account.duplicates).sum();
        let (reordered, damaged) = (&ledger.reordered, &ledger.damaged);
        let counts = format!(
            "{duplicates} {} {} {}",
            reordered.load(Ordering::SeqCst),
            damaged.load(Ordering::SeqCst),
            ledger.alive.load(Ordering::SeqCst)
        );
        let arrived = accounts.iter().map(|account| {
            let words: Vec<String> = account.arrived.iter().map(|word| format!("{word:x}")).collect();
            words.join(" ")
        });
        std::iter::once(counts).chain(arrived).collect()
    }
}

fn tls() -> (TlsAcceptor, PathBuf) {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer =
        CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])
        .and_then(|params| params.signed_by(&key, &issuer))
        .expect("a certificate");
    let authority = std::env::temp_dir().join(format!("net_websocket-soak-{}.pem", std::process::id()));
    std::fs::write(&authority, issuer.pem()).expect("a temporary file");
    let private = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("a key in PEM");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("protocol versions")
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(certificate.der().to_vec())], private)
        .expect("a certificate with its key");
    (TlsAcceptor::from(Arc::new(config)), authority)
}

/// Counts a connection while it lives.
struct Alive(Arc<ServerLedger>);

impl Alive {
    fn new(ledger: &Arc<ServerLedger>) -> Self {
        ledger.alive.fetch_add(1, Ordering::SeqCst);
        Self(ledger.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

fn listen() -> (TcpListener, SocketAddr) {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    let listener = socket.listen(BACKLOG).expect("bound");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

/// The proxy. Each connection has its own plan of faults.
async fn disturb(server: SocketAddr, seed: u64, ledger: Arc<ServerLedger>) -> SocketAddr {
    let (listener, address) = listen();
    let mut random = Random::new(seed, 0);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (plan, alive) = (plan(&mut random), Alive::new(&ledger));
            tokio::spawn(async move {
                fault_proxy::serve(client, server, plan, None).await;
                drop(alive);
            });
        }
    });
    address
}

/// Half of all connections have no fault or almost none.
fn plan(random: &mut Random) -> Plan {
    if random.percent(40) {
        return Plan::CLEAN;
    }
    let most = [400, 8_192, 200_000][random.below(3) as usize];
    let at = random.below(most) as usize;
    let pause = |random: &mut Random| Duration::from_millis(1 + random.below(200));
    let fault = match random.below(1_000) {
        0..100 => Fault::HalfClose(at),
        100..250 => Fault::Truncate(at),
        250..450 => Fault::Reset(at),
        450..550 => Fault::Stall(at),
        550..650 => Fault::BlackHole(at),
        650..730 => Fault::Duplicate(at),
        730..790 => Fault::Flip(at, 1 << random.below(8)),
        790..810 => Fault::Garbage(at, random.next()),
        810..900 => Fault::Delay(at, pause(random)),
        900..998 => Fault::Slow(100 + random.below(16_000) as usize, Duration::from_millis(1)),
        _ => Fault::Drip,
    };
    if random.percent(50) { Plan::to_client(fault) } else { Plan::to_server(fault) }
}

async fn serve(tls: Option<TlsAcceptor>, ledger: Arc<ServerLedger>) -> SocketAddr {
    let (listener, address) = listen();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let (tls, alive) = (tls.clone(), Alive::new(&ledger));
            // A fault can cause any kind of end.
            tokio::spawn(async move {
                let _ = connection(stream, tls, &alive.0).await;
            });
        }
    });
    address
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, ledger: &ServerLedger) -> io::Result<()> {
    match tls {
        None => Box::pin(play(stream, ledger)).await,
        Some(tls) => {
            let stream = tls.accept(stream).await?;
            Box::pin(play(stream, ledger)).await
        }
    }
}

fn broken() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

/// Echoes until either side closes. Refuses data that a fault changed. At `/flood` it sends without end, at `/sink` it
/// accepts everything.
async fn play<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, ledger: &ServerLedger) -> io::Result<()> {
    let mut received = Vec::new();
    let end = loop {
        if let Some(at) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut received).await? == 0 {
            return Ok(());
        }
    };
    let head = String::from_utf8(received[..end].to_vec()).map_err(|_| broken())?;
    received.drain(..end);
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).ok_or_else(broken)?;
    let deflate = head.contains("permessage-deflate");
    let extension = match deflate {
        true => {
            "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n"
        }
        false => "",
    };
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n{extension}\r\n",
        derive_accept_key(key.as_bytes())
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.flush().await?;
    if head.starts_with("GET /flood ") {
        let frame = [&[0x82, 126, 4, 0], [0; 1_024].as_slice()].concat();
        let frames = frame.repeat(64);
        loop {
            stream.write_all(&frames).await?;
        }
    }
    if head.starts_with("GET /sink ") {
        let mut ignored = vec![0; 65_536];
        while stream.read(&mut ignored).await? > 0 {}
        return Ok(());
    }
    let mut latest = None;
    let mut out = Vec::new();
    loop {
        let mut consumed = 0;
        while let Some((first, payload, length)) = frame(&received[consumed..])? {
            consumed += length;
            match first {
                0x88 => {
                    out.extend([0x88, payload.len() as u8]);
                    out.extend_from_slice(&payload);
                    stream.write_all(&out).await?;
                    stream.shutdown().await?;
                    let mut ignored = [0; 1_024];
                    while stream.read(&mut ignored).await? > 0 {}
                    return Ok(());
                }
                0x89 => {
                    out.extend([0x8a, payload.len() as u8]);
                    out.extend_from_slice(&payload);
                }
                0x8a => {}
                0x81 | 0x82 | 0xc1 | 0xc2 => {
                    let (text, compressed) = (first & 1 == 1, first & 0x40 != 0);
                    let message = match compressed {
                        true if deflate => inflate(payload)?,
                        true => return refuse(stream, out, ledger).await,
                        false => payload,
                    };
                    let Some(label) = message::read(&message, text) else {
                        return refuse(stream, out, ledger).await;
                    };
                    if latest.is_some_and(|latest| label.number <= latest) {
                        ledger.reordered.fetch_add(1, Ordering::Relaxed);
                    }
                    latest = Some(label.number);
                    ledger.arrived(label);
                    echo(&mut out, text, &message, deflate && label.number % 2 == 0);
                }
                _ => return refuse(stream, out, ledger).await,
            }
        }
        received.drain(..consumed);
        if !out.is_empty() {
            stream.write_all(&out).await?;
            stream.flush().await?;
            out.clear();
            out.shrink_to(16_384);
        }
        if received.is_empty() {
            // An idle connection must cost little in the server too.
            received = Vec::new();
        }
        received.reserve(4_096);
        if stream.read_buf(&mut received).await? == 0 {
            return stream.shutdown().await;
        }
    }
}

/// Closes with 1007 after the echoes.
async fn refuse<S: AsyncWrite + AsyncRead + Unpin>(
    mut stream: S,
    mut out: Vec<u8>,
    ledger: &ServerLedger,
) -> io::Result<()> {
    ledger.damaged.fetch_add(1, Ordering::Relaxed);
    out.extend(b"\x88\x02\x03\xef");
    stream.write_all(&out).await?;
    stream.shutdown().await?;
    let mut ignored = [0; 1_024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

impl ServerLedger {
    fn arrived(&self, label: Label) {
        let Some(account) = self.accounts.get(label.client as usize) else { return };
        let mut account = account.lock().expect("no panic");
        let (word, bit) = ((label.number / 64) as usize, 1 << (label.number % 64));
        if account.arrived.len() <= word {
            account.arrived.resize(word + 1, 0);
        }
        if account.arrived[word] & bit != 0 {
            account.duplicates += 1;
        }
        account.arrived[word] |= bit;
    }
}

/// A whole frame at the head of `wire`: its first byte, its payload unmasked, and its length.
fn frame(wire: &[u8]) -> io::Result<Option<(u8, Vec<u8>, usize)>> {
    let [first, second, rest @ ..] = wire else { return Ok(None) };
    if second & 0x80 == 0 {
        return Err(broken());
    }
    let (length, start) = match second & 0x7f {
        126 => match rest.first_chunk() {
            None => return Ok(None),
            Some(bytes) => (u64::from(u16::from_be_bytes(*bytes)), 4),
        },
        127 => match rest.first_chunk() {
            None => return Ok(None),
            Some(bytes) => (u64::from_be_bytes(*bytes), 10),
        },
        length => (u64::from(length), 2),
    };
    // Longer than any message here, so a fault changed it.
    if length > 4_194_304 {
        return Err(broken());
    }
    let end = start + 4 + length as usize;
    let Some(masked) = wire.get(start..end) else { return Ok(None) };
    let (key, payload) = masked.split_at(4);
    let payload = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    Ok(Some((*first, payload, end)))
}

fn echo(out: &mut Vec<u8>, text: bool, message: &[u8], compress: bool) {
    let opcode = if text { 0x81 } else { 0x82 };
    let compressed;
    let (first, payload) = if compress {
        compressed = deflate(message);
        (opcode | 0x40, compressed.as_slice())
    } else {
        (opcode, message)
    };
    out.push(first);
    match payload.len() {
        length @ 0..126 => out.push(length as u8),
        length @ 126..65_536 => {
            out.push(126);
            out.extend((length as u16).to_be_bytes());
        }
        length => {
            out.push(127);
            out.extend((length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(payload);
}

/// RFC 7692 section 7.2.1, without context takeover.
fn deflate(message: &[u8]) -> Vec<u8> {
    let mut compress = Compress::new(Compression::fast(), false);
    let mut out = Vec::with_capacity(message.len() + 64);
    loop {
        let read = compress.total_in() as usize;
        compress.compress_vec(&message[read..], &mut out, FlushCompress::Sync).expect("any bytes compress");
        if compress.total_in() as usize == message.len() && out.ends_with(&[0, 0, 0xff, 0xff]) {
            out.truncate(out.len() - 4);
            return out;
        }
        out.reserve(out.capacity());
    }
}

/// RFC 7692 section 7.2.2.
fn inflate(mut payload: Vec<u8>) -> io::Result<Vec<u8>> {
    payload.extend([0, 0, 0xff, 0xff]);
    let mut decompress = Decompress::new(false);
    let mut out = Vec::with_capacity(4 * payload.len());
    loop {
        let (read, written) = (decompress.total_in() as usize, out.len());
        decompress.decompress_vec(&payload[read..], &mut out, FlushDecompress::Sync).map_err(|_| broken())?;
        if decompress.total_in() as usize == payload.len() && out.len() < out.capacity() {
            return Ok(out);
        }
        if decompress.total_in() as usize == read && out.len() == written && out.len() < out.capacity() {
            return Err(broken());
        }
        out.reserve(out.capacity().max(64));
    }
}
