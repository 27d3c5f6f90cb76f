//! Where OpenHarmony keeps things, and for which of its users this process runs.

use std::path::PathBuf;

/// The place of `path` on this device. A system that is not OpenHarmony has no such places; for tests, the environment variable
/// `NET_WEBSOCKET_DEVICE_ROOT` there names a folder in the place of its root.
#[cfg(target_env = "ohos")]
pub(crate) fn device_path(path: &str) -> Option<PathBuf> {
    Some(PathBuf::from(path))
}

#[cfg(not(target_env = "ohos"))]
pub(crate) fn device_path(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("NET_WEBSOCKET_DEVICE_ROOT")?;
    Some(PathBuf::from(root).join(path.trim_start_matches('/')))
}

/// The user of the device for whom this process runs.
#[cfg(target_env = "ohos")]
pub(crate) fn current_user() -> u32 {
    const UIDS_PER_USER: u32 = 200_000;
    // SAFETY: always succeeds.
    unsafe { libc::getuid() / UIDS_PER_USER }
}

/// OpenHarmony's first user.
#[cfg(not(target_env = "ohos"))]
pub(crate) fn current_user() -> u32 {
    100
}
