//! The enums of `index.d.ts` as TypeScript makes them: names lead to numbers, and numbers to names.
//!
//! What napi-ohos exports instead has hidden names and no way back. The declarations are in `declarations`.

use std::ffi::CStr;

use super::napi::{Engine, EngineError, Value};

/// Those of `Cause`, from 1 on.
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

/// Those of `TlsProtocol`, from 0 on.
const TLS_PROTOCOLS: [&CStr; 4] = [c"TLS_V_1_0", c"TLS_V_1_1", c"TLS_V_1_2", c"TLS_V_1_3"];

/// Puts the enums in the place of those that napi-ohos has exported.
pub fn load(env: Engine, exports: Value<'_>) -> Result<(), EngineError> {
    exports.set(c"Cause", enumeration(env, exports.get(c"Cause")?, &CAUSES)?)?;
    exports.set(c"TlsProtocol", enumeration(env, exports.get(c"TlsProtocol")?, &TLS_PROTOCOLS)?)
}

/// An enum with the numbers of `exported`.
fn enumeration<'env>(env: Engine, exported: Value<'_>, names: &[&CStr]) -> Result<Value<'env>, EngineError> {
    let object = env.object()?;
    for name in names {
        let number = exported.get(name)?;
        object.set(name, number)?;
        object.set_by_value(number, env.text(name.to_bytes())?)?;
    }
    Ok(object)
}
