#!/usr/bin/env bash
# Traffic Server answers 404 to an upgrade for a host that only a map for http:// names.
#
# A good guess: an upgrade is an HTTP request, so it follows the rule of its host and path. Traffic Server looks it up
# as ws://, so only a map for ws:// fits. An ordinary request for the same host is answered.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian trafficserver=9.2.5+ds-0+deb12u4
take_npm ws@8.23.0
cat >"$work/echo.js" <<'JS'
const server = require('http').createServer((request, response) => response.end('a page'));
new (require('ws').WebSocketServer)({ server });
server.listen(16915, '127.0.0.1');
JS
usr=$work/debian/usr
mkdir -p "$work/ats/run" "$work/ats/log" "$work/ats/cache"
cp -r "$work/debian/etc/trafficserver" "$work/ats/etc"
cat >"$work/runroot.yaml" <<YAML
prefix: $work/ats
exec_prefix: $work/ats
bindir: $usr/bin
sbindir: $usr/sbin
sysconfdir: $work/ats/etc
datadir: $work/ats/cache
includedir: $work/ats
libdir: $usr/lib/trafficserver
libexecdir: $usr/lib/trafficserver/modules
localstatedir: $work/ats/run
runtimedir: $work/ats/run
logdir: $work/ats/log
mandir: $work/ats
infodir: $work/ats
cachedir: $work/ats/cache
YAML
cat >"$work/ats/etc/records.config" <<CONFIG
CONFIG proxy.config.http.server_ports STRING 16914
CONFIG proxy.config.admin.user_id STRING #-1
CONFIG proxy.config.body_factory.template_sets_dir STRING $work/ats/etc/body_factory
CONFIG proxy.config.http.cache.http INT 0
CONFIG
cat >"$work/ats/etc/remap.config" <<CONFIG
map http://one.example http://127.0.0.1:16915
map http://two.example http://127.0.0.1:16915
map ws://two.example ws://127.0.0.1:16915
CONFIG
: >"$work/ats/etc/storage.config"
serve node echo.js
export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$usr/lib/trafficserver
serve "$usr/bin/traffic_server" --run-root="$work/runroot.yaml"

python3 - <<'PY' | compare "one.example, a page: HTTP/1.1 200 OK
one.example, an upgrade: HTTP/1.1 404 Not Found on Accelerator
two.example, a page: HTTP/1.1 200 OK
two.example, an upgrade: HTTP/1.1 101 Switching Protocols"
from raw import *

UPGRADE = """Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==
Sec-WebSocket-Version: 13
"""


def status(host, headers):
    connection = Raw._dial(16914)
    connection.sendall(f"GET / HTTP/1.1\nHost: {host}\n{headers}\n".replace("\n", "\r\n").encode())
    return connection.recv(65536).decode().split("\r\n")[0]


for host in ("one.example", "two.example"):
    print(f"{host}, a page:", status(host, ""))
    print(f"{host}, an upgrade:", status(host, UPGRADE))
PY
