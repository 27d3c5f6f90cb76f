//! Waits until a group of cases has released all descriptors, threads, memory and listeners.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::DEADLINE;
use super::driver::LISTENERS;
use crate::support::resource_usage::ResourceUsage;

/// Caches of the process fill up once: read buffers, blocks of channels, and the pool of chunks. Fragments of long messages
/// leave eight chunks of 256 KiB in the pool.
const CACHES_BYTES: isize = 524_288 + 8 * 262_144;
/// Far less than a session or a socket takes.
const PER_CASE_BYTES: isize = 64;

/// The resources of the process before a group of cases.
#[derive(Clone, Copy, Debug)]
pub struct Baseline(ResourceUsage);

impl Baseline {
    pub fn now() -> Self {
        Self(ResourceUsage::now())
    }

    /// Waits until the process has no more than the baseline. Sockets close after the event that reports the end.
    pub async fn regained(self, cases: usize) -> Result<Self, String> {
        self.regained_within(CACHES_BYTES + cases as isize * PER_CASE_BYTES).await
    }

    /// Like [`Baseline::regained`], and allows for caches that still fill.
    pub async fn regained_but_bytes(self) -> Result<Self, String> {
        self.regained_within(isize::MAX).await
    }

    async fn regained_within(self, growth: isize) -> Result<Self, String> {
        let since = Instant::now();
        loop {
            let Self(before) = self;
            let now = ResourceUsage::now();
            let listeners = LISTENERS.load(Ordering::SeqCst);
            if now.descriptors <= before.descriptors
                && now.threads <= before.threads
                && listeners == 0
                && now.allocated - before.allocated <= growth
            {
                return Ok(Self(now));
            }
            if since.elapsed() > DEADLINE {
                return Err(format!("left behind: {before:?} became {now:?}, {listeners} listeners alive"));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
