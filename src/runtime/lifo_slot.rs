//! tokio's LIFO slot: the one task of a worker that no other worker reaches.
//!
//! Owns the tasks that take the slot from others. Knows nothing of callbacks.
//!
//! A worker that polls the sockets puts the last task that they wake into its slot. It nearly always runs that task next. But
//! every so often it first takes a task from outside, which then runs while the slot is full. A task that a worker wakes in a turn
//! goes there as well. If the turn then blocks, the task in the slot waits for it. tokio tells nobody so.

use std::future::poll_fn;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};

use super::turn::{TURN, Turn};

/// The number of fillers. One stays in the list of a worker for each turn that wakes a task after its callback.
const FILLERS_COUNT: usize = 8;
/// The thread of a filler that was woken and has not run since.
const NONE: usize = 0;

/// A task that does nothing but be woken.
struct Filler {
    waker: OnceLock<Waker>,
    /// The thread that has run it, by the address of its [`Turn`]. Another thread cannot know whether that run is over.
    idle_on: AtomicUsize,
}

static FILLERS: [Filler; FILLERS_COUNT] =
    [const { Filler { waker: OnceLock::new(), idle_on: AtomicUsize::new(NONE) } }; FILLERS_COUNT];

/// The tasks that fill slots, for as long as the process lives.
pub(super) fn fillers() -> impl Iterator<Item = impl Future<Output = ()> + Send + 'static> {
    FILLERS.iter().map(|filler| {
        poll_fn(|cx| {
            filler.waker.get_or_init(|| cx.waker().clone());
            filler.idle_on.store(TURN.with(address), Ordering::Release);
            Poll::Pending
        })
    })
}

fn address(turn: &Turn) -> usize {
    (&raw const *turn).addr()
}

impl Filler {
    /// Wakes it if it is idle. True if it is in this worker's slot then.
    fn fill(&self, this_thread: usize) -> bool {
        let thread = self.idle_on.load(Ordering::Relaxed);
        if thread == NONE
            || self.idle_on.compare_exchange(thread, NONE, Ordering::Acquire, Ordering::Relaxed).is_err()
        {
            return false;
        }
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
        // A task that is woken while it runs goes into the list of the worker that runs it.
        thread == this_thread
    }
}

/// Sends the task in this worker's slot, if there is one, into the list that other workers take from. `turn` is this thread's,
/// and `add_task` spawns a task on its worker.
pub(super) fn empty(turn: &Turn, add_task: impl FnOnce()) {
    let this_thread = address(turn);
    if !FILLERS.iter().any(|filler| filler.fill(this_thread)) {
        add_task();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, Write};
    use std::os::unix::net::UnixStream;
    use std::sync::mpsc::channel;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use tokio::time::Instant;

    use super::super::alarm::{Alarm, origin, sleep_until};
    use super::*;
    use crate::runtime;
    use crate::sync::lock;

    /// Longer than anything here takes; a test that reaches it has failed.
    const DEADLINE: Duration = Duration::from_secs(20);

    #[test]
    fn a_callback_delays_no_task_that_its_own_task_woke_before() {
        let (ringing, rung) = channel();
        let sleeper = async move {
            sleep_until(Instant::now() + Duration::from_millis(50)).await;
            let _ = ringing.send(());
        };
        runtime::spawn(sleeper).expect("a runtime");
        let (done, outcome) = channel();
        let task = async move {
            sleep_until(Instant::now() + Duration::from_millis(5)).await;
            poll_fn(move |cx| {
                runtime::callback(|| {});
                // tokio's clock is past it, so tokio wakes the clock's task at once.
                let mut alarm = Alarm::default();
                alarm.set(origin(), cx);
                let _ = done.send(runtime::callback(|| rung.recv_timeout(DEADLINE)));
                Poll::Ready(())
            })
            .await;
        };
        runtime::spawn(task).expect("a runtime");
        assert_eq!(outcome.recv_timeout(2 * DEADLINE), Ok(Ok(())));
    }

    #[test]
    fn a_callback_in_a_task_from_outside_delays_no_task_that_a_socket_woke() {
        // So many that a worker takes the task from outside first in some of them.
        const ROUNDS: usize = 3_000;
        let (mut near, far) = UnixStream::pair().expect("a pair of sockets");
        far.set_nonblocking(true).expect("a socket that does not block");
        let (heard_out, heard) = channel();
        let reader = async move {
            let far = tokio::net::UnixStream::from_std(far).expect("within the runtime");
            let mut byte = [0];
            while let Ok(()) = far.readable().await {
                match far.try_read(&mut byte) {
                    Ok(1) => _ = heard_out.send(()),
                    Err(cause) if cause.kind() == ErrorKind::WouldBlock => {}
                    _ => return,
                }
            }
        };
        runtime::spawn(reader).expect("a runtime");
        let heard = Arc::new(Mutex::new(heard));
        for round in 0..ROUNDS {
            // It keeps a worker in its turn until the socket is readable and the other task waits.
            let (busy, is_busy) = channel();
            let (go_on, may_go_on) = channel::<()>();
            let turn = async move {
                let _ = busy.send(());
                let _ = may_go_on.recv();
            };
            runtime::spawn(turn).expect("a runtime");
            assert_eq!(is_busy.recv_timeout(DEADLINE), Ok(()));
            near.write_all(&[1]).expect("the socket has room");
            let (done, outcome) = channel();
            let heard = heard.clone();
            let task = async move {
                let _ = done.send(runtime::callback(|| lock(&heard).recv_timeout(DEADLINE)));
            };
            runtime::spawn(task).expect("a runtime");
            let _ = go_on.send(());
            assert_eq!(outcome.recv_timeout(2 * DEADLINE), Ok(Ok(())), "round {round}");
        }
    }
}
