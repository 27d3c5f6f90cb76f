//! From what an application asks to a `rustls` configuration, and the TLS handshake.

mod error;
mod key;
mod trust;
mod verify;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::SystemTime;

use ring::hmac;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::ServerName;
use rustls::version::TLS13;
use rustls::{ALL_VERSIONS, ClientConfig, InconsistentKeys};
use tokio::io::AsyncReadExt;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

pub use self::error::TlsError;
pub use self::key::Password;
pub use self::verify::{Pin, PinError};

use self::verify::Verifier;
use super::error::Error;
use super::transport::Socket;

/// How to speak TLS.
#[derive(Clone, Debug)]
pub struct TlsOptions {
    /// The authorities to trust instead of the system's store: a PEM file, or a folder of them.
    pub ca_path: Option<PathBuf>,
    /// Trust the system's store as well as `ca_path`. Default no.
    pub ca_path_adds_to_system: bool,
    /// Accept any certificate for any name. Whoever sits on the path can then read and change everything, unless `pins`
    /// are given: those count all the same, for the server's own key.
    pub skip_server_verification: bool,
    /// Public keys of which the server's chain must have one; none for no such demand. Expired ones count no more; when
    /// all have expired, a chain that is verified will do without.
    pub pins: Vec<Pin>,
    /// What to show a server that asks for a certificate.
    pub client_certificate: Option<ClientCertificate>,
    /// Speak TLS 1.3 only. Default: 1.2 as well.
    pub tls13_only: bool,
    /// What to offer by ALPN. Default: `http/1.1`.
    pub alpn: AlpnProtocols,
    /// The name to ask for (SNI) and to verify, instead of the URL's host.
    pub server_name: Option<TlsServerName>,
}

impl TlsOptions {
    /// The files and folders that are read for them.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        let own = self.client_certificate.iter().flat_map(|own| [&own.certificate, &own.key]);
        let authorities = self.ca_path.iter().filter(|_| !self.skip_server_verification);
        authorities.chain(own).map(PathBuf::as_path)
    }
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            ca_path: None,
            ca_path_adds_to_system: false,
            skip_server_verification: false,
            pins: Vec::new(),
            client_certificate: None,
            tls13_only: false,
            alpn: AlpnProtocols(vec![HTTP_1_1.to_vec()]),
            server_name: None,
        }
    }
}

/// PEM files with a client's certificate, followed by those of its issuers, and its key (PKCS#8, SEC1 or PKCS#1).
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// The certificates.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
    /// The key's password.
    pub password: Option<Password>,
}

const HTTP_1_1: &[u8] = b"http/1.1";

/// Protocols to offer by ALPN (RFC 7301), preferred first; none leaves the extension out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AlpnProtocols(Vec<Vec<u8>>);

impl AlpnProtocols {
    /// Names of 1 to 255 bytes, each once; none of a version of HTTP that is not upgraded to WebSocket.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, &'static str> {
        let mut protocols = Vec::new();
        for name in names {
            match name {
                "" => return Err("a protocol has no name"),
                "h2" | "h2c" | "h3" => {
                    return Err("WebSocket is spoken over http/1.1 here, not over h2 or h3");
                }
                long if long.len() > 255 => return Err("a protocol's name is over 255 bytes"),
                twice if protocols.iter().any(|known| known == twice.as_bytes()) => {
                    return Err("a protocol is named twice");
                }
                name => protocols.push(name.as_bytes().to_vec()),
            }
        }
        Ok(Self(protocols))
    }
}

/// A host name or an IP address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsServerName(ServerName<'static>);

impl TlsServerName {
    /// A host name, or an IP address as in RFC 5952, without brackets.
    pub fn parse(name: &str) -> Option<Self> {
        ServerName::try_from(name.to_owned()).ok().map(Self)
    }
}

/// A configuration is made once for each choice of settings, so that sessions are resumed across clients. A file that has
/// changed makes another one; so does the clock of the folder that it lies in, when that is what was named.
#[derive(PartialEq, Eq, Hash)]
struct ConfigKey {
    ca_path: Option<PathBuf>,
    ca_path_adds_to_system: bool,
    skip_server_verification: bool,
    pins: Vec<Pin>,
    certificate: Option<(PathBuf, PathBuf)>,
    /// Of the password; the password itself is not kept.
    password: Option<Vec<u8>>,
    tls13_only: bool,
    alpn: AlpnProtocols,
    files: Vec<(Option<SystemTime>, u64)>,
}

