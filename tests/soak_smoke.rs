//! The faults of scripts/soak-faults.sh for a few seconds.
//!
//! Every accepted message is reported once, as sent or as unsent, over losses and reconnections. None arrives twice or
//! out of order. The ledger of the clients and that of the server agree.

#[path = "faults/allocator.rs"]
mod allocator;
#[path = "tools/fault_soak/ledger.rs"]
mod ledger;
#[path = "tools/fault_soak/message.rs"]
mod message;
#[path = "tools/fault_soak/peer.rs"]
mod peer;
#[path = "faults/proxy.rs"]
mod proxy;
#[path = "tools/fault_soak/resource_usage.rs"]
mod resource_usage;

use peer::Servers as Peer;
use resource_usage::{ResourceUsage, trim};

/// The clients, their sends and the faults are the same for the same seed; what the network makes of them is not.
const SEEDS: [u64; 2] = [1, 4_711];

#[test]
fn every_message_is_accounted_for_over_losses_and_reconnections() {
    for seed in SEEDS {
        let plan = ledger::Plan { seconds: 4, clients: 100, seed, come_back: 100, pause_ms: 10 };
        assert!(ledger::run(plan), "seed {seed}");
    }
}
