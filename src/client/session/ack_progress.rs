//! Why a pong may be late: what was sent before the ping is still on its way. The peer's acknowledgements show that it is
//! there (RFC 9293 section 3.4), until they reach the ping.

use super::writer::Writer;

/// What lay ahead of a ping that is not answered yet.
pub(super) struct Upload {
    /// Bytes of the connection that the peer had acknowledged when it was last looked.
    acknowledged: u64,
    /// Bytes of the connection up to the ping's end, or some more, once it was written.
    ping_end: Option<u64>,
}

impl Upload {
    /// Before a ping is queued. `None` when nothing is ahead of it.
    pub(super) fn ahead(writer: &Writer) -> Option<Self> {
        let (written, acknowledged) = writer.stream.progress()?;
        let idle = written == acknowledged && writer.out.is_empty();
        (!idle).then_some(Self { acknowledged, ping_end: None })
    }

    /// The time for an answer is over: whether the peer is to have it once more.
    pub(super) fn goes_on(&mut self, writer: &Writer) -> bool {
        let Some((written, acknowledged)) = writer.stream.progress() else { return false };
        if acknowledged <= self.acknowledged || self.ping_end.is_some_and(|end| self.acknowledged >= end) {
            return false;
        }
        self.acknowledged = acknowledged;
        if !writer.has_control() {
            self.ping_end.get_or_insert(written);
        }
        true
    }
}
