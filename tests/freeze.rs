//! A process that is stopped for longer than its deadlines, as an app freezer does, and goes on: what the peer sent meanwhile
//! counts, a connection that lives goes on, and one that does not is noticed.
//!
//! The client is a process of its own, which this program starts from itself.
#![cfg(target_os = "linux")]

mod support;

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use net_websocket::internals::client::{MessageType, Options, SessionOptions};

use support::{DEADLINE, Peer, Recorded, Seen, Wire, quiet};

/// Every limit of the client's.
const LIMIT: Duration = Duration::from_secs(1);
/// How long the client is stopped: a little longer than its limits, and so long that it must count them anew.
const STOPS: [Duration; 2] = [Duration::from_millis(1_200), Duration::from_millis(2_500)];
/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(5);

const URL: &str = "NET_WEBSOCKET_TEST_FREEZE_URL";
const PING: u8 = 0x89;
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;

/// Sends messages back, and closes when one says so.
#[test]
#[ignore = "the client of the other tests"]
fn client() {
    let Ok(url) = std::env::var(URL) else { return };
    let options = Options {
        connect_timeout: LIMIT,
        session: SessionOptions {
            ping_interval: Some(LIMIT / 10),
            pong_timeout: Some(LIMIT),
            close_timeout: LIMIT,
            ..quiet().session
        },
        ..quiet()
    };
    let recorded = Recorded::connect_to(&url, options);
    loop {
        let seen = recorded.next();
        println!("\nevent {seen:?}");
        match seen {
            Seen::Text(text) if text == "close" => recorded.client.close(1000, "").expect("open"),
            Seen::Text(text) => {
                // The peer may have closed behind it.
                let _ = recorded.client.send(MessageType::Text, text.as_bytes());
                continue;
            }
            Seen::Closed(..) => break,
            _ => continue,
        };
    }
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// The client's process.
struct Frozen {
    child: Child,
    events: Receiver<String>,
}

impl Frozen {
    fn connect(peer: &Peer) -> Self {
        let program = std::env::current_exe().expect("a path");
        let mut child = Command::new(program)
            .args(["--exact", "client", "--ignored", "--nocapture"])
            .env(URL, peer.url())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let (sender, events) = channel();
        std::thread::spawn(move || {
            let events = lines.map_while(Result::ok);
            for event in events.filter_map(|line| line.strip_prefix("event ").map(str::to_owned)) {
                let _ = sender.send(event);
            }
        });
        Self { child, events }
    }

    /// The next event.
    fn expect(&self, event: &str) {
        let told = self.events.recv_timeout(DEADLINE).expect("an event in time");
        assert!(told.contains(event), "{told} instead of {event}");
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill(1)").success());
    }

    /// Stops the process; does something; and lets it go on after `time`.
    fn stopped_for(&self, time: Duration, meanwhile: impl FnOnce()) {
        self.signal("-STOP");
        let state = format!("/proc/{}/stat", self.child.id());
        while !std::fs::read_to_string(&state).expect("it is there").contains(") T ") {
            std::thread::yield_now();
        }
        meanwhile();
        std::thread::sleep(time);
        self.signal("-CONT");
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pong(wire: &mut Wire, payload: &[u8]) {
    wire.send(&[&[0x8a, payload.len() as u8], payload].concat());
}

/// The client's next frame that is no ping; pings are answered.
fn next_frame(wire: &mut Wire) -> (u8, Vec<u8>) {
    loop {
        match wire.frame() {
            (PING, payload) => pong(wire, &payload),
            other => return other,
        }
    }
}

/// The payload of the client's next ping, which is not answered.
fn ping(wire: &mut Wire) -> Vec<u8> {
    let (first, payload) = wire.frame();
    assert_eq!(first, PING);
    payload
}

#[test]
fn a_pong_and_a_message_that_came_meanwhile_are_read() {
    for time in STOPS {
        let peer = Peer::bind();
        let frozen = Frozen::connect(&peer);
        let mut wire = peer.open();
        frozen.expect("Opened");
        let payload = ping(&mut wire);
        frozen.stopped_for(time, || {
            pong(&mut wire, &payload);
            wire.send(b"\x81\x02hi");
        });
        frozen.expect("Text(\"hi\")");
        assert_eq!(next_frame(&mut wire), (TEXT, b"hi".to_vec()));
    }
}

#[test]
fn a_peer_that_answers_only_afterwards_has_the_time_for_it() {
    let peer = Peer::bind();
    let frozen = Frozen::connect(&peer);
    let mut wire = peer.open();
    frozen.expect("Opened");
    ping(&mut wire);
    frozen.stopped_for(STOPS[1], || {});
    // The ping that comes now shows that the client has gone on.
    let payload = ping(&mut wire);
    pong(&mut wire, &payload);
    wire.send(b"\x81\x02hi");
    assert_eq!(next_frame(&mut wire), (TEXT, b"hi".to_vec()));
}

#[test]
fn a_peer_that_is_gone_is_noticed_afterwards() {
    let peer = Peer::bind();
    let frozen = Frozen::connect(&peer);
    let mut wire = peer.open();
    frozen.expect("Opened");
    ping(&mut wire);
    frozen.stopped_for(STOPS[1], || {});
    let thawed_at = Instant::now();
    frozen.expect("1000 ms after a ping");
    frozen.expect("Closed(1006");
    assert!(thawed_at.elapsed() < LIMIT + SLACK, "{:?}", thawed_at.elapsed());
}

#[test]
fn an_end_that_came_meanwhile_is_told_as_it_was() {
    let peer = Peer::bind();
    let frozen = Frozen::connect(&peer);
    let mut wire = peer.open();
    frozen.expect("Opened");
    ping(&mut wire);
    frozen.stopped_for(STOPS[0], || wire.send(b"\x81\x02hi\x88\x05\x03\xe9bye"));
    frozen.expect("Text(\"hi\")");
    frozen.expect("Closed(1001, \"bye\")");
}

#[test]
fn an_answer_to_the_upgrade_that_came_meanwhile_opens_the_connection() {
    for time in STOPS {
        let peer = Peer::bind();
        let frozen = Frozen::connect(&peer);
        let mut wire = peer.accept();
        let mut request = [0; 1];
        assert_eq!(wire.0.peek(&mut request).expect("a request"), 1);
        frozen.stopped_for(time, || drop(wire.upgrade(b"\x81\x02hi")));
        frozen.expect("Opened");
        frozen.expect("Text(\"hi\")");
        assert_eq!(next_frame(&mut wire), (TEXT, b"hi".to_vec()));
    }
}

#[test]
fn a_close_frame_that_came_meanwhile_ends_the_handshake() {
    for time in STOPS {
        let peer = Peer::bind();
        let frozen = Frozen::connect(&peer);
        let mut wire = peer.open();
        frozen.expect("Opened");
        wire.send(b"\x81\x05close");
        frozen.expect("Text(\"close\")");
        assert_eq!(next_frame(&mut wire), (CLOSE, vec![3, 0xe8]));
        frozen.stopped_for(time, || wire.send(b"\x88\x02\x03\xe8"));
        frozen.expect("Closed(1000");
    }
}
