#!/usr/bin/env bash
# libdatachannel's WebSocket server (npm node-datachannel) cuts each message at 256 KiB, and delivers the rest of it to
# nobody.
#
# A good guess: a message above the limit ends the connection with 1009. Here the application gets the first 262,144
# bytes as if they were the message. No error event comes, and the connection goes on. The limit applies to the whole
# message, so fragments do not help.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_npm node-datachannel@0.33.4
cat >"$work/count.mjs" <<'JS'
import library from 'node-datachannel';

const clients = [];
new library.WebSocketServer({ bindAddress: '127.0.0.1', port: 16866 }).onClient((client) => {
  clients.push(client);
  client.onMessage((message) => client.sendMessage(`${message.length} of ${typeof message}`));
  client.onError((error) => client.sendMessage(`error: ${error}`));
});
setInterval(() => {}, 1000);
JS
serve node count.mjs

python3 - <<'PY' | compare "262144 bytes of text: text b'262144 of string', silence
262145 bytes of text: text b'262144 of string', silence
1000000 bytes of binary: text b'262144 of object', silence
five fragments of 100000 bytes: text b'262144 of string', silence
a short message after them: text b'5 of string', silence"
from raw import *

print("262144 bytes of text:", Raw(16866).send(TEXT, b"a" * 262144).rest())
print("262145 bytes of text:", Raw(16866).send(TEXT, b"a" * 262145).rest())
print("1000000 bytes of binary:", Raw(16866).send(BINARY, b"a" * 1000000).rest())
client = Raw(16866)
for at in range(5):
    client.send(CONTINUATION if at else TEXT, b"a" * 100000, fin=at == 4)
print("five fragments of 100000 bytes:", client.rest())
print("a short message after them:", client.send(TEXT, b"hello").rest())
PY
