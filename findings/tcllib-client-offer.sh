#!/usr/bin/env bash
# tcllib's WebSocket client is refused by npm's ws and PyPI websockets, because it offers an empty list of sub-protocols.
#
# A good guess: a client without sub-protocols leaves the header out. tcllib's sends `Sec-WebSocket-Protocol` without a
# value, which the grammar does not allow (RFC 6455 section 4.3). It also sends `Connection: close` before
# `Connection: Upgrade`. With the option -protocol both servers accept it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian tcllib=1.21+dfsg-1 tcl8.6
take_npm ws@8.23.0
take_pypi websockets==17.4
cat >"$work/server.js" <<'JS'
const { WebSocketServer } = require('ws');
new WebSocketServer({ host: '127.0.0.1', port: 16882 });
JS
cat >"$work/server.py" <<'PY'
import asyncio

from websockets.asyncio.server import serve


async def main():
    async with serve(lambda connection: connection.wait_closed(), "127.0.0.1", 16883):
        await asyncio.Future()


asyncio.run(main())
PY
cat >"$work/client.tcl" <<'TCL'
lappend auto_path [file join $env(work) debian/usr/share/tcltk]
package require websocket

proc handle {socket type message} {
    puts "$type $message"
    exit
}

::websocket::open {*}[lrange $argv 0 0] handle {*}[lrange $argv 1 end]
vwait forever
TCL
export TCL_LIBRARY=$work/debian/usr/share/tcltk/tcl8.6
serve node server.js
serve "$work/python/bin/python" server.py
python3 - <<'PY'
from raw import *

for port in (16882, 16883):
    Raw._dial(port).close()  # Waits until the server is there.
PY

cd "$work"
export work
tcl=$work/debian/usr/bin/tclsh8.6
{
    python3 - "$tcl" client.tcl <<'PY'
import socket
import subprocess
import sys

listener = socket.create_server(("127.0.0.1", 0))
address = f"ws://127.0.0.1:{listener.getsockname()[1]}/"
with subprocess.Popen([*sys.argv[1:], address], stdout=subprocess.DEVNULL) as client:
    lines = listener.accept()[0].makefile("rb")
    head = [line.decode().rstrip("\r\n") for line in iter(lines.readline, b"\r\n")]
    client.kill()
print("tcllib's client sends:", [line for line in head if line.startswith(("Connection:", "Sec-WebSocket-Protocol:"))])
PY
    for port in 16882 16883; do
        echo "port $port: $("$tcl" client.tcl "ws://127.0.0.1:$port/")"
        echo "port $port, with -protocol: $("$tcl" client.tcl "ws://127.0.0.1:$port/" -protocol chat)"
    done
} 2>"$work/client.log" | compare "tcllib's client sends: ['Connection: close', 'Connection: Upgrade', 'Sec-WebSocket-Protocol: ']
port 16882: error HTTP error code 400 when establishing WebSocket connection with ws://127.0.0.1:16882/
port 16882, with -protocol: connect chat
port 16883: error HTTP error code 400 when establishing WebSocket connection with ws://127.0.0.1:16883/
port 16883, with -protocol: connect "
