#!/usr/bin/env bash
# Microdot, a web framework for MicroPython, ends connections with an empty close frame, whatever the reason.
#
# A good guess: a message over a limit ends with 1009, an unsupported one with 1002 or 1003, and a client's code is
# echoed. Here all of them end with an empty close frame, which a client reports as 1005, an end without an error.
# Fragments are unsupported.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi microdot==2.7.0
cat >"$work/echo.py" <<'PY'
from microdot import Microdot
from microdot.websocket import with_websocket

app = Microdot()


@app.route("/")
@with_websocket
async def echo(request, ws):
    while True:
        await ws.send(str(len(await ws.receive())))


app.run(host="127.0.0.1", port=16813)
PY
serve "$work/python/bin/python" echo.py

python3 - <<'PY' | compare "16 KiB: text b'16384'
one byte more: close b''
a fragmented message: close b''
close 4001: close b'', FIN"
from raw import *

print("16 KiB:", Raw(16813).send(TEXT, b"a" * 16384).read())
print("one byte more:", Raw(16813).send(TEXT, b"a" * 16385).read())
print("a fragmented message:", Raw(16813).send(TEXT, b"a", fin=False).send(CONTINUATION, b"b").read())
print("close 4001:", Raw(16813).close(4001, b"bye").rest())
PY
