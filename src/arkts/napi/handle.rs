//! The two handles of Node-API, environment and value, and the macro that calls into the engine.

use std::marker::PhantomData;

use napi_ohos::bindgen_prelude::{FromNapiValue, ToNapiValue, TypeName, ValidateNapiValue};
use napi_ohos::{Error, Result, Status, ValueType, sys};

/// The engine failed a call. An exception may be pending.
#[derive(Clone, Copy, Debug)]
pub struct EngineError;

impl From<EngineError> for Error {
    fn from(EngineError: EngineError) -> Self {
        Self::new(Status::PendingException, "the engine refused")
    }
}

/// Returns `Ok` for napi_ok.
pub(super) fn check(status: sys::napi_status) -> std::result::Result<(), EngineError> {
    if status == sys::Status::napi_ok { Ok(()) } else { Err(EngineError) }
}

/// Calls a Node-API function whose last argument receives the result.
macro_rules! ask {
    ($function:ident, $env:expr $(, $argument:expr)*; $initial:expr) => {{
        let mut result = $initial;
        // SAFETY: the environment and its values are current. `Value` and `Engine` live at most as long as their native
        // call or handle scope, on the environment's own thread. The result is a place of the right type.
        let status = unsafe { napi_ohos::sys::$function($env $(, $argument)*, &mut result) };
        $crate::arkts::napi::handle::check(status).map(|()| result)
    }};
}

pub(super) use ask;

/// An environment, on its own thread.
#[derive(Clone, Copy)]
pub struct Engine(pub(super) sys::napi_env);

impl From<napi_ohos::Env> for Engine {
    fn from(env: napi_ohos::Env) -> Self {
        Self(env.raw())
    }
}

/// A JavaScript value. It is valid in the handle scope that made it.
#[derive(Clone, Copy)]
pub struct Value<'env> {
    pub(super) env: sys::napi_env,
    pub(super) raw: sys::napi_value,
    pub(super) scope: PhantomData<&'env ()>,
}

impl Engine {
    /// # Safety
    ///
    /// `env` must be current on this thread.
    pub unsafe fn from_raw(env: sys::napi_env) -> Self {
        Self(env)
    }

    pub fn raw(self) -> sys::napi_env {
        self.0
    }

    /// Wraps a raw value of the current native call.
    pub fn adopt<'env>(self, raw: sys::napi_value) -> Value<'env> {
        Value { env: self.0, raw, scope: PhantomData }
    }
}

impl Value<'_> {
    pub fn env(self) -> Engine {
        Engine(self.env)
    }

    pub fn raw(self) -> sys::napi_value {
        self.raw
    }
}

impl TypeName for Value<'_> {
    fn type_name() -> &'static str {
        "unknown"
    }

    fn value_type() -> ValueType {
        ValueType::Unknown
    }
}

impl ValidateNapiValue for Value<'_> {}

impl FromNapiValue for Value<'_> {
    unsafe fn from_napi_value(env: sys::napi_env, raw: sys::napi_value) -> Result<Self> {
        Ok(Self { env, raw, scope: PhantomData })
    }
}

impl ToNapiValue for Value<'_> {
    unsafe fn to_napi_value(_env: sys::napi_env, value: Self) -> Result<sys::napi_value> {
        Ok(value.raw)
    }
}
