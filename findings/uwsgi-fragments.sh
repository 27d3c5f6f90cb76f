#!/usr/bin/env bash
# uWSGI's WebSocket API passes a fragmented message to the application as one NUL byte, and its pongs are always empty.
#
# A good guess: a server with WebSocket support since 2013 assembles fragments, and a pong has the payload of its ping.
# Neither is true. A client that sends fragments loses messages without an error. A client that checks the payload of
# pongs loses a live server.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian uwsgi-core=2.0.21-5.1 uwsgi-plugin-python3=2.0.21-5.1
cat >"$work/echo.py" <<'PY'
import uwsgi


def application(environ, _start):
    uwsgi.websocket_handshake(environ["HTTP_SEC_WEBSOCKET_KEY"], environ.get("HTTP_ORIGIN", ""))
    while True:
        uwsgi.websocket_send(uwsgi.websocket_recv())
PY
serve "$work/debian/usr/bin/uwsgi-core" --plugin "$work/debian/usr/lib/uwsgi/plugins/python311_plugin.so" \
    --http-socket 127.0.0.1:16801 --wsgi-file echo.py --threads 4

python3 - <<'PY' | compare "one frame: text b'hello world'
two fragments: text b'\\x00'
a ping: pong b''
a message over the limit of 1 MiB: RST"
from raw import *


def client():
    return Raw(16801)


print("one frame:", client().send(TEXT, b"hello world").read())
print("two fragments:", client().send(TEXT, b"hello ", fin=False).send(CONTINUATION, b"world").read())
print("a ping:", client().send(PING, b"payload").read())
long = client()
try:
    long.send(BINARY, bytes(4 << 20))
except ConnectionError:
    pass
print("a message over the limit of 1 MiB:", long.read().replace("FIN", "RST"))
PY
