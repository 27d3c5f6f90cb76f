//! The turns of tasks: how much one may read for nothing, and who comes next.
//!
//! Owns the line of busy tasks. Knows nothing of threads, but how many of them sleep.
//!
//! A task's turn is one poll. Bytes that bring the task no result count against its turn: TLS takes records inside one poll, and
//! a peer could keep a worker there.
//!
//! A busy task has more work than one turn allows. tokio's queues are first come, first served: a task with one message would
//! wait for a turn of each busy one. So busy tasks have a separate queue, and only a limited number of them is in tokio's
//! queues at a time. A task with a long turn also counts as busy at its next turn, because many tasks wake at once when their
//! sockets have room again.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use super::turn::TURN;
use super::{jobs, load, signals};
use crate::sync::lock;

/// Two are enough for a phone, and the least that lets one block while the other serves everyone else.
pub(super) const WORKER_THREADS: usize = 2;
/// Bytes that a task may read in one turn without a result: the longest record of TLS 1.2 (RFC 5246
/// section 6.2.3), so that what a whole record brings is never waited for. rustls takes 1 to 2 ms for so many session tickets.
const TURN_IDLE_BYTES_MAX: isize = 18_437;
/// A task that ends its turn with fewer bytes left than these has a shorter one next.
const TURN_LEFT_BYTES_MIN: isize = 1_024;
/// Bytes that a task may read in a shorter turn without a result. With fewer, each small record of TLS would take a turn.
const SHORT_TURN_IDLE_BYTES_MAX: isize = 4_096;
/// Busy tasks that may be in tokio's queues: one for each worker. A worker that finds nothing else to do adds one, so that
/// none is idle while another's task blocks in a callback.
const PLACES: usize = WORKER_THREADS;
/// Turns on a thread after which one of the line has its turn, even if there are always others.
const TURNS_BETWEEN_BUSY: u32 = 64;

static LINE: Mutex<Line> = Mutex::new(Line { waiting: VecDeque::new(), first: 0, placed: 0 });

/// The length of the queue. One that joins it counts itself before it looks for sleeping workers; a worker that falls asleep
/// counts itself before it looks here.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// The first number in the line: all before it were called.
static FIRST: AtomicU32 = AtomicU32::new(0);

/// The number of workers without work. When it is all of them, one polls the sockets.
static SLEEPING_WORKERS: AtomicUsize = AtomicUsize::new(0);

/// Whether the task that runs here may read more in this turn. One that may not answers `Pending`, by [`end_turn`].
pub(crate) fn may_read() -> bool {
    TURN.with(|turn| turn.idle_bytes_left.get()) > 0
}

/// So many bytes were read that brought nothing.
pub(crate) fn has_read(bytes: usize) {
    TURN.with(|turn| turn.idle_bytes_left.update(|left| left.saturating_sub_unsigned(bytes)));
}

/// Ends the turn of the task that runs here, which has more to do: its poll is to answer `Pending`, and comes again after
/// others.
pub(crate) fn end_turn(cx: &Context<'_>) {
    TURN.with(|turn| turn.has_more.set(true));
    // Also for those between this future and the task, which poll only what was woken.
    cx.waker().wake_by_ref();
}

/// The turn of the task that runs here was a long one, though it has no more to do for now.
pub(crate) fn long_turn() {
    TURN.with(|turn| turn.was_long.set(true));
}

/// A worker has nothing to do.
pub(super) fn worker_sleeps() {
    signals::send_held();
    SLEEPING_WORKERS.fetch_add(1, Ordering::SeqCst);
    call_one();
    load::worker_sleeps();
}

pub(super) fn worker_wakes() {
    SLEEPING_WORKERS.fetch_sub(1, Ordering::SeqCst);
}

/// A task of the runtime. One type for all of them: tokio compiles what it does with a task for each type anew.
pub(super) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A task, with the beginning and the end of its turns. With 24 bytes or fewer, all that tokio keeps of a task takes 128 bytes;
/// with one more it takes 256.
pub(super) struct Turns {
    task: Task,
    /// Its number in the line, while it stands there.
    number: u32,
    standing: Standing,
    /// Its last turn used up what it may read without a result.
    reads_less: bool,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Turns>() <= 24);

/// Where a task is between two turns.
#[derive(Clone, Copy)]
enum Standing {
    /// It is not busy.
    Free,
    /// It sleeps, and is busy when it is woken.
    Busy,
    InLine,
    /// It has one of the places.
    Placed,
    /// It does nothing, and its polls are no turns.
    Uncounted,
}

impl Turns {
    pub(super) fn of(task: Task) -> Self {
        Self { task, number: 0, standing: Standing::Free, reads_less: false }
    }

    /// A task that does nothing for anyone, so that its polls are no turns.
    pub(super) fn uncounted(task: Task) -> Self {
        Self { task, number: 0, standing: Standing::Uncounted, reads_less: false }
    }

