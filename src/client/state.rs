//! The states of a connection, and the codes that an application may close it with.

use crate::protocol::Role;

/// The states of a connection, in the words of RFC 6455.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No attempt was made yet.
    Idle,
    /// An attempt is under way.
    Connecting,
    /// Messages go both ways.
    Open,
    /// This side or the other has asked to close.
    Closing,
    /// The last connection or attempt is over.
    Closed,
}

/// Whether a client may close with `code` (RFC 6455 section 7.4): 1000 to 1003, 1007 to 1014 or 3000 to 4999.
pub fn may_close_with(code: u16) -> bool {
    Role::Client.may_close_with(code)
}
