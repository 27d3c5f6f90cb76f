//! Replaces the library's `platform/mod.rs`: the models only need its decompressor to compile.

#[allow(dead_code)]
#[path = "../../src/platform/inflate.rs"]
mod inflate;

pub(crate) use self::inflate::{InflateStream, Inflated, Status as InflateStatus, StopAt};

/// A model never forks.
pub(crate) fn watch_forks() {}
