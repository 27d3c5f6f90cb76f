//! Many clients under random faults. The ledger follows every accepted message to its end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use net_websocket::internals::client::{
    Client, Closed, Failure, Listener, Message, MessageType, Opened, Options, Outcome, PerMessageDeflate,
    Receipt, Reconnect, Reconnecting, Request, SendError, SendLimits, SessionOptions, TlsOptions,
};

use super::message::{self, Label, Random};
use super::servers::Addresses;
use crate::support::resource_usage::{ResourceUsage, trim};

/// Unsent bytes that a client accepts.
const SEND_LIMIT_BYTES: usize = 1_048_576;
/// The longest time until the last connections end.
const END_TIMEOUT: Duration = Duration::from_secs(60);
/// Memory that the library and the runtime may keep for reuse: read buffers, chunks, blocks of channels.
const CACHES_BYTES: isize = 4_194_304;
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// The events of a listener.
enum Event {
    Opened,
    /// An echo. `None` when a fault changed it.
    Echo(Option<Label>),
    Sent(Receipt, bool),
    /// Lost with this many unsent messages. Another attempt follows.
    Reconnecting(usize),
    /// This many messages are unsent.
    Failed(usize),
    Closed(u16),
}

struct Teller {
    client: usize,
    events: Sender<(usize, Event)>,
}

impl Teller {
    fn tell(&self, event: Event) {
        // The run may have ended.
        let _ = self.events.send((self.client, event));
    }
}

impl Listener for Teller {
    fn opened(&mut self, _opened: &Opened) {
        self.tell(Event::Opened);
    }

    fn message(&mut self, message: Message<'_>) {
        self.tell(Event::Echo(message::read(message.data(), message.kind() == MessageType::Text)));
    }

    fn sent(&mut self, receipt: Receipt, outcome: Outcome) {
        self.tell(Event::Sent(receipt, outcome == Outcome::Sent));
    }

    fn reconnecting(&mut self, reconnecting: &Reconnecting) {
        self.tell(Event::Reconnecting(reconnecting.unsent));
    }

    fn failed(&mut self, failure: &Failure) {
        self.tell(Event::Failed(failure.unsent));
    }

    fn closed(&mut self, closed: &Closed) {
        self.tell(Event::Closed(closed.code));
    }
}

/// The known state of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Unknown,
    Sent,
    Unsent,
}

struct Account {
    client: Client,
    random: Random,
    plan: Plan,
    connection: u32,
    /// The state of each accepted message, by its number.
    fates: Vec<Fate>,
    /// Numbers from here on belong to the current connection.
    first: usize,
    /// How often the current connection or its retries have opened.
    openings: u32,
    /// Messages reported as unsent since the last loss.
    unsent: usize,
    latest_echo: Option<u64>,
    echoes: usize,
    /// Echoes to receive before the next send.
    awaited: usize,
    bursts_left: u64,
    /// A fault changed data, or an echo belonged to another connection.
    damaged: bool,
    closing: bool,
    /// Connected directly: no fault may occur.
    direct: bool,
    /// The client stays without a connection for now.
    idle: bool,
    /// Ranges of messages on connections that closed cleanly. All of them must have arrived.
    good: Vec<(usize, usize)>,
}

/// The record of a client for the audit.
struct Kept {
    fates: Vec<Fate>,
    good: Vec<(usize, usize)>,
}

impl Kept {
    fn new(mut fates: Vec<Fate>, mut good: Vec<(usize, usize)>) -> Self {
        fates.shrink_to_fit();
        good.shrink_to_fit();
        Self { fates, good }
    }

    fn bytes(&self) -> usize {
        let Self { fates, good } = self;
        size_of::<Self>() + size_of_val(fates.as_slice()) + size_of_val(good.as_slice())
    }
}

#[derive(Default)]
struct Totals {
    connections: u64,
    good: u64,
    /// Closed by us before all echoes arrived.
    cut: u64,
    failed: u64,
    /// Lost, and followed by another attempt.
    replaced: u64,
    accepted: u64,
    refused: u64,
    sent: u64,
    unsent: u64,
    echoes: u64,
    damaged_echoes: u64,
    /// Failures: printed at once and counted here.
    mistakes: u64,
}

