//! From whom to trust to a `rustls` configuration, and the TLS handshake.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

use super::error::Error;
use super::options::Trust;
use super::socket::Socket;

/// A configuration is made once for each trust, so that sessions are resumed across clients. A PEM file that has
/// changed is another trust.
#[derive(PartialEq, Eq, Hash)]
enum ConfigKey {
    System,
    File(PathBuf, Option<SystemTime>, u64),
    Anyone,
}

static CONFIGS: LazyLock<Mutex<HashMap<ConfigKey, Arc<ClientConfig>>>> = LazyLock::new(Mutex::default);

/// The most configurations kept; apps use one or two.
const CONFIGS_MAX: usize = 32;

/// The configuration for `trust`. Reads files: not for an async thread.
pub(super) fn config(trust: &Trust) -> Result<Arc<ClientConfig>, Error> {
    let key = match trust {
        Trust::System => ConfigKey::System,
        Trust::Anyone => ConfigKey::Anyone,
        Trust::File(path) => {
            let metadata = fs::metadata(path)
                .map_err(|cause| Error::Trust { path: Some(path.clone()), cause: cause.to_string() })?;
            ConfigKey::File(path.clone(), metadata.modified().ok(), metadata.len())
        }
    };
    let known = CONFIGS.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
    if let Some(config) = known {
        return Ok(config);
    }
    let config = Arc::new(build(trust)?);
    let mut configs = CONFIGS.lock().unwrap_or_else(PoisonError::into_inner);
    if configs.len() >= CONFIGS_MAX {
        configs.clear();
    }
    Ok(configs.entry(key).or_insert(config).clone())
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

fn build(trust: &Trust) -> Result<ClientConfig, Error> {
    let provider = Arc::new(ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|cause| Error::Trust { path: None, cause: cause.to_string() })?;
    let config = match trust {
        Trust::System => versions.with_root_certificates(system_roots()?),
        Trust::File(path) => versions.with_root_certificates(file_roots(path)?),
        Trust::Anyone => {
            crate::logging::warn(format_args!(
                "server certificates are not verified, as the application asked"
            ));
            versions.dangerous().with_custom_certificate_verifier(Arc::new(AcceptAnyone(provider)))
        }
    };
    Ok(config.with_no_client_auth())
}

/// The store of the system; an empty one is an error, since nothing could be verified against it.
fn system_roots() -> Result<RootCertStore, Error> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, unusable) = roots.add_parsable_certificates(found.certs);
    crate::logging::debug(format_args!("trust store: {usable} authorities, {unusable} unusable entries"));
    if roots.is_empty() {
        let cause = found.errors.first().map_or("it holds no certificate".to_owned(), ToString::to_string);
        return Err(Error::Trust { path: None, cause });
    }
    Ok(roots)
}

fn file_roots(path: &Path) -> Result<RootCertStore, Error> {
    let unusable = |cause: String| Error::Trust { path: Some(path.to_owned()), cause };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|cause| unusable(cause.to_string()))? {
        let certificate = certificate.map_err(|cause| unusable(cause.to_string()))?;
        roots.add(certificate).map_err(|cause| unusable(cause.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable("it holds no PEM certificate".to_owned()));
    }
    Ok(roots)
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
