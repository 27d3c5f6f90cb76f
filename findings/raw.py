"""A WebSocket client of bare frames for the findings: it sends what it is told and shows what comes."""

import base64
import os
import socket
import struct
import time

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
NAMES = {CONTINUATION: "continuation", TEXT: "text", BINARY: "binary", CLOSE: "close", PING: "ping", PONG: "pong"}


class Raw:
    """A connection whose upgrade was asked for. `head` is the answer's head, or how there was none."""

    def __init__(self, port, path="/", headers=(), timeout=5, connection=("Connection: Upgrade",)):
        self.sock = self._dial(port)
        self.received = b""
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", *connection,
            f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", *headers, "", "",
        ]
        self.sock.sendall("\r\n".join(lines).encode())
        while b"\r\n\r\n" not in self.received:
            end = self.more(timeout)
            if end:
                self.head = f"{self.received.decode('latin-1')!r}, then {end}"
                return
        head, self.received = self.received.split(b"\r\n\r\n", 1)
        self.head = head.decode("latin-1")

    @staticmethod
    def _dial(port):
        for _ in range(100):
            try:
                return socket.create_connection(("127.0.0.1", port))
            except ConnectionRefusedError:
                time.sleep(0.1)  # The server is still starting.
        raise SystemExit(f"nobody listens on port {port}")

    @property
    def status(self):
        return self.head.split("\r\n")[0]

    def header(self, name):
        """The values of a header in the answer."""
        lines = (line.split(":", 1) for line in self.head.split("\r\n")[1:])
        return [value.strip() for known, value in lines if known.lower() == name.lower()]

    def send(self, opcode, payload=b"", fin=True):
        """Sends one masked frame."""
        mask = os.urandom(4)
        first, size = (0x80 if fin else 0) | opcode, len(payload)
        if size < 126:
            head = struct.pack("!BB", first, 0x80 | size)
        elif size < 65536:
            head = struct.pack("!BBH", first, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", first, 0x80 | 127, size)
        key = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")
        self.sock.sendall(head + mask + masked)
        return self

    def together(self, *frames):
        """Sends frames, each as the arguments of `send`, in one segment."""
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        for frame in frames:
            self.send(*frame)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)
        return self

    def close(self, code=None, reason=b""):
        return self.send(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)

    def read(self, timeout=2):
        """One frame in words; or `silence`, `FIN` or `RST`."""
        while True:
            words = self._frame()
            if words:
                return words
            end = self.more(timeout)
            if end:
                return end

    def rest(self, timeout=2):
        """All that comes, up to its end or to silence."""
        seen = [self.read(timeout)]
        while seen[-1] not in ("silence", "FIN", "RST"):
            seen.append(self.read(timeout))
        return ", ".join(seen)

    def more(self, timeout):
        self.sock.settimeout(timeout)
        try:
            more = self.sock.recv(65536)
        except TimeoutError:
            return "silence"
        except ConnectionError:
            return "RST"
        self.received += more
        return "" if more else "FIN"

    def _frame(self):
        data = self.received
        if len(data) < 2:
            return None
        size, at = data[1] & 0x7F, 2
        if size == 126 and len(data) >= 4:
            size, at = struct.unpack("!H", data[2:4])[0], 4
        elif size == 127 and len(data) >= 10:
            size, at = struct.unpack("!Q", data[2:10])[0], 10
        elif size >= 126:
            return None
        if len(data) < at + size:
            return None
        payload, self.received = data[at:at + size], data[at + size:]
        words = NAMES.get(data[0] & 0x0F, f"opcode {data[0] & 0x0F}")
        if not data[0] & 0x80:
            words += " without FIN"
        if data[0] & 0x70:
            words += " with reserved bits"
        if data[0] & 0x0F == CLOSE and size >= 2:
            return f"{words} {struct.unpack('!H', payload[:2])[0]} {payload[2:]!r}"
        return f"{words} {payload!r}" if size <= 100 else f"{words} of {size} bytes"
