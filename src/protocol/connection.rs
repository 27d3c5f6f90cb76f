//! The rules of an open connection (RFC 6455 sections 5.5 and 7), in either role.
//!
//! Owns what may still be sent, who closed first and how the connection ended. Knows no socket, no clock and no queue. Its
//! driver reports what happened, and acts on what each method returns.

use std::ops::Range;

use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::error::ProtocolError;
use super::frame::{Control, Role};

/// What a received control frame asks of the driver.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Nothing.
    Nothing,
    /// Send a pong with this payload, ahead of all messages that are not begun.
    SendPong(Range<usize>),
    /// Report this pong to the application.
    DeliverPong(Range<usize>),
    /// The connection is over.
    End(ConnectionEnd),
}

/// A close frame to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseFrame {
    /// The code; without one the payload is empty.
    pub code: Option<CloseCode>,
    /// The reason. [`super::Encoder::close`] cuts it to 123 bytes.
    pub reason: String,
    /// What happens to the messages that were accepted before.
    pub queued: Queued,
}

/// What happens to the accepted messages when a close frame is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queued {
    /// They are sent ahead of the close frame.
    SentFirst,
    /// Messages that are not begun are taken back unsent.
    TakenBack,
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// The peer closed first.
    ClosedByPeer {
        /// The peer's code.
        code: Option<CloseCode>,
        /// The peer's reason.
        reason: String,
    },
    /// We closed first, and the peer's close frame came. It may have crossed ours: its code and reason do not count, even
    /// if they are at fault.
    ClosedByUs {
        /// Our code; 1005 for a frame without one.
        code: CloseCode,
        /// Our reason.
        reason: String,
        /// The peer's code and reason; `None` when its frame is at fault.
        answer: Option<(Option<CloseCode>, String)>,
    },
    /// The peer violated the protocol, so this side fails the connection (RFC 6455 section 7.1.7).
    Violated {
        /// The violation.
        error: ProtocolError,
    },
    /// We closed first, and the peer violated the protocol before its close frame came. The application no longer needs this
    /// connection, so this is not a failure.
    Garbled {
        /// Our code.
        code: CloseCode,
        /// The violation.
        error: ProtocolError,
    },
    /// We closed first, and the peer ended the transport without a close frame.
    HungUp {
        /// Our code.
        code: CloseCode,
    },
    /// We closed first, and no close frame came in time.
    TimedOut {
        /// Our code.
        code: CloseCode,
    },
    /// The transport failed or ended before the closing handshake was done.
    Lost,
}

impl ConnectionEnd {
    /// The code to report: 1005 for a close frame without a code, 1006 without any close frame (RFC 6455 section 7.1.5).
    pub fn code(&self) -> CloseCode {
        match self {
            Self::ClosedByPeer { code, .. } => code.unwrap_or(CloseCode::Status),
            Self::ClosedByUs { code, .. } => *code,
            Self::Violated { error } => error.close_code(),
            Self::Garbled { .. } | Self::HungUp { .. } | Self::TimedOut { .. } | Self::Lost => {
                CloseCode::Abnormal
            }
        }
    }

    /// Whether both sides closed with a close frame (RFC 6455 section 7.1.4). A write failure may have stopped our close frame.
    pub fn is_clean(&self) -> bool {
        match self {
            Self::ClosedByPeer { .. } | Self::ClosedByUs { .. } => true,
            Self::Violated { .. }
            | Self::Garbled { .. }
            | Self::HungUp { .. }
            | Self::TimedOut { .. }
            | Self::Lost => false,
        }
    }

    /// Whether the peer still reads. The driver then sends the rest and ends the TCP connection in order.
    pub fn is_graceful(&self) -> bool {
        match self {
            Self::ClosedByPeer { .. }
            | Self::ClosedByUs { .. }
            | Self::Violated { .. }
            | Self::Garbled { .. } => true,
            Self::HungUp { .. } | Self::TimedOut { .. } | Self::Lost => false,
        }
    }

    /// The close frame that the driver still sends.
    pub fn close_frame(&self) -> Option<CloseFrame> {
        match self {
            // The answer carries the code received (RFC 6455 section 5.5.1).
            Self::ClosedByPeer { code, .. } => {
                Some(CloseFrame { code: *code, reason: String::new(), queued: Queued::TakenBack })
            }
            // Messages accepted before the violation are still sent.
            Self::Violated { error } => Some(CloseFrame {
                code: Some(error.close_code()),
                reason: error.to_string(),
                queued: Queued::SentFirst,
            }),
            Self::ClosedByUs { .. }
            | Self::Garbled { .. }
            | Self::HungUp { .. }
            | Self::TimedOut { .. }
            | Self::Lost => None,
        }
    }
}

