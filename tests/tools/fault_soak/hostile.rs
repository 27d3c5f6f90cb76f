//! Runs clients of servers that each send one kind of data without end, and one client that exchanges a message now and then.
//! Measures its round trips and the delay of the others' deadlines.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use net_websocket::internals::client::{
    Client, Options, Request, SEND_LIMIT_BYTES, SessionOptions, TlsOptions,
};

use super::Peer;
use super::flood::{Quiet, percentile, round_trips};
use crate::support::hostile::{KINDS, Taker, Told, needs_tls, start};

const DEADLINE: Duration = Duration::from_secs(60);
/// The timeout to measure.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// What is allowed, in milliseconds: the round trip of 99 of 100, and a deadline.
const ROUND_TRIP_MAX: f64 = 20.0;
const LATE_MAX: f64 = 250.0;

/// The process of the hostile servers.
pub fn serve() {
    start().iter().for_each(|url| println!("{url}"));
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

pub fn run(connections: usize, seconds: u64) -> bool {
    let own = std::env::current_exe().expect("this program's file");
    let mut servers = Command::new(own)
        .arg("hostile-peer")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the servers start");
    let mut lines = BufReader::new(servers.stdout.take().expect("a pipe")).lines();
    let urls: [String; 2] = std::array::from_fn(|_| lines.next().expect("a line").expect("text"));
    let (echo_servers, echo) = Peer::start(0, 0);
    let (sender, events) = channel();
    let quiet = Client::new(Box::new(Quiet(sender)), SEND_LIMIT_BYTES);
    let request = Request::parse(&echo_servers.direct[0], Options::default()).expect("a good request");
    quiet.connect(request).expect("idle");
    events.recv_timeout(DEADLINE).expect("open");
    let mut number = 0;
    let alone = round_trips(&quiet, &events, &mut number, Duration::from_secs(1));

    let clients: Vec<(Client, Receiver<Told>)> = KINDS
        .iter()
        .cycle()
        .take(connections)
        .map(|kind| {
            let (taker, events) = Taker::of(kind);
            let client = Client::new(Box::new(taker), SEND_LIMIT_BYTES);
            let session = SessionOptions { close_timeout: CLOSE_TIMEOUT, ..SessionOptions::default() };
            let tls = TlsOptions { skip_server_verification: true, ..TlsOptions::default() };
            let url = format!("{}{kind}", urls[usize::from(needs_tls(kind))]);
            let options = Options { session, tls, ..Options::default() };
            client.connect(Request::parse(&url, options).expect("a good request")).expect("idle");
            assert!(matches!(events.recv_timeout(DEADLINE), Ok(Told::Opened)), "{kind} opens");
            (client, events)
        })
        .collect();
    let beside = round_trips(&quiet, &events, &mut number, Duration::from_secs(seconds));
    let closed_at = Instant::now();
    for (client, _) in &clients {
        client.close(1000, "").expect("open");
    }
    let late = clients.iter().map(|(_, events)| {
        if let Told::Failed(text) = events.recv_timeout(DEADLINE).expect("the end") {
            println!("  failed: {text}");
        }
        closed_at.elapsed().saturating_sub(CLOSE_TIMEOUT)
    });
    let late = late.max().unwrap_or_default().as_secs_f64() * 1e3;
    drop(clients);
    drop(quiet);
    drop(servers.stdin.take());
    servers.wait().expect("the servers end");
    echo.end();

    let most = percentile(&beside, 99);
    println!(
        "hostile: {connections} connections\n\
        \x20 round trip of a quiet client: p50 {:.2} ms, p99 {most:.2} ms, {:.1} ms at most; alone {:.2} ms, {:.2} ms\n\
        \x20 deadlines: {late:.0} ms late at most",
        percentile(&beside, 50),
        percentile(&beside, 100),
        percentile(&alone, 50),
        percentile(&alone, 99),
    );
    most <= ROUND_TRIP_MAX && late <= LATE_MAX
}
