//! Makes a `rustls` configuration from an application's options, once, and shares it among clients.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::SystemTime;

use ring::hmac;
use rustls::client::{ClientSessionMemoryCache, ClientSessionStore, Resumption};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::ServerName;
use rustls::version::TLS13;
use rustls::{ALL_VERSIONS, ClientConfig};

use super::error::{TrustError, unreadable};
use super::options::{AlpnProtocols, ClientCertificate, DeclaredTrust, Pin, TlsOptions};
use super::verify::{PinSets, Verifier};
use super::{key, trust};
use crate::sync::lock;

/// A configuration is made once for each choice of settings, so that clients resume each other's sessions. A changed
/// file makes a new configuration. If a folder was named, its change does the same.
#[derive(PartialEq)]
struct ConfigKey {
    choice: Choice,
    files: Vec<(Option<SystemTime>, u64)>,
    /// The state of the folders with users' authorities. It may change while the app runs.
    users: Vec<Option<SystemTime>>,
}

impl ConfigKey {
    fn new(options: &TlsOptions, declared: &DeclaredTrust) -> Result<Self, TrustError> {
        Ok(Self {
            choice: Choice::new(options, declared),
            files: options.files().map(file_stamp).collect::<Result<_, _>>()?,
            users: trust::user_stamps(options)?,
        })
    }
}

/// What an application has chosen.
#[derive(PartialEq)]
struct Choice {
    ca_path: Option<PathBuf>,
    ca_path_adds_to_system: bool,
    skip_server_verification: bool,
    trust_user_authorities: Option<bool>,
    pins: Vec<Pin>,
    declared: DeclaredTrust,
    certificate: Option<(PathBuf, PathBuf)>,
    /// Digest of the password; the password itself is not stored.
    password: Option<Vec<u8>>,
    tls13_only: bool,
    alpn: AlpnProtocols,
}

impl Choice {
    fn new(options: &TlsOptions, declared: &DeclaredTrust) -> Self {
        static SECRET: LazyLock<hmac::Key> =
            LazyLock::new(|| hmac::Key::new(hmac::HMAC_SHA256, &rand::random::<[u8; 32]>()));
        let TlsOptions {
            ca_path,
            ca_path_adds_to_system,
            trust_user_authorities,
            // Its declarations are passed separately.
            network_security_config: _,
            skip_server_verification,
            pins,
            client_certificate,
            tls13_only,
            alpn,
            // Sessions are stored by server name.
            server_name: _,
        } = options;
        let certificate = client_certificate.as_ref();
        Self {
            trust_user_authorities: *trust_user_authorities,
            declared: declared.clone(),
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
        }
    }
}

/// A configuration, and the sessions that its clients may resume.
#[derive(Clone)]
pub(in crate::client) struct ClientTls {
    pub(super) config: Arc<ClientConfig>,
    /// The configuration has them too, but does not give them out.
    sessions: Arc<ClientSessionMemoryCache>,
}

impl ClientTls {
    /// The server's answer could not be decrypted. In TLS 1.2 the server may have another key for the session than this
    /// client. The next handshake begins a new session.
    pub(super) fn forget_session(&self, server: &ServerName<'static>) {
        self.sessions.remove_tls12_session(server);
    }
}

static CONFIGS: Mutex<Vec<(ConfigKey, ClientTls)>> = Mutex::new(Vec::new());

/// The most sessions that a configuration keeps. It is the number of rustls.
const SESSIONS_MAX: usize = 256;

/// The most configurations that are kept. Apps use one or two.
const CONFIGS_MAX: usize = 32;

/// The configuration for `options` and the app's declarations. It reads files, so not on an async thread.
pub(in crate::client) fn config(
    options: &TlsOptions,
    declared: &DeclaredTrust,
) -> Result<ClientTls, TrustError> {
    let key = ConfigKey::new(options, declared)?;
    if let Some(config) = known(&lock(&CONFIGS), &key) {
        return Ok(config);
    }
    let config = build(options, declared)?;
    let mut configs = lock(&CONFIGS);
    // Another attempt may have made it in the meantime.
    if let Some(config) = known(&configs, &key) {
        return Ok(config);
    }
    if configs.len() >= CONFIGS_MAX {
        configs.clear();
    }
    configs.push((key, config.clone()));
    Ok(config)
}

/// The configuration for these arguments, if it was made before and no file of the app has to be looked at. The looks at
/// the system's folders of users' authorities take less time than another thread takes to begin.
pub(in crate::client) fn known_config(options: &TlsOptions, declared: &DeclaredTrust) -> Option<ClientTls> {
    if options.files().next().is_some() || !declared.anchors.is_empty() {
        return None;
    }
    let choice = Choice::new(options, declared);
    if !lock(&CONFIGS).iter().any(|(known, _)| known.choice == choice) {
        return None;
    }
    let key = ConfigKey { choice, files: Vec::new(), users: trust::user_stamps(options).ok()? };
    known(&lock(&CONFIGS), &key)
}

fn known(configs: &[(ConfigKey, ClientTls)], key: &ConfigKey) -> Option<ClientTls> {
    configs.iter().find(|(known, _)| known == key).map(|(_, config)| config.clone())
}

/// The time of a file's last change, and its length. An error if the file does not exist.
pub(in crate::client) fn file_stamp(path: &Path) -> Result<(Option<SystemTime>, u64), TrustError> {
    let metadata = fs::metadata(path).map_err(|cause| unreadable(path, &cause))?;
    Ok((metadata.modified().ok(), metadata.len()))
}

fn build(options: &TlsOptions, declared: &DeclaredTrust) -> Result<ClientTls, TrustError> {
    let impossible =
        |cause: &dyn ToString| TrustError { path: None, cause: cause.to_string(), is_shortage: false };
    let versions: &[_] = if options.tls13_only { &[&TLS13] } else { ALL_VERSIONS };
    let provider = Arc::new(default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .map_err(|cause| impossible(&cause))?;
    let trusted = if options.skip_server_verification {
        crate::logging::warn(format_args!("server certificates are not verified, as the application asked"));
        None
    } else {
        Some(trust::trusted(options, &declared.anchors)?)
    };
    let pins = PinSets { own: options.pins.clone(), declared: declared.pins.clone() };
    let verifier = Verifier::new(trusted, pins, &provider).map_err(|cause| impossible(&cause))?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match &options.client_certificate {
        None => builder.with_no_client_auth(),
        Some(ClientCertificate { certificate, key, password }) => {
            let chain = trust::certificates(certificate)?;
            let private = key::private_key(key, password.as_ref())?;
            let kind = key::kind_of_unusable(&private);
            builder
                .with_client_auth_cert(chain, private)
                .map_err(|cause| key::unfit(&cause, (certificate, key), kind))?
        }
    };
    config.alpn_protocols = options.alpn.names();
    // For Wireshark. Whoever has the file can read the connections, so release builds do not write it.
    #[cfg(debug_assertions)]
    {
        config.key_log = Arc::new(rustls::KeyLogFile::new());
    }
    let sessions = Arc::new(ClientSessionMemoryCache::new(SESSIONS_MAX));
    config.resumption = Resumption::store(sessions.clone());
    Ok(ClientTls { config: Arc::new(config), sessions })
}
