//! The protocol violations of a peer on an open connection.

use std::fmt;

use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// A peer's violation on an open connection. Each text names the section of RFC 6455 that it breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// A reserved bit is set, but no extension defines it.
    ReservedBits,
    /// An opcode that is not defined.
    ReservedOpcode(u8),
    /// A frame from the server is masked.
    MaskedFrame,
    /// A frame from the client is not masked.
    UnmaskedFrame,
    /// A control frame without FIN.
    FragmentedControl,
    /// A control frame over 125 bytes.
    ControlTooLong,
    /// A payload length that is not in its shortest form, or over 2^63 - 1.
    LengthEncoding,
    /// A continuation frame without a message to continue.
    UnexpectedContinuation,
    /// A new message inside a fragmented one.
    ExpectedContinuation,
    /// Text that is not UTF-8.
    InvalidUtf8,
    /// A close payload of one byte.
    ClosePayload,
    /// A close code that must not be on the wire.
    CloseCode(u16),
    /// The reason after this close code is not UTF-8.
    CloseReason(u16),
    /// A compressed message that cannot be decompressed.
    Inflate,
    /// A message over the configured limit.
    MessageTooBig {
        /// The limit in bytes.
        limit: u64,
    },
    /// The system has no memory for a message. The peer is not at fault, but the connection ends in the same way.
    NoMemory,
}

impl ProtocolError {
    /// The close code to answer with (RFC 6455 section 7.4.1).
    pub fn close_code(self) -> CloseCode {
        match self {
            Self::ReservedBits
            | Self::ReservedOpcode(_)
            | Self::MaskedFrame
            | Self::UnmaskedFrame
            | Self::FragmentedControl
            | Self::ControlTooLong
            | Self::LengthEncoding
            | Self::UnexpectedContinuation
            | Self::ExpectedContinuation
            | Self::ClosePayload
            | Self::CloseCode(_) => CloseCode::Protocol,
            // RFC 7692 section 6.2 prescribes no code. 1007 is "data inconsistent with the type of the message".
            Self::InvalidUtf8 | Self::CloseReason(_) | Self::Inflate => CloseCode::Invalid,
            Self::MessageTooBig { .. } | Self::NoMemory => CloseCode::Size,
        }
    }

    /// Whether the fault is in the content of a close frame. The peer was closing the connection then.
    pub fn is_of_close_frame(self) -> bool {
        self == Self::ClosePayload || self.flawed_close().is_some()
    }

    /// The code of a faulty close frame.
    pub fn flawed_close(self) -> Option<u16> {
        match self {
            Self::CloseCode(code) | Self::CloseReason(code) => Some(code),
            Self::ReservedBits
            | Self::ReservedOpcode(_)
            | Self::MaskedFrame
            | Self::UnmaskedFrame
            | Self::FragmentedControl
            | Self::ControlTooLong
            | Self::LengthEncoding
            | Self::UnexpectedContinuation
            | Self::ExpectedContinuation
            | Self::InvalidUtf8
            | Self::ClosePayload
            | Self::Inflate
            | Self::MessageTooBig { .. }
            | Self::NoMemory => None,
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedBits => {
                f.write_str("a frame has a reserved bit set that no extension defines (RFC 6455 5.2)")
            }
            Self::ReservedOpcode(code) => {
                write!(f, "a frame has the reserved opcode {code:#x} (RFC 6455 5.2)")
            }
            Self::MaskedFrame => f.write_str("a frame from the server is masked (RFC 6455 5.1)"),
            Self::UnmaskedFrame => f.write_str("a frame from the client is not masked (RFC 6455 5.1)"),
            Self::FragmentedControl => f.write_str("a control frame is fragmented (RFC 6455 5.5)"),
            Self::ControlTooLong => f.write_str("a control frame is longer than 125 bytes (RFC 6455 5.5)"),
            Self::LengthEncoding => {
                f.write_str("a payload length is not in its shortest form or too large (RFC 6455 5.2)")
            }
            Self::UnexpectedContinuation => {
                f.write_str("a continuation frame came with no message to continue (RFC 6455 5.4)")
            }
            Self::ExpectedContinuation => {
                f.write_str("a new message began inside a fragmented one (RFC 6455 5.4)")
            }
            Self::InvalidUtf8 => f.write_str("text is not valid UTF-8 (RFC 6455 8.1)"),
            Self::Inflate => f.write_str("a compressed message cannot be decompressed (RFC 7692 7.2.2)"),
            Self::ClosePayload => f.write_str("a close frame has a payload of one byte (RFC 6455 5.5.1)"),
            Self::CloseCode(code) => {
                write!(f, "a close frame carries the code {code}, which must not be sent (RFC 6455 7.4)")
            }
            Self::CloseReason(code) => write!(
                f,
                "the reason of a close frame with the code {code} is not valid UTF-8 (RFC 6455 5.5.1)"
            ),
            Self::MessageTooBig { limit } => {
                write!(f, "a message is larger than the limit of {limit} bytes (RFC 6455 10.4)")
            }
            Self::NoMemory => f.write_str("the system has no memory for a message"),
        }
    }
}

impl std::error::Error for ProtocolError {}
