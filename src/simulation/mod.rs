//! Replaces the system while clients are simulated. A test makes up a world with its own network, names, clock and
//! random numbers.
//!
//! It exists only with the feature `simulation`, which no distributed library has. Knows nothing of clients.

pub(crate) mod runtime;
pub(crate) mod tcp;
mod world;

pub use self::world::{Later, Wire, World, enter};

pub(crate) use self::world::{chance, look_up};

/// Changes of the network are never reported. The test notifies clients itself.
pub(crate) fn watch_network<Notify, Watch>(_notify: Notify) -> Option<Watch> {
    None
}
