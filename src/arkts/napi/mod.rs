//! Node-API as far as the ArkTS API needs it, safe to call.
//!
//! Owns most calls into the engine. Knows nothing of WebSockets. A call returns [`EngineError`] only when
//! the engine fails it, as it does while an environment ends.

mod engine;
mod function;
mod handle;
mod owned;
mod promise;
mod reference;
mod value;

pub use self::function::Call;
pub use self::handle::{Engine, EngineError, Value};
pub use self::promise::Deferred;
pub use self::reference::{HeldValue, Reference};
pub use self::value::{NoBytes, Type};
