#!/usr/bin/env bash
# Robyn drops fragmented messages, and messages above 1,000,000 bytes, without a word. The connection goes on.
#
# A good guess: a server delivers what it received, or closes with 1009 or another code. Robyn's handler is not called,
# nothing is logged, and pings are still answered. So the client waits for an answer that never comes. An upgrade for a
# path without a handler gets no answer, while a plain request for it gets 404.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi robyn==0.88.0
cat >"$work/echo.py" <<'PY'
from robyn import Robyn

app = Robyn(__file__)


@app.websocket("/")
async def count(socket):
    while True:
        await socket.send_text(f"{len(await socket.receive_text())} characters")


app.start(host="127.0.0.1", port=16865)
PY
serve "$work/python/bin/python" echo.py

python3 - <<'PY' | compare "1000000 bytes in one frame: text b'1000000 characters', silence
1000001 bytes in one frame: silence
then a ping: pong b'a', silence
then 5 bytes: text b'5 characters', silence
two fragments: silence
then a ping: pong b'a', silence
an upgrade for another path: '', then silence
a request for it: HTTP/1.1 404 Not Found"
from raw import *

print("1000000 bytes in one frame:", Raw(16865).send(TEXT, b"a" * 1000000).rest(3))
client = Raw(16865)
print("1000001 bytes in one frame:", client.send(TEXT, b"a" * 1000001).rest(3))
print("then a ping:", client.send(PING, b"a").rest(1))
print("then 5 bytes:", client.send(TEXT, b"hello").rest(1))
client = Raw(16865)
print("two fragments:", client.send(TEXT, b"one", fin=False).send(CONTINUATION, b"two").rest(3))
print("then a ping:", client.send(PING, b"a").rest(1))
print("an upgrade for another path:", Raw(16865, "/other", timeout=10).head)
plain = Raw._dial(16865)
plain.sendall(b"GET /other HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
print("a request for it:", plain.recv(4096).split(b"\r\n")[0].decode())
PY