impl Totals {
    fn mistake(&mut self, client: usize, what: &str) {
        self.mistakes += 1;
        if self.mistakes <= 20 {
            println!("MISTAKE: client {client}: {what}");
        }
    }
}

/// The parameters of a run.
#[derive(Clone, Copy)]
pub struct Plan {
    pub seconds: u64,
    pub clients: usize,
    pub seed: u64,
    /// The percentage of connections that reconnect after a loss.
    pub come_back: u64,
    /// The longest pause of a connection between messages.
    pub pause_ms: u64,
}

/// Runs the clients against the servers at these addresses. `end` ends the servers and returns their output.
pub fn run(plan: Plan, servers: &Addresses, end: impl FnOnce() -> Vec<String>) -> bool {
    let Plan { seconds, clients, seed, .. } = plan;
    println!("{clients} clients for {seconds} s, seed {seed}");
    let (sender, events) = channel();
    warm_up(servers);
    let before = ResourceUsage::now();
    let mut accounts: Vec<Account> = (0..clients)
        .map(|number| {
            let teller = Teller { client: number, events: sender.clone() };
            Account::new(Client::new(Box::new(teller), SEND_LIMIT_BYTES), plan, number)
        })
        .collect();
    let mut totals = Totals::default();
    play(servers, &mut accounts, &events, Duration::from_secs(seconds), &mut totals);

    let kept: Vec<Kept> =
        accounts.into_iter().map(|Account { fates, good, .. }| Kept::new(fates, good)).collect();
    // The clients have ended, and so must have all their resources.
    let since = Instant::now();
    let mut after = ResourceUsage::now();
    while (after.descriptors > before.descriptors + 4 || after.threads > before.threads + 4)
        && since.elapsed() < END_TIMEOUT
    {
        std::thread::sleep(Duration::from_millis(50));
        after = ResourceUsage::now();
    }
    println!("  before: {before}; after: {after}");
    let of_ledger: usize = kept.iter().map(Kept::bytes).sum();
    let rest = after.allocated - before.allocated - of_ledger as isize;
    trim();
    println!(
        "  allocated since: {} kB for this ledger, {} kB for all else; trimmed, {} kB are resident",
        of_ledger / 1_024,
        rest / 1_024,
        ResourceUsage::now().kilobytes
    );
    if rest > CACHES_BYTES {
        totals.mistake(0, "memory is left behind");
    }
    if after.descriptors > before.descriptors + 4 || after.threads > before.threads + 4 {
        totals.mistake(0, "descriptors or threads are left behind");
    }
    audit(end(), &kept, &mut totals)
}

/// Opens one connection of each kind, so that everything created once exists.
fn warm_up(servers: &Addresses) {
    for url in &servers.direct {
        let (sender, events) = channel();
        let client = Client::new(Box::new(Teller { client: 0, events: sender }), SEND_LIMIT_BYTES);
        let options = Options {
            tls: TlsOptions { ca_path: Some(servers.authority.clone()), ..TlsOptions::default() },
            reconnect: Some(Reconnect::default()),
            ..Options::default()
        };
        client.connect(Request::parse(url, options).expect("a good request")).expect("idle");
        for (_, event) in events {
            match event {
                Event::Opened => drop(client.close(1000, "").expect("open")),
                Event::Closed(1000) => break,
                _ => panic!("an undisturbed connection"),
            }
        }
    }
}

