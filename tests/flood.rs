//! Callers that queue faster than the session writes, and so write themselves. Their messages arrive whole and in order. Lost
//! messages are counted, and every event is reported.

mod support;

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use net_websocket::internals::client::{
    Client, Closed, Direction, Failure, FrameHeader, Listener, Message, MessageType, Opened, Request,
    SEND_LIMIT_BYTES, SendError,
};
use support::{DEADLINE, Peer, Recorded, Seen, quiet};

const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;

/// The message `number` of a sender. Some are gathered into chunks, some fill one, some are sent in fragments.
fn message(sender: u8, number: u32) -> Vec<u8> {
    let length = match number % 97 {
        0 => 1_300_000,
        1..4 => 70_000,
        4..40 => 1_024,
        _ => 9,
    };
    let mut message = vec![sender; length];
    message[1..5].copy_from_slice(&number.to_be_bytes());
    message[length - 1] = number as u8;
    message
}

/// Sends, and waits a little where the queue is full.
fn send(client: &Client, message: &[u8]) {
    while let Err(error) = client.send(MessageType::Binary, message) {
        assert_eq!(error, SendError::QueueFull);
        thread::yield_now();
    }
}

#[test]
fn floods_of_several_callers_arrive_whole_and_in_order_between_control_frames() {
    const SENDERS: u8 = 3;
    const MESSAGES: u32 = 600;
    const PINGS: usize = 50;
    /// The client refuses a ping while this many wait.
    const WAITING_PINGS_MAX: usize = 16;
    let peer = Peer::bind();
    let recorded = Recorded::connect(&peer, quiet());
    let mut wire = peer.open();
    assert_eq!(recorded.next(), Seen::Opened);
    let client = &recorded.client;
    thread::scope(|scope| {
        for sender in 0..SENDERS {
            scope.spawn(move || (0..MESSAGES).for_each(|number| send(client, &message(sender, number))));
        }
        let mut next = [0; SENDERS as usize];
        let (mut pings, mut pongs, mut asked, mut since) = (0, 0, 0, 0);
        let mut begun = Vec::new();
        while next.iter().any(|next| *next < MESSAGES) || pongs < asked {
            let (first, payload) = wire.frame();
            match first & 0xf {
                9 => pings += 1,
                10 => pongs += 1,
                _ => {
                    begun.extend(payload);
                    if first & 0x80 != 0 {
                        let whole = std::mem::take(&mut begun);
                        let next = &mut next[usize::from(whole[0])];
                        assert!(whole == message(whole[0], *next), "message {next} of {}", whole[0]);
                        *next += 1;
                        since += 1;
                        // Both sides send a ping now and then.
                        if asked < PINGS && since >= 17 && asked - pings < WAITING_PINGS_MAX {
                            (asked, since) = (asked + 1, 0);
                            wire.send(b"\x89\x01?");
                            client.ping(b"!").expect("few");
                        }
                    }
                }
            }
        }
        assert_eq!((asked, pongs), (PINGS, PINGS));
        assert!(pings > 0, "{pings}");
    });
    let accepted = u64::from(SENDERS) * u64::from(MESSAGES);
    client.close(4000, "done").expect("open");
    loop {
        match wire.frame() {
            (PING, _) => {}
            (first, payload) => break assert_eq!((first, payload), (CLOSE, b"\x0f\xa0done".to_vec())),
        }
    }
    assert_eq!(client.statistics().messages_sent, accepted);
    recorded.finish(wire);
}

#[test]
fn messages_accepted_in_a_flood_are_sent_before_the_close_frame() {
    let peer = Peer::bind();
    for round in 0..8_u8 {
        let recorded = Recorded::connect(&peer, quiet());
        let mut wire = peer.open();
        assert_eq!(recorded.next(), Seen::Opened);
        let mut accepted = 0;
        thread::scope(|scope| {
            let client = &recorded.client;
            let sender = scope.spawn(move || {
                let mut accepted = 0;
                loop {
                    match client.send(MessageType::Binary, &[round; 1_000]) {
                        Ok(()) => accepted += 1,
                        Err(SendError::QueueFull) => thread::yield_now(),
                        Err(SendError::NotConnected) => break accepted,
                        Err(error) => panic!("{error:?}"),
                    }
                }
            });
            let mut arrived = 0_u64;
            loop {
                match wire.frame() {
                    (BINARY, payload) => {
                        assert!(payload == [round; 1_000]);
                        arrived += 1;
                        if arrived == 2_000 * u64::from(round) + 1 {
                            client.close(1000, "").expect("open");
                        }
                    }
                    (CLOSE, _) => break,
                    other => panic!("{other:?}"),
                }
            }
            accepted = sender.join().expect("no panic");
            assert_eq!(arrived, accepted, "round {round}");
        });
        assert_eq!(recorded.client.statistics().messages_sent, accepted);
        recorded.finish(wire);
    }
}

