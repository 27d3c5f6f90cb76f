//! Verifies a server's certificate: its chain, its validity, its name, and the pins.

use std::fmt;
use std::iter;
use std::sync::Arc;
use std::time::Duration;

use ring::digest::{SHA256, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{VerifierBuilderError, verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{
    CertificateDer, ServerName, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer, TrustAnchor,
    UnixTime,
};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use webpki::{EndEntityCert, KeyUsage, RawPublicKeyEntity};

use super::der::{self, rsa_bits};
use super::options::{DIGEST_BYTES, Pin};
use crate::client::rfc4648::base64;

/// The trusted authorities.
#[derive(Debug)]
pub(super) struct TrustAnchors {
    pub(super) roots: Arc<RootCertStore>,
    /// Digests of the certificates that the application itself has named.
    pub(super) named: Vec<[u8; DIGEST_BYTES]>,
    /// Users of the device have installed authorities that are not among the roots.
    pub(super) users_left_out: bool,
}

/// The pins. For each set that is not empty, the chain must contain one of its keys.
#[derive(Debug)]
pub(super) struct PinSets {
    /// The pins of the options.
    pub(super) own: Vec<Pin>,
    /// The pins of the app's `network_config.json`.
    pub(super) declared: Vec<Pin>,
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; DIGEST_BYTES] {
    digest(&SHA256, bytes).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Why a certificate is refused, if rustls has no error for it.
#[derive(Debug)]
pub(super) enum CertificateRefusal {
    SelfSigned,
    UnknownIssuer {
        /// Its name, if it has one.
        issuer: Option<String>,
        /// See [`TrustAnchors::users_left_out`].
        users_left_out: bool,
    },
    /// The server's own pin, the number of expected pins, and their source.
    Pins {
        own: String,
        count: usize,
        source: PinSource,
    },
    PinsExpired,
    /// An RSA key of this many bits, of the server or of an authority.
    RsaBits(usize),
}

impl fmt::Display for CertificateRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SelfSigned => f.write_str(
                "the server's certificate is self-signed, and not in the trust store; set caPath to trust it",
            ),
            Self::UnknownIssuer { issuer, users_left_out } => {
                f.write_str("the issuer of the server's certificate")?;
                if let Some(issuer) = issuer {
                    write!(f, ", {issuer:?},")?;
                }
                f.write_str(
                    " is not in the trust store, or the server left out an intermediate certificate; set caPath to trust it",
                )?;
                match users_left_out {
                    true => f.write_str(", or trustUserAuthorities if it is among those that users of the device installed"),
                    false => Ok(()),
                }
            }
            Self::Pins { own, count, source } => write!(
                f,
                "the server's public key, sha256//{own}, is not among those pinned by {source} ({count}), nor is another of \
                 its chain"
            ),
            Self::RsaBits(bits) => write!(
                f,
                "the server's certificate, or one of its chain, has an RSA key of {bits} bits; those of 2048 to 8192 are \
                 accepted"
            ),
            Self::PinsExpired => f.write_str(
                "all pins of certificatePinning have expired, and with skipServerCertVerification nothing else is verified",
            ),
        }
    }
}

/// The source of a pin.
#[derive(Clone, Copy, Debug)]
pub(super) enum PinSource {
    Options,
    Config,
}

impl fmt::Display for PinSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Options => "certificatePinning",
            Self::Config => "network_config.json",
        })
    }
}

impl std::error::Error for CertificateRefusal {}

impl From<CertificateRefusal> for rustls::Error {
    fn from(refusal: CertificateRefusal) -> Self {
        CertificateError::Other(OtherError(Arc::new(refusal))).into()
    }
}

/// Verifies servers by the options.
#[derive(Debug)]
pub(super) struct Verifier {
    /// `None` accepts any certificate that passes the pins.
    trusted: Option<TrustAnchors>,
    pins: PinSets,
    algorithms: WebPkiSupportedAlgorithms,
}

