//! Not a client but the floor of wss: a blocking socket with rustls, which opens and closes connections one after the other
//! and judges no answer. It resumes the session of the connection before if the server has offered that.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use bench_peers::{Arguments, Section, upgrade};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

/// A masked close frame of code 1000 with the key 0.
const CLOSE: [u8; 8] = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8];

fn main() {
    let arguments = Arguments::parse();
    assert_eq!(arguments.mode, "connect", "the only mode");
    let config = Arc::new(config());
    let section = Section::begin();
    for _ in 0..arguments.count {
        connect(&arguments, config.clone());
    }
    section.end(arguments.count);
    println!();
}

fn config() -> ClientConfig {
    let file = std::env::var_os("SSL_CERT_FILE").expect("the authority");
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).expect("a file") {
        roots.add(certificate.expect("a certificate")).expect("an authority");
    }
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("known")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn connect(arguments: &Arguments, config: Arc<ClientConfig>) {
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    let mut tls = ClientConnection::new(config, name).expect("begun");
    // rustls keeps the request until the handshake is done, and sends it with its last message.
    tls.writer().write_all(&upgrade(arguments.authority(), arguments.path())).expect("kept");
    let mut stream = TcpStream::connect(arguments.authority()).expect("connected");
    stream.set_nodelay(true).expect("set");
    let (mut answer, mut filled) = ([0; 1_024], 0);
    while !answer[..filled].ends_with(b"\r\n\r\n") {
        filled += exchange(&mut tls, &mut stream, &mut answer[filled..]);
    }
    tls.writer().write_all(&CLOSE).expect("kept");
    while exchange(&mut tls, &mut stream, &mut answer) > 0 {}
}

/// Sends all there is and reads once. Returns the bytes for the application: 0 at the connection's end.
fn exchange(tls: &mut ClientConnection, stream: &mut TcpStream, into: &mut [u8]) -> usize {
    loop {
        while tls.wants_write() {
            tls.write_tls(stream).expect("written");
        }
        match tls.reader().read(into) {
            Ok(bytes) => return bytes,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        tls.read_tls(stream).expect("read");
        tls.process_new_packets().expect("a record");
    }
}
