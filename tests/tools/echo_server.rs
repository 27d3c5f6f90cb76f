//! A WebSocket server for demos and tests: echoes over ws and wss on loopback, and misbehaves on request.
//!
//! Knows nothing of the library. Certificates are made at start, so nothing here expires or has to be kept secret.

use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use data_encoding::BASE64;
use futures_util::{SinkExt, StreamExt};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    PublicKeyData, date_time_ymd,
};
use ring::digest::{SHA256, digest};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::TLS12;
use rustls::{ALL_VERSIONS, RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Message, Role, WebSocketConfig};

const USAGE: &str = "\
A WebSocket echo server on loopback, over ws and wss.

Usage: echo_server [--ws-port N] [--wss-port N] [--dir DIR] [--quiet] [--help]

  --ws-port N    port for ws (default: any free one)
  --wss-port N   port for wss (default: any free one)
  --dir DIR      where the certificates go (default: a new temporary directory, removed at exit)
  --quiet        do not log requests to stderr
  --help         show this text

Prints these as NAME=VALUE lines, then READY: WS_URL, WSS_URL, CA_FILE, and the servers with a certificate that must be
refused: WSS_UNTRUSTED_URL (of an unknown CA), WSS_WRONG_NAME_URL (for another host), WSS_EXPIRED_URL. WSS_TLS12_URL speaks no
TLS 1.3; WSS_MUTUAL_URL wants a client certificate of the same CA, such as that of CLIENT_CERT_FILE and CLIENT_KEY_FILE, or of
LOCKED_CERT_FILE and LOCKED_KEY_FILE, whose password is \"correct horse\"; OTHER_CERT_FILE and OTHER_KEY_FILE are those of another
CA. WSS_V1_URL has a certificate of X.509 version 1. SERVER_PIN is the SHA-256 digest of the public key behind WSS_URL.
Exits at end-of-file on stdin, on SIGTERM and on SIGINT.

Paths:
  /                     echo; so does every path not listed here
  /headers              send the request's headers as lines `name: value`, then echo;
                        the response carries x-test: one, set-cookie: a=1, set-cookie: b=2
  /protocol             accept the first sub-protocol offered, then echo
  /opcode               answer each message with `text LENGTH` or `binary LENGTH`
  /close/CODE/REASON    close right after open; code 0 sends a close frame without a code
  /drop                 cut the connection at the first message
  /status/NNN           refuse the upgrade with that HTTP status
  /status/NNN/SECONDS   the same with a Retry-After header
  /hang                 never answer the request
  /no-answer            end the connection in place of an answer
  /bad-accept           answer with a wrong Sec-WebSocket-Accept
  /bad-frame            send a frame with RSV2 set right after open
  /bad-utf8             send a text that is not UTF-8 right after open
  /wire/HEX             send these bytes right after open, then echo
  /deflated/HEX         the same, with permessage-deflate agreed upon
  /large/N              send one binary message of N bytes (byte i is i % 251), then echo
  /sink                 answer each message, of any length, with `sunk LENGTH`
  /flood/N/SIZE         send N binary messages of SIZE bytes, each starting with its index (4 bytes, little-endian),
                        then echo
  /flood-text/N/SIZE    the same with text, each starting with its index in 8 digits
  /later/MS             send the text `later` MS milliseconds after open, then echo
  /silent               open, then neither read nor write
";

/// The longest request head accepted; a client that sends more 8 KiB headers than this is refused.
const REQUEST_HEAD_BYTES: usize = 256 * 1024;
const REQUEST_HEADERS: usize = 10_000;

/// What a sink reads at once.
const SINK_BYTES: usize = 262_144;

