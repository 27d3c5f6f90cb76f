//! Limits of time in a process that may stand still.
//!
//! An app freezer stops processes for longer than any limit. Meanwhile peers go on: what they sent waits in the kernel, and a
//! limit that has passed says nothing of them. So a clock that rings late does not end anything before what waits was seen, and
//! one that rings far too late begins anew.

use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

/// A clock that rings so much late tells that the process stood still, or had no processor.
const STOOD_STILL: Duration = Duration::from_millis(500);
/// One that rings no later than this is on time.
const ON_TIME: Duration = Duration::from_millis(10);
/// How long the runtime takes at most to learn what waits in the kernel.
const CATCH_UP: Duration = Duration::from_millis(50);

/// Whether the process stood still when `deadline` passed, so that the limit is to begin anew.
pub(super) fn stood_still(deadline: Instant, now: Instant) -> bool {
    now.saturating_duration_since(deadline) >= STOOD_STILL
}

/// Ends when `limit` has passed, at `deadline` or later.
pub(super) async fn passed(mut deadline: Instant, limit: Duration) {
    loop {
        sleep_until(deadline).await;
        let now = Instant::now();
        if stood_still(deadline, now) {
            deadline = now + limit;
        } else if now > deadline + ON_TIME {
            return sleep(CATCH_UP).await;
        } else {
            return;
        }
    }
}

/// What `work` comes to within `limit`, which ends at `deadline` or later; `None` when it takes longer.
pub(super) async fn within<T>(
    limit: Duration,
    deadline: Instant,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = passed(deadline, limit) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(2);

    /// The clock of tokio stands still unless it is told to go on, as in a process that is stopped.
    #[tokio::test(start_paused = true)]
    async fn a_limit_is_kept_and_begins_anew_after_a_standstill() {
        let began = Instant::now();
        assert_eq!(within(LIMIT, began + LIMIT, std::future::pending::<()>()).await, None);
        assert_eq!(began.elapsed(), LIMIT);

        for (late, until) in [
            (Duration::ZERO, Duration::ZERO),
            (ON_TIME, ON_TIME),
            (ON_TIME + Duration::from_millis(1), ON_TIME + Duration::from_millis(1) + CATCH_UP),
            (STOOD_STILL - Duration::from_millis(1), STOOD_STILL - Duration::from_millis(1) + CATCH_UP),
            (STOOD_STILL, STOOD_STILL + LIMIT),
            (100 * LIMIT, 101 * LIMIT),
        ] {
            let deadline = Instant::now() + LIMIT;
            let limit = tokio::spawn(async move {
                passed(deadline, LIMIT).await;
                deadline.elapsed()
            });
            tokio::task::yield_now().await;
            tokio::time::advance(LIMIT + late).await;
            assert_eq!(limit.await.expect("no panic"), until, "{late:?} late");
        }
    }
}
