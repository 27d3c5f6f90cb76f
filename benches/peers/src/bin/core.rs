//! The library through its Rust core, a listener's call per message.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bench_peers::{Arguments, Section, WARM_UP, payload, print_idle, print_round_trips, resident};
use net_websocket::internals::client::{
    Client, Closed, Failure, Listener, Message, MessageType, Opened, Options, Request, SEND_LIMIT_BYTES,
    SendError,
};

/// What the main thread waits for.
enum Event {
    Opened,
    Done,
    Closed,
}

/// Counts down messages of `size` bytes.
struct Count {
    left: usize,
    size: usize,
    event: Sender<Event>,
}

impl Listener for Count {
    fn opened(&mut self, _: &Opened) {
        let _ = self.event.send(Event::Opened);
    }

    fn message(&mut self, message: Message<'_>) {
        assert_eq!(message.data().len(), self.size);
        self.left -= 1;
        if self.left == 0 {
            let _ = self.event.send(Event::Done);
        }
    }

    fn failed(&mut self, failure: &Failure) {
        panic!("{failure}");
    }

    fn closed(&mut self, _: &Closed) {
        let _ = self.event.send(Event::Closed);
    }
}

fn main() {
    let arguments = Arguments::parse();
    let Arguments { mode, size, count, url: _ } = &arguments;
    let (size, count) = (*size, *count);
    match mode.as_str() {
        "receive" => {
            let (client, events) = connect(&arguments, size, count);
            let section = Section::begin();
            client.send(MessageType::Binary, b"go").expect("open");
            expect(&events, Event::Done);
            section.end(count);
        }
        // There is no flush to choose: what is queued when the session looks goes out at once.
        "send" | "send-batch" => {
            let payload = payload(size);
            let (client, events) = connect(&arguments, 4, 1);
            let section = Section::begin();
            for _ in 0..count {
                while let Err(error) = client.send(MessageType::Binary, &payload) {
                    assert_eq!(error, SendError::QueueFull);
                    std::thread::sleep(Duration::from_micros(200));
                }
            }
            expect(&events, Event::Done);
            section.end(count);
        }
        "round-trip" => {
            let client = Arc::new(OnceLock::new());
            let (section, sections) = channel();
            let echo = Echo {
                client: client.clone(),
                payload: payload(size),
                started: Instant::now(),
                samples: Vec::with_capacity(count),
                trips: 0,
                count,
                section: Some(section),
                begun: None,
            };
            let made = client.get_or_init(|| Client::new(Box::new(echo), SEND_LIMIT_BYTES));
            open(made, &arguments);
            let (section, samples) = sections.recv().expect("all echoes");
            section.end(count);
            print_round_trips(samples);
        }
        "idle" => {
            let (before, _) = resident();
            let clients: Vec<_> = (0..count).map(|_| connect(&arguments, 0, 1).0).collect();
            print_idle(before, count);
            drop(clients);
        }
        "connect" => {
            let section = Section::begin();
            for _ in 0..count {
                let (client, events) = connect(&arguments, 0, 1);
                client.close(1000, "").expect("open");
                expect(&events, Event::Closed);
            }
            section.end(count);
        }
        other => panic!("unknown mode {other}"),
    }
    println!();
    // Without the closing handshakes of what is still open.
    std::process::exit(0);
}

fn connect(arguments: &Arguments, size: usize, count: usize) -> (Client, Receiver<Event>) {
    let (event, events) = channel();
    let client = Client::new(Box::new(Count { left: count, size, event }), SEND_LIMIT_BYTES);
    open(&client, arguments);
    expect(&events, Event::Opened);
    (client, events)
}

fn open(client: &Client, arguments: &Arguments) {
    let request = Request::parse(&arguments.url, Options::default()).expect("a URL");
    client.connect(request).expect("not connected yet");
}

fn expect(events: &Receiver<Event>, wanted: Event) {
    let event = events.recv().expect("an event");
    assert_eq!(std::mem::discriminant(&event), std::mem::discriminant(&wanted));
}

/// Sends the next message after the echo of the last one.
struct Echo {
    client: Arc<OnceLock<Client>>,
    payload: Vec<u8>,
    started: Instant,
    samples: Vec<u64>,
    trips: usize,
    count: usize,
    begun: Option<Section>,
    section: Option<Sender<(Section, Vec<u64>)>>,
}

impl Echo {
    fn next(&mut self) {
        self.started = Instant::now();
        self.client.get().expect("made").send(MessageType::Binary, &self.payload).expect("open");
    }
}

impl Listener for Echo {
    fn opened(&mut self, _: &Opened) {
        self.next();
    }

    fn message(&mut self, message: Message<'_>) {
        let elapsed = self.started.elapsed();
        assert_eq!(message.data().len(), self.payload.len());
        if self.trips >= WARM_UP {
            self.samples.push(elapsed.as_nanos() as u64);
        }
        self.trips += 1;
        if self.trips == WARM_UP {
            self.begun = Some(Section::begin());
        }
        if self.trips < WARM_UP + self.count {
            self.next();
        } else if let Some(section) = self.section.take() {
            let begun = self.begun.take().expect("begun after the warm-up");
            let _ = section.send((begun, std::mem::take(&mut self.samples)));
        }
    }

    fn failed(&mut self, failure: &Failure) {
        panic!("{failure}");
    }

    fn closed(&mut self, _: &Closed) {}
}
