#!/usr/bin/env bash
# Varnish, configured for WebSocket as in its documentation, sends no answer when its backend is down.
#
# A good guess: 503, its answer to any other request then; other proxies answer an upgrade with 502 or 503. An upgrade
# must use `pipe`. If the pipe cannot be opened, TCP ends without a byte. Needs gcc, which Varnish calls.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian varnish=7.1.1-2+deb12u1
cat >"$work/default.vcl" <<'VCL'
vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "16846"; }
sub vcl_recv {
    if (req.http.upgrade ~ "(?i)websocket") { return (pipe); }
}
sub vcl_pipe {
    if (req.http.upgrade) {
        set bereq.http.upgrade = req.http.upgrade;
        set bereq.http.connection = req.http.connection;
    }
}
VCL
export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$work/debian/usr/lib/x86_64-linux-gnu/varnish
serve "$work/debian/usr/sbin/varnishd" -F -a 127.0.0.1:16845 -f "$work/default.vcl" -n "$work/varnish" -s malloc,10m

python3 - <<'PY' | compare "GET: HTTP/1.1 503 Backend fetch failed
an upgrade: '', then FIN"
from raw import *

plain = Raw._dial(16845)
plain.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
print("GET:", plain.recv(4096).split(b"\r\n")[0].decode())
print("an upgrade:", Raw(16845).head)
PY
