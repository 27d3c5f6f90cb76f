//! Accepts clients and does their opening handshakes, a bounded number at a time.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, sleep, timeout};

use super::admission::Slot;
use super::connection::ConnectionInfo;
use super::listener::{Acceptance, Answer, Given, Verdict};
use super::place::Remote;
use super::shared::{Arrival, Ready, Shared};
use super::upgrade::{Agreement, REQUEST_HEAD_BYTES_MAX, Refusal, UpgradeRequest};
use crate::client::{Socket, Stream, Tcp, accept_tls, within};
use crate::protocol::ReadBuffer;
use crate::{logging, runtime};

/// How long the acceptor waits after the system failed to accept a client.
const PAUSE: Duration = Duration::from_millis(100);
/// Clients accepted before the acceptor yields.
const CLIENTS_IN_TURN: u32 = 16;
/// How long a refused client may take to read the refusal.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);
/// Bytes of a request to read at once.
const READ_STEP_BYTES: usize = 1_024;

/// The reason why a client got no connection.
enum Fault {
    Tls(io::Error),
    Io(io::Error),
    /// It ended the connection before its request was complete.
    Eof,
    Refused(Refusal),
    /// The owner dropped the request without an answer.
    Unanswered,
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Accepts clients until the server stops.
pub(super) async fn accept(server: Arc<Shared>) {
    let (mut in_turn, mut can_accept) = (0, true);
    loop {
        let next = async {
            // Clients wait in the kernel until there is a permit, and the owner has room for their events.
            let permit = server.handshakes.clone().acquire_owned().await.ok();
            poll_fn(|cx| server.listener.poll_ready(cx)).await;
            (permit, poll_fn(|cx| server.poll_accept(cx)).await)
        };
        let (permit, accepted) = tokio::select! {
            biased;
            () = server.stopped() => break,
            next = next => next,
        };
        match (permit, accepted) {
            (Some(permit), Ok((stream, remote))) => {
                can_accept = true;
                admit(&server, stream, remote, permit);
                in_turn = (in_turn + 1) % CLIENTS_IN_TURN;
                if in_turn == 0 {
                    end_turn().await;
                }
            }
            // The client disconnected before it was accepted.
            (_, Err(cause)) if is_of_client(&cause) => {}
            (_, Err(cause)) => {
                if std::mem::take(&mut can_accept) {
                    logging::warn(format_args!("cannot accept clients: {cause}"));
                    server.listener.cannot_accept(&cause);
                }
                tokio::select! {
                    biased;
                    () = server.stopped() => break,
                    () = sleep(PAUSE) => {}
                }
            }
            // This semaphore is never closed.
            (None, Ok(_)) => break,
        }
    }
    server.release();
}

fn is_of_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

/// Begins the handshake of a client, or refuses it.
fn admit(server: &Arc<Shared>, stream: TcpStream, remote: Remote, permit: OwnedSemaphorePermit) {
    match server.admission.admit(remote.ip(), Instant::now()) {
        Err(why) => {
            drop(stream);
            server.count_kept_out();
            logging::info(format_args!("client refused: {why}"));
            server.listener.kept_out(remote, why);
        }
        Ok(slot) => {
            let arrival = Arrival::new(server);
            let begun = runtime::spawn(welcome(arrival, stream, remote, (slot, permit)));
            if let Err(cause) = begun {
                logging::warn(format_args!("client refused: {cause}"));
            }
        }
    }
}

/// Runs the handshake of a client and starts its session. A stop ends it, unless the client already has its answer.
async fn welcome(
    arrival: Arrival,
    stream: TcpStream,
    remote: Remote,
    (slot, permit): (Slot, OwnedSemaphorePermit),
) {
    let server = &arrival.server;
    let (limit, given) = (server.options.handshake_timeout, Given::default());
    let handshake =
        within(limit, Instant::now() + limit, Box::pin(handshake(server, stream, remote, given.clone())));
    let cut = async {
        server.stopped().await;
        if given.is_so() {
            server.hurried().await;
        }
    };
    let outcome = tokio::select! {
        biased;
        () = cut => {
            server.count_not_opened();
            return;
        }
        outcome = handshake => outcome,
    };
    drop(permit);
    if !matches!(outcome, Some(Ok(_))) {
        server.count_not_opened();
    }
    match outcome {
        Some(Ok(ready)) => server.open(ready, slot),
        Some(Err(Fault::Tls(cause))) => {
            logging::info(format_args!("no connection: the TLS handshake failed: {cause}"));
        }
        Some(Err(Fault::Io(cause))) => logging::info(format_args!("no connection: {cause}")),
        Some(Err(Fault::Eof)) => logging::info(format_args!("no connection: the client sent no request")),
        Some(Err(Fault::Refused(refusal))) => {
            logging::info(format_args!("no connection: refused by HTTP {}", refusal.status));
        }
        Some(Err(Fault::Unanswered)) => {
            logging::warn(format_args!("no connection: the application gave no answer"));
        }
        None => {
            let limit = limit.as_millis();
            logging::info(format_args!("no connection: the handshake took longer than {limit} ms"));
        }
    }
}

async fn handshake(server: &Shared, stream: TcpStream, remote: Remote, given: Given) -> Result<Ready, Fault> {
    let tcp = Tcp::accepted(stream);
    if let Remote::Address(_) = remote {
        tcp.set_nodelay()?;
    }
    let socket = Socket::accepted(tcp);
    let mut stream = match &server.tls {
        None => Stream::Plain(socket),
        Some(config) => Stream::Tls(accept_tls(socket, config.clone()).await.map_err(Fault::Tls)?),
    };
    match upgrade(server, &mut stream, remote, given).await {
        Ok((request, agreement, received)) => {
            let info = ConnectionInfo {
                id: server.next_id(),
                remote,
                target: request.target.as_str().into(),
                protocol: agreement.protocol.map(Into::into),
            };
            let Agreement { extensions, deflate, protocol: _ } = agreement;
            Ok(Ready { stream, received, deflate, extensions, info })
        }
        Err(fault) => {
            if let Fault::Refused(refusal) = &fault {
                // The body need not be read.
                let _ = timeout(REFUSAL_TIMEOUT, refuse(&mut stream, refusal)).await;
            }
            Err(fault)
        }
    }
}

/// Reads the request. Accepts it if it is valid and the owner accepts the client.
async fn upgrade(
    server: &Shared,
    stream: &mut Stream,
    remote: Remote,
    given: Given,
) -> Result<(Arc<UpgradeRequest>, Agreement, ReadBuffer), Fault> {
    let (request, received) = read_request(stream).await?;
    let request = Arc::new(request);
    let (answer, verdict) = Answer::new(given);
    server.listener.requested(remote, &request, answer);
    let Acceptance { headers, protocol } = match verdict.await {
        Ok(Verdict::Accept(acceptance)) => acceptance,
        Ok(Verdict::Refuse(refusal)) => return Err(Fault::Refused(refusal)),
        Err(_) => return Err(Fault::Unanswered),
    };
    let options = &server.options;
    let mut agreement = request.agree(&options.protocols, options.session.per_message_deflate.as_ref());
    if protocol.is_some() {
        agreement.protocol = protocol;
    }
    stream.write_all(&request.format_answer(&agreement, &headers)).await?;
    stream.flush().await?;
    Ok((request, agreement, received))
}

async fn read_request(stream: &mut Stream) -> Result<(UpgradeRequest, ReadBuffer), Fault> {
    let mut head = Vec::new();
    loop {
        let before = head.len();
        head.reserve(READ_STEP_BYTES);
        match stream.read_buf(&mut head).await {
            // TLS reports an end without close_notify as a separate error.
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(Fault::Io(error)),
            Err(_) | Ok(0) => return Err(Fault::Eof),
            Ok(_) => {}
        }
        // A head that arrives byte by byte is parsed less often.
        let may_be_whole = head[before..].contains(&b'\n') || head.len() >= REQUEST_HEAD_BYTES_MAX;
        if before > 0 && !may_be_whole {
            continue;
        }
        if let Some((request, length)) = UpgradeRequest::parse(&head).map_err(Fault::Refused)? {
            let mut received = ReadBuffer::default();
            received.extend(&head[length..]);
            return Ok((request, received));
        }
    }
}

/// Sends the refusal, and waits until the client has ended its side. Otherwise unread data would make the kernel discard the
/// refusal.
async fn refuse(stream: &mut Stream, refusal: &Refusal) -> io::Result<()> {
    stream.write_all(&refusal.format()).await?;
    stream.shutdown().await?;
    let mut discarded = Vec::with_capacity(READ_STEP_BYTES);
    while stream.socket().read_buf(&mut discarded).await? > 0 {
        discarded.clear();
    }
    Ok(())
}

/// Yields to other tasks.
async fn end_turn() {
    let mut ended = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut ended, true) {
            return Poll::Ready(());
        }
        runtime::end_turn(cx);
        Poll::Pending
    })
    .await;
}
