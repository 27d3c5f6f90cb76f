//! The fast path for nearly all messages: one complete frame in the read buffer, without compression.
//!
//! Owns no state. Leaves every other frame to the general path, which decodes these too, with the same result.

use std::ops::Range;

use super::error::ProtocolError;
use super::frame::{BINARY, FIN, KEY_BYTES, MASK, MessageType, TEXT, masking_key};
use super::mask;
use super::read_buffer::ReadBuffer;

/// See the module.
pub(super) struct WholeFrame {
    pub(super) kind: MessageType,
    header_len: usize,
    len: usize,
}

impl WholeFrame {
    /// The frame at the start of `data`. `None` leaves the decision to the general path.
    #[inline]
    pub(super) fn parse(data: &[u8], masked: bool, message_limit: u64) -> Option<Self> {
        let mask = if masked { MASK } else { 0 };
        let (first, length_bytes, len) = match *data {
            [first, second, ..] if second ^ mask < 126 => (first, 0, usize::from(second ^ mask)),
            [first, second, high, low, ..] if second ^ mask == 126 => {
                (first, 2, usize::from(u16::from_be_bytes([high, low])))
            }
            _ => return None,
        };
        let kind = match first ^ FIN {
            TEXT => MessageType::Text,
            BINARY => MessageType::Binary,
            _ => return None,
        };
        let header_len = 2 + length_bytes + if masked { KEY_BYTES } else { 0 };
        if length_bytes > 0 && len < 126 || len as u64 > message_limit || data.len() < header_len + len {
            return None;
        }
        Some(Self { kind, header_len, len })
    }

    /// Takes it from `buffer`. The result is its payload there.
    #[inline(always)]
    pub(super) fn take(&self, buffer: &mut ReadBuffer, masked: bool) -> Result<Range<usize>, ProtocolError> {
        let Self { kind, header_len, len } = *self;
        if (masked || kind == MessageType::Text) && !self.unmask_and_validate(buffer, masked) {
            return Err(ProtocolError::InvalidUtf8);
        }
        let start = buffer.start() + header_len;
        buffer.consume(header_len + len);
        Ok(start..start + len)
    }

    /// Whether a text is valid. It is still in `buffer`.
    fn unmask_and_validate(&self, buffer: &mut ReadBuffer, masked: bool) -> bool {
        let (header, payload) = buffer.data_mut().split_at_mut(self.header_len);
        let payload = &mut payload[..self.len];
        if masked {
            mask::apply(payload, masking_key(header));
        }
        self.kind != MessageType::Text || simdutf8::basic::from_utf8(payload).is_ok()
    }
}
