//! The addresses of the native objects of a thread: what another JavaScript object wraps is not among them, whatever it is.

use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::c_void;

use crate::by_address::ByAddress;

thread_local! {
    static ADDRESSES: RefCell<HashSet<*const c_void, ByAddress>> = RefCell::default();
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
