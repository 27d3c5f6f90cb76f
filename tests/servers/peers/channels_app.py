"""Django with Channels, which Daphne serves: one consumer."""

import django
from channels.exceptions import DenyConnection
from channels.generic.websocket import WebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import path

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="none")
django.setup()
urlpatterns = []


class Echo(WebsocketConsumer):
    def connect(self):
        self.accept("chat" if "chat" in self.scope["subprotocols"] else None)

    def receive(self, text_data=None, bytes_data=None):
        if text_data == "close":
            self.close(4001, "bye")
        elif text_data == "raise":
            raise RuntimeError("as asked")
        else:
            self.send(text_data=text_data, bytes_data=bytes_data)


class Deny(Echo):
    def connect(self):
        raise DenyConnection()


class Fail(Echo):
    def connect(self):
        raise RuntimeError("as asked")


routes = [path("", Echo.as_asgi()), path("403", Deny.as_asgi()), path("500", Fail.as_asgi())]
application = ProtocolTypeRouter({"http": get_asgi_application(), "websocket": URLRouter(routes)})
