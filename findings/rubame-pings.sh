#!/usr/bin/env bash
# Rubame, a WebSocket server in Ruby, gives pings and pongs to its program as messages, even in the middle of a message.
#
# A good guess: the gem websocket, on which it is built, knows the types, so control frames stay below. Rubame passes
# each payload on, and its `send` is always text: an echo answers pings and binary by text. No ping gets a pong. The 101
# has an empty Sec-WebSocket-Protocol if a name was offered.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian ruby-rubame=0.0.3~git20131224.f3c78ba-3 ruby-websocket=1.2.9-3 ruby3.1
cat >"$work/echo.rb" <<'RUBY'
require 'rubame'

server = Rubame::Server.new('127.0.0.1', 16925)
loop do
  server.run do |client|
    client.onopen {}
    client.onmessage { |message| client.send("got #{message}") }
    client.onclose {}
  end
  sleep 0.01
end
RUBY
usr=$work/debian/usr
serve "$usr/bin/ruby3.1" --disable-gems -I "$usr/lib/ruby/3.1.0" -I "$usr/lib/x86_64-linux-gnu/ruby/3.1.0" \
    -I "$usr/lib/ruby/vendor_ruby" -I "$usr/share/rubygems-integration/all/gems/websocket-1.2.9/lib" echo.rb

python3 - <<'PY' | compare "to the offer of a sub-protocol: HTTP/1.1 101 Switching Protocols, ['']
two fragments with a ping between: text b'got ping', text b'got onetwo', silence
a pong: text b'got pong', silence
binary: text b'got \x00\x01', silence
close 4001: FIN"
from raw import *

offer = Raw(16925, headers=["Sec-WebSocket-Protocol: chat"])
print(f"to the offer of a sub-protocol: {offer.status}, {offer.header('Sec-WebSocket-Protocol')}")
client = Raw(16925).send(TEXT, b"one", fin=False).send(PING, b"ping").send(CONTINUATION, b"two")
print("two fragments with a ping between:", client.rest())
print("a pong:", Raw(16925).send(PONG, b"pong").rest())
print("binary:", Raw(16925).send(BINARY, b"\x00\x01").rest())
print("close 4001:", Raw(16925).close(4001, b"bye").rest())
PY
