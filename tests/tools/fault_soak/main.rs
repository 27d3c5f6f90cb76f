//! Long runs of many clients against a server and a proxy in a process of their own; for scripts/soak-faults.sh.
//!
//! Knows the library through `net_websocket::internals::client` alone.

mod flood;
mod hostile;
mod many;
#[path = "../../support"]
mod support {
    pub mod allocator;
    pub mod fault_proxy;
    pub mod hostile;
    pub mod resource_usage;
    pub mod soak;
}

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};

use support::soak::ledger;
use support::soak::servers::{Addresses, Servers};

const USAGE: &str = "\
Usage: fault_soak faults SECONDS CLIENTS SEED   random faults; the ledgers of all messages must agree
       fault_soak many CONNECTIONS SECONDS KIND so many connections at once, all exchanging messages; KIND is ws,
                                                ws-deflate, wss or wss-deflate
       fault_soak flood CONNECTIONS SECONDS WAY so many connections whose data never end beside a quiet one; WAY is in,
                                                out or slow
       fault_soak hostile CONNECTIONS SECONDS   so many connections to servers that each send one thing without end, beside a
                                                quiet one
       fault_soak peer CLIENTS SEED             the server and the proxy, which the others start
       fault_soak hostile-peer                  the servers of hostile
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().ok();
    let good = match words[..] {
        ["faults", seconds, clients, seed] => match (number(seconds), number(clients), number(seed)) {
            (Some(seconds), Some(clients @ 1..), Some(seed)) => {
                let clients = clients as usize;
                let plan = ledger::Plan { seconds, clients, seed, come_back: 50, pause_ms: 1_500 };
                let (addresses, peer) = Peer::start(clients, seed);
                ledger::run(plan, &addresses, || peer.end())
            }
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
        ["hostile", connections, seconds] => match (number(connections), number(seconds)) {
            (Some(connections @ 1..), Some(seconds @ 1..)) => hostile::run(connections as usize, seconds),
            _ => return usage(),
        },
        ["hostile-peer"] => {
            hostile::serve();
            true
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
}

impl Peer {
    fn start(clients: usize, seed: u64) -> (Addresses, Self) {
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
        (Addresses { faulty, direct, authority }, Self { process, stdin, stdout })
    }

    /// Ends it and returns the last lines that it prints.
    fn end(mut self) -> Vec<String> {
        drop(self.stdin.take());
        let lines = self.stdout.by_ref().lines().map(|line| line.expect("text")).collect();
        self.process.wait().expect("the peer ends");
        lines
    }
}

/// The other process: it prints where its servers are, and at end-of-file on stdin what they got.
fn serve(clients: usize, seed: u64) {
    let (addresses, servers) = Servers::start(clients, seed);
    for line in addresses.faulty.iter().chain(&addresses.direct) {
        println!("{line}");
    }
    println!("{}", addresses.authority.display());
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    for line in servers.end() {
        println!("{line}");
    }
}
