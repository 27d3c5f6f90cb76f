//! The books of scripts/soak-faults.sh for a few seconds: every message that is accepted is told of once, as sent or as
//! unsent, over losses and the connections that take the place of the lost ones, and none arrives twice or out of order.

#[path = "faults/allocator.rs"]
mod allocator;
#[path = "../examples/fault_soak/books.rs"]
mod books;
#[path = "../examples/fault_soak/level.rs"]
mod level;
#[path = "../examples/fault_soak/message.rs"]
mod message;
#[path = "../examples/fault_soak/peer.rs"]
mod peer;
#[path = "faults/proxy.rs"]
mod proxy;

use level::{Level, trim};
use peer::Servers as Peer;

/// The clients, their sends and the faults are the same for the same seed; what the network makes of them is not.
const SEEDS: [u64; 2] = [1, 4_711];

#[test]
fn the_books_balance_over_losses_and_new_connections() {
    for seed in SEEDS {
        let plan = books::Plan { seconds: 4, clients: 100, seed, come_back: 100, pause_ms: 10 };
        assert!(books::run(plan), "seed {seed}");
    }
}
