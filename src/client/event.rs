//! What a client tells its owner.

use std::task::{Context, Poll};

use super::error::Failure;
use crate::protocol::Kind;

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
    pub headers: Vec<(String, String)>,
}

/// The end of a connection that was open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The code of the side that closed first; 1005 without one, 1006 when the connection was lost.
    pub code: u16,
    /// The reason of that side, or the cause of the loss.
    pub reason: String,
}

/// A received message, whole.
pub struct Message<'a> {
    kind: Kind,
    payload: Payload<'a>,
}

/// Either holds one NUL after the message.
enum Payload<'a> {
    Buffered(&'a mut [u8]),
    Assembled(&'a mut Vec<u8>),
}

impl<'a> Message<'a> {
    pub(super) fn buffered(kind: Kind, with_nul: &'a mut [u8]) -> Self {
        Self { kind, payload: Payload::Buffered(with_nul) }
    }

    pub(super) fn assembled(kind: Kind, message: &'a mut Vec<u8>) -> Self {
        message.push(0);
        Self { kind, payload: Payload::Assembled(message) }
    }

    /// Text or binary.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The payload; valid UTF-8 when the kind is text.
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
/// Calls come one at a time from the library's threads, in this order per connection: `opened`, any `message`,
/// at most one `failed`, then `closed`; a connection that never opened ends with `failed` alone. None comes after
/// the client was dropped, except one already running.
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

    /// The attempt or the connection failed.
    fn failed(&mut self, failure: &Failure);

    /// The connection, once open, is over.
    fn closed(&mut self, closed: &Closed);
}
