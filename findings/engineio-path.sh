#!/usr/bin/env bash
# engine.io, the base of socket.io, does not answer an upgrade for an unknown path, and ends TCP after a second.
#
# A good guess: 404, or 400 as for a transport it does not know. The client cannot tell it from a server that speaks TLS, or that has died.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_npm socket.io@4.8.4
echo "new (require('socket.io').Server)().listen(16836)" >"$work/echo.js"
serve node echo.js

python3 - <<'PY' | compare "its path: HTTP/1.1 101 Switching Protocols
another transport: HTTP/1.1 400 Bad Request
another path: '', then FIN, after 1 s"
import time

from raw import *

print("its path:", Raw(16836, "/socket.io/?EIO=4&transport=websocket").status)
print("another transport:", Raw(16836, "/socket.io/?EIO=4&transport=other").status)
began = time.monotonic()
client = Raw(16836, "/ws")
print(f"another path: {client.head}, after {time.monotonic() - began:.0f} s")
PY
