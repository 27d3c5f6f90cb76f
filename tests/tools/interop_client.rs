//! Talks to an independent WebSocket server in every combination of permessage-deflate's parameters, and closes in every
//! way. tests/interop/run.sh gives it the servers; tests/interop/README.md has what the servers do.
//!
//!     interop_client ws|websockets COMMAND [ARGUMENT...]
//!
//! COMMAND starts the server, whose name decides what it must answer to an offer.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use net_websocket::internals::client::{
    Client, Closed, Failure, Listener, Message, MessageType, Opened, Options, PerMessageDeflate, Request,
    SEND_LIMIT_BYTES, SessionOptions,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use url::Url;

/// Longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(60);
const SEED: u64 = 7_692;
const MESSAGES_PER_CONNECTION: usize = 8;
const MESSAGE_BYTES_MAX: usize = 70_000;
/// Sizes at which the form of a frame changes.
const EDGE_SIZES: [usize; 8] = [0, 1, 125, 126, 127, 65_535, 65_536, MESSAGE_BYTES_MAX];
const WINDOW_BITS: [u8; 3] = [9, 12, 15];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, command @ ..] = arguments.as_slice() else {
        eprintln!("usage: interop_client ws|websockets COMMAND [ARGUMENT...]");
        return ExitCode::FAILURE;
    };
    match test(name, command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("interop {name}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn test(name: &str, command: &[String]) -> Result<bool, String> {
    let server = Server::start(name, command)?;
    let mut tally = Tally::default();
    let mut random = StdRng::seed_from_u64(SEED);
    for (config, url) in &server.configs {
        for offer in offers() {
            let outcome = combination(server.rules, *config, url, offer.as_ref(), &mut random);
            tally.combination(&format!("{name} {config:?}, offer {offer:?}"), outcome);
        }
    }
    for (config, url) in &server.configs {
        if matches!(config, None | Some(Config { server_bits: None, client_bits: None, .. })) {
            let urls = Urls { server: url, next_id: &mut tally.closes };
            for (what, outcome) in closes(server.rules, urls) {
                tally.check(&format!("{name} {config:?}, {what}"), outcome);
            }
            let outcome = long_messages(url, &mut random);
            tally.check(&format!("{name} {config:?}, long messages"), outcome);
        }
    }
    let Tally { passed, failed, agreed, declined, refused, messages, closes } = tally;
    println!(
        "interop {name}: {} combinations ({agreed} compressed, {declined} plain, {refused} refused by the server), \
         {messages} messages each way, {closes} closes",
        agreed + declined + refused
    );
    println!("interop {name}: {passed} passed, {failed} failed");
    Ok(failed == 0)
}

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    agreed: usize,
    declined: usize,
    refused: usize,
    messages: usize,
    closes: usize,
}

impl Tally {
    fn combination(&mut self, what: &str, outcome: Result<Answer, String>) {
        match &outcome {
            Ok(Answer::Agreed(_)) => self.agreed += 1,
            Ok(Answer::Declined) => self.declined += 1,
            Ok(Answer::Refused) => self.refused += 1,
            Err(_) => {}
        }
        if matches!(outcome, Ok(Answer::Agreed(_) | Answer::Declined)) {
            self.messages += MESSAGES_PER_CONNECTION;
        }
        self.check(what, outcome.map(drop));
    }

    fn check(&mut self, what: &str, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(error) => {
                self.failed += 1;
                println!("FAILED {what}: {error}");
            }
        }
    }
}

// The servers.

/// How a server answers an offer, as its documentation has it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rules {
    /// Refuses a window smaller than its own.
    Ws,
    /// Takes the smaller of the windows. Its interface has no close frame without a code.
    Websockets,
}

/// The server's configuration of permessage-deflate; `None` without it.
#[derive(Clone, Copy, Debug)]
struct Config {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_bits: Option<u8>,
    client_bits: Option<u8>,
}

struct Server {
    rules: Rules,
    configs: Vec<(Option<Config>, String)>,
    process: Child,
}

