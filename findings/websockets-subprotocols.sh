#!/usr/bin/env bash
# PyPI's websockets with a list of sub-protocols refuses a client that offers none.
#
# A good guess: the list names the supported sub-protocols, and a client without an offer gets a connection without one
# (RFC 6455 section 4.2.2). With `subprotocols=[...]` such a client gets 400 "missing subprotocol". A client with
# another offer gets 400 "invalid subprotocol". A function `select_subprotocol` that returns None accepts both.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_pypi websockets==17.4
cat >"$work/echo.py" <<'PY'
import asyncio

from websockets.asyncio.server import serve


async def echo(socket):
    async for message in socket:
        await socket.send(message)


async def main():
    async with serve(echo, "127.0.0.1", 16821, subprotocols=["chat"]), serve(
        echo, "127.0.0.1", 16822, select_subprotocol=lambda connection, offered: None
    ):
        await asyncio.get_running_loop().create_future()


asyncio.run(main())
PY
serve "$work/python/bin/python" echo.py

python3 - <<'PY' | compare "a list, none offered: HTTP/1.1 400 Bad Request
a list, another offered: HTTP/1.1 400 Bad Request
a list, that one offered: HTTP/1.1 101 Switching Protocols ['chat']
a function, none offered: HTTP/1.1 101 Switching Protocols
a function, another offered: HTTP/1.1 101 Switching Protocols []"
from raw import *

print("a list, none offered:", Raw(16821).status)
print("a list, another offered:", Raw(16821, headers=["Sec-WebSocket-Protocol: other"]).status)
listed = Raw(16821, headers=["Sec-WebSocket-Protocol: other, chat"])
print("a list, that one offered:", listed.status, listed.header("Sec-WebSocket-Protocol"))
print("a function, none offered:", Raw(16822).status)
free = Raw(16822, headers=["Sec-WebSocket-Protocol: other"])
print("a function, another offered:", free.status, free.header("Sec-WebSocket-Protocol"))
PY
