//! A server in a process that has no descriptor left: it waits without spinning, and serves who waited when one is free.
//!
//! The limit is of the whole process, so this program has one test.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use net_websocket::internals::client::{Closed, Failure, Listener, Message, Opened};
use net_websocket::internals::server::{ConnectionInfo, Server, ServerListener, ServerOptions};
use socket2::{Domain, Socket, Type};

/// Longer than anything here takes; a test that reaches it has failed.
const DEADLINE: Duration = Duration::from_secs(20);
/// How long the server waits after an accept that failed.
const PAUSE: Duration = Duration::from_millis(100);
/// Accepts that fail one after the other, for this test.
const FAILURES: u32 = 5;
/// Of processor time, for all of them. A loop without a pause would take all that there is.
const CPU_MAX: Duration = Duration::from_millis(100);

#[derive(Debug, PartialEq)]
enum Told {
    Opened(u64),
    Closed(u64),
    CannotAccept(Option<i32>),
}

struct Owner(Sender<Told>);

struct Connected(Sender<Told>, u64);

impl ServerListener for Owner {
    fn connected(&self, info: &Arc<ConnectionInfo>) -> Box<dyn Listener> {
        Box::new(Connected(self.0.clone(), info.id))
    }

    fn cannot_accept(&self, cause: &std::io::Error) {
        let _ = self.0.send(Told::CannotAccept(cause.raw_os_error()));
    }
}

impl Listener for Connected {
    fn opened(&mut self, _opened: &Opened) {
        let _ = self.0.send(Told::Opened(self.1));
    }

    fn message(&mut self, _message: Message<'_>) {}

    fn failed(&mut self, _failure: &Failure) {}

    fn closed(&mut self, _closed: &Closed) {
        let _ = self.0.send(Told::Closed(self.1));
    }
}

/// Where calls of `accept4` are told, once that is wanted: what each gave, and when.
static ACCEPTS: OnceLock<Sender<(libc::c_int, Instant)>> = OnceLock::new();

/// Stands before the C library's, for all of this program.
///
/// # Safety
///
/// As that of the C library.
#[unsafe(no_mangle)]
unsafe extern "C" fn accept4(
    socket: libc::c_int,
    address: *mut libc::sockaddr,
    length: *mut libc::socklen_t,
    flags: libc::c_int,
) -> libc::c_int {
    // SAFETY: the arguments are the caller's, as accept4(2) has them. It returns a descriptor, which is an int.
    let accepted = unsafe { libc::syscall(libc::SYS_accept4, socket, address, length, flags) } as libc::c_int;
    if let Some(accepts) = ACCEPTS.get() {
        let _ = accepts.send((accepted, Instant::now()));
    }
    accepted
}

/// Lets the process have so many descriptors, and returns how many it could have.
fn limit_descriptors(most: libc::rlim_t) -> libc::rlim_t {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the calls read and write `limit`.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
        let before = std::mem::replace(&mut limit.rlim_cur, most);
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &limit), 0);
        before
    }
}

/// The lowest number that is free.
fn next_descriptor() -> libc::rlim_t {
    let file = std::fs::File::open("/dev/null").expect("a descriptor");
    libc::rlim_t::try_from(file.as_raw_fd()).expect("a number")
}

/// The processor time of this process.
fn cpu() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes `time`.
    assert_eq!(unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) }, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn socket() -> Socket {
    Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket")
}

/// Asks for a connection, which may have to wait.
fn ask(socket: Socket, server: SocketAddr) -> TcpStream {
    socket.connect(&server.into()).expect("it listens");
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    let request = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("room");
    stream
}

/// Waits until it is let in.
fn answered(stream: &mut TcpStream) {
    let mut begin = [0; 12];
    stream.read_exact(&mut begin).expect("an answer");
    assert_eq!(&begin, b"HTTP/1.1 101");
}

fn next<T>(events: &Receiver<T>) -> T {
    events.recv_timeout(DEADLINE).expect("an event in time")
}

#[test]
fn without_descriptors_it_waits_without_spinning_and_serves_who_waited_when_one_is_free() {
    let (told, events) = channel();
    let options = ServerOptions { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..ServerOptions::default() };
    let server = Server::start(options, Box::new(Owner(told))).expect("a server");
    let address = server.local().expect("an address");
    let mut first = ask(socket(), address);
    answered(&mut first);
    assert_eq!(next(&events), Told::Opened(1));

    let waiting = socket();
    let (accepts, accepted) = channel();
    let before = limit_descriptors(next_descriptor());
    ACCEPTS.set(accepts).expect("set once");
    let mut waiting = ask(waiting, address);
    assert_eq!(next(&events), Told::CannotAccept(Some(libc::EMFILE)));
    let (refused, began) = next(&accepted);
    assert_eq!(refused, -1);
    let cpu_before = cpu();
    for _ in 0..FAILURES {
        assert_eq!(next(&accepted).0, -1);
    }
    let (took, cpu) = (began.elapsed(), cpu() - cpu_before);
    println!("{FAILURES} more calls of accept in {took:?}, {cpu:?} of processor time");
    assert!(took >= PAUSE * FAILURES, "{FAILURES} calls of accept in {took:?}");
    assert!(cpu < CPU_MAX, "{cpu:?} of processor time in {took:?}");

    // It ends, and so do both of its descriptors. The limit stays.
    first.shutdown(Shutdown::Both).expect("an end");
    drop(first);
    let mut events = std::iter::from_fn(|| Some(next(&events)));
    assert_eq!(
        [events.next(), events.next()],
        [Some(Told::Closed(1)), Some(Told::Opened(2))],
        "and nothing told twice"
    );
    answered(&mut waiting);
    assert!(accepted.try_iter().any(|(accepted, _)| accepted >= 0));
    limit_descriptors(before);
}
