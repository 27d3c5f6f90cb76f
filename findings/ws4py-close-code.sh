#!/usr/bin/env bash
# ws4py answers a close frame without a code by the code 1005, and an offer of sub-protocols by all that it knows.
#
# A good guess: the answer has the code that came, so none for none. No frame may have 1005 (RFC 6455 section 7.4.1), so
# npm's ws reports 1006 after a clean close. It does not accept two sub-protocols in one answer either.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi ws4py==0.6.0
take_npm ws@8.23.0
cat >"$work/echo.py" <<'PY'
from wsgiref.simple_server import make_server

from ws4py.server.wsgirefserver import WebSocketWSGIRequestHandler, WSGIServer
from ws4py.server.wsgiutils import WebSocketWSGIApplication
from ws4py.websocket import EchoWebSocket

server = make_server("127.0.0.1", 16927, server_class=WSGIServer, handler_class=WebSocketWSGIRequestHandler,
                     app=WebSocketWSGIApplication(handler_cls=EchoWebSocket, protocols=["chat", "echo"]))
server.initialize_websockets_manager()
server.serve_forever()
PY
cat >"$work/client.js" <<'JS'
const WebSocket = require('ws');
const run = (what, offer, action) => new Promise((done) => {
  const socket = new WebSocket('ws://127.0.0.1:16927', offer);
  socket.on('open', () => action(socket));
  socket.on('error', (error) => console.log(`npm's ws, ${what}: ${error.message}`));
  socket.on('close', (code) => { console.log(`npm's ws, ${what}: ${code}`); done(); });
});
(async () => {
  await run('close with 1000', [], (socket) => socket.close(1000));
  await run('close without a code', [], (socket) => socket.close());
  await run('two offered', ['echo', 'chat'], (socket) => socket.close(1000));
})();
JS
serve "$work/python/bin/python" echo.py

cd "$work"
{
    python3 - <<'PY'
from raw import *

print("close 4000:", Raw(16927).close(4000, b"bye").rest())
print("close without a code:", Raw(16927).close().rest())
for offer in ("echo", "echo, chat, other"):
    opened = Raw(16927, headers=[f"Sec-WebSocket-Protocol: {offer}"])
    print(f"the offer {offer}:", opened.header("Sec-WebSocket-Protocol"))
PY
    node client.js
} | compare "close 4000: close 4000 b'bye', FIN
close without a code: close 1005 b'', FIN
the offer echo: ['echo']
the offer echo, chat, other: ['echo, chat']
npm's ws, close with 1000: 1000
npm's ws, close without a code: Invalid WebSocket frame: invalid status code 1005
npm's ws, close without a code: 1006
npm's ws, two offered: Server sent an invalid subprotocol
npm's ws, two offered: 1006"
