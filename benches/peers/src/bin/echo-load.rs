//! Echo servers, one after the other, each a process on the CPU for servers.
//!
//!   echo-load [--server NAME=COMMAND]... echo|idle SIZE COUNT URL FIRST
//!
//! echo: COUNT messages in all go to each server and back, on CONNECTIONS connections with one under way on each, once before what
//! counts and once for it. Prints a line for each server: its name, the processor time of its process and the wall time for each
//! message. idle: COUNT connections open and stay idle. The line has the resident memory by which the server's process has grown, for
//! each. The server with number FIRST begins. URL is not used.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bench_peers::{payload, upgrade};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader as AsyncBufReader};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

const SERVER_CPU: &str = "1";
const CONNECTIONS: usize = 64;
const READ_BYTES: usize = 131_072;
/// For an answer alone.
const SHORT_READ_BYTES: usize = 512;
/// The time within which the memory of an idle server changes.
const STEADY: Duration = Duration::from_millis(500);
const FIN: u8 = 0x80;
const BINARY: u8 = 2;

type Connection = AsyncBufReader<TcpStream>;

/// The process of a server, which ends with this.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Server {
    /// Its processor time so far.
    fn cpu(&self) -> Duration {
        let (mut clock, mut time) = (0, libc::timespec { tv_sec: 0, tv_nsec: 0 });
        let process = i32::try_from(self.0.id()).expect("a process");
        // SAFETY: the calls write `clock` and `time`.
        unsafe {
            assert_eq!(libc::clock_getcpuclockid(process, &mut clock), 0);
            assert_eq!(libc::clock_gettime(clock, &mut time), 0);
        }
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }

    /// Its resident memory, once it changes no more.
    async fn resident_bytes(&self) -> u64 {
        let path = format!("/proc/{}/smaps_rollup", self.0.id());
        let mut before = 0;
        loop {
            let text = std::fs::read_to_string(&path).expect("a process");
            let line = text.lines().find_map(|line| line.strip_prefix("Rss:")).expect("its memory");
            let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
            if kib == before {
                return kib * 1024;
            }
            before = kib;
            tokio::time::sleep(STEADY).await;
        }
    }
}

fn main() {
    let mut words = std::env::args().skip(1).peekable();
    let mut servers = Vec::new();
    while words.next_if(|word| word == "--server").is_some() {
        let server = words.next().expect("NAME=COMMAND");
        let (name, command) = server.split_once('=').expect("NAME=COMMAND");
        servers.push((name.to_owned(), command.to_owned()));
    }
    let rest: Vec<String> = words.collect();
    let [mode, size, count, _url, first] = &rest[..] else { panic!("usage: MODE SIZE COUNT URL FIRST") };
    let number = |word: &String| word.parse::<usize>().expect("a number");
    let (size, count, first) = (number(size), number(count), number(first));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    for place in 0..servers.len() {
        let (name, command) = &servers[(place + first) % servers.len()];
        if mode == "idle" {
            let bytes = runtime.block_on(idle(command, count));
            // A process that does not grow has had the memory from its start. It has no figure.
            if bytes > 0 {
                println!("{name}: rss_bytes={:.1}", bytes as f64 / count as f64);
            }
            continue;
        }
        let (cpu, wall) = runtime.block_on(measure(command, size, count / CONNECTIONS));
        let per = |time: Duration| time.as_nanos() as f64 / (count / CONNECTIONS * CONNECTIONS) as f64;
        println!("{name}: cpu_ns={:.1} wall_ns={:.1}", per(cpu), per(wall));
    }
}

/// A server that listens, and its port.
fn start(command: &str) -> (Server, u16) {
    let mut words = command.split(' ');
    let program = ["-c", SERVER_CPU].into_iter().chain(&mut words);
    let mut child = Command::new("taskset").args(program).stdout(Stdio::piped()).spawn().expect("started");
    let mut port = String::new();
    let out = child.stdout.take().expect("piped");
    let server = Server(child);
    BufReader::new(out).read_line(&mut port).expect("a line");
    (server, port.trim().parse().expect("a port"))
}

/// The growth of the server's memory with `count` connections.
async fn idle(command: &str, count: usize) -> u64 {
    let (server, port) = start(command);
    let before = server.resident_bytes().await;
    // Several at a time: a server may answer with a delay.
    let mut openers = JoinSet::new();
    for opener in 0..CONNECTIONS {
        let count = (count + opener) / CONNECTIONS;
        openers.spawn(async move {
            let mut connections = Vec::with_capacity(count);
            for _ in 0..count {
                connections.push(connect(port, SHORT_READ_BYTES).await);
            }
            connections
        });
    }
    let _connections = openers.join_all().await;
    server.resident_bytes().await.saturating_sub(before)
}

async fn measure(command: &str, size: usize, each: usize) -> (Duration, Duration) {
    let (server, port) = start(command);
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(connect(port, READ_BYTES).await);
    }
    connections = section(connections, size, each).await;
    let (cpu, wall) = (server.cpu(), Instant::now());
    section(connections, size, each).await;
    (server.cpu() - cpu, wall.elapsed())
}

async fn connect(port: u16, read_bytes: usize) -> Connection {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.expect("connected");
    stream.set_nodelay(true).expect("set");
    let mut connection = AsyncBufReader::with_capacity(read_bytes, stream);
    connection.write_all(&upgrade("127.0.0.1", "/")).await.expect("written");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.expect("a head"));
    }
    assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
    connection
}

/// `each` messages on each connection, and back.
async fn section(connections: Vec<Connection>, size: usize, each: usize) -> Vec<Connection> {
    let frame: std::sync::Arc<[u8]> = masked(&payload(size)).into();
    let mut tasks = JoinSet::new();
    for mut connection in connections {
        let frame = frame.clone();
        tasks.spawn(async move {
            let mut answer = vec![0; size];
            for _ in 0..each {
                connection.write_all(&frame).await.expect("written");
                receive(&mut connection, &mut answer).await;
            }
            connection
        });
    }
    tasks.join_all().await
}

/// Reads a message as long as `answer`, in one frame or several.
async fn receive(connection: &mut Connection, answer: &mut [u8]) {
    let mut filled = 0;
    loop {
        let first = connection.read_u8().await.expect("a frame");
        let length = match connection.read_u8().await.expect("a length") {
            126 => u64::from(connection.read_u16().await.expect("a length")),
            127 => connection.read_u64().await.expect("a length"),
            length => u64::from(length),
        };
        let end = filled + usize::try_from(length).expect("it fits");
        connection.read_exact(&mut answer[filled..end]).await.expect("a payload");
        filled = end;
        if first & FIN != 0 {
            assert_eq!(filled, answer.len(), "a message of another length");
            return;
        }
    }
}

/// A masked binary frame with the key 0.
fn masked(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![FIN | BINARY];
    match payload.len() {
        length @ 0..=125 => frame.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}
