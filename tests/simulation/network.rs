//! A network in memory: connections with latency that break, fall silent and fill up.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use net_websocket::internals::simulation::Wire;
use tokio::io::ReadBuf;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::chance::Chance;
use crate::freezer::Freezer;

/// One direction of a connection.
struct Flow {
    /// Segments in transit or unread, with their times of arrival.
    segments: VecDeque<(Instant, Vec<u8>)>,
    /// Bytes of the first segment that were read.
    front_read: usize,
    /// Bytes of the segments.
    unread: usize,
    /// Bytes that will never arrive.
    lost: usize,
    last_arrival: Instant,
    /// When the end of the stream arrives.
    end_at: Option<Instant>,
    /// When a reset arrives.
    reset_at: Option<Instant>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Flow {
    fn new() -> Self {
        Self {
            segments: VecDeque::new(),
            front_read: 0,
            unread: 0,
            lost: 0,
            last_arrival: Instant::now(),
            end_at: None,
            reset_at: None,
            reader: None,
            writer: None,
        }
    }

    fn wake_reader(&mut self) {
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }

    fn arrival(&mut self, latency: Duration) -> Instant {
        self.last_arrival = self.last_arrival.max(Instant::now() + latency);
        self.last_arrival
    }

    /// Takes bytes that have arrived by `now`, at most this many. `seen` maps a time of arrival to the time when it is
    /// noticed.
    fn take(&mut self, now: Instant, most: usize, seen: impl Fn(Instant) -> Instant) -> Vec<u8> {
        let mut taken = Vec::new();
        while let Some((at, bytes)) = self.segments.front()
            && seen(*at) <= now
            && taken.len() < most
        {
            let rest = &bytes[self.front_read..];
            let count = rest.len().min(most - taken.len());
            taken.extend_from_slice(&rest[..count]);
            self.front_read += count;
            if self.front_read == bytes.len() {
                self.segments.pop_front();
                self.front_read = 0;
            }
        }
        self.unread -= taken.len();
        if !taken.is_empty()
            && let Some(waker) = self.writer.take()
        {
            waker.wake();
        }
        taken
    }

    /// The earliest time of the next event for its reader.
    fn next_arrival(&self, seen: impl Fn(Instant) -> Instant) -> Option<Instant> {
        match self.segments.front() {
            Some((at, _)) => Some(seen(*at)),
            None => [self.end_at, self.reset_at].into_iter().flatten().map(seen).min(),
        }
    }
}

/// A connection, shared by both ends and the judge.
pub struct Link {
    up: Flow,
    down: Flow,
    chance: Chance,
    latency: Duration,
    jitter_ms: usize,
    pub capacity: usize,
    client_gone: bool,
    server_gone: bool,
    /// No more bytes arrive, and neither side is notified.
    severed: bool,
    /// When the client's kernel last took bytes.
    pub client_wrote_at: Instant,
    /// When the client last read bytes.
    pub client_read_at: Instant,
}

pub type SharedLink = Arc<Mutex<Link>>;

pub fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Link {
    fn delay(&mut self) -> Duration {
        self.latency + self.chance.millis(0, self.jitter_ms)
    }

    fn send_up(&mut self, bytes: &[u8]) {
        self.client_wrote_at = Instant::now();
        let delay = self.delay();
        if self.severed {
            self.up.lost += bytes.len();
        } else if self.server_gone {
            // A closed end answers with a reset.
            let at = self.down.arrival(delay + delay);
            self.down.reset_at.get_or_insert(at);
            self.down.wake_reader();
        } else {
            let at = self.up.arrival(delay);
            self.up.unread += bytes.len();
            self.up.segments.push_back((at, bytes.to_vec()));
            self.up.wake_reader();
        }
    }

    fn send_down(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let count =
                if self.chance.percent(40) { self.chance.number(1, bytes.len()) } else { bytes.len() };
            let (segment, rest) = bytes.split_at(count);
            bytes = rest;
            if self.severed || self.client_gone || self.down.end_at.is_some() {
                continue;
            }
            let delay = self.delay();
            let at = self.down.arrival(delay);
            self.down.unread += segment.len();
            self.down.segments.push_back((at, segment.to_vec()));
        }
        self.down.wake_reader();
    }

    fn end(&mut self, of_client: bool) {
        let delay = self.delay();
        let severed = self.severed;
        let flow = if of_client { &mut self.up } else { &mut self.down };
        if !severed && flow.end_at.is_none() {
            flow.end_at = Some(flow.arrival(delay));
            flow.wake_reader();
        }
    }

