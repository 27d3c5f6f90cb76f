//! Memory at the C API: payloads that an application lends or hands over, and buffers for texts.

use std::ffi::{CStr, c_char, c_void};

use super::abi::ErrCode;
use super::abi::ext::{BINARY, ReleaseCallback, TEXT};
use super::error::CallError;
use crate::client::MessageType;

/// Returns the bytes of a message.
///
/// # Safety
///
/// `data` must point to `length` readable bytes, or be NULL.
#[inline]
pub unsafe fn payload<'a>(data: *const c_void, length: usize) -> Result<&'a [u8], CallError> {
    match length {
        0 => Ok(&[]),
        _ if data.is_null() => Err(CallError::new(ErrCode::SendDataNull, "data: NULL")),
        _ if length > isize::MAX as usize => {
            Err(CallError::new(ErrCode::DataLengthExceeded, "length: larger than the address space"))
        }
        // SAFETY: the caller's promise.
        _ => Ok(unsafe { std::slice::from_raw_parts(data.cast(), length) }),
    }
}

/// Returns the type of a message by its number.
pub fn kind(number: i32) -> Result<MessageType, CallError> {
    match number {
        TEXT => Ok(MessageType::Text),
        BINARY => Ok(MessageType::Binary),
        other => {
            Err(CallError::new(ErrCode::InvalidArgument, format!("type: {other} is not an NWS_MessageType")))
        }
    }
}

/// Checks that text is UTF-8.
pub fn check_text(kind: MessageType, payload: &[u8]) -> Result<(), CallError> {
    if kind == MessageType::Text && simdutf8::basic::from_utf8(payload).is_err() {
        return Err(CallError::of(ErrCode::InvalidUtf8));
    }
    Ok(())
}

/// Copies a string, with its NUL, into the buffer of an application. Stores the bytes needed in `length`.
///
/// # Safety
///
/// `length` must be NULL or point to the number of bytes in `buffer`. `buffer` must be NULL or writable.
pub unsafe fn write_text(value: &CStr, buffer: *mut c_char, length: *mut usize) -> Result<(), CallError> {
    if length.is_null() {
        return Err(CallError::new(ErrCode::InvalidArgument, "length: NULL"));
    }
    let bytes = value.to_bytes_with_nul();
    // SAFETY: the caller's promise.
    unsafe {
        let room = length.replace(bytes.len());
        if buffer.is_null() {
            return Ok(());
        }
        if room < bytes.len() {
            let text = format!("buffer: {room} bytes, {} are needed", bytes.len());
            return Err(CallError::new(ErrCode::BufferTooSmall, text));
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.cast::<u8>(), bytes.len());
    }
    Ok(())
}

/// Memory that an application has handed over until `release` is called.
pub struct OwnedBuffer {
    data: *mut c_void,
    length: usize,
    release: ReleaseCallback,
    context: *mut c_void,
}

// SAFETY: the application has handed it over until `release` is called. It allows that call on any thread.
unsafe impl Send for OwnedBuffer {}
// SAFETY: through a shared reference the memory is only read, and `release` is called by the last owner.
unsafe impl Sync for OwnedBuffer {}

impl OwnedBuffer {
    /// # Safety
    ///
    /// `data` must point to `length` bytes. No other code uses them until `release` is called. Neither pointer is NULL.
    pub unsafe fn new(
        data: *mut c_void,
        length: usize,
        release: ReleaseCallback,
        context: *mut c_void,
    ) -> Self {
        Self { data, length, release, context }
    }

    /// Returns the memory to the application without a call of `release`.
    pub fn disown(mut self) {
        unsafe extern "C" fn keep(_data: *mut c_void, _context: *mut c_void) {}
        self.release = keep;
    }
}

impl AsRef<[u8]> for OwnedBuffer {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the promise made to `new`.
        unsafe { std::slice::from_raw_parts(self.data.cast(), self.length) }
    }
}

impl AsMut<[u8]> for OwnedBuffer {
    fn as_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.data.cast(), self.length) }
    }
}

impl Drop for OwnedBuffer {
    fn drop(&mut self) {
        // SAFETY: the application vouches for the function. This is its only call.
        unsafe { (self.release)(self.data, self.context) };
    }
}
