//! A name server that answers as each name says, right or wrong, and the servers that its addresses lead to: `name_server`.
//!
//! It needs port 53 of 127.0.0.1, so tests/network/lookup.sh runs it in a network namespace. It says "ready" and ends at
//! end-of-file on stdin. The kind of a fault is the first label of a name, up to a hyphen; what follows the hyphen keeps
//! names apart, and is the seed of those that need one.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio_tungstenite::tungstenite;

/// Answers as described, over UDP and TCP.
const SERVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 1);
/// The same, but nobody takes TCP connections there.
const SERVER_WITHOUT_TCP: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// Takes questions and answers none.
const SILENT_SERVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 4);
const DNS_PORT: u16 = 53;

/// Where WebSocket servers are. Resolvers put addresses that have more of their bits in common with the one on this side
/// first (RFC 6724 rule 9), so those that are dead come before this one, whatever the order in the answer.
const GOOD: Ipv4Addr = Ipv4Addr::new(127, 0, 2, 1);
const GOOD_V6: Ipv6Addr = Ipv6Addr::LOCALHOST;
const PORT: u16 = 9000;
/// Addresses that refuse connections: 127.0.1.1 and those behind it.
const DEAD: u8 = 40;
/// So many of them fit into an answer over UDP (RFC 1035 section 2.3.4).
const DEAD_WITHIN_UDP: u8 = 28;
/// Addresses that swallow what wants to connect: 127.0.1.101 and those behind it.
const SWALLOWING: u8 = 4;

/// What is too late for a short limit, and in time for a long one.
const LATE: Duration = Duration::from_millis(600);
/// How long a TCP connection is open without an answer. glibc's resolver waits for ever.
const STUCK: Duration = Duration::from_secs(2);

const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;

const SERVFAIL: u8 = 2;
const NXDOMAIN: u8 = 3;
const REFUSED: u8 = 5;

fn main() -> Result<(), Box<dyn Error>> {
    for address in [SERVER, SERVER_WITHOUT_TCP] {
        let socket = UdpSocket::bind((address, DNS_PORT))?;
        std::thread::spawn(move || serve_udp(&Arc::new(socket)));
    }
    let listener = TcpListener::bind((SERVER, DNS_PORT))?;
    std::thread::spawn(move || serve_tcp(&listener));
    let silent = UdpSocket::bind((SILENT_SERVER, DNS_PORT))?;
    for address in [SocketAddr::from((GOOD, PORT)), SocketAddr::from((GOOD_V6, PORT))] {
        let listener = TcpListener::bind(address)?;
        std::thread::spawn(move || serve_websockets(&listener));
    }
    let swallowing =
        (0..SWALLOWING).map(|number| swallow(swallowing(number))).collect::<Result<Vec<_>, _>>()?;
    println!("ready");
    io::stdin().read_to_end(&mut Vec::new())?;
    drop((silent, swallowing));
    Ok(())
}

fn dead(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, 1 + number)
}

fn swallowing(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 1, 101 + number)
}

/// A listener whose queue is full: the kernel drops what asks to connect.
fn swallow(address: Ipv4Addr) -> io::Result<(Socket, TcpStream)> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((address, PORT)).into())?;
    socket.listen(0)?;
    Ok((socket, TcpStream::connect((address, PORT))?))
}

fn serve_websockets(listener: &TcpListener) {
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || {
            if let Ok(mut socket) = tungstenite::accept(stream) {
                while socket.read().is_ok() {}
            }
        });
    }
}

fn serve_udp(socket: &Arc<UdpSocket>) {
    let mut buffer = [0; 1_024];
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        let Some(question) = Question::read(&buffer[..length]) else { continue };
        let (answers, pause) = question.answers(Transport::Udp);
        let socket = socket.clone();
        let send = move || {
            for answer in answers {
                let _ = socket.send_to(&answer, from);
            }
        };
        if pause.is_zero() {
            send();
        } else {
            std::thread::spawn(move || {
                std::thread::sleep(pause);
                send();
            });
        }
    }
}

