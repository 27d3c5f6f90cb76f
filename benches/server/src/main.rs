//! The server that every client of the benchmarks talks to, on loopback. It ends when its stdin does.
//!
//! Prints `PORT=N`, `TLS_PORT=N` and `TLS_FULL_PORT=N` and then `READY`; to the file that is its argument it writes the
//! authority of its certificate. TLS is 1.3 with AES-128-GCM; the last port offers no resumption. At the end it prints
//! `HANDSHAKES=N`, `RESUMED=N` and `SUNK_BYTES=N`, the payload of all frames that a sink has seen. What a connection does is in its path:
//!
//! - `/echo`, `/echo-text`: each frame comes back.
//! - `/flood/COUNT/SIZE`: after the client's first frame, COUNT binary messages of SIZE bytes; `/flood-text/COUNT/SIZE`: of text.
//! - `/sink/COUNT`: after COUNT messages one short message back.
//! - `/flood-deflate/COUNT/SIZE`, `/sink-deflate/COUNT`: the same with permessage-deflate; the messages are text, each
//!   compressed by itself.
//! - `/exchange-deflate/COUNT`: the first COUNT frames come back, as they were compressed, and then nothing. Such a connection keeps no
//!   thread here.
//! - `/echo-many`: each frame of at most 125 bytes comes back. One thread here serves all such connections.
//! - `/idle`: nothing, for ever. Such a connection has no thread here.
//!
//! It does what a server may leave out: it trusts its clients, and it unmasks only what it echoes.

mod many;
mod sha1;

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use flate2::{Compress, Compression, FlushCompress};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};

/// Connections at once, without those that have no thread of their own.
const THREADS: usize = 256;
/// What a flood writes at once, or one frame if that is more.
const FLOOD_BYTES: usize = 262_144;
const READ_BYTES: usize = 262_144;

const OPCODE_CLOSE: u8 = 8;
const FIN_TEXT: u8 = 0x81;
const FIN_BINARY: u8 = 0x82;
const FIN_CLOSE: u8 = 0x88;

static IDLE: Mutex<Vec<TcpStream>> = Mutex::new(Vec::new());
static HANDSHAKES: AtomicUsize = AtomicUsize::new(0);
static RESUMED: AtomicUsize = AtomicUsize::new(0);
static SUNK_BYTES: AtomicUsize = AtomicUsize::new(0);
/// Different messages in a compressed flood.
const VARIETY: usize = 64;
const FIN_RSV1_TEXT: u8 = 0xc1;

fn main() -> io::Result<()> {
    let port = listen(|stream, reader| match serve(&mut &stream, reader)? {
        Then::Closed => Ok(()),
        Then::Idle => keep(stream),
        Then::Many => many::serve(stream),
    })?;
    println!("PORT={port}");
    if let Some(file) = std::env::args().nth(1) {
        let (config, authority) = tls().map_err(io::Error::other)?;
        std::fs::write(file, authority)?;
        let mut full = config.clone();
        full.send_tls13_tickets = 0;
        for (name, config) in [("TLS_PORT", config), ("TLS_FULL_PORT", full)] {
            let config = Arc::new(config);
            println!("{name}={}", listen(move |stream, reader| serve_tls(stream, config.clone(), reader))?);
        }
    }
    println!("READY");
    io::stdin().read_to_end(&mut Vec::new())?;
    println!("HANDSHAKES={}", HANDSHAKES.load(Ordering::Relaxed));
    println!("RESUMED={}", RESUMED.load(Ordering::Relaxed));
    println!("SUNK_BYTES={}", SUNK_BYTES.load(Ordering::Relaxed));
    Ok(())
}

