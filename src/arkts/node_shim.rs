//! The function in which Node differs from ArkTS, for the host build that Node loads. `build.rs` makes the linker send every
//! call of `napi_module_register` here (`--wrap`). It is not part of the library for OpenHarmony.

use napi_ohos::sys;

/// Node takes a module that registers itself for an old one, and then never calls `napi_register_module_v1`. So nothing
/// is registered.
///
/// # Safety
///
/// None is needed; it has the signature of what it replaces.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap_napi_module_register(_module: *mut sys::napi_module) {}
