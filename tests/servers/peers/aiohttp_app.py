"""aiohttp: a handler with a WebSocketResponse. Its heartbeat is off by default."""

import sys

from aiohttp import WSMsgType, web


async def echo(request):
    socket = web.WebSocketResponse(heartbeat=20, protocols=["chat"])
    await socket.prepare(request)
    async for message in socket:
        if message.type == WSMsgType.BINARY:
            await socket.send_bytes(message.data)
        elif message.data == "close":
            await socket.close(code=4001, message=b"bye")
        elif message.data == "raise":
            raise RuntimeError("as asked")
        else:
            await socket.send_str(message.data)
    return socket


async def refuse(request):
    match request.path:
        case "/401":
            raise web.HTTPUnauthorized()
        case "/403":
            raise web.HTTPForbidden()
        case "/302":
            raise web.HTTPFound("/")
        case _:
            raise RuntimeError("as asked")


application = web.Application()
application.add_routes([web.get("/", echo), *(web.get(f"/{status}", refuse) for status in (401, 403, 302, 500))])
web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None)
