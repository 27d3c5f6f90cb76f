//! A WebSocket client (RFC 6455) for OpenHarmony, in one library with two faces over one core.
//!
//! ```text
//! url + options ─parse─▶ Request ─dial─▶ TCP/proxy/TLS ─upgrade─▶ handshake ─▶ session ─▶ Listener ─▶ C callbacks | JS listeners
//!                                          commands (send, close) ──▶ link ──▶ session
//! ```
//!
//! `ndk` and `arkts` are the faces and never know each other. `client` knows nothing of them: it speaks to a
//! [`client::Listener`]. `protocol` has no I/O and knows nothing of the rest.

pub mod client;
pub mod protocol;

#[cfg(any(target_env = "ohos", feature = "arkts"))]
mod arkts;
#[cfg(any(target_env = "ohos", feature = "arkts", test))]
mod event_queue;
mod logging;
pub mod ndk;
mod platform;
mod runtime;
mod sync;
