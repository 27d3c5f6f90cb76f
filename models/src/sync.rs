//! Replaces the library's `sync.rs`: the same names for loom's types.

use std::marker::PhantomData;
use std::ops::{Deref, RangeInclusive};
use std::sync::PoisonError;

pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard, atomic};
pub(crate) use loom::thread;

/// See the library's.
pub(crate) const RECENT_PLACES: usize = 1;

/// As the library's.
pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A static that its first user makes. Each order of a model begins without its value.
pub(crate) struct LazyLock<T: 'static>(loom::lazy_static::Lazy<T>);

impl<T: 'static> LazyLock<T> {
    pub(crate) const fn new(init: fn() -> T) -> Self {
        Self(loom::lazy_static::Lazy { init, _p: PhantomData })
    }
}

impl<T: 'static> Deref for LazyLock<T> {
    type Target = T;

    fn deref(&self) -> &T {
        let lazy: *const loom::lazy_static::Lazy<T> = &self.0;
        // SAFETY: the library has these in statics only.
        unsafe { &*lazy }.get()
    }
}

/// Keeps nothing. The library's has one lock around one list; here it would only multiply the orders.
pub(crate) struct SparePool;

impl SparePool {
    pub(crate) const fn new(_kept_bytes: RangeInclusive<usize>) -> Self {
        Self
    }

    pub(crate) fn take(&self) -> Vec<u8> {
        Vec::new()
    }

    pub(crate) fn put(&self, memory: Vec<u8>) {
        drop(memory);
    }
}
