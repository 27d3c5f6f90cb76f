//! The events and requests of a server for its owner.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::admission::Unwelcome;
use super::connection::ConnectionInfo;
use super::place::Remote;
use super::upgrade::{Refusal, UpgradeRequest};
use crate::client::Listener;
use crate::sync::atomic::{AtomicBool, Ordering};

/// The owner of a server. The library calls it on its own threads, several at a time. No call may block.
pub trait ServerListener: Send + Sync + 'static {
    /// Ready while the owner has room for the events of another client. Until then the server accepts none, and the waker
    /// must be woken.
    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let _ = cx;
        Poll::Ready(())
    }

    /// A client requests a connection. `answer` accepts or refuses it. Without an answer it fails at the handshake timeout.
    fn requested(&self, remote: Remote, request: &Arc<UpgradeRequest>, answer: Answer) {
        let _ = (remote, request);
        answer.accept(Vec::new());
    }

    /// A connection is about to open. Returns the listener of its events, of which `opened` is the first.
    fn connected(&self, info: &Arc<ConnectionInfo>) -> Box<dyn Listener>;

    /// A client was refused before its request.
    fn kept_out(&self, remote: Remote, why: Unwelcome) {
        let _ = (remote, why);
    }

    /// The server cannot accept clients. Reported once for each such period.
    fn cannot_accept(&self, cause: &io::Error) {
        let _ = cause;
    }

    /// The stop has freed the port.
    fn released(&self) {}

    /// The stop has freed the port, and the last connection has reported its last event.
    fn over(&self) {}
}

/// Answers one upgrade request. Dropping it disconnects the client.
pub struct Answer {
    verdict: oneshot::Sender<Verdict>,
    given: Given,
}

/// Whether a request has its answer. A stop does not withdraw it.
#[derive(Clone, Default)]
pub(super) struct Given(Arc<AtomicBool>);

impl Given {
    pub(super) fn is_so(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// How a client is accepted.
pub(super) struct Acceptance {
    pub(super) headers: Vec<(String, String)>,
    /// One of the offered sub-protocols. `None` lets the options choose.
    pub(super) protocol: Option<String>,
}

pub(super) enum Verdict {
    Accept(Acceptance),
    Refuse(Refusal),
}

impl Answer {
    pub(super) fn new(given: Given) -> (Self, oneshot::Receiver<Verdict>) {
        let (verdict, asked) = oneshot::channel();
        (Self { verdict, given }, asked)
    }

    /// A later stop treats the answer as given. The caller must give it at once, possibly in another task.
    pub fn promise(&self) {
        self.given.0.store(true, Ordering::SeqCst);
    }

    /// Accepts the client. The answer contains these headers and those of the upgrade.
    pub fn accept(self, headers: Vec<(String, String)>) {
        self.accept_with(headers, None);
    }

    /// Accepts the client with this sub-protocol, which it must have offered. `None` lets the options choose.
    pub fn accept_with(self, headers: Vec<(String, String)>, protocol: Option<String>) {
        self.give(Verdict::Accept(Acceptance { headers, protocol }));
    }

    /// Whether the client still waits.
    pub fn is_waited_for(&self) -> bool {
        !self.verdict.is_closed()
    }

    /// Refuses the client.
    pub fn refuse(self, refusal: Refusal) {
        self.give(Verdict::Refuse(refusal));
    }

    fn give(self, verdict: Verdict) {
        self.promise();
        // The client may have disconnected, which is not an error.
        let _ = self.verdict.send(verdict);
    }
}
