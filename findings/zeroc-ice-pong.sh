#!/usr/bin/env bash
# ZeroC Ice answers a ping with a payload that is still masked, and an unknown sub-protocol with the end of TCP.
#
# A good guess: a pong has the payload of the ping (RFC 6455 section 5.5.3). Ice does not unmask it, so a client that
# compares the two never finds its pong. Ice reads all messages as one stream of bytes. So a request may be cut into two
# messages, but text or an empty message ends TCP.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian python3-zeroc-ice=3.7.8-2.1+b1
cat >"$work/echo.py" <<'PY'
import Ice


class Echo(Ice.Blobject):
    def ice_invoke(self, parameters, current):
        return True, parameters


with Ice.initialize() as communicator:
    adapter = communicator.createObjectAdapterWithEndpoints("Echo", "ws -h 127.0.0.1 -p 16860")
    adapter.add(Echo(), Ice.stringToIdentity("echo"))
    adapter.activate()
    communicator.waitForShutdown()
PY
export PYTHONPATH=$PYTHONPATH:$work/debian/usr/lib/python3/dist-packages
serve /usr/bin/python3 echo.py

python3 - <<'PY' | compare "a ping with \"hello\" and the mask 20 00 20 00: pong b'HeLlO'
an empty ping: pong b''
the offer other: '', then FIN
the offer ice.zeroc.com: HTTP/1.1 101 Switching Protocols
a request in one message: binary b'IceP\x01\x00\x01\x00\x02\x00\x1b\x00\x00\x00\x01\x00\x00\x00\x00\x08\x00\x00\x00\x01\x01hi'
a request in two: binary b'IceP\x01\x00\x01\x00\x02\x00\x1b\x00\x00\x00\x01\x00\x00\x00\x00\x08\x00\x00\x00\x01\x01hi'
the same as text: FIN
an empty message: FIN"
from raw import *


def client():
    opened = Raw(16860)
    opened.read()  # Ice's own first message.
    return opened


opened, mask = client(), b"\x20\x00\x20\x00"
opened.sock.sendall(b"\x89\x85" + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(b"hello")))
print('a ping with "hello" and the mask 20 00 20 00:', opened.read())
print("an empty ping:", client().send(PING).read())
for offer in ("other", "ice.zeroc.com"):
    print(f"the offer {offer}:", Raw(16860, headers=[f"Sec-WebSocket-Protocol: {offer}"]).status)
# Request 1 of the operation "say" of "echo", with an encapsulation of two bytes.
body = struct.pack("<i", 1) + b"\x04echo\x00\x00\x03say\x00\x00" + struct.pack("<iBB", 8, 1, 1) + b"hi"
request = b"IceP" + bytes([1, 0, 1, 0, 0, 0]) + struct.pack("<i", 14 + len(body)) + body
print("a request in one message:", client().send(BINARY, request).read())
print("a request in two:", client().send(BINARY, request[:9]).send(BINARY, request[9:]).read())
print("the same as text:", client().send(TEXT, request).read())
print("an empty message:", client().send(BINARY).read())
PY
