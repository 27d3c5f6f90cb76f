//! Private keys from PEM files, and the passwords that protect them: PKCS#8 with PBES2 (RFC 8018) and OpenSSL's older
//! form, which says so in headers (RFC 1421 section 4.6).

use std::fmt;
use std::fs;
use std::num::NonZeroU32;
use std::path::Path;

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockCipherDecrypt, BlockModeDecrypt, KeyInit, KeyIvInit};
use data_encoding::{BASE64, HEXUPPER_PERMISSIVE};
use md5::{Digest, Md5};
use pkcs5::AlgorithmIdentifierRef;
use pkcs5::der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef};
use pkcs5::der::{Decode, Reader};
use pkcs5::pbes2::{self, Kdf, Pbkdf2Prf};
use ring::pbkdf2;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer};
use zeroize::Zeroizing;

use super::error::{TrustError, unusable};
use super::options::Password;

/// RFC 8018 appendix B.2.2. `pkcs5` names it only with a feature that brings in much else.
const DES_EDE3_CBC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.3.7");

/// Why a key stays closed.
#[derive(Debug, PartialEq, Eq)]
enum KeyDecryptError {
    NoPassword,
    WrongPassword,
    Damaged,
    /// By what it is encrypted.
    Unsupported(String),
}

impl fmt::Display for KeyDecryptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPassword => f.write_str("the key is protected by a password, and none was given"),
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

/// The first private key in a PEM file. A password that the key does not need is not looked at.
pub(super) fn private_key(
    path: &Path,
    password: Option<&Password>,
) -> Result<PrivateKeyDer<'static>, TrustError> {
    let bytes = Zeroizing::new(fs::read(path).map_err(|cause| unusable(path, cause.to_string()))?);
    let none = || unusable(path, "it holds no private key in PEM form".to_owned());
    let text = std::str::from_utf8(&bytes).map_err(|_| none())?;
    let section = Section::first(text).ok_or_else(none)?;
    let undecryptable = |cause: KeyDecryptError| unusable(path, cause.to_string());
    if section.label == "ENCRYPTED PRIVATE KEY" {
        let key = section.decode().and_then(|der| open_pkcs8(&der, password)).map_err(undecryptable)?;
        return Ok(PrivatePkcs8KeyDer::from(key.to_vec()).into());
    }
    if section.header("Proc-Type").is_some_and(|kind| kind.ends_with("ENCRYPTED")) {
        let key = open_traditional(&section, password).map_err(undecryptable)?.to_vec();
        return match section.label {
            "RSA PRIVATE KEY" => Ok(PrivatePkcs1KeyDer::from(key).into()),
            "EC PRIVATE KEY" => Ok(PrivateSec1KeyDer::from(key).into()),
            other => Err(unusable(path, format!("{other} is no kind of key that TLS uses"))),
        };
    }
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|cause| match cause {
        pem::Error::NoItemsFound => none(),
        other => unusable(path, other.to_string()),
    })
}

/// A section of a PEM file.
struct Section<'a> {
    label: &'a str,
    headers: Vec<(&'a str, &'a str)>,
    base64: &'a str,
}

impl<'a> Section<'a> {
    /// The first one with a private key.
    fn first(mut text: &'a str) -> Option<Self> {
        loop {
            let (_, rest) = text.split_once("-----BEGIN ")?;
            let (label, rest) = rest.split_once("-----")?;
            let (body, rest) = rest.split_once("-----END ")?;
            text = rest;
            if !label.ends_with("PRIVATE KEY") {
                continue;
            }
            let mut base64 = body.trim_start();
            let mut headers = Vec::new();
            while let Some((line, rest)) = base64.split_once('\n')
                && let Some((name, value)) = line.split_once(':')
            {
                headers.push((name.trim(), value.trim()));
                base64 = rest;
            }
            return Some(Self { label, headers, base64 });
        }
    }

    fn header(&self, wanted: &str) -> Option<&'a str> {
        self.headers.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value)
    }

    /// What is still encrypted, so that it needs no wiping.
    fn decode(&self) -> Result<Vec<u8>, KeyDecryptError> {
        let base64: String = self.base64.split_ascii_whitespace().collect();
        BASE64.decode(base64.as_bytes()).map_err(|_| KeyDecryptError::Damaged)
    }
}

