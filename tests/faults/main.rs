//! Connections through a proxy that disturbs them. Each ends with the right event and releases all its resources. The next
//! connection of the same client works.
//!
//! Cases run through the core and through the C functions. [`model`] computes the expected result from the bytes that reach
//! the client, not from the library. README.md lists the faults and where they strike.

mod driver;
mod leaks;
mod model;
mod peer;
#[path = "../support"]
mod support {
    pub mod allocator;
    pub mod fault_proxy;
    pub mod resource_usage;
}

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use net_websocket::internals::client::{Phase, ProxyProtocol};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use driver::{Connects, Driver, Limits, Seen, Told};
use leaks::Baseline;
use model::{Cause, End, Outcome};
use peer::{Answer, CLOSE, Peer, SENT};
use support::fault_proxy::{self, Fault, Plan};

/// Longer than any case takes. A test that reaches it has failed.
const DEADLINE: Duration = Duration::from_secs(30);
/// For a timeout that must expire.
const SHORT: Duration = Duration::from_millis(1_000);
/// For a timeout that nothing else must precede.
const BRIEF: Duration = Duration::from_millis(300);
/// The delay of a slow network.
const PAUSE: Duration = Duration::from_millis(20);
const PING_INTERVAL: Duration = Duration::from_millis(200);
/// The number of cases at the same time. A case that waits for a timeout costs nothing.
const CONCURRENT: usize = 128;
const CONCURRENT_WAITING: usize = 256;

const PATIENT: Limits = Limits { connect: DEADLINE, close: DEADLINE, silence: None };
/// For attempts that fail.
const HURRIED: Limits = Limits { connect: SHORT, ..PATIENT };
/// For connections that fall silent.
const WATCHFUL: Limits = Limits { close: SHORT, silence: Some((PING_INTERVAL, SHORT)), ..PATIENT };

/// Groups run one at a time, because each counts the resources of the process.
static ALONE: Mutex<()> = Mutex::new(());
static NEXT_PATH: AtomicU32 = AtomicU32::new(0);

/// A connection to disturb, and its possible outcomes.
struct Case {
    plan: Plan,
    tls: bool,
    /// Through a proxy. The faults strike between the client and the proxy.
    way: Option<ProxyProtocol>,
    limits: Limits,
    expected: Rc<[Outcome]>,
}

/// Runs the cases that `cases` makes.
fn group(cases: impl AsyncFn(&Peer) -> Vec<Case>) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let peer = Peer::start().await;
        let cases = cases(&peer).await;
        let peer = &peer;
        // The C functions use the same core, so every seventh case is enough for them. This takes all kinds in turn.
        let drivers: [(&str, &dyn Driver, usize); 2] = [("Rust", &driver::Rust, 1), ("C", &driver::C, 7)];
        for (name, driver, step) in drivers {
            // Creates everything that is created once.
            let warm_up = |tls| Case { tls, ..ws(Plan::CLEAN, PATIENT, vec![model::clean()]) };
            for clean in [warm_up(false), warm_up(true)] {
                run(peer, driver, &clean).await.expect("an undisturbed connection");
            }
            let idle = Baseline::now();
            for clean in [warm_up(false), warm_up(true)] {
                let runs = (0..CONCURRENT).map(|_| run(peer, driver, &clean));
                for outcome in futures_util::future::join_all(runs).await {
                    outcome.expect("an undisturbed connection");
                }
            }
            let cases: Vec<&Case> = cases.iter().step_by(step).collect();
            peer.forget();
            let before = idle.regained_but_bytes().await.expect("nothing is left behind");
            let waits = |case: &Case| case.limits.silence.is_some() || case.limits.connect == SHORT;
            let concurrent =
                if cases.iter().all(|case| waits(case)) { CONCURRENT_WAITING } else { CONCURRENT };
            let failures: Vec<String> = futures_util::stream::iter(&cases)
                .map(|case| async move {
                    let outcome = run(peer, driver, case).await;
                    let Case { plan, tls, way, .. } = case;
                    outcome.map_err(|problem| format!("{plan:?}, tls {tls}, by {way:?}: {problem}"))
                })
                .buffer_unordered(concurrent)
                .filter_map(async |outcome| outcome.err())
                .collect()
                .await;
            let shown = failures.iter().take(10).map(String::as_str).collect::<Vec<_>>().join("\n");
            assert!(failures.is_empty(), "{name}: {} of {} cases:\n{shown}", failures.len(), cases.len());
            peer.forget();
            let after = before.regained(cases.len()).await.expect("nothing is left behind");
            println!("{name}: {} cases; {before:?} before, {after:?} after", cases.len());
        }
        let _ = std::fs::remove_file(&peer.authority);
    });
}

