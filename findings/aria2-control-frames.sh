#!/usr/bin/env bash
# aria2's JSON-RPC endpoint answers every ping and pong with a JSON-RPC error.
#
# A good guess: control frames never reach the application. aria2 answers a ping with a pong, as it must. Then it also
# passes the control frame to its JSON parser. The client gets a text message with an error that belongs to no request:
# one for each ping of a keepalive, and one for an unsolicited pong.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian aria2=1.36.0-1
serve "$work/debian/usr/bin/aria2c" --enable-rpc --rpc-listen-port=16800 --quiet

python3 - <<'PY' | compare "a ping: pong b'a', error, silence
an empty ping: pong b'', error, silence
a pong: error, silence
a request after them: result, silence"
import json
from raw import *

client = Raw(16800, "/jsonrpc")


def rest():
    error = """text b'{"id":null,"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request."}}'"""
    return client.rest(1).replace(error, "error").replace("text of 147 bytes", "result")


print("a ping:", client.send(PING, b"a") and rest())
print("an empty ping:", client.send(PING) and rest())
print("a pong:", client.send(PONG, b"a") and rest())
request = {"jsonrpc": "2.0", "id": "1", "method": "aria2.getGlobalStat"}
print("a request after them:", client.send(TEXT, json.dumps(request).encode()) and rest())
PY
