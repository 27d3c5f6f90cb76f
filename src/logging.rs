//! Log lines: hilog on OpenHarmony, stderr elsewhere, quiet unless something went wrong.
//!
//! Owns the only `cfg` for hilog. A message is data, never a format, and holds no payload, credential or query.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};

/// Least severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Level {
    Debug = 1,
    Info = 2,
    Warn = 3,
    Error = 4,
}

const UNSET: u8 = 0;
const OFF: u8 = 5;

/// The least severe level that is written.
static THRESHOLD: AtomicU8 = AtomicU8::new(UNSET);

/// The environment variable that sets the level: `debug`, `info`, `warn`, `error` or `off`.
const LEVEL_VARIABLE: &str = "NET_WEBSOCKET_LOG";

pub(crate) fn debug(message: fmt::Arguments<'_>) {
    log(Level::Debug, message);
}

pub(crate) fn info(message: fmt::Arguments<'_>) {
    log(Level::Info, message);
}

pub(crate) fn warn(message: fmt::Arguments<'_>) {
    log(Level::Warn, message);
}

pub(crate) fn error(message: fmt::Arguments<'_>) {
    log(Level::Error, message);
}

fn log(level: Level, message: fmt::Arguments<'_>) {
    if level as u8 >= threshold() {
        sink::write(level, &message.to_string());
    }
}

fn threshold() -> u8 {
    match THRESHOLD.load(Ordering::Relaxed) {
        UNSET => {
            let level = std::env::var(LEVEL_VARIABLE)
                .ok()
                .and_then(|name| parse_level(&name))
                .unwrap_or(sink::DEFAULT);
            THRESHOLD.store(level, Ordering::Relaxed);
            level
        }
        level => level,
    }
}

fn parse_level(name: &str) -> Option<u8> {
    match name {
        "debug" => Some(Level::Debug as u8),
        "info" => Some(Level::Info as u8),
        "warn" => Some(Level::Warn as u8),
        "error" => Some(Level::Error as u8),
        "off" => Some(OFF),
        _ => None,
    }
}

#[cfg(target_env = "ohos")]
mod sink {
    use ohos_hilog_binding::{LogOptions, debug, error, info, set_global_options, warn};

    use super::Level;
    use std::sync::Once;

    /// Ours, within the range the platform leaves to applications.
    const DOMAIN: u32 = 0xd057;
    const TAG: &str = "NetWebSocket";
    pub(super) const DEFAULT: u8 = Level::Warn as u8;

    pub(super) fn write(level: Level, message: &str) {
        static READY: Once = Once::new();
        READY.call_once(|| set_global_options(LogOptions { domain: DOMAIN, tag: TAG }));
        let message = super::as_format(message);
        match level {
            Level::Debug => debug(message),
            Level::Info => info(message),
            Level::Warn => warn(message),
            Level::Error => error(message),
        }
    }
}

#[cfg(not(target_env = "ohos"))]
mod sink {
    use std::io::Write;

    use super::{Level, OFF};

    pub(super) const DEFAULT: u8 = OFF;

    pub(super) fn write(level: Level, message: &str) {
        let letter = match level {
            Level::Debug => 'D',
            Level::Info => 'I',
            Level::Warn => 'W',
            Level::Error => 'E',
        };
        // A closed stderr must not take the application down, as eprintln! would.
        let _ = writeln!(std::io::stderr(), "{letter} NetWebSocket: {message}");
    }
}

/// hilog's binding passes its argument on as a printf format and panics on NUL: make it data again.
#[cfg(any(test, target_env = "ohos"))]
fn as_format(message: &str) -> String {
    message.replace('%', "%%").replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_data_to_printf() {
        assert_eq!(as_format("100% of %s%n\0"), "100%% of %%s%%n\u{fffd}");
    }

    #[test]
    fn knows_its_levels() {
        assert!(parse_level("debug") < parse_level("warn"));
        assert_eq!(parse_level("loud"), None);
    }
}
