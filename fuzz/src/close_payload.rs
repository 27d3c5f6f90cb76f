//! Close frames, against RFC 6455 sections 5.5.1 and 7.4 written down once more.

use net_websocket::internals::protocol::{CloseCode, Encoder, ProtocolError, truncate_reason};

use super::wire::{Arrival, Seen, decode};

/// The payload of a close frame.
pub fn check(data: &[u8]) {
    let payload = &data[..data.len().min(125)];
    let wire = [&[0x88, payload.len() as u8], payload].concat();
    let (mut seen, error) =
        decode(&wire, &Arrival { cuts: Some(payload.len() as u32), capacity: 300 }, 0, None);
    let expected = match payload {
        [] => Ok(Seen::Close(None, String::new())),
        [_] => Err(ProtocolError::ClosePayload),
        [high, low, reason @ ..] => match (u16::from_be_bytes([*high, *low]), std::str::from_utf8(reason)) {
            (code @ (0..1000 | 1004..=1006 | 1015..3000 | 5000..), _) => Err(ProtocolError::CloseCode(code)),
            (code, Err(_)) => Err(ProtocolError::CloseReason(code)),
            (code, Ok(reason)) => Ok(Seen::Close(Some(code), reason.to_owned())),
        },
    };
    let Ok(close) = expected else {
        assert_eq!((seen.as_slice(), error), (&[][..], expected.err()));
        return;
    };
    assert_eq!((seen.pop(), error), (Some(close), None));
    assert!(seen.is_empty());

    // What we write for the same code and any text is a close frame that holds the most of it.
    let Some((code, text)) = data.split_first_chunk::<2>() else {
        return;
    };
    let (code, text) = (u16::from_be_bytes(*code), String::from_utf8_lossy(text));
    let mut frame = Vec::new();
    Encoder::default().close(&mut frame, Some(CloseCode::from(code)), &text);
    let [0x88, len, key @ ..] = frame.as_mut_slice() else {
        panic!("no close frame: {frame:?}");
    };
    assert_eq!(usize::from(*len & 0x7f) + 4, key.len());
    assert!(*len & 0x80 != 0 && *len & 0x7f <= 125);
    let (key, masked) = key.split_first_chunk_mut::<4>().expect("a key");
    for (byte, key) in masked.iter_mut().zip(key.iter().cycle()) {
        *byte ^= key;
    }
    let written = [&[0x88, *len & 0x7f], &*masked].concat();
    let (seen, error) = decode(&written, &Arrival::in_one(&written), 0, None);
    let reason = truncate_reason(&text);
    assert!(text.starts_with(reason) && (reason.len() > 119 || reason.len() == text.len()));
    assert_eq!((seen, error), (vec![Seen::Close(Some(code), reason.to_owned())], None));
}
