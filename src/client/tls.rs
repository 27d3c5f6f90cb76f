//! From whom to trust to a `rustls` configuration, and the TLS handshake.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::version::TLS13;
use rustls::{ALL_VERSIONS, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

use super::error::Error;
use super::options::{ClientCertificate, Tls, Trust};
use super::socket::Socket;

/// A configuration is made once for each choice of settings, so that sessions are resumed across clients. A file that has
/// changed makes another one.
#[derive(PartialEq, Eq, Hash)]
struct ConfigKey {
    settings: Tls,
    files: Vec<(Option<SystemTime>, u64)>,
}

static CONFIGS: LazyLock<Mutex<HashMap<ConfigKey, Arc<ClientConfig>>>> = LazyLock::new(Mutex::default);

/// The most configurations kept; apps use one or two.
const CONFIGS_MAX: usize = 32;

/// The configuration for `settings`. Reads files: not for an async thread.
pub(super) fn config(settings: &Tls) -> Result<Arc<ClientConfig>, Error> {
    let authorities = match &settings.trust {
        Trust::File(path) => Some(path),
        Trust::System | Trust::Anyone => None,
    };
    let own = settings.client.iter().flat_map(|client| [&client.certificate, &client.key]);
    let files = authorities.into_iter().chain(own).map(|path| {
        let metadata = fs::metadata(path).map_err(|cause| unusable(path, cause.to_string()))?;
        Ok((metadata.modified().ok(), metadata.len()))
    });
    let key = ConfigKey { settings: settings.clone(), files: files.collect::<Result<_, _>>()? };
    let known = CONFIGS.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    if let Some(config) = known {
        return Ok(config);
    }
    let config = Arc::new(build(settings)?);
    let mut configs = CONFIGS.lock().unwrap_or_else(PoisonError::into_inner);
    if configs.len() >= CONFIGS_MAX {
        configs.clear();
    }
    Ok(configs.entry(key).or_insert(config).clone())
}

fn unusable(path: &Path, cause: String) -> Error {
    Error::Trust { path: Some(path.to_owned()), cause }
}

/// The TLS handshake, with the certificate verified for `host`.
pub(super) async fn handshake(
    tcp: Socket,
    config: Arc<ClientConfig>,
    host: &Host<String>,
) -> io::Result<TlsStream<Socket>> {
    let name = match host {
        Host::Domain(name) => ServerName::try_from(name.clone()).map_err(io::Error::other)?,
        Host::Ipv4(address) => ServerName::from(std::net::IpAddr::from(*address)),
        Host::Ipv6(address) => ServerName::from(std::net::IpAddr::from(*address)),
    };
    TlsConnector::from(config).connect(name, tcp).await
}

fn build(settings: &Tls) -> Result<ClientConfig, Error> {
    let Tls { trust, client, tls13_only } = settings;
    let versions: &[_] = if *tls13_only { &[&TLS13] } else { ALL_VERSIONS };
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .map_err(|cause| Error::Trust { path: None, cause: cause.to_string() })?;
    let builder = match trust {
        Trust::System => builder.with_root_certificates(system_roots()?),
        Trust::File(path) => builder.with_root_certificates(file_roots(path)?),
        Trust::Anyone => {
            crate::logging::warn(format_args!(
                "server certificates are not verified, as the application asked"
            ));
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AcceptAnyone(provider)))
        }
    };
    let Some(ClientCertificate { certificate, key }) = client else {
        return Ok(builder.with_no_client_auth());
    };
    let private = PrivateKeyDer::from_pem_file(key).map_err(|cause| match cause {
        pem::Error::NoItemsFound => unusable(key, "it holds no PEM key without a password".to_owned()),
        other => unusable(key, other.to_string()),
    })?;
    builder
        .with_client_auth_cert(certificates(certificate)?, private)
        .map_err(|cause| unusable(certificate, format!("not a certificate of the key: {cause}")))
}

/// Where OpenHarmony keeps the authorities that users install: those for all users, then the current user's.
#[cfg(target_env = "ohos")]
fn user_authorities() -> Vec<CertificateDer<'static>> {
    use std::os::unix::fs::MetadataExt;

    const BASE: &str = "/data/certificates/user_cacerts";
    const UIDS_PER_USER: u32 = 200_000;
    let user = fs::metadata("/proc/self").map_or(0, |process| process.uid() / UIDS_PER_USER);
    let mut users = vec![0, user];
    users.dedup();
    // An app may not be allowed to look there; then it trusts the system's authorities alone.
    let of_user = |user| {
        rustls_native_certs::load_certs_from_paths(None, Some(&Path::new(BASE).join(format!("{user}")))).certs
    };
    users.into_iter().flat_map(of_user).collect()
}

#[cfg(not(target_env = "ohos"))]
fn user_authorities() -> Vec<CertificateDer<'static>> {
    Vec::new()
}

/// The store of the system; an empty one is an error, since nothing could be verified against it.
fn system_roots() -> Result<RootCertStore, Error> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, unusable) =
        roots.add_parsable_certificates(found.certs.into_iter().chain(user_authorities()));
    crate::logging::debug(format_args!("trust store: {usable} authorities, {unusable} unusable entries"));
    if roots.is_empty() {
        let cause = found.errors.first().map_or("it holds no certificate".to_owned(), ToString::to_string);
        return Err(Error::Trust { path: None, cause });
    }
    Ok(roots)
}

fn file_roots(path: &Path) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|cause| unusable(path, cause.to_string()))?;
    }
    Ok(roots)
}

/// The certificates in a PEM file, one at least.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(|certificates| certificates.collect())
        .map_err(|cause| unusable(path, cause.to_string()))?;
    if found.is_empty() {
        return Err(unusable(path, "it holds no PEM certificate".to_owned()));
    }
    Ok(found)
}

/// Verifies that the peer holds the key of its certificate, and nothing about whose certificate it is.
#[derive(Debug)]
struct AcceptAnyone(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAnyone {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
