#!/usr/bin/env bash
# Kamailio's WebSocket module ends TCP at a frame of more than 16,375 bytes, but reads a longer message in fragments.
#
# A good guess: a SIP server that takes large messages over TCP takes them over WebSocket, and a server with a limit
# closes with 1009 whether a message is fragmented or not. Here the limit is one of frames: its buffer for TCP has
# 16,383 bytes, with the frame's head. An empty message, and text that is not SIP, end TCP as well. Every close is
# answered with 1000. The answer to binary is text. Each offer that contains the letters "sip" is answered by the
# sub-protocol sip, which a client that offered "xsip" must refuse. The answers of a server that waits for SIP come to
# OPTIONS.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian kamailio=5.6.3-2 kamailio-websocket-modules=5.6.3-2 kamailio-tls-modules=5.6.3-2
lib=$work/debian/usr/lib/x86_64-linux-gnu
cat >"$work/kamailio.cfg" <<CFG
#!KAMAILIO
log_stderror=yes
fork=yes
children=1
tcp_children=1
tcp_accept_no_cl=yes
listen=tcp:127.0.0.1:16962
mpath="$lib/kamailio/modules/"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "pv.so"
loadmodule "xhttp.so"
loadmodule "websocket.so"

request_route {
    sl_send_reply("200", "OK");
}

event_route[xhttp:request] {
    ws_handle_handshake();
}
CFG
LD_LIBRARY_PATH=$lib:$lib/kamailio serve "$work/debian/usr/sbin/kamailio" -f "$work/kamailio.cfg" -DD -Y "$work"

python3 - <<'PY' | compare "text: text, SIP/2.0 200 OK
binary: text, SIP/2.0 200 OK
a frame of 16375 bytes: text, SIP/2.0 200 OK
a frame of 16376 bytes: FIN
3 fragments of 10000 bytes: text, SIP/2.0 200 OK
with a ping between: pong b'ping'
an empty message: FIN
text that is not SIP: FIN
close 4001: close 1000 b'Normal closure', FIN
no close code: close 1000 b'Normal closure', FIN
offer of xsip: HTTP/1.1 101 Switching Protocols, ['sip']
no offer: HTTP/1.1 400 Bad Request"
from raw import *


def offer(*names):
    return Raw(16962, headers=[f"Sec-WebSocket-Protocol: {name}" for name in names])


def options(size=None):
    """A request, filled up to a size."""
    def lines(body):
        return "\r\n".join((
            "OPTIONS sip:bob@127.0.0.1 SIP/2.0", "Via: SIP/2.0/WS alice.invalid;branch=z9hG4bK1", "Max-Forwards: 70",
            "From: <sip:alice@alice.invalid>;tag=1", "To: <sip:bob@127.0.0.1>", "Call-ID: 1", "CSeq: 1 OPTIONS",
            f"Content-Length: {len(body):5}", "", body,
        ))

    return lines("x" * (size - len(lines("")) if size else 0)).encode()


def answer(client):
    """The kind of the frame that comes, and its first line."""
    client.sock.settimeout(5)
    while len(client.received) < 4 and not client.more(5):
        pass
    line = client.received[4:].split(b"\r\n")[0].decode("latin-1")
    kind = client.read()
    return f"text, {line}" if kind.startswith("text of") else kind


print("text:", answer(offer("sip").send(TEXT, options())))
print("binary:", answer(offer("sip").send(BINARY, options())))
for size in (16375, 16376):
    print(f"a frame of {size} bytes:", answer(offer("sip").send(TEXT, options(size))))
long = options(30000)
parts = [(TEXT, long[:10000], False), (CONTINUATION, long[10000:20000], False), (CONTINUATION, long[20000:])]
client = offer("sip")
for part in parts:
    client.send(*part)
print("3 fragments of 10000 bytes:", answer(client))
client = offer("sip").send(*parts[0]).send(PING, b"ping")
print("with a ping between:", client.read())
print("an empty message:", offer("sip").send(TEXT).rest())
print("text that is not SIP:", offer("sip").send(TEXT, b"hello").rest())
print("close 4001:", offer("sip").close(4001, b"bye").rest())
print("no close code:", offer("sip").close().rest())
client = offer("xsip")
print(f"offer of xsip: {client.status},", client.header("Sec-WebSocket-Protocol"))
print("no offer:", offer().status)
PY