const LOOPBACK_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Years of validity, first and last; the machine's clock is in no doubt about either pair.
const LIFETIME: (i32, i32) = (2020, 2120);
const LONG_PAST: (i32, i32) = (2001, 2002);

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("echo_server: {problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match serve(options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo_server: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn serve(options: Options) -> Result<(), Failure> {
    let directory = Directory::new(options.directory)?;
    let trusted = Authority::new("net_websocket test CA", &directory.path, "ca")?;
    let unknown = Authority::new("net_websocket unknown CA", &directory.path, "untrusted-ca")?;
    let good = trusted.issue("server", &LOOPBACK_NAMES, LIFETIME)?;
    let untrusted = unknown.issue("untrusted", &LOOPBACK_NAMES, LIFETIME)?;
    let wrong_name = trusted.issue("wrong-name", &["example.invalid"], LIFETIME)?;
    let expired = trusted.issue("expired", &LOOPBACK_NAMES, LONG_PAST)?;
    let old = trusted.issue_with("tls12", &LOOPBACK_NAMES, LIFETIME, &[&TLS12], None)?;
    let mut clients = RootCertStore::empty();
    clients.add(trusted.ca.der().clone())?;
    let mutual = trusted.issue_with("mutual", &LOOPBACK_NAMES, LIFETIME, ALL_VERSIONS, Some(clients))?;
    trusted.issue("client", &["a client"], LIFETIME)?;
    let locked = KeyPair::from_pem(include_str!("../keys/ec.pem"))?;
    trusted.sign("locked-client", &["a client"], LIFETIME, &locked)?;
    fs::write(directory.path.join("locked-client.key"), include_str!("../keys/ec-pbes2-aes256.pem"))?;
    let pin = fs::read_to_string(directory.path.join("server.pin"))?;
    unknown.issue("other-client", &["another client"], LIFETIME)?;

    let quiet = options.quiet;
    let ws_port = listen(options.ws_port, None, quiet).await?;
    let wss_port = listen(options.wss_port, Some(good), quiet).await?;
    let untrusted_port = listen(0, Some(untrusted), quiet).await?;
    let wrong_name_port = listen(0, Some(wrong_name), quiet).await?;
    let expired_port = listen(0, Some(expired), quiet).await?;
    let old_port = listen(0, Some(old), quiet).await?;
    let mutual_port = listen(0, Some(mutual), quiet).await?;
    let version_1_port = listen(0, Some(version_1()?), quiet).await?;

    // Before the lines, because a reader of READY may end the server at once.
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    writeln!(
        std::io::stdout(),
        "WS_URL=ws://127.0.0.1:{ws_port}\n\
         WSS_URL=wss://localhost:{wss_port}\n\
         WSS_UNTRUSTED_URL=wss://localhost:{untrusted_port}\n\
         WSS_WRONG_NAME_URL=wss://localhost:{wrong_name_port}\n\
         WSS_EXPIRED_URL=wss://localhost:{expired_port}\n\
         WSS_TLS12_URL=wss://localhost:{old_port}\n\
         WSS_MUTUAL_URL=wss://localhost:{mutual_port}\n\
         WSS_V1_URL=wss://localhost:{version_1_port}\n\
         CA_FILE={0}/ca.pem\n\
         CLIENT_CERT_FILE={0}/client.pem\n\
         CLIENT_KEY_FILE={0}/client.key\n\
         LOCKED_CERT_FILE={0}/locked-client.pem\n\
         LOCKED_KEY_FILE={0}/locked-client.key\n\
         OTHER_CERT_FILE={0}/other-client.pem\n\
         OTHER_KEY_FILE={0}/other-client.key\n\
         SERVER_PIN={pin}\n\
         READY",
        directory.path.display()
    )?;
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
        _ = end_of_stdin() => {}
    }
    // Not left to the runtime's shutdown, which would wait for a thread that reads stdin.
    drop(directory);
    std::process::exit(0)
}

/// Resolves when stdin is closed, for example because the script that started the server has ended.
async fn end_of_stdin() {
    let (sender, receiver) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        while matches!(std::io::stdin().read(&mut buffer), Ok(length) if length > 0) {}
        drop(sender);
    });
    let _ = receiver.await;
}

struct Options {
    ws_port: u16,
    wss_port: u16,
    directory: Option<PathBuf>,
    quiet: bool,
}

impl Options {
    /// `None` for `--help`.
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>, Failure> {
        let mut options = Self { ws_port: 0, wss_port: 0, directory: None, quiet: false };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--ws-port" => {
                    options.ws_port = value()?.parse().map_err(|_| "--ws-port needs a port number")?
                }
                "--wss-port" => {
                    options.wss_port = value()?.parse().map_err(|_| "--wss-port needs a port number")?
                }
                "--dir" => options.directory = Some(value()?.into()),
                "--quiet" => options.quiet = true,
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("unknown argument {argument}").into()),
            }
        }
        Ok(Some(options))
    }
}

