//! The calls of a server's callbacks, which come on several threads at the same time, so that Destroy can wait for all of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ndk::callback_barrier::CallbackBarrier;
use crate::sync::{Mutex, lock};

/// A barrier for each who may call.
#[derive(Default)]
pub struct Calls(Mutex<Callers>);

#[derive(Default)]
struct Callers {
    closed: bool,
    last: u64,
    barriers: BTreeMap<u64, Arc<CallbackBarrier>>,
}

/// One who calls, one callback at a time.
pub struct Caller {
    calls: Arc<Calls>,
    number: u64,
    barrier: Arc<CallbackBarrier>,
}

impl Calls {
    /// Stops further callbacks, and waits for those that run, as [`CallbackBarrier::close_and_wait`].
    pub fn close_and_wait(&self) {
        let barriers: Vec<_> = {
            let mut callers = lock(&self.0);
            callers.closed = true;
            callers.barriers.values().cloned().collect()
        };
        barriers.iter().for_each(CallbackBarrier::close_and_wait);
    }
}

impl Caller {
    pub fn new(calls: &Arc<Calls>) -> Self {
        let barrier = Arc::new(CallbackBarrier::default());
        let mut callers = lock(&calls.0);
        callers.last += 1;
        let number = callers.last;
        if callers.closed {
            barrier.close_and_wait();
        } else {
            callers.barriers.insert(number, barrier.clone());
        }
        drop(callers);
        Self { calls: calls.clone(), number, barrier }
    }

    /// Begins a run of callbacks. Returns false when there are to be none any more.
    pub fn enter(&self) -> bool {
        self.barrier.enter()
    }

    /// Ends the run.
    pub fn leave(&self) {
        self.barrier.leave();
    }

    /// Whether the server is destroyed.
    pub fn is_over(&self) -> bool {
        self.barrier.is_closed()
    }

    /// Calls a callback.
    pub fn call(&self, callback: impl FnOnce()) {
        if self.enter() {
            callback();
            self.leave();
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        lock(&self.calls.0).barriers.remove(&self.number);
    }
}
