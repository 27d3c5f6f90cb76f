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
use super::reconnect::Series;
use super::request::Request;
use super::shared::{ListenerTurn, Shared, Stop};
use super::transport;
use crate::logging;
use crate::protocol::Negotiated;
use crate::runtime;

/// Begins attempt `attempt` of a client.
pub(super) fn start(
    process: &'static runtime::Process,
    shared: Arc<Shared>,
    attempt: u64,
    turn: ListenerTurn,
    request: Request,
) {
    process.spawn(run(shared, attempt, turn, Arc::new(request)));
}

/// Begins attempt `attempt` of a client. It fails with `fault`.
pub(super) fn start_in_vain(
    process: &'static runtime::Process,
    shared: Arc<Shared>,
    attempt: u64,
    turn: ListenerTurn,
    fault: UrlError,
) {
    process.spawn(async move {
        let mut listener = turn.await;
        let _ = notify_end(&shared, attempt, &mut **listener, SessionEnd::of_error(Error::Url(fault)));
    });
}

/// Makes connections, one after another, until no retry follows. The request is shared, because the future would hold
/// it, several times, as long as the connection lives.
async fn run(shared: Arc<Shared>, attempt: u64, turn: ListenerTurn, mut request: Arc<Request>) {
    let mut listener = turn.await;
    let close_timeout = request.session.close_timeout;
    let mut series =
        request.reconnect.as_ref().map(|template| Box::new(Series::new(template.policy.clone())));
    // The time when the last open connection was lost, and its two ends.
    let (mut lost_at, mut endpoints) = (None, None);
    let network = request.watches_network().then(|| transport::subscribe(shared.clone()));
    let mut end = loop {
        // The request is kept for a later attempt only.
        let (given, kept) = match &series {
            Some(_) => (request.clone(), Some(request)),
            None => (request, None),
        };
        let regained = lost_at.zip(series.as_deref().map(Series::attempts));
        let this = Attempt { shared: &shared, number: attempt, request: given, regained };
        let opened = AtomicBool::new(false);
        let mut end = this.run(&mut **listener, &opened).await;
        let (Some(series), Some(kept)) = (&mut series, kept) else { break end };
        series.stood_still(end.stood_still);
        if end.was_open {
            series.was_open(end.times.elapsed);
            lost_at = Some(Instant::now());
            endpoints = end.endpoints.take();
        }
        let last = endpoints.as_deref().copied();
        let reachability =
            network.as_ref().map(|subscription| Reachability { subscription, endpoints: last });
        let retry = Retry { shared: &shared, attempt, series, request: kept, reachability };
        // Boxed for the same reason as connecting.
        match Box::pin(retry.next(&mut **listener, end)).await {
            Ok(Next { request: next, same_endpoint }) => {
                request = next;
                if !same_endpoint {
                    endpoints = None;
                    series.moved();
                }
            }
            Err(end) => break end,
        }
    };
    end.was_open |= lost_at.is_some();
    if let Some(writer) = notify_end(&shared, attempt, &mut **listener, *end) {
        // From here on the client may begin its next connection.
        drop(listener);
        writer.finish_within(close_timeout, &shared.counters).await;
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
