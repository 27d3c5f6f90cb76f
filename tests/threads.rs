//! Only callbacks that really block make the library start threads.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use net_websocket::internals::client::{
    Client, Closed, Failure, Listener, Message, Opened, Request, SEND_LIMIT_BYTES,
};

use support::{DEADLINE, Peer, quiet};

const CLIENTS: usize = 3_000;
const SERVER_THREADS: usize = 4;
/// Two workers, the watchdog, and a substitute for a worker.
const THREADS_MAX: usize = 6;

/// An application that only counts its events.
struct Counter(Arc<AtomicUsize>);

impl Listener for Counter {
    fn may_block(&self) -> bool {
        true
    }

    fn opened(&mut self, _opened: &Opened) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn message(&mut self, _message: Message<'_>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn failed(&mut self, _failure: &Failure) {}
    fn closed(&mut self, _closed: &Closed) {}
}

/// The library's threads.
fn threads() -> usize {
    let threads = std::fs::read_dir("/proc/self/task").expect("procfs").flatten();
    let name = |path: std::path::PathBuf| std::fs::read_to_string(path.join("comm")).unwrap_or_default();
    threads.filter(|thread| name(thread.path()).starts_with("net_websocket")).count()
}

/// Each client needs one descriptor, and its server another.
fn allow_descriptors() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the calls read and write `limit`.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
    }
    assert!(limit.rlim_max > 2 * CLIENTS as libc::rlim_t + 100, "{} descriptors", limit.rlim_max);
}

#[test]
fn many_callbacks_that_do_not_block_start_no_threads() {
    allow_descriptors();
    let peer = Arc::new(Peer::bind());
    let count = Arc::new(AtomicUsize::new(0));
    let request = Request::parse(&peer.url(), quiet()).expect("a good request");
    let servers: Vec<_> = (0..SERVER_THREADS)
        .map(|_| {
            let peer = peer.clone();
            std::thread::spawn(move || (0..CLIENTS / SERVER_THREADS).map(|_| peer.open()).collect::<Vec<_>>())
        })
        .collect();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let client = Client::new(Box::new(Counter(count.clone())), SEND_LIMIT_BYTES);
            client.connect(request.clone()).expect("idle");
            client
        })
        .collect();
    let (began, mut most) = (Instant::now(), 0);
    while count.load(Ordering::SeqCst) < CLIENTS {
        assert!(began.elapsed() < 3 * DEADLINE, "{} open", count.load(Ordering::SeqCst));
        most = most.max(threads());
        std::thread::sleep(Duration::from_millis(1));
    }
    servers.into_iter().for_each(|server| drop(server.join().expect("no panic")));
    drop(clients);
    assert!((2..=THREADS_MAX).contains(&most), "{most} threads");
}
