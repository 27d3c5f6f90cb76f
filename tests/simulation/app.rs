//! The model of an application, and its listener.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use net_websocket::internals::client::{
    Client, CloseError, CloseStart, Closed, ConnectError, Failure, Listener, Message, MessageType, Opened,
    Options, Outcome, PerMessageDeflate, PhaseTimeouts, Preparation, PrepareDecision, Proxy, Receipt,
    Reconnect, Reconnected, Reconnecting, Request, Rewrite, SEND_LIMIT_BYTES, SendError, SendLimits,
    SessionOptions, State,
};
use tokio::time::{sleep, timeout};

use crate::chance::{Chance, filler};
use crate::judge::{RetryTerms, Terms};
use crate::network::lock;
use crate::world::{Sim, Weather};

/// Longer than anything in a life takes.
const FOR_EVER: Duration = Duration::from_secs(3_600);

/// The next action of the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Send,
    Burst,
    SendLarge,
    Lend,
    Pieces,
    Ping,
    Close,
    Connect,
    Pause,
    Limits,
    RetryNow,
    Look,
    Drop,
}

/// Runs the application until the end of its life.
pub async fn live(sim: Arc<Sim>) {
    let mut chance = lock(&sim.app).fork();
    let limit = if chance.percent(40) { chance.number(300, 20_000) } else { SEND_LIMIT_BYTES };
    *lock(&sim.client) = Some(Arc::new(Client::new(Box::new(Ears { sim: sim.clone() }), limit)));
    if chance.percent(20) {
        act(&sim, Act::Send, &mut chance);
    }
    connect(&sim);
    for _ in 0..chance.number(1, 30) {
        let most = chance.weigh(&[(3, 10), (4, 400), (3, 3_000), (1, 30_000)]);
        sleep(chance.millis(0, most)).await;
        let hard = sim.weather.percent(1);
        let next = chance.weigh(&[
            (20, Act::Send),
            (4, Act::Burst),
            (2, Act::SendLarge),
            (4, Act::Lend),
            (3, Act::Pieces),
            (4, Act::Ping),
            (1, Act::Close),
            (3, Act::Connect),
            (3, Act::Pause),
            (2, Act::Limits),
            (3, Act::RetryNow),
            (8, Act::Look),
            (hard, Act::Drop),
        ]);
        act(&sim, next, &mut chance);
    }
    *lock(&sim.is_winding_down) = true;
    if chance.percent(60) {
        pause(&sim, false);
        end(&sim).await;
    }
    finish(&sim).await;
}

/// Closes until the client has reported every end.
async fn end(sim: &Sim) {
    let Some(client) = sim.client() else { return };
    let ended = async {
        loop {
            let ended = sim.ended.notified();
            if !lock(&sim.judge).awaits_end() {
                return;
            }
            close(sim, &client, 1_000);
            ended.await;
        }
    };
    if timeout(FOR_EVER, ended).await.is_err() {
        lock(&sim.judge).fault(format_args!("an end was never told; the state is {:?}", client.state()));
    }
}

/// Drops the client, and waits until its last task and connection have ended.
async fn finish(sim: &Sim) {
    let (limit, left_open, statistics) = {
        let client = sim.client();
        let mut judge = lock(&sim.judge);
        let is_idle = client.as_ref().filter(|_| !judge.is_dropped() && !judge.awaits_end());
        let statistics = is_idle.map(|client| client.statistics());
        let buffered = client.as_ref().map_or(0, |client| client.buffered());
        let left_open = judge.left_open(buffered).filter(|_| client.is_some() && !judge.is_dropped());
        if client.is_some() && !judge.is_dropped() {
            judge.drops();
        }
        // Twice: the closing handshake, and then the server's end of the connection.
        (2 * judge.close_timeout().max(Duration::from_secs(10)), left_open, statistics)
    };
    drop(lock(&sim.client).take());
    let began = tokio::time::Instant::now();
    let quiet = async {
        loop {
            let ended = sim.ended.notified();
            if sim.tasks() <= 1 && sim.wires() == 0 {
                return;
            }
            ended.await;
        }
    };
    let over = timeout(FOR_EVER, quiet).await.is_ok();
    // Waits until the last bytes of the library have arrived.
    sleep(Duration::from_secs(5)).await;
    let mut judge = lock(&sim.judge);
    let allowed = limit + sim.freezer.allowance(began, tokio::time::Instant::now(), limit);
    let took = began.elapsed() - Duration::from_secs(5);
    if !over || took > allowed + Duration::from_millis(100) {
        let (tasks, wires) = (sim.tasks() - 1, sim.wires());
        judge.fault(format_args!("{tasks} tasks and {wires} connections are left over after {took:?}"));
    }
    judge.concludes(left_open, statistics.as_ref());
}

