//! The TLS options of an application.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustls::pki_types::ServerName;
use zeroize::Zeroizing;

use crate::client::rfc4648::from_base64;

/// The length of a SHA-256 digest.
pub(super) const DIGEST_BYTES: usize = 32;

/// How to speak TLS.
#[derive(Clone, Debug, Default)]
pub struct TlsOptions {
    /// The authorities to trust instead of the system's: a file (PEM or DER) or a folder.
    pub ca_path: Option<PathBuf>,
    /// Trust the system's authorities as well as `ca_path`. Default no.
    pub ca_path_adds_to_system: bool,
    /// Trust the authorities that users of the device have installed, for one user or for all. By default the current
    /// user's are trusted, unless the app's `network_config.json` forbids it, and those for all users are not.
    pub trust_user_authorities: Option<bool>,
    /// Which other members of the app's `network_config.json` apply. Default none, as with the platform's WebSocket.
    pub network_security_config: NetworkSecurityConfig,
    /// Accept any certificate for any name. Anyone on the network path can then read and change everything. Given
    /// `pins` still apply, to the server's own key.
    pub skip_server_verification: bool,
    /// The server's chain must contain one of these public keys. Empty means no such demand. Expired pins are ignored.
    /// If all have expired, a verified chain suffices.
    pub pins: Vec<Pin>,
    /// The certificate for a server that requires one.
    pub client_certificate: Option<ClientCertificate>,
    /// Use TLS 1.3 only. Default: 1.2 as well.
    pub tls13_only: bool,
    /// The protocols to offer by ALPN. Default: `http/1.1`.
    pub alpn: AlpnProtocols,
    /// The name to request (SNI) and to verify, instead of the URL's host.
    pub server_name: Option<TlsServerName>,
}

impl TlsOptions {
    /// The files and folders that these options name.
    pub(in crate::client) fn files(&self) -> impl Iterator<Item = &Path> {
        let own = self.client_certificate.iter().flat_map(|own| [&own.certificate, &own.key]);
        let authorities = self.ca_path.iter().filter(|_| !self.skip_server_verification);
        authorities.chain(own).map(PathBuf::as_path)
    }
}

/// How much of an app's `network_config.json` applies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NetworkSecurityConfig {
    /// As with the platform's WebSocket: only `trust-current-user-ca`.
    #[default]
    Platform,
    /// As with the platform's http module: also pins, trust anchors and the ban of clear text. If the system cannot
    /// report a rule, the attempt fails.
    Strict,
}

/// The rules of an app's `network_config.json` for one host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct DeclaredTrust {
    /// The server's chain must contain one of these public keys. Empty means no such demand.
    pub pins: Vec<Pin>,
    /// Additional folders of authorities.
    pub anchors: Vec<PathBuf>,
}

/// Files of a client: its certificate followed by those of the issuers, and its key (PKCS#8, SEC1 or PKCS#1). PEM or
/// DER.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// The certificates.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
    /// The key's password.
    pub password: Option<Password>,
}

pub(super) const HTTP_1_1: &[u8] = b"http/1.1";

/// Protocols to offer by ALPN (RFC 7301), preferred first. Without any, the extension is left out. Default: `http/1.1`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AlpnProtocols(Option<Vec<Vec<u8>>>);

impl AlpnProtocols {
    /// Names of 1 to 255 bytes, each once. A version of HTTP that cannot upgrade to WebSocket is refused.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, &'static str> {
        let mut protocols = Vec::new();
        for name in names {
            match name {
                "" => return Err("a protocol has no name"),
                "h2" | "h2c" | "h3" => {
                    return Err("this library supports WebSocket over http/1.1, not over h2 or h3");
                }
                long if long.len() > 255 => return Err("a protocol's name is over 255 bytes"),
                twice if protocols.iter().any(|known| known == twice.as_bytes()) => {
                    return Err("a protocol is named twice");
                }
                name => protocols.push(name.as_bytes().to_vec()),
            }
        }
        Ok(Self(Some(protocols)))
    }

    /// The names.
    pub(super) fn names(&self) -> Vec<Vec<u8>> {
        self.0.clone().unwrap_or_else(|| vec![HTTP_1_1.to_vec()])
    }
}

/// A host name or an IP address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsServerName(pub(super) ServerName<'static>);

impl TlsServerName {
    /// A host name, or an IP address as in RFC 5952, without brackets.
    pub fn parse(name: &str) -> Option<Self> {
        ServerName::try_from(name.to_owned()).ok().map(Self)
    }
}

/// The password of a private key. It is never shown, and its drop wipes it from memory.
#[derive(Clone)]
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// A password as the application passed it.
    pub fn new(password: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(password.into()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

/// The SHA-256 digest of a public key (SubjectPublicKeyInfo) that must be in a server's chain, as in RFC 7469.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pin {
    pub(super) digest: [u8; DIGEST_BYTES],
    /// Since 1970.
    pub(super) expires: Option<Duration>,
}

/// The text is not 32 bytes in base64, with or without `sha256//` before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinError;

impl fmt::Display for PinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a SHA-256 digest in base64, with or without `sha256//` before it")
    }
}

impl Pin {
    /// A digest in base64, and the time when the pin expires, if it does. curl's prefix `sha256//` is allowed.
    pub fn parse(text: &str, expires: Option<SystemTime>) -> Result<Self, PinError> {
        let text = text.strip_prefix("sha256//").unwrap_or(text);
        let bytes = from_base64(text).ok_or(PinError)?;
        let digest = bytes.try_into().map_err(|_| PinError)?;
        let expires = expires.map(|at| at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default());
        Ok(Self { digest, expires })
    }
}

impl std::error::Error for PinError {}
