#!/usr/bin/env bash
# SWI-Prolog's WebSocket client asks with HTTP/1.0, to which four servers answer in four ways.
#
# A good guess: the request has HTTP/1.1, as RFC 6455 section 4.1 demands. PyPI websockets refuses it with 505. Tornado
# answers 101 and then ends TCP, which the client takes for a close frame. aiohttp writes HTTP/1.0 into its own status
# line. npm's ws does not look at the version.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian swi-prolog-nox=9.0.4+dfsg-2
take_npm ws@8.23.0
take_pypi websockets==17.4 tornado==6.6.1 aiohttp==3.14.5
cat >"$work/ws.js" <<'JS'
const { WebSocketServer } = require('ws');
new WebSocketServer({ host: '127.0.0.1', port: 16918 }).on('connection', (socket) => {
  socket.on('message', (data) => socket.send(String(data)));
});
JS
cat >"$work/servers.py" <<'PY'
import asyncio

import tornado.web
import tornado.websocket
from aiohttp import web
from websockets.asyncio.server import serve


async def websockets_echo(socket):
    async for message in socket:
        await socket.send(message)


class TornadoEcho(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        if self.ws_connection:
            self.write_message(message)


async def aiohttp_echo(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data)
    return socket


async def main():
    await serve(websockets_echo, "127.0.0.1", 16919)
    tornado.web.Application([("/", TornadoEcho)]).listen(16920, "127.0.0.1")
    application = web.Application()
    application.router.add_get("/", aiohttp_echo)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 16921).start()
    await asyncio.Event().wait()


asyncio.run(main())
PY
cat >"$work/client.pl" <<'PL'
:- use_module(library(http/websocket)).
:- initialization((catch(talk, Error, (Error = error(Term, _), print(Term), nl)), halt)).

talk :-
    current_prolog_flag(argv, [Url|_]),
    http_open_websocket(Url, Server, []),
    ws_send(Server, text("hello")),
    ws_receive(Server, Message),
    format("~w ~w~n", [Message.opcode, Message.data]).
PL
serve node ws.js
serve "$work/python/bin/python" servers.py
export work SWI_HOME_DIR=$work/debian/usr/lib/swi-prolog

python3 - "$SWI_HOME_DIR/bin/x86_64-linux/swipl" <<'PY' | compare "the request: GET / HTTP/1.0
npm ws: HTTP/1.1 101 Switching Protocols, then silence; the client says: text hello
websockets: HTTP/1.1 505 HTTP Version Not Supported, then FIN; the client says: permission_error(open,websocket,'ws://127.0.0.1:16919/')
Tornado: HTTP/1.1 101 Switching Protocols, then FIN; the client says: close end_of_file
aiohttp: HTTP/1.0 101 Switching Protocols, then silence; the client says: text hello"
import subprocess
import sys

from raw import *


def client(port):
    command = [sys.argv[1], f"{os.environ['work']}/client.pl", "--", f"ws://127.0.0.1:{port}/"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def ask(port):
    """The status of an HTTP/1.0 upgrade, and what follows within two seconds."""
    sock = Raw._dial(port)
    sock.sendall(f"GET / HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                 "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    sock.settimeout(2)
    received, end = b"", "FIN"
    try:
        while more := sock.recv(65536):
            received += more
    except TimeoutError:
        end = "silence"
    return f"{received.decode().splitlines()[0]}, then {end}"


listener = socket.create_server(("127.0.0.1", 0))
asking = client(listener.getsockname()[1])
print("the request:", listener.accept()[0].makefile("r").readline().strip())
asking.kill()
for name, port in (("npm ws", 16918), ("websockets", 16919), ("Tornado", 16920), ("aiohttp", 16921)):
    print(f"{name}: {ask(port)}; the client says: {client(port).communicate(timeout=60)[0].strip()}")
PY
