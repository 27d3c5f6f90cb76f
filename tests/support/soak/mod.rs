//! Many clients under random faults. The test accounts for every message.
//!
//! tests/soak_smoke.rs uses it for some seconds, tests/tools/fault_soak for any time. Uses the library only through
//! `net_websocket::internals::client`.

pub mod ledger;
pub mod message;
pub mod servers;
