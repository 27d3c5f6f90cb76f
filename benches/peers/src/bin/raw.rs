//! Not a client but the floor: a blocking socket that reads and writes the bytes a client would, and looks at none. With
//! EPOLL in the environment it waits for what it reads as every client of many connections must, in epoll.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use bench_peers::{
    Arguments, BATCH, Section, WARM_UP, payload, print_idle, print_round_trips, resident, upgrade,
};

const READ_BYTES: usize = 131_072;
/// What a client of many connections reads at once, so that one of them does not keep the others waiting.
const EPOLL_READ_BYTES: usize = 65_536;
/// Of the row of echoes over many connections.
const UNDER_WAY: usize = 8;
const MANY_MESSAGES: usize = 40_000;
/// Of the row of many clients that send now and then.
const PER_SECOND: usize = 10;
const PACED_SECONDS: usize = 5;

fn main() {
    let arguments = Arguments::parse();
    let Arguments { mode, size, count, url: _ } = &arguments;
    let (size, count) = (*size, *count);
    match mode.as_str() {
        "receive" => {
            let mut stream = connect(&arguments);
            let mut buffer = vec![0; READ_BYTES];
            let section = Section::begin();
            stream.write_all(&masked(b"go")).expect("written");
            let bytes = count * (header_bytes(size) + size);
            match std::env::var_os("EPOLL") {
                None => read(&mut stream, &mut buffer, bytes),
                Some(_) => read_by_epoll(&mut stream, &mut buffer[..EPOLL_READ_BYTES], bytes),
            }
            section.end(count);
        }
        "send" | "send-batch" => {
            let frame = masked(&payload(size));
            let batch = if mode == "send" { 1 } else { BATCH };
            let frames = frame.repeat(batch);
            let mut stream = connect(&arguments);
            let section = Section::begin();
            let mut left = count;
            while left > 0 {
                let now = left.min(batch);
                stream.write_all(&frames[..now * frame.len()]).expect("written");
                left -= now;
            }
            read(&mut stream, &mut [0; 6], 6);
            section.end(count);
        }
        "round-trip" => {
            let frame = masked(&payload(size));
            let mut stream = connect(&arguments);
            let mut buffer = vec![0; READ_BYTES];
            let epoll = std::env::var_os("EPOLL").map(|_| Epoll::like_tokio(&stream));
            let mut samples = Vec::with_capacity(count);
            let mut section = Section::begin();
            for i in 0..count + WARM_UP {
                if i == WARM_UP {
                    section = Section::begin();
                }
                let start = Instant::now();
                stream.write_all(&frame).expect("written");
                match &epoll {
                    None => read(&mut stream, &mut buffer, header_bytes(size) + size),
                    Some(epoll) => {
                        let mut left = header_bytes(size) + size;
                        while left > 0 {
                            epoll.wait();
                            left -= stream.read(&mut buffer).expect("read");
                        }
                    }
                }
                if i >= WARM_UP {
                    samples.push(start.elapsed().as_nanos() as u64);
                }
            }
            section.end(count);
            print_round_trips(samples);
        }
        "paced" => {
            let samples = paced((0..count).map(|_| connect(&arguments)).collect());
            print_round_trips(samples);
        }
        "echo-many" => {
            let streams: Vec<_> = (0..count).map(|_| connect(&arguments)).collect();
            let section = Section::begin();
            echo_many(&streams);
            section.end(MANY_MESSAGES);
        }
        "idle" => {
            let (before, _) = resident();
            let streams: Vec<_> = (0..count).map(|_| connect(&arguments)).collect();
            print_idle(before, count);
            drop(streams);
        }
        "connect" => {
            let section = Section::begin();
            for _ in 0..count {
                let mut stream = connect(&arguments);
                stream.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]).expect("written");
                while stream.read(&mut [0; 64]).expect("read") > 0 {}
            }
            section.end(count);
        }
        other => panic!("unknown mode {other}"),
    }
    println!();
}

