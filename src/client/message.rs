//! A received message, borrowed by its receiver.

use crate::protocol::{MessageType, PiecePosition};

/// A received message, or a piece of one if the options ask for pieces.
pub struct Message<'a> {
    kind: MessageType,
    part: PiecePosition,
    storage: Storage<'a>,
}

/// Both have one NUL after the message.
enum Storage<'a> {
    Buffered(&'a mut [u8]),
    Assembled(&'a mut Vec<u8>),
}

impl<'a> Message<'a> {
    pub(super) fn buffered(kind: MessageType, with_nul: &'a mut [u8]) -> Self {
        Self { kind, part: PiecePosition::WHOLE, storage: Storage::Buffered(with_nul) }
    }

    pub(super) fn assembled(kind: MessageType, part: PiecePosition, message: &'a mut Vec<u8>) -> Self {
        message.push(0);
        Self { kind, part, storage: Storage::Assembled(message) }
    }

    /// The position of this piece in its message.
    pub fn part(&self) -> PiecePosition {
        self.part
    }

    /// Text or binary.
    pub fn kind(&self) -> MessageType {
        self.kind
    }

    /// The payload. Text is valid UTF-8, but a piece may end inside a character.
    pub fn data(&self) -> &[u8] {
        let with_nul: &[u8] = match &self.storage {
            Storage::Buffered(bytes) => bytes,
            Storage::Assembled(bytes) => bytes,
        };
        &with_nul[..with_nul.len() - 1]
    }

    /// The payload and the NUL that follows it in memory, for C, which may write there.
    pub fn data_with_nul_mut(&mut self) -> &mut [u8] {
        match &mut self.storage {
            Storage::Buffered(bytes) => bytes,
            Storage::Assembled(bytes) => bytes,
        }
    }

    /// The payload in its own memory. An assembled message is not copied, unless its memory is far larger.
    pub fn into_vec(self) -> Vec<u8> {
        match self.storage {
            Storage::Buffered(bytes) => bytes[..bytes.len() - 1].to_vec(),
            Storage::Assembled(bytes) if bytes.capacity() / 2 > bytes.len() => {
                bytes[..bytes.len() - 1].to_vec()
            }
            Storage::Assembled(bytes) => {
                let mut message = std::mem::take(bytes);
                message.pop();
                message
            }
        }
    }
}
