//! Long runs of many clients against a server and a proxy in a process of their own; for scripts/soak-faults.sh.
//!
//! Knows the library through `net_websocket::client` alone.

#[path = "../../faults/allocator.rs"]
mod allocator;
mod flood;
mod ledger;
mod many;
mod message;
mod peer;
#[path = "../../faults/proxy.rs"]
mod proxy;
mod resource_usage;

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};

use resource_usage::{ResourceUsage, trim};

const USAGE: &str = "\
Usage: fault_soak faults SECONDS CLIENTS SEED   random faults; the ledgers of all messages must agree
       fault_soak many CONNECTIONS SECONDS KIND so many connections at once, all exchanging messages; KIND is ws,
                                                ws-deflate, wss or wss-deflate
       fault_soak flood CONNECTIONS SECONDS WAY so many connections whose data never end beside a quiet one; WAY is in,
                                                out or slow
       fault_soak peer CLIENTS SEED             the server and the proxy, which the others start
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().ok();
    let good = match words[..] {
        ["faults", seconds, clients, seed] => match (number(seconds), number(clients), number(seed)) {
            (Some(seconds), Some(clients @ 1..), Some(seed)) => ledger::run(ledger::Plan {
                seconds,
                clients: clients as usize,
                seed,
                come_back: 50,
                pause_ms: 1_500,
            }),
            _ => return usage(),
        },
        ["many", connections, seconds, kind] => {
            let kind = many::KINDS.into_iter().find(|(name, ..)| *name == kind);
            match (number(connections), number(seconds), kind) {
                (Some(connections @ 1..), Some(seconds), Some(kind)) => {
                    many::run(connections as usize, seconds, kind)
                }
                _ => return usage(),
            }
        }
        ["flood", connections, seconds, way] => {
            let way = flood::WAYS.into_iter().find(|(name, _)| *name == way);
            match (number(connections), number(seconds), way) {
                (Some(connections @ 1..), Some(seconds @ 1..), Some(way)) => {
                    flood::run(connections as usize, seconds, way)
                }
                _ => return usage(),
            }
        }
        ["peer", clients, seed] => match (number(clients), number(seed)) {
            (Some(clients), Some(seed)) => {
                serve(clients as usize, seed);
                true
            }
            _ => return usage(),
        },
        _ => return usage(),
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn usage() -> ExitCode {
    eprint!("{USAGE}");
    ExitCode::from(2)
}

/// The other process.
struct Peer {
    process: Child,
    /// Its end is what it waits for.
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    /// Through the proxy, and past it; over TLS the second of each.
    faulty: [String; 2],
    direct: [String; 2],
    authority: PathBuf,
}

impl Peer {
    fn start(clients: usize, seed: u64) -> Self {
        let own = std::env::current_exe().expect("this program's file");
        let mut process = Command::new(own)
            .args(["peer", &clients.to_string(), &seed.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the peer starts");
        let stdin = process.stdin.take();
        let mut stdout = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut line = || {
            let mut line = String::new();
            stdout.read_line(&mut line).expect("the peer lives");
            line.trim_end().to_owned()
        };
        let faulty = [line(), line()];
        let direct = [line(), line()];
        let authority = PathBuf::from(line());
        Self { process, stdin, stdout, faulty, direct, authority }
    }

    /// Ends it and returns the last that it says.
    fn end(mut self) -> Vec<String> {
        drop(self.stdin.take());
        let lines = self.stdout.by_ref().lines().map(|line| line.expect("text")).collect();
        self.process.wait().expect("the peer ends");
        lines
    }
}

/// The other process: it says where its servers are, and at end-of-file on stdin what they got.
fn serve(clients: usize, seed: u64) {
    let servers = peer::Servers::start(clients, seed);
    for line in servers.faulty.iter().chain(&servers.direct) {
        println!("{line}");
    }
    println!("{}", servers.authority.display());
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    for line in servers.end() {
        println!("{line}");
    }
}
