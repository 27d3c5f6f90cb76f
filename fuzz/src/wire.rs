//! Feeds a decoder as a session does: reads of any size, straight into a message at times, the buffer taken away between
//! them.

use bytes::BufMut;
use net_websocket::internals::protocol::{
    Control, Decoded, Decoder, Inflater, MessageType, ProtocolError, ReadBuffer,
};

/// What a session may keep of an assembled message's memory beyond its size.
const SLACK_BYTES: usize = 262_144;

#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
}

/// How the bytes arrive.
pub struct Arrival {
    /// Decides the size of each read and when the buffer goes; `None` for all bytes in one.
    pub cuts: Option<u32>,
    /// Of the buffer to read into, in bytes; more than a control frame.
    pub capacity: usize,
}

impl Arrival {
    pub fn in_one(wire: &[u8]) -> Self {
        Self { cuts: None, capacity: wire.len() + 256 }
    }
}

/// What `wire` decodes to up to the first error or close frame, and that error.
pub fn decode(
    wire: &[u8],
    arrival: &Arrival,
    limit: usize,
    inflater: Option<Inflater>,
) -> (Vec<Seen>, Option<ProtocolError>) {
    let mut decoder = Decoder::new(limit as u64, inflater);
    let mut buffer = ReadBuffer::over(Vec::with_capacity(arrival.capacity));
    let mut random = arrival.cuts.map(Random);
    let mut seen = Vec::new();
    let mut rest = wire;
    loop {
        match decoder.decode(&mut buffer) {
            Err(error) => return (seen, Some(error)),
            Ok(Some(Decoded::Unfinished)) => {}
            Ok(Some(decoded)) => {
                seen.push(own(decoded, &mut decoder, &mut buffer, limit));
                if matches!(seen.last(), Some(Seen::Close(..))) {
                    return (seen, None);
                }
            }
            Ok(None) if rest.is_empty() => return (seen, None),
            Ok(None) => {
                if random.as_mut().is_some_and(|random| random.below(4) == 0) {
                    release(&mut buffer, &mut decoder);
                }
                let step = random.as_mut().map_or(usize::MAX, Random::step).min(rest.len());
                // A buffer that others used before may be larger.
                let capacity = arrival.capacity << random.as_mut().map_or(0, |random| random.below(2));
                let read = match read(&mut decoder, &mut buffer, &rest[..step], capacity) {
                    Ok(read) => read,
                    Err(error) => return (seen, Some(error)),
                };
                assert!(read > 0, "no room to read into");
                rest = &rest[read..];
            }
        }
    }
}

fn own(decoded: Decoded, decoder: &mut Decoder, buffer: &mut ReadBuffer, limit: usize) -> Seen {
    let of_kind = |kind, bytes| match kind {
        MessageType::Text => Seen::Text(bytes),
        MessageType::Binary => Seen::Binary(bytes),
    };
    match decoded {
        Decoded::Message(kind, range) => {
            let with_nul = buffer.with_nul(range.clone(), |bytes| bytes.to_vec());
            let (nul, bytes) = with_nul.split_last().expect("at least the NUL");
            assert_eq!((*nul, bytes), (0, buffer.slice(range)));
            of_kind(kind, bytes.to_vec())
        }
        Decoded::Assembled(kind, _) => {
            let bytes = decoder.assembled().clone();
            assert!(bytes.len() <= limit, "{} bytes are over the limit of {limit}", bytes.len());
            let capacity = decoder.assembled().capacity();
            assert!(capacity <= 2 * limit + SLACK_BYTES, "{capacity} bytes held for {}", bytes.len());
            decoder.recycle();
            of_kind(kind, bytes)
        }
        Decoded::Control(Control::Ping(range)) => Seen::Ping(buffer.slice(range).to_vec()),
        Decoded::Control(Control::Pong(range)) => Seen::Pong(buffer.slice(range).to_vec()),
        Decoded::Control(Control::Close(code, reason)) => Seen::Close(code.map(u16::from), reason),
        Decoded::Unfinished => unreachable!("the caller goes on"),
    }
}

/// One read, to where the session would read; the count of bytes taken.
fn read(
    decoder: &mut Decoder,
    buffer: &mut ReadBuffer,
    available: &[u8],
    capacity: usize,
) -> Result<usize, ProtocolError> {
    if buffer.is_empty()
        && let Some(mut room) = decoder.direct_room()
    {
        let count = available.len().min(room.remaining_mut());
        room.put_slice(&available[..count]);
        decoder.read_directly(count)?;
        return Ok(count);
    }
    if buffer.capacity() < capacity {
        move_to(buffer, Vec::with_capacity(capacity));
    }
    let mut room = buffer.room(decoder.read_bytes_max(buffer));
    let count = available.len().min(room.remaining_mut());
    room.put_slice(&available[..count]);
    Ok(count)
}

/// An idle session keeps only what it has to.
fn release(buffer: &mut ReadBuffer, decoder: &mut Decoder) {
    let remainder = Vec::with_capacity(buffer.data().len());
    move_to(buffer, remainder);
    decoder.release_idle();
}

fn move_to(buffer: &mut ReadBuffer, storage: Vec<u8>) {
    let mut moved = ReadBuffer::over(storage);
    if !buffer.is_empty() {
        moved.extend(buffer.data());
    }
    *buffer = moved;
}

/// Marsaglia's xorshift: small, and the same for ever.
pub struct Random(pub u32);

impl Random {
    pub fn below(&mut self, end: u32) -> u32 {
        let Self(state) = self;
        *state = (*state).max(1);
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        *state % end
    }

    /// Single bytes often, whole frames at times.
    pub fn step(&mut self) -> usize {
        match self.below(4) {
            0 => 1,
            1 => 1 + self.below(4) as usize,
            2 => 1 + self.below(200) as usize,
            _ => 1 + self.below(5_000) as usize,
        }
    }
}
