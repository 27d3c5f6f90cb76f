//! The promises that every life must keep, and the record of one life.
//!
//! The server, the network and the application report their actions here, and the client its events.

use std::collections::VecDeque;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use net_websocket::internals::client::{
    Cause, Causes, CloseStart, Closed, Error, Failure, MessageType, Outcome, PeerClose, PrepareDecision,
    Receipt, Reconnecting, Statistics,
};
use tokio::time::Instant;

use crate::freezer::Freezer;
use crate::network::{SharedLink, lock};

/// How late a deadline may be: one turn of the timer wheel, and the tolerance of a late alarm.
const SLACK: Duration = Duration::from_millis(15);
/// How soon after a change of the network a probe must come.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);
const FOR_EVER: Duration = Duration::from_secs(1_000_000);

/// The options of the application's connections.
#[derive(Clone, Debug)]
pub struct Terms {
    pub connect_timeout: Duration,
    pub shortest_phase: Option<Duration>,
    pub ping_interval: Option<Duration>,
    pub pong_timeout: Option<Duration>,
    pub close_timeout: Duration,
    pub in_pieces: bool,
    pub reconnect: Option<RetryTerms>,
}

#[derive(Clone, Debug)]
pub struct RetryTerms {
    pub at_once: bool,
    pub delay: Duration,
    pub max_delay: Duration,
    pub max_attempts: Option<u32>,
    pub max_time: Option<Duration>,
    pub keep_queue: bool,
    pub prepare_timeout: Duration,
}

/// A connect of the application, until its end is reported.
struct Attempt {
    terms: Terms,
    /// When the current attempt started.
    began: Instant,
    /// The open connection.
    open: Option<usize>,
    was_open: bool,
    /// A failure was reported, and the end must follow.
    failed: bool,
    cancelled_at: Option<Instant>,
    /// The application's close, and its code.
    closing: Option<(Instant, u16)>,
    /// The application closed while closing already: no event may follow.
    closes_again: bool,
    retry: Option<Retry>,
    /// The number of announced retries since a connection was open for long.
    retries: u32,
    /// When these retries started.
    retries_since: Instant,
    opened_at: Instant,
    /// When a connection was lost together with the queue, and which connection.
    queue_lost: Option<(Instant, usize)>,
    /// All connections of the current attempt worked without a fault.
    smooth: bool,
    /// The network has changed since the last retry, or since a connection was open.
    network_changed: bool,
}

impl Attempt {
    /// Whether an announced retry is still pending.
    fn is_between(&self) -> bool {
        self.retry.as_ref().is_some_and(|retry| retry.prepared.is_none())
    }
}

/// An announced retry.
struct Retry {
    at: Instant,
    /// The application or the network may have started it early.
    hurried: bool,
    prepared: Option<(Instant, PrepareDecision)>,
}

/// An accepted message.
struct Accepted {
    kind: MessageType,
    payload: Vec<u8>,
    /// The connect to which it belongs.
    owner: usize,
    /// The connection on which it arrived.
    arrived: Option<usize>,
    complete: bool,
    told: Option<Outcome>,
    accepted_at: Instant,
}

struct Told {
    message: usize,
    last: bool,
    outcome: Option<Outcome>,
    owner: usize,
}

/// A connection as its server sees it.
pub struct Served {
    link: SharedLink,
    /// The sent messages, in order.
    pub sent: Vec<(MessageType, Vec<u8>)>,
    delivered: usize,
    /// The received part of a message that is delivered in pieces.
    partial: Vec<u8>,
    /// The server's close frame.
    pub closed: Option<(Option<u16>, String)>,
    /// The client's.
    pub client_closed: Option<Option<u16>>,
    /// The fault that may end it or make a deadline expire.
    pub wronged: Option<&'static str>,
    /// Sent data may be lost.
    pub loses: bool,
}

pub struct Judge {
    freezer: Arc<Freezer>,
    start: Instant,
    pub faults: Vec<String>,
    hash: u64,
    pub story: Option<Vec<String>>,
    attempts: VecDeque<Attempt>,
    connects: usize,
    /// The last connect was cancelled, so messages accepted now belong to the next one.
    cancelled: bool,
    messages: Vec<Accepted>,
    receipts: Vec<Told>,
    last_sent: Option<Receipt>,
    pub served: Vec<Served>,
    /// Messages reported as unsent: by receipts since the last sum, and by the sums.
    unsent_receipts: usize,
    unsent: usize,
    pub all_have_receipts: bool,
    dropped: bool,
    dropped_in_batch: bool,
    in_batch: bool,
    awaits_drained: bool,
    paused: bool,
    /// When the listener was last full.
    last_paused: Instant,
    /// The longest Retry-After of a server's answer.
    pub retry_after: Duration,
    pub latency: Duration,
}

