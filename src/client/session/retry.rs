//! The time between two connections: the wait for the next attempt, and the application's changes to it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

use super::end::SessionEnd;
use super::notify::notify;
use super::writer::Writer;
use crate::client::error::{Error, Phase};
use crate::client::event::{Closed, Listener, Outcome, PrepareDecision, Reconnecting};
use crate::client::reconnect::Series;
use crate::client::request::{Preparation, Request, Rewrite};
use crate::client::send_queue::{Backlog, Dropped};
use crate::client::shared::{Shared, Stop};
use crate::client::time_limit::{Standstill, stood_still, within_telling};
use crate::client::transport::{Endpoints, Subscription};
use crate::logging;
use crate::runtime;

/// The data for the wait between two connections of a client.
pub(super) struct Retry<'a> {
    pub(super) shared: &'a Arc<Shared>,
    /// The number of the attempt that the application began.
    pub(super) attempt: u64,
    pub(super) series: &'a mut Series,
    /// The request of the last attempt.
    pub(super) request: Arc<Request>,
    /// `None` if the client does not watch the network.
    pub(super) reachability: Option<Reachability<'a>>,
}

/// Checks whether there is still a route to the end of the last connection.
#[derive(Clone, Copy)]
pub(super) struct Reachability<'a> {
    pub(super) subscription: &'a Subscription,
    pub(super) endpoints: Option<Endpoints>,
}

/// The request of the next attempt.
pub(super) struct Next {
    pub(super) request: Arc<Request>,
    /// It has the host and port of the last request.
    pub(super) same_endpoint: bool,
}

/// Why an announced attempt does not begin.
enum Unready {
    Stop(Stop),
    /// The application wants no more attempts.
    GiveUp,
    Failed(Error),
}

