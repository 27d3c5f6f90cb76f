//! The events of a client.

use std::fmt;
use std::task::{Context, Poll};
use std::time::Duration;

use super::cause::Cause;
use super::error::Error;
use super::handshake::Opened;
use super::message::Message;
use super::stats::Statistics;
use crate::protocol::FrameHeader;

/// The answer to a ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pong<'a> {
    /// The payload of the ping.
    pub payload: &'a [u8],
    /// The time since the ping. `None` if no ping of ours had this payload.
    pub round_trip: Option<Duration>,
}

/// The outcome of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The kernel has accepted the whole message.
    Sent,
    /// It was dropped, or only part of it was sent, when the connection ended.
    Unsent,
}

/// Which way a frame went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the server.
    Sent,
    /// From it.
    Received,
}

/// The end of a connection that was open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The code of the side that closed first. 1005 if its frame had none. 1006 if the server sent no close frame.
    pub code: u16,
    /// The reason of that side, or the cause of the loss.
    pub reason: String,
    /// Its class. [`Cause::Application`] if this side closed first.
    pub cause: Cause,
    /// Accepted messages that were dropped, or that may not have reached the peer.
    pub unsent: usize,
    /// How long the connection lasted.
    pub times: Times,
    /// The close frame of the server.
    pub peer: PeerClose,
}

/// The server's close frame, even if the client closed first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerClose {
    /// No close frame came, or an invalid one.
    None,
    /// The server closed first. [`Closed`] has its code and reason.
    Reported,
    /// It answered our close frame with this code (1005 for none) and this reason.
    Answered(u16, String),
}

/// The application's number of a message, which the report of its outcome repeats.
pub type Receipt = u64;

/// How long an attempt or a connection lasted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Since the connection opened. If it never did, since the attempt began.
    pub elapsed: Duration,
    /// Since the last byte from the peer, or from a proxy on the way. `None` if no byte ever came.
    pub last_activity: Option<Duration>,
}

/// A failed connection, with its unsent messages.
#[derive(Debug)]
pub struct Failure {
    /// The cause.
    pub error: Error,
    /// Accepted messages that were dropped with the connection, or that may not have reached the peer.
    pub unsent: usize,
    /// How long it lasted.
    pub times: Times,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { error, unsent, times: _ } = self;
        error.fmt(f)?;
        match unsent {
            0 => Ok(()),
            1 => f.write_str("; 1 queued message was dropped"),
            count => write!(f, "; {count} queued messages were dropped"),
        }
    }
}

/// The event before a retry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconnecting {
    /// Counts the attempts of a series, from 1.
    pub attempt: u32,
    /// The time until the attempt begins. The network or the application may shorten it.
    pub delay: Duration,
    /// Why the last attempt or connection failed.
    pub cause: Cause,
    /// The close code, if the peer closed.
    pub code: Option<u16>,
    /// The HTTP status, if the server answered the upgrade with one.
    pub status: Option<u16>,
    /// The failure in words.
    pub text: String,
    /// Accepted messages that were dropped: those that the kernel has partly, or all, if the queue is not kept.
    pub unsent: usize,
}

/// The event of a connection that replaces a lost one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconnected {
    /// The number of attempts.
    pub attempts: u32,
    /// The time since the previous connection was lost.
    pub downtime: Duration,
}

/// A listener's answer to [`Listener::prepare`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrepareDecision {
    /// Proceed, with the changes passed to [`super::Client::prepare`], if any.
    Proceed,
    /// [`super::Client::prepare`] will be called.
    Wait,
    /// This attempt cannot be made; a later one perhaps can.
    Fail,
    /// Stop. The last failure is final.
    Stop,
}

/// Receives the events of a client.
///
/// Calls come one at a time, from the library's threads. The order for a connection is `opened`, any number of
/// `message`, `pong`, `sent` and `drained`, at most one `failed`, then `closed`. A connection that never opened ends
/// with `failed` alone. No event begins after the client was dropped.
///
/// With [`super::Options::reconnect`], only `reconnecting` reports a failure that another attempt follows. Then come
/// `prepare` and, if the connection opens, `opened`. `reconnected` follows, except for the first connection. The final
/// failure is reported as above: `closed` comes last if there was any `opened`.
pub trait Listener: Send + 'static {
    /// Whether calls may block, like those that run an application's code.
    fn may_block(&self) -> bool {
        false
    }

    /// Ready when the listener can take more. Until then the socket is not read.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _ = cx;
        Poll::Ready(())
    }

    /// Called before a group of the calls below. False skips the group.
    fn begin_batch(&mut self) -> bool {
        true
    }

    /// Called after the group.
    fn end_batch(&mut self) {}

    /// The connection is open.
    fn opened(&mut self, opened: &Opened);

    /// A message came.
    fn message(&mut self, message: Message<'_>);

    /// A pong came.
    fn pong(&mut self, pong: Pong<'_>) {
        let _ = pong;
    }

    /// Reports the outcome of a message that was sent with a receipt.
    fn sent(&mut self, receipt: Receipt, outcome: Outcome) {
        let _ = (receipt, outcome);
    }

    /// The queue, once over its low-water mark, is down to it again.
    fn drained(&mut self) {}

    /// The statistics so far, at the interval of [`super::SessionOptions`], while the connection is open.
    fn statistics(&mut self, statistics: &Statistics) {
        let _ = statistics;
    }

    /// Whether frames are reported. It is called before each read and write, because reporting frames costs time.
    fn traces_frames(&self) -> bool {
        false
    }

    /// Ready when the listener has handled nearly all its events. While it is pending, no retry begins, and no data are written if
    /// frames are traced. So events cannot accumulate.
    fn poll_caught_up(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _ = cx;
        Poll::Ready(())
    }

    /// A frame has gone out or come in. The last frame of a message is reported before the message.
    fn frame(&mut self, direction: Direction, header: FrameHeader) {
        let _ = (direction, header);
    }

    /// The attempt or the connection failed, and another attempt will follow.
    fn reconnecting(&mut self, reconnecting: &Reconnecting) {
        let _ = reconnecting;
    }

    /// The attempt that was announced is about to begin: the last chance to change its handshake.
    fn prepare(&mut self, reconnecting: &Reconnecting) -> PrepareDecision {
        let _ = reconnecting;
        PrepareDecision::Proceed
    }

    /// The new connection replaces a lost one.
    fn reconnected(&mut self, reconnected: &Reconnected) {
        let _ = reconnected;
    }

    /// The attempt or the connection failed.
    fn failed(&mut self, failure: &Failure);

    /// The connection, once open, is over.
    fn closed(&mut self, closed: &Closed);
}
