//! What stands in the system's place while clients are simulated: a world that a test makes up, with its own network, names,
//! clock and chance.
//!
//! It exists with the feature `simulation` alone, which no library has that is handed out. Knows nothing of clients.

pub(crate) mod runtime;
pub(crate) mod tcp;
mod world;

pub use self::world::{Later, Wire, World, enter};

pub(crate) use self::world::{chance, look_up};

/// Changes of the network are never reported. The test tells clients by itself.
pub(crate) fn watch_network<Notify, Watch>(_notify: Notify) -> Option<Watch> {
    None
}
