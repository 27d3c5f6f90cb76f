"""Echo servers on PyPI's websockets, one for each choice of permessage-deflate; README.md here has the protocol."""

import asyncio
import collections
import itertools
import logging
import os
import sys
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.protocol import State

seen = collections.defaultdict(lambda: asyncio.get_running_loop().create_future())


async def echo(socket, message):
    length = len(message)
    if length == 0 or length % 5:
        await socket.send(message)
    else:
        a, b = length // 5, length // 2
        await socket.send([message[:a], message[a:b], message[b:]])


async def handle(socket):
    url = urlsplit(socket.request.path)
    query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
    count = 0
    try:
        if url.path == "/close":
            for text in ("one", "two", "three"):
                await socket.send(text)
            await socket.close(int(query["code"]), query["reason"])
        elif url.path == "/seen":
            await socket.send(await seen[query["of"]])
        async for message in socket:
            count += 1
            # A send would wait for the end of the connection, and the end would wait until more of these messages are read.
            if socket.state is State.OPEN:
                await echo(socket, message)
    except ConnectionClosed:
        pass
    await socket.wait_closed()
    close = socket.protocol.close_rcvd
    told = f"{close.code} {count} {close.reason}" if close else f"1006 {count} {socket.protocol.close_exc}"
    if not close:
        print(f"websockets: {told}", file=sys.stderr)
    if "id" in query:
        seen[query["id"]].set_result(told)


async def listen(name, extensions):
    server = await serve(handle, "127.0.0.1", 0, compression=None, extensions=extensions, max_size=None, ping_interval=None)
    print(f"{name} ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    return server


async def main():
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    servers = [await listen("off", None)]
    for server_plain, client_plain, server_bits, client_bits in itertools.product(
        (False, True), (False, True), (None, 9, 12, 15), (None, 9, 12, 15)
    ):
        name = f"{int(server_plain)}-{int(client_plain)}-{server_bits or 0}-{client_bits or 0}"
        factory = ServerPerMessageDeflateFactory(
            server_no_context_takeover=server_plain,
            client_no_context_takeover=client_plain,
            server_max_window_bits=server_bits,
            client_max_window_bits=client_bits,
        )
        servers.append(await listen(name, [factory]))
    print("READY", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    # Closing in good order would wait for clients that are gone.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


asyncio.run(main())