fn connect(sim: &Sim) {
    let Some(client) = sim.client() else { return };
    let (request, terms) = request(sim);
    let mut judge = lock(&sim.judge);
    let idle = matches!(client.state(), State::Idle | State::Closed);
    match client.connect(request) {
        Ok(()) if idle => judge.connects(terms),
        Err(ConnectError::Already(_)) if !idle => {}
        outcome => judge.fault(format_args!("connect came to {outcome:?}")),
    }
}

fn request(sim: &Sim) -> (Request, Terms) {
    let mut chance = lock(&sim.app).fork();
    let calm = sim.weather == Weather::Calm;
    let seconds = |chance: &mut Chance, least: usize, most: usize| chance.millis(1_000 * least, 1_000 * most);
    let connect_timeout = if calm { Duration::from_secs(15) } else { seconds(&mut chance, 1, 15) };
    let mut phase = || (!calm && chance.percent(10)).then(|| chance.millis(50, 10_000));
    let phase_timeouts =
        PhaseTimeouts { lookup: phase(), tcp: phase(), upgrade: phase(), ..PhaseTimeouts::default() };
    let shortest_phase = [phase_timeouts.lookup, phase_timeouts.tcp, phase_timeouts.upgrade];
    let ping_interval = chance.percent(80).then(|| chance.millis(100, 30_000));
    let pong_timeout = chance.percent(80).then(|| chance.millis(if calm { 2_000 } else { 100 }, 20_000));
    let close_timeout = if calm { Duration::from_secs(5) } else { chance.millis(100, 8_000) };
    let in_pieces = chance.percent(15);
    let policy = chance.percent(60).then(|| Reconnect {
        at_once: chance.percent(30),
        delay: chance.millis(1, 2_000),
        max_delay: chance.millis(1, 10_000),
        max_attempts: chance.percent(50).then(|| chance.number(0, 6) as u32),
        max_time: chance.percent(30).then(|| chance.millis(100, 60_000)),
        keep_queue: chance.percent(60),
        prepare_timeout: chance.millis(50, 5_000),
        ..Reconnect::default()
    });
    let terms = Terms {
        connect_timeout,
        shortest_phase: shortest_phase.into_iter().flatten().min(),
        ping_interval,
        pong_timeout,
        close_timeout,
        in_pieces,
        reconnect: policy.as_ref().map(|policy| RetryTerms {
            at_once: policy.at_once,
            delay: policy.delay,
            max_delay: policy.max_delay,
            max_attempts: policy.max_attempts,
            max_time: policy.max_time,
            keep_queue: policy.keep_queue,
            prepare_timeout: policy.prepare_timeout,
        }),
    };
    let options = Options {
        proxy: Proxy::None,
        max_redirects: chance.number(0, 5) as u8,
        hosts: if chance.percent(20) {
            vec![("name.example".to_owned(), "192.0.2.7, 192.0.2.8".to_owned())]
        } else {
            Vec::new()
        },
        connect_timeout,
        phase_timeouts,
        session: SessionOptions {
            close_timeout,
            ping_interval,
            pong_timeout,
            in_pieces,
            per_message_deflate: chance.percent(70).then(PerMessageDeflate::default),
            statistics_interval: chance.percent(10).then(|| chance.millis(100, 5_000)),
            ..SessionOptions::default()
        },
        reconnect: policy,
        ..Options::default()
    };
    let url = chance.pick(&["ws://192.0.2.1/", "ws://[2001:db8::1]/", "ws://name.example/path?query"]);
    (Request::parse(url, options).expect("a good request"), terms)
}

