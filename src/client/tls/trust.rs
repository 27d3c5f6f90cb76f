//! The trusted authorities: the system's store with the users' authorities, an application's file or folder, or both.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use super::app_config;
use super::der::{self, FileKind};
use super::error::{Shown, TrustError, unreadable, unusable};
use super::file;
use super::options::TlsOptions;
use super::pem::{self, PemError};
use super::store::{self, Store};
use super::verify::{TrustAnchors, sha256};
use crate::platform;

/// OpenHarmony's folder of the authorities that users install. It has a folder for each user.
const USER_AUTHORITIES: &str = "/data/certificates/user_cacerts";
/// The folder in it for all users. The device's owner installs these authorities.
const ALL_USERS: u32 = 0;

/// The authorities that the options name, and those in the app's `declared` folders.
pub(super) fn trusted(options: &TlsOptions, declared: &[PathBuf]) -> Result<TrustAnchors, TrustError> {
    let mut trusted = match &options.ca_path {
        None => system(options)?,
        Some(path) => named(options, path)?,
    };
    for path in declared {
        // As on the platform, a missing folder adds no authority, and the log reports it.
        match folder(path) {
            Ok(certificates) => {
                Arc::make_mut(&mut trusted.roots).add_parsable_certificates(certificates);
            }
            Err(cause) if cause.is_shortage => return Err(cause),
            Err(cause) => {
                crate::logging::warn(format_args!("a trust anchor of network_config.json: {cause}"))
            }
        }
    }
    Ok(trusted)
}

/// The time of the last change of each folder with users' authorities, as far as it matters.
pub(super) fn user_stamps(options: &TlsOptions) -> Result<Vec<Option<SystemTime>>, TrustError> {
    let own_alone = options.ca_path.is_some() && !options.ca_path_adds_to_system;
    if own_alone || options.skip_server_verification {
        return Ok(Vec::new());
    }
    let UserAuthorities { trusted, left_out } = UserAuthorities::of(options.trust_user_authorities)?;
    let changed = |folder: &PathBuf| fs::metadata(folder).ok()?.modified().ok();
    Ok(trusted.iter().chain(&left_out).map(changed).collect())
}

/// The authorities in an application's file or folder, and possibly those of the system.
fn named(options: &TlsOptions, path: &Path) -> Result<TrustAnchors, TrustError> {
    let certificates = if path.is_dir() { folder(path)? } else { certificates(path)? };
    let named = certificates.iter().map(|certificate| sha256(certificate)).collect();
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(|_| {
            unusable(path, "one of its certificates is malformed, or not a usable authority".to_owned())
        })?;
    }
    let mut users_left_out = false;
    if options.ca_path_adds_to_system {
        match system(options) {
            Ok(system) => {
                roots.extend(Arc::unwrap_or_clone(system.roots).roots);
                users_left_out = system.users_left_out;
            }
            // The result is cached, and the shortage is temporary.
            Err(cause) if cause.is_shortage => return Err(cause),
            Err(cause) => crate::logging::warn(format_args!("{cause}; only those of caPath are trusted")),
        }
    }
    Ok(TrustAnchors { roots: Arc::new(roots), named, users_left_out })
}

/// The system's store. An empty store is an error, because nothing could be verified with it.
fn system(options: &TlsOptions) -> Result<TrustAnchors, TrustError> {
    let mut store = Store::empty();
    store.add_system()?;
    let fault = store.fault.take();
    let users = UserAuthorities::of(options.trust_user_authorities)?;
    // The app may have no access. It then trusts only the system's authorities.
    users.trusted.iter().try_for_each(|folder| store.add_folder(folder))?;
    let (roots, unusable) = store.roots();
    drop(store);
    crate::logging::debug(format_args!(
        "trust store: {} authorities, {unusable} unusable entries",
        roots.len()
    ));
    if roots.is_empty() {
        let cause = fault.unwrap_or_else(|| "it contains no certificate".to_owned());
        return Err(TrustError { path: None, cause, is_shortage: false });
    }
    Ok(TrustAnchors { roots: Arc::new(roots), named: Vec::new(), users_left_out: users.leaves_some_out() })
}

/// The folders of the authorities that users have installed.
struct UserAuthorities {
    trusted: Vec<PathBuf>,
    left_out: Vec<PathBuf>,
}

