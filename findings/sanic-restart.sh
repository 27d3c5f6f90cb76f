#!/usr/bin/env bash
# Sanic closes its connections with 1000, a normal closure, when it stops.
#
# A good guess: a stopping server sends 1001 "going away" or 1012 "service restart", so that clients reconnect. Sanic
# sends 1000, also for a failed handler. A client that treats 1000 as final stays offline at each deployment.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi sanic==25.12.1
cat >"$work/echo.py" <<'PY'
from sanic import Sanic

app = Sanic("echo")


@app.websocket("/")
async def echo(request, socket):
    async for message in socket:
        await socket.send(message)


if __name__ == "__main__":
    app.run("127.0.0.1", 16825, single_process=True, access_log=False, motd=False)
PY
serve "$work/python/bin/python" echo.py

python3 - "${servers[0]}" <<'PY' | compare "an echo: text b'hello'
SIGTERM: close 1000 b''"
import os
import signal
import sys

from raw import *

client = Raw(16825).send(TEXT, b"hello")
print("an echo:", client.read())
os.killpg(int(sys.argv[1]), signal.SIGTERM)
print("SIGTERM:", client.read(10))
PY