impl Judge {
    pub fn new(freezer: Arc<Freezer>, all_have_receipts: bool, told: bool, latency: Duration) -> Self {
        Self {
            freezer,
            start: Instant::now(),
            faults: Vec::new(),
            hash: 0xcbf2_9ce4_8422_2325,
            story: told.then(Vec::new),
            attempts: VecDeque::new(),
            connects: 0,
            cancelled: false,
            messages: Vec::new(),
            receipts: Vec::new(),
            last_sent: None,
            served: Vec::new(),
            unsent_receipts: 0,
            unsent: 0,
            all_have_receipts,
            dropped: false,
            dropped_in_batch: false,
            in_batch: false,
            awaits_drained: false,
            paused: false,
            last_paused: Instant::now(),
            retry_after: Duration::ZERO,
            latency,
        }
    }

    /// Writes a line of the life's story.
    pub fn tell(&mut self, line: std::fmt::Arguments<'_>) {
        struct Hasher<'a>(&'a mut u64);
        impl Write for Hasher<'_> {
            fn write_str(&mut self, text: &str) -> std::fmt::Result {
                for byte in text.bytes() {
                    *self.0 = (*self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
                }
                Ok(())
            }
        }
        let at = self.start.elapsed().as_micros();
        let _ = writeln!(Hasher(&mut self.hash), "{at} {line}");
        if let Some(story) = &mut self.story {
            story.push(format!("{:>10}.{:03} ms  {line}", at / 1_000, at % 1_000));
        }
    }

    /// The digest of all events.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    pub fn fault(&mut self, what: std::fmt::Arguments<'_>) {
        self.tell(format_args!("FAULT: {what}"));
        self.faults.push(what.to_string());
    }

    fn require(&mut self, holds: bool, what: std::fmt::Arguments<'_>) {
        if !holds {
            self.fault(what);
        }
    }

    fn on_time(&mut self, what: &str, from: Instant, limit: Duration) {
        let now = Instant::now();
        let allowed = limit + SLACK + self.freezer.allowance(from, now, limit);
        let took = now - from;
        self.require(took <= allowed, format_args!("{what} took {took:?}, more than {allowed:?}"));
    }

    // Actions of the application.

    pub fn connects(&mut self, terms: Terms) {
        self.tell(format_args!("app: connects, {terms:?}"));
        self.connects += 1;
        self.cancelled = false;
        let now = Instant::now();
        let smooth = self.is_leisurely(&terms);
        self.attempts.push_back(Attempt {
            terms,
            began: now,
            open: None,
            was_open: false,
            failed: false,
            cancelled_at: None,
            closing: None,
            closes_again: false,
            retry: None,
            retries: 0,
            retries_since: now,
            opened_at: now,
            queue_lost: None,
            smooth,
            network_changed: false,
        });
        if self.attempts.len() == 1 {
            self.retry_after = Duration::ZERO;
        }
    }

    /// The longest.
    fn round_trip(&self) -> Duration {
        2 * (self.latency + Duration::from_millis(50))
    }

    /// Whether the timeouts are long enough for a server that answers at once.
    fn is_leisurely(&self, terms: &Terms) -> bool {
        let least = Duration::from_secs(2) + 40 * (self.latency + Duration::from_millis(40));
        terms.connect_timeout > least && terms.shortest_phase.is_none_or(|phase| phase > least)
    }

    /// A fault occurred during an attempt.
    pub fn spoil(&mut self) {
        self.attempts.iter_mut().for_each(|attempt| attempt.smooth = false);
    }

    /// The number of an accepted message.
    pub fn next_message(&self) -> usize {
        self.messages.len()
    }

    pub fn next_receipt(&self) -> Receipt {
        self.receipts.len() as Receipt
    }

    fn owner(&self) -> usize {
        if self.connects == 0 || self.cancelled { self.connects + 1 } else { self.connects }
    }

    /// A message or a piece was accepted.
    pub fn accepted(&mut self, kind: MessageType, piece: &[u8], first: bool, last: bool, receipt: bool) {
        let owner = self.owner();
        if first {
            let payload = Vec::new();
            let accepted_at = Instant::now();
            let message =
                Accepted { kind, payload, owner, arrived: None, complete: false, told: None, accepted_at };
            self.messages.push(message);
        }
        let number = self.messages.len() - 1;
        let message = &mut self.messages[number];
        message.payload.extend_from_slice(piece);
        message.complete = last;
        message.owner = owner;
        if receipt {
            self.receipts.push(Told { message: number, last, outcome: None, owner });
        }
    }

    pub fn closes(&mut self, code: u16, start: CloseStart) {
        self.tell(format_args!("app: closes ({code}), {start:?}"));
        let (now, rtt) = (Instant::now(), self.round_trip());
        let Some(attempt) = self.attempts.back_mut() else { return };
        match start {
            CloseStart::Cancelled => {
                attempt.cancelled_at.get_or_insert(now);
                self.cancelled = true;
                self.awaits_drained = false;
            }
            CloseStart::Handshake => {
                attempt.closing.get_or_insert((now, code));
                if attempt.terms.close_timeout < rtt {
                    self.spoil_open("the latency is longer than the close timeout");
                }
            }
        }
    }

    pub fn closes_again(&mut self) {
        self.tell(format_args!("app: closes again"));
        if let Some(attempt) = self.attempts.back_mut() {
            attempt.closes_again = true;
        }
    }

    pub fn drops(&mut self) {
        self.tell(format_args!("app: drops the client"));
        (self.dropped, self.dropped_in_batch) = (true, self.in_batch);
        self.spoil();
    }

    pub fn is_dropped(&self) -> bool {
        self.dropped
    }

    pub fn pauses(&mut self, paused: bool) {
        self.tell(format_args!("app: pauses: {paused}"));
        self.paused = paused;
        self.last_paused = Instant::now();
    }

    /// A retry may start early.
    pub fn hurries(&mut self) {
        if let Some(retry) = self.attempts.front_mut().and_then(|attempt| attempt.retry.as_mut()) {
            retry.hurried = true;
        }
    }

    /// When the network changed. A probe has its own timeout.
    pub fn network_changes(&mut self) {
        self.tell(format_args!("the network changes"));
        self.hurries();
        if let Some(attempt) = self.attempts.front_mut() {
            attempt.network_changed = true;
        }
        if self.round_trip() > PROBE_TIMEOUT {
            self.spoil_open("the latency is longer than a probe");
        }
    }

    fn spoil_open(&mut self, why: &'static str) {
        if let Some(open) = self.attempts.front().and_then(|attempt| attempt.open) {
            self.served[open].wronged.get_or_insert(why);
        }
    }

    /// A send was accepted or refused: the queue is above the low-water mark, or below it.
    pub fn fills(&mut self, is_above: bool) {
        self.awaits_drained |= is_above;
    }

    pub fn is_in_batch(&self) -> bool {
        self.in_batch
    }

    /// The application inspects its client. If `settled`, all due events have been reported.
    pub fn looks(&mut self, buffered: usize, is_above: bool, statistics: &Statistics, settled: bool) {
        // An end is reported instead.
        let told = !self.awaits_drained || is_above || !settled || self.attempts.is_empty();
        self.require(told, format_args!("the queue has drained, and nobody was told"));
        self.require(
            buffered > 0 || !is_above || !settled,
            format_args!("nothing is buffered, and the queue never drained"),
        );
        self.require(
            statistics.buffered_bytes == buffered,
            format_args!("two numbers of buffered bytes: {buffered}, {}", statistics.buffered_bytes),
        );
        self.silence_is_noticed();
    }

    // Actions of the server.

    pub fn serves(&mut self, link: SharedLink) -> usize {
        self.served.push(Served {
            link,
            sent: Vec::new(),
            delivered: 0,
            partial: Vec::new(),
            closed: None,
            client_closed: None,
            wronged: None,
            loses: false,
        });
        self.served.len() - 1
    }

    /// The server received a message.
    pub fn arrived(&mut self, connection: usize, kind: MessageType, payload: &[u8]) {
        let number = std::str::from_utf8(payload.get(..6).unwrap_or_default())
            .ok()
            .and_then(|text| usize::from_str_radix(text, 16).ok());
        self.tell(format_args!("server {connection}: got message {number:?}, {} bytes", payload.len()));
        let Some(message) = number.and_then(|number| self.messages.get_mut(number)) else {
            return self.fault(format_args!("a message came that nobody sent: {} bytes", payload.len()));
        };
        let before = message.arrived.replace(connection);
        let (same, told) = (message.payload == payload && message.kind == kind, message.told);
        let (complete, owner, accepted_at) = (message.complete, message.owner, message.accepted_at);
        let current = self.connects + 1 - self.attempts.len();
        let queue_lost =
            self.attempts.front().filter(|_| owner == current).and_then(|front| front.queue_lost);
        if let Some((at, by)) = queue_lost {
            self.require(
                connection <= by || accepted_at >= at,
                format_args!("message {number:?} outlived a queue that is not kept"),
            );
        }
        self.require(before.is_none(), format_args!("message {number:?} came twice"));
        self.require(same && complete, format_args!("message {number:?} came changed"));
        if told == Some(Outcome::Unsent) && !self.may_come_late(connection) {
            self.fault(format_args!("message {number:?} came and was told as unsent"));
        }
        let later = self.messages.iter().skip(number.map_or(0, |number| number + 1));
        let overtaken = later.filter(|message| message.arrived.is_some_and(|by| by <= connection)).count();
        self.require(overtaken == 0, format_args!("message {number:?} was overtaken by {overtaken}"));
    }

    /// Whether a message reported as unsent can still arrive: its connection has ended cleanly or had a fault.
    fn may_come_late(&self, connection: usize) -> bool {
        let served = &self.served[connection];
        served.closed.is_some() || served.wronged.is_some()
    }

    // Events of the client.

    pub fn batch(&mut self, begins: bool) {
        if begins {
            self.require(!self.dropped, format_args!("an event came after the client was dropped"));
            self.require(!self.in_batch, format_args!("two events at a time"));
        }
        self.in_batch = begins;
    }

    /// The attempt to which an event belongs.
    fn current(&mut self, event: &str) -> Option<&mut Attempt> {
        if self.dropped && !self.dropped_in_batch {
            self.fault(format_args!("{event} came after the client was dropped"));
        }
        if self.attempts.is_empty() {
            self.fault(format_args!("{event} came, and every attempt had ended"));
        }
        self.attempts.front_mut()
    }

    pub fn opened(&mut self, connection: usize) {
        self.tell(format_args!("client: opened, connection {connection}"));
        let rtt = self.round_trip();
        let Some(attempt) = self.current("opened") else { return };
        let (twice, failed) = (attempt.open.is_some(), attempt.failed);
        let (began, limit) = (attempt.began, attempt.terms.connect_timeout);
        let is_slow = attempt.terms.pong_timeout.is_some_and(|limit| limit < rtt);
        let waits = attempt.is_between();
        attempt.retry = None;
        (attempt.open, attempt.was_open) = (Some(connection), true);
        (attempt.opened_at, attempt.network_changed) = (Instant::now(), false);
        self.require(!twice && !failed && !waits, format_args!("opened, out of its order"));
        self.on_time("connecting", began, limit);
        if is_slow {
            self.spoil_open("the latency is longer than the pong timeout");
        }
    }

    pub fn message(&mut self, kind: MessageType, first: bool, last: bool, data: &[u8]) {
        let Some(attempt) = self.current("a message") else { return };
        let in_pieces = attempt.terms.in_pieces;
        let Some(connection) = attempt.open else {
            return self.fault(format_args!("a message came and no connection is open"));
        };
        let served = &mut self.served[connection];
        let started = served.partial.is_empty();
        served.partial.extend_from_slice(data);
        let expected = served.sent.get(served.delivered);
        let good = expected.is_some_and(|(sent_kind, sent)| {
            *sent_kind == kind
                && (sent == &served.partial || (!last && sent.starts_with(&served.partial)))
                && (in_pieces || (first && last))
                && (!first || started)
        });
        if last {
            served.partial.clear();
            served.delivered += 1;
        }
        let number = served.delivered;
        self.tell(format_args!("client: message {number} of {} bytes, {first} {last}", data.len()));
        self.require(good, format_args!("message {number} of connection {connection} is not what was sent"));
    }

    pub fn sent(&mut self, receipt: Receipt, outcome: Outcome) {
        self.tell(format_args!("client: {outcome:?} {receipt}"));
        let _ = self.current("what became of a message");
        let (connects, attempts) = (self.connects, self.attempts.len());
        let Some(told) = self.receipts.get_mut(receipt as usize) else {
            return self.fault(format_args!("receipt {receipt} was never given"));
        };
        let before = told.outcome.replace(outcome);
        let (last, message, owner) = (told.last, told.message, told.owner);
        self.require(before.is_none(), format_args!("receipt {receipt} was told twice"));
        let current = connects + 1 - attempts;
        self.require(
            owner == current,
            format_args!("receipt {receipt} of connect {owner} told in {current}"),
        );
        if outcome == Outcome::Sent {
            let after = self.last_sent.replace(receipt);
            self.require(after.is_none_or(|last| last < receipt), format_args!("receipt {receipt} is late"));
        }
        if last {
            self.messages[message].told = Some(outcome);
            self.unsent_receipts += usize::from(outcome == Outcome::Unsent);
        }
        let arrived = self.messages[message].arrived;
        if last
            && outcome == Outcome::Unsent
            && let Some(connection) = arrived
            && !self.may_come_late(connection)
        {
            self.fault(format_args!("receipt {receipt} told as unsent, and the message has come"));
        }
    }

    /// This many messages were reported as unsent, in one sum.
    fn sum(&mut self, unsent: usize) {
        let by_receipt = std::mem::take(&mut self.unsent_receipts);
        self.unsent += unsent;
        if self.all_have_receipts {
            self.require(
                by_receipt == unsent,
                format_args!("{by_receipt} messages told as unsent, and {unsent} in the sum"),
            );
        }
    }

    pub fn drained(&mut self, is_above: bool) {
        self.tell(format_args!("client: drained"));
        let awaited = std::mem::replace(&mut self.awaits_drained, is_above);
        self.require(awaited, format_args!("drained, and the queue was never full"));
    }

    pub fn reconnecting(&mut self, reconnecting: &Reconnecting) {
        let Reconnecting { attempt: number, delay, cause, unsent, code, .. } = *reconnecting;
        self.tell(format_args!("client: reconnecting {number} after {delay:?}, {cause:?}, {unsent} unsent"));
        let retry_after = std::mem::take(&mut self.retry_after);
        let now = Instant::now();
        let Some(attempt) = self.current("reconnecting") else { return };
        let Some(terms) = attempt.terms.reconnect.clone() else {
            return self.fault(format_args!("reconnecting, which was not asked for"));
        };
        let (out_of_order, cancelled) =
            (attempt.failed || attempt.is_between(), attempt.cancelled_at.is_some());
        let open = attempt.open.take();
        if open.is_some() && now - attempt.opened_at >= Duration::from_secs(5) {
            attempt.retries = 0;
        }
        if attempt.retries == 0 {
            attempt.retries_since = now;
        }
        attempt.retries += 1;
        if let Some(connection) = open.filter(|_| !terms.keep_queue) {
            attempt.queue_lost = Some((now, connection));
        }
        let since = attempt.retries_since;
        let expected = attempt.retries;
        let (began, closing, limit) = (attempt.began, attempt.closing, attempt.terms.connect_timeout);
        let smooth = attempt.smooth;
        // A change during an attempt counts for the next one.
        let hurried = std::mem::take(&mut attempt.network_changed);
        attempt.retry = Some(Retry { at: now + delay, hurried, prepared: None });
        self.require(!out_of_order, format_args!("reconnecting, out of its order"));
        // The application may have closed inside an event delivered together with this one.
        let closed_before = closing.is_some_and(|(at, _)| at < now);
        self.require(
            !cancelled && !closed_before,
            format_args!("reconnecting, after the application closed"),
        );
        self.require(number == expected, format_args!("retry {expected} was called {number}"));
        self.require(
            terms.max_attempts.is_none_or(|most| number <= most),
            format_args!("more retries than were allowed: {number}"),
        );
        let doubled = terms.delay.saturating_mul(1 << (number - 1).min(16));
        let longest =
            if terms.at_once && number == 1 { Duration::ZERO } else { doubled.min(terms.max_delay) };
        let still = self.freezer.allowance(since, now, terms.max_delay);
        let left = terms.max_time.map_or(FOR_EVER, |most| (most + still).saturating_sub(now - since));
        self.require(left > Duration::ZERO, format_args!("a retry, and their time is up"));
        let longest = left.min(longest + retry_after);
        self.require(delay <= longest, format_args!("a delay of {delay:?}, at most {longest:?}"));
        match open {
            Some(connection) => self.over(connection, code, cause, None),
            None => {
                let limit = if cause == Cause::Prepare { terms.prepare_timeout } else { limit };
                self.on_time("an attempt that failed", began, limit);
                self.require(
                    !smooth || cause == Cause::Prepare,
                    format_args!("an attempt failed ({cause:?}) that nothing stood in the way of"),
                );
            }
        }
        self.sum(unsent);
    }

    pub fn prepares(&mut self, decision: PrepareDecision) {
        self.tell(format_args!("client: prepare, {decision:?}"));
        let now = Instant::now();
        let Some(attempt) = self.current("prepare") else { return };
        let Some(retry) = attempt.retry.as_mut().filter(|retry| retry.prepared.is_none()) else {
            return self.fault(format_args!("prepare, out of its order"));
        };
        retry.prepared = Some((now, decision));
        let (at, hurried) = (retry.at, retry.hurried);
        attempt.began = now;
        let terms = attempt.terms.clone();
        attempt.smooth = false;
        let smooth = decision == PrepareDecision::Proceed && self.is_leisurely(&terms) && !self.dropped;
        if let Some(attempt) = self.attempts.front_mut() {
            attempt.smooth = smooth;
        }
        self.require(hurried || now >= at, format_args!("a retry began {:?} before its time", at - now));
        self.on_time("the wait for a retry", at.min(now), Duration::ZERO);
    }

    /// The application has answered `prepare`.
    pub fn prepared(&mut self, taken: bool) {
        self.tell(format_args!("app: prepared, {taken}"));
        if let Some(attempt) = self.attempts.front_mut().filter(|_| taken) {
            attempt.began = Instant::now();
        }
    }

    pub fn failed(&mut self, failure: &Failure) {
        let Failure { error, unsent, .. } = failure;
        self.tell(format_args!("client: failed: {error}, {unsent} unsent"));
        let Some(attempt) = self.current("failed") else { return };
        let (open, twice) = (attempt.open.take(), std::mem::replace(&mut attempt.failed, true));
        let (began, smooth, cancelled) = (attempt.began, attempt.smooth, attempt.cancelled_at);
        let (limit, was_open) = (attempt.terms.connect_timeout, attempt.was_open);
        let prepared = attempt.retry.as_ref().and_then(|retry| retry.prepared);
        let retry_limit = attempt.terms.reconnect.as_ref().map(|terms| terms.prepare_timeout);
        let between = attempt.is_between();
        self.require(!twice, format_args!("failed, twice"));
        if error.status().is_none() && !prepared.is_some_and(|(_, said)| said != PrepareDecision::Proceed) {
            self.gives_up(error.cause(), open.is_some());
        }
        match (open, error) {
            (Some(connection), _) => self.over(connection, None, error.cause(), Some(error)),
            (None, Error::Abandoned { .. }) => match cancelled {
                Some(at) => self.on_time("calling off", at, Duration::ZERO),
                None => self.fault(format_args!("abandoned, and nobody wished it")),
            },
            (None, _) => {
                if !between {
                    let limit = retry_limit.filter(|_| error.cause() == Cause::Prepare).unwrap_or(limit);
                    self.on_time("an attempt that failed", began, limit);
                }
                let expected = prepared.is_some_and(|(_, decision)| decision != PrepareDecision::Proceed);
                self.require(
                    !smooth || expected || between,
                    format_args!("an attempt failed ({error}) that nothing stood in the way of"),
                );
            }
        }
        if !was_open {
            self.ended(*unsent, "failed");
        }
    }

    /// A retryable failure ends the series only when no attempts are left.
    fn gives_up(&mut self, cause: Cause, was_open: bool) {
        let Some(attempt) = self.attempts.front() else { return };
        let Some(terms) = &attempt.terms.reconnect else { return };
        if attempt.closes_again
            || attempt.closing.is_some()
            || attempt.cancelled_at.is_some()
            || !Causes::TRANSIENT.contains(cause)
        {
            return;
        }
        let now = Instant::now();
        let proven = was_open && now - attempt.opened_at >= Duration::from_secs(5);
        let (retries, since) = match attempt.retries {
            0 => (0, now),
            _ if proven => (0, now),
            retries => (retries, attempt.retries_since),
        };
        let more = terms.max_attempts.is_none_or(|most| retries < most);
        let time_left = terms.max_time.is_none_or(|most| now - since < most);
        self.require(!more || !time_left, format_args!("gave up after {retries} retries ({cause:?})"));
    }

    pub fn closed(&mut self, closed: &Closed) {
        let Closed { code, reason, cause, unsent, .. } = closed;
        self.tell(format_args!("client: closed {code} {cause:?} {reason:?}, {unsent} unsent"));
        let Some(attempt) = self.current("closed") else { return };
        let (open, failed, was_open) = (attempt.open.take(), attempt.failed, attempt.was_open);
        let (closing, close_timeout) = (attempt.closing, attempt.terms.close_timeout);
        self.require(was_open, format_args!("closed, and no connection was ever open"));
        if failed {
            self.require(open.is_none(), format_args!("a connection opened after the failure"));
        }
        if let Some((at, wanted)) = closing
            && !failed
        {
            let wrote_at = open.map_or(at, |open| lock(&self.served[open].link).client_wrote_at);
            self.on_time("closing", at.max(wrote_at), close_timeout);
            if *cause == Cause::Application && *code != 1006 {
                self.require(*code == wanted, format_args!("closed with {code} and not {wanted}"));
            }
        }
        if let Some(connection) = open {
            self.gives_up(*cause, true);
            self.over(connection, Some(*code), *cause, None);
        }
        self.ended(*unsent, "closed");
    }

    /// A connect of the application has ended.
    fn ended(&mut self, unsent: usize, how: &str) {
        self.attempts.pop_front();
        // What was accepted after an attempt was called off waits for the next.
        self.awaits_drained &= self.cancelled || !self.attempts.is_empty();
        let over = self.connects - self.attempts.len();
        let untold = self.receipts.iter().filter(|told| told.outcome.is_none() && told.owner <= over).count();
        self.require(untold == 0, format_args!("{untold} messages of which nothing was told, at {how}"));
        self.sum(unsent);
    }

    /// An open connection has ended.
    fn over(&mut self, connection: usize, code: Option<u16>, cause: Cause, error: Option<&Error>) {
        self.silence_is_noticed_on(connection);
        let closing = self.attempts.front().and_then(|attempt| attempt.closing);
        let Served { sent, delivered, closed, wronged, loses, .. } = &self.served[connection];
        let (all, delivered, wronged, loses) = (sent.len(), *delivered, *wronged, *loses);
        let closed = closed.clone();
        // No message follows a close frame: the server sends none after it.
        let by_frame = code.is_some_and(|code| code != 1006) && error.is_none();
        let by_end = matches!(error, Some(Error::Lost(None)));
        if (by_frame || by_end) && !(by_end && loses) {
            self.require(
                delivered == all,
                format_args!(
                    "{} of {all} messages never came out of connection {connection}",
                    all.saturating_sub(delivered)
                ),
            );
        }
        if cause == Cause::Lost && !self.paused {
            let unread = lock(&self.served[connection].link).unread();
            self.require(unread == 0, format_args!("lost, and {unread} bytes were there that nobody read"));
        }
        match (&closed, closing) {
            (Some((server_code, _)), None) if by_frame && cause != Cause::Application => {
                let expected = server_code.unwrap_or(1005);
                self.require(code == Some(expected), format_args!("closed with {code:?} and not {expected}"));
            }
            _ => {}
        }
        let wished = closing.is_some() && cause == Cause::Application && (code != Some(1006) || self.paused);
        // A deadline less than half a second before the end of a freeze is not known to have expired in it.
        let limit = self.attempts.front().map_or(Duration::ZERO, |attempt| {
            let answers = attempt.terms.pong_timeout.unwrap_or_default() + Duration::from_secs(1);
            answers.max(attempt.terms.close_timeout).max(PROBE_TIMEOUT)
        });
        let half = Duration::from_millis(500);
        let unknown = self.freezer.just_ended(self.round_trip()).is_some_and(|length| length < limit + half);
        self.require(
            wished || wronged.is_some() || unknown,
            format_args!("connection {connection} ended ({cause:?}, {code:?}), and nothing was done to it"),
        );
    }

    fn silence_is_noticed(&mut self) {
        if let Some(open) = self.attempts.front().and_then(|attempt| attempt.open) {
            self.silence_is_noticed_on(open);
        }
    }

    /// A silent peer must be detected in time.
    fn silence_is_noticed_on(&mut self, connection: usize) {
        let Some(attempt) = self.attempts.front() else { return };
        let (Some(interval), Some(timeout)) = (attempt.terms.ping_interval, attempt.terms.pong_timeout)
        else {
            return;
        };
        if self.paused || attempt.closing.is_some() {
            return;
        }
        let since = {
            let link = lock(&self.served[connection].link);
            link.client_read_at.max(link.acknowledged_at()).max(self.last_paused).min(Instant::now())
        };
        let tick = Duration::from_secs(1);
        self.on_time("noticing silence", since, interval + tick + 2 * (timeout + tick));
    }

    /// Whether an attempt or a connection is active.
    pub fn awaits_end(&self) -> bool {
        !self.attempts.is_empty() && !self.dropped
    }

    /// The longest time that closing may take.
    pub fn close_timeout(&self) -> Duration {
        let all = self.attempts.iter().map(|attempt| attempt.terms.close_timeout);
        all.max().unwrap_or(Duration::ZERO)
    }

    /// The connection that is open when the client is dropped, if there is time to send buffered data.
    pub fn left_open(&self, buffered: usize) -> Option<usize> {
        let attempt = self.attempts.front()?;
        let open = attempt.open.filter(|_| attempt.closing.is_none() && !attempt.failed)?;
        let round_trips = 2 + 2 * buffered / lock(&self.served[open].link).capacity;
        (self.round_trip() * round_trips as u32 <= attempt.terms.close_timeout).then_some(open)
    }

    /// The life has ended. `left_open` is the connection that was open when the client was dropped.
    pub fn concludes(&mut self, left_open: Option<usize>, statistics: Option<&Statistics>) {
        if let Some(open) = left_open
            && self.served[open].wronged.is_none()
            && self.freezer.is_unused()
        {
            let owner = self.connects + 1 - self.attempts.len();
            let opened_at = self.attempts.front().map_or(self.start, |attempt| attempt.opened_at);
            let code = self.served[open].client_closed;
            self.require(
                code == Some(Some(1001)),
                format_args!("a client that is gone closed with {code:?}"),
            );
            let missing: Vec<usize> = (0..)
                .zip(&self.messages)
                .filter(|(_, message)| message.owner == owner && message.complete)
                .filter(|(_, message)| message.arrived.is_none() && message.told.is_none())
                .filter(|(_, message)| self.all_have_receipts || message.accepted_at >= opened_at)
                .map(|(number, _)| number)
                .collect();
            self.require(
                missing.is_empty(),
                format_args!("messages {missing:?} were accepted and never came"),
            );
        }
        if let Some(statistics) = statistics {
            // What was accepted after an attempt was called off waits for the next.
            let of_connects = self.messages.iter().filter(|message| message.owner <= self.connects);
            let waits = of_connects.clone().count() < self.messages.len();
            let complete = of_connects.filter(|message| message.complete);
            let (accepted, sent) = (complete.count() as u64, statistics.messages_sent);
            let unsent = self.unsent as u64;
            self.require(
                accepted == sent + unsent,
                format_args!("{accepted} messages accepted, {sent} sent and {unsent} told as unsent"),
            );
            self.require(waits || statistics.buffered_bytes == 0, format_args!("bytes are left over"));
        }
    }
}

