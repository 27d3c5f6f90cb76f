use bench_peers::{Arguments, Peer, run};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};

struct TokioWebsockets(WebSocketStream<TcpStream>);

impl Peer for TokioWebsockets {
    async fn connect(arguments: &Arguments) -> Self {
        let stream = TcpStream::connect(arguments.authority()).await.expect("connected");
        stream.set_nodelay(true).expect("set");
        let builder = ClientBuilder::new().uri(&arguments.url).expect("a URL");
        Self(builder.connect_on(stream).await.expect("upgraded").0)
    }

    async fn receive(&mut self) -> usize {
        self.0.next().await.expect("open").expect("received").as_payload().len()
    }

    async fn queue(&mut self, payload: &Bytes) {
        self.0.feed(Message::binary(payload.clone())).await.expect("queued");
    }

    async fn flush(&mut self) {
        self.0.flush().await.expect("flushed");
    }

    async fn close(mut self) {
        self.0.close().await.expect("sent");
        while self.0.next().await.is_some() {}
    }
}

fn main() {
    run::<TokioWebsockets>();
}
