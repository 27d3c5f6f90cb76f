#!/usr/bin/env bash
# The crate rouille reads an empty frame when the next bytes come: an empty ping or close frame has no answer till then.
#
# A good guess: a frame without a payload is whole with its head, and a server answers it at once. Rouille ends a
# frame when it reads payload. The pong for an empty ping comes with the next frame, so a client with empty pings sees
# none in an idle time. A close frame without a code has no answer. An empty last fragment keeps its message back. The
# answers to messages that arrive with a close frame are lost. `Upgrade` in the second of two Connection lines gets
# 400. Needs Rust.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_crates rouille@3.6.2:default <<'RUST'
use rouille::websocket::{start, Message};
use rouille::Response;

fn main() {
    rouille::start_server("127.0.0.1:16965", |request| {
        let Ok((response, receiver)) = start::<&str>(request, None) else {
            return Response::text("no upgrade").with_status_code(400);
        };
        std::thread::spawn(move || {
            let mut socket = receiver.recv().expect("upgraded");
            while let Some(message) = socket.next() {
                let sent = match message {
                    Message::Text(text) => socket.send_text(&text),
                    Message::Binary(data) => socket.send_binary(&data),
                };
                if sent.is_err() {
                    break;
                }
            }
        });
        response
    });
}
RUST
serve "$work/program"

python3 - <<'PY' | compare "a ping with data: pong b'ping', silence
an empty ping: silence
the next text: pong b'', text b'next', silence
an empty message: silence
the next text: text b'', text b'next', silence
an empty last fragment: silence
the next text: text b'one', text b'next', silence
two texts with a close frame: close 4001 b'bye', FIN
close 4001: close 4001 b'bye', FIN
no close code: silence
Upgrade in the first of two lines: HTTP/1.1 101 Switching Protocols
Upgrade in the second: HTTP/1.1 400 Bad Request"
from raw import *

client = Raw(16965)
print("a ping with data:", client.send(PING, b"ping").rest())
for words, frames in (
    ("an empty ping", [(PING,)]),
    ("an empty message", [(TEXT,)]),
    ("an empty last fragment", [(TEXT, b"one", False), (CONTINUATION,)]),
):
    print(f"{words}:", client.together(*frames).rest())
    print("the next text:", client.send(TEXT, b"next").rest())
client.together((TEXT, b"one"), (TEXT, b"two"), (CLOSE, b"\x0f\xa1bye"))
print("two texts with a close frame:", client.rest())
print("close 4001:", Raw(16965).close(4001, b"bye").rest())
print("no close code:", Raw(16965).close().rest())
for words, lines in (("the first of two lines", ("Upgrade", "keep-alive")), ("the second", ("keep-alive", "Upgrade"))):
    print(f"Upgrade in {words}:", Raw(16965, connection=[f"Connection: {line}" for line in lines]).status)
PY
