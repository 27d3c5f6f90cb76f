//! The end of a session: its unsent messages, and the events for the listener.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::FutureExt;

use super::end::{SessionEnd, abnormal};
use super::notify::notify;
use super::writer::Writer;
use crate::client::error::Error;
use crate::client::event::{Closed, Failure, Listener, Outcome};
use crate::client::send_queue::Dropped;
use crate::client::shared::Shared;
use crate::{logging, runtime};

/// Reports how the session ended. Returns the connection that must still be closed properly.
pub(super) fn notify_end(
    shared: &Shared,
    attempt: u64,
    listener: &mut dyn Listener,
    end: SessionEnd,
) -> Option<Box<Writer>> {
    let SessionEnd {
        error,
        mut dropped,
        unsent,
        mut closed,
        writer,
        was_open,
        endpoints: _,
        times,
        stood_still: _,
    } = end;
    dropped.add(unsent);
    dropped.merge(shared.end(attempt));
    let Dropped { messages: unsent, receipts, payloads } = dropped;
    if !payloads.is_empty() {
        runtime::callback(|| drop(payloads));
    }
    if !receipts.is_empty() {
        notify(shared, listener, |listener| {
            receipts.iter().for_each(|receipt| listener.sent(*receipt, Outcome::Unsent));
        });
    }
    if let Some(error) = error {
        if was_open && closed.is_none() {
            closed = Some(abnormal(&error));
        }
        let failure = Failure { error, unsent, times };
        logging::warn(format_args!("{} {failure}", shared.tag()));
        notify(shared, listener, |listener| listener.failed(&failure));
    } else if unsent > 0 {
        logging::warn(format_args!("{} closed with {unsent} queued messages unsent", shared.tag()));
    }
    if let Some(closed) = closed {
        let closed = Closed { unsent, times, ..closed };
        logging::info(format_args!("{} closed ({})", shared.tag(), closed.code));
        notify(shared, listener, |listener| listener.closed(&closed));
    }
    writer
}

/// How a session ended. A panic is one way. It is not `async`, because an async function would hold the session twice.
pub(super) fn unless_it_panics(
    shared: &Shared,
    was_open: &AtomicBool,
    session: impl Future<Output = Box<SessionEnd>>,
) -> impl Future<Output = Box<SessionEnd>> {
    AssertUnwindSafe(session).catch_unwind().map(|ended| {
        ended.unwrap_or_else(|_| {
            logging::error(format_args!("{} a session panicked; its connection is dropped", shared.tag()));
            Box::new(SessionEnd {
                was_open: was_open.load(Ordering::Relaxed),
                ..SessionEnd::of_error(Error::Internal)
            })
        })
    })
}
