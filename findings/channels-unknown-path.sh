#!/usr/bin/env bash
# Django's Channels answers a WebSocket for a path without a route with 500, and Starlette with 403.
#
# A good guess: 404, their answer to a plain request for it. A client that retries after 5xx retries for ever. A client
# that asks the user for other credentials after 403 never succeeds.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi channels==4.3.2 daphne==4.2.3 Django==5.2.19 starlette==1.10.0 uvicorn==0.54.0 websockets==17.4
cat >"$work/channels_app.py" <<'PY'
import django
from channels.generic.websocket import WebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import path

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="none")
django.setup()
urlpatterns = []
websockets = URLRouter([path("ws", WebsocketConsumer.as_asgi())])
application = ProtocolTypeRouter({"http": get_asgi_application(), "websocket": websockets})
PY
cat >"$work/starlette_app.py" <<'PY'
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute


async def accept(socket):
    await socket.accept()
    await socket.receive()


application = Starlette(routes=[WebSocketRoute("/ws", accept)])
PY
serve "$work/python/bin/daphne" -b 127.0.0.1 -p 16837 channels_app:application
serve "$work/python/bin/uvicorn" --port 16838 starlette_app:application

python3 - <<'PY' | compare "Channels, /ws: 101
Channels, /other: 500
Channels, /other, a plain request: 404
Starlette, /ws: 101
Starlette, /other: 403
Starlette, /other, a plain request: 404"
import urllib.error
import urllib.request

from raw import *


def plain(port):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/other")
    except urllib.error.HTTPError as error:
        return error.code


for name, port in (("Channels", 16837), ("Starlette", 16838)):
    for path in ("/ws", "/other"):
        print(f"{name}, {path}:", Raw(port, path).status.split(" ")[1])
    print(f"{name}, /other, a plain request:", plain(port))
PY
