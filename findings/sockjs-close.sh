#!/usr/bin/env bash
# SockJS gives its program binary as text, in which bytes that are not UTF-8 are lost, and closes a session with 1000.
#
# A good guess: the URL that ends in /websocket is a plain WebSocket, as its documentation says, and the program's close
# code is the close frame's. At the plain URL a binary message is answered by text with replacement characters. TCP
# stays open after the server's close frame until the client answers. At a session's URL, the program's code is in a
# message of text, and the close frame has 1000. Text that is not JSON gets 3000 there. An upgrade for another path has
# no answer. Needs Node.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_npm sockjs@0.3.24
cat >"$work/echo.js" <<'JS'
const http = require('http');
const sockjs = require('sockjs');

const echo = sockjs.createServer({ log() {} });
echo.on('connection', connection => {
  connection.on('data', data => (data === 'close' ? connection.close(4001, 'bye') : connection.write(data)));
});
const server = http.createServer();
echo.installHandlers(server, { prefix: '/echo' });
server.listen(16964, '127.0.0.1');
JS
serve node echo.js

python3 - <<'PY' | compare "plain, text: text b'hello', silence
plain, binary: text b'\xef\xbf\xbd\xef\xbf\xbd', silence
plain, the program closes: close 4001 b'bye', silence
session, text: text b'o', text b'a[\"hello\"]', silence
session, the program closes: text b'o', text b'c[4001,\"bye\"]', close 1000 b'Normal closure', silence
session, not JSON: text b'o', close 3000 b'Broken framing.', silence
another path: '', then silence"
from raw import *


def plain():
    return Raw(16964, "/echo/websocket")


def session():
    return Raw(16964, "/echo/000/abc/websocket")


print("plain, text:", plain().send(TEXT, b"hello").rest())
print("plain, binary:", plain().send(BINARY, b"\xff\xfe").rest())
print("plain, the program closes:", plain().send(TEXT, b"close").rest())
print("session, text:", session().send(TEXT, b'["hello"]').rest())
print("session, the program closes:", session().send(TEXT, b'["close"]').rest())
print("session, not JSON:", session().send(TEXT, b"hello").rest())
print("another path:", Raw(16964, "/other", timeout=3).head)
PY
