#!/usr/bin/env bash
# Liquidsoap's input from browsers answers every upgrade with 101, and refuses a wrong password or mount with the code
# 1011.
#
# A good guess: 1011 means that the server failed, so a client connects again (RFC 6455 section 7.4.1), here without
# end. An offer of `webcast` and another sub-protocol gets 404 in HTTP/1.0. No ping is answered, and a ping before the
# first message closes with 1002.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian liquidsoap=2.1.3-2
cat >"$work/radio.liq" <<LIQ
%include "$work/debian/usr/share/liquidsoap/libs/stdlib.liq"
set("init.allow_root", true)
set("log.file", false)
set("harbor.bind_addrs", ["127.0.0.1"])
output.dummy(fallible=true, input.harbor("radio", port=16877, password="secret"))
LIQ
lib=$work/debian/usr/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH=$LD_LIBRARY_PATH:$lib/pulseaudio:$lib/blas:$lib/lapack
serve "$work/debian/usr/bin/liquidsoap" --no-stdlib radio.liq

python3 - <<'PY' | compare "the right password: HTTP/1.1 101 Switching Protocols, silence
then a ping: silence
a wrong password: HTTP/1.1 101 Switching Protocols, close 1011 b'Authentication failed.', FIN
a wrong mount: HTTP/1.1 101 Switching Protocols, close 1011 b\"This mountpoint isn't available.\", FIN
a ping first: close 1002 b'Invalid hello.', FIN
webcast, other are offered: HTTP/1.0 404 Not found"
import json

from raw import *

for _ in range(600):  # It compiles its library of scripts first.
    try:
        socket.create_connection(("127.0.0.1", 16877)).close()
        break
    except ConnectionRefusedError:
        time.sleep(0.1)


def client(path="/radio", offer="webcast"):
    return Raw(16877, path, [f"Sec-WebSocket-Protocol: {offer}"])


def hello(password):
    data = {"mime": "audio/mpeg", "user": "source", "password": password}
    return json.dumps({"type": "hello", "data": data}).encode()


source = client()
print(f"the right password: {source.status}, {source.send(TEXT, hello('secret')).rest()}")
print("then a ping:", source.send(PING, b"a").rest(5))
for name, path, password in (("password", "/radio", "wrong"), ("mount", "/other", "secret")):
    opened = client(path)
    print(f"a wrong {name}: {opened.status}, {opened.send(TEXT, hello(password)).rest()}")
print("a ping first:", client().send(PING, b"a").rest())
print("webcast, other are offered:", client(offer="webcast, other").status)
PY
