//! The ArkTS API: `@ohos.net.webSocket` as a native module, through Node-API.
//!
//! Owns the JavaScript objects, their listeners and the delivery of events to JavaScript's thread. Knows nothing of the C API.
//! `index.d.ts` in `package` declares the API of scripts.

mod abort_signal;
mod binding;
mod enums;
mod error;
mod event;
mod header;
mod instance;
mod js_listener;
mod js_waker;
mod known;
mod lenience;
mod message_iterator;
mod napi;
mod objects;
mod options;
mod server;
mod time_slice;
mod web;
mod websocket;

#[cfg(not(any(target_env = "ohos", feature = "arkvm-test")))]
mod node_shim;

use napi_derive_ohos::napi;
use napi_ohos::bindgen_prelude::Object;
use napi_ohos::{Env, JsValue, Result};

use self::instance::Instance;
use self::napi::{Engine, Value};
use self::web::realm::Realm;
use crate::client::LogLevel;

/// Runs when an environment loads the module.
#[napi(module_exports)]
pub fn load(exports: Object<'_>, env: Env) -> Result<()> {
    let env = Engine::from(env);
    let exports = env.adopt(exports.raw());
    enums::load(env, exports)?;
    let web_socket = websocket::load(env, exports)?;
    instance::set(env, Instance { web_socket, realm: Realm::new(env)? })?;
    web::load(env, exports)?;
    Ok(websocket::methods::load(exports)?)
}

/// The version of this library.
#[napi]
#[expect(non_upper_case_globals, reason = "the name in JavaScript")]
pub const version: &str = env!("CARGO_PKG_VERSION");

/// Makes a WebSocket client that is not connected.
#[napi(catch_unwind)]
pub fn create_web_socket<'env>(env: Env) -> Result<Value<'env>> {
    Ok(websocket::create(Engine::from(env))?)
}

/// Makes a WebSocket server that does not listen.
#[napi(catch_unwind)]
pub fn create_web_socket_server<'env>(env: Env) -> Result<Value<'env>> {
    Ok(server::create(Engine::from(env))?)
}

/// Sets the log level of the whole process.
#[napi(catch_unwind)]
pub fn set_log_level<'env>(env: Env, level: Value<'env>) -> Result<()> {
    match level.to_text().and_then(|name| LogLevel::parse(&name)) {
        Some(level) => {
            crate::client::set_log_level(level);
            Ok(())
        }
        None => {
            let wanted = "must be 'debug', 'info', 'warn', 'error' or 'off'";
            Err(error::ApiError::parameter("level", wanted).throw(Engine::from(env)).into())
        }
    }
}

/// Makes a signal for the option `signal` of `connect`.
#[napi(catch_unwind)]
pub fn create_abort_signal<'env>(env: Env) -> Result<Value<'env>> {
    Ok(abort_signal::create(Engine::from(env))?)
}
