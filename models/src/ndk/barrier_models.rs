//! The barrier between a client's callbacks and its Destroy.

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::thread::{self, JoinHandle};

use super::callback_barrier::{AnyBarrier, CallbackBarrier};
use crate::Model;

pub const MODELS: &[Model] = &[
    Model { name: "barrier::no_callback_runs_after_destroy", switches: None, run: after_destroy },
    Model { name: "barrier::a_callback_destroys_its_own_client", switches: None, run: own },
    Model { name: "barrier::two_callbacks_destroy_each_others_client", switches: None, run: two },
    Model { name: "barrier::three_callbacks_destroy_clients_in_a_ring", switches: Some(3), run: three },
    Model { name: "barrier::destroy_waits_for_a_callback_that_destroys", switches: Some(4), run: chain },
];

/// What a callback of an application uses. Loom fails an order in which it is released while a callback could still use it.
#[derive(Default)]
struct Memory(UnsafeCell<()>);

// SAFETY: loom watches who is there.
unsafe impl Sync for Memory {}
// SAFETY: as above.
unsafe impl Send for Memory {}

impl Memory {
    fn using<R>(&self, callback: impl FnOnce() -> R) -> R {
        self.0.with(|_| ());
        let result = callback();
        self.0.with(|_| ());
        result
    }

    fn release(&self) {
        self.0.with_mut(|_| ());
    }
}

/// A client: its barrier, and what its callbacks use.
#[derive(Clone, Default)]
struct Client {
    barrier: Arc<CallbackBarrier<()>>,
    memory: Arc<Memory>,
}

impl Client {
    /// A run of callbacks, unless the client is destroyed.
    fn run(&self, callback: impl FnOnce()) {
        if self.barrier.enter() {
            self.memory.using(callback);
            self.barrier.leave();
        }
    }

    fn destroy(&self) {
        let barrier: Arc<AnyBarrier> = self.barrier.clone();
        barrier.close_and_wait();
    }

    fn release(&self) {
        self.memory.release();
    }
}

/// A thread with one run of callbacks of a client, which destroy another.
fn destroyer(own: &Client, other: &Client) -> JoinHandle<()> {
    let (own, other) = (own.clone(), other.clone());
    thread::spawn(move || own.run(|| other.destroy()))
}

fn after_destroy() {
    let client = Client::default();
    let session = thread::spawn({
        let client = client.clone();
        move || {
            client.run(|| {});
            client.run(|| {});
        }
    });
    client.destroy();
    client.release();
    session.join().expect("no panic");
}

fn own() {
    let client = Client::default();
    let session = destroyer(&client, &client);
    client.destroy();
    client.release();
    session.join().expect("no panic");
}

fn two() {
    let clients = [Client::default(), Client::default()];
    let threads = [destroyer(&clients[0], &clients[1]), destroyer(&clients[1], &clients[0])];
    for thread in threads {
        thread.join().expect("no panic");
    }
}

fn three() {
    let clients = [Client::default(), Client::default(), Client::default()];
    let threads = [0, 1, 2].map(|own| destroyer(&clients[own], &clients[(own + 1) % 3]));
    for thread in threads {
        thread.join().expect("no panic");
    }
}

fn chain() {
    let [first, second] = [Client::default(), Client::default()];
    let destroys = destroyer(&first, &second);
    let runs = thread::spawn({
        let second = second.clone();
        move || second.run(|| {})
    });
    first.destroy();
    first.release();
    destroys.join().expect("no panic");
    // Its callback may not have come to it.
    second.destroy();
    second.release();
    runs.join().expect("no panic");
}
