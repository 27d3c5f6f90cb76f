//! The end of a connection: for the session, and in its report.

use std::collections::VecDeque;
use std::time::Duration;

use super::writer::Writer;
use crate::client::cause::Cause;
use crate::client::error::Error;
use crate::client::event::{Closed, PeerClose, Times};
use crate::client::reconnect::Setback;
use crate::client::send_queue::{Chunk, Dropped};
use crate::client::shared::CloseRequest;
use crate::client::transport::Endpoints;
use crate::protocol::CloseCode;

/// How an attempt or a connection ended, and what is left to report. It is boxed, because a future reserves room for
/// its result as long as it runs.
pub(super) struct SessionEnd {
    pub(super) error: Option<Error>,
    /// Messages that the session took from the queue and that can no longer be sent.
    pub(super) dropped: Dropped,
    /// Messages that the session took from the queue and of which the kernel has no byte.
    pub(super) unsent: VecDeque<Chunk>,
    pub(super) closed: Option<Closed>,
    /// Data that must still be sent before the connection closes properly.
    pub(super) writer: Option<Box<Writer>>,
    pub(super) was_open: bool,
    /// The connection that was open.
    pub(super) endpoints: Option<Box<Endpoints>>,
    pub(super) times: Times,
    /// How long the process stood still during the attempt.
    pub(super) stood_still: Duration,
}

impl SessionEnd {
    pub(super) fn of_error(error: Error) -> Self {
        Self {
            error: Some(error),
            dropped: Dropped::default(),
            unsent: VecDeque::new(),
            closed: None,
            writer: None,
            was_open: false,
            endpoints: None,
            times: Times::default(),
            stood_still: Duration::ZERO,
        }
    }

    /// The application has closed the client while no connection was open.
    pub(super) fn of_close(CloseRequest { code, reason }: CloseRequest, times: Times) -> Self {
        let closed = Some(closed(Cause::Application, code.into(), reason));
        Self { error: None, closed, was_open: true, times, ..Self::of_error(Error::Internal) }
    }

    pub(super) fn cause(&self) -> Cause {
        let of_error = self.error.as_ref().map(Error::cause);
        of_error.or(self.closed.as_ref().map(|closed| closed.cause)).unwrap_or(Cause::Internal)
    }

    pub(super) fn setback(&self) -> Setback {
        self.error.as_ref().map_or_else(|| self.cause().into(), Error::setback)
    }
}

/// The end of an open connection.
pub(super) struct CloseOutcome {
    pub(super) error: Option<Error>,
    pub(super) closed: Closed,
    /// The peer is connected and gets the remaining data, at least our close frame.
    pub(super) graceful: bool,
    /// Messages that the session took from the queue and must not send on this connection.
    pub(super) unsent: VecDeque<Chunk>,
}

impl CloseOutcome {
    pub(super) fn lost(error: Error) -> Self {
        let closed = abnormal(&error);
        Self { error: Some(error), closed, graceful: false, unsent: VecDeque::new() }
    }
}

/// 1006 is never sent; it tells the application that no close frame came (RFC 6455 section 7.4.1).
pub(super) fn abnormal(error: &Error) -> Closed {
    closed(error.cause(), CloseCode::Abnormal.into(), error.to_string())
}

pub(super) fn closed(cause: Cause, code: u16, reason: String) -> Closed {
    Closed { code, reason, cause, unsent: 0, times: Times::default(), peer: PeerClose::None }
}

/// Whether a close frame has the code of an orderly end, or none.
pub(super) fn says_nothing(code: u16) -> bool {
    [CloseCode::Normal, CloseCode::Status].map(u16::from).contains(&code)
}