/// One case: the disturbed connection, then an undisturbed one of the same client.
async fn run(peer: &Peer, driver: &dyn Driver, case: &Case) -> Result<(), String> {
    let Case { plan, tls, way, limits, expected } = case;
    let server = match way {
        Some(ProxyProtocol::Http) => peer.http_proxy,
        Some(ProxyProtocol::Socks5) => peer.socks5_proxy,
        None if *tls => peer.wss,
        None => peer.ws,
    };
    let listener = listen().await.map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let proxy = tokio::spawn({
        let plan = *plan;
        async move {
            let mut plans = [plan, Plan::CLEAN].into_iter();
            let mut served = tokio::task::JoinSet::new();
            while let Some(plan) = plans.next()
                && let Ok((client, _)) = listener.accept().await
            {
                served.spawn(fault_proxy::serve(client, server, plan, None));
            }
            served.join_all().await;
        }
    });
    let (sender, mut events) = unbounded_channel();
    let client = driver.client(sender);

    let to = To { disturbed: address, tls: *tls, way: *way };
    let path = dial(&*client, peer, to, *limits, 1);
    let told = follow(&mut events, 1).await?;
    if !expected.iter().any(|outcome| told.is(outcome)) {
        return Err(format!("{told:?}\n    instead of {}", first_few(expected)));
    }
    let visit = peer.visit(path);
    // Over TLS the server takes nothing that the client has not sent.
    let forged = !tls && matches!(plan.to_server, Fault::Flip(..) | Fault::Duplicate(_) | Fault::Garbage(..));
    let sent: Vec<_> = SENT.iter().map(|(text, payload)| (*text, payload.to_vec())).collect();
    if !forged && !sent.starts_with(&visit.messages) {
        return Err(format!("the server got {:?}", visit.messages));
    }

    let path = dial(&*client, peer, to, PATIENT, 11);
    let told = follow(&mut events, 11).await?;
    if !told.is(&model::clean()) || told.outcomes.values().any(|sent| !sent) {
        return Err(format!("the next connection: {told:?}"));
    }
    let visit = peer.visit(path);
    if visit.messages != sent {
        return Err(format!("of the next connection the server got {:?}", visit.messages));
    }

    drop(client);
    match tokio::time::timeout(DEADLINE, events.recv()).await {
        Ok(None) => {}
        Ok(Some(seen)) => return Err(format!("after the end: {seen:?}")),
        Err(_) => return Err("the session outlives its client".to_owned()),
    }
    tokio::time::timeout(DEADLINE, proxy)
        .await
        .map_err(|_| "a socket outlives its connection".to_owned())?
        .map_err(|error| error.to_string())
}

/// Listens for the proxy that disturbs. No other test connects to this address, so it may have a port that another test has left.
async fn listen() -> std::io::Result<TcpListener> {
    TcpListener::bind("127.0.0.7:0").await
}

/// The destination of a connection, and where it is disturbed: before the server or before the proxy.
#[derive(Clone, Copy)]
struct To {
    disturbed: SocketAddr,
    tls: bool,
    way: Option<ProxyProtocol>,
}

/// Queues the messages under numbers from `first` on and connects; returns the path for the server's record.
fn dial(client: &dyn Connects, peer: &Peer, to: To, limits: Limits, first: u64) -> u32 {
    let To { disturbed, tls, way } = to;
    let path = NEXT_PATH.fetch_add(1, Ordering::Relaxed);
    let destination = if way.is_some() { peer.ws } else { disturbed };
    let way = way.map(|protocol| (protocol, disturbed));
    client.connect(&url(tls, destination, path), &peer.authority, limits, way);
    for (number, (text, payload)) in (first..).zip(SENT) {
        client.send(text, payload, number);
    }
    path
}

fn url(tls: bool, address: SocketAddr, path: u32) -> String {
    let scheme = if tls { "wss" } else { "ws" };
    format!("{scheme}://{address}/{path:05}-{path:05}")
}

/// All events of one connection.
#[derive(Debug, Default)]
struct Account {
    opened: bool,
    messages: Vec<model::Message>,
    failed: Option<(Told, u64)>,
    closed: Option<(u16, String)>,
    /// Whether each message was sent.
    outcomes: BTreeMap<u64, bool>,
}

/// Takes events until the connection has ended, and checks their order.
async fn follow(events: &mut UnboundedReceiver<Seen>, first: u64) -> Result<Account, String> {
    let mut told = Account::default();
    loop {
        let seen = tokio::time::timeout(DEADLINE, events.recv())
            .await
            .map_err(|_| format!("no end within the deadline after {told:?}"))?
            .ok_or_else(|| format!("no more events after {told:?}"))?;
        if told.failed.is_some() && !matches!(seen, Seen::Closed(..)) {
            return Err(format!("{seen:?} after {told:?}"));
        }
        match seen {
            Seen::Opened if !told.opened => told.opened = true,
            Seen::Opened => return Err(format!("opened twice: {told:?}")),
            Seen::Message(text, payload) if told.opened => told.messages.push((text, payload)),
            Seen::Message(..) => return Err("a message before the connection is open".to_owned()),
            Seen::Sent(number, sent) => {
                if told.outcomes.insert(number, sent).is_some() {
                    return Err(format!("message {number} was accounted for twice"));
                }
            }
            Seen::Failed(why, unsent) => told.failed = Some((why, unsent)),
            Seen::Closed(code, reason) => told.closed = Some((code, reason)),
        }
        let over = if told.opened { told.closed.is_some() } else { told.failed.is_some() };
        if over {
            break;
        }
    }
    // Each message is reported as sent or unsent, in order. A failure counts the unsent ones.
    let numbers: Vec<u64> = told.outcomes.keys().copied().collect();
    if numbers != (first..).take(SENT.len()).collect::<Vec<_>>() {
        return Err(format!("not every message was accounted for once: {told:?}"));
    }
    let unsent = told.outcomes.values().filter(|sent| !**sent).count() as u64;
    if !told.outcomes.values().is_sorted_by(|before, after| before >= after) {
        return Err(format!("a later message was sent, an earlier one not: {told:?}"));
    }
    if told.failed.as_ref().is_some_and(|(_, count)| *count != unsent) {
        return Err(format!("the failure counts otherwise than the messages: {told:?}"));
    }
    Ok(told)
}

impl Account {
    /// Whether these events report `outcome`.
    fn is(&self, outcome: &Outcome) -> bool {
        let Outcome { opens, messages, end } = outcome;
        let Self { opened, messages: told, failed, closed, outcomes: _ } = self;
        let failed = failed.as_ref().map(|(told, _)| told);
        let closed = closed.as_ref().map(|(code, reason)| (*code, reason.as_str()));
        let ended = match (end, failed, closed) {
            (End::Closed(code, reason), None, Some(closed)) => closed == (*code, reason.as_str()),
            (End::NoAnswer, None, Some((1006, reason))) => reason.contains("no close frame came"),
            (End::Protocol(error), Some(told), Some((code, reason))) => {
                told.is(end) && code == u16::from(error.close_code()) && reason == error.to_string()
            }
            (End::Lost | End::Silent, Some(told), Some((1006, _))) => told.is(end),
            (End::Tcp | End::Proxy | End::Tls | End::Upgrade(_) | End::Timeout(_), Some(told), None) => {
                told.is(end)
            }
            _ => false,
        };
        ended && opened == opens && told == messages
    }
}

