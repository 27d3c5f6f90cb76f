//! The client's state, between the application's threads and the session.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use loom::future::block_on;
use loom::sync::Notify;
use loom::thread::{self, JoinHandle};

use super::event::{Closed, Failure, Listener, Outcome, Receipt};
use super::handshake::Opened;
use super::message::Message;
use super::request::Preparation;
use super::send_queue::{SendError, SendLimits};
use super::session::Session;
use super::shared::{CloseStart, Command, Shared};
use super::state::State;
use super::transport::{Notified, Sink};
use crate::Model;
use crate::protocol::{MessageType, Role, encoded_frames};

pub const MODELS: &[Model] = &[
    Model {
        name: "client::what_is_accepted_before_a_close_is_sent",
        switches: Some(4),
        run: sent_before_close,
    },
    Model { name: "client::what_is_accepted_is_sent_or_told_as_unsent", switches: Some(4), run: accounted },
    Model { name: "client::a_cancelled_attempt_opens_never_and_ends_once", switches: None, run: cancelled },
    Model { name: "client::a_cancelled_attempt_that_fails_ends_once", switches: None, run: failed },
    Model { name: "client::attempts_are_told_one_after_the_other", switches: None, run: attempts_in_turn },
    Model { name: "client::a_sleeping_session_is_woken_by_a_message", switches: None, run: woken_by_message },
    Model { name: "client::a_session_that_writes_misses_no_message", switches: None, run: misses_no_message },
    Model { name: "client::a_session_that_writes_misses_no_request", switches: None, run: misses_no_request },
    Model { name: "client::a_sleeping_session_is_woken_by_a_ping", switches: None, run: woken_by_ping },
    Model { name: "client::a_sleeping_session_is_woken_by_a_close", switches: None, run: woken_by_close },
    Model {
        name: "client::a_sleeping_session_is_woken_by_the_network",
        switches: None,
        run: woken_by_network,
    },
    Model { name: "client::a_sleeping_session_is_woken_by_the_end", switches: None, run: woken_by_end },
    Model { name: "client::a_connecting_session_is_woken_by_a_close", switches: None, run: connecting_woken },
    Model { name: "client::a_retry_is_woken_by_the_application", switches: None, run: retry_woken },
    Model { name: "client::a_prepared_retry_is_woken_by_the_answer", switches: Some(4), run: prepared },
    Model { name: "client::no_connection_follows_a_close", switches: None, run: closed_or_reconnected },
    Model { name: "client::a_full_queue_tells_when_it_has_drained", switches: Some(4), run: drained },
    Model { name: "client::callers_and_the_session_write_in_turns", switches: Some(4), run: lent },
    Model {
        name: "client::a_payload_is_given_back_once_and_under_no_lock",
        switches: Some(3),
        run: given_back,
    },
    Model { name: "client::an_open_connection_is_counted", switches: None, run: counted },
    Model { name: "client::nothing_begins_to_be_told_after_the_end", switches: None, run: silent },
];

/// The events of a listener, in order.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Opened,
    Sent(Receipt),
    Unsent(Receipt),
    Failed(usize),
    Closed(u16, usize),
}

/// Not loom's: what the model knows adds no orders.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Told>>>);

impl Log {
    fn add(&self, told: Told) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(told);
    }

    fn take(&self) -> Vec<Told> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Recorder(Log, Arc<Notify>);

impl Listener for Recorder {
    fn opened(&mut self, _opened: &Opened) {
        self.0.add(Told::Opened);
    }

