//! TLS against servers with new certificates for each test, and against peers that write literal bytes.
//!
//! Each failure is one error of the phase TLS that names the cause. The next connection of the same client works.

use std::collections::HashSet;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use data_encoding::BASE64;
use net_websocket::internals::client::{
    AlpnProtocols, Cause, Client, ClientCertificate, Closed, Failure, Listener, Message, Opened, Options,
    Password, Phase, Pin, Reconnect, Reconnecting, Request, SEND_LIMIT_BYTES, SessionOptions, TlsOptions,
    TlsServerName,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DnType, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData, SanType, date_time_ymd,
};
use ring::digest::{SHA256, digest};
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ALL_VERSIONS, HandshakeKind, RootCertStore, ServerConfig, ServerConnection, SupportedProtocolVersion,
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

const DEADLINE: Duration = Duration::from_secs(20);

// ---- a client whose events are recorded ----

#[derive(Debug, PartialEq)]
enum Seen {
    Opened,
    Failed(Option<Phase>, String),
    Closed(u16),
    Reconnecting(u32, Cause),
}

struct Recorder(Sender<Seen>);

impl Listener for Recorder {
    fn opened(&mut self, _opened: &Opened) {
        let _ = self.0.send(Seen::Opened);
    }

    fn message(&mut self, _message: Message<'_>) {
        unreachable!("no server here sends one");
    }

    fn failed(&mut self, failure: &Failure) {
        let _ = self.0.send(Seen::Failed(failure.error.phase(), failure.to_string()));
    }

    fn closed(&mut self, closed: &Closed) {
        let _ = self.0.send(Seen::Closed(closed.code));
    }

    fn reconnecting(&mut self, reconnecting: &Reconnecting) {
        let _ = self.0.send(Seen::Reconnecting(reconnecting.attempt, reconnecting.cause));
    }
}

struct Recorded {
    client: Client,
    events: Receiver<Seen>,
}

impl Recorded {
    fn new() -> Self {
        let (sender, events) = channel();
        Self { client: Client::new(Box::new(Recorder(sender)), SEND_LIMIT_BYTES), events }
    }

    fn next(&self) -> Seen {
        self.events.recv_timeout(DEADLINE).expect("an event in time")
    }

    fn dial(&self, url: &str, tls: TlsOptions) {
        self.dial_again(url, tls, None);
    }

    fn dial_again(&self, url: &str, tls: TlsOptions, reconnect: Option<Reconnect>) {
        let options = Options {
            tls,
            reconnect,
            // Systems resolve `localhost.` differently.
            hosts: vec![("localhost".to_owned(), "127.0.0.1".to_owned())],
            connect_timeout: DEADLINE,
            session: SessionOptions { ping_interval: None, ..SessionOptions::default() },
            ..Options::default()
        };
        self.client.connect(Request::parse(url, options).expect("a good request")).expect("not connected");
    }

    /// Connects to a server that closes at once.
    fn connects(&self, url: &str, tls: TlsOptions) {
        self.dial(url, tls);
        assert_eq!(self.next(), Seen::Opened);
        assert_eq!(self.next(), Seen::Closed(1000));
    }

    /// The text of the one error of an attempt, which is of the phase TLS.
    fn fails(&self, url: &str, tls: TlsOptions) -> String {
        self.dial(url, tls);
        match self.next() {
            Seen::Failed(Some(Phase::Tls), text) => text,
            other => panic!("{url}: {other:?}"),
        }
    }

    /// Asserts that no other event is left or follows.
    fn finish(self) {
        drop(self.client);
        assert_eq!(self.events.iter().collect::<Vec<_>>(), []);
    }
}

/// An attempt fails with all these words. Then the same client connects to a good server.
fn refuses(url: &str, tls: TlsOptions, words: &[&str]) -> String {
    let recorded = Recorded::new();
    let text = recorded.fails(url, tls);
    for word in words {
        assert!(text.contains(word), "no {word:?} in: {text}");
    }
    recorded.connects(&GOOD.url, trusting(&GOOD.authority));
    recorded.finish();
    text
}

// ---- certificates ----

/// A folder for the test's files, removed with the value.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("net_websocket-tls-{}-{number}", std::process::id()));
        // A folder of this name belongs to an ended process. Folders in statics are not removed.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).expect("a new folder");
        Self(path)
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, contents).expect("written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

struct Authority {
    issuer: Issuer,
    file: PathBuf,
    folder: Folder,
}

fn authority_parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    parameters
}

fn parameters(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut parameters = CertificateParams::new(names).expect("names");
    parameters.distinguished_name.push(DnType::CommonName, "a test server");
    parameters
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("a key");
        let issuer = Issuer::self_signed(authority_parameters(name), key).expect("an authority");
        let folder = Folder::new();
        let file = folder.write("ca.pem", issuer.pem());
        Self { issuer, file, folder }
    }

    fn sign(&self, parameters: &CertificateParams) -> Identity {
        let key = KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("a certificate");
        Identity { chain: vec![certificate.der().clone()], key }
    }

    fn issue(&self, names: &[&str]) -> Identity {
        self.sign(&parameters(names))
    }
}

/// A chain and its key.
struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

impl Identity {
    fn config(self) -> ServerConfig {
        self.config_with(ALL_VERSIONS, None)
    }

    /// A configuration with these versions of TLS that requires client certificates of `clients`.
    fn config_with(
        self,
        versions: &[&'static SupportedProtocolVersion],
        clients: Option<&Authority>,
    ) -> ServerConfig {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(versions)
            .expect("versions");
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.issuer.der().clone()).expect("an authority");
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
            }
        };
        let key = PrivateKeyDer::from_pem_slice(self.key.serialize_pem().as_bytes()).expect("a key");
        let key = any_supported_type(&key).expect("a key");
        // Does not check the certificate, which may be invalid on purpose.
        builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(self.chain, key))))
    }
}

fn pin_of(key: &impl PublicKeyData) -> String {
    BASE64.encode(digest(&SHA256, &key.subject_public_key_info()).as_ref())
}

fn pin(key: &impl PublicKeyData) -> Pin {
    Pin::parse(&pin_of(key), None).expect("a digest")
}

fn trusting(authority: &Authority) -> TlsOptions {
    TlsOptions { ca_path: Some(authority.file.clone()), ..TlsOptions::default() }
}

// ---- servers ----

/// The properties of a handshake, as the server saw them.
#[derive(Debug)]
struct Handshake {
    kind: Option<HandshakeKind>,
    name: Option<String>,
    alpn: Option<Vec<u8>>,
    host: String,
}

/// A server that accepts the upgrade and closes with 1000.
struct Server {
    url: String,
    handshakes: Receiver<Handshake>,
}

impl Server {
    fn start(config: ServerConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = url_of(&listener);
        let config = Arc::new(config);
        let (sender, handshakes) = channel();
        std::thread::spawn(move || {
            for tcp in listener.incoming() {
                // The client's test checks a client that refuses the certificate or has none.
                if let Ok(handshake) = serve(tcp.expect("a connection"), config.clone()) {
                    let _ = sender.send(handshake);
                }
            }
        });
        Self { url, handshakes }
    }

    fn of(identity: Identity) -> Self {
        Self::start(identity.config())
    }
}

fn url_of(listener: &TcpListener) -> String {
    format!("wss://localhost:{}/", listener.local_addr().expect("bound").port())
}

fn serve(tcp: TcpStream, config: Arc<ServerConfig>) -> std::io::Result<Handshake> {
    serve_until(tcp, config, 1000)
}

