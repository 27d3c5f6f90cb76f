"""uWebSockets by PyPI's socketify: an echo server, which prints its port."""

from socketify import App, CompressOptions, OpCode


def listening(config):
    print(config.port, flush=True)


app = App()
app.ws("/*", {
    "compression": CompressOptions.DISABLED,
    "max_payload_length": 1_048_576,
    "idle_timeout": 0,
    "message": lambda ws, message, opcode: ws.send(message, opcode),
})
app.listen({"port": 0, "host": "127.0.0.1"}, listening)
app.run()
