#!/usr/bin/env bash
# PyPI's websocket-server answers no close frame, and ends TCP at a binary message.
#
# A good guess: a close frame is answered, and a type that is not supported is refused with 1003. Both only end TCP, so
# a client reports 1006, as for a lost connection.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi websocket-server==0.6.4
cat >"$work/echo.py" <<'PY'
from websocket_server import WebsocketServer

server = WebsocketServer(host="127.0.0.1", port=16812)
server.set_fn_message_received(lambda client, server, message: server.send_message(client, message))
server.run_forever()
PY
serve "$work/python/bin/python" echo.py

python3 - <<'PY' | compare "a text message: text b'hello'
a binary message: FIN
close 1000: FIN"
from raw import *

print("a text message:", Raw(16812).send(TEXT, b"hello").read())
print("a binary message:", Raw(16812).send(BINARY, b"hello").read())
print("close 1000:", Raw(16812).close(1000).read())
PY
