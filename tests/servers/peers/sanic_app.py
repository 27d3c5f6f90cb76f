"""Sanic: a websocket route. With `subprotocols` it would refuse a client that offers none with 400."""

import sys

from sanic import Sanic
from sanic.exceptions import Forbidden, NotFound, Unauthorized
from sanic.response import redirect

app = Sanic("echo")


@app.websocket("/")
async def echo(request, socket):
    async for message in socket:
        if message == "close":
            await socket.close(4001, "bye")
        elif message == "raise":
            raise RuntimeError("as asked")
        else:
            await socket.send(message)


@app.get("/<status:int>")
async def refuse(request, status):
    if status == 401:
        raise Unauthorized("not you")
    if status == 403:
        raise Forbidden("not you")
    if status == 404:
        raise NotFound("not here")
    if status == 302:
        return redirect("/")
    raise RuntimeError("as asked")


if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]), single_process=True, access_log=False, motd=False)
