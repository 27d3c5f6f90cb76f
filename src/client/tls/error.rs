//! The errors before and during a TLS handshake. Their texts say what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, InconsistentKeys, InvalidMessage, PeerIncompatible, PeerMisbehaved,
};

use super::der;
use super::verify::CertificateRefusal;
use crate::client::cause::Cause;
use crate::shortage::is_shortage;

/// A certificate file, or the system's trust store, is unusable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustError {
    /// The file, if the option named one.
    pub path: Option<PathBuf>,
    /// The fault.
    pub cause: String,
    /// The system had no descriptor or memory to read it, so the file is not at fault.
    pub is_shortage: bool,
}

pub(super) fn unusable(path: &Path, cause: String) -> TrustError {
    TrustError { path: Some(path.to_owned()), cause, is_shortage: false }
}

pub(super) fn unreadable(path: &Path, cause: &io::Error) -> TrustError {
    TrustError { is_shortage: is_shortage(cause), ..unusable(path, cause.to_string()) }
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, cause, is_shortage: _ } = self;
        match path {
            Some(path) => write!(f, "certificate file {}: {cause}", Shown(path)),
            None => write!(f, "certificate store of the system: {cause}"),
        }
    }
}

impl std::error::Error for TrustError {}

/// A path that texts may show. The option may hold the contents of a file, possibly a private key, instead.
pub(super) struct Shown<'a>(pub(super) &'a Path);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Ed25519 keys have 64 digits of base64. No key is shorter.
        const KEY_CHARS_MIN: usize = 40;
        let path = self.0.to_string_lossy();
        let is_digit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
        let is_base64 = path.len() >= KEY_CHARS_MIN && !path.starts_with('/') && path.chars().all(is_digit);
        if is_base64 || path.contains("-----") || path.contains(char::is_control) {
            return f.write_str("(not shown: the option is not a path; it may be the contents of a file)");
        }
        f.write_str(&path)
    }
}

/// The reason for a failed TLS handshake.
#[derive(Debug)]
pub enum TlsError {
    /// One side refused the data of the other, for example a certificate.
    Handshake(rustls::Error),
    /// The server ended the connection during the handshake.
    Eof,
    /// Reading or writing failed.
    Io(io::Error),
}

impl From<io::Error> for TlsError {
    fn from(error: io::Error) -> Self {
        match error.downcast::<rustls::Error>() {
            Ok(error) => Self::Handshake(error),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Self::Eof,
            Err(error) => Self::Io(error),
        }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handshake(error) => handshake(error, f),
            Self::Eof => f.write_str("the server closed the connection in the middle of the handshake"),
            Self::Io(cause) => write!(f, "the connection broke: {cause}"),
        }
    }
}

impl std::error::Error for TlsError {}

impl TlsError {
    /// The class of a failed handshake. The error is one of TLS, or of the connection below it.
    pub(in crate::client) fn cause(&self) -> Cause {
        use AlertDescription as Alert;
        match self {
            Self::Eof | Self::Io(_) => Cause::Connect,
            Self::Handshake(
                rustls::Error::InvalidCertificate(_)
                | rustls::Error::NoCertificatesPresented
                | rustls::Error::InconsistentKeys(_)
                | rustls::Error::AlertReceived(
                    Alert::BadCertificate
                    | Alert::UnsupportedCertificate
                    | Alert::CertificateRevoked
                    | Alert::CertificateExpired
                    | Alert::CertificateUnknown
                    | Alert::CertificateRequired
                    | Alert::UnknownCA
                    | Alert::AccessDenied,
                ),
            ) => Cause::Certificate,
            Self::Handshake(_) => Cause::Tls,
        }
    }
}

impl TlsError {
    /// Whether this client refused the server's certificate.
    pub(in crate::client) fn is_of_server_certificate(&self) -> bool {
        use rustls::Error::{InvalidCertificate, NoCertificatesPresented};
        matches!(self, Self::Handshake(InvalidCertificate(_) | NoCertificatesPresented))
    }
}

