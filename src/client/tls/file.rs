//! The files that an application names, with certificates and keys.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use zeroize::Zeroizing;

/// The longest file, in bytes. No store of authorities is longer.
const FILE_BYTES_MAX: u64 = 16_777_216;

/// Reads a file. Its contents may be a private key, so their drop wipes them from memory. A pipe is refused, because
/// its read would block. A device is refused, because it may have no end.
pub(super) fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let refused = |why: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    // Opening a pipe waits for a writer.
    let file: File = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return refused("it is a folder");
    }
    if !metadata.is_file() {
        return refused("it is a pipe or a device, not a file");
    }
    let mut bytes = Zeroizing::new(Vec::new());
    bytes.try_reserve(usize::try_from(metadata.len().min(FILE_BYTES_MAX)).unwrap_or_default() + 1)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 {
        0..=FILE_BYTES_MAX => Ok(bytes),
        _ => refused("it is longer than 16 MiB"),
    }
}