    fn message(&mut self, _message: Message<'_>) {}

    fn sent(&mut self, receipt: Receipt, outcome: Outcome) {
        self.0.add(match outcome {
            Outcome::Sent => Told::Sent(receipt),
            Outcome::Unsent => Told::Unsent(receipt),
        });
    }

    fn drained(&mut self) {
        self.1.notify();
    }

    fn failed(&mut self, failure: &Failure) {
        self.0.add(Told::Failed(failure.unsent));
    }

    fn closed(&mut self, closed: &Closed) {
        self.0.add(Told::Closed(closed.code, closed.unsent));
    }
}

fn client() -> (Arc<Shared>, Log) {
    let log = Log::default();
    let recorder = Recorder(log.clone(), Arc::new(Notify::new()));
    (Arc::new(Shared::new(1, Role::Client, Box::new(recorder), SendLimits::of_bytes(1_000))), log)
}

/// Runs a session of the client's next attempt on its own thread.
fn session(shared: &Arc<Shared>, run: impl AsyncFnOnce(Session) + 'static) -> JoinHandle<()> {
    let attempt = shared.begin().expect("no attempt");
    attempt_of(shared, attempt, run)
}

fn attempt_of(
    shared: &Arc<Shared>,
    attempt: u64,
    run: impl AsyncFnOnce(Session) + 'static,
) -> JoinHandle<()> {
    let shared = shared.clone();
    thread::spawn(move || {
        block_on(async move {
            if let Some(session) = Session::open(shared, attempt).await {
                run(session).await;
            }
        });
    })
}

fn send(shared: &Shared, receipt: Receipt) -> Result<(), SendError> {
    shared.send(MessageType::Text, b"a", Some(receipt))
}

/// The application closes an open connection. Accepted messages are sent before the close frame, later ones are refused.
fn sent_before_close() {
    let (shared, log) = client();
    let session = session(&shared, async |mut session| {
        while !matches!(session.next().await, Command::Close(_)) {}
        session.end(Some(1000));
    });
    let sender = thread::spawn({
        let shared = shared.clone();
        move || send(&shared, 1).is_ok()
    });
    let started = shared.close(Some(1000), "");
    let accepted = sender.join().expect("no panic");
    session.join().expect("no panic");
    let told = log.take();
    match started.expect("an attempt") {
        // Never open: the message goes with the attempt, or waits for the next one.
        CloseStart::Cancelled => assert!(accepted && !told.contains(&Told::Opened), "{told:?}"),
        CloseStart::Handshake if accepted => {
            assert_eq!(told, [Told::Opened, Told::Sent(1), Told::Closed(1000, 0)]);
        }
        CloseStart::Handshake => assert_eq!(told, [Told::Opened, Told::Closed(1000, 0)]),
    }
}

/// The peer closes at any moment.
fn accounted() {
    let (shared, log) = client();
    let session = session(&shared, async |mut session| {
        session.take().await;
        session.write();
        session.take().await;
        session.closed_by_peer();
    });
    let sender = thread::spawn({
        let shared = shared.clone();
        move || usize::from(send(&shared, 1).is_ok()) + usize::from(send(&shared, 2).is_ok())
    });
    let accepted = usize::from(send(&shared, 3).is_ok()) + sender.join().expect("no panic");
    session.join().expect("no panic");
    let told = log.take();
    let count = |wanted: fn(&Told) -> bool| told.iter().filter(|told| wanted(told)).count();
    let sent = count(|told| matches!(told, Told::Sent(_)));
    let unsent = count(|told| matches!(told, Told::Unsent(_)));
    assert_eq!(accepted, sent + unsent, "{told:?}");
    assert_eq!(told.last(), Some(&Told::Closed(1000, unsent)), "{told:?}");
    assert_eq!((shared.buffered(), shared.state()), (0, State::Closed));
}

/// The application closes while the connection is made.
fn cancelled() {
    let (shared, log) = client();
    send(&shared, 1).expect("before the first attempt");
    let session = session(&shared, async |mut session| {
        while !matches!(session.next().await, Command::Close(_)) {}
        session.end(Some(1000));
    });
    let started = shared.close(Some(1000), "").expect("an attempt");
    let state = shared.state();
    session.join().expect("no panic");
    match started {
        CloseStart::Cancelled => {
            assert_eq!(state, State::Idle);
            assert_eq!(log.take(), [Told::Unsent(1), Told::Failed(1)]);
            assert_eq!((shared.buffered(), shared.state()), (0, State::Idle));
        }
        CloseStart::Handshake => {
            assert_eq!(log.take(), [Told::Opened, Told::Sent(1), Told::Closed(1000, 0)]);
            assert_eq!((shared.buffered(), shared.state()), (0, State::Closed));
        }
    }
}

/// The attempt fails while the application cancels it.
fn failed() {
    let (shared, log) = client();
    send(&shared, 1).expect("before the first attempt");
    let attempt = shared.begin().expect("idle");
    let session = thread::spawn({
        let shared = shared.clone();
        move || block_on(Session::fail(shared, attempt))
    });
    let started = shared.close(Some(1000), "").expect("an attempt");
    session.join().expect("no panic");
    assert_eq!(log.take(), [Told::Unsent(1), Told::Failed(1)]);
    match started {
        CloseStart::Cancelled => assert_eq!(shared.state(), State::Idle),
        CloseStart::Handshake => assert_eq!(shared.state(), State::Closed),
    }
}

/// An attempt is cancelled, and another starts before the first has ended.
fn attempts_in_turn() {
    let (shared, log) = client();
    let attempt = shared.begin().expect("idle");
    send(&shared, 1).expect("connecting");
    assert!(matches!(shared.close(Some(1000), ""), Ok(CloseStart::Cancelled)));
    let next = shared.begin().expect("idle again");
    send(&shared, 2).expect("connecting");
    let second = attempt_of(&shared, next, async |mut session| {
        session.take().await;
        session.write();
        session.closed_by_peer();
    });
    let first = attempt_of(&shared, attempt, async |_| unreachable!("it was cancelled"));
    first.join().expect("no panic");
    second.join().expect("no panic");
    assert_eq!(
        log.take(),
        [Told::Unsent(1), Told::Failed(1), Told::Opened, Told::Sent(2), Told::Closed(1000, 0)]
    );
}

/// A session that is open does nothing until `wake` has it woken, and then ends.
fn woken(wake: impl FnOnce(&Shared), is_woken_by: fn(&Command) -> bool) -> Vec<Told> {
    let (shared, log) = client();
    let attempt = shared.begin().expect("idle");
    let session = block_on(Session::open(shared.clone(), attempt)).expect("nobody stops it");
    let session = thread::spawn(move || {
        let mut session = session;
        let command = block_on(session.next());
        assert!(is_woken_by(&command));
        session.end(Some(1000));
    });
    wake(&shared);
    session.join().expect("no panic");
    log.take()
}

fn woken_by_message() {
    // A writing session continues to sleep, so an ending follows the message.
    let (shared, log) = client();
    let attempt = shared.begin().expect("idle");
    let mut session = block_on(Session::open(shared.clone(), attempt)).expect("nobody stops it");
    let session = thread::spawn(move || {
        block_on(session.written());
        session.end(Some(1000));
    });
    send(&shared, 1).expect("open");
    session.join().expect("no panic");
    assert_eq!(log.take(), [Told::Opened, Told::Sent(1), Told::Closed(1000, 0)]);
}

/// A session has one look for all that comes while it writes, before it sleeps.
fn misses_no_message() {
    let (shared, log) = client();
    let attempt = shared.begin().expect("idle");
    let mut session = block_on(Session::open(shared.clone(), attempt)).expect("nobody stops it");
    let session = thread::spawn(move || {
        block_on(session.writes(2));
        session.end(Some(1000));
    });
    send(&shared, 1).expect("open");
    send(&shared, 2).expect("open");
    session.join().expect("no panic");
    assert_eq!(log.take(), [Told::Opened, Told::Sent(1), Told::Sent(2), Told::Closed(1000, 0)]);
}

fn misses_no_request() {
    let (shared, log) = client();
    let attempt = shared.begin().expect("idle");
    send(&shared, 1).expect("connecting");
    let mut session = block_on(Session::open(shared.clone(), attempt)).expect("nobody stops it");
    let session = thread::spawn(move || {
        assert!(matches!(block_on(session.next()), Command::Close(_)));
        session.end(Some(1000));
    });
    assert_eq!(shared.close(Some(1000), ""), Ok(CloseStart::Handshake));
    session.join().expect("no panic");
    assert_eq!(log.take(), [Told::Opened, Told::Sent(1), Told::Closed(1000, 0)]);
}

fn woken_by_ping() {
    woken(|shared| shared.ping(b"a").expect("open"), |command| matches!(command, Command::Ping(_)));
}

fn woken_by_close() {
    woken(
        |shared| assert_eq!(shared.close(Some(1000), ""), Ok(CloseStart::Handshake)),
        |command| matches!(command, Command::Close(_)),
    );
}

fn woken_by_network() {
    woken(Notified::network_changed, |command| matches!(command, Command::NetworkChanged));
}

fn woken_by_end() {
    // Dropping the client closes without an event.
    let told = woken(Shared::detach, |command| matches!(command, Command::Close(_)));
    assert_eq!(told, [Told::Opened]);
}

fn connecting_woken() {
    let (shared, log) = client();
    let attempt = shared.begin().expect("idle");
    let dialling = thread::spawn({
        let shared = shared.clone();
        move || {
            // A dial that never ends.
            let stop =
                block_on(poll_fn(|cx| shared.poll_stop(attempt, cx).map_or(Poll::Pending, Poll::Ready)));
            block_on(Session::stopped_by(shared, attempt, stop));
        }
    });
    assert_eq!(shared.close(Some(1000), ""), Ok(CloseStart::Cancelled));
    dialling.join().expect("no panic");
    assert_eq!(log.take(), [Told::Failed(0)]);
}

/// The application requests the next attempt as soon as one is pending.
fn retry_woken() {
    let (shared, log) = client();
    send(&shared, 1).expect("before the first attempt");
    let attempt = shared.begin().expect("idle");
    let mut session = block_on(Session::open(shared.clone(), attempt)).expect("nobody stops it");
    let session = thread::spawn(move || {
        block_on(async {
            session.take().await;
            let mut session = session.reconnect(true).await.expect("nobody stops it");
            session.take().await;
            session.write();
            session.closed_by_peer();
        });
    });
    while !shared.retry_now() {
        thread::yield_now();
    }
    session.join().expect("no panic");
    assert_eq!(log.take(), [Told::Opened, Told::Opened, Told::Sent(1), Told::Closed(1000, 0)]);
}

/// Two answers come to one question: one of them is taken, and the session gets that one.
fn prepared() {
    let (shared, _) = client();
    let attempt = shared.begin().expect("idle");
    shared.await_prepared(7);
    let answer = |number: u32| {
        let shared = shared.clone();
        move || {
            assert!(!shared.prepare(6, Preparation(6)), "nobody asks for that");
            shared.prepare(7, Preparation(number)).then_some(number)
        }
    };
    let other = thread::spawn(answer(1));
    let session = thread::spawn({
        let shared = shared.clone();
        move || {
            let got = block_on(poll_fn(|cx| match (shared.poll_stop(attempt, cx), shared.take_prepared()) {
                (Some(_), _) => unreachable!("nobody stops it"),
                (None, Some(prepared)) => Poll::Ready(prepared),
                (None, None) => Poll::Pending,
            }));
            assert_eq!(shared.end_preparing(), None);
            got
        }
    });
    let taken = [answer(2)(), other.join().expect("no panic")];
    let Preparation(got) = session.join().expect("no panic");
    assert_eq!(taken.into_iter().flatten().collect::<Vec<_>>(), [got]);
}

/// The connection is lost while the application closes. It ends once, with one event.
fn closed_or_reconnected() {
    let (shared, log) = client();
    let attempt = shared.begin().expect("idle");
    let session = block_on(Session::open(shared.clone(), attempt)).expect("nobody stops it");
    let session = thread::spawn(move || {
        block_on(async {
            if let Some(mut session) = session.reconnect(true).await {
                while !matches!(session.next().await, Command::Close(_)) {}
                session.end(Some(1000));
            }
        });
    });
    shared.retry_now();
    assert_eq!(shared.close(Some(1000), ""), Ok(CloseStart::Handshake));
    session.join().expect("no panic");
    let told = log.take();
    let ends = told.iter().filter(|told| matches!(told, Told::Failed(_) | Told::Closed(..))).count();
    assert_eq!((ends, shared.state()), (1, State::Closed), "{told:?}");
    assert!(matches!(told.last(), Some(Told::Failed(_) | Told::Closed(..))), "{told:?}");
}

/// A message is refused since the queue is full: then there is an event when it has drained.
fn drained() {
    let log = Log::default();
    let has_drained = Arc::new(Notify::new());
    let shared = Arc::new(Shared::new(1, Role::Client, Box::new(Recorder(log.clone(), has_drained.clone())), SendLimits::of_bytes(1_000)));
    let session = session(&shared, async |mut session| {
        while !matches!(session.next().await, Command::Close(_)) {}
        session.end(Some(1000));
    });
    send(&shared, 1).expect("the queue is empty");
    // It fits once the first is gone, which is too short to count as much.
    while shared.send(MessageType::Text, &[b'a'; 980], None) == Err(SendError::QueueFull) {
        has_drained.wait();
    }
    // Cancelled, or closed behind both.
    let _ = shared.close(Some(1000), "");
    session.join().expect("no panic");
    assert_eq!(shared.buffered(), 0);
}

/// A flooding caller writes for the session. Both write whole frames in order, each once, and no frame is left.
fn lent() {
    const LENGTHS: [usize; 3] = [10, 530_000, 600_000];
    let has_drained = Arc::new(Notify::new());
    let recorder = Recorder(Log::default(), has_drained.clone());
    let limits = SendLimits { low_water: 540_000, ..SendLimits::of_bytes(2_000_000) };
    let shared = Arc::new(Shared::new(1, Role::Client, Box::new(recorder), limits));
    let sink = Sink::new();
    let session = session(&shared, {
        let sink = sink.clone();
        async move |mut session| {
            session.lends(&sink).await;
            session.end(Some(1000));
        }
    });
    for length in LENGTHS {
        shared.send(MessageType::Binary, &vec![b'a'; length], None).expect("within the limit");
    }
    // Nothing else wakes the session in the meantime.
    if shared.is_above_low_water() {
        has_drained.wait();
    }
    // Before it is open this cancels it.
    let opened = matches!(shared.close(Some(1000), ""), Ok(CloseStart::Handshake));
    session.join().expect("no panic");
    if opened {
        assert_eq!(shared.buffered(), 0);
        let bytes = sink.bytes();
        let frames: Vec<_> = encoded_frames(&bytes).map(|(header, _, end)| (header.length, end)).collect();
        assert!(frames.iter().map(|(length, _)| *length).eq(LENGTHS.map(|length| length as u64)));
        assert_eq!(frames.last().map(|(_, end)| *end), Some(bytes.len()));
    }
}

/// A payload whose owner, when he has it back, calls the client.
struct Lent {
    bytes: [u8; 1],
    client: Arc<Shared>,
    returns: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsMut<[u8]> for Lent {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // With the client's lock held this would wait for itself.
        self.client.state();
        self.returns.fetch_add(1, Ordering::Relaxed);
    }
}

/// Payloads are lent while the peer closes: each is sent, told as unsent or refused, and given back.
fn given_back() {
    let (shared, log) = client();
    let returns = Arc::new(AtomicUsize::new(0));
    let lend = |receipt: Receipt| {
        let payload = Box::new(Lent { bytes: [0], client: shared.clone(), returns: returns.clone() });
        shared.send_owned(MessageType::Binary, payload, Some(receipt)).map_err(drop).is_ok()
    };
    let mut accepted = usize::from(lend(1));
    let session = session(&shared, async |mut session| {
        session.take().await;
        session.write();
        session.take().await;
        session.closed_by_peer();
    });
    accepted += usize::from(lend(2)) + usize::from(lend(3));
    session.join().expect("no panic");
    let told = log.take();
    let count = told.iter().filter(|told| matches!(told, Told::Sent(_) | Told::Unsent(_))).count();
    assert_eq!((count, returns.load(Ordering::Relaxed)), (accepted, 3), "{told:?}");
}

/// A thread that sees the state open also sees the connection counted.
fn counted() {
    let (shared, _) = client();
    let session = session(&shared, async |session| session.closed_by_peer());
    if shared.state() == State::Open {
        assert_eq!(shared.statistics().connections, 1);
    }
    session.join().expect("no panic");
}

/// After the end of the client no event begins.
fn silent() {
    let (shared, log) = client();
    send(&shared, 1).expect("before the first attempt");
    let session = session(&shared, async |mut session| {
        session.take().await;
        session.write();
        session.closed_by_peer();
    });
    shared.detach();
    log.take();
    session.join().expect("no panic");
    // One that had begun may be told.
    let told = log.take();
    assert!(told.len() <= 1, "{told:?}");
}
