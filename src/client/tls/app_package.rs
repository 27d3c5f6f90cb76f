//! Reads a file in an app's package (HAP), which is a ZIP archive.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::platform::{InflateStatus, InflateStream, StopAt};

/// The length of the end of the central directory, without the comment after it.
const END_BYTES: usize = 22;
const COMMENT_BYTES_MAX: usize = 65_535;
/// The longest list of files that is read. No package has a longer one.
const DIRECTORY_BYTES_MAX: u32 = 67_108_864;
/// The longest file that is read. Longer ones do not belong to this module.
const FILE_BYTES_MAX: u32 = 1_048_576;
/// Base-2 logarithm of the window for compressed files of a package.
const WINDOW_BITS: u8 = 15;

/// Reads the entry `name` of the package at `path`.
pub(super) fn read_file(path: &Path, name: &str) -> io::Result<Option<Vec<u8>>> {
    let package = File::open(path)?;
    let length = package.metadata()?.len();
    let tail = length.min((END_BYTES + COMMENT_BYTES_MAX) as u64) as usize;
    let tail = read_at(&package, length - tail as u64, tail)?;
    let end = tail.windows(END_BYTES).rposition(|bytes| bytes.starts_with(b"PK\x05\x06"));
    let end = Fields(&tail[end.ok_or_else(damaged)?..]);
    let (size, offset) = (end.u32(12)?, end.u32(16)?);
    if size > DIRECTORY_BYTES_MAX {
        return Err(damaged());
    }
    let directory = read_at(&package, offset.into(), size as usize)?;
    let mut rest = &directory[..];
    while rest.starts_with(b"PK\x01\x02") {
        let entry = Fields(rest);
        let (name_bytes, extra_bytes, comment_bytes) = (entry.u16(28)?, entry.u16(30)?, entry.u16(32)?);
        if entry.bytes(46, name_bytes.into())? == name.as_bytes() {
            return content(&package, &entry).map(Some);
        }
        let behind = 46 + usize::from(name_bytes) + usize::from(extra_bytes) + usize::from(comment_bytes);
        rest = rest.get(behind..).ok_or_else(damaged)?;
    }
    Ok(None)
}

fn content(package: &File, entry: &Fields<'_>) -> io::Result<Vec<u8>> {
    const STORED: u16 = 0;
    const DEFLATED: u16 = 8;
    let (method, compressed, plain, at) = (entry.u16(10)?, entry.u32(20)?, entry.u32(24)?, entry.u32(42)?);
    if compressed > FILE_BYTES_MAX || plain > FILE_BYTES_MAX {
        return Err(damaged());
    }
    let local = read_at(package, at.into(), 30)?;
    let local = Fields(&local);
    let at = u64::from(at) + 30 + u64::from(local.u16(26)?) + u64::from(local.u16(28)?);
    let bytes = read_at(package, at, compressed as usize)?;
    match method {
        STORED => Ok(bytes),
        DEFLATED => {
            // One more byte of room shows whether the output is too long.
            let mut out = Vec::with_capacity(plain as usize + 1);
            let room = out.capacity();
            let inflated = InflateStream::new(WINDOW_BITS).append(&bytes, &mut out, room, StopAt::StreamEnd);
            match inflated {
                Ok(inflated) if inflated.status == InflateStatus::StreamEnd => Ok(out),
                _ => Err(damaged()),
            }
        }
        _ => Err(damaged()),
    }
}

fn read_at(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "it is no package, or a damaged one")
}

/// Reads numbers in ZIP's byte order, the lowest byte first.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn bytes(&self, at: usize, length: usize) -> io::Result<&[u8]> {
        self.0.get(at..at + length).ok_or_else(damaged)
    }

    fn u16(&self, at: usize) -> io::Result<u16> {
        Ok(u16::from_le_bytes(self.bytes(at, 2)?.try_into().map_err(|_| damaged())?))
    }

    fn u32(&self, at: usize) -> io::Result<u32> {
        Ok(u32::from_le_bytes(self.bytes(at, 4)?.try_into().map_err(|_| damaged())?))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::*;

    /// Makes an archive of files, each with its method.
    fn archive(files: &[(&str, &[u8], u16)], comment: &[u8]) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (name, plain, method) in files {
            let mut packed = plain.to_vec();
            if *method == 8 {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(plain).expect("memory");
                packed = encoder.finish().expect("memory");
            }
            let sizes = [(packed.len() as u32).to_le_bytes(), (plain.len() as u32).to_le_bytes()].concat();
            let name_bytes = (name.len() as u16).to_le_bytes();
            let method = method.to_le_bytes();
            let offset = (out.len() as u32).to_le_bytes();
            directory.extend([&b"PK\x01\x02\x14\0\x14\0\0\0"[..], &method, &[0; 8], &sizes].concat());
            directory.extend([&name_bytes[..], &[2, 0, 3, 0], &[0; 8], &offset, name.as_bytes()].concat());
            directory.extend(b"ex-c-");
            out.extend(
                [&b"PK\x03\x04\x14\0\0\0"[..], &method, &[0; 8], &sizes, &name_bytes, &[4, 0]].concat(),
            );
            out.extend([name.as_bytes(), b"more", &packed].concat());
        }
        // The place of a package's signature.
        out.extend(b"a block that no list names");
        let (size, offset) = ((directory.len() as u32).to_le_bytes(), (out.len() as u32).to_le_bytes());
        let count = (files.len() as u16).to_le_bytes();
        out.extend(directory);
        out.extend([&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &size, &offset].concat());
        out.extend([&(comment.len() as u16).to_le_bytes()[..], comment].concat());
        out
    }

    fn read(archive: &[u8], name: &str) -> io::Result<Option<Vec<u8>>> {
        let path = std::env::temp_dir().join(format!(
            "net_websocket-{}-{:?}.hap",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::write(&path, archive).expect("written");
        let found = read_file(&path, name);
        std::fs::remove_file(&path).expect("removed");
        found
    }

    #[test]
    fn finds_a_file_stored_or_deflated() {
        let long = b"text ".repeat(100);
        let files = [("a", &b"first"[..], 0), ("dir/b.json", &long[..], 8), ("c", b"", 0)];
        for comment in [&b""[..], b"a comment", &[b' '; 65_535]] {
            let archive = archive(&files, comment);
            for (name, plain, _) in &files {
                assert_eq!(read(&archive, name).expect("an archive").as_deref(), Some(*plain));
            }
            assert_eq!(read(&archive, "dir/b").expect("an archive"), None);
        }
    }

    #[test]
    fn data_that_is_not_an_archive_fails_at_any_length() {
        let files = [("name", &b"text text text text"[..], 8)];
        let good = archive(&files, b"");
        for length in 0..good.len() {
            let _ = read(&good[..length], "name").expect_err("cut short");
        }
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0xff;
            // Any result is fine, except a crash.
            let _ = read(&bad, "name");
        }
        assert!(read(&archive(&[("name", b"x", 12)], b""), "name").is_err(), "an unknown method");
    }
}
