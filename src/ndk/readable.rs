//! Reads memory that an application only claims to own.
//!
//! Asks the kernel whether an address can be read. An uninitialised pointer in a header is a mistake to report, not a
//! reason to crash the process.

use std::ffi::{c_char, c_void};
use std::mem::{MaybeUninit, size_of};

use super::abi::Header;
use super::abi::ext::RawPin;

/// The smallest page of all supported systems. A larger page is checked more than once.
const PAGE_BYTES: usize = 4_096;
/// A capacity that fits most texts.
const TEXT_BYTES: usize = 64;
/// The most bytes of a close reason that are read. At most 123 of them are sent.
const REASON_BYTES_READ: usize = 4_096;
/// The size of the kernel's signal set. The system call accepts no other size.
const SIGNAL_SET_BYTES: usize = 8;

/// Why memory could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The address is not mapped for reading, or not aligned for its type.
    Address,
    /// There is no NUL within the limit.
    TooLong,
}

/// Copies the C string at `text`, of at most `limit` bytes.
pub fn c_string(text: *const c_char, limit: usize) -> Result<Vec<u8>, Unreadable> {
    let mut copy = Vec::with_capacity(TEXT_BYTES);
    let mut offset = 0;
    while offset <= limit {
        let address = text.wrapping_add(offset);
        if !is_readable(address.cast()) {
            return Err(Unreadable::Address);
        }
        let page_end = offset + PAGE_BYTES - address.addr() % PAGE_BYTES;
        for at in offset..page_end.min(limit + 1) {
            // SAFETY: the kernel has just read a word of this page. The read is volatile, because the memory is not ours.
            match unsafe { text.wrapping_add(at).cast::<u8>().read_volatile() } {
                0 => return Ok(copy),
                byte => copy.push(byte),
            }
        }
        offset = page_end;
    }
    Err(Unreadable::TooLong)
}

/// The beginning of a close reason. "" if it cannot be read.
pub fn reason(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    match c_string(text, REASON_BYTES_READ) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(Unreadable::TooLong) => {
            // The text is longer than a frame's reason, so its beginning is enough. SAFETY: `c_string` has read
            // `REASON_BYTES_READ` bytes there and found no NUL.
            let start = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), REASON_BYTES_READ) };
            String::from_utf8_lossy(start).into_owned()
        }
        Err(Unreadable::Address) => String::new(),
    }
}

/// Copies `len` bytes at `address`.
pub fn bytes(address: *const u8, len: usize) -> Result<Vec<u8>, Unreadable> {
    let mut page = usize::MAX;
    for offset in (0..len).step_by(SIGNAL_SET_BYTES).chain(len.checked_sub(1)) {
        let byte = address.wrapping_add(offset);
        if byte.addr() / PAGE_BYTES != page {
            page = byte.addr() / PAGE_BYTES;
            if !is_readable(byte.cast()) {
                return Err(Unreadable::Address);
            }
        }
    }
    // SAFETY: the kernel has just read a word of every page. The read is volatile, because the memory is not ours.
    Ok((0..len).map(|offset| unsafe { address.wrapping_add(offset).read_volatile() }).collect())
}

/// Copies the `T` at `address`. Any bytes must make a valid `T`.
pub fn value<T: Plain>(address: *const T) -> Result<T, Unreadable> {
    let last = address.wrapping_byte_add(size_of::<T>() - 1);
    if !address.is_aligned() || !is_readable(address.cast()) || !is_readable(last.cast()) {
        return Err(Unreadable::Address);
    }
    // SAFETY: the address is aligned, and both ends are in readable pages. `T` is smaller than a page.
    Ok(unsafe { address.read_volatile() })
}

/// Types without invalid bit patterns, smaller than a page.
///
/// # Safety
///
/// Every pattern of bytes must be a valid value, and the type must be smaller than a page.
pub unsafe trait Plain: Copy {}

// SAFETY: three raw pointers.
unsafe impl Plain for Header {}

// SAFETY: raw pointers and an integer.
unsafe impl Plain for RawPin {}

/// Whether the kernel can read the word that holds `address`.
fn is_readable(address: *const c_void) -> bool {
    const NO_SUCH_HOW: i32 = -1;
    // The first page is never mapped, and the kernel does not read a NULL set.
    if address.addr() < PAGE_BYTES {
        return false;
    }
    let word = address.map_addr(|address| address & !(SIGNAL_SET_BYTES - 1));
    let mut errno = MaybeUninit::<i32>::uninit();
    // The kernel copies the set before it checks how to apply it, so this call changes nothing. The error is EFAULT if
    // the memory cannot be read, and EINVAL if it can. SAFETY: only the kernel reads the set, and it checks the
    // address. No old set is requested.
    let errno = unsafe {
        let result = libc::syscall(
            libc::SYS_rt_sigprocmask,
            NO_SUCH_HOW,
            word,
            std::ptr::null::<c_void>(),
            SIGNAL_SET_BYTES,
        );
        errno.write(if result == -1 { *errno_location() } else { 0 });
        errno.assume_init()
    };
    errno != libc::EFAULT
}

/// Returns the address of this thread's errno.
fn errno_location() -> *mut i32 {
    // SAFETY: always valid on the calling thread.
    unsafe { libc::__errno_location() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_a_string_it_can_read() {
        assert_eq!(c_string(c"hello".as_ptr(), 10), Ok(b"hello".to_vec()));
        assert_eq!(c_string(c"".as_ptr(), 0), Ok(Vec::new()));
        assert_eq!(c_string(c"hello".as_ptr(), 4), Err(Unreadable::TooLong));
    }

    #[test]
    fn refuses_addresses_that_would_crash() {
        for address in [0_usize, 1, 0x10, 0xdead_beef, usize::MAX, usize::MAX / 2, 1 << (usize::BITS - 1)] {
            let address = std::ptr::without_provenance::<c_char>(address);
            assert_eq!(c_string(address, 100), Err(Unreadable::Address), "{address:?}");
        }
    }

    #[test]
    fn refuses_a_string_that_continues_into_unmapped_memory() {
        // SAFETY: two new pages. The second loses its permissions, and both are unmapped below.
        unsafe {
            let pages = libc::mmap(
                std::ptr::null_mut(),
                2 * PAGE_BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            );
            assert_ne!(pages, libc::MAP_FAILED);
            libc::memset(pages, i32::from(b'x'), PAGE_BYTES);
            assert_eq!(libc::mprotect(pages.byte_add(PAGE_BYTES), PAGE_BYTES, libc::PROT_NONE), 0);
            assert_eq!(c_string(pages.cast(), 10_000), Err(Unreadable::Address));
            libc::munmap(pages, 2 * PAGE_BYTES);
        }
    }
}
