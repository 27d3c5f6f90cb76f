#!/usr/bin/env bash
# wsproto, used by hypercorn, trio-websocket and uvicorn, finds `Upgrade` only in the last of two Connection headers.
#
# A good guess: two header lines of one name are one list (RFC 9110 section 5.3), so `Connection: Upgrade` and
# `Connection: keep-alive`, as a proxy may send them, request an upgrade in either order. In one order the answer is 400
# here.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi trio-websocket==0.12.2 wsproto==1.3.2
cat >"$work/echo.py" <<'PY'
import trio
from trio_websocket import ConnectionClosed, serve_websocket


async def echo(request):
    socket = await request.accept()
    try:
        while True:
            await socket.send_message(await socket.get_message())
    except ConnectionClosed:
        pass


trio.run(serve_websocket, echo, "127.0.0.1", 16828, None)
PY
serve "$work/python/bin/python" echo.py

python3 - <<'PY' | compare "one line, Upgrade first: 101
one line, Upgrade last: 101
two lines, Upgrade last: 101
two lines, Upgrade first: 400"
from raw import *


def status(*lines):
    client = Raw(16828, connection=lines)
    return client.status.split(" ")[1]


print("one line, Upgrade first:", status("Connection: Upgrade, keep-alive"))
print("one line, Upgrade last:", status("Connection: keep-alive, Upgrade"))
print("two lines, Upgrade last:", status("Connection: keep-alive", "Connection: Upgrade"))
print("two lines, Upgrade first:", status("Connection: Upgrade", "Connection: keep-alive"))
PY
