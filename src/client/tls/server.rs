//! TLS of a server: its certificate and key, and the authorities of client certificates.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::ring::default_provider;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::UnbufferedServerConnection;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::version::TLS13;
use rustls::{
    ALL_VERSIONS, CertificateError, DigitallySignedStruct, DistinguishedName, OtherError, RootCertStore,
    ServerConfig, SignatureScheme,
};
use webpki::{EndEntityCert, KeyUsage};

use super::error::{TrustError, unusable};
use super::options::Password;
use super::{key, trust};
use crate::client::transport::{Socket, TlsStream};

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
            let algorithms = provider.signature_verification_algorithms;
            builder.with_client_cert_verifier(Arc::new(ClientVerifier::new(roots, algorithms)))
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

/// Requires a certificate of one of the authorities. The verifier of rustls does the same, but brings the code for
/// revocation lists, which no option names.
#[derive(Debug)]
struct ClientVerifier {
    authorities: RootCertStore,
    /// The names of the authorities, which clients get.
    names: Vec<DistinguishedName>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ClientVerifier {
    fn new(authorities: RootCertStore, algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self { names: authorities.subjects(), authorities, algorithms }
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.names
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let (anchors, usage) = (&self.authorities.roots, KeyUsage::client_auth());
        EndEntityCert::try_from(end_entity)
            .and_then(|certificate| {
                let algorithms = self.algorithms.all;
                certificate
                    .verify_for_usage(algorithms, anchors, intermediates, now, usage, None, None)
                    .map(drop)
            })
            .map_err(refusal)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The error by which rustls chooses the alert for a client whose certificate is refused.
fn refusal(error: webpki::Error) -> rustls::Error {
    use webpki::Error;
    let refusal = match error {
        Error::BadDer | Error::BadDerTime | Error::TrailingData(_) => CertificateError::BadEncoding,
        Error::CertNotValidYet { time, not_before } => {
            CertificateError::NotValidYetContext { time, not_before }
        }
        Error::CertExpired { time, not_after } => CertificateError::ExpiredContext { time, not_after },
        Error::InvalidCertValidity => CertificateError::Expired,
        Error::UnknownIssuer => CertificateError::UnknownIssuer,
        Error::InvalidSignatureForPublicKey => CertificateError::BadSignature,
        Error::RequiredEkuNotFoundContext(_) => CertificateError::InvalidPurpose,
        other => CertificateError::Other(OtherError(Arc::new(other))),
    };
    refusal.into()
}

/// The TLS handshake with a client. An error has the text of rustls, because those of `TlsError` are about a server.
pub(crate) async fn accept_tls(socket: Socket, config: Arc<ServerConfig>) -> io::Result<Box<TlsStream>> {
    let session = UnbufferedServerConnection::new(config).map_err(io::Error::other)?;
    TlsStream::accept(socket, session).await
}
