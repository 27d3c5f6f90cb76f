"""The ASGI application that uvicorn, hypercorn and granian serve (ASGI 3, with the extension for refusals)."""

REFUSALS = {"/401": (401, []), "/404": (404, []), "/500": (500, []), "/302": (302, [(b"location", b"/")])}


async def refuse(scope, send, status, headers):
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    headers = [*headers, (b"content-type", b"text/plain")]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b"not here"})


async def echo(receive, send):
    while True:
        event = await receive()
        if event["type"] == "websocket.disconnect":
            return
        text = event.get("text")
        if text == "close":
            await send({"type": "websocket.close", "code": 4001, "reason": "bye"})
            return
        if text == "raise":
            raise RuntimeError("as asked")
        if text is not None:
            await send({"type": "websocket.send", "text": text})
        else:
            await send({"type": "websocket.send", "bytes": event["bytes"]})


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            event = await receive()
            await send({"type": event["type"] + ".complete"})
            if event["type"] == "lifespan.shutdown":
                return
    if scope["type"] != "websocket":
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    assert (await receive())["type"] == "websocket.connect"
    path = scope["path"]
    if path == "/403":
        await send({"type": "websocket.close"})
    elif path in REFUSALS:
        await refuse(scope, send, *REFUSALS[path])
    else:
        chosen = "chat" if "chat" in scope["subprotocols"] else None
        await send({"type": "websocket.accept", "subprotocol": chosen})
        await echo(receive, send)
