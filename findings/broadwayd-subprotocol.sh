#!/usr/bin/env bash
# broadwayd, GTK's display server for browsers, chooses its sub-protocol whether it was offered or not.
#
# A good guess: a server never chooses a sub-protocol that was not offered (RFC 6455 section 4.2.2, step 5). This one
# always answers "broadway". A client that offers nothing or something else must fail the connection. It also loses a
# ping's payload.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian libgtk-3-bin=3.24.38-2~deb12u3
export XDG_CACHE_HOME=$work XDG_RUNTIME_DIR=$work
serve "$work/debian/usr/bin/broadwayd" -p 16806 :16

python3 - <<'PY' | compare "nothing is offered: ['broadway']
another is offered: ['broadway']
a ping with a payload: pong b''"
from raw import *


def client(*headers):
    return Raw(16806, "/socket", headers)


print("nothing is offered:", client().header("Sec-WebSocket-Protocol"))
print("another is offered:", client("Sec-WebSocket-Protocol: other").header("Sec-WebSocket-Protocol"))
print("a ping with a payload:", client("Sec-WebSocket-Protocol: broadway").send(PING, b"payload").read())
PY
