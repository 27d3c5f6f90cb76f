//! What the process has: descriptors, threads, memory.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::DEADLINE;
use super::allocator;
use super::driver::LISTENERS;

/// Caches of the process that fill up once: read buffers, chunks, blocks of channels.
const CACHES_BYTES: isize = 524_288;
/// Far less than a session or a socket takes.
const PER_CASE_BYTES: isize = 64;

/// What the process has before a group of cases.
#[derive(Clone, Copy, Debug)]
pub struct Baseline {
    descriptors: usize,
    threads: usize,
    bytes: isize,
}

impl Baseline {
    pub fn now() -> Self {
        let count = |folder| std::fs::read_dir(folder).map_or(0, Iterator::count);
        Self {
            descriptors: count("/proc/self/fd"),
            threads: library_threads(),
            bytes: allocator::allocated_bytes(),
        }
    }

    /// Waits until the process has no more than it had then: sockets close behind the events that tell of it.
    pub async fn regained(self, cases: usize) -> Result<Self, String> {
        self.regained_within(CACHES_BYTES + cases as isize * PER_CASE_BYTES).await
    }

    /// As [`Baseline::regained`], while caches are filled.
    pub async fn regained_but_bytes(self) -> Result<Self, String> {
        self.regained_within(isize::MAX).await
    }

    async fn regained_within(self, growth: isize) -> Result<Self, String> {
        let since = Instant::now();
        loop {
            let now = Self::now();
            let listeners = LISTENERS.load(Ordering::SeqCst);
            if now.descriptors <= self.descriptors
                && now.threads <= self.threads
                && listeners == 0
                && now.bytes - self.bytes <= growth
            {
                return Ok(now);
            }
            if since.elapsed() > DEADLINE {
                return Err(format!("left behind: {self:?} became {now:?}, {listeners} listeners alive"));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// The test harness has threads as well, which come and go.
fn library_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.filter(|name| name.starts_with("net_websocket")).count()
}
