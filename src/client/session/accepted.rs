//! The session of an accepted connection. It is open from the start, and no other connection follows it.

use std::any::Any;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::connection::{Session, Terms};
use super::notify::notify;
use super::report::{notify_end, unless_it_panics};
use crate::client::handshake::Opened;
use crate::client::request::SessionOptions;
use crate::client::shared::Shared;
use crate::client::transport::Stream;
use crate::protocol::{Negotiated, ReadBuffer};
use crate::runtime;

/// A connection whose upgrade was answered.
pub(crate) struct Accepted {
    pub(crate) stream: Stream,
    pub(crate) opened: Opened,
    /// permessage-deflate, if it was negotiated.
    pub(crate) deflate: Option<Negotiated>,
    /// The bytes after the request.
    pub(crate) received: ReadBuffer,
    pub(crate) options: Arc<SessionOptions>,
    /// Called after the last event.
    pub(crate) ended: Box<dyn FnOnce() + Send>,
    /// Dropped when the socket is closed.
    pub(crate) slot: Box<dyn Any + Send>,
}

/// Runs the session of an accepted connection.
pub(in crate::client) fn start_accepted(
    process: &'static runtime::Process,
    shared: Arc<Shared>,
    attempt: u64,
    accepted: Accepted,
) {
    let accepted = Box::new(accepted);
    process.spawn(async move {
        let mut listener = poll_fn(|cx| shared.poll_listener(attempt, cx)).await;
        let Accepted { stream, opened, deflate, received, options, ended, slot } = *accepted;
        notify(&shared, &mut *listener, |listener| listener.opened(&opened));
        drop(opened);
        let terms = Terms { options: &options, keeps_queue: false, watches_network: false };
        let session = Box::new(Session::new(&shared, &mut *listener, (stream, received), deflate, &terms));
        let end = unless_it_panics(&shared, &AtomicBool::new(true), session.run()).await;
        let writer = notify_end(&shared, attempt, &mut *listener, *end);
        drop(listener);
        ended();
        if let Some(writer) = writer {
            writer.finish_within(options.close_timeout, &shared.counters).await;
        }
        drop(slot);
    });
}
