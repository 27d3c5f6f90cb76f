//! What a client tells its owner.

use std::task::{Context, Poll};
use std::time::Duration;

use super::error::{Failure, Times};
use super::link::Receipt;
use super::reconnect::{Cause, Prepare, Reconnected, Reconnecting};
use super::stats::Statistics;
use crate::protocol::{FrameHeader, Kind, Part};

/// The server's answer to the upgrade.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Always 101.
    pub status: u16,
    /// The reason phrase.
    pub reason: String,
    /// The sub-protocol the server chose.
    pub protocol: Option<String>,
    /// The extensions in use, as in `Sec-WebSocket-Extensions`.
    pub extensions: Option<String>,
    /// The response headers in order, names in lower case.
    pub headers: Headers,
    /// How long each step took.
    pub timing: Timing,
    /// Where the connection leads, without userinfo, when that is not where the application first wanted to go: after a redirect, and
    /// after a change by [`Listener::prepare`].
    pub url: Option<Box<str>>,
}

/// Names and values of headers, in order. All in one piece of memory, since each connection keeps them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    text: Box<str>,
    /// Where each name and each value ends in the text.
    ends: Box<[u32]>,
}

impl Headers {
    /// The names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let start_of = move |at: usize| at.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        let piece = move |at: usize| &self.text[start_of(at)..self.ends[at] as usize];
        (0..self.ends.len() / 2).map(move |pair| (piece(2 * pair), piece(2 * pair + 1)))
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        let (mut text, mut ends) = (String::new(), Vec::new());
        for (name, value) in headers {
            for piece in [name.as_ref(), value.as_ref()] {
                text.push_str(piece);
                // A response head is far below 4 GiB.
                ends.push(u32::try_from(text.len()).unwrap_or(u32::MAX));
            }
        }
        Self { text: text.into(), ends: ends.into() }
    }
}

/// How long the steps of an attempt took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Looking up the host's addresses.
    pub lookup: Duration,
    /// Connecting to one of them.
    pub tcp: Duration,
    /// Asking a proxy for a tunnel; zero without one.
    pub proxy: Duration,
    /// The TLS handshake; zero without TLS.
    pub tls: Duration,
    /// The upgrade.
    pub upgrade: Duration,
}

/// The answer to a ping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pong<'a> {
    /// What the ping carried.
    pub payload: &'a [u8],
    /// Since the ping; `None` when no ping of ours had this payload.
    pub round_trip: Option<Duration>,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The kernel has it all.
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
    /// The code of the side that closed first; 1005 without one, 1006 when it ended without a close frame of the server.
    pub code: u16,
    /// The reason of that side, or the cause of the loss.
    pub reason: String,
    /// The class of it: [`Cause::Application`] when this side closed first.
    pub cause: Cause,
    /// Messages that had been accepted and are dropped, or of which nobody will know whether the peer got them.
    pub unsent: usize,
    /// How long the connection lasted.
    pub times: Times,
}

/// A received message; a piece of one when the options ask for pieces.
pub struct Message<'a> {
    kind: Kind,
    part: Part,
    payload: Payload<'a>,
}

