"""A client by PyPI's websockets against the echo server that it starts: websockets_client.py COMMAND...

Prints what fails, and as its last line `N passed, N failed`.
"""

import asyncio
import random

import websockets
from checked import check, with_server
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

CLOSES = [(1000, ""), (3000, "é" * 60), (4999, "x" * 123)]


async def talk(url, offer, deflate):
    name = f"{'deflate' if deflate else 'plain'} {offer}"
    extensions = [] if offer is None else [ClientPerMessageDeflateFactory(**offer)]
    async with websockets.connect(
        url, subprotocols=["other", "chat"], extensions=extensions, compression=None, max_size=2**24, ping_interval=None
    ) as client:
        check(f"{name}: sub-protocol", client.subprotocol, "chat")
        check(f"{name}: extensions", len(client.protocol.extensions), int(deflate and offer is not None))
        choose = random.Random(7)
        for length in [0, 1, 125, 126, 65_535, 65_536, 1_000_000]:
            noise = choose.randbytes(length)
            text = "".join(choose.choice("ab é世") for _ in range(length // 2))
            for message in (noise, bytes(length), text):
                await client.send(message)
                check(f"{name}: {length}", await client.recv(), message)
        await client.send(["in ", "three ", "fragments"])
        check(f"{name}: fragments", await client.recv(), "in three fragments")
        await asyncio.wait_for(await client.ping(b"who"), 20)
        check(f"{name}: ping", True, True)
        await client.send("close me")
        try:
            await client.recv()
        except websockets.ConnectionClosed as closed:
            check(f"{name}: close", (closed.rcvd.code, closed.rcvd.reason), (4001, "as you wish"))


async def close_first(url):
    for code, reason in CLOSES:
        async with websockets.connect(url) as client:
            await client.close(code, reason)
            check(f"close {code}", (client.close_code, client.protocol.close_sent.code), (code, code))


def offers():
    offers = [None, {"client_max_window_bits": True}]
    for server_bits in (None, 9, 12):
        for client_bits in (True, 10):
            for takeover in (False, True):
                offers.append({
                    "server_no_context_takeover": takeover, "client_no_context_takeover": takeover,
                    "server_max_window_bits": server_bits, "client_max_window_bits": client_bits,
                })
    return offers


def talk_all(url, deflate):
    for offer in OFFERS if deflate else OFFERS[:2]:
        asyncio.run(talk(url, offer, deflate))
    asyncio.run(close_first(url))


OFFERS = offers()
with_server(talk_all, CLOSES)
