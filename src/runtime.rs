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
//!
//! A thread outside that wakes a task wakes one worker, where tokio would wake two: one for the task, and another that looks
//! whether there is more. While all workers sleep, such threads ring the [`Doorbell`].

use std::cell::Cell;
use std::io::{self, PipeWriter, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread::Thread;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe::Receiver;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::unconstrained;

/// Two are enough for a phone, and the least that lets one block while the other serves everyone else.
const WORKER_THREADS: usize = 2;
/// Threads that may be blocked in callbacks, or in name lookups, at once. They exist only while they are needed.
const BLOCKING_THREADS_MAX: usize = 16_384;
/// How long a thread that took over from a blocked callback waits for the next one.
const BLOCKING_THREAD_KEEP_ALIVE: Duration = Duration::from_secs(1);
/// Turns of tasks after which a worker looks for sockets and timers. By default it is 61: so many turns of connections whose
/// data never end would come before a quiet one is noticed.
const EVENT_INTERVAL: u32 = 16;
/// How long a callback may hold up the sockets of other clients before another worker is called to them.
const WATCH_INTERVAL: Duration = Duration::from_millis(1);

static RUNTIME: LazyLock<Option<Process>> = LazyLock::new(Process::start);

/// The place of the one worker that runs a callback as it is: odd while taken, and never the same twice.
static DIRECT_CALLBACK: AtomicU64 = AtomicU64::new(0);

/// Workers that have nothing to do. If all of them, one waits for the sockets.
static SLEEPING_WORKERS: AtomicUsize = AtomicUsize::new(0);

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
    doorbell: Arc<Doorbell>,
}

impl Process {
    fn start() -> Option<Self> {
        let started = Builder::new_multi_thread()
            .worker_threads(WORKER_THREADS)
            .max_blocking_threads(BLOCKING_THREADS_MAX)
            .event_interval(EVENT_INTERVAL)
            .thread_keep_alive(BLOCKING_THREAD_KEEP_ALIVE)
            .thread_name("net_websocket")
            .on_thread_park(|| {
                SLEEPING_WORKERS.fetch_add(1, Ordering::SeqCst);
            })
            .on_thread_unpark(|| {
                SLEEPING_WORKERS.fetch_sub(1, Ordering::SeqCst);
            })
            .enable_io()
            .enable_time()
            .build()
            .and_then(|tokio| {
                let doorbell = Doorbell::hang(&tokio)?;
                let watch = Arc::new(Watch::default());
                let watcher = std::thread::Builder::new().name("net_websocket-w".to_owned()).spawn({
                    let (watch, handle) = (watch.clone(), tokio.handle().clone());
                    move || watch.run(&handle)
                })?;
                Ok(Self { tokio, watch, watcher: watcher.thread().clone(), doorbell })
            });
        started.map_err(|cause| crate::logging::error(format_args!("no runtime: {cause}"))).ok()
    }

    /// Does a job, or has it done by the one who should.
    fn give(&self, job: Job) {
        if IN_DIRECT_CALLBACK.get() {
            self.watch.jobs.add(job);
            self.watcher.unpark();
        } else if SLEEPING_WORKERS.load(Ordering::SeqCst) == WORKER_THREADS && Handle::try_current().is_err()
        {
            self.doorbell.ring(job);
        } else {
            job.run();
        }
    }
}

/// Runs `task` on the runtime. Any thread, also inside a callback. The task must return to the runtime often enough for
/// others by itself, waking itself by `wake_by_ref`.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Result<(), Unavailable> {
    let process = RUNTIME.as_ref().ok_or(Unavailable)?;
    // A task that tokio makes yield waits in a list of its worker's own, out of reach while that worker blocks in a
    // callback. So tasks are not made to yield: a session does so by itself.
    let task = unconstrained(task);
    process.give(Job::Spawn(Box::new(|| drop(process.tokio.spawn(task)))));
    Ok(())
}

/// Wakes a task of the runtime. Any thread, also inside a callback.
pub(crate) fn wake(waker: Waker) {
    match RUNTIME.as_ref() {
        Some(process) => process.give(Job::Wake(waker)),
        None => waker.wake(),
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
    Spawn(Box<dyn FnOnce() + Send>),
}

impl Job {
    fn run(self) {
        match self {
            Self::Wake(waker) => waker.wake(),
            Self::Spawn(spawn) => spawn(),
        }
    }
}

/// Jobs for another thread.
#[derive(Default)]
struct Jobs(Mutex<Vec<Job>>);

impl Jobs {
    fn list(&self) -> MutexGuard<'_, Vec<Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is the first one that waits.
    fn add(&self, job: Job) -> bool {
        let mut list = self.list();
        list.push(job);
        list.len() == 1
    }

    fn run(&self) {
        let jobs = std::mem::take(&mut *self.list());
        jobs.into_iter().for_each(Job::run);
    }
}

/// A pipe with a task at its end, which whoever waits for the sockets hears of as of any of them: the jobs are done there,
/// where the events of the sockets come as well.
struct Doorbell {
    pipe: PipeWriter,
    jobs: Jobs,
}

impl Doorbell {
    fn hang(tokio: &Runtime) -> io::Result<Arc<Self>> {
        let (reader, pipe) = io::pipe()?;
        let mut reader = {
            let _guard = tokio.enter();
            Receiver::from_owned_fd(reader.into())?
        };
        let doorbell = Arc::new(Self { pipe, jobs: Jobs::default() });
        let door = doorbell.clone();
        tokio.spawn(unconstrained(async move {
            let mut rings = [0; 64];
            // Nothing but the end of the process closes it.
            while reader.read(&mut rings).await.is_ok() {
                door.jobs.run();
            }
        }));
        Ok(doorbell)
    }

    fn ring(&self, job: Job) {
        if self.jobs.add(job)
            && let Err(cause) = (&self.pipe).write_all(&[0])
        {
            crate::logging::error(format_args!("the runtime's pipe: {cause}"));
            self.jobs.run();
        }
    }
}

/// A thread that is no worker: it sleeps while no callback runs, looks at the place of the direct callback every
/// [`WATCH_INTERVAL`] while some do, and does what a thread inside a callback cannot do for others.
#[derive(Default)]
struct Watch {
    awake: AtomicBool,
    jobs: Jobs,
}

impl Watch {
    fn run(&self, tokio: &Handle) {
        let mut seen = 0;
        loop {
            self.jobs.run();
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
    use std::sync::mpsc::{RecvTimeoutError, Sender, channel};

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

    /// Sleeps until it is woken by the waker it gives.
    async fn sleep(wakers: &Sender<Waker>) {
        let mut told = false;
        std::future::poll_fn(|cx| {
            if std::mem::replace(&mut told, true) {
                return std::task::Poll::Ready(());
            }
            let _ = wakers.send(cx.waker().clone());
            std::task::Poll::Pending
        })
        .await;
    }

    #[test]
    fn no_wake_from_outside_is_lost() {
        // Some of them find all workers asleep, and some do not.
        const WAKES: usize = 20_000;
        let (waker_out, wakers) = channel();
        let task = async move {
            for _ in 0..WAKES {
                sleep(&waker_out).await;
            }
        };
        spawn(task).expect("a runtime");
        for _ in 0..WAKES {
            wake(wakers.recv_timeout(DEADLINE).expect("the task was woken"));
        }
        assert_eq!(
            wakers.recv_timeout(DEADLINE).err(),
            Some(RecvTimeoutError::Disconnected),
            "the task has ended"
        );
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
            sleep(&waker_out).await;
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
