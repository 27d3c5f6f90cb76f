//! Calls of a server to its connections: broadcast messages, and an end without a close timeout.

use std::sync::Arc;

use super::{Shared, wake};
use crate::client::send_queue::SendError;

impl Shared {
    /// See [`crate::client::send_queue::SendQueue::shared_message`].
    pub(in crate::client) fn send_shared(&self, header: &[u8], payload: &Arc<[u8]>) -> Result<(), SendError> {
        let mut guarded = self.lock();
        guarded.may_send()?;
        guarded.send_queue.shared_message(header, payload)?;
        self.queued(guarded);
        Ok(())
    }

    /// Ends the connection without waiting for the peer's close frame.
    pub(in crate::client) fn hurry(&self) {
        let mut guarded = self.lock();
        guarded.hurried = true;
        wake(guarded);
    }
}
