#!/usr/bin/env bash
# PyPI's simple-websocket-server supports only four close codes of applications: 3000, 3999, 4000 and 4999.
#
# A good guess: a client's own code is echoed, as 3000 and 4000 are. The codes between the ends of these ranges are also
# for applications (RFC 6455 section 7.4.2). They are answered with 1002, a violation, and the client's reason.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi simple-websocket-server==0.4.4
cat >"$work/echo.py" <<'PY'
from simple_websocket_server import WebSocket, WebSocketServer


class Echo(WebSocket):
    def handle(self):
        self.send_message(self.data)


WebSocketServer("127.0.0.1", 16832, Echo).serve_forever()
PY
serve "$work/python/bin/python" echo.py

python3 - <<'PY' | compare "close 3000: close 3000 b'bye', FIN
close 3001: close 1002 b'bye', FIN
close 4000: close 4000 b'bye', FIN
close 4001: close 1002 b'bye', FIN
close 4999: close 4999 b'bye', FIN"
from raw import *

for code in (3000, 3001, 4000, 4001, 4999):
    print(f"close {code}:", Raw(16832).close(code, b"bye").rest())
PY
