//! Structs of `net_websocket_ext.h` that grow at their end from version to version.
//!
//! Owns the check of their size and the copies in both directions. With them, programs and libraries of different
//! versions work together. Does not know the meaning of the fields.

use std::mem::{offset_of, size_of};

use super::abi::ErrCode;
use super::abi::ext::{RawCallbacks, RawOptions, RawReconnectOptions, RawStatistics};
use super::abi::server::{RawServerCallbacks, RawServerOptions, RawServerStatistics};
use super::error::CallError;
use super::readable;

/// A struct that new versions of the header extend at its end.
///
/// # Safety
///
/// `repr(C)`, begins with its size, and any bytes make a valid value.
pub unsafe trait VersionedStruct: Copy {
    /// The size of the first version, in bytes.
    const SIZE_MIN: usize;
    /// The name in the header, for error texts.
    const NAME: &'static str;
}

/// Declares versioned structs: the type, its name in the header, and the size of its first version. That version ends
/// before the first field added later.
macro_rules! versioned {
    ($($type:ident, $name:literal, $size_min:expr;)*) => {$(
        const _: () = assert!(offset_of!($type, size) == 0);
        // SAFETY: `repr(C)`, and begins with its size, as asserted above. Its fields are integers, raw pointers and
        // optional functions: every pattern of bytes is valid for them. The application vouches for the functions.
        unsafe impl VersionedStruct for $type {
            const SIZE_MIN: usize = $size_min;
            const NAME: &'static str = $name;
        }
    )*};
}

versioned! {
    RawOptions, "NWS_Options", offset_of!(RawOptions, client_key_password);
    RawCallbacks, "NWS_Callbacks", offset_of!(RawCallbacks, on_reconnecting);
    RawReconnectOptions, "NWS_ReconnectOptions", size_of::<RawReconnectOptions>();
    RawStatistics, "NWS_Statistics", offset_of!(RawStatistics, proxy_us);
    RawServerOptions, "NWS_ServerOptions", size_of::<RawServerOptions>();
    RawServerCallbacks, "NWS_ServerCallbacks", size_of::<RawServerCallbacks>();
    RawServerStatistics, "NWS_ServerStatistics", size_of::<RawServerStatistics>();
}

/// The sizes in 64-bit programs.
#[cfg(target_pointer_width = "64")]
const _: () = {
    assert!(RawOptions::SIZE_MIN == 104 && RawCallbacks::SIZE_MIN == 72);
    assert!(RawReconnectOptions::SIZE_MIN == 40 && RawStatistics::SIZE_MIN == 160);
};
#[cfg(target_pointer_width = "32")]
const _: () = {
    assert!(RawOptions::SIZE_MIN == 80 && RawCallbacks::SIZE_MIN == 36);
    assert!(RawReconnectOptions::SIZE_MIN == 32 && RawStatistics::SIZE_MIN == 160);
};

/// The largest size of a struct in bytes, in all later versions.
const SIZE_MAX: usize = 4_096;

/// The properties of one struct, for functions that serve all structs and are compiled once.
#[derive(Clone, Copy)]
struct Shape {
    size: usize,
    size_min: usize,
    name: &'static str,
}

impl Shape {
    const fn of<T: VersionedStruct>() -> Self {
        Self { size: size_of::<T>(), size_min: T::SIZE_MIN, name: T::NAME }
    }

    #[inline(never)]
    fn check(self, size: usize) -> Result<(), CallError> {
        if (self.size_min..=SIZE_MAX).contains(&size) {
            Ok(())
        } else {
            Err(CallError::new(
                ErrCode::InvalidArgument,
                format!("size: {size} is not the size of a struct {}", self.name),
            ))
        }
    }

    /// Reads the bytes of a program's struct that the library knows.
    #[inline(never)]
    fn read(self, address: *const u8) -> Result<Vec<u8>, CallError> {
        let name = self.name;
        let refused = |text| CallError::new(ErrCode::InvalidArgument, text);
        let unreadable = |_| refused(format!("{name}: invalid pointer"));
        let size = readable::bytes(address.cast(), size_of::<usize>()).map_err(unreadable)?;
        let size = size.try_into().map_or(0, usize::from_ne_bytes);
        self.check(size)?;
        let mut bytes = readable::bytes(address.cast(), size).map_err(unreadable)?;
        let known = size.min(self.size);
        if bytes[known..].iter().any(|byte| *byte != 0) {
            return Err(refused(format!(
                "{name}: a field that this version of the library does not know is set"
            )));
        }
        bytes.truncate(known);
        Ok(bytes)
    }
}

/// Checks the size, in bytes, that a program gives for a struct.
pub fn check_size<T: VersionedStruct>(size: usize) -> Result<(), CallError> {
    Shape::of::<T>().check(size)
}

/// Reads a struct of any version. `value` supplies the fields that the program does not know.
pub fn read_struct<T: VersionedStruct>(address: *const T, mut value: T) -> Result<T, CallError> {
    let bytes = Shape::of::<T>().read(address.cast())?;
    // SAFETY: both sides have that many bytes, and any bytes make a valid value.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), (&raw mut value).cast::<u8>(), bytes.len()) };
    Ok(value)
}

/// Writes the part of a struct that the program knows. Fields that only the program knows become 0.
///
/// # Safety
///
/// `address` must be that of `size` writable bytes.
pub unsafe fn write_struct<T: VersionedStruct>(address: *mut T, value: &T, size: usize) {
    let known = size.min(size_of::<T>());
    let address = address.cast::<u8>();
    // SAFETY: the caller's promise.
    unsafe {
        std::ptr::copy_nonoverlapping((&raw const *value).cast::<u8>(), address, known);
        address.add(known).write_bytes(0, size - known);
    }
}

/// Fills the struct of an application with `value`, whose size is `size`.
///
/// # Safety
///
/// `address` must be NULL or that of `size` writable bytes.
pub unsafe fn init<T: VersionedStruct>(
    argument: &str,
    address: *mut T,
    value: &T,
    size: usize,
) -> Result<(), CallError> {
    if address.is_null() {
        return Err(CallError::new(ErrCode::InvalidArgument, format!("{argument}: NULL")));
    }
    check_size::<T>(size)?;
    // SAFETY: the caller's promise. The size is the program's.
    unsafe {
        write_struct(address, value, size);
        address.cast::<usize>().write(size);
    }
    Ok(())
}

/// Like [`init`], with the size in the struct.
///
/// # Safety
///
/// `address` must be NULL or that of as many writable bytes as the struct's size says.
pub unsafe fn fill<T: VersionedStruct>(argument: &str, address: *mut T, value: &T) -> Result<(), CallError> {
    // SAFETY: the caller's promise. Every such struct begins with its size.
    let size = if address.is_null() { 0 } else { unsafe { address.cast::<usize>().read() } };
    // SAFETY: as above.
    unsafe { init(argument, address, value, size) }
}