impl TrustAnchors {
    fn verify(
        &self,
        algorithms: &WebPkiSupportedAlgorithms,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        match verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.roots,
            intermediates,
            now,
            algorithms.all,
        ) {
            Ok(()) => verify_server_name(&certificate, server_name),
            // `openssl req -x509` makes such a certificate: self-signed, and by default an authority. webpki has
            // verified its validity. The application has named this very certificate, so only the name remains to be
            // verified.
            Err(error) if is_authority(&error) && self.named.contains(&sha256(end_entity)) => {
                verify_server_name(&certificate, server_name)
            }
            Err(error) => Err(explain(error, end_entity, intermediates, self)),
        }
    }
}

/// Whether the certificate is refused because it is an authority's.
fn is_authority(error: &rustls::Error) -> bool {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
            matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
        }
        _ => false,
    }
}

impl Verifier {
    /// A verifier that accepts servers of the trusted authorities. Without `trusted` it accepts any server.
    pub(super) fn new(
        trusted: Option<TrustAnchors>,
        pins: PinSets,
        provider: &CryptoProvider,
    ) -> Result<Self, VerifierBuilderError> {
        if trusted.as_ref().is_some_and(|trusted| trusted.roots.is_empty()) {
            return Err(VerifierBuilderError::NoRootAnchors);
        }
        Ok(Self { trusted, pins, algorithms: provider.signature_verification_algorithms })
    }

    /// The chain must contain the key of an unexpired pin (RFC 7469 section 2.6). Only the verified chain counts. Other
    /// certificates that the server sent prove nothing.
    fn check_pins(
        &self,
        pins: &[Pin],
        source: PinSource,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        if pins.is_empty() {
            return Ok(());
        }
        let now_secs = Duration::from_secs(now.as_secs());
        let mut live = pins.iter().filter(|pin| pin.expires.is_none_or(|at| now_secs < at)).peekable();
        if live.peek().is_none() {
            if self.trusted.is_none() {
                return Err(CertificateRefusal::PinsExpired.into());
            }
            // An app that is no longer updated then continues to work.
            crate::logging::warn(format_args!(
                "all pins of certificatePinning have expired; none is checked"
            ));
            return Ok(());
        }
        let live: Vec<_> = live.collect();
        let pinned = |key: &[u8]| live.iter().any(|pin| pin.digest == sha256(key));
        let own = der::certificate_key(end_entity).ok_or(CertificateError::BadEncoding)?;
        if pinned(own) {
            return Ok(());
        }
        if let Some(trusted) = &self.trusted {
            let certificate =
                EndEntityCert::try_from(end_entity).map_err(|_| CertificateError::BadEncoding)?;
            let anchors = &trusted.roots.roots;
            let usage = KeyUsage::server_auth();
            let path = certificate
                .verify_for_usage(self.algorithms.all, anchors, intermediates, now, usage, None, None)
                .ok();
            if path.is_some_and(|path| {
                path.intermediate_certificates().any(|issuer| pinned(&issuer.subject_public_key_info()))
                    || pinned(&anchor_key(path.anchor()))
            }) {
                return Ok(());
            }
        }
        let own = base64(&sha256(own));
        Err(CertificateRefusal::Pins { own, count: live.len(), source }.into())
    }
}

impl Verifier {
    /// The key of a certificate in a form that webpki does not read, such as version 1. Nothing else of the certificate
    /// is verified. The signature alone shows that the server has the key.
    fn key_alone<'a>(&self, certificate: &'a CertificateDer<'_>) -> Option<SubjectPublicKeyInfoDer<'a>> {
        if self.trusted.is_some() || EndEntityCert::try_from(certificate).is_ok() {
            return None;
        }
        der::certificate_key(certificate).map(SubjectPublicKeyInfoDer::from)
    }

    /// rustls has such a function only for TLS 1.3. This is its counterpart for TLS 1.2.
    fn verify_tls12_signature_by_key(
        &self,
        message: &[u8],
        key: &SubjectPublicKeyInfoDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let key = RawPublicKeyEntity::try_from(key).map_err(|_| CertificateError::BadEncoding)?;
        let mut of_scheme = self.algorithms.mapping.iter().filter(|(scheme, _)| *scheme == signature.scheme);
        let fits = |algorithm: &&'static dyn SignatureVerificationAlgorithm| {
            key.verify_signature(*algorithm, message, signature.signature()).is_ok()
        };
        match of_scheme.any(|(_, algorithms)| algorithms.iter().any(&fits)) {
            true => Ok(HandshakeSignatureValid::assertion()),
            false => Err(CertificateError::BadSignature.into()),
        }
    }
}