/// Errors with a remedy have their own texts. The others are defects of one side, and have rustls' texts.
fn handshake(error: &rustls::Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match error {
        rustls::Error::InvalidCertificate(error) => certificate(error, f),
        rustls::Error::AlertReceived(alert) => received(*alert, f),
        rustls::Error::PeerIncompatible(cause) => incompatible(cause, f),
        rustls::Error::InvalidMessage(
            InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge,
        ) => f.write_str(
            "the server's answer is not TLS; it may use ws or HTTP on this port, and TLS on another port",
        ),
        rustls::Error::InvalidMessage(
            InvalidMessage::CertificatePayloadTooLarge | InvalidMessage::HandshakePayloadTooLarge,
        ) => f.write_str("a message of the server, such as its chain of certificates, is over 64 KiB"),
        rustls::Error::InvalidMessage(cause) => {
            write!(f, "the server sent malformed TLS data: {}", Words(cause))
        }
        rustls::Error::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedApplicationProtocol) => f.write_str(
            "the server chose a protocol by ALPN that was not offered, such as h2; WebSocket needs HTTP/1.1 there",
        ),
        rustls::Error::PeerMisbehaved(
            PeerMisbehaved::AttemptedDowngradeToTls12WhenTls13IsSupported,
        ) => f.write_str("something on the path to the server forces an older version of TLS (RFC 8446 4.1.3)"),
        rustls::Error::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedCipherSuite) => {
            f.write_str("the server chose a cipher suite that was not offered")
        }
        rustls::Error::PeerMisbehaved(cause) => {
            write!(f, "the server violated the TLS protocol: {}", Words(cause))
        }
        rustls::Error::InappropriateMessage { .. } | rustls::Error::InappropriateHandshakeMessage { .. } => {
            f.write_str("the server sent a TLS message out of order")
        }
        rustls::Error::PeerSentOversizedRecord => f.write_str("the server sent a record that is longer than TLS allows"),
        rustls::Error::NoCertificatesPresented => f.write_str("the server sent no certificate"),
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            f.write_str("the key does not belong to the certificate")
        }
        rustls::Error::FailedToGetCurrentTime => {
            f.write_str("this device's clock is before 1970; no certificate can be valid")
        }
        rustls::Error::FailedToGetRandomBytes => f.write_str("the system provided no random numbers"),
        rustls::Error::DecryptError => f.write_str("a TLS record was changed on its way, or encrypted incorrectly"),
        // The error of the handshake itself.
        rustls::Error::General(text) => f.write_str(text),
        // `non_exhaustive`. A client never meets the remaining ones.
        other => write!(f, "TLS failed: {}", Words(other)),
    }
}

