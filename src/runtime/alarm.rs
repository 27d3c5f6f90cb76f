//! The clock of the process: one timer of tokio, for whichever alarm of all tasks is the nearest.
//!
//! A tokio timer set for an earlier instant than all others must wake the thread that waits for sockets. An attempt to connect
//! sets three, which are nearly always put out before they ring. So this clock does not change its timer when an alarm is
//! cancelled. The timer may fire early once, and later alarms need no wake.

use std::collections::BTreeMap;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

use super::turn;
use crate::sync::lock;

/// When the timer fires without an alarm.
const NEVER: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// What instants are counted from.
static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
/// The instant up to which all alarms have rung.
static RUNG: AtomicU64 = AtomicU64::new(0);
static CLOCK: Mutex<Clock> =
    Mutex::new(Clock { alarms: BTreeMap::new(), number: 0, timer: None, set_for: 0 });

struct Clock {
    /// The tasks to wake, by their instants and numbers.
    alarms: BTreeMap<Key, Waker>,
    /// Of the last alarm.
    number: u64,
    /// `None` before the clock runs.
    timer: Option<Pin<Box<Sleep>>>,
    set_for: u64,
}

type Key = (u64, u64);

/// The instant that those which clients have in common are counted from.
pub(crate) fn origin() -> Instant {
    *ORIGIN
}

fn nanoseconds(at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(*ORIGIN).as_nanos()).unwrap_or(u64::MAX)
}

/// The present, in nanoseconds since [`origin`].
pub(super) fn now() -> u64 {
    nanoseconds(Instant::now())
}

impl Clock {
    fn set_timer(&mut self, at: u64) {
        self.set_for = at;
        if let Some(timer) = &mut self.timer {
            timer.as_mut().reset(*ORIGIN + Duration::from_nanos(at));
            // For a point in time that is over, tokio wakes the clock's task at once.
            turn::may_have_waked();
        }
    }
}

/// Runs the clock, for as long as the process lives.
pub(super) async fn run() {
    let never = nanoseconds(Instant::now() + NEVER);
    lock(&CLOCK).timer = Some(Box::pin(tokio::time::sleep(NEVER)));
    poll_fn(|cx| {
        loop {
            let now = now();
            let mut clock = lock(&CLOCK);
            let later = clock.alarms.split_off(&(now + 1, 0));
            let due = std::mem::replace(&mut clock.alarms, later);
            // Before they are woken, so that each finds that it has rung.
            RUNG.store(now, Ordering::Release);
            let next = clock.alarms.first_key_value().map_or(never, |((at, _), _)| *at);
            clock.set_timer(next);
            let rung = clock.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready());
            drop(clock);
            due.into_values().for_each(Waker::wake);
            if !rung {
                return Poll::<()>::Pending;
            }
        }
    })
    .await;
    pending().await
}

/// An alarm of a task. It is put out when it is dropped.
#[derive(Default)]
pub(crate) struct Alarm(Option<Key>);

impl Alarm {
    /// Sets it for `at`, and so puts out what it was set for.
    pub(crate) fn set(&mut self, at: Instant, cx: &mut Context<'_>) {
        let at = nanoseconds(at);
        let mut clock = lock(&CLOCK);
        clock.number += 1;
        let key = (at, clock.number);
        let old = self.0.replace(key).and_then(|old| clock.alarms.remove(&old));
        clock.alarms.insert(key, cx.waker().clone());
        if at < clock.set_for {
            clock.set_timer(at);
        }
        drop(clock);
        // A waker may own a task, and that task alarms.
        drop(old);
    }

    /// Whether it was set and has rung. A task that is woken for it finds that it has.
    #[inline]
    pub(crate) fn has_rung(&self) -> bool {
        self.0.is_some_and(|(at, _)| at <= RUNG.load(Ordering::Acquire))
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        if let Some(key) = self.0.take()
            && key.0 > RUNG.load(Ordering::Acquire)
        {
            let waker = lock(&CLOCK).alarms.remove(&key);
            drop(waker);
        }
    }
}

/// Ends at `at`.
pub(crate) async fn sleep_until(at: Instant) {
    let mut alarm = Alarm::default();
    poll_fn(|cx| {
        // The caller may poll with another waker than before.
        if alarm.has_rung() || Instant::now() >= at {
            return Poll::Ready(());
        }
        alarm.set(at, cx);
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    /// Longer than anything here takes; a test that reaches it has failed.
    const DEADLINE: Duration = Duration::from_secs(20);
    const HOUR: Duration = Duration::from_secs(3_600);

    fn is_set(key: Key) -> bool {
        lock(&CLOCK).alarms.contains_key(&key)
    }

    fn key(alarm: &Alarm) -> Key {
        alarm.0.expect("it was set")
    }

    #[test]
    fn alarms_ring_in_time_and_never_early() {
        let (rung, ringing) = channel();
        // The later ones come first, so that each of the others is the nearest for a while.
        for after in (0..100).rev().map(Duration::from_millis) {
            let rung = rung.clone();
            let task = async move {
                let at = Instant::now() + after;
                sleep_until(at).await;
                let _ = rung.send(Instant::now() >= at);
            };
            super::super::spawn(task).expect("a runtime");
        }
        for _ in 0..100 {
            assert_eq!(ringing.recv_timeout(DEADLINE), Ok(true));
        }
    }

    #[test]
    fn setting_or_dropping_an_alarm_cancels_the_earlier_one() {
        let mut cx = Context::from_waker(Waker::noop());
        let mut alarm = Alarm::default();
        assert!(!alarm.has_rung(), "it was not set");
        alarm.set(Instant::now() + HOUR, &mut cx);
        let first = key(&alarm);
        alarm.set(Instant::now() + 2 * HOUR, &mut cx);
        let second = key(&alarm);
        assert_eq!((is_set(first), is_set(second), alarm.has_rung()), (false, true, false));
        drop(alarm);
        assert!(!is_set(second));
    }

    #[test]
    fn a_task_is_woken_by_the_waker_it_was_polled_with_last() {
        let (woken, was_woken) = channel();
        let task = async move {
            let mut sleep = Box::pin(sleep_until(Instant::now() + Duration::from_millis(20)));
            assert!(sleep.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            sleep.await;
            let _ = woken.send(());
        };
        super::super::spawn(task).expect("a runtime");
        assert_eq!(was_woken.recv_timeout(DEADLINE), Ok(()));
    }
}
