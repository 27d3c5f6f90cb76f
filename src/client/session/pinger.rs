//! The pings of a connection: those of keepalive, those of the application, and the probe after a network change or a
//! sleep.
//!
//! Decides when to ping, knows which pings have no pong, and when silence means that the peer is gone. Sends nothing
//! itself.

use std::collections::VecDeque;
use std::time::Duration;

use super::ack_progress::AckProgress;
use super::writer::Writer;
use crate::client::keepalive::{Due, Keepalive};
use crate::client::moment::Moment;

/// The most pings that are remembered without a pong. Beyond it the oldest is forgotten.
const UNANSWERED_PINGS_MAX: usize = 32;
/// The time for an answer after a change of the network.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);
/// The time for an answer after a sleep. The device may need seconds to join its network again, and reports nothing.
const SLEPT_PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// Data that arrives within this time after a change may be older than the change.
const PROBE_STALE: Duration = Duration::from_millis(250);

/// See the module.
pub(super) struct Pinger {
    keepalive: Keepalive,
    /// Pings that no pong has answered, oldest first, each with the time of sending.
    unanswered: VecDeque<(Vec<u8>, Moment)>,
    /// The number in the last numbered ping.
    number: u32,
    /// Set while a probe is unanswered: the answer shows that the connection has survived.
    probe: Option<Box<Probe>>,
    /// Set while an answer is missing and the peer's acknowledgements may extend its deadline.
    ack_progress: Option<Box<AckProgress>>,
    /// Something was written since the last ping of the keepalive.
    wrote: bool,
    /// The end of this side's last long absence. Cleared when a later ping is answered.
    absent_until: Option<Moment>,
}

struct Probe {
    doubt: Doubt,
    sent_at: Moment,
    by: Moment,
}

/// Why the peer may be gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    NetworkChanged,
    /// The device slept, and the peer may have given up the connection.
    Slept,
}

impl Doubt {
    /// The time for the peer's answer.
    fn limit(self) -> Duration {
        match self {
            Self::NetworkChanged => PROBE_TIMEOUT,
            Self::Slept => SLEPT_PROBE_TIMEOUT,
        }
    }
}

/// The action that is due.
pub(super) enum PingDue {
    Nothing,
    /// A ping of keepalive. `idle` says that nothing was written since the previous one.
    Ping {
        idle: bool,
    },
    /// No data arrived within this time after a ping.
    NoPong(Duration),
    /// No data arrived within this time after the probe.
    NoProbeAnswer(Doubt, Duration),
}

impl Pinger {
    pub(super) fn new(keepalive: Keepalive) -> Self {
        Self {
            keepalive,
            unanswered: VecDeque::new(),
            number: 0,
            probe: None,
            ack_progress: None,
            wrote: false,
            absent_until: None,
        }
    }

    /// When to call [`Pinger::due`] next.
    pub(super) fn deadline(&self) -> Option<Moment> {
        let probe_by = self.probe.as_ref().map(|probe| probe.by);
        Moment::first_of([self.keepalive.deadline(), probe_by])
    }

    /// The time at which silence means that the peer is gone.
    pub(super) fn gives_up_at(&self) -> Option<Moment> {
        let probe_by = self.probe.as_ref().map(|probe| probe.by);
        Moment::first_of([self.keepalive.gives_up_at(), probe_by])
    }

    /// Bytes came from the peer.
    pub(super) fn received(&mut self, now: Moment) {
        self.keepalive.alive();
        // Data of the old network may have waited in the kernel.
        self.probe.take_if(|probe| now > probe.sent_at + PROBE_STALE);
        // While the probe waits, acknowledgements ahead of it still count.
        if self.probe.is_none() {
            self.ack_progress = None;
        }
    }

    /// Our close frame is queued, and nothing follows it. From now on the close timeout applies to silence.
    pub(super) fn stop(&mut self) {
        self.keepalive.stop();
    }

    /// Bytes went to the peer.
    pub(super) fn wrote(&mut self) {
        self.wrote = true;
    }

