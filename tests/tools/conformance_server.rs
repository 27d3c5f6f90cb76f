//! The server that the conformance suite drives: echoes each message, and compresses all that it may.
//!
//! Prints its address, and ends with its standard input.

use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, Weak};

use net_websocket::internals::client::{
    Closed, Failure, Listener, Message, Opened, PerMessageDeflate, SendLimits, SessionOptions,
};
use net_websocket::internals::server::{ConnectionInfo, Server, ServerListener, ServerOptions};

/// Enough for the data that a case sends before it reads.
const SEND_LIMIT_BYTES: usize = 1 << 30;

type Handle = Arc<OnceLock<Weak<Server>>>;

struct Owner(Handle);

impl ServerListener for Owner {
    fn connected(&self, info: &Arc<ConnectionInfo>) -> Box<dyn Listener> {
        Box::new(Echo { server: self.0.clone(), id: info.id })
    }
}

struct Echo {
    server: Handle,
    id: u64,
}

impl Listener for Echo {
    fn opened(&mut self, _opened: &Opened) {}

    fn message(&mut self, message: Message<'_>) {
        let server = self.server.get().and_then(Weak::upgrade);
        // Messages after a close frame are discarded.
        if let Some(connection) = server.and_then(|server| server.connection(self.id)) {
            let _ = connection.send(message.kind(), message.data());
        }
    }

    fn failed(&mut self, _failure: &Failure) {}

    fn closed(&mut self, _closed: &Closed) {}
}

fn main() {
    let deflate = PerMessageDeflate { threshold: 0, ..PerMessageDeflate::default() };
    let session = SessionOptions {
        ping_interval: None,
        per_message_deflate: Some(deflate),
        ..SessionOptions::default()
    };
    let options = ServerOptions {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        connections_per_address_max: usize::MAX,
        send_limits: SendLimits::of_bytes(SEND_LIMIT_BYTES),
        session,
        ..ServerOptions::default()
    };
    let handle = Handle::default();
    let server = Server::start(options, Box::new(Owner(handle.clone()))).expect("a server");
    let server = Arc::new(server);
    handle.set(Arc::downgrade(&server)).expect("set once");
    println!("ws://{}", server.local().expect("an address"));
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}
