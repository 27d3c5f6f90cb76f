//! What the clients have in common: the command line, the loops that are timed, and the line that is printed.
//!
//! `CLIENT MODE SIZE COUNT URL`, where MODE is
//!
//! - `receive`: COUNT messages of SIZE bytes from `/flood`,
//! - `send`, `send-batch`: COUNT messages to `/sink`, flushed one by one or 64 at a time,
//! - `round-trip`: COUNT messages to `/echo` and back, one at a time,
//! - `idle`: COUNT connections to `/idle`, all open at once,
//! - `connect`: COUNT connections to `/echo`, one at a time, each closed in good order.
//!
//! Prints `name=value` pairs: `cpu_ns` and `wall_ns` are per message or per connection, CPU time is that of the whole
//! process from the first message to the last. C, C++ and JavaScript clients do the same in their own words.

pub mod echo;
mod handshake;

use std::time::{Duration, Instant};

use bytes::Bytes;

pub use handshake::upgrade;

/// Messages per flush in `send-batch`.
pub const BATCH: usize = 64;
/// Round trips before those that count.
pub const WARM_UP: usize = 500;
/// How long idle connections rest before their memory is read.
const SETTLE: Duration = Duration::from_secs(2);

/// The command line.
pub struct Arguments {
    pub mode: String,
    pub size: usize,
    pub count: usize,
    pub url: String,
}

impl Arguments {
    pub fn parse() -> Self {
        let words: Vec<String> = std::env::args().skip(1).collect();
        let [mode, size, count, url] = words.try_into().expect("usage: CLIENT MODE SIZE COUNT URL");
        Self {
            mode,
            size: size.parse().expect("SIZE is a number"),
            count: count.parse().expect("COUNT is a number"),
            url,
        }
    }

    /// `HOST:PORT` of the URL.
    pub fn authority(&self) -> &str {
        let rest = self.url.split_once("://").expect("the URL has a scheme").1;
        rest.split_once('/').expect("the URL has a path").0
    }

    /// The path of the URL.
    pub fn path(&self) -> &str {
        let rest = self.url.split_once("://").expect("the URL has a scheme").1;
        &rest[self.authority().len()..]
    }
}

/// What is sent: binary, and not text by chance.
pub fn payload(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i * 151 + 128) as u8).collect()
}

/// A stretch of time in which the process is measured.
pub struct Section {
    cpu: Duration,
    wall: Instant,
}

impl Section {
    pub fn begin() -> Self {
        Self { cpu: cpu_time(), wall: Instant::now() }
    }

    /// Prints the figures per message.
    pub fn end(self, count: usize) {
        let (cpu, wall) = (cpu_time() - self.cpu, self.wall.elapsed());
        let per = |time: Duration| time.as_nanos() as f64 / count as f64;
        print!("cpu_ns={:.1} wall_ns={:.1} ", per(cpu), per(wall));
    }
}

fn cpu_time() -> Duration {
    // SAFETY: an all-zero value is valid, and the call fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let time = |time: libc::timeval| {
        Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
    };
    time(usage.ru_utime) + time(usage.ru_stime)
}

/// Prints the median and the 99th percentile of round trips.
pub fn print_round_trips(mut samples: Vec<u64>) {
    samples.sort_unstable();
    let at = |share: f64| samples[((samples.len() - 1) as f64 * share) as usize];
    print!("p50_ns={} p99_ns={} ", at(0.5), at(0.99));
}

/// Resident memory in bytes, and threads.
pub fn resident() -> (usize, usize) {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let field = |name: &str| -> usize {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("Linux has it");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    };
    (field("VmRSS:") * 1_024, field("Threads:"))
}

/// Prints what `count` idle connections take beyond what the process had `before` them.
pub fn print_idle(before: usize, count: usize) {
    std::thread::sleep(SETTLE);
    let (after, threads) = resident();
    print!("rss_bytes={} threads={threads} ", after.saturating_sub(before) / count);
}

/// A client library as it is used on tokio.
pub trait Peer: Sized {
    fn connect(arguments: &Arguments) -> impl Future<Output = Self>;
    /// The length of the next message.
    fn receive(&mut self) -> impl Future<Output = usize>;
    /// Takes a message to send; it may or may not go out before [`Peer::flush`].
    fn queue(&mut self, payload: &Bytes) -> impl Future<Output = ()>;
    fn flush(&mut self) -> impl Future<Output = ()>;
    /// The closing handshake.
    fn close(self) -> impl Future<Output = ()>;
}

/// The program of a peer: on one thread, which is the best case for one connection.
pub fn run<P: Peer>() {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        match arguments.mode.as_str() {
            "receive" => receive::<P>(&arguments).await,
            "send" => send::<P>(&arguments, 1).await,
            "send-batch" => send::<P>(&arguments, BATCH).await,
            "round-trip" => round_trip::<P>(&arguments).await,
            "idle" => idle::<P>(&arguments).await,
            "connect" => connect::<P>(&arguments).await,
            other => panic!("unknown mode {other}"),
        }
    });
    println!();
}

async fn receive<P: Peer>(arguments: &Arguments) {
    let mut peer = P::connect(arguments).await;
    let section = Section::begin();
    peer.queue(&Bytes::from_static(b"go")).await;
    peer.flush().await;
    for _ in 0..arguments.count {
        assert_eq!(peer.receive().await, arguments.size);
    }
    section.end(arguments.count);
}

async fn send<P: Peer>(arguments: &Arguments, batch: usize) {
    let payload = Bytes::from(payload(arguments.size));
    let mut peer = P::connect(arguments).await;
    let section = Section::begin();
    for sent in 1..=arguments.count {
        peer.queue(&payload).await;
        if sent % batch == 0 || sent == arguments.count {
            peer.flush().await;
        }
    }
    assert_eq!(peer.receive().await, 4, "the answer when all has arrived");
    section.end(arguments.count);
}

async fn round_trip<P: Peer>(arguments: &Arguments) {
    let payload = Bytes::from(payload(arguments.size));
    let mut peer = P::connect(arguments).await;
    let mut samples = Vec::with_capacity(arguments.count);
    let mut section = Section::begin();
    for i in 0..arguments.count + WARM_UP {
        if i == WARM_UP {
            section = Section::begin();
        }
        let start = Instant::now();
        peer.queue(&payload).await;
        peer.flush().await;
        assert_eq!(peer.receive().await, arguments.size);
        if i >= WARM_UP {
            samples.push(start.elapsed().as_nanos() as u64);
        }
    }
    section.end(arguments.count);
    print_round_trips(samples);
}

async fn idle<P: Peer>(arguments: &Arguments) {
    let (before, _) = resident();
    let mut peers = Vec::new();
    for _ in 0..arguments.count {
        peers.push(P::connect(arguments).await);
    }
    print_idle(before, arguments.count);
}

async fn connect<P: Peer>(arguments: &Arguments) {
    let section = Section::begin();
    for _ in 0..arguments.count {
        P::connect(arguments).await.close().await;
    }
    section.end(arguments.count);
}
