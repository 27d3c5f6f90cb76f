//! Reads DER (X.690), one value after another. Recognises kinds of files that are often confused, names of algorithms,
//! sizes of keys.

/// A tag of X.690 section 8, of the types that keys and certificates consist of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Tag {
    Integer = 0x02,
    BitString = 0x03,
    OctetString = 0x04,
    ObjectIdentifier = 0x06,
    Sequence = 0x30,
}

/// One value.
#[derive(Clone, Copy)]
pub(super) struct Value<'a> {
    tag: u8,
    contents: &'a [u8],
    /// The tag, the length and the contents.
    whole: &'a [u8],
}

impl<'a> Value<'a> {
    pub(super) fn is(&self, tag: Tag) -> bool {
        self.tag == tag as u8
    }

    /// The values in a SEQUENCE.
    pub(super) fn sequence(self) -> Option<Values<'a>> {
        self.is(Tag::Sequence).then_some(Values(self.contents))
    }

    /// The contents of a non-negative INTEGER, without zeros before it.
    pub(super) fn unsigned(self) -> Option<&'a [u8]> {
        const SIGN: u8 = 0x80;
        match self.contents {
            [first, ..] if self.is(Tag::Integer) && first & SIGN == 0 => {
                let zeros = self.contents.iter().take_while(|octet| **octet == 0).count();
                Some(&self.contents[zeros..])
            }
            _ => None,
        }
    }
}

/// Values one after another.
#[derive(Clone, Copy)]
pub(super) struct Values<'a>(&'a [u8]);

impl<'a> Values<'a> {
    /// The next value. `None` if it is cut off, or not DER.
    pub(super) fn value(&mut self) -> Option<Value<'a>> {
        /// A tag with this number continues in the next octet. Keys and certificates have none.
        const LONG_TAG: u8 = 0x1f;
        const SHORT_LENGTH_MAX: u8 = 0x7f;
        const LENGTH_OCTETS_MAX: usize = 4;
        let all = self.0;
        let [tag, length, rest @ ..] = all else { return None };
        if tag & LONG_TAG == LONG_TAG {
            return None;
        }
        let (length, rest) = match *length {
            short @ 0..=SHORT_LENGTH_MAX => (usize::from(short), rest),
            long => {
                let (octets, rest) = rest.split_at_checked(usize::from(long & SHORT_LENGTH_MAX))?;
                if octets.len() > LENGTH_OCTETS_MAX || octets.first().is_none_or(|first| *first == 0) {
                    return None;
                }
                let length = octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet));
                // DER has one form for each length.
                if length <= usize::from(SHORT_LENGTH_MAX) {
                    return None;
                }
                (length, rest)
            }
        };
        let (contents, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(Value { tag: *tag, contents, whole: &all[..all.len() - rest.len()] })
    }

    /// The contents of the next value, which has this tag.
    pub(super) fn contents(&mut self, tag: Tag) -> Option<&'a [u8]> {
        self.value().filter(|value| value.is(tag)).map(|value| value.contents)
    }

    /// The number and the parameters of the next value, an AlgorithmIdentifier (RFC 5280 section 4.1.1.2).
    pub(super) fn algorithm(&mut self) -> Option<(&'a [u8], Values<'a>)> {
        let mut inside = self.value()?.sequence()?;
        Some((inside.contents(Tag::ObjectIdentifier)?, inside))
    }
}

/// The values in a SEQUENCE, if no data follow it.
pub(super) fn sequence(der: &[u8]) -> Option<Values<'_>> {
    let value = Values(der).value()?;
    value.sequence().filter(|_| value.whole.len() == der.len())
}

/// The kind of a file that is one SEQUENCE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    /// RFC 5280 section 4.1, or another file of the same outer form.
    Certificate,
    /// PKCS#8, SEC1 or PKCS#1.
    PrivateKey,
    /// RFC 5958 section 3.
    EncryptedPrivateKey,
    /// RFC 7292 section 4.
    Pkcs12,
    /// RFC 5652 section 3.
    Pkcs7,
}

