//! Replaces an engine's Node-API as far as js_waker.rs calls it: threadsafe functions. No thread may use them after the engine
//! has freed them. Freeing writes where calls read, and loom fails an order in which one comes without the other's knowledge.

use std::ffi::c_void;
use std::sync::{Arc, Mutex, PoisonError};

use loom::cell::UnsafeCell;
use loom::sync::Notify;

/// The engine of one order of a model: what JavaScript's thread has to do.
#[derive(Default)]
pub struct Engine {
    pub wakes: Notify,
    functions: Mutex<Vec<*mut Function>>,
}

// SAFETY: the functions are only freed, and by JavaScript's thread.
unsafe impl Send for Engine {}
// SAFETY: as above.
unsafe impl Sync for Engine {}

/// What a `napi_threadsafe_function` points to. It stays, so that a call after its end is seen.
pub struct Function {
    engine: Arc<Engine>,
    freed: UnsafeCell<bool>,
    references: std::sync::atomic::AtomicUsize,
    context: *mut c_void,
    finalize: sys::napi_finalize,
    call: sys::napi_threadsafe_function_call_js,
}

impl Function {
    fn is_freed(&self) -> bool {
        // SAFETY: loom fails the order if another thread frees it.
        self.freed.with(|freed| unsafe { *freed })
    }
}

impl Engine {
    /// Has each function that was not freed yet call its target once.
    pub fn run(&self) {
        for function in self.functions() {
            // SAFETY: functions stay, and this is JavaScript's thread.
            let function = unsafe { &*function };
            if !function.is_freed() {
                let call = function.call.expect("js_waker gives one");
                // SAFETY: the context lives until `finalize`.
                unsafe {
                    call(
                        &raw const *self as sys::napi_env,
                        std::ptr::null_mut(),
                        function.context,
                        std::ptr::null_mut(),
                    )
                };
            }
        }
    }

    /// Ends the functions that were released, or all of them with the environment.
    pub fn end_functions(&self, all: bool) {
        for function in self.functions() {
            // SAFETY: as above.
            let function = unsafe { &*function };
            let released = function.references.load(std::sync::atomic::Ordering::Relaxed) == 0;
            if !function.is_freed() && (released || all) {
                let finalize = function.finalize.expect("js_waker gives one");
                // SAFETY: once, and no call of the target follows.
                unsafe { finalize(std::ptr::null_mut(), function.context, std::ptr::null_mut()) };
                // SAFETY: loom fails the order if another thread is there.
                function.freed.with_mut(|freed| unsafe { *freed = true });
            }
        }
    }

    fn functions(&self) -> Vec<*mut Function> {
        self.functions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[allow(non_camel_case_types)]
pub(crate) mod sys {
    use std::ffi::c_void;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::{Arc, Engine, Function, PoisonError, UnsafeCell};

    pub type napi_env = *const Engine;
    pub type napi_value = *mut c_void;
    pub type napi_threadsafe_function = *mut Function;
    pub type napi_finalize = Option<unsafe extern "C" fn(napi_env, *mut c_void, *mut c_void)>;
    pub type napi_threadsafe_function_call_js =
        Option<unsafe extern "C" fn(napi_env, napi_value, *mut c_void, *mut c_void)>;

    #[derive(PartialEq, Eq)]
    pub enum Status {
        napi_ok,
    }

    pub enum ThreadsafeFunctionCallMode {
        nonblocking,
    }

    pub enum ThreadsafeFunctionReleaseMode {
        release,
    }

    #[expect(clippy::too_many_arguments, reason = "as in Node-API")]
    pub unsafe fn napi_create_threadsafe_function(
        env: napi_env,
        _function: napi_value,
        _resource: napi_value,
        _name: napi_value,
        _queue: usize,
        threads: usize,
        _finalize_data: *mut c_void,
        finalize: napi_finalize,
        context: *mut c_void,
        call: napi_threadsafe_function_call_js,
        result: *mut napi_threadsafe_function,
    ) -> Status {
        // SAFETY: the environment of a model is the pointer of an `Arc` that the model holds.
        let engine = unsafe {
            Arc::increment_strong_count(env);
            Arc::from_raw(env)
        };
        let function = Function {
            engine: engine.clone(),
            freed: UnsafeCell::new(false),
            references: AtomicUsize::new(threads),
            context,
            finalize,
            call,
        };
        // It stays, and the engine with it.
        let function = Box::into_raw(Box::new(function));
        engine.functions.lock().unwrap_or_else(PoisonError::into_inner).push(function);
        // SAFETY: room for the result.
        unsafe { *result = function };
        Status::napi_ok
    }

    pub unsafe fn napi_call_threadsafe_function(
        function: napi_threadsafe_function,
        _data: *mut c_void,
        _mode: ThreadsafeFunctionCallMode,
    ) -> Status {
        // SAFETY: functions stay.
        let function = unsafe { &*function };
        assert!(!function.is_freed(), "called after it was freed");
        assert!(function.references.load(Ordering::Relaxed) > 0, "called after it was released");
        function.engine.wakes.notify();
        Status::napi_ok
    }

    pub unsafe fn napi_release_threadsafe_function(
        function: napi_threadsafe_function,
        _mode: ThreadsafeFunctionReleaseMode,
    ) -> Status {
        // SAFETY: functions stay.
        let function = unsafe { &*function };
        assert!(!function.is_freed(), "released after it was freed");
        assert!(function.references.fetch_sub(1, Ordering::Relaxed) > 0, "released twice");
        Status::napi_ok
    }
}