/// Serves connections on its own port, which it returns.
fn listen(
    serve: impl Fn(TcpStream, &mut Reader) -> io::Result<()> + Clone + Send + 'static,
) -> io::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    for _ in 0..THREADS {
        let listener = listener.try_clone()?;
        let serve = serve.clone();
        std::thread::Builder::new().stack_size(262_144).spawn(move || {
            // One buffer for the life of the thread: a fresh one per connection would count in connects per second.
            let mut reader = Reader::default();
            while let Ok((stream, _)) = listener.accept() {
                reader.filled = 0;
                reader.start = 0;
                // A client that goes away ends its own connection only.
                let _ = stream.set_nodelay(true).and_then(|()| serve(stream, &mut reader));
            }
        })?;
    }
    Ok(port)
}

/// A server's configuration, and the certificate to trust.
fn tls() -> Result<(ServerConfig, String), Box<dyn std::error::Error + Send + Sync>> {
    let mut authority = CertificateParams::new([])?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // It needs a distinct name, or OpenSSL takes the server's certificate for its own issuer.
    authority.distinguished_name.push(DnType::CommonName, "benchmark authority");
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names)?.signed_by(&key, &authority)?;
    let suites = vec![ring::cipher_suite::TLS13_AES_128_GCM_SHA256];
    let provider = CryptoProvider { cipher_suites: suites, ..ring::default_provider() };
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok((config, authority.pem()))
}

fn serve_tls(mut stream: TcpStream, config: Arc<ServerConfig>, reader: &mut Reader) -> io::Result<()> {
    let mut connection = ServerConnection::new(config).map_err(io::Error::other)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    HANDSHAKES.fetch_add(1, Ordering::Relaxed);
    if connection.handshake_kind() == Some(HandshakeKind::Resumed) {
        RESUMED.fetch_add(1, Ordering::Relaxed);
    }
    let mut stream = StreamOwned::new(connection, stream);
    let served = serve(&mut stream, reader);
    if let Ok(Then::Idle) = served {
        return keep(stream.sock);
    }
    stream.conn.send_close_notify();
    let _ = stream.conn.complete_io(&mut stream.sock);
    served.map(drop)
}

/// Keeps a connection open to the end of the process.
fn keep(stream: TcpStream) -> io::Result<()> {
    IDLE.lock().map_err(|_| io::ErrorKind::Other)?.push(stream);
    Ok(())
}

/// What becomes of a connection.
#[derive(PartialEq, Eq)]
enum Then {
    Closed,
    Idle,
    Many,
}

fn serve<S: Read + Write>(stream: &mut S, reader: &mut Reader) -> io::Result<Then> {
    let path = upgrade(stream, reader)?;
    let mut parts = path.trim_start_matches('/').split('/');
    let action = parts.next().unwrap_or_default();
    let numbers: Vec<usize> = parts.map_while(|part| part.parse().ok()).collect();
    match (action, &numbers[..]) {
        ("echo" | "echo-text", []) => echo(stream, reader)?,
        ("flood", &[count, size]) => flood(stream, reader, FIN_BINARY, count, size)?,
        ("flood-text", &[count, size]) => flood(stream, reader, FIN_TEXT, count, size)?,
        ("sink" | "sink-deflate", &[count]) => sink(stream, reader, count)?,
        ("flood-deflate", &[count, size]) => flood_deflate(stream, reader, count, size)?,
        ("exchange-deflate", &[count]) => {
            for _ in 0..count {
                echo_frame(stream, reader)?;
            }
            return Ok(Then::Idle);
        }
        ("echo-many", []) => return Ok(Then::Many),
        ("idle", []) => return Ok(Then::Idle),
        _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, path)),
    }
    Ok(Then::Closed)
}

/// Answers the upgrade and returns the requested path.
fn upgrade<S: Read + Write>(stream: &mut S, reader: &mut Reader) -> io::Result<String> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidData);
    let head = loop {
        if let Some(end) = reader.data().windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&reader.data()[..end]).into_owned();
            reader.start += end + 4;
            break head;
        }
        reader.fill(stream)?;
    };
    let mut lines = head.split("\r\n");
    let path = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or_else(invalid)?;
    let key = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
        .ok_or_else(invalid)?
        .1
        .trim();
    let accept = sha1::accept(key.as_bytes());
    let extension = if path.contains("exchange-deflate") {
        "Sec-WebSocket-Extensions: permessage-deflate\r\n"
    } else if path.contains("deflate") {
        "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n"
    } else {
        ""
    };
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{extension}\r\n"
    );
    stream.write_all(answer.as_bytes())?;
    Ok(path.to_owned())
}

