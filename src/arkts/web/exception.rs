//! Exceptions with the names of the web: the engine's `DOMException`, or the one of this library.

use super::members::{Body, attribute, class, constant};
use super::realm::{Constant, Realm};
use crate::arkts::error::ApiError;
use crate::arkts::instance;
use crate::arkts::napi::{Call, Engine, EngineError, Value};

/// The names of exceptions, and their legacy numbers (WebIDL section 2.8.1).
const CODES: [(&str, &str, u32); 7] = [
    ("NotSupportedError", "NOT_SUPPORTED_ERR", 9),
    ("InvalidStateError", "INVALID_STATE_ERR", 11),
    ("SyntaxError", "SYNTAX_ERR", 12),
    ("InvalidAccessError", "INVALID_ACCESS_ERR", 15),
    ("SecurityError", "SECURITY_ERR", 18),
    ("NetworkError", "NETWORK_ERR", 19),
    ("AbortError", "ABORT_ERR", 20),
];

/// Throws an exception with this name.
pub fn throw(env: Engine, name: &str, message: &str) -> EngineError {
    make(env, name, message).map_or_else(|failed| failed, |exception| env.throw(exception))
}

pub fn make<'env>(env: Engine, name: &str, message: &str) -> Result<Value<'env>, EngineError> {
    let class = instance::of(env)?.realm.get(Constant::DomException)?;
    class.construct_with([env.string(message)?, env.string(name)?])
}

/// Throws a TypeError.
pub fn throw_type(env: Engine, message: &str) -> EngineError {
    env.type_error(message).map_or_else(|failed| failed, |error| env.throw(error))
}

/// Throws because `this` is not an instance of the member's class.
pub fn illegal(env: Engine, class: &str) -> EngineError {
    throw_type(env, &format!("this is not an instance of {class}"))
}

/// The exception for an error of a call. It has the web's name if one exists, and always our `code`.
pub fn of_api<'env>(env: Engine, error: &ApiError) -> Result<Value<'env>, EngineError> {
    if error.is_permission() {
        return make(env, "SecurityError", &error.message);
    }
    if !error.is_parameter() {
        return error.value(env);
    }
    let exception = env.type_error(&error.message)?;
    exception.set(c"code", env.number(f64::from(error.code))?)?;
    Ok(exception)
}

/// Creates the class if the engine lacks it.
pub fn load(env: Engine, realm: &Realm) -> Result<(), EngineError> {
    if realm.class(Constant::DomException).is_some() {
        return Ok(());
    }
    let exception = class(realm, env, "DOMException", 0, construct)?;
    realm.extend(exception, env.global()?.get(c"Error")?)?;
    let prototype = exception.get(c"prototype")?;
    let getters: [(&str, Body); 3] = [
        ("name", |call| state(&call)?.element(0)),
        ("message", |call| state(&call)?.element(1)),
        ("code", |call| {
            let name = state(&call)?.element(0)?.to_text().unwrap_or_default();
            let code = CODES.iter().find(|(known, ..)| *known == name).map_or(0, |(.., code)| *code);
            call.env().number(f64::from(code))
        }),
    ];
    for (name, getter) in getters {
        attribute(realm, &[prototype], name, getter, None)?;
    }
    for (_, name, code) in CODES {
        constant(exception, name, f64::from(code))?;
    }
    realm.set(Constant::DomException, exception)
}

/// `new DOMException(message, name)`.
fn construct(call: Call<'_>) -> Result<Value<'static>, EngineError> {
    let env = call.env();
    if call.new_target().is_none() {
        return Err(throw_type(env, "DOMException: must be called with new"));
    }
    let [message, name, _] = call.arguments;
    let text = |value: Value<'_>, default: &str| {
        if value.is_undefined() { env.string(default) } else { env.string(&value.coerce_text()?) }
    };
    let (name, message) = (text(name, "Error")?, text(message, "")?);
    let realm = &instance::of(env)?.realm;
    call.this.set_hidden_by_value(realm.get(Constant::State)?, env.array(&[name, message])?)?;
    // `stack` is a property of each error. Only the engine can create it.
    let stack = env.plain_error(&message.to_text().unwrap_or_default())?.get(c"stack")?;
    call.this.set_unlisted(c"stack", stack)?;
    env.undefined()
}

fn state<'env>(call: &Call<'env>) -> Result<Value<'static>, EngineError> {
    let env = call.env();
    let state = call.this.get_by_value(instance::of(env)?.realm.get(Constant::State)?)?;
    if state.is_absent() {
        return Err(illegal(env, "DOMException"));
    }
    Ok(env.adopt(state.raw()))
}
