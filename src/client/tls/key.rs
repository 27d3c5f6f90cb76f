//! Private keys from files, PEM or DER, and their passwords. Encrypted forms are PKCS#8 with PBES2 (RFC 8018) and
//! OpenSSL's older form, which has headers (RFC 1421 section 4.6).

use std::fmt;
use std::num::NonZeroU32;
use std::path::Path;

use cbc::cipher::array::Array;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::consts::{U1, U16};
use cbc::cipher::inout::InOut;
use cbc::cipher::{
    Block, BlockCipherDecBackend, BlockCipherDecClosure, BlockCipherDecrypt, BlockModeDecrypt, BlockSizeUser,
    InnerIvInit, KeyInit, ParBlocksSizeUser,
};
use md5::{Digest, Md5};
use ring::pbkdf2;
use rustls::InconsistentKeys;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use zeroize::Zeroizing;

use super::der::{self, FileKind, Tag, Values};
use super::error::{Shown, TrustError, unreadable, unusable};
use super::file;
use super::options::Password;
use super::pem::{self, PemError, Section};
use crate::client::rfc4648::from_base16;

/// OBJECT IDENTIFIERs of RFC 8018 appendices A and B, without tag and length: 1.2.840.113549.1.5.13 and so on.
const PBES2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d";
const PBKDF2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c";
const DES_EDE3_CBC: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x03\x07";
const HMAC_SHA1: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x02\x07";
const HMAC_SHA256: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x02\x09";
const HMAC_SHA384: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x02\x0a";
const HMAC_SHA512: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x02\x0b";
/// Those of NIST, below 2.16.840.1.101.3.4.1.
const AES_128_CBC: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x01\x02";
const AES_192_CBC: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x01\x16";
const AES_256_CBC: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x01\x2a";

const OTHER_CIPHER: &str = "a cipher other than AES-CBC and DES-EDE3-CBC";

/// Why a file contains no usable key. The text has no byte of the file.
#[derive(Debug, PartialEq, Eq)]
enum KeyError {
    /// What the file contains instead.
    NoKey(&'static str),
    /// The kind of the key, and how to convert it.
    Kind(&'static str),
    Pem(PemError),
    NoPassword,
    WrongPassword,
    Damaged,
    /// The kind of its encryption.
    Unsupported(&'static str),
}

impl From<PemError> for KeyError {
    fn from(error: PemError) -> Self {
        Self::Pem(error)
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoKey("") => f.write_str("it contains no private key in PEM or DER"),
            Self::NoKey(instead) => write!(f, "it contains {instead}, but no private key"),
            Self::Kind(kind) => write!(f, "it contains {kind}"),
            Self::Pem(error) => fmt::Display::fmt(error, f),
            Self::NoPassword => f.write_str("the key is encrypted, but no password is set"),
            Self::WrongPassword => f.write_str("the password of the key is wrong"),
            Self::Damaged => f.write_str("the encrypted key is damaged"),
            Self::Unsupported(method) => write!(
                f,
                "the key is encrypted by {method}, which is not supported; `openssl pkcs8 -topk8 -v2 aes-256-cbc` makes one \
                 that is"
            ),
        }
    }
}

/// The first private key in a file. A password is ignored if the key needs none.
pub(super) fn private_key(
    path: &Path,
    password: Option<&Password>,
) -> Result<PrivateKeyDer<'static>, TrustError> {
    let file = file::read(path).map_err(|cause| unreadable(path, &cause))?;
    let key = match der::file_kind(&file) {
        Some(kind) => key_of_der(&file, kind, password),
        None => key_of_pem(&file, password),
    };
    key.map_err(|cause| unusable(path, cause.to_string()))
}

fn key_of_der(
    file: &[u8],
    kind: FileKind,
    password: Option<&Password>,
) -> Result<PrivateKeyDer<'static>, KeyError> {
    match kind {
        FileKind::PrivateKey => PrivateKeyDer::try_from(file.to_vec()).map_err(|_| KeyError::NoKey("")),
        FileKind::EncryptedPrivateKey => {
            Ok(PrivatePkcs8KeyDer::from(open_pkcs8(file, password)?.to_vec()).into())
        }
        FileKind::Certificate => Err(KeyError::NoKey("a certificate")),
        FileKind::Pkcs12 => Err(KeyError::Kind("PKCS#12; `openssl pkcs12 -nocerts -nodes` extracts the key")),
        FileKind::Pkcs7 => Err(KeyError::NoKey("PKCS#7")),
    }
}

