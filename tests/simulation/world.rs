//! The world of one life: its network, its host names and its random numbers.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::Waker;
use std::time::Duration;

use futures_util::FutureExt;
use net_websocket::internals::client::{Client, MessageType};
use net_websocket::internals::simulation::{Later, Wire, World};
use tokio::sync::Notify;
use tokio::task::{AbortHandle, unconstrained};
use tokio::time::{Instant, sleep};

use crate::chance::Chance;
use crate::freezer::{Freezable, Freezer};
use crate::judge::Judge;
use crate::network::{Owner, connection, lock};
use crate::{app, server};

/// How many faults a life has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    /// No faults.
    Calm,
    /// Some faults.
    Mixed,
    /// Many faults.
    Stormy,
}

impl Weather {
    /// The probability in this weather, in percent, of an event with the given probability in mixed weather.
    pub fn percent(self, mixed: usize) -> usize {
        match self {
            Self::Calm => 0,
            Self::Mixed => mixed,
            Self::Stormy => 3 * mixed,
        }
    }
}

/// Whether the listener accepts more.
#[derive(Default)]
pub struct Pause {
    pub paused: bool,
    pub waker: Option<Waker>,
}

pub struct Sim {
    me: Weak<Self>,
    start: Instant,
    pub weather: Weather,
    pub latency: Duration,
    pub freezer: Arc<Freezer>,
    pub judge: Mutex<Judge>,
    /// The generator of the application and its listener.
    pub app: Mutex<Chance>,
    /// The generator of another thread of the application.
    pub elsewhere: Mutex<Chance>,
    /// The generator of the network and the servers.
    fates: Mutex<Chance>,
    /// The generator of the library.
    library: Mutex<Chance>,
    pub client: Mutex<Option<Arc<Client>>>,
    pub pause: Mutex<Pause>,
    /// The application only waits for the end.
    pub is_winding_down: Mutex<bool>,
    /// The unfinished message in pieces.
    pub unfinished: Mutex<Option<MessageType>>,
    /// An attempt has ended, or a task.
    pub ended: Notify,
    tasks: AtomicUsize,
    wires: AtomicUsize,
    servers: Mutex<Vec<AbortHandle>>,
    /// Payloads that the application has lent.
    pub lent: AtomicUsize,
}

impl Sim {
    pub fn new(seed: u64, told: bool) -> Arc<Self> {
        let mut chance = Chance::new(seed);
        let weather = chance.weigh(&[(2, Weather::Calm), (5, Weather::Mixed), (3, Weather::Stormy)]);
        let slow = if weather == Weather::Calm { 40 } else { 400 };
        let latency = match chance.number(0, 3) {
            0 => Duration::from_micros(50),
            1 => chance.millis(1, slow),
            _ => chance.millis(1, 20),
        };
        let all_have_receipts = chance.percent(70);
        let freezer = Arc::new(Freezer::default());
        let judge = Judge::new(freezer.clone(), all_have_receipts, told, latency);
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            start: Instant::now(),
            weather,
            latency,
            freezer,
            judge: Mutex::new(judge),
            app: Mutex::new(chance.fork()),
            elsewhere: Mutex::new(chance.fork()),
            fates: Mutex::new(chance.fork()),
            library: Mutex::new(chance.fork()),
            client: Mutex::default(),
            pause: Mutex::default(),
            is_winding_down: Mutex::new(false),
            unfinished: Mutex::new(None),
            ended: Notify::new(),
            tasks: AtomicUsize::new(0),
            wires: AtomicUsize::new(0),
            servers: Mutex::default(),
            lent: AtomicUsize::new(0),
        })
    }

    /// Running tasks of the library.
    pub fn tasks(&self) -> usize {
        self.tasks.load(Ordering::Relaxed)
    }

    /// Connections that the library has not dropped.
    pub fn wires(&self) -> usize {
        self.wires.load(Ordering::Relaxed)
    }

    pub fn stop_servers(&self) {
        lock(&self.servers).drain(..).for_each(|server| server.abort());
    }

    pub fn client(&self) -> Option<Arc<Client>> {
        lock(&self.client).clone()
    }

    pub fn fates(&self) -> Chance {
        lock(&self.fates).fork()
    }

    /// Accepts a connection: the client's end of it.
    fn accept(&self) -> Box<dyn Wire> {
        let mut chance = self.fates();
        self.wires.fetch_add(1, Ordering::Relaxed);
        let owner = Box::new(OfSim(self.me.clone()));
        let (client, server) = connection(&mut chance, self.latency, self.freezer.clone(), owner);
        let number = lock(&self.judge).serves(client.link());
        if let Some(sim) = self.me.upgrade() {
            let serves = AssertUnwindSafe(server::serve(sim.clone(), server, number, chance)).catch_unwind();
            let server = tokio::spawn(unconstrained(async move {
                if serves.await.is_err() {
                    lock(&sim.judge).fault(format_args!("the server panicked"));
                }
            }));
            lock(&self.servers).push(server.abort_handle());
        }
        Box::new(client)
    }
}

