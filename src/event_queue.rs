//! A bounded queue of events from one session or several to a consumer on another thread.
//!
//! Owns the entries, their bytes and the limits. Knows neither the events nor the two threads.
//!
//! A session calls [`EventSender::push`] for each event of one read, then [`EventSender::flush`], which queues them as a batch.
//! It stops reading while [`EventSender::poll_room`] is pending. The consumer calls [`EventReceiver::take`] until the queue is
//! empty. The next flush then reports that the consumer must be woken. A lock is taken for each batch, not for each entry.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::sync::{Mutex, MutexGuard, SparePool, lock};

/// The size at which the session stops reading from the socket. Entries of a longer queue would leave the processor's
/// caches before the consumer reads them.
const HIGH_WATER_BYTES: usize = 524_288;
const HIGH_WATER_COUNT: usize = 4_096;
/// The size at which the session reads again.
const LOW_WATER_BYTES: usize = HIGH_WATER_BYTES / 2;
const LOW_WATER_COUNT: usize = HIGH_WATER_COUNT / 2;

/// Memory of batches that were taken, for the next ones.
static SPARE_STORES: SparePool = SparePool::new(1..=262_144, 2_097_152);

/// Makes an empty queue; returns the session's end and the consumer's.
pub(crate) fn event_queue<T>() -> (EventSender<T>, EventReceiver<T>) {
    let state = QueueState {
        batches: VecDeque::new(),
        bytes: 0,
        count: 0,
        retained: 0,
        wakers: Vec::new(),
        awaits_delivery: false,
        is_awaited: true,
    };
    let state = Arc::new(Mutex::new(state));
    let sender = EventSender { state: state.clone(), batch: Batch::default() };
    (sender, EventReceiver { state, batch: RefCell::new(Batch::default()) })
}

struct QueueState<T> {
    batches: VecDeque<Batch<T>>,
    /// The bytes and the number of entries that are queued, in the consumer's batch or retained.
    bytes: usize,
    count: usize,
    /// Of the count, the entries that the consumer has taken and retains.
    retained: usize,
    /// Wake the sessions that wait for room.
    wakers: Vec<Waker>,
    /// A session waits until the consumer has taken entries, retained or not.
    awaits_delivery: bool,
    /// The consumer has found the queue empty: the next flush must wake it.
    is_awaited: bool,
}

impl<T> QueueState<T> {
    /// Notes the session that is to be woken when there is room.
    fn register(&mut self, cx: &Context<'_>) {
        if !self.wakers.iter().any(|known| known.will_wake(cx.waker())) {
            self.wakers.push(cx.waker().clone());
        }
    }
}

/// Entries that came together.
struct Batch<T> {
    entries: VecDeque<T>,
    /// Bytes that entries refer to.
    store: Vec<u8>,
    /// Count against the limits until the whole batch was taken.
    bytes: usize,
    count: usize,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), store: Vec::new(), bytes: 0, count: 0 }
    }
}

/// The session's end of the queue.
pub(crate) struct EventSender<T> {
    state: Arc<Mutex<QueueState<T>>>,
    batch: Batch<T>,
}

impl<T> EventSender<T> {
    /// The end of another session, whose events come into the same queue.
    pub(crate) fn another(&self) -> Self {
        Self { state: self.state.clone(), batch: Batch::default() }
    }

    /// Copies bytes that an entry of the same batch refers to.
    pub(crate) fn store(&mut self, bytes: &[u8]) -> Range<usize> {
        let Batch { store, .. } = &mut self.batch;
        if store.capacity() == 0 {
            *store = SPARE_STORES.take();
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

    /// Queues the batch; returns true when the consumer must be woken.
    pub(crate) fn flush(&mut self) -> bool {
        if self.batch.entries.is_empty() {
            return false;
        }
        let batch = std::mem::take(&mut self.batch);
        let mut state = lock(&self.state);
        state.bytes += batch.bytes;
        state.count += batch.count;
        state.batches.push_back(batch);
        std::mem::take(&mut state.is_awaited)
    }

    /// Ready while the queue is below its limits.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.bytes < HIGH_WATER_BYTES && state.count < HIGH_WATER_COUNT {
            return Poll::Ready(());
        }
        state.register(cx);
        Poll::Pending
    }

    /// Ready while few entries wait to be taken. Retained entries are excluded: waiting for them could deadlock.
    pub(crate) fn poll_delivery(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if state.count - state.retained < HIGH_WATER_COUNT {
            return Poll::Ready(());
        }
        state.register(cx);
        state.awaits_delivery = true;
        Poll::Pending
    }
}

/// The consumer's end of the queue, on one thread.
pub(crate) struct EventReceiver<T> {
    state: Arc<Mutex<QueueState<T>>>,
    /// The batch that entries are taken from. It counts until all of them were taken.
    batch: RefCell<Batch<T>>,
}

