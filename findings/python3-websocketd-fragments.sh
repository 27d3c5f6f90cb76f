#!/usr/bin/env bash
# The Python module websocketd keeps a fragmented message back, if its fragments arrive together, until more bytes come.
#
# A good guess: the last fragment completes a message, however TCP cuts the bytes. After a fragment, this module leaves
# the rest of what it has read until the next read. So the answer to a call in two fragments comes after a later ping,
# or never. The same bytes in two reads get the answer at once. A ping between fragments ends TCP without a close frame.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian python3-websocketd=0.5-1
cat >"$work/double.py" <<'PY'
import websocketd


class Calls:
    def __init__(self, remote):
        pass

    def double(self, number):
        return 2 * number


server = websocketd.RPChttpd(16913, Calls)
websocketd.fgloop()
PY
export PYTHONPATH=$PYTHONPATH:$work/debian/usr/lib/python3/dist-packages
serve /usr/bin/python3 double.py

python3 - <<'PY' | compare "one frame: text b'[\"return\", [7, 42]]', silence
two fragments in two reads: text b'[\"return\", [7, 42]]', silence
two fragments in one read: silence
then a ping: text b'[\"return\", [7, 42]]', pong b'now', silence
a ping between two fragments: FIN
close 4001: close b'', FIN"
from raw import *

CALL = b'["call", [7, "double", [21], {}]]'
FIRST, SECOND = (TEXT, CALL[:9], False), (CONTINUATION, CALL[9:])


def first():
    """A client whose first fragment the server has read."""
    client = Raw(16913).send(*FIRST)
    client.read()
    return client


print("one frame:", Raw(16913).send(TEXT, CALL).rest())
print("two fragments in two reads:", first().send(*SECOND).rest())
client = Raw(16913).together(FIRST, SECOND)
print("two fragments in one read:", client.rest(5))
print("then a ping:", client.send(PING, b"now").rest())
print("a ping between two fragments:", first().send(PING, b"now").rest())
print("close 4001:", Raw(16913).close(4001, b"bye").rest())
PY
