//! TLS of a server: its certificate and key, and the authorities of client certificates.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use rustls::{ALL_VERSIONS, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsStream};

use super::error::{TlsError, TrustError, unusable};
use super::options::Password;
use super::{key, trust};
use crate::client::transport::Socket;

/// Files of a server: its certificate followed by those of the issuers, and its key (PKCS#8, SEC1 or PKCS#1). PEM or
/// DER.
#[derive(Clone, Debug)]
pub struct ServerTls {
    /// The certificates.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
    /// The key's password.
    pub password: Option<Password>,
    /// The authorities of clients' certificates: a file, PEM or DER. If it is set, every client must present a
    /// certificate.
    pub client_authorities: Option<PathBuf>,
    /// Use TLS 1.3 only. Default: 1.2 as well.
    pub tls13_only: bool,
}

/// A file of [`ServerTls`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerFile {
    /// [`ServerTls::certificate`].
    Certificate,
    /// [`ServerTls::key`].
    Key,
    /// [`ServerTls::client_authorities`].
    ClientAuthorities,
}

/// The configuration for `options`. It reads files. The error says which of them is unusable.
pub(crate) fn server_config(options: &ServerTls) -> Result<Arc<ServerConfig>, (ServerFile, TrustError)> {
    use ServerFile::{Certificate, ClientAuthorities, Key};
    let ServerTls { certificate, key, password, client_authorities, tls13_only } = options;
    let of = |file| move |cause| (file, cause);
    let impossible =
        |cause: &dyn ToString| TrustError { path: None, cause: cause.to_string(), is_shortage: false };
    let versions: &[_] = if *tls13_only { &[&TLS13] } else { ALL_VERSIONS };
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .map_err(|cause| (Certificate, impossible(&cause)))?;
    let builder = match client_authorities {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in trust::certificates(path).map_err(of(ClientAuthorities))? {
                roots.add(certificate).map_err(|_| {
                    let why = "one of its certificates is malformed, or not a usable authority".to_owned();
                    (ClientAuthorities, unusable(path, why))
                })?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder
                .with_client_cert_verifier(verifier.map_err(|cause| (ClientAuthorities, impossible(&cause)))?)
        }
    };
    let chain = trust::certificates(certificate).map_err(of(Certificate))?;
    let private = key::private_key(key, password.as_ref()).map_err(of(Key))?;
    let kind = key::kind_of_unusable(&private);
    let mut config = builder.with_single_cert(chain, private).map_err(|cause| {
        let unfit = key::unfit(&cause, (certificate, key), kind);
        let file = if unfit.path.as_ref() == Some(certificate) { Certificate } else { Key };
        (file, unfit)
    })?;
    config.alpn_protocols = vec![super::options::HTTP_1_1.to_vec()];
    Ok(Arc::new(config))
}

/// The TLS handshake with a client.
pub(crate) async fn accept_tls(
    socket: Socket,
    config: Arc<ServerConfig>,
) -> Result<TlsStream<Socket>, TlsError> {
    Ok(TlsAcceptor::from(config).accept(socket).await?.into())
}
