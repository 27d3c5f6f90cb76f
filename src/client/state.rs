//! The states of a connection, and the close codes of an application.

use crate::protocol::{CloseCode, Role};

/// The states of a connection, in the words of RFC 6455.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No attempt was made yet.
    Idle,
    /// An attempt is under way.
    Connecting,
    /// Messages may be sent and received.
    Open,
    /// Either side has asked to close.
    Closing,
    /// The last connection or attempt is over.
    Closed,
}

/// The code to send if an application closes with `code`. It is 1000 if `code` must not be sent (RFC 6455 section 7.4),
/// because a refused close would leave the connection open. 1000 to 1003, 1007 to 1014 and 3000 to 4999 may be sent.
pub fn close_code(code: u32) -> CloseCode {
    close_code_of(Role::Client, code)
}

/// The same for the given side. A server does not close with 1010.
pub(super) fn close_code_of(role: Role, code: u32) -> CloseCode {
    let sendable = u16::try_from(code).ok().filter(|code| role.may_close_with(*code));
    sendable.map_or(CloseCode::Normal, CloseCode::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_code_that_must_not_be_sent_becomes_1000() {
        let bad =
            [0, 1, 100, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535, 66_536, 66_537, u32::MAX];
        for code in bad {
            assert_eq!(u16::from(close_code(code)), 1000, "{code}");
        }
        for code in (1000..=1003).chain(1007..=1014).chain([3000, 3999, 4000, 4999]) {
            assert_eq!(u32::from(u16::from(close_code(code))), code);
            let of_server = close_code_of(Role::Server, code);
            assert_eq!(u32::from(u16::from(of_server)), if code == 1010 { 1000 } else { code });
        }
    }
}