/// A notice of a connection's end to its world.
struct OfSim(Weak<Sim>);

impl Owner for OfSim {
    fn is_gone(&self) {
        if let Some(sim) = self.0.upgrade() {
            sim.wires.fetch_sub(1, Ordering::Relaxed);
            sim.ended.notify_waiters();
        }
    }

    fn meanwhile(&self, percent: usize) {
        if let Some(sim) = self.0.upgrade() {
            app::meanwhile(&sim, percent);
        }
    }
}

/// The result of an attempt to connect.
#[derive(Clone, Copy)]
enum Way {
    Free,
    Slow,
    Refused,
    NoRoute,
    Nowhere,
}

impl World for Sim {
    fn connect(&self, to: SocketAddr) -> Later<io::Result<Box<dyn Wire>>> {
        let mut chance = self.fates();
        let some = self.weather.percent(2);
        let way = chance.weigh(&[
            (100, Way::Free),
            (some, Way::Slow),
            (2 * some, Way::Refused),
            (some, Way::NoRoute),
            (some, Way::Nowhere),
        ]);
        {
            let mut judge = lock(&self.judge);
            judge.tell(format_args!("network: a connection to {}", to.ip()));
            if !matches!(way, Way::Free) {
                judge.spoil();
            }
        }
        let delay = 2 * self.latency
            + if matches!(way, Way::Slow) { chance.millis(0, 20_000) } else { Duration::ZERO };
        let me = self.me.clone();
        Box::pin(async move {
            sleep(delay).await;
            match way {
                Way::Free | Way::Slow => match me.upgrade() {
                    Some(sim) => Ok(sim.accept()),
                    None => Err(ErrorKind::NetworkDown.into()),
                },
                Way::Refused => Err(ErrorKind::ConnectionRefused.into()),
                Way::NoRoute => Err(ErrorKind::HostUnreachable.into()),
                Way::Nowhere => std::future::pending().await,
            }
        })
    }

    fn look_up(&self, _name: &str, v6: bool) -> Later<io::Result<Vec<SocketAddr>>> {
        let mut chance = self.fates();
        let fails = chance.percent(self.weather.percent(4));
        let never = chance.percent(self.weather.percent(1));
        let delay = chance.millis(0, 300);
        let addresses: Vec<SocketAddr> = (1..=chance.number(1, 2) as u8)
            .map(|number| match v6 {
                true => SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, number.into()], 0)),
                false => SocketAddr::from(([192, 0, 2, number], 0)),
            })
            .collect();
        if fails || never {
            lock(&self.judge).spoil();
        }
        Box::pin(async move {
            sleep(delay).await;
            if never {
                std::future::pending::<()>().await;
            }
            if fails { Err(io::Error::other("no such name")) } else { Ok(addresses) }
        })
    }

    fn spawn(&self, task: Later<()>) {
        struct Counted(Weak<Sim>);
        impl Drop for Counted {
            fn drop(&mut self) {
                if let Some(sim) = self.0.upgrade() {
                    sim.tasks.fetch_sub(1, Ordering::Relaxed);
                    sim.ended.notify_waiters();
                }
            }
        }
        self.tasks.fetch_add(1, Ordering::Relaxed);
        let counted = Counted(self.me.clone());
        let task = Box::pin(async move {
            let _counted = counted;
            task.await;
        });
        tokio::spawn(unconstrained(Freezable::new(self.freezer.clone(), task)));
    }

    fn chance(&self) -> u64 {
        lock(&self.library).next()
    }

    fn origin(&self) -> Instant {
        self.start
    }
}
