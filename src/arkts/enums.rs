//! The enums of `index.d.ts` as TypeScript compiles them: they map names to numbers and numbers to names.
//!
//! napi-ohos would hide the names of a Rust enum and not map numbers back.

use std::ffi::CStr;

use super::napi::{Engine, EngineError, Value};

/// The values of `Cause`, from 1 on. The numbers never change.
const CAUSES: [&CStr; 17] = [
    c"LOOKUP",
    c"CONNECT",
    c"TIMEOUT",
    c"TLS",
    c"CERTIFICATE",
    c"HTTP_4XX",
    c"HTTP_5XX",
    c"UPGRADE",
    c"LOST",
    c"PROTOCOL",
    c"RESTART",
    c"CLOSED",
    c"APPLICATION",
    c"PREPARE",
    c"OPTIONS",
    c"INTERNAL",
    c"NO_ANSWER",
];

/// The values of `TlsProtocol`, from 0 on.
const TLS_PROTOCOLS: [&CStr; 4] = [c"TLS_V_1_0", c"TLS_V_1_1", c"TLS_V_1_2", c"TLS_V_1_3"];

/// Exports the enums.
pub fn load(env: Engine, exports: Value<'_>) -> Result<(), EngineError> {
    exports.set(c"Cause", enumeration(env, 1, &CAUSES)?)?;
    exports.set(c"TlsProtocol", enumeration(env, 0, &TLS_PROTOCOLS)?)
}

/// An enum whose names have the numbers from `first` on.
fn enumeration<'env>(env: Engine, first: u8, names: &[&CStr]) -> Result<Value<'env>, EngineError> {
    let object = env.object()?;
    for (number, name) in (first..).zip(names) {
        let number = env.number(f64::from(number))?;
        object.set(name, number)?;
        object.set_by_value(number, env.text(name.to_bytes())?)?;
    }
    Ok(object)
}
