//! Whom to trust: the store of the system, the authorities in an application's file or folder, or both.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::error::{TrustError, unusable};
use super::options::TlsOptions;
use super::verify::{TrustAnchors, sha256};

/// What the options name.
pub(super) fn trusted(options: &TlsOptions) -> Result<TrustAnchors, TrustError> {
    let Some(path) = &options.ca_path else {
        return Ok(TrustAnchors { roots: Arc::new(system_roots()?), named: Vec::new() });
    };
    let certificates = if path.is_dir() { folder(path)? } else { certificates(path)? };
    let named = certificates.iter().map(|certificate| sha256(certificate)).collect();
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(|cause| unusable(path, format!("not a usable authority: {cause}")))?;
    }
    if options.ca_path_adds_to_system {
        match system_roots() {
            Ok(system) => roots.extend(system.roots),
            Err(cause) => crate::logging::warn(format_args!("{cause}; only those of caPath are trusted")),
        }
    }
    Ok(TrustAnchors { roots: Arc::new(roots), named })
}

/// The store of the system; an empty one is an error, since nothing could be verified against it.
fn system_roots() -> Result<RootCertStore, TrustError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, unusable) =
        roots.add_parsable_certificates(found.certs.into_iter().chain(user_authorities()));
    crate::logging::debug(format_args!("trust store: {usable} authorities, {unusable} unusable entries"));
    if roots.is_empty() {
        let cause = found.errors.first().map_or("it holds no certificate".to_owned(), ToString::to_string);
        return Err(TrustError { path: None, cause });
    }
    Ok(roots)
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

/// The certificates in a PEM file, one at least.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    /// How a certificate in DER begins: a SEQUENCE whose length has two bytes.
    const DER: [u8; 2] = [0x30, 0x82];
    let bytes = fs::read(path).map_err(|cause| unusable(path, cause.to_string()))?;
    if bytes.starts_with(&DER) {
        let cause = "it is DER, not PEM; `openssl x509 -inform der` converts it";
        return Err(unusable(path, cause.to_owned()));
    }
    let found: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|cause| unusable(path, cause.to_string()))?;
    if found.is_empty() {
        return Err(unusable(path, "it holds no PEM certificate".to_owned()));
    }
    Ok(found)
}

/// The certificates in the PEM files of a folder, one at least. Other files may lie there.
fn folder(path: &Path) -> Result<Vec<CertificateDer<'static>>, TrustError> {
    let found = rustls_native_certs::load_certs_from_paths(None, Some(path));
    match found.errors.first() {
        Some(cause) => Err(unusable(path, cause.to_string())),
        None if found.certs.is_empty() => {
            Err(unusable(path, "no file in the folder holds a PEM certificate".to_owned()))
        }
        None => Ok(found.certs),
    }
}
