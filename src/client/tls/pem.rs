//! The sections of a PEM file (RFC 7468), in all forms in which such files occur: with a byte-order mark, indented,
//! with any line ends or none.
//!
//! Owns the texts for its faults. They contain no byte of a file, because it may belong to a private key.

use std::fmt;

use rustls::pki_types::pem::{PemObject, SectionKind};
use zeroize::Zeroizing;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const HYPHENS: &[u8] = b"-----";
/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The error of a PEM file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PemError {
    Utf16,
    Begin,
    NoEnd,
    OtherEnd,
    EscapedLineEnds,
    Base64,
}

impl fmt::Display for PemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf16 => "it is UTF-16; PEM is ASCII",
            Self::Begin => {
                "the first line of a section is not that of PEM: -----BEGIN, a kind, and five hyphens"
            }
            Self::NoEnd => "a section of it has no complete -----END line; the file may be cut",
            Self::OtherEnd => "the BEGIN and END lines of a section name different kinds",
            Self::EscapedLineEnds => {
                "its line ends are written as a backslash and a letter; they must be real"
            }
            Self::Base64 => "a section of it is not base64; the file may be cut or changed",
        })
    }
}

/// The sections of a file, in order. An error is the last item.
pub(super) fn sections(file: &[u8]) -> Sections<'_> {
    // UTF-16 with either byte order.
    Sections { rest: file, is_utf16: split_at(file, b"B\0E\0G\0I\0N").is_some() }
}

pub(super) struct Sections<'a> {
    rest: &'a [u8],
    is_utf16: bool,
}

impl<'a> Iterator for Sections<'a> {
    type Item = Result<Section<'a>, PemError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_utf16 {
            *self = Self { rest: &[], is_utf16: false };
            return Some(Err(PemError::Utf16));
        }
        let rest = loop {
            let (before, rest) = split_at(self.rest, BEGIN)?;
            // Other text may mention PEM. A section begins at the start of a line, or where another one has ended.
            let line = before.rsplit(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
            if line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line).trim_ascii().is_empty() {
                break rest;
            }
            self.rest = rest;
        };
        let section = Section::parse(rest);
        self.rest = section.as_ref().map_or(&[][..], |(_, rest)| rest);
        Some(section.map(|(section, _)| section))
    }
}

/// A section of a PEM file.
pub(super) struct Section<'a> {
    /// The kind in its first line, as bytes of the file.
    pub(super) label: &'a [u8],
    headers: Vec<(&'a [u8], &'a [u8])>,
    /// Without white space.
    base64: Zeroizing<Vec<u8>>,
}

impl<'a> Section<'a> {
    /// Parses the section whose `-----BEGIN ` ends before `bytes`. Returns it and the bytes after it.
    fn parse(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), PemError> {
        const LABEL_BYTES_MAX: usize = 64;
        let (label, rest) = split_at(bytes, HYPHENS).ok_or(PemError::Begin)?;
        if label.len() > LABEL_BYTES_MAX || label.iter().any(u8::is_ascii_control) {
            return Err(PemError::Begin);
        }
        let label = label.trim_ascii();
        let (body, rest) = split_at(rest, END).ok_or(PemError::NoEnd)?;
        if split_at(body, BEGIN).is_some() {
            return Err(PemError::NoEnd);
        }
        let rest = rest.trim_ascii_start().strip_prefix(label).ok_or(PemError::OtherEnd)?;
        let rest = rest.trim_ascii_start().strip_prefix(HYPHENS).ok_or(PemError::NoEnd)?;
        let mut section =
            Self { label, headers: Vec::new(), base64: Zeroizing::new(Vec::with_capacity(body.len())) };
        section.read(body);
        Ok((section, rest))
    }

    /// Reads headers (RFC 1421 section 4.6), which have a colon, and base64.
    fn read(&mut self, body: &'a [u8]) {
        let lines = || body.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii);
        let is_one_line = lines().filter(|line| !line.is_empty()).nth(1).is_none();
        for line in lines() {
            match split_at(line, b":") {
                None => self.base64.extend(line.iter().filter(|byte| !byte.is_ascii_whitespace())),
                Some((name, value)) if !is_one_line => self.headers.push((name, value.trim_ascii())),
                Some(_) => self.read_words(line),
            }
        }
    }

    /// The same for a body that has lost its line ends. A word that ends in a colon is a header's name, and the next
    /// word its value.
    fn read_words(&mut self, line: &'a [u8]) {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            match word.strip_suffix(b":") {
                Some(name) => self.headers.push((name, words.next().unwrap_or_default())),
                None => self.base64.extend(word),
            }
        }
    }

    pub(super) fn header(&self, wanted: &str) -> Option<&'a [u8]> {
        self.headers.iter().find(|(name, _)| *name == wanted.as_bytes()).map(|(_, value)| *value)
    }

    /// The decoded base64.
    pub(super) fn decode(&self) -> Result<Zeroizing<Vec<u8>>, PemError> {
        if self.base64.contains(&b'\\') {
            return Err(PemError::EscapedLineEnds);
        }
        // Every section is decoded like a private key, because only that decoder runs in constant time.
        let begin: &[u8] = b"-----BEGIN PRIVATE KEY-----\n";
        let end: &[u8] = b"\n-----END PRIVATE KEY-----\n";
        let mut key = Zeroizing::new(Vec::with_capacity(begin.len() + self.base64.len() + end.len()));
        key.extend_from_slice(begin);
        key.extend_from_slice(&self.base64);
        key.extend_from_slice(end);
        match <(SectionKind, Vec<u8>)>::from_pem_slice(&key) {
            Ok((_, der)) if !der.is_empty() => Ok(Zeroizing::new(der)),
            // Its own text contains bytes of the file.
            _ => Err(PemError::Base64),
        }
    }
}