/// Closes with a code as soon as the connection is open.
fn serve_until(mut tcp: TcpStream, config: Arc<ServerConfig>, code: u16) -> std::io::Result<Handshake> {
    tcp.set_read_timeout(Some(DEADLINE))?;
    let mut session = ServerConnection::new(config).expect("a good configuration");
    let mut stream = rustls::Stream::new(&mut session, &mut tcp);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("an ASCII request");
    let value = |wanted: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(name, _)| *name == wanted).map(|(_, value)| value.to_owned()).expect("the header")
    };
    let accept = derive_accept_key(value("Sec-WebSocket-Key").as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes())?;
    let [high, low] = code.to_be_bytes();
    stream.write_all(&[0x88, 2, high, low])?;
    // The client's close frame.
    let _ = stream.read(&mut [0; 64])?;
    Ok(Handshake {
        kind: session.handshake_kind(),
        name: session.server_name().map(str::to_owned),
        alpn: session.alpn_protocol().map(<[u8]>::to_vec),
        host: value("Host"),
    })
}

/// A peer that reads the ClientHello, writes these bytes, and ends the connection.
fn literal(bytes: &[u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = url_of(&listener);
    let bytes = bytes.to_vec();
    std::thread::spawn(move || {
        let (mut tcp, _) = listener.accept().expect("a connection");
        let mut header = [0; 5];
        tcp.read_exact(&mut header).expect("a record");
        let mut hello = vec![0; usize::from(u16::from_be_bytes([header[3], header[4]]))];
        tcp.read_exact(&mut hello).expect("a ClientHello");
        tcp.write_all(&bytes).expect("the client reads");
    });
    url
}

/// A ServerHello of this version, in a record, with these extensions.
fn server_hello(version: [u8; 2], extensions: &[u8]) -> Vec<u8> {
    // TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256.
    server_hello_of(version, [0xc0, 0x2b], extensions)
}

/// The same with another cipher suite.
fn server_hello_of(version: [u8; 2], suite: [u8; 2], extensions: &[u8]) -> Vec<u8> {
    // No session, no compression.
    let mut body = [&version[..], &[7; 32], &[0], &suite, &[0]].concat();
    if !extensions.is_empty() {
        body.extend_from_slice(&(extensions.len() as u16).to_be_bytes());
        body.extend_from_slice(extensions);
    }
    let length = body.len() as u8;
    [&[0x16], &version[..], &[0, length + 4, 2, 0, 0, length], &body].concat()
}

/// A server that every client trusts.
struct Good {
    url: String,
    authority: Authority,
}

static GOOD: LazyLock<Good> = LazyLock::new(|| {
    let authority = Authority::new("good CA");
    Good { url: Server::of(authority.issue(&["localhost", "127.0.0.1"])).url, authority }
});

// ---- the server's certificate ----

#[test]
fn an_expired_certificate_fails_with_its_date() {
    let authority = Authority::new("CA");
    let mut parameters = parameters(&["localhost"]);
    parameters.not_before = date_time_ymd(2001, 1, 1);
    parameters.not_after = date_time_ymd(2002, 3, 4);
    let server = Server::of(authority.sign(&parameters));
    refuses(
        &server.url,
        trusting(&authority),
        &["localhost:", "expired on 2002-03-04 00:00:00 UTC", "clock says 2"],
    );
}

#[test]
fn a_certificate_that_is_not_yet_valid_fails_with_its_date() {
    let authority = Authority::new("CA");
    let mut parameters = parameters(&["localhost"]);
    parameters.not_before = date_time_ymd(2200, 5, 6);
    parameters.not_after = date_time_ymd(2201, 1, 1);
    let server = Server::of(authority.sign(&parameters));
    refuses(&server.url, trusting(&authority), &["not valid before 2200-05-06", "clock says 2"]);
}

#[test]
fn a_certificate_for_other_hosts_fails_with_their_names() {
    let authority = Authority::new("CA");
    let server = Server::of(authority.issue(&["a.example", "b.example", "10.0.0.1"]));
    refuses(
        &server.url,
        trusting(&authority),
        &["is for a.example, b.example, 10.0.0.1, not for localhost; tlsServerName sets another"],
    );
    // An address is not a name.
    let by_address = server.url.replace("localhost", "127.0.0.1");
    refuses(&by_address, trusting(&authority), &["not for 127.0.0.1"]);
}

#[test]
fn a_self_signed_certificate_fails_until_it_is_trusted() {
    let key = KeyPair::generate().expect("a key");
    let certificate = parameters(&["localhost"]).self_signed(&key).expect("a certificate");
    let folder = Folder::new();
    let file = folder.write("own.pem", certificate.pem());
    let server = Server::of(Identity { chain: vec![certificate.der().clone()], key });
    refuses(&server.url, trusting(&GOOD.authority), &["self-signed", "caPath"]);
    let recorded = Recorded::new();
    recorded.connects(&server.url, TlsOptions { ca_path: Some(file), ..TlsOptions::default() });
    recorded.finish();
}

#[test]
fn a_ca_certificate_used_by_a_server_fails_until_it_is_trusted() {
    let folder = Folder::new();
    let serve = |change: &dyn Fn(&mut CertificateParams)| {
        let key = KeyPair::generate().expect("a key");
        let mut parameters = parameters(&["localhost"]);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        change(&mut parameters);
        let certificate = parameters.self_signed(&key).expect("a certificate");
        let path = folder.write("own.pem", certificate.pem());
        let server = Server::of(Identity { chain: vec![certificate.der().clone()], key });
        (server, TlsOptions { ca_path: Some(path), ..TlsOptions::default() })
    };
    // The kind of certificate that `openssl req -x509` writes.
    let (server, naming) = serve(&|_| {});
    refuses(&server.url, trusting(&GOOD.authority), &["CA:TRUE", "basicConstraints=CA:FALSE"]);
    let recorded = Recorded::new();
    recorded.connects(&server.url, naming.clone());
    let renamed = TlsOptions { server_name: TlsServerName::parse("a.example"), ..naming };
    assert!(recorded.fails(&server.url, renamed).contains("not for a.example"));
    // Only this exact certificate is trusted, and only while it is valid.
    let (_, other) = serve(&|_| {});
    assert!(recorded.fails(&server.url, other).contains("CA:TRUE"));
    let (expired, naming) = serve(&|parameters| parameters.not_after = date_time_ymd(2002, 3, 4));
    assert!(recorded.fails(&expired.url, naming).contains("expired on 2002-03-04"));
    recorded.finish();
}

/// The option for servers whose certificate cannot be verified.
const UNVERIFIED: &str = "skipServerCertVerification with a pin of certificatePinning takes it as it is";

#[test]
fn a_common_name_is_not_taken_as_a_host_name() {
    let authority = Authority::new("CA");
    let mut parameters = parameters(&[]);
    parameters.distinguished_name.push(DnType::CommonName, "localhost");
    let server = Server::of(authority.sign(&parameters));
    refuses(&server.url, trusting(&authority), &["not for localhost", "no subjectAltName", UNVERIFIED]);
}

#[test]
fn an_unknown_authority_fails_with_its_name() {
    let server = Server::of(Authority::new("Nobody's CA").issue(&["localhost"]));
    refuses(&server.url, trusting(&GOOD.authority), &["\"Nobody's CA\"", "not in the trust store", "caPath"]);
}

#[test]
fn skipping_verification_accepts_any_certificate() {
    let mut parameters = parameters(&["a.example"]);
    parameters.not_after = date_time_ymd(2002, 1, 1);
    let server = Server::of(Authority::new("CA").sign(&parameters));
    let recorded = Recorded::new();
    let anyone = TlsOptions { skip_server_verification: true, ..TlsOptions::default() };
    // A file that is not read can be missing.
    let missing = TlsOptions { ca_path: Some("/nonexistent/ca.pem".into()), ..anyone.clone() };
    recorded.connects(&server.url, anyone);
    recorded.connects(&server.url, missing);
    recorded.finish();
}

/// The certificate of a chain in `tests/keys` with its key, and TLS options that trust its authority.
fn identity_of_chain(name: &str, folder: &Folder) -> (Identity, TlsOptions) {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    let pem = fs::read(keys.join(name)).expect("a chain");
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem).map(|one| one.expect("a certificate")).collect();
    let key = KeyPair::from_pem(&fs::read_to_string(keys.join("ec.pem")).expect("a key")).expect("a key");
    let authority = folder.write(name, chain.last().expect("two certificates"));
    let identity = Identity { chain: vec![chain[0].clone()], key };
    (identity, TlsOptions { ca_path: Some(authority), ..TlsOptions::default() })
}

