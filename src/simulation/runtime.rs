//! The process's runtime. All its tasks belong to the world of this thread.

use std::io;
use std::pin::Pin;
use std::task::{Context, Waker};

use tokio::time::{Instant, Sleep};

use super::world::here;

pub(crate) use super::world::origin;
pub(crate) use tokio::time::sleep_until;

pub(crate) struct Process;

pub(crate) fn start() -> io::Result<&'static Process> {
    Ok(&Process)
}

impl Process {
    pub(crate) fn spawn(&'static self, task: impl Future<Output = ()> + Send + 'static) {
        here().spawn(Box::pin(task));
    }
}

pub(crate) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    here().spawn(Box::pin(task));
    Ok(())
}

pub(crate) fn wake(waker: Waker) {
    waker.wake();
}

pub(crate) fn callback<R>(run: impl FnOnce() -> R) -> R {
    run()
}

pub(crate) fn may_read() -> bool {
    true
}

pub(crate) fn has_read(_bytes: usize) {}

/// The task has more work, after other tasks.
pub(crate) fn end_turn(cx: &Context<'_>) {
    cx.waker().wake_by_ref();
}

pub(crate) fn long_turn() {}

/// An alarm of a task, by the world's clock.
#[derive(Default)]
pub(crate) struct Alarm(Option<Pin<Box<Sleep>>>);

impl Alarm {
    pub(crate) fn set(&mut self, at: Instant, cx: &mut Context<'_>) {
        let sleep = self.0.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        sleep.as_mut().reset(at);
        // From here on its waker belongs to the task.
        let _ = sleep.as_mut().poll(cx);
    }

    pub(crate) fn has_rung(&self) -> bool {
        self.0.as_ref().is_some_and(|sleep| sleep.is_elapsed())
    }
}
