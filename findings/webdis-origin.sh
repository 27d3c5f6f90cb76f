#!/usr/bin/env bash
# Webdis leaves an upgrade without `Origin` unanswered, and answers neither pings nor close frames.
#
# A good guess: browsers send `Origin`, and a server that requires it refuses requests without it. Webdis keeps the
# connection and sends nothing, so another client waits until its own timeout. Webdis has no closing handshake either,
# so a client must not wait for it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian webdis=0.1.9+dfsg-1.1 redis-server
serve "$work/debian/usr/bin/redis-server" --port 16808 --save ''
cat >"$work/webdis.json" <<CONF
{"redis_host": "127.0.0.1", "redis_port": 16808, "http_host": "127.0.0.1", "http_port": 16807, "threads": 1,
 "daemonize": false, "websockets": true, "verbosity": 0, "logfile": "$work/webdis.log"}
CONF
serve "$work/debian/usr/bin/webdis" webdis.json

python3 - <<'PY' | compare "without Origin: '', then silence
with Origin: HTTP/1.1 101 Switching Protocols
a binary request: text b'{\"SET\":[true,\"OK\"]}'
a ping: silence
a close: silence"
from raw import *


def client():
    return Raw(16807, "/.json", ["Origin: http://page.example"])


print("without Origin:", Raw(16807, "/.json", timeout=3).head)
print("with Origin:", client().status)
print("a binary request:", client().send(BINARY, b'["SET","a","b"]').read())
print("a ping:", client().send(PING, b"a").read())
print("a close:", client().close(1000).read())
PY