    /// A busy task has something to do. `placed`: it has a place.
    fn stand(&mut self, placed: bool, waker: &Waker) {
        (self.standing, self.number) = match stand(placed, waker) {
            Some(number) => (Standing::InLine, number),
            None => (Standing::Placed, 0),
        };
    }
}

impl Future for Turns {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.standing {
            Standing::Free | Standing::Placed => {}
            Standing::Uncounted => return self.task.as_mut().poll(cx),
            Standing::Busy => {
                self.stand(false, cx.waker());
                if let Standing::InLine = self.standing {
                    return Poll::Pending;
                }
            }
            Standing::InLine => {
                if is_called(self.number) {
                    // Whoever has called it has it run next; it goes behind those who wait in tokio's queue.
                    self.standing = Standing::Placed;
                    cx.waker().wake_by_ref();
                }
                return Poll::Pending;
            }
        }
        TURN.with(|turn| {
            turn.idle_bytes_left.set(if self.reads_less {
                SHORT_TURN_IDLE_BYTES_MAX
            } else {
                TURN_IDLE_BYTES_MAX
            });
            turn.has_more.set(false);
            turn.was_long.set(false);
            turn.may_fill_slot.set(true);
            turn.holds_signals.set(true);
        });
        let polled = self.task.as_mut().poll(cx);
        let (left, has_more, was_long, turns, signals_since, has_jobs) = TURN.with(|turn| {
            turn.count.set(turn.count.get() + 1);
            turn.holds_signals.set(false);
            (
                turn.idle_bytes_left.replace(isize::MAX),
                turn.has_more.get(),
                turn.was_long.get(),
                turn.count.get(),
                turn.signals_since.get(),
                turn.has_jobs.replace(false),
            )
        });
        if has_jobs {
            jobs::run();
        }
        if signals_since != 0 && signals::are_due(signals_since) {
            signals::send_held();
        }
        self.reads_less = left < TURN_LEFT_BYTES_MIN;
        let placed = matches!(self.standing, Standing::Placed);
        if has_more && polled.is_pending() {
            self.stand(placed, cx.waker());
        } else {
            if placed {
                leave();
            }
            self.standing = if was_long { Standing::Busy } else { Standing::Free };
        }
        if turns >= TURNS_BETWEEN_BUSY {
            call_one();
        }
        load::turn_ends(&raw const *self as usize);
        polled
    }
}

impl Drop for Turns {
    /// A task that panics ends without the end of its turn.
    fn drop(&mut self) {
        if let Standing::Placed = self.standing {
            leave();
        }
    }
}

struct Line {
    waiting: VecDeque<Waker>,
    /// The number of the first that waits. After the last number comes 0.
    first: u32,
    /// Busy tasks that do not wait in the line.
    placed: usize,
}

impl Line {
    fn join(&mut self, waker: &Waker) -> u32 {
        let number = self.first.wrapping_add(self.waiting.len() as u32);
        self.waiting.push_back(waker.clone());
        WAITING.fetch_add(1, Ordering::SeqCst);
        number
    }

    /// The first one, which has a place from now on.
    fn call(&mut self) -> Option<Waker> {
        let waker = self.waiting.pop_front()?;
        WAITING.fetch_sub(1, Ordering::SeqCst);
        self.first = self.first.wrapping_add(1);
        FIRST.store(self.first, Ordering::SeqCst);
        self.placed += 1;
        Some(waker)
    }
}

/// Whether the task with this number in the line was called.
fn is_called(number: u32) -> bool {
    FIRST.load(Ordering::SeqCst).wrapping_sub(number).wrapping_sub(1) < u32::MAX / 2
}

/// Gives a busy task a place, or else a number in the line.
fn stand(placed: bool, waker: &Waker) -> Option<u32> {
    let mut line = lock(&LINE);
    if placed {
        line.placed -= 1;
    }
    let called = if line.placed >= PLACES {
        None
    } else if let Some(next) = line.call() {
        Some(next)
    } else {
        // The queue is empty.
        line.placed += 1;
        return None;
    };
    let number = line.join(waker);
    drop(line);
    if let Some(called) = called {
        called.wake();
    } else if SLEEPING_WORKERS.load(Ordering::SeqCst) > 0 {
        // Those who have the places may block in callbacks, and who sleeps does not look here.
        call_one();
    }
    Some(number)
}

/// A busy task gives its place up.
fn leave() {
    let mut line = lock(&LINE);
    line.placed -= 1;
    let called = if line.placed < PLACES { line.call() } else { None };
    drop(line);
    if let Some(called) = called {
        called.wake();
    }
}

/// Calls the first in the line, if there is one, though all places may be taken.
fn call_one() {
    TURN.with(|turn| turn.count.set(0));
    if WAITING.load(Ordering::SeqCst) > 0 {
        let called = lock(&LINE).call();
        if let Some(called) = called {
            called.wake();
        }
    }
}
