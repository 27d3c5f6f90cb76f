//! Resources that the system may lack: threads, descriptors, memory.
//!
//! Owns blocking work on threads other than the workers. Knows nothing of clients.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio::time::timeout;

use crate::sync::lock;

/// How long work may wait for a thread before the system is asked for another one.
const BEGINS_WITHIN: Duration = Duration::from_millis(100);

/// How long a thread waits for more work after blocking work, or after it has replaced a blocked callback.
pub(crate) const THREAD_KEEP_ALIVE: Duration = Duration::from_secs(1);

/// Since when a thread has been idle after its work.
static IDLE_SINCE: Mutex<Option<Instant>> = Mutex::new(None);

/// Whether an error means that the system lacks a resource for now.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::OutOfMemory
        || matches!(
            error.raw_os_error(),
            Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOBUFS | libc::EAGAIN)
        )
}

/// Whether the system can start another thread. tokio does not report a lack. It panics, or waits without end for a
/// free thread.
pub(crate) fn try_thread() -> io::Result<()> {
    std::thread::Builder::new().spawn(|| ()).map(drop)
}

/// Runs work that may block, on a thread other than the workers. An error if the system has no thread for it. Started
/// work continues even if nobody awaits its result.
pub(crate) async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let result = Arc::new(Mutex::new(None));
    let to = result.clone();
    run(Box::new(move || *lock(&to) = Some(work()))).await?;
    let result = lock(&result).take();
    Ok(result.expect("the work has come to its end"))
}

/// Work of one type, because tokio compiles its code for each type again.
type Work = Box<dyn FnOnce() + Send>;

fn begin(work: Work) -> JoinHandle<()> {
    spawn_blocking(work)
}

async fn run(work: Work) -> io::Result<()> {
    let panicked = |_: JoinError| io::Error::other("an internal error of the library");
    let begun = Arc::new(AtomicBool::new(false));
    let begins = begun.clone();
    let idle_since = lock(&IDLE_SINCE).take();
    if idle_since.is_none_or(|since| since.elapsed() > THREAD_KEEP_ALIVE / 2) {
        try_thread()?;
    }
    let mut task = begin(Box::new(move || {
        begins.store(true, Ordering::Relaxed);
        work();
        *lock(&IDLE_SINCE) = Some(Instant::now());
    }));
    loop {
        match timeout(BEGINS_WITHIN, &mut task).await {
            Ok(done) => return done.map_err(panicked),
            Err(_late) if begun.load(Ordering::Relaxed) => return task.await.map_err(panicked),
            Err(_late) => {}
        }
        // Other work may have taken the thread in the meantime.
        if let Err(cause) = try_thread() {
            task.abort();
            return Err(cause);
        }
        // The thread for this one runs what waits before it.
        drop(begin(Box::new(|| ())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn run_blocking_returns_results_of_short_and_long_work() {
        assert_eq!(run_blocking(|| 1).await.ok(), Some(1));
        let long = || {
            std::thread::sleep(2 * BEGINS_WITHIN);
            2
        };
        assert_eq!(run_blocking(long).await.ok(), Some(2));
        assert!(run_blocking(|| panic!("on purpose")).await.is_err());
    }

    #[test]
    fn work_waiting_for_a_thread_starts_when_one_is_free() {
        // Such a runtime has one thread for blocking work, which is busy at first.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .max_blocking_threads(1)
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let taken = spawn_blocking(|| std::thread::sleep(4 * BEGINS_WITHIN));
            assert_eq!(run_blocking(|| 3).await.ok(), Some(3));
            assert!(taken.await.is_ok());
        });
    }
}
