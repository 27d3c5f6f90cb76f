//! What a server tells its owner, and what it asks.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::admission::Unwelcome;
use super::connection::ConnectionInfo;
use super::upgrade::{Refusal, UpgradeRequest};
use crate::client::Listener;
use crate::sync::atomic::{AtomicBool, Ordering};

/// The owner of a server. Calls come from the library's threads, several at a time, and none may block.
pub trait ServerListener: Send + Sync + 'static {
    /// A client asks for a connection. It is let in, or not, when `answer` is given, or fails with the time for its handshake.
    fn requested(&self, remote: SocketAddr, request: &Arc<UpgradeRequest>, answer: Answer) {
        let _ = (remote, request);
        answer.accept(Vec::new());
    }

    /// A connection is about to open: makes the one who is told of it, by `opened` first.
    fn connected(&self, info: &Arc<ConnectionInfo>) -> Box<dyn Listener>;

    /// A client was kept out before it could ask.
    fn kept_out(&self, remote: SocketAddr, why: Unwelcome) {
        let _ = (remote, why);
    }

    /// Nobody can be accepted for now. Told once for each time of it.
    fn cannot_accept(&self, cause: &io::Error) {
        let _ = cause;
    }

    /// After a stop: the port is free.
    fn released(&self) {}

    /// After a stop: the port is free, and the last connection has told its last event.
    fn over(&self) {}
}

/// Answers one request to upgrade. Dropped, it lets go of the client.
pub struct Answer {
    verdict: oneshot::Sender<Verdict>,
    given: Given,
}

/// Whether a request has its answer, which a stop does not take from the client.
#[derive(Clone, Default)]
pub(super) struct Given(Arc<AtomicBool>);

impl Given {
    pub(super) fn is_so(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// How a client is let in.
pub(super) struct Acceptance {
    pub(super) headers: Vec<(String, String)>,
    /// Of those that it has offered; `None` for the choice of the options.
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

    /// The answer counts as given, for a stop that comes before it. Whoever calls this gives it at once, perhaps in another task.
    pub fn promise(&self) {
        self.given.0.store(true, Ordering::SeqCst);
    }

    /// Lets the client in. The headers go out besides those of the upgrade.
    pub fn accept(self, headers: Vec<(String, String)>) {
        self.accept_with(headers, None);
    }

    /// The same with this sub-protocol, which the client must have offered. `None` leaves the choice to the options.
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
        // The client may be gone, which is no error.
        let _ = self.verdict.send(verdict);
    }
}
