#!/usr/bin/env bash
# spice-server answers an offer of sub-protocols that does not begin with `binary` with a message of SPICE.
#
# A good guess: the answer to an upgrade is HTTP. One port serves both SPICE and WebSocket, and what is no request of
# its liking is taken for SPICE. The client gets `REDQ`, SPICE's own error 2, "invalid magic", and the end of TCP.
# `other, binary` is such an offer too. Text counts as binary, and no close code is echoed.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian qemu-system-x86 libspice-server1=0.15.1-1
export QEMU_MODULE_DIR=$work/debian/usr/lib/x86_64-linux-gnu/qemu
serve "$work/debian/usr/bin/qemu-system-x86_64" -machine none -display none -nodefaults \
    -spice port=16871,addr=127.0.0.1,disable-ticketing=on
"$work/debian/usr/bin/qemu-system-x86_64" --version | sed -n 1p

python3 - <<'PY' | compare "no offer: HTTP/1.1 101 Switching Protocols
the offer binary: HTTP/1.1 101 Switching Protocols
the offer binary, other: HTTP/1.1 101 Switching Protocols
the offer other: b'REDQ', then the error 2
the offer other, binary: b'REDQ', then the error 2
SPICE's first message as binary: b'REDQ', then the error 0
the same as text: b'REDQ', then the error 0
close 4001: close b''"
from raw import *


def reply(data):
    """SPICE's head of 16 bytes, then the error as the body's first number."""
    return f"{data[:4]!r}, then the error {struct.unpack('<I', data[16:20])[0]}"


def offer(*headers):
    opened = Raw(16871, headers=headers)
    return opened.status if opened.status.startswith("HTTP") else reply(opened.received)


print("no offer:", offer())
for names in ("binary", "binary, other", "other", "other, binary"):
    print(f"the offer {names}:", offer(f"Sec-WebSocket-Protocol: {names}"))
link = struct.pack("<IBBIIIII", 0, 1, 0, 1, 1, 18, 0xB, 0)  # The main channel, with one word of abilities for each part.
first = b"REDQ" + struct.pack("<III", 2, 2, len(link)) + link
for name, opcode in (("SPICE's first message as binary", BINARY), ("the same as text", TEXT)):
    opened = Raw(16871).send(opcode, first)
    while len(opened.received) < 24:
        opened.more(5)
    print(f"{name}:", reply(opened.received[4:]))
print("close 4001:", Raw(16871).close(4001, b"bye").read())
PY
