//! Runs clients with endless data and one that exchanges a message now and then. Each must get its share of the threads.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use net_websocket::internals::client::{
    Client, Closed, Failure, Listener, Message, MessageType, Opened, Options, Request,
};

use super::Peer;
use crate::support::soak::message::{self, Label};

const DEADLINE: Duration = Duration::from_secs(60);
const MESSAGE_BYTES: usize = 1_024;
const SEND_LIMIT_BYTES: usize = 1_048_576;
/// How long a slow listener takes for a message.
const SLOWNESS: Duration = Duration::from_millis(5);
/// Between two round trips of the quiet client.
const PAUSE: Duration = Duration::from_millis(2);
/// The least share of the slowest connection in what the median has.
const SHARE_MIN: f64 = 0.5;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The server sends without end.
    In,
    /// The clients do.
    Out,
    /// The server does, to listeners that block.
    Slow,
}

pub const WAYS: [(&str, Way); 3] = [("in", Way::In), ("out", Way::Out), ("slow", Way::Slow)];

/// What the flooded clients share.
#[derive(Default)]
struct Shared {
    open: AtomicUsize,
    over: AtomicBool,
}

struct Flood {
    way: Way,
    shared: Arc<Shared>,
    client: Arc<OnceLock<Client>>,
    messages: Arc<AtomicU64>,
}

impl Flood {
    /// Sends until the queue is full.
    fn pour(&self) {
        let message = [0; MESSAGE_BYTES];
        let Some(client) = self.client.get() else { return };
        while !self.shared.over.load(Ordering::Relaxed) {
            if client.send(MessageType::Binary, &message).is_err() {
                return;
            }
        }
    }
}

impl Listener for Flood {
    fn may_block(&self) -> bool {
        self.way == Way::Slow
    }

    fn opened(&mut self, _opened: &Opened) {
        self.shared.open.fetch_add(1, Ordering::SeqCst);
        if self.way == Way::Out {
            self.pour();
        }
    }

    fn drained(&mut self) {
        self.pour();
    }

    fn message(&mut self, _message: Message<'_>) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        if self.way == Way::Slow && !self.shared.over.load(Ordering::Relaxed) {
            std::thread::sleep(SLOWNESS);
        }
    }

    fn failed(&mut self, failure: &Failure) {
        if !self.shared.over.load(Ordering::Relaxed) {
            println!("  failed: {failure}");
        }
    }

    fn closed(&mut self, _closed: &Closed) {}
}

pub struct Quiet(pub Sender<()>);

impl Listener for Quiet {
    fn opened(&mut self, _opened: &Opened) {
        let _ = self.0.send(());
    }

    fn message(&mut self, _message: Message<'_>) {
        let _ = self.0.send(());
    }

    fn failed(&mut self, failure: &Failure) {
        println!("  failed: {failure}");
    }

    fn closed(&mut self, _closed: &Closed) {}
}

/// In milliseconds, of times in order of length.
pub fn percentile(times: &[Duration], percent: usize) -> f64 {
    times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3
}

/// The round trips of the quiet client for a time, in order of length.
pub fn round_trips(
    client: &Client,
    events: &Receiver<()>,
    number: &mut u64,
    time: Duration,
) -> Vec<Duration> {
    let (began, mut trips) = (Instant::now(), Vec::new());
    while began.elapsed() < time {
        std::thread::sleep(PAUSE);
        let label = Label { client: u32::MAX, connection: 0, number: *number };
        *number += 1;
        let sent_at = Instant::now();
        client.send(MessageType::Text, &message::write(label, true, 125)).expect("open");
        events.recv_timeout(DEADLINE).expect("an echo");
        trips.push(sent_at.elapsed());
    }
    trips.sort_unstable();
    trips
}

pub fn run(connections: usize, seconds: u64, (name, way): (&str, Way)) -> bool {
    // The quiet client's server is another process, which has nothing else to do.
    let (servers, peer) = Peer::start(0, 0);
    let (echo_servers, echo) = Peer::start(0, 0);
    let request = |url: &str| Request::parse(url, Options::default()).expect("a good request");
    let (sender, events) = channel();
    let quiet = Client::new(Box::new(Quiet(sender)), SEND_LIMIT_BYTES);
    quiet.connect(request(&echo_servers.direct[0])).expect("idle");
    events.recv_timeout(DEADLINE).expect("open");
    let mut number = 0;
    let alone = round_trips(&quiet, &events, &mut number, Duration::from_secs(1));

    let shared: Arc<Shared> = Arc::default();
    let url = format!("{}{}", servers.direct[0], if way == Way::Out { "sink" } else { "flood" });
    let clients: Vec<_> = (0..connections)
        .map(|_| {
            let (own, messages) = (Arc::new(OnceLock::new()), Arc::default());
            let listener =
                Flood { way, shared: shared.clone(), client: own.clone(), messages: Arc::clone(&messages) };
            let client = own.get_or_init(|| Client::new(Box::new(listener), SEND_LIMIT_BYTES));
            client.connect(request(&url)).expect("idle");
            (own, messages)
        })
        .collect();
    let began = Instant::now();
    while shared.open.load(Ordering::SeqCst) < connections {
        assert!(began.elapsed() < DEADLINE, "not all are open within the deadline");
        std::thread::sleep(PAUSE);
    }
    let counts = || -> Vec<u64> {
        let count = |(own, messages): &(Arc<OnceLock<Client>>, Arc<AtomicU64>)| match way {
            Way::Out => own.get().expect("set above").statistics().messages_sent,
            Way::In | Way::Slow => messages.load(Ordering::Relaxed),
        };
        clients.iter().map(count).collect()
    };
    let before = counts();
    let beside = round_trips(&quiet, &events, &mut number, Duration::from_secs(seconds));
    let mut shares: Vec<u64> = counts().iter().zip(&before).map(|(after, before)| after - before).collect();
    shared.over.store(true, Ordering::SeqCst);
    drop(clients);
    peer.end();
    drop(quiet);
    echo.end();

    shares.sort_unstable();
    let (least, median, total) = (shares[0], shares[shares.len() / 2], shares.iter().sum::<u64>());
    let share = least as f64 / median.max(1) as f64;
    println!(
        "flood {name}: {connections} connections, {:.0} messages of {MESSAGE_BYTES} bytes a second\n\
        \x20 each connection {least} at least, {median} in the median: slowest/median {share:.2}\n\
        \x20 round trip of a quiet client: p50 {:.2} ms, p99 {:.2} ms, {:.1} ms at most; alone {:.2} ms, {:.2} ms",
        total as f64 / seconds.max(1) as f64,
        percentile(&beside, 50),
        percentile(&beside, 99),
        percentile(&beside, 100),
        percentile(&alone, 50),
        percentile(&alone, 99),
    );
    share >= SHARE_MIN
}