/// A message that starts with its number.
fn payload(number: usize, length: usize) -> Vec<u8> {
    let mut payload = format!("{number:06x}").into_bytes();
    payload.extend_from_slice(filler(number, length));
    payload
}

fn kind(chance: &mut Chance) -> MessageType {
    if chance.percent(50) { MessageType::Text } else { MessageType::Binary }
}

fn send(sim: &Sim, client: &Client, chance: &mut Chance, length: usize) {
    let mut judge = lock(&sim.judge);
    let (payload, kind) = (payload(judge.next_message(), length), kind(chance));
    let receipt = judge.all_have_receipts || chance.percent(50);
    let sent = match receipt {
        true => client.send_with_receipt(kind, &payload, judge.next_receipt()),
        false => client.send(kind, &payload),
    };
    match sent {
        Ok(()) => judge.accepted(kind, &payload, true, true, receipt),
        Err(error) => judge.tell(format_args!("app: not accepted: {error}")),
    }
}

/// Memory lent to the library. Its drop returns it.
struct Lent(Vec<u8>, Arc<Sim>);

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl AsMut<[u8]> for Lent {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.1.lent.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sends a piece of a message, or the last piece of the unfinished one.
fn send_pieces(sim: &Sim, client: &Client, chance: &mut Chance) {
    let mut judge = lock(&sim.judge);
    let mut unfinished = lock(&sim.unfinished);
    let whole = payload(judge.next_message(), chance.number(20, 400));
    let (kind, pieces): (_, Vec<&[u8]>) = match *unfinished {
        Some(kind) => (kind, vec![&[], b"the end"]),
        None => (kind(chance), whole.chunks(whole.len().div_ceil(chance.number(2, 4))).collect()),
    };
    for (at, piece) in pieces.iter().enumerate() {
        let (first, last) = (unfinished.is_none(), at + 1 == pieces.len());
        let receipt = judge.all_have_receipts || chance.percent(50);
        let number = receipt.then(|| judge.next_receipt());
        match client.send_piece(kind, piece, last, number) {
            Ok(()) => {
                judge.accepted(kind, piece, first, last, receipt);
                *unfinished = (!last).then_some(kind);
            }
            Err(error) => {
                judge.tell(format_args!("app: a piece is not accepted: {error}"));
                if error == SendError::Interrupted {
                    *unfinished = None;
                }
                return;
            }
        }
    }
}

fn act(sim: &Arc<Sim>, act: Act, chance: &mut Chance) {
    let Some(client) = sim.client() else { return };
    lock(&sim.judge).tell(format_args!("app: {act:?}"));
    match act {
        Act::Send => {
            let length = chance.number(0, 300);
            send(sim, &client, chance, length);
        }
        Act::Burst => {
            for _ in 0..chance.number(2, 80) {
                let length = chance.number(0, 60);
                send(sim, &client, chance, length);
            }
        }
        Act::SendLarge => {
            let length = chance.number(10_000, 150_000);
            send(sim, &client, chance, length);
        }
        Act::Lend => {
            let mut judge = lock(&sim.judge);
            let length = chance.number(0, 5_000);
            let (payload, kind) = (payload(judge.next_message(), length), kind(chance));
            let receipt = judge.all_have_receipts || chance.percent(50);
            sim.lent.fetch_add(1, Ordering::Relaxed);
            let lent = Box::new(Lent(payload.clone(), sim.clone()));
            let number = receipt.then(|| judge.next_receipt());
            match client.send_owned(kind, lent, number) {
                Ok(()) => judge.accepted(kind, &payload, true, true, receipt),
                Err((error, lent)) => {
                    judge.tell(format_args!("app: not accepted: {error}"));
                    if lent.0 != payload {
                        judge.fault(format_args!("a refused payload came back changed"));
                    }
                }
            }
        }
        Act::Pieces => send_pieces(sim, &client, chance),
        Act::Ping => {
            let outcome = client.ping(b"app");
            lock(&sim.judge).tell(format_args!("app: ping {outcome:?}"));
        }
        Act::Close => close(sim, &client, chance.pick(&[1_000, 1_001, 3_000, 4_999, 0, 1_005, 70_000])),
        Act::Connect => connect(sim),
        Act::Pause => {
            let paused = !lock(&sim.pause).paused;
            pause(sim, paused);
        }
        Act::Limits => client.set_send_limits(SendLimits {
            bytes: chance.number(100, 200_000),
            low_water: chance.number(0, 50_000),
            messages: chance.number(1, 200),
            fragments: chance.percent(50),
        }),
        Act::RetryNow => {
            if client.retry_now() {
                lock(&sim.judge).hurries();
            }
        }
        Act::Look => {
            let (buffered, is_above) = (client.buffered(), client.is_above_low_water());
            let statistics = client.statistics();
            let mut judge = lock(&sim.judge);
            let settled = !judge.is_in_batch();
            judge.looks(buffered, is_above, &statistics, settled);
        }
        Act::Drop => {
            drop(client);
            return drop_client(sim);
        }
    }
    let is_above = client.is_above_low_water();
    lock(&sim.judge).fills(is_above);
}

/// Another thread of the application does something in the middle of the library's turn.
pub fn meanwhile(sim: &Arc<Sim>, percent: usize) {
    let mut chance = lock(&sim.elsewhere);
    if *lock(&sim.is_winding_down) || !chance.percent(percent) {
        return;
    }
    let hard = sim.weather.percent(1);
    let next =
        chance.weigh(&[(40, Act::Send), (4, Act::Lend), (4, Act::Ping), (1, Act::Close), (hard, Act::Drop)]);
    act(sim, next, &mut chance);
}

fn drop_client(sim: &Sim) {
    let client = lock(&sim.client).take();
    if let Some(client) = client {
        lock(&sim.judge).drops();
        drop(client);
    }
}

fn close(sim: &Sim, client: &Client, code: u32) {
    let mut judge = lock(&sim.judge);
    let state = client.state();
    match client.close(code, "enough") {
        Ok(start) if matches!(state, State::Open | State::Connecting) => {
            // A code that must not be sent is sent as 1000.
            judge.closes(if may_be_sent(code) { code as u16 } else { 1_000 }, start);
            if start == CloseStart::Cancelled {
                *lock(&sim.unfinished) = None;
            }
        }
        Ok(_) => judge.closes_again(),
        Err(CloseError::NotConnected) if state == State::Idle => {}
        Err(error) => judge.fault(format_args!("close came to {error:?}")),
    }
}

fn may_be_sent(code: u32) -> bool {
    matches!(code, 1_000..=1_003 | 1_007..=1_014 | 3_000..=4_999)
}

fn pause(sim: &Sim, paused: bool) {
    lock(&sim.judge).pauses(paused);
    let waker = {
        let mut pause = lock(&sim.pause);
        pause.paused = paused;
        pause.waker.take_if(|_| !paused)
    };
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The listener.
struct Ears {
    sim: Arc<Sim>,
}

impl Ears {
    /// The action of the application inside an event.
    fn react(&self, percent: usize) {
        if *lock(&self.sim.is_winding_down) {
            return;
        }
        let mut chance = lock(&self.sim.app).fork();
        if !chance.percent(percent) {
            return;
        }
        let hard = self.sim.weather.percent(1);
        let next = chance.weigh(&[
            (20, Act::Send),
            (2, Act::Lend),
            (2, Act::Pieces),
            (2, Act::Ping),
            (1, Act::Close),
            (hard, Act::Drop),
            (8, Act::Look),
        ]);
        act(&self.sim, next, &mut chance);
        if chance.percent(self.sim.weather.percent(2)) {
            // The listener is slow.
            let (time, catch_up) = (chance.millis(1, 3_000), chance.millis(0, 40));
            lock(&self.sim.judge).tell(format_args!("app: takes {time:?} within an event"));
            self.sim.freezer.freeze(time, catch_up);
        }
    }
}

impl Listener for Ears {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut pause = lock(&self.sim.pause);
        if !pause.paused {
            return Poll::Ready(());
        }
        pause.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn begin_batch(&mut self) -> bool {
        lock(&self.sim.judge).batch(true);
        true
    }

    fn end_batch(&mut self) {
        lock(&self.sim.judge).batch(false);
    }

    fn opened(&mut self, opened: &Opened) {
        let number = opened.headers.iter().find(|(name, _)| *name == "x-connection");
        let number = number.and_then(|(_, number)| number.trim().parse().ok()).expect("it has a number");
        lock(&self.sim.judge).opened(number);
        self.react(30);
    }

    fn message(&mut self, message: Message<'_>) {
        let part = message.part();
        lock(&self.sim.judge).message(message.kind(), part.first, part.last, message.data());
        self.react(5);
    }

    fn sent(&mut self, receipt: Receipt, outcome: Outcome) {
        lock(&self.sim.judge).sent(receipt, outcome);
        self.react(3);
    }

    fn drained(&mut self) {
        // Sends of the application in earlier events may have filled the queue again.
        let is_above = self.sim.client().is_some_and(|client| client.is_above_low_water());
        lock(&self.sim.judge).drained(is_above);
        self.react(30);
    }

    fn reconnecting(&mut self, reconnecting: &Reconnecting) {
        lock(&self.sim.judge).reconnecting(reconnecting);
        self.react(20);
    }

    fn prepare(&mut self, reconnecting: &Reconnecting) -> PrepareDecision {
        let (decision, delay, given) = {
            let mut chance = lock(&self.sim.app).fork();
            let some = self.sim.weather.percent(3);
            let decision = chance.weigh(&[
                (80, PrepareDecision::Proceed),
                (3 * some, PrepareDecision::Wait),
                (some, PrepareDecision::Fail),
                (some, PrepareDecision::Stop),
            ]);
            let given = chance.weigh(&[(8, 0), (1, 1), (1, 2)]);
            (decision, chance.millis(0, 6_000), given)
        };
        lock(&self.sim.judge).prepares(decision);
        if let Some(client) = self.sim.client() {
            let (buffered, is_above) = (client.buffered(), client.is_above_low_water());
            lock(&self.sim.judge).looks(buffered, is_above, &client.statistics(), true);
        }
        if decision == PrepareDecision::Wait {
            let (sim, attempt) = (self.sim.clone(), reconnecting.attempt);
            tokio::spawn(async move {
                sleep(delay).await;
                let Some(client) = sim.client() else { return };
                let given = match given {
                    0 => Preparation::Proceed(Rewrite::default()),
                    1 => Preparation::Fail,
                    _ => Preparation::Stop,
                };
                let taken = client.prepare(attempt, given);
                lock(&sim.judge).prepared(taken);
            });
        }
        decision
    }

    fn reconnected(&mut self, reconnected: &Reconnected) {
        lock(&self.sim.judge).tell(format_args!("client: reconnected after {}", reconnected.attempts));
    }

    fn failed(&mut self, failure: &Failure) {
        lock(&self.sim.judge).failed(failure);
        *lock(&self.sim.unfinished) = None;
        self.sim.ended.notify_waiters();
        self.react(10);
        self.connect_again();
    }

    fn closed(&mut self, closed: &Closed) {
        lock(&self.sim.judge).closed(closed);
        *lock(&self.sim.unfinished) = None;
        self.sim.ended.notify_waiters();
        self.react(10);
        self.connect_again();
    }
}

impl Ears {
    fn connect_again(&self) {
        let wanted = !*lock(&self.sim.is_winding_down) && lock(&self.sim.app).percent(20);
        let awaits = lock(&self.sim.judge).awaits_end();
        if wanted && !awaits {
            connect(&self.sim);
        }
    }
}