impl Retry<'_> {
    /// Waits for the next attempt and prepares it. If no attempt follows, returns how the series ended.
    pub(super) async fn next(
        mut self,
        listener: &mut dyn Listener,
        mut end: Box<SessionEnd>,
    ) -> Result<Next, Box<SessionEnd>> {
        loop {
            let failed_at = Instant::now();
            let Some(delay) = self.delay(&end, failed_at) else { return Err(end) };
            let keep = self.series.policy().keep_queue;
            match self.shared.reconnect(self.attempt, std::mem::take(&mut end.unsent), keep) {
                Ok(dropped) => end.dropped.merge(dropped),
                Err(unsent) => {
                    end.unsent = unsent;
                    return Err(end);
                }
            }
            let dropped = std::mem::take(&mut end.dropped);
            let reconnecting = reconnecting(&end, self.series.attempts(), delay, dropped.messages);
            self.announce(listener, &reconnecting, dropped);
            if let Some(writer) = end.writer.take() {
                self.close_in_background(writer).await;
            }
            let waited = match self.listener_caught_up(listener).await {
                Ok(()) => {
                    self.wait(failed_at, delay).await.map(|stood_still| self.series.stood_still(stood_still))
                }
                stopped => stopped,
            };
            self.shared.await_retry(false);
            let ready = match waited {
                Err(unready) => Err(unready),
                Ok(()) => self.prepare(listener, &reconnecting).await,
            };
            if matches!(ready, Ok(_) | Err(Unready::Failed(_))) {
                self.shared.counters.attempt();
            }
            let was_open = end.was_open;
            match ready {
                Ok(request) => {
                    let same_endpoint = request.endpoint() == self.request.endpoint();
                    return Ok(Next { request, same_endpoint });
                }
                Err(Unready::GiveUp) => return Err(end),
                Err(Unready::Failed(error)) => {
                    end = Box::new(SessionEnd { was_open, ..SessionEnd::of_error(error) })
                }
                Err(Unready::Stop(Stop::Abandoned(dropped))) => {
                    let phase = end.error.as_ref().and_then(Error::phase).unwrap_or(Phase::Lookup);
                    let error = Error::Abandoned { target: self.request.endpoint(), phase };
                    return Err(Box::new(SessionEnd { dropped, was_open, ..SessionEnd::of_error(error) }));
                }
                Err(Unready::Stop(Stop::Close(close))) => {
                    return Err(Box::new(SessionEnd::of_close(close, end.times)));
                }
            }
        }
    }

    /// Counts the next attempt and returns the delay before it. `None` if no retry follows.
    fn delay(&mut self, end: &SessionEnd, now: Instant) -> Option<Duration> {
        let delay = self.series.next(end.setback(), now)?;
        let first = self.series.attempts() == 1;
        // This device changed its network, or slept. The server did not lose all its clients at once, so no delay is
        // needed.
        let own = first && matches!(end.error, Some(Error::NetworkChanged(_) | Error::Slept(_)));
        Some(if own { Duration::ZERO } else { delay })
    }

    /// Reports the dropped messages and the next attempt.
    fn announce(&self, listener: &mut dyn Listener, reconnecting: &Reconnecting, dropped: Dropped) {
        let Self { shared, .. } = self;
        let Dropped { messages: _, receipts, payloads } = dropped;
        if !payloads.is_empty() {
            runtime::callback(|| drop(payloads));
        }
        // The reason is the peer's text, which does not belong in a log.
        logging::warn(format_args!(
            "{} attempt {} in {} ms ({:?})",
            shared.tag(),
            reconnecting.attempt,
            reconnecting.delay.as_millis(),
            reconnecting.cause
        ));
        shared.await_retry(true);
        notify(shared, listener, |listener| {
            receipts.iter().for_each(|receipt| listener.sent(*receipt, Outcome::Unsent));
        });
        notify(shared, listener, |listener| listener.reconnecting(reconnecting));
        if shared.note_in_flight(Backlog::default()) {
            notify(shared, listener, |listener| listener.drained());
        }
    }

    /// Closes the last connection properly while the client waits for the next one.
    async fn close_in_background(&self, writer: Box<Writer>) {
        let (shared, close_timeout) = (self.shared.clone(), self.request.session.close_timeout);
        let finish = async move { writer.finish_within(close_timeout, &shared.counters).await };
        // Without a runtime this code would not run either.
        let _ = runtime::spawn(finish);
        yield_now().await;
    }

    /// Waits until the listener has processed the earlier attempts. Otherwise attempts without a reader would continue for
    /// ever.
    async fn listener_caught_up(&self, listener: &mut dyn Listener) -> Result<(), Unready> {
        poll_fn(|cx| match self.shared.poll_stop(self.attempt, cx) {
            Some(stop) => Poll::Ready(Err(Unready::Stop(stop))),
            None => listener.poll_caught_up(cx).map(Ok),
        })
        .await
    }

    /// Waits for a delay after the failure, and then for a route to the server. The application may start the attempt at once
    /// or cancel it. A change of the network may shorten the delay. Returns how long the process was frozen in the meantime.
    async fn wait(&self, failed_at: Instant, delay: Duration) -> Result<Duration, Unready> {
        let Self { shared, attempt, series, .. } = self;
        let mut sleep = pin!(tokio::time::sleep_until(failed_at + delay));
        let mut deadline = pin!(series.deadline().map(tokio::time::sleep_until));
        // The delay is over, but no route exists.
        let mut awaits_route = false;
        let mut still = Duration::ZERO;
        let overdue = |by| stood_still(by, Instant::now());
        poll_fn(|cx| {
            loop {
                if let Some(stop) = shared.poll_stop(*attempt, cx) {
                    return Poll::Ready(Err(Unready::Stop(stop)));
                }
                // After a freeze, the application or the network may end the wait before its time is looked at.
                while let Some(mut deadline) = deadline.as_mut().as_pin_mut().filter(|_| awaits_route)
                    && deadline.as_mut().poll(cx).is_ready()
                {
                    let Some(late) = overdue(deadline.deadline()) else {
                        return Poll::Ready(Err(Unready::GiveUp));
                    };
                    // It is unknown how long before the end the process stopped. And the network returns a little later
                    // than the process.
                    let more = late + series.policy().max_delay;
                    still += more;
                    let by = deadline.deadline() + more;
                    deadline.set(tokio::time::sleep_until(by));
                }
                if shared.take_retry_now() {
                    let late = if awaits_route { None } else { overdue(sleep.deadline()) };
                    return Poll::Ready(Ok(still + late.unwrap_or_default()));
                }
                if shared.take_network_changed() && self.has_route() {
                    // Many changes at once must not start many attempts.
                    let soon = (failed_at + series.pause()).max(Instant::now());
                    if awaits_route || soon < sleep.deadline() {
                        sleep.as_mut().reset(soon);
                    }
                    awaits_route = false;
                }
                if awaits_route || sleep.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                still += overdue(sleep.deadline()).unwrap_or_default();
                if self.has_route() {
                    return Poll::Ready(Ok(still));
                }
                logging::info(format_args!("{} waits for a network", shared.tag()));
                awaits_route = true;
            }
        })
        .await
    }

    fn has_route(&self) -> bool {
        let has_route = |Reachability { subscription, endpoints }: Reachability<'_>| {
            subscription.has_route(endpoints, self.request.has_name())
        };
        self.request.destination.is_local() || self.reachability.is_none_or(has_route)
    }

    /// Lets the application change the handshake of the next attempt.
    async fn prepare(
        &mut self,
        listener: &mut dyn Listener,
        reconnecting: &Reconnecting,
    ) -> Result<Arc<Request>, Unready> {
        let Self { shared, attempt, series, request, .. } = self;
        shared.await_prepared(reconnecting.attempt);
        let mut said = PrepareDecision::Proceed;
        notify(shared, listener, |listener| said = listener.prepare(reconnecting));
        let (limit, still) = (series.policy().prepare_timeout, Standstill::default());
        let prepared = match said {
            PrepareDecision::Stop => Ok(Some(Preparation::Stop)),
            PrepareDecision::Fail => Ok(Some(Preparation::Fail)),
            PrepareDecision::Proceed => Ok(None),
            PrepareDecision::Wait => {
                let prepared = poll_fn(|cx| match (shared.poll_stop(*attempt, cx), shared.take_prepared()) {
                    (Some(stop), _) => Poll::Ready(Err(Unready::Stop(stop))),
                    (None, Some(prepared)) => Poll::Ready(Ok(Some(prepared))),
                    (None, None) => Poll::Pending,
                });
                within_telling(limit, Instant::now() + limit, Some(&still), prepared)
                    .await
                    .unwrap_or(Err(Unready::Failed(Error::Unprepared(Some(limit)))))
            }
        };
        series.stood_still(still.total());
        // An answer that arrived before counts.
        let late = shared.end_preparing();
        let prepared = match prepared {
            Ok(None) | Err(Unready::Failed(_)) if late.is_some() => late,
            prepared => prepared?,
        };
        match prepared {
            None => Ok(request.clone()),
            Some(Preparation::Proceed(rewrite)) if rewrite == Rewrite::default() => Ok(request.clone()),
            Some(Preparation::Proceed(rewrite)) => request
                .rewritten(rewrite)
                .map(Arc::new)
                .map_err(|error| Unready::Failed(Error::Rewrite(error))),
            Some(Preparation::Fail) => Err(Unready::Failed(Error::Unprepared(None))),
            Some(Preparation::Stop) => Err(Unready::GiveUp),
        }
    }
}

