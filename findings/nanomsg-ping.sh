#!/usr/bin/env bash
# nanomsg answers no ping, and its refusal of an upgrade never ends. Its successor nng does not answer a close frame.
#
# A good guess: two libraries of one author speak one protocol (SP over WebSocket) alike. nanomsg ignores pings, so a
# client with a keepalive loses each idle connection. Its 400 lacks the empty line, and TCP stays open. nng answers
# pings, but refuses text with 1003. Both refuse two offered sub-protocols, although they know one of them.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian nanomsg-utils=1.1.5+dfsg-1.1+b1 nng-utils=1.5.2-2
serve "$work/debian/usr/bin/nanocat" --rep --bind ws://127.0.0.1:16861 --data yes
serve "$work/debian/usr/bin/nngcat" --rep --listen ws://127.0.0.1:16862 --data yes

python3 - <<'PY' | compare "nanomsg
a request: binary b'\x80\x00\x00\x01yes'
a ping: silence
a text message: silence
close 4001: close 4001 b'', FIN
two offers: 'HTTP/1.1 400 Unrecognized Socket Type\r\nSec-WebSocket-Version: 13\r\n', then silence
nng
a request: binary b'\x80\x00\x00\x01yes'
a ping: pong b'a'
a text message: close 1003 b'', FIN
close 4001: FIN
two offers: HTTP/1.1 400 Bad Request"
from raw import *

OFFER = "Sec-WebSocket-Protocol: rep.sp.nanomsg.org"
for name, port in (("nanomsg", 16861), ("nng", 16862)):
    print(name)
    print("a request:", Raw(port, headers=[OFFER]).send(BINARY, b"\x80\x00\x00\x01a question").read())
    print("a ping:", Raw(port, headers=[OFFER]).send(PING, b"a").read(5))
    print("a text message:", Raw(port, headers=[OFFER]).send(TEXT, b"\x00\x00\x00\x01a question").rest())
    print("close 4001:", Raw(port, headers=[OFFER]).close(4001, b"bye").rest())
    print("two offers:", Raw(port, headers=[OFFER + ", other"]).status)
PY