/// The bytes before and after the first `mark`.
pub(super) fn split_at<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(mark.len()).position(|window| window == mark)?;
    Some((&bytes[..at], &bytes[at + mark.len()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The label and the contents of each section, or the first error.
    fn read(file: &[u8]) -> Result<Vec<(String, Vec<u8>)>, PemError> {
        sections(file)
            .map(|section| {
                let section = section?;
                Ok((String::from_utf8_lossy(section.label).into_owned(), section.decode()?.to_vec()))
            })
            .collect()
    }

    #[test]
    fn reads_pem_sections_in_any_layout() {
        let key = Ok(vec![("PRIVATE KEY".to_owned(), b"secret".to_vec())]);
        for file in [
            "-----BEGIN PRIVATE KEY-----\nc2Vj\ncmV0\n-----END PRIVATE KEY-----\n",
            "-----BEGIN PRIVATE KEY-----\r\nc2Vj\r\ncmV0\r\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\rc2Vj\rcmV0\r-----END PRIVATE KEY-----\r",
            "\u{feff}-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n",
            "  -----BEGIN PRIVATE KEY-----\n\tc2Vj\n\n  cmV0  \n  -----END PRIVATE KEY-----  \n",
            "-----BEGIN PRIVATE KEY-----c2VjcmV0-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY----- c2Vj cmV0 -----END PRIVATE KEY-----",
            "subject=a\n-----BEGIN PRIVATE KEY-----\nA: b c\n\nc2VjcmV0\n-----END PRIVATE KEY-----\nend",
            "-----BEGIN PRIVATE KEY----- A: b c2VjcmV0 -----END PRIVATE KEY-----",
        ] {
            assert_eq!(read(file.as_bytes()), key, "{file:?}");
        }
        // `cat` of files without a final line end.
        let two = "-----BEGIN A-----\nYQ==\n-----END A----------BEGIN B-----\nYg==\n-----END B-----";
        assert_eq!(read(two.as_bytes()).map(|found| found.len()), Ok(2));
        assert_eq!(read(b"no section"), Ok(Vec::new()));
        assert_eq!(read(b"begins with -----BEGIN A-----, as it should"), Ok(Vec::new()));
        assert_eq!(read(b""), Ok(Vec::new()));
    }

    #[test]
    fn recognizes_pem_headers() {
        let header = |file: &'static str| {
            let section = sections(file.as_bytes()).next().expect("a section").expect("a good one");
            section.header("DEK-Info").map(<[u8]>::to_vec)
        };
        for file in [
            "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: X,00\n\nYQ==\n-----END A-----",
            "-----BEGIN A----- Proc-Type: 4,ENCRYPTED DEK-Info: X,00 YQ== -----END A-----",
        ] {
            assert_eq!(header(file).as_deref(), Some(&b"X,00"[..]), "{file:?}");
        }
        assert_eq!(header("-----BEGIN A-----\nYQ==\n-----END A-----"), None);
    }

    #[test]
    fn names_the_fault_without_a_byte_of_the_file() {
        let utf16: Vec<u8> = "-----BEGIN".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (file, error) in [
            (&b"-----BEGIN SECRET----\nSECRET\n-----END SECRET-----"[..], PemError::Begin),
            (b"-----BEGIN SECRET", PemError::Begin),
            (&[b"-----BEGIN ", &[b'S'; 65][..], b"-----"].concat(), PemError::Begin),
            (b"-----BEGIN A-----\nSECRET\n", PemError::NoEnd),
            (b"-----BEGIN A-----\nSECRET\n-----END A----", PemError::NoEnd),
            (b"-----BEGIN A-----\nSECR\n-----BEGIN A-----\nSECR\n-----END A-----", PemError::NoEnd),
            (b"-----BEGIN A-----\nSECR\n-----END SECRET-----", PemError::OtherEnd),
            (b"-----BEGIN A-----\\nSECR\\n-----END A-----", PemError::EscapedLineEnds),
            (b"-----BEGIN A-----\nSECRET!\n-----END A-----", PemError::Base64),
            (b"-----BEGIN A-----\nSECR=T==\n-----END A-----", PemError::Base64),
            (b"-----BEGIN A-----\n-----END A-----", PemError::Base64),
            (&[&b"\xff\xfe"[..], &utf16].concat(), PemError::Utf16),
            (&utf16, PemError::Utf16),
        ] {
            assert_eq!(read(file), Err(error), "{file:?}");
            assert!(!error.to_string().contains("SECR"), "{error}");
        }
    }
}
