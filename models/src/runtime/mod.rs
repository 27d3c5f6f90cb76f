//! Replaces the library's `runtime/mod.rs`, which is tokio's threads. A model's threads are loom's.

#[path = "../../../src/runtime/jobs.rs"]
mod jobs;
mod models;
#[path = "../../../src/runtime/reserve.rs"]
mod reserve;
mod slot;
#[path = "../../../src/runtime/watchdog.rs"]
mod watchdog;

use std::task::Waker;

pub use self::models::MODELS;

/// As in `signals.rs`.
pub(crate) trait Signal: Send + Sync {
    #[expect(dead_code, reason = "no model has a runtime that sends it")]
    fn send(&self);
}

pub(crate) fn wake(waker: Waker) {
    waker.wake();
}

pub(crate) fn callback<R>(run: impl FnOnce() -> R) -> R {
    run()
}
