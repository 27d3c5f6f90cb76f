//! Replaces the library's `sync.rs`: the same names for loom's types.

use std::marker::PhantomData;
use std::ops::{Deref, RangeInclusive};
use std::sync::PoisonError;

pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard, RwLock, RwLockReadGuard};

pub(crate) mod atomic {
    use std::ops::Deref;

    use loom::sync::atomic as looms;

    pub(crate) use looms::{AtomicU32, AtomicU64, Ordering, fence};

    /// An atomic of which all threads see the SeqCst operations in one order. Loom has them as Acquire and Release.
    #[derive(Default)]
    pub(crate) struct InOrder<T>(T);

    impl<T> Deref for InOrder<T> {
        type Target = T;

        fn deref(&self) -> &T {
            &self.0
        }
    }

    macro_rules! in_order {
        ($($atomic:ident $value:ty),*) => { $(
            pub(crate) type $atomic = InOrder<looms::$atomic>;

            impl InOrder<looms::$atomic> {
                pub(crate) fn new(value: $value) -> Self {
                    Self(looms::$atomic::new(value))
                }

                pub(crate) fn load(&self, order: Ordering) -> $value {
                    if order == Ordering::SeqCst {
                        fence(Ordering::SeqCst);
                    }
                    self.0.load(order)
                }

                pub(crate) fn store(&self, value: $value, order: Ordering) {
                    match order {
                        Ordering::SeqCst => _ = self.0.swap(value, order),
                        _ => self.0.store(value, order),
                    }
                }
            }
        )* };
    }

    in_order!(AtomicBool bool, AtomicU8 u8);
}
pub(crate) mod thread {
    pub(crate) use loom::thread::*;

    /// The time is over as soon as the others have had a turn.
    pub(crate) fn park_timeout(_time: std::time::Duration) {
        yield_now();
    }
}

/// See the library's.
pub(crate) const RECENT_PLACES: usize = 1;
/// See the library's.
pub(crate) const PLACES_AT_ONCE: usize = 1;

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
    pub(crate) const fn new(_kept_bytes: RangeInclusive<usize>, _bytes_max: usize) -> Self {
        Self
    }

    pub(crate) fn take(&self) -> Vec<u8> {
        Vec::new()
    }

    pub(crate) fn put(&self, memory: Vec<u8>) {
        drop(memory);
    }
}
