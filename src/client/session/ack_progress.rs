//! Extends the pong deadline during a large upload, because data sent before the ping is still on its way. While the
//! peer's TCP acknowledgements advance towards the ping, the peer is alive (RFC 9293 section 3.4).

use super::writer::Writer;

/// The bytes that were sent before an unanswered ping.
pub(super) struct AckProgress {
    /// Bytes of the connection that the peer had acknowledged at the last look.
    acknowledged: u64,
    /// The bytes of the connection up to the ping's end. It may be a few more if the ping is written.
    ping_end: Option<u64>,
}

impl AckProgress {
    /// Begins before a ping is queued. `None` if no data is ahead of it.
    pub(super) fn ahead(writer: &Writer) -> Option<Self> {
        let (written, acknowledged) = writer.stream.written_and_acknowledged()?;
        let idle = written == acknowledged && writer.out.is_empty();
        (!idle).then_some(Self { acknowledged, ping_end: None })
    }

    /// True if the peer has acknowledged more bytes since the last call, but not the ping. Then the pong timeout restarts.
    pub(super) fn advanced(&mut self, writer: &Writer) -> bool {
        let Some((written, acknowledged)) = writer.stream.written_and_acknowledged() else { return false };
        if acknowledged <= self.acknowledged || self.ping_end.is_some_and(|end| self.acknowledged >= end) {
            return false;
        }
        self.acknowledged = acknowledged;
        if !writer.has_ping() {
            self.ping_end.get_or_insert(written);
        }
        true
    }
}
