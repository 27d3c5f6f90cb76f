//! OpenHarmony's folders, and the device's user for whom this process runs.

use std::path::PathBuf;

/// The place of `path` on this device. A system other than OpenHarmony has no such places. There the environment
/// variable `NET_WEBSOCKET_DEVICE_ROOT` names a folder that replaces the root, for tests.
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
    // SAFETY: the call always succeeds.
    unsafe { libc::getuid() / UIDS_PER_USER }
}

/// OpenHarmony's first user.
#[cfg(not(target_env = "ohos"))]
pub(crate) fn current_user() -> u32 {
    100
}
