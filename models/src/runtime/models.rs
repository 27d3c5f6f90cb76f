//! The worker in reserve, and the watchdog that lets it out.

use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use super::jobs::{self, Job};
use super::reserve::Reserve;
use super::slot;
use super::watchdog::Watchdog;
use crate::Model;

pub const MODELS: &[Model] = &[
    Model { name: "reserve::a_release_ends_the_wait", switches: None, run: release },
    Model {
        name: "reserve::a_blocked_callback_calls_for_the_worker_in_reserve",
        switches: Some(4),
        run: blocked,
    },
    Model { name: "reserve::a_blocked_callback_waits_for_its_job", switches: None, run: job },
    Model {
        name: "reserve::nobody_goes_into_reserve_beside_a_blocked_callback",
        switches: None,
        run: beside,
    },
];

fn release() {
    let reserve = Arc::new(Reserve::new());
    assert!(reserve.call(), "it is empty");
    let worker = thread::spawn({
        let reserve = reserve.clone();
        move || reserve.wait(|| {}, || {}, || true)
    });
    reserve.release();
    worker.join().expect("no panic");
    assert!(reserve.is_empty());
}

/// One worker is in a callback that ends only when the other worker runs. That one goes into reserve at any moment.
fn blocked() {
    let (reserve, watchdog) = (Arc::new(Reserve::new()), Arc::new(Watchdog::new()));
    let ended = Arc::new(AtomicBool::new(false));
    let dog = thread::spawn({
        let (reserve, watchdog, ended) = (reserve.clone(), watchdog.clone(), ended.clone());
        move || {
            let mut seen = 0;
            while !ended.load(Ordering::SeqCst) {
                watchdog.look(&mut seen, &reserve, || {});
            }
        }
    });
    let thread = dog.thread().clone();
    let ran = Arc::new(AtomicBool::new(false));
    let callback = thread::current();
    let worker = thread::spawn({
        let (reserve, watchdog, thread, ran) =
            (reserve.clone(), watchdog.clone(), thread.clone(), ran.clone());
        move || {
            if reserve.call() {
                reserve.wait(|| watchdog.rouse(&thread), || {}, || true);
            }
            ran.store(true, Ordering::SeqCst);
            callback.unpark();
        }
    });
    slot::take();
    watchdog.rouse(&thread);
    while !ran.load(Ordering::SeqCst) {
        thread::park();
    }
    slot::leave();
    ended.store(true, Ordering::SeqCst);
    thread.unpark();
    worker.join().expect("no panic");
    dog.join().expect("no panic");
}

/// A callback ends only when the job is done that it adds, while the watchdog empties the reserve.
fn job() {
    let reserve = Arc::new(Reserve::new());
    assert!(reserve.call(), "it is empty");
    let callback = thread::spawn({
        let reserve = reserve.clone();
        move || {
            let done = Arc::new(AtomicBool::new(false));
            let job = Job::Call(Box::new({
                let (done, callback) = (done.clone(), thread::current());
                move || {
                    done.store(true, Ordering::SeqCst);
                    callback.unpark();
                }
            }));
            if !jobs::add(job, &reserve) {
                // In place of the watchdog, which is woken for it.
                jobs::run();
            }
            while !done.load(Ordering::SeqCst) {
                thread::park();
            }
        }
    });
    // What the watchdog does when a callback blocks.
    let watchdog = thread::spawn({
        let reserve = reserve.clone();
        move || {
            reserve.release();
            jobs::run();
        }
    });
    reserve.wait(|| {}, || {}, || true);
    callback.join().expect("no panic");
    watchdog.join().expect("no panic");
}

fn beside() {
    let reserve = Reserve::new();
    slot::take();
    assert!(!reserve.call(), "the other worker is needed");
    slot::leave();
    assert!(reserve.call());
}
