//! The library's server through its Rust core, a listener's call per message.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, Weak};

use bench_peers::echo::tell;
use net_websocket::internals::client::{Closed, Failure, Listener, Message, Opened};
use net_websocket::internals::server::{Connection, ConnectionInfo, Server, ServerListener, ServerOptions};

type Served = Arc<OnceLock<Weak<Server>>>;

struct Owner(Served);

struct Echo {
    server: Served,
    id: u64,
    connection: Option<Arc<Connection>>,
}

impl ServerListener for Owner {
    fn connected(&self, info: &Arc<ConnectionInfo>) -> Box<dyn Listener> {
        Box::new(Echo { server: self.0.clone(), id: info.id, connection: None })
    }
}

impl Listener for Echo {
    fn opened(&mut self, _: &Opened) {
        self.connection =
            self.server.get().and_then(Weak::upgrade).and_then(|server| server.connection(self.id));
    }

    fn message(&mut self, message: Message<'_>) {
        let connection = self.connection.as_ref().expect("it is open");
        connection.send(message.kind(), message.data()).expect("room");
    }

    fn failed(&mut self, _: &Failure) {}

    fn closed(&mut self, _: &Closed) {
        self.connection = None;
    }
}

fn main() {
    let options = ServerOptions {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        connections_per_address_max: 10_000,
        ..ServerOptions::default()
    };
    let served = Served::default();
    let server = Arc::new(Server::start(options, Box::new(Owner(served.clone()))).expect("started"));
    served.set(Arc::downgrade(&server)).expect("set once");
    tell(server.local().expect("an address").port());
    loop {
        std::thread::park();
    }
}
