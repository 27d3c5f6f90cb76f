//! Boxes that the engine owns. It drops each with the object or the environment that holds it.

use std::ffi::c_void;
use std::ptr;

use napi_ohos::sys;

use super::handle::{Engine, EngineError, Value, ask, check};

impl Engine {
    /// Keeps `data` for as long as the environment lives.
    pub fn set_instance_data<T>(self, data: Box<T>) -> Result<(), EngineError> {
        let data = Box::into_raw(data);
        // SAFETY: as in `ask!`. The engine calls the finalizer once.
        let status = unsafe {
            sys::napi_set_instance_data(self.0, data.cast(), Some(finalize_box::<T>), ptr::null_mut())
        };
        check(status).inspect_err(|_| {
            // SAFETY: the engine did not take it.
            drop(unsafe { Box::from_raw(data) });
        })
    }

    /// Returns the data given to [`Engine::set_instance_data`].
    ///
    /// # Safety
    ///
    /// `T` must be the type given there.
    pub unsafe fn instance_data<'env, T>(self) -> Result<&'env T, EngineError> {
        let data = ask!(napi_get_instance_data, self.0; ptr::null_mut())?;
        // SAFETY: the caller knows the type, and the environment is current, so its data lives.
        unsafe { data.cast::<T>().as_ref() }.ok_or(EngineError)
    }
}

impl Value<'_> {
    /// The address of the native object that this object owns. `None` if it owns none, or is no object.
    pub fn owned(self) -> Option<*mut c_void> {
        ask!(napi_unwrap, self.env, self.raw; ptr::null_mut()).ok().filter(|address| !address.is_null())
    }

    /// Gives `native` to this object. It is dropped after the engine has collected the object.
    pub fn own<T>(self, native: Box<T>) -> Result<(), EngineError> {
        let native = Box::into_raw(native);
        // SAFETY: as in `ask!`. No reference is requested.
        let status = unsafe {
            sys::napi_wrap(
                self.env,
                self.raw,
                native.cast(),
                Some(finalize_box::<T>),
                ptr::null_mut(),
                ptr::null_mut(),
            )
        };
        check(status).inspect_err(|_| {
            // SAFETY: the engine did not take it.
            drop(unsafe { Box::from_raw(native) });
        })
    }
}

/// Drops the result of `Box::into_raw` when the engine no longer needs it.
pub(super) unsafe extern "C" fn finalize_box<T>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
    // SAFETY: made by `Box::into_raw` where this function was passed on. The engine calls it once.
    drop(unsafe { Box::from_raw(data.cast::<T>()) });
}