fn serve_tcp(listener: &TcpListener) {
    for stream in listener.incoming().flatten() {
        std::thread::spawn(move || {
            // Who has had enough of it hangs up.
            let _ = answer_tcp(stream);
        });
    }
}

/// Each message has its length before it (RFC 1035 section 4.2.2).
fn answer_tcp(mut stream: TcpStream) -> io::Result<()> {
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut message)?;
        let Some(question) = Question::read(&message) else { return Ok(()) };
        for answer in question.answers(Transport::Tcp).0 {
            let length = u16::try_from(answer.len()).unwrap_or(u16::MAX);
            let wire = [&length.to_be_bytes(), answer.as_slice()].concat();
            match question.kind.as_str() {
                "torn" => stream.write_all(&wire[..wire.len() / 2])?,
                _ => stream.write_all(&wire)?,
            }
        }
        match question.kind.as_str() {
            "hungup" | "torn" => return Ok(()),
            "stuck" => {
                std::thread::sleep(STUCK);
                return Ok(());
            }
            _ => {}
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    Udp,
    Tcp,
}

/// RFC 1035 section 4.1.
struct Question {
    id: [u8; 2],
    /// As it came: the name, the type and the class.
    wire: Vec<u8>,
    kind: String,
    number: u64,
    record: u16,
}

impl Question {
    fn read(message: &[u8]) -> Option<Self> {
        let id = *message.first_chunk()?;
        let mut at = 12;
        let first = message.get(at + 1..at + 1 + usize::from(*message.get(at)?))?;
        while *message.get(at)? != 0 {
            at += 1 + usize::from(message[at]);
        }
        let wire = message.get(12..at + 5)?.to_vec();
        let label = String::from_utf8_lossy(first).to_ascii_lowercase();
        let (kind, number) = label.split_once('-').unwrap_or((&label, "0"));
        Some(Self {
            id,
            record: u16::from_be_bytes([message[at + 1], message[at + 2]]),
            wire,
            kind: kind.to_owned(),
            number: number.parse().unwrap_or(0),
        })
    }

