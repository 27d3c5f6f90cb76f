//! Time limits in a process that may stand still.
//!
//! An app freezer stops processes for longer than any limit. Meanwhile peers continue. Their data waits in the kernel, so an
//! expired limit says nothing about them. So after a late alarm, waiting data is read before anything ends. After a very late
//! alarm, the limit restarts.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::try_join;
use tokio::time::Instant;

use crate::runtime::sleep_until;

/// A clock that rings this late shows that the process stood still, or had no processor.
const STOOD_STILL: Duration = Duration::from_millis(500);
/// A clock that rings at most this late is on time.
const ON_TIME: Duration = Duration::from_millis(10);
/// The runtime needs at most this long to learn of data in the kernel.
const CATCH_UP: Duration = Duration::from_millis(50);
/// A limit is split into parts. If a part ends far too late, the process stood still and ran again before the limit ended.
const PARTS: u32 = 4;
const PART_MAX: Duration = Duration::from_secs(1);

/// How long the process stood still when `deadline` passed, if it did. The limit then restarts.
pub(super) fn stood_still(deadline: Instant, now: Instant) -> Option<Duration> {
    Some(now.saturating_duration_since(deadline)).filter(|late| *late >= STOOD_STILL)
}

/// How long the process stood still during some work, in milliseconds.
#[derive(Default)]
pub(super) struct Standstill(AtomicU64);

impl Standstill {
    fn add(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.0.fetch_add(millis, Ordering::Relaxed);
    }

    pub(super) fn total(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

/// When a part ends. If the work ends while the process stands still, nobody looks at the clock after that. So the drop does.
struct Ring<'a> {
    at: Instant,
    /// `None` if nobody has to know.
    still: Option<&'a Standstill>,
}

impl Ring<'_> {
    /// Tells if the process stood still.
    fn look(&self, now: Instant) -> bool {
        let late = stood_still(self.at, now);
        if let (Some(late), Some(still)) = (late, self.still) {
            still.add(late);
        }
        late.is_some()
    }
}

impl Drop for Ring<'_> {
    fn drop(&mut self) {
        self.look(Instant::now());
    }
}

/// Ends when `limit` has passed, at `deadline` or later. Adds to `still` how long the process stood still.
async fn passed(mut deadline: Instant, limit: Duration, still: Option<&Standstill>) {
    let part = (limit / PARTS).min(PART_MAX);
    let mut ring = Ring { at: deadline, still };
    loop {
        ring.at = deadline.min(Instant::now() + part);
        sleep_until(ring.at).await;
        let now = Instant::now();
        if ring.look(now) {
            deadline = now + limit;
        } else if now > deadline + ON_TIME {
            ring.at = now + CATCH_UP;
            return sleep_until(ring.at).await;
        } else if now >= deadline {
            return;
        }
    }
}

/// Sleeps for `limit`, which begins anew if the process stood still.
pub(crate) async fn sleep_awake(limit: Duration) {
    passed(Instant::now() + limit, limit, None).await;
}

/// The result of `work` within `limit`, which ends at `deadline` or later. `None` if it takes longer.
pub(crate) fn within<T>(
    limit: Duration,
    deadline: Instant,
    work: impl Future<Output = T>,
) -> impl Future<Output = Option<T>> {
    within_telling(limit, deadline, None, work)
}

/// As [`within`]. Adds to `still` how long the process stood still. Not `async`: such a function would have room for
/// `work` twice.
pub(super) fn within_telling<T>(
    limit: Duration,
    deadline: Instant,
    still: Option<&Standstill>,
    work: impl Future<Output = T>,
) -> impl Future<Output = Option<T>> {
    let done = work.map(|done| Err::<Infallible, _>(Some(done)));
    let late = passed(deadline, limit, still).map(|()| Err::<Infallible, _>(None));
    // The first failure ends both, and the work is looked at first.
    try_join(done, late).map(|ended| {
        let Err(ended) = ended;
        ended
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(2);
    const MILLISECOND: Duration = Duration::from_millis(1);

    /// The paused clock of tokio stands still like the clock of a stopped process.
    #[tokio::test(start_paused = true)]
    async fn a_time_limit_restarts_after_the_process_was_frozen() {
        let began = Instant::now();
        assert_eq!(within(LIMIT, began + LIMIT, std::future::pending::<()>()).await, None);
        assert_eq!(began.elapsed(), LIMIT);

        let part = LIMIT / PARTS;
        for (parts_before, late, ends) in [
            // On time, or almost.
            (3, Duration::ZERO, LIMIT),
            (3, ON_TIME, LIMIT + ON_TIME),
            (3, ON_TIME + MILLISECOND, LIMIT + ON_TIME + MILLISECOND + CATCH_UP),
            (3, STOOD_STILL - MILLISECOND, LIMIT + STOOD_STILL - MILLISECOND + CATCH_UP),
            // Stopped at the end of the limit, for exactly the threshold and for very long.
            (3, STOOD_STILL, LIMIT + STOOD_STILL + LIMIT),
            (3, 100 * LIMIT, 102 * LIMIT),
            // Stopped before the end, and until or beyond it.
            (0, 100 * LIMIT, part + 101 * LIMIT),
            (0, LIMIT - part - MILLISECOND, 2 * LIMIT - MILLISECOND),
            (1, STOOD_STILL, 2 * part + STOOD_STILL + LIMIT),
            (1, STOOD_STILL - MILLISECOND, LIMIT),
        ] {
            let began = Instant::now();
            let limit = tokio::spawn(async move {
                let still = Standstill::default();
                passed(began + LIMIT, LIMIT, Some(&still)).await;
                (began.elapsed(), still.total())
            });
            for _ in 0..parts_before {
                tokio::task::yield_now().await;
                tokio::time::advance(part).await;
            }
            tokio::task::yield_now().await;
            tokio::time::advance(part + late).await;
            let still = if late >= STOOD_STILL { late } else { Duration::ZERO };
            assert_eq!(limit.await.expect("no panic"), (ends, still), "{late:?} late after {parts_before}");
        }
    }

    /// An answer that came meanwhile is read before the clock is looked at.
    #[tokio::test(start_paused = true)]
    async fn work_that_ends_with_a_freeze_does_not_hide_it() {
        for late in [STOOD_STILL - MILLISECOND, STOOD_STILL, 100 * LIMIT] {
            let began = Instant::now();
            let part = LIMIT / PARTS;
            let limited = tokio::spawn(async move {
                let still = Standstill::default();
                let work = tokio::time::sleep(part + late);
                let done = within_telling(LIMIT, began + LIMIT, Some(&still), work).await.is_some();
                (done, still.total())
            });
            tokio::task::yield_now().await;
            tokio::time::advance(part + late).await;
            let still = if late >= STOOD_STILL { late } else { Duration::ZERO };
            assert_eq!(limited.await.expect("no panic"), (true, still), "{late:?}");
        }
    }
}
