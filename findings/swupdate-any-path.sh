#!/usr/bin/env bash
# SWUpdate, which updates the software of embedded devices, upgrades every path and returns the whole offer.
#
# A good guess: its status comes from one path, and another one gets 404 or its file, as for any other request. Here
# `/ws`, a file and a missing path all get 101. An offer of two sub-protocols in one line comes back as it was, which a
# strict client refuses; of two lines only the first comes back. Every close frame is answered by an empty one.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian swupdate=2022.12+dfsg-4+deb12u3
mkdir "$work/www"
echo hello >"$work/www/file.txt"
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=device -keyout "$work/key" -out "$work/certificate" 2>/dev/null
export TMPDIR=$work
serve "$work/debian/usr/bin/swupdate" -k "$work/certificate" -w "-r $work/www -p 16923"

python3 - <<'PY' | compare "GET /file.txt: HTTP/1.1 200 OK
GET /missing: HTTP/1.1 404 Not Found
an upgrade of /ws: HTTP/1.1 101 Switching Protocols
an upgrade of /file.txt: HTTP/1.1 101 Switching Protocols
an upgrade of /missing: HTTP/1.1 101 Switching Protocols
the offer one, two: ['one, two']
the offer one, then two in a second line: ['one']
close 4001: close b'', FIN"
from raw import *

for path in ("/file.txt", "/missing"):
    plain = Raw._dial(16923)
    plain.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    print(f"GET {path}:", plain.recv(4096).split(b"\r\n")[0].decode())
for path in ("/ws", "/file.txt", "/missing"):
    print(f"an upgrade of {path}:", Raw(16923, path).status)
for words, lines in (("one, two", ["one, two"]), ("one, then two in a second line", ["one", "two"])):
    offer = [f"Sec-WebSocket-Protocol: {line}" for line in lines]
    print(f"the offer {words}:", Raw(16923, "/ws", offer).header("Sec-WebSocket-Protocol"))
print("close 4001:", Raw(16923, "/ws").close(4001, b"bye").rest())
PY
