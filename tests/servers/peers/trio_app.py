"""trio-websocket: serve_websocket with its defaults."""

import sys

import trio
from trio_websocket import ConnectionClosed, serve_websocket


async def handle(request):
    status = request.path[1:]
    if status.isdigit():
        await request.reject(int(status), extra_headers=[("Location", "/")], body=b"not here")
        return
    socket = await request.accept(subprotocol="chat" if "chat" in request.proposed_subprotocols else None)
    try:
        while True:
            message = await socket.get_message()
            if message == "close":
                await socket.aclose(4001, "bye")
            elif message == "raise":
                raise RuntimeError("as asked")
            else:
                await socket.send_message(message)
    except ConnectionClosed:
        pass


trio.run(serve_websocket, handle, "127.0.0.1", int(sys.argv[1]), None)
