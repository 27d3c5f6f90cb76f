#!/usr/bin/env bash
# pywebsocket3, the server that browsers' own tests run against, treats a ping between two fragments as a violation.
#
# A good guess: control frames may come between the fragments of a message (RFC 6455 section 5.4). Here that ends in 1002, so a
# client's keepalive ends a long upload. It answers every close with 1000, and an offer of sub-protocols with 400.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi pywebsocket3==4.0.2
mkdir "$work/handlers"
cat >"$work/handlers/echo_wsh.py" <<'PY'
def web_socket_do_extra_handshake(request):
    pass


def web_socket_transfer_data(request):
    while (message := request.ws_stream.receive_message()) is not None:
        request.ws_stream.send_message(message, binary=isinstance(message, bytes))
PY
serve "$work/python/bin/python" -m pywebsocket3.standalone -p 16831 -d handlers

python3 - <<'PY' | compare "two fragments: text b'hello'
a ping between them: close 1002 b'', FIN
close 4001: close 1000 b'', FIN
an offer of sub-protocols: 400"
from raw import *

print("two fragments:", Raw(16831, "/echo").send(TEXT, b"he", fin=False).send(CONTINUATION, b"llo").read())
between = Raw(16831, "/echo").send(TEXT, b"he", fin=False).send(PING, b"x")
print("a ping between them:", between.rest())
print("close 4001:", Raw(16831, "/echo").close(4001, b"bye").rest())
print("an offer of sub-protocols:", Raw(16831, "/echo", ["Sec-WebSocket-Protocol: a, b"]).status.split(" ")[1])
PY
