//! The faults of scripts/soak-faults.sh for a few seconds.
//!
//! Every accepted message is reported once, as sent or as unsent, over losses and reconnections. None arrives twice or
//! out of order. The ledger of the clients and that of the server agree.

mod support {
    pub mod allocator;
    pub mod fault_proxy;
    pub mod resource_usage;
    pub mod soak;
}

use support::soak::ledger;
use support::soak::servers::Servers;

/// A seed determines the clients, their sends and the faults, but not the timing of the network.
const SEEDS: [u64; 2] = [1, 4_711];

#[test]
fn accounts_for_every_message_over_losses_and_reconnections() {
    for seed in SEEDS {
        let plan = ledger::Plan { seconds: 4, clients: 100, seed, come_back: 100, pause_ms: 10 };
        let (addresses, servers) = Servers::start(plan.clients, seed);
        assert!(ledger::run(plan, &addresses, || servers.end()), "seed {seed}");
    }
}
