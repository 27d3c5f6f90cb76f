#!/usr/bin/env bash
# Bun.serve answers an offer of sub-protocols with the first one, although the application has chosen none.
#
# A good guess: without a choice of the application there is no sub-protocol. The client then believes that the server
# supports it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_npm @oven/bun-linux-x64-baseline@1.4.4
cat >"$work/echo.js" <<'JS'
Bun.serve({
  hostname: '127.0.0.1',
  port: 16835,
  fetch(request, server) {
    const { pathname } = new URL(request.url);
    const headers = pathname === '/chat' ? { 'Sec-WebSocket-Protocol': 'chat' } : undefined;
    return server.upgrade(request, { headers }) ? undefined : new Response('no upgrade', { status: 400 });
  },
  websocket: { message(socket, message) { socket.send(message); } },
});
JS
serve "$work/node_modules/@oven/bun-linux-x64-baseline/bin/bun" echo.js

python3 - <<'PY' | compare "none offered: []
b and a offered: ['b']
b and chat offered, chat chosen: ['chat']"
from raw import *


def chosen(path, *headers):
    return Raw(16835, path, headers).header("Sec-WebSocket-Protocol")


print("none offered:", chosen("/"))
print("b and a offered:", chosen("/", "Sec-WebSocket-Protocol: b, a"))
print("b and chat offered, chat chosen:", chosen("/chat", "Sec-WebSocket-Protocol: b, chat"))
PY
