#!/usr/bin/env bash
# When a ping comes between two fragments, circuits.web returns the first fragment's data in the pong.
#
# A good guess: a pong has the payload of its ping, wherever that came (RFC 6455 section 5.5.3). circuits puts what it
# has received of the message before it. After a fragment of more than 121 bytes the pong of a short ping has more than
# 125, which no control frame may have (section 5.5), so a strict client ends the connection. The message itself arrives
# whole. The 101 has `Content-Length: 0`. The first offered sub-protocol is chosen, and no close code is echoed.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi circuits==3.2.5
cat >"$work/echo.py" <<'PY'
from circuits import Component
from circuits.net.events import write
from circuits.web import Server
from circuits.web.dispatchers import WebSocketsDispatcher


class Echo(Component):
    channel = "wsserver"

    def read(self, client, message):
        self.fire(write(client, message))


server = Server(("127.0.0.1", 16864))
Echo().register(server)
WebSocketsDispatcher("/").register(server)
server.run()
PY
serve "$work/python/bin/python" echo.py

python3 - <<'PY' | compare "fragments without a ping: text b'first second', silence
fragments with a ping between them: pong b'first ping', text b'first second', silence
the same after 300 bytes: pong of 304 bytes, text of 306 bytes, silence
a ping alone: pong b'ping', silence
Content-Length of the 101: ['0']
other, another are offered: ['other']
close 4001: close b'', FIN"
from raw import *

print("fragments without a ping:",
      Raw(16864).send(TEXT, b"first ", fin=False).send(CONTINUATION, b"second").rest(1))
print("fragments with a ping between them:",
      Raw(16864).send(TEXT, b"first ", fin=False).send(PING, b"ping").send(CONTINUATION, b"second").rest(1))
print("the same after 300 bytes:",
      Raw(16864).send(TEXT, b"a" * 300, fin=False).send(PING, b"ping").send(CONTINUATION, b"second").rest(1))
print("a ping alone:", Raw(16864).send(PING, b"ping").rest(1))
print("Content-Length of the 101:", Raw(16864).header("Content-Length"))
print("other, another are offered:",
      Raw(16864, headers=["Sec-WebSocket-Protocol: other, another"]).header("Sec-WebSocket-Protocol"))
print("close 4001:", Raw(16864).close(4001, b"bye").rest())
PY