fn first_few(expected: &[Outcome]) -> String {
    format!("{:?} ({} possible)", expected.iter().take(3).collect::<Vec<_>>(), expected.len())
}

/// A head with the right lengths, and all bytes after it.
fn script() -> (usize, Vec<u8>) {
    let head = peer::head("dGhlIHNhbXBsZSBub25jZQ==");
    (head.len(), [head, peer::frames().concat(), CLOSE.to_vec()].concat())
}

/// A request with the right lengths.
fn request() -> Vec<u8> {
    format!(
        "GET /00001-00001 HTTP/1.1\r\nHost: 127.0.0.7:40000\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: http://127.0.0.7\r\n\
         User-Agent: net_websocket/{}\r\n\r\n",
        env!("CARGO_PKG_VERSION")
    )
    .into_bytes()
}

fn ws(plan: Plan, limits: Limits, expected: impl Into<Rc<[Outcome]>>) -> Case {
    Case { plan, tls: false, way: None, limits, expected: expected.into() }
}

/// The outcome of the server's bytes up to `at`, followed by `silence`.
fn cut(at: usize, before_open: &End, open: End) -> Outcome {
    let (head, wire) = script();
    if at < head { Outcome::fails(before_open.clone()) } else { model::frames(&wire[head..at], open) }
}

/// The possible outcomes when the server's bytes end at any place.
fn cut_anywhere(before_open: &End, open: &End) -> Vec<Outcome> {
    let (head, wire) = script();
    let mut outcomes: Vec<Outcome> =
        (head - 1..=wire.len()).map(|at| cut(at, before_open, open.clone())).collect();
    outcomes.dedup();
    outcomes
}

/// The timeouts that lead to this end.
fn waiting_for(outcome: &Outcome) -> Limits {
    match outcome.end {
        End::Timeout(_) => HURRIED,
        End::Silent => WATCHFUL,
        _ => PATIENT,
    }
}

fn eof() -> End {
    End::Upgrade(vec![Cause::Eof])
}

fn io() -> End {
    End::Upgrade(vec![Cause::Io, Cause::Eof])
}

#[test]
fn ends_the_servers_bytes_at_each_byte() {
    group(async |_| {
        let (_, wire) = script();
        let mut cases = Vec::new();
        for at in 0..=wire.len() {
            let ended = cut(at, &eof(), End::Lost);
            cases.push(ws(Plan::to_client(Fault::Truncate(at)), PATIENT, vec![ended.clone()]));
            cases.push(ws(Plan::to_client(Fault::HalfClose(at)), PATIENT, vec![ended]));
            let mut reset = vec![cut(at, &End::Upgrade(vec![Cause::Io]), End::Lost)];
            if at == 0 {
                // Possibly before the client knows that it is connected.
                reset.push(Outcome::fails(End::Tcp));
            }
            cases.push(ws(Plan::to_client(Fault::Reset(at)), PATIENT, reset));
        }
        cases
    });
}

#[test]
fn silences_the_server_at_each_byte() {
    group(async |_| {
        let (_, wire) = script();
        let mut cases = Vec::new();
        for at in 0..=wire.len() {
            let silent = cut(at, &End::Timeout(Phase::Upgrade), End::Silent);
            let limits = waiting_for(&silent);
            cases.push(ws(Plan::to_client(Fault::Stall(at)), limits, vec![silent.clone()]));
            cases.push(ws(Plan::to_client(Fault::BlackHole(at)), limits, vec![silent]));
        }
        cases
    });
}

#[test]
fn changes_or_doubles_each_byte_of_the_server() {
    group(async |_| {
        let (head, wire) = script();
        let mut cases = Vec::new();
        for at in 0..wire.len() {
            let changes = [0x01, 0x20, 0x80].map(|bits| Fault::Flip(at, bits));
            for fault in changes.into_iter().chain([Fault::Duplicate(at)]) {
                let mut changed = wire.clone();
                match fault {
                    Fault::Flip(at, bits) => changed[at] ^= bits,
                    _ => changed.insert(at, wire[at]),
                }
                let expected = if at < head {
                    model::changed_head(&wire[..head], &changed[..changed.len() - (wire.len() - head)], at)
                } else {
                    vec![model::frames(&changed[head..], End::Lost)]
                };
                cases.push(ws(Plan::to_client(fault), PATIENT, expected));
            }
        }
        cases
    });
}

