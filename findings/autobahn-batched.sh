#!/usr/bin/env bash
# Autobahn|Python ends each message of wamp.2.json.batched with 0x18, where WAMP, and serverwamp, say 0x1e.
#
# A good guess: two peers that agree on a sub-protocol understand each other. WAMP separates the messages by "\30", the
# ASCII record separator, 30 in decimal. In Python that is 30 in octal. So a session with serverwamp opens without
# batches. With them, each side reads the other's first message as no message at all, and the client closes with 1002.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi autobahn==26.10.2 serverwamp==2.0.0 hypercorn==0.18.0
cat >"$work/router.py" <<'PY'
import serverwamp

application = serverwamp.Application(allow_default_realm=False)
application.add_realm(serverwamp.Realm("example"))
app = application.asgi_application()
PY
cat >"$work/client.py" <<'PY'
import asyncio
import sys

from autobahn.asyncio.wamp import ApplicationSession
from autobahn.asyncio.websocket import WampWebSocketClientFactory
from autobahn.wamp.serializer import JsonSerializer
from autobahn.wamp.types import ComponentConfig


class Session(ApplicationSession):
    def onJoin(self, details):
        over.set_result("joined")

    def onDisconnect(self):
        if not over.done():
            over.set_result("disconnected")


async def main():
    global over
    over = asyncio.get_running_loop().create_future()
    factory = WampWebSocketClientFactory(
        lambda: Session(ComponentConfig("example")), url=f"ws://127.0.0.1:{sys.argv[1]}/",
        serializers=[JsonSerializer(batched=sys.argv[2] == "batched")])
    await asyncio.get_running_loop().create_connection(factory, "127.0.0.1", int(sys.argv[1]))
    print(f"{sys.argv[2]}: {await over}")


asyncio.run(main())
PY
serve "$work/python/bin/hypercorn" --bind 127.0.0.1:16910 router:app

cd "$work"
python3 - <<'PY' | compare "Autobahn's first message, plain: ends with b']'
serverwamp's first message, plain: ends with }}}]
Autobahn with serverwamp, plain: joined
Autobahn's first message, batched: ends with b'\x18'
serverwamp's first message, batched: ends with \x1e
Autobahn with serverwamp, batched: disconnected"
import base64
import hashlib
import subprocess

from raw import *

HELLO = b'[1,"example",{"roles":{"caller":{}}}]'
CLIENT = ["python/bin/python", "client.py"]
for form in ("plain", "batched"):
    suffix = ".batched" if form == "batched" else ""
    listener = socket.create_server(("127.0.0.1", 0))
    command = [*CLIENT, str(listener.getsockname()[1]), form]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as client:
        connection = listener.accept()[0]
        lines = connection.makefile("rb")
        head = dict(line.decode().strip().split(": ", 1) for line in iter(lines.readline, b"\r\n") if b": " in line)
        key = head["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = hashlib.sha1(key.encode()).digest()
        connection.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
            + base64.b64encode(accept) + f"\r\nSec-WebSocket-Protocol: wamp.2.json{suffix}\r\n\r\n".encode())
        first, size = lines.read(2)
        size = size & 0x7F if size & 0x7F < 126 else int.from_bytes(lines.read(2), "big")
        mask = lines.read(4)
        text = bytes(byte ^ mask[at % 4] for at, byte in enumerate(lines.read(size)))
        print(f"Autobahn's first message, {form}: ends with {text[-1:]}")
        client.kill()
    opened = Raw(16910, headers=[f"Sec-WebSocket-Protocol: wamp.2.json{suffix}"])
    opened.send(TEXT, HELLO + (b"\x1e" if suffix else b""))
    print(f"serverwamp's first message, {form}: ends with {opened.read()[-5:-1]}")
    print("Autobahn with serverwamp,", subprocess.check_output([*CLIENT, "16910", form], stderr=subprocess.DEVNULL, text=True).strip())
PY
