#!/usr/bin/env bash
# granian reports a failed handler with a close frame without a code.
#
# A good guess: 1011, as hypercorn and Daphne send, or no close frame, as with uvicorn. Browsers report a close frame
# without a code as 1005 and as a clean close. So a client that reconnects after errors stays offline.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi granian==2.8.7
cat >"$work/app.py" <<'PY'
async def application(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    event = await receive()
    if event.get("text") == "raise":
        raise RuntimeError("as asked")
    await send({"type": "websocket.send", "text": event["text"]})
PY
serve "$work/python/bin/granian" --interface asgi --host 127.0.0.1 --port 16839 app:application

python3 - <<'PY' | compare "it echoes: text b'hello'
it raises: close b'', FIN"
from raw import *

print("it echoes:", Raw(16839).send(TEXT, b"hello").read())
print("it raises:", Raw(16839).send(TEXT, b"raise").rest())
PY
