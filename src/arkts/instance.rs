//! The data of the library for each environment. A thread can have several environments at the same time.

use super::napi::{Engine, EngineError, Reference};
use super::web::realm::Realm;

/// See the module.
pub struct Instance {
    /// The class of the objects that `createWebSocket` returns.
    pub web_socket: Reference,
    pub realm: Realm,
}

/// Keeps `instance` while the environment lives.
pub fn set(env: Engine, instance: Instance) -> Result<(), EngineError> {
    env.set_instance_data(Box::new(instance))
}

pub fn of<'env>(env: Engine) -> Result<&'env Instance, EngineError> {
    // SAFETY: `set` gives this type, and nothing else in the library sets instance data.
    unsafe { env.instance_data() }
}
