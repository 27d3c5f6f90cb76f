//! The native objects of a thread, by address. Objects that other code wraps are not among them.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;

use super::napi::{EngineError, Value};
use crate::by_address::ByAddress;

thread_local! {
    static TYPES: RefCell<HashMap<*const c_void, TypeId, ByAddress>> = RefCell::default();
}

/// Attaches `native` to `object`, so that [`object_of`] finds it.
pub fn give<T: 'static>(object: Value<'_>, native: T) -> Result<(), EngineError> {
    let native = Box::new(Known(native));
    let address: *const Known<T> = &raw const *native;
    object.own(native)?;
    TYPES.with_borrow_mut(|types| types.insert(address.cast(), TypeId::of::<T>()));
    Ok(())
}

/// The native object that `this` wraps, if it is a `T`.
pub fn object_of<'env, T: 'static>(this: Value<'env>) -> Option<&'env T> {
    let address = this.owned()?.cast_const();
    let found = TYPES.with_borrow(|types| types.get(&address).copied());
    if found != Some(TypeId::of::<T>()) {
        return None;
    }
    // SAFETY: an address that is noted with this type belongs to an object of this thread. It lives as long as the
    // JavaScript object that wraps it. That one is a value of the current call.
    Some(unsafe { &(*address.cast::<Known<T>>()).0 })
}

/// Removes its address when it is dropped.
struct Known<T: 'static>(T);

impl<T> Drop for Known<T> {
    fn drop(&mut self) {
        // The thread may be ending, and its data may already be dropped.
        let address: *const Self = self;
        let _ = TYPES.try_with(|types| types.borrow_mut().remove(&address.cast()));
    }
}
