#!/usr/bin/env bash
# QEMU's VNC server ends the head of a refusal without the empty line, and answers every close with 1000.
#
# A good guess: a refused upgrade is a complete HTTP response. This one ends with its last header line and FIN. A parser
# that waits for the empty line finds no answer, and the status 400 is lost. Its close frames never have the client's
# code. It refuses text with any sub-protocol.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian qemu-system-x86
serve "$work/debian/usr/bin/qemu-system-x86_64" -L "$work/debian/usr/share/qemu" -L "$work/debian/usr/share/seabios" \
    -machine none -display none -nodefaults -vnc 127.0.0.1:77,websocket=16803
"$work/debian/usr/bin/qemu-system-x86_64" --version | sed -n 1p

python3 - <<'PY' | compare "another sub-protocol: HTTP/1.1 400 Bad Request, the empty line: False, then FIN
close 4001: close 1000 b'peer requested close', FIN
a text message: close 1003 b'only binary, close, ping, and pong frames are supported', FIN"
from raw import *

refused = Raw(16803, headers=["Sec-WebSocket-Protocol: other"])
text = refused.received.decode()
complete = "\r\n\r\n" in text
print(f"another sub-protocol: {text.splitlines()[0]}, the empty line: {complete}, then {refused.head.split()[-1]}")


def client():
    opened = Raw(16803, headers=["Sec-WebSocket-Protocol: binary"])
    opened.read()  # The server's greeting.
    return opened


print("close 4001:", client().close(4001, b"bye").rest())
print("a text message:", client().send(TEXT, b"RFB 003.008\n").rest())
PY
