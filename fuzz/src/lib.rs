//! What each fuzz target checks. Every `check` takes any bytes and panics at a finding.
//!
//! tests/fuzz_corpus.rs takes this file as a module and replays the corpus without a fuzzer, so the targets are plain
//! functions and the crate's own dependencies are enough for them.

pub mod close_payload;
pub mod frames;
pub mod inflate;
pub mod response_head;
pub mod tls;
mod tls_script;
mod wire;
