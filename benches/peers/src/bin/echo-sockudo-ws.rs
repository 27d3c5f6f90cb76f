use bench_peers::echo::serve_by;
use futures_util::{SinkExt, StreamExt};
use sockudo_ws::server::WebSocketServer;
use sockudo_ws::{Config, Http1, Message};

fn main() {
    serve_by(async |stream| {
        let server = WebSocketServer::<Http1>::new(Config::default());
        let (mut socket, _) = server.accept_raw(stream).await.expect("upgraded");
        while let Some(Ok(Message::Binary(data))) = socket.next().await {
            if socket.send(Message::Binary(data)).await.is_err() {
                break;
            }
        }
    });
}
