//! The one tokio runtime of the process, which the C API and the ArkTS API share: spawning, waking and running callbacks.
//!
//! Owns the threads and one rule: an application may block inside a callback for any time, and only its own client waits. Knows
//! nothing of clients.
//!
//! A worker that blocks in a callback keeps two things from the others. The first is polling the sockets, if it did so when it
//! took its task. The second is a task in its [`lifo_slot`], which only this worker empties. `block_in_place` before each
//! callback would solve both, but it starts another thread each time, which is slow.
//!
//! So one callback at a time runs inline on its worker. The [`Watchdog`] lets another worker poll the sockets when that
//! callback takes long. The worker empties its slot before the first callback of a turn, and before one that comes after a wake.
//! Wakes and spawns from inside a callback are [`jobs`] for the end of the turn, or for the watchdog's thread. Further callbacks
//! at the same time use `block_in_place`, unless the first one is about to end.
//!
//! One worker runs all tasks while it can. The other one is in [`reserve`] until a callback blocks, or until the tasks are too
//! many for one.
//!
//! A worker holds [`signals`] to other threads back until it has run the turns that are due.
//!
//! Tasks wait for points in time by the [`Alarm`], which needs tokio's timer for the nearest one alone.

mod alarm;
mod jobs;
mod lifo_slot;
mod load;
mod reserve;
mod signals;
mod slot;
mod turn;
mod turns;
mod watchdog;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::task::Waker;
use std::thread::Thread;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::unconstrained;

#[cfg(not(test))]
pub(crate) use self::alarm::sleep_until;
pub(crate) use self::alarm::{Alarm, origin};
#[cfg(any(target_env = "ohos", feature = "arkts"))]
pub(crate) use self::signals::{Signal, signal};
pub(crate) use self::turns::{end_turn, has_read, long_turn, may_read};

use self::jobs::Job;
use self::slot::Taken;
use self::turn::TURN;
use self::turns::{Task, Turns, WORKER_THREADS};
use self::watchdog::{WATCHDOG_INTERVAL, Watchdog};
// Tests of single files stop the clock of tokio and have it go on, each its own.
#[cfg(test)]
pub(crate) use tokio::time::sleep_until;

use crate::shortage::{THREAD_KEEP_ALIVE, try_thread};
use crate::sync::lock;

/// How long the workers may take to run, on a machine that is busy.
const WORKERS_START_WITHIN: Duration = Duration::from_secs(5);
/// Threads that may be blocked in callbacks, or in name lookups, at once. They exist only while they are needed.
const BLOCKING_THREADS_MAX: usize = 16_384;
/// Turns of tasks after which a worker looks for sockets and timers. The default is 61: a quiet connection would wait for this
/// many turns of connections with endless data.
const EVENT_INTERVAL: u32 = 4;

static PROCESS: OnceLock<Process> = OnceLock::new();

/// The runtime, which is created once.
pub(crate) struct Process {
    tokio: Runtime,
    watchdog: Arc<Watchdog>,
    watchdog_thread: Thread,
}

/// The runtime. The first call starts it, and while the system has no threads or no descriptors for it, each call tries again.
pub(crate) fn start() -> io::Result<&'static Process> {
    /// One call at a time starts it.
    static STARTING: Mutex<()> = Mutex::new(());
    if let Some(process) = PROCESS.get() {
        return Ok(process);
    }
    let _starting = lock(&STARTING);
    if let Some(process) = PROCESS.get() {
        return Ok(process);
    }
    let process = Process::start()?;
    Ok(PROCESS.get_or_init(|| process))
}

/// Asks the system for as many threads as the runtime needs, and gives them back. Where tokio gets none it panics, and where
/// it gets one it starts with that one.
fn try_threads() -> io::Result<()> {
    let mut threads = Vec::new();
    let mut tried = Ok(());
    // The threads end only when all of them exist.
    let gate = Arc::new(Mutex::new(()));
    let closed = lock(&gate);
    for _ in 0..WORKER_THREADS + 1 {
        let gate = gate.clone();
        match std::thread::Builder::new().spawn(move || drop(lock(&gate))) {
            Ok(thread) => threads.push(thread),
            Err(cause) => tried = Err(cause),
        }
    }
    drop(closed);
    for thread in threads {
        let _ = thread.join();
    }
    tried
}