/// Compares the ledger of the server with ours.
fn audit(lines: Vec<String>, kept: &[Kept], totals: &mut Totals) -> bool {
    let mut lines = lines.into_iter();
    let counts: Vec<u64> =
        lines.next().unwrap_or_default().split(' ').map(|count| count.parse().unwrap_or(u64::MAX)).collect();
    let [duplicates, reordered, damaged, alive] = counts[..] else {
        println!("MISTAKE: the ledger of the server is missing");
        return false;
    };
    let (mut delivered, mut delivered_unsent, mut lost_sent) = (0_u64, 0_u64, 0_u64);
    for (client, Kept { fates, good }) in kept.iter().enumerate() {
        let words: Vec<u64> = lines
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .map(|word| u64::from_str_radix(word, 16).unwrap_or(0))
            .collect();
        let arrived =
            |number: usize| words.get(number / 64).is_some_and(|word| word >> (number % 64) & 1 == 1);
        let beyond: u32 = words.iter().map(|word| word.count_ones()).sum();
        let mut known = 0;
        for (number, fate) in fates.iter().enumerate() {
            match (arrived(number), fate) {
                (true, Fate::Sent) => delivered += 1,
                (true, Fate::Unsent) => delivered_unsent += 1,
                (false, Fate::Sent) => lost_sent += 1,
                (false, Fate::Unsent) => {}
                (_, Fate::Unknown) => totals.mistake(client, "a message that nobody told of"),
            }
            known += u32::from(arrived(number));
        }
        if known != beyond {
            totals.mistake(client, "the server got what was never accepted");
        }
        for (first, end) in good {
            if (*first..*end).any(|number| !arrived(number)) {
                totals.mistake(client, "a message is missing of a connection that was closed in good order");
            }
        }
    }
    let Totals {
        connections,
        good,
        cut,
        failed,
        replaced,
        accepted,
        refused,
        sent,
        unsent,
        echoes,
        damaged_echoes,
        ..
    } = *totals;
    println!(
        "  {connections} connections begun, {good} closed in good order with all echoes, {cut} cut off while closing, {failed} failed or lost\n\
        \x20 {replaced} more attempts after a loss or a failed one\n\
        \x20 {accepted} messages accepted, {refused} refused (queue full or no longer open)\n\
        \x20 {sent} reported sent + {unsent} reported unsent = {}\n\
        \x20 {} delivered: {delivered} of those reported sent, {delivered_unsent} of the others, whose fate was unknown\n\
        \x20 {lost_sent} reported sent were lost behind the kernel, with their connection\n\
        \x20 {echoes} echoes; {duplicates} duplicates, {reordered} out of order; changed by faults: {damaged} there, \
         {damaged_echoes} here\n\
        \x20 {alive} connections left at the server",
        sent + unsent,
        delivered + delivered_unsent
    );
    let agree = accepted == sent + unsent
        && delivered + lost_sent == sent
        && duplicates == 0
        && reordered == 0
        && alive == 0
        && totals.mistakes == 0;
    println!("{}", if agree { "the ledgers agree" } else { "THE LEDGERS DISAGREE" });
    agree
}

