//! What `piece`, `pong` and `frame` tell.

use napi_derive_ohos::napi;

/// What `piece` tells. A message of up to about 128 KiB comes in one piece, first and last, unless the server sent it in fragments
/// or compressed.
/// @since 0.1.0 of this library
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct MessagePiece {
    /// A string of a text, an ArrayBuffer of a binary message. No piece of a text ends inside a character. May be empty at the end.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "string | ArrayBuffer")]
    pub data: (),
    /// Whether it begins a message. One before it that has had no last piece was lost with its connection.
    /// @since 0.1.0 of this library
    pub first: bool,
    /// Whether it ends the message.
    /// @since 0.1.0 of this library
    pub last: bool,
}

/// What `pong` tells.
/// @since 0.1.0 of this library
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct PongResult {
    /// What the ping carried.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "ArrayBuffer")]
    pub data: (),
    /// Milliseconds since the ping; undefined for a pong that answers none of ours.
    /// @since 0.1.0 of this library
    pub round_trip: Option<f64>,
}

/// What `frame` tells: the header of a frame (RFC 6455 section 5.2), never its payload.
/// @since 0.1.0 of this library
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct FrameHeader {
    /// To the server, or from it.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "'sent' | 'received'")]
    pub direction: String,
    /// Whether it is the last frame of its message, as every control frame is.
    /// @since 0.1.0 of this library
    pub fin: bool,
    /// Whether it is the first frame of a compressed message (RFC 7692).
    /// @since 0.1.0 of this library
    pub rsv1: bool,
    /// 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    /// @since 0.1.0 of this library
    pub opcode: f64,
    /// Whether its payload is masked on the wire, as that of all sent ones is and of no received one.
    /// @since 0.1.0 of this library
    pub masked: bool,
    /// Bytes of the payload on the wire.
    /// @since 0.1.0 of this library
    pub length: f64,
}