#[test]
fn ends_the_clients_bytes_at_each_byte() {
    group(async |_| {
        let request = request().len();
        // The frames of the messages, and the two pongs before or after them.
        let messages: usize =
            SENT.iter().map(|(_, payload)| payload.len() + if payload.len() > 125 { 8 } else { 6 }).sum();
        let pongs = 9 + 6;
        let (head, wire) = script();
        let but_close = wire.len() - CLOSE.len();
        let anywhere = |before: End, open: End| {
            let opens: Rc<[Outcome]> = cut_anywhere(&before, &open).into();
            (before, opens)
        };
        let truncated = anywhere(eof(), End::Lost);
        let reset = anywhere(io(), End::Lost);
        let hole = anywhere(End::Timeout(Phase::Upgrade), End::Silent);
        let mut cases = Vec::new();
        for at in (0..request + 200).chain([request + messages - 1, request + messages + pongs]) {
            // The server answers what it received, and closes once it has all messages.
            let told = |before: End, open: End| match at.checked_sub(request) {
                None => vec![Outcome::fails(before)],
                Some(at) if at < messages => vec![model::frames(&wire[head..but_close], open)],
                Some(_) => vec![model::clean()],
            };
            let half = told(eof(), End::Lost);
            cases.push(ws(Plan::to_server(Fault::HalfClose(at)), PATIENT, half));
            let stalled = told(End::Timeout(Phase::Upgrade), End::Silent);
            cases.push(ws(Plan::to_server(Fault::Stall(at)), waiting_for(&stalled[0]), stalled));
            // These faults end the other direction too, at any place.
            let any = |(before, opens): &(End, Rc<[Outcome]>)| match at < request {
                true => {
                    [before.clone(), End::Tcp][..2 - at.min(1)].iter().cloned().map(Outcome::fails).collect()
                }
                false => opens.clone(),
            };
            cases.push(ws(Plan::to_server(Fault::Truncate(at)), PATIENT, any(&truncated)));
            cases.push(ws(Plan::to_server(Fault::Reset(at)), PATIENT, any(&reset)));
            let limits = Limits { connect: SHORT, ..WATCHFUL };
            cases.push(ws(Plan::to_server(Fault::BlackHole(at)), limits, any(&hole)));
        }
        cases
    });
}

#[test]
fn changes_or_doubles_each_byte_of_the_request() {
    group(async |_| {
        let request = request();
        let Answer::Accept(key) = peer::answer(&request) else { panic!("the request is good") };
        let mut cases = Vec::new();
        for at in 0..request.len() {
            let changes = [0x20, 0x80].map(|bits| Fault::Flip(at, bits));
            for fault in changes.into_iter().chain([Fault::Duplicate(at)]) {
                let mut changed = request.clone();
                match fault {
                    Fault::Flip(at, bits) => changed[at] ^= bits,
                    _ => changed.insert(at, request[at]),
                }
                let (limits, end) = match peer::answer(&changed) {
                    Answer::Accept(same) if same == key => (PATIENT, None),
                    Answer::Accept(_) => {
                        (PATIENT, Some(End::Upgrade(vec![Cause::Header("Sec-WebSocket-Accept")])))
                    }
                    Answer::Refuse => (PATIENT, Some(End::Upgrade(vec![Cause::Status(400)]))),
                    Answer::Wait => (HURRIED, Some(End::Timeout(Phase::Upgrade))),
                };
                let mut expected = end.map_or_else(model::clean, Outcome::fails);
                if fault == Fault::Duplicate(request.len() - 1) {
                    // A byte before the first frame.
                    let refused = [&peer::frames().concat(), peer::PROTOCOL_ERROR].concat();
                    expected = model::frames(&refused, End::Lost);
                }
                cases.push(ws(Plan::to_server(fault), limits, vec![expected]));
            }
        }
        cases
    });
}

fn noise(seed: u64, places: Range<usize>) -> Vec<u8> {
    places.map(|at| fault_proxy::noise(seed, at)).collect()
}

#[test]
fn replaces_all_bytes_of_the_server_from_each_byte_on() {
    group(async |_| {
        let (head, wire) = script();
        let mut cases = Vec::new();
        for at in 0..wire.len() {
            let seed = at as u64;
            let expected = if at < head {
                // The head has no end, so the server's bytes end first.
                let refused = ["Upgrade", "Connection", "Sec-WebSocket-Accept"].map(Cause::Header);
                let causes = [Cause::AnyStatus, Cause::NotHttp, Cause::Eof].into_iter().chain(refused);
                Outcome::fails(End::Upgrade(causes.collect()))
            } else {
                let changed = [&wire[head..at], &noise(seed, at..wire.len())].concat();
                model::frames(&changed, End::Lost)
            };
            cases.push(ws(Plan::to_client(Fault::Garbage(at, seed)), PATIENT, vec![expected]));
        }
        cases
    });
}

#[test]
fn replaces_all_bytes_of_the_client_from_each_byte_on() {
    group(async |_| {
        let request = request().len();
        (0..request)
            .map(|at| {
                // The server waits for the end of the request.
                let expected = Outcome::fails(End::Timeout(Phase::Upgrade));
                ws(Plan::to_server(Fault::Garbage(at, at as u64)), HURRIED, vec![expected])
            })
            .collect()
    });
}

#[test]
fn changes_or_doubles_each_byte_of_the_clients_frames() {
    group(async |_| {
        let request = request().len();
        let frames = peer::frames().concat();
        // The server refuses the bytes, waits for more, or reads messages that the client did not send.
        let refused = [frames.as_slice(), peer::PROTOCOL_ERROR].concat();
        let expected: Rc<[Outcome]> = Rc::new([
            model::frames(&refused, End::Lost),
            model::frames(&frames, End::Silent),
            model::clean(),
        ]);
        let mut cases = Vec::new();
        for at in request..request + 200 {
            let seed = at as u64;
            for fault in
                [Fault::Flip(at, 0x01), Fault::Flip(at, 0x80), Fault::Duplicate(at), Fault::Garbage(at, seed)]
            {
                cases.push(ws(Plan::to_server(fault), WATCHFUL, expected.clone()));
            }
        }
        cases
    });
}

