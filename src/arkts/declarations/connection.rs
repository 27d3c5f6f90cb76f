//! What `close` takes, and what `open` and `openInfo` tell.

use napi_derive_ohos::napi;

/// Options of `close`.
/// @since 6
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct WebSocketCloseOptions {
    /// 1000 to 1003, 1007 to 1014 or 3000 to 4999 (RFC 6455 section 7.4); anything else goes out as 1000. Default: 1000.
    /// @since 6
    pub code: Option<f64>,
    /// At most 123 bytes of UTF-8; what is longer is cut at a character. Default: "CLOSE_NORMAL".
    /// @since 6
    pub reason: Option<String>,
}

/// What `open` tells. The platform has this name in static ArkTS only.
/// @since 23
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct OpenResult {
    /// The HTTP status of the upgrade: 101.
    /// @since 23
    pub status: f64,
    /// Its reason phrase.
    /// @since 23
    pub message: String,
}

/// What `openInfo` tells.
/// @since 26.0.0
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct WebSocketOpenInfo {
    /// The HTTP status of the upgrade: 101.
    /// @since 26.0.0
    pub status: f64,
    /// Its reason phrase.
    /// @since 26.0.0
    pub message: String,
    /// The sub-protocol the server chose; undefined for none.
    /// @since 26.0.0
    pub protocol: Option<String>,
}
