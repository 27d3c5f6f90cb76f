#!/usr/bin/env bash
# Rails' Action Cable closes with 1000 when it restarts, and answers 101 to a client that it then rejects, also with 1000.
#
# A good guess: 1001 or 1012 for a restart, and 401 for a rejected client. Here the reason is a message of JSON before
# the close frame, so a client that looks at codes does not reconnect. Its own pings are messages too, every 3 s. A
# message whose handler throws and an unknown channel get no answer. An Origin without the port, or none, gets 404.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian ruby-actioncable=2:6.1.7.10+dfsg-1~deb12u4 puma=5.6.5-3+deb12u2 ruby3.1
cat >"$work/cable.rb" <<'RUBY'
require 'logger'
require 'rack'
require 'puma'
require 'puma/server'
require 'action_cable'
require 'active_support'
require 'active_support/core_ext'
require 'action_dispatch'

class Connection < ActionCable::Connection::Base
  def connect
    reject_unauthorized_connection if request.params['token'] == 'wrong'
  end
end

class EchoChannel < ActionCable::Channel::Base
  def receive(data)
    raise 'as asked' if data['fail']
    transmit(data)
  end
end

cable = ActionCable.server
cable.config.cable = { 'adapter' => 'async' }
cable.config.logger = Logger.new($stderr)
cable.config.connection_class = -> { Connection }
server = Puma::Server.new(->(request) { cable.call(request) })
server.add_tcp_listener('127.0.0.1', 16953)
trap('USR1') { Thread.new { cable.restart } }
server.run.join
RUBY
usr=$work/debian/usr
load=()
for folder in "$usr"/lib/ruby/{3.1.0,vendor_ruby} "$usr"/lib/x86_64-linux-gnu/ruby/{3.1.0,vendor_ruby/3.1.0} \
    "$usr"/share/rubygems-integration/all/gems/{*/lib,concurrent-ruby-1*/lib/concurrent-ruby} \
    "$usr"/lib/x86_64-linux-gnu/rubygems-integration/3.1.0/{gems/*/lib,extensions/*/*/*}; do
    load+=(-I "$folder")
done
serve "$usr/bin/ruby3.1" "${load[@]}" cable.rb

python3 - "${servers[-1]}" <<'PY' | compare 'Origin with the port: HTTP/1.1 101 Switching Protocols
Origin without the port: HTTP/1.1 404 Not Found
no Origin: HTTP/1.1 404 Not Found
its own ping: {"type":"ping"} as a message
a channel: {"identifier":"{\"channel\":\"EchoChannel\"}","type":"confirm_subscription"}
a message: {"identifier":"{\"channel\":\"EchoChannel\"}","message":{"a":1}}
a message whose handler throws: silence
an unknown channel: silence
a rejected client: HTTP/1.1 101 Switching Protocols, {"type":"disconnect","reason":"unauthorized","reconnect":false}, close 1000 b'"''"'
a restart: {"type":"disconnect","reason":"server_restart","reconnect":true}, close 1000 b'"''"
import json
import signal
import sys

from raw import *

ORIGIN = ["Origin: http://127.0.0.1:16953"]


def hear(client, pings=False):
    """What comes next, without its pings; a message is only its text."""
    until = time.monotonic() + 3
    while (left := until - time.monotonic()) > 0:
        words = client.read(left)
        if words.startswith("text"):
            words = words[len("text b'"):-1].replace("\\\\", "\\")
        if pings == words.startswith('{"type":"ping"'):
            return words
    return "silence"


def command(name, channel="EchoChannel", **more):
    more = {key: json.dumps(value) for key, value in more.items()}
    return json.dumps({"command": name, "identifier": json.dumps({"channel": channel}, separators=(",", ":")), **more}).encode()


print("Origin with the port:", (client := Raw(16953, headers=ORIGIN)).status)
print("Origin without the port:", Raw(16953, headers=["Origin: http://127.0.0.1"]).status)
print("no Origin:", Raw(16953).status)
hear(client)  # The welcome.
ping = json.loads(hear(client, pings=True))
print("its own ping:", '{"type":"ping"} as a message' if ping.pop("message") > 0 and ping == {"type": "ping"} else ping)
print("a channel:", hear(client.send(TEXT, command("subscribe"))))
print("a message:", hear(client.send(TEXT, command("message", data={"a": 1}))))
print("a message whose handler throws:", hear(client.send(TEXT, command("message", data={"fail": 1}))))
print("an unknown channel:", hear(client.send(TEXT, command("subscribe", "NoChannel"))))
rejected = Raw(16953, "/?token=wrong", headers=ORIGIN)
print(f"a rejected client: {rejected.status}, {hear(rejected)}, {hear(rejected)}")
os.kill(int(sys.argv[1]), signal.SIGUSR1)
print(f"a restart: {hear(client)}, {hear(client)}")
PY