fn server_of_chain(name: &str, folder: &Folder) -> (Server, TlsOptions) {
    let (identity, tls) = identity_of_chain(name, folder);
    (Server::of(identity), tls)
}

#[test]
fn an_unsupported_signature_algorithm_fails_with_its_name() {
    let folder = Folder::new();
    for (name, words) in [
        ("chain-rsa-1024.pem", "an RSA key of 1024 bits; those of 2048 to 8192 are accepted"),
        ("chain-rsa-sha1.pem", "is signed by RSA with SHA-1, which"),
        ("chain-rsa-pss.pem", "is signed by RSA-PSS, which"),
        ("chain-p256-sha512.pem", "is signed by ECDSA with SHA-512, which"),
        ("chain-p521.pem", "is signed by ECDSA with SHA-512, which"),
        ("chain-p521-sha256.pem", "is signed by ECDSA with SHA-256 with a key of P-521, which"),
        ("chain-ed448.pem", "is signed by Ed448, which"),
    ] {
        let (server, tls) = server_of_chain(name, &folder);
        let text = refuses(&server.url, tls.clone(), &[words]);
        assert_eq!(text.contains(UNVERIFIED), words.starts_with("is signed by"), "{text}");
        // Skipped verification also accepts certificates that cannot be verified.
        let recorded = Recorded::new();
        recorded.connects(&server.url, TlsOptions { skip_server_verification: true, ..tls });
        recorded.finish();
    }
}

#[test]
fn a_certificate_of_version_1_fails_until_verification_is_skipped() {
    let folder = Folder::new();
    for versions in [ALL_VERSIONS, &[&TLS12], &[&TLS13]] {
        let (identity, tls) = identity_of_chain("chain-v1.pem", &folder);
        let own = pin_of(&identity.key);
        let server = Server::start(identity.config_with(versions, None));
        refuses(&server.url, tls.clone(), &["is not of X.509 version 3", UNVERIFIED]);
        let pinning = |digest: &str, expires| TlsOptions {
            skip_server_verification: true,
            pins: vec![Pin::parse(digest, expires).expect("a digest")],
            ..tls.clone()
        };
        let recorded = Recorded::new();
        recorded.connects(&server.url, TlsOptions { skip_server_verification: true, ..tls.clone() });
        recorded.connects(&server.url, pinning(&own, None));
        recorded.finish();
        let other = pin_of(&KeyPair::generate().expect("a key"));
        refuses(&server.url, pinning(&other, None), &[&format!("sha256//{own}, is not among")]);
        refuses(&server.url, pinning(&own, Some(SystemTime::UNIX_EPOCH)), &["have expired"]);
    }
}

#[test]
fn refuses_a_certificate_of_version_1_without_its_key() {
    let folder = Folder::new();
    for versions in [&[&TLS12], &[&TLS13]] {
        let (identity, tls) = identity_of_chain("chain-v1.pem", &folder);
        let thief = Identity { key: KeyPair::generate().expect("a key"), ..identity };
        let server = Server::start(thief.config_with(versions, None));
        refuses(&server.url, TlsOptions { skip_server_verification: true, ..tls }, &["a signature"]);
    }
}

#[test]
fn an_unknown_critical_extension_fails() {
    let authority = Authority::new("CA");
    let mut parameters = parameters(&["localhost"]);
    let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    extension.set_criticality(true);
    parameters.custom_extensions.push(extension);
    let server = Server::of(authority.sign(&parameters));
    refuses(&server.url, trusting(&authority), &["an unknown critical extension"]);
}

#[test]
fn a_certificate_with_an_ip_address_as_a_dns_name_fails_and_names_both_kinds() {
    let authority = Authority::new("CA");
    let mut parameters = parameters(&[]);
    parameters.subject_alt_names = vec![SanType::DnsName("127.0.0.1".try_into().expect("ASCII"))];
    let server = Server::of(authority.sign(&parameters));
    let url = server.url.replace("localhost", "127.0.0.1");
    refuses(&url, trusting(&authority), &["must say IP:127.0.0.1, not DNS:127.0.0.1"]);
}

// ---- pins ----

const NOT_PINNED: &str = "is not among those pinned";

#[test]
fn a_key_that_is_not_pinned_fails_with_the_pin_that_would_match() {
    let authority = Authority::new("CA");
    let identity = authority.issue(&["localhost"]);
    let (own, issuer, other) =
        (pin(&identity.key), pin(authority.issuer.key()), pin(GOOD.authority.issuer.key()));
    let text = format!("sha256//{}", pin_of(&identity.key));
    // A pinned authority counts only if it issued the server's certificate.
    let chain = vec![identity.chain[0].clone(), GOOD.authority.issuer.der().clone()];
    let server = Server::of(Identity { chain, ..identity });
    let pinned = |pins: &[&Pin]| TlsOptions {
        pins: pins.iter().map(|pin| (*pin).clone()).collect(),
        ..trusting(&authority)
    };
    refuses(&server.url, pinned(&[&other]), &[&text, "certificatePinning (1)"]);
    let recorded = Recorded::new();
    for pins in [&[&own][..], &[&issuer], &[&other, &own]] {
        recorded.connects(&server.url, pinned(pins));
    }
    // Pins are checked in addition to the chain.
    let text = recorded
        .fails(&server.url, TlsOptions { ca_path: Some(GOOD.authority.file.clone()), ..pinned(&[&own]) });
    assert!(text.contains("trust store"), "{text}");
    // Without a verified chain, only the server's own key counts.
    let skipping = |pins: &[&Pin]| TlsOptions { skip_server_verification: true, ..pinned(pins) };
    recorded.connects(&server.url, skipping(&[&own]));
    assert!(recorded.fails(&server.url, skipping(&[&issuer])).contains(NOT_PINNED));
    recorded.finish();
}

#[test]
fn the_key_of_an_intermediate_certificate_can_be_pinned() {
    let root = Authority::new("root CA");
    let key = KeyPair::generate().expect("a key");
    let middle =
        Issuer::signed_by(authority_parameters("middle CA"), key, &root.issuer).expect("a certificate");
    let key = KeyPair::generate().expect("a key");
    let leaf = parameters(&["localhost"]).signed_by(&key, &middle).expect("a certificate");
    let server = Server::of(Identity { chain: vec![leaf.der().clone(), middle.der().clone()], key });
    let recorded = Recorded::new();
    for key in [middle.key(), root.issuer.key()] {
        recorded.connects(&server.url, TlsOptions { pins: vec![pin(key)], ..trusting(&root) });
    }
    recorded.finish();
}