/// Each connection sends so often in a second, all of them evenly in turn; one thread sends and one receives. A message holds
/// when it was sent. The result is the time of each round trip.
fn paced(streams: Vec<TcpStream>) -> Vec<u64> {
    let total = streams.len() * PER_SECOND * PACED_SECONDS;
    let epoll = Epoll::new();
    streams.iter().enumerate().for_each(|(i, stream)| epoll.add(stream, i as u64, libc::EPOLLIN));
    let start = Instant::now();
    std::thread::scope(|scope| {
        let receiver = scope.spawn(|| {
            let mut samples = Vec::with_capacity(total);
            while samples.len() < total {
                let number = epoll.wait();
                let mut frame = [0; 34];
                (&streams[number as usize]).read_exact(&mut frame).expect("read");
                let sent = u64::from_ne_bytes(frame[2..10].try_into().expect("eight bytes"));
                samples.push(start.elapsed().as_nanos() as u64 - sent);
            }
            samples
        });
        for i in 0..total {
            let at = Duration::from_secs(1) * i as u32 / (streams.len() * PER_SECOND) as u32;
            std::thread::sleep(at.saturating_sub(start.elapsed()));
            let mut message = [0; 32];
            message[..8].copy_from_slice(&(start.elapsed().as_nanos() as u64).to_ne_bytes());
            (&streams[i % streams.len()]).write_all(&masked(&message)).expect("written");
        }
        receiver.join().expect("all answers")
    })
}

/// The connections send in turn; a few messages are under way at any time.
fn echo_many(streams: &[TcpStream]) {
    let epoll = Epoll::new();
    streams
        .iter()
        .enumerate()
        .for_each(|(i, stream)| epoll.add(stream, i as u64, libc::EPOLLIN | libc::EPOLLET));
    let frame = masked(&[0; 32]);
    let send = |number: usize| (&streams[number % streams.len()]).write_all(&frame).expect("written");
    (0..UNDER_WAY).for_each(send);
    for arrived in 0..MANY_MESSAGES {
        let number = epoll.wait();
        (&streams[number as usize]).read_exact(&mut [0; 34]).expect("read");
        if arrived + UNDER_WAY < MANY_MESSAGES {
            send(arrived + UNDER_WAY);
        }
    }
}

struct Epoll(i32);

impl Epoll {
    fn new() -> Self {
        // SAFETY: a fresh descriptor.
        Self(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })
    }

    /// Edge-triggered and for both directions, as tokio's is.
    fn like_tokio(stream: &TcpStream) -> Self {
        let epoll = Self::new();
        epoll.add(stream, 0, libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET);
        // The socket is always writable, so that event is ignored.
        epoll.wait();
        epoll
    }

    fn add(&self, stream: &TcpStream, number: u64, events: i32) {
        let mut event = libc::epoll_event { events: events as u32, u64: number };
        // SAFETY: two descriptors that are open, and an event for the kernel to read.
        assert_eq!(
            unsafe { libc::epoll_ctl(self.0, libc::EPOLL_CTL_ADD, stream.as_raw_fd(), &mut event) },
            0
        );
    }

    /// The number of the stream that has something.
    fn wait(&self) -> u64 {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        // SAFETY: room for the one event that is asked for.
        assert_eq!(unsafe { libc::epoll_wait(self.0, &mut event, 1, 10_000) }, 1);
        event.u64
    }
}

fn connect(arguments: &Arguments) -> TcpStream {
    let mut stream = TcpStream::connect(arguments.authority()).expect("connected");
    stream.set_nodelay(true).expect("set");
    stream.write_all(&upgrade(arguments.authority(), arguments.path())).expect("written");
    let mut head = [0; 1_024];
    let mut filled = 0;
    while !head[..filled].ends_with(b"\r\n\r\n") {
        filled += stream.read(&mut head[filled..]).expect("read");
    }
    stream
}

fn read(stream: &mut TcpStream, buffer: &mut [u8], count: usize) {
    let mut left = count;
    while left > 0 {
        let read = stream.read(buffer).expect("read");
        assert_ne!(read, 0, "the server hung up");
        left -= read;
    }
}

/// Reads until a read brings less than asked for, and waits in epoll then.
fn read_by_epoll(stream: &mut TcpStream, buffer: &mut [u8], count: usize) {
    stream.set_nonblocking(true).expect("set");
    let epoll = Epoll::like_tokio(stream);
    let mut left = count;
    while left > 0 {
        match stream.read(buffer) {
            Ok(0) => panic!("the server hung up"),
            Ok(read) => {
                left -= read;
                if left == 0 || read == buffer.len() {
                    continue;
                }
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        epoll.wait();
    }
}

fn header_bytes(size: usize) -> usize {
    match size {
        0..=125 => 2,
        126..=0xffff => 4,
        _ => 10,
    }
}

/// A masked binary frame with the key 0.
fn masked(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x82];
    match payload.len() {
        size @ 0..=125 => frame.push(0x80 | size as u8),
        size @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend_from_slice(&(size as u16).to_be_bytes());
        }
        size => {
            frame.push(0x80 | 127);
            frame.extend_from_slice(&(size as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(payload);
    frame
}