impl Process {
    fn start() -> io::Result<Self> {
        try_threads()?;
        let workers = Arc::new(Running::default());
        let running = workers.clone();
        let build = || {
            Builder::new_multi_thread()
                .worker_threads(WORKER_THREADS)
                .max_blocking_threads(BLOCKING_THREADS_MAX)
                .event_interval(EVENT_INTERVAL)
                .thread_keep_alive(THREAD_KEEP_ALIVE)
                .thread_name_fn(|| {
                    slot::thread_asked();
                    "net_websocket".to_owned()
                })
                .on_thread_start(move || {
                    slot::thread_begins();
                    running.add();
                })
                .on_thread_park(turns::worker_sleeps)
                .on_thread_unpark(turns::worker_wakes)
                .enable_io()
                .enable_time()
                .build()
        };
        let no_thread = || io::Error::other("the system gave no thread");
        // Other processes may have taken the threads in the meantime.
        let tokio = catch_unwind(AssertUnwindSafe(build)).unwrap_or_else(|_| Err(no_thread()))?;
        let rest = match workers.reach(WORKER_THREADS, WORKERS_START_WITHIN) {
            true => Self::start_rest(&tokio),
            false => Err(no_thread()),
        };
        match rest {
            Ok((watchdog, watchdog_thread)) => Ok(Self { tokio, watchdog, watchdog_thread }),
            Err(cause) => {
                // To drop it would wait for a worker that never ran.
                tokio.shutdown_background();
                Err(cause)
            }
        }
    }

    /// The parts of the runtime beside the workers.
    fn start_rest(tokio: &Runtime) -> io::Result<(Arc<Watchdog>, Thread)> {
        spawn_on(tokio.handle(), Turns::of(Box::pin(alarm::run())));
        for filler in lifo_slot::fillers() {
            spawn_on(tokio.handle(), Turns::uncounted(Box::pin(filler)));
        }
        let watchdog = Arc::new(Watchdog::new());
        let thread = std::thread::Builder::new().name("net_websocket-w".to_owned()).spawn({
            let (watchdog, handle) = (watchdog.clone(), tokio.handle().clone());
            move || run_watchdog(&watchdog, &handle)
        })?;
        // Last: the runtime could not end while a worker waits in reserve.
        spawn_on(tokio.handle(), Turns::of(Box::pin(load::run(add_answer, watch))));
        Ok((watchdog, thread.thread().clone()))
    }

    /// Runs `task` on the runtime. Callable on any thread, also inside a callback. The task must return to the runtime often
    /// enough for others, by [`end_turn`].
    pub(crate) fn spawn(&'static self, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn_boxed(Box::pin(task));
    }

    /// Compiled once for all kinds of tasks.
    fn spawn_boxed(&'static self, task: Task) {
        self.dispatch(Job::Call(Box::new(|| spawn_on(self.tokio.handle(), Turns::of(task)))));
    }

    /// Runs code that registers sockets.
    pub(crate) fn within<R>(&self, run: impl FnOnce() -> R) -> R {
        let _entered = self.tokio.enter();
        run()
    }

    /// Runs a job here, or at the end of the turn, or on the watchdog's thread.
    fn dispatch(&self, job: Job) {
        if !slot::is_holder() {
            job.run();
            turn::may_have_waked();
        } else if jobs::add(job, &load::RESERVE) {
            TURN.with(|turn| turn.has_jobs.set(true));
        } else {
            self.watchdog_thread.unpark();
        }
    }
}

/// The number of threads that run.
#[derive(Default)]
struct Running {
    count: Mutex<usize>,
    grown: Condvar,
}

impl Running {
    /// Counts the calling thread.
    fn add(&self) {
        *lock(&self.count) += 1;
        self.grown.notify_one();
    }

    /// Waits until this many threads run. Returns whether they do within the limit.
    fn reach(&self, count: usize, limit: Duration) -> bool {
        let waited = self.grown.wait_timeout_while(lock(&self.count), limit, |running| *running < count);
        let (running, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *running >= count
    }
}

/// As [`Process::spawn`], for those who run there already.
pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    start()?.spawn(task);
    Ok(())
}

/// Wakes a task of the runtime. Callable on any thread, also inside a callback.
pub(crate) fn wake(waker: Waker) {
    match PROCESS.get() {
        Some(process) => process.dispatch(Job::Wake(waker)),
        None => waker.wake(),
    }
}

/// Runs code of the application, which may block. Call it only in tasks spawned by [`spawn`].
pub(crate) fn callback<R>(run: impl FnOnce() -> R) -> R {
    let Some(_taken) = begin_callback() else {
        let (mut run, mut result) = (Some(run), None);
        beside(&mut || result = run.take().map(|run| run()));
        let Some(result) = result else { unreachable!("`beside` runs it once") };
        return result;
    };
    run()
}

/// What comes before each callback. `None` if it cannot run inline. Compiled once for all kinds of callbacks.
#[inline(never)]
fn begin_callback() -> Option<Taken> {
    // One look at the thread-local: each costs some 30 instructions on OpenHarmony.
    TURN.with(|turn| {
        if turn.signals_since.get() != 0 {
            signals::send_held();
        }
        if turn.may_fill_slot.replace(false) {
            lifo_slot::empty(turn, || add_task(&Handle::current()));
        }
    });
    let taken = slot::take().or_else(slot::take_soon)?;
    watch();
    Some(taken)
}

