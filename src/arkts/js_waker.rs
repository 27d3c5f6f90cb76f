//! Wakes a JavaScript thread from any thread, by threadsafe functions that carry no data. Knows nothing of events.
//!
//! Events stay in the event queue. Data in a threadsafe function would leak if its queue is full or the environment
//! ends.
//!
//! Two functions are called in turn. When a function is called again while it runs, an engine repeats it at once. It does so up
//! to a thousand times before its loop continues. A call of the other function waits for its turn in the loop.

use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use napi_ohos::sys;

use super::napi::{Engine, EngineError};
use crate::runtime::Signal;
use crate::sync::{Mutex, lock};

/// Runs on the JavaScript thread for each wake.
pub trait OnWake {
    fn on_wake(self: Rc<Self>, env: Engine);
}

/// A waker of one JavaScript thread. It may be installed and removed any number of times.
#[derive(Default)]
pub struct JsWaker {
    installed: Mutex<Option<Installed>>,
}

/// Threadsafe functions that were not released yet.
struct Installed {
    functions: [sys::napi_threadsafe_function; 2],
    /// The index of the function for the next wake.
    next: usize,
}

// SAFETY: threadsafe functions may be called and released from any thread.
unsafe impl Send for Installed {}

/// The context of a threadsafe function. It lives until the finalizer runs, on the JavaScript thread.
struct Context {
    target: Rc<dyn OnWake>,
    waker: Arc<JsWaker>,
    function: sys::napi_threadsafe_function,
}

impl JsWaker {
    /// Makes [`JsWaker::wake`] run `target` on the thread of `env`. Keeps both alive until [`JsWaker::remove`].
    pub fn install(self: &Arc<Self>, env: Engine, target: Rc<dyn OnWake>) -> Result<(), EngineError> {
        let mut installed = lock(&self.installed);
        if installed.is_some() {
            return Ok(());
        }
        let first = self.function(env, target.clone())?;
        let second = self.function(env, target).inspect_err(|_| {
            // SAFETY: made above, and released once.
            unsafe { release(first) };
        })?;
        *installed = Some(Installed { functions: [first, second], next: 0 });
        Ok(())
    }

    /// Makes a threadsafe function that runs `target`.
    fn function(
        self: &Arc<Self>,
        env: Engine,
        target: Rc<dyn OnWake>,
    ) -> Result<sys::napi_threadsafe_function, EngineError> {
        let name = env.string("net_websocket")?;
        let context =
            Box::into_raw(Box::new(Context { target, waker: self.clone(), function: ptr::null_mut() }));
        let mut function = ptr::null_mut();
        // SAFETY: current environment; `context` lives until `finalize` frees it, which runs after the last call.
        let status = unsafe {
            sys::napi_create_threadsafe_function(
                env.raw(),
                ptr::null_mut(),
                ptr::null_mut(),
                name.raw(),
                0,
                1,
                context.cast(),
                Some(finalize),
                context.cast(),
                Some(call_target),
                &mut function,
            )
        };
        if status != sys::Status::napi_ok {
            // SAFETY: nothing else has taken it.
            drop(unsafe { Box::from_raw(context) });
            return Err(EngineError);
        }
        // SAFETY: this is the JavaScript thread, where alone `context` is read.
        unsafe { (*context).function = function };
        Ok(function)
    }

    /// Runs the target soon on its own thread. Callable on any thread. Does nothing unless installed.
    pub fn wake(&self) {
        let mut installed = lock(&self.installed);
        if let Some(Installed { functions, next }) = &mut *installed {
            let function = functions[*next];
            *next = 1 - *next;
            // SAFETY: it is not released while it is in `installed`, and the lock keeps it there. An error means that
            // the environment ends and has no listeners any more.
            unsafe {
                sys::napi_call_threadsafe_function(
                    function,
                    ptr::null_mut(),
                    sys::ThreadsafeFunctionCallMode::nonblocking,
                );
            }
        }
    }

    /// Releases the target and the engine's loop, which an installed waker keeps running.
    pub fn remove(&self) {
        let installed = lock(&self.installed).take();
        for function in installed.into_iter().flat_map(|Installed { functions, .. }| functions) {
            // SAFETY: taken out, so released once.
            unsafe { release(function) };
        }
    }
}

impl Signal for JsWaker {
    fn send(&self) {
        self.wake();
    }
}

/// # Safety
///
/// The function must not be released yet. It must not be used afterwards.
unsafe fn release(function: sys::napi_threadsafe_function) {
    // SAFETY: as the caller says.
    unsafe {
        sys::napi_release_threadsafe_function(function, sys::ThreadsafeFunctionReleaseMode::release);
    }
}

/// Runs on the JavaScript thread for each wake. `env` is null while the environment ends.
unsafe extern "C" fn call_target(
    env: sys::napi_env,
    _callback: sys::napi_value,
    context: *mut c_void,
    _data: *mut c_void,
) {
    if env.is_null() || context.is_null() {
        return;
    }
    // SAFETY: `context` is from `install`. `finalize` runs after the last wake.
    let target = unsafe { &*context.cast::<Context>() }.target.clone();
    // SAFETY: the engine passes the current environment.
    let env = unsafe { Engine::from_raw(env) };
    let run = std::panic::AssertUnwindSafe(|| target.on_wake(env));
    if std::panic::catch_unwind(run).is_err() {
        crate::logging::error(format_args!("ArkTS delivery: internal error"));
    }
}

/// Runs on the JavaScript thread, once, after the last wake.
unsafe extern "C" fn finalize(_env: sys::napi_env, context: *mut c_void, _hint: *mut c_void) {
    // SAFETY: made by `Box::into_raw` in `install`.
    let Context { target, waker, function } = *unsafe { Box::from_raw(context.cast::<Context>()) };
    // The environment can end without `remove`. These functions must not be called afterwards.
    {
        let mut installed = lock(&waker.installed);
        installed.take_if(|Installed { functions, .. }| functions.contains(&function));
    }
    drop(target);
}