fn key_of_pem(file: &[u8], password: Option<&Password>) -> Result<PrivateKeyDer<'static>, KeyError> {
    let mut error = KeyError::NoKey("");
    for section in pem::sections(file) {
        let section = section?;
        match section.label {
            b"PRIVATE KEY" => return Ok(PrivatePkcs8KeyDer::from(section.decode()?.to_vec()).into()),
            b"ENCRYPTED PRIVATE KEY" => {
                let key = open_pkcs8(&section.decode()?, password)?;
                return Ok(PrivatePkcs8KeyDer::from(key.to_vec()).into());
            }
            b"RSA PRIVATE KEY" => {
                let key = traditional_key(&section, password)?;
                return Ok(PrivatePkcs1KeyDer::from(key.to_vec()).into());
            }
            b"EC PRIVATE KEY" => {
                let key = traditional_key(&section, password)?;
                return Ok(PrivateSec1KeyDer::from(key.to_vec()).into());
            }
            b"OPENSSH PRIVATE KEY" => {
                error = KeyError::Kind("a key in the form of OpenSSH; `ssh-keygen -p -m PKCS8` converts it");
            }
            other if other.ends_with(b"PRIVATE KEY") => {
                error = KeyError::Kind("a private key of a kind that TLS does not use");
            }
            // The error for another kind of key says more.
            _ if matches!(error, KeyError::Kind(_)) => {}
            other if other.ends_with(b"CERTIFICATE") => error = KeyError::NoKey("a certificate"),
            b"PUBLIC KEY" | b"RSA PUBLIC KEY" => error = KeyError::NoKey("a public key"),
            _ => {}
        }
    }
    Err(error)
}

/// A key in OpenSSL's older form. Its headers say whether it is encrypted.
fn traditional_key(
    section: &Section<'_>,
    password: Option<&Password>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    if section.header("Proc-Type").is_some_and(|kind| kind.ends_with(b"ENCRYPTED")) {
        return open_traditional(section, password);
    }
    Ok(section.decode()?)
}

/// Why a certificate and a key cannot be used. The kind of key is given if it is not supported.
pub(super) fn unfit(
    cause: &rustls::Error,
    (certificate, key): (&Path, &Path),
    kind: &'static str,
) -> TrustError {
    match cause {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            unusable(key, format!("it does not belong to the certificate {}", Shown(certificate)))
        }
        rustls::Error::InvalidCertificate(_) => {
            unusable(certificate, "its first certificate is malformed".to_owned())
        }
        _ => unusable(
            key,
            format!("it is {kind}; RSA of 2048 to 4096 bits, P-256, P-384 and Ed25519 can be used"),
        ),
    }
}

