//! A device that sleeps: its timer clock stops, and the peer continues. After a long sleep the client probes the connection
//! and detects a lost one.
//!
//! This program's `clock_gettime` replaces the one of the C library. It asks the kernel, and adds the sleep of a test to the
//! boot-time clock.
#![cfg(target_os = "linux")]

mod support;

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use net_websocket::internals::client::{Options, Reconnect, SessionOptions};

use support::{DEADLINE, Peer, Recorded, Seen, Wire, quiet};

/// The time in which the peer must answer after a sleep.
const LIMIT: Duration = Duration::from_secs(10);
/// The tolerance for a busy machine.
const SLACK: Duration = Duration::from_secs(10);
const PING: u8 = 0x89;

/// The time slept so far, in seconds.
static SLEPT: AtomicI64 = AtomicI64::new(0);
/// The tests share the clock.
static CLOCK: Mutex<()> = Mutex::new(());

/// # Safety
///
/// `time` is valid for the call, as for the function of the C library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, time: *mut libc::timespec) -> libc::c_int {
    // SAFETY: the kernel writes one timespec to the address.
    let status = unsafe { libc::syscall(libc::SYS_clock_gettime, clock, time) };
    if status == 0 && clock == libc::CLOCK_BOOTTIME {
        // SAFETY: as above.
        unsafe { (*time).tv_sec += SLEPT.load(Ordering::SeqCst) };
    }
    status as libc::c_int
}

fn sleep_for(seconds: i64) {
    SLEPT.fetch_add(seconds, Ordering::SeqCst);
}

/// A short ping interval and a long pong timeout.
fn pinging() -> Options {
    let session = SessionOptions {
        ping_interval: Some(Duration::from_millis(100)),
        pong_timeout: Some(Duration::from_secs(60)),
        ..quiet().session
    };
    Options { session, ..quiet() }
}

/// A connection after its first ping.
fn opened(peer: &Peer, recorded: &Recorded) -> Wire {
    let mut wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    assert_eq!(wire.frame(), (PING, Vec::new()));
    wire
}

/// Reads until a probe: a ping with a payload. Answers the empty pings of keepalive.
fn probe(wire: &mut Wire) -> Vec<u8> {
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < DEADLINE, "no probe comes");
        match wire.frame() {
            (PING, payload) if payload.is_empty() => wire.send(b"\x8a\x00"),
            (PING, payload) => return payload,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_lost_peer_is_detected_after_a_sleep() {
    let _clock = CLOCK.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, pinging());
    let wire = opened(&peer, &recorded);
    sleep_for(600);
    let woken_at = Instant::now();
    let lost = "open connection lost: no data arrived within 10000 ms after the device had slept".to_owned();
    assert_eq!(recorded.next(), Seen::Failed(lost.clone()));
    assert_eq!(recorded.next(), Seen::Closed(1006, lost));
    assert!((LIMIT..LIMIT + SLACK).contains(&woken_at.elapsed()), "{:?}", woken_at.elapsed());
    recorded.finish(wire);
}

#[test]
fn reconnects_at_once_when_the_peer_is_lost_after_a_sleep() {
    let _clock = CLOCK.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let peer = Peer::bind();
    let long = Duration::from_secs(3_600);
    let again = Reconnect { delay: long, max_delay: long, ..Reconnect::default() };
    let recorded = Recorded::connect(&peer, Options { reconnect: Some(again), ..pinging() });
    let _wire = opened(&peer, &recorded);
    sleep_for(600);
    assert!(matches!(recorded.next(), Seen::Reconnecting(1, ..)));
    let _second = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
}

#[test]
fn reconnects_when_the_peer_closed_with_1000_during_a_sleep() {
    let _clock = CLOCK.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, Options { reconnect: Some(Reconnect::default()), ..pinging() });
    let mut wire = opened(&peer, &recorded);
    sleep_for(600);
    wire.send(b"\x88\x02\x03\xe8");
    assert!(matches!(recorded.next(), Seen::Reconnecting(1, ..)));
    let mut wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    assert!(matches!(recorded.next(), Seen::Reconnected(1)));
    wire.send(b"\x88\x02\x03\xe8");
    assert_eq!(recorded.next(), Seen::Closed(1000, String::new()));
}

#[test]
fn keeps_a_connection_whose_peer_answers_after_a_sleep() {
    let _clock = CLOCK.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, pinging());
    let mut wire = opened(&peer, &recorded);
    wire.send(b"\x8a\x00");
    // A short sleep causes no probe.
    sleep_for(9);
    for _ in 0..3 {
        assert_eq!(wire.frame(), (PING, Vec::new()));
        wire.send(b"\x8a\x00");
    }
    // Together the two sleeps are long, and one probe is enough.
    sleep_for(2);
    let payload = probe(&mut wire);
    wire.send(&[&[0x8a, payload.len() as u8], payload.as_slice()].concat());
    let woken_at = Instant::now();
    while woken_at.elapsed() < LIMIT + LIMIT / 10 {
        assert_eq!(wire.frame(), (PING, Vec::new()));
        wire.send(b"\x8a\x00");
    }
    wire.send(b"\x81\x02hi");
    assert_eq!(recorded.next(), Seen::Text("hi".to_owned()));
    recorded.finish(wire);
}
