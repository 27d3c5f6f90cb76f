//! Models of what the library's threads do to each other. Loom runs each model in every order of its threads.
//!
//! The models compile the library's own files, by `#[path]`. `crate::sync` gives those files loom's types here. A replacement for
//! a file of the library says so at its head, with the reason.
//!
//! `models` runs all models, each in its own process. `models NAME...` runs those whose names begin so. `models --list` names
//! them. LOOM_MAX_PREEMPTIONS=N replaces each model's own bound.

mod arkts;
mod client;
mod event_queue_models;
mod napi;
mod ndk;
mod platform;
mod runtime;
mod sync;

// What only the library calls is not called here.
#[path = "../../src/by_address.rs"]
mod by_address;
#[allow(dead_code)]
#[path = "../../src/event_queue.rs"]
mod event_queue;
#[allow(dead_code)]
#[path = "../../src/logging.rs"]
mod logging;
#[allow(dead_code, unused_imports)]
#[path = "../../src/protocol/mod.rs"]
mod protocol;

// The engine's functions that js_waker.rs calls.
extern crate self as napi_ohos;
pub(crate) use self::napi::sys;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use std::{env, thread};

/// A small program of several threads, with assertions.
struct Model {
    name: &'static str,
    /// The most switches away from a thread that could go on, in one order. `None` for any number.
    switches: Option<usize>,
    run: fn(),
}

fn main() -> ExitCode {
    let models: Vec<&Model> = [
        event_queue_models::MODELS,
        arkts::MODELS,
        ndk::BARRIER_MODELS,
        ndk::HANDLE_MODELS,
        client::MODELS,
        runtime::MODELS,
    ]
    .into_iter()
    .flatten()
    .collect();
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments == ["--list"] {
        models.iter().for_each(|model| println!("{}", model.name));
        return ExitCode::SUCCESS;
    }
    if let [only] = arguments.as_slice()
        && let Some(model) = models.iter().find(|model| model.name == *only)
    {
        return if check(model) { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let is_wanted = |model: &&&Model| {
        arguments.is_empty() || arguments.iter().any(|beginning| model.name.starts_with(beginning))
    };
    let failed = check_all(models.iter().filter(is_wanted).map(|model| model.name).collect());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs models, each in its own process, because loom cannot continue after a failed model. Returns how many failed.
fn check_all(names: Vec<&'static str>) -> usize {
    let program = env::current_exe().expect("this program has a path");
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let output = Command::new(&program).arg(name).output().expect("this program runs again");
                    print!("{}", String::from_utf8_lossy(&output.stdout));
                    if !output.status.success() {
                        println!("FAILED  {name}: {}", output.status);
                        eprint!("{}", String::from_utf8_lossy(&output.stderr));
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner();
    println!("models: {} passed, {failed} failed", names.len() - failed);
    failed + usize::from(names.is_empty())
}

/// Runs one model in all its orders.
fn check(model: &Model) -> bool {
    let Model { name, switches, run } = *model;
    let orders = Arc::new(AtomicUsize::new(0));
    let mut builder = loom::model::Builder::new();
    let switches = builder.preemption_bound.or(switches);
    builder.preemption_bound = switches;
    builder.max_branches = 20_000;
    let began = Instant::now();
    let counted = orders.clone();
    let checked = catch_unwind(AssertUnwindSafe(|| {
        builder.check(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            run();
        });
    }));
    let (orders, seconds) = (orders.load(Ordering::Relaxed), began.elapsed().as_secs_f32());
    if checked.is_ok() {
        let within = switches.map_or(String::new(), |switches| format!(" with up to {switches} switches"));
        println!("ok      {name}: {orders} orders{within} ({seconds:.1} s)");
    } else {
        eprintln!("in order {orders} of {name}");
    }
    checked.is_ok()
}
