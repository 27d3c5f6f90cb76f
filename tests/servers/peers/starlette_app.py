"""Starlette, which uvicorn serves: a WebSocketRoute."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocketDisconnect


async def echo(socket):
    await socket.accept(subprotocol="chat" if "chat" in socket.scope["subprotocols"] else None)
    try:
        while True:
            event = await socket.receive()
            if event["type"] == "websocket.disconnect":
                return
            text = event.get("text")
            if text == "close":
                await socket.close(4001, "bye")
                return
            if text == "raise":
                raise RuntimeError("as asked")
            if text is not None:
                await socket.send_text(text)
            else:
                await socket.send_bytes(event["bytes"])
    except WebSocketDisconnect:
        pass


async def refuse(socket):
    status = int(socket.url.path[1:])
    if status == 500:
        raise RuntimeError("as asked")
    raise HTTPException(status, headers={"Location": "/"} if status == 302 else None)


application = Starlette(routes=[WebSocketRoute("/", echo), *(WebSocketRoute(f"/{s}", refuse) for s in (401, 403, 500, 302))])
