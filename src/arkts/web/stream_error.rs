//! The class `WebSocketError` of the web: a `DOMException` with a close code and a reason.

use super::exception::{illegal, throw_type};
use super::members::{Body, attribute, class};
use super::realm::{Constant, Realm};
use super::socket::{check_close, code_beside};
use super::target::realm_of;
use crate::arkts::napi::{Call, Engine, EngineError, Value};

const NAME: &str = "WebSocketError";

/// Makes the class.
pub fn load(env: Engine, realm: &Realm) -> Result<(), EngineError> {
    realm.set(Constant::CloseState, env.symbol("close")?)?;
    let class = class(realm, env, NAME, 0, construct)?;
    realm.extend(class, realm.get(Constant::DomException)?)?;
    let getters: [(&str, Body); 2] =
        [("closeCode", |call| read(&call, 0)), ("reason", |call| read(&call, 1))];
    for (name, getter) in getters {
        attribute(realm, &[class.get(c"prototype")?], name, getter, None)?;
    }
    realm.set(Constant::WebSocketError, class)
}

/// `new WebSocketError(message, {closeCode, reason})`.
fn construct(call: Call<'_>) -> Result<Value<'static>, EngineError> {
    let env = call.env();
    let Some(new_target) = call.new_target() else {
        return Err(throw_type(env, "WebSocketError: must be called with new"));
    };
    let [message, init, _] = call.arguments;
    let message = if message.is_undefined() { String::new() } else { message.coerce_text()? };
    let (code, reason) = close_info(init, NAME)?;
    let error = exception(new_target, &message, code_beside(code, &reason), &reason)?;
    Ok(env.adopt(error.raw()))
}

/// Makes an error whose code a script need not be allowed to close with.
pub fn make<'env>(env: Engine, message: &str, code: u16, reason: &str) -> Result<Value<'env>, EngineError> {
    exception(realm_of(env)?.get(Constant::WebSocketError)?, message, Some(code), reason)
}

fn exception<'env>(
    class: Value<'env>,
    message: &str,
    code: Option<u16>,
    reason: &str,
) -> Result<Value<'env>, EngineError> {
    let env = class.env();
    let realm = realm_of(env)?;
    let arguments = env.array(&[env.string(message)?, env.string(NAME)?])?;
    let base = realm.get(Constant::DomException)?;
    // None but the engine can make its exceptions.
    let error = realm.get(Constant::Construct)?.call(base, [base, arguments, class])?;
    let code = code.map_or_else(|| env.null(), |code| env.number(f64::from(code)))?;
    error.set_hidden_by_value(realm.get(Constant::CloseState)?, env.array(&[code, env.string(reason)?])?)?;
    Ok(error)
}

/// The code and the reason of a `WebSocketError`; nothing of any other value.
pub fn close_info_of(value: Value<'_>) -> Result<(Option<u16>, String), EngineError> {
    let state = state(value)?;
    if state.is_absent() {
        return Ok((None, String::new()));
    }
    let code = state.element(0)?.to_number().map(|code| code as u16);
    Ok((code, state.element(1)?.to_text().unwrap_or_default()))
}

/// Reads an object of a code and a reason, with which a script may close.
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

/// The state of a `WebSocketError`; undefined for any other value.
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
