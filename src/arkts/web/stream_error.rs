//! The class `WebSocketError` of the web: a `DOMException` with a close code and a reason.

use super::exception::{illegal, throw_type};
use super::members::{Body, attribute};
use super::realm::{Constant, Realm};
use super::socket::{check_close, code_beside};
use super::target::realm_of;
use crate::arkts::napi::{Call, Engine, EngineError, Value};

const NAME: &str = "WebSocketError";

/// Makes the class from its base, the symbol of its state, and the function that reads its second argument. Only the
/// engine can derive from its own exceptions, because some do not let a native constructor return another object.
const CLASS: &str = "((Base, symbol, read) => class WebSocketError extends Base {
  constructor(message = '', init = undefined) {
    const state = read(init);
    super(message, 'WebSocketError');
    Object.defineProperty(this, symbol, { value: state });
  }
})";

/// Makes the class, in an engine that runs scripts.
pub fn load(env: Engine, realm: &Realm) -> Result<(), EngineError> {
    let Some(make) = env.run_script(CLASS) else { return Ok(()) };
    let symbol = env.symbol("close")?;
    realm.set(Constant::CloseState, symbol)?;
    let read_init = env.function(|call| {
        let env = call.env();
        let (code, reason) = close_info(call.arguments[0], NAME)?;
        let state = state_of(env, code_beside(code, &reason), &reason)?;
        Ok(env.adopt(state.raw()))
    })?;
    let class = make.call(make, [realm.get(Constant::DomException)?, symbol, read_init])?;
    let prototype = class.get(c"prototype")?;
    let tag = env.global()?.get(c"Symbol")?.get(c"toStringTag")?;
    prototype.set_fixed_by_value(tag, env.string(NAME)?)?;
    let getters: [(&str, Body); 2] =
        [("closeCode", |call| read(&call, 0)), ("reason", |call| read(&call, 1))];
    for (name, getter) in getters {
        attribute(realm, &[prototype], name, getter, None)?;
    }
    realm.set(Constant::WebSocketError, class)
}

fn state_of<'env>(env: Engine, code: Option<u16>, reason: &str) -> Result<Value<'env>, EngineError> {
    let code = code.map_or_else(|| env.null(), |code| env.number(f64::from(code)))?;
    env.array(&[code, env.string(reason)?])
}

/// Creates an error with any code, also one that a script must not use.
pub fn make<'env>(env: Engine, message: &str, code: u16, reason: &str) -> Result<Value<'env>, EngineError> {
    let realm = realm_of(env)?;
    let arguments = env.array(&[env.string(message)?, env.string(NAME)?])?;
    let (base, class) = (realm.get(Constant::DomException)?, realm.get(Constant::WebSocketError)?);
    let error = realm.get(Constant::Construct)?.call(base, [base, arguments, class])?;
    error.set_hidden_by_value(realm.get(Constant::CloseState)?, state_of(env, Some(code), reason)?)?;
    Ok(error)
}

/// The code and the reason of a `WebSocketError`. None for any other value.
pub fn close_info_of(value: Value<'_>) -> Result<(Option<u16>, String), EngineError> {
    let state = state(value)?;
    if state.is_absent() {
        return Ok((None, String::new()));
    }
    let code = state.element(0)?.to_number().map(|code| code as u16);
    Ok((code, state.element(1)?.to_text().unwrap_or_default()))
}

/// Reads an object with a close code and a reason from a script.
pub fn close_info(value: Value<'_>, method: &str) -> Result<(Option<u16>, String), EngineError> {
    let env = value.env();
    if value.is_absent() {
        return Ok((None, String::new()));
    }
    if !value.is_object() {
        return Err(throw_type(env, &format!("{method}: must be given an object of closeCode and reason")));
    }
    let code = value.get(c"closeCode")?;
    let code = if code.is_absent() { None } else { Some(enforce_range(code, method)?) };
    let reason = value.get(c"reason")?;
    let reason = if reason.is_undefined() { String::new() } else { reason.coerce_text()? };
    check_close(env, [method, "closeCode"], code, &reason)?;
    Ok((code, reason))
}

/// ConvertToInt with the attribute EnforceRange (WebIDL section 3.2.4.9) for 16 bits without a sign.
fn enforce_range(value: Value<'_>, method: &str) -> Result<u16, EngineError> {
    let number = value.coerce_number()?.trunc();
    if !(0.0..=f64::from(u16::MAX)).contains(&number) {
        let wanted = format!("{method}: closeCode: must be a number from 0 to 65535");
        return Err(throw_type(value.env(), &wanted));
    }
    Ok(number as u16)
}

/// The state of a `WebSocketError`. Undefined for any other value.
fn state<'env>(error: Value<'env>) -> Result<Value<'env>, EngineError> {
    let env = error.env();
    if error.is_object() {
        error.get_by_value(realm_of(env)?.get(Constant::CloseState)?)
    } else {
        env.undefined()
    }
}

fn read(call: &Call<'_>, index: u32) -> Result<Value<'static>, EngineError> {
    let state = state(call.this)?;
    if state.is_absent() {
        return Err(illegal(call.env(), NAME));
    }
    Ok(call.env().adopt(state.element(index)?.raw()))
}