/// EncryptedPrivateKeyInfo of RFC 5958 section 3, with PBES2 of RFC 8018 section 6.2.
fn open_pkcs8(der: &[u8], password: Option<&Password>) -> Result<Zeroizing<Vec<u8>>, KeyDecryptError> {
    let (algorithm, data) = AnyRef::from_der(der)
        .and_then(|info| {
            info.sequence(|info| {
                let algorithm = AlgorithmIdentifierRef::decode(info)?;
                let data: &OctetStringRef = info.decode()?;
                Ok::<_, pkcs5::der::Error>((algorithm, data.as_bytes()))
            })
        })
        .map_err(|_| KeyDecryptError::Damaged)?;
    if algorithm.oid != pbes2::PBES2_OID {
        return Err(KeyDecryptError::Unsupported(format!("the method {}", algorithm.oid)));
    }
    let (kdf, cipher) = algorithm
        .parameters_any()
        .map_err(|_| KeyDecryptError::Damaged)?
        .sequence(|parameters| {
            let kdf = AlgorithmIdentifierRef::decode(parameters)?;
            Ok::<_, pkcs5::der::Error>((kdf, AlgorithmIdentifierRef::decode(parameters)?))
        })
        .map_err(|_| KeyDecryptError::Damaged)?;
    if kdf.oid != pbes2::PBKDF2_OID {
        return Err(KeyDecryptError::Unsupported(format!("the key derivation {}", kdf.oid)));
    }
    let Ok(Kdf::Pbkdf2(kdf)) = Kdf::try_from(kdf) else { return Err(KeyDecryptError::Damaged) };
    let iv = cipher
        .parameters_any()
        .map_err(|_| KeyDecryptError::Damaged)?
        .decode_as::<&OctetStringRef>()
        .map_err(|_| KeyDecryptError::Damaged)?
        .as_bytes();
    let cipher = match cipher.oid {
        pbes2::AES_128_CBC_OID => Cipher::Aes128,
        pbes2::AES_192_CBC_OID => Cipher::Aes192,
        pbes2::AES_256_CBC_OID => Cipher::Aes256,
        DES_EDE3_CBC => Cipher::TripleDes,
        other => return Err(KeyDecryptError::Unsupported(format!("the cipher {other}"))),
    };
    let digest = match kdf.prf {
        Pbkdf2Prf::HmacWithSha1 => pbkdf2::PBKDF2_HMAC_SHA1,
        Pbkdf2Prf::HmacWithSha256 => pbkdf2::PBKDF2_HMAC_SHA256,
        Pbkdf2Prf::HmacWithSha384 => pbkdf2::PBKDF2_HMAC_SHA384,
        Pbkdf2Prf::HmacWithSha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        other => return Err(KeyDecryptError::Unsupported(format!("the key derivation {other:?}"))),
    };
    let iterations = NonZeroU32::new(kdf.iteration_count).ok_or(KeyDecryptError::Damaged)?;
    let password = password.ok_or(KeyDecryptError::NoPassword)?;
    let mut key = Zeroizing::new(vec![0; cipher.key_bytes()]);
    pbkdf2::derive(digest, iterations, kdf.salt.as_ref(), password.as_bytes(), &mut key);
    cipher.decrypt(&key, iv, data)
}

/// The form of `PEM_write_bio_PrivateKey_traditional` in OpenSSL: a key made of the password by EVP_BytesToKey, with MD5
/// and the first bytes of the initialization vector as its salt.
fn open_traditional(
    section: &Section<'_>,
    password: Option<&Password>,
) -> Result<Zeroizing<Vec<u8>>, KeyDecryptError> {
    const SALT_BYTES: usize = 8;
    let (name, iv) =
        section.header("DEK-Info").and_then(|info| info.split_once(',')).ok_or(KeyDecryptError::Damaged)?;
    let cipher = match name {
        "AES-128-CBC" => Cipher::Aes128,
        "AES-192-CBC" => Cipher::Aes192,
        "AES-256-CBC" => Cipher::Aes256,
        "DES-EDE3-CBC" => Cipher::TripleDes,
        other => return Err(KeyDecryptError::Unsupported(format!("the cipher {other:?}"))),
    };
    let iv = HEXUPPER_PERMISSIVE.decode(iv.as_bytes()).map_err(|_| KeyDecryptError::Damaged)?;
    let salt = iv.get(..SALT_BYTES).ok_or(KeyDecryptError::Damaged)?;
    let password = password.ok_or(KeyDecryptError::NoPassword)?;
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

    /// What is encrypted is one value of ASN.1; anything else came of a wrong password.
    fn decrypt(self, key: &[u8], iv: &[u8], data: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyDecryptError> {
        let mut buffer = Zeroizing::new(data.to_vec());
        let length = match self {
            Self::Aes128 => decrypt_cbc::<aes::Aes128>(key, iv, &mut buffer),
            Self::Aes192 => decrypt_cbc::<aes::Aes192>(key, iv, &mut buffer),
            Self::Aes256 => decrypt_cbc::<aes::Aes256>(key, iv, &mut buffer),
            Self::TripleDes => decrypt_cbc::<des::TdesEde3>(key, iv, &mut buffer),
        }?;
        buffer.truncate(length);
        AnyRef::from_der(&buffer).map_err(|_| KeyDecryptError::WrongPassword)?;
        Ok(buffer)
    }
}

/// Decrypts in place; the length of the plain text.
fn decrypt_cbc<C: BlockCipherDecrypt + KeyInit>(
    key: &[u8],
    iv: &[u8],
    buffer: &mut [u8],
) -> Result<usize, KeyDecryptError> {
    let decryptor = cbc::Decryptor::<C>::new_from_slices(key, iv).map_err(|_| KeyDecryptError::Damaged)?;
    let plain = decryptor.decrypt_padded::<Pkcs7>(buffer).map_err(|_| KeyDecryptError::WrongPassword)?;
    Ok(plain.len())
}
