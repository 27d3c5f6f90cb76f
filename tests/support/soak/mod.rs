//! Many clients under random faults, of which every message is accounted for.
//!
//! Used by tests/soak_smoke.rs for some seconds and by tests/tools/fault_soak for as long as one likes. Knows the library
//! through `net_websocket::internals::client` alone.

pub mod ledger;
pub mod message;
pub mod servers;