/// Either holds one NUL after the message.
enum Payload<'a> {
    Buffered(&'a mut [u8]),
    Assembled(&'a mut Vec<u8>),
}

impl<'a> Message<'a> {
    pub(super) fn buffered(kind: Kind, with_nul: &'a mut [u8]) -> Self {
        Self { kind, part: Part::WHOLE, payload: Payload::Buffered(with_nul) }
    }

    pub(super) fn assembled(kind: Kind, part: Part, message: &'a mut Vec<u8>) -> Self {
        message.push(0);
        Self { kind, part, payload: Payload::Assembled(message) }
    }

    /// Where this piece stands in its message.
    pub fn part(&self) -> Part {
        self.part
    }

    /// Text or binary.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The payload; valid UTF-8 when the kind is text, but that a piece may end inside a character.
    pub fn data(&self) -> &[u8] {
        let with_nul: &[u8] = match &self.payload {
            Payload::Buffered(bytes) => bytes,
            Payload::Assembled(bytes) => bytes,
        };
        &with_nul[..with_nul.len() - 1]
    }

    /// The payload and the NUL that follows it in memory, for C, which may write there.
    pub fn data_with_nul_mut(&mut self) -> &mut [u8] {
        match &mut self.payload {
            Payload::Buffered(bytes) => bytes,
            Payload::Assembled(bytes) => bytes,
        }
    }

    /// The payload as memory of its own; without a copy when the message was assembled.
    pub fn into_vec(self) -> Vec<u8> {
        match self.payload {
            Payload::Buffered(bytes) => bytes[..bytes.len() - 1].to_vec(),
            Payload::Assembled(bytes) => {
                let mut message = std::mem::take(bytes);
                message.pop();
                message
            }
        }
    }
}

/// The owner of a client, told what happens on its connections.
///
/// Calls come one at a time from the library's threads, in this order per connection: `opened`, any `message`, `pong`,
/// `sent` and `drained`, at most one `failed`, then `closed`; a connection that never opened ends with `failed` alone. None comes after
/// the client was dropped, except one already running.
///
/// With [`super::Options::reconnect`] a failure that another attempt follows is told by `reconnecting` and by nothing
/// else; then come `prepare` and, when the connection is open, `opened`, followed by `reconnected` if it is not the
/// first. What ends it all is told as above: `closed` comes last if there was any `opened`.
pub trait Listener: Send + 'static {
    /// Whether calls may block, as those that run an application's code may.
    fn may_block(&self) -> bool {
        false
    }

    /// Whether the listener can take more; while it is pending, the socket is not read.
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _ = cx;
        Poll::Ready(())
    }

    /// Called before a run of the calls below; false leaves the run out.
    fn begin(&mut self) -> bool {
        true
    }

    /// Called after the run.
    fn end(&mut self) {}

    /// The connection is open.
    fn opened(&mut self, opened: &Opened);

    /// A message came.
    fn message(&mut self, message: Message<'_>);

    /// A pong came.
    fn pong(&mut self, pong: Pong<'_>) {
        let _ = pong;
    }

    /// What became of a message that was sent with a receipt.
    fn sent(&mut self, receipt: Receipt, outcome: Outcome) {
        let _ = (receipt, outcome);
    }

    /// The queue, once over its low-water mark, is down to it again.
    fn drained(&mut self) {}

    /// What was counted so far, each [`super::Options::statistics_interval`] while the connection is open.
    fn statistics(&mut self, statistics: &Statistics) {
        let _ = statistics;
    }

    /// Whether to tell of frames. Asked before each read and write, since to tell of them costs time.
    fn wants_frames(&self) -> bool {
        false
    }

    /// Whether the listener has heard nearly all it was told. While it is pending no retry begins, and when frames are wanted nothing
    /// is written: what tells of itself faster than it is heard would pile up.
    fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let _ = cx;
        Poll::Ready(())
    }

    /// A frame has gone out or come in. It is told of before the message it ends.
    fn frame(&mut self, direction: Direction, header: FrameHeader) {
        let _ = (direction, header);
    }

    /// The attempt or the connection failed, and another attempt is to follow.
    fn reconnecting(&mut self, reconnecting: &Reconnecting) {
        let _ = reconnecting;
    }

    /// The attempt that was announced is about to begin: the last chance to change its handshake.
    fn prepare(&mut self, reconnecting: &Reconnecting) -> Prepare {
        let _ = reconnecting;
        Prepare::Proceed
    }

    /// The connection that was just opened takes the place of a lost one.
    fn reconnected(&mut self, reconnected: &Reconnected) {
        let _ = reconnected;
    }

    /// The attempt or the connection failed.
    fn failed(&mut self, failure: &Failure);

    /// The connection, once open, is over.
    fn closed(&mut self, closed: &Closed);
}
