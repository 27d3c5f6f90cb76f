"""PyPI's websockets: `serve` with its defaults; refusals by process_request."""

import asyncio
import http
import sys

from websockets.asyncio.server import serve


async def echo(socket):
    async for message in socket:
        if message == "close":
            await socket.close(4001, "bye")
        elif message == "raise":
            raise RuntimeError("as asked")
        else:
            await socket.send(message)


def choose(connection, offered):
    # With `subprotocols=["chat"]` a client that offers none would be refused with 400.
    return "chat" if "chat" in offered else None


def refuse(connection, request):
    if request.path == "/302":
        response = connection.respond(http.HTTPStatus.FOUND, "")
        response.headers["Location"] = "/"
        return response
    if request.path == "/500":
        raise RuntimeError("as asked")
    if request.path != "/":
        return connection.respond(http.HTTPStatus(int(request.path[1:])), "not here\n")


async def main():
    # As its documentation stops a server: with the signal that process managers send.
    async with serve(echo, "127.0.0.1", int(sys.argv[1]), select_subprotocol=choose, process_request=refuse) as server:
        asyncio.get_running_loop().add_signal_handler(15, server.close)
        await server.wait_closed()


asyncio.run(main())
