#!/usr/bin/env bash
# paho-mqtt's client answers a ping with a pong without a mask, so a server that pings over WebSocket loses the client.
#
# A good guess: a client masks each frame (RFC 6455 section 5.1), control frames too. paho-mqtt masks its messages, but
# neither its pongs nor its close frames. A server must end such a connection, and PyPI websockets does with 1002. By
# default that server pings after 20 s.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi paho-mqtt==2.2.0 websockets==17.4
cat >"$work/meet.py" <<'PY'
import asyncio

import paho.mqtt.client as mqtt
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

CONNACK, SUBACK = bytes([0x20, 2, 0, 0]), bytes([0x90, 3, 0, 1, 0])


async def broker(connection):
    """Accepts the client, lets it subscribe, and pings it."""
    await connection.recv()
    await connection.send(CONNACK)
    print("a subscription comes:", (await connection.recv())[0] == 0x82)
    await connection.send(SUBACK)
    try:
        await (await connection.ping(b"a"))
        print("the pong comes")
    except ConnectionClosed as closed:
        print(f"a ping: the server sent {closed.sent.code}, {closed.sent.reason!r}")
    done.set()


async def main():
    global done
    done = asyncio.Event()
    async with serve(broker, "127.0.0.1", 16873, subprotocols=["mqtt"], ping_interval=None):
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, transport="websockets")
        client.on_connect = lambda client, *rest: client.subscribe("a/topic")
        await asyncio.to_thread(client.connect, "127.0.0.1", 16873)
        client.loop_start()
        await done.wait()
        await asyncio.to_thread(client.loop_stop)


asyncio.run(main())
PY
cat >"$work/masks.py" <<'PY'
import base64
import hashlib
import socket
import threading

import paho.mqtt.client as mqtt

listener = socket.create_server(("127.0.0.1", 0))
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, transport="websockets", reconnect_on_failure=False)
threading.Thread(target=lambda: client.connect(*listener.getsockname()) or client.loop_forever(), daemon=True).start()
stream = listener.accept()[0].makefile("rwb", buffering=0)
key = next(line.split(b": ")[1].strip() for line in iter(stream.readline, b"") if b"-Key:" in line)
while stream.readline() != b"\r\n":
    pass
accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
stream.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
             b"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Accept: " + accept + b"\r\n\r\n")


def frame(name):
    first, second = stream.read(2)
    rest = stream.read((second & 0x7F) + (4 if second & 0x80 else 0))
    print(f"{name}: opcode {first & 15}, masked: {second >= 0x80}" + ("" if second >= 0x80 else f", {rest!r}"))


frame("its first message")
stream.write(b"\x89\x05hello")
frame("its answer to a ping")
stream.write(b"\x88\x02\x03\xe8")
frame("its answer to a close frame")
PY
for program in masks meet; do
    "$work/python/bin/python" "$work/$program.py"
done | compare "its first message: opcode 2, masked: True
its answer to a ping: opcode 10, masked: False, b'hello'
its answer to a close frame: opcode 8, masked: False, b'\x03\xe8'
a subscription comes: True
a ping: the server sent 1002, 'incorrect masking'"
