//! The one tokio runtime of the process, for both faces, and the way in and out of it.
//!
//! Owns the threads and the rule that keeps them alive: an application's code may block inside a callback for as long
//! as it likes, and only its own client waits.
//!
//! A worker that blocks keeps two things from the others: the role of waiting for sockets, which it had when it took
//! its task, and tasks it wakes itself, which land in a slot that only this worker empties. Handing the whole worker
//! role to a fresh thread before each callback (`block_in_place`) would be right and slow. So one worker at a time runs
//! its callback as it is, watched by the [`Watch`]: when a callback takes long, that thread makes another worker take
//! over the sockets; and wakes and spawns from inside such a callback go through it. Further callbacks at that time
//! hand their role on.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::task::Waker;
use std::thread::Thread;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};

/// Two are enough for a phone, and the least that lets one block while the other serves everyone else.
const WORKER_THREADS: usize = 2;
/// Threads that may be blocked in callbacks, or in name lookups, at once. They exist only while they are needed.
const BLOCKING_THREADS_MAX: usize = 16_384;
/// How long a thread that took over from a blocked callback waits for the next one.
const BLOCKING_THREAD_KEEP_ALIVE: Duration = Duration::from_secs(1);
/// How long a callback may hold up the sockets of other clients before another worker is called to them.
const WATCH_INTERVAL: Duration = Duration::from_millis(1);

static RUNTIME: LazyLock<Option<Process>> = LazyLock::new(Process::start);

/// The place of the one worker that runs a callback as it is: odd while taken, and never the same twice.
static DIRECT_CALLBACK: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Whether this thread has that place.
    static IN_DIRECT_CALLBACK: Cell<bool> = const { Cell::new(false) };
}

/// The system gave no threads or no descriptors for the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unavailable;

struct Process {
    tokio: Runtime,
    watch: Arc<Watch>,
    watcher: Thread,
}

impl Process {
    fn start() -> Option<Self> {
        let started = Builder::new_multi_thread()
            .worker_threads(WORKER_THREADS)
            .max_blocking_threads(BLOCKING_THREADS_MAX)
            .thread_keep_alive(BLOCKING_THREAD_KEEP_ALIVE)
            .thread_name("net_websocket")
            .enable_io()
            .enable_time()
            .build()
            .and_then(|tokio| {
                let watch = Arc::new(Watch::default());
                let watcher = std::thread::Builder::new().name("net_websocket-w".to_owned()).spawn({
                    let (watch, handle) = (watch.clone(), tokio.handle().clone());
                    move || watch.run(&handle)
                })?;
                Ok(Self { tokio, watch, watcher: watcher.thread().clone() })
            });
        started.map_err(|cause| crate::logging::error(format_args!("no runtime: {cause}"))).ok()
    }

    fn pass(&self, job: Job) {
        self.watch.jobs.lock().unwrap_or_else(PoisonError::into_inner).push(job);
        self.watcher.unpark();
    }
}

/// Runs `task` on the runtime. Any thread, also inside a callback. The task must return to the runtime often enough for
/// others by itself, waking itself by `wake_by_ref`.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Result<(), Unavailable> {
    let process = RUNTIME.as_ref().ok_or(Unavailable)?;
    // A task that tokio makes yield waits in a list of its worker's own, out of reach while that worker blocks in a
    // callback. So tasks are not made to yield: a session does so by itself.
    let task = tokio::task::unconstrained(task);
    if IN_DIRECT_CALLBACK.get() {
        process.pass(Job::Spawn(Box::pin(task)));
    } else {
        process.tokio.spawn(task);
    }
    Ok(())
}

/// Wakes a task of the runtime. Any thread, also inside a callback.
pub(crate) fn wake(waker: Waker) {
    match RUNTIME.as_ref() {
        Some(process) if IN_DIRECT_CALLBACK.get() => process.pass(Job::Wake(waker)),
        _ => waker.wake(),
    }
}

