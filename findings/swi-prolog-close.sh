#!/usr/bin/env bash
# SWI-Prolog's WebSocket server answers each close with 1000 "bye". The order of two Connection lines decides on a 500.
#
# A good guess: the answer has the received code, and two lines are one list (RFC 9110 section 5.3). Of two lines it
# reads the first, so an upgrade behind a proxy that writes `keep-alive` there fails. A pong that nobody asked for comes
# to the program as a message: an echo sends it back.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian swi-prolog-nox=9.0.4+dfsg-2
cat >"$work/echo.pl" <<'PL'
:- use_module(library(http/thread_httpd)).
:- use_module(library(http/http_dispatch)).
:- use_module(library(http/websocket)).
:- http_handler(root(.), http_upgrade_to_websocket(echo, []), [spawn([])]).
:- initialization((http_server(http_dispatch, [port(localhost:16915)]), thread_get_message(_))).

echo(Client) :-
    ws_receive(Client, Message),
    (   Message.opcode == close
    ->  true
    ;   ws_send(Client, Message),
        echo(Client)
    ).
PL
export SWI_HOME_DIR=$work/debian/usr/lib/swi-prolog
serve "$SWI_HOME_DIR/bin/x86_64-linux/swipl" echo.pl

python3 - <<'PY' | compare "Connection: keep-alive, Upgrade: HTTP/1.1 101 Switching Protocols
Connection: Upgrade and Connection: keep-alive: HTTP/1.1 101 Switching Protocols
Connection: keep-alive and Connection: Upgrade: HTTP/1.1 500 Internal Server Error
close 4001: close 1000 b'bye', FIN
a pong: pong b'a', silence"
from raw import *

KEEP, UPGRADE = "Connection: keep-alive", "Connection: Upgrade"
for lines in ((f"{KEEP}, Upgrade",), (UPGRADE, KEEP), (KEEP, UPGRADE)):
    print(f"{' and '.join(lines)}: {Raw(16915, connection=lines).status}")
print("close 4001:", Raw(16915).close(4001, b"bye").rest())
print("a pong:", Raw(16915).send(PONG, b"a").rest())
PY