impl<T> EventReceiver<T> {
    /// Takes the next entry. After a `None` the next flush reports that the consumer must be woken.
    pub(crate) fn take(&self) -> Option<T> {
        let mut batch = self.batch.borrow_mut();
        if let Some(entry) = batch.entries.pop_front() {
            return Some(entry);
        }
        let done = std::mem::take(&mut *batch);
        let mut state = lock(&self.state);
        match state.batches.pop_front() {
            Some(next) => *batch = next,
            None => state.is_awaited = true,
        }
        discount(state, done.bytes, done.count);
        SPARE_STORES.put(done.store);
        batch.entries.pop_front()
    }

    /// Bytes that the entry taken last refers to.
    pub(crate) fn stored<R>(&self, range: Range<usize>, read: impl FnOnce(&[u8]) -> R) -> R {
        read(&self.batch.borrow().store[range])
    }

    /// Retains one entry that was taken: its `bytes` bytes count until [`EventReceiver::release`].
    pub(crate) fn retain(&self, bytes: usize) {
        let mut state = lock(&self.state);
        state.bytes += bytes;
        state.count += 1;
        state.retained += 1;
    }

    /// Releases `count` retained entries of `bytes` bytes together.
    pub(crate) fn release(&self, bytes: usize, count: usize) {
        let mut state = lock(&self.state);
        state.retained -= count;
        discount(state, bytes, count);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.batch.borrow().entries.is_empty() && lock(&self.state).batches.is_empty()
    }
}

fn discount<T>(mut state: MutexGuard<'_, QueueState<T>>, bytes: usize, count: usize) {
    state.bytes -= bytes;
    state.count -= count;
    let roomy = state.bytes <= LOW_WATER_BYTES && state.count <= LOW_WATER_COUNT;
    let delivered = state.awaits_delivery && state.count - state.retained <= LOW_WATER_COUNT;
    let wakers = if roomy || delivered { std::mem::take(&mut state.wakers) } else { Vec::new() };
    state.awaits_delivery &= wakers.is_empty();
    drop(state);
    for waker in wakers {
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

    struct Wakes(mpsc::Sender<()>);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            let _ = self.0.send(());
        }
    }

    /// A waker, and a channel that receives its wakes.
    fn waker() -> (Waker, mpsc::Receiver<()>) {
        let (sender, wakes) = channel();
        (Waker::from(Arc::new(Wakes(sender))), wakes)
    }

    #[test]
    fn keeps_the_order_and_wakes_only_an_idle_consumer() {
        let (mut sender, receiver) = event_queue();
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
        let (mut sender, receiver) = event_queue();
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
    fn pauses_the_session_between_high_and_low_water() {
        let (waker, wakes) = waker();
        let cx = Context::from_waker(&waker);
        let (mut sender, receiver) = event_queue();
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
        // The second batch counts until the third is taken.
        receiver.take();
        wakes.recv_timeout(DEADLINE).expect("there is room");
        assert!(sender.poll_room(&cx).is_ready());
    }

    #[test]
    fn wakes_all_sessions_that_wait_for_room() {
        let (mut sender, receiver) = event_queue();
        let others = [sender.another(), sender.another()];
        sender.push((), HIGH_WATER_BYTES);
        sender.flush();
        let wakers = [waker(), waker()];
        for (other, (waker, _)) in others.iter().zip(&wakers) {
            for _ in 0..2 {
                assert!(other.poll_room(&Context::from_waker(waker)).is_pending());
            }
        }
        receiver.take();
        assert!(receiver.take().is_none());
        for (_, wakes) in wakers {
            wakes.recv_timeout(DEADLINE).expect("there is room");
            assert!(wakes.try_recv().is_err(), "once");
        }
    }

    #[test]
    fn retained_entries_do_not_delay_poll_delivery() {
        let (waker, wakes) = waker();
        let cx = Context::from_waker(&waker);
        let (mut sender, receiver) = event_queue();
        for _ in 0..HIGH_WATER_COUNT {
            sender.push((), 0);
            sender.flush();
        }
        assert!(sender.poll_delivery(&cx).is_pending());
        for _ in 0..=LOW_WATER_COUNT {
            assert!(wakes.try_recv().is_err());
            receiver.take();
            receiver.retain(0);
        }
        wakes.recv_timeout(DEADLINE).expect("there is room");
        assert!(sender.poll_delivery(&cx).is_ready());
        assert!(sender.poll_room(&cx).is_pending());
    }

    #[test]
    fn retained_entries_count_until_they_are_released() {
        let (waker, wakes) = waker();
        let cx = Context::from_waker(&waker);
        let (mut sender, receiver) = event_queue();
        for _ in 0..2 {
            sender.push((), HIGH_WATER_BYTES / 2);
            sender.flush();
            receiver.take();
            receiver.retain(HIGH_WATER_BYTES / 2);
        }
        receiver.take();
        assert!(sender.poll_room(&cx).is_pending());
        receiver.release(HIGH_WATER_BYTES / 2, 1);
        wakes.recv_timeout(DEADLINE).expect("there is room");
        assert!(sender.poll_room(&cx).is_ready());
    }
}
