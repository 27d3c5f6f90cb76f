use bench_peers::echo::serve_by;
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::accept_async;

fn main() {
    serve_by(async |stream| {
        let mut socket = accept_async(stream).await.expect("upgraded");
        while let Some(Ok(message)) = socket.next().await {
            if !message.is_binary() || socket.send(message).await.is_err() {
                break;
            }
        }
    });
}