#[cfg(test)]
mod tests {
    use net_websocket::internals::client::Times;
    use net_websocket::internals::simulation::Wire;

    use super::*;
    use crate::chance::Chance;
    use crate::network::{Owner, connection};

    struct Nobody;

    impl Owner for Nobody {
        fn is_gone(&self) {}
        fn meanwhile(&self, _percent: usize) {}
    }

    const TERMS: Terms = Terms {
        connect_timeout: Duration::from_secs(10),
        shortest_phase: None,
        ping_interval: Some(Duration::from_secs(5)),
        pong_timeout: Some(Duration::from_secs(5)),
        close_timeout: Duration::from_secs(1),
        in_pieces: false,
        reconnect: None,
    };

    /// A life up to an open connection with one message in each direction.
    fn open() -> (Judge, Box<dyn Wire>) {
        let freezer = Arc::new(Freezer::default());
        let mut judge = Judge::new(freezer.clone(), true, false, Duration::ZERO);
        judge.connects(TERMS);
        let (client, _server) = connection(&mut Chance::new(0), Duration::ZERO, freezer, Box::new(Nobody));
        let number = judge.serves(client.link());
        judge.opened(number);
        judge.accepted(MessageType::Text, b"000000", true, true, true);
        judge.served[number].sent.push((MessageType::Text, b"answer".to_vec()));
        (judge, Box::new(client))
    }

