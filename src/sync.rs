//! Locks that survive a panic, and memory that threads reuse.
//!
//! Owns no thread and no queue. Knows nothing of WebSocket, C or JavaScript.

use std::ops::RangeInclusive;
use std::sync::PoisonError;
// The types by which threads share memory. `models/` compiles files of the library with other types of these names.
pub(crate) use std::sync::{Condvar, LazyLock, Mutex, MutexGuard, RwLock, RwLockReadGuard, atomic};
pub(crate) use std::thread;

/// How many clients a thread finds without the common lock, by a part of their addresses. In the models they share one
/// place, because an order of threads must do the same for all addresses.
pub(crate) const RECENT_PLACES: usize = 64;
/// How many places for clients are made at once. In the models, one, because each is another lock to watch.
pub(crate) const PLACES_AT_ONCE: usize = 16;

/// Locks a mutex. After a panic of its holder, the value stays as the holder left it.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Memory that any thread may use next. New memory would cost a page fault every 4 KiB.
pub(crate) struct SparePool {
    spare: Mutex<Spare>,
    /// The capacities worth keeping, in bytes. A smaller one saves nothing. A larger one would occupy memory for
    /// nothing.
    kept_bytes: RangeInclusive<usize>,
    /// The most bytes that it keeps.
    bytes_max: usize,
}

struct Spare {
    vectors: Vec<Vec<u8>>,
    /// The sum of their capacities.
    bytes: usize,
}

impl SparePool {
    /// The most vectors that a pool keeps.
    const KEPT_MAX: usize = 8;

    /// An empty pool, which keeps vectors with a capacity in `kept_bytes`, and at most `bytes_max` bytes in all.
    pub(crate) const fn new(kept_bytes: RangeInclusive<usize>, bytes_max: usize) -> Self {
        Self { spare: Mutex::new(Spare { vectors: Vec::new(), bytes: 0 }), kept_bytes, bytes_max }
    }

    /// Takes the vector that was added last, or a new one without memory. It is empty.
    pub(crate) fn take(&self) -> Vec<u8> {
        let mut spare = lock(&self.spare);
        let taken = spare.vectors.pop().unwrap_or_default();
        spare.bytes -= taken.capacity();
        taken
    }

    /// Keeps the memory of a vector, or frees it if the pool is full or the capacity is not worth keeping.
    pub(crate) fn put(&self, mut memory: Vec<u8>) {
        if !self.kept_bytes.contains(&memory.capacity()) {
            return;
        }
        memory.clear();
        let mut spare = lock(&self.spare);
        let bytes = spare.bytes + memory.capacity();
        if spare.vectors.len() < Self::KEPT_MAX && bytes <= self.bytes_max {
            spare.bytes = bytes;
            spare.vectors.push(memory);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn locks_after_a_panic() {
        let mutex = Mutex::new(1);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            *lock(&mutex) = 2;
            let _held = lock(&mutex);
            panic!("while it is locked");
        }));
        assert!(panicked.is_err() && mutex.is_poisoned());
        assert_eq!(*lock(&mutex), 2);
    }

    #[test]
    fn recycled_memory_is_empty() {
        let pool = SparePool::new(1..=1_024, 1_024);
        assert_eq!(pool.take().capacity(), 0);
        let memory = b"what was sent".to_vec();
        let place = memory.as_ptr();
        pool.put(memory);
        let memory = pool.take();
        assert!(memory.is_empty());
        assert_eq!(memory.as_ptr(), place);
        assert_eq!(pool.take().capacity(), 0);
    }

    #[test]
    fn recycles_only_capacities_in_its_range() {
        let pool = SparePool::new(16..=64, 64);
        for (bytes, kept) in [(0, false), (15, false), (16, true), (64, true), (65, false)] {
            let memory = Vec::with_capacity(bytes);
            let capacity = memory.capacity();
            assert_eq!(capacity, bytes);
            pool.put(memory);
            assert_eq!(pool.take().capacity(), if kept { capacity } else { 0 });
        }
    }

    #[test]
    fn recycles_at_most_its_maximum() {
        for (bytes_max, most) in [(usize::MAX, SparePool::KEPT_MAX), (8 * 3 + 7, 3)] {
            let pool = SparePool::new(1..=64, bytes_max);
            for _ in 0..=SparePool::KEPT_MAX {
                pool.put(Vec::with_capacity(8));
            }
            for round in 0..2 {
                let kept = std::iter::repeat_with(|| pool.take()).take_while(|memory| memory.capacity() > 0);
                let kept: Vec<_> = kept.collect();
                assert_eq!(kept.len(), most, "round {round}");
                kept.into_iter().for_each(|memory| pool.put(memory));
            }
        }
    }
}