/// A connection after its opening handshake.
///
/// Each method with `&mut self` reports one event. `None` means that the event changes nothing. After an end no event
/// changes anything.
#[derive(Debug)]
pub struct Connection {
    role: Role,
    state: CloseState,
    /// Writing failed. Reading continues, because the peer's close frame may give the reason.
    write_failed: bool,
}

#[derive(Debug)]
enum CloseState {
    Open,
    /// We closed first and wait for the peer's close frame.
    Closing {
        code: CloseCode,
        reason: Box<str>,
    },
    Over,
}

impl Connection {
    /// An open connection.
    pub fn new(role: Role) -> Self {
        Self { role, state: CloseState::Open, write_failed: false }
    }

    /// Whether messages and pings may be sent. Nothing follows our close frame (RFC 6455 section 5.5.1).
    pub fn may_send(&self) -> bool {
        matches!(self.state, CloseState::Open)
    }

    /// Whether we closed first and wait for the peer's close frame. The driver sets a deadline for it.
    pub fn awaits_close(&self) -> bool {
        matches!(self.state, CloseState::Closing { .. })
    }

    /// Whether the connection has ended. Until then the peer's messages are delivered, even after our close frame.
    pub fn is_over(&self) -> bool {
        matches!(self.state, CloseState::Over)
    }

    /// Whether the driver sends the rest and then waits for the peer to end the TCP connection.
    pub fn awaits_tcp_end(&self, end: &ConnectionEnd) -> bool {
        end.is_graceful() && !self.role.ends_tcp_first()
    }

    /// A control frame was received.
    pub fn receive(&mut self, control: Control) -> Output {
        match control {
            _ if self.is_over() => Output::Nothing,
            Control::Ping(payload) if self.may_send() => Output::SendPong(payload),
            Control::Ping(_) => Output::Nothing,
            Control::Pong(payload) => Output::DeliverPong(payload),
            Control::Close(code, reason) => Output::End(match self.end() {
                Some((ours, our_reason)) => ConnectionEnd::ClosedByUs {
                    code: ours,
                    reason: our_reason.into(),
                    answer: Some((code, reason)),
                },
                None => ConnectionEnd::ClosedByPeer { code, reason },
            }),
        }
    }

    /// The application closes the connection. The caller has asked [`Role::may_close_with`] about the code; 1005 stands for none
    /// (RFC 6455 section 7.1.5).
    pub fn close(&mut self, code: CloseCode, reason: String) -> Option<CloseFrame> {
        if !self.may_send() {
            return None;
        }
        self.state = CloseState::Closing { code, reason: reason.as_str().into() };
        let code = (code != CloseCode::Status).then_some(code);
        Some(CloseFrame { code, reason, queued: Queued::SentFirst })
    }

    /// The peer violated the protocol.
    pub fn violated(&mut self, error: ProtocolError) -> Option<ConnectionEnd> {
        if self.is_over() {
            return None;
        }
        Some(match self.end() {
            None => ConnectionEnd::Violated { error },
            Some((code, reason)) if error.is_of_close_frame() => {
                ConnectionEnd::ClosedByUs { code, reason: reason.into(), answer: None }
            }
            Some((code, _)) => ConnectionEnd::Garbled { code, error },
        })
    }

    /// Reading ended or failed. `all_written` says that no byte of ours is left to write.
    pub fn read_ended(&mut self, all_written: bool) -> Option<ConnectionEnd> {
        if self.is_over() {
            return None;
        }
        Some(match self.end() {
            // The peer hung up on our close frame, as we asked, so this is not a failure. But no close frame shows that the
            // peer has read all we sent before ours: the code is 1006 (RFC 6455 section 7.1.5).
            Some((code, _)) if all_written => ConnectionEnd::HungUp { code },
            _ => ConnectionEnd::Lost,
        })
    }

    /// Writing failed. The driver reads on until a deadline.
    pub fn write_failed(&mut self) {
        self.write_failed = true;
    }

    /// The deadline for the peer's close frame passed.
    pub fn close_timed_out(&mut self) -> Option<ConnectionEnd> {
        if !self.awaits_close() {
            return None;
        }
        self.end().map(|(code, _)| ConnectionEnd::TimedOut { code })
    }

    /// The deadline for reading on after a write failure passed.
    pub fn read_timed_out(&mut self) -> Option<ConnectionEnd> {
        if self.is_over() || !self.write_failed {
            return None;
        }
        self.end();
        Some(ConnectionEnd::Lost)
    }

    /// Ends the connection. Returns our code and reason if we closed first.
    fn end(&mut self) -> Option<(CloseCode, Box<str>)> {
        match std::mem::replace(&mut self.state, CloseState::Over) {
            CloseState::Closing { code, reason } => Some((code, reason)),
            CloseState::Open | CloseState::Over => None,
        }
    }
}

#[cfg(test)]
mod tests;