fn echo<S: Read + Write>(stream: &mut S, reader: &mut Reader) -> io::Result<()> {
    while echo_frame(stream, reader)? != OPCODE_CLOSE {}
    Ok(())
}

/// Returns the opcode.
fn echo_frame<S: Read + Write>(stream: &mut S, reader: &mut Reader) -> io::Result<u8> {
    let Frame { start, payload, end } = reader.whole_frame(stream)?;
    let bytes = &mut reader.bytes[start..end];
    let opcode = bytes[0] & 0x0f;
    let payload = payload - start;
    let key = [bytes[payload - 4], bytes[payload - 3], bytes[payload - 2], bytes[payload - 1]];
    unmask(&mut bytes[payload..], key);
    // The header without its key moves up to the payload, so that one write sends both.
    bytes.copy_within(..payload - 4, 4);
    bytes[5] &= 0x7f;
    stream.write_all(&bytes[4..])?;
    Ok(opcode)
}

fn flood<S: Read + Write>(
    stream: &mut S,
    reader: &mut Reader,
    first: u8,
    count: usize,
    size: usize,
) -> io::Result<()> {
    reader.whole_frame(stream)?;
    let mut frame = Vec::new();
    header(&mut frame, size);
    frame[0] = first;
    let values = if first == FIN_TEXT { b' '..b'~' } else { 0..251 };
    frame.extend(values.cycle().take(size));
    let at_once = (FLOOD_BYTES / frame.len()).clamp(1, count.max(1));
    let frames = frame.repeat(at_once);
    let mut left = count;
    while left > 0 {
        let now = left.min(at_once);
        stream.write_all(&frames[..now * frame.len()])?;
        left -= now;
    }
    until_close(stream, reader)
}

fn flood_deflate<S: Read + Write>(
    stream: &mut S,
    reader: &mut Reader,
    count: usize,
    size: usize,
) -> io::Result<()> {
    reader.whole_frame(stream)?;
    let frames: Vec<Vec<u8>> = (0..VARIETY).map(|number| compressed_frame(&json(number, size))).collect();
    let mut batch = Vec::new();
    for number in 0..count {
        batch.extend_from_slice(&frames[number % VARIETY]);
        if batch.len() >= FLOOD_BYTES || number + 1 == count {
            stream.write_all(&batch)?;
            batch.clear();
        }
    }
    until_close(stream, reader)
}

/// Text like that of many services: the same names in every message, other values.
fn json(number: usize, size: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(size + 128);
    // Far apart, so that no message has the values of another.
    let mut line = number * 1_009;
    while text.len() < size {
        let (price, volume) = (line * 7_919 % 100_000, line * 104_729 % 1_000_000);
        let record = format!(
            "{{\"id\":{line},\"symbol\":\"NWS{}\",\"price\":{price},\"volume\":{volume},\"state\":\"open\"}},",
            line % 97
        );
        text.extend_from_slice(record.as_bytes());
        line += 31;
    }
    text.truncate(size);
    text
}

fn compressed_frame(message: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::with_capacity(2 * message.len() + 64);
    let mut compress = Compress::new(Compression::default(), false);
    compress.compress_vec(message, &mut compressed, FlushCompress::Sync).expect("room enough");
    compressed.truncate(compressed.len() - 4);
    let mut frame = Vec::new();
    header(&mut frame, compressed.len());
    frame[0] = FIN_RSV1_TEXT;
    frame.extend_from_slice(&compressed);
    frame
}