#[test]
fn expired_pins_are_ignored() {
    let authority = Authority::new("CA");
    let identity = authority.issue(&["localhost"]);
    let past = Some(SystemTime::now() - Duration::from_secs(60));
    let future = Some(SystemTime::now() + Duration::from_secs(3_600));
    let own = pin_of(&identity.key);
    let other = pin_of(GOOD.authority.issuer.key());
    let server = Server::of(identity);
    let pinned = |pins: &[(&str, Option<SystemTime>)]| TlsOptions {
        pins: pins.iter().map(|(hash, expires)| Pin::parse(hash, *expires).expect("a digest")).collect(),
        ..trusting(&authority)
    };
    let recorded = Recorded::new();
    recorded.connects(&server.url, pinned(&[(&own, future)]));
    // All pins have expired. An app that is no longer updated still connects, by the chain alone.
    recorded.connects(&server.url, pinned(&[(&own, past)]));
    recorded.connects(&server.url, pinned(&[(&other, past)]));
    // A pin that has not expired is required.
    assert!(recorded.fails(&server.url, pinned(&[(&own, past), (&other, future)])).contains(NOT_PINNED));
    // Without a chain there is nothing else to verify.
    let skipping = TlsOptions { skip_server_verification: true, ..pinned(&[(&own, past)]) };
    assert!(recorded.fails(&server.url, skipping).contains("all pins of certificatePinning have expired"));
    recorded.finish();
}

#[test]
fn reads_pins_in_each_notation() {
    let digest = BASE64.encode(&[7; 32]);
    assert_eq!(Pin::parse(&digest, None), Pin::parse(&format!("sha256//{digest}"), None));
    for wrong in ["", "sha256//", "YWJj", &digest[..43], &format!("sha1//{digest}")] {
        assert!(Pin::parse(wrong, None).is_err(), "{wrong}");
    }
}

// ---- client certificates ----

/// A client certificate of `authority` for one of the keys of `tests/keys`, in the form of the file `name`.
fn client_certificate(authority: &Authority, name: &str, password: Option<&str>) -> ClientCertificate {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys");
    let (plain, algorithm) = match name.starts_with("rsa") {
        true => ("rsa.pem", &PKCS_RSA_SHA256),
        false => ("ec.pem", &PKCS_ECDSA_P256_SHA256),
    };
    let plain = fs::read_to_string(keys.join(plain)).expect("a key");
    let key = KeyPair::from_pem_and_sign_algo(&plain, algorithm).expect("a key");
    let certificate = parameters(&["a client"]).signed_by(&key, &authority.issuer).expect("a certificate");
    ClientCertificate {
        certificate: authority.folder.write(&format!("client-of-{name}"), certificate.pem()),
        key: keys.join(name),
        password: password.map(Password::new),
    }
}

fn showing(authority: &Authority, client: ClientCertificate) -> TlsOptions {
    TlsOptions { client_certificate: Some(client), ..trusting(authority) }
}

#[test]
fn a_refused_client_certificate_fails() {
    let authority = Authority::new("CA");
    let stranger = Authority::new("another CA");
    for versions in [&[&TLS12][..], &[&TLS13]] {
        let config = authority.issue(&["localhost"]).config_with(versions, Some(&authority));
        let server = Server::start(config);
        let wanted =
            if versions[0] == &TLS13 { "requires a client certificate" } else { "client certificate" };
        refuses(&server.url, trusting(&authority), &[wanted]);
        let foreign = client_certificate(&stranger, "ec.pem", None);
        refuses(&server.url, showing(&authority, foreign), &["client certificate"]);
        let recorded = Recorded::new();
        recorded.connects(&server.url, showing(&authority, client_certificate(&authority, "ec.pem", None)));
        recorded.finish();
    }
}

#[test]
fn opens_client_keys_in_every_common_format() {
    let authority = Authority::new("CA");
    let server = Server::start(authority.issue(&["localhost"]).config_with(ALL_VERSIONS, Some(&authority)));
    let recorded = Recorded::new();
    for name in ["ec.pem", "rsa.pem", "ec-sec1.pem", "rsa-pkcs1.pem"] {
        recorded.connects(&server.url, showing(&authority, client_certificate(&authority, name, None)));
        // A file that is not needed is not read.
        recorded
            .connects(&server.url, showing(&authority, client_certificate(&authority, name, Some("unused"))));
    }
    for name in [
        "ec-pbes2-aes256.pem",
        "ec-pbes2-sha512-aes192.pem",
        "ec-pbes2-des3.pem",
        "ec-sec1-aes256.pem",
        "rsa-pbes2-sha1-aes128.pem",
        "rsa-pkcs1-aes128.pem",
        "rsa-pkcs1-des3.pem",
    ] {
        // Both before and after the right password is cached.
        for _ in 0..2 {
            let wrong = client_certificate(&authority, name, Some("battery staple"));
            let text = recorded.fails(&server.url, showing(&authority, wrong));
            assert!(text.contains(name) && text.contains("the password of the key is wrong"), "{text}");
            assert!(!text.contains("staple"), "{text}");
            let text =
                recorded.fails(&server.url, showing(&authority, client_certificate(&authority, name, None)));
            assert!(text.contains(name) && text.contains("no password is set"), "{text}");
            let right = client_certificate(&authority, name, Some("correct horse"));
            recorded.connects(&server.url, showing(&authority, right));
        }
    }
    for name in ["ec-scrypt.pem", "ec-pbes1.pem"] {
        let locked = client_certificate(&authority, name, Some("correct horse"));
        let text = recorded.fails(&server.url, showing(&authority, locked));
        assert!(text.contains(name) && text.contains("openssl pkcs8 -topk8"), "{text}");
    }
    recorded.finish();
}

#[test]
fn no_text_shows_a_password() {
    let client = client_certificate(&GOOD.authority, "ec.pem", Some("correct horse"));
    let options = Options { tls: showing(&GOOD.authority, client), ..Options::default() };
    let shown = format!("{options:?} {:?}", Request::parse("wss://h/", options.clone()).expect("good"));
    assert!(shown.contains("Password") && !shown.contains("horse"), "{shown}");
}

// ---- files ----

