//! Client requests that JavaScript answers.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::arkts::error::ApiError;
use crate::arkts::header;
use crate::arkts::lenience::{Lenience, shown};
use crate::arkts::napi::{Engine, EngineError, Value};
use crate::arkts::objects::headers;
use crate::arkts::options::{match_known, no_field, properties, text};
use crate::server::{Answer, HeaderFault, Refusal, Remote, UpgradeRequest, answer_header};

/// The client number in log lines of a server, which has none.
pub const NO_CLIENT: u64 = 0;

/// A request that is not answered yet.
pub struct Asked {
    pub remote: Remote,
    pub request: Arc<UpgradeRequest>,
    pub answer: Answer,
}

/// Sets the place of a client. A client without an address has its number instead of a port, and is found by it.
pub fn set_remote(object: Value<'_>, remote: Remote) -> Result<(), EngineError> {
    let env = object.env();
    let number = match remote {
        Remote::Address(address) => f64::from(address.port()),
        Remote::Path(number) => number as f64,
    };
    object.set(c"clientIP", env.string(&remote.ip_text())?)?;
    object.set(c"clientPort", env.number(number)?)
}

/// The answer to a request, until it is given.
pub struct Unanswered(Rc<RefCell<Option<Answer>>>);

impl Unanswered {
    /// Refuses the client of a listener that has failed, unless it is answered.
    pub fn listener_failed(&self) {
        if let Some(answer) = self.0.take() {
            let body = "the application failed to answer".to_owned();
            answer.refuse(Refusal { status: 500, headers: Vec::new(), body });
        }
    }
}

/// Makes the object that the listener of `request` gets.
pub fn request_value<'env>(env: Engine, asked: Asked) -> Result<(Value<'env>, Unanswered), EngineError> {
    let Asked { remote, request, answer } = asked;
    let object = env.object()?;
    set_remote(object, remote)?;
    object.set(c"target", env.string(&request.target)?)?;
    object.set(c"header", headers(env, &request.headers)?)?;
    let names = request.protocols.iter().map(|name| env.string(name)).collect::<Result<Vec<_>, _>>()?;
    object.set(c"protocols", env.array(&names)?)?;
    // The first call answers.
    let answer = Rc::new(RefCell::new(Some(answer)));
    let (waiting, unanswered) = (answer.clone(), Unanswered(answer.clone()));
    object.set(
        c"accept",
        env.named_function("accept", move |call| {
            let env = call.this.env();
            let [headers, protocol, _] = call.arguments;
            let checked = chosen(protocol, &request);
            match checked.and_then(|protocol| Ok((protocol, answer_headers("accept", headers)?))) {
                Ok((protocol, headers)) => {
                    if let Some(answer) = waiting.take() {
                        answer.accept_with(headers, protocol);
                    }
                    env.undefined()
                }
                Err(error) => Err(error.throw(env)),
            }
        })?,
    )?;
    object.set(
        c"refuse",
        env.named_function("refuse", move |call| {
            let env = call.this.env();
            let [status, options, _] = call.arguments;
            match refusal(status, options) {
                Ok(refusal) => {
                    if let Some(answer) = answer.take() {
                        answer.refuse(refusal);
                    }
                    env.undefined()
                }
                Err(error) => Err(error.throw(env)),
            }
        })?,
    )?;
    Ok((object, unanswered))
}

/// The sub-protocol that the listener chooses. `None` lets the option of `start` choose.
fn chosen(protocol: Value<'_>, request: &UpgradeRequest) -> Result<Option<String>, ApiError> {
    if protocol.is_absent() {
        return Ok(None);
    }
    let name = text("protocol", protocol)?;
    request.check_offered(&name).map_err(|fault| ApiError::parameter("protocol", fault))?;
    Ok(Some(name))
}

fn refusal(status: Value<'_>, options: Value<'_>) -> Result<Refusal, ApiError> {
    let number = status.to_number().filter(|status| status.fract() == 0.0 && (300.0..600.0).contains(status));
    let wrong = || ApiError::parameter("status", "must be a whole number from 300 to 599");
    let status = number.ok_or_else(wrong)? as u16;
    let mut refusal = Refusal { status, headers: Vec::new(), body: String::new() };
    for (name, value) in properties("options", options)? {
        if value.is_absent() {
            continue;
        }
        match_known!(name.as_str(), {
            "header" => refusal.headers = answer_headers("refuse", value)?,
            "body" => refusal.body = text("body", value)?,
        }, known => return Err(no_field(&name, &known)));
    }
    Ok(refusal)
}

/// The headers of an answer. Headers that the library sets itself are ignored.
fn answer_headers(method: &'static str, value: Value<'_>) -> Result<Vec<(String, String)>, ApiError> {
    if value.is_absent() {
        return Ok(Vec::new());
    }
    let lenience = Lenience { client: NO_CLIENT, method };
    let mut checked = Vec::new();
    for (name, value) in header::headers(value, lenience)? {
        match answer_header(&name, &value) {
            Ok(header) => checked.push(header),
            Err(fault) => {
                let name = shown(&String::from_utf8_lossy(&name));
                match fault {
                    HeaderFault::Own => {
                        lenience.warn("header", format_args!("{name} {fault}; it is ignored"))
                    }
                    HeaderFault::Malformed => {
                        return Err(ApiError::parameter("header", &format!("{name} {fault}")));
                    }
                }
            }
        }
    }
    Ok(checked)
}
