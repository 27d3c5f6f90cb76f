//! The causes of failures and ends, in classes that need different reactions. Knows no error type.

use std::ops::BitOr;

use crate::protocol::may_be_sent;

/// The class of a failure or an end. Classes differ in the reaction they need. The numbers are those of the C API and
/// never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cause {
    /// The host's name has no address, or its lookup failed.
    Lookup = 1,
    /// No connection to the host: refused, unreachable, or broken off before it was open.
    Connect = 2,
    /// The attempt took too long.
    Timeout = 3,
    /// The TLS handshake failed for another reason than a certificate.
    Tls = 4,
    /// A certificate was refused by one side, or a certificate file is unusable.
    Certificate = 5,
    /// The server, or a proxy, answered the upgrade with HTTP 400 to 499.
    Http4xx = 6,
    /// The server, or a proxy, answered with HTTP 500 to 599.
    Http5xx = 7,
    /// The answer was neither an upgrade nor one of the statuses above (RFC 6455 section 4.1).
    Upgrade = 8,
    /// An open connection broke, or the peer was silent for too long. Also a close with 1000, or without a code, after
    /// an absence: this side stood still for 10 s or more, and the peer has answered no ping since.
    Lost = 9,
    /// The peer broke RFC 6455. A flawed close frame has the cause of its code instead, if the code has one.
    Protocol = 10,
    /// The peer closed with 1001, 1011, 1012 or 1013: it leaves, or cannot serve now.
    Restart = 11,
    /// The peer closed with another code.
    Closed = 12,
    /// The application closed the client.
    Application = 13,
    /// The application did not prepare the attempt, or not in time.
    Prepare = 14,
    /// The URL or headers that the application prepared are invalid.
    Options = 15,
    /// A defect of this library.
    Internal = 16,
    /// The server ended the connection properly, and did not answer the upgrade.
    NoAnswer = 17,
}

impl Cause {
    /// The class of a peer's close code (RFC 6455 section 7.4.1 and the IANA registry).
    pub(super) fn of_close(code: u16) -> Self {
        match code {
            1001 | 1011..=1013 => Self::Restart,
            _ => Self::Closed,
        }
    }

    /// The class of the code in a flawed close frame. The peer said that the connection ends, so the code decides and
    /// not the flaw.
    pub(super) fn of_flawed_close(code: u16) -> Self {
        match code {
            // Section 7.1.5 reserves these codes for an end without a close frame or without a code. Some peers send
            // them.
            1005 => Self::Closed,
            1006 => Self::Lost,
            _ if may_be_sent(code) => Self::of_close(code),
            _ => Self::Protocol,
        }
    }

    /// The class of an HTTP status other than 101.
    pub(super) fn of_status(status: u16) -> Self {
        match status {
            400..=499 => Self::Http4xx,
            500..=599 => Self::Http5xx,
            _ => Self::Upgrade,
        }
    }
}

/// A set of [`Cause`]s: bit 1 is for cause 1, and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Causes(u32);

impl Causes {
    /// The causes that may pass by themselves.
    pub const TRANSIENT: Self = Self::of(Cause::Lookup)
        .with(Cause::Connect)
        .with(Cause::Timeout)
        .with(Cause::Tls)
        .with(Cause::Http5xx)
        .with(Cause::Lost)
        .with(Cause::Restart)
        .with(Cause::Prepare);
    /// All causes that a retry can follow. The application's own close is not one.
    pub const ALL: Self = Self(0x3_fffe).without(Cause::Application);

    /// The set of one cause.
    pub const fn of(cause: Cause) -> Self {
        Self(1 << cause as u8)
    }

    /// The set of a mask. `None` if a bit is not a cause.
    pub const fn from_bits(bits: u32) -> Option<Self> {
        if bits & !Self::ALL.0 == 0 { Some(Self(bits)) } else { None }
    }

    /// The mask.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether `cause` is in the set.
    pub const fn contains(self, cause: Cause) -> bool {
        self.0 & (1 << cause as u8) != 0
    }

    const fn with(self, cause: Cause) -> Self {
        Self(self.0 | 1 << cause as u8)
    }

    const fn without(self, cause: Cause) -> Self {
        Self(self.0 & !(1 << cause as u8))
    }
}

impl BitOr for Causes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