impl Server {
    fn start(name: &str, command: &[String]) -> Result<Self, String> {
        let rules = match name {
            "ws" => Rules::Ws,
            "websockets" => Rules::Websockets,
            _ => return Err("no such server".to_owned()),
        };
        let (program, arguments) = command.split_first().ok_or("no command")?;
        // It ends when its standard input does, so it goes with this program.
        let mut process = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        let lines = BufReader::new(process.stdout.take().ok_or("no standard output")?).lines();
        let mut configs = Vec::new();
        for line in lines {
            let line = line.map_err(|error| error.to_string())?;
            if line == "READY" {
                return Ok(Self { rules, configs, process });
            }
            let (config, url) = line.split_once(' ').ok_or_else(|| format!("the server wrote '{line}'"))?;
            configs.push((parse_config(config)?, url.to_owned()));
        }
        Err("the server did not start".to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// `off`, or server and client no_context_takeover as 0 or 1 and the windows as bits or 0 for none: `1-0-9-0`.
fn parse_config(text: &str) -> Result<Option<Config>, String> {
    if text == "off" {
        return Ok(None);
    }
    let numbers: Vec<u8> = text.split('-').filter_map(|number| number.parse().ok()).collect();
    let [server, client, server_bits, client_bits] = numbers[..] else {
        return Err(format!("the server wrote the configuration '{text}'"));
    };
    Ok(Some(Config {
        server_no_context_takeover: server == 1,
        client_no_context_takeover: client == 1,
        server_bits: (server_bits != 0).then_some(server_bits),
        client_bits: (client_bits != 0).then_some(client_bits),
    }))
}

// The combinations.

fn offers() -> Vec<Option<PerMessageDeflate>> {
    let mut offers = vec![None];
    for server_no_context_takeover in [false, true] {
        for client_no_context_takeover in [false, true] {
            for server_max_window_bits in WINDOW_BITS {
                for client_max_window_bits in WINDOW_BITS {
                    offers.push(Some(PerMessageDeflate {
                        client_no_context_takeover,
                        server_no_context_takeover,
                        client_max_window_bits,
                        server_max_window_bits,
                        threshold: 32 * usize::from(offers.len() % 2 == 0),
                    }));
                }
            }
        }
    }
    offers
}

/// The outcome of an offer.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// Compression with these parameters.
    Agreed(BTreeSet<String>),
    /// A connection without compression.
    Declined,
    /// No connection.
    Refused,
}

fn expected(rules: Rules, config: Option<Config>, offer: Option<&PerMessageDeflate>) -> Answer {
    let (Some(config), Some(offer)) = (config, offer) else {
        return Answer::Declined;
    };
    // An offer without the parameter means 15.
    let server_offered = (offer.server_max_window_bits < 15).then_some(offer.server_max_window_bits);
    let client_offered = (offer.client_max_window_bits < 15).then_some(offer.client_max_window_bits);
    let over = |own: Option<u8>, offered: Option<u8>| matches!((own, offered), (Some(a), Some(b)) if a > b);
    if rules == Rules::Ws
        && (over(config.server_bits, server_offered) || over(config.client_bits, client_offered))
    {
        return Answer::Refused;
    }
    let smaller = |a: Option<u8>, b: Option<u8>| a.into_iter().chain(b).min();
    let mut parameters = BTreeSet::new();
    if config.server_no_context_takeover || offer.server_no_context_takeover {
        parameters.insert("server_no_context_takeover".to_owned());
    }
    if config.client_no_context_takeover || offer.client_no_context_takeover {
        parameters.insert("client_no_context_takeover".to_owned());
    }
    if let Some(bits) = smaller(config.server_bits, server_offered) {
        parameters.insert(format!("server_max_window_bits={bits}"));
    }
    if let Some(bits) = smaller(config.client_bits, client_offered) {
        parameters.insert(format!("client_max_window_bits={bits}"));
    }
    Answer::Agreed(parameters)
}

fn answer(opened: &Opened) -> Answer {
    let Some(extensions) = &opened.extensions else {
        return Answer::Declined;
    };
    let mut parts = extensions.split(';').map(|part| part.trim().to_owned());
    let name = parts.next();
    assert_eq!(name.as_deref(), Some("permessage-deflate"), "the library accepts no other");
    Answer::Agreed(parts.collect())
}

/// Negotiates, exchanges messages and closes.
fn combination(
    rules: Rules,
    config: Option<Config>,
    url: &str,
    offer: Option<&PerMessageDeflate>,
    random: &mut StdRng,
) -> Result<Answer, String> {
    let expected = expected(rules, config, offer);
    let connection = Connection::connect(url, offer)?;
    let actual = match connection.next()? {
        Event::Opened(opened) => answer(&opened),
        Event::Failed(text) if text.contains("400 Bad Request") => Answer::Refused,
        other => return Err(format!("{other:?}")),
    };
    if actual != expected {
        return Err(format!("negotiated {actual:?} instead of {expected:?}"));
    }
    if actual == Answer::Refused {
        return Ok(actual);
    }
    let messages: Vec<_> = (0..MESSAGES_PER_CONNECTION).map(|_| message(random)).collect();
    exchange(&connection, &messages)?;
    Ok(actual)
}

/// Has all of them echoed, sent in one go, and closes.
fn exchange(connection: &Connection, messages: &[(MessageType, Vec<u8>)]) -> Result<(), String> {
    for (kind, payload) in messages {
        connection.send(*kind, payload)?;
    }
    for (number, sent) in messages.iter().enumerate() {
        match connection.next()? {
            Event::Message(kind, payload) if (kind, &payload) == (sent.0, &sent.1) => {}
            Event::Message(kind, payload) => {
                let at = payload.iter().zip(&sent.1).position(|(a, b)| a != b);
                return Err(format!(
                    "message {number}: {:?} of {} bytes came back as {kind:?} of {} bytes, first difference at {at:?}",
                    sent.0,
                    sent.1.len(),
                    payload.len()
                ));
            }
            other => return Err(format!("message {number}: {other:?}")),
        }
    }
    connection.client.close(1000, "").map_err(|error| format!("{error:?}"))?;
    match connection.next()? {
        Event::Closed(Closed { code: 1000, .. }) => Ok(()),
        other => Err(format!("at the end: {other:?}")),
    }
}

/// Messages in fragments, some of which do not get shorter and go out as they are, among others that refer to what was sent.
fn long_messages(url: &str, random: &mut StdRng) -> Result<(), String> {
    const LONG_BYTES: usize = 1_500_000;
    let connection = Connection::connect(url, Some(&PerMessageDeflate::default()))?;
    let Event::Opened(_) = connection.next()? else {
        return Err("no connection".to_owned());
    };
    let mut noise = vec![0; LONG_BYTES];
    random.fill(&mut noise[..]);
    let text = "a text that comes again, ".repeat(40).into_bytes();
    let half = [vec![b'x'; LONG_BYTES / 2], noise[..LONG_BYTES].to_vec()].concat();
    let end = |bytes: &[u8]| bytes[bytes.len() - 9_000..].to_vec();
    let binary =
        [noise.clone(), end(&noise), half.clone(), end(&half), [&noise[..], &half].concat(), end(&half)];
    let messages: Vec<_> = binary
        .into_iter()
        .flat_map(|bytes| [(MessageType::Text, text.clone()), (MessageType::Binary, bytes)])
        .collect();
    exchange(&connection, &messages)
}

/// Text or binary, compressible or not, of any size.
fn message(random: &mut StdRng) -> (MessageType, Vec<u8>) {
    let size = match random.random_range(0..4) {
        0 => EDGE_SIZES[random.random_range(0..EDGE_SIZES.len())],
        1 => random.random_range(0..=MESSAGE_BYTES_MAX),
        // As many short ones as long ones.
        _ => (MESSAGE_BYTES_MAX as f64).powf(random.random::<f64>()) as usize,
    };
    let compressible = random.random::<bool>();
    if random.random::<bool>() {
        let letters: &[char] = if compressible { &['a', 'é', '\n'] } else { &[] };
        let mut text = String::with_capacity(size + 4);
        while text.len() < size {
            text.push(match letters {
                [] => random.random(),
                letters => letters[random.random_range(0..letters.len())],
            });
        }
        text.truncate(text.floor_char_boundary(size));
        (MessageType::Text, text.into_bytes())
    } else if compressible {
        // Repeats from farther back than a small window reaches.
        let period = random.random_range(1..=40_000);
        let mut unit = vec![0; period.min(size)];
        random.fill(&mut unit[..]);
        (MessageType::Binary, unit.iter().copied().cycle().take(size).collect())
    } else {
        let mut bytes = vec![0; size];
        random.fill(&mut bytes[..]);
        (MessageType::Binary, bytes)
    }
}

// The closes.

/// The addresses of one server, with a fresh id for each connection that is asked about later.
struct Urls<'a> {
    server: &'a str,
    next_id: &'a mut usize,
}

impl Urls<'_> {
    fn with(&self, path: &str, query: &[(&str, &str)]) -> Result<String, String> {
        let url = format!("{}{path}", self.server);
        Url::parse_with_params(&url, query).map(String::from).map_err(|error| error.to_string())
    }

