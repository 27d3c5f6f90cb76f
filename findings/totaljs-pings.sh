#!/usr/bin/env bash
# Total.js, a web framework for Node, loses messages that arrive with a ping or pong, and repeats the last message
# instead of an empty one.
#
# A good guess: control frames and empty messages leave other messages alone. Total.js empties its buffer after a ping
# and after a pong. Its own pings ask for a pong every 20 s, so each client sends some. Every pong has the payload
# "PONG", whatever the ping had. Zeros are cut out of text. A close frame gets no answer. The default limit is 2 KiB
# with the frame's head. Needs Node.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_npm total4@0.0.99
cat >"$work/echo.js" <<'JS'
require('total4');

ROUTE('SOCKET /', function () {
  this.on('message', (client, message) => client.send(message));
}, ['text']);
HTTP('release', { ip: '127.0.0.1', port: 16951 });
JS
serve node echo.js

python3 - <<'PY' | compare "a ping with messages around it: text b'before', pong b'PONG', silence
a pong before a message: silence
the next message: text b'next', silence
hello, then an empty message: text b'hello', text b'hello', silence
a zero in text: text b'ab', silence
2040 bytes: text of 2040 bytes, silence
2041 bytes: close 1009 b'Frame is too large', FIN
close 4001: FIN"
from raw import *

client = Raw(16951).together((TEXT, b"before"), (PING, b"ping"), (TEXT, b"after"), (TEXT, b"last"))
print("a ping with messages around it:", client.rest())
client = Raw(16951).together((PONG, b"PING"), (TEXT, b"after"))
print("a pong before a message:", client.rest())
print("the next message:", client.send(TEXT, b"next").rest())
client = Raw(16951).send(TEXT, b"hello")
hello = client.read()
print(f"hello, then an empty message: {hello},", client.send(TEXT, b"").rest())
print("a zero in text:", Raw(16951).send(TEXT, b"a\0b").rest())
for size in (2040, 2041):
    print(f"{size} bytes:", Raw(16951).send(TEXT, b"a" * size).rest())
print("close 4001:", Raw(16951).close(4001, b"bye").rest())
PY
