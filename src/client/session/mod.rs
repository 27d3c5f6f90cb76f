//! The session: one task for a client's connection and for those that replace it. It makes the connections, has their
//! frames read and written, and notifies the listener.
//!
//! Owns the socket and the timers. Takes commands from [`Shared`], never directly from a caller.

mod accepted;
mod ack_progress;
mod budget;
mod compress;
mod connection;
mod deadlines;
mod end;
mod events;
mod leaving;
mod lending;
mod notify;
mod outgoing;
mod pinger;
mod reader;
mod receive;
mod report;
mod retry;
mod timer;
mod writer;

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use futures_util::FutureExt;
use tokio::time::Instant;

pub(crate) use self::accepted::Accepted;

pub(super) use self::accepted::start_accepted;

use self::connection::{Session, Terms};
use self::end::SessionEnd;
use self::notify::notify;
use self::report::{notify_end, unless_it_panics};
use self::retry::{Next, Reachability, Retry};
use super::destination::UrlError;
use super::dial::{self, AttemptProgress, Established};
use super::error::Error;
use super::event::{Listener, Reconnected, Times};
use super::handshake::KeptAnswer;
use super::moment::Span;
use super::reconnect::Series;
use super::request::Request;
use super::shared::{Shared, Stop};
use super::transport::{self, Endpoints, Subscription};
use crate::logging;
use crate::protocol::Negotiated;
use crate::runtime;

/// Begins attempt `attempt` of a client.
pub(super) fn start(process: &'static runtime::Process, shared: Arc<Shared>, attempt: u64, request: Request) {
    process.spawn(run(shared, attempt, Arc::new(request)));
}

/// Begins attempt `attempt` of a client. It fails with `fault`.
pub(super) fn start_in_vain(
    process: &'static runtime::Process,
    shared: Arc<Shared>,
    attempt: u64,
    fault: UrlError,
) {
    process.spawn(async move {
        let mut listener = poll_fn(|cx| shared.poll_listener(attempt, cx)).await;
        let _ = notify_end(&shared, attempt, &mut *listener, SessionEnd::of_error(Error::Url(fault)));
    });
}

/// Makes connections, one after another, until no retry follows.
#[expect(clippy::manual_async_fn, reason = "an async function would hold its arguments twice")]
fn run(shared: Arc<Shared>, attempt: u64, mut request: Arc<Request>) -> impl Future<Output = ()> + Send {
    async move {
        let mut listener = poll_fn(|cx| shared.poll_listener(attempt, cx)).await;
        let close_timeout = Span::from(request.session.close_timeout);
        let mut lasting = Lasting::of(&shared, &request);
        let mut end = loop {
            let regained = lasting.as_deref().and_then(Lasting::regained);
            let this = Attempt { shared: &shared, number: attempt, request, regained };
            let opened = AtomicBool::new(false);
            let end = this.run(&mut *listener, &opened).await;
            let Some(lasting) = &mut lasting else { break end };
            match lasting.next(&shared, attempt, &mut *listener, end).await {
                Ok(next) => request = next,
                Err(end) => break end,
            }
        };
        end.was_open |= lasting.is_some_and(|lasting| lasting.lost_at.is_some());
        if let Some(writer) = notify_end(&shared, attempt, &mut *listener, *end) {
            // From here on the client may begin its next connection.
            drop(listener);
            writer.finish_within(close_timeout.into(), &shared.counters).await;
        }
    }
}

/// What a client that reconnects keeps over its connections.
struct Lasting {
    series: Series,
    /// The time when the last open connection was lost.
    lost_at: Option<Instant>,
    /// Its two ends.
    endpoints: Option<Box<Endpoints>>,
    network: Option<Subscription>,
    /// The request of the last attempt.
    request: Arc<Request>,
}

impl Lasting {
    /// `None` if no connection follows the first one.
    fn of(shared: &Arc<Shared>, request: &Arc<Request>) -> Option<Box<Self>> {
        let template = request.reconnect.as_ref()?;
        Some(Box::new(Self {
            series: Series::new(template.policy.clone()),
            lost_at: None,
            endpoints: None,
            network: request.watches_network().then(|| transport::subscribe(shared.clone())),
            request: request.clone(),
        }))
    }

    /// When the last open connection was lost, and the number of attempts since.
    fn regained(&self) -> Option<(Instant, u32)> {
        Some((self.lost_at?, self.series.attempts()))
    }