fn certificate(error: &CertificateError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const SUBJECT: &str = "the server's certificate";
    const UNVERIFIED: &str = "skipServerCertVerification with a pin of certificatePinning takes it as it is";
    match error {
        CertificateError::BadEncoding => write!(f, "{SUBJECT} is malformed"),
        CertificateError::Expired => write!(f, "{SUBJECT} has expired"),
        CertificateError::ExpiredContext { time, not_after } => write!(
            f,
            "{SUBJECT}, or one of its chain, expired on {}; this device's clock says {}",
            Date(*not_after),
            Date(*time)
        ),
        CertificateError::NotValidYet => write!(f, "{SUBJECT} is not valid yet"),
        CertificateError::NotValidYetContext { time, not_before } => write!(
            f,
            "{SUBJECT}, or one of its chain, is not valid before {}; this device's clock says {}",
            Date(*not_before),
            Date(*time)
        ),
        CertificateError::Revoked => write!(f, "{SUBJECT} is revoked"),
        CertificateError::UnhandledCriticalExtension => unknown_extension(f),
        CertificateError::UnknownIssuer => {
            fmt::Display::fmt(&CertificateRefusal::UnknownIssuer { issuer: None, users_left_out: false }, f)
        }
        CertificateError::UnknownRevocationStatus
        | CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. } => {
            write!(f, "it is not known whether {SUBJECT} is revoked")
        }
        CertificateError::BadSignature => {
            write!(f, "a signature in the chain of {SUBJECT}, or that of the handshake, is wrong")
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { signature_algorithm_id, .. } => write!(
            f,
            "{SUBJECT}, or one of its chain, is signed by {}, which is not accepted; {UNVERIFIED}",
            der::signature_name(signature_algorithm_id)
        ),
        CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            signature_algorithm_id,
            public_key_algorithm_id,
        } => write!(
            f,
            "{SUBJECT}, or one of its chain, is signed by {} with a key of {}, which is not accepted; {UNVERIFIED}",
            der::signature_name(signature_algorithm_id),
            der::key_name(public_key_algorithm_id)
        ),
        CertificateError::NotValidForName => write!(f, "{SUBJECT} is for another host name"),
        CertificateError::NotValidForNameContext { expected, presented } if presented.is_empty() => write!(
            f,
            "{SUBJECT} is not for {}: it has no subjectAltName, and a common name does not count (RFC 9525 2); {UNVERIFIED}",
            name(expected)
        ),
        CertificateError::NotValidForNameContext {
            expected: expected @ ServerName::IpAddress(_),
            presented,
        } if presented.iter().any(|presented| presented == &format!("DnsName(\"{}\")", name(expected))) => {
            let name = name(expected);
            write!(
                f,
                "{SUBJECT} is for a host of the name {name}, not for the address: subjectAltName must say IP:{name}, not \
                 DNS:{name}"
            )
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            write!(
                f,
                "{SUBJECT} is for {}, not for {}; tlsServerName sets another name to verify",
                PresentedNames(presented),
                name(expected)
            )
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            write!(f, "{SUBJECT} is not for servers (extended key usage, RFC 5280 4.2.1.12)")
        }
        CertificateError::InvalidOcspResponse => write!(f, "the OCSP response for {SUBJECT} is invalid"),
        CertificateError::ApplicationVerificationFailure => write!(f, "{SUBJECT} is refused"),
        CertificateError::Other(other) => match other.0.downcast_ref() {
            Some(webpki::Error::CaUsedAsEndEntity) => write!(
                f,
                "{SUBJECT} is a certificate of an authority (CA:TRUE); issue one with basicConstraints=CA:FALSE, or set caPath \
                 to this one"
            ),
            Some(webpki::Error::EndEntityUsedAsCa) => {
                write!(f, "the chain of {SUBJECT} has an issuer that is not an authority (CA:FALSE)")
            }
            Some(webpki::Error::UnsupportedCertVersion) => {
                write!(
                    f,
                    "{SUBJECT}, or one of its chain, is not of X.509 version 3, as one with a subjectAltName is; {UNVERIFIED}"
                )
            }
            Some(webpki::Error::NameConstraintViolation) => {
                write!(
                    f,
                    "an authority in the chain of {SUBJECT} may not issue for its names (RFC 5280 4.2.1.10)"
                )
            }
            Some(webpki::Error::PathLenConstraintViolated) => {
                write!(
                    f,
                    "the chain of {SUBJECT} is longer than one of its authorities allows (RFC 5280 4.2.1.9)"
                )
            }
            Some(webpki::Error::UnsupportedCriticalExtension) => unknown_extension(f),
            Some(other) => write!(f, "{SUBJECT}, or one of its chain, is not acceptable: {}", Words(other)),
            None => match other.0.downcast_ref::<CertificateRefusal>() {
                Some(refusal) => fmt::Display::fmt(refusal, f),
                None => write!(f, "{SUBJECT} is not acceptable: {}", other.0),
            },
        },
        // `non_exhaustive`.
        other => write!(f, "{SUBJECT} is not acceptable: {}", Words(other)),
    }
}

/// RFC 8446 section 6.2, and RFC 5246 section 7.2.2.
fn received(alert: AlertDescription, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let meaning = match alert {
        AlertDescription::ProtocolVersion => {
            "the server supports no version of TLS that is allowed here: 1.3, and 1.2 unless the options ask for 1.3"
        }
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "the server found no common cipher suite, group or signature algorithm. It may have only a key on P-521 or for \
             RSA-PSS, or only CBC, RSA key exchange or DHE with TLS 1.2. Or it requires a client certificate and got none that \
             it accepts. TLS 1.3 works, and ECDHE with AES-GCM and a key on P-256 or of RSA"
        }
        AlertDescription::CertificateRequired | AlertDescription::NoCertificate => {
            "the server requires a client certificate, but the options have none"
        }
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::DecryptError
        | AlertDescription::AccessDenied => "the server refused the client certificate",
        AlertDescription::UnrecognisedName => {
            "the server does not serve this host name (SNI); set another with tlsServerName"
        }
        AlertDescription::NoApplicationProtocol => {
            "the server accepts none of the protocols offered by ALPN; set others with alpnProtocols"
        }
        // Defects of one side.
        _ => "the server ended the handshake",
    };
    write!(f, "{meaning} (alert {alert:?})")
}