    /// The messages to answer with, after a pause.
    fn answers(&self, transport: Transport) -> (Vec<Vec<u8>>, Duration) {
        let now = |answer| (vec![answer], Duration::ZERO);
        let (none, nothing) = (|| (Vec::new(), Duration::ZERO), || self.records(&[]));
        let v4 = self.record == A;
        match self.kind.as_str() {
            "good" => now(self.good()),
            // Nothing is ever said.
            "hole" => none(),
            // One family answers, the other says nothing, or fails.
            "four" if v4 => now(self.good()),
            "six" if !v4 => now(self.good()),
            "four" | "six" => none(),
            "fourfails" if v4 => now(self.code(SERVFAIL)),
            "sixfails" if !v4 => now(self.code(SERVFAIL)),
            "fourfails" | "sixfails" => now(self.good()),
            "fourisnone" if v4 => now(self.code(NXDOMAIN)),
            "sixisnone" if !v4 => now(self.code(NXDOMAIN)),
            "fourisnone" | "sixisnone" => now(self.good()),
            "deadfour" if v4 => now(self.records(&[a(dead(0))])),
            "deadfour" => none(),
            "servfail" => now(self.code(SERVFAIL)),
            "nxdomain" => now(self.code(NXDOMAIN)),
            "refused" => now(self.code(REFUSED)),
            "empty" => now(nothing()),
            "alias" => now(self.records(&[(CNAME, b"\x06nobody\x04test\x00".to_vec())])),
            "loop" => now(self.records(&[(CNAME, b"\xc0\x0c".to_vec())])),
            "late" => (vec![self.good()], LATE),
            // Over UDP, only that it is too long for UDP.
            "long" | "hungup" | "torn" | "stuck" if transport == Transport::Udp => {
                let mut answer = nothing();
                answer[2] |= 0x02;
                now(answer)
            }
            "long" | "torn" if v4 => now(self.records(&many(DEAD))),
            "long" | "torn" => now(nothing()),
            "hungup" | "stuck" => none(),
            // Many addresses, and the last is the one.
            "many" if v4 => now(self.records(&many(DEAD_WITHIN_UDP))),
            "swallowed" if v4 => {
                let swallowing = (0..SWALLOWING).map(|number| a(swallowing(number)));
                now(self.records(&swallowing.chain([a(GOOD)]).collect::<Vec<_>>()))
            }
            "allswallowed" if v4 => {
                now(self.records(&(0..SWALLOWING).map(|number| a(swallowing(number))).collect::<Vec<_>>()))
            }
            "alldead" if v4 => now(self.records(&many(DEAD_WITHIN_UDP)[..usize::from(DEAD_WITHIN_UDP)])),
            "many" | "swallowed" | "allswallowed" | "alldead" => now(nothing()),
            // What no name server should say.
            "noise" => now(noise(self.number, 60 + (self.number % 400) as usize)),
            "foreign" => {
                let mut answer = self.good();
                answer[0] ^= 0xff;
                now(answer)
            }
            "short" => now(self.good()[..(self.number % 40) as usize].to_vec()),
            "counts" => {
                let mut answer = self.good();
                answer[6..12].copy_from_slice(&[0xff; 6]);
                now(answer)
            }
            "pointers" => {
                // Each name leads to itself.
                let at = 12 + self.wire.len();
                let mut answer = self.good();
                answer[at..at + 2].copy_from_slice(&[0xc0 | (at >> 8) as u8, at as u8]);
                now(answer)
            }
            // An address of the other family, and ones of wrong lengths.
            "crossed" => now(self.records(&[if v4 { aaaa(GOOD_V6) } else { a(GOOD) }])),
            "lengths" => now(self.records(&[
                (self.record, vec![127, 0, 2]),
                (self.record, vec![1; 17]),
                (self.record, vec![]),
            ])),
            "changed" => {
                let (mut answer, changes) = (self.good(), noise(self.number, 9));
                for change in changes.chunks(3) {
                    let at = usize::from(change[0]) * 256 + usize::from(change[1]);
                    // Not the question's number: then it is as good as no answer.
                    let at = 2 + at % (answer.len() - 2);
                    answer[at] ^= change[2] | 1;
                }
                now(answer)
            }
            // Of names that the resolver makes from those in the tests.
            _ => now(self.code(NXDOMAIN)),
        }
    }

    fn good(&self) -> Vec<u8> {
        match self.record {
            A => self.records(&[a(GOOD)]),
            AAAA => self.records(&[aaaa(GOOD_V6)]),
            _ => self.records(&[]),
        }
    }

    fn code(&self, code: u8) -> Vec<u8> {
        let mut answer = self.records(&[]);
        answer[3] |= code;
        answer
    }

    /// An answer with these records of the name that was asked for.
    fn records(&self, records: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let count = u16::try_from(records.len()).expect("few records").to_be_bytes();
        // A response to a standard query, recursion desired and available.
        let mut answer = vec![self.id[0], self.id[1], 0x81, 0x80, 0, 1, count[0], count[1], 0, 0, 0, 0];
        answer.extend_from_slice(&self.wire);
        for (record, data) in records {
            // The name is that of the question; class IN, and a minute to live.
            answer.extend(b"\xc0\x0c");
            answer.extend(record.to_be_bytes());
            answer.extend([0, 1, 0, 0, 0, 60]);
            answer.extend(u16::try_from(data.len()).expect("short data").to_be_bytes());
            answer.extend_from_slice(data);
        }
        answer
    }
}

fn a(address: Ipv4Addr) -> (u16, Vec<u8>) {
    (A, address.octets().to_vec())
}

fn aaaa(address: Ipv6Addr) -> (u16, Vec<u8>) {
    (AAAA, address.octets().to_vec())
}

/// So many addresses that refuse connections, and one where a server is. musl takes no more than 48.
fn many(count: u8) -> Vec<(u16, Vec<u8>)> {
    (0..count).map(|number| a(dead(number))).chain([a(GOOD)]).collect()
}

/// Numbers without a pattern, the same for the same seed (xorshift).
fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let byte = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..bytes).map(byte).collect()
}