    fn closed(judge: &mut Judge, unsent: usize) {
        judge.closed(&Closed {
            code: 1000,
            reason: String::new(),
            cause: Cause::Application,
            unsent,
            times: Times::default(),
            peer: PeerClose::None,
        });
    }

    #[tokio::test(start_paused = true)]
    async fn finds_each_broken_promise_and_no_other() {
        type Life = fn(&mut Judge);
        let lives: [(&str, Life); 9] = [
            ("", |_| {}),
            ("told twice", |judge| judge.sent(0, Outcome::Sent)),
            ("came twice", |judge| judge.arrived(0, MessageType::Text, b"000000")),
            ("came changed", |judge| judge.messages[0].payload.push(0)),
            ("nobody sent", |judge| judge.arrived(0, MessageType::Text, b"00000f")),
            ("not what was sent", |judge| judge.message(MessageType::Text, true, true, b"more")),
            ("after the client was dropped", |judge| judge.dropped = true),
            ("never came out", |judge| judge.served[0].sent.push((MessageType::Text, Vec::new()))),
            ("drained", |judge| judge.drained(false)),
        ];
        for (fault, life) in lives {
            let (mut judge, _client) = open();
            if fault == "came changed" {
                life(&mut judge);
            }
            judge.message(MessageType::Text, true, true, b"answer");
            judge.sent(0, Outcome::Sent);
            judge.arrived(0, MessageType::Text, b"000000");
            if fault != "came changed" {
                life(&mut judge);
            }
            judge.closes(1000, CloseStart::Handshake);
            closed(&mut judge, 0);
            let found = judge.faults.iter().any(|found| found.contains(fault));
            assert!(found != fault.is_empty(), "{fault:?}: {:?}", judge.faults);
            assert!(!fault.is_empty() || judge.faults.is_empty(), "{:?}", judge.faults);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn finds_a_repeated_end_a_lost_receipt_and_a_wrong_sum() {
        for (ends, receipt, unsent, fault) in [
            (1, Some(Outcome::Unsent), 1, ""),
            (2, Some(Outcome::Unsent), 1, "every attempt had ended"),
            (1, None, 0, "of which nothing was told"),
            (1, Some(Outcome::Unsent), 2, "in the sum"),
        ] {
            let (mut judge, _client) = open();
            judge.message(MessageType::Text, true, true, b"answer");
            judge.closes(1000, CloseStart::Handshake);
            if let Some(outcome) = receipt {
                judge.sent(0, outcome);
            }
            for _ in 0..ends {
                closed(&mut judge, unsent);
            }
            let found = judge.faults.iter().any(|found| found.contains(fault));
            assert!(found != fault.is_empty(), "{fault:?}: {:?}", judge.faults);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn finds_missed_deadlines_and_allows_for_frozen_time() {
        for (wait, freeze, fault) in
            [(990, 0, false), (1_200, 0, true), (2_100, 2_000, false), (3_400, 1_000, true)]
        {
            let (mut judge, _client) = open();
            judge.message(MessageType::Text, true, true, b"answer");
            judge.sent(0, Outcome::Sent);
            judge.closes(1000, CloseStart::Handshake);
            if freeze > 0 {
                judge.freezer.freeze(Duration::from_millis(freeze), Duration::ZERO);
            }
            tokio::time::advance(Duration::from_millis(wait)).await;
            closed(&mut judge, 0);
            let found = judge.faults.iter().any(|found| found.contains("closing took"));
            assert_eq!(found, fault, "{wait} ms, {freeze} of them frozen: {:?}", judge.faults);
        }
        let (mut judge, _client) = open();
        tokio::time::advance(Duration::from_secs(30)).await;
        judge.looks(0, false, &Statistics::default(), true);
        assert!(judge.faults.iter().any(|found| found.contains("noticing silence")), "{:?}", judge.faults);
    }
}
