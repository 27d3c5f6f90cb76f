"""PyPI websockets, as its documentation has it: the row of connections that exchange compressed messages.

    websockets_client.py exchange SIZE COUNT URL
"""

import asyncio
import os
import re
import sys

from websockets.asyncio.client import connect

SETTLE_SECONDS = 2
VARIETY = 64


def json(number, size):
    """Text like that of many services; the server makes the same."""
    text = ""
    line = number * 1009
    while len(text) < size:
        text += f'{{"id":{line},"symbol":"NWS{line % 97}","price":{line * 7919 % 100000},'
        text += f'"volume":{line * 104729 % 1000000},"state":"open"}},'
        line += 31
    return text[:size]


def resident():
    with open("/proc/self/status", encoding="ascii") as file:
        status = file.read()
    kilobytes, threads = (int(re.search(rf"^{name}:\s+(\d+)", status, re.M)[1]) for name in ("VmRSS", "Threads"))
    return kilobytes * 1024, threads


async def exchange(size, count, url):
    texts = [json(number, size) for number in range(VARIETY)]
    before, _ = resident()
    connections = []
    for _ in range(count):
        # Without pings, which the server does not answer.
        connection = await connect(url, ping_interval=None)
        connections.append(connection)
        for text in texts:
            await connection.send(text)
            if len(await connection.recv()) != size:
                sys.exit("an echo of another length")
    await asyncio.sleep(SETTLE_SECONDS)
    after, threads = resident()
    print(f"rss_bytes={max(0, after - before) // len(connections)} threads={threads}", flush=True)
    # Without the closing handshakes of what is still open.
    os._exit(0)


def main():
    mode, size, count, url = sys.argv[1:]
    if mode != "exchange":
        sys.exit("unknown mode")
    asyncio.run(exchange(int(size), int(count), url))


main()
