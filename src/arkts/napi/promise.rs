//! Promises that are settled at once or later.

use std::ptr;

use napi_ohos::sys;

use super::handle::{Engine, EngineError, Value, ask, check};

/// Settles a promise once, on the thread of its environment. Its drop leaves the promise pending.
pub struct Deferred {
    env: sys::napi_env,
    raw: sys::napi_deferred,
}

impl Engine {
    /// Makes a settled promise.
    pub fn settled<'env>(
        self,
        outcome: Result<Value<'env>, Value<'env>>,
    ) -> Result<Value<'env>, EngineError> {
        let mut deferred = ptr::null_mut();
        let promise = ask!(napi_create_promise, self.0, &mut deferred; ptr::null_mut())?;
        // SAFETY: the deferred was made above and is used once.
        check(unsafe {
            match outcome {
                Ok(value) => sys::napi_resolve_deferred(self.0, deferred, value.raw),
                Err(error) => sys::napi_reject_deferred(self.0, deferred, error.raw),
            }
        })?;
        Ok(self.adopt(promise))
    }

    /// Makes a pending promise, and the value that settles it.
    pub fn promise<'env>(self) -> Result<(Value<'env>, Deferred), EngineError> {
        let mut raw = ptr::null_mut();
        let promise = ask!(napi_create_promise, self.0, &mut raw; ptr::null_mut())?;
        Ok((self.adopt(promise), Deferred { env: self.0, raw }))
    }
}

impl Value<'_> {
    /// Calls this function with two arguments after the current script.
    pub fn call_later(self, [first, second]: [Self; 2]) -> Result<(), EngineError> {
        let env = self.env();
        let undefined = env.undefined()?;
        let bound = self.get(c"bind")?.call(self, [undefined, first, second])?;
        let promise = env.settled(Ok(undefined))?;
        promise.get(c"then")?.call(promise, [bound]).map(|_| ())
    }
}

impl Deferred {
    pub fn env(&self) -> Engine {
        Engine(self.env)
    }

    pub fn settle(self, outcome: Result<Value<'_>, Value<'_>>) {
        // SAFETY: made by `napi_create_promise`, and used up here. An environment that ends fails the call. Nobody
        // waits then.
        let _ = unsafe {
            match outcome {
                Ok(value) => sys::napi_resolve_deferred(self.env, self.raw, value.raw),
                Err(error) => sys::napi_reject_deferred(self.env, self.raw, error.raw),
            }
        };
    }
}