/// Where the certificates lie; removed with the value unless the caller named it.
struct Directory {
    path: PathBuf,
    temporary: bool,
}

impl Directory {
    fn new(named: Option<PathBuf>) -> Result<Self, Failure> {
        if let Some(path) = named {
            fs::create_dir_all(&path)?;
            return Ok(Self { path, temporary: false });
        }
        let nanoseconds = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
        let path = std::env::temp_dir().join(format!("echo_server-{}-{nanoseconds:x}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Self { path, temporary: true })
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if self.temporary {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// A certificate authority, and the directory its certificates go to.
struct Authority<'a> {
    ca: CertifiedIssuer<'static, KeyPair>,
    directory: &'a Path,
}

impl<'a> Authority<'a> {
    /// Writes the authority's certificate to `FILE.pem`.
    fn new(name: &str, directory: &'a Path, file: &str) -> Result<Self, Failure> {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let ca = CertifiedIssuer::self_signed(parameters, KeyPair::generate()?)?;
        fs::write(directory.join(format!("{file}.pem")), ca.pem())?;
        Ok(Self { ca, directory })
    }

    /// Issues a certificate valid in the years given, writes `FILE.pem` and `FILE.key`, and serves with it.
    fn issue(&self, file: &str, names: &[&str], years: (i32, i32)) -> Result<TlsAcceptor, Failure> {
        self.issue_with(file, names, years, ALL_VERSIONS, None)
    }

    /// The same for a server with other versions of TLS, or one that wants a certificate of `clients`.
    fn issue_with(
        &self,
        file: &str,
        names: &[&str],
        years: (i32, i32),
        versions: &[&'static SupportedProtocolVersion],
        clients: Option<RootCertStore>,
    ) -> Result<TlsAcceptor, Failure> {
        let key = KeyPair::generate()?;
        let chain = vec![self.sign(file, names, years, &key)?];
        fs::write(self.directory.join(format!("{file}.key")), key.serialize_pem())?;
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes())?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions)?;
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(roots) => builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?,
            ),
        };
        let config = builder.with_single_cert(chain, key)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// A certificate for a key, in `FILE.pem`; the key's pin goes to `FILE.pin`.
    fn sign(
        &self,
        file: &str,
        names: &[&str],
        years: (i32, i32),
        key: &KeyPair,
    ) -> Result<CertificateDer<'static>, Failure> {
        let names: Vec<_> = names.iter().copied().map(String::from).collect();
        let mut parameters = CertificateParams::new(names)?;
        parameters.distinguished_name.push(DnType::CommonName, "net_websocket test server");
        parameters.not_before = date_time_ymd(years.0, 1, 1);
        parameters.not_after = date_time_ymd(years.1, 1, 1);
        let certificate = parameters.signed_by(key, &self.ca)?;
        fs::write(self.directory.join(format!("{file}.pem")), certificate.pem())?;
        let pin = digest(&SHA256, &key.subject_public_key_info());
        fs::write(self.directory.join(format!("{file}.pin")), BASE64.encode(pin.as_ref()))?;
        Ok(certificate.der().clone())
    }
}

/// Accepts in the background on both loopback addresses, and returns the port.
/// A server whose certificate is of X.509 version 1.
fn version_1() -> Result<TlsAcceptor, Failure> {
    let certificate = CertificateDer::from_pem_slice(include_bytes!("../keys/chain-v1.pem"))?;
    let key = any_supported_type(&PrivateKeyDer::from_pem_slice(include_bytes!("../keys/ec.pem"))?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_protocol_versions(ALL_VERSIONS)?;
    // Without a look at the certificate, which is one that no server should have.
    let resolver = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
    let config = builder.with_no_client_auth().with_cert_resolver(Arc::new(resolver));
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn listen(port: u16, tls: Option<TlsAcceptor>, quiet: bool) -> Result<u16, Failure> {
    let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let port = v4.local_addr()?.port();
    // Machines without IPv6, or with the port taken there, still get a server.
    let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.ok();
    for listener in [Some(v4), v6].into_iter().flatten() {
        tokio::spawn(accept(listener, tls.clone(), quiet));
    }
    Ok(port)
}

async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, quiet: bool) {
    loop {
        let Ok((tcp, peer)) = listener.accept().await else {
            // Out of descriptors: let connections end before trying again.
            tokio::task::yield_now().await;
            continue;
        };
        let tls = tls.clone();
        tokio::spawn(async move {
            if let Err(error) = converse(tcp, tls, peer, quiet).await
                && !quiet
            {
                eprintln!("{peer}: {error}");
            }
        });
    }
}

trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport for T {}
type Socket = Box<dyn Transport>;

async fn converse(
    tcp: TcpStream,
    tls: Option<TlsAcceptor>,
    peer: SocketAddr,
    quiet: bool,
) -> Result<(), Failure> {
    tcp.set_nodelay(true)?;
    let socket: Socket = match tls {
        Some(tls) => Box::new(tls.accept(tcp).await?),
        None => Box::new(tcp),
    };
    let Some((request, upgrade)) = Request::read(socket).await? else {
        return Ok(());
    };
    if !quiet {
        eprintln!("{peer}: {}", request.path);
    }
    match Behaviour::of(&request.path)? {
        Behaviour::Refuse(status, retry_after) => upgrade.refuse(status, retry_after).await,
        Behaviour::Hang => upgrade.hang().await,
        Behaviour::NoAnswer => upgrade.end().await,
        Behaviour::BadAccept => upgrade.accept("bm90IHRoZSByaWdodCBrZXk=", "").await.map(drop),
        Behaviour::Converse(script) => {
            let accept = derive_accept_key(request.value("sec-websocket-key").as_bytes());
            let socket = upgrade.accept(&accept, &script.response_headers(&request)).await?;
            script.play(socket, &request).await
        }
    }
}

/// The behaviour for a path.
enum Behaviour {
    /// A status, with this many seconds in Retry-After.
    Refuse(u16, Option<u32>),
    Hang,
    NoAnswer,
    BadAccept,
    Converse(Script),
}

/// What happens on a connection that was upgraded.
enum Script {
    Echo,
    Headers,
    Protocol,
    Opcode,
    Close(Option<CloseFrame>),
    Drop,
    RawFrame(&'static [u8]),
    Wire { bytes: Vec<u8>, deflated: bool },
    Large(u64),
    Sink,
    Flood { count: u32, size: usize },
    FloodText { count: u32, size: usize },
    Later(Duration),
    Silent,
}

impl Behaviour {
    fn of(path: &str) -> Result<Self, Failure> {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let parts: Vec<&str> = path.trim_start_matches('/').splitn(3, '/').collect();
        Ok(Self::Converse(match parts.as_slice() {
            ["status", status] => return Ok(Self::Refuse(status.parse()?, None)),
            ["status", status, seconds] => {
                return Ok(Self::Refuse(status.parse()?, Some(seconds.parse()?)));
            }
            ["hang"] => return Ok(Self::Hang),
            ["no-answer"] => return Ok(Self::NoAnswer),
            ["bad-accept"] => return Ok(Self::BadAccept),
            ["headers"] => Script::Headers,
            ["protocol"] => Script::Protocol,
            ["opcode"] => Script::Opcode,
            ["close", code] => Script::Close(close_frame(code.parse()?, "")?),
            ["close", code, reason] => Script::Close(close_frame(code.parse()?, reason)?),
            ["drop"] => Script::Drop,
            // FIN, RSV2, text.
            ["bad-frame"] => Script::RawFrame(&[0xa1, 2, b'h', b'i']),
            // A lead byte of two followed by no continuation.
            ["bad-utf8"] => Script::RawFrame(&[0x81, 2, 0xc3, 0x28]),
            ["wire", hex] => Script::Wire { bytes: hex_decoded(hex)?, deflated: false },
            ["deflated", hex] => Script::Wire { bytes: hex_decoded(hex)?, deflated: true },
            ["large", size] => Script::Large(size.parse()?),
            ["sink"] => Script::Sink,
            ["flood", count, size] => Script::Flood { count: count.parse()?, size: size.parse()? },
            ["flood-text", count, size] => Script::FloodText { count: count.parse()?, size: size.parse()? },
            ["later", milliseconds] => Script::Later(Duration::from_millis(milliseconds.parse()?)),
            ["silent"] => Script::Silent,
            _ => Script::Echo,
        }))
    }
}

fn close_frame(code: u16, reason: &str) -> Result<Option<CloseFrame>, Failure> {
    if code == 0 {
        return Ok(None);
    }
    Ok(Some(CloseFrame { code: code.into(), reason: percent_decoded(reason)?.into() }))
}

fn percent_decoded(text: &str) -> Result<String, Failure> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2).ok_or("a percent sign without two digits")?)?;
            bytes.push(u8::from_str_radix(digits, 16)?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    Ok(String::from_utf8(bytes)?)
}

fn hex_decoded(digits: &str) -> Result<Vec<u8>, Failure> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
}