/// Runs a callback beside the one that runs inline. Compiled once, because `block_in_place` is large.
#[inline(never)]
fn beside(run: &mut dyn FnMut()) {
    signals::hold_none();
    // Without a thread to take over, this worker does nothing else until the callback has returned.
    if try_thread().is_ok() { tokio::task::block_in_place(run) } else { run() }
}

/// Has the watchdog look at the callback that runs inline.
fn watch() {
    if let Some(process) = PROCESS.get() {
        process.watchdog.rouse(&process.watchdog_thread);
    }
}

/// Runs the watchdog and the jobs for its thread, for as long as the process lives.
fn run_watchdog(watchdog: &Watchdog, tokio: &Handle) {
    let (mut seen, mut looked) = (0, Instant::now());
    loop {
        jobs::run();
        let rest = WATCHDOG_INTERVAL.saturating_sub(looked.elapsed());
        if !rest.is_zero() {
            // Woken for jobs, while a callback may still be a short one.
            std::thread::park_timeout(rest);
            continue;
        }
        looked = Instant::now();
        // A task from outside wakes a worker, which then polls the sockets.
        watchdog.look(&mut seen, &load::RESERVE, || {
            load::both_stay();
            jobs::run();
            add_task(tokio);
        });
    }
}

/// tokio puts a yielding task into a list of its worker. No other worker reaches that list while this one blocks in a callback.
/// So tasks are not made to yield: a session does so by itself.
fn spawn_on(tokio: &Handle, task: Turns) {
    drop(tokio.spawn(unconstrained(task)));
}

/// Adds a task that does nothing.
fn add_task(tokio: &Handle) {
    spawn_on(tokio, Turns::of(Box::pin(async {})));
}

/// Adds a task to this worker that sets the flag.
fn add_answer(flag: Arc<AtomicBool>) {
    spawn_on(&Handle::current(), Turns::of(Box::pin(async move { flag.store(true, Ordering::SeqCst) })));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{RecvTimeoutError, Sender, channel};

    /// Longer than anything here takes; a test that reaches it has failed.
    const DEADLINE: Duration = Duration::from_secs(20);

    /// A task that needs the runtime's timers or sockets.
    fn tick(done: Sender<()>) {
        let task = async move {
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let _ = done.send(());
        };
        spawn(task).expect("a runtime");
    }

    /// Sends its waker and sleeps until that waker wakes it.
    async fn sleep(wakers: &Sender<Waker>) {
        let mut sent = false;
        std::future::poll_fn(|cx| {
            if std::mem::replace(&mut sent, true) {
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
    fn many_small_reads_take_few_turns() {
        const READS: usize = 10_000;
        let (turn_out, turns) = channel();
        let mut reads = 0;
        let task = std::future::poll_fn(move |cx| {
            let _ = turn_out.send(());
            while reads < READS {
                if !may_read() {
                    end_turn(cx);
                    return std::task::Poll::Pending;
                }
                has_read(40);
                reads += 1;
            }
            std::task::Poll::Ready(())
        });
        spawn(task).expect("a runtime");
        let count = turns.iter().count();
        assert!((READS * 40 / 18_437..READS / 40).contains(&count), "{count} turns");
    }

    /// Waits for a change that no event reports.
    fn until(changed: impl Fn() -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !changed() {
            assert!(Instant::now() < deadline, "it did not change");
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_worker_is_in_reserve_unless_one_is_too_few() {
        // Other tests of this process block workers as well, or have them work; each of them ends.
        let rest = || {
            let (done, ticked) = channel();
            tick(done);
            ticked.recv_timeout(DEADLINE).expect("tasks run");
            load::RESERVE.is_full()
        };
        until(rest);
        let busy = Arc::new(AtomicBool::new(true));
        for _ in 0..3 {
            let busy = busy.clone();
            let task = async move {
                while busy.load(Ordering::Relaxed) {
                    let mut ended = false;
                    std::future::poll_fn(|cx| {
                        if std::mem::replace(&mut ended, true) {
                            return std::task::Poll::Ready(());
                        }
                        end_turn(cx);
                        std::task::Poll::Pending
                    })
                    .await;
                }
            };
            spawn(task).expect("a runtime");
        }
        if crate::platform::thread_state::processors() > 1 {
            until(|| !load::RESERVE.is_full());
        }
        busy.store(false, Ordering::Relaxed);
        until(rest);
    }

    #[test]
    fn blocked_callbacks_delay_no_other_callback() {
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
    fn a_callback_can_wait_for_tasks_it_spawns_and_wakes() {
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
