//! Freezes the client's process: its tasks do not run for a time, and everything else continues.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::network::lock;

/// A period in which no task of the client ran.
#[derive(Clone, Copy, Debug)]
pub struct Frozen {
    from: Instant,
    until: Instant,
    /// How long the runtime took afterwards to notice the data that had arrived.
    catch_up: Duration,
}

#[derive(Default)]
pub struct Freezer(Mutex<Vec<Frozen>>);

impl Freezer {
    /// From now on no task of the client runs for this long.
    pub fn freeze(&self, time: Duration, catch_up: Duration) {
        let now = Instant::now();
        lock(&self.0).push(Frozen { from: now, until: now + time, catch_up });
    }

    /// The clock jumps forward by this much, for all tasks.
    pub async fn jump(&self, time: Duration) {
        self.freeze(time, Duration::ZERO);
        tokio::time::advance(time).await;
    }

    fn until(&self) -> Option<Instant> {
        lock(&self.0).iter().map(|frozen| frozen.until).max()
    }

    /// When the runtime notices data that arrives at this time.
    pub fn noticed(&self, arrival: Instant) -> Instant {
        let frozen = lock(&self.0);
        let noticed_at = |frozen: &Frozen| frozen.until + frozen.catch_up;
        let during =
            frozen.iter().rev().find(|frozen| frozen.from <= arrival && arrival < noticed_at(frozen));
        during.map_or(arrival, noticed_at)
    }

    /// How much the frozen periods between two instants extend a deadline with this limit: by their length, and by the limit
    /// once more.
    pub fn allowance(&self, from: Instant, to: Instant, limit: Duration) -> Duration {
        let frozen = lock(&self.0);
        let within = frozen.iter().filter(|frozen| frozen.until >= from && frozen.from <= to);
        within.map(|frozen| (frozen.until - frozen.from) + limit + Duration::from_millis(60)).sum()
    }

    /// How long the client was frozen, if that ended just now: within the time that an answer takes.
    pub fn just_ended(&self, round_trip: Duration) -> Option<Duration> {
        let now = Instant::now();
        let frozen = lock(&self.0);
        let ended = |frozen: &&Frozen| {
            frozen.until <= now && now < frozen.until + Duration::from_millis(60) + round_trip
        };
        frozen.iter().filter(ended).map(|frozen| frozen.until - frozen.from).max()
    }

    pub fn is_unused(&self) -> bool {
        lock(&self.0).is_empty()
    }
}

/// A task of the client.
pub struct Freezable {
    freezer: Arc<Freezer>,
    task: Pin<Box<dyn Future<Output = ()> + Send>>,
    thaw: Option<Pin<Box<Sleep>>>,
}

impl Freezable {
    pub fn new(freezer: Arc<Freezer>, task: Pin<Box<dyn Future<Output = ()> + Send>>) -> Self {
        Self { freezer, task, thaw: None }
    }
}

impl Future for Freezable {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let now = Instant::now();
            let Some(until) = self.freezer.until().filter(|until| *until > now) else {
                self.thaw = None;
                return self.task.as_mut().poll(cx);
            };
            let thaw = self.thaw.get_or_insert_with(|| Box::pin(sleep_until(until)));
            if thaw.deadline() < until {
                thaw.as_mut().reset(until);
            }
            if thaw.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}
