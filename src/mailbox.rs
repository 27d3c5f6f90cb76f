//! A bounded queue from a session to a face on another thread, with a doorbell.
//!
//! Knows neither side: a session [`Sender::push`]es what one read brought, [`Sender::flush`]es it as a batch and waits while
//! [`Sender::poll_room`] is pending; the face is rung when it has found the queue empty and something comes, and
//! [`Receiver::take`]s until it does again. A lock is taken for each batch, not for each entry.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// What the queue holds before its session stops reading from the socket. More would leave the processor's caches before
/// the face has looked at it, and gain nothing.
const HIGH_WATER_BYTES: usize = 524_288;
const HIGH_WATER_COUNT: usize = 4_096;
/// What must be left for the session to read on.
const LOW_WATER_BYTES: usize = HIGH_WATER_BYTES / 2;
const LOW_WATER_COUNT: usize = HIGH_WATER_COUNT / 2;

/// Memory of batches that were taken, for the next ones: fresh memory would cost a page fault every 4 KiB.
static SPARE_STORES: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
/// The most stores kept for the whole process, and the most memory one of them may have.
const SPARE_STORES_MAX: usize = 8;
const SPARE_STORE_BYTES_MAX: usize = 262_144;

/// A queue, empty.
pub(crate) fn mailbox<T>() -> (Sender<T>, Receiver<T>) {
    let inner = Inner {
        batches: VecDeque::new(),
        bytes: 0,
        count: 0,
        held: 0,
        waker: None,
        awaits_delivery: false,
        is_awaited: true,
    };
    let inner = Arc::new(Mutex::new(inner));
    let sender = Sender { inner: inner.clone(), batch: Batch::default() };
    (sender, Receiver { inner, batch: RefCell::new(Batch::default()) })
}

struct Inner<T> {
    batches: VecDeque<Batch<T>>,
    /// What was put in and is neither done with nor let go.
    bytes: usize,
    count: usize,
    /// Of the count, what the face has taken and keeps.
    held: usize,
    /// The session that waits for room.
    waker: Option<Waker>,
    /// It waits for the face to take what was put in, whatever it keeps.
    awaits_delivery: bool,
    /// The face has found nothing and waits to be rung.
    is_awaited: bool,
}

/// Entries that came together.
struct Batch<T> {
    entries: VecDeque<T>,
    /// Bytes that entries refer to.
    store: Vec<u8>,
    /// What counts against the marks: all that was ever in it.
    bytes: usize,
    count: usize,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), store: Vec::new(), bytes: 0, count: 0 }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn recycle_store(mut store: Vec<u8>) {
    if store.capacity() == 0 || store.capacity() > SPARE_STORE_BYTES_MAX {
        return;
    }
    store.clear();
    let mut spare = lock(&SPARE_STORES);
    if spare.len() < SPARE_STORES_MAX {
        spare.push(store);
    }
}

/// The session's end.
pub(crate) struct Sender<T> {
    inner: Arc<Mutex<Inner<T>>>,
    batch: Batch<T>,
}

impl<T> Sender<T> {
    /// Copies bytes that an entry of the same batch refers to.
    pub(crate) fn store(&mut self, bytes: &[u8]) -> Range<usize> {
        let Batch { store, .. } = &mut self.batch;
        if store.capacity() == 0 {
            *store = lock(&SPARE_STORES).pop().unwrap_or_default();
        }
        let start = store.len();
        store.extend_from_slice(bytes);
        self.batch.bytes += bytes.len();
        start..start + bytes.len()
    }

    /// Adds an entry with `bytes` bytes of its own.
    pub(crate) fn push(&mut self, entry: T, bytes: usize) {
        self.batch.entries.push_back(entry);
        self.batch.bytes += bytes;
        self.batch.count += 1;
    }

    /// Puts the batch into the queue; true when the doorbell is to be rung.
    pub(crate) fn flush(&mut self) -> bool {
        if self.batch.entries.is_empty() {
            return false;
        }
        let batch = std::mem::take(&mut self.batch);
        let mut inner = lock(&self.inner);
        inner.bytes += batch.bytes;
        inner.count += batch.count;
        inner.batches.push_back(batch);
        std::mem::take(&mut inner.is_awaited)
    }

    /// Ready while more may be put in.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let mut inner = lock(&self.inner);
        if inner.bytes < HIGH_WATER_BYTES && inner.count < HIGH_WATER_COUNT {
            return Poll::Ready(());
        }
        inner.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ready while the face takes what is put in. What it keeps does not count: to wait for that could be to wait for ever.
    pub(crate) fn poll_delivery(&self, cx: &Context<'_>) -> Poll<()> {
        let mut inner = lock(&self.inner);
        if inner.count - inner.held < HIGH_WATER_COUNT {
            return Poll::Ready(());
        }
        inner.waker = Some(cx.waker().clone());
        inner.awaits_delivery = true;
        Poll::Pending
    }
}

/// The face's end, on one thread.
pub(crate) struct Receiver<T> {
    inner: Arc<Mutex<Inner<T>>>,
    /// The batch that entries are taken from. It counts until it is done with.
    batch: RefCell<Batch<T>>,
}

impl<T> Receiver<T> {
    /// The next entry. After a `None` the doorbell rings for the next one.
    pub(crate) fn take(&self) -> Option<T> {
        let mut batch = self.batch.borrow_mut();
        if let Some(entry) = batch.entries.pop_front() {
            return Some(entry);
        }
        let done = std::mem::take(&mut *batch);
        let mut inner = lock(&self.inner);
        match inner.batches.pop_front() {
            Some(next) => *batch = next,
            None => inner.is_awaited = true,
        }
        discount(inner, done.bytes, done.count);
        recycle_store(done.store);
        batch.entries.pop_front()
    }

