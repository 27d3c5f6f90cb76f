//! Replaces the library's `runtime/slot.rs`: the slot alone. The library also looks at the state of its holder's thread.

use crate::sync::LazyLock;
use crate::sync::atomic::{AtomicU8, Ordering};

static SLOT: LazyLock<AtomicU8> = LazyLock::new(|| AtomicU8::new(0));

pub(super) fn current() -> u64 {
    u64::from(SLOT.load(Ordering::SeqCst))
}

pub(super) fn is_taken(slot: u64) -> bool {
    slot != 0
}

/// A callback begins.
pub(super) fn take() {
    SLOT.store(1, Ordering::SeqCst);
}

/// It returns.
pub(super) fn leave() {
    SLOT.store(0, Ordering::SeqCst);
}
