"""picows: a listener. Its pings are off by default."""

import asyncio
import http
import sys

from picows import WSAutoPingStrategy, WSListener, WSMsgType, WSUpgradeResponse, WSUpgradeResponseWithListener, ws_create_server


class Echo(WSListener):
    def on_ws_frame(self, transport, frame):
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        elif frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION):
            data = frame.get_payload_as_bytes()
            if data == b"close":
                transport.send_close(4001, b"bye")
            elif data == b"raise":
                raise RuntimeError("as asked")
            else:
                transport.send(frame.msg_type, data, fin=frame.fin)


def listener(request):
    path = request.path.decode()
    if path == "/":
        return Echo()
    if path == "/500":
        raise RuntimeError("as asked")
    return WSUpgradeResponseWithListener(WSUpgradeResponse.create_error_response(http.HTTPStatus(int(path[1:])), b"not here"), None)


async def main():
    server = await ws_create_server(
        listener, "127.0.0.1", int(sys.argv[1]), enable_auto_ping=True, auto_ping_idle_timeout=20, auto_ping_reply_timeout=20,
        auto_ping_strategy=WSAutoPingStrategy.PING_PERIODICALLY)
    await server.serve_forever()


asyncio.run(main())