#[test]
fn an_unusable_file_fails_with_its_path_and_the_reason() {
    let authority = Authority::new("CA");
    let folder = Folder::new();
    let empty = folder.write("empty.pem", "");
    let garbage =
        folder.write("garbage.pem", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
    let cut = folder.write("cut.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n");
    let other_end =
        folder.write("other-end.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END PUBLIC KEY-----\n");
    let escaped = folder.write("escaped.pem", authority.issuer.pem().replace('\n', "\\n"));
    let utf16 = folder.write("utf16.pem", utf16(&authority.issuer.pem()));
    let trusted =
        folder.write("trusted.pem", authority.issuer.pem().replace("CERTIFICATE", "TRUSTED CERTIFICATE"));
    let pkcs12 = folder.write("ca.p12", b"\x30\x05\x02\x01\x03\x30\x00");
    let pkcs7 = folder.write("ca.p7b", b"\x30\x05\x06\x01\x2a\xa0\x00");
    let request = folder.write(
        "request.pem",
        "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n",
    );
    let bogus = folder.write("bogus.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let ec = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys/ec.pem");
    let missing = folder.0.join("missing.pem");
    let no_authorities = Folder::new();
    for (path, reason) in [
        (&missing, "No such file"),
        (&empty, "it contains no certificate in PEM or DER"),
        (&garbage, "not base64"),
        (&cut, "no complete -----END line"),
        (&other_end, "name different kinds"),
        (&escaped, "a backslash and a letter"),
        (&utf16, "UTF-16"),
        (&bogus, "not a usable authority"),
        (&trusted, "TRUSTED CERTIFICATE"),
        (&pkcs12, "openssl pkcs12 -nokeys"),
        (&pkcs7, "openssl pkcs7 -print_certs"),
        (&request, "it contains a request for a certificate"),
        (&ec, "it contains a private key, but no certificate"),
        (&no_authorities.0, "no file in the folder"),
    ] {
        let tls = TlsOptions { ca_path: Some(path.clone()), ..TlsOptions::default() };
        refuses(&GOOD.url, tls, &["certificate file", &path.display().to_string(), reason]);
    }
    let good = client_certificate(&authority, "ec.pem", None);
    let bad_key = |key: &Path| ClientCertificate { key: key.to_owned(), ..good.clone() };
    let bad_certificate = |path: &Path| ClientCertificate { certificate: path.to_owned(), ..good.clone() };
    let damaged = folder.write(
        "damaged.pem",
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----",
    );
    let of_kind = |label: &str| {
        let pem = format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        folder.write(&format!("{label}.pem"), pem)
    };
    let (public, ssh, dsa) =
        (of_kind("PUBLIC KEY"), of_kind("OPENSSH PRIVATE KEY"), of_kind("DSA PRIVATE KEY"));
    let malformed = of_kind("PRIVATE KEY");
    let certificate_der = folder.write("certificate.der", authority.issuer.der());
    let key = |name: &str| ec.with_file_name(name);
    let (p521, pss, ed448, short) =
        (key("p521.pem"), key("rsa-pss.pem"), key("ed448.pem"), key("rsa-1024.pem"));
    let other_key = folder.write("other.pem", KeyPair::generate().expect("a key").serialize_pem());
    for (client, path, reason) in [
        (bad_key(&missing), &missing, "No such file"),
        (bad_key(&empty), &empty, "it contains no private key in PEM or DER"),
        (bad_key(&good.certificate), &good.certificate, "it contains a certificate, but no private key"),
        (bad_key(&certificate_der), &certificate_der, "it contains a certificate, but no private key"),
        (bad_key(&public), &public, "it contains a public key, but no private key"),
        (bad_key(&ssh), &ssh, "ssh-keygen -p -m PKCS8"),
        (bad_key(&dsa), &dsa, "of a kind that TLS does not use"),
        (bad_key(&pkcs12), &pkcs12, "openssl pkcs12 -nocerts"),
        (bad_key(&malformed), &malformed, "damaged, or not a key of a kind that can be used"),
        (
            bad_key(&p521),
            &p521,
            "the curve P-521; RSA of 2048 to 4096 bits, P-256, P-384 and Ed25519 can be used",
        ),
        (bad_key(&pss), &pss, "a key for RSA-PSS only"),
        (bad_key(&ed448), &ed448, "a key of another kind"),
        (bad_key(&short), &short, "not of 2048 to 4096 bits"),
        (bad_key(&damaged), &damaged, "damaged"),
        (bad_key(&other_key), &other_key, "does not belong to the certificate"),
        (bad_certificate(&missing), &missing, "No such file"),
        (bad_certificate(&empty), &empty, "it contains no certificate"),
        (bad_certificate(&bogus), &bogus, "malformed"),
    ] {
        refuses(
            &GOOD.url,
            showing(&authority, client),
            &["certificate file", &path.display().to_string(), reason],
        );
    }
}

/// Opening a pipe would wait for a writer, and a device has no end.
#[test]
fn refuses_pipes_devices_and_files_over_16_mib_at_once() {
    let folder = Folder::new();
    let pipe = folder.0.join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo(1)").success());
    let long = folder.write("long", "");
    fs::File::options().write(true).open(&long).expect("it is there").set_len(16_777_217).expect("room");
    for (path, why) in [
        (pipe, "it is a pipe or a device, not a file"),
        (PathBuf::from("/dev/zero"), "it is a pipe or a device, not a file"),
        (long, "it is longer than 16 MiB"),
    ] {
        refuses(&GOOD.url, TlsOptions { ca_path: Some(path.clone()), ..TlsOptions::default() }, &[why]);
        let certificate =
            ClientCertificate { key: path, ..client_certificate(&GOOD.authority, "pipe", None) };
        refuses(&GOOD.url, showing(&GOOD.authority, certificate), &[why]);
    }
}

#[test]
fn accepts_a_bundle_and_a_folder_of_authorities() {
    let (one, two) = (Authority::new("one"), Authority::new("two"));
    let (first, second) = (Server::of(one.issue(&["localhost"])), Server::of(two.issue(&["localhost"])));
    let folder = Folder::new();
    let bundle = one.folder.write("bundle.pem", one.issuer.pem() + &two.issuer.pem());
    folder.write("one.crt", one.issuer.pem());
    folder.write("two.pem", two.issuer.pem());
    folder.write("README", "no certificate");
    fs::create_dir(folder.0.join("deeper")).expect("a folder");
    let recorded = Recorded::new();
    for path in [&bundle, &folder.0] {
        for server in [&first, &second] {
            recorded
                .connects(&server.url, TlsOptions { ca_path: Some(path.clone()), ..TlsOptions::default() });
        }
    }
    recorded.finish();
}

/// A PEM file in the layouts of editors, mail and other programs. All have the same content.
fn layouts(pem: &str) -> Vec<String> {
    let lines = || pem.trim_end().split('\n');
    vec![
        format!("\u{feff}{pem}"),
        pem.replace('\n', "\r\n"),
        pem.replace('\n', "\r"),
        lines().map(|line| format!("  \t{line} \n\n")).collect(),
        lines().collect::<Vec<_>>().join(" "),
        format!("a key, see -----BEGIN of RFC 7468\n{pem}-----END\n"),
        lines().collect(),
    ]
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn accepts_certificate_files_in_every_common_layout() {
    let authority = Authority::new("CA");
    let server = Server::start(authority.issue(&["localhost"]).config_with(ALL_VERSIONS, Some(&authority)));
    let recorded = Recorded::new();
    let other = Authority::new("another CA").issuer.pem();
    let good = authority.issuer.pem();
    let mut files: Vec<Vec<u8>> = layouts(&good).into_iter().map(String::into_bytes).collect();
    files.push(good.replace("CERTIFICATE", "X509 CERTIFICATE").into_bytes());
    // The output of `cat` for a file without a final line end.
    files.push((other.trim_end().to_owned() + &good).into_bytes());
    files.push(authority.issuer.der().to_vec());
    let client = client_certificate(&authority, "ec.pem", None);
    for file in files {
        // Each file has a new path, so that no cached file is used.
        let folder = Folder::new();
        let path = folder.write("ca", &file);
        for ca_path in [path, folder.0.clone()] {
            let tls = TlsOptions { ca_path: Some(ca_path), ..showing(&authority, client.clone()) };
            recorded.connects(&server.url, tls);
        }
    }
    let pem = fs::read_to_string(&client.certificate).expect("a certificate");
    for file in layouts(&pem) {
        let folder = Folder::new();
        let client = ClientCertificate { certificate: folder.write("client", file), ..client.clone() };
        recorded.connects(&server.url, showing(&authority, client));
    }
    for name in ["ec.pem", "ec-sec1.pem", "rsa-pkcs1.pem", "ec-pbes2-aes256.pem", "rsa-pkcs1-aes128.pem"] {
        let client = client_certificate(&authority, name, Some("correct horse"));
        let pem = fs::read_to_string(&client.key).expect("a key");
        let mut files: Vec<Vec<u8>> = layouts(&pem).into_iter().map(String::into_bytes).collect();
        // Headers on one line cannot be separated, and DER has no headers.
        if pem.contains("Proc-Type") {
            files.pop();
        } else {
            let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
            files.push(BASE64.decode(base64.as_bytes()).expect("base64"));
        }
        for file in files {
            let folder = Folder::new();
            let client = ClientCertificate { key: folder.write("key", file), ..client.clone() };
            recorded.connects(&server.url, showing(&authority, client));
        }
    }
    recorded.finish();
}

#[test]
fn reads_a_changed_file_again() {
    let (one, two) = (Authority::new("one"), Authority::new("a CA with a longer name"));
    let server = Server::of(two.issue(&["localhost"]));
    let recorded = Recorded::new();
    assert!(recorded.fails(&server.url, trusting(&one)).contains("trust store"));
    fs::write(&one.file, two.issuer.pem()).expect("written");
    recorded.connects(&server.url, trusting(&one));
    recorded.finish();
}

// ---- versions, ALPN, names ----

#[test]
fn retries_after_a_foreign_certificate_and_never_trusts_it() {
    let (good, foreign) = (Authority::new("Test CA"), Authority::new("Login Page"));
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = url_of(&listener);
    let server = std::thread::spawn({
        let [of_good, of_foreign] =
            [&good, &foreign].map(|authority| Arc::new(authority.issue(&["localhost"]).config()));
        move || {
            // 1012 is a restart, and 1000 the end.
            for (config, code) in
                [(&of_good, 1012), (&of_foreign, 1000), (&of_foreign, 1000), (&of_good, 1000)]
            {
                let (tcp, _) = listener.accept().expect("a connection");
                let served = serve_until(tcp, config.clone(), code);
                assert_eq!(served.is_ok(), Arc::ptr_eq(config, &of_good), "{served:?}");
            }
            let (tcp, _) = listener.accept().expect("a connection");
            assert!(serve(tcp, of_foreign).is_err());
        }
    });
    let quick = || {
        let delay = Duration::from_millis(1);
        Some(Reconnect { delay, max_delay: delay, watch_network: false, ..Reconnect::default() })
    };
    let recorded = Recorded::new();
    recorded.dial_again(&url, trusting(&good), quick());
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Reconnecting(1, Cause::Restart));
    assert_eq!(recorded.next(), Seen::Reconnecting(2, Cause::Certificate));
    assert_eq!(recorded.next(), Seen::Reconnecting(3, Cause::Certificate));
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(recorded.next(), Seen::Closed(1000));
    // Without an earlier good certificate, the failure is final.
    recorded.dial_again(&url, trusting(&good), quick());
    assert!(matches!(recorded.next(), Seen::Failed(Some(Phase::Tls), _)));
    recorded.finish();
    server.join().expect("no panic");
}

#[test]
fn a_server_without_tls_1_2_fails() {
    for (bytes, words) in [
        // TLS 1.1, from a server that ignores the client's offer.
        (server_hello([3, 2], &[]), "neither TLS 1.2 nor 1.3"),
        // The alert protocol_version, the answer of OpenSSL with 1.1 as its highest version.
        (b"\x15\x03\x02\x00\x02\x02\x46".to_vec(), "no version of TLS that is allowed here"),
    ] {
        refuses(
            &literal(&bytes),
            TlsOptions { skip_server_verification: true, ..TlsOptions::default() },
            &[words],
        );
    }
}

#[test]
fn a_minimum_of_tls_1_3_refuses_tls_1_2() {
    let authority = Authority::new("CA");
    let old = Server::start(authority.issue(&["localhost"]).config_with(&[&TLS12], None));
    let only = TlsOptions { tls13_only: true, ..trusting(&authority) };
    refuses(&old.url, only.clone(), &["TLS that is allowed here", "1.2 unless the options ask for 1.3"]);
    refuses(&literal(&server_hello([3, 3], &[])), only, &["TLS 1.2 only", "options require 1.3"]);
    let recorded = Recorded::new();
    recorded.connects(&old.url, trusting(&authority));
    recorded.finish();
}

#[test]
fn a_server_that_chooses_h2_fails() {
    let authority = Authority::new("CA");
    // Extension 16 with the one name h2.
    let hello = server_hello([3, 3], b"\x00\x10\x00\x05\x00\x03\x02h2");
    refuses(&literal(&hello), trusting(&authority), &["ALPN", "h2", "HTTP/1.1"]);
    let mut config = authority.issue(&["localhost"]).config();
    config.alpn_protocols = vec![b"h2".to_vec()];
    refuses(&Server::start(config).url, trusting(&authority), &["ALPN", "alpnProtocols"]);
}

#[test]
fn offers_protocols_by_alpn() {
    let authority = Authority::new("CA");
    let mut config = authority.issue(&["localhost"]).config();
    config.alpn_protocols = vec![b"mqtt".to_vec(), b"http/1.1".to_vec()];
    let server = Server::start(config);
    let recorded = Recorded::new();
    let chosen = |names: Option<&[&str]>| {
        let mut tls = trusting(&authority);
        if let Some(names) = names {
            tls.alpn = AlpnProtocols::parse(names.iter().copied()).expect("good names");
        }
        recorded.connects(&server.url, tls);
        server.handshakes.recv_timeout(DEADLINE).expect("a handshake").alpn
    };
    assert_eq!(chosen(None).as_deref(), Some(&b"http/1.1"[..]));
    assert_eq!(chosen(Some(&["mqtt", "http/1.1"])).as_deref(), Some(&b"mqtt"[..]));
    assert_eq!(chosen(Some(&[])), None);
    let long = "x".repeat(256);
    for wrong in [&["h2"][..], &["http/1.1", "h3"], &[""], &["a", "a"], &[&long]] {
        assert!(AlpnProtocols::parse(wrong.iter().copied()).is_err(), "{wrong:?}");
    }
    recorded.finish();
}

#[test]
fn uses_tls_server_name_for_sni_and_verification() {
    let authority = Authority::new("CA");
    let server = Server::of(authority.issue(&["a.example", "10.0.0.1"]));
    let named = |name: &str| TlsOptions { server_name: TlsServerName::parse(name), ..trusting(&authority) };
    let recorded = Recorded::new();
    recorded.connects(&server.url, named("a.example"));
    let Handshake { name, host, .. } = server.handshakes.recv_timeout(DEADLINE).expect("a handshake");
    assert_eq!(name.as_deref(), Some("a.example"));
    assert!(host.starts_with("localhost:"), "{host}");
    // The name to verify excludes the dot of the root.
    recorded.connects(&GOOD.url.replace("localhost", "localhost."), trusting(&GOOD.authority));
    recorded.connects(&server.url, named("10.0.0.1"));
    assert_eq!(server.handshakes.recv_timeout(DEADLINE).expect("a handshake").name, None);
    refuses(&server.url, named("c.example"), &["not for c.example"]);
    for wrong in ["", "a b", "a.example:443", "https://a.example", "[::1]"] {
        assert_eq!(TlsServerName::parse(wrong), None, "{wrong}");
    }
    recorded.finish();
}

// ---- handshakes that break off ----

#[test]
fn an_interrupted_tls_handshake_fails() {
    let hello = server_hello([3, 3], &[]);
    for cut in [0, 3, 5, 20, hello.len()] {
        refuses(&literal(&hello[..cut]), trusting(&GOOD.authority), &["closed the connection in the middle"]);
    }
}

#[test]
fn an_answer_that_is_not_tls_fails_and_says_so() {
    for answer in
        ["HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "SSH-2.0-OpenSSH_9.6\r\n", "220 smtp\r\n"]
    {
        refuses(&literal(answer.as_bytes()), trusting(&GOOD.authority), &["is not TLS"]);
    }
}

#[test]
fn describes_tls_faults_of_a_server_in_words() {
    let record = |kind: u8, message: &[u8]| [&[kind, 3, 3, 0, message.len() as u8], message].concat();
    for (answer, words) in [
        // handshake_failure: no common parameters, for instance of signature algorithms.
        (record(0x15, b"\x02\x28"), "It may have only a key on P-521 or for RSA-PSS"),
        // A certificate of 16 MB.
        (record(0x16, b"\x0b\xff\xff\xff"), "over 64 KiB"),
        // A ServerHello that ends in the middle.
        (record(0x16, b"\x02\x00\x00\x01\x03"), "malformed TLS data: missing data"),
        // A Finished as the first message.
        (record(0x16, b"\x14\x00\x00\x00"), "out of order"),
        // TLS_RSA_WITH_AES_128_CBC_SHA.
        (server_hello_of([3, 3], [0, 0x2f], &[]), "a cipher suite that was not offered"),
    ] {
        let text = refuses(&literal(&answer), trusting(&GOOD.authority), &[words]);
        assert!(
            !text.contains("Payload") && !text.contains("Unoffered") && !text.contains("InvalidMessage"),
            "{text}"
        );
    }
}

// ---- resumption, the system's store, the key log ----

#[test]
fn clients_with_equal_tls_options_resume_each_others_sessions() {
    // In its own process, because the other tests create more configurations than the cache keeps.
    in_child("child_of_the_sessions", &[]);
}

#[test]
#[ignore = "run by clients_with_equal_tls_options_resume_each_others_sessions"]
fn child_of_the_sessions() {
    let authority = Authority::new("CA");
    for versions in [&[&TLS12][..], &[&TLS13]] {
        let identity = authority.issue(&["localhost"]);
        let own = pin(&identity.key);
        let server = Server::start(identity.config_with(versions, None));
        let kind = |tls: TlsOptions| {
            let recorded = Recorded::new();
            recorded.connects(&server.url, tls);
            recorded.finish();
            server.handshakes.recv_timeout(DEADLINE).expect("a handshake").kind
        };
        assert_eq!(kind(trusting(&authority)), Some(HandshakeKind::Full));
        assert_eq!(kind(trusting(&authority)), Some(HandshakeKind::Resumed));
        // A session verified less strictly or differently is not resumed.
        let pinned = || TlsOptions { pins: vec![own.clone()], ..trusting(&authority) };
        let skipping = || TlsOptions { skip_server_verification: true, ..trusting(&authority) };
        assert_eq!(kind(pinned()), Some(HandshakeKind::Full));
        assert_eq!(kind(skipping()), Some(HandshakeKind::Full));
        assert_eq!(kind(pinned()), Some(HandshakeKind::Resumed));
        assert_eq!(kind(trusting(&authority)), Some(HandshakeKind::Resumed));
    }
}

/// Runs one of the ignored tests below in a process with these variables, and returns its output.
fn in_child(test: &str, variables: &[(&str, &str)]) -> String {
    let child = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env_remove("SSL_CERT_DIR")
        .envs(variables.iter().copied())
        .output()
        .expect("a child");
    let output = String::from_utf8_lossy(&child.stdout) + String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && output.contains("1 passed"), "{output}");
    output.into_owned()
}

fn variable(name: &str) -> String {
    std::env::var(name).expect("set by the parent")
}

#[test]
fn the_environment_sets_the_path_of_the_system_store() {
    let (system, own) = (Authority::new("system CA"), Authority::new("own CA"));
    let (by_system, by_own) =
        (Server::of(system.issue(&["localhost"])), Server::of(own.issue(&["localhost"])));
    let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let variables = [
        ("SSL_CERT_FILE", &path(&system.file)),
        ("BY_SYSTEM", &by_system.url),
        ("BY_OWN", &by_own.url),
        ("OWN_CA", &path(&own.file)),
    ];
    in_child("child_of_the_system_store", &variables.map(|(name, value)| (name, value.as_str())));
}

#[test]
#[ignore = "run by the_environment_sets_the_path_of_the_system_store"]
fn child_of_the_system_store() {
    let (by_system, by_own, own) =
        (variable("BY_SYSTEM"), variable("BY_OWN"), PathBuf::from(variable("OWN_CA")));
    let recorded = Recorded::new();
    recorded.connects(&by_system, TlsOptions::default());
    assert!(recorded.fails(&by_own, TlsOptions::default()).contains("own CA"));
    // An own file replaces the system's store or is added to it.
    let exclusive = TlsOptions { ca_path: Some(own), ..TlsOptions::default() };
    recorded.connects(&by_own, exclusive.clone());
    assert!(recorded.fails(&by_system, exclusive.clone()).contains("system CA"));
    let added = TlsOptions { ca_path_adds_to_system: true, ..exclusive };
    recorded.connects(&by_own, added.clone());
    recorded.connects(&by_system, added);
    recorded.finish();
}

#[test]
fn an_empty_system_store_fails() {
    let own = Authority::new("own CA");
    let server = Server::of(own.issue(&["localhost"]));
    let empty = own.folder.write("empty.pem", "");
    let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    for file in [path(&empty), "/nonexistent/store.pem".to_owned()] {
        let variables = [("SSL_CERT_FILE", &file), ("URL", &server.url), ("OWN_CA", &path(&own.file))];
        in_child("child_of_the_empty_store", &variables.map(|(name, value)| (name, value.as_str())));
    }
}

#[test]
#[ignore = "run by an_empty_system_store_fails"]
fn child_of_the_empty_store() {
    let (url, own) = (variable("URL"), PathBuf::from(variable("OWN_CA")));
    let recorded = Recorded::new();
    let text = recorded.fails(&url, TlsOptions::default());
    assert!(text.contains("certificate store of the system"), "{text}");
    let added = TlsOptions { ca_path: Some(own), ca_path_adds_to_system: true, ..TlsOptions::default() };
    recorded.connects(&url, added);
    recorded.finish();
}

#[test]
fn only_a_debug_build_writes_a_key_log() {
    let server = Server::of(GOOD.authority.issue(&["localhost"]));
    let log = GOOD.authority.folder.0.join("keys.log");
    let path = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let variables =
        [("SSLKEYLOGFILE", &path(&log)), ("URL", &server.url), ("OWN_CA", &path(&GOOD.authority.file))];
    in_child("child_of_the_key_log", &variables.map(|(name, value)| (name, value.as_str())));
    let written = fs::read_to_string(&log).unwrap_or_default();
    assert_eq!(written.contains("CLIENT_TRAFFIC_SECRET_0"), cfg!(debug_assertions), "{written}");
}

#[test]
#[ignore = "run by only_a_debug_build_writes_a_key_log"]
fn child_of_the_key_log() {
    let recorded = Recorded::new();
    let tls = TlsOptions { ca_path: Some(variable("OWN_CA").into()), ..TlsOptions::default() };
    recorded.connects(&variable("URL"), tls);
    recorded.finish();
}

// ---- secrets ----

/// A PEM file with each possible fault of the file or of the option that names it, and the name of the fault.
fn damaged(pem: &str) -> Vec<(&'static str, Vec<u8>)> {
    let lines: Vec<&str> = pem.lines().collect();
    let (begin, end) = (lines[0], lines[lines.len() - 1]);
    let body: String = lines[1..lines.len() - 1].iter().filter(|line| !line.contains(':')).copied().collect();
    let label = begin.trim_matches('-').trim_start_matches("BEGIN ");
    let relabelled = |other: &str| pem.replace(label, other).into_bytes();
    let der = BASE64.decode(body.as_bytes()).expect("base64");
    vec![
        ("one line", lines.concat().into_bytes()),
        ("blanks for line ends", lines.join(" ").into_bytes()),
        ("escaped line ends", lines.join("\\n").into_bytes()),
        ("carriage returns", lines.join("\r").into_bytes()),
        ("no end", lines[..lines.len() - 1].join("\n").into_bytes()),
        ("no end on one line", lines[..lines.len() - 1].concat().into_bytes()),
        ("cut", pem.as_bytes()[..pem.len() / 2].to_vec()),
        ("end of another kind", pem.replace(end, &format!("-----END {}-----", &body[..20])).into_bytes()),
        ("four hyphens", pem.replacen("-----\n", "----\n", 1).into_bytes()),
        ("four hyphens on one line", lines.concat().replacen("-----", "----", 2).into_bytes()),
        ("no hyphens", format!("-----BEGIN {label}{body}").into_bytes()),
        ("key as label", format!("-----BEGIN {} PRIVATE KEY-----\n{body}\n{end}", &body[..20]).into_bytes()),
        ("begins twice", format!("{begin}\n{pem}").into_bytes()),
        ("no base64", pem.replacen(&body[..20], &format!("!{}", &body[..20]), 1).into_bytes()),
        ("early padding", pem.replacen(&body[..20], &format!("{}==", &body[..20]), 1).into_bytes()),
        (
            "key as cipher",
            format!("{begin}\nProc-Type: 4,ENCRYPTED\nDEK-Info: {body},00\n\n{body}\n{end}").into_bytes(),
        ),
        (
            "key as vector",
            format!("{begin}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{body}\n\n{body}\n{end}")
                .into_bytes(),
        ),
        ("byte-order mark", format!("\u{feff}{pem}").into_bytes()),
        ("UTF-16", utf16(pem)),
        ("as a certificate", relabelled("CERTIFICATE")),
        ("as a trusted certificate", relabelled("TRUSTED CERTIFICATE")),
        ("as PKCS#8", relabelled("PRIVATE KEY")),
        ("as PKCS#1", relabelled("RSA PRIVATE KEY")),
        ("as SEC1", relabelled("EC PRIVATE KEY")),
        ("as encrypted", relabelled("ENCRYPTED PRIVATE KEY")),
        ("as DSA", relabelled("DSA PRIVATE KEY")),
        ("as OpenSSH", relabelled("OPENSSH PRIVATE KEY")),
        ("as a public key", relabelled("PUBLIC KEY")),
        ("as a CRL", relabelled("X509 CRL")),
        ("base64 alone", body.clone().into_bytes()),
        ("DER cut", der[..der.len() - 1].to_vec()),
        ("DER and more", [&der[..], &[0]].concat()),
        ("DER", der),
    ]
}

const MARKED_PASSWORD: &str = "marked-password-of-the-key";
const MARKED_KEYS: [&str; 3] = ["ec.pem", "ec-pbes2-aes256.pem", "rsa-pkcs1-aes128.pem"];

fn marked_key(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(name);
    fs::read_to_string(path).expect("a key")
}

/// Sequences of bytes of the keys and of their base64, as text and in Rust's notation of bytes.
static SECRETS: LazyLock<HashSet<String>> = LazyLock::new(|| {
    const TEXT: usize = 10;
    const BYTES: usize = 5;
    let mut secrets = HashSet::new();
    for name in MARKED_KEYS {
        let key = marked_key(name);
        let base64: String =
            key.lines().filter(|line| !line.starts_with('-') && !line.contains(':')).collect();
        let der = BASE64.decode(base64.as_bytes()).expect("base64");
        secrets
            .extend(base64.as_bytes().windows(TEXT).map(|text| String::from_utf8_lossy(text).into_owned()));
        for bytes in base64.as_bytes().windows(BYTES).chain(der.windows(BYTES)) {
            secrets.insert(format!("{bytes:?}").trim_matches(['[', ']']).to_owned());
            secrets.insert(bytes.iter().map(|byte| format!("{byte:02x}")).collect());
        }
    }
    secrets.insert(MARKED_PASSWORD.to_owned());
    secrets
});

fn assert_no_secrets(output: &str) {
    let lengths: HashSet<usize> = SECRETS.iter().map(String::len).collect();
    for line in output.lines() {
        for length in &lengths {
            let mut windows =
                line.as_bytes().windows(*length).filter_map(|bytes| std::str::from_utf8(bytes).ok());
            if let Some(secret) = windows.find(|text| SECRETS.contains(*text)) {
                panic!("{secret:?} is in {line:?}");
            }
        }
    }
}

#[test]
fn no_text_and_no_log_line_contains_a_byte_of_a_key_or_its_password() {
    let output = in_child("child_of_the_secrets", &[("NET_WEBSOCKET_LOG", "debug")]);
    let told = output.lines().filter(|line| line.starts_with("told ")).count();
    // Each key with each fault, as each of the files.
    assert_eq!(told, MARKED_KEYS.len() * damaged(&marked_key("ec.pem")).len() * 5, "{output}");
    assert!(output.matches("W NetWebSocket: ").count() > told / 2, "{output}");
    assert!(output.contains("D NetWebSocket: "), "{output}");
    assert_no_secrets(&output);
}

#[test]
#[ignore = "run by no_text_and_no_log_line_contains_a_byte_of_a_key_or_its_password"]
fn child_of_the_secrets() {
    let recorded = Recorded::new();
    // This logs the number of authorities at level debug.
    recorded.connects(&GOOD.url, TlsOptions { ca_path_adds_to_system: true, ..trusting(&GOOD.authority) });
    // An address needs no lookup.
    let url = GOOD.url.replace("localhost", "127.0.0.1");
    for name in MARKED_KEYS {
        for (fault, file) in damaged(&marked_key(name)) {
            let folder = Folder::new();
            let path = folder.write("file", &file);
            let contents = PathBuf::from(String::from_utf8_lossy(&file).replace('\0', ""));
            let good = client_certificate(&GOOD.authority, "ec.pem", Some(MARKED_PASSWORD));
            let trusted =
                |ca_path: &Path| TlsOptions { ca_path: Some(ca_path.to_owned()), ..TlsOptions::default() };
            let with = |client| showing(&GOOD.authority, client);
            for tls in [
                with(ClientCertificate { key: path.clone(), ..good.clone() }),
                with(ClientCertificate { certificate: path.clone(), ..good.clone() }),
                with(ClientCertificate { key: contents, ..good }),
                trusted(&path),
                trusted(&folder.0),
            ] {
                recorded.dial(&url, tls);
                // A key without line ends is valid.
                match recorded.next() {
                    Seen::Failed(_, text) => println!("told {name}, {fault}: {text}"),
                    Seen::Opened => {
                        println!("told {name}, {fault}: opened");
                        assert_eq!(recorded.next(), Seen::Closed(1000));
                    }
                    other => panic!("{other:?}"),
                }
            }
        }
    }
    recorded.finish();
}

#[test]
fn no_text_shows_a_key_that_stands_as_the_system_store() {
    let folder = Folder::new();
    for (fault, file) in damaged(&marked_key("ec.pem")) {
        let file = folder.write("store.pem", file);
        let variables = [("NET_WEBSOCKET_LOG", "debug"), ("SSL_CERT_FILE", file.to_str().expect("UTF-8"))];
        let output = in_child("child_of_the_bad_store", &variables);
        assert!(output.contains("told certificate store of the system: "), "{fault}: {output}");
        assert_no_secrets(&output);
    }
}

#[test]
#[ignore = "run by no_text_shows_a_key_that_stands_as_the_system_store"]
fn child_of_the_bad_store() {
    let recorded = Recorded::new();
    println!("told {}", recorded.fails(&GOOD.url, TlsOptions::default()));
    recorded.finish();
}
