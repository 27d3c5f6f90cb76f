//! What stands under js_waker.rs in the library, and its models.

#[allow(dead_code)]
#[path = "../../../src/arkts/js_waker.rs"]
mod js_waker;
mod models;
mod napi;

pub use self::models::MODELS;
