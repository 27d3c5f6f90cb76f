//! A bounded queue from a session to a face on another thread, with a doorbell.
//!
//! Knows neither side: a session [`Mailbox::put`]s and waits while [`Mailbox::poll_room`] is pending; the face is rung
//! when the queue turns non-empty and [`Mailbox::take`]s batches.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// What the queue holds before its session stops reading from the socket.
const HIGH_WATER_BYTES: usize = 4_194_304;
const HIGH_WATER_COUNT: usize = 4_096;
/// What must be left for the session to read on.
const LOW_WATER_BYTES: usize = HIGH_WATER_BYTES / 2;
const LOW_WATER_COUNT: usize = HIGH_WATER_COUNT / 2;

/// Entries waiting for another thread.
pub(crate) struct Mailbox<T> {
    inner: Mutex<Inner<T>>,
}

struct Inner<T> {
    entries: VecDeque<(T, usize)>,
    bytes: usize,
    /// What was taken and is held.
    held_bytes: usize,
    held_count: usize,
    /// The session that waits for room.
    waker: Option<Waker>,
}

impl<T> Inner<T> {
    /// Bytes and entries that count against the high-water mark.
    fn filling(&self) -> (usize, usize) {
        (self.bytes + self.held_bytes, self.entries.len() + self.held_count)
    }
}

impl<T> Mailbox<T> {
    pub(crate) fn new() -> Self {
        let inner = Inner { entries: VecDeque::new(), bytes: 0, held_bytes: 0, held_count: 0, waker: None };
        Self { inner: Mutex::new(inner) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an entry of `bytes` bytes; true when the doorbell is to be rung.
    pub(crate) fn put(&self, entry: T, bytes: usize) -> bool {
        let mut inner = self.lock();
        inner.entries.push_back((entry, bytes));
        inner.bytes += bytes;
        inner.entries.len() == 1
    }

    /// Ready while more may be put.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let mut inner = self.lock();
        let (bytes, count) = inner.filling();
        if bytes < HIGH_WATER_BYTES && count < HIGH_WATER_COUNT {
            return Poll::Ready(());
        }
        inner.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// The next entry.
    pub(crate) fn take(&self) -> Option<T> {
        let mut inner = self.lock();
        let (entry, bytes) = inner.entries.pop_front()?;
        inner.bytes -= bytes;
        self.wake_if_roomy(inner);
        Some(entry)
    }

    fn wake_if_roomy(&self, mut inner: MutexGuard<'_, Inner<T>>) {
        let (bytes, count) = inner.filling();
        let roomy = bytes <= LOW_WATER_BYTES && count <= LOW_WATER_COUNT;
        let waker = if roomy { inner.waker.take() } else { None };
        drop(inner);
        if let Some(waker) = waker {
            crate::runtime::wake(waker);
        }
    }

    /// Of what was taken, `bytes` bytes in one entry are kept by the face for now and still count.
    pub(crate) fn hold(&self, bytes: usize) {
        let mut inner = self.lock();
        inner.held_bytes += bytes;
        inner.held_count += 1;
    }

    /// `count` entries of `bytes` bytes together are held no longer.
    pub(crate) fn let_go(&self, bytes: usize, count: usize) {
        let mut inner = self.lock();
        inner.held_bytes -= bytes;
        inner.held_count -= count;
        self.wake_if_roomy(inner);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn rings_only_when_it_turns_non_empty_and_keeps_the_order() {
        let mailbox = Mailbox::new();
        assert!(mailbox.put(1, 0));
        assert!(!mailbox.put(2, 0));
        assert_eq!((mailbox.take(), mailbox.take(), mailbox.take()), (Some(1), Some(2), None));
        assert!(mailbox.is_empty());
        assert!(mailbox.put(3, 0));
    }

    #[test]
    fn holds_the_session_back_between_high_and_low_water() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let cx = Context::from_waker(&waker);
        let mailbox = Mailbox::new();
        for _ in 0..4 {
            assert!(mailbox.poll_room(&cx).is_ready());
            mailbox.put((), HIGH_WATER_BYTES / 4);
        }
        assert!(mailbox.poll_room(&cx).is_pending());
        mailbox.take();
        assert_eq!(count.0.load(Ordering::Relaxed), 0);
        mailbox.take();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert!(mailbox.poll_room(&cx).is_ready());
    }

    #[test]
    fn what_is_held_counts_until_it_is_let_go() {
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let cx = Context::from_waker(&waker);
        let mailbox = Mailbox::new();
        for _ in 0..2 {
            mailbox.put((), HIGH_WATER_BYTES / 2);
            mailbox.take();
            mailbox.hold(HIGH_WATER_BYTES / 2);
        }
        assert!(mailbox.poll_room(&cx).is_pending());
        mailbox.let_go(HIGH_WATER_BYTES / 2, 1);
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert!(mailbox.poll_room(&cx).is_ready());
    }
}