fn incompatible(cause: &PeerIncompatible, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match cause {
        PeerIncompatible::ServerDoesNotSupportTls12Or13 => {
            f.write_str("the server supports neither TLS 1.2 nor 1.3, and older versions are not safe")
        }
        PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => {
            f.write_str("the server supports TLS 1.2 only, but the options require 1.3")
        }
        // `non_exhaustive`. The others concern cipher suites and groups.
        other => write!(f, "the server does not support what is needed: {}", Words(other)),
    }
}

fn unknown_extension(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str(
        "the server's certificate, or one of its chain, has an unknown critical extension (RFC 5280 4.2)",
    )
}

/// A variant's name as words: `NoKxGroupsInCommon` becomes "no kx groups in common". These are defects of one side,
/// without a remedy. What the variant holds is left out: with `-Zfmt-debug=shallow` its text lacks it.
struct Words<'a>(&'a dyn fmt::Debug);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variant = format!("{:?}", self.0);
        let mut was_lower = false;
        for c in variant.chars().take_while(char::is_ascii_alphanumeric) {
            if c.is_ascii_uppercase() && was_lower {
                f.write_str(" ")?;
            }
            was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
            write!(f, "{}", c.to_ascii_lowercase())?;
        }
        Ok(())
    }
}

fn name(name: &ServerName<'_>) -> String {
    name.to_str().into_owned()
}

/// The names in a certificate, which webpki writes as `DnsName("a")`. They are the peer's words, so only some are
/// shown.
struct PresentedNames<'a>(&'a [String]);

impl fmt::Display for PresentedNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES_MAX: usize = 5;
        const NAME_CHARS_MAX: usize = 253;
        for (at, presented) in self.0.iter().take(NAMES_MAX).enumerate() {
            let inside = presented.split_once('(').and_then(|(_, inside)| inside.strip_suffix(')'));
            let name = inside.unwrap_or(presented).trim_matches('"');
            f.write_str(if at == 0 { "" } else { ", " })?;
            f.write_str(name.get(..NAME_CHARS_MAX).unwrap_or(name))?;
        }
        match self.0.len().saturating_sub(NAMES_MAX) {
            0 => Ok(()),
            more => write!(f, " and {more} others"),
        }
    }
}

/// A time as a date in the Gregorian calendar.
struct Date(UnixTime);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY_SECS: u64 = 86_400;
        const ERA_DAYS: u64 = 146_097;
        let secs = self.0.as_secs();
        // Counts eras of 400 years that begin on March 1. A leap day is then the last of its year.
        let days = secs / DAY_SECS + 719_468;
        let (era, day) = (days / ERA_DAYS, days % ERA_DAYS);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year + u64::from(month <= 2);
        let (hour, minute, second) = (secs % DAY_SECS / 3_600, secs % 3_600 / 60, secs % 60);
        write!(f, "{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_dates() {
        let date = |secs| Date(UnixTime::since_unix_epoch(std::time::Duration::from_secs(secs))).to_string();
        assert_eq!(date(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(date(951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(date(951_868_799), "2000-02-29 23:59:59 UTC");
        assert_eq!(date(4_107_542_400), "2100-03-01 00:00:00 UTC");
        assert_eq!(date(1_767_323_045), "2026-01-02 03:04:05 UTC");
    }

    #[test]
    fn describes_errors_of_rustls_in_words() {
        assert_eq!(Words(&PeerIncompatible::NoKxGroupsInCommon).to_string(), "no kx groups in common");
        assert_eq!(Words(&InvalidMessage::MissingData("u8")).to_string(), "missing data");
    }

    #[test]
    fn lists_a_few_names_of_a_certificate() {
        let presented = |names: &[&str]| {
            PresentedNames(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).to_string()
        };
        assert_eq!(presented(&["DnsName(\"a.example\")", "IpAddress(127.0.0.1)"]), "a.example, 127.0.0.1");
        assert!(presented(&["DnsName(\"a\")"; 8]).ends_with("a and 3 others"));
    }
}
