//! A server of TLS that does what a script says, and what a client sees of it whose buffers are those of rustls.
//!
//! Nothing in it is random or secret, so an input does the same each time.

use std::io::{Read, Write};
use std::sync::{Arc, LazyLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, UnbufferedClientConnection};
use rustls::crypto::cipher::{MessageEncrypter, OutboundChunks, OutboundPlainMessage};
use rustls::crypto::ring::cipher_suite::{TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS13_AES_256_GCM_SHA384};
use rustls::crypto::ring::default_provider;
use rustls::crypto::{
    ActiveKeyExchange, CryptoProvider, GetRandomFailed, SecureRandom, SharedSecret, SupportedKxGroup,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{NoServerSessionStorage, ServerSessionMemoryCache};
use rustls::sign::{CertifiedKey, Signer, SigningKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, ConnectionTrafficSecrets, ContentType, DigitallySignedStruct, Error,
    NamedGroup, ProtocolVersion, ServerConfig, ServerConnection, SignatureAlgorithm, SignatureScheme,
    SupportedCipherSuite,
};

const SCHEME: SignatureScheme = SignatureScheme::ECDSA_NISTP256_SHA256;
/// What a server sends beyond these bytes is left out, so that no input takes long.
const BYTES_MAX: usize = 300_000;
/// The most of one step. More than a record holds.
const STEP_BYTES_MAX: usize = 20_000;

/// What a client sees of a connection.
#[derive(Debug, Default, PartialEq)]
pub struct Seen {
    pub plaintext: Vec<u8>,
    /// `None` if the stream ends without an end of TLS.
    pub end: Option<Result<(), Error>>,
}

/// A connection that a server and a client of rustls have had.
pub struct Recording {
    /// What the server sends. It waits for the client before each.
    pub flights: Vec<Vec<u8>>,
    pub seen: Seen,
    /// What the client says in the handshake.
    pub hello: Vec<u8>,
    /// The server, if it can read what the client says after the handshake.
    pub server: Option<ServerConnection>,
}

/// What is left of a script.
pub struct Script<'a>(pub &'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn below(&mut self, end: usize) -> usize {
        let (low, high) = (self.byte().unwrap_or(0), self.byte().unwrap_or(0));
        usize::from(u16::from_le_bytes([low, high])) % end
    }

    /// As many bytes as the next one says.
    fn bytes(&mut self) -> &'a [u8] {
        let count = usize::from(self.byte().unwrap_or(0)).min(self.0.len());
        let (bytes, rest) = self.0.split_at(count);
        self.0 = rest;
        bytes
    }

    /// Damages what the server sends, or leaves it as it is.
    fn damage(&mut self, flight: &mut Vec<u8>) {
        let step = self.byte().unwrap_or(0) % 8;
        if flight.is_empty() || matches!(step, 0 | 5..) {
            return;
        }
        let at = self.below(flight.len());
        match step {
            1 => flight[at] ^= self.byte().unwrap_or(1),
            2 => flight.truncate(at),
            3 => drop(flight.splice(at..at, self.bytes().iter().copied())),
            _ => drop(flight.drain(at..flight.len().min(at + usize::from(self.byte().unwrap_or(1))))),
        }
    }
}

impl Recording {
    /// The bits of `kind` are the parameters of the connection.
    pub fn of(kind: u8, script: &mut Script<'_>) -> Self {
        let mut server = ServerConnection::new(server_config(kind)).expect("a good configuration");
        let name = ServerName::try_from("example.org").expect("a name");
        let client = ClientConnection::new(CLIENT.clone(), name).expect("a good configuration");
        let mut client = Client { client, seen: Seen::default() };
        let (mut flights, mut hello) = (Vec::new(), Vec::new());
        // Until nobody has more to say, or the client has failed.
        while client.seen.end.is_none() {
            let mut said = Vec::new();
            while client.client.wants_write() {
                client.client.write_tls(&mut said).expect("memory");
            }
            hello.extend_from_slice(&said);
            // A server may see another handshake than its client does. Then its flight is an alert.
            let _ = read_all(&mut server, &said);
            let mut flight = Vec::new();
            take_output(&mut server, &mut flight);
            if flight.is_empty() {
                break;
            }
            script.damage(&mut flight);
            client.receive(&flight);
            flights.push(flight);
        }
        let mut sender = None;
        if !server.is_handshaking() && client.seen.end.is_none() {
            let mut own = Sender::of(server, kind & 2 != 0);
            for flight in own.flights(script) {
                client.receive(&flight);
                flights.push(flight);
            }
            sender = Some(own);
        }
        let server = match sender {
            Some(Sender::Rustls(server)) => Some(*server),
            Some(Sender::Forger { .. }) | None => None,
        };
        Self { flights, seen: client.seen, hello, server }
    }
}

