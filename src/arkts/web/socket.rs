//! The class `WebSocket` of the web (WHATWG WebSockets section 3), over the client of this library.

use std::rc::{Rc, Weak};

use super::event_target::{self, attach, own_of};
use super::exception::{illegal, of_api, throw, throw_type};
use super::hearing::{BinaryType, Hearing, Outgoing, ReadyState};
use super::members::{Body, attribute, class, constant, method};
use super::realm::{Constant, Realm};
use super::target::{self, Target, realm_of};
use crate::arkts::binding::{Audience, Binding};
use crate::arkts::lenience::Lenience;
use crate::arkts::napi::{Call, Engine, EngineError, NoBytes, Type, Value};
use crate::arkts::options::{ConnectOptions, connect_options};
use crate::client::{
    CLOSE_REASON_BYTES_MAX, MessageType, Options, SendError, State, UrlError, is_token, parse_web_url,
};

/// The close codes that a script may use: 1000, and those for libraries and applications (RFC 6455 section 7.4.2).
const NORMAL: u16 = 1000;
const OWN_CODES: std::ops::RangeInclusive<u16> = 3000..=4999;
/// Sent if messages pile up beyond the limit of the send queue: a message too big to process.
const FULL: u32 = 1009;

/// The data of an object in addition to its listeners.
struct Socket {
    binding: Rc<Binding<Hearing>>,
}

impl Drop for Socket {
    /// The engine has collected the object.
    fn drop(&mut self) {
        self.binding.collected();
    }
}

/// Makes the class.
pub fn load(env: Engine, realm: &Realm) -> Result<(), EngineError> {
    let class = class(realm, env, "WebSocket", 1, construct)?;
    let base = realm.get(Constant::EventTarget)?;
    realm.extend(class, base)?;
    for (name, state) in [
        ("CONNECTING", ReadyState::Connecting),
        ("OPEN", ReadyState::Open),
        ("CLOSING", ReadyState::Closing),
        ("CLOSED", ReadyState::Closed),
    ] {
        constant(class, name, f64::from(state as u8))?;
    }
    let prototype = class.get(c"prototype")?;
    // The engine's methods accept only the engine's own targets.
    if realm.has_events {
        event_target::methods(prototype)?;
    }
    let getters: [(&str, Body); 5] = [
        ("url", |call| call.env().string(&binding(&call)?.url.borrow())),
        ("readyState", ready_state),
        ("bufferedAmount", buffered_amount),
        ("extensions", |call| opened(&call, |opened| opened.extensions.as_deref().map(str::to_owned))),
        ("protocol", |call| opened(&call, |opened| opened.protocol.as_deref().map(str::to_owned))),
    ];
    for (name, getter) in getters {
        attribute(realm, &[prototype], name, getter, None)?;
    }
    let handlers: [(&str, Body, Body); 4] = [
        ("onopen", |call| handler(&call, "open"), |call| set_handler(&call, "open")),
        ("onmessage", |call| handler(&call, "message"), |call| set_handler(&call, "message")),
        ("onerror", |call| handler(&call, "error"), |call| set_handler(&call, "error")),
        ("onclose", |call| handler(&call, "close"), |call| set_handler(&call, "close")),
    ];
    for (name, getter, setter) in handlers {
        attribute(realm, &[prototype], name, getter, Some(setter))?;
    }
    attribute(realm, &[prototype], "binaryType", binary_type, Some(set_binary_type))?;
    method(prototype, "send", 1, send)?;
    method(prototype, "close", 0, close)?;
    realm.set(Constant::WebSocket, class)
}

fn binding<'env>(call: &Call<'env>) -> Result<&'env Rc<Binding<Hearing>>, EngineError> {
    own_of::<Socket>(call.this).map(|socket| &socket.binding).ok_or_else(|| illegal(call.env(), "WebSocket"))
}

