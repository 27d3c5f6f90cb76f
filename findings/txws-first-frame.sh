#!/usr/bin/env bash
# Debian 12's txws, WebSockets for Twisted, answers 101 to each client and then ends TCP at the first frame.
#
# A good guess: a package works with the Python of its own release. txws calls `array.tostring`, which Python 3.9
# removed, so no frame with a mask is read: no message, no ping, no close frame. Its server still sends. An offer of a
# sub-protocol ends TCP without an answer, and so do header names in lower case, which HTTP allows.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian python3-txws=0.9.1-5 python3-twisted=22.4.0-4+deb12u1
cat >"$work/server.py" <<'PY'
from twisted.internet import protocol, reactor
from txws import WebSocketFactory


class Greeter(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"welcome")


reactor.listenTCP(16952, WebSocketFactory(protocol.Factory.forProtocol(Greeter)), interface="127.0.0.1")
reactor.run()
PY
PYTHONPATH=$work/debian/usr/lib/python3/dist-packages serve /usr/bin/python3 server.py

{
    python3 - <<'PY'
from raw import *

print("an upgrade:", (client := Raw(16952)).status)
print("its own message:", client.rest())
for name, opcode in (("text", TEXT), ("a ping", PING), ("a close frame", CLOSE)):
    print(f"{name}:", Raw(16952).send(opcode, b"\x03\xe8" if opcode == CLOSE else b"hello").rest())
print("an offer of a sub-protocol:", Raw(16952, headers=["Sec-WebSocket-Protocol: chat"]).head)
client = Raw._dial(16952)
client.sendall(b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
               b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n\r\n")
client.settimeout(5)
print("header names in lower case:", client.recv(1000) or "FIN")
PY
    grep -o "'array.array' object has no .*" "$work/server.log" | sort -u
} | compare "an upgrade: HTTP/1.1 101 FYI I am not a webserver
its own message: text b'welcome', silence
text: text b'welcome', FIN
a ping: text b'welcome', FIN
a close frame: text b'welcome', FIN
an offer of a sub-protocol: '', then FIN
header names in lower case: FIN
'array.array' object has no attribute 'tostring'"