impl UserAuthorities {
    fn of(choice: Option<bool>) -> Result<Self, TrustError> {
        let Some(base) = platform::device_path(USER_AUTHORITIES) else {
            return Ok(Self { trusted: Vec::new(), left_out: Vec::new() });
        };
        let current = platform::current_user();
        let trusts_current = match choice {
            Some(trusts) => trusts,
            None => {
                app_config::trusts_user_authorities().map_err(|cause| store::unreadable(&base, &cause))?
            }
        };
        // User 0 has no separate entry. Like the platform's WebSocket, a process of user 0 uses that folder as its own.
        let trusts = |user| choice.unwrap_or(user == current && trusts_current);
        let mut users = vec![ALL_USERS, current];
        users.dedup();
        let (trusted, left_out): (Vec<_>, Vec<_>) = users.into_iter().partition(|user| trusts(*user));
        let folders = |users: Vec<u32>| users.iter().map(|user| base.join(user.to_string())).collect();
        Ok(Self { trusted: folders(trusted), left_out: folders(left_out) })
    }

    fn leaves_some_out(&self) -> bool {
        let holds_files =
            |folder: &PathBuf| fs::read_dir(folder).is_ok_and(|mut files| files.next().is_some());
        self.left_out.iter().any(holds_files)
    }
}

/// Why a file contains no certificates. The text has no byte of the file.
enum CertificatesError {
    /// What the file contains instead.
    None(&'static str),
    /// OpenSSL's form with trust: a certificate, and the purposes for which it is trusted or not.
    Trusted,
    Pkcs12,
    Pkcs7,
    Pem(PemError),
}

impl fmt::Display for CertificatesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None("") => f.write_str("it contains no certificate in PEM or DER"),
            Self::None(instead) => write!(f, "it contains {instead}, but no certificate"),
            Self::Trusted => f.write_str(
                "it contains a TRUSTED CERTIFICATE, whose rules for trust are not supported; `openssl x509` converts it to a \
                 plain one",
            ),
            Self::Pkcs12 => f.write_str("it contains PKCS#12; `openssl pkcs12 -nokeys` extracts the certificates"),
            Self::Pkcs7 => f.write_str("it contains PKCS#7; `openssl pkcs7 -print_certs` extracts the certificates"),
            Self::Pem(error) => fmt::Display::fmt(error, f),
        }
    }
}

/// The certificates in a file, at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    // It may contain a key, named by mistake.
    let file = file::read(path).map_err(|cause| unreadable(path, &cause))?;
    certificates_in(&file).map_err(|cause| unusable(path, cause.to_string()))
}

fn certificates_in(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificatesError> {
    match der::file_kind(file) {
        Some(FileKind::Certificate) => return Ok(vec![CertificateDer::from(file.to_vec())]),
        Some(FileKind::PrivateKey | FileKind::EncryptedPrivateKey) => {
            return Err(CertificatesError::None("a private key"));
        }
        Some(FileKind::Pkcs12) => return Err(CertificatesError::Pkcs12),
        Some(FileKind::Pkcs7) => return Err(CertificatesError::Pkcs7),
        None => {}
    }
    let mut found = Vec::new();
    let mut error = CertificatesError::None("");
    for section in pem::sections(file) {
        let section = section.map_err(CertificatesError::Pem)?;
        match section.label {
            b"CERTIFICATE" | b"X509 CERTIFICATE" => {
                let certificate = section.decode().map_err(CertificatesError::Pem)?;
                found.push(CertificateDer::from(certificate.to_vec()));
            }
            // An omitted certificate would not be trusted, without a visible reason.
            b"TRUSTED CERTIFICATE" => return Err(CertificatesError::Trusted),
            b"PKCS7" | b"CMS" => error = CertificatesError::Pkcs7,
            b"CERTIFICATE REQUEST" | b"NEW CERTIFICATE REQUEST" => {
                error = CertificatesError::None("a request for a certificate");
            }
            key if key.ends_with(b"PRIVATE KEY") => error = CertificatesError::None("a private key"),
            _ => {}
        }
    }
    if found.is_empty() { Err(error) } else { Ok(found) }
}

/// The certificates in the files of a folder, at least one. The folder may contain other files, and links without a
/// target.
fn folder(path: &Path) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(|cause| unreadable(path, &cause))? {
        let file = entry.map_err(|cause| unreadable(path, &cause))?.path();
        match fs::metadata(&file) {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => continue,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => continue,
            Err(cause) => return Err(unreadable(&file, &cause)),
        }
        let bytes = file::read(&file).map_err(|cause| unreadable(&file, &cause))?;
        match certificates_in(&bytes) {
            Ok(certificates) => found.extend(certificates),
            Err(CertificatesError::Pem(error)) => return Err(unusable(&file, error.to_string())),
            Err(CertificatesError::None(_)) => {}
            Err(other) => crate::logging::warn(format_args!("{} is left out: {other}", Shown(&file))),
        }
    }
    if found.is_empty() {
        return Err(unusable(path, "no file in the folder holds a certificate".to_owned()));
    }
    // `openssl rehash` makes links to the same files.
    found.sort_unstable_by(|one, other| one.as_ref().cmp(other.as_ref()));
    found.dedup();
    Ok(found)
}
