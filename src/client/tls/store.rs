//! The authorities in the system's files and folders.
//!
//! Files and certificates lie in two pieces of memory, which go away as a whole. So the parts of the certificates that
//! stay, for the verification of chains, have no gaps between them.

use std::collections::HashSet;
use std::env;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

use super::error::{Shown, TrustError};
use super::pem::split_at;
use crate::client::rfc4648::append_digits;
use crate::shortage::is_shortage;

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";
/// More than the certificates of a system take. What is not used of it costs nothing.
const STORE_BYTES: usize = 524_288;

/// The certificates that were found.
pub(super) struct Store {
    /// The last file.
    file: Vec<u8>,
    certificates: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
    /// The first fault of a file or folder.
    pub(super) fault: Option<String>,
    /// The files that were read, by device and number.
    seen: HashSet<(u64, u64)>,
}

/// An error of a file or folder.
pub(super) fn unreadable(path: &Path, cause: &io::Error) -> TrustError {
    TrustError { path: None, cause: format!("{}: {cause}", Shown(path)), is_shortage: is_shortage(cause) }
}

/// Each function fails only for lack of descriptors or memory: a store is cached, but the lack is temporary.
impl Store {
    pub(super) fn empty() -> Self {
        let room = || Vec::with_capacity(STORE_BYTES);
        Self { file: room(), certificates: room(), ends: Vec::new(), fault: None, seen: HashSet::new() }
    }

    /// The authorities, each once, and the number of certificates that are malformed or of no authority.
    pub(super) fn roots(&self) -> (RootCertStore, usize) {
        let begins = [0].iter().chain(&self.ends);
        let mut found: Vec<_> =
            begins.zip(&self.ends).map(|(begin, end)| &self.certificates[*begin..*end]).collect();
        // A folder may hold the certificates of a file a second time.
        found.sort_unstable();
        found.dedup();
        let mut roots = RootCertStore { roots: Vec::with_capacity(found.len()) };
        let (_, unusable) = roots.add_parsable_certificates(found.into_iter().map(CertificateDer::from));
        (roots, unusable)
    }

    /// Adds the store that the environment names, or else the one at its usual place.
    pub(super) fn add_system(&mut self) -> Result<(), TrustError> {
        let mut file = env::var_os("SSL_CERT_FILE").map(PathBuf::from);
        let mut folders: Vec<_> =
            env::var_os("SSL_CERT_DIR").map(|paths| env::split_paths(&paths).collect()).unwrap_or_default();
        folders.retain(|path| !path.as_os_str().is_empty());
        if file.is_none() && folders.is_empty() {
            let usual = openssl_probe::probe();
            (file, folders) = (usual.cert_file, usual.cert_dir);
        }
        if let Some(file) = file {
            if let Ok(metadata) = fs::metadata(&file) {
                self.is_new(&metadata);
            }
            self.add_file(&file)?;
        }
        folders.iter().try_for_each(|folder| self.add_folder(folder))
    }

    /// Adds the certificates in the files of a folder. It may contain other files, and links without a target.
    pub(super) fn add_folder(&mut self, folder: &Path) -> Result<(), TrustError> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(cause) => return self.skip(folder, &cause),
        };
        for entry in entries {
            let path = match entry {
                Ok(entry) => entry.path(),
                Err(cause) => {
                    self.skip(folder, &cause)?;
                    continue;
                }
            };
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() && self.is_new(&metadata) => self.add_file(&path)?,
                Ok(_) => {}
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
                Err(cause) => self.skip(&path, &cause)?,
            }
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Path) -> Result<(), TrustError> {
        self.file.clear();
        if let Err(cause) = File::open(path).and_then(|mut file| file.read_to_end(&mut self.file)) {
            return self.skip(path, &cause);
        }
        let mut rest = self.file.as_slice();
        let mut is_damaged = false;
        while let Some((before, begun)) = split_at(rest, BEGIN) {
            // Whoever puts a sign before the line takes the certificate out.
            if before.last().is_some_and(|byte| !b"\r\n".contains(byte)) {
                rest = begun;
                continue;
            }
            let known = self.certificates.len();
            let whole = split_at(begun, END);
            rest = whole.map_or(begun, |(_, behind)| behind);
            if whole.is_some_and(|(text, _)| append_base64(text, &mut self.certificates)) {
                self.ends.push(self.certificates.len());
            } else {
                self.certificates.truncate(known);
                is_damaged = true;
            }
        }
        if is_damaged {
            // The text has no byte of the file.
            self.fault.get_or_insert_with(|| "a file of it is damaged".to_owned());
        }
        Ok(())
    }

    /// Whether the file is read for the first time. `openssl rehash` makes links to the same files.
    fn is_new(&mut self, file: &Metadata) -> bool {
        self.seen.insert((file.dev(), file.ino()))
    }

    fn skip(&mut self, path: &Path, cause: &io::Error) -> Result<(), TrustError> {
        let error = unreadable(path, cause);
        if error.is_shortage {
            return Err(error);
        }
        self.fault.get_or_insert(error.cause);
        Ok(())
    }
}

/// Decodes base64 with white space between its digits. Returns false if it has other characters.
fn append_base64(text: &[u8], bytes: &mut Vec<u8>) -> bool {
    let digits = text.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != b'=');
    append_digits(digits.copied(), bytes).is_some()
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_other_characters() {
        for text in ["YQ-=", "Y.Q=", r"YQ\n"] {
            assert!(!append_base64(text.as_bytes(), &mut Vec::new()), "{text:?}");
        }
    }

    #[test]
    fn leaves_out_what_has_a_sign_before_it() {
        let path = env::temp_dir().join(format!("net_websocket-store-{}.pem", std::process::id()));
        let text = "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n";
        fs::write(&path, format!("{text}#{text}# {text}{text}")).expect("written");
        let mut store = Store::empty();
        store.add_file(&path).expect("no shortage");
        assert_eq!(
            (store.certificates.as_slice(), store.ends.len(), store.fault),
            (b"aa".as_slice(), 2, None)
        );
        fs::remove_file(&path).expect("there");
    }

    proptest! {
        #[test]
        fn decodes_what_others_encode(bytes: Vec<u8>) {
            let mut text = BASE64.encode(&bytes);
            text.insert(text.len() / 2, '\n');
            let mut decoded = vec![1];
            prop_assert!(append_base64(text.as_bytes(), &mut decoded));
            prop_assert_eq!(&decoded[1..], &bytes[..]);
        }
    }
}
