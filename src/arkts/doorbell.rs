//! Rings a JavaScript thread from any other, or from itself: threadsafe functions that carry no data.
//!
//! Payloads stay in the mailbox: one queued in a threadsafe function leaks when the queue is full or the environment
//! ends.
//!
//! There are two functions, called in turn. An engine calls one that was rung meanwhile again and again, up to a thousand
//! times, before its loop looks at anything else; another one waits for its place in the loop.

use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use napi_ohos::sys;

use super::napi::{Engine, Refused};

/// What answers the doorbell, on the JavaScript thread.
pub trait Answer {
    fn answer(self: Rc<Self>, env: Engine);
}

/// A doorbell that may be installed and removed any number of times.
#[derive(Default)]
pub struct Doorbell {
    installed: Mutex<Option<Installed>>,
}

/// Threadsafe functions that this side has not released.
struct Installed {
    functions: [sys::napi_threadsafe_function; 2],
    /// The one for the next ring.
    next: usize,
}

// SAFETY: threadsafe functions may be called and released from any thread.
unsafe impl Send for Installed {}

/// What a threadsafe function keeps alive until its finalizer runs, which is on the JavaScript thread.
struct Held<A> {
    answer: Rc<A>,
    doorbell: Arc<Doorbell>,
    function: sys::napi_threadsafe_function,
}

impl Doorbell {
    /// Makes `ring` lead to `answer` on the thread of `env`, and keeps both until [`Doorbell::remove`].
    pub fn install<A: Answer + 'static>(self: &Arc<Self>, env: Engine, answer: Rc<A>) -> Result<(), Refused> {
        let mut installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner);
        if installed.is_some() {
            return Ok(());
        }
        let first = self.function(env, answer.clone())?;
        let second = self.function(env, answer).inspect_err(|_| {
            // SAFETY: made above, and released once.
            unsafe { release(first) };
        })?;
        *installed = Some(Installed { functions: [first, second], next: 0 });
        Ok(())
    }

    /// A threadsafe function that leads to `answer`.
    fn function<A: Answer + 'static>(
        self: &Arc<Self>,
        env: Engine,
        answer: Rc<A>,
    ) -> Result<sys::napi_threadsafe_function, Refused> {
        let name = env.string("net_websocket")?;
        let held =
            Box::into_raw(Box::new(Held { answer, doorbell: self.clone(), function: ptr::null_mut() }));
        let mut function = ptr::null_mut();
        // SAFETY: current environment; `held` lives until `finalize::<A>` frees it, which runs after the last call.
        let status = unsafe {
            sys::napi_create_threadsafe_function(
                env.raw(),
                ptr::null_mut(),
                ptr::null_mut(),
                name.raw(),
                0,
                1,
                held.cast(),
                Some(finalize::<A>),
                held.cast(),
                Some(on_ring::<A>),
                &mut function,
            )
        };
        if status != sys::Status::napi_ok {
            // SAFETY: nothing else has taken it.
            drop(unsafe { Box::from_raw(held) });
            return Err(Refused);
        }
        // SAFETY: this is the JavaScript thread, where alone `held` is read.
        unsafe { (*held).function = function };
        Ok(function)
    }

    /// Any thread. Without an installed answer it rings unheard.
    pub fn ring(&self) {
        let mut installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Installed { functions, next }) = &mut *installed {
            let function = functions[*next];
            *next = 1 - *next;
            // SAFETY: not released while it is in `installed`, and the lock keeps it there. A refusal means that the
            // environment ends, and nobody listens any more.
            unsafe {
                sys::napi_call_threadsafe_function(
                    function,
                    ptr::null_mut(),
                    sys::ThreadsafeFunctionCallMode::nonblocking,
                );
            }
        }
    }

    /// Lets go of the answer, and of the engine's loop, which an installed doorbell keeps running.
    pub fn remove(&self) {
        let installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner).take();
        for function in installed.into_iter().flat_map(|Installed { functions, .. }| functions) {
            // SAFETY: taken out, so released once.
            unsafe { release(function) };
        }
    }
}

/// # Safety
///
/// The function must be this side's, and is not from here on.
unsafe fn release(function: sys::napi_threadsafe_function) {
    // SAFETY: as the caller says.
    unsafe {
        sys::napi_release_threadsafe_function(function, sys::ThreadsafeFunctionReleaseMode::release);
    }
}

/// Runs on the JavaScript thread for each ring; `env` is null while the environment ends.
unsafe extern "C" fn on_ring<A: Answer>(
    env: sys::napi_env,
    _callback: sys::napi_value,
    held: *mut c_void,
    _data: *mut c_void,
) {
    if env.is_null() || held.is_null() {
        return;
    }
    // SAFETY: `held` is what `install` made; `finalize` comes after the last ring.
    let answer = unsafe { &*held.cast::<Held<A>>() }.answer.clone();
    // SAFETY: the engine hands in the current environment.
    let env = unsafe { Engine::from_raw(env) };
    let run = std::panic::AssertUnwindSafe(|| answer.answer(env));
    if std::panic::catch_unwind(run).is_err() {
        crate::logging::error(format_args!("ArkTS delivery: internal error"));
    }
}

/// Runs on the JavaScript thread, once, after the last ring.
unsafe extern "C" fn finalize<A>(_env: sys::napi_env, held: *mut c_void, _hint: *mut c_void) {
    // SAFETY: made by `Box::into_raw` in `install`.
    let Held { answer, doorbell, function } = *unsafe { Box::from_raw(held.cast::<Held<A>>()) };
    // The environment may end without `remove`: then nothing may ring these functions again.
    {
        let mut installed = doorbell.installed.lock().unwrap_or_else(PoisonError::into_inner);
        installed.take_if(|Installed { functions, .. }| functions.contains(&function));
    }
    drop(answer);
}