/// The kind of a file. `None` if it is not DER.
pub(super) fn file_kind(file: &[u8]) -> Option<FileKind> {
    let mut inside = sequence(file)?;
    let (first, second) = (inside.value()?, inside.value()?);
    if first.is(Tag::Sequence) && second.is(Tag::Sequence) {
        Some(FileKind::Certificate)
    } else if first.is(Tag::Sequence) && second.is(Tag::OctetString) {
        Some(FileKind::EncryptedPrivateKey)
    } else if first.is(Tag::Integer) && first.contents == [3] && second.is(Tag::Sequence) {
        Some(FileKind::Pkcs12)
    } else if first.is(Tag::Integer)
        && [Tag::Sequence, Tag::Integer, Tag::OctetString].iter().any(|tag| second.is(*tag))
    {
        Some(FileKind::PrivateKey)
    } else {
        first.is(Tag::ObjectIdentifier).then_some(FileKind::Pkcs7)
    }
}

/// The SubjectPublicKeyInfo of a certificate, of version 1 as well (RFC 5280 section 4.1). The rest of the value is not checked.
pub(super) fn certificate_key(certificate: &[u8]) -> Option<&[u8]> {
    const VERSION: u8 = 0xa0;
    let mut inside = sequence(certificate)?.value()?.sequence()?;
    // Serial number, signature, issuer, validity, subject.
    let before = if inside.0.first() == Some(&VERSION) { 6 } else { 5 };
    for _ in 0..before {
        inside.value()?;
    }
    inside.value().map(|key| key.whole)
}

