//! Log lines: hilog on OpenHarmony, stderr elsewhere. Only failures are logged by default.
//!
//! Owns the only `cfg` for hilog. A message is data, never a format, and holds no payload, credential or query.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};

/// The severity that a line must have to be written, least severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum LogLevel {
    /// Everything.
    Debug = 1,
    /// Also the life of connections.
    Info = 2,
    /// Also dropped connections.
    Warn = 3,
    /// Defects of this library only.
    Error = 4,
    /// Nothing.
    Off = 5,
}

const UNSET: u8 = 0;

/// From now on, lines less severe than `level` are not written. Overrides the environment variable.
pub fn set_log_level(level: LogLevel) {
    THRESHOLD.store(level as u8, Ordering::Relaxed);
}

/// The least severe level that is written.
static THRESHOLD: AtomicU8 = AtomicU8::new(UNSET);

/// The environment variable that sets the level: `debug`, `info`, `warn`, `error` or `off`.
const LEVEL_VARIABLE: &str = "NET_WEBSOCKET_LOG";

/// The beginning of a client's log lines: its number, and that of the application's HiTrace chain in hilog's form.
pub(crate) struct Tag {
    pub(crate) client: u64,
    /// [`NO_TRACE`] for none.
    pub(crate) trace: u64,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self { client, trace: NO_TRACE } => write!(f, "[c{client}]"),
            Self { client, trace } => write!(f, "[c{client} {trace:x}]"),
        }
    }
}

pub(crate) const NO_TRACE: u64 = 0;

pub(crate) fn debug(message: fmt::Arguments<'_>) {
    log(LogLevel::Debug, message);
}

pub(crate) fn info(message: fmt::Arguments<'_>) {
    log(LogLevel::Info, message);
}

pub(crate) fn warn(message: fmt::Arguments<'_>) {
    log(LogLevel::Warn, message);
}

pub(crate) fn error(message: fmt::Arguments<'_>) {
    log(LogLevel::Error, message);
}

fn log(level: LogLevel, message: fmt::Arguments<'_>) {
    if level as u8 >= threshold() {
        sink::write(level, &message.to_string());
    }
}

fn threshold() -> u8 {
    match THRESHOLD.load(Ordering::Relaxed) {
        UNSET => {
            let level = std::env::var(LEVEL_VARIABLE)
                .ok()
                .and_then(|name| LogLevel::parse(&name))
                .map(|level| level as u8)
                .unwrap_or(sink::DEFAULT);
            THRESHOLD.store(level, Ordering::Relaxed);
            level
        }
        level => level,
    }
}

impl LogLevel {
    /// The level with that name in the environment variable.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "debug" => Some(Self::Debug),
            "info" => Some(Self::Info),
            "warn" => Some(Self::Warn),
            "error" => Some(Self::Error),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

#[cfg(target_env = "ohos")]
mod sink {
    use ohos_hilog_binding::{LogOptions, debug, error, info, set_global_options, warn};

    use super::LogLevel;
    use std::sync::Once;

    /// Ours, within the range the platform leaves to applications.
    const DOMAIN: u32 = 0xd057;
    const TAG: &str = "NetWebSocket";
    pub(super) const DEFAULT: u8 = LogLevel::Warn as u8;

    pub(super) fn write(level: LogLevel, message: &str) {
        static READY: Once = Once::new();
        READY.call_once(|| set_global_options(LogOptions { domain: DOMAIN, tag: TAG }));
        let message = super::as_format(message);
        match level {
            LogLevel::Debug => debug(message),
            LogLevel::Info => info(message),
            LogLevel::Warn => warn(message),
            LogLevel::Error | LogLevel::Off => error(message),
        }
    }
}

#[cfg(not(target_env = "ohos"))]
mod sink {
    use std::io::Write;

    use super::LogLevel;

    pub(super) const DEFAULT: u8 = LogLevel::Off as u8;

    pub(super) fn write(level: LogLevel, message: &str) {
        let letter = match level {
            LogLevel::Debug => 'D',
            LogLevel::Info => 'I',
            LogLevel::Warn => 'W',
            LogLevel::Error | LogLevel::Off => 'E',
        };
        // A closed stderr must not take the application down, as eprintln! would.
        let _ = writeln!(std::io::stderr(), "{letter} NetWebSocket: {message}");
    }
}

/// hilog's binding treats its argument as a printf format, and panics on NUL. This makes the text plain data.
#[cfg(any(test, target_env = "ohos"))]
fn as_format(message: &str) -> String {
    message.replace('%', "%%").replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printf_does_not_interpret_a_message() {
        assert_eq!(as_format("100% of %s%n\0"), "100%% of %%s%%n\u{fffd}");
    }

    #[test]
    fn reads_log_levels_by_name() {
        assert!(LogLevel::parse("debug") < LogLevel::parse("warn"));
        assert_eq!(LogLevel::parse("loud"), None);
    }
}
