//! The one tokio runtime of the process, for both faces, and the way in and out of it.
//!
//! Owns the worker threads and the rule that keeps them alive: an application's code may block inside a callback
//! for as long as it likes, and only its own client waits.
//!
//! A worker that blocks keeps the tasks it was about to run. So at most all workers but one run callbacks on their
//! own thread; a further one hands its worker role to a fresh thread first (`block_in_place`), which costs more.
//! And because a task woken by a worker lands in a slot that only this worker empties, wakes and spawns from inside
//! a callback travel through the [`Relay`] to a worker that is free.

use std::cell::Cell;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::task::Waker;

use tokio::io::AsyncReadExt;
use tokio::runtime::{Builder, Runtime};

/// Two are enough for a phone, and the least that lets one block while the other serves everyone else.
const WORKER_THREADS: usize = 2;
/// Threads that may be blocked in callbacks, or in name lookups, at once. They exist only while they are needed.
const BLOCKING_THREADS_MAX: usize = 16_384;

static RUNTIME: LazyLock<Option<Process>> = LazyLock::new(Process::start);

/// Workers inside a callback that did not hand their role on.
static DIRECT_CALLBACKS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether this worker thread runs an application's callback without having handed its role on.
    static IN_DIRECT_CALLBACK: Cell<bool> = const { Cell::new(false) };
}

/// The system gave no threads or no descriptors for the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unavailable;

struct Process {
    tokio: Runtime,
    relay: Relay,
}

impl Process {
    fn start() -> Option<Self> {
        let started = Builder::new_multi_thread()
            .worker_threads(WORKER_THREADS)
            .max_blocking_threads(BLOCKING_THREADS_MAX)
            .thread_name("net_websocket")
            .enable_io()
            .enable_time()
            .build()
            .and_then(|tokio| Ok(Self { relay: Relay::start(&tokio)?, tokio }));
        started.map_err(|cause| crate::logging::error(format_args!("no runtime: {cause}"))).ok()
    }
}

/// Runs `task` on the runtime. Any thread, also inside a callback.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Result<(), Unavailable> {
    let process = RUNTIME.as_ref().ok_or(Unavailable)?;
    if IN_DIRECT_CALLBACK.get() {
        process.relay.pass(Job::Spawn(Box::pin(task)));
    } else {
        process.tokio.spawn(task);
    }
    Ok(())
}

/// Wakes a task of the runtime. Any thread, also inside a callback.
pub(crate) fn wake(waker: Waker) {
    match RUNTIME.as_ref() {
        Some(process) if IN_DIRECT_CALLBACK.get() => process.relay.pass(Job::Wake(waker)),
        _ => waker.wake(),
    }
}

/// Runs code of the application, which may block. Only from tasks spawned by [`spawn`].
pub(crate) fn callback<R>(run: impl FnOnce() -> R) -> R {
    /// Gives the place back also when the callback unwinds.
    struct Direct;
    impl Drop for Direct {
        fn drop(&mut self) {
            IN_DIRECT_CALLBACK.set(false);
            DIRECT_CALLBACKS.fetch_sub(1, Ordering::Relaxed);
        }
    }
    if DIRECT_CALLBACKS.fetch_add(1, Ordering::Relaxed) < WORKER_THREADS - 1 {
        IN_DIRECT_CALLBACK.set(true);
        let _direct = Direct;
        run()
    } else {
        DIRECT_CALLBACKS.fetch_sub(1, Ordering::Relaxed);
        tokio::task::block_in_place(run)
    }
}

enum Job {
    Wake(Waker),
    Spawn(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// Carries wakes and spawns from a thread inside a callback to a worker that is free.
struct Relay {
    jobs: std::sync::Arc<Mutex<Vec<Job>>>,
    doorbell: UnixStream,
}

impl Relay {
    fn start(tokio: &Runtime) -> std::io::Result<Self> {
        let (doorbell, door) = UnixStream::pair()?;
        doorbell.set_nonblocking(true)?;
        door.set_nonblocking(true)?;
        let _guard = tokio.enter();
        let mut door = tokio::net::UnixStream::from_std(door)?;
        let jobs = std::sync::Arc::new(Mutex::new(Vec::new()));
        let inbox = jobs.clone();
        tokio.spawn(async move {
            let mut rings = [0; 64];
            while door.read(&mut rings).await.is_ok_and(|count| count > 0) {
                let jobs: Vec<Job> =
                    std::mem::take(&mut *inbox.lock().unwrap_or_else(PoisonError::into_inner));
                for job in jobs {
                    match job {
                        Job::Wake(waker) => waker.wake(),
                        Job::Spawn(task) => {
                            tokio::spawn(task);
                        }
                    }
                }
            }
        });
        Ok(Self { jobs, doorbell })
    }

    fn pass(&self, job: Job) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.push(job);
        // A full pipe means that rings are waiting to be heard, so one more changes nothing.
        if jobs.len() == 1 {
            let _ = (&self.doorbell).write(&[0]);
        }
    }
}
