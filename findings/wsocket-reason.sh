#!/usr/bin/env bash
# PyPI's wsocket answers a close frame with its code and Python's representation of the client's reason.
#
# A good guess: the reason is echoed unchanged, or omitted. A client that compares it with its own takes it for the
# server's reason.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi wsocket==2.1.0
cat >"$work/echo.py" <<'PY'
from wsocket import WSocketApp, run

app = WSocketApp()
app.onmessage += lambda message, client: client.send(message)
run(app, host="127.0.0.1", port=16834)
PY
serve "$work/python/bin/python" echo.py

python3 - <<'PY' | compare "close 1000 bye: close 1000 b\"bytearray(b'bye')\"
close 1000: close 1000 b''"
from raw import *


def answer(code, reason=b""):
    client = Raw(16834).close(code, reason)
    words = client.read()
    # A greeting may come first.
    return client.read() if words.startswith("text") else words


print("close 1000 bye:", answer(1000, b"bye"))
print("close 1000:", answer(1000))
PY
