use bench_peers::{Arguments, Peer, run};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use yawc::{Frame, Options, WebSocket};

struct Yawc(WebSocket<TcpStream>);

impl Peer for Yawc {
    async fn connect(arguments: &Arguments) -> Self {
        let stream = TcpStream::connect(arguments.authority()).await.expect("connected");
        stream.set_nodelay(true).expect("set");
        let url = arguments.url.parse().expect("a URL");
        Self(WebSocket::handshake(url, stream, Options::default().with_limits(4_194_304, 8_388_608)).await.expect("upgraded"))
    }

    async fn receive(&mut self) -> usize {
        self.0.next().await.expect("open").payload().len()
    }

    async fn queue(&mut self, payload: &Bytes) {
        self.0.feed(Frame::binary(payload.clone())).await.expect("queued");
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
    run::<Yawc>();
}
