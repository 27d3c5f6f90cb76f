//! The ArkTS face: `@ohos.net.webSocket` as a native module.
//!
//! Owns the JavaScript object, its listeners and the way from the library's threads to JavaScript's. Knows nothing of C.

mod declarations;
mod doorbell;
mod error;
mod listener;
mod options;
mod value;
mod websocket;

#[cfg(not(target_env = "ohos"))]
mod node_shim;

use napi_derive_ohos::napi;
use napi_ohos::{Env, Result};

use self::value::{Engine, Value};

/// Makes a WebSocket client that is not connected.
#[napi(catch_unwind, ts_return_type = "WebSocket")]
pub fn create_web_socket<'env>(env: Env) -> Result<Value<'env>> {
    Ok(websocket::create(Engine::from(env))?)
}