    fn reset(&mut self, by_client: bool) {
        let delay = self.delay();
        let severed = self.severed;
        let flow = if by_client { &mut self.up } else { &mut self.down };
        if !severed && flow.reset_at.is_none() {
            flow.reset_at = Some(flow.arrival(delay));
            flow.wake_reader();
            if let Some(waker) = self.up.writer.take() {
                waker.wake();
            }
        }
    }

    fn sever(&mut self) {
        let now = Instant::now();
        self.severed = true;
        for flow in [&mut self.up, &mut self.down] {
            while flow.segments.back().is_some_and(|(at, _)| *at > now) {
                let (_, bytes) = flow.segments.pop_back().expect("there is one");
                flow.unread -= bytes.len();
                flow.lost += bytes.len();
            }
            flow.end_at.take_if(|at| *at > now);
            flow.reset_at.take_if(|at| *at > now);
        }
    }

    /// Bytes that have arrived and that the client has not read.
    pub fn unread(&self) -> usize {
        let now = Instant::now();
        let arrived = self.down.segments.iter().take_while(|(at, _)| *at <= now);
        // A part of the first segment may have been read.
        arrived.map(|(_, bytes)| bytes.len()).sum::<usize>().saturating_sub(self.down.front_read)
    }

    /// When bytes last arrived at the server.
    pub fn acknowledged_at(&self) -> Instant {
        self.up.last_arrival
    }

    fn is_reset(&self, now: Instant) -> bool {
        self.down.reset_at.is_some_and(|at| at <= now)
    }
}

/// A connection with this latency in each direction.
pub fn connection(
    chance: &mut Chance,
    latency: Duration,
    freezer: Arc<Freezer>,
    owner: Box<dyn Owner>,
) -> (ClientWire, ServerWire) {
    let link = Link {
        up: Flow::new(),
        down: Flow::new(),
        chance: chance.fork(),
        latency,
        jitter_ms: chance.weigh(&[(2, 0), (2, 3), (1, 40)]),
        capacity: chance.weigh(&[(2, 64), (2, 1_024), (2, 65_536)]).max(latency.as_millis() as usize * 20),
        client_gone: false,
        server_gone: false,
        severed: false,
        client_wrote_at: Instant::now(),
        client_read_at: Instant::now(),
    };
    let link = Arc::new(Mutex::new(link));
    let client = ClientWire { link: link.clone(), freezer, reading: None, writing: None, owner };
    (client, ServerWire { link, reading: None })
}

/// An alarm whose time can change.
fn ring(alarm: &mut Option<Pin<Box<Sleep>>>, at: Option<Instant>, cx: &mut Context<'_>) -> Poll<()> {
    let Some(at) = at else { return Poll::Pending };
    let sleep = alarm.get_or_insert_with(|| Box::pin(sleep_until(at)));
    if sleep.deadline() != at {
        sleep.as_mut().reset(at);
    }
    sleep.as_mut().poll(cx)
}

/// The client's end.
pub struct ClientWire {
    link: SharedLink,
    freezer: Arc<Freezer>,
    reading: Option<Pin<Box<Sleep>>>,
    writing: Option<Pin<Box<Sleep>>>,
    owner: Box<dyn Owner>,
}

/// Receives the notice that the client's end was dropped.
pub trait Owner: Send {
    /// The end was dropped.
    fn is_gone(&self);

    /// The client is in the middle of reading or writing. Another thread may act at the same time, with this probability in
    /// percent.
    fn meanwhile(&self, percent: usize);
}

impl ClientWire {
    pub fn link(&self) -> SharedLink {
        self.link.clone()
    }

    fn read(&self, buf: &mut ReadBuf<'_>, seen: impl Fn(Instant) -> Instant) -> Option<io::Result<()>> {
        let now = Instant::now();
        let mut link = lock(&self.link);
        let most = if link.chance.percent(10) { link.chance.number(1, 100) } else { usize::MAX };
        let taken = link.down.take(now, buf.remaining().min(most), &seen);
        if !taken.is_empty() {
            buf.put_slice(&taken);
            link.client_read_at = now;
            return Some(Ok(()));
        }
        if !link.down.segments.is_empty() {
            return None;
        }
        if link.down.reset_at.is_some_and(|at| seen(at) <= now) {
            return Some(Err(ErrorKind::ConnectionReset.into()));
        }
        link.down.end_at.is_some_and(|at| seen(at) <= now).then_some(Ok(()))
    }
}

