//! The slot of the one callback that runs inline on its worker. Other callbacks find it taken and run in another way.
//!
//! Owns the slot and the count of threads that are on their way. Knows nothing of what callbacks do.
//!
//! A callback that finds the slot taken may hand its worker's role to another thread. That is worth a thread when the callback
//! in the slot blocks, or runs on another processor. A holder that only waits for a processor continues within moments. If
//! other programs use all processors, another thread would have to wait as well.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::platform::thread_state::{ThreadId, is_runnable, processor_time, this_thread};

/// Looks at a taken slot before its holder is looked at: about 5 µs, in which most callbacks end.
const LOOKS: u32 = 200;
/// Between two looks at a holder that waits for a processor.
const PAUSE: Duration = Duration::from_micros(100);
/// How long it may wait.
const PATIENCE: Duration = Duration::from_millis(50);

/// Which callback is in the slot: the upper half counts them, the lower half is the holder's thread, or 0 for none.
static SLOT: AtomicU64 = AtomicU64::new(0);

/// The value of [`SLOT`] when its holder was last found to block.
static BLOCKED: AtomicU64 = AtomicU64::new(0);

/// Threads that the runtime has requested, and those that have started.
static ASKED: AtomicUsize = AtomicUsize::new(0);
static BEGUN: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// This thread; 0 before it first had the slot.
    static THIS_THREAD: Cell<ThreadId> = const { Cell::new(0) };
}

/// A thread is about to be made.
pub(super) fn thread_asked() {
    ASKED.fetch_add(1, Ordering::Relaxed);
}

pub(super) fn thread_begins() {
    BEGUN.fetch_add(1, Ordering::Relaxed);
}

/// Which callback is in the slot. Another one gives another value.
pub(super) fn current() -> u64 {
    SLOT.load(Ordering::SeqCst)
}

fn holder(slot: u64) -> ThreadId {
    slot as ThreadId
}

pub(super) fn is_taken(slot: u64) -> bool {
    holder(slot) != 0
}

/// Whether this thread is in the callback that has the slot.
pub(super) fn is_holder() -> bool {
    let slot = current();
    is_taken(slot) && holder(slot) == THIS_THREAD.get()
}

/// Holds the slot. It is free again when this is dropped, also when the callback unwinds.
pub(super) struct Taken(());

impl Drop for Taken {
    fn drop(&mut self) {
        // No other thread writes to a taken slot.
        let next = (SLOT.load(Ordering::Relaxed) >> 32).wrapping_add(1) << 32;
        SLOT.store(next, Ordering::SeqCst);
    }
}

/// Takes the slot if it is free.
pub(super) fn take() -> Option<Taken> {
    let slot = SLOT.load(Ordering::SeqCst);
    if is_taken(slot) {
        return None;
    }
    let thread = THIS_THREAD.with(|known| match known.get() {
        0 => {
            known.set(this_thread());
            known.get()
        }
        thread => thread,
    });
    SLOT.compare_exchange(slot, slot | u64::from(thread), Ordering::SeqCst, Ordering::SeqCst).ok()?;
    Some(Taken(()))
}

/// Takes the slot when it is free within moments. `None` if another thread must take this worker's role.
pub(super) fn take_soon() -> Option<Taken> {
    let mut began = None;
    loop {
        let slot = current();
        if !is_taken(slot) {
            match take() {
                None => continue,
                taken => return taken,
            }
        }
        let waits = match BLOCKED.load(Ordering::Relaxed) == slot {
            true => false,
            false => match look_at(slot) {
                Holder::Gone => continue,
                Holder::Waits => true,
                Holder::Works => false,
                Holder::Blocks => {
                    BLOCKED.store(slot, Ordering::Relaxed);
                    false
                }
            },
        };
        // An earlier requested thread may also serve this callback.
        let is_on_its_way = ASKED.load(Ordering::Relaxed) > BEGUN.load(Ordering::Relaxed);
        if !(waits || is_on_its_way) {
            return None;
        }
        if began.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
            // The system may have refused it.
            ASKED.store(BEGUN.load(Ordering::Relaxed), Ordering::Relaxed);
            return None;
        }
        std::thread::sleep(PAUSE);
    }
}

/// The state of the slot's holder.
enum Holder {
    /// It holds it no more.
    Gone,
    /// It is on a processor.
    Works,
    /// It waits for one.
    Waits,
    /// It waits for something else, or the state is unknown.
    Blocks,
}

fn look_at(slot: u64) -> Holder {
    let thread = holder(slot);
    let before = processor_time(thread);
    for _ in 0..LOOKS {
        std::hint::spin_loop();
        if current() != slot {
            return Holder::Gone;
        }
    }
    if processor_time(thread) > before {
        return Holder::Works;
    }
    match is_runnable(thread) {
        _ if current() != slot => Holder::Gone,
        Some(true) => Holder::Waits,
        Some(false) | None => Holder::Blocks,
    }
}
