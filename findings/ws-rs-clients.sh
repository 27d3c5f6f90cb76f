#!/usr/bin/env bash
# The crate ws ends the 101st client's TCP without an answer, and sends each message over 65,535 bytes in fragments.
#
# A good guess: a full server answers 503 or does not accept, and a server fragments only what it is told to. The
# fragments meet clients that read none. A handler's error is only logged: the client waits with the connection open.
# The close codes 1012 and 1013, a restart and "try again later", are answered by 1002, and the other answers have no
# reason. No sub-protocol is chosen. Needs Rust.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_crates ws@0.9.2:default <<'RUST'
use ws::{Error, ErrorKind, Message};

fn main() {
    ws::listen("127.0.0.1:16961", |out| {
        move |message: Message| match message.as_text() {
            Ok("fail") => Err(Error::new(ErrorKind::Custom("as asked".into()), "")),
            _ => out.send(message),
        }
    })
    .expect("listens");
}
RUST
serve "$work/program"

python3 - <<'PY' | compare "client 100: HTTP/1.1 101 Switching Protocols
client 101: no answer
client 1 later: text b'still'
a new client, after one left: HTTP/1.1 101 Switching Protocols
65535 bytes: binary of 65535 bytes
65536 bytes: binary without FIN of 65535 bytes, continuation b'x'
the handler fails: silence
the same client: text b'still'
close 4001: close 4001 b'', FIN
close 1012: close 1002 b'WebSocket Protocol Error: Restart close code is not supported.', FIN
close 1013: close 1002 b'WebSocket Protocol Error: Try again later close code is not supported.', FIN
an offer: []"
from raw import *

clients = [Raw(16961) for _ in range(100)]
print("client 100:", clients[-1].status)
refused = Raw(16961).status
print("client 101:", "no answer" if refused in ("'', then FIN", "'', then RST") else refused)
print("client 1 later:", clients[0].send(TEXT, b"still").read())
clients.pop().close(1000).rest()
print("a new client, after one left:", Raw(16961).status)
for client in clients[1:]:
    client.close(1000).rest()
client = clients[0]
print("65535 bytes:", client.send(BINARY, b"x" * 65535).read())
print(f"65536 bytes: {client.send(BINARY, b'x' * 65536).read()},", client.read())
print("the handler fails:", client.send(TEXT, b"fail").read())
print("the same client:", client.send(TEXT, b"still").read())
for code in (4001, 1012, 1013):
    print(f"close {code}:", Raw(16961).close(code, b"bye").rest())
print("an offer:", Raw(16961, headers=["Sec-WebSocket-Protocol: chat"]).header("Sec-WebSocket-Protocol"))
PY
