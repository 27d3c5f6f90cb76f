//! What the echo servers have in common: where they listen, and how that is told.
//!
//! Each listens at a free port of loopback, prints its number on a line, and echoes until it is ended.

use std::io::Write;
use std::net::TcpListener;

/// Listens, and tells where.
pub fn listen() -> TcpListener {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    tell(listener.local_addr().expect("bound").port());
    listener
}

/// Tells where the server listens.
pub fn tell(port: u16) {
    println!("{port}");
    std::io::stdout().flush().expect("somebody reads");
}

/// Serves each connection by `serve` on one thread, which is the best case for the processor time of a message.
pub fn serve_by<S, F>(serve: S)
where
    S: Fn(tokio::net::TcpStream) -> F + 'static,
    F: Future<Output = ()> + 'static,
{
    let listener = listen();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async move {
        listener.set_nonblocking(true).expect("set");
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        loop {
            let (stream, _) = listener.accept().await.expect("accepted");
            stream.set_nodelay(true).expect("set");
            tokio::task::spawn_local(serve(stream));
        }
    });
}
