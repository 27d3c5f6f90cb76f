"""socketify: a ws route with its defaults, but for the limit, which its examples set."""

import sys

from socketify import App, OpCode


def upgrade(response, request, context):
    key, offered, extensions = (request.get_header(f"sec-websocket-{name}") for name in ("key", "protocol", "extensions"))
    response.upgrade(key, "chat" if "chat" in (offered or "") else "", extensions, context)


def message(socket, data, opcode):
    if data == "close":
        socket.end(4001, "bye")
    elif data == "raise":
        raise RuntimeError("as asked")
    else:
        socket.send(data, opcode)


def refuse(response, request):
    status = request.get_url()[1:]
    response.write_status({"302": "302 Found"}.get(status, int(status)))
    if status == "302":
        response.write_header("Location", "/")
    response.end("not here")


app = App()
app.ws("/", {"upgrade": upgrade, "message": message, "max_payload_length": 16 * 1024 * 1024})
for status in (401, 403, 404, 302):
    app.get(f"/{status}", refuse)
app.listen(int(sys.argv[1]))
app.run()
