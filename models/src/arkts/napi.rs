//! Replaces `arkts/napi`: js_waker.rs creates one string with it.

use std::ptr;

use crate::napi::sys;

#[derive(Clone, Copy)]
pub struct Engine(sys::napi_env);

#[derive(Debug)]
pub struct EngineError;

pub struct Value;

impl Engine {
    pub unsafe fn from_raw(env: sys::napi_env) -> Self {
        Self(env)
    }

    pub fn raw(self) -> sys::napi_env {
        self.0
    }

    pub fn string(self, _text: &str) -> Result<Value, EngineError> {
        Ok(Value)
    }
}

impl Value {
    pub fn raw(&self) -> sys::napi_value {
        ptr::null_mut()
    }
}
