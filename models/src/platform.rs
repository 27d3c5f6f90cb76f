//! Stands in for the library's `platform/mod.rs`: the models need its decompressor to compile, and nothing of the system.

#[allow(dead_code)]
#[path = "../../src/platform/inflate.rs"]
mod inflate;

pub(crate) use self::inflate::{InflateStream, Inflated, Status as InflateStatus, StopAt};

/// A model never forks.
pub(crate) fn watch_forks() {}
