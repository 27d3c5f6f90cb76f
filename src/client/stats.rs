//! The counters of a client. Its sessions update them; any thread may read them at any time.

use std::time::Duration;

use crate::sync::atomic::{AtomicU64, Ordering};

/// How long the steps of an attempt took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Looking up the host's addresses.
    pub lookup: Duration,
    /// Connecting to one of them.
    pub tcp: Duration,
    /// Asking a proxy for a tunnel; zero without one.
    pub proxy: Duration,
    /// The TLS handshake; zero without TLS.
    pub tls: Duration,
    /// The upgrade.
    pub upgrade: Duration,
}

/// The statistics of a client, over all its connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Attempts begun.
    pub attempts: u64,
    /// Connections that were open.
    pub connections: u64,
    /// Messages that the kernel has accepted, and the bytes of all frames on the wire, before TLS.
    pub messages_sent: u64,
    /// See [`Statistics::messages_sent`].
    pub bytes_sent: u64,
    /// Messages received completely, and the bytes of all frames on the wire, after TLS.
    pub messages_received: u64,
    /// See [`Statistics::messages_received`].
    pub bytes_received: u64,
    /// Payload bytes of compressed messages (RFC 7692), before and after compression.
    pub deflate_input: u64,
    /// See [`Statistics::deflate_input`].
    pub deflate_output: u64,
    /// Pings sent, by keepalive and by the application.
    pub pings_sent: u64,
    /// Pongs that answered a ping.
    pub pongs_received: u64,
    /// Pings without an answer so far. A pong answers all earlier pings too (RFC 6455 5.5.3).
    pub pings_unanswered: u64,
    /// Pings received, each answered by a pong.
    pub pings_received: u64,
    /// The last round trip of a ping; `None` before the first.
    pub round_trip: Option<Duration>,
    /// Smoothed as in RFC 6298 section 2.
    pub round_trip_smoothed: Option<Duration>,
    /// The shortest round trip.
    pub round_trip_minimum: Option<Duration>,
    /// Bytes and messages that wait to be sent, as [`super::Client::buffered`].
    pub buffered_bytes: usize,
    /// See [`Statistics::buffered_bytes`].
    pub buffered_messages: usize,
    /// The steps of the last connection; `None` before it is open.
    pub timing: Option<Timing>,
}

/// The counters behind [`Statistics`]. One session writes at a time; times are in microseconds, 0 for none.
#[derive(Default)]
pub(super) struct Counters {
    attempts: AtomicU64,
    connections: AtomicU64,
    messages_sent: AtomicU64,
    bytes_sent: AtomicU64,
    messages_received: AtomicU64,
    bytes_received: AtomicU64,
    deflate_input: AtomicU64,
    deflate_output: AtomicU64,
    pings_sent: AtomicU64,
    pings_answered: AtomicU64,
    pongs_received: AtomicU64,
    pings_received: AtomicU64,
    round_trip: AtomicU64,
    round_trip_smoothed: AtomicU64,
    round_trip_minimum: AtomicU64,
}

/// It is cheaper than an atomic addition, and correct while only one session writes at a time.
fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
}

impl Counters {
    pub(super) fn attempt(&self) {
        add(&self.attempts, 1);
    }

    pub(super) fn connection(&self) {
        add(&self.connections, 1);
    }

    pub(super) fn sent_bytes(&self, count: usize) {
        add(&self.bytes_sent, count as u64);
    }

    pub(super) fn sent_messages(&self, count: usize) {
        add(&self.messages_sent, count as u64);
    }

    pub(super) fn messages_sent(&self) -> u64 {
        self.messages_sent.load(Ordering::Relaxed)
    }

    pub(super) fn received_bytes(&self, count: usize) {
        add(&self.bytes_received, count as u64);
    }

    pub(super) fn received_message(&self) {
        add(&self.messages_received, 1);
    }

    pub(super) fn deflated(&self, input: usize, output: usize) {
        add(&self.deflate_input, input as u64);
        add(&self.deflate_output, output as u64);
    }

    pub(super) fn ping_sent(&self) {
        add(&self.pings_sent, 1);
    }

    pub(super) fn ping_received(&self) {
        add(&self.pings_received, 1);
    }

    /// A pong has answered this many pings, the last after `time`.
    pub(super) fn answered(&self, pings: usize, time: Duration) {
        add(&self.pongs_received, 1);
        add(&self.pings_answered, pings as u64);
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX).max(1);
        self.round_trip.store(micros, Ordering::Relaxed);
        let smoothed = match self.round_trip_smoothed.load(Ordering::Relaxed) {
            0 => micros,
            before => (before.saturating_mul(7).saturating_add(micros)) / 8,
        };
        self.round_trip_smoothed.store(smoothed.max(1), Ordering::Relaxed);
        let minimum = match self.round_trip_minimum.load(Ordering::Relaxed) {
            0 => micros,
            before => before.min(micros),
        };
        self.round_trip_minimum.store(minimum, Ordering::Relaxed);
    }

    /// The counters. Other modules provide the remaining fields.
    pub(super) fn snapshot(&self) -> Statistics {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let time = |counter: &AtomicU64| match counter.load(Ordering::Relaxed) {
            0 => None,
            micros => Some(Duration::from_micros(micros)),
        };
        Statistics {
            attempts: count(&self.attempts),
            connections: count(&self.connections),
            messages_sent: count(&self.messages_sent),
            bytes_sent: count(&self.bytes_sent),
            messages_received: count(&self.messages_received),
            bytes_received: count(&self.bytes_received),
            deflate_input: count(&self.deflate_input),
            deflate_output: count(&self.deflate_output),
            pings_sent: count(&self.pings_sent),
            pongs_received: count(&self.pongs_received),
            // Reads one after the other while a session counts.
            pings_unanswered: count(&self.pings_sent).saturating_sub(count(&self.pings_answered)),
            pings_received: count(&self.pings_received),
            round_trip: time(&self.round_trip),
            round_trip_smoothed: time(&self.round_trip_smoothed),
            round_trip_minimum: time(&self.round_trip_minimum),
            buffered_bytes: 0,
            buffered_messages: 0,
            timing: None,
        }
    }
}
