use bench_peers::{Arguments, Peer, run};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use sockudo_ws::client::WebSocketClient;
use sockudo_ws::{Config, Http1, Message, WebSocketStream};
use tokio::net::TcpStream;

struct Sockudo(WebSocketStream<TcpStream>);

impl Peer for Sockudo {
    async fn connect(arguments: &Arguments) -> Self {
        let stream = TcpStream::connect(arguments.authority()).await.expect("connected");
        stream.set_nodelay(true).expect("set");
        let client = WebSocketClient::<Http1>::new(Config::default());
        let upgraded = client.connect_raw(stream, arguments.authority(), arguments.path(), None);
        Self(upgraded.await.expect("upgraded").0)
    }

    async fn receive(&mut self) -> usize {
        match self.0.next().await.expect("open").expect("received") {
            Message::Binary(data) | Message::Text(data) => data.len(),
            other => panic!("{other:?}"),
        }
    }

    async fn queue(&mut self, payload: &Bytes) {
        self.0.feed(Message::Binary(payload.clone())).await.expect("queued");
    }

    async fn flush(&mut self) {
        self.0.flush().await.expect("flushed");
    }

    async fn close(mut self) {
        self.0.close(1000, "").await.expect("sent");
        while self.0.next().await.is_some() {}
    }
}

fn main() {
    run::<Sockudo>();
}