/// `new WebSocket(url, protocols, options)`.
fn construct(call: Call<'_>) -> Result<Value<'static>, EngineError> {
    let env = call.env();
    if call.new_target().is_none() {
        return Err(throw_type(env, "WebSocket: must be called with new"));
    }
    if call.count == 0 {
        return Err(throw_type(env, "WebSocket: the url is missing"));
    }
    let realm = realm_of(env)?;
    let [url, protocols, options] = call.arguments;
    let url = url.coerce_text()?;
    let protocols = protocol_texts(realm, protocols)?;
    let Attempt { href, origin, options } = attempt("WebSocket", &url, &protocols, options)?;
    begin(call.this, href, origin, options)?;
    env.undefined()
}

/// The parsed arguments of a constructor.
pub struct Attempt<'env> {
    pub href: String,
    pub origin: String,
    pub options: ConnectOptions<'env>,
}

/// Reads the arguments of the constructor of `class`. `options` are those of `connect`.
pub fn attempt<'env>(
    class: &'static str,
    url: &str,
    protocols: &[String],
    options: Value<'env>,
) -> Result<Attempt<'env>, EngineError> {
    let env = options.env();
    let syntax = |message: &str| throw(env, "SyntaxError", message);
    let url = parse_web_url(url, page(env)?.as_deref()).map_err(|error| match error {
        UrlError::NoScheme => {
            syntax("url: must be absolute, beginning with ws://, wss://, http:// or https://")
        }
        error => syntax(&error.to_string()),
    })?;
    check_protocols(protocols).map_err(|why| syntax(&format!("protocols: {why}")))?;
    // Redirects fail. So does a server that chooses no sub-protocol.
    let base = Options {
        protocols: protocols.join(", "),
        protocol_required: true,
        max_redirects: 0,
        ..Options::default()
    };
    let refused = |error| of_api(env, &error).map_or_else(|failed| failed, |error| env.throw(error));
    // The standard ignores further arguments.
    let options = if options.type_of() == Type::Object { options } else { env.undefined()? };
    let options = connect_options(base, options, Lenience { client: 0, method: class }).map_err(refused)?;
    if options.request.session.in_pieces {
        return Err(throw_type(env, &format!("receivePieces: a web {class} delivers whole messages only")));
    }
    Ok(Attempt { href: url.href, origin: url.origin, options })
}

/// The URL of the page, in an engine that shows one.
fn page(env: Engine) -> Result<Option<String>, EngineError> {
    let location = env.global()?.get(c"location")?;
    if location.is_object() { Ok(location.get(c"href")?.to_text()) } else { Ok(None) }
}

/// Makes the connection of a new object.
fn begin(
    object: Value<'_>,
    href: String,
    origin: String,
    options: ConnectOptions<'_>,
) -> Result<(), EngineError> {
    let (env, realm) = (object.env(), realm_of(object.env())?);
    let has_blob = realm.class(Constant::Blob).is_some();
    let binary_type = if has_blob { BinaryType::Blob } else { BinaryType::ArrayBuffer };
    let binding = Binding::new(Hearing::new(origin, binary_type, options.request.reconnect.is_some()));
    let begun = binding.begin(env, href, options, None);
    begun.map_err(|error| of_api(env, &error).map_or_else(|failed| failed, |error| env.throw(error)))?;
    let target: Rc<Target> = binding.audience.target.clone();
    attach(realm, object, target, Socket { binding })
}

/// The second argument: a text, or an object that iterates over texts.
fn protocol_texts(realm: &Realm, value: Value<'_>) -> Result<Vec<String>, EngineError> {
    if value.is_undefined() {
        return Ok(Vec::new());
    }
    match sequence_of_texts(realm, value)? {
        Some(texts) => Ok(texts),
        None => Ok(vec![value.coerce_text()?]),
    }
}

/// The texts that an object iterates over. `None` for a text, and for a value that does not iterate.
pub fn sequence_of_texts(realm: &Realm, value: Value<'_>) -> Result<Option<Vec<String>>, EngineError> {
    let env = value.env();
    if !value.is_object() {
        return Ok(None);
    }
    let iterator = env.adopt(env.global()?.get(c"Symbol")?.get(c"iterator")?.raw());
    if value.get_by_value(iterator)?.is_absent() {
        return Ok(None);
    }
    let from = env.adopt(realm.get(Constant::ArrayFrom)?.raw());
    let texts = from.call(value, [value])?.elements().ok_or(EngineError)?;
    texts.into_iter().map(Value::coerce_text).collect::<Result<_, _>>().map(Some)
}

