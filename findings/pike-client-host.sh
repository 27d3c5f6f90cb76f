#!/usr/bin/env bash
# Pike's WebSocket client sends `Host` twice, both without the port, so strict servers refuse it with 400.
#
# A good guess: a request has one Host line, with the port if that is not 80 (RFC 9112 section 3.2). A server must answer
# two with 400, and hypercorn does. npm's ws and Pike's own server accept the request, so a test with them shows nothing.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian pike8.0-core=8.0.1738-1+b2
take_npm ws@8.23.0
take_pypi hypercorn==0.18.0
pike=$work/debian/usr/lib/pike8.0
sed -i "s|\"/usr/lib/pike8.0|\"$pike|" "$pike/master.pike"
cat >"$work/server.pike" <<'PIKE'
int main() {
    Protocols.WebSocket.Port(lambda(object request) {}, lambda(array(string) protocols, object request) {
        request->websocket_accept(0);
    }, 16878, "127.0.0.1");
    return -1;
}
PIKE
cat >"$work/server.js" <<'JS'
const { WebSocketServer } = require('ws');
new WebSocketServer({ host: '127.0.0.1', port: 16879 });
JS
cat >"$work/application.py" <<'PY'
async def accept(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
PY
cat >"$work/client.pike" <<'PIKE'
Protocols.WebSocket.Connection connection = Protocols.WebSocket.Connection();

int main(int count, array(string) arguments) {
    connection->onopen = lambda(mixed id) { write("open\n"); exit(0); };
    call_out(lambda() { write("not open after 5 s\n"); exit(0); }, 5);
    connection->connect(Standards.URI("ws://127.0.0.1:" + arguments[1] + "/"));
    return -1;
}
PIKE
pike8=("$work/debian/usr/bin/pike8.0" -m "$pike/master.pike")
serve "${pike8[@]}" server.pike
serve node server.js
serve "$work/python/bin/hypercorn" --bind 127.0.0.1:16880 application:accept
python3 - <<'PY'
from raw import *

for port in (16878, 16879, 16880):
    Raw._dial(port).close()  # Waits until the server is there.
PY

cd "$work"
{
    python3 - "${pike8[@]}" client.pike <<'PY'
import socket
import subprocess
import sys

listener = socket.create_server(("127.0.0.1", 0))
with subprocess.Popen([*sys.argv[1:], str(listener.getsockname()[1])], stdout=subprocess.DEVNULL) as client:
    lines = listener.accept()[0].makefile("rb")
    head = [line.decode().strip() for line in iter(lines.readline, b"\r\n")]
    client.kill()
print("Pike's client sends:", [line for line in head if line.startswith("Host:")])
PY
    echo "to npm's ws: $("${pike8[@]}" client.pike 16879)"
    echo "to Pike's server: $("${pike8[@]}" client.pike 16878)"
    echo "to hypercorn: $("${pike8[@]}" client.pike 16880)"
    python3 - <<'PY'
from raw import *

print("hypercorn, one Host line:", Raw(16880).status)
print("hypercorn, two:", Raw(16880, headers=["Host: 127.0.0.1"]).status)
PY
} | compare "Pike's client sends: ['Host: 127.0.0.1', 'Host: 127.0.0.1']
to npm's ws: open
to Pike's server: open
to hypercorn: not open after 5 s
hypercorn, one Host line: HTTP/1.1 101 
hypercorn, two: HTTP/1.1 400 "
