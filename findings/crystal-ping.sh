#!/usr/bin/env bash
# Crystal's standard library loses the fragments before a ping or pong, and its pong has them with the ping's payload.
#
# A good guess: control frames may come between the fragments of a message (RFC 6455 section 5.4) and do not change it.
# Crystal collects both in one buffer and empties it after each. The message arrives without its first part, and no
# side sees an error, unless the pong becomes longer than the 125 bytes of a control frame. Each answer to a close frame
# is empty, and a handler that raises an exception ends TCP. Needs gcc.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian crystal=1.6.0+dfsg-3 libssl-dev zlib1g-dev
cat >"$work/echo.cr" <<'CRYSTAL'
require "http/server"

echo = HTTP::WebSocketHandler.new do |socket, context|
  socket.on_message do |message|
    raise "as asked" if message == "fail"
    socket.send message
  end
end
server = HTTP::Server.new([echo])
server.bind_tcp "127.0.0.1", 16954
server.listen
CRYSTAL
usr=$work/debian/usr
CRYSTAL_PATH=$usr/lib/crystal/lib CRYSTAL_LIBRARY_PATH=$LD_LIBRARY_PATH CRYSTAL_CACHE_DIR=$work/cache \
    "$usr/bin/crystal" build -o "$work/echo" "$work/echo.cr"
serve "$work/echo"

python3 - <<'PY' | compare "two fragments: text b'onetwo', silence
with a ping between: pong b'oneping', text b'two', silence
with a pong between: text b'two', silence
a long one, with a ping between: pong of 204 bytes, text b'two', silence
close 4001: close b'', FIN
the handler raises: FIN"
from raw import *

for words, first, between in (
    ("two fragments", b"one", ()),
    ("with a ping between", b"one", (PING, b"ping")),
    ("with a pong between", b"one", (PONG, b"pong")),
    ("a long one, with a ping between", b"a" * 200, (PING, b"ping")),
):
    client = Raw(16954).send(TEXT, first, fin=False)
    if between:
        client.send(*between)
    print(f"{words}:", client.send(CONTINUATION, b"two").rest())
print("close 4001:", Raw(16954).close(4001, b"bye").rest())
print("the handler raises:", Raw(16954).send(TEXT, b"fail").rest())
PY
