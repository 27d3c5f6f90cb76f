//! On the bare socket after an upgrade by hand: its own goes through hyper, which would stay in the way of each read.

use bench_peers::{Arguments, Peer, run, upgrade};
use bytes::Bytes;
use fastwebsockets::{Frame, OpCode, Payload, Role, WebSocket};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufWriter};
use tokio::net::TcpStream;

/// What gathers a batch in front of it, since it writes each frame by itself.
const BATCH_BYTES: usize = 65_536;

struct Fast(WebSocket<BufWriter<TcpStream>>);

impl Peer for Fast {
    async fn connect(arguments: &Arguments) -> Self {
        let mut stream = TcpStream::connect(arguments.authority()).await.expect("connected");
        stream.set_nodelay(true).expect("set");
        stream.write_all(&upgrade(arguments.authority(), arguments.path())).await.expect("written");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut head).await.expect("read");
        }
        let capacity = if arguments.mode == "send-batch" { BATCH_BYTES } else { 0 };
        Self(WebSocket::after_handshake(BufWriter::with_capacity(capacity, stream), Role::Client))
    }

    async fn receive(&mut self) -> usize {
        let frame = self.0.read_frame().await.expect("received");
        assert!(frame.fin, "a message is one frame here");
        frame.payload.len()
    }

    async fn queue(&mut self, payload: &Bytes) {
        // It masks in place, so it needs its own copy of the bytes.
        let frame = Frame::binary(Payload::Owned(payload.to_vec()));
        self.0.write_frame(frame).await.expect("written");
    }

    async fn flush(&mut self) {
        self.0.flush().await.expect("flushed");
    }

    async fn close(mut self) {
        self.0.write_frame(Frame::close(1000, b"")).await.expect("written");
        while self.0.read_frame().await.is_ok_and(|frame| frame.opcode != OpCode::Close) {}
    }
}

fn main() {
    run::<Fast>();
}
