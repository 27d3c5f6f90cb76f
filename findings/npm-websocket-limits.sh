#!/usr/bin/env bash
# The server of npm's `websocket` refuses messages depending on their frames, and answers every close with 1000.
#
# A good guess: a limit applies to messages. By default this server accepts a message of 1 MiB if its fragments are at
# most 64 KiB. The same bytes in one frame end the connection with 1009. It sends in fragments of 16 KiB itself. The
# code and reason of a client's close frame are not echoed, so a client that expects its own code reports another end.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_npm websocket@1.0.35
cat >"$work/echo.js" <<'JS'
const http = require('http').createServer().listen(16809);
const { server: Server } = require('websocket');
new Server({ httpServer: http, autoAcceptConnections: true }).on('connect', (connection) => {
  connection.on('message', (message) => connection.sendUTF(String(message.binaryData.length)));
});
JS
serve node echo.js

python3 - <<'PY' | compare "65536 bytes in one frame: text b'65536'
65537 bytes in one frame: close 1009 b'Frame size of 65537 bytes exceeds maximum accepted frame size'
1 MiB in 16 fragments: text b'1048576'
close 4001: close 1000 b'', FIN"
from raw import *

print("65536 bytes in one frame:", Raw(16809).send(BINARY, bytes(65536)).read())
print("65537 bytes in one frame:", Raw(16809).send(BINARY, bytes(65537)).read())
client = Raw(16809)
for at in range(16):
    client.send(CONTINUATION if at else BINARY, bytes(65536), fin=at == 15)
print("1 MiB in 16 fragments:", client.read())
print("close 4001:", Raw(16809).close(4001, b"bye").rest())
PY
