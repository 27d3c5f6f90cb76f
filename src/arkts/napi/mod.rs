//! The part of Node-API that the ArkTS API needs, as safe calls.
//!
//! Owns most calls into the engine. Knows nothing of WebSockets. A call returns [`EngineError`] only if the engine
//! fails it, for example while an environment ends.

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
