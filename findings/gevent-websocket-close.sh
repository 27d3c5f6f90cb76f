#!/usr/bin/env bash
# gevent-websocket answers a close frame that has a reason with the code 25209.
#
# A good guess: the answer echoes the code (RFC 6455 section 5.5.1). The library formats the received reason with
# Python's str(). So the payload of the answer is `bytearray(b'bye')` without a code, and its first two letters, "by",
# are read as the code. Clients that check close codes report a protocol error for their own clean close.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi gevent-websocket==0.10.1 gevent==26.9.0
cat >"$work/echo.py" <<'PY'
from geventwebsocket import Resource, WebSocketApplication, WebSocketServer


class Echo(WebSocketApplication):
    def on_message(self, message):
        if message is not None:
            self.ws.send(message)


WebSocketServer(("127.0.0.1", 16804), Resource({"/": Echo})).serve_forever()
PY
serve "$work/python/bin/python" echo.py

python3 - <<'PY' | compare "close 4001 with a reason: close 25209 b\"tearray(b'bye')\", FIN
close 1000 without one: close b'', FIN"
from raw import *

print("close 4001 with a reason:", Raw(16804).close(4001, b"bye").rest())
print("close 1000 without one:", Raw(16804).close(1000).rest())
PY
