#!/usr/bin/env bash
# websocketd turns messages into lines: one message of two lines returns as two messages, and a binary one only after a
# line feed.
#
# A good guess: with `cat` as its program, it echoes. It writes each message to the program, with a line feed after
# text, and reads lines. It drops the reason of a close frame.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian websocketd=0.4.1-1+b11
serve "$work/debian/usr/bin/websocketd" --address=127.0.0.1 --port=16833 --loglevel=fatal cat

python3 - <<'PY' | compare "one: text b'one'
one and two: text b'one', text b'two', silence
an empty one: text b'', silence
binary: silence
5000 bytes: text without FIN of 4082 bytes, continuation of 918 bytes, silence
close 1000 bye: close 1000 b'', FIN"
from raw import *

print("one:", Raw(16833).send(TEXT, b"one").read())
print("one and two:", Raw(16833).send(TEXT, b"one\ntwo").rest())
print("an empty one:", Raw(16833).send(TEXT, b"").rest())
print("binary:", Raw(16833).send(BINARY, b"\x00\x01").rest())
print("5000 bytes:", Raw(16833).send(TEXT, b"a" * 5000).rest())
print("close 1000 bye:", Raw(16833).close(1000, b"bye").rest())
PY