/// The event for a failure. Attempt `attempt` follows after `delay`.
fn reconnecting(end: &SessionEnd, attempt: u32, delay: Duration, unsent: usize) -> Reconnecting {
    let code = end.closed.as_ref().filter(|_| end.error.is_none()).map(|closed| closed.code);
    let text = match (&end.error, &end.closed) {
        (Some(error), _) => error.to_string(),
        (None, Some(Closed { code, reason, .. })) if reason.is_empty() => {
            format!("closed by the peer ({code})")
        }
        (None, Some(Closed { code, reason, .. })) => format!("closed by the peer ({code}): {reason}"),
        (None, None) => String::new(),
    };
    let status = end.error.as_ref().and_then(Error::status);
    Reconnecting { attempt, delay, cause: end.cause(), code, status, text, unsent }
}

/// Lets other tasks of this thread run. That is necessary between the wake of a task and a callback.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::Context;

    use super::super::run;
    use super::*;
    use crate::client::cause::Cause;
    use crate::client::event::Failure;
    use crate::client::handshake::Opened;
    use crate::client::message::Message;
    use crate::client::reconnect::Reconnect;
    use crate::client::request::Options;
    use crate::client::send_queue::SendLimits;
    use crate::protocol::Role;

    const SECOND: Duration = Duration::from_secs(1);

    /// The events of a listener, with their times.
    #[derive(Default)]
    struct Log {
        delays: Vec<(Duration, Cause)>,
        ends: Vec<String>,
        heard: Option<Pin<Box<tokio::time::Sleep>>>,
    }

    /// A listener with its log, its answer to `prepare`, and the time it takes to process events.
    struct Recorder(Arc<std::sync::Mutex<Log>>, PrepareDecision, Duration);

    impl Recorder {
        fn log(&self) -> std::sync::MutexGuard<'_, Log> {
            self.0.lock().expect("no panic")
        }
    }

    impl Listener for Recorder {
        fn opened(&mut self, _opened: &Opened) {}
        fn message(&mut self, _message: Message<'_>) {}

        fn reconnecting(&mut self, reconnecting: &Reconnecting) {
            self.log().delays.push((reconnecting.delay, reconnecting.cause));
        }

        fn poll_caught_up(&mut self, cx: &mut Context<'_>) -> Poll<()> {
            let mut log = self.log();
            let heard = log.heard.get_or_insert_with(|| Box::pin(tokio::time::sleep(self.2)));
            std::task::ready!(heard.as_mut().poll(cx));
            log.heard = None;
            Poll::Ready(())
        }

        fn prepare(&mut self, _reconnecting: &Reconnecting) -> PrepareDecision {
            self.1
        }

        fn failed(&mut self, failure: &Failure) {
            self.log().ends.push(failure.to_string());
        }

        fn closed(&mut self, closed: &Closed) {
            self.log().ends.push(format!("closed {}", closed.code));
        }
    }

    /// Runs a client against a closed port until its end. The clock stops while a task runs.
    async fn refused(reconnect: Reconnect, prepare: PrepareDecision) -> (Log, Duration) {
        refused_slowly(reconnect, prepare, Duration::ZERO).await
    }

    async fn refused_slowly(
        reconnect: Reconnect,
        prepare: PrepareDecision,
        hearing: Duration,
    ) -> (Log, Duration) {
        let log = Arc::default();
        let began = Instant::now();
        client(reconnect, Recorder(Arc::clone(&log), prepare, hearing)).1.await;
        let log = std::mem::take(&mut *log.lock().expect("no panic"));
        (log, began.elapsed())
    }

    /// A client of a closed port, and its life.
    fn client(reconnect: Reconnect, recorder: Recorder) -> (Arc<Shared>, impl Future<Output = ()> + Send) {
        let port =
            std::net::TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
        let shared = Arc::new(Shared::new(1, Role::Client, Box::new(recorder), SendLimits::of_bytes(1_000)));
        let options = Options { reconnect: Some(reconnect), ..Options::default() };
        let request = Request::parse(&format!("ws://{port}/"), options).expect("good");
        let attempt = shared.begin().expect("idle");
        (shared.clone(), run(shared, attempt, Arc::new(request)))
    }

    #[tokio::test(start_paused = true)]
    async fn retries_back_off_until_their_time_is_up() {
        let reconnect = Reconnect {
            delay: SECOND,
            max_delay: 8 * SECOND,
            max_time: Some(600 * SECOND),
            ..Reconnect::default()
        };
        let (log, time) = refused(reconnect, PrepareDecision::Proceed).await;
        assert!((600 * SECOND..601 * SECOND).contains(&time), "{time:?}");
        for (index, (delay, cause)) in log.delays.iter().enumerate() {
            let longest = SECOND * (1 << index.min(3));
            assert!(*delay <= longest && *cause == Cause::Connect, "{index}: {delay:?} {cause:?}");
        }
        // The average is 4 s each.
        assert!((100..250).contains(&log.delays.len()), "{}", log.delays.len());
        assert!(
            matches!(log.ends.as_slice(), [failed] if failed.starts_with("TCP connect")),
            "{:?}",
            log.ends
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_retry_can_be_immediate_and_the_number_is_limited() {
        let reconnect =
            Reconnect { at_once: true, delay: SECOND, max_attempts: Some(3), ..Reconnect::default() };
        let (log, time) = refused(reconnect, PrepareDecision::Proceed).await;
        assert_eq!(log.delays.len(), 3);
        assert_eq!(log.delays[0].0, Duration::ZERO);
        assert!(time < 4 * SECOND, "{time:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn retries_wait_until_the_listener_has_processed_earlier_events() {
        let reconnect = Reconnect {
            at_once: true,
            delay: Duration::from_nanos(1),
            max_attempts: Some(3),
            ..Reconnect::default()
        };
        let (log, time) = refused_slowly(reconnect, PrepareDecision::Proceed, 60 * SECOND).await;
        assert_eq!(log.delays.len(), 3);
        assert!((180 * SECOND..181 * SECOND).contains(&time), "{time:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_prepare_timeout_counts_as_an_attempt() {
        let reconnect = Reconnect {
            at_once: true,
            delay: Duration::from_nanos(1),
            max_attempts: Some(2),
            prepare_timeout: 7 * SECOND,
            ..Reconnect::default()
        };
        let (log, time) = refused(reconnect, PrepareDecision::Wait).await;
        assert_eq!(
            log.delays.iter().map(|(_, cause)| *cause).collect::<Vec<_>>(),
            [Cause::Connect, Cause::Prepare]
        );
        assert!((14 * SECOND..15 * SECOND).contains(&time), "{time:?}");
        assert!(matches!(log.ends.as_slice(), [failed] if failed.contains("7000 ms")), "{:?}", log.ends);
    }

    /// The clock of a stopped process stands still for others, too. When it goes on, the application acts at once.
    #[tokio::test(start_paused = true)]
    async fn a_freeze_that_the_application_ends_does_not_count_for_the_series() {
        let until = async |mut reached: Box<dyn FnMut() -> bool>| {
            while !reached() {
                tokio::task::yield_now().await;
            }
        };
        for prepare in [PrepareDecision::Proceed, PrepareDecision::Wait] {
            let reconnect = Reconnect { max_time: Some(60 * SECOND), ..Reconnect::default() };
            let log = Arc::<std::sync::Mutex<Log>>::default();
            let (shared, life) = client(reconnect, Recorder(log.clone(), prepare, Duration::ZERO));
            let life = tokio::spawn(life);
            let waiting = shared.clone();
            until(Box::new(move || waiting.retry_now())).await;
            if prepare == PrepareDecision::Wait {
                until(Box::new(move || shared.prepare(1, Preparation::Proceed(Rewrite::default())))).await;
            }
            tokio::time::advance(100 * SECOND).await;
            let seen = log.clone();
            until(Box::new(move || seen.lock().is_ok_and(|log| log.delays.len() + log.ends.len() > 1))).await;
            assert_eq!(log.lock().expect("no panic").ends, Vec::<String>::new(), "{prepare:?}");
            life.abort();
        }
    }
}
