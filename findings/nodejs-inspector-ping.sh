#!/usr/bin/env bash
# Node's inspector, a WebSocket server in every Node, ends the connection at a ping, a pong, a binary message or a fragment.
#
# A good guess: a debugger's endpoint answers pings like any other, so a client's keepalive does no harm. This one
# supports only text in one frame and the close frame. Anything else ends TCP without a close frame, as 1006.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

node --version
serve node --inspect=127.0.0.1:16823 -e 'setInterval(() => {}, 1e6)'

python3 - <<'PY' | compare 'text: text b'"'"'{"id":1,"result":{}}'"'"'
a ping: FIN
a pong nobody asked for: FIN
a binary message: FIN
a message in two fragments: FIN
close 4001: close b'"''"', FIN'
import json
import time
import urllib.request

from raw import *


def target():
    for _ in range(100):
        try:
            return json.load(urllib.request.urlopen("http://127.0.0.1:16823/json"))[0]["webSocketDebuggerUrl"].split(":16823")[1]
        except OSError:
            time.sleep(0.1)  # Node is still starting.


path = target()
command = b'{"id":1,"method":"Runtime.disable"}'
print("text:", Raw(16823, path).send(TEXT, command).read())
print("a ping:", Raw(16823, path).send(PING, b"x").rest())
print("a pong nobody asked for:", Raw(16823, path).send(PONG).rest())
print("a binary message:", Raw(16823, path).send(BINARY, command).rest())
print("a message in two fragments:", Raw(16823, path).send(TEXT, command[:9], fin=False).send(CONTINUATION, command[9:]).rest())
print("close 4001:", Raw(16823, path).close(4001, b"bye").rest())
PY