    /// Reading was paused until `now`: the peer's silence proves nothing.
    pub(super) fn resumed(&mut self, now: Moment) {
        self.keepalive.resumed(now);
    }

    /// Every answer gets its whole time again: reading is still paused or was impossible, or the peer acknowledges data
    /// ahead of a ping.
    pub(super) fn restart_deadlines(&mut self, now: Moment) {
        self.keepalive.resumed(now);
        if let Some(probe) = &mut self.probe {
            probe.by = now + probe.doubt.limit();
        }
    }

    /// True while a probe is unanswered.
    pub(super) fn is_probing(&self) -> bool {
        self.probe.is_some()
    }

    /// The process or the device stood still so long that the peer may have given up this side.
    pub(super) fn was_absent(&mut self, now: Moment) {
        if self.has_keepalive() {
            self.absent_until = Some(now);
        }
    }

    /// Whether the peer has answered since this side's long absence.
    pub(super) fn has_met_again(&self) -> bool {
        self.absent_until.is_none()
    }

    /// Whether pings are sent automatically.
    pub(super) fn has_keepalive(&self) -> bool {
        self.keepalive.deadline().is_some()
    }

    /// From now on the next bytes from the peer must prove that the connection has survived.
    pub(super) fn begin_probe(&mut self, doubt: Doubt, now: Moment) {
        self.probe = Some(Box::new(Probe { doubt, sent_at: now, by: now + doubt.limit() }));
    }

    /// A payload by which a ping's pong is recognised.
    pub(super) fn next_payload(&mut self) -> [u8; 4] {
        self.number = self.number.wrapping_add(1);
        self.number.to_be_bytes()
    }

    /// A ping is about to be queued, or waits behind unacknowledged data. Progress of these data counts as a sign of life.
    pub(super) fn watch_acknowledgements(&mut self, writer: &Writer) {
        if self.ack_progress.is_none() {
            self.ack_progress = AckProgress::ahead(writer).map(Box::new);
        }
    }

    /// A ping was queued.
    pub(super) fn sent(&mut self, payload: Vec<u8>, now: Moment) {
        if self.unanswered.len() >= UNANSWERED_PINGS_MAX {
            self.unanswered.pop_front();
        }
        self.unanswered.push_back((payload, now));
    }

    /// A pong arrived. It answers the latest ping with its payload, and all earlier pings (RFC 6455 section 5.5.3).
    /// Returns their number, and the time since the latest was sent. `None` if no ping had this payload.
    pub(super) fn answered(&mut self, payload: &[u8]) -> Option<(usize, Duration)> {
        let at = self.unanswered.iter().rposition(|(sent, _)| sent == payload)?;
        let (_, sent_at) = self.unanswered.drain(..=at).next_back()?;
        self.probe.take_if(|probe| sent_at >= probe.sent_at);
        self.absent_until.take_if(|until| sent_at >= *until);
        Some((at + 1, sent_at.elapsed()))
    }

    pub(super) fn due(&mut self, now: Moment, writer: &Writer) -> PingDue {
        // Progress since the last look is told once. It counts for the deadline of the probe and for that of keepalive.
        if self.gives_up_at().is_some_and(|by| by <= now) && self.peer_acknowledges(writer) {
            self.restart_deadlines(now);
        }
        if let Some(probe) = self.probe.as_ref().filter(|probe| probe.by <= now) {
            return PingDue::NoProbeAnswer(probe.doubt, probe.doubt.limit());
        }
        match self.keepalive.due(now) {
            Due::Nothing => PingDue::Nothing,
            Due::Ping => PingDue::Ping { idle: !std::mem::take(&mut self.wrote) },
            Due::Dead(limit) => PingDue::NoPong(limit),
        }
    }

    /// Whether the peer has acknowledged more of the data ahead of the ping.
    fn peer_acknowledges(&mut self, writer: &Writer) -> bool {
        self.ack_progress.as_mut().is_some_and(|progress| progress.advanced(writer))
    }
}