/// An anchor holds only the contents of its SubjectPublicKeyInfo. The pin is over the whole.
fn anchor_key(anchor: &TrustAnchor<'_>) -> Vec<u8> {
    const SEQUENCE: u8 = 0x30;
    let inside: &[u8] = anchor.subject_public_key_info.as_ref();
    let length = inside.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut key = vec![SEQUENCE];
    if inside.len() >= 0x80 {
        key.push(0x80 | length.len() as u8);
    }
    key.extend_from_slice(length);
    key.extend_from_slice(inside);
    key
}

/// The common name of the issuer, for an error text. It is the peer's text, so it is short and printable.
fn issuer_name(name: &[u8]) -> Option<String> {
    /// OBJECT IDENTIFIER 2.5.4.3.
    const COMMON_NAME: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x03];
    const NAME_CHARS_MAX: usize = 64;
    let at = name.windows(COMMON_NAME.len()).rposition(|bytes| bytes == COMMON_NAME)?;
    let [_tag, length, text @ ..] = &name[at + COMMON_NAME.len()..] else { return None };
    let text = std::str::from_utf8(text.get(..usize::from(*length))?).ok()?;
    Some(text.chars().filter(|c| !c.is_control()).take(NAME_CHARS_MAX).collect())
}

/// Describes an unknown issuer, and a signature that cannot be verified, better than rustls does.
fn explain(
    error: rustls::Error,
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    trusted: &TrustAnchors,
) -> rustls::Error {
    let rustls::Error::InvalidCertificate(cause) = &error else { return error };
    match cause {
        CertificateError::UnknownIssuer => match EndEntityCert::try_from(end_entity) {
            Ok(certificate) if certificate.issuer() == certificate.subject() => {
                CertificateRefusal::SelfSigned.into()
            }
            Ok(certificate) => {
                let issuer = issuer_name(certificate.issuer());
                CertificateRefusal::UnknownIssuer { issuer, users_left_out: trusted.users_left_out }.into()
            }
            Err(_) => error,
        },
        CertificateError::BadSignature => {
            let chain = || iter::once(end_entity).chain(intermediates).flat_map(EndEntityCert::try_from);
            let issued =
                |anchor: &&TrustAnchor<'_>| chain().any(|below| below.issuer() == anchor.subject.as_ref());
            let anchors = trusted.roots.roots.iter().filter(issued).map(anchor_key);
            let mut keys = chain().map(|one| one.subject_public_key_info().to_vec()).chain(anchors);
            match keys.find_map(|key| unusable_rsa_bits(&key)) {
                Some(bits) => CertificateRefusal::RsaBits(bits).into(),
                None => error,
            }
        }
        _ => error,
    }
}

/// The length of an RSA key that ring does not support. ring reports no reason.
fn unusable_rsa_bits(spki: &[u8]) -> Option<usize> {
    rsa_bits(spki).filter(|bits| !(2_048..=8_192).contains(bits))
}

/// Describes a handshake signature that cannot be verified better than rustls does.
fn explain_signature(error: rustls::Error, certificate: &CertificateDer<'_>) -> rustls::Error {
    let bits = match (&error, EndEntityCert::try_from(certificate)) {
        (rustls::Error::InvalidCertificate(CertificateError::BadSignature), Ok(certificate)) => {
            unusable_rsa_bits(&certificate.subject_public_key_info())
        }
        _ => None,
    };
    bits.map_or(error, |bits| CertificateRefusal::RsaBits(bits).into())
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(trusted) = &self.trusted {
            trusted.verify(&self.algorithms, end_entity, intermediates, server_name, now)?;
        }
        let PinSets { own, declared } = &self.pins;
        self.check_pins(own, PinSource::Options, end_entity, intermediates, now)?;
        self.check_pins(declared, PinSource::Config, end_entity, intermediates, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if let Some(key) = self.key_alone(certificate) {
            return self.verify_tls12_signature_by_key(message, &key, signature);
        }
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
            .map_err(|error| explain_signature(error, certificate))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if let Some(key) = self.key_alone(certificate) {
            return verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms);
        }
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
            .map_err(|error| explain_signature(error, certificate))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
