//! Counts the running callbacks of a server on all threads, so that Destroy can wait for them.

use std::sync::Arc;

use crate::ndk::callback_barrier::{AnyBarrier, CallbackBarrier};
use crate::sync::{Mutex, lock};

/// A barrier for each caller.
#[derive(Default)]
pub struct Calls(Mutex<Callers>);

#[derive(Default)]
struct Callers {
    closed: bool,
    /// By place. Empty places are in `free`.
    barriers: Vec<Option<Arc<AnyBarrier>>>,
    free: Vec<usize>,
}

/// A caller. It calls one callback at a time.
pub struct Caller {
    calls: Arc<Calls>,
    /// Its place among the barriers. `None` if it came after the end.
    place: Option<usize>,
    barrier: Arc<AnyBarrier>,
}

impl Calls {
    /// Stops further callbacks, and waits for the running ones, as [`AnyBarrier::close_and_wait`].
    pub fn close_and_wait(&self) {
        let barriers: Vec<_> = {
            let mut callers = lock(&self.0);
            callers.closed = true;
            callers.barriers.iter().flatten().cloned().collect()
        };
        barriers.iter().for_each(AnyBarrier::close_and_wait);
    }
}

impl Caller {
    pub fn new(calls: &Arc<Calls>) -> Self {
        let barrier: Arc<AnyBarrier> = Arc::new(CallbackBarrier::<()>::default());
        let mut callers = lock(&calls.0);
        let place = if callers.closed {
            barrier.close_and_wait();
            None
        } else {
            let place = callers.free.pop().unwrap_or_else(|| {
                callers.barriers.push(None);
                callers.barriers.len() - 1
            });
            callers.barriers[place] = Some(barrier.clone());
            Some(place)
        };
        drop(callers);
        Self { calls: calls.clone(), place, barrier }
    }

    /// Begins a group of callbacks. Returns false if no callback may begin any more.
    pub fn enter(&self) -> bool {
        self.barrier.enter()
    }

    /// Ends the group.
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
        if let Some(place) = self.place {
            let mut callers = lock(&self.calls.0);
            callers.barriers[place] = None;
            callers.free.push(place);
        }
    }
}
