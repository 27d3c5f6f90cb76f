#!/usr/bin/env bash
# A failed WebSocket handler of lua-http leaves the connection open and unread.
#
# A good guess: an error in `onstream` ends the connection, as it ends an HTTP request with 503. After 101 nothing is
# sent or closed. Pings and close frames stay unanswered while the server runs, and only a keepalive of the client
# detects it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian lua-http=0.4-1 lua5.4=5.4.4-3+deb12u1
cat >"$work/server.lua" <<'LUA'
local server = require "http.server"
local websocket = require "http.websocket"

local listener = assert(server.listen {
    host = "127.0.0.1", port = 16843, tls = false,
    onstream = function(_, stream)
        local request = assert(stream:get_headers())
        if request:get ":path" == "/failing" then error "as asked" end
        local client = assert(websocket.new_from_stream(stream, request))
        assert(client:accept())
        for message in client:each() do
            if message == "fail" then error "as asked" end
            client:send(message)
        end
    end,
    onerror = function() end,
})
assert(listener:listen())
assert(listener:loop())
LUA
share=$work/debian/usr/share/lua
export LUA_PATH_5_4="$share/5.4/?.lua;$share/5.1/?.lua"
export LUA_CPATH_5_4="$work/debian/usr/lib/x86_64-linux-gnu/lua/5.4/?.so"
serve "$work/debian/usr/bin/lua5.4" server.lua

python3 - <<'PY' | compare "before the upgrade: HTTP/1.1 503 Service Unavailable
a message, a ping: text b'one', pong b'a', silence
the handler fails, a ping: silence
and a close frame: silence"
from raw import *

print("before the upgrade:", Raw(16843, path="/failing").status)
print("a message, a ping:", Raw(16843).send(TEXT, b"one").send(PING, b"a").rest())
client = Raw(16843).send(TEXT, b"fail")
print("the handler fails, a ping:", client.send(PING, b"a").rest(5))
print("and a close frame:", client.close(1000).rest(5))
PY
