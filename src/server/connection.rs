//! An accepted connection, for the owner of its server.

use std::sync::Arc;

use super::place::Remote;
use crate::client::{
    Client, CloseError, CloseStart, MessageType, PingError, Receipt, SendError, State, Statistics,
};

/// The close reason when the server stops.
const GOING_AWAY: u32 = 1001;
const GOING_AWAY_REASON: &str = "server is going away";

/// The facts of a connection, known from its upgrade on.
#[derive(Debug)]
pub struct ConnectionInfo {
    /// The number of the connection on its server, from 1.
    pub id: u64,
    /// The address of the client.
    pub remote: Remote,
    /// The requested path and query.
    pub target: Box<str>,
    /// The negotiated sub-protocol.
    pub protocol: Option<Box<str>>,
}

/// See the module. Every method may be called from any thread, and none waits for the network.
#[derive(Debug)]
pub struct Connection {
    info: Arc<ConnectionInfo>,
    client: Client,
}

impl Connection {
    pub(super) fn new(info: Arc<ConnectionInfo>, client: Client) -> Self {
        Self { info, client }
    }

    /// The facts of the connection.
    pub fn info(&self) -> &ConnectionInfo {
        &self.info
    }

    /// The current state of the connection.
    pub fn state(&self) -> State {
        self.client.state()
    }

    /// See [`Client::send`].
    pub fn send(&self, kind: MessageType, payload: &[u8]) -> Result<(), SendError> {
        self.client.send(kind, payload)
    }

    /// See [`Client::send_with_receipt`].
    pub fn send_with_receipt(
        &self,
        kind: MessageType,
        payload: &[u8],
        receipt: Receipt,
    ) -> Result<(), SendError> {
        self.client.send_with_receipt(kind, payload, receipt)
    }

    pub(super) fn send_shared(&self, header: &[u8], payload: &Arc<[u8]>) -> Result<(), SendError> {
        self.client.send_shared(header, payload)
    }

    /// Closes the connection because the server stops. A connection that is already closing is not an error.
    pub(super) fn go_away(&self) {
        let _ = self.close(GOING_AWAY, GOING_AWAY_REASON);
    }

    /// Ends the connection without waiting for the client.
    pub(super) fn hurry(&self) {
        self.client.hurry();
    }

    /// Whether the queue is above the low-water mark, so that [`crate::client::Listener::drained`] follows.
    pub fn is_above_low_water(&self) -> bool {
        self.client.is_above_low_water()
    }

    /// See [`Client::ping`].
    pub fn ping(&self, payload: &[u8]) -> Result<(), PingError> {
        self.client.ping(payload)
    }

    /// See [`Client::close`].
    pub fn close(&self, code: u32, reason: &str) -> Result<CloseStart, CloseError> {
        self.client.close(code, reason)
    }

    /// See [`Client::buffered`].
    pub fn buffered(&self) -> usize {
        self.client.buffered()
    }

    /// See [`Client::statistics`].
    pub fn statistics(&self) -> Statistics {
        self.client.statistics()
    }
}