#[test]
fn disturbs_the_proxy_dialogue_at_each_byte() {
    group(async |peer| {
        let dialogues = [
            (ProxyProtocol::Http, peer::TUNNEL.len(), peer::http_request(peer.ws).len()),
            (
                ProxyProtocol::Socks5,
                peer::SOCKS5_METHOD.len() + peer::SOCKS5_REPLY.len(),
                peer::SOCKS5_METHODS.len() + peer::socks5_request(peer.ws).len(),
            ),
        ];
        let mut cases = Vec::new();
        for (protocol, answers, requests) in dialogues {
            let mut push = |plan, limits, expected: Vec<Outcome>| {
                cases.push(Case { way: Some(protocol), ..ws(plan, limits, expected) });
            };
            let (ended, late) = (Outcome::fails(End::Proxy), Outcome::fails(End::Timeout(Phase::Proxy)));
            // Some bytes have no meaning. Others leave a byte in the tunnel for the server or the client.
            let causes = vec![Cause::NotHttp, Cause::AnyStatus, Cause::Io, Cause::Eof];
            let changed =
                vec![ended.clone(), late.clone(), model::clean(), Outcome::fails(End::Upgrade(causes))];
            for (to, places) in [(Plan::to_client as fn(Fault) -> Plan, answers), (Plan::to_server, requests)]
            {
                for at in 0..places {
                    let mut reset = vec![ended.clone()];
                    if at == 0 {
                        reset.push(Outcome::fails(End::Tcp));
                    }
                    push(to(Fault::Truncate(at)), PATIENT, vec![ended.clone()]);
                    push(to(Fault::HalfClose(at)), PATIENT, vec![ended.clone()]);
                    push(to(Fault::Reset(at)), PATIENT, reset);
                    push(to(Fault::Stall(at)), HURRIED, vec![late.clone()]);
                    push(to(Fault::BlackHole(at)), HURRIED, vec![late.clone()]);
                    for fault in [
                        Fault::Flip(at, 0x01),
                        Fault::Flip(at, 0x80),
                        Fault::Duplicate(at),
                        Fault::Garbage(at, 0),
                    ] {
                        push(to(fault), HURRIED, changed.clone());
                    }
                    push(to(Fault::Delay(at, PAUSE)), PATIENT, vec![model::clean()]);
                }
            }
            push(Plan { to_client: Fault::Drip, to_server: Fault::Drip }, PATIENT, vec![model::clean()]);
        }
        cases
    });
}

#[test]
fn slow_networks_change_no_result() {
    group(async |_| {
        let (_, wire) = script();
        let mut cases = Vec::new();
        for tls in [false, true] {
            let mut clean = |plan| {
                cases.push(Case { tls, ..ws(plan, PATIENT, vec![model::clean()]) });
            };
            // The faults over TLS are in their own tests.
            for at in 0..if tls { 0 } else { wire.len() } {
                clean(Plan::to_client(Fault::Delay(at, PAUSE)));
                clean(Plan::to_server(Fault::Delay(at, PAUSE)));
            }
            clean(Plan { to_client: Fault::Drip, to_server: Fault::Drip });
            clean(Plan { to_client: Fault::Slow(7, Duration::from_millis(1)), to_server: Fault::None });
            clean(Plan { to_client: Fault::None, to_server: Fault::Slow(7, Duration::from_millis(1)) });
        }
        cases
    });
}

/// The records of a TLS stream: where each begins.
fn records(stream: &[u8]) -> Vec<usize> {
    let (mut starts, mut at) = (vec![0], 0);
    while let Some(bytes) = stream.get(at + 3..at + 5) {
        at += 5 + usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
        starts.push(at);
    }
    assert_eq!(starts.last(), Some(&stream.len()), "whole records");
    starts
}

/// Both directions of an undisturbed connection over TLS, as bytes on the wire.
async fn tls_wire(peer: &Peer) -> (Vec<u8>, Vec<u8>) {
    let listener = listen().await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let taps: [Arc<Mutex<Vec<u8>>>; 2] = Default::default();
    let server = peer.wss;
    let proxied = tokio::spawn({
        let taps = taps.clone();
        async move {
            let (client, _) = listener.accept().await.expect("a client");
            fault_proxy::serve(client, server, Plan::CLEAN, Some(taps)).await;
        }
    });
    let (sender, mut events) = unbounded_channel();
    let client = driver::Rust.client(sender);
    dial(&*client, peer, To { disturbed: address, tls: true, way: None }, PATIENT, 1);
    assert!(follow(&mut events, 1).await.expect("a connection").is(&model::clean()));
    drop(client);
    proxied.await.expect("no panic");
    taps.map(|tap| tap.lock().expect("no panic").clone()).into()
}

