"""tornado: an application with a WebSocketHandler, as its guide has it. Pings are off by default."""

import asyncio
import ssl
import sys

import tornado.web
from tornado.websocket import WebSocketHandler


class Echo(WebSocketHandler):
    def select_subprotocol(self, subprotocols):
        return "chat" if "chat" in subprotocols else None

    def on_message(self, message):
        if message == "close":
            self.close(4001, "bye")
        elif message == "raise":
            raise RuntimeError("as asked")
        else:
            self.write_message(message, binary=isinstance(message, bytes))


class Compressed(Echo):
    def get_compression_options(self):
        return {}


class Refuse(tornado.web.RequestHandler):
    def get(self, status):
        raise tornado.web.HTTPError(int(status))


async def main(port, certificate=None, key=None):
    application = tornado.web.Application(
        [("/", Echo), ("/compressed", Compressed), ("/302", tornado.web.RedirectHandler, {"url": "/", "permanent": False}),
         (r"/(\d+)", Refuse)],
        websocket_ping_interval=20, websocket_ping_timeout=20,
    )
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
    application.listen(int(port), "127.0.0.1", ssl_options=context)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
