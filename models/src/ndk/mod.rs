//! The C API's registry of clients and the barrier around their callbacks, and their models.

/// The library's thread-local values are loom's here: loom runs all threads of a model on one.
macro_rules! thread_local {
    ($(#[$attribute:meta])* static $name:ident: $type:ty = const $value:block;) => {
        loom::thread_local! { $(#[$attribute])* static $name: $type = $value; }
    };
}

mod barrier_models;
mod callback;
mod handle_models;

#[allow(dead_code)]
#[path = "../../../src/ndk/abi/mod.rs"]
mod abi;
#[path = "../../../src/ndk/callback_barrier.rs"]
mod callback_barrier;
#[allow(dead_code)]
#[path = "../../../src/ndk/client_ext.rs"]
mod client_ext;
#[allow(dead_code)]
#[path = "../../../src/ndk/handle.rs"]
mod handle;

pub use self::barrier_models::MODELS as BARRIER_MODELS;
pub use self::handle_models::MODELS as HANDLE_MODELS;
