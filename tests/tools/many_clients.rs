//! Runs many clients and one server in this process, and measures what they do together.
//!
//! `many_clients idle CLIENTS SECONDS [PING_S]` counts how often idle clients wake the processor: the voluntary context
//! switches of the library's threads. `many_clients restart CLIENTS` shows when the clients of a server that restarts
//! are connected again. `many_clients burst CLIENTS` connects them all at once, with callbacks that only count, and tells how
//! many threads the library had.

use std::error::Error;
use std::fs;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use net_websocket::internals::client::{
    Client, Closed, Failure, Listener, Message, Opened, Options, Reconnect, Request, SEND_LIMIT_BYTES,
    SessionOptions,
};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["idle", clients, seconds] => idle(clients.parse()?, seconds.parse()?, 30),
        ["idle", clients, seconds, ping] => idle(clients.parse()?, seconds.parse()?, ping.parse()?),
        ["restart", clients] => restart(clients.parse()?),
        ["burst", clients] => burst(clients.parse()?),
        _ => {
            Err("usage: many_clients idle CLIENTS SECONDS [PING_S] | restart CLIENTS | burst CLIENTS".into())
        }
    }
}

/// Reports when it is open.
struct Opens(Sender<Instant>);

impl Listener for Opens {
    fn opened(&mut self, _opened: &Opened) {
        let _ = self.0.send(Instant::now());
    }

    fn message(&mut self, _message: Message<'_>) {}
    fn failed(&mut self, _failure: &Failure) {}
    fn closed(&mut self, _closed: &Closed) {}
}

/// Tells when it is open, by a callback that may block, as any of an application may.
struct Application(Sender<Instant>);

impl Listener for Application {
    fn may_block(&self) -> bool {
        true
    }

    fn opened(&mut self, _opened: &Opened) {
        let _ = self.0.send(Instant::now());
    }

    fn message(&mut self, _message: Message<'_>) {}
    fn failed(&mut self, _failure: &Failure) {}
    fn closed(&mut self, _closed: &Closed) {}
}

/// A server until it is dropped, with all its connections.
fn serve(address: SocketAddr) -> Result<(Runtime, SocketAddr), Box<dyn Error>> {
    let server = Builder::new_multi_thread().worker_threads(1).thread_name("server").enable_all().build()?;
    let listener = server.block_on(TcpListener::bind(address))?;
    let address = listener.local_addr()?;
    server.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                if let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await {
                    while let Some(Ok(_)) = socket.next().await {}
                }
            });
        }
    });
    Ok((server, address))
}

fn connect(
    clients: usize,
    address: SocketAddr,
    options: &Options,
) -> Result<(Vec<Client>, Receiver<Instant>), Box<dyn Error>> {
    let (sender, opens) = channel();
    let request = Request::parse(&format!("ws://{address}/"), options.clone())?;
    let mut connected = Vec::new();
    for _ in 0..clients {
        let client = Client::new(Box::new(Opens(sender.clone())), SEND_LIMIT_BYTES);
        client.connect(request.clone()).map_err(|_| "connected already")?;
        connected.push(client);
        opens.recv_timeout(Duration::from_secs(30))?;
    }
    Ok((connected, opens))
}

/// The voluntary context switches of the library's threads so far.
fn switches() -> u64 {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let of_thread = |path: std::path::PathBuf| {
        let name = fs::read_to_string(path.join("comm")).ok()?;
        let status = fs::read_to_string(path.join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        name.starts_with("net_websocket").then(|| line.trim().parse::<u64>().ok()).flatten()
    };
    threads.filter_map(|thread| of_thread(thread.path())).sum()
}

fn idle(clients: usize, seconds: u64, ping: u64) -> Result<(), Box<dyn Error>> {
    const STEP: Duration = Duration::from_millis(100);
    let (_server, address) = serve(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let options = Options {
        session: SessionOptions {
            ping_interval: Some(Duration::from_secs(ping)),
            ..SessionOptions::default()
        },
        ..Options::default()
    };
    let (connected, _opens) = connect(clients, address, &options)?;
    std::thread::sleep(Duration::from_secs(1));
    let pings = || connected.iter().map(|client| client.statistics().pings_sent).sum::<u64>();
    let (begun, begun_pings) = (switches(), pings());
    let (mut before, mut awake) = (begun, 0);
    for _ in 0..seconds * 10 {
        std::thread::sleep(STEP);
        let now = switches();
        awake += u64::from(now > before);
        before = now;
    }
    println!(
        "{clients} idle clients, a ping every {ping} s, for {seconds} s: {} pings",
        pings() - begun_pings
    );
    println!(
        "{awake} of {} spans of 100 ms had any wake of the library's threads; {} context switches, {:.1} a second",
        seconds * 10,
        before - begun,
        (before - begun) as f64 / seconds as f64
    );
    Ok(())
}

/// The library's threads.
fn threads() -> usize {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let name = |path: std::path::PathBuf| fs::read_to_string(path.join("comm")).unwrap_or_default();
    threads.filter(|thread| name(thread.path()).starts_with("net_websocket")).count()
}

fn burst(clients: usize) -> Result<(), Box<dyn Error>> {
    let (_server, address) = serve(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let (sender, opens) = channel();
    let request = Request::parse(&format!("ws://{address}/"), Options::default())?;
    let began = Instant::now();
    let connected: Vec<_> =
        (0..clients).map(|_| Client::new(Box::new(Application(sender.clone())), SEND_LIMIT_BYTES)).collect();
    for client in &connected {
        client.connect(request.clone()).map_err(|_| "connected already")?;
    }
    let (mut open, mut most) = (0, 0);
    while open < clients {
        match opens.recv_timeout(Duration::from_millis(10)) {
            Ok(_) => open += 1 + opens.try_iter().count(),
            Err(_) if began.elapsed() > Duration::from_secs(60) => return Err("not all are open".into()),
            Err(_) => {}
        }
        most = most.max(threads());
    }
    println!("{clients} clients open after {:?}; {most} threads of the library at most", began.elapsed());
    Ok(())
}

fn restart(clients: usize) -> Result<(), Box<dyn Error>> {
    const STEP_MS: u128 = 100;
    let (server, address) = serve(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let options = Options { reconnect: Some(Reconnect::default()), ..Options::default() };
    let (_connected, opens) = connect(clients, address, &options)?;
    let down = Instant::now();
    server.shutdown_background();
    std::thread::sleep(Duration::from_millis(1_500));
    let up = down.elapsed();
    let (_server, _) = serve(address)?;
    let mut histogram = std::collections::BTreeMap::new();
    for _ in 0..clients {
        let at = opens.recv_timeout(Duration::from_secs(120))? - down;
        *histogram.entry(at.as_millis() / STEP_MS).or_insert(0_usize) += 1;
    }
    println!(
        "{clients} clients of a server that is away for {} ms; back, in spans of {STEP_MS} ms:",
        up.as_millis()
    );
    for (span, count) in histogram {
        println!("{:>6} ms {count:>5} {}", span * STEP_MS, "#".repeat(count.div_ceil(4)));
    }
    Ok(())
}
