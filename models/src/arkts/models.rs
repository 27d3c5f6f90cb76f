//! The wakes of JavaScript's thread, against the end of what they call.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use loom::thread;

use super::js_waker::{JsWaker, OnWake};
use super::napi;
use crate::Model;
use crate::napi::Engine;

pub const MODELS: &[Model] = &[
    Model { name: "js_waker::no_function_is_called_once_it_is_released", switches: None, run: removed },
    Model {
        name: "js_waker::no_function_is_called_once_its_environment_is_gone",
        switches: None,
        run: ended,
    },
    Model { name: "js_waker::an_installed_waker_wakes", switches: None, run: wakes },
];

/// Counts its runs.
#[derive(Default)]
struct Target(Cell<usize>);

impl OnWake for Target {
    fn on_wake(self: Rc<Self>, _env: napi::Engine) {
        self.0.set(self.0.get() + 1);
    }
}

fn installed() -> (Arc<Engine>, Arc<JsWaker>, Rc<Target>) {
    let (engine, waker, target) = (Arc::new(Engine::default()), Arc::<JsWaker>::default(), Rc::<Target>::default());
    // SAFETY: the model holds the engine.
    let env = unsafe { napi::Engine::from_raw(Arc::as_ptr(&engine)) };
    waker.install(env, target.clone()).expect("an engine that makes functions");
    (engine, waker, target)
}

fn wake_twice(waker: &Arc<JsWaker>) -> thread::JoinHandle<()> {
    let waker = waker.clone();
    thread::spawn(move || {
        waker.wake();
        waker.wake();
    })
}

fn removed() {
    let (engine, waker, _target) = installed();
    let session = wake_twice(&waker);
    waker.remove();
    engine.end_functions(false);
    session.join().expect("no panic");
}

fn ended() {
    let (engine, waker, _target) = installed();
    let session = wake_twice(&waker);
    engine.end_functions(true);
    waker.remove();
    session.join().expect("no panic");
}

fn wakes() {
    let (engine, waker, target) = installed();
    let session = wake_twice(&waker);
    engine.wakes.wait();
    engine.run();
    assert!(target.0.get() > 0);
    session.join().expect("no panic");
    waker.remove();
    engine.end_functions(false);
    assert_eq!(Rc::strong_count(&target), 1, "the functions are gone");
}
