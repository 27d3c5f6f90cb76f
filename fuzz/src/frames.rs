//! Frames from server to client, however they are cut, against tungstenite's parser.

use std::io::{self, Cursor, Read, Write};

use net_websocket::internals::protocol::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocket, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::wire::{Arrival, Seen, decode};

/// The first five bytes decide how the rest arrives.
pub fn check(data: &[u8]) {
    let Some(([cuts @ .., sizes], wire)) = data.split_first_chunk::<5>() else {
        return;
    };
    let capacity = [132, 140, 300, 4_096][usize::from(sizes & 3)];
    let limit = [10, 125, 1_000, 66_000][usize::from(sizes >> 2 & 3)];
    let arrival = Arrival { cuts: Some(u32::from_le_bytes(*cuts)), capacity };
    let (seen, error) = decode(wire, &arrival, limit, None);
    let (seen_in_one, error_in_one) = decode(wire, &Arrival::in_one(wire), limit, None);
    assert_eq!(seen, seen_in_one, "cut differently");
    assert_eq!(error, error_in_one, "cut differently");

    let theirs = tungstenite(wire, limit);
    match error {
        // It does not know the code 1014 of the IANA registry and puts another in its place.
        None if matches!(seen.last(), Some(Seen::Close(Some(1014), _))) => {
            assert_eq!(seen.len(), theirs.seen.len());
            assert_eq!(seen[..seen.len() - 1], theirs.seen[..seen.len() - 1]);
        }
        None => {
            assert_eq!(seen, theirs.seen, "tungstenite ended with {:?}", theirs.error);
            assert!(theirs.error.is_none(), "only tungstenite refuses: {:?}", theirs.error);
        }
        // What it leaves unchecked, a control frame's short length in a long form among it: it may go on.
        Some(ProtocolError::LengthEncoding | ProtocolError::ControlTooLong | ProtocolError::CloseCode(_)) => {
            assert!(theirs.seen.starts_with(&seen), "{seen:?} {theirs:?}");
        }
        // It may see the mistake later, at the end of the frame, which may never come; but nothing passes.
        Some(error) => assert_eq!(seen, theirs.seen, "only we refuse: {error}"),
    }
}

#[derive(Debug)]
struct Theirs {
    seen: Vec<Seen>,
    /// But for the end of the bytes.
    error: Option<Error>,
}

fn tungstenite(wire: &[u8], limit: usize) -> Theirs {
    // Its limit for frames is one for control frames too.
    let config =
        WebSocketConfig::default().max_message_size(Some(limit)).max_frame_size(Some(limit.max(125)));
    let mut socket = WebSocket::from_raw_socket(Incoming(Cursor::new(wire)), Role::Client, Some(config));
    let mut seen = Vec::new();
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => seen.push(Seen::Text(text.as_bytes().to_vec())),
            Ok(Message::Binary(bytes)) => seen.push(Seen::Binary(bytes.to_vec())),
            Ok(Message::Ping(bytes)) => seen.push(Seen::Ping(bytes.to_vec())),
            Ok(Message::Pong(bytes)) => seen.push(Seen::Pong(bytes.to_vec())),
            Ok(Message::Close(frame)) => {
                let close = frame.map_or(Seen::Close(None, String::new()), |frame| {
                    Seen::Close(Some(u16::from(frame.code)), frame.reason.to_string())
                });
                seen.push(close);
                return Theirs { seen, error: None };
            }
            Ok(Message::Frame(frame)) => panic!("{frame} is never read"),
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                return Theirs { seen, error: None };
            }
            Err(error) => return Theirs { seen, error: Some(error) },
        }
    }
}

/// Bytes to read, and no more to come for now; what is written goes nowhere.
struct Incoming<'a>(Cursor<&'a [u8]>);

impl Read for Incoming<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            count => Ok(count),
        }
    }
}

impl Write for Incoming<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
