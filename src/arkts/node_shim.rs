//! The two functions in which Node differs from ArkTS, for the host build that Node loads. `build.rs` has the linker
//! send every call of `napi_wrap` and `napi_module_register` here (`--wrap`). Not part of the library for OpenHarmony.

use std::ffi::c_void;
use std::ptr;

use napi_ohos::sys;

unsafe extern "C" {
    /// Node's own `napi_wrap`; the linker resolves the name.
    fn __real_napi_wrap(
        env: sys::napi_env,
        js_object: sys::napi_value,
        native_object: *mut c_void,
        finalize_cb: sys::napi_finalize,
        finalize_hint: *mut c_void,
        result: *mut sys::napi_ref,
    ) -> sys::napi_status;
}

/// ArkTS hands out a strong reference (count 1), which napi-ohos relies on; Node hands out a weak one (count 0).
///
/// # Safety
/// As for `napi_wrap`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_napi_wrap(
    env: sys::napi_env,
    js_object: sys::napi_value,
    native_object: *mut c_void,
    finalize_cb: sys::napi_finalize,
    finalize_hint: *mut c_void,
    result: *mut sys::napi_ref,
) -> sys::napi_status {
    // SAFETY: the arguments are the caller's, passed on unchanged.
    let status =
        unsafe { __real_napi_wrap(env, js_object, native_object, finalize_cb, finalize_hint, result) };
    if status != sys::Status::napi_ok || result.is_null() {
        return status;
    }
    // SAFETY: `result` is not NULL and napi_wrap, having succeeded, has put a live reference of `env` there; the count
    // may be NULL.
    unsafe { sys::napi_reference_ref(env, *result, ptr::null_mut()) }
}

/// Node takes a module that registers itself for one of the old kind and never calls `napi_register_module_v1`, so
/// nothing is registered.
///
/// # Safety
/// None is needed; it has the signature of what it replaces.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_napi_module_register(_module: *mut sys::napi_module) {}