/// Runs all clients until the time is up and their last connections have ended.
fn play(
    servers: &Addresses,
    accounts: &mut [Account],
    events: &Receiver<(usize, Event)>,
    duration: Duration,
    totals: &mut Totals,
) {
    let began = Instant::now();
    let (mut report_at, mut over) = (began + REPORT_INTERVAL, false);
    // When each client acts next.
    let mut due: BinaryHeap<Reverse<(Instant, usize)>> = (0..accounts.len())
        .map(|client| Reverse((began + Duration::from_millis(client as u64), client)))
        .collect();
    loop {
        let now = Instant::now();
        if now >= report_at {
            report_at += REPORT_INTERVAL;
            let Totals { accepted, sent, unsent, connections, failed, .. } = totals;
            println!(
                "  {:>5} s: {}; {connections} connections, {failed} failed; {accepted} accepted, {sent} sent, {unsent} unsent",
                began.elapsed().as_secs(),
                ResourceUsage::now()
            );
        }
        if !over && began.elapsed() >= duration {
            over = true;
            for account in accounts.iter_mut() {
                account.close();
            }
        }
        if over && accounts.iter().all(|account| account.idle) {
            return;
        }
        if began.elapsed() > duration + END_TIMEOUT {
            for (client, account) in accounts.iter().enumerate().filter(|(_, account)| !account.idle) {
                totals.mistake(client, &format!("no end: {:?}", account.client));
            }
            return;
        }
        while let Some(Reverse((at, client))) = due.peek().copied()
            && at <= now
        {
            due.pop();
            if !over {
                accounts[client].act(client, servers, totals);
            }
        }
        let next = due.peek().map_or(report_at, |Reverse((at, _))| (*at).min(report_at));
        match events.recv_timeout(next.saturating_duration_since(now).min(Duration::from_millis(100))) {
            Ok((client, event)) => {
                let account = &mut accounts[client];
                if let Some(pause) = account.hear(client, event, totals)
                    && !over
                {
                    due.push(Reverse((Instant::now() + pause, client)));
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

impl Account {
    fn new(client: Client, plan: Plan, number: usize) -> Self {
        client.set_send_limits(SendLimits::of_bytes(SEND_LIMIT_BYTES));
        Self {
            client,
            random: Random::new(plan.seed, 1 + number as u64),
            plan,
            connection: 0,
            fates: Vec::new(),
            first: 0,
            openings: 0,
            unsent: 0,
            latest_echo: None,
            echoes: 0,
            awaited: 0,
            bursts_left: 0,
            damaged: false,
            closing: false,
            direct: false,
            idle: true,
            good: Vec::new(),
        }
    }

    /// Connects or sends more.
    fn act(&mut self, number: usize, servers: &Addresses, totals: &mut Totals) {
        if !self.idle {
            self.burst(number, totals);
            return;
        }
        self.connection += 1;
        (self.first, self.unsent) = (self.fates.len(), 0);
        (self.openings, self.latest_echo, self.echoes, self.awaited) = (0, None, 0, 0);
        (self.damaged, self.closing, self.idle) = (false, false, false);
        self.bursts_left = 1 + self.random.below(12);
        let random = &mut self.random;
        let options = Options {
            tls: TlsOptions { ca_path: Some(servers.authority.clone()), ..TlsOptions::default() },
            connect_timeout: Duration::from_secs(3),
            reconnect: random.percent(self.plan.come_back).then(|| Reconnect {
                delay: Duration::from_millis(100),
                max_attempts: Some(3),
                keep_queue: random.percent(70),
                ..Reconnect::default()
            }),
            session: SessionOptions {
                close_timeout: Duration::from_secs(2),
                ping_interval: Some(Duration::from_secs(1)),
                pong_timeout: Some(Duration::from_secs(2)),
                per_message_deflate: random.percent(50).then(PerMessageDeflate::default),
                ..SessionOptions::default()
            },
            ..Options::default()
        };
        self.direct = random.percent(20);
        let urls = if self.direct { &servers.direct } else { &servers.faulty };
        let url = &urls[usize::from(random.percent(50))];
        let early = random.percent(30);
        let request = Request::parse(url, options).expect("a good request");
        if self.client.connect(request).is_err() {
            totals.mistake(number, "cannot connect although the last connection has ended");
            return;
        }
        totals.connections += 1;
        if early {
            self.burst(number, totals);
        }
    }

    /// Sends some messages.
    fn burst(&mut self, number: usize, totals: &mut Totals) {
        if self.closing {
            return;
        }
        for _ in 0..1 + self.random.below(8) {
            let random = &mut self.random;
            let length = match random.below(1_000) {
                0..700 => random.below(600),
                700..950 => random.below(8_192),
                950..998 => random.below(65_536),
                _ => 524_288,
            };
            let text = random.percent(50);
            let label =
                Label { client: number as u32, connection: self.connection, number: self.fates.len() as u64 };
            let message = message::write(label, text, length as usize);
            let kind = if text { MessageType::Text } else { MessageType::Binary };
            match self.client.send_with_receipt(kind, &message, label.number) {
                Ok(()) => {
                    self.fates.push(Fate::Unknown);
                    self.awaited += 1;
                    totals.accepted += 1;
                }
                Err(SendError::QueueFull | SendError::NotConnected) => totals.refused += 1,
                Err(other) => totals.mistake(number, &format!("send: {other:?}")),
            }
        }
    }

    fn close(&mut self) {
        if !self.idle {
            self.closing = true;
            // Refused when the connection has ended or never opened. The client reports that too.
            let _ = self.client.close(1000, "done");
        }
    }

    /// Takes an event. Returns the time until the client acts next.
    fn hear(&mut self, number: usize, event: Event, totals: &mut Totals) -> Option<Duration> {
        match event {
            Event::Opened => {
                self.openings += 1;
                self.latest_echo = None;
                // No echo of an earlier connection arrives.
                if self.openings > 1 {
                    self.awaited = 0;
                }
                (self.awaited == 0).then_some(Duration::ZERO)
            }
            Event::Echo(label) => {
                let own =
                    |label: &Label| label.client as usize == number && label.connection == self.connection;
                let Some(label) = label.filter(own) else {
                    totals.damaged_echoes += 1;
                    self.damaged = true;
                    self.close();
                    return None;
                };
                if self.latest_echo.is_some_and(|latest| label.number <= latest) {
                    totals.mistake(number, "echoes out of order");
                }
                self.latest_echo = Some(label.number);
                self.echoes += 1;
                totals.echoes += 1;
                self.awaited = self.awaited.saturating_sub(1);
                if self.awaited > 0 || self.closing {
                    return None;
                }
                self.bursts_left = self.bursts_left.saturating_sub(1);
                if self.bursts_left == 0 {
                    self.close();
                    return None;
                }
                Some(Duration::from_millis(
                    50.min(self.plan.pause_ms) + self.random.below(self.plan.pause_ms),
                ))
            }
            Event::Sent(receipt, sent) => {
                match self.fates.get_mut(receipt as usize) {
                    Some(fate @ Fate::Unknown) => *fate = if sent { Fate::Sent } else { Fate::Unsent },
                    Some(_) => totals.mistake(number, "a message was told of twice"),
                    None => totals.mistake(number, "a message was told of that was never accepted"),
                }
                if sent {
                    totals.sent += 1;
                } else {
                    totals.unsent += 1;
                    self.unsent += 1;
                }
                None
            }
            Event::Reconnecting(unsent) => {
                totals.replaced += 1;
                self.lost(number, unsent, totals);
                None
            }
            Event::Failed(unsent) => {
                totals.failed += 1;
                self.lost(number, unsent, totals);
                // Otherwise the close event follows.
                if self.openings > 0 { None } else { Some(self.ended(number, false, totals)) }
            }
            Event::Closed(code) => {
                let good = code == 1000 && self.closing && !self.damaged && self.openings == 1;
                Some(self.ended(number, good, totals))
            }
        }
    }

    /// A loss counts its unsent messages, and each of them has been reported.
    fn lost(&mut self, number: usize, unsent: usize, totals: &mut Totals) {
        if std::mem::take(&mut self.unsent) != unsent {
            totals.mistake(number, "a loss counts otherwise than its messages");
        }
    }

    /// The connection has ended. Returns a pause before the next.
    fn ended(&mut self, number: usize, good: bool, totals: &mut Totals) -> Duration {
        self.idle = true;
        let (first, end) = (self.first, self.fates.len());
        if self.fates[first..].contains(&Fate::Unknown) {
            totals.mistake(number, "a connection ended, and not all its messages were told of");
        }
        // When a peer disconnects after our close frame, only the echoes show whether it received everything.
        let whole = self.echoes == end - first;
        if good && whole {
            totals.good += 1;
            self.good.push((first, end));
            if self.fates[first..].contains(&Fate::Unsent) {
                totals.mistake(number, "a message that came back was reported unsent");
            }
        } else if good && !self.direct {
            totals.cut += 1;
        }
        // An attempt cancelled before it opens ends differently.
        let given_up = self.closing && self.openings == 0;
        if self.direct && !given_up && !(good && whole) {
            totals.mistake(number, "an undisturbed connection did not end in good order with all echoes");
        }
        Duration::from_millis(self.random.below(500))
    }
}