fn check_protocols(protocols: &[String]) -> Result<(), &'static str> {
    for (index, protocol) in protocols.iter().enumerate() {
        if !is_token(protocol.as_bytes()) {
            return Err("each must be a token (RFC 9110 5.6.2), not empty and without spaces");
        }
        if protocols[..index].iter().any(|other| other.eq_ignore_ascii_case(protocol)) {
            return Err("a sub-protocol occurs twice");
        }
    }
    Ok(())
}

fn ready_state(call: Call<'_>) -> Result<Value<'static>, EngineError> {
    let Binding { audience, client, events, .. } = &**binding(&call)?;
    let state = match audience.state.get() {
        // The server has started to close, and all earlier events were delivered.
        ReadyState::Open if !matches!(client.state(), State::Open) && events.is_empty() => {
            ReadyState::Closing
        }
        state => state,
    };
    call.env().number(f64::from(state as u8))
}

fn buffered_amount(call: Call<'_>) -> Result<Value<'static>, EngineError> {
    let binding = binding(&call)?;
    let hearing = &binding.audience;
    hearing.look(binding);
    call.env().number(hearing.unsent.bytes() as f64)
}

fn opened(
    call: &Call<'_>,
    read: impl FnOnce(&crate::client::Opened) -> Option<String>,
) -> Result<Value<'static>, EngineError> {
    let Binding { audience, client, .. } = &**binding(call)?;
    let opened = client.handshake_response().filter(|_| audience.was_open.get());
    call.env().string(&opened.and_then(|opened| read(&opened)).unwrap_or_default())
}

fn handler(call: &Call<'_>, kind: &str) -> Result<Value<'static>, EngineError> {
    let (env, target) = (call.env(), &binding(call)?.audience.target);
    let value = target.handler(target::holder(realm_of(env)?, call.this)?, kind)?;
    Ok(env.adopt(value.raw()))
}

fn set_handler(call: &Call<'_>, kind: &str) -> Result<Value<'static>, EngineError> {
    let (env, target) = (call.env(), &binding(call)?.audience.target);
    target.set_handler(target::holder(realm_of(env)?, call.this)?, kind, call.arguments[0])?;
    env.undefined()
}

fn binary_type(call: Call<'_>) -> Result<Value<'static>, EngineError> {
    call.env().string(match binding(&call)?.audience.binary_type.get() {
        BinaryType::Blob => "blob",
        BinaryType::ArrayBuffer => "arraybuffer",
    })
}

/// Any other value changes nothing. `blob` changes nothing in an engine without Blob.
fn set_binary_type(call: Call<'_>) -> Result<Value<'static>, EngineError> {
    let (env, binary_type) = (call.env(), &binding(&call)?.audience.binary_type);
    match call.arguments[0].coerce_text()?.as_str() {
        "blob" if realm_of(env)?.class(Constant::Blob).is_some() => binary_type.set(BinaryType::Blob),
        "arraybuffer" => binary_type.set(BinaryType::ArrayBuffer),
        _ => {}
    }
    env.undefined()
}

/// `send(data)`.
fn send(call: Call<'_>) -> Result<Value<'static>, EngineError> {
    let (env, binding) = (call.env(), binding(&call)?);
    let [data, ..] = call.arguments;
    if call.count == 0 {
        return Err(throw_type(env, "send: the data is missing"));
    }
    let refused = || throw(env, "InvalidStateError", "send: the connection is not open yet");
    let connecting = || binding.audience.state.get() == ReadyState::Connecting;
    let text = data.with_text(|text| match connecting() {
        true => Err(refused()),
        false => queue(env, binding, MessageType::Text, text),
    });
    if let Some(outcome) = text {
        outcome?;
        return env.undefined();
    }
    if data.is_object() {
        let bytes = data.with_bytes(|bytes| match connecting() {
            true => Err(refused()),
            false => queue(env, binding, MessageType::Binary, bytes),
        });
        match bytes {
            Ok(outcome) => {
                outcome?;
                return env.undefined();
            }
            Err(NoBytes::Detached) if connecting() => return Err(refused()),
            Err(NoBytes::Detached) => {
                queue(env, binding, MessageType::Binary, &[])?;
                return env.undefined();
            }
            Err(NoBytes::Shared) => {
                let wanted = "send: data: must not be a view into a SharedArrayBuffer";
                return Err(throw_type(env, wanted));
            }
            Err(NoBytes::OtherType) => {}
        }
        if let Some(class) = realm_of(env)?.class(Constant::Blob)
            && data.is_instance(env.adopt(class.raw()))
        {
            if connecting() {
                return Err(refused());
            }
            queue_blob(env, binding, data)?;
            return env.undefined();
        }
    }
    let text = data.coerce_text()?;
    if connecting() {
        return Err(refused());
    }
    queue(env, binding, MessageType::Text, text.as_bytes())?;
    env.undefined()
}

/// Queues a message of a socket that has been open, behind the Blobs before it.
fn queue(
    env: Engine,
    binding: &Rc<Binding<Hearing>>,
    kind: MessageType,
    bytes: &[u8],
) -> Result<(), EngineError> {
    let hearing = &binding.audience;
    if hearing.state.get() != ReadyState::Open {
        hearing.unsent.refuse(bytes.len());
        return Ok(());
    }
    begin_sending(env, binding)?;
    let mut outbox = hearing.outbox.borrow_mut();
    if outbox.is_empty() {
        drop(outbox);
        transmit(binding, kind, bytes);
    } else {
        hearing.unsent.wait(bytes.len());
        outbox.push_back(Outgoing::Message(kind, bytes.to_vec()));
    }
    Ok(())
}

/// The running script sends something. Until it ends, none of it counts as sent.
fn begin_sending(env: Engine, binding: &Rc<Binding<Hearing>>) -> Result<(), EngineError> {
    let hearing = &binding.audience;
    if hearing.settled.get() {
        hearing.look(binding);
        realm_of(env)?.settle_later(env, &hearing.settled)?;
    }
    Ok(())
}

fn transmit(binding: &Binding<Hearing>, kind: MessageType, bytes: &[u8]) {
    let Binding { audience: hearing, client, .. } = binding;
    match client.send(kind, bytes) {
        Ok(()) => hearing.unsent.queue(bytes.len()),
        // The server has started to close or the connection is lost, and the event is queued.
        Err(SendError::NotConnected) => hearing.unsent.refuse(bytes.len()),
        // The standard requires a close if the send buffer is full.
        Err(
            SendError::QueueFull
            | SendError::TooLong
            | SendError::NoMemory
            | SendError::Utf8
            | SendError::Interrupted
            | SendError::Unfinished,
        ) => {
            hearing.unsent.refuse(bytes.len());
            hearing.failed.set(true);
            hearing.enter(ReadyState::Closing);
            let _ = client.close(FULL, "");
        }
    }
}

/// Queues a Blob, whose bytes the engine reads first.
fn queue_blob(env: Engine, binding: &Rc<Binding<Hearing>>, blob: Value<'_>) -> Result<(), EngineError> {
    let size = blob.get(c"size")?.to_number().unwrap_or_default() as usize;
    let hearing = &binding.audience;
    if hearing.state.get() != ReadyState::Open {
        hearing.unsent.refuse(size);
        return Ok(());
    }
    begin_sending(env, binding)?;
    hearing.unsent.wait(size);
    let number = binding.promises.new_receipt();
    hearing.outbox.borrow_mut().push_back(Outgoing::Blob(number));
    let promise = blob.get(c"arrayBuffer")?.call(blob, [])?;
    let weak = Rc::downgrade(binding);
    let read = env.function(move |call| {
        let bytes = call.arguments[0].with_bytes(<[u8]>::to_vec).ok();
        blob_read(&weak, number, bytes);
        call.env().undefined()
    })?;
    let weak = Rc::downgrade(binding);
    let failed = env.function(move |call| {
        blob_read(&weak, number, None);
        call.env().undefined()
    })?;
    promise.get(c"then")?.call(promise, [read, failed]).map(|_| ())
}

/// The bytes of a Blob were read. If reading failed, the connection ends.
fn blob_read(binding: &Weak<Binding<Hearing>>, number: u64, bytes: Option<Vec<u8>>) {
    let Some(binding) = binding.upgrade() else { return };
    let hearing = &binding.audience;
    for waiting in hearing.outbox.borrow_mut().iter_mut() {
        if matches!(waiting, Outgoing::Blob(known) if *known == number) {
            *waiting = match bytes {
                Some(bytes) => Outgoing::Message(MessageType::Binary, bytes),
                None => {
                    hearing.failed.set(true);
                    Outgoing::Close(Some(NORMAL), String::new())
                }
            };
            break;
        }
    }
    loop {
        let mut outbox = hearing.outbox.borrow_mut();
        let waits = matches!(outbox.front(), Some(Outgoing::Blob(_)));
        let ready = if waits { None } else { outbox.pop_front() };
        drop(outbox);
        match ready {
            Some(Outgoing::Message(kind, bytes)) => {
                hearing.unsent.waits_no_more(bytes.len());
                transmit(&binding, kind, &bytes);
            }
            Some(Outgoing::Close(code, reason)) => start_close(&binding, code, &reason),
            Some(Outgoing::Blob(_)) | None => return,
        }
    }
}

/// `close(code, reason)`.
fn close(call: Call<'_>) -> Result<Value<'static>, EngineError> {
    let (env, binding) = (call.env(), binding(&call)?);
    let [code, reason, _] = call.arguments;
    let code = if code.is_undefined() { None } else { Some(clamp(code.coerce_number()?)) };
    let reason = if reason.is_undefined() { String::new() } else { reason.coerce_text()? };
    check_close(env, ["close", "code"], code, &reason)?;
    let hearing = &binding.audience;
    if hearing.state.get() < ReadyState::Closing {
        hearing.given_up.set(!hearing.was_open.get());
        hearing.enter(ReadyState::Closing);
        if hearing.outbox.borrow().is_empty() {
            start_close(binding, code, &reason);
        } else {
            hearing.outbox.borrow_mut().push_back(Outgoing::Close(code, reason));
        }
    }
    env.undefined()
}

/// Refuses a code and a reason that a script must not use. The two names are those of the method and of its code.
pub fn check_close(
    env: Engine,
    [method, name]: [&str; 2],
    code: Option<u16>,
    reason: &str,
) -> Result<(), EngineError> {
    if let Some(code) = code
        && code != NORMAL
        && !OWN_CODES.contains(&code)
    {
        let wanted = format!("{method}: {name}: must be 1000 or from 3000 to 4999, but is {code}");
        return Err(throw(env, "InvalidAccessError", &wanted));
    }
    if reason.len() > CLOSE_REASON_BYTES_MAX {
        let wanted = format!(
            "{method}: reason: must be at most {CLOSE_REASON_BYTES_MAX} bytes of UTF-8, but is {}",
            reason.len()
        );
        return Err(throw(env, "SyntaxError", &wanted));
    }
    Ok(())
}

/// The close code. A reason needs one.
pub fn code_beside(code: Option<u16>, reason: &str) -> Option<u16> {
    code.or_else(|| (!reason.is_empty()).then_some(NORMAL))
}

/// Starts the closing handshake, or cancels the attempt.
pub fn start_close<A: Audience>(binding: &Binding<A>, code: Option<u16>, reason: &str) {
    // A connection that has already ended is closed.
    let _ = match code_beside(code, reason) {
        Some(code) => binding.client.close(code.into(), reason),
        None => binding.client.close_without_code(),
    };
}

/// ConvertToInt with the attribute Clamp (WebIDL section 3.2.4.9) for 16 bits without a sign.
fn clamp(number: f64) -> u16 {
    if number.is_nan() { 0 } else { number.clamp(0.0, f64::from(u16::MAX)).round_ties_even() as u16 }
}
