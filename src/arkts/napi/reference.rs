//! Values that outlive their handle scope.

use std::ptr;

use napi_ohos::sys;

use super::handle::{Engine, EngineError, Value, ask};

/// Keeps a value alive beyond its handle scope. It must be dropped on the thread of its environment.
pub struct Reference {
    env: sys::napi_env,
    reference: sys::napi_ref,
}

impl Reference {
    pub fn new(value: Value<'_>) -> Result<Self, EngineError> {
        let reference = ask!(napi_create_reference, value.env, value.raw, 1; ptr::null_mut())?;
        Ok(Self { env: value.env, reference })
    }

    pub fn value<'env>(&self) -> Result<Value<'env>, EngineError> {
        ask!(napi_get_reference_value, self.env, self.reference; ptr::null_mut())
            .map(|raw| Engine(self.env).adopt(raw))
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        // SAFETY: made by `napi_create_reference` and deleted once.
        let _ = unsafe { sys::napi_delete_reference(self.env, self.reference) };
    }
}
