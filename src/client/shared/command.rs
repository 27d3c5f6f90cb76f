//! What callers ask of a session, and what a session ends for.

use std::collections::VecDeque;
use std::task::Waker;

use crate::client::request::Preparation;
use crate::client::send_queue::Dropped;
use crate::protocol::CloseCode;

/// A close frame to send.
pub(in crate::client) struct CloseRequest {
    /// 1005 means a frame without a code.
    pub(in crate::client) code: CloseCode,
    pub(in crate::client) reason: String,
}

/// The request that a session finds.
pub(in crate::client) enum Command {
    /// No request. The waker is registered.
    None,
    /// Send a ping with this payload.
    Ping(Vec<u8>),
    /// Send this close frame after the queued data.
    Close(CloseRequest),
    /// The network has changed. Check whether the connection still works.
    NetworkChanged,
    /// End the connection now.
    Hurry,
}

/// Why a session without an open connection must end.
pub(in crate::client) enum Stop {
    /// The application cancelled the attempt before any connection was open. Holds the queued messages.
    Abandoned(Dropped),
    /// The application closed between two connections.
    Close(CloseRequest),
}

/// The state of the next attempt, which callers and the session share.
#[derive(Default)]
pub(super) struct RetryRequests {
    /// A retry is pending.
    pub(super) waits: bool,
    /// The retry must begin at once.
    pub(super) now: bool,
    /// The attempt that the application was asked to prepare.
    pub(super) to_prepare: Option<u32>,
    /// The application's answer.
    pub(super) prepared: Option<Box<Preparation>>,
}

/// What an open connection that nobody closes or pings does not have.
#[derive(Default)]
pub(super) struct Rare {
    pub(super) pings: VecDeque<Vec<u8>>,
    /// The close frame that the application wants to send.
    pub(super) close: Option<CloseRequest>,
    pub(super) retry: RetryRequests,
    /// Cancelled attempts that have not noticed, in order of their numbers, each with its unsent messages. There are
    /// many if an application cancels many attempts while its callback of the first one blocks.
    pub(super) abandoned: VecDeque<(u64, Dropped)>,
    /// The attempts whose sessions wait for the listener.
    pub(super) turns: Vec<(u64, Waker)>,
}
