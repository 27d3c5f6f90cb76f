//! Predicts the events from the bytes that reach a client. This is RFC 6455 written a second time, as plainly as possible.

use net_websocket::internals::client::Phase;
use net_websocket::internals::protocol::ProtocolError;

use super::peer;

/// The limit in the options of all cases.
pub const MESSAGE_LIMIT: u64 = 1_000_000;

/// A message: text or not, and its payload.
pub type Message = (bool, Vec<u8>);

/// How an attempt or a connection ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The proxy makes no tunnel.
    Proxy,
    /// The attempt fails in the TLS handshake.
    Tls,
    /// The attempt fails in the upgrade, for one of these reasons.
    Upgrade(Vec<Cause>),
    /// The attempt takes too long, in this phase.
    Timeout(Phase),
    /// TCP does not connect.
    Tcp,
    /// The connection was open and is lost.
    Lost,
    /// Nothing came after a ping.
    Silent,
    /// The server broke the protocol.
    Protocol(ProtocolError),
    /// The closing handshake took place.
    Closed(u16, String),
    /// The server did not answer our close frame.
    NoAnswer,
}

/// [`net_websocket::internals::client::UpgradeError`] without what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    Status(u16),
    AnyStatus,
    NotHttp,
    Header(&'static str),
    Eof,
    Io,
}

impl Cause {
    /// Whether the error `told` matches this cause.
    pub fn covers(self, told: Self) -> bool {
        self == told || self == Self::AnyStatus && told.is_status()
    }

    pub fn is_status(self) -> bool {
        matches!(self, Self::Status(_) | Self::AnyStatus)
    }

    /// The words of the error text for this cause.
    pub fn words(self) -> String {
        match self {
            Self::Status(status) => format!("answered HTTP {status} "),
            Self::AnyStatus => "answered HTTP ".to_owned(),
            Self::NotHttp => "not HTTP/1.1".to_owned(),
            Self::Header(name) => format!("the header {name} is"),
            Self::Eof => "closed the connection before it answered".to_owned(),
            // The system's text.
            Self::Io => String::new(),
        }
    }
}

/// A possible outcome of a case: the messages and the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether the connection opens.
    pub opens: bool,
    pub messages: Vec<Message>,
    pub end: End,
}

impl Outcome {
    pub fn fails(end: End) -> Self {
        Self { opens: false, messages: Vec::new(), end }
    }
}

/// The outcome of a peer's frames that only `silence` follows.
pub fn frames(wire: &[u8], silence: End) -> Outcome {
    let (messages, end) = read(wire);
    Outcome { opens: true, messages, end: end.unwrap_or(silence) }
}

/// The whole script, undisturbed.
pub fn clean() -> Outcome {
    let wire = [peer::frames().concat(), peer::CLOSE.to_vec()].concat();
    frames(&wire, End::Lost)
}

fn read(wire: &[u8]) -> (Vec<Message>, Option<End>) {
    let mut messages = Vec::new();
    let mut rest = wire;
    let mut begun: Option<Message> = None;
    loop {
        match frame(rest, &mut begun) {
            Err(error) => return (messages, Some(End::Protocol(error))),
            Ok(None) => return (messages, None),
            Ok(Some((read, step))) => {
                rest = &rest[read..];
                match step {
                    Step::Nothing => {}
                    Step::Message(message) => messages.push(message),
                    Step::Closed(code, reason) => return (messages, Some(End::Closed(code, reason))),
                }
            }
        }
    }
}

enum Step {
    Nothing,
    Message(Message),
    Closed(u16, String),
}

