#!/usr/bin/env bash
# InspIRCd's WebSocket port closes with 1008 at the second ping or pong within ten seconds, and answers no close frame.
#
# A good guess: a ping may come at any time (RFC 6455 section 5.5.2), so a heartbeat of 5 s does no harm. Pongs that
# nobody asked for count as well.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian inspircd=3.15.0-1
cat >"$work/inspircd.conf" <<CONF
<server name="irc.example.org" description="A server" network="Example">
<admin name="Admin" nick="admin" email="admin@example.org">
<bind address="127.0.0.1" port="16901" type="clients" hook="websocket">
<connect name="main" allow="*" timeout="60" resolvehostnames="no">
<module name="sha1">
<module name="websocket">
<wsorigin allow="http://127.0.0.1">
<path moduledir="$work/debian/usr/lib/inspircd/modules" configdir="$work" datadir="$work">
<pid file="$work/inspircd.pid">
CONF
serve "$work/debian/usr/sbin/inspircd" --config="$work/inspircd.conf" --nofork --nolog --runasroot

python3 - <<'PY' | compare "two pings, 1 s apart: close 1008 b'WebSocket: Ping/pong flood', FIN
two pongs, 1 s apart: close 1008 b'WebSocket: Ping/pong flood', FIN
two pings, 11 s apart: pong b'x'
close 1000: FIN
without Origin: HTTP/1.1 400 Bad Request"
from raw import *


def client():
    return Raw(16901, headers=["Origin: http://127.0.0.1"])


def second(opcode, gap):
    opened = client().send(opcode, b"x")
    while opened.read(gap) != "silence":  # The first pong.
        pass
    return opened.send(opcode, b"x")


print("two pings, 1 s apart:", second(PING, 1).rest())
print("two pongs, 1 s apart:", second(PONG, 1).rest())
print("two pings, 11 s apart:", second(PING, 11).read())
print("close 1000:", client().close(1000).rest())
print("without Origin:", Raw(16901).status)
PY
