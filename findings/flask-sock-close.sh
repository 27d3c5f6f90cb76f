#!/usr/bin/env bash
# Flask-Sock on Flask's own server answers a close frame with an HTTP response.
#
# A good guess: a clean close is answered by a close frame and then TCP ends. When the route's function ends, Werkzeug's
# server writes the response it would write for any request. Often no close frame precedes it. The client then reads
# "HTTP" as a frame: 0x48 is a close frame without FIN and with a reserved bit.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi flask-sock==0.7.0 simple-websocket==1.1.0 Flask==3.1.3 Werkzeug==3.1.9 wsproto==1.3.2
cat >"$work/echo.py" <<'PY'
from flask import Flask
from flask_sock import Sock

app = Flask(__name__)


@Sock(app).route("/echo")
def echo(ws):
    while True:
        ws.send(ws.receive())


app.run("127.0.0.1", 16805, threaded=True)
PY
serve "$work/python/bin/python" echo.py

python3 - <<'PY' | compare "an echo: text b'hello'
close 1000: HTTP/1.1 200 OK behind the frames, or in place of them; then FIN"
from raw import *

client = Raw(16805, "/echo")
print("an echo:", client.send(TEXT, b"hello").read())
client.close(1000)
while client.more(5) == "":
    pass
# Whether a close frame goes ahead of it depends on which of two threads is faster.
at = client.received.find(b"HTTP/")
print("close 1000:", client.received[at:].decode().splitlines()[0], "behind the frames, or in place of them; then FIN")
PY
