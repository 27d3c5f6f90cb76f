"""A client by PyPI's aiohttp against the echo server that it starts: aiohttp_client.py COMMAND...

Prints what fails, and as its last line `N passed, N failed`.
"""

import asyncio
import random

import aiohttp
from checked import check, with_server

CLOSES = [(1000, ""), (3000, "é" * 60)]


async def talk(session, url, window, deflate):
    name = f"{'deflate' if deflate else 'plain'}, window {window}"
    async with session.ws_connect(url, protocols=["other", "chat"], compress=window, max_msg_size=2**24, timeout=20) as client:
        check(f"{name}: sub-protocol", client.protocol, "chat")
        check(f"{name}: compressed", bool(client.compress), deflate and window > 0)
        choose = random.Random(7)
        for length in [0, 1, 125, 126, 65_535, 65_536, 1_000_000]:
            text = "".join(choose.choice("ab é世") for _ in range(length // 2))
            for message in (choose.randbytes(length), bytes(length)):
                await client.send_bytes(message)
                check(f"{name}: {length}", await client.receive_bytes(timeout=20), message)
            await client.send_str(text)
            check(f"{name}: text of {length}", await client.receive_str(timeout=20), text)
        await client.send_str("close me")
        closed = await client.receive(timeout=20)
        check(f"{name}: close", (closed.type, closed.data, closed.extra), (aiohttp.WSMsgType.CLOSE, 4001, "as you wish"))


async def talk_all(url, deflate):
    async with aiohttp.ClientSession() as session:
        for window in (0, 9, 12, 15):
            await talk(session, url, window, deflate)
        for code, reason in CLOSES:
            async with session.ws_connect(url) as client:
                await client.close(code=code, message=reason.encode())
                check(f"close {code}", client.close_code, code)


with_server(lambda url, deflate: asyncio.run(talk_all(url, deflate)), CLOSES)