impl Script {
    /// Additional header lines of the response.
    fn response_headers(&self, request: &Request) -> String {
        match self {
            Self::Headers => "x-test: one\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n".to_owned(),
            Self::Protocol => {
                match request.value("sec-websocket-protocol").split(',').next().map(str::trim) {
                    Some(first) if !first.is_empty() => format!("sec-websocket-protocol: {first}\r\n"),
                    _ => String::new(),
                }
            }
            Self::Wire { deflated: true, .. } => {
                "sec-websocket-extensions: permessage-deflate\r\n".to_owned()
            }
            _ => String::new(),
        }
    }

    async fn play(self, mut socket: Socket, request: &Request) -> Result<(), Failure> {
        if let Self::RawFrame(bytes) = self {
            socket.write_all(bytes).await?;
            socket.flush().await?;
        }
        if let Self::Wire { bytes, .. } = &self {
            socket.write_all(bytes).await?;
            socket.flush().await?;
        }
        if let Self::Large(size) = self {
            send_large(&mut socket, size).await?;
        }
        if let Self::Sink = self {
            return sink(socket).await;
        }
        // The client's limits are what is tested, so the server has none.
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let mut stream = WebSocketStream::from_raw_socket(socket, Role::Server, Some(config)).await;
        match self {
            Self::Echo
            | Self::Protocol
            | Self::RawFrame(_)
            | Self::Wire { .. }
            | Self::Large(_)
            | Self::Sink => {}
            Self::Headers => stream.send(Message::text(request.lines())).await?,
            Self::Opcode => return name_opcodes(stream).await,
            Self::Close(frame) => {
                stream.close(frame).await?;
                // What the client sent meanwhile finds no ear; then comes its close frame.
                while let Some(Ok(_)) = stream.next().await {}
                return Ok(());
            }
            Self::Drop => {
                stream.next().await;
                return Ok(());
            }
            Self::Flood { count, size } => {
                for index in 0..count {
                    let mut payload = vec![0; size];
                    if let Some(head) = payload.first_chunk_mut() {
                        *head = index.to_le_bytes();
                    }
                    stream.feed(Message::binary(payload)).await?;
                }
                stream.flush().await?;
            }
            Self::FloodText { count, size } => {
                for index in 0..count {
                    stream
                        .feed(Message::text(format!("{index:08}{}", ".".repeat(size.saturating_sub(8)))))
                        .await?;
                }
                stream.flush().await?;
            }
            Self::Later(delay) => {
                tokio::time::sleep(delay).await;
                stream.send(Message::text("later")).await?;
            }
            Self::Silent => std::future::pending().await,
        }
        echo(stream).await
    }
}

