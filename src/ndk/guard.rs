//! Surrounds every C function: finds the client, stops panics, stores the text of an error.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::abi::{ErrCode, WebSocket};
use super::error::CallError;
use super::handle::{self, Handle};
use super::last_error::set_last_error;
use crate::{logging, platform};

/// The error text of a call in a forked process.
const FORKED: &str = "this process is a child of fork(); only the parent can use the library";

/// Runs the body of a C function. Returns `failure` if it panics, because a panic is our defect and must not reach C.
/// Returns it in a forked process as well, where a lock may stay locked for ever.
pub fn guard<R>(function: &str, failure: R, body: impl FnOnce() -> R) -> R {
    if platform::is_forked() {
        set_last_error(&format!("{function}: {FORKED}"));
        return failure;
    }
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
        logging::error(format_args!("{function}: internal error"));
        failure
    })
}

/// As [`guard`], for a function of a client. Finds the client first. It is compiled into each of these functions,
/// because some are called for each message.
pub fn guard_client(function: &str, client: *const WebSocket, body: impl FnOnce(&Handle) -> ErrCode) -> i32 {
    guard(function, failure(), || match client.is_null() {
        true => ErrCode::ClientNull,
        false => handle::with(client, body).unwrap_or(ErrCode::ClientNotCreated),
    }) as i32
}

/// Runs the body of a C function that can fail. Stores the text of its error for the thread and returns its code.
pub fn report(function: &str, body: impl FnOnce() -> Result<(), CallError>) -> i32 {
    let mut body = Some(body);
    report_once(function, &mut || body.take().map_or(Ok(()), |body| body()))
}

/// Compiled once, not in each function.
#[inline(never)]
fn report_once(function: &str, body: &mut dyn FnMut() -> Result<(), CallError>) -> i32 {
    let refused = |error| refuse(function, error);
    guard(function, failure(), || body().map_or_else(refused, |()| ErrCode::Ok)) as i32
}

/// Stores the text of an error, and returns its code. Compiled once, not in each function.
#[cold]
#[inline(never)]
fn refuse(function: &str, CallError { code, text }: CallError) -> ErrCode {
    set_last_error(&format!("{function}: {text}"));
    code
}

/// The return value of a function whose body did not finish. A forked process has no client.
pub fn failure() -> ErrCode {
    if platform::is_forked() { ErrCode::ClientNotCreated } else { ErrCode::Base }
}

/// As [`report`], for a function of a client.
pub fn report_client(
    function: &str,
    client: *const WebSocket,
    body: impl FnOnce(&Handle) -> Result<(), CallError>,
) -> i32 {
    let mut body = Some(body);
    report_of_client(function, client, &mut |handle| body.take().map_or(Ok(()), |body| body(handle)))
}

/// Compiled once, not in each function.
#[inline(never)]
fn report_of_client(
    function: &str,
    client: *const WebSocket,
    body: &mut dyn FnMut(&Handle) -> Result<(), CallError>,
) -> i32 {
    report_once(function, &mut || match client.is_null() {
        true => Err(CallError::new(ErrCode::ClientNull, "client: NULL")),
        false => handle::with(client, &mut *body).unwrap_or_else(|| {
            Err(CallError::new(
                ErrCode::ClientNotCreated,
                "client: not created by this library, or destroyed",
            ))
        }),
    })
}