    /// Bytes that the entry taken last refers to.
    pub(crate) fn stored<R>(&self, range: Range<usize>, read: impl FnOnce(&[u8]) -> R) -> R {
        read(&self.batch.borrow().store[range])
    }

    /// Of what was taken, `bytes` bytes in one entry are kept by the face for now and still count.
    pub(crate) fn hold(&self, bytes: usize) {
        let mut inner = lock(&self.inner);
        inner.bytes += bytes;
        inner.count += 1;
        inner.held += 1;
    }

    /// `count` entries of `bytes` bytes together are held no longer.
    pub(crate) fn let_go(&self, bytes: usize, count: usize) {
        let mut inner = lock(&self.inner);
        inner.held -= count;
        discount(inner, bytes, count);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.batch.borrow().entries.is_empty() && lock(&self.inner).batches.is_empty()
    }
}

fn discount<T>(mut inner: MutexGuard<'_, Inner<T>>, bytes: usize, count: usize) {
    inner.bytes -= bytes;
    inner.count -= count;
    let roomy = inner.bytes <= LOW_WATER_BYTES && inner.count <= LOW_WATER_COUNT;
    let delivered = inner.awaits_delivery && inner.count - inner.held <= LOW_WATER_COUNT;
    let waker = if roomy || delivered { inner.waker.take() } else { None };
    inner.awaits_delivery &= waker.is_none();
    drop(inner);
    if let Some(waker) = waker {
        crate::runtime::wake(waker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{self, channel};
    use std::task::Wake;
    use std::time::Duration;

    /// Longer than anything here takes; a test that reaches it has failed.
    const DEADLINE: Duration = Duration::from_secs(20);

    struct Tell(mpsc::Sender<()>);

    impl Wake for Tell {
        fn wake(self: Arc<Self>) {
            let _ = self.0.send(());
        }
    }

    /// A waker, and what tells of its wakes.
    fn waker() -> (Waker, mpsc::Receiver<()>) {
        let (sender, wakes) = channel();
        (Waker::from(Arc::new(Tell(sender))), wakes)
    }

    #[test]
    fn rings_only_after_it_was_found_empty_and_keeps_the_order() {
        let (mut sender, receiver) = mailbox();
        assert!(!sender.flush());
        sender.push(1, 0);
        sender.push(2, 0);
        assert!(receiver.is_empty());
        assert!(sender.flush());
        sender.push(3, 0);
        assert!(!sender.flush());
        assert_eq!((receiver.take(), receiver.take()), (Some(1), Some(2)));
        assert!(!receiver.is_empty());
        assert_eq!((receiver.take(), receiver.take()), (Some(3), None));
        assert!(receiver.is_empty());
        sender.push(4, 0);
        assert!(sender.flush());
    }

    #[test]
    fn lends_the_bytes_of_each_entry() {
        let (mut sender, receiver) = mailbox();
        for batch in [&["a", "", "bcd"][..], &["ef"]] {
            for text in batch {
                let stored = sender.store(text.as_bytes());
                sender.push(stored, 0);
            }
            sender.flush();
        }
        let mut texts = Vec::new();
        while let Some(stored) = receiver.take() {
            texts.push(receiver.stored(stored, <[u8]>::to_vec));
        }
        assert_eq!(texts, [&b"a"[..], b"", b"bcd", b"ef"]);
    }

    #[test]
    fn holds_the_session_back_between_high_and_low_water() {
        let (waker, wakes) = waker();
        let cx = Context::from_waker(&waker);
        let (mut sender, receiver) = mailbox();
        for _ in 0..4 {
            assert!(sender.poll_room(&cx).is_ready());
            sender.push((), HIGH_WATER_BYTES / 4);
            sender.flush();
        }
        assert!(sender.poll_room(&cx).is_pending());
        for _ in 0..2 {
            receiver.take();
            assert!(wakes.try_recv().is_err());
        }
        // The second is done with when the third is taken.
        receiver.take();
        wakes.recv_timeout(DEADLINE).expect("there is room");
        assert!(sender.poll_room(&cx).is_ready());
    }

    #[test]
    fn what_is_held_does_not_hold_up_who_waits_for_delivery() {
        let (waker, wakes) = waker();
        let cx = Context::from_waker(&waker);
        let (mut sender, receiver) = mailbox();
        for _ in 0..HIGH_WATER_COUNT {
            sender.push((), 0);
            sender.flush();
        }
        assert!(sender.poll_delivery(&cx).is_pending());
        for _ in 0..=LOW_WATER_COUNT {
            assert!(wakes.try_recv().is_err());
            receiver.take();
            receiver.hold(0);
        }
        wakes.recv_timeout(DEADLINE).expect("there is room");
        assert!(sender.poll_delivery(&cx).is_ready());
        assert!(sender.poll_room(&cx).is_pending());
    }

    #[test]
    fn what_is_held_counts_until_it_is_let_go() {
        let (waker, wakes) = waker();
        let cx = Context::from_waker(&waker);
        let (mut sender, receiver) = mailbox();
        for _ in 0..2 {
            sender.push((), HIGH_WATER_BYTES / 2);
            sender.flush();
            receiver.take();
            receiver.hold(HIGH_WATER_BYTES / 2);
        }
        receiver.take();
        assert!(sender.poll_room(&cx).is_pending());
        receiver.let_go(HIGH_WATER_BYTES / 2, 1);
        wakes.recv_timeout(DEADLINE).expect("there is room");
        assert!(sender.poll_room(&cx).is_ready());
    }
}
