//! Values that outlive their handle scope.

use std::cell::RefCell;
use std::ptr;

use napi_ohos::sys;

use super::handle::{Engine, EngineError, Value, ask};

/// Keeps a value alive beyond its handle scope. Drop it on the thread of its environment.
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

/// Holds a value for a while. Use and drop it like a [`Reference`].
#[derive(Default)]
pub struct HeldValue(RefCell<Option<Reference>>);

impl HeldValue {
    pub fn hold(&self, value: Value<'_>) -> Result<(), EngineError> {
        self.0.replace(Some(Reference::new(value)?));
        Ok(())
    }

    pub fn release(&self) {
        self.0.take();
    }

    pub fn is_held(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// The value, while it is held.
    pub fn value<'env>(&self) -> Option<Value<'env>> {
        self.0.borrow().as_ref().and_then(|held| held.value().ok())
    }
}
