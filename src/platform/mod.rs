//! Calls of the system: the proxy of its network settings, changes of its network, the permission to use it, what the
//! app declares about security, where a device keeps things, its sleep, forks, what a thread is doing, and how much of what was
//! written to a socket the peer has acknowledged. And decompression into memory that is not initialized.
//!
//! Owns the calls into the platform's libraries and the kernel, and those of zlib-rs that need `unsafe`. Knows nothing of
//! clients, C or JavaScript. A file imports only files below it: `mod`, `proxy`, `network`, `netlink`,
//! `permission`, `security`, `device`, `tcp`, `sleep`, `fork`, `inflate`, `library`, and `thread_state`, on which the
//! runtime stands, `clock`, and `futex`, which nobody imports.

mod clock;
mod device;
mod fork;
#[cfg(any(test, all(target_env = "ohos", target_pointer_width = "32")))]
mod futex;
mod inflate;
mod library;
/// Applications may not listen to the kernel on OpenHarmony.
#[cfg(all(target_os = "linux", not(target_env = "ohos")))]
mod netlink;
mod network;
mod permission;
mod proxy;
mod security;
mod sleep;
mod tcp;
pub(crate) mod thread_state;

pub(crate) use self::device::{current_user, device_path};
pub(crate) use self::fork::{is_forked, watch_forks};
pub(crate) use self::inflate::{InflateStream, Inflated, Status as InflateStatus, StopAt};
#[cfg(not(feature = "simulation"))]
pub(crate) use self::network::watch_network;
pub(crate) use self::network::{NetworkNotice, NetworkWatch};
pub(crate) use self::permission::may_use_network;
pub(crate) use self::proxy::{DefaultProxy, default_proxy, has_default_proxy};
pub(crate) use self::security::{
    NotTold, clear_text_permitted, declared_anchors, declared_pins, heeds_clear_text, host_text,
};
pub(crate) use self::sleep::slept;
pub(crate) use self::tcp::{receive, report_from, unacknowledged};

#[cfg(feature = "simulation")]
pub(crate) use crate::simulation::watch_network;
