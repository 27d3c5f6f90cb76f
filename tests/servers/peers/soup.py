"""libsoup 3: a websocket handler of Soup.Server with its defaults."""

import sys

import gi

gi.require_version("Soup", "3.0")
from gi.repository import GLib, Soup  # noqa: E402

keep = set()


def message(connection, kind, data):
    text = data.get_data() if kind == Soup.WebsocketDataType.TEXT else None
    if text == b"close":
        connection.close(4001, "bye")
    elif text == b"raise":
        raise RuntimeError("as asked")
    elif text is not None:
        connection.send_message(Soup.WebsocketDataType.TEXT, data)
    else:
        connection.send_message(Soup.WebsocketDataType.BINARY, data)


def opened(server, request, path, connection, *_):
    keep.add(connection)
    connection.connect("message", message)
    connection.connect("closed", keep.discard)


def refuse(server, request, path, query, *_):
    if path == "/302":
        request.set_redirect(302, "/")
    else:
        request.set_status(int(path[1:]), None)


server = Soup.Server()
for status in (302, 401, 403, 404):
    server.add_handler(f"/{status}", refuse)
server.add_websocket_handler("/", None, ["chat"], opened)
server.listen_local(int(sys.argv[1]), Soup.ServerListenOptions.IPV4_ONLY)
GLib.MainLoop().run()
