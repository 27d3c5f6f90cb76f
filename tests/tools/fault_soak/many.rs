//! Many connections at once in one process: what each costs, and whether each gets its share.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};

use net_websocket::internals::client::{
    Client, Closed, Failure, Listener, Message, MessageType, Opened, Options, PerMessageDeflate, Request,
    SessionOptions, TlsOptions,
};

use super::Peer;
use crate::support::resource_usage::ResourceUsage;
use crate::support::soak::message::{self, Label};
use crate::support::soak::servers::Addresses;

/// Attempts under way at once.
const CONNECTING_MAX: usize = 128;
const MESSAGE_BYTES: usize = 125;
const DEADLINE: Duration = Duration::from_secs(120);

/// What the connections of a run share.
#[derive(Default)]
struct Shared {
    open: AtomicUsize,
    failed: AtomicUsize,
    closed: AtomicUsize,
    exchanging: AtomicBool,
    changed: (Mutex<()>, Condvar),
}

impl Shared {
    fn changed(&self) {
        let _held = self.changed.0.lock().expect("no panic");
        self.changed.1.notify_all();
    }

    /// Waits until `reached` says so.
    fn wait(&self, what: &str, reached: impl Fn(&Self) -> bool) {
        let held = self.changed.0.lock().expect("no panic");
        let waited =
            self.changed.1.wait_timeout_while(held, DEADLINE, |()| !reached(self)).expect("no panic");
        assert!(!waited.1.timed_out(), "{what}: not within the deadline");
    }
}

struct Echoes {
    shared: Arc<Shared>,
    client: Arc<OnceLock<Client>>,
    record: Arc<Mutex<Record>>,
}

/// What one connection has exchanged.
#[derive(Default)]
struct Record {
    messages: u64,
    sent_at: Option<Instant>,
    longest: Duration,
}

fn send(client: &Client, record: &mut Record) {
    let label = Label { client: u32::MAX, connection: 0, number: record.messages };
    record.sent_at = Some(Instant::now());
    client.send(MessageType::Text, &message::write(label, true, MESSAGE_BYTES)).expect("open");
}

impl Listener for Echoes {
    fn opened(&mut self, _opened: &Opened) {
        self.shared.open.fetch_add(1, Ordering::SeqCst);
        self.shared.changed();
    }

    fn message(&mut self, message: Message<'_>) {
        assert!(message::read(message.data(), true).is_some(), "an echo as it was sent");
        let mut record = self.record.lock().expect("no panic");
        record.messages += 1;
        if let Some(at) = record.sent_at.take() {
            record.longest = record.longest.max(at.elapsed());
        }
        if self.shared.exchanging.load(Ordering::Relaxed)
            && let Some(client) = self.client.get()
        {
            send(client, &mut record);
        }
    }

    fn failed(&mut self, failure: &Failure) {
        if self.shared.failed.fetch_add(1, Ordering::SeqCst) < 5 {
            println!("  failed: {failure}");
        }
        self.shared.changed();
    }

    fn closed(&mut self, _closed: &Closed) {
        self.shared.closed.fetch_add(1, Ordering::SeqCst);
        self.shared.changed();
    }
}

/// The kinds of connection, each for a process of its own: memory that is free again would be counted for the next.
pub const KINDS: [(&str, usize, bool); 4] =
    [("ws", 0, false), ("ws-deflate", 0, true), ("wss", 1, false), ("wss-deflate", 1, true)];

pub fn run(connections: usize, seconds: u64, (name, url, deflate): (&str, usize, bool)) -> bool {
    let (addresses, peer) = Peer::start(0, 0);
    let good = row(name, &addresses.direct[url], &addresses, deflate, connections, seconds);
    peer.end();
    good
}

fn row(name: &str, url: &str, servers: &Addresses, deflate: bool, connections: usize, seconds: u64) -> bool {
    let shared: Arc<Shared> = Arc::default();
    let options = Options {
        tls: TlsOptions { ca_path: Some(servers.authority.clone()), ..TlsOptions::default() },
        connect_timeout: DEADLINE,
        session: SessionOptions {
            per_message_deflate: deflate
                .then(|| PerMessageDeflate { threshold: 0, ..PerMessageDeflate::default() }),
            ..SessionOptions::default()
        },
        ..Options::default()
    };
    let before = ResourceUsage::now();
    let mut clients = Vec::with_capacity(connections);
    for number in 0..connections {
        let (own, record) = (Arc::new(OnceLock::new()), Arc::default());
        let listener = Echoes { shared: shared.clone(), client: own.clone(), record: Arc::clone(&record) };
        let client = own.get_or_init(|| Client::new(Box::new(listener), 1_000_000));
        client.connect(Request::parse(url, options.clone()).expect("a good request")).expect("idle");
        clients.push((own.clone(), record));
        shared.wait("connecting", |shared| {
            let over = shared.open.load(Ordering::SeqCst) + shared.failed.load(Ordering::SeqCst);
            number + 1 - over < CONNECTING_MAX
        });
    }
    shared.wait("all open", |shared| {
        shared.open.load(Ordering::SeqCst) + shared.failed.load(Ordering::SeqCst) == connections
    });
    let failed = shared.failed.load(Ordering::SeqCst);
    let open = ResourceUsage::now();

    shared.exchanging.store(true, Ordering::SeqCst);
    let began = Instant::now();
    for (client, record) in &clients {
        send(client.get().expect("set above"), &mut record.lock().expect("no panic"));
    }
    std::thread::sleep(Duration::from_secs(seconds));
    let busy = ResourceUsage::now();
    shared.exchanging.store(false, Ordering::SeqCst);
    let exchanged = began.elapsed();
    let mut counts: Vec<u64> = Vec::new();
    let mut longest: Vec<Duration> = Vec::new();
    for (_, record) in &clients {
        let record = record.lock().expect("no panic");
        counts.push(record.messages);
        longest.push(record.longest);
    }
    counts.sort_unstable();
    longest.sort_unstable();
    let middle = clients.len() / 2;
    let (least, median, most) = (counts[0], counts[middle], counts[counts.len() - 1]);
    let total: u64 = counts.iter().sum();

    for (client, _) in &clients {
        let _ = client.get().expect("set above").close(1000, "");
    }
    shared.wait("all closed", |shared| shared.closed.load(Ordering::SeqCst) + failed == connections);
    let each = |usage: ResourceUsage| {
        (usage.kilobytes.saturating_sub(before.kilobytes) * 1_024) as f64 / connections as f64 / 1_024.0
    };
    println!(
        "{name}: {connections} connections, {failed} failed\n\
        \x20 memory of each: {:.1} KiB open, {:.1} KiB exchanging; {} threads, {} descriptors\n\
        \x20 {total} messages of {MESSAGE_BYTES} bytes each way in {:.1} s; each connection {least} at least, {median} in the \
         median, {most} at most: slowest/median {:.2}\n\
        \x20 longest round trip of a connection: {:.0} ms in the median, {:.0} ms of all",
        each(open),
        each(busy),
        busy.threads,
        busy.descriptors,
        exchanged.as_secs_f64(),
        least as f64 / median.max(1) as f64,
        longest[middle].as_secs_f64() * 1e3,
        longest[longest.len() - 1].as_secs_f64() * 1e3,
    );
    // No connection may starve.
    failed == 0 && least > 0
}
