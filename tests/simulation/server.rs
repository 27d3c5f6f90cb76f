//! The model of a server, whose faults are random.

use std::sync::Arc;
use std::time::Duration;

use net_websocket::internals::client::MessageType;
use net_websocket::internals::protocol::{
    Decoded, Decoder, Deflater, Negotiated, PerMessageDeflate, ReadBuffer,
};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::chance::{Chance, filler};
use crate::network::{Came, ServerWire, lock};
use crate::world::Sim;

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
/// The parameters that a server may accept, and their effect on both sides.
const DEFLATE_ANSWERS: [&str; 2] =
    ["permessage-deflate", "permessage-deflate; server_no_context_takeover; client_no_context_takeover"];

/// The answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Open,
    Slowly,
    Refuse,
    Redirect,
    Garbage,
    WrongKey,
    End,
    Reset,
    Nothing,
}

/// An action of the server on an open connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Message,
    Fragments,
    Burst,
    Large,
    Ping,
    Pong,
    Close,
    End,
    Reset,
    Sever,
    GoSilent,
    StopReading,
    Violate,
}

pub async fn serve(sim: Arc<Sim>, mut wire: ServerWire, number: usize, mut chance: Chance) {
    let Some(Asked { key, deflate }) = request(&mut wire).await else { return };
    let deflate = (deflate && chance.percent(40)).then(|| chance.pick(&DEFLATE_ANSWERS));
    let some = sim.weather.percent(2);
    let answer = chance.weigh(&[
        (100, Answer::Open),
        (2 * some, Answer::Slowly),
        (2 * some, Answer::Refuse),
        (2 * some, Answer::Redirect),
        (some, Answer::Garbage),
        (some, Answer::WrongKey),
        (some, Answer::End),
        (some, Answer::Reset),
        (some, Answer::Nothing),
    ]);
    let mut retry_after = None;
    {
        let mut judge = lock(&sim.judge);
        judge.tell(format_args!("server {number}: answers {answer:?}"));
        if answer != Answer::Open {
            judge.spoil();
        }
        if answer == Answer::Refuse && chance.percent(30) {
            let seconds = chance.number(1, 4) as u64;
            retry_after = Some(seconds);
            judge.retry_after = judge.retry_after.max(Duration::from_secs(seconds));
        }
    }
    match answer {
        Answer::Open => open(&sim, &mut wire, number, &mut chance, &key, deflate).await,
        Answer::Slowly => {
            sleep(chance.millis(1, 20_000)).await;
            open(&sim, &mut wire, number, &mut chance, &key, deflate).await;
        }
        Answer::Refuse => {
            let status = chance.pick(&[400, 401, 403, 404, 429, 500, 503]);
            let after = retry_after.map(|seconds| format!("Retry-After: {seconds}\r\n")).unwrap_or_default();
            let body = "x".repeat(chance.number(0, 600));
            let claimed = body.len() + chance.weigh(&[(3, 0), (1, 10)]);
            wire.send(
                format!("HTTP/1.1 {status} No\r\n{after}Content-Length: {claimed}\r\n\r\n{body}").as_bytes(),
            );
            drain(&mut wire).await;
        }
        Answer::Redirect => {
            let to = chance.pick(&["/elsewhere", "ws://192.0.2.9/", "http://name.example:81/x", "ftp://h/"]);
            let status = chance.pick(&[301, 302, 303, 307, 308]);
            wire.send(
                format!("HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n").as_bytes(),
            );
            drain(&mut wire).await;
        }
        Answer::Garbage => {
            let garbage: Vec<u8> = (0..chance.number(1, 300)).map(|_| chance.next() as u8).collect();
            wire.send(&garbage);
            drain(&mut wire).await;
        }
        Answer::WrongKey => {
            wire.send(&accept("d3Jvbmc=", number, None));
            drain(&mut wire).await;
        }
        Answer::End => {
            wire.end();
            drain(&mut wire).await;
        }
        Answer::Reset => wire.reset(),
        Answer::Nothing => drain(&mut wire).await,
    }
}

/// Reads until the client has ended its side.
async fn drain(wire: &mut ServerWire) {
    while let Came::Bytes(_) = wire.read().await {}
}

/// The content of a request.
struct Asked {
    key: String,
    deflate: bool,
}

async fn request(wire: &mut ServerWire) -> Option<Asked> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match wire.read().await {
            Came::Bytes(bytes) => head.extend(bytes),
            Came::End | Came::Reset => return None,
        }
    }
    let head = String::from_utf8(head).expect("a request is ASCII");
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let key = key.expect("a key in the request").to_owned();
    Some(Asked { key, deflate: head.contains("permessage-deflate") })
}