#[test]
fn disturbs_tls_to_the_client() {
    group(async |peer| {
        let (down, _) = tls_wire(peer).await;
        let sample = Sample::new();
        let starts = records(&down);
        // Behind the handshake: the head, the frames, the close frame, close_notify; each a record.
        let frames = peer::frames();
        let first = starts.len() - 1 - (1 + frames.len() + 2);
        let handshake = starts[first];
        let told = |at: usize, in_tls: End, before: End, open: End| {
            if at < handshake {
                return Outcome::fails(in_tls);
            }
            if at < starts[first + 1] {
                return Outcome::fails(before);
            }
            let whole = starts[first + 2..].iter().take_while(|end| **end <= at).count();
            let close = (whole > frames.len()).then(|| CLOSE.to_vec());
            let wire: Vec<u8> = frames.iter().take(whole).cloned().chain(close).flatten().collect();
            model::frames(&wire, open)
        };
        let mut cases = Vec::new();
        let mut push = |plan, limits, expected: Vec<Outcome>| {
            cases.push(Case { tls: true, ..ws(plan, limits, expected) });
        };
        for at in 0..=starts[starts.len() - 2] {
            let ended = told(at, End::Tls, eof(), End::Lost);
            push(Plan::to_client(Fault::Truncate(at)), PATIENT, vec![ended]);
            if sample.has(at, 0, &starts) {
                let mut reset = vec![told(at, End::Tls, io(), End::Lost)];
                if at == 0 {
                    reset.push(Outcome::fails(End::Tcp));
                }
                if at == handshake {
                    // Possibly before the client's last record of the handshake.
                    reset.push(Outcome::fails(End::Tls));
                }
                push(Plan::to_client(Fault::Reset(at)), PATIENT, reset);
            }
            if sample.has(at, 4, &starts) {
                push(Plan::to_client(Fault::Delay(at, PAUSE)), PATIENT, vec![model::clean()]);
            }
            if sample.has(at, 1, &starts) {
                let ended = told(at, End::Tls, eof(), End::Lost);
                push(Plan::to_client(Fault::HalfClose(at)), PATIENT, vec![ended]);
            }
            if sample.has(at, 2, &starts) {
                let silent = told(at, End::Timeout(Phase::Tls), End::Timeout(Phase::Upgrade), End::Silent);
                let limits = waiting_for(&silent);
                push(Plan::to_client(Fault::Stall(at)), limits, vec![silent.clone()]);
                push(Plan::to_client(Fault::BlackHole(at)), limits, vec![silent]);
            }
            if sample.has(at, 3, &starts) {
                // A wrong length makes the client wait for more bytes. Plain bytes of the handshake can be without meaning.
                // Data read together with a bad record is lost.
                let before = starts.iter().copied().filter(|start| (handshake..at).contains(start));
                // A doubled byte arrives once before it arrives again.
                let mut changed: Vec<Outcome> =
                    before.chain([at, at + 1]).map(|at| told(at, End::Tls, io(), End::Lost)).collect();
                if at < handshake {
                    changed.extend([Outcome::fails(End::Timeout(Phase::Tls)), model::clean()]);
                } else {
                    // A record that cannot be decrypted is a failure of TLS, if nothing is open yet.
                    changed.extend([Outcome::fails(End::Tls), Outcome::fails(End::Timeout(Phase::Upgrade))]);
                }
                // All encrypted records have the same type and version (RFC 8446 section 5.2).
                if starts.iter().any(|start| (*start..*start + 3).contains(&at)) {
                    changed.push(model::clean());
                }
                let limits = if at < starts[first + 1] { HURRIED } else { PATIENT };
                for fault in [Fault::Flip(at, 0x01), Fault::Duplicate(at), Fault::Garbage(at, sample.seed)] {
                    push(Plan::to_client(fault), limits, changed.clone());
                }
            }
        }
        cases
    });
}

#[test]
fn disturbs_tls_to_the_server() {
    group(async |peer| {
        let (_, up) = tls_wire(peer).await;
        let sample = Sample::new();
        let frames = peer::frames();
        let mut cases = Vec::new();
        let mut push = |plan, limits, expected: Rc<[Outcome]>| {
            cases.push(Case { tls: true, ..ws(plan, limits, expected) });
        };
        // The client's: hello, change of cipher, finished, request, and then each write of frames.
        let starts = records(&up);
        let (hello, finished, request) = (starts[1], starts[3], starts[4]);
        let hurried = Limits { connect: SHORT, ..WATCHFUL };
        let late = [Phase::Tls, Phase::Upgrade].map(|phase| Outcome::fails(End::Timeout(phase)));
        // A fault that ends both directions strikes the other one at any place.
        let (lost, silent) = (cut_anywhere(&io(), &End::Lost), cut_anywhere(&late[1].end, &End::Silent));
        let all: Rc<[Outcome]> =
            [lost.clone(), silent.clone(), late.to_vec(), vec![Outcome::fails(End::Tls)]].concat().into();
        let (lost, silent): (Rc<[Outcome]>, Rc<[Outcome]>) = (lost.into(), silent.into());
        let in_tls = |at: usize| match at {
            0 => vec![Outcome::fails(End::Tls), Outcome::fails(End::Tcp)],
            _ if at < hello => vec![Outcome::fails(End::Tls)],
            _ => vec![Outcome::fails(End::Tls), Outcome::fails(io())],
        };
        for at in 0..request + 200 {
            if sample.has(at, 0, &starts) {
                let ended = match at {
                    _ if at < hello => Outcome::fails(End::Tls),
                    _ if at < finished => Outcome::fails(io()),
                    _ if at < request => Outcome::fails(eof()),
                    _ => model::frames(&frames.concat(), End::Lost),
                };
                push(Plan::to_server(Fault::HalfClose(at)), PATIENT, Rc::new([ended]));
                let stalled = match at {
                    _ if at < hello => late[0].clone(),
                    _ if at < request => late[1].clone(),
                    _ => model::frames(&frames.concat(), End::Silent),
                };
                push(Plan::to_server(Fault::Stall(at)), waiting_for(&stalled), Rc::new([stalled]));
            }
            if sample.has(at, 4, &starts) {
                push(Plan::to_server(Fault::Delay(at, PAUSE)), PATIENT, Rc::new([model::clean()]));
            }
            if sample.has(at, 1, &starts) {
                let ended = if at < request { in_tls(at).into() } else { lost.clone() };
                push(Plan::to_server(Fault::Truncate(at)), PATIENT, ended.clone());
                push(Plan::to_server(Fault::Reset(at)), PATIENT, ended);
            }
            if sample.has(at, 2, &starts) {
                let hole = if at < request { Rc::new(late.clone()) } else { silent.clone() };
                push(Plan::to_server(Fault::BlackHole(at)), hurried, hole);
            }
            if sample.has(at, 3, &starts) {
                // The server refuses the record, waits for more of it, or ignores the change, for instance of the version.
                for fault in [Fault::Flip(at, 0x01), Fault::Duplicate(at), Fault::Garbage(at, sample.seed)] {
                    push(Plan::to_server(fault), hurried, all.clone());
                }
            }
        }
        cases
    });
}

/// Sampled places of a stream that is too long for every fault at every place.
struct Sample {
    seed: u64,
    all: bool,
}

impl Sample {
    /// One of this many places is sampled. The first and the last bytes of records are always taken.
    const SHARE: u64 = 6;

