//! The class `WebSocketStream` of the web, over the client of this library. A connection is a readable and a writable
//! stream.

use std::rc::Rc;

use super::exception::{illegal, of_api, throw_type};
use super::members::{Body, attribute, class, method};
use super::realm::{Constant, Realm};
use super::socket::{Attempt, attempt, sequence_of_texts, start_close};
use super::stream_error;
use super::streams::Streams;
use super::target::realm_of;
use crate::arkts::abort_signal::Signal;
use crate::arkts::binding::Binding;
use crate::arkts::known::{give, object_of};
use crate::arkts::napi::{Call, Deferred, Engine, EngineError, Reference, Value};

const NAME: &str = "WebSocketStream";
/// The close code of a signal that is aborted between the server's answer and the event `open`: going away.
const ABORTED: u16 = 1001;

/// The data of an object of the class.
struct Stream {
    binding: Rc<Binding<Streams>>,
    opened: Reference,
    closed: Reference,
}

impl Drop for Stream {
    /// The engine has collected the object.
    fn drop(&mut self) {
        self.binding.collected();
    }
}

/// Makes the class.
pub fn load(env: Engine, realm: &Realm) -> Result<(), EngineError> {
    let class = class(realm, env, NAME, 1, construct)?;
    let prototype = class.get(c"prototype")?;
    let getters: [(&str, Body); 3] = [
        ("url", |call| call.env().string(&stream(&call)?.binding.url.borrow())),
        ("opened", |call| stream(&call)?.opened.value()),
        ("closed", |call| stream(&call)?.closed.value()),
    ];
    for (name, getter) in getters {
        attribute(realm, &[prototype], name, getter, None)?;
    }
    method(prototype, "close", 0, |call| {
        let (env, binding) = (call.env(), &stream(&call)?.binding);
        let (code, reason) = stream_error::close_info(call.arguments[0], "close")?;
        binding.audience.close(binding, code, &reason);
        env.undefined()
    })?;
    realm.set(Constant::WebSocketStream, class)
}

fn stream<'env>(call: &Call<'env>) -> Result<&'env Stream, EngineError> {
    object_of(call.this).ok_or_else(|| illegal(call.env(), NAME))
}

/// `new WebSocketStream(url, {protocols, signal}, options)`.
fn construct(call: Call<'_>) -> Result<Value<'static>, EngineError> {
    let (env, this) = (call.env(), call.this);
    if call.new_target().is_none() {
        return Err(throw_type(env, "WebSocketStream: must be called with new"));
    }
    if call.count == 0 {
        return Err(throw_type(env, "WebSocketStream: the url is missing"));
    }
    let [url, init, options] = call.arguments;
    let url = url.coerce_text()?;
    if !init.is_absent() && !init.is_object() {
        return Err(throw_type(env, "WebSocketStream: the second argument must be an object"));
    }
    let member = |name| if init.is_absent() { env.undefined() } else { init.get(name) };
    let protocols = member(c"protocols")?;
    let protocols = if protocols.is_undefined() {
        Vec::new()
    } else {
        let texts = sequence_of_texts(realm_of(env)?, protocols)?;
        texts.ok_or_else(|| throw_type(env, "protocols: must be an array of strings"))?
    };
    let signal = Some(member(c"signal")?).filter(|signal| !signal.is_undefined());
    let wrong = |_| throw_type(env, "signal: must be an AbortSignal");
    let signal = signal.map(|value| Ok((value, Signal::parse(value).map_err(wrong)?))).transpose()?;
    let Attempt { href, origin: _, options } = attempt(NAME, &url, &protocols, options)?;
    if options.request.reconnect.is_some() {
        return Err(throw_type(env, "reconnect: a WebSocketStream has one connection only"));
    }
    let (opened, when_opened) = handled_promise(env)?;
    let (closed, when_closed) = handled_promise(env)?;
    let binding = Binding::new(Streams::new(when_opened, when_closed));
    binding.audience.binding.replace(Rc::downgrade(&binding));
    match signal {
        Some((value, signal)) if signal.is_aborted() => {
            binding.url.replace(href);
            binding.audience.abort(value)?;
        }
        signal => {
            let begun = binding.begin(env, href, options, Some(this));
            begun.map_err(|error| {
                of_api(env, &error).map_or_else(|failed| failed, |error| env.throw(error))
            })?;
            if let Some((value, signal)) = signal {
                let (weak, value) = (Rc::downgrade(&binding), Reference::new(value)?);
                let subscription = signal.subscribe(move || {
                    if let (Some(binding), Ok(value)) = (weak.upgrade(), value.value()) {
                        let _ = binding.audience.abort(value);
                        start_close(&binding, Some(ABORTED), "");
                    }
                })?;
                binding.audience.signal.replace(Some(subscription));
            }
        }
    }
    give(this, Stream { binding, opened: Reference::new(opened)?, closed: Reference::new(closed)? })?;
    env.undefined()
}

/// A promise whose rejection may stay unhandled, as in the standard.
fn handled_promise<'env>(env: Engine) -> Result<(Value<'env>, Deferred), EngineError> {
    let (promise, deferred) = env.promise()?;
    let nothing = env.function(|call| call.env().undefined())?;
    promise.get(c"then")?.call(promise, [env.undefined()?, nothing])?;
    Ok((promise, deferred))
}