/// The frame at the head of `wire`: its length, and what it does.
fn frame(wire: &[u8], begun: &mut Option<Message>) -> Result<Option<(usize, Step)>, ProtocolError> {
    let [first, second, ..] = *wire else { return Ok(None) };
    let (fin, opcode, short) = (first & 0x80 != 0, first & 0x0f, second & 0x7f);
    if first & 0x70 != 0 {
        return Err(ProtocolError::ReservedBits);
    }
    match opcode {
        0..=2 => {}
        8..=10 if !fin => return Err(ProtocolError::FragmentedControl),
        8..=10 if short > 125 => return Err(ProtocolError::ControlTooLong),
        8..=10 => {}
        reserved => return Err(ProtocolError::ReservedOpcode(reserved)),
    }
    if second & 0x80 != 0 {
        return Err(ProtocolError::MaskedFrame);
    }
    let (length, start) = match short {
        126 => {
            let Some(bytes) = wire.get(2..4) else { return Ok(None) };
            let length = bytes.iter().fold(0, |length, byte| length << 8 | u64::from(*byte));
            if length < 126 {
                return Err(ProtocolError::LengthEncoding);
            }
            (length, 4)
        }
        127 => {
            let Some(bytes) = wire.get(2..10) else { return Ok(None) };
            let length = bytes.iter().fold(0, |length, byte| length << 8 | u64::from(*byte));
            if length < 65_536 || length >> 63 != 0 {
                return Err(ProtocolError::LengthEncoding);
            }
            (length, 10)
        }
        short => (u64::from(short), 2),
    };
    match (opcode, &begun) {
        (0, None) => return Err(ProtocolError::UnexpectedContinuation),
        (1 | 2, Some(_)) => return Err(ProtocolError::ExpectedContinuation),
        _ => {}
    }
    let before = begun.as_ref().map_or(0, |(_, payload)| payload.len());
    if opcode < 8 && length > MESSAGE_LIMIT - before as u64 {
        return Err(ProtocolError::MessageTooBig { limit: MESSAGE_LIMIT });
    }
    let end = start + length as usize;
    let there = &wire[start..end.min(wire.len())];
    if opcode >= 8 {
        if wire.len() < end {
            return Ok(None);
        }
        let step = if opcode == 8 { close(there)? } else { Step::Nothing };
        return Ok(Some((end, step)));
    }
    let (text, mut payload) = begun.clone().unwrap_or((opcode == 1, Vec::new()));
    payload.extend_from_slice(there);
    let whole = fin && wire.len() >= end;
    // A text is refused as soon as it cannot become one (section 8.1 allows it).
    if text
        && let Err(error) = std::str::from_utf8(&payload)
        && (whole || error.error_len().is_some())
    {
        return Err(ProtocolError::InvalidUtf8);
    }
    if wire.len() < end {
        return Ok(None);
    }
    if fin {
        *begun = None;
        return Ok(Some((end, Step::Message((text, payload)))));
    }
    *begun = Some((text, payload));
    Ok(Some((end, Step::Nothing)))
}

fn close(payload: &[u8]) -> Result<Step, ProtocolError> {
    match payload {
        [] => Ok(Step::Closed(1005, String::new())),
        [_] => Err(ProtocolError::ClosePayload),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                return Err(ProtocolError::CloseCode(code));
            }
            let reason = std::str::from_utf8(reason).map_err(|_| ProtocolError::CloseReason(code))?;
            Ok(Step::Closed(code, reason.to_owned()))
        }
    }
}

/// The possible outcomes of a head that was changed at `at`. Returns the bytes that follow if the connection can still open.
pub fn changed_head(clean: &[u8], changed: &[u8], at: usize) -> Vec<Outcome> {
    let line = clean[..at].windows(2).filter(|bytes| bytes == b"\r\n").count();
    let own = match line {
        0 => Cause::AnyStatus,
        1 => Cause::Header("Upgrade"),
        2 => Cause::Header("Connection"),
        3 => Cause::Header("Sec-WebSocket-Accept"),
        _ => Cause::NotHttp,
    };
    // A doubled line feed ends the head early, so the following headers are missing.
    if changed[at..].starts_with(b"\n\n") {
        let next = match line {
            0 => Cause::Header("Upgrade"),
            1 => Cause::Header("Connection"),
            2 => Cause::Header("Sec-WebSocket-Accept"),
            _ => {
                let rest = [&changed[at + 2..], &peer::frames().concat(), peer::CLOSE].concat();
                let rest = if line == 3 { rest } else { [b"\n".as_slice(), &rest].concat() };
                return vec![frames(&rest, End::Lost)];
            }
        };
        return vec![Outcome::fails(End::Upgrade(vec![next]))];
    }
    let refused = Outcome::fails(End::Upgrade(vec![own, Cause::NotHttp]));
    let byte = clean[at];
    let same_letter = changed.len() == clean.len() && changed[at].eq_ignore_ascii_case(&byte);
    let harmless = match line {
        // The reason phrase says nothing.
        0 => at >= b"HTTP/1.1 101".len(),
        // Names and tokens are case-insensitive. One space equals two spaces or a tab.
        1..=2 => byte == b' ' || same_letter,
        3 => {
            let name = clean[..at].windows(2).rposition(|bytes| bytes == b"\r\n").map_or(0, |end| end + 2);
            let in_name = at < name + b"Sec-WebSocket-Accept".len();
            byte == b' ' || in_name && same_letter
        }
        _ => false,
    };
    if harmless { vec![refused, self::clean()] } else { vec![refused] }
}