/// The kind of a key that TLS here cannot use.
pub(super) fn kind_of_unusable(key: &PrivateKeyDer<'_>) -> &'static str {
    let name = match key {
        PrivateKeyDer::Pkcs8(key) => der::pkcs8_key_name(key.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(_) => Some("RSA"),
        _ => None,
    };
    match name {
        Some("RSA") => "an RSA key that is damaged, or not of 2048 to 4096 bits",
        Some("P-256" | "P-384" | "Ed25519") | None => "damaged, or not a key of a kind that can be used",
        Some("P-521") => "a key on the curve P-521",
        Some("RSA-PSS") => "a key for RSA-PSS only; a plain RSA key can sign with RSA-PSS too",
        Some(_) => "a key of another kind",
    }
}

/// EncryptedPrivateKeyInfo of RFC 5958 section 3, with PBES2 of RFC 8018 section 6.2.
fn open_pkcs8(der: &[u8], password: Option<&Password>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let mut info = der::sequence(der).ok_or(KeyError::Damaged)?;
    let (method, mut methods) = info.algorithm().ok_or(KeyError::Damaged)?;
    let data = info.contents(Tag::OctetString).ok_or(KeyError::Damaged)?;
    if method != PBES2 {
        return Err(KeyError::Unsupported("a method other than PBES2"));
    }
    let mut methods = methods.value().and_then(|value| value.sequence()).ok_or(KeyError::Damaged)?;
    let (derivation, mut derived_by) = methods.algorithm().ok_or(KeyError::Damaged)?;
    let (cipher, mut iv) = methods.algorithm().ok_or(KeyError::Damaged)?;
    if derivation != PBKDF2 {
        return Err(KeyError::Unsupported("a key of another derivation than PBKDF2"));
    }
    let Pbkdf2 { salt, iterations, digest } = Pbkdf2::parse(&mut derived_by).ok_or(KeyError::Damaged)?;
    let iv = iv.contents(Tag::OctetString).ok_or(KeyError::Damaged)?;
    let cipher = match cipher {
        AES_128_CBC => Cipher::Aes128,
        AES_192_CBC => Cipher::Aes192,
        AES_256_CBC => Cipher::Aes256,
        DES_EDE3_CBC => Cipher::TripleDes,
        _ => return Err(KeyError::Unsupported(OTHER_CIPHER)),
    };
    let digest = match digest {
        HMAC_SHA1 => pbkdf2::PBKDF2_HMAC_SHA1,
        HMAC_SHA256 => pbkdf2::PBKDF2_HMAC_SHA256,
        HMAC_SHA384 => pbkdf2::PBKDF2_HMAC_SHA384,
        HMAC_SHA512 => pbkdf2::PBKDF2_HMAC_SHA512,
        _ => {
            return Err(KeyError::Unsupported(
                "a key that PBKDF2 derived by another digest than SHA-1 and SHA-2",
            ));
        }
    };
    let password = password.ok_or(KeyError::NoPassword)?;
    let mut key = Zeroizing::new(vec![0; cipher.key_bytes()]);
    pbkdf2::derive(digest, iterations, salt, password.as_bytes(), &mut key);
    cipher.decrypt(&key, iv, data)
}

/// PBKDF2-params of RFC 8018 appendix A.2.
struct Pbkdf2<'a> {
    salt: &'a [u8],
    iterations: NonZeroU32,
    /// The number of its digest.
    digest: &'a [u8],
}

impl<'a> Pbkdf2<'a> {
    fn parse(parameters: &mut Values<'a>) -> Option<Self> {
        let mut inside = parameters.value()?.sequence()?;
        let salt = inside.contents(Tag::OctetString)?;
        let iterations = inside.value()?.unsigned()?;
        let iterations = match iterations.len() {
            0..=4 => iterations.iter().fold(0, |number, octet| number << 8 | u32::from(*octet)),
            _ => return None,
        };
        let mut next = inside.value();
        // The length of the key, which the cipher has too.
        if next.is_some_and(|value| value.is(Tag::Integer)) {
            next = inside.value();
        }
        let digest = match next {
            None => HMAC_SHA1,
            Some(digest) => digest.sequence()?.contents(Tag::ObjectIdentifier)?,
        };
        Some(Self { salt, iterations: NonZeroU32::new(iterations)?, digest })
    }
}

/// OpenSSL's form of `PEM_write_bio_PrivateKey_traditional`. EVP_BytesToKey derives the key from the password, with
/// MD5. The salt is the beginning of the initialization vector.
fn open_traditional(
    section: &Section<'_>,
    password: Option<&Password>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    const SALT_BYTES: usize = 8;
    let info = section.header("DEK-Info").ok_or(KeyError::Damaged)?;
    let comma = info.iter().position(|byte| *byte == b',').ok_or(KeyError::Damaged)?;
    let (name, iv) = (&info[..comma], &info[comma + 1..]);
    let cipher = match name {
        b"AES-128-CBC" => Cipher::Aes128,
        b"AES-192-CBC" => Cipher::Aes192,
        b"AES-256-CBC" => Cipher::Aes256,
        b"DES-EDE3-CBC" => Cipher::TripleDes,
        _ => return Err(KeyError::Unsupported(OTHER_CIPHER)),
    };
    let iv = from_base16(iv).ok_or(KeyError::Damaged)?;
    let salt = iv.get(..SALT_BYTES).ok_or(KeyError::Damaged)?;
    let password = password.ok_or(KeyError::NoPassword)?;
    let mut key = Zeroizing::new(Vec::new());
    let mut block = Zeroizing::new(Vec::new());
    while key.len() < cipher.key_bytes() {
        let digest = Md5::new().chain_update(&*block).chain_update(password.as_bytes()).chain_update(salt);
        *block = digest.finalize().to_vec();
        key.extend_from_slice(&block);
    }
    cipher.decrypt(&key[..cipher.key_bytes()], &iv, &section.decode()?)
}

#[derive(Clone, Copy)]
enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    TripleDes,
}

