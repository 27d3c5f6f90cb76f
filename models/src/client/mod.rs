//! The client's state. Instead of `client/mod.rs` it has the part of a client that the models need, without a network. It
//! replaces the types that the library's files import from here.

mod models;
mod session;

#[allow(dead_code)]
#[path = "../../../src/client/cause.rs"]
mod cause;
#[allow(dead_code)]
#[path = "../../../src/client/event.rs"]
mod event;
#[allow(dead_code)]
#[path = "../../../src/client/message.rs"]
mod message;
#[allow(dead_code, unused_imports)]
#[path = "../../../src/client/send_queue/mod.rs"]
mod send_queue;
#[allow(dead_code, unused_imports)]
#[path = "../../../src/client/shared/mod.rs"]
mod shared;
#[allow(dead_code)]
#[path = "../../../src/client/state.rs"]
mod state;
#[allow(dead_code)]
#[path = "../../../src/client/stats.rs"]
mod stats;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use self::event::{Closed, Failure, Listener, Outcome, Receipt};
pub use self::handshake::Opened;
pub use self::message::Message;
pub use self::models::MODELS;
pub use self::session::Attempt;

use self::shared::Shared;
use self::send_queue::SendLimits;
use crate::protocol::{MessageType, Role};

/// Of the library's `SEND_LIMIT_BYTES` the models need the name.
pub const SEND_LIMIT_BYTES: usize = 1_000;

pub type RawHeader = (Vec<u8>, Vec<u8>);

/// A client as `client/mod.rs` has it, without its runtime.
pub struct Client {
    shared: Arc<Shared>,
}

impl Client {
    pub fn new(listener: Box<dyn Listener>, send_limit: usize) -> Self {
        static NEXT_ID: AtomicU64 = AtomicU64::new(1);
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Self { shared: Arc::new(Shared::new(id, Role::Client, listener, SendLimits::of_bytes(send_limit))) }
    }

    pub fn id(&self) -> u64 {
        self.shared.id
    }

    /// Queues a message.
    pub fn send(&self, receipt: Receipt) {
        self.shared.send(MessageType::Text, b"a", Some(receipt)).expect("the queue is empty");
    }

    /// Begins an attempt.
    pub fn begin(&self) -> Attempt {
        Attempt::of(&self.shared)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shared.detach();
    }
}

/// Nothing of it is looked at.
#[derive(Clone, Default)]
pub struct Options {
    #[allow(dead_code)]
    pub reconnect: Option<Reconnect>,
    #[allow(dead_code)]
    pub rest: (),
}

#[derive(Clone)]
pub struct Reconnect;

mod error {
    #[derive(Debug)]
    pub struct Error;

    impl std::fmt::Display for Error {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("lost")
        }
    }
}

mod handshake {
    #[derive(Debug, Default)]
    pub struct Opened;

    /// Of the answer nothing is looked at.
    #[derive(Clone)]
    pub(in crate::client) struct KeptAnswer;

    impl KeptAnswer {
        pub(in crate::client) fn timing(&self) -> super::stats::Timing {
            super::stats::Timing::default()
        }

        pub(in crate::client) fn opened(&self) -> Opened {
            Opened
        }
    }
}

mod request {
    #[derive(Debug, PartialEq, Eq)]
    pub struct Preparation(pub u32);
}

mod transport {
    use std::io::{self, IoSlice};
    use std::sync::{Arc, Mutex, PoisonError};

    use crate::sync::atomic::{AtomicBool, Ordering};

    pub(in crate::client) trait Notified: Send + Sync {
        fn network_changed(&self);
    }

    /// Takes what is written to a socket, by one at a time, or the model fails.
    pub(in crate::client) struct Sink {
        busy: AtomicBool,
        /// Not loom's: what the model knows adds no orders.
        bytes: Mutex<Vec<u8>>,
    }

    impl Sink {
        pub(in crate::client) fn new() -> Arc<Self> {
            Arc::new(Self { busy: AtomicBool::new(false), bytes: Mutex::default() })
        }

        pub(in crate::client) fn write(&self, bytes: &[u8]) {
            assert!(!self.busy.swap(true, Ordering::SeqCst), "two write at a time");
            self.bytes.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
            self.busy.store(false, Ordering::SeqCst);
        }

        pub(in crate::client) fn bytes(&self) -> Vec<u8> {
            self.bytes.lock().unwrap_or_else(PoisonError::into_inner).clone()
        }
    }

    /// From a caller it takes less than a message, so that something is left.
    pub(in crate::client) struct LentSocket(pub(in crate::client) Arc<Sink>);

    impl LentSocket {
        const ROOM_BYTES: usize = 50_000;

        pub(in crate::client) fn write_now(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            let mut bytes: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            bytes.truncate(Self::ROOM_BYTES);
            self.0.write(&bytes);
            Ok(bytes.len())
        }
    }
}
