#!/usr/bin/env bash
# gwebsockets, the server of the Sugar desktop, writes `Transfer-Encoding: chunked` into its 101.
#
# A good guess: a 1xx response has no transfer coding (RFC 9112 section 6.1), and frames follow its head. Frames do
# follow here, so a client must not decode chunks. The server stops reading at a message above 65,535 bytes and at a
# fragment of the kind "not the last". It answers neither pings nor close frames. TCP stays open each time.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian python3-gwebsockets=0.7-2 python3-gi
cat >"$work/echo.py" <<'PY'
from gi.repository import GLib
from gwebsockets.server import Message, Server


def received(session, message):
    session.send_message(message.data, binary=message.message_type == Message.TYPE_BINARY)


server = Server()
server.connect("session-started", lambda server, session: session.connect("message-received", received))
print(server.start(), flush=True)
GLib.MainLoop().run()
PY
export PYTHONPATH=$PYTHONPATH:$work/debian/usr/lib/python3/dist-packages
export GI_TYPELIB_PATH=$work/debian/usr/lib/x86_64-linux-gnu/girepository-1.0
serve /usr/bin/python3 echo.py
for ((try = 0; try < 100; try++)); do
    [ ! -s "$work/server.log" ] || break
    sleep 0.1  # The server is still starting.
done

port=$(<"$work/server.log") python3 - <<'PY' | compare "HTTP/1.1 101 Switching Protocols, Transfer-Encoding: ['chunked']
a message of 65535 bytes: text of 65535 bytes
a message of 65536 bytes: silence
two fragments: silence
a short message after them: silence
a ping: silence
a close: silence"
from raw import *

port = int(os.environ["port"])
opened = Raw(port)
print(f"{opened.status}, Transfer-Encoding: {opened.header('Transfer-Encoding')}")
print("a message of 65535 bytes:", opened.send(TEXT, b"a" * 65535).read())
print("a message of 65536 bytes:", opened.send(TEXT, b"a" * 65536).read())
client = Raw(port)
print("two fragments:", client.send(TEXT, b"one", fin=False).send(CONTINUATION, b"two").read())
print("a short message after them:", client.send(TEXT, b"three").read())
print("a ping:", Raw(port).send(PING, b"a").read(5))
print("a close:", Raw(port).close(1000).read(5))
PY
