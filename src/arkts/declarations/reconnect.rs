//! Connecting again: the option, its events and its answer.

use napi_derive_ohos::napi;

/// When to connect again: after a random part of a delay that doubles from attempt to attempt. Until then `readyState` is 0,
/// messages may be sent and wait, and neither `error` nor `close` is told; they come when there will be no other attempt.
/// What the system had any part of is never sent again: its promise fails. Times are in milliseconds, 1 to 30000000.
/// @since 0.1.0 of this library
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct ReconnectOptions {
    /// The first delay is a random part of this. Default: 1000.
    /// @since 0.1.0 of this library
    pub delay: Option<f64>,
    /// What a delay is a random part of at most. Default: 30000.
    /// @since 0.1.0 of this library
    pub max_delay: Option<f64>,
    /// Attempts until a connection has been open for 5 seconds, 1 or more. Default: any number.
    /// @since 0.1.0 of this library
    pub max_attempts: Option<f64>,
    /// How long to go on, while the process runs. Default: for ever.
    /// @since 0.1.0 of this library
    pub max_time: Option<f64>,
    /// How long `prepareAttempt` may take after the event `prepare`. Default: 15000.
    /// @since 0.1.0 of this library
    pub prepare_timeout: Option<f64>,
    /// Make the first attempt at once. Default: false.
    /// @since 0.1.0 of this library
    pub at_once: Option<bool>,
    /// Drop what waits to be sent, or for room, when a connection is lost. Default: false.
    /// @since 0.1.0 of this library
    pub drop_queue: Option<bool>,
    /// Take no notice of the network's changes. Default: false, which needs ohos.permission.GET_NETWORK_INFO.
    /// @since 0.1.0 of this library
    pub ignore_network: Option<bool>,
    /// After which causes. Default: LOOKUP, CONNECT, TIMEOUT, TLS, HTTP_5XX, LOST, RESTART and PREPARE.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "Array<Cause>")]
    pub causes: Option<()>,
}

/// What `reconnecting` and `prepare` tell.
/// @since 0.1.0 of this library
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct ReconnectingResult {
    /// Counts the attempts, from 1.
    /// @since 0.1.0 of this library
    pub attempt: f64,
    /// Milliseconds until it begins.
    /// @since 0.1.0 of this library
    pub delay: f64,
    /// Why the connection or the attempt failed.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "Cause")]
    pub cause: f64,
    /// The code of a peer that closed.
    /// @since 0.1.0 of this library
    pub code: Option<f64>,
    /// The HTTP status of a server that refused.
    /// @since 0.1.0 of this library
    pub status: Option<f64>,
    /// A sentence for a log.
    /// @since 0.1.0 of this library
    pub message: String,
    /// Messages that were accepted and are dropped.
    /// @since 0.1.0 of this library
    pub unsent: f64,
}

/// What `reconnected` tells.
/// @since 0.1.0 of this library
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct ReconnectedResult {
    /// The attempts it took.
    /// @since 0.1.0 of this library
    pub attempts: f64,
    /// Milliseconds since the connection before was lost.
    /// @since 0.1.0 of this library
    pub downtime: f64,
}

/// What `prepareAttempt` may change.
/// @since 0.1.0 of this library
#[napi(object, object_from_js = false, object_to_js = false)]
pub struct AttemptChange {
    /// Another URL. One of another origin gets none of the headers `Authorization`, `Cookie` and `Host` and no credentials
    /// that were given before: give them in `header`.
    /// @since 0.1.0 of this library
    pub url: Option<String>,
    /// Headers in place of those with the same names.
    /// @since 0.1.0 of this library
    #[napi(ts_type = "Object")]
    pub header: Option<()>,
}
