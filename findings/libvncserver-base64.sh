#!/usr/bin/env bash
# LibVNCServer speaks base64 in text messages as soon as a client offers `base64`, even behind `binary`.
#
# A good guess: a server takes the first offer that it knows. LibVNCServer serves x11vnc and many others. It takes
# `base64` wherever that stands, and then all of VNC is base64. Without `Origin` it ends TCP without an answer. A
# fragment resets TCP. It answers neither pings nor close frames, and ignores text after `binary`. Needs gcc.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian libvncserver-dev=0.9.14+dfsg-1+deb12u2
cat >"$work/screen.c" <<'C'
#include <rfb/rfb.h>

int main(int count, char **arguments)
{
    rfbScreenInfoPtr screen = rfbGetScreen(&count, arguments, 16, 16, 8, 3, 4);
    screen->frameBuffer = calloc(16 * 16, 4);
    screen->port = 16870;
    screen->ipv6port = -1;
    screen->listenInterface = htonl(INADDR_LOOPBACK);
    rfbInitServer(screen);
    rfbRunEventLoop(screen, 10000, FALSE);
}
C
debian=$work/debian/usr
gcc "$work/screen.c" -I"$debian/include" -L"$debian/lib/x86_64-linux-gnu" -lvncserver -o "$work/screen"
serve ./screen

python3 - <<'PY' | compare "binary is offered: ['binary'], then binary b'RFB 003.008\n'
binary, base64 are offered: ['base64'], then text b'UkZCIDAwMy4wMDgK'
without Origin: '', then FIN
a message: binary b'\x01\x01', silence
the same in two fragments: RST
the same as text: silence
a ping: silence
close 1000: FIN"
from raw import *


def client(offer="binary"):
    return Raw(16870, headers=["Origin: http://page.example", f"Sec-WebSocket-Protocol: {offer}"])


def greeted():
    opened = client()
    opened.read()
    return opened


for offer in ("binary is", "binary, base64 are"):
    opened = client(offer.rsplit(" ", 1)[0])
    print(f"{offer} offered: {opened.header('Sec-WebSocket-Protocol')}, then {opened.read()}")
print("without Origin:", Raw(16870, headers=["Sec-WebSocket-Protocol: binary"]).head)
print("a message:", greeted().send(BINARY, b"RFB 003.008\n").rest(1))
print("the same in two fragments:", greeted().send(BINARY, b"RFB ", fin=False).send(CONTINUATION, b"003.008\n").rest())
print("the same as text:", greeted().send(TEXT, b"RFB 003.008\n").rest(1))
print("a ping:", greeted().send(PING, b"a").read(5))
print("close 1000:", greeted().close(1000).rest())
PY
