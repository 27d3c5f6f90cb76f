#!/usr/bin/env bash
# MochiWeb, the HTTP library of Erlang programs, gives messages that arrive together to its application as one message.
#
# A good guess: each frame with FIN is a message of its own. MochiWeb joins the payloads of all frames that one read of
# the socket returns, whatever their opcodes. So two messages sent without a pause arrive as one, and a ping sent with a
# message becomes its end. A lone ping is a message too and gets no pong. A close frame only ends TCP, and so does a
# message over 65,535 bytes.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian erlang-mochiweb=3.1.1-1 erlang-base erlang-crypto erlang-inets erlang-ssl erlang-public-key erlang-asn1
cat >"$work/echo.erl" <<'ERL'
-module(echo).
-export([start/0]).

start() ->
    mochiweb_http:start([{name, echo}, {ip, "127.0.0.1"}, {port, 16911}, {loop, fun upgrade/1}]),
    timer:sleep(infinity).

upgrade(Request) ->
    {Enter, _} = mochiweb_websocket:upgrade_connection(Request, fun received/3),
    Enter(none).

received(Payload, State, Reply) ->
    Reply([<<"got ">>, Payload]),
    State.
ERL
ROOTDIR=$work/debian/usr/lib/erlang
BINDIR=$(echo "$ROOTDIR"/erts-*/bin)
export ROOTDIR BINDIR EMU=beam PROGNAME=erl
erlang=("$BINDIR/erlexec" -boot "$ROOTDIR/bin/start_clean" -noshell -noinput)
(cd "$work" && "${erlang[@]}" -eval '{ok, echo} = compile:file("echo.erl"), halt().')
serve "${erlang[@]}" -s echo start

python3 - <<'PY' | compare "two messages, one after the answer to the other: text b'got one', text b'got two'
two messages at once: text b'got onetwo', silence
text, binary and a ping at once: text b'got onetwothree', silence
a ping: text b'got three', silence
two fragments, the second after the answer: text b'got one', text b'got two'
a message of 65535 bytes: text of 65539 bytes
one of 65536 bytes: RST
close 4001: FIN"
from raw import *

client = Raw(16911)
answers = [client.send(TEXT, payload).read() for payload in (b"one", b"two")]
print("two messages, one after the answer to the other:", ", ".join(answers))
print("two messages at once:", Raw(16911).together((TEXT, b"one"), (TEXT, b"two")).rest())
mixed = Raw(16911).together((TEXT, b"one"), (BINARY, b"two"), (PING, b"three"))
print("text, binary and a ping at once:", mixed.rest())
print("a ping:", Raw(16911).send(PING, b"three").rest())
client = Raw(16911)
answers = [client.send(TEXT, b"one", fin=False).read(), client.send(CONTINUATION, b"two").read()]
print("two fragments, the second after the answer:", ", ".join(answers))
print("a message of 65535 bytes:", Raw(16911).send(TEXT, b"a" * 65535).read())
print("one of 65536 bytes:", Raw(16911).send(TEXT, b"a" * 65536).read())
print("close 4001:", Raw(16911).close(4001, b"bye").rest())
PY
