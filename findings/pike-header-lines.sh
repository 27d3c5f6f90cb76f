#!/usr/bin/env bash
# Pike's WebSocket server never answers an upgrade that has one header in two lines. It gives each frame as a message.
#
# A good guess: two lines of `Sec-WebSocket-Protocol` or `Connection` are one list (RFC 9110 section 5.3). Pike makes an
# array of them, on which its own code fails, and the client waits. A continuation frame arrives with the opcode 0, and
# a pong with the opcode 10. TCP stays open after the closing handshake.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian pike8.0-core=8.0.1738-1+b2
cat >"$work/echo.pike" <<'PIKE'
void received(object frame, object socket) { socket->send_text(sprintf("opcode %d: %s", frame->opcode, frame->data)); }

void upgraded(array(string) protocols, object request) {
    object socket = request->websocket_accept(0);
    socket->set_id(socket);
    socket->onmessage = received;
}

int main() {
    Protocols.WebSocket.Port(lambda(object request) {}, upgraded, 16863, "127.0.0.1");
    return -1;
}
PIKE
pike=$work/debian/usr/lib/pike8.0
sed -i "s|\"/usr/lib/pike8.0|\"$pike|" "$pike/master.pike"
serve "$work/debian/usr/bin/pike8.0" -m "$pike/master.pike" echo.pike

python3 - <<'PY' | compare "one line: HTTP/1.1 101 SwitchingProtocols
two lines of Sec-WebSocket-Protocol: '', then silence
two lines of Connection: '', then silence
two fragments: text b'opcode 1: one', text b'opcode 0: two', silence
a pong: text b'opcode 10: a', silence
close 4001: close 4001 b'', silence"
from raw import *

print("one line:", Raw(16863, headers=["Sec-WebSocket-Protocol: one, two"]).status)
print("two lines of Sec-WebSocket-Protocol:",
      Raw(16863, headers=["Sec-WebSocket-Protocol: one", "Sec-WebSocket-Protocol: two"]).head)
print("two lines of Connection:", Raw(16863, connection=("Connection: Upgrade", "Connection: keep-alive")).head)
print("two fragments:", Raw(16863).send(TEXT, b"one", fin=False).send(CONTINUATION, b"two").rest(1))
print("a pong:", Raw(16863).send(PONG, b"a").rest(1))
print("close 4001:", Raw(16863).close(4001, b"bye").rest(5))
PY
