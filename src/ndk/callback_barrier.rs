//! Tracks the thread inside a client's callbacks, so that Destroy can wait for it.

use std::sync::{Arc, PoisonError};

use crate::sync::atomic::{AtomicBool, Ordering};
use crate::sync::thread::{self, ThreadId};
use crate::sync::{Condvar, LazyLock, Mutex, lock};

/// The barrier that each waiting thread waits for. Prevents a deadlock of callbacks that destroy each other's client.
static WAITING: LazyLock<Mutex<Waiting>> = LazyLock::new(Mutex::default);

type Waiting = Vec<(ThreadId, Arc<AnyBarrier>)>;

/// A barrier, whatever is beside it.
pub type AnyBarrier = CallbackBarrier<dyn Send + Sync>;

/// The barrier around one client's callbacks, and what the client has beside it, in one piece of memory.
#[derive(Default)]
pub struct CallbackBarrier<T: ?Sized = ()> {
    closed: AtomicBool,
    inside: Mutex<Option<ThreadId>>,
    left: Condvar,
    pub beside: T,
}

impl<T: ?Sized> CallbackBarrier<T> {
    /// Marks the calling thread as inside, before a group of callbacks. Returns false if the client is destroyed.
    pub fn enter(&self) -> bool {
        let mut inside = lock(&self.inside);
        if self.is_closed() {
            return false;
        }
        *inside = Some(thread::current().id());
        true
    }

    /// Marks the thread as outside, after the group.
    pub fn leave(&self) {
        *lock(&self.inside) = None;
        // `close_and_wait` sets `closed` before it reads `inside`. So this code sees `closed`, or `close_and_wait`
        // finds no thread inside. A notification without a waiter would cost one system call for each group.
        if self.is_closed() {
            self.left.notify_all();
        }
    }

    /// Whether the client is destroyed.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }
}

impl AnyBarrier {
    /// Stops further callbacks, and waits for the running one. Does not wait for a callback that itself waits for the
    /// calling thread, through any chain of Destroys.
    pub fn close_and_wait(self: &Arc<Self>) {
        let me = thread::current().id();
        self.closed.store(true, Ordering::SeqCst);
        {
            let mut waiting = lock(&WAITING);
            let mut runner = *lock(&self.inside);
            while let Some(thread) = runner {
                if thread == me {
                    return;
                }
                runner = match waiting.iter().find(|(waiter, _)| *waiter == thread) {
                    Some((_, barrier)) => *lock(&barrier.inside),
                    None => break,
                };
            }
            waiting.push((me, self.clone()));
        }
        let mut inside = lock(&self.inside);
        while inside.is_some() {
            inside = self.left.wait(inside).unwrap_or_else(PoisonError::into_inner);
        }
        drop(inside);
        lock(&WAITING).retain(|(waiter, _)| *waiter != me);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn close_waits_for_the_running_callback() {
        let barrier: Arc<AnyBarrier> = Arc::new(CallbackBarrier::<()>::default());
        assert!(barrier.enter());
        let (done, closed) = mpsc::channel();
        let closer = thread::spawn({
            let barrier = barrier.clone();
            move || {
                barrier.close_and_wait();
                done.send(()).expect("the test waits");
            }
        });
        while !lock(&WAITING).iter().any(|(_, waiting)| Arc::ptr_eq(waiting, &barrier)) {
            thread::yield_now();
        }
        assert!(closed.try_recv().is_err());
        barrier.leave();
        closed.recv().expect("close returns");
        closer.join().expect("no panic");
        assert!(!barrier.enter());
    }

    #[test]
    fn close_inside_the_callback_returns_at_once() {
        let barrier: Arc<AnyBarrier> = Arc::new(CallbackBarrier::<()>::default());
        assert!(barrier.enter());
        barrier.close_and_wait();
        barrier.leave();
        assert!(!barrier.enter());
    }

    #[test]
    fn callbacks_that_destroy_each_others_client_both_return() {
        let barriers = [(); 2].map(|()| Arc::new(CallbackBarrier::<()>::default()) as Arc<AnyBarrier>);
        let both_inside = Arc::new(std::sync::Barrier::new(2));
        let threads = [0, 1].map(|own| {
            let (barriers, both_inside) = (barriers.clone(), both_inside.clone());
            thread::spawn(move || {
                assert!(barriers[own].enter());
                both_inside.wait();
                barriers[1 - own].close_and_wait();
                barriers[own].leave();
            })
        });
        for thread in threads {
            thread.join().expect("no panic");
        }
    }
}