/// One binary message, which is never in memory as a whole.
async fn send_large(socket: &mut Socket, size: u64) -> Result<(), Failure> {
    socket.write_u8(0x82).await?;
    match size {
        0..=125 => socket.write_u8(size as u8).await?,
        126..=0xffff => {
            socket.write_u8(126).await?;
            socket.write_u16(size as u16).await?;
        }
        _ => {
            socket.write_u8(127).await?;
            socket.write_u64(size).await?;
        }
    }
    let block: Vec<u8> = (0..251).cycle().take(251 * 256).collect();
    let mut left = size;
    while left > 0 {
        let now = left.min(block.len() as u64);
        socket.write_all(&block[..now as usize]).await?;
        left -= now;
    }
    Ok(socket.flush().await?)
}

/// Counts messages instead of keeping them.
async fn sink(socket: Socket) -> Result<(), Failure> {
    let mut socket = BufReader::with_capacity(SINK_BYTES, socket);
    let mut sunk = 0;
    loop {
        let first = socket.read_u8().await?;
        let length = match socket.read_u8().await? & 0x7f {
            126 => socket.read_u16().await?.into(),
            127 => socket.read_u64().await?,
            length => length.into(),
        };
        let mask = socket.read_u32().await?.to_be_bytes();
        match first & 0x0f {
            // Text, binary and their continuations.
            0..=2 => {
                tokio::io::copy_buf(&mut (&mut socket).take(length), &mut tokio::io::sink()).await?;
                sunk += length;
                if first & 0x80 != 0 {
                    let answer = format!("sunk {}", std::mem::take(&mut sunk));
                    socket.write_all(&[0x81, answer.len() as u8]).await?;
                    socket.write_all(answer.as_bytes()).await?;
                }
            }
            // A close or a ping goes back, a ping as a pong.
            opcode => {
                let mut payload = vec![0; length as usize];
                socket.read_exact(&mut payload).await?;
                payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
                let answer = if opcode == 9 { 0x8a } else { first };
                socket.write_all(&[answer, length as u8]).await?;
                socket.write_all(&payload).await?;
                if opcode == 8 {
                    return Ok(socket.shutdown().await?);
                }
            }
        }
        socket.flush().await?;
    }
}