fn sink<S: Read + Write>(stream: &mut S, reader: &mut Reader, count: usize) -> io::Result<()> {
    let mut seen = 0;
    while seen < count {
        let first = reader.skip_frame(stream)?;
        match first & 0x0f {
            0..=2 => seen += usize::from(first >> 7),
            OPCODE_CLOSE => return Ok(()),
            _ => {}
        }
    }
    let mut done = Vec::new();
    header(&mut done, 4);
    done.extend_from_slice(b"done");
    stream.write_all(&done)?;
    until_close(stream, reader)
}

/// Waits for a close frame and answers it.
fn until_close<S: Read + Write>(stream: &mut S, reader: &mut Reader) -> io::Result<()> {
    while reader.skip_frame(stream)? & 0x0f != OPCODE_CLOSE {}
    stream.write_all(&[FIN_CLOSE, 0])
}

fn header(out: &mut Vec<u8>, size: usize) {
    out.push(FIN_BINARY);
    match size {
        0..=125 => out.push(size as u8),
        126..=0xffff => {
            out.push(126);
            out.extend_from_slice(&(size as u16).to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(size as u64).to_be_bytes());
        }
    }
}

fn unmask(payload: &mut [u8], key: [u8; 4]) {
    let word = u64::from_ne_bytes([key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3]]);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for chunk in words {
        *chunk = (u64::from_ne_bytes(*chunk) ^ word).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
}

/// The position of a frame in the buffer.
struct Frame {
    start: usize,
    payload: usize,
    end: usize,
}

/// Bytes from the client that are not dealt with yet.
#[derive(Default)]
struct Reader {
    bytes: Vec<u8>,
    start: usize,
    filled: usize,
}

impl Reader {
    fn data(&self) -> &[u8] {
        &self.bytes[self.start..self.filled]
    }

    fn fill(&mut self, stream: &mut impl Read) -> io::Result<()> {
        if self.start == self.filled {
            self.start = 0;
            self.filled = 0;
        }
        if self.bytes.len() - self.filled < READ_BYTES / 2 {
            self.bytes.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.start = 0;
            self.bytes.resize(self.bytes.len().max(self.filled + READ_BYTES), 0);
        }
        match stream.read(&mut self.bytes[self.filled..])? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.filled += count;
                Ok(())
            }
        }
    }

    /// The first byte of the next frame, and the lengths of its header and payload.
    fn next_header(&mut self, stream: &mut impl Read) -> io::Result<(u8, usize, usize)> {
        loop {
            if let [first, second, rest @ ..] = self.data() {
                let masked = if second & 0x80 == 0 { 0 } else { 4 };
                match (second & 0x7f, rest) {
                    (126, [a, b, ..]) => {
                        return Ok((*first, 4 + masked, usize::from(u16::from_be_bytes([*a, *b]))));
                    }
                    (127, [a, b, c, d, e, f, g, h, ..]) => {
                        let length = u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
                        return Ok((*first, 10 + masked, length as usize));
                    }
                    (126 | 127, _) => {}
                    (length, _) => return Ok((*first, 2 + masked, usize::from(length))),
                }
            }
            self.fill(stream)?;
        }
    }

    fn whole_frame(&mut self, stream: &mut impl Read) -> io::Result<Frame> {
        let (_, header, length) = self.next_header(stream)?;
        while self.filled - self.start < header + length {
            self.fill(stream)?;
        }
        let start = self.start;
        self.start += header + length;
        Ok(Frame { start, payload: start + header, end: self.start })
    }

    /// Passes over a frame and returns its first byte.
    fn skip_frame(&mut self, stream: &mut impl Read) -> io::Result<u8> {
        let (first, header, length) = self.next_header(stream)?;
        let mut left = header + length;
        loop {
            let here = left.min(self.filled - self.start);
            self.start += here;
            left -= here;
            if left == 0 {
                SUNK_BYTES.fetch_add(length, Ordering::Relaxed);
                return Ok(first);
            }
            self.fill(stream)?;
        }
    }
}
