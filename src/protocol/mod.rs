//! RFC 6455 and RFC 7692 without I/O: bytes in, messages out, and the reverse.
//!
//! Owns the form of frames, the rules between them, the rules of a connection, and the text of each violation. Knows no
//! socket and no clock, and of this crate only the decompressor.

mod compressor;
mod connection;
mod deflate;
mod encoder;
mod error;
mod extension;
mod fixed_codes;
mod frame;
mod mask;
mod message;
mod read_buffer;
mod utf8;
mod whole_frame;

pub use self::connection::{CloseFrame, Connection, ConnectionEnd, Output, Queued};
pub use self::deflate::{Deflater, Inflater, Negotiated, Progress};
pub use self::encoder::{CLOSE_REASON_BYTES_MAX, Encoder, server_header, truncate_reason};
pub use self::error::ProtocolError;
pub use self::extension::{ExtensionError, Fault, PerMessageDeflate};
pub use self::frame::{
    CONTROL_PAYLOAD_BYTES_MAX, Control, FRAME_HEADER_BYTES_MAX, FrameHeader, FrameTrace, MessageType,
    PiecePosition, Role, encoded_frames, may_be_sent,
};
#[cfg(any(target_env = "ohos", feature = "arkts"))]
pub(crate) use self::message::recycle_message;
pub use self::message::{Decoded, Decoder, in_memory};
pub use self::read_buffer::ReadBuffer;
pub(crate) use self::utf8::Utf8Validator;
pub use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
