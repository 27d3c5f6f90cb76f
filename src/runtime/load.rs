//! The load of the workers: whether one is enough for all tasks.
//!
//! Owns the choice between one worker and two. Knows nothing of callbacks and of the order of tasks.
//!
//! If two tasks are ready, tokio wakes a sleeping worker for the second one. Mostly the first worker is done before the other one
//! runs. Then the wake costs more than the task. tokio cannot be told so, but it does not wake a worker that is in the middle of
//! a task. So a worker in reserve waits inside a task.

use std::cell::Cell;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::task::{Poll, Waker};
use std::time::Duration;

use super::alarm::now;
use super::reserve::Reserve;
use super::signals;
use crate::platform::thread_state::processors;

/// How long one worker may have several tasks without a pause before the other one comes, in nanoseconds.
const BUSY_FOR: u64 = Duration::from_millis(1).as_nanos() as u64;
/// How long both stay after that, in nanoseconds.
const BOTH_FOR: u64 = Duration::from_millis(100).as_nanos() as u64;
/// Turns after which a worker looks at the time.
const TURNS_BETWEEN_LOOKS: u32 = 4;
/// How many of them must have been the turn of another task than the one before. A single task needs no second worker.
const OTHER_TASKS_MIN: u32 = 2;

pub(super) static RESERVE: LazyLock<Reserve> = LazyLock::new(Reserve::new);

/// Of the task that takes a worker into reserve.
static WAKER: OnceLock<Waker> = OnceLock::new();
/// The time up to which both workers stay, in nanoseconds since [`super::origin`].
static BOTH_UNTIL: AtomicU64 = AtomicU64::new(0);

#[derive(Clone, Copy)]
struct Load {
    /// Turns on this thread since it last looked at the time.
    turns: u32,
    /// Those of another task than the one before.
    others: u32,
    /// The task of the last turn, by its address.
    task: usize,
    /// The first look since this worker slept, or since it had a single task, in nanoseconds. 0: there was none.
    since: u64,
}

thread_local! {
    static LOAD: Cell<Load> = const { Cell::new(Load { turns: 0, others: 0, task: 0, since: 0 }) };
}

/// Takes workers into reserve, for as long as the process lives. `add_task` spawns a task on this worker that sets the flag.
/// `watch` has the watchdog look at the callback that runs inline.
pub(super) async fn run(add_task: fn(Arc<AtomicBool>), watch: fn()) {
    poll_fn(|cx| {
        WAKER.get_or_init(|| cx.waker().clone());
        let answered = Arc::new(AtomicBool::new(false));
        // tokio does not wake a worker that is about to sleep. And one that found this worker to look for tasks leaves all of
        // them to it. So the other worker has to run one of these: from then on it looks for tasks before it sleeps.
        let ask = || add_task(answered.clone());
        // tokio has put one task aside for this worker, where no other one reaches it. The first of these takes its place and
        // sends it into the list that other workers take from. The second one wakes another worker, which empties that list.
        signals::send_held();
        RESERVE.wait(watch, ask, || answered.load(Ordering::SeqCst));
        Poll::<()>::Pending
    })
    .await;
}

/// Both workers stay for a while, because a callback has blocked one of them: more such callbacks may follow.
pub(super) fn both_stay() {
    BOTH_UNTIL.store(now() + BOTH_FOR, Ordering::SeqCst);
}

/// Whether one worker may be enough.
fn may_be_one() -> bool {
    now() >= BOTH_UNTIL.load(Ordering::SeqCst)
}

/// A worker has nothing to do.
pub(super) fn worker_sleeps() {
    LOAD.with(|this| this.set(Load { turns: 0, since: 0, ..this.get() }));
    let Some(waker) = WAKER.get() else { return };
    if !RESERVE.is_empty() || !may_be_one() || !RESERVE.call() {
        return;
    }
    // The other worker may have found itself to be too few while the reserve was still empty.
    if may_be_one() {
        waker.wake_by_ref();
    } else {
        RESERVE.release();
    }
}

/// The turn of a task ends, which is named by its address.
pub(super) fn turn_ends(task: usize) {
    // One look at the thread-local: each costs some 30 instructions on OpenHarmony.
    LOAD.with(|this| {
        let mut load = this.get();
        load.turns += 1;
        load.others += u32::from(load.task != task);
        load.task = task;
        if load.turns >= TURNS_BETWEEN_LOOKS {
            load = look(load);
        }
        this.set(load);
    });
}

#[cold]
fn look(load: Load) -> Load {
    let several = load.others >= OTHER_TASKS_MIN;
    let now = now();
    let mut since = load.since;
    if !several || since == 0 {
        since = now;
    } else if now.saturating_sub(since) >= BUSY_FOR {
        // It looks again when the other one may have gone.
        since = now + BOTH_FOR;
        // On a single processor a second worker only takes turns with the first one.
        if processors() > 1 {
            BOTH_UNTIL.store(since, Ordering::SeqCst);
            RESERVE.release();
        }
    }
    Load { turns: 0, others: 0, since, ..load }
}
