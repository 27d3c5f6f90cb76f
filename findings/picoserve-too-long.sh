#!/usr/bin/env bash
# picoserve, an HTTP server for microcontrollers, calls a message that does not fit its buffer a protocol error: 1002.
#
# A good guess: 1009, "message too big" (RFC 6455 section 7.4.1), as 1002 says that the peer has made a mistake. The
# buffer is for a whole message, so fragments do not help. A ping between two fragments, which is allowed, is 1002 too.
# The program below closes with the code that the crate gives for an error. The 101 has no reason phrase. Needs Rust.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_crates picoserve@0.20.1:tokio,ws tokio@1.54.1:macros,net,rt <<'RS'
use picoserve::futures::Either;
use picoserve::io::{Read, Write};
use picoserve::response::ws::{Message, SocketRx, SocketTx, WebSocketCallback, WebSocketUpgrade};
use picoserve::routing::{get, Router};

struct Echo;

impl WebSocketCallback for Echo {
    async fn run<R: Read, W: Write<Error = R::Error>>(
        self,
        mut rx: SocketRx<R>,
        mut tx: SocketTx<W>,
    ) -> Result<(), W::Error> {
        let mut buffer = [0; 1024];
        loop {
            let Either::First(received) = rx.next_message(&mut buffer, std::future::pending::<()>()).await? else {
                continue;
            };
            match received {
                Ok(Message::Text(text)) => tx.send_text(text).await?,
                Ok(Message::Ping(payload)) => tx.send_pong(payload).await?,
                Ok(Message::Close(reason)) => return tx.close(reason).await,
                Ok(_) => {}
                Err(error) => {
                    println!("{error:?}");
                    return tx.close((error.code(), "")).await;
                }
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    static CONFIG: picoserve::Config = picoserve::Config::const_default();
    let app = Router::new().route("/", get(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(Echo) }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:16916").await.unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let _ = picoserve::Server::new_tokio(&app, &CONFIG, &mut [0; 2048]).serve(stream).await;
    }
}
RS
serve "$work/program"

python3 - <<'PY' | compare "'HTTP/1.1 101 '
1024 bytes: text of 1024 bytes
1025 bytes: close 1002 b''
1025 bytes in two fragments: close 1002 b''
two fragments: text b'onetwo'
two fragments with a ping between: close 1002 b''
close 4001: close 4001 b'bye'"
from raw import *


def answer(*frames):
    """The answer to frames. The server has one client at a time."""
    client = Raw(16916)
    for frame in frames:
        client.send(*frame)
    words = client.read()
    client.sock.close()
    return words


print(repr((client := Raw(16916)).status))
client.sock.close()
print("1024 bytes:", answer((TEXT, b"a" * 1024)))
print("1025 bytes:", answer((TEXT, b"a" * 1025)))
print("1025 bytes in two fragments:", answer((TEXT, b"a" * 1000, False), (CONTINUATION, b"a" * 25)))
first, second = (TEXT, b"one", False), (CONTINUATION, b"two")
print("two fragments:", answer(first, second))
print("two fragments with a ping between:", answer(first, (PING, b"a"), second))
print("close 4001:", answer((CLOSE, struct.pack("!H", 4001) + b"bye")))
PY
