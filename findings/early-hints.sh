#!/usr/bin/env bash
# nginx loses the 101 of a backend that says 103 before it, and HAProxy answers 502 if both come at once.
#
# A good guess: a proxy passes interim answers on, or drops them (RFC 9110 section 15.2). lighttpd does the one, and h2o
# the other. nginx is silent for its proxy_read_timeout, by default a minute, and then passes only the 103 on. HAProxy
# passes both on if the 101 comes half a second later. Of two clients without a proxy, npm's ws skips the 103, and
# PyPI's websockets takes it for a refusal.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian nginx=1.22.1-9+deb12u11 haproxy=2.6.12-1+deb12u4 h2o=2.2.5+dfsg2-7 lighttpd=1.4.69-1
take_npm ws@8.23.0
take_pypi websockets==17.4
cat >"$work/backend.py" <<'PY'
import base64
import hashlib
import socketserver
import time


class Backend(socketserver.StreamRequestHandler):
    def handle(self):
        request, key = self.rfile.readline(), b""
        while (line := self.rfile.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            if name.lower() == b"sec-websocket-key":
                key = value.strip()
        if not key:
            return
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        hints = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
        switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        switch += b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        if b"/none" in request:
            hints = b""
        if b"/later" in request:
            self.wfile.write(hints)
            time.sleep(0.5)
            hints = b""
        self.wfile.write(hints + switch + b"\x81\x05hello")
        self.rfile.read()


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", 16930), Backend).serve_forever()
PY
mkdir "$work/tmp"
cat >"$work/nginx.conf" <<CONF
daemon off;
pid $work/nginx.pid;
events {}
http {
    access_log off;
    client_body_temp_path $work/tmp;
    proxy_temp_path $work/tmp;
    fastcgi_temp_path $work/tmp;
    uwsgi_temp_path $work/tmp;
    scgi_temp_path $work/tmp;
    server {
        listen 127.0.0.1:16931;
        location / {
            proxy_pass http://127.0.0.1:16930;
            proxy_http_version 1.1;
            proxy_read_timeout 3s;
            proxy_set_header Upgrade \$http_upgrade;
            proxy_set_header Connection upgrade;
        }
    }
}
CONF
cat >"$work/haproxy.cfg" <<CONF
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend in
    bind 127.0.0.1:16932
    default_backend out
backend out
    server one 127.0.0.1:16930
CONF
cat >"$work/h2o.conf" <<CONF
user: $(id -un)
hosts:
  default:
    listen:
      host: 127.0.0.1
      port: 16933
    paths:
      /:
        proxy.reverse.url: http://127.0.0.1:16930/
        proxy.websocket: ON
CONF
cat >"$work/lighttpd.conf" <<CONF
server.modules = ("mod_proxy")
server.port = 16934
server.bind = "127.0.0.1"
server.document-root = "$work/tmp"
server.upload-dirs = ("$work/tmp")
proxy.server = ("/" => (("host" => "127.0.0.1", "port" => 16930)))
proxy.header = ("upgrade" => "enable")
CONF
serve python3 backend.py
python3 -c 'from raw import *; Raw._dial(16930).close()'  # Waits until the backend is there.
serve "$work/debian/usr/sbin/nginx" -e "$work/nginx.log" -p "$work" -c "$work/nginx.conf"
serve "$work/debian/usr/sbin/haproxy" -f "$work/haproxy.cfg"
serve "$work/debian/usr/bin/h2o" -c "$work/h2o.conf"
serve "$work/debian/usr/sbin/lighttpd" -D -f "$work/lighttpd.conf" -m "$work/debian/usr/lib/lighttpd"

cat >"$work/client.js" <<'JS'
const socket = new (require('ws'))('ws://127.0.0.1:16930/at-once');
socket.on('message', (message) => { console.log(`npm's ws, without a proxy: ${message}`); socket.terminate(); });
socket.on('error', (error) => console.log(`npm's ws, without a proxy: ${error.message}`));
JS
cat >"$work/client.py" <<'PY'
from websockets.sync.client import connect

try:
    connect("ws://127.0.0.1:16930/at-once")
except Exception as error:
    print("PyPI's websockets, without a proxy:", error)
PY
{
    python3 - <<'PY'
from raw import *

for name, port in (("nginx", 16931), ("HAProxy", 16932), ("h2o", 16933), ("lighttpd", 16934)):
    for path in ("none", "at-once", "later"):
        began, opened = time.monotonic(), Raw(port, f"/{path}")
        seen = [opened.head.split("\r\n")[0]]
        if time.monotonic() - began > 2:
            seen[0] += " after the timeout"
        while not opened.more(2):
            pass
        if opened.received.startswith(b"HTTP/1.1 101 "):
            head, opened.received = opened.received.split(b"\r\n\r\n", 1)
            seen.append(head.decode().split("\r\n")[0])
        if " 101 " in seen[-1]:
            seen.append(opened.read())
        print(f"{name}, 103 {path}: {', '.join(seen)}")
PY
    cd "$work"
    node client.js
    python/bin/python client.py
} | compare "nginx, 103 none: HTTP/1.1 101 Switching Protocols, text b'hello'
nginx, 103 at-once: HTTP/1.1 103 Early Hints after the timeout
nginx, 103 later: HTTP/1.1 103 Early Hints after the timeout
HAProxy, 103 none: HTTP/1.1 101 Switching Protocols, text b'hello'
HAProxy, 103 at-once: HTTP/1.1 502 Bad Gateway
HAProxy, 103 later: HTTP/1.1 103 Early Hints, HTTP/1.1 101 Switching Protocols, text b'hello'
h2o, 103 none: HTTP/1.1 101 Switching Protocols, text b'hello'
h2o, 103 at-once: HTTP/1.1 101 Switching Protocols, text b'hello'
h2o, 103 later: HTTP/1.1 101 Switching Protocols, text b'hello'
lighttpd, 103 none: HTTP/1.1 101 Switching Protocols, text b'hello'
lighttpd, 103 at-once: HTTP/1.1 103 Early Hints, HTTP/1.1 101 Switching Protocols, text b'hello'
lighttpd, 103 later: HTTP/1.1 103 Early Hints, HTTP/1.1 101 Switching Protocols, text b'hello'
npm's ws, without a proxy: hello
PyPI's websockets, without a proxy: server rejected WebSocket connection: HTTP 103"
