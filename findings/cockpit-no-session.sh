#!/usr/bin/env bash
# Cockpit, the web console of servers, upgrades a client that is not logged in, and then says that it is going away.
#
# A good guess: 401 or 403, as it answers a request without `Origin`. The client gets 101, a message with `no-session`
# and the close code 1001, as from a server that restarts. So clients that connect again after 1001 do so for ever. The
# 101 also chooses a sub-protocol that Cockpit does not have: the first name of the last header line.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian cockpit-ws=287.1-0+deb12u3
mkdir "$work/conf"
export XDG_CONFIG_DIRS=$work/conf
serve "$work/debian/usr/lib/cockpit/cockpit-ws" --no-tls --address 127.0.0.1 --port 16914

python3 - <<'PY' | compare "without Origin: HTTP/1.1 403 Forbidden
with an Origin that lacks the port: HTTP/1.1 403 Forbidden
not logged in: HTTP/1.1 101 Switching Protocols
what comes: text b'\n{\"command\":\"init\",\"problem\":\"no-session\"}', close 1001 b'no-session'
no offer: []
the offer other, cockpit1: ['other']
the offer other, then cockpit1 in a second line: ['cockpit1']
the offer cockpit1, then other in a second line: ['other']"
from raw import *

PATH, ORIGIN = "/cockpit/socket", "Origin: http://127.0.0.1:16914"


def client(*offer):
    return Raw(16914, PATH, [ORIGIN, *(f"Sec-WebSocket-Protocol: {line}" for line in offer)])


print("without Origin:", Raw(16914, PATH).status)
print("with an Origin that lacks the port:", Raw(16914, PATH, ["Origin: http://127.0.0.1"]).status)
opened = client()
print("not logged in:", opened.status)
print(f"what comes: {opened.read()}, {opened.read()}")
for words, offer in (
    ("no offer", []),
    ("the offer other, cockpit1", ["other, cockpit1"]),
    ("the offer other, then cockpit1 in a second line", ["other", "cockpit1"]),
    ("the offer cockpit1, then other in a second line", ["cockpit1", "other"]),
):
    print(f"{words}:", client(*offer).header("Sec-WebSocket-Protocol"))
PY
