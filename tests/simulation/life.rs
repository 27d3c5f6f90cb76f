//! One life: an application with a client, in a world, from a seed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::time::Duration;

use net_websocket::internals::simulation::{World, enter};
use tokio::runtime::Builder;
use tokio::time::sleep;

use crate::app;
use crate::network::lock;
use crate::world::{Sim, Weather};

/// A life takes milliseconds. One that takes this long runs in a loop.
const LONGEST_LIFE: Duration = Duration::from_secs(30);

/// The result of a life.
pub struct Verdict {
    pub faults: Vec<String>,
    /// The digest of all events and their times.
    pub hash: u64,
    /// The log of all events, if requested.
    pub story: Vec<String>,
}

/// Runs the life of a seed.
pub fn live(seed: u64, told: bool) -> Verdict {
    // On its own thread, without thread-local data of another life.
    let (done, is_done) = channel();
    let body = move || {
        let lived = catch_unwind(AssertUnwindSafe(|| on_this_thread(seed, told)));
        let _ = done.send(lived);
    };
    std::thread::Builder::new().spawn(body).expect("a thread");
    let failed = |fault: String| Verdict { faults: vec![fault], hash: 0, story: Vec::new() };
    match is_done.recv_timeout(LONGEST_LIFE) {
        Ok(Ok(verdict)) => verdict,
        Ok(Err(panic)) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            failed(format!("panicked: {}", text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("")))
        }
        Err(_) => failed(format!("still lives after {LONGEST_LIFE:?} of real time")),
    }
}

fn on_this_thread(seed: u64, told: bool) -> Verdict {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    let sim = runtime.block_on(async {
        let sim = Sim::new(seed, told);
        enter(Some(sim.clone()));
        // The application belongs to the client's process, and is frozen with it.
        let (done, is_done) = tokio::sync::oneshot::channel();
        let living = sim.clone();
        sim.spawn(Box::pin(async move {
            app::live(living).await;
            let _ = done.send(());
        }));
        let trouble = tokio::spawn(make_trouble(sim.clone()));
        let _ = is_done.await;
        trouble.abort();
        sim.stop_servers();
        // Waits until tasks whose answer nobody awaits have ended.
        sleep(Duration::from_secs(10)).await;
        let alive = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let lent = sim.lent.load(Ordering::Relaxed);
        if alive > 0 || lent > 0 {
            lock(&sim.judge).fault(format_args!("{alive} tasks and {lent} lent payloads are left over"));
        }
        sim
    });
    enter(None);
    let mut judge = lock(&sim.judge);
    Verdict {
        faults: std::mem::take(&mut judge.faults),
        hash: judge.hash(),
        story: judge.story.take().unwrap_or_default(),
    }
}

/// Freezes the client, makes the clock jump and changes the network.
async fn make_trouble(sim: Arc<Sim>) {
    if sim.weather == Weather::Calm {
        return;
    }
    let mut chance = sim.fates();
    for _ in 0..chance.weigh(&[(3, 0), (3, 1), (2, 2), (1, 6)]) {
        let latest = chance.weigh(&[(1, 300), (2, 15_000)]);
        sleep(chance.millis(0, latest)).await;
        let most = chance.weigh(&[(2, 30), (2, 700), (2, 6_000), (1, 90_000)]);
        let (time, catch_up) = (chance.millis(1, most), chance.millis(0, 40));
        match chance.number(0, 3) {
            0 => {
                lock(&sim.judge).tell(format_args!("the clock jumps by {time:?}"));
                sim.freezer.jump(time).await;
            }
            1 => {
                if let Some(client) = sim.client() {
                    lock(&sim.judge).network_changes();
                    client.change_network();
                }
            }
            _ => {
                lock(&sim.judge).tell(format_args!("the client freezes for {time:?}"));
                sim.freezer.freeze(time, catch_up);
            }
        }
    }
}