    /// The request of the next attempt, when it is due. The future is boxed, because it is needed between connections only.
    fn next<'a>(
        &'a mut self,
        shared: &'a Arc<Shared>,
        attempt: u64,
        listener: &'a mut dyn Listener,
        mut end: Box<SessionEnd>,
    ) -> Pin<Box<impl Future<Output = Result<Arc<Request>, Box<SessionEnd>>> + Send>> {
        Box::pin(async move {
            let Self { series, lost_at, endpoints, network, request } = self;
            series.stood_still(end.stood_still);
            if end.was_open {
                series.was_open(end.times.elapsed);
                *lost_at = Some(Instant::now());
                *endpoints = end.endpoints.take();
            }
            let last = endpoints.as_deref().copied();
            let reachability =
                network.as_ref().map(|subscription| Reachability { subscription, endpoints: last });
            let retry = Retry { shared, attempt, series, request: request.clone(), reachability };
            let Next { request: next, same_endpoint } = retry.next(listener, end).await?;
            if !same_endpoint {
                *endpoints = None;
                series.moved();
            }
            request.clone_from(&next);
            Ok(next)
        })
    }
}

/// One attempt of a client.
struct Attempt<'a> {
    shared: &'a Shared,
    number: u64,
    request: Arc<Request>,
    /// Set when the connection replaces a lost one: the time of the loss, and the number of attempts.
    regained: Option<(Instant, u32)>,
}

impl<'a> Attempt<'a> {
    /// Makes the connection and runs it to its end. It is not `async`, because an async function would hold its
    /// arguments as long.
    fn run<'l>(
        self,
        listener: &'l mut dyn Listener,
        was_opened: &'l AtomicBool,
    ) -> impl Future<Output = Box<SessionEnd>>
    where
        'a: 'l,
    {
        let (shared, began) = (self.shared, Instant::now());
        // Boxed, so that the memory of connecting is not kept for the life of the connection.
        let connecting = Box::pin(self.connect(listener, was_opened));
        let driven = async {
            match connecting.await {
                Ok(session) => session.run().await,
                Err(end) => end,
            }
        };
        unless_it_panics(shared, was_opened, driven).map(move |mut end| {
            if !end.was_open {
                end.times.elapsed = began.elapsed();
            }
            end
        })
    }

    /// Makes the connection and reports that it is open.
    async fn connect<'l>(
        self,
        listener: &'l mut dyn Listener,
        was_opened: &AtomicBool,
    ) -> Result<Box<Session<'l>>, Box<SessionEnd>>
    where
        'a: 'l,
    {
        let Self { shared, number, request, regained } = self;
        let progress = AttemptProgress::new();
        logging::info(format_args!("{} connecting to {}", shared.tag(), request.destination));
        let stopped = poll_fn(|cx| match shared.poll_stop(number, cx) {
            Some(stop) => Poll::Ready(stop),
            None => Poll::Pending,
        });
        let outcome = tokio::select! {
            biased;
            stop = stopped => Err(stop),
            outcome = dial::establish(&request, &progress) => Ok(outcome),
        };
        let failed = |error| {
            let times = Times { last_activity: progress.last_activity(), ..Times::default() };
            SessionEnd { times, stood_still: progress.stood_still(), ..SessionEnd::of_error(error) }
        };
        let opened = match outcome {
            Ok(Ok(established)) => {
                let compress_from = established.deflate.as_ref().map(Negotiated::threshold);
                let Established { stream, opened, deflate, received } = established;
                shared
                    .open(number, KeptAnswer::of(&opened), compress_from)
                    .map(|()| (stream, opened, deflate, received))
            }
            Ok(Err(error)) => return Err(Box::new(failed(error))),
            Err(stop) => Err(stop),
        };
        let (stream, opened, deflate, received) = match opened {
            Ok(established) => established,
            Err(Stop::Abandoned(dropped)) => {
                let error = Error::Abandoned { target: request.endpoint(), phase: progress.phase() };
                return Err(Box::new(SessionEnd { dropped, ..failed(error) }));
            }
            Err(Stop::Close(close)) => return Err(Box::new(SessionEnd::of_close(close, Times::default()))),
        };
        was_opened.store(true, Ordering::Relaxed);
        logging::info(format_args!("{} open at {}", shared.tag(), request.destination));
        notify(shared, listener, |listener| listener.opened(&opened));
        if let Some((lost_at, attempts)) = regained {
            let reconnected = Reconnected { attempts, downtime: lost_at.elapsed() };
            notify(shared, listener, |listener| listener.reconnected(&reconnected));
        }
        let terms = Terms {
            options: &request.session,
            keeps_queue: request.reconnect.as_ref().is_some_and(|template| template.policy.keep_queue),
            watches_network: request.watches_network(),
        };
        Ok(Box::new(Session::new(shared, listener, (stream, received), deflate, &terms)))
    }
}