/// Reading on until the end also answers a close frame, or takes the answer to ours.
async fn echo(mut stream: WebSocketStream<Socket>) -> Result<(), Failure> {
    while let Some(message) = stream.next().await {
        let message = message?;
        if message.is_text() || message.is_binary() {
            stream.send(message).await?;
        }
    }
    Ok(())
}

async fn name_opcodes(mut stream: WebSocketStream<Socket>) -> Result<(), Failure> {
    while let Some(message) = stream.next().await {
        let answer = match message? {
            Message::Text(text) => format!("text {}", text.len()),
            Message::Binary(data) => format!("binary {}", data.len()),
            _ => continue,
        };
        stream.send(Message::text(answer)).await?;
    }
    Ok(())
}

/// The head of the handshake request.
struct Request {
    path: String,
    /// Names in lower case, in the order of arrival.
    headers: Vec<(String, String)>,
}

impl Request {
    /// `None` when the client left without asking for anything.
    async fn read(mut socket: Socket) -> Result<Option<(Self, Upgrade)>, Failure> {
        let mut head = Vec::with_capacity(4096);
        loop {
            if socket.read_buf(&mut head).await? == 0 {
                return if head.is_empty() { Ok(None) } else { Err("the request ends early".into()) };
            }
            let mut headers = vec![httparse::EMPTY_HEADER; REQUEST_HEADERS];
            let mut parsed = httparse::Request::new(&mut headers);
            if let httparse::Status::Complete(length) = parsed.parse(&head)? {
                if length < head.len() {
                    return Err("the client sent frames before the handshake was answered".into());
                }
                let path = parsed.path.unwrap_or("/").to_owned();
                let headers = parsed.headers.iter().map(|header| {
                    (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned())
                });
                return Ok(Some((Self { path, headers: headers.collect() }, Upgrade { socket })));
            }
            if head.len() > REQUEST_HEAD_BYTES {
                return Err("the request is too large".into());
            }
        }
    }

    fn value(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    fn lines(&self) -> String {
        self.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
    }
}

/// A request that waits for its answer.
struct Upgrade {
    socket: Socket,
}

impl Upgrade {
    async fn accept(mut self, accept: &str, headers: &str) -> Result<Socket, Failure> {
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
             sec-websocket-accept: {accept}\r\n{headers}\r\n"
        );
        self.socket.write_all(response.as_bytes()).await?;
        self.socket.flush().await?;
        Ok(self.socket)
    }

    async fn refuse(mut self, status: u16, retry_after: Option<u32>) -> Result<(), Failure> {
        let body = format!("status {status}, as asked\n");
        let retry_after =
            retry_after.map(|seconds| format!("retry-after: {seconds}\r\n")).unwrap_or_default();
        let response = format!(
            "HTTP/1.1 {status} As-Asked\r\n{retry_after}content-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        self.socket.write_all(response.as_bytes()).await?;
        self.socket.shutdown().await?;
        Ok(())
    }

    async fn end(mut self) -> Result<(), Failure> {
        self.socket.shutdown().await?;
        Ok(())
    }

    /// Keeps the client waiting until it disconnects.
    async fn hang(mut self) -> Result<(), Failure> {
        let mut ignored = [0; 1024];
        while self.socket.read(&mut ignored).await? > 0 {}
        Ok(())
    }
}