impl ConfigKey {
    fn new(options: &TlsOptions) -> Result<Self, Error> {
        static SECRET: LazyLock<hmac::Key> =
            LazyLock::new(|| hmac::Key::new(hmac::HMAC_SHA256, &rand::random::<[u8; 32]>()));
        let TlsOptions {
            ca_path,
            ca_path_adds_to_system,
            skip_server_verification,
            pins,
            client_certificate,
            tls13_only,
            alpn,
            // Sessions are kept by name.
            server_name: _,
        } = options;
        let certificate = client_certificate.as_ref();
        Ok(Self {
            files: options.files().map(changed).collect::<Result<_, _>>()?,
            ca_path: ca_path.clone(),
            ca_path_adds_to_system: *ca_path_adds_to_system,
            skip_server_verification: *skip_server_verification,
            pins: pins.clone(),
            certificate: certificate.map(|own| (own.certificate.clone(), own.key.clone())),
            password: certificate
                .and_then(|own| own.password.as_ref())
                .map(|password| hmac::sign(&SECRET, password.as_bytes()).as_ref().to_vec()),
            tls13_only: *tls13_only,
            alpn: alpn.clone(),
        })
    }
}

static CONFIGS: LazyLock<Mutex<HashMap<ConfigKey, Arc<ClientConfig>>>> = LazyLock::new(Mutex::default);

/// The most configurations kept; apps use one or two.
const CONFIGS_MAX: usize = 32;

/// The configuration for `options`. Reads files: not for an async thread.
pub(super) fn config(options: &TlsOptions) -> Result<Arc<ClientConfig>, Error> {
    let key = ConfigKey::new(options)?;
    let known = CONFIGS.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    if let Some(config) = known {
        return Ok(config);
    }
    let config = Arc::new(build(options)?);
    let mut configs = CONFIGS.lock().unwrap_or_else(PoisonError::into_inner);
    if configs.len() >= CONFIGS_MAX {
        configs.clear();
    }
    Ok(configs.entry(key).or_insert(config).clone())
}

/// When a file was changed, and its length; an error when it is not there.
pub(super) fn changed(path: &Path) -> Result<(Option<SystemTime>, u64), Error> {
    let metadata = fs::metadata(path).map_err(|cause| unusable(path, cause.to_string()))?;
    Ok((metadata.modified().ok(), metadata.len()))
}

fn unusable(path: &Path, cause: String) -> Error {
    Error::Trust { path: Some(path.to_owned()), cause }
}

fn build(options: &TlsOptions) -> Result<ClientConfig, Error> {
    let impossible = |cause: &dyn ToString| Error::Trust { path: None, cause: cause.to_string() };
    let versions: &[_] = if options.tls13_only { &[&TLS13] } else { ALL_VERSIONS };
    let provider = Arc::new(default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .map_err(|cause| impossible(&cause))?;
    let trusted = if options.skip_server_verification {
        crate::logging::warn(format_args!("server certificates are not verified, as the application asked"));
        None
    } else {
        Some(trust::trusted(options)?)
    };
    let verifier =
        Verifier::new(trusted, options.pins.clone(), &provider).map_err(|cause| impossible(&cause))?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &options.client_certificate {
        None => builder.with_no_client_auth(),
        Some(ClientCertificate { certificate, key, password }) => {
            let chain = trust::certificates(certificate)?;
            let private = key::private_key(key, password.as_ref())?;
            builder.with_client_auth_cert(chain, private).map_err(|cause| match cause {
                rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                    unusable(key, format!("it is not the key of the certificate {}", certificate.display()))
                }
                rustls::Error::InvalidCertificate(_) => {
                    unusable(certificate, "its first certificate is malformed".to_owned())
                }
                other => unusable(key, format!("not a usable RSA, ECDSA or Ed25519 key: {other}")),
            })?
        }
    };
    config.alpn_protocols = options.alpn.0.clone();
    // For Wireshark. Whoever has the file can read the connections, so no release build writes it.
    #[cfg(debug_assertions)]
    {
        config.key_log = Arc::new(rustls::KeyLogFile::new());
    }
    Ok(config)
}

/// The TLS handshake, with the certificate verified for the name in the options, else for `host`.
pub(super) async fn handshake(
    tcp: Socket,
    config: Arc<ClientConfig>,
    options: &TlsOptions,
    host: &Host<String>,
) -> Result<TlsStream<Socket>, TlsError> {
    let name = match (&options.server_name, host) {
        (Some(TlsServerName(name)), _) => name.clone(),
        (None, Host::Domain(name)) => ServerName::try_from(name.clone())
            .map_err(|_| {
                rustls::Error::General(format!("{name:?} is no host name that a certificate can have"))
            })
            .map_err(TlsError::Handshake)?,
        (None, Host::Ipv4(address)) => ServerName::from(std::net::IpAddr::from(*address)),
        (None, Host::Ipv6(address)) => ServerName::from(std::net::IpAddr::from(*address)),
    };
    Ok(TlsConnector::from(config).connect(name, tcp).await?)
}

/// What the server had to say of the handshake when it broke off the upgrade. A server of TLS 1.3 judges the client's
/// certificate when the client takes the handshake for done already (RFC 8446 section 4.4.2.4), so its alert may be behind
/// a failed write.
pub(super) async fn late_alert(mut stream: Box<TlsStream<Socket>>) -> Option<TlsError> {
    let mut buffer = [0; 1_024];
    loop {
        match stream.read(&mut buffer).await {
            Ok(1..) => {}
            Ok(0) => return None,
            Err(error) => return error.downcast().ok().map(TlsError::Handshake),
        }
    }
}
