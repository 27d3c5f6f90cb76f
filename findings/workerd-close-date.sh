#!/usr/bin/env bash
# Whether workerd, the runtime of Cloudflare Workers, answers a close frame depends on a date in its configuration.
#
# A good guess: a WebSocket implementation answers close frames by itself (RFC 6455 section 5.5.1), and a version of it
# behaves in one way. With a compatibility date before 2026-04-07 the close frame only becomes an event: unless the
# worker calls close(), no answer comes and TCP stays open. Pings are answered with any date.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_npm workerd@1.20261117.1
cat >"$work/echo.js" <<'JS'
export default {
  fetch() {
    const [client, server] = Object.values(new WebSocketPair());
    server.accept();
    server.addEventListener('message', (event) => server.send(event.data));
    return new Response(null, { status: 101, webSocket: client });
  },
};
JS
cat >"$work/dates.capnp" <<'CAPNP'
using Workerd = import "/workerd/workerd.capnp";
const dates :Workerd.Config = (
  services = [
    (name = "before", worker = (modules = [(name = "echo", esModule = embed "echo.js")], compatibilityDate = "2026-04-06")),
    (name = "after", worker = (modules = [(name = "echo", esModule = embed "echo.js")], compatibilityDate = "2026-04-07"))
  ],
  sockets = [
    (name = "before", address = "127.0.0.1:16867", http = (), service = "before"),
    (name = "after", address = "127.0.0.1:16868", http = (), service = "after")
  ]
);
CAPNP
serve "$work/node_modules/.bin/workerd" serve dates.capnp

python3 - <<'PY' | compare "2026-04-06: text b'hello', close 4001: silence
2026-04-07: text b'hello', close 4001: close 4001 b'bye', FIN"
from raw import *

for date, port in (("2026-04-06", 16867), ("2026-04-07", 16868)):
    client = Raw(port)
    print(f"{date}: {client.send(TEXT, b'hello').read()}, close 4001: {client.close(4001, b'bye').rest(10)}")
PY
