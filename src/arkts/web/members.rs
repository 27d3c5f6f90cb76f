//! Members of classes, as in the interface definitions of the web.

use std::ffi::CString;

use super::realm::{Constant, Realm};
use crate::arkts::napi::{Call, Engine, EngineError, Value};

/// The body of a method, or of the getter or setter of an attribute.
pub type Body = fn(Call<'_>) -> Result<Value<'static>, EngineError>;

/// Adds a method to a prototype or a class. `length`: the number of required arguments.
pub fn method(object: Value<'_>, name: &str, length: u32, body: Body) -> Result<(), EngineError> {
    let env = object.env();
    let function = function(env, name, length, body)?;
    object.set_own(env.string(name)?, function)
}

/// Adds an attribute to each of `prototypes`.
pub fn attribute(
    realm: &Realm,
    prototypes: &[Value<'_>],
    name: &str,
    getter: Body,
    setter: Option<Body>,
) -> Result<(), EngineError> {
    let Some(env) = prototypes.first().map(|prototype| prototype.env()) else { return Ok(()) };
    let descriptor = env.object()?;
    descriptor.set(c"get", function(env, &format!("get {name}"), 0, getter)?)?;
    if let Some(setter) = setter {
        descriptor.set(c"set", function(env, &format!("set {name}"), 1, setter)?)?;
    }
    descriptor.set(c"enumerable", env.boolean(true)?)?;
    descriptor.set(c"configurable", env.boolean(true)?)?;
    let define = realm.get(Constant::DefineProperty)?;
    let name = env.string(name)?;
    for prototype in prototypes {
        define.call(descriptor, [env.adopt(prototype.raw()), name, descriptor])?;
    }
    Ok(())
}

/// Adds a constant to a class and its prototype.
pub fn constant(class: Value<'_>, name: &str, number: f64) -> Result<(), EngineError> {
    let name = CString::new(name).map_err(|_| EngineError)?;
    let number = class.env().number(number)?;
    class.set_constant(&name, number)?;
    class.get(c"prototype")?.set_constant(&name, number)
}

/// Creates a class. `length`: the number of required arguments of its constructor.
pub fn class<'env>(
    realm: &Realm,
    env: Engine,
    name: &str,
    length: u32,
    construct: Body,
) -> Result<Value<'env>, EngineError> {
    let class: Value<'env> = env.class(name, construct)?;
    set_length(class, length)?;
    let prototype = class.get(c"prototype")?;
    let symbol = env.global()?.get(c"Symbol")?.get(c"toStringTag")?;
    prototype.set_fixed_by_value(symbol, env.string(name)?)?;
    prototype.set_unlisted(c"constructor", class)?;
    let descriptor = env.object()?;
    descriptor.set(c"writable", env.boolean(false)?)?;
    // An engine may have fixed it already.
    let _ = realm.get(Constant::DefineProperty)?.call(class, [class, env.string("prototype")?, descriptor]);
    env.drop_exception();
    Ok(class)
}

fn function<'env>(env: Engine, name: &str, length: u32, body: Body) -> Result<Value<'env>, EngineError> {
    let function = env.named_function(name, body)?;
    set_length(function, length)?;
    Ok(function)
}

fn set_length(function: Value<'_>, length: u32) -> Result<(), EngineError> {
    let env = function.env();
    function.set_fixed_by_value(env.string("length")?, env.number(f64::from(length))?)
}
