//! Structs of `net_websocket_ext.h` that grow at their end from version to version.
//!
//! Owns the check of their size and the copies in both directions, so that programs and libraries of different versions
//! work together. Knows nothing of what the fields mean.

use std::mem::size_of;

use super::abi::ErrCode;
use super::abi::ext::{RawCallbacks, RawOptions, RawReconnectOptions, RawStatistics};
use super::error::CallError;
use super::readable;

/// A struct of the header that grows at its end.
///
/// # Safety
///
/// `repr(C)`, begins with its size, and any bytes make a valid value.
pub unsafe trait VersionedStruct: Copy {
    /// The size of the first version.
    const SIZE_MIN: usize;
    /// For error texts.
    const NAME: &'static str;
}

// SAFETY: integers and raw pointers.
unsafe impl VersionedStruct for RawOptions {
    const SIZE_MIN: usize = 104;
    const NAME: &'static str = "NWS_Options";
}

// SAFETY: a pointer and functions, which the application vouches for.
unsafe impl VersionedStruct for RawCallbacks {
    const SIZE_MIN: usize = 72;
    const NAME: &'static str = "NWS_Callbacks";
}

// SAFETY: integers.
unsafe impl VersionedStruct for RawReconnectOptions {
    const SIZE_MIN: usize = 40;
    const NAME: &'static str = "NWS_ReconnectOptions";
}

// SAFETY: integers.
unsafe impl VersionedStruct for RawStatistics {
    const SIZE_MIN: usize = 160;
    const NAME: &'static str = "NWS_Statistics";
}

/// No struct of a later version is larger.
const SIZE_MAX: usize = 4_096;

/// Checks the size that a program gives for a struct.
pub fn check_size<T: VersionedStruct>(size: usize) -> Result<(), CallError> {
    if (T::SIZE_MIN..=SIZE_MAX).contains(&size) {
        Ok(())
    } else {
        Err(CallError::new(
            ErrCode::InvalidArgument,
            format!("size: {size} is not the size of a struct {}", T::NAME),
        ))
    }
}

/// Reads a struct of any version: `value` has the fields that the program does not know.
pub fn read_struct<T: VersionedStruct>(address: *const T, mut value: T) -> Result<T, CallError> {
    let unreadable =
        |_| CallError::new(ErrCode::InvalidArgument, format!("{}: the pointer leads nowhere", T::NAME));
    let size = readable::bytes(address.cast(), size_of::<usize>()).map_err(unreadable)?;
    let size = size.try_into().map_or(0, usize::from_ne_bytes);
    check_size::<T>(size)?;
    let bytes = readable::bytes(address.cast(), size).map_err(unreadable)?;
    let known = size.min(size_of::<T>());
    if bytes[known..].iter().any(|byte| *byte != 0) {
        return Err(CallError::new(
            ErrCode::InvalidArgument,
            format!("{}: a field that this version of the library does not know is set", T::NAME),
        ));
    }
    // SAFETY: `known` bytes are there on both sides, and any bytes make a valid value.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), (&raw mut value).cast::<u8>(), known) };
    Ok(value)
}

/// Writes as much of a struct as the program knows; of what it knows and this version does not, 0.
///
/// # Safety
///
/// `address` must be that of `size` bytes that may be written to.
pub unsafe fn write_struct<T: VersionedStruct>(address: *mut T, value: &T, size: usize) {
    let known = size.min(size_of::<T>());
    let address = address.cast::<u8>();
    // SAFETY: the caller's promise.
    unsafe {
        std::ptr::copy_nonoverlapping((&raw const *value).cast::<u8>(), address, known);
        address.add(known).write_bytes(0, size - known);
    }
}
