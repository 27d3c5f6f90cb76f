//! The mailbox: the queue of events from a session to JavaScript's thread.

use std::future::poll_fn;
use std::task::{Context, Waker};

use loom::future::block_on;
use loom::sync::Arc;
use loom::sync::Notify;
use loom::thread::{self, JoinHandle};

use crate::Model;
use crate::event_queue::{EventSender, event_queue};

pub const MODELS: &[Model] = &[
    Model { name: "mailbox::events_arrive_in_order_and_no_wake_is_lost", switches: None, run: order },
    Model { name: "mailbox::a_session_without_room_is_woken", switches: Some(4), run: room },
    Model { name: "mailbox::a_session_without_room_is_woken_by_a_release", switches: Some(4), run: release },
    Model { name: "mailbox::a_session_that_awaits_delivery_is_woken", switches: None, run: delivery },
];

/// Half of what the queue takes before the session waits.
const HALF_BYTES: usize = 262_144;
/// And half of the entries.
const HALF_COUNT: usize = 2_048;

/// Pushes entries 1 to `last` of so many bytes, each when there is room for it.
fn push_each(last: u32, bytes: usize, mut sender: EventSender<u32>, wakes: Arc<Notify>) -> JoinHandle<()> {
    thread::spawn(move || {
        for entry in 1..=last {
            block_on(poll_fn(|cx| sender.poll_room(cx)));
            sender.push(entry, bytes);
            if sender.flush() {
                wakes.notify();
            }
        }
    })
}

fn order() {
    let (mut sender, receiver) = event_queue();
    let wakes = Arc::new(Notify::new());
    let session = thread::spawn({
        let wakes = wakes.clone();
        move || {
            for batch in [&[1, 2][..], &[3], &[4]] {
                batch.iter().for_each(|entry| sender.push(*entry, 1));
                if sender.flush() {
                    wakes.notify();
                }
            }
        }
    });
    let mut expected = 1;
    while expected <= 4 {
        // As the engine's loop: each wake has all taken. Without a wake, loom reports that all threads wait.
        wakes.wait();
        while let Some(entry) = receiver.take() {
            assert_eq!(entry, expected);
            expected += 1;
        }
    }
    assert!(receiver.is_empty());
    session.join().expect("no panic");
}

fn room() {
    let (sender, receiver) = event_queue();
    let wakes = Arc::new(Notify::new());
    // Two of four fill the queue.
    let session = push_each(4, HALF_BYTES, sender, wakes.clone());
    let mut taken = 0;
    while taken < 4 {
        wakes.wait();
        while receiver.take().is_some() {
            taken += 1;
        }
    }
    session.join().expect("no panic");
}

fn release() {
    let (sender, receiver) = event_queue();
    let wakes = Arc::new(Notify::new());
    let session = push_each(3, 1, sender, wakes.clone());
    let mut taken = 0;
    while taken < 3 {
        wakes.wait();
        let mut retained = 0;
        while receiver.take().is_some() {
            // One alone fills the queue until it is released.
            receiver.retain(2 * HALF_BYTES);
            retained += 1;
        }
        receiver.release(2 * HALF_BYTES * retained, retained);
        taken += retained;
    }
    session.join().expect("no panic");
}

fn delivery() {
    let (mut sender, receiver) = event_queue();
    let wakes = Arc::new(Notify::new());
    // The second half is long. There is no room until all of it is delivered.
    for bytes in [0, 2 * HALF_BYTES] {
        (1..HALF_COUNT).for_each(|_| sender.push((), 0));
        sender.push((), bytes);
        sender.flush();
    }
    assert!(sender.poll_delivery(&Context::from_waker(Waker::noop())).is_pending(), "the queue is full");
    wakes.notify();
    let session = thread::spawn(move || block_on(poll_fn(|cx| sender.poll_delivery(cx))));
    wakes.wait();
    // The first entry of the second half is taken when the whole first half was.
    for _ in 0..=HALF_COUNT {
        receiver.take();
    }
    session.join().expect("no panic");
}
