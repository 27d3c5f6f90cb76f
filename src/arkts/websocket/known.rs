//! The addresses of the native objects of a thread: what another JavaScript object wraps is not among them, whatever it is.

use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::c_void;
use std::hash::{BuildHasherDefault, Hasher};

thread_local! {
    static ADDRESSES: RefCell<HashSet<*const c_void, BuildHasherDefault<AddressHasher>>> = RefCell::default();
}

/// Each call of a method asks, and no peer chooses addresses: a multiplication spreads them well enough.
#[derive(Default)]
struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_usize(usize::from(*byte));
        }
    }

    fn write_usize(&mut self, address: usize) {
        /// 2^64 by the golden ratio.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        self.0 = (self.0 ^ address as u64).wrapping_mul(SPREAD).rotate_left(32);
    }
}

/// Notes an object that a JavaScript object of this thread is about to own.
pub fn note<T>(object: &T) {
    ADDRESSES.with_borrow_mut(|addresses| addresses.insert(std::ptr::from_ref(object).cast()));
}

/// The object is about to be dropped.
pub fn forget<T>(object: &T) {
    // The thread may be ending, and what it kept be gone.
    let _ = ADDRESSES.try_with(|known| known.borrow_mut().remove(&std::ptr::from_ref(object).cast()));
}

/// Whether an object is at that address.
pub fn is_known(address: *const c_void) -> bool {
    ADDRESSES.with_borrow(|addresses| addresses.contains(&address))
}
