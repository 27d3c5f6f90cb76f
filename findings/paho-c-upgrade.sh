#!/usr/bin/env bash
# Eclipse Paho's client in C needs the head of a 101 in one segment of at most 1,036 bytes, or it gives up.
#
# A good guess: a head may come in pieces, as all of TCP may. The client reads once, and fails if that does not end with
# the empty line. A ping between two fragments, or two messages with parts of one MQTT packet, costs the packet. The
# pong then begins with the part before it. After both close frames the client also writes the MQTT packet DISCONNECT,
# without a frame.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian paho.mqtt.c-examples=1.3.12-1 libpaho-mqtt1.3=1.3.12-1

python3 - "$work/debian/usr/bin/paho_c_sub" <<'PY' | compare "a head of 1036 bytes: MQTT's CONNECT
a head of 1037 bytes: FIN
a head in two segments: FIN
a ping: b'\x8a\x04ping', then 'hello\n'
a ping between two fragments: b'\x8a\x070\x08\x00ping', then ''
a ping between two messages with one packet: b'\x8a\x070\x08\x00ping', then ''
close 4001: b'\x88\x02\x03\xe9', then b'\xe0\x00' without a frame"
import hashlib
import subprocess
import sys

from raw import *

PACKET = b"0\x08\0\x01ahello"  # PUBLISH with the topic "a"


class Server:
    """A broker for one client, whose answer to the upgrade has a size and goes out in parts."""

    def __init__(self, size=300, parts=1):
        listener = socket.create_server(("127.0.0.1", 0))
        command = [sys.argv[1], "-c", "ws://127.0.0.1:%d/mqtt" % listener.getsockname()[1], "-t", "a"]
        self.client = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.sock = listener.accept()[0]
        listener.close()  # The client tries more than once.
        self.sock.settimeout(5)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lines = self.sock.makefile("rb")
        request = dict(line.split(b": ", 1) for line in iter(self.lines.readline, b"\r\n") if b": " in line)
        key = request[b"Sec-WebSocket-Key"].strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        head = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + b"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Accept: "
                + base64.b64encode(hashlib.sha1(key).digest()) + b"\r\nX-Padding: ")
        head += b"x" * (size - len(head) - 4) + b"\r\n\r\n"
        if parts == 2:
            self.sock.sendall(head[:100])
            time.sleep(0.5)  # The client reads the first part.
            head = head[100:]
        self.sock.sendall(head)

    def frame(self):
        """A frame without its mask, or FIN."""
        start = self.lines.read(2)
        if not start:
            return "FIN"
        size = start[1] & 0x7F
        mask = self.lines.read(4) if start[1] & 0x80 else bytes(4)
        payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(self.lines.read(size)))
        return bytes([start[0], size]) + payload

    def send(self, *frames):
        """Sends short frames, each as its first byte and its payload, in one segment."""
        self.sock.sendall(b"".join(bytes([first, len(payload)]) + payload for first, payload in frames))

    def subscribed(self):
        self.frame()
        self.send((0x82, b"\x20\x02\0\0"))
        self.send((0x82, b"\x90\x03" + self.frame()[4:6] + b"\0"))
        return self

    def printed(self):
        time.sleep(0.5)
        self.client.kill()
        return self.client.communicate()[0].decode()


for words, arguments in (("of 1036 bytes", (1036,)), ("of 1037 bytes", (1037,)), ("in two segments", (300, 2))):
    server = Server(*arguments)
    first = server.frame()
    print(f"a head {words}:", "MQTT's CONNECT" if first[2:3] == b"\x10" else first)
    server.client.kill()

for words, before, after in (
    ("", [], [(0x82, PACKET)]),
    (" between two fragments", [(0x02, PACKET[:3])], [(0x80, PACKET[3:])]),
    (" between two messages with one packet", [(0x82, PACKET[:3])], [(0x82, PACKET[3:])]),
):
    server = Server().subscribed()
    server.send(*before, (0x89, b"ping"))
    pong = server.frame()
    server.send(*after)
    print(f"a ping{words}: {pong}, then {server.printed()!r}")

server = Server().subscribed()
server.send((0x88, struct.pack("!H", 4001)))
print(f"close 4001: {server.frame()}, then {server.lines.read()} without a frame")
server.client.kill()
PY
