//! The state that a server shares with its acceptor and its connections: options, connections, and whether it has
//! stopped.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::admission::{Admission, Slot};
use super::connection::{Connection, ConnectionInfo};
use super::listener::ServerListener;
use super::options::ServerOptions;
use super::place::{Listening, Remote};
use super::statistics::ServerStatistics;
use crate::client::{Accepted, Client, Headers, Opened, SessionOptions, Stream, Timing};
use crate::logging;
use crate::protocol::{Negotiated, ReadBuffer};
use crate::sync::{Mutex, lock};

pub(super) struct Shared {
    pub(super) options: ServerOptions,
    session: Arc<SessionOptions>,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) listener: Box<dyn ServerListener>,
    pub(super) admission: Arc<Admission>,
    /// `None` after a stop.
    listening: Mutex<Option<Listening>>,
    /// One permit for each client in its handshake.
    pub(super) handshakes: Arc<Semaphore>,
    /// It has no permit. A stop closes it.
    stop: Semaphore,
    /// It has no permit. The end of a stop's time limit closes it.
    hurry: Semaphore,
    last_id: AtomicU64,
    registry: Mutex<Registry>,
}

/// The connections that have not ended, by number.
#[derive(Default)]
struct Registry {
    connections: BTreeMap<u64, Arc<Connection>>,
    /// Clients in their handshake.
    arriving: usize,
    stopped: bool,
    /// The time limit of the stop is over.
    hurried: bool,
    /// The acceptor has ended.
    released: bool,
    told_over: bool,
    /// The counts of ended connections and of clients that never had one.
    counted: ServerStatistics,
}

/// A connection whose upgrade was answered.
pub(super) struct Ready {
    pub(super) stream: Stream,
    pub(super) received: ReadBuffer,
    pub(super) deflate: Option<Negotiated>,
    pub(super) extensions: Option<String>,
    pub(super) info: ConnectionInfo,
}

/// A new client, until its handshake ends.
pub(super) struct Arrival {
    pub(super) server: Arc<Shared>,
}

impl Arrival {
    pub(super) fn new(server: &Arc<Shared>) -> Self {
        lock(&server.registry).arriving += 1;
        Self { server: server.clone() }
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        lock(&self.server.registry).arriving -= 1;
        self.server.tell_if_over();
    }
}

impl Shared {
    pub(super) fn new(
        options: ServerOptions,
        tls: Option<Arc<ServerConfig>>,
        listening: Listening,
        listener: Box<dyn ServerListener>,
    ) -> Self {
        Self {
            session: Arc::new(options.session.clone()),
            admission: Admission::new(&options),
            listening: Mutex::new(Some(listening)),
            handshakes: Arc::new(Semaphore::new(options.handshakes_max.clamp(1, Semaphore::MAX_PERMITS))),
            stop: Semaphore::new(0),
            hurry: Semaphore::new(0),
            last_id: AtomicU64::new(0),
            registry: Mutex::default(),
            options,
            tls,
            listener,
        }
    }

    /// The next client. Never ready after a stop.
    pub(super) fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, Remote)>> {
        match &mut *lock(&self.listening) {
            Some(listening) => listening.poll_accept(cx),
            None => Poll::Pending,
        }
    }

    /// A number for the next connection.
    pub(super) fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Ready after a stop.
    pub(super) async fn stopped(&self) {
        let _ = self.stop.acquire().await;
    }

    /// Ready when a stop's time limit is over.
    pub(super) async fn hurried(&self) {
        let _ = self.hurry.acquire().await;
    }

    pub(super) fn connection(&self, id: u64) -> Option<Arc<Connection>> {
        lock(&self.registry).connections.get(&id).cloned()
    }

    pub(super) fn connections(&self) -> Vec<Arc<Connection>> {
        lock(&self.registry).connections.values().cloned().collect()
    }

    /// The current counts.
    pub(super) fn statistics(&self) -> ServerStatistics {
        let registry = lock(&self.registry);
        let mut counted = registry.counted;
        counted.open = registry.connections.len() as u64;
        registry.connections.values().for_each(|connection| counted.add(&connection.statistics()));
        counted
    }

    /// Counts a refused client.
    pub(super) fn count_kept_out(&self) {
        lock(&self.registry).counted.kept_out += 1;
    }

    /// Counts a client whose handshake failed.
    pub(super) fn count_not_opened(&self) {
        lock(&self.registry).counted.not_opened += 1;
    }

    /// Frees the port. From now on only clients accepted before can open. Returns the connections, or `None` if already
    /// stopped.
    pub(super) fn stop(&self) -> Option<Vec<Arc<Connection>>> {
        let mut registry = lock(&self.registry);
        if std::mem::replace(&mut registry.stopped, true) {
            return None;
        }
        self.stop.close();
        let connections = registry.connections.values().cloned().collect();
        drop(registry);
        let listening = lock(&self.listening).take();
        drop(listening);
        Some(connections)
    }

    /// A stop's time limit is over. No client is waited for.
    pub(super) fn hurry(&self) {
        let mut registry = lock(&self.registry);
        registry.hurried = true;
        self.hurry.close();
        registry.connections.values().for_each(|connection| connection.hurry());
    }

    /// Starts the session of a connection. If the server has stopped meanwhile, the connection is closed too.
    pub(super) fn open(self: &Arc<Self>, ready: Ready, slot: Slot) {
        let Ready { stream, received, deflate, extensions, info } = ready;
        let info = Arc::new(info);
        let opened = Opened {
            status: 101,
            reason: Box::default(),
            protocol: info.protocol.as_deref().map(Into::into),
            extensions: extensions.map(Into::into),
            headers: Headers::default(),
            timing: Timing::default(),
            url: None,
        };
        let (server, id) = (self.clone(), info.id);
        let accepted = Accepted {
            stream,
            opened,
            deflate,
            received,
            options: self.session.clone(),
            ended: Box::new(move || server.remove(id)),
            slot: Box::new(slot),
        };
        let listener = self.listener.connected(&info);
        // Holds the lock until the connection is inserted, so that its listener can look it up.
        let mut registry = lock(&self.registry);
        match Client::accepted(listener, self.options.send_limits, accepted) {
            Ok(client) => {
                let connection = Connection::new(info, client);
                if registry.stopped {
                    connection.go_away();
                }
                if registry.hurried {
                    connection.hurry();
                }
                registry.counted.opened += 1;
                registry.connections.insert(id, Arc::new(connection));
            }
            Err(cause) => logging::warn(format_args!("an accepted connection failed: {cause}")),
        }
    }

    /// The acceptor has ended. No further client comes.
    pub(super) fn release(&self) {
        self.listener.released();
        lock(&self.registry).released = true;
        self.tell_if_over();
    }

    fn remove(&self, id: u64) {
        let mut registry = lock(&self.registry);
        let ended = registry.connections.remove(&id);
        if let Some(ended) = &ended {
            registry.counted.add(&ended.statistics());
        }
        drop(registry);
        // Dropped after the lock is released.
        drop(ended);
        self.tell_if_over();
    }

    fn tell_if_over(&self) {
        let mut registry = lock(&self.registry);
        let over = registry.connections.is_empty() && registry.arriving == 0;
        let over = over && registry.released && !registry.told_over;
        registry.told_over |= over;
        drop(registry);
        if over {
            self.listener.over();
        }
    }
}