    /// FAULTS_SEED repeats a run; FAULTS_ALL takes every place.
    fn new() -> Self {
        let seed = std::env::var("FAULTS_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = || std::time::UNIX_EPOCH.elapsed().map_or(0, |time| time.subsec_micros());
        let (seed, all) = (seed.unwrap_or_else(now), std::env::var_os("FAULTS_ALL").is_some());
        println!("FAULTS_SEED={seed}{}", if all { ", all places" } else { "" });
        Self { seed: seed.into(), all }
    }

    fn has(&self, at: usize, fault: u64, starts: &[usize]) -> bool {
        let edge = starts.contains(&at) || starts.contains(&(at + 1));
        let number = u64::from(fault_proxy::noise(self.seed ^ fault, at));
        self.all || edge || number.is_multiple_of(Self::SHARE)
    }
}

/// A server of one connection. After the upgrade it runs the script of the case.
async fn scripted<F: Future<Output = ()> + 'static>(
    play: impl FnOnce(TcpStream) -> F + 'static,
) -> (SocketAddr, tokio::task::JoinHandle<()>) {
    let listener = listen().await.expect("a free port");
    // This reduces the bytes that wait in the kernel.
    let _ = SockRef::from(&listener).set_recv_buffer_size(65_536);
    let address = listener.local_addr().expect("bound");
    // On the test's own thread.
    let played = tokio::task::spawn_local(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        upgrade(&mut stream).await;
        play(stream).await;
    });
    (address, played)
}

async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) {
    let mut request = Vec::new();
    let key = loop {
        assert_ne!(stream.read_buf(&mut request).await.expect("a request"), 0);
        if let Answer::Accept(key) = peer::answer(&request) {
            break key;
        }
    };
    stream.write_all(&peer::head(&key)).await.expect("the client reads");
    stream.flush().await.expect("the client reads");
}

/// Runs `case` through both drivers, many at a time, and counts the resources of the process.
fn scripted_group(cases: usize, case: impl AsyncFn(&dyn Driver, usize)) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        for driver in [&driver::Rust as &dyn Driver, &driver::C] {
            case(driver, 0).await;
            let idle = Baseline::now();
            futures_util::future::join_all((0..cases.min(16)).map(|number| case(driver, number))).await;
            let before = idle.regained_but_bytes().await.expect("nothing is left behind");
            let runs = futures_util::stream::iter(0..cases).map(|number| case(driver, number));
            runs.buffer_unordered(16).for_each(async |()| {}).await;
            before.regained(cases).await.expect("nothing is left behind");
        }
    });
}

/// A client that is connecting to a scripted server.
fn start(
    driver: &dyn Driver,
    address: SocketAddr,
    limits: Limits,
) -> (Box<dyn Connects>, UnboundedReceiver<Seen>) {
    let (sender, events) = unbounded_channel();
    let client = driver.client(sender);
    client.connect(&url(false, address, 0), Path::new("none"), limits, None);
    (client, events)
}

async fn next(events: &mut UnboundedReceiver<Seen>) -> Seen {
    tokio::time::timeout(DEADLINE, events.recv()).await.expect("an event in time").expect("an event")
}

/// More than the kernel's buffers hold.
const LARGE: usize = 12_000_000;

#[test]
fn receives_the_close_frame_before_a_reset_while_the_client_sends() {
    scripted_group(48, async |driver, number| {
        let (address, played) = scripted(async move |mut stream: TcpStream| {
            // The client's frame has begun, and nobody reads the rest.
            let mut first = [0; 1];
            stream.read_exact(&mut first).await.expect("a frame");
            stream.write_all(b"\x81\x04last\x88\x08\x03\xf0policy").await.expect("the client reads");
            // With unread bytes, the kernel resets the connection (RFC 2525 section 2.17).
            drop(stream);
        })
        .await;
        let (client, mut events) = start(driver, address, PATIENT);
        assert!(matches!(next(&mut events).await, Seen::Opened));
        client.send(false, &vec![1; LARGE], 1);
        client.send(true, b"behind it", 2);
        played.await.expect("no panic");
        match next(&mut events).await {
            Seen::Message(true, text) => assert_eq!(text, b"last", "case {number}"),
            other => panic!("case {number}: {other:?}"),
        }
        for expected in [1, 2] {
            match next(&mut events).await {
                Seen::Sent(number, false) => assert_eq!(number, expected, "in their order"),
                other => panic!("case {number}: {other:?}"),
            }
        }
        match next(&mut events).await {
            Seen::Closed(1008, reason) => assert_eq!(reason, "policy"),
            other => panic!("case {number}: {other:?}"),
        }
    });
}