/// Has a server read all bytes. Returns the plaintext, and whether it understands all of them.
pub fn read_all(server: &mut ServerConnection, mut bytes: &[u8]) -> (Vec<u8>, bool) {
    let (mut plaintext, mut is_well) = (Vec::new(), true);
    while is_well && !bytes.is_empty() {
        server.read_tls(&mut bytes).expect("room");
        is_well = server.process_new_packets().is_ok();
        let _ = server.reader().read_to_end(&mut plaintext);
    }
    (plaintext, is_well)
}

fn take_output(server: &mut ServerConnection, flight: &mut Vec<u8>) {
    while server.wants_write() {
        server.write_tls(flight).expect("memory");
    }
}

/// A client whose buffers are those of rustls.
struct Client {
    client: ClientConnection,
    seen: Seen,
}

impl Client {
    fn receive(&mut self, mut bytes: &[u8]) {
        let Self { client, seen } = self;
        while !bytes.is_empty() && seen.end.is_none() {
            client.read_tls(&mut bytes).expect("room");
            let processed = client.process_new_packets();
            // At the end of what has come it would block, or tells how the stream ended.
            let _ = client.reader().read_to_end(&mut seen.plaintext);
            seen.end = match processed {
                Err(error) => Some(Err(error)),
                Ok(state) => state.peer_has_closed().then_some(Ok(())),
            };
        }
    }
}

/// The server after the handshake.
enum Sender {
    Rustls(Box<ServerConnection>),
    /// It seals any content with the keys of the connection.
    Forger {
        encrypter: Box<dyn MessageEncrypter>,
        sequence: u64,
    },
}

impl Sender {
    fn of(server: ServerConnection, forges: bool) -> Self {
        if !forges {
            return Self::Rustls(Box::new(server));
        }
        let suite = server.negotiated_cipher_suite().expect("after the handshake");
        let (sequence, secrets) = server.dangerous_extract_secrets().expect("allowed").tx;
        let ConnectionTrafficSecrets::Aes256Gcm { key, iv } = secrets else { panic!("another cipher suite") };
        let encrypter = match suite {
            SupportedCipherSuite::Tls13(suite) => suite.aead_alg.encrypter(key, iv),
            SupportedCipherSuite::Tls12(suite) => {
                let (fixed, explicit) = iv.as_ref().split_at(4);
                suite.aead_alg.encrypter(key, fixed, explicit)
            }
        };
        Self::Forger { encrypter, sequence }
    }

    /// What it sends as the script says.
    fn flights(&mut self, script: &mut Script<'_>) -> Vec<Vec<u8>> {
        let (mut flights, mut flight, mut count) = (Vec::new(), Vec::new(), 0);
        while let Some(step) = script.byte() {
            let before = flight.len();
            match step % 8 {
                0 => self.seal(
                    ContentType::ApplicationData,
                    &vec![step; script.below(STEP_BYTES_MAX)],
                    &mut flight,
                ),
                1 => self.seal_other(script, &mut flight),
                2 => self.seal(ContentType::Alert, &[1, 0], &mut flight),
                3 => flight.extend_from_slice(script.bytes()),
                4 => {
                    let from_end = usize::from(script.byte().unwrap_or(0)) % flight.len().max(1);
                    if let Some(byte) = flight.iter_mut().nth_back(from_end) {
                        *byte ^= step >> 3 | 1;
                    }
                }
                5 => {
                    flight.truncate(flight.len() - usize::from(script.byte().unwrap_or(0)).min(flight.len()))
                }
                6 => flights.push(std::mem::take(&mut flight)),
                _ => self.seal(ContentType::ApplicationData, script.bytes(), &mut flight),
            }
            count += flight.len().saturating_sub(before);
            if count > BYTES_MAX {
                break;
            }
        }
        flights.push(flight);
        flights
    }