    fn id(&mut self) -> String {
        *self.next_id += 1;
        self.next_id.to_string()
    }
}

fn closes(rules: Rules, mut urls: Urls<'_>) -> Vec<(String, Result<(), String>)> {
    // 123 bytes are the most that a close frame holds.
    let longest = "é".repeat(61) + "!";
    let reasons = ["", "done", "你好 🎉", &longest];
    let codes =
        [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
    let mut outcomes = Vec::new();
    for (at, code) in codes.into_iter().enumerate() {
        let reason = reasons[at % reasons.len()];
        outcomes
            .push((format!("client closes with {code} '{reason}'"), client_closes(&mut urls, code, reason)));
    }
    for (at, code) in codes.into_iter().enumerate() {
        let reason = reasons[(at + 1) % reasons.len()];
        outcomes.push((
            format!("server closes with {code} '{reason}'"),
            server_closes(&mut urls, Some(code), reason),
        ));
    }
    if rules == Rules::Ws {
        outcomes.push(("server closes without a code".to_owned(), server_closes(&mut urls, None, "")));
    }
    outcomes
}

/// The server must see all messages, then the code and the reason.
fn client_closes(urls: &mut Urls<'_>, code: u16, reason: &str) -> Result<(), String> {
    const MESSAGES: usize = 20;
    let id = urls.id();
    let connection =
        Connection::connect(&urls.with("/", &[("id", &id)])?, Some(&PerMessageDeflate::default()))?;
    let Event::Opened(_) = connection.next()? else {
        return Err("no connection".to_owned());
    };
    for number in 0..MESSAGES {
        connection.send(MessageType::Text, number.to_string().repeat(100).as_bytes())?;
    }
    connection.client.close(code.into(), reason).map_err(|error| format!("{error:?}"))?;
    connection.closed_with(code, reason)?;
    seen(urls, &id, &format!("{code} {MESSAGES} {reason}"))
}

/// The client must see all messages, then the code and the reason, and answer with the code.
fn server_closes(urls: &mut Urls<'_>, code: Option<u16>, reason: &str) -> Result<(), String> {
    let id = urls.id();
    let digits = code.map_or_else(String::new, |code| code.to_string());
    let url = urls.with("/close", &[("id", &id), ("code", &digits), ("reason", reason)])?;
    let connection = Connection::connect(&url, Some(&PerMessageDeflate::default()))?;
    let Event::Opened(_) = connection.next()? else {
        return Err("no connection".to_owned());
    };
    for text in ["one", "two", "three"] {
        match connection.next()? {
            Event::Message(MessageType::Text, payload) if payload == text.as_bytes() => {}
            other => return Err(format!("{other:?} instead of '{text}'")),
        }
    }
    // 1005 stands for a close frame without a code (RFC 6455 section 7.4.1).
    connection.closed_with(code.unwrap_or(1005), reason)?;
    seen(urls, &id, &format!("{} 0 ", code.unwrap_or(1005)))
}

/// Asks the server what it saw of connection `id`: the code, the count of messages, the reason.
fn seen(urls: &Urls<'_>, id: &str, expected: &str) -> Result<(), String> {
    let connection = Connection::connect(&urls.with("/seen", &[("of", id)])?, None)?;
    let Event::Opened(_) = connection.next()? else {
        return Err("no connection to ask the server".to_owned());
    };
    match connection.next()? {
        Event::Message(MessageType::Text, payload) if payload == expected.as_bytes() => Ok(()),
        Event::Message(_, payload) => {
            Err(format!("the server saw '{}' instead of '{expected}'", String::from_utf8_lossy(&payload)))
        }
        other => Err(format!("{other:?}")),
    }
}

// The client.

#[derive(Debug)]
enum Event {
    Opened(Opened),
    Message(MessageType, Vec<u8>),
    Failed(String),
    Closed(Closed),
}

/// One connection, whose events are taken one by one.
struct Connection {
    client: Client,
    events: Receiver<Event>,
}

impl Connection {
    fn connect(url: &str, offer: Option<&PerMessageDeflate>) -> Result<Self, String> {
        let options = Options {
            session: SessionOptions { per_message_deflate: offer.cloned(), ..SessionOptions::default() },
            ..Options::default()
        };
        let request = Request::parse(url, options).map_err(|error| error.to_string())?;
        let (sender, events) = channel();
        let forward = Forward(move |event| {
            // There is no listener after the connection was abandoned.
            let _ = sender.send(event);
        });
        let client = Client::new(Box::new(forward), SEND_LIMIT_BYTES);
        client.connect(request).map_err(|error| format!("{error:?}"))?;
        Ok(Self { client, events })
    }

    fn send(&self, kind: MessageType, payload: &[u8]) -> Result<(), String> {
        self.client.send(kind, payload).map_err(|error| format!("{error:?}"))
    }

    fn next(&self) -> Result<Event, String> {
        self.events.recv_timeout(DEADLINE).map_err(|_| format!("no event within {} s", DEADLINE.as_secs()))
    }

    /// Passes over messages to the end of the connection.
    fn closed_with(&self, code: u16, reason: &str) -> Result<(), String> {
        loop {
            match self.next()? {
                Event::Message(..) => {}
                Event::Closed(closed) if (closed.code, closed.reason.as_str()) == (code, reason) => {
                    return Ok(());
                }
                other => return Err(format!("{other:?}")),
            }
        }
    }
}

struct Forward<F>(F);

impl<F: Fn(Event) + Send + 'static> Listener for Forward<F> {
    fn opened(&mut self, opened: &Opened) {
        (self.0)(Event::Opened(opened.clone()));
    }

    fn message(&mut self, message: Message<'_>) {
        (self.0)(Event::Message(message.kind(), message.into_vec()));
    }

    fn failed(&mut self, failure: &Failure) {
        (self.0)(Event::Failed(failure.to_string()));
    }

    fn closed(&mut self, closed: &Closed) {
        (self.0)(Event::Closed(closed.clone()));
    }
}