#[test]
fn reports_how_far_an_interrupted_closing_handshake_got() {
    scripted_group(48, async |driver, number| {
        // Three fates of our close frame: no answer, a reset after it, a reset before it.
        let how = number % 3;
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let (address, played) = scripted(async move |mut stream: TcpStream| {
            if how == 2 {
                // The message before the close frame is read no further.
                let mut first = [0; 1];
                stream.read_exact(&mut first).await.expect("a frame");
                gone.await.expect("the client has asked to close");
                drop(stream);
                return;
            }
            // "x", masked, and the close frame with its reason.
            let mut frames = [0; 7 + 6 + 2 + 4];
            stream.read_exact(&mut frames).await.expect("two frames");
            if how == 0 {
                let mut rest = Vec::new();
                stream.read_to_end(&mut rest).await.expect("the client's end");
                assert_eq!(rest, b"", "nothing follows a close frame");
                return;
            }
            let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        })
        .await;
        let close = if how == 0 { BRIEF } else { DEADLINE };
        let (client, mut events) = start(driver, address, Limits { close, ..PATIENT });
        assert!(matches!(next(&mut events).await, Seen::Opened));
        let large = vec![b'x'; LARGE];
        client.send(true, if how == 2 { &large } else { b"x" }, 1);
        client.close();
        let _ = go.send(());
        let mut told = Account { opened: true, ..Account::default() };
        loop {
            match next(&mut events).await {
                Seen::Sent(number, sent) => assert_eq!(told.outcomes.insert(number, sent), None),
                Seen::Failed(why, unsent) => told.failed = Some((why, unsent)),
                Seen::Closed(code, reason) => {
                    told.closed = Some((code, reason));
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        played.await.expect("no panic");
        let end = [End::NoAnswer, End::NoAnswer, End::Lost][how].clone();
        assert!(told.is(&Outcome { opens: true, messages: Vec::new(), end }), "{how}: {told:?}");
        assert_eq!(told.outcomes, BTreeMap::from([(1, how != 2)]));
        assert_eq!(told.failed.map(|(_, unsent)| unsent), (how == 2).then_some(1));
    });
}

#[test]
fn a_slow_reader_gets_everything_and_the_close_frame_after_it() {
    let (acceptor, authority) = &peer::tls();
    // Over TCP and over TLS. To queue as much takes this thread a while, in which none of these is read.
    scripted_group(2, async |driver, number| {
        let listener = listen().await.expect("a free port");
        // Several segments of the loopback. The kernel does not announce a window of less than two segments. The sender would
        // then wait for its own probes, each twice as late as the last (RFC 9293 section 3.8.6.1).
        let _ = SockRef::from(&listener).set_recv_buffer_size(8 * 65_536);
        let address = listener.local_addr().expect("bound");
        let tls = (number % 2 == 1).then(|| acceptor.clone());
        let played = tokio::task::spawn_local(async move {
            let (stream, _) = listener.accept().await.expect("a client");
            match tls {
                None => read_slowly(stream).await,
                Some(tls) => read_slowly(tls.accept(stream).await.expect("a TLS handshake")).await,
            }
        });
        let (sender, mut events) = unbounded_channel();
        let client = driver.client(sender);
        let limits = Limits { close: 2 * UNREAD, ..PATIENT };
        client.connect(&url(number % 2 == 1, address, 0), authority, limits, None);
        assert!(matches!(next(&mut events).await, Seen::Opened));
        client.send(false, &vec![3; LARGE], 1);
        client.close();
        match next(&mut events).await {
            Seen::Sent(1, true) => {}
            other => panic!("{other:?}"),
        }
        match next(&mut events).await {
            Seen::Closed(1000, _) => {}
            other => panic!("{other:?}"),
        }
        played.await.expect("no panic");
    });
    let _ = std::fs::remove_file(authority);
}

/// The pause between two parts: half the close timeout. All parts together take twice the timeout.
const UNREAD: Duration = Duration::from_secs(1);

/// In total longer than the close timeout, but never that long without progress.
async fn read_slowly<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    /// The payload of a fragment.
    const FRAGMENT: usize = 262_144 - 14;
    /// More than the kernel holds on the way, so that something is written in each.
    const PART: usize = LARGE / 4;
    upgrade(&mut stream).await;
    let frames = LARGE + 14 * LARGE.div_ceil(FRAGMENT) + 12;
    let (mut received, mut pause_at) = (0, PART);
    let mut buffer = vec![0; 262_144];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        received += count;
        if received >= frames {
            break;
        }
        if received >= pause_at {
            pause_at += PART;
            tokio::time::sleep(UNREAD).await;
        }
    }
    assert_eq!(received, frames, "the message and the close frame");
    stream.write_all(b"\x88\x02\x03\xe8").await.expect("the client reads");
    stream.shutdown().await.expect("open");
    assert_eq!(stream.read(&mut buffer).await.expect("the client's end"), 0);
}

#[test]
fn random_frames_end_as_the_model_predicts() {
    scripted_group(256, async |driver, number| {
        let garbage = noise(number as u64, 0..200);
        let expected = model::frames(&garbage, End::Lost);
        let (address, played) = scripted(async move |mut stream: TcpStream| {
            stream.write_all(&garbage).await.expect("the client reads");
            stream.shutdown().await.expect("open");
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        })
        .await;
        let (client, mut events) = start(driver, address, PATIENT);
        let mut told = Account::default();
        while told.closed.is_none() {
            match next(&mut events).await {
                Seen::Opened => told.opened = true,
                Seen::Message(text, payload) => told.messages.push((text, payload)),
                Seen::Failed(why, unsent) => told.failed = Some((why, unsent)),
                Seen::Closed(code, reason) => told.closed = Some((code, reason)),
                Seen::Sent(..) => panic!("nothing was sent"),
            }
        }
        assert!(told.is(&expected), "seed {number}: {told:?} instead of {expected:?}");
        drop(client);
        played.await.expect("no panic");
    });
}

#[test]
fn reports_a_failed_tcp_connect_as_such() {
    scripted_group(32, async |driver, number| {
        // A closed port, and a port whose accept queue is full, so that the kernel drops connection requests.
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).expect("a free port");
        let address = socket.local_addr().expect("bound").as_socket().expect("IPv4");
        let full = number % 2 == 1;
        let mut waiting = Vec::new();
        if full {
            socket.listen(0).expect("bound");
            waiting.push(TcpStream::connect(address).await.expect("the one that the queue has room for"));
        }
        let (client, mut events) =
            start(driver, address, Limits { connect: if full { BRIEF } else { DEADLINE }, ..PATIENT });
        let end = if full { End::Timeout(Phase::Tcp) } else { End::Tcp };
        match next(&mut events).await {
            Seen::Failed(told, 0) => assert!(told.is(&end), "{told:?} instead of {end:?}"),
            other => panic!("{other:?}"),
        }
        drop(client);
        assert!(events.recv().await.is_none());
    });
}
