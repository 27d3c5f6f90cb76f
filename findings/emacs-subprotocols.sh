#!/usr/bin/env bash
# Emacs' websocket.el chooses all offered sub-protocols that it knows, each in a header line of its own.
#
# A good guess: a server chooses one sub-protocol (RFC 6455 section 4.2.2). Two lines make clients that check the answer
# end the connection. Each fragment is a message, and a close frame gets only the end of TCP.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian emacs-nox=1:28.2+1-15+deb12u4 elpa-websocket=1.13-3
take_npm ws@8.23.0
take_pypi websockets==17.4
cat >"$work/echo.el" <<'EL'
(require 'websocket)
(websocket-server
 16902 :host "127.0.0.1" :protocol '("chat" "echo")
 :on-message (lambda (client frame) (websocket-send-text client (websocket-frame-text frame))))
(while t (accept-process-output nil 1))
EL
cat >"$work/client.js" <<'JS'
const socket = new (require('ws'))('ws://127.0.0.1:16902', ['echo', 'chat']);
socket.on('open', () => { console.log("npm's ws, two offered: open"); socket.terminate(); });
socket.on('error', (error) => console.log(`npm's ws, two offered: ${error.message}`));
JS
cat >"$work/client.py" <<'PY'
from websockets.sync.client import connect

try:
    connect("ws://127.0.0.1:16902", subprotocols=["echo", "chat"])
    print("PyPI's websockets, two offered: open")
except Exception as error:
    print("PyPI's websockets, two offered:", error)
PY
usr=$work/debian/usr
EMACSLOADPATH=$(find "$usr"/share/emacs/28.2/lisp "$usr"/share/emacs/site-lisp/elpa-src/websocket-* -type d -printf '%p:')
export EMACSLOADPATH EMACSDATA=$usr/share/emacs/28.2/etc EMACSDOC=$usr/share/emacs/28.2/etc
dump=$(find "$usr" -name 'emacs*.pdmp')
serve "$(find "$usr/bin" -name 'emacs-nox')" ${dump:+--dump-file="$dump"} -Q --batch -l echo.el

cd "$work"
{
    python3 - <<'PY'
from raw import *

for offer in ("echo", "other", "echo, chat"):
    opened = Raw(16902, headers=[f"Sec-WebSocket-Protocol: {offer}"])
    print(f"the offer {offer}: {opened.header('Sec-WebSocket-Protocol')}")
print("a message in two fragments:", Raw(16902).send(TEXT, b"hel", fin=False).send(CONTINUATION, b"lo").rest())
print("close 4000:", Raw(16902).close(4000, b"bye").rest())
PY
    node client.js
    python/bin/python client.py
} | compare "the offer echo: ['echo']
the offer other: []
the offer echo, chat: ['echo', 'chat']
a message in two fragments: text b'hel', text b'lo', silence
close 4000: FIN
npm's ws, two offered: Server sent an invalid subprotocol
PyPI's websockets, two offered: invalid Sec-WebSocket-Protocol header: multiple values: echo, chat"
