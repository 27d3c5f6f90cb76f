//! The counts of a server since its start.

use crate::client::Statistics;

/// The counts of a server, and those of all its connections together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServerStatistics {
    /// Current connections.
    pub open: u64,
    /// Accepted connections.
    pub opened: u64,
    /// Clients refused by a limit.
    pub kept_out: u64,
    /// Clients whose opening handshake failed, or was refused.
    pub not_opened: u64,
    /// Messages that the kernel has accepted, and the bytes of all frames on the wire, before TLS.
    pub messages_sent: u64,
    /// See [`ServerStatistics::messages_sent`].
    pub bytes_sent: u64,
    /// Messages received completely, and the bytes of all frames on the wire, after TLS.
    pub messages_received: u64,
    /// See [`ServerStatistics::messages_received`].
    pub bytes_received: u64,
    /// Bytes queued now.
    pub buffered_bytes: u64,
}

impl ServerStatistics {
    /// Adds the counts of a connection.
    pub(super) fn add(&mut self, counted: &Statistics) {
        self.messages_sent += counted.messages_sent;
        self.bytes_sent += counted.bytes_sent;
        self.messages_received += counted.messages_received;
        self.bytes_received += counted.bytes_received;
        self.buffered_bytes += counted.buffered_bytes as u64;
    }
}
