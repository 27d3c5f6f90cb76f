#!/usr/bin/env bash
# npm's nodejs-websocket never ends TCP after the closing handshake.
#
# A good guess: the server ends TCP first, and a client waits for that (RFC 6455 section 7.1.1). This one answers the
# close frame and keeps the connection, so a client that reports the close only at the end of TCP waits for its own
# deadline. It accepts text that is not UTF-8, with replacement characters.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_npm nodejs-websocket@1.7.2
cat >"$work/echo.js" <<'JS'
require('nodejs-websocket').createServer((connection) => connection.on('error', () => {})).listen(16810);
JS
serve node echo.js

python3 - <<'PY' | compare "close 4001: close 4001 b'bye', silence
an empty close: close b'', silence"
from raw import *

print("close 4001:", Raw(16810).close(4001, b"bye").rest(10))
print("an empty close:", Raw(16810).close().rest(10))
PY