/// Runs code of the application, which may block. Only from tasks spawned by [`spawn`], and not in the same poll after the
/// task has spawned or woken another one: that one would be in the slot which only this worker empties.
pub(crate) fn callback<R>(run: impl FnOnce() -> R) -> R {
    /// Gives the place back also when the callback unwinds.
    struct Place;
    impl Drop for Place {
        fn drop(&mut self) {
            IN_DIRECT_CALLBACK.set(false);
            DIRECT_CALLBACK.fetch_add(1, Ordering::SeqCst);
        }
    }
    let place = DIRECT_CALLBACK.load(Ordering::SeqCst);
    let free = place.is_multiple_of(2);
    if !free
        || DIRECT_CALLBACK.compare_exchange(place, place + 1, Ordering::SeqCst, Ordering::SeqCst).is_err()
    {
        return tokio::task::block_in_place(run);
    }
    IN_DIRECT_CALLBACK.set(true);
    let _place = Place;
    if let Some(process) = RUNTIME.as_ref()
        && !process.watch.awake.load(Ordering::SeqCst)
        && !process.watch.awake.swap(true, Ordering::SeqCst)
    {
        process.watcher.unpark();
    }
    run()
}

enum Job {
    Wake(Waker),
    Spawn(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// A thread that is no worker: it sleeps while no callback runs, looks at the place of the direct callback every
/// [`WATCH_INTERVAL`] while some do, and does what a thread inside a callback cannot do for others.
#[derive(Default)]
struct Watch {
    awake: AtomicBool,
    jobs: Mutex<Vec<Job>>,
}

impl Watch {
    fn run(&self, tokio: &Handle) {
        let mut seen = 0;
        loop {
            let jobs = std::mem::take(&mut *self.jobs.lock().unwrap_or_else(PoisonError::into_inner));
            for job in jobs {
                match job {
                    Job::Wake(waker) => waker.wake(),
                    Job::Spawn(task) => {
                        tokio.spawn(task);
                    }
                }
            }
            let place = DIRECT_CALLBACK.load(Ordering::SeqCst);
            let (taken, unchanged) = (!place.is_multiple_of(2), place == seen);
            seen = place;
            if taken && unchanged {
                // A task from outside rouses a worker, which then waits for the sockets. Once is enough: that worker
                // cannot get stuck itself while the place is taken.
                tokio.spawn(async {});
            }
            if unchanged {
                self.awake.store(false, Ordering::SeqCst);
                // A callback that began meanwhile has either seen `awake` unset or is seen here.
                if DIRECT_CALLBACK.load(Ordering::SeqCst) == seen {
                    std::thread::park();
                }
                self.awake.store(true, Ordering::SeqCst);
            } else {
                std::thread::park_timeout(WATCH_INTERVAL);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};

    /// Longer than anything here takes; a test that reaches it has failed.
    const DEADLINE: Duration = Duration::from_secs(20);

    /// A task that needs the runtime's timers, and so whatever waits for sockets.
    fn tick(done: Sender<()>) {
        let task = async move {
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let _ = done.send(());
        };
        spawn(task).expect("a runtime");
    }

    #[test]
    fn blocked_callbacks_hold_up_nobody_else() {
        const BLOCKED: usize = 8;
        let (entered, entries) = channel();
        let releases: Vec<_> = (0..BLOCKED)
            .map(|_| {
                let (release, released) = channel::<()>();
                let entered = entered.clone();
                let task = async move {
                    // From inside a timer's wake, as a session is inside a socket's.
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    callback(|| {
                        let _ = entered.send(());
                        let _ = released.recv();
                    });
                };
                spawn(task).expect("a runtime");
                release
            })
            .collect();
        for _ in 0..BLOCKED {
            entries.recv_timeout(DEADLINE).expect("every callback begins although others block");
            let (done, ticked) = channel();
            tick(done);
            ticked.recv_timeout(DEADLINE).expect("other tasks go on");
        }
        drop(releases);
    }

    #[test]
    fn a_callback_may_wait_for_tasks_it_spawns_and_wakes() {
        let (waker_out, waker_in) = channel();
        let (woken, was_woken) = channel();
        let sleeper = async move {
            let mut told = false;
            std::future::poll_fn(|cx| {
                if std::mem::replace(&mut told, true) {
                    return std::task::Poll::Ready(());
                }
                let _ = waker_out.send(cx.waker().clone());
                std::task::Poll::Pending
            })
            .await;
            let _ = woken.send(());
        };
        spawn(sleeper).expect("a runtime");
        let waker = waker_in.recv_timeout(DEADLINE).expect("the sleeper runs");

        let (done, outcome) = channel();
        let task = async move {
            let both = callback(|| {
                let (done, ticked) = channel();
                tick(done);
                let ran = ticked.recv_timeout(DEADLINE).is_ok();
                wake(waker);
                (ran, was_woken.recv_timeout(DEADLINE).is_ok())
            });
            let _ = done.send(both);
        };
        spawn(task).expect("a runtime");
        assert_eq!(outcome.recv_timeout(3 * DEADLINE), Ok((true, true)));
    }
}
