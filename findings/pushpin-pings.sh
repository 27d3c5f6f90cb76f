#!/usr/bin/env bash
# The proxy Pushpin answers pings itself, with an empty payload. A ping or pong between two fragments ends TCP.
#
# A good guess: a proxy forwards frames, or speaks the protocol on both sides as RFC 6455 section 5.5 asks. Condure,
# Pushpin's front, drops the payload of a ping. A message above 200,000 bytes ends TCP without a close frame. The
# backend's answers arrive in fragments of 8 KiB.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian pushpin=1.36.0-2 condure=1.9.1-1 zurl=1.11.1-1+b1
take_pypi websockets==17.4
cat >"$work/echo.py" <<'PY'
import asyncio

from websockets.asyncio.server import serve


async def echo(connection):
    async for message in connection:
        await connection.send(message)


async def main():
    async with serve(echo, "127.0.0.1", 16875, ping_interval=None, max_size=None):
        await asyncio.Future()


asyncio.run(main())
PY
sed "s|/var/run/zurl|$work|; s|^deny=.*|deny=|" "$work/debian/etc/zurl.conf" >"$work/zurl.conf"
echo '* 127.0.0.1:16875' >"$work/routes"
cat >"$work/pushpin.conf" <<CONF
[global]
include=$work/debian/usr/lib/pushpin/internal.conf
rundir=$work
ipc_prefix=pushpin-
[proxy]
routesfile=$work/routes
zurl_out_specs=ipc://$work/zurl-in
zurl_out_stream_specs=ipc://$work/zurl-in-stream
zurl_in_specs=ipc://$work/zurl-out
CONF
bin=$work/debian/usr/bin
serve "$work/python/bin/python" echo.py
serve "$bin/zurl" --config=zurl.conf
serve "$bin/condure" --listen=127.0.0.1:16876,stream --zclient-stream="ipc://$work/pushpin-condure" --buffer-size=8192
serve "$bin/pushpin-proxy" --config=pushpin.conf
serve "$bin/pushpin-handler" --config=pushpin.conf

python3 - <<'PY' | compare "a message: text b'hello', silence
a ping: pong b'', silence
two fragments: text b'one two', silence
with a ping between them: FIN
with a pong between them: FIN
200000 bytes come back in 25 frames: 200000
200001 bytes: FIN"
from raw import *

Raw._dial(16875).close()  # Waits until the backend is there.
for _ in range(20):
    opened = Raw(16876, timeout=1)
    if "101" in opened.status:
        break
    time.sleep(0.1)  # Pushpin's processes are still finding each other.
print("a message:", opened.send(TEXT, b"hello").rest(1))
print("a ping:", Raw(16876).send(PING, b"a").rest(1))
print("two fragments:", Raw(16876).send(TEXT, b"one ", fin=False).send(CONTINUATION, b"two").rest(1))
for name, opcode in (("ping", PING), ("pong", PONG)):
    print(f"with a {name} between them:", Raw(16876).send(TEXT, b"one ", fin=False).send(opcode, b"a").rest(5))
opened = Raw(16876).send(TEXT, b"a" * 200000)
frames = [opened.read(10)]
while "without FIN" in frames[-1]:
    frames.append(opened.read(10))
sizes = [int(words.split(" of ")[1].split()[0]) for words in frames]
print(f"200000 bytes come back in {len(frames)} frames: {sum(sizes)}")
print("200001 bytes:", Raw(16876).send(TEXT, b"a" * 200001).rest(10))
PY