struct Ends(Sender<usize>, Sender<()>);

impl Listener for Ends {
    fn opened(&mut self, _opened: &Opened) {
        let _ = self.1.send(());
    }

    fn message(&mut self, _message: Message<'_>) {}

    fn failed(&mut self, failure: &Failure) {
        let _ = self.0.send(failure.unsent);
    }

    fn closed(&mut self, _closed: &Closed) {}
}

#[test]
fn a_loss_in_a_flood_counts_every_message_as_sent_or_unsent() {
    let peer = Peer::bind();
    for megabytes in [0, 1, 3, 10] {
        let (end, ended) = channel();
        let (open, opened) = channel();
        let client = Client::new(Box::new(Ends(end, open)), SEND_LIMIT_BYTES);
        client.connect(Request::parse(&peer.url(), quiet()).expect("a good request")).expect("not connected");
        let mut wire = peer.open();
        opened.recv_timeout(DEADLINE).expect("open");
        let unsent: Receiver<usize> = ended;
        let accepted = thread::scope(|scope| {
            let sender = scope.spawn(|| {
                let mut accepted = 0_u64;
                loop {
                    match client.send(MessageType::Binary, &[7; 500]) {
                        Ok(()) => accepted += 1,
                        Err(SendError::QueueFull) => thread::yield_now(),
                        Err(_) => break accepted,
                    }
                }
            });
            let mut read = 0;
            let mut bytes = vec![0; 65_536];
            while read < megabytes * 1_000_000 {
                read += wire.0.read(&mut bytes).expect("more");
            }
            // Unread bytes turn this close into a reset.
            drop(wire);
            sender.join().expect("no panic")
        });
        let unsent = unsent.recv_timeout(DEADLINE).expect("the end is told");
        assert_eq!(client.statistics().messages_sent + unsent as u64, accepted, "after {megabytes} MB");
        assert_eq!(client.statistics().buffered_messages, 0);
    }
}

struct Traces {
    wanted: Arc<AtomicBool>,
    told: Arc<AtomicUsize>,
    open: Sender<()>,
}

impl Listener for Traces {
    fn opened(&mut self, _opened: &Opened) {
        let _ = self.open.send(());
    }

    fn message(&mut self, _message: Message<'_>) {}

    fn traces_frames(&self) -> bool {
        self.wanted.load(Ordering::Relaxed)
    }

    fn frame(&mut self, direction: Direction, header: FrameHeader) {
        if direction == Direction::Sent && header.opcode == 2 {
            self.told.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn failed(&mut self, _failure: &Failure) {}

    fn closed(&mut self, _closed: &Closed) {}
}

#[test]
fn frame_events_switched_on_during_a_flood_miss_no_frame() {
    const MESSAGES: usize = 20_000;
    let peer = Peer::bind();
    let (wanted, told) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (open, opened) = channel();
    let listener = Traces { wanted: wanted.clone(), told: told.clone(), open };
    let client = Client::new(Box::new(listener), SEND_LIMIT_BYTES);
    client.connect(Request::parse(&peer.url(), quiet()).expect("a good request")).expect("not connected");
    let mut wire = peer.open();
    opened.recv_timeout(DEADLINE).expect("open");
    thread::scope(|scope| {
        scope.spawn(|| {
            (0..MESSAGES).for_each(|_| send(&client, &[1; 1_000]));
            wanted.store(true, Ordering::Relaxed);
            client.frames_are_wanted();
            (0..MESSAGES).for_each(|_| send(&client, &[2; 1_000]));
            client.close(1000, "").expect("open");
        });
        while wire.frame().0 == BINARY {}
    });
    // The close frame was sent after them, and frame events precede further writes.
    assert!(told.load(Ordering::Relaxed) >= MESSAGES, "{} told", told.load(Ordering::Relaxed));
}
