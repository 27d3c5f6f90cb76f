//! The WebSocket server: accepts connections. Their sessions are those of `client` in the role of a server.
//!
//! Owns the listening socket, the opening handshakes and the list of connections. Reports its events to a [`ServerListener`],
//! and those of each connection to a [`crate::client::Listener`]. Knows nothing of C and JavaScript.

mod acceptor;
mod admission;
mod connection;
mod error;
mod listener;
mod options;
mod place;
mod shared;
mod statistics;
mod upgrade;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use self::admission::Unwelcome;
pub use self::connection::{Connection, ConnectionInfo};
pub use self::error::{FaultyOption, StartError};
pub use self::listener::{Answer, ServerListener};
pub use self::options::{CLIENTS_DEFAULT, RateLimit, ServerOptions};
pub use self::place::Remote;
pub use self::statistics::ServerStatistics;
pub use self::upgrade::{HeaderFault, Refusal, UpgradeRequest, answer_header};

use self::place::{Bound, Listening};
use self::shared::Shared;
use crate::client::{MessageType, server_config, sleep_awake};
use crate::protocol::server_header;
use crate::runtime;

/// A server that listens. Every method may be called from any thread, and none waits for the network. Dropping it stops it.
pub struct Server {
    shared: Arc<Shared>,
    local: Option<SocketAddr>,
}

impl Server {
    /// Listens, and accepts clients from now on. Reads the files of certificates and keys.
    pub fn start(options: ServerOptions, listener: Box<dyn ServerListener>) -> Result<Self, StartError> {
        let process = runtime::start().map_err(StartError::Exhausted)?;
        let unusable = |(file, cause)| StartError::Trust { file, cause };
        let tls = options.tls.as_ref().map(server_config).transpose().map_err(unusable)?;
        let refused = |cause| match &options.socket_path {
            Some(path) => StartError::ListenAtPath { path: path.clone(), cause },
            None => StartError::Listen { address: options.listen, cause },
        };
        let (listening, local) = process.within(|| listen(&options)).map_err(refused)?;
        let shared = Arc::new(Shared::new(options, tls, listening, listener));
        process.spawn(acceptor::accept(shared.clone()));
        Ok(Self { shared, local })
    }

    /// The address that it listens on, with the port that the system chose for port 0. `None` for a path.
    pub fn local(&self) -> Option<SocketAddr> {
        self.local
    }

    /// The path that it listens on.
    pub fn socket_path(&self) -> Option<&Path> {
        self.shared.options.socket_path.as_deref()
    }

    /// A connection that has not ended.
    pub fn connection(&self, id: u64) -> Option<Arc<Connection>> {
        self.shared.connection(id)
    }

    /// The connections that have not ended, oldest first.
    pub fn connections(&self) -> Vec<Arc<Connection>> {
        self.shared.connections()
    }

    /// Queues a message for all connections, or for those with the numbers in `wanted`. It is framed and copied once.
    /// Returns how many accepted it.
    pub fn broadcast(&self, kind: MessageType, payload: &[u8], wanted: Option<&[u64]>) -> usize {
        let (header, payload) = (server_header(kind, payload.len()), Arc::from(payload));
        let connections = self.connections();
        let mut takes = vec![wanted.is_none(); connections.len()];
        for id in wanted.unwrap_or_default() {
            // Ignores numbers without a connection.
            if let Ok(place) = connections.binary_search_by_key(id, |connection| connection.info().id) {
                takes[place] = true;
            }
        }
        let taken = |(connection, takes): &(&Arc<Connection>, bool)| {
            *takes && connection.send_shared(&header, &payload).is_ok()
        };
        connections.iter().zip(takes).filter(taken).count()
    }

    /// The counts so far.
    pub fn statistics(&self) -> ServerStatistics {
        self.shared.statistics()
    }

    /// Accepts no more clients, and closes all connections with 1001 after their queued messages. A client that was
    /// accepted before still opens first. Connections that have not ended within `limit` are dropped. The port is free
    /// when this returns. Returns false if already stopped.
    pub fn stop(&self, limit: Option<Duration>) -> bool {
        let Some(connections) = self.shared.stop() else { return false };
        connections.iter().for_each(|connection| connection.go_away());
        if let Some(limit) = limit {
            // Its connections keep it. After the last one has ended, the limit must not.
            let server = Arc::downgrade(&self.shared);
            // Without a runtime there would be no connections.
            let _ = runtime::spawn(async move {
                sleep_awake(limit).await;
                if let Some(server) = server.upgrade() {
                    server.hurry();
                }
            });
        }
        true
    }
}

/// Listens where the options say. Also returns the address, with the port that the system chose.
fn listen(options: &ServerOptions) -> io::Result<(Listening, Option<SocketAddr>)> {
    let bound = match &options.socket_path {
        Some(path) => Bound::at_path(path),
        None => Bound::at_address(options.listen),
    }?;
    let local = bound.local()?;
    Ok((bound.into_listening()?, local))
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop(None);
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("local", &self.local).finish_non_exhaustive()
    }
}