impl Cipher {
    fn key_bytes(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 | Self::TripleDes => 24,
            Self::Aes256 => 32,
        }
    }

    /// The plaintext is one SEQUENCE. Other bytes mean a wrong password.
    fn decrypt(self, key: &[u8], iv: &[u8], data: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let mut buffer = Zeroizing::new(data.to_vec());
        let length = match self {
            Self::Aes128 => decrypt_cbc(Aes(&keyed::<aes::Aes128>(key)?), iv, &mut buffer),
            Self::Aes192 => decrypt_cbc(Aes(&keyed::<aes::Aes192>(key)?), iv, &mut buffer),
            Self::Aes256 => decrypt_cbc(Aes(&keyed::<aes::Aes256>(key)?), iv, &mut buffer),
            Self::TripleDes => decrypt_cbc(keyed::<des::TdesEde3>(key)?, iv, &mut buffer),
        }?;
        buffer.truncate(length);
        der::sequence(&buffer).ok_or(KeyError::WrongPassword)?;
        Ok(buffer)
    }
}

fn keyed<C: KeyInit>(key: &[u8]) -> Result<C, KeyError> {
    C::new_from_slice(key).map_err(|_| KeyError::Damaged)
}

/// Decrypts in place. Returns the length of the plaintext.
fn decrypt_cbc<C: BlockCipherDecrypt>(cipher: C, iv: &[u8], buffer: &mut [u8]) -> Result<usize, KeyError> {
    let decryptor = cbc::Decryptor::<C>::inner_iv_slice_init(cipher, iv).map_err(|_| KeyError::Damaged)?;
    let plain = decryptor.decrypt_padded::<Pkcs7>(buffer).map_err(|_| KeyError::WrongPassword)?;
    Ok(plain.len())
}

/// AES with a key of any length, one block at a time. CBC is compiled once for all three, because each copy takes 11
/// kB.
#[derive(Clone, Copy)]
struct Aes<'a>(&'a dyn DecryptBlock);

trait DecryptBlock {
    fn decrypt(&self, block: &mut Array<u8, U16>);
}

impl<C: BlockCipherDecrypt<BlockSize = U16>> DecryptBlock for C {
    fn decrypt(&self, block: &mut Array<u8, U16>) {
        self.decrypt_block(block);
    }
}

impl BlockSizeUser for Aes<'_> {
    type BlockSize = U16;
}

impl BlockCipherDecrypt for Aes<'_> {
    fn decrypt_with_backend(&self, closure: impl BlockCipherDecClosure<BlockSize = U16>) {
        closure.call(self);
    }
}

impl ParBlocksSizeUser for Aes<'_> {
    type ParBlocksSize = U1;
}

impl BlockCipherDecBackend for Aes<'_> {
    fn decrypt_block(&self, mut block: InOut<'_, '_, Block<Self>>) {
        let mut plain = block.clone_in();
        self.0.decrypt(&mut plain);
        *block.get_out() = plain;
    }
}