/// The name of a key's algorithm, from the contents of its AlgorithmIdentifier.
pub(super) fn key_name(algorithm: &[u8]) -> &'static str {
    const NAMES: [(&[u8], &str); 15] = [
        (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", RSA),
        (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", "RSA-PSS"),
        (b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", "P-256"),
        (b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22", "P-384"),
        (b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23", "P-521"),
        (b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x21", "P-224"),
        (b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x0a", "secp256k1"),
        (
            b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01",
            "a Brainpool curve",
        ),
        (b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x81\x1c\xcf\x55\x01\x82\x2d", "SM2"),
        (b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01", "an elliptic curve without a known name"),
        (b"\x06\x03\x2b\x65\x70", "Ed25519"),
        (b"\x06\x03\x2b\x65\x71", "Ed448"),
        (b"\x06\x03\x2b\x65", "a curve for key agreement"),
        (b"\x06\x07\x2a\x86\x48\xce\x38\x04\x01", "DSA"),
        (b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03", "ML-DSA or SLH-DSA"),
    ];
    named(&NAMES, algorithm)
}

const RSA: &str = "RSA";

/// The name of a signature's algorithm, from the contents of its AlgorithmIdentifier.
pub(super) fn signature_name(algorithm: &[u8]) -> &'static str {
    const NAMES: [(&[u8], &str); 19] = [
        (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02", "RSA with MD2"),
        (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04", "RSA with MD5"),
        (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05", "RSA with SHA-1"),
        (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", "RSA-PSS"),
        (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", "RSA with SHA-256"),
        (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c", "RSA with SHA-384"),
        (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d", "RSA with SHA-512"),
        (b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e", "RSA with SHA-224"),
        (b"\x06\x07\x2a\x86\x48\xce\x3d\x04\x01", "ECDSA with SHA-1"),
        (b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x01", "ECDSA with SHA-224"),
        (b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02", "ECDSA with SHA-256"),
        (b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03", "ECDSA with SHA-384"),
        (b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x04", "ECDSA with SHA-512"),
        (b"\x06\x03\x2b\x65\x70", "Ed25519"),
        (b"\x06\x03\x2b\x65\x71", "Ed448"),
        (b"\x06\x07\x2a\x86\x48\xce\x38\x04", "DSA"),
        (b"\x06\x08\x2a\x81\x1c\xcf\x55\x01\x83\x75", "SM2 with SM3"),
        (b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x02", "DSA"),
        (b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03", "ML-DSA or SLH-DSA"),
    ];
    named(&NAMES, algorithm)
}

/// The name of the first number with which `algorithm` begins. An unknown number is not shown, because it may be
/// anything.
fn named(names: &[(&[u8], &'static str)], algorithm: &[u8]) -> &'static str {
    names
        .iter()
        .find(|(bytes, _)| algorithm.starts_with(bytes))
        .map_or("an unknown algorithm", |(_, name)| name)
}

/// The name of the algorithm of a private key in PKCS#8 (RFC 5958 section 2).
pub(super) fn pkcs8_key_name(der: &[u8]) -> Option<&'static str> {
    let mut inside = sequence(der)?;
    let _version = inside.value()?;
    Some(key_name(inside.value()?.contents))
}

/// The length of the modulus in a SubjectPublicKeyInfo of RSA (RFC 3279 section 2.3.1).
pub(super) fn rsa_bits(spki: &[u8]) -> Option<usize> {
    let mut inside = sequence(spki)?;
    if key_name(inside.value()?.contents) != RSA {
        return None;
    }
    // The number of unused bits, which is 0, and the key.
    let [0, key @ ..] = inside.contents(Tag::BitString)? else { return None };
    let modulus = sequence(key)?.value()?.unsigned()?;
    Some(modulus.len() * 8 - modulus.first()?.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinguishes_kinds_of_der_files() {
        for (file, kind) in [
            (&b"\x30\x04\x30\x00\x30\x00"[..], Some(FileKind::Certificate)),
            (b"\x30\x04\x30\x00\x04\x00", Some(FileKind::EncryptedPrivateKey)),
            (b"\x30\x05\x02\x01\x00\x30\x00", Some(FileKind::PrivateKey)),
            (b"\x30\x06\x02\x01\x00\x02\x01\x07", Some(FileKind::PrivateKey)),
            (b"\x30\x05\x02\x01\x01\x04\x00", Some(FileKind::PrivateKey)),
            (b"\x30\x05\x02\x01\x03\x30\x00", Some(FileKind::Pkcs12)),
            (b"\x30\x05\x06\x01\x2a\xa0\x00", Some(FileKind::Pkcs7)),
            // With data after it, cut, in another form, text.
            (b"\x30\x04\x30\x00\x30\x00\x00", None),
            (b"\x30\x04\x30\x00", None),
            (b"\x30\x02\x30\x00", None),
            (b"0 is the first byte", None),
            (b"", None),
        ] {
            assert_eq!(file_kind(file), kind, "{file:?}");
        }
    }

    #[test]
    fn finds_the_key_of_a_certificate_of_either_version() {
        let of = |tag: u8, inside: &[u8]| [&[tag, inside.len() as u8][..], inside].concat();
        let key = of(0x30, &[of(0x30, b"\x06\x03\x2b\x65\x70"), of(3, &[0, 7])].concat());
        let fields =
            [of(2, &[1]), of(0x30, b""), of(0x30, b""), of(0x30, b""), of(0x30, b""), key.clone()].concat();
        let signed = |inside: &[u8]| of(0x30, &[of(0x30, inside), of(0x30, b""), of(3, &[0])].concat());
        assert_eq!(certificate_key(&signed(&fields)), Some(&key[..]));
        let version = of(0xa0, &of(2, &[2]));
        let extensions = of(0xa3, b"");
        assert_eq!(certificate_key(&signed(&[&version[..], &fields, &extensions].concat())), Some(&key[..]));
        assert_eq!(certificate_key(&signed(&fields[..fields.len() - key.len()])), None);
        assert_eq!(certificate_key(&signed(&fields[..fields.len() - 1])), None);
        assert_eq!(certificate_key(b"\x30\x00"), None);
        assert_eq!(certificate_key(b""), None);
    }

    #[test]
    fn counts_the_bits_of_a_modulus() {
        let key = |modulus: &[u8]| {
            let of = |tag: u8, inside: &[u8]| [&[tag, inside.len() as u8][..], inside].concat();
            let algorithm = of(0x30, b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00");
            let key = of(0x30, &[of(2, modulus), of(2, &[3])].concat());
            of(0x30, &[algorithm, of(3, &[&[0][..], &key].concat())].concat())
        };
        assert_eq!(rsa_bits(&key(&[0, 0x80, 0])), Some(16));
        assert_eq!(rsa_bits(&key(&[0x40, 0])), Some(15));
        assert_eq!(rsa_bits(b"\x30\x00"), None);
    }
}