fn accept(key: &str, number: usize, deflate: Option<&str>) -> Vec<u8> {
    let accept = derive_accept_key(key.as_bytes());
    let extensions =
        deflate.map(|answer| format!("Sec-WebSocket-Extensions: {answer}\r\n")).unwrap_or_default();
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         X-Connection: {number}\r\n{extensions}Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
    .into_bytes()
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(length as u8),
        length @ 126..65_536 => {
            frame.push(126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(payload);
    frame
}

/// An open connection.
struct Open<'a> {
    sim: &'a Sim,
    wire: &'a mut ServerWire,
    number: usize,
    chance: &'a mut Chance,
    inbox: Vec<u8>,
    /// The message that comes in fragments.
    partial: Option<(u8, Vec<u8>)>,
    deflater: Option<Deflater>,
    inflater: Option<Decoder>,
    sent_close: bool,
    got_close: bool,
    silent: bool,
    reads_again: Option<Instant>,
    is_over: bool,
}

async fn open(
    sim: &Sim,
    wire: &mut ServerWire,
    number: usize,
    chance: &mut Chance,
    key: &str,
    deflate: Option<&str>,
) {
    let mut behind = accept(key, number, deflate);
    // Both sides compress alike.
    let negotiated =
        deflate.and_then(|answer| PerMessageDeflate::default().accept(answer).expect("a good answer"));
    let mut open = Open {
        sim,
        wire,
        number,
        chance,
        inbox: Vec::new(),
        partial: None,
        deflater: negotiated.as_ref().map(Negotiated::deflater),
        inflater: negotiated.as_ref().map(|agreed| Decoder::new(1 << 24, Some(agreed.inflater()))),
        sent_close: false,
        got_close: false,
        silent: false,
        reads_again: None,
        is_over: false,
    };
    // Frames after the answer may arrive in one segment with it.
    if open.chance.percent(20) {
        let (kind, payload) = open.payload(200);
        lock(&sim.judge).served[number].sent.push((kind, payload.clone()));
        behind.extend(frame(FIN | opcode(kind), &payload));
    }
    open.wire.send(&behind);
    open.run().await;
}

fn opcode(kind: MessageType) -> u8 {
    match kind {
        MessageType::Text => TEXT,
        MessageType::Binary => BINARY,
    }
}

impl Open<'_> {
    async fn run(&mut self) {
        let mut acts = self.chance.number(0, 24);
        let mut next = self.next_act();
        while !self.is_over {
            let reads = self.reads_again.is_none();
            let wake = if acts == 0 {
                self.reads_again
            } else {
                Some(self.reads_again.map_or(next, |at| at.min(next)))
            };
            tokio::select! {
                biased;
                came = self.wire.read(), if reads => match came {
                    Came::Bytes(bytes) => self.receive(bytes).await,
                    Came::End | Came::Reset => self.is_over = true,
                },
                () = sleep_until(wake.unwrap_or(next)), if wake.is_some() => {
                    let now = Instant::now();
                    if self.reads_again.is_some_and(|at| at <= now) {
                        self.reads_again = None;
                    }
                    if acts > 0 && next <= now {
                        acts -= 1;
                        next = self.next_act();
                        self.act();
                    }
                }
            }
        }
    }

    fn next_act(&mut self) -> Instant {
        let most = self.chance.weigh(&[(2, 20), (4, 500), (3, 3_000), (1, 20_000)]);
        Instant::now() + self.chance.millis(0, most)
    }

    fn tell(&self, line: std::fmt::Arguments<'_>) {
        lock(&self.sim.judge).tell(format_args!("server {}: {line}", self.number));
    }

    /// A fault of the connection that may end it or make a deadline expire.
    fn wrong(&self, why: &'static str, loses: bool) {
        let mut judge = lock(&self.sim.judge);
        let served = &mut judge.served[self.number];
        served.wronged.get_or_insert(why);
        served.loses |= loses;
        // The client may not even have read the answer.
        judge.spoil();
    }

    fn payload(&mut self, most: usize) -> (MessageType, Vec<u8>) {
        let length = self.chance.number(0, most);
        let start = self.chance.number(0, 250);
        let kind = self.chance.pick(&[MessageType::Text, MessageType::Binary]);
        (kind, filler(start, length).to_vec())
    }

    fn send_message(&mut self, most: usize, fragments: usize) {
        let (kind, payload) = self.payload(most);
        lock(&self.sim.judge).served[self.number].sent.push((kind, payload.clone()));
        let (mut payload, mut compressed) = (payload, 0);
        if let Some(deflater) = &mut self.deflater
            && self.chance.percent(60)
        {
            let mut out = Vec::new();
            deflater.message(&mut out, &payload);
            (payload, compressed) = (out, RSV1);
        }
        let size = payload.len().div_ceil(fragments).max(1);
        let pieces: Vec<&[u8]> = if payload.is_empty() { vec![&[]] } else { payload.chunks(size).collect() };
        for (at, piece) in pieces.iter().enumerate() {
            let first = if at == 0 { opcode(kind) | compressed } else { CONTINUATION };
            let last = if at + 1 == pieces.len() { FIN } else { 0 };
            self.wire.send(&frame(first | last, piece));
            if last == 0 && self.chance.percent(30) {
                self.wire.send(&frame(FIN | PING, b"between"));
            }
        }
    }

    fn act(&mut self) {
        if self.silent || self.sent_close || self.got_close {
            return;
        }
        let some = self.sim.weather.percent(1);
        let act = self.chance.weigh(&[
            (40, Act::Message),
            (10, Act::Fragments),
            (6, Act::Burst),
            (2, Act::Large),
            (8, Act::Ping),
            (4, Act::Pong),
            (4 * some, Act::Close),
            (some, Act::End),
            (some, Act::Reset),
            (some, Act::Sever),
            (some, Act::GoSilent),
            (2 * some, Act::StopReading),
            (some, Act::Violate),
        ]);
        self.tell(format_args!("{act:?}"));
        match act {
            Act::Message => self.send_message(200, 1),
            Act::Fragments => {
                let fragments = self.chance.number(2, 5);
                self.send_message(3_000, fragments);
            }
            Act::Burst => {
                for _ in 0..self.chance.number(2, 60) {
                    self.send_message(40, 1);
                }
            }
            Act::Large => {
                let fragments = self.chance.number(1, 3);
                self.send_message(200_000, fragments);
            }
            Act::Ping => {
                let payload = vec![b'p'; self.chance.number(0, 125)];
                self.wire.send(&frame(FIN | PING, &payload));
            }
            Act::Pong => self.wire.send(&frame(FIN | PONG, b"unasked")),
            Act::Close => {
                let code = self.chance.pick(&[
                    None,
                    Some(1_000_u16),
                    Some(1_001),
                    Some(1_011),
                    Some(3_000),
                    Some(4_999),
                ]);
                let reason = if code.is_some() && self.chance.percent(50) { "because" } else { "" };
                self.send_close(code, reason);
            }
            Act::End => {
                self.wrong("the server ended the stream", false);
                self.wire.end();
                self.silent = true;
                self.is_over = self.chance.percent(50);
                if self.is_over {
                    self.wrong("the server has let go", true);
                }
            }
            Act::Reset => {
                self.wrong("the server reset it", true);
                self.wire.reset();
                self.is_over = true;
            }
            Act::Sever => {
                self.wrong("the network broke", true);
                self.wire.sever();
                self.silent = true;
            }
            Act::GoSilent => {
                self.wrong("the server fell silent", true);
                self.silent = true;
            }
            Act::StopReading => {
                self.wrong("the server stopped reading", false);
                let most = self.chance.weigh(&[(2, 500), (2, 10_000), (1, 100_000)]);
                self.reads_again = Some(Instant::now() + self.chance.millis(1, most));
            }
            Act::Violate => {
                self.wrong("the server broke the protocol", true);
                let violation = self.chance.pick(&[
                    frame(FIN | 3, b""),
                    frame(FIN | 0x20 | TEXT, b""),
                    frame(FIN | CONTINUATION, b""),
                    frame(FIN | TEXT, b"\xff"),
                    frame(PING, b""),
                    frame(FIN | CLOSE, b"\x03"),
                    frame(FIN | CLOSE, &1_006_u16.to_be_bytes()),
                    frame(FIN | PING, &[0; 126]),
                    vec![FIN | TEXT, 0x80, 0, 0, 0, 0],
                ]);
                self.wire.send(&violation);
                self.sent_close = true;
            }
        }
    }

    fn send_close(&mut self, code: Option<u16>, reason: &str) {
        let mut payload = code.map(|code| code.to_be_bytes().to_vec()).unwrap_or_default();
        payload.extend(reason.as_bytes());
        {
            let mut judge = lock(&self.sim.judge);
            let served = &mut judge.served[self.number];
            served.closed.get_or_insert((code, reason.to_owned()));
            served.wronged.get_or_insert("the server closed");
        }
        self.wire.send(&frame(FIN | CLOSE, &payload));
        self.sent_close = true;
    }

    async fn receive(&mut self, bytes: Vec<u8>) {
        self.inbox.extend(bytes);
        while let Some((first, payload, length)) = parse(&self.inbox) {
            self.inbox.drain(..length);
            self.received(first, payload).await;
        }
    }

    async fn received(&mut self, first: u8, payload: Vec<u8>) {
        if self.got_close {
            return lock(&self.sim.judge).fault(format_args!("a frame came behind the close frame"));
        }
        match first & 0xf {
            PING => lock(&self.sim.judge).tell(format_args!("server {}: got a ping", self.number)),
            PONG => lock(&self.sim.judge).tell(format_args!("server {}: got a pong", self.number)),
            _ => {}
        }
        match first & 0xf {
            opcode @ (CONTINUATION | TEXT | BINARY) => {
                let (kind, mut message) = match (opcode, self.partial.take()) {
                    (CONTINUATION, Some(partial)) => partial,
                    (TEXT | BINARY, None) => (opcode, Vec::new()),
                    _ => return lock(&self.sim.judge).fault(format_args!("fragments of two messages")),
                };
                if first & RSV1 == 0 {
                    message.extend(payload);
                } else {
                    message.extend(self.inflate(&frame(first, &payload)));
                }
                if first & FIN == 0 {
                    self.partial = Some((kind, message));
                    return;
                }
                let kind = if kind == TEXT { MessageType::Text } else { MessageType::Binary };
                lock(&self.sim.judge).arrived(self.number, kind, &message);
            }
            CLOSE => self.client_closed(&payload).await,
            PING if !self.silent && !self.sent_close => self.wire.send(&frame(FIN | PONG, &payload)),
            PING | PONG => {}
            opcode => lock(&self.sim.judge).fault(format_args!("the client sent opcode {opcode}")),
        }
    }

    /// The message of a compressed frame.
    fn inflate(&mut self, frame: &[u8]) -> Vec<u8> {
        let Some(decoder) = &mut self.inflater else {
            lock(&self.sim.judge)
                .fault(format_args!("a compressed message, and compression was not agreed on"));
            return Vec::new();
        };
        let (mut buffer, mut message) = (ReadBuffer::default(), Vec::new());
        buffer.extend(frame);
        loop {
            match decoder.decode(&mut buffer) {
                Ok(Some(Decoded::Message(_, range))) => return buffer.slice(range).to_vec(),
                Ok(Some(Decoded::Assembled(_, part))) => {
                    message.append(decoder.assembled());
                    decoder.recycle();
                    if part.last {
                        return message;
                    }
                }
                Ok(Some(Decoded::Unfinished)) => {}
                bad => {
                    let bad = bad.err();
                    lock(&self.sim.judge).fault(format_args!("a compressed message cannot be read: {bad:?}"));
                    return message;
                }
            }
        }
    }

    async fn client_closed(&mut self, payload: &[u8]) {
        self.got_close = true;
        let code = payload.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]]));
        self.tell(format_args!("got a close frame, {code:?}"));
        lock(&self.sim.judge).served[self.number].client_closed = Some(code);
        if self.silent {
            return;
        }
        let bad = self.chance.percent(self.sim.weather.percent(8));
        match (self.sent_close, bad) {
            (true, _) => {}
            (false, false) => {
                let code = if self.chance.percent(80) { code } else { Some(1_000) };
                let mut payload = code.map(|code| code.to_be_bytes().to_vec()).unwrap_or_default();
                payload.extend(if code.is_some() { b"bye".as_slice() } else { b"" });
                self.wire.send(&frame(FIN | CLOSE, &payload));
            }
            (false, true) => {
                self.wrong("the server did not answer the close frame", true);
                if self.chance.percent(50) {
                    self.silent = true;
                    return;
                }
            }
        }
        // The server ends the connection (RFC 6455 section 7.1.1), soon, late or never.
        match self.chance.number(0, 5) {
            0 if self.sim.weather != crate::world::Weather::Calm => drain(self.wire).await,
            1 => {
                self.wire.end();
                drain(self.wire).await;
            }
            2 => sleep(self.chance.millis(0, 2_000)).await,
            _ => {}
        }
        self.is_over = true;
    }
}

/// The first frame: its first byte, its payload, and the length of it all.
fn parse(bytes: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    assert_ne!(second & 0x80, 0, "a client's frame is masked (RFC 6455 section 5.1)");
    let (length, start) = match second & 0x7f {
        126 => (usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        127 => (usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?, 10),
        length => (usize::from(length), 2),
    };
    let key = bytes.get(start..start + 4)?;
    let masked = bytes.get(start + 4..start + 4 + length)?;
    let mut payload = masked.to_vec();
    let key = u32::from_ne_bytes(key.try_into().ok()?);
    let key = u64::from(key) << 32 | u64::from(key);
    // Eight bytes at a time: without optimizations each step costs.
    let mut words = payload.chunks_exact_mut(8);
    for word in &mut words {
        let bytes = u64::from_ne_bytes((*word).try_into().ok()?) ^ key;
        word.copy_from_slice(&bytes.to_ne_bytes());
    }
    words.into_remainder().iter_mut().zip(key.to_ne_bytes()).for_each(|(byte, key)| *byte ^= key);
    Some((first, payload, start + 4 + length))
}
