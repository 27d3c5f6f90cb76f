//! A WebSocket client (RFC 6455) for OpenHarmony, in one library: a C API and an ArkTS API over one core.
//!
//! ```text
//! url + options ─parse─▶ Request ─dial─▶ TCP/proxy/TLS ─upgrade─▶ handshake ─▶ session ─▶ Listener ─▶ C callbacks | JS listeners
//!                                       requests (send, close) ──▶ Shared ──▶ session
//! ```
//!
//! `ndk` (C) and `arkts` (JavaScript) never know each other. `client` knows nothing of them: it speaks to a
//! [`client::Listener`]. `protocol` has no I/O and knows nothing of the rest but the decompressor. `tests/layers.txt` has the
//! order of all files.
//!
//! The library's interfaces are the C headers and `index.d.ts`. Its Rust modules are internal.

#![cfg_attr(
    feature = "simulation",
    allow(dead_code, unused_imports, reason = "a simulation stands in for a part of it")
)]

mod client;
mod protocol;

#[cfg(any(target_env = "ohos", feature = "arkts"))]
mod arkts;
mod by_address;
#[cfg(any(target_env = "ohos", feature = "arkts", test))]
mod event_queue;
mod logging;
#[cfg(not(feature = "simulation"))]
mod ndk;
mod platform;
#[cfg(not(feature = "simulation"))]
mod runtime;
#[cfg(not(feature = "simulation"))]
mod server;
mod shortage;
#[cfg(feature = "simulation")]
mod simulation;
mod sync;

#[cfg(feature = "simulation")]
use self::simulation::runtime;

/// What this project's own tests, fuzzing and benchmarks call. No interface: it changes with any version.
#[doc(hidden)]
pub mod internals {
    /// See the module of that name.
    pub mod client {
        pub use crate::client::*;
    }

    /// See the module of that name.
    #[cfg(not(feature = "simulation"))]
    pub mod server {
        pub use crate::server::*;
    }

    /// See the module of that name.
    #[cfg(feature = "simulation")]
    pub mod simulation {
        pub use crate::simulation::{Later, Wire, World, enter};
    }

    /// See the module of that name.
    pub mod protocol {
        pub use crate::protocol::*;
    }
}
