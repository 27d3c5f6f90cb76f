#!/usr/bin/env bash
# lighttpd's mod_wstunnel ends every tunnel with the close code 12592.
#
# A good guess: a client's close frame is answered by its own code, or by 1000. This module writes the four characters
# "1000" into its close frame, of which the first two are the code 12592, and the others a reason. It sends all data of
# the backend as text, cut where TCP cut it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian lighttpd=1.4.69-1
cat >"$work/bytes.py" <<'PY'
import socketserver


class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)


socketserver.ThreadingTCPServer.allow_reuse_address = True
socketserver.ThreadingTCPServer(("127.0.0.1", 16830), Echo).serve_forever()
PY
cat >"$work/tunnel.conf" <<CONF
server.document-root = "$work"
server.bind = "127.0.0.1"
server.port = 16829
server.modules = ("mod_wstunnel")
wstunnel.server = ("" => (("host" => "127.0.0.1", "port" => 16830)))
CONF
serve python3 bytes.py
serve "$work/debian/usr/sbin/lighttpd" -D -m "$work/debian/usr/lib/lighttpd" -f tunnel.conf

python3 - <<'PY' | compare "binary: text b'\xff\xfe'
close 1000: close 12592 b'00', FIN
close 4001: close 12592 b'00', FIN"
from raw import *

Raw._dial(16830).close()  # Waits until the server behind it is there.
print("binary:", Raw(16829).send(BINARY, b"\xff\xfe").read())
print("close 1000:", Raw(16829).close(1000, b"bye").rest())
print("close 4001:", Raw(16829).close(4001, b"bye").rest())
PY