impl Wire for ClientWire {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.owner.meanwhile(2);
        let freezer = self.freezer.clone();
        let seen = |at| freezer.noticed(at);
        loop {
            let before = buf.filled().len();
            if let Some(read) = self.read(buf, seen) {
                if buf.filled().len() == before {
                    self.owner.meanwhile(20);
                }
                return Poll::Ready(read);
            }
            let next = {
                let mut link = lock(&self.link);
                link.down.reader = Some(cx.waker().clone());
                link.down.next_arrival(seen)
            };
            if ring(&mut self.reading, next, cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    fn read_now(&mut self, buf: &mut ReadBuf<'_>) -> Option<io::Result<()>> {
        self.read(buf, |at| at)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.owner.meanwhile(2);
        let now = Instant::now();
        let mut link = lock(&self.link);
        if link.is_reset(now) {
            return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
        }
        let room = link.capacity.saturating_sub(link.up.unread + link.up.lost);
        if room == 0 {
            link.up.writer = Some(cx.waker().clone());
            let at = link.down.reset_at;
            drop(link);
            return match ring(&mut self.writing, at, cx) {
                Poll::Ready(()) => Poll::Ready(Err(ErrorKind::BrokenPipe.into())),
                Poll::Pending => Poll::Pending,
            };
        }
        let mut bytes: Vec<u8> = Vec::new();
        for slice in slices {
            bytes.extend_from_slice(&slice[..slice.len().min(room - bytes.len())]);
        }
        if link.chance.percent(20) && bytes.len() > 1 {
            let count = link.chance.number(1, bytes.len());
            bytes.truncate(count);
        }
        link.send_up(&bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn shut_down(&mut self) -> io::Result<()> {
        let mut link = lock(&self.link);
        if link.is_reset(Instant::now()) {
            return Err(ErrorKind::NotConnected.into());
        }
        link.end(true);
        Ok(())
    }

    fn unacknowledged(&self) -> u64 {
        let now = Instant::now();
        let link = lock(&self.link);
        let under_way = link.up.segments.iter().filter(|(at, _)| *at > now).map(|(_, bytes)| bytes.len());
        (under_way.sum::<usize>() + link.up.lost) as u64
    }
}

impl Drop for ClientWire {
    fn drop(&mut self) {
        let mut link = lock(&self.link);
        link.client_gone = true;
        // A kernel with unread bytes sends a reset.
        if link.down.unread > 0 {
            link.reset(true);
        } else {
            link.end(true);
        }
        drop(link);
        self.owner.is_gone();
    }
}

/// Bytes from the client.
#[derive(Debug)]
pub enum Came {
    Bytes(Vec<u8>),
    End,
    Reset,
}

/// The server's end. The network accepts its bytes at once.
pub struct ServerWire {
    link: SharedLink,
    reading: Option<Pin<Box<Sleep>>>,
}

impl ServerWire {
    pub fn send(&self, bytes: &[u8]) {
        lock(&self.link).send_down(bytes);
    }

    pub fn end(&self) {
        lock(&self.link).end(false);
    }

    pub fn reset(&self) {
        lock(&self.link).reset(false);
    }

    /// The route between the two is lost, and neither side is notified.
    pub fn sever(&self) {
        lock(&self.link).sever();
    }

    pub async fn read(&mut self) -> Came {
        let Self { link, reading } = self;
        poll_fn(|cx| {
            loop {
                let now = Instant::now();
                let mut locked = lock(link);
                let taken = locked.up.take(now, usize::MAX, |at| at);
                if !taken.is_empty() {
                    return Poll::Ready(Came::Bytes(taken));
                }
                let up = &mut locked.up;
                if up.segments.is_empty() && up.reset_at.is_some_and(|at| at <= now) {
                    return Poll::Ready(Came::Reset);
                }
                if up.segments.is_empty() && up.end_at.is_some_and(|at| at <= now) {
                    return Poll::Ready(Came::End);
                }
                up.reader = Some(cx.waker().clone());
                let next = up.next_arrival(|at| at);
                drop(locked);
                if ring(reading, next, cx).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await
    }
}

impl Drop for ServerWire {
    fn drop(&mut self) {
        let mut link = lock(&self.link);
        link.server_gone = true;
        if link.up.unread > 0 {
            link.reset(false);
        } else {
            link.end(false);
        }
    }
}
