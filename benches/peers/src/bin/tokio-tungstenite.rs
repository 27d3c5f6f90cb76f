use bench_peers::{Arguments, Peer, run};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

struct Tungstenite(WebSocketStream<TcpStream>);

impl Peer for Tungstenite {
    async fn connect(arguments: &Arguments) -> Self {
        let stream = TcpStream::connect(arguments.authority()).await.expect("connected");
        stream.set_nodelay(true).expect("set");
        Self(client_async(arguments.url.as_str(), stream).await.expect("upgraded").0)
    }

    async fn receive(&mut self) -> usize {
        self.0.next().await.expect("open").expect("received").len()
    }

    async fn queue(&mut self, payload: &Bytes) {
        self.0.feed(Message::Binary(payload.clone())).await.expect("queued");
    }

    async fn flush(&mut self) {
        self.0.flush().await.expect("flushed");
    }

    async fn close(mut self) {
        self.0.close(None).await.expect("sent");
        while self.0.next().await.is_some() {}
    }
}

fn main() {
    run::<Tungstenite>();
}
