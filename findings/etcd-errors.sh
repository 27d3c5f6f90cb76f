#!/usr/bin/env bash
# etcd answers 101 for any path below /v3/, sends its errors as messages, and ends TCP without a close frame after each.
#
# A good guess: a wrong path gets 404, and a finished call a close frame. Its grpc-websocket-proxy upgrades first and
# asks later, so "Not Found" is a text message. Every end is 1006, that of an answered call too. A second call on the
# same connection gets no answer. An offer that begins with "Bearer" is answered by "Bearer", offered or not.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

take_debian etcd-server=3.4.23-4+b4
serve "$work/debian/usr/bin/etcd" --data-dir "$work/data" --listen-client-urls http://127.0.0.1:16905 \
    --advertise-client-urls http://127.0.0.1:16905 --listen-peer-urls http://127.0.0.1:16906 \
    --initial-advertise-peer-urls http://127.0.0.1:16906 --initial-cluster default=http://127.0.0.1:16906

python3 - <<'PY' | compare "/v3/nothing: HTTP/1.1 101 Switching Protocols, text b'Not Found', FIN
a call: its answer, FIN
two calls: one answer, then the end of TCP
a call without a key: text b'{\"error\":\"etcdserver: key is not provided\",\"message\":\"etcdserver: key is not provided\",\"code\":3}', FIN
a call in two messages: its answer, FIN
a watch: its answer, silence
close 4000: close 4000 b'', FIN
the offer chat: []
the offer Bearer, secret: ['Bearer']
the offer Bearer.secret: ['Bearer']"
from raw import *


def client(path, *headers):
    return Raw(16905, path, headers)


def ends(opened):
    first = opened.read()
    return f"{'its answer' if first.startswith('text of ') else first}, {opened.rest()}"


nothing = client("/v3/nothing")
print(f"/v3/nothing: {nothing.status}, {nothing.rest()}")
call = b'{"key":"Zm9v"}'
print("a call:", ends(client("/v3/kv/range").send(TEXT, call)))
seen = ends(client("/v3/kv/range").send(TEXT, call).send(TEXT, call))
print("two calls:", "one answer, then the end of TCP" if seen in ("its answer, FIN", "its answer, RST") else seen)
print("a call without a key:", client("/v3/kv/range").send(TEXT, b"{}").rest())
print("a call in two messages:", ends(client("/v3/kv/range").send(TEXT, call[:6]).send(TEXT, call[6:])))
print("a watch:", ends(client("/v3/watch").send(TEXT, b'{"create_request":{"key":"Zm9v"}}')))
print("close 4000:", client("/v3/watch").close(4000, b"bye").rest())
for offer in ("chat", "Bearer, secret", "Bearer.secret"):
    opened = client("/v3/watch", f"Sec-WebSocket-Protocol: {offer}")
    print(f"the offer {offer}:", opened.header("Sec-WebSocket-Protocol"))
PY
