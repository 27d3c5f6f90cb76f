#!/usr/bin/env bash
# chumicro-websockets drops each message over 16,384 bytes without an error, and does not answer a third client.
#
# A good guess: a server closes with 1009 above its limit, and refuses a client that is one too many. By default this
# server, which is made for microcontrollers as well, has two clients. The next one's TCP opens, and its upgrade gets an
# answer when one of the two has left. A long message is for a callback that a program may have. The limit holds for the
# sum of the fragments. The next messages arrive. No answer to a close frame has the reason, and an empty close frame
# is answered with 1000.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi chumicro-websockets==0.27.3 chumicro-sockets==0.21.3 chumicro-timing==0.8.4
cat >"$work/echo.py" <<'PY'
import time

from chumicro_sockets import listener
from chumicro_timing import ticks_ms
from chumicro_websockets import WebSocketServer


def connected(connection):
    connection.on_text = connection.send_text


server = WebSocketServer(listener=listener("127.0.0.1", 16963), on_connection=connected)
while True:
    now = ticks_ms()
    if server.check(now):
        server.handle(now)
    time.sleep(0.001)
PY
serve "$work/python/bin/python" echo.py

python3 - <<'PY' | compare "16384 bytes: text of 16384 bytes, silence
16385 bytes: silence
2 fragments of 9000 bytes: silence
the next message: text b'next', silence
the third client: '', then silence
when the second has left: HTTP/1.1 101 Switching Protocols
close 4001: close 4001 b'', FIN
no close code: close 1000 b'', FIN"
from raw import *

first, second = Raw(16963), Raw(16963)
for size in (16384, 16385):
    print(f"{size} bytes:", first.send(TEXT, b"x" * size).rest())
first.send(TEXT, b"x" * 9000, fin=False).send(CONTINUATION, b"x" * 9000)
print("2 fragments of 9000 bytes:", first.rest())
print("the next message:", first.send(TEXT, b"next").rest())
third = Raw(16963, timeout=3)
print("the third client:", third.head)
close = second.close(4001, b"bye").rest()
while b"\r\n\r\n" not in third.received and not third.more(5):
    pass
print("when the second has left:", third.received.split(b"\r\n")[0].decode())
print("close 4001:", close)
print("no close code:", first.close().rest())
PY