    fn seal(&mut self, kind: ContentType, content: &[u8], flight: &mut Vec<u8>) {
        match self {
            Self::Rustls(server) => {
                match kind {
                    ContentType::Alert => server.send_close_notify(),
                    _ => server.writer().write_all(content).expect("memory"),
                }
                take_output(server, flight);
            }
            Self::Forger { encrypter, sequence } => {
                let payload = OutboundChunks::Single(content);
                let plain = OutboundPlainMessage { typ: kind, version: ProtocolVersion::TLSv1_2, payload };
                let sealed = encrypter.encrypt(plain, *sequence).expect("encrypted");
                *sequence += 1;
                flight.extend_from_slice(&sealed.encode());
            }
        }
    }

    /// A record of any type, or new keys.
    fn seal_other(&mut self, script: &mut Script<'_>, flight: &mut Vec<u8>) {
        match self {
            Self::Rustls(server) => {
                // TLS 1.2 has no such message.
                let _ = server.refresh_traffic_keys();
                take_output(server, flight);
            }
            Self::Forger { .. } => {
                let kind = ContentType::from(script.byte().unwrap_or(0));
                self.seal(kind, script.bytes(), flight);
            }
        }
    }
}

static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
    Arc::new(CryptoProvider {
        cipher_suites: vec![TLS13_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384],
        kx_groups: vec![&Known],
        secure_random: &Known,
        ..default_provider()
    })
});

static CLIENT: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let builder = ClientConfig::builder_with_provider(PROVIDER.clone());
    let builder = builder.with_protocol_versions(&[&TLS12, &TLS13]).expect("versions");
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(Known));
    let mut config = builder.with_no_client_auth();
    config.resumption = Resumption::disabled();
    Arc::new(config)
});

/// Another client with the same configuration, without buffers.
pub fn unbuffered_client() -> UnbufferedClientConnection {
    let name = ServerName::try_from("example.org").expect("a name");
    UnbufferedClientConnection::new(CLIENT.clone(), name).expect("a good configuration")
}

fn server_config(kind: u8) -> Arc<ServerConfig> {
    let versions = if kind & 1 == 0 { [&TLS13] } else { [&TLS12] };
    let length = [10, 3_000, 30_000, 70_000][usize::from(kind >> 2 & 3)];
    let chain = vec![CertificateDer::from(vec![0x30; length])];
    let builder = ServerConfig::builder_with_provider(PROVIDER.clone());
    let builder = builder.with_protocol_versions(&versions).expect("a version").with_no_client_auth();
    let mut config = builder
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(CertifiedKey::new(chain, Arc::new(Known)))));
    config.max_fragment_size = [None, Some(32), Some(100), Some(4_096)][usize::from(kind >> 4 & 3)];
    config.send_tls13_tickets = [0, 1, 4, 40][usize::from(kind >> 6)];
    // A session of TLS 1.2 would have the name that the client makes up, as all random bytes are the same.
    config.session_storage = match kind & 1 {
        0 => ServerSessionMemoryCache::new(1),
        _ => Arc::new(NoServerSessionStorage {}),
    };
    config.enable_secret_extraction = true;
    Arc::new(config)
}

/// Keys, signatures and random bytes that are always the same.
#[derive(Clone, Copy, Debug)]
struct Known;

const KNOWN: [u8; 32] = [7; 32];

impl SecureRandom for Known {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), GetRandomFailed> {
        bytes.fill(KNOWN[0]);
        Ok(())
    }
}

impl SupportedKxGroup for Known {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        Ok(Box::new(Self))
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

impl ActiveKeyExchange for Known {
    fn complete(self: Box<Self>, _peer: &[u8]) -> Result<SharedSecret, Error> {
        Ok(KNOWN.as_slice().into())
    }

    fn pub_key(&self) -> &[u8] {
        &KNOWN
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519
    }
}

impl SigningKey for Known {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered.contains(&SCHEME).then(|| -> Box<dyn Signer> { Box::new(Self) })
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for Known {
    fn sign(&self, _message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(KNOWN.to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SCHEME
    }
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _issuers: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SCHEME]
    }
}
