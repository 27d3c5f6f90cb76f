//! The rules as tables: what happens to a connection, and what comes out.

use self::Input::*;
use super::*;

/// An event of a connection.
#[derive(Clone, Copy, Debug)]
enum Input {
    /// The peer sends.
    Message,
    Ping,
    Pong,
    Close(u16, &'static str),
    EmptyClose,
    Violation,
    FlawedClose,
    /// The application asks.
    AskPing,
    AskClose(u16, &'static str),
    /// The transport ends or fails, with all our bytes written or not.
    ReadEnds,
    ReadEndsUnwritten,
    WriteFails,
    /// A deadline passes.
    CloseTimeout,
    ReadTimeout,
}

/// The output, in words.
fn feed(connection: &mut Connection, input: Input) -> String {
    let end = match input {
        Message if connection.is_over() => return "-".into(),
        Message => return "deliver message".into(),
        Ping => return received(connection, Control::Ping(2..5)),
        Pong => return received(connection, Control::Pong(7..9)),
        Close(code, reason) => {
            return received(connection, Control::Close(Some(code.into()), reason.into()));
        }
        EmptyClose => return received(connection, Control::Close(None, String::new())),
        AskPing if connection.may_send() => return "send ping".into(),
        AskPing => return "-".into(),
        AskClose(code, reason) => {
            let frame = connection.close(code.into(), reason.into());
            assert!(frame.is_none() || connection.awaits_close());
            return frame.map_or("-".into(), |frame| sent(&frame));
        }
        WriteFails => {
            connection.write_failed();
            return "-".into();
        }
        Violation => connection.violated(ProtocolError::MaskedFrame),
        FlawedClose => connection.violated(ProtocolError::CloseCode(25_209)),
        ReadEnds => connection.read_ended(true),
        ReadEndsUnwritten => connection.read_ended(false),
        CloseTimeout => connection.close_timed_out(),
        ReadTimeout => connection.read_timed_out(),
    };
    end.map_or("-".into(), |end| ended(connection, &end))
}

fn received(connection: &mut Connection, control: Control) -> String {
    match connection.receive(control) {
        Output::Nothing => "-".into(),
        Output::SendPong(payload) => {
            assert_eq!(payload, 2..5);
            "send pong".into()
        }
        Output::DeliverPong(payload) => {
            assert_eq!(payload, 7..9);
            "deliver pong".into()
        }
        Output::End(end) => ended(connection, &end),
    }
}

fn sent(CloseFrame { code, reason, queued }: &CloseFrame) -> String {
    let code = code.map_or("empty".into(), |code| u16::from(code).to_string());
    // A separate table tests the texts.
    let masked = ProtocolError::MaskedFrame.to_string();
    let reason = if *reason == masked { "violation" } else { reason };
    let place = match queued {
        Queued::SentFirst => "after the queue",
        Queued::TakenBack => "and take back the queue",
    };
    ["send close", &code, reason, place]
        .into_iter()
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn ended(connection: &Connection, end: &ConnectionEnd) -> String {
    assert!(connection.is_over() && !connection.may_send() && !connection.awaits_close());
    let client = connection.role == Role::Client;
    assert_eq!(connection.awaits_tcp_end(end), client && end.is_graceful(), "the server ends TCP first");
    let how = match end {
        ConnectionEnd::ClosedByPeer { reason, .. } => format!("closed by peer {reason}"),
        ConnectionEnd::ClosedByUs { reason, answer, .. } => match answer {
            Some((code, theirs)) => {
                let answer = format!("{} {theirs}", code.map_or(1005, u16::from));
                format!("closed by us {reason}; answered {answer}").replace(" ;", ";")
            }
            None => format!("closed by us {reason}; answered wrongly").replace(" ;", ";"),
        },
        ConnectionEnd::Violated { error } => {
            assert_eq!(*error, ProtocolError::MaskedFrame);
            "violated".into()
        }
        ConnectionEnd::Garbled { code, error } => {
            assert_eq!(*error, ProtocolError::MaskedFrame);
            format!("garbled after our {}", u16::from(*code))
        }
        ConnectionEnd::HungUp { code } => format!("hung up after our {}", u16::from(*code)),
        ConnectionEnd::TimedOut { code } => format!("timed out after our {}", u16::from(*code)),
        ConnectionEnd::Lost => "lost".into(),
    };
    let order = match (end.is_clean(), end.is_graceful()) {
        (true, true) => "clean",
        (false, true) => "graceful",
        (false, false) => "abrupt",
        (true, false) => unreachable!("a clean end is graceful"),
    };
    let frame = end.close_frame().map_or(String::new(), |frame| format!("; {}", sent(&frame)));
    format!("{} {}, {order}{frame}", u16::from(end.code()), how.trim_end())
}

/// A name, then events with their outputs. Each row holds in both roles.
type Row = (&'static str, &'static [(Input, &'static str)]);

#[rustfmt::skip]
const OPEN: &[Row] = &[
    ("a ping is answered", &[(Ping, "send pong"), (Ping, "send pong")]),
    ("a pong is delivered", &[(Pong, "deliver pong")]),
    ("a message is delivered", &[(Message, "deliver message")]),
    ("the application pings", &[(AskPing, "send ping")]),
    ("an end without a close frame is a loss", &[(ReadEnds, "1006 lost, abrupt")]),
    ("so it is with messages unwritten", &[(ReadEndsUnwritten, "1006 lost, abrupt"), (ReadEnds, "-")]),
    ("no deadline runs", &[(CloseTimeout, "-"), (ReadTimeout, "-"), (Ping, "send pong")]),
    ("nothing follows a loss", &[
        (ReadEnds, "1006 lost, abrupt"),
        (Close(1000, ""), "-"),
        (Violation, "-"),
        (AskClose(1000, ""), "-"),
    ]),
];

#[rustfmt::skip]
const CLOSED_BY_PEER: &[Row] = &[
    ("the answer has the code and no reason", &[
        (Close(1001, "away"), "1001 closed by peer away, clean; send close 1001 and take back the queue"),
    ]),
    ("a private code is answered", &[
        (Close(4000, ""), "4000 closed by peer, clean; send close 4000 and take back the queue"),
    ]),
    ("no code is answered by none", &[
        (EmptyClose, "1005 closed by peer, clean; send close empty and take back the queue"),
    ]),
    ("nothing is processed afterwards", &[
        (Close(1000, ""), "1000 closed by peer, clean; send close 1000 and take back the queue"),
        (Message, "-"),
        (Ping, "-"),
        (Pong, "-"),
        (Violation, "-"),
        (Close(1001, "again"), "-"),
        (ReadEnds, "-"),
    ]),
    ("the application is too late", &[
        (Close(1000, ""), "1000 closed by peer, clean; send close 1000 and take back the queue"),
        (AskPing, "-"),
        (AskClose(1001, "late"), "-"),
        (CloseTimeout, "-"),
    ]),
];

#[rustfmt::skip]
const CLOSED_BY_US: &[Row] = &[
    ("the queue is sent first", &[(AskClose(1000, "bye"), "send close 1000 bye after the queue")]),
    ("the peer answers", &[
        (AskClose(1000, "bye"), "send close 1000 bye after the queue"),
        (Close(1000, ""), "1000 closed by us bye; answered 1000, clean"),
    ]),
    ("a close without a code", &[
        (AskClose(1005, ""), "send close empty after the queue"),
        (EmptyClose, "1005 closed by us; answered 1005, clean"),
    ]),
    ("crossing closes: ours counts", &[
        (AskClose(3000, "ours"), "send close 3000 ours after the queue"),
        (Close(1001, "theirs"), "3000 closed by us ours; answered 1001 theirs, clean"),
    ]),
    ("the answer has no code: ours counts", &[
        (AskClose(1001, ""), "send close 1001 after the queue"),
        (EmptyClose, "1001 closed by us; answered 1005, clean"),
    ]),
    ("a ping afterwards is not answered", &[
        (AskClose(1000, ""), "send close 1000 after the queue"),
        (Ping, "-"),
        (Close(1000, ""), "1000 closed by us; answered 1000, clean"),
    ]),
    ("no ping is sent afterwards", &[
        (AskPing, "send ping"),
        (AskClose(1000, ""), "send close 1000 after the queue"),
        (AskPing, "-"),
    ]),
    ("what the peer sends is delivered until its close frame", &[
        (AskClose(1000, ""), "send close 1000 after the queue"),
        (Message, "deliver message"),
        (Pong, "deliver pong"),
        (Close(1000, ""), "1000 closed by us; answered 1000, clean"),
        (Message, "-"),
    ]),
    ("a second request changes nothing", &[
        (AskClose(1000, "first"), "send close 1000 first after the queue"),
        (AskClose(1001, "second"), "-"),
        (Close(1001, ""), "1000 closed by us first; answered 1001, clean"),
    ]),
    ("the peer hangs up instead", &[
        (AskClose(1000, "bye"), "send close 1000 bye after the queue"),
        (ReadEnds, "1006 hung up after our 1000, abrupt"),
    ]),
    ("it hangs up before it can have all of ours", &[
        (AskClose(1000, "bye"), "send close 1000 bye after the queue"),
        (ReadEndsUnwritten, "1006 lost, abrupt"),
    ]),
    ("no close frame comes in time", &[
        (AskClose(1001, ""), "send close 1001 after the queue"),
        (CloseTimeout, "1006 timed out after our 1001, abrupt"),
        (Close(1001, ""), "-"),
        (CloseTimeout, "-"),
    ]),
    ("only a write failure limits the reading", &[
        (AskClose(1000, ""), "send close 1000 after the queue"),
        (ReadTimeout, "-"),
        (Close(1000, ""), "1000 closed by us; answered 1000, clean"),
    ]),
];

#[rustfmt::skip]
const VIOLATIONS: &[Row] = &[
    ("the queue is sent, then why", &[
        (Violation, "1002 violated, graceful; send close 1002 violation after the queue"),
    ]),
    ("nothing is processed afterwards", &[
        (Violation, "1002 violated, graceful; send close 1002 violation after the queue"),
        (Close(1000, ""), "-"),
        (Message, "-"),
        (Ping, "-"),
        (AskClose(1000, ""), "-"),
        (Violation, "-"),
    ]),
    ("behind our close frame it is no failure", &[
        (AskClose(1000, "bye"), "send close 1000 bye after the queue"),
        (Violation, "1006 garbled after our 1000, graceful"),
        (Close(1000, ""), "-"),
    ]),
    ("a flawed close frame answers ours", &[
        (AskClose(4001, "bye"), "send close 4001 bye after the queue"),
        (FlawedClose, "4001 closed by us bye; answered wrongly, clean"),
        (Violation, "-"),
    ]),
];

#[rustfmt::skip]
const WRITE_FAILURES: &[Row] = &[
    ("the peer's close frame says why", &[
        (WriteFails, "-"),
        (Message, "deliver message"),
        (Close(1009, "too big"), "1009 closed by peer too big, clean; send close 1009 and take back the queue"),
    ]),
    ("the peer has said nothing", &[(WriteFails, "-"), (ReadEndsUnwritten, "1006 lost, abrupt")]),
    ("no end comes in time", &[
        (WriteFails, "-"),
        (Pong, "deliver pong"),
        (ReadTimeout, "1006 lost, abrupt"),
        (Close(1000, ""), "-"),
    ]),
    ("the peer violated the protocol", &[
        (WriteFails, "-"),
        (Violation, "1002 violated, graceful; send close 1002 violation after the queue"),
    ]),
    ("the application closes, then the peer", &[
        (WriteFails, "-"),
        (AskClose(1000, "bye"), "send close 1000 bye after the queue"),
        (Close(1001, "away"), "1000 closed by us bye; answered 1001 away, clean"),
    ]),
    ("the application closes, and no end comes in time", &[
        (WriteFails, "-"),
        (AskClose(1000, "bye"), "send close 1000 bye after the queue"),
        (ReadTimeout, "1006 lost, abrupt"),
        (CloseTimeout, "-"),
    ]),
    ("it comes while the peer's answer is awaited", &[
        (AskClose(1000, "bye"), "send close 1000 bye after the queue"),
        (WriteFails, "-"),
        (Close(1000, ""), "1000 closed by us bye; answered 1000, clean"),
    ]),
    ("part of what went ahead of our close frame is unwritten", &[
        (AskClose(1000, "bye"), "send close 1000 bye after the queue"),
        (WriteFails, "-"),
        (ReadEndsUnwritten, "1006 lost, abrupt"),
    ]),
    ("all was written, and could not be flushed", &[
        (AskClose(1000, "bye"), "send close 1000 bye after the queue"),
        (WriteFails, "-"),
        (ReadEnds, "1006 hung up after our 1000, abrupt"),
    ]),
    ("the deadline of the close frame passes first", &[
        (AskClose(1000, "bye"), "send close 1000 bye after the queue"),
        (WriteFails, "-"),
        (CloseTimeout, "1006 timed out after our 1000, abrupt"),
        (ReadTimeout, "-"),
    ]),
];

fn check(rows: &[Row]) {
    for role in [Role::Client, Role::Server] {
        for (name, steps) in rows {
            let mut connection = Connection::new(role);
            for (at, (input, expected)) in steps.iter().enumerate() {
                let output = feed(&mut connection, *input);
                assert_eq!(output, *expected, "{role:?}, {name}: step {at}, {input:?}");
            }
        }
    }
}

#[test]
fn an_open_connection_answers_pings_and_delivers_messages() {
    check(OPEN);
}

#[test]
fn a_close_frame_of_the_peer_is_answered_and_ends_the_connection() {
    check(CLOSED_BY_PEER);
}

#[test]
fn our_close_frame_waits_for_the_peers() {
    check(CLOSED_BY_US);
}

#[test]
fn a_violation_fails_the_connection() {
    check(VIOLATIONS);
}

#[test]
fn reads_from_the_peer_after_a_write_failure() {
    check(WRITE_FAILURES);
}

#[test]
fn a_violation_is_answered_with_its_code_and_text() {
    for (error, code, text) in [
        (ProtocolError::MaskedFrame, 1002, "a frame from the server is masked (RFC 6455 5.1)"),
        (ProtocolError::InvalidUtf8, 1007, "text is not valid UTF-8 (RFC 6455 8.1)"),
        (
            ProtocolError::CloseCode(1005),
            1002,
            "a close frame carries the code 1005, which must not be sent (RFC 6455 7.4)",
        ),
        (
            ProtocolError::CloseReason(1001),
            1007,
            "the reason of a close frame with the code 1001 is not valid UTF-8 (RFC 6455 5.5.1)",
        ),
        (
            ProtocolError::MessageTooBig { limit: 9 },
            1009,
            "a message is larger than the limit of 9 bytes (RFC 6455 10.4)",
        ),
    ] {
        let end = Connection::new(Role::Client).violated(error).expect("an end");
        let frame = end.close_frame().expect("a close frame");
        assert_eq!((frame.code.map(u16::from), frame.reason.as_str()), (Some(code), text));
        assert_eq!(u16::from(end.code()), code);
    }
}

#[test]
fn each_role_may_send_its_own_close_codes() {
    for code in 0..=u16::MAX {
        let of_both = matches!(code, 1000..=1003 | 1007..=1009 | 1011..=1014 | 3000..=4999);
        assert_eq!(Role::Client.may_close_with(code), of_both || code == 1010, "{code}");
        assert_eq!(Role::Server.may_close_with(code), of_both, "{code}");
    }
    assert!(Role::Client.masks() && !Role::Server.masks());
}
