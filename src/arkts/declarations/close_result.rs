//! What `close` tells.

use napi_derive_ohos::napi;

/// What `close` tells.
/// @since 10
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct CloseResult {
    /// The code of the side that closed first; 1000 without one, as on the platform; 1006 when it ended without a close frame of the
    /// server.
    /// @since 10
    pub code: f64,
    /// The reason of that side, or the cause of the loss.
    /// @since 10
    pub reason: String,
    /// Why the connection ended.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "Cause")]
    pub cause: f64,
    /// Milliseconds that the connection was open; those of the attempt, when it was closed before.
    /// @since 0.1.0 of this library
    pub elapsed_time: f64,
    /// Milliseconds since the last byte came from the peer; as `elapsedTime` when none ever came.
    /// @since 0.1.0 of this library
    pub idle_time: f64,
    /// Messages that were accepted and are dropped, or of which nobody will know whether the peer got them.
    /// @since 0.1.0 of this library
    pub unsent: f64,
}
